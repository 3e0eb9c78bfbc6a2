//! Registry hives: SYSTEM, SOFTWARE, SAM, SECURITY, NTUSER.DAT, UsrClass.dat,
//! Amcache.hve and any other.
//!
//! One record for each value (log `registry`), and one for a key that holds
//! neither values nor keys; its time is the last write of the key. `Key` is where it stands in
//! the hive; `TargetObject` and `Details` are what Sysmon's events would call
//! it, so that rules on registry events read the same. Decoded from them are
//! services (`service`), scheduled tasks (`task-cache`), programs that Windows
//! took an inventory of (`amcache`), and programs in the compatibility cache
//! (`shimcache`).
//!
//! Keys in free cells, and keys that no list leads to, are read as well;
//! those in free cells say `Deleted`.
//!
//! # Not here
//! Changes that lie in a transaction log only (`.LOG1`, `.LOG2`): they are
//! files of their own. A hive that waits for them says so, and so does a log
//! that holds some.

mod amcache;
mod data;
mod hive;
mod kind;
mod service;
mod shimcache;
mod task_cache;

use crate::bytes::{slice, u32_at, utf16_at};
use crate::log;
use hive::{Entry, HEADER_BYTES, Hive, Key, Seen, place};
use kind::Kind;
use model::{Problem, RecordSink, Role, Shape, Value};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

/// What the log of values is called.
pub const LOG: &str = "registry";
pub use amcache::LOG as AMCACHE_LOG;
pub use service::LOG as SERVICE_LOG;
pub use shimcache::LOG as SHIMCACHE_LOG;
pub use task_cache::LOG as TASK_CACHE_LOG;

/// Keys within each other; Windows allows 512.
const DEPTH_MAX: usize = 512;
/// Bytes of a key's path; real ones have some hundreds.
const PATH_BYTES_MAX: usize = 16 << 10;
/// Keys of services, tasks and programs that are decoded, which costs some look-ups
/// by name; real hives have some thousands.
const DECODED_MAX: usize = 50_000;
/// Bytes shown of a value.
const SHOWN_BYTES_MAX: usize = 32 << 10;

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    let names = [
        "Computer",
        "Key",
        "ValueName",
        "Type",
        "Data",
        "Size",
        "LastWrite",
        "TargetObject",
        "Details",
        "Deleted",
    ];
    log::shape(LOG, &names).with_role(Role::Host, 0).into()
});

/// Whether an item that begins with `head` is a hive or its transaction log.
pub fn is(head: &[u8]) -> bool {
    head.starts_with(b"regf")
}

/// Reads a hive.
pub fn read(bytes: &[u8], sink: &mut dyn RecordSink) {
    let hive = Hive { bytes };
    if !check_header(hive, sink) {
        return;
    }
    // Where Windows puts the root, for a header that does not say it.
    const USUAL_ROOT: u32 = 32;
    let told = u32_at(bytes, 36).unwrap_or(USUAL_ROOT);
    let root = hive.key(told).or_else(|fault| {
        sink.problem(fault.problem());
        hive.key(USUAL_ROOT)
    });
    let kind = match &root {
        Ok(root) => Kind::of(hive, root),
        Err(_) => Kind { prefix: "?".into(), current_set: None, computer: None },
    };
    let mut walk = Walk {
        hive,
        kind,
        seen: Seen::new(hive),
        path: String::new(),
        target: String::new(),
        decoded: 0,
        sink,
    };
    match root {
        Ok(root) => walk.tree(root),
        Err(fault) => walk.sink.problem(fault.problem()),
    }
    walk.sweep();
}

