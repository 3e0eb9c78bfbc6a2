//! Cases in a few lines.
//!
//! A finding is `<day>T<time> <steps> <name>=<value> | …`: the day is one of
//! March 2021, the steps are joined by `+`. `rule.level`, `rule.tag`,
//! `rule.technique`, `host` and `record` are not fields but what they say.

use crate::{Casebook, assess};
use model::{
    Answer, Case, Coverage, EvidenceId, Finding, FindingId, Gap, GapKind, Host, HostBasis, HostName,
    ItemCoverage, Level, LogCoverage, LogKey, Position, RuleFacts, Span, Timestamp,
};
use std::sync::Arc;

/// Logs of a server that logs everything, with the fields that are needed.
const FULL: &[(&str, &str, &[&str])] = &[
    ("httpproxy", "", &["UrlStem", "UrlQuery", "HttpStatus", "AnchorMailbox"]),
    ("httpproxy", "autodiscover", &[]),
    ("httpproxy", "ecp", &[]),
    ("httpproxy", "owa", &[]),
    ("ecp-server", "", &["EventData"]),
    ("oabgenerator", "", &[]),
    ("iis", "", &["cs-uri-stem", "cs-uri-query", "sc-status"]),
    ("security", "", &[]),
    ("security", "4688", &["NewProcessName", "CommandLine", "ParentProcessName"]),
    ("system", "", &[]),
    ("application", "", &[]),
    ("msexchange management", "", &[]),
    ("microsoft-windows-sysmon/operational", "", &[]),
    ("microsoft-windows-sysmon/operational", "1", &["Image", "CommandLine", "ParentImage"]),
    ("microsoft-windows-sysmon/operational", "11", &["TargetFilename"]),
];

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("2021-03-{text}Z")).unwrap_or_else(|| panic!("no time: {text}"))
}

/// A case being sketched.
pub struct Sketch {
    pub case: Case,
}

impl Sketch {
    /// A server `MXS01` without any log.
    pub fn bare() -> Self {
        let mut case = Case::default();
        case.hosts.push(Host { name: "MXS01".into(), also: Vec::new(), basis: HostBasis::Log });
        Self { case }
    }

    /// A server `MXS01` with all logs from 1 to 10 March 2021.
    pub fn full() -> Self {
        let mut sketch = Self::bare();
        sketch.add_logs("MXS01");
        sketch
    }

    pub fn add_logs(&mut self, host: &str) {
        for (log, part, fields) in FULL {
            self.add_log(host, log, part, fields, at("01T00:00:00"), at("10T23:59:59"));
        }
    }

    pub fn add_log(
        &mut self,
        host: &str,
        log: &str,
        part: &str,
        fields: &[&str],
        from: Timestamp,
        to: Timestamp,
    ) {
        let coverage = LogCoverage {
            records: 1_000,
            span: Span { first: Some(from), last: Some(to) },
            filled: fields.iter().map(|field| ((*field).to_owned(), 1_000)).collect(),
            hours: vec![(from.hour_index(), to.hour_index())],
            items: vec![EvidenceId(0)],
            ..LogCoverage::default()
        };
        self.case.coverage.logs.insert((Some(HostName::from(host)), key(log, part)), coverage);
    }

    /// Changes the coverage of a log of `MXS01`.
    pub fn log(mut self, log: &str, part: &str, change: impl Fn(&mut LogCoverage)) -> Self {
        change(
            self.case.coverage.logs.get_mut(&(Some("MXS01".into()), key(log, part))).expect("a sketched log"),
        );
        self
    }

    /// Takes a log away, all of its parts.
    pub fn without(mut self, log: &str) -> Self {
        self.case.coverage.logs.retain(|(_, key), _| key.log != log);
        self
    }

    /// Lets a log begin later.
    pub fn from(self, log: &str, part: &str, from: &str) -> Self {
        let from = at(from);
        self.log(log, part, |coverage| {
            coverage.span.first = Some(from);
            coverage.hours = vec![(from.hour_index(), at("10T23:59:59").hour_index())];
        })
    }

    pub fn gap(self, log: &str, kind: GapKind, from: Option<&str>, to: &str) -> Self {
        let gap = Gap { from: from.map(at), to: Some(at(to)), kind };
        self.log(log, "", |coverage| coverage.gaps.push(gap))
    }

    pub fn build(mut self, build: &str, from: &str, to: &str) -> Self {
        let builds = self.case.coverage.builds.entry(Some("MXS01".into())).or_default();
        builds.insert(build.to_owned(), Span { first: Some(at(from)), last: Some(at(to)) });
        self
    }

    /// Files of web folders, by part of what lists say of them.
    pub fn files(mut self, parts: &[(&str, u64)]) -> Self {
        for (part, records) in parts {
            let coverage = LogCoverage { records: *records, ..LogCoverage::default() };
            self.case.coverage.logs.insert((Some("MXS01".into()), key("file", part)), coverage);
        }
        self
    }

