//! VHDX, Hyper-V's disk ([MS-VHDX]).
//!
//! Two headers, of which the one with the higher number counts; two equal
//! region tables; a region of metadata; and a table of blocks, which is asked
//! block by block. What the log still holds is laid over all of it.

mod log;

use crate::ReadAt;
use crate::blocks::{self, Blocks};
use crate::crc::crc32c;
use crate::faults::{self, Faults};
use crate::number::{u16_at, u32_at, u64_at};
use crate::read_at::{ended, exactly, fill};
use log::Log;
use model::Problem;
use std::io;
use std::sync::Arc;

/// How it begins.
pub(crate) const MAGIC: &[u8] = b"vhdxfile";

const HEADERS: [u64; 2] = [64 << 10, 128 << 10];
const REGION_TABLES: [u64; 2] = [192 << 10, 256 << 10];
const REGION_TABLE_BYTES: usize = 64 << 10;
/// The specification lets no region table have more.
const REGIONS_MAX: u32 = 2_047;
const METADATA_BYTES: usize = 64 << 10;
const METADATA_ENTRIES_MAX: u16 = 2_047;
const BLOCK_BYTES_MAX: u64 = 256 << 20;
const DISK_BYTES_MAX: u64 = 64 << 40;

type Guid = [u8; 16];
const BAT: Guid = *b"\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08";
const METADATA: Guid = *b"\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e";
const FILE_PARAMETERS: Guid = *b"\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b";
const DISK_SIZE: Guid = *b"\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8";
const SECTOR_SIZE: Guid = *b"\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f";

/// A disk, over its container and what its log holds.
pub(crate) struct Vhdx<'a> {
    container: Container<'a>,
    size_bytes: u64,
    block_bytes: u64,
    /// Blocks between two entries of the table that stand for a bitmap.
    chunk_blocks: u64,
    table: Region,
}

#[derive(Clone, Copy)]
struct Region {
    start: u64,
    size_bytes: u64,
}

/// The file's bytes as they are once its log was replayed.
struct Container<'a> {
    store: Arc<dyn ReadAt + 'a>,
    log: Log,
}

impl Container<'_> {
    fn exactly(&self, at: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = exactly(self.store.as_ref(), at, len)?;
        self.log.apply(at, &mut bytes);
        Ok(bytes)
    }
}

impl<'a> Vhdx<'a> {
    pub(crate) fn open(store: Arc<dyn ReadAt + 'a>, faults: &Faults) -> Result<Self, Problem> {
        let log = read_log(store.as_ref(), faults);
        let container = Container { store, log };
        let (table, metadata) = regions(&container, faults)?;
        let bytes = container
            .exactly(metadata.start, METADATA_BYTES.min(usize::try_from(metadata.size_bytes).unwrap_or(0)))
            .map_err(|error| faults::of_error(metadata.start, "a metadata table", &error))?;
        let item = |guid| item(&container, metadata, &bytes, guid);
        let parameters = item(FILE_PARAMETERS)?;
        let block_bytes = u64::from(u32_at(&parameters, 0).unwrap_or(0));
        let size_bytes = u64_at(&item(DISK_SIZE)?, 0).unwrap_or(0);
        let sector_bytes = u64::from(u32_at(&item(SECTOR_SIZE)?, 0).unwrap_or(0));
        if u32_at(&parameters, 4).unwrap_or(0) & 2 != 0 {
            let found = "a differencing disk; its parent is another file";
            return Err(Problem::new("unsupported-image", metadata.start, "a disk of its own", found));
        }
        let is_sound = block_bytes.is_power_of_two()
            && (1 << 20..=BLOCK_BYTES_MAX).contains(&block_bytes)
            && matches!(sector_bytes, 512 | 4096)
            && size_bytes <= DISK_BYTES_MAX;
        if !is_sound {
            let found = format!("blocks of {block_bytes}, sectors of {sector_bytes}, {size_bytes} in all");
            return Err(Problem::new("bad-image", metadata.start, "sizes that a VHDX can have", found));
        }
        let chunk_blocks = (sector_bytes << 23) / block_bytes;
        Ok(Self { container, size_bytes, block_bytes, chunk_blocks, table })
    }
}

