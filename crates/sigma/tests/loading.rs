//! Documents, actions, filters, ids, hashes.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code")]

use sigma::{LoadOptions, Loaded, RuleText, load};

fn rule(id: &str, rest: &str) -> String {
    format!(
        "title: t\n{id}logsource: {{product: windows, category: process_creation}}\ndetection: {{s: {{Image: a}}, condition: s}}\n{rest}"
    )
}

fn loaded(texts: &[&str]) -> Loaded {
    load(texts.iter().map(|text| RuleText { file: "f", text }), &LoadOptions::default())
}

fn ids(loaded: &Loaded) -> Vec<&str> {
    loaded.rules.iter().map(|rule| rule.id.as_str()).collect()
}

#[test]
fn what_a_rule_says() {
    let rest = "level: high\ntags: [attack.t1505.003, attack.execution, attack.T1059, assay.shell-child, attack.t1059]\nfields: [User]\n";
    let loaded = loaded(&[&rule("id: one\n", rest)]);
    let rule = &loaded.rules[0];
    assert_eq!((rule.id.as_str(), rule.title.as_str(), rule.level), ("one", "t", model::Level::High));
    assert_eq!(rule.techniques, ["T1059", "T1505.003"]);
    assert_eq!(rule.tags.len(), 5);
    assert_eq!(rule.fields, ["User"]);
    assert_eq!(rule.logsource.category.as_deref(), Some("process_creation"));
}

#[test]
fn actions() {
    let text = "action: global\ntitle: g\nid: g\nlogsource: {product: windows}\n---\ndetection: {s: {a: 1}, condition: s}\n---\ndetection: {s: {a: 2}, condition: s}\nlevel: low\n---\naction: repeat\ndetection: {s: {a: 3}}\n---\naction: reset\n---\n";
    let text = format!("{text}{}", rule("id: other\n", ""));
    let loaded = loaded(&[&text]);
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(ids(&loaded), ["g", "g/2", "g/3", "other"]);
    assert_eq!(loaded.rules[2].level, model::Level::Low);
}

#[test]
fn filters_apply_across_files() {
    let filter = "title: f\nlogsource: {product: windows}\nfilter:\n  rules: [one]\n  fs: {User: adm}\n  condition: not fs\n";
    let loaded = loaded(&[filter, &rule("id: one\n", ""), &rule("id: two\n", "")]);
    assert_eq!(loaded.diagnostics, []);
    let shape = std::sync::Arc::new(
        model::Shape::new(
            model::LogFamily::WindowsEvents,
            "",
            ["Channel", "EventID", "Image", "User"].map(model::Slot::new).to_vec(),
            false,
        )
        .with_role(model::Role::Channel, 0)
        .with_role(model::Role::EventId, 1),
    );
    let engine = sigma::Engine::new(loaded.rules);
    for (user, expect) in [("adm", vec![1]), ("other", vec![0, 1])] {
        let values = [
            model::Value::Utf8("Microsoft-Windows-Sysmon/Operational"),
            model::Value::UInt(1),
            model::Value::Utf8("a"),
            model::Value::Utf8(user),
        ];
        let record =
            model::Record { shape: &shape, values: &values, position: Default::default(), time: None };
        let mut found = Vec::new();
        engine.worker().find(&record, &mut |rule| found.push(rule));
        assert_eq!(found, expect, "{user}");
    }
}

#[test]
fn ids_and_hashes() {
    let (with, without) = (rule("id: one\n", ""), rule("", ""));
    let first = loaded(&[&with, &without, &with]);
    assert_eq!(first.diagnostics, []);
    assert_eq!(first.rules.len(), 2);
    assert_eq!(first.rules[1].id.len(), 16);
    let second = loaded(&[&without, &with]);
    assert_eq!(first.sha256, second.sha256);
    assert_ne!(first.sha256, loaded(&[&with]).sha256);
    let mut options = LoadOptions::default();
    options.placeholders.insert("a".into(), vec!["b".into()]);
    assert_ne!(load([RuleText { file: "f", text: &with }], &options).sha256, loaded(&[&with]).sha256);
}

#[test]
fn one_bad_rule_does_not_stop_the_rest() {
    let bad = "title: 'open\n";
    let text = format!("{}---\n{bad}---\n{}", rule("id: one\n", ""), rule("id: two\n", ""));
    let loaded = loaded(&["\u{feff}", &text, "just text", ""]);
    assert_eq!(ids(&loaded), ["one", "two"]);
    let ids: Vec<_> = loaded.diagnostics.iter().map(|own| own.id).collect();
    assert_eq!(ids, ["yaml-invalid", "not-a-rule"]);
}
