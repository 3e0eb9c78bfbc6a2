//! Which books are about which host: by its logs, its build numbers, and steps
//! that only such a host shows.

use crate::book::Casebook;
use crate::build::Build;
use crate::coverage::HostLogs;
use crate::trace::Traces;
use model::{Case, HostName};
use std::collections::BTreeMap;

/// Logs that only a tenant of Microsoft's cloud has.
const TENANT_LOGS: [&str; 3] = ["m365-audit", "entra-audit", "entra-sign-ins"];

/// For each host, what it is to each book.
pub struct About(BTreeMap<Option<HostName>, Vec<Subject>>);

/// What a host is to a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Subject {
    /// A server of the book's kind.
    pub is_server: bool,
    /// A tenant of a cloud that the book is about.
    pub is_tenant: bool,
}

impl About {
    pub fn new(case: &Case, books: &[Casebook], traces: &Traces<'_>) -> Self {
        let mut about = BTreeMap::new();
        for (host, logs) in HostLogs::of_case(case) {
            let is_tenant = is_tenant(&logs);
            let subject = |book: &Casebook| Subject {
                is_server: logs.has_any(&book.signs) || has_build(case, book, &host),
                is_tenant: is_tenant && book.questions.iter().any(|question| question.asked.is_of_tenant),
            };
            let books: Vec<Subject> = books.iter().map(subject).collect();
            about.insert(host, books);
        }
        for trace in &traces.list {
            let Some(own) = about.get_mut(&traces.hosts[trace.host]) else { continue };
            for (subject, book) in own.iter_mut().zip(books) {
                subject.is_server |= trace.shows_any(&book.sign_steps);
            }
        }
        Self(about)
    }

    /// What `host` is to the book of that index.
    pub fn subject(&self, host: &Option<HostName>, book: usize) -> Subject {
        self.0.get(host).map(|books| books[book]).unwrap_or_default()
    }

    /// Whether the book of that index is about `host`.
    pub fn is(&self, host: &Option<HostName>, book: usize) -> bool {
        self.subject(host, book) != Subject::default()
    }

    /// Whether any book is.
    pub fn is_any(&self, host: &Option<HostName>) -> bool {
        self.0.get(host).is_some_and(|books| books.iter().any(|own| *own != Subject::default()))
    }
}

/// Whether a host is a tenant, by its logs.
pub fn is_tenant(logs: &HostLogs<'_>) -> bool {
    logs.has_any(&TENANT_LOGS.map(str::to_owned))
}

fn has_build(case: &Case, book: &Casebook, host: &Option<HostName>) -> bool {
    let mut builds = case.coverage.builds.get(host).into_iter().flatten();
    book.has_builds() && builds.any(|(text, _)| Build::parse(text).is_some())
}
