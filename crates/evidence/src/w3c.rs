//! Web server logs in the W3C extended log file format, as IIS writes them.
//!
//! Gives one record for each line under a `#Fields:` directive; columns go by
//! the names of the last one, which may change in mid file. Blanks that IIS
//! wrote as `+` stay as they are; `-` is an empty value.
//!
//! # What the format does not say
//! Times are UTC, as IIS documents; a server can be told otherwise, and the
//! log does not show it. Where there is no date column the date is that of
//! the last `#Date:` directive, and the next day's from where the time of day
//! falls by more than an hour (23:59, then 00:01): lines are written in order,
//! but for stragglers, and clocks are set back by an hour at most. A rise by
//! more than 23 hours after that is a straggler of the day before.
//!
//! # Not here
//! Other logs with the same frame whose times are local (the Windows firewall).

use crate::Limits;
use crate::batch::Batch;
use crate::format::{Format, Reader};
use crate::plain::{self, Parted, Plain, PlainLine};
use crate::shapes::Shapes;
use crate::text::{self, Cut, Line};
use memchr::memmem;
use model::{LogFamily, Position, Problem, Record, RecordSink, Shape, Slot, Timestamp, Value};
use std::sync::Arc;

/// Columns of which a web server's log has at least one.
const WEB_COLUMNS: [&str; 6] = ["cs-method", "cs-uri-stem", "cs-uri", "sc-status", "c-ip", "cs-uri-query"];
/// Columns that only HTTP.sys's error log has.
const HTTPERR_COLUMNS: [&str; 2] = ["s-reason", "s-queuename"];

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "w3c", is, reader: Reader::W3c };

/// Whether `head` is the beginning of such a log.
fn is(head: &[u8], _: &Limits) -> bool {
    let mut at = 0;
    let mut software = false;
    while let Some(line) = text::line_at(head, at) {
        at = line.next;
        let bytes = text::without_bom(line.bytes);
        if let Some(fields) = text::directive(bytes, "#Fields:") {
            return names(fields).any(|name| WEB_COLUMNS.iter().any(|web| web.eq_ignore_ascii_case(name)));
        }
        if let Some(value) = text::directive(bytes, "#Software:") {
            software |= value.starts_with(b"Microsoft Internet Information Services")
                || value.starts_with(b"Microsoft HTTP Server API");
        }
    }
    software
}

fn names(fields: &[u8]) -> impl Iterator<Item = &str> {
    fields
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|name| !name.is_empty())
        .map(|name| std::str::from_utf8(name).unwrap_or("?"))
}

/// What is in force at a line.
#[derive(Clone, Default)]
pub(crate) struct State {
    columns: Option<Arc<Columns>>,
    /// The date of the last `#Date:`, as `YYYY-MM-DD`.
    date: Option<[u8; 10]>,
    clock: Clock,
}

/// How far a log without a date column has come since its `#Date:`.
#[derive(Clone, Default)]
struct Clock {
    /// Days that have gone by.
    days: i64,
    /// The same for the last line, which may be a straggler.
    days_of_line: i64,
    /// Second of the day of the last line that is none.
    last: Option<u32>,
}

/// A fall of the time of day by more seconds than this is midnight.
const BACK_SECONDS_MAX: u32 = 3_600;
/// A rise by more than this, the day being young, is a straggler.
const STRAGGLER_SECONDS: u32 = 23 * 3_600;

impl Clock {
    /// Takes the next line's time of day into account.
    fn tick(&mut self, time: &[u8]) {
        let [h1, h2, b':', m1, m2, b':', s1, s2, ..] = time else { return };
        let two = |high: &u8, low: &u8| {
            let digit = |byte: &u8| char::from(*byte).to_digit(10);
            Some(digit(high)? * 10 + digit(low)?)
        };
        let (Some(hour), Some(minute), Some(second)) = (two(h1, h2), two(m1, m2), two(s1, s2)) else {
            return;
        };
        let now = hour * 3_600 + minute * 60 + second;
        let last = self.last.unwrap_or(now);
        let is_straggler = self.days > 0 && last + STRAGGLER_SECONDS < now;
        if !is_straggler {
            self.days += i64::from(now + BACK_SECONDS_MAX < last);
            self.last = Some(now);
        }
        self.days_of_line = self.days - i64::from(is_straggler);
    }
}

