//! What was published when: ATT&CK's relations, ready to be cut at any day.

use knowledge::{Attack, Day, Entry, ReportId, Use};
use std::collections::{BTreeMap, BTreeSet};

/// Index of a technique or software.
pub(crate) type Feature = u32;

/// One technique or software of an actor, with the dated reports that say so, earliest first.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub feature: Feature,
    pub reports: Vec<(Day, ReportId)>,
}

/// One actor over time.
#[derive(Clone, Debug)]
pub(crate) struct ActorHistory {
    pub id: String,
    pub relations: Vec<Relation>,
    /// Software whose own entry says that the actor used it.
    pub described: Vec<Relation>,
    /// Campaigns that ATT&CK attributes to it: since which report's day, and what they used.
    pub campaigns: Vec<(Day, Vec<Relation>)>,
}

/// One dated report on one actor: what it holds, and what was known of the actor before.
#[derive(Clone, Debug)]
pub(crate) struct Episode {
    pub day: Day,
    pub actor: usize,
    pub report: ReportId,
    pub known: Vec<Feature>,
    pub found: Vec<Feature>,
}

/// All of it. Made once; [`crate::Snapshot`] is the knowledge of one day.
#[derive(Clone, Debug)]
pub struct History {
    ids: Vec<String>,
    by_id: BTreeMap<String, Feature>,
    is_malware: Vec<bool>,
    pub(crate) actors: Vec<ActorHistory>,
    pub(crate) episodes: Vec<Episode>,
    /// Software that a report is cited for in the software's own entry.
    pub(crate) software_of_report: BTreeMap<ReportId, Vec<Feature>>,
    /// What each software is described to do: the software, and its techniques.
    pub(crate) techniques_of: Vec<(Feature, Vec<Relation>)>,
}

impl History {
    /// The history in `attack`. Relations without a dated report are not in it.
    pub fn new(attack: &Attack) -> Self {
        let mut ids: BTreeSet<&str> = attack.software.keys().map(String::as_str).collect();
        for entry in attack.groups.values().chain(attack.campaigns.values()).chain(attack.software.values()) {
            ids.extend(entry.uses.iter().map(|used| used.target.as_str()));
        }
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        let by_id: BTreeMap<String, Feature> =
            ids.iter().enumerate().map(|(index, id)| (id.clone(), index as Feature)).collect();
        let is_malware =
            ids.iter().map(|id| attack.software.get(id).is_some_and(|entry| entry.is_malware)).collect();
        let actors: Vec<ActorHistory> =
            attack.groups.iter().map(|(id, group)| actor(attack, &by_id, id, group)).collect();
        let episodes = episodes(&actors);
        let mut software_of_report: BTreeMap<ReportId, BTreeSet<Feature>> = BTreeMap::new();
        for (id, software) in &attack.software {
            let Some(feature) = by_id.get(id) else { continue };
            for report in software.uses.iter().flat_map(|used| &used.reports) {
                software_of_report.entry(*report).or_default().insert(*feature);
            }
        }
        let software_of_report =
            software_of_report.into_iter().map(|(report, set)| (report, set.into_iter().collect())).collect();
        let techniques_of = attack.software.iter().filter_map(|(id, software)| {
            let relations = relations(attack, &by_id, &software.uses);
            (!relations.is_empty()).then_some((*by_id.get(id)?, relations))
        });
        let techniques_of = techniques_of.collect();
        Self { ids, by_id, is_malware, actors, episodes, software_of_report, techniques_of }
    }

    /// How many techniques and software there are; features are below it.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The index of an id; `None` when no actor and no report has to do with it.
    pub(crate) fn feature(&self, id: &str) -> Option<Feature> {
        self.by_id.get(id).copied()
    }

    /// The id behind an index.
    pub(crate) fn id(&self, feature: Feature) -> &str {
        self.ids.get(feature as usize).map_or("", String::as_str)
    }

    pub(crate) fn is_technique(&self, feature: Feature) -> bool {
        self.id(feature).starts_with('T')
    }

    pub(crate) fn is_malware(&self, feature: Feature) -> bool {
        self.is_malware.get(feature as usize).copied().unwrap_or(false)
    }
}

fn dated(attack: &Attack, reports: &[ReportId]) -> Vec<(Day, ReportId)> {
    let mut dated: Vec<(Day, ReportId)> =
        reports.iter().filter_map(|report| Some((attack.day(*report)?, *report))).collect();
    dated.sort();
    dated
}

fn relations(attack: &Attack, by_id: &BTreeMap<String, Feature>, uses: &[Use]) -> Vec<Relation> {
    let relation = |used: &Use| {
        let reports = dated(attack, &used.reports);
        let feature = *by_id.get(&used.target)?;
        (!reports.is_empty()).then_some(Relation { feature, reports })
    };
    uses.iter().filter_map(relation).collect()
}

fn actor(attack: &Attack, by_id: &BTreeMap<String, Feature>, id: &str, group: &Entry) -> ActorHistory {
    let campaign = |entry: &Entry| {
        let (_, reports) = entry.attributed_to.iter().find(|(group, _)| group == id)?;
        let day = dated(attack, reports).first()?.0;
        Some((day, relations(attack, by_id, &entry.uses)))
    };
    ActorHistory {
        id: id.to_owned(),
        relations: relations(attack, by_id, &group.uses),
        described: described(attack, by_id, id),
        campaigns: attack.campaigns.values().filter_map(campaign).collect(),
    }
}

/// Software that is said to be `actor`'s in its own entry, sorted.
fn described(attack: &Attack, by_id: &BTreeMap<String, Feature>, actor: &str) -> Vec<Relation> {
    let said = |(id, software): (&String, &Entry)| {
        let (_, reports) = software.described_with.iter().find(|(group, _)| group == actor)?;
        let reports = dated(attack, reports);
        (!reports.is_empty()).then_some(Relation { feature: *by_id.get(id)?, reports })
    };
    attack.software.iter().filter_map(said).collect()
}

fn episodes(actors: &[ActorHistory]) -> Vec<Episode> {
    let mut episodes = Vec::new();
    for (index, actor) in actors.iter().enumerate() {
        let mut found: BTreeMap<(Day, ReportId), Vec<Feature>> = BTreeMap::new();
        for relation in &actor.relations {
            for report in &relation.reports {
                found.entry(*report).or_default().push(relation.feature);
            }
        }
        for ((day, report), found) in found {
            let before =
                |relation: &&Relation| relation.reports.first().is_some_and(|(first, _)| *first < day);
            let known = actor.relations.iter().filter(before).map(|relation| relation.feature).collect();
            episodes.push(Episode { day, actor: index, report, known, found });
        }
    }
    episodes.sort_by_key(|episode| (episode.day, episode.actor, episode.report));
    episodes
}
