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

    /// Whether some cluster of a deleted stream is in use again.
    pub fn is_overwritten(&self, stream: &Stream, volume: &Volume<'_>) -> bool {
        let Some(runs) = stream.runs() else { return false };
        let mut left = stream.size_bytes.div_ceil(volume.cluster_bytes());
        for run in runs.places() {
            let start = run.place.unwrap_or(0);
            let count = run.clusters.min(left);
            if (start..start + count).any(|cluster| self.is_used(cluster)) {
                return true;
            }
            left -= count;
        }
        false
    }

    fn is_used(&self, cluster: u64) -> bool {
        let byte = usize::try_from(cluster / 8).ok().and_then(|at| self.0.get(at));
        byte.is_some_and(|byte| byte >> (cluster % 8) & 1 == 1)
    }
}
