//! `$MFT` as a file: one record for each entry of a volume's table, deleted
//! ones included (log `mft`).
//!
//! `Path` and `Name` are lists where a file has several names (hard links).
//! `Created` and so on come from `$STANDARD_INFORMATION`, which programs can
//! set; `FileNameCreated` and so on from `$FILE_NAME`, which they cannot, and
//! `CreatedBeforeName` says whether the first is earlier than the second: set
//! back by somebody, or kept by whoever unpacked or moved the file. A record's
//! time is when the content was last written, or made where that is missing;
//! its offset is that of the entry. `Streams` are names of alternate streams.
//!
//! # Paths
//! A folder may stand behind what is in it. In a disk image all folders are
//! known before; a file on its own is spooled first, and read when its folders
//! are known. These are bounded ([`disk::Limits::folders_max`]); entries whose
//! folder is not known, or was used anew since, are below `$Orphans`.

use crate::Limits;
use crate::batch::{BATCH_BYTES, Batch, Cutter};
use crate::bytes::Bytes;
use crate::format::{Format, Reader};
use crate::input::Input;
use disk::ntfs::record::{Attribute, MAGIC, Record as Entry};
use disk::ntfs::{Folders, Name};
use model::{LogFamily, Position, Problem, Record, RecordSink, Shape, Slot, Timestamp, Value};
use std::io::{self, Read};
use std::sync::{Arc, LazyLock};

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "mft", is, reader: Reader::Mft };

const SLOTS: [&str; 20] = [
    "Path",
    "Name",
    "Extension",
    "Size",
    "Created",
    "Modified",
    "Changed",
    "Accessed",
    "FileNameCreated",
    "FileNameModified",
    "FileNameChanged",
    "FileNameAccessed",
    "CreatedBeforeName",
    "Deleted",
    "Folder",
    "Orphan",
    "Streams",
    "Entry",
    "Sequence",
    "Parent",
];

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    let slots = SLOTS.map(Slot::new).to_vec();
    Arc::new(Shape::new(LogFamily::Artifacts, FORMAT.slug, slots, true))
});

/// Whether `head` begins with a record, in a header as it can be.
fn is(head: &[u8], _: &Limits) -> bool {
    head.starts_with(MAGIC) && record_bytes(head).is_some()
}

/// How long the records of a table that begins with `head` are, by the first
/// one: its fixups must fit it.
fn record_bytes(head: &[u8]) -> Option<usize> {
    let number =
        |at: usize| head.get(at..at + 2).map(|bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
    let len = number(28).filter(|_| number(30) == Some(0))?;
    (matches!(len, 1024 | 2048 | 4096) && number(6)? == len / 512 + 1 && number(4)? < 64).then_some(len)
}

/// Cuts a table into batches of whole entries.
pub(crate) struct MftCutter {
    record_bytes: usize,
    folders: Option<Arc<Folders>>,
    /// Where the entries lie when their folders were not known before.
    spooled: Option<Bytes<'static>>,
    offset: u64,
    problems: Vec<Problem>,
    limits: Limits,
}

/// What a batch of entries must know.
pub(crate) struct Table {
    record_bytes: usize,
    folders: Arc<Folders>,
}

impl MftCutter {
    pub(crate) fn new(beginning: &[u8], folders: Option<Arc<Folders>>, limits: &Limits) -> Self {
        Self {
            record_bytes: record_bytes(beginning).unwrap_or(1024),
            folders,
            spooled: None,
            offset: 0,
            problems: Vec::new(),
            limits: limits.clone(),
        }
    }

    /// Reads all entries for their folders, and keeps them.
    fn spool(&mut self, input: &mut Input<'_>) -> Arc<Folders> {
        let mut folders = Folders::new(&self.limits.disk);
        let mut entries = Entries {
            input,
            record_bytes: self.record_bytes,
            folders: &mut folders,
            number: 0,
            ready: Vec::new(),
            at: 0,
        };
        match Bytes::spool(&mut entries, &self.limits) {
            Ok(bytes) => self.spooled = Some(bytes),
            Err(error) => {
                let problem = Problem::new("unreadable", 0, "room for a temporary file", error.to_string());
                self.problems.push(problem);
                self.spooled = Some(Bytes::of_memory(Vec::new()));
            }
        }
        if folders.is_full() {
            let wanted = format!("at most {} folders", self.limits.disk.folders_max);
            self.problems.push(Problem::new("limit", 0, wanted, "more; what is in them has no path"));
        }
        Arc::new(folders)
    }
}

/// The entries of a table as a stream, each looked at as it goes by.
struct Entries<'e, 'i> {
    input: &'e mut Input<'i>,
    record_bytes: usize,
    folders: &'e mut Folders,
    number: u64,
    ready: Vec<u8>,
    at: usize,
}

impl Read for Entries<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            self.ready.clear();
            self.at = 0;
            self.input.fill(&mut self.ready, BATCH_BYTES);
            // Batches are whole entries but for the last, as a batch's size is a multiple.
            let mut copy = self.ready.clone();
            for bytes in copy.chunks_mut(self.record_bytes) {
                if let Ok(Some((entry, _))) = Entry::parse(bytes, 0) {
                    self.folders.add(self.number, &entry);
                }
                self.number += 1;
            }
        }
        let read = into.len().min(self.ready.len() - self.at);
        into[..read].copy_from_slice(&self.ready[self.at..self.at + read]);
        self.at += read;
        Ok(read)
    }
}

