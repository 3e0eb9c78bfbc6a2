//! Shell links (`.lnk`), by [MS-SHLLINK]: what they start, and what they
//! remember of its volume and of the machine.
//!
//! One record; log `lnk`. It has no time: those in the file are the target's.
//! `Target` is the path of the link's information, else that of its
//! environment block, else the one that its item list spells.
//!
//! # Why our own
//! The library at hand cuts times to seconds, makes a time that is not there
//! 1970, and says nothing of parts that it could not read.

use crate::bytes::{filetime_at, latin1, size_at, slice, u16_at, u32_at, utf16, utf16_at};
use crate::log;
use model::{Problem, RecordSink, Shape, Value};
use std::sync::{Arc, LazyLock};

/// What the log is called.
pub const LOG: &str = "lnk";

const HEADER_BYTES: usize = 0x4c;
/// Header size and class identifier.
const MAGIC: [u8; 20] = [0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
/// Blocks behind the strings; there are eleven kinds.
const BLOCKS_MAX: usize = 64;
/// Items of the list that leads to the target.
const ITEMS_MAX: usize = 256;

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| log::shape(LOG, &SLOTS).into());
const SLOTS: [&str; 18] = [
    "Target",
    "Arguments",
    "WorkingDir",
    "RelativePath",
    "Description",
    "IconLocation",
    "ShowCommand",
    "TargetCreated",
    "TargetModified",
    "TargetAccessed",
    "TargetSize",
    "DriveType",
    "VolumeSerial",
    "VolumeLabel",
    "NetworkShare",
    "MachineId",
    "MachineMac",
    "Appended",
];
const DRIVE_TYPES: [&str; 7] = ["unknown", "no root", "removable", "fixed", "remote", "cdrom", "ramdisk"];

