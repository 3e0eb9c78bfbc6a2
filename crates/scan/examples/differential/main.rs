//! `differential --rules PATH… --expected FILE --percent N EVIDENCE…`: the
//! compiled matcher against the naive one, and both against `rsigma-eval`;
//! `cargo xtask differential` calls it. With `UPDATE=1` the list of expected
//! disagreements is written anew.

#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

mod expected;
mod rsigma;

use expected::Expected;
use rsigma::Rsigma;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const SEED: u64 = 2021;

fn main() -> ExitCode {
    let (mut rules, mut evidence, mut percent, mut list) = (Vec::new(), Vec::new(), 100, PathBuf::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rules" => rules.extend(arguments.next().map(PathBuf::from)),
            "--percent" => percent = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(100),
            "--expected" => list = arguments.next().map(PathBuf::from).unwrap_or_default(),
            path => evidence.push(PathBuf::from(path)),
        }
    }
    let mut texts = Vec::new();
    rules.iter().for_each(|path| read_rules(path, &mut texts));
    let given = texts.iter().map(|(file, text)| sigma::RuleText { file, text });
    let loaded = sigma::load(given, &sigma::LoadOptions::default());
    let engine = sigma::Engine::new(loaded.rules);
    let opinion = Rsigma::new(&engine, &texts);
    println!(
        "rules: {} ({} not loaded), {} by rsigma-eval",
        engine.rules().len(),
        loaded.diagnostics.len(),
        opinion.rules()
    );
    let mut expected = Expected::read(&fs::read_to_string(&list).unwrap_or_default());
    let docs = fs::read_to_string("docs/sigma.md").unwrap_or_default();
    let mut is_right = !evidence.is_empty();
    for path in &evidence {
        let limits = evidence::Limits::default();
        let opened = evidence::open(std::slice::from_ref(path), &limits);
        let compared =
            scan::differential::compare(&opened.sources, &limits, (&engine, &opinion), percent, SEED);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        println!("{name}");
        println!("  records: {} of {} (seed {SEED})", compared.compared, compared.records);
        println!("  matches of both matchers: {}", compared.matches);
        println!("  differences between them: {}", compared.differences.len());
        compared.differences.iter().take(50).for_each(|difference| println!("    {difference:?}"));
        let (mut ours, mut theirs) = (0, 0);
        for other in compared.disagreements.values() {
            (ours, theirs) = (ours + other.only_ours, theirs + other.only_theirs);
        }
        println!(
            "  only by them: {ours}, only by rsigma-eval: {theirs}, rules: {}",
            compared.disagreements.len()
        );
        if std::env::var_os("UPDATE").is_some() {
            expected.update(&name, &compared);
        }
        let wrong = expected.check(&name, &compared, percent >= 100);
        wrong.iter().for_each(|line| println!("    {line}"));
        is_right &= compared.differences.is_empty() && compared.compared > 0 && wrong.is_empty();
    }
    if std::env::var_os("UPDATE").is_some() && fs::write(&list, expected.write()).is_err() {
        println!("error: {} cannot be written", list.display());
        is_right = false;
    }
    let missing = expected.reasons_missing(&docs);
    println!(
        "list of disagreements: {} lines, reasons without a row in docs/sigma.md: {missing:?}",
        expected.len()
    );
    is_right &= missing.is_empty();
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
