//! Bytes at random access, whatever they lie in.

use std::io;
use std::sync::Arc;

/// Bytes that can be read from any place, by several threads at once.
pub trait ReadAt: Send + Sync {
    /// How many there are.
    fn size_bytes(&self) -> u64;

    /// Reads some bytes from `at` on; 0 only at the end, or when `into` is
    /// empty.
    ///
    /// # Errors
    /// When they are there and cannot be read; `UnexpectedEof` when what they
    /// lie in ends before.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize>;
}

/// Fills `into` with as much as there is from `at` on; gives how much.
pub(crate) fn fill(store: &dyn ReadAt, at: u64, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match store.read_at(at + filled as u64, &mut into[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Exactly `len` bytes at `at`. Only for lengths that are bounded.
pub(crate) fn exactly(store: &dyn ReadAt, at: u64, len: usize) -> io::Result<Vec<u8>> {
    let is_there = at.checked_add(len as u64).is_some_and(|end| end <= store.size_bytes());
    if !is_there {
        return Err(ended(store.size_bytes()));
    }
    let mut bytes = vec![0; len];
    if fill(store, at, &mut bytes)? < len {
        return Err(ended(store.size_bytes()));
    }
    Ok(bytes)
}

/// What it means that `size_bytes` are all there is.
pub(crate) fn ended(size_bytes: u64) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("an end after {size_bytes} bytes"))
}

/// A part of other bytes: a partition of a disk.
pub struct Slice<'a> {
    store: Arc<dyn ReadAt + 'a>,
    start: u64,
    size_bytes: u64,
}

impl<'a> Slice<'a> {
    /// The bytes of `store` from `start` on, `size_bytes` of them, whether
    /// they are all there or not.
    pub fn new(store: Arc<dyn ReadAt + 'a>, start: u64, size_bytes: u64) -> Self {
        Self { store, start, size_bytes: size_bytes.min(u64::MAX - start) }
    }
}

impl ReadAt for Slice<'_> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size_bytes.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        if wanted == 0 {
            return Ok(0);
        }
        match self.store.read_at(self.start + at, &mut into[..wanted])? {
            0 => Err(ended(self.store.size_bytes())),
            read => Ok(read),
        }
    }
}

impl ReadAt for Vec<u8> {
    fn size_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(at).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}
