//! One rule: what its document says, checked once.
//!
//! # Not here
//! Which records it applies to ([`crate::logsource`]), how it is matched.

use crate::condition;
use crate::detection::{Detection, Field, Leaf, NODES_MAX, Node, Reference, Test};
use crate::diagnostic::Fault;
use crate::draft::{Draft, Item, Tree};
use crate::load::LoadOptions;
use crate::logsource::{self, LogSource, Source};
use crate::modifier;
use crate::pipeline::Target;
use model::Level;
use rsigma_parser::{Modifier, SigmaValue};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Its log source, as written; where a pipeline changed it, as changed.
    pub logsource: LogSource,
    /// Whether its matches are findings of their own. Those of a rule that correlations refer to, none
    /// with `generate`, are only their grounds.
    pub stands_alone: bool,
    /// Names of fields that correlations use, and what its records call them.
    pub(crate) correlated: BTreeMap<String, Vec<String>>,
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
    /// Reads a rule from its document; `faults` takes what keeps it from meaning what it says, but for the
    /// last one, and what does not.
    ///
    /// # Errors
    /// The last such fault.
    pub(crate) fn parse(
        content: &Mapping,
        options: &LoadOptions,
        correlated: &BTreeSet<String>,
        faults: &mut Vec<Fault>,
    ) -> Result<Self, Fault> {
        let title =
            text(content, "title").ok_or_else(|| Fault::new("title-missing", "the rule has no title"))?;
        check_version(content)?;
        let level = parse_level(content, faults);
        let section = content
            .get("detection")
            .ok_or_else(|| Fault::new("detection-missing", "the rule has no `detection`"))?;
        let draft = whole_draft(section, options, faults);
        let mut target = Target::new(parse_logsource(content)?, draft?);
        target.tags = texts(content, "tags");
        target.fields = texts(content, "fields");
        target.attributes = attributes(content);
        target.correlated = correlated.iter().map(|name| (name.clone(), vec![name.clone()])).collect();
        let Target { logsource, draft, tags, fields, correlated, .. } = piped(target, options)?;
        let mut detection = build(&draft, &options.placeholders, faults)?;
        logsource::place_paths(&logsource, &mut detection);
        Ok(Self {
            id: text(content, "id").unwrap_or_default(),
            title,
            name: text(content, "name"),
            level,
            techniques: techniques(&tags),
            tags,
            fields,
            file: String::new(),
            sources: logsource::sources(&logsource),
            logsource,
            stands_alone: true,
            correlated,
            detection,
        })
    }

    /// What records of its logs call a field that correlations use.
    pub(crate) fn record_names(&self, field: &str) -> Vec<String> {
        let own = [field.to_owned()];
        let named = self.correlated.get(field).map_or(own.as_slice(), Vec::as_slice);
        let mut names: Vec<String> = Vec::new();
        for name in self.sources.iter().flat_map(|source| source.names_of(named)) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        if names.is_empty() { named.to_vec() } else { names }
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
    /// Reads a filter from its document, as [`Rule::parse`] does.
    ///
    /// # Errors
    /// It has no filter section, or one that is no detection.
    pub(crate) fn parse(
        content: &Mapping,
        options: &LoadOptions,
        faults: &mut Vec<Fault>,
    ) -> Result<Self, Fault> {
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
        let draft = whole_draft(&Value::Mapping(section), options, faults);
        let mut target = Target::new(parse_logsource(content)?, draft?);
        target.attributes = attributes(content);
        let Target { logsource, draft, .. } = piped(target, options)?;
        let mut detection = build(&draft, &options.placeholders, faults)?;
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

/// A scalar as text, empty ones too.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
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

pub(crate) fn texts(content: &Mapping, key: &str) -> Vec<String> {
    match content.get(key) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Sequence(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

pub(crate) fn check_version(content: &Mapping) -> Result<(), Fault> {
    let major = content.get("sigma-version").map(rsigma_parser::version::major_from_value);
    match major {
        None | Some(Some(1 | 2)) => Ok(()),
        _ => Err(Fault::new("version-unsupported", "the rule asks for another version of Sigma than 2")
            .near("sigma-version")),
    }
}

pub(crate) fn parse_level(content: &Mapping, faults: &mut Vec<Fault>) -> Level {
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
pub(crate) fn techniques(tags: &[String]) -> Vec<String> {
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
    Ok(LogSource::read(logsource))
}

/// The target as the pipelines leave it; those for rules in the names of ECS come first.
fn piped(mut target: Target, options: &LoadOptions) -> Result<Target, Fault> {
    if target.attributes.get("taxonomy").is_some_and(|taxonomy| taxonomy.eq_ignore_ascii_case("ecs")) {
        crate::pipeline::ecs().apply(&mut target)?;
    }
    options.pipelines.apply(&mut target)?;
    Ok(target)
}

/// The scalars at the top of a document, as texts.
fn attributes(content: &Mapping) -> BTreeMap<String, String> {
    content.iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), scalar(value)?))).collect()
}

/// The draft of a section; one with faults is looked at further, as it is written, for all that is
/// wrong: who mends a rule wants to hear it at once.
fn whole_draft(section: &Value, options: &LoadOptions, faults: &mut Vec<Fault>) -> Result<Draft, Fault> {
    let mut own = Vec::new();
    let draft = Draft::read(section, &mut own)?;
    if own.is_empty() {
        return Ok(draft);
    }
    own.extend(build(&draft, &options.placeholders, faults).err());
    faults.append(&mut own);
    faults.pop().map_or(Ok(draft), Err)
}

/// The detection that a draft means; `faults` takes those in it, but for the last.
///
/// # Errors
/// The last fault in it.
fn build(draft: &Draft, placeholders: &Placeholders, faults: &mut Vec<Fault>) -> Result<Detection, Fault> {
    let mut detection = Detection::default();
    let mut named = Vec::with_capacity(draft.named.len());
    let mut own = Vec::new();
    for (name, tree) in &draft.named {
        let mut within = Vec::new();
        let node = build_tree(tree, placeholders, &mut detection.leaves, &mut within);
        own.extend(within.into_iter().map(|fault| fault.near(name.clone())));
        named.push((name.clone(), node));
    }
    let mut nodes = Vec::with_capacity(draft.conditions.len());
    for text in &draft.conditions {
        match condition::parse(text, &named) {
            Ok(node) => nodes.push(node),
            Err(fault) => own.push(fault),
        }
    }
    if let Some(last) = own.pop() {
        faults.append(&mut own);
        return Err(last);
    }
    detection.condition = if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) };
    detection.named = named;
    Ok(detection)
}

