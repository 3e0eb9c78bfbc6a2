//! Dispatch, names of fields, caches: what only the engine as a whole shows.

use crate::{Engine, LoadOptions, RuleText, load, naive};
use model::{LogFamily, Position, Record, Role, Shape, Slot, Value};
use std::sync::Arc;

fn engine(rules: &str) -> Engine {
    let loaded = load([RuleText { file: "f", text: rules }], &LoadOptions::default());
    assert_eq!(loaded.diagnostics, []);
    Engine::new(loaded.rules)
}

fn rule(logsource: &str, selection: &str) -> String {
    format!("---\ntitle: t\nlogsource: {{{logsource}}}\ndetection: {{s: {{{selection}}}, condition: s}}\n")
}

fn event(channel: &str, id: u64, fields: &[(&str, Value<'static>)]) -> (Arc<Shape>, Vec<Value<'static>>) {
    let mut channel_slot = Slot::new("Channel");
    channel_slot.literal = Some(channel.into());
    let mut slots = vec![channel_slot, Slot::new("EventID")];
    slots.extend(fields.iter().map(|(name, _)| Slot::new(name)));
    let mut values = vec![Value::Literal, Value::UInt(id)];
    values.extend(fields.iter().map(|(_, value)| *value));
    let shape = Shape::new(LogFamily::WindowsEvents, "", slots, false).with_role(Role::Channel, 0);
    (Arc::new(shape.with_role(Role::EventId, 1)), values)
}

fn text_record(
    family: LogFamily,
    log: &str,
    fields: &[(&str, Value<'static>)],
) -> (Arc<Shape>, Vec<Value<'static>>) {
    let slots = fields.iter().map(|(name, _)| Slot::new(name)).collect();
    (Arc::new(Shape::new(family, log, slots, true)), fields.iter().map(|(_, value)| *value).collect())
}

/// The rules that match, by both matchers.
fn found(engine: &Engine, (shape, values): &(Arc<Shape>, Vec<Value<'static>>)) -> Vec<usize> {
    let record = Record { shape, values, position: Position::default(), time: None };
    let mut fast = Vec::new();
    engine.worker().find(&record, &mut |rule| fast.push(rule));
    let slow: Vec<usize> =
        (0..engine.rules().len()).filter(|rule| naive::matches(&engine.rules()[*rule], &record)).collect();
    assert_eq!(fast, slow);
    fast
}

const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";

#[test]
fn process_starts_come_from_two_logs() {
    let engine = engine(
        &[
            rule(
                "product: windows, category: process_creation",
                r"Image|endswith: '\cmd.exe', ParentImage|endswith: '\w3wp.exe'",
            ),
            rule(
                "product: windows, category: process_creation, service: sysmon",
                "CommandLine|contains: whoami",
            ),
            rule("category: process_creation, product: linux", "CommandLine|contains: whoami"),
        ]
        .concat(),
    );
    let image = Value::Utf8(r"C:\Windows\System32\cmd.exe");
    let parent = Value::Utf8(r"c:\windows\system32\inetsrv\W3WP.EXE");
    let command = ("CommandLine", Value::Utf8("cmd /c whoami"));
    let sysmon = event(SYSMON, 1, &[("Image", image), ("ParentImage", parent), command]);
    let security =
        event("Security", 4688, &[("NewProcessName", image), ("ParentProcessName", parent), command]);
    assert_eq!(found(&engine, &sysmon), [0, 1]);
    assert_eq!(found(&engine, &security), [0]);
    assert_eq!(found(&engine, &event(SYSMON, 5, &[("Image", image), ("ParentImage", parent)])), [0usize; 0]);
    assert_eq!(engine.met(), [true, true, false]);
}

#[test]
fn registry_categories_ask_for_the_kind_of_event() {
    let engine = engine(
        &[
            rule("product: windows, category: registry_add", "TargetObject|contains: Run"),
            rule("product: windows, category: registry_delete", "TargetObject|contains: Run"),
            rule("product: windows, category: registry_event", "TargetObject|contains: Run"),
        ]
        .concat(),
    );
    let key = |kind| {
        event(SYSMON, 12, &[("EventType", Value::Utf8(kind)), ("TargetObject", Value::Utf8(r"HKLM\Run"))])
    };
    assert_eq!(found(&engine, &key("CreateKey")), [0, 2]);
    assert_eq!(found(&engine, &key("DeleteValue")), [1, 2]);
    assert_eq!(found(&engine, &key("Other")), [2]);
}

#[test]
fn rules_are_left_out_by_event_id() {
    let engine = engine(
        &[
            rule("product: windows, service: security", "EventID: 4624, LogonType: 3"),
            rule("product: windows, service: security", "EventID: ['4624', 4625]"),
            rule("product: windows, service: security", "EventID: '46*'"),
            rule("product: windows", "LogonType: 3"),
        ]
        .concat(),
    );
    assert_eq!(found(&engine, &event("Security", 4624, &[("LogonType", Value::UInt(3))])), [0, 1, 2, 3]);
    assert_eq!(found(&engine, &event("SECURITY", 4625, &[("LogonType", Value::Utf8("3"))])), [1, 2, 3]);
    assert_eq!(found(&engine, &event("Other", 4624, &[("LogonType", Value::UInt(3))])), [3]);
    // Two slots of that name: none of them may leave a rule out.
    let two = event("Security", 1, &[("EventID", Value::UInt(4624)), ("LogonType", Value::UInt(3))]);
    assert_eq!(found(&engine, &two), [0, 1, 2, 3]);
}

#[test]
fn web_rules_with_a_path_in_the_query() {
    let engine = engine(
        &[
            rule("category: webserver", "cs-uri-query|contains: '/owa/auth/'"),
            rule("category: webserver", "cs-uri-query|startswith: 'cmd='"),
            rule("category: webserver", "cs-uri-query|contains|all: ['/ecp/', 'x=1']"),
            rule("category: webserver", "cs-user-agent|contains: 'curl'"),
            rule("category: webserver", "c-uri|endswith: 'a.aspx?cmd=1'"),
            rule("category: webserver", "cs-uri-query: ['cmd=1', '/x.aspx']"),
            rule("category: webserver", "cs-uri-query: null"),
        ]
        .concat(),
    );
    let request = |stem, query, agent| {
        let fields = [
            ("cs-uri-stem", Value::Utf8(stem)),
            ("cs-uri-query", query),
            ("cs(User-Agent)", Value::Utf8(agent)),
        ];
        text_record(LogFamily::WebServer, "iis", &fields)
    };
    assert_eq!(found(&engine, &request("/owa/auth/a.aspx", Value::Utf8("cmd=1"), "x")), [0, 1, 4, 5]);
    assert_eq!(found(&engine, &request("/ecp/y", Value::Utf8("x=1"), "curl/7")), [2, 3]);
    assert_eq!(found(&engine, &request("/x.aspx", Value::Empty, "x")), [5, 6]);
}

#[test]
fn exchange_logs_by_slug() {
    let engine = engine(
        &[
            rule("product: exchange, service: httpproxy", "AnchorMailbox|contains: 'ServerInfo~'"),
            rule("product: exchange", "AnchorMailbox|contains: 'ServerInfo~'"),
            rule("product: exchange, service: ews", "AnchorMailbox|contains: 'ServerInfo~'"),
            rule("product: windows", "AnchorMailbox|contains: 'ServerInfo~'"),
        ]
        .concat(),
    );
    let row =
        text_record(LogFamily::Exchange, "httpproxy", &[("anchormailbox", Value::Utf8("serverinfo~a"))]);
    assert_eq!(found(&engine, &row), [0, 1]);
    assert_eq!(engine.met(), [true, true, false, false]);
}

#[test]
fn the_caches_are_bounded_and_addresses_are_not_mixed_up() {
    let engine = engine(&rule("product: windows", "a: x"));
    let mut worker = engine.worker();
    for index in 0..5_000 {
        // The shape is dropped each time, so that its address comes again.
        let name = if index % 2 == 0 { "a" } else { "b" };
        let (shape, values) = event("Security", index, &[(name, Value::Utf8("x"))]);
        let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
        let mut count = 0;
        worker.find(&record, &mut |_| count += 1);
        assert_eq!(count, if index % 2 == 0 { 1 } else { 0 });
    }
}

#[test]
fn matched_slots_in_order_without_filters() {
    let text = "title: t\nlogsource: {product: windows}\ndetection:\n  s: {b: x, a|contains: y, e|exists: true}\n  f: {c: z}\n  condition: s and not f\n";
    let engine = engine(text);
    let (shape, values) = event(
        "Security",
        1,
        &[("a", Value::Utf8("xyz")), ("b", Value::Utf8("X")), ("c", Value::Utf8("q")), ("e", Value::Empty)],
    );
    let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
    let mut names = Vec::new();
    engine.worker().find_with_slots(&record, &mut |_, slots| {
        names.extend(slots.iter().map(|slot| shape.slots[*slot as usize].name.to_string()));
    });
    assert_eq!(names, ["a", "b", "e"]);
}

#[test]
fn threads_share_one_engine() {
    let engine = engine(&rule("product: windows", "a|contains: [x, y]"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for id in 0..100 {
                    assert_eq!(found(&engine, &event("Security", id, &[("a", Value::Utf8("axb"))])), [0]);
                }
            });
        }
    });
}

#[test]
fn linux_by_program_and_by_event() {
    let engine = engine(
        &[
            rule("product: linux, service: auditd", "type: EXECVE, a0: sh"),
            rule(
                "product: linux, category: process_creation",
                "Image|endswith: /dash, CommandLine|contains: id",
            ),
            rule("product: linux, category: file_event", "TargetFilename|startswith: /tmp"),
            rule("product: linux, service: sudo", "USER: root"),
            rule("product: linux, service: auth", "User: alice"),
            rule("product: linux", "User: alice"),
            rule("product: linux, service: cron", "User: alice"),
        ]
        .concat(),
    );
    let text = |name: &'static str, value: &'static str| (name, Value::Utf8(value));
    let of = |log: &str, fields: &[(&'static str, Value<'static>)]| {
        let mut shape = (*text_record(LogFamily::Linux, log, fields).0).clone();
        shape.fold_case = false;
        (Arc::new(shape), fields.iter().map(|(_, value)| *value).collect::<Vec<_>>())
    };
    let both = [
        text("type", "SYSCALL"),
        text("type", "EXECVE"),
        text("a0", "5581"),
        text("a0", "sh"),
        text("exe", "/usr/bin/dash"),
        text("CommandLine", "sh -c id"),
    ];
    assert_eq!(found(&engine, &of("auditd", &both)), [0, 1]);
    let sysmon = [text("EventID", "1"), text("Image", "/usr/bin/dash"), text("CommandLine", "sh -c id")];
    assert_eq!(found(&engine, &of("syslog", &sysmon)), [1]);
    let created = [text("type", "PATH"), text("nametype", "CREATE"), text("TargetFilename", "/tmp/x")];
    assert_eq!(found(&engine, &of("auditd", &created)), [2]);
    let sudo = [text("program", "sudo"), text("User", "alice"), text("USER", "root")];
    assert_eq!(found(&engine, &of("auth", &sudo)), [3, 4, 5]);
    assert_eq!(found(&engine, &of("journal", &sudo)), [3, 4, 5]);
    let cron = [text("program", "CRON"), text("User", "alice"), text("USER", "root")];
    assert_eq!(found(&engine, &of("syslog", &cron)), [5, 6]);
}

#[test]
fn web_rules_by_server() {
    let with = |logsource: &str| rule(logsource, "cs-uri-stem: /x");
    let engine = engine(
        &[
            with("category: webserver"),
            with("category: webserver, product: apache"),
            with("category: webserver, product: windows, service: iis"),
            with("service: nginx"),
            with("product: linux"),
        ]
        .concat(),
    );
    let request = |log: &str| text_record(LogFamily::WebServer, log, &[("cs-uri-stem", Value::Utf8("/x"))]);
    assert_eq!(found(&engine, &request("ncsa")), [0, 1, 3]);
    assert_eq!(found(&engine, &request("iis")), [0, 2]);
    assert_eq!(found(&engine, &request("httperr")), [0, 2]);
}
