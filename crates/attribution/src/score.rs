//! The first stage: how well what was observed fits what is known of each actor.
//!
//! Ten measures of likeness and two of how active an actor is, weighted and
//! added. All of them are sums over observed items or over reports, so that
//! each can be taken apart and done again by hand (`docs/attribution.md`).

use crate::history::Feature;
use crate::snapshot::{B, K1, KnownActor, Snapshot};

/// How many measures there are.
pub const MEASURES: usize = 12;
/// How many of them vote for an actor by being highest for it: those of likeness that start at zero.
pub(crate) const VOTING: usize = 9;
/// What the measures are called, in their order.
pub const MEASURE_NAMES: [&str; MEASURES] = [
    "nearest report",
    "three nearest reports",
    "software",
    "malware",
    "techniques, by how often they recur",
    "techniques, known or not",
    "software described with the actor",
    "techniques of its software",
    "nearest software",
    "how often its reports name it",
    "reports of two years",
    "age of the last report",
];
/// Chance that a report on an actor names a technique it is known for, before its prevalence.
const KNOWN_TECHNIQUE: f64 = 0.30;
/// How many mentions of an average actor each actor is granted before its own ones.
const GRANTED_MENTIONS: f64 = 30.0;
/// Size of a profile from which an unknown technique counts in full against the actor.
const FULL_PROFILE: f64 = 60.0;

/// The measures of one actor, in the order of [`MEASURE_NAMES`].
pub type Measures = [f64; MEASURES];

/// What was observed, ready for a snapshot: ids that no actor has to do with are `None`.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Observed {
    /// Sorted by id, once each.
    pub items: Vec<(String, Option<Feature>)>,
    pub techniques: usize,
}

impl Observed {
    pub fn new<'i>(snapshot: &Snapshot<'_>, ids: impl IntoIterator<Item = &'i str>) -> Self {
        let mut ids: Vec<&str> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let items: Vec<_> = ids.into_iter().map(|id| (id.to_owned(), snapshot.history.feature(id))).collect();
        let techniques = items.iter().filter(|(id, _)| id.starts_with('T')).count();
        Self { items, techniques }
    }

    /// The same without the items at `left_out` (sorted positions).
    pub fn without(&self, left_out: &[usize]) -> Self {
        let kept = self.items.iter().enumerate().filter(|(index, _)| !left_out.contains(index));
        let items: Vec<_> = kept.map(|(_, item)| item.clone()).collect();
        let techniques = items.iter().filter(|(id, _)| id.starts_with('T')).count();
        Self { items, techniques }
    }

    /// Whether any software is among it that an actor of the day has to do with.
    pub fn software_is_known(&self, snapshot: &Snapshot<'_>) -> bool {
        self.features()
            .any(|feature| !snapshot.history.is_technique(feature) && snapshot.has_to_do_with(feature))
    }

    pub fn features(&self) -> impl Iterator<Item = Feature> {
        self.items.iter().filter_map(|(_, feature)| *feature)
    }
}

/// What a scoring run needs to know of the observed items, computed once.
pub(crate) struct Query<'s, 'h> {
    snapshot: &'s Snapshot<'h>,
    observed: &'s Observed,
    is_observed: Vec<bool>,
    /// Squared rarity of each feature that is observed.
    squares: Vec<f64>,
    length: f64,
    /// Likeness of the observed techniques to each software.
    likeness: Vec<f64>,
}

impl<'s, 'h> Query<'s, 'h> {
    pub fn new(snapshot: &'s Snapshot<'h>, observed: &'s Observed) -> Self {
        let mut is_observed = vec![false; snapshot.history.len()];
        let mut squares = vec![0.0; snapshot.history.len()];
        let mut length = 0.0;
        for (_, feature) in &observed.items {
            let square = snapshot.rarity(*feature).powi(2);
            length += square;
            if let Some(feature) = feature {
                is_observed[*feature as usize] = true;
                squares[*feature as usize] = square;
            }
        }
        let techniques: Vec<Feature> =
            observed.features().filter(|f| snapshot.history.is_technique(*f)).collect();
        let likeness = snapshot.tools.likeness(&techniques, &is_observed);
        Self { snapshot, observed, is_observed, squares, length: length.sqrt() + 1e-9, likeness }
    }

    /// The measures of all actors of the snapshot, in its order.
    pub fn all(&self) -> Vec<Measures> {
        (0..self.snapshot.actors.len()).map(|at| self.measures(at)).collect()
    }

