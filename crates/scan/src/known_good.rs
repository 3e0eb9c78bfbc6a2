//! Lists of files that the maker of a server delivered: path, SHA-256, and the
//! builds that have it.
//!
//! CSV with a header that names `path`, `sha256`, `first_build`, `last_build` (more
//! columns, in any order, may stand there); paths are relative to the
//! server's folder, as Windows writes them.
//!
//! # What a list does not say
//! Anything of a build that it does not name: whether a file of such a server
//! belongs there cannot be told.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, BufRead, Read};

/// A line is at most so long.
const LINE_BYTES_MAX: u64 = 4_096;
/// Rows of all lists together.
const ROWS_MAX: usize = 5_000_000;
/// Lines of one list that are told to be none.
const FAULTS_MAX: usize = 20;
/// Columns that a list has at most.
const COLUMNS_MAX: usize = 64;
/// Folders of a server below which a list's paths lie, and what a list calls
/// them: copies often leave the folder between out.
const ROOTS: [(&str, &str); 3] = [
    ("clientaccess\\", "clientaccess\\"),
    ("frontend\\httpproxy\\", "frontend\\httpproxy\\"),
    ("frontend\\", "frontend\\httpproxy\\"),
];

/// How lists call the folder that bears the build's number (`owa\auth\15.1.2106`).
const VERSION_FOLDER: &str = "version";
/// So many program files of a build tell it, if no more than a tenth is another's: each build compiles them anew.
const PROGRAMS_MIN: usize = 5;

/// `15.1.2106.2`, in numbers.
type Build = [u32; 4];

/// A content that a list has for a path: its hash, and the builds from and to which it is one.
type Content = ([u8; 32], Build, Build);

/// Known-good files.
#[derive(Debug, Default)]
pub struct KnownGood {
    /// By path, in lower case.
    paths: HashMap<Box<str>, Vec<Content>>,
    hashes: HashSet<[u8; 32]>,
    builds: BTreeSet<Build>,
    /// Endings of files that lists speak of at all, in lower case.
    endings: HashSet<Box<str>>,
    rows: usize,
}

/// What a list says of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// It is one of the maker's.
    Known,
    /// Its path is, its content is not.
    Altered,
    /// Nothing of this path is in the host's build.
    Unknown,
    /// The host's build is not known, or no list names it.
    CannotTell,
}

/// A line that is no row: its number, from 1, and why.
pub type Fault = (u32, String);

