//! The compiled matcher against the naive one, over real evidence.
//!
//! The naive matcher is the specification read aloud; wherever the two differ,
//! the compiled one is wrong (or both are, which this cannot show).

use evidence::{ItemHead, ReadItem, Visitor};
use model::{Position, Record};
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
}

/// Compares on about `percent` of the records, chosen by `seed` and the
/// record's offset: the same ones each time.
pub fn compare(
    sources: &[evidence::Source],
    limits: &evidence::Limits,
    engine: &sigma::Engine,
    percent: u64,
    seed: u64,
) -> Comparison {
    let comparer = Comparer { engine, percent, seed, whole: Mutex::default() };
    evidence::read(sources, limits, &comparer);
    let mut whole = comparer.whole.into_inner().unwrap_or_else(PoisonError::into_inner);
    whole.differences.sort();
    whole
}

struct Comparer<'e> {
    engine: &'e sigma::Engine,
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
    }
}

impl<'e> Visitor for Comparer<'e> {
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
