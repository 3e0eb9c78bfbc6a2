//! Which rules correlations refer to: by id or name, rules or correlations.
//!
//! # Not here
//! Reading either.

use super::{Correlation, InputSource};
use crate::diagnostic::{Fault, Place};
use crate::rule::Rule;
use std::collections::{BTreeMap, BTreeSet};

/// A correlation and where it stands, until all rules are known.
pub(crate) struct Placed {
    pub(crate) correlation: Correlation,
    pub(crate) file: String,
    pub(crate) place: Option<Place>,
    pub(crate) label: Option<String>,
}

/// Correlations, each behind those that it refers to, and those that cannot
/// run, with the reason.
pub(crate) fn resolve(rules: &mut [Rule], placed: Vec<Placed>) -> (Vec<Correlation>, Vec<(Placed, Fault)>) {
    let mut known: BTreeMap<String, InputSource> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        for name in std::iter::once(&rule.id).chain(&rule.name) {
            known.entry(name.clone()).or_insert(InputSource::Rule(index));
        }
    }
    let mut open = placed;
    let mut done: Vec<Correlation> = Vec::new();
    loop {
        let (ready, waiting): (Vec<Placed>, Vec<Placed>) = open
            .into_iter()
            .partition(|own| own.correlation.inputs.iter().all(|input| known.contains_key(&input.named)));
        open = waiting;
        if ready.is_empty() {
            break;
        }
        for Placed { mut correlation, .. } in ready {
            for input in &mut correlation.inputs {
                input.source = known[&input.named];
            }
            for name in std::iter::once(&correlation.id).chain(&correlation.name) {
                known.entry(name.clone()).or_insert(InputSource::Correlation(done.len()));
            }
            done.push(correlation);
        }
    }
    let failed = failures(open, &known);
    settle(rules, &mut done);
    (done, failed)
}

fn failures(open: Vec<Placed>, known: &BTreeMap<String, InputSource>) -> Vec<(Placed, Fault)> {
    let names = |own: &Placed| [Some(own.correlation.id.clone()), own.correlation.name.clone()];
    let left: BTreeSet<String> = open.iter().flat_map(names).flatten().collect();
    let fault = |own: &Placed| {
        let mut missing = own.correlation.inputs.iter().map(|input| &input.named);
        let missing: Vec<&String> = missing.by_ref().filter(|name| !known.contains_key(*name)).collect();
        match missing.iter().find(|name| !left.contains(**name)) {
            Some(name) => Fault::new(
                "correlation-unknown-rule",
                format!(
                    "the correlation refers to `{name}`, which is no id or name of a rule that was loaded"
                ),
            )
            .near(name.as_str())
            .help("load the rule, too; `name` or `id` calls it"),
            None => {
                let name = missing.first().map_or("", |name| name);
                let message =
                    format!("the correlation needs `{name}`, which needs it in turn or cannot run itself");
                Fault::new("correlation-cycle", message).near(name)
            }
        }
    };
    open.into_iter()
        .map(|own| {
            let fault = fault(&own);
            (own, fault)
        })
        .collect()
}

/// Says which rules stand for themselves, and which fields their findings keep.
fn settle(rules: &mut [Rule], correlations: &mut [Correlation]) {
    let mut generated: BTreeMap<InputSource, bool> = BTreeMap::new();
    for correlation in correlations.iter() {
        for input in &correlation.inputs {
            *generated.entry(input.source).or_default() |= correlation.generate;
        }
    }
    for (source, generate) in generated {
        match source {
            // Answers rest on rules that carry a step.
            InputSource::Rule(index) => {
                let rule = &mut rules[index];
                rule.stands_alone = generate || rule.tags.iter().any(|tag| tag.starts_with("assay."));
            }
            InputSource::Correlation(index) => correlations[index].stands_alone = generate,
        }
    }
    for index in 0..correlations.len() {
        for input in 0..correlations[index].inputs.len() {
            for rule in base_rules(correlations, correlations[index].inputs[input].source) {
                let names = correlations[index].field_names(input, &rules[rule]);
                for name in names.group.into_iter().chain(names.values).flatten() {
                    if !rules[rule].fields.contains(&name) {
                        rules[rule].fields.push(name);
                    }
                }
            }
        }
    }
}

/// The rules that a source comes down to.
pub(crate) fn base_rules(correlations: &[Correlation], source: InputSource) -> BTreeSet<usize> {
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![source];
    while let Some(source) = open.pop() {
        match source {
            InputSource::Rule(index) => drop(found.insert(index)),
            InputSource::Correlation(index) if seen.insert(index) => {
                open.extend(correlations[index].inputs.iter().map(|input| input.source));
            }
            InputSource::Correlation(_) => {}
        }
    }
    found
}
