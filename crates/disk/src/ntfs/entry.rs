//! One file or folder: what its record says, with the records it spills over
//! to.

use super::record::{Attribute, Content, Name, Record, Times, kind};
use super::runs::Runs;
use super::stream::{Clusters, Units};
use super::volume::Volume;
use crate::ReadAt;
use crate::number::u32_at;
use std::sync::{Arc, Mutex};

/// The tag of files that Windows packs by itself (WIM-backed, "compact OS").
const REPARSE_WOF: u32 = 0x8000_0017;
/// A hard link takes an attribute; NTFS lets no file have more than 1024.
const NAMES_MAX: usize = 1_024;
/// Streams of one file.
const STREAMS_MAX: usize = 4_096;

/// A file or folder.
#[derive(Debug, Default)]
pub struct Entry {
    /// Its record's number.
    pub number: u64,
    /// How often the record was used.
    pub sequence: u16,
    /// Whether it is in use; else it was deleted.
    pub in_use: bool,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The times of `$STANDARD_INFORMATION`, which programs can set.
    pub times: Times,
    /// One for each hard link, and short ones.
    pub names: Vec<Name>,
    /// Its own content, which has no name, and alternate streams.
    pub streams: Vec<Stream>,
    /// Whether its own content is zeros, and packed in another stream.
    pub is_packed_by_windows: bool,
    /// Whether some attribute, or a record it spills over to, could not be read.
    pub is_damaged: bool,
}

/// A stream of a file.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// Empty for the file's own content.
    pub name: String,
    /// How long it is.
    pub size_bytes: u64,
    /// Whether it is encrypted (EFS).
    pub is_encrypted: bool,
    /// Whether its list of clusters is whole.
    pub is_whole: bool,
    written_bytes: u64,
    /// Clusters packed together, where they are.
    unit_clusters: Option<u64>,
    kept: Kept,
}

#[derive(Clone, Debug)]
enum Kept {
    Resident(Vec<u8>),
    Runs(Arc<Runs>),
}

impl Default for Kept {
    fn default() -> Self {
        Kept::Resident(Vec::new())
    }
}

impl Stream {
    /// Its content at random access.
    pub fn open<'a>(&self, volume: &Volume<'a>) -> Arc<dyn ReadAt + 'a> {
        match &self.kept {
            Kept::Resident(bytes) => Arc::new(bytes.clone()),
            Kept::Runs(runs) => Arc::new(Clusters {
                volume: volume.store(),
                cluster_bytes: volume.cluster_bytes(),
                runs: Arc::clone(runs),
                size_bytes: self.size_bytes,
                written_bytes: self.written_bytes.min(self.size_bytes),
                units: self.unit_clusters.map(|clusters| Units { clusters, kept: Mutex::new(None) }),
            }),
        }
    }

    /// How much of it lies on the volume.
    pub fn allocated_bytes(&self, volume: &Volume<'_>) -> u64 {
        match &self.kept {
            Kept::Resident(bytes) => bytes.len() as u64,
            Kept::Runs(runs) => runs.allocated().saturating_mul(volume.cluster_bytes()),
        }
    }

    /// Where the first cluster that lies on the volume stands in it.
    pub fn hole_bytes(&self, volume: &Volume<'_>) -> u64 {
        let first = self.runs().and_then(|runs| runs.places().next());
        first.map_or(0, |run| run.first.saturating_mul(volume.cluster_bytes()).min(self.size_bytes))
    }

    /// How many runs of clusters it has.
    pub fn runs_count(&self) -> usize {
        self.runs().map_or(0, Runs::count)
    }

    pub(crate) fn runs(&self) -> Option<&Runs> {
        match &self.kept {
            Kept::Resident(_) => None,
            Kept::Runs(runs) => Some(runs),
        }
    }
}

/// What is gathered from the records of one entry.
pub(crate) struct Parts {
    pub(crate) entry: Entry,
    pieces: Vec<Piece>,
    clusters: u64,
    cluster_bytes: u64,
    runs_max: usize,
}

