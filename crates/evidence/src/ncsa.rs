//! Web server access logs in NCSA's common and combined formats, as Apache,
//! nginx and many others write them, with the virtual host before them, too.
//!
//! Columns go by the names of the W3C format, so that one rule serves both.
//! What servers escape (`\x22`, `\"`) is undone; bytes that are no text stay
//! `\xff`. A request line that is none (TLS on a plain port, `-`) stands whole
//! in `cs-uri-stem`.
//!
//! # Blanks in user agents
//! IIS writes `+` for a blank, and many public rules do so, too. A record here
//! has the user agent as it was sent, and once more with `+` for each blank
//! ([`PLUS_AGENT`], which answers to the same name): a rule in either spelling
//! matches.
//!
//! # Not here
//! Error logs; other layouts that an administrator may have chosen.

use crate::Limits;
use crate::batch::Batch;
use crate::format::{Format, Reader};
use crate::shapes::{MetShapes, Shapes};
use crate::text;
use memchr::memmem;
use model::{LogFamily, Position, Problem, Record, RecordSink, Shape, Slot, Timestamp, Value};
use std::borrow::Cow;
use std::net::IpAddr;

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "ncsa", is, reader: Reader::Lines(read) };

const AGENT: &str = "cs(User-Agent)";
/// The slot of the user agent as IIS would write it.
const PLUS_AGENT: &str = "cs(User-Agent) with +";

/// Whether `head` is the beginning of such a log.
fn is(head: &[u8], _: &Limits) -> bool {
    let (good, all) = text::first_lines(head).fold((0, 0), |(good, all), line| {
        (good + usize::from(Entry::parse(&text::text(line)).is_some()), all + 1)
    });
    2 * good > all
}

/// One line, as it is written.
struct Entry<'a> {
    /// Virtual host, and its port.
    host: Option<(&'a str, Option<&'a str>)>,
    client: &'a str,
    ident: &'a str,
    user: &'a str,
    time: Option<Timestamp>,
    request: &'a str,
    status: &'a str,
    size: &'a str,
    /// Referrer and user agent.
    combined: Option<(&'a str, &'a str)>,
    /// What a server adds behind.
    rest: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut opens = memmem::find_iter(line.as_bytes(), b" [");
        let (open, time) = opens.find_map(|at| Some((at, date(line.as_bytes().get(at + 2..)?)?)))?;
        let (host, client, ident, user) = before_date(&line[..open])?;
        let rest = line.get(open + 2 + DATE.len()..)?.strip_prefix("] \"")?;
        let end = unescaped_quotes(rest).find(|end| starts_with_status(&rest[end + 1..]))?;
        let (request, rest) = (&rest[..end], &rest[end + 2..]);
        let (status, rest) = rest.split_once(' ')?;
        let (size, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let combined = quoted(rest).and_then(|(referer, rest)| {
            let (agent, rest) = quoted(rest)?;
            Some(((referer, agent), rest))
        });
        let (combined, rest) = combined.map_or((None, rest), |(combined, rest)| (Some(combined), rest));
        Some(Self { host, client, ident, user, time, request, status, size, combined, rest })
    }
}

/// What a date looks like between its brackets.
const DATE: &str = "04/Mar/2021:11:20:05 +0100";

/// The date at the beginning of `text`; `Some(None)` when it has its form and
/// is none (31 February).
fn date(text: &[u8]) -> Option<Option<Timestamp>> {
    let text = text.get(..DATE.len())?;
    let number = |from: usize, len: usize| -> Option<u32> {
        std::str::from_utf8(&text[from..from + len]).ok()?.parse().ok()
    };
    let mark = |at: usize, wanted: u8| text[at] == wanted;
    if !(mark(2, b'/') && mark(6, b'/') && [11, 14, 17].iter().all(|at| mark(*at, b':')) && mark(20, b' ')) {
        return None;
    }
    let (day, month, year) = (number(0, 2)?, text::month(&text[3..6])?, number(7, 4)?);
    let (hour, minute, second) = (number(12, 2)?, number(15, 2)?, number(18, 2)?);
    let minutes = i64::from(number(22, 2)? * 60 + number(24, 2)?);
    let east = match text[21] {
        b'+' => minutes,
        b'-' => -minutes,
        _ => return None,
    };
    let local = i32::try_from(year)
        .ok()
        .and_then(|year| Timestamp::from_civil(year, month, day, hour, minute, second, 0));
    Some(local.and_then(|local| local.nanos().checked_sub(east * 60_000_000_000)).map(Timestamp::from_nanos))
}

