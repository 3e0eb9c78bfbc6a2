//! Records that no rule can match, counted by what they have in common.
//!
//! A reader of lines is told which slots are wanted of such records: those that
//! say whose log it is and what is counted of it. Records that agree in them are
//! one tally, and are counted all at once when their part is closed.
//!
//! # Not here
//! What counting means ([`Part`](crate::part::Part)): a tally is a record and how often it was there.

use crate::logs::LogStats;
use crate::part::{WatchList, normal_build};
use model::{LogFamily, PerShape, Position, Record, Role, Shape, Value};
use std::sync::Arc;

/// Shapes remembered in one part.
const SHAPES_MAX: usize = 64;
/// Tallies kept before they are counted.
const TALLIES_MAX: usize = 64;
/// What all quiet text stands for where only its being there counts.
const FILLED: &str = "x";

/// What is wanted of the records of a shape.
pub struct Wanted {
    /// Slots whose text is.
    texts: Vec<u32>,
    /// Slots of which it is enough to know whether there is anything in them.
    filled: Vec<u32>,
    /// All of them.
    pub slots: Arc<[u32]>,
}

/// Tallies of one part.
pub struct Tallies {
    wanted: PerShape<Option<Arc<Wanted>>>,
    /// What the next records are: what is wanted of their shape, and the number of their kind.
    current: Option<(Arc<Wanted>, usize)>,
    open: Vec<Tally>,
    /// The one of the record before.
    last: usize,
}

/// Records that agree.
pub struct Tally {
    shape: Arc<Shape>,
    wanted: Arc<Wanted>,
    /// As [`Value::as_written`] gives them.
    texts: Vec<(u8, Box<str>)>,
    /// A bit for each slot that holds something.
    filled: u64,
    /// Number of their kind, as the rules tell them apart.
    pub source: usize,
    /// How many, and when.
    pub stats: LogStats,
}

impl Default for Tallies {
    fn default() -> Self {
        Self { wanted: PerShape::new(SHAPES_MAX), current: None, open: Vec::new(), last: 0 }
    }
}

impl Tallies {
    /// What is wanted of records of `shape` that no rule can match; `None` when it is everything.
    pub fn wanted(&mut self, shape: &Arc<Shape>, watched: &WatchList) -> Option<Arc<Wanted>> {
        self.wanted.get(shape, |shape| Wanted::new(shape, watched).map(Arc::new)).clone()
    }

    /// Says what the records are that are added from now on.
    pub fn begin(&mut self, wanted: Arc<Wanted>, source: usize) {
        self.current = Some((wanted, source));
    }

    /// Adds a record; gives all tallies back when there are too many of them.
    #[must_use]
    pub fn add(&mut self, record: &Record<'_>) -> Vec<Tally> {
        let Some((wanted, source)) = &self.current else { return Vec::new() };
        let filled = wanted.filled_of(record);
        let is_of = |tally: &Tally| {
            tally.filled == filled && Arc::ptr_eq(&tally.shape, record.shape) && tally.has_texts_of(record)
        };
        if !self.open.get(self.last).is_some_and(is_of) {
            self.last = self.open.iter().position(is_of).unwrap_or_else(|| {
                self.open.push(Tally::new(record, wanted, *source));
                self.open.len() - 1
            });
        }
        self.open[self.last].stats.add(record.time, None);
        if self.open.len() > TALLIES_MAX { self.take() } else { Vec::new() }
    }

    /// All tallies; none is left.
    pub fn take(&mut self) -> Vec<Tally> {
        std::mem::take(&mut self.open)
    }
}

