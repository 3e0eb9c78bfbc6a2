//! The naive matcher: one rule, one record, straight from the specification.
//!
//! It is the oracle of [`crate::Engine`]: it shares with it the rule as
//! parsed and the rendering of values, nothing that is compiled for speed.
//! It also tells which slots made a rule match.
//!
//! # Not here
//! Speed.

use crate::detection::{Detection, Field, Leaf, Node, Number, Part, Pattern, Reference, Test, TimePart};
use crate::logsource::Source;
use crate::rule::Rule;
use crate::text::fold_char;
use model::{Record, Role, Timestamp, Value};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Whether `rule` matches `record`.
pub fn matches(rule: &Rule, record: &Record<'_>) -> bool {
    let view = |source: &Source| admits(source, record) && holds(&rule.detection, &View { source, record });
    rule.sources.iter().any(view)
}

/// Whether the record is of this log source.
pub(crate) fn admits(source: &Source, record: &Record<'_>) -> bool {
    let shape = record.shape;
    let event_id = || event_id(&record.role(Role::EventId));
    let channel = || {
        let channel = record.role(Role::Channel).to_text();
        source.channels.iter().any(|own| own.eq_ignore_ascii_case(&channel))
    };
    shape.family == source.family
        && (source.log.is_empty() || *source.log == *shape.log)
        && (source.event_ids.is_empty() || event_id().is_some_and(|id| source.event_ids.contains(&id)))
        && (source.channels.is_empty() || channel())
        && source.only.is_none_or(|(field, texts)| {
            let values = values_of(record, &[field]);
            values
                .iter()
                .any(|(_, value)| texts.iter().any(|text| text.eq_ignore_ascii_case(&value.to_text())))
        })
}

/// What a rule's fields are called in the records of one of its log sources;
/// for other evaluators.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a>(&'a Source);

impl<'a> Names<'a> {
    /// One for each log source of `rule` that `record` is of.
    pub fn admitting(rule: &'a Rule, record: &Record<'_>) -> Vec<Self> {
        rule.sources.iter().filter(|source| admits(source, record)).map(Self).collect()
    }

    /// The names of slots that answer for a field of the rule.
    pub fn of<'n>(&'n self, field: &'n str) -> impl Iterator<Item = &'n str> {
        self.0.name_of(field)
    }
}

/// The slots, in order, that a matching rule's own words met: those of leaves
/// that hold and that no `not` stands above.
pub fn matched_slots(rule: &Rule, record: &Record<'_>) -> BTreeSet<usize> {
    let mut slots = BTreeSet::new();
    for source in rule.sources.iter().filter(|source| admits(source, record)) {
        let view = View { source, record };
        if !holds(&rule.detection, &view) {
            continue;
        }
        view.collect(&rule.detection, &rule.detection.condition, &mut slots);
    }
    slots
}

/// A record as one log source names it.
pub(crate) struct View<'a> {
    pub(crate) source: &'a Source,
    pub(crate) record: &'a Record<'a>,
}

fn holds(detection: &Detection, view: &View<'_>) -> bool {
    view.node(detection, &detection.condition)
}

