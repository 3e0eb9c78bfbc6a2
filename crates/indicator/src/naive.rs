//! What it means that a text shows an indicator, read aloud: one indicator, one text.
//!
//! The specification of [`crate::Worker`], without tables: it looks where the
//! indicator's own text stands, and what stands around it. Tests hold both to
//! the same answers.

use crate::kind::Kind;
use crate::set::IndicatorSet;
use crate::slots::Use;
use crate::text::{fold, is_file, is_named_imphash};
use crate::value::{self, PATH_WORDS_MAX, word_count};
use crate::words::{self, is_word};
use model::{Record, Value};
use std::net::IpAddr;

/// The indicators that a record shows, ascending, by asking each of them.
pub fn find(set: &IndicatorSet, record: &Record<'_>) -> Vec<u32> {
    let ids = 0..set.keys.len() as u32;
    ids.filter(|id| set.is_mentioned(*id) && shows(set, *id, record)).collect()
}

fn shows(set: &IndicatorSet, id: u32, record: &Record<'_>) -> bool {
    let (sort, bytes) = set.keys.get(id);
    let kind = Kind::of_byte(sort);
    if kind == Kind::All {
        return set.parts(id).all(|part| shows(set, part, record));
    }
    (0..record.values.len()).any(|index| {
        let slot = Use::of(&record.shape.slots[index]);
        slot != Use::Time && in_value(kind, bytes, &record.value(index), slot)
    })
}

fn in_value(kind: Kind, own: &[u8], value: &Value<'_>, slot: Use) -> bool {
    match value {
        Value::List(values) => values.iter().any(|value| in_value(kind, own, value, slot)),
        Value::Utf8(_) | Value::Utf16(_) if !value.is_blank() => {
            let mut plain = Vec::new();
            fold(&value.to_text(), &mut plain);
            let mut unescaped = Vec::new();
            words::unescape(&plain, &mut unescaped);
            let mut folded = Vec::new();
            fold(&String::from_utf8_lossy(&unescaped), &mut folded);
            in_text(kind, own, &plain, slot) || in_text(kind, own, &folded, slot)
        }
        _ => false,
    }
}

fn in_text(kind: Kind, own: &[u8], text: &[u8], slot: Use) -> bool {
    match kind {
        Kind::Address | Kind::Network => addresses(text).iter().any(|address| is_in(kind, own, address)),
        Kind::Domain => places(own, text).any(|at| is_domain(text, at, at + own.len())),
        Kind::Md5 | Kind::Imphash | Kind::Sha1 | Kind::Sha256 => {
            let digits = value::show(kind, own);
            places(digits.as_bytes(), text).any(|at| {
                let named = slot == Use::Imphash || is_named_imphash(&text[..at]);
                let fits = match kind {
                    Kind::Md5 => !named,
                    Kind::Imphash => named,
                    _ => true,
                };
                fits && stands_alone(text, at, at + digits.len())
            })
        }
        Kind::Url => urls(text).iter().any(|url| url == own),
        Kind::Path | Kind::FileName => {
            let mut path = Vec::new();
            words::write_path(text, &mut path);
            places(own, &path).any(|at| is_path(own, &path, at))
        }
        Kind::UserAgent => {
            let mut agent = Vec::new();
            words::write_agent(text, &mut agent);
            slot == Use::Agent && agent == own
        }
        Kind::Parameter => {
            let query = text.strip_prefix(b"?").unwrap_or(text);
            let name = |pair: &[u8]| pair.split(|byte| *byte == b'=').next().is_some_and(|name| name == own);
            slot == Use::Query && query.split(|byte| matches!(byte, b'&' | b';')).any(name)
        }
        Kind::All => false,
    }
}

/// Where `own` stands in `text`.
fn places<'t>(own: &'t [u8], text: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    (0..text.len()).filter(move |at| text[*at..].starts_with(own))
}

