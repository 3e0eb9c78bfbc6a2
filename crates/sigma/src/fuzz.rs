//! Entrances for fuzzing: any bytes as a rule file, and any bytes as choices
//! from which rules and records are made that both matchers must agree on.

use crate::{Engine, LoadOptions, RuleText, check, load, load_pipelines, naive};
use model::{LogFamily, Position, Record, Role, Shape, Slot, Timestamp, Value};
use std::fmt::Write as _;
use std::sync::Arc;

/// Loads any bytes as a rule file, and runs what was loaded on one record.
pub fn rule(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let loaded = load([RuleText { file: "fuzz", text: &text }], &LoadOptions::default());
    let engine = Engine::new(loaded.rules);
    let shape = Arc::new(Shape::new(LogFamily::WindowsEvents, "", vec![Slot::new("CommandLine")], false));
    let values = [Value::Utf8("cmd.exe /c whoami")];
    let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
    agree(&engine, &record, &text);
}

/// Loads any bytes as a pipeline, applies it to rules of each kind, and runs what becomes of them.
pub fn pipeline(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (pipelines, _) = load_pipelines([RuleText { file: "fuzz", text: &text }]);
    let options = LoadOptions { pipelines, ..LoadOptions::default() };
    let loaded = check([RuleText { file: "fuzz", text: PIPED }], &options);
    let engine = Engine::new(loaded.rules);
    let shape = Arc::new(Shape::new(LogFamily::WindowsEvents, "", vec![Slot::new("Image")], false));
    let values = [Value::Utf8("cmd.exe")];
    let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
    agree(&engine, &record, &text);
}

/// Rules that pipelines are tried on.
const PIPED: &str = r"title: a
name: a
tags: [attack.t1059]
logsource: {product: windows}
detection:
    s: {Image|endswith: ['*\cmd.exe', '%name%'], User|expand: '%one%', A|re: 'x.*', B|all: [1, 2], C: null}
    t: ['key', 'word?']
    u: [{A|fieldref: B}, {D|neq: 5, E|exists: true}]
    condition: s or 1 of t* or not u
---
title: c
correlation: {type: value_count, rules: [a], group-by: [Image], timespan: 1h, condition: {field: User, gte: 2}}
---
title: f
logsource: {product: windows}
filter: {rules: any, g: {Image: x}, condition: not g}
";

/// Makes rules and records from `data`; panics when the engine and the naive
/// matcher differ. Gives back how many rules loaded and how many matches there were.
pub fn differential(data: &[u8]) -> (usize, usize) {
    let mut choices = Choices { data, at: 0 };
    let text = rules(&mut choices);
    let mut options = LoadOptions::default();
    options.placeholders.insert("p".into(), vec!["a".into(), "*b".into()]);
    let loaded = load([RuleText { file: "fuzz", text: &text }], &options);
    let engine = Engine::new(loaded.rules);
    let mut matches = 0;
    for _ in 0..4 {
        let parts = Parts::new(&mut choices);
        let shape = Arc::new(shape(&mut choices, &parts));
        for _ in 0..2 {
            let values: Vec<Value<'_>> =
                shape.slots.iter().map(|_| value(&mut choices, &parts, true)).collect();
            let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
            matches += agree(&engine, &record, &text);
        }
    }
    (engine.rules().len(), matches)
}

fn agree(engine: &Engine, record: &Record<'_>, text: &str) -> usize {
    let mut worker = engine.worker();
    let mut fast = Vec::new();
    worker.find_with_slots(record, &mut |rule, slots| {
        let own = naive::matched_slots(&engine.rules()[rule], record);
        let slots: Vec<usize> = slots.iter().map(|slot| *slot as usize).collect();
        assert!(own.iter().eq(&slots), "slots differ: {own:?}, {slots:?}\n{text}\n{record:?}");
        fast.push(rule);
    });
    let rules = engine.rules().iter().enumerate();
    let slow: Vec<usize> =
        rules.filter(|(_, rule)| naive::matches(rule, record)).map(|(index, _)| index).collect();
    assert_eq!(fast, slow, "engine and naive matcher differ\n{text}\n{record:?}");
    fast.len()
}

/// Bytes as a list of choices; at its end every choice is the first.
struct Choices<'a> {
    data: &'a [u8],
    at: usize,
}

impl Choices<'_> {
    fn below(&mut self, count: usize) -> usize {
        let byte = self.data.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % count.max(1)
    }

    fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

const FIELDS: &[&str] =
    &["A", "B", "Two Words", "EventID", "Data", "EventType", "cs-uri-query", "cs-uri-stem", "Image"];
