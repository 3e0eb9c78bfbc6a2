//! What each item says for and against each hypothesis (analysis of competing
//! hypotheses), and which reports that rests on.

use crate::history::Feature;
use crate::model::Model;
use crate::score::{Observed, Query, total};
use crate::snapshot::Snapshot;
use knowledge::{Day, ReportId};

/// How hard it is to lay an item into somebody's evidence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Forgeability {
    /// A file or a name: whoever has it can leave it.
    Easy,
    /// A way of working: it must be done, and all the rest must fit it.
    Hard,
}

impl Forgeability {
    /// Of the technique or software `id`.
    pub fn of(id: &str) -> Self {
        if id.starts_with('T') { Self::Hard } else { Self::Easy }
    }
}

/// One item against all hypotheses asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The technique or software.
    pub item: String,
    /// How many actors are known for it on the day.
    pub holders: usize,
    /// How hard it is to forge.
    pub forgeability: Forgeability,
    /// By hypothesis: how much of its total in the first stage goes when the item is left out
    /// (natural logarithms; below zero it speaks against the hypothesis).
    pub cells: Vec<f64>,
}

impl Row {
    /// How far the hypotheses are apart on this item; an item on which they agree says nothing.
    pub fn diagnosticity(&self) -> f64 {
        let highest = self.cells.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let lowest = self.cells.iter().copied().fold(f64::INFINITY, f64::min);
        if self.cells.is_empty() { 0.0 } else { highest - lowest }
    }
}

/// The items that were observed against `actors`, the most diagnostic first.
pub fn matrix<'i>(
    model: &Model,
    snapshot: &Snapshot<'_>,
    observed: impl IntoIterator<Item = &'i str>,
    actors: &[&str],
) -> Vec<Row> {
    let observed = Observed::new(snapshot, observed);
    let weights = model.vintage(snapshot.day).0.weights.of(observed.software_is_known(snapshot));
    let positions: Vec<usize> = actors.iter().filter_map(|actor| snapshot.position(actor)).collect();
    let totals = |observed: &Observed| -> Vec<f64> {
        let query = Query::new(snapshot, observed);
        positions.iter().map(|at| total(&query.measures(*at), weights)).collect()
    };
    let whole = totals(&observed);
    let row = |at: usize| {
        let (item, feature) = &observed.items[at];
        let without = totals(&observed.without(&[at]));
        Row {
            item: item.clone(),
            holders: feature.map_or(0, |feature| snapshot.holders[feature as usize] as usize),
            forgeability: Forgeability::of(item),
            cells: whole.iter().zip(&without).map(|(whole, without)| whole - without).collect(),
        }
    };
    let mut rows: Vec<Row> = (0..observed.items.len()).map(row).collect();
    rows.sort_by(|a, b| b.diagnosticity().total_cmp(&a.diagnosticity()).then_with(|| a.item.cmp(&b.item)));
    rows
}

/// For each observed item that `actor` is known for on the day: the reports that say so, earliest first.
pub fn grounds<'i>(
    snapshot: &Snapshot<'_>,
    observed: impl IntoIterator<Item = &'i str>,
    actor: &str,
) -> Vec<(String, Vec<(Day, ReportId)>)> {
    let Some(known) = snapshot.position(actor).map(|at| &snapshot.actors[at]) else { return Vec::new() };
    let reports =
        |feature: Feature| known.profile.binary_search(&feature).ok().map(|at| known.sources[at].clone());
    let observed = Observed::new(snapshot, observed);
    observed.items.iter().filter_map(|(id, feature)| Some((id.clone(), reports((*feature)?)?))).collect()
}

/// The reports on `actor` that are known on the day, earliest first.
pub fn reports_on(snapshot: &Snapshot<'_>, actor: &str) -> Vec<(Day, ReportId)> {
    let known = snapshot.position(actor).map(|at| &snapshot.actors[at]);
    let mut reports: Vec<_> =
        known.into_iter().flat_map(|known| &known.reports).map(|report| (report.day, report.id)).collect();
    reports.sort();
    reports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::History;

    #[test]
    fn a_shared_tool_is_less_diagnostic_than_one_actors_own() {
        let history = History::new(knowledge::attack());
        let snapshot = Snapshot::new(&history, Day::parse("2021-07-19").unwrap());
        let model = Model::built_in().unwrap();
        // SUNBURST is one actor's, China Chopper many have.
        let rows = matrix(&model, &snapshot, ["S0559", "S0020"], &["G0016", "G0125"]);
        assert_eq!(rows[0].item, "S0559");
        assert!(rows[0].cells[0] > rows[0].cells[1]);
        assert!(rows[1].holders >= 5 && rows[1].forgeability == Forgeability::Easy);
    }

    #[test]
    fn grounds_are_reports_of_before_the_day() {
        let history = History::new(knowledge::attack());
        let day = Day::parse("2021-07-19").unwrap();
        let snapshot = Snapshot::new(&history, day);
        let grounds = grounds(&snapshot, ["S0020", "T1190"], "G0125");
        assert!(!grounds.is_empty());
        assert!(grounds.iter().flat_map(|(_, reports)| reports).all(|(published, _)| *published < day));
        assert!(super::grounds(&snapshot, ["S0020"], "G9999").is_empty());
    }
}
