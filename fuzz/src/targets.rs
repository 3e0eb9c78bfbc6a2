//! The targets: one for each parser of untrusted input.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Seeds larger than this (in bytes) are left out: damage in them is seldom hit.
const SEED_BYTES_MAX: u64 = 128 * 1024;
/// Seeds taken from one folder.
const SEEDS_MAX: usize = 1_000;

/// One parser to be tried.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Reads the bytes; must come back.
    pub run: fn(&[u8]),
    /// What inputs are made from, beside the corpus and the tests' own data of
    /// this name.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Rounds in `cargo test`.
    pub rounds_in_tests: u64,
}

/// Targets that are no format of evidence's table: each format there is a
/// target without a line here ([`trials`]), unless it needs seeds of its own.
const TARGETS: &[Target] = &[
    Target { name: "archive", run: evidence::fuzz::archive, seeds: archives, rounds_in_tests: 150_000 },
    Target { name: "evtx", run: evidence::fuzz::evtx, seeds: log_files, rounds_in_tests: 60_000 },
    Target { name: "sigma-differential", run: differential, seeds: rules, rounds_in_tests: 25_000 },
    Target { name: "sigma-rule", run: sigma::fuzz::rule, seeds: rules, rounds_in_tests: 150_000 },
    Target { name: "sniff", run: evidence::fuzz::sniff, seeds: text_logs, rounds_in_tests: 500_000 },
    Target { name: "winevt", run: winevt::fuzz, seeds: event_logs, rounds_in_tests: 100_000 },
];

/// Rounds in `cargo test` of a format without a line of its own.
const FORMAT_ROUNDS: u64 = 100_000;

/// Reads the bytes; must come back.
type Run = Box<dyn Fn(&[u8])>;

/// A target with its seeds, ready to run.
pub struct Trial {
    /// Its name on the command line.
    pub name: &'static str,
    /// Reads the bytes; must come back.
    pub run: Run,
    /// What inputs are made from.
    pub seeds: Vec<Vec<u8>>,
    /// Rounds in `cargo test`.
    pub rounds_in_tests: u64,
}

/// All targets, by name: those with a line of their own, and every format of
/// the table.
pub fn trials() -> Vec<Trial> {
    let own = TARGETS.iter().map(|target| Trial {
        name: target.name,
        run: Box::new(target.run),
        seeds: [data_of(target.name), (target.seeds)()].concat(),
        rounds_in_tests: target.rounds_in_tests,
    });
    let mut trials: Vec<Trial> = own.collect();
    for slug in evidence::fuzz::formats() {
        if !trials.iter().any(|trial| trial.name == slug) {
            let own = data_of(slug);
            let seeds = if own.is_empty() { text_logs() } else { own };
            let run = Box::new(move |data: &[u8]| evidence::fuzz::read_as(slug, data));
            trials.push(Trial { name: slug, run, seeds, rounds_in_tests: FORMAT_ROUNDS });
        }
    }
    trials.sort_by_key(|trial| trial.name);
    trials
}

/// Where the committed inputs of a target lie.
pub fn corpus_folder(name: &str) -> PathBuf {
    workspace().join("fuzz/corpus").join(name)
}

/// The corpus of a target, and what the crates' tests hold under its name.
fn data_of(name: &str) -> Vec<Vec<u8>> {
    let mut seeds = files_below(&corpus_folder(name));
    let mut crates: Vec<PathBuf> = fs::read_dir(workspace().join("crates"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("testdata").join(name))
        .collect();
    crates.sort();
    seeds.extend(crates.iter().flat_map(|folder| files_below(folder)));
    seeds
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text_logs() -> Vec<Vec<u8>> {
    let mut seeds = files_below(&workspace().join("crates/evidence/testdata"));
    seeds.extend(
        files_below(&workspace().join("examples")).into_iter().filter(|seed| !seed.starts_with(b"ElfFile")),
    );
    seeds
}

/// Whole event logs.
fn log_files() -> Vec<Vec<u8>> {
    let files = files_below(&workspace().join("examples")).into_iter();
    files.filter(|seed| seed.starts_with(b"ElfFile")).collect()
}

/// Their chunks.
fn event_logs() -> Vec<Vec<u8>> {
    let chunks = log_files().into_iter();
    chunks.filter_map(|file| file.get(winevt::FILE_HEADER_BYTES..).map(<[u8]>::to_vec)).collect()
}

/// The compiled matcher against the naive one; it asserts that they agree.
fn differential(data: &[u8]) {
    sigma::fuzz::differential(data);
}

/// Archives of a few text logs, made here: what is committed is text.
fn archives() -> Vec<Vec<u8>> {
    let logs: Vec<_> = text_logs().into_iter().take(6).collect();
    let inner = zip_of(&logs);
    let nested = inner.as_ref().and_then(|inner| zip_of(&[logs.concat(), inner.clone()]));
    [inner, nested, tar_of(&logs)].into_iter().flatten().collect()
}

fn rules() -> Vec<Vec<u8>> {
    files_below(&workspace().join("rules"))
}

/// The files below `folder`, in the order of their paths, within limits.
fn files_below(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(kind) if kind.is_file() => paths.push(entry.path()),
                _ => {}
            }
        }
    }
    paths.sort();
    let small =
        paths.iter().filter(|path| fs::metadata(path).is_ok_and(|about| about.len() <= SEED_BYTES_MAX));
    small.filter_map(|path| fs::read(path).ok()).take(SEEDS_MAX).collect()
}

fn zip_of(files: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (index, file) in files.iter().enumerate() {
        writer.start_file(format!("{index}.log"), zip::write::SimpleFileOptions::default()).ok()?;
        writer.write_all(file).ok()?;
    }
    Some(writer.finish().ok()?.into_inner())
}

fn tar_of(files: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (index, file) in files.iter().enumerate() {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, format!("{index}.log"), file.as_slice()).ok()?;
    }
    builder.into_inner().ok()
}
