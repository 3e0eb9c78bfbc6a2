//! Tables: comma, semicolon, tabulator or bar between cells, quotes as in RFC 4180.
//!
//! Columns are told by the names in the header (which may be a comment, as some
//! feeds write it); where it says nothing, the column of the values is the one
//! whose cells have the shape of indicators.

use crate::kind::{Said, plain_name};
use crate::load::{Loading, Place};
use crate::set::About;
use crate::value::guess;
use csv::{Reader, ReaderBuilder, StringRecord};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows by which a table without a header is judged, and the share of them
/// (in percent) whose cell must have the shape of an indicator.
const SAMPLE_ROWS: usize = 50;
const SAMPLE_SHARE: usize = 80;
const COLUMNS_MAX: usize = 256;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Value(Said),
    Type,
    Date,
    FirstSeen,
    ValidUntil,
    Title,
    Actor,
    Label,
    Note,
    Tlp,
    Confidence,
    Other,
}

/// Names of columns, without case and without what is neither letter nor digit.
const NAMES: &[(Column, &[&str])] = &[
    (
        Column::Value(Said::ByShape),
        &[
            "value",
            "values",
            "indicator",
            "indicators",
            "indicatorvalue",
            "ioc",
            "iocs",
            "iocvalue",
            "observable",
            "observablevalue",
        ],
    ),
    (Column::Type, &["type", "indicatortype", "ioctype", "kind", "valuetype", "datatype", "observabletype"]),
    (
        Column::Date,
        &[
            "date",
            "dateadded",
            "added",
            "created",
            "createdat",
            "published",
            "publisheddate",
            "reported",
            "timestamp",
            "modified",
            "validfrom",
        ],
    ),
    (Column::FirstSeen, &["firstseen", "firstseenutc", "firstobserved", "observed"]),
    (Column::ValidUntil, &["validuntil", "expires", "expiration", "expirationdate", "expirationdatetime"]),
    (
        Column::Title,
        &[
            "source",
            "sources",
            "feed",
            "report",
            "reference",
            "provider",
            "publisher",
            "event",
            "eventinfo",
            "origin",
        ],
    ),
    (
        Column::Actor,
        &[
            "actor",
            "actors",
            "threatactor",
            "threatactors",
            "group",
            "apt",
            "adversary",
            "intrusionset",
            "attribution",
            "attributedto",
        ],
    ),
    (
        Column::Label,
        &[
            "malware",
            "malwarefamily",
            "malwareprintable",
            "family",
            "campaign",
            "tag",
            "tags",
            "label",
            "labels",
            "threattype",
        ],
    ),
    (Column::Note, &["description", "note", "notes", "comment", "comments", "details", "context", "title"]),
    (Column::Tlp, &["tlp", "marking"]),
    (Column::Confidence, &["confidence", "confidencelevel"]),
];
/// Names of kinds that as a column's name mean something else.
const NO_VALUES: &[&str] = &["host", "link", "directory", "folder", "network", "net"];

/// How a table is laid out.
pub(crate) struct Layout {
    delimiter: u8,
    /// Whether the first row is the header.
    has_header: bool,
    columns: Vec<Column>,
}

/// The layout of a table; `None` when the text is none.
pub(crate) fn sniff(name: &str, text: &str) -> Option<Layout> {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'))?;
    let comment = text.lines().take_while(|line| line.starts_with('#')).filter(|line| line.len() > 1).last();
    for delimiter in DELIMITERS {
        if let Some(columns) = header(first, delimiter) {
            return Some(Layout { delimiter, has_header: true, columns });
        }
        let plain = comment.map(|line| line.trim_start_matches('#').trim_start());
        if let Some(columns) =
            plain.and_then(|line| header(line, delimiter)).filter(|columns| columns.len() > 1)
        {
            return Some(Layout { delimiter, has_header: false, columns });
        }
    }
    let lower = name.to_ascii_lowercase();
    let is_named = lower.ends_with(".csv") || lower.ends_with(".tsv");
    DELIMITERS.iter().find_map(|delimiter| by_content(text, *delimiter, is_named))
}

