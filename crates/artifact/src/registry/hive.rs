//! The cells of a hive: keys, values, and the lists that lead to them.
//!
//! Offsets of cells are relative to the first bin, as the format writes them.
//! Nothing is trusted: what points out of the file, to itself, or to something
//! else than it should is a [`Fault`].
//!
//! # Why our own
//! The libraries at hand refuse a hive as a whole for a wrong checksum in its
//! header, copy each cell, and do not say where it stood.

use crate::bytes::{filetime_at, latin1, size_at, slice, u16_at, u32_at, utf16};
use model::{Problem, Timestamp};
use std::borrow::Cow;

/// The header before the first bin.
pub(super) const HEADER_BYTES: usize = 4096;
/// Data in a segment of big data.
const SEGMENT_BYTES: usize = 16_344;
/// Entries looked at in one list when a key or value is looked up by name.
const LOOKUP_MAX: usize = 4_096;
/// Free cells that are looked at.
const FREE_MAX: usize = 200_000;
/// Bytes of a key's name; Windows allows 255 characters.
const KEY_NAME_BYTES_MAX: usize = 512;
/// Bytes of a value's name; Windows allows 16,383 characters, and writes some
/// hundreds at most.
const VALUE_NAME_BYTES_MAX: usize = 2_048;
/// No cell.
const NONE: u32 = u32::MAX;

/// Why a cell could not be read.
#[derive(Debug)]
pub(super) struct Fault {
    /// In the file.
    at: usize,
    wanted: &'static str,
    found: String,
}

impl Fault {
    fn new(at: usize, wanted: &'static str, found: impl Into<String>) -> Self {
        Self { at, wanted, found: found.into() }
    }

    /// As a problem; how many records it cost nobody knows.
    pub(super) fn problem(self) -> Problem {
        Problem::new("bad-record", self.at as u64, self.wanted, self.found)
    }
}

/// The bytes of a hive.
#[derive(Clone, Copy)]
pub(super) struct Hive<'a> {
    pub(super) bytes: &'a [u8],
}

/// A key.
#[derive(Clone)]
pub(super) struct Key<'a> {
    pub(super) offset: u32,
    /// Bytes of its cell that say something.
    pub(super) used: usize,
    pub(super) name: Cow<'a, str>,
    pub(super) last_write: Option<Timestamp>,
    pub(super) is_root: bool,
    pub(super) parent: u32,
    pub(super) subkeys: (usize, u32),
    pub(super) values: (usize, u32),
}

/// A value; its data are read by [`Hive::data`].
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) offset: u32,
    /// Bytes of its cell that say something.
    pub(super) used: usize,
    pub(super) name: Cow<'a, str>,
    pub(super) kind: u32,
    pub(super) size: usize,
    place: DataPlace,
}

#[derive(Clone, Copy, Debug)]
enum DataPlace {
    Inline,
    Cell(u32),
}

/// Remembers cells by their bytes, which belong to one owner only: what is
/// reached twice is damage or a trap, and following it again would have no end.
/// So the work on a hive is bounded by its size.
pub(super) struct Seen {
    /// One bit for each eight bytes.
    bits: Vec<u64>,
    free: usize,
}

impl Seen {
    pub(super) fn new(hive: Hive<'_>) -> Self {
        Self { bits: vec![0; hive.bytes.len() / 8 / 64 + 1], free: 0 }
    }

    pub(super) fn contains(&self, offset: u32) -> bool {
        self.has(offset as usize / 8)
    }

    fn has(&self, slot: usize) -> bool {
        self.bits.get(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// Notes the first `used` bytes of the cell at `offset`; not all of it,
    /// because one size that lies would take its neighbours along.
    ///
    /// # Errors
    /// When a part of it was noted before, or too many free cells were.
    pub(super) fn note(&mut self, hive: Hive<'_>, offset: u32, used: usize) -> Result<(), Fault> {
        let first = offset as usize / 8;
        let end = (first + used.div_ceil(8).max(1)).min(64 * self.bits.len());
        if (first..end).any(|slot| self.has(slot)) {
            return Err(Fault::new(place(offset), "a cell of its own", "one that belongs to another"));
        }
        let is_free = u32_at(hive.bytes, place(offset)).is_none_or(|size| size >> 31 == 0);
        self.free += usize::from(is_free);
        if self.free > FREE_MAX {
            return Err(Fault::new(place(offset), "at most 200,000 free cells that are looked at", "more"));
        }
        for slot in first..end {
            self.bits[slot / 64] |= 1 << (slot % 64);
        }
        Ok(())
    }
}

/// Asked before bytes of a cell are taken: its offset, and how many.
pub(super) type Note<'n> = dyn FnMut(u32, usize) -> Result<(), Fault> + 'n;

/// Where a cell stands in the file.
pub(super) fn place(offset: u32) -> usize {
    HEADER_BYTES.saturating_add(offset as usize)
}

impl<'a> Hive<'a> {
    /// What is in the cell at `offset`, allocated or not.
    pub(super) fn cell(&self, offset: u32) -> Result<&'a [u8], Fault> {
        let at = place(offset);
        if offset == NONE || !offset.is_multiple_of(8) {
            return Err(Fault::new(at, "the offset of a cell", format!("{offset:#x}")));
        }
        let Some(size) = u32_at(self.bytes, at) else {
            let end = self.bytes.len();
            return Err(Fault::new(at, "a cell within the file", format!("the file's end at {end}")));
        };
        let len = (size.cast_signed().unsigned_abs() as usize).saturating_sub(4);
        slice(self.bytes, at + 4, len).ok_or_else(|| {
            Fault::new(at, "a cell within the file", format!("{len} bytes, which reach beyond its end"))
        })
    }

    /// The key at `offset`.
    pub(super) fn key(&self, offset: u32) -> Result<Key<'a>, Fault> {
        let cell = self.cell(offset)?;
        parse_key(cell, offset).ok_or_else(|| Fault::new(place(offset), "a key (nk)", show(cell)))
    }

