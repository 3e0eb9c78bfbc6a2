//! `report.html`: the case as one page that needs nothing else: no request, no link from evidence, and
//! no need of its script.
//!
//! [`page::Page`] takes markup only as constant text and escapes all else, so that nothing from evidence can
//! become markup. What would make the page unwieldy is capped, with a sentence that says where the rest is.

mod coverage;
mod findings;
mod joint;
mod lanes;
mod logons;
mod matrix;
mod page;
mod pages;
mod plain;
mod processes;
mod row;
mod rules;
mod verdicts;
mod who;

pub use joint::write_statement_html;

use crate::digest::{self, HostView, Severity, Totals};
use crate::mask::Mask;
use crate::{Open, Options, words};
use model::{Case, Finding, Run};
use page::Page;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The only script that the page's policy lets run; all of it is ours.
const SCRIPT: &str = include_str!("html/report.js");
/// SHA-256 of it, as a Content-Security-Policy names it (a test compares).
const SCRIPT_HASH: &str = "sha256-9zX7WYZ1BzP+0rxvZKgNazdt6/xJhHH7kg5UqvaBEAc=";

const MASKED: &str = " Names of people and of web shells are masked; the case’s JSON files hold them.</p>\n";
const REVEALED: &str =
    " <strong>Names of people and of web shells, which are their passwords, stand in it.</strong></p>\n";

/// Writes the report as `name` and the pages beside it, each into what `open` gives for its name.
///
/// # Errors
/// The first error of `open`, of a writer, or in reading back what was put aside.
pub fn write_html(
    case: &Case,
    run: &Run,
    options: &Options,
    name: &str,
    open: &mut Open<'_>,
) -> io::Result<()> {
    let mask = if options.reveal { Mask::default() } else { Mask::of(case)? };
    write_masked(case, run, options, &mask, name, open)
}

/// The same with a mask that is made already.
pub(crate) fn write_masked(
    case: &Case,
    run: &Run,
    options: &Options,
    mask: &Mask,
    name: &str,
    open: &mut Open<'_>,
) -> io::Result<()> {
    let mut out = crate::open_buffered(name, open)?;
    let mut page = Page::new(&mut out, mask, "");
    let left = write_report(&mut page, case, run, options)?;
    out.flush()?;
    pages::write_pages(case, run, options, mask, name, &left, open)
}

/// Gives the findings that did not find room.
fn write_report<'c>(
    page: &mut Page<'_>,
    case: &'c Case,
    run: &Run,
    options: &Options,
) -> io::Result<Vec<&'c Finding>> {
    let hosts = digest::hosts(case);
    head(page, &title(&hosts), "")?;
    banner(page, case, &hosts, options)?;
    page.raw("<main>\n")?;
    plain::write_plain(page, case)?;
    verdicts::write_verdicts(page, case, &hosts)?;
    verdicts::write_next(page, &hosts)?;
    lanes::write_timeline(page, case, &hosts)?;
    matrix::write_matrix(page, case)?;
    who::write_who(page, case)?;
    processes::write_processes(page, case)?;
    logons::write_logons(page, case)?;
    findings::write_intrusions(page, case)?;
    let left = findings::write_findings(page, case)?;
    rules::write_rules(page, case, run)?;
    coverage::write_coverage(page, case)?;
    coverage::write_evidence(page, case)?;
    page.raw(HOW_TO_READ)?;
    page.raw("</main>\n")?;
    foot(page, run, options)?;
    Ok(left)
}

fn foot(page: &mut Page<'_>, run: &Run, options: &Options) -> io::Result<()> {
    page.element("<footer><p>Made by assay ", &run.version, "")?;
    page.element(". ", options.tlp.as_str(), "</p></footer>\n<script>")?;
    page.raw(SCRIPT)?;
    page.raw("</script>\n</body>\n</html>\n")
}

/// `more_style` is what a page needs beside the style that all have.
fn head(page: &mut Page<'_>, title: &str, more_style: &'static str) -> io::Result<()> {
    page.raw(POLICY)?;
    page.raw(" script-src '")?;
    page.raw(SCRIPT_HASH)?;
    page.raw("';")?;
    rest_of_head(page, title, more_style)
}

/// The same of a page on which no script may run.
fn head_without_script(page: &mut Page<'_>, title: &str, more_style: &'static str) -> io::Result<()> {
    page.raw(POLICY)?;
    rest_of_head(page, title, more_style)
}

const POLICY: &str = concat!(
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';",
);

fn rest_of_head(page: &mut Page<'_>, title: &str, more_style: &'static str) -> io::Result<()> {
    page.raw(concat!(
        " base-uri 'none'; form-action 'none'\">\n",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n<title>",
    ))?;
    page.text(title)?;
    page.raw(" · assay</title>\n<style>\n")?;
    page.raw(include_str!("html/style.css"))?;
    page.raw(more_style)?;
    page.raw("</style>\n</head>\n<body>\n")
}

