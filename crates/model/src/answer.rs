//! What the casebook says.

use crate::{FindingId, HostName, IntrusionId, Span};

/// The five answers there are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AnswerWord {
    /// It happened; the evidence shows it.
    Yes,
    /// The evidence points to it, and something is missing.
    Likely,
    /// Nothing was found, and the logs would have shown it.
    NoTrace,
    /// Nothing was found, and the logs could not have shown it.
    CannotTell,
    /// The question does not arise.
    NotApplicable,
}

impl AnswerWord {
    /// The word in `answers.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            AnswerWord::Yes => "yes",
            AnswerWord::Likely => "likely",
            AnswerWord::NoTrace => "no-trace",
            AnswerWord::CannotTell => "cannot-tell",
            AnswerWord::NotApplicable => "not-applicable",
        }
    }
}

/// One question answered, for one host, as a whole or for one intrusion.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The casebook's id (`exchange-2021`).
    pub casebook: String,
    /// The host; `None` when the evidence does not say.
    pub host: Option<HostName>,
    /// `None`: over all intrusions of the host.
    pub intrusion: Option<IntrusionId>,
    /// The question's id (`exploited`).
    pub question_id: String,
    /// The answer.
    pub answer: AnswerWord,
    /// First and last time of what it rests on.
    pub span: Span,
    /// Findings it rests on, by time, then id.
    pub grounds: Vec<FindingId>,
    /// What logs there were to answer it: one line each, in plain words.
    pub coverage: Vec<String>,
    /// What to get or do next; empty when nothing.
    pub next: Vec<String>,
    /// The answer in one plain sentence.
    pub text: String,
}

/// What one casebook says of one host, all its questions together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookAnswer {
    /// The casebook's id (`ransomware`).
    pub casebook: String,
    /// Its title, for readers.
    pub title: String,
    /// Whether it asks about everything that can happen to such a host, and
    /// so repeats what books about one attack say.
    pub general: bool,
    /// The host; `None` when the evidence does not say.
    pub host: Option<HostName>,
    /// The gravest of its answers; `no-trace` only where all that decides was
    /// covered; `not-applicable` where the book is about other hosts.
    pub answer: AnswerWord,
    /// The same in one line: which questions are open, or what was looked
    /// through.
    pub text: String,
}

/// The sentence above a host's answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The host.
    pub host: Option<HostName>,
    /// `BREACHED`, `probably breached`, `probed`, `no trace`, `cannot tell`.
    pub headline: String,
    /// One sentence more, in plain words.
    pub text: String,
}

/// Findings that belong together: one intruder's visit, as far as told.
#[derive(Clone, PartialEq, Debug)]
pub struct Intrusion {
    /// Its id in the case.
    pub id: IntrusionId,
    /// The hosts it touched, sorted.
    pub hosts: Vec<HostName>,
    /// Its findings' times.
    pub span: Span,
    /// Its findings, by time, then id.
    pub findings: Vec<FindingId>,
    /// What joins them, in plain words (`source 203.0.113.7`), sorted.
    pub joined_by: Vec<String>,
}

/// How a host got its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HostBasis {
    /// The log names it itself (Computer, ServerHostName, ServerName).
    Log,
    /// The only Exchange host of the collection root.
    Root,
    /// `--host`.
    Argument,
}

impl HostBasis {
    /// The word in `case.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            HostBasis::Log => "log",
            HostBasis::Root => "collection-root",
            HostBasis::Argument => "argument",
        }
    }
}
