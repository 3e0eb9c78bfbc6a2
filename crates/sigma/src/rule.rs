//! One rule: what its document says, checked once.
//!
//! # Not here
//! Which records it applies to ([`crate::logsource`]), how it is matched.

use crate::condition;
use crate::detection::{Detection, Field, Leaf, NODES_MAX, Node, Reference, Test};
use crate::diagnostic::Fault;
use crate::logsource::{self, LogSource, Source};
use crate::modifier;
use model::Level;
use rsigma_parser::{FieldSpec, Modifier, SigmaParserError, SigmaValue, parse_field_spec};
use std::collections::BTreeMap;
use yaml_serde::{Mapping, Value};

type Placeholders = BTreeMap<String, Vec<String>>;

/// A rule that is ready to be matched.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id; for rules without one, the first 16 hex digits of SHA-256 of the document.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its `name`, by which filters may call it.
    pub name: Option<String>,
    /// Its level; a rule without one is informational.
    pub level: Level,
    /// Its tags, as written.
    pub tags: Vec<String>,
    /// ATT&CK techniques among the tags, upper case (`T1505.003`), sorted.
    pub techniques: Vec<String>,
    /// Sigma's `fields`: what a reader needs beside what matched.
    pub fields: Vec<String>,
    /// The file it came from, as it was named to [`crate::load`].
    pub file: String,
    /// Its log source, as written.
    pub logsource: LogSource,
    pub(crate) detection: Detection,
    /// The logs that it applies to; none: it loads, and never meets a record.
    pub(crate) sources: Vec<Source>,
}

/// A Sigma filter: a condition that is joined to the rules that it names.
pub(crate) struct Filter {
    /// Ids or names; `None` for any rule.
    pub(crate) rules: Option<Vec<String>>,
    pub(crate) logsource: LogSource,
    pub(crate) detection: Detection,
}

impl Rule {
    /// Reads a rule from its document.
    ///
    /// # Errors
    /// The first fault that keeps the rule from meaning what it says.
    pub(crate) fn parse(
        content: &Mapping,
        placeholders: &Placeholders,
        faults: &mut Vec<Fault>,
    ) -> Result<Self, Fault> {
        let title =
            text(content, "title").ok_or_else(|| Fault::new("title-missing", "the rule has no title"))?;
        check_version(content)?;
        let logsource = parse_logsource(content)?;
        let detection = content
            .get("detection")
            .ok_or_else(|| Fault::new("detection-missing", "the rule has no `detection`"))?;
        let mut detection = parse_detection(detection, placeholders)?;
        logsource::place_paths(&logsource, &mut detection);
        let tags = texts(content, "tags");
        Ok(Self {
            id: text(content, "id").unwrap_or_default(),
            title,
            name: text(content, "name"),
            level: parse_level(content, faults),
            techniques: techniques(&tags),
            tags,
            fields: texts(content, "fields"),
            file: String::new(),
            sources: logsource::sources(&logsource),
            logsource,
            detection,
        })
    }

    /// Joins a filter's condition to the rule's.
    pub(crate) fn narrow(&mut self, filter: &Detection) {
        let first = self.detection.leaves.len();
        self.detection.leaves.extend(filter.leaves.iter().cloned());
        let own = std::mem::take(&mut self.detection.condition);
        self.detection.condition = Node::And(vec![own, shifted(&filter.condition, first)]);
    }
}

