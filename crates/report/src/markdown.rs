//! The case as Markdown, for a ticket or a wiki.
//!
//! What comes from evidence is a code span, or a word of a sentence that cannot be more than a word
//! ([`crate::escape`]): no markup, no HTML, no link, no mention comes out of it. Names of people and of web shells are
//! masked as in `report.html`. Lists are capped, with a sentence that says where the rest is.

mod joint;
mod sheet;
mod who;

pub use joint::write_statement_markdown;

use crate::digest::{self, BookView, HostView, LevelCounts, Totals, lead_path};
use crate::mask::Mask;
use crate::{Options, words};
use model::{Answer, AnswerWord, Case, Finding, FindingId, Gap, Level, Run};
use sheet::Sheet;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

const HOSTS_MAX: usize = 100;
const INTRUSIONS_MAX: usize = 50;
const RULES_MAX: usize = 50;
const ACTS_MAX: usize = 200;
const LOGS_MAX: usize = 200;
const TROUBLES_MAX: usize = 50;
const ITEMS_MAX: usize = 500;

/// Writes the whole of it.
///
/// # Errors
/// Those of `out`, and of fields that cannot be read back.
pub fn write_markdown(case: &Case, run: &Run, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let hosts = digest::hosts(case);
    let mask = if options.reveal { Mask::default() } else { Mask::of(case)? };
    let mut sheet = Sheet::new(out, &mask);
    head(&mut sheet, case, options)?;
    verdicts(&mut sheet, &hosts)?;
    answers(&mut sheet, &hosts)?;
    open_questions(&mut sheet, &hosts)?;
    next_steps(&mut sheet, &hosts)?;
    intrusions(&mut sheet, case)?;
    who::write(&mut sheet, case)?;
    rules(&mut sheet, case)?;
    acts(&mut sheet, case)?;
    coverage(&mut sheet, case)?;
    evidence(&mut sheet, case)?;
    sheet.ours("\n---\n\nMade by assay ")?;
    sheet.prose(&run.version)?;
    sheet.ours("; rules SHA-256 ")?;
    sheet.code(&words::hex(&case.looked_for.rules_sha256))?;
    sheet.ours(". ")?;
    sheet.ours(options.tlp.as_str())?;
    sheet.ours("\n")
}

fn head(sheet: &mut Sheet<'_>, case: &Case, options: &Options) -> io::Result<()> {
    sheet.ours("**")?;
    sheet.ours(options.tlp.as_str())?;
    sheet.ours("** ")?;
    sheet.ours(options.tlp.audience())?;
    sheet.ours(match options.reveal {
        true => " **Names of people and of web shells, which are their passwords, stand in it.**\n",
        false => " Names of people and of web shells are masked; the case’s JSON files hold them.\n",
    })?;
    if case.synthetic {
        sheet.ours("\n**Synthetic evidence.** It was made, and tells of no real incident.\n")?;
    }
    sheet.ours("\n# What the evidence says\n\n")?;
    let totals = Totals::of(case);
    let figures = [
        words::count(totals.items, "item"),
        words::bytes(totals.size_bytes),
        words::count(totals.records, "record"),
        words::count(totals.hosts, "host"),
        words::count(totals.rules, "rule"),
        words::count(case.findings.len() as u64, "finding"),
    ];
    sheet.prose(&figures.join(" · "))?;
    sheet.ours("\n")?;
    if !case.plain.is_empty() {
        sheet.ours("\n## For management\n\n")?;
        for sentence in &case.plain {
            sheet.item(sentence)?;
        }
    }
    Ok(())
}

fn verdicts(sheet: &mut Sheet<'_>, hosts: &[HostView<'_>]) -> io::Result<()> {
    sheet.ours("\n## Verdicts\n\n")?;
    if hosts.is_empty() {
        return sheet.ours("Nothing that was read names a host, and nothing was found.\n");
    }
    sheet.table(&["Host", "Verdict", "In one sentence"])?;
    for host in hosts.iter().take(HOSTS_MAX) {
        sheet.cell_code(host.name.unwrap_or("(no host known)"))?;
        let verdict = host.verdict;
        sheet.cell(verdict.map_or(host.severity().as_str(), |verdict| &verdict.headline))?;
        sheet.cell(verdict.map_or("", |verdict| &verdict.text))?;
        sheet.end_row()?;
    }
    sheet.rest(hosts.len(), HOSTS_MAX, "host", "case.json")
}

