//! A joint statement as Markdown: the same as its page, for a ticket or a wiki.
//!
//! A table of clauses and parties, then each clause with its grounds and what each party says, uncut: it is their words.

use super::sheet::Sheet;
use crate::mask::Mask;
use statement::{
    Clause, ClauseStanding, View, Voice, clause_joint, ground_text, label_sentence, label_text, silence_text,
};
use std::io::{self, Write};

/// Writes the whole of it; `version` is the program's.
///
/// # Errors
/// Those of `out`.
pub fn write_statement_markdown(view: &View<'_>, version: &str, out: &mut dyn Write) -> io::Result<()> {
    let mask = Mask::default();
    let mut sheet = Sheet::new(out, &mask);
    head(&mut sheet, view)?;
    side_by_side(&mut sheet, view)?;
    sheet.ours("\n## Clauses\n")?;
    for standing in &view.standings {
        clause(&mut sheet, view, standing)?;
    }
    conflicts(&mut sheet, view)?;
    notes(&mut sheet, view)?;
    scales(&mut sheet, view)?;
    sources(&mut sheet, view)?;
    sheet.ours("\n---\n\nA clause is joint only for those named; silence is not assent; words are each party’s own.\n")?;
    sheet.ours("Made by assay ")?;
    sheet.whole(version)?;
    sheet.ours(". ")?;
    sheet.whole(&label_text(view.label.tlp, &view.label.recipients))?;
    sheet.ours("\n")
}

fn head(sheet: &mut Sheet<'_>, view: &View<'_>) -> io::Result<()> {
    sheet.ours("**")?;
    sheet.ours(view.label.tlp.as_str())?;
    sheet.ours("** ")?;
    sheet.ours(view.label.tlp.audience())?;
    let sentence = label_sentence(view);
    sheet.whole(sentence.strip_prefix(view.label.tlp.as_str()).unwrap_or(&sentence))?;
    if view.statement.synthetic {
        sheet.ours(
            "\n\n**Synthetic evidence.** It was made, and tells of no real incident; this cannot be signed.",
        )?;
    }
    sheet.ours("\n\n# ")?;
    sheet.whole(&view.statement.title)?;
    sheet.ours("\n")?;
    for line in std::iter::once(&view.statement.about).chain(&view.foreword).filter(|line| !line.is_empty()) {
        sheet.ours("\n")?;
        sheet.whole(line)?;
        sheet.ours("\n")?;
    }
    if !view.left_out.is_empty() {
        sheet.ours("\n**Not all of it is shown here.** Left out:\n\n")?;
    }
    for line in view.left_out_text() {
        bullet(sheet, &line)?;
    }
    Ok(())
}

fn bullet(sheet: &mut Sheet<'_>, text: &str) -> io::Result<()> {
    sheet.ours("- ")?;
    sheet.whole(text)?;
    sheet.ours("\n")
}

fn side_by_side(sheet: &mut Sheet<'_>, view: &View<'_>) -> io::Result<()> {
    sheet.ours("\n## Side by side\n\n| Clause ")?;
    for party in &view.statement.parties {
        sheet.ours("| ")?;
        sheet.whole(&party.name)?;
        sheet.ours(" ")?;
    }
    sheet.ours("|\n|---")?;
    view.statement.parties.iter().try_for_each(|_| sheet.ours("|---"))?;
    sheet.ours("|\n")?;
    for standing in &view.standings {
        let clause = standing.clause;
        sheet.ours("| **")?;
        sheet.whole(&clause.id)?;
        sheet.ours("** ")?;
        sheet.whole(&format!("({}) {}", clause.level.as_str(), clause.text))?;
        for party in &view.statement.parties {
            sheet.ours(" | ")?;
            cell(sheet, view, standing, &party.id)?;
        }
        sheet.ours(" |\n")?;
    }
    Ok(())
}

fn cell(
    sheet: &mut Sheet<'_>,
    view: &View<'_>,
    standing: &ClauseStanding<'_>,
    party: &str,
) -> io::Result<()> {
    let own: Vec<&Voice> = standing.voices.iter().filter(|voice| voice.party == party).collect();
    for (index, voice) in own.iter().enumerate() {
        sheet.ours(if index > 0 { "<br>**" } else { "**" })?;
        sheet.whole(&voice.verb)?;
        sheet.ours("**")?;
        for word in voice.likelihood.iter().chain(&voice.strength) {
            let scale = word.scale.as_ref().map(|scale| format!(" ({scale})")).unwrap_or_default();
            sheet.ours("<br>")?;
            sheet.whole(&format!("“{}”{scale}", word.word))?;
        }
    }
    if !own.is_empty() {
        return Ok(());
    }
    let is_gone = standing.withdrawn.iter().any(|gone| gone.party == party);
    sheet.ours(match (is_gone, standing.withheld, view.record.is_some()) {
        (true, ..) => "has withdrawn",
        (false, 0, true) => "nothing seen",
        (false, 0, false) => "silent",
        (false, ..) => "silent, or not shown",
    })
}

