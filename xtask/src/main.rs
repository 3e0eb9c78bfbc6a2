//! What the project does to itself.
//!
//! `cargo xtask tidy` checks the tree; see [`tidy`]. `bench`, `differential`,
//! `fuzz` and `hostile` are the long runs; see [`runs`], and [`indicators`] and
//! [`speed`] for theirs. `attack-tactics` and `attack-table` make tables of ATT&CK; see [`tactics`]
//! and [`attack_table`].

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

mod attack_table;
mod attribution_runs;
mod indicators;
mod runs;
mod speed;
mod tactics;
mod tidy;

use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy | bench [EVTX…] | bench-sigma | bench-indicators | differential | \
                     fuzz TARGET|all [MINUTES] [SEED] | hostile DIR | attack-tactics BUNDLE VERSION | attack-table BUNDLE VERSION | \
                     fit-attribution | evaluate [folds]";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["tidy"] => run_tidy(&root),
        ["bench", ref given @ ..] => runs::bench(&root, given),
        ["bench-sigma"] => speed::bench(&root),
        ["bench-indicators"] => indicators::bench(&root),
        ["differential"] => runs::differential(&root),
        ["fuzz", ref words @ ..] => runs::fuzz(&root, words),
        ["hostile", folder] => runs::hostile(&root, Path::new(folder)),
        ["attack-tactics", bundle, version] => tactics::write(&root, Path::new(bundle), version),
        ["attack-table", bundle, version] => attack_table::write(&root, Path::new(bundle), version),
        ["fit-attribution"] => attribution_runs::fit(&root),
        ["evaluate"] => attribution_runs::evaluate(&root),
        ["evaluate", "folds"] => attribution_runs::evaluate_folds(&root),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_tidy(root: &Path) -> Result<bool> {
    let found = tidy::complaints(root)?;
    found.iter().for_each(|complaint| println!("{complaint}"));
    println!("tidy: {} complaints", found.len());
    Ok(found.is_empty())
}
