//! The second stage: how often a first actor of this kind was the right one.

use crate::history::Feature;
use crate::score::{Measures, Observed, VOTING};
use crate::snapshot::Snapshot;

/// How many signs the second stage looks at.
pub const SIGNS: usize = 5;
/// Where the log odds of the first stage stand.
pub(crate) const LOG_ODDS: usize = 1;
/// What they are called.
pub const SIGN_NAMES: [&str; SIGNS] = [
    "one",
    "log odds of the first stage",
    "measures that agree",
    "software of no other actor",
    "how much software was observed",
];

/// The signs, in the order of [`SIGN_NAMES`].
pub type Signs = [f64; SIGNS];

/// The signs of the actor at position `first`, whose share of the first stage is `share`.
pub(crate) fn signs(
    snapshot: &Snapshot<'_>,
    observed: &Observed,
    measures: &[Measures],
    first: usize,
    share: f64,
) -> Signs {
    let share = share.clamp(1e-9, 1.0 - 1e-9);
    let leads = |measure: &usize| {
        let highest = measures.iter().map(|of| of[*measure]).fold(f64::NEG_INFINITY, f64::max);
        highest > 0.0 && measures[first][*measure] >= highest - 1e-12
    };
    let agree = (0..VOTING).filter(leads).count();
    let actor = &snapshot.actors[first];
    let only = |feature: Feature| {
        !snapshot.history.is_technique(feature)
            && snapshot.is_of_one(feature)
            && actor.has_to_do_with(feature)
    };
    let exclusive = f64::from(u8::from(observed.features().any(only)));
    let software = (observed.items.len() - observed.techniques) as f64;
    [1.0, (share / (1.0 - share)).ln(), agree as f64, exclusive, software.ln_1p()]
}

/// The probability that the first actor is the right one.
pub(crate) fn probability(signs: &Signs, weights: &Signs) -> f64 {
    let sum: f64 = signs.iter().zip(weights).map(|(sign, weight)| sign * weight).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// The hypotheses: the first actor with `confidence`, the other actors and *unknown* with the rest.
///
/// `unknown_share` of the rest is *unknown*; so is what an actor would get beyond its distance to
/// the first one in the first stage. Gives the actors' probabilities and that of *unknown*.
pub(crate) fn spread(shares: &[f64], first: usize, confidence: f64, unknown_share: f64) -> (Vec<f64>, f64) {
    let others = 1.0 - shares[first];
    let second =
        shares.iter().enumerate().filter(|(at, _)| *at != first).map(|(_, share)| *share).fold(0.0, f64::max);
    let rest = 1.0 - confidence;
    let per_share = if others > 0.0 { rest * (1.0 - unknown_share) / others } else { 0.0 };
    let limit = if second > 0.0 { confidence / shares[first] } else { per_share };
    let scale = per_share.min(limit);
    let spread: Vec<f64> = shares
        .iter()
        .enumerate()
        .map(|(at, share)| if at == first { confidence } else { share * scale })
        .collect();
    let unknown = (1.0 - spread.iter().sum::<f64>()).max(0.0);
    (spread, unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spread_adds_up_and_keeps_its_order() {
        for (shares, first, confidence) in [
            (vec![0.5, 0.3, 0.2], 0, 0.9),
            (vec![0.3, 0.4, 0.3], 1, 0.1),
            (vec![0.5, 0.5], 0, 0.3),
            (vec![1.0], 0, 0.4),
        ] {
            let (spread, unknown) = spread(&shares, first, confidence, 0.3);
            let sum: f64 = spread.iter().sum();
            assert!((sum + unknown - 1.0).abs() < 1e-12 && unknown >= 0.0);
            assert!((spread[first] - confidence).abs() < 1e-12);
            assert!(spread.iter().all(|p| *p <= confidence + 1e-12), "{spread:?}");
        }
    }
}
