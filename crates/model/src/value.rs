//! One value of one slot of one record, borrowed from the evidence.

use crate::Timestamp;
use std::fmt::Write as _;

/// A value as the evidence stores it. Nothing is decoded before somebody asks
/// ([`Value::write_text`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// The element or field is not there (an EVTX optional substitution that
    /// is null; a key that a JSON line lacks). `exists` is false.
    Absent,
    /// It is there and holds nothing (`-` in W3C, an empty CSV cell, JSON
    /// null, an EVTX normal substitution that is null). `exists` is true; it
    /// equals `null` and `''`.
    Empty,
    /// The slot's constant text, kept in the shape ([`crate::Slot::literal`]).
    Literal,
    /// Text in UTF-8.
    Utf8(&'a str),
    /// Text in UTF-16LE without terminator; may hold lone surrogates.
    Utf16(&'a [u8]),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// An integer that Windows writes as `0x…`.
    Hex(u64),
    /// A floating point number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A GUID in its 16 wire bytes (RFC 4122, mixed endian as Windows does).
    Guid(&'a [u8; 16]),
    /// A security identifier in its wire form ([MS-DTYP] 2.4.2.2).
    Sid(&'a [u8]),
    /// A point in time.
    Time(Timestamp),
    /// Bytes.
    Binary(&'a [u8]),
    /// Several values of one slot (an EVTX array, a JSON array); any of them
    /// may match.
    List(&'a [Value<'a>]),
}

impl Value<'_> {
    /// Whether the field exists at all (Sigma's `exists`).
    pub fn is_present(&self) -> bool {
        !matches!(self, Value::Absent)
    }

    /// Whether there is nothing in it: absent, empty, or text of length 0.
    pub fn is_blank(&self) -> bool {
        match self {
            Value::Absent | Value::Empty => true,
            Value::Utf8(text) => text.is_empty(),
            Value::Utf16(bytes) => bytes.len() < 2,
            Value::Binary(bytes) => bytes.is_empty(),
            Value::List(values) => values.iter().all(Value::is_blank),
            _ => false,
        }
    }

    /// Text (or nothing) as it is written, with a number for its kind: values that agree in both say
    /// the same. `None` for what is no text.
    pub fn as_written(&self) -> Option<(u8, &[u8])> {
        match self {
            Value::Absent => Some((0, &[])),
            Value::Empty => Some((1, &[])),
            Value::Utf8(text) => Some((2, text.as_bytes())),
            Value::Utf16(bytes) => Some((3, bytes)),
            _ => None,
        }
    }

    /// Appends the value as Windows shows it in an event's XML: GUIDs braced
    /// in upper case, SIDs as `S-1-…`, hex integers as `0x1f`, binary as upper
    /// case hex, times as RFC 3339, lists joined by `, `.
    ///
    /// Lone surrogates become U+FFFD. [`Value::Literal`] appends nothing: it
    /// is resolved by [`crate::Record::value`].
    pub fn write_text(&self, out: &mut String) {
        match *self {
            Value::Absent | Value::Empty | Value::Literal => {}
            Value::Utf8(text) => out.push_str(text),
            Value::Utf16(bytes) => push_utf16(bytes, out),
            Value::Int(number) => {
                if number < 0 {
                    out.push('-');
                }
                push_number(number.unsigned_abs(), 10, out);
            }
            Value::UInt(number) => push_number(number, 10, out),
            Value::Hex(number) => {
                out.push_str("0x");
                push_number(number, 16, out);
            }
            Value::Float(number) => push(out, format_args!("{number}")),
            Value::Bool(truth) => out.push_str(if truth { "true" } else { "false" }),
            Value::Guid(bytes) => push_guid(bytes, out),
            Value::Sid(bytes) => push_sid(bytes, out),
            Value::Time(time) => push(out, format_args!("{time}")),
            Value::Binary(bytes) => bytes.iter().for_each(|b| push(out, format_args!("{b:02X}"))),
            Value::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    value.write_text(out);
                }
            }
        }
    }

    /// The value as text; see [`Value::write_text`].
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write_text(&mut out);
        out
    }

    /// The value as a whole number, when it is one or is text that is one
    /// (decimal, or hex after `0x`).
    pub fn to_integer(&self) -> Option<i64> {
        match *self {
            Value::Int(number) => Some(number),
            Value::UInt(number) | Value::Hex(number) => i64::try_from(number).ok(),
            Value::Utf8(_) | Value::Utf16(_) => {
                let text = self.to_text();
                let text = text.trim();
                match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                    Some(hex) => i64::from_str_radix(hex, 16).ok(),
                    None => text.parse().ok(),
                }
            }
            _ => None,
        }
    }
}

