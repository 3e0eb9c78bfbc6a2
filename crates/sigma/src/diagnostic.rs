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
    "correlation-not-yet",
    "detection-empty",
    "detection-invalid",
    "detection-missing",
    "duplicate-id",
    "filter-invalid",
    "filter-without-rule",
    "level-unknown",
    "logsource-missing",
    "modifier-misused",
    "modifier-unknown",
    "not-a-rule",
    "placeholder-unresolved",
    "regex-invalid",
    "regex-unsupported",
    "title-missing",
    "too-complex",
    "too-large",
    "value-invalid",
    "version-unsupported",
    "yaml-invalid",
];

/// Why a rule, or a part of a rule file, does not run as written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Diagnostic {
    /// One of [`DIAGNOSTIC_IDS`].
    pub id: &'static str,
    /// The file, as it was named to [`crate::load`].
    pub file: String,
    /// The line in it, from 1, as near as it is known.
    pub line: Option<u32>,
    /// The rule's id, else its title.
    pub rule: Option<String>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A [`Diagnostic`] before it is known in which file and rule it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(crate) id: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// A text of the document (a key, mostly) that shows the line.
    pub(crate) near: Option<String>,
}

impl Fault {
    pub(crate) fn new(id: &'static str, message: impl Into<String>) -> Self {
        debug_assert!(DIAGNOSTIC_IDS.contains(&id), "{id} is not listed");
        Self { id, message: message.into(), help: None, near: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Keeps the innermost place: the first call wins.
    pub(crate) fn near(mut self, key: impl Into<String>) -> Self {
        self.near.get_or_insert_with(|| key.into());
        self
    }
}
