//! JSON written straight into a buffer, for files of a line for each finding: the same bytes as by the formatter of
//! this room, without a tree of shapes in between.

use model::is_dangerous;
use std::fmt::Write as _;

/// Bytes that stand in a string as they are; behind ASCII, characters decide.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        plain[byte] = byte != b'"' as usize && byte != b'\\' as usize;
        byte += 1;
    }
    plain
};

/// Appends `text` as a string, in its quotes.
pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let bytes = text.as_bytes();
    let (mut done, mut at) = (0, 0);
    while at < bytes.len() {
        if PLAIN[bytes[at] as usize] {
            at += 1;
            continue;
        }
        let Some(c) = text[at..].chars().next() else { break };
        let end = at + c.len_utf8();
        if c.is_ascii() || is_dangerous(c) {
            out.push_str(&text[done..at]);
            push_escape(out, c);
            done = end;
        }
        at = end;
    }
    out.push_str(&text[done..]);
    out.push('"');
}

fn push_escape(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a `String` cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

/// Appends a string, or null.
pub(super) fn push_string_or_null(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => push_string(out, text),
        None => out.push_str("null"),
    }
}

/// Appends a list of strings.
pub(super) fn push_strings<'t>(out: &mut String, texts: impl IntoIterator<Item = &'t str>) {
    out.push('[');
    for (index, text) in texts.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_string(out, text);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::write_compact;

    #[test]
    fn strings_are_as_the_formatter_writes_them() {
        let every = (0..0x2_100).chain(0xfff0..0x1_0010).chain(0xe_0000..0xe_0100).filter_map(char::from_u32);
        let all: String = every.flat_map(|c| ['a', c, '"']).collect();
        for text in ["", "plain", r"C:\x\y", "\u{e9}\u{202e}\\", "\u{7f}\u{0}\u{1f}", &all] {
            let (mut own, mut theirs) = (String::new(), Vec::new());
            push_string(&mut own, text);
            write_compact(&text, &mut theirs).unwrap();
            assert_eq!(own.as_bytes(), theirs);
        }
    }

    #[test]
    fn lists() {
        let mut out = String::new();
        push_strings(&mut out, ["a", "b\n"]);
        push_strings(&mut out, []);
        push_string_or_null(&mut out, None);
        assert_eq!(out, r#"["a","b\n"][]null"#);
    }
}
