//! The techniques of a case in ATT&CK's order: columns of tactics, sub-techniques under their technique.

use model::{Case, Finding, Level, TechniqueCoverage};
use std::collections::BTreeMap;

/// The tactics of ATT&CK for enterprises in MITRE's order (ATT&CK v18.1, matrix): id and name.
const TACTICS: [(&str, &str); 14] = [
    ("reconnaissance", "Reconnaissance"),
    ("resource-development", "Resource development"),
    ("initial-access", "Initial access"),
    ("execution", "Execution"),
    ("persistence", "Persistence"),
    ("privilege-escalation", "Privilege escalation"),
    ("defense-evasion", "Defense evasion"),
    ("credential-access", "Credential access"),
    ("discovery", "Discovery"),
    ("lateral-movement", "Lateral movement"),
    ("collection", "Collection"),
    ("command-and-control", "Command and control"),
    ("exfiltration", "Exfiltration"),
    ("impact", "Impact"),
];

/// What the rules could see of a technique.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Sight {
    /// Something was found.
    Seen,
    /// Nothing was found, and a rule that names it read its log.
    CouldHave,
    /// No rule that names it met its log.
    CouldNot,
}

impl Sight {
    pub(crate) const ALL: [Sight; 3] = [Sight::Seen, Sight::CouldHave, Sight::CouldNot];

    pub(crate) const fn of(technique: &TechniqueCoverage) -> Self {
        match (technique.findings, technique.rules_met) {
            (1.., _) => Sight::Seen,
            (0, 1..) => Sight::CouldHave,
            (0, 0) => Sight::CouldNot,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Sight::Seen => "seen",
            Sight::CouldHave => "not seen, and could have been",
            Sight::CouldNot => "could not have been seen",
        }
    }
}

/// One tactic.
pub(crate) struct Column<'a> {
    pub(crate) tactic: &'static str,
    pub(crate) rows: Vec<Row<'a>>,
}

/// One technique and its sub-techniques.
pub(crate) struct Row<'a> {
    pub(crate) id: &'a str,
    /// `None`: rules name sub-techniques of it only.
    pub(crate) own: Option<&'a TechniqueCoverage>,
    pub(crate) parts: Vec<&'a TechniqueCoverage>,
}

/// The columns that hold something; techniques whose tactic nobody knows stand in the last.
pub(crate) fn columns(case: &Case) -> Vec<Column<'_>> {
    let known = |tactic: &String| TACTICS.iter().any(|(id, _)| id == tactic);
    let column = |tactic: &'static str, serves: &dyn Fn(&TechniqueCoverage) -> bool| {
        let mut rows: BTreeMap<&str, Row<'_>> = BTreeMap::new();
        for technique in case.techniques.iter().filter(|technique| serves(technique)) {
            let id = parent(&technique.id);
            let row = rows.entry(id).or_insert_with(|| Row { id, own: None, parts: Vec::new() });
            if id == technique.id { row.own = Some(technique) } else { row.parts.push(technique) }
        }
        Column { tactic, rows: rows.into_values().collect() }
    };
    let named = TACTICS
        .iter()
        .map(|(id, name)| column(name, &|technique| technique.tactics.iter().any(|own| own == id)));
    let other = column("No tactic known", &|technique| !technique.tactics.iter().any(known));
    named.chain([other]).filter(|column| !column.rows.is_empty()).collect()
}

/// The technique that a sub-technique belongs to; else itself.
fn parent(id: &str) -> &str {
    id.split_once('.').filter(|_| is_id(id)).map_or(id, |(parent, _)| parent)
}

/// `T1505` or `T1505.003`; the Navigator refuses a layer that holds anything else.
pub(crate) fn is_id(id: &str) -> bool {
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = id.strip_prefix('T') else { return false };
    match number.split_once('.') {
        Some((technique, part)) => digits(technique, 4) && digits(part, 3),
        None => digits(number, 4),
    }
}

/// Tactics in words, in ATT&CK's order.
pub(crate) fn tactic_names(technique: &TechniqueCoverage) -> String {
    let own = TACTICS.iter().filter(|(id, _)| technique.tactics.iter().any(|tactic| tactic == id));
    own.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

/// How many techniques are in each sight, in the order of [`Sight::ALL`].
pub(crate) fn counts(case: &Case) -> [u64; 3] {
    let mut counts = [0; 3];
    case.techniques.iter().for_each(|technique| counts[Sight::of(technique) as usize] += 1);
    counts
}

/// What findings say of a technique.
#[derive(Default)]
pub(crate) struct Findings<'a> {
    /// The gravest, then the earliest.
    pub(crate) first: Option<&'a Finding>,
    /// Those that alone show nothing.
    pub(crate) informational: u64,
}

/// The same for every technique.
pub(crate) fn findings(case: &Case) -> BTreeMap<&str, Findings<'_>> {
    let mut by_technique: BTreeMap<&str, Findings<'_>> = BTreeMap::new();
    for finding in &case.findings {
        for technique in &finding.rule.techniques {
            let own = by_technique.entry(technique).or_default();
            own.informational += u64::from(finding.rule.level == Level::Informational);
            if own.first.is_none_or(|first| first.rule.level < finding.rule.level) {
                own.first = Some(finding);
            }
        }
    }
    by_technique
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn columns_are_in_attacks_order() {
        let mut case = sample::case();
        case.techniques[0].tactics = vec!["of-our-own".to_owned()];
        let told: Vec<_> = columns(&case)
            .iter()
            .map(|column| {
                let rows = column.rows.iter().map(|row| (row.id, row.own.is_some(), row.parts.len()));
                (column.tactic, rows.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Initial access", vec![("T1190", true, 0)]),
                ("Execution", vec![("T1059", true, 0)]),
                ("Persistence", vec![("T1505", false, 1)]),
                ("Credential access", vec![("T1558", false, 1)]),
                ("No tactic known", vec![("T1021", true, 0)]),
            ]
        );
        assert_eq!(counts(&case), [3, 1, 1]);
    }

    #[test]
    fn the_gravest_finding_leads() {
        let case = sample::case();
        let found = findings(&case);
        assert_eq!(found["T1505.003"].first.map(|finding| finding.id), Some(case.findings[1].id));
        assert_eq!(found["T1505.003"].informational, 0);
    }

    #[test]
    fn what_is_no_technique_is_no_part_of_a_layer() {
        for (id, expect) in
            [("T1505", true), ("T1505.003", true), ("T15", false), ("T1505.", false), ("G0125", false)]
        {
            assert_eq!(is_id(id), expect, "{id}");
        }
    }
}