struct Columns {
    shape: Arc<Shape>,
    date: Option<usize>,
    time: Option<usize>,
}

impl State {
    /// Takes a line that begins with `#` into account.
    fn directive(&mut self, line: &[u8], shapes: &Shapes, limits: &Limits) {
        if let Some(fields) = text::directive(line, "#Fields:") {
            self.columns = Some(Arc::new(columns(fields, shapes, limits)));
        } else if let Some(date) = text::directive(line, "#Date:") {
            self.date = date.first_chunk().copied();
            self.clock = Clock::default();
        }
    }

    /// Where the time of day stands in lines without a date; `None` when the
    /// clock is not needed.
    fn time_alone(&self) -> Option<usize> {
        self.columns.as_ref().filter(|columns| columns.date.is_none()).and_then(|columns| columns.time)
    }
}

/// The `index`th of the values that blanks part.
fn cell(line: &[u8], index: usize) -> Option<&[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|cell| !cell.is_empty()).nth(index)
}

fn columns(fields: &[u8], shapes: &Shapes, limits: &Limits) -> Columns {
    let names: Vec<&str> = names(fields).take(limits.columns_max).collect();
    let has = |wanted: &[&str]| names.iter().any(|name| wanted.iter().any(|w| w.eq_ignore_ascii_case(name)));
    let log = if has(&HTTPERR_COLUMNS) { "httperr" } else { "iis" };
    let key = format!("w3c {log} {}", names.join(" "));
    let shape = shapes.get(key.as_bytes(), || {
        let slots = names.iter().map(|name| Slot::new(name)).collect();
        Shape::new(LogFamily::WebServer, log, slots, true)
    });
    Columns { date: shape.slot("date"), time: shape.slot("time"), shape }
}

/// Cuts at line ends and keeps the directives in force.
pub(crate) struct W3cCut<'a> {
    state: State,
    shapes: &'a Shapes,
    limits: &'a Limits,
}

impl<'a> W3cCut<'a> {
    pub(crate) fn new(shapes: &'a Shapes, limits: &'a Limits) -> Self {
        Self { state: State::default(), shapes, limits }
    }
}

impl W3cCut<'_> {
    /// Lets the clock go on over lines, where it is needed.
    fn tick(&mut self, lines: &[u8]) {
        let Some(time) = self.state.time_alone() else { return };
        let mut at = 0;
        while let Some(line) = text::line_at(lines, at) {
            at = line.next;
            self.state.clock.tick(cell(line.bytes, time).unwrap_or_default());
        }
    }
}

impl Cut for W3cCut<'_> {
    type State = State;

    fn state(&self) -> State {
        self.state.clone()
    }

    fn cut(&mut self, block: &[u8], ended: bool) -> usize {
        let cut = text::whole_lines(block, ended);
        let block = &block[..cut];
        let first = block.first().filter(|byte| matches!(byte, b'#' | 0xef)).map(|_| 0);
        let later = memmem::find_iter(block, b"\n#").map(|end| end + 1);
        let mut at = 0;
        for start in first.into_iter().chain(later) {
            self.tick(&block[at..start]);
            if let Some(line) = text::line_at(block, start) {
                self.state.directive(text::without_bom(line.bytes), self.shapes, self.limits);
                at = line.next;
            }
        }
        self.tick(block.get(at..).unwrap_or_default());
        cut
    }
}

/// Reads a batch.
pub(crate) fn read(batch: &Batch<State>, shapes: &Shapes, limits: &Limits, sink: &mut dyn RecordSink) {
    let mut walk = Walk { batch, shapes, limits, state: batch.state.clone(), number: batch.line };
    let mut plain = Plain::new(Parted::ByBlanks);
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
    /// Of the next line.
    number: u64,
}

