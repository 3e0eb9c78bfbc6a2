//! The targets: one for each parser of untrusted input.

use disk::sample;
use evidence::fuzz::read_as;
use std::fs;
use std::io::{Read as _, Write as _};
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
}

/// Targets that are no format of evidence's table: each format there is a
/// target without a line here ([`trials`]), unless it needs seeds of its own.
const TARGETS: &[Target] = &[
    Target { name: "archive", run: evidence::fuzz::archive, seeds: archives },
    Target { name: "disk-image", run: evidence::fuzz::archive, seeds: disk_images },
    Target { name: "evtx", run: |data| read_as("evtx", data), seeds: log_files },
    Target { name: "export-files", run: export::fuzz::files, seeds: Vec::new },
    Target { name: "iis-config", run: |data| read_as("iis-config", data), seeds: xml },
    Target { name: "indicator-differential", run: indicator::fuzz::differential, seeds: indicators },
    Target { name: "indicator-file", run: indicator::fuzz::load, seeds: indicators },
    Target { name: "known-good", run: scan::fuzz_known_good, seeds: known_good_lists },
    Target { name: "lnk", run: |data| read_as("lnk", data), seeds: links },
    Target { name: "mft", run: |data| read_as("mft", data), seeds: tables },
    Target { name: "prefetch", run: |data| read_as("prefetch", data), seeds: prefetch },
    Target { name: "registry", run: |data| read_as("registry", data), seeds: hives },
    Target { name: "report-case", run: report::fuzz::folder, seeds: case_folders },
    Target { name: "script", run: script, seeds: pages },
    Target { name: "sigma-differential", run: differential, seeds: rules },
    Target { name: "sigma-pipeline", run: sigma::fuzz::pipeline, seeds: pipelines },
    Target { name: "sigma-rule", run: sigma::fuzz::rule, seeds: rules },
    Target { name: "sniff", run: evidence::fuzz::sniff, seeds: text_logs },
    Target { name: "stix-bundle", run: stix::fuzz::bundle, seeds: Vec::new },
    Target { name: "task", run: |data| read_as("task", data), seeds: xml },
    Target { name: "usn", run: |data| read_as("usn", data), seeds: journals },
    Target { name: "winevt", run: winevt::fuzz, seeds: event_logs },
    Target { name: "yara-program", run: yara::fuzz::program, seeds: programs },
    Target { name: "yara-rule", run: yara::fuzz::rule, seeds: yara_rules },
];

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
}

