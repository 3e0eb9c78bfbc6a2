//! Several books on one case: levels, tactics, which book is asked, one verdict.

use super::sketch::{Sketch, answer_on, at, short};
use crate::Casebook;
use model::{AnswerWord, Case};

const BOOKS: [(&str, &str); 5] = [
    ("exchange-2021", include_str!("../../../../casebook/exchange-2021.yml")),
    ("ransomware", include_str!("../../../../casebook/ransomware.yml")),
    ("coin-mining", include_str!("../../../../casebook/coin-mining.yml")),
    ("cloud-identity", include_str!("../../../../casebook/cloud-identity.yml")),
    ("windows", include_str!("../../../../casebook/windows.yml")),
];

pub fn books(wanted: &[&str]) -> Vec<Casebook> {
    let own = BOOKS.iter().filter(|(id, _)| wanted.contains(id));
    own.map(|(id, text)| Casebook::parse(id, text).unwrap_or_else(|error| panic!("{error}"))).collect()
}

/// A host that logs everything and is no mail server.
fn windows(findings: &[&str]) -> Sketch {
    let logs: [(&str, &str, &[&str]); 11] = [
        ("security", "", &[]),
        ("system", "", &[]),
        ("microsoft-windows-sysmon/operational", "", &[]),
        ("microsoft-windows-sysmon/operational", "1", &["Image", "CommandLine", "ParentImage"]),
        ("microsoft-windows-sysmon/operational", "3", &["Image", "DestinationIp"]),
        ("microsoft-windows-sysmon/operational", "11", &["TargetFilename"]),
        ("microsoft-windows-sysmon/operational", "22", &["QueryName"]),
        ("microsoft-windows-powershell/operational", "", &[]),
        ("microsoft-windows-powershell/operational", "4104", &["ScriptBlockText"]),
        ("microsoft-windows-windows defender/operational", "", &[]),
        ("application", "", &[]),
    ];
    let mut sketch = Sketch::bare();
    for (log, part, fields) in logs {
        sketch.add_log("MXS01", log, part, fields, at("01T00:00:00"), at("10T23:59:59"));
    }
    sketch.findings(findings)
}

/// Answers of the general book alone: `question: answer`.
#[track_caller]
fn check(findings: &[&str], expect: &[&str]) {
    check_by("windows", findings, expect);
}

#[track_caller]
fn check_by(book: &str, findings: &[&str], expect: &[&str]) {
    let case = windows(findings).assess_by(&books(&[book]));
    for line in expect {
        let (question, wanted) = line.split_once(": ").expect("question: answer");
        let found = answer_on(&case, "MXS01", None, question);
        let given = if wanted.contains(' ') { short(found) } else { found.answer.as_str().to_owned() };
        assert_eq!(given, wanted, "{question}: {}\n{:#?}", found.text, found.coverage);
    }
}

#[test]
fn a_rule_of_high_level_says_the_step() {
    for (step, question) in [
        ("script-abuse", "execution"),
        ("service-added", "persistence"),
        ("privilege-raised", "privilege-escalation"),
        ("security-off", "defense-evasion"),
        ("credential-store", "credential-access"),
        ("remote-execution", "lateral-movement"),
        ("tunnel", "command-and-control"),
        ("upload", "exfiltration"),
        ("miner", "impact"),
    ] {
        check(&[&format!("04T11:20:05 {step} x=y")], &[&format!("{question}: yes")]);
    }
    check(&["04T11:20:05 log-cleared x=y"], &["defense-evasion: likely"]);
    check(&["04T11:20:05 recovery-deleted x=y"], &["impact: likely"]);
    check(
        &["04T11:20:05 recovery-deleted x=y", "04T11:25:05 recovery-off x=y"],
        &["impact: yes 04T11:20:05 … 04T11:25:05 by 1 2"],
    );
}

