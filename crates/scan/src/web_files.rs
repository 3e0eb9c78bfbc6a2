//! Files of web folders: how many there were, and whether they belong there.
//!
//! Which build a host has is known only when all logs were read, so files are
//! collected first and judged at the end.

use crate::files;
use crate::known_good::{KnownGood, Standing, ending};
use crate::part::RawFinding;
use model::{EvidenceId, Field, HostName, Level, LogKey, Position, RuleFacts, Timestamp};
use std::collections::BTreeSet;
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

/// What is counted of a web file whose content rules have seen.
pub fn seen(file: &WebFile) -> Counted {
    counted(file, "web")
}

fn counted(file: &WebFile, part: &str) -> Counted {
    let key = LogKey { log: files::LOG.to_owned(), part: part.to_owned() };
    (file.host.clone(), key, file.evidence)
}

/// A file's finding, and what is counted of it, by what a list says.
pub fn judge<'b>(
    file: &WebFile,
    known: &KnownGood,
    builds: impl Iterator<Item = &'b str> + Clone,
) -> (Option<RawFinding>, Option<Counted>) {
    let Some(standing) = known.standing(&file.path, &file.sha256, builds.clone()) else {
        return (None, None);
    };
    let part = if standing == Standing::CannotTell { "web-not-compared" } else { "web-compared" };
    let found = rule(standing, &file.path).map(|rule| {
        let field = |name: &str, text: &str| -> Field { (name.into(), text.into()) };
        let hash: String = file.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let builds: BTreeSet<&str> = builds.collect();
        let builds = builds.into_iter().collect::<Vec<_>>().join(", ");
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
    (found, Some(counted(file, part)))
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

fn rule(standing: Standing, path: &str) -> Option<Arc<RuleFacts>> {
    let ending = ending(path).to_lowercase();
    let kind = if PAGES.contains(&ending.as_str()) {
        Kind::Page
    } else if PROGRAMS.contains(&ending.as_str()) {
        Kind::Program
    } else {
        Kind::Other
    };
    let wanted = (standing, kind);
    RULES.iter().find(|(own, _)| *own == wanted).map(|(_, rule)| Arc::clone(rule))
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
