//! `fuzz TARGET|all [SECONDS] [SEED]`: long runs; `cargo xtask fuzz` calls it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

use fuzz::{TARGETS, Target};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Rounds between two looks at the clock.
const ROUNDS_AT_ONCE: u64 = 50;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("all", String::as_str);
    let number =
        |index: usize, default: u64| arguments.get(index).map_or(Some(default), |text| text.parse().ok());
    let (Some(seconds), Some(first_seed)) = (number(1, 60), number(2, 1)) else {
        eprintln!("usage: fuzz TARGET|all [SECONDS] [SEED]");
        return ExitCode::from(2);
    };
    let chosen: Vec<&Target> = TARGETS.iter().filter(|target| name == "all" || target.name == name).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("no target {name}; there are: {}", names.join(", "));
        return ExitCode::from(2);
    }
    let each = Duration::from_secs(seconds / chosen.len() as u64);
    let survived =
        chosen.into_iter().map(|target| run_for(target, each, first_seed)).filter(|ok| !ok).count();
    if survived == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs `target` with one seed after the other until `time` is over. A panic
/// is caught to say which round it was.
fn run_for(target: &Target, time: Duration, first_seed: u64) -> bool {
    let began = Instant::now();
    let (mut seed, mut rounds, mut bytes) = (first_seed, 0, 0);
    while began.elapsed() < time {
        let mut at = 0;
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            fuzz::run(target, seed, ROUNDS_AT_ONCE, &mut |round| at = round)
        }));
        match tried {
            Ok(count) => bytes += count,
            Err(_) => {
                println!("{:<20} FAILED at seed {seed}, round {at}", target.name);
                return false;
            }
        }
        (seed, rounds) = (seed + 1, rounds + ROUNDS_AT_ONCE);
    }
    println!(
        "{:<20} {rounds:>9} rounds {:>9} KiB, seeds {first_seed} to {}",
        target.name,
        bytes / 1024,
        seed - 1
    );
    true
}
