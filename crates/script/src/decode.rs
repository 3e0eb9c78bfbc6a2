//! From bytes to units of text, each with its place in the file.

/// Text, a byte per code unit: ASCII as it is, all else as one byte above 127,
/// which no language gives a meaning but "part of a name".
#[derive(Default)]
pub(crate) struct Units {
    pub(crate) bytes: Vec<u8>,
    at: Vec<u32>,
}

impl Units {
    fn push(&mut self, code: u32, at: usize) {
        // Characters that no reader sees and C# ignores within names.
        if matches!(code, 0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x2064 | 0xfeff) {
            return;
        }
        let byte = match code {
            0x80.. => 0x80 | (code as u8 & 0x7f),
            ascii => ascii as u8,
        };
        self.bytes.push(byte);
        self.at.push(at as u32);
    }

    /// Where the unit stands in the file.
    pub(crate) fn offset(&self, unit: usize) -> u32 {
        self.at.get(unit).or(self.at.last()).copied().unwrap_or(0)
    }

    /// Whether `word` (lower case) stands at `unit`, without regard to case.
    pub(crate) fn starts_with(&self, unit: usize, word: &str) -> bool {
        self.bytes.get(unit..unit + word.len()).is_some_and(|own| own.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// The first `word` (lower case) from `from` on, before `to`.
    pub(crate) fn find(&self, word: &str, from: usize, to: usize) -> Option<usize> {
        let to = to.min(self.bytes.len());
        let first = word.as_bytes().first()?;
        let (low, high) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
        let mut at = from;
        while at < to {
            let next = memchr2(low, high, self.bytes.get(at..to)?)?;
            at += next;
            if at + word.len() <= to && self.starts_with(at, word) {
                return Some(at);
            }
            at += 1;
        }
        None
    }
}

fn memchr2(one: u8, other: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == one || *byte == other)
}

/// Decodes at most `max` units.
pub(crate) fn decode(content: &[u8], max: usize) -> Units {
    let mut units = Units::default();
    match wide(content) {
        Some((from, big_endian)) => {
            for (index, pair) in content[from..].chunks_exact(2).take(max).enumerate() {
                let pair = [pair[0], pair[1]];
                let code = if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
                units.push(u32::from(code), from + 2 * index);
            }
        }
        None => narrow(content, max, &mut units),
    }
    units
}

/// UTF-8; a byte that is none stands for itself.
fn narrow(content: &[u8], max: usize, units: &mut Units) {
    let mut at = 0;
    for chunk in content.get(..content.len().min(4 * max)).unwrap_or(content).utf8_chunks() {
        for (index, letter) in chunk.valid().char_indices() {
            units.push(u32::from(letter), at + index);
        }
        at += chunk.valid().len();
        for byte in chunk.invalid() {
            units.push(u32::from(*byte), at);
            at += 1;
        }
        if units.bytes.len() >= max {
            return;
        }
    }
}

/// Where UTF-16 begins and whether its bytes are swapped; by its mark, or
/// because every second byte is zero.
fn wide(content: &[u8]) -> Option<(usize, bool)> {
    match content {
        [0xff, 0xfe, ..] => return Some((2, false)),
        [0xfe, 0xff, ..] => return Some((2, true)),
        _ => {}
    }
    let head = &content[..content.len().min(4_096)];
    let pairs = head.len() / 2;
    let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if pairs < 8 {
        return None;
    }
    if odd * 10 > pairs * 7 && even * 10 < pairs {
        Some((0, false))
    } else if even * 10 > pairs * 7 && odd * 10 < pairs {
        Some((0, true))
    } else {
        None
    }
}
