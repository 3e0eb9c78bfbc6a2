//! Real evidence: read to the last line, with counts that were made otherwise.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gather;

use evidence::Limits;
use std::collections::BTreeMap;
use std::path::Path;

/// Lines that are records: not blank, not of the frame, not a header again.
fn record_lines(path: &Path) -> u64 {
    let text = std::fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&text).replace('\u{feff}', "");
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("#Fields: ")).collect();
    let records =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#') && !names.contains(line));
    records.count() as u64
}

#[test]
fn exchange_and_iis_logs_are_read_to_the_last_line() {
    let Some(folder) = gather::data("exchange-log-formats") else { return };
    let folders = ["samples", "samples-2013", "iis/plaso", "iis/velociraptor"].map(|name| folder.join(name));
    let gathered = gather::all(&folders, &Limits::default());
    assert_eq!(gathered.kinds(), [""; 0]);
    assert_eq!(gathered.items.len(), 27);
    for item in &gathered.items {
        assert!(item.item.format.is_some(), "{}", item.item.path);
        assert_eq!(item.item.records, record_lines(Path::new(&item.item.path)), "{}", item.item.path);
        for record in &item.records {
            assert!(!record.contains("no time"), "{}: {record}", item.item.path);
        }
    }
}

#[test]
fn exchange_logs_are_told_apart() {
    let Some(folder) = gather::data("exchange-log-formats") else { return };
    let gathered = gather::all(&[folder.join("samples"), folder.join("samples-2013")], &Limits::default());
    let mut logs: BTreeMap<&str, u64> = BTreeMap::new();
    for record in gathered.items.iter().flat_map(|item| &item.records) {
        let log = record.split("log=").nth(1).unwrap().split(' ').next().unwrap();
        *logs.entry(log).or_default() += 1;
    }
    let expected = [
        ("agent", 2),
        ("audit", 1),
        ("ecp-activity", 4),
        ("ecp-server", 1),
        ("ews", 8),
        ("httpproxy", 11),
        ("message-tracking", 4),
        ("rps-cmdlet", 1),
        ("smtp-receive", 16),
    ];
    assert_eq!(logs, BTreeMap::from(expected));
}

#[test]
fn iis_logs_are_read_as_plaso_reads_them() {
    let Some(folder) = gather::data("exchange-log-formats") else { return };
    let expected = std::fs::read_to_string(folder.join("iis/expected-plaso.json")).unwrap();
    let expected: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&expected).unwrap();
    for (name, expected) in expected.iter().filter(|(_, value)| value.is_object()) {
        let gathered = gather::all(&[folder.join("iis/plaso").join(name)], &Limits::default());
        let item = &gathered.items[0];
        assert_eq!(item.item.records, expected["records"].as_u64().unwrap(), "{name}");
        let Some(first) = expected.get("first") else { continue };
        let time = first["time"].as_str().unwrap().replace("+00:00", "Z");
        assert!(item.records[0].contains(&time), "{name}: {}", item.records[0]);
        for (key, column) in [
            ("dest_ip", "s-ip"),
            ("dest_port", "s-port"),
            ("http_method", "cs-method"),
            ("http_status", "sc-status"),
            ("stem", "cs-uri-stem"),
            ("source_ip", "c-ip"),
            ("user_agent", "cs(User-Agent)"),
        ] {
            let Some(value) = first.get(key) else { continue };
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_string);
            let line = format!("\n  {column} = {value:?}");
            assert!(item.records[0].contains(&line), "{name}: {line} in {}", item.records[0]);
        }
    }
}

#[test]
fn attack_samples_are_read_whole() {
    let Some(folder) = gather::data("evtx-attack-samples") else { return };
    let inventory = std::fs::read_to_string(folder.join("inventory.jsonl")).unwrap();
    let gathered = gather::all(std::slice::from_ref(&folder), &Limits::default());
    let items: BTreeMap<&str, _> =
        gathered.items.iter().map(|item| (item.item.path.as_str(), &item.item)).collect();
    for line in inventory.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let path = format!("{}/{}", folder.display(), line["path"].as_str().unwrap());
        let item = items.get(path.as_str()).unwrap_or_else(|| std::panic::panic_any(path.clone()));
        assert_eq!(item.format, Some("evtx"), "{path}");
        assert_eq!(item.records, line["records"].as_u64().unwrap(), "{path}");
        let hash: String = item.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, line["sha256"].as_str().unwrap(), "{path}");
        assert_eq!(item.size_bytes, line["size"].as_u64().unwrap(), "{path}");
    }
}

#[test]
fn recorded_events_are_read_from_their_archives() {
    let Some(folder) = gather::data("otrf-security-datasets") else { return };
    let folder = folder.join("datasets/atomic/windows/defense_evasion/host");
    let names =
        ["cmd_bitsadmin_download_psh_script.zip", "empire_enable_rdp.tar.gz", "wmic_remote_xsl_jscript.zip"];
    let gathered = gather::all(&names.map(|name| folder.join(name)), &Limits::default());
    let counts: Vec<u64> = gathered.items.iter().map(|item| item.item.records).collect();
    assert_eq!(counts, [424, 2668, 1364]);
    // One of the three ends before its gzip stream does.
    assert_eq!(gathered.kinds(), ["truncated"]);
    for record in gathered.items.iter().flat_map(|item| &item.records) {
        for needed in ["\n  EventID = ", "\n  Channel = ", "\n  Computer = "] {
            assert!(record.contains(needed), "{needed} in {record}");
        }
    }
}

#[test]
fn order_and_threads_change_nothing() {
    let Some(folder) = gather::data("otrf-security-datasets") else { return };
    let Some(logs) = gather::data("exchange-log-formats") else { return };
    let host = folder.join("datasets/atomic/windows/defense_evasion/host");
    let mut paths =
        vec![host.join("wmic_remote_xsl_jscript.zip"), host.join("empire_enable_rdp.tar.gz"), logs.clone()];
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let one = pool(1).install(|| gather::all(&paths, &Limits::default()));
    paths.reverse();
    // A file that two arguments hold is one item.
    paths.push(logs.join("samples/ECPServer20230111-1.LOG"));
    let four = pool(4).install(|| gather::all(&paths, &Limits::default()));
    assert_eq!(one.items, four.items);
    assert_eq!(one.problems, four.problems);
}
