//! The grammar of binary XML ([MS-EVEN6] 2.2.12 ff.): walks the tokens of one
//! stream and shows each to a [`Tokens`], which sees only well-formed trees.

use crate::value::Raw;
use crate::wire::{Broken, Cursor};

/// Elements open in one another within one stream. Real ones stay below ten.
const DEPTH_MAX: usize = 64;
/// Bytes of a name. Windows writes some fifty characters at most.
const NAME_BYTES_MAX: usize = 2_048;
/// In a definition: an element that depends on no value.
pub(crate) const NO_DEPENDENCY: u16 = 0xffff;

/// One piece of text or one value, in an attribute or an element.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    /// A value token.
    Value(Raw<'a>),
    /// One UTF-16 unit, by its number.
    Char(u16),
    /// A named entity, by its name in UTF-16LE.
    Entity(&'a [u8]),
}

/// Receives the tokens of one stream, in order. Names are UTF-16LE.
pub(crate) trait Tokens<'a> {
    /// Whether element starts carry a dependency (they do in definitions).
    const DEPENDENCIES: bool;
    /// An element begins; its attributes follow.
    fn element(&mut self, dependency: u16, name: &'a [u8]) -> Result<(), Broken>;
    /// An attribute of it; its pieces follow.
    fn attribute(&mut self, name: &'a [u8]) -> Result<(), Broken>;
    /// The attributes are done; content follows.
    fn content(&mut self) -> Result<(), Broken>;
    /// The element ends.
    fn end(&mut self) -> Result<(), Broken>;
    /// A piece of the attribute or content that is open.
    fn piece(&mut self, piece: Piece<'a>) -> Result<(), Broken>;
    /// The place of an instance's value; only definitions have them.
    fn substitution(&mut self, at: usize, index: u16, optional: bool) -> Result<(), Broken>;
    /// A stream written into this one, at `start..end` of the chunk.
    fn fragment(&mut self, start: usize, end: usize) -> Result<(), Broken>;
    /// A template instance begins at the cursor; definitions have none.
    fn instance(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Broken>;
    /// Whether a name must have the hash that stands beside it: what refers to
    /// it is older than the chunk, and something else may stand there now.
    fn checks_names(&self) -> bool {
        false
    }
}

/// Where in the tree the walk stands.
struct Place {
    depth: usize,
    in_start: bool,
    in_attribute: bool,
}

/// Shows the tokens of the cursor's window to `tokens`, up to the end-of-stream
/// token or the window's end.
///
/// # Errors
/// [`Broken`] at the first byte that cannot belong to a stream; what was shown
/// before stays shown.
pub(crate) fn walk<'a, T: Tokens<'a>>(
    chunk: &'a [u8],
    cursor: &mut Cursor<'a>,
    tokens: &mut T,
) -> Result<(), Broken> {
    let mut place = Place { depth: 0, in_start: false, in_attribute: false };
    while cursor.left() > 0 {
        let at = cursor.at();
        let token = cursor.u8("a token")?;
        match token {
            0x00 => break,
            0x0f => {
                cursor.take(3, "a fragment header")?;
            }
            0x0c if !place.in_start => tokens.instance(cursor)?,
            0x01..=0x04 | 0x41 | 0x06 | 0x46 => structure(chunk, cursor, tokens, &mut place, token)?,
            0x0a => {
                name(chunk, cursor, tokens.checks_names())?;
            }
            0x0b => {
                string(cursor, "processing instruction data")?;
            }
            _ if place.depth == 0 || place.in_start && !place.in_attribute => {
                return Err(Broken::new(at, "a token that may stand here", u64::from(token)));
            }
            0x0d | 0x0e => {
                let index = cursor.u16("a substitution's index")?;
                cursor.u8("a substitution's type")?;
                tokens.substitution(at, index, token == 0x0e)?;
            }
            _ => match piece(chunk, cursor, token, tokens.checks_names())? {
                // Read again where it stands: offsets in it count from the chunk.
                Piece::Value(Raw { kind: 0x21, bytes }) if !place.in_start => {
                    tokens.fragment(cursor.at() - bytes.len(), cursor.at())?;
                }
                piece => tokens.piece(piece)?,
            },
        }
    }
    if place.depth > 0 || place.in_start {
        return Err(Broken::new(cursor.at(), "the end of each element", place.depth as u64));
    }
    Ok(())
}

fn structure<'a, T: Tokens<'a>>(
    chunk: &'a [u8],
    cursor: &mut Cursor<'a>,
    tokens: &mut T,
    place: &mut Place,
    token: u8,
) -> Result<(), Broken> {
    let at = cursor.at() - 1;
    match token {
        0x01 | 0x41 if !place.in_start => {
            if place.depth >= DEPTH_MAX {
                return Err(Broken::limit(at, "at most 64 elements in one another", place.depth));
            }
            let dependency =
                if T::DEPENDENCIES { cursor.u16("an element's dependency")? } else { NO_DEPENDENCY };
            cursor.u32("an element's size")?;
            let name = name(chunk, cursor, tokens.checks_names())?;
            if token == 0x41 {
                cursor.u32("the size of an attribute list")?;
            }
            place.depth += 1;
            (place.in_start, place.in_attribute) = (true, false);
            tokens.element(dependency, name)
        }
        0x06 | 0x46 if place.in_start => {
            place.in_attribute = true;
            let name = name(chunk, cursor, tokens.checks_names())?;
            tokens.attribute(name)
        }
        0x02 if place.in_start => {
            place.in_start = false;
            tokens.content()
        }
        0x03 if place.in_start => {
            place.in_start = false;
            place.depth -= 1;
            tokens.content()?;
            tokens.end()
        }
        0x04 if !place.in_start && place.depth > 0 => {
            place.depth -= 1;
            tokens.end()
        }
        _ => Err(Broken::new(at, "a token that may stand here", u64::from(token))),
    }
}

fn piece<'a>(
    chunk: &'a [u8],
    cursor: &mut Cursor<'a>,
    token: u8,
    check_name: bool,
) -> Result<Piece<'a>, Broken> {
    match token {
        0x05 | 0x45 => Ok(Piece::Value(inline_value(cursor)?)),
        0x07 | 0x47 => Ok(Piece::Value(Raw { kind: 0x01, bytes: string(cursor, "a CDATA section")? })),
        0x08 | 0x48 => Ok(Piece::Char(cursor.u16("a character")?)),
        0x09 | 0x49 => Ok(Piece::Entity(name(chunk, cursor, check_name)?)),
        _ => Err(Broken::new(cursor.at() - 1, "a token", u64::from(token))),
    }
}

/// A value written into the stream itself. It has no descriptor, so only types
/// that tell their size can stand here.
fn inline_value<'a>(cursor: &mut Cursor<'a>) -> Result<Raw<'a>, Broken> {
    let at = cursor.at();
    let kind = cursor.u8("a value's type")?;
    let size = match kind {
        0x00 => 0,
        0x01 => return Ok(Raw { kind, bytes: string(cursor, "a string")? }),
        0x03 | 0x04 => 1,
        0x05 | 0x06 => 2,
        0x07 | 0x08 | 0x0b | 0x0d | 0x14 => 4,
        0x09 | 0x0a | 0x0c | 0x11 | 0x15 => 8,
        0x0f | 0x12 => 16,
        0x21 => usize::from(cursor.u16("a fragment's size")?),
        _ => return Err(Broken::new(at, "a type that may stand in a stream", u64::from(kind))),
    };
    Ok(Raw { kind, bytes: cursor.take(size, "a value")? })
}

