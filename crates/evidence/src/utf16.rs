//! Text logs in UTF-16 with a byte order mark, as PowerShell's redirections
//! make them: decoded on the way in, so that the readers of lines see UTF-8.
//!
//! Hash and size stay those of the bytes, and so do offsets: each character of
//! the decoded text is as many units of two bytes as UTF-16 gives it (a unit
//! that is no text is U+FFFD, one unit again), so that the place of any of them
//! in the item can be counted.
//!
//! # Not here
//! UTF-16 without a mark; files that are no lines.

use model::{Problem, Record, RecordSink};

/// How an item's text is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    /// UTF-8, or what is taken for it.
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

impl Encoding {
    /// That of an item which begins with `head`.
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, ..] => Encoding::Utf16Le,
            [0xfe, 0xff, ..] => Encoding::Utf16Be,
            _ => Encoding::Utf8,
        }
    }

    /// The beginning of an item, decoded; `None` when it is no UTF-16.
    pub(crate) fn decode(self, head: &[u8]) -> Option<Vec<u8>> {
        let mut decoder = Decoder::new(self)?;
        let mut out = Vec::new();
        decoder.push(head, &mut out);
        Some(out)
    }

    /// How many bytes of the item the decoded `text` stands for.
    pub(crate) fn stored_bytes(self, text: &[u8]) -> u64 {
        let units = || text.iter().map(|byte| units(*byte)).sum::<u64>();
        if self == Encoding::Utf8 { text.len() as u64 } else { 2 * units() }
    }
}

/// Units of UTF-16 of the character that begins with `byte` in UTF-8; none for
/// a byte that begins no character.
fn units(byte: u8) -> u64 {
    match byte {
        0x80..0xc0 => 0,
        0xf0.. => 2,
        _ => 1,
    }
}

/// Turns UTF-16 into UTF-8, piece by piece.
pub(crate) struct Decoder {
    big_endian: bool,
    /// A byte, or a half of a pair, that waits for what follows.
    odd: Option<u8>,
    high: Option<u16>,
}

impl Decoder {
    /// `None` for text that needs none.
    pub(crate) fn new(encoding: Encoding) -> Option<Self> {
        let big_endian = match encoding {
            Encoding::Utf8 => return None,
            Encoding::Utf16Le => false,
            Encoding::Utf16Be => true,
        };
        Some(Self { big_endian, odd: None, high: None })
    }

    /// Decodes a further piece to `into`.
    pub(crate) fn push(&mut self, piece: &[u8], into: &mut Vec<u8>) {
        into.reserve(piece.len());
        for byte in piece {
            let Some(first) = self.odd.take() else {
                self.odd = Some(*byte);
                continue;
            };
            let pair = [first, *byte];
            self.unit(
                if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) },
                into,
            );
        }
    }

    /// What still waits when nothing follows is no text.
    pub(crate) fn end(&mut self, into: &mut Vec<u8>) {
        let waiting = usize::from(self.odd.take().is_some()) + usize::from(self.high.take().is_some());
        (0..waiting).for_each(|_| push(char::REPLACEMENT_CHARACTER, into));
    }

    fn unit(&mut self, unit: u16, into: &mut Vec<u8>) {
        if let Some(high) = self.high.take() {
            match char::decode_utf16([high, unit]).next() {
                Some(Ok(character)) => return push(character, into),
                _ => push(char::REPLACEMENT_CHARACTER, into),
            }
        }
        match char::from_u32(u32::from(unit)) {
            Some(character) => push(character, into),
            None if unit < 0xdc00 => self.high = Some(unit),
            None => push(char::REPLACEMENT_CHARACTER, into),
        }
    }
}

fn push(character: char, into: &mut Vec<u8>) {
    into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Puts the offsets of a batch's records and problems back to where they
/// stand in the item.
pub(crate) struct Placed<'a> {
    sink: &'a mut dyn RecordSink,
    encoding: Encoding,
    /// The batch's decoded bytes, and where they begin in the item.
    bytes: &'a [u8],
    start: u64,
    /// A place that is known: records come in order.
    known: (usize, u64),
}

impl<'a> Placed<'a> {
    pub(crate) fn new(sink: &'a mut dyn RecordSink, encoding: Encoding, bytes: &'a [u8], start: u64) -> Self {
        Self { sink, encoding, bytes, start, known: (0, 0) }
    }

    fn place(&mut self, offset: u64) -> u64 {
        let at = usize::try_from(offset - self.start.min(offset)).unwrap_or(usize::MAX).min(self.bytes.len());
        let (from, before) = if self.known.0 <= at { self.known } else { (0, 0) };
        let stored = before + self.encoding.stored_bytes(&self.bytes[from..at]);
        self.known = (at, stored);
        self.start + stored
    }
}

impl RecordSink for Placed<'_> {
    fn record(&mut self, record: &Record<'_>) {
        let mut record = *record;
        record.position.offset = self.place(record.position.offset);
        self.sink.record(&record);
    }

    fn problem(&mut self, mut problem: Problem) {
        problem.offset = problem.offset.map(|offset| self.place(offset));
        self.sink.problem(problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(units: &[u16], expect: &str) {
        for (encoding, bytes) in [
            (Encoding::Utf16Le, units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>()),
            (Encoding::Utf16Be, units.iter().flat_map(|unit| unit.to_be_bytes()).collect()),
        ] {
            for piece in [1, 3, 100] {
                let mut decoder = Decoder::new(encoding).unwrap();
                let mut out = Vec::new();
                bytes.chunks(piece).for_each(|piece| decoder.push(piece, &mut out));
                decoder.end(&mut out);
                assert_eq!(String::from_utf8(out.clone()).unwrap(), expect);
                assert_eq!(encoding.stored_bytes(&out), bytes.len() as u64);
            }
        }
    }

    #[test]
    fn every_unit_keeps_its_place() {
        let text = "a\u{feff}ä€😀\n";
        check(&text.encode_utf16().collect::<Vec<_>>(), text);
        check(&[0xd83d, 0x61, 0xde00, 0xd83d, 0xd83d, 0xde00, 0xd83d], "\u{fffd}a\u{fffd}\u{fffd}😀\u{fffd}");
        check(&[], "");
    }
}
