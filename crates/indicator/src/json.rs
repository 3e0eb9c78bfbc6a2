//! JSON walked as it is parsed: objects come one by one, none is kept.
//!
//! A bundle or an event may be hundreds of megabytes; what is needed of it at
//! once is one object. The parser bounds the depth (128).

use crate::misp::Events;
use crate::stix::Facts;
use serde::Deserialize as _;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// What to do with the value of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Look at what is in it.
    Into,
    /// An array: show its members one by one.
    Each,
    /// Show it.
    Whole,
    /// Pass it over.
    Skip,
}

/// What a first look at a JSON file gave.
#[derive(Default)]
pub(crate) struct Survey {
    pub(crate) stix: Option<Facts>,
    pub(crate) misp: Option<Events>,
    /// Why it could not be read to its end.
    pub(crate) error: Option<String>,
}

/// Learns what a JSON file is, and what its values refer to.
pub(crate) fn survey(text: &str) -> Survey {
    let mut survey = Survey::default();
    let mut events = Events::default();
    let mut is_misp = false;
    let mut plan = |key: &str| match key {
        "objects" => Step::Each,
        "Event" | "response" => {
            is_misp = true;
            Step::Into
        }
        "Attribute" => {
            is_misp = true;
            Step::Skip
        }
        key if Events::WANTED.contains(&key) => Step::Whole,
        _ => Step::Skip,
    };
    let walked = walk(text, &mut plan, &mut |pointer, value| {
        if pointer.starts_with("/objects/") {
            survey.stix.get_or_insert_default().learn(&value);
        } else {
            events.learn(pointer, value);
        }
    });
    survey.error = walked.err();
    survey.misp = is_misp.then_some(events);
    survey
}

/// Walks `text` by `plan`; shows what is wanted with its pointer.
///
/// # Errors
/// Where the text is no JSON, in one line; what stands before was shown.
pub(crate) fn walk(
    text: &str,
    plan: &mut dyn FnMut(&str) -> Step,
    take: &mut dyn FnMut(&str, Value),
) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut pointer = String::new();
    let node = Node { step: Step::Into, pointer: &mut pointer, plan, take };
    let walked = node.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    walked.map_err(|error| format!("not JSON from here on, and not read: {error}"))
}

struct Node<'w> {
    step: Step,
    pointer: &'w mut String,
    plan: &'w mut dyn FnMut(&str) -> Step,
    take: &'w mut dyn FnMut(&str, Value),
}

impl Node<'_> {
    fn child(&mut self, key: &str, step: Step) -> Node<'_> {
        self.pointer.push('/');
        // RFC 6901.
        self.pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        Node { step, pointer: self.pointer, plan: self.plan, take: self.take }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.step {
            Step::Skip => IgnoredAny::deserialize(deserializer).map(drop),
            Step::Whole => {
                let value = Value::deserialize(deserializer)?;
                (self.take)(self.pointer, value);
                Ok(())
            }
            Step::Into | Step::Each => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if self.step == Step::Each {
            let value = Value::deserialize(MapAccessDeserializer::new(map))?;
            (self.take)(self.pointer, value);
            return Ok(());
        }
        let length = self.pointer.len();
        while let Some(key) = map.next_key::<String>()? {
            let step = (self.plan)(&key);
            map.next_value_seed(self.child(&key, step))?;
            self.pointer.truncate(length);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        let step = if self.step == Step::Each { Step::Whole } else { Step::Into };
        let length = self.pointer.len();
        for index in 0u64.. {
            let member = array.next_element_seed(self.child(&index.to_string(), step))?;
            self.pointer.truncate(length);
            if member.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The text of a key of an object; empty where there is none.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The texts of a key that holds a list of them.
pub(crate) fn texts<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v str> + use<'v> {
    list(value, key).iter().filter_map(Value::as_str)
}

/// The members of a key that holds a list.
pub(crate) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
