//! Transformations, as pySigma names them: what each changes in a rule.
//!
//! # Not here
//! When they are made.

use super::read::{invalid, items, regex, scalars};
use super::values::{between_wildcards, each_text, each_value, fill_placeholders, to_regex};
use super::{Pipeline, ProcessingItem, Target};
use crate::diagnostic::Fault;
use crate::draft::{Draft, Item, Tree};
use crate::logsource::LogSource;
use crate::rule::{scalar, text};
use regex::Regex;
use rsigma_parser::Modifier;
use std::collections::BTreeMap;
use yaml_serde::{Mapping, Value};

/// Values that one value may become.
pub(super) const VALUES_MAX: usize = 20_000;
/// Bytes of text that one item may become.
const ITEM_BYTES_MAX: usize = 1 << 20;
/// Fields that one field may become.
const FIELDS_MAX: usize = 64;

/// What is changed.
#[derive(Clone, Debug)]
pub(super) enum Transformation {
    /// One field becomes another, or any of several.
    FieldMapping(BTreeMap<String, Vec<String>>),
    /// Fields that begin so begin with any of these; the longest counts.
    PrefixMapping(Vec<(String, Vec<String>)>),
    FieldPrefix(String),
    FieldSuffix(String),
    FieldCase(LetterCase),
    DropItem,
    AddCondition {
        items: Mapping,
        name: Option<String>,
        is_template: bool,
        is_negated: bool,
    },
    ChangeLogSource(LogSource),
    ReplaceString {
        pattern: Regex,
        by: String,
        only_between_wildcards: bool,
    },
    /// `%name%` becomes the values of the pipeline's `vars`.
    Placeholders(Chosen),
    /// `%name%` becomes `*`.
    PlaceholdersToWildcard(Chosen),
    SetValue(Value),
    ToText,
    ToNumber,
    /// Text becomes a regular expression of one meaning; its flag.
    ToRegex(Option<Modifier>),
    MapString(BTreeMap<String, Vec<String>>),
    ValueCase(LetterCase),
    SetState {
        key: String,
        value: String,
    },
    RefuseRule(String),
    RefuseItem(String),
    Nest(Vec<ProcessingItem>),
    /// What says something to others only.
    Nothing,
}

/// Which placeholders.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    include: Option<Vec<String>>,
    exclude: Vec<String>,
}

impl Chosen {
    fn has(&self, name: &str) -> bool {
        let among = |list: &[String]| list.iter().any(|own| own == name);
        self.include.as_deref().is_none_or(among) && !among(&self.exclude)
    }
}

/// Letters.
#[derive(Clone, Copy, Debug)]
pub(super) enum LetterCase {
    Lower,
    Upper,
    Snake,
}

impl LetterCase {
    fn of(self, text: &str) -> String {
        match self {
            LetterCase::Lower => text.to_lowercase(),
            LetterCase::Upper => text.to_uppercase(),
            LetterCase::Snake => {
                let mut out = String::with_capacity(text.len() + 4);
                let mut before = '_';
                for c in text.chars() {
                    if c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
                        out.push('_');
                    }
                    out.extend(c.to_lowercase());
                    before = c;
                }
                out
            }
        }
    }
}

