//! Exports, loaded by the tools that others read them with. `./test` makes their Python environment.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, with words")]

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use stix::AppendixA;

#[test]
fn exports_are_read_by_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles");
    let own = std::env::var_os("EXPORT_ORACLES").map(PathBuf::from);
    let python = own.unwrap_or_else(|| folder.join("environment")).join("bin/python");
    if !python.exists() {
        println!(
            "skipped: exports read by stix2, pymisp and others: their Python environment is missing (`./test` makes it)"
        );
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let exports = scratch.path().join("exports");
    fs::create_dir(&exports).unwrap();
    let list = scratch.path().join("list.csv");
    fs::write(&list, "indicator,tlp\n203.0.113.7,green\nhelp.aspx,green\n").unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/exchange-2021");
    for (name, evidence) in [("example", example), ("named", named_actor(scratch.path()))] {
        let case = scratch.path().join(name);
        run(&["scan", text(&evidence), "--out", text(&case), "--indicators", text(&list)]);
        run(&["attribute", text(&case), "--as-of", "2021-07-19"]);
        if name == "named" {
            name_an_actor(&case);
        }
        for label in ["amber+strict", "amber", "green"] {
            export(scratch.path(), &exports, name, label, &[]);
        }
        export(
            scratch.path(),
            &exports,
            name,
            "red",
            &["--to", "Jane Doe", "--reveal", "--final", "--by", "CERT Example"],
        );
    }
    statements(scratch.path(), &exports);
    fs::write(exports.join("scales.json"), scales().to_string()).unwrap();
    let ran = Command::new(python).arg(folder.join("check.py")).arg(&exports).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(told.contains(" passed, 0 failed"), "{told}");
    println!("{told}");
}

/// The record of 2021, and a package in which three concur, one dissents, each under a label of its own: as STIX, and as
/// what the schemas judge.
fn statements(scratch: &Path, exports: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::create_dir(exports.join("schemas")).unwrap();
    for name in ["statement", "position", "attribution-record"] {
        let name = format!("{name}.schema.json");
        fs::copy(root.join("docs").join(&name), exports.join("schemas").join(&name)).unwrap();
    }
    let json_of = |yaml: &str| yaml_serde::from_str::<Value>(yaml).unwrap().to_string();
    let record = root.join("examples/statement-2021/record.yml");
    fs::write(exports.join("2021.record.json"), json_of(&fs::read_to_string(&record).unwrap())).unwrap();
    let bundle = |of: &Path, name: &str, more: &[&str]| {
        let file = exports.join(format!("statement-{name}.stix.json"));
        run(&[&["statement", "show", text(of), "--stix", text(&file)], more].concat());
    };
    bundle(&record, "2021", &[]);
    let folder = scratch.join("statement");
    fs::create_dir(&folder).unwrap();
    let at = |name: &str| folder.join(name);
    fs::write(at("draft.yml"), DRAFT).unwrap();
    fs::write(exports.join("draft.statement.json"), json_of(DRAFT)).unwrap();
    let mut roster = String::new();
    for party in ["us", "uk", "jp", "se"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f", text(&at(party))])
            .stdin(std::process::Stdio::null())
            .status();
        assert!(made.unwrap().success(), "ssh-keygen");
        roster.push_str(&format!("{party} {}", fs::read_to_string(at(&format!("{party}.pub"))).unwrap()));
    }
    fs::write(at("roster"), roster).unwrap();
    let package = at("package");
    run(&[
        "statement",
        "draft",
        text(&at("draft.yml")),
        "--package",
        text(&package),
        "--roster",
        text(&at("roster")),
    ]);
    fs::copy(package.join("statement.json"), exports.join("package.statement.json")).unwrap();
    for (party, label, stance) in [
        ("us", "", "concur, likelihood: {word: high, scale: \"ICD 203, confidence\"}"),
        ("uk", "tlp: amber\n", "concur, likelihood: {word: highly likely, scale: PHIA, interval: [80, 90]}"),
        ("jp", "", "abstain"),
        ("jp", "", "concur-in-part, reason: The first half."),
        (
            "se",
            "tlp: red\nrecipients: [Jane Doe]\n",
            "dissent, reason: Not so., alternative: Another one., reason_tlp: red",
        ),
    ] {
        let form = format!(
            "party: {party}\n{label}clauses:\n  - {{clause: C1, stance: concur}}\n  - {{clause: C2, stance: {stance}}}\n"
        );
        fs::write(at("form.yml"), form).unwrap();
        run(&["statement", "sign", text(&package), text(&at("form.yml")), "--key", text(&at(party))]);
    }
    for party in ["us", "uk", "jp", "se"] {
        for file in fs::read_dir(package.join("positions").join(party)).unwrap() {
            let file = file.unwrap().path();
            let name = file.file_name().unwrap().to_str().unwrap();
            if let Some(number) = name.strip_suffix(".json") {
                fs::copy(&file, exports.join(format!("{party}-{number}.position.json"))).unwrap();
            }
        }
    }
    bundle(&package, "package", &[]);
    bundle(&package, "package-green", &["--tlp", "green"]);
    bundle(&package, "package-red", &["--tlp", "red", "--to", "Jane Doe"]);
}

