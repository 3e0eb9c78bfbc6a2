//! The journal of systemd, as `journalctl -o json` and `-o export` write it.
//!
//! Fields keep their names (`_EXE`, `SYSLOG_IDENTIFIER`), and answer to those
//! of syslog and of process starts, too (`host`, `program`, `pid`, `message`;
//! `CommandLine`, `Image`). What known programs say of users and addresses has
//! slots of its own (see [`crate::linux_message`]), and so have the events of
//! Sysmon for Linux (see [`crate::linux_sysmon`]). The time is the journal's
//! own (`__REALTIME_TIMESTAMP`), which no sender can choose.
//!
//! # Not here
//! The journal's binary files; JSON over several lines.

pub(crate) mod export;

use crate::Limits;
use crate::batch::Batch;
use crate::format::{Format, Reader};
use crate::json::{self, KEY_END, Leaf, Object, PATH_END};
use crate::linux_message;
use crate::linux_sysmon;
use crate::shapes::{MetShapes, Shapes};
use crate::text;
use memchr::memmem;
use model::{LogFamily, Position, Problem, Record, RecordSink, Role, Shape, Slot, Timestamp, Value};
use std::borrow::Cow;

/// The format of `journalctl -o json`.
pub(crate) const FORMAT: Format = Format { slug: "journal-json", is, reader: Reader::Lines(read) };

/// The field of the journal's own time, in microseconds since 1970.
const TIME: &str = "__REALTIME_TIMESTAMP";

/// Fields of an event of Sysmon; the longest has some thirty.
const EVENT_FIELDS_MAX: usize = 256;

/// Whether `head` is the beginning of such a log.
fn is(head: &[u8], _: &Limits) -> bool {
    let named = |line: &[u8]| {
        let has = |name: &[u8]| memmem::find(line, name).is_some();
        has(b"\"__REALTIME_TIMESTAMP\"")
            && (has(b"\"__CURSOR\"") || has(b"\"MESSAGE\"") || has(b"\"_BOOT_ID\""))
    };
    text::first_lines(head).next().is_some_and(|line| begin(line).starts_with(b"{") && named(line))
}

/// Without the mark that begins a line of JSON sequences (RFC 7464).
fn begin(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\x1e").unwrap_or(line).trim_ascii_start()
}

/// Reads a batch of JSON lines.
fn read(batch: &Batch<()>, shapes: &Shapes, limits: &Limits, sink: &mut dyn RecordSink) {
    let mut shapes = MetShapes::new(shapes);
    let mut object = Object::default();
    text::each_line(batch, limits, sink, |bytes, position, sink| {
        let line = text::text(begin(bytes));
        match json::read(&line, 0, limits, &mut object) {
            Ok(_) => record(&fields(&object, &line), &mut shapes, position, sink),
            Err(fault) => {
                let found = text::quote(&line.as_bytes()[fault.at.min(line.len())..]);
                sink.problem(Problem::new(fault.kind, position.offset, fault.wanted, found).losing(1));
            }
        }
    });
}

/// A field; one that the journal left out for its length has no text.
type Field<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

fn fields<'a>(object: &'a Object, line: &'a str) -> Vec<Field<'a>> {
    let mut fields = Vec::with_capacity(object.leaves.len());
    let paths = object.paths.split(|byte| *byte == PATH_END);
    for (path, leaf) in paths.zip(&object.leaves) {
        let name = String::from_utf8_lossy(path).replace(char::from(KEY_END), ".");
        match leaf {
            Leaf::List(range) => {
                let members = &object.members[range.clone()];
                match bytes(members) {
                    Some(bytes) => fields.push((name.into(), Some(of_bytes(bytes)))),
                    // A field that was sent several times.
                    None => fields.extend(
                        members.iter().map(|leaf| (name.clone().into(), of_leaf(object, leaf, line))),
                    ),
                }
            }
            leaf => fields.push((name.into(), of_leaf(object, leaf, line))),
        }
    }
    fields
}

fn of_leaf<'a>(object: &'a Object, leaf: &Leaf, line: &'a str) -> Option<Cow<'a, str>> {
    match object.value(leaf, line, &[]) {
        Value::Utf8(text) => Some(text.into()),
        Value::Absent | Value::Empty => None,
        other => Some(other.to_text().into()),
    }
}

