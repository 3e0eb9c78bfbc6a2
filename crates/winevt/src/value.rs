//! Values on the wire ([MS-EVEN6] 2.2.12, value types) to [`model::Value`]s.
//!
//! Nothing is copied where the wire form can be borrowed. What cannot (arrays,
//! text put together from pieces, ANSI text beyond ASCII) goes into an arena
//! that lives as long as the chunk is read and holds only so much.

use bumpalo::Bump;
use model::{Timestamp, Value};
use std::cell::Cell;

/// Bytes that one chunk's odd values may take in the arena. One value can
/// stand in many slots, so the chunk's own size is no bound.
const ARENA_BYTES_MAX: usize = 8 << 20;

const NULL: u8 = 0x00;
const STRING: u8 = 0x01;
const BOOL: u8 = 0x0d;
const FRAGMENT: u8 = 0x21;
const ARRAY: u8 = 0x80;
/// Ours: a value whose bytes are cut off.
const UNREADABLE: u8 = 0xff;

/// A value as the wire has it: type and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw<'a> {
    pub kind: u8,
    pub bytes: &'a [u8],
}

impl<'a> Raw<'a> {
    /// A value that should be there and is cut off.
    pub(crate) const UNREADABLE: Raw<'static> = Raw { kind: UNREADABLE, bytes: &[] };

    /// Whether there is no value (an optional substitution's element goes).
    pub(crate) fn is_null(&self) -> bool {
        self.kind == NULL
    }

    /// Whether it is a token stream of its own.
    pub(crate) fn is_fragment(&self) -> bool {
        self.kind == FRAGMENT && !self.bytes.is_empty()
    }
}

