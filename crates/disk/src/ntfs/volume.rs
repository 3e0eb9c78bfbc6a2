//! A volume: its boot sector, its `$MFT`, and the entries in it.

use super::entry::{Entry, Parts, Stream};
use super::folders::Folders;
use super::record::{Content, Record, Reference, kind};
use super::{MFT, runs::Runs, stream::Clusters};
use crate::faults::{self, Faults};
use crate::number::{u16_at, u64_at};
use crate::partition::{Place, is_ntfs};
use crate::read_at::{exactly, fill};
use crate::{Limits, ReadAt, Slice};
use model::Problem;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SECTOR_BYTES: u64 = 512;
/// Records read at once when all are.
const WALK_BYTES: usize = 1 << 20;
/// NTFS lets no attribute list have more than 256 KiB.
const LIST_BYTES_MAX: u64 = 1 << 20;
/// Bytes that entries may spill over to, per byte of the `$MFT` (deleted ones
/// are looked at twice), and for any table.
const SPILL_RATIO_MAX: u64 = 8;
const SPILL_BYTES_MIN: u64 = 16 << 20;

/// An NTFS volume.
pub struct Volume<'a> {
    store: Arc<dyn ReadAt + 'a>,
    /// Where it begins on the disk, for problems.
    start: u64,
    geometry: Geometry,
    mft: Arc<dyn ReadAt + 'a>,
    /// How many entries the `$MFT` has.
    entries: u64,
    /// Bytes of lists and records that entries may still spill over to. Honest
    /// ones share out the table among them; liars may all name all of it.
    spill_bytes_left: AtomicU64,
    limits: Limits,
    faults: Faults,
}

#[derive(Clone, Copy)]
struct Geometry {
    cluster_bytes: u64,
    clusters: u64,
    record_bytes: usize,
    mft_cluster: u64,
    mirror_cluster: u64,
}

impl<'a> Volume<'a> {
    /// Finds the `$MFT` of the volume at `place` on `disk`.
    ///
    /// # Errors
    /// When neither boot sector, or neither copy of the table's own record,
    /// says where it is.
    pub fn open(
        disk: &Arc<dyn ReadAt + 'a>,
        place: &Place,
        limits: &Limits,
        faults: &Faults,
    ) -> Result<Self, Problem> {
        let store: Arc<dyn ReadAt + 'a> =
            Arc::new(Slice::new(Arc::clone(disk), place.start, place.size_bytes));
        let geometry = boot_sectors(store.as_ref(), place, faults)?;
        let held = disk.size_bytes().saturating_sub(place.start);
        let claimed = geometry.clusters.saturating_mul(geometry.cluster_bytes);
        if claimed > held {
            let wanted = format!("a volume of {claimed} bytes, as its boot sector says");
            faults.push(Problem::new("truncated", disk.size_bytes(), wanted, format!("{held}")));
        }
        let mut volume = Self {
            mft: Arc::new(Vec::new()),
            entries: 0,
            spill_bytes_left: AtomicU64::new(SPILL_BYTES_MIN),
            store,
            start: place.start,
            geometry,
            limits: limits.clone(),
            faults: faults.clone(),
        };
        let copies = [geometry.mft_cluster, geometry.mirror_cluster];
        let first = copies.into_iter().find_map(|cluster| volume.own_record(cluster));
        let at = place.start.saturating_add(geometry.mft_cluster.saturating_mul(geometry.cluster_bytes));
        let first = first
            .ok_or_else(|| Problem::new("bad-record", at, "the $MFT's own record, or its copy", "neither"))?;
        // What continues its own record lies in the part that the record tells.
        volume.mft = first.open(&volume);
        let whole = volume.entry_at(MFT).and_then(|entry| own_stream(entry.streams));
        let whole = whole.filter(|whole| whole.is_whole || !first.is_whole).unwrap_or(first);
        volume.mft = whole.open(&volume);
        // The table has no holes, so what it claims beyond its clusters is not there.
        let bytes = whole.size_bytes.min(whole.allocated_bytes(&volume));
        volume.entries = bytes / geometry.record_bytes as u64;
        let spill_bytes = SPILL_BYTES_MIN.saturating_add(bytes.saturating_mul(SPILL_RATIO_MAX));
        volume.spill_bytes_left = AtomicU64::new(spill_bytes);
        Ok(volume)
    }

    /// The content of the `$MFT` as one copy of its own record tells it.
    fn own_record(&self, cluster: u64) -> Option<Stream> {
        let at = cluster.checked_mul(self.geometry.cluster_bytes)?;
        let mut bytes = exactly(self.store.as_ref(), at, self.geometry.record_bytes).ok()?;
        let (record, _) = Record::parse(&mut bytes, self.start.saturating_add(at)).ok()??;
        let mut parts = self.parts(MFT, &record);
        parts.take(&record);
        own_stream(parts.finish().streams).filter(|stream| stream.size_bytes > 0)
    }

