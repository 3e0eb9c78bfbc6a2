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
    assert!(coverage.contains("format unknown"), "{coverage}");
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
    let (ran, out) = scan(&[&log], scratch.path(), &["--no-builtin-rules", "--rules", rules.to_str().unwrap()]);
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