type BeforeDate<'a> = (Option<(&'a str, Option<&'a str>)>, &'a str, &'a str, &'a str);

/// Virtual host, client, identity and user; a user name may hold blanks.
fn before_date(text: &str) -> Option<BeforeDate<'_>> {
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    let (first, after) = text.split_once(' ')?;
    let second = after.split(' ').next().unwrap_or("");
    let port = first.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    let four = after.split(' ').count() >= 3;
    let has_host = four && !is_address(first) && (port.is_some() || is_address(second));
    let host = has_host.then(|| port.map_or((first, None), |(name, port)| (name, Some(port))));
    let (client, after) = if has_host { after.split_once(' ')? } else { (first, after) };
    let (ident, user) = after.split_once(' ')?;
    Some((host, client, ident, user))
}

/// Where the quotes stand that have no backslash before them.
fn unescaped_quotes(text: &str) -> impl Iterator<Item = usize> {
    let mut escaped = false;
    text.bytes().enumerate().filter_map(move |(at, byte)| {
        let found = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found.then_some(at)
    })
}

/// ` 200 ` or ` - `, up to the end of the line.
fn starts_with_status(text: &str) -> bool {
    let mut words = text.strip_prefix(' ').unwrap_or("").split(' ');
    let is_status = |word: &str| word == "-" || word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
    words.next().is_some_and(is_status) && words.next().is_some()
}

/// The quoted value at the beginning, and what follows the blank behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let end =
        unescaped_quotes(inner).find(|end| matches!(inner.as_bytes().get(end + 1), None | Some(b' ')))?;
    Some((&inner[..end], inner.get(end + 2..).unwrap_or("")))
}

/// Reads a batch.
fn read(batch: &Batch<()>, shapes: &Shapes, limits: &Limits, sink: &mut dyn RecordSink) {
    let mut shapes = MetShapes::new(shapes);
    text::each_line(batch, limits, sink, |bytes, position, sink| {
        let line = text::text(bytes);
        match Entry::parse(&line) {
            Some(entry) => record(&entry, &mut shapes, position, sink),
            None => {
                let wanted = "host identity user [date] \"request\" status size";
                let problem = Problem::new("bad-record", position.offset, wanted, text::quote(bytes));
                sink.problem(problem.losing(1));
            }
        }
    });
}

fn record(entry: &Entry<'_>, shapes: &mut MetShapes<'_>, position: Position, sink: &mut dyn RecordSink) {
    let request = Request::of(entry.request);
    let agent = entry.combined.map(|(_, agent)| unescape(agent));
    let plus = agent.as_deref().filter(|agent| agent.contains(' ')).map(|agent| agent.replace(' ', "+"));
    let referer = entry.combined.map(|(referer, _)| unescape(referer));
    let (user, rest) = (unescape_name(entry.user), unescape(entry.rest));
    let mut cells: Vec<(&'static str, Value<'_>)> = Vec::with_capacity(15);
    if let Some((name, port)) = entry.host {
        cells.push(("cs-host", value(name)));
        cells.extend(port.map(|port| ("s-port", value(port))));
    }
    cells.push(("c-ip", value(entry.client)));
    if entry.ident != "-" {
        cells.push(("identity", value(entry.ident)));
    }
    cells.extend([
        ("cs-username", value(&user)),
        ("cs-method", value(request.method)),
        ("cs-uri-stem", value(&request.stem)),
        ("cs-uri-query", value(&request.query)),
        ("cs-version", value(request.version)),
        ("sc-status", value(entry.status)),
        ("sc-bytes", value(entry.size)),
    ]);
    if let (Some(referer), Some(agent)) = (&referer, &agent) {
        cells.push(("cs(Referer)", value(referer)));
        cells.push((AGENT, value(agent)));
        cells.push((PLUS_AGENT, plus.as_deref().map_or(Value::Absent, value)));
    }
    if !rest.is_empty() {
        cells.push(("rest", value(&rest)));
    }
    let names = cells.iter().map(|(name, _)| *name);
    let key = names.clone().fold(String::from("ncsa"), |key, name| key + " " + name);
    let shape = shapes.get(key.as_bytes(), || shape(names));
    let values: Vec<Value<'_>> = cells.iter().map(|(_, value)| *value).collect();
    sink.record(&Record { shape, values: &values, position, time: entry.time });
}

