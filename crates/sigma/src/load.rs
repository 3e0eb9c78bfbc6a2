//! From rule texts to rules and diagnostics. One bad rule never stops the rest.
//!
//! # Not here
//! Reading files; drawing diagnostics.

use crate::correlation::Correlation;
use crate::correlation::resolve::{self, Placed as PlacedCorrelation};
use crate::diagnostic::{Diagnostic, Fault, Place};
use crate::document::{Document, FILE_BYTES_MAX, documents};
use crate::lint;
use crate::pipeline::Pipelines;
use crate::rule::{self, Filter, Rule};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Values for the placeholders of `expand`, by name without the `%`.
    pub placeholders: BTreeMap<String, Vec<String>>,
    /// What changes each rule before it is read.
    pub pipelines: Pipelines,
}

/// What came of loading.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The rules, in the order in which they were given.
    pub rules: Vec<Rule>,
    /// The correlations, each behind those that it refers to.
    pub correlations: Vec<Correlation>,
    /// What did not load as written, in the same order; what concerns several
    /// files comes last.
    pub diagnostics: Vec<Diagnostic>,
    /// SHA-256 over the documents that were loaded (in the order of their own
    /// hashes, so that file names and order do not matter), the placeholders and the pipelines.
    pub sha256: [u8; 32],
}

/// Loads rules, applies the filters among them, and resolves the correlations.
pub fn load<'a>(texts: impl IntoIterator<Item = RuleText<'a>>, options: &LoadOptions) -> Loaded {
    load_all(texts, options, false)
}

/// The same, and says what is odd about rules that load, too. Diagnostics come by file and line.
pub fn check<'a>(texts: impl IntoIterator<Item = RuleText<'a>>, options: &LoadOptions) -> Loaded {
    let mut loaded = load_all(texts, options, true);
    loaded.diagnostics.sort_by(|a, b| (&a.file, a.line, a.column, a).cmp(&(&b.file, b.line, b.column, b)));
    loaded
}

fn load_all<'a>(
    texts: impl IntoIterator<Item = RuleText<'a>>,
    options: &LoadOptions,
    with_lints: bool,
) -> Loaded {
    let texts: Vec<RuleText<'_>> = texts.into_iter().collect();
    let mut loader = Loader::new(options, with_lints);
    loader.correlated = correlated_fields(&texts);
    for text in texts {
        loader.file(text);
    }
    loader.finish()
}

/// Names of fields that correlations use: rules must know what becomes of them.
fn correlated_fields(texts: &[RuleText<'_>]) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    let has_any =
        |text: &&RuleText<'_>| text.text.len() <= FILE_BYTES_MAX && text.text.contains("correlation:");
    for text in texts.iter().filter(has_any) {
        for document in documents(text.text.trim_start_matches('\u{feff}')) {
            let Ok(content) = &document.content else { continue };
            if content.contains_key("correlation")
                && let Ok(correlation) = crate::correlation::read(content, &mut Vec::new())
            {
                fields.extend(correlation.all_fields().cloned());
            }
        }
    }
    fields
}

/// A filter and where it stands, until all rules are known.
struct Placed {
    filter: Filter,
    file: String,
    place: Option<Place>,
    name: Option<String>,
}

struct Loader<'a> {
    options: &'a LoadOptions,
    with_lints: bool,
    loaded: Loaded,
    correlated: BTreeSet<String>,
    filters: Vec<Placed>,
    correlations: Vec<PlacedCorrelation>,
    /// Hash of the document and file of each id.
    ids: HashMap<String, ([u8; 32], String)>,
    hashes: Vec<[u8; 32]>,
}

impl<'a> Loader<'a> {
    fn new(options: &'a LoadOptions, with_lints: bool) -> Self {
        Self {
            options,
            with_lints,
            loaded: Loaded::default(),
            correlated: BTreeSet::new(),
            filters: Vec::new(),
            correlations: Vec::new(),
            ids: HashMap::new(),
            hashes: Vec::new(),
        }
    }

    fn file(&mut self, rule: RuleText<'_>) {
        let text = rule.text.trim_start_matches('\u{feff}');
        if text.len() > FILE_BYTES_MAX {
            let message = format!("the file has {} bytes, more than {FILE_BYTES_MAX}", text.len());
            let fault = Fault::new("too-large", message);
            self.report(rule.file, None, None, &fault);
            return;
        }
        for document in documents(text) {
            self.document(rule.file, &document);
        }
    }

