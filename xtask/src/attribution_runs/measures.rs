//! Ranks, calibration and coverage of a set of outcomes, and BM25 beside them.

use super::baseline::paired_bootstrap;
use super::{Outcome, Strength};
use std::fmt::Write as _;

const BINS: usize = 5;
const DRAWS: usize = 4000;

/// A small generator with a seed (SplitMix64), so that a run can be repeated.
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn share(count: usize, of: usize) -> f64 {
    count as f64 / of.max(1) as f64
}

fn top(ranks: &[usize]) -> String {
    let within = |limit: usize| share(ranks.iter().filter(|rank| **rank <= limit).count(), ranks.len());
    let reciprocal = ranks.iter().map(|rank| 1.0 / *rank as f64).sum::<f64>() / ranks.len().max(1) as f64;
    format!("{:.3} | {:.3} | {:.3} | {reciprocal:.3} | {}", within(1), within(3), within(10), ranks.len())
}

/// Expected calibration error in bins of equal mass.
fn calibration_error(stated: &[(f64, bool)]) -> f64 {
    let mut sorted = stated.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = sorted.len();
    (0..BINS)
        .map(|bin| {
            let part = &sorted[count * bin / BINS..count * (bin + 1) / BINS];
            let mean = part.iter().map(|(stated, _)| stated).sum::<f64>() / part.len().max(1) as f64;
            let right = share(part.iter().filter(|(_, right)| *right).count(), part.len());
            share(part.len(), count) * (mean - right).abs()
        })
        .sum()
}

/// The 95th percentile of the calibration error of a model that states true probabilities.
fn perfect_error(stated: &[(f64, bool)]) -> f64 {
    let mut seeded = Seeded(20_210_719);
    let mut errors: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let drawn: Vec<(f64, bool)> =
                stated.iter().map(|(stated, _)| (*stated, seeded.unit() < *stated)).collect();
            calibration_error(&drawn)
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    errors[DRAWS * 95 / 100]
}

/// The measures as Markdown.
pub fn render(outcomes: &[Outcome<'_>]) -> String {
    let mut out = String::new();
    let unknown = outcomes.iter().filter(|outcome| !outcome.case.known_before).count();
    let _ = writeln!(out, "{} cases, {unknown} of them of an actor not known before.\n", outcomes.len());
    let _ = writeln!(
        out,
        "| known actors | top-1 | top-3 | top-10 | mean reciprocal rank | cases |\n|---|---|---|---|---|---|"
    );
    let ranks = |of: fn(&Outcome<'_>) -> Option<usize>| outcomes.iter().filter_map(of).collect::<Vec<_>>();
    let _ = writeln!(out, "| this | {} |", top(&ranks(|outcome| outcome.rank)));
    let _ = writeln!(out, "| BM25 | {} |", top(&ranks(|outcome| outcome.bm25)));
    let _ = writeln!(out, "| this, techniques only | {} |", top(&ranks(|outcome| outcome.techniques_rank)));
    render_calibration(&mut out, outcomes);
    let _ = writeln!(
        out,
        "| named | cases | share | right | of actors not known before |\n|---|---|---|---|---|"
    );
    for (name, least) in [("at any strength", Strength::Low), ("moderate or above", Strength::Moderate)] {
        let named: Vec<_> = outcomes.iter().filter(|outcome| outcome.named_at(least)).collect();
        let right = named.iter().filter(|outcome| outcome.first_is_right()).count();
        let unknown = named.iter().filter(|outcome| !outcome.case.known_before).count();
        let _ = writeln!(
            out,
            "| {name} | {} | {:.3} | {:.3} | {unknown} |",
            named.len(),
            share(named.len(), outcomes.len()),
            share(right, named.len())
        );
    }
    out
}

fn render_calibration(out: &mut String, outcomes: &[Outcome<'_>]) {
    let stated: Vec<(f64, bool)> =
        outcomes.iter().map(|outcome| (outcome.first().1, outcome.first_is_right())).collect();
    let off = |(stated, right): &(f64, bool)| (stated - f64::from(u8::from(*right))).powi(2);
    let count = stated.len().max(1) as f64;
    let brier = stated.iter().map(off).sum::<f64>() / count;
    let _ = writeln!(
        out,
        "\nProbability of the first actor, all cases: Brier {brier:.4}; calibration error in {BINS} bins of equal mass {:.4} \
         (95 % of perfectly calibrated models of as many cases stay below {:.4}).\n",
        calibration_error(&stated),
        perfect_error(&stated)
    );
    let baseline: Vec<(f64, bool)> = outcomes.iter().map(|outcome| outcome.baseline).collect();
    let differences: Vec<f64> =
        stated.iter().zip(&baseline).map(|(own, other)| off(own) - off(other)).collect();
    let (mean, low, high) = paired_bootstrap(&differences);
    let _ = writeln!(
        out,
        "BM25's first actor, with a logistic regression on score and lead that was fitted on earlier cases: Brier {:.4}. Difference, \
         paired bootstrap over the cases: {mean:.4}, 95 % between {low:.4} and {high:.4}.\n",
        baseline.iter().map(off).sum::<f64>() / count
    );
}
