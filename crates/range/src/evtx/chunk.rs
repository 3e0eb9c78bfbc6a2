//! One chunk: records, string table, template table, checksums.

use super::binxml::{self, Element, Names};
use super::value::{filetime, write_utf16};
use super::{Body, CHUNK_BYTES, Event, Field, Kind};
use std::collections::BTreeMap;

const CHUNK_HEADER_BYTES: usize = 512;
const STRING_BUCKETS: usize = 64;
const TEMPLATE_BUCKETS: usize = 32;
const STRING_TABLE_AT: usize = 128;
const TEMPLATE_TABLE_AT: usize = STRING_TABLE_AT + 4 * STRING_BUCKETS;

/// The names of a chunk, by offset; new ones chain to the last of their bucket.
#[derive(Default)]
struct StringTable {
    offsets: BTreeMap<String, u32>,
    buckets: Vec<u32>,
    /// Where the fragment that is being written will stand in the chunk.
    base: usize,
}

impl Names for StringTable {
    fn write_name(&mut self, out: &mut Vec<u8>, name: &str) {
        if let Some(offset) = self.offsets.get(name) {
            out.extend_from_slice(&offset.to_le_bytes());
            return;
        }
        let offset = (self.base + out.len() + 4) as u32;
        let hash = name_hash(name);
        let bucket = &mut self.buckets[usize::from(hash) % STRING_BUCKETS];
        out.extend_from_slice(&offset.to_le_bytes());
        out.extend_from_slice(&bucket.to_le_bytes());
        out.extend_from_slice(&hash.to_le_bytes());
        out.extend_from_slice(&(name.encode_utf16().count() as u16).to_le_bytes());
        write_utf16(out, name);
        out.extend_from_slice(&[0, 0]);
        *bucket = offset;
        self.offsets.insert(name.into(), offset);
    }
}

/// The hash that Windows stores beside a name: 65599 to the powers, 16 bits.
pub(super) fn name_hash(name: &str) -> u16 {
    name.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(65_599).wrapping_add(u32::from(unit)))
        as u16
}

/// A chunk that is being filled.
pub(super) struct Chunk {
    bytes: Vec<u8>,
    strings: StringTable,
    templates: BTreeMap<u32, u32>,
    template_buckets: Vec<u32>,
    records: Option<(u64, u64)>,
    last_record_at: usize,
}

