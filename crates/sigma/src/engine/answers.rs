//! Answers to values that came before: logs say the same again and again.
//!
//! A table of fixed size, one place for each hash: what a [`FieldMatcher`]
//! said of a value is remembered until another value takes the place. Hostile
//! values can make it useless, never large or slow.

use super::field::{Buffers, FieldMatcher};
use model::Value;

const PLACES: usize = 1 << 12;
/// Longer values seldom come again.
const VALUE_BYTES_MAX: usize = 1024;
/// Leaves remembered in all; beyond, everything is forgotten.
const LEAVES_MAX: usize = 1 << 20;

/// What a worker remembers of all matchers.
#[derive(Default)]
pub(super) struct Answers {
    places: Vec<Place>,
    leaves: usize,
    /// The answer that is not remembered.
    other: Vec<u32>,
}

#[derive(Clone, Default)]
struct Place {
    /// Its address: groups live as long as their engine.
    matcher: usize,
    kind: u8,
    value: Vec<u8>,
    leaves: Vec<u32>,
}

impl Answers {
    /// The leaves that hold for `value` (present, no list), each once.
    pub(super) fn of(&mut self, matcher: &FieldMatcher, value: &Value<'_>, buffers: &mut Buffers) -> &[u32] {
        let number;
        let (kind, bytes) = match value {
            Value::Utf16(bytes) => (1, *bytes),
            Value::Utf8(text) => (2, text.as_bytes()),
            Value::Sid(bytes) => (3, *bytes),
            Value::Int(own) => {
                number = own.to_le_bytes();
                (4, number.as_slice())
            }
            Value::UInt(own) => {
                number = own.to_le_bytes();
                (5, number.as_slice())
            }
            Value::Hex(own) => {
                number = own.to_le_bytes();
                (6, number.as_slice())
            }
            _ => (0, [].as_slice()),
        };
        if kind == 0 || bytes.len() > VALUE_BYTES_MAX || matcher.is_quick() {
            scan(matcher, value, buffers, &mut self.other);
            return &self.other;
        }
        if self.places.is_empty() || self.leaves > LEAVES_MAX {
            self.places = vec![Place::default(); PLACES];
            self.leaves = 0;
        }
        let address = std::ptr::from_ref(matcher) as usize;
        let place = &mut self.places[place_of(address, kind, bytes)];
        if place.matcher == address && place.kind == kind && place.value == bytes {
            return &place.leaves;
        }
        // Room that a place has once taken it keeps, so that is what counts.
        let before = place.leaves.capacity();
        scan(matcher, value, buffers, &mut place.leaves);
        self.leaves += place.leaves.capacity() - before;
        (place.matcher, place.kind) = (address, kind);
        place.value.clear();
        place.value.extend_from_slice(bytes);
        &place.leaves
    }
}

fn scan(matcher: &FieldMatcher, value: &Value<'_>, buffers: &mut Buffers, leaves: &mut Vec<u32>) {
    leaves.clear();
    matcher.scan(value, buffers, &mut |leaf| leaves.push(leaf));
    leaves.sort_unstable();
    leaves.dedup();
}

/// A quick hash, eight bytes at a time (as rustc's own: rotate, xor, multiply);
/// nothing is lost but time when values are made to collide.
fn place_of(address: usize, kind: u8, bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let mut hash = mix(mix(address as u64, u64::from(kind)), bytes.len() as u64);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    for byte in rest {
        hash = mix(hash, u64::from(*byte));
    }
    (hash >> (64 - PLACES.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::{Part, Pattern, Test};

    #[test]
    fn what_is_remembered_is_what_is_scanned() {
        let test = |text: &str, any: bool| {
            let mut parts = vec![Part::Text(text.to_owned())];
            parts.extend(any.then_some(Part::Any));
            Test::Text(Pattern { parts, cased: false })
        };
        let tests = [test("1", false), test("a", true), test("ab", true)];
        let matcher = FieldMatcher::new((0..).zip(&tests));
        let (mut answers, mut buffers) = (Answers::default(), Buffers::default());
        for _ in 0..2 {
            assert_eq!(answers.of(&matcher, &Value::Utf8("ABC"), &mut buffers), [1, 2]);
            assert_eq!(answers.of(&matcher, &Value::Utf16(&[0x61, 0]), &mut buffers), [1]);
            assert_eq!(answers.of(&matcher, &Value::Int(1), &mut buffers), [0]);
            assert_eq!(answers.of(&matcher, &Value::Hex(1), &mut buffers), [0; 0]);
        }
    }

    #[test]
    fn many_leaves_are_forgotten_in_time() {
        let test = Test::Text(Pattern { parts: vec![Part::Text("x".into()), Part::Any], cased: false });
        let matcher = FieldMatcher::new((0..10_000).map(|leaf| (leaf, &test)));
        let (mut answers, mut buffers) = (Answers::default(), Buffers::default());
        for number in 0..500 {
            let value = format!("x{number}");
            assert_eq!(answers.of(&matcher, &Value::Utf8(&value), &mut buffers).len(), 10_000);
            assert!(answers.leaves <= LEAVES_MAX + 20_000);
        }
    }
}
