//! Findings that a statement's grounds name, looked up in their case: the way from a clause to a byte of the evidence.
//!
//! Names of people and of web shells are masked, as in the report.

use crate::digest::lead_path;
use crate::mask::Mask;
use crate::words;
use model::Case;
use statement::GroundFinding;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Those of `ids` that the case has, by id.
///
/// # Errors
/// When fields that were put aside cannot be read back.
pub fn ground_findings(case: &Case, ids: &BTreeSet<&str>) -> io::Result<BTreeMap<String, GroundFinding>> {
    let mask = Mask::of(case)?;
    let mut found = BTreeMap::new();
    for finding in &case.findings {
        let id = finding.id.to_string();
        if !ids.contains(id.as_str()) {
            continue;
        }
        let shows = format!("{} ({})", finding.rule.title, finding.rule.level.as_str());
        let path = lead_path(case, finding.evidence).unwrap_or_default();
        let place = match finding.is_correlation() {
            true => words::position(finding),
            false => format!("{path}, {}", words::position(finding)),
        };
        let [shows, place] = [shows, place].map(|text| mask.apply(&text).into_owned());
        let host = finding.host.as_deref().unwrap_or_default().to_owned();
        found.insert(id, GroundFinding { shows, time: words::time(finding.time), host, place });
    }
    Ok(found)
}
