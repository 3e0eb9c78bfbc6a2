//! What reading and matching cost, each alone: records per CPU second on one thread, all in one run.
//!
//! `cargo run --release -p scan --example speed -- FILE.evtx RULES`; `cargo xtask bench-sigma` does it.
//! The file lies in memory beforehand. Beside our own: the `evtx` library's fastest way to JSON, and
//! `rsigma-eval` over the same records, flat in memory and with their log source told.

#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use model::{Problem, Record, RecordSink, Value};
use rsigma_eval::JsonEvent;
use rsigma_parser::LogSource;
use sigma::{Engine, LoadOptions, RuleText, load};
use std::error::Error;
use std::path::{Path, PathBuf};
use winevt::{CHUNK_BYTES, ChunkReader, FILE_HEADER_BYTES};

/// Seconds that each measurement takes at least.
const SECONDS_MIN: f64 = 2.0;
/// Records that are shown to rsigma-eval.
const FLAT_RECORDS: usize = 20_000;

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let arguments: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let [file, rules] = arguments.as_slice() else { return Err("FILE.evtx RULES".into()) };
    let file = std::fs::read(file)?;
    let mut texts = Vec::new();
    rule_texts(rules, &mut texts)?;

    let began = cpu_seconds();
    let engine = engine(&texts);
    let loaded = cpu_seconds();
    let mut reader = ChunkReader::new();
    let (records, found) = matched(&file, &mut reader, &engine);
    println!("{records} records, {} with a finding, {} rules", found, engine.rules().len());
    println!("rules loaded                      {:>10.0} ms", (loaded - began) * 1e3);
    let fresh = self::engine(&texts);
    let began = cpu_seconds();
    let first = matched(&file[..file.len().min(FILE_HEADER_BYTES + CHUNK_BYTES)], &mut reader, &fresh).0;
    println!("their groups built for {first:>4} records {:>9.0} ms", (cpu_seconds() - began) * 1e3);

    let decode = measure(|| decoded(&file, &mut reader));
    let both = measure(|| matched(&file, &mut reader, &engine).0);
    let json = measure(|| library(&file));
    println!("evtx, records_json_bytes          {json:>10.0} records per CPU second");
    println!("ours, full decode                 {decode:>10.0} ({:.2} times evtx)", decode / json);
    println!("ours, decode and all rules        {both:>10.0} ({:.2} of the decode)", both / decode);
    let rsigma = rsigma(&texts)?;
    let flat = flat(&file, &mut reader);
    let theirs = measure(|| {
        flat.iter().for_each(|(event, source)| {
            std::hint::black_box(rsigma.evaluate_with_logsource(&JsonEvent::borrow(event), source));
        });
        flat.len() as u64
    });
    println!(
        "rsigma-eval, flat, {:>6} records {theirs:>10.0} (ours: {:.1} times)",
        flat.len(),
        both / theirs
    );
    Ok(())
}

fn engine(texts: &[(String, String)]) -> Engine {
    Engine::new(load(texts.iter().map(|(file, text)| RuleText { file, text }), &LoadOptions::default()).rules)
}

fn rule_texts(path: &Path, texts: &mut Vec<(String, String)>) -> Done<()> {
    if path.is_dir() {
        let mut inside = std::fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?;
        inside.sort();
        return inside.iter().try_for_each(|path| rule_texts(path, texts));
    }
    if path.extension().is_some_and(|own| own == "yml") {
        texts.push((path.display().to_string(), std::fs::read_to_string(path)?));
    }
    Ok(())
}

/// CPU seconds of this thread so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok());
    nanos.unwrap_or(0.0) / 1e9
}

/// Runs `round` until the time is enough; records per CPU second.
fn measure(mut round: impl FnMut() -> u64) -> f64 {
    let (start, mut records) = (cpu_seconds(), 0);
    while cpu_seconds() - start < SECONDS_MIN {
        records += round();
    }
    records as f64 / (cpu_seconds() - start)
}

