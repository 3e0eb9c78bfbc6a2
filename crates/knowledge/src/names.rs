//! Names are claims: somebody says that an actor goes by this name.
//!
//! A name is looked up one hop, never further: that two actors share a name
//! does not make them one. Chains of shared names join actors that are known to
//! differ (APT28 and APT29 share "Grizzly Steppe" in one source).

use crate::{Attack, Date};
use std::collections::{BTreeMap, BTreeSet};

/// How the name relates to the actor, by the claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Relation {
    /// The actor's name, or another one for it.
    Same,
    /// The two overlap in part.
    Overlaps,
    /// The name is one of a part of the actor.
    PartOf,
    /// The actor had this name before.
    Formerly,
}

impl Relation {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Overlaps => "overlaps",
            Self::PartOf => "part of",
            Self::Formerly => "formerly",
        }
    }

    /// The relation of a word; `None` for others.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Same, Self::Overlaps, Self::PartOf, Self::Formerly].into_iter().find(|r| r.as_str() == word)
    }
}

/// One claim: `source` says that `name` is a name of `actor`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Claim {
    /// The name as it is written.
    pub name: String,
    /// Where it stands (`ATT&CK`, `MISP threat-actor`, `Microsoft`, `assay`, …).
    pub source: String,
    /// The actor's id in that source.
    pub actor_id: String,
    /// The actor's main name there.
    pub actor: String,
    /// How the name relates to the actor.
    pub relation: Relation,
    /// When it was first claimed, where that is known.
    pub date: Option<Date>,
    /// Organisations that use the name, or reports that do; empty: not known.
    pub claimed_by: Vec<String>,
}

/// A name as it is compared: letters and digits of any script, in lower case.
pub fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// All claims, found by name.
#[derive(Clone, Debug, Default)]
pub struct NameBook {
    claims: Vec<Claim>,
    by_key: BTreeMap<String, Vec<usize>>,
}

impl NameBook {
    /// A book of these claims.
    pub fn new(mut claims: Vec<Claim>) -> Self {
        claims.sort();
        claims.dedup();
        let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, claim) in claims.iter().enumerate() {
            by_key.entry(key(&claim.name)).or_default().push(index);
        }
        by_key.remove("");
        Self { claims, by_key }
    }

    /// All claims, sorted.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// The claims about `name`, without regard to case, blanks and signs.
    pub fn about(&self, name: &str) -> Vec<&Claim> {
        let found = self.by_key.get(&key(name)).into_iter().flatten();
        found.filter_map(|index| self.claims.get(*index)).collect()
    }

    /// The other names of the actor `actor_id` of `source`.
    pub fn of_actor<'a>(&'a self, source: &'a str, actor_id: &'a str) -> impl Iterator<Item = &'a Claim> {
        self.claims.iter().filter(move |claim| claim.source == source && claim.actor_id == actor_id)
    }

    /// Names one edit (a letter or digit put in, left out, exchanged) away from `name`, as keys.
    pub fn one_edit_away(&self, name: &str) -> Vec<&str> {
        let wanted: Vec<char> = key(name).chars().collect();
        let near = |key: &&String| is_one_edit(&wanted, &key.chars().collect::<Vec<_>>());
        self.by_key.keys().filter(near).map(String::as_str).collect()
    }

    /// Whether `name` is claimed for more than one actor of one source.
    pub fn is_ambiguous(&self, name: &str) -> bool {
        let mut actors: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for claim in self.about(name) {
            actors.entry(&claim.source).or_default().insert(&claim.actor_id);
        }
        actors.values().any(|ids| ids.len() > 1)
    }
}

fn is_one_edit(a: &[char], b: &[char]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() - short.len() > 1 || short == long {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let skip = usize::from(short.len() == long.len());
    short[same + skip..] == long[same + 1..]
}

/// The names that ATT&CK gives its groups, as claims; `claimed_by` are the reports it cites.
pub fn of_attack(attack: &Attack) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (id, group) in &attack.groups {
        let claim = |name: &str, date, claimed_by| Claim {
            name: name.to_owned(),
            source: format!("ATT&CK v{}", attack.version),
            actor_id: id.clone(),
            actor: group.name.clone(),
            relation: Relation::Same,
            date,
            claimed_by,
        };
        claims.push(claim(&group.name, None, Vec::new()));
        for other in &group.other_names {
            let reports = other.reports.iter().filter_map(|report| attack.report(*report));
            let date = reports.clone().filter_map(|report| report.date).min_by_key(|date| date.day());
            claims.push(claim(&other.name, date, reports.map(|report| report.name.clone()).collect()));
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(name: &str, id: &str) -> Claim {
        Claim {
            name: name.to_owned(),
            source: "S".to_owned(),
            actor_id: id.to_owned(),
            actor: id.to_owned(),
            relation: Relation::Same,
            date: None,
            claimed_by: Vec::new(),
        }
    }

    #[test]
    fn names_are_found_one_hop() {
        let book = NameBook::new(vec![
            claim("APT 28", "a"),
            claim("Grizzly Steppe", "a"),
            claim("Grizzly Steppe", "b"),
            claim("APT29", "b"),
        ]);
        assert_eq!(book.about("apt28").len(), 1);
        assert_eq!(book.about("GRIZZLY-STEPPE").len(), 2);
        assert!(book.is_ambiguous("grizzly steppe") && !book.is_ambiguous("APT29"));
        assert_eq!(book.one_edit_away("APT28"), ["apt29"]);
        assert!(book.about("").is_empty());
    }

    #[test]
    fn edits_are_counted() {
        for (a, b, wanted) in [
            ("apt30", "apt31", true),
            ("apt3", "apt30", true),
            ("apt30", "apt30", false),
            ("apt30", "apt13", false),
            ("", "a", true),
        ] {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(is_one_edit(&chars(a), &chars(b)), wanted, "{a} {b}");
            assert_eq!(is_one_edit(&chars(b), &chars(a)), wanted, "{b} {a}");
        }
    }
}
