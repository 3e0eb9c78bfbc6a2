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

/// In UTF-16, of either order, the unit at each record's offset begins its line.
#[test]
fn offsets_of_utf_16_are_those_of_the_item() {
    let mut log = String::from("\u{feff}");
    for n in 0..30_000 {
        log += &format!(
            "203.0.113.7 - Jürgen€😀 [04/Mar/2021:11:20:05 +0000] \"GET /mark{n:07} HTTP/1.1\" 200 1\r\n"
        );
    }
    let orders: [fn(u16) -> [u8; 2]; 2] = [u16::to_le_bytes, u16::to_be_bytes];
    for order in orders {
        let bytes: Vec<u8> = log.encode_utf16().flat_map(order).collect();
        let item = read(&bytes);
        assert_eq!((item.item.format, item.item.size_bytes), (Some("ncsa"), bytes.len() as u64));
        assert_eq!((item.records.len(), &item.item.problems), (30_000, &Vec::new()));
        for (n, record) in item.records.iter().enumerate() {
            let mut words = record.trim_start_matches('@').split(' ');
            let offset: usize = words.next().unwrap().parse().unwrap();
            assert_eq!(words.nth(1).unwrap(), (n + 1).to_string());
            // The first line begins with the mark.
            let at = offset + if n == 0 { 2 } else { 0 };
            assert_eq!(bytes[at..at + 4], [order(b'2'.into()), order(b'0'.into())].concat());
            assert!(record.contains(&format!("/mark{n:07}\"")) && record.contains("Jürgen€😀"), "{record}");
        }
    }
}

#[test]
fn days_go_on_over_batches() {
    let mut log = String::from("#Date: 2021-03-04 23:00:00\n#Fields: time c-ip cs-uri-stem\n");
    for n in 0..60_000 {
        let second = n * 5 % 86_400;
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        log += &format!("{hour:02}:{minute:02}:{:02} 203.0.113.7 /mark{n:07}\n", second % 60);
    }
    let item = check(log.as_bytes(), 60_000, "/mark");
    for (n, record) in item.records.iter().enumerate() {
        assert!(record.contains(&format!(" 2021-03-0{}T", 4 + n * 5 / 86_400)), "{record}");
    }
}

#[test]
fn events_of_auditd_stay_together() {
    let mut log = String::new();
    let line =
        |kind: &str, n: usize, rest: &str| format!("type={kind} msg=audit(1614856805.123:{n}): {rest}\n");
    for n in 0..12_000 {
        log += &line("SYSCALL", n, "arch=c000003e syscall=59 exe=\"/usr/bin/dash\" uid=33");
        // Two events at once.
        if n % 7 == 0 {
            log += &line("USER_END", 100_000 + n, "msg='op=x'");
        }
        log += &line("EXECVE", n, &format!("argc=2 a0=\"sh\" a1=\"mark{n:07}\""));
        log += &line("CWD", n, "cwd=\"/var/www\"");
    }
    let item = read(log.as_bytes());
    let (calls, others): (Vec<_>, Vec<_>) = item.records.iter().partition(|record| record.contains("EXECVE"));
    assert_eq!((calls.len(), others.len(), item.item.problems.len()), (12_000, 1_715, 0));
    for (n, record) in calls.iter().enumerate() {
        assert!(record.contains(&format!("CommandLine = \"sh mark{n:07}\"")), "{record}");
        assert!(record.contains("exe = ") && record.contains("cwd = "), "{record}");
    }
}

#[test]
fn entries_of_the_journal_are_never_cut() {
    let mut log: Vec<u8> = Vec::new();
    for n in 0..20_000 {
        let text = format!("a\n\n__CURSOR=b\nmark{n:07}");
        log.extend(format!("__CURSOR=s={n}\n__REALTIME_TIMESTAMP=1614856805123456\nMESSAGE\n").bytes());
        log.extend((text.len() as u64).to_le_bytes());
        log.extend(format!("{text}\n_PID=7\n\n").bytes());
    }
    let item = check(&log, 20_000, "mark");
    assert_eq!((item.item.format, item.item.problems.len()), (Some("journal-export"), 0));
}

#[test]
fn a_missing_year_is_told_once() {
    let mut log = String::new();
    for n in 0..30_000 {
        log += &format!("Mar  4 11:20:05 web01 sshd[7]: Invalid user mark{n:07} from 203.0.113.7 port 22\n");
    }
    let item = check(log.as_bytes(), 30_000, "mark");
    let kinds: Vec<_> = item.item.problems.iter().map(|problem| (problem.kind, problem.offset)).collect();
    assert_eq!(kinds, [("no-year", Some(0))]);
}
