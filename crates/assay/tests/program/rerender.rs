//! `assay report`: a case made again from its folder, and exports of it.

use crate::{Ran, run, scan, workspace};
use assay::Exit;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

fn example(scratch: &Path) -> PathBuf {
    let (ran, out) = scan(&[&workspace().join("examples/exchange-2021")], scratch, &[]);
    assert!(matches!(ran.exit, Exit::Done | Exit::Losses), "{}", ran.stderr);
    out
}

fn report(case: &Path, more: &[&str]) -> Ran {
    let mut arguments = vec!["report", case.to_str().unwrap()];
    arguments.extend(more);
    run(&arguments)
}

/// A file in memory that outlives the writer it was given to.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_case_read_back_writes_the_same_files() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = example(scratch.path());
    let mut open = |name: &str| -> io::Result<Box<dyn report::Source>> {
        Ok(Box::new(fs::File::open(folder.join(name))?))
    };
    let (case, run) = report::read_case(&mut open).unwrap();
    assert!(case.findings.len() > 100 && case.findings.iter().any(|finding| finding.record.is_some()));
    let mut written: BTreeMap<String, Shared> = BTreeMap::new();
    let mut create = |name: &str| -> io::Result<Box<dyn Write>> {
        Ok(Box::new(written.entry(name.to_owned()).or_default().clone()))
    };
    report::write_case(&case, &run, &report::Options::default(), &mut create).unwrap();
    let names: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.len(), written.len(), "{names:?}");
    for (name, bytes) in written {
        assert!(fs::read(folder.join(&name)).unwrap() == *bytes.0.borrow(), "{name} differs");
    }
}

#[test]
fn the_page_is_made_again() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = example(scratch.path());
    let page = folder.join("report.html");
    let first = fs::read_to_string(&page).unwrap();
    fs::remove_file(&page).unwrap();
    let ran = report(&folder, &[]);
    assert_eq!((ran.exit, ran.stderr.as_str()), (Exit::Done, ""));
    assert_eq!(ran.stdout.trim_end(), page.to_str().unwrap());
    assert!(fs::read_to_string(&page).unwrap() == first, "the page differs");

    let other = scratch.path().join("for-the-team.html");
    let ran = report(&folder, &["--html", "--reveal", "--tlp", "red", "--out", other.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let revealed = fs::read_to_string(&other).unwrap();
    assert!(revealed.contains("TLP:RED") && revealed.contains("PiQLyrCQ.aspx"));
    assert!(!first.contains("PiQLyrCQ.aspx"));
    assert!(fs::read_to_string(&page).unwrap() == first, "--out leaves the case alone");
}

#[test]
fn exports_are_printed_or_written() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = example(scratch.path());
    let markdown = report(&folder, &["--md"]);
    assert_eq!((markdown.exit, markdown.stderr.as_str()), (Exit::Done, ""));
    for part in [
        "**TLP:AMBER+STRICT**",
        "**Synthetic evidence.**",
        "| `MXS01` | BREACHED: Exchange, chain of March 2021 |",
        "## What the evidence cannot tell",
        "## Timeline of what answers rest on",
    ] {
        assert!(markdown.stdout.contains(part), "{part}: {}", markdown.stdout);
    }
    assert!(!markdown.stdout.contains("PiQLyrCQ"));
    assert!(report(&folder, &["--md", "--reveal"]).stdout.contains("PiQLyrCQ.aspx"));

    let table = report(&folder, &["--csv", "--tlp", "green"]);
    let findings = fs::read_to_string(folder.join("findings.jsonl")).unwrap();
    assert_eq!(table.stdout.lines().count(), findings.lines().count() + 1);
    assert!(table.stdout.lines().skip(1).all(|line| line.ends_with(",\"TLP:GREEN\"")));
    assert!(!table.stdout.contains("PiQLyrCQ"));

    let file = scratch.path().join("ticket.md");
    let written = report(&folder, &["--md", "--out", file.to_str().unwrap()]);
    assert_eq!(written.stdout.trim_end(), file.to_str().unwrap());
    assert!(fs::read_to_string(&file).unwrap() == markdown.stdout);
}

