//! Each question, each answer.

use super::sketch::{Sketch, answer, answer_on, at, check, check_in};
use model::{EvidenceId, GapKind, ItemCoverage, LogCoverage, Problem, Span};

const A: &str = "ClientIpAddress=203.0.113.7";
const B: &str = "ClientIpAddress=198.51.100.66";
const FILE: &str =
    r"TargetFilename=C:\Program Files\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\owa\auth\x.aspx";
const PAGE: &str = "cs-uri-stem=/owa/auth/x.aspx";

#[test]
fn a_clean_server() {
    check(
        &[],
        &[
            "vulnerable: cannot-tell",
            "probed: no-trace",
            "exploited: no-trace",
            "proxyshell: no-trace",
            "proxytoken: no-trace",
            "proxynotshell: no-trace",
            "owassrf: no-trace",
            "cve-2020-0688: no-trace",
            "cve-2021-42321: no-trace",
            "web-shell-written: no-trace",
            "web-shell-used: no-trace",
            "credentials-taken: no-trace",
            "mail-taken: no-trace",
            "persistence: no-trace",
            "lateral-movement: no-trace",
            "exfiltration: no-trace",
            "still-in: no-trace",
            "logs-tampered: no-trace",
        ],
    );
    let case = Sketch::full().assess();
    assert_eq!(case.verdicts[0].headline, "no trace of a breach");
    assert!(answer(&case, "still-in").text.contains("does not mean that they are out"));
    assert!(case.intrusions.is_empty());
}

#[test]
fn probed() {
    for step in ["ssrf-refused", "ssrf-reached", "ssrf-unrated", "backend-cookie", "probe"] {
        check(&[&format!("04T11:20:05 {step} {A}")], &["probed: yes 04T11:20:05 … 04T11:20:05 by 1"]);
    }
    check(
        &[&format!("04T11:20:05 ssrf-refused {A}")],
        &["exploited: no-trace", "still-in: no-trace", "web-shell-used: no-trace"],
    );
    let case = Sketch::full().findings(&[&format!("04T11:20:05 ssrf-refused {A}")]).assess();
    assert_eq!(case.verdicts[0].headline, "probed, not breached by what can be seen");
    assert!(case.intrusions.is_empty());
    assert_eq!(answer(&case, "probed").text, "1 record from 203.0.113.7");
}

#[test]
fn exploited_by_what_was_reached() {
    check(&[&format!("04T11:20:05 ssrf-reached {A}")], &["exploited: likely"]);
    for effect in ["vdir-set", "oab-write", "shell-file", "ecp-session"] {
        let lines = [format!("04T11:20:05 ssrf-reached {A}"), format!("04T11:30:05 {effect} x=y")];
        check(&lines.each_ref().map(String::as_str), &["exploited: yes 04T11:20:05 … 04T11:30:05 by 1 2"]);
        let lines = [format!("04T11:20:05 ssrf-reached {A}"), format!("04T11:30:06 {effect} x=y")];
        check(&lines.each_ref().map(String::as_str), &["exploited: likely"]);
    }
    check(&["04T11:20:05 vdir-reset x=y"], &["exploited: yes", "web-shell-written: likely"]);
    check(&["04T11:20:05 ews-over-ssrf x=y"], &["exploited: yes", "mail-taken: yes"]);
    check(&["04T11:20:05 vdir-set x=y"], &["exploited: likely", "web-shell-written: likely"]);
    check(&["04T11:20:05 oab-write x=y"], &["exploited: likely", "web-shell-written: likely"]);
    check(&["04T11:20:05 ssrf-refused x=y", "04T11:25:00 vdir-set x=y"], &["exploited: yes"]);
}

