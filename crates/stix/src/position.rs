//! A party's position on what somebody else claims.
//!
//! STIX's `opinion` has five words, from *strongly disagree* to *strongly agree*. Two stances are not among them: who
//! abstains is not *neutral*, and who concurs in part does not agree to the whole. These are notes. Every position carries its
//! stance and the party's own words in the extension of [`Claim`].

use crate::{AppendixA, Claim, Namespace, Object, claim_definition};

/// Where a party stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stance {
    /// It agrees.
    Concur,
    /// It agrees to a part, which its reason names.
    ConcurInPart,
    /// It says neither.
    Abstain,
    /// It disagrees.
    Dissent,
}

impl Stance {
    /// All of them.
    pub const ALL: [Stance; 4] = [Stance::Concur, Stance::ConcurInPart, Stance::Abstain, Stance::Dissent];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stance::Concur => "concur",
            Stance::ConcurInPart => "concur-in-part",
            Stance::Abstain => "abstain",
            Stance::Dissent => "dissent",
        }
    }

    /// The word of `opinion` for it, where there is one.
    const fn opinion(self) -> Option<&'static str> {
        match self {
            Stance::Concur => Some("agree"),
            Stance::Dissent => Some("disagree"),
            Stance::ConcurInPart | Stance::Abstain => None,
        }
    }
}

/// A position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position<'a> {
    /// The id of the party's identity.
    pub party: &'a str,
    /// The ids of what it is about; one at least.
    pub about: &'a [String],
    /// Where it stands.
    pub stance: Stance,
    /// Its reason, in its own words.
    pub reason: &'a str,
    /// Who in the party says so.
    pub authors: &'a [String],
    /// Its own claim: word, scale, strength.
    pub claim: &'a Claim,
    /// When (a STIX timestamp).
    pub created: &'a str,
    /// Ids of markings.
    pub markings: &'a [String],
}

impl Position<'_> {
    /// The `opinion` or `note`, with its id in `namespace`.
    pub fn object(&self, namespace: &Namespace) -> Object {
        self.object_with(None, namespace)
    }

    /// The same of a party that gave its confidence on a scale of STIX's appendix A. What that scale has not is left out.
    pub fn object_with(&self, confidence: Option<AppendixA<'_>>, namespace: &Namespace) -> Object {
        let opinion = self.stance.opinion();
        let mut object = Object::new(if opinion.is_some() { "opinion" } else { "note" });
        object.set("created", self.created).set("modified", self.created);
        object.set("created_by_ref", self.party).set("object_refs", self.about.to_vec());
        object.set("authors", self.authors.to_vec()).set("object_marking_refs", self.markings.to_vec());
        match opinion {
            Some(word) => object.set("opinion", word).set("explanation", self.reason),
            None => {
                let words = match self.stance {
                    Stance::ConcurInPart => "concurs in part",
                    _ => "abstains",
                };
                let abstract_ = format!("{} {words}", self.claim.claimant);
                let content = if self.reason.is_empty() { &abstract_ } else { self.reason };
                object.set("content", content.to_owned()).set("abstract", abstract_)
            }
        };
        object.set("confidence", confidence.and_then(AppendixA::confidence));
        let mut extension = self.claim.extension();
        extension.insert("stance".to_owned(), self.stance.as_str().into());
        object.extend(claim_definition().id(), extension);
        object.seal(namespace);
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abstaining_is_no_neutral_opinion() {
        let about = ["relationship--2ed6657d-e927-568b-95e1-2665a8aea6a2".to_owned()];
        let claim = Claim { claimant: "party 4".to_owned(), ..Claim::default() };
        let with = |stance, confidence| {
            Position {
                party: "identity--2ed6657d-e927-568b-95e1-2665a8aea6a2",
                about: &about,
                stance,
                reason: "",
                authors: &[],
                claim: &claim,
                created: "2021-07-19T10:00:00.000Z",
                markings: &[],
            }
            .object_with(confidence, &Namespace::ASSAY)
        };
        let make = |stance| with(stance, None);
        let kinds: Vec<String> = Stance::ALL.iter().map(|stance| make(*stance).kind().to_owned()).collect();
        assert_eq!(kinds, ["opinion", "note", "note", "opinion"]);
        assert_eq!(make(Stance::Dissent).text("opinion"), Some("disagree"));
        assert_eq!(make(Stance::Abstain).text("content"), Some("party 4 abstains"));
        for stance in Stance::ALL {
            let object = make(stance);
            let extension = &object.get("extensions").unwrap()[claim_definition().id()];
            assert_eq!(extension["stance"], stance.as_str());
            assert_eq!(object.get("confidence"), None);
        }
        let given = with(Stance::Concur, Some(AppendixA::NoneLowMedHigh("High")));
        assert_eq!(given.get("confidence"), Some(&85.into()));
        // What is no word of the scale is no confidence.
        let other = with(Stance::Concur, Some(AppendixA::Dni("highly likely")));
        assert_eq!(other.get("confidence"), None);
    }
}
