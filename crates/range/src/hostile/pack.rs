//! Archives written byte by byte, so that every field of them can lie.

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use std::io::Write as _;

/// A member of a zip archive to be.
#[derive(Clone)]
pub struct Member {
    pub name: Vec<u8>,
    /// As it stands in the archive.
    pub packed: Vec<u8>,
    /// Size and checksum that the archive claims.
    pub size: u32,
    pub crc: u32,
    pub method: u16,
    pub flags: u16,
    /// Unix mode: links.
    pub mode: u32,
}

impl Member {
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        Self {
            name: name.into(),
            packed: deflate(bytes),
            size: bytes.len() as u32,
            crc: crc32fast::hash(bytes),
            method: 8,
            flags: 0,
            mode: 0,
        }
    }

    fn frame(&self) -> Vec<u8> {
        let mut frame = [20u16, self.flags, self.method, 0, 0].map(u16::to_le_bytes).concat();
        frame.extend([self.crc, self.packed.len() as u32, self.size].map(u32::to_le_bytes).concat());
        frame.extend([self.name.len() as u16, 0].map(u16::to_le_bytes).concat());
        frame
    }

    /// Header and content as they stand before the directory.
    pub fn local(&self) -> Vec<u8> {
        [b"PK\x03\x04", self.frame().as_slice(), &self.name, &self.packed].concat()
    }

    /// The entry in the directory, of a member that stands at `offset`.
    pub fn entry(&self, offset: u32) -> Vec<u8> {
        let mut entry = [b"PK\x01\x02\x14\x03", self.frame().as_slice()].concat();
        entry.extend([0u16; 3].map(u16::to_le_bytes).concat());
        entry.extend([self.mode << 16, offset].map(u32::to_le_bytes).concat());
        entry.extend(&self.name);
        entry
    }
}

pub fn zip(members: &[Member]) -> Vec<u8> {
    let (mut locals, mut entries) = (Vec::new(), Vec::new());
    for member in members {
        entries.push(member.entry(locals.len() as u32));
        locals.extend(member.local());
    }
    with_directory(locals, &entries)
}

/// `locals` with a directory of `entries` behind them.
pub fn with_directory(locals: Vec<u8>, entries: &[Vec<u8>]) -> Vec<u8> {
    let (start, directory) = (locals.len() as u32, entries.concat());
    let mut out = [locals, directory.clone(), b"PK\x05\x06\0\0\0\0".to_vec()].concat();
    out.extend([entries.len() as u16; 2].map(u16::to_le_bytes).concat());
    out.extend([directory.len() as u32, start].map(u32::to_le_bytes).concat());
    out.extend([0, 0]);
    out
}

pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// `count` times `block`, packed with gzip, made without having it in memory.
pub fn gzip_of_many(block: &[u8], count: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    (0..count).for_each(|_| drop(encoder.write_all(block)));
    encoder.finish().unwrap_or_default()
}

/// One member of a tar archive; `size` is what its header says.
pub fn tar_member(name: &[u8], kind: u8, size: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    let name = &name[..name.len().min(100)];
    header[..name.len()].copy_from_slice(name);
    header[100..107].copy_from_slice(b"0000644");
    header[124..124 + size.len()].copy_from_slice(size);
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].copy_from_slice(b"        ");
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = vec![0u8; bytes.len().wrapping_neg() % 512];
    [&header, bytes, &padding].concat()
}

pub fn tar_file(name: &str, bytes: &[u8]) -> Vec<u8> {
    tar_member(name.as_bytes(), b'0', format!("{:011o}", bytes.len()).as_bytes(), bytes)
}

pub fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out: Vec<u8> = files.iter().flat_map(|(name, bytes)| tar_file(name, bytes)).collect();
    out.extend([0; 1_024]);
    out
}