impl Wanted {
    fn new(shape: &Shape, watched: &WatchList) -> Option<Self> {
        let is_exchange = shape.family == LogFamily::Exchange;
        // Records of other families are looked at for more than rules and counts.
        if !is_exchange && shape.family != LogFamily::WebServer {
            return None;
        }
        let roles = [Role::Host, Role::Channel].into_iter().filter_map(|role| shape.role(role));
        let mut texts: Vec<u32> = roles.map(|slot| slot as u32).collect();
        let mut filled = Vec::new();
        let answering = |name: &str| {
            let slots = (0..).zip(&shape.slots).filter(|(_, slot)| slot.answers(name, shape.fold_case));
            slots.map(|(index, _)| index).collect::<Vec<u32>>()
        };
        watched.each_of(&shape.log.to_lowercase(), &mut |is_part, fields| {
            if is_part {
                texts.extend(answering("Protocol"));
            }
            filled.extend(fields.iter().flat_map(|field| answering(field)));
        });
        let version = answering("#Version");
        let has_build = |slot: &u32| shape.slots[*slot as usize].literal.as_deref().is_some_and(is_build);
        if is_exchange && !version.first().is_some_and(has_build) {
            if shape.log.starts_with("ecp-") {
                return None;
            }
            let columns = ["MajorVersion", "MinorVersion", "BuildVersion", "RevisionVersion"];
            texts.extend(version.into_iter().chain(columns.iter().flat_map(|name| answering(name))));
        }
        let sorted = |mut slots: Vec<u32>| {
            slots.retain(|slot| shape.slots[*slot as usize].literal.is_none());
            slots.sort_unstable();
            slots.dedup();
            slots
        };
        let texts = sorted(texts);
        filled.retain(|slot| !texts.contains(slot));
        let filled = sorted(filled);
        let slots = texts.iter().chain(&filled).copied().collect();
        (filled.len() <= 64).then_some(Self { texts, filled, slots })
    }

    fn filled_of(&self, record: &Record<'_>) -> u64 {
        let bits = self.filled.iter().zip(0..);
        bits.fold(0, |all, (slot, bit)| all | u64::from(!record.value(*slot as usize).is_blank()) << bit)
    }
}

fn is_build(text: &str) -> bool {
    normal_build(text).is_some()
}

impl Tally {
    fn new(record: &Record<'_>, wanted: &Arc<Wanted>, source: usize) -> Self {
        let written = |slot: &u32| {
            let value = record.value(*slot as usize);
            let (kind, bytes) = value.as_written().unwrap_or_default();
            (kind, String::from_utf8_lossy(bytes).into())
        };
        Self {
            shape: Arc::clone(record.shape),
            texts: wanted.texts.iter().map(written).collect(),
            filled: wanted.filled_of(record),
            wanted: Arc::clone(wanted),
            source,
            stats: LogStats::default(),
        }
    }

    fn has_texts_of(&self, record: &Record<'_>) -> bool {
        let same = |(slot, (kind, text)): (&u32, &(u8, Box<str>))| {
            record.value(*slot as usize).as_written() == Some((*kind, text.as_bytes()))
        };
        self.wanted.texts.iter().zip(&self.texts).all(same)
    }

    /// Shows a record that stands for all of them.
    pub fn show(&self, show: impl FnOnce(&Record<'_>)) {
        let literal =
            |slot: &model::Slot| if slot.literal.is_some() { Value::Literal } else { Value::Absent };
        let mut values: Vec<Value<'_>> = self.shape.slots.iter().map(literal).collect();
        for (slot, (kind, text)) in self.wanted.texts.iter().zip(&self.texts) {
            values[*slot as usize] = match kind {
                0 => Value::Absent,
                1 => Value::Empty,
                _ => Value::Utf8(text),
            };
        }
        for (slot, bit) in self.wanted.filled.iter().zip(0..) {
            let is_filled = self.filled >> bit & 1 == 1;
            values[*slot as usize] = if is_filled { Value::Utf8(FILLED) } else { Value::Empty };
        }
        let position = Position::default();
        show(&Record { shape: &self.shape, values: &values, position, time: self.stats.span.first });
    }
}

#[cfg(test)]
mod tests;
