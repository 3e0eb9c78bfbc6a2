//! The knowledge of one day: who was known, for what, from which reports.

use crate::history::{Feature, History, Relation};
use crate::tools::Tools;
use knowledge::{Day, ReportId};
use std::collections::{BTreeMap, BTreeSet};

/// Saturation and length normalisation of BM25.
pub(crate) const K1: f64 = 1.2;
pub(crate) const B: f64 = 0.5;
/// Added to the squared length of a report, so that a report of one finding is no perfect match.
const SHORT_REPORT: f64 = 9.0;
/// A technique or software that nobody is known for counts as so many mentions.
const UNSEEN_MENTIONS: f64 = 0.2;
/// How many observations of a technique its own rate is worth as many as the rate of all.
const STICKINESS_PRIOR: f64 = 10.0;

/// A report on an actor, as of the day.
#[derive(Clone, Debug)]
pub(crate) struct KnownReport {
    pub id: ReportId,
    pub day: Day,
    /// What of the actor it is cited for, sorted.
    pub found: Vec<Feature>,
    /// The same and the software that it describes, sorted.
    pub document: Vec<Feature>,
    /// Lengths of the two in the space of squared rarities.
    pub found_length: f64,
    pub document_length: f64,
}

/// An actor as of the day: only those with a known relation are there.
#[derive(Clone, Debug)]
pub(crate) struct KnownActor {
    /// Index in the history.
    pub index: usize,
    /// What it is known to use, sorted.
    pub profile: Vec<Feature>,
    /// The reports that say so for `profile`, in the same order.
    pub sources: Vec<Vec<(Day, ReportId)>>,
    /// Software described in its reports that it is not (yet) said to use, sorted.
    pub linked: Vec<Feature>,
    /// Further software whose own entry says that the actor used it, sorted.
    pub described: Vec<Feature>,
    pub reports: Vec<KnownReport>,
    pub software: usize,
    pub length: f64,
    /// How often its reports name anything of the profile.
    pub mentions: f64,
    /// `ln(1 + reports of the last two years)`.
    pub active: f64,
    /// `-ln(1 + months since the last report)`.
    pub recency: f64,
}

impl KnownActor {
    pub fn knows(&self, feature: Feature) -> bool {
        self.profile.binary_search(&feature).is_ok()
    }

    /// Whether it is known for `feature`, or that is software described in its reports or as its own.
    pub fn has_to_do_with(&self, feature: Feature) -> bool {
        let among = |features: &[Feature]| features.binary_search(&feature).is_ok();
        self.knows(feature) || among(&self.linked) || among(&self.described)
    }

    /// How many of its reports name `feature`.
    pub fn mentions_of(&self, feature: Feature) -> f64 {
        self.profile.binary_search(&feature).map_or(0.0, |at| self.sources[at].len() as f64)
    }
}

/// The knowledge of one day. A relation counts when one of its reports is dated strictly before it.
#[derive(Clone, Debug)]
pub struct Snapshot<'h> {
    pub(crate) history: &'h History,
    /// The day.
    pub day: Day,
    pub(crate) actors: Vec<KnownActor>,
    /// How many actors are known for a feature.
    pub(crate) holders: Vec<u32>,
    /// The same, software that is only linked included.
    pub(crate) linked_holders: Vec<u32>,
    /// The same, software that is only described as an actor's included, too.
    described_holders: Vec<u32>,
    /// What is known to be done by the software of the day.
    pub(crate) tools: Tools,
    /// How much an observed technique speaks for an actor that is known for it.
    stickiness: Vec<f64>,
    /// Of all mentions in reports on actors, the share that names each feature.
    background: Vec<f64>,
    pub(crate) mean_profile: f64,
    pub(crate) mean_software: f64,
}

impl<'h> Snapshot<'h> {
    /// The knowledge of `day`.
    pub fn new(history: &'h History, day: Day) -> Self {
        Self::without(history, day, None, day)
    }

