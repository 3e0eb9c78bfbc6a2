//! A gate is never shut before a line that a rule matches.

use crate::rule::Rule;
use crate::{Engine, LoadOptions, RuleText, load, naive};
use model::{LogFamily, Position, Record, Shape, Slot, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

const COLUMNS: [&str; 5] = ["cs-method", "cs-uri-stem", "cs-uri-query", "cs(User-Agent)", "sc-status"];
const PIECES: &[&str] = &[
    "a", "b", "GET", "/x/", "/owa/", ".aspx", ".asp", "={{", "cmd=", "?", "power", "shell", "200", "%2f", "'",
];

fn engine(rules: &str) -> Engine {
    Engine::new(load([RuleText { file: "f", text: rules }], &LoadOptions::default()).rules)
}

fn web_shape() -> Arc<Shape> {
    Arc::new(Shape::new(LogFamily::WebServer, "iis", COLUMNS.map(Slot::new).to_vec(), true))
}

fn matches<'e>(engine: &'e Engine, shape: &Arc<Shape>, values: &[Value<'_>]) -> Option<&'e Rule> {
    let record = Record { shape, values, position: Position::default(), time: None };
    engine.rules().iter().find(|rule| naive::matches(rule, &record))
}

/// Marks of `text`, once the engine has met a record.
fn marks(engine: &Engine, shape: &Arc<Shape>, text: &str) -> Option<Vec<u32>> {
    let mut worker = engine.worker();
    let values = vec![Value::Empty; shape.slots.len()];
    worker.find(&Record { shape, values: &values, position: Position::default(), time: None }, &mut |_| {});
    let mut marks = Vec::new();
    worker.mark(shape, text.as_bytes(), &mut marks)?;
    marks.sort_unstable();
    Some(marks)
}

fn rule() -> impl Strategy<Value = String> {
    let text = || vec(select(PIECES), 1..4).prop_map(|pieces| pieces.concat().replace('\'', "''"));
    let modifiers =
        select(vec!["", "|contains", "|startswith", "|endswith", "|contains|all", "|re", "|cased"]);
    let names = select(vec![
        "cs-method",
        "cs-uri-stem",
        "cs-uri-query",
        "cs-user-agent",
        "c-uri",
        "sc-status",
        "other",
    ]);
    let item = (names, modifiers, vec(text(), 1..3)).prop_map(|(name, modifiers, texts)| {
        let escape = |text: &String| {
            let text = if modifiers == "|re" { text.replace(['?', '{'], ".") } else { text.clone() };
            format!("'{text}'")
        };
        format!("{name}{modifiers}: [{}]", texts.iter().map(escape).collect::<Vec<_>>().join(", "))
    });
    let selection = prop_oneof![
        4 => vec(item, 1..3).prop_map(|items| format!("{{{}}}", items.join(", "))),
        1 => vec(text(), 1..3).prop_map(|texts| {
            let quoted: Vec<String> = texts.iter().map(|text| format!("'{text}'")).collect();
            format!("[{}]", quoted.join(", "))
        }),
    ];
    let condition = select(vec![
        "a",
        "a and b",
        "a or b",
        "a and not b",
        "(a or b) and c",
        "1 of them",
        "a or (b and c)",
    ]);
    (vec(selection, 3), condition).prop_map(|(own, condition)| {
        let [a, b, c] = [0, 1, 2].map(|index| &own[index]);
        format!("---\ntitle: t\nlogsource: {{category: webserver}}\ndetection:\n  a: {a}\n  b: {b}\n  c: {c}\n  condition: {condition}\n")
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just("-".to_owned()),
        6 => vec(select(PIECES), 1..4).prop_map(|pieces| pieces.concat()),
    ]
}

#[test]
fn no_gate_is_shut_before_a_line_that_matches() {
    let config = Config {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2021),
        cases: 3_000,
        ..Config::default()
    };
    let (told, shut, matched) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |cell: &Cell<u32>| cell.set(cell.get() + 1);
    let lines = vec(vec(value(), COLUMNS.len()), 1..6);
    let result = TestRunner::new(config).run(&(vec(rule(), 1..4), lines), |(rules, lines)| {
        let (engine, shape) = (engine(&rules.concat()), web_shape());
        let text: String = lines.iter().map(|cells| cells.join(" ") + "\r\n").collect();
        let Some(marks) = marks(&engine, &shape, &text) else { return Ok(()) };
        count(&told);
        let mut at = 0;
        for cells in &lines {
            let next = at + cells.join(" ").len() + 2;
            let is_marked = marks.iter().any(|mark| (at..next).contains(&(*mark as usize)));
            let values: Vec<Value<'_>> =
                cells.iter().map(|cell| if cell == "-" { Value::Empty } else { Value::Utf8(cell) }).collect();
            let found = matches(&engine, &shape, &values);
            count(if is_marked { &matched } else { &shut });
            if let (Some(rule), false) = (found, is_marked) {
                return Err(TestCaseError::fail(format!("{} in {cells:?}\n{}", rule.id, rules.concat())));
            }
            at = next;
        }
        Ok(())
    });
    if let Err(why) = result {
        panic!("{why}");
    }
    let counts = (told.get(), shut.get(), matched.get());
    assert!(counts.0 > 500 && counts.1 > 500 && counts.2 > 500, "gates, lines shut out, let in: {counts:?}");
}

#[track_caller]
fn check(selection: &str, lines: &[(&str, bool)]) {
    let rule = format!(
        "title: t\nlogsource: {{category: webserver}}\ndetection: {{s: {{{selection}}}, condition: s}}\n"
    );
    for (line, is_marked) in lines {
        let text = format!("a b c d 1\n{line}\na b c d 1\n");
        let marks = marks(&engine(&rule), &web_shape(), &text).expect("a gate");
        assert_eq!(!marks.is_empty(), *is_marked, "{line}: {marks:?}");
        assert!(marks.iter().all(|mark| (10..10 + line.len()).contains(&(*mark as usize))), "{marks:?}");
    }
}

#[test]
fn what_begins_or_ends_a_value_stands_at_its_edge() {
    let lines = [("GET /x/y.asp - m 200", true), ("GET /x/y.aspx - m 200", false), ("GET / - m .asp", true)];
    check("cs-uri-stem|endswith: '.asp'", &lines);
    check("cs-uri-stem|startswith: '/xyz/'", &[("GET /XYZ/a - m 200", true), ("GET /a/xyz/ - m 200", false)]);
    check("cs-method: 'delete'", &[("DELETE / - m 200", true), ("GET /delete - m 200", false)]);
}

#[test]
fn short_literals_that_overlap_are_all_seen() {
    check("cs-uri-query|endswith: ['{{a', '{a']", &[("GET / x{{ab{a m 1", true), ("GET / {{{a m 1", true)]);
    check("cs-uri-query|contains: ['ab', 'bc']", &[("GET / xabc m 1", true)]);
}

#[test]
fn stem_and_query_stand_apart() {
    check(
        "c-uri|contains: '/page.php?cmd='",
        &[("GET /page.php cmd=1 m 200", true), ("GET /x - m 1", false)],
    );
}

#[test]
fn a_rule_that_nothing_need_stand_for_has_no_gate() {
    for selection in ["sc-status: 200", "cs-uri-query: null", "cs-uri-stem|re: '^.{40}$'", "cs-method: '?'"] {
        let rule = format!(
            "title: t\nlogsource: {{category: webserver}}\ndetection: {{s: {{{selection}}}, condition: s}}\n"
        );
        assert_eq!(marks(&engine(&rule), &web_shape(), "a b c d e\n"), None, "{selection}");
    }
}

#[test]
fn there_is_no_gate_before_a_record_was_met() {
    let engine = engine(
        "title: t\nlogsource: {category: webserver}\ndetection: {s: {cs-uri-stem|contains: whoami}, condition: s}\n",
    );
    let mut marks = Vec::new();
    assert_eq!(engine.worker().mark(&web_shape(), b"a whoami c d e\n", &mut marks), None);
    assert_eq!(engine.met(), [false]);
}

/// All rules in a folder, each file as one text.
fn texts(folder: &Path, out: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, out);
        } else if path.extension().is_some_and(|own| own == "yml") {
            out.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A gate that one rule keeps open would cost all others their speed.
#[test]
fn the_rules_that_are_built_in_have_gates() {
    let mut all = Vec::new();
    texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules"), &mut all);
    let texts = all.iter().map(|(file, text)| RuleText { file, text });
    let engine = Engine::new(load(texts, &LoadOptions::default()).rules);
    for (family, log, columns, lines) in [
        (
            LogFamily::WebServer,
            "iis",
            "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status",
            "2021-03-01 00:00:00 10.0.0.1 GET /owa/healthcheck.htm - 443 - 127.0.0.1 AMProbe/Local/ClientAccess 200\n\
             2021-03-01 00:00:01 10.0.0.1 POST /mapi/emsmdb/ MailboxId=1@example.com 443 u 192.0.2.1 Mozilla/5.0 200\n",
        ),
        (
            LogFamily::Exchange,
            "httpproxy",
            "DateTime Protocol UrlStem UrlQuery AnchorMailbox UserAgent Method HttpStatus BackEndStatus BackEndCookie",
            "2021-03-01T00:00:00.000Z,Owa,/owa/,,Sid~S-1-5-21-1,Mozilla/5.0,GET,200,200,\n\
             2021-03-01T00:00:00.000Z,Ecp,/ecp/,?ActID=1,Sid~S-1-5-21-1,Mozilla/5.0,POST,200,200,\n",
        ),
        (
            LogFamily::Exchange,
            "ecp-server",
            "TimeStamp ServerName EventId EventData",
            "2021,M,X,S:BLD=15.1.2106.2\n",
        ),
    ] {
        let slots = columns.split(' ').map(Slot::new).collect();
        let shape = Arc::new(Shape::new(family, log, slots, true));
        assert_eq!(marks(&engine, &shape, lines), Some(Vec::new()), "{log}");
    }
}