impl Cutter for MftCutter {
    type State = Table;

    fn next(&mut self, input: &mut Input<'_>) -> Option<Batch<Table>> {
        let folders = match &self.folders {
            Some(folders) => Arc::clone(folders),
            None => {
                let folders = self.spool(input);
                self.folders = Some(Arc::clone(&folders));
                folders
            }
        };
        let mut bytes = Vec::new();
        match &self.spooled {
            None => {
                input.fill(&mut bytes, BATCH_BYTES);
            }
            Some(spooled) => match spooled.read_at(self.offset, BATCH_BYTES) {
                Ok(read) => bytes = read,
                Err(error) => {
                    let wanted = "what was kept in a temporary file";
                    self.problems.push(Problem::new("unreadable", self.offset, wanted, error.to_string()));
                }
            },
        }
        if bytes.is_empty() {
            return None;
        }
        let offset = self.offset;
        self.offset += bytes.len() as u64;
        let state = Table { record_bytes: self.record_bytes, folders };
        Some(Batch { bytes, offset, line: 0, state, problems: std::mem::take(&mut self.problems) })
    }

    fn end(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }
}

/// Shows the entries of a batch.
pub(crate) fn read(batch: &Batch<Table>, sink: &mut dyn RecordSink) {
    let Table { record_bytes, folders } = &batch.state;
    let mut bytes = Vec::with_capacity(*record_bytes);
    for (index, raw) in batch.bytes.chunks(*record_bytes).enumerate() {
        let offset = batch.offset + (index * record_bytes) as u64;
        if raw.len() < *record_bytes {
            let found = format!("{} bytes", raw.len());
            sink.problem(Problem::new("truncated", offset, "a whole $MFT record", found).losing(1));
            return;
        }
        bytes.clear();
        bytes.extend_from_slice(raw);
        match Entry::parse(&mut bytes, offset) {
            Err(problem) => sink.problem(problem),
            Ok(None) => {}
            Ok(Some((entry, torn))) => {
                torn.into_iter().for_each(|problem| sink.problem(problem));
                show(&entry, offset, offset / *record_bytes as u64, folders, sink);
            }
        }
    }
}

