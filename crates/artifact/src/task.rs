//! Scheduled tasks as the task scheduler keeps them: one XML file each.
//!
//! One record for each action of a task, or one without action; log `task`.
//!
//! # What the format does not say
//! `Date` has mostly no zone; then it is local time of a place that the file
//! does not name, and the record has no time.

use crate::log::{self, text};
use crate::xml::{self, Document, Part};
use model::{Position, Problem, RecordSink, Shape, Timestamp, Value};
use std::sync::{Arc, LazyLock};

/// What the log is called.
pub const LOG: &str = "task";

/// Actions of one task; Windows allows 32.
const ACTIONS_MAX: usize = 64;
/// Triggers of one task; Windows allows 48.
const TRIGGERS_MAX: usize = 64;
/// Bytes kept of one text.
const TEXT_BYTES_MAX: usize = 64 << 10;

const NAMESPACE: &str = "schemas.microsoft.com/windows/2004/02/mit/task";

/// Fields of the task as a whole, and where they stand below `Task`.
const TASK_FIELDS: [(&str, &[&str]); 12] = [
    ("URI", &["RegistrationInfo", "URI"]),
    ("Author", &["RegistrationInfo", "Author"]),
    ("Description", &["RegistrationInfo", "Description"]),
    ("Source", &["RegistrationInfo", "Source"]),
    ("Date", &["RegistrationInfo", "Date"]),
    ("UserId", &["Principals", "Principal", "UserId"]),
    ("GroupId", &["Principals", "Principal", "GroupId"]),
    ("LogonType", &["Principals", "Principal", "LogonType"]),
    ("RunLevel", &["Principals", "Principal", "RunLevel"]),
    ("Enabled", &["Settings", "Enabled"]),
    ("Hidden", &["Settings", "Hidden"]),
    ("Priority", &["Settings", "Priority"]),
];
const DATE: usize = 4;

/// Fields of an action: elements of that name below it.
const ACTION_FIELDS: [&str; 5] = ["Command", "Arguments", "WorkingDirectory", "ClassId", "Data"];

static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    let of_task = TASK_FIELDS.iter().map(|(name, _)| *name);
    let names: Vec<&str> = of_task.chain(["Triggers", "Action"]).chain(ACTION_FIELDS).collect();
    log::shape(LOG, &names).into()
});

/// Whether an item that begins with `head` is a task.
pub fn is(head: &[u8]) -> bool {
    let head = Document::beginning(head);
    head.as_ref()
        .and_then(Document::root)
        .is_some_and(|tag| xml::is_element(tag, "Task") && tag.contains(NAMESPACE))
}

/// Reads a task.
pub fn read(bytes: &[u8], sink: &mut dyn RecordSink) {
    let mut task = Task::default();
    xml::walk(&Document::new(bytes), sink, &mut |sink, names, place, part| {
        task.take(sink, names, place, part);
    });
    task.push(sink);
}

#[derive(Default)]
struct Task {
    fields: [Option<String>; TASK_FIELDS.len()],
    /// Kind, and what it says of itself as `name=text`.
    triggers: Vec<String>,
    actions: Vec<Action>,
    /// Whether a limit was told.
    told: bool,
}

struct Action {
    kind: String,
    place: Position,
    fields: [Option<String>; ACTION_FIELDS.len()],
}

impl Task {
    fn take(&mut self, sink: &mut dyn RecordSink, names: &[String], place: Position, part: Part<'_>) {
        let [_, below @ ..] = names else { return };
        let below: Vec<&str> = below.iter().map(String::as_str).collect();
        match (part, below.as_slice()) {
            (Part::Start(_), ["Triggers", kind])
                if self.has_room(sink, place, self.triggers.len(), TRIGGERS_MAX) =>
            {
                self.triggers.push((*kind).to_owned());
            }
            (Part::Start(_), ["Triggers", _, .., name]) => {
                if let Some(trigger) = self.triggers.last_mut() {
                    append(trigger, &format!(" {name}="));
                }
            }
            (Part::Start(_), ["Actions", kind])
                if self.has_room(sink, place, self.actions.len(), ACTIONS_MAX) =>
            {
                self.actions.push(Action { kind: (*kind).to_owned(), place, fields: Default::default() });
            }
            (Part::Start(_), _) => {
                if let Some(field) = self.field(&below) {
                    field.get_or_insert_default();
                }
            }
            (Part::Text(text), ["Triggers", _, ..]) => {
                if let Some(trigger) = self.triggers.last_mut() {
                    append(trigger, text.trim());
                }
            }
            (Part::Text(text), _) => {
                if let Some(field) = self.field(&below) {
                    append(field.get_or_insert_default(), text);
                }
            }
            (Part::End, _) => {}
        }
    }

    fn field(&mut self, below: &[&str]) -> Option<&mut Option<String>> {
        if let ["Actions", _, name] = below {
            let index = ACTION_FIELDS.iter().position(|field| field == name)?;
            return self.actions.last_mut().map(|action| &mut action.fields[index]);
        }
        let index = TASK_FIELDS.iter().position(|(_, path)| *path == below)?;
        Some(&mut self.fields[index])
    }

    fn has_room(&mut self, sink: &mut dyn RecordSink, place: Position, count: usize, max: usize) -> bool {
        if count >= max && !std::mem::replace(&mut self.told, true) {
            let wanted = format!("at most {max} triggers or actions");
            sink.problem(Problem::new("limit", place.offset, wanted, "more"));
        }
        count < max
    }

    fn push(&self, sink: &mut dyn RecordSink) {
        let of_task = self.fields.iter().map(|field| text(field.as_deref().map(str::trim)));
        let triggers: Vec<Value<'_>> = self.triggers.iter().map(|trigger| Value::Utf8(trigger)).collect();
        let triggers = if triggers.is_empty() { Value::Absent } else { Value::List(&triggers) };
        let mut values: Vec<Value<'_>> = of_task.chain([triggers]).collect();
        let time = self.fields[DATE].as_deref().and_then(zoned_time);
        let of_task = values.len();
        for action in &self.actions {
            values.truncate(of_task);
            values.push(Value::Utf8(&action.kind));
            values.extend(action.fields.iter().map(|field| text(field.as_deref().map(str::trim))));
            log::push(sink, &SHAPE, action.place, time, &values);
        }
        if self.actions.is_empty() {
            values.resize(SHAPE.slots.len(), Value::Absent);
            log::push(sink, &SHAPE, Position { line: Some(1), ..Position::default() }, time, &values);
        }
    }
}

/// Appends within the bound.
fn append(to: &mut String, text: &str) {
    let room = TEXT_BYTES_MAX.saturating_sub(to.len());
    to.push_str(&text[..text.floor_char_boundary(room)]);
}

/// A time that says its zone.
fn zoned_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (_, time) = text.split_once('T')?;
    time.contains(['Z', '+', '-']).then(|| Timestamp::parse(text)).flatten()
}
