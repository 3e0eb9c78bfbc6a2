//! What parties said in public, with its sources: positions that nobody signed.

use crate::position::Word;
use crate::statement::Statement;
use serde::{Deserialize, Serialize};

/// What `schema` says.
pub(crate) const SCHEMA: &str = "assay-record/1";
/// How a word may be known.
pub(crate) const WORD_SEEN: [&str; 4] = ["official", "quoted", "reported", "none"];

/// Who attributed what to whom, when, in which words, on which scale, by which source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// `assay-record/1`.
    pub schema: String,
    /// Clauses are ours: what several said, as far as they said the same.
    pub statement: Statement,
    /// What each said, one entry for each clause and time.
    pub positions: Vec<Recorded>,
    /// Where sources disagree; all of them are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
}

/// What one party said about one clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Who.
    pub party: String,
    /// About what.
    pub clause: String,
    /// When: `YYYY-MM-DD`.
    pub date: String,
    /// What it comes to: a stance, `states` (it says this of itself), or `unclear`.
    pub stance: RecordedStance,
    /// Its own words; short quotations only.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wording: String,
    /// Our summary of what it said, where its words were not seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Its own word for how sure it is, on the scale that *it* named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Word>,
    /// How the word is known: `official`, `quoted`, `reported`, `none`.
    pub word_seen: String,
    /// The scale that a reader might suppose, where the party named none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scale_supposed: String,
    /// Sources, by id.
    pub sources: Vec<String>,
    /// What a reader has to know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What a public text comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordedStance {
    /// It makes the claim itself.
    States,
    /// It makes part of the claim.
    StatesInPart,
    /// It passes on what others claim.
    Relays,
    /// It contradicts the claim.
    Contradicts,
    /// Its words are there; what they come to is not for us to say.
    Unclear,
}

impl RecordedStance {
    /// As a sentence about a party says it.
    pub fn verb(self) -> &'static str {
        match self {
            Self::States => "states it",
            Self::StatesInPart => "states part of it",
            Self::Relays => "relays others",
            Self::Contradicts => "contradicts it",
            Self::Unclear => "speaks of it; unclear whether it assents",
        }
    }
}

/// Sources that do not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// In a few words.
    pub title: String,
    /// Clauses concerned.
    pub clauses: Vec<String>,
    /// What each says.
    pub readings: Vec<Reading>,
    /// Whether it is settled, and how.
    pub settled: String,
}

/// What one source says in a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The source, by id.
    pub source: String,
    /// What it says.
    pub says: String,
}
