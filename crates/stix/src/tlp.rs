//! The Traffic Light Protocol, version 2.0 (FIRST, August 2022), as OASIS writes it in STIX.
//!
//! A label stands in STIX as a reference to one of five fixed objects (`cti-stix-common-objects`, extension `tlp-2.0`). The four
//! of version 1, which the specification has built in (section 7.2.1.4), are read, too; white is clear.

use crate::{Namespace, Object};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The definition of the extension that TLP 2.0 is.
pub const TLP_2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// A label, the widest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Tlp {
    /// No limit.
    Clear,
    /// The community.
    Green,
    /// The organisation and its clients.
    Amber,
    /// The organisation only; what nobody marked is taken so.
    #[default]
    AmberStrict,
    /// Named recipients only.
    Red,
}

/// The label, its word in OASIS's object, and the ids of versions 2 and 1.
const IDS: [(Tlp, &str, &str, Option<&str>); 5] = [
    (
        Tlp::Clear,
        "clear",
        "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
        Some("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"),
    ),
    (
        Tlp::Green,
        "green",
        "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        Some("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"),
    ),
    (
        Tlp::Amber,
        "amber",
        "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        Some("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"),
    ),
    (Tlp::AmberStrict, "amber+strict", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", None),
    (
        Tlp::Red,
        "red",
        "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        Some("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
    ),
];

impl Tlp {
    /// All labels, the widest first.
    pub const ALL: [Tlp; 5] = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red];

    /// The label as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Tlp::Clear => "TLP:CLEAR",
            Tlp::Green => "TLP:GREEN",
            Tlp::Amber => "TLP:AMBER",
            Tlp::AmberStrict => "TLP:AMBER+STRICT",
            Tlp::Red => "TLP:RED",
        }
    }

    /// The label in lower case and without `TLP:`: `amber+strict`.
    pub fn word(self) -> &'static str {
        IDS[self as usize].1
    }

    /// Who may have it, in a sentence.
    pub const fn audience(self) -> &'static str {
        match self {
            Tlp::Clear => "May be shared without limit.",
            Tlp::Green => "Only within the community.",
            Tlp::Amber => "Only for the organisation and its clients who need to know.",
            Tlp::AmberStrict => "Only for the organisation itself.",
            Tlp::Red => "Only for those it was given to.",
        }
    }

    /// The label of a text such as `TLP:AMBER+STRICT`, `amber`, `white`, without case; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let word = text.strip_prefix("tlp:").unwrap_or(&text);
        match word {
            "white" => Some(Tlp::Clear),
            "amber-strict" => Some(Tlp::AmberStrict),
            _ => IDS.iter().find(|(_, own, _, _)| *own == word).map(|(tlp, ..)| *tlp),
        }
    }

    /// The id of its object.
    pub fn id(self) -> &'static str {
        IDS[self as usize].2
    }

    /// The label of a marking's id, of version 2 or 1; `None` for any other marking.
    pub fn of_id(id: &str) -> Option<Self> {
        IDS.iter().find(|(_, _, two, one)| *two == id || *one == Some(id)).map(|(tlp, ..)| *tlp)
    }

    /// Its object, with the content that OASIS gave it.
    pub fn definition(self) -> Object {
        let mut extension = Map::new();
        extension.insert("extension_type".to_owned(), "property-extension".into());
        extension.insert("tlp_2_0".to_owned(), self.word().into());
        let mut object = Object::new("marking-definition");
        object.set("id", self.id()).set("created", "2022-10-01T00:00:00.000Z").set("name", self.as_str());
        object.extend(TLP_2_EXTENSION, extension);
        object
    }
}

/// The marking of evidence that was made and tells of no real incident; the same object in every bundle. It limits nobody, and
/// stands beside a label.
pub fn synthetic_marking() -> Object {
    let mut definition = Map::new();
    definition.insert(
        "statement".to_owned(),
        "Synthetic evidence: it was made, and tells of no real incident.".into(),
    );
    let mut object = Object::new("marking-definition");
    object.set("created", "2026-11-24T00:00:00.000Z").set("name", "Synthetic evidence");
    object.set("definition_type", "statement").set("definition", Value::Object(definition));
    object.seal(&Namespace::ASSAY);
    object
}

/// What somebody said about who may have a thing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Marking {
    /// A label; for RED with those it was given to, as far as they are known.
    Tlp(Tlp, BTreeSet<String>),
    /// A marking that is not known here: nobody may have it.
    Unknown(String),
}

impl From<Tlp> for Marking {
    fn from(tlp: Tlp) -> Self {
        Self::Tlp(tlp, BTreeSet::new())
    }
}

impl Marking {
    /// The marking of an object: the strictest of all it carries, granular ones as if they were of the whole; without any,
    /// AMBER+STRICT. One that is not known here makes the whole unknown; [`synthetic_marking`] says nothing of who may see it.
    pub fn of(object: &Object) -> Self {
        let synthetic = synthetic_marking();
        let granular = object.get("granular_markings").and_then(Value::as_array).into_iter().flatten();
        let granular = granular.filter_map(|marking| marking["marking_ref"].as_str());
        let mut strictest = None;
        for id in object.refs("object_marking_refs").chain(granular) {
            match Tlp::of_id(id) {
                Some(tlp) => strictest = strictest.max(Some(tlp)),
                None if id == synthetic.id() => {}
                None => return Self::Unknown(id.to_owned()),
            }
        }
        strictest.unwrap_or_default().into()
    }
}