impl View<'_> {
    pub(crate) fn node(&self, detection: &Detection, node: &Node) -> bool {
        match node {
            Node::And(parts) => parts.iter().all(|part| self.node(detection, part)),
            Node::Or(parts) => parts.iter().any(|part| self.node(detection, part)),
            Node::Not(part) => !self.node(detection, part),
            Node::Leaf(leaf) => self.leaf(&detection.leaves[*leaf]),
        }
    }

    fn collect(&self, detection: &Detection, node: &Node, slots: &mut BTreeSet<usize>) {
        match node {
            Node::Not(_) => {}
            Node::And(parts) | Node::Or(parts) => {
                for part in parts.iter().filter(|part| self.node(detection, part)) {
                    self.collect(detection, part, slots);
                }
            }
            Node::Leaf(leaf) => self.collect_leaf(&detection.leaves[*leaf], slots),
        }
    }

    fn leaf(&self, leaf: &Leaf) -> bool {
        let values = self.values(&leaf.field);
        leaf.tests.iter().any(|test| match test {
            Test::Exists(wanted) => *wanted != values.is_empty(),
            Test::Null if !is_keyword(&leaf.field) && values.is_empty() => true,
            test => values.iter().any(|(_, value)| self.test(test, value, &leaf.field)),
        })
    }

    /// The values that a leaf looks at: field, text, and whether one of its tests holds.
    pub(crate) fn tested_values(&self, leaf: &Leaf) -> Vec<(String, String, bool)> {
        let values = self.values(&leaf.field).into_iter();
        values
            .map(|(slot, value)| {
                let name = slot.and_then(|slot| self.record.shape.slots.get(slot));
                let name = name.map_or("cs-uri-stem?cs-uri-query", |slot| &slot.name).to_owned();
                let met = leaf.tests.iter().any(|test| match test {
                    Test::Exists(wanted) => *wanted,
                    test => self.test(test, &value, &leaf.field),
                });
                (name, value.text, met)
            })
            .collect()
    }

    fn collect_leaf(&self, leaf: &Leaf, slots: &mut BTreeSet<usize>) {
        for (slot, value) in self.values(&leaf.field) {
            let met = |test: &Test| match test {
                Test::Exists(wanted) => *wanted,
                test => self.test(test, &value, &leaf.field),
            };
            if leaf.tests.iter().any(met) {
                slots.extend(slot);
                if leaf.field == Field::StemAndQuery {
                    let parts = ["cs-uri-stem", "cs-uri-query"];
                    slots.extend(parts.iter().filter_map(|name| self.record.shape.slot(name)));
                }
            }
        }
    }

    /// The present values of a field, lists taken apart, each with its slot.
    fn values(&self, field: &Field) -> Vec<(Option<usize>, Rendered<'_>)> {
        let values = match field {
            Field::Named(names) => values_of(self.record, &self.source.names_of(names)),
            Field::StemAndQuery => {
                let text = self.stem_and_query().into_iter();
                return text.map(|text| (None, Rendered::new(text, Value::Utf8("")))).collect();
            }
            Field::Keywords { .. } => {
                let mut values = Vec::new();
                for slot in 0..self.record.shape.slots.len() {
                    let mut flat = Vec::new();
                    flatten(self.record.value(slot), &mut flat);
                    flat.retain(|value| matches!(value, Value::Utf8(_) | Value::Utf16(_)));
                    values.extend(flat.into_iter().map(|value| (slot, value)));
                }
                values
            }
        };
        values.into_iter().map(|(slot, value)| (Some(slot), Rendered::new(value.to_text(), value))).collect()
    }

    /// `stem?query`, or the stem alone where there is no query.
    fn stem_and_query(&self) -> Option<String> {
        let stem = self.record.field("cs-uri-stem");
        let query = self.record.field("cs-uri-query");
        if !stem.is_present() && !query.is_present() {
            return None;
        }
        let (mut text, query) = (stem.to_text(), query.to_text());
        if !query.is_empty() {
            if stem.is_present() {
                text.push('?');
            }
            text.push_str(&query);
        }
        Some(text)
    }

    fn test(&self, test: &Test, own: &Rendered<'_>, field: &Field) -> bool {
        let text = own.text.as_str();
        if let Field::Keywords { at_start, at_end } = field {
            return keyword(test, own, *at_start, *at_end);
        }
        match test {
            Test::Text(pattern) => fits(pattern, own),
            Test::Number(number) => number_of(&own.value()).is_some_and(|own| same_number(own, *number)),
            Test::Bool(truth) => text.eq_ignore_ascii_case(if *truth { "true" } else { "false" }),
            Test::Null => text.is_empty(),
            Test::Exists(wanted) => *wanted,
            Test::Regex(expression) => expression.regex.is_match(text),
            Test::Cidr(cidr) => text.parse::<IpAddr>().is_ok_and(|address| cidr.holds(address)),
            Test::Compare(compare) => {
                let own = match compare.part {
                    None => number_of(&own.value()).map(Number::to_f64),
                    Some(part) => time_of(&own.value()).map(|time| part_of(part, time)),
                };
                own.is_some_and(|own| compare.operator.holds(own, compare.number.to_f64()))
            }
            Test::Reference(reference) => self.reference(reference, text),
        }
    }

    fn reference(&self, reference: &Reference, text: &str) -> bool {
        let fold = |text: &str| -> String {
            if reference.cased { text.to_owned() } else { text.chars().map(fold_char).collect() }
        };
        let text = fold(text);
        let names = self.source.names_of(&reference.names);
        values_of(self.record, &names).iter().any(|(_, other)| {
            let other = fold(&other.to_text());
            match (reference.start, reference.end) {
                (true, true) => text.contains(&other),
                (true, false) => text.starts_with(&other),
                (false, true) => text.ends_with(&other),
                (false, false) => text == other,
            }
        })
    }
}

