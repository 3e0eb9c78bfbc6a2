//! Puts the built-in rules and casebooks into the program: one table of path
//! and text for each folder, sorted by path.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let workspace =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..").canonicalize()?;
    let mut table = String::new();
    for (name, folder, ending) in
        [("RULES", "rules", "yml"), ("YARA_RULES", "rules/yara", "yar"), ("CASEBOOK", "casebook", "yml")]
    {
        let mut files = Vec::new();
        collect(&workspace.join(folder), ending, &mut files)?;
        files.sort();
        let _ = writeln!(table, "pub const {name}: &[(&str, &str)] = &[");
        for file in files {
            let shown = file.strip_prefix(&workspace).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let _ = writeln!(table, "    ({shown:?}, include_str!({file:?})),");
        }
        let _ = writeln!(table, "];");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("builtin.rs"), table)
}

fn collect(folder: &Path, wanted: &str, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, wanted, files)?;
        } else if path.extension().is_some_and(|ending| ending == wanted) {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}
