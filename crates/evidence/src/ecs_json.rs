//! Events as JSON lines in the names of the Elastic Common Schema, as Filebeat,
//! Auditbeat and Elastic Agent write them: requests of web servers, and starts
//! and ends of processes, connections and files of Linux hosts. Keys may be
//! nested or joined by `.`.
//!
//! Fields get the names that the same event has in a W3C log or in Sysmon for
//! Linux, and answer to their own (ECS 8, field reference). What of Linux the
//! event tells stands in an `EventID`, as Sysmon numbers it: `event.category` and
//! `event.type` say it in ECS.
//!
//! # Not here
//! Windows events, whose `winlog` has the names of EVTX ([`crate::windows_json`]);
//! events of other systems: they are read, and no rule is about them.

use crate::Limits;
use crate::batch::Batch;
use crate::format::{Format, Reader};
use crate::json::Object;
use crate::shapes::Shapes;
use crate::windows_json::{self, Dialect, names::each_path};
use model::{LogFamily, RecordSink, Role, Shape, Slot, Value};

/// The format.
pub(crate) const FORMAT: Format = Format { slug: "ecs-jsonl", is, reader: Reader::EcsJson };

const DIALECT: Dialect = Dialect { mark, shape };

/// Names of W3C logs for those of ECS.
const WEB: &[(&str, &str)] = &[
    ("http.request.method", "cs-method"),
    ("url.path", "cs-uri-stem"),
    ("url.query", "cs-uri-query"),
    ("url.domain", "cs-host"),
    ("user_agent.original", "cs(User-Agent)"),
    ("http.request.referrer", "cs(Referer)"),
    ("source.ip", "c-ip"),
    ("destination.ip", "s-ip"),
    ("destination.port", "s-port"),
    ("http.response.status_code", "sc-status"),
    ("user.name", "cs-username"),
    ("http.response.bytes", "sc-bytes"),
    ("http.request.bytes", "cs-bytes"),
];

/// Names of Sysmon for Linux for those of ECS.
const LINUX: &[(&str, &str)] = &[
    ("process.executable", "Image"),
    ("process.command_line", "CommandLine"),
    ("process.working_directory", "CurrentDirectory"),
    ("process.pid", "ProcessId"),
    ("process.parent.executable", "ParentImage"),
    ("process.parent.command_line", "ParentCommandLine"),
    ("process.parent.pid", "ParentProcessId"),
    ("user.name", "User"),
    ("file.path", "TargetFilename"),
    ("destination.ip", "DestinationIp"),
    ("destination.port", "DestinationPort"),
    ("source.ip", "SourceIp"),
    ("source.port", "SourcePort"),
    ("process.name", "program"),
];

/// What `event.category` and `event.type` say, as Sysmon numbers it.
const NUMBERS: &[(&str, &[&str], &str)] = &[
    ("process", &["start"], "1"),
    ("network", &["start", "connection"], "3"),
    ("process", &["end"], "5"),
    ("file", &["creation"], "11"),
    ("file", &["deletion"], "23"),
];

/// What an event is of; its number in [`Dialect::mark`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Iis,
    Web,
    /// Of Linux, and which of [`NUMBERS`].
    Linux(Option<u8>),
    Other,
}

impl Kind {
    fn of(object: &Object, line: &str) -> Self {
        let texts = Texts::of(object, line);
        if is_request(&object.paths) {
            let is_iis = texts.under(DATASET).any(|text| text.starts_with("iis"));
            return if is_iis { Kind::Iis } else { Kind::Web };
        }
        let is_linux = if texts.under(SYSTEM).next().is_none() {
            texts.under(PATH).any(|path| path.starts_with('/'))
        } else {
            !texts
                .under(SYSTEM)
                .any(|name| ["windows", "macos", "darwin"].iter().any(|own| name.contains(own)))
        };
        if !is_linux {
            return Kind::Other;
        }
        let number = NUMBERS.iter().position(|(category, kinds, _)| {
            texts.under(&["event.category"]).any(|own| own == *category)
                && texts.under(&["event.type"]).any(|own| kinds.contains(&own))
        });
        Kind::Linux(number.map(|number| number as u8))
    }
}

const DATASET: &[&str] = &["event.dataset", "event.module"];
const SYSTEM: &[&str] = &["host.os.type", "host.os.family", "host.os.platform", "host.os.kernel"];
const PATH: &[&str] = &["process.executable", "file.path"];
/// Fields whose values say what an event is of.
const TELLING: &[&[&str]] = &[DATASET, SYSTEM, PATH, &["event.category", "event.type"]];

