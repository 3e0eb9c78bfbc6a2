//! What a clause rests on, each ground with an id of its own.

use super::super::page::Page;
use statement::{AttributionGround, Clause, ExternalGround, FindingGround, View};
use std::io;

/// Findings of one ground that are written out.
const FINDINGS_MAX: usize = 200;

pub(super) fn write_grounds(page: &mut Page<'_>, view: &View<'_>, clause: &Clause) -> io::Result<()> {
    if clause.grounds.is_empty() {
        // What was said in public stands with its sources.
        let nothing = if view.record.is_some() { "" } else { "<p class=\"small\">No ground is given.</p>\n" };
        return page.raw(nothing);
    }
    page.raw("<h4>Grounds</h4>\n<ol class=\"grounds\">\n")?;
    for (number, ground) in (1..).zip(&clause.grounds) {
        page.element("<li id=\"ground-", &format!("{}-{number}", clause.id), "\">")?;
        if let Some(finding) = &ground.finding {
            write_finding(page, view, finding)?;
        }
        if let Some(attribution) = &ground.attribution {
            write_attribution(page, attribution)?;
        }
        if let Some(external) = &ground.external {
            write_external(page, view, external)?;
        }
        page.raw("</li>\n")?;
    }
    page.raw("</ol>\n")
}

fn write_finding(page: &mut Page<'_>, view: &View<'_>, ground: &FindingGround) -> io::Result<()> {
    if !ground.shows.is_empty() {
        page.element("<p>", &ground.shows, "</p>")?;
    }
    page.element("<p>Findings of case <code>", &ground.case, "</code>, whose <code>findings.jsonl</code> ")?;
    page.element("has SHA-256 <code class=\"hash\">", &ground.findings_sha256, "</code>: ")?;
    page.raw("each is <code>report.html#f-</code> and its id in that case.</p>")?;
    let known: Vec<_> =
        ground.ids.iter().filter_map(|id| Some((id, view.findings.get(id)?))).take(FINDINGS_MAX).collect();
    if known.is_empty() {
        page.raw("<p>")?;
        for id in &ground.ids {
            page.element("<code>", id, "</code> ")?;
        }
        return page.raw("</p>");
    }
    page.table(
        "Findings of this ground",
        &["Finding", "Time (UTC)", "Host", "What", "Where in the evidence"],
    )?;
    for (id, finding) in &known {
        page.element("<tr><th scope=\"row\"><code>", id, "</code></th>")?;
        page.time(&finding.time)?;
        page.element("<td>", &finding.host, "</td>")?;
        page.element("<td>", &finding.shows, "</td>")?;
        page.element("<td><code>", &finding.place, "</code></td></tr>\n")?;
    }
    page.end_table()?;
    page.rest(ground.ids.len(), known.len(), "finding", "findings.jsonl")
}

fn write_attribution(page: &mut Page<'_>, ground: &AttributionGround) -> io::Result<()> {
    page.element("<p>", &ground.says, "</p>")?;
    page.element("<p>What was weighed for <code>", &ground.intrusion, "</code> of case ")?;
    page.element("<code>", &ground.case, "</code>, whose <code>attribution.json</code> has SHA-256 ")?;
    page.element("<code class=\"hash\">", &ground.attribution_sha256, "</code>: ")?;
    page.raw("<code>report.html#who</code> in that case.</p>")
}

fn write_external(page: &mut Page<'_>, view: &View<'_>, ground: &ExternalGround) -> io::Result<()> {
    page.element("<p><b>", &ground.author, "</b>, ")?;
    page.element("", &ground.date, ", claims: ")?;
    page.text(&ground.claim)?;
    if let Some(word) = &ground.word {
        page.element(" <q>", word, "</q> (")?;
        page.element("", ground.scale.as_deref().unwrap_or("scale not stated"), ")")?;
    }
    page.raw(" [")?;
    match view.statement.sources.iter().any(|source| source.id == ground.source) {
        true => super::rest::source_links(page, view, std::slice::from_ref(&ground.source))?,
        false => page.text(&ground.source)?,
    }
    page.raw("]</p>")
}
