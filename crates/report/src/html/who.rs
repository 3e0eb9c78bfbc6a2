//! Which known actors an intrusion is consistent with, and what would change that.

use super::page::Page;
use crate::{who, words};
use model::{ActorClaim, AttributedIntrusion, Attribution, Case};
use std::io;

/// Hypotheses shown one by one.
const HYPOTHESES_SHOWN: usize = 8;
/// Items, intrusions and claims shown.
const ITEMS_MAX: usize = 25;
const INTRUSIONS_MAX: usize = 50;
const SENTENCES_MAX: usize = 50;
/// Hypotheses that have a column in the table of items.
const COLUMNS: usize = 4;

pub(super) fn write_who(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    let Some(attribution) = &case.looked_for.attribution else { return Ok(()) };
    page.raw("<section id=\"who\" class=\"technical\">\n<h2>Who it is consistent with</h2>\n<p>")?;
    page.text(&who::basis(attribution))?;
    page.raw(" A name says that the evidence is like what is known of an actor. Who stands behind an actor never follows from it.</p>\n")?;
    if attribution.intrusions.is_empty() {
        page.raw("<p>The case has no intrusion: there is nobody to name.</p>\n")?;
    }
    for of in attribution.intrusions.iter().take(INTRUSIONS_MAX) {
        write_intrusion(page, case, attribution, of)?;
    }
    page.rest(attribution.intrusions.len(), INTRUSIONS_MAX, "intrusion", "attribution.json")?;
    page.raw("</section>\n")
}

fn write_intrusion(
    page: &mut Page<'_>,
    case: &Case,
    attribution: &Attribution,
    of: &AttributedIntrusion,
) -> io::Result<()> {
    page.element("<article>\n<h3>", &who::title(case, of.intrusion), " ")?;
    page.raw(if of.named.is_some() {
        "<span class=\"badge likely\">"
    } else {
        "<span class=\"badge cannot-tell\">"
    })?;
    page.element("", &who::badge(of), "</span></h3>\n")?;
    page.element("<p class=\"verdict\">", &who::verdict(of), "</p>\n")?;
    if of.tie {
        page.raw("<p>Two actors stand level: neither is put before the other.</p>\n")?;
    }
    write_hypotheses(page, of)?;
    write_items(page, of)?;
    write_list(page, "<h4>What would change it</h4>\n", &of.change)?;
    write_list(page, "<h4>To be borne in mind</h4>\n", &of.notes)?;
    write_claims(page, attribution, &of.claims)?;
    page.raw("</article>\n")
}

fn write_hypotheses(page: &mut Page<'_>, of: &AttributedIntrusion) -> io::Result<()> {
    page.table("Hypotheses, the most probable first", &["Who", "#Probability", "The same as a bar"])?;
    let shown = of.hypotheses.iter().take(HYPOTHESES_SHOWN).filter(|hypothesis| hypothesis.probability > 0.0);
    let mut left = of.hypotheses.len();
    for hypothesis in shown {
        left -= 1;
        let who = who::label(&hypothesis.name, &hypothesis.actor);
        write_bar(page, &who, hypothesis.probability, "<i class=\"share\" style=\"width:")?;
    }
    let named: f64 = of.hypotheses.iter().rev().take(left).map(|hypothesis| hypothesis.probability).sum();
    let others = format!("{} together", words::count(left as u64, "other known actor"));
    write_bar(page, &others, named, "<i class=\"share rest\" style=\"width:")?;
    write_bar(
        page,
        "An actor that is not known, or deception",
        of.unknown,
        "<i class=\"share rest\" style=\"width:",
    )?;
    page.end_table()
}

fn write_bar(page: &mut Page<'_>, who: &str, probability: f64, bar: &'static str) -> io::Result<()> {
    let percent = (probability * 100.0).clamp(0.0, 100.0);
    page.raw("<tr>")?;
    page.row_head(who)?;
    page.number(&who::percent(probability))?;
    page.raw("<td class=\"says\">")?;
    page.raw(bar)?;
    page.element("", &format!("{percent:.1}"), "%\"></i></td></tr>\n")
}

/// Evidence against hypotheses: what tells most comes first, and what speaks against stands beside what speaks for.
fn write_items(page: &mut Page<'_>, of: &AttributedIntrusion) -> io::Result<()> {
    if of.items.is_empty() {
        return page.raw(
            "<p>No finding of the intrusion shows a technique or a tool that is known of any actor.</p>\n",
        );
    }
    let names: Vec<String> =
        of.hypotheses.iter().take(COLUMNS).map(|first| who::label(&first.name, &first.actor)).collect();
    let caption = format!(
        "What speaks for and against the first four, the most telling first: {}. Natural logarithms; below zero speaks against.",
        names.join(", ")
    );
    page.table(
        &caption,
        &[
            "What was observed",
            "Source and planting",
            "#Actors known for it",
            "#First",
            "#Second",
            "#Third",
            "#Fourth",
        ],
    )?;
    for item in of.items.iter().take(ITEMS_MAX) {
        page.raw("<tr>")?;
        page.row_head(&who::item_label(item))?;
        page.cell(&who::grade(item))?;
        page.number(&item.known_for.len().to_string())?;
        for column in 0..COLUMNS {
            let cell = item.adds.get(column).map(|adds| format!("{adds:+.2}")).unwrap_or_default();
            page.number(&cell)?;
        }
        page.raw("</tr>\n")?;
    }
    page.end_table()?;
    page.rest(of.items.len(), ITEMS_MAX, "item", "attribution.json")
}

fn write_list(page: &mut Page<'_>, head: &'static str, sentences: &[String]) -> io::Result<()> {
    if sentences.is_empty() {
        return Ok(());
    }
    page.raw(head)?;
    page.raw("<ul>\n")?;
    for sentence in sentences.iter().take(SENTENCES_MAX) {
        page.raw("<li>")?;
        page.short(sentence, 1_000)?;
        page.raw("</li>\n")?;
    }
    page.raw("</ul>\n")
}

fn write_claims(page: &mut Page<'_>, attribution: &Attribution, claims: &[ActorClaim]) -> io::Result<()> {
    if claims.is_empty() {
        return Ok(());
    }
    let caption = format!(
        "Accountability: what others had said by {} of who stands behind the actor. Claims of theirs, paraphrased; nothing of it follows from this evidence.",
        attribution.as_of
    );
    page.table(&caption, &["When", "Who says so", "Level", "What", "Word and scale", "Source"])?;
    for claim in claims.iter().take(SENTENCES_MAX) {
        page.raw("<tr>")?;
        page.time(&claim.date)?;
        page.cell(&claim.by)?;
        page.cell(&claim.level)?;
        page.cell(&claim.says)?;
        page.cell(&who::claim_word(claim))?;
        page.cell(&claim.source)?;
        page.raw("</tr>\n")?;
    }
    page.end_table()?;
    page.rest(claims.len(), SENTENCES_MAX, "claim", "attribution.json")
}
