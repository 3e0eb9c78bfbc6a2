//! Records that come close to what rules ask.
//!
//! A record aims at one rule: it is of one of its logs, and each of its leaves
//! may get a slot whose value holds one of the leaf's tests, as it is or spoilt
//! a little. Other slots are made without regard to any rule.

use super::grammar::{FIELDS, PIECES};
use crate::detection::{Cidr, Comparison, Field, Leaf, Number, Operator, Part, Pattern, Test};
use crate::logsource::Source;
use crate::rule::Rule;
use model::{LogFamily, Role, Shape, Slot, Timestamp, Value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use regex_syntax::hir::{Class, Hir, HirKind};
use std::net::IpAddr;

/// How a record is made, once the rules are known.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    rule: Index,
    source: Index,
    /// For each leaf of the rule, in order.
    leaves: Vec<Option<Aim>>,
    others: Vec<(&'static str, Own)>,
    /// It is of another log.
    elsewhere: Option<(LogFamily, &'static str, u64)>,
    fold_case: bool,
}

/// A value that holds one of a leaf's tests.
#[derive(Clone, Debug)]
struct Aim {
    test: Index,
    name: Index,
    /// What stands for wildcards.
    filling: &'static str,
    /// What stands around the text, where anything may.
    before: &'static str,
    after: &'static str,
    turned: bool,
    form: Form,
    /// The slot is there twice, the other one first.
    twice: Option<Own>,
}

/// As what the value stands in its slot.
#[derive(Clone, Copy, Debug)]
enum Form {
    Utf8,
    Utf16,
    /// UTF-16 with half a unit behind it.
    Ragged,
    Literal,
    List,
    Typed,
}

/// A value that owns what it says.
#[derive(Clone, Debug)]
pub(super) enum Own {
    Absent,
    Empty,
    Literal(String),
    Utf8(String),
    Utf16(Vec<u8>),
    Int(i64),
    UInt(u64),
    Hex(u64),
    Float(f64),
    Bool(bool),
    Guid,
    Sid,
    Time,
    Binary(Vec<u8>),
    List(Vec<Own>),
}

/// A record that owns its values.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) shape: Shape,
    pub(super) values: Vec<Own>,
}

const TIME: &str = "2021-03-04T20:09:00Z";
const TEXTS: &[&str] = &[
    "10.1.2.3",
    "::ffff:10.1.2.3",
    "2001:db8::1",
    "",
    TIME,
    "1.50",
    "0x1",
    "DeleteKey",
    "sshd",
    "true",
    " 12 ",
];

pub(super) fn records() -> impl Strategy<Value = Vec<Draft>> {
    vec(draft(), 1..6)
}

fn draft() -> impl Strategy<Value = Draft> {
    let elsewhere = select(vec![
        (LogFamily::WindowsEvents, "Security", 4688),
        (LogFamily::WindowsEvents, "Microsoft-Windows-Sysmon/Operational", 12),
        (LogFamily::WindowsEvents, "Other", 1),
        (LogFamily::WebServer, "iis", 0),
        (LogFamily::WebServer, "ncsa", 0),
        (LogFamily::Exchange, "httpproxy", 0),
        (LogFamily::Linux, "auditd", 0),
        (LogFamily::Other, "csv", 0),
    ]);
    let leaves = vec(option::weighted(0.85, aim()), 0..12);
    let others = vec((select(FIELDS), own()), 0..3);
    (any::<Index>(), any::<Index>(), leaves, others, option::weighted(0.15, elsewhere), any::<bool>())
        .prop_map(|(rule, source, leaves, others, elsewhere, fold_case)| Draft {
            rule,
            source,
            leaves,
            others,
            elsewhere,
            fold_case,
        })
}

fn aim() -> impl Strategy<Value = Aim> {
    let filling = select(vec!["", "a", "Ä", "ab", "\u{1d49c}", "-"]);
    let around = || select(vec!["", "", "a", "b", " ", "ä", "\n"]);
    let form = select(vec![Form::Utf8, Form::Utf16, Form::Ragged, Form::Literal, Form::List, Form::Typed]);
    let turned = prop::bool::weighted(0.3);
    (any::<Index>(), any::<Index>(), filling, around(), around(), turned, form, option::weighted(0.15, own()))
        .prop_map(|(test, name, filling, before, after, turned, form, twice)| Aim {
            test,
            name,
            filling,
            before,
            after,
            turned,
            form,
            twice,
        })
}

/// Any value.
fn own() -> impl Strategy<Value = Own> {
    let text = || vec(select(PIECES), 0..4).prop_map(|pieces| pieces.concat());
    let one = prop_oneof![
        1 => Just(Own::Absent),
        1 => Just(Own::Empty),
        1 => text().prop_map(Own::Literal),
        3 => text().prop_map(Own::Utf8),
        2 => select(TEXTS).prop_map(|text| Own::Utf8(text.to_owned())),
        2 => text().prop_map(|text| Own::Utf16(utf16(&text))),
        // Half of a surrogate pair.
        1 => text().prop_map(|text| Own::Utf16([utf16(&text), vec![0x3d, 0xd8], utf16("a")].concat())),
        1 => select(vec![-1, 0, 12]).prop_map(Own::Int),
        1 => select(vec![1, 12, 4688, u64::MAX]).prop_map(Own::UInt),
        1 => select(vec![1, 18]).prop_map(Own::Hex),
        1 => select(vec![1.5, 12.0, f64::NAN, -0.0]).prop_map(Own::Float),
        1 => any::<bool>().prop_map(Own::Bool),
        1 => Just(Own::Guid),
        1 => Just(Own::Sid),
        1 => Just(Own::Time),
        1 => Just(Own::Binary(vec![1, 0xab])),
    ];
    one.prop_recursive(2, 6, 3, |inner| vec(inner, 0..3).prop_map(Own::List))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

impl Draft {
    /// The record, for rules that were loaded.
    pub(super) fn make(&self, rules: &[Rule]) -> Made {
        let mut slots: Vec<(String, Own)> = Vec::new();
        let rule = (!rules.is_empty()).then(|| self.rule.get(rules));
        let source = rule.filter(|rule| !rule.sources.is_empty()).map(|rule| self.source.get(&rule.sources));
        if let (Some(rule), Some(source)) = (rule, source) {
            slots.extend(
                source
                    .only
                    .map(|(field, texts)| (field.to_owned(), Own::Utf8(self.source.get(texts).to_string()))),
            );
            for (leaf, aim) in rule.detection.leaves.iter().zip(&self.leaves) {
                if let Some(aim) = aim {
                    aim.add(leaf, source, &mut slots);
                }
            }
        }
        slots.extend(self.others.iter().map(|(name, own)| ((*name).to_owned(), own.clone())));
        let (mut family, mut log, mut channel, mut event) = (LogFamily::WindowsEvents, "iis", "Security", 1);
        if let Some(source) = source {
            (family, log) = (source.family, source.log.as_str());
            channel = source.channels.first().copied().unwrap_or(channel);
            event = source.event_ids.first().map_or(event, |id| id.unsigned_abs());
        }
        if let Some(elsewhere) = self.elsewhere {
            (family, log, channel, event) = (elsewhere.0, elsewhere.1, elsewhere.1, elsewhere.2);
        }
        let fold_case = match family {
            LogFamily::WindowsEvents | LogFamily::Linux | LogFamily::Artifacts => false,
            LogFamily::Other => self.fold_case,
            _ => true,
        };
        let is_windows = family == LogFamily::WindowsEvents;
        if is_windows {
            slots.push(("Channel".into(), Own::Literal(channel.to_owned())));
            if !slots.iter().any(|(name, _)| name == "EventID") {
                slots.push(("EventID".into(), Own::UInt(event)));
            }
        }
        let named = slots.iter().map(|(name, own)| slot(name, own)).collect();
        let mut shape = Shape::new(family, if is_windows { "" } else { log }, named, fold_case);
        let place = |wanted: &str| slots.iter().position(|(name, _)| name == wanted);
        for (role, name) in [(Role::Channel, "Channel"), (Role::EventId, "EventID")] {
            if let Some(place) = place(name).filter(|_| is_windows) {
                shape = shape.with_role(role, place);
            }
        }
        Made { shape, values: slots.into_iter().map(|(_, own)| own).collect() }
    }
}

fn slot(name: &str, own: &Own) -> Slot {
    let mut slot = Slot::new(if name == "TwoWords" { "Two Words" } else { name });
    if let Own::Literal(text) = own {
        slot.literal = Some(text.as_str().into());
    }
    slot
}

impl Aim {
    fn add(&self, leaf: &Leaf, source: &Source, slots: &mut Vec<(String, Own)>) {
        let stem_and_query = ["cs-uri-stem".to_owned(), "cs-uri-query".to_owned()];
        let names: &[String] = match &leaf.field {
            Field::Named(names) => names,
            Field::StemAndQuery => &stem_and_query,
            Field::Keywords { .. } => &["A".to_owned(), "Message".to_owned()],
        };
        let names = source.names_of(names);
        if names.is_empty() || leaf.tests.is_empty() {
            return;
        }
        let name = (*self.name.get(&names)).to_owned();
        slots.extend(self.twice.clone().map(|own| (name.clone(), own)));
        let test = self.test.get(&leaf.tests);
        if let Test::Reference(reference) = test {
            let text = "aB".to_owned();
            let around = format!("{}{text}{}", self.before, self.after);
            slots.extend(reference.names.first().map(|other| (other.clone(), Own::Utf8(text))));
            slots.push((name, self.formed(around)));
            return;
        }
        slots.push((name, self.value(test)));
    }

    fn value(&self, test: &Test) -> Own {
        match test {
            Test::Text(pattern) => self.formed(self.text(pattern)),
            Test::Number(number) => self.number(number.to_f64(), *number),
            Test::Bool(truth) => match self.form {
                Form::Typed => Own::Bool(*truth),
                _ => self.formed(truth.to_string().to_uppercase()),
            },
            Test::Null => {
                if self.turned {
                    Own::Empty
                } else {
                    Own::Absent
                }
            }
            Test::Exists(true) => {
                if self.turned {
                    Own::Empty
                } else {
                    Own::Utf8(self.filling.to_owned())
                }
            }
            Test::Exists(false) => Own::Absent,
            Test::Regex(expression) => {
                let hir = regex_syntax::Parser::new().parse(expression.regex.as_str());
                let mut text = self.before.to_owned();
                hir.iter().for_each(|hir| sample(hir, &mut text));
                text.push_str(self.after);
                self.formed(text)
            }
            Test::Cidr(cidr) => self.formed(self.address(cidr)),
            Test::Compare(compare) => self.compared(compare),
            Test::Reference(_) => Own::Absent,
        }
    }

    /// Text that fits the pattern; at its ends, where anything may stand, what stands around it.
    fn text(&self, pattern: &Pattern) -> String {
        let mut out = String::new();
        let last = pattern.parts.len().saturating_sub(1);
        for (index, part) in pattern.parts.iter().enumerate() {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Any if index == 0 => out.push_str(self.before),
                Part::Any if index == last => out.push_str(self.after),
                Part::Any => out.push_str(self.filling),
                Part::One => out.push(self.filling.chars().next().unwrap_or('x')),
            }
        }
        let turned: String = out
            .chars()
            .flat_map(|c| {
                if c.is_lowercase() {
                    c.to_uppercase().collect::<Vec<_>>()
                } else {
                    c.to_lowercase().collect()
                }
            })
            .collect();
        if self.turned { turned } else { out }
    }

    fn number(&self, float: f64, number: Number) -> Own {
        match (self.form, number) {
            (Form::Typed, Number::Int(number)) if self.turned => {
                u64::try_from(number).map_or(Own::Int(number), Own::Hex)
            }
            (Form::Typed, Number::Int(number)) => u64::try_from(number).map_or(Own::Int(number), Own::UInt),
            (Form::Typed, Number::Float(number)) => Own::Float(number),
            (_, Number::Int(number)) if self.turned && number >= 0 => self.formed(format!("0x{number:X}")),
            _ if self.turned => self.formed(format!("{float}.0")),
            _ => self.formed(format!("{number}")),
        }
    }

    fn address(&self, cidr: &Cidr) -> String {
        let bits = |width: u32| {
            u128::from(self.turned) & (u128::MAX >> (128 - (width - u32::from(cidr.bits)).max(1)))
        };
        match cidr.network {
            IpAddr::V4(own) if cidr.bits == 32 => own.to_string(),
            IpAddr::V4(own) => {
                let own = std::net::Ipv4Addr::from_bits(own.to_bits() | bits(32) as u32);
                if self.turned { format!("::FFFF:{own}") } else { own.to_string() }
            }
            IpAddr::V6(own) if cidr.bits == 128 => own.to_string().to_uppercase(),
            IpAddr::V6(own) => std::net::Ipv6Addr::from_bits(own.to_bits() | bits(128)).to_string(),
        }
    }

    fn compared(&self, compare: &Comparison) -> Own {
        if compare.part.is_some() {
            // The grammar asks for parts of this time, and for others.
            return if self.turned { Own::Time } else { self.formed(TIME.to_owned()) };
        }
        let by = match compare.operator {
            Operator::Less | Operator::Greater if self.turned => 0.0,
            Operator::Less | Operator::LessOrEqual => -1.0,
            _ => 1.0,
        };
        let float = compare.number.to_f64() + by;
        self.number(float, Number::Float(float).normal())
    }

    fn formed(&self, text: String) -> Own {
        match self.form {
            Form::Utf8 | Form::Typed => Own::Utf8(text),
            Form::Utf16 => Own::Utf16(utf16(&text)),
            Form::Ragged => Own::Utf16([utf16(&text), vec![0x61]].concat()),
            Form::Literal => Own::Literal(text),
            Form::List => Own::List(vec![Own::UInt(7), Own::List(Vec::new()), Own::Utf8(text), Own::Absent]),
        }
    }
}

impl Own {
    /// The same bytes as a value of another kind.
    pub(super) fn alike(&self) -> Self {
        match self {
            Own::Int(number) => Own::Hex(number.cast_unsigned()),
            Own::UInt(number) => Own::Hex(*number),
            Own::Hex(number) => Own::UInt(*number),
            Own::Utf8(text) => Own::Utf16(text.clone().into_bytes()),
            Own::Utf16(bytes) => Own::Utf8(String::from_utf8_lossy(bytes).into_owned()),
            other => other.clone(),
        }
    }
}

/// Text that the expression finds, anchors and borders aside.
fn sample(hir: &Hir, out: &mut String) {
    match hir.kind() {
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => out.extend(class.iter().last().map(|range| range.start())),
        HirKind::Class(Class::Bytes(class)) => {
            out.extend(class.iter().last().map(|range| char::from(range.start())))
        }
        HirKind::Repetition(repetition) => {
            (0..repetition.min.max(1)).for_each(|_| sample(&repetition.sub, out))
        }
        HirKind::Capture(capture) => sample(&capture.sub, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| sample(part, out)),
        HirKind::Alternation(parts) => parts.iter().take(1).for_each(|part| sample(part, out)),
        HirKind::Empty | HirKind::Look(_) => {}
    }
}

/// Calls `show` with the values, which borrow from what owns them.
pub(super) fn with_values<R>(own: &[Own], show: impl FnOnce(&[Value<'_>]) -> R) -> R {
    // A list may hold lists: those at the bottom are made first.
    let lists: Vec<Vec<Value<'_>>> = own
        .iter()
        .map(|own| match own {
            Own::List(values) => values.iter().map(flat).collect(),
            _ => Vec::new(),
        })
        .collect();
    let values: Vec<Value<'_>> = own
        .iter()
        .zip(&lists)
        .map(|(own, list)| match own {
            Own::List(_) => Value::List(list),
            own => flat(own),
        })
        .collect();
    show(&values)
}

/// A value; a list within a list is an empty one, or one of two values.
fn flat(own: &Own) -> Value<'_> {
    const INNER: &[Value<'_>] = &[Value::Utf8("ab"), Value::Empty];
    match own {
        Own::Absent => Value::Absent,
        Own::Empty => Value::Empty,
        Own::Literal(_) => Value::Literal,
        Own::Utf8(text) => Value::Utf8(text),
        Own::Utf16(bytes) => Value::Utf16(bytes),
        Own::Int(number) => Value::Int(*number),
        Own::UInt(number) => Value::UInt(*number),
        Own::Hex(number) => Value::Hex(*number),
        Own::Float(number) => Value::Float(*number),
        Own::Bool(truth) => Value::Bool(*truth),
        Own::Guid => Value::Guid(&[0x11; 16]),
        Own::Sid => Value::Sid(&[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]),
        Own::Time => Timestamp::parse(TIME).map_or(Value::Empty, Value::Time),
        Own::Binary(bytes) => Value::Binary(bytes),
        Own::List(values) if values.is_empty() => Value::List(&[]),
        Own::List(_) => Value::List(INNER),
    }
}
