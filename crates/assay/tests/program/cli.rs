//! Arguments, exit codes, bad input.

use crate::{run, scan, workspace};
use assay::Exit;
use std::fs;

const IIS: &str = "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time c-ip cs-method \
                   cs-uri-stem cs-uri-query sc-status\r\n2021-03-04 11:20:05 192.0.2.1 GET /owa/ - 200\r\n";

#[test]
fn help_and_version_are_no_errors() {
    assert_eq!(run(&["--version"]).exit, Exit::Done);
    let help = run(&["scan", "--help"]);
    assert_eq!(help.exit, Exit::Done);
    assert!(help.stdout.contains("Exit codes: 0 scanned whole"), "{}", help.stdout);
}

#[test]
fn usage_errors_say_what_is_wrong() {
    assert_eq!(run(&["scan"]).exit, Exit::Usage);
    assert_eq!(run(&["scan", "x", "--no-such-flag"]).exit, Exit::Usage);
    let scratch = tempfile::tempdir().unwrap();
    let log = scratch.path().join("u_ex.log");
    fs::write(&log, IIS).unwrap();
    let log = log.to_str().unwrap();
    let missing = run(&["scan", log, "--rules", "no/such/rules"]);
    assert_eq!(missing.exit, Exit::Usage);
    assert!(missing.stderr.contains("no/such/rules"), "{}", missing.stderr);
}

#[test]
fn a_missing_path_is_named() {
    let missing = run(&["scan", "no/such/evidence"]);
    assert_eq!(missing.exit, Exit::NothingRead);
    assert!(missing.stdout.contains("no/such/evidence"), "{}", missing.stdout);
}

#[test]
fn a_missing_path_beside_a_good_one_is_a_loss() {
    let scratch = tempfile::tempdir().unwrap();
    let log = scratch.path().join("u_ex.log");
    fs::write(&log, IIS).unwrap();
    assert_eq!(run(&["scan", log.to_str().unwrap()]).exit, Exit::Done);
    assert_eq!(run(&["scan", log.to_str().unwrap(), "no/such/evidence"]).exit, Exit::Losses);
}

#[test]
fn an_unknown_file_beside_a_log_is_no_loss() {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    fs::create_dir(&evidence).unwrap();
    fs::write(evidence.join("u_ex.log"), IIS).unwrap();
    fs::write(evidence.join("notes.txt"), "a note\n").unwrap();
    let (ran, out) = scan(&[&evidence], scratch.path(), &[]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let coverage = crate::json(&out.join("coverage.json")).to_string();
    assert!(coverage.contains("no log that is known: rules have looked at its content"), "{coverage}");
}

#[test]
fn out_never_mixes_with_other_files() {
    let scratch = tempfile::tempdir().unwrap();
    let log = scratch.path().join("u_ex.log");
    fs::write(&log, IIS).unwrap();
    let out = scratch.path().join("case");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("letter.txt"), "dear").unwrap();
    let (ran, _) = scan(&[&log], scratch.path(), &[]);
    assert_eq!(ran.exit, Exit::Usage);
    fs::remove_file(out.join("letter.txt")).unwrap();
    assert_eq!(scan(&[&log], scratch.path(), &[]).0.exit, Exit::Done);
    assert_eq!(scan(&[&log], scratch.path(), &[]).0.exit, Exit::Done, "over an older case");
}

#[test]
fn out_is_never_within_the_evidence() {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    fs::create_dir(&evidence).unwrap();
    fs::write(evidence.join("u_ex.log"), IIS).unwrap();
    let path = evidence.to_str().unwrap();
    for out in ["evidence", "evidence/case", "evidence/new/case"] {
        let out = scratch.path().join(out);
        let ran = run(&["scan", path, "--out", out.to_str().unwrap()]);
        assert_eq!(ran.exit, Exit::Usage, "{}", out.display());
        assert!(ran.stderr.contains("evidence is never written to"), "{}", ran.stderr);
    }
    assert_eq!(fs::read_dir(&evidence).unwrap().count(), 1);
    let (_, case) = scan(&[&evidence], scratch.path(), &[]);
    let again =
        run(&["scan", case.join("findings.jsonl").to_str().unwrap(), "--out", case.to_str().unwrap()]);
    assert_eq!(again.exit, Exit::Usage, "it would overwrite what it reads");
}

#[test]
fn out_is_tried_before_the_scan() {
    let scratch = tempfile::tempdir().unwrap();
    let log = scratch.path().join("u_ex.log");
    fs::write(&log, IIS).unwrap();
    let below_a_file = scratch.path().join("u_ex.log/case");
    let ran = run(&["scan", log.to_str().unwrap(), "--out", below_a_file.to_str().unwrap()]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Usage, ""));
    let others = scratch.path().join("others");
    fs::create_dir(&others).unwrap();
    fs::write(others.join("case.json"), "{\"of\":\"another program\"}").unwrap();
    let ran = run(&["scan", log.to_str().unwrap(), "--out", others.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Usage);
}

