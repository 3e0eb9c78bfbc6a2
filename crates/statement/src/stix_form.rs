//! A statement as STIX 2.1: one `relationship` for each claim and claimant, and what each party holds of the claims of
//! others as `opinion`, or as `note` where STIX has no word for it.
//!
//! A party's words stand in the extension of [`stix::Claim`]; `confidence` is never set from them.

use crate::position::{Stance, Word};
use crate::standing::{ClauseStanding, Voice};
use crate::statement::{Clause, Level, Statement};
use serde_json::json;
use stix::{Bundle, Claim, Likelihood, Namespace, Object, Tlp, claim_definition, producer};

const NAMESPACE: Namespace = Namespace::ASSAY;

/// What every object of the bundle needs.
struct Form<'s> {
    statement: &'s Statement,
    marking: &'static str,
    created: String,
    objects: Vec<Object>,
    /// What the statement is about, and whoever did it.
    campaign: String,
    doers: String,
}

/// The bundle. `standings` come from [`crate::standing`] or [`crate::record_standing`]. Its objects are of the day of
/// the last voice; of `now` where nobody has spoken yet.
pub fn stix_bundle(statement: &Statement, standings: &[ClauseStanding<'_>], now: model::Timestamp) -> Bundle {
    let tlp = Tlp::parse(&statement.tlp).unwrap_or_default();
    let dates =
        standings.iter().flat_map(|standing| standing.voices.iter().map(|voice| timestamp(&voice.date)));
    let created = dates.max().unwrap_or_else(|| stix::timestamp(now));
    let objects = vec![producer(), claim_definition(), tlp.definition()];
    let (campaign, doers) = (String::new(), String::new());
    let mut form = Form { statement, marking: tlp.id(), created, objects, campaign, doers };
    form.campaign = form.add("campaign", |object| {
        object.set("name", statement.title.clone()).set("description", statement.about.clone());
    });
    form.doers = form.add("threat-actor", |object| {
        object.set("name", format!("Those who did it: {}", statement.title));
        object.set(
            "description",
            "Whoever they are: claims about them are relationships, each with its claimant.",
        );
    });
    for standing in standings {
        form.clause(standing);
    }
    form.report();
    Bundle::new(form.objects, &NAMESPACE)
}

/// Whether a voice makes the clause its own claim. What was said in public does so in part, too, with its own words in
/// the relationship's description; who signed a position on a part holds an opinion.
fn is_claim(voice: &Voice) -> bool {
    match voice.stance {
        Some(Stance::Concur) => true,
        Some(Stance::ConcurInPart) => voice.number.is_none(),
        _ => false,
    }
}

/// A STIX timestamp of RFC 3339, of a day, or of a month.
fn timestamp(text: &str) -> String {
    let whole = match text.len() {
        7 => format!("{text}-01T00:00:00Z"),
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    model::Timestamp::parse(&whole).map_or(whole, stix::timestamp)
}

impl Form<'_> {
    /// Adds an object of ours; gives its id.
    fn add(&mut self, kind: &str, fill: impl FnOnce(&mut Object)) -> String {
        let mut object = Object::new(kind);
        object.set("created", self.created.clone()).set("modified", self.created.clone());
        object.set("created_by_ref", producer().id()).set("object_marking_refs", vec![self.marking]);
        fill(&mut object);
        object.seal(&NAMESPACE);
        let id = object.id().to_owned();
        self.objects.push(object);
        id
    }

    fn identity(&mut self, name: &str, class: &str) -> String {
        self.add("identity", |object| {
            object.set("name", name).set("identity_class", class);
        })
    }

    /// Source, kind and target of the relationships that say this clause.
    fn ends(&mut self, clause: &Clause) -> (String, &'static str, String) {
        let named = |form: &mut Self, kind: &str, name: &str| match kind {
            "intrusion-set" => form.add("intrusion-set", |object| {
                object.set("name", name);
            }),
            class => form.identity(name, class),
        };
        match (clause.level, clause.names.as_deref()) {
            (Level::Cluster | Level::Actor, Some(name)) => {
                (self.campaign.clone(), "attributed-to", named(self, "intrusion-set", name))
            }
            (Level::Organisation, Some(name)) => {
                (self.doers.clone(), "attributed-to", named(self, "organization", name))
            }
            (Level::State, Some(name)) => (self.doers.clone(), "attributed-to", named(self, "class", name)),
            // STIX has no type for the claim; its words and level are in the extension.
            _ => (self.doers.clone(), "related-to", self.campaign.clone()),
        }
    }

    fn clause(&mut self, standing: &ClauseStanding<'_>) {
        let (source, kind, target) = self.ends(standing.clause);
        let mut claims: Vec<(String, String)> = Vec::new();
        for voice in standing.voices.iter().filter(|voice| is_claim(voice)) {
            let party = self.party(voice);
            let relationship = self.relationship(standing.clause, voice, &party, (&source, kind, &target));
            claims.push((party, relationship));
        }
        // What somebody said in public of itself is no opinion on what others said.
        for voice in standing.voices.iter().filter(|voice| voice.number.is_some() || !is_claim(voice)) {
            let party = self.party(voice);
            let others = claims.iter().filter(|(claimant, _)| *claimant != party).map(|(_, id)| id.clone());
            let mut about: Vec<String> = others.collect();
            if about.is_empty() {
                // Who is alone with its claim says so by its relationship.
                if voice.stance == Some(Stance::Concur) {
                    continue;
                }
                about.push(self.campaign.clone());
            }
            self.opinion(standing.clause, voice, &party, &about);
        }
    }

    fn party(&mut self, voice: &Voice) -> String {
        let name = self.statement.party_name(&voice.party).to_owned();
        self.identity(&name, "organization")
    }

    fn claim(&self, clause: &Clause, voice: &Voice) -> Claim {
        let likelihood = |word: &Word| Likelihood {
            word: word.word.clone(),
            scale: word.scale.clone(),
            percent: word.interval.map(|[from, to]| (from, to)),
        };
        Claim {
            claimant: self.statement.party_name(&voice.party).to_owned(),
            level: clause.level.as_str().to_owned(),
            clause: clause.text.clone(),
            date: voice.date.chars().take(10).collect(),
            likelihood: voice.likelihood.as_ref().map(likelihood),
            word_seen: String::new(),
            strength: voice.strength.as_ref().map(Word::shown).unwrap_or_default(),
        }
    }

    fn relationship(
        &mut self,
        clause: &Clause,
        voice: &Voice,
        party: &str,
        (source, kind, target): (&str, &str, &str),
    ) -> String {
        let when = timestamp(&voice.date);
        let mut object = Object::new("relationship");
        object.set("created", when.clone()).set("modified", when).set("created_by_ref", party);
        object.set("object_marking_refs", vec![self.marking]);
        object.set("relationship_type", kind).set("source_ref", source).set("target_ref", target);
        let said = [&voice.wording, &voice.summary, &clause.text].into_iter().find(|text| !text.is_empty());
        object.set("description", said.cloned().unwrap_or_default());
        object.set("external_references", self.references(voice));
        self.claim(clause, voice).put_into(&mut object);
        object.seal(&NAMESPACE);
        let id = object.id().to_owned();
        self.objects.push(object);
        id
    }

    fn references(&self, voice: &Voice) -> serde_json::Value {
        let known = voice
            .sources
            .iter()
            .filter_map(|id| self.statement.sources.iter().find(|source| source.id == *id));
        let reference = known.map(|source| {
            let mut reference =
                json!({"source_name": source.by, "description": format!("{}; {}", source.date, source.kind)});
            if let Some(url) = &source.url {
                reference["url"] = json!(url);
            }
            reference
        });
        reference.collect()
    }

    fn opinion(&mut self, clause: &Clause, voice: &Voice, party: &str, about: &[String]) {
        let claim = self.claim(clause, voice);
        let when = timestamp(&voice.date);
        let parts = [&voice.reason, &voice.wording, &voice.summary, &voice.alternative];
        let reason =
            parts.into_iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(" · ");
        let Some(stance) = voice.stance.filter(|_| voice.number.is_some()) else {
            // Nobody signed it, or nobody can say whether the words assent.
            let content = format!("{} {}: {reason}", claim.claimant, voice.verb);
            let mut note = Object::new("note");
            note.set("created", when.clone()).set("modified", when).set("created_by_ref", producer().id());
            note.set("content", content)
                .set("object_refs", about.to_vec())
                .set("object_marking_refs", vec![self.marking]);
            claim.put_into(&mut note);
            note.seal(&NAMESPACE);
            self.objects.push(note);
            return;
        };
        let markings = [self.marking.to_owned()];
        let authors = [claim.claimant.clone()];
        let position = stix::Position {
            party,
            about,
            stance,
            reason: &reason,
            authors: &authors,
            claim: &claim,
            created: &when,
            markings: &markings,
        };
        self.objects.push(position.object(&NAMESPACE));
    }

    fn report(&mut self) {
        let fixed = [producer().id().to_owned(), claim_definition().id().to_owned(), self.marking.to_owned()];
        let mut all: Vec<String> = self
            .objects
            .iter()
            .map(|object| object.id().to_owned())
            .filter(|id| !fixed.contains(id))
            .collect();
        all.sort();
        all.dedup();
        let (title, when) = (self.statement.title.clone(), self.created.clone());
        let synthetic = self.statement.synthetic;
        self.add("report", |object| {
            object.set("name", title).set("published", when).set("object_refs", all);
            object.set("report_types", vec!["threat-report"]);
            if synthetic {
                object.set("labels", vec!["synthetic"]);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn one_relationship_per_claimant_and_one_opinion_per_party() {
        let mut package = sample::package();
        let statement = package.statement().unwrap();
        for (party, stance) in [("us", "concur"), ("uk", "concur"), ("jp", "abstain"), ("se", "dissent")] {
            let form = format!(
                "party: {party}\nclauses: [{{clause: C2, stance: {stance}, reason: Own reason., likelihood: {{word: likely}}}}]"
            );
            let form = crate::parse_position("form", &form, &statement).unwrap();
            let now = model::Timestamp::parse("2021-07-19T12:00:00Z").unwrap();
            package.file(form, now, &sample::signer(party)).unwrap();
        }
        let (positions, _) = package.positions(&statement, &package.own_roster().unwrap(), None);
        let bundle = stix_bundle(
            &statement,
            &crate::standing(&statement, &positions),
            model::Timestamp::from_nanos(0),
        );
        let of =
            |kind: &str| bundle.objects.iter().filter(|object| object.kind() == kind).collect::<Vec<_>>();
        let relationships = of("relationship");
        assert_eq!(relationships.len(), 2);
        assert!(relationships.iter().all(|object| object.get("confidence").is_none()));
        assert_ne!(relationships[0].text("created_by_ref"), relationships[1].text("created_by_ref"));
        let extension = &relationships[0].get("extensions").unwrap()[claim_definition().id()];
        assert_eq!(
            (&extension["claim_level"], &extension["likelihood_scale"]),
            (&json!("cluster"), &json!("scale not stated"))
        );
        let opinions: Vec<_> =
            of("opinion").iter().map(|object| object.text("opinion").unwrap().to_owned()).collect();
        assert_eq!(opinions, ["agree", "agree", "disagree"]);
        assert_eq!(of("note").len(), 1, "who abstains has no opinion");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/statement-2021/record.yml");
        let record = crate::parse_record(path, &std::fs::read_to_string(path).unwrap()).unwrap();
        let told =
            stix_bundle(&record.statement, &crate::record_standing(&record), model::Timestamp::from_nanos(0));
        let count = |kind: &str| told.objects.iter().filter(|object| object.kind() == kind).count();
        // Of 34 entries one relays others, and of one it is unclear what it comes to.
        assert_eq!((count("relationship"), count("note"), count("opinion")), (32, 2, 0));
        let ids: Vec<&str> = bundle.objects.iter().map(Object::id).collect();
        for object in &bundle.objects {
            for reference in object.all_refs() {
                assert!(ids.contains(&reference), "{reference} is not in the bundle");
            }
        }
    }
}
