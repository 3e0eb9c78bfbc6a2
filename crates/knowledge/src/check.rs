//! Names in somebody's text against what others say: misprints of a name give
//! another real actor, and nobody notices.

use crate::{Knowledge, Sponsor, key};
use std::collections::BTreeSet;

/// How many letters around a name are looked at for what it is said about.
const WINDOW: usize = 240;

/// A name in a text that other sources contradict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// Byte offset of the name in the text.
    pub offset: usize,
    /// The name, as the text writes it.
    pub name: String,
    /// The actor that has this name: its id and main name.
    pub is: (String, String),
    /// What the text speaks of, as it writes it.
    pub about: String,
    /// The actor that other sources name for it: id and main name.
    pub others_say: (String, String),
    /// The name of that actor that is one edit away, when there is one: a probable misprint.
    pub one_edit_away: Option<String>,
    /// Who says so.
    pub sources: Vec<Sponsor>,
}

/// Names of actors in `text` that stand beside a victim for which cited claims name somebody else.
///
/// A name counts where it stands as a word; "Advanced Persistent Threat 30" is read as APT30.
/// Both the text and the claims are kept: which of them is right is not decided here.
pub fn check(knowledge: &Knowledge, text: &str) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    let lower = text.to_ascii_lowercase();
    for (offset, written) in names_in(knowledge, text) {
        let from = floor(text, offset.saturating_sub(WINDOW));
        let until = floor(text, (offset + written.len() + WINDOW).min(text.len()));
        // The sentence is where a name and its victim belong together.
        let start = lower[from..offset].rfind(['.', ';', '\n']).map_or(from, |at| from + at + 1);
        let end = lower[offset..until].find(['.', ';', '\n']).map_or(until, |at| offset + at);
        if let Some(conflict) = conflict(knowledge, text, &lower, (start, end), (offset, written)) {
            conflicts.push(conflict);
        }
    }
    conflicts
}

fn conflict(
    knowledge: &Knowledge,
    text: &str,
    lower: &str,
    (start, end): (usize, usize),
    (offset, written): (usize, &str),
) -> Option<Conflict> {
    let named: BTreeSet<(&str, &str)> = knowledge
        .names
        .about(&short_form(written))
        .iter()
        .map(|claim| (claim.actor_id.as_str(), claim.actor.as_str()))
        .collect();
    for dossier in &knowledge.dossiers.actors {
        let id = dossier.attack.as_deref().unwrap_or(&dossier.id);
        if named.iter().any(|(other, _)| *other == id) {
            continue;
        }
        let find = |claim: &&Sponsor| about(claim, &lower[start..end]).is_some();
        let sources: Vec<Sponsor> = dossier.accountability.iter().filter(find).cloned().collect();
        let Some(phrase) = sources.first().and_then(|claim| about(claim, &lower[start..end])) else {
            continue;
        };
        // When the sentence also names the actor that others name, there is nothing to tell.
        if names_in(knowledge, &text[start..end]).iter().any(|(_, other)| {
            knowledge.names.about(&short_form(other)).iter().any(|claim| claim.actor_id == id)
        }) && !is_nearer(&lower[start..end], offset - start, phrase, knowledge, id)
        {
            continue;
        }
        let near: BTreeSet<&str> = knowledge.names.one_edit_away(&short_form(written)).into_iter().collect();
        let other = knowledge
            .names
            .claims()
            .iter()
            .find(|claim| claim.actor_id == id && near.contains(key(&claim.name).as_str()));
        let (own_id, own) = named.first()?;
        let label = knowledge.attack.name(id).or(dossier.name.as_deref()).unwrap_or(id);
        return Some(Conflict {
            offset,
            name: written.to_owned(),
            is: ((*own_id).to_owned(), (*own).to_owned()),
            about: phrase.to_owned(),
            others_say: (id.to_owned(), label.to_owned()),
            one_edit_away: other.map(|claim| claim.name.clone()),
            sources,
        });
    }
    None
}

