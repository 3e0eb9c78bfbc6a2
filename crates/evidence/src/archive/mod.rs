//! Archives: what is in them, and readers of it, within limits.
//!
//! Raw decoders are used in this module only.
//!
//! # Not here
//! What a member is, and what to do with it: [`crate::read`].

pub(crate) mod seven_zip;
pub(crate) mod tar;
mod times;
pub(crate) mod zip;

use crate::Limits;
use std::io::{self, BufRead, Read};

/// What is packed with gzip, joined streams included.
pub(crate) fn gunzip<'a>(packed: impl BufRead + Send + 'a) -> Box<dyn Read + Send + 'a> {
    Box::new(flate2::bufread::MultiGzDecoder::new(packed))
}

/// What is packed with xz, joined streams included.
pub(crate) fn unxz<'a>(packed: impl BufRead + Send + 'a, limits: &Limits) -> Box<dyn Read + Send + 'a> {
    let limit_kb = u32::try_from(limits.archive.dictionary_bytes_max / 1024).unwrap_or(u32::MAX);
    Box::new(lzma_rust2::XzReader::new_mem_limit(packed, true, limit_kb))
}

/// What the single file of a stream (gzip, xz) is called: the archive's own
/// name without its ending. The name that the stream carries is anybody's.
pub(crate) fn packed_member(path: &str) -> String {
    let name = path.rsplit(['/', crate::path::MEMBER]).next().unwrap_or(path);
    let bare = name.len().checked_sub(3).and_then(|end| name.split_at_checked(end));
    match bare {
        Some((bare, ending))
            if [".gz", ".xz"].iter().any(|own| ending.eq_ignore_ascii_case(own)) && !bare.is_empty() =>
        {
            bare.into()
        }
        _ => format!("{name}.unpacked"),
    }
}

/// Reads a member and compares it, at its end, with what its archive says of
/// it: size and CRC-32.
struct Checked<R> {
    inner: R,
    crc: flate2::Crc,
    size_bytes: u64,
    wanted_bytes: u64,
    wanted_crc: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.crc.update(&into[..read]);
        self.size_bytes += read as u64;
        let (kind, damage) = if self.size_bytes > self.wanted_bytes {
            (io::ErrorKind::InvalidData, "more bytes than the archive says")
        } else if read > 0 || into.is_empty() {
            return Ok(read);
        } else if self.size_bytes < self.wanted_bytes {
            (io::ErrorKind::UnexpectedEof, "fewer bytes than the archive says")
        } else if self.crc.sum() != self.wanted_crc {
            (io::ErrorKind::InvalidData, "another CRC-32 than the archive says")
        } else {
            return Ok(0);
        };
        Err(io::Error::new(kind, damage))
    }
}

fn number_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn number_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn number_u64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}
