//! Real files: as many records as others read, the same numbers, the same
//! channels.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it skips"
)]

use model::{Problem, Record, RecordSink, Role};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use winevt::{CHUNK_BYTES, ChunkReader, FILE_HEADER_BYTES, is_chunk};

#[derive(Default)]
struct Seen {
    records: u64,
    events: BTreeMap<String, u64>,
    computers: Vec<String>,
    timeless: u64,
    carved: u64,
    problems: Vec<Problem>,
}

impl RecordSink for Seen {
    fn record(&mut self, record: &Record<'_>) {
        self.records += 1;
        self.timeless += u64::from(record.time.is_none());
        assert_eq!(record.shape.slots.len(), record.values.len());
        let channel = record.role(Role::Channel);
        // The inventory's word for an event that names no channel.
        let channel = if channel.is_present() { channel.to_text() } else { "None".to_owned() };
        let event = format!("{channel}:{}", record.role(Role::EventId).to_text());
        *self.events.entry(event).or_default() += 1;
        let computer = record.role(Role::Host).to_text();
        if !self.computers.contains(&computer) {
            self.computers.push(computer);
        }
    }

    fn carved(&mut self, record: &Record<'_>) {
        self.carved += 1;
        // An exported log's free space holds whole events of its source.
        assert!(record.role(Role::EventId).is_present(), "@{}", record.position.offset);
        assert!(record.time.is_some() && record.position.record.is_some(), "@{}", record.position.offset);
        assert_eq!(record.field("Carved").to_text(), "true");
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

/// The folder of samples; `None` where it is missing and need not be there.
fn samples(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.is_dir() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "../shared/data is missing");
    eprintln!("skipped: ../shared/data is missing");
    None
}

fn read(path: &Path, reader: &mut ChunkReader) -> Seen {
    let bytes = std::fs::read(path).unwrap();
    let mut seen = Seen::default();
    let chunks = || {
        let chunks = bytes.get(FILE_HEADER_BYTES..).unwrap_or_default().chunks(CHUNK_BYTES).enumerate();
        let placed = chunks.map(|(index, chunk)| (chunk, (FILE_HEADER_BYTES + index * CHUNK_BYTES) as u64));
        placed.filter(|(chunk, _)| is_chunk(chunk))
    };
    reader.begin_run();
    let ends: Vec<usize> =
        chunks().map(|(chunk, offset)| reader.read(chunk, offset, &mut seen).end).collect();
    for ((chunk, offset), end) in chunks().zip(ends) {
        reader.carve(chunk, end, offset, &mut seen);
    }
    seen
}

fn lines(path: PathBuf) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn attack_samples_are_read_whole() {
    let Some(folder) = samples("evtx-attack-samples") else { return };
    let mut reader = ChunkReader::new();
    let mut carved = 0;
    for line in lines(folder.join("inventory.jsonl")) {
        let path = line["path"].as_str().unwrap();
        let seen = read(&folder.join(path), &mut reader);
        assert_eq!(seen.records, line["records"].as_u64().unwrap(), "{path}: {:?}", seen.problems);
        carved += seen.carved;
        let events: BTreeMap<String, u64> = serde_json::from_value(line["eids"].clone()).unwrap();
        assert_eq!(seen.events, events, "{path}");
        // Many of these have no time in the record's header.
        assert_eq!(seen.timeless, 0, "{path}");
        for computer in line["computers"].as_array().unwrap() {
            assert!(
                seen.computers.iter().any(|name| name == computer.as_str().unwrap()),
                "{path} {computer}"
            );
        }
    }
    eprintln!("carved: {carved}");
}

#[test]
fn parser_samples_give_at_least_what_others_read() {
    let Some(folder) = samples("evtx-parser-samples") else { return };
    let mut reader = ChunkReader::new();
    for line in lines(folder.join("counts.jsonl")) {
        let path = line["path"].as_str().unwrap();
        let seen = read(&folder.join(path), &mut reader);
        assert!(seen.records >= line["records"].as_u64().unwrap(), "{path}: {:?}", seen.problems);
    }
}
