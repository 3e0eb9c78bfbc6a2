//! Values as lists write them, brought into the one form in which they are compared.
//!
//! Lists defang (`hxxp`, `[.]`), quote, add ports and dots. What cannot be told
//! apart from its surroundings, or would hit everything, is refused with a reason.

use crate::kind::Kind;
use crate::words::{self, DIGIT, DOT, HEX};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

/// Parts of a path, told by their words, that are looked at.
pub(crate) const PATH_WORDS_MAX: usize = 64;
/// Bytes of a path, a URL or a user agent.
pub(crate) const TEXT_BYTES_MAX: usize = 2_048;
const PARAMETER_BYTES_MAX: usize = 128;
/// Bytes of a domain.
pub(crate) const DOMAIN_BYTES_MAX: usize = 253;
/// Blocks wider than these are no indicator but a part of the net.
const NETWORK_BITS_MIN: (u8, u8) = (8, 16);

/// Endings that tell a file name from a domain.
const FILE_ENDINGS: &[&str] = &[
    "7z", "asax", "ascx", "ashx", "asmx", "asp", "aspx", "bak", "bat", "bin", "cab", "cer", "cfg", "chm",
    "class", "cmd", "config", "cpl", "css", "csv", "dat", "db", "dll", "dmp", "doc", "docm", "docx", "dotm",
    "elf", "eml", "evtx", "exe", "gif", "gz", "hta", "htm", "html", "img", "inf", "ini", "iso", "jar",
    "jpeg", "jpg", "js", "jse", "json", "jsp", "jspx", "lnk", "log", "msi", "ocx", "odt", "one", "ost",
    "pdb", "pdf", "php", "png", "ppt", "pptx", "ps1", "psd1", "psm1", "pst", "rar", "reg", "rtf", "scr",
    "sct", "svg", "sys", "tar", "tmp", "ttf", "txt", "url", "vbe", "vbs", "vhd", "vhdx", "war", "wsf", "xls",
    "xlsm", "xlsx", "xml", "xsl", "yar", "yml",
];
/// Endings that are of files as well as of domains.
const TWOFOLD_ENDINGS: &[&str] = &["app", "cc", "mov", "pl", "ps", "py", "rs", "sh", "so", "zip"];

const UNTOLD: Refusal =
    "not told apart by its shape; its kind may stand before it (`path: …`, `user-agent: …`)";

/// Hashes of no bytes at all: every empty file has them.
const EMPTY: [&str; 3] = [
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];

/// Folders that Windows calls by a variable, and where they are; those of a
/// user by what stays the same.
const VARIABLES: &[(&str, &str)] = &[
    ("%allusersprofile%\\", "c:\\programdata\\"),
    ("%appdata%\\", "appdata\\roaming\\"),
    ("%commonprogramfiles%\\", "c:\\program files\\common files\\"),
    ("%localappdata%\\", "appdata\\local\\"),
    ("%programdata%\\", "c:\\programdata\\"),
    ("%programfiles%\\", "c:\\program files\\"),
    ("%programfiles(x86)%\\", "c:\\program files (x86)\\"),
    ("%public%\\", "c:\\users\\public\\"),
    ("%systemdrive%\\", "c:\\"),
    ("%systemroot%\\", "c:\\windows\\"),
    ("%temp%\\", "temp\\"),
    ("%tmp%\\", "temp\\"),
    ("%userprofile%\\", ""),
    ("%windir%\\", "c:\\windows\\"),
];

/// A value in the form in which it is compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Normal {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
}

/// Why a value is not taken.
pub(crate) type Refusal = &'static str;

type Parsed = Result<Normal, Refusal>;

fn normal(kind: Kind, bytes: impl Into<Vec<u8>>) -> Parsed {
    Ok(Normal { kind, bytes: bytes.into() })
}

