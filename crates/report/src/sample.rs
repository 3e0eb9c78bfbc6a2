//! A small case made by hand, for tests.

use model::{
    Answer, AnswerWord, Case, Coverage, EvidenceId, EvidenceItem, FileFacts, Finding, FindingId, Gap,
    GapKind, Host, HostBasis, IndicatorFile, Intrusion, IntrusionId, ItemCoverage, Level, LogCoverage,
    LogKey, Logon, LookedFor, Position, Problem, Process, RuleFacts, RuleNote, RuleUse, Run, Sessions,
    SessionsLeftOut, Span, Spill, TechniqueCoverage, Timestamp, Verdict,
};
use std::sync::Arc;

/// Texts that do harm where an exit does not escape.
pub(crate) const HOSTILE: &[&str] = &[
    "\x1b[2J\x1b]0;owned\x07",
    "</td><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "=cmd|'/c calc'!A1",
    "+1+1;=HYPERLINK(\"http://evil.example\")",
    "\t=1+1",
    "\r\n=1+1",
    "gpj.\u{202e}exe\u{2066}x\u{2069}\u{200f}",
    "\u{9b}31m\u{85}\u{7f}\u{0}",
    "line\u{2028}line\u{2029}\u{feff}\u{200b}",
    "<!-- --> ]]> &amp; {{ template }} ${jndi:x}",
];

pub(crate) fn time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text)
}

fn span(first: &str, last: &str) -> Span {
    Span { first: time(first), last: time(last) }
}

pub(crate) fn rule(id: &str, title: &str, level: Level, technique: &str) -> Arc<RuleFacts> {
    Arc::new(RuleFacts {
        id: id.to_owned(),
        title: title.to_owned(),
        level,
        tags: vec![format!("attack.{}", technique.to_lowercase())],
        techniques: vec![technique.to_owned()],
    })
}

pub(crate) fn finding(number: u8, rule: &Arc<RuleFacts>, at: &str, fields: &[(&str, &str)]) -> Finding {
    Finding {
        id: FindingId([number, 0, 0, 0, 0, 0, 0, 0xf0]),
        rule: rule.clone(),
        time: time(at),
        host: Some("MXS01".into()),
        evidence: EvidenceId(1),
        position: Position { offset: 4_711, record: None, line: Some(u64::from(number) + 4) },
        grounds: Vec::new(),
        spilled: None,
        record: None,
        intrusion: Some(IntrusionId(0)),
        fields: fields.iter().map(|(name, text)| (Arc::from(*name), Arc::from(*text))).collect(),
    }
}

fn item(path: &str, format: Option<&'static str>, size_bytes: u64) -> EvidenceItem {
    let byte = path.len() as u8;
    EvidenceItem {
        paths: vec![path.to_owned()],
        root: "triage".to_owned(),
        sha256: [byte; 32],
        size_bytes,
        format,
        hosts: if format.is_some() { vec!["MXS01".into()] } else { Vec::new() },
        host_basis: format.map(|_| HostBasis::Log),
        facts: FileFacts::default(),
    }
}

fn item_coverage(evidence: u32, records: u64, problems: Vec<Problem>) -> ItemCoverage {
    let span =
        if records > 0 { span("2021-02-11T00:00:00Z", "2021-03-09T23:59:59Z") } else { Span::default() };
    ItemCoverage {
        evidence: EvidenceId(evidence),
        records,
        carved: 0,
        is_looked_at: false,
        span,
        problems,
        gaps: Vec::new(),
    }
}

pub(crate) fn answer(question_id: &str, word: AnswerWord, when: Span, text: &str) -> Answer {
    Answer {
        casebook: "exchange-2021".to_owned(),
        host: Some("MXS01".into()),
        intrusion: None,
        question_id: question_id.to_owned(),
        answer: word,
        span: when,
        grounds: Vec::new(),
        coverage: Vec::new(),
        next: Vec::new(),
        text: text.to_owned(),
    }
}