    /// The knowledge of `day` without what rests on `left_out` alone; how recent an actor's last
    /// report is counts from `seen_from`, by reports before it.
    pub(crate) fn without(
        history: &'h History,
        day: Day,
        left_out: Option<ReportId>,
        seen_from: Day,
    ) -> Self {
        let mut snapshot = Self {
            history,
            day,
            actors: Vec::new(),
            holders: vec![0; history.len()],
            linked_holders: vec![0; history.len()],
            described_holders: vec![0; history.len()],
            tools: Tools::default(),
            stickiness: Vec::new(),
            background: Vec::new(),
            mean_profile: 0.0,
            mean_software: 0.0,
        };
        for index in 0..history.actors.len() {
            snapshot.actors.extend(known_actor(history, index, day, left_out, seen_from));
        }
        for actor in &snapshot.actors {
            for feature in &actor.profile {
                snapshot.holders[*feature as usize] += 1;
            }
            let software = actor.profile.iter().filter(|feature| !history.is_technique(**feature));
            for feature in software.chain(&actor.linked) {
                snapshot.linked_holders[*feature as usize] += 1;
                snapshot.described_holders[*feature as usize] += 1;
            }
            for feature in &actor.described {
                snapshot.described_holders[*feature as usize] += 1;
            }
        }
        let count = snapshot.actors.len().max(1) as f64;
        snapshot.mean_profile = snapshot.actors.iter().map(|actor| actor.length).sum::<f64>() / count;
        snapshot.mean_software =
            (snapshot.actors.iter().map(|actor| actor.software as f64).sum::<f64>() / count).max(0.5);
        snapshot.stickiness = stickiness(history, day, left_out);
        snapshot.background = background(history.len(), &snapshot.actors);
        snapshot.tools =
            Tools::new(history, &snapshot.actors, &snapshot.linked_holders, |(published, report)| {
                *published < day && Some(*report) != left_out
            });
        snapshot.measure_reports();
        snapshot
    }

    fn measure_reports(&mut self) {
        let squares: Vec<f64> =
            (0..self.history.len() as Feature).map(|f| self.rarity(Some(f)).powi(2)).collect();
        let length = |features: &[Feature]| {
            (features.iter().map(|feature| squares[*feature as usize]).sum::<f64>() + SHORT_REPORT).sqrt()
        };
        for report in self.actors.iter_mut().flat_map(|actor| &mut actor.reports) {
            report.found_length = length(&report.found);
            report.document_length = length(&report.document);
        }
    }

    /// How many actors are known on the day.
    pub fn actors(&self) -> usize {
        self.actors.len()
    }

    /// The ids of the actors, sorted.
    pub fn actor_ids(&self) -> impl Iterator<Item = &str> {
        self.actors.iter().map(|actor| self.history.actors[actor.index].id.as_str())
    }

    /// The actors with the size of their profiles, by id.
    pub fn profile_sizes(&self) -> impl Iterator<Item = (&str, f64)> {
        self.actor_ids().zip(self.actors.iter().map(|actor| actor.length))
    }

