//! What a rule says of itself, read from its `meta` section.
//!
//! Ours, and how foreign rules are understood (names without regard to case):
//!
//! | fact | `meta` of ours | else |
//! |---|---|---|
//! | id | `id` | the rule's name |
//! | title | `title` | `description`, the rule's name |
//! | level | `level` = Sigma's word | `severity` (word), `score` (0–100, as in signature-base: 75 high, 60 medium, 40 low), medium |
//! | tags | `tags` = "attack.t1505.003, assay.shell-found" | the rule's own tags, in lower case |
//! | techniques | tags `attack.t…` | T-numbers in tags, and in `meta` whose name holds `mitre`, `attack` or `technique` |
//!
//! A rule of technique T1505.003, level high or above, that names no step shows
//! a web shell lying there, which is the step `shell-found`: it saw no use of it.

use boreal::scanner::RuleDetails;
use boreal::{MetadataValue, Scanner};
use model::{Level, RuleFacts};
use std::collections::BTreeSet;

/// Tags begin so when they are an ATT&CK technique.
const ATTACK: &str = "attack.";
/// Text taken from `meta`, in bytes.
const TEXT_BYTES_MAX: usize = 512;
/// Tags of one rule.
const TAGS_MAX: usize = 64;

/// Whether a rule is written for the script as it reads (`meta` has `looks_at =
/// "script"`), so that its strings mean nothing in the bytes of a file.
pub(crate) fn is_of_script(scanner: &Scanner, rule: &RuleDetails<'_>) -> bool {
    Meta::read(scanner, rule).text("looks_at") == Some("script")
}

/// The facts of one rule.
pub(crate) fn of_rule(scanner: &Scanner, rule: &RuleDetails<'_>) -> RuleFacts {
    let meta = Meta::read(scanner, rule);
    let text = |names: &[&str]| names.iter().find_map(|name| meta.text(name)).map(shorten);
    let mut tags: Vec<String> = meta.text("tags").map(split_tags).unwrap_or_default();
    let own = rule.tags.iter().map(|tag| scanner.get_string_symbol(*tag).to_lowercase());
    tags.extend(own);
    let mut techniques: BTreeSet<String> = tags.iter().filter_map(|tag| technique(tag)).collect();
    techniques.extend(meta.techniques());
    for technique in &techniques {
        tags.push(format!("{ATTACK}{}", technique.to_lowercase()));
    }
    let level = level(&meta);
    let has_step = tags.iter().any(|tag| tag.starts_with("assay."));
    if !has_step && level >= Level::High && techniques.contains("T1505.003") {
        tags.push("assay.shell-found".to_owned());
    }
    let mut seen = BTreeSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    tags.truncate(TAGS_MAX);
    RuleFacts {
        id: text(&["id"]).unwrap_or_else(|| rule.name.to_owned()),
        title: text(&["title", "description"]).unwrap_or_else(|| rule.name.to_owned()),
        level,
        tags,
        techniques: techniques.into_iter().collect(),
    }
}

/// A rule's `meta`: names in lower case.
struct Meta(Vec<(String, Value)>);

enum Value {
    Text(String),
    Number(i64),
}

impl Meta {
    fn read(scanner: &Scanner, rule: &RuleDetails<'_>) -> Self {
        let one = |meta: &boreal::Metadata| {
            let value = match meta.value {
                MetadataValue::Bytes(bytes) => {
                    Value::Text(String::from_utf8_lossy(scanner.get_bytes_symbol(bytes)).into_owned())
                }
                MetadataValue::Integer(number) => Value::Number(number),
                MetadataValue::Boolean(_) => return None,
            };
            Some((scanner.get_string_symbol(meta.name).to_lowercase(), value))
        };
        Self(rule.metadatas.iter().filter_map(one).collect())
    }

    fn text(&self, wanted: &str) -> Option<&str> {
        self.0.iter().find_map(|(name, value)| match value {
            Value::Text(text) if name == wanted && !text.trim().is_empty() => Some(text.trim()),
            _ => None,
        })
    }

    fn number(&self, wanted: &str) -> Option<i64> {
        self.0.iter().find_map(|(name, value)| match value {
            Value::Number(number) if name == wanted => Some(*number),
            Value::Text(text) if name == wanted => text.trim().parse().ok(),
            _ => None,
        })
    }

    /// T-numbers in what its author calls techniques.
    fn techniques(&self) -> impl Iterator<Item = String> {
        let named = |name: &str| ["mitre", "attack", "technique"].iter().any(|word| name.contains(word));
        let texts = self.0.iter().filter_map(move |(name, value)| match value {
            Value::Text(text) if named(name) => Some(text.as_str()),
            _ => None,
        });
        texts.flat_map(|text| {
            text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '.'))
                .filter_map(technique)
        })
    }
}

fn level(meta: &Meta) -> Level {
    let word = ["level", "severity"].iter().find_map(|name| meta.text(name));
    let named =
        word.and_then(|word| Level::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(word)));
    let scored = || {
        meta.number("score").map(|score| match score {
            75.. => Level::High,
            60.. => Level::Medium,
            40.. => Level::Low,
            _ => Level::Informational,
        })
    };
    named.or_else(scored).unwrap_or(Level::Medium)
}

fn split_tags(text: &str) -> Vec<String> {
    let tags = text.split([',', ' ', ';']).map(str::trim).filter(|tag| !tag.is_empty());
    tags.map(str::to_lowercase).collect()
}

/// `attack.t1505.003`, `T1505.003` or `t1505_003` → `T1505.003`.
fn technique(tag: &str) -> Option<String> {
    let bare = tag.strip_prefix(ATTACK).unwrap_or(tag);
    let number = bare.strip_prefix(['T', 't'])?.replace('_', ".");
    let (whole, part) = number.split_once('.').map_or((number.as_str(), None), |(a, b)| (a, Some(b)));
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let known = digits(whole, 4) && part.is_none_or(|part| digits(part, 3));
    known.then(|| format!("T{number}"))
}

fn shorten(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect::<String>()[..]
        .char_indices()
        .take_while(|(at, letter)| at + letter.len_utf8() <= TEXT_BYTES_MAX)
        .map(|(_, letter)| letter)
        .collect()
}
