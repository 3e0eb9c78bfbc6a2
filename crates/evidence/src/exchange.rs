//! Exchange's own text logs: CSV with a frame of `#` lines.
//!
//! Columns go by name, from `#Fields:` or from a plain header line, which
//! stands before the frame, after it, or again in mid file. The log's kind is
//! that of `#Log-type:`, else it is told by its columns.
//!
//! # Line ends within quotes
//! A quoted value may hold line ends. A log that was cut while being written
//! may also hold a quote that never closes: a line that begins like a record
//! (a time, or one of the frame's names after `#`) therefore ends an open
//! quote, with a problem, and so does a bound on lines and bytes.
//!
//! # What the format does not say
//! No log of the OAB generator could be found: it is read as lines, and by
//! columns where it names some.

use crate::Limits;
use crate::batch::Batch;
use crate::csv;
use crate::exchange_log::{self as log, Hint};
use crate::format::{Format, Reader};
use crate::plain::{self, Parted, Plain};
use crate::shapes::Shapes;
use crate::text::{self, Cut};
use model::{LogFamily, Position, Problem, Record, RecordSink, Role, Shape, Slot, Timestamp, Value};
use std::sync::Arc;

/// Names that hold when the record was written, best first.
const TIME_COLUMNS: [&str; 5] = ["datetime", "date-time", "timestamp", "mytimestamp", "starttime"];
/// Names that hold the host that wrote the record, best first.
const HOST_COLUMNS: [&str; 4] = ["serverhostname", "servername", "server-hostname", "server"];

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "exchange-csv", is, reader: Reader::ExchangeCsv };

/// Whether `head` is the beginning of such a log.
fn is(head: &[u8], _: &Limits) -> bool {
    let mut at = 0;
    while let Some(line) = text::line_at(head, at) {
        at = line.next;
        let bytes = text::without_bom(line.bytes);
        let exchange = text::directive(bytes, "#Log-type:").is_some()
            || text::directive(bytes, "#Software:")
                .is_some_and(|name| name.starts_with(b"Microsoft Exchange"))
            || text::directive(bytes, "#Fields:").is_some_and(|names| names.contains(&b','))
            || log::is_header(bytes)
            || log::is_oab_line(bytes);
        if exchange {
            return true;
        }
    }
    false
}

/// What is in force at a record.
#[derive(Clone, Default)]
pub(crate) struct State {
    names: Option<Arc<[u8]>>,
    version: Option<Arc<str>>,
    log_type: Option<Arc<str>>,
    hint: Hint,
}

impl State {
    /// Takes a line of the frame or a header line into account; false when it
    /// is neither, so a record.
    fn take(&mut self, line: &[u8]) -> bool {
        if line.first() == Some(&b'#') {
            let value = |value: &[u8]| Some(Arc::from(text::text(value).as_ref()));
            if let Some(names) = text::directive(line, "#Fields:") {
                self.names = Some(names.into());
            } else if let Some(version) = text::directive(line, "#Version:") {
                self.version = value(version);
            } else if let Some(log_type) = text::directive(line, "#Log-type:") {
                self.log_type = value(log_type);
            }
            return true;
        }
        let header = match self.names.as_deref() {
            Some(names) if line == names => true,
            // Where nothing names the columns yet, a line of plain names does.
            None => log::is_like_header(line),
            Some(_) => log::is_header(line),
        };
        if header {
            self.names = Some(line.into());
        }
        header
    }

    fn columns(&self, shapes: &Shapes, limits: &Limits) -> Columns {
        let names =
            self.names.as_deref().map(|names| csv::names(names, limits.columns_max)).unwrap_or_default();
        let log = log::slug(self.log_type.as_deref(), &names, self.hint);
        let version = self.version.as_deref();
        // A quoted name may hold anything, line feeds too: quoted again, the key cannot be another list's.
        let key = format!("exchange {log:?} {version:?} {names:?}");
        let shape = shapes.get(key.as_bytes(), || shape(&log, &names, version));
        let with_line = log == log::OAB_GENERATOR;
        let time = TIME_COLUMNS.iter().find_map(|name| position(&names, name));
        Columns { shape, named: names.len(), time: time.unwrap_or(0), with_line }
    }
}

