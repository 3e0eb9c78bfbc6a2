//! Bytes that can be read from any place: a file on disk, a spooled archive, a
//! file in a disk image.
//! Opened for reading only.

use crate::Limits;
use disk::ReadAt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

/// Random access to bytes; cheap to clone, so that several members of an
/// archive can be read at once.
#[derive(Clone)]
pub(crate) struct Bytes<'a> {
    store: Store<'a>,
    len: u64,
    /// Told of each byte read; only the files of the arguments count, what is
    /// spooled from them does not.
    progress: &'a (dyn Fn(u64) + Sync),
}

#[derive(Clone)]
enum Store<'a> {
    File(Arc<File>),
    Memory(Arc<[u8]>),
    Disk(Arc<dyn ReadAt + 'a>),
}

impl<'a> Bytes<'a> {
    /// Opens the file at `path` for reading.
    pub(crate) fn open(path: &Path, progress: &'a (dyn Fn(u64) + Sync)) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        // What the kernel makes up as it is read has no size, and may be more than any.
        if len == 0 && read_file_at(&file, &mut [0], 0)? > 0 {
            return Err(io::Error::other("its size is 0, and yet it holds something"));
        }
        Ok(Self { store: Store::File(Arc::new(file)), len, progress })
    }

    /// Opens another file, told of in the same way.
    pub(crate) fn beside(&self, path: &Path) -> io::Result<Self> {
        Self::open(path, self.progress)
    }

    /// Bytes that are in memory already.
    pub(crate) fn of_memory(bytes: Vec<u8>) -> Self {
        Self { len: bytes.len() as u64, store: Store::Memory(bytes.into()), progress: &|_| {} }
    }

    /// A file in a disk image, or a disk.
    pub(crate) fn of_disk(store: Arc<dyn ReadAt + 'a>) -> Self {
        Self { len: store.size_bytes(), store: Store::Disk(store), progress: &|_| {} }
    }

    /// The same bytes; whoever reads them here does not tell of progress.
    pub(crate) fn quiet(&self) -> Self {
        Self { progress: &|_| {}, ..self.clone() }
    }

    /// Reads all of `reader`: into memory, or into a temporary file that has
    /// no name when it is larger than [`Limits::spool_bytes_max`].
    pub(crate) fn spool(reader: &mut dyn Read, limits: &Limits) -> io::Result<Self> {
        let bound = limits.spool_bytes_max;
        let mut memory = Vec::new();
        Read::take(&mut *reader, bound as u64 + 1).read_to_end(&mut memory)?;
        if memory.len() <= bound {
            return Ok(Self::of_memory(memory));
        }
        let mut file = tempfile::tempfile()?;
        file.write_all(&memory)?;
        drop(memory);
        io::copy(reader, &mut file)?;
        let len = file.metadata()?.len();
        Ok(Self { store: Store::File(Arc::new(file)), len, progress: &|_| {} })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// A reader of the bytes from `start` to before `end`.
    pub(crate) fn range(&self, start: u64, end: u64) -> RangeReader<'a> {
        let end = end.min(self.len);
        let start = start.min(end);
        RangeReader { bytes: self.clone(), start, at: start, end }
    }

    /// Up to `len` bytes at `start`, as many as there are.
    pub(crate) fn read_at(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.range(start, start.saturating_add(len as u64)).read_to_end(&mut out)?;
        Ok(out)
    }
}

/// Reads one range of [`Bytes`], from its start on.
pub(crate) struct RangeReader<'a> {
    bytes: Bytes<'a>,
    start: u64,
    at: u64,
    end: u64,
}

impl Read for RangeReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let wanted = into.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let read = match &self.bytes.store {
            Store::File(file) => read_file_at(file, &mut into[..wanted], self.at)?,
            Store::Memory(memory) => {
                let start = usize::try_from(self.at).map_err(|_| io::ErrorKind::InvalidInput)?;
                into[..wanted].copy_from_slice(&memory[start..start + wanted]);
                wanted
            }
            Store::Disk(store) => store.read_at(self.at, &mut into[..wanted]).map_err(of_disk)?,
        };
        self.at += read as u64;
        (self.bytes.progress)(read as u64);
        Ok(read)
    }
}

/// Places are those within the range.
impl Seek for RangeReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (self.start.checked_add(at), 0),
            SeekFrom::End(by) => (Some(self.end), by),
            SeekFrom::Current(by) => (Some(self.at), by),
        };
        let at = from.and_then(|from| from.checked_add_signed(by)).filter(|at| *at >= self.start);
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?.min(self.end);
        Ok(self.at - self.start)
    }
}

/// Damage in a disk is no damage in an archive.
fn of_disk(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => io::Error::other(error.to_string()),
        _ => error,
    }
}

impl ReadAt for Bytes<'_> {
    fn size_bytes(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.range(at, self.len).read(into)
    }
}

#[cfg(unix)]
fn read_file_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, at)
}

#[cfg(windows)]
fn read_file_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, at)
}
