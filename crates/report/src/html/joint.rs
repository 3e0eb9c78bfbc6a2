//! A joint statement as one page: who stands behind what, side by side, dissent as large as assent, each clause with its
//! grounds.
//!
//! The same shell, escaping and policy as the report's, and no script at all.

use super::page::Page;
use crate::Tlp;
use crate::mask::Mask;
use statement::{ClauseStanding, Record, Stance, Statement, Voice, clause_joint, ground_text};
use std::io::{self, Write};

/// What the page is made of.
pub struct StatementPage<'s> {
    /// The statement.
    pub statement: &'s Statement,
    /// Who stands behind what, by clause.
    pub standings: &'s [ClauseStanding<'s>],
    /// The record, when positions were not signed but said in public.
    pub record: Option<&'s Record>,
    /// Where the positions are from, in sentences.
    pub foreword: &'s [String],
    /// The program's version.
    pub version: &'s str,
}

/// Writes the page.
///
/// # Errors
/// Those of the writer.
pub fn write_statement_html(of: &StatementPage<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mask = Mask::default();
    let mut page = Page::new(out, &mask, "");
    let page = &mut page;
    super::head(page, &of.statement.title, include_str!("joint.css"))?;
    banner(page, of)?;
    page.raw("<main>\n")?;
    glance(page, of)?;
    page.raw("<section id=\"clauses\">\n<h2>Clauses</h2>\n")?;
    for standing in of.standings {
        clause(page, of, standing)?;
    }
    page.raw("</section>\n")?;
    conflicts(page, of)?;
    notes(page, of)?;
    scales(page, of)?;
    sources(page, of)?;
    how_to_read(page, of)?;
    page.element("</main>\n<footer><p>Made by assay ", of.version, ". ")?;
    page.element("", tlp(of).as_str(), "</p></footer>\n</body>\n</html>\n")
}

/// The statement's label; what is none here is taken as strictly as what nobody marked.
fn tlp(of: &StatementPage<'_>) -> Tlp {
    let label = format!("TLP:{}", of.statement.tlp.to_ascii_uppercase());
    let all = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red];
    all.into_iter().find(|tlp| tlp.as_str() == label).unwrap_or(Tlp::AmberStrict)
}

fn banner(page: &mut Page<'_>, of: &StatementPage<'_>) -> io::Result<()> {
    page.element("<header>\n<p class=\"tlp\"><strong>", tlp(of).as_str(), "</strong> ")?;
    page.raw(tlp(of).audience())?;
    page.raw("</p>\n")?;
    if of.statement.synthetic {
        page.raw("<p class=\"synthetic\"><strong>Synthetic evidence.</strong> It was made, and tells of no real incident; this cannot be signed.</p>\n")?;
    }
    page.element("<h1>", &of.statement.title, "</h1>\n")?;
    if !of.statement.about.is_empty() {
        page.element("<p>", &of.statement.about, "</p>\n")?;
    }
    for line in of.foreword {
        page.element("<p class=\"foreword\">", line, "</p>\n")?;
    }
    page.raw(
        "<nav aria-label=\"Contents\"><a href=\"#glance\">At a glance</a> <a href=\"#clauses\">Clauses</a> ",
    )?;
    for (is_there, link) in [
        (
            of.record.is_some_and(|record| !record.conflicts.is_empty()),
            "<a href=\"#conflicts\">Conflicts</a> ",
        ),
        (!of.statement.notes.is_empty(), "<a href=\"#notes\">Notes</a> "),
        (!of.statement.scales.is_empty(), "<a href=\"#scales\">Scales</a> "),
        (!of.statement.sources.is_empty(), "<a href=\"#sources\">Sources</a> "),
    ] {
        if is_there {
            page.raw(link)?;
        }
    }
    page.raw("<a href=\"#how-to-read\">How to read this</a></nav>\n</header>\n")
}

/// Where a voice stands: the class of its card, and its column at a glance.
fn side(voice: &Voice) -> (&'static str, usize) {
    match voice.stance {
        Some(Stance::Concur) => ("for", 0),
        Some(Stance::ConcurInPart) => ("in-part", 1),
        Some(Stance::Dissent) => ("against", 2),
        Some(Stance::Abstain) | None => ("aside", 1),
    }
}

