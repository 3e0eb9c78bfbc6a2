//! A prefetch file of Windows 10, as it is or packed.

use super::{fields, filetime, time, wide};
use anyhow::{Result, bail};

/// The file by its text, lines of `name = value`: `Executable`, `RunCount`,
/// `Run` (a time; up to eight, newest first), `Volume`, `File` (any number),
/// `Packed = yes`.
///
/// # Errors
/// When a line is none of these.
pub fn prefetch(text: &str) -> Result<Vec<u8>> {
    const FIRST_TABLE: u32 = 304;
    let (mut executable, mut count, mut runs) = (String::new(), 1u32, Vec::new());
    let (mut volumes, mut files) = (Vec::new(), Vec::new());
    let mut is_packed = false;
    for (name, value) in fields(text)? {
        match name {
            "Executable" => executable = value.to_owned(),
            "RunCount" => count = value.parse()?,
            "Run" => runs.push(filetime(time(value)?)),
            "Volume" => volumes.push(value),
            "File" => files.push(value),
            "Packed" => is_packed = value == "yes",
            _ => bail!("a prefetch file has no {name:?}"),
        }
    }
    let mut bytes = vec![0u8; FIRST_TABLE as usize];
    let mut put = |at: usize, content: &[u8]| bytes[at..at + content.len()].copy_from_slice(content);
    put(0, &30u32.to_le_bytes());
    put(4, b"SCCA");
    put(16, &wide(&executable));
    put(76, &0x1234_abcdu32.to_le_bytes());
    put(84, &FIRST_TABLE.to_le_bytes());
    for (index, run) in runs.iter().take(8).enumerate() {
        put(128 + 8 * index, &run.to_le_bytes());
    }
    put(208, &count.to_le_bytes());
    let names: Vec<u8> = files.iter().flat_map(|file| wide(&format!("{file}\0"))).collect();
    let volumes_at = FIRST_TABLE as usize + names.len();
    let mut entries = Vec::new();
    let mut texts = Vec::new();
    for volume in &volumes {
        let name_at = 96 * volumes.len() + texts.len();
        let mut entry = (name_at as u32).to_le_bytes().to_vec();
        entry.extend((volume.encode_utf16().count() as u32).to_le_bytes());
        entry.extend(0u64.to_le_bytes());
        entry.extend(0xb0e0_e8ffu32.to_le_bytes());
        entry.resize(96, 0);
        entries.extend(entry);
        texts.extend(wide(volume));
    }
    let table = [names.len() as u32, volumes_at as u32, volumes.len() as u32];
    put(100, &FIRST_TABLE.to_le_bytes());
    for (index, number) in table.into_iter().enumerate() {
        put(104 + 4 * index, &number.to_le_bytes());
    }
    bytes.extend(names);
    bytes.extend(entries);
    bytes.extend(texts);
    let len = bytes.len() as u32;
    bytes[12..16].copy_from_slice(&len.to_le_bytes());
    Ok(if is_packed { packed(&bytes) } else { bytes })
}

/// Xpress Huffman with no gain: all bytes have codes of eight bits, which are
/// the bytes themselves, the first of two in the upper half of a word.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"MAM\x04".to_vec();
    out.extend((bytes.len() as u32).to_le_bytes());
    for block in bytes.chunks(1 << 16) {
        out.extend([0x88; 128]);
        out.extend([0; 128]);
        for pair in block.chunks(2) {
            out.extend([pair.get(1).copied().unwrap_or(0), pair[0]]);
        }
    }
    // Readers look two words ahead.
    out.extend([0; 4]);
    out
}
