//! Whether a detection matches a record: one question, asked of both matchers.

use model::{LogFamily, Position, Record, Shape, Slot, Value};
use sigma::{Engine, LoadOptions, RuleText, load, naive};
use std::sync::Arc;

/// Whether a rule with this detection (YAML, the condition is `s` unless it
/// has one) matches a record with these fields; both matchers must say so.
pub fn matches(detection: &str, fields: &[(&str, Value<'_>)]) -> bool {
    let body: String = detection.lines().map(|line| format!("    {line}\n")).collect();
    let body = if detection.contains("condition:") {
        body
    } else {
        format!("    s:\n{}    condition: s\n", body.replace("    ", "        "))
    };
    let text = format!("title: t\nlogsource: {{product: windows}}\ndetection:\n{body}");
    let mut options = LoadOptions::default();
    options.placeholders.insert("admins".into(), vec!["root".into(), "adm_*".into()]);
    options.placeholders.insert("DC-NAME".into(), vec!["dc1$".into()]);
    let loaded = load([RuleText { file: "f", text: &text }], &options);
    assert_eq!(loaded.diagnostics, [], "{text}");
    let slots = fields.iter().map(|(name, _)| Slot::new(name)).collect();
    let shape = Arc::new(Shape::new(LogFamily::WindowsEvents, "", slots, false));
    let values: Vec<Value<'_>> = fields.iter().map(|(_, value)| *value).collect();
    let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
    let engine = Engine::new(loaded.rules);
    let mut found = false;
    engine.worker().find(&record, &mut |_| found = true);
    assert_eq!(found, naive::matches(&engine.rules()[0], &record), "{text}");
    found
}
