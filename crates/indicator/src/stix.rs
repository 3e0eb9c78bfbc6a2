//! STIX 2.1 bundles: indicators by their patterns, observables as they are.
//!
//! Actors are the intrusion sets and threat actors that an indicator
//! `indicates`; what an actor uses is not ascribed to it here. A revoked or
//! benign indicator, and a pattern of another language, is left out and counted.

use crate::json::{self, Step, text, texts};
use crate::kind::{Kind, Said};
use crate::load::{Loading, Place};
use crate::pattern;
use crate::set::About;
use ::stix::Tlp;
use serde_json::Value;
use std::collections::HashMap;

/// What the objects of a bundle refer to.
#[derive(Default)]
pub(crate) struct Facts {
    /// Names of actors, malware, producers and markings, by id.
    names: HashMap<String, Name>,
    /// What an object indicates, by its id.
    indicates: HashMap<String, Vec<String>>,
    reports: Vec<String>,
}

enum Name {
    Actor(String),
    Label(String),
    Producer(String),
    Tlp(String),
}

impl Facts {
    /// Learns from one object of the bundle.
    pub(crate) fn learn(&mut self, object: &Value) {
        let id = text(object, "id");
        let own = || text(object, "name").to_owned();
        let name = match text(object, "type") {
            "intrusion-set" | "threat-actor" => Name::Actor(own()),
            "malware" | "tool" | "campaign" | "attack-pattern" => Name::Label(own()),
            "identity" => Name::Producer(own()),
            "marking-definition" => {
                let tlp = object.pointer("/definition/tlp").and_then(Value::as_str);
                Name::Tlp(tlp.unwrap_or(text(object, "name")).to_lowercase().replace("tlp:", ""))
            }
            "report" => {
                self.reports.push(own());
                return;
            }
            "relationship" if text(object, "relationship_type") == "indicates" => {
                let target = text(object, "target_ref").to_owned();
                self.indicates.entry(text(object, "source_ref").to_owned()).or_default().push(target);
                return;
            }
            _ => return,
        };
        self.names.insert(id.to_owned(), name);
    }

    fn about(&self, object: &Value) -> About {
        let mut about = About {
            date: first(object, &["created", "valid_from"]).to_owned(),
            first_seen: text(object, "valid_from").to_owned(),
            valid_until: text(object, "valid_until").to_owned(),
            note: first(object, &["name", "description"]).to_owned(),
            confidence: object
                .get("confidence")
                .and_then(Value::as_u64)
                .and_then(|percent| percent.try_into().ok()),
            labels: texts(object, "labels").map(str::to_owned).collect(),
            ..About::default()
        };
        // With one report in the bundle, it is what the indicators belong to.
        if let [report] = self.reports.as_slice() {
            about.title.clone_from(report);
        }
        let targets = self.indicates.get(text(object, "id")).into_iter().flatten().map(String::as_str);
        let granular = object.get("granular_markings").and_then(Value::as_array).into_iter().flatten();
        let granular = granular.map(|marking| text(marking, "marking_ref")).filter(|id| !id.is_empty());
        let markings = texts(object, "object_marking_refs").chain(granular);
        for id in targets.chain(markings).chain([text(object, "created_by_ref")]) {
            // The fixed ids first: a bundle may define them anew, and not truly.
            if let Some(tlp) = Tlp::of_id(id) {
                add_marking(&mut about.tlp, tlp.word());
                continue;
            }
            match self.names.get(id) {
                Some(Name::Actor(name)) => about.actors.push(name.clone()),
                Some(Name::Label(name)) => about.labels.push(name.clone()),
                Some(Name::Tlp(tlp)) => add_marking(&mut about.tlp, tlp),
                Some(Name::Producer(name)) if about.title.is_empty() => about.title.clone_from(name),
                Some(Name::Producer(name)) => about.title.push_str(&format!(" ({name})")),
                None if id.starts_with("marking-definition--") => add_marking(&mut about.tlp, "not known"),
                None => {}
            }
        }
        about
    }
}