fn string<'a>(cursor: &mut Cursor<'a>, wanted: &'static str) -> Result<&'a [u8], Broken> {
    let units = cursor.u16(wanted)?;
    cursor.take(usize::from(units) * 2, wanted)
}

/// Reads a reference to a name, and the name. The name stands anywhere in the
/// chunk; where it stands right here, the cursor is moved past it.
fn name<'a>(chunk: &'a [u8], cursor: &mut Cursor<'a>, check: bool) -> Result<&'a [u8], Broken> {
    let offset = cursor.u32("the offset of a name")? as usize;
    let mut there = Cursor::new(chunk, offset, chunk.len());
    if offset > chunk.len() {
        return Err(Broken::new(cursor.at() - 4, "the offset of a name in this chunk", offset as u64));
    }
    there.take(4, "a name")?; // the link to the next name of its hash bucket
    let hash = there.u16("a name's hash")?;
    let units = usize::from(there.u16("a name's length")?);
    if units * 2 > NAME_BYTES_MAX {
        return Err(Broken::limit(offset, "a name of at most 1,024 characters", units));
    }
    let name = there.take(units * 2, "a name")?;
    if check && hash != hash_of(name) {
        return Err(Broken::new(offset, "a name that its hash belongs to", u64::from(hash)));
    }
    if offset == cursor.at() {
        cursor.take(6 + 2 + units * 2 + 2, "a name")?;
    }
    Ok(name)
}

/// The hash of a name, as Windows writes it.
fn hash_of(name: &[u8]) -> u16 {
    let units = name.as_chunks::<2>().0.iter().map(|unit| u32::from(u16::from_le_bytes(*unit)));
    let hash = units.fold(0u32, |hash, unit| hash.wrapping_mul(65_599).wrapping_add(unit));
    (hash & 0xffff) as u16
}