/// A value that is said to be of `kind`.
///
/// # Errors
/// When it does not have the shape of that kind, or names everything.
pub(crate) fn parse(kind: Kind, text: &str) -> Parsed {
    let text = &*refang(text);
    match kind {
        Kind::Address | Kind::Network => address(text).unwrap_or(Err("no address")),
        Kind::Domain => match address(text) {
            Some(address) => address,
            None => domain(text),
        },
        Kind::Url => url(text),
        Kind::Md5 | Kind::Imphash => hash(kind, text, 32),
        Kind::Sha1 => hash(kind, text, 40),
        Kind::Sha256 => hash(kind, text, 64),
        Kind::Path | Kind::FileName => path(text),
        Kind::UserAgent => agent(text),
        Kind::Parameter => parameter(text),
        Kind::All => Err("no value of its own"),
    }
}

/// A value of which nobody says what it is.
///
/// # Errors
/// When its shape does not tell.
pub(crate) fn guess(text: &str) -> Parsed {
    let text = &*refang(text);
    if text.len() >= 32 && words::all(text.as_bytes(), HEX) {
        return match text.len() {
            32 => hash(Kind::Md5, text, 32),
            40 => hash(Kind::Sha1, text, 40),
            64 => hash(Kind::Sha256, text, 64),
            _ => Err("a hash that is neither MD5, SHA-1 nor SHA-256"),
        };
    }
    if let Some(address) = address(text) {
        return address;
    }
    if text.contains("://") {
        return url(text);
    }
    if is_path(text) {
        return path(text);
    }
    if let Some((host, _)) = text.split_once('/') {
        return match guess_name(host.split(':').next().unwrap_or_default()) {
            Ok(host) if host.kind == Kind::Domain => url(text),
            _ if text.starts_with("Mozilla/") => agent(text),
            _ => Err(UNTOLD),
        };
    }
    guess_name(text)
}

/// Prose has blanks and quotes; a path that has blanks begins like one.
fn is_path(text: &str) -> bool {
    let is_drive =
        matches!(text.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    let is_rooted = is_drive || text.starts_with(['\\', '/', '%']);
    let is_plain = !text.contains(['"', '<', '>', '|']);
    is_plain && (is_rooted || text.contains('\\') && !text.contains(char::is_whitespace))
}

/// A domain or a file name.
fn guess_name(text: &str) -> Parsed {
    if text.contains('@') {
        return Err("an e-mail address; they are not matched");
    }
    let ending = text.trim_end_matches('.').rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending {
        // Prose may end like a file.
        _ if text.contains(char::is_whitespace) => Err(UNTOLD),
        Some(ending) if FILE_ENDINGS.contains(&ending.as_str()) => path(text),
        Some(ending) if TWOFOLD_ENDINGS.contains(&ending.as_str()) => {
            Err("a domain or a file name: name the kind before it (`domain: …`, `file-name: …`)")
        }
        Some(ending) if ending.chars().all(char::is_alphabetic) || ending.starts_with("xn--") => domain(text),
        _ => Err(UNTOLD),
    }
}

/// Undoes what keeps people from clicking, and quotes.
pub(crate) fn refang(text: &str) -> Cow<'_, str> {
    let text = text.trim().trim_matches(['"', '\'', '`']).trim();
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|own| own.eq_ignore_ascii_case(scheme));
    let scheme =
        [("hxxp", "http"), ("h**p", "http"), ("fxp", "ftp")].into_iter().find(|(own, _)| begins(own));
    if scheme.is_none() && !text.contains(['[', '(', '{']) {
        return Cow::Borrowed(text);
    }
    let mut plain = match scheme {
        Some((own, meant)) => format!("{meant}{}", &text[own.len()..]),
        None => text.to_owned(),
    };
    for (own, meant) in [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[://]", "://"),
        ("[:]", ":"),
        ("[/]", "/"),
        ("[@]", "@"),
    ] {
        if plain.contains(own) {
            plain = plain.replace(own, meant);
        }
    }
    Cow::Owned(plain)
}

