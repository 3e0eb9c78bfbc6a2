//! The canonical form of a token stream: the same for all chunks and files, so
//! that it can key a cache.
//!
//! On the wire names are offsets into the chunk, so the same template has other
//! bytes in each chunk (and its GUID does not identify it). Here names stand in
//! the stream itself, sizes and hashes are gone, and everything was checked:
//! whoever reads this form ([`CanonReader`]) meets no broken input.
//!
//! A definition keeps its literals and the places of its values. A stream of a
//! record has its values taken out: only *that* a value stands there is kept.

use crate::tokens::{Piece, Tokens};
use crate::value::Raw;
use crate::wire::{Broken, Cursor};

/// Bytes of one definition or stream in canonical form.
const CANON_BYTES_MAX: usize = 256 << 10;

const END_OF_STREAM: u8 = 0x00;
const ELEMENT: u8 = 0x01;
const CONTENT: u8 = 0x02;
const END: u8 = 0x04;
const TEXT: u8 = 0x05;
const ATTRIBUTE: u8 = 0x06;
const INSTANCE: u8 = 0x0c;
const NORMAL: u8 = 0x0d;
const OPTIONAL: u8 = 0x0e;
const VALUE: u8 = 0x0f;
const NESTED: u8 = 0x21;

/// One token in canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Canon<'a> {
    /// Dependency and name in UTF-16LE.
    Element(u16, &'a [u8]),
    Attribute(&'a [u8]),
    Content,
    End,
    /// A literal: type and bytes.
    Text(u8, &'a [u8]),
    Substitution {
        index: u16,
        optional: bool,
    },
    /// The next value of the record stands here.
    Value,
    /// An instance of a template with so many values; its nested streams
    /// follow, then [`Canon::EndOfStream`].
    Instance {
        template: u32,
        values: u32,
    },
    /// Value `index` of the instance is a stream of so many bytes in this
    /// form, which holds so many values; it follows, then its end.
    Nested {
        index: u32,
        size: u32,
        values: u32,
    },
    EndOfStream,
}

/// Writes the canonical form.
#[derive(Default)]
pub(crate) struct CanonWriter {
    bytes: Vec<u8>,
}

impl CanonWriter {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn truncate(&mut self, size: usize) {
        self.bytes.truncate(size);
    }

    pub(crate) fn element(&mut self, dependency: u16, name: &[u8]) {
        self.bytes.push(ELEMENT);
        self.bytes.extend_from_slice(&dependency.to_le_bytes());
        self.counted(name);
    }

    pub(crate) fn attribute(&mut self, name: &[u8]) {
        self.bytes.push(ATTRIBUTE);
        self.counted(name);
    }

    pub(crate) fn content(&mut self) {
        self.bytes.push(CONTENT);
    }

    pub(crate) fn end(&mut self) {
        self.bytes.push(END);
    }

    pub(crate) fn text(&mut self, kind: u8, bytes: &[u8]) {
        self.bytes.extend_from_slice(&[TEXT, kind]);
        self.counted(bytes);
    }

    pub(crate) fn substitution(&mut self, index: u16, optional: bool) {
        self.bytes.push(if optional { OPTIONAL } else { NORMAL });
        self.bytes.extend_from_slice(&index.to_le_bytes());
    }

    pub(crate) fn value(&mut self) {
        self.bytes.push(VALUE);
    }

    pub(crate) fn instance(&mut self, template: u32, values: u32) {
        self.bytes.push(INSTANCE);
        self.bytes.extend_from_slice(&template.to_le_bytes());
        self.bytes.extend_from_slice(&values.to_le_bytes());
    }

    pub(crate) fn end_of_stream(&mut self) {
        self.bytes.push(END_OF_STREAM);
    }

    /// Begins a nested stream; [`CanonWriter::finish_nested`] fills in its size.
    pub(crate) fn begin_nested(&mut self, index: u32) -> usize {
        self.bytes.push(NESTED);
        self.bytes.extend_from_slice(&index.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 8]);
        self.bytes.len()
    }

    pub(crate) fn finish_nested(&mut self, begin: usize, values: u32) {
        let size = (self.bytes.len() - begin) as u32;
        self.bytes[begin - 8..begin - 4].copy_from_slice(&size.to_le_bytes());
        self.bytes[begin - 4..begin].copy_from_slice(&values.to_le_bytes());
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// # Errors
    /// When the form has grown beyond the limit: names and literals can be
    /// referred to again and again, so it may be far larger than the wire.
    pub(crate) fn check_size(&self, at: usize) -> Result<(), Broken> {
        if self.bytes.len() > CANON_BYTES_MAX {
            return Err(Broken::limit(at, "at most 256 KiB of names and literals", self.bytes.len()));
        }
        Ok(())
    }

    /// Bytes after their number, which the wire's own 16-bit counts bound.
    fn counted(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(bytes);
    }
}

/// Reads what [`CanonWriter`] wrote.
#[derive(Clone)]
pub(crate) struct CanonReader<'a> {
    bytes: &'a [u8],
}

impl<'a> CanonReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next `size` bytes as a reader of their own.
    pub(crate) fn split(&mut self, size: u32) -> CanonReader<'a> {
        let (first, rest) = self.bytes.split_at((size as usize).min(self.bytes.len()));
        self.bytes = rest;
        CanonReader { bytes: first }
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*first)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let size = self.u32()?;
        Some(self.split(size).bytes)
    }
}