fn answers() -> Vec<Answer> {
    let exploited = span("2021-03-04T11:20:05Z", "2021-03-04T11:31:47Z");
    let used = span("2021-03-06T02:14:50Z", "2021-03-07T19:05:12.250Z");
    let mut all = vec![
        answer(
            "vulnerable",
            AnswerWord::Yes,
            span("2021-02-11T00:00:00Z", "2021-03-09T23:00:00Z"),
            "Build 15.1.2106.2 has none of the updates of March 2021.",
        ),
        answer(
            "exploited",
            AnswerWord::Yes,
            exploited,
            "CVE-2021-26855, then CVE-2021-27065, from 203.0.113.7.",
        ),
        answer(
            "web-shell-written",
            AnswerWord::Yes,
            exploited,
            "A page below C:\\inetpub\\wwwroot\\aspnet_client was set as the address of the offline address book, and then written by a reset of its virtual directory; the page is example.aspx.",
        ),
        answer("web-shell-used", AnswerWord::Likely, used, "4 requests answered 200, from 2 addresses."),
        answer(
            "credentials-taken",
            AnswerWord::CannotTell,
            Span::default(),
            "Security holds no process starts (4688 was not audited), and there is no Sysmon.",
        ),
        answer(
            "mail-taken",
            AnswerWord::NoTrace,
            Span::default(),
            "MSExchange Management covers 2021-02-11 … 2021-03-09.",
        ),
        answer("lateral-movement", AnswerWord::NotApplicable, Span::default(), "Nothing to answer."),
    ];
    all[1].grounds = vec![FindingId([1, 0, 0, 0, 0, 0, 0, 0xf0])];
    all[1].coverage = vec!["HttpProxy: 2021-02-11 … 2021-03-09, 26 of 26 days".to_owned()];
    all[1].next = vec!["Keep a memory image.".to_owned(), "Take the server off the net.".to_owned()];
    all[4].next = vec![
        "Get Sysmon’s log: assay collect-list exchange, entry sysmon.".to_owned(),
        "Keep a memory image.".to_owned(),
    ];
    let mut of_intrusion = all[1].clone();
    of_intrusion.intrusion = Some(IntrusionId(0));
    all.push(of_intrusion);
    let mut other =
        answer("exploited", AnswerWord::NoTrace, Span::default(), "HttpProxy covers 17 of 31 days.");
    other.host = Some("MXS02".into());
    all.push(other);
    all
}

fn coverage() -> Coverage {
    let truncated = Problem {
        kind: "truncated",
        offset: Some(13_959_168),
        wanted: "chunk 212 of 340".to_owned(),
        found: "end of file".to_owned(),
        records_lost: None,
    };
    let bad = Problem::new("bad-record", 9_000, "12 columns", "7").losing(1);
    let log = |name: &str, part: &str| LogKey { log: name.to_owned(), part: part.to_owned() };
    let days = LogCoverage {
        records: 31_204,
        span: span("2021-02-11T00:00:00Z", "2021-03-09T23:59:59Z"),
        filled: [("anchormailbox".to_owned(), 12), ("urlstem".to_owned(), 31_204)].into(),
        gaps: vec![Gap {
            from: time("2021-03-01T04:00:00Z"),
            to: time("2021-03-01T09:00:00Z"),
            kind: GapKind::SilentHours,
        }],
        hours: vec![(448_000, 448_100), (448_106, 448_200)],
        items: vec![EvidenceId(1)],
        rules: Some(41),
    };
    let events = LogCoverage {
        records: 200,
        span: span("2021-03-01T00:00:00Z", "2021-03-09T23:59:59Z"),
        gaps: vec![
            Gap { from: None, to: time("2021-03-01T00:00:00Z"), kind: GapKind::Rollover },
            Gap { from: time("2021-03-02T00:00:00Z"), to: None, kind: GapKind::Cleared },
        ],
        items: vec![EvidenceId(0)],
        rules: Some(0),
        ..LogCoverage::default()
    };
    Coverage {
        items: vec![
            item_coverage(0, 200, vec![truncated]),
            item_coverage(1, 31_204, vec![bad]),
            item_coverage(2, 0, Vec::new()),
        ],
        logs: [
            ((Some("MXS01".into()), log("httpproxy", "")), days.clone()),
            ((Some("MXS01".into()), log("httpproxy", "ecp")), LogCoverage { rules: None, ..days }),
            ((Some("MXS01".into()), log("security", "")), events),
        ]
        .into(),
        builds: [(
            Some("MXS01".into()),
            [("15.1.2106.2".to_owned(), span("2021-02-11T00:00:00Z", "2021-03-09T23:00:00Z"))].into(),
        )]
        .into(),
        listed_builds: [(Some("MXS01".into()), [("15.1.2106.2".to_owned(), true)].into())].into(),
    }
}