/// `None` when the text has not the shape of an address or a block; a port
/// behind it is dropped.
fn address(text: &str) -> Option<Parsed> {
    let first = text.bytes().next()?;
    let may_be = first.is_ascii_hexdigit() || matches!(first, b':' | b'[');
    if !may_be || !text.contains(['.', ':']) {
        return None;
    }
    if let Some((address, bits)) = text.split_once('/') {
        return Some(network(parse_ip(address)?, bits.parse().ok()?));
    }
    let address = parse_ip(text).or_else(|| {
        let (host, port) = text.rsplit_once([':', '|'])?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        port.parse::<u16>().ok()?;
        // Without brackets a last group of an IPv6 address would pass for a port.
        host.parse().ok()
    })?;
    let address = address.to_canonical();
    if address.is_unspecified() || address.is_loopback() || address == IpAddr::from([255; 4]) {
        return Some(Err("an address that every machine has"));
    }
    Some(normal(Kind::Address, octets(address)))
}

fn parse_ip(text: &str) -> Option<IpAddr> {
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    text.trim_end_matches('.').parse().ok()
}

/// The bytes of an address: 4 or 16.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn network(address: IpAddr, bits: u8) -> Parsed {
    let (width, least) = match address {
        IpAddr::V4(_) => (32, NETWORK_BITS_MIN.0),
        IpAddr::V6(_) => (128, NETWORK_BITS_MIN.1),
    };
    if bits > width {
        return Err("no block of addresses: more bits than an address has");
    }
    if bits < least {
        return Err("a block of addresses that is too wide to mean anything");
    }
    let mut bytes = octets(address);
    if bits == width {
        return normal(Kind::Address, bytes);
    }
    mask(&mut bytes, bits);
    bytes.insert(0, bits);
    normal(Kind::Network, bytes)
}

/// Clears all but the first `bits` bits.
pub(crate) fn mask(bytes: &mut [u8], bits: u8) {
    for (index, byte) in bytes.iter_mut().enumerate() {
        let kept = usize::from(bits).saturating_sub(index * 8).min(8);
        *byte &= (0xff00u16 >> kept) as u8;
    }
}

fn domain(text: &str) -> Parsed {
    let text = text.strip_prefix("*.").unwrap_or(text);
    let text = text.split_once([':', '|']).map_or(text, |(host, _)| host);
    let name = text.trim_matches('.').to_lowercase();
    let labels = || name.split('.');
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| words::is_word(byte) && !matches!(byte, b'~' | b'$'))
    };
    if name.len() > DOMAIN_BYTES_MAX || !labels().all(is_label) {
        return Err("no domain");
    }
    if labels().count() < 2 {
        return Err("a name of one part, which would hit too much");
    }
    if labels().next_back().is_some_and(|last| words::all(last.as_bytes(), DIGIT)) {
        return Err("no domain: its last part is a number");
    }
    normal(Kind::Domain, name)
}

fn url(text: &str) -> Parsed {
    let (is_tls, after) = match text.split_once("://") {
        Some((scheme, after)) => (scheme.eq_ignore_ascii_case("https"), after),
        None if text.starts_with(['/', '\\']) => return path(text),
        None => (false, text),
    };
    let after = words::trim_url(after.as_bytes());
    if after.len() > TEXT_BYTES_MAX {
        return Err("longer than URLs that are matched (2,048 bytes)");
    }
    if after.iter().any(|byte| words::ends_url(*byte)) {
        return Err("no URL: a blank or a quote in it");
    }
    let mut bytes = Vec::new();
    words::write_url(is_tls, after, &mut bytes);
    let host = bytes.split(|byte| matches!(byte, b'/' | b'?')).next().unwrap_or_default();
    if host.is_empty() || !host.iter().any(|byte| matches!(byte, b'.' | b':')) {
        return Err("no URL: no host in it");
    }
    normal(Kind::Url, bytes)
}

