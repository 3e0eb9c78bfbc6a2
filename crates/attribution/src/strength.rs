//! How strongly an actor is named: what the verdict would survive.

use crate::assess::{NAMED_FROM, Sourcing, Weighed, weigh};
use crate::model::Vintage;
use crate::score::Observed;
use crate::snapshot::Snapshot;
use crate::weighing::Weighing;

/// *Moderate* needs the actor to be known for at least this share of the observed techniques.
const TECHNIQUES_SHARE_MIN: f64 = 0.3;
/// The smallest set is looked for up to this size.
const SMALLEST_SET_MAX: usize = 8;

/// Quality of what a name rests on; never multiplied with a probability.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// The name may hang on one or two items.
    Low,
    /// The actor still comes first without its two strongest items, and without every tool that no
    /// other actor is known for, and the way of working agrees.
    Moderate,
    /// That, and it rests on two groups of sources that do not depend on each other.
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
    /// Whether the actor still comes first without its two strongest items, and without every
    /// software that no other actor is known for, and the way of working agrees.
    pub fn survives(&self) -> bool {
        let (known, observed) = self.techniques;
        let agrees = known as f64 >= TECHNIQUES_SHARE_MIN * observed as f64 && known > 0;
        agrees && self.without_two.place == 1 && self.without_exclusive.place == 1
    }

    /// The strength, by the rules in `docs/attribution.md`.
    pub fn strength(&self, sourcing: Sourcing) -> Strength {
        if !self.has_software || !self.survives() || sourcing.circular {
            Strength::Low
        } else if sourcing.independent_groups >= 2 {
            Strength::High
        } else {
            Strength::Moderate
        }
    }
}

/// What the name of the actor at `first` rests on.
pub(crate) fn support(
    vintage: &Vintage,
    snapshot: &Snapshot<'_>,
    observed: &Observed,
    weighed: &Weighed,
    first: usize,
) -> Support {
    let weights = vintage.weights.of(observed.software_is_known(snapshot));
    let weighing = Weighing { weights, snapshot, observed };
    let items = weighing.by_strength(&weighed.totals, first);
    let strongest = |count: usize| items.iter().take(count).map(|(item, _)| *item).collect::<Vec<_>>();
    let without = |left_out: &[usize]| loss(vintage, snapshot, observed, first, left_out);
    let ends = |count: &usize| {
        let loss = without(&strongest(*count));
        loss.place > 1 || loss.first < NAMED_FROM
    };
    let smallest = (1..=SMALLEST_SET_MAX.min(observed.items.len())).find(ends).unwrap_or(0);
    let actor = &snapshot.actors[first];
    let known = observed.features().filter(|f| snapshot.history.is_technique(*f) && actor.knows(*f)).count();
    let id = |item: usize| observed.items[item].0.clone();
    Support {
        smallest_set: strongest(smallest).into_iter().map(id).collect(),
        without_two: without(&strongest(2)),
        without_exclusive: without(&weighing.exclusive(first)),
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
