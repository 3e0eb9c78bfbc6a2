//! What well-known functions make of constants.

use crate::token::{Kind, Token};
use std::io::Read as _;

/// What unpacks to more than this is cut.
const UNPACKED_BYTES_MAX: u64 = 1 << 20;

/// A constant that a call comes to.
pub(super) struct Constant {
    pub(super) text: String,
    pub(super) is_packed: bool,
}

/// The letter of a character code: `101`, `0x65`, `&H65`.
pub(super) fn letter(number: &str) -> Option<String> {
    let number = number.to_ascii_lowercase();
    let code = match number.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    u8::try_from(code).ok().map(|byte| char::from(byte).to_string())
}

/// What `function` (lower case) makes of constants; `None` when it is not
/// known, or an argument is no constant.
pub(super) fn call(function: &str, receiver: Option<&Token>, arguments: &[Token]) -> Option<Constant> {
    let mut texts = constants(arguments)?;
    let mut is_packed = arguments.iter().chain(receiver).any(|one| one.is_packed);
    if let Some(receiver) = receiver {
        texts.insert(0, receiver.text.clone());
    }
    let first = texts.first();
    let text = match function {
        "chr" | "chrw" | "chr$" | "chrb" | "fromcharcode" | "tochar" | "char" => texts.concat(),
        "string" | "getstring" | "getbytes" | "concat" | "tostring" | "tochararray" | "trim" | "ctype"
        | "cstr" | "str" => texts.concat(),
        // `array_map("chr", [115, …])`.
        "array_map" if first.is_some_and(|first| first.eq_ignore_ascii_case("chr")) => texts[1..].concat(),
        "range" => match &texts[..] {
            [from, to] => match (from.as_bytes(), to.as_bytes()) {
                ([from], [to]) => (*from..=*to).map(char::from).collect(),
                _ => return None,
            },
            _ => return None,
        },
        "sprintf" | "format" => formatted(&texts)?,
        "substr" | "substring" | "mid"
            if receiver.is_some() || arguments.first().is_some_and(|first| first.kind == Kind::Text) =>
        {
            part_of(function, first?, arguments)?
        }
        "strtr" => {
            let [text, from, to] = &texts[..] else { return None };
            let turn =
                |letter: char| from.chars().position(|own| own == letter).and_then(|at| to.chars().nth(at));
            text.chars().map(|letter| turn(letter).unwrap_or(letter)).collect()
        }
        "implode" | "join" => joined(&texts, arguments)?,
        "replace" | "str_replace" => replaced(function, &texts)?,
        "strtolower" | "tolower" | "lcase" | "tolowercase" => first?.to_lowercase(),
        "strtoupper" | "toupper" | "ucase" | "touppercase" => first?.to_uppercase(),
        "strrev" | "strreverse" | "reverse" => {
            is_packed = true;
            first?.chars().rev().collect()
        }
        "str_rot13" => {
            is_packed = true;
            first?.chars().map(rot13).collect()
        }
        "hex2bin" | "pack" => {
            is_packed = true;
            hex(texts.last()?)?
        }
        "urldecode" | "rawurldecode" | "unescape" | "decodeuricomponent" => percent(first?),
        "base64_decode" | "frombase64string" | "atob" | "decodebuffer" | "decode" | "decodebase64"
        | "b64decode" | "parsebase64binary" | "binarydecode" | "tobinary" => {
            is_packed = true;
            latin(&base64(first?)?)
        }
        "gzinflate" | "gzuncompress" | "gzdecode" | "zlib_decode" | "uncompress" | "decompress"
        | "memunzip" | "memgunzip" | "inflate" => {
            is_packed = true;
            inflate(first?)?
        }
        _ => return None,
    };
    Some(Constant { text, is_packed })
}

/// `sprintf("%s%s", "a", "b")`, `String.Format("{0}{1}", "a", "b")`.
fn formatted(texts: &[String]) -> Option<String> {
    let (form, values) = texts.split_first()?;
    let mut text = form.clone();
    for (index, value) in values.iter().enumerate() {
        let hole = format!("{{{index}}}");
        text = if text.contains(&hole) { text.replace(&hole, value) } else { text.replacen("%s", value, 1) };
    }
    (!values.is_empty() && text.len() < 1 << 16).then_some(text)
}

/// A part of a text, by where it begins and how long it is.
fn part_of(function: &str, text: &str, arguments: &[Token]) -> Option<String> {
    let numbers = arguments.iter().filter(|token| token.kind == Kind::Number);
    let numbers: Option<Vec<usize>> = numbers.map(|token| token.text.parse().ok()).collect();
    let numbers = numbers.filter(|numbers| matches!(numbers.len(), 1 | 2))?;
    let begin = if function == "mid" { numbers[0].checked_sub(1)? } else { numbers[0] };
    let length = numbers.get(1).copied().unwrap_or(usize::MAX);
    Some(text.chars().skip(begin).take(length).collect())
}