fn hash(kind: Kind, text: &str, digits: usize) -> Parsed {
    if text.len() != digits || !words::all(text.as_bytes(), HEX) {
        return Err(match digits {
            32 => "no hash of 32 hex digits",
            40 => "no hash of 40 hex digits",
            _ => "no hash of 64 hex digits",
        });
    }
    if EMPTY.iter().any(|empty| empty.eq_ignore_ascii_case(text)) {
        return Err("the hash of an empty file");
    }
    normal(kind, hex_bytes(text.as_bytes()))
}

/// The bytes that hex digits say.
pub(crate) fn hex_bytes(digits: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
    digits.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn path(text: &str) -> Parsed {
    if text.contains(['*', '?']) {
        return Err("a pattern; only whole paths are matched");
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err("longer than paths that are matched (2,048 bytes)");
    }
    let text =
        [r"\\?\", r"\??\", r"\\.\"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let mut bytes = Vec::new();
    words::write_path(text.to_lowercase().as_bytes(), &mut bytes);
    if let Some((variable, folder)) = VARIABLES.iter().find(|(name, _)| bytes.starts_with(name.as_bytes())) {
        bytes.splice(..variable.len(), folder.bytes());
    }
    while let [.., b'\\' | b'.'] = bytes.as_slice() {
        bytes.pop();
    }
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return Err("no path") };
    if matches!(bytes.as_slice(), [_, b':']) {
        return Err("a whole drive");
    }
    if !words::is_word(*last)
        || !(words::is_word(*first)
            || bytes.starts_with(b"\\") && bytes.get(1).is_some_and(|byte| words::is_word(*byte)))
    {
        return Err(
            "begins or ends in a sign by which text is cut, so it cannot be told from its surroundings",
        );
    }
    if word_count(&bytes) > PATH_WORDS_MAX {
        return Err("of more words than paths that are matched (64)");
    }
    let kind = if bytes.contains(&b'\\') { Kind::Path } else { Kind::FileName };
    normal(kind, bytes)
}

/// How many words a text has.
pub(crate) fn word_count(text: &[u8]) -> usize {
    text.chunk_by(|left, right| words::is_word(*left) == words::is_word(*right))
        .filter(|run| words::is_word(run[0]))
        .count()
}

fn agent(text: &str) -> Parsed {
    if text.len() > TEXT_BYTES_MAX {
        return Err("longer than user agents that are matched (2,048 bytes)");
    }
    let mut bytes = Vec::new();
    words::write_agent(text.as_bytes(), &mut bytes);
    if bytes.is_empty() { Err("empty") } else { normal(Kind::UserAgent, bytes) }
}

fn parameter(text: &str) -> Parsed {
    let name = text.trim_start_matches('?').trim_end_matches('=').to_ascii_lowercase();
    if name.is_empty() || name.len() > PARAMETER_BYTES_MAX || name.contains(['&', '=', ';', '?']) {
        return Err("no name of a parameter");
    }
    normal(Kind::Parameter, name)
}

/// A value for people.
pub(crate) fn show(kind: Kind, bytes: &[u8]) -> String {
    match kind {
        Kind::Address => ip(bytes).map_or_else(String::new, |address| address.to_string()),
        Kind::Network => {
            let (bits, bytes) = bytes.split_first().unwrap_or((&0, &[]));
            ip(bytes).map_or_else(String::new, |address| format!("{address}/{bits}"))
        }
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Imphash => {
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match <[u8; 4]>::try_from(bytes) {
        Ok(octets) => Some(IpAddr::from(octets)),
        Err(_) => Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))),
    }
}

