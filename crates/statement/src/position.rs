//! What one party holds of each clause, in its own words.

use crate::statement::Statement;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

pub use stix::Stance;

/// What `schema` says.
pub(crate) const SCHEMA: &str = "assay-position/1";

/// The n-th position of one party. A later one supersedes it; it stays where it is.
///
/// The names of the fields are chosen so that, sorted (RFC 8785), those that bind a position to its place stand side by
/// side, and `grep` can check them (steps 7 and 8 of [`crate::VERIFY_MD`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// What it holds of the clauses it speaks of. None: the position is withdrawn.
    pub clauses: Vec<ClausePosition>,
    /// When, by its own word: RFC 3339, UTC.
    pub filed: String,
    /// From 1, without a gap.
    pub number: u32,
    /// Whose.
    pub party: String,
    /// Where its label, or the label of a reason, is `red`: those who may have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// What it wants to say about all of it; of a withdrawal, why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// SHA-256 of the roster that was in the package.
    pub roster_sha256: String,
    /// `assay-position/1`.
    pub schema: String,
    /// SHA-256 of `statement.json`.
    pub statement_sha256: String,
    /// SHA-256 of the position before, null for the first.
    pub supersedes: Option<String>,
    /// SHA-256 of `statement.txt`.
    pub text_sha256: String,
    /// Its label, where it is stricter than the statement's: `clear`, `green`, `amber`, `amber+strict`, `red`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<String>,
}

/// A stance on one clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClausePosition {
    /// Which clause.
    pub clause: String,
    /// For or against.
    #[serde(with = "stance")]
    pub stance: Stance,
    /// Its own word for how likely the claim is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likelihood: Option<Word>,
    /// Its own word for how strong the grounds are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<Word>,
    /// The claim in its own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wording: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What it holds instead.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alternative: String,
    /// The label of reason and alternative, where it is stricter than that of the position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_tlp: Option<String>,
}

/// As a sentence about a party says it.
pub fn stance_verb(stance: Stance) -> &'static str {
    match stance {
        Stance::Concur => "concurs",
        Stance::ConcurInPart => "concurs in part",
        Stance::Abstain => "abstains",
        Stance::Dissent => "dissents",
    }
}

/// A stance as files write it.
mod stance {
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::Serializer;
    use stix::Stance;

    pub(super) fn serialize<S: Serializer>(stance: &Stance, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(stance.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Stance, D::Error> {
        let word = String::deserialize(from)?;
        let found = Stance::ALL.into_iter().find(|stance| stance.as_str() == word);
        let wanted = Stance::ALL.map(Stance::as_str).join(", ");
        found.ok_or_else(|| D::Error::custom(format!("stance: wanted one of {wanted}, found {word:?}")))
    }
}

/// A party's own word, on the scale that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// The word, never translated.
    pub word: String,
    /// The scale it names; absent: scale not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<String>,
    /// Percent from and to, where the party itself gives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[u8; 2]>,
}

impl Word {
    /// The word with its scale: `“likely” (PHIA, 55–75 %)`, `“confident” (scale not stated)`.
    pub fn shown(&self) -> String {
        let scale = self.scale.as_deref().unwrap_or("scale not stated");
        match self.interval {
            Some([from, to]) => format!("“{}” ({scale}, {from}–{to} %)", self.word),
            None => format!("“{}” ({scale})", self.word),
        }
    }
}

/// A position for a party to fill in, as YAML. It cannot be filed as it is: each stance is to be chosen.
pub fn position_form(statement: &Statement, party: &str) -> String {
    let mut out = format!(
        "# Position of {} on: {}\n# Keep the clauses you want to speak of, and remove the others: who leaves a clause out takes no stance on it.\n\
         # stance: concur | concur-in-part | abstain | dissent\n\
         # Optional: likelihood and strength {{word, scale, interval: [from, to]}}, wording, reason, alternative; without a scale: scale not stated.\n\
         # The statement is TLP:{}. A stricter label: tlp for all of this position, reason_tlp for reason and alternative of one clause; of red also recipients.\n\
         party: {party}\nremark: \"\"\n# tlp: amber\n# recipients: []\nclauses:\n",
        one_line(statement.party_name(party)),
        one_line(&statement.title),
        statement.tlp.to_ascii_uppercase()
    );
    for clause in &statement.clauses {
        // Writing into a `String` cannot fail.
        let _ = write!(
            out,
            "  # {} ({}): {}\n  - clause: {}\n    stance: CHOOSE\n    # likelihood: {{word: likely, scale: PHIA, interval: [55, 75]}}\n    # strength: {{word: moderate}}\n    # wording: \"\"\n    # reason: \"\"\n    # alternative: \"\"\n    # reason_tlp: amber\n",
            clause.id,
            clause.level.as_str(),
            one_line(&clause.text),
            clause.id
        );
    }
    out
}

/// Text for a comment of YAML: nothing in it begins a line of its own.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}
