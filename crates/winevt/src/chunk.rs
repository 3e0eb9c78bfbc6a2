//! One chunk: walks its records, steps over the broken ones, and says what is
//! missing.
//!
//! The `evtx` library's iterator is not used for this: it copies each record's
//! values to check them, gives up a record for one broken fragment, and passes
//! over a chunk that is cut.

mod carve;

use crate::header::{CHUNK_BYTES, CHUNK_HEADER_BYTES, ChunkHeader};
use crate::plan::Plan;
use crate::record::{RecordHeader, Shapes};
use crate::stream::{Parts, StreamReader};
use crate::value::Decoder;
use crate::wire::Broken;
use bumpalo::Bump;
use model::{Position, Problem, Record, RecordSink, Timestamp, Value};

/// Problems told one by one; those after are summed up. A chunk made to be
/// hostile has room for thousands.
const PROBLEMS_MAX: usize = 64;

/// Reads chunks. Keeps what it learnt of templates from chunk to chunk and from
/// file to file; one per thread.
///
/// Records of one combination of templates share one `Arc<Shape>`, until the
/// reader has met so many that it forgets them all: whoever keys a cache by a
/// shape's address must keep the `Arc` beside it.
#[derive(Default)]
pub struct ChunkReader {
    shapes: Shapes,
    arena: Bump,
}

/// What was in a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChunkSummary {
    /// Records shown to the sink.
    pub records: u64,
    /// First and last record number by the chunk's header; `None` when it
    /// names none.
    pub range: Option<(u64, u64)>,
    /// Whether the checksums hold (a cut chunk: that of its header).
    pub checksum_ok: bool,
    /// Records that were there by the header's word and could not be read.
    pub records_lost: u64,
    /// Where the records end in the chunk.
    pub end: usize,
}

impl ChunkReader {
    /// A reader that knows no template yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows the records of `chunk`, which begins at `offset` of its item, to
    /// `sink`, in the order in which they stand. What an earlier use of the
    /// chunk left behind them is for [`ChunkReader::carve`].
    ///
    /// A chunk that is cut gives the records that are whole, and so does one
    /// whose header is destroyed. What cannot be read becomes a [`Problem`]:
    /// `truncated`, `bad-chunk`, `bad-checksum` (the records are read all the
    /// same), `bad-record` (the record is lost when `records_lost` says so, else
    /// shown as far as it is readable) or `limit`.
    pub fn read(&mut self, chunk: &[u8], offset: u64, sink: &mut dyn RecordSink) -> ChunkSummary {
        let chunk = &chunk[..chunk.len().min(CHUNK_BYTES)];
        let mut problems = Problems::new(sink, offset);
        let header = ChunkHeader::parse(chunk).unwrap_or_else(|| {
            let wanted = "a chunk header (ElfChnk, 512 bytes)";
            let found = format!("{} bytes: {:02X?} …", chunk.len(), &chunk[..chunk.len().min(8)]);
            problems.tell(Problem::new("bad-chunk", offset, wanted, found));
            ChunkHeader::LOST
        });
        if !header.bad_checksums.is_empty() {
            let wanted = "a chunk whose checksums hold";
            problems.tell(Problem::new("bad-checksum", offset, wanted, header.bad_checksums).losing(0));
        }
        let (end, tally) = self.walk(chunk, &header, problems, |walk| walk.records());
        ChunkSummary {
            records: tally.read,
            range: header.records,
            checksum_ok: header.holds && header.bad_checksums.is_empty(),
            records_lost: tally.lost,
            end,
        }
    }

    /// Begins a run of chunks of one log. A carved record whose definition was
    /// written over is read by the one that has its id elsewhere in the run:
    /// read all chunks of the run first, then carve.
    pub fn begin_run(&mut self) {
        self.shapes.templates().begin_run();
    }

    /// Shows, as carved, the records that lie whole in `chunk` from `from` on:
    /// in its free space, or in all of a chunk that its log no longer counts or
    /// whose header is gone. Returns how many.
    ///
    /// What is a record and cannot be read is told in one problem,
    /// `overwritten`: no loss, as the log itself let go of it.
    pub fn carve(&mut self, chunk: &[u8], from: usize, offset: u64, sink: &mut dyn RecordSink) -> u64 {
        let chunk = &chunk[..chunk.len().min(CHUNK_BYTES)];
        if !carve::may_hold_records(chunk, from) {
            return 0;
        }
        let problems = Problems::new(sink, offset);
        self.walk(chunk, &ChunkHeader::LOST, problems, |walk| walk.carve(from)).0
    }

