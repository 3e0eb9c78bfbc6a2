//! Same evidence, same bytes: on one thread and on two, in any order.

use crate::{scan, workspace};
use std::fs;
use std::path::Path;

const FILES: &[&str] = &[
    "case.json",
    "findings.jsonl",
    "coverage.json",
    "answers.json",
    "records.jsonl",
    "rules.json",
    "sessions.json",
    "timeline.csv",
    "report.html",
];

fn case_bytes(paths: &[&Path], threads: &str) -> Vec<Vec<u8>> {
    let scratch = tempfile::tempdir().unwrap();
    let (ran, out) = scan(paths, scratch.path(), &["--threads", threads]);
    assert_eq!(ran.exit, assay::Exit::Done, "{}", ran.stderr);
    FILES.iter().map(|file| fs::read(out.join(file)).unwrap()).collect()
}

#[test]
fn threads_and_order_do_not_show() {
    let example = workspace().join("examples/exchange-2021");
    let mut parts: Vec<_> = fs::read_dir(&example).unwrap().map(|entry| entry.unwrap().path()).collect();
    parts.sort();
    assert!(parts.len() > 1, "the example has two collections");
    let forward: Vec<&Path> = parts.iter().map(AsRef::as_ref).collect();
    let backward: Vec<&Path> = forward.iter().rev().copied().collect();
    let wanted = case_bytes(&forward, "1");
    for (order, threads) in [(&forward, "2"), (&backward, "1"), (&backward, "2")] {
        let got = case_bytes(order, threads);
        for (file, (got, wanted)) in FILES.iter().zip(got.iter().zip(&wanted)) {
            assert!(got == wanted, "{file} differs on {threads} threads");
        }
    }
}
