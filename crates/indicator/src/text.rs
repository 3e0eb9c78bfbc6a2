//! Indicators in one text: cut into words once, each word looked up.
//!
//! What a lookup costs does not depend on how many indicators there are: a
//! domain takes one for each of its parts, a path one for each number of words
//! that listed paths with its last word have.

use crate::gates::Gates;
use crate::keys::Keys;
use crate::kind::Kind;
use crate::slots::Use;
use crate::value::{DOMAIN_BYTES_MAX, TEXT_BYTES_MAX, hex_bytes, mask, octets, word_ipv4};
use crate::words::{self, CLASS, COLON, DOT, HEX, PERCENT, SEPARATOR, WORD, is_word};
use std::net::{IpAddr, Ipv6Addr};

/// Bytes of the longest IPv6 address.
const IPV6_BYTES_MAX: usize = 45;

/// Room for texts as they are compared.
#[derive(Default)]
pub(crate) struct Room {
    folded: Vec<u8>,
    unescaped: Vec<u8>,
    other: Vec<u8>,
    /// The text with one `\` for each run of separators, as far as it was read.
    path: Vec<u8>,
    /// Where in it words begin.
    starts: Vec<usize>,
}

/// What is searched, and where hits go.
pub(crate) struct Search<'s> {
    pub(crate) keys: &'s Keys,
    pub(crate) gates: &'s Gates,
    pub(crate) hits: &'s mut Vec<u32>,
}