/// A case of two hosts, one of them breached.
pub(crate) fn case() -> Case {
    let ssrf = rule(
        "11111111-aaaa-4bbb-8ccc-000000000001",
        "Exchange SSRF reached a back end",
        Level::Critical,
        "T1190",
    );
    let shell =
        rule("11111111-aaaa-4bbb-8ccc-000000000002", "Request for a web shell", Level::High, "T1505.003");
    let logon_rule = rule("11111111-aaaa-4bbb-8ccc-000000000003", "Network logon", Level::Low, "T1021");
    let mut unassigned =
        finding(4, &logon_rule, "", &[("Data", "first"), ("EventID", "4624"), ("Data", "second")]);
    unassigned.intrusion = None;
    unassigned.evidence = EvidenceId(0);
    unassigned.position = Position { offset: 8_192, record: Some(4_242), line: None };
    Case {
        items: vec![
            item("triage/C/Windows/System32/winevt/Logs/Security.evtx", Some("evtx"), 20_971_520),
            item("triage/HttpProxy/Ecp/HttpProxy_2021030411-1.LOG", Some("exchange-csv"), 1_000_000),
            item("triage/notes.txt", None, 12),
        ],
        unread: vec![(
            "triage/locked.evtx".to_owned(),
            Problem {
                kind: "unreadable",
                offset: None,
                wanted: "a file or folder".to_owned(),
                found: "permission denied".to_owned(),
                records_lost: None,
            },
        )],
        hosts: vec![
            Host { name: "MXS01".into(), also: vec!["WIN-OLD".into()], basis: HostBasis::Log },
            Host { name: "MXS02".into(), also: Vec::new(), basis: HostBasis::Root },
        ],
        findings: vec![
            finding(
                1,
                &ssrf,
                "2021-03-04T11:20:05.123Z",
                &[
                    ("AnchorMailbox", "ServerInfo~a]@mxs01.example:444/ecp/proxyLogon.ecp?#"),
                    ("ClientIpAddress", "203.0.113.7"),
                ],
            ),
            finding(
                2,
                &shell,
                "2021-03-06T02:14:50Z",
                &[("cs-uri-stem", "/aspnet_client/example.aspx"), ("sc-status", "200")],
            ),
            finding(
                3,
                &shell,
                "2021-03-07T19:05:12.1234567Z",
                &[("cs-uri-stem", "/aspnet_client/example.aspx"), ("sc-status", "200")],
            ),
            unassigned,
        ],
        coverage: coverage(),
        intrusions: vec![Intrusion {
            id: IntrusionId(0),
            hosts: vec!["MXS01".into()],
            span: span("2021-03-04T11:20:05.123Z", "2021-03-07T19:05:12.1234567Z"),
            findings: (1..=3).map(|number| FindingId([number, 0, 0, 0, 0, 0, 0, 0xf0])).collect(),
            joined_by: vec!["shell /aspnet_client/example.aspx".to_owned(), "source 203.0.113.7".to_owned()],
        }],
        answers: answers(),
        books: Vec::new(),
        verdicts: vec![
            Verdict {
                host: Some("MXS01".into()),
                headline: "BREACHED: Exchange, chain of March 2021".to_owned(),
                text: "First sign 2021-03-04 11:20:05Z, last 2021-03-07 19:05:12Z. What the evidence cannot tell: credentials taken.".to_owned(),
            },
            Verdict {
                host: Some("MXS02".into()),
                headline: "no trace of a breach".to_owned(),
                text: "17 of 31 days covered.".to_owned(),
            },
        ],
        plain: vec!["Somebody broke into the mail server MXS01.".to_owned()],
        techniques: techniques(),
        sessions: Sessions { processes: processes(), logons: vec![logon("203.0.113.7"), logon("192.0.2.4")], left_out: SessionsLeftOut { processes: 3, logons: 0 } },
        looked_for: LookedFor {
            rules: vec![rule_use(&ssrf, 1), rule_use(&shell, 2), rule_use(&logon_rule, 1)],
            rules_sha256: [0xab; 32],
            rules_loaded: 3_912,
            indicators: vec![indicator_file("lists/march.csv")],
            files_scanned: 0,
            attribution: Some(crate::sample_who::attribution()),
        },
        synthetic: true,
        spill: Spill::default(),
    }
}

