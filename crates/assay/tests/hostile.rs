//! A scan of the hostile folder that `range` makes: it comes back, in little
//! memory, names every loss, writes nowhere but to `--out`, and gives the same
//! bytes on one thread and on two.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, with words")]

use range::hostile::{self, LOSSES, Size};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The budget of a scan of anything.
const PEAK_KIB_MAX: u64 = 300 << 10;
/// A scan that takes longer does not come back.
const PATIENCE: Duration = Duration::from_secs(600);
/// A file that the system refuses to give, to root too.
const UNREADABLE: &str = "/proc/self/mem";
/// What a problem of these kinds has no place for: it is about the whole.
const WITHOUT_PLACE: [&str; 7] = [
    "limit",
    "not-a-file",
    "path-traversal",
    "symlink",
    "unreadable",
    "encrypted",
    "unsupported-compression",
];

struct Scan {
    exit: i32,
    peak_kib: u64,
    case: PathBuf,
}

fn scan(folder: &Path, threads: &str) -> Scan {
    let case = folder.join(format!("case-{threads}"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_assay"))
        .current_dir(folder)
        .args(["scan", "evidence", UNREADABLE, "--threads", threads, "--out"])
        .arg(&case)
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("stderr")).unwrap())
        .spawn()
        .unwrap();
    let (exit, peak_kib) = watch(&mut child);
    let stderr = fs::read_to_string(folder.join("stderr")).unwrap();
    assert!(!stderr.contains("panicked"), "{stderr}");
    Scan { exit, peak_kib, case }
}

/// Waits for the child; its exit code and its peak memory.
fn watch(child: &mut Child) -> (i32, u64) {
    let began = Instant::now();
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended.code().unwrap_or_else(|| panic!("the scan was killed: {ended}")), peak_kib);
        }
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("the scan does not come back");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn json(scan: &Scan, name: &str) -> Value {
    serde_json::from_slice(&fs::read(scan.case.join(name)).unwrap()).unwrap()
}

/// The entry of the folder that a path of evidence lies in.
fn entry_of(path: &str) -> &str {
    let below = path.strip_prefix("evidence/").unwrap_or(path);
    let end = below.find(['!', '/']).filter(|_| path != below);
    &below[..end.unwrap_or(below.len())]
}

/// For each entry of the folder, the problems told of it.
fn problems(scan: &Scan) -> BTreeMap<String, Vec<Value>> {
    let (case, coverage) = (json(scan, "case.json"), json(scan, "coverage.json"));
    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let items = case["evidence"].as_array().unwrap().iter().zip(coverage["items"].as_array().unwrap());
    for (item, covered) in items {
        for path in item["paths"].as_array().unwrap() {
            let known = told.entry(entry_of(path.as_str().unwrap()).into()).or_default();
            known.extend(covered["problems"].as_array().unwrap().iter().cloned());
        }
    }
    for unread in coverage["unread"].as_array().unwrap() {
        let known = told.entry(entry_of(unread["path"].as_str().unwrap()).into()).or_default();
        known.push(unread["problem"].clone());
    }
    told
}

/// Paths, sizes, links and content of all that is small enough to look at.
fn state(folder: &Path) -> BTreeMap<PathBuf, (u64, Option<u64>)> {
    let mut state = BTreeMap::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(folder) = pending.pop() {
        // One folder has a path that is too long for anybody.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(facts) = entry.metadata() else { continue };
            let content = (facts.is_file() && facts.len() < 1 << 20)
                .then(|| fs::read(entry.path()).ok())
                .flatten()
                .map(|bytes| {
                    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
                    let mut hasher = DefaultHasher::new();
                    bytes.hash(&mut hasher);
                    hasher.finish()
                });
            state.insert(entry.path(), (facts.len(), content));
            if facts.is_dir() {
                pending.push(entry.path());
            }
        }
    }
    state
}

fn check_problems(told: &BTreeMap<String, Vec<Value>>, made: &[(String, String)]) {
    for (name, about) in made {
        // An archive without members is nothing, and nothing is lost.
        assert!(
            told.contains_key(name) || name == "zip-only-end.zip",
            "{name} ({about}) is not accounted for"
        );
    }
    for (kind, names) in LOSSES {
        for name in *names {
            let is_loss = |problem: &&Value| problem["kind"] == *kind && problem["records_lost"] != 0;
            let told = told.get(*name).unwrap_or_else(|| panic!("no input {name}"));
            assert!(told.iter().any(|problem| is_loss(&problem)), "{name}: no {kind} among {told:#?}");
        }
    }
    for (name, problem) in told.iter().flat_map(|(name, told)| told.iter().map(move |one| (name, one))) {
        let kind = problem["kind"].as_str().unwrap();
        let is_placed = problem["offset"].is_u64() || WITHOUT_PLACE.contains(&kind);
        assert!(is_placed, "{name}: a problem without a place: {problem}");
        assert!(!problem["wanted"].as_str().unwrap().is_empty(), "{name}: {problem}");
    }
    let unreadable = &told[UNREADABLE];
    assert_eq!(unreadable[0]["kind"], "unreadable");
}

#[test]
fn hostile_inputs_cost_what_they_must_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let made = hostile::write(&folder.path().join("evidence"), Size::SMALL).unwrap();
    let names: BTreeSet<&String> = made.iter().map(|(name, _)| name).collect();
    assert!(names.len() == made.len() && made.len() >= 200, "{} inputs", made.len());
    let before = state(&folder.path().join("evidence"));
    let outside = Path::new("/tmp/assay-hostile-out.log");
    assert!(!outside.exists());

    let (one, two) = (scan(folder.path(), "1"), scan(folder.path(), "2"));
    // Losses, and nothing worse.
    assert_eq!((one.exit, two.exit), (4, 4));
    assert!(one.peak_kib > 0 && one.peak_kib.max(two.peak_kib) <= PEAK_KIB_MAX, "{} KiB", two.peak_kib);
    check_problems(&problems(&one), &made);

    let files = fs::read_dir(&one.case).unwrap().map(|entry| entry.unwrap().file_name());
    let files: BTreeSet<_> = files.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(files.iter().filter(|name| !name.starts_with("findings-")).count(), 11, "{files:?}");
    for name in files.iter().filter(|name| *name != "run.json") {
        let (of_one, of_two) =
            (fs::read(one.case.join(name)).unwrap(), fs::read(two.case.join(name)).unwrap());
        assert!(of_one == of_two, "{name} differs between one and two threads");
    }
    assert_eq!(before, state(&folder.path().join("evidence")), "the evidence was changed");
    assert!(!outside.exists(), "written outside of --out");
    let left: BTreeSet<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "evidence, two cases, stderr: {left:?}");
}
