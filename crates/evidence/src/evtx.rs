//! Windows event logs: finds the chunks of a file; room `winevt` reads them.
//!
//! Chunks are told by their magic: on the grid that the file header begins,
//! else at any multiple of 512 bytes. A file without a header, or with pieces
//! missing, gives all chunks that are there.
//!
//! # Losses
//! A log that was copied while open has a header that lags behind (its dirty
//! flag says so): its counts are a lower bound then, and the chunks are
//! trusted. A header that is not dirty counts chunks and records exactly.
//! Chunks of zeros at the end were never used: no loss.
//!
//! # Carving
//! Three places hold records that the log let go of: the free space of a chunk,
//! chunks beyond the header's count (when it is not dirty, and they do not go
//! on where the last one ends), and bytes where a chunk should be, whose header
//! is gone. They are shown as carved.

use crate::Limits;
use crate::batch::{Batch, Cutter};
use crate::format::{Format, Reader};
use crate::input::Input;
use model::{Problem, Record, RecordSink};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use winevt::{CHUNK_BYTES, ChunkReader, FILE_HEADER_BYTES, FileHeader, is_chunk};

/// Where chunks can begin.
const SECTOR_BYTES: usize = 512;
/// How often a file's chunks are read to see whether they are whole; a file
/// that asks for more is made to cost time.
const DOUBTS_MAX: u32 = 64;
/// The header counts chunks in 16 bits: of a log of 4 GiB or more it says nothing.
const CHUNKS_COUNTED_MAX: u64 = 0xffff;
/// Chunks in a batch.
const BATCH_CHUNKS: usize = 16;

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "evtx", is, reader: Reader::Evtx };

/// Whether `head` is the beginning of an event log, or of what is left of one.
fn is(head: &[u8], _: &Limits) -> bool {
    head.starts_with(b"ElfFile\0") || head.chunks(SECTOR_BYTES).any(is_chunk_header)
}

/// Whether a chunk begins here: its magic, and the size of its header.
fn is_chunk_header(bytes: &[u8]) -> bool {
    is_chunk(bytes) && bytes.get(40..44) == Some(&[128, 0, 0, 0])
}

/// A chunk in a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Chunk {
    /// Where it stands in the batch's bytes.
    range: Range<usize>,
    /// Where it stands in the item.
    offset: u64,
    /// The log does not count it, or its header is gone: to be carved.
    is_left: bool,
}

/// Cuts a file into batches of chunks.
pub(crate) struct ChunkCutter {
    buffer: Vec<u8>,
    /// How much of the buffer was handed on.
    at: usize,
    /// Offset of the buffer's first byte in the item.
    offset: u64,
    ended: bool,
    header: Option<FileHeader>,
    begun: bool,
    seen: Seen,
    /// Bytes since the last chunk that are neither chunk nor zeros.
    gap: Option<Range<u64>>,
    /// Bytes of zeros since the last chunk.
    zeros: Option<Range<u64>>,
    doubts_left: u32,
    problems: Vec<Problem>,
}

/// What the chunks' headers say so far.
#[derive(Default)]
struct Seen {
    chunks: u64,
    first: Option<u64>,
    last: Option<u64>,
    /// Last number of the chunk before, for gaps.
    before: Option<u64>,
    records: u64,
    /// Records that a problem here counts as lost already.
    lost: u64,
    /// Places of chunks where there is none; a problem says so already.
    spoilt: u64,
}

impl ChunkCutter {
    pub(crate) fn new() -> Self {
        Self {
            buffer: Vec::new(),
            at: 0,
            offset: 0,
            ended: false,
            header: None,
            begun: false,
            seen: Seen::default(),
            gap: None,
            zeros: None,
            doubts_left: DOUBTS_MAX,
            problems: Vec::new(),
        }
    }

    /// Makes sure that a whole chunk is in the buffer, where there is one.
    fn fill(&mut self, input: &mut Input<'_>) {
        if self.buffer.len() - self.at >= CHUNK_BYTES || self.ended {
            return;
        }
        self.buffer.drain(..self.at);
        self.offset += self.at as u64;
        self.at = 0;
        while !self.ended && self.buffer.len() < BATCH_CHUNKS * CHUNK_BYTES {
            let wanted = BATCH_CHUNKS * CHUNK_BYTES - self.buffer.len();
            self.ended = !input.read(&mut self.buffer, wanted);
        }
    }

    /// Reads the header, if there is one, and steps to where chunks begin.
    fn begin(&mut self) {
        self.begun = true;
        match FileHeader::parse(&self.buffer) {
            Ok(header) => {
                if !header.checksum_ok && !header.is_dirty {
                    let wanted = "a file header whose checksum holds";
                    self.problems.push(Problem::new("bad-checksum", 0, wanted, "another").losing(0));
                }
                self.header = Some(header);
                self.at = FILE_HEADER_BYTES.min(self.buffer.len());
            }
            Err(problem) => {
                self.problems.push(problem.losing(0));
                if !is_chunk_header(&self.buffer) && self.buffer.len() > FILE_HEADER_BYTES {
                    self.at = self.find_chunk(0).unwrap_or(FILE_HEADER_BYTES);
                }
            }
        }
    }

