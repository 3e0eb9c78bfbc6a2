//! What was seen of ATT&CK, what could have been and what could not: a picture of lists, and the same as a table.

use super::page::Page;
use crate::attack::{self, Findings, Sight};
use crate::words;
use model::{ATTACK_VERSION, Case, TechniqueCoverage};
use std::collections::BTreeMap;
use std::io;

pub(super) fn write_matrix(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    page.raw("<section id=\"attack\" class=\"technical\">\n<h2>ATT&amp;CK</h2>\n")?;
    if case.techniques.is_empty() {
        return page.raw("<p>No rule that was loaded names a technique.</p>\n</section>\n");
    }
    let counts = attack::counts(case);
    page.element("<p>The rules know ", &words::count(counts.iter().sum(), "technique"), " of ATT&amp;CK ")?;
    page.element("v", ATTACK_VERSION, "; what no rule knows is not shown. ")?;
    page.raw("A finding of level informational alone does not count as seen. <code>layer.json</code> holds the same for the ATT&amp;CK Navigator.</p>\n")?;
    write_legend(page, counts)?;
    let findings = attack::findings(case);
    page.raw("<div class=\"matrix\">\n")?;
    for column in attack::columns(case) {
        page.element("<div class=\"tactic\"><h3>", column.tactic, "</h3>\n<ul>\n")?;
        for row in &column.rows {
            match row.own {
                Some(own) => write_technique(page, own, &findings)?,
                None => page.element("<li class=\"parent\"><b>", row.id, "</b>")?,
            }
            if !row.parts.is_empty() {
                page.raw("<ul>")?;
                for part in &row.parts {
                    write_technique(page, part, &findings)?;
                    page.raw("</li>")?;
                }
                page.raw("</ul>")?;
            }
            page.raw("</li>\n")?;
        }
        page.raw("</ul></div>\n")?;
    }
    page.raw("</div>\n")?;
    write_twin(page, case, &findings)?;
    page.raw("</section>\n")
}

fn write_legend(page: &mut Page<'_>, counts: [u64; 3]) -> io::Result<()> {
    page.raw("<p class=\"sights\">")?;
    for (sight, count) in Sight::ALL.into_iter().zip(counts) {
        page.raw(open(sight, "span"))?;
        page.element("<b>", &words::thousands(count), "</b> ")?;
        page.raw(sight.as_str())?;
        page.raw("</span> ")?;
    }
    page.raw("</p>\n")
}

/// An item that is left open.
fn write_technique(
    page: &mut Page<'_>,
    technique: &TechniqueCoverage,
    findings: &BTreeMap<&str, Findings<'_>>,
) -> io::Result<()> {
    let sight = Sight::of(technique);
    page.raw(open(sight, "li"))?;
    let own = findings.get(technique.id.as_str());
    let first = own.and_then(|own| own.first).filter(|_| sight == Sight::Seen);
    if let Some(first) = first {
        page.element("<a href=\"#f-", &first.id.to_string(), "\" data-technique=\"")?;
        page.element("", &technique.id, "\">")?;
    }
    page.element("<b>", &technique.id, "</b> ")?;
    page.value(&technique.name)?;
    if first.is_some() {
        page.raw("</a>")?;
    }
    match sight {
        Sight::Seen => {
            page.element(" <span class=\"count\">", &words::count(technique.findings, "finding"), "</span>")?
        }
        Sight::CouldHave | Sight::CouldNot => {}
    }
    if let Some(count) = own.map(|own| own.informational).filter(|count| *count > 0 && sight != Sight::Seen) {
        page.element(" <span class=\"count\">", &words::thousands(count), " informational</span>")?;
    }
    page.element("<span class=\"unseen\"> (", sight.as_str(), ")</span>")
}

fn open(sight: Sight, element: &'static str) -> &'static str {
    match (sight, element) {
        (Sight::Seen, "li") => "<li class=\"sight seen\">",
        (Sight::CouldHave, "li") => "<li class=\"sight could-have\">",
        (Sight::CouldNot, "li") => "<li class=\"sight could-not\">",
        (Sight::Seen, _) => "<span class=\"sight seen\">",
        (Sight::CouldHave, _) => "<span class=\"sight could-have\">",
        (Sight::CouldNot, _) => "<span class=\"sight could-not\">",
    }
}

/// The table that the picture stands for; it also says on which hosts.
fn write_twin(page: &mut Page<'_>, case: &Case, findings: &BTreeMap<&str, Findings<'_>>) -> io::Result<()> {
    page.raw("<details><summary>The same as a table, with hosts and rules</summary>\n")?;
    page.table(
        "Techniques that a rule knows",
        &[
            "Technique",
            "Name",
            "Tactics",
            "Seen?",
            "#Findings",
            "#Informational",
            "#Rules that met their log",
            "#Rules that did not",
            "Seen on",
            "Could have been seen on",
        ],
    )?;
    for technique in &case.techniques {
        page.raw("<tr>")?;
        page.row_head(&technique.id)?;
        page.cell(&technique.name)?;
        page.cell(&attack::tactic_names(technique))?;
        page.cell(Sight::of(technique).as_str())?;
        page.number(&words::thousands(technique.findings))?;
        let informational = findings.get(technique.id.as_str()).map_or(0, |own| own.informational);
        page.number(&words::thousands(informational))?;
        page.number(&words::thousands(technique.rules_met))?;
        page.number(&words::thousands(technique.rules_not_met))?;
        page.cell(&technique.seen_on.join(", "))?;
        page.cell(&technique.met_on.join(", "))?;
        page.raw("</tr>\n")?;
    }
    page.end_table()?;
    page.raw("</details>\n")
}
