//! Small volumes and images, made for tests and fuzzing. Not part of the
//! contract.
//!
//! A volume has clusters of 512 bytes; its `$MFT` begins at cluster 16 and has
//! 32 records of 1024 bytes; clusters from 96 on are free for content.

use crate::crc::{adler32, crc32c};

/// Clusters of a volume.
pub const CLUSTERS: usize = 256;
const CLUSTER_BYTES: usize = 512;
const MFT_CLUSTER: usize = 16;
const RECORDS: usize = 32;
const RECORD_BYTES: usize = 1024;

/// Kinds of attributes.
pub const STANDARD_INFORMATION: u32 = 0x10;
pub const ATTRIBUTE_LIST: u32 = 0x20;
pub const FILE_NAME: u32 = 0x30;
pub const DATA: u32 = 0x80;

/// A record number with its sequence number.
pub fn reference(number: u64, sequence: u16) -> u64 {
    number | u64::from(sequence) << 48
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// The content of a `$FILE_NAME`; all of its times are `time`.
pub fn file_name(parent: u64, name: &str, time: u64) -> Vec<u8> {
    let mut content = vec![0; 66];
    put(&mut content, 0, &parent.to_le_bytes());
    (1..5).for_each(|index| put(&mut content, 8 * index, &time.to_le_bytes()));
    content[64] = name.encode_utf16().count() as u8;
    content[65] = 1;
    content.extend(wide(name));
    content
}

/// The content of a `$STANDARD_INFORMATION`; all times are `time`.
pub fn times(time: u64) -> Vec<u8> {
    [time.to_le_bytes(); 4].concat().into_iter().chain([0; 16]).collect()
}

/// An attribute in its record.
pub fn resident(kind: u32, name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(kind, name, 24);
    let at = bytes.len().next_multiple_of(8);
    bytes.resize(at, 0);
    put(&mut bytes, 16, &(content.len() as u32).to_le_bytes());
    put(&mut bytes, 20, &(at as u16).to_le_bytes());
    bytes.extend(content);
    close(bytes)
}

/// A part of an attribute in clusters: `runs` as they stand in the record.
pub fn clusters(kind: u32, name: &str, first: u64, runs: &[u8], size_bytes: u64) -> Vec<u8> {
    let mut bytes = header(kind, name, 64);
    let at = bytes.len().next_multiple_of(8);
    bytes.resize(at, 0);
    bytes[8] = 1;
    put(&mut bytes, 16, &first.to_le_bytes());
    put(&mut bytes, 32, &(at as u16).to_le_bytes());
    put(&mut bytes, 48, &size_bytes.to_le_bytes());
    put(&mut bytes, 56, &size_bytes.to_le_bytes());
    bytes.extend(runs);
    close(bytes)
}

/// The same attribute, its clusters packed by 16.
pub fn packed(mut attribute: Vec<u8>) -> Vec<u8> {
    attribute[12] = 1;
    attribute[34] = 4;
    attribute
}

fn header(kind: u32, name: &str, name_at: usize) -> Vec<u8> {
    let mut bytes = vec![0; name_at];
    put(&mut bytes, 0, &kind.to_le_bytes());
    bytes[9] = name.encode_utf16().count() as u8;
    bytes[10] = name_at as u8;
    bytes.extend(wide(name));
    bytes
}

fn close(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let len = bytes.len() as u32;
    put(&mut bytes, 4, &len.to_le_bytes());
    bytes
}

/// One entry of an attribute list.
pub fn listed(kind: u32, first: u64, record: u64) -> Vec<u8> {
    let mut bytes = vec![0; 32];
    put(&mut bytes, 0, &kind.to_le_bytes());
    bytes[4] = 32;
    put(&mut bytes, 8, &first.to_le_bytes());
    put(&mut bytes, 16, &record.to_le_bytes());
    bytes
}

/// A record; `flags` are 1 for in use and 2 for a folder.
pub fn record(sequence: u16, flags: u16, base: u64, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 56];
    put(&mut bytes, 0, b"FILE");
    put(&mut bytes, 4, &[48, 0, 3, 0]);
    put(&mut bytes, 16, &sequence.to_le_bytes());
    put(&mut bytes, 20, &[56, 0]);
    put(&mut bytes, 22, &flags.to_le_bytes());
    put(&mut bytes, 28, &(RECORD_BYTES as u32).to_le_bytes());
    put(&mut bytes, 32, &base.to_le_bytes());
    bytes.extend(attributes.concat());
    bytes.extend([0xff; 4]);
    bytes.resize(RECORD_BYTES, 0);
    put(&mut bytes, 48, &[7, 0]);
    for sector in [1, 2] {
        let end = sector * 512;
        let kept = [bytes[end - 2], bytes[end - 1]];
        put(&mut bytes, 48 + 2 * sector, &kept);
        put(&mut bytes, end - 2, &[7, 0]);
    }
    bytes
}

