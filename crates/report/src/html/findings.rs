//! Intrusions, findings by rule, and the findings themselves.

use super::page::Page;
use crate::digest::{self, LevelCounts, lead_path};
use crate::words;
use model::{Answer, AnswerWord, Case, Field, Finding, FindingId, Intrusion, Level};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io;

/// Findings on the page.
const FINDINGS_MAX: usize = 2_000;
const RULES_MAX: usize = 300;
const INTRUSIONS_MAX: usize = 100;
/// Fields of one finding.
const FIELDS_MAX: usize = 24;

pub(super) fn write_intrusions(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    page.raw("<section id=\"intrusions\">\n<h2>Intrusions</h2>\n")?;
    if case.intrusions.is_empty() {
        page.raw("<p>No findings belong together as one intruder’s visit.</p>\n")?;
    }
    for intrusion in case.intrusions.iter().take(INTRUSIONS_MAX) {
        write_intrusion(page, case, intrusion)?;
    }
    page.rest(case.intrusions.len(), INTRUSIONS_MAX, "intrusion", "case.json")?;
    page.raw("</section>\n")
}

fn write_intrusion(page: &mut Page<'_>, case: &Case, intrusion: &Intrusion) -> io::Result<()> {
    let label = words::intrusion_label(intrusion.id);
    page.element("<article>\n<h3 id=\"", &label, "\">")?;
    page.element("", &label, "</h3>\n<p>")?;
    let parts = [
        intrusion.hosts.join(", "),
        words::span(intrusion.span),
        words::count(intrusion.findings.len() as u64, "finding"),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    page.element("", &parts.join(" · "), "</p>\n")?;
    if !intrusion.joined_by.is_empty() {
        page.element("<p>Joined by ", &intrusion.joined_by.join(", "), ".</p>\n")?;
    }
    let arises = |answer: &&Answer| answer.answer != AnswerWord::NotApplicable;
    let answers: Vec<_> = digest::intrusion_answers(case, intrusion.id).filter(arises).collect();
    if !answers.is_empty() {
        super::verdicts::write_answers(page, &format!("Questions and answers for {label}"), &answers)?;
    }
    page.raw("</article>\n")
}

pub(super) fn write_findings(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    page.raw("<section id=\"findings\">\n<h2>Findings</h2>\n")?;
    let levels = LevelCounts::of(&case.findings);
    page.element("<p>", &levels_text(&levels), ".</p>\n")?;
    if !case.findings.is_empty() {
        write_rules(page, case)?;
        write_table(page, case)?;
    }
    page.raw("</section>\n")
}

/// `12 findings: 3 high, 9 medium`.
pub(super) fn levels_text(levels: &LevelCounts) -> String {
    let part = |(level, count): (Level, u64)| format!("{} {}", words::thousands(count), level.as_str());
    let parts: Vec<_> = levels.highest_first().map(part).collect();
    match levels.total() {
        0 => "No findings".to_owned(),
        total => format!("{}: {}", words::count(total, "finding"), parts.join(", ")),
    }
}

fn write_rules(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    let rules = digest::rules(case);
    page.table("Findings by rule", &["Rule", "Level", "#Findings", "First", "Last", "#Hosts", "Techniques"])?;
    for view in rules.iter().take(RULES_MAX) {
        page.raw("<tr>")?;
        page.row_head(&view.rule.title)?;
        write_level(page, view.rule.level)?;
        page.number(&words::thousands(view.count))?;
        page.time(&words::time(view.span.first))?;
        page.time(&words::time(view.span.last))?;
        page.number(&words::thousands(view.hosts.iter().flatten().count() as u64))?;
        page.cell(&view.rule.techniques.join(" "))?;
        page.raw("</tr>\n")?;
    }
    page.end_table()?;
    page.rest(rules.len(), RULES_MAX, "rule", "findings.jsonl")
}

fn write_table(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    let shown = chosen(case);
    page.raw(FILTER)?;
    page.table(
        "Findings, the most severe first, then by time",
        &["Time (UTC)", "Level", "What", "Host", "Where", "Fields"],
    )?;
    for finding in &shown {
        write_finding(page, case, finding)?;
    }
    page.end_table()?;
    page.rest(case.findings.len(), shown.len(), "finding", "findings.jsonl")
}

/// Shown by the script; without one all rows are there.
const FILTER: &str = "<form id=\"filter\" hidden>\n<label>Text <input type=\"search\" name=\"text\"></label>\n\
<label>Level <select name=\"level\"><option value=\"\">all</option><option>critical</option><option>high</option>\
<option>medium</option><option>low</option><option>informational</option></select></label>\n\
<label>Host <select name=\"host\"><option value=\"\">all</option></select></label>\n\
<label>Intrusion <select name=\"intrusion\"><option value=\"\">all</option></select></label>\n\
<label>Technique <select name=\"technique\"><option value=\"\">all</option></select></label>\n\
<button type=\"reset\">Show all</button> <output aria-live=\"polite\"></output>\n</form>\n";

/// The findings that answers rest on before others, then the most severe, then the earliest; shown by severity.
fn chosen(case: &Case) -> Vec<&Finding> {
    let grounds: BTreeSet<FindingId> =
        case.answers.iter().flat_map(|answer| answer.grounds.iter().copied()).collect();
    let mut findings: Vec<_> = case.findings.iter().collect();
    // Both sorts are stable and keep the case's order by time.
    findings.sort_by_key(|finding| (!grounds.contains(&finding.id), Reverse(finding.rule.level)));
    findings.truncate(FINDINGS_MAX);
    let time = |finding: &Finding| (finding.time.is_none(), finding.time);
    findings.sort_by_key(|finding| (Reverse(finding.rule.level), time(finding)));
    findings
}

fn write_finding(page: &mut Page<'_>, case: &Case, finding: &Finding) -> io::Result<()> {
    page.element("<tr id=\"f-", &finding.id.to_string(), "\" data-level=\"")?;
    page.element("", finding.rule.level.as_str(), "\" data-host=\"")?;
    page.element("", finding.host.as_deref().unwrap_or_default(), "\" data-intrusion=\"")?;
    page.text(&finding.intrusion.map(words::intrusion_label).unwrap_or_default())?;
    page.element("\" data-techniques=\"", &finding.rule.techniques.join(" "), "\">")?;
    page.time(&words::time(finding.time))?;
    write_level(page, finding.rule.level)?;
    page.raw("<td class=\"what\">")?;
    page.value(&finding.rule.title)?;
    page.element("<br><span class=\"small\">", &finding.rule.techniques.join(" "), "</span></td><td>")?;
    page.text(finding.host.as_deref().unwrap_or_default())?;
    if let Some(intrusion) = finding.intrusion {
        let label = words::intrusion_label(intrusion);
        page.element("<br><a class=\"small whole\" href=\"#", &label, "\">")?;
        page.element("", &label, "</a>")?;
    }
    page.raw("</td><td class=\"where\">")?;
    page.value(lead_path(case, finding.evidence).unwrap_or_default())?;
    page.element("<br><span class=\"small\">", &position(finding), "</span></td><td>")?;
    write_fields(page, &case.fields(finding).map_err(io::Error::other)?)?;
    page.raw("</td></tr>\n")
}

fn position(finding: &Finding) -> String {
    if finding.is_correlation() {
        let count = finding.grounds.len();
        return format!("rests on {count} finding{}", if count == 1 { "" } else { "s" });
    }
    let position = finding.position;
    let numbered = [("record", position.record), ("line", position.line), ("byte", Some(position.offset))];
    let part = |(name, number): (&str, Option<u64>)| Some(format!("{name} {}", number?));
    numbered.into_iter().filter_map(part).collect::<Vec<_>>().join(", ")
}

fn write_fields(page: &mut Page<'_>, fields: &[Field]) -> io::Result<()> {
    page.raw("<dl class=\"fields\">")?;
    for (name, text) in fields.iter().take(FIELDS_MAX) {
        page.raw("<dt>")?;
        page.value(name)?;
        page.raw("</dt><dd>")?;
        page.value(text)?;
        page.raw("</dd>")?;
    }
    page.raw("</dl>")?;
    page.rest(fields.len(), FIELDS_MAX, "field", "findings.jsonl")
}

fn write_level(page: &mut Page<'_>, level: Level) -> io::Result<()> {
    page.raw(match level {
        Level::Critical | Level::High => "<td><span class=\"badge yes\">",
        Level::Medium => "<td><span class=\"badge likely\">",
        Level::Low | Level::Informational => "<td><span class=\"badge\">",
    })?;
    page.element("", level.as_str(), "</span></td>")
}
