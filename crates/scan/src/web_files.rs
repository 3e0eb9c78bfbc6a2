//! Files of web folders: how many there were, and whether they belong there.
//!
//! Which build a host has is known only when all logs were read, so files are
//! collected first and judged at the end.

use crate::files;
use crate::known_good::{self, KnownGood, Standing, ending};
use crate::part::RawFinding;
use model::{EvidenceId, Field, HostName, Level, LogKey, Position, RuleFacts, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

/// Folders whose files a web server serves.
const FOLDERS: [&str; 7] = [
    "inetpub\\wwwroot\\",
    "frontend\\",
    "clientaccess\\",
    "wwwroot\\",
    "htdocs\\",
    "webapps\\",
    "var\\www\\",
];
/// Endings of what a web server runs.
const PAGES: [&str; 10] = ["aspx", "ashx", "asmx", "ascx", "asax", "asp", "svc", "cshtml", "master", "soap"];
const PROGRAMS: [&str; 3] = ["dll", "exe", "compiled"];

/// The folder that every Exchange server serves, as lists name it.
const FRONT_END: &str = "frontend\\httpproxy\\";
/// Where IIS looks for what no application has.
const IIS_ROOT: &str = "wwwroot\\";

/// A file of a web folder, to be judged.
pub struct WebFile {
    pub evidence: EvidenceId,
    pub host: Option<HostName>,
    pub path: String,
    pub sha256: [u8; 32],
    pub time: Option<Timestamp>,
    /// Whether rules have seen its content.
    pub is_scanned: bool,
}

/// One file, counted in a part of the log `file` of its host.
pub type Counted = (Option<HostName>, LogKey, EvidenceId);

/// Whether a file lies in a web folder.
pub fn is_web(path: &str) -> bool {
    let path = path.to_lowercase();
    FOLDERS.iter().any(|folder| {
        path.match_indices(folder).any(|(at, _)| at == 0 || path.as_bytes().get(at - 1) == Some(&b'\\'))
    })
}

/// Builds that files are compared by, and whether a list has each.
pub type Builds = BTreeMap<String, bool>;

/// By which builds each host's files are compared: those that its logs name;
/// else the one whose program files it has; else what its folders are named after.
pub fn builds_by_host<'b>(
    files: &[WebFile],
    known: &KnownGood,
    logged: impl Fn(&Option<HostName>) -> Vec<&'b str>,
) -> BTreeMap<Option<HostName>, Builds> {
    let mut hosts: BTreeMap<Option<HostName>, Vec<&WebFile>> = BTreeMap::new();
    for file in files.iter().filter(|file| known_good::names(&file.path).is_some()) {
        hosts.entry(file.host.clone()).or_default().push(file);
    }
    let builds = |host: &Option<HostName>, files: &[&WebFile]| -> Vec<String> {
        let logged = logged(host);
        if !logged.is_empty() {
            return logged.into_iter().map(str::to_owned).collect();
        }
        let by_content = known.builds_of(files.iter().map(|file| (file.path.as_str(), file.sha256)));
        if by_content.is_empty() { folder_version(files).into_iter().collect() } else { by_content }
    };
    let hosts = hosts.into_iter().map(|(host, files)| {
        let builds = builds(&host, &files).into_iter();
        let builds =
            builds.map(|build| (known.has_build(&build), build)).map(|(known, build)| (build, known));
        (host, builds.collect())
    });
    hosts.collect()
}

/// The latest number that a folder of the files bears: an update leaves those before it.
fn folder_version(files: &[&WebFile]) -> Option<String> {
    let folders = files.iter().flat_map(|file| file.path.split('\\').rev().skip(1));
    let latest = folders.filter_map(known_good::version).max()?;
    Some(latest.iter().map(u32::to_string).collect::<Vec<_>>().join("."))
}

/// What is counted of a web file, whatever lists say.
pub fn seen(file: &WebFile) -> Vec<Counted> {
    let path = file.path.to_lowercase();
    let is_front_end = known_good::names(&path).is_some_and(|names| names[0].starts_with(FRONT_END));
    let is_root = path.starts_with(IIS_ROOT) || path.contains(&format!("\\{IIS_ROOT}"));
    let parts = [("web", file.is_scanned), ("web-exchange", is_front_end), ("web-root", is_root)];
    parts.into_iter().filter(|(_, is)| *is).map(|(part, _)| counted(file, part)).collect()
}