fn answers(sheet: &mut Sheet<'_>, hosts: &[HostView<'_>]) -> io::Result<()> {
    sheet.ours("\n## Answers\n")?;
    for host in hosts.iter().take(HOSTS_MAX).filter(|host| host.is_asked()) {
        sheet.ours("\n### ")?;
        sheet.code(host.name.unwrap_or("(no host known)"))?;
        sheet.ours("\n")?;
        let (asked, idle): (Vec<_>, Vec<_>) = host.books().into_iter().partition(BookView::is_asked);
        let (whole, short): (Vec<_>, Vec<_>) =
            asked.iter().partition(|view| view.whole || view.book.is_none());
        for view in whole {
            sheet.ours("\n")?;
            sheet.prose(view.title())?;
            sheet.ours(":\n\n")?;
            answer_table(sheet, &view.answers)?;
        }
        if !short.is_empty() || !idle.is_empty() {
            sheet.ours("\n")?;
        }
        for (view, book) in short.iter().filter_map(|view| Some((view, view.book?))) {
            let word = book.answer.as_str().replace('-', " ");
            sheet.item(&format!("{}: {word}. {}", view.title(), book.text))?;
        }
        if !idle.is_empty() {
            let titles: Vec<_> = idle.iter().map(BookView::title).collect();
            sheet.item(&format!("not asked, being about other hosts: {}", titles.join("; ")))?;
        }
    }
    Ok(())
}

/// Questions that do not arise are counted only.
fn answer_table(sheet: &mut Sheet<'_>, answers: &[&Answer]) -> io::Result<()> {
    let arises = |answer: &&&Answer| answer.answer != AnswerWord::NotApplicable;
    sheet.table(&["Question", "Answer", "First", "Last", "What it says", "Rests on"])?;
    for answer in answers.iter().filter(arises) {
        sheet.cell(&words::question_label(&answer.question_id))?;
        sheet.cell(&answer.answer.as_str().replace('-', " "))?;
        sheet.cell(&words::time(answer.span.first))?;
        sheet.cell(&words::time(answer.span.last))?;
        sheet.cell(&answer.text)?;
        sheet.cell(&match answer.grounds.len() as u64 {
            0 => String::new(),
            grounds => words::count(grounds, "finding"),
        })?;
        sheet.end_row()?;
    }
    let left_out = (answers.len() - answers.iter().filter(arises).count()) as u64;
    if left_out > 0 {
        let verb = if left_out == 1 { "does" } else { "do" };
        sheet.ours("\n")?;
        sheet.prose(&format!("{} {verb} not arise.", words::count(left_out, "more question")))?;
        sheet.ours("\n")?;
    }
    Ok(())
}

fn open_questions(sheet: &mut Sheet<'_>, hosts: &[HostView<'_>]) -> io::Result<()> {
    sheet.ours("\n## What the evidence cannot tell\n\n")?;
    let mut any = false;
    for host in hosts.iter().take(HOSTS_MAX) {
        let mut said = BTreeSet::new();
        for view in host.books().iter().filter(|view| view.whole) {
            let open = view.answers.iter().filter(|answer| answer.answer == AnswerWord::CannotTell);
            for answer in open.filter(|answer| said.insert((&answer.question_id, &answer.text))) {
                any = true;
                sheet.ours("- ")?;
                sheet.code(host.name.unwrap_or("(no host known)"))?;
                sheet.ours(": ")?;
                sheet.prose(&format!("{}: {}", words::question_label(&answer.question_id), answer.text))?;
                sheet.ours("\n")?;
            }
        }
    }
    if any { Ok(()) } else { sheet.ours("No question that was asked in full is open.\n") }
}

fn next_steps(sheet: &mut Sheet<'_>, hosts: &[HostView<'_>]) -> io::Result<()> {
    sheet.ours("\n## What to do next\n")?;
    let mut any = false;
    for host in hosts.iter().take(HOSTS_MAX) {
        let steps = host.next_steps();
        if steps.is_empty() {
            continue;
        }
        any = true;
        sheet.ours("\n### ")?;
        sheet.code(host.name.unwrap_or("(no host known)"))?;
        sheet.ours("\n\n")?;
        for step in steps {
            sheet.ours("1. ")?;
            sheet.prose(step)?;
            sheet.ours("\n")?;
        }
    }
    if any { Ok(()) } else { sheet.ours("\nNo answer asks for a next step.\n") }
}