    /// The next chunk header in the buffer after `from`, on sectors.
    fn find_chunk(&self, from: usize) -> Option<usize> {
        let later = (from + SECTOR_BYTES..self.buffer.len()).step_by(SECTOR_BYTES);
        later.take(CHUNK_BYTES / SECTOR_BYTES - 1).find(|at| is_chunk_header(&self.buffer[*at..]))
    }

    /// The next chunk, or piece that holds something and is none; `None` at
    /// the end, and where more must be read and may not. Its range is that in
    /// the buffer.
    fn chunk(&mut self, input: &mut Input<'_>, may_read: bool) -> Option<Chunk> {
        loop {
            if may_read {
                self.fill(input);
            } else if !self.ended && self.buffer.len() - self.at < CHUNK_BYTES {
                return None;
            }
            if !self.begun {
                self.begin();
                continue;
            }
            let rest = self.buffer.get(self.at..).filter(|rest| !rest.is_empty())?;
            let whole = rest.len().min(CHUNK_BYTES);
            if !is_chunk_header(rest) {
                let end = self.find_chunk(self.at).unwrap_or(self.at + whole);
                let range = self.at..end;
                if self.skip(end) {
                    continue;
                }
                let offset = self.offset + range.start as u64;
                return Some(Chunk { range, offset, is_left: true });
            }
            let start = self.at;
            // Another chunk's header within this one: is this one cut, or does
            // some event just carry the magic?
            let end = match self.find_chunk(start) {
                Some(inner) => {
                    let asked = self.doubts_left > 0;
                    self.doubts_left = self.doubts_left.saturating_sub(1);
                    let is_whole = asked && reads_whole(&self.buffer[start..start + whole]);
                    if is_whole { start + whole } else { inner }
                }
                None => start + whole,
            };
            self.at = end;
            let is_left = !self.note(start);
            return Some(Chunk { range: start..end, offset: self.offset + start as u64, is_left });
        }
    }

    /// Steps over what is no chunk; true when it is zeros.
    fn skip(&mut self, end: usize) -> bool {
        let is_zeros = self.buffer[self.at..end].iter().all(|byte| *byte == 0);
        let (start, stop) = (self.offset + self.at as u64, self.offset + end as u64);
        let run = if is_zeros { &mut self.zeros } else { &mut self.gap };
        *run = Some(run.take().map_or(start, |run| run.start)..stop);
        self.at = end;
        is_zeros
    }

    /// Whether the chunk with these record numbers is left from an earlier
    /// life of the log: one more than a header that can be trusted counts, and
    /// not the next one.
    fn is_left(&self, range: Option<(u64, u64)>) -> bool {
        let Some(header) = &self.header else { return false };
        let counted = u64::from(header.chunks);
        let is_sure = header.checksum_ok && !header.is_dirty && (1..CHUNKS_COUNTED_MAX).contains(&counted);
        let goes_on = self.seen.last.and_then(|last| last.checked_add(1)) == range.map(|(first, _)| first);
        is_sure && self.seen.chunks + self.seen.spoilt >= counted && !goes_on
    }

    /// Takes the chunk header at `start` into account; false when the chunk is
    /// none of the log's.
    fn note(&mut self, start: usize) -> bool {
        let header = &self.buffer[start..];
        let number = |at: usize| header.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let range = number(24).zip(number(32)).filter(|(first, last)| {
            first <= last && last - first < CHUNK_BYTES as u64 / 28 // no more fit
        });
        if self.is_left(range) {
            return false;
        }
        self.seen.chunks += 1;
        let missing = range
            .zip(self.seen.before)
            .and_then(|((first, _), before)| first.checked_sub(before)?.checked_sub(1));
        let zeros = self.zeros.take();
        if self.gap.is_none() && missing.is_some_and(|missing| missing > 0) {
            // Zeros where record numbers are missing: a chunk was wiped there.
            self.gap = zeros;
        }
        self.close_gap(missing);
        self.seen.before = range.map(|(_, last)| last);
        if let Some((first, last)) = range {
            self.seen.first = Some(self.seen.first.map_or(first, |least| least.min(first)));
            self.seen.last = Some(self.seen.last.map_or(last, |most| most.max(last)));
            self.seen.records += last - first + 1;
        }
        true
    }

