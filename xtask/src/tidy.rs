//! The tree is tidy: a test, not a habit.
//!
//! Levels of the crates, lengths of files and functions, fields of structs,
//! module docs, banned words with their replacement, licences. Each complaint
//! names file and line. Run as `cargo xtask tidy` and by `cargo test -p xtask`.

use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const STRUCT_FIELDS_MAX: usize = 15;

/// Crates and their level; an arrow goes from a higher level to a lower one.
/// `range` and `xtask` stand beside: only tests and tools use them.
const LEVELS: &[(&str, u8)] = &[
    ("model", 0),
    ("artifact", 1),
    ("disk", 1),
    ("knowledge", 1),
    ("winevt", 1),
    ("script", 1),
    ("sigma", 1),
    ("stix", 1),
    ("yara", 1),
    ("attribution", 2),
    ("casebook", 2),
    ("evidence", 2),
    ("indicator", 2),
    ("statement", 2),
    ("report", 3),
    ("export", 4),
    ("scan", 3),
    ("assay", 5),
];
const BESIDE: &[&str] = &["range", "xtask", "fuzz"];

/// Words that are not names here, and what to say instead.
const BANNED_MODULES: &[(&str, &str)] = &[
    ("utils", "the noun of what it holds"),
    ("util", "the noun of what it holds"),
    ("helpers", "the noun of what it holds"),
    ("common", "the noun of what it holds"),
    ("misc", "the noun of what it holds"),
    ("manager", "what it manages"),
    ("types", "the nouns themselves"),
];

/// Licences that Apache-2.0 software may depend on; the list of `deny.toml`.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// All complaints about the tree at `root`, sorted.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "fuzz"] {
        rust_files(&root.join(folder), &mut files)?;
    }
    files.sort();
    for file in &files {
        let text = fs::read_to_string(file)?;
        let shown = file.strip_prefix(root).unwrap_or(file).display().to_string();
        check_file(&shown, &text, &mut found).with_context(|| shown.clone())?;
    }
    check_metadata(root, &mut found)?;
    found.sort();
    Ok(found)
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "target" && name != "testdata" {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn check_file(shown: &str, text: &str, found: &mut Vec<String>) -> Result<()> {
    let stem = Path::new(shown).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if let Some((word, instead)) = BANNED_MODULES.iter().find(|(word, _)| *word == stem) {
        found.push(format!("{shown}: `{word}` is no name; name it by {instead}"));
    }
    if !text.starts_with("//!") {
        found.push(format!("{shown}:1: a module opens with what its room is for (`//!`)"));
    }
    // `sample.rs` holds what the tests of a crate are made of.
    let is_test = shown.contains("/tests/") || stem == "tests" || stem == "sample";
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
    if lines > FILE_LINES_MAX && !is_test {
        found.push(format!("{shown}: {lines} lines before its tests; {FILE_LINES_MAX} is the budget"));
    }
    let parsed = syn::parse_file(text)?;
    let mut lengths = Lengths { shown, is_test, found };
    lengths.visit_file(&parsed);
    Ok(())
}

struct Lengths<'a> {
    shown: &'a str,
    is_test: bool,
    found: &'a mut Vec<String>,
}

impl Lengths<'_> {
    fn check_function(&mut self, name: &syn::Ident, block: &syn::Block) {
        let (start, end) = (name.span().start().line, block.span().end().line);
        let lines = end + 1 - start;
        if lines > FUNCTION_LINES_MAX && !self.is_test {
            let shown = self.shown;
            self.found.push(format!(
                "{shown}:{start}: `{name}` has {lines} lines; {FUNCTION_LINES_MAX} is the budget"
            ));
        }
    }
}

impl<'ast> Visit<'ast> for Lengths<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.check_function(&item.sig.ident, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.check_function(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if item.fields.len() > STRUCT_FIELDS_MAX {
            let (shown, line, name) = (self.shown, item.ident.span().start().line, &item.ident);
            let fields = item.fields.len();
            self.found.push(format!(
                "{shown}:{line}: `{name}` has {fields} fields; {STRUCT_FIELDS_MAX} is the budget"
            ));
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|argument| argument == "test")
        });
        if !is_test {
            visit::visit_item_mod(self, item);
        }
    }
}

fn check_metadata(root: &Path, found: &mut Vec<String>) -> Result<()> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("running cargo metadata")?;
    anyhow::ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or("none");
        if !is_fit(licence) {
            found.push(format!("dependency {name}: licence {licence} is not on the list of deny.toml"));
        }
        if package["source"].is_null() {
            check_level(name, package, found);
        }
    }
    Ok(())
}

fn check_level(name: &str, package: &Value, found: &mut Vec<String>) {
    let level_of = |name: &str| LEVELS.iter().find(|(known, _)| *known == name).map(|(_, level)| *level);
    if BESIDE.contains(&name) {
        return;
    }
    let Some(own) = level_of(name) else {
        found.push(format!("crate {name}: has no level in xtask/src/tidy.rs"));
        return;
    };
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        // Tests may look anywhere.
        if dependency["kind"] == "dev" {
            continue;
        }
        let on = dependency["name"].as_str().unwrap_or_default();
        if BESIDE.contains(&on) || level_of(on).is_some_and(|level| level >= own) {
            found.push(format!("crate {name}: depends on {on}, which does not lie below it"));
        }
    }
}

/// Whether an SPDX expression can be met with the list alone. Good for the
/// flat expressions that crates use: alternatives of conjunctions.
fn is_fit(expression: &str) -> bool {
    let known = |licence: &str| LICENCES.contains(&licence.trim().trim_matches(['(', ')']));
    let expression = expression.replace('/', " OR ");
    if let Some((left, right)) = expression.split_once(") AND ") {
        return is_fit(left.trim_start_matches('(')) && is_fit(right);
    }
    if let Some((left, right)) = expression.split_once(" AND (") {
        return is_fit(left) && is_fit(right.trim_end_matches(')'));
    }
    expression.split(" OR ").any(|choice| choice.split(" AND ").all(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let found = complaints(&root).unwrap();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn licences() {
        assert!(is_fit("MIT OR Apache-2.0"));
        assert!(is_fit("MIT/Apache-2.0"));
        assert!(is_fit("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(is_fit("LGPL-3.0 OR MIT"));
        assert!(!is_fit("GPL-3.0"));
        assert!(!is_fit("(MIT OR Apache-2.0) AND GPL-2.0"));
        assert!(!is_fit("none"));
    }

    #[test]
    fn complaints_name_file_and_line() {
        let mut found = Vec::new();
        let long = format!("//! Doc.\nfn long() {{\n{}}}\n", "    let _ = 1;\n".repeat(FUNCTION_LINES_MAX));
        check_file("crates/x/src/utils.rs", &long, &mut found).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].starts_with("crates/x/src/utils.rs:2: `long` has 72 lines"), "{found:?}");
    }
}