    /// A build by which files were compared, and whether a list has it.
    pub fn listed(mut self, build: &str, in_list: bool) -> Self {
        let builds = self.case.coverage.listed_builds.entry(Some("MXS01".into())).or_default();
        builds.insert(build.to_owned(), in_list);
        self
    }

    pub fn item(mut self, item: ItemCoverage) -> Self {
        self.case.coverage.items.push(item);
        self
    }

    /// Adds findings, a line each.
    pub fn findings(mut self, lines: &[&str]) -> Self {
        for line in lines {
            let number = self.case.findings.len() as u64 + 1;
            self.case.findings.push(finding(line, number));
        }
        self
    }

    pub fn assess(self) -> Case {
        self.assess_by(&[Casebook::exchange_2021().expect("the built-in casebook")])
    }

    pub fn assess_by(mut self, books: &[Casebook]) -> Case {
        assess(&mut self.case, books);
        self.case
    }
}

fn key(log: &str, part: &str) -> LogKey {
    LogKey { log: log.to_owned(), part: part.to_owned() }
}

fn finding(line: &str, number: u64) -> Finding {
    let mut words = line.splitn(3, ' ');
    let time = words.next().filter(|time| *time != "-").map(at);
    let steps = words.next().unwrap_or_default();
    let mut rule = RuleFacts {
        id: format!("rule of {steps}"),
        title: format!("Rule of {steps}"),
        level: Level::High,
        tags: steps.split('+').filter(|step| *step != "-").map(|step| format!("assay.{step}")).collect(),
        techniques: Vec::new(),
    };
    let mut host = "MXS01";
    let mut position = Position { offset: number, ..Position::default() };
    let mut fields = Vec::new();
    for pair in words.next().unwrap_or_default().split(" | ").filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("no field: {pair}"));
        match name {
            "rule.level" => {
                rule.level = *Level::ALL.iter().find(|level| level.as_str() == value).expect("a level")
            }
            "rule.tag" => rule.tags.push(value.to_owned()),
            "rule.technique" => rule.techniques.push(value.to_owned()),
            "host" => host = value,
            "record" => position.offset = value.parse().expect("an offset"),
            _ => fields.push((Arc::from(name), Arc::from(value))),
        }
    }
    Finding {
        id: FindingId(number.to_be_bytes()),
        rule: Arc::new(rule),
        time,
        host: Some(HostName::from(host)),
        evidence: EvidenceId(0),
        position,
        intrusion: None,
        fields,
        spilled: None,
        record: None,
    }
}

pub fn answer_on<'a>(case: &'a Case, host: &str, intrusion: Option<u32>, question: &str) -> &'a Answer {
    case.answers
        .iter()
        .find(|answer| {
            answer.host.as_deref() == Some(host)
                && answer.intrusion.map(|id| id.0) == intrusion
                && answer.question_id == question
        })
        .unwrap_or_else(|| panic!("no answer to {question} on {host}"))
}

pub fn answer<'a>(case: &'a Case, question: &str) -> &'a Answer {
    answer_on(case, "MXS01", None, question)
}

/// `yes 04T11:20:05 … 04T11:31:47 by 1 2`; only the word where there are no grounds.
pub fn short(answer: &Answer) -> String {
    let time =
        |time: Option<Timestamp>| time.map_or("-".to_owned(), |time| time.to_string()[8..19].to_owned());
    let word = answer.answer.as_str();
    if answer.grounds.is_empty() {
        return word.to_owned();
    }
    let grounds: Vec<String> = answer.grounds.iter().map(|id| u64::from_be_bytes(id.0).to_string()).collect();
    format!("{word} {} … {} by {}", time(answer.span.first), time(answer.span.last), grounds.join(" "))
}

/// Checks answers on a server that logged everything: `question: answer`.
#[track_caller]
pub fn check(findings: &[&str], expect: &[&str]) {
    check_in(Sketch::full().findings(findings), expect);
}

#[track_caller]
pub fn check_in(sketch: Sketch, expect: &[&str]) {
    let case = sketch.assess();
    for line in expect {
        let (question, wanted) = line.split_once(": ").expect("question: answer");
        let found = answer(&case, question);
        let given = if wanted.contains(' ') { short(found) } else { found.answer.as_str().to_owned() };
        assert_eq!(given, wanted, "{question}: {}\n{:#?}", found.text, found.coverage);
    }
}

/// The intrusions, as the numbers of their findings.
pub fn groups(case: &Case) -> Vec<Vec<u64>> {
    let number = |id: &FindingId| u64::from_be_bytes(id.0);
    case.intrusions.iter().map(|intrusion| intrusion.findings.iter().map(number).collect()).collect()
}

/// A coverage without anything, for cases that have no logs.
pub fn no_coverage() -> Coverage {
    Coverage::default()
}
