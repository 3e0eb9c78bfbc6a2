//! From shapes to groups and slots: what a worker keeps of each shape.
//!
//! Shapes are told apart by their address; the cache holds on to each shape,
//! so that no address is used twice. It is bounded: evidence may hold as many
//! shapes as it likes.

use super::dispatch::{Dispatch, EventKey, Key, OTHER};
use super::field::FieldKey;
use super::group::Group;
use crate::rule::Rule;
use model::{LogFamily, Record, Role, Shape, Value};
use std::collections::HashMap;
use std::sync::Arc;

const SHAPES_MAX: usize = 1024;
const MAPS_PER_SHAPE_MAX: usize = 64;

/// The fields of a group in one shape.
pub(super) struct Slots {
    /// For each field, where its slots begin in `slots`; one more at the end.
    starts: Vec<u32>,
    slots: Vec<u32>,
    /// Fields that wake plans and have slots.
    pub(super) waking: Vec<u32>,
    pub(super) stem: Vec<u32>,
    pub(super) query: Vec<u32>,
}

impl Slots {
    fn new(group: &Group, shape: &Shape) -> Self {
        let answering = |name: &str| answering(shape, &[name]);
        let (stem, query) = (answering("cs-uri-stem"), answering("cs-uri-query"));
        let mut own = Self { starts: vec![0], slots: Vec::new(), waking: Vec::new(), stem, query };
        let mut by_name: HashMap<String, Vec<u32>> = HashMap::new();
        let fold = |name: &str| if shape.fold_case { name.to_ascii_lowercase() } else { name.to_owned() };
        for (index, slot) in shape.slots.iter().enumerate() {
            for name in std::iter::once(&slot.name).chain(&slot.aliases) {
                by_name.entry(fold(name)).or_default().push(index as u32);
            }
        }
        for (index, field) in group.fields.iter().enumerate() {
            let first = own.slots.len();
            match &field.key {
                FieldKey::Named(names) => {
                    own.slots.extend(names.iter().filter_map(|name| by_name.get(&fold(name))).flatten());
                    own.slots[first..].sort_unstable();
                }
                FieldKey::Keywords => own.slots.extend(0..shape.slots.len() as u32),
                FieldKey::StemAndQuery => own.slots.extend(own.stem.iter().chain(&own.query)),
            }
            if field.wakes && own.slots.len() > first {
                own.waking.push(index as u32);
            }
            own.starts.push(own.slots.len() as u32);
        }
        own
    }

    /// The slots that answer to a field of the group.
    pub(super) fn of(&self, field: u32) -> &[u32] {
        &self.slots[self.starts[field as usize] as usize..self.starts[field as usize + 1] as usize]
    }
}

/// The slots that answer to any of the names.
pub(super) fn answering(shape: &Shape, names: &[&str]) -> Vec<u32> {
    let answers = |index: &usize| names.iter().any(|name| shape.slots[*index].answers(name, shape.fold_case));
    (0..shape.slots.len()).filter(answers).map(|index| index as u32).collect()
}

/// The shapes that a worker met.
#[derive(Default)]
pub(super) struct Shapes {
    shapes: HashMap<usize, Known>,
    channel: String,
    /// Sources of records that were looked up, by number.
    seen: Vec<bool>,
}

struct Known {
    /// Held so that the address stays this shape's.
    _shape: Arc<Shape>,
    log: u16,
    /// Whether the EventID's slot is the only one of its name.
    narrow: bool,
    maps: Vec<Map>,
}

struct Map {
    key: Key,
    /// The key's number.
    number: usize,
    group: Arc<Group>,
    slots: Slots,
}

impl Shapes {
    /// The group of a record and where its fields are.
    pub(super) fn look_up(
        &mut self,
        record: &Record<'_>,
        dispatch: &Dispatch,
        rules: &[Rule],
    ) -> (&Group, &Slots) {
        let Self { shapes, channel, seen } = self;
        let address = Arc::as_ptr(record.shape) as usize;
        if shapes.len() >= SHAPES_MAX && !shapes.contains_key(&address) {
            shapes.clear();
        }
        let known = shapes.entry(address).or_insert_with(|| Known::new(record.shape, dispatch));
        let key = known.key(record, dispatch, channel);
        let index = match known.maps.iter().position(|map| map.key == key) {
            Some(index) => index,
            None => {
                if known.maps.len() >= MAPS_PER_SHAPE_MAX {
                    known.maps.clear();
                }
                let (number, group) = dispatch.group(key, rules);
                let slots = Slots::new(&group, record.shape);
                known.maps.push(Map { key, number, group, slots });
                known.maps.len() - 1
            }
        };
        let map = &known.maps[index];
        if seen.len() <= map.number {
            seen.resize(map.number + 1, false);
        }
        seen[map.number] = true;
        (&map.group, &map.slots)
    }

    /// Numbers of the keys that were looked up since this was asked last.
    pub(super) fn take_seen(&mut self) -> Vec<usize> {
        let seen = self.seen.iter_mut().enumerate();
        seen.filter_map(|(number, seen)| std::mem::take(seen).then_some(number)).collect()
    }
}

impl Known {
    fn new(shape: &Arc<Shape>, dispatch: &Dispatch) -> Self {
        let event_ids = answering(shape, &["EventID"]);
        let role = shape.role(Role::EventId).map(|slot| slot as u32);
        Self {
            _shape: Arc::clone(shape),
            log: dispatch.log(&shape.log),
            narrow: role.is_some() && event_ids.as_slice() == role.as_slice(),
            maps: Vec::new(),
        }
    }

    fn key(&self, record: &Record<'_>, dispatch: &Dispatch, channel: &mut String) -> Key {
        let family = record.shape.family;
        if family != LogFamily::WindowsEvents {
            return Key { family, log: self.log, channel: OTHER, event: EventKey::Unknown };
        }
        channel.clear();
        match record.role(Role::Channel) {
            Value::Absent | Value::Empty => {}
            value => value.write_text(channel),
        }
        channel.make_ascii_lowercase();
        let event = dispatch.event(&record.role(Role::EventId), self.narrow);
        Key { family, log: self.log, channel: dispatch.channel(channel), event }
    }
}
