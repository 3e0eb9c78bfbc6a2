//! From shapes to groups and slots: what a worker keeps of each shape.
//!
//! Bounded: evidence may hold as many shapes as it likes.

use super::dispatch::{Dispatch, EventKey, Key, OTHER};
use super::field::FieldKey;
use super::gate::Gate;
use super::group::Group;
use crate::naive;
use crate::rule::Rule;
use model::{LogFamily, PerShape, Record, Role, Shape, Value};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

const SHAPES_MAX: usize = 1024;
const MAPS_PER_SHAPE_MAX: usize = 64;
const RECENT_MAX: usize = 16;

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
pub(super) struct Shapes {
    shapes: PerShape<Known>,
    channel: String,
    /// Sources of records that were looked up, by number.
    seen: Vec<bool>,
}

impl Default for Shapes {
    fn default() -> Self {
        Self { shapes: PerShape::new(SHAPES_MAX), channel: String::new(), seen: Vec::new() }
    }
}

struct Known {
    log: u16,
    /// Whether the EventID's slot is the only one of its name.
    narrow: bool,
    maps: Vec<Map>,
    /// The map of records that came before, by what stands in them: what is the same need not be
    /// looked up by its text.
    recent: Vec<(Written, usize)>,
}

/// A channel and an EventID as a record has them.
#[derive(PartialEq)]
struct Written {
    channel: (u8, Vec<u8>),
    event: Option<i64>,
}

struct Map {
    key: Key,
    /// The key's number.
    number: usize,
    group: Arc<Group>,
    slots: Slots,
    /// Made when it is asked for first.
    gate: OnceCell<Option<Gate>>,
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
        let known = shapes.get(record.shape, |shape| Known::new(shape, dispatch));
        let index = known.map(record, channel, dispatch, rules);
        let map = &known.maps[index];
        if seen.len() <= map.number {
            seen.resize(map.number + 1, false);
        }
        seen[map.number] = true;
        (&map.group, &map.slots)
    }

    /// What says of raw text that no rule can match its records, and their number; none before a record of the
    /// shape was looked up, and none of shapes whose records meet different rules.
    pub(super) fn gate(&mut self, shape: &Arc<Shape>, dispatch: &Dispatch) -> Option<(&Gate, usize)> {
        let known = self.shapes.get(shape, |shape| Known::new(shape, dispatch));
        if shape.family == LogFamily::WindowsEvents {
            return None;
        }
        let [map] = known.maps.as_slice() else { return None };
        let gate = map.gate.get_or_init(|| Gate::new(&map.group, &map.slots, shape));
        gate.as_ref().map(|gate| (gate, map.number))
    }

    /// Numbers of the keys that were looked up since this was asked last.
    pub(super) fn take_seen(&mut self) -> Vec<usize> {
        let seen = self.seen.iter_mut().enumerate();
        seen.filter_map(|(number, seen)| std::mem::take(seen).then_some(number)).collect()
    }
}

impl Known {
    fn new(shape: &Shape, dispatch: &Dispatch) -> Self {
        let event_ids = answering(shape, &["EventID"]);
        let role = shape.role(Role::EventId).map(|slot| slot as u32);
        Self {
            log: dispatch.log(&shape.log),
            narrow: role.is_some() && event_ids.as_slice() == role.as_slice(),
            maps: Vec::new(),
            recent: Vec::new(),
        }
    }

    /// The map of a record, by its number; `text` is room for a channel.
    fn map(&mut self, record: &Record<'_>, text: &mut String, dispatch: &Dispatch, rules: &[Rule]) -> usize {
        let is_event = record.shape.family == LogFamily::WindowsEvents;
        let channel = if is_event { record.role(Role::Channel) } else { Value::Absent };
        let event = if is_event { naive::event_id(&record.role(Role::EventId)) } else { None };
        let written = channel.as_written();
        let same = |(own, _): &&(Written, usize)| {
            own.event == event && Some((own.channel.0, own.channel.1.as_slice())) == written
        };
        if let Some((_, index)) = self.recent.iter().find(same) {
            return *index;
        }
        text.clear();
        channel.write_text(text);
        text.make_ascii_lowercase();
        let index =
            self.map_of_key(self.key(record.shape.family, event, dispatch, text), record, dispatch, rules);
        if let Some((kind, bytes)) = written {
            if self.recent.len() >= RECENT_MAX {
                self.recent.clear();
            }
            self.recent.push((Written { channel: (kind, bytes.to_vec()), event }, index));
        }
        index
    }

    fn map_of_key(&mut self, key: Key, record: &Record<'_>, dispatch: &Dispatch, rules: &[Rule]) -> usize {
        if let Some(index) = self.maps.iter().position(|map| map.key == key) {
            return index;
        }
        if self.maps.len() >= MAPS_PER_SHAPE_MAX {
            self.maps.clear();
            self.recent.clear();
        }
        let (number, group) = dispatch.group(key, rules);
        let slots = Slots::new(&group, record.shape);
        self.maps.push(Map { key, number, group, slots, gate: OnceCell::new() });
        self.maps.len() - 1
    }

    fn key(&self, family: LogFamily, event: Option<i64>, dispatch: &Dispatch, channel: &str) -> Key {
        if family != LogFamily::WindowsEvents {
            return Key { family, log: self.log, channel: OTHER, event: EventKey::Unknown };
        }
        let event = dispatch.event(event, self.narrow);
        Key { family, log: self.log, channel: dispatch.channel(channel), event }
    }
}
