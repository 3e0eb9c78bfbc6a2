//! The roster: whose keys are good for which party, namespace and time (`allowed_signers` of `ssh-keygen(1)`).
//!
//! Read as `ssh-keygen -Y verify` reads it, with the time zone UTC: a line that says nothing for the party, or nothing
//! that can be read, is passed over.

use crate::error::Refusal;
use crate::sshsig::{SigningKey, key_blob};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a roster.
const ROSTER_BYTES_MAX: usize = 4 * 1024 * 1024;
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Who may sign.
#[derive(Debug, Clone)]
pub struct Roster {
    lines: Vec<Line>,
    /// Lines that cannot be read, from 1.
    pub bad_lines: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Line {
    number: usize,
    principals: String,
    options: Options,
    key: Vec<u8>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Options {
    authority: bool,
    namespaces: Option<String>,
    valid_after: Option<u64>,
    valid_before: Option<u64>,
}

impl Roster {
    /// Reads a roster.
    ///
    /// # Errors
    /// It is too long.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > ROSTER_BYTES_MAX {
            return Err(Refusal::new(format!(
                "roster: wanted at most {ROSTER_BYTES_MAX} bytes, found {}",
                bytes.len()
            )));
        }
        let mut roster = Self { lines: Vec::new(), bad_lines: Vec::new() };
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            // A line is a C string: what stands behind a NUL is not there.
            let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            let text = line.trim_start_matches([' ', '\t']);
            if text.is_empty() || text.starts_with('#') || text == "\r" {
                continue;
            }
            match read_line(text) {
                Some((principals, options, key)) => {
                    roster.lines.push(Line { number: index + 1, principals, options, key })
                }
                None => roster.bad_lines.push(index + 1),
            }
        }
        Ok(roster)
    }

    /// Principals that are named as they are, without a pattern, each once, in their order.
    pub fn principals(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for principal in self.lines.iter().flat_map(|line| line.principals.split(',')) {
            let is_name = !principal.is_empty() && !principal.contains(['*', '?', '!']);
            if is_name && !out.iter().any(|known| known == principal) {
                out.push(principal.to_owned());
            }
        }
        out
    }

    /// Whether some line is about this principal.
    pub(crate) fn knows(&self, principal: &str) -> bool {
        self.lines.iter().any(|line| matches_list(principal, &line.principals))
    }

    /// Whether `key` may sign for `principal` in `namespace` at `seconds` since 1970.
    pub(crate) fn check(
        &self,
        key: &SigningKey,
        principal: &str,
        namespace: &str,
        seconds: u64,
    ) -> Result<(), Refusal> {
        let mut reason = None;
        for line in &self.lines {
            if !matches_list(principal, &line.principals) {
                continue;
            }
            match line.check(key, principal, namespace, seconds) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(refusal) => {
                    reason = Some(Refusal::new(format!("roster line {}: {refusal}", line.number)))
                }
            }
        }
        Err(reason
            .unwrap_or_else(|| Refusal::new(format!("no line of the roster gives this key to {principal}"))))
    }
}

impl Line {
    /// Whether the line is about this key; an error says why it does not allow what was signed.
    fn check(
        &self,
        key: &SigningKey,
        principal: &str,
        namespace: &str,
        seconds: u64,
    ) -> Result<bool, Refusal> {
        match &key.certificate {
            Some(certificate) if self.options.authority && certificate.authority == self.key => {
                certificate.check(principal, seconds)?;
            }
            _ if !self.options.authority && key.blob == self.key => {}
            _ => return Ok(false),
        }
        if self.options.namespaces.as_ref().is_some_and(|list| !matches_list(namespace, list)) {
            return Err(Refusal::new(format!("key is not for namespace {namespace}")));
        }
        if self.options.valid_after.is_some_and(|after| seconds < after) {
            return Err(Refusal::new("key is not yet valid"));
        }
        if self.options.valid_before.is_some_and(|before| seconds > before) {
            return Err(Refusal::new("key has expired"));
        }
        Ok(true)
    }
}

