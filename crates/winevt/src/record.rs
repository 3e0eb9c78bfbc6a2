//! What stands around a record's stream, and the plans that records are read by.

use crate::header::CHUNK_BYTES;
use crate::plan::{Plan, Planner};
use crate::template::Templates;
use crate::value::{Decoder, Raw};
use crate::wire::{Broken, Cursor, Found};
use model::{Shape, Slot, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of plans kept, roughly. Records written out as plain elements can make
/// a plan each.
const PLANS_BYTES_MAX: usize = 16 << 20;
/// Steps of all plans used in one chunk. Real chunks need some thousands.
const CHUNK_STEPS_MAX: usize = 1 << 18;

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
    plans: Vec<Kept>,
    bytes: usize,
    /// Chunks begun so far.
    chunk: u64,
    /// Steps of the plans used in this chunk.
    steps: usize,
}

/// A plan, and the last chunk that it was used in.
struct Kept {
    plan: Plan,
    chunk: u64,
}

impl Shapes {
    /// Forgets what holds for one chunk only; everything, when it is too much.
    pub(crate) fn begin_chunk(&mut self) {
        if self.templates.is_full() || self.bytes > PLANS_BYTES_MAX {
            *self = Self { templates: self.templates.emptied(), ..Self::default() };
        }
        self.templates.begin_chunk();
        self.chunk += 1;
        self.steps = 0;
    }

    pub(crate) fn templates(&mut self) -> &mut Templates {
        &mut self.templates
    }

    /// The plan for a record of `key` with these `values`; `None` when this
    /// chunk has had so many different ones that it gets no more.
    pub(crate) fn plan<'a>(
        &mut self,
        key: &[u8],
        values: &[Raw<'a>],
        decoder: &Decoder<'a>,
    ) -> Option<&Plan> {
        let index = self.plan_index(key, values, decoder)?;
        Some(&self.plans[index].plan)
    }

    /// The same for a carved record.
    pub(crate) fn carved_plan<'a>(
        &mut self,
        key: &[u8],
        values: &[Raw<'a>],
        decoder: &Decoder<'a>,
    ) -> Option<&Plan> {
        let live = self.plan_index(key, values, decoder)?;
        // No stream's key begins so; plans are forgotten only between chunks.
        let key = [&[0xfe], &live.to_le_bytes()[..]].concat();
        let index = self.find(&key, |shapes| shapes.plans[live].plan.of_carved())?;
        Some(&self.plans[index].plan)
    }

    fn plan_index<'a>(&mut self, key: &[u8], values: &[Raw<'a>], decoder: &Decoder<'a>) -> Option<usize> {
        let index = self.find(key, |shapes| Planner::plan(key, &shapes.templates))?;
        if self.plans[index].plan.named.is_empty() {
            return Some(index);
        }
        // Fields named by values: a shape for each set of names.
        let named = &self.plans[index].plan.named;
        let names: Vec<String> =
            named.iter().map(|(_, source)| source.value(values, decoder).to_text()).collect();
        // No stream's key begins so.
        let mut key = [&[0xff], key].concat();
        for name in &names {
            key.extend_from_slice(&(name.len() as u32).to_le_bytes());
            key.extend_from_slice(name.as_bytes());
        }
        self.find(&key, |shapes| renamed(&shapes.plans[index].plan, &names))
    }

    /// The plan kept under `key`, made when there is none. Whether this chunk
    /// may have it depends on the chunk alone, not on what was read before.
    fn find(&mut self, key: &[u8], make: impl FnOnce(&Self) -> Plan) -> Option<usize> {
        if self.steps > CHUNK_STEPS_MAX {
            return None;
        }
        let index = match self.by_key.get(key) {
            Some(index) => *index,
            None => {
                let plan = make(self);
                self.bytes += key.len() + plan.bytes();
                self.plans.push(Kept { plan, chunk: 0 });
                self.by_key.insert(key.into(), self.plans.len() - 1);
                self.plans.len() - 1
            }
        };
        let kept = &mut self.plans[index];
        if kept.chunk != self.chunk {
            kept.chunk = self.chunk;
            self.steps += kept.plan.steps;
        }
        Some(index)
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
        steps: plan.sources.len() + names.iter().map(String::len).sum::<usize>() / 64,
    }
}
