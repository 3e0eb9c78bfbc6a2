//! One STIX object.

use crate::{Namespace, jcs};
use serde_json::{Map, Value};

/// A STIX object as it is on the wire: all its properties, in their order.
#[derive(Clone, PartialEq, Debug)]
pub struct Object(Map<String, Value>);

impl Object {
    /// An object of this type with nothing but that and the version of the specification.
    pub fn new(kind: &str) -> Self {
        let mut map = Map::new();
        map.insert("type".to_owned(), kind.into());
        map.insert("spec_version".to_owned(), "2.1".into());
        Self(map)
    }

    /// The object of these properties.
    pub const fn from_map(map: Map<String, Value>) -> Self {
        Self(map)
    }

    /// Its properties.
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Its properties.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// Sets a property. An empty list or text and null are not allowed in STIX, and take the property away.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        let value = value.into();
        let is_empty = match &value {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::String(text) => text.is_empty(),
            _ => false,
        };
        if is_empty {
            self.0.shift_remove(name);
        } else {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// Puts an extension in, under the id of its definition.
    pub fn extend(&mut self, definition: &str, extension: Map<String, Value>) -> &mut Self {
        let extensions = self.0.entry("extensions").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(extensions) = extensions {
            extensions.insert(definition.to_owned(), Value::Object(extension));
        }
        self
    }

    /// A property.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A property that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Its type; empty where it has none.
    pub fn kind(&self) -> &str {
        self.text("type").unwrap_or_default()
    }

    /// Its id; empty where it has none yet.
    pub fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }

    /// The ids under `name`, whether that is one (`…_ref`) or a list (`…_refs`).
    pub fn refs(&self, name: &str) -> impl Iterator<Item = &str> {
        let value = self.0.get(name);
        let list = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        value.and_then(Value::as_str).into_iter().chain(list)
    }

    /// All ids that it refers to, but those of its markings; nested ones too.
    pub fn all_refs(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for (name, value) in &self.0 {
            if name != "object_marking_refs" && name != "granular_markings" {
                collect_refs(name, value, &mut found);
            }
        }
        found
    }

    /// Gives it the id that its content has in `namespace`: a hash of all of it. So an id never names two contents,
    /// and a copy with something left out has another.
    ///
    /// Without `created`, `created` and `modified` are no part of it: set them first.
    pub fn seal(&mut self, namespace: &Namespace) -> &str {
        let uuid = namespace.uuid(&self.content());
        self.put_id(&uuid.to_string());
        self.id()
    }

    /// The canonical bytes of all properties but the id.
    pub(crate) fn content(&self) -> Vec<u8> {
        let mut map = self.0.clone();
        map.shift_remove("id");
        jcs::to_vec(&Value::Object(map))
    }

    pub(crate) fn put_id(&mut self, uuid: &str) {
        let id = format!("{}--{uuid}", self.kind());
        // Behind the type, where a reader looks for it.
        let mut map = Map::new();
        for (name, value) in std::mem::take(&mut self.0) {
            let is_type = name == "type";
            if name != "id" {
                map.insert(name, value);
            }
            if is_type {
                map.insert("id".to_owned(), id.as_str().into());
            }
        }
        self.0 = map;
    }

    /// Its canonical bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        jcs::to_vec(&Value::Object(self.0.clone()))
    }
}

fn collect_refs<'v>(name: &str, value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(id) if name.ends_with("_ref") || name.ends_with("_refs") => found.push(id),
        Value::Array(items) => items.iter().for_each(|item| collect_refs(name, item, found)),
        Value::Object(map) => map.iter().for_each(|(name, value)| collect_refs(name, value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_one_content() {
        let make = |name: &str| {
            let mut object = Object::new("identity");
            object.set("name", name).set("roles", Value::Array(Vec::new()));
            object.seal(&Namespace::ASSAY);
            object
        };
        assert_eq!(make("a"), make("a"));
        assert_ne!(make("a").id(), make("b").id());
        assert!(crate::is_id(make("a").id()));
        assert_eq!(make("a").get("roles"), None, "an empty list is not allowed");
        let mut again = make("a");
        again.seal(&Namespace::ASSAY);
        assert_eq!(again, make("a"), "sealing twice changes nothing");
        let names: Vec<&String> = again.as_map().keys().collect();
        assert_eq!(names, ["type", "id", "spec_version", "name"]);
    }

    #[test]
    fn refs_are_found_wherever_they_stand() {
        let object = serde_json::json!({"a_ref": "x", "b_refs": ["y", 7], "object_marking_refs": ["m"],
            "extensions": {"e": {"c_ref": "z"}}});
        let Value::Object(map) = object else { unreachable!() };
        assert_eq!(Object::from_map(map).all_refs(), ["x", "y", "z"]);
    }
}
