//! `fuzz TARGET|all [MINUTES] [SEED]`: long runs; `cargo xtask fuzz` calls it.
//! An input that fails is put into the corpus, so that it becomes a case.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

use fuzz::{Mutator, Trial, corpus_folder, trials};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Rounds between two looks at the clock.
const ROUNDS_AT_ONCE: u64 = 50;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("all", String::as_str);
    let minutes = arguments.get(1).map_or(Ok(1.0), |text| text.parse::<f64>());
    let first_seed = arguments.get(2).map_or(Ok(1), |text| text.parse::<u64>());
    let (Ok(minutes), Ok(first_seed)) = (minutes, first_seed) else {
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
    let failed = chosen.into_iter().map(|trial| run_for(trial, each, first_seed)).filter(|ok| !ok).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a target with one seed after the other until `time` is over. A panic
/// is caught to say which round it was.
fn run_for(trial: &Trial, time: Duration, first_seed: u64) -> bool {
    let began = Instant::now();
    let (mut seed, mut rounds, mut bytes) = (first_seed, 0, 0);
    while began.elapsed() < time {
        let mut at = 0;
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            fuzz::run(trial, seed, ROUNDS_AT_ONCE, &mut |round| at = round)
        }));
        match tried {
            Ok(count) => bytes += count,
            Err(_) => {
                println!("{:<20} FAILED at seed {seed}, round {at}", trial.name);
                keep(trial, seed, at);
                return false;
            }
        }
        (seed, rounds) = (seed + 1, rounds + ROUNDS_AT_ONCE);
    }
    println!(
        "{:<20} {rounds:>9} rounds {:>9} KiB, seeds {first_seed} to {}",
        trial.name,
        bytes / 1024,
        seed - 1
    );
    true
}

/// Puts the input that failed where the tests replay it.
fn keep(trial: &Trial, seed: u64, round: u64) {
    let folder = corpus_folder(trial.name);
    let path = folder.join(format!("crash-{seed}-{round}"));
    let input = Mutator::new(seed, round).mutate(&trial.seeds);
    match std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, input)) {
        Ok(()) => println!("  kept as {}", path.display()),
        Err(error) => eprintln!("  not kept: {}: {error}", path.display()),
    }
}
