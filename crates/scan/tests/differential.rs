//! The compiled matcher and the naive one agree on real logs, with all of
//! SigmaHQ's rules, and `rsigma-eval` differs from them only where
//! `evaluation/third-opinion.tsv` says so. The whole of the JSON recordings is
//! `cargo xtask differential`; here a seeded 5 % of them.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; its harness swallows `eprintln!`"
)]

#[path = "../examples/differential/expected.rs"]
mod expected;
#[path = "../examples/differential/rsigma.rs"]
mod rsigma;

use expected::Expected;
use scan::differential::{Comparison, compare};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Lines of the list; lower it when the list shrinks.
const DISAGREEMENTS_MAX: usize = 2;

fn shared_data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "../shared/data is missing in CI");
    // Not `eprintln!`: the test harness would swallow it.
    writeln!(std::io::stderr(), "skipped: ../shared/data is missing").unwrap();
    None
}

fn read_rules(path: &Path, texts: &mut Vec<(String, String)>) {
    if path.is_dir() {
        let mut below: Vec<PathBuf> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        below.sort();
        below.iter().for_each(|path| read_rules(path, texts));
    } else if path.extension().is_some_and(|ending| ending == "yml") {
        texts.push((path.display().to_string(), fs::read_to_string(path).unwrap()));
    }
}

fn compared(data: &Path, evidence: &str, percent: u64) -> Comparison {
    let mut texts = Vec::new();
    for folder in ["rules", "rules-emerging-threats", "rules-threat-hunting"] {
        read_rules(&data.join("sigma-rules").join(folder), &mut texts);
    }
    read_rules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules"), &mut texts);
    let given = texts.iter().map(|(file, text)| sigma::RuleText { file, text });
    let engine = sigma::Engine::new(sigma::load(given, &sigma::LoadOptions::default()).rules);
    assert!(engine.rules().len() > 3_500, "{} rules", engine.rules().len());
    let opinion = rsigma::Rsigma::new(&engine, &texts);
    // Of each rule there is an opinion.
    assert_eq!(opinion.rules(), engine.rules().len());
    let limits = evidence::Limits::default();
    let opened = evidence::open(&[data.join(evidence)], &limits);
    let compared = compare(&opened.sources, &limits, (&engine, &opinion), percent, 2021);
    assert!(
        compared.differences.is_empty(),
        "{:#?}",
        &compared.differences[..compared.differences.len().min(20)]
    );
    assert_eq!(list().check(evidence, &compared, percent == 100), [""; 0]);
    compared
}

fn workspace(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)).unwrap()
}

fn list() -> Expected {
    Expected::read(&workspace("evaluation/third-opinion.tsv"))
}

#[test]
fn the_list_of_disagreements_says_why_and_does_not_grow() {
    let list = list();
    assert_eq!(list.reasons_missing(&workspace("docs/sigma.md")), [""; 0]);
    assert!(list.len() <= DISAGREEMENTS_MAX, "{} lines; the list may only shrink", list.len());
    // A list that is read and written again is the same.
    assert_eq!(list.write(), workspace("evaluation/third-opinion.tsv"));
}

#[test]
fn agree_on_every_event_log() {
    let Some(data) = shared_data() else { return };
    let mut matches = 0;
    for (evidence, records) in
        [("evtx-attack-samples", 8_000), ("evtx-parser-samples", 13_000), ("sigma-regression", 150)]
    {
        let compared = compared(&data, evidence, 100);
        assert!(compared.compared > records, "{evidence}: {} compared", compared.compared);
        matches += compared.matches;
    }
    assert!(matches > 2_000, "{matches} matches");
}

#[test]
fn agree_on_five_percent_of_the_recordings() {
    let Some(data) = shared_data() else { return };
    let compared = compared(&data, "otrf-security-datasets", 5);
    assert!(compared.records > 400_000, "{} records", compared.records);
    assert!(compared.compared > 20_000, "{} compared", compared.compared);
}
