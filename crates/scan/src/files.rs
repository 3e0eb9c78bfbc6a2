//! A file as a record: every item, whatever its format, is also a file of a
//! name, a size, a hash, and the times that somebody vouches for.
//!
//! Rules look at it by `product: artifact`, `service: file`.

use crate::web_files;
use evidence::ReadItem;
use model::{LogFamily, Position, Record, Shape, Slot, Timestamp, Value};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

/// The slug of this log.
pub const LOG: &str = "file";

/// Names, in the order of [`FileRecord::values`].
const SLOTS: [&str; 12] = [
    "Path",
    "Name",
    "Extension",
    "Size",
    "SHA256",
    "Created",
    "Modified",
    "Changed",
    "Accessed",
    "Deleted",
    "MD5",
    "SHA1",
];

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    let slots = SLOTS.map(Slot::new).to_vec();
    Arc::new(Shape::new(LogFamily::Artifacts, LOG, slots, true))
});

/// A file of the evidence, after it was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SeenFile {
    /// As Windows writes it, below its root.
    pub path: String,
    /// When its content was last written, where somebody vouches for it.
    pub time: Option<Timestamp>,
    /// Whether rules have seen its content.
    pub is_scanned: bool,
    /// Whether it is something that such rules are for.
    pub is_telling: bool,
}

impl SeenFile {
    /// Whether a scan of nothing else has read something.
    pub fn is_evidence(&self) -> bool {
        self.is_telling || (self.is_scanned && web_files::is_web(&self.path))
    }
}

/// One item as a file.
pub struct FileRecord<'a> {
    item: &'a ReadItem,
    /// Path within its collection, with backslashes and the drive's letter
    /// where the layout shows it, as Windows writes it.
    path: String,
    sha256: String,
    md5: Option<String>,
    sha1: Option<String>,
}

impl<'a> FileRecord<'a> {
    pub fn new(item: &'a ReadItem) -> Self {
        Self {
            item,
            path: windows_path(&item.path, &item.root),
            sha256: hex(&item.sha256),
            md5: item.older.md5.map(|hash| hex(&hash)),
            sha1: item.older.sha1.map(|hash| hex(&hash)),
        }
    }

    /// Its path, as Windows writes it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its SHA-256, in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// When its content was last written, where somebody vouches for it.
    pub fn time(&self) -> Option<Timestamp> {
        self.item.facts.modified.or(self.item.facts.created)
    }

    /// What is remembered of it when the item is done.
    pub fn into_seen(self, is_scanned: bool, is_telling: bool) -> SeenFile {
        SeenFile { time: self.time(), path: self.path, is_scanned, is_telling }
    }

    /// Its values.
    pub fn values(&self) -> [Value<'_>; SLOTS.len()] {
        let name = self.path.rsplit('\\').next().unwrap_or(&self.path);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let facts = &self.item.facts;
        let hash = |hash| Option::map_or(hash, Value::Absent, Value::Utf8);
        let time = |time| Option::map_or(time, Value::Absent, Value::Time);
        [
            Value::Utf8(&self.path),
            Value::Utf8(name),
            if extension.is_empty() { Value::Empty } else { Value::Utf8(extension) },
            Value::UInt(self.item.size_bytes),
            Value::Utf8(&self.sha256),
            time(facts.created),
            time(facts.modified),
            time(facts.changed),
            time(facts.accessed),
            Value::Bool(facts.deleted),
            hash(self.md5.as_deref()),
            hash(self.sha1.as_deref()),
        ]
    }

    /// The record; its time is when the content was last written.
    pub fn record<'r>(&self, values: &'r [Value<'r>]) -> Record<'r> {
        Record { shape: &SHAPE, values, position: Position::default(), time: self.time() }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The path of an item below its root as Windows would write it: percent
/// escapes undone, a leading folder `C`, `C:` or `C%3A` taken for the drive.
pub fn windows_path(path: &str, root: &str) -> String {
    let below = path.strip_prefix(root).unwrap_or(path).trim_start_matches(['/', '!']);
    // Windows writes `%4` for a slash in the names of event logs, so a percent
    // sign is an escape only where a collector shows that it escapes.
    let escaped =
        below.split(['/', '!']).any(|part| part.len() == 4 && part.to_ascii_uppercase().ends_with("%3A"));
    let plain = |part: &str| if escaped { unescape(part) } else { part.to_owned() };
    let parts: Vec<String> = below.split(['/', '!']).map(plain).collect();
    // Without a colon only a capital: collectors write `C`, and a folder may well be called `a`.
    let is_drive = |part: &str| match part.as_bytes() {
        [letter, b':'] => letter.is_ascii_alphabetic(),
        [letter] => letter.is_ascii_uppercase(),
        _ => false,
    };
    match parts.iter().position(|part| is_drive(part)) {
        Some(at) => {
            let letter = parts[at].chars().next().unwrap_or('C').to_ascii_uppercase();
            let rest = parts[at + 1..].iter().map(|part| format!("\\{part}"));
            format!("{letter}:{}", rest.collect::<String>())
        }
        None => parts.join("\\"),
    }
}

fn unescape(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::windows_path;

    #[track_caller]
    fn check(path: &str, root: &str, expect: &str) {
        assert_eq!(windows_path(path, root), expect);
    }

    #[test]
    fn paths_as_windows_writes_them() {
        check("triage/C/inetpub/wwwroot/x.aspx", "triage", "C:\\inetpub\\wwwroot\\x.aspx");
        check("a.zip!uploads/auto/C%3A/Windows/x%254y.evtx", "a.zip", "C:\\Windows\\x%4y.evtx");
        check("kape/C/Windows/x%4Admin.evtx", "kape", "C:\\Windows\\x%4Admin.evtx");
        check("logs/u_ex1.log", "logs", "u_ex1.log");
        check("logs/a/u_ex1.log", "logs", "a\\u_ex1.log");
    }
}
