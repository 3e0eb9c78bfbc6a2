//! The compiled matcher and the naive one agree on real logs, with all of
//! SigmaHQ's rules. The whole of the JSON recordings is `cargo xtask
//! differential`; here a seeded 5 % of them.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; its harness swallows `eprintln!`"
)]

use scan::differential::{Comparison, compare};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

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
    let limits = evidence::Limits::default();
    let opened = evidence::open(&[data.join(evidence)], &limits);
    compare(&opened.sources, &limits, &engine, percent, 2021)
}

#[test]
fn agree_on_every_attack_sample() {
    let Some(data) = shared_data() else { return };
    let compared = compared(&data, "evtx-attack-samples", 100);
    assert!(compared.compared > 8_000 && compared.matches > 1_000, "{compared:?}");
    assert!(
        compared.differences.is_empty(),
        "{:#?}",
        &compared.differences[..compared.differences.len().min(20)]
    );
}

#[test]
fn agree_on_five_percent_of_the_recordings() {
    let Some(data) = shared_data() else { return };
    let compared = compared(&data, "otrf-security-datasets", 5);
    assert!(compared.records > 400_000, "{} records", compared.records);
    assert!(compared.compared > 20_000, "{} compared", compared.compared);
    assert!(
        compared.differences.is_empty(),
        "{:#?}",
        &compared.differences[..compared.differences.len().min(20)]
    );
}
