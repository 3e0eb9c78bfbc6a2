//! `$Bitmap`: which clusters are in use, so that a deleted file's content can
//! be told from what was written over it.

use super::entry::Stream;
use super::volume::Volume;
use crate::read_at::fill;

/// The record of `$Bitmap`.
const NUMBER: u64 = 6;
/// For a volume of 8 TiB with clusters of 4 KiB.
const BYTES_MAX: u64 = 256 << 20;

/// One bit for each cluster.
pub struct Bitmap(Vec<u8>);

impl Bitmap {
    /// Reads it; `None` when it cannot be, or is too large to be kept.
    pub fn read(volume: &Volume<'_>) -> Option<Self> {
        let entry = volume.entry_at(NUMBER)?;
        let stream = entry.streams.iter().find(|stream| stream.name.is_empty())?;
        let size = stream.size_bytes.min(volume.clusters().div_ceil(8));
        let mut bytes = vec![0; usize::try_from(size).ok().filter(|size| *size as u64 <= BYTES_MAX)?];
        let read = fill(stream.open(volume).as_ref(), 0, &mut bytes).ok()?;
        bytes.truncate(read);
        Some(Self(bytes))
    }

    /// How much of a deleted stream lies before the first of its clusters that
    /// is in use again.
    pub fn free_bytes(&self, stream: &Stream, volume: &Volume<'_>) -> u64 {
        let Some(runs) = stream.runs() else { return stream.size_bytes };
        let end = stream.size_bytes.div_ceil(volume.cluster_bytes());
        for run in runs.places().take_while(|run| run.first < end) {
            let start = run.place.unwrap_or(0);
            let count = run.clusters.min(end - run.first);
            if let Some(used) = (0..count).find(|index| self.is_used(start + index)) {
                return ((run.first + used) * volume.cluster_bytes()).min(stream.size_bytes);
            }
        }
        stream.size_bytes
    }

    fn is_used(&self, cluster: u64) -> bool {
        let byte = usize::try_from(cluster / 8).ok().and_then(|at| self.0.get(at));
        byte.is_some_and(|byte| byte >> (cluster % 8) & 1 == 1)
    }
}
