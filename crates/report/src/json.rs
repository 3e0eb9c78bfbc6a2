//! The JSON files of a case: their shapes, and how they are written.
//!
//! Keys stand in the order of the structs here. Times are RFC 3339 in UTC or null, hashes lower case hex. A
//! finding's fields are an object in slot order; a name that occurs more than once holds a list.
//!
//! Values are whole. So that a file can be shown on a terminal as it is, what [`crate::escape`] calls dangerous
//! is written as a `\u` escape, which every JSON parser turns back.

mod attribution;
mod case;
mod coverage;
mod findings;
mod rules;
mod run;
mod sessions;
mod text;

pub(crate) use case::write_case_json;
pub(crate) use coverage::write_coverage_json;
pub(crate) use findings::{RuleText, push_finding, push_record};
pub(crate) use rules::write_rules_json;
pub(crate) use run::write_run_json;
pub(crate) use sessions::write_sessions_json;

pub use attribution::write_attribution_json;
pub use findings::write_answers_json;

use crate::escape::is_plain;
use crate::words;
use model::is_dangerous;
use model::{FindingId, Problem, Timestamp};
use serde::ser::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use std::io::{self, Write};

/// Writes `value` over several lines, with a newline at the end; what steers a terminal is escaped.
///
/// # Errors
/// Those of `out`.
pub fn write_pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Safe(PrettyFormatter::new())))?;
    out.write_all(b"\n")
}

/// Writes `value` without blanks, and without a newline; what steers a terminal is escaped.
///
/// # Errors
/// Those of `out`.
pub fn write_compact(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    Ok(value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Safe(CompactFormatter)))?)
}

/// A time, or null.
struct Time(Option<Timestamp>);

impl Time {
    fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(time) => serializer.collect_str(&time),
            None => serializer.serialize_none(),
        }
    }
}

/// Bytes, as lower case hex.
struct Hex<'a>(&'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&words::hex(self.0))
    }
}

/// Names of findings: there may be one for each finding of the case, so that none is made before it is written.
struct Ids<'a>(&'a [FindingId]);

impl Serialize for Ids<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|id| Hex(&id.0)))
    }
}

/// A [`Problem`] as the files show it.
#[derive(serde::Serialize)]
struct ProblemShape<'a> {
    kind: &'static str,
    offset: Option<u64>,
    wanted: &'a str,
    found: &'a str,
    records_lost: Option<u64>,
}

impl<'a> From<&'a Problem> for ProblemShape<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            kind: problem.kind,
            offset: problem.offset,
            wanted: &problem.wanted,
            found: &problem.found,
            records_lost: problem.records_lost,
        }
    }
}

/// A path that could not be opened, with the reason.
#[derive(serde::Serialize)]
struct UnreadShape<'a> {
    path: &'a str,
    problem: ProblemShape<'a>,
}

fn unread_shapes(unread: &[(String, Problem)]) -> Vec<UnreadShape<'_>> {
    unread.iter().map(|(path, problem)| UnreadShape { path, problem: problem.into() }).collect()
}

/// A formatter that writes dangerous characters in strings as `\u` escapes. C0 controls already are.
struct Safe<F>(F);

impl<F: Formatter> Formatter for Safe<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if is_plain(fragment) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_dangerous(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}
