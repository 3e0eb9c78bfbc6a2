//! What is wrong with a rule, as data: a stable id, a place, a reason, help.
//!
//! # Not here
//! Drawing it; deciding what it means for the exit code.

/// Every id that a [`Diagnostic`] can have; each has a case under `testdata/diagnostics`.
pub const DIAGNOSTIC_IDS: &[&str] = &[
    "action-invalid",
    "cidr-invalid",
    "condition-invalid",
    "condition-missing",
    "condition-unknown-name",
    "correlation-cycle",
    "correlation-invalid",
    "correlation-unknown-rule",
    "date-invalid",
    "detection-empty",
    "detection-invalid",
    "detection-missing",
    "duplicate-id",
    "filter-invalid",
    "filter-without-rule",
    "level-unknown",
    "logsource-missing",
    "logsource-unmet",
    "modifier-misused",
    "modifier-unknown",
    "not-a-rule",
    "pipeline-condition-unknown",
    "pipeline-invalid",
    "pipeline-refused",
    "pipeline-transformation-unknown",
    "placeholder-unresolved",
    "regex-invalid",
    "regex-unsupported",
    "selection-unused",
    "status-unknown",
    "tag-unknown",
    "title-missing",
    "too-complex",
    "too-large",
    "value-invalid",
    "version-unsupported",
    "wildcard-only",
    "yaml-invalid",
];

/// Those of them that say what is odd, not what is wrong; only [`crate::check`] looks for them.
const WARNINGS: &[&str] = &[
    "date-invalid",
    "logsource-unmet",
    "selection-unused",
    "status-unknown",
    "tag-unknown",
    "wildcard-only",
];

/// How much a [`Diagnostic`] matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Something does not run, or not as written.
    Error,
    /// It runs as written, which may not be what was meant.
    Warning,
}

impl Severity {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// Why a rule, or a part of a rule file, does not run as written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Diagnostic {
    /// One of [`DIAGNOSTIC_IDS`].
    pub id: &'static str,
    /// The file, as it was named to [`crate::load`].
    pub file: String,
    /// The line in it, from 1, as near as it is known.
    pub line: Option<u32>,
    /// The column in the line, from 1, in characters, where a part of the line is meant.
    pub column: Option<u32>,
    /// How many characters are meant from there.
    pub width: u32,
    /// The rule's id, else its title.
    pub rule: Option<String>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(fault: &Fault, file: &str, place: Option<Place>, rule: Option<String>) -> Self {
        Self {
            id: fault.id,
            file: file.to_owned(),
            line: place.map(|place| place.line),
            column: place.and_then(|place| place.column),
            width: place.map_or(0, |place| place.width),
            rule,
            message: fault.message.clone(),
            help: fault.help.clone(),
        }
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        if WARNINGS.contains(&self.id) { Severity::Warning } else { Severity::Error }
    }
}

/// A place in a file: line and column from 1, width in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: Option<u32>,
    pub(crate) width: u32,
}

/// A [`Diagnostic`] before it is known in which file and rule it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(crate) id: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// Texts of the document (keys, mostly) that show the place, innermost first.
    pub(crate) near: Vec<String>,
}

impl Fault {
    pub(crate) fn new(id: &'static str, message: impl Into<String>) -> Self {
        debug_assert!(DIAGNOSTIC_IDS.contains(&id), "{id} is not listed");
        Self { id, message: message.into(), help: None, near: Vec::new() }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a place around those that are known: a call further out is a key further out.
    pub(crate) fn near(mut self, key: impl Into<String>) -> Self {
        self.near.push(key.into());
        self
    }
}
