//! The whole case in a few sentences for those who decide.

use super::books::books;
use super::sketch::Sketch;
use crate::Casebook;

const A: &str = "ClientIpAddress=203.0.113.7";
const ALL: [&str; 6] = ["exchange-2021", "ransomware", "coin-mining", "cloud-identity", "linux", "windows"];
/// Words that somebody who runs no computers does not use.
const JARGON: [&str; 14] = [
    "CVE",
    "shell",
    "SSRF",
    "ECP",
    "IIS",
    "LSASS",
    "lateral",
    "persistence",
    "exfil",
    "credential",
    "payload",
    "endpoint",
    "rule",
    "log ",
];

fn told(sketch: Sketch) -> Vec<String> {
    sketch.assess().plain
}

fn breach() -> Vec<String> {
    vec![
        format!("04T11:20:05 ssrf-reached+ssrf-target-ddi {A}"),
        format!("04T11:25:05 ecp-session {A}"),
        "04T11:30:05 vdir-set Data=/aspnet_client/x.aspx".to_owned(),
        "04T11:31:05 vdir-reset Data=/aspnet_client/x.aspx".to_owned(),
        format!("06T02:00:00 shell-request cs-uri-stem=/aspnet_client/x.aspx | {A}"),
    ]
}

fn sketch(sketch: Sketch, lines: &[String]) -> Sketch {
    sketch.findings(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn every_question_of_every_book_is_put_plainly() {
    for book in books(&ALL) {
        for question in &book.questions {
            let plain = question.text.plain.as_ref();
            let plain = plain.unwrap_or_else(|| panic!("{}: {} has no `plain`", book.id, question.id));
            for text in [&plain.did, &plain.whether, &plain.decide].into_iter().flatten() {
                let found = JARGON.iter().find(|word| text.contains(**word));
                assert_eq!(found, None, "{}: {}: {text}", book.id, question.id);
                assert!(!text.ends_with('.') && text.len() < 120, "{text}");
            }
        }
    }
}

#[test]
fn a_breach() {
    let plain = told(sketch(Sketch::full(), &breach()));
    assert_eq!(
        plain[0],
        "Somebody broke into MXS01 between 4 and 6 March 2021: they came in through a hole in the mail server that was \
         closed in March 2021."
    );
    assert!(plain[1].starts_with("They left a hidden page on the server"), "{plain:#?}");
    assert_eq!(plain.len(), 5);
}

#[test]
fn a_breach_without_logs_of_programs() {
    let sketched = Sketch::full().without("security").without("microsoft-windows-sysmon/operational");
    let plain = told(sketch(sketched, &breach()));
    assert!(plain[3].starts_with("It cannot be told whether passwords were taken, whether "), "{plain:#?}");
    assert!(plain[4].ends_with("who gets the missing records before they are overwritten."), "{plain:#?}");
}

#[test]
fn nothing() {
    assert_eq!(
        told(Sketch::full()),
        [
            "Nothing shows that somebody broke into MXS01.",
            "The records at hand reach far enough to answer what was asked.",
            "Nothing has to be decided at once.",
        ]
    );
    let mut case = model::Case::default();
    crate::assess(&mut case, &[Casebook::exchange_2021().expect("built in")]);
    assert_eq!(case.plain, Vec::<String>::new());
}

#[test]
fn several_hosts_are_one_story() {
    let mut several = Sketch::full();
    for host in ["DC01", "FS01"] {
        several.add_logs(host);
        let host = model::Host { name: host.into(), also: Vec::new(), basis: model::HostBasis::Log };
        several.case.hosts.push(host);
    }
    let mut lines = breach();
    lines.push("06T03:00:00 lsass-dump host=DC01 | CommandLine=x".to_owned());
    let plain = told(sketch(several, &lines));
    assert_eq!(
        plain[..2],
        [
            "Somebody broke into DC01 and MXS01 between 4 and 6 March 2021: they came in through a hole in the mail \
             server that was closed in March 2021 (MXS01); nothing shows it on FS01.",
            "They took passwords, or what serves in place of them, left a hidden page on the server that takes their \
             orders and set up ways to come back; they probably also gave the server orders through a hidden page.",
        ]
    );
    assert_eq!(plain[2], "They may still be in: nothing shows that their way back was closed.");
}

#[test]
fn a_probe() {
    let plain = told(sketch(Sketch::full(), &[format!("04T11:20:05 probe {A}")]));
    assert_eq!(
        plain[0],
        "Somebody tried to get into MXS01 on 4 March 2021, and nothing shows that it worked."
    );
}
