//! Prefetch files: programs that were run, and when last.
//!
//! One record for each run whose time is kept (one, since Windows 8 up to
//! eight), so that a time line has them all, or one without time; log
//! `prefetch`. Layouts 17 (XP), 23 (Vista, 7), 26 (8), 30 and 31 (10, 11), as
//! they are or packed (`MAM`).
//!
//! # What the format does not say
//! Names of programs end after 29 characters. Servers write none of these
//! files unless they are told to.

use crate::bytes::{filetime_at, size_at, slice, u32_at, utf16, utf16_at};
use crate::log;
use model::{Problem, RecordSink, Shape, Value};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

/// What the log is called.
pub const LOG: &str = "prefetch";

/// Bytes of an unpacked file; real ones have less than one MiB.
const UNPACKED_BYTES_MAX: usize = 16 << 20;
/// Names of files shown; Windows traces some thousand.
const FILES_MAX: usize = 4_096;
const VOLUMES_MAX: usize = 64;
/// Characters of a name that the header has room for.
const NAME_CHARACTERS: usize = 29;

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    let names =
        ["Executable", "Path", "Hash", "RunCount", "LastRun", "RunTimes", "Version", "Volumes", "Files"];
    log::shape(LOG, &names).into()
});

/// Whether an item that begins with `head` is a prefetch file.
pub fn is(head: &[u8]) -> bool {
    let is_packed = matches!(head, [b'M', b'A', b'M', 0x04 | 0x84, ..]) && head.len() > 8;
    let version = u32_at(head, 0);
    is_packed || matches!(version, Some(1..=255)) && slice(head, 4, 4) == Some(b"SCCA")
}

/// Reads a prefetch file.
pub fn read(bytes: &[u8], sink: &mut dyn RecordSink) {
    let Some(plain) = unpacked(bytes, sink) else { return };
    let bytes = &*plain;
    let version = u32_at(bytes, 0).unwrap_or(0);
    if slice(bytes, 4, 4) != Some(b"SCCA") {
        let found = format!("{} bytes without", bytes.len());
        return sink.problem(Problem::new("bad-record", 4, "the mark SCCA", found).losing(1));
    }
    let Some(layout) = layout(version, bytes) else {
        let found = version.to_string();
        return sink.problem(Problem::new("unknown-version", 0, "layout 17, 23, 26, 30 or 31", found));
    };
    let told = size_at(bytes, 12).unwrap_or(0);
    if bytes.len() < told {
        let found = format!("{} bytes", bytes.len());
        sink.problem(Problem::new("truncated", bytes.len() as u64, format!("{told} bytes"), found));
    }
    push(bytes, &layout, sink);
}

/// The bytes themselves, or what is packed in them.
fn unpacked<'a>(bytes: &'a [u8], sink: &mut dyn RecordSink) -> Option<Cow<'a, [u8]>> {
    if !bytes.starts_with(b"MAM") {
        return Some(Cow::Borrowed(bytes));
    }
    // With this bit a checksum stands before the data.
    let start = if bytes.get(3).is_some_and(|kind| kind & 0x80 != 0) { 12 } else { 8 };
    let told = size_at(bytes, 4).unwrap_or(0);
    if told > UNPACKED_BYTES_MAX {
        let wanted = format!("at most {UNPACKED_BYTES_MAX} unpacked bytes");
        sink.problem(Problem::new("limit", 4, wanted, told.to_string()).losing(1));
        return None;
    }
    match xpress_huffman::decompress(bytes.get(start..).unwrap_or_default(), told) {
        Ok(plain) => {
            if plain.len() < told {
                let found = format!("{}", plain.len());
                let wanted = format!("{told} unpacked bytes");
                sink.problem(Problem::new("truncated", bytes.len() as u64, wanted, found));
            }
            Some(Cow::Owned(plain))
        }
        Err(error) => {
            let problem =
                Problem::new("bad-record", start as u64, "data packed by Xpress Huffman", error.to_string());
            sink.problem(problem.losing(1));
            None
        }
    }
}

/// Where things stand, by version.
struct Layout {
    run_times: (usize, usize),
    run_count: usize,
    volume_bytes: usize,
}

fn layout(version: u32, bytes: &[u8]) -> Option<Layout> {
    // Later builds of Windows 10 have eight bytes less before the run count,
    // and the first table that follows moves up.
    let is_short = u32_at(bytes, 84) == Some(296);
    let (run_times, run_count, volume_bytes) = match version {
        17 => ((120, 1), 144, 40),
        23 => ((128, 1), 152, 104),
        26 => ((128, 8), 208, 104),
        30 | 31 => ((128, 8), if is_short { 200 } else { 208 }, 96),
        _ => return None,
    };
    Some(Layout { run_times, run_count, volume_bytes })
}