#[test]
fn exploited_by_targets_where_no_status_was_logged() {
    let two = |second: &str, time: &str| {
        let lines =
            [format!("04T11:20:05 ssrf-unrated+ssrf-target-autodiscover {A}"), format!("{time} {second}")];
        Sketch::full().findings(&lines.each_ref().map(String::as_str))
    };
    let mapi = |source: &str| format!("ssrf-unrated+ssrf-target-mapi {source}");
    check_in(two(&mapi(A), "04T11:30:05"), &["exploited: likely 04T11:20:05 … 04T11:30:05 by 1 2"]);
    // Nobody logged what came of it.
    check_in(two(&mapi(A), "04T11:30:06"), &["exploited: cannot-tell 04T11:20:05 … 04T11:30:06 by 1 2"]);
    check_in(two(&mapi(B), "04T11:22:05"), &["exploited: cannot-tell"]);
    let same = format!("ssrf-unrated+ssrf-target-autodiscover {A}");
    check_in(two(&same, "04T11:22:05"), &["exploited: cannot-tell", "probed: yes"]);
    // The target may be another rule's word on the same record.
    let lines = [
        format!("04T11:20:05 ssrf-unrated {A} | record=70"),
        format!("04T11:20:05 ssrf-target-autodiscover {A} | record=70"),
        format!("04T11:21:05 ssrf-unrated {A} | record=71"),
        format!("04T11:21:05 ssrf-target-proxylogon {A} | record=71"),
    ];
    check(&lines.each_ref().map(String::as_str), &["exploited: likely"]);
}

#[test]
fn exploited_over_unified_messaging() {
    check(&["04T11:20:05 um-error x=y"], &["exploited: likely"]);
    check(&["04T11:20:05 um-child x=y"], &["exploited: likely"]);
    check(
        &["04T11:20:05 um-error x=y", "04T11:28:05 um-child x=y"],
        &["exploited: yes 04T11:20:05 … 04T11:28:05 by 1 2"],
    );
    check(&["04T11:20:05 um-error x=y", "04T11:30:06 um-child x=y"], &["exploited: likely"]);
}

#[test]
fn exploited_names_the_holes_in_their_order() {
    let lines = [format!("04T11:20:05 ssrf-reached {A}"), "04T11:25:05 vdir-reset x=y".to_owned()];
    let case = Sketch::full().findings(&lines.each_ref().map(String::as_str)).assess();
    assert_eq!(answer(&case, "exploited").text, "CVE-2021-26855, then CVE-2021-27065, from 203.0.113.7");
    assert_eq!(case.verdicts[0].headline, "BREACHED: Exchange, chain of March 2021");
}

#[test]
fn web_shells() {
    check(
        &[&format!("04T11:20:05 shell-file {FILE}")],
        &["web-shell-written: yes", "persistence: yes", "web-shell-used: no-trace"],
    );
    check(
        &["04T11:20:05 vdir-set x=y", "04T11:30:05 vdir-reset x=y"],
        &["web-shell-written: yes 04T11:20:05 … 04T11:30:05 by 1 2", "persistence: yes"],
    );
    check(&["04T11:20:05 vdir-set x=y", "04T11:30:06 vdir-reset x=y"], &["web-shell-written: likely"]);
    check(&["04T11:20:05 shell-compiled x=y"], &["web-shell-written: likely", "web-shell-used: likely"]);
    check(
        &[&format!("04T11:20:05 shell-request {PAGE}")],
        &["web-shell-used: likely", "web-shell-written: no-trace"],
    );
    check(&["04T11:20:05 shell-child x=y"], &["web-shell-used: yes"]);
    check(
        &[&format!("02T11:20:05 shell-file {FILE}"), &format!("09T11:20:05 shell-request {PAGE}")],
        &[
            "web-shell-used: yes 09T11:20:05 … 09T11:20:05 by 2",
            "web-shell-written: yes 02T11:20:05 … 02T11:20:05 by 1",
        ],
    );
    check(
        &[&format!("09T11:20:06 shell-file {FILE}"), &format!("09T11:20:05 shell-request {PAGE}")],
        &["web-shell-used: likely"],
    );
    check(
        &[
            &format!("02T11:20:05 shell-file {FILE}"),
            "09T11:20:05 shell-request cs-uri-stem=/owa/auth/y.aspx",
        ],
        &["web-shell-used: likely"],
    );
}

