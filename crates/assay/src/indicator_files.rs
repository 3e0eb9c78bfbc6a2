//! Files of indicators from disk.

use anyhow::{Context as _, Result, bail};
use indicator::IndicatorSet;
use model::{IndicatorFile, RuleNote};
use std::fs;
use std::path::{Path, PathBuf};

/// A larger file (in bytes) is not read.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The indicators of all files.
#[derive(Default)]
pub struct Indicators {
    /// What is looked for.
    pub set: IndicatorSet,
    /// The files it came from.
    pub files: Vec<IndicatorFile>,
    /// What of them could not be taken.
    pub not_loaded: Vec<RuleNote>,
}

/// Reads `paths`, each once and in the order of their names, so that the order
/// of the arguments does not matter.
///
/// # Errors
/// When a file that the user named is not there, not readable or too large.
pub fn read(paths: &[PathBuf]) -> Result<Indicators> {
    let mut paths: Vec<&PathBuf> = paths.iter().collect();
    paths.sort();
    paths.dedup();
    let mut set = IndicatorSet::default();
    for path in paths {
        read_file(path, &mut set).with_context(|| format!("--indicators {}", path.display()))?;
    }
    let files = set.files().iter().map(file).collect();
    let not_loaded = set.files().iter().flat_map(notes).collect();
    Ok(Indicators { set, files, not_loaded })
}

fn read_file(path: &Path, set: &mut IndicatorSet) -> Result<()> {
    let bytes = fs::metadata(path)?.len();
    if bytes > FILE_BYTES_MAX {
        bail!("{bytes} bytes; a file of indicators has at most {FILE_BYTES_MAX}");
    }
    set.load(&path.display().to_string(), &fs::read(path)?);
    Ok(())
}

fn file(file: &indicator::IndicatorFile) -> IndicatorFile {
    IndicatorFile {
        file: file.name.clone(),
        sha256: file.sha256,
        format: file.format,
        loaded: file.loaded,
        left_out: file.left_out.clone(),
        not_loaded: file.not_loaded_total,
    }
}

fn notes(file: &indicator::IndicatorFile) -> Vec<RuleNote> {
    let note = |line, reason| RuleNote { file: file.name.clone(), line, rule: None, reason };
    let mut notes: Vec<RuleNote> = file
        .not_loaded
        .iter()
        .map(|own| {
            let at = own.pointer.as_ref().map(|pointer| format!("{pointer}: ")).unwrap_or_default();
            note(own.line, format!("{at}{}", own.reason))
        })
        .collect();
    let more = file.not_loaded_total - notes.len() as u64;
    if more > 0 {
        notes.push(note(None, format!("{more} more values could not be taken")));
    }
    notes
}