/// Keys that are no longer good: one public key per line. (A key revocation list in binary is for `ssh-keygen`.)
#[derive(Debug, Clone, Default)]
pub struct RevokedKeys(Vec<Vec<u8>>);

impl RevokedKeys {
    /// Reads a list.
    ///
    /// # Errors
    /// A line that is no key, which `ssh-keygen` refuses too; a binary list.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.starts_with(b"SSHKRL\n\0") {
            return Err(Refusal::new(
                "a binary revocation list: check this package with the steps of VERIFY.md",
            ));
        }
        let text = String::from_utf8_lossy(bytes);
        let mut keys = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start_matches([' ', '\t']);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = read_key_text(line).map(|(key, _)| key);
            keys.push(key.ok_or_else(|| {
                Refusal::new(format!("revoked keys, line {}: wanted a public key", index + 1))
            })?);
        }
        Ok(Self(keys))
    }

    /// Whether a key, the key in a certificate, or the certificate's authority is on the list.
    pub(crate) fn holds(&self, key: &SigningKey) -> bool {
        let plain = key_blob(&key.key);
        let authority = key.certificate.as_ref().map(|certificate| &certificate.authority);
        self.0.iter().any(|revoked| *revoked == key.blob || *revoked == plain || Some(revoked) == authority)
    }
}

/// A word up to a blank, which quotation marks may hold together; and the rest.
fn take_word(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (word, rest) = quoted.split_once('"')?;
        return Some((word, rest.trim_start_matches(BLANKS)));
    }
    let end = text.find(|c| BLANKS.contains(&c) || c == '"')?;
    Some((&text[..end], text[end + 1..].trim_start_matches(BLANKS)))
}

fn read_line(text: &str) -> Option<(String, Options, Vec<u8>)> {
    let (principals, rest) = take_word(text)?;
    if let Some((key, _)) = read_key_text(rest) {
        return Some((principals.to_owned(), Options::default(), key));
    }
    let end = end_of_options(rest)?;
    let options = read_options(&rest[..end])?;
    let (key, _) = read_key_text(rest[end..].trim_start_matches([' ', '\t']))?;
    Some((principals.to_owned(), options, key))
}

/// Reads `TYPE BASE64`; gives the bytes and what stands behind.
fn read_key_text(text: &str) -> Option<(Vec<u8>, &str)> {
    let end = text.find([' ', '\t'])?;
    let (name, rest) = (&text[..end], text[end..].trim_start_matches([' ', '\t']));
    let end = rest.find(BLANKS).unwrap_or(rest.len());
    let blob = STANDARD.decode(&rest[..end]).ok()?;
    let own = crate::sshsig::Wire(&blob).string().ok()?;
    if own != name.as_bytes() {
        return None;
    }
    // What is no key is no line.
    SigningKey::read(&blob).ok()?;
    Some((blob, &rest[end..]))
}

fn end_of_options(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            ' ' | '\t' if !quoted => return Some(index),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

fn read_options(mut text: &str) -> Option<Options> {
    let mut options = Options::default();
    loop {
        if let Some(rest) = strip_name(text, "cert-authority") {
            options.authority = true;
            text = rest;
        } else if let Some(rest) = strip_name(text, "namespaces=") {
            let (value, rest) = take_quoted(rest)?;
            if options.namespaces.replace(value).is_some() {
                return None;
            }
            text = rest;
        } else if let Some(rest) = strip_name(text, "valid-after=") {
            let (value, rest) = take_quoted(rest)?;
            if options.valid_after.replace(read_time(&value)?).is_some() {
                return None;
            }
            text = rest;
        } else {
            let (value, rest) = take_quoted(strip_name(text, "valid-before=")?)?;
            if options.valid_before.replace(read_time(&value)?).is_some() {
                return None;
            }
            text = rest;
        }
        if text.is_empty() {
            break;
        }
        text = text.strip_prefix(',').filter(|rest| !rest.is_empty())?;
    }
    match (options.valid_after, options.valid_before) {
        (Some(after), Some(before)) if before <= after => None,
        _ => Some(options),
    }
}

fn strip_name<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let head = text.get(..name.len())?;
    head.eq_ignore_ascii_case(name).then(|| &text[name.len()..])
}