fn glance(page: &mut Page<'_>, of: &StatementPage<'_>) -> io::Result<()> {
    page.raw("<section id=\"glance\" class=\"glance\">\n<h2>At a glance</h2>\n")?;
    let silent = if of.record.is_some() { "Nothing seen (not assent)" } else { "Silent (not assent)" };
    page.table(
        "Who stands behind which clause",
        &["Clause", "For it", "In part, aside, or unclear", "Against it", silent],
    )?;
    for standing in of.standings {
        let clause = standing.clause;
        page.element("<tr><th scope=\"row\"><a href=\"#clause-", &clause.id, "\">")?;
        page.element("", &clause.id, "</a> <span class=\"level\">")?;
        page.element("", clause.level.as_str(), "</span><br>")?;
        page.text(&clause.text)?;
        page.raw("</th>")?;
        for column in 0..3 {
            page.raw("<td><ul>")?;
            for voice in standing.voices.iter().filter(|voice| side(voice).1 == column) {
                page.element("<li>", of.statement.party_name(&voice.party), " ")?;
                page.element("<span class=\"level\">", &voice.verb, "</span>")?;
                for (_, word) in &voice.words {
                    page.element("<br>", word, "")?;
                }
                page.raw("</li>")?;
            }
            page.raw("</ul></td>")?;
        }
        let name = |party: &String| of.statement.party_name(party).to_owned();
        let withdrawn = standing.withdrawn.iter().map(|gone| format!("{} (withdrawn)", name(&gone.party)));
        let silent: Vec<String> = standing.silent.iter().map(name).chain(withdrawn).collect();
        page.element("<td>", &silent.join(", "), "</td></tr>\n")?;
    }
    page.end_table()?;
    page.raw("</section>\n")
}

fn clause(page: &mut Page<'_>, of: &StatementPage<'_>, standing: &ClauseStanding<'_>) -> io::Result<()> {
    let clause = standing.clause;
    page.element("<section class=\"clause\" id=\"clause-", &clause.id, "\">\n")?;
    page.element("<h3>", &clause.id, " <span class=\"level\">")?;
    page.text(clause.level.as_str())?;
    if let Some(names) = &clause.names {
        page.element(", names ", names, "")?;
    }
    page.raw(if clause.level.attributes() {
        "</span></h3>\n"
    } else {
        ", says not who did it</span></h3>\n"
    })?;
    page.element("<p class=\"claim\">", &clause.text, "</p>\n")?;
    page.element(
        "<p class=\"joint\">",
        &clause_joint(of.statement, standing, of.record.is_some()),
        "</p>\n",
    )?;
    if !clause.builds_on.is_empty() {
        page.raw("<p class=\"small\">Presupposes")?;
        for id in &clause.builds_on {
            page.element(" <a href=\"#clause-", id, "\">")?;
            page.element("", id, "</a>")?;
        }
        page.raw(".</p>\n")?;
    }
    if !clause.grounds.is_empty() {
        page.raw("<h4>Grounds</h4>\n<ul>")?;
        for ground in &clause.grounds {
            page.element("<li>", &ground_text(of.statement, ground), "</li>")?;
        }
        page.raw("</ul>\n")?;
    }
    page.raw("<ul class=\"voices-of\">\n")?;
    for voice in &standing.voices {
        card(page, of, voice)?;
    }
    page.raw("</ul>\n")?;
    for gone in &standing.withdrawn {
        page.element("<p>", &gone.sentence(of.statement.party_name(&gone.party)), "</p>\n")?;
    }
    if !standing.silent.is_empty() {
        let names: Vec<&str> = standing.silent.iter().map(|party| of.statement.party_name(party)).collect();
        page.raw(if of.record.is_some() { "<p>Nothing seen of" } else { "<p>Silent" })?;
        page.element(" (not assent): ", &names.join(", "), "</p>\n")?;
    }
    page.raw("</section>\n")
}

fn card(page: &mut Page<'_>, of: &StatementPage<'_>, voice: &Voice) -> io::Result<()> {
    page.element("<li class=\"voice ", side(voice).0, "\"><h4>")?;
    page.element("", of.statement.party_name(&voice.party), "</h4>\n<p class=\"stance\">")?;
    page.element("", &voice.verb, " <span class=\"level\">")?;
    if let Some(number) = voice.number {
        page.element("position ", &number.to_string(), ", ")?;
    }
    page.element("", &voice.date, "</span></p>\n<dl>")?;
    for (label, text) in voice.parts() {
        page.element("<dt>", label, "</dt><dd>")?;
        match label == "in its words" {
            true => page.element("<blockquote>“", text, "”</blockquote></dd>")?,
            false => page.element("", text, "</dd>")?,
        }
    }
    if !voice.sources.is_empty() {
        page.raw("<dt>sources</dt><dd>")?;
        source_links(page, of, &voice.sources)?;
        page.raw("</dd>")?;
    }
    for (number, said) in &voice.earlier {
        page.element("<dt>supersedes position ", &number.to_string(), "</dt>")?;
        page.element("<dd>", said, "</dd>")?;
    }
    page.raw("</dl></li>\n")
}

