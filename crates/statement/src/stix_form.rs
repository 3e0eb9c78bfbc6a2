//! A statement as STIX 2.1: one `relationship` for each claim and claimant, and what each party holds of the claims of
//! others as `opinion`, or as `note` where STIX has no word for it.
//!
//! A party's words stand in the extension of [`stix::Claim`]; `confidence` is set only from a strength that the party
//! itself gave on a scale of STIX's appendix A, never from a likelihood. Each object carries the label of what it holds, the report that of all of it.

use crate::audience::{View, stricter};
use crate::position::{Stance, Word};
use crate::standing::{ClauseStanding, Explanation, Voice};
use crate::statement::{Clause, Level, Statement};
use crate::text::label_sentence;
use serde_json::json;
use std::collections::BTreeSet;
use stix::{
    AppendixA, Bundle, Claim, Likelihood, Marking, Namespace, Object, Tlp, claim_definition, producer,
    synthetic_marking,
};

const NAMESPACE: Namespace = Namespace::ASSAY;

/// What every object of the bundle needs.
struct Form<'s> {
    statement: &'s Statement,
    /// Label of what no party said.
    marking: Marking,
    /// Labels that objects carry.
    labels: BTreeSet<Tlp>,
    created: String,
    objects: Vec<Object>,
    /// What the statement is about, and whoever did it.
    campaign: String,
    doers: String,
}

/// The bundle. Its objects are of the day of the last voice; of `now` where nobody has spoken yet.
pub fn stix_bundle(view: &View<'_>, now: model::Timestamp) -> Bundle {
    let View { statement, ref standings, .. } = *view;
    let dates =
        standings.iter().flat_map(|standing| standing.voices.iter().map(|voice| timestamp(&voice.date)));
    let created = dates.max().unwrap_or_else(|| stix::timestamp(now));
    let mut objects = vec![producer(), claim_definition()];
    if statement.synthetic {
        objects.push(synthetic_marking());
    }
    let (campaign, doers, labels) = (String::new(), String::new(), BTreeSet::new());
    let mut form =
        Form { statement, marking: statement.marking(), labels, created, objects, campaign, doers };
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
    form.report(view);
    let labels = std::mem::take(&mut form.labels);
    form.objects.extend(labels.into_iter().map(Tlp::definition));
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
    /// References to a label, and to the mark of made evidence.
    fn marks(&mut self, marking: &Marking) -> Vec<String> {
        let tlp = match marking {
            Marking::Tlp(tlp, _) => *tlp,
            // Nothing of this kind is shown to anybody.
            Marking::Unknown(_) => Tlp::Red,
        };
        self.labels.insert(tlp);
        let synthetic = self.statement.synthetic.then(|| synthetic_marking().id().to_owned());
        [tlp.id().to_owned()].into_iter().chain(synthetic).collect()
    }

    /// Adds an object of ours; gives its id.
    fn add(&mut self, kind: &str, fill: impl FnOnce(&mut Object)) -> String {
        let marks = self.marks(&self.marking.clone());
        let mut object = Object::new(kind);
        object.set("created", self.created.clone()).set("modified", self.created.clone());
        object.set("created_by_ref", producer().id()).set("object_marking_refs", marks);
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
        object.set("object_marking_refs", self.marks(&voice.labels.stance));
        object.set("relationship_type", kind).set("source_ref", source).set("target_ref", target);
        let said = [&voice.wording, &voice.summary, &clause.text].into_iter().find(|text| !text.is_empty());
        object.set("description", said.cloned().unwrap_or_default());
        object.set("external_references", self.references(voice));
        let on_a_scale = |word: &Word| AppendixA::named(word.scale.as_deref()?, &word.word)?.confidence();
        if let Some(confidence) = voice.strength.as_ref().and_then(on_a_scale) {
            object.set("confidence", confidence);
        }
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
        let Explanation { reason, alternative, .. } = &voice.explanation;
        let parts = [reason, &voice.wording, &voice.summary, alternative];
        let marking = match voice.explanation.is_there() {
            true => stricter(&voice.labels.stance, &voice.labels.reason),
            false => voice.labels.stance.clone(),
        };
        let marks = self.marks(&marking);
        let reason =
            parts.into_iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(" · ");
        let Some(stance) = voice.stance.filter(|_| voice.number.is_some()) else {
            // Nobody signed it, or nobody can say whether the words assent.
            let content = format!("{} {}: {reason}", claim.claimant, voice.verb);
            let mut note = Object::new("note");
            note.set("created", when.clone()).set("modified", when).set("created_by_ref", producer().id());
            note.set("content", content).set("object_refs", about.to_vec()).set("object_marking_refs", marks);
            claim.put_into(&mut note);
            note.seal(&NAMESPACE);
            self.objects.push(note);
            return;
        };
        let authors = [claim.claimant.clone()];
        let position = stix::Position {
            party,
            about,
            stance,
            reason: &reason,
            authors: &authors,
            claim: &claim,
            created: &when,
            markings: &marks,
        };
        self.objects.push(position.object(&NAMESPACE));
    }

    fn report(&mut self, view: &View<'_>) {
        let fixed =
            [producer(), claim_definition(), synthetic_marking()].map(|object| object.id().to_owned());
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
        let description: Vec<String> = [label_sentence(view)]
            .into_iter()
            .chain(view.left_out_text().iter().map(|line| format!("Left out: {line}")))
            .collect();
        let label = Marking::Tlp(view.label.tlp, view.label.recipients.clone());
        let marks = self.marks(&label);
        self.add("report", |object| {
            object.set("object_marking_refs", marks).set("description", description.join(". "));
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
            // Only the strength is of a scale of appendix A, and only the first party names one.
            let scale = if party == "us" { ", scale: None / Low / Med / High" } else { "" };
            let words = format!("likelihood: {{word: high{scale}}}, strength: {{word: high{scale}}}");
            let form = format!(
                "party: {party}\nclauses: [{{clause: C2, stance: {stance}, reason: Own reason., {words}}}]"
            );
            let form = crate::parse_position("form", &form, &statement).unwrap();
            let now = model::Timestamp::parse("2021-07-19T12:00:00Z").unwrap();
            package.file(form, now, &sample::signer(party)).unwrap();
        }
        let (positions, _) = package.positions(&statement, &package.own_roster().unwrap(), None);
        let view = View::new(&statement, crate::standing(&statement, &positions), None).unwrap();
        let bundle = stix_bundle(&view, model::Timestamp::from_nanos(0));
        let of =
            |kind: &str| bundle.objects.iter().filter(|object| object.kind() == kind).collect::<Vec<_>>();
        let relationships = of("relationship");
        assert_eq!(relationships.len(), 2);
        let confidence: Vec<_> =
            relationships.iter().map(|object| object.get("confidence").cloned()).collect();
        assert_eq!(confidence, [Some(json!(85)), None], "of us and uk");
        assert_ne!(relationships[0].text("created_by_ref"), relationships[1].text("created_by_ref"));
        let extension = &relationships[1].get("extensions").unwrap()[claim_definition().id()];
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
        let view = View::new(&record.statement, crate::record_standing(&record), None).unwrap();
        let told = stix_bundle(&view, model::Timestamp::from_nanos(0));
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
