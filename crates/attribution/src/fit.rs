//! Fits both stages: small convex problems, solved by plain descent, so that
//! the same cases give the same weights everywhere.

use crate::calibrate::{SIGNS, Signs};
use crate::score::{MEASURES, Measures, softmax, total};

const STEPS_MAX: usize = 4000;
/// Descent ends when a step gains less than this share of the loss.
const GAIN_MIN: f64 = 1e-10;

/// One case for the first stage: the measures of its actors, who was right, how much it counts.
#[derive(Clone, Debug)]
pub(crate) struct ChoiceRow {
    pub measures: Vec<Measures>,
    pub truth: usize,
    pub weight: f64,
}

/// One case for the second stage.
#[derive(Clone, Debug)]
pub(crate) struct SignRow {
    pub signs: Signs,
    pub right: bool,
    pub weight: f64,
}

/// Weights of the first stage: a conditional logit, none of them below zero (no measure of
/// likeness may speak against an actor), with a quadratic penalty on the scale of the measures.
pub(crate) fn fit_choice(rows: &[ChoiceRow], penalty: f64) -> Measures {
    let scale = deviations(rows.iter().flat_map(|row| &row.measures));
    let rows: Vec<ChoiceRow> = rows
        .iter()
        .map(|row| {
            let measures = row.measures.iter().map(|of| divided(of, &scale)).collect();
            ChoiceRow { measures, ..*row }
        })
        .collect();
    let loss = |weights: &Measures| choice_loss(&rows, weights, penalty);
    let clip = |weight: f64, _: usize| weight.max(0.0);
    divided(&descend([0.1; MEASURES], loss, clip), &scale)
}

fn choice_loss(rows: &[ChoiceRow], weights: &Measures, penalty: f64) -> (f64, Measures) {
    let mut loss = penalty / 2.0 * weights.iter().map(|weight| weight * weight).sum::<f64>();
    let mut slope: Measures = weights.map(|weight| penalty * weight);
    for row in rows {
        let totals: Vec<f64> = row.measures.iter().map(|of| total(of, weights)).collect();
        let shares = softmax(&totals);
        loss -= row.weight * shares[row.truth].max(1e-300).ln();
        for (at, (share, measures)) in shares.iter().zip(&row.measures).enumerate() {
            let off = row.weight * (share - f64::from(u8::from(at == row.truth)));
            slope.iter_mut().zip(measures).for_each(|(slope, measure)| *slope += off * measure);
        }
    }
    (loss, slope)
}

/// Weights of the second stage: a logistic regression with a quadratic penalty on all but the first.
pub(crate) fn fit_signs(rows: &[SignRow], penalty: f64) -> Signs {
    let mut scale = deviations(rows.iter().map(|row| &row.signs));
    scale[0] = 1.0;
    let loss = |weights: &Signs| {
        let mut loss = penalty / 2.0 * weights[1..].iter().map(|weight| weight * weight).sum::<f64>();
        let mut slope: Signs = weights.map(|weight| penalty * weight);
        slope[0] = 0.0;
        for row in rows {
            let signs = divided(&row.signs, &scale);
            let sum: f64 = signs.iter().zip(weights).map(|(sign, weight)| sign * weight).sum();
            let probability = 1.0 / (1.0 + (-sum).exp());
            let hit = if row.right { probability } else { 1.0 - probability };
            loss -= row.weight * hit.max(1e-300).ln();
            let off = row.weight * (probability - f64::from(u8::from(row.right)));
            slope.iter_mut().zip(&signs).for_each(|(slope, sign)| *slope += off * sign);
        }
        (loss, slope)
    };
    divided(&descend([0.0; SIGNS], loss, |weight, _| weight), &scale)
}

fn divided<const N: usize>(of: &[f64; N], scale: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|at| of[at] / scale[at])
}

fn deviations<'r, const N: usize>(rows: impl Iterator<Item = &'r [f64; N]> + Clone) -> [f64; N] {
    let count = rows.clone().count().max(1) as f64;
    std::array::from_fn(|at| {
        let mean = rows.clone().map(|row| row[at]).sum::<f64>() / count;
        let variance = rows.clone().map(|row| (row[at] - mean).powi(2)).sum::<f64>() / count;
        if variance > 1e-18 { variance.sqrt() } else { 1.0 }
    })
}

/// Projected descent with an accelerated step that is halved until it gains.
fn descend<const N: usize>(
    start: [f64; N],
    loss: impl Fn(&[f64; N]) -> (f64, [f64; N]),
    clip: impl Fn(f64, usize) -> f64,
) -> [f64; N] {
    let mut at = start;
    let (mut value, mut slope) = loss(&at);
    let mut step = 1e-3;
    for _ in 0..STEPS_MAX {
        let next: [f64; N] = std::array::from_fn(|i| clip(at[i] - step * slope[i], i));
        let (next_value, next_slope) = loss(&next);
        if next_value < value {
            let gain = value - next_value;
            // The step that the change of the slope suggests (Barzilai and Borwein).
            let moved: f64 = (0..N).map(|i| (next[i] - at[i]).powi(2)).sum();
            let bent: f64 = (0..N).map(|i| (next[i] - at[i]) * (next_slope[i] - slope[i])).sum();
            step = if bent > 0.0 { (moved / bent).min(step * 10.0) } else { step * 2.0 };
            (at, value, slope) = (next, next_value, next_slope);
            if gain < GAIN_MIN * value.abs() {
                break;
            }
        } else {
            step /= 2.0;
            if step < 1e-15 {
                break;
            }
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telling_measure_gets_weight_and_a_misleading_one_none() {
        let row = |right: f64, wrong: f64| {
            let (mut a, mut b) = ([0.0; MEASURES], [0.0; MEASURES]);
            (a[0], b[0]) = (right, wrong);
            (a[1], b[1]) = (wrong, right);
            ChoiceRow { measures: vec![a, b], truth: 0, weight: 1.0 }
        };
        let rows = [row(2.0, 1.0), row(3.0, 1.0), row(1.0, 0.0), row(0.0, 0.5)];
        let weights = fit_choice(&rows, 0.1);
        assert!(weights[0] > 0.5, "{weights:?}");
        assert_eq!(weights[1], 0.0);
        // The rest never varies: the penalty leaves nothing of it.
        assert!(weights[2..].iter().all(|weight| *weight < 1e-3), "{weights:?}");
    }

    #[test]
    fn a_calibrator_gives_the_rate() {
        let row = |sign: f64, right| SignRow {
            signs: std::array::from_fn(|at| [1.0, sign].get(at).copied().unwrap_or(0.0)),
            right,
            weight: 1.0,
        };
        let mut rows = vec![row(0.0, true); 30];
        rows.extend(vec![row(0.0, false); 10]);
        rows.extend(vec![row(1.0, true); 10]);
        rows.extend(vec![row(1.0, false); 30]);
        let weights = fit_signs(&rows, 1e-6);
        let rate = |sum: f64| 1.0 / (1.0 + (-sum).exp());
        assert!((rate(weights[0]) - 0.75).abs() < 0.01, "{weights:?}");
        assert!((rate(weights[0] + weights[1]) - 0.25).abs() < 0.01, "{weights:?}");
    }
}
