//! Doors for fuzzing: each parser as a plain function of bytes. Not part of
//! the contract.

use crate::batch::Pace;
use crate::bytes::Bytes;
use crate::format::Format;
use crate::input::Head;
use crate::read::{Budget, Node, Reading};
use crate::{ItemHead, Limits, ReadItem, Visitor, format};
use model::{FileFacts, Record, Value};
use std::io::Cursor;

/// Looks at every value, so that none of them can be wrong unseen.
struct Looker;

impl Visitor for Looker {
    type Part = usize;

    fn start(&self, _: &ItemHead<'_>) -> usize {
        0
    }

    fn record(&self, seen: &mut usize, record: &Record<'_>) {
        assert_eq!(record.values.len(), record.shape.slots.len());
        let text =
            (0..record.values.len()).map(|slot| record.value(slot)).map(|value: Value<'_>| value.to_text());
        *seen += text.map(|text| text.len()).sum::<usize>();
    }

    fn carved(&self, seen: &mut usize, record: &Record<'_>) {
        self.record(seen, record);
    }

    fn merge(&self, whole: &mut usize, next: usize) {
        *whole += next;
    }

    fn item(&self, _: ReadItem, _: Option<usize>, _: Option<&[u8]>) {}
}

/// Small ends, so that they are reached.
fn limits() -> Limits {
    Limits {
        items_max: 64,
        archive: crate::ArchiveLimits { ratio_free_bytes: 4 << 20, ..Default::default() },
        line_bytes_max: 64 << 10,
        problems_max: 20,
        spool_bytes_max: 4 << 10,
        disk: disk::Limits { folders_max: 16, runs_max: 64, partitions_max: 4, ..disk::Limits::default() },
        ..Limits::default()
    }
}

fn log(format: &'static Format, data: &[u8]) {
    let limits = limits();
    let reading = Reading::new(&limits, &Looker, &|_| {});
    let mut reader = Cursor::new(data.to_vec());
    let head = Head::read(&mut reader);
    let node =
        Node { path: "x".into(), root: ".".into(), nesting: 0, facts: FileFacts::default(), folders: None };
    reading.known_item(&node, head, Box::new(reader), u64::MAX, Pace::Alone, format::Content::Log(format));
}

/// The slugs of all formats in the table: each is a target.
pub fn formats() -> impl Iterator<Item = &'static str> {
    format::FORMATS.iter().map(|format| format.slug)
}

/// The reader of the format `slug`, on anything.
pub fn read_as(slug: &str, data: &[u8]) {
    if let Some(format) = format::FORMATS.iter().find(|format| format.slug == slug) {
        log(format, data);
    }
}

/// What bytes are.
pub fn sniff(data: &[u8]) {
    let _ = format::sniff(data, &limits());
}

/// Archives and disk images: listed, unpacked, and what is in them read.
pub fn archive(data: &[u8]) {
    let limits = limits();
    let reading = Reading::new(&limits, &Looker, &|_| {});
    let bytes = Bytes::of_memory(data.to_vec());
    let mut reader = bytes.range(0, bytes.len());
    let head = Head::read(&mut reader);
    let node =
        Node { path: "x".into(), root: ".".into(), nesting: 0, facts: FileFacts::default(), folders: None };
    let mut budget = Budget { left: 16 << 20 };
    reading.archive(&node, head, Box::new(reader), Some(bytes.clone()), &mut budget);
}
