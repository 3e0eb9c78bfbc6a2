//! Writes chunks by hand, token by token, for tests: the wire format's other
//! side, simple and slow.

use model::{Problem, Record, RecordSink, Value};
use winevt::{CHUNK_BYTES, ChunkReader, ChunkSummary};

const HEADER_BYTES: usize = 512;

/// A token stream at a place in a chunk.
pub struct Stream {
    base: usize,
    pub bytes: Vec<u8>,
    /// Whether elements carry a dependency: definitions.
    definition: bool,
}

impl Stream {
    pub fn new(base: usize) -> Self {
        Self { base, bytes: Vec::new(), definition: false }
    }

    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn name(&mut self, name: &str) -> &mut Self {
        let at = (self.base + self.bytes.len() + 4) as u32;
        let hash =
            name.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(65_599).wrapping_add(unit.into()));
        self.raw(&at.to_le_bytes()).raw(&[0; 4]).raw(&(hash as u16).to_le_bytes());
        let units = utf16(name);
        self.raw(&(units.len() as u16 / 2).to_le_bytes()).raw(&units).raw(&[0, 0])
    }

    pub fn header(&mut self) -> &mut Self {
        self.raw(&[0x0f, 1, 1, 0])
    }

    /// An element that has attributes, and depends on no value.
    pub fn element(&mut self, name: &str) -> &mut Self {
        self.element_depending(0xffff, name)
    }

    pub fn element_depending(&mut self, dependency: u16, name: &str) -> &mut Self {
        self.raw(&[0x41]);
        if self.definition {
            self.raw(&dependency.to_le_bytes());
        }
        self.raw(&[0; 4]).name(name).raw(&[0; 4])
    }

    pub fn attribute(&mut self, name: &str) -> &mut Self {
        self.raw(&[0x06]).name(name)
    }

    pub fn content(&mut self) -> &mut Self {
        self.raw(&[0x02])
    }

    pub fn end(&mut self) -> &mut Self {
        self.raw(&[0x04])
    }

    pub fn end_empty(&mut self) -> &mut Self {
        self.raw(&[0x03])
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.raw(&[0x05, 0x01]).counted(text)
    }

    pub fn cdata(&mut self, text: &str) -> &mut Self {
        self.raw(&[0x07]).counted(text)
    }

    pub fn entity(&mut self, name: &str) -> &mut Self {
        self.raw(&[0x09]).name(name)
    }

    pub fn counted(&mut self, text: &str) -> &mut Self {
        self.raw(&(text.encode_utf16().count() as u16).to_le_bytes()).raw(&utf16(text))
    }

    pub fn normal(&mut self, index: u16) -> &mut Self {
        self.raw(&[0x0d]).raw(&index.to_le_bytes()).raw(&[0x01])
    }

    pub fn optional(&mut self, index: u16) -> &mut Self {
        self.raw(&[0x0e]).raw(&index.to_le_bytes()).raw(&[0x01])
    }

    /// `<name>text</name>`.
    pub fn leaf(&mut self, name: &str, text: &str) -> &mut Self {
        self.element(name).content().text(text).end()
    }

    /// An instance whose definition stands within it.
    pub fn instance(&mut self, definition: impl FnOnce(&mut Stream), values: &[Wire]) -> &mut Self {
        let at = self.base + self.bytes.len() + 10;
        let mut body = Stream { base: at + 24, bytes: Vec::new(), definition: true };
        body.header();
        definition(&mut body);
        body.raw(&[0]);
        // The id is the beginning of the definition's GUID.
        self.raw(&[0x0c, 1, 7, 7, 7, 7]).raw(&(at as u32).to_le_bytes());
        self.raw(&[0; 4]).raw(&[7; 16]).raw(&(body.bytes.len() as u32).to_le_bytes()).raw(&body.bytes);
        self.values(values)
    }

    /// An instance of the definition at `offset` of the chunk.
    pub fn instance_of(&mut self, offset: usize, values: &[Wire]) -> &mut Self {
        self.raw(&[0x0c, 1, 7, 7, 7, 7]).raw(&(offset as u32).to_le_bytes()).values(values)
    }

    fn values(&mut self, values: &[Wire]) -> &mut Self {
        self.raw(&(values.len() as u32).to_le_bytes());
        let mut bodies = Vec::new();
        let mut at = self.base + self.bytes.len() + values.len() * 4;
        for value in values {
            let (kind, bytes) = match value {
                Wire::Value(kind, bytes) => (*kind, bytes.clone()),
                Wire::Fragment(write) => {
                    let mut stream = Stream::new(at);
                    write(&mut stream);
                    (0x21, stream.bytes)
                }
            };
            at += bytes.len();
            self.raw(&(bytes.len() as u16).to_le_bytes()).raw(&[kind, 0]);
            bodies.extend(bytes);
        }
        self.raw(&bodies)
    }
}

