//! What differs between two statements, and between what parties hold in two packages.

use crate::standing::ClauseStanding;
use crate::statement::{Clause, Statement};
use crate::text::ground_text;

/// Lines that say what `new` has and `old` has not (`+`), the reverse (`-`), and what changed; none: the same.
pub fn diff_statements(old: &Statement, new: &Statement) -> Vec<String> {
    let mut out = Vec::new();
    changed("title", &old.title, &new.title, &mut out);
    changed("about", &old.about, &new.about, &mut out);
    changed("tlp", &old.tlp, &new.tlp, &mut out);
    changed("recipients", &old.recipients.join(", "), &new.recipients.join(", "), &mut out);
    changed("synthetic", &old.synthetic.to_string(), &new.synthetic.to_string(), &mut out);
    let party = |party: &crate::Party| format!("party {} ({})", party.id, party.name);
    listed(old.parties.iter().map(party), new.parties.iter().map(party), &mut out);
    let ids = old.clauses.iter().chain(new.clauses.iter().filter(|clause| old.clause(&clause.id).is_none()));
    for id in ids.map(|clause| clause.id.as_str()) {
        match (old.clause(id), new.clause(id)) {
            (Some(before), Some(after)) => diff_clauses((old, before), (new, after), &mut out),
            (Some(gone), None) => out.push(format!("- clause {id} ({}): {}", gone.level.as_str(), gone.text)),
            (None, Some(come)) => out.push(format!("+ clause {id} ({}): {}", come.level.as_str(), come.text)),
            (None, None) => {}
        }
    }
    let note = |note: &crate::Note| {
        format!("note on {}: {} [{}]", note.clauses.join(", "), note.text, note.sources.join(", "))
    };
    listed(old.notes.iter().map(note), new.notes.iter().map(note), &mut out);
    let source = |source: &crate::Source| {
        let url = source.url.as_deref().unwrap_or("-");
        format!(
            "source {}: {}, {}, {}, {}, {url}",
            source.id, source.by, source.date, source.kind, source.seen
        )
    };
    listed(old.sources.iter().map(source), new.sources.iter().map(source), &mut out);
    let scale =
        |scale: &crate::Scale| format!("scale {}: {:?}", scale.id, (&scale.owner, &scale.axis, &scale.terms));
    listed(old.scales.iter().map(scale), new.scales.iter().map(scale), &mut out);
    out
}

fn diff_clauses(
    (old, before): (&Statement, &Clause),
    (new, after): (&Statement, &Clause),
    out: &mut Vec<String>,
) {
    let id = &after.id;
    changed(&format!("{id}: level"), before.level.as_str(), after.level.as_str(), out);
    let names = |clause: &Clause| clause.names.clone().unwrap_or_default();
    changed(&format!("{id}: names"), &names(before), &names(after), out);
    changed(&format!("{id}: text"), &before.text, &after.text, out);
    changed(&format!("{id}: builds on"), &before.builds_on.join(", "), &after.builds_on.join(", "), out);
    let ground = |statement, clause: &Clause| {
        clause
            .grounds
            .iter()
            .map(|ground| format!("{id}: ground {}", ground_text(statement, ground)))
            .collect::<Vec<_>>()
    };
    listed(ground(old, before).into_iter(), ground(new, after).into_iter(), out);
}

/// The same of what parties hold: lines by clause and party.
pub fn diff_standings(old: &[ClauseStanding<'_>], new: &[ClauseStanding<'_>]) -> Vec<String> {
    let mut out = Vec::new();
    listed(old.iter().flat_map(lines), new.iter().flat_map(lines), &mut out);
    out
}

fn lines(standing: &ClauseStanding<'_>) -> Vec<String> {
    let id = &standing.clause.id;
    let mut lines = Vec::new();
    for voice in &standing.voices {
        let mut line = format!("{id}: {} {}", voice.party, voice.verb);
        for (label, text) in voice.parts() {
            line.push_str(&format!("; {label}: {text}"));
        }
        lines.push(line);
    }
    let withdrawn = standing.withdrawn.iter();
    lines.extend(
        withdrawn.map(|gone| format!("{id}: {} has withdrawn by position {}", gone.party, gone.number)),
    );
    lines
}

fn changed(what: &str, old: &str, new: &str, out: &mut Vec<String>) {
    if old != new {
        out.push(format!("- {what}: {old}"));
        out.push(format!("+ {what}: {new}"));
    }
}

fn listed(old: impl Iterator<Item = String>, new: impl Iterator<Item = String>, out: &mut Vec<String>) {
    let (old, new): (Vec<String>, Vec<String>) = (old.collect(), new.collect());
    out.extend(old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}")));
    out.extend(new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn nothing_and_every_change_is_told() {
        let old = sample::statement();
        assert!(diff_statements(&old, &old).is_empty());
        let mut new = old.clone();
        new.clauses[1].names = Some("APT40".to_owned());
        new.clauses[0].grounds.clear();
        new.clauses.remove(2);
        new.parties[3].name = "Norway".to_owned();
        assert_eq!(
            diff_statements(&old, &new),
            [
                "- party se (Sweden)",
                "+ party se (Norway)",
                "- C1: ground Microsoft, 2021-03-02: Four holes are in use. [blog]",
                "- C2: names: HAFNIUM",
                "+ C2: names: APT40",
                "- clause C3 (state): The state is responsible.",
            ]
        );
    }
}
