//! Knowledge of others, taken over: ATT&CK's bundle, clusters of the MISP
//! galaxy, Microsoft's map of actor names. What a file is, its content tells.

use crate::stix::{self, one_line};
use crate::{Attack, Claim, Date, Relation};
use serde_json::Value;
use std::collections::BTreeMap;

/// What was taken from a file.
#[derive(Clone, PartialEq, Debug)]
pub enum Update {
    /// A bundle of ATT&CK: it replaces the facts.
    Attack(Box<Attack>),
    /// Names: they replace those of their source.
    Names {
        /// The source, as claims name it.
        source: String,
        /// The names.
        claims: Vec<Claim>,
    },
}

/// Reads `json`; `version` is the version of ATT&CK, for a bundle that does not say it;
/// `producers` are those of the MISP galaxy ([`producers`]).
///
/// # Errors
/// When it is none of the three forms, or holds nothing of what it should.
pub fn update(
    json: &Value,
    version: Option<&str>,
    producers: &BTreeMap<String, String>,
) -> Result<Update, String> {
    if json["type"] == "bundle" || json["objects"].is_array() {
        let own = json["objects"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|object| object["type"] == "x-mitre-collection");
        let own = own.and_then(|collection| collection["x_mitre_version"].as_str());
        let version = own
            .or(version)
            .ok_or("the bundle does not say its version of ATT&CK: give it with --attack-version")?;
        return stix::read(json, version).map(|attack| Update::Attack(Box::new(attack)));
    }
    let named = if json["values"].is_array() { misp(json, producers) } else { microsoft(json) };
    match named {
        Some((source, claims)) if !claims.is_empty() => Ok(Update::Names { source, claims }),
        _ => Err(
            "neither a STIX bundle of ATT&CK, nor a cluster of the MISP galaxy, nor Microsoft's map of names"
                .to_owned(),
        ),
    }
}

/// A cluster of the MISP galaxy (`threat-actor.json`, `microsoft-activity-group.json`, …).
fn misp(json: &Value, producers: &BTreeMap<String, String>) -> Option<(String, Vec<Claim>)> {
    let kind = json["type"].as_str().or_else(|| json["name"].as_str())?;
    let source = format!("MISP {}", one_line(kind));
    let mut claims = Vec::new();
    for cluster in json["values"].as_array()? {
        let Some(label) = cluster["value"].as_str().map(one_line) else { continue };
        let id = cluster["uuid"].as_str().map_or_else(|| label.clone(), one_line);
        let meta = &cluster["meta"];
        let synonyms = meta["synonyms"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in std::iter::once(label.as_str()).chain(synonyms) {
            claims.push(Claim {
                name: one_line(name),
                source: source.clone(),
                actor_id: id.clone(),
                actor: label.clone(),
                relation: Relation::Same,
                date: None,
                claimed_by: misp_users(meta, name, producers),
            });
        }
    }
    Some((source, claims))
}

/// Organisations that use `name`: `name-attribution` lists `name:uuid`, where the uuid is one of
/// the galaxy's producers. A producer that is not known here stays its uuid.
fn misp_users(meta: &Value, name: &str, producers: &BTreeMap<String, String>) -> Vec<String> {
    let pairs = meta["name-attribution"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let users = pairs.filter_map(|pair| pair.rsplit_once(':')).filter(|(of, _)| *of == name);
    users.map(|(_, uuid)| producers.get(uuid).cloned().unwrap_or_else(|| one_line(uuid))).collect()
}

/// The producers of the MISP galaxy (`producer.json`) by uuid; empty for other files.
pub fn producers(json: &Value) -> BTreeMap<String, String> {
    if json["type"] != "producer" {
        return BTreeMap::new();
    }
    let values = json["values"].as_array().into_iter().flatten();
    values
        .filter_map(|value| Some((value["uuid"].as_str()?.to_owned(), one_line(value["value"].as_str()?))))
        .collect()
}

/// Microsoft's map: a list of actors with name and other names.
fn microsoft(json: &Value) -> Option<(String, Vec<Claim>)> {
    let list = json.as_array().or_else(|| json.as_object()?.values().find_map(Value::as_array))?;
    let field = |entry: &Value, wanted: &[&str]| -> Option<Value> {
        let entry = entry.as_object()?;
        let squeeze = |key: &str| key.to_lowercase().replace([' ', '_', '-'], "");
        entry.iter().find(|(key, _)| wanted.contains(&squeeze(key).as_str())).map(|(_, value)| value.clone())
    };
    let mut claims = Vec::new();
    for entry in list {
        let Some(Value::String(label)) =
            field(entry, &["threatactorname", "currentname", "name", "threatactor"])
        else {
            continue;
        };
        let label = one_line(&label);
        let date = field(entry, &["date", "published"]).and_then(|date| Date::parse(date.as_str()?));
        let others = match field(entry, &["othernames", "aliases", "previousname"]) {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(one_line).collect(),
            Some(Value::String(names)) => names.split([',', ';']).map(one_line).collect(),
            _ => Vec::new(),
        };
        for name in std::iter::once(label.clone()).chain(others).filter(|name| !name.is_empty()) {
            let claimed_by = if name == label { vec!["Microsoft".to_owned()] } else { Vec::new() };
            claims.push(Claim {
                name,
                source: "Microsoft".to_owned(),
                actor_id: label.clone(),
                actor: label.clone(),
                relation: Relation::Same,
                date,
                claimed_by,
            });
        }
    }
    Some(("Microsoft".to_owned(), claims))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(json: &Value) -> Vec<(String, String, Vec<String>)> {
        let producers = producers(&json!({"type": "producer", "values": [{"uuid": "p-1", "value": "V"}]}));
        match update(json, None, &producers).unwrap() {
            Update::Names { claims, .. } => {
                claims.into_iter().map(|claim| (claim.name, claim.actor, claim.claimed_by)).collect()
            }
            Update::Attack(_) => panic!("no bundle"),
        }
    }

    #[test]
    fn clusters_and_maps_are_read() {
        let misp = json!({"type": "threat-actor", "values": [{"value": "One", "uuid": "u", "meta": {
            "synonyms": ["Uno\tdos"], "name-attribution": ["Uno\tdos:p-1"]}}]});
        assert_eq!(names(&misp)[1], ("Uno dos".to_owned(), "One".to_owned(), vec!["V".to_owned()]));
        let microsoft = json!([{"Threat actor name": "Silk Typhoon", "Other names": "HAFNIUM, timmy"}]);
        assert_eq!(names(&microsoft).len(), 3);
        assert_eq!(names(&microsoft)[0].2, ["Microsoft"]);
        for bad in [json!({}), json!([1]), json!({"values": []}), json!("x")] {
            assert!(update(&bad, None, &BTreeMap::new()).is_err(), "{bad}");
        }
        let bundle = json!({"type": "bundle", "objects": []});
        assert!(update(&bundle, None, &BTreeMap::new()).unwrap_err().contains("--attack-version"));
    }
}
