//! The driver: rounds of damage until a time is over, and what failed, shrunk.

use crate::damage::{Damage, damage};
use crate::targets::{Trial, corpus_folder};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Rounds that are run even when there is no time: no target goes untried.
const ROUNDS_MIN: u64 = 16;
/// Attempts at making an input that fails smaller.
const SHRINKS_MAX: u32 = 2_000;
/// Milliseconds that these may take.
const SHRINK_MS_MAX: u32 = 60_000;

/// What was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs.
    pub rounds: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A target that did not come back well.
#[derive(Debug)]
pub struct Failure {
    /// The target.
    pub target: &'static str,
    /// With the round, and the seeds as they lie now, it names the first input that failed.
    pub seed: u64,
    /// Counted from 0.
    pub round: u64,
    /// What the target said as it panicked.
    pub reason: String,
    /// The smallest input found that fails.
    pub input: Vec<u8>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { target, seed, round, reason, input } = self;
        write!(formatter, "{target}: seed {seed}, round {round}, {} bytes: {reason}", input.len())
    }
}

impl Failure {
    /// Puts the input where the tests replay it; returns where that is.
    ///
    /// # Errors
    /// That of the file system.
    pub fn keep(&self) -> std::io::Result<PathBuf> {
        let folder = corpus_folder(self.target);
        let path = folder.join(format!("crash-{}-{}", self.seed, self.round));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&path, &self.input)?;
        Ok(path)
    }
}

/// Runs a target on damaged seeds until `time` is over, or it fails.
///
/// # Errors
/// The first failure, its input shrunk.
pub fn run_for(trial: &Trial, time: Duration, seed: u64) -> Result<Tally, Box<Failure>> {
    let began = Instant::now();
    let mut tally = Tally::default();
    while tally.rounds < ROUNDS_MIN || began.elapsed() < time {
        let (mut runner, tree) = round_of(seed, tally.rounds);
        let input = tree.current().input(&trial.seeds);
        if catch_unwind(AssertUnwindSafe(|| (trial.run)(&input))).is_err() {
            let (reason, input) = shrink(trial, &mut runner, tree).unwrap_or_else(|| {
                ("fails once, and not again: what it does hangs on more than the input".to_owned(), input)
            });
            return Err(Box::new(Failure { target: trial.name, seed, round: tally.rounds, reason, input }));
        }
        tally.rounds += 1;
        tally.bytes += input.len() as u64;
    }
    Ok(tally)
}

/// What is done to which seed in one round; the same numbers give the same.
fn round_of(seed: u64, round: u64) -> (TestRunner, impl ValueTree<Value = Damage>) {
    let mut state = [0; 32];
    state[..8].copy_from_slice(&seed.to_le_bytes());
    state[8..16].copy_from_slice(&round.to_le_bytes());
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: SHRINKS_MAX,
        max_shrink_time: SHRINK_MS_MAX,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &state);
    let mut runner = TestRunner::new_with_rng(config, rng);
    #[expect(clippy::expect_used, reason = "no part of the strategy rejects")]
    let tree = damage().new_tree(&mut runner).expect("any damage will do");
    (runner, tree)
}

/// The smallest damage that still fails, without the noise of each attempt.
fn shrink(
    trial: &Trial,
    runner: &mut TestRunner,
    tree: impl ValueTree<Value = Damage>,
) -> Option<(String, Vec<u8>)> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let tried = runner.run_one(tree, |damage| {
        (trial.run)(&damage.input(&trial.seeds));
        Ok(())
    });
    std::panic::set_hook(hook);
    match tried {
        Err(TestError::Fail(reason, smallest)) => {
            Some((reason.message().to_owned(), smallest.input(&trial.seeds)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(run: impl Fn(&[u8]) + 'static) -> Trial {
        Trial {
            name: "none",
            run: Box::new(run),
            seeds: vec![b"one long seed, and what else it says".to_vec(), b"another seed".to_vec()],
        }
    }

    #[test]
    fn a_round_comes_again() {
        let seeds = trial(|_| {}).seeds;
        let input = |seed, round| round_of(seed, round).1.current().input(&seeds);
        assert_eq!(input(3, 9), input(3, 9));
        assert!((0..50).any(|round| input(3, round) != input(3, 9)));
        assert!((0..50).any(|round| input(3, round) != input(4, round)));
    }

    #[test]
    fn a_failure_is_shrunk() {
        let fails = |input: &[u8]| assert!(!input.contains(&0xff), "has a byte 255");
        let failure = run_for(&trial(fails), Duration::from_secs(60), 1).unwrap_err();
        assert_eq!(failure.reason, "has a byte 255");
        let (_, tree) = round_of(1, failure.round);
        let first = tree.current().input(&trial(|_| {}).seeds);
        assert!(failure.input.contains(&0xff) && failure.input.len() <= first.len(), "{failure}");
        let quiet = run_for(&trial(|_| {}), Duration::ZERO, 1).unwrap();
        assert_eq!(quiet.rounds, ROUNDS_MIN);
        assert!(quiet.bytes > 0);
    }
}
