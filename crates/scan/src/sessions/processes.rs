//! Starts of processes, put on disk as they are met.
//!
//! Two nameless files: what a reader needs of each start (program, command
//! line, account) beside the fields of findings, and here one entry of fixed
//! size for each, so that trees are put together by reading them through, and
//! memory does not grow with the logs.
//!
//! Sysmon gives each process a GUID, and a start names that of its parent.
//! Security 4688 and auditd give numbers, which are used again: the parent is
//! the last process of that number that was started before.

use super::event_id;
use super::fields::Fields;
use crate::spill::SpillWriter;
use model::{HostName, LogFamily, Position, Record, Role, Spilled, Timestamp, Value};
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::sync::{Mutex, PoisonError};

/// Bytes of one entry on disk.
const ENTRY_BYTES: usize = 8 * 8;
/// In place of a number that is not there.
const NONE: u64 = u64::MAX;
/// Text of one field, in bytes.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// Names of a process in its records, by the kind of log.
struct Names {
    /// Ids are never used again.
    is_guid: bool,
    id: &'static str,
    parent: &'static str,
    number: &'static str,
    image: &'static str,
    command_line: &'static str,
    user: &'static str,
    parent_number: &'static str,
    parent_image: &'static str,
    parent_command_line: &'static str,
}

const SYSMON: Names = Names {
    is_guid: true,
    id: "ProcessGuid",
    parent: "ParentProcessGuid",
    number: "ProcessId",
    image: "Image",
    command_line: "CommandLine",
    user: "User",
    parent_number: "ParentProcessId",
    parent_image: "ParentImage",
    parent_command_line: "ParentCommandLine",
};
// In 4688 `ProcessId` is that of the process that starts the new one.
const SECURITY: Names = Names {
    is_guid: false,
    id: "NewProcessId",
    parent: "ProcessId",
    number: "NewProcessId",
    image: "NewProcessName",
    command_line: "CommandLine",
    user: "SubjectUserName",
    parent_number: "ProcessId",
    parent_image: "ParentProcessName",
    parent_command_line: "",
};
const AUDITD: Names = Names {
    is_guid: false,
    id: "pid",
    parent: "ppid",
    number: "pid",
    image: "exe",
    command_line: "CommandLine",
    user: "auid",
    parent_number: "ppid",
    parent_image: "",
    parent_command_line: "",
};

/// One start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Hash of host and id, and whether the id is a number that is used again.
    pub key: u64,
    pub parent: u64,
    pub time: Option<Timestamp>,
    /// Hash of the item's path.
    pub item: u64,
    pub position: Position,
    /// Its texts.
    pub place: Spilled,
}

impl Entry {
    /// Numbers are even, GUIDs odd.
    pub fn is_number(key: u64) -> bool {
        key & 1 == 0
    }

    fn write(&self, out: &mut Vec<u8>) {
        let number = |number: Option<u64>| number.unwrap_or(NONE);
        let words = [
            self.key,
            self.parent,
            self.time.map_or(NONE, |time| time.nanos() as u64),
            self.item,
            self.position.offset,
            number(self.position.record.or(self.position.line)),
            self.place.word(),
            u64::from(self.position.record.is_some()),
        ];
        words.iter().for_each(|word| out.extend(word.to_le_bytes()));
    }

    fn read(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let word = |index: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[index * 8..index * 8 + 8]);
            u64::from_le_bytes(word)
        };
        let number = Some(word(5)).filter(|number| *number != NONE);
        let is_record = word(7) == 1;
        Some(Self {
            key: word(0),
            parent: word(1),
            time: Some(word(2)).filter(|time| *time != NONE).map(|time| Timestamp::from_nanos(time as i64)),
            item: word(3),
            position: Position {
                offset: word(4),
                record: number.filter(|_| is_record),
                line: number.filter(|_| !is_record),
            },
            place: Spilled::from_word(word(6))?,
        })
    }
}

/// The hash under which an item's starts are kept.
pub fn item_hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// The key of a process by its host and GUID.
pub fn guid_key(host: Option<&str>, guid: &str) -> u64 {
    key(host, guid, true)
}

fn key(host: Option<&str>, id: &str, is_guid: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    host.hash(&mut hasher);
    let id = id.trim_matches(['{', '}']);
    for part in id.as_bytes().chunks(64) {
        let mut folded = [0; 64];
        folded[..part.len()].copy_from_slice(part);
        folded.make_ascii_lowercase();
        hasher.write(&folded[..part.len()]);
    }
    hasher.finish() & !1 | u64::from(is_guid)
}

/// All names of the three.
pub const PROCESS_FIELDS: &[&str] = &[
    "ProcessGuid",
    "ParentProcessGuid",
    "ProcessId",
    "Image",
    "CommandLine",
    "User",
    "ParentProcessId",
    "ParentImage",
    "ParentCommandLine",
    "NewProcessId",
    "NewProcessName",
    "SubjectUserName",
    "ParentProcessName",
    "pid",
    "ppid",
    "exe",
    "auid",
];

/// Starts that one part met, as bytes of entries.
#[derive(Default)]
pub struct ProcessLog {
    entries: Vec<u8>,
    block: Vec<u8>,
    text: String,
}