/// A volume with these records, by number, and this content, by cluster.
pub fn volume(records: &[(usize, Vec<u8>)], content: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; CLUSTERS * CLUSTER_BYTES];
    put(&mut bytes, 0, b"\xeb\x52\x90NTFS    ");
    put(&mut bytes, 11, &[0, 2, 1]);
    put(&mut bytes, 40, &(CLUSTERS as u64).to_le_bytes());
    put(&mut bytes, 48, &(MFT_CLUSTER as u64).to_le_bytes());
    put(&mut bytes, 56, &4u64.to_le_bytes());
    bytes[64] = 0xf6;
    put(&mut bytes, 510, b"\x55\xaa");
    let own_runs = [0x11, (RECORDS * RECORD_BYTES / CLUSTER_BYTES) as u8, MFT_CLUSTER as u8, 0];
    let mft = record(
        1,
        1,
        0,
        &[
            resident(STANDARD_INFORMATION, "", &times(1)),
            resident(FILE_NAME, "", &file_name(reference(5, 5), "$MFT", 1)),
            clusters(DATA, "", 0, &own_runs, (RECORDS * RECORD_BYTES) as u64),
        ],
    );
    let bitmap = record(
        6,
        1,
        0,
        &[
            resident(FILE_NAME, "", &file_name(reference(5, 5), "$Bitmap", 1)),
            resident(DATA, "", &[0; CLUSTERS / 8]),
        ],
    );
    let root = record(5, 3, 0, &[resident(FILE_NAME, "", &file_name(reference(5, 5), ".", 1))]);
    let own = [(0, mft), (5, root), (6, bitmap)];
    for (number, record) in own.iter().chain(records) {
        put(&mut bytes, MFT_CLUSTER * CLUSTER_BYTES + number * RECORD_BYTES, record);
    }
    for (cluster, content) in content {
        put(&mut bytes, cluster * CLUSTER_BYTES, content);
    }
    bytes
}

/// A volume with a page, a stream of it, a deleted copy, and a file in pieces.
pub fn intrusion() -> Vec<u8> {
    let time = 132_593_311_070_000_000;
    let (root, folder) = (reference(5, 5), reference(20, 1));
    let named = |parent, name| resident(FILE_NAME, "", &file_name(parent, name, time));
    let set = || resident(STANDARD_INFORMATION, "", &times(time));
    let page = b"<%@ Page Language=\"JScript\"%><%/* inert */%>";
    let list = [listed(DATA, 0, reference(24, 1)), listed(DATA, 2, reference(25, 1))].concat();
    let records = [
        (20, record(1, 3, 0, &[named(root, "Windows")])),
        (21, record(1, 1, 0, &[set(), named(folder, "page.aspx"), resident(DATA, "", page)])),
        (
            22,
            record(
                2,
                0,
                0,
                &[set(), named(folder, "gone.aspx"), resident(DATA, "", page), resident(DATA, "s", b"x")],
            ),
        ),
        (23, record(1, 1, 0, &[set(), resident(ATTRIBUTE_LIST, "", &list), named(root, "parts.log")])),
        (24, record(1, 1, reference(23, 1), &[clusters(DATA, "", 0, &[0x11, 2, 100, 0], 2_048)])),
        (25, record(1, 1, reference(23, 1), &[clusters(DATA, "", 2, &[0x11, 1, 110, 0x11, 1, 0xfb, 0], 0)])),
    ];
    let log = "#Fields: date time c-ip\n2021-03-04 10:00:00 203.0.113.7\n".repeat(40);
    let (first, rest) = log.as_bytes().split_at(1_024);
    volume(&records, &[(100, first), (110, &rest[..512]), (105, &rest[512..1_000])])
}

