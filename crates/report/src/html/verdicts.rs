//! Verdicts and answers per host, and what to do next.

use super::page::Page;
use crate::digest::{BookView, HostView, Severity};
use crate::words;
use model::{Answer, AnswerWord, Case, FindingId, HostBasis};
use std::io;

/// Grounds of an answer that are linked.
const GROUNDS_SHOWN: usize = 8;
/// Hosts shown with all that is said of them.
const HOSTS_MAX: usize = 500;

pub(super) fn write_verdicts(page: &mut Page<'_>, case: &Case, hosts: &[HostView<'_>]) -> io::Result<()> {
    page.raw("<section id=\"verdicts\">\n<h2>Verdicts</h2>\n")?;
    if hosts.is_empty() {
        page.raw("<p>Nothing that was read names a host, and nothing was found.</p>\n")?;
    }
    for host in hosts.iter().take(HOSTS_MAX) {
        write_host(page, case, host)?;
    }
    page.rest(hosts.len(), HOSTS_MAX, "host", "case.json")?;
    page.raw("</section>\n")
}

fn write_host(page: &mut Page<'_>, case: &Case, host: &HostView<'_>) -> io::Result<()> {
    page.raw("<article class=\"host\">\n")?;
    page.element("<h3>", host.name.unwrap_or("(no host known)"), " ")?;
    page.raw(severity_open(host.severity()))?;
    page.text(host.verdict.map_or(host.severity().as_str(), |verdict| &verdict.headline))?;
    page.raw("</span></h3>\n")?;
    if let Some(verdict) = host.verdict.filter(|verdict| !verdict.text.is_empty()) {
        page.element("<p class=\"verdict\">", &verdict.text, "</p>\n")?;
    }
    page.raw("<p class=\"faint\">")?;
    if !host.also.is_empty() {
        page.element("Also named ", &host.also.join(", "), ". ")?;
    }
    if let Some(known) = case.hosts.iter().find(|known| Some(&*known.name) == host.name) {
        page.raw(named_by(known.basis))?;
    }
    page.element("", &super::findings::levels_text(&host.levels), ".</p>\n")?;
    write_books(page, host)?;
    page.raw("</article>\n")
}

/// The casebooks: those with something to show as tables, others as a line that opens, those that are about other
/// hosts by name only.
fn write_books(page: &mut Page<'_>, host: &HostView<'_>) -> io::Result<()> {
    let name = host.name.unwrap_or("records without a host");
    let (asked, idle): (Vec<_>, Vec<_>) = host.books().into_iter().partition(BookView::is_asked);
    let (whole, short): (Vec<_>, Vec<_>) = asked.into_iter().partition(|view| view.whole);
    for view in whole {
        write_answers(page, &format!("{}: questions and answers for {name}", view.title()), &view.answers)?;
    }
    for view in &short {
        let Some(book) = view.book else { continue };
        page.raw("<details>\n<summary>")?;
        page.element("", view.title(), ": ")?;
        page.raw(answer_open(book.answer))?;
        page.element("", &book.answer.as_str().replace('-', " "), "</span> ")?;
        page.value(&book.text)?;
        page.raw("</summary>\n")?;
        write_answers(page, &format!("{}: questions and answers for {name}", view.title()), &view.answers)?;
        page.raw("</details>\n")?;
    }
    if !idle.is_empty() {
        let titles: Vec<_> = idle.iter().map(BookView::title).collect();
        page.element(
            "<p class=\"faint\">Casebooks about other hosts, not asked: ",
            &titles.join("; "),
            ".</p>\n",
        )?;
    }
    Ok(())
}

/// A table of answers.
pub(super) fn write_answers(page: &mut Page<'_>, caption: &str, answers: &[&Answer]) -> io::Result<()> {
    page.table(caption, &["Question", "Answer", "When (UTC)", "What it says, and what it rests on"])?;
    let many = answers.iter().any(|answer| answer.casebook != answers[0].casebook);
    for answer in answers {
        page.raw(if answer.answer == AnswerWord::NotApplicable { "<tr class=\"faint\">" } else { "<tr>" })?;
        let label = words::question_label(&answer.question_id);
        page.row_head(&if many { format!("{label} ({})", answer.casebook) } else { label })?;
        page.raw("<td>")?;
        page.raw(answer_open(answer.answer))?;
        page.element("", &answer.answer.as_str().replace('-', " "), "</span></td>")?;
        let (first, last) = (words::time(answer.span.first), words::time(answer.span.last));
        page.element("<td class=\"time\">", &first, "")?;
        if last != first {
            page.element("<br>… ", &last, "")?;
        }
        page.raw("</td><td class=\"says\">")?;
        page.text(&answer.text)?;
        write_ground(page, answer)?;
        page.raw("</td></tr>\n")?;
    }
    page.end_table()
}

