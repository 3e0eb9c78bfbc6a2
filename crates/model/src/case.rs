//! A case: everything that one scan says.

use crate::{
    Answer, Attribution, BookAnswer, Coverage, Details, EvidenceItem, Field, FieldStore, Finding, HostBasis,
    HostName, Intrusion, Logon, Problem, Process, RuleUse, SessionsLeftOut, TechniqueCoverage, Timestamp,
    Verdict,
};
use std::sync::Arc;

/// A host of the case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// Its name: the latest, where it was renamed.
    pub name: HostName,
    /// Names it also had, sorted.
    pub also: Vec<HostName>,
    /// How we know.
    pub basis: HostBasis,
}

/// What one scan says. The same evidence, rules and casebooks give the same
/// case, in any reading order and on any number of threads.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Case {
    /// Evidence, sorted by its first path; [`crate::EvidenceId`] indexes it.
    pub items: Vec<EvidenceItem>,
    /// What could not even be opened: path and problem, sorted.
    pub unread: Vec<(String, Problem)>,
    /// Hosts, sorted by name.
    pub hosts: Vec<Host>,
    /// Findings, by time (those without one last), evidence, offset, rule.
    pub findings: Vec<Finding>,
    /// What was there to be read.
    pub coverage: Coverage,
    /// Findings that belong together.
    pub intrusions: Vec<Intrusion>,
    /// Answers, by host, intrusion (`None` first), casebook order.
    pub answers: Vec<Answer>,
    /// What each casebook says as a whole, by host, casebook order.
    pub books: Vec<BookAnswer>,
    /// One verdict per host, by host.
    pub verdicts: Vec<Verdict>,
    /// The same for those who decide: five sentences at most, without jargon.
    pub plain: Vec<String>,
    /// What the rules say of each ATT&CK technique that some rule names, by id.
    pub techniques: Vec<TechniqueCoverage>,
    /// Who started what, and who logged on from where.
    pub sessions: Sessions,
    /// What was looked for.
    pub looked_for: LookedFor,
    /// Whether any item carries the mark of synthetic evidence.
    pub synthetic: bool,
    /// Where spilled fields lie.
    pub spill: Spill,
}

/// Who started what, and who logged on from where, as far as it has to do with what was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sessions {
    /// Processes of trees in which something was found, by host, time, place; a parent stands before its children.
    pub processes: Vec<Process>,
    /// Logons over the network, by host, source, account, kind.
    pub logons: Vec<Logon>,
    /// What of both was left out.
    pub left_out: SessionsLeftOut,
}

/// What a scan looked for, and in how much.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LookedFor {
    /// The rules that were loaded, by id, file.
    pub rules: Vec<RuleUse>,
    /// SHA-256 over the rules that were loaded.
    pub rules_sha256: [u8; 32],
    /// How many rules were loaded.
    pub rules_loaded: usize,
    /// The files of indicators that were looked for.
    pub indicators: Vec<IndicatorFile>,
    /// Scripts, and files of web folders, whose content rules have looked at.
    pub files_scanned: usize,
    /// Which known actors the intrusions are consistent with, once somebody has asked.
    pub attribution: Option<Attribution>,
}

impl Case {
    /// Reads all fields of `finding`, wherever they lie; what was in `into` before is forgotten.
    ///
    /// # Errors
    /// When they were spilled and cannot be read back.
    pub fn read(&self, finding: &Finding, into: &mut Details) -> Result<(), String> {
        into.clear();
        match (finding.spilled, &self.spill.0) {
            (Some(place), Some(store)) => store.read(place, into)?,
            _ => into.push_fields(&finding.fields),
        }
        into.settle();
        Ok(())
    }

    /// Reads all fields of the record that `finding` stands in; false where they were not kept: each rule keeps the
    /// records of its first findings only.
    ///
    /// # Errors
    /// When they cannot be read back.
    pub fn read_record(&self, finding: &Finding, into: &mut Details) -> Result<bool, String> {
        into.clear();
        let (Some(place), Some(store)) = (finding.record, &self.spill.0) else { return Ok(false) };
        store.read_record(place, into)?;
        into.settle();
        Ok(true)
    }

    /// All fields of `finding`, wherever they lie; those of one name stand together, where the first of them stood.
    ///
    /// # Errors
    /// When they were spilled and cannot be read back.
    pub fn fields(&self, finding: &Finding) -> Result<Vec<Field>, String> {
        let mut details = Details::default();
        self.read(finding, &mut details)?;
        Ok(details.together().map(|field| (field.name.into(), field.text.into())).collect())
    }
}

/// A file of indicators, and what came of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct IndicatorFile {
    /// Its path as it was given.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// `list`, `csv`, `stix`, `misp`, or `unknown`.
    pub format: &'static str,
    /// Values taken from it.
    pub loaded: u64,
    /// What was left out because the file says so, or because it is no kind
    /// that is matched: why, and how often.
    pub left_out: Vec<(String, u64)>,
    /// How many values could not be taken.
    pub not_loaded: u64,
}

/// The store of spilled fields. Where fields lie is no part of what a case
/// says: all stores are equal.
#[derive(Clone, Debug, Default)]
pub struct Spill(pub Option<Arc<dyn FieldStore>>);

impl PartialEq for Spill {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A rule that did not run, and why.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RuleNote {
    /// The file it stands in.
    pub file: String,
    /// The line, from 1, where one is known.
    pub line: Option<u32>,
    /// Its id or title, where one is known.
    pub rule: Option<String>,
    /// Why, in one line.
    pub reason: String,
}

/// How a case was made: what differs from run to run, kept apart from it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Run {
    /// The program's version.
    pub version: String,
    /// When it began.
    pub started: Option<Timestamp>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Rules that could not be loaded.
    pub rules_not_loaded: Vec<RuleNote>,
    /// What of the files of indicators could not be taken.
    pub indicators_not_loaded: Vec<RuleNote>,
    /// Rules whose log source was not in the evidence.
    pub rules_not_met: Vec<RuleNote>,
}
