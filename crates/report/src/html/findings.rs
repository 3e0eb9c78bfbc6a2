//! Intrusions, findings by rule, and the findings themselves.

use super::page::Page;
use super::row::{self, COLUMNS};
use crate::attack;
use crate::digest::{self, LevelCounts};
use crate::words;
use model::{Answer, AnswerWord, Case, Finding, FindingId, Intrusion, Level};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::io;

/// Findings on the page.
const FINDINGS_MAX: usize = 2_000;
const RULES_MAX: usize = 300;
const INTRUSIONS_MAX: usize = 100;
/// A page that has grown so far takes no more findings.
const FINDINGS_UNTIL_BYTES: u64 = 20 << 20;

pub(super) fn write_intrusions(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    page.raw("<section id=\"intrusions\" class=\"technical\">\n<h2>Intrusions</h2>\n")?;
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

/// Gives the findings that did not find room, the most severe first, then by time.
pub(super) fn write_findings<'c>(page: &mut Page<'_>, case: &'c Case) -> io::Result<Vec<&'c Finding>> {
    page.raw("<section id=\"findings\" class=\"technical\">\n<h2>Findings</h2>\n")?;
    let levels = LevelCounts::of(&case.findings);
    page.element("<p>", &levels_text(&levels), ".</p>\n")?;
    let mut left = Vec::new();
    if !case.findings.is_empty() {
        write_rules(page, case)?;
        let (chosen, rest) = chosen(case);
        let shown = write_table(page, case, "Findings, the most severe first, then by time", &chosen)?;
        left = [&chosen[shown..], &rest].concat();
        sort(&mut left);
        super::pages::write_rest(page, &left)?;
    }
    page.raw("</section>\n")?;
    Ok(left)
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
    let numbers = row::rule_numbers(case);
    page.table("Findings by rule", &["Rule", "Level", "#Findings", "First", "Last", "#Hosts", "Techniques"])?;
    for view in rules.iter().take(RULES_MAX) {
        page.raw("<tr>")?;
        page.raw("<th scope=\"row\">")?;
        let number = numbers.get(view.rule.id.as_str());
        if let Some(number) = number {
            page.link(&format!("rule-{number}"), "<a href=\"")?;
        }
        page.value(&view.rule.title)?;
        page.raw(if number.is_some() { "</a></th>" } else { "</th>" })?;
        row::write_level(page, view.rule.level)?;
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

/// Writes a table with as many of `findings` as find room, and gives their number.
pub(super) fn write_table(
    page: &mut Page<'_>,
    case: &Case,
    caption: &str,
    findings: &[&Finding],
) -> io::Result<usize> {
    page.raw(FILTER)?;
    page.bare_table(caption, &COLUMNS)?;
    let rules = row::rule_numbers(case);
    let mut shown = 0;
    for finding in findings {
        if page.written() > FINDINGS_UNTIL_BYTES {
            break;
        }
        row::write_finding(page, case, &rules, finding)?;
        shown += 1;
    }
    page.end_bare_table()?;
    Ok(shown)
}

/// Shown by the script; without one all rows are there.
const FILTER: &str = "<form id=\"filter\" hidden>\n<label>Text <input type=\"search\" name=\"text\"></label>\n\
<label>Level <select name=\"level\"><option value=\"\">all</option><option>critical</option><option>high</option>\
<option>medium</option><option>low</option><option>informational</option></select></label>\n\
<label>Host <select name=\"host\"><option value=\"\">all</option></select></label>\n\
<label>Intrusion <select name=\"intrusion\"><option value=\"\">all</option></select></label>\n\
<label>Technique <select name=\"technique\"><option value=\"\">all</option></select></label>\n\
<button type=\"reset\">Show all</button> <output aria-live=\"polite\"></output>\n</form>\n";

/// Findings for the first page, and the others. What the page links to comes before others: grounds of answers,
/// then what trees of processes show, the first of each technique; then the most severe, then the earliest.
fn chosen(case: &Case) -> (Vec<&Finding>, Vec<&Finding>) {
    let grounds: HashSet<FindingId> =
        case.answers.iter().flat_map(|answer| answer.grounds.iter().copied()).collect();
    let mut linked: HashSet<FindingId> =
        case.sessions.processes.iter().flat_map(|process| process.findings.iter().copied()).collect();
    linked.extend(attack::findings(case).values().filter_map(|own| Some(own.first?.id)));
    // Each in its rank, in the case's order by time.
    let mut ranks: BTreeMap<_, Vec<&Finding>> = BTreeMap::new();
    for finding in &case.findings {
        let is_linked = linked.contains(&finding.id);
        let rank = (!grounds.contains(&finding.id), !is_linked, Reverse(finding.rule.level));
        ranks.entry(rank).or_default().push(finding);
    }
    let mut findings: Vec<&Finding> = Vec::with_capacity(case.findings.len());
    ranks.into_values().for_each(|own| findings.extend(own));
    let rest = findings.split_off(findings.len().min(FINDINGS_MAX));
    sort(&mut findings);
    (findings, rest)
}

/// The most severe first, then by time; else as they stand.
fn sort(findings: &mut Vec<&Finding>) {
    // Keys lie beside each other: looked up in the findings, they are all over the memory.
    let key = |finding: &Finding| (Reverse(finding.rule.level), finding.time.is_none(), finding.time);
    let mut keyed: Vec<_> = findings.iter().zip(0..).map(|(own, place)| (key(own), place, *own)).collect();
    keyed.sort_unstable_by_key(|(key, place, _): &(_, u32, _)| (*key, *place));
    findings.clear();
    findings.extend(keyed.into_iter().map(|(.., own)| own));
}