#[test]
fn usage_errors_say_what_is_wrong() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = example(scratch.path());
    let check = |ran: Ran, expect: &str| {
        assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Usage, ""), "{expect}");
        assert!(ran.stderr.contains(expect), "{}", ran.stderr);
    };
    check(report(&folder, &["--lang", "de"]), "the report speaks English (en) only");
    assert_eq!(report(&folder, &["--lang", "en", "--md"]).exit, Exit::Done);
    check(report(&folder, &["--md", "--csv"]), "cannot be used with");
    check(report(scratch.path(), &[]), "case.json: ");
    let own = folder.join("case.json");
    check(report(&folder, &["--md", "--out", own.to_str().unwrap()]), "a file of the case");
    let page = folder.join("report.html");
    check(report(&folder, &["--csv", "--out", page.to_str().unwrap()]), "a file of the case");
    let inside = workspace().join("examples/exchange-2021/ticket.md");
    check(report(&folder, &["--md", "--out", inside.to_str().unwrap()]), "evidence is never written to");
    assert!(!inside.exists());

    let findings = folder.join("findings.jsonl");
    let text = fs::read_to_string(&findings).unwrap();
    fs::write(&findings, text.replacen("\"level\":\"", "\"level\":\"\u{1b}[2J", 1)).unwrap();
    let ran = report(&folder, &[]);
    check(ran, "findings.jsonl line 1: column ");
    assert!(!report(&folder, &[]).stderr.contains('\u{1b}'));
}

/// A case that somebody sends must not make the program read elsewhere, or wait for a pipe.
#[cfg(unix)]
#[test]
fn links_in_a_case_are_not_followed() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = example(scratch.path());
    let rules = folder.join("rules.json");
    fs::rename(&rules, scratch.path().join("rules.json")).unwrap();
    std::os::unix::fs::symlink(scratch.path().join("rules.json"), &rules).unwrap();
    let ran = report(&folder, &[]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.stderr.contains("rules.json: wanted a plain file"), "{}", ran.stderr);
}

/// An older version wrote neither rules nor records nor sessions.
#[test]
fn an_older_case_is_rendered_and_masked() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = example(scratch.path());
    for name in ["rules.json", "records.jsonl", "sessions.json"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let findings = folder.join("findings.jsonl");
    let lines = fs::read_to_string(&findings).unwrap();
    let older = lines.lines().map(|line| {
        let mut finding: serde_json::Value = serde_json::from_str(line).unwrap();
        let object = finding.as_object_mut().unwrap();
        object.remove("matched");
        object.remove("whole_record");
        format!("{finding}\n")
    });
    fs::write(&findings, older.collect::<String>()).unwrap();
    let ran = report(&folder, &[]);
    assert_eq!((ran.exit, ran.stderr.as_str()), (Exit::Done, ""));
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("BREACHED") && !page.contains("PiQLyrCQ"));
}

/// Two hundred thousand findings: the page stays small enough to be passed on.
#[test]
fn a_large_case_stays_below_thirty_megabytes() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = example(scratch.path());
    let findings = folder.join("findings.jsonl");
    let lines = fs::read_to_string(&findings).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let mut out = io::BufWriter::new(fs::File::create(&findings).unwrap());
    for number in 0..200_000usize {
        let line = lines[number % lines.len()];
        let (_, rest) = line.split_once("\"id\":\"").unwrap();
        writeln!(out, "{{\"id\":\"{number:016x}{}", &rest[16..]).unwrap();
    }
    out.flush().unwrap();
    drop(out);
    let ran = report(&folder, &[]);
    assert_eq!((ran.exit, ran.stderr.as_str()), (Exit::Done, ""));
    let bytes = fs::metadata(folder.join("report.html")).unwrap().len();
    assert!(bytes < 30_000_000, "{bytes}");
    assert!(report(&folder, &["--md"]).stdout.len() < 1_000_000);
    assert_eq!(report(&folder, &["--csv"]).stdout.lines().count(), 200_001);
}

/// `docs/picture.sh` makes it.
#[test]
fn the_example_in_the_docs_is_what_the_program_makes() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("case");
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(["scan", "examples/exchange-2021", "--tlp", "clear", "--out"])
        .arg(&out)
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let made = fs::read(out.join("report.html")).unwrap();
    let kept = fs::read(workspace().join("docs/example-report.html")).unwrap_or_default();
    assert!(made == kept, "docs/example-report.html is of another version; docs/picture.sh makes it");
}
