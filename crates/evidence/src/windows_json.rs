//! Windows events as JSON lines: flat, as collectors write them, or nested, as
//! `evtx_dump`, Winlogbeat and Velociraptor do; also an array of events.
//!
//! Fields get the names that the same event has in EVTX, so that a rule need
//! not know where an event came from (see [`names`]).
//!
//! # What the format does not say
//! The zone, at times: `EventTime` and `TimeCreated` are local time in the output
//! of some collectors. A time without a zone is no point in time, so the next
//! field that has one counts: `@timestamp`, then Sysmon's `UtcTime`.
//!
//! # Not here
//! JSON that is spread over several lines.

pub(crate) mod names;

use crate::Limits;
use crate::batch::Batch;
use crate::format::{self, Format};
use crate::json::{self, Object};
use crate::shapes::Shapes;
use crate::text::{self, Cut};
use memchr::{memchr, memmem, memrchr};
use model::{Position, Problem, Record, RecordSink, Shape, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Lines of a file's beginning that are tried.
const LINES_TRIED: usize = 5;

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "windows-jsonl", is, reader: format::Reader::WindowsJsonl };

/// Whether `head` is the beginning of such a log.
fn is(head: &[u8], limits: &Limits) -> bool {
    begins(head, limits, names::is_event, &[b"\"EventID\"", b"\"event_id\""])
}

/// Whether `head` begins with objects in lines, of which one has paths as `is_event` wants them; a
/// first line that is longer than the head has one of `words`.
pub(crate) fn begins(head: &[u8], limits: &Limits, is_event: fn(&[u8]) -> bool, words: &[&[u8]]) -> bool {
    let mut at = 0;
    let mut tried = 0;
    let mut object = Object::default();
    while let Some(line) = text::line_at(head, at).filter(|_| tried < LINES_TRIED) {
        at = line.next;
        let bytes = text::without_bom(line.bytes);
        if is_between(bytes) {
            continue;
        }
        let Some(start) = memchr(b'{', bytes).filter(|start| bytes[..*start].iter().all(is_filler)) else {
            return false;
        };
        tried += 1;
        let line_text = text::text(bytes);
        match json::read(&line_text, start, limits, &mut object) {
            Ok(_) if is_event(&object.paths) => return true,
            Ok(_) => {}
            // A first line that is longer than the head.
            Err(_) => {
                let long = at >= head.len() && tried == 1;
                return long && words.iter().any(|word| memmem::find(bytes, word).is_some());
            }
        }
    }
    false
}

/// What may stand between records: brackets and commas of an array.
fn is_filler(byte: &u8) -> bool {
    matches!(byte, b'[' | b']' | b',' | b' ' | b'\t' | b'\r')
}

/// Lines that are no records and no loss.
fn is_between(line: &[u8]) -> bool {
    line.iter().all(is_filler)
        || line.strip_prefix(b"Record ").is_some_and(|number| number.iter().all(u8::is_ascii_digit))
}

/// Cuts at line ends, or between the members of an array that has none.
pub(crate) struct JsonCut;

impl Cut for JsonCut {
    type State = ();

    fn state(&self) {}

    fn cut(&mut self, block: &[u8], ended: bool) -> usize {
        match memrchr(b'\n', block) {
            _ if ended => block.len(),
            Some(end) => end + 1,
            None => last_member_end(block),
        }
    }
}

/// Where the last whole object of an array ends; 0 when there is none.
fn last_member_end(block: &[u8]) -> usize {
    let (mut depth, mut end, mut at) = (0usize, 0, 0);
    while let Some(byte) = block.get(at) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    end = at + 1;
                }
            }
            b'"' => loop {
                at += 1;
                match block.get(at) {
                    Some(b'\\') => at += 1,
                    Some(b'"') | None => break,
                    Some(_) => {}
                }
            },
            _ => {}
        }
        at += 1;
    }
    end
}

/// A shape, and which of its slots hold the time, best first.
struct Known {
    shape: Arc<Shape>,
    times: Vec<usize>,
}

