//! The bytes of one item as they stream by: hashed, counted, bounded.

use crate::Limits;
use crate::hashes::{Hashing, OlderHashes, WantedHashes};
use crate::utf16::{Decoder, Encoding};
use memchr::memmem;
use model::Problem;
use std::io::{self, Cursor, Read};

/// How much of an item's beginning is looked at before it is read.
pub(crate) const HEAD_BYTES: usize = 64 * 1024;

/// What all evidence made by us says of itself.
const SYNTHETIC_MARK: &[u8] = b"assay-range synthetic";

/// One item, read once from its beginning to its end.
pub(crate) struct Input<'a> {
    reader: Box<dyn Read + Send + 'a>,
    /// The item's beginning, which was read ahead; empty once it was handed on.
    head: Vec<u8>,
    hashing: Hashing,
    /// Bytes handed on so far.
    size_bytes: u64,
    bytes_max: u64,
    ended: bool,
    problem: Option<Problem>,
    synthetic: bool,
    /// What makes UTF-8 of the bytes that are handed on, where they are not.
    decoder: Option<Decoder>,
    kept: Option<Vec<u8>>,
    keep: Keep,
}

/// What of an item's bytes is kept as they stream by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keep {
    /// Nothing.
    Nothing,
    /// All, when there are at most so many.
    Whole(usize),
    /// At most so many, from the beginning.
    Beginning(usize),
}

impl<'a> Input<'a> {
    /// An item that begins with `head`, then the rest of `reader`.
    pub(crate) fn new(
        head: Head,
        reader: Box<dyn Read + Send + 'a>,
        bytes_max: u64,
        wanted: WantedHashes,
    ) -> Self {
        let synthetic = holds_mark(&head.bytes);
        let at = head.bytes.len() as u64;
        let problem = head.error.map(|error| Problem::new(kind(&error), at, "more bytes", error.to_string()));
        let (head, hashing) = (head.bytes, Hashing::new(wanted));
        Self {
            reader,
            head,
            hashing,
            size_bytes: 0,
            bytes_max,
            ended: false,
            problem,
            synthetic,
            decoder: None,
            kept: None,
            keep: Keep::Nothing,
        }
    }

    /// Keeps bytes from now on, as they are stored.
    pub(crate) fn keep(&mut self, keep: Keep) {
        (self.keep, self.kept) = (keep, Some(Vec::new()));
    }

    /// Hands on UTF-8 from now on.
    pub(crate) fn decode(&mut self, encoding: Encoding) {
        self.decoder = Decoder::new(encoding);
    }

    /// Appends up to `wanted` further bytes to `into` (decoded, they may be
    /// more); false at the item's end.
    ///
    /// What ends an item early (a read error, damage in an archive, a limit)
    /// is kept as a problem for [`Input::close`].
    pub(crate) fn read(&mut self, into: &mut Vec<u8>, wanted: usize) -> bool {
        let Some(mut decoder) = self.decoder.take() else { return self.read_stored(into, wanted) };
        let before = into.len();
        let mut stored = Vec::new();
        let more = self.read_stored(&mut stored, wanted);
        decoder.push(&stored, into);
        if more {
            self.decoder = Some(decoder);
        } else {
            decoder.end(into);
        }
        more || into.len() > before
    }

    fn read_stored(&mut self, into: &mut Vec<u8>, wanted: usize) -> bool {
        if self.ended {
            return false;
        }
        let before = into.len();
        let left = usize::try_from(self.bytes_max - self.size_bytes).unwrap_or(usize::MAX);
        let allowed = wanted.min(left);
        if self.head.is_empty() && self.problem.is_none() {
            if let Err(error) = self.reader.by_ref().take(allowed as u64).read_to_end(into) {
                let at = self.size_bytes + (into.len() - before) as u64;
                self.problem = Some(Problem::new(kind(&error), at, "more bytes", error.to_string()));
                self.ended = true;
            }
        } else {
            let given = allowed.min(self.head.len());
            into.extend(self.head.drain(..given));
        }
        let read = into.len() - before;
        self.hashing.update(&into[before..]);
        self.keep_more(&into[before..]);
        self.size_bytes += read as u64;
        if read == 0 && wanted > 0 {
            self.ended = true;
            if left == 0 && self.problem.is_none() {
                self.problem = self.over_limit();
            }
        }
        read > 0
    }

    /// Appends further bytes until `into` has `len`; false at the item's end.
    pub(crate) fn fill(&mut self, into: &mut Vec<u8>, len: usize) -> bool {
        while into.len() < len {
            let wanted = len - into.len();
            if !self.read(into, wanted) {
                return false;
            }
        }
        true
    }

    /// Where the next byte stands in the item.
    pub(crate) fn position(&self) -> u64 {
        self.size_bytes
    }

