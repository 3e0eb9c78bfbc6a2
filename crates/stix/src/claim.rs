//! Claims in their author's own words: an extension of ours, since `confidence` cannot hold them.
//!
//! A likelihood is no confidence, and no word of one scale is one of another. So a claim carries its word, the scale that
//! its author named (or that none was named), the interval of that scale, and the strength of what it rests on, apart.

use crate::{Namespace, Object};
use serde_json::{Map, Value, json};

/// The extension of OASIS's technical committee that an incident's state stands in (`incident-core`, version 1.1.0 of the
/// definition). Its definition object is theirs and is not copied into bundles.
pub const INCIDENT_CORE: &str = "extension-definition--ef765651-680c-498d-9894-99799f2fa126";
/// When our own fixed objects came to be.
const CREATED: &str = "2026-11-24T00:00:00.000Z";
/// What the extension may hold, as a JSON Schema (draft 7): STIX allows the text itself where an address could stand.
const SCHEMA: &str = r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","required":["extension_type","claimant"],"properties":{"extension_type":{"const":"property-extension"},"claimant":{"type":"string"},"claim_level":{"type":"string"},"clause":{"type":"string"},"claim_date":{"type":"string"},"stance":{"enum":["concur","concur-in-part","abstain","dissent"]},"likelihood_word":{"type":"string"},"likelihood_scale":{"type":"string"},"likelihood_percent":{"type":"array","items":{"type":"integer","minimum":0,"maximum":100},"minItems":2,"maxItems":2},"word_seen":{"type":"string"},"evidence_strength":{"type":"string"}},"additionalProperties":false}"#;

/// A word of likelihood, on the scale of who used it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Likelihood {
    /// The word, as its author wrote it.
    pub word: String,
    /// The scale, where the author named one.
    pub scale: Option<String>,
    /// The word's interval on that scale, in percent.
    pub percent: Option<(u8, u8)>,
}

/// What one party says, apart from what the object it stands in says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Claim {
    /// Who says it.
    pub claimant: String,
    /// Its level: act, cluster, actor, organisation, state, or the author's own.
    pub level: String,
    /// What is said; a paraphrase unless its object says otherwise.
    pub clause: String,
    /// The day on which it was said, as far as known (`2021-07-19`, `2021-07`).
    pub date: String,
    /// How likely the party holds it to be.
    pub likelihood: Option<Likelihood>,
    /// How the word is known: `official`, `quoted`, `reported`, `none`; empty where the author says it here.
    pub word_seen: String,
    /// The strength of what it rests on, in the party's word; no probability.
    pub strength: String,
}

impl Claim {
    /// The extension. Put it in with [`Object::extend`] under the id of [`claim_definition`], or use [`Claim::put_into`].
    pub fn extension(&self) -> Map<String, Value> {
        let mut map = Map::new();
        let mut put = |name: &str, value: Value| {
            if value != json!("") {
                map.insert(name.to_owned(), value);
            }
        };
        put("extension_type", json!("property-extension"));
        put("claimant", json!(self.claimant));
        put("claim_level", json!(self.level));
        put("clause", json!(self.clause));
        put("claim_date", json!(self.date));
        if let Some(likelihood) = self.likelihood.as_ref().filter(|likelihood| !likelihood.word.is_empty()) {
            put("likelihood_word", json!(likelihood.word));
            put("likelihood_scale", json!(likelihood.scale.as_deref().unwrap_or("scale not stated")));
            if let Some((from, until)) = likelihood.percent {
                put("likelihood_percent", json!([from, until]));
            }
        }
        put("word_seen", json!(self.word_seen));
        put("evidence_strength", json!(self.strength));
        map
    }

    /// Puts the claim into an object.
    pub fn put_into(&self, object: &mut Object) {
        object.extend(claim_definition().id(), self.extension());
    }
}

/// The identity that our fixed objects are by: the program's, nobody's organisation.
pub fn producer() -> Object {
    let mut identity = Object::new("identity");
    identity.set("created", CREATED).set("modified", CREATED);
    identity.set("name", "assay").set("identity_class", "system");
    identity.set(
        "description",
        "The program that wrote this bundle; who stands behind its content is created_by_ref of each object.",
    );
    identity.seal(&Namespace::ASSAY);
    identity
}

/// The definition of the extension, the same object in every bundle.
pub fn claim_definition() -> Object {
    let mut definition = Object::new("extension-definition");
    definition.set("created", CREATED).set("modified", CREATED).set("created_by_ref", producer().id());
    definition.set("name", "assay claim").set("version", "1.0.0").set("schema", SCHEMA);
    definition.set(
        "description",
        "What one party claims, in its own word on its own scale, with the strength of its grounds kept apart. A likelihood \
         here is no STIX confidence.",
    );
    definition.set("extension_types", vec!["property-extension"]);
    definition.seal(&Namespace::ASSAY);
    definition
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_keeps_word_scale_and_interval_apart_from_confidence() {
        let claim = Claim {
            claimant: "UK".to_owned(),
            level: "state".to_owned(),
            likelihood: Some(Likelihood {
                word: "highly likely".to_owned(),
                scale: Some("PHIA".to_owned()),
                percent: Some((80, 90)),
            }),
            ..Claim::default()
        };
        let mut relationship = Object::new("relationship");
        claim.put_into(&mut relationship);
        let extension = &relationship.get("extensions").unwrap()[claim_definition().id()];
        assert_eq!(extension["likelihood_word"], "highly likely");
        assert_eq!(extension["likelihood_percent"], json!([80, 90]));
        assert_eq!(extension.get("clause"), None, "nothing is written that was not said");
        assert_eq!(relationship.get("confidence"), None);
        let unscaled = Likelihood { word: "confident".to_owned(), scale: None, percent: None };
        let claim = Claim { likelihood: Some(unscaled), ..claim };
        assert_eq!(claim.extension()["likelihood_scale"], "scale not stated");
    }

    #[test]
    fn the_schema_is_json_and_knows_every_property() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let full = Claim {
            claimant: "a".to_owned(),
            level: "b".to_owned(),
            clause: "c".to_owned(),
            date: "d".to_owned(),
            likelihood: Some(Likelihood { word: "e".to_owned(), scale: None, percent: Some((1, 2)) }),
            word_seen: "f".to_owned(),
            strength: "g".to_owned(),
        };
        for name in full.extension().keys() {
            assert!(schema["properties"].get(name).is_some(), "{name}");
        }
    }

    /// Receivers know these by their ids.
    #[test]
    fn our_fixed_objects_stay_the_same() {
        assert_eq!(producer().id(), "identity--5235eb18-aae0-5178-b423-a03b0c3c6df0");
        assert_eq!(claim_definition().id(), "extension-definition--d3fe7226-b4c4-54d0-a62f-0afd9acaa594");
    }
}
