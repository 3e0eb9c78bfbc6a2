//! What each transformation and condition does to a rule, seen by what the rule then finds.

use crate::{LoadOptions, RuleText, load, load_pipelines, naive};
use model::{LogFamily, Position, Record, Role, Shape, Slot, Value};
use std::sync::Arc;

/// Whether the rule (`detection`, of `logsource`) under `pipeline` matches a record of these fields.
fn matches(pipeline: &str, logsource: &str, detection: &str, fields: &[(&str, &str)]) -> bool {
    let (pipelines, faults) = load_pipelines([RuleText { file: "p", text: pipeline }]);
    assert_eq!(faults, [], "{pipeline}");
    let text = format!("title: t\ntags: [attack.t1059]\nlogsource: {logsource}\ndetection: {detection}\n");
    let options = LoadOptions { pipelines, ..LoadOptions::default() };
    let loaded = load([RuleText { file: "f", text: &text }], &options);
    assert_eq!(loaded.diagnostics, [], "{pipeline}");
    let slots = fields.iter().map(|(name, _)| Slot::new(name)).collect();
    let mut shape = Shape::new(LogFamily::WindowsEvents, "", slots, false);
    for (index, (name, _)) in fields.iter().enumerate() {
        match *name {
            "Channel" => shape = shape.with_role(Role::Channel, index),
            "EventID" => shape = shape.with_role(Role::EventId, index),
            _ => {}
        }
    }
    let shape = Arc::new(shape);
    let values: Vec<Value<'_>> = fields.iter().map(|(_, text)| Value::Utf8(text)).collect();
    let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
    let found = naive::matches(&loaded.rules[0], &record);
    let engine = crate::Engine::new(loaded.rules);
    let mut fast = false;
    engine.worker().find(&record, &mut |_| fast = true);
    assert_eq!(fast, found, "engine and naive matcher differ: {pipeline}");
    found
}

fn check(item: &str, detection: &str, yes: &[(&str, &str)], no: &[(&str, &str)]) {
    let pipeline = format!("vars: {{admins: [adm1, 'adm2*'], one: x}}\ntransformations:\n    - {{{item}}}\n");
    assert!(matches(&pipeline, "{product: windows}", detection, yes), "{item}: {yes:?}");
    assert!(!matches(&pipeline, "{product: windows}", detection, no), "{item}: {no:?}");
}

#[test]
fn fields() {
    let mapping = "type: field_name_mapping, mapping: {A: B, M: [N, O]}";
    check(mapping, "{s: {A: 1}, condition: s}", &[("B", "1")], &[("A", "1")]);
    check(mapping, "{s: {M|contains: x}, condition: s}", &[("O", "axb")], &[("M", "x")]);
    check(mapping, "{s: {M|neq: x}, condition: s}", &[("N", "y")], &[("N", "y"), ("O", "x")]);
    // Under none of its names.
    check(mapping, "{s: {M: null}, condition: s}", &[("A", "x")], &[("N", "x")]);
    check(
        mapping,
        "{s: {Q|fieldref: A}, condition: s}",
        &[("Q", "x"), ("B", "x")],
        &[("Q", "x"), ("A", "x")],
    );
    // Two fields that become one stay two items.
    let both = "type: field_name_mapping, mapping: {A: C, B: C}";
    check(both, "{s: {A|startswith: x, B|endswith: y}, condition: s}", &[("C", "xy")], &[("C", "xz")]);
    let prefix = "type: field_name_prefix_mapping, mapping: {win.: '', win.e.: e_}";
    check(
        prefix,
        "{s: {win.A: 1, win.e.B: 2}, condition: s}",
        &[("A", "1"), ("e_B", "2")],
        &[("A", "1"), ("e.B", "2")],
    );
    check("type: field_name_prefix, prefix: x.", "{s: {A: 1}, condition: s}", &[("x.A", "1")], &[("A", "1")]);
    check("type: field_name_suffix, suffix: .x", "{s: {A: 1}, condition: s}", &[("A.x", "1")], &[("A", "1")]);
    check(
        "type: field_name_transform, transform_func: snake_case",
        "{s: {ParentImage: 1}, condition: s}",
        &[("parent_image", "1")],
        &[("ParentImage", "1")],
    );
}