impl<'a> Iterator for CanonReader<'a> {
    type Item = Canon<'a>;

    fn next(&mut self) -> Option<Canon<'a>> {
        let [tag] = self.array()?;
        Some(match tag {
            ELEMENT => Canon::Element(self.u16()?, self.counted()?),
            ATTRIBUTE => Canon::Attribute(self.counted()?),
            CONTENT => Canon::Content,
            END => Canon::End,
            TEXT => {
                let [kind] = self.array()?;
                Canon::Text(kind, self.counted()?)
            }
            NORMAL | OPTIONAL => Canon::Substitution { index: self.u16()?, optional: tag == OPTIONAL },
            VALUE => Canon::Value,
            INSTANCE => Canon::Instance { template: self.u32()?, values: self.u32()? },
            NESTED => Canon::Nested { index: self.u32()?, size: self.u32()?, values: self.u32()? },
            _ => Canon::EndOfStream,
        })
    }
}

/// Writes a definition's canonical form, literals and all.
pub(crate) struct DefinitionEncoder<'s> {
    pub out: &'s mut CanonWriter,
    pub checks_names: bool,
}

impl<'a> Tokens<'a> for DefinitionEncoder<'_> {
    const DEPENDENCIES: bool = true;

    fn element(&mut self, dependency: u16, name: &'a [u8]) -> Result<(), Broken> {
        self.out.element(dependency, name);
        self.out.check_size(0)
    }

    fn attribute(&mut self, name: &'a [u8]) -> Result<(), Broken> {
        self.out.attribute(name);
        self.out.check_size(0)
    }

    fn content(&mut self) -> Result<(), Broken> {
        self.out.content();
        Ok(())
    }

    fn end(&mut self) -> Result<(), Broken> {
        self.out.end();
        Ok(())
    }

    fn piece(&mut self, piece: Piece<'a>) -> Result<(), Broken> {
        match piece {
            Piece::Value(Raw { kind, bytes }) => self.out.text(kind, bytes),
            Piece::Char(unit) => self.out.text(0x01, &unit.to_le_bytes()),
            Piece::Entity(name) => match entity(name) {
                Some(unit) => self.out.text(0x01, &unit.to_le_bytes()),
                None => {
                    self.out.text(0x01, &u16::from(b'&').to_le_bytes());
                    self.out.text(0x01, name);
                    self.out.text(0x01, &u16::from(b';').to_le_bytes());
                }
            },
        }
        self.out.check_size(0)
    }

    fn substitution(&mut self, _at: usize, index: u16, optional: bool) -> Result<(), Broken> {
        self.out.substitution(index, optional);
        Ok(())
    }

    fn fragment(&mut self, start: usize, _end: usize) -> Result<(), Broken> {
        Err(Broken::new(start, "no stream within a definition", 0x21))
    }

    fn instance(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Broken> {
        Err(Broken::new(cursor.at(), "no template instance within a definition", 0x0c))
    }

    fn checks_names(&self) -> bool {
        self.checks_names
    }
}

/// The character that XML's five named entities stand for.
pub(crate) fn entity(name: &[u8]) -> Option<u16> {
    let character = match name {
        b"l\0t\0" => b'<',
        b"g\0t\0" => b'>',
        b"a\0m\0p\0" => b'&',
        b"q\0u\0o\0t\0" => b'"',
        b"a\0p\0o\0s\0" => b'\'',
        _ => return None,
    };
    Some(u16::from(character))
}