const DRAFT: &str = r#"
schema: assay-statement/1
title: Who attacked the mail servers
tlp: clear
parties: [{id: us, name: United States}, {id: uk, name: United Kingdom}, {id: jp, name: Japan}, {id: se, name: Sweden}]
scales: [{id: PHIA, owner: PHIA, axis: likelihood, terms: [{word: highly likely, from: 80, to: 90}]}]
sources: [{id: blog, by: Microsoft, date: 2021-03-02, kind: official}]
clauses:
  - {id: C1, level: act, text: The mail servers were entered through four holes., grounds: [external: {author: Microsoft, date: 2021-03-02, claim: Four holes are in use., source: blog}]}
  - {id: C2, level: state, names: A state, text: The state is responsible., builds_on: [C1]}
notes: [{text: A note., clauses: [C2], sources: [blog]}]
"#;

fn named_actor(scratch: &Path) -> PathBuf {
    let evidence = scratch.join("evidence");
    for (path, bytes) in range::scenario("proxyshell", 1).unwrap().files {
        let path = evidence.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    evidence
}

/// The example names nobody, so that the objects of a named actor would not be looked at: one is named here by hand.
fn name_an_actor(case: &Path) {
    let file = case.join("attribution.json");
    let mut attribution: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let intrusion = &mut attribution["intrusions"][0];
    intrusion["named"] = json!("G0125");
    intrusion["confidence"] = json!(0.9);
    intrusion["strength"] = json!("low");
    let items = intrusion["items"].as_array_mut().unwrap();
    let adds = items[0]["adds"].clone();
    for (id, name) in [("S0020", "China Chopper"), ("S0002", "Mimikatz")] {
        items.push(json!({
            "id": id, "name": name, "kind": "software", "findings": 0, "finding_ids": [], "hosts": [],
            "admiralty": "A2", "forgeability": "easy", "known_for": [], "adds": adds,
        }));
    }
    fs::write(file, attribution.to_string()).unwrap();
}

fn export(scratch: &Path, exports: &Path, name: &str, label: &str, more: &[&str]) {
    let file = |ending: &str| exports.join(format!("{name}-{}.{ending}.json", label.replace('+', "-")));
    let (stix, misp, layer) = (file("stix"), file("misp"), file("layer"));
    let (case, key) = (scratch.join(name), scratch.join("key"));
    let mut arguments = vec!["export", text(&case), "--tlp", label, "--key", text(&key)];
    arguments.extend(["--stix", text(&stix), "--misp", text(&misp), "--navigator", text(&layer)]);
    arguments.extend(more);
    run(&arguments);
}

/// What we make of each word of the scales of appendix A, for the library to compare.
fn scales() -> Value {
    let mut rows = Vec::new();
    let mut add =
        |scale: &str, word: &str, value: Option<u8>| rows.push(json!([scale, word, value.unwrap()]));
    for word in ["None", "Low", "Med", "High"] {
        add("none-low-med-high", word, AppendixA::NoneLowMedHigh(word).confidence());
    }
    for value in 0..=10 {
        add("0-10", &value.to_string(), AppendixA::ZeroToTen(value).confidence());
    }
    let admiralty =
        ["Confirmed by other sources", "Probably True", "Possibly True", "Doubtful", "Improbable"];
    for (value, words) in (1..).zip(admiralty) {
        add("admiralty", &format!("{value} - {words}"), AppendixA::Admiralty(value).confidence());
    }
    for word in [
        "Impossible",
        "Highly Unlikely/Almost Certainly Not",
        "Unlikely/Probably Not",
        "Even Chance",
        "Likely/Probable",
        "Highly likely/Almost Certain",
        "Certain",
    ] {
        add("wep", word, AppendixA::Wep(word).confidence());
    }
    for word in [
        "Almost No Chance / Remote",
        "Very Unlikely / Highly Improbable",
        "Unlikely / Improbable",
        "Roughly Even Chance / Roughly Even Odds",
        "Likely / Probable",
        "Very Likely / Highly Probable",
        "Almost Certain / Nearly Certain",
    ] {
        add("dni", word, AppendixA::Dni(word).confidence());
    }
    json!(rows)
}

fn run(arguments: &[&str]) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut output = assay::Output {
        stdout: &mut stdout,
        stderr: &mut stderr,
        terminal_columns: None,
        colour: false,
        show_progress: false,
    };
    let words = std::iter::once("assay").chain(arguments.iter().copied()).map(Into::into);
    let exit = assay::run(words, &mut output);
    assert!(
        matches!(exit, assay::Exit::Done | assay::Exit::Losses),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&stderr)
    );
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
