//! Text as rules compare it: one case folding, and patterns with wildcards.
//!
//! # Not here
//! What a pattern is for; the naive matcher compares in its own way.

use memchr::memmem;
use model::Value;

/// The folding: the simple lower-case mapping of one character. A character
/// whose lower case is more than one character stays as it is, so that a
/// folded text has as many characters as it had.
pub(crate) fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// `text`, folded.
pub(crate) fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// Appends `text`, folded, as UTF-8.
fn fold_into(text: &str, out: &mut Vec<u8>) {
    if text.is_ascii() {
        out.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
        return;
    }
    let mut buffer = [0; 4];
    for c in text.chars() {
        out.extend_from_slice(fold_char(c).encode_utf8(&mut buffer).as_bytes());
    }
}

/// Appends the folded text of `value` as UTF-8; `spare` is room for values
/// that have to be rendered first.
pub(crate) fn fold_value(value: &Value<'_>, out: &mut Vec<u8>, spare: &mut String) {
    match value {
        Value::Utf8(text) => fold_into(text, out),
        Value::Utf16(bytes) => fold_utf16(bytes, out),
        Value::Absent | Value::Empty | Value::Literal => {}
        other => {
            spare.clear();
            other.write_text(spare);
            fold_into(spare, out);
        }
    }
}

/// UTF-16 units folded at once.
const FOLDED_AT_ONCE: usize = 32;

/// Appends a block as if it were ASCII, folded; returns all its units' bits, which tell whether it is.
#[inline]
fn fold_ascii(block: &[u8; 2 * FOLDED_AT_ONCE], out: &mut Vec<u8>) -> u16 {
    let (pairs, _) = block.as_chunks::<2>();
    let mut folded = [0; FOLDED_AT_ONCE];
    let mut seen = 0;
    for (own, pair) in folded.iter_mut().zip(pairs) {
        let unit = u16::from_le_bytes(*pair);
        seen |= unit;
        *own = (unit as u8).to_ascii_lowercase();
    }
    out.extend_from_slice(&folded);
    seen
}

fn fold_utf16(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    // Blocks of a length that the compiler knows, the last one filled up: plain ASCII goes by whole
    // vectors, and most values are not longer than one or two.
    let (blocks, rest) = bytes.as_chunks::<{ 2 * FOLDED_AT_ONCE }>();
    let mut seen = 0;
    for block in blocks {
        seen |= fold_ascii(block, out);
    }
    if !rest.is_empty() {
        let mut last = [0; 2 * FOLDED_AT_ONCE];
        last[..rest.len()].copy_from_slice(rest);
        seen |= fold_ascii(&last, out);
    }
    if seen < 0x80 {
        out.truncate(start + bytes.len() / 2);
        return;
    }
    out.truncate(start);
    let units = || bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let mut buffer = [0; 4];
    for unit in char::decode_utf16(units()) {
        let c = fold_char(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }
}

/// One part of a compiled pattern; texts are folded unless the pattern is cased.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Piece {
    /// This text.
    Text(Vec<u8>),
    /// Any number of characters, none too.
    Any,
    /// One character.
    One,
}

/// Whether all of `text` (UTF-8) fits `pieces`. Looks for the leftmost place of
/// each run between two `Any`, so it never goes back further than one run.
pub(crate) fn fits(pieces: &[Piece], text: &[u8]) -> bool {
    let any = |piece: &Piece| *piece == Piece::Any;
    let (Some(first), Some(last)) = (pieces.iter().position(any), pieces.iter().rposition(any)) else {
        return run_at(pieces, text, 0) == Some(text.len());
    };
    let Some(mut at) = run_at(&pieces[..first], text, 0) else {
        return false;
    };
    for run in pieces.get(first + 1..last).unwrap_or_default().split(any) {
        match find_run(run, text, at) {
            Some(end) => at = end,
            None => return false,
        }
    }
    ends_with(&pieces[last + 1..], text, at)
}

