//! Bundles: objects in one file.

use crate::{Namespace, Object, ParseError, jcs, json};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Objects of a bundle, at most.
pub const OBJECTS_MAX: usize = 1_000_000;

/// Writes a JSON object without a newline behind it.
pub type WriteMap<'w> = dyn FnMut(&Map<String, Value>, &mut dyn Write) -> io::Result<()> + 'w;

/// A bundle. Its objects say no more for standing in one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Bundle {
    /// Its objects, in their order.
    pub objects: Vec<Object>,
    /// Its own properties but `objects`.
    pub properties: Map<String, Value>,
}

impl Bundle {
    /// A bundle of these objects, each id once, with an id over them in `namespace`.
    pub fn new(objects: Vec<Object>, namespace: &Namespace) -> Self {
        let mut seen = BTreeSet::new();
        let mut kept: Vec<Object> = Vec::with_capacity(objects.len());
        for object in objects {
            if seen.insert(object.id().to_owned()) {
                kept.push(object);
            }
        }
        let all = kept.iter().map(|object| Value::Object(object.as_map().clone())).collect();
        let uuid = namespace.uuid(&jcs::to_vec(&Value::Array(all)));
        let mut properties = Map::new();
        properties.insert("type".to_owned(), "bundle".into());
        properties.insert("id".to_owned(), format!("bundle--{uuid}").into());
        Self { objects: kept, properties }
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// What is no JSON, no bundle, too much, or an object without a type and an id.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let wrong = |place: &str, wanted, value: Option<&Value>| ParseError::Other {
            place: place.to_owned(),
            wanted,
            found: value.map_or_else(|| "nothing".to_owned(), short),
        };
        let value = json::parse(bytes)?;
        let Value::Object(mut properties) = value else {
            return Err(wrong("bundle", "a JSON object", Some(&value)));
        };
        if properties.get("type").and_then(Value::as_str) != Some("bundle") {
            return Err(wrong("type", "\"bundle\"", properties.get("type")));
        }
        let items = match properties.shift_remove("objects") {
            Some(Value::Array(items)) => items,
            None => Vec::new(),
            other => return Err(wrong("objects", "a list", other.as_ref())),
        };
        if items.len() > OBJECTS_MAX {
            let found = format!("{} objects", items.len());
            return Err(ParseError::Other {
                place: "objects".to_owned(),
                wanted: "a million at most",
                found,
            });
        }
        let mut objects = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let Value::Object(map) = item else {
                return Err(wrong(&format!("objects[{index}]"), "a JSON object", Some(&item)));
            };
            for name in ["type", "id"] {
                if !map.get(name).is_some_and(Value::is_string) {
                    return Err(wrong(&format!("objects[{index}].{name}"), "a text", map.get(name)));
                }
            }
            let object = Object::from_map(map);
            if !crate::is_id(object.id()) || !object.id().starts_with(&format!("{}--", object.kind())) {
                let place = format!("objects[{index}].id");
                return Err(wrong(&place, "the object's type, two hyphens and a UUID", object.get("id")));
            }
            objects.push(object);
        }
        Ok(Self { objects, properties })
    }

    /// Writes it with one object per line; objects and properties in their order, numbers as they were (but integers beyond
    /// 64 bits, which are doubles here). The canonical form would change integers beyond 2^53.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_with(out, &mut |map, out| Ok(serde_json::to_writer(out, map)?))
    }

    /// The same with a writer of JSON objects of the caller's own, for one that escapes more.
    ///
    /// # Errors
    /// Those of `out` and of `write`.
    pub fn write_with(&self, out: &mut dyn Write, write: &mut WriteMap<'_>) -> io::Result<()> {
        let mut head = Vec::new();
        write(&self.properties, &mut head)?;
        head.pop();
        out.write_all(&head)?;
        out.write_all(if self.properties.is_empty() { b"\"objects\":[" } else { b",\"objects\":[" })?;
        for (index, object) in self.objects.iter().enumerate() {
            out.write_all(if index > 0 { b",\n" } else { b"\n" })?;
            write(object.as_map(), out)?;
        }
        out.write_all(b"\n]}\n")
    }
}

/// A value from outside in an error: cut, and without what steers a terminal.
fn short(value: &Value) -> String {
    let plain = |c: char| c == ' ' || c.is_ascii_graphic();
    let shown = |c: char| if plain(c) { c.to_string() } else { c.escape_unicode().to_string() };
    value.to_string().chars().take(60).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_survives() {
        let text = r#"{"type":"bundle","x_later":7,"id":"bundle--2ed6657d-e927-568b-95e1-2665a8aea6a2","objects":
            [{"z_unknown":{"b":[1.50,9007199254740993],"a":null},"type":"x-new","id":"x-new--2ed6657d-e927-568b-95e1-2665a8aea6a2"}]}"#;
        let bundle = Bundle::parse(text.as_bytes()).unwrap();
        let names: Vec<&String> = bundle.objects[0].as_map().keys().collect();
        assert_eq!(names, ["z_unknown", "type", "id"]);
        let mut written = Vec::new();
        bundle.write(&mut written).unwrap();
        assert_eq!(
            Bundle::parse(&written).unwrap().objects[0].get("z_unknown"),
            bundle.objects[0].get("z_unknown")
        );
        assert_eq!(Bundle::parse(&written).unwrap().properties["x_later"], 7);
    }

    #[test]
    fn errors_say_where() {
        let check = |text: &str, wanted: &str| {
            assert_eq!(Bundle::parse(text.as_bytes()).unwrap_err().to_string(), wanted);
        };
        check("[]", "bundle: wanted a JSON object, found []");
        check(r#"{"type":"bundel"}"#, r#"type: wanted "bundle", found "bundel""#);
        check(r#"{"type":"bundle","objects":[{"type":"x"}]}"#, "objects[0].id: wanted a text, found nothing");
        check(
            r#"{"type":"bundle","objects":[{"type":"x","id":"y--2ed6657d-e927-568b-95e1-2665a8aea6a2"}]}"#,
            "objects[0].id: wanted the object's type, two hyphens and a UUID, found \
             \"y--2ed6657d-e927-568b-95e1-2665a8aea6a2\"",
        );
    }
}