#[test]
fn rules_and_items() {
    check(
        "type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [A]}]",
        "{s: {A: 1, B: 2}, condition: s}",
        &[("B", "2")],
        &[("A", "1")],
    );
    check(
        "type: add_condition, conditions: {C: 3}",
        "{s: {A: 1}, t: {B: 1}, condition: s or t}",
        &[("B", "1"), ("C", "3")],
        &[("B", "1"), ("C", "4")],
    );
    check(
        "type: add_condition, negated: true, conditions: {C: 3}",
        "{s: {A: 1}, condition: s}",
        &[("A", "1")],
        &[("A", "1"), ("C", "3")],
    );
    check(
        "type: add_condition, template: true, conditions: {C: $product}",
        "{s: {A: 1}, condition: s}",
        &[("A", "1"), ("C", "windows")],
        &[("A", "1"), ("C", "$product")],
    );
    let change = "transformations:\n    - {type: change_logsource, product: windows, service: security}\n";
    let record = [("Channel", "Security"), ("EventID", "1"), ("A", "1")];
    assert!(matches(change, "{product: other}", "{s: {A: 1}, condition: s}", &record));
    assert!(!matches("transformations: []", "{product: other}", "{s: {A: 1}, condition: s}", &record));
}

#[test]
fn values() {
    check(
        r"type: replace_string, regex: '^C:(.*)', replacement: 'D:\1'",
        r"{s: {A: 'C:\x*'}, condition: s}",
        &[("A", r"D:\xyz")],
        &[("A", r"C:\xyz")],
    );
    check(
        "type: replace_string, regex: '.', replacement: y, skip_special: true",
        "{s: {A: 'x*x'}, condition: s}",
        &[("A", "y-y")],
        &[("A", "yyy-")],
    );
    check(
        "type: map_string, mapping: {one: [1, 2]}",
        "{s: {A: one}, condition: s}",
        &[("A", "2")],
        &[("A", "one")],
    );
    check(
        "type: value_placeholders",
        "{s: {A|expand: '%admins%'}, condition: s}",
        &[("A", "ADM2x")],
        &[("A", "adm1x")],
    );
    check(
        "type: value_placeholders",
        "{s: {A|expand|contains: 'a%one%'}, condition: s}",
        &[("A", "-ax-")],
        &[("A", "x")],
    );
    check(
        "type: wildcard_placeholders",
        "{s: {A|expand: 'a%any%b'}, condition: s}",
        &[("A", "a123b")],
        &[("A", "123b")],
    );
    check(
        "type: value_placeholders",
        r"{s: {A|expand: '\%one%one%'}, condition: s}",
        &[("A", "%onex")],
        &[("A", r"\%onex")],
    );
    check("type: set_value, value: 5", "{s: {A|contains: x}, condition: s}", &[("A", "5")], &[("A", "x")]);
    check(
        "type: convert_type, target_type: str",
        "{s: {A|contains: '1', B: 7}, condition: s}",
        &[("A", "x1"), ("B", "7")],
        &[("A", "x"), ("B", "7")],
    );
    // As a number it is one in hexadecimal digits, too.
    check(
        "type: convert_type, target_type: num",
        "{s: {A: '16'}, condition: s}",
        &[("A", "0x10")],
        &[("A", "17")],
    );
    check("type: regex", "{s: {A|endswith: 'x?z'}, condition: s}", &[("A", "aXyZ")], &[("A", "xyza")]);
    check(
        "type: regex, method: plain",
        "{s: {A: 'x*.z'}, condition: s}",
        &[("A", "xyy.z")],
        &[("A", "Xyy.z")],
    );
    check("type: case, method: upper", "{s: {A|cased: abc}, condition: s}", &[("A", "ABC")], &[("A", "abc")]);
}

