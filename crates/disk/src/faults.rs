//! What went wrong while a disk was read, gathered over threads.

use model::Problem;
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// A list of problems that all parts of a disk share. The same disk gives the
/// same list, whichever thread meets which problem first.
#[derive(Clone)]
pub struct Faults {
    found: Arc<Mutex<Found>>,
    max: usize,
}

#[derive(Default)]
struct Found {
    problems: BTreeSet<Problem>,
    has_more: bool,
}

impl Faults {
    /// Keeps the first `max` problems in their order.
    pub fn new(max: usize) -> Self {
        Self { found: Arc::default(), max }
    }

    /// Notes a problem; the same one again is one.
    pub fn push(&self, problem: Problem) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.problems.insert(problem);
        if found.problems.len() > self.max {
            found.problems.pop_last();
            found.has_more = true;
        }
    }

    /// All of them.
    pub fn list(&self) -> Vec<Problem> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut problems: Vec<Problem> = found.problems.iter().cloned().collect();
        if found.has_more {
            problems.push(Problem {
                kind: "limit",
                offset: None,
                wanted: format!("at most {} problems listed", self.max),
                found: "more".into(),
                records_lost: None,
            });
        }
        problems
    }
}

/// What an error of reading at `offset` is in reports.
pub(crate) fn of_error(offset: u64, wanted: &str, error: &io::Error) -> Problem {
    let kind = match error.kind() {
        io::ErrorKind::UnexpectedEof => "truncated",
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => "bad-image",
        _ => "unreadable",
    };
    Problem::new(kind, offset, wanted, error.to_string())
}
