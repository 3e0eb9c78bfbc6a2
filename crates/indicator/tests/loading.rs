//! Files of every format, good and hostile.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::explicit_write,
    reason = "a test fails by panicking; its harness swallows `eprintln!`"
)]

use indicator::{IndicatorFile, IndicatorSet, Kind, Worker, actors};
use model::{LogFamily, Position, Record, Shape, Slot, Value};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn load(files: &[(&str, &str)]) -> IndicatorSet {
    let mut set = IndicatorSet::default();
    files.iter().for_each(|(name, text)| set.load(name, text.as_bytes()));
    set
}

/// The one indicator that a text shows.
fn id(set: &IndicatorSet, text: &str) -> u32 {
    let shape = Arc::new(Shape::new(LogFamily::Other, "", vec![Slot::new("a")], true));
    let values = [Value::Utf8(text)];
    let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
    let mut ids = Vec::new();
    Worker::new(set).find(&record, &mut |id, _| ids.push(id));
    assert_eq!(ids.len(), 1, "{text}");
    ids[0]
}

fn notes(file: &IndicatorFile) -> Vec<String> {
    let place = |note: &indicator::Note| match (note.line, &note.pointer) {
        (Some(line), _) => line.to_string(),
        (_, Some(pointer)) => pointer.clone(),
        _ => "file".to_owned(),
    };
    file.not_loaded.iter().map(|note| format!("{}: {}", place(note), note.reason)).collect()
}

#[test]
fn a_list_with_kinds_remarks_and_bullets() {
    let text = "# a list\n192.0.2.1 # scanner\n\n- evil[.]example\n* hxxp://evil[.]example/x,\nuser-agent: a b c\n\
                // no\n| `198.51.100.7` | C2 of somebody |\n| Name | Details |\nsomething else\nrun.sh\n";
    let set = load(&[("list.txt", text)]);
    let file = &set.files()[0];
    assert_eq!((file.format, file.loaded, set.len()), ("list", 5, 5));
    assert_eq!(notes(file).len(), 3, "{:?}", notes(file));
    assert!(notes(file)[1].starts_with("10: not told apart by its shape"), "{:?}", notes(file));
    assert_eq!(set.indicator(id(&set, "192.0.2.1")).mentions()[0].1.note, "scanner");
    assert_eq!(set.indicator(id(&set, "198.51.100.7")).mentions()[0].1.note, "C2 of somebody");
}

#[test]
fn a_table_with_a_header() {
    let text = "DateAdded,FirstSeen,Indicator,IndicatorType,TLP,Actor,Description\r\n\
                2021-03-10,2021-03-05T10:07:29Z,198.51.100.7,ip,White,\"A; B\",\"two\r\nlines\"\r\n\
                2021-03-11,,C:\\x\\y.aspx,filepath,,,\r\n\
                2021-03-11,,HKLM\\x,regkey,,,\r\n\
                2021-03-11,,zz,sha256,,,\r\n";
    let set = load(&[("t.csv", text)]);
    let file = &set.files()[0];
    assert_eq!((file.format, file.loaded), ("csv", 2));
    assert_eq!(file.left_out, [("kind `regkey`".to_owned(), 1)]);
    assert_eq!(notes(file), ["6: no hash of 64 hex digits: zz"]);
    let found = set.indicator(id(&set, "198.51.100.7"));
    let (_, about) = &found.mentions()[0];
    assert_eq!(
        (found.kind(), about.date.as_str(), about.first_seen.as_str()),
        (Kind::Address, "2021-03-10", "2021-03-05T10:07:29Z")
    );
    assert_eq!((about.tlp.as_str(), about.note.as_str()), ("White", "two\r\nlines"));
    assert_eq!(actors(&found.mentions()), ["A", "B"]);
}

#[test]
fn tables_by_columns_of_kinds_and_by_content() {
    let digits = "0123456789abcdef0123456789abcdef";
    let set = load(&[
        ("a.csv", &format!("md5;filename;family\n{digits};x.aspx;Chopper\n")),
        ("b.csv", "Kennung,Wert,Datum\n1,evil.example,2021-03-09\n2,192.0.2.1,2021-03-10\n"),
        ("c.txt", "# dateadded,ioc_value,ioc_type\n2021-03-09,192.0.2.2:443,ip:port\n"),
    ]);
    let loaded: Vec<(&str, u64)> = set.files().iter().map(|file| (file.format, file.loaded)).collect();
    assert_eq!(loaded, [("csv", 2), ("csv", 2), ("csv", 1)]);
    assert_eq!(set.indicator(id(&set, digits)).mentions()[0].1.labels, ["Chopper"]);
    assert_eq!(set.indicator(id(&set, "evil.example")).mentions()[0].1.date, "2021-03-09");
    assert_eq!(set.indicator(id(&set, "192.0.2.2")).mentions()[0].1.date, "2021-03-09");
}