impl KnownGood {
    /// Whether it knows nothing.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds the rows of a list; gives the first lines that are none.
    ///
    /// # Errors
    /// When it cannot be read, has no such header, or too many rows.
    pub fn read(&mut self, mut list: impl BufRead) -> io::Result<Vec<Fault>> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        let mut line = String::new();
        let mut faults = Vec::new();
        next_line(&mut list, &mut line)?;
        let columns = Columns::of(&line)
            .ok_or_else(|| invalid("no header with path, sha256, first_build and last_build"))?;
        let mut number = 1;
        while next_line(&mut list, &mut line)? {
            number += 1;
            if line.trim().is_empty() {
                continue;
            }
            if self.rows >= ROWS_MAX {
                return Err(invalid(&format!("more than {ROWS_MAX} rows")));
            }
            let added = columns.row(&line).and_then(|row| self.add(row));
            if let Err(why) = added
                && faults.len() < FAULTS_MAX
            {
                faults.push((number, why.to_owned()));
            }
        }
        Ok(faults)
    }

    fn add(&mut self, row: Row<'_>) -> Result<(), &'static str> {
        let (first, last) = (build(row.first).ok_or("no build")?, build(row.last).ok_or("no build")?);
        let hash = sha256(row.sha256).ok_or("no SHA-256")?;
        self.hashes.insert(hash);
        let path = row.path.replace('/', "\\").trim_start_matches('\\').to_lowercase();
        self.endings.insert(ending(&path).into());
        let contents = self.paths.entry(path.into()).or_default();
        if !contents.contains(&(hash, first, last)) {
            contents.push((hash, first, last));
        }
        self.builds.extend([first, last]);
        self.rows += 1;
        Ok(())
    }

    /// Whether the maker delivered such a file, whatever it is called here.
    pub fn has(&self, sha256: &[u8; 32]) -> bool {
        self.hashes.contains(sha256)
    }

    /// How a file stands that lies at `path` on a host with these builds;
    /// `None` when lists say nothing of such files.
    pub fn standing<'b>(
        &self,
        path: &str,
        sha256: &[u8; 32],
        builds: impl IntoIterator<Item = &'b str>,
    ) -> Option<Standing> {
        let names = names(path)?;
        if !self.endings.contains(ending(&names[0])) {
            return None;
        }
        if self.has(sha256) {
            return Some(Standing::Known);
        }
        let builds: Option<Vec<Build>> = builds.into_iter().map(build).collect();
        // With a build that no list has, the file may be that one's.
        let Some(builds) =
            builds.filter(|all| !all.is_empty() && all.iter().all(|one| self.builds.contains(one)))
        else {
            return Some(Standing::CannotTell);
        };
        let mut contents = names.iter().filter_map(|name| self.paths.get(name.as_str())).flatten();
        let is_there =
            contents.any(|(_, first, last)| builds.iter().any(|build| first <= build && build <= last));
        Some(if is_there { Standing::Altered } else { Standing::Unknown })
    }

    /// Whether a list names the build.
    pub fn has_build(&self, text: &str) -> bool {
        build(text).is_some_and(|build| self.builds.contains(&build))
    }

    /// The builds that a server's program files are of, by their content: those
    /// that most of them fit. Empty where they are too few, or fit none well.
    pub fn builds_of<'f>(&self, files: impl IntoIterator<Item = (&'f str, [u8; 32])>) -> Vec<String> {
        let mut fitting: BTreeMap<Build, usize> = BTreeMap::new();
        let mut programs = 0;
        for (path, hash) in files {
            let Some(names) = names(path).filter(|names| names[0].ends_with(".dll")) else { continue };
            let contents: Vec<&Content> =
                names.iter().filter_map(|name| self.paths.get(name.as_str())).flatten().collect();
            programs += usize::from(!contents.is_empty());
            let own = contents.iter().filter(|(own, ..)| *own == hash);
            let ranges: Vec<(Build, Build)> = own.map(|(_, first, last)| (*first, *last)).collect();
            let fits = |build: &Build| ranges.iter().any(|(first, last)| first <= build && build <= last);
            for build in self.builds.iter().filter(|build| fits(build)) {
                *fitting.entry(*build).or_default() += 1;
            }
        }
        let most = fitting.values().copied().max().unwrap_or_default();
        if most < PROGRAMS_MIN || most * 10 < programs * 9 {
            return Vec::new();
        }
        let best = fitting.into_iter().filter(|(_, count)| *count == most);
        best.map(|(build, _)| build.map(|number| number.to_string()).join(".")).collect()
    }

    /// Paths below `folder`, as lists name them, of files with one of `endings` that all of `builds` have.
    pub fn delivered<'k>(&'k self, folder: &str, endings: &[&str], builds: &[&str]) -> BTreeSet<&'k str> {
        let builds: Vec<Build> = builds.iter().filter_map(|text| build(text)).collect();
        let has = |contents: &[Content]| {
            let in_range =
                |build: &Build| contents.iter().any(|(_, first, last)| first <= build && build <= last);
            !builds.is_empty() && builds.iter().all(in_range)
        };
        let below = self.paths.iter().filter(|(path, contents)| {
            path.starts_with(folder) && endings.contains(&ending(path)) && has(contents)
        });
        below.map(|(path, _)| &**path).collect()
    }
}

/// What lists call the file at `path`: from the server's folder on, or, some,
/// from the application's. `None` where it lies in no folder of theirs.
pub fn names(path: &str) -> Option<[String; 2]> {
    let path = path.to_lowercase();
    let (below, root) = ROOTS.iter().find_map(|(root, name)| Some((below(&path, root)?, *name)))?;
    let plain = |part| if version(part).is_some() { VERSION_FOLDER } else { part };
    let below = below.split('\\').map(plain).collect::<Vec<_>>().join("\\");
    Some([format!("{root}{below}"), below])
}

/// The number of a build, or of the update that it belongs to, that a folder's
/// name is (`15.1.2106`).
pub fn version(folder: &str) -> Option<Vec<u32>> {
    let numbers: Option<Vec<u32>> = folder.split('.').map(|part| part.parse().ok()).collect();
    numbers.filter(|numbers| matches!(numbers.len(), 3 | 4))
}

