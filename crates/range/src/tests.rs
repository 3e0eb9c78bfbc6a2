//! What every scenario must hold to, whatever it is about.

use crate::Scenario;
use evtx::{EvtxParser, ParserSettings};
use model::{AnswerWord, Timestamp};
use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

const MARK: &str = "assay-range synthetic";

fn all() -> Vec<Scenario> {
    crate::names().iter().map(|name| crate::scenario(name, 7).unwrap()).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// The texts of a file: as it is, and what of it is UTF-16.
fn texts(bytes: &[u8]) -> String {
    let plain = String::from_utf8_lossy(bytes).into_owned();
    let wide = |start: usize| {
        let units = bytes[start..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        String::from_utf16_lossy(&units.collect::<Vec<_>>())
    };
    if bytes.starts_with(b"ElfFile") { format!("{plain}\n{}\n{}", wide(0), wide(1)) } else { plain }
}

#[test]
fn an_unknown_name_is_none() {
    assert!(crate::scenario("no-such-scenario", 1).is_none());
}

#[test]
fn same_seed_same_bytes_other_seed_other_bytes() {
    for name in crate::names() {
        assert!(crate::scenario(name, 3) == crate::scenario(name, 3), "{name}");
        assert!(crate::scenario(name, 3).unwrap().files != crate::scenario(name, 4).unwrap().files, "{name}");
    }
}

#[test]
fn every_file_is_marked_in_its_first_64_kib() {
    for scenario in all() {
        for (path, bytes) in &scenario.files {
            let head = &bytes[..bytes.len().min(65_536)];
            assert!(holds(head, MARK.as_bytes()) || holds(head, &utf16(MARK)), "{} {path}", scenario.name);
        }
    }
}

#[test]
fn every_script_body_is_the_inert_comment() {
    const INERT: &str = "/* inert sample, assay-range synthetic */</script>";
    for scenario in all() {
        for (path, bytes) in &scenario.files {
            let text = texts(bytes).replace("\"\"", "\"");
            for (at, _) in text.match_indices("<script") {
                let body = text[at..].split_once('>').map_or("", |(_, body)| body);
                assert!(body.starts_with(INERT), "{} {path}", scenario.name);
            }
            assert!(!text.contains("eval(") && !text.contains("Request["), "{} {path}", scenario.name);
        }
    }
}

/// Whether an address is one of the reserved ones, or a version number that
/// only looks like one.
fn is_reserved(parts: &[u16]) -> bool {
    matches!(
        parts,
        [10, ..] | [127, 0, 0, 1] | [192, 168, ..] | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _]
    )
}

#[test]
fn addresses_in_text_logs_are_reserved() {
    for scenario in all() {
        for (path, bytes) in scenario.files.iter().filter(|(path, _)| path.contains("/LogFiles/")) {
            for line in String::from_utf8_lossy(bytes).lines().filter(|line| !line.starts_with('#')) {
                let columns: Vec<&str> = line.split(' ').collect();
                assert_eq!(columns.len(), 15, "{path}: {line}");
                for address in [columns[2], columns[8]] {
                    let parts: Vec<u16> = address.split('.').filter_map(|part| part.parse().ok()).collect();
                    assert!(address.contains(':') || is_reserved(&parts), "{path}: {address}");
                }
            }
        }
    }
}

#[test]
fn every_event_log_parses_with_valid_checksums() {
    for scenario in all() {
        for (path, bytes) in scenario.files.iter().filter(|(path, _)| path.ends_with(".evtx")) {
            let settings = ParserSettings::default().validate_checksums(true).num_threads(1);
            let mut parser =
                EvtxParser::from_read_seek(Cursor::new(bytes.clone())).unwrap().with_configuration(settings);
            let mut last = None;
            for record in parser.records() {
                let record = record.unwrap_or_else(|error| panic!("{} {path}: {error}", scenario.name));
                assert!(record.data.contains(".example.test</Computer>"), "{path}");
                assert!(last < Some(record.event_record_id), "{path}: record numbers rise");
                last = Some(record.event_record_id);
            }
            assert!(last.is_some(), "{} {path} has no record", scenario.name);
        }
    }
}

#[test]
fn rows_have_as_many_cells_as_columns() {
    for scenario in all() {
        for (path, bytes) in scenario.files.iter().filter(|(path, _)| path.contains("/HttpProxy/")) {
            let text = String::from_utf8_lossy(bytes);
            let fields = text.lines().find_map(|line| line.strip_prefix("#Fields: ")).unwrap();
            let columns = fields.split(',').count();
            assert_eq!(columns, if scenario.name == "no-sysmon" { 72 } else { 74 }, "{path}");
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                // None of these rows has a comma inside a cell.
                assert_eq!(line.split(',').count(), columns, "{path}: {line}");
            }
        }
    }
}

