//! The folder: the inputs as files, and what only a file system can do.

use super::Input;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How large the large ones are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Apparent size of the sparse file.
    pub sparse_bytes: u64,
    /// Tiny files in one folder.
    pub tiny_files: usize,
    /// Size of the file that is one line.
    pub line_bytes: usize,
}

impl Size {
    /// For tests that run each time.
    pub const SMALL: Size = Size { sparse_bytes: 200 << 20, tiny_files: 2_000, line_bytes: 24 << 20 };
    /// As large as evidence may well be.
    pub const WHOLE: Size = Size { sparse_bytes: 4 << 30, tiny_files: 100_000, line_bytes: 300 << 20 };
}

/// Writes all inputs to `folder`, which must not exist; gives the names of the
/// entries in it and what is wrong with each.
///
/// # Errors
/// When the folder, or an entry that any Linux file system takes, cannot be
/// made.
pub fn write(folder: &Path, size: Size) -> io::Result<Vec<(String, String)>> {
    fs::create_dir(folder)?;
    let mut made = Vec::new();
    for Input { name, about, bytes } in super::inputs()? {
        fs::write(folder.join(&name), bytes)?;
        made.push((name, about));
    }
    let mut entry = |name: &str, about: &str| -> PathBuf {
        made.push((name.into(), about.into()));
        folder.join(name)
    };
    File::create(entry("sparse.evtx", "a sparse file"))?.set_len(size.sparse_bytes)?;
    let line =
        [b"#Fields: date time c-ip\n2021-03-04 11:20:05 ".to_vec(), vec![b'a'; size.line_bytes]].concat();
    fs::write(entry("one-line.log", "one very long line"), line)?;
    let many = entry("many", "a folder of many tiny files");
    fs::create_dir(&many)?;
    (0..size.tiny_files)
        .try_for_each(|index| fs::write(many.join(format!("{index}.log")), index.to_string()))?;
    let deep: PathBuf = std::iter::repeat_n("d", 200).collect();
    let deep = entry("deep", "folders 200 deep").join(deep);
    fs::create_dir_all(&deep)?;
    fs::write(deep.join("u_ex.log"), super::web_log())?;
    beyond_paths(&entry("beyond", "a folder whose path is longer than any path may be"))?;
    links(&mut entry)?;
    let pipe = entry("pipe.log", "a FIFO that nobody writes to");
    if !Command::new("mkfifo").arg(&pipe).status()?.success() {
        return Err(io::Error::other("mkfifo failed"));
    }
    odd_names(&entry("names", "a folder of odd names"))?;
    Ok(made)
}

/// Each half can be made by its path; together they are too long for any call.
fn beyond_paths(folder: &Path) -> io::Result<()> {
    let names: PathBuf = std::iter::repeat_n("n".repeat(200), 12).collect();
    let other = folder.with_file_name("beyond-half");
    fs::create_dir_all(folder.join(&names))?;
    fs::create_dir_all(other.join(&names))?;
    fs::write(other.join(&names).join("u_ex.log"), super::web_log())?;
    fs::rename(&other, folder.join(&names).join("rest"))
}

#[cfg(unix)]
fn links(entry: &mut dyn FnMut(&str, &str) -> PathBuf) -> io::Result<()> {
    use std::os::unix::fs::symlink;
    symlink("loop-b", entry("loop-a", "a link to a link to itself"))?;
    symlink("loop-a", entry("loop-b", "a link to a link to itself"))?;
    symlink(".", entry("here", "a link to its own folder"))?;
    symlink("/etc/hostname", entry("outside.log", "a link that leads out"))?;
    symlink("/dev/zero", entry("zero.log", "a link to a device without an end"))?;
    symlink("nowhere", entry("nowhere.log", "a link to nothing"))
}

#[cfg(not(unix))]
fn links(_: &mut dyn FnMut(&str, &str) -> PathBuf) -> io::Result<()> {
    Ok(())
}

fn odd_names(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    let long = "l".repeat(255);
    let names: [&[u8]; 14] = [
        b"new\nline.log",
        b"\x1b[2Jclear.log",
        "\u{202e}gol.exe".as_bytes(),
        "\u{200b}\u{feff}.log".as_bytes(),
        b"\xff\xfe\xfd.log",
        b"half\xc3",
        b"a.zip!b.log",
        b"%2E%2E%2Fup.log",
        b"--out",
        b"CON",
        b"trailing. ",
        b" ",
        b"quote\"<script>.log",
        long.as_bytes(),
    ];
    for (index, name) in names.into_iter().enumerate() {
        // Each its own bytes: equal files would be one item.
        let log = [super::web_log(), format!("#{index}\n").into_bytes()].concat();
        fs::write(folder.join(os_name(name)), log)?;
    }
    Ok(())
}

#[cfg(unix)]
fn os_name(name: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(name)
}

#[cfg(not(unix))]
fn os_name(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace(|c: char| c.is_control() || "<>\"!\\/:|?*".contains(c), "_")
}
