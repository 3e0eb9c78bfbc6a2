//! From rule texts to a rule set and diagnostics. One bad rule does not stop
//! the others of its file; a file that is no YARA at all is left out whole.

use crate::facts;
use crate::scan::{Known, RuleSet};
use boreal::Compiler;
use boreal::compiler::{CompilerBuilder, CompilerParams};
use boreal_parser::file::YaraFileComponent;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A rule file larger than this (in bytes) is not one.
const FILE_BYTES_MAX: usize = 16 << 20;
/// Reasons of one file that are told.
const DIAGNOSTICS_MAX: usize = 100;
/// Names that scanners of YARA's family set for each file; rules that use them
/// would not compile without.
pub(crate) const EXTERNALS: [&str; 5] = ["filename", "filepath", "extension", "filetype", "owner"];

/// One rule file.
#[derive(Clone, Copy, Debug)]
pub struct RuleText<'a> {
    /// Its name, for diagnostics.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// A rule, or a file, that was not loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// The file.
    pub file: String,
    /// The line, from 1, where one is known.
    pub line: Option<u32>,
    /// The rule's name, where one is known.
    pub rule: Option<String>,
    /// Why, in one line.
    pub reason: String,
}

/// What came of loading.
pub struct Loaded {
    /// The rules.
    pub rules: RuleSet,
    /// What did not load, in the order of the texts.
    pub diagnostics: Vec<Diagnostic>,
    /// SHA-256 over the texts (in the order of their own hashes, so that file
    /// names and order do not matter).
    pub sha256: [u8; 32],
}

/// Compiles the rules of all `texts`. Files do not see each other's rules, and
/// `include` is not followed: it would read anybody's files.
pub fn load<'a>(texts: impl IntoIterator<Item = RuleText<'a>>) -> Loaded {
    let mut compiler =
        CompilerBuilder::new().add_module(boreal::module::Console::with_callback(|_| {})).build();
    compiler.set_params(CompilerParams::default().disable_includes(true));
    for name in EXTERNALS {
        compiler.define_symbol(name, "");
    }
    let mut diagnostics = Vec::new();
    let (mut hashes, mut files) = (Vec::new(), Vec::new());
    for (index, text) in texts.into_iter().enumerate() {
        hashes.push(<[u8; 32]>::from(Sha256::digest(text.text)));
        files.push(text.file.to_owned());
        // A namespace of its own: names of rules repeat from file to file.
        add_file(&mut compiler, &format!("{index}"), text, &mut diagnostics);
    }
    hashes.sort_unstable();
    let sha256 = Sha256::digest(hashes.concat()).into();
    let scanner = compiler.finalize();
    let facts = all_facts(&scanner);
    Loaded { rules: RuleSet::new(scanner, facts, files), diagnostics, sha256 }
}

/// Facts by namespace and name; ids are made unique, in the order of the rules.
fn all_facts(scanner: &boreal::Scanner) -> HashMap<(String, String), Known> {
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    let mut all = HashMap::new();
    for rule in scanner.rules().filter(|rule| !rule.is_private) {
        let mut facts = facts::of_rule(scanner, &rule);
        let seen = times.entry(facts.id.clone()).or_insert(0);
        *seen += 1;
        if *seen > 1 {
            facts.id = format!("{}#{seen}", facts.id);
        }
        let known = Known { facts: Arc::new(facts), is_of_script: facts::is_of_script(scanner, &rule) };
        all.insert((rule.namespace.to_owned(), rule.name.to_owned()), known);
    }
    all
}

fn add_file(compiler: &mut Compiler, namespace: &str, rule: RuleText<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut report = |line, name: Option<String>, reason: String| {
        diagnostics.push(Diagnostic { file: rule.file.to_owned(), line, rule: name, reason });
    };
    if rule.text.len() > FILE_BYTES_MAX {
        report(None, None, format!("{} bytes; a rule file has at most {FILE_BYTES_MAX}", rule.text.len()));
        return;
    }
    let text = rule.text.trim_start_matches('\u{feff}');
    let starts = match boreal_parser::parse(text) {
        Ok(file) => rule_starts(text, &file.components),
        Err(_) => Vec::new(),
    };
    let mut rest = text.to_owned();
    for _ in 0..DIAGNOSTICS_MAX {
        let Err(error) = compiler.add_rules_str_in_namespace(&rest, namespace) else { return };
        let (line, reason) = place_and_reason(&error.to_string());
        let at = line.and_then(|line| line_start(text, line)).unwrap_or(0);
        // The rule that the fault stands in, and where the next one begins.
        let own = starts.iter().rev().find(|(start, _)| line_of(text, *start) <= line_of(text, at));
        report(line, own.map(|(_, name)| name.clone()), reason);
        let next = own.and_then(|(own, _)| starts.iter().find(|(start, _)| start > own));
        let Some((next, _)) = next else { return };
        // What stood before is loaded, or faulty; its lines are still counted.
        rest = "\n".repeat(text[..*next].matches('\n').count()) + &text[*next..];
    }
    report(None, None, format!("more than {DIAGNOSTICS_MAX} rules with faults; the rest is left out"));
}

/// Where each rule begins, with its keywords, and its name.
fn rule_starts(text: &str, components: &[YaraFileComponent]) -> Vec<(usize, String)> {
    let rules = components.iter().filter_map(|component| match component {
        YaraFileComponent::Rule(rule) => Some((rule.name_span.start, rule.name.clone())),
        _ => None,
    });
    let keywords = |name_at: usize| {
        let mut before = text[..name_at].trim_end();
        while let Some(shorter) =
            ["rule", "private", "global"].iter().find_map(|word| before.strip_suffix(word))
        {
            before = shorter.trim_end();
        }
        name_at - text[before.len()..name_at].trim_start().len()
    };
    rules.map(|(name_at, name)| (keywords(name_at), name)).collect()
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count()
}

fn line_start(text: &str, line: u32) -> Option<usize> {
    let before = usize::try_from(line).ok()?.checked_sub(1)?;
    if before == 0 {
        return Some(0);
    }
    text.match_indices('\n').nth(before - 1).map(|(at, _)| at + 1)
}

/// `mem:12:5: error: why` → line 12, `why`.
fn place_and_reason(description: &str) -> (Option<u32>, String) {
    let first = description.lines().next().unwrap_or_default();
    let mut parts = first.splitn(4, ':');
    let (_, line, _, reason) = (parts.next(), parts.next(), parts.next(), parts.next());
    match (line.and_then(|line| line.parse().ok()), reason) {
        (Some(line), Some(reason)) => {
            let reason = reason.trim();
            (Some(line), reason.strip_prefix("error:").unwrap_or(reason).trim().to_owned())
        }
        _ => (None, first.to_owned()),
    }
}