/// Whether the name at `offset` stands nearer to `phrase` than any name of actor `id` does.
fn is_nearer(sentence: &str, offset: usize, phrase: &str, knowledge: &Knowledge, id: &str) -> bool {
    let Some(at) = sentence.find(&phrase.to_ascii_lowercase()) else { return false };
    let others = names_in(knowledge, sentence).into_iter().filter(|(_, name)| {
        knowledge.names.about(&short_form(name)).iter().any(|claim| claim.actor_id == id)
    });
    others.map(|(other, _)| other.abs_diff(at)).min().is_none_or(|other| offset.abs_diff(at) < other)
}

/// What of the claim's victim the sentence (in lower case) names.
fn about<'a>(claim: &'a Sponsor, sentence: &str) -> Option<&'a str> {
    claim.about.iter().map(String::as_str).find(|phrase| sentence.contains(&phrase.to_ascii_lowercase()))
}

/// "Advanced Persistent Threat 31" is APT31.
fn short_form(name: &str) -> String {
    const LONG: &str = "advancedpersistentthreat";
    let key = key(name);
    key.strip_prefix(LONG).map_or(key.clone(), |number| format!("apt{number}"))
}

/// Names of known actors in `text`: offset and the name as written. Only names of a form that is
/// no plain word are looked for (with a digit, or of two words), so that a sentence about
/// "magnets" names nobody.
fn names_in<'t>(knowledge: &Knowledge, text: &'t str) -> Vec<(usize, &'t str)> {
    let words: Vec<(usize, &str)> = words(text);
    let mut found = Vec::new();
    let mut index = 0;
    while index < words.len() {
        // The longest run of words that is a name.
        let run = (1..=4).rev().find_map(|length| {
            let last = words.get(index + length - 1)?;
            let start = words[index].0;
            let written = &text[start..last.0 + last.1.len()];
            let telling = length > 1 || written.bytes().any(|byte| byte.is_ascii_digit());
            let known = telling && !knowledge.names.about(&short_form(written)).is_empty();
            known.then_some((start, written, length))
        });
        if let Some((start, written, length)) = run {
            found.push((start, written));
            index += length;
        } else {
            index += 1;
        }
    }
    found
}

fn words(text: &str) -> Vec<(usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '-';
    let mut words = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        if !is_part(c) {
            continue;
        }
        let mut end = start + c.len_utf8();
        while let Some((at, c)) = rest.next_if(|(_, c)| is_part(*c)) {
            end = at + c.len_utf8();
        }
        words.push((start, &text[start..end]));
    }
    words
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflicts(text: &str) -> Vec<Conflict> {
        check(&Knowledge::built_in().unwrap(), text)
    }

    #[test]
    fn a_misprinted_actor_is_told() {
        let text = "Behind it stand APT40 and Advanced Persistent Threat 31. APT30 had attacked the Finnish parliament.";
        let found = conflicts(text);
        assert_eq!(found.len(), 1, "{found:?}");
        let conflict = &found[0];
        assert_eq!((conflict.name.as_str(), conflict.is.0.as_str()), ("APT30", "G0013"));
        assert_eq!(conflict.others_say, ("G0128".to_owned(), "ZIRCONIUM".to_owned()));
        assert_eq!(conflict.one_edit_away.as_deref(), Some("APT31"));
        assert!(conflict.sources.len() >= 2);
        assert_eq!(&text[conflict.offset..conflict.offset + 5], "APT30");
    }

    #[test]
    fn in_one_sentence_too() {
        let text = "APT40 and Advanced Persistent Threat 31 (APT31) are behind it, APT30 had attacked the Finnish parliament";
        let found = conflicts(text);
        assert_eq!(found.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["APT30"]);
    }

    #[test]
    fn what_agrees_is_not_told() {
        for text in [
            "APT31 had attacked the Finnish parliament.",
            "Advanced Persistent Threat 31 attacked Finland's parliament; APT30 attacked others.",
            "The Finnish parliament was attacked.",
            "",
            "ünïcode APT30 ünïcode",
        ] {
            assert_eq!(conflicts(text), [], "{text}");
        }
    }
}