/// Reads what the transformation `kind` needs.
///
/// # Errors
/// It is not known, or something that it needs is missing.
pub(super) fn read_transformation(kind: &str, item: &Mapping, depth: usize) -> Result<Transformation, Fault> {
    use Transformation as T;
    let is = |key: &str| item.get(key).is_some_and(|value| value == &Value::Bool(true));
    let needed = |key: &str| {
        let value = item.get(key).and_then(scalar);
        value.ok_or_else(|| invalid(format!("`{kind}` has no `{key}`")))
    };
    Ok(match kind {
        "field_name_mapping" => T::FieldMapping(mapping(kind, item)?),
        "field_name_prefix_mapping" => {
            let mut list: Vec<_> = mapping(kind, item)?.into_iter().collect();
            list.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
            T::PrefixMapping(list)
        }
        "field_name_prefix" => T::FieldPrefix(needed("prefix")?),
        "field_name_suffix" => T::FieldSuffix(needed("suffix")?),
        "field_name_transform" => T::FieldCase(letter_case(kind, &needed("transform_func")?)?),
        "drop_detection_item" => T::DropItem,
        "add_condition" => {
            let items = item.get("conditions").and_then(Value::as_mapping).filter(|items| !items.is_empty());
            let items = items.ok_or_else(|| invalid("`add_condition` has no mapping `conditions`"))?.clone();
            Tree::read_whole(&Value::Mapping(items.clone()))?;
            T::AddCondition {
                items,
                name: text(item, "name"),
                is_template: is("template"),
                is_negated: is("negated"),
            }
        }
        "change_logsource" => T::ChangeLogSource(LogSource::read(item)),
        "replace_string" => T::ReplaceString {
            pattern: regex(&needed("regex")?)?,
            by: replacement(&needed("replacement")?),
            only_between_wildcards: is("skip_special"),
        },
        "value_placeholders" => T::Placeholders(chosen(item)),
        "wildcard_placeholders" => T::PlaceholdersToWildcard(chosen(item)),
        "set_value" => match item.get("value") {
            Some(value) if !value.is_mapping() && !value.is_sequence() => T::SetValue(value.clone()),
            _ => return Err(invalid("`set_value` has no `value` that is a scalar")),
        },
        "convert_type" => target_type(&needed("target_type")?)?,
        "regex" => match text(item, "method").as_deref() {
            Some("plain") => T::ToRegex(None),
            None | Some("ignore_case_flag" | "ignore_case_brackets") => {
                T::ToRegex(Some(Modifier::IgnoreCase))
            }
            Some(other) => return Err(invalid(format!("`method` is `{other}`, which is not known"))),
        },
        "map_string" => T::MapString(mapping(kind, item)?),
        "case" => {
            T::ValueCase(letter_case(kind, &text(item, "method").unwrap_or_else(|| "lower".to_owned()))?)
        }
        "set_state" => T::SetState { key: needed("key")?, value: needed("val")? },
        "rule_failure" => T::RefuseRule(needed("message")?),
        "detection_item_failure" => T::RefuseItem(needed("message")?),
        "nest" => match item.get("items") {
            Some(list) => T::Nest(items(list, depth + 1)?),
            None => return Err(invalid("`nest` has no `items`")),
        },
        "set_custom_attribute" => T::Nothing,
        _ => {
            let message = format!("the transformation `{kind}` is not known");
            return Err(Fault::new("pipeline-transformation-unknown", message));
        }
    })
}

fn mapping(kind: &str, item: &Mapping) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let mapping = item.get("mapping").and_then(Value::as_mapping);
    let mapping = mapping.ok_or_else(|| invalid(format!("`{kind}` has no `mapping`")))?;
    let one = |(from, to): (&Value, &Value)| {
        let to = scalars(to).filter(|to| (1..=FIELDS_MAX).contains(&to.len()));
        Some((scalar(from)?, to?))
    };
    let read: Option<BTreeMap<_, _>> = mapping.iter().map(one).collect();
    read.ok_or_else(|| {
        invalid(format!("`{kind}` maps texts to a text or to a list of {FIELDS_MAX} texts at most"))
            .near("mapping")
    })
}

fn target_type(name: &str) -> Result<Transformation, Fault> {
    match name {
        "str" => Ok(Transformation::ToText),
        "num" => Ok(Transformation::ToNumber),
        other => Err(invalid(format!("`target_type` is `{other}`; `str` or `num` was wanted"))),
    }
}

fn chosen(item: &Mapping) -> Chosen {
    let list = |key: &str| item.get(key).and_then(scalars);
    Chosen { include: list("include"), exclude: list("exclude").unwrap_or_default() }
}

fn letter_case(kind: &str, name: &str) -> Result<LetterCase, Fault> {
    match name {
        "lower" => Ok(LetterCase::Lower),
        "upper" => Ok(LetterCase::Upper),
        "snake_case" => Ok(LetterCase::Snake),
        other => Err(invalid(format!("`{kind}` knows `lower`, `upper` and `snake_case`, not `{other}`"))),
    }
}

