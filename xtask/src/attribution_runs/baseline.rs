//! What is beaten or not: BM25 over whole profiles, its first actor with a
//! probability from a logistic regression on earlier cases.

use super::Case;
use super::measures::Seeded;
use attribution::{History, Snapshot};
use knowledge::Day;

/// One, the highest score, its lead over the second one.
type Signs = [f64; 3];
const STEPS: usize = 30;
/// Quadratic penalty on all but the first weight.
const PENALTY: f64 = 1.0;
const DRAWS: usize = 4000;

/// BM25's scores of all actors (k1 1.2, b 0.5), in the order of the snapshot.
pub fn scores<'s>(snapshot: &'s Snapshot<'_>, observed: &[String]) -> Vec<(&'s str, f64)> {
    let profiles: Vec<(&str, f64)> = snapshot.profile_sizes().collect();
    let actors = profiles.len() as f64;
    let mean = profiles.iter().map(|(_, size)| size).sum::<f64>() / actors.max(1.0);
    let mut scores: Vec<(&str, f64)> = profiles.iter().map(|(actor, _)| (*actor, 0.0)).collect();
    for id in observed {
        let holders = snapshot.holders_of(id);
        let rarity = (1.0 + (actors - holders.len() as f64 + 0.5) / (holders.len() as f64 + 0.5)).ln();
        for ((actor, score), (_, size)) in scores.iter_mut().zip(&profiles) {
            if holders.contains(actor) {
                *score += rarity * 2.2 / (1.0 + 1.2 * (0.5 + 0.5 * size / mean));
            }
        }
    }
    scores
}

/// The place of the true actor, ties against it.
pub fn rank(scores: &[(&str, f64)], truth: &str) -> usize {
    let own = scores.iter().find(|(actor, _)| *actor == truth).map_or(f64::INFINITY, |(_, score)| *score);
    scores.iter().filter(|(_, score)| *score >= own - 1e-12).count()
}

/// The signs of BM25's first actor, and whether it is the right one.
pub fn first(scores: &[(&str, f64)], truth: &str) -> (Signs, bool) {
    let mut sorted: Vec<&(&str, f64)> = scores.iter().collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    let score = |at: usize| sorted.get(at).map_or(0.0, |(_, score)| *score);
    let right = sorted.first().is_some_and(|(actor, _)| *actor == truth);
    ([1.0, score(0), score(0) - score(1)], right)
}

/// The baseline of each year of cases, fitted on the cases before it.
pub struct Baseline {
    rows: Vec<(Day, Signs, bool)>,
}

impl Baseline {
    /// From the training cases.
    pub fn new(history: &History, training: &[Case]) -> Self {
        let row = |case: &Case| {
            let snapshot = Snapshot::new(history, case.day);
            let (signs, right) = first(&scores(&snapshot, &case.observed), &case.truth);
            (case.day, signs, right)
        };
        Self { rows: training.iter().map(row).collect() }
    }

    /// How probably BM25's first actor is right, by the cases before the year of `day`.
    pub fn probability(&self, day: Day, signs: &Signs) -> f64 {
        let year = Day::from_civil(day.civil().0, 1, 1).unwrap_or(day);
        let rows: Vec<_> = self.rows.iter().filter(|(earlier, ..)| *earlier < year).collect();
        stated(signs, &fit(&rows))
    }
}

fn stated(signs: &Signs, weights: &Signs) -> f64 {
    let sum: f64 = signs.iter().zip(weights).map(|(sign, weight)| sign * weight).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// Newton's method; the penalty keeps the matrix regular.
fn fit(rows: &[&(Day, Signs, bool)]) -> Signs {
    let mut weights = [0.0; 3];
    for _ in 0..STEPS {
        let mut slope = weights.map(|weight| PENALTY * weight);
        slope[0] = 0.0;
        let mut bend = [[1e-9, 0.0, 0.0], [0.0, PENALTY, 0.0], [0.0, 0.0, PENALTY]];
        for (_, signs, right) in rows {
            let probability = stated(signs, &weights);
            let off = probability - f64::from(u8::from(*right));
            slope.iter_mut().zip(signs).for_each(|(slope, sign)| *slope += off * sign);
            for (row, sign) in bend.iter_mut().zip(signs) {
                let by = probability * (1.0 - probability) * sign;
                row.iter_mut().zip(signs).for_each(|(cell, other)| *cell += by * other);
            }
        }
        let step = solved(bend, slope);
        weights = std::array::from_fn(|at| weights[at] - step[at]);
    }
    weights
}

/// Gaussian elimination; the matrix is positive definite.
fn solved(mut matrix: [[f64; 3]; 3], mut right: Signs) -> Signs {
    for at in 0..3 {
        for below in at + 1..3 {
            let factor = matrix[below][at] / matrix[at][at];
            let pivot = matrix[at];
            matrix[below].iter_mut().zip(pivot).for_each(|(cell, above)| *cell -= factor * above);
            right[below] -= factor * right[at];
        }
    }
    for at in (0..3).rev() {
        let known: f64 = (at + 1..3).map(|later| matrix[at][later] * right[later]).sum();
        right[at] = (right[at] - known) / matrix[at][at];
    }
    right
}

/// The mean of `differences` and the 2.5th and 97.5th percentile of the means of samples of them,
/// drawn with replacement: one draw is one case with both its scores.
pub fn paired_bootstrap(differences: &[f64]) -> (f64, f64, f64) {
    let count = differences.len().max(1);
    let mut seeded = Seeded(20_210_719);
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| (0..count).map(|_| differences[seeded.below(count)]).sum::<f64>() / count as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    let mean = differences.iter().sum::<f64>() / count as f64;
    (mean, means[DRAWS * 25 / 1000], means[DRAWS * 975 / 1000])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regression_gives_the_rate_and_a_bootstrap_the_spread() {
        let row = |lead: f64, right| (Day(0), [1.0, 0.0, lead], right);
        let mut rows = vec![row(0.0, true); 300];
        rows.extend(vec![row(0.0, false); 100]);
        rows.extend(vec![row(1.0, true); 100]);
        rows.extend(vec![row(1.0, false); 300]);
        let weights = fit(&rows.iter().collect::<Vec<_>>());
        assert!((stated(&[1.0, 0.0, 0.0], &weights) - 0.75).abs() < 0.01, "{weights:?}");
        assert!((stated(&[1.0, 0.0, 1.0], &weights) - 0.25).abs() < 0.01, "{weights:?}");
        let (mean, low, high) = paired_bootstrap(&[-1.0, 1.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(mean == 0.0 && (-0.7..-0.3).contains(&low) && (0.3..0.7).contains(&high), "{low} {high}");
    }

    #[test]
    fn ties_count_against_the_true_actor() {
        let scores = [("a", 1.0), ("b", 2.0), ("c", 2.0)];
        assert_eq!((rank(&scores, "b"), rank(&scores, "a"), rank(&scores, "x")), (2, 3, 0));
        assert_eq!(first(&scores, "b"), ([1.0, 2.0, 0.0], true));
    }
}
