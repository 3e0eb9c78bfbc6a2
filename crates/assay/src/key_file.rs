//! The file of the key that pseudonyms come from: made on first use, for its owner only.

use crate::Output;
use anyhow::{Context as _, Result, bail};
use export::Key;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// A key file is shorter.
const BYTES_MAX: u64 = 4_096;

/// The key in `path`, or in the user's own place; a new one where there is none.
///
/// # Errors
/// When it is no key, others can read it, or it cannot be made.
pub fn open(path: Option<&PathBuf>, output: &mut Output<'_>) -> Result<Key> {
    let path = match path {
        Some(path) => path.clone(),
        None => {
            own_place().context("there is no folder of the user's configuration: name a file with --key")?
        }
    };
    let about = || format!("key {}", path.display());
    match fs::symlink_metadata(&path) {
        Ok(found) => {
            if !found.is_file() {
                bail!("{}: wanted a plain file, found a link or something else", about());
            }
            check_mode(&found).with_context(about)?;
            let mut text = String::new();
            File::open(&path)
                .and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text))
                .with_context(about)?;
            Key::parse(&text).with_context(|| format!("{}: no key that `assay export` made", about()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => make(&path, output).with_context(about),
        Err(error) => Err(error).with_context(about),
    }
}

fn make(path: &Path, output: &mut Output<'_>) -> Result<Key> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    let key = Key::new(bytes);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(key.render().as_bytes())?;
    let shown = path.display().to_string();
    writeln!(
        output.stderr,
        "note: made the key {}; whoever has it can find out what pseudonyms stand for, and without it they change",
        report::escape_terminal(&shown)
    )?;
    Ok(key)
}

#[cfg(unix)]
fn check_mode(found: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("others than its owner can read it (mode {mode:o}): chmod 600");
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &fs::Metadata) -> Result<()> {
    Ok(())
}

/// Where the user's own configuration lies.
fn own_place() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || folder("HOME").map(|home| home.join(".config"));
    let base = folder("XDG_CONFIG_HOME").or_else(home).or_else(|| folder("APPDATA"))?;
    Some(base.join("assay").join("export.key"))
}
