//! Our own facts about single actors, and the claims of others about who they
//! are and who stands behind them (`knowledge/actors.yml`).

use crate::{Claim, Date, Day, Hours, Infrastructure, Language, Relation, Victims};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file's content, read strictly: a key that is not known is a fault.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dossiers {
    schema: String,
    /// Sources by their short name.
    pub sources: BTreeMap<String, Source>,
    /// One dossier an actor.
    pub actors: Vec<Dossier>,
    /// Attacks that many actors took part in.
    pub events: Vec<Event>,
}

/// A published text.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who published it.
    pub publisher: String,
    /// What it is called.
    pub title: String,
    /// When it was published, as printed.
    pub date: String,
    /// Where.
    pub url: String,
}

/// What is known about one actor.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dossier {
    /// Our short name for it.
    pub id: String,
    /// Its id in ATT&CK, where it has one.
    pub attack: Option<String>,
    /// Its name, where ATT&CK has none.
    pub name: Option<String>,
    /// Names, each by somebody.
    pub names: Vec<DossierName>,
    /// Whom it is said to be after.
    pub sectors: Option<Sectors>,
    /// The same in words that can be compared.
    pub victims: Vec<Victims>,
    /// Hosts that it is said to work from.
    pub infrastructure: Vec<Infrastructure>,
    /// When it is said to work.
    pub hours: Vec<Hours>,
    /// How it is said to write.
    pub languages: Vec<Language>,
    /// Who has said who it is, or who stands behind it.
    pub accountability: Vec<Sponsor>,
}

/// A name of the actor.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DossierName {
    /// The name.
    pub name: String,
    /// Who uses it.
    pub by: String,
    /// Since when.
    #[serde(default)]
    pub date: Option<String>,
    /// `same`, when nothing is said.
    #[serde(default)]
    pub relation: Option<String>,
    /// Where that stands.
    #[serde(default)]
    pub source: Option<String>,
    /// What a reader would get wrong.
    #[serde(default)]
    pub note: Option<String>,
}

/// Whom an actor is after, by a source.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sectors {
    /// Sectors, in plain words.
    pub of: Vec<String>,
    /// Which source says so.
    pub source: String,
}

/// A claim of somebody about an actor, an organisation or a state; it never
/// follows from technical evidence, it is cited.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sponsor {
    /// Who says so.
    pub by: String,
    /// `actor`, `organisation` or `state`.
    pub level: String,
    /// When, `YYYY-MM-DD`.
    pub date: String,
    /// What is said, in our words.
    pub clause: String,
    /// The word of likelihood or confidence, as given; empty: none was seen.
    pub word: String,
    /// The scale of that word; empty: none was stated.
    pub scale: String,
    /// `official`, `quoted`, `reported` or `none`.
    pub word_seen: String,
    /// Which source.
    pub source: String,
    /// What a text would call the victim, when the claim is about one.
    #[serde(default)]
    pub about: Vec<String>,
    /// The event that it is about, by our short name.
    #[serde(default)]
    pub event: Option<String>,
}

/// An attack that many took part in.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Our short name.
    pub id: String,
    /// In plain words.
    pub title: String,
    /// The casebook whose findings are about it.
    pub casebook: String,
    /// When it began.
    pub from: String,
    /// When it was over, as far as known.
    pub until: String,
    /// Dossiers of those who took part.
    pub used_by: Vec<String>,
    /// Which source says so.
    pub source: String,
    /// What all of them used: ids of ATT&CK.
    pub shared: Vec<String>,
}

impl Dossiers {
    /// Reads `actors.yml`.
    ///
    /// # Errors
    /// When it is not YAML of this form, or names a source, an actor, a date or
    /// a relation that does not exist.
    pub fn parse(text: &str) -> Result<Self, String> {
        let dossiers: Self = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
        dossiers.check()?;
        Ok(dossiers)
    }

