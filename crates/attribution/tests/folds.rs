//! Floors on time-ordered folds of the training years: the numbers of a year were fitted before it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, with words, and says aloud that it was skipped"
)]

use attribution::{Assessment, History, Model, Snapshot, Sourcing, Strength, assess};
use knowledge::Day;
use serde_json::Value;
use std::path::Path;

struct Outcome {
    case: Value,
    assessment: Assessment,
    techniques_only: Assessment,
}

/// The training cases of 2017 to 2019; `None`, told aloud, when the data is not there.
fn outcomes() -> Option<Vec<Outcome>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/attack/timetravel-cases.jsonl");
    if !path.is_file() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "../shared/data is missing in CI");
        eprintln!("skipped: ../shared/data is missing");
        return None;
    }
    let history = History::new(knowledge::attack());
    let model = Model::built_in().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let outcome = |line: &str| {
        let case: Value = serde_json::from_str(line).unwrap();
        let day = Day::parse(case["date"].as_str().unwrap()).unwrap();
        if case["split"] != "train" || day < Day::parse("2017-01-01").unwrap() {
            return None;
        }
        let observed: Vec<&str> =
            case["observed"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let snapshot = Snapshot::new(&history, day);
        assert_eq!(snapshot.actors() as u64, case["candidates"], "{}", case["case_id"]);
        let techniques = observed.iter().copied().filter(|id| id.starts_with('T'));
        let techniques_only = assess(&model, &snapshot, techniques, Sourcing::default());
        let assessment = assess(&model, &snapshot, observed.iter().copied(), Sourcing::default());
        Some(Outcome { assessment, techniques_only, case })
    };
    Some(text.lines().filter_map(outcome).collect())
}

fn rank(outcome: &Outcome) -> Option<usize> {
    place(outcome, &outcome.assessment)
}

fn place(outcome: &Outcome, assessment: &Assessment) -> Option<usize> {
    let of = |hypothesis: &attribution::Hypothesis| outcome.case["truth"] == hypothesis.actor.as_str();
    assessment.hypotheses.iter().position(of).map(|place| place + 1)
}

#[test]
fn folds_stay_above_their_floors() {
    let Some(outcomes) = outcomes() else { return };
    assert_eq!(outcomes.len(), 156);
    let ranks: Vec<usize> = outcomes.iter().filter_map(rank).collect();
    assert_eq!(ranks.len(), 123);
    let within = |limit: usize| ranks.iter().filter(|rank| **rank <= limit).count() as f64 / 123.0;
    assert!(
        within(1) >= 0.59 && within(3) >= 0.69 && within(10) >= 0.81,
        "{} {} {}",
        within(1),
        within(3),
        within(10)
    );
    let first = |outcome: &&Outcome| place(outcome, &outcome.techniques_only) == Some(1);
    let techniques_only = outcomes.iter().filter(first).count() as f64 / 123.0;
    assert!(techniques_only >= 0.39, "{techniques_only}");
    let named: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.assessment.named.is_some()).collect();
    let right = named.iter().filter(|outcome| rank(outcome) == Some(1)).count() as f64;
    assert!(named.len() as f64 >= 0.18 * 156.0, "{}", named.len());
    assert!(right >= 0.97 * named.len() as f64, "{right} of {}", named.len());
    assert!(named.iter().all(|outcome| outcome.case["known_before"] == true), "an unknown actor was named");
    let brier = |outcome: &Outcome| {
        let first = outcome.assessment.hypotheses[0].probability;
        (first - f64::from(u8::from(rank(outcome) == Some(1)))).powi(2)
    };
    let brier = outcomes.iter().map(brier).sum::<f64>() / 156.0;
    assert!(brier <= 0.143, "{brier}");
}

#[test]
fn probabilities_add_up_and_techniques_alone_stay_low() {
    let Some(outcomes) = outcomes() else { return };
    for Outcome { assessment, techniques_only, case } in &outcomes {
        let sum: f64 = assessment.hypotheses.iter().map(|hypothesis| hypothesis.probability).sum();
        assert!((sum + assessment.unknown - 1.0).abs() < 1e-9, "{}", case["case_id"]);
        assert!(assessment.hypotheses.windows(2).all(|pair| pair[0].probability >= pair[1].probability));
        assert!(techniques_only.strength <= Some(Strength::Low));
        // Moderate is what survives the loss of its two strongest items.
        let survives = assessment.support.as_ref().is_some_and(|support| support.without_two.place == 1);
        assert!(assessment.strength < Some(Strength::Moderate) || survives, "{}", case["case_id"]);
        // A bare list has no sources.
        assert!(assessment.strength < Some(Strength::High));
    }
}
