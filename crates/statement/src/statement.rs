//! The statement: clauses with their grounds, the parties asked, scales and sources.

use serde::{Deserialize, Serialize};

/// What `schema` says.
pub(crate) const SCHEMA: &str = "assay-statement/1";

/// Clauses that parties take positions on.
///
/// As YAML it is edited by hand; in a package it is JSON after RFC 8785.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// `assay-statement/1`.
    pub schema: String,
    /// One line.
    pub title: String,
    /// What it is about, in a sentence or two.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Label of the Traffic Light Protocol: `clear`, `green`, `amber`, `amber+strict`, `red`.
    pub tlp: String,
    /// Of `red`: those who may have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Whether a ground is made evidence; set when the package is made, by the cases themselves.
    #[serde(default, skip_serializing_if = "is_false")]
    pub synthetic: bool,
    /// Who is asked; one that says nothing is shown as silent.
    pub parties: Vec<Party>,
    /// Scales that somebody named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scales: Vec<Scale>,
    /// Texts that grounds and positions refer to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// The claims.
    pub clauses: Vec<Clause>,
    /// What a reader would stumble over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// One who may take positions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its principal in the roster and its name in files: `a-z`, `0-9`, `-`.
    pub id: String,
    /// As people write it.
    pub name: String,
}

/// A scale of words, as its owner publishes it. For readers: words are never moved from one scale to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// What `scale` of a word names.
    pub id: String,
    /// Who keeps it.
    pub owner: String,
    /// `likelihood` or `confidence`.
    pub axis: String,
    /// Its words, from the weakest on; `from` and `to` in percent where the owner gives them.
    pub terms: Vec<Term>,
}

/// A word of a scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The word.
    pub word: String,
    /// Percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u8>,
    /// Percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u8>,
}

/// A text that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What others name it by.
    pub id: String,
    /// Who published it.
    pub by: String,
    /// `YYYY-MM-DD` or `YYYY-MM`.
    pub date: String,
    /// `official`, `press`, `record`, `analysis` …
    pub kind: String,
    /// How much of it was seen, and how.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seen: String,
    /// Where it stands; shown, never a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// One claim at one level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// `C1` … as others name it.
    pub id: String,
    /// What kind of claim.
    pub level: Level,
    /// Whom or what it names (a cluster, an actor, an organisation, a state), where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<String>,
    /// The claim in one sentence.
    pub text: String,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Ground>,
    /// Further claims, by id, that this one presupposes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builds_on: Vec<String>,
}

/// The level of a claim. The first five attribute, each further than the one before; the others do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What was done.
    Act,
    /// Which activity belongs together.
    Cluster,
    /// Which actor did it.
    Actor,
    /// Which organisation is behind the actor.
    Organisation,
    /// Which state is responsible.
    State,
    /// From whose territory: a place, not a doer.
    Territory,
    /// What it was meant for.
    Intent,
    /// That others have said something.
    Acknowledgement,
    /// Support for what others said.
    Support,
    /// What is asked of somebody.
    Demand,
    /// That something is denied.
    Denial,
}

impl Level {
    /// As files write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Cluster => "cluster",
            Self::Actor => "actor",
            Self::Organisation => "organisation",
            Self::State => "state",
            Self::Territory => "territory",
            Self::Intent => "intent",
            Self::Acknowledgement => "acknowledgement",
            Self::Support => "support",
            Self::Demand => "demand",
            Self::Denial => "denial",
        }
    }

    /// Whether a claim at this level says who did it.
    pub fn attributes(self) -> bool {
        matches!(self, Self::Act | Self::Cluster | Self::Actor | Self::Organisation | Self::State)
    }
}

/// What a clause rests on: exactly one of the three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Findings of a case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<FindingGround>,
    /// What `assay attribute` gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<AttributionGround>,
    /// What somebody else claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalGround>,
}

/// Findings in a case, by the hash of the case's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingGround {
    /// What the case is called here.
    pub case: String,
    /// SHA-256 of its `findings.jsonl`.
    pub findings_sha256: String,
    /// Ids of findings in it.
    pub ids: Vec<String>,
    /// What they show, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shows: String,
}

/// A result of weighing actors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributionGround {
    /// What the case is called here.
    pub case: String,
    /// SHA-256 of its `attribution.json`.
    pub attribution_sha256: String,
    /// The intrusion.
    pub intrusion: String,
    /// What it says, in a sentence.
    pub says: String,
}

/// A claim that somebody else made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalGround {
    /// Whose claim.
    pub author: String,
    /// `YYYY-MM-DD`.
    pub date: String,
    /// What it claims.
    pub claim: String,
    /// Its own word for how sure it is, where it gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// The scale that it names for the word; absent: scale not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<String>,
    /// Where it stands: an id of `sources`, or text.
    pub source: String,
}

/// Something to know, about all of it or about some clauses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The note.
    pub text: String,
    /// Clauses that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<String>,
    /// Sources, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

impl Statement {
    /// The clause of this id.
    pub fn clause(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.id == id)
    }

    /// The name of a party, or its id where it is not one of those asked.
    pub fn party_name<'s>(&'s self, id: &'s str) -> &'s str {
        self.parties.iter().find(|party| party.id == id).map_or(id, |party| &party.name)
    }

    /// All grounds, by clause.
    pub fn grounds(&self) -> impl Iterator<Item = (&Clause, &Ground)> {
        self.clauses.iter().flat_map(|clause| clause.grounds.iter().map(move |ground| (clause, ground)))
    }
}
