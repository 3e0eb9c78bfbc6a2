//! The engine is the naive matcher, on random rules and random records.
//!
//! Rules come from a grammar of everything that a rule may write
//! ([`grammar`]), records come close to what the rules ask ([`records`]). Both
//! shrink to the smallest rule and record on which the matchers differ.
//!
//! The run is the same each time. `PROPTEST_CASES` makes it longer,
//! `PROPTEST_RNG_SEED` another one.

mod grammar;
mod records;

use crate::logsource::Source;
use crate::rule::Rule;
use crate::{Engine, LoadOptions, RuleText, load, naive};
use grammar::RuleSet;
use model::{Position, Record};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use records::{Draft, Own};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

const CASES: u32 = 3_000;
const SEED: u64 = 2021;

/// Modifiers that rules may write.
const MODIFIERS: &[&str] = &[
    "contains",
    "startswith",
    "endswith",
    "all",
    "neq",
    "cased",
    "re",
    "i",
    "m",
    "s",
    "windash",
    "expand",
    "base64",
    "base64offset",
    "wide",
    "utf16le",
    "utf16be",
    "utf16",
    "cidr",
    "exists",
    "fieldref",
    "lt",
    "lte",
    "gt",
    "gte",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
];

/// What a run has seen.
#[derive(Default)]
struct Seen {
    written: usize,
    loaded: usize,
    records: usize,
    matches: usize,
    /// Modifiers of rules that matched, and of those that did not, how often.
    matched: BTreeMap<&'static str, usize>,
    missed: BTreeMap<&'static str, usize>,
}

#[test]
fn engine_is_naive_on_random_rules() {
    let mut config = Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    let seen = RefCell::new(Seen::default());
    let result = TestRunner::new(config)
        .run(&(grammar::rule_sets(), records::records()), |(rules, drafts)| {
            compare(&rules, &drafts, &mut seen.borrow_mut())
        });
    match result {
        Ok(()) => {}
        // The reason draws rules and record; the trees that they were made from say no more.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(TestError::Abort(reason)) => panic!("aborted: {reason}"),
    }
    let Seen { written, loaded, records, matches, matched, missed } = seen.into_inner();
    eprintln!("{loaded} of {written} rules, {records} records, {matches} matches");
    assert!(loaded * 10 > written * 9, "{loaded} of {written} rules load");
    assert!(matches * 4 > records, "{matches} matches in {records} records");
    for modifier in MODIFIERS {
        assert!(matched.contains_key(modifier), "no rule with `{modifier}` matched: {matched:?}");
        assert!(missed.contains_key(modifier), "each rule with `{modifier}` matched: {missed:?}");
    }
}

/// Shows each record twice, with others of the same shape between, since the engine remembers.
fn compare(rules: &RuleSet, drafts: &[Draft], seen: &mut Seen) -> Result<(), TestCaseError> {
    let text = rules.written();
    let mut options = LoadOptions::default();
    for (name, values) in grammar::PLACEHOLDER_VALUES {
        options.placeholders.insert(name.into(), values.iter().map(|value| (*value).to_owned()).collect());
    }
    let loaded = load([RuleText { file: "f", text: &text }], &options).rules;
    let engine = Engine::new(loaded);
    seen.written += rules.rules.len();
    seen.loaded += engine.rules().len();
    let mut met = vec![false; engine.rules().len()];
    for draft in drafts {
        let made = draft.make(engine.rules());
        let shape = Arc::new(made.shape);
        let mut turned = made.values.clone();
        turned.rotate_left(1.min(made.values.len()));
        let alike: Vec<Own> = made.values.iter().map(Own::alike).collect();
        for values in [&made.values, &alike, &turned, &made.values] {
            let found = records::with_values(values, |values| {
                let record = Record { shape: &shape, values, position: Position::default(), time: None };
                for (met, rule) in met.iter_mut().zip(engine.rules()) {
                    // What a source asks of single fields does not count here.
                    let source = |source: &Source| Source { only: None, ..source.clone() };
                    *met |= rule.sources.iter().any(|own| naive::admits(&source(own), &record));
                }
                agree(&engine, &record)
                    .map_err(|why| TestCaseError::fail(format!("{why}\n{text}\n{}", drawn(&record))))
            })?;
            seen.records += 1;
            seen.matches += found.len();
            for (index, rule) in engine.rules().iter().enumerate() {
                let counts = if found.contains(&index) { &mut seen.matched } else { &mut seen.missed };
                rules
                    .modifiers(number(rule))
                    .into_iter()
                    .for_each(|modifier| *counts.entry(modifier).or_default() += 1);
            }
        }
    }
    let own = engine.met();
    if own != met {
        return Err(TestCaseError::fail(format!("met: engine {own:?}, naive {met:?}\n{text}")));
    }
    Ok(())
}

/// The number that [`RuleSet::written`] gave to the rule.
fn number(rule: &Rule) -> usize {
    rule.id.trim_start_matches('r').parse().unwrap()
}

/// The rules that match, by all entrances, or how they differ.
fn agree(engine: &Engine, record: &Record<'_>) -> Result<BTreeSet<usize>, String> {
    let slow: Vec<usize> =
        (0..engine.rules().len()).filter(|rule| naive::matches(&engine.rules()[*rule], record)).collect();
    let mut worker = engine.worker();
    let mut fast = Vec::new();
    worker.find(record, &mut |rule| fast.push(rule));
    if fast != slow {
        return Err(format!("engine {fast:?}, naive {slow:?}"));
    }
    fast.clear();
    let mut wrong = None;
    worker.find_with_slots(record, &mut |rule, slots| {
        fast.push(rule);
        let own = naive::matched_slots(&engine.rules()[rule], record);
        if !own.iter().copied().eq(slots.iter().map(|slot| *slot as usize)) {
            wrong = Some(format!("slots of rule {rule}: engine {slots:?}, naive {own:?}"));
        }
    });
    match wrong {
        Some(wrong) => Err(wrong),
        None if fast != slow => Err(format!("with slots: engine {fast:?}, naive {slow:?}")),
        None => Ok(slow.into_iter().collect()),
    }
}

fn drawn(record: &Record<'_>) -> String {
    let mut out =
        format!("{:?} {:?} fold {}\n", record.shape.family, record.shape.log, record.shape.fold_case);
    for (index, slot) in record.shape.slots.iter().enumerate() {
        let _ = writeln!(out, "  {}: {:?}", slot.name, record.value(index));
    }
    out
}
