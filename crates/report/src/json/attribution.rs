//! `attribution.json`: which known actors each intrusion is consistent with.

use super::{Time, write_pretty};
use crate::{who, words};
use model::{ActorClaim, ActorHypothesis, AttributedIntrusion, Attribution, AttributionItem, Case};
use std::io::{self, Write};

#[derive(serde::Serialize)]
struct AttributionShape<'a> {
    schema: &'static str,
    as_of: &'a str,
    actors: u64,
    attack_version: &'a str,
    knowledge_sha256: &'a str,
    fitted_before: &'a str,
    intrusions: Vec<IntrusionShape<'a>>,
}

#[derive(serde::Serialize)]
struct IntrusionShape<'a> {
    intrusion: String,
    first: Time,
    hosts: Vec<&'a str>,
    verdict: &'static str,
    named: Option<&'a str>,
    confidence: Option<f64>,
    strength: Option<&'a str>,
    likelihood: &'a str,
    tie: bool,
    hypotheses: Vec<HypothesisShape<'a>>,
    items: Vec<ItemShape<'a>>,
    smallest_set: &'a [String],
    change: &'a [String],
    notes: &'a [String],
    claims: Vec<ClaimShape<'a>>,
}

#[derive(serde::Serialize)]
struct HypothesisShape<'a> {
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    probability: f64,
}

#[derive(serde::Serialize)]
struct ItemShape<'a> {
    id: &'a str,
    name: &'a str,
    kind: &'static str,
    findings: u64,
    finding_ids: Vec<String>,
    hosts: Vec<&'a str>,
    admiralty: &'a str,
    forgeability: &'a str,
    known_for: &'a [String],
    adds: Vec<f64>,
}

#[derive(serde::Serialize)]
struct ClaimShape<'a> {
    date: &'a str,
    by: &'a str,
    level: &'a str,
    says: &'a str,
    word: &'a str,
    scale: &'a str,
    source: &'a str,
}

/// Six digits: more say nothing, and so many read back as they were written.
fn rounded(number: f64) -> f64 {
    // No negative zero, which would read back as another.
    (number * 1e6).round() / 1e6 + 0.0
}

/// Writes `attribution` of `case`.
///
/// # Errors
/// Those of `out`.
pub fn write_attribution_json(case: &Case, attribution: &Attribution, out: &mut dyn Write) -> io::Result<()> {
    let shape = AttributionShape {
        schema: "assay-attribution/1",
        as_of: &attribution.as_of,
        actors: attribution.actors,
        attack_version: &attribution.attack_version,
        knowledge_sha256: &attribution.knowledge_sha256,
        fitted_before: &attribution.fitted_before,
        intrusions: attribution.intrusions.iter().map(|of| intrusion_shape(case, of)).collect(),
    };
    write_pretty(&shape, out)
}

fn intrusion_shape<'a>(case: &'a Case, of: &'a AttributedIntrusion) -> IntrusionShape<'a> {
    let intrusion = case.intrusions.iter().find(|intrusion| intrusion.id == of.intrusion);
    let named = of.named.as_deref();
    let first = of.hypotheses.first().map(|first| rounded(first.probability));
    let unknown = HypothesisShape { actor: "unknown", name: None, probability: rounded(of.unknown) };
    let hypotheses = of.hypotheses.iter().map(|ActorHypothesis { actor, name, probability }| {
        HypothesisShape { actor, name: Some(name), probability: rounded(*probability) }
    });
    IntrusionShape {
        intrusion: words::intrusion_label(of.intrusion),
        first: Time(intrusion.and_then(|intrusion| intrusion.span.first)),
        hosts: intrusion.into_iter().flat_map(|intrusion| &intrusion.hosts).map(|host| &**host).collect(),
        verdict: if named.is_some() { "named" } else { "insufficient" },
        named,
        confidence: first.filter(|_| named.is_some()),
        strength: of.strength.as_deref(),
        likelihood: &of.likelihood,
        tie: of.tie,
        hypotheses: hypotheses.chain([unknown]).collect(),
        items: of.items.iter().map(item_shape).collect(),
        smallest_set: &of.smallest_set,
        change: &of.change,
        notes: &of.notes,
        claims: of.claims.iter().map(claim_shape).collect(),
    }
}

fn item_shape(item: &AttributionItem) -> ItemShape<'_> {
    ItemShape {
        id: &item.id,
        name: &item.name,
        kind: who::item_kind(&item.id),
        findings: item.findings,
        finding_ids: item.finding_ids.iter().map(ToString::to_string).collect(),
        hosts: item.hosts.iter().map(|host| &**host).collect(),
        admiralty: &item.admiralty,
        forgeability: &item.forgeability,
        known_for: &item.known_for,
        adds: item.adds.iter().copied().map(rounded).collect(),
    }
}

fn claim_shape(claim: &ActorClaim) -> ClaimShape<'_> {
    let ActorClaim { date, by, level, says, word, scale, source } = claim;
    ClaimShape { date, by, level, says, word, scale, source }
}
