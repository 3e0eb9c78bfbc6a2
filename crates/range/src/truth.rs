//! What really happened, and what the evidence allows to say of it.
//!
//! The truth comes from the list of what was planted: each planted record says
//! which questions it supports, and how far, by the words of the Exchange
//! casebook. No rule and no casebook is run for it. Where nothing was planted
//! for a question, the scenario says what the logs would have shown.

use crate::host::whole_second;
use model::{AnswerWord, Timestamp};
use std::collections::BTreeMap;

/// The casebook of the scenarios on mail servers.
const EXCHANGE: &str = "exchange-2021";

/// The questions of the Exchange casebook, in its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Question {
    Vulnerable,
    Probed,
    Exploited,
    ProxyShell,
    ProxyToken,
    ProxyNotShell,
    Owassrf,
    Cve20200688,
    Cve202142321,
    WebShellWritten,
    WebShellUsed,
    CredentialsTaken,
    MailTaken,
    Persistence,
    LateralMovement,
    Exfiltration,
    StillIn,
    LogsTampered,
}

impl Question {
    pub(crate) const ALL: [Question; 18] = [
        Question::Vulnerable,
        Question::Probed,
        Question::Exploited,
        Question::ProxyShell,
        Question::ProxyToken,
        Question::ProxyNotShell,
        Question::Owassrf,
        Question::Cve20200688,
        Question::Cve202142321,
        Question::WebShellWritten,
        Question::WebShellUsed,
        Question::CredentialsTaken,
        Question::MailTaken,
        Question::Persistence,
        Question::LateralMovement,
        Question::Exfiltration,
        Question::StillIn,
        Question::LogsTampered,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Question::Vulnerable => "vulnerable",
            Question::Probed => "probed",
            Question::Exploited => "exploited",
            Question::ProxyShell => "proxyshell",
            Question::ProxyToken => "proxytoken",
            Question::ProxyNotShell => "proxynotshell",
            Question::Owassrf => "owassrf",
            Question::Cve20200688 => "cve-2020-0688",
            Question::Cve202142321 => "cve-2021-42321",
            Question::WebShellWritten => "web-shell-written",
            Question::WebShellUsed => "web-shell-used",
            Question::CredentialsTaken => "credentials-taken",
            Question::MailTaken => "mail-taken",
            Question::Persistence => "persistence",
            Question::LateralMovement => "lateral-movement",
            Question::Exfiltration => "exfiltration",
            Question::StillIn => "still-in",
            Question::LogsTampered => "logs-tampered",
        }
    }
}

/// How far a planted record carries an answer, the whole scenario considered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Grade {
    /// It does not say how it ended: nobody can say that there was nothing.
    Unsettled,
    Likely,
    Yes,
}

impl Grade {
    pub(crate) fn word(self) -> AnswerWord {
        match self {
            Grade::Unsettled => AnswerWord::CannotTell,
            Grade::Likely => AnswerWord::Likely,
            Grade::Yes => AnswerWord::Yes,
        }
    }
}

/// What one planted record supports.
pub(crate) type Supports = &'static [(Question, Grade)];

/// A record that was planted.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    pub(crate) time: Timestamp,
    pub(crate) supports: Supports,
}

/// The answer to one question about one host.
#[derive(Clone, PartialEq, Debug)]
pub struct TruthAnswer {
    /// The casebook that asks.
    pub casebook: &'static str,
    /// The host's short name.
    pub host: String,
    /// The casebook's id of the question.
    pub question_id: String,
    /// The right answer.
    pub answer: AnswerWord,
    /// First record that the answer rests on, to the second, RFC 3339.
    pub first: Option<String>,
    /// Last record that it rests on.
    pub last: Option<String>,
}

/// One intruder's visit, as it really was: the logs of a scenario need not
/// hold what would join all of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TruthIntrusion {
    /// Its number in the scenario, from 1.
    pub number: u32,
    /// The hosts it touched.
    pub hosts: Vec<String>,
    /// The source addresses that belong to it.
    pub sources: Vec<String>,
    /// The file names of its web shells.
    pub web_shells: Vec<String>,
}