#[test]
fn exit_codes_have_an_order() {
    let scratch = tempfile::tempdir().unwrap();
    let text = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let attack = text("HttpProxy.log", &crate::logs::httpproxy("MXS01"));
    let unknown = text("notes.txt", "a note\n");
    let spoilt = text("Security.evtx", &format!("ElfFile\0{}", "x".repeat(70_000)));
    let exit = |arguments: &[&str]| run(&[&["scan"], arguments].concat()).exit;
    assert_eq!(exit(&[&attack, "no/such/file"]), Exit::Losses);
    assert_eq!(exit(&[&attack, "no/such/file", "--fail-on", "low"]), Exit::FailOn, "3 before 4");
    assert_eq!(exit(&[&unknown, "no/such/file", "--fail-on", "low"]), Exit::NothingRead, "1 before 4");
    assert_eq!(exit(&[&spoilt]), Exit::NothingRead, "a log of which nothing could be saved");
    assert_eq!(exit(&[&spoilt, &attack]), Exit::Losses);
    assert_eq!(exit(&["no/such/file", "--rules", "no/such/rules"]), Exit::Usage, "2 before 1");
}

#[test]
fn formats_stand_alone_on_standard_output() {
    let scratch = tempfile::tempdir().unwrap();
    let log = scratch.path().join("HttpProxy.log");
    fs::write(&log, crate::logs::httpproxy("MXS01")).unwrap();
    let log = log.to_str().unwrap();
    let answers = run(&["scan", log, "no/such/file", "--format", "json"]);
    assert!(
        serde_json::from_str::<Vec<serde_json::Value>>(&answers.stdout).is_ok_and(|list| !list.is_empty())
    );
    let findings = run(&["scan", log, "no/such/file", "--format", "jsonl"]);
    let lines: Result<Vec<serde_json::Value>, _> =
        findings.stdout.lines().map(serde_json::from_str).collect();
    assert_eq!(lines.unwrap().len(), 2);
}

/// A reader that has gone away.
struct Closed;

impl std::io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_does_not_change_how_it_ends() {
    let example = workspace().join("examples/exchange-2021");
    let mut stderr = Vec::new();
    let mut output = assay::Output {
        stdout: &mut Closed,
        stderr: &mut stderr,
        terminal_columns: None,
        colour: false,
        show_progress: false,
    };
    let words = ["assay", "scan", example.to_str().unwrap(), "--fail-on", "high"];
    assert_eq!(assay::run(words.map(Into::into), &mut output), Exit::FailOn);
    assert!(stderr.is_empty());
}

#[test]
fn colours_only_where_they_are_wanted() {
    let example = workspace().join("examples/exchange-2021");
    let print = |colour| {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut output = assay::Output {
            stdout: &mut stdout,
            stderr: &mut stderr,
            terminal_columns: Some(100),
            colour,
            show_progress: false,
        };
        let words = ["assay", "scan", example.to_str().unwrap(), "--no-builtin-rules"];
        assert_eq!(assay::run(words.map(Into::into), &mut output), Exit::Done);
        String::from_utf8(stdout).unwrap()
    };
    assert!(print(true).contains("\x1b["));
    assert!(!print(false).contains('\x1b'));
}

#[test]
fn fail_on_is_hit_by_the_example() {
    let example = workspace().join("examples/exchange-2021");
    let example = example.to_str().unwrap();
    assert_eq!(run(&["scan", example, "--fail-on", "high"]).exit, Exit::FailOn);
    let none = ["scan", example, "--no-builtin-rules", "--fail-on", "low"];
    assert_eq!(run(&none).exit, Exit::Done);
}

#[test]
fn a_bad_rule_does_not_stop_the_others() {
    let scratch = tempfile::tempdir().unwrap();
    let log = scratch.path().join("u_ex.log");
    fs::write(&log, IIS).unwrap();
    let rules = scratch.path().join("rules");
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("bad.yml"), "title: Bad\nlogsource: {category: webserver}\ndetection:\n    a:\n        b|nonsense: c\n    condition: a\n").unwrap();
    fs::write(rules.join("good.yml"), "title: Good\nid: 7f6b1c3e-0000-4000-8000-000000000001\nlogsource: {category: webserver}\ndetection:\n    a:\n        cs-uri-stem: /owa/\n    condition: a\nlevel: low\n").unwrap();
    let (ran, out) =
        scan(&[&log], scratch.path(), &["--no-builtin-rules", "--rules", rules.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    assert!(ran.stderr.contains("bad.yml"), "{}", ran.stderr);
    let run = crate::json(&out.join("run.json")).to_string();
    assert!(run.contains("bad.yml"), "{run}");
    let findings = crate::json_lines(&out.join("findings.jsonl"));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["rule_title"], "Good");
}

#[test]
fn collect_list_prints_what_to_copy() {
    let list = run(&["collect-list", "exchange"]);
    assert_eq!(list.exit, Exit::Done);
    assert!(list.stdout.contains("HttpProxy"), "{}", list.stdout);
}
