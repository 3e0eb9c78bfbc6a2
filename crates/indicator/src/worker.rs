//! The work on one record.

use crate::glance;
use crate::kind::Kind;
use crate::set::IndicatorSet;
use crate::slots::{Shapes, SlotMemory, Use};
use crate::text::{Room, Search};
use crate::value;
use model::{Record, Value};
use std::fmt;
use std::net::IpAddr;

/// Address families of Windows' socket addresses, in the order of their bytes.
const FAMILY_IPV4: [u8; 2] = [2, 0];
const FAMILY_IPV6: [u8; 2] = [23, 0];

/// What one thread needs to find indicators in records.
pub struct Worker<'s> {
    set: &'s IndicatorSet,
    shapes: Shapes,
    scratch: Scratch,
    /// Indicators and the slots they were found in.
    found: Vec<(u32, u32)>,
}

#[derive(Default)]
struct Scratch {
    text: String,
    room: Room,
}

impl<'s> Worker<'s> {
    /// A worker over `set`.
    pub fn new(set: &'s IndicatorSet) -> Self {
        Self { set, shapes: Shapes::default(), scratch: Scratch::default(), found: Vec::new() }
    }

    /// Calls `found` for each indicator that the record shows, in the order in
    /// which they were loaded, with the slots that show it, ascending.
    pub fn find(&mut self, record: &Record<'_>, found: &mut dyn FnMut(u32, &[u32])) {
        self.found.clear();
        let slots = self.shapes.slots(record.shape).iter_mut();
        for ((index, slot), value) in slots.enumerate().zip(record.values) {
            // Most slots of most records are empty or hold a number.
            let is_text = matches!(
                value,
                Value::Utf8(_) | Value::Utf16(_) | Value::Binary(_) | Value::List(_) | Value::Literal
            );
            if is_text && slot.held != Use::Time {
                let mut hit = |id| self.found.push((id, index as u32));
                find_in_value(self.set, &record.value(index), slot, &mut self.scratch, &mut hit);
            }
        }
        if self.found.is_empty() {
            return;
        }
        self.join_parts();
        self.found.sort_unstable();
        self.found.dedup();
        let mut slots: Vec<u32> = Vec::new();
        for hits in self.found.chunk_by(|left, right| left.0 == right.0) {
            let id = hits[0].0;
            if self.set.is_mentioned(id) {
                slots.clear();
                slots.extend(hits.iter().map(|(_, slot)| *slot));
                found(id, &slots);
            }
        }
    }

    /// Adds what has to be seen together and was.
    fn join_parts(&mut self) {
        let set = self.set;
        let mut wholes: Vec<u32> = self.found.iter().flat_map(|(id, _)| set.wholes(*id)).copied().collect();
        wholes.sort_unstable();
        wholes.dedup();
        for whole in wholes {
            let slots = |part: u32| self.found.iter().filter(move |(id, _)| *id == part);
            if set.parts(whole).all(|part| slots(part).next().is_some()) {
                let shown: Vec<u32> = set.parts(whole).flat_map(slots).map(|(_, slot)| *slot).collect();
                self.found.extend(shown.into_iter().map(|slot| (whole, slot)));
            }
        }
    }
}

/// Calls `hit` for what one value of a slot shows.
fn find_in_value(
    set: &IndicatorSet,
    value: &Value<'_>,
    slot: &mut SlotMemory,
    scratch: &mut Scratch,
    hit: &mut dyn FnMut(u32),
) {
    let (bytes, is_utf16) = match value {
        Value::Utf8(text) => (text.as_bytes(), false),
        Value::Utf16(bytes) => (*bytes, true),
        Value::Binary(bytes) => {
            let mut hits = Vec::new();
            binary(&mut Search { keys: &set.keys, gates: &set.gates, hits: &mut hits }, bytes);
            hits.into_iter().for_each(hit);
            return;
        }
        Value::List(values) => {
            values.iter().for_each(|value| find_in_value(set, value, slot, scratch, hit));
            return;
        }
        _ => return,
    };
    let held = slot.held;
    if bytes.is_empty() || !glance::has_signs(&set.gates, bytes, is_utf16, held) {
        return;
    }
    let hits = slot.hits(bytes, is_utf16, |hits| {
        let mut search = Search { keys: &set.keys, gates: &set.gates, hits };
        let Scratch { text, room } = scratch;
        let text = match value {
            Value::Utf8(text) => text,
            _ => {
                text.clear();
                value.write_text(text);
                text.as_str()
            }
        };
        let may_show = glance::may_show(&mut search, text);
        search.hits.clear();
        match may_show {
            true => search.text(text, held, room),
            false => search.of_slot(text, held, room),
        }
    });
    hits.iter().for_each(|id| hit(*id));
}

/// A hash in its bytes, or an address as Windows' sockets hold it.
fn binary(search: &mut Search<'_>, bytes: &[u8]) {
    let kind = match bytes.len() {
        16 => Some(Kind::Md5),
        20 => Some(Kind::Sha1),
        32 => Some(Kind::Sha256),
        _ => None,
    };
    if let Some(kind) = kind {
        search.hits.extend(search.keys.find(kind as u8, bytes));
    }
    // Family, port, address; IPv4 is padded, IPv6 has its flow before and its scope behind.
    if bytes.len() == 16 && bytes[..2] == FAMILY_IPV4 && bytes[8..] == [0; 8] {
        search.address(&bytes[4..8]);
    }
    if bytes.len() == 28 && bytes[..2] == FAMILY_IPV6 {
        let mut octets = [0; 16];
        octets.copy_from_slice(&bytes[8..24]);
        search.address(&value::octets(IpAddr::from(octets).to_canonical()));
    }
}

impl fmt::Debug for Worker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}