#[test]
fn what_an_intruder_takes_and_leaves() {
    for (step, answers) in [
        ("lsass-dump", "credentials-taken: yes"),
        ("credential-store", "credentials-taken: yes"),
        ("mailbox-export", "mail-taken: likely"),
        ("mail-access", "mail-taken: likely"),
        ("archive-staged", "exfiltration: likely"),
        ("archive-fetched", "exfiltration: yes"),
        ("upload", "exfiltration: likely"),
        ("account-added", "persistence: likely"),
        ("service-added", "persistence: yes"),
        ("task-added", "persistence: yes"),
        ("autorun-added", "persistence: yes"),
        ("transport-agent", "persistence: likely"),
        ("remote-execution", "lateral-movement: yes"),
        ("remote-logon", "lateral-movement: likely"),
        ("log-cleared", "logs-tampered: yes"),
        ("log-tamper", "logs-tampered: yes"),
        ("discovery", "exploited: no-trace"),
    ] {
        check(&[&format!("04T11:20:05 {step} x=y")], &[answers]);
    }
    // What administrators do, too, weighs more where an intruder is at work; whose acts are no grounds of it.
    for (step, answer) in [("mailbox-export", "mail-taken"), ("account-added", "persistence")] {
        let line = format!("04T23:20:05 {step} x=y");
        let near = format!("{answer}: yes 04T23:20:05 … 04T23:20:05 by 2");
        check(&["04T11:20:05 shell-child x=y", &line], &[&near]);
        check(&["03T23:20:04 shell-child x=y", &line], &[&format!("{answer}: likely")]);
    }
    check(&["04T11:20:05 archive-staged x=y", "09T11:20:05 upload x=y"], &["exfiltration: yes"]);
    check(&["09T11:20:05 archive-staged x=y", "04T11:20:05 upload x=y"], &["exfiltration: likely"]);
}

#[test]
fn rules_of_others_count_by_technique() {
    let line = |level: &str, technique: &str| {
        format!("04T11:20:05 - rule.level={level} | rule.technique={technique}")
    };
    check(&[&line("high", "T1003.001")], &["credentials-taken: likely", "web-shell-used: no-trace"]);
    check(&[&line("critical", "T1505.003")], &["web-shell-used: likely"]);
    check(&[&line("medium", "T1003.001")], &["credentials-taken: no-trace"]);
    check(&[&line("high", "T10031")], &["credentials-taken: no-trace"]);
    check(&[&line("high", "T1021.002")], &["lateral-movement: likely"]);
    check(&[&line("high", "T1070.001")], &["logs-tampered: likely"]);
    // A step says more than a technique.
    let both = format!("04T11:20:05 discovery {}", "rule.technique=T1003.001");
    check(&[&both], &["credentials-taken: no-trace"]);
}

#[test]
fn still_in() {
    check(&["09T23:59:59 lsass-dump x=y"], &["still-in: yes 09T23:59:59 … 09T23:59:59 by 1"]);
    check(&["09T23:59:58 lsass-dump x=y"], &["still-in: no-trace"]);
    check(&["10T12:00:00 probe x=y"], &["still-in: no-trace"]);
    check(&["10T12:00:00 ssrf-refused x=y"], &["still-in: no-trace"]);
    check(&["10T12:00:00 - rule.technique=T1003"], &["still-in: likely"]);
    let written = format!("04T11:20:05 shell-file {FILE}");
    check(&[&written], &["still-in: likely 04T11:20:05 … 04T11:20:05 by 1"]);
    let removed = format!("05T11:20:05 shell-removed {FILE}");
    check(&[&written, &removed], &["still-in: no-trace"]);
    check(&[&removed, &format!("06T11:20:05 shell-file {FILE}")], &["still-in: likely"]);
    let other = removed.replace("x.aspx", "y.aspx");
    check(&[&written, &other], &["still-in: likely"]);
    // The reset that wrote the file does not name it.
    check(
        &["04T11:20:01 vdir-reset x=y", &written, &removed],
        &["still-in: no-trace", "web-shell-written: yes"],
    );
    check_in(Sketch::full().without("iis").without("httpproxy"), &["still-in: cannot-tell"]);
}

