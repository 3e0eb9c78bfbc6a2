//! A visitor that keeps all it is shown, as text.

#![allow(
    dead_code,
    clippy::print_stderr,
    reason = "each test file uses a part of it, and says what it skips"
)]

use evidence::{ItemHead, Limits, ReadItem, Visitor, open, read};
use model::{Problem, Record, Value};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// All that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Gathered {
    /// Items by path.
    pub items: Vec<GatheredItem>,
    /// What did not become an item.
    pub problems: Vec<(String, Problem)>,
    /// Bytes that progress was told of.
    pub progress: u64,
}

/// One item with its records as text.
#[derive(Debug, PartialEq, Eq)]
pub struct GatheredItem {
    pub item: ReadItem,
    pub records: Vec<String>,
    pub carved: Vec<String>,
}

impl Gathered {
    pub fn paths(&self) -> Vec<&str> {
        self.items.iter().map(|item| item.item.path.as_str()).collect()
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        let of_items =
            self.items.iter().flat_map(|item| item.item.problems.iter().map(|problem| problem.kind));
        self.problems.iter().map(|(_, problem)| problem.kind).chain(of_items).collect()
    }
}

#[derive(Default)]
struct Gatherer {
    items: Mutex<Vec<GatheredItem>>,
    progress: AtomicU64,
}

impl Visitor for Gatherer {
    /// Records, and carved ones.
    type Part = (Vec<String>, Vec<String>);

    fn start(&self, _: &ItemHead<'_>) -> Self::Part {
        Self::Part::default()
    }

    fn record(&self, (records, _): &mut Self::Part, record: &Record<'_>) {
        records.push(show(record));
    }

    fn carved(&self, (_, carved): &mut Self::Part, record: &Record<'_>) {
        carved.push(show(record));
    }

    fn merge(&self, whole: &mut Self::Part, next: Self::Part) {
        whole.0.extend(next.0);
        whole.1.extend(next.1);
    }

    fn item(&self, item: ReadItem, whole: Option<Self::Part>, _content: Option<&[u8]>) {
        assert_eq!(item.format.is_some(), whole.is_some());
        let (records, carved) = whole.unwrap_or_default();
        assert_eq!(item.records, records.len() as u64);
        self.items.lock().unwrap().push(GatheredItem { item, records, carved });
    }

    fn progress(&self, bytes: u64) {
        self.progress.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Reads everything below `paths`.
pub fn all(paths: &[PathBuf], limits: &Limits) -> Gathered {
    let opened = open(paths, limits);
    let gatherer = Gatherer::default();
    let mut problems = opened.problems;
    problems.extend(read(&opened.sources, limits, &gatherer));
    problems.sort();
    let mut items = gatherer.items.into_inner().unwrap();
    items.sort_by(|a, b| a.item.path.cmp(&b.item.path));
    Gathered { items, problems, progress: gatherer.progress.into_inner() }
}

fn show(record: &Record<'_>) -> String {
    let mut out = format!("@{}", record.position.offset);
    if let Some(line) = record.position.line {
        write!(out, " line {line}").unwrap();
    }
    if let Some(number) = record.position.record {
        write!(out, " record {number}").unwrap();
    }
    let time = record.time.map_or("no time".into(), |time| time.to_string());
    let host = record.role(model::Role::Host).to_text();
    write!(out, " {time} {:?} log={} host={host}", record.shape.family, record.shape.log).unwrap();
    for (index, slot) in record.shape.slots.iter().enumerate() {
        let value = match record.value(index) {
            Value::Absent => "(absent)".into(),
            Value::Empty => "(empty)".into(),
            Value::Utf8(text) => format!("{text:?}"),
            value => value.to_text(),
        };
        write!(out, "\n  {} = {value}", slot.name).unwrap();
    }
    out
}

/// A folder of the data; `None` where it is missing and need not be there.
pub fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.is_dir() {
        return Some(path.canonicalize().unwrap());
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "../shared/data is missing");
    eprintln!("skipped: ../shared/data is missing");
    None
}
