//! Correlations: what several matches together show, over time.
//!
//! A [`Correlation`] is read from its document, then resolved against the
//! rules that were loaded ([`resolve`]). A [`Runner`] takes the matches of its
//! rules as [`Event`]s, in the order of their times, and gives [`Hit`]s. It
//! holds the events of one timespan, no more.
//!
//! # Where the specification leaves a choice
//! - `gt` and `gte` ask, at each event, for the timespan before it; while the
//!   answer stays yes it is one hit. What more events can undo (`lt`, `lte`,
//!   `eq`, `neq`, a `not`) and `value_percentile` ask for whole timespans: one
//!   begins with the group's first event behind the one before.
//! - Two events exactly one timespan apart are within it. Events of one time
//!   are in order.
//! - An event without a value for a `group-by` field, or for the condition's
//!   field, does not count. Texts are compared as rules compare them, folded.
//! - `value_percentile` without `percentile`: the share, in percent, that the
//!   events of one value have among all; with it: that percentile of the
//!   numbers (nearest rank).
//!
//! # Not here
//! Where events come from; what hits mean.

mod measure;
mod read;
pub(crate) mod resolve;
mod run;
mod watch;

pub(crate) use read::correlation as read;
pub use run::{Event, Hit, Mark, Runner};
pub use watch::{Seen, Window};

use crate::rule::Rule;
use model::Level;
use read::{Condition, Kind};
use std::collections::BTreeMap;

/// A correlation rule, resolved.
#[derive(Clone, Debug)]
pub struct Correlation {
    /// Its id; for one without, the first 16 hex digits of SHA-256 of the document.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its `name`, by which other correlations may call it.
    pub name: Option<String>,
    /// Its level; one without is informational.
    pub level: Level,
    /// Its tags, as written.
    pub tags: Vec<String>,
    /// ATT&CK techniques among the tags, upper case, sorted.
    pub techniques: Vec<String>,
    /// The file it came from, as it was named to [`crate::load`].
    pub file: String,
    /// Whether its hits are findings of their own; see [`Rule::stands_alone`].
    pub stands_alone: bool,
    /// What it correlates.
    pub inputs: Vec<Input>,
    /// Its `group-by`, as written.
    pub group_by: Vec<String>,
    pub(crate) kind: Kind,
    pub(crate) condition: Condition,
    /// In nanoseconds.
    pub(crate) timespan: i64,
    /// Alias → rule as written → field.
    pub(crate) aliases: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) generate: bool,
}

/// A rule that a correlation refers to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// Its id or name, as written.
    pub named: String,
    /// Which it is.
    pub source: InputSource,
}

/// Index of a rule, or of a correlation that stands before this one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum InputSource {
    /// Among [`crate::Loaded::rules`].
    Rule(usize),
    /// Among [`crate::Loaded::correlations`].
    Correlation(usize),
}

/// What the fields of a correlation are called in the records of one rule:
/// for each of its fields the names that may stand for it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FieldNames {
    /// Of `group-by`.
    pub group: Vec<Vec<String>>,
    /// Of the condition's `field`.
    pub values: Vec<Vec<String>>,
}

impl Correlation {
    /// The names of its fields in records of `rule`, which it meets by the input `input`.
    pub fn field_names(&self, input: usize, rule: &Rule) -> FieldNames {
        let named = self.inputs.get(input).map_or("", |input| &input.named);
        let names = |field: &String| {
            let alias = self.aliases.get(field).and_then(|by_rule| by_rule.get(named));
            rule.record_names(alias.unwrap_or(field))
        };
        FieldNames {
            group: self.group_by.iter().map(names).collect(),
            values: self.condition.fields.iter().map(names).collect(),
        }
    }

    /// Whether its rules are to be seen together in time; other kinds count.
    pub fn is_temporal(&self) -> bool {
        matches!(self.kind, Kind::Temporal | Kind::TemporalOrdered)
    }

    /// Its kind, in Sigma's word.
    pub fn kind(&self) -> &'static str {
        self.kind.as_str()
    }

    /// What it wants of the events of one group, in words: `number of events ≥ 10, within 10 min`.
    pub fn wants(&self) -> String {
        let Condition { bounds, expression, fields, percentile } = &self.condition;
        let counted = match (self.kind, percentile) {
            (Kind::EventCount, _) => "number of events".to_owned(),
            (Kind::ValueCount, _) => format!("number of values of {}", fields.join(", ")),
            (Kind::Temporal, _) => "number of rules seen".to_owned(),
            (Kind::TemporalOrdered, _) => "number of rules seen in their order".to_owned(),
            (Kind::ValueSum, _) => format!("sum of {}", fields.join(", ")),
            (Kind::ValueAvg, _) => format!("average of {}", fields.join(", ")),
            (Kind::ValuePercentile, None) => format!("share of one {} in percent", fields.join(", ")),
            (Kind::ValuePercentile, Some(percent)) => {
                format!("percentile {percent} of {}", fields.join(", "))
            }
        };
        let bounds: Vec<String> =
            bounds.iter().map(|(bound, number)| format!("{} {number}", bound.sign())).collect();
        let wanted = match (expression, bounds.as_slice()) {
            (Some(_), _) => "as the condition says".to_owned(),
            (None, []) => format!("= {} (all)", self.inputs.len()),
            (None, bounds) => bounds.join(" and "),
        };
        let seconds = self.timespan / 1_000_000_000;
        let (number, unit) = [(86_400, "d"), (3_600, "h"), (60, "min")]
            .into_iter()
            .find(|(length, _)| seconds % length == 0)
            .map_or((seconds, "s"), |(length, unit)| (seconds / length, unit));
        format!("{counted} {wanted}, within {number} {unit}")
    }

    /// All names of fields that it uses.
    pub(crate) fn all_fields(&self) -> impl Iterator<Item = &String> {
        let aliased = self.aliases.values().flat_map(BTreeMap::values);
        self.group_by.iter().chain(&self.condition.fields).chain(aliased)
    }
}

#[cfg(test)]
mod tests;