#[test]
fn most_proxy_rows_are_health_probes() {
    for scenario in all() {
        let logs = scenario.files.iter().filter(|(path, _)| path.contains("/HttpProxy/"));
        let rows: Vec<String> = logs
            .flat_map(|(_, bytes)| {
                let text = String::from_utf8_lossy(bytes).into_owned();
                text.lines().filter(|line| line.starts_with("202")).map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        if rows.is_empty() {
            continue;
        }
        let probes = rows.iter().filter(|row| row.contains("HealthMailbox")).count();
        let percent = probes * 100 / rows.len();
        assert!((78..=92).contains(&percent), "{}: {percent} % of {}", scenario.name, rows.len());
    }
}

#[test]
fn every_question_of_every_host_is_answered() {
    for scenario in all() {
        let hosts: BTreeSet<&str> =
            scenario.truth.answers.iter().map(|answer| answer.host.as_str()).collect();
        let questions = scenario.truth.answers.len() / hosts.len();
        let expect = match (scenario.truth.answers[0].casebook, scenario.name) {
            ("exchange-2021", _) => 18,
            ("linux", _) => 9,
            (_, "tenant-intrusion" | "clean-tenant") => 11,
            _ => 30,
        };
        assert_eq!(questions, expect, "{}", scenario.name);
        for answer in &scenario.truth.answers {
            let found = matches!(answer.answer, AnswerWord::Yes | AnswerWord::Likely)
                || (answer.answer == AnswerWord::CannotTell && answer.first.is_some());
            assert_eq!(
                found,
                answer.first.is_some() && answer.last.is_some(),
                "{} {answer:?}",
                scenario.name
            );
            for time in [&answer.first, &answer.last].into_iter().flatten() {
                let parsed = Timestamp::parse(time).unwrap();
                assert_eq!(parsed.nanos() % 1_000_000_000, 0, "to the second");
            }
        }
    }
}

/// `question: answer` of the host, without those that have no trace or cannot be.
fn answers(name: &str, host: &str) -> Vec<String> {
    let scenario = crate::scenario(name, 1).unwrap();
    let answers = scenario.truth.answers.iter().filter(|answer| answer.host == host);
    let silent = [AnswerWord::NoTrace, AnswerWord::NotApplicable];
    let told = answers.filter(|answer| !silent.contains(&answer.answer));
    told.map(|answer| format!("{}: {}", answer.question_id, answer.answer.as_str())).collect()
}

#[test]
fn the_truth_is_what_was_planted() {
    assert!(answers("clean", "MXS01").is_empty());
    assert_eq!(answers("patched", "MXS01"), ["probed: yes"]);
    assert_eq!(answers("probed-only", "MXS01"), ["vulnerable: yes", "probed: yes"]);
    assert_eq!(answers("exchange-2021", "MXS02"), ["vulnerable: yes", "probed: yes"]);
    assert_eq!(
        answers("exchange-2021", "MXS01"),
        [
            "vulnerable: yes",
            "probed: yes",
            "exploited: yes",
            "web-shell-written: yes",
            "web-shell-used: yes",
            "credentials-taken: yes",
            "mail-taken: yes",
            "persistence: yes",
            "exfiltration: yes",
            "still-in: likely",
        ]
    );
    assert!(!answers("cleaned-up", "MXS01").iter().any(|answer| answer.starts_with("still-in")));
    assert_eq!(answers("no-sysmon", "MXS01")[1], "probed: cannot-tell");
    assert!(answers("no-sysmon", "MXS01").contains(&"web-shell-used: likely".into()));
    assert!(answers("logs-cleared", "MXS01").contains(&"exploited: likely".into()));
    assert!(answers("logs-cleared", "MXS01").contains(&"still-in: yes".into()));
    assert!(answers("two-intruders", "MXS01").contains(&"lateral-movement: yes".into()));
}

#[test]
fn every_chain_has_its_own_truth() {
    for (name, question) in [
        ("proxyshell", "proxyshell"),
        ("proxytoken", "proxytoken"),
        ("proxynotshell", "proxynotshell"),
        ("owassrf", "owassrf"),
        ("viewstate", "cve-2020-0688"),
        ("app-deserialisation", "cve-2021-42321"),
    ] {
        let chains = ["exploited", "proxyshell", "proxytoken", "proxynotshell", "owassrf", "cve-"];
        let told = answers(name, "MXS01");
        let told: Vec<&String> =
            told.iter().filter(|answer| chains.iter().any(|chain| answer.starts_with(chain))).collect();
        assert_eq!(told, [&format!("{question}: yes")], "{name}");
    }
    assert_eq!(answers("proxyshell-open", "MXS01"), ["probed: yes", "proxyshell: cannot-tell"]);
    assert_eq!(answers("chains-refused", "MXS01"), ["probed: yes"]);
    assert_eq!(answers("chains-refused", "MXS02"), ["probed: yes"]);
    let refused = crate::scenario("chains-refused", 1).unwrap().truth.answers;
    let count = |host: &str| {
        let own = refused.iter().filter(|answer| answer.host == host);
        own.filter(|answer| answer.answer == AnswerWord::NotApplicable).count()
    };
    assert_eq!((count("MXS01"), count("MXS02")), (1, 6));
}

#[test]
fn two_intruders_share_nothing() {
    for name in ["two-intruders", "two-chains"] {
        share_nothing(name);
    }
}

fn share_nothing(name: &str) {
    let truth = crate::scenario(name, 1).unwrap().truth;
    let [first, second] = truth.intrusions.as_slice() else { panic!("{:?}", truth.intrusions) };
    assert!(first.sources.iter().all(|source| !second.sources.contains(source)));
    assert!(first.web_shells.iter().all(|shell| !second.web_shells.contains(shell)));
}

#[test]
fn cleared_logs_show_a_jump_and_missing_hours() {
    let scenario = crate::scenario("logs-cleared", 1).unwrap();
    let has = |part: &str| scenario.files.iter().any(|(path, _)| path.contains(part));
    assert!(has("Ecp/HttpProxy_2021030311-1.LOG") && has("Ecp/HttpProxy_2021030406-1.LOG"));
    assert!(!has("HttpProxy_2021030402-1.LOG"));
    assert!(has("W3SVC1/u_ex210305.log") && !has("W3SVC1/u_ex210304.log"));
}

#[test]
fn bulk_logs_have_the_size_asked_for() {
    let mut log = Cursor::new(Vec::new());
    crate::bulk::write_evtx(&mut log, 1_000_000, crate::bulk::ATTACK_PERCENT, 1).unwrap();
    let bytes = log.into_inner();
    assert!((1_000_000..1_200_000).contains(&bytes.len()), "{}", bytes.len());
    let chunks = (bytes.len() - 4_096) / 65_536;
    let settings = ParserSettings::default().validate_checksums(true).num_threads(1);
    let mut parser = EvtxParser::from_read_seek(Cursor::new(bytes)).unwrap().with_configuration(settings);
    let records: Vec<String> = parser.records().map(|record| record.unwrap().data).collect();
    assert!((60..=120).contains(&(records.len() / chunks)), "{} records in a chunk", records.len() / chunks);

    let sysmon: Vec<&String> = records.iter().filter(|xml| xml.contains("Sysmon/Operational")).collect();
    let data = |xml: &String| -> usize {
        let values = xml.split("<Data Name=").skip(1).filter_map(|part| part.split_once('>'));
        values.filter_map(|(_, rest)| rest.split_once("</Data>")).map(|(value, _)| 2 * value.len()).sum()
    };
    let mean = sysmon.iter().map(|xml| data(xml)).sum::<usize>() / sysmon.len();
    assert!((600..=800).contains(&mean), "{mean} bytes of text in a Sysmon record");
}

#[test]
fn bulk_rows_are_as_many_as_asked_for() {
    let mut rows = Vec::new();
    crate::bulk::write_http_proxy(&mut rows, 500, 1).unwrap();
    let count = |rows: Vec<u8>| {
        String::from_utf8(rows).unwrap().lines().filter(|line| !line.starts_with('#')).count()
    };
    assert_eq!(count(rows), 500);
    let mut rows = Vec::new();
    crate::bulk::write_iis(&mut rows, 500, 1).unwrap();
    assert_eq!(count(rows), 500);
}

/// All files below `folder`, as scenarios name them.
fn tree(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = vec![folder.into()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn the_committed_example_is_what_we_make() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let scenario = crate::scenario("exchange-2021", 1).unwrap();
    let kept = tree(&examples.join("exchange-2021"));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&kept), names(&scenario.files));
    for (kept, made) in kept.iter().zip(&scenario.files) {
        assert!(kept == made, "{} differs: make it again, see examples/README.md", kept.0);
    }
    let truth = std::fs::read_to_string(examples.join("exchange-2021.truth.json")).unwrap();
    assert!(truth == scenario.truth.to_json("exchange-2021", 1).unwrap(), "the truth differs");
}