    fn parts(&self, number: u64, record: &Record<'_>) -> Parts {
        let Geometry { clusters, cluster_bytes, .. } = self.geometry;
        Parts::new(number, record, clusters, cluster_bytes, self.limits.runs_max)
    }

    /// How many bytes a cluster has.
    pub fn cluster_bytes(&self) -> u64 {
        self.geometry.cluster_bytes
    }

    pub(crate) fn clusters(&self) -> u64 {
        self.geometry.clusters
    }

    pub(crate) fn store(&self) -> Arc<dyn ReadAt + 'a> {
        Arc::clone(&self.store)
    }

    /// Shows each record of the `$MFT` by its number, as it stands on the disk.
    /// Those that cannot be read are told as one problem.
    pub fn walk(&self, each: &mut dyn FnMut(u64, &mut [u8])) {
        let record_bytes = self.geometry.record_bytes;
        let count = self.entries;
        if count > self.limits.entries_max {
            let wanted = format!("at most {} entries in the $MFT", self.limits.entries_max);
            self.faults.push(Problem::new(
                "limit",
                self.start,
                wanted,
                format!("{count}; the rest is not read"),
            ));
        }
        let end = count.min(self.limits.entries_max) * record_bytes as u64;
        let mut buffer = vec![0; WALK_BYTES];
        let (mut at, mut lost) = (0, 0);
        let mut failed: Option<(u64, io::Error)> = None;
        while at < end {
            let wanted = WALK_BYTES.min(usize::try_from(end - at).unwrap_or(WALK_BYTES));
            let read = match fill(self.mft.as_ref(), at, &mut buffer[..wanted]) {
                Ok(read) if read >= record_bytes => read,
                // Some of these may be readable.
                _ => match fill(self.mft.as_ref(), at, &mut buffer[..record_bytes]) {
                    Ok(read) if read == record_bytes => read,
                    failure => {
                        let error = failure.err().unwrap_or(io::ErrorKind::UnexpectedEof.into());
                        failed.get_or_insert((at, error));
                        lost += 1;
                        at += record_bytes as u64;
                        continue;
                    }
                },
            };
            for record in buffer[..read].chunks_exact_mut(record_bytes) {
                each(at / record_bytes as u64, record);
                at += record_bytes as u64;
            }
        }
        if let Some((at, error)) = failed {
            let wanted = format!("$MFT entry {} of the volume at {}", at / record_bytes as u64, self.start);
            self.faults.push(faults::of_error(self.start, &wanted, &error).losing(lost));
        }
    }

    /// All folders.
    pub fn folders(&self) -> Folders {
        let mut folders = Folders::new(&self.limits);
        self.walk(&mut |number, bytes| {
            if let Ok(Some((record, _))) = Record::parse(bytes, 0) {
                folders.add(number, &record);
            }
        });
        if folders.is_full() {
            let wanted = format!("at most {} folders", self.limits.folders_max);
            self.faults.push(Problem::new("limit", self.start, wanted, "more; what is in them has no path"));
        }
        folders
    }

    /// The entry whose record is `number`.
    pub fn entry_at(&self, number: u64) -> Option<Entry> {
        self.entry(number, &mut self.read_record(number)?)
    }

    /// The entry that record `number` begins; `None` when it begins none.
    pub fn entry(&self, number: u64, bytes: &mut [u8]) -> Option<Entry> {
        let (record, _) = Record::parse(bytes, 0).ok()??;
        if record.base.is_some() {
            return None;
        }
        let mut parts = self.parts(number, &record);
        parts.take(&record);
        match self.spilled(number, &record) {
            Some(others) => {
                for other in others {
                    let taken = self.take_spilled(&mut parts, number, other);
                    parts.entry.is_damaged |= taken.is_none();
                }
            }
            None => parts.entry.is_damaged = true,
        }
        Some(parts.finish())
    }

    fn take_spilled(&self, parts: &mut Parts, number: u64, other: Reference) -> Option<()> {
        self.charge(self.geometry.record_bytes as u64)?;
        let mut bytes = self.read_record(other.number)?;
        let (record, _) = Record::parse(&mut bytes, 0).ok()??;
        // It may have been used anew since this entry was deleted.
        record.base.filter(|base| base.number == number)?;
        parts.take(&record);
        Some(())
    }

    /// The records that an entry's attribute list names, without its own; `None`
    /// when the list cannot be read whole.
    fn spilled(&self, number: u64, record: &Record<'_>) -> Option<BTreeSet<Reference>> {
        let (attributes, _) = record.attributes();
        let list = attributes.iter().find(|attribute| attribute.kind == kind::ATTRIBUTE_LIST);
        let Some(list) = list else { return Some(BTreeSet::new()) };
        let bytes = match list.content {
            Content::Resident(bytes) => bytes.to_vec(),
            Content::Clusters { first_cluster, runs: list, size_bytes, .. } => {
                let mut runs = Runs::default();
                runs.push(list, first_cluster, self.geometry.clusters, self.limits.runs_max);
                let clusters = Clusters {
                    volume: self.store(),
                    cluster_bytes: self.geometry.cluster_bytes,
                    runs: Arc::new(runs),
                    size_bytes,
                    written_bytes: size_bytes,
                    units: None,
                };
                self.charge(size_bytes.min(LIST_BYTES_MAX))?;
                exactly(&clusters, 0, usize::try_from(size_bytes.min(LIST_BYTES_MAX)).ok()?).ok()?
            }
        };
        let mut others = BTreeSet::new();
        let mut at = 0;
        while at < bytes.len() {
            let (len, other) = (u16_at(&bytes, at + 4)?, u64_at(&bytes, at + 16)?);
            let other = Reference::from_u64(other);
            if other.number != number {
                others.insert(other);
            }
            if len < 26 || others.len() > self.limits.spilled_entries_max {
                return None;
            }
            at += usize::from(len);
        }
        Some(others)
    }

    /// Takes from what entries may spill over to; `None` when it is used up.
    fn charge(&self, bytes: u64) -> Option<()> {
        let left = |left: u64| left.checked_sub(bytes);
        let taken = self.spill_bytes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        if taken.is_err() {
            let wanted = "entries that share out the $MFT";
            let found = "lists that name it many times over; the rest of these is not followed";
            self.faults.push(Problem::new("limit", self.start, wanted, found));
        }
        taken.ok().map(|_| ())
    }

    fn read_record(&self, number: u64) -> Option<Vec<u8>> {
        let at = number.checked_mul(self.geometry.record_bytes as u64)?;
        exactly(self.mft.as_ref(), at, self.geometry.record_bytes).ok()
    }
}

