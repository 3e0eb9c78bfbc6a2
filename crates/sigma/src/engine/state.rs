//! The work on one record: scan, wake, compute conditions.
//!
//! All results are marked with the record's generation, so that nothing has
//! to be cleared between records, and nothing is allocated once the buffers
//! have grown.

use super::answers::Answers;
use super::field::{Buffers, FieldKey};
use super::group::{Group, Rest};
use super::profile::Meter;
use super::slots::Slots;
use crate::detection::{Comparison, Node, Number, Part, Reference, Test};
use crate::naive::{number_of, part_of, same_number, time_of};
use crate::text::count_chars;
use memchr::memmem;
use model::{Record, Value};
use std::net::IpAddr;

/// What a worker keeps while it works on a record.
#[derive(Default)]
pub(super) struct State {
    generation: u32,
    /// Leaves known to hold, by generation.
    holds: Vec<u32>,
    /// Leaves known not to hold.
    fails: Vec<u32>,
    scanned: Vec<u32>,
    woken: Vec<u32>,
    queue: Vec<u32>,
    /// Rules and the plans by which they match.
    found: Vec<(u32, u32)>,
    slots: Vec<u32>,
    room: Room,
}

/// What answering takes.
#[derive(Default)]
struct Room {
    answers: Answers,
    buffers: Buffers,
    /// For values that are put together.
    text: String,
}

/// One record under one group.
#[derive(Clone, Copy)]
struct View<'a> {
    group: &'a Group,
    slots: &'a Slots,
    record: &'a Record<'a>,
}

impl State {
    /// Shows the rules of `group` that match, each once, in ascending order,
    /// with the slots that their own words met when `with_slots`.
    pub(super) fn find(
        &mut self,
        (group, slots): (&Group, &Slots),
        record: &Record<'_>,
        with_slots: bool,
        meter: Option<&mut Meter>,
        found: &mut dyn FnMut(usize, &[u32]),
    ) {
        self.begin(group);
        self.room.buffers.begin();
        let view = View { group, slots, record };
        for &field in &slots.waking {
            self.scan(view, field);
        }
        self.queue.extend_from_slice(&group.always);
        let mut queue = std::mem::take(&mut self.queue);
        match meter {
            None => queue.drain(..).for_each(|plan| {
                self.attempt(view, plan);
            }),
            Some(meter) => {
                for plan in queue.drain(..) {
                    let began = meter.now();
                    let matched = self.attempt(view, plan);
                    meter.tried(group.plans[plan as usize].rule, matched, began);
                }
            }
        }
        self.queue = queue;
        self.found.sort_unstable();
        let mut rules = std::mem::take(&mut self.found);
        for plans in rules.chunk_by(|left, right| left.0 == right.0) {
            self.slots.clear();
            for (_, plan) in plans.iter().filter(|_| with_slots) {
                self.collect(view, &group.plans[*plan as usize].condition);
            }
            self.slots.sort_unstable();
            self.slots.dedup();
            found(plans[0].0 as usize, &self.slots);
        }
        rules.clear();
        self.found = rules;
    }

    /// Whether a plan's condition holds; notes it when it does.
    fn attempt(&mut self, view: View<'_>, index: u32) -> bool {
        let plan = &view.group.plans[index as usize];
        let holds = plan.only.is_none_or(|leaf| self.leaf(view, leaf)) && self.node(view, &plan.condition);
        if holds {
            self.found.push((plan.rule, index));
        }
        holds
    }

