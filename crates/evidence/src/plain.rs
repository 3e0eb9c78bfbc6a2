//! Lines of which only counts are wanted, split quickly.
//!
//! Most lines of a text log hold nothing that a rule looks for. Whoever takes
//! the records is shown a stretch of lines at once and marks those that it must
//! see whole ([`RecordSink::mark`](model::RecordSink::mark)); of the others it
//! wants a few values. Where all values of a stretch end is found by whole
//! vectors of bytes, and a line is *plain* when it has as many values as there
//! are columns, all ASCII, each just as it stands there. Every other line goes
//! the way that its format knows, and so do the marked ones.
//!
//! # Not here
//! What to do with quotes, holes, directives, lines that are too long.

use crate::Limits;
use memchr::memrchr;
use model::Timestamp;

/// Bytes of a stretch: few enough to stay in the cache while they are looked at.
const STRETCH_BYTES: usize = 32 << 10;
/// Bytes whose places are found at once.
const WORD_BYTES: usize = 64;

/// Places that are written at once.
const PLACES_AT_ONCE: usize = 8;

/// What parts the values of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Parted {
    /// One blank; a value holds at least one byte.
    ByBlanks,
    /// One comma; no value of the line is quoted.
    ByCommas,
}

/// Where the stretch that begins at `start` ends, behind a line end; `start`
/// when no line ends within its length, or one could be too long.
pub(crate) fn stretch_end(block: &[u8], start: usize, limits: &Limits) -> usize {
    if limits.line_bytes_max < STRETCH_BYTES {
        return start;
    }
    let rest = &block[start..];
    memrchr(b'\n', &rest[..rest.len().min(STRETCH_BYTES)]).map_or(start, |end| start + end + 1)
}

/// The values' ends in one stretch, and how far they were walked.
pub(crate) struct Plain {
    parted: Parted,
    /// Where separators and line ends stand; what follows the first `found` says nothing.
    places: Vec<u32>,
    found: usize,
    /// For each word whether it holds a byte that makes its line not plain.
    odd: Vec<bool>,
    /// A place in each line that is to be shown whole; ascending.
    pub(crate) marks: Vec<u32>,
    next_place: usize,
    next_mark: usize,
}

/// A plain line without a mark.
pub(crate) struct PlainLine<'p, 't> {
    text: &'t str,
    start: usize,
    /// Where each value ends.
    ends: &'p [u32],
    /// Where the next line begins.
    pub(crate) next: usize,
}

impl Plain {
    pub(crate) fn new(parted: Parted) -> Self {
        let (places, odd, marks) = (Vec::new(), Vec::new(), Vec::new());
        Self { parted, places, found: 0, odd, marks, next_place: 0, next_mark: 0 }
    }

    /// Finds the places of a stretch; its marks are there.
    pub(crate) fn begin(&mut self, text: &[u8]) {
        self.marks.sort_unstable();
        (self.next_place, self.next_mark) = (0, 0);
        self.found = 0;
        // Places are written several at once, needed or not.
        let room = text.len().next_multiple_of(WORD_BYTES) + WORD_BYTES;
        if self.places.len() < room {
            self.places.resize(room, 0);
        }
        self.odd.clear();
        let (words, rest) = text.as_chunks::<WORD_BYTES>();
        for (word, start) in words.iter().zip((0..).step_by(WORD_BYTES)) {
            self.word(word, start);
        }
        if !rest.is_empty() {
            let mut last = [b'x'; WORD_BYTES];
            last[..rest.len()].copy_from_slice(rest);
            self.word(&last, (words.len() * WORD_BYTES) as u32);
        }
    }

    fn word(&mut self, word: &[u8; WORD_BYTES], start: u32) {
        let (mut mask, odd) = match self.parted {
            // Every byte up to the blank is taken for one, and what it is asked later.
            Parted::ByBlanks => (mask(word, |byte| byte <= b' '), any(word, |byte| byte >= 0x80)),
            Parted::ByCommas => (
                mask(word, |byte| (byte == b',') | (byte == b'\n')),
                any(word, |byte| (byte >= 0x80) | (byte == b'"') | (byte == 0)),
            ),
        };
        self.odd.push(odd);
        let end = self.found + mask.count_ones() as usize;
        while self.found < end {
            // A branch for each would be guessed wrong too often.
            let Some(places) = self.places[self.found..].first_chunk_mut::<PLACES_AT_ONCE>() else { return };
            for place in places {
                // The highest bit stands for nothing once there are no others.
                *place = start + (mask | 1 << 63).trailing_zeros();
                mask &= mask.wrapping_sub(1);
            }
            self.found += PLACES_AT_ONCE;
        }
        self.found = end;
    }

