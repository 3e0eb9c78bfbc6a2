//! Scenarios on Windows hosts that are no mail servers: what an intruder, an
//! encryption program, a miner and a thief of signing keys leave there, and a
//! day of administration that looks like it and is none.
//!
//! # Not here
//! How an event is written (`events`), what happens every day (`ordinary`),
//! what each intruder does (`acts`), and what a known one does (`crews`).

mod acts;
mod crews;
mod events;
mod ordinary;

use crate::Scenario;
use crate::dice::Dice;
use crate::host::{Build, Host, march, whole_second};
use crate::server::Server;
use crate::truth::{Grade, Truth, TruthAnswer, TruthIntrusion, TruthWho};
use model::{AnswerWord, Timestamp};
use std::collections::BTreeMap;
use std::io;

/// A casebook and a question of it.
pub(crate) type Question = (&'static str, &'static str);
/// What one planted record supports.
pub(crate) type Supports = &'static [(Question, Grade)];

/// The questions of the casebooks that are asked of a Windows host.
const QUESTIONS: [(&str, &[&str]); 4] = [
    (
        "windows",
        &[
            "execution",
            "persistence",
            "privilege-escalation",
            "defense-evasion",
            "credential-access",
            "discovery",
            "lateral-movement",
            "collection",
            "command-and-control",
            "exfiltration",
            "impact",
            "still-in",
        ],
    ),
    (
        "ransomware",
        &[
            "recovery-removed",
            "security-off",
            "files-encrypted",
            "extortion-staged",
            "spread",
            "logs-tampered",
        ],
    ),
    ("coin-mining", &["miner-run", "pool", "kept-running", "rivals-removed", "security-off", "brought"]),
    (
        "cloud-identity",
        &[
            "signing-key-taken",
            "adfs-changed",
            "directory-secrets",
            "token-forged",
            "app-credentials",
            "federation-changed",
        ],
    ),
];

/// A host, what was planted on it, and what silence means there.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) planted: Vec<(Timestamp, Supports)>,
    /// Answers where nothing was planted, other than "no trace".
    pub(crate) silence: Vec<(Question, AnswerWord)>,
    /// What may be said of who it was.
    pub(crate) who: Vec<TruthWho>,
}

type Make = fn(&mut Dice) -> (&'static str, Stage);

/// Name and maker of each scenario.
const SCENARIOS: [(&str, Make); 7] = [
    ("windows-intrusion", acts::windows_intrusion),
    ("ransomware", acts::ransomware),
    ("coin-miner", acts::coin_miner),
    ("golden-saml", acts::golden_saml),
    ("ransomware-crew", crews::ransomware_crew),
    ("solarwinds", crews::solarwinds),
    ("clean-windows", acts::clean_windows),
];

/// The names that [`make`] knows.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.into_iter().map(|(name, _)| name)
}

/// Makes the scenario `name`; `None` when there is none of that name.
pub(crate) fn make(name: &str, seed: u64) -> Option<io::Result<Scenario>> {
    let (name, maker) = SCENARIOS.into_iter().find(|(known, _)| *known == name)?;
    let (about, stage) = maker(&mut Dice::new(seed, name));
    // Who came by a document or from another host has no address here.
    let intrusion = (!stage.planted.is_empty()).then(|| TruthIntrusion::alone(stage.server.host.name, &[]));
    let who = stage.who.clone();
    let truth = Truth { answers: stage.answers(), intrusions: intrusion.into_iter().collect(), who };
    let files = stage.server.into_files();
    Some(files.map(|files| Scenario { name, about: about.into(), files, truth }))
}

impl Stage {
    /// A host with everything switched on, over three days of March 2021.
    pub(crate) fn new(name: &'static str, address: &'static str, dice: &mut Dice) -> Self {
        // The build is Exchange's, of which there is none here.
        let host = Host { name, address, build: Build::E2016_CU18, in_own_folder: false };
        let mut server = Server::new(host, (march(3, 0, 0, 0), march(6, 0, 0, 0)));
        server.channels = ordinary::CHANNELS.into_iter().map(|channel| (channel, Vec::new())).collect();
        ordinary::fill(&mut server, dice);
        let identity = QUESTIONS[3].1.iter().map(|id| (("cloud-identity", *id), AnswerWord::NotApplicable));
        Self { server, planted: Vec::new(), silence: identity.collect(), who: Vec::new() }
    }

    pub(crate) fn plant(&mut self, time: Timestamp, supports: Supports) {
        self.planted.push((time, supports));
    }

    fn answers(&self) -> Vec<TruthAnswer> {
        let mut found: BTreeMap<Question, (Grade, Timestamp, Timestamp)> = BTreeMap::new();
        for (time, supports) in &self.planted {
            for (question, grade) in *supports {
                let entry = found.entry(*question).or_insert((*grade, *time, *time));
                *entry = (entry.0.max(*grade), entry.1.min(*time), entry.2.max(*time));
            }
        }
        if let Some((first, last)) = self.last_day() {
            found.insert(("windows", "still-in"), (Grade::Yes, first, last));
        }
        let second = |time: Timestamp| Some(whole_second(time).to_string());
        let questions = QUESTIONS.iter().flat_map(|(book, ids)| ids.iter().map(|id| (*book, *id)));
        let answer = |question: Question| {
            let entry = found.get(&question);
            let silence = self.silence.iter().find(|(own, _)| *own == question);
            TruthAnswer {
                casebook: question.0,
                host: self.server.host.name.into(),
                question_id: question.1.into(),
                answer: match entry {
                    Some((grade, ..)) => grade.word(),
                    None => silence.map_or(AnswerWord::NoTrace, |(_, word)| *word),
                },
                first: entry.and_then(|(_, first, _)| second(*first)),
                last: entry.and_then(|(_, _, last)| second(*last)),
            }
        };
        questions.map(answer).collect()
    }

    /// First and last deed within 24 hours before the last record. Looking
    /// around is none.
    fn last_day(&self) -> Option<(Timestamp, Timestamp)> {
        const DAY_NANOS: i64 = 86_400 * 1_000_000_000;
        let since = self.server.last_record().nanos() - DAY_NANOS;
        let is_deed = |supports: Supports| {
            supports.iter().any(|((book, id), _)| *book == "windows" && *id != "discovery")
        };
        let recent =
            self.planted.iter().filter(|(time, supports)| time.nanos() >= since && is_deed(supports));
        let times: Vec<Timestamp> = recent.map(|(time, _)| *time).collect();
        Some((times.iter().min().copied()?, times.iter().max().copied()?))
    }
}