#[test]
fn one_value_from_several_files_keeps_all_that_is_said() {
    let header = "indicator,type,actor,source";
    let set = load(&[
        (
            "a.csv",
            &format!(
                "{header}\nEvil.example,domain,Actor One,report 1\nevil.example,domain,Actor One,report 1\n"
            ),
        ),
        ("b.csv", &format!("{header}\nhxxp://other.example/,url,,\nevil[.]example,fqdn,ACTOR ONE,\n")),
        ("c.csv", &format!("{header}\nevil.example.,domain,Actor Two,\n")),
    ]);
    let found = set.indicator(id(&set, "www.evil.example"));
    let mentions = found.mentions();
    let files: Vec<&str> = mentions.iter().map(|(file, _)| file.name.as_str()).collect();
    assert_eq!(files, ["a.csv", "b.csv", "c.csv"]);
    assert_eq!(mentions[0].1.title, "report 1");
    assert_eq!(actors(&mentions), ["ACTOR ONE", "Actor Two"]);
    assert_eq!(set.len(), 2);
}

const STIX: &str = include_str!("../testdata/bundle.json");

#[test]
fn a_stix_bundle() {
    let set = load(&[("bundle.json", STIX)]);
    let file = &set.files()[0];
    assert_eq!((file.format, file.loaded, set.len()), ("stix", 4, 4));
    assert_eq!(file.left_out, [("pattern of type `yara`".to_owned(), 1), ("revoked".to_owned(), 1)]);
    let notes = notes(file);
    assert!(notes[0].starts_with("/objects/8: not taken: `AND`"), "{notes:?}");
    assert_eq!(
        &notes[1..],
        ["/objects/9: an indicator without a pattern", "/objects/12: an object without a type"]
    );
    let found = set.indicator(id(&set, "a.evil.example"));
    let (_, about) = &found.mentions()[0];
    assert_eq!(
        (&about.actors[..], &about.labels[..]),
        (&["Actor One".to_owned()][..], &["Chopper".to_owned()][..])
    );
    assert_eq!(
        (about.title.as_str(), about.tlp.as_str(), about.confidence),
        ("Example CERT", "green", Some(85))
    );
    assert_eq!((about.valid_until.as_str(), about.note.as_str()), ("2022-03-01T00:00:00Z", "C2"));
}

#[test]
fn a_bundle_does_not_define_the_labels_of_the_protocol_anew() {
    let red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    let own = "marking-definition--11111111-2222-4333-8444-555555555555";
    let bundle = |marking: &str, tlp: &str| {
        format!(
            r#"{{"type":"bundle","id":"bundle--1","objects":[
            {{"type":"marking-definition","id":"{marking}","definition_type":"tlp","definition":{{"tlp":"{tlp}"}}}},
            {{"type":"indicator","id":"indicator--1","pattern_type":"stix","pattern":"[domain-name:value = 'a.evil.example']",
              "object_marking_refs":["{marking}"]}}]}}"#
        )
    };
    for (marking, tlp, wanted) in
        [(red, "clear", "red"), (own, "green", "green"), (own, "eyes only", "eyes only")]
    {
        let set = load(&[("bundle.json", &bundle(marking, tlp))]);
        let found = set.indicator(id(&set, "a.evil.example"));
        assert_eq!(found.mentions()[0].1.tlp, wanted, "{marking} {tlp}");
    }
    // White of version 1 is clear.
    let white = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
    let set = load(&[("bundle.json", &bundle(white, "white"))]);
    assert_eq!(set.indicator(id(&set, "a.evil.example")).mentions()[0].1.tlp, "clear");
}

const MISP: &str = include_str!("../testdata/event.json");

