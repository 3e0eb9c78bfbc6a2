//! The STIX 2.1 bundle of a case.
//!
//! [`Builder`] gives each object its author, time, marking and id, and lets every text through the redactor. What an
//! object says is made in `observed`, `intrusions`, `claims`. Objects are built under a local name; for a redacted bundle the
//! same is built once more as it would stay at home, so that what was redacted can say from which object it is derived.

mod ach;
mod claims;
mod intrusions;
mod observed;

use crate::redact::{Detail, Redactor};
use crate::{Export, Refused};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use stix::{Bundle, Marking, Namespace, Object, claim_definition, producer, strictest, synthetic_marking};

/// Properties that hold no text of a case: types, times, ids, words of the specification.
const FIXED: &[&str] = &[
    "type",
    "spec_version",
    "id",
    "created",
    "modified",
    "pattern_type",
    "pattern_version",
    "relationship_type",
    "context",
    "identity_class",
    "indicator_types",
    "malware_types",
    "report_types",
    "extension_type",
    "valid_from",
    "first_seen",
    "last_seen",
    "first_observed",
    "last_observed",
    "published",
    "hashes",
    "external_references",
    "kill_chain_phases",
    "protocols",
    "request_method",
    "determination",
    "investigation_status",
    "incident_types",
    "detection_methods",
    "claim_level",
];

/// The whole bundle.
pub fn bundle(export: &Export<'_>) -> Result<Bundle, Refused> {
    let mut builder = Builder::build(export, &export.redactor);
    if export.detail() == Detail::Redacted {
        let home = Redactor::of(export.case, &export.facts, export.key, Detail::Masked)?;
        let originals = Builder::build(export, &home);
        builder.derive_from(&originals);
    }
    builder.wrap()?;
    let mut objects = vec![producer(), claim_definition()];
    objects.push(export.tlp().definition());
    if export.case.synthetic {
        objects.push(synthetic_marking());
    }
    objects.extend(builder.objects.into_iter().map(|(_, object)| object));
    Ok(Bundle::new(objects, &builder.namespace))
}

/// The table of the analysis of competing hypotheses.
pub fn ach_table(attribution: &crate::Attribution, assessed: &crate::assessed::Assessed) -> String {
    ach::table(knowledge::attack(), Some(attribution), assessed)
}

/// Makes objects under local names.
struct Builder<'e> {
    export: &'e Export<'e>,
    redactor: &'e Redactor<'e>,
    namespace: Namespace,
    created: String,
    author: String,
    objects: Vec<(String, Object)>,
    ids: BTreeMap<String, String>,
}

impl<'e> Builder<'e> {
    fn build(export: &'e Export<'_>, redactor: &'e Redactor<'_>) -> Self {
        let mut builder = Builder {
            export,
            redactor,
            namespace: export.key.namespace(),
            created: stix::timestamp(export.created),
            author: String::new(),
            objects: Vec::new(),
            ids: BTreeMap::new(),
        };
        builder.add_author();
        builder.add_hosts();
        builder.add_techniques();
        builder.add_intrusions();
        builder.add_observed();
        builder.add_answers();
        builder.add_attribution();
        builder
    }

    fn add_author(&mut self) {
        let mut identity = Object::new("identity");
        identity.set("created", self.created.as_str()).set("modified", self.created.as_str());
        let name = self.export.options.organisation.as_deref();
        identity.set("name", name.unwrap_or("organisation not named")).set("identity_class", "organization");
        self.author = self.add("author", identity);
    }

    /// An object of ours, begun.
    fn begin(&self, kind: &str) -> Object {
        let mut object = Object::new(kind);
        object.set("created_by_ref", self.author.as_str());
        object.set("created", self.created.as_str()).set("modified", self.created.as_str());
        object
    }

    /// Finishes an object: marking, redaction, id. All carry the label of the whole: what is stricter was left out, and to handle
    /// what is wider as strictly breaks no word of its source.
    fn add(&mut self, name: &str, mut object: Object) -> String {
        if object.kind() != "identity" && !object.is_observable() && self.export.case.synthetic {
            object.set("labels", json!(["synthetic"]));
        }
        let mut markings = vec![self.export.tlp().id().to_owned()];
        if self.export.case.synthetic {
            markings.push(synthetic_marking().id().to_owned());
        }
        object.set("object_marking_refs", markings);
        let mut object = Object::from_map(self.redact(object.into_map()));
        let id = if object.is_observable() {
            object.seal_observable(&self.namespace).to_owned()
        } else {
            object.seal(&self.namespace).to_owned()
        };
        if self.ids.insert(name.to_owned(), id.clone()).is_none() {
            self.objects.push((name.to_owned(), object));
        }
        id
    }

