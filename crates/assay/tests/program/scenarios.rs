//! Every scenario of `range`: the right answer to each question, first and
//! last time to the second.

use crate::{Ran, json, json_lines, scan};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Seeds other than the example's, so that nothing hangs on one roll of the dice.
const SEEDS: &[u64] = &[1, 7];

#[test]
fn every_scenario_is_answered_right() {
    let mut wrong = Vec::new();
    for name in range::names() {
        for seed in SEEDS {
            let scenario = range::scenario(name, *seed).unwrap();
            wrong.extend(check(&scenario).into_iter().map(|line| format!("{name}, seed {seed}: {line}")));
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Scenarios on which nothing happened.
const CLEAN: &[&str] = &["clean", "clean-windows", "clean-linux"];

#[test]
fn nothing_is_loud_where_nothing_happened() {
    for name in CLEAN {
        for seed in SEEDS {
            let scratch = tempfile::tempdir().unwrap();
            let (_, out) = scan_files(&range::scenario(name, *seed).unwrap(), scratch.path());
            let loud: Vec<String> = json_lines(&out.join("findings.jsonl"))
                .into_iter()
                .filter(|finding| matches!(finding["level"].as_str(), Some("high" | "critical")))
                .map(|finding| format!("{} {}", finding["rule_title"], finding["fields"]))
                .collect();
            assert!(loud.is_empty(), "{name}: {loud:#?}");
            let case = json(&out.join("case.json"));
            assert_eq!(case["intrusions"].as_array().unwrap().len(), 0, "{name}");
            for verdict in case["verdicts"].as_array().unwrap() {
                assert_eq!(verdict["headline"], "no trace of a breach", "{name}: {verdict:#}");
            }
        }
    }
}

/// A host that shows nothing of an attack gets a line for its casebook; what applies to it and found something is
/// shown whole, a breach first.
#[test]
fn books_that_found_nothing_are_one_line() {
    let shown = |name: &str| {
        let scratch = tempfile::tempdir().unwrap();
        let (ran, _) = scan_files(&range::scenario(name, 1).unwrap(), scratch.path());
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let text = shown("windows-intrusion");
    assert!(text.contains("BREACHED: credential access, lateral movement, command and control"), "{text}");
    assert!(text.contains(" Ransomware no trace "), "{text}");
    assert!(!text.contains("recovery removed"), "{text}");
    assert!(text.contains("not asked: Exchange; Cloud identity"), "{text}");
    let text = shown("ransomware");
    assert!(text.contains("BREACHED: Ransomware First"), "{text}");
    assert!(text.contains(" recovery removed yes "), "{text}");
    assert!(text.contains(" Windows, by tactic yes "), "{text}");
    let text = shown("golden-saml");
    assert!(text.contains("BREACHED: Cloud identity First"), "{text}");
    let text = shown("exchange-2021");
    assert!(text.contains("BREACHED: Exchange, chain of March 2021 First"), "{text}");
    assert!(!text.contains("recovery removed"), "{text}");
}

/// Scans the scenario's files; gives what was printed, and the folder of the case.
fn scan_files(scenario: &range::Scenario, scratch: &Path) -> (Ran, PathBuf) {
    let evidence = scratch.join("evidence");
    for (path, bytes) in &scenario.files {
        let path = evidence.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let (ran, out) = scan(&[&evidence], scratch, &[]);
    assert!(matches!(ran.exit, assay::Exit::Done | assay::Exit::Losses), "{}", ran.stderr);
    (ran, out)
}

fn check(scenario: &range::Scenario) -> Vec<String> {
    let scratch = tempfile::tempdir().unwrap();
    let (_, out) = scan_files(scenario, scratch.path());
    let answers = json(&out.join("answers.json"));
    let given: BTreeMap<(String, String, String), (String, String, String)> = answers
        .as_array()
        .unwrap()
        .iter()
        .filter(|answer| answer["intrusion"].is_null())
        .map(|answer| {
            let text = |key: &str| answer[key].as_str().unwrap_or("-").to_owned();
            (
                (text("host"), text("casebook"), text("question_id")),
                (text("answer"), second(&text("first")), second(&text("last"))),
            )
        })
        .collect();
    let mut wrong = Vec::new();
    for truth in &scenario.truth.answers {
        let key = (truth.host.clone(), truth.casebook.to_owned(), truth.question_id.clone());
        let time = |time: &Option<String>| time.as_deref().map_or("-".to_owned(), second);
        let wanted = (truth.answer.as_str().to_owned(), time(&truth.first), time(&truth.last));
        let shown = |(answer, first, last): &(String, String, String)| format!("{answer} {first} … {last}");
        match given.get(&key) {
            None => {
                wrong.push(format!("{} {} {}: no answer; wanted {}", key.0, key.1, key.2, shown(&wanted)))
            }
            Some(got) if *got != wanted => {
                wrong.push(format!(
                    "{} {} {}: {}; wanted {}",
                    key.0,
                    key.1,
                    key.2,
                    shown(got),
                    shown(&wanted)
                ));
            }
            Some(_) => {}
        }
    }
    wrong.extend(wrong_intrusions(scenario.name, &json(&out.join("case.json")), &scenario.truth.intrusions));
    wrong
}

/// Scenarios in which nothing in the logs joins all that one intruder did, and into how many parts it falls: a list
/// that may only shrink.
const SPLIT: &[(&str, usize)] = &[
    ("logs-cleared", 2),
    ("windows-intrusion", 3),
    ("ransomware", 2),
    ("golden-saml", 2),
    ("linux-intrusion", 6),
    ("ransomware-crew", 4),
    ("solarwinds", 2),
];

/// Intrusions that were not told apart as they were, by their hosts.
fn wrong_intrusions(name: &str, case: &Value, truth: &[range::TruthIntrusion]) -> Option<String> {
    let hosts = |intrusion: &Value| -> Vec<String> {
        let hosts = intrusion["hosts"].as_array().unwrap().iter();
        hosts.map(|host| host.as_str().unwrap().to_owned()).collect()
    };
    let mut given: Vec<Vec<String>> = case["intrusions"].as_array().unwrap().iter().map(hosts).collect();
    let parts = SPLIT.iter().find(|(split, _)| *split == name).map_or(1, |(_, parts)| *parts);
    let mut wanted: Vec<Vec<String>> =
        truth.iter().flat_map(|intrusion| vec![intrusion.hosts.clone(); parts]).collect();
    given.sort();
    wanted.sort();
    (given != wanted).then(|| format!("intrusions on {given:?}; wanted {wanted:?}"))
}

/// What a tenant keeps lies in another host of the case: a server's questions are answered by it, and ask for it
/// only where it is missing.
#[test]
fn a_server_is_answered_by_its_tenants_logs() {
    let told = |with_tenant: bool| {
        let mut scenario = range::scenario("golden-saml", 1).unwrap();
        if with_tenant {
            scenario.files.extend(range::scenario("clean-tenant", 1).unwrap().files);
        }
        let scratch = tempfile::tempdir().unwrap();
        let (_, out) = scan_files(&scenario, scratch.path());
        let answers = json(&out.join("answers.json"));
        ["app-credentials", "federation-changed"].map(|id| {
            let mut all = answers.as_array().unwrap().iter();
            let found = all.find(|answer| answer["question_id"] == id && answer["host"] == "STS01").unwrap();
            (found["answer"].as_str().unwrap().to_owned(), found["text"].as_str().unwrap().to_owned())
        })
    };
    for (answer, text) in told(true) {
        assert_eq!(answer, "no-trace", "{text}");
    }
    for (answer, text) in told(false) {
        assert_eq!(answer, "cannot-tell", "{text}");
        assert!(text.contains("not in the evidence: Unified audit log of the tenant"), "{text}");
    }
}

/// The verdict names the chain that was used, and no other.
#[test]
fn headlines_name_the_chain() {
    for (name, headline) in [
        ("exchange-2021", "BREACHED: Exchange, chain of March 2021"),
        ("proxyshell", "BREACHED: Exchange, ProxyShell"),
        ("proxyshell-open", "probed, not breached by what can be seen"),
        ("proxytoken", "BREACHED: Exchange, ProxyToken"),
        ("proxynotshell", "BREACHED: Exchange, ProxyNotShell"),
        ("owassrf", "BREACHED: Exchange, OWASSRF"),
        ("viewstate", "BREACHED: Exchange, CVE-2020-0688"),
        ("app-deserialisation", "BREACHED: Exchange, CVE-2021-42321"),
        ("chains-refused", "probed, not breached by what can be seen"),
        ("two-chains", "BREACHED: Exchange, chain of March 2021 and ProxyShell"),
    ] {
        let scenario = range::scenario(name, 3).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let (_, out) = scan_files(&scenario, scratch.path());
        let case = json(&out.join("case.json"));
        let verdicts = case["verdicts"].as_array().unwrap();
        assert_eq!(verdicts[0]["headline"], headline, "{name}: {verdicts:#?}");
        let intrusions = case["intrusions"].as_array().map_or(0, Vec::len);
        assert_eq!(intrusions, scenario.truth.intrusions.len(), "{name}");
    }
}

/// A request over the hole whose status columns are empty, on a server that logged everything else.
#[test]
fn an_outcome_that_nobody_logged_is_no_trace_of_nothing() {
    let mut scenario = range::scenario("patched", 3).unwrap();
    let log = scenario.files.iter_mut().find(|(path, _)| path.contains("/HttpProxy/Ecp/")).unwrap();
    let text = String::from_utf8(log.1.clone()).unwrap();
    let columns = text.lines().find_map(|line| line.strip_prefix("#Fields: ")).unwrap();
    let first = text.lines().find(|line| line.starts_with("2021-")).unwrap();
    let row: Vec<&str> = columns
        .split(',')
        .zip(first.split(','))
        .map(|(column, cell)| match column {
            "HttpStatus" | "BackEndStatus" | "AuthenticatedUser" => "",
            "AnchorMailbox" => "ServerInfo~a]@mxs01.example.test:444/ecp/proxyLogon.ecp?#",
            "UrlStem" => "/ecp/y.js",
            "ClientIpAddress" => "203.0.113.7",
            _ => cell,
        })
        .collect();
    log.1.extend(format!("{}\r\n", row.join(",")).into_bytes());
    let scratch = tempfile::tempdir().unwrap();
    let (_, out) = scan_files(&scenario, scratch.path());
    let answers = json(&out.join("answers.json"));
    let told = |id: &str| {
        let mut all = answers.as_array().unwrap().iter();
        all.find(|answer| answer["question_id"] == id && answer["intrusion"].is_null()).unwrap().clone()
    };
    assert_eq!(told("exploited")["answer"], "cannot-tell");
    assert_eq!(told("exploited")["grounds"].as_array().unwrap().len(), 1);
    assert_eq!(
        told("exploited")["text"],
        "a request through the hole; the record does not say what came of it"
    );
    assert_eq!(told("probed")["answer"], "yes");
    assert_eq!(told("proxyshell")["answer"], "no-trace");
}

/// An RFC 3339 time, cut to the second.
fn second(time: &str) -> String {
    time.get(..19).unwrap_or(time).to_owned()
}