impl ProcessLog {
    /// Notes the start that `record` tells of, if it tells of one; `fields` are [`PROCESS_FIELDS`].
    pub fn note(
        &mut self,
        record: &Record<'_>,
        fields: &mut Fields,
        host: Option<&HostName>,
        item: u64,
        spill: &SpillWriter,
    ) {
        let Some(names) = names(record) else { return };
        let Self { entries, block, text } = self;
        let fields = fields.of(record);
        let is_guid = names.is_guid;
        let host_text = host.map_or("", |host| host);
        let mut key = |field: &str| {
            text.clear();
            fields.value(field).write_text(text);
            (!text.is_empty(), key(host.map(|host| &**host), text, is_guid))
        };
        let (true, own) = key(names.id) else { return };
        let (_, parent) = key(names.parent);
        block.clear();
        SpillWriter::add(block, "Host", host_text, false);
        for (label, field) in [
            ("Image", names.image),
            ("CommandLine", names.command_line),
            ("User", names.user),
            ("ProcessId", names.number),
            ("ParentImage", names.parent_image),
            ("ParentCommandLine", names.parent_command_line),
            ("ParentProcessId", names.parent_number),
        ] {
            text.clear();
            if !field.is_empty() {
                fields.value(field).write_text(text);
                text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
            }
            SpillWriter::add(block, label, text, false);
        }
        // On a full disk there are no trees, but all findings.
        let Ok(place) = spill.put(block) else { return };
        let entry = Entry { key: own, parent, time: record.time, item, position: record.position, place };
        entry.write(entries);
    }

    /// Adds what the next part met.
    pub fn merge(&mut self, next: ProcessLog) {
        self.entries.extend(next.entries);
    }
}

fn names(record: &Record<'_>) -> Option<&'static Names> {
    match record.shape.family {
        LogFamily::WindowsEvents => match event_id(record)? {
            1 => is_text(&record.role(Role::Provider), "Microsoft-Windows-Sysmon").then_some(&SYSMON),
            4688 => is_text(&record.role(Role::Channel), "Security").then_some(&SECURITY),
            _ => None,
        },
        LogFamily::Linux if &*record.shape.log == "auditd" && record.shape.slot("ppid").is_some() => {
            record.field("CommandLine").is_present().then_some(&AUDITD)
        }
        _ => None,
    }
}

/// Whether a value is this text (ASCII), in any case.
fn is_text(value: &Value<'_>, wanted: &str) -> bool {
    match value {
        Value::Utf8(text) => text.eq_ignore_ascii_case(wanted),
        Value::Utf16(bytes) => {
            let units = bytes.chunks_exact(2);
            units.len() == wanted.len()
                && units
                    .zip(wanted.bytes())
                    .all(|(unit, byte)| unit[1] == 0 && unit[0].eq_ignore_ascii_case(&byte))
        }
        _ => false,
    }
}

/// Takes the entries of all parts.
#[derive(Default)]
pub struct StartsWriter {
    file: Mutex<Option<BufWriter<File>>>,
}

impl StartsWriter {
    /// Puts entries away; what does not fit on the disk is missing in trees only.
    pub fn put(&self, log: &mut ProcessLog) {
        if log.entries.is_empty() {
            return;
        }
        let mut open = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_none() {
            *open = tempfile::tempfile().ok().map(BufWriter::new);
        }
        if let Some(file) = &mut *open
            && file.write_all(&log.entries).is_err()
        {
            // Half an entry would shift all behind it.
            *open = None;
        }
        log.entries = Vec::new();
    }

    /// Ends writing.
    pub fn finish(self) -> Starts {
        let open = self.file.into_inner().unwrap_or_else(PoisonError::into_inner);
        Starts { file: open.and_then(|file| file.into_inner().ok()) }
    }
}

/// All starts of a scan, in no order.
pub struct Starts {
    file: Option<File>,
}

impl Starts {
    /// Shows each start.
    ///
    /// # Errors
    /// When they cannot be read back.
    pub fn each(&self, show: &mut dyn FnMut(Entry)) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut reader = BufReader::with_capacity(ENTRY_BYTES * 4096, file);
        reader.rewind()?;
        let mut entry = [0; ENTRY_BYTES];
        loop {
            match reader.read_exact(&mut entry) {
                Ok(()) => Entry::read(&entry).into_iter().for_each(&mut *show),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back() {
        let entry = |record: Option<u64>, line: Option<u64>, time: Option<i64>| Entry {
            key: 7,
            parent: 8,
            time: time.map(Timestamp::from_nanos),
            item: item_hash("a/b"),
            position: Position { offset: 4_096, record, line },
            place: Spilled::new(99, 300).unwrap(),
        };
        for entry in [
            entry(Some(12), None, Some(-5)),
            entry(None, Some(3), None),
            entry(None, None, Some(1_614_744_662)),
        ] {
            let mut bytes = Vec::new();
            entry.write(&mut bytes);
            assert_eq!(Entry::read(bytes.as_slice().try_into().unwrap()), Some(entry));
        }
    }

    #[test]
    fn keys_tell_hosts_and_kinds_apart() {
        let guid = guid_key(Some("A"), "{0AB1-2}");
        assert_eq!(guid, guid_key(Some("A"), "0ab1-2"));
        assert_ne!(guid, guid_key(Some("B"), "0ab1-2"));
        assert!(!Entry::is_number(guid) && Entry::is_number(key(Some("A"), "0x12c", false)));
    }
}
