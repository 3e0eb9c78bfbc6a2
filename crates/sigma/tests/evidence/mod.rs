//! Rules and records of the shared data folder, for tests.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code")]

use model::{Problem, Record, RecordSink};
use sigma::{LoadOptions, Loaded, RuleText, load};
use std::path::{Path, PathBuf};

/// The shared data folder; `None` where it is missing, which CI refuses.
pub fn data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "../shared/data is missing");
    eprintln!("skipped: ../shared/data is missing");
    None
}

/// All files below `folder` with this ending, by path.
pub fn files(folder: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, ending, out);
        } else if path.extension().is_some_and(|own| own == ending) {
            out.push(path);
        }
    }
}

/// All rules of SigmaHQ that are meant to be used.
pub fn sigmahq(data: &Path) -> Loaded {
    let mut paths = Vec::new();
    for folder in ["rules", "rules-emerging-threats", "rules-threat-hunting"] {
        files(&data.join("sigma-rules").join(folder), "yml", &mut paths);
    }
    let root = data.join("sigma-rules");
    let texts: Vec<(String, String)> = paths
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    load(texts.iter().map(|(file, text)| RuleText { file, text }), &LoadOptions::default())
}

struct Each<'a>(&'a mut dyn FnMut(&Record<'_>));

impl RecordSink for Each<'_> {
    fn record(&mut self, record: &Record<'_>) {
        (self.0)(record);
    }
    fn problem(&mut self, _: Problem) {}
}

/// Shows each record of an EVTX file.
pub fn records(path: &Path, show: &mut dyn FnMut(&Record<'_>)) {
    let bytes = std::fs::read(path).unwrap();
    let mut reader = winevt::ChunkReader::new();
    let mut offset = winevt::FILE_HEADER_BYTES;
    while offset < bytes.len() {
        let end = bytes.len().min(offset + winevt::CHUNK_BYTES);
        if winevt::is_chunk(&bytes[offset..end]) {
            reader.read(&bytes[offset..end], offset as u64, &mut Each(show));
        }
        offset = end;
    }
}
