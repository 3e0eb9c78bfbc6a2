//! `report.html`: the case as one page that needs nothing else: no request, no link from evidence, and
//! no need of its script.
//!
//! [`page::Page`] takes markup only as constant text and escapes all else, so that nothing from evidence can
//! become markup. What would make the page unwieldy is capped, with a sentence that says where the rest is.

mod coverage;
mod findings;
mod lanes;
mod page;
mod verdicts;

use crate::digest::{self, HostView, Severity, Totals};
use crate::mask::Mask;
use crate::{Options, words};
use model::{Case, Run};
use page::Page;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The only script that the page's policy lets run; all of it is ours.
const SCRIPT: &str = include_str!("html/report.js");
/// SHA-256 of it, as a Content-Security-Policy names it (a test compares).
const SCRIPT_HASH: &str = "sha256-i9Vymaev1NIne3wHVwHfRLvXG8iLjhbdeYqWQhkpGMA=";

const MASKED: &str = " Names of people and of web shells are masked; the case’s JSON files hold them.</p>\n";
const REVEALED: &str =
    " <strong>Names of people and of web shells, which are their passwords, stand in it.</strong></p>\n";

/// Rules listed that did not load.
const NOTES_MAX: usize = 200;

/// Writes `report.html`.
///
/// # Errors
/// Those of `out`, and of fields that cannot be read back.
pub fn write_report(case: &Case, run: &Run, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let hosts = digest::hosts(case);
    let mask = if options.reveal { Mask::default() } else { Mask::of(case)? };
    let mut page = Page::new(out, &mask);
    head(&mut page, &hosts)?;
    banner(&mut page, case, &hosts, options)?;
    page.raw("<main>\n")?;
    verdicts::write_verdicts(&mut page, case, &hosts)?;
    verdicts::write_next(&mut page, &hosts)?;
    lanes::write_timeline(&mut page, case, &hosts)?;
    findings::write_intrusions(&mut page, case)?;
    findings::write_findings(&mut page, case)?;
    coverage::write_coverage(&mut page, case)?;
    coverage::write_evidence(&mut page, case)?;
    rules(&mut page, case, run)?;
    page.raw(HOW_TO_READ)?;
    page.raw("</main>\n<footer><p>Made by assay ")?;
    page.text(&run.version)?;
    page.element(". ", options.tlp.as_str(), "</p></footer>\n<script>")?;
    page.raw(SCRIPT)?;
    page.raw("</script>\n</body>\n</html>\n")
}

fn head(page: &mut Page<'_>, hosts: &[HostView<'_>]) -> io::Result<()> {
    page.raw(concat!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src '",
    ))?;
    page.raw(SCRIPT_HASH)?;
    page.raw(concat!(
        "'; base-uri 'none'; form-action 'none'\">\n",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n<title>",
    ))?;
    page.text(&title(hosts))?;
    page.raw(" · assay</title>\n<style>\n")?;
    page.raw(include_str!("html/style.css"))?;
    page.raw("</style>\n</head>\n<body>\n")
}

fn banner(page: &mut Page<'_>, case: &Case, hosts: &[HostView<'_>], options: &Options) -> io::Result<()> {
    page.element("<header>\n<p class=\"tlp\"><strong>", options.tlp.as_str(), "</strong> ")?;
    page.raw(options.tlp.audience())?;
    page.raw(if options.reveal { REVEALED } else { MASKED })?;
    if case.synthetic {
        page.raw("<p class=\"synthetic\"><strong>Synthetic evidence.</strong> ")?;
        page.raw("It was made, and tells of no real incident.</p>\n")?;
    }
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
    page.raw(concat!(
        "<nav aria-label=\"Contents\"><a href=\"#verdicts\">Verdicts</a> <a href=\"#next\">What to do next</a> ",
        "<a href=\"#timeline\">Timeline</a> <a href=\"#intrusions\">Intrusions</a> <a href=\"#findings\">Findings</a> ",
        "<a href=\"#coverage\">Coverage</a> <a href=\"#evidence\">Evidence</a> <a href=\"#rules\">Rules</a> ",
        "<a href=\"#how-to-read\">How to read this</a></nav>\n</header>\n",
    ))
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

fn rules(page: &mut Page<'_>, case: &Case, run: &Run) -> io::Result<()> {
    page.raw("<section id=\"rules\">\n<h2>Rules</h2>\n<p>")?;
    page.text(&words::count(case.rules_loaded as u64, "rule"))?;
    page.raw(" loaded, SHA-256 over all of them <code>")?;
    page.text(&words::hex(&case.rules_sha256))?;
    page.raw("</code>. Rules whose log was not in the evidence: ")?;
    page.text(&words::thousands(run.rules_not_met.len() as u64))?;
    page.raw(" (<code>run.json</code> lists them).</p>\n")?;
    if !run.rules_not_loaded.is_empty() {
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
        page.rest(run.rules_not_loaded.len(), NOTES_MAX, "rule", "run.json")?;
    }
    page.raw("</section>\n")
}

const HOW_TO_READ: &str = "<section id=\"how-to-read\">\n<h2>How to read this</h2>\n<dl>\n\
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