/// Turns wire values into [`Value`]s, within the arena's budget.
pub(crate) struct Decoder<'a> {
    arena: &'a Bump,
    left: Cell<usize>,
    overdrawn: Cell<bool>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(arena: &'a Bump) -> Self {
        Self { arena, left: Cell::new(ARENA_BYTES_MAX), overdrawn: Cell::new(false) }
    }

    /// Whether a value had to be left in its wire form since the last call.
    pub(crate) fn take_overdrawn(&self) -> bool {
        self.overdrawn.take()
    }

    fn afford(&self, bytes: usize) -> bool {
        let enough = bytes <= self.left.get();
        if enough {
            self.left.set(self.left.get() - bytes);
        } else {
            // Nothing smaller fits either: what is shown must not depend on
            // the order of sizes.
            self.left.set(0);
            self.overdrawn.set(true);
        }
        enough
    }

    /// Whether the arena holds no more.
    pub(crate) fn is_full(&self) -> bool {
        self.left.get() == 0
    }

    /// `text` in the arena, when it holds so much more.
    pub(crate) fn keep_text(&self, text: &str) -> Option<Value<'a>> {
        self.afford(text.len()).then(|| Value::Utf8(self.arena.alloc_str(text)))
    }

    /// UTF-16LE text in the arena; unreadable, when it holds no more.
    pub(crate) fn keep_utf16(&self, bytes: &[u8]) -> Raw<'a> {
        match self.afford(bytes.len()) {
            true => Raw { kind: STRING, bytes: self.arena.alloc_slice_copy(bytes) },
            false => Raw::UNREADABLE,
        }
    }

    /// The value, whose place is `optional` or not. A type that nobody knows
    /// stays the bytes it is: nothing vanishes.
    #[inline]
    pub(crate) fn decode(&self, raw: Raw<'a>, optional: bool) -> Value<'a> {
        match raw.kind {
            STRING => Value::Utf16(until_nul(raw.bytes)),
            NULL if optional => Value::Absent,
            NULL => Value::Empty,
            // The tree of a fragment stands in slots of its own.
            FRAGMENT | UNREADABLE => Value::Absent,
            kind if kind & ARRAY != 0 => self.array(kind & !ARRAY, raw.bytes),
            _ => self.scalar(raw),
        }
    }

    #[inline]
    fn scalar(&self, Raw { kind, bytes }: Raw<'a>) -> Value<'a> {
        let read = match kind {
            0x04 => bytes.first().map(|byte| Value::UInt(u64::from(*byte))),
            0x06 => first(bytes).map(|b| Value::UInt(u64::from(u16::from_le_bytes(b)))),
            0x08 => first(bytes).map(|b| Value::UInt(u64::from(u32::from_le_bytes(b)))),
            0x0a => first(bytes).map(|b| Value::UInt(u64::from_le_bytes(b))),
            0x0e => Some(Value::Binary(bytes)),
            0x0f => bytes.first_chunk::<16>().map(Value::Guid),
            0x10 | 0x14 | 0x15 => hex(bytes),
            0x11 => first(bytes).map(|b| self.filetime(u64::from_le_bytes(b))),
            0x13 => Some(Value::Sid(bytes)),
            BOOL => truth(bytes),
            _ => self.rare(kind, bytes),
        };
        match read {
            Some(value) => value,
            None if bytes.is_empty() => Value::Empty,
            // Too short for its type.
            None => Value::Binary(bytes),
        }
    }

    fn rare(&self, kind: u8, bytes: &'a [u8]) -> Option<Value<'a>> {
        match kind {
            0x02 => Some(self.ansi(bytes)),
            0x03 => bytes.first().map(|byte| Value::Int(i64::from(*byte as i8))),
            0x05 => first(bytes).map(|b| Value::Int(i64::from(i16::from_le_bytes(b)))),
            0x07 => first(bytes).map(|b| Value::Int(i64::from(i32::from_le_bytes(b)))),
            0x09 => first(bytes).map(|b| Value::Int(i64::from_le_bytes(b))),
            0x0b => first(bytes).map(|b| float(f32::from_le_bytes(b))),
            0x0c => first(bytes).map(|b| Value::Float(f64::from_le_bytes(b))),
            0x12 => first(bytes).map(|b| systemtime(&b, bytes)),
            // A handle is a number; XML text is text.
            0x20 => hex(bytes),
            0x23 => Some(Value::Utf16(until_nul(bytes))),
            _ => None,
        }
    }

    /// A FILETIME as a time, or, where [`Timestamp`] does not reach ("never",
    /// unset), as the text that Windows shows for it.
    fn filetime(&self, ticks: u64) -> Value<'a> {
        if let Some(time) = Timestamp::from_filetime(ticks) {
            return Value::Time(time);
        }
        far_filetime_text(ticks).and_then(|text| self.keep_text(&text)).unwrap_or(Value::UInt(ticks))
    }

    /// Text in the machine's code page, which the record does not name; taken
    /// as windows-1252, as ASCII is the same in all of them.
    fn ansi(&self, bytes: &'a [u8]) -> Value<'a> {
        let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.is_ascii() => Value::Utf8(text),
            _ => {
                let text: String = bytes.iter().map(|byte| windows_1252(*byte)).collect();
                self.keep_text(&text).unwrap_or(Value::Binary(bytes))
            }
        }
    }

    /// Several values of one type, end to end; strings end with a NUL each.
    /// One item is that item itself.
    fn array(&self, kind: u8, bytes: &'a [u8]) -> Value<'a> {
        match kind {
            STRING => {
                let items = utf16_items(bytes);
                self.list(items.clone().count(), items.map(|item| Value::Utf16(until_nul(item))), bytes)
            }
            0x02 => {
                let items = bytes.strip_suffix(&[0]).unwrap_or(bytes);
                let items = items.split(|byte| *byte == 0).filter(|_| !bytes.is_empty());
                self.list(items.clone().count(), items.map(|item| self.ansi(item)), bytes)
            }
            0x13 => {
                let items = sids(bytes);
                self.list(items.clone().count(), items.map(Value::Sid), bytes)
            }
            BOOL => {
                // One irregular item makes all of them numbers.
                let items = bytes.chunks(4);
                let regular = items.clone().all(|item| matches!(truth(item), Some(Value::Bool(_))));
                let kind = if regular { BOOL } else { 0x07 };
                self.list(items.len(), items.map(|item| self.scalar(Raw { kind, bytes: item })), bytes)
            }
            _ => match width(kind) {
                Some(width) => {
                    let items = bytes.chunks(width);
                    self.list(items.len(), items.map(|item| self.scalar(Raw { kind, bytes: item })), bytes)
                }
                None => Value::Binary(bytes),
            },
        }
    }

    fn list(&self, count: usize, mut items: impl Iterator<Item = Value<'a>>, bytes: &'a [u8]) -> Value<'a> {
        match count {
            0 => Value::Empty,
            1 => items.next().unwrap_or(Value::Empty),
            _ if self.afford(count * size_of::<Value<'_>>()) => {
                let mut list = bumpalo::collections::Vec::with_capacity_in(count, self.arena);
                list.extend(items.take(count));
                Value::List(list.into_bump_slice())
            }
            _ => Value::Binary(bytes),
        }
    }
}

fn first<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk::<N>().copied()
}