fn listed<'a>(texts: &'a [Value<'a>]) -> Value<'a> {
    if texts.is_empty() { Value::Absent } else { Value::List(texts) }
}

fn push(bytes: &[u8], layout: &Layout, sink: &mut dyn RecordSink) {
    let executable = utf16_at(bytes, 16, 60);
    let files = files(bytes, sink);
    let volumes = volumes(bytes, layout.volume_bytes, sink);
    let path = executable.as_deref().and_then(|name| files.iter().find(|file| is_of(file, name)));
    let (first, count) = layout.run_times;
    let times: Vec<_> = (0..count)
        .map(|index| first + 8 * index)
        .filter_map(|at| filetime_at(bytes, at).map(|time| (at, time)))
        .collect();
    let run_times: Vec<Value<'_>> = times.iter().map(|(_, time)| Value::Time(*time)).collect();
    let file_names: Vec<Value<'_>> = files.iter().map(|file| Value::Utf8(file)).collect();
    let volume_names: Vec<Value<'_>> = volumes.iter().map(|volume| Value::Utf8(volume)).collect();
    let hash = u32_at(bytes, 76).map(|hash| format!("{hash:08X}"));
    let mut values = [
        log::text(executable.as_deref()),
        log::text(path.map(String::as_str)),
        log::text(hash.as_deref()),
        u32_at(bytes, layout.run_count).map_or(Value::Absent, |count| Value::UInt(u64::from(count))),
        Value::Absent,
        listed(&run_times),
        u32_at(bytes, 0).map_or(Value::Absent, |version| Value::UInt(u64::from(version))),
        listed(&volume_names),
        listed(&file_names),
    ];
    for (at, time) in &times {
        values[4] = Value::Time(*time);
        log::push(sink, &SHAPE, log::at(*at), Some(*time), &values);
    }
    if times.is_empty() {
        values[4] = Value::Absent;
        log::push(sink, &SHAPE, log::at(0), None, &values);
    }
}

/// Whether `file` is the program `name`, which may have been cut.
fn is_of(file: &str, name: &str) -> bool {
    let last = file.rsplit('\\').next().unwrap_or(file);
    if name.chars().count() < NAME_CHARACTERS {
        return last.eq_ignore_ascii_case(name);
    }
    last.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// Files that were read while the program started.
fn files(bytes: &[u8], sink: &mut dyn RecordSink) -> Vec<String> {
    let (at, len) = (size_at(bytes, 100).unwrap_or(0), size_at(bytes, 104).unwrap_or(0));
    let Some(block) = slice(bytes, at, len) else {
        let found = format!("{len} bytes at {at} of {}", bytes.len());
        sink.problem(Problem::new("bad-record", 100, "names of files within the file", found));
        return Vec::new();
    };
    let names = utf16(block);
    let mut names = names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned);
    let files = names.by_ref().take(FILES_MAX).collect();
    if names.next().is_some() {
        let wanted = format!("at most {FILES_MAX} names of files");
        sink.problem(Problem::new("limit", at as u64, wanted, "more"));
    }
    files
}

/// Volumes as `\VOLUME{…} serial 1234ABCD`.
fn volumes(bytes: &[u8], volume_bytes: usize, sink: &mut dyn RecordSink) -> Vec<String> {
    let (at, count) = (size_at(bytes, 108).unwrap_or(0), size_at(bytes, 112).unwrap_or(0));
    let mut volumes = Vec::new();
    for index in 0..count.min(VOLUMES_MAX) {
        let Some(entry) = slice(bytes, at.saturating_add(index * volume_bytes), volume_bytes) else {
            let found = format!("{index} of {count}");
            sink.problem(Problem::new("bad-record", at as u64, "the volumes that are told", found));
            break;
        };
        let name_at = at.saturating_add(size_at(entry, 0).unwrap_or(0));
        let name = utf16_at(bytes, name_at, size_at(entry, 4).unwrap_or(0).saturating_mul(2));
        let serial = u32_at(entry, 16).unwrap_or(0);
        volumes.push(format!("{} serial {serial:08X}", name.unwrap_or_default()));
    }
    volumes
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Record;

    #[derive(Default)]
    struct Shown(Vec<String>);

    impl RecordSink for Shown {
        fn record(&mut self, record: &Record<'_>) {
            let shown = |name: &str| record.field(name).to_text();
            self.0.push(["Executable", "RunCount", "LastRun"].map(shown).join(" "));
        }

        fn problem(&mut self, problem: Problem) {
            self.0.push(format!("{} {}", problem.kind, problem.found));
        }
    }

    #[track_caller]
    fn check(version: u32, first_table: u32, run_time: usize, run_count: usize, expect: &str) {
        let mut bytes = vec![0u8; 400];
        bytes[..4].copy_from_slice(&version.to_le_bytes());
        bytes[4..8].copy_from_slice(b"SCCA");
        bytes[16..18].copy_from_slice(b"X\0");
        bytes[84..88].copy_from_slice(&first_table.to_le_bytes());
        bytes[run_time..run_time + 8].copy_from_slice(&132_223_968_000_000_000u64.to_le_bytes());
        bytes[run_count] = 7;
        let mut shown = Shown::default();
        read(&bytes, &mut shown);
        assert_eq!(shown.0, [expect]);
    }

    #[test]
    fn all_layouts() {
        check(17, 152, 120, 144, "X 7 2020-01-02T00:00:00Z");
        check(23, 240, 128, 152, "X 7 2020-01-02T00:00:00Z");
        check(26, 304, 128, 208, "X 7 2020-01-02T00:00:00Z");
        check(30, 304, 128, 208, "X 7 2020-01-02T00:00:00Z");
        check(30, 296, 128, 200, "X 7 2020-01-02T00:00:00Z");
        check(31, 296, 184, 200, "X 7 2020-01-02T00:00:00Z");
        check(99, 304, 128, 208, "unknown-version 99");
    }
}
