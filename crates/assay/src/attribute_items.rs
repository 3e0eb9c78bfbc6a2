//! What of the findings of an intrusion bears on who: techniques and software,
//! once each, with where they were seen.
//!
//! A finding's techniques are its rule's. A software is one that a tag of the
//! rule names (`attack.s0020`), or its title as ATT&CK writes it, or, by the name
//! of its file, a field that the rule's own words met. The last is the weakest:
//! rules look for many tools at once, and a name is easily given.

use knowledge::Attack;
use model::{Case, Detail, Details, EvidenceId, Finding, FindingId, HostName, RuleFacts};
use std::collections::{BTreeMap, BTreeSet};

/// Findings named for an item.
const FINDINGS_NAMED: usize = 5;
/// A name of a software has up to so many words, and at least so many letters.
const NAME_WORDS_MAX: usize = 3;
const NAME_LETTERS_MIN: usize = 4;
/// Letters of a field that are looked at, and findings of a rule.
const VALUE_CHARS_MAX: usize = 4_096;
const FINDINGS_LOOKED_AT: usize = 1_000;
const TOOL_FILES: &str = include_str!("../../../knowledge/tool-files.tsv");

/// One technique, software or circumstance in one intrusion.
#[derive(Default)]
pub struct Item {
    pub findings: u64,
    pub named: Vec<FindingId>,
    pub hosts: BTreeSet<HostName>,
    evidence: BTreeSet<EvidenceId>,
    /// Whether more than a file's name speaks for it.
    by_more_than_name: bool,
}

impl Item {
    /// Own telemetry is reliable (A). What two items of evidence show is confirmed (1), what one does
    /// probably true (2); a tool that only its file's name gives away is possibly true (3).
    pub fn admiralty(&self) -> &'static str {
        match (self.by_more_than_name, self.evidence.len()) {
            (false, _) => "A3",
            (true, 0 | 1) => "A2",
            (true, _) => "A1",
        }
    }

    /// Adds what another item rests on; a finding that shows both counts once where it is named.
    pub fn add_all(&mut self, other: Option<&Self>) {
        let Some(other) = other else { return };
        self.findings += other.findings;
        self.by_more_than_name |= other.by_more_than_name;
        self.hosts.extend(other.hosts.iter().cloned());
        self.evidence.extend(&other.evidence);
        let new: Vec<FindingId> = other.named.iter().filter(|id| !self.named.contains(id)).copied().collect();
        self.named.extend(new);
        self.named.truncate(FINDINGS_NAMED);
    }

    /// Adds a finding that shows it.
    pub fn add(&mut self, finding: &Finding, by_more_than_name: bool) {
        self.findings += 1;
        self.by_more_than_name |= by_more_than_name;
        self.hosts.extend(finding.host.clone());
        // A correlation stands in no item; its grounds count by themselves.
        if finding.grounds.is_empty() {
            self.evidence.insert(finding.evidence);
        }
        if self.named.len() < FINDINGS_NAMED {
            self.named.push(finding.id);
        }
    }
}

/// The items of each intrusion, in the case's order.
///
/// # Errors
/// When fields cannot be read back.
pub fn of_case(attack: &Attack, case: &Case) -> Result<Vec<BTreeMap<String, Item>>, String> {
    let files = tool_files();
    let mut of_rules: BTreeMap<&str, (BTreeSet<String>, usize)> = BTreeMap::new();
    let mut items: Vec<BTreeMap<String, Item>> = Vec::new();
    items.resize_with(case.intrusions.len(), BTreeMap::new);
    for finding in &case.findings {
        let Some(of) = finding.intrusion.and_then(|id| items.get_mut(id.0 as usize)) else { continue };
        let (ids, seen) =
            of_rules.entry(&finding.rule.id).or_insert_with(|| (of_rule(attack, &finding.rule), 0));
        *seen += 1;
        for id in ids.iter() {
            of.entry(id.clone()).or_default().add(finding, true);
        }
        if *seen <= FINDINGS_LOOKED_AT {
            let named = by_file_name(&files, case, finding)?.into_iter();
            for id in named.filter(|id| attack.software.contains_key(*id) && !ids.contains(*id)) {
                of.entry(id.to_owned()).or_default().add(finding, false);
            }
        }
    }
    Ok(items)
}

