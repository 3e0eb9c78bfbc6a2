//! System logs of Linux and other Unix systems (`syslog`, `messages`,
//! `auth.log`, `secure`): the traditional frame (RFC 3164), the same with ISO
//! times as newer rsyslog writes it, and RFC 5424.
//!
//! Gives one record for each line; a line without a frame (the second line of
//! a message) is a record with a message only. What known programs say of
//! users and addresses has slots of its own (see [`crate::linux_message`]), and
//! so have the events of Sysmon for Linux (see [`crate::linux_sysmon`]).
//! The log is `auth` for facilities and programs of logging on, else `syslog`.
//!
//! # What the format does not say
//! The traditional frame has neither year nor zone. Such a record has no time
//! (its text is the slot `timestamp`), and one problem of each item says so.
//!
//! # Not here
//! Other programs' own logs, the journal, auditd's log.

use crate::Limits;
use crate::batch::Batch;
use crate::format::{Format, Reader};
use crate::linux_message::{self, AUTH_PROGRAMS};
use crate::linux_sysmon;
use crate::shapes::{MetShapes, Shapes};
use crate::text::{self, Cut};
use model::{LogFamily, Position, Problem, Record, RecordSink, Role, Shape, Slot, Timestamp, Value};

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "syslog", is, reader: Reader::Syslog };

/// Programs that are known to write to the system's log, beside those of
/// logging on.
const SYSTEM_PROGRAMS: [&str; 9] =
    ["kernel", "systemd", "CRON", "cron", "crond", "crontab", "rsyslogd", "syslogd", "dhclient"];

/// Whether `head` is the beginning of such a log.
fn is(head: &[u8], _: &Limits) -> bool {
    let (mut framed, mut tagged, mut all) = (0, false, 0);
    for line in text::first_lines(head) {
        all += 1;
        let line = text::text(line);
        if let Some(frame) = Frame::parse(&line) {
            framed += 1;
            let known = |name: &str| SYSTEM_PROGRAMS.contains(&name) || AUTH_PROGRAMS.contains(&name);
            // Other logs begin with an ISO time and words, too.
            tagged |= frame.priority.is_some()
                || frame.pid.is_some()
                || frame.program.is_some_and(|name| known(name) || frame.time.is_none());
        }
    }
    tagged && 2 * framed > all
}

/// A line in its parts.
#[derive(Default)]
struct Frame<'a> {
    priority: Option<u8>,
    timestamp: Option<&'a str>,
    time: Option<Timestamp>,
    host: Option<&'a str>,
    program: Option<&'a str>,
    pid: Option<&'a str>,
    message_id: Option<&'a str>,
    structured: Option<&'a str>,
    message: &'a str,
}

impl<'a> Frame<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (priority, rest) = priority(line);
        let frame = match rest.strip_prefix("1 ").filter(|_| priority.is_some()) {
            Some(rest) => Self::of_rfc_5424(rest)?,
            None => Self::traditional(rest)?,
        };
        Some(Self { priority, ..frame })
    }

    fn of_rfc_5424(text: &'a str) -> Option<Self> {
        let mut words = text.splitn(6, ' ');
        let mut word = || words.next().map(|word| if word == "-" { "" } else { word });
        let (timestamp, host, program, pid, message_id) = (word()?, word()?, word()?, word()?, word()?);
        let (structured, message) = structured(words.next().unwrap_or("-"))?;
        let time = if timestamp.is_empty() { None } else { Some(zoned(timestamp)?) };
        Some(Self {
            priority: None,
            timestamp: Some(timestamp),
            time,
            host: Some(host),
            program: Some(program),
            pid: Some(pid),
            message_id: Some(message_id),
            structured: Some(structured),
            message: message.strip_prefix('\u{feff}').unwrap_or(message),
        })
    }

    fn traditional(text: &'a str) -> Option<Self> {
        let (timestamp, time, rest) = if is_yearless(text.as_bytes()) {
            (text.get(..YEARLESS_BYTES)?, None, text.get(YEARLESS_BYTES + 1..)?)
        } else {
            let (timestamp, rest) = text.split_once(' ')?;
            (timestamp, Some(zoned(timestamp)?), rest)
        };
        let rest = rest.trim_start();
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        let host = (!word.ends_with(':') && !word.is_empty()).then_some(word);
        let rest = if host.is_some() { after } else { rest };
        let (program, pid, message) = tag(rest).unwrap_or((None, None, rest));
        Some(Self { timestamp: Some(timestamp), time, host, program, pid, message, ..Self::default() })
    }

    /// Whose log it is.
    fn log(&self) -> &'static str {
        // 4 is "auth", 10 "authpriv" (RFC 5424, 6.2.1).
        let by_facility = self.priority.is_some_and(|priority| matches!(priority / 8, 4 | 10));
        let by_program = self.program.is_some_and(|name| AUTH_PROGRAMS.contains(&name));
        if by_facility || by_program || self.message.starts_with("pam_unix(") { "auth" } else { "syslog" }
    }
}

