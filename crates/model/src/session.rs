//! Who started what, and who logged on from where.

use crate::{EvidenceId, FindingId, HostName, Position, Span, Timestamp};

/// A process of a tree in which something was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// The host it ran on.
    pub host: Option<HostName>,
    /// Index of its parent in [`crate::Sessions::processes`]; `None` for a root.
    pub parent: Option<u32>,
    /// When it was started; `None` when only a child's record tells of it.
    pub time: Option<Timestamp>,
    /// The program's path.
    pub image: String,
    /// How it was called; empty where the records do not say.
    pub command_line: String,
    /// The account; empty where the records do not say.
    pub user: String,
    /// The process id, as the record writes it.
    pub process_id: String,
    /// Where its start is recorded; `None` when only a child's record tells of it.
    pub place: Option<(EvidenceId, Position)>,
    /// Findings on its start, by time, then id.
    pub findings: Vec<FindingId>,
}

/// Logons of one account from one source to one host, counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logon {
    /// The host that was logged on to.
    pub host: Option<HostName>,
    /// Where from: an address, or a computer's name where no address is given.
    pub source: String,
    /// The host of the case that the source is, where that is known.
    pub source_host: Option<HostName>,
    /// The account, as it is written.
    pub user: String,
    /// `network`, `remote desktop`, `explicit credentials`, …; for failed logons `failed`.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// First and last.
    pub span: Span,
    /// The source is one that an intrusion came from, or findings are on such a logon.
    pub suspicious: bool,
}

/// What of processes and logons was left out of the case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SessionsLeftOut {
    /// Processes in trees beyond the limit.
    pub processes: u64,
    /// Kinds of logon (host, source, account, kind) beyond the limit.
    pub logons: u64,
}
