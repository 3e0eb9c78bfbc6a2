//! Web shells are found by what they do, and pages that use the same things
//! innocently are not: our own corpus of inert shells, and benign pages.
//!
//! The shells lie packed (`shells.rot13`: letters turned by 13), so that nothing
//! on disk is a script: no server runs it and no scanner mistakes it. They are
//! unpacked in memory only; `tr A-Za-z N-ZA-Mn-za-m` shows and packs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, with words"
)]

mod benign;

use std::fs;
use std::path::Path;

/// One page of a corpus.
pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Pages after lines `== name [encoding]`.
fn pages(text: &str) -> Vec<Page> {
    let page = |part: &str| {
        let (head, body) = part.split_once('\n').unwrap();
        let (name, encoding) = head.split_once(' ').unwrap_or((head, "utf-8"));
        let bytes = match encoding {
            "utf-8" => body.as_bytes().to_vec(),
            "utf-16le" => body.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "utf-16be" => {
                [0xfe, 0xff].into_iter().chain(body.encode_utf16().flat_map(u16::to_be_bytes)).collect()
            }
            other => panic!("{other}"),
        };
        Page { name: name.to_owned(), bytes }
    };
    text.trim_end().split("\n== ").map(|part| page(part.trim_start_matches("== "))).collect()
}

fn rot13(text: &str) -> String {
    let turn = |letter: char, base: u8| char::from((letter as u8 - base + 13) % 26 + base);
    text.chars()
        .map(|letter| match letter {
            'a'..='z' => turn(letter, b'a'),
            'A'..='Z' => turn(letter, b'A'),
            other => other,
        })
        .collect()
}

fn rules() -> yara::RuleSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/yara");
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        texts.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
    }
    let loaded = yara::load(texts.iter().map(|(file, text)| yara::RuleText { file, text }));
    assert_eq!(loaded.diagnostics, []);
    loaded.rules
}

/// Titles of the rules that match the page, as it lies and as it reads.
fn matches(rules: &yara::RuleSet, page: &Page) -> Vec<String> {
    let read = script::read(&page.bytes, script::Standing::Runs).unwrap_or_default();
    let scan = |bytes| rules.scan(bytes, yara::FileName::default()).unwrap();
    let raw = scan(&page.bytes).into_iter().filter(|found| !found.is_of_script);
    let found = raw.chain(scan(read.text.as_bytes()));
    let mut titles: Vec<String> = found.map(|one| one.rule.title.clone()).collect();
    titles.sort();
    titles.dedup();
    titles
}

fn show(page: &Page) -> String {
    script::read(&page.bytes, script::Standing::Runs).map_or("nothing runs".to_owned(), |script| script.text)
}

/// The pages of all files whose name begins so; read when the test runs, so that a new batch needs no build.
fn corpus(beginning: &str) -> Vec<Page> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shells");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let is_own = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(beginning) && name.ends_with(".rot13")
    };
    files.retain(|path| is_own(path));
    files.sort();
    files.iter().flat_map(|path| pages(&rot13(&fs::read_to_string(path).unwrap()))).collect()
}

/// Shells that are not found: a list that may only shrink. A file that was sent and is run from a list in the
/// session; script hidden by replacements of patterns; a query that is sent to a database which the page also asks itself.
const MISSED: &[&str] = &["b9-13.php", "b9-33.asp", "b9-39.jsp"];

#[test]
fn every_shell_is_found() {
    let rules = rules();
    let shells = corpus("shells");
    assert!(shells.len() >= 60, "{}", shells.len());
    let missed: Vec<String> = shells
        .iter()
        .filter(|page| matches(&rules, page).is_empty() != MISSED.contains(&&*page.name))
        .map(|page| format!("{}\n{}", page.name, show(page)))
        .collect();
    assert!(missed.is_empty(), "{} of {} missed:\n{}", missed.len(), shells.len(), missed.join("\n"));
}

#[test]
fn no_benign_page_is_found() {
    let rules = rules();
    let mut pages = corpus("benign");
    pages.extend(benign::pages(460));
    assert!(pages.len() >= 500, "{}", pages.len());
    let found: Vec<String> = pages
        .iter()
        .map(|page| (page, matches(&rules, page)))
        .filter(|(_, titles)| !titles.is_empty())
        .map(|(page, titles)| format!("{}: {titles:?}\n{}", page.name, show(page)))
        .collect();
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), pages.len(), found.join("\n"));
}