#[test]
fn vulnerable_from_to() {
    let sketch = Sketch::full().build("15.1.2106.2", "01T00:00:00", "05T01:00:00");
    check_in(sketch, &["vulnerable: yes"]);
    let sketch = Sketch::full().build("15.1.2106.2", "01T00:00:00", "05T01:00:00").build(
        "15.01.2176.009",
        "05T03:00:00",
        "10T00:00:00",
    );
    let case = sketch.assess();
    let found = answer(&case, "vulnerable");
    assert_eq!(found.answer.as_str(), "yes");
    assert_eq!((found.span.first, found.span.last), (Some(at("01T00:00:00")), Some(at("05T01:00:00"))));
    assert_eq!(
        found.text,
        "by build 15.1.2106.2 (Exchange 2016 CU18; fixed from 15.1.2106.13 on), seen 2021-03-01 00:00:00Z … \
         2021-03-05 01:00:00Z; fixed by 15.1.2176.9, first seen 2021-03-05 03:00:00Z"
    );
    let fixed = Sketch::full().build("15.2.858.5", "01T00:00:00", "05T01:00:00");
    check_in(fixed, &["vulnerable: no-trace"]);
    let unknown = Sketch::full().build("15.0.0.0", "01T00:00:00", "05T01:00:00");
    check_in(unknown, &["vulnerable: cannot-tell"]);
    assert!(
        case.answers.iter().all(|answer| answer.intrusion.is_none() || answer.question_id != "vulnerable")
    );
}

#[test]
fn nothing_is_told_without_the_logs() {
    check_in(
        Sketch::full().without("httpproxy"),
        &[
            "exploited: cannot-tell",
            "probed: cannot-tell",
            "web-shell-used: no-trace",
            "mail-taken: cannot-tell",
        ],
    );
    check_in(Sketch::full().without("iis"), &["web-shell-used: cannot-tell", "exfiltration: cannot-tell"]);
    check_in(
        Sketch::full().without("security"),
        &["persistence: cannot-tell", "credentials-taken: no-trace"],
    );
    let sysmon = "microsoft-windows-sysmon/operational";
    check_in(Sketch::full().without(sysmon), &["credentials-taken: no-trace", "web-shell-written: no-trace"]);
    let neither = Sketch::full().without(sysmon).log("security", "4688", |log| log.records = 0);
    let case = neither.assess();
    let found = answer(&case, "credentials-taken");
    assert_eq!(found.answer.as_str(), "cannot-tell");
    assert!(found.text.contains("holds none"), "{}", found.text);
    assert!(found.next.iter().any(|next| next.contains("get Sysmon's log from")), "{:?}", found.next);
    assert!(found.grounds.is_empty());
}

#[test]
fn a_field_that_is_not_filled_shows_nothing() {
    let sysmon = "microsoft-windows-sysmon/operational";
    let names_only = Sketch::full().without(sysmon).log("security", "4688", |log| {
        log.filled.remove("CommandLine");
    });
    let case = names_only.assess();
    let found = answer(&case, "credentials-taken");
    assert_eq!(found.answer.as_str(), "cannot-tell");
    assert!(found.text.contains("CommandLine is filled in 0 of 1000 records only"), "{}", found.text);
    let old = Sketch::full().log("httpproxy", "", |log| {
        log.filled.remove("AnchorMailbox");
    });
    check_in(old, &["exploited: cannot-tell"]);
    let rare = Sketch::full().log("httpproxy", "", |log| {
        log.filled.insert("AnchorMailbox".into(), 1);
    });
    check_in(rare, &["exploited: no-trace"]);
}

#[test]
fn empty_is_not_missing() {
    let text = |sketch: Sketch| answer(&sketch.assess(), "exploited").text.clone();
    let missing = text(Sketch::full().without("httpproxy"));
    let empty = text(Sketch::full().log("httpproxy", "", |log| *log = LogCoverage::default()));
    assert_eq!(missing, "not in the evidence: HttpProxy logs; get the HttpProxy logs");
    assert_eq!(empty, "HttpProxy logs: there, but empty; get the HttpProxy logs");
}

