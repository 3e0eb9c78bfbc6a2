//! Disk images: what lies in them, what was deleted, what hides in a stream.
//!
//! The volume is made by hand, so that its times are known; volumes made by
//! NTFS tools are in the tests of room `evidence`.

use crate::{json, json_lines, scan};
use assay::Exit;
use disk::sample::{self, DATA, FILE_NAME, STANDARD_INFORMATION, record, reference, resident};
use serde_json::Value;
use std::fs;

/// 2021-03-04T11:31:47Z, as Windows counts.
const WRITTEN: u64 = 132_593_311_070_000_000;

/// A page that evaluates what is sent; in pieces, so that this file is none.
fn shell(parameter: &str) -> Vec<u8> {
    ["<%@ Page Language=\"Jscript\"%>\r\n<%", "ev", "al(Requ", "est[\"", parameter, "\"],\"unsafe\");%>"]
        .concat()
        .into_bytes()
}

/// A server's disk: a shell that lies there, one that was deleted, and one in
/// a stream of a text.
fn server() -> Vec<u8> {
    let file = |sequence, flags, parent, name, data: &[Vec<u8>]| {
        let named = resident(FILE_NAME, "", &sample::file_name(parent, name, WRITTEN));
        let times = resident(STANDARD_INFORMATION, "", &sample::times(WRITTEN));
        record(sequence, flags, 0, &[&[times, named], data].concat())
    };
    let page = |parameter| resident(DATA, "", &shell(parameter));
    let (root, www) = (reference(5, 5), reference(21, 1));
    let hidden = [resident(DATA, "", b"nothing"), resident(DATA, "s.aspx", &shell("c"))];
    let records = [
        (19, file(1, 3, root, "Windows", &[])),
        (20, file(1, 3, root, "inetpub", &[])),
        (21, file(1, 3, reference(20, 1), "wwwroot", &[])),
        (22, file(1, 1, www, "here.aspx", &[page("a")])),
        (23, file(2, 0, www, "gone.aspx", &[page("b")])),
        (24, file(1, 1, www, "text.txt", &hidden)),
    ];
    sample::volume(&records, &[])
}

/// Each finding of a shell: its path and its time.
fn shells(image: &str, bytes: &[u8]) -> Vec<[String; 2]> {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join(image);
    fs::write(&path, bytes).unwrap();
    let (ran, out) = scan(&[&path], scratch.path(), &[]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let case = json(&out.join("case.json"));
    let formats: Vec<&Value> =
        case["evidence"].as_array().unwrap().iter().map(|item| &item["format"]).collect();
    assert!(formats.contains(&&"disk-image".into()) && formats.contains(&&"mft".into()), "{formats:?}");
    let found = json_lines(&out.join("findings.jsonl"));
    let own =
        found.iter().filter(|one| one["rule_title"] == "Script that evaluates what the requester sends");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    own.map(|one| [text(&one["fields"]["Path"]), text(&one["time"])]).collect()
}

#[test]
fn shells_in_an_image_are_found_with_their_times() {
    let disk = server();
    let expected = ["gone.aspx", "here.aspx", "text.txt:s.aspx"]
        .map(|name| [format!("C:\\inetpub\\wwwroot\\{name}"), "2021-03-04T11:31:47Z".into()]);
    assert_eq!(shells("server.dd", &disk), expected);
    assert_eq!(shells("server.vhd", &sample::vhd(&disk)), expected);
    assert_eq!(shells("server.E01", &sample::ewf(&disk)), expected);
}
