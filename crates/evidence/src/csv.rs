//! Comma separated values (RFC 4180), as Exchange writes them, and cells of
//! tables with another separator.
//!
//! # Not here
//! What the values mean, and what the frame around them says.

use crate::Limits;
use memchr::{memchr, memchr2_iter};
use std::ops::Range;

/// One record as it stands in the block; more than one physical line when a
/// quoted value holds line ends.
pub(crate) struct RecordBytes<'a> {
    /// Without the line end.
    pub(crate) bytes: &'a [u8],
    /// Where the next one begins.
    pub(crate) next: usize,
    /// Physical lines that it takes.
    pub(crate) lines: u64,
    /// Whether a quote in it never closes.
    pub(crate) open: bool,
}

/// The record that begins at `start`; `None` when there is none, or its end
/// is not in the block and more bytes follow (`ended` is false).
pub(crate) fn record_at<'a>(
    block: &'a [u8],
    start: usize,
    ended: bool,
    limits: &Limits,
) -> Option<RecordBytes<'a>> {
    let rest = block.get(start..).filter(|rest| !rest.is_empty())?;
    let give = |end: usize, lines: u64, open: bool| {
        let next = start + (end + 1).min(rest.len());
        let bytes = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        Some(RecordBytes { bytes, next, lines, open })
    };
    let mut quoted = false;
    let mut lines = 1;
    // Where the record ends if its open quote turns out never to close.
    let mut first_end = None;
    let mut skip_to = 0;
    for at in memchr2_iter(b'"', b'\n', rest) {
        if at < skip_to {
            continue;
        }
        match (rest[at], quoted) {
            (b'\n', false) => return give(at, lines, false),
            (b'\n', true) => {
                let end = *first_end.get_or_insert(at);
                if begins_record(&rest[at + 1..]) {
                    return give(end, 1, true);
                }
                // The next line's beginning decides, and is not here yet.
                if !ended && rest.len() - at <= LONGEST_BEGINNING {
                    return None;
                }
                lines += 1;
                if lines > limits.record_lines_max as u64 || at > limits.line_bytes_max {
                    return give(end, 1, true);
                }
            }
            // Only a value that begins with a quote is quoted.
            (_, false) => quoted = at == 0 || rest[at - 1] == b',',
            (_, true) if rest.get(at + 1) == Some(&b'"') => skip_to = at + 2,
            (_, true) => quoted = false,
        }
    }
    match (ended, quoted, first_end) {
        (false, ..) => None,
        (true, true, Some(end)) => give(end, 1, true),
        (true, open, _) => give(rest.len(), lines, open),
    }
}

/// Bytes that [`begins_record`] must see.
const LONGEST_BEGINNING: usize = 24;

/// Whether a line begins as records (a time) and the lines of the frame do.
fn begins_record(line: &[u8]) -> bool {
    const FRAME: [&[u8]; 5] = [b"#Software:", b"#Version:", b"#Log-type:", b"#Date:", b"#Fields:"];
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if line.first() == Some(&b'#') {
        return FRAME.iter().any(|name| line.starts_with(name));
    }
    let pattern = b"dddd-dd-ddTdd:dd:dd";
    let matches = |(byte, wanted): (&u8, &u8)| match wanted {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    };
    line.len() > pattern.len() && line.iter().zip(pattern).all(matches)
}

/// Where a value's text is.
pub(crate) enum Cell {
    /// In the line.
    Line(Range<usize>),
    /// In the buffer of unquoted values.
    Unquoted(Range<usize>),
}

impl Cell {
    /// The value's text.
    pub(crate) fn text<'a>(&self, line: &'a str, unquoted: &'a str) -> &'a str {
        match self {
            Cell::Line(range) => &line[range.clone()],
            Cell::Unquoted(range) => &unquoted[range.clone()],
        }
    }
}

/// Splits a record into at most `keep` cells, which `separator` parts, and gives
/// how many there are (up to the limit of columns).
pub(crate) fn split(
    line: &str,
    separator: u8,
    keep: usize,
    limits: &Limits,
    cells: &mut Vec<Cell>,
    unquoted: &mut String,
) -> usize {
    let bytes = line.as_bytes();
    let mut found = 0;
    let mut at = 0;
    loop {
        let (cell, end) = if bytes.get(at) == Some(&b'"') {
            quoted_cell(line, separator, at, unquoted)
        } else {
            let end = memchr(separator, &bytes[at..]).map_or(bytes.len(), |comma| at + comma);
            (Cell::Line(at..end), end)
        };
        if found < keep {
            cells.push(cell);
        }
        found += 1;
        if end >= bytes.len() || found > limits.columns_max {
            return found;
        }
        at = end + 1;
    }
}

