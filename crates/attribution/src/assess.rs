//! The verdict: hypotheses with their probabilities, whether anybody is named,
//! and how strongly.

use crate::calibrate::{SIGNS, Signs, probability, signs, spread};
use crate::model::{Model, Vintage};
use crate::score::{Measures, Observed, first_of, softmax};
use crate::snapshot::Snapshot;
use crate::strength::{Strength, Support, support};
use crate::weighing::Weighing;
use knowledge::Day;

/// An actor is named from this probability on.
pub const NAMED_FROM: f64 = 0.92;

/// One actor as a hypothesis.
#[derive(Clone, PartialEq, Debug)]
pub struct Hypothesis {
    /// Its id in ATT&CK.
    pub actor: String,
    /// The probability that it is the right one.
    pub probability: f64,
    /// Its measures ([`crate::MEASURE_NAMES`]).
    pub measures: Measures,
    /// Their weighted sum.
    pub total: f64,
}

/// Hypotheses weighed, before anybody is named.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Weighed {
    /// By position in the snapshot.
    pub totals: Vec<f64>,
    pub measures: Vec<Measures>,
    pub shares: Vec<f64>,
    pub first: Option<usize>,
    /// The signs of the first actor, and its calibrated probability.
    pub signs: Signs,
    pub confidence: f64,
}

/// What is said of what was observed.
#[derive(Clone, PartialEq, Debug)]
pub struct Assessment {
    /// The day whose knowledge was used.
    pub as_of: Day,
    /// The first day of the vintage of the fitted numbers.
    pub vintage: Day,
    /// Actors, the most probable first (equal ones by id).
    pub hypotheses: Vec<Hypothesis>,
    /// The probability of an actor that is not in the list; deception is part of it.
    pub unknown: f64,
    /// The weights of the measures that were used.
    pub weights: Measures,
    /// The signs of the first actor ([`crate::SIGN_NAMES`]).
    pub signs: Signs,
    /// The actor that is named, if any: always the first one.
    pub named: Option<String>,
    /// How strongly, when somebody is named.
    pub strength: Option<Strength>,
    /// What the strength rests on.
    pub support: Option<Support>,
    /// Whether an actor stands level with the first one.
    pub tie: bool,
    /// Why nobody is named, though the probability would do; in plain words.
    pub withheld: Option<&'static str>,
}

/// What speaks for the evidence beyond what it names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sourcing {
    /// How many groups of sources it comes from that do not depend on each other; 0: not known,
    /// as for a bare list.
    pub independent_groups: usize,
    /// Whether the first actor's profile rests on reports about these very intrusions: findings and
    /// profile then confirm nothing, and the strength is low.
    pub circular: bool,
}

/// Weighs what was observed against the actors of the snapshot.
///
/// Nobody is named when no item is known for any actor, when two stand level, or when the numbers
/// for that day were not fitted on its past.
pub fn assess<'i>(
    model: &Model,
    snapshot: &Snapshot<'_>,
    observed: impl IntoIterator<Item = &'i str>,
    sourcing: Sourcing,
) -> Assessment {
    let (vintage, of_the_past) = model.vintage(snapshot.day);
    let observed = Observed::new(snapshot, observed);
    let weighed = weigh(vintage, snapshot, &observed);
    let (hypotheses, unknown) = hypotheses(vintage, snapshot, &weighed);
    let tie = matches!(hypotheses.as_slice(), [a, b, ..] if (a.total - b.total).abs() < 1e-9);
    let mut assessment = Assessment {
        as_of: snapshot.day,
        vintage: vintage.from,
        hypotheses,
        unknown,
        weights: *vintage.weights.of(observed.software_is_known(snapshot)),
        signs: weighed.signs,
        named: None,
        strength: None,
        support: None,
        tie,
        withheld: None,
    };
    let Some(first) = weighed.first.filter(|_| weighed.confidence >= NAMED_FROM) else {
        return assessment;
    };
    if !of_the_past {
        assessment.withheld =
            Some("there are too few earlier cases to say how often such a name would be right");
    } else if tie {
        assessment.withheld = Some("two actors stand level");
    } else {
        let support = support(vintage, snapshot, &observed, &weighed, first);
        if support.techniques.0 == 0 && support.techniques.1 > 0 {
            // A tool alone is too easily planted, shared or sold.
            assessment.withheld = Some("the actor is known for none of the observed techniques");
            return assessment;
        }
        assessment.strength = Some(support.strength(sourcing));
        assessment.named = Some(snapshot.actor_id(first).to_owned());
        assessment.support = Some(support);
    }
    assessment
}

/// The two stages, for all actors.
pub(crate) fn weigh(vintage: &Vintage, snapshot: &Snapshot<'_>, observed: &Observed) -> Weighed {
    let weights = vintage.weights.of(observed.software_is_known(snapshot));
    let (measures, totals) = Weighing { weights, snapshot, observed }.whole();
    let shares = softmax(&totals);
    // Without one known item there is nothing to weigh: who is active is no evidence.
    let first = first_of(&totals).filter(|_| observed.features().any(|f| snapshot.has_to_do_with(f)));
    let (signs, confidence) = first.map_or(([0.0; SIGNS], 0.0), |first| {
        let signs = signs(snapshot, observed, &measures, first, shares[first]);
        (signs, probability(&signs, &vintage.signs))
    });
    Weighed { totals, measures, shares, first, signs, confidence }
}

fn hypotheses(vintage: &Vintage, snapshot: &Snapshot<'_>, weighed: &Weighed) -> (Vec<Hypothesis>, f64) {
    let (probabilities, unknown) = match weighed.first {
        Some(first) => spread(&weighed.shares, first, weighed.confidence, vintage.unknown_share),
        // Nothing is known: all actors are equally improbable.
        None => (vec![0.0; snapshot.actors()], 1.0),
    };
    let mut hypotheses: Vec<Hypothesis> = (0..snapshot.actors())
        .map(|at| Hypothesis {
            actor: snapshot.actor_id(at).to_owned(),
            probability: probabilities[at],
            measures: weighed.measures[at],
            total: weighed.totals[at],
        })
        .collect();
    hypotheses.sort_by(|a, b| {
        b.probability
            .total_cmp(&a.probability)
            .then(b.total.total_cmp(&a.total))
            .then_with(|| a.actor.cmp(&b.actor))
    });
    (hypotheses, unknown)
}