#[test]
fn nine_tenths_of_the_window_must_be_covered() {
    // IIS reaches over all ten days, so the window is ten days.
    check_in(Sketch::full().from("httpproxy", "", "02T00:00:00"), &["exploited: no-trace"]);
    let late = Sketch::full().from("httpproxy", "", "02T06:00:00");
    check_in(late, &["exploited: cannot-tell"]);
    let case = Sketch::full().from("httpproxy", "", "05T00:00:00").assess();
    let found = answer(&case, "exploited");
    assert_eq!(
        found.text,
        "HttpProxy logs: 6 of 10 days, without 2021-03-01 … 2021-03-04; get the HttpProxy logs"
    );
    assert!(case.verdicts[0].text.contains("6 of 10 days covered"), "{}", case.verdicts[0].text);
    let ecp_missing = Sketch::full().log("httpproxy", "ecp", |log| log.records = 0);
    check_in(ecp_missing, &["exploited: cannot-tell"]);
}

#[test]
fn what_was_cleared_or_rolled_over_tells_nothing() {
    let sysmon = "microsoft-windows-sysmon/operational";
    let cleared = Sketch::full().gap("security", GapKind::Cleared, Some("05T11:59:00"), "05T12:00:00");
    check_in(
        cleared,
        &["persistence: cannot-tell", "logs-tampered: cannot-tell", "credentials-taken: no-trace"],
    );
    let rolled = Sketch::full()
        .without(sysmon)
        .from("security", "", "06T00:00:00")
        .from("security", "4688", "06T00:00:00")
        .gap("security", GapKind::Rollover, Some("01T00:00:00"), "06T00:00:00");
    check_in(rolled, &["credentials-taken: cannot-tell", "lateral-movement: cannot-tell"]);
    // A numbered log that begins late without having rolled over has lost nothing.
    let young = Sketch::full().from("msexchange management", "", "06T00:00:00");
    check_in(young, &["mail-taken: no-trace"]);
    let jump = Sketch::full().gap("system", GapKind::RecordJump, Some("05T11:59:00"), "05T12:00:00");
    check_in(jump, &["logs-tampered: cannot-tell", "persistence: no-trace"]);
}

#[test]
fn silence_while_an_intruder_is_at_work_is_no_accident() {
    let hole = |hours: &[(&str, &str)]| {
        let hours: Vec<(i64, i64)> =
            hours.iter().map(|(a, b)| (at(a).hour_index(), at(b).hour_index())).collect();
        move |log: &mut LogCoverage| log.hours = hours.clone()
    };
    let runs = [("01T00:00:00", "04T09:00:00"), ("04T15:00:00", "10T23:00:00")];
    let sketch = || Sketch::full().log("httpproxy", "", hole(&runs));
    check_in(sketch(), &["mail-taken: no-trace"]);
    check_in(sketch().findings(&["06T12:00:00 lsass-dump x=y"]), &["mail-taken: no-trace"]);
    check_in(sketch().findings(&["04T12:00:00 lsass-dump x=y"]), &["mail-taken: cannot-tell"]);
}

#[test]
fn a_log_that_was_not_read_whole() {
    let item = |records_lost: Option<u64>| ItemCoverage {
        evidence: EvidenceId(0),
        records: 1_000,
        carved: 0,
        is_looked_at: false,
        span: Span::default(),
        problems: vec![Problem { records_lost, ..Problem::new("truncated", 0, "a chunk", "the end") }],
        gaps: Vec::new(),
    };
    check_in(Sketch::full().item(item(Some(3))), &["exploited: no-trace"]);
    check_in(Sketch::full().item(item(Some(300))), &["exploited: cannot-tell"]);
    check_in(Sketch::full().item(item(None)), &["exploited: cannot-tell"]);
}

#[test]
fn a_host_that_is_no_exchange_server() {
    let mut sketch = Sketch::bare();
    for (log, part) in [("security", ""), ("system", ""), ("security", "4688")] {
        let fields = ["NewProcessName", "CommandLine", "ParentProcessName"];
        sketch.add_log("MXS01", log, part, &fields, at("01T00:00:00"), at("10T23:59:59"));
    }
    let dumped = sketch.findings(&["04T11:20:05 lsass-dump x=y"]);
    check_in(
        dumped,
        &[
            "vulnerable: not-applicable",
            "probed: not-applicable",
            "exploited: not-applicable",
            "web-shell-written: not-applicable",
            "web-shell-used: not-applicable",
            "mail-taken: not-applicable",
            "credentials-taken: yes",
            "persistence: no-trace",
            "exfiltration: no-trace",
            "logs-tampered: no-trace",
        ],
    );
    let used = Sketch::bare().findings(&["04T11:20:05 shell-child x=y"]);
    check_in(used, &["web-shell-used: yes", "exploited: not-applicable"]);
    let case = Sketch::bare().findings(&["04T11:20:05 lsass-dump x=y"]).assess();
    assert_eq!(case.verdicts[0].headline, "BREACHED: credentials taken");
    assert!(!case.verdicts[0].text.contains("HttpProxy"), "{}", case.verdicts[0].text);
}

