//! Reads sources into items: sniffs, opens archives, hands logs to their
//! readers.
//!
//! Small items are read side by side, one thread each; archives and big items
//! one after another, with all threads at each. Nothing waits for a pool from
//! within the pool, and memory holds a few batches per thread.

use crate::batch::{self, Batch, Pace, Tally};
use crate::bytes::Bytes;
use crate::evtx::{ChunkCutter, ChunkReaders};
use crate::format::{Content, Format, Reader, sniff};
use crate::image::segments;
use crate::input::{Head, Input, Keep};
use crate::mft::MftCutter;
use crate::shapes::Shapes;
use crate::text::{Cut, Lines, PlainLines};
use crate::usn::UsnCutter;
use crate::utf16::{Encoding, Placed};
use crate::whole::WholeCutter;
use crate::{
    Beginning, ItemHead, Kind, Limits, ReadItem, Source, Visitor, WantedHashes, auditd, cloud, csv_table,
    ecs_json, exchange, image, input, journal, mft, syslog, usn, w3c, windows_json,
};
use disk::ntfs::Folders;
use model::{FileFacts, Problem, RecordSink};
use rayon::prelude::*;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

/// Items up to this size are read by one thread.
pub(crate) const SMALL_BYTES: u64 = 4 << 20;

/// Reads all `sources` and shows their records and items to `visitor`. Gives
/// the problems of what did not become an item, sorted.
pub fn read<V: Visitor>(sources: &[Source], limits: &Limits, visitor: &V) -> Vec<(String, Problem)> {
    let progress = |bytes| visitor.progress(bytes);
    let reading = Reading::new(limits, visitor, &progress);
    let (small, big): (Vec<&Source>, Vec<&Source>) =
        sources.iter().partition(|source| source.size_bytes <= SMALL_BYTES);
    let archives: Vec<&Source> =
        small.into_par_iter().filter(|source| !reading.source(source, Pace::Alone)).collect();
    for source in archives.into_iter().chain(big) {
        reading.source(source, Pace::Together);
    }
    let mut problems = reading.problems.into_inner().unwrap_or_else(PoisonError::into_inner);
    problems.sort();
    problems
}

/// One call of [`read`].
pub(crate) struct Reading<'a, V> {
    pub(crate) limits: &'a Limits,
    pub(crate) visitor: &'a V,
    progress: &'a (dyn Fn(u64) + Sync),
    shapes: Shapes,
    chunk_readers: ChunkReaders,
    problems: Mutex<Vec<(String, Problem)>>,
}

impl<'a, V: Visitor> Reading<'a, V> {
    pub(crate) fn new(limits: &'a Limits, visitor: &'a V, progress: &'a (dyn Fn(u64) + Sync)) -> Self {
        Self {
            limits,
            visitor,
            progress,
            shapes: Shapes::new(limits.shapes_max),
            chunk_readers: ChunkReaders::default(),
            problems: Mutex::new(Vec::new()),
        }
    }

    /// Reads one source; false when it is an archive and the pace says that
    /// it has only one thread, so that it is left for later.
    fn source(&self, source: &Source, pace: Pace) -> bool {
        let bytes = match Bytes::open(&source.file, self.progress) {
            Ok(bytes) => bytes,
            Err(error) => {
                let problem = unplaced("unreadable", "a file", error.to_string());
                self.problem(&source.path, problem);
                return true;
            }
        };
        let mut reader = bytes.range(0, bytes.len());
        let head = Head::read(&mut reader);
        let content = sniff(&head.bytes, self.limits);
        let node = Node {
            path: source.path.clone(),
            root: source.root.clone(),
            nesting: 0,
            facts: FileFacts::default(),
            folders: None,
        };
        let is_archive = content.is_archive() && !self.wants_content(&node, content, &head.bytes);
        if is_archive && pace == Pace::Alone {
            return false;
        }
        if segments::first_segment(&bytes, &source.file).is_some() {
            // Its bytes are a disk's, whatever they begin like.
            self.later_segment(&node, &bytes);
            return true;
        }
        let bytes_max = self.limits.item_bytes_max;
        if let (Content::Image(kind), true) = (content, is_archive) {
            let segments = segments::segments(&bytes, kind, &head.bytes, &source.file);
            if let Some(problem) = segments::missing(&bytes, kind, &source.file, segments.len()) {
                self.problem(&source.path, problem);
            }
            let mut budget = image::budget(&segments, self.limits);
            self.image(&node, kind, &segments, &mut budget);
        } else if is_archive {
            let by_ratio = input::bytes_max(self.limits, bytes.len());
            let mut budget = Budget { left: by_ratio.min(self.limits.archive.bytes_max) };
            let whole = Some(bytes.clone());
            self.archive(&node, head, Box::new(reader), whole, &mut budget);
        } else {
            self.item(&node, head, Box::new(reader), bytes_max, pace);
        }
        true
    }