/// Text in quotation marks, in which `\"` is one.
fn take_quoted(text: &str) -> Option<(String, &str)> {
    let text = text.strip_prefix('"')?;
    let mut out = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                out.push('"');
            }
            '"' => return Some((out, &text[index + 1..])),
            c => out.push(c),
        }
    }
    None
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with or without `Z`, in UTC; seconds since 1970.
fn read_time(text: &str) -> Option<u64> {
    let digits = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => digits,
        None => text
            .get(..text.len().saturating_sub(3))
            .filter(|_| text.to_ascii_uppercase().ends_with("UTC"))
            .unwrap_or(text),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<u32>().ok());
    let year = i32::try_from(part(0, 4)?).ok()?;
    let time = model::Timestamp::from_civil(
        year,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
        0,
    )?;
    u64::try_from(time.nanos() / 1_000_000_000).ok().filter(|seconds| *seconds > 0)
}

/// Whether a list of patterns, by commas, takes the text: some pattern does, and none with `!` before it does.
fn matches_list(text: &str, list: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches_pattern(text.as_bytes(), pattern.as_bytes()) => return false,
            None if matches_pattern(text.as_bytes(), pattern.as_bytes()) => found = true,
            _ => {}
        }
    }
    found
}

/// `*` is any text, `?` one byte. The last star alone is gone back to, so that no pattern takes long.
fn matches_pattern(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut in_pattern) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                star = Some((in_pattern, at));
                in_pattern += 1;
            }
            Some(wanted) if *wanted == b'?' || *wanted == text[at] => {
                at += 1;
                in_pattern += 1;
            }
            _ => {
                let Some((star_at, from)) = star else { return false };
                star = Some((star_at, from + 1));
                (in_pattern, at) = (star_at + 1, from + 1);
            }
        }
    }
    pattern[in_pattern..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{key::Signer as _, sample};

    fn allows(line: &str, principal: &str, namespace: &str, day: &str) -> bool {
        let key = sample::key(1);
        let roster = Roster::read(line.replace("KEY", &key.public_line()).as_bytes()).unwrap();
        let signing = SigningKey::read(&key.public_blob()).unwrap();
        roster.check(&signing, principal, namespace, read_time(day).unwrap()).is_ok()
    }

    #[test]
    fn lines_say_who_what_for_and_when() {
        for (line, holds) in [
            ("us KEY", true),
            ("uk,us KEY comment", true),
            ("\"us\" KEY", true),
            ("u* KEY", true),
            ("u*,!us KEY", false),
            ("uk KEY", false),
            ("us namespaces=\"position@assay\" KEY", true),
            ("us NAMESPACES=\"*@assay,x\" KEY", true),
            ("us namespaces=\"file\" KEY", false),
            ("us valid-after=\"20210101\",valid-before=\"20211231\" KEY", true),
            ("us valid-after=\"20210801\" KEY", false),
            ("us valid-before=\"20210718\" KEY", false),
            ("us valid-before=\"20210719\" KEY", true),
            ("us valid-after=\"yesterday\" KEY", false),
            ("us cert-authority KEY", false),
            ("us whatever KEY", false),
            ("us", false),
            ("# us KEY", false),
            ("us ssh-rsa AAAA\nus KEY", true),
        ] {
            assert_eq!(allows(line, "us", "position@assay", "20210719"), holds, "{line}");
        }
    }

    #[test]
    fn patterns() {
        for (text, list, holds) in [
            ("us", "*", true),
            ("", "*", true),
            ("abcabd", "*abd", true),
            ("abc", "a?c", true),
            ("ac", "a?c", false),
            ("aaaa", "a*a*a*b", false),
            ("us", "!us,*", false),
            ("us", "", false),
        ] {
            assert_eq!(matches_list(text, list), holds, "{text} {list}");
        }
    }
}
