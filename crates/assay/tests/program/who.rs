//! Who it was: scenarios with the tools of known crews, circumstances, what others claim.

use super::{Ran, json as json_file, run, scan, workspace};
use assay::Exit;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// Scans a scenario of `range` into a case folder.
fn case_of(name: &str, scratch: &Path) -> PathBuf {
    let scenario = range::scenario(name, 1).unwrap();
    let evidence = scratch.join("evidence");
    for (path, bytes) in &scenario.files {
        let path = evidence.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    scan(&[&evidence], scratch, &[]).1
}

fn attribute(case: &Path, more: &[&str]) -> Ran {
    let mut arguments = vec!["attribute", case.to_str().unwrap()];
    arguments.extend(more);
    let ran = run(&arguments);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    ran
}

fn attributed(case: &Path, more: &[&str]) -> Vec<Value> {
    attribute(case, more);
    json_file(&case.join("attribution.json"))["intrusions"].as_array().unwrap().clone()
}

fn item<'v>(intrusions: &'v [Value], id: &str) -> Option<&'v Value> {
    intrusions.iter().flat_map(|of| of["items"].as_array().unwrap()).find(|item| item["id"] == id)
}

/// The intrusion with the most software.
fn main_intrusion(intrusions: &[Value]) -> &Value {
    let software = |of: &&Value| {
        let items = of["items"].as_array().unwrap().iter();
        items.filter(|item| item["kind"] == "software").count()
    };
    intrusions.iter().max_by_key(software).unwrap()
}

#[test]
fn scenarios_of_known_crews_have_the_right_candidates_and_others_none() {
    let mut asked = 0;
    for name in range::names() {
        let who = range::scenario(name, 1).unwrap().truth.who;
        if who.is_empty() {
            continue;
        }
        let scratch = tempfile::tempdir().unwrap();
        let case = case_of(name, scratch.path());
        for truth in who {
            asked += 1;
            let intrusions = attributed(&case, &["--as-of", truth.as_of]);
            let about =
                format!("{name} as of {}: {:#?}", truth.as_of, main_intrusion(&intrusions)["hypotheses"][0]);
            let first = main_intrusion(&intrusions)["hypotheses"][0]["actor"].as_str().unwrap();
            match truth.first {
                [] => assert!(intrusions.iter().all(|of| of["verdict"] == "insufficient"), "{about}"),
                wanted => assert!(wanted.contains(&first), "{about}"),
            }
            let in_list = |actor: &str| {
                let hypotheses = intrusions.iter().flat_map(|of| of["hypotheses"].as_array().unwrap());
                hypotheses.filter(|of| of["actor"] == actor).count() > 0
            };
            assert!(truth.not_known.is_none_or(|actor| !in_list(actor)), "{about}");
            for of in &intrusions {
                let sum: f64 = of["hypotheses"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|of| of["probability"].as_f64().unwrap())
                    .sum();
                assert!((sum - 1.0).abs() < 1e-3, "{about}: {sum}");
                // A handful of tools of one host is one vote.
                assert_ne!(of["strength"], "high", "{about}");
            }
        }
    }
    assert!(asked >= 8, "{asked}");
}

