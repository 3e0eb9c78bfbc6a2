//! A key → the plan by which every record of that key is read: its shape, and
//! for each slot where the value comes from.

use crate::canon::{Canon, CanonReader};
use crate::name::{Area, Path};
use crate::template::Templates;
use crate::tokens::NO_DEPENDENCY;
use crate::value::{Decoder, Raw};
use bumpalo::Bump;
use model::{LogFamily, Role, Shape, Slot, Value};
use std::sync::Arc;

/// Slots of one shape. The largest real ones have some hundred.
const SLOTS_MAX: usize = 4_096;
/// Steps taken for one plan: a token, or 64 bytes of one. One fragment may
/// stand in many places.
const STEPS_MAX: usize = 65_536;
/// The slot that only carved records have; it holds `true`.
const CARVED: &str = "Carved";
/// Bytes of a text put together from values.
const TEXT_BYTES_MAX: usize = 128 << 10;

/// Where a slot's value comes from. Numbers index the record's values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// The slot's own literal.
    Literal,
    /// The element is there and empty.
    Empty,
    /// One value.
    Value { index: u32, optional: bool },
    /// Text put together.
    Text(Vec<Part>),
    /// As `source` says, unless one of the values is null.
    Guarded { guards: Box<[u32]>, source: Box<Source> },
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Literal(String),
    Value { index: u32, optional: bool },
}

impl Part {
    fn bytes(&self) -> usize {
        match self {
            Part::Literal(text) => size_of::<Part>() + text.len(),
            Part::Value { .. } => size_of::<Part>(),
        }
    }
}

/// How records of one key are read.
pub(crate) struct Plan {
    pub shape: Arc<Shape>,
    /// One for each slot.
    pub sources: Vec<Source>,
    /// The slot of System/EventRecordID.
    pub record: Option<usize>,
    /// The slot of System/TimeCreated's SystemTime.
    pub time: Option<usize>,
    /// Slots whose names are values themselves.
    pub named: Vec<(usize, Source)>,
    /// Whether slots were left out because there were too many.
    pub cut: bool,
    /// Steps it took to make.
    pub steps: usize,
}

impl Plan {
    /// The plan of carved records: one more slot says that they are.
    pub(crate) fn of_carved(&self) -> Self {
        let mut shape = Shape::clone(&self.shape);
        shape.slots.push(Slot { literal: Some("true".into()), ..Slot::new(CARVED) });
        let sources = self.sources.iter().cloned().chain([Source::Literal]).collect();
        Self {
            shape: Arc::new(shape),
            sources,
            named: Vec::new(),
            steps: self.steps,
            record: self.record,
            time: self.time,
            cut: self.cut,
        }
    }

    /// Bytes that it takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let slot = |slot: &Slot| 192 + slot.name.len() * 2 + slot.literal.as_deref().map_or(0, str::len);
        let slots = self.shape.slots.iter().map(slot);
        256 + slots.sum::<usize>() + self.sources.iter().map(Source::part_bytes).sum::<usize>()
    }
}

impl Source {
    fn part_bytes(&self) -> usize {
        match self {
            Source::Text(parts) => parts.iter().map(Part::bytes).sum(),
            Source::Guarded { guards, source } => guards.len() * 4 + source.part_bytes(),
            _ => 0,
        }
    }

    /// The value for a record with these `values`.
    #[inline]
    pub(crate) fn value<'a>(&self, values: &[Raw<'a>], decoder: &Decoder<'a>) -> Value<'a> {
        match self {
            Source::Value { index, optional } => match values.get(*index as usize) {
                Some(raw) => decoder.decode(*raw, *optional),
                None => Value::Absent,
            },
            Source::Literal => Value::Literal,
            Source::Empty => Value::Empty,
            Source::Text(parts) => text(parts, values, decoder),
            Source::Guarded { guards, source } => {
                let is_null = |index: &u32| values.get(*index as usize).is_some_and(Raw::is_null);
                if guards.iter().any(is_null) { Value::Absent } else { source.value(values, decoder) }
            }
        }
    }
}

fn text<'a>(parts: &[Part], values: &[Raw<'a>], decoder: &Decoder<'a>) -> Value<'a> {
    let (mut text, mut is_present) = (String::new(), false);
    for part in parts {
        if text.len() > TEXT_BYTES_MAX || decoder.is_full() {
            break;
        }
        match part {
            Part::Literal(literal) => {
                text.push_str(literal);
                is_present = true;
            }
            Part::Value { index, optional } => {
                let raw = values.get(*index as usize).copied().unwrap_or(Raw::UNREADABLE);
                let value = decoder.decode(raw, *optional);
                value.write_text(&mut text);
                is_present |= value.is_present();
            }
        }
    }
    if is_present { decoder.keep_text(&text).unwrap_or(Value::Absent) } else { Value::Absent }
}

