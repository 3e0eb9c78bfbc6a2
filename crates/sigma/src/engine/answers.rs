//! Answers to values that came before: logs name the same program, the same
//! account again and again.
//!
//! A table of fixed size with one place for each hash: what a [`FieldMatcher`]
//! said of a value is remembered until another value takes the place. A field
//! whose values do not come again is left alone for a while. Hostile values can
//! make the table useless, never large, slow or wrong.

use super::field::{Buffers, FieldMatcher};
use model::Value;
use std::ops::RangeInclusive;

/// Places of values, and of fields.
const PLACES: usize = 1 << 10;
/// Shorter values are scanned as quickly as they are found here, longer ones seldom come again.
const VALUE_BYTES: RangeInclusive<usize> = 24..=512;
/// Leaves that one answer may have and be remembered.
const LEAVES_MAX: usize = 64;
/// Values of a field after which it is judged.
const TRIAL: u16 = 64;
/// A field is left alone when fewer than one in so many values came again …
const WORTH: u16 = 4;
/// … for so many values.
const REST: u16 = 2_048;

/// What a worker remembers of all fields.
#[derive(Default)]
pub(super) struct Answers {
    places: Vec<Place>,
    habits: Vec<Habit>,
}

#[derive(Clone, Default)]
struct Place {
    /// Of which field: groups live as long as their engine, so an address is never used again.
    matcher: usize,
    kind: u8,
    value: Vec<u8>,
    leaves: Vec<u32>,
}

/// How often values of a field came again.
#[derive(Clone, Copy, Default)]
struct Habit {
    matcher: usize,
    tried: u16,
    again: u16,
    /// Values for which it is left alone still.
    rest: u16,
}

impl Answers {
    /// Shows the leaves that hold for `value`, as [`FieldMatcher::scan`] does.
    pub(super) fn show(
        &mut self,
        matcher: &FieldMatcher,
        value: &Value<'_>,
        buffers: &mut Buffers,
        hold: &mut impl FnMut(u32),
    ) {
        if matcher.is_below(value) {
            return;
        }
        let Some((kind, bytes)) = value.as_written().filter(|(_, bytes)| VALUE_BYTES.contains(&bytes.len()))
        else {
            return matcher.scan(value, buffers, hold);
        };
        if self.places.is_empty() {
            self.places = vec![Place::default(); PLACES];
            self.habits = vec![Habit::default(); PLACES];
        }
        let address = std::ptr::from_ref(matcher) as usize;
        let habit = &mut self.habits[place_of(address as u64)];
        if !habit.is_worth(address) {
            return matcher.scan(value, buffers, hold);
        }
        let place = &mut self.places[place_of(mixed(address, bytes))];
        if place.matcher == address && place.kind == kind && place.value == bytes {
            habit.again += 1;
            return place.leaves.iter().for_each(|leaf| hold(*leaf));
        }
        place.leaves.clear();
        matcher.scan(value, buffers, &mut |leaf| {
            hold(leaf);
            place.leaves.push(leaf);
        });
        (place.matcher, place.kind) = (address, kind);
        place.value.clear();
        place.value.extend_from_slice(bytes);
        if place.leaves.len() > LEAVES_MAX {
            *place = Place::default();
        }
    }
}

impl Habit {
    /// Counts a value of the field; whether to look for it.
    fn is_worth(&mut self, matcher: usize) -> bool {
        if self.matcher != matcher {
            *self = Self { matcher, ..Self::default() };
        }
        if self.rest > 0 {
            self.rest -= 1;
            return false;
        }
        if self.tried == TRIAL {
            let rest = if self.again < TRIAL / WORTH { REST } else { 0 };
            *self = Self { matcher, rest, ..Self::default() };
        }
        self.tried += 1;
        true
    }
}

/// Length, beginning and end of a value (at least 24 bytes) say which it may be.
fn mixed(address: usize, bytes: &[u8]) -> u64 {
    let word = |at: usize| bytes[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
    let end = bytes.len() - 8;
    [word(0), word(end / 2), word(end - 8), word(end)]
        .into_iter()
        .fold((address ^ bytes.len()) as u64, |hash, word| (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR))
}

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

fn place_of(hash: u64) -> usize {
    (hash.wrapping_mul(FACTOR) >> (64 - PLACES.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::{Part, Pattern, Test};

    fn matcher() -> FieldMatcher {
        let test = |text: &str| {
            let parts = vec![Part::Any, Part::Text(text.to_owned()), Part::Any];
            Test::Text(Pattern { parts, cased: false })
        };
        FieldMatcher::new((0..).zip(&[test("program"), test("other")]))
    }

    fn shown(answers: &mut Answers, matcher: &FieldMatcher, value: &Value<'_>) -> Vec<u32> {
        let mut leaves = Vec::new();
        answers.show(matcher, value, &mut Buffers::default(), &mut |leaf| leaves.push(leaf));
        leaves.sort_unstable();
        leaves
    }

    #[test]
    fn what_is_remembered_is_what_is_scanned() {
        let (matcher, mut answers) = (matcher(), Answers::default());
        let one = "C:\\Program Files\\other\\one.exe";
        // Its bytes are those of the first, and its text is not.
        let two = Value::Utf16(one.as_bytes());
        for _ in 0..2 {
            assert_eq!(shown(&mut answers, &matcher, &Value::Utf8(one)), [0, 1]);
            assert_eq!(shown(&mut answers, &matcher, &two), [0; 0]);
            assert_eq!(shown(&mut answers, &matcher, &Value::Utf8(&one.replace("other", "ander"))), [0]);
            assert_eq!(shown(&mut answers, &matcher, &Value::Int(1)), [0; 0]);
        }
    }

    #[test]
    fn a_field_whose_values_do_not_come_again_is_left_alone() {
        let (matcher, mut answers) = (matcher(), Answers::default());
        for number in 0..u64::from(TRIAL) * 2 {
            let value = format!("C:\\Program Files\\{number:020}.exe");
            assert_eq!(shown(&mut answers, &matcher, &Value::Utf8(&value)), [0]);
        }
        let address = std::ptr::from_ref(&matcher) as usize;
        assert!(answers.habits[place_of(address as u64)].rest > 0);
    }
}
