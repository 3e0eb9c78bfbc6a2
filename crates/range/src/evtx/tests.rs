//! Written logs read back by another parser, checksums and all.

use super::*;
use ::evtx::{EvtxParser, ParserSettings};
use std::io::Cursor;

const SYSMON: Provider = Provider {
    name: "Microsoft-Windows-Sysmon",
    guid: Some([7; 16]),
    channel: "Microsoft-Windows-Sysmon/Operational",
};
const CLASSIC: Provider =
    Provider { name: "MSExchange CmdletLogs", guid: None, channel: "MSExchange Management" };

fn kind(provider: Provider, id: u16, qualifiers: Option<u16>) -> Kind {
    Kind { provider, id, qualifiers, version: 5, level: 4, task: 1, opcode: 0, keywords: 1 << 63 }
}

fn event(seconds: i64, kind: Kind, body: Body) -> Event {
    let time = Timestamp::from_nanos((1_614_729_600 + seconds) * 1_000_000_000 + 123_456_700);
    Event { time, kind, process_id: 2_840, thread_id: 3_012, user: Some(Sid::system()), body }
}

/// XML of every record, by another parser, which also checks both checksums.
fn xml(bytes: &[u8]) -> Vec<String> {
    let settings = ParserSettings::default().validate_checksums(true).num_threads(1);
    let mut parser =
        EvtxParser::from_read_seek(Cursor::new(bytes.to_vec())).unwrap().with_configuration(settings);
    parser.records().map(|record| record.unwrap().data).collect()
}

fn samples(count: i64) -> Vec<Option<Event>> {
    (0..count)
        .map(|second| {
            let body = match second % 3 {
                0 => Body::Named(vec![
                    ("RuleName", Field::text("")),
                    ("Image", Field::text(format!("C:\\Windows\\{second}\\é.exe"))),
                    ("ProcessGuid", Field::Guid([second as u8; 16])),
                    ("ProcessId", Field::U32(second as u32)),
                    ("LogonId", Field::Hex64(0x3e7)),
                    ("Sid", Field::Sid(Sid::account(500))),
                    ("Gone", Field::Null),
                ]),
                1 => Body::Unnamed(vec!["Set-OabVirtualDirectory".into(), "a <b> & c".into(), String::new()]),
                _ => Body::UserData("LogFileCleared", vec![("Channel", Field::text("System"))]),
            };
            let kind = match second % 3 {
                0 => kind(SYSMON, 1, None),
                1 => kind(CLASSIC, 1, Some(16_384)),
                _ => kind(SYSMON, 104, None),
            };
            Some(event(second, kind, body))
        })
        .collect()
}

#[test]
fn every_record_reads_back() {
    let bytes = file_bytes("MXS01.example.test", 7, &samples(300)).unwrap();
    let records = xml(&bytes);
    assert_eq!(records.len(), 300);
    for (index, xml) in records.iter().enumerate() {
        assert!(xml.contains(&format!("<EventRecordID>{}</EventRecordID>", index + 7)), "{xml}");
        assert!(xml.contains("<Computer>MXS01.example.test</Computer>"), "{xml}");
    }
    let first = &records[0];
    for part in [
        r#"<Provider Name="Microsoft-Windows-Sysmon" Guid="{07070707-0707-0707-0707-070707070707}"/>"#,
        r#"SystemTime="2021-03-03T00:00:00.1234567Z""#,
        r#"<Data Name="Image">C:\Windows\0\é.exe</Data>"#,
        r#"<Data Name="LogonId">0x3e7</Data>"#,
        r#"<Data Name="Sid">S-1-5-21-1004336348-1177238915-682003330-500</Data>"#,
        r#"<Security UserID="S-1-5-18"/>"#,
    ] {
        assert!(first.contains(part), "{part} not in {first}");
    }
    assert!(records[1].contains(r#"<EventID Qualifiers="16384">1</EventID>"#), "{}", records[1]);
    assert!(records[1].contains("<Data>a &lt;b&gt; &amp; c</Data>"), "{}", records[1]);
    assert!(records[2].contains("<Channel>System</Channel>"), "{}", records[2]);
}

#[test]
fn definitions_stand_once_in_a_chunk() {
    let bytes = file_bytes("MXS01.example.test", 1, &samples(30)).unwrap();
    let name: Vec<u8> = "EventRecordID".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(bytes.windows(name.len()).filter(|window| *window == name).count(), 1);
}

#[test]
fn left_out_numbers_leave_a_jump() {
    let mut events = samples(6);
    events.insert(3, None);
    let records = xml(&file_bytes("MXS01.example.test", 1, &events).unwrap());
    assert!(records[2].contains("<EventRecordID>3</EventRecordID>"));
    assert!(records[3].contains("<EventRecordID>404</EventRecordID>"));
}

#[test]
fn names_hash_as_windows_hashes_them() {
    assert_eq!(chunk::name_hash("Event"), 0x0cba);
    assert_eq!(chunk::name_hash("Name"), 0x954b);
}

#[test]
fn an_empty_log_is_a_log() {
    assert!(xml(&file_bytes("MXS01.example.test", 1, &[]).unwrap()).is_empty());
}
