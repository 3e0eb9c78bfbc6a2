//! `$UsnJrnl:$J`, the change journal of a volume: its records.
//!
//! Records of version 2 and 3 stand one after another at multiples of 8 bytes
//! and do not cross pages; zeros fill the rest of a page. Those of version 4
//! tell ranges only, without name and time, and are stepped over.

use crate::ntfs::Reference;
use crate::number::{u16_at, u32_at, u64_at};
use model::Timestamp;

/// Records do not cross multiples of this.
pub const PAGE_BYTES: usize = 4096;

/// One change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<'a> {
    /// The file that changed.
    pub file: Reference,
    /// The folder it was in.
    pub parent: Reference,
    /// Its offset in the journal, by its own word.
    pub usn: u64,
    /// When.
    pub time: Option<Timestamp>,
    /// Why, as bits: [`reasons`].
    pub reason: u32,
    /// Attributes of the file.
    pub attributes: u32,
    /// The file's name in UTF-16.
    pub name: &'a [u8],
}

/// What stands somewhere in the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found<'a> {
    /// A change, and how many bytes it takes.
    Change(Change<'a>, usize),
    /// A record that tells no change, of so many bytes.
    Other(usize),
    /// Neither.
    Nothing,
}

/// What begins with `bytes`.
pub fn read(bytes: &[u8]) -> Found<'_> {
    let Some(len) = u32_at(bytes, 0).map(|len| len as usize) else { return Found::Nothing };
    let version = u16_at(bytes, 4).zip(u16_at(bytes, 6));
    let is_sound =
        len % 8 == 0 && (56..=PAGE_BYTES).contains(&len) && version.is_some_and(|(_, minor)| minor == 0);
    let Some(record) = bytes.get(..len).filter(|_| is_sound) else { return Found::Nothing };
    match version {
        // References have 16 bytes since version 3; on NTFS the upper 8 are zeros.
        Some((2, _)) => change(record, 8),
        Some((3, _)) => change(record, 16),
        Some((4, _)) => Some(Found::Other(len)),
        _ => None,
    }
    .unwrap_or(Found::Nothing)
}

fn change(record: &[u8], reference_bytes: usize) -> Option<Found<'_>> {
    let rest = record.get(8 + 2 * reference_bytes..)?;
    let reference = |at| u64_at(record, at).map(Reference::from_u64);
    let (name_len, name_at) = (usize::from(u16_at(rest, 32)?), usize::from(u16_at(rest, 34)?));
    let name = record.get(name_at..name_at + name_len)?;
    if name_at < 44 + 2 * reference_bytes || name_len % 2 != 0 {
        return None;
    }
    let change = Change {
        file: reference(8)?,
        parent: reference(8 + reference_bytes)?,
        usn: u64_at(rest, 0)?,
        time: u64_at(rest, 8).and_then(Timestamp::from_filetime),
        reason: u32_at(rest, 16)?,
        attributes: u32_at(rest, 28)?,
        name,
    };
    Some(Found::Change(change, record.len()))
}

/// Names of the reasons, as Windows' headers have them without their prefix.
const REASONS: [(u32, &str); 23] = [
    (0x1, "DATA_OVERWRITE"),
    (0x2, "DATA_EXTEND"),
    (0x4, "DATA_TRUNCATION"),
    (0x10, "NAMED_DATA_OVERWRITE"),
    (0x20, "NAMED_DATA_EXTEND"),
    (0x40, "NAMED_DATA_TRUNCATION"),
    (0x100, "FILE_CREATE"),
    (0x200, "FILE_DELETE"),
    (0x400, "EA_CHANGE"),
    (0x800, "SECURITY_CHANGE"),
    (0x1000, "RENAME_OLD_NAME"),
    (0x2000, "RENAME_NEW_NAME"),
    (0x4000, "INDEXABLE_CHANGE"),
    (0x8000, "BASIC_INFO_CHANGE"),
    (0x1_0000, "HARD_LINK_CHANGE"),
    (0x2_0000, "COMPRESSION_CHANGE"),
    (0x4_0000, "ENCRYPTION_CHANGE"),
    (0x8_0000, "OBJECT_ID_CHANGE"),
    (0x10_0000, "REPARSE_POINT_CHANGE"),
    (0x20_0000, "STREAM_CHANGE"),
    (0x40_0000, "TRANSACTED_CHANGE"),
    (0x80_0000, "INTEGRITY_CHANGE"),
    (0x8000_0000, "CLOSE"),
];

/// The names of the bits in `reason`.
pub fn reasons(reason: u32) -> impl Iterator<Item = &'static str> {
    REASONS.iter().filter(move |(bit, _)| reason & bit != 0).map(|(_, name)| *name)
}