fn position(names: &[String], wanted: &str) -> Option<usize> {
    names.iter().position(|name| name.eq_ignore_ascii_case(wanted))
}

fn shape(log: &str, names: &[String], version: Option<&str>) -> Shape {
    let mut slots: Vec<Slot> = names.iter().map(|name| Slot::new(name)).collect();
    if let Some(version) = version {
        slots.push(Slot { literal: Some(version.into()), ..Slot::new("#Version") });
    }
    if log == log::OAB_GENERATOR {
        slots.push(Slot::new("Line"));
    }
    let shape = Shape::new(LogFamily::Exchange, log, slots, true);
    match HOST_COLUMNS.iter().find_map(|name| position(names, name)) {
        Some(host) => shape.with_role(Role::Host, host),
        None => shape,
    }
}

/// The columns in force, as a shape.
struct Columns {
    shape: Arc<Shape>,
    /// How many of its slots are columns; the others follow them.
    named: usize,
    /// The column that holds the time.
    time: usize,
    /// Whether the line as a whole is a value too.
    with_line: bool,
}

/// Cuts at record ends and keeps the frame in force.
pub(crate) struct ExchangeCut<'a> {
    state: State,
    limits: &'a Limits,
}

impl<'a> ExchangeCut<'a> {
    pub(crate) fn new(head: &[u8], limits: &'a Limits) -> Self {
        Self { state: State { hint: log::hint(head), ..State::default() }, limits }
    }
}

impl Cut for ExchangeCut<'_> {
    type State = State;

    fn state(&self) -> State {
        self.state.clone()
    }

    fn cut(&mut self, block: &[u8], ended: bool) -> usize {
        let mut at = 0;
        while let Some(record) = csv::record_at(block, at, ended, self.limits) {
            let bytes = text::without_bom(record.bytes);
            if bytes.first().is_some_and(|byte| matches!(byte, b'#' | b'"') || byte.is_ascii_alphabetic()) {
                self.state.take(bytes);
            }
            at = record.next;
        }
        at
    }
}

/// Reads a batch.
pub(crate) fn read(batch: &Batch<State>, shapes: &Shapes, limits: &Limits, sink: &mut dyn RecordSink) {
    let mut walk =
        Walk { batch, shapes, limits, state: batch.state.clone(), columns: None, number: batch.line };
    let mut plain = Plain::new(Parted::ByCommas);
    let mut at = 0;
    while at < batch.bytes.len() {
        at = walk.stretch(at, &mut plain, sink);
    }
}

/// How far a batch was read.
struct Walk<'a> {
    batch: &'a Batch<State>,
    shapes: &'a Shapes,
    limits: &'a Limits,
    state: State,
    /// Those in force, once they were asked for.
    columns: Option<Arc<Columns>>,
    /// Of the next line.
    number: u64,
}

