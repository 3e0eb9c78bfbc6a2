//! Which ATT&CK tactics a technique serves, and its name, by a table of one version.
//!
//! The table (`casebook/attack-tactics.tsv`) is made from MITRE's bundle by
//! `cargo xtask attack-tactics` and holds ids and names only. Rules name tactics, too,
//! but of any version, and some that no version has: their tags stay as they
//! are written, and are asked only which of a technique's tactics is meant.
//!
//! # Not here
//! What a tactic answers: the casebook says so.

use model::RuleFacts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const TABLE: &str = include_str!("../../../casebook/attack-tactics.tsv");
const TACTIC_TAG: &str = "attack.";

/// A technique as the table has it.
struct Row {
    tactics: Vec<&'static str>,
    name: &'static str,
}

static BY_TECHNIQUE: LazyLock<BTreeMap<&str, Row>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let rows = lines.filter_map(|line| line.split_once('\t'));
    let row = |(technique, rest): (&'static str, &'static str)| {
        let (tactics, name) = rest.split_once('\t')?;
        Some((technique, Row { tactics: tactics.split(' ').collect(), name }))
    };
    rows.filter_map(row).collect()
});

/// The tactics that the table has.
static TACTICS: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| BY_TECHNIQUE.values().flat_map(|row| &row.tactics).copied().collect());

/// Whether the table has the tactic.
pub fn is_known(tactic: &str) -> bool {
    TACTICS.contains(tactic)
}

/// The tactics of a rule: those of its techniques, and of these the ones that
/// its tags name, where they name any. A rule without a technique that the
/// table knows has the tactics that it names itself.
pub fn of_rule(rule: &RuleFacts) -> Vec<&str> {
    let tactics = rule.techniques.iter().flat_map(|own| of_technique(own)).copied().collect();
    narrowed(tactics, rule)
}

/// The same of one of its techniques.
pub fn meant<'r>(rule: &'r RuleFacts, technique: &str) -> Vec<&'r str> {
    narrowed(of_technique(technique).to_vec(), rule)
}

/// The technique's name; empty where the table lacks it.
pub fn name(technique: &str) -> &'static str {
    BY_TECHNIQUE.get(technique).map_or("", |row| row.name)
}

fn narrowed<'r>(mut tactics: Vec<&'r str>, rule: &'r RuleFacts) -> Vec<&'r str> {
    let tags = rule.tags.iter().filter_map(|tag| tag.strip_prefix(TACTIC_TAG));
    let named: Vec<&str> = tags.filter(|tactic| is_known(tactic)).collect();
    if tactics.is_empty() {
        return named;
    }
    if tactics.iter().any(|tactic| named.contains(tactic)) {
        tactics.retain(|tactic| named.contains(tactic));
    }
    tactics.sort_unstable();
    tactics.dedup();
    tactics
}

/// A sub-technique that the table lacks serves what its technique serves.
fn of_technique(technique: &str) -> &'static [&'static str] {
    let of = |id: &str| BY_TECHNIQUE.get(id).map(|row| row.tactics.as_slice());
    let parent = || of(technique.split_once('.')?.0);
    of(technique).or_else(parent).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_of_the_version_that_exits_name() {
        assert!(TABLE.lines().any(|line| line == format!("# ATT&CK v{}", model::ATTACK_VERSION)));
        assert_eq!(name("T1505.003"), "Web Shell");
        assert_eq!(of_technique("T1505.003"), ["persistence"]);
        assert_eq!((name("T9999.001"), of_technique("T9999.001")), ("", &[][..]));
    }
}