/// The columns, when the line names one that holds values.
fn header(line: &str, delimiter: u8) -> Option<Vec<Column>> {
    let mut record = StringRecord::new();
    reader(line, delimiter).read_record(&mut record).ok()?;
    if record.iter().any(|cell| is_date(cell) || guess(cell).is_ok()) {
        return None;
    }
    let mut columns: Vec<Column> = record.iter().take(COLUMNS_MAX).map(column).collect();
    let is_general = columns.contains(&Column::Value(Said::ByShape));
    let is_value = |column: &Column| matches!(column, Column::Value(_));
    if is_general {
        // `indicator,type,domain,…`: the other columns tell of the first.
        let mut is_first = true;
        for column in columns.iter_mut().filter(|column| is_value(column)) {
            let is_own = *column == Column::Value(Said::ByShape) && std::mem::take(&mut is_first);
            if !is_own {
                *column = Column::Other;
            }
        }
    }
    columns.iter().any(is_value).then_some(columns)
}

fn column(name: &str) -> Column {
    let plain = plain_name(name);
    if let Some((column, _)) = NAMES.iter().find(|(_, names)| names.contains(&plain.as_str())) {
        return *column;
    }
    match Said::parse(name) {
        Some(said) if !NO_VALUES.contains(&plain.as_str()) => Column::Value(said),
        _ => Column::Other,
    }
}

/// The layout of a table whose header says nothing.
fn by_content(text: &str, delimiter: u8, is_named: bool) -> Option<Layout> {
    let rows: Vec<StringRecord> =
        reader(text, delimiter).into_records().take(SAMPLE_ROWS).flatten().collect();
    let width = rows.first()?.len();
    if !(2..=COLUMNS_MAX).contains(&width) || (!is_named && rows.iter().any(|row| row.len() != width)) {
        return None;
    }
    let has_shape = |row: &StringRecord, at: usize| row.get(at).is_some_and(|cell| guess(cell).is_ok());
    // The first row may be a header in words that we do not know.
    let body = if rows.len() > 1 { &rows[1..] } else { &rows[..] };
    let count = |at: usize| body.iter().filter(|row| has_shape(row, at)).count();
    let value = (0..width).max_by_key(|at| (count(*at), usize::MAX - at))?;
    if count(value) * 100 < body.len() * SAMPLE_SHARE {
        return None;
    }
    let is_dated = |at: usize| body.iter().all(|row| row.get(at).is_some_and(is_date));
    let columns = (0..width).map(|at| match at {
        at if at == value => Column::Value(Said::ByShape),
        at if is_dated(at) => Column::Date,
        _ => Column::Note,
    });
    Some(Layout { delimiter, has_header: !has_shape(&rows[0], value), columns: columns.collect() })
}

/// `2021-03-09…`
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[..4].iter().all(u8::is_ascii_digit)
}

fn reader(text: &str, delimiter: u8) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .comment(Some(b'#'))
        // `a, "b"`: as feeds write it.
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

pub(crate) fn load(text: &str, layout: &Layout, loading: &mut Loading<'_>) -> &'static str {
    let mut reader = reader(text, layout.delimiter);
    let mut record = StringRecord::new();
    let mut is_header = layout.has_header;
    let mut lines = LineCount { text: text.as_bytes(), at: 0, line: 1 };
    // Reading text from memory does not fail.
    while let Ok(true) = reader.read_record(&mut record) {
        if !std::mem::take(&mut is_header) {
            let line = lines.of(record.position().map_or(0, csv::Position::byte));
            row(&record, &layout.columns, loading, Place::Line(line));
        }
    }
    "csv"
}

/// Lines of rows; the reader's own count is one behind where lines end in CR and LF.
struct LineCount<'t> {
    text: &'t [u8],
    at: usize,
    line: u64,
}

