//! Tables: findings for Timesketch, indicators for whatever reads CSV. Each row has the label and says whether the evidence is
//! synthetic, since rows are copied one by one.

use crate::facts::{Observable, observables};
use crate::redact::Detail;
use crate::value::values;
use crate::{Export, intrusion_label};
use model::{Finding, Timestamp};
use report::{datetime, joined, write_cells};
use std::collections::BTreeSet;
use std::io::{self, Write};

const TIMELINE: &str = "message,datetime,timestamp_desc,level,rule_id,rule_title,host,intrusion,techniques,finding_id,\
                        fields,tlp,synthetic";
const INDICATORS: &str = "type,value,first_seen,last_seen,findings,description,tlp,synthetic";

pub fn write_timesketch(export: &Export<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{TIMELINE}\r\n")?;
    let told: BTreeSet<_> = export
        .facts
        .groups
        .iter()
        .map(|group| (group.intrusion, group.rule.id.as_str(), group.host.as_ref()))
        .collect();
    for finding in &export.case.findings {
        let is_told = told.contains(&(finding.intrusion, finding.rule.id.as_str(), finding.host.as_ref()));
        if let Some(time) = finding.time.filter(|_| is_told) {
            write_finding(export, finding, time, out)?;
        }
    }
    Ok(())
}

fn write_finding(
    export: &Export<'_>,
    finding: &Finding,
    time: Timestamp,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (rule, redactor) = (&finding.rule, &export.redactor);
    let host = finding.host.as_deref().map(|host| redactor.host(host)).unwrap_or_default();
    let on_host = if host.is_empty() { String::new() } else { format!(" on {host}") };
    let title = redactor.text(&rule.title);
    let fields = export.case.fields(finding).map_err(io::Error::other)?;
    let fields = match export.detail() {
        Detail::Redacted => told(export, finding, &observables(export.case, finding, &fields)),
        Detail::Masked | Detail::Whole => {
            redactor.text(&joined(fields.iter().map(|(name, text)| (&**name, &**text))))
        }
    };
    write_cells(
        &[
            &format!("{}: {title}{on_host}", rule.level.as_str()),
            &datetime(time),
            "Record written",
            rule.level.as_str(),
            &redactor.text(&rule.id),
            &title,
            &host,
            &finding.intrusion.map(intrusion_label).unwrap_or_default(),
            &rule.techniques.join(" "),
            // It is a hash over the evidence's hash, a rule and a place, and tells nothing of them.
            &finding.id.to_string(),
            &fields,
            export.tlp().as_str(),
            synthetic(export),
        ],
        out,
    )
}

/// What may be told of a finding's fields outside the organisation: no text of the evidence.
fn told(export: &Export<'_>, _finding: &Finding, observables: &[Observable]) -> String {
    let part = |observable: &Observable| match observable {
        Observable::Address(address) if export.redactor.tells_address(*address) => {
            Some(format!("address: {address}"))
        }
        Observable::File { sha256, .. } => Some(format!("sha256: {sha256}")),
        Observable::Account(name) => Some(format!("account: {}", export.redactor.account(name))),
        _ => None,
    };
    let parts: BTreeSet<String> = observables.iter().filter_map(part).collect();
    parts.into_iter().collect::<Vec<_>>().join(" | ")
}

pub fn write_indicators(export: &Export<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{INDICATORS}\r\n")?;
    let time = |time: Option<Timestamp>| time.map(datetime).unwrap_or_default();
    for value in values(export) {
        write_cells(
            &[
                &value.kind,
                &value.value,
                &time(value.span.first),
                &time(value.span.last),
                &value.findings.to_string(),
                &value.about,
                export.tlp().as_str(),
                synthetic(export),
            ],
            out,
        )?;
    }
    Ok(())
}

fn synthetic(export: &Export<'_>) -> &'static str {
    if export.case.synthetic { "yes" } else { "no" }
}
