//! Engine (first form).
use crate::naive;
use crate::rule::Rule;
use model::Record;

/// All rules, ready to match.
#[derive(Debug)]
pub struct Engine {
    rules: Vec<Rule>,
    met: Vec<std::sync::atomic::AtomicBool>,
}

impl Engine {
    /// An engine over `rules`; indexes of rules are places in this list.
    pub fn new(rules: Vec<Rule>) -> Self {
        let met = rules.iter().map(|_| Default::default()).collect();
        Self { rules, met }
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A worker for one thread.
    pub fn worker(&self) -> Worker<'_> {
        Worker { engine: self }
    }

    /// For each rule, whether a record of its log source was shown.
    pub fn met(&self) -> Vec<bool> {
        self.met.iter().map(|m| m.load(std::sync::atomic::Ordering::Relaxed)).collect()
    }
}

/// What one thread needs to match records.
#[derive(Debug)]
pub struct Worker<'a> {
    engine: &'a Engine,
}

impl Worker<'_> {
    /// Calls `found` with the index of each rule that matches, in ascending order.
    pub fn find(&mut self, record: &Record<'_>, found: &mut dyn FnMut(usize)) {
        for (index, rule) in self.engine.rules.iter().enumerate() {
            if rule.sources.iter().any(|source| naive::admits(source, record)) {
                self.engine.met[index].store(true, std::sync::atomic::Ordering::Relaxed);
            }
            if naive::matches(rule, record) {
                found(index);
            }
        }
    }

    /// Names and texts of the slots that a matching rule's own words met, in
    /// the order of the slots.
    pub fn matched_fields(&mut self, rule: usize, record: &Record<'_>) -> Vec<(String, String)> {
        let slots = naive::matched_slots(&self.engine.rules[rule], record);
        let field = |slot: usize| (record.shape.slots[slot].name.to_string(), record.value(slot).to_text());
        slots.into_iter().map(field).collect()
    }
}
