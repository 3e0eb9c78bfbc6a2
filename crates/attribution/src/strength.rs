//! How strongly an actor is named: what the verdict would survive.

use crate::assess::{NAMED_FROM, Sourcing, Weighed, weigh};
use crate::model::Vintage;
use crate::score::{Observed, Query, total};
use crate::snapshot::Snapshot;

/// After the loss of its two strongest items the actor must still come first, with this probability.
const SURVIVES_FROM: f64 = 0.5;
/// *Moderate* needs the techniques alone to put the actor among so many.
const TECHNIQUES_RANK_MAX: usize = 3;
/// The smallest set is looked for up to this size.
const SMALLEST_SET_MAX: usize = 8;

/// Quality of what a name rests on; never multiplied with a probability.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// The name may hang on one or two items.
    Low,
    /// It survives the loss of its two strongest items, and the way of working agrees with it.
    Moderate,
    /// And it rests on two groups of sources that do not depend on each other.
    High,
}

impl Strength {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
        }
    }
}

/// What the name of the first actor rests on.
#[derive(Clone, PartialEq, Debug)]
pub struct Support {
    /// Items by what they add to the actor's lead over the second one, most first.
    pub items: Vec<(String, f64)>,
    /// The smallest set of items found whose loss ends the verdict; empty: none of up to eight.
    pub smallest_set: Vec<String>,
    /// The probability of the actor without its two strongest items; 0 when another comes first.
    pub without_two: f64,
    /// The place of the actor by techniques alone, from 1.
    pub techniques_rank: usize,
    /// Whether any software is among what was observed.
    pub has_software: bool,
}

impl Support {
    /// The strength, by the rules in `docs/attribution.md`.
    pub fn strength(&self, sourcing: Sourcing) -> Strength {
        let survives = self.without_two >= SURVIVES_FROM && self.smallest_set.len() != 1;
        if !self.has_software || !survives || self.techniques_rank > TECHNIQUES_RANK_MAX {
            Strength::Low
        } else if sourcing.independent_groups >= 2 {
            Strength::High
        } else {
            Strength::Moderate
        }
    }
}

pub(crate) fn support(
    vintage: &Vintage,
    snapshot: &Snapshot<'_>,
    observed: &Observed,
    weighed: &Weighed,
    first: usize,
) -> Support {
    let second = (0..weighed.totals.len())
        .filter(|at| *at != first)
        .max_by(|a, b| weighed.totals[*a].total_cmp(&weighed.totals[*b]).then(b.cmp(a)));
    let mut items: Vec<(usize, f64)> = (0..observed.items.len())
        .map(|item| (item, lead_lost(vintage, snapshot, observed, weighed, (first, second), item)))
        .collect();
    items.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let without = |count: usize| {
        let left_out: Vec<usize> = items.iter().take(count).map(|(item, _)| *item).collect();
        let weighed = weigh(vintage, snapshot, &observed.without(&left_out));
        if weighed.first == Some(first) { weighed.confidence } else { 0.0 }
    };
    let smallest = (1..=SMALLEST_SET_MAX.min(observed.items.len())).find(|count| without(*count) < NAMED_FROM);
    let id = |item: usize| observed.items[item].0.clone();
    Support {
        smallest_set: items.iter().take(smallest.unwrap_or(0)).map(|(item, _)| id(*item)).collect(),
        without_two: without(2),
        techniques_rank: techniques_rank(vintage, snapshot, observed, first),
        has_software: observed.techniques < observed.items.len(),
        items: items.into_iter().map(|(item, lead)| (id(item), lead)).collect(),
    }
}

/// How much of the first actor's lead over the second one goes with one item.
fn lead_lost(
    vintage: &Vintage,
    snapshot: &Snapshot<'_>,
    observed: &Observed,
    weighed: &Weighed,
    (first, second): (usize, Option<usize>),
    item: usize,
) -> f64 {
    let without = observed.without(&[item]);
    let query = Query::new(snapshot, &without);
    let lost = |at: usize| weighed.totals[at] - total(&query.measures(&snapshot.actors[at]), &vintage.weights);
    lost(first) - second.map_or(0.0, lost)
}

fn techniques_rank(vintage: &Vintage, snapshot: &Snapshot<'_>, observed: &Observed, first: usize) -> usize {
    let software: Vec<usize> =
        observed.items.iter().enumerate().filter(|(_, (id, _))| !id.starts_with('T')).map(|(at, _)| at).collect();
    let techniques = observed.without(&software);
    if techniques.items.is_empty() {
        return usize::MAX;
    }
    let query = Query::new(snapshot, &techniques);
    let totals: Vec<f64> =
        snapshot.actors.iter().map(|actor| total(&query.measures(actor), &vintage.weights)).collect();
    totals.iter().filter(|of| **of > totals[first] - 1e-9).count()
}