    /// The line at `start`, when it is plain, of `columns` values, and has no mark.
    pub(crate) fn line<'p, 't>(
        &'p mut self,
        text: &'t str,
        start: usize,
        columns: usize,
    ) -> Option<PlainLine<'p, 't>> {
        // Only behind a line that went another way.
        let places = &self.places[..self.found];
        while places.get(self.next_place).is_some_and(|place| (*place as usize) < start) {
            self.next_place += 1;
        }
        let ends = places.get(self.next_place..self.next_place + columns)?;
        let (last, inner) = ends.split_last()?;
        let bytes = text.as_bytes();
        let line_end = *last as usize;
        let (next, taken) = match (bytes.get(line_end)?, bytes.get(line_end + 1)) {
            (b'\n', _) => (line_end + 1, columns),
            (b'\r', Some(b'\n')) => (line_end + 2, columns + 1),
            _ => return None,
        };
        let begins_well = match self.parted {
            Parted::ByBlanks => bytes[start] != b'#' && are_parted::<b' ', 1>(bytes, start, inner, line_end),
            Parted::ByCommas => {
                bytes[start].is_ascii_digit() && are_parted::<b',', 0>(bytes, start, inner, line_end)
            }
        };
        if !begins_well || self.odd[start / WORD_BYTES..=(next - 1) / WORD_BYTES].contains(&true) {
            return None;
        }
        while self.marks.get(self.next_mark).is_some_and(|mark| (*mark as usize) < start) {
            self.next_mark += 1;
        }
        if self.marks.get(self.next_mark).is_some_and(|mark| (*mark as usize) < next) {
            return None;
        }
        self.next_place += taken;
        Some(PlainLine { text, start, ends, next })
    }
}

impl<'t> PlainLine<'_, 't> {
    /// The value of a column; nothing when there is no such column.
    pub(crate) fn value(&self, column: usize) -> &'t str {
        let Some(end) = self.ends.get(column) else { return "" };
        let from = column.checked_sub(1).map_or(self.start, |before| self.ends[before] as usize + 1);
        let value = self.text.get(from..*end as usize).unwrap_or_default();
        // Commas end no line, so its last value may have half of the line end.
        if column + 1 == self.ends.len() { value.strip_suffix('\r').unwrap_or(value) } else { value }
    }

    /// The line up to the end of a column.
    pub(crate) fn up_to(&self, column: usize) -> &'t str {
        self.ends.get(column).and_then(|end| self.text.get(self.start..*end as usize)).unwrap_or_default()
    }
}

/// Whether a separator stands at each of `inner`, and each value has `BYTES_MIN` at least.
fn are_parted<const SEPARATOR: u8, const BYTES_MIN: usize>(
    bytes: &[u8],
    start: usize,
    inner: &[u32],
    line_end: usize,
) -> bool {
    let mut from = start;
    for place in inner.iter().map(|place| *place as usize) {
        if bytes[place] != SEPARATOR || place < from + BYTES_MIN {
            return false;
        }
        from = place + 1;
    }
    line_end >= from + BYTES_MIN
}

/// A bit for each byte of which `is` holds.
#[inline(always)]
fn mask(word: &[u8; WORD_BYTES], is: impl Fn(u8) -> bool) -> u64 {
    // Each byte's bit of its eight; a multiplication then adds the eight up in the uppermost byte.
    let mut bits = [0u8; WORD_BYTES];
    for (index, (bit, byte)) in bits.iter_mut().zip(word).enumerate() {
        *bit = if is(*byte) { 1 << (index % 8) } else { 0 };
    }
    let (eights, _) = bits.as_chunks::<8>();
    let gathered = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0101_0101_0101_0101) >> 56;
    eights.iter().zip(0..).fold(0, |mask, (eight, index)| mask | gathered(eight) << (8 * index))
}

/// Whether `is` holds of any byte.
#[inline(always)]
fn any(word: &[u8; WORD_BYTES], is: impl Fn(u8) -> bool) -> bool {
    word.iter().fold(0, |seen, byte| seen | u8::from(is(*byte))) != 0
}

/// The time of the line before: most lines are of the same minute.
#[derive(Default)]
pub(crate) struct Clock {
    /// `YYYY-MM-DDTHH:MM:` of a time that is one, and its minute.
    minute: Option<([u8; MINUTE_BYTES], Timestamp)>,
}

/// Bytes before the seconds.
const MINUTE_BYTES: usize = 17;

