//! What rules cost, rule by rule, where that was asked.
//!
//! Rules share most of the work: values are scanned for the literals of all of
//! them at once. What a rule costs by itself is its condition, and the tests
//! that need one value after the other; the rest is told as a whole.
//!
//! # Not here
//! A clock: it is passed in.

use std::sync::{Mutex, PoisonError};

/// What one rule cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Records for which its condition was asked: a literal that it needs was seen, or it needs none.
    pub tried: u64,
    /// Records that it matched.
    pub matched: u64,
    /// Nanoseconds that its condition took, by the clock.
    pub nanos: u64,
}

/// What all rules cost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Costs {
    /// Records that were shown.
    pub records: u64,
    /// Nanoseconds of all matching, that of the rules included.
    pub nanos: u64,
    /// In the order of [`super::Engine::rules`].
    pub rules: Vec<Cost>,
}

/// The sums of all workers.
pub(super) struct Profile {
    clock: fn() -> u64,
    sums: Mutex<Costs>,
}

/// The counts of one worker.
pub(super) struct Meter {
    clock: fn() -> u64,
    costs: Costs,
}

impl Profile {
    pub(super) fn new(clock: fn() -> u64, rules: usize) -> Self {
        Self { clock, sums: Mutex::new(Costs { rules: vec![Cost::default(); rules], ..Costs::default() }) }
    }

    pub(super) fn meter(&self) -> Meter {
        let rules = vec![Cost::default(); self.costs().rules.len()];
        Meter { clock: self.clock, costs: Costs { rules, ..Costs::default() } }
    }

    pub(super) fn add(&self, meter: Meter) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        sums.records += meter.costs.records;
        sums.nanos += meter.costs.nanos;
        for (sum, own) in sums.rules.iter_mut().zip(meter.costs.rules) {
            sum.tried += own.tried;
            sum.matched += own.matched;
            sum.nanos += own.nanos;
        }
    }

    pub(super) fn costs(&self) -> Costs {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Meter {
    pub(super) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Notes a record whose matching began at `began`.
    pub(super) fn record(&mut self, began: u64) {
        self.costs.records += 1;
        self.costs.nanos += self.now().saturating_sub(began);
    }

    /// Notes that a rule was tried from `began` until now.
    pub(super) fn tried(&mut self, rule: u32, matched: bool, began: u64) {
        let now = self.now();
        if let Some(own) = self.costs.rules.get_mut(rule as usize) {
            own.tried += 1;
            own.matched += u64::from(matched);
            own.nanos += now.saturating_sub(began);
        }
    }
}