/// The techniques of a rule, and the software that its tags or its title name.
fn of_rule(attack: &Attack, rule: &RuleFacts) -> BTreeSet<String> {
    let tags = rule.tags.iter().filter_map(|tag| tag.strip_prefix("attack.")).map(str::to_ascii_uppercase);
    let mut items: BTreeSet<String> = rule
        .techniques
        .iter()
        .cloned()
        .chain(tags)
        .map(|id| attack.current_id(&id).to_owned())
        .filter(|id| attack.techniques.contains_key(id) || attack.software.contains_key(id))
        .collect();
    let words: Vec<&str> = rule
        .title
        .split(|c: char| !c.is_alphanumeric() && c != '.' && c != '-')
        .filter(|w| !w.is_empty())
        .collect();
    for length in 1..=NAME_WORDS_MAX.min(words.len()) {
        for run in words.windows(length) {
            items.extend(software_named(attack, &run.join(" ")));
        }
    }
    items
}

/// The software of exactly this name, written as ATT&CK writes it.
fn software_named(attack: &Attack, name: &str) -> Option<String> {
    if name.chars().count() < NAME_LETTERS_MIN || !name.starts_with(char::is_uppercase) {
        return None;
    }
    let named = |(_, entry): &(&String, &knowledge::Entry)| {
        entry.name == name || entry.other_names.iter().any(|other| other.name == name)
    };
    let mut found = attack.software.iter().filter(named).map(|(id, _)| id.clone());
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn tool_files() -> BTreeMap<&'static str, &'static str> {
    TOOL_FILES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .collect()
}

/// Software whose file's name stands in a field that the rule's own words met.
fn by_file_name<'f>(
    files: &BTreeMap<&str, &'f str>,
    case: &Case,
    finding: &Finding,
) -> Result<BTreeSet<&'f str>, String> {
    let mut found = BTreeSet::new();
    let mut details = Details::default();
    case.read(finding, &mut details)?;
    for Detail { text: value, .. } in details.iter().filter(|field| field.matched) {
        let end = value.char_indices().nth(VALUE_CHARS_MAX).map_or(value.len(), |(at, _)| at);
        let words = value[..end].split(|c: char| c.is_whitespace() || "\"'\\/,;|&<>()=".contains(c));
        for word in words.filter(|word| !word.is_empty()) {
            let word = word.to_ascii_lowercase();
            let stem = [".exe", ".py", ".ps1", ".sh"].iter().find_map(|ending| word.strip_suffix(ending));
            found.extend(files.get(stem.unwrap_or(&word)).copied());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Level;

    #[test]
    fn file_names_are_those_of_tools_in_attack() {
        let attack = knowledge::attack();
        let files = tool_files();
        assert!(files.len() > 20);
        for (name, id) in files {
            assert!(attack.software.get(id).is_some_and(|software| !software.is_malware), "{name} {id}");
            assert_eq!(name, name.to_ascii_lowercase());
        }
    }

    #[test]
    fn a_tag_and_a_title_name_software() {
        let rule = |title: &str, tag: &str| RuleFacts {
            id: "r".to_owned(),
            title: title.to_owned(),
            level: Level::High,
            tags: vec![tag.to_owned()],
            techniques: vec!["T1505.003".to_owned()],
        };
        let of = |title, tag| of_rule(knowledge::attack(), &rule(title, tag)).into_iter().collect::<Vec<_>>();
        assert_eq!(of("Request for a shell", "attack.s0020"), ["S0020", "T1505.003"]);
        assert_eq!(of("Request of China Chopper", "attack.persistence"), ["S0020", "T1505.003"]);
        assert_eq!(of("request of china chopper", "attack.s99999"), ["T1505.003"]);
    }
}