/// How many pages of the front end, of those that all of `builds` have, a copy
/// lacks: none where it has half of them, so that it may be taken for whole.
pub fn missing<'f>(files: impl Iterator<Item = &'f WebFile>, known: &KnownGood, builds: &Builds) -> usize {
    let builds: Vec<&str> = builds.keys().map(String::as_str).collect();
    let delivered = known.delivered(FRONT_END, &PAGES, &builds);
    let names = files.filter_map(|file| known_good::names(&file.path));
    let there: BTreeSet<String> = names.map(|[name, _]| name).collect();
    let there = delivered.iter().filter(|name| there.contains(**name)).count();
    if there * 2 >= delivered.len() { 0 } else { delivered.len() - there }
}

fn counted(file: &WebFile, part: &str) -> Counted {
    (file.host.clone(), key(part), file.evidence)
}

/// A part of the log `file`.
pub fn key(part: &str) -> LogKey {
    LogKey { log: files::LOG.to_owned(), part: part.to_owned() }
}

/// A file's finding, and what is counted of it, by what a list says; `builds`
/// are those that the host's files are compared by.
pub fn judge(file: &WebFile, known: &KnownGood, builds: &Builds) -> (Option<RawFinding>, Vec<Counted>) {
    if known.is_empty() {
        return (None, Vec::new());
    }
    let kind = kind(&file.path);
    let names = || builds.keys().map(String::as_str);
    let Some(standing) = known.standing(&file.path, &file.sha256, names()) else {
        // A page or program, and no list could say whose.
        let foreign = (kind != Kind::Other).then(|| counted(file, "web-foreign"));
        return (None, foreign.into_iter().collect());
    };
    let mut parts = match standing {
        Standing::CannotTell => vec![counted(file, "web-not-compared")],
        _ => vec![counted(file, "web-compared")],
    };
    if matches!(standing, Standing::Altered | Standing::Unknown) && kind != Kind::Other {
        parts.push(counted(file, "web-differs"));
    }
    let found = rule(standing, kind).map(|rule| {
        let field = |name: &str, text: &str| -> Field { (name.into(), text.into()) };
        let hash: String = file.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let builds = names().collect::<Vec<_>>().join(", ");
        RawFinding {
            rule,
            position: Position::default(),
            time: file.time,
            host: file.host.clone(),
            fields: vec![field("Path", &file.path), field("SHA256", &hash), field("Build", &builds)],
            spilled: None,
            record: None,
            is_of_file: true,
        }
    });
    (found, parts)
}

/// Which files a rule is about, and the rule.
type RuleOf = ((Standing, Kind), Arc<RuleFacts>);

/// What kind of file it is; decides how much it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Page,
    Program,
    Other,
}

fn kind(path: &str) -> Kind {
    let ending = ending(path).to_lowercase();
    if PAGES.contains(&ending.as_str()) {
        Kind::Page
    } else if PROGRAMS.contains(&ending.as_str()) {
        Kind::Program
    } else {
        Kind::Other
    }
}

fn rule(standing: Standing, kind: Kind) -> Option<Arc<RuleFacts>> {
    RULES.iter().find(|(own, _)| *own == (standing, kind)).map(|(_, rule)| Arc::clone(rule))
}

/// Setup and administrators change configuration, updates bring programs; a
/// page that is not the maker's is seldom theirs.
static RULES: LazyLock<Vec<RuleOf>> = LazyLock::new(|| {
    use {Kind::*, Standing::*};
    let rows = [
        (Altered, Page, Level::High, "altered-page", "Page of Exchange that is not the one of its build"),
        (
            Altered,
            Program,
            Level::Medium,
            "altered-program",
            "Program file of Exchange that is not the one of its build",
        ),
        (Altered, Other, Level::Low, "altered-file", "File of Exchange that is not the one of its build"),
        (
            Unknown,
            Page,
            Level::High,
            "unknown-page",
            "Page in a web folder that Exchange of this build does not have",
        ),
        (
            Unknown,
            Program,
            Level::Medium,
            "unknown-program",
            "Program file in a web folder that Exchange of this build does not have",
        ),
        (
            Unknown,
            Other,
            Level::Low,
            "unknown-file",
            "File in a web folder that Exchange of this build does not have",
        ),
    ];
    rows.into_iter()
        .map(|(standing, kind, level, name, title)| ((standing, kind), facts(kind, level, name, title)))
        .collect()
});

fn facts(kind: Kind, level: Level, name: &str, title: &str) -> Arc<RuleFacts> {
    let mut tags = vec!["attack.persistence".to_owned()];
    let mut techniques = Vec::new();
    if kind == Kind::Page {
        let step = if name.starts_with("altered") { "page-altered" } else { "page-unknown" };
        tags.extend(["attack.t1505.003".to_owned(), format!("assay.{step}")]);
        techniques.push("T1505.003".to_owned());
    }
    Arc::new(RuleFacts { id: format!("known-good-{name}"), title: title.to_owned(), level, tags, techniques })
}
