//! Runs the prose cases of `cases/` against the built-in rules, or against
//! those that a section brings, and checks that every rule has what
//! `rules/README.md` asks of it.
//!
//! A section of a case file is one scan: its blocks of evidence become files, its `findings` block is what the scan must find, no more and no
//! less, and its `silent` block names rules that have met their log and must
//! not match. With `UPDATE=1` the `findings` blocks are rewritten; the review
//! reads the difference.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, with words")]

use model::Finding;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use yaml_serde::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Kinds of blocks that become a file.
const EVIDENCE: [&str; 7] = ["log", "events", "file", "page", "registry", "prefetch", "lnk"];

/// A fenced block of a case file.
struct Block {
    /// First word after the fence: a kind of [`EVIDENCE`], `rules`, `findings`, `silent`.
    kind: String,
    /// Second word: the name of the file that it becomes.
    name: String,
    lines: Vec<String>,
    /// Index of the line after the opening fence.
    begins: usize,
}

/// One scan: what stands below one heading of the second level.
struct Section {
    title: String,
    blocks: Vec<Block>,
}

impl Block {
    /// The file that it becomes.
    fn bytes(&self) -> Vec<u8> {
        let text = self.lines.join("\r\n") + "\r\n";
        let made = match self.kind.as_str() {
            "registry" => range::artifact::hive_of_text(&text),
            "prefetch" => range::artifact::prefetch(&text),
            "lnk" => range::artifact::lnk(&text),
            _ => Ok(text.into_bytes()),
        };
        made.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

impl Section {
    fn block(&self, kind: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| block.kind == kind)
    }

    fn evidence(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| EVIDENCE.contains(&block.kind.as_str()))
    }
}

fn parse(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some("")) => {
                let section =
                    sections.last_mut().unwrap_or_else(|| panic!("line {index}: block before `## `"));
                section.blocks.extend(open.take());
            }
            (Some(block), _) => block.lines.push(line.to_owned()),
            (None, Some(info)) => {
                let (kind, name) = info.split_once(' ').unwrap_or((info, ""));
                open = Some(Block {
                    kind: kind.into(),
                    name: name.into(),
                    lines: Vec::new(),
                    begins: index + 1,
                });
            }
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    sections.push(Section { title: title.into(), blocks: Vec::new() });
                }
            }
        }
    }
    assert!(open.is_none(), "a block is not closed");
    sections
}

/// The rules of a section: its own, else the built-in ones.
fn rules_of(section: &Section) -> sigma::Loaded {
    let Some(block) = section.block("rules") else { return builtin() };
    let text = block.lines.join("\n");
    let loaded =
        sigma::load([sigma::RuleText { file: "rules", text: &text }], &sigma::LoadOptions::default());
    assert_eq!(loaded.diagnostics, [], "{}", section.title);
    loaded
}

fn builtin() -> sigma::Loaded {
    let texts = assay::builtin_rules().iter().map(|(file, text)| sigma::RuleText { file, text });
    sigma::load(texts, &sigma::LoadOptions::default())
}

/// What one scan of a section's evidence gave.
struct Outcome {
    /// `file:line  level  title`, in the order of file, line, level (highest first), title; behind them those
    /// of correlations, `TIME of N  level  title  group`, by time.
    findings: Vec<String>,
    /// Titles of the rules that matched.
    matched: BTreeSet<String>,
    /// Titles of the rules whose log was there.
    met: BTreeSet<String>,
}

fn scan_folder(folder: &Path, engine: &sigma::Engine, correlations: &[sigma::Correlation]) -> model::Case {
    let limits = evidence::Limits::default();
    let opened = evidence::open(&[folder.to_path_buf()], &limits);
    scan::scan(scan::Input {
        indicators: None,
        sources: &opened.sources,
        unread: opened.problems,
        limits: &limits,
        engine,
        correlations,
        yara: &yara::load([]).rules,
        known_good: &scan::KnownGood::default(),
        rules_sha256: [0; 32],
        watched: &[],
        host: None,
        progress: &|_, _| {},
    })
    .unwrap()
    .0
}