/// What stands below the folder `root`, in lower case.
fn below<'p>(path: &'p str, root: &str) -> Option<&'p str> {
    let at = path.match_indices(root).map(|(at, _)| at);
    let whole = |at: &usize| *at == 0 || path.as_bytes().get(at - 1) == Some(&b'\\');
    at.into_iter().find(whole).map(|at| &path[at + root.len()..])
}

/// The ending of a file's name, without the dot; empty when it has none.
pub fn ending(path: &str) -> &str {
    let name = path.rsplit('\\').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

struct Columns {
    path: usize,
    sha256: usize,
    first: usize,
    last: usize,
}

struct Row<'a> {
    path: &'a str,
    sha256: &'a str,
    first: &'a str,
    last: &'a str,
}

impl Columns {
    fn of(header: &str) -> Option<Self> {
        let names: Vec<String> =
            cells(header.trim_start_matches('\u{feff}')).map(str::to_lowercase).collect();
        let at = |wanted: &str| names.iter().position(|name| name == wanted);
        Some(Self {
            path: at("path")?,
            sha256: at("sha256")?,
            first: at("first_build")?,
            last: at("last_build")?,
        })
    }

    fn row<'a>(&self, line: &'a str) -> Result<Row<'a>, &'static str> {
        let cells: Vec<&str> = cells(line).collect();
        let cell =
            |at: usize| cells.get(at).copied().filter(|cell| !cell.is_empty()).ok_or("a cell is missing");
        Ok(Row {
            path: cell(self.path)?,
            sha256: cell(self.sha256)?,
            first: cell(self.first)?,
            last: cell(self.last)?,
        })
    }
}

/// Cells, whose quotes are taken off; names of delivered files hold no comma.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.trim_end_matches(['\r', '\n']).split(',').take(COLUMNS_MAX).map(|cell| cell.trim().trim_matches('"'))
}