#[test]
fn conditions() {
    let mapping = "type: field_name_mapping, mapping: {A: B}";
    let item = |conditions: &str| format!("{mapping}, {conditions}");
    let (made, not_made) = ([("B", "1")], [("A", "1")]);
    let detection = "{s: {A: 1}, condition: s}";
    for holds in [
        "rule_conditions: [{type: logsource, product: windows}]",
        "rule_conditions: [{type: logsource, product: linux}], rule_cond_not: true",
        "rule_conditions: [{type: logsource, product: linux}, {type: contains_field, field: A}], rule_cond_op: or",
        "rule_conditions: {l: {type: logsource, product: linux}, t: {type: tag, tag: attack.t1059}}, rule_cond_expr: not l and t",
        "rule_conditions: [{type: contains_detection_item, field: A, value: 1}]",
        "rule_conditions: [{type: is_sigma_rule}]",
        "rule_conditions: [{type: rule_attribute, attribute: title, value: t}]",
        "detection_item_conditions: [{type: match_value, value: 1}]",
        "detection_item_conditions: [{type: is_null}], detection_item_cond_not: true",
        "field_name_conditions: [{type: include_fields, fields: ['[AX]$'], mode: re}]",
        "field_name_conditions: [{type: exclude_fields, fields: [X]}]",
    ] {
        check(&item(holds), detection, &made, &not_made);
    }
    for fails in [
        "rule_conditions: [{type: logsource, product: linux}]",
        "rule_conditions: [{type: contains_detection_item, field: A, value: 2}]",
        "rule_conditions: [{type: is_sigma_correlation_rule}]",
        "detection_item_conditions: [{type: match_string, cond: any, pattern: x}]",
        "field_name_conditions: [{type: exclude_fields, fields: [A]}]",
    ] {
        check(&item(fails), detection, &not_made, &made);
    }
}

#[test]
fn what_was_applied_and_states() {
    let pipeline = "transformations:\n    - {id: one, type: field_name_mapping, mapping: {A: B}}\n    - {type: set_state, key: k, val: v}\n    - {type: set_value, value: 9, rule_conditions: [{type: processing_item_applied, processing_item_id: one}, {type: processing_state, key: k, val: v}], detection_item_conditions: [{type: processing_item_applied, processing_item_id: one}]}\n    - type: nest\n      items:\n          - {type: field_name_mapping, mapping: {C: D}}\n";
    let detection = "{s: {A: 1, C: 2}, condition: s}";
    assert!(matches(pipeline, "{product: windows}", detection, &[("B", "9"), ("D", "2")]));
    assert!(!matches(pipeline, "{product: windows}", detection, &[("B", "1"), ("D", "2")]));
}

#[test]
fn priorities_order_pipelines() {
    let (first, second) = (
        "priority: 20\ntransformations: [{type: field_name_mapping, mapping: {B: C}}]\n",
        "priority: 10\ntransformations: [{type: field_name_mapping, mapping: {A: B}}]\n",
    );
    let both = format!("{first}---\n{second}");
    assert!(matches(&both, "{product: windows}", "{s: {A: 1}, condition: s}", &[("C", "1")]));
}

#[test]
fn names_of_ecs() {
    for name in crate::builtin_pipelines() {
        let (_, faults) =
            load_pipelines([RuleText { file: name, text: crate::builtin_pipeline(name).unwrap() }]);
        assert_eq!(faults, []);
    }
    // A rule that says that it is written in them needs no pipeline.
    let text = "title: t\ntaxonomy: ecs\nlogsource: {product: windows}\ndetection: {s: {process.executable|endswith: x.exe, winlog.event_data.LogonType: 3}, condition: s}\n";
    let loaded = load([RuleText { file: "f", text }], &LoadOptions::default());
    let shape = Arc::new(Shape::new(
        LogFamily::WindowsEvents,
        "",
        ["Image", "LogonType"].map(Slot::new).to_vec(),
        false,
    ));
    let values = [Value::Utf8("x.exe"), Value::UInt(3)];
    let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
    assert!(naive::matches(&loaded.rules[0], &record));
    // Rules in the names of Windows meet records in those of ECS when it is asked for.
    let ecs = crate::builtin_pipeline("ecs-windows").unwrap();
    assert!(matches(
        ecs,
        "{product: windows}",
        "{s: {Image: x}, condition: s}",
        &[("process.executable", "x")]
    ));
    assert!(matches(ecs, "{product: windows}", "{s: {Image: x}, condition: s}", &[("Image", "x")]));
}

