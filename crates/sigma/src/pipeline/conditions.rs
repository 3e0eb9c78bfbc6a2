//! When a processing item is applied: conditions on the rule, on a detection
//! item, on the name of a field, and how several are joined.
//!
//! # Not here
//! Reading them from YAML.

use super::Target;
use crate::draft::{Draft, Item};
use crate::logsource::LogSource;
use regex::Regex;
use rsigma_parser::ConditionExpr;
use std::collections::BTreeMap;
use yaml_serde::Value;

/// Conditions and how they are joined; none at all hold.
#[derive(Clone, Debug)]
pub(super) struct Joined<T> {
    /// With their names, where they have any.
    pub(super) list: Vec<(Option<String>, T)>,
    pub(super) join: Join,
    pub(super) is_negated: bool,
}

/// How conditions are joined.
#[derive(Clone, Debug)]
pub(super) enum Join {
    All,
    Any,
    /// Over their names.
    Expression(ConditionExpr),
}

impl<T> Default for Joined<T> {
    fn default() -> Self {
        Self { list: Vec::new(), join: Join::All, is_negated: false }
    }
}

impl<T> Joined<T> {
    pub(super) fn holds(&self, holds: impl Fn(&T) -> bool) -> bool {
        if self.list.is_empty() {
            return true;
        }
        let joined = match &self.join {
            Join::All => self.list.iter().all(|(_, own)| holds(own)),
            Join::Any => self.list.iter().any(|(_, own)| holds(own)),
            Join::Expression(expression) => evaluate(expression, &|name| {
                self.list.iter().any(|(own, condition)| own.as_deref() == Some(name) && holds(condition))
            }),
        };
        joined != self.is_negated
    }
}

/// What an expression over names gives; quantifiers are refused when it is read.
pub(crate) fn evaluate(expression: &ConditionExpr, holds: &dyn Fn(&str) -> bool) -> bool {
    match expression {
        ConditionExpr::And(parts) => parts.iter().all(|part| evaluate(part, holds)),
        ConditionExpr::Or(parts) => parts.iter().any(|part| evaluate(part, holds)),
        ConditionExpr::Not(part) => !evaluate(part, holds),
        ConditionExpr::Identifier(name) => holds(name),
        ConditionExpr::Selector { .. } => false,
    }
}

/// A condition on the rule.
#[derive(Clone, Debug)]
pub(super) enum RuleCondition {
    /// Its log source is this one, or a part of it.
    LogSource(LogSource),
    /// It asks a field for a value.
    ContainsItem {
        field: Option<String>,
        value: Option<Value>,
    },
    ContainsField(String),
    ItemApplied(String),
    State {
        key: String,
        value: String,
    },
    IsRule(bool),
    Attribute {
        name: String,
        value: String,
    },
    Tag(String),
}

impl RuleCondition {
    pub(super) fn holds(&self, target: &Target) -> bool {
        match self {
            RuleCondition::LogSource(wanted) => wanted.covers(&target.logsource),
            RuleCondition::ContainsItem { field, value } => any_item(&target.draft, &|item| {
                let named = match field {
                    Some(name) => item.fields.contains(name),
                    None => item.fields.is_empty(),
                };
                named && value.as_ref().is_none_or(|wanted| item.values.contains(wanted))
            }),
            RuleCondition::ContainsField(name) => any_item(&target.draft, &|item| item.fields.contains(name)),
            RuleCondition::ItemApplied(id) => target.applied.contains(id),
            RuleCondition::State { key, value } => has_state(&target.state, key, value),
            RuleCondition::IsRule(truth) => *truth,
            RuleCondition::Attribute { name, value } => target.attributes.get(name) == Some(value),
            RuleCondition::Tag(tag) => target.tags.contains(tag),
        }
    }
}

fn has_state(state: &BTreeMap<String, String>, key: &str, value: &str) -> bool {
    state.get(key).is_some_and(|own| own == value)
}

fn any_item(draft: &Draft, wanted: &dyn Fn(&Item) -> bool) -> bool {
    let mut found = false;
    draft.named.iter().for_each(|(_, tree)| tree.each(&mut |item| found |= wanted(item)));
    found
}

/// A condition on a detection item.
#[derive(Clone, Debug)]
pub(super) enum ItemCondition {
    /// Texts among its values fit an expression; `is_any`: one is enough.
    Matches {
        pattern: Regex,
        is_any: bool,
        is_negated: bool,
    },
    /// Its values are this one.
    Equals {
        value: Value,
        is_any: bool,
    },
    IsNull {
        is_any: bool,
    },
    ItemApplied(String),
    State {
        key: String,
        value: String,
    },
}

impl ItemCondition {
    pub(super) fn holds(&self, item: &Item, state: &BTreeMap<String, String>) -> bool {
        let of_values = |is_any: bool, holds: &dyn Fn(&Value) -> bool| {
            if is_any { item.values.iter().any(holds) } else { item.values.iter().all(holds) }
        };
        match self {
            ItemCondition::Matches { pattern, is_any, is_negated } => {
                let fits = |value: &Value| value.as_str().is_some_and(|text| pattern.is_match(text));
                of_values(*is_any, &fits) != *is_negated
            }
            ItemCondition::Equals { value, is_any } => of_values(*is_any, &|own| own == value),
            ItemCondition::IsNull { is_any } => of_values(*is_any, &Value::is_null),
            ItemCondition::ItemApplied(id) => item.applied.contains(id),
            ItemCondition::State { key, value } => has_state(state, key, value),
        }
    }
}

/// A condition on the name of a field.
#[derive(Clone, Debug)]
pub(super) enum FieldCondition {
    Include(Names),
    Exclude(Names),
    State {
        key: String,
        value: String,
    },
    /// Of a detection item; holds for no other field.
    ItemApplied(String),
}

/// Names, or expressions that fit them from their beginning.
#[derive(Clone, Debug)]
pub(super) enum Names {
    Plain(Vec<String>),
    Patterns(Vec<Regex>),
}

impl Names {
    fn have(&self, name: &str) -> bool {
        match self {
            Names::Plain(names) => names.iter().any(|own| own == name),
            Names::Patterns(patterns) => patterns.iter().any(|pattern| pattern.is_match(name)),
        }
    }
}

impl FieldCondition {
    pub(super) fn holds(&self, name: &str, item: Option<&Item>, state: &BTreeMap<String, String>) -> bool {
        match self {
            FieldCondition::Include(names) => names.have(name),
            FieldCondition::Exclude(names) => !names.have(name),
            FieldCondition::State { key, value } => has_state(state, key, value),
            FieldCondition::ItemApplied(id) => item.is_some_and(|item| item.applied.contains(id)),
        }
    }
}
