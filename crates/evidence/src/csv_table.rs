//! Tables with a header line, as tools export them: values parted by commas,
//! semicolons or tabs. The last format that is tried.
//!
//! Columns keep their names. Windows events go by their names in EVTX (see
//! [`windows`]), listings of files by those of file records (see [`listing`]),
//! logs of Microsoft's cloud by those of their JSON (see [`crate::cloud`]), so that rules match them.
//!
//! # What the format does not say
//! Whether it is one: prose has commas, too. The names of the first line must
//! be short, distinct and without blanks around them, and lines must follow
//! that have as many values. Which column is the record's time: one by whose
//! name it is, and only values with a zone (or where the name says UTC).
//!
//! # Not here
//! Tables without a header; what the columns of other tools mean.

mod listing;
mod windows;

use crate::Limits;
use crate::batch::Batch;
use crate::cloud::CloudReader;
use crate::cloud::columns::{Table, is_portal, shape};
use crate::csv::{self, Cell};
use crate::format::{Format, Reader};
use crate::json::Object;
use crate::shapes::{MetShapes, Shapes};
use crate::text::{self, Cut};
use crate::windows_json::names;
use listing::Listing;
use memchr::{memchr_iter, memchr2_iter};
use model::{LogFamily, Position, Problem, Record, RecordSink, Shape, Slot, Timestamp, Value};
use std::collections::HashSet;
use std::sync::Arc;
use windows::Events;

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "csv-table", is, reader: Reader::CsvTable };

const COLUMNS_MIN: usize = 3;
const NAME_BYTES_MAX: usize = 80;
/// Records after the header that are looked at.
const RECORDS_TRIED: usize = 4;

/// Whether `head` is the beginning of such a table.
fn is(head: &[u8], limits: &Limits) -> bool {
    let Some(header) = Header::of(head, limits) else { return false };
    let mut at = header.end;
    let (mut good, mut all) = (0, 0);
    while let Some(record) =
        record_at(head, at, header.separator, false, limits).filter(|_| all < RECORDS_TRIED)
    {
        at = record.next;
        if record.bytes.is_empty() {
            continue;
        }
        all += 1;
        let (mut cells, mut unquoted) = (Vec::new(), String::new());
        let line = text::text(record.bytes);
        let found = csv::split(&line, header.separator, 0, limits, &mut cells, &mut unquoted);
        good += usize::from(found == header.columns.len() && !record.open);
    }
    // A small table may end without a line end.
    let last = text::text(&head[at.min(head.len())..]);
    if all == 0 && !last.is_empty() {
        let (mut cells, mut unquoted) = (Vec::new(), String::new());
        return csv::split(&last, header.separator, 0, limits, &mut cells, &mut unquoted)
            == header.columns.len();
    }
    good == all && all > 0
}

/// The header of a table.
pub(crate) struct Header {
    separator: u8,
    columns: Vec<String>,
    /// The line as it stands there: joined files have it again.
    line: Box<[u8]>,
    /// Where the first record begins.
    end: usize,
    kind: Kind,
    /// Columns that may hold the record's time, best first.
    times: Vec<usize>,
}

/// What a table is about.
enum Kind {
    Events(Events),
    Files(Listing),
    Cloud(Table),
    Other,
}

impl Header {
    fn of(head: &[u8], limits: &Limits) -> Option<Self> {
        let mut line = text::line_at(head, 0)?;
        // PowerShell says first what it exports.
        if text::without_bom(line.bytes).starts_with(b"#TYPE ") {
            line = text::line_at(head, line.next)?;
        }
        let bytes = text::without_bom(line.bytes);
        let text = std::str::from_utf8(bytes).ok()?;
        let split = |separator: u8| {
            let (mut cells, mut unquoted) = (Vec::new(), String::new());
            csv::split(text, separator, limits.columns_max, limits, &mut cells, &mut unquoted);
            let columns: Vec<String> = cells.iter().map(|cell| cell.text(text, &unquoted).into()).collect();
            (separator, columns)
        };
        let are_names = |(_, columns): &(u8, Vec<String>)| {
            let distinct: HashSet<&String> = columns.iter().collect();
            let are_names = distinct.len() == columns.len() && columns.iter().all(|name| is_name(name));
            columns.len() >= COLUMNS_MIN && (are_names || is_portal(columns))
        };
        let (separator, columns) = [b',', b';', b'\t'].map(split).into_iter().find(are_names)?;
        let files = || Listing::of(&columns).map(Kind::Files);
        let cloud = Table::of(&columns).map(Kind::Cloud);
        let events = || Events::of(&columns).map(Kind::Events);
        let kind = cloud.or_else(events).or_else(files).unwrap_or(Kind::Other);
        let times = times(&columns);
        Some(Self { separator, columns, line: bytes.into(), end: line.next, kind, times })
    }
}

/// Whether it may be the name of a column.
fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@' | '#'));
    let inner = |c: char| c.is_alphanumeric() || " _-.:/()[]@#%&+*'".contains(c);
    begins && name.len() <= NAME_BYTES_MAX && name == name.trim() && name.chars().all(inner)
}