/// What an answer rests on, folded: most readers want the answers at a glance first.
fn write_ground(page: &mut Page<'_>, answer: &Answer) -> io::Result<()> {
    let findings = answer.grounds.len() as u64;
    let parts = [(findings, "finding"), (answer.coverage.len() as u64, "log")];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| words::count(*count, noun))
        .collect();
    if parts.is_empty() {
        return Ok(());
    }
    page.element("<details class=\"small\"><summary>rests on ", &parts.join(", "), "</summary>")?;
    write_coverage_lines(page, &answer.coverage)?;
    write_grounds(page, &answer.grounds)?;
    page.raw("</details>")
}

fn write_coverage_lines(page: &mut Page<'_>, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    page.raw("<ul class=\"small\">")?;
    for line in lines {
        page.raw("<li>")?;
        page.value(line)?;
        page.raw("</li>")?;
    }
    page.raw("</ul>")
}

/// Links to the findings; an id is hex digits of our own making. A finding that the capped table leaves out is
/// a link that leads nowhere, but still names what to look for.
fn write_grounds(page: &mut Page<'_>, grounds: &[FindingId]) -> io::Result<()> {
    if grounds.is_empty() {
        return Ok(());
    }
    let count = words::count(grounds.len() as u64, "finding");
    page.element("<p class=\"small\">", &count, ": ")?;
    for ground in grounds.iter().take(GROUNDS_SHOWN) {
        let id = ground.to_string();
        page.element("<a href=\"#f-", &id, "\"><code>")?;
        page.element("", &id, "</code></a> ")?;
    }
    page.raw(if grounds.len() > GROUNDS_SHOWN { "…</p>" } else { "</p>" })
}

/// What to do, in order: as a list, and as text to take along.
pub(super) fn write_next(page: &mut Page<'_>, hosts: &[HostView<'_>]) -> io::Result<()> {
    page.raw("<section id=\"next\">\n<h2>What to do next</h2>\n")?;
    let asked: Vec<_> = hosts.iter().take(HOSTS_MAX).filter(|host| !host.next_steps().is_empty()).collect();
    for host in &asked {
        page.element("<h3>", host.name.unwrap_or("(no host known)"), "</h3>\n<ol>\n")?;
        for step in host.next_steps() {
            page.element("<li>", step, "</li>\n")?;
        }
        page.raw("</ol>\n")?;
    }
    if asked.is_empty() {
        return page.raw("<p>No answer asks for a next step.</p>\n</section>\n");
    }
    page.raw("<details class=\"copy\"><summary>As plain text, to copy</summary>\n<pre id=\"next-text\" tabindex=\"0\">")?;
    for host in &asked {
        page.element("", host.name.unwrap_or("(no host known)"), "\n")?;
        for (number, step) in (1..).zip(host.next_steps()) {
            page.element("", &format!("{number}. {step}"), "\n")?;
        }
        page.raw("\n")?;
    }
    page.raw("</pre></details>\n</section>\n")
}

const fn named_by(basis: HostBasis) -> &'static str {
    match basis {
        HostBasis::Log => "Named so by its own logs. ",
        HostBasis::Root => "Named so after the only host of its collection. ",
        HostBasis::Argument => "Named so by whoever ran the scan. ",
    }
}

const fn severity_open(severity: Severity) -> &'static str {
    match severity {
        Severity::Breached => "<span class=\"badge yes\">",
        Severity::ProbablyBreached | Severity::Suspicious | Severity::Probed => {
            "<span class=\"badge likely\">"
        }
        Severity::NoTrace => "<span class=\"badge no-trace\">",
        Severity::CannotTell => "<span class=\"badge cannot-tell\">",
        Severity::Unjudged => "<span class=\"badge\">",
    }
}

const fn answer_open(word: AnswerWord) -> &'static str {
    match word {
        AnswerWord::Yes => "<span class=\"badge yes\">",
        AnswerWord::Likely => "<span class=\"badge likely\">",
        AnswerWord::NoTrace => "<span class=\"badge no-trace\">",
        AnswerWord::CannotTell => "<span class=\"badge cannot-tell\">",
        AnswerWord::NotApplicable => "<span class=\"badge\">",
    }
}
