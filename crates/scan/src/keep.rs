//! The fields of a finding, put where they belong: what is joined stays in
//! memory, all of it lies on disk.

use crate::context::{self, ContextSlots, Memory, Texts};
use crate::spill::SpillWriter;
use model::{Field, PerShape, Record, Spilled};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Texts up to this many bytes are shared between findings.
const SHARED_TEXT_BYTES_MAX: usize = 512;
/// Findings of one rule in one part that keep their whole record. Parts do not
/// depend on threads, so neither does which records are kept.
const RECORDS_PER_RULE_MAX: u8 = 4;
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

    /// Where texts are put aside.
    pub fn spill(&self) -> &SpillWriter {
        &self.spill
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
pub struct Keeper {
    context: ContextSlots,
    names: PerShape<Names>,
    texts: Texts,
    kept: Vec<usize>,
    block: Vec<u8>,
    /// Slots of this record that lie on disk already, those that matched, and
    /// where: rules that match one record mostly keep the same.
    last: (Vec<usize>, Vec<u32>),
    /// Whether fields of another kind lie there, too.
    last_beside: bool,
    place: Option<Spilled>,
    /// How many whole records each rule keeps, by the address of its facts.
    records: HashMap<usize, u8>,
    /// Where this one lies as a whole.
    record: Option<Spilled>,
}

/// A finding's fields, where they lie now.
#[derive(Default)]
pub struct Kept {
    pub fields: Vec<Field>,
    pub spilled: Option<Spilled>,
    pub record: Option<Spilled>,
}

/// What a finding keeps besides what matched.
pub struct Wish<'w> {
    /// Tells the wishes of one part apart.
    pub key: usize,
    /// Tells its rules apart.
    pub rule: usize,
    /// Names of fields (a rule's `fields:`).
    pub wanted: &'w [String],
    pub memory: Memory,
    /// Fields that are not the record's; they stand first.
    pub beside: &'w [Field],
}

/// The names of a shape's slots, and whether findings are joined by them.
type Names = Vec<(Arc<str>, bool)>;

impl Default for Keeper {
    fn default() -> Self {
        Self {
            context: ContextSlots::default(),
            names: PerShape::new(SHAPES_MAX),
            texts: Texts::default(),
            kept: Vec::new(),
            block: Vec::new(),
            last: Default::default(),
            last_beside: false,
            place: None,
            records: HashMap::new(),
            record: None,
        }
    }
}

impl Keeper {
    /// Begins the next record with findings.
    pub fn begin(&mut self, record: &Record<'_>) {
        self.texts.begin(record);
        self.place = None;
        self.record = None;
    }

    /// What of a finding's fields stays in memory, and where all of them lie.
    pub fn keep(&mut self, store: &Store, record: &Record<'_>, wish: &Wish<'_>, matched: &[u32]) -> Kept {
        self.context.keep(record, matched, wish.key, wish.wanted, &mut self.kept);
        let beside = wish.beside;
        // A full disk costs memory, not findings.
        let spilled = self.put_aside(store, record, beside, matched);
        let whole = self.whole_record(store, record, wish.rule);
        if spilled.is_some() && wish.memory == Memory::Nothing {
            return Kept { fields: Vec::new(), spilled, record: whole };
        }
        let is_whole = wish.memory == Memory::Whole || spilled.is_none();
        let Self { names, texts, kept, .. } = self;
        let names = names.get(record.shape, |shape| {
            let name = |name: &str| (store.share(name), context::joins(name));
            shape.slots.iter().map(|slot| name(&slot.name)).collect()
        });
        let stays = kept.iter().filter(|slot| is_whole || names[**slot].1);
        let field = |slot: &usize| {
            let text = texts.shared(record, *slot, |text| store.share(text));
            (Arc::clone(&names[*slot].0), text)
        };
        let beside = beside.iter().filter(|_| is_whole).cloned();
        let mut fields: Vec<Field> = beside.chain(stays.map(field)).collect();
        fields.shrink_to_fit();
        Kept { fields, spilled, record: whole }
    }

    fn put_aside(
        &mut self,
        store: &Store,
        record: &Record<'_>,
        beside: &[Field],
        matched: &[u32],
    ) -> Option<Spilled> {
        let Self { texts, kept, block, last, place, last_beside, .. } = self;
        let is_same = last.0 == *kept && last.1 == matched;
        if place.is_none() || !is_same || !beside.is_empty() || *last_beside {
            *last_beside = !beside.is_empty();
            block.clear();
            beside.iter().for_each(|(name, text)| SpillWriter::add(block, name, text, false));
            for slot in kept.iter() {
                let is_matched = matched.contains(&(*slot as u32));
                SpillWriter::add(block, &record.shape.slots[*slot].name, texts.of(record, *slot), is_matched);
            }
            *place = store.spill.put(block).ok();
            last.0.clone_from(kept);
            last.1.clear();
            last.1.extend_from_slice(matched);
        }
        *place
    }

    /// Where all of the record lies; `None` once the rule has kept enough.
    fn whole_record(&mut self, store: &Store, record: &Record<'_>, rule: usize) -> Option<Spilled> {
        let count = self.records.entry(rule).or_default();
        if *count >= RECORDS_PER_RULE_MAX {
            return None;
        }
        *count += 1;
        if self.record.is_none() {
            let Self { texts, block, .. } = self;
            block.clear();
            for (index, slot) in record.shape.slots.iter().enumerate() {
                if record.value(index).is_present() {
                    SpillWriter::add(block, &slot.name, texts.of(record, index), false);
                }
            }
            self.record = store.spill.put(block).ok();
        }
        self.record
    }
}
