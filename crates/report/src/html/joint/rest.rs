//! What stands behind the clauses: where sources disagree, notes, scales, sources, how to read it.

use super::super::page::Page;
use statement::View;
use std::io;

pub(super) fn source_links(page: &mut Page<'_>, view: &View<'_>, ids: &[String]) -> io::Result<()> {
    for (index, id) in ids.iter().enumerate() {
        page.raw(if index == 0 { "" } else { "; " })?;
        page.element("<a href=\"#source-", id, "\">")?;
        let by =
            view.statement.sources.iter().find(|source| source.id == *id).map_or(id, |source| &source.by);
        page.element("", by, "</a>")?;
    }
    Ok(())
}

fn clause_links(page: &mut Page<'_>, ids: &[String]) -> io::Result<()> {
    for id in ids {
        page.element("<a href=\"#clause-", id, "\">")?;
        page.element("", id, "</a> ")?;
    }
    Ok(())
}

pub(super) fn conflicts(page: &mut Page<'_>, view: &View<'_>) -> io::Result<()> {
    let conflicts = view.record.map_or(&[][..], |record| &record.conflicts);
    if conflicts.is_empty() {
        return Ok(());
    }
    page.raw("<section id=\"conflicts\">\n<h2>Where sources disagree</h2>\n")?;
    for conflict in conflicts {
        page.element("<div class=\"conflict\"><h3>", &conflict.title, "</h3>\n<p>")?;
        clause_links(page, &conflict.clauses)?;
        page.element("", &conflict.settled, "</p>\n<ul>")?;
        for reading in &conflict.readings {
            page.element("<li>", &reading.says, " [")?;
            source_links(page, view, std::slice::from_ref(&reading.source))?;
            page.raw("]</li>")?;
        }
        page.raw("</ul></div>\n")?;
    }
    page.raw("</section>\n")
}

pub(super) fn notes(page: &mut Page<'_>, view: &View<'_>) -> io::Result<()> {
    if view.statement.notes.is_empty() {
        return Ok(());
    }
    page.raw("<section id=\"notes\">\n<h2>Notes</h2>\n<ul>")?;
    for note in &view.statement.notes {
        page.raw("<li>")?;
        clause_links(page, &note.clauses)?;
        page.text(&note.text)?;
        if !note.sources.is_empty() {
            page.raw(" [")?;
            source_links(page, view, &note.sources)?;
            page.raw("]")?;
        }
        page.raw("</li>\n")?;
    }
    page.raw("</ul></section>\n")
}

pub(super) fn scales(page: &mut Page<'_>, view: &View<'_>) -> io::Result<()> {
    if view.statement.scales.is_empty() {
        return Ok(());
    }
    page.raw("<section id=\"scales\">\n<h2>Scales</h2>\n<p>As their owners publish them. No party’s word is moved from one to another.</p>\n")?;
    page.table("Scales and their words", &["Scale", "Owner", "Axis", "Words"])?;
    for scale in &view.statement.scales {
        page.raw("<tr>")?;
        page.element("<th scope=\"row\">", &scale.id, "</th>")?;
        page.element("<td>", &scale.owner, "</td>")?;
        page.element("<td>", &scale.axis, "</td>")?;
        page.raw("<td>")?;
        for (index, term) in scale.terms.iter().enumerate() {
            page.raw(if index == 0 { "" } else { "; " })?;
            page.text(&term.word)?;
            if let (Some(from), Some(to)) = (term.from, term.to) {
                page.text(&format!(" {from}–{to} %"))?;
            }
        }
        page.raw("</td></tr>\n")?;
    }
    page.end_table()?;
    page.raw("</section>\n")
}

pub(super) fn sources(page: &mut Page<'_>, view: &View<'_>) -> io::Result<()> {
    if view.statement.sources.is_empty() {
        return Ok(());
    }
    page.raw("<section id=\"sources\">\n<h2>Sources</h2>\n")?;
    page.table(
        "Texts that were read, and how much of them",
        &["Source", "Date", "Kind", "How seen", "Address"],
    )?;
    for source in &view.statement.sources {
        page.element("<tr id=\"source-", &source.id, "\"><th scope=\"row\">")?;
        page.element("", &source.by, "</th>")?;
        for text in [&source.date, &source.kind, &source.seen] {
            page.element("<td>", text, "</td>")?;
        }
        // Shown, not linked: an address can come from anybody.
        page.element("<td><code>", source.url.as_deref().unwrap_or(""), "</code></td></tr>\n")?;
    }
    page.end_table()?;
    page.raw("</section>\n")
}

pub(super) fn how_to_read(page: &mut Page<'_>, view: &View<'_>) -> io::Result<()> {
    page.raw("<section id=\"how-to-read\">\n<h2>How to read this</h2>\n<dl>\n<dt>Clause</dt><dd>One claim at one level: act, cluster, actor, organisation, state, each further than the one before. Other kinds (territory, intent, acknowledgement, support, demand, denial) do not say who did it.</dd>\n")?;
    page.raw("<dt>Joint</dt><dd>Only for those named: a clause is joint for whoever stands behind that clause, and for nobody else. There is no view of all parties together.</dd>\n<dt>Silence</dt><dd>is not assent.</dd>\n<dt>Words</dt><dd>are each party’s own. A scale stands there only where the party named it; no word is translated or averaged.</dd>\n")?;
    page.raw(match view.record {
        Some(_) => {
            "<dt>Signatures</dt><dd>None: this is a record of public texts, each with its sources.</dd>\n"
        }
        None => {
            "<dt>Signatures</dt><dd>Anybody can check them with sha256sum and ssh-keygen: VERIFY.md.</dd>\n"
        }
    })?;
    page.raw("</dl>\n</section>\n")
}
