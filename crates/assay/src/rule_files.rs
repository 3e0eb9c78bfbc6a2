//! Rule files from disk and from the program itself.

use crate::builtin;
use anyhow::{Context as _, Result, bail};
use model::RuleNote;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A rule file larger than this (in bytes) is not one.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Folders below each other.
const DEPTH_MAX: usize = 32;

/// A kind of rule files: the option that names them, and their endings.
pub struct Kind {
    option: &'static str,
    endings: &'static [&'static str],
}

/// Sigma rules.
pub const SIGMA: Kind = Kind { option: "--rules", endings: &["yml", "yaml"] };
/// Sigma rules that a command is about, named without an option.
pub const NAMED: Kind = Kind { option: "rules", ..SIGMA };
/// YARA rules.
pub const YARA: Kind = Kind { option: "--yara", endings: &["yar", "yara"] };

/// The built-in Sigma rules: path in the source tree, and text.
pub fn builtin_rules() -> &'static [(&'static str, &'static str)] {
    builtin::RULES
}

/// Rule texts as read, and those that could not be.
#[derive(Default)]
pub struct RuleFiles {
    /// File name as shown, and text.
    pub texts: Vec<(String, String)>,
    /// Files that could not be read as text.
    pub unread: Vec<RuleNote>,
}

/// Reads all rule files of a kind in `paths`, folders whole, in the order of
/// their names.
///
/// # Errors
/// When a path that the user named is not there or not readable.
pub fn read(kind: &Kind, paths: &[PathBuf]) -> Result<RuleFiles> {
    let mut files = RuleFiles::default();
    for path in paths {
        let named = || format!("{} {}", kind.option, path.display());
        let about = fs::metadata(path).with_context(named)?;
        if about.is_dir() {
            read_folder(kind, path, 0, &mut files).with_context(named)?;
        } else {
            read_file(path, &mut files);
        }
    }
    Ok(files)
}

fn read_folder(kind: &Kind, folder: &Path, depth: usize, files: &mut RuleFiles) -> Result<()> {
    if depth > DEPTH_MAX {
        bail!("{}: more than {DEPTH_MAX} folders deep", folder.display());
    }
    let mut entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, file_type) = (entry.path(), entry.file_type()?);
        let is_rule = || {
            path.extension()
                .is_some_and(|ending| kind.endings.iter().any(|own| ending.eq_ignore_ascii_case(own)))
        };
        if file_type.is_dir() {
            read_folder(kind, &path, depth + 1, files)?;
        } else if file_type.is_file() && is_rule() {
            read_file(&path, files);
        }
    }
    Ok(())
}

fn read_file(path: &Path, files: &mut RuleFiles) {
    let shown = path.display().to_string();
    let unread = |reason: String| RuleNote { file: shown.clone(), line: None, rule: None, reason };
    match fs::metadata(path).map(|about| about.len()) {
        Ok(bytes) if bytes > FILE_BYTES_MAX => {
            files.unread.push(unread(format!("{bytes} bytes; a rule file has at most {FILE_BYTES_MAX}")));
            return;
        }
        Ok(_) => {}
        Err(error) => {
            files.unread.push(unread(error.to_string()));
            return;
        }
    }
    match fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => files.texts.push((shown, text)),
        Ok(Err(error)) => {
            let at = error.utf8_error().valid_up_to();
            files.unread.push(unread(format!("not UTF-8 at byte {at}")));
        }
        Err(error) => files.unread.push(unread(error.to_string())),
    }
}

/// Reads pipelines: files, or built-in ones by their names.
///
/// # Errors
/// When one cannot be read, or is no pipeline.
pub fn read_pipelines(paths: &[PathBuf]) -> Result<sigma::Pipelines> {
    let mut texts: Vec<(String, String)> = Vec::new();
    for path in paths {
        let shown = path.display().to_string();
        let text = match sigma::builtin_pipeline(&shown) {
            Some(text) if !path.exists() => text.to_owned(),
            _ => fs::read_to_string(path).with_context(|| {
                let names: Vec<&str> = sigma::builtin_pipelines().collect();
                format!("--pipeline {shown} (built in are: {})", names.join(", "))
            })?,
        };
        texts.push((shown, text));
    }
    let (pipelines, faults) =
        sigma::load_pipelines(texts.iter().map(|(file, text)| sigma::RuleText { file, text }));
    match faults.first() {
        None => Ok(pipelines),
        Some(fault) => {
            let line = fault.line.map(|line| format!(":{line}")).unwrap_or_default();
            bail!("--pipeline {}{line}: {}: {}", fault.file, fault.id, fault.message)
        }
    }
}

/// What rules are loaded with.
///
/// # Errors
/// When a pipeline or the placeholders cannot be read.
pub fn load_options(pipelines: &[PathBuf], placeholders: Option<&Path>) -> Result<sigma::LoadOptions> {
    let placeholders = placeholders.map(read_placeholders).transpose()?.unwrap_or_default();
    Ok(sigma::LoadOptions { placeholders, pipelines: read_pipelines(pipelines)? })
}

/// Reads the placeholder values for `expand`: a mapping from name to a value
/// or a list of values.
///
/// # Errors
/// When the file cannot be read or holds something else.
fn read_placeholders(path: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let text = fs::read_to_string(path).with_context(|| format!("--placeholders {}", path.display()))?;
    let wanted =
        || format!("--placeholders {}: wanted a mapping of names to lists of values", path.display());
    let raw: BTreeMap<String, yaml_serde::Value> = yaml_serde::from_str(&text).with_context(wanted)?;
    raw.into_iter().map(|(name, value)| Ok((name, placeholder_values(value).with_context(wanted)?))).collect()
}

fn placeholder_values(value: yaml_serde::Value) -> Option<Vec<String>> {
    match value {
        yaml_serde::Value::Sequence(values) => {
            values.into_iter().map(placeholder_values).collect::<Option<Vec<_>>>().map(|lists| lists.concat())
        }
        yaml_serde::Value::String(text) => Some(vec![text]),
        yaml_serde::Value::Number(number) => Some(vec![number.to_string()]),
        yaml_serde::Value::Bool(truth) => Some(vec![truth.to_string()]),
        _ => None,
    }
}