    fn begin(&mut self, group: &Group) {
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            // After four thousand million records marks would come round again.
            *self = Self { generation: 1, ..Self::default() };
        }
        let grow = |marks: &mut Vec<u32>, length: usize| {
            if marks.len() < length {
                marks.resize(length, 0);
            }
        };
        grow(&mut self.holds, group.leaves.len());
        grow(&mut self.fails, group.leaves.len());
        grow(&mut self.scanned, group.fields.len());
        grow(&mut self.woken, group.plans.len());
    }

    /// Scans the values of a field, once for each record.
    fn scan(&mut self, view: View<'_>, field: u32) {
        let Self { generation, holds, scanned, woken, queue, room, .. } = self;
        let Room { answers, buffers, text } = room;
        let generation = *generation;
        if std::mem::replace(&mut scanned[field as usize], generation) == generation {
            return;
        }
        if view.slots.of(field).is_empty() {
            return;
        }
        let matcher = view.group.matcher(field);
        let hold = &mut |leaf: u32| {
            if std::mem::replace(&mut holds[leaf as usize], generation) == generation {
                return;
            }
            for &plan in &view.group.leaves[leaf as usize].wakes {
                if std::mem::replace(&mut woken[plan as usize], generation) != generation {
                    queue.push(plan);
                }
            }
        };
        // Most values are of keywords, and too short for any: they are passed over here, one by one.
        let is_keywords = match view.group.fields[field as usize].key {
            FieldKey::Named(_) => false,
            FieldKey::Keywords => true,
            FieldKey::StemAndQuery => {
                if view.stem_and_query(text) {
                    answers.show(matcher, &Value::Utf8(text), buffers, hold);
                }
                return;
            }
        };
        for slot in view.slots.of(field) {
            match view.record.value(*slot as usize) {
                value @ (Value::Utf8(_) | Value::Utf16(_)) if matcher.is_below(&value) => {}
                value @ (Value::Utf8(_) | Value::Utf16(_)) => answers.show(matcher, &value, buffers, hold),
                value @ Value::List(_) => {
                    let shown = &mut |value: &Value<'_>| {
                        if !is_keywords || is_text(value) {
                            answers.show(matcher, value, buffers, hold);
                        }
                        false
                    };
                    any_of(&value, shown);
                }
                Value::Absent => {}
                value if !is_keywords => answers.show(matcher, &value, buffers, hold),
                _ => {}
            }
        }
    }

    fn node(&mut self, view: View<'_>, node: &Node) -> bool {
        match node {
            Node::And(parts) => parts.iter().all(|part| self.node(view, part)),
            Node::Or(parts) => parts.iter().any(|part| self.node(view, part)),
            Node::Not(part) => !self.node(view, part),
            Node::Leaf(leaf) => self.leaf(view, *leaf),
        }
    }

    fn leaf(&mut self, view: View<'_>, leaf: usize) -> bool {
        if self.holds[leaf] == self.generation {
            return true;
        }
        if self.fails[leaf] == self.generation {
            return false;
        }
        let own = &view.group.leaves[leaf];
        self.scan(view, own.field);
        let holds = self.holds[leaf] == self.generation
            || own.rest.iter().any(|test| self.room.field_holds(view, test, own.field));
        let marks = if holds { &mut self.holds } else { &mut self.fails };
        marks[leaf] = self.generation;
        holds
    }

    /// Adds the slots that made `node`, which holds, hold: those of leaves
    /// that hold and that no `not` stands above.
    fn collect(&mut self, view: View<'_>, node: &Node) {
        match node {
            Node::Not(_) => {}
            Node::And(parts) => parts.iter().for_each(|part| self.collect(view, part)),
            Node::Or(parts) => {
                for part in parts {
                    if self.node(view, part) {
                        self.collect(view, part);
                    }
                }
            }
            Node::Leaf(leaf) => {
                let Self { room, slots, .. } = self;
                room.collect_leaf(view, *leaf as u32, slots);
            }
        }
    }
}

impl Room {
    /// Adds the slots by which `leaf`, which holds, holds.
    fn collect_leaf(&mut self, view: View<'_>, leaf: u32, out: &mut Vec<u32>) {
        let own = &view.group.leaves[leaf as usize];
        if view.group.fields[own.field as usize].key == FieldKey::StemAndQuery {
            if view.stem_and_query(&mut self.text) {
                out.extend(view.slots.stem.first().iter().chain(&view.slots.query.first()).copied());
            }
            return;
        }
        let slots = view.slots.of(own.field);
        // What holds where there is but one slot holds by its values, if it has any.
        if let [slot] = slots {
            out.extend(view.any_of_slot(own.field, *slot, &mut |_| true).then_some(*slot));
            return;
        }
        let matcher = view.group.matcher(own.field);
        let met = &mut |value: &Value<'_>| {
            let mut holds = false;
            matcher.scan(value, &mut self.buffers, &mut |other| holds |= other == leaf);
            holds || own.rest.iter().any(|test| self.buffers.holds(view, test, value))
        };
        out.extend(slots.iter().filter(|slot| view.any_of_slot(own.field, **slot, met)));
    }

    /// Whether a test that scanning does not decide holds for the field.
    fn field_holds(&mut self, view: View<'_>, test: &Rest, field: u32) -> bool {
        let Self { buffers, text, .. } = self;
        let mut any = |wanted: &mut dyn FnMut(&Value<'_>) -> bool| view.any_value(field, text, wanted);
        match test {
            Rest::Test(Test::Exists(wanted)) => *wanted == any(&mut |_| true),
            Rest::Test(Test::Null) if !any(&mut |_| true) => true,
            test => any(&mut |value| buffers.holds(view, test, value)),
        }
    }
}