    /// What `actor` is known to use, by id.
    pub fn profile_of<'s>(&'s self, actor: &str) -> impl Iterator<Item = &'s str> {
        let known = self.position(actor).map(|at| &self.actors[at]);
        known.into_iter().flat_map(|known| &known.profile).map(|feature| self.history.id(*feature))
    }

    pub(crate) fn position(&self, actor: &str) -> Option<usize> {
        self.actors.iter().position(|known| self.history.actors[known.index].id == actor)
    }

    pub(crate) fn actor_id(&self, position: usize) -> &str {
        self.actors.get(position).map_or("", |actor| &self.history.actors[actor.index].id)
    }

    /// BM25's weight of a feature, from how many actors are known for it; of one that nobody is
    /// known for, `None`, the highest.
    pub(crate) fn rarity(&self, feature: Option<Feature>) -> f64 {
        weight(self.actors.len(), feature.map_or(0, |feature| self.holders[feature as usize]))
    }

    pub(crate) fn linked_rarity(&self, feature: Feature) -> f64 {
        weight(self.actors.len(), self.linked_holders[feature as usize])
    }

    pub(crate) fn described_rarity(&self, feature: Feature) -> f64 {
        weight(self.actors.len(), self.described_holders[feature as usize])
    }

    /// Whether any actor is known for `feature`, or it is software described with one.
    pub(crate) fn has_to_do_with(&self, feature: Feature) -> bool {
        self.described_holders[feature as usize] > 0 || self.holders[feature as usize] > 0
    }

    /// Whether `software` is known for, or described with, one actor only.
    pub(crate) fn is_of_one(&self, software: Feature) -> bool {
        self.described_holders[software as usize] == 1
    }

    pub(crate) fn stickiness(&self, technique: Feature) -> f64 {
        self.stickiness[technique as usize]
    }

    pub(crate) fn background(&self, feature: Feature) -> f64 {
        self.background[feature as usize]
    }

    /// Who is known for `id` on the day.
    pub fn holders_of<'s>(&'s self, id: &str) -> Vec<&'s str> {
        let Some(feature) = self.history.feature(id) else { return Vec::new() };
        let known = (0..self.actors.len()).filter(|position| self.actors[*position].knows(feature));
        known.map(|position| self.actor_id(position)).collect()
    }
}

fn weight(actors: usize, holders: u32) -> f64 {
    rarity_of(actors, f64::from(holders))
}

/// BM25's weight of what `holders` of `all` have.
pub(crate) fn rarity_of(all: usize, holders: f64) -> f64 {
    let actors = all;
    (1.0 + (actors as f64 - holders + 0.5) / (holders + 0.5)).ln()
}

fn known_actor(
    history: &History,
    index: usize,
    day: Day,
    left_out: Option<ReportId>,
    seen_from: Day,
) -> Option<KnownActor> {
    let actor = &history.actors[index];
    let known = |relation: &Relation| -> Vec<(Day, ReportId)> {
        let counts = |(published, report): &&(Day, ReportId)| *published < day && Some(*report) != left_out;
        relation.reports.iter().filter(counts).copied().collect()
    };
    let mut profile: BTreeMap<Feature, BTreeSet<(Day, ReportId)>> = BTreeMap::new();
    let mut add = |relation: &Relation| {
        let reports = known(relation);
        if !reports.is_empty() {
            profile.entry(relation.feature).or_default().extend(reports);
        }
    };
    actor.relations.iter().for_each(&mut add);
    // A campaign adds to an actor that is known by itself; it makes none known.
    if !actor.relations.iter().any(|relation| !known(relation).is_empty()) {
        return None;
    }
    for (attributed, relations) in &actor.campaigns {
        if *attributed < day {
            relations.iter().for_each(&mut add);
        }
    }
    let reports = known_reports(history, &profile, left_out);
    let linked: BTreeSet<Feature> = reports.iter().flat_map(|report| &report.document).copied().collect();
    let linked: Vec<Feature> =
        linked.into_iter().filter(|f| !history.is_technique(*f) && !profile.contains_key(f)).collect();
    let days = || reports.iter().map(|report| report.day).filter(|published| *published < seen_from);
    let recent = days().filter(|published| seen_from.0 - published.0 <= 730).count();
    let age = days().max().map_or(2000, |last| seen_from.0 - last.0);
    let software = profile.keys().filter(|feature| !history.is_technique(**feature)).count();
    let described = actor.described.iter().filter(|relation| !known(relation).is_empty());
    let described = described.map(|relation| relation.feature);
    let described =
        described.filter(|f| !profile.contains_key(f) && linked.binary_search(f).is_err()).collect();
    let mentions = profile.values().map(|reports| reports.len() as f64).sum();
    Some(KnownActor {
        index,
        described,
        mentions,
        length: profile.len() as f64,
        software,
        linked,
        active: (recent as f64).ln_1p(),
        recency: -(f64::from(age) / 30.0).ln_1p(),
        sources: profile.values().map(|reports| reports.iter().copied().collect()).collect(),
        profile: profile.into_keys().collect(),
        reports,
    })
}

