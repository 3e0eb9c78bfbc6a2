//! How strongly an actor is named: what the verdict would survive.

use crate::assess::{NAMED_FROM, Sourcing, Weighed, weigh};
use crate::history::Feature;
use crate::model::Vintage;
use crate::score::{Observed, Query, total};
use crate::snapshot::Snapshot;

/// *Moderate* needs the actor to be known for at least this share of the observed techniques.
const TECHNIQUES_SHARE_MIN: f64 = 0.3;
/// The smallest set is looked for up to this size.
const SMALLEST_SET_MAX: usize = 8;

/// Quality of what a name rests on; never multiplied with a probability.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// The name may hang on one or two items.
    Low,
    /// The actor still comes first without every tool that no other actor is known for, the loss
    /// of the two strongest items gives the name to nobody else, and the way of working agrees.
    Moderate,
    /// It still comes first without the two strongest items, too, and rests on two groups of sources that do not depend on each other.
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
    /// What becomes of the actor without the two strongest items.
    pub without_two: Loss,
    /// What becomes of it without every software that no other actor is known for, the easiest
    /// thing to plant.
    pub without_exclusive: Loss,
    /// How many of the observed techniques the actor is known for, and how many there are.
    pub techniques: (usize, usize),
    /// Whether any software is among what was observed.
    pub has_software: bool,
}

/// The verdict after the loss of some items.
#[derive(Clone, PartialEq, Debug)]
pub struct Loss {
    /// What was lost.
    pub items: Vec<String>,
    /// The place of the actor, from 1; actors level with it stand before it.
    pub place: usize,
    /// The probability of whoever comes first.
    pub first: f64,
    /// Whether somebody else would be named.
    pub names_another: bool,
}

impl Support {
    /// The strength, by the rules in `docs/attribution.md`.
    pub fn strength(&self, sourcing: Sourcing) -> Strength {
        let (known, observed) = self.techniques;
        let agrees = known as f64 >= TECHNIQUES_SHARE_MIN * observed as f64 && known > 0;
        let stands = self.without_exclusive.place == 1 && !self.without_two.names_another;
        if !self.has_software || !agrees || !stands || sourcing.circular {
            Strength::Low
        } else if sourcing.independent_groups >= 2 && self.without_two.place == 1 {
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
    let strongest = |count: usize| items.iter().take(count).map(|(item, _)| *item).collect::<Vec<_>>();
    let without = |left_out: &[usize]| loss(vintage, snapshot, observed, first, left_out);
    let ends = |count: &usize| {
        let loss = without(&strongest(*count));
        loss.place > 1 || loss.first < NAMED_FROM
    };
    let smallest = (1..=SMALLEST_SET_MAX.min(observed.items.len())).find(ends).unwrap_or(0);
    let actor = &snapshot.actors[first];
    let is_exclusive = |item: &usize| {
        let (id, feature) = &observed.items[*item];
        let only = |feature: Feature| snapshot.holders[feature as usize] == 1 && actor.knows(feature);
        !id.starts_with('T') && feature.is_some_and(only)
    };
    let exclusive: Vec<usize> = (0..observed.items.len()).filter(is_exclusive).collect();
    let known = observed.features().filter(|f| snapshot.history.is_technique(*f) && actor.knows(*f)).count();
    let id = |item: usize| observed.items[item].0.clone();
    Support {
        smallest_set: strongest(smallest).into_iter().map(id).collect(),
        without_two: without(&strongest(2)),
        without_exclusive: without(&exclusive),
        techniques: (known, observed.techniques),
        has_software: observed.techniques < observed.items.len(),
        items: items.iter().map(|(item, lead)| (id(*item), *lead)).collect(),
    }
}

fn loss(
    vintage: &Vintage,
    snapshot: &Snapshot<'_>,
    observed: &Observed,
    actor: usize,
    left_out: &[usize],
) -> Loss {
    let weighed = weigh(vintage, snapshot, &observed.without(left_out));
    let level = weighed.totals[actor] - 1e-9;
    Loss {
        items: left_out.iter().map(|item| observed.items[*item].0.clone()).collect(),
        place: weighed.totals.iter().filter(|total| **total >= level).count(),
        first: weighed.confidence,
        names_another: weighed.first.is_some_and(|first| first != actor) && weighed.confidence >= NAMED_FROM,
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
    let lost =
        |at: usize| weighed.totals[at] - total(&query.measures(&snapshot.actors[at]), &vintage.weights);
    lost(first) - second.map_or(0.0, lost)
}