/// A value of an instance.
#[derive(Clone)]
pub enum Wire {
    Value(u8, Vec<u8>),
    Fragment(fn(&mut Stream)),
}

pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub fn string(text: &str) -> Wire {
    Wire::Value(0x01, utf16(text))
}

pub fn null() -> Wire {
    Wire::Value(0x00, Vec::new())
}

/// A chunk that grows record by record.
pub struct Chunk {
    pub bytes: Vec<u8>,
    pub first: u64,
    pub last: Option<u64>,
    /// Where each record begins.
    pub records: Vec<usize>,
    /// Written into each record's header.
    pub filetime: u64,
}

impl Chunk {
    pub fn new(first: u64) -> Self {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..8].copy_from_slice(b"ElfChnk\0");
        Self { bytes, first, last: None, records: Vec::new(), filetime: 0 }
    }

    pub fn record(&mut self, write: impl FnOnce(&mut Stream)) -> &mut Self {
        let at = self.bytes.len();
        let mut stream = Stream::new(at + 24);
        write(&mut stream);
        let size = (stream.bytes.len() + 28) as u32;
        let number = self.last.map_or(self.first, |last| last + 1);
        self.bytes.extend([0x2a, 0x2a, 0, 0]);
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(number.to_le_bytes());
        self.bytes.extend(self.filetime.to_le_bytes());
        self.bytes.extend(stream.bytes);
        self.bytes.extend(size.to_le_bytes());
        self.records.push(at);
        self.last = Some(number);
        self
    }

    /// The chunk's 64 KiB, header and checksums and all.
    pub fn finish(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let end = bytes.len();
        bytes.resize(CHUNK_BYTES, 0);
        let last = self.last.unwrap_or(u64::MAX);
        for at in [8, 24] {
            bytes[at..at + 8].copy_from_slice(&self.first.to_le_bytes());
            bytes[at + 8..at + 16].copy_from_slice(&last.to_le_bytes());
        }
        bytes[40..44].copy_from_slice(&128u32.to_le_bytes());
        bytes[44..48].copy_from_slice(&(self.records.last().copied().unwrap_or(0) as u32).to_le_bytes());
        bytes[48..52].copy_from_slice(&(end as u32).to_le_bytes());
        let records = evtx::checksum_ieee(&bytes[HEADER_BYTES..end]);
        bytes[52..56].copy_from_slice(&records.to_le_bytes());
        sign(&mut bytes);
        bytes
    }
}

/// Writes the checksum of a chunk's header.
pub fn sign(chunk: &mut [u8]) {
    let header = evtx::checksum_ieee(&[&chunk[..120], &chunk[128..512]].concat());
    chunk[124..128].copy_from_slice(&header.to_le_bytes());
}

/// What a sink was shown, as text.
#[derive(Default)]
pub struct Shown {
    pub records: Vec<String>,
    pub carved: Vec<String>,
    pub positions: Vec<model::Position>,
    pub times: Vec<Option<String>>,
    pub problems: Vec<Problem>,
    pub summary: ChunkSummary,
}

impl RecordSink for Shown {
    fn record(&mut self, record: &Record<'_>) {
        self.records.push(fields(record));
        self.positions.push(record.position);
        self.times.push(record.time.map(|time| time.to_string()));
    }

    fn carved(&mut self, record: &Record<'_>) {
        let number = record.position.record.map(|number| format!("#{number} "));
        self.carved.push(number.unwrap_or_default() + &fields(record));
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

fn fields(record: &Record<'_>) -> String {
    let slots = record.shape.slots.iter().enumerate();
    let fields: Vec<String> =
        slots.map(|(index, slot)| format!("{}={}", slot.name, text(record.value(index)))).collect();
    fields.join(" ")
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Absent => "-absent-".to_owned(),
        Value::Empty => "-empty-".to_owned(),
        Value::List(items) => format!("{:?}", items.iter().map(Value::to_text).collect::<Vec<_>>()),
        value => value.to_text(),
    }
}

/// Reads `chunk` as if it began at 4096 of its file.
pub fn read(chunk: &[u8]) -> Shown {
    let mut shown = Shown::default();
    let mut reader = ChunkReader::new();
    shown.summary = reader.read(chunk, 4_096, &mut shown);
    reader.carve(chunk, shown.summary.end, 4_096, &mut shown);
    shown
}