/// What the telling fields of one object say, in lower case; of a list each. Taken in one look over its paths.
struct Texts(Vec<(&'static str, String)>);

impl Texts {
    fn of(object: &Object, line: &str) -> Self {
        let members = object.members(line);
        let mut texts = Vec::new();
        for (path, leaf) in each_path(&object.paths).zip(&object.leaves) {
            let Some(name) = TELLING.iter().copied().flatten().find(|name| is_named(&path, name)) else {
                continue;
            };
            let mut add = |value: &Value<'_>| texts.push((*name, value.to_text().to_ascii_lowercase()));
            match object.value(leaf, line, &members) {
                Value::List(values) => values.iter().for_each(add),
                value => add(&value),
            }
        }
        texts.retain(|(_, text)| !text.is_empty());
        Self(texts)
    }

    fn under(&self, names: &'static [&'static str]) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(name, _)| names.contains(name)).map(|(_, text)| text.as_str())
    }
}

/// Whether the keys of a path, joined by `.`, are this name.
fn is_named(path: &[&str], name: &str) -> bool {
    let mut rest = name;
    path.iter().enumerate().all(|(at, key)| {
        let behind = if at == 0 { Some(rest) } else { rest.strip_prefix('.') };
        match behind.and_then(|rest| rest.strip_prefix(key)) {
            Some(behind) => {
                rest = behind;
                true
            }
            None => false,
        }
    }) && rest.is_empty()
}

/// Whether an object with these paths tells of a request to a web server.
fn is_request(paths: &[u8]) -> bool {
    has_any(paths, &["url.path", "url.original"])
        && has_any(paths, &["http.request.method", "http.response.status_code"])
}

fn has_any(paths: &[u8], wanted: &[&str]) -> bool {
    each_path(paths).any(|path| wanted.iter().any(|name| is_named(&path, name)))
}

/// Whether an object with these paths is an event of ECS.
fn is_event(paths: &[u8]) -> bool {
    let acts = ["process.executable", "process.name", "file.path", "destination.ip", "source.ip"];
    has_any(paths, &["@timestamp"])
        && !windows_json::names::is_event(paths)
        && (is_request(paths) || has_any(paths, &["event.category"]) && has_any(paths, &acts))
}

/// Whether `head` is the beginning of such a log.
fn is(head: &[u8], limits: &Limits) -> bool {
    windows_json::begins(head, limits, is_event, &[b"\"event.category\"", b"\"url.path\""])
}

/// Reads a batch.
pub(crate) fn read(batch: &Batch<()>, shapes: &Shapes, limits: &Limits, sink: &mut dyn RecordSink) {
    windows_json::read_as(&DIALECT, batch, shapes, limits, sink);
}

fn mark(object: &Object, line: &str, key: &mut Vec<u8>) {
    key.push(match Kind::of(object, line) {
        Kind::Iis => b'i',
        Kind::Web => b'w',
        Kind::Linux(None) => b'l',
        Kind::Linux(Some(number)) => b'0' + number,
        Kind::Other => b'o',
    });
}

fn shape(paths: &[u8], mark: &[u8]) -> Shape {
    let (family, log, names) = match mark {
        b"i" => (LogFamily::WebServer, "iis", WEB),
        b"w" => (LogFamily::WebServer, "ncsa", WEB),
        b"o" => (LogFamily::Other, "", &[][..]),
        _ => (LogFamily::Linux, "ecs", LINUX),
    };
    let has_path = has_any(paths, &["url.path"]);
    let mut slots: Vec<Slot> = each_path(paths)
        .map(|path| {
            let own = path.join(".");
            // Where the path does not stand by itself, the whole address is the nearest to it.
            let like = if own == "url.original" && !has_path { "url.path" } else { own.as_str() };
            let Some((_, name)) = names.iter().find(|(ecs, _)| *ecs == like) else { return Slot::new(&own) };
            let mut slot = Slot::new(name);
            slot.aliases.push(own.into());
            slot
        })
        .collect();
    let host = each_path(paths).position(|path| path.join(".") == "host.name");
    let host = host.or_else(|| each_path(paths).position(|path| path.join(".") == "host.hostname"));
    if let [digit @ b'0'..=b'9'] = mark
        && let Some((_, _, number)) = NUMBERS.get(usize::from(digit - b'0'))
    {
        slots.push(Slot { literal: Some((*number).into()), ..Slot::new("EventID") });
    }
    let shape = Shape::new(family, log, slots, family == LogFamily::WebServer);
    match host {
        Some(slot) => shape.with_role(Role::Host, slot),
        None => shape,
    }
}