/// What is no UTF-8 is written as an array of its bytes.
fn bytes(members: &[Leaf]) -> Option<Vec<u8>> {
    let byte = |leaf: &Leaf| match leaf {
        Leaf::UInt(number) => u8::try_from(*number).ok(),
        _ => None,
    };
    members.iter().map(byte).collect()
}

fn of_bytes<'a>(bytes: Vec<u8>) -> Cow<'a, str> {
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Makes a record of an entry's fields.
fn record(fields: &[Field<'_>], shapes: &mut MetShapes<'_>, position: Position, sink: &mut dyn RecordSink) {
    let of = |wanted: &str| {
        let found = fields.iter().find(|(name, _)| *name == wanted);
        found.and_then(|(_, text)| text.as_deref())
    };
    let program = of("SYSLOG_IDENTIFIER").or_else(|| of("_COMM")).unwrap_or("");
    let message = of("MESSAGE").unwrap_or("");
    let mut gaps = Vec::new();
    let known = linux_message::read(program, message, &mut gaps);
    let event = linux_sysmon::read(program, message, EVENT_FIELDS_MAX);
    let mut key = format!("journal {:?}", known.map(|known| known.number()));
    // No name has this mark in it: see the parser of JSON.
    let mark = char::from(PATH_END).to_string();
    fields.iter().for_each(|(name, _)| key.extend([&mark, &**name]));
    event.iter().for_each(|(name, _)| key += &format!("{mark}{mark}{}:{name}", name.len()));
    let shape = shapes.get(key.as_bytes(), || {
        let has = |wanted: &str| fields.iter().any(|(name, _)| name == wanted);
        let slot = |name: &str| {
            let aliases = aliases(name, has).iter().map(|alias| (*alias).into()).collect();
            Slot { name: name.into(), aliases, literal: None }
        };
        let own = fields.iter().map(|(name, _)| slot(name));
        let gaps = known.into_iter().flat_map(|known| known.names()).map(linux_message::slot);
        let event = event.iter().map(|(name, _)| Slot::new(name));
        let shape = Shape::new(LogFamily::Linux, "journal", own.chain(gaps).chain(event).collect(), false);
        match shape.slot("_HOSTNAME") {
            Some(host) => shape.with_role(Role::Host, host),
            None => shape,
        }
    });
    let own = fields.iter().map(|(_, text)| text.as_deref().unwrap_or(""));
    let values: Vec<Value<'_>> = own
        .chain(gaps.iter().copied())
        .chain(event.iter().map(|(_, text)| &**text))
        .map(text::value)
        .collect();
    let time =
        of(TIME).and_then(|text| text.parse::<i64>().ok()?.checked_mul(1_000)).map(Timestamp::from_nanos);
    sink.record(&Record { shape, values: &values, position, time });
}

/// Other names of a journal's field, given which others there are.
fn aliases(name: &str, has: impl Fn(&str) -> bool) -> &'static [&'static str] {
    match name {
        "MESSAGE" => &["message"],
        "_HOSTNAME" => &["host"],
        "SYSLOG_IDENTIFIER" => &["program"],
        "_COMM" if !has("SYSLOG_IDENTIFIER") => &["program"],
        "_PID" => &["pid", "ProcessId"],
        "SYSLOG_PID" if !has("_PID") => &["pid"],
        "_UID" => &["uid"],
        "_EXE" => &["Image", "exe"],
        "_CMDLINE" => &["CommandLine"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_only() {
        let is = |head: &str| is(head.as_bytes(), &Limits::default());
        assert!(is("{\"__CURSOR\":\"x\",\"__REALTIME_TIMESTAMP\":\"1\"}\n"));
        assert!(is("\u{1e}{\"MESSAGE\":\"x\",\"__REALTIME_TIMESTAMP\":\"1\"}\n"));
        assert!(!is("{\"MESSAGE\":\"x\"}\n"));
        assert!(!is("[\"__CURSOR\", \"__REALTIME_TIMESTAMP\"]\n"));
    }
}
