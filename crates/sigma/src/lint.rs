//! What is odd about a rule that loads.
//!
//! # Not here
//! What keeps a rule from running as written: that is said when it is loaded.

use crate::condition;
use crate::diagnostic::Fault;
use crate::draft::{Draft, Item};
use crate::rule::{Rule, scalar, texts};
use std::collections::BTreeSet;
use yaml_serde::{Mapping, Value};

/// Sigma's words for `status`.
const STATUSES: &[&str] = &["stable", "test", "experimental", "deprecated", "unsupported"];
/// Namespaces of tags, by the specification's appendix on tags; the last is ours.
const NAMESPACES: &[&str] = &["attack", "car", "cve", "d3fend", "detection", "stp", "tlp", "assay"];

/// All that is odd about a document of a rule; `rule` where it is no correlation.
pub(crate) fn document(content: &Mapping, rule: Option<&Rule>) -> Vec<Fault> {
    let mut faults = Vec::new();
    status(content, &mut faults);
    dates(content, &mut faults);
    tags(content, &mut faults);
    if let Some(rule) = rule {
        log_source(rule, &mut faults);
        if let Some(draft) =
            content.get("detection").and_then(|section| Draft::read(section, &mut Vec::new()).ok())
        {
            unused(&draft, &mut faults);
            wildcards(&draft, &mut faults);
        }
    }
    faults
}

fn status(content: &Mapping, faults: &mut Vec<Fault>) {
    let Some(status) = content.get("status") else { return };
    if !status.as_str().is_some_and(|status| STATUSES.contains(&status)) {
        let shown = scalar(status).unwrap_or_default();
        faults.push(
            Fault::new("status-unknown", format!("the status `{shown}` is not known"))
                .near("status")
                .help(STATUSES.join(", ")),
        );
    }
}

fn dates(content: &Mapping, faults: &mut Vec<Fault>) {
    for key in ["date", "modified"] {
        let Some(date) = content.get(key) else { continue };
        let shown = scalar(date).unwrap_or_default();
        if !is_date(&shown) {
            let fault = Fault::new("date-invalid", format!("`{key}` is `{shown}`, which is no date"));
            faults.push(fault.near(key).help("YYYY-MM-DD"));
        }
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |text: &str, length: usize| {
        (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    match (number(year, 4), number(month, 2), number(day, 2)) {
        (Some(year), Some(month), Some(day)) => {
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days: u32 = match month {
                2 => 28 + u32::from(is_leap),
                4 | 6 | 9 | 11 => 30,
                1..=12 => 31,
                _ => 0,
            };
            (1..=days).contains(&day)
        }
        _ => false,
    }
}

fn tags(content: &Mapping, faults: &mut Vec<Fault>) {
    for tag in texts(content, "tags") {
        let is_known = tag.split_once('.').is_some_and(|(space, name)| {
            !name.is_empty() && NAMESPACES.iter().any(|own| own.eq_ignore_ascii_case(space))
        });
        if !is_known {
            let message = format!("the tag `{tag}` is in no namespace that is known");
            let help = format!("{}, each with a `.` and a name", NAMESPACES.join(", "));
            faults.push(Fault::new("tag-unknown", message).near(tag).near("tags").help(help));
        }
    }
}

fn log_source(rule: &Rule, faults: &mut Vec<Fault>) {
    if rule.sources.is_empty() {
        let message = format!("no log that is read here is of its log source ({})", rule.logsource);
        faults.push(
            Fault::new("logsource-unmet", message).near("logsource").help(
                "the rule can never match; a pipeline with `change_logsource` may say which log is meant",
            ),
        );
    }
}

fn unused(draft: &Draft, faults: &mut Vec<Fault>) {
    let names: Vec<&str> = draft.named.iter().map(|(name, _)| name.as_str()).collect();
    let used: Option<Vec<Vec<&str>>> =
        draft.conditions.iter().map(|text| condition::used(text, &names)).collect();
    let Some(used) = used else { return };
    let used: BTreeSet<&str> = used.into_iter().flatten().collect();
    for name in names.into_iter().filter(|name| !used.contains(name)) {
        faults.push(
            Fault::new("selection-unused", format!("no condition asks for `{name}`"))
                .near(name)
                .near("detection")
                .help("name it in the condition, or take it out"),
        );
    }
}

fn wildcards(draft: &Draft, faults: &mut Vec<Fault>) {
    let is_wild =
        |value: &Value| value.as_str().is_some_and(|text| !text.is_empty() && text.chars().all(|c| c == '*'));
    for (name, tree) in &draft.named {
        tree.each(&mut |item: &Item| {
            if item.values.iter().any(is_wild) && !item.modifiers.contains(&rsigma_parser::Modifier::Re) {
                faults.push(
                    Fault::new(
                        "wildcard-only",
                        "the value is a wildcard only: any value holds, an empty one too",
                    )
                    .near(item.key.as_str())
                    .near(name.as_str())
                    .near("detection")
                    .help("`|exists: true` says that the field must be there"),
                );
            }
        });
    }
}
