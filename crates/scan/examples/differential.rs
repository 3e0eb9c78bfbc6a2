//! `differential --rules PATH… --percent N EVIDENCE…`: the compiled matcher
//! against the naive one; `cargo xtask differential` calls it.

#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const SEED: u64 = 2021;

fn main() -> ExitCode {
    let (mut rules, mut evidence, mut percent) = (Vec::new(), Vec::new(), 100);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rules" => rules.extend(arguments.next().map(PathBuf::from)),
            "--percent" => percent = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(100),
            path => evidence.push(PathBuf::from(path)),
        }
    }
    let mut texts = Vec::new();
    rules.iter().for_each(|path| read_rules(path, &mut texts));
    let given = texts.iter().map(|(file, text)| sigma::RuleText { file, text });
    let loaded = sigma::load(given, &sigma::LoadOptions::default());
    let engine = sigma::Engine::new(loaded.rules);
    let limits = evidence::Limits::default();
    let opened = evidence::open(&evidence, &limits);
    let compared = scan::differential::compare(&opened.sources, &limits, &engine, percent, SEED);
    println!("rules: {} ({} not loaded)", engine.rules().len(), loaded.diagnostics.len());
    println!("records: {} of {} (seed {SEED})", compared.compared, compared.records);
    println!("matches on which both agree: {}", compared.matches);
    println!("differences: {}", compared.differences.len());
    compared.differences.iter().take(50).for_each(|difference| println!("  {difference:?}"));
    if compared.differences.is_empty() && compared.compared > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// All `.yml` files at or below `path`, in the order of their names.
fn read_rules(path: &Path, texts: &mut Vec<(String, String)>) {
    if path.is_dir() {
        let mut below: Vec<PathBuf> =
            fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        below.sort();
        below.iter().for_each(|path| read_rules(path, texts));
    } else if path.extension().is_some_and(|ending| ending == "yml")
        && let Ok(text) = fs::read_to_string(path)
    {
        texts.push((path.display().to_string(), text));
    }
}
