//! Rules over the content of a file: the bytes as they lie there, and, where
//! they are a script, the script as it reads when what hides it is undone.
//!
//! # Not here
//! Undoing it (`script`); the rules.

use crate::files::FileRecord;
use crate::part::RawFinding;
use model::{Field, Position, Problem};
use script::Standing;
use std::collections::BTreeMap;
use yara::{FileName, Match, RuleSet, Stopped};

/// What came of one file.
#[derive(Default)]
pub struct Scanned {
    pub findings: Vec<RawFinding>,
    /// Whether it is something that rules are for: a script, or what one of them matched.
    pub is_telling: bool,
    pub problem: Option<Problem>,
}

/// Scans `content` with `rules`. A rule that matches both the bytes and the
/// script as it reads is one finding, placed in the bytes.
pub fn scan(rules: &RuleSet, content: &[u8], file: &FileRecord<'_>, standing: Standing) -> Scanned {
    let name = FileName { path: file.path(), name: file.path().rsplit('\\').next().unwrap_or_default() };
    let mut problem = None;
    let mut matches: BTreeMap<String, Match> = BTreeMap::new();
    // A text about scripts as they read (rules, documentation) is no script.
    let raw = taken(rules.scan(content, name), &mut problem);
    for found in raw.into_iter().filter(|found| !found.is_of_script) {
        matches.insert(found.rule.id.clone(), found);
    }
    let script = script::read(content, standing);
    let is_script = script.is_some() && !rules.is_empty();
    if let Some(script) = script {
        for mut found in taken(rules.scan(script.text.as_bytes(), name), &mut problem) {
            found.offset = script.offset(found.offset);
            found.strings.iter_mut().for_each(|string| string.offset = script.offset(string.offset));
            matches.entry(found.rule.id.clone()).or_insert(found);
        }
    }
    let is_telling = is_script || !matches.is_empty();
    Scanned {
        findings: matches.into_values().map(|found| finding(found, file)).collect(),
        is_telling,
        problem,
    }
}

fn taken(result: Result<Vec<Match>, (Vec<Match>, Stopped)>, problem: &mut Option<Problem>) -> Vec<Match> {
    result.unwrap_or_else(|(matches, stopped)| {
        // Records are another matter: none was lost, but rules did not look at all of it.
        let wanted = "a content that all YARA rules get through in a minute";
        *problem = Some(Problem {
            kind: "rules-stopped",
            offset: None,
            wanted: wanted.to_owned(),
            found: stopped.reason,
            records_lost: None,
        });
        matches
    })
}

fn finding(found: Match, file: &FileRecord<'_>) -> RawFinding {
    let field = |name: &str, text: &str| -> Field { (name.into(), text.into()) };
    let mut fields = vec![field("Path", file.path()), field("SHA256", file.sha256())];
    fields.extend(found.strings.iter().map(|string| field(&string.name, &string.text)));
    RawFinding {
        rule: found.rule,
        position: Position { offset: found.offset, record: None, line: None },
        time: file.time(),
        host: None,
        fields,
        spilled: None,
        record: None,
        is_of_file: true,
    }
}
