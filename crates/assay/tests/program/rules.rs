//! `rules check`, `rules explain`, pipelines and correlations, as a user meets them.

use crate::{json, json_lines, run, scan};
use assay::Exit;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

const IIS: &str = "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status sc-bytes\r\n";

fn write(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn check_draws_what_is_wrong() {
    let scratch = tempfile::tempdir().unwrap();
    let good = "title: Good\nid: 00000000-0000-0000-0000-000000000001\nlogsource:\n    category: webserver\ndetection:\n    selection:\n        cs-method: GET\n    condition: selection\n";
    let path = write(&scratch, "good.yml", good);
    let ran = run(&["rules", "check", path.to_str().unwrap()]);
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (Exit::Done, "1 file, 1 rule, 0 correlations, 0 errors, 0 warnings\n")
    );

    let bad = good.replace("cs-method: GET", "cs-method|begins: \u{1b}[31mGET").replace('\u{1b}', "\\e");
    let bad =
        bad.replace("begins: \\e[31mGET", "begins: GET").replace("title: Good", "title: Bad\nstatus: soon");
    let path = write(&scratch, "bad.yml", &bad);
    let ran = run(&["rules", "check", path.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::NothingRead);
    let expect = "8 |         cs-method|begins: GET\n  |         ^^^^^^^^^^^^^^^^\n  = rule: 00000000-0000-0000-0000-000000000001\n";
    assert!(
        ran.stdout.contains("error[modifier-unknown]: the modifier `begins` is not known"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains(expect), "{}", ran.stdout);

    let ran = run(&["rules", "check", "--format", "json", scratch.path().to_str().unwrap()]);
    let shape: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(shape["files"], 2);
    // All of a rule at once, in the order of its lines.
    let told = |at: usize| {
        let one = &shape["diagnostics"][at];
        ["id", "line", "column", "width"].map(|name| one[name].clone())
    };
    assert_eq!(told(0), [json!("status-unknown"), json!(2), json!(1), json!(6)]);
    assert_eq!(told(1), [json!("modifier-unknown"), json!(8), json!(9), json!(16)]);
}

#[test]
fn explain_says_what_holds() {
    let scratch = tempfile::tempdir().unwrap();
    let log = write(
        &scratch,
        "u_ex.log",
        &format!(
            "{IIS}2021-03-04 11:20:05 192.0.2.1 POST /owa/auth/x.aspx - 200 10\r\n2021-03-04 11:20:06 192.0.2.1 GET /owa/ - 200 10\r\n"
        ),
    );
    let rule = write(
        &scratch,
        "rule.yml",
        "title: Posts\nid: 00000000-0000-0000-0000-000000000001\nlogsource: {category: webserver}\ndetection:\n    posted: {cs-method: POST, cs-uri-stem|endswith: .aspx}\n    quiet: {sc-status: 404}\n    condition: posted and not quiet\n",
    );
    let explain = |line: &str, more: &[&str]| {
        let mut arguments = vec![
            "rules",
            "explain",
            rule.to_str().unwrap(),
            "--evidence",
            log.to_str().unwrap(),
            "--line",
            line,
        ];
        arguments.extend(more);
        run(&arguments)
    };
    let yes = explain("3", &[]);
    assert_eq!(yes.exit, Exit::Done, "{}", yes.stderr);
    assert!(yes.stdout.contains("yes cs-method: POST\n"), "{}", yes.stdout);
    let no = explain("4", &[]);
    assert_eq!(no.exit, Exit::FailOn);
    for words in
        ["does not match", "no  cs-method: POST\n", "no  cs-method is `GET`", "no  posted", "yes not"]
    {
        assert!(no.stdout.contains(words), "{words}: {}", no.stdout);
    }
    let shape: Value = serde_json::from_str(&explain("4", &["--format", "json"]).stdout).unwrap();
    assert_eq!(shape[0]["matches"], false);
    assert_eq!(shape[0]["condition"]["what"], "all of");
    assert_eq!(shape[0]["log_source"][0]["holds"], true);
    assert_eq!(explain("9", &[]).exit, Exit::NothingRead);
}

#[test]
fn pipelines_change_rules_on_load() {
    let scratch = tempfile::tempdir().unwrap();
    let log =
        write(&scratch, "u_ex.log", &format!("{IIS}2021-03-04 11:20:05 192.0.2.1 POST /x.aspx - 200 10\r\n"));
    let rule = write(
        &scratch,
        "rule.yml",
        "title: Posts\nid: 00000000-0000-0000-0000-000000000001\nlevel: high\nlogsource: {product: proxyware}\ndetection: {s: {verb: POST}, condition: s}\n",
    );
    let pipeline = write(
        &scratch,
        "pipeline.yml",
        "transformations:\n    - {type: field_name_mapping, mapping: {verb: cs-method}, rule_conditions: [{type: logsource, product: proxyware}]}\n    - {type: change_logsource, category: webserver}\n",
    );
    let rules = ["--no-builtin-rules", "--rules", rule.to_str().unwrap(), "--fail-on", "high"];
    assert_eq!(scan(&[&log], scratch.path(), &rules).0.exit, Exit::Done);
    let piped = [&rules[..], &["--pipeline", pipeline.to_str().unwrap()]].concat();
    assert_eq!(scan(&[&log], scratch.path(), &piped).0.exit, Exit::FailOn);
    let missing = [&rules[..], &["--pipeline", "ecs-nothing"]].concat();
    let (ran, _) = scan(&[&log], scratch.path(), &missing);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.stderr.contains("ecs-windows"), "{}", ran.stderr);
}

const CHAIN: &str = "title: Guessing that came in\nid: 00000000-0000-0000-0000-0000000000c1\nlevel: high\ncorrelation: {type: temporal_ordered, rules: [guessing, came_in], group-by: [c-ip], timespan: 10m}\n---\ntitle: Guessing\nid: 00000000-0000-0000-0000-0000000000c2\nname: guessing\ncorrelation: {type: event_count, rules: [refused], group-by: [c-ip], timespan: 5m, condition: {gte: 3}}\n---\ntitle: Refused\nid: 00000000-0000-0000-0000-0000000000c3\nname: refused\nlogsource: {category: webserver}\ndetection: {s: {sc-status: 401}, condition: s}\n---\ntitle: Came in\nid: 00000000-0000-0000-0000-0000000000c4\nname: came_in\nlogsource: {category: webserver}\ndetection: {s: {sc-status: 200}, condition: s}\n";

/// Lines of `count` refusals of an address from a minute on, and then one that is let in.
fn lines(address: &str, minute: u32, count: u32) -> String {
    let refused =
        (0..count).map(|n| format!("2021-03-04 11:{minute:02}:{n:02} {address} GET /owa/ - 401 10\r\n"));
    let mut text: String = refused.collect();
    text.push_str(&format!("2021-03-04 11:{:02}:00 {address} GET /owa/ - 200 10\r\n", minute + 2));
    text
}

#[test]
fn correlations_go_across_files_and_rest_on_findings() {
    let scratch = tempfile::tempdir().unwrap();
    let rules = write(&scratch, "rules.yml", CHAIN);
    // Two refusals in one file, one more in the other; another address is refused twice only.
    write(
        &scratch,
        "logs/a.log",
        &format!(
            "{IIS}{}",
            "2021-03-04 11:20:00 192.0.2.7 GET /owa/ - 401 10\r\n2021-03-04 11:20:01 192.0.2.7 GET /owa/ - 401 10\r\n"
        ),
    );
    write(
        &scratch,
        "logs/b.log",
        &format!("{IIS}{}{}", lines("192.0.2.7", 21, 1), lines("192.0.2.8", 40, 2)),
    );
    let logs = scratch.path().join("logs");
    let (ran, out) =
        scan(&[&logs], scratch.path(), &["--no-builtin-rules", "--rules", rules.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let findings = json_lines(&out.join("findings.jsonl"));
    let titles: Vec<&str> = findings.iter().map(|own| own["rule_title"].as_str().unwrap()).collect();
    // What nothing rests on is not shown: the address that was refused twice.
    assert_eq!(titles, ["Refused", "Refused", "Refused", "Guessing", "Came in", "Guessing that came in"]);
    let chain = &findings[5];
    assert_eq!(
        (&chain["evidence"], &chain["position"], &chain["level"]),
        (&Value::Null, &Value::Null, &"high".into())
    );
    assert_eq!(chain["fields"]["c-ip"], "192.0.2.7");
    assert_eq!(chain["time"], "2021-03-04T11:23:00Z");
    let mut grounds = vec![findings[3]["id"].clone(), findings[4]["id"].clone()];
    grounds.sort_by_key(ToString::to_string);
    assert_eq!(chain["grounds"], Value::Array(grounds));
    assert_eq!(findings[3]["grounds"].as_array().unwrap().len(), 3);
    // Rules say what they looked at, and how often they were found.
    let used = json(&out.join("rules.json"));
    let of = |id: &str| {
        used["rules"]
            .as_array()
            .unwrap()
            .iter()
            .find(|rule| rule["id"].as_str().unwrap().ends_with(id))
            .unwrap()
            .clone()
    };
    assert_eq!((&of("c1")["findings"], &of("c2")["looks_at"]), (&1.into(), &"event_count of refused".into()));
}

#[test]
fn correlations_are_the_same_on_any_number_of_threads() {
    let scratch = tempfile::tempdir().unwrap();
    let rules = write(
        &scratch,
        "rules.yml",
        &format!(
            "{CHAIN}---\ntitle: Much sent\nid: 00000000-0000-0000-0000-0000000000c5\ncorrelation: {{type: value_sum, rules: [came_in, refused], timespan: 1h, condition: {{field: sc-bytes, gt: 100}}}}\ngenerate: true\n"
        ),
    );
    let mut text = IIS.to_owned();
    for minute in 0..50 {
        text.push_str(&lines(&format!("192.0.2.{}", minute % 7), minute, minute % 5));
    }
    let log = write(&scratch, "u_ex.log", &text);
    let findings = |threads: &str| {
        let more = ["--no-builtin-rules", "--rules", rules.to_str().unwrap(), "--threads", threads];
        let (_, out) = scan(&[&log], scratch.path(), &more);
        fs::read_to_string(out.join("findings.jsonl")).unwrap()
    };
    let one = findings("1");
    assert!(one.contains("Much sent") && one.contains("Guessing that came in"));
    assert_eq!(one, findings("4"));
}

#[test]
fn a_correlation_is_explained_group_by_group() {
    let scratch = tempfile::tempdir().unwrap();
    let rules = write(&scratch, "rules.yml", CHAIN);
    let log = write(
        &scratch,
        "u_ex.log",
        &format!("{IIS}{}{}", lines("192.0.2.7", 21, 3), lines("192.0.2.8", 40, 2)),
    );
    let explain = |log: &str, more: &[&str]| {
        let arguments = ["rules", "explain", rules.to_str().unwrap(), "--evidence", log];
        run(&[&arguments[..], more].concat())
    };
    let log = log.to_str().unwrap();
    let ran = explain(log, &[]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    for words in [
        "wants number of events ≥ 3, within 5 min",
        "refused: 5",
        "yes c-ip `192.0.2.7`: 3 in 2021-03-04T11:21:00Z … 2021-03-04T11:21:02Z",
        "no  c-ip `192.0.2.8`: 2 in 2021-03-04T11:40:00Z … 2021-03-04T11:40:01Z",
        "u_ex.log line 5",
        "wants number of rules seen in their order = 2 (all), within 10 min",
        "holds once",
        "events: guessing 1, came_in 1",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    let shape: Value = serde_json::from_str(&explain(log, &["--format", "json"]).stdout).unwrap();
    assert_eq!(shape[0]["rule_title"], "Guessing");
    assert_eq!(shape[0]["groups"][1]["group"][0], "192.0.2.8");
    assert_eq!((&shape[0]["groups"][1]["holds"], &shape[1]["hits"]), (&false.into(), &1.into()));
    // A log without what groups are made of.
    let other = write(
        &scratch,
        "u_in.log",
        "#Fields: date time cs-method cs-uri-stem sc-status\r\n2021-03-04 11:20:05 GET / 401\r\n",
    );
    let ran = explain(other.to_str().unwrap(), &[]);
    assert_eq!(ran.exit, Exit::FailOn, "{}", ran.stderr);
    let words = "refused: 1; 1 without c-ip (or the condition's field) do not count";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
    assert!(ran.stdout.contains("none: no event counts"), "{}", ran.stdout);
    // A rule alone wants a record.
    let rule = "title: t\nlogsource: {category: webserver}\ndetection: {s: {sc-status: 1}, condition: s}\n";
    let rule = write(&scratch, "rule.yml", rule);
    let ran = run(&["rules", "explain", rule.to_str().unwrap(), "--evidence", log]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.stderr.contains("--record"), "{}", ran.stderr);
}

#[test]
fn rules_are_profiled_when_asked() {
    let scratch = tempfile::tempdir().unwrap();
    let rules = write(&scratch, "rules.yml", CHAIN);
    let log = write(&scratch, "u_ex.log", &format!("{IIS}{}", lines("192.0.2.7", 21, 3)));
    let own = ["--no-builtin-rules", "--rules", rules.to_str().unwrap()];
    let (ran, out) = scan(&[&log], scratch.path(), &[&own[..], &["--profile-rules"]].concat());
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    assert!(ran.stdout.contains("What rules cost (measured"), "{}", ran.stdout);
    let profile = json(&out.join("rules-profile.json"));
    let of = |title: &str| {
        let rules = profile["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["title"] == title).unwrap().clone()
    };
    // Four requests; the file itself is a record, too.
    assert_eq!(profile["records"], 5);
    assert_eq!(of("Refused")["matched"], 3);
    assert_eq!(of("Came in")["matched"], 1);
    for title in ["Refused", "Came in"] {
        let tried = of(title)["tried"].as_u64().unwrap();
        assert!((of(title)["matched"].as_u64().unwrap()..=4).contains(&tried), "{title}: {tried}");
    }
    // The findings are the same as without, and an older profile does not stay.
    let found = fs::read_to_string(out.join("findings.jsonl")).unwrap();
    let (ran, out) = scan(&[&log], scratch.path(), &own);
    assert!(!ran.stdout.contains("What rules cost"), "{}", ran.stdout);
    assert!(!out.join("rules-profile.json").exists());
    assert_eq!(found, fs::read_to_string(out.join("findings.jsonl")).unwrap());
}

#[test]
fn logs_that_no_rule_looks_at_are_named() {
    let scratch = tempfile::tempdir().unwrap();
    let rule = "title: t\nid: 00000000-0000-0000-0000-000000000001\nlogsource: {product: windows, service: security}\ndetection: {s: {EventID: 1}, condition: s}\n";
    let rules = write(&scratch, "rules.yml", rule);
    let events = "{\"Channel\": \"Security\", \"EventID\": 4624, \"Hostname\": \"srv1.example.org\", \"@timestamp\": \"2021-03-04T10:00:00Z\"}\n";
    let other = events.replace("Security", "Setup");
    write(&scratch, "logs/events.json", &format!("{events}{other}{other}"));
    write(&scratch, "logs/u_ex.log", &format!("{IIS}{}", lines("192.0.2.7", 21, 3)));
    let own = ["--no-builtin-rules", "--rules", rules.to_str().unwrap()];
    let (ran, out) = scan(&[&scratch.path().join("logs")], scratch.path(), &own);
    assert!(ran.stdout.contains("no rule looks at 2 logs (records): iis (4), setup (2)"), "{}", ran.stdout);
    let coverage = json(&out.join("coverage.json"));
    let rules_of = |log: &str| {
        let logs = coverage["logs"].as_array().unwrap();
        logs.iter().find(|own| own["log"] == log && own["part"] == "").unwrap()["rules"].clone()
    };
    assert_eq!([rules_of("security"), rules_of("setup"), rules_of("iis")], [1, 0, 0].map(Value::from));
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains(">none<"), "the table of logs says so");
}