    /// Reads an item that is no archive, or one that is not to be opened; gives
    /// its size.
    pub(crate) fn item(
        &self,
        node: &Node,
        head: Head,
        reader: Box<dyn Read + Send + '_>,
        bytes_max: u64,
        pace: Pace,
    ) -> u64 {
        let content = sniff(&head.bytes, self.limits);
        self.known_item(node, head, reader, bytes_max, pace, content)
    }

    /// Reads an item of which it is known what it is.
    pub(crate) fn known_item(
        &self,
        node: &Node,
        head: Head,
        reader: Box<dyn Read + Send + '_>,
        bytes_max: u64,
        pace: Pace,
        content: Content,
    ) -> u64 {
        let beginning = head.bytes.clone();
        let mut input = Input::new(head, reader, bytes_max, self.wanted_hashes(content));
        let mut format = None;
        let bytes_max = self.limits.content_bytes_max;
        let is_wanted = self.wants_content(node, content, &beginning);
        match content {
            _ if is_wanted => input.keep(Keep::Beginning(bytes_max)),
            Content::Unknown => input.keep(Keep::Whole(bytes_max)),
            _ => {}
        }
        let content = self.behind_zeros(content, &mut input);
        let (mut whole, mut tally) = (None, Tally::new(self.limits.problems_max));
        match content {
            Content::Log(log) => {
                let item_head = ItemHead { path: &node.path, root: &node.root, format: log.slug };
                format = Some(log.slug);
                (whole, tally) =
                    self.log(log, &beginning, &item_head, node.folders.as_ref(), &mut input, pace);
            }
            Content::Closed(name) => {
                tally.problems.push(Problem::new("unsupported-archive", 0, "zip, 7z, tar, gzip or xz", name));
            }
            content if content.is_archive() && is_wanted => {
                let found = "a name that a server runs: looked at as a page, and not opened";
                tally.problems.push(Problem::new("unsupported-archive", 0, "the name of an archive", found));
            }
            content if content.is_archive() => {
                let wanted =
                    format!("at most {} archives within each other", self.limits.archive.nesting_max);
                tally.problems.push(Problem::new("limit", 0, wanted, "one more; it is not opened"));
            }
            _ => {}
        }
        let closed = input.close();
        let mut problems = tally.problems.close();
        problems.extend(closed.problem);
        if is_wanted && closed.size_bytes > bytes_max as u64 {
            problems.push(beyond_content(bytes_max as u64));
        }
        problems.sort_by_key(|problem| problem.offset.unwrap_or(u64::MAX));
        let item = ReadItem {
            path: node.path.clone(),
            root: node.root.clone(),
            sha256: closed.sha256,
            older: closed.older,
            size_bytes: closed.size_bytes,
            format,
            records: tally.records,
            problems,
            synthetic: closed.synthetic,
            facts: node.facts.clone(),
        };
        self.visitor.item(item, whole, closed.kept.as_deref());
        closed.size_bytes
    }

    /// No list holds the hash of a log that goes on, and logs are what is big;
    /// a whole item may well be somebody's (a link file, a hive).
    fn wanted_hashes(&self, content: Content) -> WantedHashes {
        match content {
            Content::Log(Format { reader: Reader::Whole(_), .. }) => self.visitor.wanted_hashes(),
            Content::Log(_) => WantedHashes::default(),
            _ => self.visitor.wanted_hashes(),
        }
    }

    /// Whether an item's content is wanted, whatever it is.
    pub(crate) fn wants_content(&self, node: &Node, content: Content, bytes: &[u8]) -> bool {
        let kind = match content {
            Content::Log(format) => Kind::Log(format.slug),
            content if content.is_archive() => Kind::Archive,
            _ => Kind::Unknown,
        };
        self.visitor.wants_content(&Beginning { path: &node.path, root: &node.root, kind, bytes })
    }

