//! JSON from outside: size and depth have a limit, and a name stands once in an object.
//!
//! Of two values under one name one reader takes the first, another the last; what is marked, hashed or signed must not
//! depend on that (RFC 7493, section 2.3).

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Bytes of a document, at most.
pub const BYTES_MAX: usize = 256 << 20;

/// Why bytes are no STIX.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseError {
    /// Too much.
    #[error("wanted {BYTES_MAX} bytes at most, found {0}")]
    TooLong(usize),
    /// No JSON, too deep, or a name that stands twice; with line and column.
    #[error("{0}")]
    Json(String),
    /// JSON of another kind.
    #[error("{place}: wanted {wanted}, found {found}")]
    Other {
        /// Where (`objects[3].id`).
        place: String,
        /// What should be there.
        wanted: &'static str,
        /// What is there, in short.
        found: String,
    },
}

/// Reads one JSON value, no deeper than 128 levels.
///
/// # Errors
/// Size, syntax, depth, a name that stands twice in one object.
pub fn parse(bytes: &[u8]) -> Result<Value, ParseError> {
    if bytes.len() > BYTES_MAX {
        return Err(ParseError::TooLong(bytes.len()));
    }
    let once: Once = serde_json::from_slice(bytes).map_err(|error| ParseError::Json(error.to_string()))?;
    Ok(once.0)
}

/// A value whose objects hold each name once.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Values).map(Once)
    }
}

struct Values;

impl<'de> DeserializeSeed<'de> for Values {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(Values)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = from.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the name {name:?} stands twice in one object")));
            }
            let value = from.next_value_seed(Values)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_and_order_is_kept() {
        let error = parse(b"{\"tlp\": 1,\n \"tlp\": 2}").unwrap_err().to_string();
        assert!(error.contains("\"tlp\" stands twice") && error.contains("line 2"), "{error}");
        let text = r#"{"z":[1,-2,0.5,null,true,"x"],"a":{}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
        assert!(parse("[".repeat(10_000).as_bytes()).is_err());
    }
}
