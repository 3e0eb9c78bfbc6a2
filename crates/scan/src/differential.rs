//! The compiled matcher against the naive one, over real evidence; and both
//! against another evaluator.
//!
//! The naive matcher is the specification read aloud; wherever the two differ,
//! the compiled one is wrong. Where both are, an [`Opinion`] may show it.

use evidence::{ItemHead, ReadItem, Visitor};
use model::{Position, Record};
use sigma::naive::Names;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A record on which the two disagree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Difference {
    /// The item's path.
    pub path: String,
    /// Where in it.
    pub position: Position,
    /// The rule's id.
    pub rule: String,
    /// Whether the compiled matcher matched (the naive one then did not).
    pub compiled: bool,
}

/// What was compared.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Comparison {
    /// Records seen.
    pub records: u64,
    /// Records compared.
    pub compared: u64,
    /// Matches on which both agree.
    pub matches: u64,
    /// Where they do not, sorted.
    pub differences: Vec<Difference>,
    /// By rule: where the other evaluator says otherwise than the naive matcher.
    pub disagreements: BTreeMap<String, Disagreement>,
}

/// How another evaluator differs on one rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Disagreement {
    /// Records on which only the naive matcher matches.
    pub only_ours: u64,
    /// Records on which only the other one does.
    pub only_theirs: u64,
}

/// Another evaluator. It is asked of records that are of the rule's log source.
pub trait Opinion: Sync {
    /// A record as it wants it.
    type Flat;
    /// Makes that of a record, once for all rules.
    fn flatten(&self, record: &Record<'_>) -> Self::Flat;
    /// Whether the rule at `rule` matches a record whose fields are called so; `None`: it cannot say.
    fn matches(&self, rule: usize, names: Names<'_>, flat: &Self::Flat) -> Option<bool>;
}

/// No other evaluator.
impl Opinion for () {
    type Flat = ();
    fn flatten(&self, _: &Record<'_>) {}
    fn matches(&self, _: usize, _: Names<'_>, (): &()) -> Option<bool> {
        None
    }
}

/// Compares on about `percent` of the records, chosen by `seed` and the
/// record's offset: the same ones each time.
pub fn compare<O: Opinion>(
    sources: &[evidence::Source],
    limits: &evidence::Limits,
    (engine, opinion): (&sigma::Engine, &O),
    percent: u64,
    seed: u64,
) -> Comparison {
    let comparer = Comparer { engine, opinion, percent, seed, whole: Mutex::default() };
    evidence::read(sources, limits, &comparer);
    let mut whole = comparer.whole.into_inner().unwrap_or_else(PoisonError::into_inner);
    whole.differences.sort();
    whole
}

struct Comparer<'e, O> {
    engine: &'e sigma::Engine,
    opinion: &'e O,
    percent: u64,
    seed: u64,
    whole: Mutex<Comparison>,
}

struct Part<'e> {
    path: String,
    worker: sigma::Worker<'e>,
    found: Vec<usize>,
    comparison: Comparison,
}

impl Comparison {
    fn merge(&mut self, other: Comparison) {
        self.records += other.records;
        self.compared += other.compared;
        self.matches += other.matches;
        self.differences.extend(other.differences);
        for (rule, other) in other.disagreements {
            let own = self.disagreements.entry(rule).or_default();
            own.only_ours += other.only_ours;
            own.only_theirs += other.only_theirs;
        }
    }
}

impl<'e, O: Opinion> Visitor for Comparer<'e, O> {
    type Part = Part<'e>;

    fn start(&self, head: &ItemHead<'_>) -> Part<'e> {
        Part {
            path: head.path.to_owned(),
            worker: self.engine.worker(),
            found: Vec::new(),
            comparison: Comparison::default(),
        }
    }

    fn record(&self, part: &mut Part<'e>, record: &Record<'_>) {
        part.comparison.records += 1;
        if !is_chosen(record.position.offset, self.seed, self.percent) {
            return;
        }
        part.comparison.compared += 1;
        let Part { path, worker, found, comparison } = part;
        found.clear();
        worker.find(record, &mut |rule| found.push(rule));
        found.sort_unstable();
        let flat = self.opinion.flatten(record);
        for (index, rule) in self.engine.rules().iter().enumerate() {
            let compiled = found.binary_search(&index).is_ok();
            let naive = sigma::naive::matches(rule, record);
            if compiled && naive {
                comparison.matches += 1;
            } else if compiled != naive {
                comparison.differences.push(Difference {
                    path: path.clone(),
                    position: record.position,
                    rule: rule.id.clone(),
                    compiled,
                });
            }
            let names = Names::admitting(rule, record);
            let asked = names.into_iter().map(|names| self.opinion.matches(index, names, &flat));
            // Of a rule that it could not load it says nothing of any log source.
            let other = asked.reduce(|one, other| Some(one? | other?)).flatten();
            if let Some(other) = other.filter(|other| *other != naive) {
                let own = comparison.disagreements.entry(rule.id.clone()).or_default();
                *(if other { &mut own.only_theirs } else { &mut own.only_ours }) += 1;
            }
        }
    }

    fn merge(&self, whole: &mut Part<'e>, next: Part<'e>) {
        whole.comparison.merge(next.comparison);
    }

    fn item(&self, _item: ReadItem, whole: Option<Part<'e>>, _content: Option<&[u8]>) {
        if let Some(part) = whole {
            let mut all = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
            all.merge(part.comparison);
        }
    }
}

/// One step of SplitMix64 (Steele, Lea, Flood 2014) spreads neighbouring
/// offsets evenly.
fn is_chosen(offset: u64, seed: u64, percent: u64) -> bool {
    let mut mixed = (offset ^ seed).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % 100 < percent
}

#[cfg(test)]
mod tests {
    use super::is_chosen;

    #[test]
    fn five_percent_are_five_percent() {
        let chosen = (0..100_000u64).filter(|offset| is_chosen(*offset, 1, 5)).count();
        assert!((4_700..5_300).contains(&chosen), "{chosen}");
        assert!((0..1_000).all(|offset| is_chosen(offset, 1, 100)));
    }
}
