//! Scheduled tasks as the registry knows them: a task whose security
//! descriptor (`SD`) was taken away runs, and no list of tasks shows it.

use super::hive::{Hive, Key, place};
use super::kind::text_of;
use crate::log;
use model::{RecordSink, Shape, Value};
use std::sync::{Arc, LazyLock};

/// What the log is called.
pub const LOG: &str = "task-cache";

/// Values of one key that are looked at; tasks have four.
const VALUES_MAX: usize = 1_024;

static SHAPE: LazyLock<Arc<Shape>> =
    LazyLock::new(|| log::shape(LOG, &["URI", "Id", "Index", "HasDescriptor", "Key", "LastWrite"]).into());

/// Whether the path of a key below the root of SOFTWARE is that of a task, or
/// of a folder of tasks.
pub(super) fn is(below: &[&str]) -> bool {
    matches!(below, ["Microsoft", "Windows NT", "CurrentVersion", "Schedule", "TaskCache", "Tree", _, ..])
}

/// Shows the task at `key`, when it is one.
pub(super) fn push(hive: Hive<'_>, key: &Key<'_>, below: &[&str], path: &str, sink: &mut dyn RecordSink) {
    // Folders have a descriptor, and no number.
    let Some(id) = text_of(hive, key, "Id") else { return };
    let index = text_of(hive, key, "Index");
    // What could not be read may have been the descriptor.
    let offsets = hive.value_offsets(key, VALUES_MAX, &mut |_, _| Ok(())).unwrap_or_default();
    let values: Result<Vec<_>, _> = offsets.into_iter().map(|offset| hive.value(offset)).collect();
    let has_descriptor = values.map(|values| values.iter().any(|value| value.name == "SD"));
    let uri = format!("\\{}", below[6..].join("\\"));
    let values = [
        Value::Utf8(&uri),
        Value::Utf8(&id),
        log::text(index.as_deref()),
        has_descriptor.map_or(Value::Absent, Value::Bool),
        Value::Utf8(path),
        log::time(key.last_write),
    ];
    log::push(sink, &SHAPE, log::at(place(key.offset)), key.last_write, &values);
}