/// All targets, by name: those with a line of their own, and every format of
/// the table.
pub fn trials() -> Vec<Trial> {
    let own = TARGETS.iter().map(|target| Trial {
        name: target.name,
        run: Box::new(target.run),
        seeds: [data_of(target.name), (target.seeds)()].concat(),
    });
    let mut trials: Vec<Trial> = own.collect();
    for slug in evidence::fuzz::formats() {
        if !trials.iter().any(|trial| trial.name == slug) {
            let own = data_of(slug);
            let seeds = if own.is_empty() { text_logs() } else { own };
            let run = Box::new(move |data: &[u8]| read_as(slug, data));
            trials.push(Trial { name: slug, run, seeds });
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

/// Tasks and configurations.
fn xml() -> Vec<Vec<u8>> {
    let folder = workspace().join("crates/evidence/testdata");
    let mut seeds = files_below(&folder.join("task"));
    seeds.extend(files_below(&folder.join("iis-config")));
    seeds
}

/// A hive with one of each: big data, a deleted key, a service, two caches.
fn hives() -> Vec<Vec<u8>> {
    let paths = [r"C:\Windows\Temp\example.exe"; 300].join("|");
    let text = format!(
        r"
[Select] 2021-03-01T00:00:00Z
Current = dword:1
[ControlSet001\Control\Session Manager\AppCompatCache] 2021-03-02T00:00:00Z
AppCompatCache = shimcache:{paths}
[ControlSet001\Services\upd\Parameters] 2021-03-03T12:00:00Z
ServiceDll = expand:C:\ProgramData\u.dll
[-ControlSet001\Services\gone] 2021-03-04T00:00:00Z
ImagePath = text:C:\ProgramData\gone.exe
Names = multi:one|two
[Root\InventoryApplicationFile\x] 2021-03-04T00:00:00Z
LowerCaseLongPath = text:c:\x.exe
"
    );
    range::artifact::hive_of_text(&text).into_iter().collect()
}

/// As it is, and packed.
fn prefetch() -> Vec<Vec<u8>> {
    let plain = "Executable = X.EXE\nRun = 2021-03-03T12:00:00Z\nVolume = V\nFile = \\V\\X.EXE";
    let packed = format!("{plain}\nPacked = yes");
    [plain, &packed].into_iter().filter_map(|text| range::artifact::prefetch(text).ok()).collect()
}

fn links() -> Vec<Vec<u8>> {
    let text =
        "Target = C:\\x.exe\nArguments = -a\nMachineId = mx01\nModified = 2021-03-03T12:00:00Z\nAppended = 9";
    range::artifact::lnk(text).into_iter().collect()
}

/// Archives of a few text logs, made here: what is committed is text.
fn archives() -> Vec<Vec<u8>> {
    let logs: Vec<_> = text_logs().into_iter().take(6).collect();
    let inner = zip_of(&logs);
    let nested = inner.as_ref().and_then(|inner| zip_of(&[logs.concat(), inner.clone()]));
    let packed = logs.first().and_then(|log| xz_of(log));
    [inner, nested, tar_of(&logs), seven_zip_of(&logs), packed].into_iter().flatten().collect()
}

/// A small volume in each of the containers that we open.
fn disk_images() -> Vec<Vec<u8>> {
    let disk = sample::intrusion();
    vec![sample::vhd(&disk), sample::vhdx(&disk, true), sample::ewf(&disk), disk]
}

/// The `$MFT` of that volume: 32 records from cluster 16 on.
fn tables() -> Vec<Vec<u8>> {
    vec![sample::intrusion()[16 * 512..16 * 512 + 32 * 1024].to_vec()]
}

fn journals() -> Vec<Vec<u8>> {
    let changes = (0..200).map(|index| sample::change(4_096 + 80 * index, 21, 20, 0x102, "page.aspx"));
    vec![changes.collect::<Vec<_>>().concat()]
}

/// A file of each format.
fn indicators() -> Vec<Vec<u8>> {
    files_below(&workspace().join("crates/indicator/testdata"))
}

fn rules() -> Vec<Vec<u8>> {
    files_below(&workspace().join("rules"))
}

fn pipelines() -> Vec<Vec<u8>> {
    let mut seeds = files_below(&workspace().join("crates/sigma/pipelines"));
    seeds.extend(files_below(&workspace().join("crates/sigma/testdata/diagnostics")));
    seeds.retain(|seed| seed.windows(15).any(|words| words == b"transformations"));
    seeds
}

fn yara_rules() -> Vec<Vec<u8>> {
    files_below(&workspace().join("rules/yara"))
}

fn script(data: &[u8]) {
    use script::Standing::{Lies, Log, Logged, Runs, Served};
    for standing in [Runs, Served, Log, Lies, Logged] {
        let Some(script) = script::read(data, standing) else { continue };
        for at in [0, script.text.len() as u64 / 2, u64::MAX] {
            let _ = script.offset(at);
        }
    }
}

/// The corpus of pages, which lies packed: letters turned by 13.
fn pages() -> Vec<Vec<u8>> {
    let turn = |byte: u8| match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        other => other,
    };
    let packed = files_below(&workspace().join("crates/assay/tests/shells")).into_iter();
    let unpacked = packed.map(|file| {
        String::from_utf8_lossy(&file.iter().copied().map(turn).collect::<Vec<_>>()).into_owned()
    });
    let pages = unpacked
        .flat_map(|text| text.split("\n== ").map(|page| page.as_bytes().to_vec()).collect::<Vec<_>>());
    pages.collect()
}

/// The fuzzer itself, which is a program.
fn programs() -> Vec<Vec<u8>> {
    let own = std::env::current_exe().and_then(fs::File::open);
    let mut head = Vec::new();
    let read = own.and_then(|file| file.take(SEED_BYTES_MAX).read_to_end(&mut head));
    read.map(|_| vec![head]).unwrap_or_default()
}

fn known_good_lists() -> Vec<Vec<u8>> {
    let row = |path: &str| format!("{path},{},15.1.2106.2,15.2.792.3,2\r\n", "AB".repeat(32));
    let list =
        format!("path,sha256,first_build,last_build,builds\r\n{}{}", row("owa\\a.aspx"), row("ecp\\b.dll"));
    vec![list.into_bytes()]
}

/// The case that the report's own tests write, in one piece, and without what older versions did not write.
fn case_folders() -> Vec<Vec<u8>> {
    let folder = workspace().join("crates/report/testdata/golden");
    let bundle = |names: &[&str]| -> Vec<u8> {
        let file = |name: &&str| {
            [format!("\n== {name}\n").into_bytes(), fs::read(folder.join(name)).unwrap_or_default()]
        };
        names.iter().flat_map(file).flatten().collect()
    };
    let old = ["case.json", "run.json", "coverage.json", "answers.json", "findings.jsonl"];
    vec![bundle(&[&old[..], &["rules.json", "records.jsonl", "sessions.json"]].concat()), bundle(&old)]
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

/// All members in one block, but for the last.
fn seven_zip_of(files: &[Vec<u8>]) -> Option<Vec<u8>> {
    use sevenz_rust2::{ArchiveEntry, ArchiveWriter, SourceReader};
    let mut writer = ArchiveWriter::new(std::io::Cursor::new(Vec::new())).ok()?;
    let (last, solid) = files.split_last()?;
    let entries = (0..solid.len()).map(|index| ArchiveEntry::new_file(&format!("{index}.log"))).collect();
    let sources = solid.iter().map(|file| SourceReader::new(file.as_slice())).collect();
    writer.push_archive_entries(entries, sources).ok()?;
    writer.push_archive_entry(ArchiveEntry::new_file("last.log"), Some(last.as_slice())).ok()?;
    Some(writer.finish().ok()?.into_inner())
}

fn xz_of(file: &[u8]) -> Option<Vec<u8>> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).ok()?;
    writer.write_all(file).ok()?;
    writer.finish().ok()
}