fn shape(names: impl Iterator<Item = &'static str>) -> Shape {
    let slot = |name: &str| {
        let mut slot = Slot { name: name.into(), aliases: Vec::new(), literal: None };
        if name == PLUS_AGENT {
            slot.aliases.push(AGENT.into());
        }
        slot
    };
    Shape::new(LogFamily::WebServer, "ncsa", names.map(slot).collect(), true)
}

fn value(cell: &str) -> Value<'_> {
    if cell == "-" || cell.is_empty() { Value::Empty } else { Value::Utf8(cell) }
}

/// A request line in its parts.
struct Request<'a> {
    method: &'a str,
    stem: Cow<'a, str>,
    query: Cow<'a, str>,
    version: &'a str,
}

impl<'a> Request<'a> {
    fn of(line: &'a str) -> Self {
        let is_method = |word: &str| {
            (1..=32).contains(&word.len())
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let Some((method, target)) = line.split_once(' ').filter(|(method, _)| is_method(method)) else {
            return Self { method: "", stem: unescape(line), query: "".into(), version: "" };
        };
        let versioned = target.rsplit_once(' ').filter(|(_, version)| version.starts_with("HTTP/"));
        let (target, version) = versioned.unwrap_or((target, ""));
        let (stem, query) = target.split_once('?').unwrap_or((target, ""));
        Self { method, stem: unescape(stem), query: unescape(query), version }
    }
}

/// Undoes what servers escape. Bytes that are no text stay as they were.
fn unescape(text: &str) -> Cow<'_, str> {
    undo(text, |byte| match byte {
        b'"' | b'\\' => Some(byte),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'v' => Some(0x0b),
        b'b' => Some(0x08),
        b'f' => Some(0x0c),
        _ => None,
    })
}

/// The same for user names, in which some servers leave the backslash between
/// domain and name as it is.
fn unescape_name(text: &str) -> Cow<'_, str> {
    undo(text, |byte| matches!(byte, b'"' | b'\\').then_some(byte))
}

fn undo(text: &str, plain: impl Fn(u8) -> Option<u8>) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if memchr::memchr(b'\\', bytes).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied().filter(|_| *byte == b'\\');
        let hex = bytes.get(at + 2..at + 4).filter(|_| next == Some(b'x')).and_then(hex_byte);
        if let Some(value) = hex {
            out.push(value);
            at += 4;
        } else if let Some(value) = next.and_then(&plain) {
            out.push(value);
            at += 2;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    match String::from_utf8(out) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(shown(error.as_bytes())),
    }
}

/// Text, with `\xff` for bytes that are none.
fn shown(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// The byte that two hex digits write.
fn hex_byte(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_their_zone() {
        let check = |text: &str, expect: &str| {
            let time =
                date(text.as_bytes()).map(|time| time.map_or("no time".into(), |time| time.to_string()));
            assert_eq!(time.unwrap_or("no date".into()), expect, "{text}");
        };
        check("04/Mar/2021:11:20:05 +0100", "2021-03-04T10:20:05Z");
        check("04/Mar/2021:11:20:05 -0130", "2021-03-04T12:50:05Z");
        check("31/Feb/2021:11:20:05 +0000", "no time");
        check("04/Mrz/2021:11:20:05 +0000", "no date");
        check("04/Mar/2021:11:20:05 UTC  ", "no date");
        check("04/Mar/2021", "no date");
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape(r#"a\x22b\"c\\d\te"#), "a\"b\"c\\d\te");
        assert_eq!(unescape(r"\xc3\xa4\xff\x16"), "ä\\xff\u{16}");
        assert_eq!(unescape(r"\x4"), r"\x4");
        assert_eq!(unescape_name(r"DOMAIN\tom"), r"DOMAIN\tom");
        assert_eq!(unescape_name(r"DOMAIN\\tom"), r"DOMAIN\tom");
    }

    #[test]
    fn access_logs_only() {
        let is = |head: &[u8]| is(head, &Limits::default());
        assert!(is(b"203.0.113.7 - - [04/Mar/2021:11:20:05 +0100] \"GET / HTTP/1.1\" 200 12\n"));
        assert!(!is(b"[04/Mar/2021:11:20:05 +0100] \"GET / HTTP/1.1\" 200 12\n"));
        assert!(!is(b"a - - [04/Mar/2021:11:20:05 +0100] GET / 200 12\n"));
        assert!(!is(b""));
    }
}