impl Search<'_> {
    /// Finds all indicators in a text: as it is, and with its percent escapes
    /// undone once.
    pub(crate) fn text(&mut self, text: &str, slot: Use, room: &mut Room) {
        let mut folded = std::mem::take(&mut room.folded);
        fold(text, &mut folded);
        let any = self.folded(&folded, slot, room);
        if any & PERCENT != 0 {
            let mut unescaped = std::mem::take(&mut room.unescaped);
            if words::unescape(&folded, &mut unescaped) {
                // What an escape hid may be in upper case, and of any alphabet.
                fold(&String::from_utf8_lossy(&unescaped), &mut folded);
                self.folded(&folded, slot, room);
            }
            room.unescaped = unescaped;
        }
        room.folded = folded;
    }

    /// Finds what is an indicator in its slot only, in a text without percent escapes.
    pub(crate) fn of_slot(&mut self, text: &str, slot: Use, room: &mut Room) {
        if matches!(slot, Use::Agent | Use::Query) {
            fold(text, &mut room.folded);
            self.folded_of_slot(&room.folded, slot, &mut room.other);
        }
    }

    fn folded_of_slot(&mut self, text: &[u8], slot: Use, agent: &mut Vec<u8>) {
        match slot {
            Use::Agent if self.gates.has(Kind::UserAgent) => {
                words::write_agent(text, agent);
                self.look_up(Kind::UserAgent, agent);
            }
            Use::Query if self.gates.has(Kind::Parameter) => self.query(text),
            _ => {}
        }
    }

    /// The same in a text in lower case; gives the classes of its bytes.
    fn folded(&mut self, text: &[u8], slot: Use, room: &mut Room) -> u8 {
        self.folded_of_slot(text, slot, &mut room.other);
        let any = self.words(text, slot, room);
        if any & COLON != 0 {
            if self.gates.has_addresses() {
                self.ipv6(text);
            }
            if any & SEPARATOR != 0 && self.gates.has(Kind::Url) {
                self.urls(text, &mut room.other);
            }
        }
        any
    }

    fn look_up(&mut self, kind: Kind, bytes: &[u8]) {
        self.hits.extend(self.keys.find(kind as u8, bytes));
    }

    fn query(&mut self, text: &[u8]) {
        let text = text.strip_prefix(b"?").unwrap_or(text);
        for pair in text.split(|byte| matches!(byte, b'&' | b';')) {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
            self.look_up(Kind::Parameter, name);
        }
    }

    fn words(&mut self, text: &[u8], slot: Use, room: &mut Room) -> u8 {
        let Room { path, starts, .. } = room;
        path.clear();
        starts.clear();
        let (mut at, mut any_in_text) = (0, 0);
        while at < text.len() {
            let start = at;
            let (mut any, mut all) = (0, WORD | HEX);
            while let Some(class) = text.get(at).map(|byte| CLASS[usize::from(*byte)])
                && class & WORD != 0
            {
                (any, all) = (any | class, all & class);
                at += 1;
            }
            if at == start {
                let class = CLASS[usize::from(text[at])];
                any_in_text |= class;
                match class & SEPARATOR != 0 {
                    true if path.last() == Some(&b'\\') => {}
                    true => path.push(b'\\'),
                    false => path.push(text[at]),
                }
                at += 1;
                continue;
            }
            any_in_text |= any;
            starts.push(path.len());
            path.extend_from_slice(&text[start..at]);
            if any & DOT != 0 {
                self.dotted(text, start, at, slot);
            } else if at - start >= 32 && all & HEX != 0 {
                self.hash(text, start, at, slot);
            }
            if any & DOT != 0 || self.gates.plain_words {
                self.path(path, starts);
            }
        }
        any_in_text
    }

    /// A word with a dot: an address, or the name of a host.
    pub(crate) fn dotted(&mut self, text: &[u8], start: usize, end: usize, slot: Use) {
        let word = &text[start..end];
        let behind = start + word.iter().take_while(|byte| **byte == b'.').count();
        let before = end - word.iter().rev().take_while(|byte| **byte == b'.').count();
        if behind >= before {
            return;
        }
        let word = &text[behind..before];
        if !word.contains(&b'.') {
            self.hash(text, behind, before, slot);
        } else if let Some(address) = word_ipv4(word) {
            self.address(&address);
        } else if self.gates.may_be_domain(word) && !is_file(text, start) {
            let mut rest = word;
            while let Some(dot) = rest.iter().position(|byte| *byte == b'.') {
                if rest.len() <= DOMAIN_BYTES_MAX {
                    self.look_up(Kind::Domain, rest);
                }
                rest = &rest[dot + 1..];
            }
        }
    }

    fn hash(&mut self, text: &[u8], start: usize, end: usize, slot: Use) {
        let word = &text[start..end];
        let kind = match word.len() {
            32 if slot == Use::Imphash || is_named_imphash(&text[..start]) => Kind::Imphash,
            32 => Kind::Md5,
            40 => Kind::Sha1,
            64 => Kind::Sha256,
            _ => return,
        };
        if self.gates.has(kind) && words::all(word, HEX) {
            self.look_up(kind, &hex_bytes(word));
        }
    }

    /// An address in its bytes, 4 or 16.
    pub(crate) fn address(&mut self, bytes: &[u8]) {
        self.look_up(Kind::Address, bytes);
        let widths = &self.gates.widths[usize::from(bytes.len() != 4)];
        let mut block = [0; 17];
        for bits in widths {
            let block = &mut block[..=bytes.len()];
            block[0] = *bits;
            block[1..].copy_from_slice(bytes);
            mask(&mut block[1..], *bits);
            self.hits.extend(self.keys.find(Kind::Network as u8, block));
        }
    }

    /// Paths that end with the last word.
    fn path(&mut self, path: &[u8], starts: &[usize]) {
        let Some(start) = starts.last() else { return };
        // Windows drops dots at the end of a name.
        let end = path.len() - path[*start..].iter().rev().take_while(|byte| **byte == b'.').count();
        if end <= *start {
            return;
        }
        let mut counts = self.gates.path_counts(&path[*start..end]);
        while counts != 0 {
            let count = counts.trailing_zeros() as usize + 1;
            counts &= counts - 1;
            let Some(start) = starts.len().checked_sub(count).map(|first| starts[first]) else { return };
            if end - start > TEXT_BYTES_MAX {
                return;
            }
            let own = &path[start..end];
            self.look_up(if own.contains(&b'\\') { Kind::Path } else { Kind::FileName }, own);
            if begins_at_root(path, start) {
                self.look_up(Kind::Path, &path[start - 1..end]);
            }
        }
    }

    fn ipv6(&mut self, text: &[u8]) {
        let is_part = |byte: &u8| CLASS[usize::from(*byte)] & (HEX | DOT | COLON) != 0;
        let mut at = 0;
        while at < text.len() {
            let length = text[at..].iter().take_while(|byte| is_part(byte)).count();
            let run = &text[at..at + length];
            if run.len() > 2 && run.iter().filter(|byte| **byte == b':').count() >= 2 {
                let before = at.checked_sub(1).map(|before| text[before]);
                let after = text.get(at + length).copied();
                if let Some(address) = ipv6_of(before, run, after) {
                    self.address(&octets(address));
                }
            }
            at += length + 1;
        }
    }

    fn urls(&mut self, text: &[u8], url: &mut Vec<u8>) {
        let marks = text.windows(3).enumerate().filter(|(_, window)| *window == b"://");
        for at in marks.map(|(at, _)| at) {
            let after = &text[at + 3..];
            let end = after.iter().position(|byte| words::ends_url(*byte)).unwrap_or(after.len());
            let after = words::trim_url(&after[..end]);
            if after.len() > TEXT_BYTES_MAX {
                continue;
            }
            let is_tls = text[..at].ends_with(b"https");
            words::write_url(is_tls, after, url);
            self.look_up(Kind::Url, url);
            if let Some(query) = after.iter().position(|byte| *byte == b'?') {
                words::write_url(is_tls, words::trim_url(&after[..query]), url);
                self.look_up(Kind::Url, url);
            }
        }
    }
}

