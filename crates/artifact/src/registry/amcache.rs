//! Amcache: programs and drivers that Windows took an inventory of.
//!
//! The time of a record is the last write of its key: when the program was
//! looked at, which need not be when it was run.

use super::hive::{Hive, Key, place};
use super::kind::text_of;
use crate::log;
use model::{RecordSink, Shape, Value};
use std::sync::{Arc, LazyLock};

/// What the log is called.
pub const LOG: &str = "amcache";

const SLOTS: [&str; 10] =
    ["Path", "Name", "SHA1", "Publisher", "ProductName", "Version", "Size", "LinkDate", "Key", "LastWrite"];

/// Values that the first eight slots stand in, by the layout.
const FILE: [&str; 8] =
    ["LowerCaseLongPath", "Name", "FileId", "Publisher", "ProductName", "Version", "Size", "LinkDate"];
const DRIVER: [&str; 8] = [
    "DriverId",
    "DriverName",
    "DriverId",
    "DriverCompany",
    "Product",
    "DriverVersion",
    "ImageSize",
    "DriverTimeStamp",
];
/// Windows 8: names are numbers.
const OLD: [&str; 8] = ["15", "", "101", "1", "0", "5", "6", "f"];

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| log::shape(LOG, &SLOTS).into());

/// Whether the path of a key below the root is that of a program.
pub(super) fn is(below: &[&str]) -> bool {
    layout(below).is_some()
}

fn layout(below: &[&str]) -> Option<[&'static str; 8]> {
    match below {
        ["Root", "InventoryApplicationFile", _] => Some(FILE),
        ["Root", "InventoryDriverBinary", _] => Some(DRIVER),
        ["Root", "File", _, _] => Some(OLD),
        _ => None,
    }
}

/// Shows the program at `key`, whose path below the root is `below`.
pub(super) fn push(hive: Hive<'_>, key: &Key<'_>, below: &[&str], path: &str, sink: &mut dyn RecordSink) {
    let Some(names) = layout(below) else { return };
    let mut values = names.map(|name| if name.is_empty() { None } else { text_of(hive, key, name) });
    if names == DRIVER {
        // A driver's key is called as its file is.
        values[0] = Some(key.name.replace('/', "\\"));
    }
    if values[0].is_none() && values[2].is_none() {
        return;
    }
    let name = values[1].clone().or_else(|| {
        let path = values[0].as_deref()?;
        path.rsplit('\\').next().map(str::to_owned)
    });
    values[1] = name;
    // Four zeros stand before the hash.
    values[2] = values[2].take().map(|id| id.strip_prefix("0000").unwrap_or(&id).to_owned());
    let mut shown: Vec<Value<'_>> = values.iter().map(|value| log::text(value.as_deref())).collect();
    shown.push(Value::Utf8(path));
    shown.push(log::time(key.last_write));
    log::push(sink, &SHAPE, log::at(place(key.offset)), key.last_write, &shown);
}
