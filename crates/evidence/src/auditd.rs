//! The log of Linux's audit daemon (`audit.log`, and what `ausearch` prints
//! of it).
//!
//! The kernel tells one event in several lines of one serial number (`SYSCALL`,
//! `EXECVE`, `CWD`, `PATH` …). Each event is one record, so that a rule sees
//! the program beside its arguments; a field that several lines have (`type`, for
//! one) is there several times. Lines of two events may be interleaved; an event
//! whose lines lie further apart than [`OPEN_MAX`] other events is two records.
//!
//! Names are those of the log, enriched ones (`SYSCALL`, `UID`) too; values
//! that the kernel writes in hex because they could be forged are text again.
//! Ours, made of what stands there: `CommandLine` (the arguments of `EXECVE`,
//! else the process title), `TargetFilename` (the `name` of a created file,
//! with the working directory before it where it is relative), `SYSCALL` (the
//! names of some calls, where the log is not enriched), and, of `saddr`,
//! `DestinationIp` and `DestinationPort` where the call is `connect`.
//!
//! # Not here
//! What numbers of users mean where the daemon did not say: that depends on
//! the host.

mod field;

use crate::Limits;
use crate::batch::Batch;
use crate::format::{Format, Reader};
use crate::shapes::{MetShapes, Shapes};
use crate::text::{self, Cut};
use field::Fields;
use model::{LogFamily, Position, Problem, Record, RecordSink, Role, Shape, Slot, Timestamp, Value};
use std::collections::VecDeque;

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "auditd", is, reader: Reader::Auditd };

/// Events whose lines may still come, while others begin.
const OPEN_MAX: usize = 32;

/// Whether `head` is the beginning of such a log.
fn is(head: &[u8], _: &Limits) -> bool {
    let (good, all) =
        text::first_lines(head).filter(|line| !is_between(line)).fold((0, 0), |(good, all), line| {
            (good + usize::from(Stamp::parse(&text::text(line)).is_some()), all + 1)
        });
    2 * good > all
}

/// What `ausearch` prints between events.
fn is_between(line: &[u8]) -> bool {
    line == b"----" || line.starts_with(b"time->")
}

/// What stands before the fields of a line.
#[derive(Clone, Copy)]
struct Stamp<'a> {
    node: Option<&'a str>,
    kind: &'a str,
    /// Seconds, milliseconds and serial number: what lines of one event share.
    event: &'a str,
    fields: &'a str,
}

impl<'a> Stamp<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let named = line.strip_prefix("node=").and_then(|rest| rest.split_once(' '));
        let (node, line) = named.map_or((None, line), |(node, rest)| (Some(node), rest));
        let (kind, rest) = line.strip_prefix("type=")?.split_once(' ')?;
        let (event, fields) = rest.strip_prefix("msg=audit(")?.split_once(')')?;
        let fields = fields.strip_prefix(':')?;
        let (time, serial) = event.split_once(':')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (seconds, part) = time.split_once('.')?;
        (digits(serial) && digits(seconds) && digits(part)).then_some(Self { node, kind, event, fields })
    }

    fn time(&self) -> Option<Timestamp> {
        let (seconds, part) = self.event.split_once(':')?.0.split_once('.')?;
        let nanos: i64 = format!("{part:0<9}").get(..9)?.parse().ok()?;
        let whole = Timestamp::from_seconds(seconds.parse().ok()?)?;
        whole.nanos().checked_add(nanos).map(Timestamp::from_nanos)
    }
}

/// Cuts where an event ends: before the last line whose event is another one
/// than that of the line before it.
pub(crate) struct AuditCut;

impl Cut for AuditCut {
    type State = ();

    fn state(&self) {}

    fn cut(&mut self, block: &[u8], ended: bool) -> usize {
        let whole = text::whole_lines(block, ended);
        if ended {
            return whole;
        }
        let mut end = whole;
        let mut later: Option<&[u8]> = None;
        let mut lines = 0;
        while end > 0 {
            let start = memchr::memrchr(b'\n', &block[..end - 1]).map_or(0, |at| at + 1);
            let event = event_of(&block[start..end]);
            if later.is_some_and(|later| event != Some(later)) {
                return end;
            }
            (later, end, lines) = (event.or(Some(b"")), start, lines + 1);
            // No event has as many lines: somebody wrote one number over and over.
            if lines > LINES_MAX {
                break;
            }
        }
        whole
    }
}

