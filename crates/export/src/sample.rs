//! A case made by hand, every secret of which is known.

use crate::{Attribution, Key, Options};
use model::{
    Answer, AnswerWord, Case, EvidenceId, EvidenceItem, FileFacts, Finding, FindingId, Host, HostBasis,
    Intrusion, IntrusionId, Level, LogCoverage, LogKey, Position, RuleFacts, Run, Span, TechniqueCoverage,
    Timestamp, Verdict,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use stix::{Audience, Tlp};

/// What must not leave, and what may.
#[derive(Clone, Debug)]
pub struct Names {
    pub host: String,
    pub domain: String,
    pub account: String,
    pub inner: String,
    pub shell: String,
    pub attacker: String,
    /// A value that a list of indicators names, and the list's label.
    pub listed: String,
    pub listed_tlp: String,
}

impl Names {
    pub fn new(number: u32, listed_tlp: &str) -> Self {
        let [_, a, b, c] = number.to_be_bytes();
        Self {
            host: format!("WIN{number:08X}"),
            domain: format!("corp{number:08x}.example"),
            account: format!("j{number:08x}"),
            inner: format!("10.{a}.{b}.{}", c.max(1)),
            shell: format!("s{number:08x}.aspx"),
            attacker: "203.0.113.7".to_owned(),
            listed: format!("l{number:08x}.evil.example"),
            listed_tlp: listed_tlp.to_owned(),
        }
    }

    /// What tells of the organisation, or what a stranger could use.
    pub fn secrets(&self) -> Vec<&str> {
        vec![&self.host, &self.domain, &self.account, &self.inner, &self.shell, "orangepassword"]
    }
}

pub fn key() -> Key {
    Key::new([7; 32])
}

pub fn run() -> Run {
    Run { started: Timestamp::parse("2026-11-20T08:00:00Z"), ..Run::default() }
}

pub fn options(tlp: Tlp) -> Options {
    let persons = BTreeSet::from(["Jane Doe".to_owned()]);
    Options { audience: Audience::of(tlp, persons), reveal: false, organisation: None, finished: false }
}

fn rule(id: &str, title: &str, techniques: &[&str], tags: &[&str]) -> Arc<RuleFacts> {
    Arc::new(RuleFacts {
        id: id.to_owned(),
        title: title.to_owned(),
        level: Level::High,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        techniques: techniques.iter().map(|id| (*id).to_owned()).collect(),
    })
}

struct Maker<'n> {
    names: &'n Names,
    findings: Vec<Finding>,
}

impl Maker<'_> {
    fn add(&mut self, rule: Arc<RuleFacts>, evidence: u32, at: &str, fields: &[(&str, String)]) {
        let number = self.findings.len() as u8;
        self.findings.push(Finding {
            id: FindingId([number, 0, 0, 0, 0, 0, 0, 1]),
            rule,
            time: Timestamp::parse(at),
            host: Some(self.names.host.as_str().into()),
            evidence: EvidenceId(evidence),
            position: Position { offset: u64::from(number), record: None, line: None },
            grounds: Vec::new(),
            spilled: None,
            record: None,
            intrusion: Some(IntrusionId(0)),
            fields: fields.iter().map(|(name, text)| (Arc::from(*name), Arc::from(text.as_str()))).collect(),
        });
    }
}

fn item(path: String, format: Option<&'static str>, byte: u8) -> EvidenceItem {
    EvidenceItem {
        paths: vec![path],
        root: "triage".to_owned(),
        sha256: [byte; 32],
        size_bytes: 10,
        format,
        hosts: Vec::new(),
        host_basis: None,
        facts: FileFacts::default(),
    }
}

