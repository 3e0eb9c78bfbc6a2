//! Why a rule matches a record, or does not, item by item. Asked of the naive
//! matcher, so that it says what the specification says.
//!
//! # Not here
//! Drawing it.

use crate::detection::{Comparison, Detection, Field, Leaf, Node, Operator, Part, Pattern, Test, TimePart};
use crate::logsource::Source;
use crate::naive::{View, admits};
use crate::rule::Rule;
use model::Record;
use std::fmt::Write as _;

/// Values of a record, and values of a rule, that are shown of one item.
const SHOWN_MAX: usize = 20;

/// What a rule says of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// Whether it matches.
    pub matches: bool,
    /// The logs that the rule applies to, and whether the record is of each.
    pub log_sources: Vec<(String, bool)>,
    /// Each named detection.
    pub detections: Vec<Step>,
    /// The condition over them.
    pub condition: Step,
}

/// A part of a rule, and whether it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What it asks (`all of`, `not`, the name of a detection, `Image: *\cmd.exe`).
    pub what: String,
    /// Whether it holds for the record.
    pub holds: bool,
    /// Of an item: the record's values, field and text, and whether the item holds for each; none: the
    /// record has no such field.
    pub values: Option<Vec<(String, String, bool)>>,
    /// What it is made of.
    pub parts: Vec<Step>,
}

/// Explains `rule` on `record`: under the log source by which it matches, else under one that the
/// record is of, else under the rule's first, as if it were.
pub fn explain(rule: &Rule, record: &Record<'_>) -> Explanation {
    let log_sources = rule.sources.iter().map(|source| (describe(source), admits(source, record))).collect();
    let of_record = || rule.sources.iter().filter(|source| admits(source, record));
    let detection = &rule.detection;
    let matching = of_record().find(|source| View { source, record }.node(detection, &detection.condition));
    let any = Source::default();
    let source = matching.or_else(|| of_record().next()).or_else(|| rule.sources.first()).unwrap_or(&any);
    let view = View { source, record };
    let named = |(name, node): &(String, Node)| Step {
        what: name.clone(),
        holds: view.node(detection, node),
        values: None,
        parts: vec![step(&view, detection, node, &[])],
    };
    Explanation {
        matches: matching.is_some(),
        log_sources,
        detections: detection.named.iter().map(named).collect(),
        condition: step(&view, detection, &detection.condition, &detection.named),
    }
}

fn step(view: &View<'_>, detection: &Detection, node: &Node, named: &[(String, Node)]) -> Step {
    let holds = view.node(detection, node);
    let plain = |what: &str, parts: Vec<Step>| Step { what: what.to_owned(), holds, values: None, parts };
    if let Some((name, _)) = named.iter().find(|(_, own)| own == node) {
        return plain(name, Vec::new());
    }
    let all = |parts: &[Node]| parts.iter().map(|part| step(view, detection, part, named)).collect();
    match node {
        Node::And(parts) => plain("all of", all(parts)),
        Node::Or(parts) => plain("any of", all(parts)),
        Node::Not(part) => plain("not", vec![step(view, detection, part, named)]),
        Node::Leaf(leaf) => leaf_step(view, &detection.leaves[*leaf], holds),
    }
}

fn leaf_step(view: &View<'_>, leaf: &Leaf, holds: bool) -> Step {
    let mut what = match &leaf.field {
        Field::Named(names) => view.source.names_of(names).join(" or "),
        Field::StemAndQuery => "cs-uri-stem?cs-uri-query".to_owned(),
        Field::Keywords { .. } => "any text".to_owned(),
    };
    what.push_str(": ");
    for (index, test) in leaf.tests.iter().take(SHOWN_MAX).enumerate() {
        what.push_str(if index > 0 { " | " } else { "" });
        write_test(test, &mut what);
    }
    if leaf.tests.len() > SHOWN_MAX {
        let _ = write!(what, " | … {} more", leaf.tests.len() - SHOWN_MAX);
    }
    let mut values = view.tested_values(leaf);
    if matches!(leaf.field, Field::Keywords { .. }) {
        // Of all texts of the record those that hold say enough.
        values.retain(|(_, _, holds)| *holds);
    }
    values.truncate(SHOWN_MAX);
    Step { what, holds, values: Some(values), parts: Vec::new() }
}

fn describe(source: &Source) -> String {
    let mut text = format!("{:?}", source.family);
    if !source.log.is_empty() {
        let _ = write!(text, ", log {}", source.log);
    }
    if !source.channels.is_empty() {
        let _ = write!(text, ", channel {}", source.channels.join(" or "));
    }
    if !source.event_ids.is_empty() {
        let ids: Vec<String> = source.event_ids.iter().map(ToString::to_string).collect();
        let _ = write!(text, ", EventID {}", ids.join(" or "));
    }
    if let Some((field, texts)) = source.only {
        let _ = write!(text, ", {field} {}", texts.join(" or "));
    }
    text
}

fn write_test(test: &Test, out: &mut String) {
    // Writing into a `String` cannot fail.
    let _ = match test {
        Test::Text(pattern) => {
            write_pattern(pattern, out);
            Ok(())
        }
        Test::Number(number) => write!(out, "{number}"),
        Test::Bool(truth) => write!(out, "{truth}"),
        Test::Null => write!(out, "null"),
        Test::Exists(wanted) => write!(out, "{}", if *wanted { "is there" } else { "is not there" }),
        Test::Regex(expression) => write!(out, "/{}/{}", expression.source, expression.flags),
        Test::Cidr(cidr) => write!(out, "in {}/{}", cidr.network, cidr.bits),
        Test::Compare(compare) => write!(out, "{}", comparison(compare)),
        Test::Reference(reference) => write!(out, "the value of {}", reference.names.join(" or ")),
    };
}

fn comparison(compare: &Comparison) -> String {
    let operator = match compare.operator {
        Operator::Equal => "=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
    };
    let part = match compare.part {
        None => "",
        Some(TimePart::Minute) => "minute ",
        Some(TimePart::Hour) => "hour ",
        Some(TimePart::Day) => "day ",
        Some(TimePart::Week) => "week ",
        Some(TimePart::Month) => "month ",
        Some(TimePart::Year) => "year ",
    };
    format!("{part}{operator} {}", compare.number)
}

/// As a rule would write it: what is no wildcard is escaped.
fn write_pattern(pattern: &Pattern, out: &mut String) {
    if pattern.parts.is_empty() {
        out.push_str("''");
    }
    for part in &pattern.parts {
        match part {
            Part::Any => out.push('*'),
            Part::One => out.push('?'),
            Part::Text(text) => {
                for c in text.chars() {
                    if matches!(c, '*' | '?') {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
    }
    if pattern.cased {
        out.push_str(" (as written)");
    }
}
