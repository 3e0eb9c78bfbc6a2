//! Writes event logs in the EVTX format.
//!
//! [`EvtxFile`] takes [`Event`]s and gives the bytes of a log file as Windows
//! leaves it: a file header, then chunks of 64 KiB, each with its own string
//! and template table and both checksums. A record is an instance of an outer
//! template (`System`), whose last value is a nested BinXML fragment: an
//! instance of the provider's own template (`EventData` or `UserData`). A
//! definition stands in a chunk where it is first used and is pointed at
//! afterwards.
//!
//! # What the format does not say
//! The bucket of a template in the chunk's template table is Windows' own
//! affair; readers follow the offsets in the records. We use the id modulo 32.
//!
//! # Not here
//! Which events there are: the room of `windows`.

mod binxml;
mod chunk;
mod value;

pub(crate) use value::{Field, Sid};

use crate::dice::GUID_ORDER;
use chunk::Chunk;
use model::Timestamp;
use std::io::{self, Write};

/// In the unused part of every file header, where no reader looks: so that a
/// file made here cannot pass for evidence even when it has no records.
pub(crate) const MARK: &str = "assay-range synthetic";

const CHUNK_BYTES: usize = 65_536;
const FILE_HEADER_BYTES: usize = 4_096;

/// A provider as its events name it, and the channel that it writes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provider {
    pub(crate) name: &'static str,
    /// As EVTX stores it; `None` for providers of the time before manifests.
    pub(crate) guid: Option<[u8; 16]>,
    pub(crate) channel: &'static str,
}

impl Provider {
    /// One with a manifest; its GUID as text, without braces.
    pub(crate) const fn new(name: &'static str, guid: &str, channel: &'static str) -> Self {
        Self { name, guid: Some(guid_bytes(guid)), channel }
    }

    /// One of the time before manifests.
    pub(crate) const fn classic(name: &'static str, channel: &'static str) -> Self {
        Self { name, guid: None, channel }
    }
}

/// A GUID as Windows stores it.
const fn guid_bytes(text: &str) -> [u8; 16] {
    let text = text.as_bytes();
    let (mut bytes, mut nibble, mut at) = ([0; 16], 0, 0);
    while at < text.len() {
        let value = match text[at] {
            digit @ b'0'..=b'9' => digit - b'0',
            letter @ b'a'..=b'f' => letter - b'a' + 10,
            _ => {
                at += 1;
                continue;
            }
        };
        let place = GUID_ORDER[nibble / 2];
        bytes[place] = bytes[place] << 4 | value;
        (nibble, at) = (nibble + 1, at + 1);
    }
    assert!(nibble == 32, "a GUID has 32 digits");
    bytes
}

/// What an event says of itself besides its data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) provider: Provider,
    pub(crate) id: u16,
    pub(crate) qualifiers: Option<u16>,
    pub(crate) version: u8,
    pub(crate) level: u8,
    pub(crate) task: u16,
    pub(crate) opcode: u8,
    pub(crate) keywords: u64,
}

/// The event's own data.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// `<EventData>` with one named `<Data>` for each field.
    Named(Vec<(&'static str, Field)>),
    /// `<EventData>` with a list of `<Data>` without names: one string array.
    Unnamed(Vec<String>),
    /// `<UserData>` with an element of this name and one child for each field.
    UserData(&'static str, Vec<(&'static str, Field)>),
}

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) time: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) process_id: u32,
    pub(crate) thread_id: u32,
    pub(crate) user: Option<Sid>,
    pub(crate) body: Body,
}

/// Writes a log to `out`, chunk by chunk; [`EvtxFile::finish`] ends it.
pub(crate) struct EvtxFile<W> {
    out: W,
    computer: String,
    chunk: Chunk,
    chunks: u64,
    next_record: u64,
}

impl<W: Write> EvtxFile<W> {
    /// A log of `computer` whose first record has the number `first_record`.
    ///
    /// The file header counts the chunks, so [`EvtxFile::finish`] gives it last;
    /// `out` gets the chunks only.
    pub(crate) fn new(out: W, computer: &str, first_record: u64) -> Self {
        Self { out, computer: computer.into(), chunk: Chunk::new(), chunks: 0, next_record: first_record }
    }

    /// Appends `event`.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub(crate) fn push(&mut self, event: &Event) -> io::Result<()> {
        if !self.chunk.push(self.next_record, &self.computer, event) {
            self.flush()?;
            if !self.chunk.push(self.next_record, &self.computer, event) {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "an event larger than a chunk"));
            }
        }
        self.next_record += 1;
        Ok(())
    }

    /// Leaves out `count` record numbers, as a log does from which records
    /// were taken; what follows stands in a chunk of its own.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub(crate) fn skip(&mut self, count: u64) -> io::Result<()> {
        if !self.chunk.is_empty() {
            self.flush()?;
        }
        self.next_record += count;
        Ok(())
    }

    /// Bytes that the file will have, but for the chunk in hand.
    pub(crate) fn size_bytes(&self) -> u64 {
        FILE_HEADER_BYTES as u64 + self.chunks * CHUNK_BYTES as u64
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.chunk, Chunk::new());
        self.out.write_all(&chunk.into_bytes())?;
        self.chunks += 1;
        Ok(())
    }

    /// Writes the last chunk; gives the file header, which belongs before the
    /// first one, and `out`.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub(crate) fn finish(mut self) -> io::Result<(Vec<u8>, W)> {
        if !self.chunk.is_empty() || self.chunks == 0 {
            self.flush()?;
        }
        Ok((file_header(self.chunks, self.next_record), self.out))
    }
}

/// The header block of a file of `chunks` chunks.
fn file_header(chunks: u64, next_record: u64) -> Vec<u8> {
    let mut header = vec![0; FILE_HEADER_BYTES];
    header[..8].copy_from_slice(b"ElfFile\0");
    header[16..24].copy_from_slice(&chunks.saturating_sub(1).to_le_bytes());
    header[24..32].copy_from_slice(&next_record.to_le_bytes());
    header[32..36].copy_from_slice(&128u32.to_le_bytes());
    header[36..38].copy_from_slice(&1u16.to_le_bytes());
    header[38..40].copy_from_slice(&3u16.to_le_bytes());
    header[40..42].copy_from_slice(&(FILE_HEADER_BYTES as u16).to_le_bytes());
    // The field has 16 bits; Windows lets it wrap, and readers go by the size.
    header[42..44].copy_from_slice(&(chunks as u16).to_le_bytes());
    let checksum = crc32fast::hash(&header[..120]);
    header[124..128].copy_from_slice(&checksum.to_le_bytes());
    header[128..128 + MARK.len()].copy_from_slice(MARK.as_bytes());
    header
}

/// The whole file of `events`, in their order; `None` in the list leaves out
/// 400 record numbers.
pub(crate) fn file_bytes(computer: &str, first_record: u64, events: &[Option<Event>]) -> io::Result<Vec<u8>> {
    let mut file = EvtxFile::new(Vec::new(), computer, first_record);
    for event in events {
        match event {
            Some(event) => file.push(event)?,
            None => file.skip(400)?,
        }
    }
    let (mut bytes, chunks) = file.finish()?;
    bytes.extend_from_slice(&chunks);
    Ok(bytes)
}

#[cfg(test)]
mod tests;
