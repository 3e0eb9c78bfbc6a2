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

#[cfg(test)]
mod tests {
    use super::*;
    use model::Record;

    #[derive(Default)]
    struct Shown(Vec<String>);

    impl RecordSink for Shown {
        fn record(&mut self, record: &Record<'_>) {
            self.0.push(record.values[1..5].iter().map(Value::to_text).collect::<Vec<_>>().join(" "));
        }

        fn problem(&mut self, problem: Problem) {
            self.0.push(problem.wanted);
        }
    }

    /// Ticks of 2020-01-02.
    const MODIFIED: u64 = 132_223_968_000_000_000;
    const PATH: &str = r"\??\C:\x\a.exe";

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[track_caller]
    fn check(data: &[u8], expect: &[&str]) {
        let mut shown = Shown::default();
        push(data, 0, None, &mut shown);
        assert_eq!(shown.0, expect);
    }

    #[test]
    fn windows_7_of_both_widths() {
        for is_wide in [true, false] {
            let mut data = 0xbadc_0feeu32.to_le_bytes().to_vec();
            data.extend(1u32.to_le_bytes());
            data.resize(128, 0);
            let path = wide(PATH);
            let len = path.len() as u16;
            data.extend([len, len + 2].iter().flat_map(|len| len.to_le_bytes()));
            let entry_bytes = if is_wide { 48 } else { 32 };
            let place = 128 + entry_bytes as u32;
            if is_wide {
                data.extend(0u32.to_le_bytes());
                data.extend(u64::from(place).to_le_bytes());
            } else {
                data.extend(place.to_le_bytes());
            }
            data.extend(MODIFIED.to_le_bytes());
            data.extend(2u32.to_le_bytes());
            data.resize(place as usize, 0);
            data.extend(path);
            check(&data, &[r"C:\x\a.exe a.exe 2020-01-02T00:00:00Z true"]);
            data[4] = 2;
            check(
                &data,
                &[r"C:\x\a.exe a.exe 2020-01-02T00:00:00Z true", "as many entries as the cache says"],
            );
        }
    }

    #[test]
    fn windows_8() {
        let mut data = 0x80u32.to_le_bytes().to_vec();
        data.resize(0x80, 0);
        let path = wide(PATH);
        let mut entry = (path.len() as u16).to_le_bytes().to_vec();
        entry.extend(path);
        entry.extend(4u16.to_le_bytes());
        entry.extend(wide("pk"));
        entry.extend([0u32, 0].iter().flat_map(|flags| flags.to_le_bytes()));
        entry.extend(MODIFIED.to_le_bytes());
        entry.extend(0u32.to_le_bytes());
        data.extend(b"10ts");
        data.extend(0u32.to_le_bytes());
        data.extend((entry.len() as u32).to_le_bytes());
        data.extend(entry);
        check(&data, &[r"C:\x\a.exe a.exe 2020-01-02T00:00:00Z false"]);
        data.extend([0; 8]);
        check(&data, &[r"C:\x\a.exe a.exe 2020-01-02T00:00:00Z false"]);
        data.push(1);
        check(&data, &[r"C:\x\a.exe a.exe 2020-01-02T00:00:00Z false", "an entry of the cache (00ts, 10ts)"]);
    }

    #[test]
    fn what_is_no_cache() {
        check(&[0xef, 0xbe, 0xad, 0xde, 0, 0], &["the header of a cache (Windows Vista to 11)"]);
        check(&[], &["the header of a cache (Windows Vista to 11)"]);
    }
}
