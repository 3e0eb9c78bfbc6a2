//! A pipeline from its YAML document; what is not known is a fault.
//!
//! # Not here
//! Applying it.

use super::conditions::{FieldCondition, ItemCondition, Join, Joined, Names, RuleCondition};
use super::transform::{Transformation, read_transformation};
use super::{Pipeline, ProcessingItem};
use crate::diagnostic::Fault;
use crate::logsource::LogSource;
use crate::rule::{scalar, text};
use regex::Regex;
use rsigma_parser::{ConditionExpr, parse_condition};
use std::collections::BTreeMap;
use yaml_serde::{Mapping, Value};

/// Transformations below each other (`nest`).
pub(super) const DEPTH_MAX: usize = 8;
const EXPRESSION_BYTES_MAX: usize = 2_000;

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("pipeline-invalid", message)
}

/// Reads a pipeline.
///
/// # Errors
/// The first fault in it.
pub(super) fn pipeline(content: &Mapping) -> Result<Pipeline, Fault> {
    let priority = content.get("priority").map_or(Some(0), Value::as_i64);
    let priority = priority.ok_or_else(|| invalid("`priority` is no whole number").near("priority"))?;
    let mut vars = BTreeMap::new();
    if let Some(given) = content.get("vars") {
        let given = given.as_mapping().ok_or_else(|| invalid("`vars` is no mapping").near("vars"))?;
        for (name, value) in given {
            let name = scalar(name).ok_or_else(|| invalid("a name in `vars` is no text").near("vars"))?;
            let values = scalars(value).ok_or_else(|| {
                invalid(format!("`{name}` is neither a value nor a list of values")).near(name.as_str())
            })?;
            vars.insert(name, values);
        }
    }
    let items = match content.get("transformations") {
        None if content.contains_key("postprocessing") || content.contains_key("finalizers") => Vec::new(),
        Some(list) => items(list, 0)?,
        None => return Err(invalid("the document is no pipeline: it has no `transformations`")),
    };
    Ok(Pipeline { priority, vars, items })
}

/// Reads a list of processing items.
pub(super) fn items(list: &Value, depth: usize) -> Result<Vec<ProcessingItem>, Fault> {
    if depth > DEPTH_MAX {
        return Err(invalid(format!("transformations are nested more than {DEPTH_MAX} deep")));
    }
    let list = match list {
        Value::Null => return Ok(Vec::new()),
        Value::Sequence(list) => list,
        _ => return Err(invalid("`transformations` is no list").near("transformations")),
    };
    list.iter()
        .map(|item| match item {
            Value::Mapping(item) => processing_item(item, depth).map_err(|fault| match text(item, "id") {
                Some(id) => fault.near(id),
                None => fault,
            }),
            _ => Err(invalid("a transformation is no mapping").near("transformations")),
        })
        .collect()
}

fn processing_item(item: &Mapping, depth: usize) -> Result<ProcessingItem, Fault> {
    let kind = text(item, "type").ok_or_else(|| invalid("a transformation has no `type`"))?;
    let transformation =
        read_transformation(&kind, item, depth).map_err(|fault| fault.near(kind.as_str()))?;
    let on_rule = joined(item, "rule_conditions", "rule_cond", rule_condition)?;
    let on_item = joined(item, "detection_item_conditions", "detection_item_cond", item_condition)?;
    let on_field = joined(item, "field_name_conditions", "field_name_cond", field_condition)?;
    if matches!(transformation, Transformation::AddCondition { .. } | Transformation::ChangeLogSource(_))
        && !(on_item.list.is_empty() && on_field.list.is_empty())
    {
        let message = format!("`{kind}` changes the rule, and takes conditions on the rule only");
        return Err(invalid(message).near(kind));
    }
    Ok(ProcessingItem { id: text(item, "id"), transformation, on_rule, on_item, on_field })
}

