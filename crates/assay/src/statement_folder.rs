//! A package as a folder, and what stands beside it: positions seen, rosters, keys, the clock.

use crate::statement_arguments::KeyArguments;
use anyhow::{Context as _, Result, bail};
use model::Timestamp;
use statement::{AgentSigner, FILE_BYTES_MAX, FILES_MAX, KeySigner, Package, Seen, Signer, read_public};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Folders within folders.
const DEPTH_MAX: usize = 8;
/// Bytes of a draft, a form, a roster, a key.
const TEXT_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes of the list of positions seen.
const SEEN_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads a text that people write.
pub fn read_text(path: &Path) -> Result<String> {
    text_of(path, read_bytes(path)?)
}

/// Reads a roster or a list of keys, which `ssh-keygen` takes in any encoding.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    read_up_to(path, TEXT_BYTES_MAX)
}

fn read_up_to(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let about = || path.display().to_string();
    let mut bytes = Vec::new();
    fs::File::open(path)
        .with_context(about)?
        .take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .with_context(about)?;
    if bytes.len() as u64 > bytes_max {
        bail!("{}: wanted at most {bytes_max} bytes, found more", about());
    }
    Ok(bytes)
}

fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).with_context(|| format!("{}: wanted UTF-8", path.display()))
}

/// Reads a package as it lies there. Links are not followed.
pub fn read_package(folder: &Path) -> Result<Package> {
    let (mut files, mut strange) = (BTreeMap::new(), Vec::new());
    let about = || format!("package {}", folder.display());
    read_folder(folder, "", 0, &mut files, &mut strange).with_context(about)?;
    Package::of_files(files, strange).with_context(about)
}

fn read_folder(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut BTreeMap<String, Vec<u8>>,
    strange: &mut Vec<String>,
) -> Result<()> {
    if depth > DEPTH_MAX {
        bail!("wanted at most {DEPTH_MAX} folders within each other, found more");
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = entry.file_type()?;
        let Some(name) = name.to_str() else {
            strange.push(format!("{prefix}{}", name.to_string_lossy()));
            continue;
        };
        let name = format!("{prefix}{name}");
        if kind.is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), depth + 1, files, strange)?;
        } else if kind.is_file() {
            let mut bytes = Vec::new();
            fs::File::open(entry.path())?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
            files.insert(name, bytes);
        } else {
            strange.push(name);
        }
        if files.len() + strange.len() > FILES_MAX {
            bail!("wanted at most {FILES_MAX} files, found more");
        }
    }
    Ok(())
}

/// Writes files of a package that are new; one that is there is never written over.
pub fn write_new(folder: &Path, package: &Package, names: &[String]) -> Result<()> {
    let mut written: Vec<PathBuf> = Vec::new();
    // A signature before what it signs: a position never stands there without one.
    let (signatures, others): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| name.ends_with(".sig"));
    for name in signatures.into_iter().chain(others) {
        let path = folder.join(name);
        let done = write_file(&path, package.files().get(name).map_or(&[][..], Vec::as_slice));
        if let Err(error) = done {
            for path in written {
                // What is left behind is named by `verify`.
                let _ = fs::remove_file(path);
            }
            return Err(error).with_context(|| format!("writing {}", path.display()));
        }
        written.push(path);
    }
    Ok(())
}

/// Writes a file that must be new.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// Where positions that were seen are kept: named, or beside the package.
pub fn seen_path(named: Option<&PathBuf>, package: &Path) -> Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named.clone());
    }
    let place = package.canonicalize().with_context(|| package.display().to_string())?;
    let mut name = place.file_name().context("the package has no name")?.to_owned();
    name.push(".seen");
    Ok(place.with_file_name(name))
}

/// What was seen; nothing yet where there is no such file.
pub fn read_seen(path: &Path) -> Result<Seen> {
    match read_up_to(path, SEEN_BYTES_MAX) {
        Ok(bytes) => Seen::read(&text_of(path, bytes)?).with_context(|| path.display().to_string()),
        Err(error) if is_missing(&error) => Ok(Seen::default()),
        Err(error) => Err(error),
    }
}

fn is_missing(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::NotFound)
}

/// Takes note of a package's positions, whole or not at all.
pub fn keep_seen(path: &Path, mut seen: Seen, package: &Package) -> Result<()> {
    seen.add(package);
    let about = || format!("writing {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(about)?;
    file.write_all(seen.text().as_bytes()).with_context(about)?;
    file.persist(path).map_err(|error| error.error).with_context(about)?;
    Ok(())
}

/// Now, in whole seconds.
pub fn now() -> Result<Timestamp> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds).ok().and_then(Timestamp::from_seconds).context("the clock is out of range")
}

/// Opens the key that signs.
pub fn signer(arguments: &KeyArguments) -> Result<Box<dyn Signer>> {
    let about = || format!("--key {}", arguments.key.display());
    let text = read_text(&arguments.key).with_context(about)?;
    if text.contains("PRIVATE KEY-----") {
        let key = KeySigner::read(&text).with_context(about)?;
        let Some(certificate) = &arguments.certificate else { return Ok(Box::new(key)) };
        let about = || format!("--certificate {}", certificate.display());
        let blob = read_public(&read_text(certificate)?).with_context(about)?;
        return Ok(Box::new(key.with_certificate(blob).with_context(about)?));
    }
    if arguments.certificate.is_some() {
        bail!(
            "--certificate goes with a private key; of a key that the agent has, give the certificate as --key"
        );
    }
    let public = read_public(&text).with_context(about)?;
    Ok(Box::new(AgentSigner::new(agent()?, public)))
}

#[cfg(unix)]
fn agent() -> Result<std::os::unix::net::UnixStream> {
    let socket = std::env::var_os("SSH_AUTH_SOCK")
        .context("the key is public, and no agent runs (SSH_AUTH_SOCK is not set)")?;
    std::os::unix::net::UnixStream::connect(&socket).context("connecting to the agent (SSH_AUTH_SOCK)")
}

/// The agent of Windows listens on a named pipe, which opens as a file does.
#[cfg(not(unix))]
fn agent() -> Result<fs::File> {
    const PIPE: &str = r"\\.\pipe\openssh-ssh-agent";
    let pipe = std::env::var_os("SSH_AUTH_SOCK").unwrap_or_else(|| PIPE.into());
    OpenOptions::new().read(true).write(true).open(pipe).context("connecting to the agent")
}
