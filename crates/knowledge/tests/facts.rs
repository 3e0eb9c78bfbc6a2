//! The built-in table against facts that were extracted from the same bundle by another program.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn relations_and_dates_are_those_of_the_extracted_facts() {
    let facts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/attack/facts.jsonl");
    if !facts.is_file() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "../shared/data is missing in CI");
        eprintln!("skipped: ../shared/data is missing");
        return;
    }
    let attack = knowledge::attack();
    let mut wanted = BTreeSet::new();
    for line in std::fs::read_to_string(facts).unwrap().lines() {
        let fact: Value = serde_json::from_str(line).unwrap();
        if fact["type"] == "uses" {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let dates: BTreeSet<String> = fact["citations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|cited| match &cited["year"] {
                    Value::Number(year) if cited["date"].is_null() => year.to_string(),
                    _ => text(&cited["date"]),
                })
                .collect();
            wanted.insert((text(&fact["source"]), text(&fact["target"]), dates));
        }
    }
    let entries = attack.groups.iter().chain(&attack.campaigns).chain(&attack.software);
    let ours: BTreeSet<_> = entries
        .flat_map(|(id, entry)| entry.uses.iter().map(move |used| (id, used)))
        .map(|(id, used)| {
            let reports = used.reports.iter().filter_map(|report| attack.report(*report));
            let dates = reports.map(|report| report.date.map(|date| date.to_string()).unwrap_or_default());
            (id.clone(), used.target.clone(), dates.collect())
        })
        .collect();
    assert_eq!(ours.len(), 17_270);
    assert_eq!(ours.symmetric_difference(&wanted).collect::<Vec<_>>(), Vec::<&_>::new());
}
