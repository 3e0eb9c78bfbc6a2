//! A correlation from its document.
//!
//! # Not here
//! Which rules it refers to; running it.

use super::{Correlation, Input, InputSource};
use crate::detection::Operator;
use crate::diagnostic::Fault;
use crate::rule::{check_version, parse_level, scalar, techniques, text, texts};
use rsigma_parser::{ConditionExpr, parse_condition};
use std::collections::BTreeMap;
use yaml_serde::{Mapping, Value};

/// Rules that one correlation refers to.
const RULES_MAX: usize = 100;
const TIMESPAN_DAYS_MAX: i64 = 36_500;

/// What is asked of the events of a timespan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    EventCount,
    ValueCount,
    Temporal,
    TemporalOrdered,
    ValueSum,
    ValueAvg,
    ValuePercentile,
}

const KINDS: [Kind; 7] = [
    Kind::EventCount,
    Kind::ValueCount,
    Kind::Temporal,
    Kind::TemporalOrdered,
    Kind::ValueSum,
    Kind::ValueAvg,
    Kind::ValuePercentile,
];

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Kind::EventCount => "event_count",
            Kind::ValueCount => "value_count",
            Kind::Temporal => "temporal",
            Kind::TemporalOrdered => "temporal_ordered",
            Kind::ValueSum => "value_sum",
            Kind::ValueAvg => "value_avg",
            Kind::ValuePercentile => "value_percentile",
        }
    }

    fn takes_field(self) -> bool {
        matches!(self, Kind::ValueCount | Kind::ValueSum | Kind::ValueAvg | Kind::ValuePercentile)
    }
}

/// When a correlation holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    /// All of them hold of the measure; none: all rules were seen.
    pub(crate) bounds: Vec<(Bound, f64)>,
    /// Over the rules that were seen, by their names as written.
    pub(crate) expression: Option<ConditionExpr>,
    pub(crate) fields: Vec<String>,
    pub(crate) percentile: Option<f64>,
}

/// How a measure is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bound {
    Is(Operator),
    IsNot,
}

impl Bound {
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Bound::Is(Operator::Equal) => "=",
            Bound::Is(Operator::Less) => "<",
            Bound::Is(Operator::LessOrEqual) => "≤",
            Bound::Is(Operator::Greater) => ">",
            Bound::Is(Operator::GreaterOrEqual) => "≥",
            Bound::IsNot => "≠",
        }
    }

    pub(crate) fn holds(self, measure: f64, number: f64) -> bool {
        match self {
            Bound::Is(operator) => operator.holds(measure, number),
            Bound::IsNot => measure != number,
        }
    }
}

fn invalid(message: impl Into<String>, near: &str) -> Fault {
    Fault::new("correlation-invalid", message).near(near)
}

/// Reads a correlation document; its rules are not resolved yet.
///
/// # Errors
/// The first fault that keeps it from meaning what it says.
pub(crate) fn correlation(content: &Mapping, faults: &mut Vec<Fault>) -> Result<Correlation, Fault> {
    let title = text(content, "title").ok_or_else(|| Fault::new("title-missing", "the rule has no title"))?;
    check_version(content)?;
    let Some(Value::Mapping(section)) = content.get("correlation") else {
        return Err(invalid("`correlation` is no mapping", "correlation"));
    };
    let kind = kind(section)?;
    let inputs = inputs(section)?;
    let condition = condition(section, kind, &inputs)?;
    let generate = content.get("generate").or_else(|| section.get("generate"));
    let generate = generate.map_or(Some(false), Value::as_bool);
    let generate = generate.ok_or_else(|| invalid("`generate` is neither true nor false", "generate"))?;
    let tags = texts(content, "tags");
    Ok(Correlation {
        id: text(content, "id").unwrap_or_default(),
        title,
        name: text(content, "name"),
        level: parse_level(content, faults),
        techniques: techniques(&tags),
        tags,
        file: String::new(),
        stands_alone: true,
        group_by: list(section, "group-by")?,
        timespan: timespan(section)?,
        aliases: aliases(section)?,
        inputs,
        kind,
        condition,
        generate,
    })
}

fn kind(section: &Mapping) -> Result<Kind, Fault> {
    let written =
        text(section, "type").ok_or_else(|| invalid("the correlation has no `type`", "correlation"))?;
    KINDS.into_iter().find(|kind| kind.as_str() == written).ok_or_else(|| {
        invalid(format!("the correlation type `{written}` is not known"), "type")
            .help(KINDS.map(Kind::as_str).join(", "))
    })
}

/// A text, or a list of texts; missing is none.
fn list(section: &Mapping, key: &str) -> Result<Vec<String>, Fault> {
    let read = match section.get(key) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Sequence(list)) => list.iter().map(scalar).collect(),
        Some(one) => scalar(one).map(|one| vec![one]),
    };
    read.ok_or_else(|| invalid(format!("`{key}` is no list of texts"), key))
}

fn inputs(section: &Mapping) -> Result<Vec<Input>, Fault> {
    let named = list(section, "rules")?;
    if named.is_empty() {
        return Err(invalid("the correlation refers to no `rules`", "correlation"));
    }
    if named.len() > RULES_MAX {
        let message = format!("the correlation refers to more than {RULES_MAX} rules");
        return Err(Fault::new("too-complex", message).near("rules"));
    }
    for (index, name) in named.iter().enumerate() {
        if named[..index].contains(name) {
            return Err(invalid(format!("the rule `{name}` is named twice"), "rules"));
        }
    }
    Ok(named.into_iter().map(|named| Input { named, source: InputSource::Rule(usize::MAX) }).collect())
}

