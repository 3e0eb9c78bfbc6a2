//! Indicators as single values, for exits that know no patterns.

use crate::facts::Observable;
use crate::{Export, intrusion_label};
use model::Span;
use std::collections::BTreeMap;

/// A value that others can look for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndicatorValue {
    /// `address`, `sha256`, `domain`, … as `assay scan --indicators` names them.
    pub kind: String,
    /// The value.
    pub value: String,
    /// When it was seen.
    pub span: Span,
    /// In how many findings.
    pub findings: u64,
    /// What it is, in words of ours.
    pub about: String,
}

/// Values by kind and value; what several groups tell of one is joined.
pub fn values(export: &Export<'_>) -> Vec<IndicatorValue> {
    let mut values: BTreeMap<(String, String), IndicatorValue> = BTreeMap::new();
    let mut add = |kind: &str, value: &str, span: Span, findings: u64, about: String| {
        let key = (kind.to_owned(), value.to_owned());
        let entry = values.entry(key).or_insert_with(|| IndicatorValue {
            kind: kind.to_owned(),
            value: value.to_owned(),
            span: Span::default(),
            findings: 0,
            about: about.clone(),
        });
        entry.span.join(span);
        entry.findings += findings;
        if !entry.about.contains(&about) {
            entry.about.push_str(&format!("; {about}"));
        }
    };
    for ((intrusion, address, _), (count, span)) in &export.facts.seen_from {
        add(
            "address",
            &address.to_string(),
            *span,
            *count,
            format!("source of {}", intrusion_label(*intrusion)),
        );
    }
    for group in &export.facts.groups {
        if let Some(listed) = &group.listed {
            let about = format!("listed by {}", listed.sources.join(" | "));
            add(&listed.kind, &listed.value, group.span, group.findings, export.redactor.text(&about));
            continue;
        }
        for observable in group.observables.iter().filter(|_| group.tells_of_shell()) {
            if let Observable::File { sha256, .. } = observable {
                add("sha256", sha256, Span::default(), group.findings, "web shell".to_owned());
            }
        }
    }
    values.into_values().collect()
}
