//! A case in one small JSON object for each host, without names: for a CERT that merges thousands of them.
//!
//! Hosts have pseudonyms under the key of whoever made the summary; an intrusion is told by what an intruder leaves everywhere: the
//! rules it met, its techniques, where it came from, the hashes of its shells. Two intrusions with one `fingerprint` met the
//! same built-in rules.

use crate::Export;
use crate::redact::Detail;
use model::{AnswerWord, HostName, Intrusion, Span};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use stix::timestamp;

const SCHEMA: &str = "assay-summary/1";
const MERGED_SCHEMA: &str = "assay-summary-merged/1";
/// Entries of a list in one summary, when it is read.
const LIST_MAX: usize = 10_000;

/// One host of one case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// `assay-summary/1`.
    pub schema: String,
    /// The label (`TLP:AMBER`).
    pub tlp: String,
    /// Whether the evidence was made.
    pub synthetic: bool,
    /// What tells the case from others of the same maker.
    pub case: String,
    /// The host's pseudonym; null where the evidence names none.
    pub host: Option<String>,
    /// When the case was made.
    pub made: String,
    /// SHA-256 over the rules, so that cases under the same rules can be compared.
    pub rules_sha256: String,
    /// The first words of the verdict: `BREACHED`, `probably breached`, `probed`, `no trace`, `cannot tell`.
    pub verdict: String,
    /// Builds of Exchange that its logs name.
    pub builds: Vec<Seen>,
    /// Answers over all intrusions.
    pub answers: Vec<Answered>,
    /// Logs that were there.
    pub logs: Vec<Log>,
    /// Intrusions that touched it.
    pub intrusions: Vec<Fingerprint>,
}

/// Something and when it was seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// What.
    pub name: String,
    /// First time.
    pub first: Option<String>,
    /// Last time.
    pub last: Option<String>,
}

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answered {
    /// The casebook's id.
    pub casebook: String,
    /// The question's id.
    pub question_id: String,
    /// `yes`, `likely`, `no-trace`, `cannot-tell`.
    pub answer: String,
    /// First time of what it rests on.
    pub first: Option<String>,
    /// Last time.
    pub last: Option<String>,
}

/// One log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Log {
    /// Its name (`iis`, `security`).
    pub log: String,
    /// Records read.
    pub records: u64,
    /// First time.
    pub first: Option<String>,
    /// Last time.
    pub last: Option<String>,
    /// Gaps in it.
    pub gaps: u64,
}

/// An intrusion, by what an intruder leaves everywhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fingerprint {
    /// A hash over the ids of the rules it met.
    pub fingerprint: String,
    /// First time on any host.
    pub first: Option<String>,
    /// Last time.
    pub last: Option<String>,
    /// ATT&CK techniques.
    pub techniques: Vec<String>,
    /// Rules it met.
    pub rules: Vec<String>,
    /// Public addresses it came from.
    pub sources: Vec<String>,
    /// SHA-256 of its web shells.
    pub shells: Vec<String>,
}

/// One summary for each host of the case, by host.
///
/// # Errors
/// When the export was not prepared for an audience outside the organisation: a summary holds no names.
pub fn summaries(export: &Export<'_>) -> Result<Vec<Summary>, String> {
    if export.detail() != Detail::Redacted {
        return Err(format!(
            "a summary is for others: wanted TLP:AMBER or wider, found {}",
            export.tlp().as_str()
        ));
    }
    let case = export.case;
    let mut hosts: BTreeSet<Option<HostName>> =
        case.hosts.iter().map(|host| Some(host.name.clone())).collect();
    hosts.extend(case.verdicts.iter().map(|verdict| verdict.host.clone()));
    Ok(hosts.iter().map(|host| summary(export, host.as_ref())).collect())
}

fn summary(export: &Export<'_>, host: Option<&HostName>) -> Summary {
    let case = export.case;
    let verdict = case.verdicts.iter().find(|verdict| verdict.host.as_ref() == host);
    let builds = case.coverage.builds.get(&host.cloned()).into_iter().flatten();
    let answers = case.answers.iter().filter(|answer| {
        answer.host.as_ref() == host
            && answer.intrusion.is_none()
            && answer.answer != AnswerWord::NotApplicable
    });
    let logs = case.coverage.logs.iter().filter(|((of, key), _)| of.as_ref() == host && key.part.is_empty());
    let touched = |intrusion: &&Intrusion| host.is_some_and(|host| intrusion.hosts.contains(host));
    Summary {
        schema: SCHEMA.to_owned(),
        tlp: export.tlp().as_str().to_owned(),
        synthetic: case.synthetic,
        case: export.case_tag(),
        host: host.map(|host| export.redactor.host(host)),
        made: timestamp(export.made),
        rules_sha256: hex(&case.looked_for.rules_sha256),
        verdict: verdict.map(|verdict| first_words(&verdict.headline)).unwrap_or_default(),
        builds: builds
            .map(|(build, span)| {
                let (first, last) = times(*span);
                Seen { name: export.redactor.text(build), first, last }
            })
            .collect(),
        answers: answers
            .map(|answer| {
                let (first, last) = times(answer.span);
                let (casebook, question_id) = (answer.casebook.clone(), answer.question_id.clone());
                Answered { casebook, question_id, answer: answer.answer.as_str().to_owned(), first, last }
            })
            .collect(),
        logs: logs
            .map(|((_, key), log)| {
                let (first, last) = times(log.span);
                let gaps = log.gaps.len() as u64;
                Log { log: export.redactor.text(&key.log), records: log.records, first, last, gaps }
            })
            .collect(),
        intrusions: case
            .intrusions
            .iter()
            .filter(touched)
            .map(|intrusion| fingerprint(export, intrusion))
            .collect(),
    }
}

