//! Carved records on real logs: found by rules, counted once, and no part of
//! what the log covers.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it skips"
)]

use evidence::Limits;
use model::{Case, Finding};
use sigma::{LoadOptions, RuleText};
use std::collections::BTreeSet;
use std::path::Path;

const HEADER: usize = 4_096;
const CHUNK: usize = 65_536;

const RULE: &str = "
title: Anything
id: 7c1f5b9a-0000-4000-8000-000000000001
level: low
logsource: { product: windows }
detection:
  selection: { EventRecordID: '*' }
  condition: selection
";

/// A clean log of several chunks; `None` where it is missing and need not be there.
fn sample() -> Option<Vec<u8>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = data.join("evtx-parser-samples/pyevtx/issue_39.evtx");
    if !path.is_file() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "../shared/data is missing");
        eprintln!("skipped: ../shared/data is missing");
        return None;
    }
    Some(std::fs::read(path).unwrap())
}

/// The newest chunk is all that the log still counts; the others lie behind it.
fn cleared(log: &[u8]) -> Vec<u8> {
    let is_chunk = |chunk: &&[u8]| chunk.starts_with(b"ElfChnk");
    let chunks: Vec<&[u8]> = log[HEADER..].chunks(CHUNK).filter(is_chunk).collect();
    let (newest, older) = chunks.split_last().unwrap();
    let mut bytes = [&log[..HEADER], newest, &older.concat()].concat();
    bytes[42..44].copy_from_slice(&1u16.to_le_bytes());
    let mut sum = flate2::Crc::new();
    sum.update(&bytes[..120]);
    bytes[124..128].copy_from_slice(&sum.sum().to_le_bytes());
    bytes
}

/// The scan of a log; the same on one thread as on two.
fn scan(log: &[u8]) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.evtx");
    std::fs::write(&path, log).unwrap();
    let (one, two) = (scan_on(1, &path), scan_on(2, &path));
    assert_eq!(one, two);
    one
}

fn scan_on(threads: usize, path: &Path) -> Case {
    let limits = Limits::default();
    let opened = evidence::open(&[path.to_path_buf()], &limits);
    let loaded = sigma::load([RuleText { file: "rule.yml", text: RULE }], &LoadOptions::default());
    let engine = sigma::Engine::new(loaded.rules);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let input = scan::Input {
        indicators: None,
        sources: &opened.sources,
        unread: opened.problems,
        limits: &limits,
        engine: &engine,
        yara: &yara::load([]).rules,
        known_good: &scan::KnownGood::default(),
        rules_sha256: [0; 32],
        watched: &[],
        host: None,
        progress: &|_, _| {},
    };
    pool.install(|| scan::scan(input)).unwrap().0
}

fn carved(case: &Case) -> Vec<&Finding> {
    let is_carved = |finding: &&Finding| {
        let fields = case.fields(finding).unwrap();
        fields.iter().any(|(name, text)| &**name == "Carved" && &**text == "true")
    };
    case.findings.iter().filter(is_carved).collect()
}

#[test]
fn what_a_log_let_go_of_is_found_beside_it() {
    let Some(log) = sample() else { return };
    let whole = scan(&log);
    let records = whole.coverage.items[0].records;
    assert_eq!(whole.findings.len() as u64, records);
    // Its free space holds only records that it also has live.
    assert_eq!((whole.coverage.items[0].carved, carved(&whole).len()), (0, 0));

    let case = scan(&cleared(&log));
    let item = &case.coverage.items[0];
    assert!(item.records < records && item.records > 0);
    assert_eq!(item.records + item.carved, records, "{:?}", item.problems);
    assert_eq!(case.findings.len() as u64, records);
    assert_eq!(carved(&case).len() as u64, item.carved);
    let numbers: BTreeSet<_> = case.findings.iter().map(|finding| finding.position.record).collect();
    assert_eq!(numbers.len() as u64, records, "each once");
    // The log covers what it holds, and nothing of what it let go of.
    let log = case.coverage.logs.values().next().unwrap();
    assert_eq!((case.coverage.logs.len(), log.records), (1, item.records));
    let first = case.findings.iter().filter_map(|finding| finding.time).min();
    assert!(log.span.first > first && item.span == log.span);
    assert_eq!(log.gaps, []);
}
