//! The engine: rules compiled for groups of records, matched slot by slot.
//!
//! Records that can meet the same rules form a **group** ([`dispatch`]: by
//! family, log, channel and EventID). In a group equal leaves of different
//! rules are one; for each field all literals of its leaves are looked for at once
//! ([`field`]), built when first needed and shared by all workers. A shape
//! adds only the map from fields to slots ([`slots`]), kept by each worker.
//!
//! A record wakes the rules of which a necessary literal was seen, and those
//! that have none (the explicit always-run list, [`group`]); their conditions
//! are then computed over leaves whose results are kept for the record
//! ([`state`]). Slots that no live rule names are never touched.
//!
//! # Not here
//! What a rule means: that is said in [`crate::naive`], and tests hold both to
//! the same answers.

mod answers;
mod dispatch;
mod expression;
mod field;
mod gate;
mod group;
mod literals;
mod profile;
mod slots;
mod state;

use crate::logsource::Source;
use crate::rule::Rule;
use dispatch::Dispatch;
use model::{LogFamily, Record, Shape};
pub use profile::{Cost, Costs};
use profile::{Meter, Profile};
use slots::Shapes;
use state::State;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// All rules, ready to match; shared by the threads of a scan.
pub struct Engine {
    rules: Vec<Rule>,
    dispatch: Dispatch,
    /// What workers leave behind for the next one.
    spare: Mutex<Vec<Scratch>>,
    /// What rules cost, where that was asked.
    profile: Option<Profile>,
}

/// What one thread needs to match records. Cheap to make: it takes over what
/// an earlier worker left.
pub struct Worker<'a> {
    engine: &'a Engine,
    scratch: Scratch,
    meter: Option<Meter>,
}

#[derive(Default)]
struct Scratch {
    shapes: Shapes,
    state: State,
    /// Room for text that gates look through.
    folded: Vec<u8>,
}

impl Engine {
    /// An engine over `rules`; indexes of rules are places in this list.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { dispatch: Dispatch::new(&rules), rules, spare: Mutex::default(), profile: None }
    }

    /// The rules, as they were given.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A worker for one thread.
    pub fn worker(&self) -> Worker<'_> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let meter = self.profile.as_ref().map(Profile::meter);
        Worker { engine: self, scratch: spare.unwrap_or_default(), meter }
    }

    /// For each rule, whether a record of its log source (family, log, channel
    /// and EventID) was shown to a worker.
    pub fn met(&self) -> Vec<bool> {
        let met = self.dispatch.met();
        (0..self.rules.len()).map(|rule| met.contains(&rule)).collect()
    }

    /// How many rules look at records of a log: their log source takes in some of it. `log` is the
    /// channel of Windows events, the slug of other logs; its case does not matter.
    pub fn rules_looking_at(&self, family: LogFamily, log: &str) -> u64 {
        let looks = |source: &Source| {
            let names = source.channels.iter().copied().chain(Some(source.log.as_str()));
            let mut names = names.filter(|name| !name.is_empty()).peekable();
            source.family == family
                && (names.peek().is_none() || names.any(|name| name.eq_ignore_ascii_case(log)))
        };
        self.rules.iter().filter(|rule| rule.sources.iter().any(looks)).count() as u64
    }

    /// Counts and times each rule from now on, for [`Engine::costs`]; `clock` gives nanoseconds.
    /// Makes matching slower.
    #[must_use]
    pub fn profiled(mut self, clock: fn() -> u64) -> Self {
        self.profile = Some(Profile::new(clock, self.rules.len()));
        self
    }

    /// What the rules cost: all that workers spent which were dropped since. `None` unless [`Engine::profiled`].
    pub fn costs(&self) -> Option<Costs> {
        self.profile.as_ref().map(Profile::costs)
    }

    /// The rules, ascending, whose log source the records of a [`Worker::take_sources`] are.
    pub fn rules_of_source(&self, source: usize) -> Vec<usize> {
        self.dispatch.admitted(source)
    }
}

impl Worker<'_> {
    /// Calls `found` with the index of each rule that matches, in ascending order.
    pub fn find(&mut self, record: &Record<'_>, found: &mut dyn FnMut(usize)) {
        self.search(record, false, &mut |rule, _| found(rule));
    }

    /// As [`Worker::find`], with the slots, in order, that the rule's own
    /// words met (not those of its filters).
    pub fn find_with_slots(&mut self, record: &Record<'_>, found: &mut dyn FnMut(usize, &[u32])) {
        self.search(record, true, found);
    }

    /// Adds to `marks` a place in each line of `text` of which a record could match; `None` when it
    /// cannot tell, else the number of its records' kind, as [`Worker::take_sources`] gives it. The text
    /// is whole lines; of those that are ASCII and records of `shape`, a text log's, the values stand in
    /// them as they are, parted by blanks, tabs or commas or within quotes.
    ///
    /// It can tell from when it has met a record of the shape, and not while rules are profiled. Records
    /// of lines without a mark need not be shown to [`Worker::find`].
    pub fn mark(&mut self, shape: &Arc<Shape>, text: &[u8], marks: &mut Vec<u32>) -> Option<usize> {
        let Scratch { shapes, folded, .. } = &mut self.scratch;
        let gate = shapes.gate(shape, &self.engine.dispatch).filter(|_| self.meter.is_none());
        gate.map(|(gate, source)| {
            gate.mark(text, folded, marks);
            source
        })
    }

    /// What kinds of record were shown since this was asked last, as numbers
    /// for [`Engine::rules_of_source`]. They differ from run to run.
    pub fn take_sources(&mut self) -> Vec<usize> {
        self.scratch.shapes.take_seen()
    }

    fn search(&mut self, record: &Record<'_>, with_slots: bool, found: &mut dyn FnMut(usize, &[u32])) {
        let Scratch { shapes, state, .. } = &mut self.scratch;
        let began = self.meter.as_ref().map(Meter::now);
        let (group, slots) = shapes.look_up(record, &self.engine.dispatch, &self.engine.rules);
        if !group.plans.is_empty() {
            state.find((group, slots), record, with_slots, self.meter.as_mut(), found);
        }
        if let (Some(meter), Some(began)) = (&mut self.meter, began) {
            meter.record(began);
        }
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let scratch = std::mem::take(&mut self.scratch);
        if let (Some(profile), Some(meter)) = (&self.engine.profile, self.meter.take()) {
            profile.add(meter);
        }
        self.engine.spare.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Worker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
