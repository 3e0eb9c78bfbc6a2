//! `sessions.json`: who started what, and who logged on from where.

use crate::{json, scan};
use serde_json::Value;
use std::fmt::Write as _;

/// Starts of processes as Security 4688 tells of them: minute, program, its
/// number, that of its parent, the parent's program.
fn security(starts: &[(u32, &str, u32, u32, &str)]) -> String {
    let mut lines = String::new();
    for (index, (minute, program, number, parent, parent_program)) in starts.iter().enumerate() {
        writeln!(
            lines,
            r#"{{"EventID":4688,"Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","RecordNumber":{index},"EventTime":"2021-03-05 10:{minute:02}:00","@timestamp":"2021-03-05T10:{minute:02}:00.000Z","Hostname":"MXS01.example.test","NewProcessName":"C:\\Windows\\{program}","NewProcessId":"0x{number:x}","ProcessId":"0x{parent:x}","ParentProcessName":"C:\\Windows\\{parent_program}","CommandLine":"{program} {index}"}}"#
        )
        .unwrap();
    }
    lines
}

/// The trees of a log, each line indented by its depth.
fn trees(log: &str) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let input = scratch.path().join("Security.jsonl");
    std::fs::write(&input, log).unwrap();
    let (ran, out) = scan(&[&input], scratch.path(), &[]);
    assert_eq!(ran.exit, assay::Exit::Done, "{}", ran.stderr);
    let sessions = json(&out.join("sessions.json"));
    let processes = sessions["processes"].as_array().unwrap();
    let mut depths: Vec<usize> = Vec::new();
    let mut shown = String::new();
    for process in processes {
        let depth = process["parent"].as_u64().map_or(0, |parent| depths[parent as usize] + 1);
        depths.push(depth);
        let name = process["image"].as_str().unwrap().rsplit('\\').next().unwrap();
        let told = if process["time"] == Value::Null { " (told)" } else { "" };
        writeln!(shown, "{}{name}{told}", "  ".repeat(depth)).unwrap();
    }
    shown
}

#[test]
fn a_tree_goes_up_to_what_is_known_and_down_to_all_that_was_started() {
    // Numbers are used again: 500 is first notepad, then the shell's child.
    let log = security(&[
        (1, "notepad.exe", 500, 400, "explorer.exe"),
        (2, "calc.exe", 501, 500, "notepad.exe"),
        (10, "cmd.exe", 600, 44, "w3wp.exe"),
        (11, "whoami.exe", 500, 600, "cmd.exe"),
        (12, "conhost.exe", 502, 500, "whoami.exe"),
        (13, "mspaint.exe", 700, 400, "explorer.exe"),
    ]);
    assert_eq!(trees(&log), "w3wp.exe (told)\n  cmd.exe\n    whoami.exe\n      conhost.exe\n");
}

#[test]
fn a_ring_of_numbers_ends() {
    let log = security(&[(1, "cmd.exe", 600, 601, "w3wp.exe"), (1, "cmd.exe", 601, 600, "w3wp.exe")]);
    assert_eq!(trees(&log).lines().count(), 2);
}

#[test]
fn logons_are_counted_by_source_and_account() {
    let logon = |id: u32, kind: u32, address: &str, computer: &str| {
        format!(
            r#"{{"EventID":{id},"Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","@timestamp":"2021-03-05T10:00:00.000Z","Hostname":"MXS02.example.test","TargetUserName":"jane","TargetDomainName":"EXAMPLE","LogonType":{kind},"IpAddress":"{address}","WorkstationName":"{computer}"}}"#
        )
    };
    let lines = [
        logon(4624, 3, "192.0.2.4", "MXS02"),
        logon(4624, 3, "::ffff:192.0.2.4", "MXS02"),
        logon(4625, 3, "192.0.2.4", "-"),
        logon(4624, 2, "127.0.0.1", "MXS02"),
        logon(4624, 10, "198.51.100.7", "-"),
    ];
    let scratch = tempfile::tempdir().unwrap();
    let input = scratch.path().join("Security.jsonl");
    std::fs::write(&input, lines.join("\n")).unwrap();
    let (_, out) = scan(&[&input], scratch.path(), &[]);
    let sessions = json(&out.join("sessions.json"));
    let logons = sessions["logons"].as_array().unwrap().iter();
    let shown = logons.map(|one| {
        format!("{} {} {} {} {}", one["host"], one["source"], one["user"], one["kind"], one["count"])
    });
    let shown: Vec<String> = shown.map(|text| text.replace('"', "")).collect();
    let expect = [
        "MXS02 192.0.2.4 EXAMPLE\\\\jane failed 1",
        "MXS02 192.0.2.4 EXAMPLE\\\\jane network 2",
        "MXS02 198.51.100.7 EXAMPLE\\\\jane remote desktop 1",
    ];
    assert_eq!(shown, expect);
}