fn rule_use(facts: &Arc<RuleFacts>, findings: u64) -> RuleUse {
    RuleUse {
        facts: facts.clone(),
        file: format!("rules/{}.yml", facts.id),
        looks_at: "product exchange, service httpproxy".to_owned(),
        met: if findings == 0 { Vec::new() } else { vec![Some("MXS01".into())] },
        findings,
        text: (findings > 0).then(|| Arc::from(format!("title: {}\ndetection: …\n", facts.title))),
    }
}

fn techniques() -> Vec<TechniqueCoverage> {
    let one = |id: &str, name: &str, tactic: &str, findings: u64, rules_met: u64| TechniqueCoverage {
        id: id.to_owned(),
        name: name.to_owned(),
        tactics: vec![tactic.to_owned()],
        findings,
        seen_on: if findings > 0 { vec!["MXS01".into()] } else { Vec::new() },
        rules_met,
        rules_not_met: 1,
        met_on: if rules_met > 0 { vec!["MXS01".into(), "MXS02".into()] } else { Vec::new() },
    };
    vec![
        one("T1021", "Remote Services", "lateral-movement", 1, 2),
        one("T1059", "Command and Scripting Interpreter", "execution", 0, 4),
        one("T1190", "Exploit Public-Facing Application", "initial-access", 1, 3),
        one("T1505.003", "Web Shell", "persistence", 2, 2),
        one("T1558.003", "Kerberoasting", "credential-access", 0, 0),
    ]
}

fn processes() -> Vec<Process> {
    let one = |parent: Option<u32>, at: &str, image: &str, command_line: &str, finding: Option<u8>| Process {
        host: Some("MXS01".into()),
        parent,
        time: time(at),
        image: image.to_owned(),
        command_line: command_line.to_owned(),
        user: "NT AUTHORITY\\SYSTEM".to_owned(),
        process_id: "4711".to_owned(),
        place: time(at).map(|_| (EvidenceId(0), Position { offset: 8_192, record: Some(4_242), line: None })),
        findings: finding.into_iter().map(|number| FindingId([number, 0, 0, 0, 0, 0, 0, 0xf0])).collect(),
    };
    vec![
        one(None, "", r"C:\Windows\System32\inetsrv\w3wp.exe", "", None),
        one(Some(0), "2021-03-06T02:14:51Z", r"C:\Windows\System32\cmd.exe", "cmd /c whoami", Some(4)),
        one(Some(1), "2021-03-06T02:14:52Z", r"C:\Windows\System32\whoami.exe", "whoami", None),
    ]
}

fn logon(source: &str) -> Logon {
    Logon {
        host: Some("MXS02".into()),
        source: source.to_owned(),
        source_host: (source == "192.0.2.4").then(|| "MXS01".into()),
        user: "EXAMPLE\\jane.doe".to_owned(),
        kind: "network".to_owned(),
        count: 12,
        span: span("2021-03-06T03:00:00Z", "2021-03-07T03:00:00Z"),
        suspicious: source == "192.0.2.4",
    }
}

fn indicator_file(file: &str) -> IndicatorFile {
    IndicatorFile {
        file: file.to_owned(),
        sha256: [0xcd; 32],
        format: "csv",
        loaded: 56,
        left_out: vec![(file.to_owned(), 2)],
        not_loaded: 1,
    }
}

