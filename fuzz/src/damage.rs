//! What may befall an input, as a `proptest` strategy: a seed and a few changes to it.
//!
//! Places are shares of the input's length ([`Index`]), so that a change still
//! means something when another before it shrinks away.

use proptest::prelude::*;
use proptest::sample::Index;

/// Inputs longer than this are cut: long ones find nothing that short ones do not.
const INPUT_BYTES_MAX: usize = 192 * 1024;
/// Changes to one seed.
const CHANGES_MAX: usize = 8;
/// Values at which length fields break.
const EDGES: [u8; 8] = [0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, b'\n', b'"'];
/// Bytes of a length or an offset, most often.
const FIELD_BYTES: usize = 4;

/// A seed, by its place among the seeds, and what is done to it.
#[derive(Clone, Debug)]
pub struct Damage {
    seed: Index,
    changes: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    FlipBit(Index, u8),
    SetByte(Index, u8),
    FillField(Index, u8),
    Insert(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Repeat {
        from: Index,
        length: usize,
        to: Index,
    },
    /// The end of another seed takes the place of what follows.
    Splice {
        at: Index,
        seed: Index,
        from: Index,
    },
}

/// Any damage: one to eight changes.
pub fn damage() -> impl Strategy<Value = Damage> {
    (any::<Index>(), prop::collection::vec(change(), 1..=CHANGES_MAX))
        .prop_map(|(seed, changes)| Damage { seed, changes })
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    let edge = || prop::sample::select(&EDGES[..]);
    prop_oneof![
        (place(), 0..8_u8).prop_map(|(at, bit)| Change::FlipBit(at, bit)),
        (place(), edge()).prop_map(|(at, edge)| Change::SetByte(at, edge)),
        (place(), edge()).prop_map(|(at, edge)| Change::FillField(at, edge)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        place().prop_map(Change::Cut),
        (place(), 1..=64_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (place(), 1..=256_usize, place()).prop_map(|(from, length, to)| Change::Repeat { from, length, to }),
        (place(), place(), place()).prop_map(|(at, seed, from)| Change::Splice { at, seed, from }),
    ]
}

impl Damage {
    /// The damaged input.
    pub fn input(&self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = if seeds.is_empty() { Vec::new() } else { self.seed.get(seeds).clone() };
        input.truncate(INPUT_BYTES_MAX);
        for change in &self.changes {
            change.apply(&mut input, seeds);
        }
        input.truncate(INPUT_BYTES_MAX);
        input
    }
}

impl Change {
    fn apply(&self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        // One place more than there are bytes: the end.
        let place = |index: &Index| index.index(input.len() + 1);
        match self {
            Self::FlipBit(at, bit) if !input.is_empty() => *at.get_mut(input) ^= 1 << bit,
            Self::SetByte(at, byte) if !input.is_empty() => *at.get_mut(input) = *byte,
            Self::FlipBit(..) | Self::SetByte(..) => {}
            Self::FillField(at, edge) => {
                let at = place(at);
                let end = (at + FIELD_BYTES).min(input.len());
                input[at..end].fill(*edge);
            }
            Self::Insert(at, byte) => input.insert(place(at), *byte),
            Self::Cut(at) => input.truncate(place(at)),
            Self::Remove(at, length) => {
                let at = place(at);
                input.drain(at..(at + length).min(input.len()));
            }
            Self::Repeat { from, length, to } => {
                let (from, to) = (place(from), place(to));
                let copy = input[from..(from + length).min(input.len())].to_vec();
                input.splice(to..to, copy);
            }
            Self::Splice { at, seed, from } if !seeds.is_empty() => {
                let other = seed.get(seeds);
                input.truncate(place(at));
                input.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
            Self::Splice { .. } => {}
        }
    }
}