/// `<34>` before a line: 8 times the facility, and the severity.
fn priority(line: &str) -> (Option<u8>, &str) {
    let number = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match number.and_then(|(number, rest)| Some((number.parse().ok()?, rest))) {
        Some((number, rest)) => (Some(number), rest),
        None => (None, line),
    }
}

const YEARLESS_BYTES: usize = "Mar  4 11:20:05".len();

/// Whether a line begins with a traditional time and a blank.
fn is_yearless(line: &[u8]) -> bool {
    let Some(stamp) = line.get(..=YEARLESS_BYTES) else { return false };
    let digits = |places: [usize; 7]| places.iter().all(|at| stamp[*at].is_ascii_digit());
    text::month(&stamp[..3]).is_some()
        && [3, 6, 15].iter().all(|at| stamp[*at] == b' ')
        && (stamp[4] == b' ' || stamp[4].is_ascii_digit())
        && digits([5, 7, 8, 10, 11, 13, 14])
        && [9, 12].iter().all(|at| stamp[*at] == b':')
}

/// An ISO time with its zone.
fn zoned(text: &str) -> Option<Timestamp> {
    let has_zone = text.get(19..).is_some_and(|end| end.ends_with('Z') || end.contains(['+', '-']));
    Timestamp::parse(text).filter(|_| has_zone && text.as_bytes()[10] == b'T')
}

type Tag<'a> = (Option<&'a str>, Option<&'a str>, &'a str);

/// `program[pid]: ` or `program: ` before a message.
fn tag(text: &str) -> Option<Tag<'_>> {
    let end = text.find([' ', ':', '[']).filter(|end| (1..=64).contains(end))?;
    let (name, rest) = text.split_at(end);
    if let Some(rest) = rest.strip_prefix(':') {
        return Some((Some(name), None, rest.strip_prefix(' ').unwrap_or(rest)));
    }
    let (pid, rest) = rest.strip_prefix('[')?.split_once(']')?;
    let rest = rest.strip_prefix(':')?;
    Some((Some(name), Some(pid), rest.strip_prefix(' ').unwrap_or(rest)))
}

/// Structured data (`-` or `[id name="value"]…`), and the message behind it.
fn structured(text: &str) -> Option<(&str, &str)> {
    if let Some(message) = text.strip_prefix('-') {
        return Some(("", message.strip_prefix(' ').unwrap_or(message)));
    }
    let (mut quoted, mut escaped, mut open) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b' ' if !open => return Some((&text[..at], &text[at + 1..])),
            b'"' if !escaped => quoted = !quoted,
            b'[' if !quoted => open = true,
            b']' if !quoted && !escaped => open = false,
            _ if !open => return None,
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
    }
    (!open && !text.is_empty()).then_some((text, ""))
}

/// Cuts at line ends, and knows whether a line without year was seen.
#[derive(Default)]
pub(crate) struct SyslogCut {
    seen_yearless: bool,
}

impl Cut for SyslogCut {
    type State = bool;

    fn state(&self) -> bool {
        self.seen_yearless
    }

    fn cut(&mut self, block: &[u8], ended: bool) -> usize {
        let cut = text::whole_lines(block, ended);
        let mut at = 0;
        while !self.seen_yearless
            && let Some(line) = text::line_at(&block[..cut], at)
        {
            self.seen_yearless = is_yearless(without_priority(line.bytes));
            at = line.next;
        }
        cut
    }
}

fn without_priority(line: &[u8]) -> &[u8] {
    match line.first() {
        Some(b'<') => line.split(|byte| *byte == b'>').nth(1).unwrap_or(line),
        _ => line,
    }
}

