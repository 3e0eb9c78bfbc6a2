//! What was observed against the actors of a day, whole and with items left out.

use crate::history::Feature;
use crate::score::{Measures, Observed, Query, total};
use crate::snapshot::Snapshot;

/// The first stage, ready to be asked what becomes of it without some items.
#[derive(Clone, Copy)]
pub(crate) struct Weighing<'a, 'h> {
    pub weights: &'a Measures,
    pub snapshot: &'a Snapshot<'h>,
    pub observed: &'a Observed,
}

impl Weighing<'_, '_> {
    /// The measures and totals of all actors.
    pub fn whole(&self) -> (Vec<Measures>, Vec<f64>) {
        let measures = Query::new(self.snapshot, self.observed).all();
        let totals = measures.iter().map(|of| total(of, self.weights)).collect();
        (measures, totals)
    }

    /// Items by how much of the lead of `first` over the second one goes with each, most first.
    pub fn by_strength(&self, totals: &[f64], first: usize) -> Vec<(usize, f64)> {
        let second = (0..totals.len())
            .filter(|at| *at != first)
            .max_by(|a, b| totals[*a].total_cmp(&totals[*b]).then(b.cmp(a)));
        let lead_lost = |item: usize| {
            let without = self.observed.without(&[item]);
            let query = Query::new(self.snapshot, &without);
            let lost = |at: usize| totals[at] - total(&query.measures(at), self.weights);
            lost(first) - second.map_or(0.0, lost)
        };
        let mut items: Vec<(usize, f64)> =
            (0..self.observed.items.len()).map(|item| (item, lead_lost(item))).collect();
        items.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        items
    }

    /// Observed software that `first` and no other actor is known for: the easiest thing to plant.
    pub fn exclusive(&self, first: usize) -> Vec<usize> {
        let only = |feature: Feature| {
            self.snapshot.holders[feature as usize] == 1 && self.snapshot.actors[first].knows(feature)
        };
        let is_exclusive = |item: &usize| {
            let (id, feature) = &self.observed.items[*item];
            !id.starts_with('T') && feature.is_some_and(only)
        };
        (0..self.observed.items.len()).filter(is_exclusive).collect()
    }
}
