//! Looks at one file with all rules.

use boreal::Scanner;
use boreal::scanner::{EvaluatedRule, ScanParams};
use model::RuleFacts;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// One file takes at most so long; rules of quadratic cost exist. It is far
/// beyond what a rule of sound mind needs, so that what is found does not
/// depend on how busy the machine is.
const SCAN_SECONDS_MAX: u64 = 60;
/// Matches of one string that are counted (`#a` in a condition).
const STRING_MATCHES_MAX: u32 = 1_000;
/// Matched strings of one rule that are shown.
const STRINGS_SHOWN_MAX: usize = 8;
/// Bytes of a matched string that are shown.
const STRING_BYTES_MAX: usize = 160;
/// Rules that may match one file.
const MATCHES_MAX: usize = 1_000;

/// Compiled rules; cheap to share.
#[derive(Debug)]
pub struct RuleSet {
    scanner: Scanner,
    facts: HashMap<(String, String), Known>,
    /// Names of the files, by namespace.
    files: Vec<String>,
}

/// What is known of one rule.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) facts: Arc<RuleFacts>,
    pub(crate) is_of_script: bool,
}

/// What a file is called, for rules that ask (`filename`, `filepath`, `extension`).
#[derive(Clone, Copy, Debug, Default)]
pub struct FileName<'a> {
    /// Its whole path.
    pub path: &'a str,
    /// Its last part.
    pub name: &'a str,
}

/// A rule that matched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match {
    /// What the rule says of itself.
    pub rule: Arc<RuleFacts>,
    /// Whether it is written for a script as it reads: in other bytes a match says nothing.
    pub is_of_script: bool,
    /// Where the first matched string stands; 0 when the rule matched without any.
    pub offset: u64,
    /// What matched, in the order in which it stands, at most eight.
    pub strings: Vec<MatchedString>,
}

/// A string of a rule, and where it was found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MatchedString {
    /// Where.
    pub offset: u64,
    /// Its name in the rule (`$a`).
    pub name: String,
    /// What stood there; bytes that are no text are `\x` escapes.
    pub text: String,
}

/// The scan of a file was stopped before its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// Why, in one line.
    pub reason: String,
}

/// A rule of a set, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct SetRule<'s> {
    /// What findings say of it.
    pub facts: &'s Arc<RuleFacts>,
    /// Its name in the file.
    pub name: &'s str,
    /// The file, as it was named to [`crate::load`].
    pub file: &'s str,
}

impl RuleSet {
    /// `facts` by namespace, which is a place in `files`, and name.
    pub(crate) fn new(
        mut scanner: Scanner,
        facts: HashMap<(String, String), Known>,
        files: Vec<String>,
    ) -> Self {
        let params = ScanParams::default()
            .compute_full_matches(true)
            .match_max_length(STRING_BYTES_MAX)
            .string_max_nb_matches(STRING_MATCHES_MAX)
            .timeout_duration(Some(Duration::from_secs(SCAN_SECONDS_MAX)));
        scanner.set_scan_params(params);
        Self { scanner, facts, files }
    }

    /// How many rules it has (private ones, which never show, left out).
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// All rules, by id.
    pub fn rules(&self) -> Vec<SetRule<'_>> {
        let rules = self.facts.iter().map(|((namespace, name), known)| SetRule {
            facts: &known.facts,
            name,
            file: namespace
                .parse()
                .ok()
                .and_then(|file: usize| self.files.get(file))
                .map_or("", String::as_str),
        });
        let mut rules: Vec<_> = rules.collect();
        rules.sort_by(|a, b| a.facts.id.cmp(&b.facts.id));
        rules
    }

    /// The rules that match `bytes`, by rule id.
    ///
    /// # Errors
    /// What matched until then, when a file takes longer than a minute.
    pub fn scan(&self, bytes: &[u8], file: FileName<'_>) -> Result<Vec<Match>, (Vec<Match>, Stopped)> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let mut scanner = self.scanner.clone();
        let extension = file.name.rfind('.').map_or("", |dot| &file.name[dot..]);
        for (name, value) in [("filename", file.name), ("filepath", file.path), ("extension", extension)] {
            // A set whose rules ask for none of them does not know the names.
            let _ = scanner.define_symbol(name, value);
        }
        // Modules read formats (PE, ELF, .NET …) that evidence may have damaged on
        // purpose: what goes wrong there costs this file's rules, not the scan.
        let scanned = catch_unwind(AssertUnwindSafe(|| match scanner.scan_mem(bytes) {
            Ok(result) => Ok(self.matches(&result.rules)),
            Err((error, result)) => Err((self.matches(&result.rules), Stopped { reason: error.to_string() })),
        }));
        let failed = || Stopped { reason: "the YARA engine failed on it".to_owned() };
        scanned.unwrap_or_else(|_| Err((Vec::new(), failed())))
    }

    fn matches(&self, rules: &[EvaluatedRule<'_>]) -> Vec<Match> {
        let mut matches: Vec<Match> = rules.iter().filter_map(|rule| self.one(rule)).collect();
        matches.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
        matches.truncate(MATCHES_MAX);
        matches
    }

    fn one(&self, rule: &EvaluatedRule<'_>) -> Option<Match> {
        let known = self.facts.get(&(rule.namespace.to_owned(), rule.name.to_owned()))?;
        let mut strings: Vec<MatchedString> = Vec::new();
        for string in &rule.matches {
            // The first of each string says what there is; a thousand more say no more.
            strings.extend(string.matches.first().map(|found| MatchedString {
                offset: found.offset as u64,
                name: format!("${}", string.name),
                text: shown(&found.data, found.length),
            }));
        }
        strings.sort();
        let offset = strings.first().map_or(0, |first| first.offset);
        strings.truncate(STRINGS_SHOWN_MAX);
        Some(Match { rule: Arc::clone(&known.facts), is_of_script: known.is_of_script, offset, strings })
    }
}

fn shown(data: &[u8], length: usize) -> String {
    let mut text = String::with_capacity(data.len());
    let is_wide = data.len() >= 4 && data.chunks_exact(2).all(|pair| pair[1] == 0);
    let step = if is_wide { 2 } else { 1 };
    for byte in data.iter().step_by(step) {
        match byte {
            b' '..=b'~' if *byte != b'\\' => text.push(char::from(*byte)),
            b'\\' => text.push_str("\\\\"),
            // Writing into a `String` cannot fail.
            _ => drop(write!(text, "\\x{byte:02x}")),
        }
    }
    if length > data.len() {
        let _ = write!(text, "… [{length} bytes]");
    }
    text
}