const SOURCES: &[&str] = &[
    "{product: windows}",
    "{product: windows, service: security}",
    "{product: windows, category: process_creation}",
    "{product: windows, category: registry_delete}",
    "{category: webserver}",
    "{product: exchange, service: httpproxy}",
];
const PIECES: &[&str] = &[
    "a", "A", "b", "aB", "*", "?", r"\*", r"\\", "-a", "/b", " ", "ä", "Ä", "\u{130}", "\u{212a}", "k", "1",
    "0x1", "12", "/", "x=", "\u{fffd}", "\n", "%p%",
];
const MODIFIERS: &[&str] = &[
    "",
    "",
    "",
    "|contains",
    "|startswith",
    "|endswith",
    "|contains|all",
    "|cased",
    "|contains|cased",
    "|neq",
    "|contains|neq",
    "|all",
    "|re",
    "|re|i",
    "|re|i|m|s",
    "|windash",
    "|windash|contains",
    "|base64",
    "|base64offset|contains",
    "|wide",
    "|utf16be|base64offset|contains",
    "|utf16|base64",
    "|lt",
    "|lte",
    "|gt",
    "|gte",
    "|minute",
    "|hour|gte",
    "|day",
    "|week",
    "|month",
    "|year|lt",
    "|cidr",
    "|exists",
    "|fieldref",
    "|fieldref|contains",
    "|fieldref|startswith",
    "|fieldref|endswith",
    "|fieldref|cased",
    "|expand",
    "|expand|contains",
    "|cased|startswith",
    "|endswith|neq",
];
const CONDITIONS: &[&str] = &[
    "s0",
    "not s0",
    "s0 and s1",
    "s0 or s1",
    "s0 and not s1",
    "1 of s*",
    "all of them",
    "not 1 of s*",
    "s0 or (s1 and not _s2)",
    "not (s0 and _s2) or s1",
    "any of them and not all of s*",
    "1 of _s*",
];

fn rules(choices: &mut Choices<'_>) -> String {
    let mut out = String::new();
    for index in 0..3 {
        let source = choices.of(SOURCES);
        let _ = write!(out, "---\ntitle: rule {index}\nid: {index}\nlogsource: {source}\ndetection:\n");
        for name in ["s0", "s1", "_s2"] {
            let _ = writeln!(out, "  {name}:");
            detection(choices, &mut out);
        }
        let _ = writeln!(out, "  condition: {}", choices.of(CONDITIONS));
    }
    out
}

fn detection(choices: &mut Choices<'_>, out: &mut String) {
    match choices.below(6) {
        0 => {
            let _ = writeln!(out, "    - {}\n    - {}", text(choices), text(choices));
        }
        1 => {
            let _ = writeln!(
                out,
                "    '{}': [{}, {}]",
                choices.of(&["|all", "|contains", "|re", "|endswith"]),
                text(choices),
                text(choices)
            );
        }
        2 => {
            let _ = writeln!(out, "    - {}\n    - {}", item(choices), item(choices));
        }
        _ => {
            for _ in 0..=choices.below(2) {
                let _ = writeln!(out, "    {}", item(choices));
            }
        }
    }
}