fn intrusions(sheet: &mut Sheet<'_>, case: &Case) -> io::Result<()> {
    sheet.ours("\n## Intrusions\n")?;
    if case.intrusions.is_empty() {
        return sheet.ours("\nNo findings belong together as one intruder’s visit.\n");
    }
    for intrusion in case.intrusions.iter().take(INTRUSIONS_MAX) {
        sheet.ours("\n### ")?;
        sheet.prose(&words::intrusion_label(intrusion.id))?;
        sheet.ours("\n\n")?;
        for host in &intrusion.hosts {
            sheet.code(host)?;
            sheet.ours(" ")?;
        }
        let count = words::count(intrusion.findings.len() as u64, "finding");
        sheet.prose(&format!("{}, {count}.", words::span(intrusion.span)))?;
        sheet.ours("\n")?;
        if !intrusion.joined_by.is_empty() {
            sheet.ours("Joined by ")?;
            sheet.prose(&format!("{}.", intrusion.joined_by.join(", ")))?;
            sheet.ours("\n")?;
        }
        let answers: Vec<_> = digest::intrusion_answers(case, intrusion.id).collect();
        if answers.iter().any(|answer| answer.answer != AnswerWord::NotApplicable) {
            sheet.ours("\n")?;
            answer_table(sheet, &answers)?;
        }
    }
    sheet.rest(case.intrusions.len(), INTRUSIONS_MAX, "intrusion", "case.json")
}

fn rules(sheet: &mut Sheet<'_>, case: &Case) -> io::Result<()> {
    sheet.ours("\n## Findings by rule\n\n")?;
    let levels = LevelCounts::of(&case.findings);
    let part = |(level, count): (Level, u64)| format!("{} {}", words::thousands(count), level.as_str());
    let parts: Vec<_> = levels.highest_first().map(part).collect();
    if parts.is_empty() {
        return sheet.ours("No findings.\n");
    }
    sheet.prose(&format!("{}: {}.", words::count(levels.total(), "finding"), parts.join(", ")))?;
    sheet.ours("\n\n")?;
    let mut earliest: BTreeMap<(&str, &str), FindingId> = BTreeMap::new();
    for finding in &case.findings {
        earliest.entry((&finding.rule.id, &finding.rule.title)).or_insert(finding.id);
    }
    let rules = digest::rules(case);
    sheet.table(&[
        "Rule",
        "Level",
        "Findings",
        "First",
        "Last",
        "Hosts",
        "Techniques",
        "Earliest finding",
    ])?;
    for view in rules.iter().take(RULES_MAX) {
        sheet.cell(&view.rule.title)?;
        sheet.cell(view.rule.level.as_str())?;
        sheet.cell(&words::thousands(view.count))?;
        sheet.cell(&words::time(view.span.first))?;
        sheet.cell(&words::time(view.span.last))?;
        sheet.cell(&words::thousands(view.hosts.iter().flatten().count() as u64))?;
        sheet.cell(&view.rule.techniques.join(" "))?;
        let id = earliest.get(&(view.rule.id.as_str(), view.rule.title.as_str()));
        sheet.cell_code(&id.map(ToString::to_string).unwrap_or_default())?;
        sheet.end_row()?;
    }
    sheet.rest(rules.len(), RULES_MAX, "rule", "findings.jsonl")
}

