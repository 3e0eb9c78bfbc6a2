//! The data of a value: by its type, and as Sysmon's events write it, so that
//! rules on registry events read the same here.

use crate::bytes::before_nul;
use model::Value;
use std::fmt::Write as _;

/// Names of types, by number.
const TYPES: [&str; 12] = [
    "REG_NONE",
    "REG_SZ",
    "REG_EXPAND_SZ",
    "REG_BINARY",
    "REG_DWORD",
    "REG_DWORD_BIG_ENDIAN",
    "REG_LINK",
    "REG_MULTI_SZ",
    "REG_RESOURCE_LIST",
    "REG_FULL_RESOURCE_DESCRIPTOR",
    "REG_RESOURCE_REQUIREMENTS_LIST",
    "REG_QWORD",
];

/// The name of a type; others (the property types of devices, what programs
/// make up) stay numbers.
pub(super) fn type_name<'a>(kind: u32) -> Value<'a> {
    let known = usize::try_from(kind).ok().and_then(|kind| TYPES.get(kind));
    known.map_or(Value::Hex(u64::from(kind)), |name| Value::Utf8(name))
}

/// What data of a type are; `strings` is room for a list.
pub(super) fn value<'a>(kind: u32, data: &'a [u8], strings: &'a mut Vec<Value<'a>>) -> Value<'a> {
    match (kind, data) {
        (_, []) => Value::Empty,
        (1 | 2 | 6, _) => text(data),
        (4, [a, b, c, d]) => Value::UInt(u64::from(u32::from_le_bytes([*a, *b, *c, *d]))),
        (5, [a, b, c, d]) => Value::UInt(u64::from(u32::from_be_bytes([*a, *b, *c, *d]))),
        (7, _) => {
            let ends = data.chunks_exact(2).enumerate().filter(|(_, pair)| *pair == [0, 0]);
            let ends = ends.map(|(index, _)| 2 * index).chain([data.len() & !1]);
            let mut from = 0;
            for end in ends {
                if from < end {
                    strings.push(Value::Utf16(&data[from..end]));
                }
                from = end + 2;
            }
            if strings.is_empty() { Value::Empty } else { Value::List(strings) }
        }
        (11, _) => match data.try_into() {
            Ok(bytes) => Value::UInt(u64::from_le_bytes(bytes)),
            Err(_) => Value::Binary(data),
        },
        _ => Value::Binary(data),
    }
}

fn text(data: &[u8]) -> Value<'_> {
    match before_nul(data) {
        [] => Value::Empty,
        text => Value::Utf16(text),
    }
}

/// The same as Sysmon shows it; numbers and bytes go to `words`.
pub(super) fn details<'a>(kind: u32, value: Value<'a>, words: &'a mut String) -> Value<'a> {
    words.clear();
    // Writing into a `String` cannot fail.
    let _ = match (kind, value) {
        (11, Value::UInt(number)) => {
            write!(words, "QWORD ({:#010x}-{:#010x})", number >> 32, number & 0xffff_ffff)
        }
        (_, Value::UInt(number)) => write!(words, "DWORD ({number:#010x})"),
        (_, Value::Binary(_)) => write!(words, "Binary Data"),
        (_, Value::Empty) => write!(words, "(Empty)"),
        _ => return value,
    };
    Value::Utf8(words)
}
