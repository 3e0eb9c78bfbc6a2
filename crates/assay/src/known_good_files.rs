//! Known-good lists from disk, packed with gzip or not.

use anyhow::{Context as _, Result};
use model::RuleNote;
use scan::KnownGood;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;

/// A list unpacks to at most so much.
const UNPACKED_BYTES_MAX: u64 = 1 << 30;

/// Reads all lists; lines that are no rows are told in `notes`.
///
/// # Errors
/// When a list is not there, not readable, or none.
pub fn read(paths: &[PathBuf], notes: &mut Vec<RuleNote>) -> Result<KnownGood> {
    let mut known = KnownGood::default();
    for path in paths {
        let shown = path.display().to_string();
        let about = || format!("--known-good {shown}");
        let mut file = BufReader::new(File::open(path).with_context(about)?);
        let is_packed = file.fill_buf().with_context(about)?.starts_with(&[0x1f, 0x8b]);
        let faults = if is_packed {
            let unpacked = flate2::bufread::MultiGzDecoder::new(file).take(UNPACKED_BYTES_MAX);
            known.read(BufReader::new(unpacked))
        } else {
            known.read(file)
        };
        let note = |(line, reason)| RuleNote { file: shown.clone(), line: Some(line), rule: None, reason };
        notes.extend(faults.with_context(about)?.into_iter().map(note));
    }
    Ok(known)
}
