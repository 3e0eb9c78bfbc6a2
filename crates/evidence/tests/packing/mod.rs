//! Makes archives, good and hostile, from nothing but bytes.

#![allow(dead_code, reason = "each test file uses a part of it")]

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};
use std::io::Write;

/// A member of a zip archive to be made.
pub struct ZipMember<'a> {
    pub name: &'a [u8],
    pub bytes: &'a [u8],
    pub method: u16,
    pub flags: u16,
    /// Unix mode, for links.
    pub mode: u32,
}

impl<'a> ZipMember<'a> {
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name: name.as_bytes(), bytes, method: 8, flags: 0, mode: 0 }
    }
}

pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Bytes that no method packs.
pub fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// A zip archive; flag 8 puts the sizes behind the member.
pub fn zip(members: &[ZipMember<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for member in members {
        let packed = if member.method == 8 { deflate(member.bytes) } else { member.bytes.to_vec() };
        let offset = out.len() as u32;
        let sizes = [crc(member.bytes), packed.len() as u32, member.bytes.len() as u32];
        let is_streamed = member.flags & 8 != 0;
        let frame = |sizes: &[u32; 3]| {
            let mut frame = [20u16, member.flags, member.method, 0, 0].map(u16::to_le_bytes).concat();
            frame.extend(sizes.map(u32::to_le_bytes).concat());
            frame.extend((member.name.len() as u16).to_le_bytes());
            frame.extend(0u16.to_le_bytes());
            frame
        };
        out.extend(b"PK\x03\x04");
        out.extend(frame(if is_streamed { &[0; 3] } else { &sizes }));
        out.extend(member.name);
        out.extend(&packed);
        if is_streamed {
            out.extend(b"PK\x07\x08");
            out.extend(sizes.map(u32::to_le_bytes).concat());
        }
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(frame(&sizes));
        directory.extend([0u16; 3].map(u16::to_le_bytes).concat());
        directory.extend((member.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(member.name);
    }
    let (start, count) = (out.len() as u32, members.len() as u16);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].map(u16::to_le_bytes).concat());
    out.extend([directory.len() as u32, start].map(u32::to_le_bytes).concat());
    out.extend([0, 0]);
    out
}

/// One member of a tar archive.
pub fn tar_member(name: &str, kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].copy_from_slice(b"        ");
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = vec![0u8; bytes.len().wrapping_neg() % 512];
    [&header, bytes, &padding].concat()
}

/// A tar archive of files.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out: Vec<u8> = members.iter().flat_map(|(name, bytes)| tar_member(name, b'0', bytes)).collect();
    out.extend([0u8; 1024]);
    out
}

/// A 7z archive of blocks; the members of one block are packed together.
pub fn seven_zip(blocks: &[&[(&str, &[u8])]]) -> Vec<u8> {
    use sevenz_rust2::{ArchiveEntry, ArchiveWriter, SourceReader};
    let mut writer = ArchiveWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    for block in blocks {
        let entries = block.iter().map(|(name, _)| {
            let mut entry = ArchiveEntry::new_file(name);
            entry.has_last_modified_date = true;
            // 2021-03-04T11:20:05Z
            entry.last_modified_date = 132_593_304_050_000_000.into();
            entry
        });
        let sources = block.iter().map(|(_, bytes)| SourceReader::new(*bytes)).collect();
        writer.push_archive_entries(entries.collect(), sources).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Bytes packed with xz.
pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// Bytes from hex digits.
pub fn unhex(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