impl LineCount<'_> {
    /// The line of the row that begins at `byte`, or behind line ends there;
    /// to be asked in order.
    fn of(&mut self, byte: u64) -> u64 {
        let start = usize::try_from(byte).unwrap_or(usize::MAX).clamp(self.at, self.text.len());
        let ends = self.text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = &self.text[self.at..start + ends];
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = start + ends;
        self.line
    }
}

fn row(record: &StringRecord, columns: &[Column], loading: &mut Loading<'_>, place: Place<'_>) {
    let cells = || columns.iter().zip(record.iter().map(plain));
    let about = about(cells());
    let kind = cells().find(|(column, _)| **column == Column::Type).map(|(_, text)| text);
    let said = kind.filter(|text| !text.is_empty()).map(|text| (text, Said::parse(text)));
    let mut any = false;
    for (column, text) in cells().filter(|(_, text)| !text.is_empty()) {
        let Column::Value(own) = *column else { continue };
        any = true;
        match (own, said) {
            (Said::ByShape, Some((name, None))) => {
                loading.leave_out(&format!("kind `{}`", name.to_lowercase()))
            }
            (Said::ByShape, Some((_, Some(said)))) => loading.value(said, text, &about, place),
            (own, _) => loading.value(own, text, &about, place),
        }
    }
    if !any {
        loading.note(place, "a row without a value".to_owned());
    }
}

/// A cell; `None` and the like mean that there is nothing.
fn plain(cell: &str) -> &str {
    let cell = cell.trim_matches('"').trim();
    if ["none", "null", "n/a", "-"].iter().any(|nothing| cell.eq_ignore_ascii_case(nothing)) {
        ""
    } else {
        cell
    }
}

fn about<'c>(cells: impl Iterator<Item = (&'c Column, &'c str)>) -> About {
    let mut about = About::default();
    let parts = |text: &str| -> Vec<String> {
        text.split([';', ',', '|'])
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let join = |all: &mut String, text: &str| {
        if !all.is_empty() && !text.is_empty() {
            all.push_str("; ");
        }
        all.push_str(text);
    };
    for (column, text) in cells {
        match column {
            Column::Date if about.date.is_empty() => about.date = text.to_owned(),
            Column::FirstSeen => about.first_seen = text.to_owned(),
            Column::ValidUntil => about.valid_until = text.to_owned(),
            Column::Title => join(&mut about.title, text),
            Column::Actor => about.actors.extend(parts(text)),
            Column::Label => about.labels.extend(parts(text)),
            Column::Note => join(&mut about.note, text),
            Column::Tlp => about.tlp = text.to_owned(),
            Column::Confidence => about.confidence = text.parse().ok().filter(|percent| *percent <= 100),
            Column::Value(_) | Column::Type | Column::Date | Column::Other => {}
        }
    }
    about
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expect: Option<(u8, bool, usize)>) {
        let layout = sniff(name, text).map(|layout| {
            let value = layout.columns.iter().position(|column| matches!(column, Column::Value(_)));
            (layout.delimiter, layout.has_header, value.unwrap_or(usize::MAX))
        });
        assert_eq!(layout, expect, "{text}");
    }

    #[test]
    fn layouts() {
        check("a", "DateAdded,Indicator,IndicatorType\n2021-03-10,192.0.2.1,ip\n", Some((b',', true, 1)));
        check("a", "# \"first_seen_utc\", \"ioc_value\"\n# \n2021,192.0.2.1\n", Some((b',', false, 1)));
        check("a", "md5;sha256\n", Some((b';', true, 0)));
        check("a", "Kennung\tWert\nx\t192.0.2.1\ny\tevil.example\n", Some((b'\t', true, 1)));
        check("a", "1,192.0.2.1\n2,evil.example\n", Some((b',', false, 1)));
        check("a", "192.0.2.1\nevil.example\n", None);
        check("a", "http://evil.example/a,b\n192.0.2.1\n", None);
        check("a.csv", "192.0.2.1\n", None);
        check("a", "", None);
    }
}