/// Whether an item that begins with `head` is a shell link.
pub fn is(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// Reads a shell link.
pub fn read(bytes: &[u8], sink: &mut dyn RecordSink) {
    if bytes.len() < HEADER_BYTES {
        let found = format!("{} bytes", bytes.len());
        let wanted = format!("a header of {HEADER_BYTES} bytes");
        return sink.problem(Problem::new("truncated", bytes.len() as u64, wanted, found).losing(1));
    }
    let mut link = Link { bytes, flags: u32_at(bytes, 20).unwrap_or(0), ..Link::default() };
    if let Err((at, wanted)) = link.read() {
        let found = format!("{} bytes", bytes.len());
        sink.problem(Problem::new("truncated", at as u64, wanted, found));
    }
    link.push(sink);
}

/// Where it broke off, and what was wanted there.
type Broken = (usize, &'static str);

#[derive(Default)]
struct Link<'a> {
    bytes: &'a [u8],
    flags: u32,
    /// By the item list.
    item_path: Option<String>,
    info: Info,
    /// Description, relative path, working directory, arguments, icon.
    strings: [Option<String>; 5],
    environment: Option<String>,
    machine: Option<String>,
    mac: Option<String>,
    appended: Option<usize>,
}

/// What the link's information block says.
#[derive(Default)]
struct Info {
    path: Option<String>,
    drive: Option<u32>,
    serial: Option<String>,
    label: Option<String>,
    share: Option<String>,
}

impl Link<'_> {
    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Reads all parts in their order; each says where the next one begins.
    fn read(&mut self) -> Result<(), Broken> {
        const HAS_ITEMS: u32 = 1;
        const HAS_INFO: u32 = 2;
        const UNICODE: u32 = 0x80;
        let bytes = self.bytes;
        let mut at = HEADER_BYTES;
        if self.has(HAS_ITEMS) {
            let len = u16_at(bytes, at).map(usize::from).ok_or((at, "a list of items"))?;
            self.item_path = item_path(bytes.get(at + 2..).map_or(&[], |rest| &rest[..len.min(rest.len())]));
            at += 2 + len;
        }
        if self.has(HAS_INFO) {
            let len = size_at(bytes, at).ok_or((at, "the link's information"))?;
            let block = slice(bytes, at, len).ok_or((at, "all of the link's information"))?;
            self.info = info(block);
            at += len.max(4);
        }
        for (index, string) in self.strings.iter_mut().enumerate() {
            if self.flags & 4 << index == 0 {
                continue;
            }
            let count = u16_at(bytes, at).map(usize::from).ok_or((at, "a string"))?;
            let len = if self.flags & UNICODE == 0 { count } else { 2 * count };
            let text = slice(bytes, at + 2, len).ok_or((at, "a whole string"))?;
            *string = Some(if self.flags & UNICODE == 0 { latin1(text) } else { utf16(text) });
            at += 2 + len;
        }
        self.blocks(at)
    }

    /// The blocks behind the strings, up to one that is too short to be one.
    fn blocks(&mut self, mut at: usize) -> Result<(), Broken> {
        const ENVIRONMENT: u32 = 0xa000_0001;
        const TRACKER: u32 = 0xa000_0003;
        for _ in 0..BLOCKS_MAX {
            // Old links end without a mark.
            let Some(len) = size_at(self.bytes, at) else { return Ok(()) };
            if len < 8 {
                let behind = self.bytes.len().saturating_sub(at + 4);
                self.appended = Some(behind);
                return Ok(());
            }
            let block = slice(self.bytes, at, len).ok_or((at, "a whole block"))?;
            match u32_at(block, 4) {
                Some(ENVIRONMENT) => {
                    let wide = utf16_at(block, 268, 520).filter(|text| !text.is_empty());
                    self.environment =
                        wide.or_else(|| slice(block, 8, 260).map(|text| latin1(before_nul(text))));
                }
                Some(TRACKER) => {
                    self.machine = slice(block, 16, 16).map(|name| latin1(before_nul(name)));
                    self.mac = slice(block, 80, 16).and_then(mac);
                }
                _ => {}
            }
            at += len;
        }
        Ok(())
    }

    fn push(&self, sink: &mut dyn RecordSink) {
        let full = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        let paths = [&self.info.path, &self.environment, &self.item_path];
        let target = paths.into_iter().find(|path| full(path)).and_then(Option::as_deref);
        let [description, relative, folder, arguments, icon] =
            self.strings.each_ref().map(|text| log::text(text.as_deref()));
        let number =
            |at| u32_at(self.bytes, at).map_or(Value::Absent, |number| Value::UInt(u64::from(number)));
        let time = |at| log::time(filetime_at(self.bytes, at));
        let drive = self.info.drive.map(|kind| match usize::try_from(kind) {
            Ok(kind) => DRIVE_TYPES.get(kind).copied().unwrap_or("unknown"),
            Err(_) => "unknown",
        });
        let values = [
            log::text(target),
            arguments,
            folder,
            relative,
            description,
            icon,
            number(60),
            time(28),
            time(44),
            time(36),
            number(52),
            log::text(drive),
            log::text(self.info.serial.as_deref()),
            log::text(self.info.label.as_deref()),
            log::text(self.info.share.as_deref()),
            log::text(self.machine.as_deref()),
            log::text(self.mac.as_deref()),
            self.appended.map_or(Value::Absent, |behind| Value::UInt(behind as u64)),
        ];
        log::push(sink, &SHAPE, log::at(0), None, &values);
    }
}

/// The path, volume and share of a link's information. What lies outside of
/// the block is not there.
fn info(block: &[u8]) -> Info {
    const LOCAL: u32 = 1;
    const NETWORK: u32 = 2;
    let flags = u32_at(block, 8).unwrap_or(0);
    let is_long = size_at(block, 4).is_some_and(|header| header >= 0x24);
    let text = |at: usize, wide_at: usize| {
        let wide = if is_long { size_at(block, wide_at).filter(|at| *at > 0) } else { None };
        let wide = wide.and_then(|at| block.get(at..)).map(|rest| utf16(crate::bytes::before_nul(rest)));
        let narrow = size_at(block, at).and_then(|at| block.get(at..)).map(|rest| latin1(before_nul(rest)));
        wide.filter(|text| !text.is_empty()).or(narrow)
    };
    let suffix = text(24, 32).unwrap_or_default();
    let mut info = Info::default();
    if flags & LOCAL != 0 {
        info.path = text(16, 28).map(|base| base + &suffix);
        let volume = size_at(block, 12).and_then(|at| block.get(at..)).unwrap_or_default();
        info.drive = u32_at(volume, 4);
        info.serial = u32_at(volume, 8).map(|serial| format!("{serial:08X}"));
        let label = size_at(volume, 12).filter(|at| *at != 0x14).and_then(|at| volume.get(at..));
        let wide = size_at(volume, 16).and_then(|at| volume.get(at..));
        info.label = match label {
            Some(label) => Some(latin1(before_nul(label))),
            None => wide.map(|label| utf16(crate::bytes::before_nul(label))),
        };
    }
    if flags & NETWORK != 0 {
        let network = size_at(block, 20).and_then(|at| block.get(at..)).unwrap_or_default();
        let name = size_at(network, 8).and_then(|at| network.get(at..));
        info.share = name.map(|name| latin1(before_nul(name)));
        if info.path.is_none() {
            info.path = info.share.as_ref().map(|share| format!("{share}\\{suffix}"));
        }
    }
    info
}