/// Findings that an answer of yes or likely rests on, by time.
fn acts(sheet: &mut Sheet<'_>, case: &Case) -> io::Result<()> {
    let happened = |answer: &&Answer| matches!(answer.answer, AnswerWord::Yes | AnswerWord::Likely);
    let mut questions: BTreeMap<FindingId, BTreeSet<String>> = BTreeMap::new();
    for answer in case.answers.iter().filter(|answer| answer.intrusion.is_none()).filter(happened) {
        for ground in &answer.grounds {
            questions.entry(*ground).or_default().insert(words::question_label(&answer.question_id));
        }
    }
    let is_act = |finding: &&Finding| finding.time.is_some() && questions.contains_key(&finding.id);
    let acts: Vec<&Finding> = case.findings.iter().filter(is_act).collect();
    sheet.ours("\n## Timeline of what answers rest on\n\n")?;
    if acts.is_empty() {
        return sheet.ours("No answer rests on a finding that has a time.\n");
    }
    sheet.table(&["Time (UTC)", "Host", "What", "Says something of", "Where", "Finding"])?;
    for finding in acts.iter().take(ACTS_MAX) {
        let asked = questions.get(&finding.id).into_iter().flatten();
        sheet.cell(&words::time(finding.time))?;
        sheet.cell_code(finding.host.as_deref().unwrap_or_default())?;
        sheet.cell(&finding.rule.title)?;
        sheet.cell(&asked.map(String::as_str).collect::<Vec<_>>().join(", "))?;
        sheet.cell_code(lead_path(case, finding.evidence).unwrap_or_default())?;
        sheet.cell_code(&finding.id.to_string())?;
        sheet.end_row()?;
    }
    sheet.rest(acts.len(), ACTS_MAX, "finding", "answers.json and findings.jsonl")
}

fn coverage(sheet: &mut Sheet<'_>, case: &Case) -> io::Result<()> {
    sheet.ours("\n## Coverage\n\nWhat is not here could not be found, whatever happened.\n\n")?;
    let logs: Vec<_> = case.coverage.logs.iter().filter(|((_, key), _)| key.part.is_empty()).collect();
    if logs.is_empty() {
        sheet.ours("No log was read.\n")?;
    } else {
        sheet.table(&["Host", "Log", "Records", "Rules", "First", "Last", "Gaps"])?;
    }
    for ((host, key), log) in logs.iter().take(LOGS_MAX) {
        sheet.cell_code(host.as_deref().unwrap_or("(no host known)"))?;
        sheet.cell_code(&key.log)?;
        sheet.cell(&words::thousands(log.records))?;
        sheet.cell(&words::rules_of_log(log.rules))?;
        sheet.cell(&words::time(log.span.first))?;
        sheet.cell(&words::time(log.span.last))?;
        sheet.cell(&gaps_text(&log.gaps))?;
        sheet.end_row()?;
    }
    sheet.rest(logs.len(), LOGS_MAX, "log", "coverage.json")?;
    let troubles = digest::troubles(case);
    let losses: Vec<_> =
        troubles.iter().filter_map(|trouble| Some((trouble.path, trouble.first_loss()?))).collect();
    if !losses.is_empty() {
        sheet.ours("\nNot read whole:\n\n")?;
    }
    for (path, problem) in losses.iter().take(TROUBLES_MAX) {
        sheet.ours("- ")?;
        sheet.code(path)?;
        sheet.ours(": ")?;
        sheet.prose(problem.kind)?;
        sheet.ours("; wanted ")?;
        sheet.code(&problem.wanted)?;
        sheet.ours(", found ")?;
        sheet.code(&problem.found)?;
        sheet.ours("\n")?;
    }
    sheet.rest(losses.len(), TROUBLES_MAX, "item", "coverage.json")
}

/// `2 cleared, 1 silent hours`.
fn gaps_text(gaps: &[Gap]) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    gaps.iter().for_each(|gap| *counts.entry(gap.kind.as_str()).or_default() += 1);
    let parts: Vec<_> =
        counts.iter().map(|(kind, count)| format!("{count} {}", kind.replace('-', " "))).collect();
    if parts.is_empty() { "none seen".to_owned() } else { parts.join(", ") }
}

fn evidence(sheet: &mut Sheet<'_>, case: &Case) -> io::Result<()> {
    sheet.ours("\n## Evidence\n\n")?;
    if case.items.is_empty() {
        return sheet.ours("Nothing was read.\n");
    }
    sheet.table(&["File", "SHA-256", "Size", "Format", "Hosts"])?;
    for item in case.items.iter().take(ITEMS_MAX) {
        sheet.cell_code(item.paths.first().map_or("", String::as_str))?;
        sheet.cell_code(&words::hex(&item.sha256))?;
        sheet.cell(&words::bytes(item.size_bytes))?;
        sheet.cell(item.format.unwrap_or("unknown, not read"))?;
        sheet.cell(&item.hosts.join(", "))?;
        sheet.end_row()?;
    }
    sheet.rest(case.items.len(), ITEMS_MAX, "item", "case.json")
}
