//! A registry hive of version 1.5: one bin, all keys below one root.

use super::{filetime, wide};
use model::Timestamp;
use std::collections::BTreeMap;

/// The data of a value, by type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Data {
    /// `REG_SZ`
    Text(String),
    /// `REG_EXPAND_SZ`
    Expand(String),
    /// `REG_DWORD`
    Dword(u32),
    /// `REG_QWORD`
    Qword(u64),
    /// `REG_MULTI_SZ`
    Multi(Vec<String>),
    /// `REG_BINARY`
    Binary(Vec<u8>),
}

/// A key; those above it are made as well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Below the root, parted by backslashes.
    pub path: String,
    /// None is a zero FILETIME.
    pub last_write: Option<Timestamp>,
    /// Whether its cells are free, and nothing leads to them.
    pub deleted: bool,
    /// Names and data.
    pub values: Vec<(String, Data)>,
}

/// Data in one cell of big data.
const SEGMENT_BYTES: usize = 16_344;
const NONE: u32 = u32::MAX;

#[derive(Default)]
struct Node<'a> {
    below: BTreeMap<String, Node<'a>>,
    key: Option<&'a Key>,
}

/// The hive of `keys`.
pub fn hive(keys: &[Key]) -> Vec<u8> {
    let mut root = Node::default();
    for key in keys {
        let mut node = &mut root;
        for name in key.path.split('\\').filter(|name| !name.is_empty()) {
            node = node.below.entry(name.into()).or_default();
        }
        node.key = Some(key);
    }
    let mut cells = Cells { bytes: vec![0; 32] };
    let root_at = cells.write_key("ROOT", &root, NONE, true);
    cells.finish(root_at)
}

struct Cells {
    /// The bin, from its header on.
    bytes: Vec<u8>,
}

impl Cells {
    /// Writes a cell; gives its offset.
    fn cell(&mut self, content: &[u8], is_free: bool) -> u32 {
        let at = self.bytes.len();
        let len = (content.len() + 4).next_multiple_of(8);
        let size = if is_free { len as i32 } else { -(len as i32) };
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(content);
        self.bytes.resize(at + len, 0);
        at as u32
    }

    fn put(&mut self, cell: u32, at: usize, number: u32) {
        let at = cell as usize + 4 + at;
        self.bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }

    /// Writes a key, then its values, then the keys below.
    fn write_key(&mut self, name: &str, node: &Node<'_>, parent: u32, is_root: bool) -> u32 {
        let deleted = node.key.is_some_and(|key| key.deleted);
        let written = node.key.and_then(|key| key.last_write).map_or(0, filetime);
        let mut nk = b"nk".to_vec();
        let (flags, name_bytes) = named(name, 0x20);
        nk.extend((flags | if is_root { 0x04 } else { 0 }).to_le_bytes());
        nk.extend(written.to_le_bytes());
        nk.extend(0u32.to_le_bytes());
        nk.extend(parent.to_le_bytes());
        nk.resize(72, 0);
        nk.extend((name_bytes.len() as u16).to_le_bytes());
        nk.extend(0u16.to_le_bytes());
        nk.extend(name_bytes);
        let at = self.cell(&nk, deleted);
        for field in [28, 32, 40, 44, 48] {
            self.put(at, field, NONE);
        }
        let values = node.key.map(|key| key.values.as_slice()).unwrap_or_default();
        if !values.is_empty() {
            let offsets: Vec<u32> = values.iter().map(|value| self.write_value(value, deleted)).collect();
            let list: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
            let list = self.cell(&list, deleted);
            self.put(at, 36, offsets.len() as u32);
            self.put(at, 40, list);
        }
        let mut list = Vec::new();
        for (name, below) in &node.below {
            let offset = self.write_key(name, below, at, false);
            if !below.key.is_some_and(|key| key.deleted) {
                list.push(offset);
            }
        }
        if !list.is_empty() {
            let mut lh = b"lh".to_vec();
            lh.extend((list.len() as u16).to_le_bytes());
            lh.extend(list.iter().flat_map(|offset| [offset.to_le_bytes(), [0; 4]]).flatten());
            let lh = self.cell(&lh, deleted);
            self.put(at, 20, list.len() as u32);
            self.put(at, 28, lh);
        }
        at
    }

