//! Damaged input for every parser of untrusted input.
//!
//! A target is a plain function of bytes that must come back: no panic, no
//! endless loop, no memory without bound. Inputs are seeds (files) that
//! [`damage`] befell; [`run_for`] draws it by `proptest`, shrinks what fails,
//! and names it by target, seed number and round, so that it comes again.
//! `cargo test` replays the corpus and drives all targets for a minute; `cargo
//! xtask fuzz` runs for longer. See `fuzz/README.md`.

mod damage;
mod driver;
mod targets;

pub use damage::{Damage, damage};
pub use driver::{Failure, Tally, run_for};
pub use targets::{Target, Trial, corpus_folder, trials};

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Seconds for all targets together; the variable prolongs them.
    const SECONDS: (&str, u64) = ("ASSAY_FUZZ_SECONDS", 60);
    /// Which rounds; CI sets a fresh one each time.
    const SEED: (&str, u64) = ("ASSAY_FUZZ_SEED", 1);

    fn number((variable, otherwise): (&str, u64)) -> u64 {
        std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a whole number"))
    }

    #[test]
    fn every_target_survives_damage() {
        let trials = trials();
        let seed = number(SEED);
        let each = Duration::from_secs(number(SECONDS)) / u32::try_from(trials.len()).unwrap();
        let failures: Vec<String> = trials
            .iter()
            .filter_map(|trial| match run_for(trial, each, seed) {
                Ok(tally) => {
                    println!("{:<24}{:>9} rounds", trial.name, tally.rounds);
                    assert!(tally.bytes > 0, "{}: no input", trial.name);
                    None
                }
                Err(failure) => Some(format!("{failure}\n  kept: {:?}", failure.keep())),
            })
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn the_corpus_is_replayed() {
        let trials = trials();
        let mut replayed = 0;
        for folder in std::fs::read_dir(corpus_folder("")).unwrap().map(|entry| entry.unwrap()) {
            let name = folder.file_name().into_string().unwrap();
            let trial = trials.iter().find(|trial| trial.name == name);
            let trial = trial.unwrap_or_else(|| panic!("fuzz/corpus/{name} belongs to no target"));
            for case in std::fs::read_dir(folder.path()).unwrap() {
                (trial.run)(&std::fs::read(case.unwrap().path()).unwrap());
                replayed += 1;
            }
        }
        assert!(replayed >= 30, "{replayed} cases");
    }

    #[test]
    fn every_format_is_a_target() {
        let trials = trials();
        for slug in evidence::fuzz::formats() {
            assert!(trials.iter().any(|trial| trial.name == slug && !trial.seeds.is_empty()), "{slug}");
        }
    }
}
