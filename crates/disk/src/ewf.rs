//! Expert Witness Format, version 1: E01 images, in one file or several.
//!
//! Each file is a chain of sections. `volume` says how large the disk is;
//! `sectors` holds the disk's bytes in chunks, packed with zlib or followed by
//! a checksum; `table` says where each chunk begins, and `table2` says it
//! again. Tables are checked once and then asked chunk by chunk, so memory
//! does not grow with the image.

use crate::crc::adler32;
use crate::faults::{self, Faults};
use crate::number::{u16_at, u32_at, u64_at};
use crate::read_at::{ended, exactly};
use crate::{Limits, ReadAt};
use flate2::{Decompress, FlushDecompress, Status};
use model::Problem;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How each of its files begins.
pub(crate) const MAGIC: &[u8] = b"EVF\x09\x0d\x0a\xff\0";

const FILE_HEADER_BYTES: u64 = 13;
const SECTION_BYTES: u64 = 76;
const TABLE_HEADER_BYTES: u64 = 24;
/// `ewfacquire` offers up to 16 MiB; 32 KiB is the rule.
const CHUNK_BYTES_MAX: u64 = 16 << 20;
/// Unpacked chunks kept: readers of several files take turns.
const KEPT_BYTES_MAX: u64 = 8 << 20;
/// Bytes unpacked at most, per byte of the disk. An image is read twice or
/// three times; one made so that each read costs a large chunk ends here.
const UNPACKED_RATIO_MAX: u64 = 64;
/// Sections of one file. A 2 GiB segment has some dozens.
const SECTIONS_MAX: usize = 64 << 10;

/// The number of the segment that begins with `head`, from 1.
pub(crate) fn segment_number(head: &[u8]) -> Option<u16> {
    u16_at(head, 9).filter(|_| head.starts_with(MAGIC))
}

/// A disk in an E01 image.
pub(crate) struct Ewf<'a> {
    segments: Vec<Arc<dyn ReadAt + 'a>>,
    tables: Vec<Table>,
    chunk_bytes: u64,
    size_bytes: u64,
    /// Whether a table is missing, so that later chunks have no number.
    is_lost: bool,
    kept: Mutex<Vec<(u64, Arc<Vec<u8>>)>>,
    unpacked_bytes: AtomicU64,
    faults: Faults,
}

/// Where some chunks in sequence begin.
struct Table {
    segment: usize,
    first_chunk: u64,
    chunks: u64,
    /// Where its entries stand.
    entries: u64,
    /// What the entries count from.
    base: u64,
    /// Where the last chunk ends.
    end: u64,
}

/// Chunks in sequence, and the better one of their two tables.
struct Group {
    start: u64,
    end: u64,
    table: Option<Table>,
    is_whole: bool,
}

struct Section {
    kind: Vec<u8>,
    /// Of what follows its descriptor.
    start: u64,
    end: u64,
}

impl<'a> Ewf<'a> {
    pub(crate) fn open(
        segments: Vec<Arc<dyn ReadAt + 'a>>,
        limits: &Limits,
        faults: Faults,
    ) -> Result<Self, Problem> {
        let mut ewf = Self {
            segments,
            tables: Vec::new(),
            chunk_bytes: 0,
            size_bytes: 0,
            is_lost: false,
            kept: Mutex::default(),
            unpacked_bytes: AtomicU64::new(0),
            faults,
        };
        let mut is_done = false;
        for index in 0..ewf.segments.len() {
            is_done = ewf.segment(index)?;
        }
        if ewf.chunk_bytes == 0 {
            return Err(Problem::new("bad-image", 0, "an E01 section that says the disk's size", "none"));
        }
        let chunks = ewf.tables.last().map_or(0, |table| table.first_chunk + table.chunks);
        if chunks > limits.blocks_max as u64 {
            let wanted = format!("at most {} chunks", limits.blocks_max);
            return Err(Problem::new("limit", 0, wanted, format!("{chunks}")));
        }
        let wanted = ewf.size_bytes.div_ceil(ewf.chunk_bytes);
        if chunks < wanted {
            let end = chunks * ewf.chunk_bytes;
            let found = match is_done {
                true => format!("{chunks} in its tables"),
                false => format!("{chunks}; a further segment is missing, or the last is cut"),
            };
            ewf.faults.push(Problem::new("truncated", end, format!("{wanted} chunks of the disk"), found));
        }
        Ok(ewf)
    }