fn banner(page: &mut Page<'_>, case: &Case, hosts: &[HostView<'_>], options: &Options) -> io::Result<()> {
    page.raw("<header>\n")?;
    marking(page, case, options)?;
    page.element("<h1>", &title(hosts), "</h1>\n")?;
    let totals = Totals::of(case);
    let mut figures = vec![
        words::count(totals.items, "item"),
        words::bytes(totals.size_bytes),
        words::count(totals.records, "record"),
        words::count(totals.hosts, "host"),
        words::count(totals.rules, "rule"),
        words::count(case.findings.len() as u64, "finding"),
    ];
    if totals.indicators > 0 {
        figures.push(words::count(totals.indicators, "indicator"));
    }
    page.element("<p>", &figures.join(" · "), "</p>\n")?;
    losses(page, case, &totals)?;
    page.raw("<nav aria-label=\"Contents\">")?;
    for (is_there, link) in [
        (!case.plain.is_empty(), "<a href=\"#plain\">For management</a> "),
        (
            true,
            "<a href=\"#verdicts\">Verdicts</a> <a href=\"#next\">What to do next</a> <a href=\"#timeline\">Timeline</a> ",
        ),
        (true, "<a href=\"#attack\">ATT&amp;CK</a> "),
        (case.looked_for.attribution.is_some(), "<a href=\"#who\">Who</a> "),
        (!case.sessions.processes.is_empty(), "<a href=\"#processes\">Processes</a> "),
        (!case.sessions.logons.is_empty(), "<a href=\"#logons\">Logons</a> "),
        (
            true,
            "<a href=\"#intrusions\">Intrusions</a> <a href=\"#findings\">Findings</a> <a href=\"#rules\">Rules</a> ",
        ),
        (
            true,
            "<a href=\"#coverage\">Coverage</a> <a href=\"#evidence\">Evidence</a> <a href=\"#how-to-read\">How to read this</a>",
        ),
    ] {
        if is_there {
            page.raw(link)?;
        }
    }
    page.raw(
        "</nav>
</header>
",
    )
}

/// Who may have the page, and whether it tells of something that happened.
fn marking(page: &mut Page<'_>, case: &Case, options: &Options) -> io::Result<()> {
    page.element("<p class=\"tlp\"><strong>", options.tlp.as_str(), "</strong> ")?;
    page.raw(options.tlp.audience())?;
    page.raw(if options.reveal { REVEALED } else { MASKED })?;
    if case.synthetic {
        page.raw("<p class=\"synthetic\"><strong>Synthetic evidence.</strong> ")?;
        page.raw("It was made, and tells of no real incident.</p>\n")?;
    }
    Ok(())
}

fn losses(page: &mut Page<'_>, case: &Case, totals: &Totals) -> io::Result<()> {
    let losses =
        digest::troubles(case).iter().filter(|trouble| trouble.first_loss().is_some()).count() as u64;
    if losses > 0 {
        page.element("<p class=\"loss\">", &words::count(losses, "item"), " not read whole: ")?;
        page.raw("<a href=\"#problems\">which, and why</a>.</p>\n")?;
    }
    if let Some(text) = totals.unknown_text() {
        page.element("<p>", &text, ".</p>\n")?;
    }
    Ok(())
}

/// `MXS01: BREACHED`, or how many hosts of each verdict.
fn title(hosts: &[HostView<'_>]) -> String {
    let name = |host: &HostView<'_>| host.name.unwrap_or("no host known").to_owned();
    match hosts {
        [] => "No host, no verdict".to_owned(),
        [host] => {
            let headline = host.verdict.map_or(host.severity().as_str(), |verdict| &verdict.headline);
            format!("{}: {headline}", name(host))
        }
        _ => {
            let mut counts: BTreeMap<Severity, u64> = BTreeMap::new();
            hosts.iter().for_each(|host| *counts.entry(host.severity()).or_default() += 1);
            let parts: Vec<_> =
                counts.iter().map(|(severity, count)| format!("{count} {}", severity.as_str())).collect();
            format!("{} hosts: {}", hosts.len(), parts.join(", "))
        }
    }
}

const HOW_TO_READ: &str = "<section id=\"how-to-read\" class=\"technical\">\n<h2>How to read this</h2>\n<dl>\n\
<dt>yes</dt><dd>It happened; the evidence shows it.</dd>\n\
<dt>likely</dt><dd>The evidence points to it, and something is missing.</dd>\n\
<dt>no trace</dt><dd>Nothing was found, and the logs that were there would have shown it.</dd>\n\
<dt>cannot tell</dt><dd>Nothing was found, and the logs that were there could not have shown it.</dd>\n\
<dt>not applicable</dt><dd>The question does not arise.</dd>\n\
</dl>\n\
<p>Times are UTC, as the records themselves give them. Text from evidence is shown with control, invisible and \
direction-changing characters written out as <code>\\xNN</code> or <code>\\u{N}</code>, and long values are cut \
with …; <code>findings.jsonl</code> has them whole. Every finding names the file and the byte it stands at; the \
file’s SHA-256 is under <a href=\"#evidence\">Evidence</a>.</p>\n</section>\n";

#[cfg(test)]
mod tests {
    use super::{SCRIPT, SCRIPT_HASH};
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn the_policy_names_the_script() {
        let digest = Sha256::digest(SCRIPT.as_bytes());
        let name = base64::engine::general_purpose::STANDARD.encode(digest);
        assert_eq!(SCRIPT_HASH, format!("sha256-{name}"));
        assert!(!SCRIPT.contains("</script") && !SCRIPT.contains("innerHTML"));
    }
}
