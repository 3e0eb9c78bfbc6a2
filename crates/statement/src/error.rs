//! What can go wrong: in reading a file, and in what a command is asked to do.

use std::fmt;

/// A file that does not say what its kind of file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The file, as the caller named it.
    pub file: String,
    /// Line, from 1, where it is known.
    pub line: Option<usize>,
    /// What was wanted and what was found.
    pub what: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, what) = (model::visible(&self.file), model::visible(&self.what));
        match self.line {
            Some(line) => write!(f, "{file}:{line}: {what}"),
            None => write!(f, "{file}: {what}"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Why something is not done, or not believed: one sentence, in which names from packages steer no terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Refusal {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(model::visible(&text.into()).into_owned())
    }
}
