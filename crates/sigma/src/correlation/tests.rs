//! Each kind of correlation, every example of the specification, and what it leaves open.

use super::{Correlation, Event, Hit, Runner};
use crate::{LoadOptions, Loaded, RuleText, load};
use model::Timestamp;

const BASE: &str = "title: A\nname: a\nlogsource: {product: windows}\ndetection: {s: {EventID: 1}, condition: s}\n---\ntitle: B\nname: b\nlogsource: {product: windows}\ndetection: {s: {EventID: 2}, condition: s}\n---\ntitle: C\nname: c\nlogsource: {product: windows}\ndetection: {s: {EventID: 3}, condition: s}\n---\n";

fn loaded(text: &str) -> Loaded {
    let loaded = load([RuleText { file: "f", text }], &LoadOptions::default());
    assert_eq!(loaded.diagnostics, []);
    loaded
}

fn correlation(section: &str) -> Correlation {
    let text = format!("{BASE}title: t\ncorrelation: {{{section}}}\n");
    loaded(&text).correlations.remove(0)
}

/// Runs over `events`: second, input, group, value; gives what `show` says of each hit.
fn run(section: &str, events: &[(i64, usize, &str, &str)]) -> Vec<Hit> {
    let correlation = correlation(section);
    let mut runner = Runner::new(&correlation, true);
    for (ground, (second, input, group, value)) in events.iter().enumerate() {
        runner.push(Event {
            time: Timestamp::from_seconds(*second).unwrap(),
            input: *input,
            group: correlation.group_by.iter().map(|_| (*group).to_owned()).collect(),
            values: correlation.condition.fields.iter().map(|_| (*value).to_owned()).collect(),
            ground: ground as u64,
        });
    }
    runner.finish()
}

/// When each hit held first, what it measured, and its grounds.
fn check(section: &str, events: &[(i64, usize, &str, &str)], expect: &[(i64, f64, &[u64])]) {
    let hits = run(section, events);
    let own: Vec<(i64, f64, &[u64])> =
        hits.iter().map(|hit| (hit.time.seconds(), hit.measure, hit.grounds.as_slice())).collect();
    assert_eq!(own, expect, "{section}");
}

#[test]
fn event_count() {
    let section = "type: event_count, rules: [a], group-by: [User], timespan: 10s, condition: {gte: 3}";
    let one = |times: &[i64]| times.iter().map(|time| (*time, 0, "u", "")).collect::<Vec<_>>();
    check(section, &one(&[0, 5, 10]), &[(10, 3.0, &[0, 1, 2])]);
    check(section, &one(&[0, 5, 11]), &[]);
    // While it goes on it is one hit; behind a pause it is another.
    check(section, &one(&[0, 1, 2, 3, 14, 60, 61, 62]), &[(2, 3.0, &[0, 1, 2, 3]), (62, 3.0, &[5, 6, 7])]);
    // Groups are counted apart, and their case does not matter.
    check(section, &[(0, 0, "u", ""), (1, 0, "v", ""), (2, 0, "U", ""), (3, 0, "v", "")], &[]);
    check(
        section,
        &[(0, 0, "u", ""), (1, 0, "v", ""), (2, 0, "U", ""), (3, 0, "u", "")],
        &[(3, 3.0, &[0, 2, 3])],
    );
}

#[test]
fn ranges_ask_for_whole_timespans() {
    let section = "type: event_count, rules: [a], timespan: 10s, condition: {gt: 1, lte: 3}";
    let one = |times: &[i64]| times.iter().map(|time| (*time, 0, "", "")).collect::<Vec<_>>();
    check(section, &one(&[0, 5, 10, 11]), &[(10, 3.0, &[0, 1, 2])]);
    check(section, &one(&[0, 1, 2, 3]), &[]);
    check(
        "type: event_count, rules: [a], timespan: 10s, condition: {neq: 2}",
        &one(&[0, 1, 20]),
        &[(20, 1.0, &[2])],
    );
    check(
        "type: event_count, rules: [a], timespan: 10s, condition: {eq: 2}",
        &one(&[0, 1, 20]),
        &[(1, 2.0, &[0, 1])],
    );
}