    /// The value at `offset`.
    pub(super) fn value(&self, offset: u32) -> Result<Entry<'a>, Fault> {
        let cell = self.cell(offset)?;
        parse_value(cell, offset).ok_or_else(|| Fault::new(place(offset), "a value (vk)", show(cell)))
    }

    /// The values of `key`, at most `max` of them. `note` is asked for the list.
    pub(super) fn value_offsets(
        &self,
        key: &Key<'a>,
        max: usize,
        note: &mut Note<'_>,
    ) -> Result<Vec<u32>, Fault> {
        let (count, list) = key.values;
        if count == 0 || list == NONE {
            return Ok(Vec::new());
        }
        let cell = self.cell(list)?;
        let listed = cell.len() / 4;
        if listed < count {
            let found = format!("a list of {listed}");
            return Err(Fault::new(place(list), "as many values as the key has", found));
        }
        note(list, 4 + 4 * count)?;
        Ok((0..count.min(max)).filter_map(|index| u32_at(cell, 4 * index)).collect())
    }

    /// The keys below `key`. `note` is asked for each list.
    pub(super) fn subkey_offsets(
        &self,
        key: &Key<'a>,
        note: &mut Note<'_>,
        faults: &mut Vec<Fault>,
    ) -> Vec<u32> {
        let (count, list) = key.subkeys;
        let mut found = Vec::new();
        if count == 0 || list == NONE {
            return found;
        }
        if let Err(fault) = self.push_list(list, true, note, faults, &mut found) {
            faults.push(fault);
        }
        found
    }

    /// Adds the entries of one list; one of lists (`ri`) holds lists of keys only.
    fn push_list(
        &self,
        list: u32,
        is_first: bool,
        note: &mut Note<'_>,
        faults: &mut Vec<Fault>,
        found: &mut Vec<u32>,
    ) -> Result<(), Fault> {
        let cell = self.cell(list)?;
        let entry_bytes = match cell.get(..2) {
            Some(b"lf" | b"lh") => 8,
            Some(b"li") => 4,
            Some(b"ri") if is_first => 4,
            _ => return Err(Fault::new(place(list), "a list of keys (lf, lh, li, ri)", show(cell))),
        };
        let count = usize::from(u16_at(cell, 2).unwrap_or(0));
        note(list, (4 + 4 + entry_bytes * count).min(4 + cell.len()))?;
        let entries = (0..count).map_while(|index| u32_at(cell, 4 + entry_bytes * index));
        if cell.starts_with(b"ri") {
            for entry in entries {
                if let Err(fault) = self.push_list(entry, false, note, faults, found) {
                    faults.push(fault);
                }
            }
        } else {
            let before = found.len();
            found.extend(entries);
            if found.len() - before < count {
                let wanted = "as many keys as the list says";
                faults.push(Fault::new(place(list), wanted, format!("{} of {count}", found.len() - before)));
            }
        }
        Ok(())
    }

    /// All data of a value, up to `max` bytes. `note` is asked for each
    /// cell.
    pub(super) fn data(
        &self,
        value: &Entry<'a>,
        max: usize,
        note: &mut Note<'_>,
    ) -> Result<Cow<'a, [u8]>, Fault> {
        let wanted = value.size.min(max);
        let list = match value.place {
            DataPlace::Inline => {
                let inline = slice(self.bytes, place(value.offset) + 4 + 8, value.size.min(4));
                return Ok(Cow::Borrowed(inline.unwrap_or_default()));
            }
            DataPlace::Cell(_) if value.size == 0 => return Ok(Cow::Borrowed(&[])),
            DataPlace::Cell(offset) => offset,
        };
        let cell = self.cell(list)?;
        if value.size > SEGMENT_BYTES && cell.starts_with(b"db") {
            note(list, 4 + 8)?;
            return self.big_data(cell, wanted, note).map(Cow::Owned);
        }
        let data = cell.get(..wanted).ok_or_else(|| {
            Fault::new(place(list), "the data of a value", format!("{} of {wanted} bytes", cell.len()))
        })?;
        note(list, 4 + wanted)?;
        Ok(Cow::Borrowed(data))
    }

    fn big_data(&self, cell: &[u8], wanted: usize, note: &mut Note<'_>) -> Result<Vec<u8>, Fault> {
        let list = u32_at(cell, 4).unwrap_or(NONE);
        let offsets = self.cell(list)?;
        let count = usize::from(u16_at(cell, 2).unwrap_or(0));
        note(list, (4 + 4 * count).min(4 + offsets.len()))?;
        let mut data = Vec::new();
        for segment in (0..count).map_while(|index| u32_at(offsets, 4 * index)) {
            if data.len() >= wanted {
                break;
            }
            let cell = self.cell(segment)?;
            let len = SEGMENT_BYTES.min(cell.len()).min(wanted - data.len());
            note(segment, 4 + len)?;
            data.extend_from_slice(&cell[..len]);
        }
        if data.len() < wanted {
            let found = format!("{} of {wanted} bytes", data.len());
            return Err(Fault::new(place(list), "the data of a value", found));
        }
        Ok(data)
    }

    /// The key below `key` at `path`, names without regard to case. For single
    /// look-ups: nothing is noted as seen.
    pub(super) fn find(&self, key: &Key<'a>, path: &[&str]) -> Option<Key<'a>> {
        let mut key = key.clone();
        for name in path {
            let mut lists = 0;
            // One list of lists may name one list any number of times.
            let mut note = |list, _| {
                lists += 1;
                if lists > LOOKUP_MAX / 64 {
                    Err(Fault::new(place(list), "fewer lists", "more"))
                } else {
                    Ok(())
                }
            };
            let below = self.subkey_offsets(&key, &mut note, &mut Vec::new());
            let mut named = below.into_iter().take(LOOKUP_MAX).filter_map(|offset| self.key(offset).ok());
            key = named.find(|below| below.name.eq_ignore_ascii_case(name))?;
        }
        Some(key)
    }

    /// The value `name` of `key`; see [`Hive::find`].
    pub(super) fn find_value(&self, key: &Key<'a>, name: &str) -> Option<Entry<'a>> {
        let offsets = self.value_offsets(key, LOOKUP_MAX, &mut |_, _| Ok(())).ok()?;
        let mut values = offsets.into_iter().filter_map(|offset| self.value(offset).ok());
        values.find(|value| value.name.eq_ignore_ascii_case(name))
    }
}

/// Reads an `nk` cell; `None` when it is none.
fn parse_key(cell: &[u8], offset: u32) -> Option<Key<'_>> {
    const ROOT: u16 = 0x04;
    const COMPRESSED: u16 = 0x20;
    if !cell.starts_with(b"nk") {
        return None;
    }
    let flags = u16_at(cell, 2)?;
    let name =
        slice(cell, 76, usize::from(u16_at(cell, 72)?)).filter(|name| name.len() <= KEY_NAME_BYTES_MAX)?;
    Some(Key {
        offset,
        used: 4 + 76 + name.len(),
        name: key_name(name, flags & COMPRESSED != 0),
        last_write: filetime_at(cell, 4),
        is_root: flags & ROOT != 0,
        parent: u32_at(cell, 16)?,
        subkeys: (size_at(cell, 20)?, u32_at(cell, 28)?),
        values: (size_at(cell, 36)?, u32_at(cell, 40)?),
    })
}

