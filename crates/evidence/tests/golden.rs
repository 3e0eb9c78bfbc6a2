//! Every `NAME.in` under `testdata/<format>` is read, and what was read, records
//! and problems, is compared with `NAME.out`. `UPDATE=1` writes those anew.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod gather;

use gather::Gathered;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[test]
fn golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut inputs: Vec<PathBuf> = Vec::new();
    for format in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        if format.is_dir() {
            inputs.extend(std::fs::read_dir(format).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    inputs.retain(|path| path.extension().is_some_and(|ending| ending == "in"));
    inputs.sort();
    assert!(inputs.len() > 15, "only {} inputs", inputs.len());
    let mut wrong = Vec::new();
    for input in inputs {
        let shown = show(&gather::all(std::slice::from_ref(&input), &evidence::Limits::default()));
        let output = input.with_extension("out");
        if std::env::var("UPDATE").as_deref() == Ok("1") {
            std::fs::write(&output, &shown).unwrap();
        }
        let expected = std::fs::read_to_string(&output).unwrap_or_default();
        if shown != expected {
            wrong.push(format!("{}:\n{shown}", input.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn show(gathered: &Gathered) -> String {
    assert!(gathered.problems.is_empty(), "{:?}", gathered.problems);
    let mut out = String::new();
    let [item] = gathered.items.as_slice() else { panic!("one item") };
    assert_eq!(gathered.progress, item.item.size_bytes);
    let format = item.item.format.unwrap_or("unknown");
    writeln!(out, "{format}, {} bytes, {} records", item.item.size_bytes, item.item.records).unwrap();
    for record in &item.records {
        writeln!(out, "\n{record}").unwrap();
    }
    if !item.item.problems.is_empty() {
        writeln!(out).unwrap();
    }
    for problem in &item.item.problems {
        let offset = problem.offset.map_or("-".into(), |offset| offset.to_string());
        let lost = problem.records_lost.map_or("?".into(), |lost| lost.to_string());
        let (kind, wanted, found) = (problem.kind, &problem.wanted, &problem.found);
        writeln!(out, "! {kind} at {offset}: wanted {wanted}, found {found}, lost {lost}").unwrap();
    }
    out
}
