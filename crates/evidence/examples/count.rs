//! Reads evidence and prints what was in it, and how fast it went:
//! `cargo run --release -p evidence --example count -- [--items] PATH…`

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use evidence::{ItemHead, Limits, ReadItem, Visitor, open, read};
use model::Record;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

/// Counts records and values that are there.
#[derive(Default)]
struct Count {
    items: Mutex<Vec<ReadItem>>,
}

impl Visitor for Count {
    type Part = (u64, u64, u64);

    fn start(&self, _: &ItemHead<'_>) -> Self::Part {
        (0, 0, 0)
    }

    fn record(&self, part: &mut Self::Part, record: &Record<'_>) {
        part.0 += 1;
        part.1 += u64::from(record.time.is_some());
        part.2 += record.values.iter().filter(|value| !value.is_blank()).count() as u64;
    }

    fn merge(&self, whole: &mut Self::Part, next: Self::Part) {
        whole.0 += next.0;
        whole.1 += next.1;
        whole.2 += next.2;
    }

    fn item(&self, item: ReadItem, whole: Option<Self::Part>, _content: Option<&[u8]>) {
        assert_eq!(whole.map_or(0, |part| part.0), item.records);
        if let Ok(mut items) = self.items.lock() {
            items.push(item);
        }
    }
}

fn main() {
    let (flags, paths): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    let limits = Limits::default();
    let started = Instant::now();
    let opened = open(&paths, &limits);
    let count = Count::default();
    let mut problems = opened.problems;
    problems.extend(read(&opened.sources, &limits, &count));
    let seconds = started.elapsed().as_secs_f64();
    let mut items = count.items.into_inner().unwrap_or_default();
    items.sort_by(|a, b| a.path.cmp(&b.path));
    let mut formats: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for item in &items {
        let sum = formats.entry(item.format.unwrap_or("unknown")).or_default();
        sum.0 += 1;
        sum.1 += item.records;
        sum.2 += item.size_bytes;
        if flags.iter().any(|flag| flag == "--items") {
            println!("{} {} {:?} {}", item.records, item.size_bytes, item.format, item.path);
        }
        for problem in &item.problems {
            println!("! {}: {problem:?}", item.path);
        }
    }
    for (path, problem) in &problems {
        println!("! {path}: {problem:?}");
    }
    for (format, (items, records, bytes)) in formats {
        let rate = bytes as f64 / 1e6 / seconds;
        println!("{format}: {items} items, {records} records, {bytes} bytes, {rate:.0} MB/s");
    }
    println!("{seconds:.2} s");
}