impl TruthIntrusion {
    /// The only one of a scenario, on one host and without web shells.
    pub(crate) fn alone(host: &str, sources: &[&str]) -> Self {
        let sources = sources.iter().map(|source| (*source).to_owned()).collect();
        Self { number: 1, hosts: vec![host.to_owned()], sources, web_shells: Vec::new() }
    }
}

/// What may be said of who it was, by the knowledge of a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TruthWho {
    /// The day, `YYYY-MM-DD`.
    pub as_of: &'static str,
    /// Actors (ids of ATT&CK) of whom one must come first in one of the intrusions; none: nobody may be named.
    pub first: &'static [&'static str],
    /// An actor that must not be in the list, as nobody knew it then.
    pub not_known: Option<&'static str>,
}

/// The truth of a scenario.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Truth {
    /// Every question of each casebook that the scenario is about, for every host.
    pub answers: Vec<TruthAnswer>,
    /// Who was there; one who only probed is not counted.
    pub intrusions: Vec<TruthIntrusion>,
    /// What may be said of who it was; empty where the scenario says nothing of that.
    pub who: Vec<TruthWho>,
}

impl Truth {
    /// The truth as JSON text: the same bytes for the same truth.
    ///
    /// # Errors
    /// When the JSON library fails, which it has no reason to.
    pub fn to_json(&self, scenario: &str, seed: u64) -> serde_json::Result<String> {
        let casebook = self.answers.first().map_or(EXCHANGE, |answer| answer.casebook);
        let file = json::File {
            mark: crate::evtx::MARK,
            scenario,
            seed,
            casebook,
            answers: self.answers.iter().map(|answer| json::Answer::of(answer, casebook)).collect(),
            intrusions: self.intrusions.iter().map(json::Intrusion::of).collect(),
            who: self.who.iter().map(json::Who::of).collect(),
        };
        Ok(serde_json::to_string_pretty(&file)? + "\n")
    }
}

/// The truth as its file names it. Types, not `json!`: the order of that one's
/// keys depends on how the whole program was built.
mod json {
    use super::{TruthAnswer, TruthIntrusion, TruthWho};
    use serde::Serialize;

    #[derive(Serialize)]
    pub(super) struct File<'a> {
        pub(super) mark: &'a str,
        pub(super) scenario: &'a str,
        pub(super) seed: u64,
        pub(super) casebook: &'a str,
        pub(super) answers: Vec<Answer<'a>>,
        pub(super) intrusions: Vec<Intrusion<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub(super) who: Vec<Who<'a>>,
    }

    #[derive(Serialize)]
    pub(super) struct Who<'a> {
        as_of: &'a str,
        first: &'a [&'a str],
        #[serde(skip_serializing_if = "Option::is_none")]
        not_known: Option<&'a str>,
    }

    impl<'a> Who<'a> {
        pub(super) fn of(who: &'a TruthWho) -> Self {
            Self { as_of: who.as_of, first: who.first, not_known: who.not_known }
        }
    }

    #[derive(Serialize)]
    pub(super) struct Answer<'a> {
        /// Where it is not the file's.
        #[serde(skip_serializing_if = "Option::is_none")]
        casebook: Option<&'a str>,
        host: &'a str,
        question_id: &'a str,
        answer: &'a str,
        first: Option<&'a str>,
        last: Option<&'a str>,
    }

    impl<'a> Answer<'a> {
        pub(super) fn of(answer: &'a TruthAnswer, casebook: &str) -> Self {
            Self {
                casebook: (answer.casebook != casebook).then_some(answer.casebook),
                host: &answer.host,
                question_id: &answer.question_id,
                answer: answer.answer.as_str(),
                first: answer.first.as_deref(),
                last: answer.last.as_deref(),
            }
        }
    }

    #[derive(Serialize)]
    pub(super) struct Intrusion<'a> {
        number: u32,
        hosts: &'a [String],
        sources: &'a [String],
        web_shells: &'a [String],
    }

    impl<'a> Intrusion<'a> {
        pub(super) fn of(intrusion: &'a TruthIntrusion) -> Self {
            Self {
                number: intrusion.number,
                hosts: &intrusion.hosts,
                sources: &intrusion.sources,
                web_shells: &intrusion.web_shells,
            }
        }
    }
}

