//! What the rules say of ATT&CK.

use super::sketch::Sketch;
use model::{HostName, Level, RuleFacts, RuleUse, TechniqueCoverage};
use std::sync::Arc;

fn rule(id: &str, techniques: &[&str], tactics: &[&str], met: &[&str]) -> RuleUse {
    let facts = RuleFacts {
        id: id.to_owned(),
        title: id.to_owned(),
        level: Level::High,
        tags: tactics.iter().map(|tactic| format!("attack.{tactic}")).collect(),
        techniques: techniques.iter().map(|technique| (*technique).to_owned()).collect(),
    };
    RuleUse {
        facts: Arc::new(facts),
        file: String::new(),
        looks_at: String::new(),
        met: met.iter().map(|host| Some(HostName::from(*host))).collect(),
        findings: 0,
        text: None,
    }
}

fn techniques(rules: Vec<RuleUse>, findings: &[&str]) -> Vec<TechniqueCoverage> {
    let mut sketch = Sketch::full().findings(findings);
    sketch.case.looked_for.rules = rules;
    sketch.assess().techniques
}

#[test]
fn a_technique_is_seen_to_be_seen_or_out_of_sight() {
    let rules = vec![
        rule("a", &["T1078", "T1059"], &["persistence"], &["DC01", "MXS01"]),
        rule("b", &["T1078"], &["initial-access"], &[]),
        rule("c", &["T1558.003"], &[], &[]),
    ];
    let found = techniques(rules, &["04T11:20:05 - rule.technique=T1078 | x=y"]);
    let told: Vec<_> = found
        .iter()
        .map(|one| (one.id.as_str(), one.tactics.join(" "), one.findings, one.rules_met, one.rules_not_met))
        .collect();
    assert_eq!(
        told,
        [
            ("T1059", "execution".to_owned(), 0, 1, 0),
            // The finding's own rule was not among those that were loaded, and names no tactic.
            ("T1078", "defense-evasion initial-access persistence privilege-escalation".to_owned(), 1, 2, 1),
            ("T1558.003", "credential-access".to_owned(), 0, 0, 1),
        ]
    );
    assert_eq!(found[1].name, "Valid Accounts");
    assert_eq!((&*found[1].seen_on[0], found[1].met_on.len()), ("MXS01", 2));
}

#[test]
fn an_informational_finding_alone_shows_nothing() {
    let line = "04T11:20:05 - rule.level=informational | rule.technique=T1078 | x=y";
    let found = techniques(Vec::new(), &[line]);
    assert_eq!((found[0].findings, found[0].rules_met, found[0].seen_on.len()), (0, 1, 0));
}