impl Walk<'_> {
    /// Reads some records; gives where the next one begins.
    fn stretch(&mut self, start: usize, plain: &mut Plain, sink: &mut dyn RecordSink) -> usize {
        let end = plain::stretch_end(&self.batch.bytes, start, self.limits);
        let text = &self.batch.bytes[start..end];
        plain.marks.clear();
        // A header that begins with a digit could be taken for a record.
        let has_names =
            self.state.names.as_ref().is_some_and(|names| !names.first().is_some_and(u8::is_ascii_digit));
        let columns = (has_names && !text.is_empty()).then(|| {
            let Self { state, columns, shapes, limits, .. } = self;
            Arc::clone(columns.get_or_insert_with(|| Arc::new(state.columns(shapes, limits))))
        });
        let columns = columns.filter(|columns| columns.named > 0);
        let wanted = columns.as_ref().and_then(|columns| sink.mark(&columns.shape, text, &mut plain.marks));
        let (Some(columns), Some(wanted), Ok(text)) = (columns, wanted, std::str::from_utf8(text)) else {
            let mut at = self.record(start, sink);
            while at < end {
                at = self.record(at, sink);
            }
            return at;
        };
        plain.begin(text.as_bytes());
        let mut clock = plain::Clock::default();
        let literal = |slot: &Slot| if slot.literal.is_some() { Value::Literal } else { Value::Absent };
        let mut values: Vec<Value<'_>> = columns.shape.slots.iter().map(literal).collect();
        let wanted: Vec<usize> =
            wanted.iter().map(|slot| *slot as usize).filter(|slot| *slot < columns.named).collect();
        let mut at = start;
        while at < end {
            if let Some(line) = plain.line(text, at - start, columns.named) {
                wanted.iter().for_each(|slot| values[*slot] = text::value(line.value(*slot)));
                let offset = self.batch.offset + at as u64;
                let position = Position { offset, record: None, line: Some(self.number) };
                let time = clock.parse(line.value(columns.time));
                sink.count(&Record { shape: &columns.shape, values: &values, position, time });
                self.number += 1;
                at = start + line.next;
                continue;
            }
            at = self.record(at, sink);
            if !self.columns.as_ref().is_some_and(|now| Arc::ptr_eq(now, &columns)) {
                break;
            }
        }
        at
    }

    /// Reads one record, or a line of the frame; gives where the next one begins.
    fn record(&mut self, at: usize, sink: &mut dyn RecordSink) -> usize {
        let Self { batch, shapes, limits, state, columns, number } = self;
        let Some(record) = csv::record_at(&batch.bytes, at, true, limits) else {
            return batch.bytes.len();
        };
        let offset = batch.offset + at as u64;
        let line = text::Line { bytes: record.bytes, start: at, next: record.next };
        let bytes = text::without_bom(text::without_nuls(&batch.bytes, &line, offset, sink));
        if bytes.len() > limits.line_bytes_max {
            let wanted = format!("a record of at most {} bytes", limits.line_bytes_max);
            sink.problem(Problem::new("limit", offset, wanted, "a longer record").losing(1));
        } else if bytes.is_empty() {
            // A blank line between records says nothing.
        } else if state.take(bytes) {
            text::check_frame(bytes, offset, sink);
            *columns = None;
        } else {
            let columns = columns.get_or_insert_with(|| Arc::new(state.columns(shapes, limits)));
            let position = Position { offset, record: None, line: Some(*number) };
            if record.open {
                let problem = Problem::new("bad-record", offset, "a closing quote", text::quote(bytes));
                sink.problem(problem.losing(0));
            }
            read_record(bytes, position, columns, limits, sink);
        }
        *number += record.lines;
        record.next
    }
}

fn read_record(
    bytes: &[u8],
    position: Position,
    columns: &Columns,
    limits: &Limits,
    sink: &mut dyn RecordSink,
) {
    let line = text::text(bytes);
    if columns.named == 0 && !columns.with_line {
        let problem =
            Problem::new("bad-record", position.offset, "a #Fields: line before it", text::quote(bytes));
        return sink.problem(problem.losing(1));
    }
    let mut unquoted = String::new();
    let mut cells = Vec::with_capacity(columns.shape.slots.len());
    let found = csv::split(&line, b',', columns.named.max(1), limits, &mut cells, &mut unquoted);
    let mut values: Vec<Value<'_>> = Vec::with_capacity(columns.shape.slots.len());
    values.extend(cells.iter().take(columns.named).map(|cell| match cell.text(&line, &unquoted) {
        "" => Value::Empty,
        text => Value::Utf8(text),
    }));
    if columns.named > 0 && found != columns.named {
        let wanted = format!("{} columns", columns.named);
        let problem = Problem::new("bad-record", position.offset, wanted, format!("{found} columns"));
        sink.problem(problem.losing(0));
        values.resize(columns.named, Value::Absent);
    }
    let time = cells.get(columns.time).map(|cell| cell.text(&line, &unquoted)).and_then(Timestamp::parse);
    let literals = columns.shape.slots.len() - columns.named - usize::from(columns.with_line);
    values.extend(std::iter::repeat_n(Value::Literal, literals));
    if columns.with_line {
        values.push(Value::Utf8(&line));
    }
    sink.record(&Record { shape: &columns.shape, values: &values, position, time });
}
