//! Logs of Microsoft's cloud as JSON: the unified audit log of Microsoft 365,
//! sign-ins and audit of Entra ID, the activity log of Azure.
//!
//! Known are the records of Graph and of the portal's downloads, those of Azure
//! Monitor (`{"records": […]}`, or one a line), and what `Search-UnifiedAuditLog`
//! gives, whose `AuditData` is a record in a string. They may stand in lines, in
//! an array, or in an answer (`{"value": […]}`), over any number of lines: one
//! record at a time is in memory.
//!
//! Names are the keys on the way, joined by `.` (see [`names`]).
//!
//! # What the format does not say
//! The zone of `CreationTime`, which is UTC by Microsoft's documentation.
//!
//! # Not here
//! Tables ([`crate::csv_table`] reads them, with [`wrapped`] and [`columns`]).

pub(crate) mod columns;
pub(crate) mod names;

use crate::Limits;
use crate::batch::Batch;
use crate::format::{Format, Reader};
use crate::json::{self, Object};
use crate::shapes::Shapes;
use crate::text::{self, Cut};
use memchr::{memchr, memchr_iter};
use model::{Position, Problem, Record, RecordSink, Value};
use names::{Log, Names};
use std::collections::HashMap;
use std::sync::Arc;

/// Objects of a file's beginning that are tried.
const OBJECTS_TRIED: usize = 3;
/// Members of an answer before its list.
const FRAME_MEMBERS_MAX: usize = 8;

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "cloud-json", is, reader: Reader::CloudJson };

/// Whether `head` is the beginning of such a log.
fn is(head: &[u8], limits: &Limits) -> bool {
    let mut object = Object::default();
    let mut at = 0;
    for _ in 0..OBJECTS_TRIED {
        let Some(start) = next_object(head, at).filter(|start| head[*start] == b'{') else { return false };
        let (End::At(end) | End::Broken(end)) = object_end(head, start) else { return false };
        let line = text::text(&head[start..end]);
        let is_whole = json::read(&line, 0, limits, &mut object).is_ok();
        if is_whole && (Log::of(&object.paths).is_some() || names::wrapper(&object.paths).is_some()) {
            return true;
        }
        at = end;
    }
    false
}

/// What ends an object.
enum End {
    /// Its last bracket, before this place.
    At(usize),
    /// The next one begins here, and it did not end.
    Broken(usize),
    /// It goes on behind the block.
    Open,
}

/// Where the object that begins at `start` ends.
fn object_end(block: &[u8], start: usize) -> End {
    let line_end = |at: usize| memchr(b'\n', &block[at..]).map_or(End::Open, |end| End::Broken(at + end + 1));
    if block.get(start) != Some(&b'{') {
        return line_end(start);
    }
    let (mut depth, mut at) = (0usize, start);
    while let Some(byte) = block.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return End::At(at + 1);
                }
            }
            // Nested objects are indented.
            b'\n' if block.get(at + 1) == Some(&b'{') => return End::Broken(at + 1),
            b'"' => match string_end(block, at) {
                Some(end) => at = end,
                None => return End::Open,
            },
            _ => {}
        }
        at += 1;
    }
    End::Open
}

/// The place of the quote that ends a string, or of the line end that it does
/// not reach beyond.
fn string_end(block: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match block.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at),
            b'\n' => return Some(at - 1),
            _ => at += 1,
        }
    }
}

fn is_filler(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'[' | b']' | b',' | b'}' | 0xef | 0xbb | 0xbf)
}

fn skip_blanks(block: &[u8], at: usize) -> usize {
    at + block.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Where the next object begins, from `at` on: brackets, commas and the frame of
/// an answer are stepped over. What is no object is given, too, to be told of.
fn next_object(block: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += block.get(at..)?.iter().take_while(|byte| is_filler(byte)).count();
        match block.get(at)? {
            b'{' => match frame(block, at) {
                Some(inner) => at = inner,
                None => return Some(at),
            },
            // A member of the frame, behind its list.
            b'"' => match member(block, at) {
                Some((_, end)) => at = end,
                None => return Some(at),
            },
            _ => return Some(at),
        }
    }
}

/// Where the list of the answer that begins at `start` begins.
fn frame(block: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    for _ in 0..FRAME_MEMBERS_MAX {
        at = skip_blanks(block, at);
        let end = string_end(block, at).filter(|_| block.get(at) == Some(&b'"'))?;
        let key = block.get(at + 1..end)?;
        let colon = skip_blanks(block, end + 1);
        let value = skip_blanks(block, colon + 1);
        if block.get(value) == Some(&b'[') {
            let is_list = key.eq_ignore_ascii_case(b"value") || key.eq_ignore_ascii_case(b"records");
            return is_list.then_some(value + 1);
        }
        let (_, after) = member(block, at)?;
        at = skip_blanks(block, after);
        if block.get(at) != Some(&b',') {
            return None;
        }
        at += 1;
    }
    None
}