impl Buffers {
    /// Whether a test that scanning does not decide holds for a value that is
    /// there.
    fn holds(&mut self, view: View<'_>, test: &Rest, value: &Value<'_>) -> bool {
        let test = match test {
            Rest::Test(test) => test,
            Rest::Short(whole) => return self.whole(whole, value),
            Rest::Regex(literals, regex) => {
                self.fold(value);
                let is_there = |literal: &Vec<u8>| memmem::find(&self.folded, literal).is_some();
                return literals.iter().any(is_there) && regex.is_match(self.render(value));
            }
            Rest::Reference(reference, other) => return self.reference(view, reference, *other, value),
        };
        match test {
            Test::Exists(wanted) => *wanted,
            Test::Null => self.render(value).is_empty(),
            Test::Number(number) => number_of(value).is_some_and(|own| same_number(own, *number)),
            Test::Compare(compare) => compares(compare, value),
            Test::Regex(expression) => expression.regex.is_match(self.render(value)),
            Test::Cidr(cidr) => self.render(value).parse::<IpAddr>().is_ok_and(|address| cidr.holds(address)),
            // Without a literal it only counts characters.
            Test::Text(pattern) => {
                let wanted = pattern.parts.iter().filter(|part| **part == Part::One).count();
                let exact = !pattern.parts.contains(&Part::Any);
                self.fold(value);
                let count = count_chars(&self.folded);
                if exact { count == wanted } else { count >= wanted }
            }
            // Scanning decides it; it has a kind of its own.
            Test::Bool(_) | Test::Reference(_) => false,
        }
    }

    fn reference(&mut self, view: View<'_>, reference: &Reference, other: u32, value: &Value<'_>) -> bool {
        let mut first = std::mem::take(&mut self.other);
        first.clear();
        first.extend_from_slice(self.compared(value, reference.cased));
        let holds = view.slots.of(other).iter().any(|slot| {
            any_of(&view.record.value(*slot as usize), &mut |other| {
                let other = self.compared(other, reference.cased);
                match (reference.start, reference.end) {
                    (true, true) => memmem::find(&first, other).is_some(),
                    (true, false) => first.starts_with(other),
                    (false, true) => first.ends_with(other),
                    (false, false) => first == other,
                }
            })
        });
        self.other = first;
        holds
    }
}

fn compares(compare: &Comparison, value: &Value<'_>) -> bool {
    let own = match compare.part {
        None => number_of(value).map(Number::to_f64),
        Some(part) => time_of(value).map(|time| part_of(part, time)),
    };
    own.is_some_and(|own| compare.operator.holds(own, compare.number.to_f64()))
}

impl View<'_> {
    /// Whether `wanted` holds for any present value of the field, lists taken
    /// apart; `text` is room for values that are put together.
    fn any_value(&self, field: u32, text: &mut String, wanted: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
        match self.group.fields[field as usize].key {
            FieldKey::StemAndQuery => self.stem_and_query(text) && wanted(&Value::Utf8(text)),
            _ => self.slots.of(field).iter().any(|slot| self.any_of_slot(field, *slot, wanted)),
        }
    }

    /// The same for one slot of the field; keywords look at text only.
    fn any_of_slot(&self, field: u32, slot: u32, wanted: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
        let value = self.record.value(slot as usize);
        match self.group.fields[field as usize].key {
            FieldKey::Keywords => any_of(&value, &mut |value| is_text(value) && wanted(value)),
            _ => any_of(&value, wanted),
        }
    }

    /// Puts stem and query together; false when there is neither.
    fn stem_and_query(&self, text: &mut String) -> bool {
        let first = |slots: &[u32]| {
            let values = slots.iter().map(|slot| self.record.value(*slot as usize));
            values.into_iter().find(Value::is_present).unwrap_or(Value::Absent)
        };
        let (stem, query) = (first(&self.slots.stem), first(&self.slots.query));
        text.clear();
        stem.write_text(text);
        let length = text.len();
        if stem.is_present() {
            text.push('?');
        }
        let before = text.len();
        query.write_text(text);
        if text.len() == before {
            text.truncate(length);
        }
        stem.is_present() || query.is_present()
    }
}

/// Keywords look at text only.
fn is_text(value: &Value<'_>) -> bool {
    matches!(value, Value::Utf8(_) | Value::Utf16(_))
}

/// Whether `wanted` holds for the value or, of a list, for any of its values.
fn any_of(value: &Value<'_>, wanted: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
    match value {
        Value::Absent => false,
        Value::List([]) => wanted(&Value::Empty),
        Value::List(values) => values.iter().any(|value| any_of(value, wanted)),
        value => wanted(value),
    }
}

impl Buffers {
    /// The value's text.
    fn render(&mut self, value: &Value<'_>) -> &str {
        self.spare.clear();
        value.write_text(&mut self.spare);
        &self.spare
    }

    /// The value's text as references compare it.
    fn compared(&mut self, value: &Value<'_>, cased: bool) -> &[u8] {
        if cased {
            return self.render(value).as_bytes();
        }
        self.fold(value);
        &self.folded
    }
}
