//! Damaged input for every parser of untrusted input.
//!
//! A target is a plain function of bytes that must come back: no panic, no
//! endless loop, no memory without bound. Inputs are made from seeds (files)
//! by a seeded mutator, so a failing one is named by target, seed number and
//! round, and comes again. `cargo test` runs some hundred rounds a target;
//! `cargo xtask fuzz` runs for minutes. Coverage guidance is not here: where
//! it is wanted, the targets fit `libFuzzer` as they are.

mod mutate;
mod targets;

pub use mutate::Mutator;
pub use targets::{TARGETS, Target};

/// Runs `target` on `rounds` inputs made from its seeds; returns how many
/// bytes were tried. A panic inside names the round in `on_round`'s last call.
pub fn run(target: &Target, seed: u64, rounds: u64, on_round: &mut dyn FnMut(u64)) -> u64 {
    let seeds = (target.seeds)();
    let mut bytes = 0;
    for round in 0..rounds {
        on_round(round);
        let input = Mutator::new(seed, round).mutate(&seeds);
        bytes += input.len() as u64;
        (target.run)(&input);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_survives_damage() {
        for target in TARGETS {
            let mut at = 0;
            let bytes = run(target, 1, target.rounds_in_tests, &mut |round| at = round);
            assert!(bytes > 0, "{}: no input after round {at}", target.name);
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