/// Runs of a stream as one record lists them.
struct Piece {
    name: String,
    first_cluster: u64,
    runs: Vec<u8>,
    /// What the first piece says of the stream.
    head: Option<Stream>,
}

impl Parts {
    pub(crate) fn new(
        number: u64,
        record: &Record<'_>,
        clusters: u64,
        cluster_bytes: u64,
        runs_max: usize,
    ) -> Self {
        let (sequence, in_use, is_folder) = (record.sequence, record.in_use, record.is_folder);
        let entry = Entry { number, sequence, in_use, is_folder, ..Entry::default() };
        Self { entry, pieces: Vec::new(), clusters, cluster_bytes, runs_max }
    }

    /// Takes the attributes of one record.
    pub(crate) fn take(&mut self, record: &Record<'_>) {
        let (attributes, is_whole) = record.attributes();
        self.entry.is_damaged |= !is_whole;
        for attribute in attributes {
            match attribute.kind {
                kind::STANDARD_INFORMATION => {
                    self.entry.times = attribute.times().unwrap_or(self.entry.times);
                }
                kind::FILE_NAME if self.entry.names.len() < NAMES_MAX => match attribute.file_name() {
                    Some(name) => self.entry.names.push(name),
                    None => self.entry.is_damaged = true,
                },
                kind::DATA if self.entry.streams.len() + self.pieces.len() < STREAMS_MAX => {
                    self.data(&attribute)
                }
                kind::FILE_NAME | kind::DATA => self.entry.is_damaged = true,
                kind::REPARSE_POINT => {
                    let tag = attribute.resident().and_then(|bytes| u32_at(bytes, 0));
                    self.entry.is_packed_by_windows |= tag == Some(REPARSE_WOF);
                }
                _ => {}
            }
        }
    }

    fn data(&mut self, attribute: &Attribute<'_>) {
        let (name, is_encrypted) = (attribute.name(), attribute.is_encrypted());
        match attribute.content {
            Content::Resident(bytes) => self.entry.streams.push(Stream {
                name,
                size_bytes: bytes.len() as u64,
                is_encrypted,
                is_whole: true,
                kept: Kept::Resident(bytes.to_vec()),
                ..Stream::default()
            }),
            Content::Clusters { first_cluster, runs, unit_power, size_bytes, written_bytes } => {
                let unit_clusters = attribute.is_compressed().then(|| 1 << u32::from(unit_power.min(16)));
                let head = (first_cluster == 0).then(|| Stream {
                    name: name.clone(),
                    size_bytes,
                    is_encrypted,
                    written_bytes,
                    unit_clusters,
                    ..Stream::default()
                });
                self.pieces.push(Piece { name, first_cluster, runs: runs.to_vec(), head });
            }
        }
    }

    /// The entry, its streams put together.
    pub(crate) fn finish(mut self) -> Entry {
        self.pieces.sort_by(|a, b| (&a.name, a.first_cluster).cmp(&(&b.name, b.first_cluster)));
        let mut open: Option<(Stream, Runs)> = None;
        let mut closed = Vec::new();
        for piece in std::mem::take(&mut self.pieces) {
            if let Some(mut head) = piece.head {
                closed.extend(open.take());
                let mut runs = Runs::default();
                head.is_whole = runs.push(&piece.runs, 0, self.clusters, self.runs_max);
                open = Some((head, runs));
            } else if let Some((head, runs)) = open.as_mut().filter(|(head, _)| head.name == piece.name) {
                let is_whole = runs.push(&piece.runs, piece.first_cluster, self.clusters, self.runs_max);
                head.is_whole &= is_whole;
            } else {
                self.entry.is_damaged = true;
            }
        }
        closed.extend(open);
        for (mut stream, runs) in closed {
            stream.is_whole &= runs.end().saturating_mul(self.cluster_bytes) >= stream.size_bytes;
            stream.kept = Kept::Runs(Arc::new(runs));
            self.entry.streams.push(stream);
        }
        self.entry.streams.sort_by(|a, b| a.name.cmp(&b.name));
        self.entry
    }
}
