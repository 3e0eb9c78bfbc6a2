//! Counting by tallies is counting record by record.

use super::*;
use crate::part::{Gathered, Part, Workers};
use crate::sessions::{Fields, LOGON_FIELDS, PROCESS_FIELDS};
use casebook::Watched;
use model::{LogKey, Slot, Timestamp};

fn watched() -> WatchList {
    let entry = |log: &str, part: &str, fields: &[&str]| Watched {
        log: LogKey { log: log.into(), part: part.into() },
        fields: fields.iter().map(ToString::to_string).collect(),
    };
    WatchList::new(&[
        entry("iis", "", &["cs-uri-query", "sc-status"]),
        entry("httpproxy", "", &["UrlStem", "AnchorMailbox"]),
        entry("httpproxy", "ecp", &["UrlQuery"]),
        entry("httpproxy", "4688", &["UrlQuery"]),
    ])
}

/// All that is counted, as text.
fn counted(gathered: &Gathered) -> String {
    let Gathered { logs, builds, hosts, exchange_hosts, sources, .. } = gathered;
    let logs: Vec<_> = logs
        .iter()
        .map(|(name, stats)| {
            (name, stats.family, stats.records, stats.span, &stats.filled, &stats.hours, stats.gaps(None))
        })
        .collect();
    format!("{logs:#?}\n{builds:#?}\n{hosts:?}\n{exchange_hosts:?}\n{sources:?}")
}

/// Records by `lines` of values, `-` for an empty one; both ways of counting them.
#[track_caller]
fn check(family: LogFamily, log: &str, names: &str, version: Option<&str>, lines: &[String]) {
    let mut slots: Vec<Slot> = names.split(' ').map(Slot::new).collect();
    slots.extend(version.map(|text| Slot { literal: Some(text.into()), ..Slot::new("#Version") }));
    let mut shape = Shape::new(family, log, slots, true);
    if let Some(host) = shape.slot("ServerHostName") {
        shape = shape.with_role(Role::Host, host);
    }
    let (shape, watched) = (Arc::new(shape), watched());
    let engine = sigma::Engine::new(Vec::new());
    let part = || {
        Part::new(
            Workers {
                rules: engine.worker(),
                indicators: None,
                process_fields: Fields::new(PROCESS_FIELDS),
                logon_fields: Fields::new(LOGON_FIELDS),
            },
            0,
        )
    };
    let (mut each, mut all) = (part(), part());
    let wanted = all.tallies.wanted(&shape, &watched).expect("slots that are wanted");
    all.tallies.begin(Arc::clone(&wanted), 0);
    for (line, seconds) in lines.iter().zip(0..) {
        let value = |text| if text == "-" { Value::Empty } else { Value::Utf8(text) };
        let mut values: Vec<Value<'_>> = line.split(' ').map(value).collect();
        values.extend(version.map(|_| Value::Literal));
        let time = Timestamp::from_seconds(1_614_556_800 + seconds * 700).filter(|_| seconds % 5 > 0);
        let position = Position::default();
        each.count(&Record { shape: &shape, values: &values, position, time }, &watched);
        for (slot, value) in (0u32..).zip(&mut values) {
            if !wanted.slots.contains(&slot) && *value != Value::Literal {
                *value = Value::Absent;
            }
        }
        all.tally(&Record { shape: &shape, values: &values, position, time }, &watched);
    }
    let (_, mut each) = each.into_gathered(&watched);
    let (_, all) = all.into_gathered(&watched);
    // Rules are told of each record in another way.
    each.sources.insert(0);
    assert_eq!(counted(&all), counted(&each));
}

#[test]
fn web_servers() {
    let lines: Vec<String> = (0..200)
        .map(|n| {
            format!("/x {} {} {n}", if n % 3 == 0 { "-" } else { "q" }, if n % 7 == 0 { "-" } else { "200" })
        })
        .collect();
    check(LogFamily::WebServer, "iis", "cs-uri-stem cs-uri-query sc-status time-taken", None, &lines);
}

#[test]
fn exchange_servers() {
    let names = "Protocol UrlStem UrlQuery AnchorMailbox ServerHostName MajorVersion MinorVersion BuildVersion RevisionVersion";
    let pick = |n: u64, of: &[&'static str]| of[(n % of.len() as u64) as usize];
    let line = |n: u64| {
        let protocol = pick(n, &["Ecp", "ECP", "Owa", "-", "4688"]);
        let filled = [pick(n / 2, &["/x", "-"]), pick(n / 3, &["?q", "-"]), pick(n / 5, &["a", "-", "b"])];
        let build = pick(n / 50, &["15 1 2106 2", "15 0 0 0", "15 1 2375 7", "x - - -"]);
        format!("{protocol} {} mxs{}.example.test {build}", filled.join(" "), n / 17 % 9)
    };
    // More kinds than are kept at a time.
    let lines: Vec<String> = (0..3_000).map(line).collect();
    check(LogFamily::Exchange, "httpproxy", names, None, &lines);
    check(LogFamily::Exchange, "httpproxy", names, Some("15.01.2106.002"), &lines);
    check(LogFamily::Exchange, "httpproxy", names, Some("15.0.0.0"), &lines);
    check(
        LogFamily::Exchange,
        "ecp-server",
        "ServerHostName EventData",
        Some("15.01.2106.002"),
        &["mxs01 S:BLD=15.1.2375.7;x".to_owned()],
    );
}

#[test]
fn logs_of_which_more_is_wanted_have_no_tallies() {
    let mut tallies = Tallies::default();
    let mut wanted = |family, log: &str, names: &[&str]| {
        let slots = names.iter().map(|name| Slot::new(name)).collect();
        tallies.wanted(&Arc::new(Shape::new(family, log, slots, true)), &watched()).is_some()
    };
    assert!(!wanted(LogFamily::Linux, "auth", &["message"]));
    assert!(!wanted(LogFamily::WindowsEvents, "", &["EventID"]));
    // Its build stands in the text.
    assert!(!wanted(LogFamily::Exchange, "ecp-server", &["EventData"]));
    assert!(wanted(LogFamily::Exchange, "message-tracking", &["event-id"]));
}
