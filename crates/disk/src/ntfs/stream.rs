//! The content of a stream at random access: clusters, holes, packed clusters.

use super::lznt1;
use super::runs::Runs;
use crate::ReadAt;
use crate::read_at::{ended, fill};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Packed clusters unpacked together; 64 KiB as Windows makes them.
const UNIT_BYTES_MAX: u64 = 1 << 20;

/// A stream in clusters.
pub(crate) struct Clusters<'a> {
    pub(crate) volume: Arc<dyn ReadAt + 'a>,
    pub(crate) cluster_bytes: u64,
    pub(crate) runs: Arc<Runs>,
    pub(crate) size_bytes: u64,
    /// What was ever written; zeros follow.
    pub(crate) written_bytes: u64,
    /// Where clusters are packed.
    pub(crate) units: Option<Units>,
}

/// Clusters that are packed together.
pub(crate) struct Units {
    pub(crate) clusters: u64,
    /// The one that was unpacked last.
    pub(crate) kept: Mutex<Option<(u64, Vec<u8>)>>,
}

impl ReadAt for Clusters<'_> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size_bytes.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        let into = &mut into[..wanted];
        if into.is_empty() {
            return Ok(0);
        }
        if at >= self.written_bytes {
            into.fill(0);
            return Ok(wanted);
        }
        let written = usize::try_from(self.written_bytes - at).unwrap_or(usize::MAX);
        let into = &mut into[..wanted.min(written)];
        match &self.units {
            Some(units) => self.read_packed(units, at, into),
            None => self.read_plain(at, into),
        }
    }
}

impl Clusters<'_> {
    /// Reads from one run.
    fn read_plain(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let cluster = at / self.cluster_bytes;
        let Some(run) = self.runs.find(cluster) else {
            return Err(no_clusters(self.runs.end() * self.cluster_bytes));
        };
        let within = at - run.first * self.cluster_bytes;
        let left = run.clusters * self.cluster_bytes - within;
        let wanted = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let Some(place) = run.place else {
            into[..wanted].fill(0);
            return Ok(wanted);
        };
        match self.volume.read_at(place * self.cluster_bytes + within, &mut into[..wanted])? {
            0 => Err(ended(self.volume.size_bytes())),
            read => Ok(read),
        }
    }

    fn read_packed(&self, units: &Units, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let unit_bytes = units.clusters * self.cluster_bytes;
        if unit_bytes > UNIT_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("clusters packed by {unit_bytes} bytes"),
            ));
        }
        let (unit, within) = (at / unit_bytes, (at % unit_bytes) as usize);
        let mut kept = units.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|(known, _)| *known != unit) {
            *kept = None;
            *kept = Some((unit, self.unpack(unit * units.clusters, units.clusters)?));
        }
        let bytes = kept.as_ref().and_then(|(_, bytes)| bytes.get(within..)).unwrap_or_default();
        let read = bytes.len().min(into.len());
        into[..read].copy_from_slice(&bytes[..read]);
        Ok(read)
    }

    /// Unpacks the clusters from `first` on: stored when all of them lie on the
    /// volume, zeros when none does, else packed.
    fn unpack(&self, first: u64, clusters: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; (clusters * self.cluster_bytes) as usize];
        let mut on_volume = 0;
        for cluster in first..first + clusters {
            let Some(run) = self.runs.find(cluster) else { break };
            let Some(place) = run.place else { continue };
            let at = (place + cluster - run.first) * self.cluster_bytes;
            let start = (on_volume * self.cluster_bytes) as usize;
            let into = &mut bytes[start..start + self.cluster_bytes as usize];
            if fill(self.volume.as_ref(), at, into)? < into.len() {
                return Err(ended(self.volume.size_bytes()));
            }
            on_volume += 1;
        }
        if on_volume == 0 && first >= self.runs.end() {
            return Err(no_clusters(self.runs.end() * self.cluster_bytes));
        }
        if on_volume == 0 || on_volume == clusters {
            return Ok(bytes);
        }
        let packed = bytes[..(on_volume * self.cluster_bytes) as usize].to_vec();
        if !lznt1::unpack(&packed, &mut bytes) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "packed clusters that do not unpack"));
        }
        Ok(bytes)
    }
}

fn no_clusters(from: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no clusters for what is after {from} bytes"))
}
