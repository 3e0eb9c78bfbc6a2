//! Tar archives: ustar, GNU and pax headers, one member after another.
//!
//! Our own reading, because the library at hand reads a long name into memory
//! whatever its length. (Format: POSIX.1-2017, pax; GNU tar manual.)

use super::times;
use model::FileFacts;
use std::collections::HashMap;
use std::io::{self, Read};

const BLOCK_BYTES: usize = 512;
/// No path is longer; a header that says so is made to fill memory.
const NAME_BYTES_MAX: u64 = 64 * 1024;

/// What a member is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    File,
    Folder,
    /// A symbolic or hard link.
    Link,
    /// A device or pipe.
    Device,
    /// A file in pieces (GNU sparse), which we do not put together.
    Sparse,
    /// A header of a kind that we do not know.
    Other(u8),
}

/// One member; its bytes follow in the stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) size_bytes: u64,
    /// Its times, which tar keeps in UTC.
    pub(crate) facts: FileFacts,
    /// Where its header stands in the unpacked archive.
    pub(crate) offset: u64,
}

/// Walks a tar archive.
pub(crate) struct Tar<R> {
    stream: R,
    /// Bytes taken from the stream so far.
    at: u64,
    /// Bytes of the present member, with its padding, not yet taken.
    left: u64,
    padding: u64,
}

