//! An attribution for the tests, and one with hostile text in every place that a file can fill.

use model::{
    ActorClaim, ActorHypothesis, AttributedIntrusion, Attribution, AttributionItem, FindingId, IntrusionId,
};

fn hypothesis(actor: &str, name: &str, probability: f64) -> ActorHypothesis {
    ActorHypothesis { actor: actor.to_owned(), name: name.to_owned(), probability }
}

pub(crate) fn attribution() -> Attribution {
    let text = str::to_owned;
    Attribution {
        as_of: text("2021-07-19"),
        actors: 119,
        attack_version: text("18.1"),
        knowledge_sha256: "ab".repeat(32),
        fitted_before: text("2020-01-01"),
        intrusions: vec![AttributedIntrusion {
            intrusion: IntrusionId(0),
            named: Some(text("G0125")),
            strength: Some(text("low")),
            likelihood: text("96 %, almost certain (ICD 203, 95-99 %)"),
            tie: false,
            hypotheses: vec![
                hypothesis("G0125", "HAFNIUM", 0.961),
                hypothesis("G0093", "GALLIUM", 0.012),
                hypothesis("G0065", "Leviathan", 0.012),
            ],
            unknown: 0.015,
            items: vec![AttributionItem {
                id: text("S0020"),
                name: text("China Chopper"),
                findings: 3,
                finding_ids: vec![FindingId([1, 0, 0, 0, 0, 0, 0, 0xf0])],
                hosts: vec!["MXS01".into()],
                admiralty: text("A2"),
                forgeability: text("easy"),
                known_for: vec![text("G0065"), text("G0093"), text("G0125")],
                adds: vec![1.25, 0.5, -0.25, 0.0],
            }],
            smallest_set: vec![text("S0020")],
            change: vec![text("The verdict ends without: China Chopper (S0020).")],
            notes: vec![text("China Chopper (S0020) is shared: 3 actors are known for it.")],
            claims: vec![ActorClaim {
                date: text("2021-07-19"),
                by: text("United Kingdom"),
                level: text("state"),
                says: text("The actor is associated with a state."),
                word: text("highly likely"),
                scale: text("UK PHIA"),
                source: text("gov.uk, 2021-07-19"),
            }],
        }],
    }
}

pub(crate) fn hostile(text: &str) -> Attribution {
    let mut attribution = attribution();
    let owned = || text.to_owned();
    attribution.as_of = owned();
    attribution.attack_version = owned();
    attribution.fitted_before = owned();
    let of = &mut attribution.intrusions[0];
    of.named = Some(owned());
    of.strength = Some(owned());
    of.likelihood = owned();
    for hypothesis in &mut of.hypotheses {
        hypothesis.name = owned();
        hypothesis.actor = format!("G{text}");
    }
    for item in &mut of.items {
        item.id = owned();
        item.name = format!("N{text}");
        item.admiralty = owned();
        item.forgeability = owned();
        item.hosts = vec![text.into()];
        item.known_for = vec![owned()];
    }
    (of.smallest_set, of.change, of.notes) = (vec![owned()], vec![owned()], vec![owned()]);
    for claim in &mut of.claims {
        *claim = ActorClaim {
            date: owned(),
            by: owned(),
            level: owned(),
            says: owned(),
            word: owned(),
            scale: owned(),
            source: owned(),
        };
    }
    attribution
}
