//! The facts that fill an answer's sentence.

use crate::book::{Act, Casebook, Question};
use crate::build::{Build, Immunity, Standing};
use crate::key::{Key, is_private};
use crate::shell::find_ascii;
use crate::support::{Grade, Ground};
use crate::trace::{Trace, Traces};
use model::{Span, Timestamp};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Things named in one sentence, at most.
const NAMED_MAX: usize = 3;

/// Everything that a sentence may draw on.
pub struct Facts<'a> {
    pub book: &'a Casebook,
    pub question: &'a Question,
    pub traces: &'a Traces<'a>,
    pub grounds: &'a [Ground],
    pub builds: &'a [(Build, Span, Standing)],
    pub span: Span,
    pub missing: String,
    pub covered: String,
    pub get: String,
    /// When an intruder last did something, whatever was asked.
    pub last_sign: Option<Timestamp>,
    pub window: String,
    pub last_record: Option<Timestamp>,
}

impl Facts<'_> {
    /// The fact `name` (see `sentence::FACTS`); empty when it is not known.
    pub fn get(&self, name: &str) -> String {
        match name {
            "addresses" => self.addresses(),
            "besides" => self.acts(|step| !self.book.joins.visits.iter().any(|visit| visit == step)),
            "builds" => self.vulnerable_builds(),
            "count" => count(self.records(|_| true), "record"),
            "covered" => self.covered.clone(),
            "cves" => self.cves(),
            "files" => self.named(|key| matches!(key, Key::File(..))),
            "first" => short(self.span.first),
            "fixed" => self.fixed(),
            "get" => self.get.clone(),
            "last" => short(self.span.last),
            "last-record" => short(self.last_record),
            "last-sign" => short(self.last_sign),
            "latest" => self.latest(),
            "missing" => self.missing.clone(),
            "own" => {
                let own = self.question.supports.iter().take(self.question.own);
                let own: BTreeSet<&str> = own.map(|support| support.step.as_str()).collect();
                self.acts(|step| own.contains(step))
            }
            "requests" => self.requests(),
            "shells" => self.named(|key| matches!(key, Key::Shell(..))),
            "seen-builds" => list(self.builds.iter().map(|(build, ..)| build.to_string()).collect(), ", "),
            "sources" => list(self.sources(), ", "),
            "unsettled" if self.grounds.iter().all(|ground| ground.grade == Grade::None) => {
                self.acts(|_| true)
            }
            // The first time stands beside the answer.
            "until" if short(self.span.first) != short(self.span.last) => short(self.span.last),
            "what" => self.acts(|_| true),
            "window" => self.window.clone(),
            _ => String::new(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Trace<'_>> {
        self.grounds.iter().map(|ground| &self.traces.list[ground.trace])
    }

    /// Several rules may have matched one record.
    fn records(&self, wanted: impl Fn(&Trace<'_>) -> bool) -> usize {
        let mut records: Vec<usize> =
            self.all().filter(|trace| wanted(trace)).map(Trace::record_id).collect();
        records.sort_unstable();
        records.dedup();
        records.len()
    }

    fn sources(&self) -> Vec<String> {
        let all: Vec<IpAddr> = self.all().filter_map(|trace| trace.names.source()).collect();
        // A server's own address and a proxy's say nothing where the caller's is known.
        let public = all.iter().any(|address| !is_private(*address));
        let telling = all.iter().filter(|address| !public || !is_private(**address));
        let telling: BTreeSet<&IpAddr> = telling.collect();
        let mut told = BTreeSet::new();
        let all = all.iter().filter(|address| telling.contains(address) && told.insert(*address));
        distinct(all.map(IpAddr::to_string))
    }

    fn addresses(&self) -> String {
        match self.sources().len() {
            0 => String::new(),
            1 => "1 address".to_owned(),
            more => format!("{more} addresses"),
        }
    }

    fn requests(&self) -> String {
        // One request stands in the log of the web server and in that of the proxy behind it.
        let is_visit = |trace: &Trace<'_>| trace.shows_any(&self.book.joins.visits);
        let by_proxy = |trace: &Trace<'_>| trace.finding.field("UrlStem").is_some();
        let proxied = self.records(|trace| is_visit(trace) && by_proxy(trace));
        match proxied.max(self.records(|trace| is_visit(trace) && !by_proxy(trace))) {
            0 => String::new(),
            requests => count(requests, "request"),
        }
    }

    /// What was done, each act once, in the order of first times; by the
    /// titles of rules where no act is known.
    fn acts(&self, wanted: impl Fn(&str) -> bool) -> String {
        let all = self.all().collect::<Vec<_>>();
        list(self.acts_of(&all, wanted), "; ")
    }

    fn acts_of(&self, traces: &[&Trace<'_>], wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut told: Vec<(Option<&Act>, String)> = Vec::new();
        let mut rules: BTreeSet<usize> = BTreeSet::new();
        for trace in traces {
            if trace.steps.is_empty() {
                if rules.insert(trace.rule) {
                    told.push((None, trace.finding.rule.title.clone()));
                }
                continue;
            }
            let steps = || trace.steps.iter().filter(|step| wanted(step));
            let acts = self
                .book
                .acts
                .iter()
                .filter(|act| steps().any(|step| act.steps.iter().any(|own| own == step)));
            for act in acts {
                if !told.iter().any(|(other, _)| other.is_some_and(|other| other.steps == act.steps)) {
                    told.push((Some(act), self.act_text(act, traces)));
                }
            }
        }
        let covers = |act: &Act, other: &Act| {
            act.steps != other.steps && other.steps.iter().all(|step| act.covers.contains(step))
        };
        let is_covered =
            |act: &Act| told.iter().any(|(other, _)| other.is_some_and(|other| covers(other, act)));
        let left = told.iter().filter(|(act, _)| !act.is_some_and(is_covered));
        distinct(left.map(|(_, text)| text.clone()).filter(|text| !text.is_empty()))
    }

    fn act_text(&self, act: &Act, traces: &[&Trace<'_>]) -> String {
        let own: Vec<&Trace<'_>> =
            traces.iter().copied().filter(|trace| trace.shows_any(&act.steps)).collect();
        act.text.render(|name| match name {
            "directory" => directories(&own),
            "program" => programs(&own),
            "times" => {
                count(own.iter().map(|trace| trace.record_id()).collect::<BTreeSet<_>>().len(), "time")
            }
            _ => self.get(name),
        })
    }

    /// What was done last.
    fn latest(&self) -> String {
        let last: Vec<&Trace<'_>> = self.all().filter(|trace| trace.time() == self.span.last).collect();
        self.acts_of(&last, |_| true).into_iter().next().unwrap_or_default()
    }

    /// Each page or file once: as the evidence first writes it, unless that
    /// is the name of what it was compiled into.
    fn named(&self, wanted: impl Fn(&Key) -> bool) -> String {
        let mut names: Vec<(&Key, Option<&str>)> = Vec::new();
        let all = self.all().flat_map(|trace| trace.names.texts()).filter(|(key, _)| wanted(key));
        for (key, text) in all {
            let is_page = find_ascii(text, "\\Temporary ASP.NET Files\\", 0).is_none();
            let text = is_page.then_some(text.as_str());
            match names.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => *known = known.or(text),
                None => names.push((key, text)),
            }
        }
        let names = names.into_iter().map(|(key, text)| match (text, key) {
            (Some(text), _) => shortened(text),
            (None, Key::Shell(_, page) | Key::File(_, page)) => page.replace('|', "/…/"),
            (None, _) => String::new(),
        });
        list(distinct(names), ", ")
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

fn seen(span: Span) -> String {
    match (span.first, span.last) {
        (Some(first), Some(last)) => format!("seen {} … {}", first.to_short(), last.to_short()),
        _ => "seen in records without a time".to_owned(),
    }
}

/// A build and a hole in one line of coverage; `by` closed it.
pub fn hole_line(build: Build, span: Span, immunity: Immunity, by: &str) -> String {
    let stands = match immunity {
        Immunity::Never => "never open to it".to_owned(),
        Immunity::Fixed => format!("not open to it any more: {by}"),
        Immunity::Open => format!("open to it, or not known; closed by {by}"),
    };
    format!("build {build}: {} ({stands})", seen(span))
}

/// A build in one line of coverage.
pub fn build_line(build: Build, span: Span, standing: &Standing) -> String {
    let seen = seen(span);
    let standing = match standing {
        Standing::Vulnerable { product, .. } => format!("{product}, vulnerable"),
        Standing::Fixed { product } => format!("{product}, fixed"),
        Standing::Unknown => "not in the table of builds".to_owned(),
    };
    format!("build {build}: {seen} ({standing})")
}

/// Virtual directories that the findings name: `the OAB directory`.
fn directories(traces: &[&Trace<'_>]) -> String {
    let texts = traces.iter().flat_map(|trace| &trace.finding.fields);
    let names = texts.filter_map(|(_, text)| {
        let before = text.get(..find_ascii(text, "VirtualDirectory", 0)?)?;
        let letters = before.len() - before.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
        let word = before.get(letters..)?.to_ascii_uppercase();
        let verbs = ["RESET", "SET", "NEW", "REMOVE"];
        let name = verbs.iter().find_map(|verb| word.strip_prefix(verb)).unwrap_or(&word);
        (2..=20).contains(&name.len()).then(|| format!("the {name} directory"))
    });
    let names = distinct(names);
    if names.is_empty() { "a virtual directory".to_owned() } else { list(names, " and ") }
}

/// Programs that the findings are about: `cmd.exe`.
fn programs(traces: &[&Trace<'_>]) -> String {
    let image = |trace: &&Trace<'_>| {
        let image = trace.finding.field("Image").or_else(|| trace.finding.field("NewProcessName"))?;
        let name = image.rsplit(['\\', '/']).next().unwrap_or_default();
        (1..=40).contains(&name.len()).then(|| name.to_owned())
    };
    list(distinct(traces.iter().filter_map(image)), ", ")
}

/// The last parts of a long Windows path.
fn shortened(path: &str) -> String {
    match path.rmatch_indices('\\').nth(2) {
        Some((at, _)) if at > 2 => format!("…{}", &path[at..]),
        _ => path.to_owned(),
    }
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