/// Neither letter nor digit touches it; dots of a sentence may.
fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let before = text[..start].iter().rev().find(|byte| **byte != b'.');
    let after = text[end..].iter().find(|byte| **byte != b'.');
    !before.is_some_and(|byte| is_word(*byte)) && !after.is_some_and(|byte| is_word(*byte))
}

fn is_domain(text: &[u8], start: usize, end: usize) -> bool {
    let after = text[end..].iter().find(|byte| **byte != b'.');
    let whole = text[..start].iter().rposition(|byte| !is_word(*byte)).map_or(0, |at| at + 1);
    let is_label = start == whole || text[start - 1] == b'.';
    is_label && !after.is_some_and(|byte| is_word(*byte)) && !is_file(text, whole)
}

fn is_path(own: &[u8], path: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| path[before]);
    let begins = match own.first() {
        // A root: no folder and no drive stands before it.
        Some(b'\\') => before.is_none_or(|byte| !is_word(byte) && byte != b':'),
        _ => before.is_none_or(|byte| !is_word(byte)),
    };
    let after = path[at + own.len()..].iter().find(|byte| **byte != b'.');
    begins && !after.is_some_and(|byte| is_word(*byte)) && word_count(own) <= PATH_WORDS_MAX
}

fn is_in(kind: Kind, own: &[u8], address: &IpAddr) -> bool {
    let mut octets = value::octets(*address);
    match (kind, own) {
        (Kind::Network, [bits, block @ ..]) if block.len() == octets.len() => {
            value::mask(&mut octets, *bits);
            octets == block
        }
        _ => kind == Kind::Address && octets == own,
    }
}

/// Every address that stands alone in a text.
fn addresses(text: &[u8]) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for start in 0..text.len() {
        for end in start + 2..=text.len().min(start + 45) {
            let Ok(part) = std::str::from_utf8(&text[start..end]) else { continue };
            match part.parse::<IpAddr>() {
                Ok(IpAddr::V4(address)) if stands_alone(text, start, end) => found.push(IpAddr::V4(address)),
                Ok(IpAddr::V6(address)) if is_whole_ipv6(text, start, end) => {
                    found.push(IpAddr::V6(address).to_canonical());
                }
                _ => {}
            }
        }
    }
    found
}

/// No further digit, dot or colon touches it, but for the colon of a name
/// before it, and a dot or a colon of a sentence behind it.
fn is_whole_ipv6(text: &[u8], start: usize, end: usize) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    let before = &text[..start];
    let behind = &text[end..];
    let begins = match before {
        [name @ .., b':'] => {
            let digits = name.iter().rev().take_while(|byte| is_part(byte)).count();
            let (before, digits) = name.split_at(name.len() - digits);
            digits.is_empty()
                || digits.iter().all(u8::is_ascii_hexdigit)
                    && before.last().is_some_and(|byte| is_word(*byte))
        }
        before => !before.last().is_some_and(|byte| is_part(byte) || is_word(*byte)),
    };
    let marks = behind.iter().take_while(|byte| is_part(byte)).count();
    let ends = behind[..marks].iter().all(|byte| *byte == b'.') || behind[..marks] == *b":";
    begins && ends && !behind.get(marks).is_some_and(|byte| is_word(*byte))
}

/// Every URL of a text, as it is compared, with and without its query.
fn urls(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for at in places(b"://", text) {
        let after: Vec<u8> =
            text[at + 3..].iter().copied().take_while(|byte| !words::ends_url(*byte)).collect();
        let after = words::trim_url(&after);
        let query = after.iter().position(|byte| *byte == b'?').unwrap_or(after.len());
        for url in [after, words::trim_url(&after[..query])] {
            let mut own = Vec::new();
            words::write_url(text[..at].ends_with(b"https"), url, &mut own);
            if after.len() <= value::TEXT_BYTES_MAX {
                found.push(own);
            }
        }
    }
    found
}
