//! Words: how text is cut, the same for what lists hold and for what records hold.
//!
//! A word is a longest run of letters, digits, `.`, `-`, `_`, `~`, `$` and of
//! everything that is no ASCII. Addresses, hashes, domains and the last part
//! of a path are whole words, so that none is ever found within another one.

pub(crate) const WORD: u8 = 1;
pub(crate) const HEX: u8 = 2;
pub(crate) const DIGIT: u8 = 4;
pub(crate) const DOT: u8 = 8;
pub(crate) const COLON: u8 = 16;
pub(crate) const SEPARATOR: u8 = 32;
pub(crate) const PERCENT: u8 = 64;

/// For each byte what it is.
pub(crate) static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        table[at] = match byte {
            b'0'..=b'9' => WORD | HEX | DIGIT,
            b'a'..=b'f' | b'A'..=b'F' => WORD | HEX,
            b'g'..=b'z' | b'G'..=b'Z' | b'-' | b'_' | b'~' | b'$' | 0x80.. => WORD,
            b'.' => WORD | DOT,
            b':' => COLON,
            b'/' | b'\\' => SEPARATOR,
            b'%' => PERCENT,
            _ => 0,
        };
        at += 1;
    }
    table
}

/// Whether a byte belongs to words.
pub(crate) fn is_word(byte: u8) -> bool {
    CLASS[usize::from(byte)] & WORD != 0
}

/// Whether all bytes have all of `class`.
pub(crate) fn all(text: &[u8], class: u8) -> bool {
    text.iter().all(|byte| CLASS[usize::from(*byte)] & class != 0)
}

/// Undoes percent escapes, once; `None` when there are none.
pub(crate) fn unescape(text: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut at, mut any) = (0, false);
    while at < text.len() {
        if let (b'%', Some(high), Some(low)) = (text[at], digit(at + 1), digit(at + 2)) {
            out.push((high * 16 + low) as u8);
            (at, any) = (at + 3, true);
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    any
}

/// Paths as they are compared: `\` between the parts, never two of them.
pub(crate) fn write_path(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    for byte in text {
        match byte {
            b'/' | b'\\' if out.last() == Some(&b'\\') => {}
            b'/' | b'\\' => out.push(b'\\'),
            _ => out.push(byte.to_ascii_lowercase()),
        }
    }
}

/// A URL as it is compared: without scheme, user, fragment, a scheme's own port and a
/// lone `/`; percent escapes undone, in lower case. `after` begins behind `://`.
pub(crate) fn write_url(is_tls: bool, after: &[u8], out: &mut Vec<u8>) {
    let after = after.split(|byte| *byte == b'#').next().unwrap_or_default();
    let host_end = after.iter().position(|byte| matches!(byte, b'/' | b'?' | b'\\')).unwrap_or(after.len());
    let (authority, rest) = after.split_at(host_end);
    let host = authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    let port: &[u8] = if is_tls { b":443" } else { b":80" };
    let host = host.strip_suffix(port).unwrap_or(host);
    let host = host.strip_suffix(b".").unwrap_or(host);
    let rest: &[u8] = if rest == b"/" { b"" } else { rest };
    unescape(&[host, rest].concat(), out);
    out.make_ascii_lowercase();
}

/// Whether a URL in running text ends before this byte.
pub(crate) fn ends_url(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'|' | b'^' | b'`' | b'{' | b'}')
}

/// What stands behind a URL in running text more often than in it.
pub(crate) fn trim_url(mut url: &[u8]) -> &[u8] {
    while let [before @ .., b'.' | b',' | b';' | b':' | b'!' | b'?' | b')' | b']'] = url {
        url = before;
    }
    url
}

/// A user agent as it is compared: IIS writes `+` for blanks.
pub(crate) fn write_agent(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    for byte in text {
        let byte = if *byte == b'+' { b' ' } else { byte.to_ascii_lowercase() };
        if byte != b' ' || !matches!(out.last(), None | Some(b' ')) {
            out.push(byte);
        }
    }
    if out.last() == Some(&b' ') {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let mut out = Vec::new();
        assert!(unescape(b"a%2Fb%zz%", &mut out));
        assert_eq!(out, b"a/b%zz%");
        assert!(!unescape(b"100%", &mut out));
    }

    #[test]
    fn urls() {
        #[track_caller]
        fn check(is_tls: bool, after: &str, expect: &str) {
            let mut out = Vec::new();
            write_url(is_tls, after.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expect);
        }
        check(false, "u:p@Evil.example:80/", "evil.example");
        check(true, "evil.example.:443/A%20b?c#d", "evil.example/a b?c");
        check(false, "evil.example:8080/a/", "evil.example:8080/a/");
    }

    #[test]
    fn paths_and_agents() {
        let mut out = Vec::new();
        write_path(b"C:\\\\Windows//Temp\\X.exe", &mut out);
        assert_eq!(out, b"c:\\windows\\temp\\x.exe");
        write_agent(b" Mozilla/5.0+(X;++Y) ", &mut out);
        assert_eq!(out, b"mozilla/5.0 (x; y)");
    }
}
