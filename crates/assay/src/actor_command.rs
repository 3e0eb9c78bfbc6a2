//! `assay actor`: who goes by a name, by whose word; and names in a text that
//! other sources contradict.

use crate::arguments::ActorArguments;
use crate::knowledge_file::{open, read_text};
use crate::{Exit, Output};
use anyhow::{Result, bail};
use knowledge::{Claim, Conflict, Knowledge, Sponsor, check};
use report::escape_terminal;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Shows a name, or checks a text.
pub fn run(arguments: &ActorArguments, output: &mut Output<'_>) -> Result<Exit> {
    let knowledge = open(arguments.knowledge.as_ref())?;
    let text = match arguments.words.as_slice() {
        [word, file] if word == "check" => render_check(&knowledge, &read_text(Path::new(file))?),
        [word] if word == "check" => bail!("which text? `assay actor check FILE`"),
        words => render_name(&knowledge, &words.join(" "))?,
    };
    output.stdout.write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

fn render_name(knowledge: &Knowledge, name: &str) -> Result<String> {
    let mut claims = knowledge.names.about(name);
    let by_id =
        knowledge.attack.groups.get(knowledge.attack.current_id(name)).map(|group| group.name.clone());
    if let Some(name) = by_id.as_deref().filter(|_| claims.is_empty()) {
        claims = knowledge.names.about(name);
    }
    if claims.is_empty() {
        let near = knowledge.names.one_edit_away(name);
        let hint =
            if near.is_empty() { String::new() } else { format!("; one edit away: {}", near.join(", ")) };
        bail!("nobody is known to go by the name {:?}{hint}", escape_terminal(name));
    }
    let mut out = format!("{}\n", escape_terminal(name));
    let mut actors: BTreeMap<(&str, &str), Vec<&Claim>> = BTreeMap::new();
    for claim in claims {
        actors.entry((&claim.source, &claim.actor_id)).or_default().push(claim);
    }
    for ((source, id), claims) in &actors {
        for claim in claims {
            let _ = writeln!(out, "  {}", sentence(claim));
        }
        let mut others: Vec<&str> =
            knowledge.names.of_actor(source, id).map(|claim| claim.name.as_str()).collect();
        others.retain(|other| knowledge::key(other) != knowledge::key(name));
        others.dedup();
        if !others.is_empty() {
            let _ = writeln!(out, "    other names there: {}", escape_terminal(&others.join(", ")));
        }
    }
    let ids = actors.keys().map(|(_, id)| *id).collect::<std::collections::BTreeSet<_>>();
    if knowledge.names.is_ambiguous(name) {
        out.push_str("  One source gives this name to several actors: it names none of them by itself.\n");
    } else if ids.len() > 1 {
        out.push_str(
            "  Several sources have an actor of this name. That they share a name does not make them one.\n",
        );
    }
    ids.iter().for_each(|id| out.push_str(&timeline(knowledge, id)));
    Ok(out)
}

/// Who has said what of the actor, of the organisation and of the state behind it, by date.
fn timeline(knowledge: &Knowledge, id: &str) -> String {
    let claims = knowledge.dossiers.of_id(id).map(|dossier| &dossier.accountability);
    let mut claims: Vec<&Sponsor> = claims.into_iter().flatten().collect();
    claims.sort_by(|a, b| (&a.date, &a.by).cmp(&(&b.date, &b.by)));
    if claims.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "  Accountability of {}, by date: claims of those who are named, never of this program\n",
        escape_terminal(id)
    );
    claims.iter().for_each(|claim| {
        let _ = writeln!(out, "    {}", accountability(knowledge, claim));
    });
    out
}

fn sentence(claim: &Claim) -> String {
    let mut line = format!("{}: {} ({})", claim.source, claim.actor, claim.actor_id);
    if claim.relation != knowledge::Relation::Same {
        let _ = write!(line, ", {}", claim.relation.as_str());
    }
    if !claim.claimed_by.is_empty() {
        let _ = write!(line, "; by {}", claim.claimed_by.join(", "));
    }
    if let Some(date) = claim.date {
        let _ = write!(line, "; since {date}");
    }
    escape_terminal(&line).into_owned()
}

/// One line of the timeline of accountability: an external claim, with its word and scale.
pub fn accountability(knowledge: &Knowledge, claim: &Sponsor) -> String {
    let word = match (claim.word.as_str(), claim.scale.as_str()) {
        ("", _) => "no word seen".to_owned(),
        (word, "") => format!("\"{word}\", no scale stated, {}", claim.word_seen),
        (word, scale) => format!("\"{word}\" ({scale}), {}", claim.word_seen),
    };
    let source = knowledge.dossiers.sources.get(&claim.source);
    let source = source.map(|source| format!("{}, {}", source.publisher, source.date)).unwrap_or_default();
    escape_terminal(&format!(
        "{} {} ({}): {} [{word}; {source}]",
        claim.date, claim.by, claim.level, claim.clause
    ))
    .into_owned()
}

fn render_check(knowledge: &Knowledge, text: &str) -> String {
    let conflicts = check(knowledge, text);
    let mut out = String::new();
    for conflict in &conflicts {
        out.push_str(&render_conflict(knowledge, text, conflict));
    }
    if conflicts.is_empty() {
        out.push_str("No name in the text contradicts a cited claim that is known here.\n");
    }
    out
}

fn render_conflict(knowledge: &Knowledge, text: &str, conflict: &Conflict) -> String {
    let line = text.bytes().take(conflict.offset).filter(|byte| *byte == b'\n').count() + 1;
    let Conflict { name, is, about, others_say, one_edit_away, sources, offset } = conflict;
    let misprint = match one_edit_away {
        Some(near) => format!(", probable misprint of {near}, one edit away"),
        None => String::new(),
    };
    let mut out =
        escape_terminal(&format!("line {line}, byte {offset}: source conflict{misprint}")).into_owned();
    let _ = write!(
        out,
        "\n  {} is a real actor ({}, {}), but for {} other sources name {} ({}):\n",
        escape_terminal(name),
        escape_terminal(&is.1),
        is.0,
        escape_terminal(about),
        escape_terminal(&others_say.1),
        others_say.0
    );
    for claim in sources {
        let _ = writeln!(out, "    {}", accountability(knowledge, claim));
    }
    out.push_str("  Both are kept: which one is right, only the text's author can say.\n");
    out
}