/// Reads conditions (`key`: a list, or a mapping of names) and how `prefix` joins them.
fn joined<T>(
    item: &Mapping,
    key: &str,
    prefix: &str,
    read: fn(&str, &Mapping) -> Result<Option<T>, Fault>,
) -> Result<Joined<T>, Fault> {
    let one = |value: &Value| -> Result<T, Fault> {
        let condition = value.as_mapping().ok_or_else(|| invalid("a condition is no mapping").near(key))?;
        let kind = text(condition, "type").ok_or_else(|| invalid("a condition has no `type`").near(key))?;
        read(&kind, condition).map_err(|fault| fault.near(kind.as_str()))?.ok_or_else(|| {
            Fault::new("pipeline-condition-unknown", format!("`{key}` know no condition `{kind}`")).near(kind)
        })
    };
    let list = match item.get(key) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Sequence(list)) => {
            list.iter().map(|value| Ok((None, one(value)?))).collect::<Result<_, Fault>>()?
        }
        Some(Value::Mapping(named)) => {
            named.iter().map(|(name, value)| Ok((scalar(name), one(value)?))).collect::<Result<_, Fault>>()?
        }
        Some(_) => return Err(invalid(format!("`{key}` is neither a list nor a mapping")).near(key)),
    };
    let is_negated = item.get(format!("{prefix}_not")).is_some_and(|value| value == &Value::Bool(true));
    let expression =
        text(item, &format!("{prefix}_expr")).or_else(|| text(item, &format!("{prefix}_expression")));
    let join = match (expression, text(item, &format!("{prefix}_op")).as_deref()) {
        (Some(text), _) => Join::Expression(expression_over(&text, &list)?),
        (None, None | Some("and")) => Join::All,
        (None, Some("or")) => Join::Any,
        (None, Some(other)) => {
            let message = format!("`{prefix}_op` is `{other}`; `and` or `or` was wanted");
            return Err(invalid(message).near(format!("{prefix}_op")));
        }
    };
    Ok(Joined { list, join, is_negated })
}

fn expression_over<T>(text: &str, list: &[(Option<String>, T)]) -> Result<ConditionExpr, Fault> {
    let fault = |why: &str| invalid(format!("the expression `{text}` cannot be read: {why}")).near(text);
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(fault("it is too long"));
    }
    crate::condition::check_depth(text)?;
    let expression = parse_condition(text).map_err(|_| fault("names, `and`, `or`, `not`, parentheses"))?;
    check_names(&expression, &|name| list.iter().any(|(own, _)| own.as_deref() == Some(name)))
        .map_err(|name| fault(&format!("`{name}` is no condition of its list")))?;
    Ok(expression)
}

/// That an expression names only what is there; quantifiers are none.
pub(crate) fn check_names(expression: &ConditionExpr, is_known: &dyn Fn(&str) -> bool) -> Result<(), String> {
    match expression {
        ConditionExpr::And(parts) | ConditionExpr::Or(parts) => {
            parts.iter().try_for_each(|part| check_names(part, is_known))
        }
        ConditionExpr::Not(part) => check_names(part, is_known),
        ConditionExpr::Identifier(name) if is_known(name) => Ok(()),
        ConditionExpr::Identifier(name) => Err(name.clone()),
        ConditionExpr::Selector { .. } => Err("of".to_owned()),
    }
}

fn needed(condition: &Mapping, key: &str) -> Result<String, Fault> {
    text(condition, key).ok_or_else(|| invalid(format!("the condition has no `{key}`")))
}

fn state(condition: &Mapping) -> Result<(String, String), Fault> {
    let value = condition.get("val").or_else(|| condition.get("value")).and_then(scalar);
    Ok((needed(condition, "key")?, value.ok_or_else(|| invalid("the condition has no `val`"))?))
}

