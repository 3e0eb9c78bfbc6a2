//! Which books are about which host: by its logs, its build numbers, and steps
//! that only such a host shows.

use crate::book::Casebook;
use crate::build::Build;
use crate::coverage::HostLogs;
use crate::trace::Traces;
use model::{Case, HostName};
use std::collections::BTreeMap;

/// For each host, whether each book is about it.
pub struct About(BTreeMap<Option<HostName>, Vec<bool>>);

impl About {
    pub fn new(case: &Case, books: &[Casebook], traces: &Traces<'_>) -> Self {
        let mut about = BTreeMap::new();
        for (host, logs) in HostLogs::of_case(case) {
            let is_about = |book: &Casebook| logs.has_any(&book.signs) || has_build(case, book, &host);
            let books: Vec<bool> = books.iter().map(is_about).collect();
            about.insert(host, books);
        }
        for trace in &traces.list {
            let Some(own) = about.get_mut(&traces.hosts[trace.host]) else { continue };
            for (is_about, book) in own.iter_mut().zip(books) {
                *is_about |= trace.shows_any(&book.sign_steps);
            }
        }
        Self(about)
    }

    /// Whether the book of that index is about `host`.
    pub fn is(&self, host: &Option<HostName>, book: usize) -> bool {
        self.0.get(host).is_some_and(|books| books[book])
    }

    /// Whether any book is.
    pub fn is_any(&self, host: &Option<HostName>) -> bool {
        self.0.get(host).is_some_and(|books| books.contains(&true))
    }
}

fn has_build(case: &Case, book: &Casebook, host: &Option<HostName>) -> bool {
    let mut builds = case.coverage.builds.get(host).into_iter().flatten();
    book.has_builds() && builds.any(|(text, _)| Build::parse(text).is_some())
}
