//! Disk images: the files of the NTFS volumes in them, like members of an
//! archive.
//!
//! A volume's files are `IMAGE!VOLUME/path`, streams `…/path:stream`. The first
//! volume with a folder `Windows` is called `C`, because that is what its own
//! logs call it; others `volume` and the number of their partition. Deleted
//! entries stand under their last path, told by `FileFacts::deleted`; when
//! another file has that path, `#2` and so on stands before the ending.
//!
//! The image itself is an item, too: its bytes are hashed, and what its
//! volumes could not give is listed there.
//!
//! # Deleted content
//! Clusters of a deleted file may belong to another one by now. `$Bitmap` tells
//! which are in use; what is read ends before the first of these.

pub(crate) mod segments;

use crate::bytes::Bytes;
use crate::format::sniff;
use crate::input::{self, Head, Input};
use crate::members::Names;
use crate::read::{Budget, Node, Reading, SMALL_BYTES, unplaced};
use crate::{ItemHead, Limits, ReadItem, Visitor, WantedHashes, batch::Pace, path};
use disk::image::Kind;
use disk::ntfs::{BAD_CLUSTERS, Bitmap, Entry, Folders, MFT, Name, Stream, Times, Volume};
use disk::{Faults, ReadAt, Slice, image, partition};
use model::{FileBasis, FileFacts, Problem};
use rayon::prelude::*;
use std::io::Read;
use std::sync::Arc;

/// The slug of images.
const FORMAT: &str = "disk-image";
/// Small files that are opened side by side.
const GATHERED_MAX: usize = 256;
/// Runs of clusters of these.
const GATHERED_RUNS_MAX: usize = 1 << 20;