/// An IPv4 address that is all of a word, in its bytes.
pub(crate) fn word_ipv4(word: &[u8]) -> Option<[u8; 4]> {
    if !(7..=15).contains(&word.len()) || !words::all(word, DIGIT | DOT) {
        return None;
    }
    let mut octets = [0u8; 4];
    let mut parts = word.split(|byte| *byte == b'.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || part.len() > 3 || (part.len() > 1 && part[0] == b'0') {
            return None;
        }
        let number = part.iter().fold(0u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        *octet = u8::try_from(number).ok()?;
    }
    parts.next().is_none().then_some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kind: Kind, shown: &str) {
        let value = guess(text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        assert_eq!((value.kind, show(value.kind, &value.bytes).as_str()), (kind, shown), "{text}");
        assert_eq!(parse(kind, text), Ok(value), "{text}");
    }

    #[test]
    fn by_shape() {
        check("192.0.2.7", Kind::Address, "192.0.2.7");
        check("192[.]0.2(.)7:443", Kind::Address, "192.0.2.7");
        check("::FFFF:192.0.2.7", Kind::Address, "192.0.2.7");
        check("[2001:DB8:0::1]:8443", Kind::Address, "2001:db8::1");
        check("192.0.2.77/24", Kind::Network, "192.0.2.0/24");
        check("2001:db8:ffff::/33", Kind::Network, "2001:db8:8000::/33");
        check("192.0.2.7/32", Kind::Address, "192.0.2.7");
        check("Evil[.]Example.", Kind::Domain, "evil.example");
        check("*.evil.example", Kind::Domain, "evil.example");
        check("xn--bcher-kva.example", Kind::Domain, "xn--bcher-kva.example");
        check("Bücher.example", Kind::Domain, "bücher.example");
        check("hxxps://Evil[.]example:443/a%20b", Kind::Url, "evil.example/a b");
        check("evil.example/x.php", Kind::Url, "evil.example/x.php");
        check("`D41D8CD98F00B204E9800998ECF8427F`", Kind::Md5, "d41d8cd98f00b204e9800998ecf8427f");
        check("C:\\Windows\\Temp\\X.exe", Kind::Path, "c:\\windows\\temp\\x.exe");
        check("/owa/auth/x.aspx", Kind::Path, "\\owa\\auth\\x.aspx");
        check("%TEMP%\\a b.exe", Kind::Path, "temp\\a b.exe");
        check("shell[1].aspx", Kind::FileName, "shell[1].aspx");
        check("Mozilla/5.0+(X)", Kind::UserAgent, "mozilla/5.0 (x)");
    }

    #[track_caller]
    fn check_refused(text: &str, part: &str) {
        let refusal = guess(text).expect_err(text);
        assert!(refusal.contains(part), "{text}: {refusal}");
    }

    #[test]
    fn refused_with_a_reason() {
        check_refused("127.0.0.1", "every machine");
        check_refused("10.0.0.0/4", "too wide");
        check_refused("192.0.2.0/33", "more bits");
        check_refused("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "empty file");
        check_refused(&"0".repeat(128), "neither MD5");
        check_refused("run.sh", "domain or a file name");
        check_refused("someone@mail.example", "e-mail");
        check_refused("powershell", "not told apart");
        check_refused("C:\\Temp\\*.exe", "pattern");
        check_refused("C:\\", "whole drive");
        check_refused("C:\\a\\(x)", "surroundings");
        check_refused("http://", "no host");
        check_refused("a b c", "not told apart");
        assert!(parse(Kind::Domain, "com").is_err());
        assert!(parse(Kind::Domain, "1.2.3").is_err());
        assert!(parse(Kind::Sha1, "00").is_err());
        assert!(parse(Kind::Parameter, "a&b").is_err());
        assert!(parse(Kind::UserAgent, " ").is_err());
    }

    #[test]
    fn ipv4_words() {
        assert_eq!(word_ipv4(b"192.0.2.1"), Some([192, 0, 2, 1]));
        for text in ["192.0.2", "192.0.2.1.5", "192.0.2.256", "192.0.02.1", "1..2.3", "a.0.2.1"] {
            assert_eq!(word_ipv4(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn masks() {
        let mut bytes = [0xff; 4];
        mask(&mut bytes, 12);
        assert_eq!(bytes, [0xff, 0xf0, 0, 0]);
        mask(&mut bytes, 8);
        assert_eq!(bytes, [0xff, 0, 0, 0]);
    }
}
