//! `timeline.csv`: the findings as Timesketch imports them.
//!
//! Timesketch needs `message`, `datetime` and `timestamp_desc`, and drops a row whose time it cannot read; a
//! reader that guesses one form of time for a whole column drops rows of another. So every time has the same
//! form, RFC 3339 with six digits of the second, and a finding without a time is not here: it is in
//! `findings.jsonl`, and `case.json` says how many there are. So are digits beyond the sixth.
//!
//! Rows are RFC 3339 and RFC 4180 for programs, and harmless in spreadsheets: see [`escape::csv_cell`].
//! `message` begins with the level, a word of ours, so it never begins a formula.

use crate::digest::lead_path;
use crate::escape;
use crate::words;
use model::{Case, Field, Finding, Timestamp};
use std::io::{self, Write};

const HEADER: &str = "message,datetime,timestamp_desc,level,rule_id,rule_title,host,intrusion,techniques,\
                      finding_id,evidence,offset,record,line,fields";

pub(crate) fn write_timeline(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    // Lines end as RFC 4180 wants them.
    write!(out, "{HEADER}\r\n")?;
    for finding in &case.findings {
        if let Some(time) = finding.time {
            write_row(case, finding, time, out)?;
        }
    }
    Ok(())
}

fn write_row(case: &Case, finding: &Finding, time: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let rule = &finding.rule;
    let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
    let host = finding.host.as_deref().unwrap_or_default();
    let on_host = if host.is_empty() { String::new() } else { format!(" on {host}") };
    let cells = [
        &format!("{}: {}{on_host}", rule.level.as_str(), rule.title),
        &datetime(time),
        "Record written",
        rule.level.as_str(),
        &rule.id,
        &rule.title,
        host,
        &finding.intrusion.map(words::intrusion_label).unwrap_or_default(),
        &rule.techniques.join(" "),
        &finding.id.to_string(),
        lead_path(case, finding.evidence).unwrap_or_default(),
        &number(Some(finding.position.offset).filter(|_| !finding.is_correlation())),
        &number(finding.position.record),
        &number(finding.position.line),
        &joined(&case.fields(finding).map_err(io::Error::other)?),
    ];
    write_cells(&cells, out)
}

/// Writes one row of CSV, each cell quoted and harmless in spreadsheets.
///
/// # Errors
/// Those of `out`.
pub fn write_cells(cells: &[&str], out: &mut dyn Write) -> io::Result<()> {
    for (index, cell) in cells.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(out, "{comma}{}", escape::csv_cell(cell))?;
    }
    out.write_all(b"\r\n")
}

/// `name: text | name: text`.
pub fn joined(fields: &[Field]) -> String {
    let parts: Vec<_> = fields.iter().map(|(name, text)| format!("{name}: {text}")).collect();
    parts.join(" | ")
}

/// RFC 3339 with six digits of the second.
pub fn datetime(time: Timestamp) -> String {
    let (year, month, day, hour, minute, second, nanos) = time.civil();
    let micros = nanos / 1_000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}+00:00")
}