#[test]
fn circumstances_are_items_and_can_be_recomputed() {
    let scratch = tempfile::tempdir().unwrap();
    let case = case_of("solarwinds", scratch.path());
    let arguments =
        ["--as-of", "2021-06-01", "--victim", "sector=government-national,country=US", "--explain"];
    let text = attribute(&case, &arguments).stdout;
    let intrusions = attributed(&case, &arguments);
    let host = item(&intrusions, "infrastructure:fireeye-sunburst:G0016").unwrap();
    assert_eq!(
        (&host["kind"], &host["admiralty"], &host["forgeability"]),
        (&json!("infrastructure"), &json!("A2"), &json!("hard"))
    );
    assert_eq!(host["known_for"], json!(["G0016"]));
    assert!(host["findings"].as_u64() > Some(0) && !host["finding_ids"].as_array().unwrap().is_empty());
    assert_eq!(item(&intrusions, "victim").unwrap()["kind"], "victim");
    assert!(text.contains("Circumstances: weak, bounded"), "{text}");
    assert!(text.contains("fits APT29 (G0016) (by FireEye, 2020-12-13)"), "{text}");
    // Before the report nothing ties the host to anybody.
    assert_eq!(
        item(&attributed(&case, &["--as-of", "2020-12-01"]), "infrastructure:fireeye-sunburst:G0016"),
        None
    );
    // The report and Markdown show them in words.
    let page = fs::read_to_string(case.join("report.html")).unwrap();
    assert!(
        !page.contains("infrastructure:fireeye") || page.contains("domain of FireEye"),
        "an id is no word"
    );
    // before * factor / sum = after, as printed.
    let mut recomputed = 0;
    let mut sum = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(rest) =
            line.trim().strip_prefix("circumstances: probability = probability before * factor / ")
        {
            sum = rest.split(';').next().unwrap().parse::<f64>().ok();
        } else if let (Some(sum), [actor, before, factor, after]) = (sum, words.as_slice()) {
            let numbers = [before, factor, after].map(|word| word.parse::<f64>());
            if let ([Ok(before), Ok(factor), Ok(after)], true) = (numbers, actor.starts_with('G')) {
                assert!((before * factor / sum - after).abs() < 1e-4, "{line}");
                recomputed += 1;
            }
        }
    }
    let named = intrusions.iter().any(|of| of["verdict"] == "named");
    assert!(recomputed > 0 || named && text.contains("not applied"), "{text}");
}

#[test]
fn whom_it_hit_is_read_strictly_and_names_nobody() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("observed.json");
    fs::write(&file, "{\"observed\": [\"T1190\"]}").unwrap();
    let ask = |victim: &str| {
        run(&[
            "attribute",
            "--observed",
            file.to_str().unwrap(),
            "--as-of",
            "2021-07-19",
            "--victim",
            victim,
            "--format",
            "json",
        ])
    };
    let ran = ask("sector=defense,country=NO");
    let verdict: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(verdict["verdict"], "insufficient");
    assert!(verdict["notes"].to_string().contains("fits"), "{verdict}");
    for (victim, wanted) in [
        ("sector=cheese", "financial-services"),
        ("country=Norway", "two letters"),
        ("defense", "sector=WORD"),
    ] {
        let ran = ask(victim);
        assert_eq!(ran.exit, Exit::Usage, "{victim}");
        assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
    }
}

#[test]
fn a_tag_of_a_group_is_no_evidence_and_one_of_software_is() {
    let scratch = tempfile::tempdir().unwrap();
    let rules = scratch.path().join("rules");
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("tagged.yml"), "title: Deed of somebody\nid: 0e5d3f0a-8d3c-4b0a-9d4e-0a6b8a8f5a11\nstatus: test\ntags: [attack.g0125, attack.s0020, attack.t1505.003, assay.shell-file]\nlogsource: {category: file_event, product: windows}\ndetection:\n  file:\n    TargetFilename|endswith: '.aspx'\n  condition: file\nlevel: high\n").unwrap();
    let log = scratch.path().join("sysmon.json");
    fs::write(&log, "{\"@timestamp\": \"2021-03-03T10:21:53.000Z\", \"Hostname\": \"WS01.example.org\", \"Channel\": \"Microsoft-Windows-Sysmon/Operational\", \"SourceName\": \"Microsoft-Windows-Sysmon\", \"EventID\": 11, \"RecordNumber\": 1, \"Image\": \"C:\\\\Windows\\\\System32\\\\cmd.exe\", \"TargetFilename\": \"C:\\\\inetpub\\\\wwwroot\\\\x.aspx\"}\n").unwrap();
    let (_, case) =
        scan(&[&log], scratch.path(), &["--no-builtin-rules", "--rules", rules.to_str().unwrap()]);
    let ran = attribute(&case, &["--as-of", "2021-07-19"]);
    assert!(
        ran.stdout.contains("Not weighed: a tag of Deed of somebody names HAFNIUM (G0125)"),
        "{}",
        ran.stdout
    );
    let intrusions = attributed(&case, &["--as-of", "2021-07-19"]);
    assert!(item(&intrusions, "S0020").is_some() && item(&intrusions, "G0125").is_none());
    assert_eq!(intrusions[0]["verdict"], "insufficient");
    assert!(intrusions[0]["notes"].to_string().contains("claim of the rule's author"));
}

