//! Partition tables: MBR with its chain of extended ones, GPT with its second
//! copy, or none because the disk is one volume.
//!
//! Only NTFS volumes are handed on; what else stands there is a problem that
//! says what it is, because "nothing found" must not read as "nothing there".

use crate::faults::Faults;
use crate::number::{u32_at, u64_at};
use crate::read_at::{exactly, fill};
use crate::{Limits, ReadAt};
use model::Problem;
use std::collections::BTreeSet;

/// An NTFS volume of a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The partition's number, from 1; 1 as well when there is no table.
    pub number: usize,
    /// Where it begins on the disk.
    pub start: u64,
    /// How long it is, by the table.
    pub size_bytes: u64,
}

const SECTOR_BYTES: u64 = 512;
/// Sectors of disks made for 4096.
const LARGE_SECTOR_BYTES: u64 = 4096;
/// A shorter file is a copy of boot sectors, not of a disk; each NTFS volume
/// holds one (`$Boot`).
const DISK_BYTES_MIN: usize = 64 << 10;
/// A GPT has 128 entries of 128 bytes as a rule.
const GPT_BYTES_MAX: u64 = 1 << 20;

/// Whether `head`, of 64 KiB, is the beginning of a disk or of an NTFS volume.
pub fn is_disk(head: &[u8]) -> bool {
    let entries = mbr_entries(head);
    let has_table =
        gpt_at(head).is_some() || (!entries.is_empty() && entries.iter().all(|entry| entry.is_sound));
    head.len() >= DISK_BYTES_MIN && (is_ntfs(head) || has_table)
}

/// Whether a boot sector is that of an NTFS volume.
pub(crate) fn is_ntfs(sector: &[u8]) -> bool {
    sector.get(3..11) == Some(b"NTFS    ") && sector.get(510..512) == Some(b"\x55\xaa")
}

/// The NTFS volumes of a disk, in the order of its table.
pub fn volumes(disk: &dyn ReadAt, limits: &Limits, faults: &Faults) -> Vec<Place> {
    let mut head = vec![0; 64 << 10];
    let read = fill(disk, 0, &mut head).unwrap_or(0);
    head.truncate(read);
    if is_ntfs(&head) {
        return vec![Place { number: 1, start: 0, size_bytes: disk.size_bytes() }];
    }
    let mut search = Search { disk, limits, faults, found: Vec::new() };
    match gpt_at(&head) {
        Some(sector_bytes) => search.gpt(sector_bytes),
        None if mbr_entries(&head).iter().any(|entry| entry.kind == 0xee) => search.gpt(SECTOR_BYTES),
        None => search.mbr(&head),
    }
    let places = std::mem::take(&mut search.found);
    let volumes: Vec<Place> = places.into_iter().filter(|place| search.is_volume(place)).collect();
    if volumes.is_empty() {
        faults.push(Problem::new("unsupported-filesystem", 0, "an NTFS volume", "none on this disk"));
    }
    volumes
}

struct MbrEntry {
    kind: u8,
    start: u64,
    sectors: u64,
    /// Whether its status byte is one of the two that there are.
    is_sound: bool,
}

/// The entries in use of an MBR, or of a table in an extended partition.
fn mbr_entries(sector: &[u8]) -> Vec<MbrEntry> {
    if sector.get(510..512) != Some(b"\x55\xaa") {
        return Vec::new();
    }
    let entries = sector[446..510].chunks_exact(16).map(|entry| MbrEntry {
        kind: entry[4],
        start: u64::from(u32_at(entry, 8).unwrap_or(0)),
        sectors: u64::from(u32_at(entry, 12).unwrap_or(0)),
        is_sound: entry[0] & 0x7f == 0,
    });
    entries.filter(|entry| entry.kind != 0 && entry.start > 0 && entry.sectors > 0).collect()
}

fn is_extended(kind: u8) -> bool {
    matches!(kind, 0x05 | 0x0f | 0x85)
}

/// The sector size of a GPT whose header is in `head`.
fn gpt_at(head: &[u8]) -> Option<u64> {
    let sizes = [SECTOR_BYTES, LARGE_SECTOR_BYTES];
    sizes
        .into_iter()
        .find(|size| head.get(*size as usize..).is_some_and(|head| head.starts_with(b"EFI PART")))
}

struct Search<'a> {
    disk: &'a dyn ReadAt,
    limits: &'a Limits,
    faults: &'a Faults,
    found: Vec<Place>,
}

