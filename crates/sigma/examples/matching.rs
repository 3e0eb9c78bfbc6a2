//! Records per CPU second of the engine alone, over EVTX files.
//!
//! `cargo run --release -p sigma --example matching -- FOLDER RULES… [--passes N] [--largest N]`
//!
//! Records are read once and kept as values of their own; what is timed is
//! [`sigma::Worker::find`] only.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program, not part of the product")]

use model::{Position, Problem, Record, RecordSink, Shape, Value};
use sigma::{Engine, LoadOptions, RuleText, load};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A record with values of its own; text stays UTF-16.
struct Kept {
    shape: Arc<Shape>,
    values: Vec<Owned>,
}

enum Owned {
    Plain(Value<'static>),
    Utf16(Vec<u8>),
    Text(String),
}

struct Keep<'a>(&'a mut Vec<Kept>);

impl RecordSink for Keep<'_> {
    fn record(&mut self, record: &Record<'_>) {
        let own = |value: &Value<'_>| match *value {
            Value::Absent => Owned::Plain(Value::Absent),
            Value::Empty => Owned::Plain(Value::Empty),
            Value::Literal => Owned::Plain(Value::Literal),
            Value::Int(number) => Owned::Plain(Value::Int(number)),
            Value::UInt(number) => Owned::Plain(Value::UInt(number)),
            Value::Hex(number) => Owned::Plain(Value::Hex(number)),
            Value::Utf16(bytes) => Owned::Utf16(bytes.to_vec()),
            other => Owned::Text(other.to_text()),
        };
        self.0
            .push(Kept { shape: Arc::clone(record.shape), values: record.values.iter().map(own).collect() });
    }
    fn problem(&mut self, _: Problem) {}
}

fn files(folder: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    if folder.is_file() {
        out.push(folder.to_owned());
        return;
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() || path.extension().is_some_and(|own| own == ending) {
            files(&path, ending, out);
        }
    }
}

fn read(path: &Path, out: &mut Vec<Kept>) {
    let bytes = std::fs::read(path).unwrap();
    let mut reader = winevt::ChunkReader::new();
    let mut offset = winevt::FILE_HEADER_BYTES;
    while offset < bytes.len() {
        let end = bytes.len().min(offset + winevt::CHUNK_BYTES);
        reader.read(&bytes[offset..end], offset as u64, &mut Keep(out));
        offset = end;
    }
}

impl Owned {
    fn lend(&self) -> Value<'_> {
        match self {
            Owned::Plain(value) => *value,
            Owned::Utf16(bytes) => Value::Utf16(bytes),
            Owned::Text(text) => Value::Utf8(text),
        }
    }
}

/// CPU time of this process so far (user and system), from the kernel's own count.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let nanos: u64 = text.split_whitespace().next().unwrap().parse().unwrap();
    Duration::from_nanos(nanos)
}

fn main() {
    let mut passes = 20;
    let mut largest = 40;
    let mut paths = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--passes" => passes = arguments.next().unwrap().parse().unwrap(),
            "--largest" => largest = arguments.next().unwrap().parse().unwrap(),
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    let mut rule_files = Vec::new();
    paths[1..].iter().for_each(|path| files(path, "yml", &mut rule_files));
    let texts: Vec<(String, String)> = rule_files
        .iter()
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap()))
        .collect();
    let loaded = load(texts.iter().map(|(file, text)| RuleText { file, text }), &LoadOptions::default());
    let mut faults: std::collections::BTreeMap<&str, u32> = std::collections::BTreeMap::new();
    loaded.diagnostics.iter().for_each(|fault| *faults.entry(fault.id).or_default() += 1);
    println!("diagnostics: {faults:?}");
    let engine = Engine::new(loaded.rules);
    let mut evidence = Vec::new();
    files(&paths[0], "evtx", &mut evidence);
    evidence.sort_by_key(|path| std::cmp::Reverse(std::fs::metadata(path).unwrap().len()));
    let mut kept = Vec::new();
    evidence.iter().take(largest).for_each(|path| read(path, &mut kept));
    let values: Vec<Vec<Value<'_>>> =
        kept.iter().map(|kept| kept.values.iter().map(Owned::lend).collect()).collect();
    let mut worker = engine.worker();
    let mut matches = 0u64;
    let mut pass = |matches: &mut u64| {
        for (kept, values) in kept.iter().zip(&values) {
            let record = Record { shape: &kept.shape, values, position: Position::default(), time: None };
            worker.find(&record, &mut |_| *matches += 1);
        }
    };
    let cold = cpu_time();
    pass(&mut matches);
    let start = cpu_time();
    (0..passes).for_each(|_| pass(&mut matches));
    let spent = cpu_time() - start;
    let records = kept.len() * passes;
    println!(
        "{} rules, {} records, {} matches a pass; first pass {:.0} ms; {:.0} records per CPU second",
        engine.rules().len(),
        kept.len(),
        matches / (passes as u64 + 1),
        (start - cold).as_secs_f64() * 1e3,
        records as f64 / spent.as_secs_f64()
    );
}