/// Each built-in pipeline, both ways: rules in the logs' own names meet records in those of ECS, and
/// rules in the names of ECS the logs' own.
#[test]
fn each_built_in_pipeline_meets_foreign_names() {
    type Fields<'a> = &'a [(&'a str, &'a str)];
    type Case<'c> = (&'c str, LogFamily, &'c str, &'c str, [&'c str; 2], [Fields<'c>; 2]);
    let cases: [Case<'_>; 4] = [
        (
            "ecs-windows",
            LogFamily::WindowsEvents,
            "",
            "{product: windows}",
            [
                "{Image|endswith: x.exe, DestinationPort: 443}",
                "{process.executable|endswith: x.exe, destination.port: 443}",
            ],
            [
                &[("Image", r"C:\x.exe"), ("DestinationPort", "443")],
                &[("process.executable", r"C:\x.exe"), ("destination.port", "443")],
            ],
        ),
        (
            "ecs-web",
            LogFamily::WebServer,
            "iis",
            "{category: webserver}",
            [
                "{cs-method: POST, c-ip|cidr: 192.0.2.0/24}",
                "{http.request.method: POST, source.ip|cidr: 192.0.2.0/24}",
            ],
            [
                &[("cs-method", "POST"), ("c-ip", "192.0.2.7")],
                &[("http.request.method", "POST"), ("source.ip", "192.0.2.7")],
            ],
        ),
        (
            "ecs-web",
            LogFamily::WebServer,
            "iis",
            "{service: iis}",
            [
                "{cs-uri-stem|endswith: .aspx, sc-status: 200}",
                "{url.path|endswith: .aspx, http.response.status_code: 200}",
            ],
            [
                &[("cs-uri-stem", "/x.aspx"), ("sc-status", "200")],
                &[("url.path", "/x.aspx"), ("http.response.status_code", "200")],
            ],
        ),
        (
            "ecs-linux",
            LogFamily::Linux,
            "syslog",
            "{product: linux}",
            [
                "{CommandLine|contains: id, User: root}",
                "{process.command_line|contains: id, user.name: root}",
            ],
            [
                &[("CommandLine", "sh -c id"), ("User", "root")],
                &[("process.command_line", "sh -c id"), ("user.name", "root")],
            ],
        ),
    ];
    for (name, family, log, logsource, selections, records) in cases {
        let text = crate::builtin_pipeline(name).unwrap();
        let (pipelines, faults) = load_pipelines([RuleText { file: name, text }]);
        assert_eq!(faults, []);
        let options = LoadOptions { pipelines, ..LoadOptions::default() };
        for selection in selections {
            let rule =
                format!("title: t\nlogsource: {logsource}\ndetection: {{s: {selection}, condition: s}}\n");
            let loaded = load([RuleText { file: "f", text: &rule }], &options);
            assert_eq!(loaded.diagnostics, [], "{rule}");
            for fields in records {
                let slots = fields.iter().map(|(name, _)| Slot::new(name)).collect();
                let shape = Arc::new(Shape::new(family, log, slots, family == LogFamily::WebServer));
                let values: Vec<Value<'_>> = fields.iter().map(|(_, text)| Value::Utf8(text)).collect();
                let record =
                    Record { shape: &shape, values: &values, position: Position::default(), time: None };
                assert!(naive::matches(&loaded.rules[0], &record), "{name}: {selection} on {fields:?}");
                // Of half a record it is not.
                let half = [values[0], Value::Absent];
                let record = Record { values: &half, ..record };
                assert!(
                    !naive::matches(&loaded.rules[0], &record),
                    "{name}: {selection} on half of {fields:?}"
                );
            }
        }
    }
}