#[test]
fn value_count() {
    let section = "type: value_count, rules: [a], group-by: [Computer], timespan: 10s, condition: {field: User, gte: 2}";
    check(section, &[(0, 0, "c", "x"), (1, 0, "c", "X"), (2, 0, "c", "x")], &[]);
    check(section, &[(0, 0, "c", "x"), (1, 0, "c", "y"), (20, 0, "c", "x")], &[(1, 2.0, &[0, 1])]);
    // What has left the timespan is no value of it any more.
    check(section, &[(0, 0, "c", "x"), (11, 0, "c", "y"), (22, 0, "c", "x")], &[]);
}

#[test]
fn temporal() {
    let section = "type: temporal, rules: [a, b, c], group-by: [User], timespan: 5m";
    check(section, &[(0, 2, "u", ""), (100, 0, "u", ""), (300, 1, "u", "")], &[(300, 3.0, &[0, 1, 2])]);
    check(section, &[(0, 2, "u", ""), (100, 0, "u", ""), (301, 1, "u", "")], &[]);
    check(section, &[(0, 2, "u", ""), (100, 0, "v", ""), (300, 1, "u", "")], &[]);
    let two = "type: temporal, rules: [a, b, c], timespan: 5m, condition: {gte: 2}";
    check(two, &[(0, 2, "", ""), (1, 2, "", ""), (2, 0, "", "")], &[(2, 2.0, &[0, 1, 2])]);
    let not = "type: temporal, rules: [a, b, c], timespan: 5m, condition: a and not b";
    check(not, &[(0, 0, "", ""), (1, 2, "", "")], &[(1, 2.0, &[0, 1])]);
    check(not, &[(0, 0, "", ""), (299, 1, "", "")], &[]);
}

#[test]
fn temporal_ordered() {
    let section = "type: temporal_ordered, rules: [a, b, c], group-by: [User], timespan: 5m";
    check(section, &[(0, 0, "u", ""), (1, 1, "u", ""), (2, 2, "u", "")], &[(2, 3.0, &[0, 1, 2])]);
    check(section, &[(0, 1, "u", ""), (1, 0, "u", ""), (2, 2, "u", "")], &[]);
    // A later begin counts when the first one is too long ago.
    check(
        section,
        &[(0, 0, "u", ""), (200, 0, "u", ""), (300, 1, "u", ""), (450, 2, "u", "")],
        &[(450, 3.0, &[1, 2, 3])],
    );
    // Of one time: in order, whatever the order in which they come.
    check(section, &[(7, 2, "u", ""), (7, 0, "u", ""), (7, 1, "u", "")], &[(7, 3.0, &[1, 2, 0])]);
    let two = "type: temporal_ordered, rules: [a, b, c], timespan: 5m, condition: {gte: 2}";
    check(two, &[(0, 2, "", ""), (1, 0, "", ""), (2, 2, "", "")], &[(2, 2.0, &[0, 1, 2])]);
}

#[test]
fn sums_and_averages() {
    let sum = "type: value_sum, rules: [a], group-by: [SourceIP], timespan: 1h, condition: {field: bytes_sent, gt: 1000}";
    check(sum, &[(0, 0, "h", "600"), (1, 0, "h", "400"), (2, 0, "h", "0.5")], &[(2, 1000.5, &[0, 1, 2])]);
    check(sum, &[(0, 0, "h", "600"), (1, 0, "h", "many"), (2, 0, "h", "0x190")], &[]);
    let mean = "type: value_avg, rules: [a], timespan: 24h, condition: {field: BytesOut, gt: 500}";
    check(mean, &[(0, 0, "", "400"), (1, 0, "", "800"), (2, 0, "", "100")], &[(1, 600.0, &[0, 1])]);
}

#[test]
fn percentiles() {
    // The specification's example: names of which a computer starts less than one percent.
    let rare = "type: value_percentile, rules: [a], group-by: [ComputerName], timespan: 24h, condition: {field: Image, lte: 1}";
    let mut events: Vec<(i64, usize, &str, &str)> = (0..99).map(|n| (n, 0, "c", "usual")).collect();
    events.push((99, 0, "c", "odd"));
    check(rare, &events, &[(99, 1.0, &[99])]);
    let hits = run(rare, &events);
    assert_eq!(hits[0].value.as_deref(), Some("odd"));
    let high =
        "type: value_percentile, rules: [a], timespan: 1h, condition: {field: Bytes, percentile: 90, gt: 50}";
    let numbers = ["1", "2", "3", "4", "5", "6", "7", "8", "90", "100"];
    let events: Vec<_> = numbers.iter().zip(0..).map(|(number, time)| (time, 0, "", *number)).collect();
    assert_eq!(run(high, &events)[0].measure, 90.0);
}

