//! A finding as it stands in the table: a row, and below it the record and the rule, folded.

use super::page::Page;
use crate::digest::lead_path;
use crate::words;
use model::{Case, Detail, Details, Finding, Level};
use std::collections::BTreeMap;
use std::io;

/// Fields in a row, with what matched first, and letters of each; what is folded below the row has them all.
const ROW_FIELDS: usize = 4;
const ROW_CHARS_MAX: usize = 140;
/// Names of fields are padded up to so many letters.
const NAME_CHARS_MAX: usize = 36;
/// Fields of a whole record.
const RECORD_FIELDS_MAX: usize = 120;
/// Findings named that a correlation rests on.
const GROUNDS_MAX: usize = 50;
/// A page that has grown so far takes no more whole records.
const RECORDS_UNTIL_BYTES: u64 = 16 << 20;

/// The rules of a case by their id, as `html/rules.rs` numbers them.
pub(super) type RuleNumbers<'a> = BTreeMap<&'a str, usize>;

pub(super) fn rule_numbers(case: &Case) -> RuleNumbers<'_> {
    let fired = case.looked_for.rules.iter().enumerate().filter(|(_, rule)| rule.findings > 0);
    fired.map(|(number, rule)| (rule.facts.id.as_str(), number)).collect()
}

pub(super) const COLUMNS: [&str; 6] = ["Time (UTC)", "Level", "What", "Host", "Where", "Fields"];

/// Writes the finding as a body of a table of [`COLUMNS`].
pub(super) fn write_finding(
    page: &mut Page<'_>,
    case: &Case,
    rules: &RuleNumbers<'_>,
    finding: &Finding,
) -> io::Result<()> {
    let mut details = Details::default();
    case.read(finding, &mut details).map_err(io::Error::other)?;
    let matched = details.matched();
    page.element("<tbody id=\"f-", &finding.id.to_string(), "\" data-level=\"")?;
    page.again(finding.rule.level.as_str())?;
    page.raw("\" data-host=\"")?;
    page.again(finding.host.as_deref().unwrap_or_default())?;
    page.raw("\" data-intrusion=\"")?;
    page.again(&finding.intrusion.map(words::intrusion_label).unwrap_or_default())?;
    page.raw("\" data-techniques=\"")?;
    let techniques = finding.rule.techniques.join(" ");
    page.again(&techniques)?;
    page.raw("\">\n<tr>")?;
    page.time(&words::time(finding.time))?;
    write_level(page, finding.rule.level)?;
    page.raw("<td class=\"what\">")?;
    page.value(&finding.rule.title)?;
    page.raw("<br><span class=\"small\">")?;
    page.again(&techniques)?;
    page.raw("</span></td><td>")?;
    page.again(finding.host.as_deref().unwrap_or_default())?;
    if let Some(intrusion) = finding.intrusion {
        page.link(&words::intrusion_label(intrusion), "<br><a class=\"small whole\" href=\"")?;
        page.element("", &words::intrusion_label(intrusion), "</a>")?;
    }
    page.raw("</td><td class=\"where\">")?;
    page.value(lead_path(case, finding.evidence).unwrap_or_default())?;
    page.element("<br><span class=\"small\">", &words::position(finding), "</span></td><td>")?;
    write_fields(page, &telling(&details, &matched), &matched)?;
    page.raw("</td></tr>\n<tr class=\"more\"><td colspan=\"6\"><details class=\"deep\"><summary>Record and rule</summary>\n")?;
    write_record(page, case, finding, &details, &matched)?;
    write_rule(page, case, rules, finding)?;
    page.raw("</details></td></tr>\n</tbody>\n")
}

fn write_record(
    page: &mut Page<'_>,
    case: &Case,
    finding: &Finding,
    details: &Details,
    matched: &[&str],
) -> io::Result<()> {
    if finding.is_correlation() {
        return write_grounds(page, finding);
    }
    page.element("<p>", &capitalised(&words::position(finding)), " of <code>")?;
    page.value(lead_path(case, finding.evidence).unwrap_or_default())?;
    page.raw("</code>")?;
    if let Some(item) = case.items.get(finding.evidence.0 as usize) {
        page.raw(", SHA-256 <code>")?;
        page.again(&words::hex(&item.sha256))?;
        page.raw("</code>")?;
    }
    page.raw(".</p>\n")?;
    if page.written() > RECORDS_UNTIL_BYTES {
        return page.raw(
            "<p>This page is full: <code>records.jsonl</code> holds the whole record, if it was kept.</p>\n",
        );
    }
    let mut record = Details::default();
    let is_kept = case.read_record(finding, &mut record).map_err(io::Error::other)?;
    if !is_kept {
        page.raw("<p>The whole record was not kept; it lies in that file, at that place. What the finding holds of it:</p>\n")?;
    }
    let all = if is_kept { &record } else { details };
    let shown: Vec<Detail<'_>> = all.together().take(RECORD_FIELDS_MAX).collect();
    write_lines(page, &shown, matched)?;
    page.rest(all.len(), RECORD_FIELDS_MAX, "field", "records.jsonl")
}

