//! Shapes of artifacts, and records of them.

use model::{LogFamily, Position, Record, RecordSink, Shape, Slot, Timestamp, Value};
use std::sync::Arc;

/// A shape of the family of artifacts.
pub(crate) fn shape(log: &str, slots: &[&str]) -> Shape {
    let slots = slots.iter().map(|name| Slot::new(name)).collect();
    Shape::new(LogFamily::Artifacts, log, slots, true)
}

/// Shows one record.
pub(crate) fn push(
    sink: &mut dyn RecordSink,
    shape: &Arc<Shape>,
    position: Position,
    time: Option<Timestamp>,
    values: &[Value<'_>],
) {
    debug_assert_eq!(values.len(), shape.slots.len());
    sink.record(&Record { shape, values, position, time });
}

/// The place of a structure.
pub(crate) fn at(offset: usize) -> Position {
    Position { offset: offset as u64, ..Position::default() }
}

/// Text that may not be there.
pub(crate) fn text(text: Option<&str>) -> Value<'_> {
    match text {
        None => Value::Absent,
        Some("") => Value::Empty,
        Some(text) => Value::Utf8(text),
    }
}

/// A time that may not be there.
pub(crate) fn time<'a>(time: Option<Timestamp>) -> Value<'a> {
    time.map_or(Value::Absent, Value::Time)
}