impl Walk<'_> {
    /// Reads some lines; gives where the next one begins.
    fn stretch(&mut self, start: usize, plain: &mut Plain, sink: &mut dyn RecordSink) -> usize {
        let end = plain::stretch_end(&self.batch.bytes, start, self.limits);
        let text = &self.batch.bytes[start..end];
        plain.marks.clear();
        // As IIS writes them: date and time first.
        let columns = self.state.columns.clone();
        let columns = columns.filter(|columns| (columns.date, columns.time) == (Some(0), Some(1)));
        let wanted = columns
            .as_ref()
            .filter(|_| !text.is_empty())
            .and_then(|columns| sink.mark(&columns.shape, text, &mut plain.marks));
        let (Some(columns), Some(wanted), Ok(text)) = (columns, wanted, std::str::from_utf8(text)) else {
            let mut at = self.line(start, sink);
            while at < end {
                at = self.line(at, sink);
            }
            return at;
        };
        plain.begin(text.as_bytes());
        let mut clock = plain::Clock::default();
        let mut values = vec![Value::Absent; columns.shape.slots.len()];
        let mut at = start;
        while at < end {
            let line = plain.line(text, at - start, values.len());
            // Date and time of their usual lengths; what is odd is not for here.
            let is_dated = |line: &PlainLine<'_, '_>| line.value(0).len() == 10 && line.value(1).len() == 8;
            if let Some(line) = line.filter(is_dated) {
                wanted.iter().for_each(|slot| values[*slot as usize] = value(line.value(*slot as usize)));
                let offset = self.batch.offset + at as u64;
                let position = Position { offset, record: None, line: Some(self.number) };
                let time = clock.parse(line.up_to(1));
                sink.count(&Record { shape: &columns.shape, values: &values, position, time });
                self.number += 1;
                at = start + line.next;
                continue;
            }
            at = self.line(at, sink);
            if !self.state.columns.as_ref().is_some_and(|now| Arc::ptr_eq(now, &columns)) {
                break;
            }
        }
        at
    }

    /// Reads one line; gives where the next one begins.
    fn line(&mut self, at: usize, sink: &mut dyn RecordSink) -> usize {
        let Self { batch, shapes, limits, state, number } = self;
        let Some(line) = text::line_at(&batch.bytes, at) else { return batch.bytes.len() };
        let offset = batch.offset + line.start as u64;
        let bytes = text::without_bom(text::without_nuls(&batch.bytes, &line, offset, sink));
        // As the cutter does it, byte for byte.
        if let Some(time) = state.time_alone().filter(|_| !line.bytes.starts_with(b"#")) {
            state.clock.tick(cell(line.bytes, time).unwrap_or_default());
        }
        match bytes.first() {
            None => {}
            Some(b'#') => {
                text::check_frame(bytes, offset, sink);
                state.directive(bytes, shapes, limits);
            }
            Some(_) if bytes.len() > limits.line_bytes_max => {
                let wanted = format!("a line of at most {} bytes", limits.line_bytes_max);
                sink.problem(Problem::new("limit", offset, wanted, "a longer line").losing(1));
            }
            Some(_) => read_line(bytes, &line, *number, batch.offset, state, sink),
        }
        *number += 1;
        line.next
    }
}

