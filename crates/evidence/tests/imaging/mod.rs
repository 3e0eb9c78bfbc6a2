//! NTFS images made with the tools of `ntfs-3g`, and edited like a disk is by
//! time: nothing is mounted.

#![allow(
    dead_code,
    clippy::print_stderr,
    reason = "each test file uses a part of it, and says what it skips"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An inert page that looks like a web shell: it evaluates nothing.
pub const SHELL: &[u8] =
    b"<%@ Page Language=\"JScript\"%><%/* inert test page */ Response.Write(\"inert\");%>\n";

/// 2021-03-04T11:31:47Z and 2021-03-05T00:00:00Z as Windows counts.
pub const SET_CREATED: u64 = 132_593_311_070_000_000;
pub const SET_MODIFIED: u64 = 132_593_760_000_000_000;

/// Runs a tool; `false`, said aloud, where it is missing.
pub fn tool(name: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(name);
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    command.args(arguments).env("PATH", path).stdin(Stdio::null());
    match command.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{name} {arguments:?}: {said}");
            true
        }
        Err(_) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{name} is missing");
            eprintln!("skipped: {name} is missing");
            false
        }
    }
}

/// A volume in memory, with the records of its `$MFT`.
pub struct Disk {
    pub bytes: Vec<u8>,
    mft: usize,
}

impl Disk {
    /// A volume of 24 MiB with these files (path, stream, content) in its root.
    pub fn new(folder: &Path, files: &[(&str, &str, &[u8])]) -> Option<Self> {
        let image = folder.join("made.img");
        std::fs::write(&image, vec![0; 24 << 20]).unwrap();
        let shown = image.to_str().unwrap().to_owned();
        if !tool("mkfs.ntfs", &["-F", "-Q", "-q", "-p", "0", "-H", "16", "-S", "63", "-s", "512", &shown]) {
            return None;
        }
        let source = folder.join("content");
        for (name, stream, content) in files {
            std::fs::write(&source, content).unwrap();
            let mut arguments = vec!["-q"];
            if !stream.is_empty() {
                arguments.extend(["-N", stream]);
            }
            arguments.extend([shown.as_str(), source.to_str().unwrap(), name]);
            if !tool("ntfscp", &arguments) {
                return None;
            }
        }
        let bytes = std::fs::read(&image).unwrap();
        std::fs::remove_file(image).unwrap();
        let cluster_bytes = 512 * usize::from(bytes[13]);
        let mft = number(&bytes, 48) as usize * cluster_bytes;
        Some(Self { bytes, mft })
    }

    /// Where the record of the file `name` stands.
    pub fn record(&self, name: &str) -> usize {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let records = (self.mft..).step_by(1024).take(400);
        let mut named = records.filter(|at| {
            let record = &self.bytes[*at..*at + 1024];
            record.starts_with(b"FILE") && record.windows(wide.len()).any(|window| window == wide)
        });
        named.next().unwrap()
    }

    fn number(&self, record: usize) -> u64 {
        ((record - self.mft) / 1024) as u64
    }

    /// Where the content of the first attribute of `kind` stands in a record.
    pub fn attribute(&self, record: usize, kind: u32) -> usize {
        let mut at = record + usize::from(self.bytes[record + 20]);
        loop {
            let found = u32::from_le_bytes(self.bytes[at..at + 4].try_into().unwrap());
            assert_ne!(found, u32::MAX, "no attribute {kind:x}");
            if found == kind {
                return at + usize::from(self.bytes[at + 20]);
            }
            at += u32::from_le_bytes(self.bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        }
    }

    /// Makes a folder of the file `name`.
    pub fn make_folder(&mut self, name: &str) {
        let record = self.record(name);
        self.bytes[record + 22] |= 2;
    }

    /// Moves the file `name` into a folder.
    pub fn put_in(&mut self, name: &str, folder: &str) {
        let parent = self.record(folder);
        let sequence = u64::from(self.bytes[parent + 16]);
        let reference = self.number(parent) | sequence << 48;
        let place = self.attribute(self.record(name), 0x30);
        self.bytes[place..place + 8].copy_from_slice(&reference.to_le_bytes());
    }

    /// Sets a file's times like a program that wants to be overlooked.
    pub fn set_times(&mut self, name: &str) {
        let place = self.attribute(self.record(name), 0x10);
        self.bytes[place..place + 8].copy_from_slice(&SET_CREATED.to_le_bytes());
        self.bytes[place + 8..place + 16].copy_from_slice(&SET_MODIFIED.to_le_bytes());
    }

    /// Deletes a file as NTFS does: the record is no longer in use, and its
    /// sequence goes up. Its clusters stay marked as in use.
    pub fn delete(&mut self, name: &str) {
        let record = self.record(name);
        self.bytes[record + 22] &= !1;
        self.bytes[record + 16] += 1;
    }

    /// The whole `$MFT`, as a collector would copy it.
    pub fn mft(&self) -> Vec<u8> {
        self.bytes[self.mft..self.mft + 256 * 1024].to_vec()
    }

    /// The volume in a partition table of the old kind, at 1 MiB.
    pub fn in_mbr(&self) -> Vec<u8> {
        let mut disk = vec![0; 1 << 20];
        disk[446 + 4] = 7;
        disk[446 + 8..446 + 12].copy_from_slice(&2048u32.to_le_bytes());
        disk[446 + 12..446 + 16].copy_from_slice(&((self.bytes.len() / 512) as u32).to_le_bytes());
        disk[510..512].copy_from_slice(b"\x55\xaa");
        disk.extend(&self.bytes);
        disk
    }

    /// The volume as the second of two GPT partitions.
    pub fn in_gpt(&self) -> Vec<u8> {
        let mut disk = vec![0; 1 << 20];
        disk[446 + 4] = 0xee;
        disk[446 + 8] = 1;
        disk[446 + 12..446 + 16].copy_from_slice(&[0xff; 4]);
        disk[510..512].copy_from_slice(b"\x55\xaa");
        let last = 2047 + self.bytes.len() as u64 / 512;
        disk[512..520].copy_from_slice(b"EFI PART");
        disk[512 + 72] = 2;
        disk[512 + 80] = 128;
        disk[512 + 84] = 128;
        for (at, first, last) in [(1024, 34u64, 2047), (1152, 2048, last)] {
            disk[at..at + 16].copy_from_slice(&[0xa2; 16]);
            disk[at + 32..at + 40].copy_from_slice(&first.to_le_bytes());
            disk[at + 40..at + 48].copy_from_slice(&last.to_le_bytes());
        }
        disk.extend(&self.bytes);
        disk
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The image at `path` in another format of `qemu-img`.
pub fn converted(path: &Path, format: &str, ending: &str) -> Option<PathBuf> {
    let target = path.with_extension(ending);
    let arguments = ["convert", "-f", "raw", "-O", format, path.to_str()?, target.to_str()?];
    tool("qemu-img", &arguments).then_some(target)
}
