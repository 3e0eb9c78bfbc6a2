//! The chains beside that of March 2021: told apart, dated, and with what came after.

use super::sketch::{Sketch, answer, check, check_in};

const A: &str = "ClientIpAddress=203.0.113.7";
const B: &str = "ClientIpAddress=198.51.100.66";
const EXPORT: &str =
    r"Data=New-MailboxExportRequest -FilePath \\127.0.0.1\c$\inetpub\wwwroot\aspnet_client\x.aspx";

fn headline(sketch: Sketch) -> String {
    sketch.assess().verdicts[0].headline.clone()
}

fn sketch(lines: &[String]) -> Sketch {
    Sketch::full().findings(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_proxyshell_breach_is_no_breach_of_march() {
    let lines = [
        format!("04T11:20:05 proxyshell-reached {A}"),
        format!("04T11:20:25 proxyshell-reached+proxyshell-session {A}"),
        format!("04T11:21:05 shell-file+shell-export {EXPORT}"),
        format!("05T02:00:00 shell-request cs-uri-stem=/aspnet_client/x.aspx | {B}"),
    ];
    check_in(
        sketch(&lines),
        &[
            "probed: yes 04T11:20:05 … 04T11:20:25 by 1 2",
            "exploited: no-trace",
            "proxyshell: yes 04T11:20:05 … 04T11:21:05 by 1 2 3",
            "proxynotshell: no-trace",
            "web-shell-written: yes 04T11:21:05 … 04T11:21:05 by 3",
            "web-shell-used: yes 05T02:00:00 … 05T02:00:00 by 4",
            "persistence: yes",
            "mail-taken: no-trace",
        ],
    );
    let case = sketch(&lines).assess();
    assert_eq!(case.verdicts[0].headline, "BREACHED: Exchange, ProxyShell");
    assert_eq!(case.intrusions.len(), 1);
    let text = &answer(&case, "proxyshell").text;
    assert!(
        text.starts_with("CVE-2021-34473, then CVE-2021-34523, then CVE-2021-31207, from 203.0.113.7"),
        "{text}"
    );
    let coverage = answer(&case, "proxyshell").coverage.join("\n");
    assert!(coverage.contains("described on 5 August 2021"), "{coverage}");
    assert!(coverage.contains("older than anything that is known of it (2021-08-05)"), "{coverage}");
}

#[test]
fn two_chains_are_two_names() {
    let lines = [
        format!("04T11:20:05 ssrf-reached {A}"),
        "04T11:25:05 vdir-reset x=y".to_owned(),
        format!("06T11:20:25 proxyshell-session {B}"),
    ];
    assert_eq!(headline(sketch(&lines)), "BREACHED: Exchange, chain of March 2021 and ProxyShell");
    assert_eq!(sketch(&lines).assess().intrusions.len(), 2);
    // What is only likely is not named beside what is sure.
    let lines = [format!("04T11:20:05 ssrf-reached {A}"), format!("06T11:20:25 proxyshell-session {B}")];
    assert_eq!(headline(sketch(&lines)), "BREACHED: Exchange, ProxyShell");
    assert_eq!(headline(sketch(&lines[..1])), "probably breached: Exchange, chain of March 2021");
}

#[test]
fn grades() {
    for (step, question) in [
        ("proxyshell-reached", "proxyshell"),
        ("shell-export", "proxyshell"),
        ("shell-export-failed", "proxyshell"),
        ("proxytoken-reached", "proxytoken"),
        ("proxynotshell-reached", "proxynotshell"),
        ("owassrf-reached", "owassrf"),
        ("viewstate-reached", "cve-2020-0688"),
        ("viewstate-error", "cve-2020-0688"),
        ("app-deserialised", "cve-2021-42321"),
        ("deserialise-error", "cve-2021-42321"),
    ] {
        check(
            &[&format!("04T11:20:05 {step} {A}")],
            &[&format!("{question}: likely"), "exploited: no-trace"],
        );
    }
    check(&[&format!("04T11:20:05 proxyshell-session {A}")], &["proxyshell: yes"]);
    for (one, other, question) in [
        ("proxyshell-reached", "shell-file", "proxyshell"),
        ("proxytoken-reached", "mail-access", "proxytoken"),
        ("proxynotshell-reached", "shell-child", "proxynotshell"),
        ("owassrf-reached", "download", "owassrf"),
        ("viewstate-reached", "viewstate-error", "cve-2020-0688"),
        ("app-deserialised", "deserialise-error", "cve-2021-42321"),
    ] {
        let within = [format!("04T11:20:05 {one} {A}"), format!("04T11:30:05 {other} x=y")];
        check_in(sketch(&within), &[&format!("{question}: yes 04T11:20:05 … 04T11:30:05 by 1 2")]);
        let late = [format!("04T11:20:05 {one} {A}"), format!("04T11:30:06 {other} x=y")];
        check_in(sketch(&late), &[&format!("{question}: likely")]);
    }
}

#[test]
fn an_export_belongs_to_the_way_that_opened_powershell() {
    for step in ["proxynotshell-reached", "owassrf-reached"] {
        let question = step.trim_end_matches("-reached");
        let lines =
            [format!("04T11:20:05 {step} {A}"), format!("04T11:22:05 shell-file+shell-export {EXPORT}")];
        check_in(
            sketch(&lines),
            &["proxyshell: no-trace", &format!("{question}: yes"), "web-shell-written: yes"],
        );
    }
}

#[test]
fn code_without_a_page_is_no_use_of_a_web_shell() {
    for step in ["viewstate-reached", "app-deserialised", "proxynotshell-reached", "owassrf-reached"] {
        let lines = [format!("04T11:20:05 {step} {A}"), "04T11:20:09 shell-child x=y".to_owned()];
        check_in(sketch(&lines), &["web-shell-used: no-trace", "web-shell-written: no-trace"]);
        assert!(headline(sketch(&lines)).starts_with("BREACHED: Exchange, "));
        // Long after it, it is somebody else's doing.
        let lines = [format!("04T11:20:05 {step} {A}"), "04T12:20:09 shell-child x=y".to_owned()];
        check_in(sketch(&lines), &["web-shell-used: yes"]);
    }
}

#[test]
fn an_open_hole_is_neither_used_nor_clean() {
    let open = [format!("04T11:20:05 proxyshell-open {A}")];
    check_in(
        sketch(&open),
        &["probed: yes", "proxyshell: cannot-tell 04T11:20:05 … 04T11:20:05 by 1", "proxynotshell: no-trace"],
    );
    let case = sketch(&open).assess();
    assert!(answer(&case, "proxyshell").text.starts_with("the hole was open to a request that only asks so"));
    assert_eq!(case.verdicts[0].headline, "probed, not breached by what can be seen");
    assert!(case.intrusions.is_empty());
    check(&[&format!("04T11:20:05 ssrf-unrated {A}")], &["exploited: cannot-tell", "probed: yes"]);
    let case = Sketch::full().findings(&[&format!("04T11:20:05 ssrf-unrated {A}")]).assess();
    assert_eq!(answer(&case, "exploited").text, "a request through the hole, its outcome not logged");
}

#[test]
fn builds_that_cannot_have_the_hole() {
    let seen = |build: &str, from: &str| Sketch::full().build(build, from, "10T00:00:00");
    check_in(seen("15.1.2507.16", "01T05:00:00"), &["proxyshell: not-applicable", "owassrf: not-applicable"]);
    // Nobody knows what was there before.
    check_in(seen("15.1.2507.16", "04T05:00:00"), &["proxyshell: no-trace"]);
    check_in(seen("15.1.2176.2", "01T05:00:00"), &["proxyshell: no-trace", "cve-2020-0688: not-applicable"]);
    // A product that never had it did not have it before, either.
    check_in(seen("15.0.1497.2", "04T05:00:00"), &["cve-2021-42321: not-applicable", "proxyshell: no-trace"]);
    let both = seen("15.1.2176.2", "01T00:00:00").build("15.1.2507.16", "05T00:00:00", "10T00:00:00");
    check_in(both, &["proxyshell: no-trace"]);
    // A finding goes before a build.
    let stolen =
        seen("15.1.2507.16", "01T05:00:00").findings(&[&format!("04T11:20:05 viewstate-reached {A}")]);
    check_in(stolen, &["cve-2020-0688: likely"]);
    let case = seen("15.1.2507.16", "01T05:00:00").assess();
    assert_eq!(
        answer(&case, "owassrf").text,
        "every build seen has the fixes of November 2022 (15.1.2507.16)"
    );
    assert!(answer(&case, "owassrf").coverage.iter().any(|line| line.contains("not open to it any more")));
}

#[test]
fn what_would_have_shown_a_chain() {
    check_in(
        Sketch::full().without("iis").without("httpproxy"),
        &["proxyshell: cannot-tell", "owassrf: cannot-tell", "cve-2021-42321: no-trace"],
    );
    check_in(Sketch::full().without("iis"), &["proxyshell: no-trace", "proxytoken: no-trace"]);
    check_in(
        Sketch::full().without("msexchange management").without("application"),
        &["cve-2021-42321: cannot-tell", "proxyshell: no-trace"],
    );
    let blind = Sketch::full()
        .without("httpproxy")
        .log("iis", "", |log| log.filled.retain(|name, _| name != "cs-uri-query"));
    check_in(blind, &["proxyshell: cannot-tell", "cve-2020-0688: cannot-tell", "owassrf: no-trace"]);
}

#[test]
fn the_view_state_is_asked_for_from_2020_on() {
    let mut sketch = Sketch::full();
    let year = |text: &str| model::Timestamp::parse(&format!("{text}T00:00:00Z")).expect("a time");
    let fields = ["cs-uri-stem", "cs-uri-query", "sc-status"];
    sketch.add_log("MXS01", "iis", "", &fields, year("2020-02-01"), super::sketch::at("10T23:59:59"));
    let case = sketch.assess();
    let covered = |question: &str| answer(&case, question).coverage[0].clone();
    assert!(covered("cve-2020-0688").contains("2020-02-11 … 2021-03-10"), "{}", covered("cve-2020-0688"));
    assert!(covered("owassrf").contains("2020-12-01 … 2021-03-10"), "{}", covered("owassrf"));
}
