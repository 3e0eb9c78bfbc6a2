//! Answers to values that came before: logs say the same again and again.
//!
//! A table of fixed size, one place for each hash. Hostile values can make it
//! useless, never large or wrong: the whole value is compared.

use crate::slots::Use;

const PLACES: usize = 1 << 12;
/// Longer values seldom come again.
const VALUE_BYTES_MAX: usize = 256;

#[derive(Default)]
pub(crate) struct Answers {
    places: Vec<Place>,
}

#[derive(Clone, Default)]
struct Place {
    sort: Sort,
    value: Vec<u8>,
    hits: Vec<u32>,
}

/// What an answer depends on besides the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sort {
    pub(crate) slot: Use,
    pub(crate) is_utf16: bool,
}

impl Answers {
    /// The hits in a value, which `scan` appends when they are not known.
    pub(crate) fn of(&mut self, sort: Sort, value: &[u8], scan: impl FnOnce(&mut Vec<u32>)) -> &[u32] {
        if self.places.is_empty() {
            // One more, for values that are too long.
            self.places = vec![Place::default(); PLACES + 1];
        }
        let is_short = value.len() <= VALUE_BYTES_MAX;
        let place = &mut self.places[if is_short { place_of(sort, value) } else { PLACES }];
        // An empty place answers for the empty value, rightly: nothing is in it.
        if is_short && place.sort == sort && place.value == value {
            return &place.hits;
        }
        place.hits.clear();
        scan(&mut place.hits);
        place.hits.sort_unstable();
        place.hits.dedup();
        if is_short {
            place.sort = sort;
            place.value.clear();
            place.value.extend_from_slice(value);
        }
        &place.hits
    }
}

/// A quick hash, eight bytes at a time; nothing is lost but time when values
/// are made to collide.
fn place_of(sort: Sort, bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let mut hash = mix(sort.slot as u64 * 2 + u64::from(sort.is_utf16), bytes.len() as u64);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    for byte in rest {
        hash = mix(hash, u64::from(*byte));
    }
    (hash >> (64 - PLACES.trailing_zeros())) as usize
}