/// The same names behind escapes, glued to others, in mail addresses, in what a command line says.
fn written_otherwise(names: &Names) -> String {
    let Names { host, domain, account, inner, shell, .. } = names;
    [
        format!(r"user={domain}%5C{account}&to={account}%40{domain}"),
        format!(r#""\u005c{account}" \x5c{account} SMTP:{account}@{domain} {account}@{inner}"#),
        format!(r"C:\Users\{account}\{shell} xsvc-{account} net user {account} /domain:{domain}"),
        format!("http://{account}:{account}@{host}.{domain}:443/{shell}?{account}"),
        format!("{}|{}|{}", account.to_uppercase(), host.to_lowercase(), domain.to_uppercase()),
    ]
    .join(" ")
}

/// A case in which every kind of text names every secret.
pub fn case(names: &Names) -> Case {
    let all = format!(
        r"\\{host}\c$ {host}.{domain} {domain}\{account} {account}@{domain} http://{inner}/aspnet_client/{shell} [{inner}]:443",
        host = names.host,
        domain = names.domain,
        account = names.account,
        inner = names.inner,
        shell = names.shell,
    );
    let all = format!("{all} {}", written_otherwise(names));
    let page = format!("/aspnet_client/{}", names.shell);
    let mut maker = Maker { names, findings: Vec::new() };
    maker.add(
        rule("rule-request", &format!("Request to a shell {all}"), &["T1505.003"], &["assay.shell-request"]),
        0,
        "2021-03-02T08:00:00.25Z",
        &[
            ("c-ip", names.attacker.clone()),
            ("s-ip", names.inner.clone()),
            ("cs-method", "POST".to_owned()),
            ("cs-uri-stem", page.clone()),
            ("cs-uri-query", "orangepassword=1".to_owned()),
            ("cs-username", format!(r"{}\{}", names.domain, names.account)),
            ("Computer", format!("{}.{}", names.host, names.domain)),
        ],
    );
    maker.add(
        rule("rule-process", "Shell started", &["T1059.001"], &[]),
        0,
        "2021-03-02T09:00:00Z",
        &[
            ("Image", format!(r"C:\Users\{}\powershell.exe", names.account)),
            ("CommandLine", all.clone()),
            ("User", format!(r"{}\{}", names.domain, names.account)),
            ("SourceIp", names.inner.clone()),
        ],
    );
    maker.add(
        rule("rule-file", "Web shell", &["T1505.003"], &["assay.shell-found"]),
        1,
        "",
        &[("Path", page)],
    );
    let listed = rule(
        &format!("indicator:domain:{}", names.listed),
        &format!("Indicator domain {}", names.listed),
        &[],
        &[],
    );
    let source = format!("/home/{}/list.csv; TLP {}", names.account, names.listed_tlp);
    maker.add(
        listed,
        0,
        "2021-03-02T10:00:00Z",
        &[
            ("Indicator", names.listed.clone()),
            ("IndicatorKind", "domain".to_owned()),
            ("IndicatorSource", source),
            ("QueryName", all.clone()),
        ],
    );
    let findings = maker.findings;
    finish(names, findings, &all)
}

fn finish(names: &Names, findings: Vec<Finding>, all: &str) -> Case {
    let host: model::HostName = names.host.as_str().into();
    let span = Span { first: findings[0].time, last: findings[1].time };
    let log = (Some(host.clone()), LogKey { log: format!("iis {all}"), part: String::new() });
    let mut case = Case {
        items: vec![
            item(format!("triage/{}/u_ex.log", names.host), Some("w3c"), 1),
            item(format!("triage/C/{}", names.shell), None, 2),
        ],
        hosts: vec![Host { name: host.clone(), also: Vec::new(), basis: HostBasis::Log }],
        intrusions: vec![Intrusion {
            id: IntrusionId(0),
            hosts: vec![host.clone()],
            span,
            findings: findings.iter().map(|finding| finding.id).collect(),
            joined_by: vec![
                format!("source {}", names.attacker),
                format!("source {}", names.inner),
                format!("web shell /aspnet_client/{} on {}", names.shell, names.host),
            ],
        }],
        answers: [None, Some(IntrusionId(0))]
            .map(|intrusion| answer(host.clone(), intrusion, span, all))
            .to_vec(),
        verdicts: vec![Verdict {
            host: Some(host.clone()),
            headline: format!("BREACHED: {all}"),
            text: all.to_owned(),
        }],
        plain: vec![all.to_owned()],
        techniques: vec![TechniqueCoverage {
            id: "T1505.003".to_owned(),
            name: "Web Shell".to_owned(),
            tactics: vec!["persistence".to_owned()],
            findings: 2,
            seen_on: vec![host.clone()],
            rules_met: 1,
            rules_not_met: 1,
            met_on: vec![host.clone()],
        }],
        findings,
        ..Case::default()
    };
    case.coverage.logs.insert(log, LogCoverage::default());
    case.coverage.builds.insert(Some(host), [("15.1.2106.2".to_owned(), span)].into());
    case
}

fn answer(host: model::HostName, intrusion: Option<IntrusionId>, span: Span, text: &str) -> Answer {
    Answer {
        casebook: "exchange-2021".to_owned(),
        host: Some(host),
        intrusion,
        question_id: "exploited".to_owned(),
        answer: AnswerWord::Yes,
        span,
        grounds: Vec::new(),
        coverage: vec![text.to_owned()],
        next: Vec::new(),
        text: text.to_owned(),
    }
}

/// An actor named for the one intrusion.
pub fn attribution() -> Attribution {
    Attribution::parse(include_str!("../../../fuzz/corpus/export-files/attribution")).unwrap()
}
