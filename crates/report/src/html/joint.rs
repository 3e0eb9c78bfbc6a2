//! A joint statement as one page: who stands behind what, side by side, dissent as large as assent, each clause with its
//! grounds.
//!
//! The same shell and escaping as the report's; its policy lets no script run, and there is none. A table of clauses and
//! parties leads to what each party says, that to the clause, and the clause to its grounds: findings, results of
//! weighing actors, claims of others with their sources.

mod grounds;
mod rest;

use super::page::Page;
use crate::mask::Mask;
use statement::{
    Clause, ClauseStanding, Stance, View, Voice, clause_joint, label_sentence, label_text, silence_text,
};
use std::io::{self, Write};

/// Parties beside each other on a sheet of paper; a table of more is printed on its side.
const PARTIES_UPRIGHT_MAX: usize = 5;

/// Writes the page; `version` is the program's.
///
/// # Errors
/// Those of the writer.
pub fn write_statement_html(view: &View<'_>, version: &str, out: &mut dyn Write) -> io::Result<()> {
    let mask = Mask::default();
    let mut page = Page::new(out, &mask, "");
    let page = &mut page;
    super::head_without_script(page, &view.statement.title, include_str!("joint.css"))?;
    banner(page, view)?;
    page.raw("<main>\n")?;
    glance(page, view)?;
    page.raw("<section id=\"clauses\">\n<h2>Clauses</h2>\n")?;
    for standing in &view.standings {
        clause(page, view, standing)?;
    }
    page.raw("</section>\n")?;
    rest::conflicts(page, view)?;
    rest::notes(page, view)?;
    rest::scales(page, view)?;
    rest::sources(page, view)?;
    rest::how_to_read(page, view)?;
    page.element("</main>\n<footer><p>Made by assay ", version, ". ")?;
    page.element("", &label_text(view.label.tlp, &view.label.recipients), "</p></footer>\n</body>\n</html>\n")
}

fn banner(page: &mut Page<'_>, view: &View<'_>) -> io::Result<()> {
    let statement = view.statement;
    page.element("<header>\n<p class=\"tlp\"><strong>", view.label.tlp.as_str(), "</strong> ")?;
    let sentence = label_sentence(view);
    page.raw(view.label.tlp.audience())?;
    page.element("", sentence.strip_prefix(view.label.tlp.as_str()).unwrap_or(&sentence), "</p>\n")?;
    if statement.synthetic {
        page.raw("<p class=\"synthetic\"><strong>Synthetic evidence.</strong> It was made, and tells of no real incident; this cannot be signed.</p>\n")?;
    }
    page.element("<h1>", &statement.title, "</h1>\n")?;
    if !statement.about.is_empty() {
        page.element("<p>", &statement.about, "</p>\n")?;
    }
    for line in &view.foreword {
        page.element("<p class=\"foreword\">", line, "</p>\n")?;
    }
    if !view.left_out.is_empty() {
        page.raw("<div class=\"foreword\"><p class=\"loss\">Not all of it is shown here. Left out:</p><ul>")?;
        for line in view.left_out_text() {
            page.element("<li>", &line, "</li>")?;
        }
        page.raw("</ul></div>\n")?;
    }
    page.raw(
        "<nav aria-label=\"Contents\"><a href=\"#glance\">Side by side</a> <a href=\"#clauses\">Clauses</a> ",
    )?;
    for (is_there, link) in [
        (
            view.record.is_some_and(|record| !record.conflicts.is_empty()),
            "<a href=\"#conflicts\">Conflicts</a> ",
        ),
        (!statement.notes.is_empty(), "<a href=\"#notes\">Notes</a> "),
        (!statement.scales.is_empty(), "<a href=\"#scales\">Scales</a> "),
        (!statement.sources.is_empty(), "<a href=\"#sources\">Sources</a> "),
    ] {
        if is_there {
            page.raw(link)?;
        }
    }
    page.raw("<a href=\"#how-to-read\">How to read this</a></nav>\n</header>\n")
}

/// Where a voice stands: the class of its card and of its cell.
fn side(voice: &Voice) -> &'static str {
    match voice.stance {
        Some(Stance::Concur) => "for",
        Some(Stance::ConcurInPart) => "in-part",
        Some(Stance::Dissent) => "against",
        Some(Stance::Abstain) | None => "aside",
    }
}

/// The stance in a word or two, for a cell.
fn short_verb(voice: &Voice) -> &str {
    match (voice.number, voice.stance) {
        (Some(_), _) => &voice.verb,
        (None, Some(Stance::Concur)) => "states it",
        (None, Some(Stance::ConcurInPart)) => "states a part",
        (None, Some(Stance::Dissent)) => "contradicts",
        (None, _) if voice.verb.starts_with("relays") => "relays others",
        (None, _) => "unclear",
    }
}

/// The id of what one party says of one clause; a record may hold several.
fn voice_id(clause: &Clause, voice: &Voice, standing: &ClauseStanding<'_>) -> String {
    let before = standing.voices.iter().take_while(|own| !std::ptr::eq(*own, voice));
    let earlier = before.filter(|own| own.party == voice.party).count();
    let more = if earlier > 0 { format!("-{}", earlier + 1) } else { String::new() };
    format!("voice-{}-{}{more}", clause.id, voice.party)
}

