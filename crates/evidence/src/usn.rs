//! `$UsnJrnl:$J`, the change journal of a volume: what was made, written,
//! renamed and deleted there, and when (log `usn`).
//!
//! A record names its file by number and name, and its folder by number; in a
//! disk image the folder's present path is known and `Path` says it, in a
//! journal on its own there is no `Path`. `Reason` is a list of Windows' words
//! (`FILE_CREATE`, `RENAME_NEW_NAME`, …); each change is told again with those
//! that came with it until the file was closed.
//!
//! A journal is a sparse file whose beginning was given back: it is zeros, or
//! missing. Zeros are no loss.

use crate::batch::{BATCH_BYTES, Batch, Cutter};
use crate::format::{Format, Reader};
use crate::input::Input;
use crate::{Limits, mft};
use disk::ntfs::Folders;
use disk::usn::{self, Change, Found, PAGE_BYTES};
use model::{LogFamily, Position, Problem, Record, RecordSink, Shape, Slot, Value};
use std::sync::{Arc, LazyLock};

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "usn", is, reader: Reader::Usn };

const SLOTS: [&str; 11] = [
    "Path",
    "Name",
    "Extension",
    "Reason",
    "Entry",
    "Sequence",
    "Parent",
    "ParentSequence",
    "Usn",
    "Attributes",
    "Time",
];

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    let slots = SLOTS.map(Slot::new).to_vec();
    Arc::new(Shape::new(LogFamily::Artifacts, FORMAT.slug, slots, true))
});

/// Whether a change, with its time, is the first in `head` that is not zeros.
fn is(head: &[u8], _: &Limits) -> bool {
    first_change(head).is_some_and(|(_, change)| change.time.is_some() && !change.name.is_empty())
}

/// The first change, when nothing but zeros stands before it.
fn first_change(bytes: &[u8]) -> Option<(usize, Change<'_>)> {
    let start = bytes.iter().position(|byte| *byte != 0)? / 8 * 8;
    match usn::read(&bytes[start..]) {
        Found::Change(change, _) => Some((start, change)),
        _ => None,
    }
}

/// Cuts a journal into batches of whole pages.
pub(crate) struct UsnCutter {
    folders: Option<Arc<Folders>>,
    offset: u64,
    /// Read, and not yet handed on.
    rest: Vec<u8>,
    /// Where pages begin in the item, modulo their size, once it is known.
    phase: Option<u64>,
}

/// What a batch of pages must know.
pub(crate) struct Journal {
    folders: Option<Arc<Folders>>,
    phase: u64,
}

impl UsnCutter {
    /// For a journal of which the beginning up to `offset` was stepped over.
    pub(crate) fn new(folders: Option<Arc<Folders>>, offset: u64) -> Self {
        Self { folders, offset, rest: Vec::new(), phase: None }
    }
}

impl Cutter for UsnCutter {
    type State = Journal;

    fn next(&mut self, input: &mut Input<'_>) -> Option<Batch<Journal>> {
        let mut bytes = std::mem::take(&mut self.rest);
        let is_going_on = input.fill(&mut bytes, BATCH_BYTES);
        if bytes.is_empty() {
            return None;
        }
        let page = PAGE_BYTES as u64;
        let offset = self.offset;
        // A record's number is its offset in the whole journal, whose pages these are.
        let phase = *self.phase.get_or_insert_with(|| {
            let first =
                first_change(&bytes).map(|(at, change)| (offset + at as u64).wrapping_sub(change.usn));
            first.unwrap_or(0) % page
        });
        if is_going_on {
            let end = offset + bytes.len() as u64;
            let beyond = (end % page + page - phase) % page;
            self.rest = bytes.split_off(bytes.len() - beyond as usize);
        }
        self.offset += bytes.len() as u64;
        let state = Journal { folders: self.folders.clone(), phase };
        Some(Batch { bytes, offset, line: 0, state, problems: Vec::new() })
    }
}

/// Shows the changes of a batch.
pub(crate) fn read(batch: &Batch<Journal>, sink: &mut dyn RecordSink) {
    let mut at = 0;
    while at < batch.bytes.len() {
        let offset = batch.offset + at as u64;
        let page = PAGE_BYTES as u64;
        let left = page - (offset % page + page - batch.state.phase) % page;
        let end = batch.bytes.len().min(at + left as usize);
        read_page(&batch.bytes[at..end], offset, batch.state.folders.as_deref(), sink);
        at = end;
    }
}

fn read_page(page: &[u8], offset: u64, folders: Option<&Folders>, sink: &mut dyn RecordSink) {
    let mut at = 0;
    while at < page.len() {
        match usn::read(&page[at..]) {
            Found::Change(change, len) => {
                show(&change, offset + at as u64, folders, sink);
                at += len;
            }
            Found::Other(len) => at += len,
            Found::Nothing => {
                let zeros = page[at..].iter().take_while(|byte| **byte == 0).count();
                if zeros == page.len() - at {
                    return;
                }
                if zeros >= 8 {
                    at += zeros / 8 * 8;
                    continue;
                }
                let found = "another; the rest of its page is not read";
                return sink.problem(Problem::new(
                    "bad-record",
                    offset + at as u64,
                    "a record of the journal",
                    found,
                ));
            }
        }
    }
}

fn show(change: &Change<'_>, offset: u64, folders: Option<&Folders>, sink: &mut dyn RecordSink) {
    let mut name = String::new();
    Value::Utf16(change.name).write_text(&mut name);
    let path = folders.map(|folders| mft::join(folders, &folders.place(change.parent, &name).parts));
    let reasons: Vec<Value<'_>> = usn::reasons(change.reason).map(Value::Utf8).collect();
    let values: [Value<'_>; SLOTS.len()] = [
        path.as_deref().map_or(Value::Absent, Value::Utf8),
        Value::Utf8(&name),
        mft::ending(&name),
        if reasons.is_empty() { Value::Empty } else { Value::List(&reasons) },
        Value::UInt(change.file.number),
        Value::UInt(u64::from(change.file.sequence)),
        Value::UInt(change.parent.number),
        Value::UInt(u64::from(change.parent.sequence)),
        Value::UInt(change.usn),
        Value::Hex(u64::from(change.attributes)),
        change.time.map_or(Value::Absent, Value::Time),
    ];
    let position = Position { offset, ..Position::default() };
    sink.record(&Record { shape: &SHAPE, values: &values, position, time: change.time });
}
