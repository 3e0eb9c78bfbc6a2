//! `rsigma-eval` as a third opinion: its own reading of the same rules, of the
//! same records flat. Which log a record is of it is told, since it does not know.

use model::{Record, Value};
use rsigma_eval::event::{Event, EventValue};
use rsigma_eval::{CompiledRule, compile_rule, evaluate_rule};
use scan::differential::Opinion;
use sigma::naive::Names;
use std::borrow::Cow;
use std::collections::HashMap;

/// Its rules, in the order of ours.
pub struct Rsigma {
    rules: Vec<Option<CompiledRule>>,
}

impl Rsigma {
    /// Reads the rules that `engine` has from the texts that they came from.
    pub fn new(engine: &sigma::Engine, texts: &[(String, String)]) -> Self {
        let mut by_id = HashMap::new();
        for (_, text) in texts {
            let Ok(collection) = rsigma_parser::parse_sigma_yaml(text) else { continue };
            for rule in &collection.rules {
                if let (Some(id), Ok(compiled)) = (rule.id.clone(), compile_rule(rule)) {
                    by_id.insert(id, compiled);
                }
            }
        }
        Self { rules: engine.rules().iter().map(|rule| by_id.remove(&rule.id)).collect() }
    }

    /// How many of the rules it reads.
    pub fn rules(&self) -> usize {
        self.rules.iter().flatten().count()
    }
}

/// A record's values under the names of their slots.
pub struct Flat {
    fields: HashMap<String, Vec<EventValue<'static>>>,
    texts: Vec<String>,
    fold_case: bool,
}

impl Opinion for Rsigma {
    type Flat = Flat;

    fn flatten(&self, record: &Record<'_>) -> Flat {
        let fold_case = record.shape.fold_case;
        let mut flat = Flat { fields: HashMap::new(), texts: Vec::new(), fold_case };
        for (index, slot) in record.shape.slots.iter().enumerate() {
            let mut values = Vec::new();
            flat.add(record.value(index), &mut values);
            for name in std::iter::once(&slot.name).chain(&slot.aliases).filter(|_| !values.is_empty()) {
                flat.fields.entry(folded(name, fold_case).into_owned()).or_default().extend(values.clone());
            }
        }
        flat
    }

    fn matches(&self, rule: usize, names: Names<'_>, flat: &Flat) -> Option<bool> {
        let rule = self.rules[rule].as_ref()?;
        Some(evaluate_rule(rule, &Named { names, flat }).is_some())
    }
}

impl Flat {
    /// Adds the present values, lists taken apart.
    fn add(&mut self, value: Value<'_>, out: &mut Vec<EventValue<'static>>) {
        out.push(match value {
            Value::Absent => return,
            Value::List(values) if !values.is_empty() => {
                values.iter().for_each(|value| self.add(*value, out));
                return;
            }
            Value::Empty | Value::List(_) => EventValue::Null,
            Value::Int(number) => EventValue::Int(number),
            Value::UInt(number) if i64::try_from(number).is_ok() => EventValue::Int(number.cast_signed()),
            Value::Float(number) => EventValue::Float(number),
            Value::Bool(truth) => EventValue::Bool(truth),
            Value::Utf8(_) | Value::Utf16(_) => {
                let text = value.to_text();
                self.texts.push(text.clone());
                EventValue::Str(Cow::Owned(text))
            }
            other => EventValue::Str(Cow::Owned(other.to_text())),
        });
    }
}

/// A record whose fields go by the names of a rule's log source.
struct Named<'a> {
    names: Names<'a>,
    flat: &'a Flat,
}

impl Event for Named<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        let fields =
            self.names.of(path).filter_map(|name| self.flat.fields.get(&*folded(name, self.flat.fold_case)));
        let mut values: Vec<EventValue<'_>> = fields.flatten().cloned().collect();
        if values.len() > 1 { Some(EventValue::Array(values)) } else { values.pop() }
    }

    fn any_string_value(&self, wanted: &dyn Fn(&str) -> bool) -> bool {
        self.flat.texts.iter().any(|text| wanted(text))
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        self.flat.texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect()
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

fn folded(name: &str, fold: bool) -> Cow<'_, str> {
    if fold { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) }
}
