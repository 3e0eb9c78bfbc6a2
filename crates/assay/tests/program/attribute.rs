//! `assay attribute`, `assay actor`, `assay knowledge`, as a user runs them.

use super::{Ran, json as json_file, run, scan, workspace};
use assay::Exit;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What was published of the Exchange intrusions of March 2021.
const EXCHANGE: [&str; 16] = [
    "T1190",
    "T1505.003",
    "T1003.001",
    "T1560.001",
    "T1114.002",
    "T1567.002",
    "T1059.001",
    "T1136.002",
    "T1583.003",
    "T1071.001",
    "T1095",
    "T1132.001",
    "S0020",
    "S0029",
    "Covenant",
    "S0357",
];

fn write(scratch: &Path, name: &str, text: &str) -> PathBuf {
    let path = scratch.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn attribute(observed: &[&str], as_of: &str, more: &[&str]) -> Ran {
    let scratch = tempfile::tempdir().unwrap();
    let file = write(scratch.path(), "observed.json", &json!({"observed": observed}).to_string());
    let mut arguments = vec!["attribute", "--observed", file.to_str().unwrap(), "--as-of", as_of];
    arguments.extend(more);
    run(&arguments)
}

fn verdict(observed: &[&str], as_of: &str) -> Value {
    let ran = attribute(observed, as_of, &["--format", "json"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn actors(verdict: &Value) -> Vec<&str> {
    verdict["hypotheses"].as_array().unwrap().iter().map(|of| of["actor"].as_str().unwrap()).collect()
}

fn notes(verdict: &Value) -> String {
    verdict["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn before_it_was_public_hafnium_is_not_in_the_list() {
    let verdict = verdict(&EXCHANGE, "2021-02-28");
    assert_eq!((&verdict["verdict"], &verdict["named"]), (&json!("insufficient"), &Value::Null));
    assert!(!actors(&verdict).contains(&"G0125"));
    assert!(notes(&verdict).contains("HAFNIUM (G0125) is not in the list: it became public on 2021-03-02"));
    let sum: f64 =
        verdict["hypotheses"].as_array().unwrap().iter().map(|of| of["probability"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-9);
}

#[test]
fn afterwards_it_comes_first_and_is_told_to_be_circular() {
    let verdict = verdict(&EXCHANGE, "2021-07-19");
    assert_eq!(actors(&verdict)[0], "G0125");
    assert!(notes(&verdict).contains("Circular"), "{}", notes(&verdict));
    let text = attribute(&EXCHANGE, "2021-07-19", &["--explain"]).stdout;
    assert!(text.contains("China Chopper (S0020) is shared:"), "{text}");
    assert!(text.contains("nearest report"));
}

#[test]
fn reports_that_came_out_after_it_began_may_be_about_it() {
    let scratch = tempfile::tempdir().unwrap();
    let ask = |began: Value| {
        let text = json!({"observed": EXCHANGE, "began": began}).to_string();
        let file = write(scratch.path(), "observed.json", &text);
        let ran = run(&[
            "attribute",
            "--observed",
            file.to_str().unwrap(),
            "--as-of",
            "2021-07-19",
            "--format",
            "json",
        ]);
        serde_json::from_str::<Value>(&ran.stdout).map_err(|_| ran.stderr)
    };
    // Before the first report, and after the last one.
    assert_eq!(ask(json!("2021-01-06")).unwrap()["strength"], "low");
    assert_eq!(ask(json!("2021-06-01")).unwrap()["strength"], ask(Value::Null).unwrap()["strength"]);
    assert!(ask(json!("soon")).unwrap_err().contains("no date"));
}

#[test]
fn an_exchange_hole_alone_names_nobody() {
    for as_of in ["2021-07-19", "2023-01-01", "2025-12-01"] {
        for observed in
            [&["T1190"][..], &["T1190", "T1505.003"], &["T1190", "T1505.003", "S0020", "T1003.001"]]
        {
            let verdict = verdict(observed, as_of);
            assert_eq!(verdict["verdict"], "insufficient", "{observed:?} {as_of}");
        }
    }
}

#[test]
fn a_list_that_fits_no_profile_is_insufficient() {
    for observed in [&[][..], &["T9999"], &["no such thing", "S9998", "T1001.999"]] {
        let verdict = verdict(observed, "2022-01-01");
        assert_eq!(
            (&verdict["verdict"], &verdict["confidence"], &verdict["strength"]),
            (&json!("insufficient"), &Value::Null, &Value::Null)
        );
        assert_eq!(
            verdict["hypotheses"].as_array().unwrap().last().unwrap(),
            &json!({"actor": "unknown", "probability": 1.0})
        );
    }
}

#[test]
fn many_cases_give_a_line_each() {
    let scratch = tempfile::tempdir().unwrap();
    let lines = "{\"case_id\":\"a\",\"observed\":[\"S0559\",\"T1195.002\"],\"date\":\"2021-03-01\"}\n\n\
                 {\"case_id\":7,\"observed\":[],\"as_of\":\"2022-01-01\",\"report\":{\"source_name\":\"APT29\"}}\n";
    let file = write(scratch.path(), "cases.jsonl", lines);
    let ran = run(&["attribute", "--cases", file.to_str().unwrap(), "--format", "jsonl"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["case_id"].clone()).collect::<Vec<_>>(), [json!("a"), json!(7)]);
    assert_eq!(actors(&lines[0])[0], "G0016");
    assert_eq!(lines[1]["verdict"], "insufficient");
}

#[test]
fn bad_lists_are_told() {
    let scratch = tempfile::tempdir().unwrap();
    for (text, wanted) in [
        ("{\"observed\": 1}", "line 1"),
        ("\n{\"observed\": [1], \"date\": \"2021-01-01\"}", "line 2"),
        ("{\"observed\": []}", "neither as_of nor date"),
        ("{", "line 1"),
    ] {
        let file = write(scratch.path(), "cases.jsonl", text);
        let ran = run(&["attribute", "--cases", file.to_str().unwrap()]);
        assert_eq!(ran.exit, Exit::Usage);
        assert!(ran.stderr.contains(wanted), "{text}: {}", ran.stderr);
    }
    assert_eq!(attribute(&["T1190"], "2021-02-30", &[]).exit, Exit::Usage);
    assert_eq!(run(&["attribute"]).exit, Exit::Usage);
}

#[test]
fn names_are_shown_by_whose_word() {
    let ran = run(&["actor", "Violet", "Typhoon"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    for wanted in
        ["ATT&CK v18.1: ZIRCONIUM (G0128)", "by Microsoft", "APT31", "2021-07-19 UK (organisation): "]
    {
        assert!(ran.stdout.contains(wanted), "{wanted}: {}", ran.stdout);
    }
    // Two sources have the actor; what was said of it stands there once.
    assert_eq!(ran.stdout.matches("2021-07-19 UK (organisation): ").count(), 1, "{}", ran.stdout);
    // An actor that ATT&CK does not have.
    assert!(run(&["actor", "DarkSide"]).stdout.contains("FBI (actor)"));
    assert!(run(&["actor", "check"]).stderr.contains("which text?"));
    let ran = run(&["actor", "APT32x"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.stderr.contains("one edit away: apt32"), "{}", ran.stderr);
}

#[test]
fn a_misprint_is_told_and_both_are_kept() {
    let scratch = tempfile::tempdir().unwrap();
    let text =
        "They named APT40 and Advanced Persistent Threat 31.\nAPT30 had attacked the Finnish parliament.\n";
    let file = write(scratch.path(), "statement.txt", text);
    let ran = run(&["actor", "check", file.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Done);
    for wanted in ["line 2", "source conflict, probable misprint of APT31", "G0013", "Supo", "Both are kept"]
    {
        assert!(ran.stdout.contains(wanted), "{wanted}: {}", ran.stdout);
    }
}

#[test]
fn names_of_others_are_taken_over() {
    let scratch = tempfile::tempdir().unwrap();
    let cluster = json!({"type": "threat-actor", "values": [
        {"value": "APT28", "uuid": "u-28", "meta": {"synonyms": ["Grizzly Steppe"], "name-attribution": ["Grizzly Steppe:p-1"]}},
        {"value": "APT29", "uuid": "u-29", "meta": {"synonyms": ["Grizzly Steppe"]}}]});
    let producers = json!({"type": "producer", "values": [{"value": "A\u{1b}[31mgency", "uuid": "p-1"}]});
    let cluster = write(scratch.path(), "threat-actor.json", &cluster.to_string());
    let producers = write(scratch.path(), "producer.json", &producers.to_string());
    let to = scratch.path().join("knowledge.tsv");
    let (cluster, producers, to) =
        (cluster.to_str().unwrap(), producers.to_str().unwrap(), to.to_str().unwrap());
    let ran = run(&["knowledge", "update", "--from", cluster, "--from", producers, "--to", to]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let ran = run(&["actor", "grizzly steppe", "--knowledge", to]);
    assert!(ran.stdout.contains("MISP threat-actor: APT28 (u-28); by A [31mgency"), "{}", ran.stdout);
    assert!(ran.stdout.contains("One source gives this name to several actors"));
    assert!(!ran.stdout.contains('\u{1b}'));
}

#[test]
fn a_case_of_the_exchange_hole_names_nobody_and_says_who_used_it() {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = workspace().join("examples/exchange-2021");
    let (_, case) = scan(&[&evidence], scratch.path(), &[]);
    let ran = run(&["attribute", case.to_str().unwrap(), "--as-of", "2021-07-19"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    assert!(ran.stdout.contains("Insufficient evidence to name an actor."), "{}", ran.stdout);
    assert!(ran.stdout.contains("11 actors are known to have used it (ESET"), "{}", ran.stdout);
    // Who others say it was is cited as theirs, with the day, and only what was said by then.
    assert!(ran.stdout.contains("no part of this evidence: 2021-03-02 Microsoft (actor)"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("2021-07-19 UK"), "{}", ran.stdout);
    let before = run(&["attribute", case.to_str().unwrap(), "--as-of", "2021-02-28"]).stdout;
    assert!(
        before.contains("Insufficient evidence to name an actor.") && !before.contains("Microsoft (actor)"),
        "{before}"
    );
    assert!(before.contains("HAFNIUM (G0125) (public since 2021-03-02)"), "{before}");
    run(&["attribute", case.to_str().unwrap(), "--as-of", "2021-07-19"]);
    let written = json_file(&case.join("attribution.json"));
    assert_eq!(written["schema"], "assay-attribution/1");
    let intrusion = &written["intrusions"][0];
    assert_eq!(intrusion["verdict"], "insufficient");
    let items = intrusion["items"].as_array().unwrap();
    assert!(
        items.iter().any(|item| item["id"] == "T1505.003" && item["findings"].as_u64() > Some(0)),
        "{items:?}"
    );
    // The same again gives the same bytes.
    let first = std::fs::read(case.join("attribution.json")).unwrap();
    run(&["attribute", case.to_str().unwrap(), "--as-of", "2021-07-19", "--format", "json"]);
    assert_eq!(std::fs::read(case.join("attribution.json")).unwrap(), first);
}
