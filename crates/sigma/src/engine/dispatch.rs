//! Which group of rules a record meets.
//!
//! A [`Key`] says what of a record rules can tell apart: logs, channels and
//! EventIDs that no rule names all count as "other", so the keys are bounded
//! by the rules, whatever the evidence holds. Keys that meet the same rules
//! share one group.
//!
//! # Narrowing
//! Where a record has one EventID and the shape no other slot of that name,
//! rules whose condition needs other EventIDs are left out of its group.

use super::group::Group;
use crate::detection::{Detection, Field, Node, Number, Part, Test};
use crate::logsource::Source;
use crate::naive;
use crate::rule::Rule;
use model::{LogFamily, Value};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// What of a record decides which rules it can meet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key {
    pub(super) family: LogFamily,
    pub(super) log: u16,
    pub(super) channel: u16,
    pub(super) event: EventKey,
}

/// A record's EventID, as far as rules tell it apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum EventKey {
    /// None, or none that is a number.
    Unknown,
    /// A number; rules may be left out by it when it is `narrow`.
    Known { index: u32, narrow: bool },
}

/// The number of everything that no rule names.
pub(super) const OTHER: u16 = 0;

/// Finds and keeps groups.
pub(super) struct Dispatch {
    logs: HashMap<String, u16>,
    channels: HashMap<String, u16>,
    events: HashMap<i64, u32>,
    /// For each rule, the EventIDs that its condition needs.
    needed: Vec<Option<BTreeSet<i64>>>,
    groups: Mutex<Groups>,
}

#[derive(Default)]
struct Groups {
    by_key: HashMap<Key, (usize, Arc<Group>)>,
    /// By a key's number, the rules whose log source its records are, ascending.
    admitted: Vec<Vec<usize>>,
    by_members: HashMap<Vec<(u32, u32)>, Arc<Group>>,
}

impl Dispatch {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let needed: Vec<_> = rules.iter().map(|rule| needed_events(&rule.detection)).collect();
        let sources = || rules.iter().flat_map(|rule| &rule.sources);
        let logs = sources().map(|source| source.log.clone()).filter(|log| !log.is_empty());
        let channels =
            sources().flat_map(|source| source.channels).map(|channel| channel.to_ascii_lowercase());
        let events = sources().flat_map(|source| source.event_ids.iter().copied());
        let events: BTreeSet<i64> = events.chain(needed.iter().flatten().flatten().copied()).collect();
        Self {
            logs: numbered(logs.collect()),
            channels: numbered(channels.collect()),
            events: events.into_iter().zip(1..).collect(),
            needed,
            groups: Mutex::default(),
        }
    }

    /// The rules whose log source the records of a key are, ascending.
    pub(super) fn admitted(&self, number: usize) -> Vec<usize> {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.admitted.get(number).cloned().unwrap_or_default()
    }

    /// The rules whose log source any record was.
    pub(super) fn met(&self) -> BTreeSet<usize> {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.admitted.iter().flatten().copied().collect()
    }

    pub(super) fn log(&self, log: &str) -> u16 {
        self.logs.get(log).copied().unwrap_or(OTHER)
    }

    /// The number of a channel, by its ASCII lower-case name.
    pub(super) fn channel(&self, folded: &str) -> u16 {
        self.channels.get(folded).copied().unwrap_or(OTHER)
    }

    pub(super) fn event(&self, id: Option<i64>, narrow: bool) -> EventKey {
        match id {
            None => EventKey::Unknown,
            Some(id) => EventKey::Known { index: self.events.get(&id).copied().unwrap_or(0), narrow },
        }
    }

    /// The number and the group of a key; they are made when they are asked for first.
    pub(super) fn group(&self, key: Key, rules: &[Rule]) -> (usize, Arc<Group>) {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let Groups { by_key, by_members, admitted } = &mut *groups;
        let (number, group) = by_key.entry(key).or_insert_with(|| {
            let (members, admits) = self.members(key, rules);
            admitted.push(admits);
            let group =
                by_members.entry(members).or_insert_with_key(|members| Arc::new(Group::new(members, rules)));
            (admitted.len() - 1, Arc::clone(group))
        });
        (*number, Arc::clone(group))
    }

    /// Rules and their log sources that records of this key can meet, and the
    /// rules whose log source they are.
    fn members(&self, key: Key, rules: &[Rule]) -> (Vec<(u32, u32)>, Vec<usize>) {
        let (mut members, mut admits) = (Vec::new(), Vec::new());
        for (index, rule) in rules.iter().enumerate() {
            for (source, _) in rule.sources.iter().enumerate().filter(|(_, source)| self.admits(source, key))
            {
                admits.push(index);
                if self.may_match(index, key) {
                    members.push((index as u32, source as u32));
                }
            }
        }
        admits.dedup();
        (members, admits)
    }

    fn admits(&self, source: &Source, key: Key) -> bool {
        let event = |id: &i64| match key.event {
            EventKey::Unknown => false,
            EventKey::Known { index, .. } => self.events.get(id) == Some(&index),
        };
        let channel = |channel: &&str| self.channel(&channel.to_ascii_lowercase()) == key.channel;
        source.family == key.family
            && (source.log.is_empty() || self.log(&source.log) == key.log)
            && (source.channels.is_empty() || source.channels.iter().any(channel))
            && (source.event_ids.is_empty() || source.event_ids.iter().any(event))
    }

    fn may_match(&self, rule: usize, key: Key) -> bool {
        match (key.event, &self.needed[rule]) {
            (EventKey::Known { index, narrow: true }, Some(needed)) => {
                needed.iter().any(|id| self.events.get(id) == Some(&index))
            }
            _ => true,
        }
    }
}

fn numbered(names: BTreeSet<String>) -> HashMap<String, u16> {
    names.into_iter().zip(OTHER + 1..).collect()
}

/// The EventIDs without which the rule cannot match; `None` when it may match
/// with any.
fn needed_events(detection: &Detection) -> Option<BTreeSet<i64>> {
    node_events(detection, &detection.condition)
}

fn node_events(detection: &Detection, node: &Node) -> Option<BTreeSet<i64>> {
    match node {
        Node::Not(_) => None,
        Node::And(parts) => {
            let sets = parts.iter().filter_map(|part| node_events(detection, part));
            sets.reduce(|left, right| left.intersection(&right).copied().collect())
        }
        Node::Or(parts) => {
            let sets: Option<Vec<BTreeSet<i64>>> =
                parts.iter().map(|part| node_events(detection, part)).collect();
            sets.map(|sets| sets.into_iter().flatten().collect())
        }
        Node::Leaf(leaf) => {
            let leaf = &detection.leaves[*leaf];
            let event_id = matches!(&leaf.field, Field::Named(names) if names == &["EventID"]);
            event_id.then(|| leaf.tests.iter().map(event_of).collect()).flatten()
        }
    }
}

/// The one number that a value must be to hold the test.
fn event_of(test: &Test) -> Option<i64> {
    match test {
        Test::Number(Number::Int(number)) => Some(*number),
        Test::Text(pattern) => match pattern.parts.as_slice() {
            [Part::Text(text)] => naive::event_id(&Value::Utf8(text)),
            _ => None,
        },
        _ => None,
    }
}