#[test]
fn a_misp_event() {
    let event = MISP.trim_end().strip_prefix(r#"{"response":["#).unwrap().strip_suffix("]}").unwrap();
    for (text, at) in [(MISP, "/response/0"), (event, ""), (&format!("[{event}]"), "/0")] {
        let set = load(&[("event.json", text)]);
        let file = &set.files()[0];
        assert_eq!((file.format, file.loaded), ("misp", 3));
        assert_eq!(
            file.left_out,
            [("not meant for detection (to_ids is false)".to_owned(), 1), ("kind `mutex`".to_owned(), 1)]
        );
        assert_eq!(notes(file), [format!("{at}/Event/Attribute/4: an attribute without type or value")]);
        let found = set.indicator(id(&set, "198.51.100.7"));
        let (_, about) = &found.mentions()[0];
        assert_eq!((about.title.as_str(), about.tlp.as_str()), ("Exchange (Example CERT)", "amber"));
        assert_eq!((about.date.as_str(), about.note.as_str()), ("2021-03-05T00:00:00Z", "C2"));
        assert_eq!(about.actors, ["Actor One"]);
        let hash =
            set.indicator(id(&set, "0000000000000000000000000000000000000000000000000000000000000001"));
        assert_eq!(actors(&hash.mentions()), ["Actor One", "Actor Two"]);
        assert_eq!(set.indicator(id(&set, "evil.example")).mentions()[0].1.date, "2021-03-05");
    }
}

#[test]
fn hostile_files_are_noted_and_no_more() {
    let long = "x".repeat(1 << 20);
    let deep = "[".repeat(100_000);
    let deep_bundle = format!(r#"{{"objects":[{{"type":"indicator","pattern":{deep}"#);
    let cut = &STIX[..STIX.len() - 400];
    let quote = format!("indicator,type\n192.0.2.1,ip\n\"{long}");
    let many = "odd line\n".repeat(5_000);
    for (name, text) in [
        ("long", long.as_str()),
        ("deep.json", &deep),
        ("deep-bundle.json", &deep_bundle),
        ("cut.json", cut),
        ("quote.csv", &quote),
        ("many", &many),
        ("other.json", r#"{"a":[1,2]}"#),
        ("zeros", "\0\0\0\0"),
    ] {
        let set = load(&[(name, text)]);
        let file = &set.files()[0];
        assert!(file.not_loaded_total > 0 && !file.not_loaded.is_empty(), "{name}");
        assert!(file.not_loaded.len() <= 1_000 && notes(file).iter().all(|note| note.len() < 400), "{name}");
        let loaded = match name {
            "cut.json" => 2,
            "quote.csv" => 1,
            _ => 0,
        };
        assert_eq!(file.loaded, loaded, "{name}: {:?}", notes(file));
    }
    assert_eq!(load(&[("empty", "")]).files()[0].not_loaded_total, 0);
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("192.0.2.1\r\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let mut set = IndicatorSet::default();
    set.load("wide", &wide);
    set.load("damaged", b"192.0.2.2\n\xff\xfe\n192.0.2.3\n");
    assert_eq!(set.len(), 3);
}

fn shared_data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "../shared/data is missing in CI");
    // Not `eprintln!`: the test harness would swallow it.
    writeln!(std::io::stderr(), "skipped: ../shared/data is missing").unwrap();
    None
}

/// What the published lists of March 2021 give, file by file; figures are
/// counted by hand (or `wc`) in the files.
#[test]
fn the_lists_of_march_2021() {
    let Some(data) = shared_data() else { return };
    let folder = data.join("ioc-exchange-2021");
    let mut set = IndicatorSet::default();
    for (name, format, loaded) in [
        ("mstic/MSTICIoCs-ExchangeServerVulnerabilitiesDisclosedMarch2021.csv", "csv", 56),
        ("volexity/indicators.csv", "csv", 13),
        ("eset/samples.md5", "list", 23),
        ("eset/samples.sha1", "list", 23),
        ("eset/samples.sha256", "list", 23),
        ("eset/README.adoc", "list", 40),
        // Prose and rules, with links to good sites between the addresses.
        ("cisa-chirp/AA21062A.yaml", "unknown", 0),
        ("volexity/yara.yar", "unknown", 0),
        // It holds benign hashes beside the others, under names of its own.
        ("css-exchange/known-bad-and-benign-hashes.json", "unknown", 0),
    ] {
        set.load(name, &fs::read(folder.join(name)).unwrap());
        let file = set.files().last().unwrap();
        assert_eq!((file.format, file.loaded), (format, loaded), "{name}: {:#?}", notes(file));
    }
    let shell = set
        .indicator(id(&set, "/front/aspnet_client/x.js C:\\inetpub\\wwwroot\\aspnet_client\\discover.aspx"));
    assert_eq!(shell.mentions()[0].1.date, "2021-03-09");
    let address = set.indicator(id(&set, "108.61.246.56"));
    assert_eq!(
        address.mentions()[0].1.note,
        "IP addresses attempting to exploit Exchange servers in March 2021"
    );
    let calypso = set.indicator(id(&set, "x.yolkish.com"));
    assert_eq!(calypso.mentions()[0].1.note, "Calypso C&C server");
    let first = set.indicator(id(&set, "8e90ed33c7ee82c0b64078ea36ec95f7420ba435c693b3b3dd728b494abf7dfc"));
    assert_eq!(first.mentions()[0].1.first_seen, "2021-03-05T10:07:29.0421232Z");
}