/// Columns by whose names they hold the time of the record.
fn times(columns: &[String]) -> Vec<usize> {
    const NAMES: [&str; 10] = [
        "timecreated",
        "timestamp",
        "@timestamp",
        "eventtime",
        "datetime",
        "utctime",
        "timeutc",
        "timestamputc",
        "dateutc",
        "time",
    ];
    let plain = |name: &String| {
        let kept = name.chars().filter(|c| c.is_alphanumeric() || *c == '@');
        kept.collect::<String>().to_lowercase()
    };
    let all: Vec<String> = columns.iter().map(plain).collect();
    NAMES.iter().filter_map(|name| all.iter().position(|column| column == name)).collect()
}

/// A record as it stands in the block.
struct RecordBytes<'a> {
    /// Without the line end.
    bytes: &'a [u8],
    next: usize,
    /// Whether a quote in it never closes.
    open: bool,
}

/// The record that begins at `start`; `None` when there is none, or its end is
/// not in the block and more bytes follow (`ended` is false).
fn record_at<'a>(
    block: &'a [u8],
    start: usize,
    separator: u8,
    ended: bool,
    limits: &Limits,
) -> Option<RecordBytes<'a>> {
    let rest = block.get(start..).filter(|rest| !rest.is_empty())?;
    let give = |end: usize, open: bool| {
        let bytes = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        Some(RecordBytes { bytes, next: start + (end + 1).min(rest.len()), open })
    };
    let (mut quoted, mut first_end, mut lines) = (false, None, 1);
    for at in memchr2_iter(b'"', b'\n', rest) {
        match (rest[at], quoted) {
            (b'\n', false) => return give(at, false),
            (b'\n', true) => {
                let end = *first_end.get_or_insert(at);
                lines += 1;
                // A quote that does not close ends with its line.
                if lines > limits.record_lines_max || at > limits.line_bytes_max {
                    return give(end, true);
                }
            }
            // A doubled quote closes, and opens again.
            (_, true) => quoted = false,
            (_, false) => quoted = at == 0 || rest[at - 1] == separator || rest[at - 1] == b'"',
        }
    }
    match (ended, quoted, first_end) {
        (false, ..) => None,
        (true, true, Some(end)) => give(end, true),
        (true, open, _) => give(rest.len(), open),
    }
}

/// Cuts at the ends of records.
pub(crate) struct TableCut<'a> {
    header: Option<Arc<Header>>,
    limits: &'a Limits,
}

impl<'a> TableCut<'a> {
    /// For an item that begins with `beginning`.
    pub(crate) fn new(beginning: &[u8], limits: &'a Limits) -> Self {
        Self { header: Header::of(beginning, limits).map(Arc::new), limits }
    }
}

impl Cut for TableCut<'_> {
    type State = Option<Arc<Header>>;

    fn state(&self) -> Self::State {
        self.header.clone()
    }

    fn cut(&mut self, block: &[u8], ended: bool) -> usize {
        let Some(header) = &self.header else { return text::whole_lines(block, ended) };
        let mut at = 0;
        while let Some(record) = record_at(block, at, header.separator, ended, self.limits) {
            at = record.next;
        }
        at
    }
}

/// Reads a batch.
pub(crate) fn read(
    batch: &Batch<Option<Arc<Header>>>,
    shapes: &Shapes,
    limits: &Limits,
    sink: &mut dyn RecordSink,
) {
    let Some(header) = &batch.state else {
        let wanted = "a header of at least 3 columns";
        return sink.problem(Problem::new("bad-record", batch.offset, wanted, text::quote(&batch.bytes)));
    };
    let mut rows = Rows { header, limits, shapes: MetShapes::new(shapes), shared: shapes };
    let (mut at, mut number) = (0, batch.line);
    while let Some(record) = record_at(&batch.bytes, at, header.separator, true, limits) {
        let position = Position { offset: batch.offset + at as u64, record: None, line: Some(number) };
        let bytes = text::without_bom(record.bytes);
        if record.open {
            sink.problem(
                Problem::new("bad-record", position.offset, "a closing quote", text::quote(bytes)).losing(0),
            );
        }
        let is_frame = *bytes == *header.line || position.offset == 0 && bytes.starts_with(b"#TYPE ");
        if bytes.len() > limits.line_bytes_max {
            let wanted = format!("a record of at most {} bytes", limits.line_bytes_max);
            sink.problem(Problem::new("limit", position.offset, wanted, "a longer one").losing(1));
        } else if !is_frame && !bytes.iter().all(|byte| matches!(byte, b' ' | 0)) {
            rows.read(bytes, position, sink);
        }
        number += memchr_iter(b'\n', &batch.bytes[at..record.next]).count() as u64;
        at = record.next;
    }
}

struct Rows<'a> {
    header: &'a Header,
    limits: &'a Limits,
    shapes: MetShapes<'a>,
    shared: &'a Shapes,
}

