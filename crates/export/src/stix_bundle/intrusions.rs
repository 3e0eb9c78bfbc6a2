//! Intrusions as incidents and campaigns; techniques; answers.

use super::Builder;
use super::observed::host_key;
use crate::intrusion_label;
use crate::redact::Detail;
use model::{Answer, AnswerWord, Intrusion, Span};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use stix::{INCIDENT_CORE, timestamp};

/// Answers in one note.
const ANSWERS_MAX: usize = 500;

impl Builder<'_> {
    /// Techniques that the groups' rules name, as MITRE's ids; the objects are ours, since only MITRE may issue its own.
    pub(super) fn add_techniques(&mut self) {
        let groups = self.export.facts.groups.iter().filter(|group| group.listed.is_none());
        let mut ids: BTreeSet<&str> =
            groups.flat_map(|group| &group.rule.techniques).map(String::as_str).collect();
        let assessed = self.export.attribution.iter().flat_map(|of| &of.intrusions);
        ids.extend(
            assessed
                .flat_map(|of| &of.items)
                .filter(|item| item.kind == "technique")
                .map(|item| item.id.as_str()),
        );
        for id in ids.into_iter().filter(|id| is_technique(id)) {
            let known = self.export.case.techniques.iter().find(|technique| technique.id == id);
            let mut object = self.begin("attack-pattern");
            object.set("name", known.map_or(id, |known| known.name.as_str()).to_owned());
            let phase = |tactic: &String| json!({"kill_chain_name": "mitre-attack", "phase_name": tactic});
            let phases: Vec<Value> = known.into_iter().flat_map(|known| &known.tactics).map(phase).collect();
            object.set("kill_chain_phases", phases);
            object.set("external_references", vec![mitre("techniques", id)]);
            self.add(&format!("technique/{id}"), object);
        }
    }

    /// Each intrusion: what happened, and the activity that it is a part of.
    pub(super) fn add_intrusions(&mut self) {
        let export = self.export;
        for intrusion in &export.case.intrusions {
            let label = intrusion_label(intrusion.id);
            let name = format!("{label} of case {}", export.case_tag());
            let mut campaign = self.begin("campaign");
            campaign.set("name", name.as_str());
            if self.redactor.detail() > Detail::Redacted && !intrusion.joined_by.is_empty() {
                campaign.set("description", format!("Joined by {}.", intrusion.joined_by.join(", ")));
            }
            if let (Some(first), Some(last)) = (intrusion.span.first, intrusion.span.last) {
                campaign.set("first_seen", timestamp(first)).set("last_seen", timestamp(last));
            }
            let campaign = self.add(&format!("campaign/{}", intrusion.id.0), campaign);
            let mut incident = self.begin("incident");
            incident.set("name", name);
            incident.extend(INCIDENT_CORE, self.incident_core(intrusion));
            let incident = self.add(&format!("incident/{}", intrusion.id.0), incident);
            self.relate(&campaign, "associated-with", &incident);
            for host in &intrusion.hosts {
                let host = self.id(&host_key(Some(host)));
                self.relate(&incident, "impacts", &host);
            }
            let groups = export.facts.groups.iter().filter(|group| group.intrusion == Some(intrusion.id));
            let techniques: BTreeSet<&String> = groups
                .filter(|group| group.listed.is_none())
                .flat_map(|group| &group.rule.techniques)
                .collect();
            for technique in techniques {
                let technique = self.id(&format!("technique/{technique}"));
                self.relate(&campaign, "uses", &technique);
            }
        }
    }

    fn incident_core(&self, intrusion: &Intrusion) -> Map<String, Value> {
        let breached = |host: &model::HostName| {
            self.export.case.verdicts.iter().any(|verdict| {
                verdict.host.as_ref() == Some(host) && verdict.headline.starts_with("BREACHED")
            })
        };
        let is_yes =
            |answer: &Answer| answer.intrusion == Some(intrusion.id) && answer.answer == AnswerWord::Yes;
        let succeeded = intrusion.hosts.iter().any(breached) && self.export.case.answers.iter().any(is_yes);
        let mut core = Map::new();
        core.insert("extension_type".to_owned(), "property-extension".into());
        core.insert(
            "determination".to_owned(),
            if succeeded { "successful-attempt" } else { "suspected" }.into(),
        );
        core.insert("investigation_status".to_owned(), "open".into());
        if succeeded {
            core.insert("incident_types".to_owned(), json!(["compromised-system"]));
        }
        core.insert("detection_methods".to_owned(), json!(["automated-tool"]));
        core
    }

    /// The answers about each host, as a note.
    pub(super) fn add_answers(&mut self) {
        let export = self.export;
        let hosts: BTreeSet<_> = export.case.answers.iter().map(|answer| answer.host.clone()).collect();
        for host in hosts {
            let of_host =
                |answer: &&Answer| answer.host == host && answer.answer != AnswerWord::NotApplicable;
            let answers: Vec<&Answer> = export.case.answers.iter().filter(of_host).collect();
            let identity = self.id(&host_key(host.as_ref()));
            let about: BTreeSet<String> = answers
                .iter()
                .filter_map(|answer| Some(self.id(&format!("incident/{}", answer.intrusion?.0))))
                .chain([identity])
                .filter(|id| !id.is_empty())
                .collect();
            if answers.is_empty() || about.is_empty() {
                continue;
            }
            let mut lines: Vec<String> =
                answers.iter().take(ANSWERS_MAX).map(|answer| self.answer_line(answer)).collect();
            if answers.len() > ANSWERS_MAX {
                lines.push(format!("and {} more answers", answers.len() - ANSWERS_MAX));
            }
            let mut note = self.begin("note");
            note.set("abstract", "Questions of the casebooks, answered").set("content", lines.join("\n"));
            note.set("object_refs", about.into_iter().collect::<Vec<_>>());
            self.add(&format!("answers/{}", host.as_deref().unwrap_or_default()), note);
        }
    }

    /// `exchange-2021, web-shell-written, intrusion-1: yes, 2021-03-02T… to …`; at home with the sentence.
    fn answer_line(&self, answer: &Answer) -> String {
        let of = answer.intrusion.map(|id| format!(", {}", intrusion_label(id))).unwrap_or_default();
        let word = answer.answer.as_str();
        let mut line =
            format!("{}, {}{of}: {word}{}", answer.casebook, answer.question_id, span_text(answer.span));
        if self.redactor.detail() > Detail::Redacted && !answer.text.is_empty() {
            line.push_str(&format!(". {}", answer.text));
        }
        line
    }
}

fn span_text(span: Span) -> String {
    match (span.first, span.last) {
        (Some(first), Some(last)) if first != last => {
            format!(", {} to {}", timestamp(first), timestamp(last))
        }
        (Some(first), _) => format!(", {}", timestamp(first)),
        _ => String::new(),
    }
}

/// `T1505.003`.
fn is_technique(id: &str) -> bool {
    let is_number =
        |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(rest) = id.strip_prefix('T') else { return false };
    match rest.split_once('.') {
        Some((technique, sub)) => is_number(technique, 4) && is_number(sub, 3),
        None => is_number(rest, 4),
    }
}

/// A reference to an entry of ATT&CK.
pub(super) fn mitre(folder: &str, id: &str) -> Value {
    let url = format!("https://attack.mitre.org/{folder}/{}", id.replace('.', "/"));
    json!({"source_name": "mitre-attack", "external_id": id, "url": url})
}