#[test]
fn what_administrators_do_counts_beside_a_deed_only() {
    for (step, question) in [
        ("task-added", "persistence"),
        ("remote-execution", "lateral-movement"),
        ("archive-staged", "collection"),
        ("upload", "exfiltration"),
        ("tunnel", "command-and-control"),
        ("security-off", "defense-evasion"),
        ("discovery", "discovery"),
    ] {
        let low = format!("04T11:20:05 {step} rule.level=medium");
        let silent = format!("{question}: no-trace");
        check(&[&low], &[&silent]);
        check(&[&low, "05T11:20:05 lsass-dump x=y"], &[&format!("{question}: likely")]);
        check(&[&low, "05T11:20:06 lsass-dump x=y"], &[&silent]);
        // A deed of too low a level is none.
        check(&[&low, "04T12:20:05 credential-store rule.level=medium"], &[&silent]);
    }
    let two = ["04T11:20:05 security-off rule.level=medium", "04T11:30:05 security-off x=y"];
    check(&two, &["defense-evasion: yes 04T11:20:05 … 04T11:30:05 by 1 2"]);
}

#[test]
fn rules_of_others_make_their_tactics_likely() {
    let log = "rule.technique=T1070.001";
    check(&[&format!("04T11:20:05 - {log}")], &["defense-evasion: likely"]);
    check(&[&format!("04T11:20:05 - {log} | rule.level=critical")], &["defense-evasion: likely"]);
    for level in ["medium", "low"] {
        check(&[&format!("04T11:20:05 - {log} | rule.level={level}")], &["defense-evasion: no-trace"]);
    }
    // A tactic that v18 lacks names nothing; the technique does.
    check(&[&format!("04T11:20:05 - {log} | rule.tag=attack.stealth")], &["defense-evasion: likely"]);
    check(&["04T11:20:05 - rule.tag=attack.stealth"], &["defense-evasion: no-trace"]);
    // A technique of several tactics: all, or those that the tags name.
    let task = "04T11:20:05 - rule.technique=T1053.005";
    check(&[task], &["execution: likely", "persistence: likely", "privilege-escalation: likely"]);
    let tagged = format!("{task} | rule.tag=attack.persistence");
    check(&[&tagged], &["execution: no-trace", "persistence: likely", "privilege-escalation: no-trace"]);
    let elsewhere = format!("{task} | rule.tag=attack.impact");
    check(&[&elsewhere], &["persistence: likely", "impact: no-trace"]);
    // No technique that the table knows: the tags' own word. A new sub-technique is its technique's.
    check(&["04T11:20:05 - rule.tag=attack.discovery"], &["discovery: likely"]);
    check(&["04T11:20:05 - rule.technique=T1021.999"], &["lateral-movement: likely"]);
    // With a step, the step speaks.
    check(&["04T11:20:05 download rule.technique=T1490"], &["impact: no-trace"]);
}

#[test]
fn what_others_do_too_is_no_ransomware() {
    for step in ["security-off", "remote-execution", "upload", "log-cleared", "archive-staged"] {
        let case = windows(&[&format!("04T11:20:05 {step} x=y")]).assess_by(&books(&["ransomware"]));
        assert!(case.answers.iter().all(|answer| answer.answer == AnswerWord::NoTrace), "{step}");
    }
    let lines = [
        "03T11:20:05 upload x=y",
        "04T11:10:05 security-off x=y",
        "04T11:20:05 recovery-deleted x=y",
        "04T11:30:05 ransom-note x=y",
    ];
    let expect = [
        "recovery-removed: yes 04T11:20:05 … 04T11:20:05 by 3",
        "files-encrypted: yes 04T11:30:05 … 04T11:30:05 by 4",
        "security-off: yes",
        "extortion-staged: yes",
        "spread: no-trace",
    ];
    check_by("ransomware", &lines, &expect);
    check_by("ransomware", &lines[2..3], &["recovery-removed: likely"]);
}

fn words(case: &Case) -> Vec<String> {
    case.books.iter().map(|book| format!("{} {}", book.casebook, book.answer.as_str())).collect()
}

