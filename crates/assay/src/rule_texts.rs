//! The texts of the rules that fired, for the case to show.

use crate::builtin;
use model::RuleUse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A longer text of one rule is left out.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Adds to each rule that fired its own part of its file. A file that is no longer there, or no longer holds the
/// rule, gives none.
pub fn add(rules: &mut [RuleUse]) {
    let mut files: BTreeMap<String, Option<String>> = BTreeMap::new();
    for rule in rules.iter_mut().filter(|rule| rule.findings > 0) {
        let file = files.entry(rule.file.clone()).or_insert_with(|| read(&rule.file));
        let text = file.as_deref().and_then(|text| part(text, rule));
        rule.text = text.filter(|text| text.len() <= TEXT_BYTES_MAX).map(Arc::from);
    }
}

/// Built-in files go by their path in the source tree, which a user's file may also have.
fn read(file: &str) -> Option<String> {
    let builtin = builtin::RULES.iter().chain(builtin::YARA_RULES).find(|(own, _)| *own == file);
    match builtin {
        Some((_, text)) => Some((*text).to_owned()),
        None => std::fs::read_to_string(file).ok(),
    }
}

fn part<'t>(text: &'t str, rule: &RuleUse) -> Option<&'t str> {
    if rule.looks_at == scan::CONTENT_OF_FILES {
        yara_rule(text, &rule.facts)
    } else {
        sigma_rule(text, &rule.facts.id)
    }
}

/// The document of a file that holds the id; the whole file where it has only one.
fn sigma_rule<'t>(text: &'t str, id: &str) -> Option<&'t str> {
    let mut documents = documents(text);
    match documents.as_slice() {
        [one] => Some(one),
        _ => {
            documents.retain(|document| {
                document.lines().any(|line| line.strip_prefix("id:").is_some_and(|value| value.trim() == id))
            });
            documents.first().copied()
        }
    }
}

fn documents(text: &str) -> Vec<&str> {
    let mut documents = Vec::new();
    let mut begin = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            documents.push(&text[begin..at]);
            begin = at + line.len();
        }
        at += line.len();
    }
    documents.push(&text[begin..]);
    documents.retain(|document| !document.trim().is_empty());
    documents
}

/// From the line that begins the rule of this id, or of this name, to the next rule.
fn yara_rule<'t>(text: &'t str, facts: &model::RuleFacts) -> Option<&'t str> {
    let is_start = |line: &str| {
        let mut words = line.split_whitespace().skip_while(|word| matches!(*word, "private" | "global"));
        words.next() == Some("rule")
    };
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if is_start(line) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let own = |part: &&str| {
        let name = part.split_once("rule").map_or("", |(_, rest)| rest.trim_start());
        let name = name.split([':', '{', ' ', '\n', '\r']).next().unwrap_or_default();
        name == facts.id || name == facts.title || part.contains(&format!("\"{}\"", facts.id))
    };
    starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).find(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Level, RuleFacts};

    #[test]
    fn one_document_of_many() {
        let text = "title: A\nid: 1\n---\ntitle: B\nid: 2\n";
        assert_eq!(sigma_rule(text, "2"), Some("title: B\nid: 2\n"));
        assert_eq!(sigma_rule(text, "3"), None);
        assert_eq!(sigma_rule("title: A\n", "made-of-a-hash"), Some("title: A\n"));
    }

    #[test]
    fn one_rule_of_many() {
        let facts = |id: &str| RuleFacts {
            id: id.to_owned(),
            title: id.to_owned(),
            level: Level::High,
            tags: Vec::new(),
            techniques: Vec::new(),
        };
        let text = "import \"pe\"\nrule one { condition: true }\nprivate rule two : tag\n{ meta: id = \"2-2\" condition: one }\n";
        assert_eq!(yara_rule(text, &facts("one")), Some("rule one { condition: true }\n"));
        assert!(yara_rule(text, &facts("2-2")).is_some_and(|rule| rule.starts_with("private rule two")));
        assert_eq!(yara_rule(text, &facts("three")), None);
    }
}
