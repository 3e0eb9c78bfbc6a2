//! Shows a [`Case`]: on the terminal, as the files of a case folder, and on standard output.
//!
//! Everything in a case that comes from evidence is hostile text, so each exit escapes for itself: `escape`
//! makes controls visible (terminal, HTML, CSV), `html` lets only constant text through as markup, `timeline`
//! disarms spreadsheet formulas, `json` writes what terminals obey as `\u` escapes. JSON keeps every value
//! whole; the other exits may shorten, and say so with `…`.
//!
//! The same case gives the same bytes. What differs from run to run ([`Run`]) goes to `run.json` and the
//! terminal only; the HTML report takes the program's version and the rules that did not run from it.
//!
//! [`read_case`] is the way back: from the files of a case folder to the case and the run that they were written from.
//!
//! # Not here
//! How findings were made, and the file system: the caller opens each file by its name.

mod attack;
mod digest;
mod escape;
pub mod fuzz;
mod ground_findings;
mod html;
pub mod json;
mod lanes;
mod logon_graph;
mod markdown;
pub mod mask;
mod navigator;
mod options;
mod read;
mod rows;
mod table;
mod terminal;
mod timeline;
mod who;
mod words;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod sample_who;
#[cfg(test)]
mod tests;

pub use escape::{csv_cell, escape_terminal};
pub use ground_findings::ground_findings;
pub use html::{write_html, write_statement_html};
pub use json::{write_answers_json, write_attribution_json};
pub use markdown::{write_markdown, write_statement_markdown};
pub use navigator::write_layer;
pub use options::Options;
pub use read::{OpenSource, ReadError, Source, read_case};
pub use rows::write_findings_jsonl;
pub use stix::Tlp;
pub use table::write_findings_csv;
pub use terminal::{Style, render_terminal};
pub use timeline::{datetime, joined, write_cells};

use mask::Mask;
use model::{Case, Run};
use std::io::{self, BufWriter, Write};

/// Opens a file of the case folder by its name.
pub type Open<'a> = dyn FnMut(&str) -> io::Result<Box<dyn Write>> + 'a;

type WriteFile = fn(&Case, &Run, &Options, &mut dyn Write) -> io::Result<()>;

/// Files of a case folder that are written one behind the other; those with a line for each finding follow
/// ([`rows`]), then the report and the pages beside it.
const FILES: [(&str, WriteFile); 7] = [
    ("case.json", |case, _, _, out| json::write_case_json(case, out)),
    ("run.json", |_, run, _, out| json::write_run_json(run, out)),
    ("coverage.json", |case, _, _, out| json::write_coverage_json(case, out)),
    ("answers.json", |case, _, _, out| write_answers_json(case, out)),
    ("rules.json", |case, _, _, out| json::write_rules_json(case, out)),
    ("sessions.json", |case, _, _, out| json::write_sessions_json(case, out)),
    ("layer.json", |case, _, _, out| navigator::write_layer(case, out)),
];

/// Bytes that are gathered before they are written: the kernel takes large pieces at a fraction of the cost.
const WRITE_BYTES: usize = 256 * 1024;

fn open_buffered(name: &str, open: &mut Open<'_>) -> io::Result<BufWriter<Box<dyn Write>>> {
    Ok(BufWriter::with_capacity(WRITE_BYTES, open(name)?))
}

/// The file that is written when somebody has asked who it was.
const ATTRIBUTION: &str = "attribution.json";

/// Whether a case folder has a file of this name.
pub fn is_case_file(name: &str) -> bool {
    // The report and its further pages are named where they are written.
    let is_page = |name: &str| name.strip_prefix("findings-").is_some_and(|rest| rest.ends_with(".html"));
    let mut files = FILES.iter().map(|(own, _)| *own).chain(rows::FILES).chain(["report.html", ATTRIBUTION]);
    is_page(name) || files.any(|own| own == name)
}

/// Writes all files of a case folder, each once, into what `open` gives for its name.
///
/// # Errors
/// The first error of `open` or of a writer; files after it are not written.
pub fn write_case(case: &Case, run: &Run, options: &Options, open: &mut Open<'_>) -> io::Result<()> {
    for (name, write) in FILES {
        let mut out = open_buffered(name, open)?;
        write(case, run, options, &mut out)?;
        out.flush()?;
    }
    let secrets = rows::write_files(case, !options.reveal, open)?;
    if let Some(attribution) = &case.looked_for.attribution {
        let mut out = open_buffered(ATTRIBUTION, open)?;
        write_attribution_json(case, attribution, &mut out)?;
        out.flush()?;
    }
    let mask = if options.reveal { Mask::default() } else { Mask::over(&secrets) };
    html::write_masked(case, run, options, &mask, "report.html", open)
}
