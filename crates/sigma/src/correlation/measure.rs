//! What the events of one timespan amount to, kept while they come and go.
//!
//! # Not here
//! Which events those are.

use super::Correlation;
use super::read::{Bound, Kind};
use crate::detection::{Number, Operator};
use crate::naive::number_of;
use crate::pipeline::evaluate;
use model::Value;
use rsigma_parser::ConditionExpr;
use std::collections::BTreeMap;

/// Numbers are summed in millionths, exactly, so that no order of events
/// changes a sum.
const PARTS: f64 = 1e6;
const NUMBER_MAX: f64 = 1e18;

/// One event, as long as it is in the timespan.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) time: i64,
    pub(super) input: usize,
    pub(super) ground: u64,
    /// Its value, folded; several fields are parted by a zero.
    pub(super) value: String,
    /// The same as a number, in millionths.
    pub(super) number: i128,
}

/// The number that a text is, in millionths.
pub(super) fn number(text: &str) -> Option<i128> {
    match number_of(&Value::Utf8(text))? {
        Number::Int(number) => Some(i128::from(number) * PARTS as i128),
        Number::Float(number) => (number.abs() < NUMBER_MAX).then_some((number * PARTS).round() as i128),
    }
}

/// Sums over the events of a timespan.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    events: u64,
    sum: i128,
    by_input: Vec<u64>,
    by_value: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn add(&mut self, correlation: &Correlation, held: &Held) {
        self.by_input.resize(correlation.inputs.len(), 0);
        self.events += 1;
        self.sum += held.number;
        self.by_input[held.input] += 1;
        if correlation.kind == Kind::ValueCount {
            *self.by_value.entry(held.value.clone()).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, held: &Held) {
        self.events -= 1;
        self.sum -= held.number;
        self.by_input[held.input] -= 1;
        if let Some(count) = self.by_value.get_mut(&held.value) {
            *count -= 1;
            if *count == 0 {
                self.by_value.remove(&held.value);
            }
        }
    }

    /// What the condition compares; `chain`: how many rules were seen in order.
    pub(super) fn measure(&self, kind: Kind, chain: usize) -> f64 {
        match kind {
            Kind::EventCount => self.events as f64,
            Kind::ValueCount => self.by_value.len() as f64,
            Kind::ValueSum | Kind::ValuePercentile => self.sum as f64 / PARTS,
            Kind::ValueAvg => self.sum as f64 / PARTS / self.events.max(1) as f64,
            Kind::Temporal => self.by_input.iter().filter(|count| **count > 0).count() as f64,
            Kind::TemporalOrdered => chain as f64,
        }
    }

    /// Whether the correlation holds.
    pub(super) fn holds(&self, correlation: &Correlation, measure: f64) -> bool {
        if let Some(expression) = &correlation.condition.expression {
            return evaluate(expression, &|name| {
                let mut inputs = correlation.inputs.iter().zip(&self.by_input);
                inputs.any(|(input, count)| input.named == name && *count > 0)
            });
        }
        if correlation.condition.bounds.is_empty() {
            return measure == correlation.inputs.len() as f64;
        }
        correlation.condition.holds(measure)
    }
}

impl super::read::Condition {
    pub(super) fn holds(&self, measure: f64) -> bool {
        self.bounds.iter().all(|(bound, number)| bound.holds(measure, *number))
    }
}

/// Whether the correlation can be asked at each event, since no later event
/// takes back that it held.
pub(super) fn is_sliding(correlation: &Correlation) -> bool {
    let grows = |bound: &Bound| matches!(bound, Bound::Is(Operator::Greater | Operator::GreaterOrEqual));
    correlation.kind != Kind::ValuePercentile
        && correlation.condition.bounds.iter().all(|(bound, _)| grows(bound))
        && !correlation.condition.expression.as_ref().is_some_and(has_not)
}

fn has_not(expression: &ConditionExpr) -> bool {
    match expression {
        ConditionExpr::And(parts) | ConditionExpr::Or(parts) => parts.iter().any(has_not),
        ConditionExpr::Not(_) => true,
        _ => false,
    }
}

/// The percentile of the events' numbers, by the nearest rank.
pub(super) fn percentile(events: &[Held], percent: f64) -> Option<f64> {
    let mut numbers: Vec<i128> = events.iter().map(|held| held.number).collect();
    numbers.sort_unstable();
    let rank = (percent / 100.0 * numbers.len() as f64).ceil().max(1.0) as usize;
    Some(*numbers.get(rank - 1)? as f64 / PARTS)
}

/// For each value its share among the events, in percent.
pub(super) fn shares(events: &[Held]) -> BTreeMap<&str, f64> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    events.iter().for_each(|held| *counts.entry(held.value.as_str()).or_default() += 1);
    let all = events.len() as f64;
    counts.into_iter().map(|(value, count)| (value, count as f64 * 100.0 / all)).collect()
}
