//! Paths of evidence as text: one spelling for each item, whatever bytes its
//! name has, and no name that could lead out of its archive.

use std::path::Path;

/// Stands between an archive and its member.
pub(crate) const MEMBER: char = '!';

/// A file name as text: `!` and bytes that are no UTF-8 are percent-escaped
/// (`%21`, `%FF`). `%` itself stays, so that the percent-encoded names which
/// collectors write remain readable.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                MEMBER => out.push_str("%21"),
                other => out.push(other),
            }
        }
        for byte in chunk.invalid() {
            push_escaped(*byte, &mut out);
        }
    }
    out
}

fn push_escaped(byte: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// A path of this machine as text, with `/` between its parts.
pub(crate) fn of_file(path: &Path) -> String {
    let text = escape(path.as_os_str().as_encoded_bytes());
    if std::path::MAIN_SEPARATOR == '\\' { text.replace('\\', "/") } else { text }
}

/// `folder` joined with the name of what lies in it.
pub(crate) fn join(folder: &str, name: &str) -> String {
    let folder = folder.trim_end_matches('/');
    format!("{folder}/{name}")
}

/// A member's path below its archive, and whether its name tried to leave it
/// (absolute, with a drive, or with `..`).
///
/// `\` counts as `/`. A leading `/` is dropped, `..` becomes `%2E%2E` and the
/// colon of a drive `%3A`: nothing is ever written under such a name, but
/// whoever reads a report may use it.
pub(crate) fn of_member(name: &[u8]) -> (String, bool) {
    let text = escape(name).replace('\\', "/");
    let mut leaves = text.starts_with('/');
    let mut parts: Vec<String> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                leaves = true;
                parts.push("%2E%2E".into());
            }
            drive if parts.is_empty() && is_drive(drive) => {
                leaves = true;
                parts.push(drive.replacen(':', "%3A", 1));
            }
            other => parts.push(other.into()),
        }
    }
    if parts.is_empty() {
        parts.push("%2E".into());
    }
    (parts.join("/"), leaves)
}

fn is_drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &[u8], expect: &str, leaves: bool) {
        assert_eq!(of_member(name), (expect.to_string(), leaves));
    }

    #[test]
    fn names_stay_in_their_archive() {
        check(b"C/Windows/x.evtx", "C/Windows/x.evtx", false);
        check(b"./a//b", "a/b", false);
        check(b"a\\b\\c", "a/b/c", false);
        check(b"../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd", true);
        check(b"/etc/passwd", "etc/passwd", true);
        check(b"C:\\Windows\\x", "C%3A/Windows/x", true);
        check(b"\\\\server\\share\\x", "server/share/x", true);
        check(b"", "%2E", false);
    }

    #[test]
    fn names_are_text_and_unambiguous() {
        check(b"a!b", "a%21b", false);
        check(b"x\xff\x80.log", "x%FF%80.log", false);
        check(b"Sysmon%254Operational.evtx", "Sysmon%254Operational.evtx", false);
        check("Übersicht.log".as_bytes(), "Übersicht.log", false);
    }
}
