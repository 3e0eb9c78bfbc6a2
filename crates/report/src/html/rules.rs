//! The rules: those that fired, with their text; those that could have; those that never could, and what log is missing.

use super::page::Page;
use super::row::write_badge;
use crate::words;
use model::{Case, HostName, RuleUse, Run};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Rules that fired.
const FIRED_MAX: usize = 1_000;
/// Letters of one rule's text, and of all of them.
const TEXT_CHARS_MAX: usize = 20_000;
const TEXTS_CHARS_MAX: usize = 3_000_000;
/// Log sources listed.
const SOURCES_MAX: usize = 300;
/// Rules listed that did not load.
const NOTES_MAX: usize = 200;
const HOSTS_MAX: usize = 12;

pub(super) fn write_rules(page: &mut Page<'_>, case: &Case, run: &Run) -> io::Result<()> {
    page.raw("<section id=\"rules\" class=\"technical\">\n<h2>Rules</h2>\n<p>")?;
    page.text(&words::count(case.looked_for.rules_loaded as u64, "rule"))?;
    page.element(
        " loaded, SHA-256 over all of them <code>",
        &words::hex(&case.looked_for.rules_sha256),
        "</code>.</p>\n",
    )?;
    write_fired(page, case)?;
    let sources = sources(case);
    write_quiet(page, case, &sources)?;
    write_blind(page, &sources)?;
    write_not_loaded(page, run)?;
    page.raw("</section>\n")
}

fn write_fired(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    let mut fired: Vec<(usize, &RuleUse)> =
        case.looked_for.rules.iter().enumerate().filter(|(_, rule)| rule.findings > 0).collect();
    page.element("<h3>Rules that fired: ", &words::thousands(fired.len() as u64), "</h3>\n")?;
    // The sort is stable: rules of one level and count stay in the order of their ids.
    fired.sort_by_key(|(_, rule)| std::cmp::Reverse((rule.facts.level, rule.findings)));
    let mut room = TEXTS_CHARS_MAX;
    for (number, rule) in fired.iter().take(FIRED_MAX) {
        write_rule(page, *number, rule, &mut room)?;
    }
    page.rest(fired.len(), FIRED_MAX, "rule", "rules.json")
}

fn write_rule(page: &mut Page<'_>, number: usize, rule: &RuleUse, room: &mut usize) -> io::Result<()> {
    page.raw("<details class=\"rule deep\"><summary>")?;
    write_badge(page, rule.facts.level)?;
    page.raw(" ")?;
    page.value(&rule.facts.title)?;
    page.element(" <span class=\"small\">", &words::count(rule.findings, "finding"), "</span></summary>\n")?;
    page.element("<div id=\"rule-", &number.to_string(), "\"><p class=\"small\"><code>")?;
    page.value(&rule.facts.id)?;
    page.raw("</code> · in <code>")?;
    page.value(&rule.file)?;
    page.raw("</code> · looks at ")?;
    page.value(&rule.looks_at)?;
    page.raw("</p>\n")?;
    match rule.text.as_deref() {
        None => page.raw(
            "<p>Its text is not in this case: it is longer than a case keeps, or its file is gone.</p>\n",
        )?,
        Some(text) if text.len() > *room => {
            page.raw("<p>This page is full: <code>rules.json</code> holds its text.</p>\n")?
        }
        Some(text) => {
            let end = text.char_indices().nth(TEXT_CHARS_MAX).map_or(text.len(), |(end, _)| end);
            *room -= end;
            page.raw("<pre class=\"rule-text\" tabindex=\"0\">")?;
            page.lines(&text[..end])?;
            page.raw(if end < text.len() { "… (the rest is in rules.json)</pre>\n" } else { "</pre>\n" })?;
        }
    }
    page.raw("</div></details>\n")
}

/// What became of the rules of one log source.
#[derive(Default)]
struct Source<'a> {
    /// Rules that met it and did not fire; hosts on which it was read.
    quiet: u64,
    met: BTreeSet<&'a HostName>,
    /// Rules that never met it.
    blind: u64,
}

/// By what the rules look at.
fn sources(case: &Case) -> BTreeMap<&str, Source<'_>> {
    let mut sources: BTreeMap<&str, Source<'_>> = BTreeMap::new();
    for rule in &case.looked_for.rules {
        let own = sources.entry(&rule.looks_at).or_default();
        own.met.extend(rule.met.iter().flatten());
        own.quiet += u64::from(rule.findings == 0 && !rule.met.is_empty());
        own.blind += u64::from(rule.findings == 0 && rule.met.is_empty());
    }
    sources
}