/// Shows the records of a file.
fn each(file: &[u8], reader: &mut ChunkReader, show: &mut dyn FnMut(&Record<'_>)) {
    struct Sink<'s>(&'s mut dyn FnMut(&Record<'_>));
    impl RecordSink for Sink<'_> {
        fn record(&mut self, record: &Record<'_>) {
            (self.0)(record);
        }
        fn problem(&mut self, _: Problem) {}
    }
    let mut sink = Sink(show);
    for (index, chunk) in file[FILE_HEADER_BYTES..].chunks(CHUNK_BYTES).enumerate() {
        reader.read(chunk, (FILE_HEADER_BYTES + index * CHUNK_BYTES) as u64, &mut sink);
    }
}

/// Every value of every record, those in nested fragments too, as a matcher sees it.
fn decoded(file: &[u8], reader: &mut ChunkReader) -> u64 {
    let (mut records, mut present) = (0, 0);
    each(file, reader, &mut |record| {
        records += 1;
        present += (0..record.values.len()).filter(|slot| record.value(*slot).is_present()).count();
    });
    std::hint::black_box(present);
    records
}

/// Records, and how many of them a rule matches.
fn matched(file: &[u8], reader: &mut ChunkReader, engine: &Engine) -> (u64, u64) {
    let (mut records, mut found) = (0, 0);
    let mut worker = engine.worker();
    each(file, reader, &mut |record| {
        records += 1;
        let mut is_hit = false;
        worker.find(record, &mut |_| is_hit = true);
        found += u64::from(is_hit);
    });
    (records, found)
}

fn library(file: &[u8]) -> u64 {
    let settings = evtx::ParserSettings::default().num_threads(1).indent(false);
    let Ok(parser) = evtx::EvtxParser::from_buffer(file.to_vec()) else { return 0 };
    parser.with_configuration(settings).records_json_bytes().flatten().count() as u64
}

fn rsigma(texts: &[(String, String)]) -> Done<rsigma_eval::Engine> {
    // All at once: each call builds its indexes anew.
    let read = texts.iter().filter_map(|(_, text)| rsigma_parser::parse_sigma_yaml(text).ok());
    let rules: Vec<_> = read.flat_map(|collection| collection.rules).collect();
    let mut engine = rsigma_eval::Engine::new();
    engine.add_rules(&rules);
    println!("rsigma-eval reads {} rules", engine.rule_count());
    Ok(engine)
}

/// The first records as flat JSON, with the log source that rules would name.
fn flat(file: &[u8], reader: &mut ChunkReader) -> Vec<(serde_json::Value, LogSource)> {
    let mut flat = Vec::new();
    each(file, reader, &mut |record| {
        if flat.len() >= FLAT_RECORDS {
            return;
        }
        let mut event = serde_json::Map::new();
        for (index, slot) in record.shape.slots.iter().enumerate() {
            let value = match record.value(index) {
                Value::Absent => continue,
                Value::Int(number) => number.into(),
                Value::UInt(number) => number.into(),
                value => value.to_text().into(),
            };
            event.insert(slot.name.to_string(), value);
        }
        let source = source(&record.field("Channel").to_text(), record.field("EventID").to_integer());
        flat.push((serde_json::Value::Object(event), source));
    });
    flat
}

fn source(channel: &str, event: Option<i64>) -> LogSource {
    let category = match (channel, event) {
        ("Microsoft-Windows-Sysmon/Operational", Some(event)) => match event {
            1 => Some("process_creation"),
            3 => Some("network_connection"),
            10 => Some("process_access"),
            11 => Some("file_event"),
            13 => Some("registry_set"),
            _ => None,
        },
        ("Security", Some(4688)) => Some("process_creation"),
        _ => None,
    };
    let service = if channel == "Security" { "security" } else { "sysmon" };
    LogSource {
        category: category.map(str::to_owned),
        product: Some("windows".to_owned()),
        service: Some(service.to_owned()),
        ..LogSource::default()
    }
}
