//! What the rules say of each ATT&CK technique that some rule names: seen, to
//! be seen, or not.
//!
//! A finding of level informational is context: it alone does not make a
//! technique seen.

use crate::tactics;
use model::{Case, HostName, Level, RuleFacts, TechniqueCoverage};
use std::collections::{BTreeMap, BTreeSet};

/// One for each technique that a rule of the case names, by id.
pub fn techniques(case: &Case) -> Vec<TechniqueCoverage> {
    let mut known: BTreeMap<&str, Known<'_>> = BTreeMap::new();
    let mut loaded: BTreeSet<&str> = BTreeSet::new();
    for rule in &case.looked_for.rules {
        loaded.insert(&rule.facts.id);
        for technique in &rule.facts.techniques {
            let own = known.entry(technique).or_default();
            own.add_rule(technique, &rule.facts);
            own.rules[usize::from(rule.met.is_empty())].insert(&rule.facts.id);
            own.met_on.extend(rule.met.iter().flatten());
        }
    }
    for finding in &case.findings {
        for technique in &finding.rule.techniques {
            let own = known.entry(technique).or_default();
            // Comparing files with a list is a rule, too, but none that was loaded.
            if !loaded.contains(finding.rule.id.as_str()) && own.rules[0].insert(&finding.rule.id) {
                own.add_rule(technique, &finding.rule);
            }
            own.met_on.extend(&finding.host);
            if finding.rule.level > Level::Informational {
                own.findings += 1;
                own.seen_on.extend(&finding.host);
            }
        }
    }
    known.into_iter().map(|(technique, known)| known.coverage(technique)).collect()
}

#[derive(Default)]
struct Known<'a> {
    tactics: BTreeSet<&'a str>,
    findings: u64,
    seen_on: BTreeSet<&'a HostName>,
    met_on: BTreeSet<&'a HostName>,
    /// Ids of rules: those that met their log source, and those that did not.
    rules: [BTreeSet<&'a str>; 2],
}

impl<'a> Known<'a> {
    fn add_rule(&mut self, technique: &str, rule: &'a RuleFacts) {
        self.tactics.extend(tactics::meant(rule, technique));
    }

    fn coverage(self, technique: &str) -> TechniqueCoverage {
        let names = |hosts: BTreeSet<&HostName>| hosts.into_iter().cloned().collect();
        let [met, not_met] = self.rules.map(|rules| rules.len() as u64);
        TechniqueCoverage {
            id: technique.to_owned(),
            name: tactics::name(technique).to_owned(),
            tactics: self.tactics.into_iter().map(str::to_owned).collect(),
            findings: self.findings,
            seen_on: names(self.seen_on),
            rules_met: met,
            rules_not_met: not_met,
            met_on: names(self.met_on),
        }
    }
}