/// A VHD that grows around `disk`.
pub fn vhd(disk: &[u8]) -> Vec<u8> {
    const BLOCK_BYTES: usize = 64 << 10;
    let blocks = disk.len().div_ceil(BLOCK_BYTES);
    let sum = |bytes: &[u8]| !bytes.iter().fold(0u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    let mut footer = vec![0; 512];
    put(&mut footer, 0, b"conectix");
    put(&mut footer, 16, &512u64.to_be_bytes());
    put(&mut footer, 48, &(disk.len() as u64).to_be_bytes());
    footer[63] = 3;
    let footer_sum = sum(&footer);
    put(&mut footer, 64, &footer_sum.to_be_bytes());
    let mut head = vec![0; 1024];
    put(&mut head, 0, b"cxsparse");
    put(&mut head, 16, &1536u64.to_be_bytes());
    put(&mut head, 28, &(blocks as u32).to_be_bytes());
    put(&mut head, 32, &(BLOCK_BYTES as u32).to_be_bytes());
    let head_sum = sum(&head);
    put(&mut head, 36, &head_sum.to_be_bytes());
    let mut table = vec![0xff; 512];
    let mut data = Vec::new();
    for (index, block) in disk.chunks(BLOCK_BYTES).enumerate() {
        put(&mut table, 4 * index, &((2048 + data.len()) as u32 / 512).to_be_bytes());
        data.extend([0xff; 512]);
        data.extend(block);
        data.resize(data.len().next_multiple_of(512), 0);
    }
    [footer.clone(), head, table, data, footer].concat()
}

/// A VHDX around `disk`, which fits into one block; with `log` its first
/// sector stands in the log only.
pub fn vhdx(disk: &[u8], log: bool) -> Vec<u8> {
    const KIB: usize = 1 << 10;
    let mut bytes = vec![0; 1024 * KIB];
    put(&mut bytes, 0, b"vhdxfile");
    bytes.extend(disk);
    let guid = [9; 16];
    let mut header = vec![0; 4096];
    put(&mut header, 0, b"head");
    header[8] = 1;
    if log {
        put(&mut header, 48, &guid);
        put(&mut header, 68, &(64 * KIB as u32).to_le_bytes());
        put(&mut header, 72, &(512 * KIB as u64).to_le_bytes());
        put(&mut bytes, 512 * KIB, &log_entry(&disk[..4096], &guid));
        bytes[1024 * KIB..1028 * KIB].fill(0);
    }
    put(&mut bytes, 64 * KIB, &summed(header));
    let mut regions = vec![0; 64 * KIB];
    put(&mut regions, 0, b"regi");
    regions[8] = 2;
    let entries = [
        (16, b"\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08", 384 * KIB),
        (48, b"\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e", 320 * KIB),
    ];
    for (at, guid, start) in entries {
        put(&mut regions, at, guid);
        put(&mut regions, at + 16, &(start as u64).to_le_bytes());
        put(&mut regions, at + 24, &(64 * KIB as u32).to_le_bytes());
    }
    put(&mut bytes, 192 * KIB, &summed(regions));
    put(&mut bytes, 320 * KIB, b"metadata");
    bytes[320 * KIB + 10] = 3;
    let items: [(&[u8; 16], u64); 3] = [
        (b"\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b", 1 << 20),
        (b"\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8", disk.len() as u64),
        (b"\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f", 512),
    ];
    for (index, (guid, value)) in items.into_iter().enumerate() {
        let (entry, item) = (320 * KIB + 32 + 32 * index, 4096 + 16 * index);
        put(&mut bytes, entry, guid);
        put(&mut bytes, entry + 16, &(item as u32).to_le_bytes());
        bytes[entry + 20] = 8;
        put(&mut bytes, 320 * KIB + item, &value.to_le_bytes());
    }
    put(&mut bytes, 384 * KIB, &(1u64 << 20 | 6).to_le_bytes());
    bytes
}

/// An entry of a VHDX log that writes one sector at 1 MiB.
fn log_entry(sector: &[u8], guid: &[u8]) -> Vec<u8> {
    let mut entry = vec![0; 8192];
    put(&mut entry, 0, b"loge");
    put(&mut entry, 8, &8192u32.to_le_bytes());
    entry[16] = 1;
    entry[24] = 1;
    put(&mut entry, 32, guid);
    put(&mut entry, 64, b"desc");
    put(&mut entry, 68, &sector[4092..]);
    put(&mut entry, 72, &sector[..8]);
    put(&mut entry, 80, &(1u64 << 20).to_le_bytes());
    put(&mut entry, 4096, b"data");
    put(&mut entry, 4104, &sector[8..4092]);
    summed(entry)
}

fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32c(&bytes);
    put(&mut bytes, 4, &sum.to_le_bytes());
    bytes
}