#[test]
fn an_exchange_server_is_known_by_what_was_done_to_it() {
    let written = Sketch::bare().findings(&[&format!("04T11:20:05 shell-file {FILE}")]);
    check_in(written, &["web-shell-written: yes", "exploited: cannot-tell", "probed: cannot-tell"]);
}

#[test]
fn logs_that_begin_after_the_breach_do_not_show_it() {
    let late = || {
        let from = |sketch: Sketch, log, part| sketch.from(log, part, "06T00:00:00");
        let sketch = from(from(Sketch::full(), "httpproxy", ""), "iis", "");
        let sketch = from(sketch, "httpproxy", "autodiscover");
        from(from(sketch, "httpproxy", "ecp"), "httpproxy", "owa")
    };
    check_in(late(), &["probed: no-trace"]);
    check_in(late().findings(&["04T11:20:05 vdir-set x=y"]), &["probed: cannot-tell", "exploited: likely"]);
    // What need be no breach stretches nothing.
    check_in(late().findings(&["04T11:20:05 mail-access x=y"]), &["probed: no-trace"]);
}

#[test]
fn headlines() {
    let headline = |lines: &[&str]| Sketch::full().findings(lines).assess().verdicts[0].headline.clone();
    for step in ["log-cleared", "mail-access", "archive-staged", "mailbox-export", "task-added"] {
        let text = headline(&[&format!("04T11:20:05 {step} x=y")]);
        assert!(text.starts_with("suspicious: "), "{step}: {text}");
    }
    let two = headline(&["04T11:20:05 log-cleared x=y", "04T11:20:05 task-added x=y"]);
    assert_eq!(two, "probably breached: persistence, logs tampered");
    assert_eq!(headline(&["04T11:20:05 account-added x=y"]), "no trace of a breach");
}

