//! Who may see what: the one function that every exit asks.
//!
//! What others marked goes where their label lets it go, whole or not at all. What is our own goes whole to our own
//! organisation; its owner may let it leave, and then it leaves redacted.

use crate::{Marking, Tlp};
use std::collections::BTreeSet;

/// For whom an export is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Audience {
    /// Everybody.
    Public,
    /// The community.
    Community,
    /// The organisation and its clients.
    Clients,
    /// The organisation.
    Organisation,
    /// These persons; whether they belong to the organisation is not known.
    Persons(BTreeSet<String>),
}

impl Audience {
    /// The audience that a label speaks of; of RED these persons.
    pub fn of(tlp: Tlp, persons: BTreeSet<String>) -> Self {
        match tlp {
            Tlp::Clear => Self::Public,
            Tlp::Green => Self::Community,
            Tlp::Amber => Self::Clients,
            Tlp::AmberStrict => Self::Organisation,
            Tlp::Red => Self::Persons(persons),
        }
    }

    /// The label of what is made for it.
    pub const fn tlp(&self) -> Tlp {
        match self {
            Self::Public => Tlp::Clear,
            Self::Community => Tlp::Green,
            Self::Clients => Tlp::Amber,
            Self::Organisation => Tlp::AmberStrict,
            Self::Persons(_) => Tlp::Red,
        }
    }
}

/// Whose a thing is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Ours: we may let it go further than we marked it.
    Us,
    /// Somebody else's.
    Other,
}

/// How a thing may be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Visibility {
    /// As it is.
    Whole,
    /// Without what tells of the organisation: hosts, people, inner addresses, what a stranger could use.
    Redacted,
    /// Not at all.
    Refused(Refusal),
}

/// Why a thing may not be shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refusal {
    /// Its label is stricter than the audience.
    Label(Tlp),
    /// It is RED, and some of the audience are not known to have got it.
    NotARecipient,
    /// Its label is for members of the organisation, and who the persons are is not known.
    Membership(Tlp),
    /// A marking that is not known here.
    UnknownMarking,
}

impl Refusal {
    /// The reason, in words.
    pub fn as_text(&self) -> String {
        match self {
            Self::Label(tlp) => format!("marked {}, which is stricter than this export", tlp.as_str()),
            Self::NotARecipient => {
                "marked TLP:RED, and not known to have been given to all of them".to_owned()
            }
            Self::Membership(tlp) => {
                format!(
                    "marked {} by others, and whether all recipients belong there is not known",
                    tlp.as_str()
                )
            }
            Self::UnknownMarking => "a marking that is not known here".to_owned(),
        }
    }
}

/// How a thing of this marking and owner may be shown to this audience.
pub fn visibility(marking: &Marking, owner: Owner, audience: &Audience) -> Visibility {
    let (tlp, recipients) = match marking {
        Marking::Unknown(_) => return Visibility::Refused(Refusal::UnknownMarking),
        Marking::Tlp(tlp, recipients) => (*tlp, recipients),
    };
    match (tlp, audience) {
        (Tlp::Red, Audience::Persons(persons)) => {
            let all_have_it = !persons.is_empty() && persons.is_subset(recipients);
            if all_have_it { Visibility::Whole } else { Visibility::Refused(Refusal::NotARecipient) }
        }
        // Nobody takes RED back, not even its owner by an option of one export.
        (Tlp::Red, _) => Visibility::Refused(Refusal::Label(Tlp::Red)),
        (_, Audience::Persons(persons)) if persons.is_empty() => Visibility::Refused(Refusal::NotARecipient),
        (Tlp::Amber | Tlp::AmberStrict, Audience::Persons(_)) => match owner {
            Owner::Us => Visibility::Whole,
            Owner::Other => Visibility::Refused(Refusal::Membership(tlp)),
        },
        _ if tlp <= audience.tlp() => Visibility::Whole,
        _ => match owner {
            Owner::Us => Visibility::Redacted,
            Owner::Other => Visibility::Refused(Refusal::Label(tlp)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> impl Strategy<Value = BTreeSet<String>> {
        proptest::collection::btree_set(
            proptest::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned),
            0..3,
        )
    }

    fn markings() -> impl Strategy<Value = Marking> {
        let tlp = proptest::sample::select(Tlp::ALL.to_vec());
        prop_oneof![
            8 => (tlp, names()).prop_map(|(tlp, names)| Marking::Tlp(tlp, names)),
            1 => Just(Marking::Unknown("marking-definition--0".to_owned())),
        ]
    }

    fn audiences() -> impl Strategy<Value = Audience> {
        (proptest::sample::select(Tlp::ALL.to_vec()), names())
            .prop_map(|(tlp, names)| Audience::of(tlp, names))
    }

    proptest! {
        #[test]
        fn others_things_go_no_further_than_their_label(marking in markings(), audience in audiences()) {
            match visibility(&marking, Owner::Other, &audience) {
                Visibility::Redacted => prop_assert!(false, "we do not redact what is not ours"),
                Visibility::Whole => {
                    let Marking::Tlp(tlp, given) = &marking else { panic!("unknown markings close") };
                    prop_assert!(*tlp <= audience.tlp());
                    if let Audience::Persons(persons) = &audience {
                        prop_assert!(!persons.is_empty());
                        prop_assert!(*tlp < Tlp::Amber || (*tlp == Tlp::Red && persons.is_subset(given)));
                    }
                }
                Visibility::Refused(_) => {}
            }
        }

        #[test]
        fn what_is_ours_leaves_the_organisation_redacted_only(audience in audiences()) {
            let shown = visibility(&Tlp::AmberStrict.into(), Owner::Us, &audience);
            match audience {
                Audience::Public | Audience::Community | Audience::Clients => {
                    prop_assert_eq!(shown, Visibility::Redacted);
                }
                Audience::Organisation => prop_assert_eq!(shown, Visibility::Whole),
                Audience::Persons(persons) => prop_assert_eq!(shown == Visibility::Whole, !persons.is_empty()),
            }
        }

        #[test]
        fn a_wider_audience_never_sees_more(marking in markings(), names in names()) {
            let rank = |visibility: Visibility| match visibility {
                Visibility::Refused(_) => 0,
                Visibility::Redacted => 1,
                Visibility::Whole => 2,
            };
            for owner in [Owner::Us, Owner::Other] {
                // Persons are no circle around the organisation, so they are not compared.
                let ranks: Vec<u8> = Tlp::ALL[..4].iter()
                    .map(|tlp| rank(visibility(&marking, owner, &Audience::of(*tlp, names.clone()))))
                    .collect();
                prop_assert!(ranks.is_sorted(), "{:?}", ranks);
            }
        }
    }
}
