//! MISP: events with attributes, alone or in a list, as the program exports them.
//!
//! An attribute that is not meant for detection (`to_ids` is false) is left out
//! and counted. Actors come from the galaxies of the event and the attribute.

use crate::json::{self, Step, list, text};
use crate::kind::{Kind, Said};
use crate::load::{Loading, Place};
use crate::set::About;
use model::Timestamp;
use serde_json::Value;
use std::collections::HashMap;

/// Galaxies that name actors, and those that name their tools and deeds.
const ACTORS: &[&str] = &[
    "threat-actor",
    "intrusion-set",
    "microsoft-activity-group",
    "mitre-intrusion-set",
    "360net-threat-actor",
];
const LABELS: &[&str] = &[
    "malpedia",
    "mitre-malware",
    "mitre-tool",
    "malware",
    "tool",
    "ransomware",
    "campaign",
    "rat",
    "backdoor",
    "banker",
];

/// Types that hold several values, and what we take each of them for.
const COMPOSITE: &[(&str, [Option<Kind>; 2])] = &[
    ("filename|md5", [None, Some(Kind::Md5)]),
    ("filename|sha1", [None, Some(Kind::Sha1)]),
    ("filename|sha256", [None, Some(Kind::Sha256)]),
    ("filename|imphash", [None, Some(Kind::Imphash)]),
    ("malware-sample", [None, Some(Kind::Md5)]),
    ("domain|ip", [Some(Kind::Domain), Some(Kind::Address)]),
    ("ip-dst|port", [Some(Kind::Address), None]),
    ("ip-src|port", [Some(Kind::Address), None]),
    ("hostname|port", [Some(Kind::Domain), None]),
];

/// What events say of all their attributes, by the event's pointer.
#[derive(Default)]
pub(crate) struct Events {
    events: HashMap<String, About>,
}

impl Events {
    /// Keys of an event that say something of its attributes.
    pub(crate) const WANTED: [&'static str; 5] = ["info", "date", "Orgc", "Tag", "Galaxy"];

    /// Learns the value of one of these keys.
    pub(crate) fn learn(&mut self, pointer: &str, value: Value) {
        let Some((event, key)) = pointer.rsplit_once('/') else { return };
        let about = self.events.entry(event.to_owned()).or_default();
        match (key, value) {
            ("info", Value::String(info)) => {
                let by = std::mem::take(&mut about.title);
                about.title = info + &by;
            }
            ("date", Value::String(date)) => about.date = date,
            ("Orgc", organisation) if !text(&organisation, "name").is_empty() => {
                about.title.push_str(&format!(" ({})", text(&organisation, "name")));
            }
            ("Tag", Value::Array(tags)) => tags.iter().for_each(|tag| read_tag(tag, about)),
            ("Galaxy", Value::Array(galaxies)) => {
                galaxies.iter().for_each(|galaxy| read_galaxy(galaxy, about))
            }
            _ => {}
        }
    }

    /// What the event around a pointer says.
    fn about(&self, pointer: &str) -> About {
        let mut around = pointer;
        while let Some((above, _)) = around.rsplit_once('/') {
            if let Some(about) = self.events.get(above) {
                return about.clone();
            }
            around = above;
        }
        self.events.get("").cloned().unwrap_or_default()
    }
}

pub(crate) fn load(json: &str, events: &Events, loading: &mut Loading<'_>) -> &'static str {
    let mut plan = |key: &str| match key {
        "Attribute" => Step::Each,
        "Event" | "response" | "Object" => Step::Into,
        _ => Step::Skip,
    };
    let walked = json::walk(json, &mut plan, &mut |pointer, attribute| {
        self::attribute(pointer, &attribute, events, loading);
    });
    if let Err(error) = walked {
        loading.note(Place::File, error);
    }
    "misp"
}

fn attribute(pointer: &str, attribute: &Value, events: &Events, loading: &mut Loading<'_>) {
    let place = Place::Pointer(pointer);
    let (kind, value) = (text(attribute, "type"), text(attribute, "value"));
    if kind.is_empty() || value.is_empty() {
        loading.note(place, "an attribute without type or value".to_owned());
        return;
    }
    if is_true(attribute, "deleted") {
        loading.leave_out("deleted");
        return;
    }
    if !is_true(attribute, "to_ids") {
        loading.leave_out("not meant for detection (to_ids is false)");
        return;
    }
    let mut about = events.about(pointer);
    read_attribute(attribute, &mut about);
    if let Some((_, kinds)) = COMPOSITE.iter().find(|(name, _)| *name == kind) {
        let values = value.splitn(2, '|').zip(kinds);
        for (value, kind) in values.filter_map(|(value, kind)| Some((value, (*kind)?))) {
            loading.value(Said::Kind(kind), value, &about, place);
        }
    } else if let Some(said) = Said::parse(kind) {
        loading.value(said, value, &about, place);
    } else {
        loading.leave_out(&format!("kind `{}`", kind.to_lowercase()));
    }
}

fn is_true(value: &Value, key: &str) -> bool {
    // Old exports write truth as text or as a number.
    match value.get(key) {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text == "1" || text == "true",
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        _ => false,
    }
}

fn read_attribute(attribute: &Value, about: &mut About) {
    // Seconds since 1970: when the attribute was last changed.
    let changed = attribute.get("timestamp").and_then(|time| match time {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    });
    if let Some(time) = changed.filter(|seconds| *seconds > 0).and_then(Timestamp::from_seconds) {
        about.date = time.to_string();
    }
    about.first_seen = text(attribute, "first_seen").to_owned();
    about.note = text(attribute, "comment").to_owned();
    list(attribute, "Tag").iter().for_each(|tag| read_tag(tag, about));
    list(attribute, "Galaxy").iter().for_each(|galaxy| read_galaxy(galaxy, about));
}

/// `tlp:green`, `misp-galaxy:threat-actor="…"`; other tags are labels.
fn read_tag(tag: &Value, about: &mut About) {
    let name = text(tag, "name");
    if let Some(tlp) = name.strip_prefix("tlp:") {
        crate::stix::add_marking(&mut about.tlp, tlp);
    } else if let Some((galaxy, value)) =
        name.strip_prefix("misp-galaxy:").and_then(|rest| rest.split_once('='))
    {
        read_cluster(galaxy, value.trim_matches('"'), about);
    } else if let Some(percent) = name.strip_prefix("misp:confidence-level=") {
        about.labels.push(format!("confidence {}", percent.trim_matches('"')));
    }
}

fn read_galaxy(galaxy: &Value, about: &mut About) {
    for cluster in list(galaxy, "GalaxyCluster") {
        let kind = Some(text(cluster, "type")).filter(|own| !own.is_empty()).unwrap_or(text(galaxy, "type"));
        read_cluster(kind, text(cluster, "value"), about);
    }
}

fn read_cluster(galaxy: &str, name: &str, about: &mut About) {
    let names = match galaxy {
        actor if ACTORS.contains(&actor) => &mut about.actors,
        label if LABELS.contains(&label) => &mut about.labels,
        _ => return,
    };
    // MITRE's clusters carry their id: `HAFNIUM - G0125`.
    let name = name.split_once(" - ").map_or(name, |(name, _)| name).trim();
    if !name.is_empty() && !names.iter().any(|own| own == name) {
        names.push(name.to_owned());
    }
}
