//! Findings as one table (CSV), to pass on: masked as the report is, marked in every row, those without a time too.
//!
//! It differs from `timeline.csv`, which is for Timesketch, holds full values and needs a time in each row.

use crate::digest::lead_path;
use crate::mask::Mask;
use crate::timeline::{datetime, joined, write_cells};
use crate::{Options, words};
use model::{Case, Details, Finding};
use std::io::{self, Write};

const HEADER: &str = "finding_id,time,level,rule_id,rule_title,host,intrusion,techniques,evidence,evidence_sha256,\
                      offset,record,line,matched,fields,tlp";

/// Writes one row for each finding, in the order of the case.
///
/// # Errors
/// Those of `out`, and of fields that cannot be read back.
pub fn write_findings_csv(case: &Case, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mask = if options.reveal { Mask::default() } else { Mask::of(case)? };
    write!(out, "{HEADER}\r\n")?;
    let mut details = Details::default();
    case.findings.iter().try_for_each(|finding| {
        case.read(finding, &mut details).map_err(io::Error::other)?;
        write_row((case, options, &mask), finding, &details, out)
    })
}

fn write_row(
    (case, options, mask): (&Case, &Options, &Mask),
    finding: &Finding,
    details: &Details,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rule = &finding.rule;
    let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
    let matched = details.matched().join(" ");
    let fields = joined(details.together().map(|field| (field.name, field.text)));
    let sha256 = case.items.get(finding.evidence.0 as usize).map(|item| words::hex(&item.sha256));
    let cells = [
        &finding.id.to_string(),
        &finding.time.map(datetime).unwrap_or_default(),
        rule.level.as_str(),
        &*mask.apply(&rule.id),
        &mask.apply(&rule.title),
        &mask.apply(finding.host.as_deref().unwrap_or_default()),
        &finding.intrusion.map(words::intrusion_label).unwrap_or_default(),
        &rule.techniques.join(" "),
        &mask.apply(lead_path(case, finding.evidence).unwrap_or_default()),
        &sha256.unwrap_or_default(),
        &finding.position.offset.to_string(),
        &number(finding.position.record),
        &number(finding.position.line),
        &mask.apply(&matched),
        &mask.apply(&fields),
        options.tlp.as_str(),
    ];
    write_cells(&cells, out)
}
