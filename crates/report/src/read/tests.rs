//! What is written comes back; what is damaged says where.

use super::{OpenSource, ReadError, Source, read_case};
use crate::sample::{self, HOSTILE};
use crate::tests::{files, files_with};
use crate::{Options, write_findings_csv, write_markdown};
use model::{Case, Details, Field, FieldStore, Run, Spill, Spilled};
use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::sync::Arc;

type Files = BTreeMap<String, String>;

fn read(files: &Files) -> Result<(Case, Run), ReadError> {
    let mut open = |name: &str| -> io::Result<Box<dyn Source>> {
        let text = files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(text.clone().into_bytes())))
    };
    read_case(&mut open as &mut OpenSource<'_>)
}

/// Fields in memory, as a scan has them on disk.
#[derive(Debug)]
struct Kept(Vec<Vec<(Field, bool)>>);

impl FieldStore for Kept {
    fn read(&self, place: Spilled, into: &mut Details) -> Result<(), String> {
        let fields = &self.0[place.offset() as usize];
        fields.iter().for_each(|((name, text), matched)| into.push(name, text, *matched));
        Ok(())
    }

    fn read_record(&self, place: Spilled, into: &mut Details) -> Result<(), String> {
        self.read(place, into)
    }
}

/// The case with fields put aside, the first of each matched; records of the first two findings, which are one.
fn spilled(mut case: Case) -> Case {
    let mut kept: Vec<Vec<(Field, bool)>> = Vec::new();
    for finding in &mut case.findings {
        let fields = std::mem::take(&mut finding.fields).into_iter().enumerate();
        kept.push(fields.map(|(index, field)| (field, index == 0)).collect());
        finding.spilled = Spilled::new(kept.len() as u64 - 1, 1);
    }
    let mut whole = kept[0].clone();
    whole.push((("cs-method".into(), "GET".into()), false));
    kept.push(whole);
    let record = Spilled::new(kept.len() as u64 - 1, 1);
    case.findings[0].record = record;
    case.findings[1].record = record;
    case.spill = Spill(Some(Arc::new(Kept(kept))));
    case
}

/// Hostile paths that tell items apart, as those of a scan do.
fn hostile(text: &str) -> Case {
    let mut case = sample::hostile_case(text);
    for (index, item) in case.items.iter_mut().enumerate() {
        item.paths[0] = format!("{text}{index}");
    }
    case
}

#[track_caller]
fn check_round(case: &Case, run: &Run) {
    for reveal in [true, false] {
        let options = Options { reveal, ..Options::default() };
        let first = files_with(case, run, options);
        let (case_again, run_again) = read(&first).unwrap();
        let second = files_with(&case_again, &run_again, options);
        for (name, text) in &first {
            assert!(*text == second[name], "{name}:\n{text}\n\n{}", second[name]);
        }
        let exports = |case: &Case, run: &Run| {
            let (mut markdown, mut table) = (Vec::new(), Vec::new());
            write_markdown(case, run, &options, &mut markdown).unwrap();
            write_findings_csv(case, &options, &mut table).unwrap();
            (String::from_utf8(markdown).unwrap(), String::from_utf8(table).unwrap())
        };
        assert_eq!(exports(case, run), exports(&case_again, &run_again));
    }
}

#[test]
fn what_is_written_comes_back() {
    check_round(&sample::case(), &sample::run());
    check_round(&spilled(sample::case()), &sample::run());
    check_round(&Case::default(), &Run { seconds: f64::NAN, ..Run::default() });
    for text in HOSTILE {
        check_round(&spilled(hostile(text)), &sample::hostile_run(text));
    }
}

#[test]
fn a_case_is_equal_but_for_where_its_fields_lie() {
    let case = sample::case();
    let (mut again, run) = read(&files(&case, &sample::run())).unwrap();
    for (finding, own) in again.findings.iter().zip(&case.findings) {
        assert_eq!(again.fields(finding).unwrap(), case.fields(own).unwrap());
    }
    for (finding, own) in again.findings.iter_mut().zip(&case.findings) {
        (finding.spilled, finding.fields) = (None, own.fields.clone());
    }
    assert_eq!((again, run), (case, sample::run()));
}

#[test]
fn rules_that_no_file_holds_keep_their_tags() {
    let mut case = sample::case();
    let mut rule = Arc::unwrap_or_clone(sample::rule(
        "known-good-missing",
        "Not delivered",
        model::Level::High,
        "T1505",
    ));
    rule.tags.push("assay.shell-found".to_owned());
    case.findings.push(sample::finding(
        9,
        &Arc::new(rule),
        "2021-03-08T00:00:00Z",
        &[("Path", "C:\\x\\Evil1.aspx")],
    ));
    check_round(&case, &sample::run());
    let (again, _) = read(&files(&case, &sample::run())).unwrap();
    assert!(again.findings.last().unwrap().has_tag("assay.shell-found"));
}

