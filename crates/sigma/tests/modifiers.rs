//! What each modifier, value and condition matches, case by case.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code")]

mod matching;

use matching::matches;
use model::{Timestamp, Value};

#[track_caller]
fn check(detection: &str, text: &str, expect: bool) {
    assert_eq!(matches(detection, &[("f", Value::Utf8(text))]), expect, "{detection} on {text:?}");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(matches(detection, &[("f", Value::Utf16(&utf16))]), expect, "{detection} on UTF-16 {text:?}");
}

#[track_caller]
fn yes(detection: &str, text: &str) {
    check(detection, text, true);
}

#[track_caller]
fn no(detection: &str, text: &str) {
    check(detection, text, false);
}

#[test]
fn plain_text_and_wildcards() {
    yes("f: abc", "ABC");
    yes("f: 'GRÜN'", "grün");
    no("f: abc", "abcd");
    yes("f: 'a*d'", "abcd");
    yes("f: 'a?c'", "aÄc");
    no("f: 'a?c'", "ac");
    yes(r"f: 'a\*c'", "a*c");
    no(r"f: 'a\*c'", "abc");
    yes(r"f: 'C:\Windows\\*'", r"c:\windows\");
    yes(r"f: 'C:\Windows\\\*'", r"c:\windows\*");
    yes(r"f: '\\server\x'", r"\server\x");
    yes("f: '*'", "");
    yes("f: [a, b]", "B");
}

#[test]
fn contains_startswith_endswith_all() {
    yes("f|contains: bc", "ABCD");
    no("f|contains: bd", "ABCD");
    yes("f|startswith: ab", "ABCD");
    no("f|startswith: bc", "ABCD");
    yes("f|endswith: cd", "ABCD");
    no("f|endswith: bc", "ABCD");
    yes("f|contains: 'b*d'", "abcde");
    yes("f|contains|all: [ab, cd]", "abcd");
    no("f|contains|all: [ab, x]", "abcd");
    yes("f|contains: ''", "");
}

#[test]
fn cased_and_neq() {
    yes("f|cased: aBc", "aBc");
    no("f|cased: aBc", "abc");
    yes("f|contains|cased: Bc", "xBcx");
    no("f|contains|cased: Bc", "xbcx");
    no("f|neq: abc", "ABC");
    yes("f|neq: abc", "x");
    no("f|neq: [x, y]", "x");
    yes("f|contains|neq: [x, y]", "z");
    assert!(matches("f|neq: abc", &[]));
}

#[test]
fn regular_expressions() {
    yes("f|re: 'b.d'", "abcde");
    no("f|re: 'B.D'", "abcde");
    yes("f|re|i: 'B.D'", "abcde");
    no("f|re: '^b'", "a\nb");
    yes("f|re|m: '^b'", "a\nb");
    no("f|re: 'a.b'", "a\nb");
    yes("f|re|s: 'a.b'", "a\nb");
    yes("f|re: 'a*?b'", "aab");
    yes(r"f|re: '\<a\>'", "<a>");
}

#[test]
fn encodings() {
    yes("f|base64: foobar", "Zm9vYmFy");
    for offset in ["Zm9vYmFyIQ==", "xmZvb2Jhcg==", "eHhmb29iYXI="] {
        yes("f|base64offset|contains: foobar", offset);
    }
    no("f|base64offset|contains: foobar", "Zm9vYm");
    yes("f|wide|base64: IEX", "SQBFAFgA");
    yes("f|utf16le|base64: IEX", "SQBFAFgA");
    yes("f|utf16be|base64: ab", "AGEAYg==");
    yes("f|utf16|base64: ab", "//5hAGIA");
    yes("f|wide: ab", "a\0b\0");
    yes("f|wide|base64offset|contains: 'é'", "6QA=");
}

#[test]
fn windows_dashes() {
    for dash in ["-", "/", "–", "—", "―"] {
        yes("f|windash|contains: ' -enc '", &format!("x {dash}enc y"));
        yes("f|windash: 'a -b /c'", &format!("a {dash}b -c"));
    }
    no("f|windash|contains: ' -enc '", "x +enc y");
    no("f|windash: 'x-y'", "x/y");
}

#[test]
fn numbers() {
    let is = |detection: &str, value: Value<'_>| matches(detection, &[("f", value)]);
    assert!(is("f: 4688", Value::UInt(4688)));
    assert!(is("f: 4688", Value::Utf8("4688")));
    assert!(is("f: '4688'", Value::UInt(4688)));
    assert!(is("f: 31", Value::Utf8("0x1f")));
    assert!(is("f: 31", Value::Hex(31)));
    assert!(is("f: '0x1F'", Value::Hex(31)));
    assert!(is("f: '0x1fffff'", Value::Utf8("0x1FFFFF")));
    assert!(!is("f: '31'", Value::Hex(31)));
    assert!(is("f: 3", Value::Utf8("3.0")));
    assert!(is("f: 1.5", Value::Float(1.5)));
    assert!(!is("f: 3", Value::Utf8("x")));
    assert!(is("f|lt: 5", Value::UInt(4)) && !is("f|lt: 5", Value::UInt(5)));
    assert!(is("f|lte: 5", Value::Utf8("5")) && !is("f|lte: 5", Value::Utf8("six")));
    assert!(is("f|gt: 5", Value::Float(5.5)) && !is("f|gt: 5", Value::UInt(5)));
    assert!(is("f|gte: 5", Value::Hex(5)) && !is("f|gte: 5", Value::Int(-5)));
    assert!(is("f: true", Value::Bool(true)) && is("f: true", Value::Utf8("TRUE")));
    assert!(!is("f: false", Value::Utf8("0")));
}

#[test]
fn parts_of_times() {
    let time = Value::Time(Timestamp::parse("2021-03-04T20:09:00Z").unwrap());
    for value in [time, Value::Utf8("2021-03-04 20:09:00.123"), Value::Utf8("2021-03-04T22:09:00+02:00")] {
        let is = |detection: &str| matches(detection, &[("f", value)]);
        assert!(is("f|minute: 9") && is("f|hour: 20") && is("f|day: 4") && is("f|week: 9"));
        assert!(is("f|month: 3") && is("f|year: 2021") && is("f|hour|gte: 18") && !is("f|hour|lt: 18"));
    }
    assert!(!matches("f|hour: 20", &[("f", Value::Utf8("20"))]));
}

#[test]
fn networks() {
    yes("f|cidr: 10.0.0.0/8", "10.1.2.3");
    no("f|cidr: 10.0.0.0/8", "11.1.2.3");
    yes("f|cidr: 10.0.0.0/8", "::ffff:10.1.2.3");
    yes("f|cidr: [192.168.0.0/16, '2001:db8::/32']", "2001:DB8::1");
    no("f|cidr: '2001:db8::/32'", "2001:db9::1");
    yes("f|cidr: '0.0.0.0/0'", "203.0.113.7");
    no("f|cidr: '0.0.0.0/0'", "localhost");
    yes("f|cidr: '192.0.2.1'", "192.0.2.1");
}

#[test]
fn placeholders_and_references() {
    yes("f|expand: '%admins%'", "ROOT");
    yes("f|expand: '%admins%'", "adm_x");
    yes("f|expand|contains: 'user=%admins%'", "a user=root b");
    no("f|expand: '%admins%'", "guest");
    let two = |detection: &str, one, other| {
        matches(detection, &[("f", Value::Utf8(one)), ("g", Value::Utf8(other))])
    };
    assert!(two("f|fieldref: g", "Ab", "aB") && !two("f|fieldref: g", "Ab", "b"));
    assert!(two("f|fieldref|startswith: g", "Abc", "AB") && !two("f|fieldref|startswith: g", "Abc", "BC"));
    assert!(two("f|fieldref|endswith: g", "Abc", "BC") && two("f|fieldref|contains: g", "Abc", "B"));
    assert!(two("f|fieldref|cased: g", "Ab", "Ab") && !two("f|fieldref|cased: g", "Ab", "AB"));
    assert!(!matches("f|fieldref: g", &[("f", Value::Utf8("x"))]));
}

#[test]
fn absent_empty_null() {
    type Case<'a> = (&'a [(&'a str, Value<'a>)], [bool; 5]);
    let cases: [Case<'_>; 7] = [
        // exists, not exists, null, '', '*'
        (&[], [false, true, true, false, false]),
        (&[("f", Value::Absent)], [false, true, true, false, false]),
        (&[("f", Value::Empty)], [true, false, true, true, true]),
        (&[("f", Value::Utf8(""))], [true, false, true, true, true]),
        (&[("f", Value::Utf8("x"))], [true, false, false, false, true]),
        (&[("f", Value::Absent), ("f", Value::Utf8("x"))], [true, false, false, false, true]),
        (&[("f", Value::List(&[]))], [true, false, true, true, true]),
    ];
    for (fields, expect) in cases {
        let detections = ["f|exists: true", "f|exists: false", "f: null", "f: ''", "f: '*'"];
        let own = detections.map(|detection| matches(detection, fields));
        assert_eq!(own, expect, "{fields:?}");
    }
    assert!(matches("f: []", &[]));
}