/// Lower case, as values of the set are.
pub(crate) fn fold(text: &str, out: &mut Vec<u8>) {
    out.clear();
    if text.is_ascii() {
        out.extend_from_slice(text.as_bytes());
        out.make_ascii_lowercase();
    } else {
        out.extend_from_slice(text.to_lowercase().as_bytes());
    }
}

/// Whether the word at `start` is the name of a file in a folder of Windows
/// (`C:\tools\run.com`), which has the shape of a domain; `\\host` is none.
pub(crate) fn is_file(text: &[u8], start: usize) -> bool {
    matches!(text[..start], [.., b'\\']) && !matches!(text[..start], [.., b'\\', b'\\'])
}

/// Whether what stands before says that an imphash follows (`IMPHASH=`).
pub(crate) fn is_named_imphash(before: &[u8]) -> bool {
    matches!(before, [name @ .., b'=' | b':'] if name.ends_with(b"imphash"))
}

/// Whether the separator before `start` is the root of a path: neither a
/// folder nor a drive stands before it.
fn begins_at_root(path: &[u8], start: usize) -> bool {
    match path[..start] {
        [b'\\'] => true,
        [.., before, b'\\'] => !is_word(before) && before != b':',
        _ => false,
    }
}

/// The address in a run of hex digits, dots and colons, and what stands around it.
fn ipv6_of(before: Option<u8>, run: &[u8], after: Option<u8>) -> Option<IpAddr> {
    if after.is_some_and(is_word) {
        return None;
    }
    let mut run = run;
    if before.is_some_and(is_word) {
        // `src:2001:db8::1`: a name, a colon, an address.
        let colon = run.iter().position(|byte| *byte == b':')?;
        run = &run[colon..];
    }
    if let [b':', rest @ ..] = run
        && !rest.starts_with(b":")
    {
        run = rest;
    }
    while let [rest @ .., b'.'] = run {
        run = rest;
    }
    if let [rest @ .., b':'] = run
        && !rest.ends_with(b":")
    {
        run = rest;
    }
    if run.len() > IPV6_BYTES_MAX {
        return None;
    }
    let address: Ipv6Addr = std::str::from_utf8(run).ok()?.parse().ok()?;
    Some(IpAddr::V6(address).to_canonical())
}
