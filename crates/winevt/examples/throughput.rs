//! Records per CPU second on one thread, over the largest EVTX files below a
//! folder, with the `evtx` library's JSON beside it in the same run.
//!
//! `cargo run --release -p winevt --example throughput -- FOLDER [FILES]`

#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use model::{Problem, Record, RecordSink, Value};
use std::path::{Path, PathBuf};
use winevt::{CHUNK_BYTES, ChunkReader, FILE_HEADER_BYTES, is_chunk};

/// Seconds that each measurement takes at least.
const SECONDS_MIN: f64 = 2.0;

/// Looks at each value, as a matcher would before it decodes anything.
#[derive(Default)]
struct Count {
    records: u64,
    present: u64,
    problems: u64,
}

impl RecordSink for Count {
    fn record(&mut self, record: &Record<'_>) {
        self.records += 1;
        self.present += record.values.iter().filter(|value| Value::is_present(value)).count() as u64;
    }

    fn problem(&mut self, _: Problem) {
        self.problems += 1;
    }
}

/// CPU seconds of this thread's process so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok());
    nanos.unwrap_or(0.0) / 1e9
}

fn evtx_files(folder: &Path, files: &mut Vec<(u64, PathBuf)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let (path, size) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?.len())))?;
        if path.is_dir() {
            evtx_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "evtx") {
            files.push((size, path));
        }
    }
    Ok(())
}

fn ours(files: &[Vec<u8>], reader: &mut ChunkReader) -> Count {
    let mut count = Count::default();
    for file in files {
        for (index, chunk) in file[FILE_HEADER_BYTES.min(file.len())..].chunks(CHUNK_BYTES).enumerate() {
            if is_chunk(chunk) {
                reader.read(chunk, (FILE_HEADER_BYTES + index * CHUNK_BYTES) as u64, &mut count);
            }
        }
    }
    count
}

fn library(files: &[Vec<u8>]) -> u64 {
    let mut records = 0;
    for file in files {
        let settings = evtx::ParserSettings::default().num_threads(1).indent(false);
        if let Ok(parser) = evtx::EvtxParser::from_buffer(file.clone()) {
            records += parser.with_configuration(settings).records_json_bytes().flatten().count() as u64;
        }
    }
    records
}

/// Runs `round` until the time is enough; records per CPU second.
fn measure(mut round: impl FnMut() -> u64) -> f64 {
    let (start, mut records) = (cpu_seconds(), 0);
    while cpu_seconds() - start < SECONDS_MIN {
        records += round();
    }
    records as f64 / (cpu_seconds() - start)
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let wanted = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(40);
    let mut paths = Vec::new();
    evtx_files(Path::new(&folder), &mut paths)?;
    paths.sort_by(|one, other| other.cmp(one));
    paths.truncate(wanted);
    let files = paths.iter().map(|(_, path)| std::fs::read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut reader = ChunkReader::new();
    let once = ours(&files, &mut reader);
    let bytes: usize = files.iter().map(Vec::len).sum();
    println!(
        "{} files, {bytes} bytes, {} records, {} values present, {} problems",
        files.len(),
        once.records,
        once.present,
        once.problems
    );
    let rate = measure(|| ours(&files, &mut reader).records);
    println!("winevt                    {rate:>12.0} records per CPU second");
    println!("winevt, nothing cached    {:>12.0}", measure(|| ours(&files, &mut ChunkReader::new()).records));
    println!("evtx records_json_bytes   {:>12.0}", measure(|| library(&files)));
    Ok(())
}
