//! Layouts, archives, losses and gaps, as `case.json` and `coverage.json` show them.

use crate::logs::{event, httpproxy, iis, put, zip};
use crate::{json, scan, workspace};
use assay::Exit;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Scans `evidence` in `scratch`; gives how it ended, `case.json`, `coverage.json`.
fn cover(evidence: &Path, scratch: &Path) -> (Exit, Value, Value) {
    let (ran, out) = scan(&[evidence], scratch, &[]);
    (ran.exit, json(&out.join("case.json")), json(&out.join("coverage.json")))
}

/// `[path below the evidence, records, kinds of problems, kinds of gaps]` of each item.
fn items(evidence: &Path, coverage: &Value) -> Vec<String> {
    let root = format!("{}/", evidence.display());
    let kinds = |list: &Value| -> Vec<String> {
        let kinds = list.as_array().unwrap().iter();
        kinds.map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
    };
    let item = |item: &Value| {
        let path = item["evidence"].as_str().unwrap().replacen(&root, "", 1);
        let told: Vec<String> = [kinds(&item["problems"]), kinds(&item["gaps"])].concat();
        format!("{path}: {} {}", item["records"], told.join(" ")).trim_end().to_owned()
    };
    coverage["items"].as_array().unwrap().iter().map(item).collect()
}

#[track_caller]
fn check(files: &[(&str, &[u8])], exit: Exit, expect: &[&str]) {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    files.iter().for_each(|(path, bytes)| put(&evidence, path, bytes));
    let (ended, _, coverage) = cover(&evidence, scratch.path());
    assert_eq!(items(&evidence, &coverage), expect);
    assert_eq!(ended, exit);
}

#[test]
fn layouts_of_collectors() {
    let (iis, proxy) = (iis([1]), httpproxy("MXS01"));
    let inside = zip(&[
        ("uploads/auto/C%3A/inetpub/logs/LogFiles/W3SVC1/u_ex210301.log", iis.as_bytes()),
        ("uploads/auto/C%3A/Windows/System32/winevt/Logs/Microsoft-Windows-Sysmon%254Operational.evtx", b"x"),
    ]);
    check(
        &[
            ("elc/ECP_Proxy_Logs/HttpProxy_1.LOG", proxy.as_bytes()),
            ("flat.txt", crate::logs::iis([1, 2]).as_bytes()),
            ("kape/C/inetpub/u_ex.evtx", crate::logs::iis([1, 2, 3]).as_bytes()),
            ("velociraptor.zip", &inside),
        ],
        Exit::Done,
        &[
            "elc/ECP_Proxy_Logs/HttpProxy_1.LOG: 2",
            "flat.txt: 2",
            "kape/C/inetpub/u_ex.evtx: 3",
            "velociraptor.zip!uploads/auto/C%3A/Windows/System32/winevt/Logs/Microsoft-Windows-Sysmon%254Operational.evtx: 0",
            "velociraptor.zip!uploads/auto/C%3A/inetpub/logs/LogFiles/W3SVC1/u_ex210301.log: 1",
        ],
    );
}

#[test]
fn archives_nest_once_and_hold_their_members() {
    let log = iis([1]);
    let third = zip(&[("c.log", log.as_bytes())]);
    let second = zip(&[("third.zip", &third), ("../../b.log", iis([1, 2]).as_bytes())]);
    let first = zip(&[("second.zip", &second), ("a!.log", iis([1, 2, 3]).as_bytes())]);
    check(
        &[("first.zip", &first)],
        Exit::Losses,
        &[
            "first.zip!a%21.log: 3",
            "first.zip!second.zip!%2E%2E/%2E%2E/b.log: 2",
            "first.zip!second.zip!third.zip: 0 limit",
        ],
    );
}

#[test]
fn a_bomb_ends_at_its_limit_and_the_rest_goes_on() {
    let log = iis([1]);
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("bomb", zip::write::SimpleFileOptions::default().large_file(true)).unwrap();
    let zeros = vec![0; 16 << 20];
    // 1 GiB is free, whatever its ratio; 200 to one beyond.
    (0..96).for_each(|_| std::io::Write::write_all(&mut writer, &zeros).unwrap());
    writer.start_file("u_ex.log", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut writer, log.as_bytes()).unwrap();
    let bomb = writer.finish().unwrap().into_inner();
    let expect = ["after.log: 1", "bomb.zip!bomb: 0 limit"];
    check(&[("bomb.zip", &bomb), ("after.log", log.as_bytes())], Exit::Losses, &expect);
}