    fn log(
        &self,
        format: &Format,
        beginning: &[u8],
        head: &ItemHead<'_>,
        folders: Option<&Arc<Folders>>,
        input: &mut Input<'_>,
        pace: Pace,
    ) -> (Option<V::Part>, Tally) {
        let (limits, shapes, visitor) = (self.limits, &self.shapes, self.visitor);
        let max = limits.problems_max;
        let encoding = if format.reader.is_of_lines() { Encoding::of(beginning) } else { Encoding::Utf8 };
        let decoded = encoding.decode(beginning);
        let beginning = decoded.as_deref().unwrap_or(beginning);
        input.decode(encoding);
        let lines = LinesOf { limits, shapes, visitor, head, pace, encoding };
        match format.reader {
            Reader::W3c => lines.read(w3c::W3cCut::new(shapes, limits), input, w3c::read),
            Reader::ExchangeCsv => {
                lines.read(exchange::ExchangeCut::new(beginning, limits), input, exchange::read)
            }
            Reader::WindowsJsonl => lines.read(windows_json::JsonCut, input, windows_json::read),
            Reader::EcsJson => lines.read(windows_json::JsonCut, input, ecs_json::read),
            Reader::CloudJson => lines.read(cloud::CloudCut, input, cloud::read),
            Reader::Syslog => lines.read(syslog::SyslogCut::default(), input, syslog::read),
            Reader::Auditd => lines.read(auditd::AuditCut, input, auditd::read),
            Reader::JournalExport => {
                lines.read(journal::export::ExportCut::new(limits), input, journal::export::read)
            }
            Reader::CsvTable => {
                lines.read(csv_table::TableCut::new(beginning, limits), input, csv_table::read)
            }
            Reader::Lines(read) => lines.read(PlainLines, input, read),
            Reader::Evtx => {
                batch::read(ChunkCutter::new(), input, head, visitor, max, pace, |batch, sink| {
                    self.chunk_readers.read(batch, sink);
                })
            }
            Reader::Mft => {
                let cutter = MftCutter::new(beginning, folders.cloned(), limits);
                batch::read(cutter, input, head, visitor, max, pace, mft::read)
            }
            Reader::Usn => {
                let cutter = UsnCutter::new(folders.cloned(), input.position());
                batch::read(cutter, input, head, visitor, max, pace, usn::read)
            }
            Reader::Whole(read) => {
                let cutter = WholeCutter::new(limits);
                batch::read(cutter, input, head, visitor, max, pace, |batch, sink| {
                    read(&batch.bytes, shapes, limits, sink);
                })
            }
        }
    }

    /// A change journal that is a sparse file begins with zeros, often with
    /// gigabytes of them.
    fn behind_zeros(&self, content: Content, input: &mut Input<'_>) -> Content {
        if content == Content::Unknown && input.skip_zeros() && (usn::FORMAT.is)(input.ahead(), self.limits) {
            return Content::Log(&usn::FORMAT);
        }
        content
    }

    /// Notes a problem of something that does not become an item.
    pub(crate) fn problem(&self, path: &str, problem: Problem) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.push((path.into(), problem));
    }
}

/// An item of lines that is about to be read.
struct LinesOf<'a, V> {
    limits: &'a Limits,
    shapes: &'a Shapes,
    visitor: &'a V,
    head: &'a ItemHead<'a>,
    pace: Pace,
    encoding: Encoding,
}

impl<V: Visitor> LinesOf<'_, V> {
    /// Reads it: `cut` cuts, `read` reads what was cut.
    fn read<C: Cut>(
        &self,
        cut: C,
        input: &mut Input<'_>,
        read: impl Fn(&Batch<C::State>, &Shapes, &Limits, &mut dyn RecordSink) + Sync,
    ) -> (Option<V::Part>, Tally) {
        let Self { limits, shapes, visitor, head, pace, encoding } = *self;
        let cutter = Lines::new(cut, encoding, limits);
        batch::read(cutter, input, head, visitor, limits.problems_max, pace, |batch, sink| match encoding {
            Encoding::Utf8 => read(batch, shapes, limits, sink),
            _ => {
                let mut placed = Placed::new(sink, encoding, &batch.bytes, batch.offset);
                read(batch, shapes, limits, &mut placed);
            }
        })
    }
}

/// Something to be read: a source, or a member of an archive.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) path: String,
    pub(crate) root: String,
    /// How many archives it is in.
    pub(crate) nesting: u32,
    /// What its file system or archive says of it.
    pub(crate) facts: FileFacts,
    /// The folders of the volume that it is on, for its `$MFT` and its journal.
    pub(crate) folders: Option<Arc<Folders>>,
}

/// What one archive, with all that is nested in it, may still unpack to.
pub(crate) struct Budget {
    pub(crate) left: u64,
}

/// No record was lost, but rules did not look at all of it.
fn beyond_content(bytes_max: u64) -> Problem {
    let wanted = format!("a content of at most {bytes_max} bytes, for rules to look at");
    Problem::new("limit", bytes_max, wanted, "more; rules have looked at the beginning").losing(0)
}

/// A problem without an offset.
pub(crate) fn unplaced(kind: &'static str, wanted: &str, found: String) -> Problem {
    Problem { kind, offset: None, wanted: wanted.into(), found, records_lost: None }
}