    /// Says that bytes were no chunk, with what record numbers miss there.
    fn close_gap(&mut self, missing: Option<u64>) {
        let Some(gap) = self.gap.take() else { return };
        let bytes = gap.end - gap.start;
        let found = format!("{bytes} bytes that are none");
        self.seen.spoilt += bytes.div_ceil(CHUNK_BYTES as u64);
        let problem = Problem::new("bad-chunk", gap.start, "a chunk (ElfChnk)", found);
        let missing = missing.filter(|missing| *missing <= bytes / 28);
        self.seen.lost += missing.unwrap_or(0);
        self.problems.push(Problem { records_lost: missing, ..problem });
    }

    /// Compares what the file header counts with what was there.
    fn compare(&mut self, header: &FileHeader) {
        let seen = &self.seen;
        let end = self.offset + self.buffer.len() as u64;
        let due = header.next_record.saturating_sub(1);
        // Between the oldest record and the newest that the header knows.
        let expected = seen.first.and_then(|first| header.next_record.checked_sub(first));
        let lost = expected.and_then(|expected| expected.checked_sub(seen.records.saturating_add(seen.lost)));
        let lost = lost.filter(|lost| *lost > 0);
        // The count has 16 bits: a log of 4 GiB or more wraps around.
        let chunks_short = seen.chunks + seen.spoilt < u64::from(header.chunks);
        if chunks_short {
            let wanted = format!("{}, as the file header counts", chunks(u64::from(header.chunks)));
            let problem = Problem::new("truncated", end, wanted, chunks(seen.chunks));
            self.problems.push(Problem { records_lost: lost, ..problem });
        } else if !header.is_dirty && seen.last.is_some_and(|last| last < due) {
            let wanted = format!("records up to number {due}, as the file header counts");
            let found = format!("up to number {}", seen.last.unwrap_or(0));
            let problem = Problem::new("truncated", end, wanted, found);
            self.problems.push(Problem { records_lost: lost, ..problem });
        }
    }
}

fn chunks(count: u64) -> String {
    if count == 1 { "1 chunk".into() } else { format!("{count} chunks") }
}

/// Whether a chunk's records are all there.
fn reads_whole(chunk: &[u8]) -> bool {
    struct Nowhere;
    impl RecordSink for Nowhere {
        fn record(&mut self, _: &Record<'_>) {}
        fn problem(&mut self, _: Problem) {}
    }
    let summary = ChunkReader::new().read(chunk, 0, &mut Nowhere);
    summary.checksum_ok && summary.records_lost == 0
}

impl Cutter for ChunkCutter {
    type State = Vec<Chunk>;

    fn next(&mut self, input: &mut Input<'_>) -> Option<Batch<Vec<Chunk>>> {
        let mut chunks = Vec::with_capacity(BATCH_CHUNKS);
        // The batch is the buffer itself: what is read once is not copied.
        while let Some(chunk) = self.chunk(input, chunks.is_empty()) {
            chunks.push(chunk);
        }
        let offset = chunks.first().map(|chunk| chunk.offset)?;
        let mut rest = Vec::with_capacity(BATCH_CHUNKS * CHUNK_BYTES);
        rest.extend_from_slice(&self.buffer[self.at..]);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.offset += self.at as u64;
        self.at = 0;
        let problems = std::mem::take(&mut self.problems);
        Some(Batch { bytes, offset, line: 0, state: chunks, problems })
    }

    fn end(&mut self) -> Vec<Problem> {
        let header = self.header.take();
        // What follows the last chunk is space that was never used, when the
        // header can say so.
        let is_complete = header.as_ref().is_some_and(|header| {
            let all_chunks = self.seen.chunks >= u64::from(header.chunks);
            !header.is_dirty && all_chunks && self.seen.last == header.next_record.checked_sub(1)
        });
        if !is_complete {
            self.close_gap(None);
        }
        if let Some(header) = header {
            self.compare(&header);
        }
        std::mem::take(&mut self.problems)
    }
}

/// Readers of chunks, which learn templates as they go: each thread takes one
/// and gives it back, so that what it learnt serves the next batch.
#[derive(Default)]
pub(crate) struct ChunkReaders(Mutex<Vec<ChunkReader>>);

impl ChunkReaders {
    /// Reads a batch.
    pub(crate) fn read(&self, batch: &Batch<Vec<Chunk>>, sink: &mut dyn RecordSink) {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = idle.unwrap_or_default();
        let chunks = || batch.state.iter().map(|chunk| (chunk, &batch.bytes[chunk.range.clone()]));
        reader.begin_run();
        let live_ends: Vec<usize> = chunks()
            .map(|(chunk, bytes)| match chunk.is_left {
                true => 0,
                false => reader.read(bytes, chunk.offset, sink).end,
            })
            .collect();
        for ((chunk, bytes), end) in chunks().zip(live_ends) {
            reader.carve(bytes, end, chunk.offset, sink);
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
    }
}
