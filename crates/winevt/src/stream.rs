//! One record's token stream → its key (canonical form without values) and its
//! values, in the order in which the key names them.
//!
//! Almost every record is one template instance with one nested fragment, which
//! is one template instance too; the key is then some thirty bytes. Records and
//! fragments written out as plain elements go the same way: their tree is the
//! key, their texts are the values.

use crate::canon::{CanonWriter, entity};
use crate::template::Templates;
use crate::tokens::{Piece, Tokens, walk};
use crate::value::{Decoder, Raw};
use crate::wire::{Broken, Cursor};

/// Fragments in one another. Real ones stay at one or two.
const NESTING_MAX: usize = 16;
/// Values of one record; a value without bytes takes four.
const VALUES_MAX: usize = 32_768;

/// What one record's stream is read into; kept from record to record.
#[derive(Default)]
pub(crate) struct Parts<'a> {
    /// The key.
    pub key: CanonWriter,
    /// The values.
    pub values: Vec<Raw<'a>>,
    /// What was broken within and could be stepped over.
    pub troubles: Vec<Broken>,
    /// Pieces of text not yet joined.
    run: Vec<Piece<'a>>,
}

/// Reads streams of one chunk.
pub(crate) struct StreamReader<'a, 's> {
    pub chunk: &'a [u8],
    pub templates: &'s mut Templates,
    pub decoder: &'s Decoder<'a>,
    pub parts: &'s mut Parts<'a>,
    /// The record is older than the chunk around it.
    is_left: bool,
    nesting: usize,
    /// The element whose start is open is a `Data`, the attribute a `Name`.
    is_data: bool,
    is_name: bool,
}

impl<'a, 's> StreamReader<'a, 's> {
    pub(crate) fn new(
        chunk: &'a [u8],
        templates: &'s mut Templates,
        decoder: &'s Decoder<'a>,
        parts: &'s mut Parts<'a>,
    ) -> Self {
        parts.key.clear();
        parts.values.clear();
        parts.troubles.clear();
        parts.run.clear();
        Self { chunk, templates, decoder, parts, is_left: false, nesting: 0, is_data: false, is_name: false }
    }

    /// A reader of records that are older than the chunk around them.
    pub(crate) fn of_left(self) -> Self {
        Self { is_left: true, ..self }
    }

    /// Reads the stream at `start..end` of the chunk.
    ///
    /// # Errors
    /// When the outermost stream is broken. What is broken within a fragment
    /// only costs that fragment and is noted in [`Parts::troubles`].
    pub(crate) fn read(&mut self, start: usize, end: usize) -> Result<(), Broken> {
        let mut cursor = Cursor::new(self.chunk, start, end);
        walk(self.chunk, &mut cursor, self)?;
        self.flush(false);
        self.parts.key.check_size(start)
    }

    /// A fragment as value `index` of the instance that is being read.
    fn nested(&mut self, index: u32, start: usize, end: usize) {
        let (key_mark, value_mark) = (self.parts.key.len(), self.parts.values.len());
        let begin = self.parts.key.begin_nested(index);
        self.nesting += 1;
        let read = if self.nesting > NESTING_MAX {
            Err(Broken::limit(start, "at most 16 fragments in one another", self.nesting))
        } else {
            self.read(start, end)
        };
        self.nesting -= 1;
        match read {
            Ok(()) => {
                self.parts.key.end_of_stream();
                let values = self.parts.values.len() - value_mark;
                self.parts.key.finish_nested(begin, values as u32);
            }
            Err(broken) => {
                self.parts.troubles.push(broken);
                self.parts.key.truncate(key_mark);
                self.parts.values.truncate(value_mark);
                self.parts.run.clear();
            }
        }
    }

    /// Ends a run of text: it is one value, or a literal when it names a field.
    fn flush(&mut self, beside_element: bool) {
        if self.parts.run.is_empty() {
            return;
        }
        let raw = match self.parts.run[..] {
            [Piece::Value(raw)] => raw,
            _ => self.decoder.keep_utf16(&joined(&self.parts.run, self.decoder)),
        };
        self.parts.run.clear();
        if self.is_name {
            self.parts.key.text(raw.kind, raw.bytes);
        } else if !(beside_element && is_white(raw)) {
            self.parts.key.value();
            self.parts.values.push(raw);
        }
    }