    /// Takes the sections of one file; whether the image says that it ends there.
    fn segment(&mut self, index: usize) -> Result<bool, Problem> {
        let (sections, is_done) = self.sections(index);
        let mut group: Option<Group> = None;
        for section in &sections {
            match section.kind.as_slice() {
                b"volume" | b"disk" if self.chunk_bytes == 0 => self.volume(index, section)?,
                b"sectors" => {
                    self.close(group.take());
                    group =
                        Some(Group { start: section.start, end: section.end, table: None, is_whole: false });
                }
                b"table" | b"table2" => {
                    if let Some(group) = group.as_mut().filter(|group| !group.is_whole) {
                        let (table, is_whole) = self.table(index, section, group.end);
                        group.is_whole = is_whole;
                        group.table = if is_whole { table } else { group.table.take().or(table) };
                    }
                }
                _ => {}
            }
        }
        self.close(group);
        Ok(is_done)
    }

    /// Takes the table of some chunks. Without one it is not known how many
    /// they are, nor which number a later chunk has.
    fn close(&mut self, group: Option<Group>) {
        match group {
            Some(Group { table: Some(table), .. }) if !self.is_lost => self.tables.push(table),
            Some(Group { table: None, start, .. }) if !self.is_lost => {
                self.is_lost = true;
                let found = "none; these chunks and all later ones are not read";
                self.faults.push(Problem::new("bad-image", start, "a table of an E01's chunks", found));
            }
            _ => {}
        }
    }

    /// The sections of a file in their order, as far as the chain leads.
    fn sections(&self, index: usize) -> (Vec<Section>, bool) {
        let store = self.segments[index].as_ref();
        let mut sections = Vec::new();
        let mut at = FILE_HEADER_BYTES;
        while sections.len() < SECTIONS_MAX {
            let descriptor = match exactly(store, at, SECTION_BYTES as usize) {
                Ok(descriptor) => descriptor,
                Err(error) => {
                    self.faults.push(faults::of_error(at, "an E01 section", &error));
                    return (sections, false);
                }
            };
            if u32_at(&descriptor, 72) != Some(adler32(&descriptor[..72])) {
                let wanted = "an E01 section whose checksum holds";
                self.faults.push(Problem::new("bad-checksum", at, wanted, "another; the chain ends there"));
                return (sections, false);
            }
            let kind: Vec<u8> = descriptor[..16].iter().copied().take_while(|byte| *byte != 0).collect();
            let next = u64_at(&descriptor, 16).unwrap_or(0);
            let is_done = kind == b"done";
            let end = if next > at { next } else { store.size_bytes() };
            sections.push(Section { kind, start: at + SECTION_BYTES, end });
            // The last one, `done` or `next`, points to itself.
            if next < at + SECTION_BYTES {
                return (sections, is_done);
            }
            at = next;
        }
        let wanted = format!("at most {SECTIONS_MAX} sections");
        self.faults.push(Problem::new("limit", at, wanted, "more; they are not read"));
        (sections, false)
    }

    fn volume(&mut self, index: usize, section: &Section) -> Result<(), Problem> {
        let volume = exactly(self.segments[index].as_ref(), section.start, 24)
            .map_err(|error| faults::of_error(section.start, "an E01 volume section", &error))?;
        let number = |at| u64::from(u32_at(&volume, at).unwrap_or(0));
        let (chunk_sectors, sector_bytes) = (number(8), number(12));
        let sectors = u64_at(&volume, 16).unwrap_or(0);
        let chunk_bytes = chunk_sectors * sector_bytes;
        let size_bytes = sectors.checked_mul(sector_bytes);
        match size_bytes {
            Some(size_bytes) if chunk_bytes > 0 && chunk_bytes <= CHUNK_BYTES_MAX => {
                self.chunk_bytes = chunk_bytes;
                self.size_bytes = size_bytes;
                Ok(())
            }
            _ => {
                let found = format!("{sectors} sectors of {sector_bytes} bytes, {chunk_sectors} a chunk");
                Err(Problem::new("bad-image", section.start, "sizes that an E01 image can have", found))
            }
        }
    }

    /// A table, and whether its checksums hold.
    fn table(&self, index: usize, section: &Section, end: u64) -> (Option<Table>, bool) {
        let store = self.segments[index].as_ref();
        let header = match exactly(store, section.start, TABLE_HEADER_BYTES as usize) {
            Ok(header) => header,
            Err(error) => {
                self.faults.push(faults::of_error(section.start, "an E01 table", &error));
                return (None, false);
            }
        };
        let spoilt = |found: &str| {
            let wanted = "an E01 table whose checksum holds";
            self.faults.push(Problem::new("bad-checksum", section.start, wanted, found));
        };
        if u32_at(&header, 20) != Some(adler32(&header[..20])) {
            // How many chunks it stands for is not known then.
            spoilt("another");
            return (None, false);
        }
        let entries = section.start + TABLE_HEADER_BYTES;
        let chunks = u64::from(u32_at(&header, 0).unwrap_or(0));
        let table = Table {
            segment: index,
            first_chunk: self.tables.last().map_or(0, |table| table.first_chunk + table.chunks),
            chunks,
            entries,
            base: u64_at(&header, 8).unwrap_or(0),
            end,
        };
        let is_whole = sum_holds(store, entries, 4 * chunks);
        if !is_whole {
            spoilt("another over its entries");
        }
        (Some(table), is_whole)
    }

