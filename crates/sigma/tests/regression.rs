//! SigmaHQ's own regression set: each rule finds at least as many records in
//! its recording as SigmaHQ says.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code")]

mod evidence;

use sigma::Engine;
use std::collections::BTreeMap;

#[test]
fn rules_find_their_recordings() {
    let Some(data) = evidence::data() else { return };
    let folder = data.join("sigma-regression");
    let engine = Engine::new(evidence::sigmahq(&data).rules);
    let index: BTreeMap<&str, usize> =
        engine.rules().iter().enumerate().map(|(index, rule)| (rule.id.as_str(), index)).collect();
    let text = std::fs::read_to_string(folder.join("expected.jsonl")).unwrap();
    let mut worker = engine.worker();
    let (mut pairs, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let pair: serde_json::Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| pair[key].as_str().unwrap().to_owned();
        let wanted = index[word("rule_id").as_str()];
        let mut count = 0;
        evidence::records(&folder.join(word("evtx")), &mut |record| {
            worker.find_with_slots(record, &mut |rule, slots| {
                if rule == wanted {
                    count += 1;
                    // What a reader is shown of a match is never nothing.
                    assert!(!slots.is_empty(), "{}", word("rule_path"));
                }
            });
        });
        pairs += 1;
        if count < pair["min_matches"].as_u64().unwrap() {
            wrong.push(format!("{} found {count} of {}", word("rule_path"), pair["min_matches"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(pairs, 141);
    assert!(engine.met().iter().any(|met| *met));
}
