//! `assay attribute CASE`: each intrusion of a case folder by itself.
//!
//! Evidence items are techniques, software and circumstances, not findings: a
//! hundred findings of one web shell are one item.

use crate::actor_command::accountability;
use crate::arguments::{AttributeArguments, Format};
use crate::attribute_items::{self, Item};
use crate::attribute_list::{Bench, day};
use crate::attribute_seen::{self, SeenIn, TaggedGroups};
use crate::{Exit, Output, attribute_circumstances, attribute_text, case_folder};
use anyhow::{Context as _, Result};
use attribution::{
    Assessment, Circumstance, Snapshot, Sourcing, Strength, assess, circumstances, matrix, weigh_in,
};
use knowledge::Day;
use model::{
    ActorClaim, ActorHypothesis, AnswerWord, AttributedIntrusion, Attribution, AttributionItem, Case,
    HostName, Intrusion, Run,
};
use report::escape_terminal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const ATTRIBUTION: &str = "attribution.json";
/// Rules that are named for a group.
const TITLES_SHOWN: usize = 3;

/// Weighs every intrusion, writes `attribution.json` and the report anew, and prints.
pub fn run(
    bench: &Bench,
    folder: &Path,
    arguments: &AttributeArguments,
    output: &mut Output<'_>,
) -> Result<Exit> {
    let as_of = match &arguments.as_of {
        Some(text) => day(text)?,
        None => today(),
    };
    let about = || format!("case {}", folder.display());
    let victim = attribute_seen::victim(&arguments.victim)?;
    let (mut case, run) = read_case(folder, output).with_context(about)?;
    let snapshot = Snapshot::new(&bench.history, as_of);
    let mut text = String::new();
    let mut attributed = Vec::new();
    let all = attribute_items::of_case(&bench.knowledge.attack, &case).map_err(anyhow::Error::msg);
    let all = all.with_context(about)?;
    let seen = attribute_seen::of_case(&bench.knowledge.dossiers, &case, &victim).map_err(anyhow::Error::msg);
    let seen = seen.with_context(about)?;
    let tagged = attribute_seen::tagged_groups(&bench.knowledge.attack, &case);
    for (((intrusion, items), seen), tagged) in case.intrusions.iter().zip(all).zip(seen).zip(tagged) {
        let (mut assessment, ids) = weigh(bench, &snapshot, intrusion, &items);
        let circumstances = circumstances(&bench.knowledge.dossiers, as_of, &seen.seen);
        let sum = weigh_in(&mut assessment, &circumstances);
        let notes = notes(bench, &case, intrusion, tagged, as_of);
        let title = format!("intrusion-{} on {}", intrusion.id.0 + 1, intrusion.hosts.join(", "));
        let _ = writeln!(text, "{}", escape_terminal(&title));
        let weighed = attribute_text::Weighed {
            ids: &ids,
            assessment: &assessment,
            circumstances: &circumstances,
            sum,
        };
        text.push_str(&attribute_text::render(bench, &snapshot, &weighed, arguments.explain));
        notes.iter().for_each(|note| {
            let _ = writeln!(text, "  {}", escape_terminal(note));
        });
        text.push('\n');
        attributed.push(attributed_intrusion(bench, &snapshot, intrusion, (items, seen), (&weighed, notes)));
    }
    if case.intrusions.is_empty() {
        text.push_str("The case has no intrusion: there is nobody to name.\n");
    }
    let attribution = Attribution {
        as_of: as_of.to_string(),
        actors: snapshot.actors() as u64,
        attack_version: bench.knowledge.attack.version.clone(),
        knowledge_sha256: bench.knowledge.sha256.clone(),
        fitted_before: bench.model.vintage(as_of).0.from.to_string(),
        intrusions: attributed,
    };
    let mut document = Vec::new();
    report::write_attribution_json(&case, &attribution, &mut document)?;
    let mut file = case_folder::create(folder, ATTRIBUTION).with_context(about)?;
    file.write_all(&document).and_then(|()| file.flush()).with_context(about)?;
    case.looked_for.attribution = Some(attribution);
    let mut open = |name: &str| case_folder::create(folder, name);
    report::write_html(&case, &run, &arguments.report.options(), "report.html", &mut open)
        .with_context(about)?;
    output.stdout.write_all(if arguments.format == Format::Text { text.as_bytes() } else { &document })?;
    Ok(Exit::Done)
}

/// The case, without an attribution that cannot be read: it is written anew.
fn read_case(folder: &Path, output: &mut Output<'_>) -> Result<(Case, Run)> {
    let mut open = |name: &str| case_folder::open(folder, name);
    match report::read_case(&mut open) {
        Err(error) if error.file == ATTRIBUTION => {
            writeln!(output.stderr, "{error}; what stood there is lost, and it is written anew")?;
            let mut open = |name: &str| match name {
                ATTRIBUTION => Err(std::io::ErrorKind::NotFound.into()),
                _ => case_folder::open(folder, name),
            };
            Ok(report::read_case(&mut open)?)
        }
        other => Ok(other?),
    }
}

