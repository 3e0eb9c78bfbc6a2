//! One record of the `$MFT`: fixups and attributes.
//!
//! Lengths and offsets in a record are anybody's: what leads out of it ends
//! the reading of that attribute or record, and is told.

use crate::number::{u16_at, u32_at, u64_at};
use model::{Problem, Timestamp};

/// How a record begins; one that Windows found damaged begins with `BAAD`.
pub const MAGIC: &[u8] = b"FILE";
/// The last two bytes of each so many are kept apart.
const FIXUP_BYTES: usize = 512;
/// A record of 4096 bytes has no room for more.
const ATTRIBUTES_MAX: usize = 256;

/// A record's number and the use it refers to: the sequence changes when the
/// record is used anew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Reference {
    /// The record's number.
    pub number: u64,
    /// The sequence number; 0 when the reference does not say.
    pub sequence: u16,
}

impl Reference {
    /// From its 8 bytes as a number.
    pub fn from_u64(raw: u64) -> Self {
        Self { number: raw & 0xffff_ffff_ffff, sequence: (raw >> 48) as u16 }
    }
}

/// The four times that NTFS keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Times {
    /// When the file was made.
    pub created: Option<Timestamp>,
    /// When its content was last written.
    pub modified: Option<Timestamp>,
    /// When the entry itself was last changed.
    pub changed: Option<Timestamp>,
    /// When it was last read; most systems do not keep this up.
    pub accessed: Option<Timestamp>,
}

impl Times {
    fn read(bytes: &[u8], at: usize) -> Self {
        let time = |index: usize| u64_at(bytes, at + 8 * index).and_then(Timestamp::from_filetime);
        Self { created: time(0), modified: time(1), changed: time(2), accessed: time(3) }
    }
}

/// A name of a file, in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// The folder.
    pub parent: Reference,
    /// The name itself.
    pub text: String,
    /// Times that user programs cannot set; written when the name is made or
    /// moved, and seldom after.
    pub times: Times,
    /// Whether it is only the short name (8.3) that DOS wants.
    pub is_short: bool,
}

/// A record of the `$MFT`, its attributes not yet looked at.
pub struct Record<'a> {
    bytes: &'a [u8],
    /// How often the record was used.
    pub sequence: u16,
    /// Whether it is in use; else its file was deleted.
    pub in_use: bool,
    /// Whether it is a folder's.
    pub is_folder: bool,
    /// The record that this one only continues.
    pub base: Option<Reference>,
}

/// One attribute.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    /// `0x10` and so on.
    pub kind: u32,
    /// Its name in UTF-16.
    name: &'a [u8],
    flags: u16,
    /// Where its bytes are.
    pub content: Content<'a>,
}

/// Where an attribute's bytes are.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// In the record.
    Resident(&'a [u8]),
    /// In clusters; this is what the record says of them.
    Clusters {
        /// The first cluster of the content that these runs are for.
        first_cluster: u64,
        /// The list of runs.
        runs: &'a [u8],
        /// Clusters packed together are 2 to the power of this.
        unit_power: u16,
        /// Only where `first_cluster` is 0.
        size_bytes: u64,
        /// How much was ever written; the rest reads as zeros.
        written_bytes: u64,
    },
}

/// Kinds of attributes that we read.
pub(crate) mod kind {
    pub(crate) const STANDARD_INFORMATION: u32 = 0x10;
    pub(crate) const ATTRIBUTE_LIST: u32 = 0x20;
    pub(crate) const FILE_NAME: u32 = 0x30;
    pub(crate) const DATA: u32 = 0x80;
    pub(crate) const REPARSE_POINT: u32 = 0xc0;
    pub(crate) const END: u32 = u32::MAX;
}

impl<'a> Record<'a> {
    /// Puts the bytes back that the fixups keep apart, and reads the header.
    /// `None` for a record that was never used. `offset` is for problems.
    ///
    /// # Errors
    /// When it is no record; a record torn in writing is one, and the second
    /// value says so.
    pub fn parse(bytes: &'a mut [u8], offset: u64) -> Result<Option<(Self, Option<Problem>)>, Problem> {
        if !bytes.starts_with(MAGIC) {
            if bytes.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            let found =
                if bytes.starts_with(b"BAAD") { "one marked as damaged" } else { "another beginning" };
            return Err(Problem::new("bad-record", offset, "an $MFT record (FILE)", found).losing(1));
        }
        let torn = fix(bytes, offset);
        let bytes: &[u8] = bytes;
        let header = || {
            let flags = u16_at(bytes, 22)?;
            let base =
                Some(Reference::from_u64(u64_at(bytes, 32)?)).filter(|base| *base != Reference::default());
            let (in_use, is_folder) = (flags & 1 != 0, flags & 2 != 0);
            Some(Self { bytes, sequence: u16_at(bytes, 16)?, in_use, is_folder, base })
        };
        match header() {
            Some(record) => Ok(Some((record, torn))),
            None => Err(Problem::new("truncated", offset, "a whole $MFT record", "a shorter one").losing(1)),
        }
    }

    /// Its attributes, as far as they can be told; then whether all could.
    pub fn attributes(&self) -> (Vec<Attribute<'a>>, bool) {
        let mut attributes = Vec::new();
        let mut at = u16_at(self.bytes, 20).map_or(usize::MAX, usize::from);
        while attributes.len() < ATTRIBUTES_MAX {
            match u32_at(self.bytes, at) {
                Some(kind::END) => return (attributes, true),
                Some(_) => {}
                None => break,
            }
            let len = u32_at(self.bytes, at + 4).map_or(0, |len| len as usize);
            let Some(bytes) = self.bytes.get(at..at.saturating_add(len)) else { break };
            let Some(attribute) = attribute(bytes) else { break };
            attributes.push(attribute);
            at += len;
        }
        (attributes, false)
    }
}