    fn write_value(&mut self, (name, data): &(String, Data), deleted: bool) -> u32 {
        let (kind, data) = match data {
            Data::Text(text) => (1u32, terminated(text)),
            Data::Expand(text) => (2, terminated(text)),
            Data::Binary(bytes) => (3, bytes.clone()),
            Data::Dword(number) => (4, number.to_le_bytes().to_vec()),
            Data::Multi(texts) => (7, texts.iter().flat_map(|text| terminated(text)).chain([0, 0]).collect()),
            Data::Qword(number) => (11, number.to_le_bytes().to_vec()),
        };
        let mut size = data.len() as u32;
        let place = if data.len() <= 4 {
            size |= 1 << 31;
            let mut inline = data.clone();
            inline.resize(4, 0);
            u32::from_le_bytes([inline[0], inline[1], inline[2], inline[3]])
        } else if data.len() <= SEGMENT_BYTES {
            self.cell(&data, deleted)
        } else {
            let segments: Vec<u32> =
                data.chunks(SEGMENT_BYTES).map(|segment| self.cell(segment, deleted)).collect();
            let list: Vec<u8> = segments.iter().flat_map(|offset| offset.to_le_bytes()).collect();
            let list = self.cell(&list, deleted);
            let mut db = b"db".to_vec();
            db.extend((segments.len() as u16).to_le_bytes());
            db.extend(list.to_le_bytes());
            self.cell(&db, deleted)
        };
        let (flags, name) = named(name, 1);
        let mut vk = b"vk".to_vec();
        vk.extend((name.len() as u16).to_le_bytes());
        vk.extend(size.to_le_bytes());
        vk.extend(place.to_le_bytes());
        vk.extend(kind.to_le_bytes());
        vk.extend(flags.to_le_bytes());
        vk.extend(0u16.to_le_bytes());
        vk.extend(name);
        self.cell(&vk, deleted)
    }

    /// The header, the bin's header, and a free cell to the bin's end.
    fn finish(mut self, root: u32) -> Vec<u8> {
        let len = (self.bytes.len() + 8).next_multiple_of(4096);
        let free = len - self.bytes.len();
        self.bytes.extend((free as i32).to_le_bytes());
        self.bytes.resize(len, 0);
        self.bytes[..4].copy_from_slice(b"hbin");
        self.bytes[8..12].copy_from_slice(&(len as u32).to_le_bytes());
        let mut header = vec![0u8; 4096];
        header[..4].copy_from_slice(b"regf");
        let fields: [(usize, u32); 8] =
            [(4, 1), (8, 1), (20, 1), (24, 5), (32, 1), (36, root), (40, len as u32), (44, 1)];
        for (at, number) in fields {
            header[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let words = header[..508].chunks_exact(4);
        let sum = words.fold(0, |sum, word| sum ^ u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        header[508..512].copy_from_slice(&sum.to_le_bytes());
        header.extend(self.bytes);
        header
    }
}

/// A name, and the flag that says whether it has one byte a character.
fn named(name: &str, compressed: u16) -> (u16, Vec<u8>) {
    if name.is_ascii() { (compressed, name.as_bytes().to_vec()) } else { (0, wide(name)) }
}

fn terminated(text: &str) -> Vec<u8> {
    let mut bytes = wide(text);
    bytes.extend([0, 0]);
    bytes
}

/// The compatibility cache of Windows 10 with `paths`, their files last written
/// on 2020-01-02.
pub fn shimcache(paths: &[&str]) -> Vec<u8> {
    const MODIFIED: u64 = 132_223_968_000_000_000;
    let mut bytes = 0x34u32.to_le_bytes().to_vec();
    bytes.resize(0x34, 0);
    for path in paths {
        let path = wide(path);
        let mut entry = (path.len() as u16).to_le_bytes().to_vec();
        entry.extend(path);
        entry.extend(MODIFIED.to_le_bytes());
        entry.extend(0u32.to_le_bytes());
        bytes.extend(b"10ts");
        bytes.extend(0u32.to_le_bytes());
        bytes.extend((entry.len() as u32).to_le_bytes());
        bytes.extend(entry);
    }
    bytes
}