fn today() -> Day {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Day(i32::try_from(seconds / 86_400).unwrap_or(i32::MAX))
}

/// The verdict on one intrusion, and the ids it rests on.
fn weigh(
    bench: &Bench,
    snapshot: &Snapshot<'_>,
    intrusion: &Intrusion,
    items: &BTreeMap<String, Item>,
) -> (Assessment, Vec<String>) {
    let ids: Vec<String> = items.keys().cloned().collect();
    let hosts: BTreeSet<&HostName> = items.values().flat_map(|item| &item.hosts).collect();
    let weigh = |circular: bool| {
        let sourcing = Sourcing { independent_groups: hosts.len(), circular };
        assess(&bench.model, snapshot, ids.iter().map(String::as_str), sourcing)
    };
    // Reports that came out after the intrusion began, and all there is: they may be about it.
    let first = intrusion.span.first.and_then(|time| Day::parse(time.to_string().get(..10)?));
    let wave = attribute_text::wave(bench, &ids, &weigh(false));
    (weigh(wave.is_some_and(|(_, end, _)| first.is_some_and(|first| first <= end))), ids)
}

/// What holds of an intrusion whoever it was: attacks of many actors that the casebook's answers are about, and groups
/// that only tags of rules name.
fn notes(bench: &Bench, case: &Case, intrusion: &Intrusion, tagged: TaggedGroups, as_of: Day) -> Vec<String> {
    let mut notes = events(bench, case, intrusion, as_of);
    for (group, titles) in tagged {
        let titles: Vec<String> = titles.into_iter().take(TITLES_SHOWN).collect();
        notes.push(format!(
            "Not weighed: a tag of {} names {}. That is a claim of the rule's author on whom others saw do so; whoever does it makes the rule match.",
            titles.join(", "),
            attribute_text::label(bench, &group)
        ));
    }
    notes
}

fn events(bench: &Bench, case: &Case, intrusion: &Intrusion, as_of: Day) -> Vec<String> {
    let dossiers = &bench.knowledge.dossiers;
    let is_about = |casebook: &str| {
        case.answers.iter().any(|answer| {
            answer.casebook == casebook
                && answer.intrusion == Some(intrusion.id)
                && matches!(answer.answer, AnswerWord::Yes | AnswerWord::Likely)
        })
    };
    let mut notes = Vec::new();
    for event in dossiers.events.iter().filter(|event| is_about(&event.casebook)) {
        let Some(source) = dossiers.sources.get(&event.source) else { continue };
        if dossiers.day_of(&event.source).is_some_and(|published| published < as_of) {
            notes.push(format!(
                "{}: {} actors are known to have used it ({}, {}); the hole, and what all of them left, name nobody.",
                event.title,
                event.used_by.len(),
                source.publisher,
                source.date
            ));
        }
        notes.extend(not_yet_known(bench, event, as_of));
        let claims = dossiers.accountability_of(&event.id).into_iter();
        notes.extend(claims.filter(|claim| claim.date < as_of.to_string()).map(|claim| {
            let claim = accountability(&bench.knowledge, claim);
            format!("Claimed by others of {}, and no part of this evidence: {claim}", event.title)
        }));
    }
    notes
}

/// Who is said today to have taken part in `event`, and was not known on the day.
fn not_yet_known(bench: &Bench, event: &knowledge::Event, as_of: Day) -> Option<String> {
    let attack = &bench.knowledge.attack;
    let of = |id: &&String| {
        let dossier = bench.knowledge.dossiers.actors.iter().find(|dossier| dossier.id == **id)?;
        let group = dossier.attack.as_deref()?;
        let since = attack.group_known_from(group).filter(|day| *day >= as_of)?;
        Some(format!("{} (public since {since})", attribute_text::label(bench, group)))
    };
    let unknown: Vec<String> = event.used_by.iter().filter_map(|id| of(&id)).collect();
    (!unknown.is_empty()).then(|| {
        format!(
            "Not in the list, because nobody knew of them on {as_of}, and said later to have used {}: {}.",
            event.title,
            unknown.join(", ")
        )
    })
}