/// What a kind of log makes of its objects.
pub(crate) struct Dialect {
    /// Appends what beside an object's paths its shape depends on.
    pub(crate) mark: fn(&Object, &str, &mut Vec<u8>),
    /// The shape of an object with these paths and this mark. Slots behind those of the paths are literal.
    pub(crate) shape: fn(&[u8], &[u8]) -> Shape,
}

/// Windows events.
const DIALECT: Dialect = Dialect { mark: |_, _, _| {}, shape: |paths, _| names::shape(paths) };

/// Reads a batch.
pub(crate) fn read(batch: &Batch<()>, shapes: &Shapes, limits: &Limits, sink: &mut dyn RecordSink) {
    read_as(&DIALECT, batch, shapes, limits, sink);
}

/// Reads a batch of a dialect.
pub(crate) fn read_as(
    dialect: &Dialect,
    batch: &Batch<()>,
    shapes: &Shapes,
    limits: &Limits,
    sink: &mut dyn RecordSink,
) {
    let (known, object, key) = (HashMap::new(), Object::default(), Vec::new());
    let mut reader = EventReader { dialect, limits, shapes, known, object, key };
    let mut at = 0;
    let mut number = batch.line;
    while let Some(line) = text::line_at(&batch.bytes, at) {
        let offset = batch.offset + line.start as u64;
        let bytes = text::without_nuls(&batch.bytes, &line, offset, sink);
        if bytes.len() > limits.line_bytes_max {
            let wanted = format!("a line of at most {} bytes", limits.line_bytes_max);
            sink.problem(Problem::new("limit", offset, wanted, "a longer line").losing(1));
        } else if !is_between(text::without_bom(bytes)) {
            let start = offset + (line.bytes.len() - bytes.len()) as u64;
            reader.line(bytes, start, number, sink);
        }
        at = line.next;
        number += 1;
    }
}

struct EventReader<'a> {
    dialect: &'a Dialect,
    limits: &'a Limits,
    shapes: &'a Shapes,
    known: HashMap<Box<[u8]>, Known>,
    object: Object,
    /// Paths and mark of the object.
    key: Vec<u8>,
}

impl EventReader<'_> {
    /// All objects of one line; one, but for an array.
    fn line(&mut self, bytes: &[u8], offset: u64, number: u64, sink: &mut dyn RecordSink) {
        let line = text::text(bytes);
        let mut at = line.len() - text::without_bom(line.as_bytes()).len();
        loop {
            at += line.as_bytes()[at..].iter().take_while(|byte| is_filler(byte)).count();
            if at >= line.len() {
                return;
            }
            match json::read(&line, at, self.limits, &mut self.object) {
                Ok(end) => {
                    let position = Position { offset: offset + at as u64, record: None, line: Some(number) };
                    self.record(&line, position, sink);
                    at = end;
                }
                Err(fault) => {
                    let found = text::quote(&line.as_bytes()[fault.at.min(line.len())..]);
                    let problem = Problem::new(fault.kind, offset + fault.at as u64, fault.wanted, found);
                    return sink.problem(problem.losing(1));
                }
            }
        }
    }

    fn record(&mut self, line: &str, position: Position, sink: &mut dyn RecordSink) {
        let Dialect { mark, shape } = self.dialect;
        self.key.clear();
        self.key.extend_from_slice(&self.object.paths);
        mark(&self.object, line, &mut self.key);
        if !self.known.contains_key(self.key.as_slice()) {
            let (paths, mark) = self.key.split_at(self.object.paths.len());
            let key = [b"json ", self.key.as_slice()].concat();
            let shape = self.shapes.get(&key, || shape(paths, mark));
            let times = names::times(&shape);
            self.known.insert(self.key.as_slice().into(), Known { shape, times });
        }
        let Some(known) = self.known.get(self.key.as_slice()) else {
            return;
        };
        let members = self.object.members(line);
        let leaves = self.object.leaves.iter();
        let mut values: Vec<Value<'_>> = leaves.map(|leaf| self.object.value(leaf, line, &members)).collect();
        values.resize(known.shape.slots.len(), Value::Literal);
        let time = known.times.iter().find_map(|slot| names::time(&known.shape.slots[*slot], &values[*slot]));
        sink.record(&Record { shape: &known.shape, values: &values, position, time });
    }
}
