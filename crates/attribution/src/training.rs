//! Cases made from the history itself, and the vintages fitted on them.
//!
//! A case is one dated report on one actor. Two kinds are used: *time travel*
//! (the knowledge of the day of the report) and *one left out* (all knowledge
//! before the vintage's day but this report). The second kind also gives cases
//! of actors that nobody knows: the true actor is taken out of the list.

use crate::calibrate::{LOG_ODDS, Signs, probability, signs};
use crate::fit::{ChoiceRow, SignRow, fit_choice, fit_signs};
use crate::history::{Episode, History};
use crate::model::{Bin, Vintage, Weights};
use crate::score::{Measures, Observed, Query, first_of, softmax, total};
use crate::snapshot::Snapshot;
use knowledge::Day;

/// A report of a case names at least so many techniques and software …
const FINDINGS_MIN: usize = 5;
/// … on a day with at least so many actors.
const ACTORS_MIN: usize = 20;
/// Smaller cases count by half.
const SMALL_FINDINGS_MIN: usize = 3;
const SMALL_ACTORS_MIN: usize = 10;
const SMALL_WEIGHT: f64 = 0.5;
const LEFT_OUT_FINDINGS_MIN: usize = 4;
/// What a case weighs in the first stage; its techniques alone are a case of their own.
const CASE_WEIGHT: f64 = 0.3;
/// What a left-out report weighs in the second stage, beside a case of time travel.
const LEFT_OUT_WEIGHT: f64 = 0.3;
const TECHNIQUES_ONLY_WEIGHT: f64 = 0.3;
const CHOICE_PENALTY: f64 = 30.0;
const SIGN_PENALTY: f64 = 1.0;
/// How many cases of unknown actors are made, in weight, for one of a known one.
const UNKNOWN_WEIGHT: f64 = 0.2;
const FIRST_YEAR: i32 = 2017;
const BINS: usize = 5;

/// One case with its measures.
struct Example {
    year: i32,
    full: bool,
    /// How much it counts in the fit of the first stage.
    weight: f64,
    measures: Vec<Measures>,
    techniques_only: Option<Vec<Measures>>,
    software_is_known: bool,
    truth: Option<usize>,
    /// The signs of each actor, were it the first; log odds depend on the weights and are put in later.
    signs_of: Vec<Signs>,
}

/// Fits the vintages of `years`, each on reports before its 1 January.
pub fn fit(history: &History, years: &[i32]) -> Vec<Vintage> {
    let last = years.iter().copied().max().unwrap_or(FIRST_YEAR);
    let end = new_year(last);
    let time_travel: Vec<Example> = history
        .episodes
        .iter()
        .filter(|episode| episode.day < end)
        .filter_map(|episode| time_travel(history, episode))
        .collect();
    let mut weights: Vec<(i32, Weights)> = Vec::new();
    let mut vintages = Vec::new();
    for year in FIRST_YEAR..=last {
        let left_out = left_out(history, year);
        let before: Vec<&Example> = time_travel.iter().filter(|case| case.year < year).collect();
        let cases = || before.iter().copied().chain(&left_out);
        let fitted = Weights {
            with_software: fit_choice(&choice_rows(cases()), CHOICE_PENALTY),
            without_software: fit_choice(&rows_without_software(cases()), CHOICE_PENALTY),
        };
        weights.push((year, fitted));
        if years.contains(&year) {
            vintages.push(vintage(year, fitted, &weights, &time_travel, &left_out));
        }
    }
    vintages
}

fn new_year(year: i32) -> Day {
    Day::from_civil(year, 1, 1).unwrap_or(Day(0))
}

fn ids<'h>(history: &'h History, episode: &'h Episode) -> impl Iterator<Item = &'h str> + Clone {
    episode.found.iter().map(|feature| history.id(*feature))
}

fn example(snapshot: &Snapshot<'_>, episode: &Episode, full: bool) -> Example {
    let history = snapshot.history;
    let observed = Observed::new(snapshot, ids(history, episode));
    let techniques = Observed::new(snapshot, ids(history, episode).filter(|id| id.starts_with('T')));
    let measures = Query::new(snapshot, &observed).all();
    let techniques_only = (techniques.techniques > 0).then(|| Query::new(snapshot, &techniques).all());
    let truth = snapshot.actors.iter().position(|actor| actor.index == episode.actor);
    let signs_of =
        (0..snapshot.actors.len()).map(|first| signs(snapshot, &observed, &measures, first, 0.5)).collect();
    Example {
        year: episode.day.civil().0,
        full,
        weight: if full { CASE_WEIGHT } else { CASE_WEIGHT * SMALL_WEIGHT },
        measures,
        techniques_only,
        software_is_known: observed.software_is_known(snapshot),
        truth,
        signs_of,
    }
}

