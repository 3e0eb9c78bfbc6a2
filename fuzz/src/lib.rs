//! Damaged input for every parser of untrusted input.
//!
//! A target is a plain function of bytes that must come back: no panic, no
//! endless loop, no memory without bound. Inputs are made from seeds (files)
//! by a seeded mutator, so a failing one is named by target, seed number and
//! round, and comes again. `cargo test` replays the corpus and runs a bounded
//! number of rounds; `cargo xtask fuzz` runs for minutes. See `fuzz/README.md`.

mod mutate;
mod targets;

pub use mutate::Mutator;
pub use targets::{Target, Trial, corpus_folder, trials};

/// Runs a target on `rounds` inputs made from its seeds; returns how many
/// bytes were tried. A panic inside names the round in `on_round`'s last call.
pub fn run(trial: &Trial, seed: u64, rounds: u64, on_round: &mut dyn FnMut(u64)) -> u64 {
    let mut bytes = 0;
    for round in 0..rounds {
        on_round(round);
        let input = Mutator::new(seed, round).mutate(&trial.seeds);
        bytes += input.len() as u64;
        (trial.run)(&input);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_survives_damage() {
        for trial in trials() {
            let mut at = 0;
            let bytes = run(&trial, 1, trial.rounds_in_tests, &mut |round| at = round);
            assert!(bytes > 0, "{}: no input after round {at}", trial.name);
        }
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

    #[test]
    fn a_round_comes_again() {
        let seeds = vec![b"one seed".to_vec(), b"another seed".to_vec()];
        let (once, again) = (Mutator::new(3, 9).mutate(&seeds), Mutator::new(3, 9).mutate(&seeds));
        assert_eq!(once, again);
        assert!((0..50).any(|round| Mutator::new(3, round).mutate(&seeds) != once));
    }
}
