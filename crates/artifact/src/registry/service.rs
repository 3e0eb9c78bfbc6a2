//! Services and drivers, from the keys below `Services` of a control set.

use super::hive::{Hive, Key, place};
use super::kind::{Kind, text_of};
use crate::log;
use model::{RecordSink, Role, Shape, Value};
use std::sync::{Arc, LazyLock};

/// What the log is called.
pub const LOG: &str = "service";

/// Values of the service's key, and the slots of their names.
const VALUES: [&str; 7] =
    ["DisplayName", "ImagePath", "Start", "Type", "ObjectName", "FailureCommand", "Description"];

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    let own = ["Computer", "Name", "Key", "LastWrite", "Deleted", "ServiceDll"];
    let names: Vec<&str> = own.into_iter().chain(VALUES).collect();
    log::shape(LOG, &names).with_role(Role::Host, 0).into()
});

/// Shows the service at `key`, when it has something to run.
pub(super) fn push(
    hive: Hive<'_>,
    key: &Key<'_>,
    at: (&Kind, &str),
    deleted: bool,
    sink: &mut dyn RecordSink,
) {
    let (kind, path) = at;
    let values = VALUES.map(|name| text_of(hive, key, name));
    let parameters = hive.find(key, &["Parameters"]);
    let dll = parameters.and_then(|below| text_of(hive, &below, "ServiceDll"));
    let dll = dll.or_else(|| text_of(hive, key, "ServiceDll"));
    if values[1].is_none() && dll.is_none() {
        return;
    }
    let own = [
        log::text(kind.computer.as_deref()),
        Value::Utf8(&key.name),
        Value::Utf8(path),
        log::time(key.last_write),
        Value::Bool(deleted),
        log::text(dll.as_deref()),
    ];
    let values: Vec<Value<'_>> =
        own.into_iter().chain(values.iter().map(|value| log::text(value.as_deref()))).collect();
    log::push(sink, &SHAPE, log::at(place(key.offset)), key.last_write, &values);
}