fn own_stream(streams: Vec<Stream>) -> Option<Stream> {
    streams.into_iter().find(|stream| stream.name.is_empty())
}

/// What the boot sector says, or its copy in the volume's last sector.
fn boot_sectors(store: &dyn ReadAt, place: &Place, faults: &Faults) -> Result<Geometry, Problem> {
    let last = store.size_bytes().saturating_sub(SECTOR_BYTES);
    for at in [0, last] {
        let found = match exactly(store, at, SECTOR_BYTES as usize) {
            Ok(sector) => match geometry(&sector) {
                Some(geometry) => return Ok(geometry),
                None => "another, or sizes that NTFS cannot have".to_owned(),
            },
            Err(error) => error.to_string(),
        };
        let offset = place.start.saturating_add(at);
        faults.push(Problem::new("bad-boot-sector", offset, "an NTFS boot sector", found));
    }
    Err(Problem::new("bad-boot-sector", place.start, "an NTFS boot sector, or its copy", "neither; not read"))
}

fn geometry(sector: &[u8]) -> Option<Geometry> {
    let sector_bytes = u64::from(u16_at(sector, 11)?);
    let power = |byte: u8| 1u64.checked_shl(u32::from(byte.wrapping_neg()));
    let cluster_sectors = match *sector.get(13)? {
        // Beyond 128 sectors the power of two stands there, negative.
        large if large > 0x80 => power(large)?,
        count => u64::from(count),
    };
    let cluster_bytes = sector_bytes.checked_mul(cluster_sectors)?;
    let record_bytes = match *sector.get(64)? {
        small if small >= 0x80 => power(small)?,
        clusters => cluster_bytes.checked_mul(u64::from(clusters))?,
    };
    let is_sound = is_ntfs(sector)
        && sector_bytes.is_power_of_two()
        && (256..=4096).contains(&sector_bytes)
        && cluster_bytes.is_power_of_two()
        && cluster_bytes <= 2 << 20
        && matches!(record_bytes, 512 | 1024 | 2048 | 4096);
    if !is_sound {
        return None;
    }
    Some(Geometry {
        cluster_bytes,
        clusters: u64_at(sector, 40)?.checked_mul(sector_bytes)? / cluster_bytes,
        record_bytes: record_bytes as usize,
        mft_cluster: u64_at(sector, 48)?,
        mirror_cluster: u64_at(sector, 56)?,
    })
}