impl Chunk {
    pub(super) fn new() -> Self {
        let mut bytes = Vec::with_capacity(CHUNK_BYTES);
        bytes.resize(CHUNK_HEADER_BYTES, 0);
        Self {
            bytes,
            strings: StringTable { buckets: vec![0; STRING_BUCKETS], ..StringTable::default() },
            templates: BTreeMap::new(),
            template_buckets: vec![0; TEMPLATE_BUCKETS],
            records: None,
            last_record_at: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_none()
    }

    /// Appends a record; false, and nothing changed, when there is no room.
    pub(super) fn push(&mut self, number: u64, computer: &str, event: &Event) -> bool {
        let outer_id = key(computer, [0, 0]);
        let inner_id = body_key(&event.kind, &event.body);
        if self.bytes.len() + self.size_max(computer, event, outer_id, inner_id) > CHUNK_BYTES {
            return false;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(b"**\0\0\0\0\0\0");
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self.bytes.extend_from_slice(&filetime(event.time).to_le_bytes());

        // The outer definition comes first in the chunk, then its values, of
        // which the last is the fragment: offsets are known in that order.
        let mut record = std::mem::take(&mut self.bytes);
        self.strings.base = 0;
        self.write_instance(&mut record, outer_id, || binxml::outer(computer));
        let mut values = outer_values(number, event);
        let descriptors = 4 + 4 * (values.len() + 1);
        let before: usize = values.iter().map(|field| sized(field).len()).sum();
        self.strings.base = record.len() + descriptors + before;
        values.push(Field::Fragment(self.fragment(event, inner_id)));
        write_values(&mut record, &values);
        record.push(0x00);
        while !(record.len() + 4 - start).is_multiple_of(8) {
            record.push(0x00);
        }
        let size = (record.len() + 4 - start) as u32;
        record.extend_from_slice(&size.to_le_bytes());
        record[start + 4..start + 8].copy_from_slice(&size.to_le_bytes());
        self.bytes = record;
        self.last_record_at = start;
        self.records = Some((self.records.map_or(number, |(first, _)| first), number));
        true
    }

    /// Room for the record, as if every name of a new definition were new.
    fn size_max(&self, computer: &str, event: &Event, outer_id: u32, inner_id: u32) -> usize {
        let definition = |id: u32, element: &dyn Fn() -> Element| {
            if self.templates.contains_key(&id) { 0 } else { 24 + 5 + binxml::size_max(&element()) }
        };
        let text: usize = match &event.body {
            Body::Named(fields) | Body::UserData(_, fields) => {
                fields.iter().map(|(_, field)| 4 + size_of_field(field)).sum()
            }
            Body::Unnamed(texts) => texts.iter().map(|text| 2 * text.len() + 2).sum(),
        };
        let outer = definition(outer_id, &|| binxml::outer(computer));
        let inner = definition(inner_id, &|| binxml::inner(&event.body));
        // Header, two instances, the outer values, padding and the closing size.
        text + outer + inner + 512
    }

    /// The provider's part, as it will stand at `self.strings.base`.
    fn fragment(&mut self, event: &Event, id: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(2_048);
        self.write_instance(&mut out, id, || binxml::inner(&event.body));
        match &event.body {
            Body::Named(fields) | Body::UserData(_, fields) => {
                out.extend_from_slice(&(fields.len() as u32).to_le_bytes());
                fields.iter().for_each(|(_, field)| write_descriptor(&mut out, field));
                fields.iter().for_each(|(_, field)| field.write(&mut out));
            }
            Body::Unnamed(texts) => write_values(&mut out, &[Field::Texts(texts.clone()), Field::Null]),
        }
        out.push(0x00);
        out
    }

    /// A fragment header and a template instance up to its values; the
    /// definition stands here when the chunk does not have it yet.
    fn write_instance(&mut self, out: &mut Vec<u8>, id: u32, element: impl Fn() -> Element) {
        out.extend_from_slice(&[0x0f, 0x01, 0x01, 0x00, 0x0c, 0x01]);
        out.extend_from_slice(&id.to_le_bytes());
        if let Some(offset) = self.templates.get(&id) {
            out.extend_from_slice(&offset.to_le_bytes());
            return;
        }
        let offset = (self.strings.base + out.len() + 4) as u32;
        out.extend_from_slice(&offset.to_le_bytes());
        let bucket = &mut self.template_buckets[id as usize % TEMPLATE_BUCKETS];
        out.extend_from_slice(&bucket.to_le_bytes());
        *bucket = offset;
        self.templates.insert(id, offset);
        // The id is the first part of the definition's GUID.
        for part in [id, id.rotate_left(11) ^ 0x5bd1_e995, id.rotate_left(19), !id] {
            out.extend_from_slice(&part.to_le_bytes());
        }
        out.extend_from_slice(&[0; 4]);
        let body_at = out.len();
        out.extend_from_slice(&[0x0f, 0x01, 0x01, 0x00]);
        binxml::write_element(out, &mut self.strings, &element());
        out.push(0x00);
        let size = (out.len() - body_at) as u32;
        out[body_at - 4..body_at].copy_from_slice(&size.to_le_bytes());
    }

    /// The chunk with its header and checksums.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.bytes;
        let free_at = bytes.len();
        bytes.resize(CHUNK_BYTES, 0);
        // An empty chunk has no first record: Windows writes "1 to none".
        let (first, last) = self.records.unwrap_or((1, u64::MAX));
        bytes[..8].copy_from_slice(b"ElfChnk\0");
        for (at, number) in [(8, first), (16, last), (24, first), (32, last)] {
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        let checksum = crc32fast::hash(&bytes[CHUNK_HEADER_BYTES..free_at]);
        for (at, number) in
            [(40, 128), (44, self.last_record_at as u32), (48, free_at as u32), (52, checksum)]
        {
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        for (index, offset) in self.strings.buckets.iter().enumerate() {
            let at = STRING_TABLE_AT + 4 * index;
            bytes[at..at + 4].copy_from_slice(&offset.to_le_bytes());
        }
        for (index, offset) in self.template_buckets.iter().enumerate() {
            let at = TEMPLATE_TABLE_AT + 4 * index;
            bytes[at..at + 4].copy_from_slice(&offset.to_le_bytes());
        }
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&bytes[..120]);
        checksum.update(&bytes[128..CHUNK_HEADER_BYTES]);
        bytes[124..128].copy_from_slice(&checksum.finalize().to_le_bytes());
        bytes
    }
}

/// The values of the outer template, but for the last, the fragment.
fn outer_values(number: u64, event: &Event) -> Vec<Field> {
    let kind = &event.kind;
    vec![
        Field::U8(kind.level),
        Field::U8(kind.opcode),
        Field::U16(kind.task),
        Field::U16(kind.id),
        kind.qualifiers.map_or(Field::Null, Field::U16),
        Field::Hex64(kind.keywords),
        Field::Time(event.time),
        Field::Null,
        Field::U32(event.process_id),
        Field::U32(event.thread_id),
        Field::U64(number),
        Field::U8(kind.version),
        event.user.clone().map_or(Field::Null, Field::Sid),
        Field::Null,
        Field::text(kind.provider.name),
        kind.provider.guid.map_or(Field::Null, Field::Guid),
        Field::text(kind.provider.channel),
    ]
}

fn sized(field: &Field) -> Vec<u8> {
    let mut bytes = Vec::new();
    field.write(&mut bytes);
    bytes
}

fn size_of_field(field: &Field) -> usize {
    match field {
        Field::Text(text) => 2 * text.len(),
        Field::Texts(texts) => texts.iter().map(|text| 2 * text.len() + 2).sum(),
        Field::Fragment(bytes) => bytes.len(),
        _ => 32,
    }
}

/// Size (bytes of the value; 16 bits in the format), type, zero.
fn write_descriptor(out: &mut Vec<u8>, field: &Field) {
    let size = match field {
        Field::Text(text) => 2 * text.encode_utf16().count(),
        Field::Fragment(bytes) => bytes.len(),
        _ => sized(field).len(),
    };
    out.extend_from_slice(&(size as u16).to_le_bytes());
    out.extend_from_slice(&[field.kind(), 0]);
}

fn write_values(out: &mut Vec<u8>, values: &[Field]) {
    out.extend_from_slice(&(values.len() as u32).to_le_bytes());
    values.iter().for_each(|field| write_descriptor(out, field));
    values.iter().for_each(|field| field.write(out));
}

/// FNV-1a over what makes a definition: one key, one definition.
fn key(text: &str, numbers: [u16; 2]) -> u32 {
    let bytes = text.bytes().chain(numbers.into_iter().flat_map(u16::to_le_bytes));
    bytes.fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn body_key(kind: &Kind, body: &Body) -> u32 {
    let numbers = [kind.id, u16::from(kind.version)];
    let own = key(kind.provider.name, numbers);
    match body {
        Body::Named(fields) | Body::UserData(_, fields) => {
            fields.iter().fold(own, |sum, (name, _)| sum.rotate_left(5) ^ key(name, numbers))
        }
        Body::Unnamed(_) => key("unnamed", [0, 0]),
    }
}
