//! The log of a VHDX: writes that had not reached their place yet
//! ([MS-VHDX] 2.3).
//!
//! A ring of entries, each with a checksum and a number. The entry with the
//! highest number says where the oldest that still counts stands (its tail);
//! those from there on are laid over what is read.

use super::sum_holds;
use crate::ReadAt;
use crate::faults;
use crate::number::{u32_at, u64_at};
use crate::read_at::exactly;
use model::Problem;

const SECTOR_BYTES: usize = 4096;
/// Hyper-V makes logs of 1 MiB.
const LOG_BYTES_MAX: u32 = 64 << 20;
/// Bytes whose checksum is taken at most: each sector may claim to begin an
/// entry as long as the log.
const SUMMED_BYTES_MAX: usize = 256 << 20;
const WRITES_MAX: usize = 64 << 10;

/// Writes, oldest first.
#[derive(Default)]
pub(super) struct Log(Vec<Write>);

struct Write {
    at: u64,
    size_bytes: u64,
    /// `None` writes zeros.
    data: Option<Vec<u8>>,
}

struct Entry {
    number: u64,
    tail: usize,
    bytes: Vec<u8>,
}

impl Log {
    /// Reads the log of `size_bytes` at `start` as far as it is one.
    pub(super) fn read(
        store: &dyn ReadAt,
        start: u64,
        size_bytes: u32,
        guid: &[u8],
    ) -> Result<Self, Problem> {
        if size_bytes > LOG_BYTES_MAX {
            let wanted = format!("a log of at most {LOG_BYTES_MAX} bytes");
            return Err(Problem::new("limit", start, wanted, format!("{size_bytes}; it is not replayed")));
        }
        let ring = exactly(store, start, size_bytes as usize)
            .map_err(|error| faults::of_error(start, "a VHDX log", &error))?;
        let mut summed = 0;
        let mut at = 0;
        let mut newest: Option<(usize, Entry)> = None;
        while at < ring.len() && summed <= SUMMED_BYTES_MAX {
            match entry(&ring, at, guid, &mut summed) {
                Some(entry) => {
                    let next = at + entry.bytes.len();
                    if newest.as_ref().is_none_or(|(_, known)| known.number < entry.number) {
                        newest = Some((at, entry));
                    }
                    at = next;
                }
                None => at += SECTOR_BYTES,
            }
        }
        let torn = |found: &str| Problem::new("bad-image", start, "a log that can be replayed", found);
        let (head, newest) = newest.ok_or_else(|| torn("no whole entry; its writes are missing"))?;
        let mut log = Self::default();
        let mut at = newest.tail;
        let mut number = None;
        loop {
            let entry = entry(&ring, at, guid, &mut summed)
                .filter(|entry| number.is_none_or(|number: u64| number.checked_add(1) == Some(entry.number)))
                .ok_or_else(|| torn("a torn sequence of entries; its writes are missing"))?;
            log.take(&entry.bytes).ok_or_else(|| torn("an entry that lies about its writes"))?;
            if at == head {
                return Ok(log);
            }
            number = Some(entry.number);
            at = (at + entry.bytes.len()) % ring.len();
        }
    }

    /// Takes the writes of one entry.
    fn take(&mut self, entry: &[u8]) -> Option<()> {
        let count = u32_at(entry, 24)? as usize;
        let descriptors = entry.get(64..64usize.checked_add(count.checked_mul(32)?)?)?;
        let mut sector = (64 + descriptors.len()).next_multiple_of(SECTOR_BYTES);
        for descriptor in descriptors.chunks_exact(32) {
            let at = u64_at(descriptor, 16)?;
            let (size_bytes, data) = match &descriptor[..4] {
                b"zero" => (u64_at(descriptor, 8)?, None),
                b"desc" => {
                    let written = entry.get(sector..sector + SECTOR_BYTES)?;
                    sector += SECTOR_BYTES;
                    // The sector's own first 8 and last 4 bytes hold marks; what belongs there
                    // stands in the descriptor.
                    let (leading, trailing) = (&descriptor[8..16], &descriptor[4..8]);
                    (SECTOR_BYTES as u64, Some([leading, &written[8..SECTOR_BYTES - 4], trailing].concat()))
                }
                _ => return None,
            };
            if self.0.len() >= WRITES_MAX {
                return None;
            }
            self.0.push(Write { at, size_bytes, data });
        }
        Some(())
    }

    /// Lays the writes over `bytes`, which were read at `at`.
    pub(super) fn apply(&self, at: u64, bytes: &mut [u8]) {
        let end = at.saturating_add(bytes.len() as u64);
        for write in &self.0 {
            let start = write.at.max(at);
            let stop = write.at.saturating_add(write.size_bytes).min(end);
            if start >= stop {
                continue;
            }
            let into = &mut bytes[(start - at) as usize..(stop - at) as usize];
            match &write.data {
                Some(data) => {
                    into.copy_from_slice(&data[(start - write.at) as usize..(stop - write.at) as usize])
                }
                None => into.fill(0),
            }
        }
    }
}

/// The entry at `at` in the ring, when it is whole.
fn entry(ring: &[u8], at: usize, guid: &[u8], summed: &mut usize) -> Option<Entry> {
    let header = ring.get(at..at + 64)?;
    let len = u32_at(header, 8)? as usize;
    let is_sound = header.starts_with(b"loge")
        && len >= SECTOR_BYTES
        && len.is_multiple_of(SECTOR_BYTES)
        && len <= ring.len()
        && &header[32..48] == guid;
    if !is_sound {
        return None;
    }
    *summed += len;
    if *summed > SUMMED_BYTES_MAX {
        return None;
    }
    let first = len.min(ring.len() - at);
    let bytes = [&ring[at..at + first], &ring[..len - first]].concat();
    let (number, tail) = (u64_at(&bytes, 16)?, u32_at(&bytes, 12)? as usize);
    (sum_holds(&bytes) && tail.is_multiple_of(SECTOR_BYTES)).then_some(Entry { number, tail, bytes })
}