#[test]
fn groups_that_are_over_are_let_go() {
    let correlation =
        correlation("type: event_count, rules: [a], group-by: [User], timespan: 1s, condition: {gte: 2}");
    let mut runner = Runner::new(&correlation, false);
    let mut most = 0;
    for number in 0..100_000u64 {
        let time = Timestamp::from_seconds(number as i64).unwrap();
        runner.push(Event {
            time,
            input: 0,
            group: vec![number.to_string()],
            values: Vec::new(),
            ground: number,
        });
        most = most.max(runner.groups.len());
    }
    assert!(most < 5_000, "{most}");
    assert_eq!(runner.finish(), []);
}

#[test]
fn references_and_what_stands_alone() {
    let text = format!(
        "title: chain\ncorrelation: {{type: temporal_ordered, rules: [many, b], group-by: [User], timespan: 10m}}\nlevel: high\n---\ntitle: many\nname: many\ncorrelation: {{type: event_count, rules: [a], group-by: [User], timespan: 10m, condition: {{gte: 10}}}}\n---\n{BASE}title: other\ncorrelation: {{type: event_count, rules: [c], timespan: 1h, condition: {{gte: 2}}}}\ngenerate: true\n"
    );
    let loaded = loaded(&text);
    let titles: Vec<(&str, bool)> =
        loaded.correlations.iter().map(|own| (own.title.as_str(), own.stands_alone)).collect();
    assert_eq!(titles, [("many", false), ("other", true), ("chain", true)]);
    let alone: Vec<(&str, bool)> =
        loaded.rules.iter().map(|own| (own.title.as_str(), own.stands_alone)).collect();
    assert_eq!(alone, [("A", false), ("B", false), ("C", true)]);
    // Findings of the rules keep the fields by which they are grouped.
    assert_eq!(loaded.rules[0].fields, ["User"]);
    assert!(loaded.rules[2].fields.is_empty());
}

#[test]
fn aliases_name_each_rules_own_field() {
    let text = "title: error\nname: internal_error\nlogsource: {category: process_creation, product: windows}\ndetection: {s: {Image: x}, condition: s}\n---\ntitle: connection\nname: new_network_connection\nlogsource: {product: windows}\ndetection: {s: {EventID: 3}, condition: s}\n---\ntitle: t\ncorrelation:\n    type: temporal\n    rules: [internal_error, new_network_connection]\n    group-by: [internal_ip, Image]\n    timespan: 10s\n    aliases:\n        internal_ip: {internal_error: destination.ip, new_network_connection: source.ip}\n";
    let loaded = loaded(text);
    let of = |input: usize| loaded.correlations[0].field_names(input, &loaded.rules[input]).group;
    // A rule's own log sources name the fields: Security 4688 calls Image NewProcessName.
    assert_eq!(of(0), [vec!["destination.ip".to_owned()], vec!["Image".into(), "NewProcessName".into()]]);
    assert_eq!(of(1), [vec!["source.ip".to_owned()], vec!["Image".into()]]);
}

/// Every example of the specification's text and of its schema's tests loads.
#[test]
fn examples_of_the_specification() {
    let rules = [
        "5638f7c0-ac70-491d-8465-2a65075e0d86",
        "recon_cmd_a",
        "recon_cmd_b",
        "recon_cmd_c",
        "rule_a_id",
        "process_creation",
        "website_access",
    ];
    let rule = |id: &&str| {
        format!(
            "title: {id}\nid: {id}\nlogsource: {{product: windows}}\ndetection: {{s: {{EventID: 1}}, condition: s}}\n---\n"
        )
    };
    let rules: String = rules.iter().map(rule).collect();
    let folder =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/sigma-spec/tests/schema/correlation");
    let Ok(files) = std::fs::read_dir(folder) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "../shared/data is missing");
        return;
    };
    let mut count = 0;
    for file in files {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert_eq!(loaded(&format!("{rules}{text}")).correlations.len(), 1, "{text}");
        count += 1;
    }
    assert!(count >= 8);
}
