//! Every scenario of `range`: the right answer to each question, first and
//! last time to the second.

use crate::{json, scan};
use std::collections::BTreeMap;
use std::fs;

/// Seeds other than the example's, so that nothing hangs on one roll of the dice.
const SEEDS: &[u64] = &[1, 7];

#[test]
fn every_scenario_is_answered_right() {
    let mut wrong = Vec::new();
    for name in range::names() {
        for seed in SEEDS {
            let scenario = range::scenario(name, *seed).unwrap();
            wrong.extend(check(&scenario).into_iter().map(|line| format!("{name}, seed {seed}: {line}")));
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn check(scenario: &range::Scenario) -> Vec<String> {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    for (path, bytes) in &scenario.files {
        let path = evidence.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let (ran, out) = scan(&[&evidence], scratch.path(), &[]);
    assert!(matches!(ran.exit, assay::Exit::Done | assay::Exit::Losses), "{}", ran.stderr);
    let answers = json(&out.join("answers.json"));
    let given: BTreeMap<(String, String, String), (String, String, String)> = answers
        .as_array()
        .unwrap()
        .iter()
        .filter(|answer| answer["intrusion"].is_null())
        .map(|answer| {
            let text = |key: &str| answer[key].as_str().unwrap_or("-").to_owned();
            (
                (text("host"), text("casebook"), text("question_id")),
                (text("answer"), second(&text("first")), second(&text("last"))),
            )
        })
        .collect();
    let mut wrong = Vec::new();
    for truth in &scenario.truth.answers {
        let key = (truth.host.clone(), truth.casebook.to_owned(), truth.question_id.clone());
        let time = |time: &Option<String>| time.as_deref().map_or("-".to_owned(), second);
        let wanted = (truth.answer.as_str().to_owned(), time(&truth.first), time(&truth.last));
        let shown = |(answer, first, last): &(String, String, String)| format!("{answer} {first} … {last}");
        match given.get(&key) {
            None => wrong.push(format!("{} {} {}: no answer; wanted {}", key.0, key.1, key.2, shown(&wanted))),
            Some(got) if *got != wanted => {
                wrong.push(format!("{} {} {}: {}; wanted {}", key.0, key.1, key.2, shown(got), shown(&wanted)));
            }
            Some(_) => {}
        }
    }
    wrong
}

/// An RFC 3339 time, cut to the second.
fn second(time: &str) -> String {
    time.get(..19).unwrap_or(time).to_owned()
}