/// Python's `\1` and `\g<name>` as this library writes them.
fn replacement(python: &str) -> String {
    let mut out = String::with_capacity(python.len());
    let mut rest = python.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '$' => out.push_str("$$"),
            '\\' => match rest.next() {
                Some(digit) if digit.is_ascii_digit() => out.push_str(&format!("${{{digit}}}")),
                Some('g') if rest.peek() == Some(&'<') => {
                    let name: String = rest.by_ref().skip(1).take_while(|c| *c != '>').collect();
                    out.push_str(&format!("${{{name}}}"));
                }
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('\\') => out.push('\\'),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}

impl ProcessingItem {
    /// Makes the change; whether anything was changed.
    pub(super) fn transform(
        &self,
        target: &mut Target,
        pipeline: &Pipeline,
        depth: usize,
    ) -> Result<bool, Fault> {
        use Transformation as T;
        match &self.transformation {
            T::Nothing => {}
            T::SetState { key, value } => drop(target.state.insert(key.clone(), value.clone())),
            T::ChangeLogSource(logsource) => target.logsource = logsource.clone(),
            T::RefuseRule(message) => return Err(refused(message)),
            T::AddCondition { items, name, is_template, is_negated } => {
                let items = if *is_template { filled(items, &target.logsource) } else { items.clone() };
                add_condition(&mut target.draft, &items, name.as_deref(), *is_negated)?;
            }
            T::Nest(items) => items.iter().try_for_each(|item| item.apply(target, pipeline, depth + 1))?,
            T::FieldMapping(_)
            | T::PrefixMapping(_)
            | T::FieldPrefix(_)
            | T::FieldSuffix(_)
            | T::FieldCase(_) => {
                return self.rename_all(target);
            }
            _ => return self.change_values(target, pipeline),
        }
        Ok(true)
    }

    /// What a field becomes; `None`: it stays.
    fn rename(&self, name: &str) -> Option<Vec<String>> {
        use Transformation as T;
        match &self.transformation {
            T::FieldMapping(mapping) => mapping.get(name).cloned(),
            T::PrefixMapping(list) => list.iter().find_map(|(prefix, others)| {
                let rest = name.strip_prefix(prefix.as_str())?;
                Some(others.iter().map(|other| format!("{other}{rest}")).collect())
            }),
            T::FieldPrefix(prefix) => Some(vec![format!("{prefix}{name}")]),
            T::FieldSuffix(suffix) => Some(vec![format!("{name}{suffix}")]),
            T::FieldCase(case) => Some(vec![case.of(name)]),
            _ => None,
        }
    }

    fn rename_all(&self, target: &mut Target) -> Result<bool, Fault> {
        let Target { draft, state, fields, correlated, .. } = target;
        let mut made = false;
        let mut rename = |names: &mut Vec<String>, item: Option<&Item>| {
            let mut changed = false;
            let mut next: Vec<String> = Vec::with_capacity(names.len());
            for name in names.drain(..) {
                let others = if self.on_field.holds(|own| own.holds(&name, item, state)) {
                    self.rename(&name)
                } else {
                    None
                };
                changed |= others.is_some();
                for name in others.unwrap_or_else(|| vec![name]) {
                    if !next.contains(&name) {
                        next.push(name);
                    }
                }
            }
            *names = next;
            made |= changed;
            changed
        };
        for (name, tree) in &mut draft.named {
            tree.change(&mut |item| {
                if !self.on_item.holds(|own| own.holds(item, state)) {
                    return Ok(true);
                }
                let mut names = std::mem::take(&mut item.fields);
                let mut changed = rename(&mut names, Some(item));
                item.fields = names;
                if item.fields.len() > FIELDS_MAX {
                    return Err(Fault::new("too-complex", "a field stands for too many fields"));
                }
                if item.has(Modifier::FieldRef) {
                    let mut others: Vec<String> =
                        item.values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                    if rename(&mut others, Some(item)) {
                        changed = true;
                        item.values = others.into_iter().map(Value::String).collect();
                    }
                }
                if changed {
                    item.applied.extend(self.id.clone());
                }
                Ok(true)
            })
            .map_err(|fault| fault.near(name.as_str()))?;
        }
        if self.on_item.list.is_empty() {
            rename(fields, None);
            for names in correlated.values_mut() {
                rename(names, None);
            }
        }
        Ok(made)
    }

    /// Whether its conditions on an item and on the item's fields hold.
    fn is_for(&self, item: &Item, state: &BTreeMap<String, String>) -> bool {
        let of_field = |name: &String| self.on_field.holds(|own| own.holds(name, Some(item), state));
        self.on_item.holds(|own| own.holds(item, state))
            && (self.on_field.list.is_empty() || item.fields.iter().any(of_field))
    }

    fn change_values(&self, target: &mut Target, pipeline: &Pipeline) -> Result<bool, Fault> {
        let Target { draft, state, .. } = target;
        let mut made = false;
        let mut left = Vec::with_capacity(draft.named.len());
        for (name, mut tree) in draft.named.drain(..) {
            let stays = tree
                .change(&mut |item| {
                    if !self.is_for(item, state) {
                        return Ok(true);
                    }
                    made = true;
                    item.applied.extend(self.id.clone());
                    self.change_item(item, pipeline)
                })
                .map_err(|fault| fault.near(name.as_str()))?;
            left.push((name, if stays { tree } else { Tree::All(Vec::new()) }));
        }
        draft.named = left;
        if draft.named.iter().all(|(_, tree)| matches!(tree, Tree::All(parts) if parts.is_empty())) {
            return Err(refused("nothing is left of the detection"));
        }
        Ok(made)
    }

    /// Changes one item; false: it is to be taken out.
    fn change_item(&self, item: &mut Item, pipeline: &Pipeline) -> Result<bool, Fault> {
        use Transformation as T;
        match &self.transformation {
            T::DropItem => return Ok(false),
            T::RefuseItem(message) => return Err(refused(message)),
            T::ReplaceString { pattern, by, only_between_wildcards } => each_text(item, &|text| {
                vec![if *only_between_wildcards {
                    between_wildcards(text, &|part| pattern.replace_all(part, by.as_str()).into_owned())
                } else {
                    pattern.replace_all(text, by.as_str()).into_owned()
                }]
            }),
            T::MapString(mapping) => {
                each_text(item, &|text| mapping.get(text).cloned().unwrap_or_else(|| vec![text.to_owned()]));
            }
            T::ValueCase(case) => each_text(item, &|text| vec![case.of(text)]),
            T::Placeholders(chosen) => {
                let values =
                    |name: &str| chosen.has(name).then(|| pipeline.vars.get(name).cloned()).flatten();
                fill_placeholders(item, &values)?;
            }
            T::PlaceholdersToWildcard(chosen) => {
                fill_placeholders(item, &|name| chosen.has(name).then(|| vec!["*".to_owned()]))?;
            }
            T::SetValue(value) => {
                item.values = vec![value.clone()];
                item.is_empty_list = false;
                item.modifiers.retain(|own| matches!(own, Modifier::All | Modifier::Neq));
            }
            T::ToText => each_value(item, &|value| match value {
                Value::Number(number) => Value::String(number.to_string()),
                other => other,
            }),
            T::ToNumber => each_value(item, &|value| {
                let number = value.as_str().and_then(|text| text.trim().parse::<i64>().ok());
                number.map_or(value, Value::from)
            }),
            T::ToRegex(flag) => to_regex(item, *flag),
            _ => {}
        }
        let bytes: usize = item.values.iter().filter_map(Value::as_str).map(str::len).sum();
        if item.values.len() > VALUES_MAX || bytes > ITEM_BYTES_MAX {
            return Err(Fault::new("too-complex", "a pipeline makes an item too large"));
        }
        Ok(true)
    }
}

fn refused(message: &str) -> Fault {
    Fault::new("pipeline-refused", format!("a pipeline refuses the rule: {message}"))
}

/// The items with what `$category`, `$product` and `$service` stand for.
fn filled(items: &Mapping, logsource: &LogSource) -> Mapping {
    let of = |value: &Option<String>| value.clone().unwrap_or_default();
    let fill = |text: &str| {
        text.replace("$category", &of(&logsource.category))
            .replace("$product", &of(&logsource.product))
            .replace("$service", &of(&logsource.service))
    };
    let fill_value = |value: &Value| match value {
        Value::String(text) => Value::String(fill(text)),
        Value::Sequence(list) => Value::Sequence(
            list.iter().map(|one| one.as_str().map_or(one.clone(), |t| fill(t).into())).collect(),
        ),
        other => other.clone(),
    };
    items.iter().map(|(key, value)| (key.clone(), fill_value(value))).collect()
}

/// Joins a detection to every condition.
fn add_condition(
    draft: &mut Draft,
    items: &Mapping,
    name: Option<&str>,
    is_negated: bool,
) -> Result<(), Fault> {
    let taken = |draft: &Draft, name: &str| draft.named.iter().any(|(own, _)| own == name);
    let name = match name {
        Some(name) if !taken(draft, name) => name.to_owned(),
        _ => (0..).map(|n| format!("_cond_{n}")).find(|name| !taken(draft, name)).unwrap_or_default(),
    };
    let tree = Tree::read_whole(&Value::Mapping(items.clone()))?;
    let not = if is_negated { "not " } else { "" };
    for condition in &mut draft.conditions {
        *condition = format!("{not}{name} and ({condition})");
    }
    draft.named.push((name, tree));
    Ok(())
}