/// Tells what the header says of the hive's state; false where there is no
/// hive to read.
fn check_header(hive: Hive<'_>, sink: &mut dyn RecordSink) -> bool {
    let bytes = hive.bytes;
    let number = |at| u32_at(bytes, at).unwrap_or(0);
    if bytes.len() <= HEADER_BYTES && number(28) == 0 {
        let found = format!("{} bytes", bytes.len());
        sink.problem(Problem::new("truncated", bytes.len() as u64, "a header and at least one bin", found));
        return false;
    }
    if number(28) != 0 {
        // Behind a log's header: entries of new pages, or a map of them.
        let has_changes = matches!(slice(bytes, 512, 4), Some(b"HvLE" | b"DIRT"));
        if has_changes {
            let of = utf16_at(bytes, 48, 64).unwrap_or_default();
            let found = format!("a transaction log of {of}: what the hive lacks of it is not applied");
            sink.problem(Problem::new("not-replayed", 512, "a hive with all of its changes", found));
        }
        return false;
    }
    let sum = (0..127).fold(0, |sum, index| sum ^ number(4 * index));
    let sum = match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    };
    if sum != number(508) {
        let found = format!("{:#010x}", number(508));
        sink.problem(Problem::new("bad-checksum", 508, format!("{sum:#010x}"), found));
    }
    if number(4) != number(8) {
        let found = format!("{} and {}: changes wait in its transaction logs", number(4), number(8));
        sink.problem(Problem::new("not-replayed", 4, "two equal sequence numbers", found));
    }
    let wanted = HEADER_BYTES as u64 + u64::from(number(40));
    if wanted > bytes.len() as u64 {
        let found = format!("{} bytes", bytes.len());
        sink.problem(Problem::new("truncated", bytes.len() as u64, format!("{wanted} bytes"), found));
    }
    true
}

/// The way through a hive.
struct Walk<'a, 's> {
    hive: Hive<'a>,
    kind: Kind,
    seen: Seen,
    /// Of the key at hand.
    path: String,
    /// The same, as Sysmon writes it, and the value's name.
    target: String,
    /// Keys of services, tasks and programs decoded so far.
    decoded: usize,
    sink: &'s mut dyn RecordSink,
}

