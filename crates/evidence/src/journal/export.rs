//! The journal's export format: entries of `NAME=value` lines, parted by empty
//! lines; a value with line ends or bytes that are no text stands as `NAME`,
//! eight bytes of length (little endian), and the bytes.
//!
//! # Not here
//! What fields mean: [`super`].

use super::{Field, TIME, record};
use crate::Limits;
use crate::batch::Batch;
use crate::format::{Format, Reader};
use crate::shapes::{MetShapes, Shapes};
use crate::text::{self, Cut};
use memchr::{memchr, memchr_iter};
use model::{Position, Problem, RecordSink};

/// The format of `journalctl -o export`.
pub(crate) const FORMAT: Format = Format { slug: "journal-export", is, reader: Reader::JournalExport };

/// Whether `head` is the beginning of such a log.
fn is(head: &[u8], _: &Limits) -> bool {
    let mut at = 0;
    let mut names = std::iter::from_fn(|| {
        let line = text::line_at(head, at)?;
        at = line.next;
        Some(line.bytes)
    });
    names.next().is_some_and(|line| line.starts_with(b"__CURSOR="))
        && names
            .take(8)
            .any(|line| line.strip_prefix(TIME.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")))
}

/// What stands at one place of an entry.
enum Part<'a> {
    Field(&'a [u8], &'a [u8]),
    /// The end of the entry.
    End,
    /// A line that is neither.
    Other(&'a [u8]),
}

/// The part that begins at `at`, and where the next one does; `None` when it
/// is not whole.
fn part_at(block: &[u8], at: usize, value_bytes_max: usize) -> Option<(Part<'_>, usize)> {
    let rest = block.get(at..).filter(|rest| !rest.is_empty())?;
    let end = memchr(b'\n', rest)?;
    let line = &rest[..end];
    let next = at + end + 1;
    if line.is_empty() {
        return Some((Part::End, next));
    }
    if let Some(equals) = memchr(b'=', line).filter(|equals| is_name(&line[..*equals])) {
        return Some((Part::Field(&line[..equals], &line[equals + 1..]), next));
    }
    if !is_name(line) {
        return Some((Part::Other(line), next));
    }
    let length = u64::from_le_bytes(block.get(next..next + 8)?.try_into().ok()?);
    // A length beyond the limit is none: what follows is read as lines.
    match usize::try_from(length).ok().filter(|length| *length <= value_bytes_max) {
        None => Some((Part::Other(line), next)),
        Some(length) => {
            let start = next + 8;
            let value = block.get(start..start + length)?;
            match block.get(start + length)? {
                b'\n' => Some((Part::Field(line, value), start + length + 1)),
                _ => Some((Part::Other(line), next)),
            }
        }
    }
}

fn is_name(name: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    (1..=64).contains(&name.len()) && name.iter().all(is_letter)
}

/// Cuts between entries.
pub(crate) struct ExportCut {
    value_bytes_max: usize,
}

impl ExportCut {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { value_bytes_max: limits.line_bytes_max }
    }
}

impl Cut for ExportCut {
    type State = ();

    fn state(&self) {}

    fn cut(&mut self, block: &[u8], ended: bool) -> usize {
        if ended {
            return block.len();
        }
        let (mut at, mut cut) = (0, 0);
        while let Some((part, next)) = part_at(block, at, self.value_bytes_max) {
            at = next;
            if matches!(part, Part::End) {
                cut = next;
            }
        }
        cut
    }
}

/// Reads a batch.
pub(crate) fn read(batch: &Batch<()>, shapes: &Shapes, limits: &Limits, sink: &mut dyn RecordSink) {
    let mut shapes = MetShapes::new(shapes);
    let mut fields: Vec<Field<'_>> = Vec::new();
    let (mut at, mut line, mut begin) = (0, batch.line, None);
    let bytes = batch.bytes.as_slice();
    loop {
        let offset = batch.offset + at as u64;
        let part = part_at(bytes, at, limits.line_bytes_max);
        let next = part.as_ref().map_or(bytes.len(), |(_, next)| *next);
        let position = Position { offset, record: None, line: Some(line) };
        match part {
            Some((Part::Field(name, value), _)) if fields.len() < limits.json_keys_max => {
                begin.get_or_insert(position);
                fields.push((text::text(name), Some(text::text(value))));
            }
            Some((Part::Field(..), _)) => {
                let wanted = format!("at most {} fields of one entry", limits.json_keys_max);
                sink.problem(Problem::new("limit", offset, wanted, "more").losing(0));
            }
            Some((Part::Other(line), _)) => {
                let problem = Problem::new("bad-record", offset, "NAME=value", text::quote(line));
                sink.problem(problem.losing(0));
            }
            Some((Part::End, _)) => {}
            None if at < bytes.len() => {
                let found = text::quote(&bytes[at..]);
                sink.problem(Problem::new("truncated", offset, "a whole field", found).losing(0));
            }
            None => {}
        }
        if matches!(part, None | Some((Part::End, _)))
            && let Some(begin) = begin.take()
        {
            record(&fields, &mut shapes, begin, sink);
            fields.clear();
        }
        if part.is_none() {
            return;
        }
        line += memchr_iter(b'\n', &bytes[at..next]).count() as u64;
        at = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_cut_at_their_ends_only() {
        let mut cut = ExportCut::new(&Limits::default());
        let binary = b"MESSAGE\n\x04\0\0\0\0\0\0\0a\n\nb\n";
        let block = [b"A=1\n".as_slice(), binary, b"\n", b"B=2\n"].concat();
        assert_eq!(cut.cut(&block, false), 4 + binary.len() + 1);
        assert_eq!(cut.cut(&block[..20], false), 0);
        assert_eq!(cut.cut(&block, true), block.len());
    }
}