/// Reads the next line; false at the end.
fn next_line(list: &mut impl BufRead, into: &mut String) -> io::Result<bool> {
    let mut bytes = Vec::new();
    let read = list.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
    if read as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
        let why = format!("a line of more than {LINE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    into.clear();
    into.push_str(&String::from_utf8_lossy(&bytes));
    Ok(read > 0)
}

/// `15.1.2106.2`; leading zeros as some logs write them.
fn build(text: &str) -> Option<Build> {
    let mut numbers = text.split('.').map(|part| part.parse::<u32>().ok());
    let build = [numbers.next()??, numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(build)
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// Damaged lists, for the fuzzer.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let mut known = KnownGood::default();
    let _ = known.read(data);
    let path = "C:\\x\\FrontEnd\\HttpProxy\\owa\\auth\\a.aspx";
    let _ = known.standing(path, &[0; 32], ["15.1.2106.2"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [u8; 32] = [0xab; 32];
    const BAD: [u8; 32] = [1; 32];

    fn list() -> KnownGood {
        let mut known = KnownGood::default();
        let text = format!(
            "\u{feff}path,sha256,first_build,last_build,builds\r\n\
             FrontEnd\\HttpProxy\\owa\\auth\\logon.aspx,{hash},15.1.2044.4,15.1.2106.2,2\r\n\
             ecp\\DDI\\a.aspx,{hash},15.1.2106.2,15.1.2106.2,1\r\n\
             FrontEnd\\HttpProxy\\owa\\auth\\version\\a.aspx,{hash},15.1.2044.4,15.1.2106.2,2\r\nbad,row\r\n",
            hash = "AB".repeat(32)
        );
        assert_eq!(known.read(text.as_bytes()).unwrap(), [(5, "a cell is missing".to_owned())]);
        known
    }

    #[track_caller]
    fn check(path: &str, sha256: [u8; 32], builds: &[&str], expect: Option<Standing>) {
        assert_eq!(list().standing(path, &sha256, builds.iter().copied()), expect);
    }

    #[test]
    fn files_of_a_build() {
        let auth = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\FrontEnd\\HttpProxy\\owa\\auth";
        let (logon, other) = (format!("{auth}\\Logon.aspx"), format!("{auth}\\x.aspx"));
        let build = ["15.1.2106.2"];
        check(&logon, GOOD, &build, Some(Standing::Known));
        check(&other, GOOD, &[], Some(Standing::Known));
        check(&logon, BAD, &build, Some(Standing::Altered));
        check(&other, BAD, &build, Some(Standing::Unknown));
        check("FrontEnd\\owa\\auth\\logon.aspx", BAD, &build, Some(Standing::Altered));
        // The list calls the folder of the build's number `version`.
        check("FrontEnd\\owa\\auth\\15.1.2106\\a.aspx", BAD, &build, Some(Standing::Altered));
        check("D:\\ClientAccess\\ecp\\DDI\\a.aspx", BAD, &build, Some(Standing::Altered));
        check("D:\\ClientAccess\\ecp\\DDI\\a.aspx", BAD, &["15.1.2044.4"], Some(Standing::Unknown));
    }

    #[test]
    fn what_no_list_tells() {
        let path = "C:\\V15\\FrontEnd\\HttpProxy\\owa\\auth\\x.aspx";
        check(path, BAD, &[], Some(Standing::CannotTell));
        check(path, BAD, &["15.2.1118.7"], Some(Standing::CannotTell));
        check(path, BAD, &["15.1.2106.2", "15.2.1118.7"], Some(Standing::CannotTell));
        check("C:\\V15\\FrontEnd\\HttpProxy\\owa\\auth\\x.lzx", BAD, &["15.1.2106.2"], None);
        check("C:\\inetpub\\wwwroot\\x.aspx", BAD, &["15.1.2106.2"], None);
        check("C:\\NotClientAccess\\x.aspx", BAD, &["15.1.2106.2"], None);
    }

    #[test]
    fn what_is_no_list() {
        let read = |text: &str| KnownGood::default().read(text.as_bytes()).is_err();
        assert!(read("") && read("SHA256,build,path\n") && read(&"x".repeat(5_000)));
    }

    #[test]
    fn builds_by_program_files() {
        let mut known = KnownGood::default();
        let mut text = String::from("path,sha256,first_build,last_build\n");
        for (build, hash) in [("15.1.2044.4", "01"), ("15.1.2106.2", "02")] {
            for name in 0..10 {
                let hash = hash.repeat(32);
                text.push_str(&format!("FrontEnd\\HttpProxy\\bin\\{name}.dll,{hash},{build},{build}\n"));
            }
        }
        assert_eq!(known.read(text.as_bytes()).unwrap(), []);
        let builds = |hashes: &[u8]| {
            let paths: Vec<String> =
                (0..hashes.len()).map(|name| format!("FrontEnd\\HttpProxy\\bin\\{name}.dll")).collect();
            let files = paths.iter().zip(hashes).map(|(path, hash)| (path.as_str(), [*hash; 32]));
            known.builds_of(files)
        };
        assert_eq!(builds(&[2; 10]), ["15.1.2106.2"]);
        assert_eq!(builds(&[1, 1, 1, 1, 1, 9, 1, 1, 1, 1]), ["15.1.2044.4"]);
        assert!(builds(&[2; 4]).is_empty() && builds(&[2, 2, 2, 2, 2, 2, 9, 9]).is_empty());
        let pages = |builds: &[&str]| known.delivered("frontend\\httpproxy\\", &["dll"], builds).len();
        assert_eq!((pages(&["15.1.2106.2"]), pages(&["15.2.1.1"]), pages(&[])), (10, 0, 0));
    }

    /// Microsoft's own hashes, as they are shared.
    #[test]
    fn real_list() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/exchange-known-good-hashes/exchange-core-files.csv");
        let Ok(bytes) = std::fs::read(&file) else {
            println!("skipped: {} is not there", file.display());
            return;
        };
        let mut known = KnownGood::default();
        assert_eq!(known.read(&bytes[..]).unwrap(), []);
        assert_eq!((known.rows, known.builds.len()), (18_817, 131));
        let path = "V15\\FrontEnd\\HttpProxy\\owa\\auth\\logon.aspx";
        let standing = |path: &str, builds: &[&str]| known.standing(path, &BAD, builds.iter().copied());
        assert_eq!(standing(path, &["15.1.2106.2"]), Some(Standing::Altered));
        assert_eq!(standing(&path.replace("logon", "x"), &["15.1.2106.2"]), Some(Standing::Unknown));
        assert_eq!(standing(path, &["15.2.986.5"]), Some(Standing::CannotTell));
    }
}