/// What is known of a host besides what was planted on it.
#[derive(Clone, Debug)]
pub(crate) struct HostFacts {
    pub(crate) host: &'static str,
    /// First and last record that names a vulnerable build.
    pub(crate) vulnerable: Option<(Timestamp, Timestamp)>,
    /// The last record over all its logs.
    pub(crate) last_record: Timestamp,
    /// Whether the logs show that the shell was taken away.
    pub(crate) shell_removed: bool,
    /// Holes that its build cannot have.
    pub(crate) closed: &'static [Question],
    /// Questions to which the logs could not have shown an answer.
    pub(crate) blind: &'static [Question],
}

/// The answers to all questions about one host.
pub(crate) fn answers(facts: &HostFacts, planted: &[Planted]) -> Vec<TruthAnswer> {
    let mut found: BTreeMap<Question, (Grade, Timestamp, Timestamp)> = BTreeMap::new();
    let mut supports: Vec<(Grade, Question, Timestamp)> = Vec::new();
    for record in planted {
        supports.extend(record.supports.iter().map(|(question, grade)| (*grade, *question, record.time)));
    }
    // The surest first: what does not say how it ended counts where nothing else does.
    supports.sort_by_key(|(grade, ..)| std::cmp::Reverse(*grade));
    for (grade, question, time) in supports {
        let known = found.get(&question).map(|(grade, ..)| *grade);
        if grade > Grade::Unsettled || known.is_none_or(|known| known == Grade::Unsettled) {
            let entry = found.entry(question).or_insert((grade, time, time));
            *entry = (entry.0.max(grade), entry.1.min(time), entry.2.max(time));
        }
    }
    if let Some((first, last)) = facts.vulnerable {
        found.insert(Question::Vulnerable, (Grade::Yes, first, last));
    }
    if let Some(still_in) = still_in(facts, planted, &found) {
        found.insert(Question::StillIn, still_in);
    }
    let second = |time: Timestamp| Some(whole_second(time).to_string());
    Question::ALL
        .into_iter()
        .map(|question| {
            let silence = if facts.closed.contains(&question) {
                AnswerWord::NotApplicable
            } else if facts.blind.contains(&question) {
                AnswerWord::CannotTell
            } else {
                AnswerWord::NoTrace
            };
            let entry = found.get(&question);
            TruthAnswer {
                casebook: EXCHANGE,
                host: facts.host.into(),
                question_id: question.as_str().into(),
                answer: entry.map_or(silence, |(grade, ..)| grade.word()),
                first: entry.and_then(|(_, first, _)| second(*first)),
                last: entry.and_then(|(_, _, last)| second(*last)),
            }
        })
        .collect()
}

/// Yes by what was done within 24 hours before the host's last record, likely
/// by a shell that nobody is seen to remove.
fn still_in(
    facts: &HostFacts,
    planted: &[Planted],
    found: &BTreeMap<Question, (Grade, Timestamp, Timestamp)>,
) -> Option<(Grade, Timestamp, Timestamp)> {
    const DAY_NANOS: i64 = 86_400 * 1_000_000_000;
    let since = facts.last_record.nanos() - DAY_NANOS;
    let recent = planted.iter().filter(|record| record.time.nanos() >= since && is_deed(record.supports));
    let times: Vec<Timestamp> = recent.map(|record| record.time).collect();
    if let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) {
        return Some((Grade::Yes, *first, *last));
    }
    let (_, first, last) = found.get(&Question::WebShellWritten)?;
    (!facts.shell_removed).then_some((Grade::Likely, *first, *last))
}

fn is_deed(supports: Supports) -> bool {
    let is_deed = |(question, grade): &(Question, Grade)| {
        *grade > Grade::Unsettled && !matches!(question, Question::Vulnerable | Question::Probed)
    };
    supports.iter().any(is_deed)
}