#[test]
fn identical_files_are_one_item_counted_once() {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    put(&evidence, "b/HttpProxy.log", httpproxy("MXS01"));
    put(&evidence, "a/HttpProxy.log", httpproxy("MXS01"));
    let (_, case, coverage) = cover(&evidence, scratch.path());
    let paths = case["evidence"][0]["paths"].as_array().unwrap();
    assert_eq!((case["evidence"].as_array().unwrap().len(), paths.len()), (1, 2));
    assert!(paths[0].as_str().unwrap().ends_with("/a/HttpProxy.log"));
    assert_eq!(items(&evidence, &coverage), ["a/HttpProxy.log: 2"]);
    let findings = crate::json_lines(&scratch.path().join("case/findings.jsonl"));
    assert_eq!(findings.len(), 2, "one for each record");
}

#[test]
fn silent_hours_are_gaps_of_hourly_logs_only() {
    let log = |hours: Vec<u32>| iis(hours).into_bytes();
    check(
        &[
            ("hole.log", &log((0..48).filter(|hour| !(20..23).contains(hour)).collect())),
            ("long.log", &log((0..24).chain(72..96).collect())),
            ("office.log", &log((0..9).flat_map(|day| (8..18).map(move |hour| day * 24 + hour)).collect())),
        ],
        Exit::Done,
        &["hole.log: 45 silent-hours", "long.log: 48 silent-hours", "office.log: 90"],
    );
}

#[test]
fn cleared_logs_are_told() {
    const EVENTLOG: &str = "Microsoft-Windows-Eventlog";
    let mut log = event("Security", "MXS01", "x", 4624, 1);
    log.push_str(&event("Security", "MXS01", EVENTLOG, 1102, 5));
    // Another provider's event of that number clears nothing.
    let other = event("Application", "MXS01", "Some Service", 1102, 1);
    check(
        &[("a.json", log.as_bytes()), ("b.json", other.as_bytes())],
        Exit::Done,
        &["a.json: 2 cleared", "b.json: 1"],
    );
}

#[test]
fn a_log_that_was_cleared_is_not_there_by_that() {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    let cleared = event("System", "MXS01", "Microsoft-Windows-Eventlog", 104, 5)
        .replace("\"EventData\":{}", "\"UserData\":{\"LogFileCleared\":{\"Channel\":\"Application\"}}");
    put(&evidence, "System.json", cleared);
    let (_, _, coverage) = cover(&evidence, scratch.path());
    assert_eq!(items(&evidence, &coverage), ["System.json: 1 cleared"]);
    let logs = coverage["logs"].as_array().unwrap();
    assert!(logs.iter().all(|log| log["log"] == "system"), "{}", coverage["logs"]);
}

#[test]
fn the_gaps_of_a_tampered_server() {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    for (path, bytes) in range::scenario("logs-cleared", 3).unwrap().files {
        put(&evidence, &path, bytes);
    }
    let (_, _, coverage) = cover(&evidence, scratch.path());
    let kinds_of = |log: &str| {
        let logs = coverage["logs"].as_array().unwrap().iter();
        let whole = logs.filter(|one| one["log"] == log && one["part"] == "");
        let gaps = whole.flat_map(|one| one["gaps"].as_array().unwrap());
        gaps.map(|gap| gap["kind"].as_str().unwrap()).collect::<std::collections::BTreeSet<_>>()
    };
    assert!(kinds_of("security").contains("cleared"), "{:?}", kinds_of("security"));
    assert!(kinds_of("system").contains("cleared"), "{:?}", kinds_of("system"));
    assert!(kinds_of("httpproxy").contains("silent-hours"), "{:?}", kinds_of("httpproxy"));
}

/// Event logs of the example: a header of 4 KiB, then chunks of 64 KiB.
fn event_log(name: &str) -> Vec<u8> {
    let logs = workspace().join("examples/exchange-2021/MXS01/C/Windows/System32/winevt/Logs");
    fs::read(logs.join(name)).unwrap()
}