impl Search<'_> {
    fn push(&mut self, start: u64, size_bytes: u64) {
        let number = self.found.len() + 1;
        if number <= self.limits.partitions_max {
            self.found.push(Place { number, start, size_bytes });
        } else {
            let wanted = format!("at most {} partitions", self.limits.partitions_max);
            self.faults.push(Problem::new("limit", 0, wanted, "more; they are not read"));
        }
    }

    fn mbr(&mut self, head: &[u8]) {
        for entry in mbr_entries(head) {
            if is_extended(entry.kind) {
                self.extended(entry.start);
            } else {
                self.push(entry.start * SECTOR_BYTES, entry.sectors * SECTOR_BYTES);
            }
        }
    }

    /// The chain of tables in an extended partition; it may be made to loop.
    fn extended(&mut self, base: u64) {
        let mut seen = BTreeSet::new();
        let mut table = base;
        while self.found.len() < self.limits.partitions_max {
            let at = table * SECTOR_BYTES;
            if !seen.insert(table) {
                self.faults.push(Problem::new("bad-partition", at, "a further partition table", "a loop"));
                return;
            }
            let entries = match exactly(self.disk, at, SECTOR_BYTES as usize) {
                Ok(sector) => mbr_entries(&sector),
                Err(error) => {
                    self.faults.push(crate::faults::of_error(at, "a partition table", &error));
                    return;
                }
            };
            let mut next = None;
            for entry in entries {
                if is_extended(entry.kind) {
                    next = Some(base + entry.start);
                } else {
                    self.push((table + entry.start) * SECTOR_BYTES, entry.sectors * SECTOR_BYTES);
                }
            }
            match next {
                Some(next) => table = next,
                None => return,
            }
        }
    }

    /// The GPT at the beginning, or its copy in the last sector.
    fn gpt(&mut self, sector_bytes: u64) {
        let last = (self.disk.size_bytes() / sector_bytes).saturating_sub(1);
        for sector in [1, last] {
            let at = sector.saturating_mul(sector_bytes);
            match self.gpt_table(at, sector_bytes) {
                Some(()) => return,
                None => self.faults.push(Problem::new("bad-partition", at, "a GUID partition table", "none")),
            }
        }
    }

    fn gpt_table(&mut self, at: u64, sector_bytes: u64) -> Option<()> {
        let header = exactly(self.disk, at, 92).ok().filter(|header| header.starts_with(b"EFI PART"))?;
        let (table, count) = (u64_at(&header, 72)?, u64::from(u32_at(&header, 80)?));
        let entry_bytes = u64::from(u32_at(&header, 84)?);
        let size_bytes = count.checked_mul(entry_bytes).filter(|size| *size <= GPT_BYTES_MAX)?;
        if entry_bytes < 128 {
            return None;
        }
        let at = table.checked_mul(sector_bytes)?;
        let entries = exactly(self.disk, at, size_bytes as usize).ok()?;
        for entry in entries.chunks_exact(entry_bytes as usize) {
            if entry[..16] == [0; 16] {
                continue;
            }
            let (first, last) = (u64_at(entry, 32)?, u64_at(entry, 40)?);
            let sectors = last.checked_sub(first).and_then(|sectors| sectors.checked_add(1));
            let place =
                first.checked_mul(sector_bytes).zip(sectors.and_then(|n| n.checked_mul(sector_bytes)));
            match place {
                Some((start, size_bytes)) => self.push(start, size_bytes),
                None => {
                    let found = format!("sectors {first} to {last}");
                    self.faults.push(Problem::new("bad-partition", at, "a partition on the disk", found));
                }
            }
        }
        Some(())
    }

    /// Whether NTFS is there; says what is there instead.
    fn is_volume(&self, place: &Place) -> bool {
        let first = exactly(self.disk, place.start, 512);
        if first.as_ref().is_ok_and(|sector| is_ntfs(sector)) {
            return true;
        }
        // NTFS keeps a copy of its boot sector in the partition's last.
        let last = place.start.saturating_add(place.size_bytes).saturating_sub(SECTOR_BYTES);
        if exactly(self.disk, last, 512).is_ok_and(|sector| is_ntfs(&sector)) {
            return true;
        }
        let what = format!("an NTFS volume in partition {}", place.number);
        match first {
            Err(error) => self.faults.push(crate::faults::of_error(place.start, &what, &error)),
            Ok(sector) => {
                let kind = if sector.get(3..11) == Some(b"-FVE-FS-") {
                    "encrypted"
                } else {
                    "unsupported-filesystem"
                };
                self.faults.push(Problem::new(kind, place.start, what, file_system(&sector)));
            }
        }
        false
    }
}

/// What a boot sector that is not NTFS's says of itself.
fn file_system(sector: &[u8]) -> &'static str {
    match sector.get(3..11) {
        Some(b"-FVE-FS-") => "a BitLocker volume",
        Some(b"EXFAT   ") => "exFAT",
        Some(name) if name.starts_with(b"ReFS") => "ReFS",
        _ if sector.get(82..87) == Some(b"FAT32") || sector.get(54..57) == Some(b"FAT") => "FAT",
        _ if sector.iter().all(|byte| *byte == 0) => "zeros",
        _ => "another beginning",
    }
}
