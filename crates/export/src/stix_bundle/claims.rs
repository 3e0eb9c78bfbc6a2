//! Who it was, as claims: ours by the numbers of `attribution.json`, others' by their own words. One relationship for each claim
//! and claimant; none of them carries STIX's `confidence`, which is for values of its own scales only.

use super::intrusions::mitre;
use super::{Builder, ach};
use crate::assessed::Assessed;
use crate::intrusion_label;
use knowledge::{Attack, Dossiers, Entry, Sponsor};
use serde_json::{Value, json};
use stix::{Claim, Likelihood};

impl Builder<'_> {
    /// Software, the actor that is named, and who claims what of it.
    pub(super) fn add_attribution(&mut self) {
        let export = self.export;
        let Some(attribution) = export.attribution else { return };
        let attack = knowledge::attack();
        for intrusion in &export.case.intrusions {
            let label = intrusion_label(intrusion.id);
            let Some(assessed) = attribution.of(&label) else { continue };
            let campaign = self.id(&format!("campaign/{}", intrusion.id.0));
            self.add_software(attack, assessed, &campaign);
            self.add_ach(attack, assessed, &campaign);
            if let Some((id, entry)) =
                assessed.named.as_deref().and_then(|id| attack.groups.get_key_value(id))
            {
                let actor = self.add_actor(id, entry);
                let mut relationship = self.relationship(&campaign, "attributed-to", &actor);
                self.own_claim(assessed, &label, &entry.name).put_into(&mut relationship);
                self.add(&format!("claim/{label}"), relationship);
                self.add_claims_of_others(id, entry, &actor);
            }
        }
    }

    fn add_software(&mut self, attack: &Attack, assessed: &Assessed, campaign: &str) {
        for item in assessed.items.iter().filter(|item| item.kind == "software") {
            let Some(entry) = attack.software.get(&item.id) else { continue };
            let mut software = self.begin(if entry.is_malware { "malware" } else { "tool" });
            software.set("name", entry.name.as_str());
            if entry.is_malware {
                software.set("is_family", true);
            }
            software.set("external_references", vec![mitre("software", &item.id)]);
            let software = self.add(&format!("software/{}", item.id), software);
            self.relate(campaign, "uses", &software);
        }
    }

    fn add_ach(&mut self, attack: &Attack, assessed: &Assessed, campaign: &str) {
        let mut note = self.begin("note");
        note.set("abstract", "Analysis of competing hypotheses");
        note.set("content", ach::table(attack, self.export.attribution, assessed));
        note.set("object_refs", vec![campaign]);
        self.add(&format!("ach/{}", assessed.intrusion), note);
    }

    fn add_actor(&mut self, id: &str, entry: &Entry) -> String {
        let mut actor = self.begin("intrusion-set");
        actor.set("name", entry.name.as_str());
        // Names are claims; they are told, but join nobody here.
        let aliases: Vec<&str> = entry.other_names.iter().map(|other| other.name.as_str()).collect();
        actor.set("aliases", aliases).set("external_references", vec![mitre("groups", id)]);
        self.add(&format!("actor/{id}"), actor)
    }

    /// What the program concludes, under the name of who exports it.
    fn own_claim(&self, assessed: &Assessed, label: &str, actor: &str) -> Claim {
        let probability = assessed.confidence.unwrap_or_default();
        Claim {
            claimant: self
                .export
                .options
                .organisation
                .clone()
                .unwrap_or_else(|| "organisation not named".to_owned()),
            level: "actor".to_owned(),
            clause: format!("{label} is consistent with {actor}"),
            // A claim is of the day on which it is made, whatever the evidence's.
            date: stix::timestamp(self.export.made)[..10].to_owned(),
            likelihood: attribution_word(probability),
            word_seen: String::new(),
            strength: assessed.strength.clone().unwrap_or_default(),
        }
    }

    /// Claims about who stands behind the actor. What is claimed of a state or an organisation is the claimant's: its object is
    /// made for that claim alone, so that two claims never become one entity.
    fn add_claims_of_others(&mut self, id: &str, entry: &Entry, actor: &str) {
        let Ok(dossiers) = knowledge::dossiers() else { return };
        let Some(dossier) = dossiers.of_attack(id) else { return };
        for (index, sponsor) in dossier.accountability.iter().enumerate() {
            let claim = claim_of(sponsor);
            let reference = source_of(&dossiers, sponsor);
            let name = format!("sponsor/{id}/{index}");
            if sponsor.level == "actor" {
                let mut note = self.begin("note");
                note.set("abstract", format!("Claim of {} about {}", sponsor.by, entry.name));
                note.set("content", sponsor.clause.as_str()).set("object_refs", vec![actor]);
                note.set("external_references", reference);
                claim.put_into(&mut note);
                self.add(&name, note);
                continue;
            }
            let mut behind = self.begin("threat-actor");
            let title =
                format!("who stands behind {} ({}), as {} claims", entry.name, sponsor.level, sponsor.by);
            behind.set("name", title).set("description", sponsor.clause.as_str());
            let behind = self.add(&format!("{name}/behind"), behind);
            let mut relationship = self.relationship(actor, "attributed-to", &behind);
            relationship.set("external_references", reference);
            claim.put_into(&mut relationship);
            self.add(&name, relationship);
        }
    }
}

/// The word of US ICD 203 for a probability.
fn attribution_word(probability: f64) -> Option<Likelihood> {
    let likelihood = attribution::Scale::Icd203.word(probability)?;
    Some(Likelihood {
        word: likelihood.word.to_owned(),
        scale: Some(likelihood.scale.as_str().to_owned()),
        percent: Some(likelihood.percent),
    })
}

/// A claim as its author made it: no word where none was seen, no scale where none was named.
fn claim_of(sponsor: &Sponsor) -> Claim {
    let scale = Some(sponsor.scale.clone()).filter(|scale| !scale.is_empty());
    let likelihood = Likelihood { word: sponsor.word.clone(), scale, percent: None };
    Claim {
        claimant: sponsor.by.clone(),
        level: sponsor.level.clone(),
        clause: sponsor.clause.clone(),
        date: sponsor.date.clone(),
        likelihood: Some(likelihood).filter(|likelihood| !likelihood.word.is_empty()),
        word_seen: sponsor.word_seen.clone(),
        strength: String::new(),
    }
}

fn source_of(dossiers: &Dossiers, sponsor: &Sponsor) -> Vec<Value> {
    let source = dossiers.sources.get(&sponsor.source);
    source
        .map(
            |source| json!({"source_name": source.publisher, "description": source.title, "url": source.url}),
        )
        .into_iter()
        .collect()
}