/// Without its rules a case does not say which pages are shells, so all are masked.
#[test]
fn an_older_folder_is_read_and_masked_no_less() {
    let mut written = files(&spilled(sample::case()), &sample::run());
    for file in ["rules.json", "records.jsonl", "sessions.json"] {
        written.remove(file);
    }
    let findings = written.get_mut("findings.jsonl").unwrap();
    *findings = findings.replace("\"whole_record\":1,", "").replace("\"matched\":[\"cs-uri-stem\"],", "");
    let (case, run) = read(&written).unwrap();
    assert_eq!((case.looked_for.rules.len(), case.sessions.processes.len(), case.findings.len()), (0, 0, 4));
    let masked = files_with(&case, &run, Options::default());
    assert!(!masked["report.html"].contains("/aspnet_client/example.aspx"));
}

/// Replaces the first `from` in a file; the error begins with what stands before ` … ` and holds what stands behind.
#[track_caller]
fn check_damage(file: &str, from: &str, to: &str, expect: &str) {
    let mut written = files(&spilled(sample::case()), &sample::run());
    let text = written.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} holds no {from}: {text}");
    *text = text.replacen(from, to, 1);
    let error = read(&written).unwrap_err().to_string();
    let (place, reason) = expect.split_once(" … ").unwrap_or((expect, ""));
    assert!(error.starts_with(place) && error.contains(reason), "{error}");
    assert!(!error.chars().any(model::is_dangerous), "{error:?}");
}

#[test]
fn damage_is_named() {
    check_damage(
        "case.json",
        "assay-case/1",
        "assay-case/9",
        "case.json: wanted schema \"assay-case/1\", found \"assay-case/9\"",
    );
    check_damage(
        "case.json",
        "\"synthetic\": true",
        "\"synthetic\": 7",
        "case.json line 3: column … invalid type: integer `7`, expected a boolean",
    );
    check_damage(
        "case.json",
        "\"intrusion-1\"",
        "\"intrusion-2\"",
        "case.json: wanted intrusion-1, found \"intrusion-2\"",
    );
    check_damage(
        "case.json",
        "\"csv\"",
        "\"\\u001b[2J\"",
        "case.json line 13: column … invalid value: string \"\\u{1b}[2J\", expected a word",
    );
    check_damage(
        "coverage.json",
        "\"carved\": 0",
        "\"carved\": 18446744073709551615",
        "coverage.json line 8: column … invalid value: integer `18446744073709551615`, expected a count",
    );
    check_damage(
        "coverage.json",
        "\"evidence\": \"triage/notes.txt\"",
        "\"evidence\": \"other\"",
        "coverage.json: wanted items: \"triage/notes.txt\", as in case.json, found \"other\"",
    );
    check_damage(
        "findings.jsonl",
        "\"level\":\"high\"",
        "\"level\":\"worst\"",
        "findings.jsonl line 2: column … invalid value: string \"worst\", expected a level",
    );
    check_damage(
        "findings.jsonl",
        "\"evidence\":\"triage/HttpProxy",
        "\"evidence\":\"gone",
        "findings.jsonl line 1: wanted evidence: the first path of an item of case.json, found \"gone",
    );
    check_damage(
        "findings.jsonl",
        "\"intrusion\":\"intrusion-1\"",
        "\"intrusion\":\"intrusion-7\"",
        "findings.jsonl line 1: wanted an intrusion of case.json, found \"intrusion-7\"",
    );
    check_damage(
        "findings.jsonl",
        "\"whole_record\":1",
        "\"whole_record\":2",
        "findings.jsonl line 1: wanted whole_record: a line of records.jsonl, which has 1, found \"2\"",
    );
    check_damage(
        "sessions.json",
        "\"parent\": 1",
        "\"parent\": 2",
        "sessions.json: wanted parent of process 2: an earlier one, found \"2\"",
    );
    check_damage("answers.json", "\"likely\"", "\"perhaps\"", "answers.json line … expected an answer");
    check_damage("run.json", "\"seconds\"", "seconds", "run.json line … key must be a string");
}

#[test]
fn a_file_that_is_missing_is_named() {
    for file in ["case.json", "run.json", "coverage.json", "answers.json", "findings.jsonl"] {
        let mut written = files(&sample::case(), &sample::run());
        written.remove(file);
        assert_eq!(read(&written).unwrap_err().file, file);
    }
}

#[test]
fn fields_that_are_none_are_an_error_when_they_are_asked_for() {
    let mut written = files(&sample::case(), &sample::run());
    let findings = written.get_mut("findings.jsonl").unwrap();
    *findings = findings.replacen("\"sc-status\":\"200\"", "\"sc-status\":200", 1);
    let (case, run) = read(&written).unwrap();
    let error = write_markdown(&case, &run, &Options::default(), &mut io::sink()).unwrap_err();
    assert!(error.to_string().contains("findings.jsonl at byte "), "{error}");
    assert!(error.to_string().contains("a text or a list of texts"), "{error}");
}
