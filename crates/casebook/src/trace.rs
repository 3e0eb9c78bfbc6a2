//! Findings as this room sees them: steps, and what they name.

use crate::book::Casebook;
use crate::key::{Key, Kinds, Names};
use model::{Case, EvidenceId, Finding, HostName, Level, RuleFacts, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The tag that says which step of an attack a record shows.
const STEP_TAG: &str = "assay.";

/// One finding.
pub struct Trace<'a> {
    /// Its index in the case.
    pub index: usize,
    pub finding: &'a Finding,
    /// Index into [`Traces::hosts`].
    pub host: usize,
    /// The steps that its rule says the record shows.
    pub steps: Vec<&'a str>,
    /// Index into [`Traces::records`].
    record: usize,
    /// Index into [`Traces::rules`].
    pub rule: usize,
    pub names: Names,
}

/// The findings of a case that can answer anything, by time (those without one
/// last), then id.
pub struct Traces<'a> {
    /// All findings of the case.
    pub findings: &'a [Finding],
    pub list: Vec<Trace<'a>>,
    pub hosts: Vec<Option<HostName>>,
    /// Steps of a record, by all rules that matched it: one rule may say that
    /// the back end was reached, and another what was asked for.
    records: Vec<BTreeSet<&'a str>>,
    /// The rules that matched: many findings have few.
    pub rules: Vec<&'a RuleFacts>,
}

impl<'a> Traces<'a> {
    pub fn new(case: &'a Case, books: &[Casebook]) -> Self {
        let findings = &case.findings;
        let mut order: Vec<usize> = (0..findings.len()).filter(|index| answers(&findings[*index])).collect();
        let key = |index: usize| {
            let finding = &findings[index];
            (finding.time.is_none(), finding.time, finding.id, finding.evidence, finding.position.offset)
        };
        order.sort_by_key(|index| key(*index));
        let hosts: BTreeSet<Option<HostName>> = findings.iter().map(|finding| finding.host.clone()).collect();
        let hosts: Vec<Option<HostName>> = hosts.into_iter().collect();
        let mut ids: BTreeMap<(EvidenceId, u64), usize> = BTreeMap::new();
        let mut records: Vec<BTreeSet<&str>> = Vec::new();
        let mut rules: Vec<&RuleFacts> = Vec::new();
        let mut known_rules: HashMap<*const RuleFacts, usize> = HashMap::new();
        let mut list = Vec::with_capacity(order.len());
        for index in order {
            let finding = &findings[index];
            let steps = steps(finding);
            let record = *ids.entry((finding.evidence, finding.position.offset)).or_insert_with(|| {
                records.push(BTreeSet::new());
                records.len() - 1
            });
            records[record].extend(steps.iter().copied());
            let host = hosts.binary_search(&finding.host).unwrap_or_default();
            let names = Names::read(finding, &steps, host, books);
            let rule = *known_rules.entry(Arc::as_ptr(&finding.rule)).or_insert_with(|| {
                rules.push(&finding.rule);
                rules.len() - 1
            });
            list.push(Trace { index, finding, host, steps, record, rule, names });
        }
        let mut traces = Self { findings, list, hosts, records, rules };
        traces.resolve();
        traces
    }

    /// Settles what one finding alone cannot say: where a compiled page lies,
    /// and whether a query's name is a shell's parameter.
    fn resolve(&mut self) {
        let mut pages: BTreeMap<(usize, String), String> = BTreeMap::new();
        let mut parameters: BTreeSet<(usize, String)> = BTreeSet::new();
        for trace in &self.list {
            trace.names.pages().for_each(|(compiled, page)| {
                pages.entry((trace.host, compiled)).or_insert(page);
            });
            trace.names.written_parameters().for_each(|name| {
                parameters.insert((trace.host, name.to_owned()));
            });
        }
        for trace in &mut self.list {
            trace.names.resolve(trace.host, &pages, &parameters);
        }
    }

    /// Whether the record of `trace` shows all of `steps`.
    pub fn record_shows(&self, trace: &Trace<'_>, steps: &[String]) -> bool {
        let shown = &self.records[trace.record];
        steps.iter().all(|step| shown.contains(step.as_str()))
    }

    /// Whether any rule says which step the record of `trace` shows.
    pub fn record_has_step(&self, trace: &Trace<'_>) -> bool {
        !self.records[trace.record].is_empty()
    }
}

impl Trace<'_> {
    pub fn time(&self) -> Option<Timestamp> {
        self.finding.time
    }

    pub fn shows(&self, step: &str) -> bool {
        self.steps.contains(&step)
    }

    pub fn shows_any(&self, steps: &[String]) -> bool {
        steps.iter().any(|step| self.shows(step))
    }

    /// Findings that may belong to an intrusion.
    pub fn is_notable(&self) -> bool {
        self.finding.rule.level >= Level::Medium || !self.steps.is_empty()
    }

    pub fn keys(&self) -> &[Key] {
        &self.names.keys
    }

    /// The kinds of names by which it can be told from another finding.
    pub fn kinds(&self) -> Kinds {
        self.names.kinds()
    }

    /// Names the record, so that several findings of one record count once.
    pub fn record_id(&self) -> usize {
        self.record
    }
}

/// Whether a finding can answer anything: by its step, or by its level and
/// techniques. The many others only follow the findings of their record.
pub fn answers(finding: &Finding) -> bool {
    let rule = &finding.rule;
    rule.level >= Level::High
        || rule.tags.iter().any(|tag| tag.starts_with(STEP_TAG))
        || rule.techniques.iter().any(|technique| technique == "T1505.003")
}

fn steps(finding: &Finding) -> Vec<&str> {
    let mut steps: Vec<&str> =
        finding.rule.tags.iter().filter_map(|tag| tag.strip_prefix(STEP_TAG)).collect();
    steps.sort_unstable();
    steps.dedup();
    steps
}
