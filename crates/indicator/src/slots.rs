//! The slots of shapes: what their names say of what they hold, and what was
//! last found in each of them.
//!
//! Logs say the same again and again, mostly in the same column: a value that
//! is the one before is not looked at twice.

use crate::kind::plain_name;
use hashbrown::HashMap;
use model::{Shape, Slot};
use std::sync::Arc;

/// Shapes, slots of one shape, and bytes of a value that are remembered.
const SHAPES_MAX: usize = 256;
const SLOTS_MAX: usize = 128;
const VALUE_BYTES_MAX: usize = 160;

/// What is looked for in a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Use {
    /// What is looked for everywhere.
    #[default]
    Plain,
    /// The whole value is a user agent, too.
    Agent,
    /// The value is the query of a request, too.
    Query,
    /// 32 hex digits are an imphash, not an MD5.
    Imphash,
    /// Nothing: a time names nothing else.
    Time,
}

impl Use {
    pub(crate) fn of(slot: &Slot) -> Use {
        let mut names = std::iter::once(&slot.name).chain(&slot.aliases).map(|name| plain_name(name));
        names
            .find_map(|name| match name.as_str() {
                "imphash" => Some(Use::Imphash),
                "csuriquery" | "urlquery" | "query" | "querystring" | "uriquery" => Some(Use::Query),
                "clientinfostring" | "useragent" => Some(Use::Agent),
                "date" | "time" | "datetime" | "utctime" | "creationutctime" | "systemtime"
                | "timecreated" => Some(Use::Time),
                name if name.contains("useragent") => Some(Use::Agent),
                _ => None,
            })
            .unwrap_or_default()
    }
}

/// One slot of one shape.
#[derive(Default)]
pub(crate) struct SlotMemory {
    pub(crate) held: Use,
    is_utf16: bool,
    value: Vec<u8>,
    hits: Vec<u32>,
    forgets: bool,
}

impl SlotMemory {
    /// The hits in a value, which `scan` appends when it is not the one before.
    pub(crate) fn hits(&mut self, value: &[u8], is_utf16: bool, scan: impl FnOnce(&mut Vec<u32>)) -> &[u32] {
        if self.is_utf16 == is_utf16 && self.value == value {
            return &self.hits;
        }
        self.hits.clear();
        scan(&mut self.hits);
        self.is_utf16 = is_utf16;
        self.value.clear();
        if value.len() <= VALUE_BYTES_MAX && !self.forgets {
            self.value.extend_from_slice(value);
        }
        &self.hits
    }
}

/// The shapes that a worker met.
#[derive(Default)]
pub(crate) struct Shapes {
    // The shape is held, so that its address cannot come to mean another one.
    known: HashMap<usize, (Arc<Shape>, Vec<SlotMemory>)>,
}

impl Shapes {
    pub(crate) fn slots(&mut self, shape: &Arc<Shape>) -> &mut [SlotMemory] {
        let address = Arc::as_ptr(shape) as usize;
        if self.known.len() >= SHAPES_MAX && !self.known.contains_key(&address) {
            self.known.clear();
        }
        let (_, slots) = self.known.entry(address).or_insert_with(|| {
            let forgets = shape.slots.len() > SLOTS_MAX;
            let memory = |slot| SlotMemory { held: Use::of(slot), forgets, ..SlotMemory::default() };
            (Arc::clone(shape), shape.slots.iter().map(memory).collect())
        });
        slots
    }
}
