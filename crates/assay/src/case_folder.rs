//! The folder of a case. That of `scan --out`: made before the scan, so that an hour of reading is
//! not lost to a folder that cannot be written; never among other files, and
//! never within the evidence.

use anyhow::{Context as _, Result, bail};
use model::Case;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

/// How `case.json` begins when it is one of ours.
const MARK: &str = "\"assay-case/";
/// Where in it the mark stands at the latest.
const MARK_WITHIN_BYTES: u64 = 64;

/// Makes `folder` ready for a case; an older case in it will be written over.
///
/// # Errors
/// When it holds something that is no case, lies within the evidence or around
/// it, or cannot be made.
pub fn prepare(folder: &Path, evidence: &[PathBuf]) -> Result<()> {
    let about = || format!("--out {}", folder.display());
    let place = real_place(folder).with_context(about)?;
    for path in evidence.iter().filter_map(|path| path.canonicalize().ok()) {
        if path.starts_with(&place) || (path.is_dir() && place.starts_with(&path)) {
            bail!("{}: evidence is never written to; name a folder outside {}", about(), path.display());
        }
    }
    fs::create_dir_all(folder).with_context(about)?;
    let is_empty = fs::read_dir(folder).with_context(about)?.next().is_none();
    if !is_empty && !holds_case(folder) {
        bail!("{}: the folder holds something that is no case; name an empty or a new one", about());
    }
    remove_left_over(folder).with_context(about)?;
    let probe = tempfile::tempfile_in(folder).with_context(about)?;
    drop(probe);
    Ok(())
}

/// What the new case may not write over: further pages of findings, and what was said of an older case's intrusions.
fn remove_left_over(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("findings-")?.strip_suffix(".html"));
        let is_page = number.is_some_and(|number| number.parse::<u32>().is_ok());
        if (is_page || name == "attribution.json") && !entry.file_type()?.is_dir() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A file of the case, to be written anew. A link that stands under its name
/// is replaced, not followed: it could lead anywhere.
pub fn create(folder: &Path, name: &str) -> io::Result<Box<dyn Write>> {
    let path = folder.join(name);
    if path.is_symlink() {
        fs::remove_file(&path)?;
    }
    Ok(Box::new(io::BufWriter::new(File::create(path)?)))
}

/// A file of a case that is there. What is no plain file is not opened: a case can come from anybody, and a link could
/// lead anywhere, a pipe nowhere.
///
/// # Errors
/// `NotFound`, and those of opening.
pub fn open(folder: &Path, name: &str) -> io::Result<Box<dyn report::Source>> {
    let path = folder.join(name);
    if !fs::symlink_metadata(&path)?.is_file() {
        return Err(io::Error::other("wanted a plain file, found a link or something else"));
    }
    Ok(Box::new(File::open(path)?))
}

/// Whether an export of the case in `folder` may be written to `file`.
///
/// # Errors
/// When it is one of the case's own files, or lies in the evidence.
pub fn check_export(file: &Path, folder: &Path, case: &Case) -> Result<()> {
    let about = || format!("--out {}", file.display());
    let (place, home) = (real_place(file).with_context(about)?, real_place(folder).with_context(about)?);
    let name = place.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if place.parent() == Some(&home) && report::is_case_file(name) {
        bail!("{}: a file of the case, which it would write over", about());
    }
    let roots: BTreeSet<&str> = case.items.iter().map(|item| item.root.as_str()).collect();
    for root in roots.into_iter().filter_map(|root| Path::new(root).canonicalize().ok()) {
        // A case never lies in its evidence: a root around it is another folder of that name.
        if place.starts_with(&root) && !home.starts_with(&root) {
            bail!("{}: evidence is never written to; name a file outside {}", about(), root.display());
        }
    }
    Ok(())
}

/// The folder's path without links, whether it exists yet or not.
fn real_place(folder: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(folder)?;
    let mut below = PathBuf::new();
    for ancestor in absolute.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            return Ok(real.join(below));
        }
        let Some(name) = ancestor.file_name() else { break };
        below = Path::new(name).join(below);
    }
    Ok(absolute)
}

fn holds_case(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join("case.json")) else { return false };
    let mut beginning = Vec::new();
    let read = file.take(MARK_WITHIN_BYTES).read_to_end(&mut beginning);
    read.is_ok() && String::from_utf8_lossy(&beginning).contains(MARK)
}
