//! `fuzz TARGET|all [MINUTES] [SEED]`: long runs; `cargo xtask fuzz` calls it.
//! An input that fails is put into the corpus, so that it becomes a case.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

use fuzz::{Trial, trials};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("all", String::as_str);
    let minutes = arguments.get(1).map_or(Ok(1.0), |text| text.parse::<f64>());
    let seed = arguments.get(2).map_or(Ok(1), |text| text.parse::<u64>());
    let (Ok(minutes), Ok(seed)) = (minutes, seed) else {
        eprintln!("usage: fuzz TARGET|all [MINUTES] [SEED]");
        return ExitCode::from(2);
    };
    let all = trials();
    let chosen: Vec<&Trial> = all.iter().filter(|trial| name == "all" || trial.name == name).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = all.iter().map(|trial| trial.name).collect();
        eprintln!("no target {name}; there are: {}", names.join(", "));
        return ExitCode::from(2);
    }
    let seconds = minutes.clamp(0.0, 10_000.0) * 60.0 / chosen.len() as f64;
    let each = Duration::from_secs_f64(seconds);
    let failed = chosen.into_iter().map(|trial| survives(trial, each, seed)).filter(|ok| !ok).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a target and says how it went; an input that fails is kept.
fn survives(trial: &Trial, time: Duration, seed: u64) -> bool {
    match fuzz::run_for(trial, time, seed) {
        Ok(tally) => {
            println!(
                "{:<24} {:>9} rounds {:>9} KiB, seed {seed}",
                trial.name,
                tally.rounds,
                tally.bytes / 1024
            );
            true
        }
        Err(failure) => {
            println!("{:<24} FAILED: {failure}", trial.name);
            match failure.keep() {
                Ok(path) => println!("  kept as {}", path.display()),
                Err(error) => eprintln!("  not kept: {error}"),
            }
            false
        }
    }
}