impl<'a> Walk<'a, '_> {
    /// All keys below `root`, each before those below it.
    fn tree(&mut self, root: Key<'a>) {
        self.path = self.kind.prefix.clone();
        let mut open = vec![(self.enter(&root).into_iter(), self.path.len())];
        while let Some((below, path_len)) = open.last_mut() {
            self.path.truncate(*path_len);
            let Some(offset) = below.next() else {
                open.pop();
                continue;
            };
            let key = self.hive.key(offset).and_then(|key| {
                self.seen.note(self.hive, offset, key.used)?;
                Ok(key)
            });
            let key = match key {
                Ok(key) => key,
                Err(fault) => {
                    self.sink.problem(fault.problem());
                    continue;
                }
            };
            self.path.push('\\');
            self.path.push_str(&key.name);
            if open.len() > DEPTH_MAX || self.path.len() > PATH_BYTES_MAX {
                let wanted = format!("{DEPTH_MAX} keys within each other, {PATH_BYTES_MAX} bytes of path");
                self.sink.problem(Problem::new("limit", place(offset) as u64, wanted, "more"));
                continue;
            }
            let below = self.enter(&key);
            open.push((below.into_iter(), self.path.len()));
        }
    }

    /// Shows one key, whose path is set; gives the keys below it.
    fn enter(&mut self, key: &Key<'a>) -> Vec<u32> {
        self.show(key, false);
        let mut faults = Vec::new();
        let (hive, seen) = (self.hive, &mut self.seen);
        let below = hive.subkey_offsets(key, &mut |list, used| seen.note(hive, list, used), &mut faults);
        faults.into_iter().for_each(|fault| self.sink.problem(fault.problem()));
        below
    }

    /// Shows the values of a key, and what is decoded from them.
    fn show(&mut self, key: &Key<'a>, deleted: bool) {
        let (hive, seen) = (self.hive, &mut self.seen);
        let values = hive.value_offsets(key, usize::MAX, &mut |list, used| seen.note(hive, list, used));
        match values {
            Ok(values) if values.is_empty() && key.subkeys.0 > 0 => {}
            Ok(values) if values.is_empty() => self.push(key, None, &[], deleted),
            Ok(values) => values.into_iter().for_each(|offset| self.show_value(key, offset, deleted)),
            Err(fault) => {
                self.push(key, None, &[], deleted);
                return self.fault(fault, deleted);
            }
        }
        self.decode(key, deleted);
    }

    /// Shows what the values of a key say together.
    fn decode(&mut self, key: &Key<'a>, deleted: bool) {
        let below = self.path.strip_prefix(self.kind.prefix.as_str()).unwrap_or_default();
        let below: Vec<&str> = below.split('\\').skip(1).collect();
        let is_service = matches!(below.as_slice(), [set, "Services", _] if is_set(set));
        if !is_service && !amcache::is(&below) && !task_cache::is(&below) {
            return;
        }
        self.decoded += 1;
        if self.decoded > DECODED_MAX {
            if self.decoded == DECODED_MAX + 1 {
                let wanted = format!("at most {DECODED_MAX} services, tasks and programs");
                self.sink.problem(Problem::new("limit", place(key.offset) as u64, wanted, "more"));
            }
        } else if is_service {
            service::push(self.hive, key, (&self.kind, &self.path), deleted, self.sink);
        } else if amcache::is(&below) {
            amcache::push(self.hive, key, &below, &self.path, self.sink);
        } else if !deleted {
            // A task that is gone has lost its descriptor in the ordinary way.
            task_cache::push(self.hive, key, &below, &self.path, self.sink);
        }
    }

    fn show_value(&mut self, key: &Key<'a>, offset: u32, deleted: bool) {
        let value = self.hive.value(offset).and_then(|value| {
            self.seen.note(self.hive, offset, value.used)?;
            Ok(value)
        });
        let value = match value {
            Ok(value) => value,
            Err(fault) => return self.fault(fault, deleted),
        };
        let is_shimcache = shimcache::is(&self.path, &value.name);
        let max = if is_shimcache { shimcache::BYTES_MAX } else { SHOWN_BYTES_MAX };
        let (hive, seen) = (self.hive, &mut self.seen);
        let data = match hive.data(&value, max, &mut |cell, used| seen.note(hive, cell, used)) {
            Ok(data) => data,
            Err(fault) => {
                self.fault(fault, deleted);
                Cow::Borrowed(&[][..])
            }
        };
        let shown = &data[..data.len().min(SHOWN_BYTES_MAX)];
        self.push(key, Some(&value), shown, deleted);
        if is_shimcache {
            shimcache::push(&data, place(offset), self.kind.computer.as_deref(), self.sink);
        }
    }

    /// In what was deleted, damage is no loss.
    fn fault(&mut self, fault: hive::Fault, deleted: bool) {
        if !deleted {
            self.sink.problem(fault.problem());
        }
    }

    fn push(&mut self, key: &Key<'a>, value: Option<&Entry<'a>>, data: &[u8], deleted: bool) {
        self.kind.write_live_path(&self.path, &mut self.target);
        let mut strings = Vec::new();
        let mut words = String::new();
        let shown = match value {
            Some(value) => data::value(value.kind, data, &mut strings),
            None => Value::Absent,
        };
        let details = value.map_or(Value::Absent, |value| data::details(value.kind, shown, &mut words));
        if let Some(value) = value {
            self.target.push('\\');
            self.target.push_str(if value.name.is_empty() { "(Default)" } else { &value.name });
        }
        let values = [
            log::text(self.kind.computer.as_deref()),
            Value::Utf8(&self.path),
            log::text(value.map(|value| &*value.name)),
            value.map_or(Value::Absent, |value| data::type_name(value.kind)),
            shown,
            value.map_or(Value::Absent, |value| Value::UInt(value.size as u64)),
            log::time(key.last_write),
            Value::Utf8(&self.target),
            details,
            Value::Bool(deleted),
        ];
        let offset = value.map_or(key.offset, |value| value.offset);
        log::push(self.sink, &SHAPE, log::at(place(offset)), key.last_write, &values);
    }

    /// Keys that the tree does not lead to: in free cells, and in cells whose
    /// list is lost.
    fn sweep(&mut self) {
        let bytes = self.hive.bytes;
        let told = HEADER_BYTES.saturating_add(u32_at(bytes, 40).unwrap_or(0) as usize);
        let mut bin = HEADER_BYTES;
        let mut lost = None;
        while bin < bytes.len() {
            if slice(bytes, bin, 4) != Some(b"hbin") {
                lost = lost.or(Some(bin));
                bin += 4096;
                continue;
            }
            self.tell_lost(lost.take(), bin);
            let size = u32_at(bytes, bin + 8).unwrap_or(0) as usize;
            // A bin is a whole number of pages; one that lies is taken for one page.
            let size = if size == 0 || !size.is_multiple_of(4096) { 4096 } else { size };
            let end = bin.saturating_add(size).min(bytes.len());
            self.sweep_bin(bin + 32, end);
            bin = bin.saturating_add(size);
        }
        // Behind the last bin a file may be longer than its hive.
        self.tell_lost(lost, told.min(bytes.len()));
    }

    /// Tells that from `lost` up to `end` there is no bin.
    fn tell_lost(&mut self, lost: Option<usize>, end: usize) {
        if let Some(lost) = lost.filter(|lost| *lost < end) {
            let found = format!("{} bytes without", end - lost);
            self.sink.problem(Problem::new("bad-record", lost as u64, "a bin (hbin)", found));
        }
    }

    /// Cells are looked at where they begin; free ones may be several that
    /// were joined, and where sizes make no sense a key may begin anywhere.
    fn sweep_bin(&mut self, mut at: usize, end: usize) {
        while at < end {
            let size = u32_at(self.hive.bytes, at).unwrap_or(0).cast_signed();
            let len = size.unsigned_abs() as usize;
            let is_sound = len >= 8 && len.is_multiple_of(8) && len <= end - at;
            let len = if is_sound { len } else { end - at };
            let looked_at = if is_sound && size < 0 { 1 } else { len };
            for begin in (at..at + looked_at).step_by(8) {
                if slice(self.hive.bytes, begin + 4, 2) == Some(b"nk") {
                    self.recover((begin - HEADER_BYTES) as u32, is_sound && size > 0);
                }
            }
            at += len;
        }
    }

    /// Shows the key at `offset`, if it is one and was not shown.
    fn recover(&mut self, offset: u32, is_free: bool) {
        if self.seen.contains(offset) {
            return;
        }
        let Ok(key) = self.hive.key(offset) else { return };
        // What looks like a key by chance seldom has a name and a time.
        let is_likely = !key.name.is_empty() && (!is_free || key.last_write.is_some());
        if key.is_root || !is_likely || self.seen.note(self.hive, offset, key.used).is_err() {
            return;
        }
        self.path = self.path_of(&key);
        if self.path.len() <= PATH_BYTES_MAX {
            self.show(&key, is_free);
        }
    }

    /// The path of a key by those above it, as far as they are there.
    fn path_of(&self, key: &Key<'a>) -> String {
        let mut names = vec![key.name.clone()];
        let mut len = key.name.len();
        let mut parent = key.parent;
        let mut top = Cow::Borrowed("?");
        while let Ok(key) = self.hive.key(parent) {
            if key.is_root {
                top = Cow::Borrowed(self.kind.prefix.as_str());
                break;
            }
            // A ring of parents has no top.
            len += key.name.len() + 1;
            if len > PATH_BYTES_MAX || names.len() > DEPTH_MAX {
                break;
            }
            names.push(key.name);
            parent = key.parent;
        }
        names.push(top);
        names.reverse();
        names.join("\\")
    }
}

/// `ControlSet001` and the like.
fn is_set(name: &str) -> bool {
    name.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("ControlSet"))
}