/// An element that is open.
struct Open {
    name: String,
    area: Area,
    /// The `Name` attribute, when the element is a field by that name.
    field: Option<Vec<Part>>,
    has_attributes: bool,
    has_children: bool,
    parts: Vec<Part>,
    guards: usize,
}

/// Builds one plan.
pub(crate) struct Planner<'t> {
    templates: &'t Templates,
    slots: Vec<Slot>,
    sources: Vec<Source>,
    named: Vec<(usize, Source)>,
    /// Slots that stand in System.
    system: Vec<usize>,
    open: Vec<Open>,
    attribute: Option<(String, Vec<Part>)>,
    guards: Vec<u32>,
    steps: usize,
    cut: bool,
}

impl<'t> Planner<'t> {
    /// The plan for records of `key`.
    pub(crate) fn plan(key: &[u8], templates: &'t Templates) -> Plan {
        let mut planner = Self {
            templates,
            slots: Vec::new(),
            sources: Vec::new(),
            named: Vec::new(),
            system: Vec::new(),
            open: Vec::new(),
            attribute: None,
            guards: Vec::new(),
            steps: 0,
            cut: false,
        };
        planner.stream(CanonReader::new(key), 0);
        planner.finish()
    }

    fn finish(self) -> Plan {
        // EventData has a `Channel` or `Computer` of its own now and then.
        let slot = |name: &str| {
            self.system.iter().copied().find(|slot| self.slots.get(*slot).is_some_and(|s| &*s.name == name))
        };
        let roles = [
            (Role::Channel, "Channel"),
            (Role::Provider, "Provider_Name"),
            (Role::EventId, "EventID"),
            (Role::Host, "Computer"),
        ];
        let (record, time) = (slot("EventRecordID"), slot("TimeCreated"));
        let found = roles.map(|(role, name)| (role, slot(name)));
        let mut shape = Shape::new(LogFamily::WindowsEvents, "", self.slots, false);
        for (role, slot) in found {
            if let Some(slot) = slot {
                shape = shape.with_role(role, slot);
            }
        }
        Plan {
            shape: Arc::new(shape),
            sources: self.sources,
            record,
            time,
            named: self.named,
            cut: self.cut,
            steps: self.steps,
        }
    }

    /// A stream of the record: `next` is its first value.
    fn stream(&mut self, mut reader: CanonReader<'_>, mut next: u32) {
        while let Some(token) = reader.next() {
            if !self.step(&token) {
                return;
            }
            match token {
                Canon::Value => {
                    self.part(Part::Value { index: next, optional: false });
                    next += 1;
                }
                Canon::Instance { template, values } => {
                    next = self.instance(&mut reader, template, next, values);
                }
                Canon::EndOfStream => return,
                token => self.structure(token, None),
            }
        }
    }

    /// A template instance whose values begin at `base`; gives the first value
    /// after those of it and its fragments.
    fn instance(&mut self, reader: &mut CanonReader<'_>, template: u32, base: u32, values: u32) -> u32 {
        let mut next = base + values;
        let mut nested = Vec::new();
        while let Some(Canon::Nested { index, size, values }) = reader.next() {
            nested.push((index, reader.split(size), next));
            next += values;
        }
        let templates = self.templates;
        for token in CanonReader::new(templates.form(template)) {
            if !self.step(&token) {
                break;
            }
            match token {
                Canon::Substitution { index, optional } => {
                    let found = nested.binary_search_by_key(&u32::from(index), |(at, ..)| *at);
                    match found.ok().and_then(|found| nested.get(found)) {
                        Some((_, stream, first)) if self.attribute.is_none() => {
                            self.stream(stream.clone(), *first);
                        }
                        _ if u32::from(index) < values => {
                            self.part(Part::Value { index: base + u32::from(index), optional });
                        }
                        // Nothing was given for it.
                        _ => {}
                    }
                }
                token => self.structure(token, Some((base, values))),
            }
        }
        next
    }

    /// Counts a step; `false` when it is one too many.
    fn step(&mut self, token: &Canon<'_>) -> bool {
        let bytes = match token {
            Canon::Element(_, bytes) | Canon::Attribute(bytes) | Canon::Text(_, bytes) => bytes.len(),
            _ => 0,
        };
        self.steps += 1 + bytes / 64;
        self.cut |= self.steps > STEPS_MAX;
        !self.cut
    }

