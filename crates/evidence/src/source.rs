//! Finds the files of the arguments: walks folders, never follows a link that
//! it finds there, and sorts what it found.

use crate::{Limits, path};
use model::Problem;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One file of the arguments, not yet opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Where it lies.
    pub(crate) file: PathBuf,
    /// Its path as evidence: the argument joined with the relative path.
    pub path: String,
    /// Its collection root: the argument for the files of a folder, the
    /// parent folder for a file that is itself an argument (so that several
    /// logs named from one folder are one collection). Members of an archive
    /// have the archive as root instead.
    pub root: String,
    /// Its size in bytes when it was found.
    pub size_bytes: u64,
}

/// What the arguments hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Opened {
    /// Files, sorted by path in byte order, each once.
    pub sources: Vec<Source>,
    /// What could not be opened: path and problem, sorted.
    pub problems: Vec<(String, Problem)>,
}

/// Finds all files of `paths`. A link that is an argument is followed, because
/// somebody named it; links below are not.
///
/// The order of the arguments does not matter: a file that two of them hold
/// under one path is one source, with the outermost root.
pub fn open(paths: &[PathBuf], limits: &Limits) -> Opened {
    let mut walk = Walk { limits, found: BTreeMap::new(), problems: Vec::new(), full: false };
    let mut paths: Vec<&PathBuf> = paths.iter().collect();
    paths.sort();
    for argument in paths {
        walk.argument(argument);
    }
    let mut problems = walk.problems;
    problems.sort();
    problems.dedup();
    Opened { sources: walk.found.into_values().collect(), problems }
}

struct Walk<'a> {
    limits: &'a Limits,
    found: BTreeMap<String, Source>,
    problems: Vec<(String, Problem)>,
    full: bool,
}

impl Walk<'_> {
    fn argument(&mut self, argument: &Path) {
        let name = path::of_file(argument);
        match fs::metadata(argument) {
            Err(error) => self.problem(name, "unreadable", "a file or folder", error.to_string()),
            Ok(facts) if facts.is_dir() => self.folder(argument, &name),
            Ok(facts) if facts.is_file() => {
                let parent = match name.rsplit_once('/') {
                    Some(("", _)) => "/",
                    Some((parent, _)) => parent,
                    None => ".",
                };
                self.file(argument.to_path_buf(), name.clone(), parent, facts.len());
            }
            Ok(_) => self.problem(name, "not-a-file", "a file or folder", "a device, pipe or socket".into()),
        }
    }

    /// Depth first, by an explicit stack: a deep tree must not end ours.
    fn folder(&mut self, argument: &Path, root: &str) {
        let mut pending = vec![(argument.to_path_buf(), root.to_string(), 0u32)];
        while let Some((folder, name, depth)) = pending.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.problem(name, "unreadable", "a folder", error.to_string());
                    continue;
                }
            };
            let mut inside = Vec::new();
            for entry in entries {
                match entry {
                    Ok(entry) => inside.push(entry),
                    Err(error) => self.problem(name.clone(), "unreadable", "a folder", error.to_string()),
                }
            }
            inside.sort_by_key(fs::DirEntry::file_name);
            let mut below = Vec::new();
            for entry in inside {
                let entry_name = path::join(&name, &path::escape(entry.file_name().as_encoded_bytes()));
                if self.entry(&entry, &entry_name, root) {
                    if depth >= self.limits.folder_depth_max {
                        let wanted = format!("at most {} folders deep", self.limits.folder_depth_max);
                        self.problem(entry_name, "limit", &wanted, "a deeper folder".into());
                    } else {
                        below.push((entry.path(), entry_name, depth + 1));
                    }
                }
            }
            pending.extend(below.into_iter().rev());
        }
    }

    /// Notes a file; true when `entry` is a folder.
    fn entry(&mut self, entry: &fs::DirEntry, name: &str, root: &str) -> bool {
        // Of the entry itself: a link is not followed.
        match entry.metadata() {
            Err(error) => self.problem(name.into(), "unreadable", "a file or folder", error.to_string()),
            Ok(facts) if facts.is_symlink() => {
                self.problem(name.into(), "symlink", "a file or folder", "a link, not followed".into());
            }
            Ok(facts) if facts.is_dir() => return true,
            Ok(facts) if facts.is_file() => self.file(entry.path(), name.into(), root, facts.len()),
            Ok(_) => {
                self.problem(
                    name.into(),
                    "not-a-file",
                    "a file or folder",
                    "a device, pipe or socket".into(),
                );
            }
        }
        false
    }

    fn file(&mut self, file: PathBuf, path: String, root: &str, size_bytes: u64) {
        if self.found.len() >= self.limits.items_max && !self.found.contains_key(&path) {
            if !std::mem::replace(&mut self.full, true) {
                let wanted = format!("at most {} files", self.limits.items_max);
                self.problem(path, "limit", &wanted, "more files; they are not read".into());
            }
            return;
        }
        let source = Source { file, path: path.clone(), root: root.into(), size_bytes };
        let known = self.found.entry(path).or_insert_with(|| source.clone());
        if source.root.len() < known.root.len() {
            *known = source;
        }
    }

    fn problem(&mut self, path: String, kind: &'static str, wanted: &str, found: String) {
        let problem = Problem { kind, offset: None, wanted: wanted.into(), found, records_lost: None };
        self.problems.push((path, problem));
    }
}
