//! Who the intrusions are consistent with.

use super::sheet::Sheet;
use crate::who;
use model::{AttributedIntrusion, Case};
use std::io;

const INTRUSIONS_MAX: usize = 50;
const HYPOTHESES_MAX: usize = 8;
const ITEMS_MAX: usize = 25;
const CLAIMS_MAX: usize = 50;

pub(super) fn write(sheet: &mut Sheet<'_>, case: &Case) -> io::Result<()> {
    let Some(attribution) = &case.looked_for.attribution else { return Ok(()) };
    sheet.ours("\n## Who it is consistent with\n\n")?;
    sheet.prose(&who::basis(attribution))?;
    sheet.ours("\n")?;
    for of in attribution.intrusions.iter().take(INTRUSIONS_MAX) {
        sheet.ours("\n### ")?;
        sheet.prose(&who::title(case, of.intrusion))?;
        sheet.ours("\n\n")?;
        sheet.prose(&who::verdict(of))?;
        sheet.ours(if of.tie { " Two actors stand level.\n\n" } else { "\n\n" })?;
        write_intrusion(sheet, of)?;
    }
    sheet.rest(attribution.intrusions.len(), INTRUSIONS_MAX, "intrusion", "attribution.json")
}

fn write_intrusion(sheet: &mut Sheet<'_>, of: &AttributedIntrusion) -> io::Result<()> {
    for first in of.hypotheses.iter().take(HYPOTHESES_MAX).filter(|first| first.probability > 0.0) {
        sheet.item(&format!(
            "{}: {}",
            who::percent(first.probability),
            who::label(&first.name, &first.actor)
        ))?;
    }
    sheet.item(&format!("{}: an actor that is not known, or deception", who::percent(of.unknown)))?;
    if !of.items.is_empty() {
        sheet.ours("\nWhat was observed, the most telling first:\n\n")?;
    }
    for item in of.items.iter().take(ITEMS_MAX) {
        let label = who::item_label(item);
        let known = crate::words::count(item.known_for.len() as u64, "actor");
        sheet.item(&format!("{label}: {}; {known} known for it", who::grade(item)))?;
    }
    sheet.rest(of.items.len(), ITEMS_MAX, "item", "attribution.json")?;
    if !of.change.is_empty() || !of.notes.is_empty() {
        sheet.ours("\nWhat would change it, and what is to be borne in mind:\n\n")?;
    }
    for sentence in of.change.iter().chain(&of.notes) {
        sheet.item(sentence)?;
    }
    if !of.claims.is_empty() {
        sheet
            .ours("\nWhat others have said of who that is; nothing of it follows from this evidence:\n\n")?;
    }
    for claim in of.claims.iter().take(CLAIMS_MAX) {
        let word = who::claim_word(claim);
        sheet.item(&format!(
            "{} {} ({}): {} [{word}; {}]",
            claim.date, claim.by, claim.level, claim.says, claim.source
        ))?;
    }
    sheet.rest(of.claims.len(), CLAIMS_MAX, "claim", "attribution.json")
}
