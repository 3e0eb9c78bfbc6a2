//! A shell link with the target's path in its information block.

use super::{fields, filetime, time, wide};
use anyhow::{Result, bail};

/// The file by its text, lines of `name = value`: `Target`, `Arguments`,
/// `WorkingDir`, `Description`, `RelativePath`, `IconLocation`, `MachineId`,
/// `Modified` (a time), `Appended` (a number of bytes).
///
/// # Errors
/// When a line is none of these.
pub fn lnk(text: &str) -> Result<Vec<u8>> {
    const STRINGS: [&str; 5] = ["Description", "RelativePath", "WorkingDir", "Arguments", "IconLocation"];
    let mut strings: [Option<&str>; 5] = [None; 5];
    let (mut target, mut machine, mut modified, mut appended) = ("", None, 0, 0usize);
    for (name, value) in fields(text)? {
        match name {
            "Target" => target = value,
            "MachineId" => machine = Some(value),
            "Modified" => modified = filetime(time(value)?),
            "Appended" => appended = value.parse()?,
            _ => match STRINGS.iter().position(|known| *known == name) {
                Some(index) => strings[index] = Some(value),
                None => bail!("a shell link has no {name:?}"),
            },
        }
    }
    let mut flags = 0x80u32 | 2;
    for (index, string) in strings.iter().enumerate() {
        flags |= if string.is_some() { 4 << index } else { 0 };
    }
    let mut bytes = vec![0x4c, 0, 0, 0, 1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    bytes.extend(flags.to_le_bytes());
    bytes.resize(44, 0);
    bytes.extend(modified.to_le_bytes());
    bytes.resize(60, 0);
    bytes.extend(1u32.to_le_bytes());
    bytes.resize(0x4c, 0);
    bytes.extend(information(target));
    for string in strings.into_iter().flatten() {
        bytes.extend((string.encode_utf16().count() as u16).to_le_bytes());
        bytes.extend(wide(string));
    }
    if let Some(machine) = machine {
        bytes.extend(0x60u32.to_le_bytes());
        bytes.extend(0xa000_0003u32.to_le_bytes());
        bytes.extend(0x58u32.to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
        let mut name = machine.as_bytes().to_vec();
        name.resize(16, 0);
        bytes.extend(name);
        bytes.extend([0; 64]);
    }
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(std::iter::repeat_n(b'x', appended));
    Ok(bytes)
}

/// A volume, and the path of one byte a character.
fn information(target: &str) -> Vec<u8> {
    let header = 0x1cu32;
    let volume: Vec<u8> =
        [0x11u32, 3, 0xb0e0_e8ff, 0x10].iter().flat_map(|number| number.to_le_bytes()).chain([0]).collect();
    let path_at = header + volume.len() as u32;
    let suffix_at = path_at + target.len() as u32 + 1;
    let numbers = [suffix_at + 1, header, 1, header, path_at, 0, suffix_at];
    let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    bytes.extend(volume);
    bytes.extend(target.as_bytes());
    bytes.extend([0, 0]);
    bytes
}