fn source_links(page: &mut Page<'_>, of: &StatementPage<'_>, ids: &[String]) -> io::Result<()> {
    for (index, id) in ids.iter().enumerate() {
        page.raw(if index == 0 { "" } else { "; " })?;
        page.element("<a href=\"#source-", id, "\">")?;
        let by = of.statement.sources.iter().find(|source| source.id == *id).map_or(id, |source| &source.by);
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

fn conflicts(page: &mut Page<'_>, of: &StatementPage<'_>) -> io::Result<()> {
    let conflicts = of.record.map_or(&[][..], |record| &record.conflicts);
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
            source_links(page, of, std::slice::from_ref(&reading.source))?;
            page.raw("]</li>")?;
        }
        page.raw("</ul></div>\n")?;
    }
    page.raw("</section>\n")
}

fn notes(page: &mut Page<'_>, of: &StatementPage<'_>) -> io::Result<()> {
    if of.statement.notes.is_empty() {
        return Ok(());
    }
    page.raw("<section id=\"notes\">\n<h2>Notes</h2>\n<ul>")?;
    for note in &of.statement.notes {
        page.raw("<li>")?;
        clause_links(page, &note.clauses)?;
        page.text(&note.text)?;
        if !note.sources.is_empty() {
            page.raw(" [")?;
            source_links(page, of, &note.sources)?;
            page.raw("]")?;
        }
        page.raw("</li>\n")?;
    }
    page.raw("</ul></section>\n")
}

fn scales(page: &mut Page<'_>, of: &StatementPage<'_>) -> io::Result<()> {
    if of.statement.scales.is_empty() {
        return Ok(());
    }
    page.raw("<section id=\"scales\">\n<h2>Scales</h2>\n<p>As their owners publish them. No party’s word is moved from one to another.</p>\n")?;
    page.table("Scales and their words", &["Scale", "Owner", "Axis", "Words"])?;
    for scale in &of.statement.scales {
        page.raw("<tr>")?;
        page.row_head(&scale.id)?;
        page.cell(&scale.owner)?;
        page.cell(&scale.axis)?;
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

fn sources(page: &mut Page<'_>, of: &StatementPage<'_>) -> io::Result<()> {
    if of.statement.sources.is_empty() {
        return Ok(());
    }
    page.raw("<section id=\"sources\">\n<h2>Sources</h2>\n")?;
    page.table(
        "Texts that were read, and how much of them",
        &["Source", "Date", "Kind", "How seen", "Address"],
    )?;
    for source in &of.statement.sources {
        page.element("<tr id=\"source-", &source.id, "\"><th scope=\"row\">")?;
        page.element("", &source.by, "</th>")?;
        page.cell(&source.date)?;
        page.cell(&source.kind)?;
        page.cell(&source.seen)?;
        // Shown, not linked: an address can come from anybody.
        page.element("<td><code>", source.url.as_deref().unwrap_or(""), "</code></td></tr>\n")?;
    }
    page.end_table()?;
    page.raw("</section>\n")
}

fn how_to_read(page: &mut Page<'_>, of: &StatementPage<'_>) -> io::Result<()> {
    page.raw("<section id=\"how-to-read\">\n<h2>How to read this</h2>\n<dl>\n<dt>Clause</dt><dd>One claim at one level: act, cluster, actor, organisation, state, each further than the one before. Other kinds (territory, intent, acknowledgement, support, demand, denial) do not say who did it.</dd>\n")?;
    page.raw("<dt>Joint</dt><dd>Only for those named: a clause is joint for whoever stands behind that clause, and for nobody else. There is no view of all parties together.</dd>\n<dt>Silence</dt><dd>is not assent.</dd>\n<dt>Words</dt><dd>are each party’s own. A scale stands there only where the party named it; no word is translated or averaged.</dd>\n")?;
    page.raw(match of.record {
        Some(_) => {
            "<dt>Signatures</dt><dd>None: this is a record of public texts, each with its sources.</dd>\n"
        }
        None => {
            "<dt>Signatures</dt><dd>Anybody can check them with sha256sum and ssh-keygen: VERIFY.md.</dd>\n"
        }
    })?;
    page.raw("</dl>\n</section>\n")
}