/// A value and its text, as written and folded.
struct Rendered<'a> {
    value: Value<'a>,
    text: String,
    raw: Vec<char>,
    folded: Vec<char>,
}

impl<'a> Rendered<'a> {
    fn new(text: String, value: Value<'a>) -> Self {
        let raw: Vec<char> = text.chars().collect();
        Self { value, folded: raw.iter().copied().map(fold_char).collect(), raw, text }
    }

    /// The value; text that was put together is its own value.
    fn value(&self) -> Value<'_> {
        match self.value {
            Value::Utf8(_) => Value::Utf8(&self.text),
            other => other,
        }
    }
}

fn is_keyword(field: &Field) -> bool {
    matches!(field, Field::Keywords { .. })
}

fn values_of<'a>(record: &Record<'a>, names: &[&str]) -> Vec<(usize, Value<'a>)> {
    let mut out = Vec::new();
    for (index, slot) in record.shape.slots.iter().enumerate() {
        if names.iter().any(|name| slot.answers(name, record.shape.fold_case)) {
            let mut values = Vec::new();
            flatten(record.value(index), &mut values);
            out.extend(values.into_iter().map(|value| (index, value)));
        }
    }
    out
}

/// The present values of a slot; a list without values is an empty one.
fn flatten<'a>(value: Value<'a>, out: &mut Vec<Value<'a>>) {
    match value {
        Value::Absent => {}
        Value::List([]) => out.push(Value::Empty),
        Value::List(values) => values.iter().for_each(|value| flatten(*value, out)),
        value => out.push(value),
    }
}

/// A keyword stands anywhere in the text unless bound to an end of it.
fn keyword(test: &Test, own: &Rendered<'_>, at_start: bool, at_end: bool) -> bool {
    let anywhere = |mut pattern: Pattern| {
        if !at_start {
            pattern.parts.insert(0, Part::Any);
        }
        if !at_end {
            pattern.parts.push(Part::Any);
        }
        fits(&pattern, own)
    };
    let literal = |text: String| Pattern { parts: vec![Part::Text(text)], cased: false };
    match test {
        Test::Text(pattern) => anywhere(pattern.clone()),
        Test::Number(number) => anywhere(literal(number.to_string())),
        Test::Bool(truth) => anywhere(literal(truth.to_string())),
        Test::Regex(expression) => expression.regex.is_match(&own.text),
        Test::Cidr(cidr) => own.text.parse::<IpAddr>().is_ok_and(|address| cidr.holds(address)),
        Test::Null | Test::Exists(_) | Test::Compare(_) | Test::Reference(_) => false,
    }
}

/// One place of a pattern, for one character.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Exactly(char),
    One,
    Any,
}

