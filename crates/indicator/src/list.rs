//! Plain lists: a value on each line, `#` before what is none.
//!
//! A kind may stand before its value (`user-agent: …`). A line of a Markdown or
//! AsciiDoc table gives its first cell that has the shape of an indicator.

use crate::kind::Said;
use crate::load::{Loading, Place};
use crate::set::About;
use crate::value::{guess, parse, refang};

/// A longer line is no value with a remark.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// Lines by which a list is told from prose, and the share of them (in
/// percent) that must hold an indicator: reports name good addresses, too.
const SAMPLE_LINES: usize = 1_000;
const SAMPLE_SHARE: usize = 50;
/// A shorter text is taken at its word.
const PROSE_LINES_MIN: usize = 20;

pub(crate) fn load(text: &str, loading: &mut Loading<'_>) -> &'static str {
    let sample: Vec<&str> = lines(text).map(|(_, line)| line).take(SAMPLE_LINES).collect();
    let values = sample.iter().filter(|line| line.len() <= LINE_BYTES_MAX && is_value(line)).count();
    if sample.len() >= PROSE_LINES_MIN && values * 100 < sample.len() * SAMPLE_SHARE {
        let reason = format!(
            "no list: of its first {} lines {values} hold an indicator; nothing is taken",
            sample.len()
        );
        loading.note(Place::File, reason);
        return "unknown";
    }
    for (number, line) in lines(text) {
        let place = Place::Line(number);
        if line.len() > LINE_BYTES_MAX {
            loading.note(
                place,
                format!("a line of {} bytes; one of a list has at most {LINE_BYTES_MAX}", line.len()),
            );
        } else if let Some(cells) = line.strip_prefix('|') {
            row(cells, loading, place);
        } else {
            let (said, value, note) = entry(line);
            let about = About { note: note.to_owned(), ..About::default() };
            loading.value(said, value, &about, place);
        }
    }
    "list"
}

/// The lines that say something, numbered from 1.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', ';']) && !line.starts_with("//"))
}

fn is_value(line: &str) -> bool {
    if let Some(cells) = line.strip_prefix('|') {
        return cells.split('|').any(is_cell);
    }
    let (said, value, _) = entry(line);
    match said {
        Said::Kind(kind) => parse(kind, value).is_ok(),
        Said::ByShape => guess(value).is_ok(),
    }
}

/// The kind that stands before a value, the value, and the remark behind it.
fn entry(line: &str) -> (Said, &str, &str) {
    let line = ["- ", "* "].iter().find_map(|bullet| line.strip_prefix(bullet)).unwrap_or(line);
    let (value, note) = line.split_once(" #").unwrap_or((line, ""));
    let value = value.trim().trim_end_matches(',');
    let said = value.split_once(": ").and_then(|(name, value)| Some((Said::parse(name)?, value)));
    let (said, value) = said.unwrap_or((Said::ByShape, value));
    (said, value, note.trim())
}

/// A cell of several words is prose, even where one ends like a file.
fn is_cell(cell: &str) -> bool {
    !cell.trim().contains(' ') && guess(cell).is_ok()
}

fn row(cells: &str, loading: &mut Loading<'_>, place: Place<'_>) {
    let cells: Vec<&str> = cells.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
    match cells.iter().find(|cell| is_cell(cell)) {
        Some(value) => {
            let others: Vec<&str> = cells.iter().filter(|cell| *cell != value).copied().collect();
            let about = About { note: others.join("; "), ..About::default() };
            loading.value(Said::ByShape, value, &about, place);
        }
        None if cells.iter().any(|cell| cell.chars().any(char::is_alphanumeric)) => {
            loading.refuse("a row without an indicator", &refang(&cells.join(" | ")), place);
        }
        None => {}
    }
}
