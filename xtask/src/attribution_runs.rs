//! Fits the numbers of attribution, and measures what they are worth on dated
//! reports (`evaluation/`).

mod baseline;
mod measures;
mod plants;

use anyhow::{Context as _, Result, bail};
use attribution::{Assessment, History, Model, Snapshot, Sourcing, Strength, assess, training};
use baseline::Baseline;
use knowledge::Day;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const MODEL: &str = "knowledge/attribution-model.json";
const CASES: &str = "../shared/data/attack/timetravel-cases.jsonl";
/// The years whose first day begins a vintage. None between 2020 and 2024: the cases of these
/// years are the test.
const VINTAGES: [i32; 5] = [2017, 2018, 2019, 2020, 2024];

/// Fits the vintages and writes them.
pub fn fit(root: &Path) -> Result<bool> {
    let history = History::new(knowledge::attack());
    let model = Model { vintages: training::fit(&history, &VINTAGES) };
    fs::write(root.join(MODEL), model.render())?;
    println!("{MODEL}: written");
    Ok(true)
}

/// One dated report.
struct Case {
    id: String,
    day: Day,
    observed: Vec<String>,
    truth: String,
    known_before: bool,
}

/// A case and what was said of it.
struct Outcome<'c> {
    case: &'c Case,
    assessment: Assessment,
    /// The place of the true actor, ties against us; `None` when it was not known.
    rank: Option<usize>,
    techniques_rank: Option<usize>,
    bm25: Option<usize>,
    /// The probability of BM25's first actor, and whether it is the right one.
    baseline: (f64, bool),
}

impl Outcome<'_> {
    fn first(&self) -> (&str, f64) {
        self.assessment
            .hypotheses
            .first()
            .map_or(("", 0.0), |first| (first.actor.as_str(), first.probability))
    }

    fn first_is_right(&self) -> bool {
        self.first().0 == self.case.truth
    }

    fn named_at(&self, strength: Strength) -> bool {
        self.assessment.strength.is_some_and(|given| given >= strength)
    }
}

fn cases(root: &Path, split: &str) -> Result<Vec<Case>> {
    let path = root.join(CASES);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut cases = Vec::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line)?;
        if case["split"] != split {
            continue;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        cases.push(Case {
            id: text(&case["case_id"]),
            day: Day::parse(&text(&case["date"])).context("a case without a day")?,
            observed: case["observed"].as_array().into_iter().flatten().map(text).collect(),
            truth: text(&case["truth"]),
            known_before: case["known_before"] == true,
        });
    }
    if cases.is_empty() {
        bail!("{}: no case of the split {split:?}", path.display());
    }
    Ok(cases)
}

fn run<'c>(history: &History, model: &Model, baseline: &Baseline, case: &'c Case) -> Outcome<'c> {
    let snapshot = Snapshot::new(history, case.day);
    let observed = || case.observed.iter().map(String::as_str);
    let assessment = assess(model, &snapshot, observed(), Sourcing::default());
    let techniques =
        assess(model, &snapshot, observed().filter(|id| id.starts_with('T')), Sourcing::default());
    let bm25 = baseline::scores(&snapshot, &case.observed);
    let (signs, right) = baseline::first(&bm25, &case.truth);
    let known = |rank: usize| case.known_before.then_some(rank);
    Outcome {
        rank: known(rank(&assessment, &case.truth)),
        techniques_rank: known(rank(&techniques, &case.truth))
            .filter(|_| observed().any(|id| id.starts_with('T'))),
        bm25: known(baseline::rank(&bm25, &case.truth)),
        baseline: (baseline.probability(case.day, &signs), right),
        case,
        assessment,
    }
}

fn rank(assessment: &Assessment, truth: &str) -> usize {
    let own = assessment.hypotheses.iter().find(|hypothesis| hypothesis.actor == truth);
    let level = own.map_or(f64::INFINITY, |own| own.total - 1e-9);
    assessment.hypotheses.iter().filter(|hypothesis| hypothesis.total >= level).count().max(1)
}

/// Measures the folds alone and prints them: what is chosen is chosen on these.
pub fn evaluate_folds(root: &Path) -> Result<bool> {
    let history = History::new(knowledge::attack());
    let model = Model::built_in().map_err(anyhow::Error::msg)?;
    println!("{}", measured(root, &history, &model, "train", &mut String::new())?);
    Ok(true)
}

/// Measures the years 2017 to 2019 (folds of the training cases) and 2020 to 2023 (the test), and
/// writes both.
pub fn evaluate(root: &Path) -> Result<bool> {
    let history = History::new(knowledge::attack());
    let model = Model::built_in().map_err(anyhow::Error::msg)?;
    let mut report = String::from(
        "# What attribution is worth, measured\n\nMade by `cargo xtask evaluate`; do not edit. What each line means: [README.md](README.md).\n",
    );
    let mut rows = String::from(
        "split,case_id,date,truth,known_before,rank,first,probability,named,strength,place_without_two,place_without_exclusive\n",
    );
    for split in ["train", "test"] {
        report.push_str(&measured(root, &history, &model, split, &mut rows)?);
    }
    print!("{report}");
    fs::write(root.join("evaluation/attribution.md"), report)?;
    fs::write(root.join("evaluation/attribution-cases.csv"), rows)?;
    Ok(true)
}

fn measured(root: &Path, history: &History, model: &Model, split: &str, rows: &mut String) -> Result<String> {
    let mut cases = cases(root, split)?;
    cases.retain(|case| case.day >= Day::from_civil(2017, 1, 1).unwrap_or(Day(0)));
    let baseline = Baseline::new(history, &self::cases(root, "train")?);
    let outcomes: Vec<Outcome<'_>> = cases.iter().map(|case| run(history, model, &baseline, case)).collect();
    let title =
        if split == "train" { "Folds of the training cases, 2017–2019" } else { "Test, 2020–2023" };
    outcomes.iter().for_each(|outcome| write_row(rows, split, outcome));
    Ok(format!(
        "\n## {title}\n\n{}\n{}\n",
        measures::render(&outcomes),
        plants::render(history, model, &cases, &outcomes)
    ))
}

fn write_row(rows: &mut String, split: &str, outcome: &Outcome<'_>) {
    let Case { id, day, truth, known_before, .. } = outcome.case;
    let (first, probability) = outcome.first();
    let rank = outcome.rank.map(|rank| rank.to_string()).unwrap_or_default();
    let named = outcome.assessment.named.as_deref().unwrap_or_default();
    let strength = outcome.assessment.strength.map_or("", Strength::as_str);
    let support = outcome.assessment.support.as_ref();
    let without_two = support.map(|support| support.without_two.place.to_string()).unwrap_or_default();
    let exclusive = support.map(|support| support.without_exclusive.place.to_string()).unwrap_or_default();
    let _ = writeln!(
        rows,
        "{split},{id},{day},{truth},{known_before},{rank},{first},{probability:.4},{named},{strength},{without_two},{exclusive}"
    );
}