/// Whether all of the text fits the pattern: character by character; where it
/// does not, the last `*` takes one character more.
fn fits(pattern: &Pattern, own: &Rendered<'_>) -> bool {
    let text = if pattern.cased { &own.raw } else { &own.folded };
    let mut wanted = Vec::new();
    for part in &pattern.parts {
        match part {
            Part::Text(text) if pattern.cased => wanted.extend(text.chars().map(Wanted::Exactly)),
            Part::Text(text) => wanted.extend(text.chars().map(fold_char).map(Wanted::Exactly)),
            Part::One => wanted.push(Wanted::One),
            Part::Any => wanted.push(Wanted::Any),
        }
    }
    let (mut at, mut place) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while at < text.len() {
        match wanted.get(place) {
            Some(Wanted::Any) => {
                again = Some((at, place));
                place += 1;
            }
            Some(next) if *next == Wanted::One || *next == Wanted::Exactly(text[at]) => {
                (at, place) = (at + 1, place + 1);
            }
            _ => match again {
                Some((from, any)) => {
                    again = Some((from + 1, any));
                    (at, place) = (from + 1, any + 1);
                }
                None => return false,
            },
        }
    }
    wanted[place..].iter().all(|wanted| *wanted == Wanted::Any)
}

/// An EventID as a whole number.
pub(crate) fn event_id(value: &Value<'_>) -> Option<i64> {
    match number_of(value) {
        Some(Number::Int(number)) => Some(number),
        _ => None,
    }
}

/// The value as a number: a whole one where it is (also `0x` text), else a
/// decimal fraction. Text of ordinary length is read without a copy.
pub(crate) fn number_of(value: &Value<'_>) -> Option<Number> {
    match value {
        Value::Int(number) => Some(Number::Int(*number)),
        Value::UInt(number) | Value::Hex(number) => {
            Some(i64::try_from(*number).map_or(Number::Float(*number as f64), Number::Int))
        }
        Value::Float(number) => Some(Number::Float(*number).normal()),
        Value::Utf8(text) => number_of_text(text),
        Value::Utf16(bytes) => {
            let mut ascii = [0u8; 64];
            let units = bytes.chunks_exact(2);
            if units.len() > ascii.len() || units.clone().any(|unit| unit[1] != 0 || unit[0] >= 0x80) {
                return number_of_text(&value.to_text());
            }
            let length = units.len();
            ascii.iter_mut().zip(units).for_each(|(own, unit)| *own = unit[0]);
            std::str::from_utf8(&ascii[..length]).ok().and_then(number_of_text)
        }
        _ => None,
    }
}

fn number_of_text(text: &str) -> Option<Number> {
    let text = text.trim();
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok().map(Number::Int);
    }
    if let Ok(number) = text.parse() {
        return Some(Number::Int(number));
    }
    // `1e5` and `-inf` are words to whoever writes logs.
    let decimal = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.'));
    let number: f64 = decimal.then(|| text.parse().ok()).flatten()?;
    Some(Number::Float(number).normal())
}

pub(crate) fn same_number(left: Number, right: Number) -> bool {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => left == right,
        (left, right) => left.to_f64() == right.to_f64(),
    }
}

pub(crate) fn time_of(value: &Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Time(time) => Some(*time),
        Value::Utf8(_) | Value::Utf16(_) => Timestamp::parse(value.to_text().trim()),
        _ => None,
    }
}

pub(crate) fn part_of(part: TimePart, time: Timestamp) -> f64 {
    let (year, month, day, hour, minute, ..) = time.civil();
    match part {
        TimePart::Minute => f64::from(minute),
        TimePart::Hour => f64::from(hour),
        TimePart::Day => f64::from(day),
        TimePart::Week => f64::from(time.iso_week()),
        TimePart::Month => f64::from(month),
        TimePart::Year => f64::from(year),
    }
}