fn clause(sheet: &mut Sheet<'_>, view: &View<'_>, standing: &ClauseStanding<'_>) -> io::Result<()> {
    let Clause { id, level, names, text, builds_on, grounds } = standing.clause;
    sheet.ours("\n### ")?;
    let names = names.as_ref().map(|names| format!(", names {names}")).unwrap_or_default();
    let says = if level.attributes() { "" } else { ", says not who did it" };
    sheet.whole(&format!("{id} ({}{names}{says}): {text}", level.as_str()))?;
    sheet.ours("\n\n")?;
    sheet.whole(&clause_joint(view.statement, standing, view.record.is_some()))?;
    sheet.ours("\n")?;
    if !builds_on.is_empty() {
        sheet.ours("\nPresupposes ")?;
        sheet.whole(&format!("{}.", builds_on.join(", ")))?;
        sheet.ours("\n")?;
    }
    sheet.ours(match (grounds.is_empty(), view.record.is_some()) {
        (true, true) => "\n",
        (true, false) => "\nNo ground is given.\n\n",
        (false, _) => "\nGrounds:\n\n",
    })?;
    for (number, ground) in (1..).zip(grounds) {
        sheet.ours("- ")?;
        sheet.whole(&format!("({id}-{number}) {}", ground_text(view.statement, ground)))?;
        sheet.ours("\n")?;
        let ids = ground.finding.iter().flat_map(|finding| &finding.ids);
        for (id, found) in ids.filter_map(|id| Some((id, view.findings.get(id)?))) {
            sheet.ours("  - ")?;
            sheet
                .whole(&format!("{id}: {} {} {}, in {}", found.time, found.host, found.shows, found.place))?;
            sheet.ours("\n")?;
        }
    }
    if !grounds.is_empty() {
        sheet.ours("\n")?;
    }
    for voice in &standing.voices {
        voice_of(sheet, view, voice)?;
    }
    for gone in &standing.withdrawn {
        bullet(sheet, &gone.sentence(view.statement.party_name(&gone.party)))?;
    }
    if !standing.silent.is_empty() {
        let names: Vec<&str> = standing.silent.iter().map(|party| view.statement.party_name(party)).collect();
        let silence = silence_text(standing, view.record.is_some());
        bullet(sheet, &format!("{silence}: {}", names.join(", ")))?;
    }
    Ok(())
}

fn voice_of(sheet: &mut Sheet<'_>, view: &View<'_>, voice: &Voice) -> io::Result<()> {
    sheet.ours("- **")?;
    sheet.whole(&format!("{} {}", view.statement.party_name(&voice.party), voice.verb))?;
    sheet.ours("** ")?;
    let number = voice.number.map(|number| format!("position {number}, ")).unwrap_or_default();
    sheet.whole(&format!("({number}{})", voice.date))?;
    sheet.ours("\n")?;
    let mut part = |label: &str, text: &str| {
        sheet.ours("  - ")?;
        sheet.whole(&format!("{label}: {text}"))?;
        sheet.ours("\n")
    };
    for (label, text) in voice.parts() {
        match label == "in its words" {
            true => part(label, &format!("“{text}”"))?,
            false => part(label, text)?,
        }
    }
    if !voice.sources.is_empty() {
        part("sources", &voice.sources.join(", "))?;
    }
    for earlier in &voice.earlier {
        part(&format!("supersedes position {}", earlier.number), &earlier.said)?;
    }
    Ok(())
}

fn conflicts(sheet: &mut Sheet<'_>, view: &View<'_>) -> io::Result<()> {
    let conflicts = view.record.map_or(&[][..], |record| &record.conflicts);
    if !conflicts.is_empty() {
        sheet.ours("\n## Where sources disagree\n")?;
    }
    for conflict in conflicts {
        sheet.ours("\n### ")?;
        sheet.whole(&format!("{} ({})", conflict.title, conflict.clauses.join(", ")))?;
        sheet.ours("\n\n")?;
        sheet.whole(&conflict.settled)?;
        sheet.ours("\n\n")?;
        for reading in &conflict.readings {
            bullet(sheet, &format!("{} [{}]", reading.says, reading.source))?;
        }
    }
    Ok(())
}

fn notes(sheet: &mut Sheet<'_>, view: &View<'_>) -> io::Result<()> {
    if !view.statement.notes.is_empty() {
        sheet.ours("\n## Notes\n\n")?;
    }
    for note in &view.statement.notes {
        let of = |list: &[String], open: &str, close: &str| match list.is_empty() {
            true => String::new(),
            false => format!("{open}{}{close}", list.join(", ")),
        };
        let (clauses, sources) = (of(&note.clauses, "", ": "), of(&note.sources, " [", "]"));
        bullet(sheet, &format!("{clauses}{}{sources}", note.text))?;
    }
    Ok(())
}

fn scales(sheet: &mut Sheet<'_>, view: &View<'_>) -> io::Result<()> {
    if !view.statement.scales.is_empty() {
        sheet.ours(
            "\n## Scales\n\nAs their owners publish them. No party’s word is moved from one to another.\n\n",
        )?;
    }
    for scale in &view.statement.scales {
        let terms: Vec<String> = scale
            .terms
            .iter()
            .map(|term| match (term.from, term.to) {
                (Some(from), Some(to)) => format!("{} {from}–{to} %", term.word),
                _ => term.word.clone(),
            })
            .collect();
        bullet(sheet, &format!("{} ({}, {}): {}", scale.id, scale.owner, scale.axis, terms.join("; ")))?;
    }
    Ok(())
}

fn sources(sheet: &mut Sheet<'_>, view: &View<'_>) -> io::Result<()> {
    if !view.statement.sources.is_empty() {
        sheet.ours("\n## Sources\n\n")?;
    }
    for source in &view.statement.sources {
        let seen = if source.seen.is_empty() { String::new() } else { format!("; {}", source.seen) };
        let url = source.url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        bullet(
            sheet,
            &format!("[{}] {}, {} ({}{seen}){url}", source.id, source.by, source.date, source.kind),
        )?;
    }
    Ok(())
}
