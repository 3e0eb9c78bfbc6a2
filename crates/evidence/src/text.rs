//! Lines of text logs: cut into batches, and walked.

use crate::Limits;
use crate::batch::{BATCH_BYTES, Batch, Cutter};
use crate::input::{HEAD_BYTES, Input};
use crate::utf16::Encoding;
use memchr::{memchr, memchr_iter, memrchr};
use model::{Position, Problem, RecordSink, Value};
use std::borrow::Cow;

/// What a format knows of its records' ends.
pub(crate) trait Cut: Send {
    /// What a batch must know of what stands before it.
    type State: Send + Sync;
    /// What is in force now.
    fn state(&self) -> Self::State;
    /// How many bytes of `block`, which begins at a record, make whole
    /// records; 0 when not even one is whole. What stands there takes effect
    /// on [`Cut::state`]. With `ended`, what is there is all there is.
    fn cut(&mut self, block: &[u8], ended: bool) -> usize;
}

/// Cuts text into batches of whole records.
pub(crate) struct Lines<C> {
    cut: C,
    encoding: Encoding,
    /// Read, and not yet handed on.
    rest: Vec<u8>,
    offset: u64,
    line: u64,
    ended: bool,
    line_bytes_max: usize,
    problems: Vec<Problem>,
}

impl<C: Cut> Lines<C> {
    /// Lines of an item whose input hands on what `encoding` decodes to.
    pub(crate) fn new(cut: C, encoding: Encoding, limits: &Limits) -> Self {
        let line_bytes_max = limits.line_bytes_max;
        Self {
            cut,
            encoding,
            rest: Vec::new(),
            offset: 0,
            line: 1,
            ended: false,
            line_bytes_max,
            problems: Vec::new(),
        }
    }

    /// The next block, as far as it was read: with room for the rest, so that it does not move as it grows.
    fn begin_of_next(&self, bytes: &[u8]) -> Vec<u8> {
        let room = if self.ended { 0 } else { BATCH_BYTES };
        let mut block = Vec::with_capacity(bytes.len().max(room));
        block.extend_from_slice(bytes);
        block
    }

    /// Lets a line go that is longer than the limit, up to the next one.
    fn skip_line(&mut self, mut block: Vec<u8>, input: &mut Input<'_>) -> Vec<u8> {
        let wanted = format!("a line of at most {} bytes", self.line_bytes_max);
        let problem = Problem::new("limit", self.offset, wanted, "a longer line").losing(1);
        let mut is_blank = true;
        loop {
            is_blank &= block.iter().all(|byte| *byte == 0);
            if !is_blank && self.problems.last() != Some(&problem) {
                self.problems.push(problem.clone());
            }
            if let Some(end) = memchr(b'\n', &block) {
                self.offset += self.encoding.stored_bytes(&block[..=end]);
                self.line += 1;
                block.drain(..=end);
                return block;
            }
            self.offset += self.encoding.stored_bytes(&block);
            block.clear();
            if !input.read(&mut block, BATCH_BYTES) {
                self.ended = true;
                return block;
            }
        }
    }
}

impl<C: Cut> Cutter for Lines<C> {
    type State = C::State;

    fn next(&mut self, input: &mut Input<'_>) -> Option<Batch<C::State>> {
        let mut block = std::mem::take(&mut self.rest);
        loop {
            while !self.ended && block.len() < BATCH_BYTES {
                let wanted = BATCH_BYTES - block.len();
                self.ended = !input.read(&mut block, wanted);
            }
            let state = self.cut.state();
            let cut = match self.cut.cut(&block, self.ended) {
                0 if self.ended => block.len(),
                cut => cut,
            };
            if cut > 0 {
                self.rest = self.begin_of_next(&block[cut..]);
                block.truncate(cut);
                let (offset, line) = (self.offset, self.line);
                self.offset += self.encoding.stored_bytes(&block);
                self.line += memchr_iter(b'\n', &block).count() as u64;
                let problems = std::mem::take(&mut self.problems);
                return Some(Batch { bytes: block, offset, line, state, problems });
            }
            if self.ended && block.is_empty() {
                return None;
            }
            if block.len() > self.line_bytes_max {
                block = self.skip_line(block, input);
            } else {
                self.ended = !input.read(&mut block, BATCH_BYTES);
            }
        }
    }

    fn end(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }
}

/// Where the last line that is whole ends; for formats with one record per
/// line.
pub(crate) fn whole_lines(block: &[u8], ended: bool) -> usize {
    if ended { block.len() } else { memrchr(b'\n', block).map_or(0, |end| end + 1) }
}

/// Cuts at line ends, and keeps nothing in mind.
pub(crate) struct PlainLines;

impl Cut for PlainLines {
    type State = ();

    fn state(&self) {}

    fn cut(&mut self, block: &[u8], ended: bool) -> usize {
        whole_lines(block, ended)
    }
}

/// One physical line, without its end.
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    /// Where it stands in the batch.
    pub(crate) start: usize,
    /// Where the next one stands.
    pub(crate) next: usize,
}