/// Reads a batch; its state is whether a line without year came before.
pub(crate) fn read(batch: &Batch<bool>, shapes: &Shapes, limits: &Limits, sink: &mut dyn RecordSink) {
    let mut shapes = MetShapes::new(shapes);
    let mut told = batch.state;
    text::each_line(batch, limits, sink, |bytes, position, sink| {
        let line = text::text(bytes);
        let frame = Frame::parse(&line).unwrap_or_else(|| Frame { message: &line, ..Frame::default() });
        if let Some(timestamp) = frame.timestamp.filter(|_| frame.time.is_none() && !told)
            && !timestamp.is_empty()
        {
            told = true;
            let found = format!("{timestamp}; such records have no time");
            sink.problem(
                Problem::new("no-year", position.offset, "a time with year and zone", found).losing(0),
            );
        }
        let event = linux_sysmon::read(frame.program.unwrap_or(""), frame.message, limits.json_keys_max);
        record(&frame, &event, &mut shapes, position, sink);
    });
}

fn record(
    frame: &Frame<'_>,
    event: &[linux_sysmon::Field<'_>],
    shapes: &mut MetShapes<'_>,
    position: Position,
    sink: &mut dyn RecordSink,
) {
    let word = |name: &'static str, word: Option<_>| Some((name, word?));
    let words = [
        word("timestamp", frame.timestamp),
        word("host", frame.host),
        word("program", frame.program),
        word("pid", frame.pid),
        word("message_id", frame.message_id),
        word("structured_data", frame.structured),
        word("message", Some(frame.message)),
    ];
    let mut gaps = Vec::new();
    let known = linux_message::read(frame.program.unwrap_or(""), frame.message, &mut gaps);
    let numbers = frame.priority.map(|priority| (priority / 8, priority % 8));
    let log = frame.log();

    let mut key = format!("syslog {log} {} {:?}", numbers.is_some(), known.map(|known| known.number()));
    words.iter().flatten().for_each(|(name, _)| key.extend([" ", name]));
    event.iter().for_each(|(name, _)| key += &format!(" {}:{name}", name.len()));
    let names = words.iter().flatten().map(|(name, _)| *name);
    let shape = shapes.get(key.as_bytes(), || {
        let numbers = numbers.into_iter().flat_map(|_| ["facility", "severity"]);
        let mut slots: Vec<Slot> = numbers.chain(names).map(Slot::new).collect();
        let host = slots.iter().position(|slot| *slot.name == *"host");
        slots.extend(known.into_iter().flat_map(|known| known.names()).map(linux_message::slot));
        slots.extend(event.iter().map(|(name, _)| Slot::new(name)));
        let shape = Shape::new(LogFamily::Linux, log, slots, false);
        match host {
            Some(host) => shape.with_role(Role::Host, host),
            None => shape,
        }
    });
    let number = |number: u8| Value::UInt(u64::from(number));
    let mut values: Vec<Value<'_>> = Vec::with_capacity(shape.slots.len());
    values.extend(numbers.into_iter().flat_map(|(facility, severity)| [number(facility), number(severity)]));
    values.extend(words.iter().flatten().map(|(_, word)| text::value(word)));
    values.extend(gaps.iter().map(|gap| text::value(gap)));
    values.extend(event.iter().map(|(_, value)| text::value(value)));
    let time = frame.time.or_else(|| linux_sysmon::time(event));
    sink.record(&Record { shape, values: &values, position, time });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_logs_only() {
        let is = |head: &str| is(head.as_bytes(), &Limits::default());
        assert!(is("Mar  4 11:20:05 web01 sshd[812]: Server listening on 0.0.0.0 port 22.\n"));
        assert!(is("2021-03-04T11:20:05.123456+01:00 web01 kernel: x\n"));
        assert!(is("<34>1 2021-03-04T11:20:05Z web01 su - ID47 - x\n"));
        assert!(!is("2021-03-04T11:20:05Z INFO started: x\n"));
        assert!(!is("2021-03-04T11:20:05Z web01 app: x\nplain\nplain\n"));
        assert!(!is("Mar  4 is a day\n"));
        assert!(!is("Mar  4 11:20:05 only words here\n"));
        assert!(!is(""));
    }

    #[test]
    fn structured_data_ends_outside_quotes() {
        assert_eq!(structured(r#"[a b="c] \" d"][e] text"#), Some((r#"[a b="c] \" d"][e]"#, "text")));
        assert_eq!(structured("- text"), Some(("", "text")));
        assert_eq!(structured("-"), Some(("", "")));
        assert_eq!(structured("[open"), None);
        assert_eq!(structured("text"), None);
    }
}