/// All markings of a value count, not the last one only.
pub(crate) fn add_marking(all: &mut String, one: &str) {
    if !all.is_empty() {
        all.push_str(", ");
    }
    all.push_str(one);
}

/// The first of the keys that says something.
fn first<'v>(object: &'v Value, keys: &[&str]) -> &'v str {
    keys.iter().map(|key| text(object, key)).find(|text| !text.is_empty()).unwrap_or_default()
}

pub(crate) fn load(json: &str, facts: &Facts, loading: &mut Loading<'_>) -> &'static str {
    let mut plan = |key: &str| if key == "objects" { Step::Each } else { Step::Skip };
    let walked = json::walk(json, &mut plan, &mut |pointer, object| {
        let place = Place::Pointer(pointer);
        match text(&object, "type") {
            "indicator" => indicator(&object, facts, loading, place),
            "" => loading.note(place, "an object without a type".to_owned()),
            kind => observable(kind, &object, facts, loading, place),
        }
    });
    if let Err(error) = walked {
        loading.note(Place::File, error);
    }
    "stix"
}

fn indicator(object: &Value, facts: &Facts, loading: &mut Loading<'_>, place: Place<'_>) {
    if object.get("revoked").and_then(Value::as_bool) == Some(true) {
        loading.leave_out("revoked");
        return;
    }
    if texts(object, "indicator_types").any(|kind| kind == "benign") {
        loading.leave_out("benign");
        return;
    }
    let language = text(object, "pattern_type");
    if !language.is_empty() && language != "stix" {
        loading.leave_out(&format!("pattern of type `{language}`"));
        return;
    }
    let about = facts.about(object);
    match pattern::parse(text(object, "pattern")) {
        Ok(choices) => choices.into_iter().for_each(|choice| match choice.as_deref() {
            Ok([value]) => loading.normal(value, &about, place),
            Ok(values) => loading.together(values, &about, place),
            Err(reason) => loading.note(place, reason.clone()),
        }),
        Err(reason) => loading.note(place, reason),
    }
}

/// An observable object: taken as it is.
fn observable(kind: &str, object: &Value, facts: &Facts, loading: &mut Loading<'_>, place: Place<'_>) {
    let mut about = facts.about(object);
    about.note = "an observable object, not an indicator".to_owned();
    let mut take = |kind, text: &str| {
        if !text.is_empty() {
            loading.value(Said::Kind(kind), text, &about, place);
        }
    };
    match kind {
        "ipv4-addr" | "ipv6-addr" => take(Kind::Address, text(object, "value")),
        "domain-name" => take(Kind::Domain, text(object, "value")),
        "url" => take(Kind::Url, text(object, "value")),
        "directory" => take(Kind::Path, text(object, "path")),
        "user-agent" => take(Kind::UserAgent, text(object, "value")),
        "file" => {
            let hashes = object.get("hashes").and_then(Value::as_object);
            let known = hashes.into_iter().flatten().filter_map(|(name, value)| match Said::parse(name) {
                Some(Said::Kind(kind)) => Some((kind, value.as_str()?)),
                _ => None,
            });
            let known: Vec<_> = known.collect();
            // A name is no indicator where the content is known.
            match known.as_slice() {
                [] => take(Kind::FileName, text(object, "name")),
                known => known.iter().for_each(|(kind, value)| take(*kind, value)),
            }
        }
        "network-traffic" => {
            let agent = object.pointer("/extensions/http-request-ext/request_header/User-Agent");
            match agent {
                Some(Value::String(agent)) => take(Kind::UserAgent, agent),
                Some(Value::Array(agents)) => {
                    agents.iter().filter_map(Value::as_str).for_each(|agent| take(Kind::UserAgent, agent))
                }
                _ => {}
            }
        }
        _ => {}
    }
}
