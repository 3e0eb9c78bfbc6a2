//! What a runner saw of each group, whether the correlation held or not: so
//! that it can be said why.
//!
//! # Not here
//! When a correlation holds.

use super::Correlation;
use super::measure::Held;
use super::read::Bound;
use crate::detection::Operator;
use model::Timestamp;
use std::collections::BTreeMap;

/// Groups that are watched; the others are counted.
const GROUPS_MAX: usize = 10_000;
/// Events of a window that are named.
const GROUNDS_MAX: usize = 20;

/// One group, and the timespan in which the correlation came nearest to holding.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// The values of `group-by`, as its first event has them.
    pub group: Vec<String>,
    /// Timespans of which was asked.
    pub asked: u64,
    /// The one in which the correlation held, or came nearest to it.
    pub best: Window,
}

/// The events of one timespan.
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    /// Whether the correlation holds.
    pub holds: bool,
    /// What the condition compares.
    pub measure: f64,
    /// The value that it is about (`value_percentile`).
    pub value: Option<String>,
    /// Its first event.
    pub first: Timestamp,
    /// Its last event.
    pub last: Timestamp,
    /// By input, how many events.
    pub events: Vec<u64>,
    /// Numbers of its last events, by time; 20 at most.
    pub grounds: Vec<u64>,
}

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Watch {
    groups: BTreeMap<Vec<String>, (f64, Seen)>,
    beyond: u64,
}

impl Watch {
    /// Notes a timespan of which was asked: the group's key and its values, the events, what was measured.
    pub(super) fn note<'h>(
        &mut self,
        correlation: &Correlation,
        (key, group): (&[String], &[String]),
        events: impl Iterator<Item = &'h Held> + Clone,
        (measure, value, holds): (f64, Option<&str>, bool),
    ) {
        let distance = if holds { 0.0 } else { distance(correlation, measure).max(f64::MIN_POSITIVE) };
        if !self.groups.contains_key(key) && self.groups.len() >= GROUPS_MAX {
            self.beyond += 1;
            return;
        }
        let known = self.groups.get_mut(key);
        // Of timespans that hold the first is kept, so that a long series is not walked at each event.
        let is_nearer = known.as_ref().is_none_or(|(own, seen)| {
            distance < *own || (distance == *own && !holds && measure > seen.best.measure)
        });
        let best = is_nearer.then(|| window(correlation, events, measure, value, holds));
        match (known, best) {
            (Some((own, seen)), best) => {
                seen.asked += 1;
                if let Some(best) = best {
                    (*own, seen.best) = (distance, best);
                }
            }
            (None, Some(best)) => {
                let seen = Seen { group: group.to_vec(), asked: 1, best };
                self.groups.insert(key.to_vec(), (distance, seen));
            }
            (None, None) => {}
        }
    }

    /// The groups, those nearest to holding first, and how many times one was met that is not among them.
    pub(super) fn finish(self) -> (Vec<Seen>, u64) {
        let mut groups: Vec<(f64, Seen)> = self.groups.into_values().collect();
        groups.sort_by(|(a, x), (b, y)| {
            a.total_cmp(b).then(y.best.measure.total_cmp(&x.best.measure)).then_with(|| x.group.cmp(&y.group))
        });
        (groups.into_iter().map(|(_, seen)| seen).collect(), self.beyond)
    }
}

fn window<'h>(
    correlation: &Correlation,
    events: impl Iterator<Item = &'h Held> + Clone,
    measure: f64,
    value: Option<&str>,
    holds: bool,
) -> Window {
    let mut by_input = vec![0; correlation.inputs.len()];
    events.clone().for_each(|held| by_input[held.input] += 1);
    let time = |held: Option<&Held>| Timestamp::from_nanos(held.map_or(0, |held| held.time));
    let count = events.clone().count();
    Window {
        holds,
        measure,
        value: value.map(str::to_owned),
        first: time(events.clone().next()),
        last: time(events.clone().last()),
        events: by_input,
        grounds: events.skip(count.saturating_sub(GROUNDS_MAX)).map(|held| held.ground).collect(),
    }
}

/// How far the measure is from what the condition wants.
fn distance(correlation: &Correlation, measure: f64) -> f64 {
    let condition = &correlation.condition;
    if condition.expression.is_some() || condition.bounds.is_empty() {
        return (correlation.inputs.len() as f64 - measure).abs();
    }
    let bounds = condition.bounds.iter().map(|(bound, number)| match bound {
        bound if bound.holds(measure, *number) => 0.0,
        Bound::Is(Operator::Equal | Operator::Less | Operator::LessOrEqual) => (measure - number).abs(),
        Bound::Is(Operator::Greater | Operator::GreaterOrEqual) => number - measure,
        Bound::IsNot => 1.0,
    });
    bounds.sum()
}