/// An E01 image around `disk`: chunks of 4 KiB, stored.
pub fn ewf(disk: &[u8]) -> Vec<u8> {
    const CHUNK_BYTES: usize = 4096;
    let mut bytes = b"EVF\x09\x0d\x0a\xff\0\x01\x01\0\0\0".to_vec();
    let chunks = disk.len().div_ceil(CHUNK_BYTES);
    let mut volume = vec![0; 94];
    put(&mut volume, 4, &(chunks as u32).to_le_bytes());
    put(&mut volume, 8, &8u32.to_le_bytes());
    put(&mut volume, 12, &512u32.to_le_bytes());
    put(&mut volume, 16, &(disk.len() as u64 / 512).to_le_bytes());
    section(&mut bytes, b"volume", &volume);
    let start = bytes.len() + 76;
    let (mut data, mut entries) = (Vec::new(), Vec::new());
    for chunk in disk.chunks(CHUNK_BYTES) {
        entries.extend(((start + data.len()) as u32).to_le_bytes());
        data.extend(chunk);
        data.extend(adler32(chunk).to_le_bytes());
    }
    section(&mut bytes, b"sectors", &data);
    let mut table = vec![0; 20];
    put(&mut table, 0, &(chunks as u32).to_le_bytes());
    let sum = adler32(&table);
    table.extend(sum.to_le_bytes());
    table.extend(&entries);
    table.extend(adler32(&entries).to_le_bytes());
    section(&mut bytes, b"table", &table);
    section(&mut bytes, b"table2", &table);
    section(&mut bytes, b"done", b"");
    bytes
}

fn section(bytes: &mut Vec<u8>, kind: &[u8], content: &[u8]) {
    let next = match kind {
        b"done" => bytes.len(),
        _ => bytes.len() + 76 + content.len(),
    };
    let mut descriptor = vec![0; 72];
    put(&mut descriptor, 0, kind);
    put(&mut descriptor, 16, &(next as u64).to_le_bytes());
    put(&mut descriptor, 24, &(76 + content.len() as u64).to_le_bytes());
    let sum = adler32(&descriptor);
    bytes.extend(descriptor);
    bytes.extend(sum.to_le_bytes());
    bytes.extend(content);
}

/// A record of the change journal, version 2.
pub fn change(usn: u64, file: u64, parent: u64, reason: u32, name: &str) -> Vec<u8> {
    let mut bytes = vec![0; 60];
    let name = wide(name);
    put(&mut bytes, 4, &[2, 0, 0, 0]);
    put(&mut bytes, 8, &file.to_le_bytes());
    put(&mut bytes, 16, &parent.to_le_bytes());
    put(&mut bytes, 24, &usn.to_le_bytes());
    put(&mut bytes, 32, &132_593_311_070_000_000u64.to_le_bytes());
    put(&mut bytes, 40, &reason.to_le_bytes());
    bytes[52] = 0x20;
    put(&mut bytes, 56, &(name.len() as u16).to_le_bytes());
    bytes[58] = 60;
    bytes.extend(name);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let len = bytes.len() as u32;
    put(&mut bytes, 0, &len.to_le_bytes());
    bytes
}
