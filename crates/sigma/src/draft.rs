//! A detection section as it is written: named trees of items, before their
//! modifiers are applied. Pipelines change it; rules are made from it.
//!
//! # Not here
//! What modifiers and conditions mean.

use crate::diagnostic::Fault;
use rsigma_parser::{FieldSpec, Modifier, SigmaParserError, parse_field_spec};
use std::collections::BTreeSet;
use yaml_serde::{Mapping, Value};

/// Modifiers of the specification's appendix, for help.
const MODIFIERS: &[&str] = &[
    "all",
    "base64",
    "base64offset",
    "cased",
    "cidr",
    "contains",
    "day",
    "endswith",
    "exists",
    "expand",
    "fieldref",
    "gt",
    "gte",
    "hour",
    "i",
    "lt",
    "lte",
    "m",
    "minute",
    "month",
    "neq",
    "re",
    "s",
    "startswith",
    "utf16",
    "utf16be",
    "utf16le",
    "week",
    "wide",
    "windash",
    "year",
];

/// A detection section, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// Named detections, in the order in which they stand.
    pub(crate) named: Vec<(String, Tree)>,
    /// Conditions; the rule matches when any holds.
    pub(crate) conditions: Vec<String>,
}

/// What stands under a name.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    /// A mapping: all of it.
    All(Vec<Tree>),
    /// A list: any of it.
    Any(Vec<Tree>),
    /// One item.
    Item(Item),
}

/// One item: `field|modifiers: values`.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The key as written, for places.
    pub(crate) key: String,
    /// The fields that it asks, any of them; none: keywords.
    pub(crate) fields: Vec<String>,
    /// In the order in which they stand.
    pub(crate) modifiers: Vec<Modifier>,
    /// Scalars only.
    pub(crate) values: Vec<Value>,
    /// The list of values was written, and empty.
    pub(crate) is_empty_list: bool,
    /// Ids of the processing items that changed it.
    pub(crate) applied: BTreeSet<String>,
}

impl Draft {
    /// Reads a detection section; `faults` takes those of its items, which are left out.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn read(section: &Value, faults: &mut Vec<Fault>) -> Result<Self, Fault> {
        let Value::Mapping(section) = section else {
            return Err(Fault::new("detection-invalid", "`detection` is no mapping").near("detection"));
        };
        let mut draft = Self { conditions: conditions(section)?, ..Self::default() };
        for (key, value) in section {
            let name = key_text(key)?;
            if name == "condition" || name == "timeframe" {
                continue;
            }
            let mut own = Vec::new();
            let tree = Tree::read(value, &mut own);
            faults.extend(own.into_iter().map(|fault| fault.near(name.clone())));
            draft.named.push((name, tree));
        }
        if draft.named.is_empty() {
            return Err(Fault::new("detection-empty", "the detection asks nothing").near("detection"));
        }
        Ok(draft)
    }
}

impl Tree {
    /// Reads a named detection: a mapping (all of it), a list (any of it), a keyword. What has a fault
    /// is left out.
    pub(crate) fn read(value: &Value, faults: &mut Vec<Fault>) -> Self {
        let is_empty = match value {
            Value::Mapping(items) => items.is_empty(),
            Value::Sequence(list) => list.is_empty(),
            _ => false,
        };
        if is_empty {
            faults.push(empty());
        }
        match value {
            Value::Mapping(items) => {
                let mut trees = Vec::with_capacity(items.len());
                for (key, value) in items {
                    let item = key_text(key)
                        .and_then(|key| Item::read(&key, value).map_err(|fault| fault.near(key)));
                    match item {
                        Ok(item) => trees.push(Tree::Item(item)),
                        Err(fault) => faults.push(fault),
                    }
                }
                Tree::All(trees)
            }
            Value::Sequence(list) if list.iter().any(|item| item.is_mapping() || item.is_sequence()) => {
                Tree::Any(list.iter().map(|item| Self::read(item, faults)).collect())
            }
            other => Item::read("", other).map_or_else(
                |fault| {
                    faults.push(fault);
                    Tree::Any(Vec::new())
                },
                Tree::Item,
            ),
        }
    }

