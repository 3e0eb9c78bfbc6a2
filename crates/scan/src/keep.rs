//! The fields of a finding, put where they belong: what is joined stays in
//! memory, all of it lies on disk.

use crate::context::{self, ContextSlots, Memory, Texts};
use crate::spill::SpillWriter;
use model::{Field, Record, Shape, Spilled};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Texts up to this many bytes are shared between findings.
const SHARED_TEXT_BYTES_MAX: usize = 512;
/// Shapes whose names are remembered in one part.
const SHAPES_MAX: usize = 512;

/// Where fields go, for all threads.
pub struct Store {
    /// For each rule, what of its findings stays in memory.
    memory: Vec<Memory>,
    texts: Mutex<HashSet<Arc<str>>>,
    spill: SpillWriter,
}

impl Store {
    pub fn new(rules: &[sigma::Rule]) -> Self {
        let memory = rules.iter().map(context::memory).collect();
        Self { memory, texts: Mutex::default(), spill: SpillWriter::new() }
    }

    /// The fields that were put aside.
    pub fn into_spill(self) -> SpillWriter {
        self.spill
    }

    fn share(&self, text: &str) -> Arc<str> {
        if text.len() > SHARED_TEXT_BYTES_MAX {
            return text.into();
        }
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = texts.get(text) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = text.into();
        texts.insert(Arc::clone(&shared));
        shared
    }
}

/// Keeps the fields of the findings of one part, record by record.
#[derive(Default)]
pub struct Keeper {
    context: ContextSlots,
    names: HashMap<usize, Names>,
    texts: Texts,
    kept: Vec<usize>,
    block: Vec<u8>,
    /// Slots of this record that lie on disk already, and where: rules that
    /// match one record mostly keep the same.
    last: Vec<usize>,
    place: Option<Spilled>,
}

/// The names of a shape's slots, and whether findings are joined by them.
struct Names {
    // Held, so that its address cannot come to mean another shape.
    _shape: Arc<Shape>,
    slots: Vec<(Arc<str>, bool)>,
}

impl Keeper {
    /// Begins the next record with findings.
    pub fn begin(&mut self, record: &Record<'_>) {
        self.texts.begin(record);
        self.place = None;
    }

    /// What of a finding's fields stays in memory, and where all of them lie.
    pub fn keep(
        &mut self,
        store: &Store,
        record: &Record<'_>,
        (rule, facts): (usize, &sigma::Rule),
        matched: &[u32],
    ) -> (Vec<Field>, Option<Spilled>) {
        self.context.keep(record, matched, rule, &facts.fields, &mut self.kept);
        let memory = store.memory[rule];
        // A full disk costs memory, not findings.
        let spilled = if memory == Memory::Whole { None } else { self.put_aside(store, record) };
        if spilled.is_some() && memory == Memory::Nothing {
            return (Vec::new(), spilled);
        }
        let Self { names, texts, kept, .. } = self;
        let names = names_of(names, store, record.shape);
        let stays = kept.iter().filter(|slot| spilled.is_none() || names[**slot].1);
        let field = |slot: &usize| {
            let text = texts.shared(record, *slot, |text| store.share(text));
            (Arc::clone(&names[*slot].0), text)
        };
        let mut fields: Vec<Field> = stays.map(field).collect();
        fields.shrink_to_fit();
        (fields, spilled)
    }

    fn put_aside(&mut self, store: &Store, record: &Record<'_>) -> Option<Spilled> {
        let Self { texts, kept, block, last, place, .. } = self;
        if place.is_none() || last != kept {
            block.clear();
            for slot in kept.iter() {
                SpillWriter::add(block, &record.shape.slots[*slot].name, texts.of(record, *slot));
            }
            *place = store.spill.put(block).ok();
            last.clone_from(kept);
        }
        *place
    }
}

fn names_of<'n>(
    names: &'n mut HashMap<usize, Names>,
    store: &Store,
    shape: &Arc<Shape>,
) -> &'n [(Arc<str>, bool)] {
    let address = Arc::as_ptr(shape) as usize;
    if names.len() >= SHAPES_MAX && !names.contains_key(&address) {
        names.clear();
    }
    let known = names.entry(address).or_insert_with(|| {
        let name = |name: &str| (store.share(name), context::joins(name));
        let slots = shape.slots.iter().map(|slot| name(&slot.name)).collect();
        Names { _shape: Arc::clone(shape), slots }
    });
    &known.slots
}
