//! `rules.json`: every rule that was loaded, what it looked at, and the text of those that fired.

use super::{Hex, write_pretty};
use model::{Case, RuleUse};
use std::io::{self, Write};

#[derive(serde::Serialize)]
struct RulesShape<'a> {
    schema: &'static str,
    sha256: Hex<'a>,
    rules: Vec<RuleShape<'a>>,
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
        sha256: Hex(&case.rules_sha256),
        rules: case.rules.iter().map(rule_shape).collect(),
    };
    write_pretty(&shape, out)
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