    fn redact(&self, map: Map<String, Value>) -> Map<String, Value> {
        let redact = |(name, value): (String, Value)| {
            let is_fixed =
                FIXED.contains(&name.as_str()) || name.ends_with("_ref") || name.ends_with("_refs");
            let value = if is_fixed { value } else { self.redact_value(value) };
            (name, value)
        };
        map.into_iter().map(redact).collect()
    }

    fn redact_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.redactor.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.redact_value(item)).collect(),
            Value::Object(map) => Value::Object(self.redact(map)),
            other => other,
        }
    }

    /// A relationship; nothing where an end is missing.
    fn relate(&mut self, source: &str, kind: &str, target: &str) {
        if source.is_empty() || target.is_empty() {
            return;
        }
        let relationship = self.relationship(source, kind, target);
        self.add(&format!("relationship/{source}/{kind}/{target}"), relationship);
    }

    fn relationship(&self, source: &str, kind: &str, target: &str) -> Object {
        let mut relationship = self.begin("relationship");
        relationship.set("relationship_type", kind).set("source_ref", source).set("target_ref", target);
        relationship
    }

    fn id(&self, name: &str) -> String {
        self.ids.get(name).cloned().unwrap_or_default()
    }

    /// Says of each redacted object which one at home it was made from. Ids of observables are not told: they can be found by
    /// trying values out.
    fn derive_from(&mut self, originals: &Builder<'_>) {
        let at_home: BTreeMap<&String, &Object> =
            originals.objects.iter().map(|(name, object)| (name, object)).collect();
        let redacted: Vec<(String, String)> = self
            .objects
            .iter()
            .filter(|(_, object)| {
                !object.is_observable() && !matches!(object.kind(), "relationship" | "sighting")
            })
            .filter_map(|(name, object)| {
                let original = at_home.get(name)?;
                let is_redacted = own_words(object) != own_words(original);
                is_redacted.then(|| (object.id().to_owned(), original.id().to_owned()))
            })
            .collect();
        for (copy, original) in redacted {
            self.relate(&copy, "derived-from", &original);
        }
    }

    /// Puts all of it into a grouping or a report, marked as the strictest of its parts.
    fn wrap(&mut self) -> Result<(), Refused> {
        let persons = match &self.export.options.audience {
            stix::Audience::Persons(persons) => persons.clone(),
            _ => BTreeSet::new(),
        };
        let own = Marking::Tlp(self.export.tlp(), persons);
        let lists = self.export.facts.groups.iter().filter_map(|group| group.listed.as_ref());
        let lists = lists.map(|listed| ("a list of indicators", &listed.marking));
        let inputs = lists.chain([("what the case says itself", &own)]);
        let whole = strictest(inputs).map_err(|error| Refused::Audience(error.to_string()))?;
        let refs: Vec<String> = self.objects.iter().map(|(_, object)| object.id().to_owned()).collect();
        let finished = self.export.options.finished;
        let mut object = self.begin(if finished { "report" } else { "grouping" });
        object.set("name", format!("Case {}", self.export.case_tag()));
        object.set("description", self.describe(&whole));
        if finished {
            object.set("published", self.created.as_str()).set("report_types", json!(["incident"]));
        } else {
            object.set("context", "suspicious-activity");
        }
        object.set("object_refs", refs);
        self.add("whole", object);
        Ok(())
    }

    fn describe(&self, whole: &stix::Aggregate) -> String {
        let mut text = format!("{}: {}. {}", whole.tlp.as_str(), whole.reason, whole.tlp.audience());
        if !whole.recipients.is_empty() {
            let names: Vec<&str> = whole.recipients.iter().map(String::as_str).collect();
            text.push_str(&format!(" Given to: {}.", names.join(", ")));
        }
        match self.redactor.detail() {
            Detail::Redacted => text.push_str(
                " Hosts, accounts, domains and inner addresses have pseudonyms; free text of evidence was left out.",
            ),
            Detail::Masked => text.push_str(" People and web shells have pseudonyms."),
            Detail::Whole => {}
        }
        for left_out in self.export.left_out() {
            text.push_str(&format!(" Left out: {} {} ({}).", left_out.count, left_out.what, left_out.reason));
        }
        text
    }
}

/// What an object says itself, without ids, references and markings.
fn own_words(object: &Object) -> Vec<u8> {
    let own = |name: &String| name != "id" && !name.ends_with("_ref") && !name.ends_with("_refs");
    let map: Map<String, Value> = object
        .as_map()
        .iter()
        .filter(|(name, _)| own(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    stix::jcs::to_vec(&Value::Object(map))
}
