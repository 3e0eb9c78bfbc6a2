//! VHD, Virtual PC's disk: those that grow. One of fixed size is a raw disk
//! with a footer.
//!
//! A copy of the footer begins the file, then comes the header that says where
//! the table of blocks stands. Each block follows a bitmap of its sectors;
//! sectors never written are zeros there, so the bitmap is not asked.

use crate::ReadAt;
use crate::blocks::{self, Blocks};
use crate::faults::{self, Faults};
use crate::read_at::exactly;
use model::Problem;
use std::io;
use std::sync::Arc;

/// How a disk that grows begins.
pub(crate) const MAGIC: &[u8] = b"conectix";
const SECTOR_BYTES: u64 = 512;
/// The table says that the block was never written.
const NO_BLOCK: u32 = u32::MAX;
/// Most disks have blocks of 2 MiB.
const BLOCK_BYTES_MAX: u64 = 256 << 20;

/// A disk that grows.
pub(crate) struct Vhd<'a> {
    store: Arc<dyn ReadAt + 'a>,
    size_bytes: u64,
    table: u64,
    blocks: u64,
    block_bytes: u64,
    bitmap_bytes: u64,
}

impl<'a> Vhd<'a> {
    pub(crate) fn open(store: Arc<dyn ReadAt + 'a>, faults: &Faults) -> Result<Self, Problem> {
        let read = |at, len, wanted| {
            exactly(store.as_ref(), at, len).map_err(|error| faults::of_error(at, wanted, &error))
        };
        let footer = read(0, 512, "a VHD footer")?;
        if footer_sum(&footer, 64) != be_u32(&footer, 64) {
            faults.push(Problem::new("bad-checksum", 0, "a VHD footer whose checksum holds", "another"));
        }
        let disk_type = be_u32(&footer, 60);
        if disk_type != 3 {
            let found = match disk_type {
                4 => "a differencing disk; its parent is another file".to_owned(),
                other => format!("type {other}"),
            };
            return Err(Problem::new("unsupported-image", 60, "a dynamic disk (type 3)", found));
        }
        let at = be_u64(&footer, 16);
        let header = read(at, 1024, "a VHD disk header")?;
        if !header.starts_with(b"cxsparse") {
            return Err(Problem::new("bad-image", at, "a VHD disk header (cxsparse)", "another beginning"));
        }
        if footer_sum(&header, 36) != be_u32(&header, 36) {
            faults.push(Problem::new(
                "bad-checksum",
                at,
                "a VHD disk header whose checksum holds",
                "another",
            ));
        }
        let block_bytes = u64::from(be_u32(&header, 32));
        if !block_bytes.is_power_of_two() || !(SECTOR_BYTES..=BLOCK_BYTES_MAX).contains(&block_bytes) {
            let found = format!("{block_bytes} bytes");
            return Err(Problem::new("bad-image", at + 32, "a block size that is a power of two", found));
        }
        let (blocks, claimed) = (u64::from(be_u32(&header, 28)), be_u64(&footer, 48));
        let held = blocks * block_bytes;
        if claimed > held {
            let wanted = format!("blocks for {claimed} bytes");
            faults.push(Problem::new("bad-image", at + 28, wanted, format!("for {held}")));
        }
        let bitmap_bytes = (block_bytes / SECTOR_BYTES / 8).next_multiple_of(SECTOR_BYTES);
        let size_bytes = claimed.min(held);
        Ok(Self { size_bytes, table: be_u64(&header, 16), blocks, block_bytes, bitmap_bytes, store })
    }
}

impl Blocks for Vhd<'_> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn block_bytes(&self) -> u64 {
        self.block_bytes
    }

    fn start(&self, block: u64) -> io::Result<Option<u64>> {
        debug_assert!(block < self.blocks);
        let place = self.table.checked_add(4 * block).ok_or(io::ErrorKind::InvalidData)?;
        let sector = be_u32(&exactly(self.store.as_ref(), place, 4)?, 0);
        Ok((sector != NO_BLOCK).then(|| u64::from(sector) * SECTOR_BYTES + self.bitmap_bytes))
    }

    fn read_container(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.store.read_at(at, into)
    }

    fn container_bytes(&self) -> u64 {
        self.store.size_bytes()
    }
}

impl ReadAt for Vhd<'_> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        blocks::read_at(self, at, into)
    }
}

/// The sum of all bytes but the four of the sum itself, inverted.
fn footer_sum(bytes: &[u8], sum_at: usize) -> u32 {
    let counted = bytes.iter().enumerate().filter(|(at, _)| !(sum_at..sum_at + 4).contains(at));
    !counted.fold(0u32, |sum, (_, byte)| sum.wrapping_add(u32::from(*byte)))
}

/// Big-endian, as all of a VHD; the slices are longer than what is asked for.
fn be_u32(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn be_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from(be_u32(bytes, at)) << 32 | u64::from(be_u32(bytes, at + 4))
}