/// Clauses and parties, side by side.
fn glance(page: &mut Page<'_>, view: &View<'_>) -> io::Result<()> {
    let mut parties: Vec<&str> = view.statement.parties.iter().map(|party| party.id.as_str()).collect();
    // Who was not asked and spoke all the same.
    for voice in view.standings.iter().flat_map(|standing| &standing.voices) {
        if !parties.contains(&voice.party.as_str()) {
            parties.push(&voice.party);
        }
    }
    page.raw(match parties.len() > PARTIES_UPRIGHT_MAX {
        true => "<section id=\"glance\" class=\"sides wide\">\n",
        false => "<section id=\"glance\" class=\"sides\">\n",
    })?;
    page.raw("<h2>Side by side</h2>\n<p>Each row is a clause, each column a party, with its own word for how sure it is; a scale stands with the word only where the party named one. Each cell leads to what the party says.</p>\n")?;
    page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Who says what of which clause\"><table>\n<caption>Who says what of which clause</caption>\n<thead><tr><th scope=\"col\">Clause</th>")?;
    for party in &parties {
        page.element("<th scope=\"col\">", view.statement.party_name(party), "</th>")?;
    }
    page.raw("</tr></thead>\n<tbody>\n")?;
    for standing in &view.standings {
        let clause = standing.clause;
        page.element("<tr><th scope=\"row\"><a href=\"#clause-", &clause.id, "\">")?;
        page.element("", &clause.id, "</a> <span class=\"level\">")?;
        page.element("", clause.level.as_str(), "</span><span class=\"claim-text\">")?;
        page.element("", &clause.text, "</span></th>")?;
        for party in &parties {
            cell(page, view, standing, party)?;
        }
        page.raw("</tr>\n")?;
    }
    page.end_table()?;
    page.raw("</section>\n")
}

fn cell(page: &mut Page<'_>, view: &View<'_>, standing: &ClauseStanding<'_>, party: &str) -> io::Result<()> {
    page.raw("<td>")?;
    let own: Vec<&Voice> = standing.voices.iter().filter(|voice| voice.party == party).collect();
    for voice in &own {
        page.element("<a class=\"side ", side(voice), "\" href=\"#")?;
        page.element("", &voice_id(standing.clause, voice, standing), "\"><b>")?;
        page.element("", short_verb(voice), "</b>")?;
        for word in voice.likelihood.iter().chain(&voice.strength) {
            let scale = word.scale.as_ref().map(|scale| format!(" ({scale})")).unwrap_or_default();
            page.element(" <q>", &word.word, "</q>")?;
            page.text(&scale)?;
        }
        page.raw("</a>")?;
    }
    if own.is_empty() {
        let is_gone = standing.withdrawn.iter().any(|gone| gone.party == party);
        let nothing = match (is_gone, standing.withheld, view.record.is_some()) {
            (true, ..) => "has withdrawn",
            (false, 0, true) => "nothing seen",
            (false, 0, false) => "silent",
            (false, ..) => "silent, or not shown",
        };
        page.element("<span class=\"silence\">", nothing, "</span>")?;
    }
    page.raw("</td>")
}

fn clause(page: &mut Page<'_>, view: &View<'_>, standing: &ClauseStanding<'_>) -> io::Result<()> {
    let clause = standing.clause;
    page.element("<section class=\"clause\" id=\"clause-", &clause.id, "\">\n<div class=\"opening\">")?;
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
    let joint = clause_joint(view.statement, standing, view.record.is_some());
    page.element("<p class=\"joint\">", &joint, "</p>\n")?;
    if !clause.builds_on.is_empty() {
        page.raw("<p class=\"small\">Presupposes")?;
        for id in &clause.builds_on {
            page.element(" <a href=\"#clause-", id, "\">")?;
            page.element("", id, "</a>")?;
        }
        page.raw(".</p>\n")?;
    }
    page.raw("</div>\n")?;
    grounds::write_grounds(page, view, clause)?;
    if !standing.voices.is_empty() {
        page.raw("<ul class=\"voices-of\">\n")?;
        for voice in &standing.voices {
            card(page, view, standing, voice)?;
        }
        page.raw("</ul>\n")?;
    }
    for gone in &standing.withdrawn {
        page.element("<p>", &gone.sentence(view.statement.party_name(&gone.party)), "</p>\n")?;
    }
    if !standing.silent.is_empty() {
        let names: Vec<&str> = standing.silent.iter().map(|party| view.statement.party_name(party)).collect();
        page.element("<p class=\"silent\">", &silence_text(standing, view.record.is_some()), ": ")?;
        page.element("", &names.join(", "), "</p>\n")?;
    }
    page.raw("</section>\n")
}

fn card(
    page: &mut Page<'_>,
    view: &View<'_>,
    standing: &ClauseStanding<'_>,
    voice: &Voice,
) -> io::Result<()> {
    page.element("<li class=\"voice ", side(voice), "\" id=\"")?;
    page.element("", &voice_id(standing.clause, voice, standing), "\"><h4>")?;
    page.element("", view.statement.party_name(&voice.party), "</h4>\n<p class=\"stance\">")?;
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
        rest::source_links(page, view, &voice.sources)?;
        page.raw("</dd>")?;
    }
    for earlier in &voice.earlier {
        page.element("<dt>supersedes position ", &earlier.number.to_string(), "</dt>")?;
        page.element("<dd>", &earlier.said, "</dd>")?;
    }
    page.raw("</dl></li>\n")
}
