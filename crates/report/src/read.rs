//! A case folder, read back: what the writers of `json` wrote, as the [`Case`] and the [`Run`] they were given.
//!
//! A case that is read and written again has the same bytes in every file. Fields of findings and whole records stay
//! in their files: [`store`] reads each when it is asked for, so that memory does not grow with them.
//!
//! A case folder can come from anybody. Files and lines have limits, counts too; what refers to something (an item, an
//! intrusion, a parent process) must find it; an error says file, line, what was wanted and what was there. `case.json`,
//! `run.json`, `coverage.json`, `answers.json` and `findings.jsonl` must be there; the others are missing in
//! folders of older versions, and what they hold is then not known.
//!
//! # Not here
//! `timeline.csv`, `report.html`: they say nothing that the JSON files do not. The file system: the caller opens files.

mod attribution;
mod case;
mod coverage;
mod findings;
mod others;
mod store;
mod value;

#[cfg(test)]
mod tests;

use crate::escape;
use model::{Case, Run, Spill};
use serde::de::DeserializeOwned;
use std::fmt;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

/// A file that is read once from its beginning, or again and again at places.
pub trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// Opens a file of the case folder by its name; `NotFound` says that there is none.
pub type OpenSource<'a> = dyn FnMut(&str) -> io::Result<Box<dyn Source>> + 'a;

/// Bytes of a file that is read whole.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Characters of what is wrong.
const REASON_CHARS_MAX: usize = 400;

/// Why a case folder cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// The file.
    pub file: &'static str,
    /// The line, from 1, where it is known.
    pub line: Option<u64>,
    /// What was wanted, and what was there; on one line, harmless to print.
    pub reason: String,
}

impl ReadError {
    fn new(file: &'static str, line: Option<u64>, reason: &str) -> Self {
        let reason = match reason.char_indices().nth(REASON_CHARS_MAX) {
            Some((end, _)) => format!("{}…", escape::visible(&reason[..end])),
            None => escape::visible(reason).into_owned(),
        };
        Self { file, line, reason }
    }

    fn of_io(file: &'static str, error: &io::Error) -> Self {
        Self::new(file, None, &error.to_string())
    }

    fn of_json(file: &'static str, error: &serde_json::Error) -> Self {
        let line = (error.line() > 0).then_some(error.line() as u64);
        Self::of_json_in_line(file, line, error)
    }

    /// An error in a text that stands in `line` of the file.
    fn of_json_in_line(file: &'static str, line: Option<u64>, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        match text.strip_suffix(&place) {
            Some(text) => Self::new(file, line, &format!("column {}: {text}", error.column())),
            None => Self::new(file, line, &text),
        }
    }

    /// Something that names what is not there.
    fn dangling(file: &'static str, line: Option<u64>, wanted: &str, found: &str) -> Self {
        Self::new(file, line, &format!("wanted {wanted}, found {found:?}"))
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} line {line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

impl std::error::Error for ReadError {}

/// Reads a case folder whose files `open` gives.
///
/// # Errors
/// The first file that cannot be opened or is not what the writers write.
pub fn read_case(open: &mut OpenSource<'_>) -> Result<(Case, Run), ReadError> {
    let mut case = case::read(read_file("case.json", open)?)?;
    let run = others::run(read_file("run.json", open)?);
    let places = case::Places::of(&case);
    case.coverage = coverage::read(read_file("coverage.json", open)?, &case, &places)?;
    case.answers = others::answers(read_file("answers.json", open)?, &places)?;
    let rules = read_file_if_there("rules.json", open)?.map(others::rules).unwrap_or_default();
    case.looked_for.rules = rules.loaded;
    let records = store::Lines::of_records(open)?;
    let lines = store::Lines::of_findings(open)?;
    let known =
        findings::Known { places: &places, rules: &case.looked_for.rules, other_rules: &rules.others };
    let (findings, store) = findings::read(lines, records, &known)?;
    case.findings = findings;
    case.spill = Spill(Some(Arc::new(store)));
    if let Some(sessions) = read_file_if_there("sessions.json", open)? {
        others::add_sessions(&mut case, sessions, &places)?;
    }
    if let Some(part) = read_file_if_there("attribution.json", open)? {
        case.looked_for.attribution = Some(attribution::read(part, &places)?);
    }
    Ok((case, run))
}

fn read_file<T: DeserializeOwned>(name: &'static str, open: &mut OpenSource<'_>) -> Result<T, ReadError> {
    let mut source = open(name).map_err(|error| ReadError::of_io(name, &error))?;
    let size = source.seek(SeekFrom::End(0)).and_then(|size| source.rewind().map(|()| size));
    let size = size.map_err(|error| ReadError::of_io(name, &error))?;
    if size > FILE_BYTES_MAX {
        let reason = format!("wanted {FILE_BYTES_MAX} bytes at most, found {size}");
        return Err(ReadError::new(name, None, &reason));
    }
    let reader = BufReader::with_capacity(1 << 16, source.take(FILE_BYTES_MAX));
    serde_json::from_reader(reader).map_err(|error| ReadError::of_json(name, &error))
}

/// `None` where an older version wrote no such file.
fn read_file_if_there<T: DeserializeOwned>(
    name: &'static str,
    open: &mut OpenSource<'_>,
) -> Result<Option<T>, ReadError> {
    let mut found = None;
    match open(name) {
        Ok(source) => found = Some(source),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(ReadError::of_io(name, &error)),
    }
    let Some(source) = found else { return Ok(None) };
    let mut source = Some(source);
    read_file(name, &mut |_| source.take().ok_or_else(|| io::ErrorKind::NotFound.into())).map(Some)
}