    fn document(&mut self, file: &str, document: &Document<'_>) {
        let content = match &document.content {
            Ok(content) => content,
            Err((fault, place)) => {
                let place = place.or_else(|| document.place_of(&fault.near));
                let place = place.unwrap_or(line(document.first_line));
                self.report(file, Some(place), None, fault);
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
            let place = document.place_of(&fault.near).or_else(|| first_key_line(document).map(line));
            self.report(file, place, name.clone(), &fault);
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
        let label = rule::text(content, "id").or_else(|| rule::text(content, "title"));
        if content.contains_key("correlation") {
            let mut correlation = crate::correlation::read(content, faults)?;
            file.clone_into(&mut correlation.file);
            correlation.id = self.own_id(correlation.id, document, hash);
            if self.with_lints {
                faults.extend(lint::document(content, None));
            }
            if self.take_id(&correlation.id, file, hash)? {
                // References that do not resolve are told where they stand.
                let place = document.place_of(&["rules".to_owned(), "correlation".to_owned()]);
                let file = file.to_owned();
                self.correlations.push(PlacedCorrelation { correlation, file, place, label });
            }
            return Ok(());
        }
        if content.contains_key("filter") {
            let filter = Filter::parse(content, self.options, faults)?;
            let place = document.place_of(&["filter".to_owned()]).or(Some(line(document.first_line)));
            self.filters.push(Placed { filter, file: file.to_owned(), place, name: label });
            self.hashes.push(hash);
            return Ok(());
        }
        if !content.contains_key("detection") && !content.contains_key("logsource") {
            return Err(Fault::new("not-a-rule", "the document is no Sigma rule: it has no `detection`"));
        }
        let rule = Rule::parse(content, self.options, &self.correlated, faults);
        if self.with_lints {
            faults.extend(lint::document(content, rule.as_ref().ok()));
        }
        let mut rule = rule?;
        file.clone_into(&mut rule.file);
        rule.id = self.own_id(rule.id, document, hash);
        if self.take_id(&rule.id, file, hash)? {
            self.loaded.rules.push(rule);
        }
        Ok(())
    }

    /// The id of a document; one without has its hash for it.
    fn own_id(&self, id: String, document: &Document<'_>, hash: [u8; 32]) -> String {
        let mut id =
            if id.is_empty() { hash[..8].iter().map(|byte| format!("{byte:02x}")).collect() } else { id };
        if !document.own_id {
            self.number(&mut id);
        }
        id
    }

    /// Documents that share one id by an action are told apart by a number.
    fn number(&self, id: &mut String) {
        if self.ids.contains_key(id.as_str()) {
            let free = (2u32..).map(|number| format!("{id}/{number}")).find(|id| !self.ids.contains_key(id));
            *id = free.unwrap_or_default();
        }
    }

    /// Of two rules with one id the first is kept (true); the same text twice is no fault.
    fn take_id(&mut self, id: &str, file: &str, hash: [u8; 32]) -> Result<bool, Fault> {
        match self.ids.get(id) {
            Some((first, _)) if *first == hash => Ok(false),
            Some((_, first)) => Err(Fault::new(
                "duplicate-id",
                format!("another rule has this id: {first}; this one is left out"),
            )
            .near("id")
            .help("give it an id of its own")),
            None => {
                self.ids.insert(id.to_owned(), (hash, file.to_owned()));
                self.hashes.push(hash);
                Ok(true)
            }
        }
    }

    fn report(&mut self, file: &str, place: Option<Place>, rule: Option<String>, fault: &Fault) {
        self.loaded.diagnostics.push(Diagnostic::new(fault, file, place, rule));
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
                self.report(&placed.file, placed.place, placed.name, &fault);
            }
        }
        let placed = std::mem::take(&mut self.correlations);
        let (correlations, failed) = resolve::resolve(&mut self.loaded.rules, placed);
        self.loaded.correlations = correlations;
        for (placed, fault) in failed {
            self.report(&placed.file, placed.place, placed.label, &fault);
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
        self.options.pipelines.hashes().iter().for_each(|hash| hasher.update(hash));
        hasher.finalize().into()
    }
}

fn line(line: u32) -> Place {
    Place { line, column: None, width: 0 }
}

/// The line on which the document's content begins.
fn first_key_line(document: &Document<'_>) -> Option<u32> {
    let content = |line: &str| !line.trim().is_empty() && !line.starts_with("---") && !line.starts_with('#');
    let at = document.text.lines().position(content)?;
    Some(document.first_line + u32::try_from(at).ok()?)
}
