//! What could be read, what could not, and the list of evidence.

use super::page::Page;
use crate::digest::{self, Trouble};
use crate::words;
use model::{Case, Gap, HostName, LogCoverage, LogKey, Problem};
use std::io;

const TROUBLES_MAX: usize = 500;
/// Problems of one item.
const PROBLEMS_MAX: usize = 5;
const LOGS_MAX: usize = 1_000;
/// Gaps of one log.
const GAPS_MAX: usize = 10;
const ITEMS_MAX: usize = 2_000;
/// Further paths of one item.
const SAME_MAX: usize = 5;

pub(super) fn write_coverage(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    page.raw("<section id=\"coverage\" class=\"technical\">\n<h2>Coverage</h2>\n")?;
    page.raw("<p>What is not here could not be found, whatever happened. <code>coverage.json</code> has it all.</p>\n")?;
    write_logs(page, case)?;
    write_builds(page, case)?;
    write_troubles(page, case)?;
    page.raw("</section>\n")
}

fn write_logs(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    let logs: Vec<_> = case.coverage.logs.iter().filter(|((_, key), _)| key.part.is_empty()).collect();
    if logs.is_empty() {
        return page.raw("<p>No log was read.</p>\n");
    }
    page.table("Logs of each host", &["Host", "Log", "#Records", "#Rules", "First", "Last", "Gaps"])?;
    for ((host, key), log) in logs.iter().take(LOGS_MAX) {
        write_log(page, host.as_ref(), key, log)?;
    }
    page.end_table()?;
    page.rest(logs.len(), LOGS_MAX, "log", "coverage.json")
}

fn write_log(
    page: &mut Page<'_>,
    host: Option<&HostName>,
    key: &LogKey,
    log: &LogCoverage,
) -> io::Result<()> {
    page.raw("<tr>")?;
    page.cell(host.map_or("(no host known)", |host| host))?;
    page.row_head(&key.log)?;
    page.number(&words::thousands(log.records))?;
    page.number(&words::rules_of_log(log.rules))?;
    page.time(&words::time(log.span.first))?;
    page.time(&words::time(log.span.last))?;
    page.raw("<td>")?;
    if log.gaps.is_empty() {
        page.raw("none seen")?;
    } else {
        page.raw("<ul class=\"small\">")?;
        for gap in log.gaps.iter().take(GAPS_MAX) {
            page.element("<li>", &gap_text(gap), "</li>")?;
        }
        page.raw("</ul>")?;
        page.rest(log.gaps.len(), GAPS_MAX, "gap", "coverage.json")?;
    }
    page.raw("</td></tr>\n")
}

/// `silent hours, 2021-03-04 11:20:05Z … 2021-03-04 19:00:00Z`.
fn gap_text(gap: &Gap) -> String {
    let kind = gap.kind.as_str().replace('-', " ");
    match (gap.from, gap.to) {
        (None, None) => kind,
        (Some(from), None) => format!("{kind}, from {}", from.to_short()),
        (None, Some(to)) => format!("{kind}, until {}", to.to_short()),
        (Some(from), Some(to)) => format!("{kind}, {} … {}", from.to_short(), to.to_short()),
    }
}

fn write_builds(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    if case.coverage.builds.values().all(|builds| builds.is_empty()) {
        return Ok(());
    }
    page.table("Exchange builds that the logs name", &["Host", "Build", "First", "Last"])?;
    for (host, builds) in &case.coverage.builds {
        for (build, span) in builds {
            page.raw("<tr>")?;
            page.cell(host.as_ref().map_or("(no host known)", |host| host))?;
            page.row_head(build)?;
            page.time(&words::time(span.first))?;
            page.time(&words::time(span.last))?;
            page.raw("</tr>\n")?;
        }
    }
    page.end_table()
}

fn write_troubles(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    page.raw("<h3 id=\"problems\">Problems in reading</h3>\n")?;
    let troubles = digest::troubles(case);
    if troubles.is_empty() {
        return page.raw("<p>None: every item of a known format was read to its end.</p>\n");
    }
    page.table("Items with problems", &["Item", "Problems", "#Records lost"])?;
    for trouble in troubles.iter().take(TROUBLES_MAX) {
        write_trouble(page, trouble)?;
    }
    page.end_table()?;
    page.rest(troubles.len(), TROUBLES_MAX, "item", "coverage.json")
}

fn write_trouble(page: &mut Page<'_>, trouble: &Trouble<'_>) -> io::Result<()> {
    page.raw("<tr>")?;
    page.row_head(trouble.path)?;
    page.raw("<td><ul>")?;
    for problem in trouble.problems.iter().take(PROBLEMS_MAX) {
        page.raw("<li>")?;
        page.value(&problem_text(problem))?;
        page.raw("</li>")?;
    }
    page.raw("</ul>")?;
    page.rest(trouble.problems.len(), PROBLEMS_MAX, "problem", "coverage.json")?;
    page.raw("</td>")?;
    let lost = match trouble.records_lost() {
        (0, false) => "none".to_owned(),
        (lost, false) => words::thousands(lost),
        (0, true) => "not known".to_owned(),
        (lost, true) => format!("{} or more", words::thousands(lost)),
    };
    page.number(&lost)?;
    page.raw("</tr>\n")
}

fn problem_text(problem: &Problem) -> String {
    let at =
        problem.offset.map(|offset| format!(" at byte {}", words::thousands(offset))).unwrap_or_default();
    let said = [("wanted", &problem.wanted), ("found", &problem.found)];
    let said: Vec<_> = said
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(word, text)| format!("{word} {text}"))
        .collect();
    let colon = if said.is_empty() { "" } else { ": " };
    format!("{}{at}{colon}{}", problem.kind, said.join(", "))
}

pub(super) fn write_evidence(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    page.raw("<section id=\"evidence\" class=\"technical\">\n<h2>Evidence</h2>\n")?;
    if case.items.is_empty() {
        return page.raw("<p>None was read.</p>\n</section>\n");
    }
    page.table("Items, by path", &["Item", "Format", "#Records", "#Size", "SHA-256"])?;
    for (index, item) in case.items.iter().enumerate().take(ITEMS_MAX) {
        page.raw("<tr><th scope=\"row\">")?;
        page.value(item.paths.first().map_or("", String::as_str))?;
        for path in item.paths.iter().skip(1).take(SAME_MAX) {
            page.raw("<br><span class=\"small\">the same: ")?;
            page.value(path)?;
            page.raw("</span>")?;
        }
        page.rest(item.paths.len(), 1 + SAME_MAX, "path", "case.json")?;
        page.raw("</th>")?;
        let (records, is_looked_at) =
            case.coverage.items.get(index).map_or((0, false), |item| (item.records, item.is_looked_at));
        let unknown = if is_looked_at { "unknown, looked at by rules" } else { "unknown, not read" };
        page.cell(item.format.unwrap_or(unknown))?;
        page.number(&words::thousands(records))?;
        page.number(&words::bytes(item.size_bytes))?;
        page.element("<td class=\"hash\"><code>", &words::hex(&item.sha256), "</code></td></tr>\n")?;
    }
    page.end_table()?;
    page.rest(case.items.len(), ITEMS_MAX, "item", "case.json")?;
    page.raw("</section>\n")
}
