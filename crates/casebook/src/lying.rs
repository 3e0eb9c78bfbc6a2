//! What lies there, by a finding that has no time: a file of a copy, a module
//! in the configuration of IIS.
//!
//! Such findings belong together where they name one file, one folder or one
//! module. They belong to an intrusion where what it left in the logs names the same, and
//! no other group does: what lies there must not bring two intruders together.

use crate::intrusion::Groups;
use crate::shell;
use crate::trace::{Trace, Traces};
use model::Finding;
use std::collections::{BTreeMap, BTreeSet};

/// Fields that hold a path, or a command that begins with one.
const PATHS: [&str; 6] = ["Path", "Image", "PhysicalPath", "ScriptProcessor", "Command", "ImagePath"];
/// Folders that belong to nobody: lying in one of them joins nothing.
const EVERYBODYS: [&str; 12] = [
    "\\windows",
    "\\system32",
    "\\syswow64",
    "\\inetsrv",
    "\\temp",
    "\\public",
    "\\programdata",
    "\\wwwroot",
    "\\inetpub",
    "\\bin",
    "\\downloads",
    "\\desktop",
];
/// Shorter names of modules are everybody's.
const MODULE_CHARS_MIN: usize = 6;
/// Names looked for in the findings of one host.
const NAMES_MAX: usize = 4_096;
/// Bytes looked at in one field.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Paths that begin alike, of which one may stand at a place of a text.
const ALIKE_MAX: usize = 8;

/// Names of one finding without a time.
#[derive(Default)]
struct Names {
    /// In lower case.
    paths: BTreeSet<String>,
    folders: BTreeSet<String>,
    modules: BTreeSet<String>,
}

impl Names {
    fn of(finding: &Finding) -> Self {
        let mut names = Self::default();
        for path in PATHS.iter().filter_map(|name| finding.field(name)).filter_map(plain_path) {
            // Pages of web folders are named by their URL (`key`).
            let is_page = shell::is_script(&path);
            if let Some((folder, _)) = path.rsplit_once('\\').filter(|_| !is_page)
                && folder.len() > 3
                && !EVERYBODYS.iter().any(|own| folder.ends_with(own))
            {
                names.folders.insert(folder.to_owned());
            }
            if !is_windows_program(&path) && path.len() > 3 {
                names.paths.insert(path);
            }
        }
        if let Some(name) = finding.field("Name").filter(|_| finding.field("Element").is_some())
            && name.chars().count() >= MODULE_CHARS_MIN
        {
            names.modules.insert(name.to_lowercase());
        }
        names
    }

    /// All of them as keys of a group.
    fn keys(&self) -> impl Iterator<Item = (u8, &str)> {
        let kinds = [&self.paths, &self.folders, &self.modules].into_iter().zip(0..);
        kinds.flat_map(|(names, kind)| names.iter().map(move |name| (kind, name.as_str())))
    }
}

/// A path in lower case, with the folders of Windows spelt out; `None` when the text begins with none.
fn plain_path(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('"').to_lowercase().replace('/', "\\");
    let text = text.split('"').next().unwrap_or_default().trim_end_matches('\\');
    let text = ["%windir%", "%systemroot%"].iter().find_map(|own| text.strip_prefix(own)).map_or_else(
        || text.replacen("%systemdrive%", "c:", 1).replacen("%programdata%", "c:\\programdata", 1),
        |rest| format!("c:\\windows{rest}"),
    );
    let is_path = text.get(1..3) == Some(":\\") || text.starts_with("\\\\");
    (is_path && text.len() <= TEXT_BYTES_MAX).then_some(text)
}

/// Programs that Windows brings along: they are named in findings of all kinds.
fn is_windows_program(path: &str) -> bool {
    let folder = path.rsplit_once('\\').map_or("", |(folder, _)| folder);
    path.ends_with(".exe")
        && ["\\system32", "\\syswow64", "\\windows"].iter().any(|own| folder.ends_with(own))
}

