//! The report in a browser: Chromium, driven by Playwright. `./test` installs both.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, with words")]

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Text that wants to run, to steer or to hide; `check.mjs` looks for it on the page.
const HOSTILE: [&str; 8] = [
    "<script>window.ran=1</script>",
    "\"><img/src=x/onerror=window.ran=2>",
    "</title><svg/onload=window.ran=3>",
    "'-window.ran=4-'</style><style>*{display:none}</style>",
    "javascript:window.ran=5",
    "\u{202e}gpj.exe\u{2066}",
    "\u{1b}[2J\u{1b}]0;x\u{7}",
    "=cmd|'/c'!A1",
];

#[test]
fn reports_are_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    if !folder.join("node_modules/playwright-core").is_dir() || !Path::new(&chromium).exists() {
        println!(
            "skipped: the report in a browser: Chromium or Playwright is missing (`./test` installs them)"
        );
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    // Kept for a look by eye where somebody asks for it.
    let kept = std::env::var_os("KEEP_REPORTS").map(std::path::PathBuf::from);
    let reports = kept.unwrap_or_else(|| scratch.path().join("reports"));
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/exchange-2021");
    scan(&example, &reports.join("example"), &[]);
    for name in ["clean", "logs-cleared"] {
        let evidence = scratch.path().join(name);
        for (path, bytes) in range::scenario(name, 1).unwrap().files {
            let path = evidence.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        scan(&evidence, &reports.join(name), &[]);
    }
    scan(&several_hosts(&scratch.path().join("hosts")), &reports.join("hosts"), &[]);
    let bare = scratch.path().join("bare.log");
    fs::write(&bare, "#Fields: date time cs-method\n2021-03-04 10:00:00 GET\n").unwrap();
    scan(&bare, &reports.join("bare"), &["--host", "WEB01"]);
    let hostile = scratch.path().join("hostile.log");
    fs::write(&hostile, hostile_log()).unwrap();
    scan(&hostile, &reports.join("hostile"), &["--host", HOSTILE[0], "--reveal"]);

    // Statements are pages like the report: the same checks, and one of hostile text.
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/statement-2021/record.yml");
    render(&record, &reports.join("statement"), &[]);
    let hostile = scratch.path().join("hostile.yml");
    fs::write(&hostile, hostile_statement()).unwrap();
    render(&hostile, &reports.join("statement-hostile"), &[]);
    let (draft, case) = draft_of(scratch.path(), &example);
    render(&draft, &reports.join("statement-draft"), &["--case", case.to_str().unwrap()]);

    let ran = Command::new("node").arg("check.mjs").arg(&reports).current_dir(&folder).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(told.contains(" passed, 0 failed"), "{told}");
    println!("{told}");
}

fn scan(evidence: &Path, out: &Path, more: &[&str]) {
    fs::create_dir_all(out.parent().unwrap()).unwrap();
    let mut words: Vec<OsString> = vec!["scan".into(), evidence.into(), "--out".into(), out.into()];
    words.extend(more.iter().map(Into::into));
    let exit = run(words);
    assert!(matches!(exit, assay::Exit::Done | assay::Exit::Losses));
}

fn render(statement: &Path, folder: &Path, more: &[&str]) {
    fs::create_dir_all(folder).unwrap();
    let page = folder.join("report.html");
    let mut words: Vec<OsString> =
        vec!["statement".into(), "render".into(), statement.into(), "--html".into()];
    words.extend(["--out".into(), page.into(), "--force".into()]);
    words.extend(more.iter().map(Into::into));
    assert_eq!(run(words), assay::Exit::Done);
}

/// A draft whose grounds are findings of the example.
fn draft_of(scratch: &Path, example: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (case, draft) = (scratch.join("case"), scratch.join("draft.yml"));
    scan(example, &case, &[]);
    let mut words: Vec<OsString> = vec!["statement".into(), "draft".into(), draft.clone().into()];
    words.extend(["--party".into(), "us=United States".into(), "--case".into(), case.clone().into()]);
    assert_eq!(run(words), assay::Exit::Done);
    (draft, case)
}

fn run(words: Vec<OsString>) -> assay::Exit {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut output = assay::Output {
        stdout: &mut stdout,
        stderr: &mut stderr,
        terminal_columns: None,
        colour: false,
        show_progress: false,
    };
    assay::run(std::iter::once(OsString::from("assay")).chain(words), &mut output)
}

/// A record whose every text wants to run. (Text that steers or hides is refused before anybody signs it.)
fn hostile_statement() -> String {
    let text = serde_json::Value::from(HOSTILE[..5].join(" ")).to_string();
    format!(
        "schema: assay-record/1\nstatement:\n  schema: assay-statement/1\n  title: {text}\n  about: {text}\n  tlp: red\n  \
         recipients: [{text}]\n  parties: [{{id: us, name: {text}}}]\n  sources: [{{id: s, by: {text}, date: 2021-07, kind: {text}, seen: {text}, url: {text}}}]\n  \
         clauses:\n    - {{id: C1, level: state, names: {text}, text: {text}, grounds: [external: {{author: {text}, date: 2021-07, claim: {text}, word: {text}, source: {text}}}]}}\n  \
         notes: [{{text: {text}, clauses: [C1], sources: [s]}}]\n\
         positions: [{{party: us, clause: C1, date: 2021-07, stance: contradicts, wording: {text}, summary: {text}, word: {{word: {text}}}, word_seen: quoted, scale_supposed: {text}, sources: [s], note: {text}}}]\n\
         conflicts: [{{title: {text}, clauses: [C1], readings: [{{source: s, says: {text}}}], settled: {text}}}]\n"
    )
}

/// Computers of one house, some of them broken into.
fn several_hosts(folder: &Path) -> std::path::PathBuf {
    for name in
        ["exchange-2021", "windows-intrusion", "ransomware", "coin-miner", "golden-saml", "clean-windows"]
    {
        for (path, bytes) in range::scenario(name, 2).unwrap().files {
            let path = folder.join(name).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    folder.to_path_buf()
}

/// Requests for a web shell, with the text in every column that the client chooses; one a megabyte long.
fn hostile_log() -> String {
    let mut log = "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time cs-method cs-uri-stem cs-uri-query \
        cs-username c-ip cs(User-Agent) cs(Referer) sc-status\n"
        .to_owned();
    for text in HOSTILE.iter().map(|text| (*text).to_owned()).chain(["A".repeat(1 << 20)]) {
        let stem = format!("/aspnet_client/{text}/x.aspx");
        log.push_str(&format!(
            "2021-03-04 10:00:00 POST {stem} {text} {text} 203.0.113.7 {text} {text} 200\n"
        ));
    }
    log
}
