//! Which known actors each intrusion of a case is consistent with, as of a day.

use crate::{FindingId, HostName, IntrusionId};

/// What was said of who, for all intrusions of a case.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Attribution {
    /// The day whose knowledge was used, `YYYY-MM-DD`.
    pub as_of: String,
    /// How many actors were known on it.
    pub actors: u64,
    /// The version of ATT&CK.
    pub attack_version: String,
    /// SHA-256 over the knowledge, lower case hex.
    pub knowledge_sha256: String,
    /// All cases on which the numbers were fitted are dated before this day.
    pub fitted_before: String,
    /// In the case's order.
    pub intrusions: Vec<AttributedIntrusion>,
}

/// One intrusion.
#[derive(Clone, PartialEq, Debug)]
pub struct AttributedIntrusion {
    /// Which.
    pub intrusion: IntrusionId,
    /// The actor that is named, by its id: the first hypothesis.
    pub named: Option<String>,
    /// `low`, `moderate` or `high`, when somebody is named.
    pub strength: Option<String>,
    /// The probability of the first hypothesis as word, scale and interval.
    pub likelihood: String,
    /// Whether another actor stands level with the first one.
    pub tie: bool,
    /// All known actors, the most probable first.
    pub hypotheses: Vec<ActorHypothesis>,
    /// The probability of an actor that is not known, deception included.
    pub unknown: f64,
    /// What was observed, the most telling first.
    pub items: Vec<AttributionItem>,
    /// The smallest set found of items (ids) whose loss ends the verdict.
    pub smallest_set: Vec<String>,
    /// What would change the verdict, in sentences.
    pub change: Vec<String>,
    /// What a reader would stumble over: circularity, shared tools, who was not yet known.
    pub notes: Vec<String>,
    /// What others have said of who stands behind the named actor, by date.
    pub claims: Vec<ActorClaim>,
}

/// One known actor.
#[derive(Clone, PartialEq, Debug)]
pub struct ActorHypothesis {
    /// Its id in ATT&CK.
    pub actor: String,
    /// Its name there.
    pub name: String,
    /// How probable it is that it was this one.
    pub probability: f64,
}

/// One technique or software, however many findings show it.
#[derive(Clone, PartialEq, Debug)]
pub struct AttributionItem {
    /// Its id in ATT&CK.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// How many findings show it.
    pub findings: u64,
    /// The first of them.
    pub finding_ids: Vec<FindingId>,
    /// Where.
    pub hosts: Vec<HostName>,
    /// Reliability of the source and credibility of the item (Admiralty code).
    pub admiralty: String,
    /// How hard it is to plant: `easy` or `hard`.
    pub forgeability: String,
    /// Actors (ids) that are known for it on the day.
    pub known_for: Vec<String>,
    /// What it adds for each of the first hypotheses, in their order; natural logarithms, below
    /// zero it speaks against.
    pub adds: Vec<f64>,
}

/// A claim of somebody, cited; nothing of it follows from the evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActorClaim {
    /// When, `YYYY-MM-DD`.
    pub date: String,
    /// Who says so.
    pub by: String,
    /// `actor`, `organisation` or `state`.
    pub level: String,
    /// What, paraphrased.
    pub says: String,
    /// The word of likelihood or confidence, as given; empty: none was seen.
    pub word: String,
    /// Its scale; empty: none was stated.
    pub scale: String,
    /// Where it is published.
    pub source: String,
}