/// The quoted value that begins at `start`, and where its separator stands.
fn quoted_cell(line: &str, separator: u8, start: usize, unquoted: &mut String) -> (Cell, usize) {
    let bytes = line.as_bytes();
    let begin = unquoted.len();
    let mut at = start + 1;
    while let Some(quote) = memchr(b'"', &bytes[at..]).map(|quote| at + quote) {
        if bytes.get(quote + 1) == Some(&b'"') {
            unquoted.push_str(&line[at..=quote]);
            at = quote + 2;
            continue;
        }
        let end = memchr(separator, &bytes[quote + 1..]).map_or(bytes.len(), |comma| quote + 1 + comma);
        if unquoted.len() == begin && end == quote + 1 {
            return (Cell::Line(at..quote), end);
        }
        unquoted.push_str(&line[at..quote]);
        // Text after the closing quote is against the rules, and not ours to drop.
        unquoted.push_str(&line[quote + 1..end]);
        return (Cell::Unquoted(begin..unquoted.len()), end);
    }
    unquoted.push_str(&line[at..]);
    (Cell::Unquoted(begin..unquoted.len()), bytes.len())
}

/// The names of a header line.
pub(crate) fn names(line: &[u8], max: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(line);
    let names = text.split(',').take(max);
    names.map(|name| name.trim().trim_matches('"').to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str) -> Vec<String> {
        let (mut cells, mut unquoted) = (Vec::new(), String::new());
        let found = split(line, b',', 100, &Limits::default(), &mut cells, &mut unquoted);
        assert_eq!(found, cells.len());
        cells.iter().map(|cell| cell.text(line, &unquoted).to_string()).collect()
    }

    #[test]
    fn cells_follow_rfc_4180() {
        assert_eq!(cells("a,b,,c"), ["a", "b", "", "c"]);
        assert_eq!(cells(""), [""]);
        assert_eq!(cells("a,"), ["a", ""]);
        assert_eq!(cells(r#""a,b","say ""hi""","#), ["a,b", r#"say "hi""#, ""]);
        assert_eq!(cells(r#"a"b,"c"d,"e"#), [r#"a"b"#, "cd", "e"]);
    }

    #[track_caller]
    fn check(block: &str, expect: &[(&str, u64, bool)]) {
        let limits = Limits::default();
        let mut at = 0;
        let mut found = Vec::new();
        while let Some(record) = record_at(block.as_bytes(), at, true, &limits) {
            found.push((std::str::from_utf8(record.bytes).unwrap(), record.lines, record.open));
            at = record.next;
        }
        assert_eq!(found, expect);
        assert_eq!(at, block.len());
    }

    #[test]
    fn records_end_at_line_ends_outside_quotes() {
        check("a,b\r\nc\n", &[("a,b", 1, false), ("c", 1, false)]);
        check("a,\"x\ny\",b\nc", &[("a,\"x\ny\",b", 2, false), ("c", 1, false)]);
        check("a\"b\nc\n", &[("a\"b", 1, false), ("c", 1, false)]);
        check("a,\"\"\"x\"\"\"\nb", &[("a,\"\"\"x\"\"\"", 1, false), ("b", 1, false)]);
    }

    #[test]
    fn an_open_quote_ends_at_the_next_record() {
        let next = "2021-03-04T11:20:05.123Z,b";
        check(&format!("a,\"x\n{next}\n"), &[("a,\"x", 1, true), (next, 1, false)]);
        check("a,\"x\n#Software: y\n", &[("a,\"x", 1, true), ("#Software: y", 1, false)]);
        check("a,\"x\nb\n", &[("a,\"x", 1, true), ("b", 1, false)]);
    }

    #[test]
    fn a_record_without_its_end_waits() {
        let limits = Limits::default();
        assert!(record_at(b"a,b", 0, false, &limits).is_none());
        assert!(record_at(b"a,\"b\n", 0, false, &limits).is_none());
        assert!(record_at(b"a,b\n", 0, false, &limits).is_some());
    }
}
