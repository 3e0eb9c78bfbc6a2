//! Reading the wire with a limit at every step: a cursor over one window of a
//! chunk, and what is said when the bytes are not what they should be.

use std::fmt;

/// Why something could not be read. Small and `Copy`: on damaged evidence it
/// is made often, and it becomes text only when it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Whether one of our limits was met, not the format broken.
    pub limit: bool,
    /// Where, in the chunk.
    pub at: usize,
    /// What was wanted there.
    pub wanted: &'static str,
    /// What was there.
    pub found: Found,
}

/// What was there instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A number (a token, a size, an offset).
    Number(u64),
    /// The end of the window, so many bytes ahead.
    End(usize),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Number(number) => write!(f, "{number:#x}"),
            Found::End(left) => write!(f, "the end after {left} bytes"),
        }
    }
}

impl Broken {
    /// The format is not kept at `at`.
    pub(crate) fn new(at: usize, wanted: &'static str, found: u64) -> Self {
        Self { limit: false, at, wanted, found: Found::Number(found) }
    }

    /// The format may be kept, but we go no further.
    pub(crate) fn limit(at: usize, wanted: &'static str, found: usize) -> Self {
        Self { limit: true, at, wanted, found: Found::Number(found as u64) }
    }

    /// The slug of the problem that it becomes.
    pub(crate) fn kind(&self) -> &'static str {
        if self.limit { "limit" } else { "bad-record" }
    }
}

/// A place in a window of a chunk. Offsets in binary XML count from the
/// chunk's first byte, so the cursor keeps the whole chunk and an end.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor over `data[at..end]`; ends past the data are cut.
    pub(crate) fn new(data: &'a [u8], at: usize, end: usize) -> Self {
        let end = end.min(data.len());
        Self { data, at: at.min(end), end }
    }

    /// Offset in the chunk of the next byte.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Bytes left in the window.
    pub(crate) fn left(&self) -> usize {
        self.end - self.at
    }

    /// The next `size` bytes.
    #[inline]
    pub(crate) fn take(&mut self, size: usize, wanted: &'static str) -> Result<&'a [u8], Broken> {
        if size > self.left() {
            return Err(Broken { limit: false, at: self.at, wanted, found: Found::End(self.left()) });
        }
        let bytes = &self.data[self.at..self.at + size];
        self.at += size;
        Ok(bytes)
    }

    #[inline]
    fn array<const N: usize>(&mut self, wanted: &'static str) -> Result<[u8; N], Broken> {
        match self.data[self.at..self.end].first_chunk::<N>() {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(Broken { limit: false, at: self.at, wanted, found: Found::End(self.left()) }),
        }
    }

    /// The next byte.
    #[inline]
    pub(crate) fn u8(&mut self, wanted: &'static str) -> Result<u8, Broken> {
        self.array::<1>(wanted).map(|[byte]| byte)
    }

    /// The next two bytes, little endian.
    #[inline]
    pub(crate) fn u16(&mut self, wanted: &'static str) -> Result<u16, Broken> {
        self.array(wanted).map(u16::from_le_bytes)
    }

    /// The next four bytes, little endian.
    #[inline]
    pub(crate) fn u32(&mut self, wanted: &'static str) -> Result<u32, Broken> {
        self.array(wanted).map(u32::from_le_bytes)
    }

    /// The next eight bytes, little endian.
    #[inline]
    pub(crate) fn u64(&mut self, wanted: &'static str) -> Result<u64, Broken> {
        self.array(wanted).map(u64::from_le_bytes)
    }
}
