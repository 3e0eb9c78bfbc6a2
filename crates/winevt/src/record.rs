//! What stands around a record's stream, and the plans that records are read by.

use crate::header::CHUNK_BYTES;
use crate::plan::{Plan, Planner};
use crate::template::Templates;
use crate::value::{Decoder, Raw};
use crate::wire::{Broken, Cursor, Found};
use model::{Shape, Slot, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// Plans kept. A whole Windows installation has some thousands; records
/// written out as plain elements can make one each.
const PLANS_MAX: usize = 8_192;
/// Slots in all plans kept.
const PLAN_SLOTS_MAX: usize = 262_144;

/// The header of a record.
pub(crate) struct RecordHeader {
    /// Bytes from its first to the last of its second size.
    pub size: usize,
    /// Its number in the log.
    pub number: u64,
    /// When the log wrote it; not always set.
    pub time: Option<Timestamp>,
    /// Whether the record ends with its size again.
    pub size_again: bool,
}

impl RecordHeader {
    /// How each record begins.
    pub(crate) const MAGIC: [u8; 4] = [0x2a, 0x2a, 0, 0];
    /// Size of the header.
    pub(crate) const BYTES: usize = 24;

    /// Reads the header of the record at `at` of `chunk`.
    ///
    /// # Errors
    /// When no record stands there, or none that ends within the chunk.
    pub(crate) fn parse(chunk: &[u8], at: usize) -> Result<Self, Broken> {
        let mut cursor = Cursor::new(chunk, at, chunk.len());
        let magic = cursor.u32("a record")?;
        if magic != u32::from_le_bytes(Self::MAGIC) {
            return Err(Broken::new(at, "a record (0x2a2a)", u64::from(magic)));
        }
        let size = cursor.u32("a record's size")?;
        let number = cursor.u64("a record's number")?;
        let time = cursor.u64("a record's time")?;
        let bytes = size as usize;
        if !(Self::BYTES + 4..=CHUNK_BYTES).contains(&bytes) {
            let wanted = "a record's size from 28 to 65536";
            return Err(Broken::new(at + 4, wanted, u64::from(size)));
        }
        if at + bytes > chunk.len() {
            let found = Found::End(chunk.len() - at);
            return Err(Broken { limit: false, at, wanted: "a record that ends in its chunk", found });
        }
        let again = Cursor::new(chunk, at + bytes - 4, at + bytes).u32("a record's size again")?;
        Ok(Self { size: bytes, number, time: Timestamp::from_filetime(time), size_again: again == size })
    }
}

/// Templates and plans met so far.
#[derive(Default)]
pub(crate) struct Shapes {
    templates: Templates,
    by_key: HashMap<Box<[u8]>, usize>,
    plans: Vec<Plan>,
    slots: usize,
}

impl Shapes {
    /// Forgets what holds for one chunk only; everything, when it is too much.
    pub(crate) fn begin_chunk(&mut self) {
        self.templates.begin_chunk();
        if self.templates.is_full() || self.plans.len() >= PLANS_MAX || self.slots >= PLAN_SLOTS_MAX {
            *self = Self::default();
        }
    }

    pub(crate) fn templates(&mut self) -> &mut Templates {
        &mut self.templates
    }

    /// The plan for a record of `key` with these `values`.
    pub(crate) fn plan<'a>(&mut self, key: &[u8], values: &[Raw<'a>], decoder: &Decoder<'a>) -> &Plan {
        let index = match self.by_key.get(key) {
            Some(index) => *index,
            None => self.keep(key, Planner::plan(key, &self.templates)),
        };
        if self.plans[index].named.is_empty() {
            return &self.plans[index];
        }
        // Fields named by values: a shape for each set of names.
        let names: Vec<String> = self.plans[index]
            .named
            .iter()
            .map(|(_, source)| source.value(values, decoder).to_text())
            .collect();
        // No stream's key begins so.
        let mut key = [&[0xff], key].concat();
        for name in &names {
            key.extend_from_slice(&(name.len() as u32).to_le_bytes());
            key.extend_from_slice(name.as_bytes());
        }
        let index = match self.by_key.get(&key[..]) {
            Some(index) => *index,
            None => {
                let plan = renamed(&self.plans[index], &names);
                self.keep(&key, plan)
            }
        };
        &self.plans[index]
    }

    fn keep(&mut self, key: &[u8], plan: Plan) -> usize {
        let index = self.plans.len();
        self.slots += plan.sources.len();
        self.plans.push(plan);
        self.by_key.insert(key.into(), index);
        index
    }
}

/// `plan` with the names of its named slots filled in.
fn renamed(plan: &Plan, names: &[String]) -> Plan {
    let mut shape = Shape::clone(&plan.shape);
    for ((slot, _), name) in plan.named.iter().zip(names) {
        let literal = shape.slots[*slot].literal.take();
        let name = if name.is_empty() { "Data" } else { name };
        shape.slots[*slot] = Slot { literal, ..Slot::new(name) };
    }
    Plan {
        shape: Arc::new(shape),
        sources: plan.sources.clone(),
        record: plan.record,
        time: plan.time,
        named: Vec::new(),
        cut: plan.cut,
    }
}