fn fingerprint(export: &Export<'_>, intrusion: &Intrusion) -> Fingerprint {
    let own = |group: &&crate::facts::Group| group.intrusion == Some(intrusion.id) && group.listed.is_none();
    let (mut rules, mut techniques, mut shells) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for group in export.facts.groups.iter().filter(own) {
        rules.insert(export.redactor.text(&group.rule.id));
        techniques.extend(group.rule.techniques.iter().cloned());
        for observable in group.observables.iter().filter(|_| group.tells_of_shell()) {
            if let crate::facts::Observable::File { sha256, .. } = observable {
                shells.insert(sha256.clone());
            }
        }
    }
    let joined: Vec<&str> = rules.iter().map(String::as_str).collect();
    let digest = Sha256::digest(joined.join("\n").as_bytes());
    let sources = export.facts.sources.get(&intrusion.id).into_iter().flatten();
    let (first, last) = times(intrusion.span);
    Fingerprint {
        fingerprint: hex(&digest[..8]),
        first,
        last,
        techniques: techniques.into_iter().collect(),
        sources: sources.map(ToString::to_string).collect(),
        shells: shells.into_iter().collect(),
        rules: rules.into_iter().collect(),
    }
}

fn times(span: Span) -> (Option<String>, Option<String>) {
    (span.first.map(timestamp), span.last.map(timestamp))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The verdict's own words; what follows them may name somebody.
fn first_words(headline: &str) -> String {
    const WORDS: [&str; 5] = ["BREACHED", "probably breached", "probed", "no trace", "cannot tell"];
    WORDS.iter().find(|words| headline.starts_with(**words)).copied().unwrap_or_default().to_owned()
}

/// Many summaries in one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Merged {
    /// `assay-summary-merged/1`.
    pub schema: &'static str,
    /// The strictest label of all.
    pub tlp: String,
    /// Hosts, each counted once by case and pseudonym.
    pub hosts: u64,
    /// Of them, on evidence that was made.
    pub synthetic: u64,
    /// Hosts by verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Hosts by `casebook/question`, then answer.
    pub answers: BTreeMap<String, BTreeMap<String, u64>>,
    /// Hosts by build.
    pub builds: BTreeMap<String, u64>,
    /// Hosts by the fingerprint of an intrusion.
    pub fingerprints: BTreeMap<String, u64>,
    /// Hosts by where an intrusion came from.
    pub sources: BTreeMap<String, u64>,
    /// Hosts by the hash of a web shell.
    pub shells: BTreeMap<String, u64>,
    /// Hosts by technique.
    pub techniques: BTreeMap<String, u64>,
}

impl Summary {
    /// Reads one.
    ///
    /// # Errors
    /// In one line: no JSON, another schema, too long a list, no label.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.schema != SCHEMA {
            return Err(format!("schema: wanted {SCHEMA:?}, found {:?}", read.schema));
        }
        if stix::Tlp::parse(&read.tlp).is_none() {
            return Err(format!("tlp: wanted a label of TLP 2.0, found {:?}", read.tlp));
        }
        let lists = [read.builds.len(), read.answers.len(), read.logs.len(), read.intrusions.len()];
        let of_intrusions = read.intrusions.iter().flat_map(|intrusion| {
            [
                intrusion.rules.len(),
                intrusion.techniques.len(),
                intrusion.sources.len(),
                intrusion.shells.len(),
            ]
        });
        if lists.into_iter().chain(of_intrusions).any(|length| length > LIST_MAX) {
            return Err(format!("wanted lists of {LIST_MAX} at most"));
        }
        Ok(read)
    }
}

/// Merges summaries in any order: the same ones give the same result, and one that comes twice counts once.
pub fn merge(summaries: impl IntoIterator<Item = Summary>) -> Merged {
    let mut merged = Merged { schema: MERGED_SCHEMA, ..Merged::default() };
    let mut strictest: Option<stix::Tlp> = None;
    let mut kept: BTreeMap<(String, Option<String>), Summary> = BTreeMap::new();
    for summary in summaries {
        strictest = strictest.max(stix::Tlp::parse(&summary.tlp));
        let key = (summary.case.clone(), summary.host.clone());
        // Of two that differ, the same one stays, whichever came first.
        let is_later = |kept: &Summary| order(kept) < order(&summary);
        if kept.get(&key).is_none_or(is_later) {
            kept.insert(key, summary);
        }
    }
    for summary in kept.into_values() {
        merged.hosts += 1;
        merged.synthetic += u64::from(summary.synthetic);
        *merged.verdicts.entry(summary.verdict).or_default() += 1;
        for answer in summary.answers {
            let question = format!("{}/{}", answer.casebook, answer.question_id);
            *merged.answers.entry(question).or_default().entry(answer.answer).or_default() += 1;
        }
        count(&mut merged.builds, summary.builds.into_iter().map(|build| build.name));
        let of = |list: fn(&Fingerprint) -> &Vec<String>| summary.intrusions.iter().flat_map(list).cloned();
        count(&mut merged.fingerprints, summary.intrusions.iter().map(|own| own.fingerprint.clone()));
        count(&mut merged.sources, of(|own| &own.sources));
        count(&mut merged.shells, of(|own| &own.shells));
        count(&mut merged.techniques, of(|own| &own.techniques));
    }
    merged.tlp = strictest.unwrap_or_default().as_str().to_owned();
    merged
}

fn order(summary: &Summary) -> (String, String) {
    (summary.made.clone(), serde_json::to_string(summary).unwrap_or_default())
}

/// Counts a host once for each of its names.
fn count(counts: &mut BTreeMap<String, u64>, names: impl Iterator<Item = String>) {
    for name in names.collect::<BTreeSet<String>>() {
        *counts.entry(name).or_default() += 1;
    }
}
