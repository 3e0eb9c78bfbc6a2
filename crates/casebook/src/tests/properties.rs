//! What holds for every case.

use super::sketch::{Sketch, no_coverage};
use crate::{Casebook, assess};
use model::{Answer, AnswerWord, Case, Finding};

/// A small generator with a fixed sequence for each seed (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % count as u64) as usize
    }

    fn pick<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }
}

const STEPS: &[&str] = &[
    "ssrf-refused",
    "ssrf-reached",
    "ssrf-unrated+ssrf-target-mapi",
    "ssrf-unrated+ssrf-target-ddi",
    "backend-cookie",
    "probe",
    "ecp-session",
    "vdir-set",
    "vdir-reset",
    "oab-write",
    "um-error",
    "proxyshell-open",
    "proxyshell-reached+proxyshell-session",
    "shell-export+shell-file",
    "proxynotshell-reached",
    "owassrf-reached",
    "proxytoken-reached",
    "viewstate-reached",
    "app-deserialised",
    "um-child",
    "ews-over-ssrf",
    "shell-file",
    "shell-compiled",
    "shell-request",
    "shell-child",
    "lsass-dump",
    "credential-store",
    "mailbox-export",
    "mail-access",
    "archive-staged",
    "archive-fetched",
    "upload",
    "account-added",
    "service-added",
    "remote-execution",
    "remote-logon",
    "log-cleared",
    "log-tamper",
    "discovery",
    "download",
    "-",
];
const FIELDS: &[&str] = &[
    "x=y",
    "ClientIpAddress=203.0.113.7",
    "ClientIpAddress=198.51.100.66",
    "c-ip=192.0.2.200",
    "c-ip=10.0.0.4",
    "cs-uri-stem=/owa/auth/x.aspx | c-ip=203.0.113.7",
    "cs-uri-stem=/aspnet_client/y.aspx | c-ip=192.0.2.200",
    r"TargetFilename=C:\inetpub\wwwroot\aspnet_client\y.aspx",
    r"TargetFilename=C:\p\FrontEnd\HttpProxy\owa\auth\x.aspx",
    "rule.technique=T1003 | host=MXS02",
    "host=MXS02 | ClientIpAddress=203.0.113.7",
    "ProcessId=5000 | ParentProcessId=6000 | Image=a.exe | ParentImage=b.exe",
    "ProcessId=6000 | ParentProcessId=7000 | Image=b.exe | ParentImage=c.exe",
    "EventData=S:SID=0dd9a9ae-1c6e-4d39-9c33-b5e8b4d5a9a1;",
];

fn lines(dice: &mut Dice, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..count {
        let (day, hour, minute) = (1 + dice.below(10), dice.below(3), dice.below(60));
        let time = format!("{day:02}T{hour:02}:{minute:02}:{:02}", dice.below(60));
        let time = if dice.below(20) == 0 { "-".to_owned() } else { time };
        lines.push(format!("{time} {} {}", dice.pick(STEPS), dice.pick(FIELDS)));
    }
    lines
}

fn assessed(lines: &[String], order: impl FnOnce(&mut Vec<Finding>)) -> Case {
    let mut sketch = Sketch::full();
    sketch.add_logs("MXS02");
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut case = sketch.findings(&texts).case;
    order(&mut case.findings);
    assess(&mut case, &[Casebook::exchange_2021().expect("the built-in book")]);
    case
}

#[test]
fn the_order_of_findings_does_not_matter() {
    for seed in 1..150 {
        let mut dice = Dice(seed);
        let lines = lines(&mut dice, 1 + seed as usize % 60);
        let straight = assessed(&lines, |_| ());
        let shuffled = assessed(&lines, |findings| {
            for at in (1..findings.len()).rev() {
                findings.swap(at, dice.below(at + 1));
            }
        });
        assert_eq!(straight.intrusions, shuffled.intrusions, "seed {seed}");
        assert_eq!(straight.answers, shuffled.answers, "seed {seed}");
        assert_eq!(straight.verdicts, shuffled.verdicts, "seed {seed}");
        for finding in &straight.findings {
            let other = shuffled.findings.iter().find(|other| other.id == finding.id);
            assert_eq!(Some(finding.intrusion), other.map(|other| other.intrusion), "seed {seed}");
        }
    }
}