    /// The same of one without faults.
    ///
    /// # Errors
    /// The first fault in it.
    pub(crate) fn read_whole(value: &Value) -> Result<Self, Fault> {
        let mut faults = Vec::new();
        let tree = Self::read(value, &mut faults);
        faults.into_iter().next().map_or(Ok(tree), Err)
    }

    /// Shows each item.
    pub(crate) fn each(&self, show: &mut dyn FnMut(&Item)) {
        match self {
            Tree::All(parts) | Tree::Any(parts) => parts.iter().for_each(|part| part.each(show)),
            Tree::Item(item) => show(item),
        }
    }

    /// Shows each item, to be changed; those for which `change` gives false are taken out.
    ///
    /// # Errors
    /// The first of `change`.
    pub(crate) fn change(
        &mut self,
        change: &mut dyn FnMut(&mut Item) -> Result<bool, Fault>,
    ) -> Result<bool, Fault> {
        match self {
            Tree::All(parts) | Tree::Any(parts) => {
                let mut left = Vec::with_capacity(parts.len());
                for mut part in parts.drain(..) {
                    if part.change(change)? {
                        left.push(part);
                    }
                }
                *parts = left;
                Ok(!parts.is_empty())
            }
            Tree::Item(item) => change(item),
        }
    }
}

impl Item {
    /// Reads an item.
    ///
    /// # Errors
    /// A modifier is not known, or a value is no scalar.
    fn read(key: &str, value: &Value) -> Result<Self, Fault> {
        let FieldSpec { name, modifiers, .. } =
            parse_field_spec(key).map_err(|error| modifier_fault(&error))?;
        let values = match value {
            Value::Sequence(list) => list.clone(),
            other => vec![other.clone()],
        };
        let is_scalar =
            |value: &Value| !(value.is_mapping() || value.is_sequence() || matches!(value, Value::Tagged(_)));
        if !values.iter().all(is_scalar) {
            return Err(Fault::new("value-invalid", "a value is neither text, number, truth value nor null"));
        }
        Ok(Self {
            key: key.to_owned(),
            fields: name.into_iter().collect(),
            modifiers,
            is_empty_list: values.is_empty(),
            values,
            applied: BTreeSet::new(),
        })
    }

    /// Whether it carries `modifier`.
    pub(crate) fn has(&self, modifier: Modifier) -> bool {
        self.modifiers.contains(&modifier)
    }
}

fn conditions(section: &Mapping) -> Result<Vec<String>, Fault> {
    let invalid = || {
        Fault::new("condition-invalid", "the condition is neither text nor a list of texts").near("condition")
    };
    match section.get("condition") {
        None | Some(Value::Null) => {
            Err(Fault::new("condition-missing", "the detection has no `condition`").near("detection"))
        }
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Sequence(list)) if !list.is_empty() => {
            list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(invalid)).collect()
        }
        Some(_) => Err(invalid()),
    }
}

fn key_text(key: &Value) -> Result<String, Fault> {
    match key {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Ok(String::new()),
        _ => Err(Fault::new("detection-invalid", "a key of the detection is no text").near("detection")),
    }
}

fn empty() -> Fault {
    Fault::new("detection-empty", "the detection asks nothing")
}

/// The name among `known` that `name` is likely meant to be.
pub(crate) fn like<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    /// Letters that may be missing, too many, wrong or swapped.
    const EDITS_MAX: usize = 2;
    let edits =
        |own: &&str| strsim::damerau_levenshtein(&name.to_ascii_lowercase(), &own.to_ascii_lowercase());
    // A name as short as the edits is like any other.
    let bound = EDITS_MAX.min(name.chars().count().saturating_sub(1));
    known.map(|own| (edits(&own), own)).filter(|(edits, _)| *edits <= bound).min().map(|(_, own)| own)
}

fn modifier_fault(error: &SigmaParserError) -> Fault {
    match error {
        SigmaParserError::UnknownModifier(name) => {
            let fault = Fault::new("modifier-unknown", format!("the modifier `{name}` is not known"));
            match like(name, MODIFIERS.iter().copied()) {
                Some(near) => fault.help(format!("`{near}` is like it")),
                None => fault.help(MODIFIERS.join(", ")),
            }
        }
        other => Fault::new("modifier-unknown", other.to_string()),
    }
}