/// The constants among arguments, in order; `None` when something else is there.
fn constants(arguments: &[Token]) -> Option<Vec<String>> {
    const AROUND: &[&str] = &["new", "string", "array", "char", "byte", "object", "encoding", "list", "int"];
    let mut texts = Vec::new();
    for token in arguments {
        match token.kind {
            Kind::Text => texts.push(token.text.clone()),
            Kind::Number => texts.push(letter(&token.text).unwrap_or_default()),
            Kind::Sign if [",", "(", ")", "[", "]", "{", "}"].iter().any(|sign| token.is(sign)) => {}
            Kind::Word if AROUND.iter().any(|word| token.is_word(word)) => {}
            _ => return None,
        }
    }
    (!texts.is_empty()).then_some(texts)
}

/// What stands between the members of a list is its first argument, or its last.
fn joined(texts: &[String], arguments: &[Token]) -> Option<String> {
    let is_first = arguments.first()?.kind == Kind::Text;
    let (between, members) = if is_first { texts.split_first()? } else { texts.split_last()? };
    // An array alone is joined by nothing.
    if members.is_empty() {
        return Some(between.clone());
    }
    Some(members.join(between))
}

fn replaced(function: &str, texts: &[String]) -> Option<String> {
    let [one, two, three] = texts else { return None };
    let (text, from, to) = if function == "replace" { (one, two, three) } else { (three, one, two) };
    (!from.is_empty() && text.len() < 1 << 16).then(|| text.replace(from.as_str(), to))
}

fn rot13(letter: char) -> char {
    let turn = |base: u8| char::from((letter as u8 - base + 13) % 26 + base);
    match letter {
        'a'..='z' => turn(b'a'),
        'A'..='Z' => turn(b'A'),
        other => other,
    }
}

/// One way to unpack a text.
type Way = fn(&str) -> Option<String>;

/// What a long constant without blanks says once it is unpacked, in whatever known way gives plain text.
pub(crate) fn second_stage(text: &str) -> Option<String> {
    let is_plain = |text: &String| {
        let odd = text.chars().filter(|letter| letter.is_control() && !letter.is_ascii_whitespace()).count();
        text.is_ascii() && odd == 0 && text.contains(['(', '=', ' ', '$'])
    };
    let is_packed = text.len() >= 16 && !text.contains([' ', '(', ';']);
    if !is_packed {
        return None;
    }
    let ways: [Way; 6] = [
        |text| hex(text).filter(|_| text.len().is_multiple_of(2)),
        |text| inflate(&latin(&base64(text)?)),
        |text| Some(latin(&base64(text)?)),
        |text| Some(latin(&base64(&text.chars().rev().collect::<String>())?)),
        |text| Some(latin(&base64(&text.chars().map(rot13).collect::<String>())?)),
        |text| Some(percent(text)).filter(|_| text.contains('%')),
    ];
    ways.iter().find_map(|way| way(text).filter(is_plain))
}

fn hex(text: &str) -> Option<String> {
    let digits = text.as_bytes();
    let pairs =
        digits.chunks_exact(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let bytes: Vec<u8> = pairs.collect::<Option<_>>()?;
    Some(latin(&bytes))
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                out.push(char::from(code));
                rest = &rest[at + 3..];
            }
            None => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Base64, with blanks and line ends in it, padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' | b' ' | b'\r' | b'\n' | b'\t' => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    (out.len() >= 2).then_some(out)
}

/// Deflate, as PHP packs it: raw, with zlib's header, or with gzip's.
fn inflate(text: &str) -> Option<String> {
    let bytes: Vec<u8> = text.chars().map(|letter| letter as u32 as u8).collect();
    let mut out = Vec::new();
    let mut unpack = |reader: &mut dyn std::io::Read| {
        out.clear();
        // Of what is damaged, what came before counts.
        let _ = reader.take(UNPACKED_BYTES_MAX).read_to_end(&mut out);
        out.len() > 4
    };
    let is_read = unpack(&mut flate2::read::DeflateDecoder::new(&bytes[..]))
        || unpack(&mut flate2::read::ZlibDecoder::new(&bytes[..]))
        || unpack(&mut flate2::read::GzDecoder::new(&bytes[..]));
    is_read.then(|| latin(&out))
}

fn latin(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // One letter a byte, so that it can be unpacked further.
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