fn known_reports(
    history: &History,
    profile: &BTreeMap<Feature, BTreeSet<(Day, ReportId)>>,
    left_out: Option<ReportId>,
) -> Vec<KnownReport> {
    let mut by_report: BTreeMap<(ReportId, Day), Vec<Feature>> = BTreeMap::new();
    for (feature, reports) in profile {
        for (day, report) in reports {
            by_report.entry((*report, *day)).or_default().push(*feature);
        }
    }
    let describe = |((id, day), found): ((ReportId, Day), Vec<Feature>)| {
        let described = history.software_of_report.get(&id).filter(|_| Some(id) != left_out);
        let document: BTreeSet<Feature> =
            found.iter().chain(described.into_iter().flatten()).copied().collect();
        let document = document.into_iter().collect();
        KnownReport { id, day, found, document, found_length: 0.0, document_length: 0.0 }
    };
    by_report.into_iter().map(describe).collect()
}

/// Of all mentions in reports on actors, the share of each feature; what nobody is known for has a
/// little.
fn background(features: usize, actors: &[KnownActor]) -> Vec<f64> {
    let mut mentions = vec![UNSEEN_MENTIONS; features];
    for actor in actors {
        for (feature, reports) in actor.profile.iter().zip(&actor.sources) {
            mentions[*feature as usize] += reports.len() as f64;
        }
    }
    let sum: f64 = mentions.iter().sum();
    mentions.into_iter().map(|count| count / sum).collect()
}

/// For each technique, how often a later report on an actor that is known for it names it again,
/// against how often one on an actor that is not known for it names it; as a log ratio.
fn stickiness(history: &History, day: Day, left_out: Option<ReportId>) -> Vec<f64> {
    let mut again = vec![0.0f64; history.len()];
    let mut chances = vec![0.0f64; history.len()];
    let mut anew = vec![0.0f64; history.len()];
    let mut reports = 0.0f64;
    let mut in_found = vec![false; history.len()];
    let mut in_known = vec![false; history.len()];
    let counts =
        |episode: &&crate::history::Episode| episode.found.len() >= 2 && Some(episode.report) != left_out;
    for episode in history.episodes.iter().take_while(|episode| episode.day < day).filter(counts) {
        reports += 1.0;
        episode.found.iter().for_each(|feature| in_found[*feature as usize] = true);
        episode.known.iter().for_each(|feature| in_known[*feature as usize] = true);
        for feature in episode.known.iter().map(|feature| *feature as usize) {
            chances[feature] += 1.0;
            again[feature] += f64::from(u8::from(in_found[feature]));
        }
        for feature in episode.found.iter().map(|feature| *feature as usize) {
            anew[feature] += f64::from(u8::from(!in_known[feature]));
        }
        episode.found.iter().for_each(|feature| in_found[*feature as usize] = false);
        episode.known.iter().for_each(|feature| in_known[*feature as usize] = false);
    }
    let techniques: Vec<usize> = (0..history.len()).filter(|f| history.is_technique(*f as Feature)).collect();
    let sum = |counts: &[f64]| techniques.iter().map(|feature| counts[*feature]).sum::<f64>();
    let of_all = (sum(&again) / sum(&chances).max(1.0)).max(0.02);
    let seen = techniques.iter().filter(|feature| anew[**feature] > 0.0).count().max(1) as f64;
    let anew_of_all = sum(&anew) / reports.max(1.0) / seen;
    let ratio = |feature: usize| {
        let known = (again[feature] + STICKINESS_PRIOR * of_all) / (chances[feature] + STICKINESS_PRIOR);
        let unknown = (anew[feature] + anew_of_all + 0.3) / (reports - chances[feature] + 1.0);
        (known / unknown).ln()
    };
    (0..history.len()).map(ratio).collect()
}