/// Lines of one event: calls have some ten, and a long argument some more.
const LINES_MAX: usize = 1_000;

/// The event's name in a line, with `audit(` before it.
fn event_of(line: &[u8]) -> Option<&[u8]> {
    let start = memchr::memmem::find(line, b"msg=audit(")?;
    let end = memchr::memchr(b')', &line[start..])?;
    Some(&line[start..start + end])
}

/// The lines of an event that were seen so far.
struct Event {
    /// Node and event, as they stand there.
    key: String,
    host: Option<String>,
    time: Option<Timestamp>,
    position: Position,
    kinds: Vec<String>,
    fields: Fields,
}

/// Reads a batch.
pub(crate) fn read(batch: &Batch<()>, shapes: &Shapes, limits: &Limits, sink: &mut dyn RecordSink) {
    let mut shapes = MetShapes::new(shapes);
    let mut open: VecDeque<Event> = VecDeque::new();
    text::each_line(batch, limits, sink, |bytes, position, sink| {
        let line = text::text(bytes);
        let Some(stamp) = Stamp::parse(&line) else {
            if !is_between(bytes) {
                let wanted = "type=… msg=audit(seconds.milliseconds:serial): …";
                sink.problem(
                    Problem::new("bad-record", position.offset, wanted, text::quote(bytes)).losing(1),
                );
            }
            return;
        };
        let key = format!("{} {}", stamp.node.unwrap_or(""), stamp.event);
        let known = open.iter().rposition(|event| event.key == key);
        let index = known.unwrap_or_else(|| {
            if open.len() >= OPEN_MAX
                && let Some(event) = open.pop_front()
            {
                record(&event, &mut shapes, sink);
            }
            let host = stamp.node.map(str::to_owned);
            let (time, fields) = (stamp.time(), Fields::default());
            open.push_back(Event { key, host, time, position, kinds: Vec::new(), fields });
            open.len() - 1
        });
        let event = &mut open[index];
        let is_whole = event.kinds.len() < LINES_MAX && {
            event.kinds.push(stamp.kind.to_owned());
            event.fields.read(stamp.kind, stamp.fields, limits.json_keys_max)
        };
        if !is_whole {
            let wanted = format!("an event of at most {LINES_MAX} lines and {} fields", limits.json_keys_max);
            sink.problem(Problem::new("limit", position.offset, wanted, "more").losing(0));
        }
    });
    open.iter().for_each(|event| record(event, &mut shapes, sink));
}

fn record(event: &Event, shapes: &mut MetShapes<'_>, sink: &mut dyn RecordSink) {
    let made = event.fields.made();
    let all = || event.fields.iter().chain(made.iter().map(|(name, text)| (*name, Some(text.as_str()))));
    let kinds = event.kinds.len();
    let mut key = format!("auditd {kinds} {}", event.host.is_some());
    all().for_each(|(name, _)| key.extend([" ", name]));
    let shape = shapes.get(key.as_bytes(), || {
        let first = std::iter::repeat_n("type", kinds).chain(event.host.iter().map(|_| "node"));
        let slots = first.chain(all().map(|(name, _)| name)).map(Slot::new).collect();
        let shape = Shape::new(LogFamily::Linux, "auditd", slots, false);
        if event.host.is_some() { shape.with_role(Role::Host, kinds) } else { shape }
    });
    let mut values: Vec<Value<'_>> = event.kinds.iter().map(|kind| Value::Utf8(kind)).collect();
    values.extend(event.host.iter().map(|host| Value::Utf8(host)));
    values.extend(all().map(|(_, text)| text::value(text.unwrap_or(""))));
    sink.record(&Record { shape, values: &values, position: event.position, time: event.time });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expect: usize) {
        let block: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let cut = AuditCut.cut(block.as_bytes(), false);
        assert_eq!(block[..cut].lines().count(), expect);
    }

    #[test]
    fn events_are_never_cut() {
        let (a, b) = ("type=SYSCALL msg=audit(1.2:3): a=1", "type=PATH msg=audit(1.2:4): b=1");
        check(&[a, a, b], 2);
        check(&[a, a, b, b], 2);
        check(&[a, "other"], 1);
        // The beginning of the event is the beginning of the block.
        check(&[a, a], 2);
        assert_eq!(AuditCut.cut(b"type=SYSCALL msg=audit(1.2:3): a", false), 0);
    }
}
