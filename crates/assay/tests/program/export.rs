//! `assay export`, `assay summary`, as a user runs them.

use super::{Ran, run, scan, workspace};
use assay::Exit;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn example(scratch: &Path) -> PathBuf {
    scan(&[&workspace().join("examples/exchange-2021")], scratch, &[]).1
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn export(case: &Path, key: &Path, more: &[&str]) -> Ran {
    let mut arguments = vec!["export", text(case), "--key", text(key)];
    arguments.extend(more);
    run(&arguments)
}

#[test]
fn the_same_bytes_and_nothing_written_over() {
    let scratch = tempfile::tempdir().unwrap();
    let case = example(scratch.path());
    let key = scratch.path().join("home/key");
    let file = |name: &str| scratch.path().join(name);
    for name in ["a", "b"] {
        let ran = export(&case, &key, &["--tlp", "green", "--stix", text(&file(name))]);
        assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("made the key"), name == "a", "{}", ran.stderr);
        assert!(
            ran.stderr.contains("command lines and requests"),
            "what is left out is told: {}",
            ran.stderr
        );
    }
    let bytes = fs::read(file("a")).unwrap();
    assert_eq!(bytes, fs::read(file("b")).unwrap());
    let told = String::from_utf8(bytes).unwrap();
    for secret in ["MXS01", "MXS02", "example.test", "10.20.0."] {
        assert!(!told.to_lowercase().contains(&secret.to_lowercase()), "{secret}");
    }
    assert!(told.contains("Synthetic evidence") && told.contains("203.0.113.7"));
    let again = export(&case, &key, &["--stix", text(&file("a"))]);
    assert_eq!(again.exit, Exit::Usage);
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(export(&case, &key, &["--stix", text(&file("a")), "--force"]).exit, Exit::Done);
    let own = export(&case, &key, &["--stix", text(&case.join("case.json")), "--force"]);
    assert!(own.stderr.contains("a file of the case"), "{}", own.stderr);
}

#[test]
fn who_may_not_have_it_gets_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let case = example(scratch.path());
    let key = scratch.path().join("key");
    let out = scratch.path().join("out");
    for (more, wanted) in [
        (&["--tlp", "red"][..], "wanted --to NAME"),
        (&["--tlp", "green", "--to", "Jane"], "only --tlp red"),
        (&["--tlp", "green", "--reveal"], "leave one of them out"),
    ] {
        let ran = export(&case, &key, &[&["--stix", text(&out)], more].concat());
        assert_eq!(ran.exit, Exit::Usage, "{more:?}");
        assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
        assert!(!out.exists(), "{more:?}");
    }
    assert_eq!(export(&case, &key, &[]).exit, Exit::Usage, "nothing was asked for");
}

#[cfg(unix)]
#[test]
fn the_key_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = tempfile::tempdir().unwrap();
    let case = example(scratch.path());
    let key = scratch.path().join("key");
    assert_eq!(export(&case, &key, &["--ioc", "csv"]).exit, Exit::Done);
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = export(&case, &key, &["--ioc", "csv"]);
    assert!(ran.stderr.contains("mode 644"), "{}", ran.stderr);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, "no key").unwrap();
    assert!(export(&case, &key, &["--ioc", "csv"]).stderr.contains("no key that `assay export` made"));
}

#[test]
fn indicators_are_read_again_and_their_labels_hold() {
    let scratch = tempfile::tempdir().unwrap();
    let case = example(scratch.path());
    let key = scratch.path().join("key");
    let list = scratch.path().join("list.csv");
    let ran = export(&case, &key, &["--ioc", "csv", "--out", text(&list)]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    assert!(fs::read_to_string(&list).unwrap().contains("\"203.0.113.7\""));
    // What was exported as AMBER+STRICT may not leave as GREEN when it comes back as a list.
    let again = scratch.path().join("again");
    let evidence = workspace().join("examples/exchange-2021");
    let (ran, case) = scan(&[&evidence], &again, &["--indicators", text(&list)]);
    let read: Value = serde_json::from_str(&fs::read_to_string(case.join("case.json")).unwrap()).unwrap();
    assert_eq!(read["indicators"][0]["loaded"], 3, "{}", ran.stderr);
    let ran = export(&case, &key, &["--tlp", "green", "--ioc", "csv"]);
    assert!(ran.stderr.contains("findings of listed indicators: marked TLP:AMBER+STRICT"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("listed by"), "{}", ran.stdout);
    let ran = export(&case, &key, &["--ioc", "csv"]);
    assert!(ran.stdout.contains("listed by"), "{}", ran.stdout);
}

#[test]
fn summaries_are_small_and_merge() {
    let scratch = tempfile::tempdir().unwrap();
    let case = example(scratch.path());
    let key = scratch.path().join("key");
    let file = scratch.path().join("summary.jsonl");
    let ran = run(&["summary", text(&case), "--key", text(&key), "--out", text(&file)]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let lines = fs::read_to_string(&file).unwrap();
    assert_eq!(lines.lines().count(), 2);
    assert!(!lines.contains("MXS0") && lines.contains("BREACHED"));
    let merged: Value =
        serde_json::from_str(&run(&["summary", "--merge", text(&file), text(&file)]).stdout).unwrap();
    assert_eq!(
        (&merged["hosts"], &merged["synthetic"], &merged["verdicts"]["BREACHED"]),
        (&2.into(), &2.into(), &1.into())
    );
    let strict = run(&["summary", text(&case), "--key", text(&key), "--tlp", "amber+strict"]);
    assert!(strict.stderr.contains("a summary is for others"), "{}", strict.stderr);
    fs::write(&file, format!("{lines}{{}}\n")).unwrap();
    let bad = run(&["summary", "--merge", text(&file)]);
    assert!(bad.stderr.contains("summary.jsonl line 3:"), "{}", bad.stderr);
}

#[test]
fn the_same_evidence_scanned_again_gives_the_same_objects() {
    let scratch = tempfile::tempdir().unwrap();
    let key = scratch.path().join("key");
    let mut bundles = Vec::new();
    for name in ["a", "b"] {
        let folder = scratch.path().join(name);
        fs::create_dir(&folder).unwrap();
        let case = example(&folder);
        // The second is of another day.
        if name == "b" {
            let run = case.join("run.json");
            let text = fs::read_to_string(&run).unwrap();
            let mut run_of: Value = serde_json::from_str(&text).unwrap();
            run_of["started"] = Value::from("2031-01-01T00:00:00Z");
            fs::write(&run, run_of.to_string()).unwrap();
        }
        let file = scratch.path().join(format!("{name}.json"));
        assert_eq!(export(&case, &key, &["--stix", text(&file)]).exit, Exit::Done);
        bundles.push(fs::read_to_string(file).unwrap());
    }
    assert_eq!(bundles[0], bundles[1]);
    let bundle: Value = serde_json::from_str(&bundles[0]).unwrap();
    let last = bundle["objects"].as_array().unwrap().iter().filter_map(|object| object["created"].as_str());
    assert!(last.clone().all(|created| created < "2026-11-25"), "nothing is of the future");
    assert!(last.clone().any(|created| created.starts_with("2021-03-")), "of the evidence's last time");
}
