//! From rule texts to rules and diagnostics. One bad rule never stops the rest.
//!
//! # Not here
//! Reading files; drawing diagnostics.

use crate::diagnostic::{Diagnostic, Fault};
use crate::document::{Document, FILE_BYTES_MAX, documents};
use crate::rule::{self, Filter, Rule};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use yaml_serde::Mapping;

/// One rule file.
#[derive(Clone, Copy, Debug)]
pub struct RuleText<'a> {
    /// Its name, for diagnostics and [`Rule::file`].
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What loading needs beside the rules.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoadOptions {
    /// Values for the placeholders of `expand`, by name without the `%`.
    pub placeholders: BTreeMap<String, Vec<String>>,
}

/// What came of loading.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The rules, in the order in which they were given.
    pub rules: Vec<Rule>,
    /// What did not load as written, in the same order; what concerns several
    /// files comes last.
    pub diagnostics: Vec<Diagnostic>,
    /// SHA-256 over the documents that were loaded (in the order of their own
    /// hashes, so that file names and order do not matter) and the placeholders.
    pub sha256: [u8; 32],
}

/// Loads rules, and applies the filters among them. Correlation rules are
/// kept out, with a diagnostic of their own.
pub fn load<'a>(texts: impl IntoIterator<Item = RuleText<'a>>, options: &LoadOptions) -> Loaded {
    let mut loader = Loader::new(options);
    for text in texts {
        loader.file(text);
    }
    loader.finish()
}

/// A filter and where it stands, until all rules are known.
struct Placed {
    filter: Filter,
    file: String,
    line: u32,
    name: Option<String>,
}

struct Loader<'a> {
    options: &'a LoadOptions,
    loaded: Loaded,
    filters: Vec<Placed>,
    /// Hash of the document and file of each id.
    ids: HashMap<String, ([u8; 32], String)>,
    hashes: Vec<[u8; 32]>,
}

impl<'a> Loader<'a> {
    fn new(options: &'a LoadOptions) -> Self {
        Self {
            options,
            loaded: Loaded::default(),
            filters: Vec::new(),
            ids: HashMap::new(),
            hashes: Vec::new(),
        }
    }

    fn file(&mut self, rule: RuleText<'_>) {
        let text = rule.text.trim_start_matches('\u{feff}');
        if text.len() > FILE_BYTES_MAX {
            let message = format!("the file has {} bytes, more than {FILE_BYTES_MAX}", text.len());
            let fault = Fault::new("too-large", message);
            self.report(rule.file, None, None, fault);
            return;
        }
        for document in documents(text) {
            self.document(rule.file, &document);
        }
    }

    fn document(&mut self, file: &str, document: &Document<'_>) {
        let content = match &document.content {
            Ok(content) => content,
            Err((fault, line)) => {
                let line = line.map(|line| document.first_line + line - 1);
                let line =
                    line.or_else(|| document.line_of(fault.near.as_deref()?)).or(Some(document.first_line));
                self.report(file, line, None, fault.clone());
                return;
            }
        };
        let name = rule::text(content, "id").or_else(|| rule::text(content, "title"));
        let hash: [u8; 32] = Sha256::digest(document.body().as_bytes()).into();
        let mut faults = Vec::new();
        if let Err(fault) = self.content(file, document, content, hash, &mut faults) {
            faults.push(fault);
        }
        for fault in faults {
            let near = fault.near.clone();
            let line = near.and_then(|near| document.line_of(&near)).or_else(|| first_key_line(document));
            self.report(file, line, name.clone(), fault);
        }
    }

    fn content(
        &mut self,
        file: &str,
        document: &Document<'_>,
        content: &Mapping,
        hash: [u8; 32],
        faults: &mut Vec<Fault>,
    ) -> Result<(), Fault> {
        if content.contains_key("correlation") {
            return Err(Fault::new("correlation-not-yet", "correlation rules are not matched yet")
                .near("correlation")
                .help("the rules that it refers to run on their own"));
        }
        if content.contains_key("filter") {
            let filter = Filter::parse(content, &self.options.placeholders)?;
            let line = document.line_of("filter").unwrap_or(document.first_line);
            let name = rule::text(content, "id").or_else(|| rule::text(content, "title"));
            self.filters.push(Placed { filter, file: file.to_owned(), line, name });
            self.hashes.push(hash);
            return Ok(());
        }
        if !content.contains_key("detection") && !content.contains_key("logsource") {
            return Err(Fault::new("not-a-rule", "the document is no Sigma rule: it has no `detection`"));
        }
        let mut rule = Rule::parse(content, &self.options.placeholders, faults)?;
        rule.file = file.to_owned();
        if rule.id.is_empty() {
            rule.id = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        }
        if !document.own_id {
            self.number(&mut rule.id);
        }
        self.keep(rule, file, hash)
    }

    /// Documents that share one id by an action are told apart by a number.
    fn number(&self, id: &mut String) {
        if self.ids.contains_key(id.as_str()) {
            let free = (2u32..).map(|number| format!("{id}/{number}")).find(|id| !self.ids.contains_key(id));
            *id = free.unwrap_or_default();
        }
    }

    /// Of two rules with one id the first is kept; the same text twice is no fault.
    fn keep(&mut self, rule: Rule, file: &str, hash: [u8; 32]) -> Result<(), Fault> {
        match self.ids.get(&rule.id) {
            Some((first, _)) if *first == hash => Ok(()),
            Some((_, first)) => Err(Fault::new(
                "duplicate-id",
                format!("another rule has this id: {first}; this one is left out"),
            )
            .near("id")
            .help("give it an id of its own")),
            None => {
                self.ids.insert(rule.id.clone(), (hash, file.to_owned()));
                self.hashes.push(hash);
                self.loaded.rules.push(rule);
                Ok(())
            }
        }
    }

    fn report(&mut self, file: &str, line: Option<u32>, rule: Option<String>, fault: Fault) {
        self.loaded.diagnostics.push(Diagnostic {
            id: fault.id,
            file: file.to_owned(),
            line,
            rule,
            message: fault.message,
            help: fault.help,
        });
    }

    fn finish(mut self) -> Loaded {
        for placed in std::mem::take(&mut self.filters) {
            let named = |rule: &&mut Rule| placed.filter.names(rule);
            let mut met = false;
            for rule in self.loaded.rules.iter_mut().filter(named) {
                rule.narrow(&placed.filter.detection);
                met = true;
            }
            if !met {
                let fault =
                    Fault::new("filter-without-rule", "the filter applies to no rule that was loaded").help(
                        "load the rules that it names, and check that their log source is the filter's",
                    );
                self.report(&placed.file, Some(placed.line), placed.name, fault);
            }
        }
        self.loaded.sha256 = self.sha256();
        self.loaded
    }

    fn sha256(&mut self) -> [u8; 32] {
        self.hashes.sort_unstable();
        let mut hasher = Sha256::new();
        self.hashes.iter().for_each(|hash| hasher.update(hash));
        for (name, values) in &self.options.placeholders {
            for value in values {
                hasher.update(name.as_bytes());
                hasher.update([0]);
                hasher.update(value.as_bytes());
                hasher.update([0]);
            }
        }
        hasher.finalize().into()
    }
}

/// The line on which the document's content begins.
fn first_key_line(document: &Document<'_>) -> Option<u32> {
    let content = |line: &str| !line.trim().is_empty() && !line.starts_with("---") && !line.starts_with('#');
    let at = document.text.lines().position(content)?;
    Some(document.first_line + u32::try_from(at).ok()?)
}