fn time_travel(history: &History, episode: &Episode) -> Option<Example> {
    if episode.found.len() < SMALL_FINDINGS_MIN {
        return None;
    }
    let snapshot = Snapshot::new(history, episode.day);
    let full = episode.found.len() >= FINDINGS_MIN && snapshot.actors() >= ACTORS_MIN;
    (snapshot.actors() >= SMALL_ACTORS_MIN).then(|| example(&snapshot, episode, full))
}

fn left_out(history: &History, year: i32) -> Vec<Example> {
    let end = new_year(year);
    let episodes = history.episodes.iter().filter(|episode| episode.day < end);
    episodes
        .filter(|episode| episode.found.len() >= LEFT_OUT_FINDINGS_MIN)
        .map(|episode| {
            let snapshot = Snapshot::without(history, end, Some(episode.report), episode.day);
            example(&snapshot, episode, true)
        })
        .collect()
}

/// Cases with all that was observed, and their techniques alone beside them.
fn choice_rows<'e>(cases: impl Iterator<Item = &'e Example>) -> Vec<ChoiceRow> {
    let mut rows = Vec::new();
    for case in cases {
        let Some(truth) = case.truth else { continue };
        rows.push(ChoiceRow { measures: case.measures.clone(), truth, weight: case.weight });
        if let Some(measures) = case.techniques_only.clone() {
            rows.push(ChoiceRow { measures, truth, weight: case.weight * TECHNIQUES_ONLY_WEIGHT });
        }
    }
    rows
}

/// Cases without software that anybody has to do with: as they are, or by leaving it out.
fn rows_without_software<'e>(cases: impl Iterator<Item = &'e Example>) -> Vec<ChoiceRow> {
    let row = |case: &Example| {
        let whole = Some(&case.measures).filter(|_| !case.software_is_known);
        let measures = whole.or(case.techniques_only.as_ref())?.clone();
        Some(ChoiceRow { measures, truth: case.truth?, weight: case.weight })
    };
    cases.filter_map(row).collect()
}

fn totals(case: &Example, weights: &Weights) -> Vec<f64> {
    let weights = weights.of(case.software_is_known);
    case.measures.iter().map(|of| total(of, weights)).collect()
}

/// The signs of a case's first actor under `weights`, and whether it is the right one; with
/// `truth_hidden`, as if the true actor were not known.
fn sign_row(case: &Example, weights: &Weights, truth_hidden: bool, weight: f64) -> Option<SignRow> {
    let mut totals = totals(case, weights);
    if truth_hidden {
        totals[case.truth?] = f64::NEG_INFINITY;
    }
    let first = first_of(&totals)?;
    let share = softmax(&totals)[first].clamp(1e-9, 1.0 - 1e-9);
    let mut signs = case.signs_of[first];
    signs[LOG_ODDS] = (share / (1.0 - share)).ln();
    Some(SignRow { signs, right: !truth_hidden && case.truth == Some(first), weight })
}

fn vintage(
    year: i32,
    weights: Weights,
    by_year: &[(i32, Weights)],
    time_travel: &[Example],
    left_out: &[Example],
) -> Vintage {
    // Cases of each earlier year, with weights that were fitted before that year.
    let mut folds = Vec::new();
    let (mut wrong, mut wrong_unknown) = (0.0f64, 0.0f64);
    for (earlier, fitted) in by_year.iter().filter(|(earlier, _)| *earlier < year) {
        for case in time_travel.iter().filter(|case| case.full && case.year == *earlier) {
            folds.extend(sign_row(case, fitted, false, 1.0));
        }
    }
    let mut rows = folds.clone();
    for case in left_out {
        rows.extend(sign_row(case, &weights, false, LEFT_OUT_WEIGHT));
        rows.extend(sign_row(case, &weights, true, LEFT_OUT_WEIGHT * UNKNOWN_WEIGHT));
    }
    for case in time_travel.iter().filter(|case| case.full && case.year < year) {
        let right = case.truth.is_some() && first_of(&totals(case, &weights)) == case.truth;
        wrong += f64::from(u8::from(!right));
        wrong_unknown += f64::from(u8::from(case.truth.is_none()));
    }
    let signs = fit_signs(&rows, SIGN_PENALTY);
    Vintage {
        from: new_year(year),
        cases: time_travel.iter().filter(|case| case.year < year).count(),
        weights,
        signs,
        unknown_share: (wrong_unknown / wrong.max(1.0)).clamp(0.05, 0.95),
        reliability: reliability(&folds, &signs),
    }
}

fn reliability(rows: &[SignRow], weights: &Signs) -> Vec<Bin> {
    let mut stated: Vec<(f64, bool)> =
        rows.iter().map(|row| (probability(&row.signs, weights), row.right)).collect();
    stated.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = stated.len().div_ceil(BINS).max(1);
    let bin = |bin: &[(f64, bool)]| {
        let cases = bin.len();
        let mean = |sum: f64| sum / cases as f64;
        Bin {
            cases,
            stated: mean(bin.iter().map(|(stated, _)| stated).sum()),
            right: mean(bin.iter().filter(|(_, right)| *right).count() as f64),
        }
    };
    stated.chunks(size).map(bin).collect()
}