/// Where `run` ends when it begins at `at`.
fn run_at(run: &[Piece], text: &[u8], mut at: usize) -> Option<usize> {
    for piece in run {
        match piece {
            Piece::Text(literal) => {
                at = text.get(at..)?.starts_with(literal).then_some(at + literal.len())?;
            }
            Piece::One => at = next_char(text, at)?,
            Piece::Any => {}
        }
    }
    Some(at)
}

/// The end of the leftmost `run` at or after `at`.
fn find_run(run: &[Piece], text: &[u8], mut at: usize) -> Option<usize> {
    match run {
        [] => return Some(at),
        [Piece::Text(literal)] => return Some(at + memmem::find(text.get(at..)?, literal)? + literal.len()),
        _ => {}
    }
    loop {
        if let Some(end) = run_at(run, text, at) {
            return Some(end);
        }
        at = next_char(text, at)?;
    }
}

/// Whether `run` stands at the very end of `text`, not before `at`.
fn ends_with(run: &[Piece], text: &[u8], at: usize) -> bool {
    let mut end = text.len();
    for piece in run.iter().rev() {
        let begin = match piece {
            Piece::Text(literal) => {
                if !text[..end].ends_with(literal) {
                    return false;
                }
                end - literal.len()
            }
            Piece::One => match (0..end).rev().find(|&i| is_char_start(text[i])) {
                Some(begin) => begin,
                None => return false,
            },
            Piece::Any => end,
        };
        end = begin;
    }
    end >= at
}

fn next_char(text: &[u8], at: usize) -> Option<usize> {
    if at >= text.len() {
        return None;
    }
    let rest = &text[at + 1..];
    Some(at + 1 + rest.iter().position(|&byte| is_char_start(byte)).unwrap_or(rest.len()))
}

/// How many characters `text` has.
pub(crate) fn count_chars(text: &[u8]) -> usize {
    text.iter().filter(|byte| is_char_start(**byte)).count()
}

fn is_char_start(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(pattern: &str) -> Vec<Piece> {
        let mut out: Vec<Piece> = Vec::new();
        for c in pattern.chars() {
            match (c, out.last_mut()) {
                ('*', _) => out.push(Piece::Any),
                ('?', _) => out.push(Piece::One),
                (c, Some(Piece::Text(text))) => text.extend(c.to_string().bytes()),
                (c, _) => out.push(Piece::Text(c.to_string().into_bytes())),
            }
        }
        out
    }

    #[test]
    fn wildcards() {
        let yes = [
            ("", ""),
            ("*", ""),
            ("*", "x"),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*c", "abbc"),
            ("a*b*c", "aXbYbc"),
            ("?", "ä"),
            ("*?", "ä"),
            ("a?c*", "abc"),
            ("*ab*ab", "abab"),
            ("*a?c", "abcabc"),
            ("*x?*y", "xxy"),
        ];
        let no =
            [("", "x"), ("?", ""), ("a*a", "a"), ("*ab*ab", "ab"), ("a?c", "ac"), ("a", "ab"), ("*a?", "a")];
        for (pattern, text) in yes {
            assert!(fits(&pieces(pattern), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in no {
            assert!(!fits(&pieces(pattern), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn one_folding() {
        assert_eq!(fold("ÄBC\u{130}ẞ\u{212a}"), "äbc\u{130}ßk");
        let mut out = Vec::new();
        fold_value(&Value::Utf16(&[0x41, 0, 0xc4, 0, 0, 0xd8]), &mut out, &mut String::new());
        assert_eq!(out, "aä\u{fffd}".as_bytes());
        for length in [0, 1, 31, 32, 33, 64, 65, 100] {
            for end in ["", "Z", "Ä", "\u{1f600}X"] {
                let text = format!("{}{end}", "X@[".repeat(length).split_at(length).0);
                let mut units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                for odd in [false, true] {
                    units.extend(odd.then_some(b'X'));
                    out.clear();
                    fold_value(&Value::Utf16(&units), &mut out, &mut String::new());
                    assert_eq!(out, fold(&text).as_bytes());
                }
            }
        }
    }
}
