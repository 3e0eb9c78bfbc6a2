//! Characters that are not what they seem, and text in which they are written out.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character steers, reorders or hides text instead of showing something.
pub fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether the text is of ASCII letters, signs and blanks only: nothing in it is dangerous. Most text is.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// The text on one line, with every dangerous character written out.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain(text) || !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    text.chars().for_each(|c| push_visible(c, &mut out));
    Cow::Owned(out)
}

/// Appends `c` as [`visible`] shows it.
pub fn push_visible(c: char, out: &mut String) {
    // Writing into a `String` cannot fail.
    let _ = match c {
        c if !is_dangerous(c) => out.write_char(c),
        c if u32::from(c) < 0x100 => write!(out, "\\x{:02x}", u32::from(c)),
        c => write!(out, "\\u{{{:x}}}", u32::from(c)),
    };
}