/// One item that is likely to be valid: the modifier says what values may be.
fn item(choices: &mut Choices<'_>) -> String {
    let (field, modifier) = (choices.of(FIELDS), choices.of(MODIFIERS));
    let mut one = || match modifier {
        "|exists" => choices.of(&["true", "false"]).to_owned(),
        "|cidr" => {
            choices.of(&["10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "::ffff:10.0.0.0/104"]).to_owned()
        }
        "|lt" | "|lte" | "|gt" | "|gte" => choices.of(&["1", "12", "0.5", "-3"]).to_owned(),
        "|re" | "|re|i" | "|re|i|m|s" => choices
            .of(&[
                "'a.*b'",
                "'^a'",
                "'b$'",
                "'[0-9]+'",
                "'A?'",
                "'^$'",
                "'abA'",
                "'(aBa|Aab)+'",
                "'b.*aba'",
                "'(?i)bab'",
            ])
            .to_owned(),
        _ if modifier.starts_with("|fieldref") => choices.of(FIELDS).to_owned(),
        _ if ["minute", "hour", "day", "week", "month", "year"]
            .iter()
            .any(|part| modifier.contains(part)) =>
        {
            choices.of(&["3", "4", "20", "2021", "9"]).to_owned()
        }
        "" | "|neq" | "|all" => match choices.below(8) {
            0 => "null".to_owned(),
            1 => "''".to_owned(),
            2 => choices.of(&["1", "12", "1.5", "4688", "12.0", "-1"]).to_owned(),
            3 => choices.of(&["true", "false"]).to_owned(),
            _ => text(choices),
        },
        _ => text(choices),
    };
    let (first, second) = (one(), one());
    if choices.below(2) == 0 {
        format!("'{field}{modifier}': {first}")
    } else {
        format!("'{field}{modifier}': [{first}, {second}]")
    }
}

/// A quoted text of a few pieces.
fn text(choices: &mut Choices<'_>) -> String {
    let mut out = String::new();
    for _ in 0..=choices.below(4) {
        out.push_str(choices.of(PIECES));
    }
    format!("\"{}\"", out.replace('\\', "\\\\").replace('\n', "\\n"))
}

/// What values borrow from.
struct Parts {
    text: String,
    utf16: Vec<u8>,
    binary: Vec<u8>,
    guid: [u8; 16],
}

impl Parts {
    fn new(choices: &mut Choices<'_>) -> Self {
        let mut text = String::new();
        for _ in 0..choices.below(5) {
            text.push_str(choices.of(PIECES));
        }
        let mut utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        if choices.below(4) == 0 {
            utf16.extend([0x3d, 0xd8, 0x41, 0]);
        }
        Self { text, utf16, binary: vec![1, 0xab], guid: [0x11; 16] }
    }
}

fn shape(choices: &mut Choices<'_>, parts: &Parts) -> Shape {
    let family = *choices.of(&[
        &LogFamily::WindowsEvents,
        &LogFamily::WindowsEvents,
        &LogFamily::WebServer,
        &LogFamily::Exchange,
    ]);
    let mut slots: Vec<Slot> = (0..choices.below(6)).map(|_| Slot::new(choices.of(FIELDS))).collect();
    let log = if family == LogFamily::Exchange { "httpproxy" } else { "" };
    if choices.below(2) == 0 {
        slots.iter_mut().for_each(|slot| slot.literal = Some(parts.text.as_str().into()));
    }
    let event_id = slots.iter().position(|slot| &*slot.name == "EventID");
    let mut channel = Slot::new("Channel");
    channel.literal =
        Some((*choices.of(&["Security", "Microsoft-Windows-Sysmon/Operational", "Other"])).into());
    slots.push(channel);
    let channel = slots.len() - 1;
    let shape =
        Shape::new(family, log, slots, family != LogFamily::WindowsEvents).with_role(Role::Channel, channel);
    match event_id {
        Some(slot) => shape.with_role(Role::EventId, slot),
        None => shape,
    }
}

fn value<'a>(choices: &mut Choices<'_>, parts: &'a Parts, lists: bool) -> Value<'a> {
    const TIME: &str = "2021-03-04T20:09:00Z";
    match choices.below(20) {
        0 => Value::Absent,
        1 => Value::Empty,
        2 => Value::Utf8(&parts.text),
        3 => Value::Utf16(&parts.utf16),
        4 => Value::Int(-1),
        5 => Value::UInt(12),
        6 => Value::UInt(4688),
        7 => Value::Hex(1),
        8 => Value::Float(1.5),
        9 => Value::Float(12.0),
        10 => Value::Bool(true),
        11 => Value::Guid(&parts.guid),
        12 => Value::Sid(&[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]),
        13 => Timestamp::parse(TIME).map_or(Value::Empty, Value::Time),
        14 => Value::Binary(&parts.binary),
        15 => Value::Utf8(TIME),
        16 => Value::Utf8(choices.of(&[
            "10.1.2.3",
            "::ffff:10.1.2.3",
            "2001:db8::1",
            "",
            "1.50",
            "0x1",
            "DeleteKey",
        ])),
        17 if lists => Value::List(&[Value::UInt(1), Value::Utf8("aB"), Value::Empty, Value::Absent]),
        18 if lists => Value::List(&[]),
        _ => Value::Literal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are always the same.
    fn bytes(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn engine_is_naive() {
        let (mut rules, mut matches) = (0, 0);
        for seed in 1..=40_000 {
            let (own_rules, own_matches) = differential(&bytes(seed, 400));
            rules += own_rules;
            matches += own_matches;
        }
        eprintln!("{rules} rules, {matches} matches");
        assert!(rules > 60_000, "most rules load: {rules}");
        assert!(matches > 20_000, "and match: {matches}");
    }

    #[test]
    fn any_bytes_are_a_rule_file() {
        let seeds: [&[u8]; 6] = [
            b"",
            b"\xff\xfe",
            b"---\n---\n",
            b"title: [",
            b"a: &a [*a]",
            b"title: t\nlogsource: {}\ndetection: {a: b, condition: a}",
        ];
        seeds.iter().for_each(|seed| rule(seed));
        for seed in 1..=2_000 {
            let mut text = rules(&mut Choices { data: &bytes(seed, 200), at: 0 }).into_bytes();
            for byte in bytes(seed, 6).chunks(2) {
                let at = usize::from(byte[0]) * 3 % text.len();
                text[at] = byte[1];
            }
            rule(&text);
        }
    }
}
