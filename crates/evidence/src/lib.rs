//! Evidence: opened read-only, hashed, recognised by content, read within limits.
//!
//! [`open`] finds the files of the arguments; [`read`] reads them all, in
//! parallel, archives and what is in them included, and shows each record to
//! a [`Visitor`]. Disk images are opened like archives. A big item is read in batches at once; the visitor keeps a
//! part per batch and merges parts in order, so what comes out does not depend
//! on threads.
//!
//! # Not here
//! What records mean: rules, hosts, time lines. Writing: nothing here writes
//! but to a nameless temporary file.

mod archive;
mod artifacts;
mod auditd;
mod batch;
mod bytes;
mod cloud;
mod csv;
mod csv_table;
mod ecs_json;
mod evtx;
mod exchange;
mod exchange_log;
mod format;
#[doc(hidden)]
pub mod fuzz;
mod hashes;
mod image;
mod input;
mod journal;
mod json;
mod limits;
mod linux_message;
mod linux_sysmon;
mod members;
mod mft;
mod ncsa;
mod path;
mod plain;
mod read;
mod shapes;
mod source;
mod syslog;
mod text;
mod usn;
mod utf16;
mod w3c;
mod whole;
mod windows_json;

pub use hashes::{OlderHashes, WantedHashes};
pub use limits::{ArchiveLimits, Limits};
pub use read::read;
pub use source::{Opened, Source, open};

use model::{FileFacts, Problem, Record, Shape};
use std::sync::Arc;

/// What takes the records of all items.
pub trait Visitor: Sync {
    /// What is kept of one batch, then of one item.
    type Part: Send;
    /// Begins a batch of the item `head`.
    fn start(&self, head: &ItemHead<'_>) -> Self::Part;
    /// Takes one record of the batch.
    fn record(&self, part: &mut Self::Part, record: &Record<'_>);
    /// Takes one record that its log let go of and that was carved from free
    /// space. It may be one that the log still holds; [`ReadItem::records`]
    /// does not count it.
    fn carved(&self, _part: &mut Self::Part, _record: &Record<'_>) {}
    /// Says which lines of records of `shape` must be shown whole, and what is
    /// wanted of the others ([`model::RecordSink::mark`]).
    fn mark(
        &self,
        _part: &mut Self::Part,
        _shape: &Arc<Shape>,
        _text: &[u8],
        _marks: &mut Vec<u32>,
    ) -> Option<Arc<[u32]>> {
        None
    }
    /// Takes a record of a line without a mark: slots that are not wanted are absent.
    fn count(&self, part: &mut Self::Part, record: &Record<'_>) {
        self.record(part, record);
    }
    /// Adds `next` to `whole`; called in the order in which the batches stand
    /// in the item.
    fn merge(&self, whole: &mut Self::Part, next: Self::Part);
    /// Takes a finished item, in any order over items. `whole` is `None` when
    /// the item's format is not known, and a part without records when it
    /// holds none. `content` is all of a small item of unknown format, and what
    /// [`Visitor::wants_content`] asked for: of one that is larger than
    /// [`Limits::content_bytes_max`] the beginning, which a problem tells.
    fn item(&self, item: ReadItem, whole: Option<Self::Part>, content: Option<&[u8]>);
    /// Whether the content of an item is wanted whatever it is. An archive whose
    /// content is wanted is not opened. That of a small item of unknown format
    /// is shown in any case.
    fn wants_content(&self, _beginning: &Beginning<'_>) -> bool {
        false
    }
    /// Hashes of items that are no logs, besides their SHA-256.
    fn wanted_hashes(&self) -> WantedHashes {
        WantedHashes::default()
    }
    /// Told of bytes read from the files of the arguments (packed, where they
    /// are archives), from any thread.
    fn progress(&self, _bytes: u64) {}
}

/// How an item begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beginning<'a> {
    /// Its path as evidence.
    pub path: &'a str,
    /// Its collection root.
    pub root: &'a str,
    /// What it is taken for.
    pub kind: Kind,
    /// Its first bytes, 64 KiB at most.
    pub bytes: &'a [u8],
}

/// What an item is taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A log of the format with this slug.
    Log(&'static str),
    /// An archive or an image.
    Archive,
    /// Neither.
    Unknown,
}

/// What is known of an item before its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ItemHead<'a> {
    /// Its path as evidence.
    pub path: &'a str,
    /// Its collection root.
    pub root: &'a str,
    /// Its format's slug.
    pub format: &'static str,
}

/// An item that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadItem {
    /// Its path as evidence: the argument joined with the relative path;
    /// inside archives `a.zip!b.zip!x`, inside disk images `a.dd!C/x` and
    /// `a.dd!C/x:stream`.
    pub path: String,
    /// Its collection root: the argument (a folder), the parent folder of the
    /// argument (a file), or the innermost archive.
    pub root: String,
    /// SHA-256 of its unpacked bytes, as far as they could be read.
    pub sha256: [u8; 32],
    /// Older hashes of the same bytes, where they were asked for.
    pub older: OlderHashes,
    /// How many these are.
    pub size_bytes: u64,
    /// The format's slug; `None` when it is not known, and so not read.
    pub format: Option<&'static str>,
    /// Records read.
    pub records: u64,
    /// What could not be read, by offset.
    pub problems: Vec<Problem>,
    /// Whether it carries the mark of synthetic evidence in its beginning.
    pub synthetic: bool,
    /// What its file system or archive says of it; nothing for a copy in a
    /// folder, whose times are the copy's.
    pub facts: FileFacts,
}