/// A number and a letter, in nanoseconds.
fn timespan(section: &Mapping) -> Result<i64, Fault> {
    let written = section
        .get("timespan")
        .and_then(scalar)
        .ok_or_else(|| invalid("the correlation has no `timespan`", "correlation"))?;
    let written = written.trim();
    let seconds = written.char_indices().last().and_then(|(at, letter)| {
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return None,
        };
        written[..at].parse::<u32>().ok().and_then(|number| i64::from(number).checked_mul(unit))
    });
    match seconds {
        Some(seconds) if seconds > 0 && seconds <= TIMESPAN_DAYS_MAX * 86_400 => Ok(seconds * 1_000_000_000),
        _ => Err(invalid(format!("the timespan `{written}` is not known"), "timespan")
            .help("a number and a letter: s, m, h, d (w is understood, too)")),
    }
}

fn aliases(section: &Mapping) -> Result<BTreeMap<String, BTreeMap<String, String>>, Fault> {
    let fault = || invalid("`aliases` maps names to mappings of rules to fields", "aliases");
    let aliases = match section.get("aliases") {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Mapping(aliases)) => aliases,
        Some(_) => return Err(fault()),
    };
    let one = |(alias, by_rule): (&Value, &Value)| {
        let by_rule = by_rule.as_mapping()?;
        let fields: Option<_> =
            by_rule.iter().map(|(rule, field)| Some((scalar(rule)?, scalar(field)?))).collect();
        Some((scalar(alias)?, fields?))
    };
    aliases.iter().map(|entry| one(entry).ok_or_else(fault)).collect()
}

fn condition(section: &Mapping, kind: Kind, inputs: &[Input]) -> Result<Condition, Fault> {
    let is_temporal = matches!(kind, Kind::Temporal | Kind::TemporalOrdered);
    match section.get("condition") {
        None | Some(Value::Null) if is_temporal => Ok(Condition::default()),
        None | Some(Value::Null) => {
            Err(invalid(format!("`{}` needs a `condition`", kind.as_str()), "correlation"))
        }
        Some(Value::String(text)) if kind == Kind::Temporal => {
            Ok(Condition { expression: Some(expression(text, inputs)?), ..Condition::default() })
        }
        Some(Value::Mapping(condition)) => comparison(condition, kind),
        Some(_) => Err(invalid(format!("the `condition` of `{}` is a mapping", kind.as_str()), "condition")),
    }
}

/// `rule_a and not rule_b`.
fn expression(text: &str, inputs: &[Input]) -> Result<ConditionExpr, Fault> {
    crate::condition::check_depth(text)?;
    let fault = |why: String| invalid(format!("the condition `{text}` cannot be read: {why}"), "condition");
    let expression =
        parse_condition(text).map_err(|_| fault("names, `and`, `or`, `not`, parentheses".into()))?;
    let known = |name: &str| inputs.iter().any(|input| input.named == name);
    crate::pipeline::check_names(&expression, &known)
        .map_err(|name| fault(format!("`{name}` is none of its `rules`")))?;
    Ok(expression)
}

fn comparison(condition: &Mapping, kind: Kind) -> Result<Condition, Fault> {
    let mut read = Condition::default();
    for (key, value) in condition {
        let key = scalar(key).unwrap_or_default();
        let bound = match key.as_str() {
            "gt" => Bound::Is(Operator::Greater),
            "gte" => Bound::Is(Operator::GreaterOrEqual),
            "lt" => Bound::Is(Operator::Less),
            "lte" => Bound::Is(Operator::LessOrEqual),
            "eq" => Bound::Is(Operator::Equal),
            "neq" => Bound::IsNot,
            "field" if kind.takes_field() => continue,
            "percentile" if kind == Kind::ValuePercentile => {
                let percent = value.as_f64().filter(|percent| (0.0..=100.0).contains(percent));
                let fault = || invalid("`percentile` is no number from 0 to 100", "percentile");
                read.percentile = Some(percent.ok_or_else(fault)?);
                continue;
            }
            other => {
                let message = format!("`{}` takes no `{other}` in its condition", kind.as_str());
                return Err(invalid(message, other).help("gt, gte, lt, lte, eq, neq; `field` for values"));
            }
        };
        let number = value.as_f64().filter(|number| number.is_finite());
        read.bounds.push((bound, number.ok_or_else(|| invalid(format!("`{key}` wants a number"), &key))?));
    }
    if read.bounds.is_empty() {
        return Err(
            invalid("the condition compares with nothing", "condition").help("gt, gte, lt, lte, eq, neq")
        );
    }
    read.fields = list(condition, "field")?;
    if kind.takes_field() && read.fields.is_empty() {
        return Err(invalid(format!("`{}` needs a `field` in its condition", kind.as_str()), "condition"));
    }
    if kind != Kind::ValueCount && read.fields.len() > 1 {
        return Err(invalid(format!("`{}` takes one `field`", kind.as_str()), "field"));
    }
    Ok(read)
}
