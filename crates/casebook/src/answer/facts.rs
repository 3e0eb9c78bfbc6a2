//! The facts that fill an answer's sentence.

use crate::book::Casebook;
use crate::build::{Build, Standing};
use crate::key::{Key, is_private};
use crate::support::Ground;
use crate::trace::{Trace, Traces};
use model::{Span, Timestamp};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Things named in one sentence, at most.
const NAMED_MAX: usize = 3;

/// Everything that a sentence may draw on.
pub struct Facts<'a> {
    pub book: &'a Casebook,
    pub traces: &'a Traces<'a>,
    pub grounds: &'a [Ground],
    pub builds: &'a [(Build, Span, Standing)],
    pub span: Span,
    pub missing: String,
    pub covered: String,
    pub window: String,
    pub last_record: Option<Timestamp>,
}

impl Facts<'_> {
    /// The fact `name` (see `sentence::FACTS`); empty when it is not known.
    pub fn get(&self, name: &str) -> String {
        match name {
            "addresses" => self.addresses(),
            "builds" => self.vulnerable_builds(),
            "count" => count(self.records(|_| true), "record"),
            "covered" => self.covered.clone(),
            "cves" => self.cves(),
            "files" => self.named(|key| matches!(key, Key::File(..))),
            "first" => short(self.span.first),
            "fixed" => self.fixed(),
            "last" => short(self.span.last),
            "last-record" => short(self.last_record),
            "missing" => self.missing.clone(),
            "requests" => self.requests(),
            "shells" => self.named(|key| matches!(key, Key::Shell(..))),
            "sources" => list(self.sources(), ", "),
            "what" => list(distinct(self.all().map(|trace| trace.finding.rule.title.clone())), "; "),
            "window" => self.window.clone(),
            _ => String::new(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Trace<'_>> {
        self.grounds.iter().map(|ground| &self.traces.list[ground.trace])
    }

    /// Several rules may have matched one record.
    fn records(&self, wanted: impl Fn(&Trace<'_>) -> bool) -> usize {
        self.all().filter(|trace| wanted(trace)).map(Trace::record_id).collect::<BTreeSet<_>>().len()
    }

    fn sources(&self) -> Vec<String> {
        let all: Vec<IpAddr> = self.all().filter_map(|trace| trace.names.source()).collect();
        // A server's own address and a proxy's say nothing where the caller's is known.
        let public = all.iter().any(|address| !is_private(*address));
        let telling = all.iter().filter(|address| !public || !is_private(**address));
        distinct(telling.map(IpAddr::to_string))
    }

    fn addresses(&self) -> String {
        match self.sources().len() {
            0 => String::new(),
            1 => "1 address".to_owned(),
            more => format!("{more} addresses"),
        }
    }

    fn requests(&self) -> String {
        match self.records(|trace| trace.shows_any(&self.book.joins.visits)) {
            0 => String::new(),
            requests => count(requests, "request"),
        }
    }

    /// Each page or file once, as the evidence first writes it.
    fn named(&self, wanted: impl Fn(&Key) -> bool) -> String {
        let mut seen: BTreeSet<&Key> = BTreeSet::new();
        let all = self.all().flat_map(|trace| &trace.names.texts);
        let new = all.filter(|(key, _)| wanted(key) && seen.insert(key));
        list(new.map(|(_, text)| text.clone()).collect(), ", ")
    }

    fn cves(&self) -> String {
        let steps = self.all().flat_map(|trace| &trace.steps);
        let cves = distinct(steps.filter_map(|step| self.book.cves.get(*step)).cloned());
        cves.join(", then ")
    }

    fn vulnerable_builds(&self) -> String {
        let vulnerable = self.builds.iter().filter_map(|(build, _, standing)| match standing {
            Standing::Vulnerable { product, fixed_by: Some(fixed) } => {
                Some(format!("{build} ({product}; fixed from {fixed} on)"))
            }
            Standing::Vulnerable { product, fixed_by: None } => {
                Some(format!("{build} ({product}; never fixed itself, only by a later cumulative update)"))
            }
            Standing::Fixed { .. } | Standing::Unknown => None,
        });
        list(vulnerable.collect(), ", ")
    }

    /// The first fixed build seen, with when.
    fn fixed(&self) -> String {
        let fixed = self.builds.iter().filter(|(_, _, standing)| matches!(standing, Standing::Fixed { .. }));
        let first = fixed.min_by_key(|(build, span, _)| (span.first.is_none(), span.first, *build));
        match first {
            Some((build, Span { first: Some(first), .. }, _)) => {
                format!("{build}, first seen {}", first.to_short())
            }
            Some((build, ..)) => build.to_string(),
            None => String::new(),
        }
    }
}

/// A build in one line of coverage.
pub fn build_line(build: Build, span: Span, standing: &Standing) -> String {
    let seen = match (span.first, span.last) {
        (Some(first), Some(last)) => format!("seen {} … {}", first.to_short(), last.to_short()),
        _ => "seen in records without a time".to_owned(),
    };
    let standing = match standing {
        Standing::Vulnerable { product, .. } => format!("{product}, vulnerable"),
        Standing::Fixed { product } => format!("{product}, fixed"),
        Standing::Unknown => "not in the table of builds".to_owned(),
    };
    format!("build {build}: {seen} ({standing})")
}

fn short(time: Option<Timestamp>) -> String {
    time.map(Timestamp::to_short).unwrap_or_default()
}

fn count(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.filter(|text| seen.insert(text.clone())).collect()
}

fn list(mut texts: Vec<String>, between: &str) -> String {
    let more = texts.len().saturating_sub(NAMED_MAX);
    texts.truncate(NAMED_MAX);
    let text = texts.join(between);
    if more > 0 { format!("{text} and {more} more") } else { text }
}