fn attributed_intrusion(
    bench: &Bench,
    snapshot: &Snapshot<'_>,
    intrusion: &Intrusion,
    (items, seen): (BTreeMap<String, Item>, SeenIn),
    (weighed, mut notes): (&attribute_text::Weighed<'_>, Vec<String>),
) -> AttributedIntrusion {
    let (ids, assessment) = (weighed.ids, weighed.assessment);
    let attack = &bench.knowledge.attack;
    let name = |id: &str| attack.name(id).unwrap_or(id).to_owned();
    notes.extend(assessment.withheld.map(|why| format!("Nobody is named: {why}.")));
    notes.extend(attribute_text::shared(bench, snapshot, ids));
    notes.extend(attribute_text::circularity(bench, ids, assessment));
    notes.extend(attribute_text::not_yet_public(bench, ids, assessment));
    notes.extend(attribute_circumstances::notes(bench, weighed.circumstances));
    let hypothesis = |of: &attribution::Hypothesis| ActorHypothesis {
        name: name(&of.actor),
        actor: of.actor.clone(),
        probability: of.probability,
    };
    let first = assessment.hypotheses.first().filter(|first| first.probability > 0.0);
    AttributedIntrusion {
        intrusion: intrusion.id,
        named: assessment.named.clone(),
        strength: assessment.strength.map(|strength: Strength| strength.as_str().to_owned()),
        likelihood: first.map(|first| attribute_text::likelihood(first.probability)).unwrap_or_default(),
        tie: assessment.tie,
        hypotheses: assessment.hypotheses.iter().map(hypothesis).collect(),
        unknown: assessment.unknown,
        items: case_items(bench, snapshot, weighed, (items, seen)),
        smallest_set: assessment.support.as_ref().map(|of| of.smallest_set.clone()).unwrap_or_default(),
        change: attribute_text::change(bench, assessment),
        notes,
        claims: claims(bench, assessment),
    }
}

/// The items as the case holds them, the most telling first.
fn case_items(
    bench: &Bench,
    snapshot: &Snapshot<'_>,
    weighed: &attribute_text::Weighed<'_>,
    (mut items, mut seen): (BTreeMap<String, Item>, SeenIn),
) -> Vec<AttributionItem> {
    let first = attribute_text::columns(weighed.assessment);
    let ids: Vec<String> = items.keys().cloned().collect();
    let rows = matrix(&bench.model, snapshot, ids.iter().map(String::as_str), &first);
    let item = |row: attribution::Row| {
        let item = items.remove(&row.item)?;
        Some(AttributionItem {
            name: bench.knowledge.attack.name(&row.item).unwrap_or(&row.item).to_owned(),
            admiralty: item.admiralty().to_owned(),
            findings: item.findings,
            finding_ids: item.named,
            hosts: item.hosts.into_iter().collect(),
            forgeability: attribute_circumstances::planting(row.forgeability).to_owned(),
            known_for: snapshot.holders_of(&row.item).into_iter().map(str::to_owned).collect(),
            adds: row.cells,
            id: row.item,
        })
    };
    let mut all: Vec<AttributionItem> = rows.into_iter().filter_map(item).collect();
    all.extend(weighed.circumstances.iter().map(|of| circumstance_item(of, &first, &mut seen)));
    // Stable: items that tell as much stay in the order of the matrix.
    all.sort_by(|a, b| diagnosticity(&b.adds).total_cmp(&diagnosticity(&a.adds)));
    all
}

/// How far the hypotheses are apart on an item.
fn diagnosticity(adds: &[f64]) -> f64 {
    let highest = adds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = adds.iter().copied().fold(f64::INFINITY, f64::min);
    if adds.is_empty() { 0.0 } else { highest - lowest }
}

fn circumstance_item(of: &Circumstance, columns: &[&str], seen: &mut SeenIn) -> AttributionItem {
    let mut by = Item::default();
    for name in of.seen.iter().chain([&of.id]) {
        by.add_all(seen.by.get(name));
    }
    AttributionItem {
        id: of.id.clone(),
        name: of.name.clone(),
        admiralty: of.admiralty.to_owned(),
        findings: by.findings,
        finding_ids: by.named,
        hosts: by.hosts.into_iter().collect(),
        forgeability: attribute_circumstances::planting(of.forgeability).to_owned(),
        known_for: of.adds.iter().filter(|(_, adds)| **adds > 0.0).map(|(actor, _)| actor.clone()).collect(),
        adds: columns.iter().map(|actor| of.adds.get(*actor).copied().unwrap_or(0.0)).collect(),
    }
}

/// What others had said by the day of who stands behind the named actor, by date.
fn claims(bench: &Bench, assessment: &Assessment) -> Vec<ActorClaim> {
    let public = attribute_text::claims(bench, assessment);
    let claim = |claim: &knowledge::Sponsor| ActorClaim {
        date: claim.date.clone(),
        by: claim.by.clone(),
        level: claim.level.clone(),
        says: claim.clause.clone(),
        word: claim.word.clone(),
        scale: claim.scale.clone(),
        source: bench
            .knowledge
            .dossiers
            .sources
            .get(&claim.source)
            .map(|source| format!("{}, {}", source.publisher, source.date))
            .unwrap_or_default(),
    };
    public.into_iter().map(claim).collect()
}
