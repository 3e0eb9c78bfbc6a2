//! Reads one item in batches: one thread cuts, all read, in order.
//!
//! A format gives a [`Cutter`], which sees all bytes once, in order, and cuts
//! them into batches that can be read on their own, and a function that reads
//! a batch. Batches are read in waves; while one wave is read the next is
//! cut, so memory holds two waves whatever the item's size.

use crate::input::Input;
use crate::{ItemHead, Visitor};
use model::{Problem, Record, RecordSink, Shape};
use rayon::prelude::*;
use std::sync::Arc;

/// How many bytes a batch has, about.
pub(crate) const BATCH_BYTES: usize = 1 << 20;

/// Bytes that can be read without those before and after them.
pub(crate) struct Batch<S> {
    pub(crate) bytes: Vec<u8>,
    /// Offset of the first byte in the item.
    pub(crate) offset: u64,
    /// Physical line of the first byte, from 1 (text only).
    pub(crate) line: u64,
    /// What is in force at the first byte.
    pub(crate) state: S,
    /// What the cutter could not hand on.
    pub(crate) problems: Vec<Problem>,
}

/// Cuts an item into batches.
pub(crate) trait Cutter: Send {
    /// What a batch must know of what stands before it.
    type State: Send + Sync;
    /// The next batch; `None` at the item's end.
    fn next(&mut self, input: &mut Input<'_>) -> Option<Batch<Self::State>>;
    /// Problems that show only when all was seen.
    fn end(&mut self) -> Vec<Problem> {
        Vec::new()
    }
}

/// Whether the threads of the pool share one item, or each has its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// This thread reads the item alone.
    Alone,
    /// All threads read it.
    Together,
}

/// What reading an item gave, beside what the visitor keeps.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) records: u64,
    pub(crate) problems: Problems,
}

/// Reads all batches of an item and merges their parts in order.
pub(crate) fn read<C, V, F>(
    mut cutter: C,
    input: &mut Input<'_>,
    head: &ItemHead<'_>,
    visitor: &V,
    problems_max: usize,
    pace: Pace,
    read_batch: F,
) -> (Option<V::Part>, Tally)
where
    C: Cutter,
    V: Visitor,
    F: Fn(&Batch<C::State>, &mut dyn RecordSink) + Sync,
{
    let wave_max = match pace {
        Pace::Alone => 1,
        Pace::Together => 2 * rayon::current_num_threads(),
    };
    let read_one = |batch: &Batch<C::State>| {
        let mut sink = Sink { visitor, part: visitor.start(head), tally: Tally::new(problems_max) };
        batch.problems.iter().for_each(|problem| sink.problem(problem.clone()));
        read_batch(batch, &mut sink);
        (sink.part, sink.tally)
    };
    let mut whole: Option<V::Part> = None;
    let mut tally = Tally::new(problems_max);
    let mut wave = cut(&mut cutter, input, wave_max);
    while !wave.is_empty() {
        let (next, parts) = match pace {
            Pace::Alone => {
                let parts: Vec<_> = wave.iter().map(read_one).collect();
                wave.clear();
                (cut(&mut cutter, input, wave_max), parts)
            }
            Pace::Together => rayon::join(
                || cut(&mut cutter, input, wave_max),
                || wave.par_iter().map(read_one).collect::<Vec<_>>(),
            ),
        };
        for (part, part_tally) in parts {
            match &mut whole {
                None => whole = Some(part),
                Some(whole) => visitor.merge(whole, part),
            }
            tally.add(part_tally);
        }
        wave = next;
    }
    cutter.end().into_iter().for_each(|problem| tally.problems.push(problem));
    // An empty log is a log: it has a part, with nothing in it.
    (Some(whole.unwrap_or_else(|| visitor.start(head))), tally)
}

fn cut<C: Cutter>(cutter: &mut C, input: &mut Input<'_>, wave_max: usize) -> Vec<Batch<C::State>> {
    (0..wave_max).map_while(|_| cutter.next(input)).collect()
}

impl Tally {
    pub(crate) fn new(problems_max: usize) -> Self {
        Self { records: 0, problems: Problems::new(problems_max) }
    }

    fn add(&mut self, next: Tally) {
        self.records += next.records;
        self.problems.append(next.problems);
    }
}

/// Problems of one item, in order, up to a bound; the rest is counted, so
/// that a file of ten million bad lines is no way to fill the memory.
#[derive(Default)]
pub(crate) struct Problems {
    listed: Vec<Problem>,
    max: usize,
    more: u64,
    more_lost: u64,
}

impl Problems {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, ..Self::default() }
    }

    pub(crate) fn push(&mut self, problem: Problem) {
        if self.listed.len() < self.max {
            self.listed.push(problem);
        } else {
            self.more += 1;
            self.more_lost = self.more_lost.saturating_add(problem.records_lost.unwrap_or(0));
        }
    }

    fn append(&mut self, next: Problems) {
        next.listed.into_iter().for_each(|problem| self.push(problem));
        self.more += next.more;
        self.more_lost = self.more_lost.saturating_add(next.more_lost);
    }

    /// All that are listed, and one that counts the rest.
    pub(crate) fn close(mut self) -> Vec<Problem> {
        if self.more > 0 {
            self.listed.push(Problem {
                kind: "limit",
                offset: None,
                wanted: format!("at most {} problems listed", self.max),
                found: format!("{} more", self.more),
                records_lost: Some(self.more_lost),
            });
        }
        self.listed
    }
}

/// Hands the records of one batch to the visitor.
struct Sink<'a, V: Visitor> {
    visitor: &'a V,
    part: V::Part,
    tally: Tally,
}

impl<V: Visitor> RecordSink for Sink<'_, V> {
    fn record(&mut self, record: &Record<'_>) {
        self.tally.records += 1;
        self.visitor.record(&mut self.part, record);
    }

    fn carved(&mut self, record: &Record<'_>) {
        self.visitor.carved(&mut self.part, record);
    }

    fn mark(&mut self, shape: &Arc<Shape>, text: &[u8], marks: &mut Vec<u32>) -> Option<Arc<[u32]>> {
        self.visitor.mark(&mut self.part, shape, text, marks)
    }

    fn count(&mut self, record: &Record<'_>) {
        self.tally.records += 1;
        self.visitor.count(&mut self.part, record);
    }

    fn problem(&mut self, problem: Problem) {
        self.tally.problems.push(problem);
    }
}
