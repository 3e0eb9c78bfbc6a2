//! What is found, and above all what is not; the fast matcher against the naive one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use indicator::{IndicatorSet, Worker, naive};
use model::{LogFamily, Position, Record, Shape, Slot, Value};
use std::sync::Arc;

fn set(lines: &str) -> IndicatorSet {
    let mut set = IndicatorSet::default();
    set.load("list", lines.as_bytes());
    assert_eq!(set.files()[0].not_loaded, [], "{lines}");
    set
}

/// What both matchers find in a record of named values.
fn found(set: &IndicatorSet, values: &[(&str, Value<'_>)]) -> Vec<String> {
    let slots = values.iter().map(|(name, _)| Slot::new(name)).collect();
    let shape = Arc::new(Shape::new(LogFamily::Other, "", slots, true));
    let values: Vec<Value<'_>> = values.iter().map(|(_, value)| *value).collect();
    let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
    let mut fast = Vec::new();
    let mut worker = Worker::new(set);
    for _ in 0..2 {
        // The second time from memory.
        fast.clear();
        worker.find(&record, &mut |id, _| fast.push(id));
    }
    if !values.iter().any(|value| matches!(value, Value::Binary(_))) {
        assert_eq!(fast, naive::find(set, &record), "{values:?}");
    }
    fast.iter().map(|id| set.indicator(*id).value()).collect()
}

#[track_caller]
fn check(lines: &str, slot: &str, text: &str, expect: &[&str]) {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let set = set(lines);
    for value in [Value::Utf8(text), Value::Utf16(&wide), Value::List(&[Value::Int(1), Value::Utf8(text)])] {
        assert_eq!(found(&set, &[(slot, value)]), expect, "{lines} in {text}");
    }
}

#[test]
fn addresses_are_whole() {
    let hits = [
        "192.0.2.7",
        "x 192.0.2.7:443.",
        "ip=192.0.2.7,b",
        "http://192.0.2.7/x",
        "::ffff:192.0.2.7",
        "%3A192.0.2.7",
    ];
    hits.iter().for_each(|text| check("192.0.2.7", "a", text, &["192.0.2.7"]));
    let misses = [
        "1192.0.2.7",
        "192.0.2.70",
        "192.0.2.7.1",
        "1.192.0.2.7",
        "v192.0.2.7",
        "192.0.2.7a",
        "192.0.2",
        "192.0.2.7-x",
    ];
    misses.iter().for_each(|text| check("192.0.2.7", "a", text, &[]));
    let hits = [
        "2001:db8::1",
        "[2001:DB8:0:0::1]:443",
        "src:2001:db8::1, x",
        "fe80::1 2001:db8::1.",
        "2001:db8::1%3",
    ];
    hits.iter().for_each(|text| check("2001:db8::1", "a", text, &["2001:db8::1"]));
    let misses = ["2001:db8::11", "2001:db8::1:1", "12001:db8::1", "2001:db8::1x", "11:20:05"];
    misses.iter().for_each(|text| check("2001:db8::1", "a", text, &[]));
    check(
        "203.0.113.0/25\n203.0.113.9",
        "a",
        "203.0.113.9 203.0.113.200",
        &["203.0.113.0/25", "203.0.113.9"],
    );
    check("2001:db8:5::/48", "a", "2001:db8:5:1::9", &["2001:db8:5::/48"]);
}

#[test]
fn domains_with_what_is_below() {
    let hits = [
        "evil.example",
        "a.b.EVIL.example.",
        "x@evil.example",
        "https://evil.example:8/x",
        "\\\\evil.example\\share",
        "u=http%3A%2F%2Fevil.example%2Fx",
    ];
    hits.iter().for_each(|text| check("evil.example", "a", text, &["evil.example"]));
    let misses = [
        "notevil.example",
        "evil.example.net",
        "evil.examples",
        "evil-example",
        "C:\\tools\\evil.example",
        "-evil.example",
    ];
    misses.iter().for_each(|text| check("evil.example", "a", text, &[]));
    check("BÜCHER.example", "a", "https://www.bücher.example/", &["bücher.example"]);
    check("a.evil.example\nevil.example", "a", "b.a.evil.example", &["a.evil.example", "evil.example"]);
}

#[test]
fn hashes_are_whole() {
    let digits = "0123456789abcdef0123456789ABCDEF";
    let lower = digits.to_lowercase();
    check(digits, "Hashes", &format!("SHA1=00,MD5={digits},IMPHASH=1"), &[&lower]);
    check(digits, "Hashes", &format!("MD5=00,IMPHASH={digits}"), &[]);
    check(&format!("imphash: {digits}"), "Hashes", &format!("MD5=00,IMPHASH={lower}"), &[&lower]);
    check(&format!("imphash: {digits}"), "Imphash", digits, &[&lower]);
    check(&format!("imphash: {digits}"), "Hash", digits, &[]);
    check(digits, "a", &format!("{digits}00"), &[]);
    check(digits, "a", &format!("{digits}.exe"), &[]);
    check(digits, "a", &format!("see {digits}."), &[&lower]);
}

#[test]
fn urls_as_far_as_they_are_listed() {
    let hits = [
        "GET http://evil.example/a/b.php",
        "\"https://EVIL.example:443/a/b.php#x\"",
        "http://u:p@evil.example:80/a/b.php?q=1",
        "(http://evil.example/a/b.php).",
    ];
    hits.iter().for_each(|text| check("hxxp://evil[.]example/a/b.php", "a", text, &["evil.example/a/b.php"]));
    let misses = [
        "http://evil.example/a/b.php5",
        "http://evil.example/a/",
        "http://evil.example:8080/a/b.php",
        "evil.example/a/b.php",
    ];
    misses.iter().for_each(|text| check("hxxp://evil[.]example/a/b.php", "a", text, &[]));
    check("http://evil.example/?a=1", "a", "http://evil.example/?a=1&b", &[]);
    check("http://evil.example/", "a", "http://evil.example", &["evil.example"]);
}

#[test]
fn paths_at_the_borders_of_their_parts() {
    let listed = "C:\\Program Files\\Exchange\\owa\\auth\\x y.aspx";
    let shown = "c:\\program files\\exchange\\owa\\auth\\x y.aspx";
    let hits = [
        "C:\\Program Files\\Exchange\\owa\\auth\\x y.aspx",
        "\"c:/program files/exchange/owa/auth/X Y.aspx\" -a",
        "C:\\\\Program Files\\\\Exchange\\\\owa\\\\auth\\\\x y.aspx",
        "\\\\?\\C:\\Program Files\\Exchange\\owa\\auth\\x y.aspx",
    ];
    hits.iter().for_each(|text| check(listed, "a", text, &[shown]));
    let misses = [
        "AC:\\Program Files\\Exchange\\owa\\auth\\x y.aspx",
        "C:\\Program Files\\Exchange\\owa\\auth\\x y.aspx5",
        "C:\\Program Files\\Exchange\\owa\\auth\\x z y.aspx",
    ];
    misses.iter().for_each(|text| check(listed, "a", text, &[]));
    check("/owa/auth/x.aspx", "cs-uri-stem", "/owa/auth/x.aspx", &["\\owa\\auth\\x.aspx"]);
    check("/owa/auth/x.aspx", "a", "C:\\owa\\auth\\x.aspx", &[]);
    check("/owa/auth/x.aspx", "a", "/front/owa/auth/x.aspx", &[]);
    check("C:\\ProgramData\\evil", "a", "C:\\ProgramData\\evil\\run.exe", &["c:\\programdata\\evil"]);
    check("%appdata%\\x.exe", "a", "C:\\Users\\a\\AppData\\Roaming\\x.exe", &["appdata\\roaming\\x.exe"]);
    check("x.aspx", "a", "cmd /c del C:\\x.aspx.", &["x.aspx"]);
    check("x.aspx", "a", "C:\\max.aspx C:\\x.aspx.txt x.aspxx", &[]);
    check("file-name: lsass", "a", "C:\\lsass x", &["lsass"]);
    check("shell[1].aspx", "a", "C:\\cache\\shell[1].aspx", &["shell[1].aspx"]);
}

#[test]
fn agents_and_parameters_in_their_slots() {
    let listed = "user-agent: ExchangeServicesClient/0.0.0.0\nuser-agent: Mozilla/5.0 (X; Y)";
    check(listed, "cs(User-Agent)", "Mozilla/5.0+(X;+Y)", &["mozilla/5.0 (x; y)"]);
    check(listed, "UserAgent", "exchangeservicesclient/0.0.0.0", &["exchangeservicesclient/0.0.0.0"]);
    check(listed, "UserAgent", "ExchangeServicesClient/0.0.0.01", &[]);
    check(listed, "Data", "ExchangeServicesClient/0.0.0.0", &[]);
    check("parameter: exec_code", "cs-uri-query", "a=1&EXEC_code=2", &["exec_code"]);
    check("parameter: exec_code", "UrlQuery", "?exec%5Fcode", &["exec_code"]);
    check("parameter: exec_code", "UrlQuery", "?a=exec_code&xexec_code=1", &[]);
    check("parameter: exec_code", "Data", "?exec_code=1", &[]);
}

#[test]
fn bytes_as_hashes_and_as_addresses() {
    let set = set("192.0.2.7\n2001:db8::1\n0123456789abcdef0123456789abcdef");
    let md5 =
        [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
    assert_eq!(found(&set, &[("Hash", Value::Binary(&md5))]), ["0123456789abcdef0123456789abcdef"]);
    let socket = [2, 0, 1, 187, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(found(&set, &[("Address", Value::Binary(&socket))]), ["192.0.2.7"]);
    let mut socket = [0; 28];
    socket[0] = 23;
    socket[8..12].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    socket[23] = 1;
    assert_eq!(found(&set, &[("Address", Value::Binary(&socket))]), ["2001:db8::1"]);
    assert_eq!(found(&set, &[("Data", Value::Binary(&[2, 0, 1]))]), [""; 0]);
}

#[test]
fn together_in_one_record_only() {
    let mut set = IndicatorSet::default();
    let pattern = "[domain-name:value = 'evil.example' AND file:name = 'x.exe']";
    let bundle = format!(
        r#"{{"type":"bundle","objects":[{{"type":"indicator","id":"indicator--1","pattern":"{pattern}"}}]}}"#
    );
    set.load("bundle.json", bundle.as_bytes());
    assert_eq!((set.len(), set.files()[0].not_loaded_total), (1, 0));
    let (evil, file) = (Value::Utf8("www.evil.example"), Value::Utf8("C:\\x.exe"));
    let both = "domain evil.example and file-name x.exe";
    assert_eq!(found(&set, &[("a", evil), ("b", file)]), [both]);
    assert_eq!(found(&set, &[("a", evil)]), [""; 0]);
    assert_eq!(found(&set, &[("b", file)]), [""; 0]);
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
}

const PIECES: &[&str] = &[
    "192.0.2.7",
    "192.0.2.70",
    "203.0.113.9",
    "2001:db8::1",
    "2001:db8:5::9",
    "::1",
    "evil.example",
    "a.",
    "a.evil.example",
    "http://",
    "https://",
    "://",
    "/",
    "\\",
    "\\\\",
    "//",
    "x.aspx",
    "X.ASPX",
    "owa",
    "auth",
    "c:",
    "C:\\owa\\auth\\x.aspx",
    ".",
    "..",
    ":",
    "-",
    "_",
    " ",
    "=",
    "&",
    "?",
    "%2F",
    "%5c",
    "%2E",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    "\"",
    "'",
    "+",
    "#",
    "@",
    "ä",
    "Ü",
    "0",
    "f",
    "0123456789abcdef0123456789abcdef",
    "imphash=",
    "md5:",
    "exec",
    "mozilla/5.0",
    "x",
    "temp",
    "evil",
    "443",
    "80",
];

#[test]
fn the_fast_matcher_is_the_naive_one() {
    let lists = [
        "192.0.2.7\n203.0.113.0/24\n2001:db8::1\n2001:db8:5::/48\nevil.example\na.evil.example\nhttp://evil.example/x\n\
         https://evil.example/owa/auth/x.aspx\n0123456789abcdef0123456789abcdef\nimphash: 0123456789abcdef0123456789abcdef\n\
         C:\\owa\\auth\\x.aspx\n/owa/auth/x.aspx\nauth\\x.aspx\nx.aspx\nparameter: exec\nuser-agent: mozilla/5.0",
        "file-name: x\nfile-name: temp\nC:\\owa\\auth\nC:\\owa\\auth\\temp\n/owa\nowa auth\\x.aspx\nüa.example\nhttp://192.0.2.7/\n",
    ];
    for (number, lines) in lists.iter().enumerate() {
        let mut set = IndicatorSet::default();
        set.load("list", lines.as_bytes());
        let mut worker = Worker::new(&set);
        let mut dice = Dice(number as u64 + 1);
        for _ in 0..2_000 {
            let count = 1 + dice.below(9);
            let text: String = (0..count).map(|_| dice.pick(PIECES)).collect();
            indicator::fuzz::compare(&set, &mut worker, &text);
        }
    }
}