/// The node of a tree; an item with a fault is none.
fn build_tree(
    tree: &Tree,
    placeholders: &Placeholders,
    leaves: &mut Vec<Leaf>,
    faults: &mut Vec<Fault>,
) -> Node {
    let mut all = |parts: &[Tree]| -> Vec<Node> {
        parts.iter().map(|part| build_tree(part, placeholders, leaves, faults)).collect()
    };
    match tree {
        Tree::All(parts) => {
            let mut nodes = all(parts);
            if nodes.len() == 1 { nodes.remove(0) } else { Node::And(nodes) }
        }
        Tree::Any(parts) => Node::Or(all(parts)),
        Tree::Item(item) => build_item(item, placeholders, leaves).unwrap_or_else(|fault| {
            faults.push(match &*item.key {
                "" => fault,
                key => fault.near(key),
            });
            Node::Or(Vec::new())
        }),
    }
}

/// One item: any of its fields, `neq`: none of them.
fn build_item(item: &Item, placeholders: &Placeholders, leaves: &mut Vec<Leaf>) -> Result<Node, Fault> {
    let mut tests = Vec::with_capacity(item.values.len());
    for value in &item.values {
        tests.push(modifier::apply(&SigmaValue::from_yaml(value), &item.modifiers, placeholders)?);
    }
    if item.is_empty_list {
        // An empty list stands for no value at all, whatever the modifiers.
        tests.push(modifier::apply(&SigmaValue::Null, &[], placeholders)?);
    }
    let mut nodes = Vec::with_capacity(item.fields.len());
    for field in fields(item) {
        nodes.push(join(item, field, tests.clone(), leaves)?);
    }
    let node = if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) };
    Ok(if item.has(Modifier::Neq) { Node::Not(Box::new(node)) } else { node })
}

/// Joins the tests of an item: any value, with `all` each.
fn join(item: &Item, field: Field, tests: Vec<Vec<Test>>, leaves: &mut Vec<Leaf>) -> Result<Node, Fault> {
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
    Ok(if item.has(Modifier::All) && tests.len() > 1 {
        Node::And(tests.into_iter().map(&mut leaf).collect())
    } else {
        leaf(tests.into_iter().flatten().collect())
    })
}

fn needs_field(test: &Test) -> bool {
    matches!(test, Test::Exists(_) | Test::Reference(Reference { .. }) | Test::Compare(_))
}

fn fields(item: &Item) -> Vec<Field> {
    if item.fields.is_empty() {
        let keywords = Field::Keywords {
            at_start: item.has(Modifier::StartsWith),
            at_end: item.has(Modifier::EndsWith),
        };
        return vec![keywords];
    }
    if item.has(Modifier::All) {
        return item.fields.iter().map(|name| Field::Named(vec![name.clone()])).collect();
    }
    // Together, so that `null` and `exists: false` mean: under none of its names.
    vec![Field::Named(item.fields.clone())]
}