fn scan(section: &Section) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    for block in section.evidence() {
        let path = folder.path().join(&block.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, block.bytes()).unwrap();
    }
    let sigma::Loaded { rules, correlations, .. } = rules_of(section);
    let engine = sigma::Engine::new(rules);
    let case = scan_folder(folder.path(), &engine, &correlations);
    let pages: Vec<&Block> = section.evidence().filter(|block| block.kind == "page").collect();
    let is_page = |path: &String| pages.iter().any(|page| path.ends_with(&page.name));
    for item in case.items.iter().filter(|item| !item.paths.iter().any(is_page)) {
        assert!(item.format.is_some(), "{}: {:?} was not read as a log", section.title, item.paths);
    }
    for coverage in &case.coverage.items {
        assert!(coverage.problems.is_empty(), "{}: {:?}", section.title, coverage.problems);
    }
    let prefix = format!("{}/", folder.path().display());
    let name = |finding: &Finding| {
        let path = &case.items[finding.evidence.0 as usize].paths[0];
        path.strip_prefix(&prefix).unwrap_or(path).to_owned()
    };
    let (mut found, correlated): (Vec<&Finding>, Vec<&Finding>) =
        case.findings.iter().partition(|finding| finding.grounds.is_empty());
    found.sort_by_cached_key(|finding| {
        let line = finding.position.line;
        (name(finding), line, std::cmp::Reverse(finding.rule.level), finding.rule.title.clone())
    });
    let show = |finding: &&Finding| {
        let line = finding.position.line.unwrap_or(0);
        format!("{}:{line}  {}  {}", name(finding), finding.rule.level.as_str(), finding.rule.title)
    };
    let met = engine.met();
    let of_rules = engine.rules().iter().zip(&met).filter(|(_, met)| **met);
    let is_met = |own: &&sigma::Correlation| {
        own.inputs.iter().all(|input| match input.source {
            sigma::InputSource::Rule(rule) => met[rule],
            sigma::InputSource::Correlation(_) => true,
        })
    };
    let of_correlations = correlations.iter().filter(is_met).map(|own| own.title.clone());
    Outcome {
        findings: found.iter().map(show).chain(correlated.iter().map(|own| correlated_line(own))).collect(),
        matched: case.findings.iter().map(|finding| finding.rule.title.clone()).collect(),
        met: of_rules.map(|(rule, _)| rule.title.clone()).chain(of_correlations).collect(),
    }
}

/// Of a correlation: when it held, on how many findings it rests, and its group.
fn correlated_line(finding: &Finding) -> String {
    let time = finding.time.map(|time| time.to_string()).unwrap_or_default();
    let (level, title) = (finding.rule.level.as_str(), &finding.rule.title);
    let fields = finding
        .fields
        .iter()
        .filter(|(name, _)| !["FirstEvent", "LastEvent", "Events", "Measure"].contains(&&**name));
    let fields: Vec<String> = fields.map(|(name, text)| format!("{name}={text}")).collect();
    format!("{time} of {}  {level}  {title}  {}", finding.grounds.len(), fields.join(" "))
        .trim_end()
        .to_owned()
}

fn check(file: &str, section: &Section, outcome: &Outcome, complaints: &mut String) {
    let place = format!("cases/{file}, {:?}", section.title);
    let wanted = section.block("findings").map(|block| block.lines.as_slice()).unwrap_or_default();
    for line in outcome.findings.iter().filter(|line| !wanted.contains(line)) {
        let _ = writeln!(complaints, "{place}: found, not expected: {line}");
    }
    for line in wanted.iter().filter(|line| !outcome.findings.contains(line)) {
        let _ = writeln!(complaints, "{place}: expected, not found: {line}");
    }
    for title in section.block("silent").map(|block| block.lines.as_slice()).unwrap_or_default() {
        if outcome.matched.contains(title) {
            let _ = writeln!(complaints, "{place}: must be silent and is not: {title}");
        } else if !outcome.met.contains(title) {
            let _ = writeln!(complaints, "{place}: silent without its log, which shows nothing: {title}");
        }
    }
}

