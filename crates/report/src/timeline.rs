//! `timeline.csv`: the findings as Timesketch imports them.
//!
//! Timesketch needs `message`, `datetime` and `timestamp_desc`, and drops a row whose time it cannot read; a
//! reader that guesses one form of time for a whole column drops rows of another. So every time has the same
//! form, RFC 3339 with six digits of the second, and a finding without a time is not here: it is in
//! `findings.jsonl`, and `case.json` says how many there are. So are digits beyond the sixth.
//!
//! Rows are RFC 3339 and RFC 4180 for programs, and harmless in spreadsheets: see [`crate::escape::csv_cell`].
//! `message` begins with the level, a word of ours, so it never begins a formula.

use crate::digest::lead_path;
use crate::escape::{CsvCell, push_csv_cell};
use crate::words;
use model::{Case, Details, Finding, RuleFacts, Timestamp};
use std::fmt::Write as _;
use std::io::{self, Write};

/// The first row; lines end as RFC 4180 wants them.
pub(crate) const HEADER: &str = "message,datetime,timestamp_desc,level,rule_id,rule_title,host,intrusion,techniques,\
                                 finding_id,evidence,offset,record,line,fields\r\n";

/// What a row says of its finding's rule, as cells: the same for all findings of it.
pub(crate) struct RuleCells {
    /// How `message` begins.
    message: String,
    /// From `level` to `rule_title`.
    names: String,
    techniques: String,
}

impl RuleCells {
    pub(crate) fn of(rule: &RuleFacts) -> Self {
        let mut names = String::new();
        for name in [rule.level.as_str(), &rule.id, &rule.title] {
            push_csv_cell(&mut names, name);
            names.push(',');
        }
        let mut techniques = String::new();
        push_csv_cell(&mut techniques, &rule.techniques.join(" "));
        Self { message: format!("{}: {}", rule.level.as_str(), rule.title), names, techniques }
    }
}

/// Appends the row of a finding that has a time.
pub(crate) fn push_row(
    out: &mut String,
    case: &Case,
    (finding, time): (&Finding, Timestamp),
    rule: &RuleCells,
    details: &Details,
) {
    let host = finding.host.as_deref().unwrap_or_default();
    let mut message = CsvCell::begin(out);
    message.push(out, &rule.message);
    if !host.is_empty() {
        message.push(out, " on ");
        message.push(out, host);
    }
    CsvCell::end(out);
    out.push_str(",\"");
    push_datetime(out, time);
    out.push_str("\",\"Record written\",");
    out.push_str(&rule.names);
    push_csv_cell(out, host);
    out.push(',');
    push_csv_cell(out, finding.intrusion.map(words::intrusion_label).as_deref().unwrap_or_default());
    out.push(',');
    out.push_str(&rule.techniques);
    out.push_str(",\"");
    words::push_hex(&finding.id.0, out);
    out.push_str("\",");
    push_csv_cell(out, lead_path(case, finding.evidence).unwrap_or_default());
    let position = finding.position;
    let offset = Some(position.offset).filter(|_| !finding.is_correlation());
    for number in [offset, position.record, position.line] {
        // Writing into a `String` cannot fail.
        let _ = match number {
            Some(number) => write!(out, ",\"{number}\""),
            None => write!(out, ",\"\""),
        };
    }
    out.push(',');
    push_joined(out, details);
    out.push_str("\r\n");
}

/// [`joined`] fields, as a cell.
fn push_joined(out: &mut String, details: &Details) {
    let mut cell = CsvCell::begin(out);
    for (index, field) in details.together().enumerate() {
        let between = if index > 0 { " | " } else { "" };
        for piece in [between, field.name, ": ", field.text] {
            cell.push(out, piece);
        }
    }
    CsvCell::end(out);
}

/// Writes one row of CSV, each cell quoted and harmless in spreadsheets.
///
/// # Errors
/// Those of `out`.
pub fn write_cells(cells: &[&str], out: &mut dyn Write) -> io::Result<()> {
    let mut row = String::new();
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            row.push(',');
        }
        push_csv_cell(&mut row, cell);
    }
    row.push_str("\r\n");
    out.write_all(row.as_bytes())
}

/// `name: text | name: text`.
pub fn joined<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> String {
    let parts: Vec<_> = fields.into_iter().map(|(name, text)| format!("{name}: {text}")).collect();
    parts.join(" | ")
}

/// RFC 3339 with six digits of the second.
pub fn datetime(time: Timestamp) -> String {
    let mut out = String::new();
    push_datetime(&mut out, time);
    out
}

fn push_datetime(out: &mut String, time: Timestamp) {
    let (year, month, day, hour, minute, second, nanos) = time.civil();
    let micros = nanos / 1_000;
    // Writing into a `String` cannot fail.
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}+00:00");
}
