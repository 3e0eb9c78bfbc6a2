//! Which files are looked at as pages: whatever a server would run, and what is
//! script by what stands in it; nothing that only quotes a script.
//!
//! The shells here are put together in memory and lie in archives only.

use crate::logs::{iis, put, zip};
use crate::{json, json_lines, scan, shared_data, workspace};
use serde_json::Value;
use std::path::Path;

/// A page that evaluates what is sent; in pieces, so that this file is none.
fn shell() -> String {
    ["<%@ Page Language=\"Jscript\"%><%", "ev", "al(Requ", "est[\"x\"],\"unsafe\");%>\r\n"].concat()
}

/// The paths, below the archive, of what was found to be a shell, and the coverage.
fn shells(members: &[(&str, &[u8])]) -> (Vec<String>, Value) {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    put(&evidence, "a.zip", zip(members));
    let (_, out) = scan(&[&evidence], scratch.path(), &[]);
    let mut paths: Vec<String> = shells_of(&out).iter().map(|one| text(&one["fields"]["Path"])).collect();
    paths.sort();
    (paths, json(&out.join("coverage.json")))
}

fn shells_of(out: &Path) -> Vec<Value> {
    let evaluates = |one: &Value| one["rule_title"] == "Script that evaluates what the requester sends";
    json_lines(&out.join("findings.jsonl")).into_iter().filter(evaluates).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

/// The shell behind `before`, at `path`.
#[track_caller]
fn check(path: &str, before: &str, expect: bool) {
    let page = [before, &shell()].concat();
    let (found, coverage) = shells(&[(path, page.as_bytes())]);
    assert_eq!(!found.is_empty(), expect, "{path}: {before:?}: {coverage:#}");
}

#[test]
fn a_page_is_looked_at_whatever_it_begins_like() {
    let log = iis([1, 2, 3]);
    let beginnings = [
        log.as_str(),
        "2021-03-04 10:00:00 GET / - 200 ",
        "Mar  4 10:00:00 mx1 sshd[12]: Accepted password for a from 192.0.2.1 port 22 ssh2\n",
        "a,b,c\r\n1,2,3\r\n4,5,6\r\n",
        "{\"EventID\":1,\"Channel\":\"a\"}\n",
        "<?xml version=\"1.0\"?>\n<configuration><system.webServer><handlers/></system.webServer></configuration>\n<!--",
        "# A title\n\nA sentence of more than five words. ",
        "regf\0\0\0\0",
        "PK\u{3}\u{4} ",
        "Rar!\u{1a}\u{7} ",
    ];
    for before in beginnings {
        check("C/inetpub/wwwroot/a.aspx", before, true);
        check("C/x/web.config", before, true);
    }
    // In a web folder, whatever its name.
    check("C/inetpub/wwwroot/a.jpg", &log, true);
    check("C/inetpub/wwwroot/a.log", "a,b,c\r\n1,2,3\r\n4,5,6\r\n", true);
    // Nowhere and of no name, where a line begins with script.
    check("C/Windows/Temp/a.txt", &log, true);
    check("C/Windows/Temp/a", "", true);
}

#[test]
fn what_quotes_a_shell_is_none() {
    check("C/inetpub/logs/LogFiles/W3SVC1/u_ex1.log", &iis([1, 2, 3]), false);
    check("C/x/u_ex1.log", &format!("{}2021-03-01 04:20:05 192.0.2.1 GET /?", iis([1])), false);
    check("C/Users/a/notes.md", "# Notes\n\n```\n", false);
    check("C/Users/a/notes.txt", "This is what we found in the folder on that day:\n\n", false);
    check("C/Users/a/notes.txt", "found `", false);
    check("C/tools/a.yar", "rule a { strings: $a = \"", false);
    check("C/tools/a.yml", "title: a\ndetection:\n  text: |\n    ", false);
    check("C/a/capture.txt", "POST /a.aspx HTTP/1.1\r\nHost: mx1\r\n\r\n", false);
}

#[test]
fn a_page_too_large_is_looked_at_from_its_beginning() {
    let page = [shell().as_bytes(), &vec![b' '; 9 << 20]].concat();
    let (found, coverage) = shells(&[("C/inetpub/wwwroot/a.aspx", &page)]);
    assert_eq!(found, ["C:\\inetpub\\wwwroot\\a.aspx"]);
    let problem = &coverage["items"][0]["problems"][0];
    assert_eq!((&problem["kind"], &problem["offset"]), (&"limit".into(), &(8 << 20).into()), "{coverage:#}");
    // No server runs this one.
    assert_eq!(shells(&[("C/x/a.txt", &page)]).0, Vec::<String>::new());
}

#[test]
fn what_rules_looked_at_is_said_to_be() {
    let (_, coverage) = shells(&[("C/inetpub/wwwroot/a.aspx", b"<% f(1) %>"), ("big", &vec![b' '; 9 << 20])]);
    let items = coverage["items"].as_array().unwrap().iter();
    let notes: Vec<String> = items.map(|item| text(&item["note"])).collect();
    assert_eq!(notes, ["no log that is known: rules have looked at its content", "not read: format unknown"]);
}

#[test]
fn our_own_texts_are_no_shells() {
    let folders = ["docs", "cases", "rules", "casebook", "crates/script/src", "crates/assay/tests"];
    let data = shared_data();
    let known = data.iter().flat_map(|data| {
        ["exchange-log-formats", "yara-rules", "sigma-rules/rules/web"].map(|name| data.join(name))
    });
    for folder in folders.map(|name| workspace().join(name)).into_iter().chain(known) {
        let scratch = tempfile::tempdir().unwrap();
        let (_, out) = scan(&[&folder], scratch.path(), &[]);
        let files = json_lines(&out.join("findings.jsonl")).into_iter();
        let loud = |one: &Value| {
            one["fields"]["SHA256"].is_string() && matches!(one["level"].as_str(), Some("high" | "critical"))
        };
        assert_eq!(files.filter(loud).collect::<Vec<_>>(), Vec::<Value>::new(), "{}", folder.display());
    }
}
