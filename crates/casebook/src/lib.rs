//! The casebook: from findings to intrusions to answers.
//!
//! A [`Casebook`] is data: the questions, which steps of an attack answer
//! them and how surely, which logs would have shown them, and what to get
//! where they are missing. [`assess`] reads a case's findings and coverage
//! and adds to it
//! - [`model::Intrusion`]s: findings that belong together (`intrusion`),
//! - [`model::Answer`]s, per host and per intrusion (`answer`), from what the
//!   findings support (`support`) and what the logs covered (`coverage`),
//! - a [`model::BookAnswer`] per host and book (`summary`), by which a reader
//!   passes over books that found nothing,
//! - a [`model::Verdict`] per host over all books (`verdict`),
//! - the whole case in a few plain sentences (`plain`),
//! - what the rules could see of ATT&CK ([`model::TechniqueCoverage`], `techniques`).
//!
//! A [`CollectList`] says what to copy from a server, in the order in which
//! it disappears; an answer `cannot-tell` points into it.
//!
//! # Not here
//! Formats, files, and the logic of rules: what a record shows is said by the
//! rule's tag (`assay.<step>`, see `casebook/STEPS.md`), never by its id. And
//! escaping: text from the evidence is passed on raw, the exits escape it.

mod about;
mod answer;
mod book;
mod build;
mod collect;
mod coverage;
mod intrusion;
mod key;
mod lying;
mod needs;
mod plain;
mod sentence;
mod shell;
mod summary;
mod support;
mod tactics;
mod techniques;
mod trace;
mod verdict;

#[cfg(test)]
mod tests;

pub use book::{BookError, Casebook, Watched};
pub use collect::{CollectEntry, CollectList};

use model::Case;

/// Fills the case's intrusions, each finding's intrusion, answers, verdicts,
/// plain sentences and techniques from its findings, rules, hosts and coverage;
/// what was there of these before is replaced. The result does not depend on the order of findings.
pub fn assess(case: &mut Case, books: &[Casebook]) {
    let (partition, answers, summaries, verdicts, plain) = {
        let traces = trace::Traces::new(case, books);
        let about = about::About::new(case, books, &traces);
        let partition = intrusion::partition(&traces, books, &about);
        let answers = answer::answers(case, books, &traces, &partition, &about);
        let by_host = answer::by_book(&answers);
        let summaries = summary::summaries(case, books, &by_host);
        let judged = verdict::judge(case, books, &partition.intrusions, &by_host);
        let plain = plain::sentences(&judged, &by_host);
        let verdicts = judged.into_iter().map(|one| one.verdict).collect::<Vec<_>>();
        (partition, answers, summaries, verdicts, plain)
    };
    for (finding, intrusion) in case.findings.iter_mut().zip(partition.assigned) {
        finding.intrusion = intrusion;
    }
    case.intrusions = partition.intrusions;
    case.answers = answers;
    case.books = summaries;
    case.verdicts = verdicts;
    case.plain = plain;
    case.techniques = techniques::techniques(case);
}