#[test]
fn damaged_event_logs_give_what_is_there_and_count_the_loss() {
    const HEADER: usize = 4_096;
    const CHUNK: usize = 65_536;
    let whole = event_log("Microsoft-Windows-Sysmon%4Operational.evtx");
    let mut wiped = whole.clone();
    wiped[HEADER + CHUNK..HEADER + 2 * CHUNK].fill(0);
    let mut headless = whole.clone();
    headless[..HEADER].fill(0);
    let cut = &whole[..HEADER + CHUNK + CHUNK / 3];

    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    let files: [(&str, &[u8]); 4] =
        [("cut", cut), ("headless", &headless), ("whole", &whole), ("wiped", &wiped)];
    files.iter().for_each(|(name, bytes)| put(&evidence, name, bytes));
    let (exit, _, coverage) = cover(&evidence, scratch.path());
    assert_eq!(exit, Exit::Losses);
    let item = |index: usize| &coverage["items"][index];
    let records = |index: usize| item(index)["records"].as_u64().unwrap();
    let kinds = |index: usize| {
        let problems = item(index)["problems"].as_array().unwrap().iter();
        problems.map(|problem| problem["kind"].as_str().unwrap()).collect::<Vec<_>>()
    };
    let lost = |index: usize| {
        let problems = item(index)["problems"].as_array().unwrap().iter();
        problems.filter_map(|problem| problem["records_lost"].as_u64()).sum::<u64>()
    };
    let all = records(2);
    assert!(kinds(2).is_empty());
    assert_eq!((records(0) + lost(0), kinds(0)), (all, vec!["truncated", "truncated"]));
    assert_eq!((records(1), lost(1), kinds(1)), (all, 0, vec!["bad-file-header"]));
    assert_eq!((records(3) + lost(3), kinds(3)), (all, vec!["bad-chunk"]));
    assert_eq!(item(3)["gaps"][0]["kind"], "record-jump");
}

#[test]
fn an_empty_log_is_there_and_a_missing_one_is_not() {
    let whole = event_log("Security.evtx");
    let mut empty = whole[..4_096].to_vec();
    empty[16..32].fill(0);
    empty[24] = 1; // the next record
    empty[42..44].fill(0); // chunks
    empty[120] = 1; // still open: its checksum does not count
    check(&[("Security.evtx", &empty)], Exit::Done, &["Security.evtx: 0"]);
}

#[test]
fn text_logs_keep_their_good_lines() {
    let changed = "#Software: Microsoft Internet Information Services 10.0\n#Date: 2021-03-04 00:00:00\n#Fields: time \
                   cs-uri-stem\n01:00:00 /a\n#Fields: date time c-ip cs-uri-stem\n2021-03-05 01:00:00 192.0.2.1 /b\n\
                   2021-03-05 01:00:00 192.0.2.1\n";
    let undated =
        "#Software: Microsoft Internet Information Services 10.0\n#Fields: time cs-uri-stem\n01:00:00 /a\n";
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend(event("Security", "A", "x", 1, 1).bytes());
    let mut huge = iis([1]).into_bytes();
    huge.extend(vec![b'x'; 5 << 20]);
    huge.extend(b"\n2021-03-01 02:20:05 192.0.2.1 GET /owa/ - 200\n");
    check(
        &[
            ("bom.json", &marked),
            ("changed.log", changed.as_bytes()),
            ("huge.log", &huge),
            ("undated.log", undated.as_bytes()),
            ("utf16.txt", b"\xff\xfeh\0i\0"),
        ],
        Exit::Losses,
        &["bom.json: 1", "changed.log: 3 bad-record", "huge.log: 2 limit", "undated.log: 1", "utf16.txt: 0"],
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_told_and_names_are_escaped() {
    use std::os::unix::ffi::OsStrExt as _;
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    put(&evidence, "x\u{1b}[31m<b>.log", httpproxy("MXS01"));
    fs::write(evidence.join(std::ffi::OsStr::from_bytes(b"n\xff!.log")), iis([1])).unwrap();
    std::os::unix::fs::symlink(".", evidence.join("loop")).unwrap();
    drop(std::os::unix::net::UnixListener::bind(evidence.join("socket")).unwrap());
    let (ran, out) = scan(&[&evidence], scratch.path(), &[]);
    assert_eq!(ran.exit, Exit::Losses);
    let coverage = json(&out.join("coverage.json"));
    assert_eq!(items(&evidence, &coverage), ["n%FF%21.log: 1", "x\u{1b}[31m<b>.log: 2"]);
    let unread: Vec<&str> = coverage["unread"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["problem"]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(unread, ["symlink", "not-a-file"]);
    let escape = '\u{1b}';
    assert!(!ran.stdout.contains(escape), "{}", ran.stdout);
    for file in ["report.html", "timeline.csv"] {
        let text = fs::read_to_string(out.join(file)).unwrap();
        assert!(!text.contains(escape) && !text.contains("[31m<b>.log</"), "{file}");
    }
}
