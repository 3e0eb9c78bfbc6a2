//! `attribution.json`.

use super::ReadError;
use super::case::Places;
use super::value::{Count, Text, inner_all};
use model::{
    ActorClaim, ActorHypothesis, AttributedIntrusion, Attribution, AttributionItem, FindingId, HostName,
    IntrusionId,
};
use serde::Deserialize;

const FILE: &str = "attribution.json";
const SCHEMA: &str = "assay-attribution/1";
/// No item adds so much.
const ADDS_MAX: f64 = 1e6;
/// How the share of what is no known actor is called.
const UNKNOWN: &str = "unknown";

#[derive(Deserialize)]
pub(super) struct AttributionPart {
    schema: String,
    as_of: String,
    #[serde(default)]
    actors: Option<Count>,
    attack_version: String,
    knowledge_sha256: String,
    #[serde(default)]
    fitted_before: String,
    intrusions: Vec<IntrusionPart>,
}

#[derive(Deserialize)]
struct IntrusionPart {
    intrusion: Text<IntrusionId>,
    named: Option<String>,
    strength: Option<String>,
    #[serde(default)]
    likelihood: String,
    #[serde(default)]
    tie: bool,
    hypotheses: Vec<HypothesisPart>,
    items: Vec<ItemPart>,
    smallest_set: Option<Vec<String>>,
    #[serde(default)]
    change: Vec<String>,
    notes: Vec<String>,
    #[serde(default)]
    claims: Vec<ClaimPart>,
}

#[derive(Deserialize)]
struct HypothesisPart {
    actor: String,
    name: Option<String>,
    probability: f64,
}

#[derive(Deserialize)]
struct ItemPart {
    id: String,
    name: Option<String>,
    findings: Count,
    finding_ids: Vec<Text<FindingId>>,
    hosts: Vec<HostName>,
    admiralty: String,
    forgeability: String,
    known_for: Vec<String>,
    #[serde(default)]
    adds: Vec<f64>,
}

#[derive(Deserialize)]
struct ClaimPart {
    date: String,
    by: String,
    level: String,
    says: String,
    word: String,
    scale: String,
    source: String,
}

pub(super) fn read(part: AttributionPart, places: &Places) -> Result<Attribution, ReadError> {
    if part.schema != SCHEMA {
        return Err(ReadError::dangling(FILE, None, SCHEMA, &part.schema));
    }
    let intrusions = part.intrusions.into_iter().map(|part| intrusion(part, places));
    Ok(Attribution {
        as_of: part.as_of,
        actors: part.actors.map_or(0, |count| count.0),
        attack_version: part.attack_version,
        knowledge_sha256: part.knowledge_sha256,
        fitted_before: part.fitted_before,
        intrusions: intrusions.collect::<Result<_, _>>()?,
    })
}

fn intrusion(part: IntrusionPart, places: &Places) -> Result<AttributedIntrusion, ReadError> {
    let Text(id) = part.intrusion;
    places.intrusion(Some(Text(id)), FILE, None)?;
    for share in &part.hypotheses {
        within(share.probability, 0.0, 1.0, "a probability from 0 to 1")?;
    }
    for adds in part.items.iter().flat_map(|item| &item.adds) {
        within(*adds, -ADDS_MAX, ADDS_MAX, "what an item adds, a logarithm")?;
    }
    let (unknown, known): (Vec<_>, Vec<_>) = part.hypotheses.into_iter().partition(|of| of.actor == UNKNOWN);
    let hypothesis = |part: HypothesisPart| ActorHypothesis {
        name: part.name.unwrap_or_else(|| part.actor.clone()),
        actor: part.actor,
        probability: part.probability,
    };
    Ok(AttributedIntrusion {
        intrusion: id,
        named: part.named,
        strength: part.strength,
        likelihood: part.likelihood,
        tie: part.tie,
        hypotheses: known.into_iter().map(hypothesis).collect(),
        unknown: unknown.first().map_or(0.0, |unknown| unknown.probability),
        items: part.items.into_iter().map(item).collect(),
        smallest_set: part.smallest_set.unwrap_or_default(),
        change: part.change,
        notes: part.notes,
        claims: part.claims.into_iter().map(claim).collect(),
    })
}

fn within(number: f64, least: f64, most: f64, wanted: &str) -> Result<(), ReadError> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    Err(ReadError::dangling(FILE, None, wanted, &number.to_string()))
}

fn item(part: ItemPart) -> AttributionItem {
    AttributionItem {
        name: part.name.unwrap_or_else(|| part.id.clone()),
        id: part.id,
        findings: part.findings.0,
        finding_ids: inner_all(part.finding_ids),
        hosts: part.hosts,
        admiralty: part.admiralty,
        forgeability: part.forgeability,
        known_for: part.known_for,
        adds: part.adds,
    }
}

fn claim(part: ClaimPart) -> ActorClaim {
    let ClaimPart { date, by, level, says, word, scale, source } = part;
    ActorClaim { date, by, level, says, word, scale, source }
}