impl Clock {
    /// What [`Timestamp::parse`] says of `text`.
    pub(crate) fn parse(&mut self, text: &str) -> Option<Timestamp> {
        let parsed = || Timestamp::parse(text);
        let Some((minute, rest)) = text.as_bytes().split_first_chunk::<MINUTE_BYTES>() else {
            return parsed();
        };
        let Some(nanos) = nanos_of(rest) else { return parsed() };
        match &self.minute {
            Some((known, time)) if known == minute => {
                time.nanos().checked_add(nanos).map(Timestamp::from_nanos)
            }
            _ => {
                let time = parsed()?;
                let begin = time.nanos().checked_sub(nanos).map(Timestamp::from_nanos);
                self.minute = begin.map(|begin| (*minute, begin));
                Some(time)
            }
        }
    }
}

/// Seconds, with thousandths or without, in UTC; `None` for other forms.
fn nanos_of(rest: &[u8]) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    let [tens @ b'0'..=b'5', ones, rest @ ..] = rest else { return None };
    let seconds = digit(*tens)? * 10 + digit(*ones)?;
    let thousandths = match rest {
        [] | [b'Z'] => 0,
        [b'.', a, b, c] | [b'.', a, b, c, b'Z'] => digit(*a)? * 100 + digit(*b)? * 10 + digit(*c)?,
        _ => return None,
    };
    Some((seconds * 1_000 + thousandths) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of plain lines; `None` for others.
    fn lines(parted: Parted, columns: usize, text: &str, marks: &[u32]) -> Vec<Option<Vec<String>>> {
        let mut plain = Plain::new(parted);
        plain.marks.extend(marks);
        plain.begin(text.as_bytes());
        let (mut at, mut out) = (0, Vec::new());
        while at < text.len() {
            let line = plain.line(text, at, columns);
            let next = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
            if let Some(line) = &line {
                assert_eq!(line.next, next);
            }
            out.push(line.map(|line| (0..columns).map(|column| line.value(column).to_owned()).collect()));
            at = next;
        }
        out
    }

    fn some(values: &[&str]) -> Option<Vec<String>> {
        Some(values.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn blanks_part_values() {
        let text = "a b c\r\n#a b c\na  b c\nab cd\na b c d\nx yy zzz\n\na b\tc\na b\u{e4} c\n a b c\na b \nq r s\na b c";
        let seen = lines(Parted::ByBlanks, 3, text, &[]);
        let mut expect = vec![None; seen.len()];
        (expect[0], expect[5], expect[11]) =
            (some(&["a", "b", "c"]), some(&["x", "yy", "zzz"]), some(&["q", "r", "s"]));
        // Words of 64 bytes: a byte beyond ASCII makes its neighbours odd, too.
        let near = |index: &usize| seen[*index].is_none();
        assert!((0..seen.len()).all(|index| seen[index] == expect[index] || near(&index)), "{seen:?}");
        let plain: String = text.replace('\u{e4}', "?");
        let seen = lines(Parted::ByBlanks, 3, &plain, &[]);
        (expect[8], expect[12]) = (some(&["a", "b?", "c"]), None);
        assert_eq!(seen, expect);
    }

    #[test]
    fn commas_part_values() {
        let long = "3".repeat(200);
        let text = format!("1,,c\r\nx,b,c\n{long},b,\n4,5\n6,7,8,9\n7,8,\n{long},b,c\n2,\"b\",c\n");
        let mut expect = vec![None; 6];
        (expect[0], expect[2]) = (some(&["1", "", "c"]), some(&[&long, "b", ""]));
        expect[5] = some(&["7", "8", ""]);
        // The quote's neighbours are odd, too.
        let seen = lines(Parted::ByCommas, 3, &text, &[]);
        assert_eq!((&seen[..6], &seen[7]), (&expect[..], &None));
        assert_eq!(
            lines(Parted::ByCommas, 3, "1,,c\r\n2,b,\r\n", &[]),
            [some(&["1", "", "c"]), some(&["2", "b", ""])]
        );
    }

    #[test]
    fn marked_lines_are_left_out() {
        let text = "a b\nc d\ne f\ng h\n";
        let seen = lines(Parted::ByBlanks, 2, text, &[9, 6, 6]);
        assert_eq!(seen, [some(&["a", "b"]), None, None, some(&["g", "h"])]);
    }

    #[test]
    fn a_clock_says_what_the_parser_says() {
        let mut clock = Clock::default();
        for text in [
            "2021-03-01 00:00:13",
            "2021-03-01 00:00:59",
            "2021-03-01 00:00:60",
            "2021-03-01 00:00:5x",
            "2021-03-01 00:00:07.123Z",
            "2021-03-01T00:00:07.123Z",
            "2021-03-01T00:00:07.1234Z",
            "2021-03-01T00:00:08.999",
            "2021-03-01T00:00:08+01:00",
            "2021-03-01T00:00:08",
            "2021-02-31T00:00:08",
            "2021-02-31T00:00:09",
            " 2021-03-01 00:00:13",
            "-",
            "",
        ] {
            assert_eq!(clock.parse(text), Timestamp::parse(text), "{text}");
        }
    }
}