#[test]
fn a_book_is_asked_where_it_is_about_the_host() {
    let all = books(&["exchange-2021", "ransomware", "coin-mining", "cloud-identity", "windows"]);
    let quiet = windows(&[]).assess_by(&all);
    assert_eq!(
        words(&quiet),
        [
            "exchange-2021 not-applicable",
            "ransomware no-trace",
            "coin-mining no-trace",
            "cloud-identity not-applicable",
            "windows no-trace",
        ]
    );
    assert_eq!(quiet.verdicts.len(), 1);
    assert_eq!(quiet.verdicts[0].headline, "no trace of a breach");
    // All answers are kept, whoever is asked.
    let kept = |id: &str| quiet.answers.iter().filter(|answer| answer.casebook == id).count();
    assert_eq!((kept("exchange-2021"), kept("windows")), (18, 12));
    let keys = windows(&["04T11:20:05 signing-key x=y"]).assess_by(&all);
    assert_eq!(words(&keys)[3], "cloud-identity yes");
    assert_eq!(keys.verdicts[0].headline, "BREACHED: Cloud identity");
    let blind = windows(&[]).without("microsoft-windows-sysmon/operational").assess_by(&all);
    assert_eq!(words(&blind)[1], "ransomware cannot-tell");
    assert_eq!(blind.verdicts[0].headline, "cannot tell");
    assert!(blind.books[1].text.contains("get Sysmon's log"), "{}", blind.books[1].text);
}

#[test]
fn one_verdict_over_all_books() {
    let all = books(&["exchange-2021", "ransomware", "windows"]);
    let lines = ["04T11:20:05 recovery-deleted x=y", "04T11:25:05 files-encrypted x=y"];
    let case = windows(&lines).assess_by(&all);
    assert_eq!(case.verdicts[0].headline, "BREACHED: Ransomware");
    let case = windows(&["04T11:20:05 lsass-dump x=y"]).assess_by(&all);
    assert_eq!(case.verdicts[0].headline, "BREACHED: credential access");
    let case = windows(&["04T11:20:05 service-added x=y"]).assess_by(&all);
    assert_eq!(case.verdicts[0].headline, "suspicious: persistence");
    let both =
        ["04T11:20:05 vdir-reset x=y", "05T11:20:05 recovery-deleted x=y", "05T11:25:05 ransom-note x=y"];
    let case = Sketch::full().findings(&both).assess_by(&all);
    assert_eq!(case.verdicts[0].headline, "BREACHED: Exchange, chain of March 2021; Ransomware");
    assert!(case.verdicts[0].text.starts_with("First sign 2021-03-04 11:20:05Z, last 2021-03-05 11:25:05Z."));
    // A mail server that was only probed: what the general book could not see does not hide it.
    let case = Sketch::full().findings(&["04T11:20:05 ssrf-refused x=y"]).assess_by(&all);
    assert_eq!(case.verdicts[0].headline, "probed, not breached by what can be seen");
}

/// Intrusions are told by the books that their findings support.
#[test]
fn an_intrusion_has_no_answers_of_books_that_it_does_not_touch() {
    let all = books(&["exchange-2021", "ransomware", "windows"]);
    let case = windows(&["04T11:20:05 tunnel x=y"]).assess_by(&all);
    assert_eq!(case.intrusions.len(), 1);
    let told = case.answers.iter().filter(|answer| answer.intrusion.is_some());
    assert!(told.clone().count() > 0);
    assert!(told.clone().all(|answer| answer.casebook == "windows"));
}

/// Looking around is no intrusion.
#[test]
fn discovery_alone_is_no_intrusion() {
    let case = windows(&["04T11:20:05 discovery x=y"]).assess_by(&books(&["windows"]));
    assert!(case.intrusions.is_empty());
}

#[test]
fn the_books_speak_the_words_of_the_steps() {
    let text = include_str!("../../../../casebook/STEPS.md");
    let all = books(&["ransomware", "coin-mining", "cloud-identity", "windows"]);
    for book in &all {
        let supports = book.questions.iter().flat_map(|question| &question.supports);
        let partners = supports.clone().flat_map(|support| &support.raises).flat_map(|raise| &raise.with);
        let steps = supports.map(|support| &support.step).chain(partners.flat_map(|partner| &partner.steps));
        let links = book.joins.links.iter().flat_map(|link| link.of.iter().chain(&link.to));
        for step in steps.chain(links).chain(book.acts.iter().flat_map(|act| &act.steps)) {
            assert!(text.contains(&format!("`{step}`")), "{}: {step} is not in STEPS.md", book.id);
        }
    }
}