/// `text` with the findings of each section replaced by what was found.
fn updated(text: &str, sections: &[Section], outcomes: &[Outcome]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for (section, outcome) in sections.iter().zip(outcomes).rev() {
        let block =
            section.block("findings").unwrap_or_else(|| panic!("{}: no findings block", section.title));
        let found = outcome.findings.iter().map(String::as_str);
        lines.splice(block.begins..block.begins + block.lines.len(), found);
    }
    lines.join("\n") + "\n"
}

#[test]
fn cases_find_what_they_say() {
    let mut complaints = String::new();
    let (mut positive, mut negative) = (BTreeSet::new(), BTreeSet::new());
    let mut files: Vec<PathBuf> =
        fs::read_dir(workspace().join("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files
        .retain(|path| path.extension().is_some_and(|ending| ending == "md") && !path.ends_with("README.md"));
    files.sort();
    for path in &files {
        let text = fs::read_to_string(path).unwrap();
        let file = path.file_name().unwrap().to_string_lossy();
        let sections = parse(&text);
        let outcomes: Vec<Outcome> = sections.iter().map(scan).collect();
        if std::env::var_os("UPDATE").is_some() {
            fs::write(path, updated(&text, &sections, &outcomes)).unwrap();
            eprintln!("completed cases/{file}");
        }
        let sections = parse(&fs::read_to_string(path).unwrap());
        for (section, outcome) in sections.iter().zip(&outcomes) {
            check(&file, section, outcome, &mut complaints);
            if section.block("rules").is_some() {
                continue;
            }
            positive.extend(outcome.matched.iter().cloned());
            negative.extend(section.block("silent").iter().flat_map(|block| block.lines.iter().cloned()));
        }
    }
    let titles: BTreeSet<String> = rules().into_iter().map(|(_, rule)| text_of(&rule, "title")).collect();
    for title in &titles {
        for (cases, kind) in [(&positive, "positive"), (&negative, "negative")] {
            if !cases.contains(title) {
                let _ = writeln!(complaints, "no {kind} case: {title}");
            }
        }
    }
    for title in negative.difference(&titles) {
        let _ = writeln!(complaints, "silent names no rule: {title}");
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}

/// Configurations of servers as Microsoft's own setup and its administrators
/// leave them.
#[test]
fn real_configurations_are_quiet() {
    let folder = workspace().join("../shared/data/exchange-log-formats/iis-config");
    if !folder.is_dir() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "../shared/data is missing");
        eprintln!("skipped: ../shared/data is missing");
        return;
    }
    let engine = sigma::Engine::new(builtin().rules);
    let case = scan_folder(&folder, &engine, &[]);
    assert!(case.items.len() > 50);
    let shown = |finding: &Finding| format!("{}: {:?}", finding.rule.title, finding.fields);
    let found: Vec<String> = case.findings.iter().map(shown).collect();
    assert!(found.is_empty(), "{found:#?}");
}

fn rules() -> Vec<(&'static str, Value)> {
    let parse = |(file, text): &(&'static str, &'static str)| {
        (*file, yaml_serde::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}")))
    };
    assay::builtin_rules().iter().map(parse).collect()
}

fn text_of(rule: &Value, key: &str) -> String {
    rule.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list_of(rule: &Value, key: &str) -> Vec<String> {
    let values = rule.get(key).and_then(Value::as_sequence).cloned().unwrap_or_default();
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn rules_load_without_a_word() {
    let loaded = builtin();
    let words: Vec<String> =
        loaded.diagnostics.iter().map(|one| format!("{}: {}: {}", one.file, one.id, one.message)).collect();
    assert!(words.is_empty(), "{words:#?}");
    assert_eq!(loaded.rules.len(), assay::builtin_rules().len());
}

#[test]
fn rules_are_whole() {
    let steps = steps();
    let mut ids = BTreeMap::new();
    let mut titles = BTreeMap::new();
    let mut covered = BTreeSet::new();
    for (file, rule) in rules() {
        for key in ["title", "id", "status", "description", "author", "level"] {
            assert!(!text_of(&rule, key).is_empty(), "{file}: no {key}");
        }
        for key in ["references", "tags", "fields", "falsepositives"] {
            assert!(!list_of(&rule, key).is_empty(), "{file}: no {key}");
        }
        assert!(is_kebab(file), "{file}: not in kebab-case");
        assert!(is_random_uuid(&text_of(&rule, "id")), "{file}: its id is no random UUID");
        assert_eq!(ids.insert(text_of(&rule, "id"), file), None, "{file}: its id is taken");
        assert_eq!(titles.insert(text_of(&rule, "title"), file), None, "{file}: its title is taken");
        let tags = list_of(&rule, "tags");
        let own: Vec<&str> = tags.iter().filter_map(|tag| tag.strip_prefix("assay.")).collect();
        assert!(!own.is_empty(), "{file}: says no step");
        for step in own {
            assert!(steps.contains(step), "{file}: {step} is not in casebook/STEPS.md");
            covered.insert(step.to_owned());
        }
        let technique = |tag: &String| tag.strip_prefix("attack.t").is_some_and(is_technique);
        assert!(tags.iter().any(technique), "{file}: no technique");
        let tactic = |tag: &String| tag.starts_with("attack.") && !technique(tag);
        assert!(tags.iter().any(tactic), "{file}: no tactic");
    }
    // Steps that YARA rules show, and the two of known-good lists.
    let yara = yara_rules();
    for rule in &yara {
        assert!(is_random_uuid(&rule.id), "{}: its id is no UUID", rule.title);
        assert!(rule.level >= model::Level::High && !rule.techniques.is_empty(), "{}", rule.title);
    }
    let tags = yara.iter().flat_map(|rule| &rule.tags).filter_map(|tag| tag.strip_prefix("assay."));
    covered.extend(tags.chain(["page-altered", "page-unknown"]).map(str::to_owned));
    let missing: Vec<&String> = steps.difference(&covered).collect();
    assert!(missing.is_empty(), "steps that no rule shows: {missing:?}");
}

fn yara_rules() -> Vec<std::sync::Arc<model::RuleFacts>> {
    let folder = workspace().join("rules/yara");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts: Vec<String> = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    let loaded = yara::load(texts.iter().map(|text| yara::RuleText { file: "rules/yara", text }));
    assert_eq!(loaded.diagnostics, []);
    loaded.rules.rules().into_iter().map(|rule| rule.facts.clone()).collect()
}

/// The steps named in the first column of the table of `casebook/STEPS.md`;
/// `-x` after `a-b` stands for `a-x`.
fn steps() -> BTreeSet<String> {
    let text = fs::read_to_string(workspace().join("casebook/STEPS.md")).unwrap();
    let mut steps = BTreeSet::new();
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.split('|').nth(1).unwrap_or_default();
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        let stem = names.first().and_then(|name| name.rsplit_once('-')).map_or("", |(stem, _)| stem);
        for name in names {
            steps.insert(if name.starts_with('-') { format!("{stem}{name}") } else { name.to_owned() });
        }
    }
    assert!(steps.len() > 20, "casebook/STEPS.md is not as expected");
    steps
}

fn is_kebab(file: &str) -> bool {
    let name = file.rsplit('/').next().and_then(|name| name.strip_suffix(".yml")).unwrap_or_default();
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_random_uuid(id: &str) -> bool {
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12]
        && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        && id.as_bytes()[14] == b'4'
}

/// `1234` or `1234.567`.
fn is_technique(number: &str) -> bool {
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    match number.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(number, 4),
    }
}
