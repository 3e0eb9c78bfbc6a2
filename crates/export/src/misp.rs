//! A MISP event (core format, `misp-rfc`): the indicators as attributes, label and techniques as tags.
//!
//! It is not published, and its distribution is no wider than its label: what is narrower than the community stays within
//! the organisation's own instance until somebody there lets it out.

use crate::Export;
use crate::value::{IndicatorValue, values};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};
use stix::{Tlp, timestamp};

pub fn write(export: &Export<'_>, out: &mut dyn Write) -> io::Result<()> {
    let namespace = export.key.namespace();
    let created = export.created.seconds().to_string();
    let mark = if export.case.synthetic { "SYNTHETIC evidence, no real incident: " } else { "" };
    let attributes: Vec<Value> =
        values(export).iter().filter_map(|value| attribute(export, value, &created)).collect();
    let mut event = json!({
        "uuid": "",
        "info": format!("{mark}case {}", export.case_tag()),
        "date": &timestamp(export.created)[..10],
        "timestamp": created,
        "analysis": if export.options.finished { "2" } else { "1" },
        // Undefined: how grave it is, the organisation says.
        "threat_level_id": "4",
        "distribution": distribution(export.tlp()),
        "published": false,
        "Tag": tags(export),
        "Attribute": attributes,
    });
    if let Some(organisation) = &export.options.organisation {
        let uuid = namespace.uuid(organisation.as_bytes()).to_string();
        event["Orgc"] = json!({"name": export.redactor.text(organisation), "uuid": uuid});
    }
    event["uuid"] = json!(namespace.uuid(&stix::jcs::to_vec(&event)).to_string());
    report::json::write_pretty(&json!({"Event": event}), out)
}

/// `0` the organisation, `1` the community, `3` everybody.
const fn distribution(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "3",
        Tlp::Green => "1",
        Tlp::Amber | Tlp::AmberStrict | Tlp::Red => "0",
    }
}

fn tags(export: &Export<'_>) -> Vec<Value> {
    let mut names = vec![export.tlp().as_str().to_lowercase()];
    if export.case.synthetic {
        names.push("assay:synthetic".to_owned());
    }
    let groups = export.facts.groups.iter().filter(|group| group.listed.is_none());
    let techniques: BTreeSet<&String> = groups.flat_map(|group| &group.rule.techniques).collect();
    for technique in &export.case.techniques {
        if techniques.contains(&technique.id) {
            let name = export.redactor.text(&technique.name).replace('"', "");
            names.push(format!("misp-galaxy:mitre-attack-pattern=\"{name} - {}\"", technique.id));
        }
    }
    names.into_iter().map(|name| json!({"name": name})).collect()
}

/// `None` for kinds that MISP has no attribute for.
fn attribute(export: &Export<'_>, value: &IndicatorValue, created: &str) -> Option<Value> {
    let (kind, category) = match value.kind.as_str() {
        "address" => ("ip-src", "Network activity"),
        "domain" => ("domain", "Network activity"),
        "user-agent" => ("user-agent", "Network activity"),
        "md5" => ("md5", "Payload delivery"),
        "sha1" => ("sha1", "Payload delivery"),
        "sha256" => ("sha256", "Payload delivery"),
        "imphash" => ("imphash", "Payload delivery"),
        "file-name" => ("filename", "Payload delivery"),
        _ => return None,
    };
    let mut attribute = json!({
        "type": kind,
        "category": category,
        "value": value.value,
        "to_ids": true,
        "comment": format!("{}; {} findings", value.about, value.findings),
        "timestamp": created,
        // As the event.
        "distribution": "5",
    });
    if let (Some(first), Some(last)) = (value.span.first, value.span.last) {
        attribute["first_seen"] = json!(timestamp(first));
        attribute["last_seen"] = json!(timestamp(last));
    }
    attribute["uuid"] = json!(export.key.namespace().uuid(&stix::jcs::to_vec(&attribute)).to_string());
    Some(attribute)
}