#[test]
fn an_attribution_that_is_damaged_is_told_and_written_anew() {
    let scratch = tempfile::tempdir().unwrap();
    let (_, case) = scan(&[&workspace().join("examples/exchange-2021")], scratch.path(), &[]);
    attribute(&case, &["--as-of", "2021-07-19"]);
    let whole = fs::read(case.join("attribution.json")).unwrap();
    fs::write(case.join("attribution.json"), &whole[..whole.len() / 2]).unwrap();
    // Another command cannot do without it, and says which file it is.
    let ran = run(&["report", case.to_str().unwrap()]);
    assert!(ran.exit != Exit::Done && ran.stderr.contains("attribution.json"), "{}", ran.stderr);
    let ran = attribute(&case, &["--as-of", "2021-07-19"]);
    assert!(ran.stderr.contains("attribution.json") && ran.stderr.contains("written anew"), "{}", ran.stderr);
    assert_eq!(fs::read(case.join("attribution.json")).unwrap(), whole);
}

#[test]
fn nothing_is_certain_in_print() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("observed.json");
    for observed in
        [json!([]), json!(["S0559", "S0560", "S0562", "S0565", "S0154", "T1195.002"]), json!(["S0020"])]
    {
        fs::write(&file, json!({"observed": observed}).to_string()).unwrap();
        let ran = run(&["attribute", "--observed", file.to_str().unwrap(), "--as-of", "2025-12-01"]);
        assert!(!ran.stdout.contains("100.0 %") && !ran.stdout.contains(" 0.0 %"), "{}", ran.stdout);
    }
    let ran = run(&["attribute", "--observed", file.to_str().unwrap(), "--as-of", "2025-12-01"]);
    assert!(
        ran.stdout.contains("China Chopper (S0020) is shared: 9 actors are known for it."),
        "{}",
        ran.stdout
    );
}

#[test]
fn knowledge_is_fetched_from_an_address() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        let _ = writeln!(std::io::stderr(), "skipped: there is no curl");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/threat-actor.json", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let body =
            json!({"type": "threat-actor", "values": [{"value": "Fetched Bear", "uuid": "u-1"}]}).to_string();
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0u8; 1_024];
        let _ = stream.read(&mut request);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).unwrap();
    });
    let scratch = tempfile::tempdir().unwrap();
    let to = scratch.path().join("knowledge.tsv");
    let ran = run(&["knowledge", "update", "--from", &url, "--to", to.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    assert!(ran.stderr.contains("SHA-256"), "{}", ran.stderr);
    server.join().unwrap();
    let ran = run(&["actor", "Fetched Bear", "--knowledge", to.to_str().unwrap()]);
    assert!(ran.stdout.contains("Fetched Bear (u-1)"), "{}", ran.stdout);
    // Nobody listens there any more: what is wrong is said, and nothing is written.
    let other = scratch.path().join("other.tsv");
    let ran = run(&["knowledge", "update", "--from", &url, "--to", other.to_str().unwrap()]);
    assert!(ran.exit == Exit::Usage && ran.stderr.contains("fetching"), "{}", ran.stderr);
    assert!(!other.exists());
}