    fn check(&self) -> Result<(), String> {
        if self.schema != "assay-actors/1" {
            return Err(format!("schema is {:?}, not assay-actors/1", self.schema));
        }
        let source = |name: &str| match self.sources.get(name) {
            Some(source) if Date::parse(&source.date).is_some() => Ok(()),
            Some(source) => Err(format!("source {name}: {:?} is no date", source.date)),
            None => Err(format!("there is no source {name:?}")),
        };
        for actor in &self.actors {
            if actor.attack.is_none() && actor.name.is_none() {
                return Err(format!("{}: neither name nor id of ATT&CK", actor.id));
            }
            for name in &actor.names {
                name.source.as_deref().map_or(Ok(()), source)?;
                let relation = name.relation.as_deref().unwrap_or("same");
                Relation::parse(relation).ok_or_else(|| format!("{}: relation {relation:?}", actor.id))?;
            }
            for claim in &actor.accountability {
                source(&claim.source)?;
                Day::parse(&claim.date).ok_or_else(|| format!("{}: {:?} is no day", actor.id, claim.date))?;
                let is_event = |id: &String| self.events.iter().any(|event| event.id == *id);
                if !claim.event.as_ref().is_none_or(is_event) {
                    return Err(format!("{}: no event {:?}", actor.id, claim.event));
                }
            }
            actor.sectors.as_ref().map_or(Ok(()), |sectors| source(&sectors.source))?;
        }
        for event in &self.events {
            source(&event.source)?;
            for id in &event.used_by {
                self.actors.iter().find(|actor| actor.id == *id).ok_or_else(|| format!("no actor {id:?}"))?;
            }
            for day in [&event.from, &event.until] {
                Day::parse(day).ok_or_else(|| format!("{}: {day:?} is no day", event.id))?;
            }
        }
        self.check_habits()
    }

    /// The dossier of the actor with this id of ATT&CK.
    pub fn of_attack(&self, id: &str) -> Option<&Dossier> {
        self.actors.iter().find(|actor| actor.attack.as_deref() == Some(id))
    }

    /// The dossier of the actor with this id of ATT&CK, or with this short name of ours.
    pub fn of_id(&self, id: &str) -> Option<&Dossier> {
        self.of_attack(id).or_else(|| self.actors.iter().find(|actor| actor.id == id))
    }

    /// What has been said of who took part in an event, by date.
    pub fn accountability_of(&self, event: &str) -> Vec<&Sponsor> {
        let all = self.actors.iter().flat_map(|actor| &actor.accountability);
        let mut claims: Vec<&Sponsor> = all.filter(|claim| claim.event.as_deref() == Some(event)).collect();
        claims.sort_by(|a, b| (&a.date, &a.by).cmp(&(&b.date, &b.by)));
        claims
    }

    /// The names in the dossiers, as claims.
    pub fn claims(&self) -> Vec<Claim> {
        let mut claims = Vec::new();
        for actor in &self.actors {
            for name in &actor.names {
                claims.push(Claim {
                    name: name.name.clone(),
                    source: "assay".to_owned(),
                    actor_id: actor.attack.clone().unwrap_or_else(|| actor.id.clone()),
                    actor: actor.name.clone().unwrap_or_else(|| name.name.clone()),
                    relation: name.relation.as_deref().and_then(Relation::parse).unwrap_or(Relation::Same),
                    date: name.date.as_deref().and_then(Date::parse),
                    claimed_by: vec![name.by.clone()],
                });
            }
        }
        claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_dossiers_are_sound() {
        let dossiers = crate::dossiers().unwrap();
        assert_eq!(dossiers.of_attack("G0125").unwrap().id, "hafnium");
        assert_eq!(dossiers.events[0].used_by.len(), 11);
        let attack = crate::attack();
        for id in dossiers.actors.iter().filter_map(|actor| actor.attack.as_deref()) {
            assert!(attack.groups.contains_key(id), "{id}");
        }
        for id in dossiers.events.iter().flat_map(|event| &event.shared) {
            assert!(attack.name(id).is_some(), "{id}");
        }
    }

    #[test]
    fn faults_are_told() {
        for (from, to, wanted) in [
            ("date: 2021-03-02, source: ms-hafnium}", "date: 2021-03-02, source: nobody}", "no source"),
            ("level: state, date: 2021-07-19", "level: state, date: 2021-07", "is no day"),
            ("used_by: [hafnium", "used_by: [nobody", "no actor"),
            ("event: exchange-2021}", "event: exchange-2022}", "no event"),
            ("relation: overlaps", "relation: is", "relation"),
        ] {
            let text = crate::DOSSIERS.replacen(from, to, 1);
            assert_ne!(text, crate::DOSSIERS, "{from}");
            let error = Dossiers::parse(&text).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
