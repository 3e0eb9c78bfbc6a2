//! The list of expected disagreements with the third opinion, checked line by line.
//!
//! `evaluation/third-opinion.tsv`: evidence, rule, records on which only assay
//! matches, records on which only the other does, and the reason: the name of
//! a row of the table in `docs/sigma.md` that says what decides.

use scan::differential::{Comparison, Disagreement};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What a line of which nobody has said why gets for a reason.
const UNEXPLAINED: &str = "unexplained";

/// The list.
pub struct Expected {
    lines: BTreeMap<(String, String), (Disagreement, String)>,
}

impl Expected {
    /// Reads the list; lines that cannot be read are complaints of [`Expected::reasons_missing`].
    pub fn read(text: &str) -> Self {
        let mut lines = BTreeMap::new();
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let number = |at: usize| cells.get(at).and_then(|cell| cell.parse().ok()).unwrap_or_default();
            let cell = |at: usize| cells.get(at).copied().unwrap_or(UNEXPLAINED).to_owned();
            let own = Disagreement { only_ours: number(2), only_theirs: number(3) };
            lines.insert((cell(0), cell(1)), (own, cell(4)));
        }
        Self { lines }
    }

    /// How many lines it has.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Reasons that `docs` (of Sigma) has no row for.
    pub fn reasons_missing(&self, docs: &str) -> Vec<String> {
        let reasons: BTreeSet<&str> = self.lines.values().map(|(_, reason)| reason.as_str()).collect();
        let missing = |reason: &&str| *reason == UNEXPLAINED || !docs.contains(&format!("\n| `{reason}` | "));
        reasons.into_iter().filter(missing).map(str::to_owned).collect()
    }

    /// What is not as listed. Of a sample no more may differ than listed; of the whole, exactly that.
    pub fn check(&self, evidence: &str, compared: &Comparison, is_whole: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        let none = Disagreement::default();
        let listed =
            |rule: &str| self.lines.get(&(evidence.to_owned(), rule.to_owned())).map_or(none, |line| line.0);
        for (rule, own) in &compared.disagreements {
            let listed = listed(rule);
            if own.only_ours > listed.only_ours || own.only_theirs > listed.only_theirs {
                wrong.push(format!("{evidence}: {rule}: {own:?}, listed {listed:?}"));
            }
        }
        for ((_, rule), (listed, _)) in self.lines.iter().filter(|(key, _)| is_whole && key.0 == evidence) {
            let own = compared.disagreements.get(rule).copied().unwrap_or_default();
            if own.only_ours < listed.only_ours || own.only_theirs < listed.only_theirs {
                wrong
                    .push(format!("{evidence}: {rule}: {own:?} only, the list is to shrink from {listed:?}"));
            }
        }
        wrong
    }

    /// Takes over what a run found; reasons that are known stay.
    #[allow(dead_code, reason = "the tests do not write the list")]
    pub fn update(&mut self, evidence: &str, compared: &Comparison) {
        let mut reasons: BTreeMap<String, String> = BTreeMap::new();
        self.lines.retain(|(own, rule), (_, reason)| {
            reasons.insert(rule.clone(), reason.clone());
            own != evidence
        });
        for (rule, own) in &compared.disagreements {
            let reason = reasons.get(rule).cloned().unwrap_or_else(|| UNEXPLAINED.to_owned());
            self.lines.insert((evidence.to_owned(), rule.clone()), (*own, reason));
        }
    }

    /// The list as its file has it.
    pub fn write(&self) -> String {
        let mut out = String::from("evidence\trule\tonly assay\tonly rsigma-eval\treason\n");
        for ((evidence, rule), (own, reason)) in &self.lines {
            let _ = writeln!(out, "{evidence}\t{rule}\t{}\t{}\t{reason}", own.only_ours, own.only_theirs);
        }
        out
    }
}