fn hex<'a>(bytes: &[u8]) -> Option<Value<'a>> {
    match bytes.len() {
        8.. => first(bytes).map(|b| Value::Hex(u64::from_le_bytes(b))),
        4.. => first(bytes).map(|b| Value::Hex(u64::from(u32::from_le_bytes(b)))),
        _ => None,
    }
}

/// Windows writes bit masks into some truth values; those stay numbers.
fn truth<'a>(bytes: &[u8]) -> Option<Value<'a>> {
    let number = match bytes {
        [byte] => i32::from(*byte),
        _ => i32::from_le_bytes(first(bytes)?),
    };
    Some(match number {
        0 => Value::Bool(false),
        1 => Value::Bool(true),
        other => Value::Int(i64::from(other)),
    })
}

/// Through text, so that 0.1 stays 0.1 and does not become 0.10000000149.
fn float<'a>(number: f32) -> Value<'a> {
    Value::Float(number.to_string().parse().unwrap_or(f64::from(number)))
}

fn width(kind: u8) -> Option<usize> {
    match kind {
        0x03 | 0x04 => Some(1),
        0x05 | 0x06 => Some(2),
        0x07 | 0x08 | 0x0b | 0x14 => Some(4),
        0x09 | 0x0a | 0x0c | 0x11 | 0x15 => Some(8),
        0x0f | 0x12 => Some(16),
        _ => None,
    }
}

/// The text up to its first NUL. Most strings have one at the very end or
/// none, so eight units are looked at in one step.
#[inline]
pub(crate) fn until_nul(bytes: &[u8]) -> &[u8] {
    let mut at = 0;
    for block in bytes.as_chunks::<16>().0 {
        let has_nul = block.as_chunks::<2>().0.iter().fold(false, |nul, unit| nul | (*unit == [0, 0]));
        if has_nul {
            break;
        }
        at += 16;
    }
    let rest = bytes[at..].as_chunks::<2>().0;
    let units = rest.iter().position(|unit| *unit == [0, 0]).unwrap_or(rest.len());
    &bytes[..at + units * 2]
}

/// Strings end to end, each with its NUL; the last may lack it.
fn utf16_items(bytes: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let units = bytes.as_chunks::<2>().0;
    let units = units.strip_suffix(&[[0, 0]]).unwrap_or(units);
    let items = units.split(|unit| *unit == [0, 0]).filter(move |_| !bytes.is_empty());
    items.map(<[[u8; 2]]>::as_flattened)
}

/// SIDs end to end; each tells its own size.
fn sids(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    std::iter::from_fn(move || {
        let count = usize::from(*bytes.get(1)?);
        let (sid, rest) = bytes.split_at((8 + 4 * count).min(bytes.len()));
        bytes = rest;
        Some(sid)
    })
}

fn systemtime<'a>(fields: &[u8; 16], bytes: &'a [u8]) -> Value<'a> {
    let field = |index: usize| u32::from(u16::from_le_bytes([fields[2 * index], fields[2 * index + 1]]));
    if *fields == [0; 16] {
        return Value::Empty;
    }
    let nanos = field(7).saturating_mul(1_000_000);
    let year = field(0) as i32;
    match Timestamp::from_civil(year, field(1), field(3), field(4), field(5), field(6), nanos) {
        Some(time) => Value::Time(time),
        None => Value::Binary(bytes),
    }
}

/// A FILETIME outside [`Timestamp`]'s reach, in RFC 3339. The calendar repeats
/// every 400 years, so the date is that of a year nearer by, moved.
fn far_filetime_text(ticks: u64) -> Option<String> {
    const CYCLE_TICKS: u64 = 146_097 * 864_000_000_000;
    if ticks > i64::MAX as u64 {
        return None;
    }
    let (cycles, rest) = (ticks / CYCLE_TICKS, ticks % CYCLE_TICKS);
    // 2001 to 2261 in the next cycle; the years after it are 1862 to 2000 in this one.
    let (near, moved) = match Timestamp::from_filetime(rest + CYCLE_TICKS) {
        Some(near) => (near, 1),
        None => (Timestamp::from_filetime(rest)?, 0),
    };
    let (year, month, day, hour, minute, second, nanos) = near.civil();
    let year = i64::from(year) + 400 * (cycles as i64 - moved);
    let ticks = nanos / 100;
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ticks:07}Z"))
}

/// windows-1252 for the bytes that are not Latin-1 (0x80 … 0x9f); undefined
/// ones stay control characters, as Windows itself maps them.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}