impl Filter {
    /// Reads a filter from its document.
    ///
    /// # Errors
    /// It has no filter section, or one that is no detection.
    pub(crate) fn parse(content: &Mapping, placeholders: &Placeholders) -> Result<Self, Fault> {
        let fault = |message: &str| Fault::new("filter-invalid", message).near("filter");
        let mut section = match content.get("filter") {
            Some(Value::Mapping(section)) => section.clone(),
            _ => return Err(fault("`filter` is no mapping")),
        };
        let rules = match section.remove("rules") {
            Some(Value::String(any)) if any.eq_ignore_ascii_case("any") => None,
            Some(Value::String(one)) => Some(vec![one]),
            Some(Value::Sequence(list)) if list.iter().all(Value::is_string) => {
                Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            _ => return Err(fault("`filter` does not say to which `rules` it applies")),
        };
        let logsource = parse_logsource(content)?;
        let mut detection = parse_detection(&Value::Mapping(section), placeholders)?;
        logsource::place_paths(&logsource, &mut detection);
        Ok(Self { rules, logsource, detection })
    }

    /// Whether the filter is meant for `rule`.
    pub(crate) fn names(&self, rule: &Rule) -> bool {
        let named = |own: &String| rule.id == *own || rule.name.as_ref() == Some(own);
        self.rules.as_ref().is_none_or(|rules| rules.iter().any(named))
            && self.logsource.covers(&rule.logsource)
    }
}

fn shifted(node: &Node, first: usize) -> Node {
    let all = |parts: &[Node]| parts.iter().map(|part| shifted(part, first)).collect();
    match node {
        Node::And(parts) => Node::And(all(parts)),
        Node::Or(parts) => Node::Or(all(parts)),
        Node::Not(part) => Node::Not(Box::new(shifted(part, first))),
        Node::Leaf(leaf) => Node::Leaf(leaf + first),
    }
}

/// A scalar as text; numbers too, since YAML takes an all-digit id for one.
pub(crate) fn text(content: &Mapping, key: &str) -> Option<String> {
    match content.get(key)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts(content: &Mapping, key: &str) -> Vec<String> {
    match content.get(key) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Sequence(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn check_version(content: &Mapping) -> Result<(), Fault> {
    let major = content.get("sigma-version").map(rsigma_parser::version::major_from_value);
    match major {
        None | Some(Some(1 | 2)) => Ok(()),
        _ => Err(Fault::new("version-unsupported", "the rule asks for another version of Sigma than 2")
            .near("sigma-version")),
    }
}

fn parse_level(content: &Mapping, faults: &mut Vec<Fault>) -> Level {
    let Some(written) = content.get("level") else {
        return Level::Informational;
    };
    let known = Level::ALL.into_iter().find(|level| Some(level.as_str()) == written.as_str());
    known.unwrap_or_else(|| {
        faults.push(
            Fault::new("level-unknown", "the level is not known; the rule counts as informational")
                .near("level")
                .help("informational, low, medium, high or critical"),
        );
        Level::Informational
    })
}

/// `attack.t1505.003` → `T1505.003`.
fn techniques(tags: &[String]) -> Vec<String> {
    let technique = |tag: &String| {
        let id = tag.to_ascii_uppercase().strip_prefix("ATTACK.")?.to_owned();
        let digits = id.strip_prefix('T')?;
        let numbers =
            |text: &str| !text.is_empty() && text.split('.').all(|part| part.parse::<u32>().is_ok());
        numbers(digits).then_some(id)
    };
    let mut techniques: Vec<String> = tags.iter().filter_map(technique).collect();
    techniques.sort();
    techniques.dedup();
    techniques
}

fn parse_logsource(content: &Mapping) -> Result<LogSource, Fault> {
    let Some(Value::Mapping(logsource)) = content.get("logsource") else {
        return Err(Fault::new("logsource-missing", "the rule has no `logsource`")
            .help("`product`, `category` and `service` say which log it is about"));
    };
    let lower = |key| text(logsource, key).map(|text| text.to_lowercase());
    Ok(LogSource { category: lower("category"), product: lower("product"), service: lower("service") })
}

/// Reads a detection section.
///
/// # Errors
/// The first fault in it.
pub(crate) fn parse_detection(section: &Value, placeholders: &Placeholders) -> Result<Detection, Fault> {
    let Value::Mapping(section) = section else {
        return Err(Fault::new("detection-invalid", "`detection` is no mapping").near("detection"));
    };
    let conditions = parse_conditions(section)?;
    let mut detection = Detection::default();
    let mut named = Vec::new();
    for (key, value) in section {
        let name = key_text(key)?;
        if name == "condition" || name == "timeframe" {
            continue;
        }
        let node = parse_named(value, placeholders, &mut detection.leaves)
            .map_err(|fault| fault.near(name.clone()))?;
        named.push((name, node));
    }
    if named.is_empty() {
        return Err(Fault::new("detection-empty", "the detection asks nothing").near("detection"));
    }
    let nodes: Result<Vec<Node>, Fault> =
        conditions.iter().map(|text| condition::parse(text, &named)).collect();
    let mut nodes = nodes?;
    detection.condition = if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) };
    Ok(detection)
}

fn parse_conditions(section: &Mapping) -> Result<Vec<String>, Fault> {
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

/// A named detection: a mapping (all of it), a list (any of it), a keyword.
fn parse_named(value: &Value, placeholders: &Placeholders, leaves: &mut Vec<Leaf>) -> Result<Node, Fault> {
    match value {
        Value::Mapping(items) if items.is_empty() => Err(empty()),
        Value::Mapping(items) => {
            let mut nodes = Vec::with_capacity(items.len());
            for (key, value) in items {
                let key = key_text(key)?;
                nodes.push(parse_item(&key, value, placeholders, leaves).map_err(|fault| fault.near(key))?);
            }
            Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::And(nodes) })
        }
        Value::Sequence(list) if list.is_empty() => Err(empty()),
        Value::Sequence(list) if list.iter().any(|item| item.is_mapping() || item.is_sequence()) => {
            let nodes: Result<Vec<Node>, Fault> =
                list.iter().map(|item| parse_named(item, placeholders, leaves)).collect();
            Ok(Node::Or(nodes?))
        }
        other => parse_item("", other, placeholders, leaves),
    }
}

fn empty() -> Fault {
    Fault::new("detection-empty", "the detection asks nothing")
}

/// One item: `field|modifiers: values`.
fn parse_item(
    key: &str,
    value: &Value,
    placeholders: &Placeholders,
    leaves: &mut Vec<Leaf>,
) -> Result<Node, Fault> {
    let spec = parse_field_spec(key).map_err(|error| modifier_fault(&error))?;
    let written = match value {
        Value::Sequence(list) if list.is_empty() => vec![Value::Null],
        Value::Sequence(list) => list.clone(),
        other => vec![other.clone()],
    };
    // An empty list stands for no value at all, whatever the modifiers.
    let nothing = matches!(value, Value::Sequence(list) if list.is_empty());
    let mut tests = Vec::with_capacity(written.len());
    for value in &written {
        if value.is_mapping() || value.is_sequence() || matches!(value, Value::Tagged(_)) {
            return Err(Fault::new("value-invalid", "a value is neither text, number, truth value nor null"));
        }
        let modifiers: &[Modifier] = if nothing { &[] } else { &spec.modifiers };
        tests.push(modifier::apply(&SigmaValue::from_yaml(value), modifiers, placeholders)?);
    }
    join(&spec, tests, leaves)
}

fn modifier_fault(error: &SigmaParserError) -> Fault {
    match error {
        SigmaParserError::UnknownModifier(name) => {
            Fault::new("modifier-unknown", format!("the modifier `{name}` is not known"))
        }
        other => Fault::new("modifier-unknown", other.to_string()),
    }
}

/// Joins the tests of an item: any value, with `all` each; `neq`: not so.
fn join(spec: &FieldSpec, tests: Vec<Vec<Test>>, leaves: &mut Vec<Leaf>) -> Result<Node, Fault> {
    let field = field(spec);
    if matches!(field, Field::Keywords { .. }) && tests.iter().flatten().any(needs_field) {
        return Err(Fault::new("modifier-misused", "this needs the name of a field before the `|`"));
    }
    if leaves.len() + tests.len() > NODES_MAX {
        return Err(Fault::new("too-complex", "the rule has too many values"));
    }
    let mut leaf = |tests| {
        leaves.push(Leaf { field: field.clone(), tests });
        Node::Leaf(leaves.len() - 1)
    };
    let node = if spec.has_modifier(Modifier::All) && tests.len() > 1 {
        Node::And(tests.into_iter().map(&mut leaf).collect())
    } else {
        leaf(tests.into_iter().flatten().collect())
    };
    Ok(if spec.has_modifier(Modifier::Neq) { Node::Not(Box::new(node)) } else { node })
}

fn needs_field(test: &Test) -> bool {
    matches!(test, Test::Exists(_) | Test::Reference(Reference { .. }) | Test::Compare(_))
}

fn field(spec: &FieldSpec) -> Field {
    match &spec.name {
        Some(name) => Field::Named(vec![name.clone()]),
        None => Field::Keywords {
            at_start: spec.has_modifier(Modifier::StartsWith),
            at_end: spec.has_modifier(Modifier::EndsWith),
        },
    }
}
