//! `rules.json`: every rule that was loaded, what it looked at, and the text of those that fired.

use super::{Hex, write_pretty};
use model::{Case, RuleFacts, RuleUse};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

#[derive(serde::Serialize)]
struct RulesShape<'a> {
    schema: &'static str,
    sha256: Hex<'a>,
    rules: Vec<RuleShape<'a>>,
    /// What findings say of rules that are in no file (comparisons with known-good files).
    other_rules: Vec<OtherShape<'a>>,
}

#[derive(serde::Serialize)]
struct OtherShape<'a> {
    id: &'a str,
    title: &'a str,
    level: &'static str,
    tags: &'a [String],
    techniques: &'a [String],
}

#[derive(serde::Serialize)]
struct RuleShape<'a> {
    id: &'a str,
    title: &'a str,
    level: &'static str,
    tags: &'a [String],
    techniques: &'a [String],
    file: &'a str,
    looks_at: &'a str,
    met: Vec<Option<&'a str>>,
    findings: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

pub(crate) fn write_rules_json(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let shape = RulesShape {
        schema: "assay-rules/1",
        sha256: Hex(&case.looked_for.rules_sha256),
        rules: case.looked_for.rules.iter().map(rule_shape).collect(),
        other_rules: other_rules(case),
    };
    write_pretty(&shape, out)
}

/// Rules of findings that are not among the loaded ones, by id and title. Those without tags, such as the one of
/// each indicator, say no more than their findings do.
fn other_rules(case: &Case) -> Vec<OtherShape<'_>> {
    let loaded: BTreeSet<(&str, &str)> = case.looked_for.rules.iter().map(|rule| name(&rule.facts)).collect();
    let rules = case.findings.iter().map(|finding| &*finding.rule);
    let others: BTreeMap<(&str, &str), &RuleFacts> = rules
        .filter(|facts| !facts.tags.is_empty() && !loaded.contains(&name(facts)))
        .map(|facts| (name(facts), facts))
        .collect();
    others.into_values().map(other_shape).collect()
}

fn name(facts: &RuleFacts) -> (&str, &str) {
    (&facts.id, &facts.title)
}

fn other_shape(facts: &RuleFacts) -> OtherShape<'_> {
    OtherShape {
        id: &facts.id,
        title: &facts.title,
        level: facts.level.as_str(),
        tags: &facts.tags,
        techniques: &facts.techniques,
    }
}

fn rule_shape(rule: &RuleUse) -> RuleShape<'_> {
    RuleShape {
        id: &rule.facts.id,
        title: &rule.facts.title,
        level: rule.facts.level.as_str(),
        tags: &rule.facts.tags,
        techniques: &rule.facts.techniques,
        file: &rule.file,
        looks_at: &rule.looks_at,
        met: rule.met.iter().map(Option::as_deref).collect(),
        findings: rule.findings,
        text: rule.text.as_deref(),
    }
}
