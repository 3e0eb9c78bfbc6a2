//! Rules as a case tells of them: which fired, which could have, which could not.

use crate::{HostName, RuleFacts};
use std::sync::Arc;

/// The version of ATT&CK that names and tactics of techniques are of.
pub const ATTACK_VERSION: &str = "18.1";

/// A rule that was loaded, and what became of it.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleUse {
    /// What findings say of it.
    pub facts: Arc<RuleFacts>,
    /// The file it stands in.
    pub file: String,
    /// What it looks at, in its own words (`product: windows, category: process_creation`).
    pub looks_at: String,
    /// The hosts (`None`: not known) of items in which a record of its log source was read, sorted;
    /// empty: it could never have fired. Of a log that many hosts forwarded, all of them.
    pub met: Vec<Option<HostName>>,
    /// Findings of it.
    pub findings: u64,
    /// Its text, the whole file as it was loaded; only of rules that fired.
    pub text: Option<Arc<str>>,
}

/// What the rules say of an ATT&CK technique.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TechniqueCoverage {
    /// Its id, upper case (`T1505.003`).
    pub id: String,
    /// Its name, where the table has it.
    pub name: String,
    /// Its tactics (`persistence`), sorted; as the table has them, narrowed by the tags of the rules.
    pub tactics: Vec<String>,
    /// Findings of rules that name it and are of level low or above: an informational one alone shows nothing.
    pub findings: u64,
    /// Hosts of those findings, sorted.
    pub seen_on: Vec<HostName>,
    /// Rules that name it and met their log source …
    pub rules_met: u64,
    /// … and those that did not: without any met, it could not have been seen.
    pub rules_not_met: u64,
    /// Hosts on which some rule that names it met its log source, sorted.
    pub met_on: Vec<HostName>,
}
