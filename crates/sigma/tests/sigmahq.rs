//! All SigmaHQ rules load; the engine and the naive matcher agree on real records.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code")]

mod evidence;

use sigma::{Engine, naive};
use std::collections::{BTreeMap, BTreeSet};

/// Files that do not load without values for their placeholders.
const WITHOUT_VALUES: &[&str] = &[
    "rules-emerging-threats/2026/Exploits/CVE-2026-54121/win_security_adcs_certighost_cdc_chase_request.yml",
    "rules-emerging-threats/2026/Exploits/CVE-2026-54121/win_security_adcs_certighost_cert_issued_via_chase.yml",
];

#[test]
fn all_load() {
    let Some(data) = evidence::data() else { return };
    let loaded = evidence::sigmahq(&data);
    let faults: Vec<_> = loaded.diagnostics.iter().map(|fault| (fault.id, fault.file.as_str())).collect();
    let expected: Vec<_> = WITHOUT_VALUES.iter().map(|file| ("placeholder-unresolved", *file)).collect();
    assert_eq!(faults, expected);
    assert!(loaded.rules.len() > 3_700);
}

/// Every record of the attack samples, under every rule: the engine finds what
/// the naive matcher finds.
#[test]
fn engine_is_naive_on_attack_samples() {
    let Some(data) = evidence::data() else { return };
    let engine = Engine::new(evidence::sigmahq(&data).rules);
    let mut paths = Vec::new();
    evidence::files(&data.join("evtx-attack-samples"), "evtx", &mut paths);
    let folder = data.join("evtx-attack-samples");
    let mut worker = engine.worker();
    let (mut records, mut matches) = (0u64, 0u64);
    let mut own: BTreeSet<(String, String, u64)> = BTreeSet::new();
    for path in &paths {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        evidence::records(path, &mut |record| {
            let mut fast = Vec::new();
            worker.find_with_slots(record, &mut |rule, slots| {
                let own = naive::matched_slots(&engine.rules()[rule], record);
                assert!(own.iter().copied().eq(slots.iter().map(|slot| *slot as usize)), "{name}");
                fast.push(rule);
            });
            let slow: Vec<usize> = (0..engine.rules().len())
                .filter(|rule| naive::matches(&engine.rules()[*rule], record))
                .collect();
            let ids = |rules: &[usize]| -> Vec<String> {
                rules.iter().map(|rule| engine.rules()[*rule].file.clone()).collect()
            };
            assert_eq!(ids(&fast), ids(&slow), "{name} {:?}", record.position);
            for rule in fast {
                own.insert((name.clone(), engine.rules()[rule].id.clone(), record.position.record.unwrap()));
            }
            records += 1;
            matches += slow.len() as u64;
        });
    }
    eprintln!("{records} records, {matches} matches");
    assert!(records > 8_000 && matches > 1_000);
    second_opinion(&folder, &own);
}

/// What another evaluator found on the same records.
fn second_opinion(folder: &std::path::Path, own: &BTreeSet<(String, String, u64)>) {
    let text = std::fs::read_to_string(folder.join("sigma-matches.jsonl")).unwrap();
    let mut theirs = BTreeSet::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        for record in line["record_ids"].as_array().unwrap() {
            let word = |key: &str| line[key].as_str().unwrap().to_owned();
            theirs.insert((word("evtx"), word("rule_id"), record.as_u64().unwrap()));
        }
    }
    let by_rule = |set: &BTreeSet<(String, String, u64)>, other: &BTreeSet<(String, String, u64)>| {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for (_, rule, _) in set.difference(other) {
            *count.entry(rule.clone()).or_default() += 1;
        }
        count
    };
    // `registry_delete` is DeleteKey and DeleteValue; the other evaluator takes any event 12.
    let only_theirs = [("3a9b8c1e-5b2e-4f7a-9d1c-2a7f3b6e1c55", 24)];
    // Sysmon 8 with an empty StartModule: null, and no filter of these rules holds.
    let only_ours = [
        ("2e4e488a-6164-4811-9ea1-f960c7359c40", 1),
        ("a1a144b7-5c9b-4853-a559-2172be8d4a03", 42),
        ("eeb2e3dc-c1f4-40dd-9bd5-149ee465ad50", 42),
    ];
    let listed = |list: &[(&str, usize)]| list.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect();
    let (theirs_by_rule, ours_by_rule): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (listed(&only_theirs), listed(&only_ours));
    assert_eq!(by_rule(&theirs, own), theirs_by_rule);
    assert_eq!(by_rule(own, &theirs), ours_by_rule);
}