#[test]
fn several_values() {
    let list = Value::List(&[Value::Utf8("one"), Value::UInt(2)]);
    assert!(matches("f: ONE", &[("f", list)]) && matches("f: 2", &[("f", list)]));
    assert!(matches("f|all: [one, 2]", &[("f", list)]));
    assert!(!matches("f: 'one, 2'", &[("f", list)]));
    let data = [("Data", Value::Utf8("x")), ("Data", Value::Utf8("y"))];
    assert!(matches("Data|contains|all: [x, y]", &data));
    assert!(!matches("f: x\ncondition: not s\ns: {Data: x}", &data));
    assert!(matches("ThreatName: x", &[("Threat Name", Value::Utf8("x"))]));
}

#[test]
fn keywords() {
    let fields = [("a", Value::Utf8("one Two")), ("b", Value::Utf8("three")), ("n", Value::UInt(77))];
    for (detection, expect) in [
        ("- TWO", true),
        ("- 'o?e*o'", true),
        ("- four\n- three", true),
        ("- 'one three'", false),
        ("'|all': [one, three]", true),
        ("'|all': [one, four]", false),
        ("'|startswith': two", false),
        ("'|startswith': one", true),
        ("'|endswith': two", true),
        ("'|re': '^thr'", true),
        ("'|cased': two", false),
        ("- 77", false),
    ] {
        assert_eq!(matches(detection, &fields), expect, "{detection}");
    }
}

#[test]
fn conditions() {
    let fields = [("a", Value::Utf8("1")), ("b", Value::Utf8("2"))];
    let parts = "x: {a: 1}\ny: {b: 3}\nz_1: {b: 2}\nz_2: [{a: 9}, {b: 2}]\n_h: {a: 9}\n";
    for (condition, expect) in [
        ("x", true),
        ("x and y", false),
        ("x and not y", true),
        ("y or x and z_1", true),
        ("(y or x) and z_1", true),
        ("not (x or y)", false),
        ("1 of z_*", true),
        ("all of z_*", true),
        ("all of them", false),
        ("1 of them", true),
        ("any of _*", false),
        ("not 1 of _*", true),
        ("[y, x]", true),
    ] {
        assert_eq!(matches(&format!("{parts}condition: {condition}"), &fields), expect, "{condition}");
    }
}