impl Attribute<'_> {
    /// Its name; empty for a file's own content.
    pub fn name(&self) -> String {
        text(self.name)
    }

    /// Whether it is a file's own content or an alternate stream.
    pub fn is_data(&self) -> bool {
        self.kind == kind::DATA
    }

    /// Whether it is a file's own content.
    pub fn is_unnamed(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether its clusters are packed (LZNT1).
    pub fn is_compressed(&self) -> bool {
        self.flags & 0x00ff != 0
    }

    /// Whether its clusters are encrypted (EFS).
    pub fn is_encrypted(&self) -> bool {
        self.flags & 0x4000 != 0
    }

    pub(crate) fn resident(&self) -> Option<&[u8]> {
        match self.content {
            Content::Resident(bytes) => Some(bytes),
            Content::Clusters { .. } => None,
        }
    }

    /// The times of `$STANDARD_INFORMATION`.
    pub fn times(&self) -> Option<Times> {
        let bytes = self.resident().filter(|_| self.kind == kind::STANDARD_INFORMATION)?;
        (bytes.len() >= 32).then(|| Times::read(bytes, 0))
    }

    /// The name in a `$FILE_NAME`.
    pub fn file_name(&self) -> Option<Name> {
        let bytes = self.resident().filter(|_| self.kind == kind::FILE_NAME)?;
        let len = 2 * usize::from(*bytes.get(64)?);
        Some(Name {
            parent: Reference::from_u64(u64_at(bytes, 0)?),
            text: text(bytes.get(66..66 + len)?),
            times: Times::read(bytes, 8),
            is_short: *bytes.get(65)? == 2,
        })
    }

    /// How long its content is; `None` for a later piece of it.
    pub fn size_bytes(&self) -> Option<u64> {
        match self.content {
            Content::Resident(bytes) => Some(bytes.len() as u64),
            Content::Clusters { first_cluster: 0, size_bytes, .. } => Some(size_bytes),
            Content::Clusters { .. } => None,
        }
    }
}

/// `None` when the attribute's own lengths lead out of it.
fn attribute(bytes: &[u8]) -> Option<Attribute<'_>> {
    let name_len = 2 * usize::from(*bytes.get(9)?);
    let name_at = usize::from(u16_at(bytes, 10)?);
    let name = if name_len == 0 { &[][..] } else { bytes.get(name_at..name_at + name_len)? };
    let content = if *bytes.get(8)? == 0 {
        let (len, at) = (u32_at(bytes, 16)? as usize, usize::from(u16_at(bytes, 20)?));
        Content::Resident(bytes.get(at..at.checked_add(len)?)?)
    } else {
        Content::Clusters {
            first_cluster: u64_at(bytes, 16)?,
            runs: bytes.get(usize::from(u16_at(bytes, 32)?)..)?,
            unit_power: u16_at(bytes, 34)?,
            size_bytes: u64_at(bytes, 48).unwrap_or(0),
            written_bytes: u64_at(bytes, 56).unwrap_or(0),
        }
    };
    Some(Attribute { kind: u32_at(bytes, 0)?, name, flags: u16_at(bytes, 12)?, content })
}

/// Puts the last two bytes of each sector back; tells when they were not those
/// that the record was written with.
fn fix(bytes: &mut [u8], offset: u64) -> Option<Problem> {
    let (at, count) = (usize::from(u16_at(bytes, 4)?), usize::from(u16_at(bytes, 6)?));
    let mark = u16_at(bytes, at)?;
    let mut torn = None;
    for sector in 1..count {
        let end = sector * FIXUP_BYTES;
        let kept = bytes.get(at + 2 * sector..at + 2 * sector + 2).map(|kept| [kept[0], kept[1]]);
        let Some((kept, place)) = kept.zip(bytes.get_mut(end - 2..end)) else { break };
        if u16_at(place, 0) == Some(mark) {
            place.copy_from_slice(&kept);
        } else if *place != kept && torn.is_none() {
            // What is kept may stand there already: a tool that copies a table from a volume puts it back itself.
            let at = offset + (end - 2) as u64;
            let wanted = "a sector written with its $MFT record";
            torn = Some(Problem::new("torn-record", at, wanted, "one of another time; it is read"));
        }
    }
    torn
}

/// UTF-16 as text; what is none becomes U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::fix;

    /// A record of two sectors, whose ends are as given.
    fn record(ends: [u8; 2]) -> Vec<u8> {
        let mut bytes = vec![0; 1024];
        bytes[4..8].copy_from_slice(&[48, 0, 3, 0]);
        // The mark, then what the ends of the sectors hold in truth.
        bytes[48..54].copy_from_slice(&[7, 0, b'a', b'a', b'b', b'b']);
        for (end, value) in [510, 1022].into_iter().zip(ends) {
            bytes[end..end + 2].copy_from_slice(&if value == 7 { [7, 0] } else { [value, value] });
        }
        bytes
    }

    #[test]
    fn ends_of_sectors_are_put_back_once() {
        let fixed = |ends| {
            let mut bytes = record(ends);
            let torn = fix(&mut bytes, 0);
            (torn.map(|problem| problem.offset), bytes[510], bytes[1022])
        };
        assert_eq!(fixed([7, 7]), (None, b'a', b'b'));
        assert_eq!(fixed([b'a', b'b']), (None, b'a', b'b'));
        assert_eq!(fixed([7, b'x']), (Some(Some(1022)), b'a', b'x'));
    }
}