    fn walk<'s, T>(
        &'s mut self,
        chunk: &[u8],
        header: &'s ChunkHeader,
        problems: Problems<'s>,
        go: impl FnOnce(&mut Walk<'_, 's>) -> T,
    ) -> (T, Tally) {
        self.shapes.begin_chunk();
        let mut arena = std::mem::take(&mut self.arena);
        arena.reset();
        let mut walk = Walk {
            chunk,
            offset: problems.offset,
            header,
            shapes: &mut self.shapes,
            decoder: Decoder::new(&arena),
            parts: Parts::default(),
            values: Vec::new(),
            problems,
            tally: Tally::default(),
        };
        let gone = go(&mut walk);
        walk.problems.finish();
        let tally = walk.tally;
        self.arena = arena;
        (gone, tally)
    }
}

/// Tells problems, up to a number.
struct Problems<'s> {
    sink: &'s mut dyn RecordSink,
    offset: u64,
    told: usize,
    untold: u64,
    untold_lost: u64,
}

impl<'s> Problems<'s> {
    fn new(sink: &'s mut dyn RecordSink, offset: u64) -> Self {
        Self { sink, offset, told: 0, untold: 0, untold_lost: 0 }
    }

    fn tell(&mut self, problem: Problem) {
        if self.told < PROBLEMS_MAX {
            self.told += 1;
            self.sink.problem(problem);
        } else {
            self.untold += 1;
            self.untold_lost += problem.records_lost.unwrap_or(0);
        }
    }

    fn broken(&mut self, broken: &Broken, lost: u64) {
        let offset = self.offset + broken.at as u64;
        let problem = Problem::new(broken.kind(), offset, broken.wanted, broken.found.to_string());
        self.tell(problem.losing(lost));
    }

    fn finish(&mut self) {
        if self.untold > 0 {
            let found = format!("{} more", self.untold);
            let wanted = format!("at most {PROBLEMS_MAX} problems in a chunk");
            self.sink.problem(Problem::new("limit", self.offset, wanted, found).losing(self.untold_lost));
        }
    }
}

/// What the walk has counted.
#[derive(Default)]
struct Tally {
    read: u64,
    lost: u64,
    last: Option<u64>,
}

/// A walk over one chunk's records.
struct Walk<'a, 's> {
    chunk: &'a [u8],
    offset: u64,
    header: &'s ChunkHeader,
    shapes: &'s mut Shapes,
    decoder: Decoder<'a>,
    parts: Parts<'a>,
    values: Vec<Value<'a>>,
    problems: Problems<'s>,
    tally: Tally,
}