    /// The measures of the actor at position `at`.
    pub fn measures(&self, at: usize) -> Measures {
        let actor = &self.snapshot.actors[at];
        let (nearest, three_nearest) = self.reports(actor);
        let (software, malware) = self.software(actor);
        let (recurring, bernoulli) = self.techniques(actor);
        [
            nearest,
            three_nearest,
            software,
            malware,
            recurring,
            bernoulli,
            self.described(actor),
            self.snapshot.tools.implied(at, actor, &self.is_observed),
            self.snapshot.tools.nearest(at, &self.likeness),
            self.mentions(actor),
            actor.active,
            actor.recency,
        ]
    }

    fn sum_of_squares(&self, features: &[Feature]) -> f64 {
        features.iter().map(|feature| self.squares[*feature as usize]).sum()
    }

    /// Likeness to single reports: of the nearest one with the software it describes, and the sum
    /// of the three nearest ones without.
    fn reports(&self, actor: &KnownActor) -> (f64, f64) {
        let mut nearest = 0.0f64;
        let mut top = [0.0f64; 3];
        for report in &actor.reports {
            let document = self.sum_of_squares(&report.document);
            if document > 0.0 {
                nearest = nearest.max(document / (self.length * report.document_length));
                let found = self.sum_of_squares(&report.found) / (self.length * report.found_length);
                if found > top[2] {
                    top[2] = found;
                    top.sort_by(|a, b| b.total_cmp(a));
                }
            }
        }
        (nearest, top.iter().sum())
    }

    /// BM25's normalisation by how many software the actor is known for.
    fn norm(&self, actor: &KnownActor) -> f64 {
        (K1 + 1.0) / (1.0 + K1 * (1.0 - B + B * actor.software as f64 / self.snapshot.mean_software))
    }

    /// The rarest software described with the actor; one text that lists tools names many at once,
    /// so they do not add up.
    fn described(&self, actor: &KnownActor) -> f64 {
        let observed = actor.described.iter().filter(|feature| self.is_observed[**feature as usize]);
        let rarities = observed.map(|feature| self.snapshot.described_rarity(*feature));
        self.norm(actor) * rarities.fold(0.0, f64::max)
    }

    /// The log likelihood ratio of the observed items as drawn from what the actor's reports name,
    /// smoothed by what all reports name (a Dirichlet prior), against drawn from all reports.
    fn mentions(&self, actor: &KnownActor) -> f64 {
        let ratio = |feature: Feature| {
            let background = self.snapshot.background(feature);
            let smoothed = (actor.mentions_of(feature) + GRANTED_MENTIONS * background)
                / (actor.mentions + GRANTED_MENTIONS);
            (smoothed / background).ln()
        };
        self.observed.features().map(ratio).sum()
    }

    fn software(&self, actor: &KnownActor) -> (f64, f64) {
        let norm = self.norm(actor);
        let (mut software, mut malware) = (0.0, 0.0);
        for feature in self.observed.features().filter(|f| !self.snapshot.history.is_technique(*f)) {
            let known = actor.knows(feature);
            if known || actor.linked.binary_search(&feature).is_ok() {
                software += self.snapshot.linked_rarity(feature);
            }
            if known && self.snapshot.history.is_malware(feature) {
                malware += self.snapshot.rarity(Some(feature));
            }
        }
        (norm * software, norm * malware)
    }

    fn techniques(&self, actor: &KnownActor) -> (f64, f64) {
        let not_known = (1.0 - KNOWN_TECHNIQUE * (actor.length / FULL_PROFILE).min(1.0)).ln();
        let actors = self.snapshot.actors.len() as f64 + 1.0;
        let (mut recurring, mut bernoulli) = (0.0, 0.0);
        for (id, feature) in &self.observed.items {
            match feature.filter(|feature| actor.knows(*feature)) {
                _ if !id.starts_with('T') => {}
                Some(feature) => {
                    let prevalence = (f64::from(self.snapshot.holders[feature as usize]) + 0.5) / actors;
                    recurring += self.snapshot.stickiness(feature);
                    bernoulli += ((KNOWN_TECHNIQUE + (1.0 - KNOWN_TECHNIQUE) * prevalence) / prevalence).ln();
                }
                None => bernoulli += not_known,
            }
        }
        (recurring / (1.0 + K1 * actor.length / self.snapshot.mean_profile), bernoulli)
    }
}

/// The weighted sum of measures.
pub(crate) fn total(measures: &Measures, weights: &Measures) -> f64 {
    measures.iter().zip(weights).map(|(measure, weight)| measure * weight).sum()
}

/// Probabilities that add up to one, in proportion to the exponentials of `totals`.
pub(crate) fn softmax(totals: &[f64]) -> Vec<f64> {
    let highest = totals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = totals.iter().map(|total| (total - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The position of the highest total; the first of several.
pub(crate) fn first_of(totals: &[f64]) -> Option<usize> {
    let mut first: Option<usize> = None;
    for (index, total) in totals.iter().enumerate() {
        if first.is_none_or(|first| *total > totals[first]) {
            first = Some(index);
        }
    }
    first
}
