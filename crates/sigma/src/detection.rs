//! What a rule asks: leaves (one field, some tests) under a condition. Checked
//! once, here; both matchers start from it.
//!
//! # Not here
//! YAML, modifiers (they are applied), log sources.

use regex::Regex;
use std::fmt;
use std::net::IpAddr;

/// Rules that would grow beyond this many nodes are not loaded.
pub(crate) const NODES_MAX: usize = 100_000;

/// The detection of one rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detection {
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) condition: Node,
    /// The detections that conditions name, as they were written; only told of, never matched.
    pub(crate) named: Vec<(String, Node)>,
}

/// A condition over the leaves of a [`Detection`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// Index of a leaf.
    Leaf(usize),
}

impl Default for Node {
    /// The condition that always holds.
    fn default() -> Self {
        Node::And(Vec::new())
    }
}

/// One field and what it may hold: the leaf holds when any test does.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) field: Field,
    pub(crate) tests: Vec<Test>,
}

/// Where a leaf looks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Field {
    /// The slots that answer to any of these names.
    Named(Vec<String>),
    /// Web logs: `cs-uri-stem`, and `?` and `cs-uri-query` where there is a query.
    StemAndQuery,
    /// All string slots. A keyword may stand anywhere in a slot's text unless
    /// it is bound to its start or its end.
    Keywords {
        /// `startswith` was given.
        at_start: bool,
        /// `endswith` was given.
        at_end: bool,
    },
}

/// What one value is asked.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Text(Pattern),
    Number(Number),
    Bool(bool),
    Null,
    Exists(bool),
    Regex(Expression),
    Cidr(Cidr),
    Compare(Comparison),
    Reference(Reference),
}

/// Text with wildcards.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Pattern {
    pub(crate) parts: Vec<Part>,
    pub(crate) cased: bool,
}

/// One part of a [`Pattern`]; two texts never follow each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Text(String),
    /// `*`
    Any,
    /// `?`
    One,
}

/// A number as rule and record may hold it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Number::Int(number) => number as f64,
            Number::Float(number) => number,
        }
    }

    /// Whole floats become integers, so that 3.0 and 3 are one number.
    pub(crate) fn normal(self) -> Self {
        match self {
            Number::Float(f) if f.fract() == 0.0 && f.abs() < 9.0e15 => Number::Int(f as i64),
            other => other,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(number) => write!(f, "{number}"),
            Number::Float(number) => write!(f, "{number}"),
        }
    }
}

/// A regular expression and how it was written.
#[derive(Clone)]
pub(crate) struct Expression {
    pub(crate) source: String,
    /// The flags given as modifiers: some of `i`, `m`, `s`.
    pub(crate) flags: String,
    pub(crate) regex: Regex,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.regex.as_str(), self.flags)
    }
}

/// A network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cidr {
    pub(crate) network: IpAddr,
    pub(crate) bits: u8,
}

impl Cidr {
    /// Whether `address` lies in the network; IPv4 written as IPv6 is IPv4.
    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        let (own, other, width) = match (self.network, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits().into(), other.to_bits().into(), 32u32),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128u32),
            _ => return false,
        };
        let shift = width.saturating_sub(u32::from(self.bits));
        // Shifting by the whole width is no shift to Rust; /0 holds everything.
        shift >= width || (own ^ other) >> shift == 0u128
    }
}

/// A comparison of numbers, or of a part of a time with a number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Comparison {
    pub(crate) part: Option<TimePart>,
    pub(crate) operator: Operator,
    pub(crate) number: Number,
}

/// How a [`Comparison`] compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operator {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    pub(crate) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Operator::Equal => left == right,
            Operator::Less => left < right,
            Operator::LessOrEqual => left <= right,
            Operator::Greater => left > right,
            Operator::GreaterOrEqual => left >= right,
        }
    }
}

/// A part of a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TimePart {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// The value of another field; `start`/`end`: it stands at the start/end of
/// this one, both: anywhere in it, none: it is equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reference {
    pub(crate) names: Vec<String>,
    pub(crate) start: bool,
    pub(crate) end: bool,
    pub(crate) cased: bool,
}