pub(crate) fn run() -> Run {
    let note = |rule: Option<&str>, reason: &str| RuleNote {
        file: "rules/broken.yml".to_owned(),
        line: Some(7),
        rule: rule.map(str::to_owned),
        reason: reason.to_owned(),
    };
    Run {
        version: "0.1.0".to_owned(),
        started: time("2026-01-02T03:04:05Z"),
        seconds: 41.25,
        rules_not_loaded: vec![note(None, "condition: unexpected end")],
        rules_not_met: vec![note(
            Some("11111111-aaaa-4bbb-8ccc-000000000009"),
            "no record of its log source",
        )],
        indicators_not_loaded: vec![note(None, "no address: x")],
    }
}

/// The same case with `text` in every place that evidence, a rule or an argument fills.
pub(crate) fn hostile_case(text: &str) -> Case {
    let mut case = case();
    let owned = || text.to_owned();
    for item in &mut case.items {
        item.paths = vec![owned(), owned()];
        item.root = owned();
        item.hosts = vec![text.into()];
    }
    case.looked_for.indicators = vec![indicator_file(text)];
    case.unread[0].0 = owned();
    case.unread[0].1.wanted = owned();
    case.unread[0].1.found = owned();
    for host in &mut case.hosts {
        host.name = text.into();
        host.also = vec![text.into()];
    }
    let evil = rule(text, text, Level::Critical, text);
    for finding in &mut case.findings {
        finding.rule = evil.clone();
        finding.host = Some(text.into());
        finding.fields = vec![(text.into(), text.into()), ("plain".into(), text.into())];
    }
    for item in &mut case.coverage.items {
        item.problems.iter_mut().for_each(|problem| problem.found = owned());
    }
    let logs = std::mem::take(&mut case.coverage.logs);
    for (index, (_, mut log)) in logs.into_iter().enumerate() {
        log.filled = [(owned(), 1)].into();
        let part = if index == 0 { String::new() } else { format!("{index}{text}") };
        case.coverage.logs.insert((Some(text.into()), LogKey { log: owned(), part }), log);
    }
    case.coverage.builds = [(Some(text.into()), [(owned(), Span::default())].into())].into();
    case.coverage.listed_builds = [(Some(text.into()), [(owned(), false)].into())].into();
    for intrusion in &mut case.intrusions {
        intrusion.hosts = vec![text.into()];
        intrusion.joined_by = vec![owned()];
    }
    for answer in &mut case.answers {
        answer.host = Some(text.into());
        answer.casebook = owned();
        answer.question_id = owned();
        answer.text = owned();
        answer.coverage = vec![owned()];
        answer.next = vec![owned()];
    }
    case.plain = vec![owned()];
    case.looked_for.attribution = Some(crate::sample_who::hostile(text));
    for technique in &mut case.techniques {
        technique.id = owned();
        technique.name = owned();
        technique.tactics.push(owned());
        technique.seen_on = vec![text.into()];
    }
    for process in &mut case.sessions.processes {
        process.host = Some(text.into());
        for field in
            [&mut process.image, &mut process.command_line, &mut process.user, &mut process.process_id]
        {
            *field = owned();
        }
    }
    for logon in &mut case.sessions.logons {
        logon.host = Some(text.into());
        logon.source_host = logon.source_host.take().map(|_| text.into());
        for field in [&mut logon.source, &mut logon.user, &mut logon.kind] {
            *field = owned();
        }
    }
    for rule in &mut case.looked_for.rules {
        rule.facts = evil.clone();
        rule.file = owned();
        rule.looks_at = owned();
        rule.met = vec![Some(text.into())];
        rule.text = Some(text.into());
    }
    for verdict in &mut case.verdicts {
        verdict.host = Some(text.into());
        verdict.headline = owned();
        verdict.text = owned();
    }
    case
}

/// A run with `text` in every place that a rule fills.
pub(crate) fn hostile_run(text: &str) -> Run {
    let note =
        RuleNote { file: text.to_owned(), line: None, rule: Some(text.to_owned()), reason: text.to_owned() };
    Run {
        version: text.to_owned(),
        rules_not_loaded: vec![note.clone()],
        rules_not_met: vec![note.clone()],
        indicators_not_loaded: vec![note],
        ..run()
    }
}