/// The key of the member that begins at `at`, and where its value ends, when that is no list and no object.
fn member(block: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let end = string_end(block, at)?;
    let key = block.get(at + 1..end)?;
    let colon = skip_blanks(block, end + 1);
    let value = skip_blanks(block, colon + 1);
    if block.get(colon) != Some(&b':') {
        return None;
    }
    match block.get(value)? {
        b'"' => string_end(block, value).map(|end| (key, end + 1)),
        b'{' | b'[' => None,
        _ => {
            let rest = block.get(value..)?.iter();
            let len = rest
                .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
                .count();
            (len > 0).then_some((key, value + len))
        }
    }
}

/// Cuts between objects.
pub(crate) struct CloudCut;

impl Cut for CloudCut {
    type State = ();

    fn state(&self) {}

    fn cut(&mut self, block: &[u8], ended: bool) -> usize {
        if ended {
            return block.len();
        }
        let mut last = 0;
        while let Some(start) = next_object(block, last) {
            match object_end(block, start) {
                End::At(end) | End::Broken(end) => last = end,
                End::Open => break,
            }
        }
        last
    }
}

/// Reads a batch.
pub(crate) fn read(batch: &Batch<()>, shapes: &Shapes, limits: &Limits, sink: &mut dyn RecordSink) {
    let mut reader = CloudReader::new(shapes, limits);
    let (mut at, mut counted, mut number) = (0, 0, batch.line);
    while let Some(start) = next_object(&batch.bytes, at) {
        let end = match object_end(&batch.bytes, start) {
            End::At(end) | End::Broken(end) => end,
            End::Open => batch.bytes.len(),
        };
        number += memchr_iter(b'\n', &batch.bytes[counted..start]).count() as u64;
        counted = start;
        let position = Position { offset: batch.offset + start as u64, record: None, line: Some(number) };
        let bytes = &batch.bytes[start..end];
        if bytes.len() > limits.line_bytes_max {
            let wanted = format!("a record of at most {} bytes", limits.line_bytes_max);
            sink.problem(Problem::new("limit", position.offset, wanted, "a longer one").losing(1));
        } else {
            reader.object(bytes, position, sink);
        }
        at = end;
    }
}

/// Makes records of objects.
pub(crate) struct CloudReader<'a> {
    limits: &'a Limits,
    shapes: &'a Shapes,
    known: HashMap<Box<[u8]>, Arc<Names>>,
}

impl<'a> CloudReader<'a> {
    pub(crate) fn new(shapes: &'a Shapes, limits: &'a Limits) -> Self {
        Self { limits, shapes, known: HashMap::new() }
    }

    /// One object, which may hold the record as a string.
    fn object(&mut self, bytes: &[u8], position: Position, sink: &mut dyn RecordSink) {
        let line = text::text(bytes);
        let mut object = Object::default();
        if let Err(fault) = json::read(&line, 0, self.limits, &mut object) {
            let found = text::quote(&line.as_bytes()[fault.at.min(line.len())..]);
            let problem = Problem::new(fault.kind, position.offset + fault.at as u64, fault.wanted, found);
            return sink.problem(problem.losing(1));
        }
        let inner = names::wrapper(&object.paths).and_then(|leaf| object.leaves.get(leaf));
        if let Some(Value::Utf8(inner)) = inner.map(|leaf| object.value(leaf, &line, &[])) {
            return self.wrapped(inner, position, sink);
        }
        self.record(&line, &object, position, sink);
    }

    /// A record of the unified audit log, as the text that `AuditData` is.
    pub(crate) fn wrapped(&mut self, inner: &str, position: Position, sink: &mut dyn RecordSink) {
        let mut object = Object::default();
        match json::read(inner, 0, self.limits, &mut object) {
            Ok(_) => self.record(inner, &object, position, sink),
            Err(fault) => {
                let problem =
                    Problem::new(fault.kind, position.offset, fault.wanted, text::quote(inner.as_bytes()));
                sink.problem(problem.losing(1));
            }
        }
    }

    fn record(&mut self, line: &str, object: &Object, position: Position, sink: &mut dyn RecordSink) {
        if !self.known.contains_key(object.paths.as_slice()) {
            let names = Arc::new(Names::of(&object.paths, self.shapes));
            self.known.insert(object.paths.as_slice().into(), names);
        }
        let Some(names) = self.known.get(object.paths.as_slice()) else { return };
        let members = object.members(line);
        let leaves = object.leaves.iter().map(|leaf| object.value(leaf, line, &members));
        let mut values: Vec<Value<'_>> = leaves.collect();
        let pairs: Vec<String> = names.pair_texts(&values);
        let outcome = names.outcome(&values);
        values.extend(pairs.iter().map(|text| text::value(text)));
        values.extend(outcome.map(Value::Utf8));
        let time = names.time(&values);
        sink.record(&Record { shape: &names.shape, values: &values, position, time });
    }
}

#[cfg(test)]
mod tests;
