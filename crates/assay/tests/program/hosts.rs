//! Which host a log is said to be of, and how we know.

use crate::logs::{event, httpproxy, iis, put, zip};
use crate::{json, scan, shared_data};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// `path: hosts by basis` of each item of `case.json`.
fn items(evidence: &Path, case: &Value) -> Vec<String> {
    let root = format!("{}/", evidence.display());
    let item = |item: &Value| {
        let path = item["paths"][0].as_str().unwrap().replacen(&root, "", 1);
        let hosts = item["hosts"].as_array().unwrap().iter();
        let hosts: Vec<&str> = hosts.map(|host| host.as_str().unwrap()).collect();
        format!("{path}: {} by {}", hosts.join(" "), item["host_basis"].as_str().unwrap_or("nothing"))
    };
    case["evidence"].as_array().unwrap().iter().map(item).collect()
}

#[track_caller]
fn check(files: &[(&str, &[u8])], more: &[&str], expect: &[&str]) {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    files.iter().for_each(|(path, bytes)| put(&evidence, path, bytes));
    let (_, out) = scan(&[&evidence], scratch.path(), more);
    assert_eq!(items(&evidence, &json(&out.join("case.json"))), expect);
}

#[test]
fn a_collection_of_one_exchange_host_names_its_iis_logs() {
    let (one, two, iis) = (httpproxy("mxs01.example.test"), httpproxy("MXS02"), iis([1]));
    let packed = zip(&[
        ("HttpProxy.log", httpproxy("MXS03").as_bytes()),
        ("u_ex.log", crate::logs::iis([3]).as_bytes()),
    ]);
    let files: [(&str, &[u8]); 6] = [
        ("1/HttpProxy.log", one.as_bytes()),
        ("1/W3SVC1/u_ex.log", iis.as_bytes()),
        ("2/HttpProxy.log", two.as_bytes()),
        ("2/W3SVC1/u_ex.log", &crate::logs::iis([2]).into_bytes()),
        ("3.zip", &packed),
        ("u_ex.log", &crate::logs::iis([4]).into_bytes()),
    ];
    let named = [
        "1/HttpProxy.log: MXS01 by log",
        "1/W3SVC1/u_ex.log: MXS01 by collection-root",
        "2/HttpProxy.log: MXS02 by log",
        "2/W3SVC1/u_ex.log: MXS02 by collection-root",
        "3.zip!HttpProxy.log: MXS03 by log",
        "3.zip!u_ex.log: MXS03 by collection-root",
    ];
    check(&files, &[], &[&named[..], &["u_ex.log:  by nothing"]].concat());
    check(
        &files,
        &["--host", "asked.example.test"],
        &[&named[..], &["u_ex.log: ASKED by argument"]].concat(),
    );
}

#[test]
fn forwarded_events_belong_to_their_own_computer() {
    let computers = ["A", "B", "A", "C", "B", "A"];
    let log: String = computers.iter().map(|computer| event("Security", computer, "x", 4624, 1)).collect();
    check(&[("Forwarded.json", log.as_bytes())], &[], &["Forwarded.json: A B C by log"]);
}

#[test]
fn chunks_of_two_servers_in_one_file_are_two_hosts() {
    // What a collector of forwarded events has: one file, other channels, other computers.
    let log = |host: &str, name: &str| {
        let logs = format!("examples/exchange-2021/{host}/C/Windows/System32/winevt/Logs/{name}.evtx");
        fs::read(crate::workspace().join(logs)).unwrap()
    };
    let mut both = log("MXS01", "Security");
    both.extend_from_slice(&log("MXS02", "System")[4_096..]);
    // Open when it was copied: its header does not count the later chunks yet.
    both[120] |= 1;
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    put(&evidence, "ForwardedEvents.evtx", both);
    let (_, out) = scan(&[&evidence], scratch.path(), &[]);
    assert_eq!(items(&evidence, &json(&out.join("case.json"))), ["ForwardedEvents.evtx: MXS01 MXS02 by log"]);
    let coverage = json(&out.join("coverage.json"));
    let logs = coverage["logs"].as_array().unwrap().iter().filter(|log| log["part"] == "");
    let logs: Vec<_> =
        logs.map(|log| (log["host"].as_str().unwrap(), log["log"].as_str().unwrap())).collect();
    assert_eq!(logs, [("MXS01", "security"), ("MXS02", "system")]);
}

#[test]
fn a_computer_renamed_in_mid_log_is_one_host_with_two_names() {
    let Some(data) = shared_data() else { return };
    let whole = fs::read(data.join("evtx-parser-samples/omer/security.evtx")).unwrap();
    // Even where a chunk of the log is lost.
    let mut damaged = whole.clone();
    damaged[4_096 + 2 * 65_536..4_096 + 3 * 65_536].fill(0);
    for bytes in [whole, damaged] {
        let scratch = tempfile::tempdir().unwrap();
        put(scratch.path(), "Security.evtx", bytes);
        let log = scratch.path().join("Security.evtx");
        let (_, out) = scan(&[&log], scratch.path(), &[]);
        let hosts = &json(&out.join("case.json"))["hosts"];
        assert_eq!(hosts.as_array().unwrap().len(), 1, "{hosts}");
        assert_eq!(hosts[0]["also"].as_array().unwrap().len(), 1, "{hosts}");
    }
}
