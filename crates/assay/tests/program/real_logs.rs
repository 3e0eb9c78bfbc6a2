//! Real logs: read to the last line, and quiet where nothing happened.

use crate::{json, json_lines, scan, shared_data};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

#[test]
fn clean_exchange_logs_are_quiet() {
    let Some(data) = shared_data() else { return };
    let formats = data.join("exchange-log-formats");
    let folders = [formats.join("samples"), formats.join("samples-2013"), formats.join("iis")];
    for folder in &folders {
        let scratch = tempfile::tempdir().unwrap();
        let (ran, out) = scan(&[folder], scratch.path(), &[]);
        let loud: Vec<Value> = json_lines(&out.join("findings.jsonl"))
            .into_iter()
            .filter(|finding| matches!(finding["level"].as_str(), Some("high" | "critical")))
            .collect();
        assert!(loud.is_empty(), "{}: {loud:#?}\n{}", folder.display(), ran.stderr);
        let answers = json(&out.join("answers.json"));
        for answer in answers.as_array().unwrap().iter().filter(|answer| answer["answer"] == "yes") {
            let question = answer["question_id"].as_str().unwrap();
            assert!(matches!(question, "vulnerable" | "probed"), "{}: {answer:#}", folder.display());
        }
    }
}

#[test]
fn the_2013_build_is_vulnerable() {
    let Some(data) = shared_data() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let (_, out) = scan(&[&data.join("exchange-log-formats/samples-2013")], scratch.path(), &[]);
    let answers = json(&out.join("answers.json"));
    let vulnerable =
        answers.as_array().unwrap().iter().filter(|answer| answer["question_id"] == "vulnerable");
    assert!(vulnerable.into_iter().any(|answer| answer["answer"] == "yes"), "{answers:#}");
}

#[test]
fn no_attack_sample_is_lost() {
    let Some(data) = shared_data() else { return };
    let samples = data.join("evtx-attack-samples");
    let scratch = tempfile::tempdir().unwrap();
    let rules = data.join("sigma-rules/rules");
    let (_, out) = scan(&[&samples], scratch.path(), &["--rules", rules.to_str().unwrap()]);

    let coverage = json(&out.join("coverage.json"));
    let read: BTreeMap<&str, u64> = coverage["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["evidence"].as_str().unwrap(), item["records"].as_u64().unwrap()))
        .collect();
    let case = json(&out.join("case.json"));
    let mut leading: BTreeMap<&str, &str> = BTreeMap::new();
    for item in case["evidence"].as_array().unwrap() {
        let paths: Vec<&str> =
            item["paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
        leading.extend(paths.iter().map(|path| (*path, paths[0])));
    }
    let inventory = fs::read_to_string(samples.join("inventory.jsonl")).unwrap();
    let mut files = 0;
    for line in inventory.lines() {
        let expected: Value = serde_json::from_str(line).unwrap();
        let path = samples.join(expected["path"].as_str().unwrap());
        let path = leading[path.to_str().unwrap()];
        assert_eq!(read[path], expected["records"].as_u64().unwrap(), "{path}");
        files += 1;
    }
    assert!(files >= 276, "{files} files in the inventory");
}
