//! The values of a template instance.

use model::Timestamp;

/// A security identifier: authority 5 (NT) and its sub-authorities.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sid(Vec<u32>);

impl Sid {
    /// `S-1-5-18`, the local system.
    pub(crate) fn system() -> Self {
        Self(vec![18])
    }

    /// `S-1-0-0` is not an NT identifier; Windows writes it for "nobody", and
    /// so do we, with the one authority that we have: `S-1-5-7`, anonymous.
    pub(crate) fn anonymous() -> Self {
        Self(vec![7])
    }

    /// An account of the made-up domain.
    pub(crate) fn account(relative: u32) -> Self {
        Self(vec![21, 1_004_336_348, 1_177_238_915, 682_003_330, relative])
    }

    /// `S-1-5-…`.
    pub(crate) fn to_text(&self) -> String {
        self.0.iter().fold(String::from("S-1-5"), |text, part| format!("{text}-{part}"))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[1, self.0.len() as u8, 0, 0, 0, 0, 0, 5]);
        self.0.iter().for_each(|part| out.extend_from_slice(&part.to_le_bytes()));
    }
}

/// A value, with the type under which BinXML stores it.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    Null,
    Text(String),
    Texts(Vec<String>),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    Bool(bool),
    Hex32(u32),
    Hex64(u64),
    Time(Timestamp),
    Sid(Sid),
    Guid([u8; 16]),
    Fragment(Vec<u8>),
}

impl Field {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Field::Text(text.into())
    }

    /// BinXML's type byte; a null has type 0 in the instance, and the slot
    /// keeps the type of the definition.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Field::Null => 0x00,
            Field::Text(_) => 0x01,
            Field::U8(_) => 0x04,
            Field::U16(_) => 0x06,
            Field::U32(_) => 0x08,
            Field::U64(_) => 0x0a,
            Field::Bool(_) => 0x0d,
            Field::Guid(_) => 0x0f,
            Field::Time(_) => 0x11,
            Field::Sid(_) => 0x13,
            Field::Hex32(_) => 0x14,
            Field::Hex64(_) => 0x15,
            Field::Fragment(_) => 0x21,
            Field::Texts(_) => 0x81,
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Field::Null => {}
            Field::Text(text) => write_utf16(out, text),
            Field::Texts(texts) => texts.iter().for_each(|text| {
                write_utf16(out, text);
                out.extend_from_slice(&[0, 0]);
            }),
            Field::U8(number) => out.push(*number),
            Field::U16(number) => out.extend_from_slice(&number.to_le_bytes()),
            Field::U32(number) | Field::Hex32(number) => out.extend_from_slice(&number.to_le_bytes()),
            Field::U64(number) | Field::Hex64(number) => out.extend_from_slice(&number.to_le_bytes()),
            Field::Bool(truth) => out.extend_from_slice(&u32::from(*truth).to_le_bytes()),
            Field::Time(time) => out.extend_from_slice(&filetime(*time).to_le_bytes()),
            Field::Sid(sid) => sid.write(out),
            Field::Guid(bytes) => out.extend_from_slice(bytes),
            Field::Fragment(bytes) => out.extend_from_slice(bytes),
        }
    }
}

/// 100 ns ticks since 1601-01-01.
pub(super) fn filetime(time: Timestamp) -> u64 {
    (time.nanos() / 100 + 116_444_736_000_000_000) as u64
}

/// UTF-16LE without terminator.
pub(super) fn write_utf16(out: &mut Vec<u8>, text: &str) {
    text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_le_bytes()));
}
