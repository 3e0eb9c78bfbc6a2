//! Reads sources into items: sniffs, opens archives, hands logs to their
//! readers.
//!
//! Small items are read side by side, one thread each; archives and big items
//! one after another, with all threads at each. Nothing waits for a pool from
//! within the pool, and memory holds a few batches per thread.

use crate::batch::{self, Pace, Tally};
use crate::bytes::Bytes;
use crate::format::{Content, Format, sniff};
use crate::input::{Head, Input};
use crate::shapes::Shapes;
use crate::text::Lines;
use crate::{ItemHead, Limits, ReadItem, Source, Visitor, exchange, w3c, windows_json};
use model::Problem;
use rayon::prelude::*;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

/// Items up to this size are read by one thread.
const SMALL_BYTES: u64 = 4 << 20;

/// Reads all `sources` and shows their records and items to `visitor`. Gives
/// the problems of what did not become an item, sorted.
pub fn read<V: Visitor>(sources: &[Source], limits: &Limits, visitor: &V) -> Vec<(String, Problem)> {
    let progress = |bytes| visitor.progress(bytes);
    let reading = Reading {
        limits,
        visitor,
        progress: &progress,
        shapes: Shapes::new(limits.shapes_max),
        problems: Mutex::new(Vec::new()),
    };
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
    problems: Mutex<Vec<(String, Problem)>>,
}

impl<V: Visitor> Reading<'_, V> {
    /// Reads one source; false when it is an archive and the pace says that
    /// it has only one thread, so that it is left for later.
    fn source(&self, source: &Source, pace: Pace) -> bool {
        let bytes = match Bytes::open(&source.file, self.progress) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.problem(&source.path, "unreadable", "a file", error.to_string());
                return true;
            }
        };
        let mut reader = bytes.range(0, bytes.len());
        let head = Head::read(&mut reader);
        self.item(&source.path, &source.root, head, Box::new(reader), self.limits.item_bytes_max, pace);
        true
    }

    /// Reads an item that is no archive.
    pub(crate) fn item<'b>(
        &self,
        path: &str,
        root: &str,
        head: Head,
        reader: Box<dyn Read + Send + 'b>,
        bytes_max: u64,
        pace: Pace,
    ) {
        let content = sniff(&head.bytes, self.limits);
        let beginning = head.bytes.clone();
        let mut input = Input::new(head, reader, bytes_max);
        let mut format = None;
        let (mut whole, mut tally) = (None, Tally::new(self.limits.problems_max));
        if let Content::Log(log) = content {
            let item_head = ItemHead { path, root, format: log.slug() };
            format = Some(log.slug());
            (whole, tally) = self.log(log, &beginning, &item_head, &mut input, pace);
        }
        if let Content::Closed(name) = content {
            tally.problems.push(Problem::new("unsupported-archive", 0, "zip, tar or gzip", name));
        }
        let closed = input.close();
        let mut problems = tally.problems.close();
        problems.extend(closed.problem);
        problems.sort_by_key(|problem| problem.offset.unwrap_or(u64::MAX));
        let item = ReadItem {
            path: path.into(),
            root: root.into(),
            sha256: closed.sha256,
            size_bytes: closed.size_bytes,
            format,
            records: tally.records,
            problems,
            synthetic: closed.synthetic,
        };
        self.visitor.item(item, whole);
    }

    fn log(
        &self,
        format: Format,
        beginning: &[u8],
        head: &ItemHead<'_>,
        input: &mut Input<'_>,
        pace: Pace,
    ) -> (Option<V::Part>, Tally) {
        let (limits, shapes, visitor) = (self.limits, &self.shapes, self.visitor);
        let max = limits.problems_max;
        match format {
            Format::W3c => {
                let cutter = Lines::new(w3c::W3cCut::new(shapes, limits), limits);
                batch::read(cutter, input, head, visitor, max, pace, |batch, sink| {
                    w3c::read(batch, shapes, limits, sink);
                })
            }
            Format::ExchangeCsv => {
                let cutter = Lines::new(exchange::ExchangeCut::new(beginning, limits), limits);
                batch::read(cutter, input, head, visitor, max, pace, |batch, sink| {
                    exchange::read(batch, shapes, limits, sink);
                })
            }
            Format::WindowsJsonl => {
                let cutter = Lines::new(windows_json::JsonCut, limits);
                batch::read(cutter, input, head, visitor, max, pace, |batch, sink| {
                    windows_json::read(batch, shapes, limits, sink);
                })
            }
            Format::Evtx => (None, Tally::new(max)),
        }
    }

    pub(crate) fn problem(&self, path: &str, kind: &'static str, wanted: &str, found: String) {
        let problem = Problem { kind, offset: None, wanted: wanted.into(), found, records_lost: None };
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.push((path.into(), problem));
    }
}
