//! Byte strings, each once, numbered in the order in which they came.
//!
//! All lie one behind the other in one buffer; the table holds numbers only.
//! A million of them cost their bytes and some ten more each, and looking one
//! up costs the same among a thousand and among a million.

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::{BuildHasher, Hasher};

/// Numbered byte strings. The first byte of each says its sort.
#[derive(Default)]
pub(crate) struct Keys {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<u32>,
    table: HashTable<u32>,
    // Seeded anew in each run, so that no list can be made to collide. Numbers
    // do not depend on it.
    hasher: DefaultHashBuilder,
}

impl Keys {
    /// The number of a string that is there.
    pub(crate) fn find(&self, sort: u8, rest: &[u8]) -> Option<u32> {
        let same = |id: &u32| is(key(&self.bytes, &self.ends, *id), sort, rest);
        self.table.find(hash(&self.hasher, sort, rest), same).copied()
    }

    /// The number of a string, and whether it is new; `None` when there is no
    /// room for further ones.
    pub(crate) fn insert(&mut self, sort: u8, rest: &[u8]) -> Option<(u32, bool)> {
        let Self { bytes, ends, table, hasher } = self;
        let same = |id: &u32| is(key(bytes, ends, *id), sort, rest);
        let rehash = |id: &u32| {
            let (sort, rest) = key(bytes, ends, *id).split_first().unwrap_or((&0, &[]));
            hash(hasher, *sort, rest)
        };
        match table.entry(hash(hasher, sort, rest), same, rehash) {
            Entry::Occupied(entry) => Some((*entry.get(), false)),
            Entry::Vacant(entry) => {
                let id = push(bytes, ends, sort, rest)?;
                entry.insert(id);
                Some((id, true))
            }
        }
    }

    /// Adds a string that is not looked up, and may be there already.
    pub(crate) fn append(&mut self, sort: u8, rest: &[u8]) -> Option<u32> {
        push(&mut self.bytes, &mut self.ends, sort, rest)
    }

    /// The string of a number: its sort and the rest.
    pub(crate) fn get(&self, id: u32) -> (u8, &[u8]) {
        key(&self.bytes, &self.ends, id).split_first().map_or((0, &[]), |(sort, rest)| (*sort, rest))
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

fn key<'k>(bytes: &'k [u8], ends: &[u32], id: u32) -> &'k [u8] {
    let at = id as usize;
    let start = at.checked_sub(1).map_or(0, |before| ends[before]);
    &bytes[start as usize..ends[at] as usize]
}

fn push(bytes: &mut Vec<u8>, ends: &mut Vec<u32>, sort: u8, rest: &[u8]) -> Option<u32> {
    let id = u32::try_from(ends.len()).ok()?;
    let end = u32::try_from(bytes.len() + 1 + rest.len()).ok()?;
    bytes.push(sort);
    bytes.extend_from_slice(rest);
    ends.push(end);
    Some(id)
}

fn is(key: &[u8], sort: u8, rest: &[u8]) -> bool {
    key.split_first() == Some((&sort, rest))
}

fn hash(hasher: &DefaultHashBuilder, sort: u8, rest: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write_u8(sort);
    state.write(rest);
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_once_and_numbered() {
        let mut keys = Keys::default();
        for round in 0..2 {
            for number in 0u32..5_000 {
                let told = keys.insert((number % 3) as u8, number.to_string().as_bytes());
                assert_eq!(told, Some((number, round == 0)));
            }
        }
        assert_eq!(keys.find(1, b"4"), Some(4));
        assert_eq!(keys.find(2, b"4"), None);
        assert_eq!(keys.get(4), (1, b"4".as_slice()));
        assert_eq!(keys.len(), 5_000);
    }
}
