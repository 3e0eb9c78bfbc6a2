//! The layer of the ATT&CK Navigator, marked. Outside the organisation it has only what was seen: what could not have been
//! seen tells where nobody looks.

use crate::Export;
use crate::redact::Detail;
use model::{Case, Host, HostName, LookedFor, TechniqueCoverage};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};

pub fn write(export: &Export<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut bytes = Vec::new();
    report::write_layer(&shown(export), &mut bytes)?;
    let mut layer: Value = serde_json::from_slice(&bytes)?;
    let label = export.tlp().as_str();
    if let Some(name) = layer["name"].as_str() {
        layer["name"] = json!(format!("{name} ({label})"));
    }
    if export.detail() == Detail::Redacted {
        layer["description"] = json!("Techniques that were seen. What was not seen is not in this layer.");
    }
    if let Some(metadata) = layer["metadata"].as_array_mut() {
        metadata.push(json!({"name": "TLP", "value": label}));
    }
    report::json::write_pretty(&layer, out)
}

/// The case with nothing but what the layer shows, as it may be shown.
fn shown(export: &Export<'_>) -> Case {
    let is_home = export.detail() > Detail::Redacted;
    let host = |name: &HostName| -> HostName { export.redactor.host(name).into() };
    let groups = export.facts.groups.iter().filter(|group| group.listed.is_none());
    let told: BTreeSet<&String> = groups.flat_map(|group| &group.rule.techniques).collect();
    let techniques =
        export.case.techniques.iter().filter(|technique| is_home || told.contains(&technique.id));
    let technique = |technique: &TechniqueCoverage| TechniqueCoverage {
        seen_on: technique.seen_on.iter().map(host).collect(),
        met_on: technique.met_on.iter().filter(|_| is_home).map(host).collect(),
        rules_not_met: if is_home { technique.rules_not_met } else { 0 },
        name: export.redactor.text(&technique.name),
        ..technique.clone()
    };
    Case {
        techniques: techniques.map(technique).collect(),
        hosts: export
            .case
            .hosts
            .iter()
            .map(|own| Host { name: host(&own.name), also: Vec::new(), basis: own.basis })
            .collect(),
        looked_for: LookedFor { rules_loaded: export.case.looked_for.rules_loaded, ..LookedFor::default() },
        synthetic: export.case.synthetic,
        ..Case::default()
    }
}