/// What a correlation rests on: findings that may stand on another page.
fn write_grounds(page: &mut Page<'_>, finding: &Finding) -> io::Result<()> {
    page.element("<p>", &capitalised(&words::position(finding)), ":")?;
    for ground in finding.grounds.iter().take(GROUNDS_MAX) {
        page.link(&format!("f-{ground}"), " <a class=\"whole\" href=\"")?;
        page.element("", &ground.to_string(), "</a>")?;
    }
    page.raw("</p>\n")?;
    page.rest(finding.grounds.len(), GROUNDS_MAX, "finding", "findings.jsonl")
}

/// The same as lines of text: a page holds thousands of records, and each element costs.
fn write_lines(page: &mut Page<'_>, fields: &[Detail<'_>], matched: &[&str]) -> io::Result<()> {
    let width = fields.iter().map(|field| field.name.chars().count()).max().unwrap_or(0).min(NAME_CHARS_MAX);
    page.raw("<pre tabindex=\"0\">")?;
    let mut padded = String::new();
    for Detail { name, text, .. } in fields {
        padded.clear();
        padded.push_str(name);
        let blanks = width.saturating_sub(name.chars().count()) + 2;
        padded.extend(std::iter::repeat_n(' ', blanks));
        page.value(&padded)?;
        let is_matched = matched.contains(name);
        page.raw(if is_matched { "<span class=\"unseen\">matched: </span><mark>" } else { "" })?;
        page.value(text)?;
        page.raw(if is_matched { "</mark>\n" } else { "\n" })?;
    }
    page.raw("</pre>\n")
}

/// The fields that tell the most in a row: those that matched, then others, in the record's order.
fn telling<'d>(details: &'d Details, matched: &[&str]) -> Vec<Detail<'d>> {
    let mut chosen: Vec<(usize, Detail<'_>)> = details.together().enumerate().collect();
    chosen.sort_by_key(|(place, field)| (!matched.contains(&field.name), *place));
    chosen.truncate(ROW_FIELDS);
    chosen.sort_by_key(|(place, _)| *place);
    chosen.into_iter().map(|(_, field)| field).collect()
}

fn write_rule(
    page: &mut Page<'_>,
    case: &Case,
    rules: &RuleNumbers<'_>,
    finding: &Finding,
) -> io::Result<()> {
    page.raw("<p>Rule ")?;
    let rule = rules.get(finding.rule.id.as_str()).map(|number| (number, &case.looked_for.rules[*number]));
    if let Some((number, _)) = rule {
        page.link(&format!("rule-{number}"), "<a href=\"")?;
    }
    page.value(&finding.rule.title)?;
    if rule.is_some() {
        page.raw("</a>")?;
    }
    page.raw(", <code>")?;
    page.value(&finding.rule.id)?;
    page.raw("</code>, level ")?;
    page.again(finding.rule.level.as_str())?;
    if let Some((_, rule)) = rule {
        page.raw(", in <code>")?;
        page.value(&rule.file)?;
        page.raw("</code>")?;
    }
    page.raw(".</p>\n")
}

/// `record 4242, byte 8192`.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Name and text of each field, short; those that the rule's own words met are marked.
fn write_fields(page: &mut Page<'_>, fields: &[Detail<'_>], matched: &[&str]) -> io::Result<()> {
    page.raw("<dl class=\"fields\">")?;
    for Detail { name, text, .. } in fields {
        let is_matched = matched.contains(name);
        page.raw("<dt>")?;
        page.value(name)?;
        page.raw(if is_matched {
            "</dt><dd><span class=\"unseen\">matched: </span><mark>"
        } else {
            "</dt><dd>"
        })?;
        page.short(text, ROW_CHARS_MAX)?;
        page.raw(if is_matched { "</mark></dd>" } else { "</dd>" })?;
    }
    page.raw("</dl>")
}

pub(super) fn write_level(page: &mut Page<'_>, level: Level) -> io::Result<()> {
    page.raw("<td>")?;
    write_badge(page, level)?;
    page.raw("</td>")
}

pub(super) fn write_badge(page: &mut Page<'_>, level: Level) -> io::Result<()> {
    page.raw(match level {
        Level::Critical | Level::High => "<span class=\"badge yes\">",
        Level::Medium => "<span class=\"badge likely\">",
        Level::Low | Level::Informational => "<span class=\"badge\">",
    })?;
    page.again(level.as_str())?;
    page.raw("</span>")
}
