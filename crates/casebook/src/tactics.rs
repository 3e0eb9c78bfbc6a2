//! Which ATT&CK tactics a technique serves, by a table of one version.
//!
//! The table (`casebook/attack-tactics.tsv`) is made from MITRE's bundle by
//! `cargo xtask attack-tactics` and holds ids only. Rules name tactics, too,
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

/// Technique to tactics, as the table has them.
static BY_TECHNIQUE: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let rows = lines.filter_map(|line| line.split_once('\t'));
    rows.map(|(technique, tactics)| (technique, tactics.split(' ').collect())).collect()
});

/// The tactics that the table has.
static TACTICS: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| BY_TECHNIQUE.values().flatten().copied().collect());

/// Whether the table has the tactic.
pub fn is_known(tactic: &str) -> bool {
    TACTICS.contains(tactic)
}

/// The tactics of a rule: those of its techniques, and of these the ones that
/// its tags name, where they name any. A rule without a technique that the
/// table knows has the tactics that it names itself.
pub fn of_rule(rule: &RuleFacts) -> Vec<&str> {
    let tags = rule.tags.iter().filter_map(|tag| tag.strip_prefix(TACTIC_TAG));
    let named: Vec<&str> = tags.filter(|tactic| is_known(tactic)).collect();
    let mut tactics: Vec<&str> = rule.techniques.iter().flat_map(|own| of_technique(own)).copied().collect();
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
    let of = |id: &str| BY_TECHNIQUE.get(id).map(Vec::as_slice);
    let parent = || of(technique.split_once('.')?.0);
    of(technique).or_else(parent).unwrap_or_default()
}