impl<'a> Walk<'a, '_> {
    /// Shows the live records; returns where they end.
    fn records(&mut self) -> usize {
        let mut at = CHUNK_HEADER_BYTES;
        while at < self.chunk.len() && (!self.is_end(at) || self.goes_on(at)) {
            match RecordHeader::parse(self.chunk, at) {
                Ok(header) => {
                    self.record(at, &header);
                    if self.is_due(header.number) {
                        self.tally.last = Some(header.number);
                    }
                    at += header.size;
                }
                Err(broken) => {
                    let Some((next, number)) = self.find_record(at + 1) else {
                        self.finish(Some((at, &broken)));
                        return at;
                    };
                    let lost = self.missing_before(number).max(1);
                    self.tally.lost += lost;
                    self.problems.broken(&broken, lost);
                    at = next;
                }
            }
        }
        self.finish(None);
        at
    }

    /// Whether a record of this number is one that may stand here. One that is
    /// far off must not pass for all those that it is far from.
    fn is_due(&self, number: u64) -> bool {
        let goes_on = self.tally.last.and_then(|last| last.checked_add(1)) == Some(number);
        goes_on || self.header.records.is_none_or(|(first, last)| (first..=last).contains(&number))
    }

    /// Whether the records end at `at` by the chunk header's word.
    fn is_end(&self, at: usize) -> bool {
        at >= self.header.end
            || self.header.records.is_some_and(|(_, last)| self.tally.last.is_some_and(|seen| seen >= last))
    }

    /// Whether the very next record stands at `at` all the same: the header of a
    /// log that was copied while open lags behind. What an earlier round of the
    /// log left there has another number.
    fn goes_on(&self, at: usize) -> bool {
        let is_next = |number| match self.tally.last {
            Some(last) => last.checked_add(1) == Some(number),
            None => !self.header.holds,
        };
        RecordHeader::parse(self.chunk, at).is_ok_and(|header| header.size_again && is_next(header.number))
    }

    /// The next place at which a whole record stands that belongs here.
    fn find_record(&self, from: usize) -> Option<(usize, u64)> {
        let window = self.chunk.get(from..self.header.end.min(self.chunk.len()))?;
        memchr::memmem::find_iter(window, &RecordHeader::MAGIC).find_map(|hit| {
            let header = RecordHeader::parse(self.chunk, from + hit).ok()?;
            let range = self.header.records;
            let is_known = range.is_none_or(|(first, last)| (first..=last).contains(&header.number));
            let is_later = self.tally.last.is_none_or(|last| header.number > last);
            (header.size_again && is_known && is_later).then_some((from + hit, header.number))
        })
    }

    /// Records that should stand between the last one and number `next`.
    fn missing_before(&self, next: u64) -> u64 {
        let Some((first, last)) = self.header.records else { return 0 };
        let due = self.tally.last.map_or(first, |last| last.saturating_add(1));
        let missing = next.saturating_sub(due);
        // Numbers that are far from the header's say nothing.
        if missing <= last - first + 1 { missing } else { 0 }
    }

    /// No more records: says what is missing. `broken` is what stands, and
    /// where, when the records do not end as they should.
    fn finish(&mut self, broken: Option<(usize, &Broken)>) {
        let lost = self.header.records.map_or(0, |(_, last)| self.missing_before(last.saturating_add(1)));
        self.tally.lost += lost;
        if self.chunk.len() < CHUNK_BYTES {
            self.truncated(lost);
        } else if let Some((at, broken)) = broken {
            // Zeros that nobody misses are free space that the header counts in.
            let is_blank = self.chunk[at..].iter().take(RecordHeader::BYTES).all(|byte| *byte == 0);
            if lost > 0 || !is_blank {
                self.problems.broken(broken, lost);
            }
        } else if lost > 0 {
            let wanted = "all records that the chunk's header counts";
            let found = format!("{} records", self.tally.read);
            self.problems.tell(Problem::new("bad-record", self.offset, wanted, found).losing(lost));
        }
    }

    fn truncated(&mut self, lost: u64) {
        let found = format!("{} bytes", self.chunk.len());
        let problem = Problem::new("truncated", self.offset, "a chunk of 65536 bytes", found);
        let is_known = self.header.records.is_some();
        self.problems.tell(if is_known { problem.losing(lost) } else { problem });
    }

    fn record(&mut self, at: usize, header: &RecordHeader) {
        let start = at + RecordHeader::BYTES;
        let end = at + header.size - 4;
        let mut reader =
            StreamReader::new(self.chunk, self.shapes.templates(), &self.decoder, &mut self.parts);
        if let Err(broken) = reader.read(start, end) {
            return self.lose(&broken, header.number);
        }
        let Some(plan) = self.shapes.plan(self.parts.key.bytes(), &self.parts.values, &self.decoder) else {
            let broken = Broken::limit(at, "fewer shapes of records in a chunk", header.size);
            return self.lose(&broken, header.number);
        };
        if plan.shape.slots.is_empty() {
            return self.lose(&Broken::new(at, "an event", header.size as u64), header.number);
        }
        self.values.clear();
        let values = &self.parts.values;
        self.values.extend(plan.sources.iter().map(|source| source.value(values, &self.decoder)));
        let record = Record {
            shape: &plan.shape,
            values: &self.values,
            position: Position { offset: self.offset + at as u64, record: None, line: None },
            time: None,
        };
        let (number, time) = number_and_time(plan, &record, header);
        let position = Position { record: Some(number), ..record.position };
        self.problems.sink.record(&Record { position, time, ..record });
        self.tally.read += 1;
        let is_cut = plan.cut;
        self.record_troubles(at, header, is_cut);
    }

    /// A record that cannot be shown. When its number is none of this chunk's,
    /// the one that should stand there is missed by the count of numbers.
    fn lose(&mut self, broken: &Broken, number: u64) {
        let lost = u64::from(self.is_due(number));
        self.tally.lost += lost;
        self.problems.broken(broken, lost);
    }

    /// What was wrong within a record that was shown.
    fn record_troubles(&mut self, at: usize, header: &RecordHeader, cut: bool) {
        for broken in &self.parts.troubles {
            self.problems.broken(broken, 0);
        }
        if !header.size_again {
            let broken = Broken::new(at + header.size - 4, "the record's size again", header.size as u64);
            self.problems.broken(&broken, 0);
        }
        if cut {
            let broken = Broken::limit(at, "at most 4,096 fields in a record", 4_096);
            self.problems.broken(&broken, 0);
        }
        if self.decoder.take_overdrawn() {
            let broken = Broken::limit(at, "at most 8 MiB of lists and joined text in a chunk", 8 << 20);
            self.problems.broken(&broken, 0);
        }
    }
}

/// By the event's own word, else by the log's around it.
fn number_and_time(plan: &Plan, record: &Record<'_>, header: &RecordHeader) -> (u64, Option<Timestamp>) {
    let number = plan.record.and_then(|slot| record.value(slot).to_integer());
    let number = number.and_then(|number| u64::try_from(number).ok()).unwrap_or(header.number);
    (number, plan.time.and_then(|slot| time(record.value(slot))).or(header.time))
}

fn time(value: Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Time(time) => Some(time),
        Value::Utf8(_) | Value::Utf16(_) => Timestamp::parse(&value.to_text()),
        _ => None,
    }
}