/// Shows one entry; those that only continue another are no records.
fn show(entry: &Entry<'_>, offset: u64, number: u64, folders: &Folders, sink: &mut dyn RecordSink) {
    if entry.base.is_some() {
        return;
    }
    let (attributes, is_whole) = entry.attributes();
    if !is_whole {
        sink.problem(Problem::new(
            "bad-record",
            offset,
            "attributes up to their end",
            "one that leads out of it",
        ));
    }
    let names = names(&attributes, folders, number);
    let is_orphan = names.iter().any(|name| folders.place(name.parent, "").is_orphan);
    let paths: Vec<String> = names.iter().map(|name| path(folders, name)).collect();
    let [paths, texts, endings] = [
        paths.iter().map(|path| Value::Utf8(path)).collect::<Vec<_>>(),
        names.iter().map(|name| Value::Utf8(&name.text)).collect(),
        names.iter().map(|name| ending(&name.text)).collect(),
    ];
    let streams = streams(&attributes, folders, number);
    let streams: Vec<Value<'_>> = streams.iter().map(|name| Value::Utf8(name)).collect();
    let times = attributes.iter().find_map(Attribute::times).unwrap_or_default();
    let name_times = names.first().map(|name| name.times).unwrap_or_default();
    let own = attributes.iter().filter(|attribute| attribute.is_data() && attribute.is_unnamed());
    let size = own.into_iter().find_map(Attribute::size_bytes);
    let size = size.or_else(|| folders.spilled(number)?.size_bytes);
    let before = times.created.zip(name_times.created).map(|(made, named)| made < named);
    let values: [Value<'_>; SLOTS.len()] = [
        several(&paths),
        several(&texts),
        several(&endings),
        size.map_or(Value::Absent, Value::UInt),
        time(times.created),
        time(times.modified),
        time(times.changed),
        time(times.accessed),
        time(name_times.created),
        time(name_times.modified),
        time(name_times.changed),
        time(name_times.accessed),
        before.map_or(Value::Absent, Value::Bool),
        Value::Bool(!entry.in_use),
        Value::Bool(entry.is_folder),
        Value::Bool(is_orphan),
        several(&streams),
        Value::UInt(number),
        Value::UInt(u64::from(entry.sequence)),
        names.first().map_or(Value::Absent, |name| Value::UInt(name.parent.number)),
    ];
    let position = Position { offset, ..Position::default() };
    sink.record(&Record { shape: &SHAPE, values: &values, position, time: times.modified.or(times.created) });
}

/// The names of an entry that are not only short; where all of them spilled
/// over, the one that is known.
fn names(attributes: &[Attribute<'_>], folders: &Folders, number: u64) -> Vec<Name> {
    let (mut short, mut names): (Vec<Name>, Vec<Name>) =
        attributes.iter().filter_map(Attribute::file_name).partition(|name| name.is_short);
    if names.is_empty() {
        let spilled = folders.spilled(number).and_then(|spilled| spilled.name.as_ref());
        match spilled {
            Some((parent, text)) => {
                let text = text.to_string();
                names.push(Name { parent: *parent, text, times: Default::default(), is_short: false });
            }
            None => names.append(&mut short),
        }
    }
    names
}

fn streams(attributes: &[Attribute<'_>], folders: &Folders, number: u64) -> Vec<String> {
    let named = attributes.iter().filter(|attribute| attribute.is_data() && !attribute.is_unnamed());
    let mut streams: Vec<String> = named.map(Attribute::name).collect();
    if let Some(spilled) = folders.spilled(number) {
        streams.extend(spilled.streams.iter().map(ToString::to_string));
    }
    streams.sort();
    streams.dedup();
    streams
}

/// The path as Windows writes it, from the volume's letter or its root on.
pub(crate) fn path(folders: &Folders, name: &Name) -> String {
    join(folders, &folders.place(name.parent, &name.text).parts)
}

/// Parts as Windows writes them.
pub(crate) fn join(folders: &Folders, parts: &[&str]) -> String {
    let drive = folders.drive.map(|letter| format!("{letter}:"));
    parts.iter().fold(drive.unwrap_or_default(), |path, part| path + "\\" + part)
}

/// What stands behind the last point of a name.
pub(crate) fn ending(name: &str) -> Value<'_> {
    name.rsplit_once('.')
        .map(|(_, ending)| ending)
        .filter(|ending| !ending.is_empty())
        .map_or(Value::Empty, Value::Utf8)
}

fn several<'a>(values: &'a [Value<'a>]) -> Value<'a> {
    match values {
        [] => Value::Absent,
        [one] => *one,
        several => Value::List(several),
    }
}

fn time(time: Option<Timestamp>) -> Value<'static> {
    time.map_or(Value::Absent, Value::Time)
}