/// Writing into a `String` cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

/// Plain ASCII, as most of it is, goes by whole runs.
fn push_utf16(bytes: &[u8], out: &mut String) {
    let mut ascii = [0u8; 64];
    let mut rest = bytes;
    while !rest.is_empty() {
        let run = &rest[..rest.len().min(2 * ascii.len())];
        let units = || run.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        if units().fold(0, |seen, unit| seen | unit) >= 0x80 {
            break;
        }
        ascii.iter_mut().zip(units()).for_each(|(own, unit)| *own = unit as u8);
        out.push_str(std::str::from_utf8(&ascii[..run.len() / 2]).unwrap_or_default());
        rest = &rest[run.len()..];
    }
    let units = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    out.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

/// Digits by hand: half of what a record holds is numbers and GUIDs, and all of it is shown to rules.
fn push_number(mut number: u64, base: u64, out: &mut String) {
    let mut digits = [0u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b"0123456789abcdef"[(number % base) as usize];
        number /= base;
        if number == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&digits[first..]).unwrap_or_default());
}

fn push_guid(bytes: &[u8; 16], out: &mut String) {
    // The first three numbers are little endian, the rest is in order.
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = [b'-'; 38];
    (text[0], text[37]) = (b'{', b'}');
    let mut at = 1;
    for (index, place) in ORDER.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        let byte = usize::from(bytes[*place]);
        text[at] = b"0123456789ABCDEF"[byte >> 4];
        text[at + 1] = b"0123456789ABCDEF"[byte & 15];
        at += 2;
    }
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// A SID that is cut short is written as far as it goes.
fn push_sid(bytes: &[u8], out: &mut String) {
    let [revision, count, a, b, c, d, e, f, rest @ ..] = bytes else {
        return;
    };
    let authority = [*a, *b, *c, *d, *e, *f].iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    out.push_str("S-");
    push_number(u64::from(*revision), 10, out);
    out.push('-');
    push_number(authority, 10, out);
    for part in rest.chunks_exact(4).take(usize::from(*count)) {
        out.push('-');
        push_number(u64::from(u32::from_le_bytes([part[0], part[1], part[2], part[3]])), 10, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_forms() {
        let sid = [1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0xf4, 1, 0, 0];
        assert_eq!(Value::Sid(&sid).to_text(), "S-1-5-21-1-2-3-500");
        let guid = [0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0x78, 0x56, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(Value::Guid(&guid).to_text(), "{12345678-1234-5678-0102-030405060708}");
        assert_eq!(Value::Hex(0x3e7).to_text(), "0x3e7");
        for number in [0, 7, -10, i64::MIN, i64::MAX] {
            assert_eq!(Value::Int(number).to_text(), number.to_string());
            assert_eq!(Value::UInt(number as u64).to_text(), (number as u64).to_string());
            assert_eq!(Value::Hex(number as u64).to_text(), format!("{number:#x}"));
        }
        assert_eq!(Value::Utf16(&[0x41, 0, 0, 0xd8]).to_text(), "A\u{fffd}");
        assert_eq!(Value::Utf8("0x1f4").to_integer(), Some(500));
    }

    #[test]
    fn utf16_in_runs() {
        for length in [0, 1, 63, 64, 65, 128, 129] {
            for end in ["", "ä", "a\u{1f600}b"] {
                let text = format!("{}{end}", "x".repeat(length));
                let mut bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                assert_eq!(Value::Utf16(&bytes).to_text(), text);
                bytes.push(b'x');
                assert_eq!(Value::Utf16(&bytes).to_text(), text);
            }
        }
    }

    #[test]
    fn absent_is_not_empty() {
        assert!(!Value::Absent.is_present());
        assert!(Value::Empty.is_present());
        assert!(Value::Empty.is_blank());
    }
}