/// The marking of what was made of several things.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aggregate {
    /// The label.
    pub tlp: Tlp,
    /// Of RED: who may have it.
    pub recipients: BTreeSet<String>,
    /// Which input made it so, in words.
    pub reason: String,
}

/// Why something made of several things may go to nobody.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoAudience {
    /// Several inputs are RED, and nobody has got all of them.
    #[error("{0} inputs are TLP:RED, and no recipient is common to them")]
    Disjoint(usize),
    /// An input carries a marking that is not known here.
    #[error("{0} carries the marking {1}, which is not known here")]
    Unknown(String, String),
}

/// The marking of what is made of `inputs` (what each is called, and its marking): the strictest of them.
///
/// Of two that are RED, whoever may have both may have the whole.
///
/// # Errors
/// When that is nobody, or a marking is not known.
pub fn strictest<'i>(
    inputs: impl IntoIterator<Item = (&'i str, &'i Marking)>,
) -> Result<Aggregate, NoAudience> {
    let mut strictest: Option<(Tlp, &str)> = None;
    let mut red: Vec<&BTreeSet<String>> = Vec::new();
    for (name, marking) in inputs {
        match marking {
            Marking::Unknown(id) => return Err(NoAudience::Unknown(name.to_owned(), id.clone())),
            Marking::Tlp(tlp, recipients) => {
                if strictest.is_none_or(|(strictest, _)| *tlp > strictest) {
                    strictest = Some((*tlp, name));
                }
                if *tlp == Tlp::Red {
                    red.push(recipients);
                }
            }
        }
    }
    let Some((tlp, name)) = strictest else {
        let reason = "nothing it is made of is marked".to_owned();
        return Ok(Aggregate { tlp: Tlp::default(), recipients: BTreeSet::new(), reason });
    };
    let mut recipients = red.first().map(|first| (*first).clone()).unwrap_or_default();
    for other in red.iter().skip(1) {
        recipients.retain(|recipient| other.contains(recipient));
    }
    if tlp == Tlp::Red && recipients.is_empty() {
        return Err(NoAudience::Disjoint(red.len()));
    }
    Ok(Aggregate { tlp, recipients, reason: format!("{name} is {}", tlp.as_str()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn red(recipients: &[&str]) -> Marking {
        Marking::Tlp(Tlp::Red, recipients.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn labels_and_their_ids() {
        for tlp in Tlp::ALL {
            assert_eq!(Tlp::of_id(tlp.id()), Some(tlp));
            assert_eq!(Tlp::parse(tlp.as_str()), Some(tlp));
            assert_eq!(tlp.definition().id(), tlp.id());
            assert_eq!(IDS[tlp as usize].0, tlp);
        }
        assert_eq!(Tlp::parse("white"), Some(Tlp::Clear));
        assert_eq!(Tlp::parse("orange"), None);
        assert_eq!(Tlp::of_id("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"), Some(Tlp::Red));
        // The right first digits are not enough.
        assert_eq!(Tlp::of_id("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c2"), None);
    }

    #[test]
    fn the_strictest_input_counts() {
        let check = |inputs: &[(&str, Marking)], tlp, reason: &str| {
            let found = strictest(inputs.iter().map(|(name, marking)| (*name, marking))).unwrap();
            assert_eq!((found.tlp, found.reason.as_str()), (tlp, reason));
        };
        check(&[], Tlp::AmberStrict, "nothing it is made of is marked");
        check(&[("a", Tlp::Green.into()), ("b", Tlp::Amber.into())], Tlp::Amber, "b is TLP:AMBER");
        check(&[("a", red(&["x", "y"])), ("b", red(&["y"]))], Tlp::Red, "a is TLP:RED");
    }

    #[test]
    fn two_reds_meet_in_whoever_has_both() {
        let (a, b, c) = (red(&["x", "y"]), red(&["y", "z"]), red(&["z"]));
        let of = |inputs: &[&Marking]| strictest(inputs.iter().map(|marking| ("one", *marking)));
        assert_eq!(of(&[&a, &b]).unwrap().recipients, BTreeSet::from(["y".to_owned()]));
        assert_eq!(of(&[&a, &b, &c]).unwrap_err(), NoAudience::Disjoint(3));
        assert_eq!(of(&[&red(&[])]).unwrap_err(), NoAudience::Disjoint(1));
        let unknown = Marking::Unknown("marking-definition--x".to_owned());
        assert!(matches!(of(&[&Tlp::Clear.into(), &unknown]), Err(NoAudience::Unknown(..))));
    }

    #[test]
    fn the_marking_of_an_object() {
        let mut object = Object::new("note");
        assert_eq!(Marking::of(&object), Tlp::AmberStrict.into());
        object.set("object_marking_refs", vec![Tlp::Green.id(), Tlp::Red.id()]);
        assert_eq!(Marking::of(&object), Tlp::Red.into());
        object.set("object_marking_refs", vec![Tlp::Green.id(), "marking-definition--0"]);
        assert!(matches!(Marking::of(&object), Marking::Unknown(_)));
    }
}