    fn chunk(&self, number: u64) -> io::Result<Arc<Vec<u8>>> {
        let kept = |kept: &mut Vec<(u64, Arc<Vec<u8>>)>| {
            let at = kept.iter().position(|(known, _)| *known == number)?;
            let found = kept.remove(at);
            let chunk = Arc::clone(&found.1);
            kept.push(found);
            Some(chunk)
        };
        if let Some(chunk) = kept(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(chunk);
        }
        let before = self.unpacked_bytes.fetch_add(self.chunk_bytes, Ordering::Relaxed);
        let max = self.size_bytes.max(1 << 20).saturating_mul(UNPACKED_RATIO_MAX);
        if before > max {
            return Err(io::Error::other(format!("more than {max} bytes to unpack")));
        }
        let chunk = Arc::new(self.unpack(number)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((number, Arc::clone(&chunk)));
        if kept.len() as u64 > (KEPT_BYTES_MAX / self.chunk_bytes).max(1) {
            kept.remove(0);
        }
        Ok(chunk)
    }

    fn unpack(&self, number: u64) -> io::Result<Vec<u8>> {
        let place = self.tables.partition_point(|table| table.first_chunk + table.chunks <= number);
        let missing =
            || io::Error::new(io::ErrorKind::UnexpectedEof, format!("no chunk {number} in the image"));
        let table = self.tables.get(place).ok_or_else(missing)?;
        let store = self.segments[table.segment].as_ref();
        let within = number - table.first_chunk;
        let len = if within + 1 < table.chunks { 8 } else { 4 };
        let entries = exactly(store, table.entries + 4 * within, len)?;
        let place = |at| {
            u32_at(&entries, at).map(|entry| table.base.saturating_add(u64::from(entry & (u32::MAX >> 1))))
        };
        let is_packed = u32_at(&entries, 0).unwrap_or(0) >> 31 == 1;
        let start = place(0).unwrap_or(0);
        let end = place(4).unwrap_or(table.end);
        // A packed chunk that does not shrink is stored, so it is never much larger.
        let size = end.checked_sub(start).filter(|size| *size <= self.chunk_bytes + (64 << 10));
        let size = size.ok_or_else(|| damaged(format!("chunk {number} from {start} to {end}")))?;
        let mut bytes = exactly(store, start, usize::try_from(size).unwrap_or(usize::MAX))?;
        let due = self.chunk_bytes.min(self.size_bytes - number * self.chunk_bytes) as usize;
        if is_packed {
            let mut unpacked = Vec::with_capacity(self.chunk_bytes as usize + 1);
            let status = Decompress::new(true).decompress_vec(&bytes, &mut unpacked, FlushDecompress::Finish);
            if unpacked.len() < due || !matches!(status, Ok(Status::StreamEnd)) {
                return Err(damaged(format!("chunk {number}, which does not unpack")));
            }
            return Ok(unpacked);
        }
        if bytes.len() < due {
            return Err(damaged(format!("chunk {number} of {} bytes", bytes.len())));
        }
        if let Some(sum) = u32_at(&bytes, due)
            && sum != adler32(&bytes[..due])
        {
            let wanted = "a chunk whose checksum holds";
            self.faults.push(Problem::new(
                "bad-checksum",
                number * self.chunk_bytes,
                wanted,
                "another; it is read",
            ));
        }
        bytes.truncate(due);
        Ok(bytes)
    }
}

impl ReadAt for Ewf<'_> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        if at >= self.size_bytes || into.is_empty() {
            return Ok(0);
        }
        let chunk = self.chunk(at / self.chunk_bytes)?;
        let within = (at % self.chunk_bytes) as usize;
        let left = usize::try_from(self.size_bytes - at).unwrap_or(usize::MAX);
        let rest =
            chunk.get(within..).filter(|rest| !rest.is_empty()).ok_or_else(|| ended(self.size_bytes))?;
        let read = rest.len().min(into.len()).min(left);
        into[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}

fn damaged(found: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, found)
}

/// Whether the checksum behind a table's entries is theirs.
fn sum_holds(store: &dyn ReadAt, at: u64, size_bytes: u64) -> bool {
    // Tables have 64 KiB as a rule; one that claims gigabytes is not summed.
    let len = usize::try_from(size_bytes).ok().filter(|len| *len <= 64 << 20);
    let Some(Ok(bytes)) = len.map(|len| exactly(store, at, len + 4)) else { return false };
    let (entries, sum) = bytes.split_at(bytes.len() - 4);
    u32_at(sum, 0) == Some(adler32(entries))
}