/// The path that a list of shell items spells, as far as it is one of files.
fn item_path(list: &[u8]) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(len @ 3..) = u16_at(list, at).map(usize::from) {
        let Some(item) = slice(list, at, len) else { break };
        match item[2] & 0x70 {
            // A drive (`C:\`), a share, a file or folder.
            0x20 => parts.push(latin1(before_nul(&item[3..])).trim_end_matches('\\').to_owned()),
            0x40 => parts.push(latin1(before_nul(item.get(5..).unwrap_or_default()))),
            0x30 => parts.push(file_name(item)),
            _ => {}
        }
        if parts.len() >= ITEMS_MAX {
            break;
        }
        at += len;
    }
    parts.retain(|part| !part.is_empty());
    (!parts.is_empty()).then(|| parts.join("\\"))
}

/// The long name of a file item, else its short one.
fn file_name(item: &[u8]) -> String {
    const WIDE: u8 = 4;
    let short = item.get(14..).unwrap_or_default();
    let short =
        if item[2] & WIDE == 0 { latin1(before_nul(short)) } else { utf16(crate::bytes::before_nul(short)) };
    // The last two bytes say where the block with the long name begins.
    let block = u16_at(item, item.len() - 2).and_then(|at| item.get(usize::from(at)..)).unwrap_or_default();
    if u32_at(block, 4) != Some(0xbeef_0004) {
        return short;
    }
    let name_at = match u16_at(block, 2).unwrap_or(0) {
        0..3 => return short,
        3..7 => 20,
        7 => 38,
        8 => 42,
        _ => 46,
    };
    let long = utf16(crate::bytes::before_nul(block.get(name_at..).unwrap_or_default()));
    if long.is_empty() { short } else { long }
}

/// The network address in an identifier of version 1.
fn mac(id: &[u8]) -> Option<String> {
    let is_version_1 = id.get(7)? >> 4 == 1;
    let parts: Vec<String> = id.get(10..16)?.iter().map(|byte| format!("{byte:02x}")).collect();
    is_version_1.then(|| parts.join(":"))
}

fn before_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    &bytes[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(content: &[u8]) -> Vec<u8> {
        let mut item = (content.len() as u16 + 2).to_le_bytes().to_vec();
        item.extend(content);
        item
    }

    /// A file item; with a long name in a block of `version`.
    fn file(short: &str, long: Option<(u16, &str)>) -> Vec<u8> {
        let mut content = vec![0x32, 0];
        content.resize(12, 0);
        content.extend(short.as_bytes());
        content.resize((content.len() + 1).next_multiple_of(2), 0);
        if let Some((version, long)) = long {
            let begin = content.len() as u16 + 2;
            let name_at = match version {
                3 => 20,
                8 => 42,
                _ => 46,
            };
            let mut block = vec![0, 0];
            block.extend(version.to_le_bytes());
            block.extend(0xbeef_0004u32.to_le_bytes());
            block.resize(name_at, 0);
            block.extend(long.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
            content.extend(block);
            content.extend(begin.to_le_bytes());
        }
        item(&content)
    }

    #[track_caller]
    fn check(items: &[Vec<u8>], expect: Option<&str>) {
        let mut list = items.concat();
        list.extend([0, 0]);
        assert_eq!(item_path(&list).as_deref(), expect);
    }

    #[test]
    fn paths_of_items() {
        let root = item(&[0x1f, 0x50, 0, 0]);
        let drive = item(b"\x2fC:\\\0\0\0");
        for version in [3, 8, 9] {
            let long = file("LONGNA~1", Some((version, "Long name \u{e4}")));
            let all = [root.clone(), drive.clone(), long, file("x.exe", None)];
            check(&all, Some("C:\\Long name \u{e4}\\x.exe"));
        }
        check(&[root], None);
        check(&[vec![0xff, 0xff, 0x32]], None);
    }
}