    fn values(&mut self, cursor: &mut Cursor<'a>, descriptors: &'a [u8]) -> Result<(), Broken> {
        if self.parts.values.len() + descriptors.len() / 4 > VALUES_MAX {
            return Err(Broken::limit(cursor.at(), "at most 32,768 values", self.parts.values.len()));
        }
        for [low, high, kind, _] in descriptors.as_chunks::<4>().0 {
            let size = usize::from(u16::from_le_bytes([*low, *high]));
            match cursor.take(size, "a value's bytes") {
                Ok(bytes) => self.parts.values.push(Raw { kind: *kind, bytes }),
                Err(broken) => {
                    // The values before are as good as ever.
                    self.parts.troubles.push(broken);
                    cursor.take(cursor.left(), "")?;
                    break;
                }
            }
        }
        Ok(())
    }
}

impl<'a> Tokens<'a> for StreamReader<'a, '_> {
    const DEPENDENCIES: bool = false;

    fn element(&mut self, dependency: u16, name: &'a [u8]) -> Result<(), Broken> {
        self.flush(true);
        self.is_data = name == b"D\0a\0t\0a\0";
        self.parts.key.element(dependency, name);
        self.parts.key.check_size(0)
    }

    fn attribute(&mut self, name: &'a [u8]) -> Result<(), Broken> {
        self.flush(false);
        // A field's name belongs to the shape, not to the values.
        self.is_name = self.is_data && name == b"N\0a\0m\0e\0";
        self.parts.key.attribute(name);
        self.parts.key.check_size(0)
    }

    fn content(&mut self) -> Result<(), Broken> {
        self.flush(false);
        self.is_name = false;
        self.parts.key.content();
        Ok(())
    }

    fn end(&mut self) -> Result<(), Broken> {
        self.flush(false);
        self.parts.key.end();
        Ok(())
    }

    fn piece(&mut self, piece: Piece<'a>) -> Result<(), Broken> {
        self.parts.run.push(piece);
        Ok(())
    }

    fn substitution(&mut self, at: usize, index: u16, _optional: bool) -> Result<(), Broken> {
        Err(Broken::new(at, "no substitution outside a definition", u64::from(index)))
    }

    fn fragment(&mut self, start: usize, end: usize) -> Result<(), Broken> {
        self.flush(true);
        self.nesting += 1;
        let read = if self.nesting > NESTING_MAX {
            Err(Broken::limit(start, "at most 16 fragments in one another", self.nesting))
        } else {
            self.read(start, end)
        };
        self.nesting -= 1;
        read
    }

    fn instance(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Broken> {
        self.flush(true);
        cursor.u8("a template instance")?;
        let id = cursor.u32("a template's id")?;
        let offset = cursor.u32("a definition's offset")?;
        if offset as usize == cursor.at() {
            // The definition stands here, where it is used first.
            cursor.take(20, "a definition's header")?;
            let size = cursor.u32("a definition's size")? as usize;
            cursor.take(size, "a definition")?;
        }
        let template = match self.is_left {
            true => self.templates.left_at(self.chunk, offset, id)?,
            false => self.templates.at(self.chunk, offset)?,
        };
        let count = cursor.u32("a number of values")?;
        let wanted = "the descriptors of the values";
        let size =
            (count as usize).checked_mul(4).ok_or(Broken::new(cursor.at(), wanted, u64::from(count)))?;
        let descriptors = cursor.take(size, wanted)?;
        let (base, mut start) = (self.parts.values.len(), cursor.at());
        self.values(cursor, descriptors)?;
        self.parts.values.resize(base + count as usize, Raw::UNREADABLE);
        self.parts.key.instance(template, count);
        for index in 0..count as usize {
            let raw = self.parts.values[base + index];
            let end = start + raw.bytes.len();
            if raw.is_fragment() {
                self.nested(index as u32, start, end);
            }
            start = end;
        }
        self.parts.key.end_of_stream();
        self.parts.key.check_size(cursor.at())
    }

    fn checks_names(&self) -> bool {
        self.is_left
    }
}

fn joined(run: &[Piece<'_>], decoder: &Decoder<'_>) -> Vec<u8> {
    let mut joined = Vec::new();
    for piece in run {
        match piece {
            Piece::Value(raw) if raw.kind == 0x01 => joined.extend_from_slice(raw.bytes),
            Piece::Value(raw) => {
                let text = decoder.decode(*raw, true).to_text();
                joined.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
            }
            Piece::Char(unit) => joined.extend_from_slice(&unit.to_le_bytes()),
            Piece::Entity(name) => match entity(name) {
                Some(unit) => joined.extend_from_slice(&unit.to_le_bytes()),
                None => {
                    joined.extend_from_slice(b"&\0");
                    joined.extend_from_slice(name);
                    joined.extend_from_slice(b";\0");
                }
            },
        }
    }
    joined
}

fn is_white(raw: Raw<'_>) -> bool {
    raw.kind == 0x01
        && raw.bytes.as_chunks::<2>().0.iter().all(|unit| matches!(unit, [b' ' | b'\t' | b'\r' | b'\n', 0]))
}