fn rule_condition(kind: &str, condition: &Mapping) -> Result<Option<RuleCondition>, Fault> {
    Ok(Some(match kind {
        "logsource" => RuleCondition::LogSource(LogSource::read(condition)),
        "contains_detection_item" => RuleCondition::ContainsItem {
            field: text(condition, "field"),
            value: condition.get("value").cloned(),
        },
        "contains_field" => RuleCondition::ContainsField(needed(condition, "field")?),
        "processing_item_applied" => RuleCondition::ItemApplied(needed(condition, "processing_item_id")?),
        "processing_state" => {
            let (key, value) = state(condition)?;
            RuleCondition::State { key, value }
        }
        "is_sigma_rule" => RuleCondition::IsRule(true),
        "is_sigma_correlation_rule" => RuleCondition::IsRule(false),
        "rule_attribute" => match text(condition, "op").as_deref() {
            None | Some("eq") => RuleCondition::Attribute {
                name: needed(condition, "attribute")?,
                value: needed(condition, "value")?,
            },
            Some(other) => {
                return Err(invalid(format!("`rule_attribute` compares with `eq` only, not `{other}`")));
            }
        },
        "taxonomy" => {
            RuleCondition::Attribute { name: "taxonomy".into(), value: needed(condition, "taxonomy")? }
        }
        "tag" => RuleCondition::Tag(needed(condition, "tag")?),
        _ => return Ok(None),
    }))
}

fn item_condition(kind: &str, condition: &Mapping) -> Result<Option<ItemCondition>, Fault> {
    let is_any = || match text(condition, "cond").as_deref() {
        Some("any") => Ok(true),
        None | Some("all") => Ok(false),
        Some(other) => Err(invalid(format!("`cond` is `{other}`; `any` or `all` was wanted"))),
    };
    Ok(Some(match kind {
        "match_string" => ItemCondition::Matches {
            pattern: regex_at_start(&needed(condition, "pattern")?)?,
            is_any: is_any()?,
            is_negated: condition.get("negate").is_some_and(|value| value == &Value::Bool(true)),
        },
        "match_value" => ItemCondition::Equals {
            value: condition.get("value").cloned().ok_or_else(|| invalid("the condition has no `value`"))?,
            is_any: is_any()?,
        },
        "is_null" => ItemCondition::IsNull { is_any: is_any()? },
        "processing_item_applied" => ItemCondition::ItemApplied(needed(condition, "processing_item_id")?),
        "processing_state" => {
            let (key, value) = state(condition)?;
            ItemCondition::State { key, value }
        }
        _ => return Ok(None),
    }))
}

fn field_condition(kind: &str, condition: &Mapping) -> Result<Option<FieldCondition>, Fault> {
    let names = || -> Result<Names, Fault> {
        let names = condition
            .get("fields")
            .and_then(scalars)
            .ok_or_else(|| invalid("the condition has no list `fields`"))?;
        match text(condition, "mode").as_deref() {
            None | Some("plain") => Ok(Names::Plain(names)),
            Some("re") => {
                Ok(Names::Patterns(names.iter().map(|name| regex_at_start(name)).collect::<Result<_, _>>()?))
            }
            Some(other) => Err(invalid(format!("`mode` is `{other}`; `plain` or `re` was wanted"))),
        }
    };
    Ok(Some(match kind {
        "include_fields" => FieldCondition::Include(names()?),
        "exclude_fields" => FieldCondition::Exclude(names()?),
        "processing_item_applied" => FieldCondition::ItemApplied(needed(condition, "processing_item_id")?),
        "processing_state" => {
            let (key, value) = state(condition)?;
            FieldCondition::State { key, value }
        }
        _ => return Ok(None),
    }))
}

/// An expression as Python's `re.match` takes it: from the beginning.
fn regex_at_start(pattern: &str) -> Result<Regex, Fault> {
    regex(&format!("^(?:{pattern})"))
}

pub(super) fn regex(pattern: &str) -> Result<Regex, Fault> {
    regex::RegexBuilder::new(pattern).size_limit(4 << 20).build().map_err(|_| {
        invalid(format!("`{pattern}` is no regular expression that is known here"))
            .help("no look-around and no back-references")
    })
}

/// A scalar, or a list of scalars, as texts.
pub(super) fn scalars(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Sequence(list) => list.iter().map(scalar).collect(),
        other => Some(vec![scalar(other)?]),
    }
}