impl Blocks for Vhdx<'_> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn block_bytes(&self) -> u64 {
        self.block_bytes
    }

    fn start(&self, block: u64) -> io::Result<Option<u64>> {
        let place = 8 * (block + block / self.chunk_blocks);
        if place + 8 > self.table.size_bytes {
            return Err(ended(self.table.size_bytes));
        }
        let entry = u64_at(&self.container.exactly(self.table.start + place, 8)?, 0).unwrap_or(0);
        match entry & 7 {
            // Never written, undefined, zero, unmapped.
            0..=3 => Ok(None),
            6 => Ok(Some(entry >> 20 << 20)),
            state => {
                let text = format!("a block in state {state}");
                Err(io::Error::new(io::ErrorKind::InvalidData, text))
            }
        }
    }

    fn read_container(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let read = fill(self.container.store.as_ref(), at, into)?;
        self.container.log.apply(at, &mut into[..read]);
        Ok(read)
    }

    fn container_bytes(&self) -> u64 {
        self.container.store.size_bytes()
    }
}

impl ReadAt for Vhdx<'_> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        blocks::read_at(self, at, into)
    }
}

/// What the log of the header that counts holds; nothing when there is none
/// to be trusted.
fn read_log(store: &dyn ReadAt, faults: &Faults) -> Log {
    let mut best: Option<(u64, Vec<u8>)> = None;
    for at in HEADERS {
        let Ok(header) = exactly(store, at, 4096) else { continue };
        if !header.starts_with(b"head") || !sum_holds(&header) {
            faults.push(Problem::new("bad-checksum", at, "a VHDX header whose checksum holds", "another"));
            continue;
        }
        let number = u64_at(&header, 8).unwrap_or(0);
        if best.as_ref().is_none_or(|(known, _)| *known < number) {
            best = Some((number, header));
        }
    }
    let Some((_, header)) = best else { return Log::default() };
    let guid = &header[48..64];
    let (size_bytes, start) = (u32_at(&header, 68).unwrap_or(0), u64_at(&header, 72).unwrap_or(0));
    if guid == [0; 16] || size_bytes == 0 {
        return Log::default();
    }
    match Log::read(store, start, size_bytes, guid) {
        Ok(log) => log,
        Err(problem) => {
            faults.push(problem);
            Log::default()
        }
    }
}

/// Whether the CRC-32C at 4 is that of the bytes with zeros in its place.
fn sum_holds(bytes: &[u8]) -> bool {
    let mut zeroed = bytes.to_vec();
    zeroed[4..8].fill(0);
    u32_at(bytes, 4) == Some(crc32c(&zeroed))
}

/// Where the table of blocks and the metadata stand. A table whose checksum
/// does not hold is used when the other is no better.
fn regions(container: &Container<'_>, faults: &Faults) -> Result<(Region, Region), Problem> {
    let mut spoilt = None;
    for at in REGION_TABLES {
        let Ok(bytes) = container.exactly(at, REGION_TABLE_BYTES) else { continue };
        let found = region(&bytes, BAT).zip(region(&bytes, METADATA));
        if bytes.starts_with(b"regi") && sum_holds(&bytes) && found.is_some() {
            return found.ok_or_else(|| no_regions(at));
        }
        faults.push(Problem::new("bad-checksum", at, "a region table whose checksum holds", "another"));
        spoilt = spoilt.or(found.filter(|_| bytes.starts_with(b"regi")));
    }
    spoilt.ok_or_else(|| no_regions(REGION_TABLES[0]))
}

fn no_regions(at: u64) -> Problem {
    Problem::new("bad-image", at, "a VHDX region table", "none that names blocks and metadata")
}

fn region(table: &[u8], guid: Guid) -> Option<Region> {
    let count = u32_at(table, 8)?.min(REGIONS_MAX) as usize;
    let entry = (0..count).filter_map(|index| table.get(16 + 32 * index..48 + 32 * index));
    let entry = entry.into_iter().find(|entry| entry.starts_with(&guid))?;
    Some(Region { start: u64_at(entry, 16)?, size_bytes: u64::from(u32_at(entry, 24)?) })
}

/// The bytes of one item of the metadata; all that we ask for are short.
fn item(container: &Container<'_>, metadata: Region, table: &[u8], guid: Guid) -> Result<Vec<u8>, Problem> {
    let missing = || Problem::new("bad-image", metadata.start, "sizes in the metadata", "no such item");
    let count = u16_at(table, 10).filter(|_| table.starts_with(b"metadata")).ok_or_else(missing)?;
    let entries = (0..usize::from(count.min(METADATA_ENTRIES_MAX)))
        .filter_map(|index| table.get(32 + 32 * index..64 + 32 * index));
    let entry = entries.into_iter().find(|entry| entry.starts_with(&guid)).ok_or_else(missing)?;
    let (offset, len) = (u32_at(entry, 16).unwrap_or(0), u32_at(entry, 20).unwrap_or(0));
    let at = metadata.start.saturating_add(u64::from(offset));
    container.exactly(at, len.min(16) as usize).map_err(|error| faults::of_error(at, "an item", &error))
}