fn read_line(
    bytes: &[u8],
    line: &Line<'_>,
    number: u64,
    batch_offset: u64,
    state: &State,
    sink: &mut dyn RecordSink,
) {
    let offset = batch_offset + line.start as u64;
    let Some(columns) = &state.columns else {
        let problem = Problem::new("bad-record", offset, "a #Fields: line before it", text::quote(bytes));
        return sink.problem(problem.losing(1));
    };
    let wanted = columns.shape.slots.len();
    let text = text::text(bytes);
    let mut values: Vec<Value<'_>> = Vec::with_capacity(wanted);
    let mut found = split_plain(&text, wanted, &mut values);
    if found != wanted {
        // Other servers quote values with blanks in them, as the format allows.
        let mut quoted = Vec::with_capacity(wanted);
        if split_quoted(&text, wanted, &mut quoted) == wanted {
            (values, found) = (quoted, wanted);
        }
    }
    if found != wanted {
        let problem = Problem::new("bad-record", offset, plural(wanted), plural(found));
        sink.problem(problem.losing(0));
        values.resize(wanted, Value::Absent);
    }
    let time = time(columns, &values, state);
    let position = Position { offset, record: None, line: Some(number) };
    sink.record(&Record { shape: &columns.shape, values: &values, position, time });
}

fn plural(columns: usize) -> String {
    if columns == 1 { "1 column".into() } else { format!("{columns} columns") }
}

/// Values between runs of blanks; IIS leaves a value out altogether now and
/// then, so two blanks are one. Gives how many there are, keeps `max`.
fn split_plain<'a>(line: &'a str, max: usize, values: &mut Vec<Value<'a>>) -> usize {
    let mut found = 0;
    let mut start = 0;
    let ends = memchr::memchr2_iter(b' ', b'\t', line.as_bytes()).chain([line.len()]);
    for end in ends {
        if end > start {
            if found < max {
                values.push(value(&line[start..end]));
            }
            found += 1;
        }
        start = end + 1;
    }
    found
}

fn split_quoted<'a>(line: &'a str, max: usize, values: &mut Vec<Value<'a>>) -> usize {
    let mut found = 0;
    let mut rest = line.trim_start_matches([' ', '\t']);
    while !rest.is_empty() {
        let (cell, after) = match rest.strip_prefix('"').and_then(|inner| inner.split_once('"')) {
            Some(quoted) => quoted,
            None => rest.split_once([' ', '\t']).unwrap_or((rest, "")),
        };
        if found < max {
            values.push(value(cell));
        }
        found += 1;
        rest = after.trim_start_matches([' ', '\t']);
    }
    found
}

fn value(cell: &str) -> Value<'_> {
    if cell == "-" || cell.is_empty() { Value::Empty } else { Value::Utf8(cell) }
}

/// The record's time: its date (else the file's, and what its clock says) and
/// its time of day; none when one of them is missing or is not one.
fn time(columns: &Columns, values: &[Value<'_>], state: &State) -> Option<Timestamp> {
    let cell = |index: Option<usize>| match index.and_then(|index| values.get(index)) {
        Some(Value::Utf8(text)) => Some(*text),
        _ => None,
    };
    let (day, days) = match columns.date {
        Some(_) => (cell(columns.date)?.as_bytes(), 0),
        None => (state.date.as_ref()?.as_slice(), state.clock.days_of_line),
    };
    let time = cell(columns.time)?.as_bytes();
    let mut both = [b'T'; 32];
    both.get_mut(..10).filter(|_| day.len() == 10)?.copy_from_slice(day);
    both.get_mut(11..11 + time.len())?.copy_from_slice(time);
    let time = Timestamp::parse(std::str::from_utf8(&both[..11 + time.len()]).ok()?)?;
    let later = days.checked_mul(86_400_000_000_000)?;
    time.nanos().checked_add(later).map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_logs_only() {
        let is = |head: &[u8]| is(head, &Limits::default());
        assert!(is(b"#Software: x\r\n#Fields: date time cs-method sc-status\r\n"));
        assert!(is(b"\xef\xbb\xbf#Fields: time c-ip\n"));
        assert!(is(b"#Software: Microsoft Internet Information Services 10.0\n#Date: 2021-01-01 00:00:00\n"));
        assert!(!is(
            b"#Version: 1.5\n#Software: Microsoft Windows Firewall\n#Fields: date time action src-ip\n"
        ));
        assert!(!is(b"# a comment\n"));
        assert!(!is(b""));
    }
}