    /// What comes next, as far as it was read ahead.
    pub(crate) fn ahead(&self) -> &[u8] {
        &self.head
    }

    /// Steps over zeros, hashing them, for an item that begins with a head of
    /// nothing else. Whether there were any; what follows is [`Input::ahead`].
    pub(crate) fn skip_zeros(&mut self) -> bool {
        let is_zeros = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        if self.head.len() < HEAD_BYTES || !is_zeros(&self.head) {
            return false;
        }
        let mut block = Vec::with_capacity(HEAD_BYTES);
        while self.problem.is_none() && is_zeros(&self.head) {
            block.clear();
            let is_going_on = self.read(&mut block, HEAD_BYTES);
            if !is_going_on || !self.head.is_empty() {
                break;
            }
            let allowed = (self.bytes_max - self.size_bytes).min(HEAD_BYTES as u64);
            if let Err(error) = self.reader.by_ref().take(allowed).read_to_end(&mut self.head) {
                let at = self.size_bytes + self.head.len() as u64;
                self.problem = Some(Problem::new(kind(&error), at, "more bytes", error.to_string()));
            }
        }
        true
    }

    fn keep_more(&mut self, bytes: &[u8]) {
        let Some(kept) = &mut self.kept else { return };
        match self.keep {
            Keep::Whole(max) if kept.len() + bytes.len() <= max => kept.extend_from_slice(bytes),
            Keep::Beginning(max) => kept.extend(bytes.iter().take(max - kept.len())),
            _ => self.kept = None,
        }
    }

    /// A problem when there are more bytes than the limit lets pass.
    fn over_limit(&mut self) -> Option<Problem> {
        let mut one = [0u8];
        let more = !self.head.is_empty() || matches!(self.reader.read(&mut one), Ok(1));
        let wanted = format!("at most {} bytes", self.bytes_max);
        more.then(|| Problem::new("limit", self.size_bytes, wanted, "more; the rest is not read"))
    }

    /// Reads what is left, for its hash only, and gives the sums.
    pub(crate) fn close(mut self) -> Closed {
        let mut waste = Vec::with_capacity(HEAD_BYTES);
        while self.read_stored(&mut waste, HEAD_BYTES) {
            waste.clear();
        }
        let (sha256, older) = self.hashing.finish();
        Closed {
            sha256,
            older,
            size_bytes: self.size_bytes,
            synthetic: self.synthetic,
            problem: self.problem,
            kept: self.kept,
        }
    }
}

/// What is known of an item when all of it went by. Hash and size are those
/// of the bytes that could be read; `problem` says when that is not all.
pub(crate) struct Closed {
    pub(crate) sha256: [u8; 32],
    pub(crate) older: OlderHashes,
    pub(crate) size_bytes: u64,
    pub(crate) synthetic: bool,
    pub(crate) problem: Option<Problem>,
    /// What was kept of the bytes.
    pub(crate) kept: Option<Vec<u8>>,
}

/// The beginning of an item, read ahead to see what it is.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    /// What ended the reading within it; the reader is not asked again.
    error: Option<io::Error>,
}

impl Head {
    /// Reads up to [`HEAD_BYTES`] bytes.
    pub(crate) fn read(reader: &mut dyn Read) -> Self {
        let mut bytes = Vec::new();
        let error = reader.take(HEAD_BYTES as u64).read_to_end(&mut bytes).err();
        Self { bytes, error }
    }

    /// The head and what follows it, as one stream.
    pub(crate) fn chain<'a>(self, rest: Box<dyn Read + Send + 'a>) -> Box<dyn Read + Send + 'a> {
        let head = Cursor::new(self.bytes);
        match self.error {
            None => Box::new(head.chain(rest)),
            Some(error) => Box::new(head.chain(Failed(Some(error)))),
        }
    }
}

/// A reader that has failed, and says so once more.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// What an error of a reader is in reports: decoders give these two kinds for
/// damage and for an early end.
pub(crate) fn kind(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => "bad-archive",
        io::ErrorKind::UnexpectedEof => "truncated",
        _ => "unreadable",
    }
}

/// The most bytes that one item may unpack to, by the limits.
pub(crate) fn bytes_max(limits: &Limits, packed: u64) -> u64 {
    let by_ratio =
        limits.archive.ratio_free_bytes.saturating_add(packed.saturating_mul(limits.archive.ratio_max));
    limits.item_bytes_max.min(by_ratio)
}

fn holds_mark(head: &[u8]) -> bool {
    let wide: Vec<u8> = SYNTHETIC_MARK.iter().flat_map(|byte| [*byte, 0]).collect();
    memmem::find(head, SYNTHETIC_MARK).is_some() || memmem::find(head, &wide).is_some()
}