/// Reads a `vk` cell; `None` when it is none.
fn parse_value(cell: &[u8], offset: u32) -> Option<Entry<'_>> {
    const INLINE: u32 = 1 << 31;
    const COMPRESSED: u16 = 1;
    if !cell.starts_with(b"vk") {
        return None;
    }
    let name =
        slice(cell, 20, usize::from(u16_at(cell, 2)?)).filter(|name| name.len() <= VALUE_NAME_BYTES_MAX)?;
    let size = u32_at(cell, 4)?;
    let place = if size & INLINE == 0 { DataPlace::Cell(u32_at(cell, 8)?) } else { DataPlace::Inline };
    Some(Entry {
        offset,
        used: 4 + 20 + name.len(),
        name: key_name(name, u16_at(cell, 16)? & COMPRESSED != 0),
        kind: u32_at(cell, 12)?,
        size: (size & !INLINE) as usize,
        place,
    })
}

/// A name, of one byte a character where that is said.
fn key_name(bytes: &[u8], is_compressed: bool) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(ascii) if is_compressed && ascii.is_ascii() => Cow::Borrowed(ascii),
        _ if is_compressed => Cow::Owned(latin1(bytes)),
        _ => Cow::Owned(utf16(bytes)),
    }
}

/// The beginning of a cell, for a fault.
fn show(cell: &[u8]) -> String {
    let shown: String = cell.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    if shown.is_empty() { "nothing".into() } else { shown }
}