fn write_quiet(page: &mut Page<'_>, case: &Case, sources: &BTreeMap<&str, Source<'_>>) -> io::Result<()> {
    let total: u64 = sources.values().map(|source| source.quiet).sum();
    page.element("<h3>Rules that could have fired and did not: ", &words::thousands(total), "</h3>\n")?;
    if total == 0 {
        return Ok(());
    }
    page.table("By what they look at", &["Log source", "#Rules", "Read on", "Not read on"])?;
    let quiet = sources.iter().filter(|(_, source)| source.quiet > 0);
    for (looks_at, source) in quiet.clone().take(SOURCES_MAX) {
        page.raw("<tr>")?;
        page.row_head(looks_at)?;
        page.number(&words::thousands(source.quiet))?;
        let without: BTreeSet<&HostName> =
            case.hosts.iter().map(|host| &host.name).filter(|name| !source.met.contains(name)).collect();
        page.cell(&names(&source.met))?;
        page.cell(&names(&without))?;
        page.raw("</tr>\n")?;
    }
    page.end_table()?;
    page.rest(quiet.count(), SOURCES_MAX, "log source", "rules.json")
}

fn write_blind(page: &mut Page<'_>, sources: &BTreeMap<&str, Source<'_>>) -> io::Result<()> {
    let mut blind: Vec<_> = sources.iter().filter(|(_, source)| source.blind > 0).collect();
    let total: u64 = blind.iter().map(|(_, source)| source.blind).sum();
    page.element("<h3>Rules that never could: ", &words::thousands(total), "</h3>\n")?;
    if total == 0 {
        return page.raw("<p>Every rule met a record of what it looks at.</p>\n");
    }
    page.raw(
        "<p>No record of what they look at was in the evidence, of any host. The most rules first.</p>\n",
    )?;
    blind.sort_by_key(|(_, source)| std::cmp::Reverse(source.blind));
    page.table("By what they look at", &["Log source", "#Rules", "What would have held it"])?;
    for (looks_at, source) in blind.iter().take(SOURCES_MAX) {
        page.raw("<tr>")?;
        page.row_head(looks_at)?;
        page.number(&words::thousands(source.blind))?;
        page.cell(missing_log(looks_at).unwrap_or_default())?;
        page.raw("</tr>\n")?;
    }
    page.end_table()?;
    page.rest(blind.len(), SOURCES_MAX, "log source", "rules.json")
}

fn names(hosts: &BTreeSet<&HostName>) -> String {
    let shown: Vec<&str> = hosts.iter().take(HOSTS_MAX).map(|host| &***host).collect();
    let more = hosts.len().saturating_sub(HOSTS_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// The log that holds what a rule looks at, for the sources whose name does not say it: events of Sysmon by
/// Microsoft's documentation of it, those of Windows by that of its audit policy.
fn missing_log(looks_at: &str) -> Option<&'static str> {
    const LOGS: [(&str, &str); 29] = [
        ("content of files", "scripts, and the files of web folders, copied whole"),
        ("linux, category process_creation", "auditd (EXECVE), or Sysmon for Linux"),
        ("category process_creation", "Sysmon, event 1; or Security, event 4688 with command lines"),
        ("category network_connection", "Sysmon, event 3"),
        ("category process_termination", "Sysmon, event 5"),
        ("category driver_load", "Sysmon, event 6"),
        ("category image_load", "Sysmon, event 7"),
        ("category create_remote_thread", "Sysmon, event 8"),
        ("category raw_access_thread", "Sysmon, event 9"),
        ("category process_access", "Sysmon, event 10"),
        ("category file_event", "Sysmon, event 11"),
        ("category registry_", "Sysmon, events 12 to 14"),
        ("category create_stream_hash", "Sysmon, event 15"),
        ("category pipe_created", "Sysmon, events 17 and 18"),
        ("category wmi_event", "Sysmon, events 19 to 21"),
        ("category dns_query", "Sysmon, event 22"),
        ("category file_delete", "Sysmon, events 23 and 26"),
        ("category process_tampering", "Sysmon, event 25"),
        ("category file_executable_detected", "Sysmon, event 29"),
        ("category ps_script", "PowerShell/Operational, event 4104 (script block logging)"),
        ("category ps_module", "PowerShell/Operational, event 4103 (module logging)"),
        ("category ps_classic", "the log Windows PowerShell"),
        ("category webserver", "the access log of the web server"),
        ("category proxy", "the log of the web proxy"),
        ("category firewall", "the log of the firewall"),
        ("category antivirus", "the log of the virus scanner"),
        ("product exchange", "the text log of that name, in Exchange’s folder Logging"),
        ("product windows, service", "the event log of that name"),
        ("product artifact", "the artifact of that name, from the disk: collect it with the files"),
    ];
    LOGS.iter().find(|(part, _)| looks_at.contains(part)).map(|(_, log)| *log)
}

fn write_not_loaded(page: &mut Page<'_>, run: &Run) -> io::Result<()> {
    if run.rules_not_loaded.is_empty() {
        return Ok(());
    }
    page.table("Rules that could not be loaded", &["File", "#Line", "Rule", "Why"])?;
    for note in run.rules_not_loaded.iter().take(NOTES_MAX) {
        page.raw("<tr>")?;
        page.cell(&note.file)?;
        page.number(&note.line.map(|line| line.to_string()).unwrap_or_default())?;
        page.cell(note.rule.as_deref().unwrap_or_default())?;
        page.cell(&note.reason)?;
        page.raw("</tr>\n")?;
    }
    page.end_table()?;
    page.rest(run.rules_not_loaded.len(), NOTES_MAX, "rule", "run.json")
}