#[test]
fn no_answer_without_a_ground_and_all_in_order() {
    for seed in 1..150 {
        let mut dice = Dice(seed * 7_919);
        let lines = lines(&mut dice, 40);
        let case = assessed(&lines, |_| ());
        for answer in &case.answers {
            let told = matches!(answer.answer, AnswerWord::Yes | AnswerWord::Likely);
            let unsettled = answer.answer == AnswerWord::CannotTell && !answer.grounds.is_empty();
            assert_eq!(told || unsettled, !answer.grounds.is_empty(), "seed {seed}: {answer:#?}");
            let key = |id| {
                let finding =
                    case.findings.iter().find(|finding| finding.id == id).expect("a finding of the case");
                assert_eq!(finding.host, answer.host);
                assert!(answer.intrusion.is_none() || answer.intrusion == finding.intrusion);
                (finding.time.is_none(), finding.time, finding.id)
            };
            assert!(
                answer.grounds.windows(2).all(|pair| key(pair[0]) < key(pair[1])),
                "seed {seed}: {answer:#?}"
            );
            assert!(
                !answer.text.is_empty() || answer.answer == AnswerWord::Likely,
                "seed {seed}: {answer:#?}"
            );
        }
        let firsts: Vec<_> =
            case.intrusions.iter().map(|one| (one.span.first.is_none(), one.span.first)).collect();
        assert!(firsts.is_sorted(), "seed {seed}");
    }
}

#[test]
fn one_finding_more_lowers_no_answer_of_the_host() {
    let rank = |answer: &Answer| match answer.answer {
        AnswerWord::Yes => 2,
        AnswerWord::Likely => 1,
        AnswerWord::NoTrace | AnswerWord::CannotTell | AnswerWord::NotApplicable => 0,
    };
    for seed in 1..150 {
        let mut dice = Dice(seed * 104_729);
        let lines = lines(&mut dice, 25);
        let less = assessed(&lines[..24], |_| ());
        let more = assessed(&lines, |_| ());
        for before in less.answers.iter().filter(|answer| answer.intrusion.is_none()) {
            let after = more.answers.iter().find(|after| {
                after.intrusion.is_none()
                    && after.host == before.host
                    && after.question_id == before.question_id
            });
            let after = after.expect("the same question");
            // What another hole explains goes over to that hole's question.
            if matches!(&*before.question_id, "web-shell-used" | "proxyshell") {
                continue;
            }
            assert!(
                rank(before) <= rank(after),
                "seed {seed}: {} lowers {before:#?} to {after:#?}",
                lines[24]
            );
        }
    }
}

#[test]
fn an_empty_case_has_nothing_to_say() {
    let mut case = Case { coverage: no_coverage(), ..Case::default() };
    assess(&mut case, &[Casebook::exchange_2021().expect("the built-in book")]);
    assert!(case.answers.is_empty() && case.verdicts.is_empty() && case.intrusions.is_empty());
    let mut case = Sketch::full().findings(&["04T11:20:05 ssrf-reached x=y"]).case;
    assess(&mut case, &[]);
    assert!(case.answers.is_empty() && case.intrusions.is_empty());
}

#[test]
fn ten_thousand_findings_are_no_burden() {
    let lines: Vec<String> = (0..10_000)
        .map(|number| {
            let (minute, second) = (number / 60 % 60, number % 60);
            let step = ["ssrf-reached", "ews-over-ssrf", "shell-child", "vdir-set"][number % 4];
            format!(
                "04T11:{minute:02}:{second:02} {step} ClientIpAddress=192.0.{}.{}",
                number / 250 % 250,
                number % 250
            )
        })
        .collect();
    let case = assessed(&lines, |_| ());
    assert_eq!(case.intrusions.len(), 1_000);
}
