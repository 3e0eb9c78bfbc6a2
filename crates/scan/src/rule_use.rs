//! What became of each rule: what it looked at, and on which hosts.

use model::{Coverage, Finding, HostName, LogFamily, LogKey, RuleUse};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What YARA rules look at.
pub const CONTENT_OF_FILES: &str = "content of files";

type Hosts = BTreeSet<Option<HostName>>;

/// On which hosts what was read.
#[derive(Default)]
pub struct Met {
    /// By kind of record, as the engine numbers them.
    pub sources: BTreeMap<usize, Hosts>,
    /// Files whose content YARA rules have seen.
    pub contents: Hosts,
    /// The families of logs that were read.
    pub families: BTreeMap<(Option<HostName>, LogKey), LogFamily>,
}

impl Met {
    /// Notes what was read of an item: of its own hosts, else of the one it lies among.
    pub fn note(
        &mut self,
        sources: &BTreeSet<usize>,
        is_looked_at: bool,
        own: &[HostName],
        elsewhere: Option<&HostName>,
    ) {
        let hosts: Hosts = match own {
            [] => [elsewhere.cloned()].into(),
            own => own.iter().cloned().map(Some).collect(),
        };
        for source in sources {
            self.sources.entry(*source).or_default().extend(hosts.iter().cloned());
        }
        if is_looked_at {
            self.contents.extend(hosts);
        }
    }
}

/// Says of each log how many rules look at it.
pub fn count_rules(engine: &sigma::Engine, coverage: &mut Coverage, met: &Met) {
    // Many hosts have the same logs.
    let mut known: BTreeMap<(LogFamily, &str), u64> = BTreeMap::new();
    for (name, family) in &met.families {
        let log = name.1.log.as_str();
        let count = *known.entry((*family, log)).or_insert_with(|| engine.rules_looking_at(*family, log));
        if let Some(log) = coverage.logs.get_mut(name) {
            log.rules = Some(count);
        }
    }
}

/// All rules, by id and file. Texts are the caller's to add.
pub fn all(
    engine: &sigma::Engine,
    correlations: &[sigma::Correlation],
    yara: &yara::RuleSet,
    met: Met,
    findings: &[Finding],
) -> Vec<RuleUse> {
    let mut hosts_of_rule: Vec<Hosts> = vec![Hosts::new(); engine.rules().len()];
    for (source, hosts) in met.sources {
        for rule in engine.rules_of_source(source) {
            hosts_of_rule[rule].extend(hosts.iter().cloned());
        }
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    findings.iter().for_each(|finding| *counts.entry(&finding.rule.id).or_default() += 1);
    let findings = |id: &str| counts.get(id).copied().unwrap_or_default();
    let correlated: Vec<RuleUse> = correlations
        .iter()
        .zip(met_by_correlation(correlations, &hosts_of_rule))
        .map(|(correlation, met)| RuleUse {
            findings: findings(&correlation.id),
            facts: Arc::new(crate::correlate::facts(correlation)),
            file: correlation.file.clone(),
            looks_at: crate::correlate::looks_at(correlation),
            met: met.into_iter().collect(),
            text: None,
        })
        .collect();
    let sigma = engine.rules().iter().zip(hosts_of_rule).map(|(rule, met)| RuleUse {
        findings: findings(&rule.id),
        facts: Arc::new(crate::gather::facts(rule)),
        file: rule.file.clone(),
        looks_at: rule.logsource.to_string(),
        met: met.into_iter().collect(),
        text: None,
    });
    let yara = yara.rules().into_iter().map(|rule| RuleUse {
        findings: findings(&rule.facts.id),
        facts: Arc::clone(rule.facts),
        file: rule.file.to_owned(),
        looks_at: CONTENT_OF_FILES.to_owned(),
        met: met.contents.iter().cloned().collect(),
        text: None,
    });
    let mut all: Vec<RuleUse> = sigma.chain(correlated).chain(yara).collect();
    all.sort_by(|a, b| (&a.facts.id, &a.file).cmp(&(&b.facts.id, &b.file)));
    all
}

/// The hosts on which a correlation could have held: rules to be seen together must all meet their
/// log source (the hosts of any then, as it may span hosts); of those to be counted one is enough.
fn met_by_correlation(correlations: &[sigma::Correlation], of_rule: &[Hosts]) -> Vec<Hosts> {
    let mut met: Vec<Hosts> = Vec::with_capacity(correlations.len());
    for correlation in correlations {
        let of_input = |input: &sigma::Input| match input.source {
            sigma::InputSource::Rule(index) => of_rule.get(index).cloned().unwrap_or_default(),
            sigma::InputSource::Correlation(index) => met.get(index).cloned().unwrap_or_default(),
        };
        let inputs: Vec<Hosts> = correlation.inputs.iter().map(of_input).collect();
        let is_met = !correlation.is_temporal() || inputs.iter().all(|hosts| !hosts.is_empty());
        met.push(if is_met { inputs.into_iter().flatten().collect() } else { Hosts::new() });
    }
    met
}