impl<R: Read> Tar<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self { stream, at: 0, left: 0, padding: 0 }
    }

    /// Offset in the archive of what is read next.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The next member; what was not read of the one before is passed over.
    ///
    /// # Errors
    /// When the stream ends in mid member or what stands there is no header;
    /// nothing can be read after that.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut long_name = None;
        let mut pax = HashMap::new();
        loop {
            self.skip()?;
            let offset = self.at;
            let mut header = [0u8; BLOCK_BYTES];
            match self.take_block(&mut header)? {
                0 => return Ok(None),
                BLOCK_BYTES => {}
                _ => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
            if header.iter().all(|byte| *byte == 0) {
                continue; // the end, or where two archives were joined
            }
            if !has_checksum(&header) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "no header of a member"));
            }
            let size = number(&header[124..136])
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a size that is none"))?;
            self.begin(size);
            match header[156] {
                b'L' => long_name = Some(self.take_name()?),
                b'K' | b'g' => {}
                b'x' => pax = parse_pax(&self.take_name()?),
                flag => return Ok(Some(self.entry(&header, flag, size, offset, long_name, &pax)?)),
            }
        }
    }

    /// Reads the present member's bytes.
    pub(crate) fn data(&mut self) -> Data<'_, R> {
        Data { tar: self }
    }

    fn begin(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK_BYTES as u64;
    }

    fn entry(
        &mut self,
        header: &[u8; BLOCK_BYTES],
        flag: u8,
        size: u64,
        offset: u64,
        long_name: Option<Vec<u8>>,
        pax: &HashMap<Vec<u8>, Vec<u8>>,
    ) -> io::Result<Entry> {
        let is_sparse_pax = pax.keys().any(|key| key.starts_with(b"GNU.sparse."));
        let pax_size =
            pax.get(b"size".as_slice()).and_then(|size| std::str::from_utf8(size).ok()?.parse().ok());
        let size_bytes = pax_size.unwrap_or(size);
        self.begin(size_bytes);
        let name = long_name.or_else(|| pax.get(b"path".as_slice()).cloned()).unwrap_or_else(|| name(header));
        let kind = match flag {
            _ if is_sparse_pax => Kind::Sparse,
            b'0' | 0 | b'7' if name.ends_with(b"/") => Kind::Folder,
            b'0' | 0 | b'7' => Kind::File,
            b'5' => Kind::Folder,
            b'1' | b'2' => Kind::Link,
            b'3' | b'4' | b'6' => Kind::Device,
            b'S' => Kind::Sparse,
            other => Kind::Other(other),
        };
        if flag == b'S' {
            self.skip_sparse_headers(header[482] != 0)?;
        }
        let facts = times::of_tar(number(&header[136..148]), pax);
        Ok(Entry { name, kind, size_bytes, facts, offset })
    }

    /// GNU sparse: further headers, each of which says whether one follows.
    fn skip_sparse_headers(&mut self, mut more: bool) -> io::Result<()> {
        while more {
            let mut block = [0u8; BLOCK_BYTES];
            if self.take_block(&mut block)? < BLOCK_BYTES {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            more = block[504] != 0;
        }
        Ok(())
    }

    fn take_block(&mut self, block: &mut [u8; BLOCK_BYTES]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < BLOCK_BYTES {
            match self.stream.read(&mut block[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        self.at += filled as u64;
        Ok(filled)
    }

    /// The bytes of a header that holds a name.
    fn take_name(&mut self) -> io::Result<Vec<u8>> {
        let mut name = Vec::new();
        let bound = self.left.min(NAME_BYTES_MAX);
        self.data().take(bound).read_to_end(&mut name)?;
        while name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    /// Passes over what is left of the present member.
    fn skip(&mut self) -> io::Result<()> {
        let wanted = self.left.saturating_add(self.padding);
        let skipped = io::copy(&mut (&mut self.stream).take(wanted), &mut io::sink())?;
        self.at += skipped;
        // Many writers leave the last member's padding out.
        let is_cut = skipped < self.left;
        (self.left, self.padding) = (0, 0);
        if is_cut { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// The bytes of a member.
pub(crate) struct Data<'a, R> {
    tar: &'a mut Tar<R>,
}

impl<R: Read> Read for Data<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let wanted = into.len().min(usize::try_from(self.tar.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.tar.stream.read(&mut into[..wanted])?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends in mid member"));
        }
        self.tar.left -= read as u64;
        self.tar.at += read as u64;
        Ok(read)
    }
}

/// Whether the sum in the header is that of its bytes, with the sum itself
/// taken as blanks.
pub(crate) fn has_checksum(header: &[u8]) -> bool {
    let Some(header) = header.first_chunk::<BLOCK_BYTES>() else {
        return false;
    };
    let sum = header.iter().enumerate().map(|(at, byte)| match at {
        148..156 => u64::from(b' '),
        _ => u64::from(*byte),
    });
    number(&header[148..156]) == Some(sum.sum())
}

/// A number in octal digits, or in base 256 when its first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (first, rest) = field.split_first()?;
        let start = u64::from(first & 0x7f);
        return rest.iter().try_fold(start, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let digits = field.iter().skip_while(|byte| **byte == b' ').take_while(|byte| !matches!(byte, 0 | b' '));
    digits.into_iter().try_fold(0u64, |sum, byte| {
        matches!(byte, b'0'..=b'7').then_some(())?;
        sum.checked_mul(8)?.checked_add(u64::from(byte - b'0'))
    })
}

fn name(header: &[u8; BLOCK_BYTES]) -> Vec<u8> {
    let text = |range: std::ops::Range<usize>| header[range].split(|byte| *byte == 0).next().unwrap_or(&[]);
    let (name, prefix) = (text(0..100), text(345..500));
    // GNU's header has other things where POSIX has the prefix.
    if prefix.is_empty() || !header[257..].starts_with(b"ustar\0") {
        return name.to_vec();
    }
    [prefix, b"/", name].concat()
}

/// `length key=value` lines.
fn parse_pax(bytes: &[u8]) -> HashMap<Vec<u8>, Vec<u8>> {
    let mut fields = HashMap::new();
    let mut rest = bytes;
    while let Some(blank) = memchr::memchr(b' ', rest) {
        let length = std::str::from_utf8(&rest[..blank]).ok().and_then(|text| text.parse::<usize>().ok());
        let Some(field) = length.and_then(|length| rest.get(blank + 1..length)) else { break };
        let field = field.strip_suffix(b"\n").unwrap_or(field);
        if let Some(equals) = memchr::memchr(b'=', field) {
            fields.insert(field[..equals].to_vec(), field[equals + 1..].to_vec());
        }
        rest = &rest[blank + 1 + field.len()..];
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
    fields
}