    fn structure(&mut self, token: Canon<'_>, instance: Option<(u32, u32)>) {
        match token {
            Canon::Element(dependency, name) => {
                let guards = self.guards.len();
                if let Some((base, values)) = instance
                    && dependency != NO_DEPENDENCY
                    && u32::from(dependency) < values
                {
                    self.guards.push(base + u32::from(dependency));
                }
                self.open_element(utf16(name), guards);
            }
            Canon::Attribute(name) => {
                self.close_attribute();
                self.attribute = Some((utf16(name), Vec::new()));
            }
            Canon::Content => self.close_attribute(),
            Canon::End => self.close_element(),
            Canon::Text(kind, bytes) => {
                let literal = literal(kind, bytes);
                self.part(Part::Literal(literal));
            }
            _ => {}
        }
    }

    fn open_element(&mut self, name: String, guards: usize) {
        if let Some(parent) = self.open.last_mut() {
            parent.has_children = true;
        }
        let area = Area::of(self.open.last().map(|parent| parent.area), &name);
        self.open.push(Open {
            name,
            area,
            field: None,
            has_attributes: false,
            has_children: false,
            parts: Vec::new(),
            guards,
        });
    }

    fn part(&mut self, part: Part) {
        let parts = match (&mut self.attribute, self.open.last_mut()) {
            (Some((_, parts)), _) => parts,
            (None, Some(open)) => &mut open.parts,
            (None, None) => return,
        };
        match (part, parts.last_mut()) {
            // Character references and entities cut a literal into pieces.
            (Part::Literal(more), Some(Part::Literal(text))) => text.push_str(&more),
            (part, _) => parts.push(part),
        }
    }

    fn close_attribute(&mut self) {
        let (Some((name, parts)), Some(open)) = (self.attribute.take(), self.open.last_mut()) else {
            return;
        };
        if name == "xmlns" || name.starts_with("xmlns:") {
            return;
        }
        if name == "Name" && open.area.names_fields(&open.name) {
            open.field = Some(parts);
            return;
        }
        open.has_attributes = true;
        let slot = Path { area: open.area, element: &open.name }.attribute(&name);
        if open.area.is_system() {
            self.system.push(self.slots.len());
        }
        self.slot(&slot, parts, false);
    }

    fn close_element(&mut self) {
        let Some(mut open) = self.open.pop() else { return };
        let path = Path { area: open.area, element: &open.name };
        let is_white = |part: &Part| matches!(part, Part::Literal(text) if text.trim().is_empty());
        if open.has_children && open.parts.iter().all(is_white) {
            open.parts.clear();
        }
        let is_container = open.area.is_container(&open.name);
        let is_leaf = !open.has_children && !is_container && !open.area.is_system() && !open.has_attributes;
        if open.area.is_system() {
            self.system.push(self.slots.len());
        }
        match open.field.take() {
            Some(field) => self.field(&field, open.parts),
            None if !open.parts.is_empty() || is_leaf => self.slot(&path.text(), open.parts, is_container),
            None => {}
        }
        self.guards.truncate(open.guards);
    }

    /// A slot named by the text of `field`.
    fn field(&mut self, field: &[Part], parts: Vec<Part>) {
        match field {
            [] => self.slot("Data", parts, false),
            [Part::Literal(name)] => self.slot(name, parts, false),
            _ => {
                self.named.push((self.slots.len(), Source::Text(field.to_vec())));
                self.slot("Data", parts, false);
            }
        }
    }

    fn slot(&mut self, name: &str, parts: Vec<Part>, is_container: bool) {
        if self.slots.len() >= SLOTS_MAX {
            self.cut = true;
            return;
        }
        let mut slot = Slot::new(name);
        let source = match &parts[..] {
            [] => Source::Empty,
            [Part::Literal(text)] => {
                slot.literal = Some(text.as_str().into());
                Source::Literal
            }
            // Where a fragment would stand and does not, there is no text.
            [Part::Value { index, optional }] => {
                Source::Value { index: *index, optional: *optional || is_container }
            }
            _ => Source::Text(parts),
        };
        self.slots.push(slot);
        self.sources.push(guarded(source, &self.guards));
    }
}

/// An optional value says by itself what a guard on the same value says.
fn guarded(source: Source, guards: &[u32]) -> Source {
    let own = match source {
        Source::Value { index, optional: true } => Some(index),
        _ => None,
    };
    let guards: Box<[u32]> = guards.iter().copied().filter(|guard| Some(*guard) != own).collect();
    if guards.is_empty() { source } else { Source::Guarded { guards, source: Box::new(source) } }
}

fn utf16(bytes: &[u8]) -> String {
    Value::Utf16(bytes).to_text()
}

fn literal(kind: u8, bytes: &[u8]) -> String {
    let arena = Bump::new();
    Decoder::new(&arena).decode(Raw { kind, bytes }, true).to_text()
}