impl Rows<'_> {
    fn read(&mut self, bytes: &[u8], position: Position, sink: &mut dyn RecordSink) {
        let Header { separator, columns, times, kind, .. } = self.header;
        let line = text::text(bytes);
        let (mut cells, mut unquoted) = (Vec::with_capacity(columns.len()), String::new());
        let wanted = columns.len();
        let found = csv::split(&line, *separator, wanted, self.limits, &mut cells, &mut unquoted);
        if found != wanted {
            let (wanted, found) = (format!("{wanted} columns"), format!("{found} columns"));
            sink.problem(Problem::new("bad-record", position.offset, wanted, found).losing(0));
        }
        let cell = |index: usize| cells.get(index).map(|cell: &Cell| cell.text(&line, &unquoted));
        let own = (0..wanted).map(|index| cell(index).map_or(Value::Absent, text::value));
        let values: Vec<Value<'_>> = own.collect();
        let is_utc = matches!(kind, Kind::Events(events) if events.is_utc);
        let time = times.iter().find_map(|index| time(&columns[*index], cell(*index)?, is_utc));
        match kind {
            Kind::Other => {
                let slots = || columns.iter().map(|name| Slot::new(name)).collect();
                let shape = self.shapes.get(key("csv", columns.iter()).as_bytes(), || {
                    Shape::new(LogFamily::Other, "csv", slots(), true)
                });
                sink.record(&Record { shape, values: &values, position, time });
            }
            Kind::Files(listing) => {
                let path = listing.path(cell);
                let values = listing.values(&values, columns, &path);
                let time = listing.time(&values);
                let shape = self.shapes.get(key("csv file", columns.iter()).as_bytes(), || listing.shape());
                sink.record(&Record { shape, values: &values, position, time });
            }
            Kind::Cloud(Table::Wrapped(column)) => {
                let inner = cell(*column).unwrap_or("");
                CloudReader::new(self.shared, self.limits).wrapped(inner, position, sink);
            }
            Kind::Cloud(Table::Columns(log)) => {
                let shape =
                    self.shapes.get(key("csv cloud", columns.iter()).as_bytes(), || shape(*log, columns));
                sink.record(&Record { shape, values: &values, position, time });
            }
            Kind::Events(events) => self.event(events, values, (position, time), cell, sink),
        }
    }

    /// A record of a Windows event: its columns, and what its JSON holds.
    fn event<'c>(
        &mut self,
        events: &Events,
        values: Vec<Value<'c>>,
        (position, time): (Position, Option<Timestamp>),
        cell: impl Fn(usize) -> Option<&'c str>,
        sink: &mut dyn RecordSink,
    ) {
        let columns = &self.header.columns;
        let mut objects: Vec<Object> = events.json.iter().map(|_| Object::default()).collect();
        let mut inner: Vec<(String, Value<'_>)> = Vec::new();
        for (index, object) in events.json.iter().zip(&mut objects) {
            inner.extend(windows::fields(&columns[*index], cell(*index).unwrap_or(""), self.limits, object));
        }
        let inner_names = || inner.iter().map(|(name, _)| name);
        let key = key(&(key("csv event", columns.iter()) + " |"), inner_names());
        let shape = self.shapes.get(key.as_bytes(), || {
            let slots = events.names.iter().chain(inner_names()).map(|name| Slot::new(name)).collect();
            names::with_roles(Shape::new(LogFamily::WindowsEvents, "", slots, false))
        });
        let values: Vec<Value<'_>> =
            values.into_iter().chain(inner.iter().map(|(_, value)| *value)).collect();
        sink.record(&Record { shape, values: &values, position, time });
    }
}

/// A name for a shape.
fn key<'a>(kind: &str, names: impl Iterator<Item = &'a String>) -> String {
    names.fold(kind.to_owned(), |key, name| format!("{key} {}:{name}", name.len()))
}

/// The time in a cell, where it has a zone, or the column or the tool says that
/// it is UTC.
fn time(column: &str, cell: &str, is_utc: bool) -> Option<Timestamp> {
    let is_utc = is_utc || column.to_ascii_lowercase().contains("utc");
    Timestamp::parse(cell).filter(|_| is_utc || names::has_zone(cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_no_prose() {
        let is = |head: &str| is(head.as_bytes(), &Limits::default());
        assert!(is("a,b,c\n1,2,3\n"));
        assert!(is("a;b;c\r\n1;2;3"));
        assert!(is("#TYPE System.Object\n\"a\",\"b\",\"c\"\n\"1\",\"x\ny, z\",\"3\"\n"));
        assert!(is("a\tb\tc d\n1\t2\t3\n"));
        assert!(!is("a,b,c\n"));
        assert!(!is("a,b\n1,2\n"));
        assert!(!is("a,b,a\n1,2,3\n"));
        assert!(!is("a,b,c\n1,2\n1,2,3\n"));
        assert!(!is("Dear all, we met, we spoke\nand, as ever, left\n"));
        assert!(!is("1,2,3\n4,5,6\n"));
        assert!(!is("<?php,b,c\n1,2,3\n"));
        assert!(!is(""));
    }
}