/// The line that begins at `start`; `None` at the end.
pub(crate) fn line_at(block: &[u8], start: usize) -> Option<Line<'_>> {
    let rest = block.get(start..).filter(|rest| !rest.is_empty())?;
    let (end, next) = match memchr(b'\n', rest) {
        Some(end) => (end, start + end + 1),
        None => (rest.len(), start + rest.len()),
    };
    let bytes = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
    Some(Line { bytes, start, next })
}

/// Lines of an item's beginning that a format looks at to know itself.
const LINES_TRIED: usize = 5;

/// The first lines of `head` that hold something. One that the head cuts is
/// not whole, and so not among them, unless it is the only one.
pub(crate) fn first_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_cut = head.len() >= HEAD_BYTES;
    let mut at = 0;
    let lines = std::iter::from_fn(move || {
        let line = line_at(head, at)?;
        let cut = is_cut && at > 0 && line.next >= head.len();
        at = line.next;
        (!cut).then_some(without_bom(line.bytes))
    });
    lines.filter(|line| !line.trim_ascii().is_empty()).take(LINES_TRIED)
}

/// Shows each line of a batch that holds something, and where it stands.
/// Lines longer than the limit are told, and not shown.
pub(crate) fn each_line<S>(
    batch: &Batch<S>,
    limits: &Limits,
    sink: &mut dyn RecordSink,
    mut show: impl FnMut(&[u8], Position, &mut dyn RecordSink),
) {
    let (mut at, mut number) = (0, batch.line);
    while let Some(line) = line_at(&batch.bytes, at) {
        let offset = batch.offset + line.start as u64;
        let bytes = without_bom(without_nuls(&batch.bytes, &line, offset, sink));
        if bytes.len() > limits.line_bytes_max {
            let wanted = format!("a line of at most {} bytes", limits.line_bytes_max);
            sink.problem(Problem::new("limit", offset, wanted, "a longer line").losing(1));
        } else if !bytes.trim_ascii().is_empty() {
            show(bytes, Position { offset, record: None, line: Some(number) }, sink);
        }
        at = line.next;
        number += 1;
    }
}

/// The number of a month by its English name of three letters.
pub(crate) fn month(name: &[u8]) -> Option<u32> {
    const NAMES: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    NAMES.chunks(3).zip(1..).find(|(own, _)| *own == name).map(|(_, number)| number)
}

/// Bytes as text; what is no UTF-8 becomes U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    // The lossy conversion looks at each byte; the check skips over ASCII.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Text as a value; none is empty.
pub(crate) fn value(text: &str) -> Value<'_> {
    if text.is_empty() { Value::Empty } else { Value::Utf8(text) }
}

/// Without the byte order mark of UTF-8, which stands at a file's beginning,
/// and in the middle of files that were joined.
pub(crate) fn without_bom(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// NULs in a row that no value holds: something was not written there.
const HOLE_BYTES_MIN: usize = 16;

/// The line without leading NULs: a server that lost power leaves a run of
/// them, and goes on after it in the same line. A last line of nothing else is
/// space that the server had set aside. A hole further on in the line is told,
/// and stays: what stands before it may be one record, what follows another.
pub(crate) fn without_nuls<'a>(
    block: &'a [u8],
    line: &Line<'a>,
    offset: u64,
    sink: &mut dyn RecordSink,
) -> &'a [u8] {
    let nuls = line.bytes.iter().take_while(|byte| **byte == 0).count();
    let rest = &line.bytes[nuls..];
    let is_set_aside = rest.is_empty() && line.next == block.len() && block.last() == Some(&0);
    if nuls > 0 && !is_set_aside {
        sink.problem(Problem::new("bad-record", offset, "text", format!("{nuls} bytes of value 0")));
    }
    if let Some(first) = memchr(0, rest)
        && let Some(bytes) = hole(&rest[first..])
    {
        let at = offset + (nuls + first) as u64;
        sink.problem(Problem::new("bad-record", at, "text", format!("{bytes} bytes of value 0")));
    }
    rest
}

/// How many NULs the longest run has, when it is a hole.
fn hole(bytes: &[u8]) -> Option<usize> {
    let longest = bytes.split(|byte| *byte != 0).map(<[u8]>::len).max();
    longest.filter(|longest| *longest >= HOLE_BYTES_MIN)
}

/// Tells a line of the frame that goes on behind a carriage return: of a file
/// whose lines end with nothing else, all that follows is in this one.
pub(crate) fn check_frame(line: &[u8], offset: u64, sink: &mut dyn RecordSink) {
    if let Some(at) = memchr(b'\r', line) {
        let found = "a carriage return; what follows in this line is not read";
        sink.problem(Problem::new("bad-record", offset + at as u64, "a line feed", found));
    }
}

/// What follows `name` in a directive line such as `#Fields: a b`; names are
/// compared without regard to ASCII case.
pub(crate) fn directive<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(name.len())?;
    head.eq_ignore_ascii_case(name.as_bytes()).then(|| rest.trim_ascii())
}

/// Shortens what a problem quotes: a line can be megabytes.
pub(crate) fn quote(bytes: &[u8]) -> String {
    const SHOWN: usize = 80;
    let shown = text(&bytes[..bytes.len().min(SHOWN)]).into_owned();
    if bytes.len() > SHOWN { shown + "…" } else { shown }
}