/// Names that findings without a time have, by host.
type Known = BTreeMap<usize, BTreeSet<String>>;

/// Joins findings without a time with each other, and each group of them with
/// the one group of others that names the same.
pub fn join(traces: &Traces<'_>, groups: &mut Groups) {
    let lying: Vec<(usize, Names)> = traces
        .list
        .iter()
        .enumerate()
        .filter(|(_, trace)| trace.time().is_none() && trace.is_notable())
        .map(|(index, trace)| (index, Names::of(trace.finding)))
        .collect();
    let (mut paths, mut modules) = (Known::new(), Known::new());
    let none = BTreeSet::new();
    let mut first: BTreeMap<(usize, u8, &str), usize> = BTreeMap::new();
    for (index, names) in &lying {
        let host = traces.list[*index].host;
        for (kind, name) in names.keys() {
            let other = *first.entry((host, kind, name)).or_insert(*index);
            groups.join(other, *index);
        }
        let all = [(&mut paths, [&names.paths, &names.folders]), (&mut modules, [&names.modules, &none])];
        for (known, own) in all {
            let known = known.entry(host).or_default();
            let left = NAMES_MAX.saturating_sub(known.len());
            known.extend(own.into_iter().flatten().take(left).cloned());
        }
    }
    if lying.is_empty() {
        return;
    }
    // Who names them, with a time.
    let mut named_by: BTreeMap<(usize, String), BTreeSet<usize>> = BTreeMap::new();
    for (index, trace) in traces.list.iter().enumerate().filter(|(_, trace)| trace.is_notable()) {
        if trace.time().is_none() {
            continue;
        }
        let (paths, modules) = (paths.get(&trace.host), modules.get(&trace.host));
        for name in named(trace, paths, modules) {
            named_by.entry((trace.host, name.to_owned())).or_default().insert(groups.find(index));
        }
    }
    let mut timed: BTreeSet<usize> = BTreeSet::new();
    for (index, _) in traces.list.iter().enumerate().filter(|(_, trace)| trace.time().is_some()) {
        timed.insert(groups.find(index));
    }
    let mut candidates: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (index, names) in &lying {
        let group = groups.find(*index);
        let host = traces.list[*index].host;
        for (_, name) in names.keys() {
            let by = named_by.get(&(host, name.to_owned())).into_iter().flatten();
            candidates.entry(group).or_default().extend(by);
        }
    }
    for (group, by) in candidates {
        if let [only] = by.iter().copied().collect::<Vec<_>>()[..]
            && !timed.contains(&group)
        {
            groups.join(group, only);
        }
    }
}

/// The names of `paths` and `modules` that stand in the fields of a finding.
fn named<'n>(
    trace: &Trace<'_>,
    paths: Option<&'n BTreeSet<String>>,
    modules: Option<&'n BTreeSet<String>>,
) -> BTreeSet<&'n str> {
    let mut found = BTreeSet::new();
    if paths.is_none() && modules.is_none() {
        return found;
    }
    for (_, text) in &trace.finding.fields {
        let text = text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_lowercase().replace("\\\\", "\\");
        if let Some(paths) = paths {
            for (at, _) in text.match_indices(":\\") {
                found.extend(
                    text.get(at.saturating_sub(1)..).into_iter().flat_map(|rest| path_at(rest, paths)),
                );
            }
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let words = text.split(|c| !is_word(c));
        found.extend(words.filter_map(|word| modules?.get(word)).map(String::as_str));
    }
    found
}

/// The path, or the folder of it, that `text` begins with.
fn path_at<'n>(text: &str, paths: &'n BTreeSet<String>) -> Vec<&'n str> {
    let before = paths.range(..=text.to_owned()).rev().take(ALIKE_MAX);
    let ends = |path: &String| {
        let next = text[path.len()..].chars().next();
        next.is_none_or(|next| next == '\\' || next.is_whitespace() || "\"',;)&|<>".contains(next))
    };
    before.filter(|path| text.starts_with(path.as_str()) && ends(path)).map(String::as_str).collect()
}