#[test]
fn one_act_has_one_name() {
    let lines = [
        "04T11:20:01 vdir-set EventData=Set-OabVirtualDirectory.ExternalUrl=''http://f/'' | rule.title=One rule",
        "04T11:20:01 vdir-set Data=Set-OabVirtualDirectory | rule.title=Another rule",
        "04T11:20:05 vdir-reset AnchorMailbox=ServerInfo~a]@b:444/ecp/DDI/DDIService.svc/SetObject?schema=ResetOABVirtualDirectory#",
        &format!("04T11:20:06 shell-file {FILE} | Image=C:\\w3wp.exe"),
    ];
    let case = Sketch::full().findings(&lines).assess();
    assert_eq!(
        answer(&case, "web-shell-written").text,
        r"…\owa\auth\x.aspx, by a reset of the OAB directory".replace(r"\\", r"\").replace("HttpProxy\\", "")
    );
}

#[test]
fn one_request_in_two_logs_is_counted_once() {
    let page = |name: &str| format!("{name}=/owa/auth/x.aspx");
    let lines = [
        format!("04T11:20:05 shell-request {} | c-ip=203.0.113.7", page("cs-uri-stem")),
        format!("04T11:20:05 shell-request {} | {A}", page("UrlStem")),
        format!("04T11:25:05 shell-request {} | {A}", page("UrlStem")),
    ];
    let case = Sketch::full().findings(&lines.each_ref().map(String::as_str)).assess();
    assert_eq!(
        answer(&case, "web-shell-used").text,
        "2 requests answered for /owa/auth/x.aspx, from 203.0.113.7; last 2021-03-04 11:25:05Z"
    );
}

#[test]
fn a_shell_without_a_name_is_told_by_how_it_was_written() {
    let case = Sketch::full().findings(&["04T11:20:05 vdir-set x=y", "04T11:21:05 vdir-reset x=y"]).assess();
    assert_eq!(answer(&case, "persistence").text, "a reset of a virtual directory");
    assert_eq!(answer(&case, "web-shell-written").text, "by a reset of a virtual directory");
    assert_eq!(
        answer(&case, "still-in").text,
        "last sign 2021-03-04 11:21:05Z; the records end 2021-03-10 23:59:59Z"
    );
}

#[test]
fn children_of_the_web_server_follow_the_only_shell() {
    let file = |page: &str| format!("TargetFilename=C:\\inetpub\\wwwroot\\aspnet_client\\{page}.aspx");
    let lines = [
        format!("04T11:20:05 shell-file {}", file("x")),
        "05T11:20:05 shell-child x=y".to_owned(),
        "05T15:20:05 shell-child x=y".to_owned(),
    ];
    let one: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(Sketch::full().findings(&one).assess().intrusions.len(), 1);
    // With a second one, nobody can tell whose they are.
    let other = format!("04T12:20:05 shell-file {}", file("y"));
    let two: Vec<&str> = one.into_iter().chain([other.as_str()]).collect();
    assert_eq!(Sketch::full().findings(&two).assess().intrusions.len(), 4);
}

#[test]
fn a_host_without_a_name_is_asked_too() {
    let mut sketch = Sketch::bare();
    sketch.case.hosts.clear();
    let key = model::LogKey { log: "iis".into(), part: String::new() };
    sketch.case.coverage.logs.insert((None, key), LogCoverage { records: 3, ..LogCoverage::default() });
    let case = sketch.assess();
    assert_eq!(case.answers.len(), 18);
    assert_eq!(case.verdicts.len(), 1);
    assert_eq!(case.verdicts[0].headline, "cannot tell");
}

#[test]
fn exchange_2019_has_no_unified_messaging() {
    let noted = |build: &str| {
        let case = Sketch::full().build(build, "01T00:00:00", "10T00:00:00").assess();
        answer(&case, "exploited").coverage.iter().any(|line| line.contains("not applicable"))
    };
    assert!(noted("15.2.792.3"));
    assert!(!noted("15.1.2106.2"));
}

#[test]
fn the_window_does_not_reach_back_for_ever() {
    let mut sketch = Sketch::full();
    let year = |year: &str| model::Timestamp::parse(&format!("{year}-01-01T00:00:00Z")).expect("a time");
    let fields = ["cs-uri-stem", "sc-status"];
    sketch.add_log("MXS01", "iis", "", &fields, year("2016"), at("10T23:59:59"));
    sketch.add_log("MXS01", "security", "", &[], year("1990"), at("10T23:59:59"));
    let case = sketch.assess();
    // From 1 December 2020 on: 100 days, of which HttpProxy covers ten.
    assert!(answer(&case, "exploited").text.starts_with("HttpProxy logs: 10 of 100 days"));
    assert_eq!(answer(&case, "web-shell-used").answer.as_str(), "no-trace");
    let mut strange = Sketch::full();
    strange.add_log("MXS01", "iis", "", &fields, year("1700"), year("2260"));
    assert_eq!(answer(&strange.assess(), "exploited").answer.as_str(), "cannot-tell");
}

#[test]
fn questions_on_each_host_and_intrusion() {
    let mut sketch = Sketch::full();
    sketch.add_logs("MXS02");
    let lines = [
        format!("04T11:20:05 ssrf-reached {A}"),
        "04T11:25:05 vdir-reset x=y".to_owned(),
        format!("04T11:20:05 ssrf-refused {A} | host=MXS02"),
    ];
    let case = sketch.findings(&lines.each_ref().map(String::as_str)).assess();
    assert_eq!(answer_on(&case, "MXS01", Some(0), "exploited").answer.as_str(), "yes");
    assert_eq!(answer_on(&case, "MXS01", Some(0), "credentials-taken").answer.as_str(), "no-trace");
    assert_eq!(answer_on(&case, "MXS02", None, "probed").answer.as_str(), "yes");
    assert_eq!(answer_on(&case, "MXS02", None, "exploited").answer.as_str(), "no-trace");
    // Eighteen for each host, seventeen for the one intrusion.
    assert_eq!(case.answers.len(), 18 + 17 + 18);
    assert_eq!(case.intrusions[0].hosts.len(), 1);
}
