//! `--indicators`: what is found, what is said of it, and what does not follow from it.

use crate::{json, json_lines, logs, run, scan};
use assay::Exit;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const HEADER: &str = "indicator,type,actor,date,source\n";

/// Evidence with a log and an unknown file, and two lists, below `scratch`.
fn evidence(scratch: &Path) -> (PathBuf, [String; 2]) {
    let evidence = scratch.join("evidence");
    logs::put(&evidence, "u_ex.log", logs::iis(0..30));
    logs::put(&evidence, "C/inetpub/wwwroot/aspnet_client/discover.aspx", "a page that means nothing");
    logs::put(&evidence, "C/Windows/Temp/tool.bin", "assay");
    let list = |name: &str, text: String| {
        logs::put(scratch, name, text);
        scratch.join(name).to_str().expect("UTF-8 path").to_owned()
    };
    let one = list(
        "one.csv",
        // MD5 and SHA-1 of the five bytes of tool.bin.
        format!(
            "{HEADER}192.0.2.1,ip,Actor One,2021-03-02,report 1\n\
             C:\\inetpub\\wwwroot\\aspnet_client\\discover.aspx,filepath,,2021-03-09,\n\
             {MD5},md5,,,\n{SHA1},sha1,,,\nsomething,regkey,,,\nzz,sha256,,,\n"
        ),
    );
    let two = list("two.csv", format!("{HEADER}192[.]0[.]2[.]1,ip,Actor Two,2021-03-01,report 2\n"));
    (evidence, [one, two])
}

const MD5: &str = "0ecdc799d4744a313e5c339f661c55ef";
const SHA1: &str = "d7829fc5f1ec890335ac5dd339b771d183d613a2";

fn of_rule<'f>(findings: &'f [Value], rule: &str) -> Vec<&'f Value> {
    findings.iter().filter(|finding| finding["rule_id"] == rule).collect()
}

#[test]
fn findings_say_where_an_indicator_comes_from() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (evidence, [one, two]) = evidence(scratch.path());
    let (ran, case) = scan(&[&evidence], scratch.path(), &["--indicators", &two, "--indicators", &one]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    assert!(ran.stderr.contains("no hash of 64 hex digits: zz"), "{}", ran.stderr);
    assert!(ran.stdout.contains(" · 5 indicators"), "{}", ran.stdout);

    let findings = json_lines(&case.join("findings.jsonl"));
    let address = of_rule(&findings, "indicator:address:192.0.2.1");
    assert_eq!(address.len(), 30, "each record with it");
    let fields = &address[0]["fields"];
    assert_eq!(address[0]["rule_title"], "Indicator address 192.0.2.1 (shared by Actor One, Actor Two)");
    assert_eq!(
        (&fields["IndicatorDate"], &fields["IndicatorShared"]),
        (&"2021-03-01".into(), &"yes: 2 actors are named".into())
    );
    assert_eq!(fields["IndicatorSource"][1], format!("{two}; report 2; dated 2021-03-01; actors Actor Two"));
    assert_eq!((&fields["c-ip"], &fields["cs-uri-stem"]), (&"192.0.2.1".into(), &"/owa/".into()));
    let file = of_rule(&findings, "indicator-file:path:c:\\inetpub\\wwwroot\\aspnet_client\\discover.aspx");
    assert_eq!(file.len(), 1);
    assert_eq!(file[0]["fields"]["Path"], "C:\\inetpub\\wwwroot\\aspnet_client\\discover.aspx");
    assert_eq!(of_rule(&findings, &format!("indicator-file:md5:{MD5}")).len(), 1);
    assert_eq!(of_rule(&findings, &format!("indicator-file:sha1:{SHA1}")).len(), 1);

    let files = json(&case.join("case.json"))["indicators"].clone();
    assert_eq!(
        (&files[0]["file"], &files[0]["loaded"], &files[0]["not_loaded"]),
        (&one.into(), &4.into(), &1.into())
    );
    assert_eq!(files[0]["left_out"], serde_json::json!([{"reason": "kind `regkey`", "count": 1}]));
    assert_eq!((&files[1]["format"], &files[1]["loaded"]), (&"csv".into(), &1.into()));
    let notes = &json(&case.join("run.json"))["indicators_not_loaded"];
    assert_eq!((&notes[0]["line"], notes.as_array().map(Vec::len)), (&7.into(), Some(1)));
}

#[test]
fn a_hit_alone_answers_nothing() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (evidence, [one, two]) = evidence(scratch.path());
    let answers = |more: &[&str]| {
        let (_, case) = scan(&[&evidence], scratch.path(), more);
        let answers = json(&case.join("answers.json"));
        let words = |answer: &Value| (answer["question_id"].to_string(), answer["answer"].to_string());
        answers.as_array().expect("answers").iter().map(words).collect::<Vec<_>>()
    };
    let without = answers(&[]);
    assert!(!without.is_empty());
    assert_eq!(answers(&["--indicators", &one, "--indicators", &two]), without);
}

#[test]
fn order_and_threads_do_not_show() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (evidence, [one, two]) = evidence(scratch.path());
    let bytes = |files: [&String; 2], threads: &str| {
        let more = ["--indicators", files[0], "--indicators", files[1], "--threads", threads];
        let (_, case) = scan(&[&evidence], scratch.path(), &more);
        ["case.json", "findings.jsonl", "coverage.json"].map(|name| fs::read(case.join(name)).expect(name))
    };
    let wanted = bytes([&one, &two], "1");
    assert!(bytes([&two, &one], "2") == wanted);
}

#[test]
fn a_flood_of_hits_is_counted() {
    let scratch = tempfile::tempdir().expect("a folder");
    let log = logs::iis(std::iter::repeat_n(5, 25_000));
    logs::put(scratch.path(), "u_ex.log", &log);
    logs::put(scratch.path(), "list.txt", "192.0.2.1\n");
    let list = scratch.path().join("list.txt");
    let more = ["--indicators", list.to_str().expect("UTF-8 path"), "--no-builtin-rules"];
    let (ran, case) = scan(&[&scratch.path().join("u_ex.log")], scratch.path(), &more);
    assert_eq!(ran.exit, Exit::Done, "what is counted is no loss");
    let findings = json_lines(&case.join("findings.jsonl"));
    assert_eq!(of_rule(&findings, "indicator:address:192.0.2.1").len(), 10_000);
    let problem = &json(&case.join("coverage.json"))["items"][0]["problems"][0];
    assert_eq!(problem["found"], "15000 more records with indicator:address:192.0.2.1; counted only");
    let line = log.match_indices("192.0.2.1").nth(10_000).expect("as many").0;
    let offset = log[..line].rfind('\n').expect("a line before") + 1;
    assert_eq!(problem["offset"], offset, "the first that became no finding");
}

#[test]
fn a_file_that_is_not_there_is_a_fault() {
    let scratch = tempfile::tempdir().expect("a folder");
    logs::put(scratch.path(), "u_ex.log", logs::iis(0..1));
    let log = scratch.path().join("u_ex.log");
    let ran = run(&["scan", log.to_str().expect("UTF-8 path"), "--indicators", "no/such/list"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.stderr.contains("--indicators no/such/list"), "{}", ran.stderr);
}
