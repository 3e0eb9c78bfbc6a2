//! Shimcache (AppCompatCache): programs that Windows looked at for
//! compatibility, newest first; it is written when the machine shuts down.
//!
//! Records have no time: the entry holds that of the file, and no other.
//! `Executed` is what Windows 7 to 8.1 say; others do not.

use crate::bytes::{filetime_at, size_at, slice, u16_at, u32_at, u64_at, utf16};
use crate::log;
use model::{Problem, RecordSink, Role, Shape, Timestamp, Value};
use std::sync::{Arc, LazyLock};

/// What the log is called.
pub const LOG: &str = "shimcache";

/// Bytes of a cache that are read; real ones have some 100 KiB.
pub(super) const BYTES_MAX: usize = 8 << 20;

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    let names = ["Computer", "Path", "Name", "LastModified", "Executed", "Order"];
    log::shape(LOG, &names).with_role(Role::Host, 0).into()
});

/// Whether the value `name` of the key at `path` is the cache.
pub(super) fn is(path: &str, name: &str) -> bool {
    name == "AppCompatCache" && path.ends_with("\\Control\\Session Manager\\AppCompatCache")
}

struct Entry {
    path: String,
    modified: Option<Timestamp>,
    executed: Option<bool>,
}

/// Shows the entries of the cache in `data`, the value at `offset`.
pub(super) fn push(data: &[u8], offset: usize, computer: Option<&str>, sink: &mut dyn RecordSink) {
    let mut order = 0;
    let mut show = |entry: Entry| {
        let name = entry.path.rsplit('\\').next().unwrap_or_default();
        let values = [
            log::text(computer),
            log::text(Some(&entry.path)),
            log::text(Some(name)),
            log::time(entry.modified),
            entry.executed.map_or(Value::Absent, Value::Bool),
            Value::UInt(order),
        ];
        log::push(sink, &SHAPE, log::at(offset), None, &values);
        order += 1;
    };
    let end = match data.get(..4) {
        Some([0xee, 0x0f, 0xdc, 0xba]) => table(data, 128, &mut show),
        Some([0xfe, 0x0f, 0xdc, 0xba]) => table(data, 8, &mut show),
        Some([header @ (0x30 | 0x34 | 0x80), 0, 0, 0]) => run(data, usize::from(*header), &mut show),
        _ => Err("the header of a cache (Windows Vista to 11)"),
    };
    if let Err(wanted) = end {
        let found: String = data.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let found = format!("{order} entries in {} bytes that begin {found}", data.len());
        sink.problem(Problem::new("bad-record", offset as u64, wanted, found));
    }
}

/// Vista to 7, and their servers: a table of entries whose paths stand behind
/// it. 64-bit Windows writes longer ones.
fn table(data: &[u8], first: usize, show: &mut dyn FnMut(Entry)) -> Result<(), &'static str> {
    const EXECUTED: u32 = 2;
    let is_seven = first == 128;
    let count = size_at(data, 4).unwrap_or(0);
    // A path's offset has four more bytes before it, which are zero, and four in it.
    let is_wide = u32_at(data, first + 4) == Some(0) && count > 0;
    let (entry_bytes, path_at, time_at) = match (is_seven, is_wide) {
        (true, true) => (48, 8, 16),
        (true, false) => (32, 4, 8),
        (false, true) => (32, 8, 16),
        (false, false) => (24, 4, 8),
    };
    for index in 0..count {
        let at = first.saturating_add(index.saturating_mul(entry_bytes));
        let entry = slice(data, at, entry_bytes).ok_or("as many entries as the cache says")?;
        let len = usize::from(u16_at(entry, 0).unwrap_or(0));
        let path = if is_wide { u64_at(entry, path_at) } else { u32_at(entry, path_at).map(u64::from) };
        let path = path.and_then(|path| usize::try_from(path).ok());
        let path = path.and_then(|path| slice(data, path, len)).ok_or("the path of each entry")?;
        let flags = u32_at(entry, time_at + 8).unwrap_or(0);
        show(Entry {
            path: plain(utf16(path)),
            modified: filetime_at(entry, time_at),
            executed: is_seven.then_some(flags & EXECUTED != 0),
        });
    }
    Ok(())
}

/// Windows 8 and later: entries of any length, one after the other.
fn run(data: &[u8], first: usize, show: &mut dyn FnMut(Entry)) -> Result<(), &'static str> {
    const EXECUTED: u32 = 2;
    let is_eight = first == 0x80;
    let mut at = first;
    while data.get(at..).is_some_and(|rest| rest.iter().any(|byte| *byte != 0)) {
        if !matches!(slice(data, at, 4), Some(b"00ts" | b"10ts")) {
            return Err("an entry of the cache (00ts, 10ts)");
        }
        let len = size_at(data, at + 8).ok_or("an entry's length")?;
        let entry = slice(data, at + 12, len).ok_or("whole entries")?;
        let path_len = usize::from(u16_at(entry, 0).ok_or("a path")?);
        let path = slice(entry, 2, path_len).ok_or("a path within its entry")?;
        let mut rest = 2 + path_len;
        let mut executed = None;
        if is_eight {
            // The name of a package stands between, then the flags.
            rest += 2 + usize::from(u16_at(entry, rest).unwrap_or(0));
            executed = u32_at(entry, rest).map(|flags| flags & EXECUTED != 0);
            rest += 8;
        }
        show(Entry { path: plain(utf16(path)), modified: filetime_at(entry, rest), executed });
        at += 12 + len;
    }
    Ok(())
}

/// Without the prefix of the kernel's names.
fn plain(path: String) -> String {
    path.strip_prefix("\\??\\").map_or(path.clone(), str::to_owned)
}
