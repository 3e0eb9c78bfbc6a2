//! Files of many batches: every record has its own place, whatever the cuts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gather;

use evidence::Limits;
use gather::GatheredItem;

fn read(bytes: &[u8]) -> GatheredItem {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x"), bytes).unwrap();
    gather::all(&[folder.path().to_path_buf()], &Limits::default()).items.remove(0)
}

/// Each record shows the mark that stands at its offset, and its line.
#[track_caller]
fn check(bytes: &[u8], records: usize, mark: &str) -> GatheredItem {
    let item = read(bytes);
    assert_eq!(item.records.len(), records, "{:?}", item.item.problems);
    let (mut line, mut counted) = (1, 0);
    for record in &item.records {
        let mut words = record.trim_start_matches('@').split(' ');
        let offset: usize = words.next().unwrap().parse().unwrap();
        line += bytes[counted..offset].iter().filter(|byte| **byte == b'\n').count();
        counted = offset;
        assert_eq!(words.nth(1).unwrap(), line.to_string(), "{record}");
        let rest = &bytes[offset..bytes.len().min(offset + 200)];
        let at = rest.windows(mark.len()).position(|window| window == mark.as_bytes()).unwrap();
        let shown: String = rest[at..].iter().take(mark.len() + 7).map(|byte| char::from(*byte)).collect();
        assert!(record.contains(&shown), "{shown} in {record}");
    }
    item
}

#[test]
fn w3c_headers_hold_beyond_their_batch() {
    let mut log = String::from("#Software: x\r\n");
    for n in 0..60_000 {
        if n % 20_000 == 0 {
            let order = if n == 20_000 { "cs-uri-stem c-ip" } else { "c-ip cs-uri-stem" };
            log += &format!(
                "#Date: 2021-03-0{} 00:00:00\r\n#Fields: time {order} sc-status\r\n",
                n / 20_000 + 1
            );
        }
        let (a, b) = ("203.0.113.7", format!("/mark{n:07}"));
        let both = if n / 20_000 == 1 { format!("{b} {a}") } else { format!("{a} {b}") };
        log += &format!("00:{:02}:{:02} {both} 200\r\n", n / 60 % 60, n % 60);
    }
    let item = check(log.as_bytes(), 60_000, "/mark");
    for (n, record) in item.records.iter().enumerate() {
        let day = format!("2021-03-0{}T", n / 20_000 + 1);
        assert!(record.contains(&day) && record.contains("c-ip = \"203.0.113.7\""), "{record}");
    }
    assert_eq!(item.item.problems, []);
}

#[test]
fn quoted_line_ends_are_never_cut() {
    let mut log = String::from("#Software: Microsoft Exchange Server\n#Fields: DateTime,Mark,Text\n");
    for n in 0..40_000 {
        let text = if n % 3 == 0 { "\"a\n\"\"b\"\",\n\nc\"" } else { "plain" };
        log += &format!("2021-03-04T11:20:05.{:03}Z,mark{n:07},{text}\n", n % 1_000);
    }
    let item = check(log.as_bytes(), 40_000, "mark");
    assert!(item.records[39_999].contains("Text = \"a\\n\\\"b\\\",\\n\\nc\""), "{}", item.records[39_999]);
    assert_eq!(item.item.problems, []);
}

#[test]
fn an_array_without_line_ends_is_cut_between_its_members() {
    let event = |n: usize| format!("{{\"EventID\":1,\"Channel\":\"A\",\"Data\":\"}},{{\\\"mark{n:07}\"}}");
    let events: Vec<String> = (0..60_000).map(event).collect();
    check(format!("[{}]", events.join(", ")).as_bytes(), 60_000, "mark");
}

#[test]
fn a_line_beyond_the_limit_is_one_loss() {
    let frame = "#Software: x\n#Fields: time c-ip cs-uri-stem\n";
    let good = "00:00:01 203.0.113.7 /mark0000001\n";
    let long = "x".repeat(9 << 20);
    let log = format!("{frame}{good}{long}\n{good}");
    let item = check(log.as_bytes(), 2, "/mark");
    let kinds: Vec<_> = item.item.problems.iter().map(|problem| (problem.kind, problem.offset)).collect();
    assert_eq!(kinds, [("limit", Some((frame.len() + good.len()) as u64))]);
}