/// What the files of an image may have together.
pub(crate) fn budget(segments: &[Bytes<'_>], limits: &Limits) -> Budget {
    let packed = segments.iter().map(Bytes::len).fold(0, u64::saturating_add);
    let by_ratio =
        limits.archive.ratio_free_bytes.saturating_add(packed.saturating_mul(limits.disk.files_ratio_max));
    Budget { left: by_ratio.min(limits.archive.bytes_max) }
}

impl<V: Visitor> Reading<'_, V> {
    /// Reads the files of an image, then hashes it.
    pub(crate) fn image(&self, node: &Node, kind: Kind, segments: &[Bytes<'_>], budget: &mut Budget) {
        let faults = Faults::new(self.limits.problems_max);
        let stores = segments.iter().map(|bytes| Arc::new(bytes.quiet()) as Arc<dyn ReadAt>);
        if is_later_ewf(kind, segments) {
            // Its disk is read with the first one.
            if segments.len() < 2 {
                faults.push(Problem::new(
                    "truncated",
                    0,
                    "the image's first segment beside it",
                    "none; not read",
                ));
            }
            return self.image_item(node, segments, &faults);
        }
        match image::open(kind, stores.collect(), &self.limits.disk, &faults) {
            Ok(disk) => self.volumes(node, &disk, &faults, budget),
            Err(problem) => faults.push(problem),
        }
        self.image_item(node, segments, &faults);
    }

    fn volumes<'d>(&self, node: &Node, disk: &Arc<dyn ReadAt + 'd>, faults: &Faults, budget: &mut Budget) {
        let limits = &self.limits.disk;
        let mut has_system = false;
        for place in partition::volumes(disk.as_ref(), limits, faults) {
            let volume = match Volume::open(disk, &place, limits, faults) {
                Ok(volume) => volume,
                Err(problem) => {
                    faults.push(problem);
                    continue;
                }
            };
            let mut folders = volume.folders();
            let mut name = format!("volume{}", place.number);
            if !has_system && folders.root_holds("Windows") {
                has_system = true;
                folders.drive = Some('C');
                name = "C".into();
            }
            let bitmap = Bitmap::read(&volume);
            if bitmap.is_none() {
                let found = "none; content of deleted files may be that of others";
                faults.push(Problem::new("bad-image", place.start, "a $Bitmap of clusters in use", found));
            }
            let files = Files {
                reading: self,
                image: node,
                volume: &volume,
                folders: Arc::new(folders),
                bitmap,
                name,
                names: Names::default(),
                small: Vec::new(),
                small_runs: 0,
                items: 0,
                path_bytes: 0,
                is_full: false,
                lost: Lost::default(),
            };
            for (kind, wanted, found) in files.read(budget).told() {
                faults.push(Problem::new(kind, place.start, wanted, found));
            }
        }
    }

    /// A later part of a disk that was cut, which is read with the first one.
    pub(crate) fn later_segment(&self, node: &Node, bytes: &Bytes<'_>) {
        self.image_item(node, std::slice::from_ref(bytes), &Faults::new(self.limits.problems_max));
    }

    /// The image as an item: its bytes hashed, and what went wrong within.
    fn image_item(&self, node: &Node, segments: &[Bytes<'_>], faults: &Faults) {
        let Some(bytes) = segments.first() else { return };
        // Its beginning was read, and told of as progress, to see what it is.
        let head = Head::read(&mut bytes.quiet().range(0, bytes.len()));
        let reader = bytes.range(head.bytes.len() as u64, bytes.len());
        // An image has too many bytes to be hashed in several ways.
        let wanted = WantedHashes::default();
        let closed = Input::new(head, Box::new(reader), self.limits.item_bytes_max, wanted).close();
        let mut problems = faults.list();
        problems.extend(closed.problem);
        let head = ItemHead { path: &node.path, root: &node.root, format: FORMAT };
        let item = ReadItem {
            path: node.path.clone(),
            root: node.root.clone(),
            sha256: closed.sha256,
            older: closed.older,
            size_bytes: closed.size_bytes,
            format: Some(FORMAT),
            records: 0,
            problems,
            synthetic: closed.synthetic,
            facts: node.facts.clone(),
        };
        self.visitor.item(item, Some(self.visitor.start(&head)), None);
    }
}

fn is_later_ewf(kind: Kind, segments: &[Bytes<'_>]) -> bool {
    let head = segments.first().and_then(|bytes| bytes.quiet().read_at(0, 16).ok()).unwrap_or_default();
    kind == Kind::Ewf && image::segment_number(&head).is_some_and(|number| number > 1)
}

/// The files of one volume as they are read.
struct Files<'r, 'd, V> {
    reading: &'r Reading<'r, V>,
    image: &'r Node,
    volume: &'r Volume<'d>,
    folders: Arc<Folders>,
    bitmap: Option<Bitmap>,
    /// What the volume is called.
    name: String,
    names: Names,
    /// Waiting to be read side by side.
    small: Vec<File<'d>>,
    /// Runs of clusters that these hold in memory.
    small_runs: usize,
    items: usize,
    path_bytes: usize,
    /// Whether there are more than the limits let pass.
    is_full: bool,
    lost: Lost,
}

/// Content that is not there to be read, as on any disk that was in use: told
/// in sum, not file by file. An item's size says how much of it was read.
#[derive(Default)]
struct Lost {
    overwritten: u64,
    packed: u64,
}

impl Lost {
    fn told(&self) -> impl Iterator<Item = (&'static str, &'static str, String)> {
        let Lost { overwritten, packed } = self;
        let all = [
            ("overwritten", "deleted files", overwritten, "whose clusters or records are in use again"),
            (
                "unsupported-compression",
                "files in clusters",
                packed,
                "that Windows packed by itself (compact OS)",
            ),
        ];
        let some = all.into_iter().filter(|(_, _, count, _)| **count > 0);
        some.map(|(kind, wanted, count, why)| (kind, wanted, format!("{count} {why}; not read whole")))
    }
}

/// One stream, ready to be read.
struct File<'d> {
    node: Node,
    bytes: Bytes<'d>,
    bytes_max: u64,
}

impl<'d, V: Visitor> Files<'_, 'd, V> {
    /// Files in use first, so that their names are theirs; then deleted ones.
    fn read(mut self, budget: &mut Budget) -> Lost {
        let mut deleted = Vec::new();
        let volume = self.volume;
        volume.walk(&mut |number, bytes| {
            let Some(entry) = volume.entry(number, bytes) else { return };
            if !entry.in_use {
                deleted.push(number);
            } else if budget.left > 0 && !self.is_full {
                self.entry(&entry, budget);
            }
        });
        for number in deleted {
            if budget.left > 0
                && !self.is_full
                && let Some(entry) = volume.entry_at(number)
            {
                self.entry(&entry, budget);
            }
        }
        self.small(budget);
        let limits = self.reading.limits;
        if budget.left == 0 {
            self.reading.exhausted(&self.image.path);
        } else if self.is_full {
            let (items, bytes) = (limits.items_max, limits.disk.path_bytes_max);
            let wanted = format!("at most {items} files of a volume, with paths of {bytes} bytes");
            self.reading
                .problem(&self.image.path, unplaced("limit", &wanted, "more; the rest is not read".into()));
        }
        self.lost
    }

    /// All names and streams of an entry.
    fn entry(&mut self, entry: &Entry, budget: &mut Budget) {
        if entry.number == BAD_CLUSTERS {
            return;
        }
        let mut names: Vec<&Name> = entry.names.iter().filter(|name| !name.is_short).collect();
        if names.is_empty() {
            names.extend(entry.names.first());
        }
        let mut paths: Vec<String> = names.iter().map(|name| self.path(name)).collect();
        // Some records are set aside for later versions of NTFS: no name, nothing in them.
        if paths.is_empty() && entry.streams.iter().any(|stream| stream.size_bytes > 0) {
            paths.push(format!("$Orphans/entry-{}", entry.number));
        }
        if entry.is_damaged && !entry.in_use {
            self.lost.overwritten += 1;
        } else if entry.is_damaged
            && let Some(path) = paths.first()
        {
            let path = format!("{}{}{}/{path}", self.image.path, path::MEMBER, self.name);
            let found = "damaged; what of it could be told is read".into();
            self.reading.problem(&path, unplaced("bad-record", "an $MFT entry and what continues it", found));
        }
        for path in paths {
            for stream in &entry.streams {
                if !stream.name.is_empty() {
                    let path = format!("{path}:{}", component(&stream.name));
                    self.stream(entry, stream, &path, budget);
                } else if !entry.is_folder {
                    self.stream(entry, stream, &path, budget);
                }
            }
        }
    }

    /// The path of a name below its volume.
    fn path(&self, name: &Name) -> String {
        let place = self.folders.place(name.parent, &name.text);
        place.parts.iter().map(|part| component(part)).collect::<Vec<_>>().join("/")
    }

    fn stream(&mut self, entry: &Entry, stream: &Stream, path: &str, budget: &mut Budget) {
        let limits = self.reading.limits;
        self.items += 1;
        self.path_bytes += path.len();
        if self.items > limits.items_max || self.path_bytes > limits.disk.path_bytes_max {
            self.is_full = true;
            return;
        }
        let full = format!("{}{}{}/{path}", self.image.path, path::MEMBER, self.name);
        let path = self.names.unique_before_ending(full);
        let bytes = Bytes::of_disk(self.content(entry, stream, &path));
        let node = Node {
            path,
            root: self.image.path.clone(),
            nesting: self.image.nesting + 1,
            facts: facts(entry),
            folders: (is_journal(entry, stream) || entry.number == MFT).then(|| Arc::clone(&self.folders)),
        };
        let by_ratio = input::bytes_max(self.reading.limits, stream.allocated_bytes(self.volume));
        let bytes_max = by_ratio.min(budget.left);
        let file = File { node, bytes, bytes_max };
        if file.bytes.len() <= SMALL_BYTES {
            budget.left -= file.bytes.len().min(budget.left);
            self.small.push(file);
            self.small_runs += stream.runs_count();
            if self.small.len() >= GATHERED_MAX || self.small_runs >= GATHERED_RUNS_MAX {
                self.small(budget);
            }
        } else {
            self.small(budget);
            self.big(file, budget);
        }
    }

    /// What of a stream is to be read; says what is not.
    fn content(&mut self, entry: &Entry, stream: &Stream, path: &str) -> Arc<dyn ReadAt + 'd> {
        if stream.name.is_empty() && entry.is_packed_by_windows {
            self.lost.packed += 1;
            return Arc::new(Vec::new());
        }
        if stream.is_encrypted {
            let found = "one that is encrypted (EFS)".into();
            self.reading.problem(path, unplaced("encrypted", "a file that can be read", found));
        }
        let store = stream.open(self.volume);
        if is_journal(entry, stream) {
            let hole = stream.hole_bytes(self.volume);
            return Arc::new(Slice::new(store, hole, stream.size_bytes - hole));
        }
        let free = self.bitmap.as_ref().filter(|_| !entry.in_use);
        match free.map(|bitmap| bitmap.free_bytes(stream, self.volume)) {
            Some(free) if free < stream.size_bytes => {
                self.lost.overwritten += 1;
                Arc::new(Slice::new(store, 0, free))
            }
            _ => store,
        }
    }

    /// Reads what waits, side by side; archives one by one after.
    fn small(&mut self, budget: &mut Budget) {
        let reading = self.reading;
        self.small_runs = 0;
        let archives: Vec<_> = std::mem::take(&mut self.small)
            .into_par_iter()
            .filter_map(|file| {
                let (head, rest) = file.open();
                if sniff(&head.bytes, reading.limits).is_archive() {
                    return Some(file);
                }
                reading.item(&file.node, head, rest, file.bytes_max, Pace::Alone);
                None
            })
            .collect();
        for file in archives {
            let (head, rest) = file.open();
            reading.archive(&file.node, head, rest, Some(file.bytes.clone()), budget);
        }
    }

    fn big(&self, file: File<'d>, budget: &mut Budget) {
        let (head, rest) = file.open();
        if sniff(&head.bytes, self.reading.limits).is_archive() {
            self.reading.archive(&file.node, head, rest, Some(file.bytes.clone()), budget);
        } else {
            let size = self.reading.item(&file.node, head, rest, file.bytes_max, Pace::Together);
            budget.left = budget.left.saturating_sub(size);
        }
    }
}

impl<'d> File<'d> {
    fn open(&self) -> (Head, Box<dyn Read + Send + 'd>) {
        let mut reader = self.bytes.range(0, self.bytes.len());
        (Head::read(&mut reader), Box::new(reader))
    }
}

/// Whether a stream is the change journal: it begins with a hole that may be
/// terabytes, so its bytes count from where it is allocated.
fn is_journal(entry: &Entry, stream: &Stream) -> bool {
    stream.name == "$J" && entry.names.iter().any(|name| name.text == "$UsnJrnl")
}

fn facts(entry: &Entry) -> FileFacts {
    let Times { created, modified, changed, accessed } = entry.times;
    let (basis, deleted) = (Some(FileBasis::Mft), !entry.in_use);
    FileFacts { created, modified, changed, accessed, basis, deleted }
}

/// A name as one part of a path; what would make more of it is escaped.
fn component(name: &str) -> String {
    match name {
        "." => "%2E".into(),
        ".." => "%2E%2E".into(),
        name => path::escape(name.as_bytes()).replace('/', "%2F").replace('\\', "%5C").replace(':', "%3A"),
    }
}
