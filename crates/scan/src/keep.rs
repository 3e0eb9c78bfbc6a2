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
    texts: Mutex<HashSet<Arc<str>>>,
    spill: SpillWriter,
}

impl Store {
    pub fn new() -> Self {
        Self { texts: Mutex::default(), spill: SpillWriter::new() }
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
    /// Whether fields of another kind lie there, too.
    last_beside: bool,
    place: Option<Spilled>,
}

/// What a finding keeps besides what matched.
pub struct Wish<'w> {
    /// Tells the wishes of one part apart.
    pub key: usize,
    /// Names of fields (a rule's `fields:`).
    pub wanted: &'w [String],
    pub memory: Memory,
    /// Fields that are not the record's; they stand first.
    pub beside: &'w [Field],
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
        wish: &Wish<'_>,
        matched: &[u32],
    ) -> (Vec<Field>, Option<Spilled>) {
        self.context.keep(record, matched, wish.key, wish.wanted, &mut self.kept);
        let beside = wish.beside;
        // A full disk costs memory, not findings.
        let spilled = if wish.memory == Memory::Whole { None } else { self.put_aside(store, record, beside) };
        if spilled.is_some() && wish.memory == Memory::Nothing {
            return (Vec::new(), spilled);
        }
        let Self { names, texts, kept, .. } = self;
        let names = names_of(names, store, record.shape);
        let stays = kept.iter().filter(|slot| spilled.is_none() || names[**slot].1);
        let field = |slot: &usize| {
            let text = texts.shared(record, *slot, |text| store.share(text));
            (Arc::clone(&names[*slot].0), text)
        };
        let beside = beside.iter().filter(|_| spilled.is_none()).cloned();
        let mut fields: Vec<Field> = beside.chain(stays.map(field)).collect();
        fields.shrink_to_fit();
        (fields, spilled)
    }

    fn put_aside(&mut self, store: &Store, record: &Record<'_>, beside: &[Field]) -> Option<Spilled> {
        let Self { texts, kept, block, last, place, last_beside, .. } = self;
        if place.is_none() || last != kept || !beside.is_empty() || *last_beside {
            *last_beside = !beside.is_empty();
            block.clear();
            beside.iter().for_each(|(name, text)| SpillWriter::add(block, name, text));
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
