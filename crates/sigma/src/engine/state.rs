//! The work on one record: scan, wake, compute conditions.
//!
//! All results are marked with the record's generation, so that nothing has
//! to be cleared between records, and nothing is allocated once the buffers
//! have grown.

use super::field::{Buffers, FieldKey, pieces_of};
use super::group::Group;
use super::slots::Slots;
use crate::detection::{Comparison, Node, Number, Reference, Test};
use crate::naive::{number_of, part_of, same_number, time_of};
use crate::text::{fits, fold_value};
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
    found: Vec<u32>,
    buffers: Buffers,
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
    /// Shows the rules of `group` that match, each once, in ascending order.
    pub(super) fn find(
        &mut self,
        group: &Group,
        slots: &Slots,
        record: &Record<'_>,
        found: &mut dyn FnMut(usize),
    ) {
        self.begin(group);
        let view = View { group, slots, record };
        for &field in &slots.waking {
            self.scan(view, field);
        }
        self.queue.extend_from_slice(&group.always);
        let mut queue = std::mem::take(&mut self.queue);
        for plan in queue.drain(..) {
            let plan = &group.plans[plan as usize];
            if self.node(view, &plan.condition) {
                self.found.push(plan.rule);
            }
        }
        self.queue = queue;
        self.found.sort_unstable();
        self.found.dedup();
        self.found.drain(..).for_each(|rule| found(rule as usize));
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
        let Self { generation, holds, scanned, woken, queue, buffers, text, .. } = self;
        let generation = *generation;
        if std::mem::replace(&mut scanned[field as usize], generation) == generation {
            return;
        }
        if view.slots.of(field).is_empty() {
            return;
        }
        let matcher = view.group.matcher(field);
        let mut hold = |leaf: u32| {
            if std::mem::replace(&mut holds[leaf as usize], generation) == generation {
                return;
            }
            for &plan in &view.group.leaves[leaf as usize].wakes {
                if std::mem::replace(&mut woken[plan as usize], generation) != generation {
                    queue.push(plan);
                }
            }
        };
        view.any_value(field, text, &mut |value| {
            matcher.scan(value, buffers, &mut hold);
            false
        });
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
            || own.rest.iter().any(|test| self.test(view, test, own.field));
        let marks = if holds { &mut self.holds } else { &mut self.fails };
        marks[leaf] = self.generation;
        holds
    }

    /// A test that scanning does not decide.
    fn test(&mut self, view: View<'_>, test: &Test, field: u32) -> bool {
        let Self { buffers, text, .. } = self;
        match test {
            Test::Exists(wanted) => *wanted == view.any_value(field, text, &mut |_| true),
            Test::Null => {
                let mut present = false;
                let blank = view.any_value(field, text, &mut |value| {
                    present = true;
                    buffers.render(value).is_empty()
                });
                blank || !present
            }
            Test::Number(number) => view.any_value(field, text, &mut |value| {
                number_of(value).is_some_and(|own| same_number(own, *number))
            }),
            Test::Compare(compare) => view.any_value(field, text, &mut |value| compares(compare, value)),
            Test::Regex(expression) => {
                view.any_value(field, text, &mut |value| expression.regex.is_match(buffers.render(value)))
            }
            Test::Cidr(cidr) => view.any_value(field, text, &mut |value| {
                buffers.render(value).parse::<IpAddr>().is_ok_and(|address| cidr.holds(address))
            }),
            Test::Reference(reference) => view.reference(reference, field, text),
            Test::Text(pattern) => {
                let pieces = pieces_of(pattern);
                view.any_value(field, text, &mut |value| {
                    if pattern.cased {
                        fits(&pieces, buffers.render(value).as_bytes())
                    } else {
                        fits(&pieces, buffers.fold(value))
                    }
                })
            }
            // Scanning decides it.
            Test::Bool(_) => false,
        }
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
        let slots = self.slots.of(field);
        match self.group.fields[field as usize].key {
            FieldKey::Named(_) => slots.iter().any(|slot| any_of(&self.record.value(*slot as usize), wanted)),
            FieldKey::Keywords => slots.iter().any(|slot| {
                any_of(&self.record.value(*slot as usize), &mut |value| {
                    matches!(value, Value::Utf8(_) | Value::Utf16(_)) && wanted(value)
                })
            }),
            FieldKey::StemAndQuery => self.stem_and_query(text) && wanted(&Value::Utf8(text)),
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

    fn reference(&self, reference: &Reference, field: u32, text: &mut String) -> bool {
        let names: Vec<&str> = reference.names.iter().map(String::as_str).collect();
        let others = super::slots::answering(self.record.shape, &names);
        let render = |value: &Value<'_>| -> Vec<u8> {
            let mut out = Vec::new();
            if reference.cased {
                out.extend_from_slice(value.to_text().as_bytes());
            } else {
                fold_value(value, &mut out, &mut String::new());
            }
            out
        };
        self.any_value(field, text, &mut |value| {
            let own = render(value);
            others.iter().any(|slot| {
                any_of(&self.record.value(*slot as usize), &mut |other| {
                    let other = render(other);
                    match (reference.start, reference.end) {
                        (true, true) => memchr::memmem::find(&own, &other).is_some(),
                        (true, false) => own.starts_with(&other),
                        (false, true) => own.ends_with(&other),
                        (false, false) => own == other,
                    }
                })
            })
        })
    }
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

    /// The value's text, folded.
    fn fold(&mut self, value: &Value<'_>) -> &[u8] {
        self.folded.clear();
        fold_value(value, &mut self.folded, &mut self.spare);
        &self.folded
    }
}
