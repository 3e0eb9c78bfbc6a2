//! Every exit: byte-exact goldens, hostile text, bounds.

use crate::sample::{self, HOSTILE};
use crate::{
    FILES, Options, Style, Tlp, render_terminal, write_answers_json, write_case, write_findings_csv,
    write_findings_jsonl, write_markdown,
};
use model::{AnswerWord, Case, FindingId, Level, Run};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// A file in memory that outlives the writer it was given to.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn files(case: &Case, run: &Run) -> BTreeMap<String, String> {
    files_with(case, run, Options { reveal: true, ..Options::default() })
}

pub(crate) fn files_with(case: &Case, run: &Run, options: Options) -> BTreeMap<String, String> {
    let mut opened = BTreeMap::new();
    let mut open = |name: &str| -> io::Result<Box<dyn Write>> {
        let file = Shared::default();
        assert!(opened.insert(name.to_owned(), file.clone()).is_none(), "{name} twice");
        Ok(Box::new(file))
    };
    write_case(case, run, &options, &mut open).unwrap();
    let text = |file: Shared| String::from_utf8(file.0.take()).unwrap();
    opened.into_iter().map(|(name, file)| (name, text(file))).collect()
}

fn terminal(case: &Case, run: &Run, colour: bool, width: usize) -> String {
    render_terminal(case, run, &Style { colour, width }, Some("case"))
}

#[track_caller]
fn check_golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expect = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expect, "{name} differs from {}; UPDATE=1 rewrites it:\n{text}", path.display());
}

#[test]
fn golden_files() {
    let files = files(&sample::case(), &sample::run());
    // The report and what was said of who stand beside the list.
    assert_eq!(files.len(), FILES.len() + crate::rows::FILES.len() + 2);
    for (name, text) in &files {
        assert!(text.is_empty() || text.ends_with('\n'), "{name}");
        check_golden(name, text);
    }
}

#[test]
fn people_and_shells_are_masked_in_the_report_only() {
    let mut rule = Arc::unwrap_or_clone(sample::rule("r", "Request for a script", Level::High, "T1505.003"));
    rule.tags.push("assay.shell-request".to_owned());
    let fields = [
        ("cs-uri-stem", "/owa/auth/Secret1.aspx"),
        ("cs-uri-query", "pass=word9"),
        ("cs-username", "EXAMPLE\\jdoe"),
    ];
    let mut case = sample::case();
    case.findings.push(sample::finding(9, &Arc::new(rule), "2021-03-04T00:00:00Z", &fields));
    case.answers[0].text = "requests for …/secret1.aspx by jdoe".to_owned();
    case.sessions.processes[1].user = "EXAMPLE\\asmith".to_owned();
    case.sessions.processes[2].command_line = r"type C:\Users\bmiller\x.txt for asmith".to_owned();
    let options = Options { tlp: Tlp::Red, ..Options::default() };
    let files = files_with(&case, &sample::run(), options);
    let page = files["report.html"].to_lowercase();
    for secret in ["secret1", "word9", "jdoe"] {
        assert!(!page.contains(secret), "{secret}");
        assert!(files["findings.jsonl"].to_lowercase().contains(secret), "{secret}");
    }
    for secret in ["asmith", "bmiller", "jane.doe"] {
        assert!(!page.contains(secret), "{secret}");
        assert!(files["sessions.json"].contains(secret), "{secret}");
    }
    assert!(page.contains("requests for …/shell-1.aspx by person-"));
    assert!(page.contains("tlp:red") && !page.contains("tlp:amber"));
}

#[test]
fn golden_terminal() {
    let (case, run) = (sample::case(), sample::run());
    check_golden("terminal-110.txt", &terminal(&case, &run, false, 110));
    check_golden("terminal-60.txt", &terminal(&case, &run, false, 60));
    let unwritten = render_terminal(&case, &run, &Style { colour: false, width: 110 }, None);
    check_golden("terminal-unwritten.txt", &unwritten);
}

#[test]
fn colour_adds_escapes_only() {
    let (case, run) = (sample::case(), sample::run());
    let coloured = terminal(&case, &run, true, 100);
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_ne!(plain, coloured);
    assert_eq!(plain, terminal(&case, &run, false, 100));
}

#[test]
fn terminal_lines_keep_their_width() {
    for width in [60, 80, 133] {
        for text in
            HOSTILE.iter().map(|text| text.repeat(30)).chain(["x".repeat(900), "漢\u{301}".repeat(400)])
        {
            let shown = terminal(&sample::hostile_case(&text), &sample::run(), false, width);
            for line in shown.lines() {
                let columns: usize =
                    line.chars().map(|c| unicode_width::UnicodeWidthChar::width(c).unwrap_or(1)).sum();
                assert!(columns <= width, "{columns} > {width}: {line}");
            }
        }
    }
}

fn is_raw_danger(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0b'..='\x0c' | '\x0e'..='\x1f' | '\x7f'..='\u{9f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[test]
fn nothing_hostile_comes_out_raw() {
    for text in HOSTILE {
        let (case, run) = (sample::hostile_case(text), sample::hostile_run(text));
        let mut outputs = files(&case, &run);
        outputs.insert(
            "terminal".to_owned(),
            render_terminal(&case, &run, &Style { colour: false, width: 200 }, Some(text)),
        );
        for (name, output) in &outputs {
            let danger = output.chars().find(|c| is_raw_danger(*c));
            assert_eq!(danger, None, "{name}: {text:?}");
            assert!(!output.contains('\t'), "{name}: {text:?}");
            assert_eq!(output.contains('\r'), name == "timeline.csv", "{name}: {text:?}");
        }
        check_html(&outputs["report.html"], text);
    }
}

/// Every `<` begins markup that a page of plain text also has, and attributes hold nothing of the text.
#[track_caller]
fn check_html(page: &str, text: &str) {
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"));
    // One script, ours and constant, is all that the page runs.
    let (page, rest) = page.split_once("<script>").unwrap();
    let (_, end) = rest.split_once("</script>").unwrap();
    let page = &format!("{page}{end}");
    for wrong in ["<script", "<img", "onerror=alert", "<link", "<iframe", "src=\"", "http://", "https://"] {
        let from_text = wrong == "onerror=alert" || wrong == "http://";
        assert!(from_text || !page.contains(wrong), "{wrong}: {text:?}");
    }
    let tags = |page: &str| -> BTreeMap<String, ()> {
        let opened = page.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default());
        opened
            .filter(|tag| {
                !tag.contains("href=\"#") && !tag.contains("id=\"") && !tag.contains("aria-label=\"")
            })
            .map(|tag| (tag.to_owned(), ()))
            .collect()
    };
    let plain = tags(&files(&sample::hostile_case("plain"), &sample::hostile_run("plain"))["report.html"]);
    for tag in tags(page).keys() {
        assert!(plain.contains_key(tag), "<{tag}> from {text:?}");
    }
    let ids = page.split("id=\"").skip(1).chain(page.split("href=\"#").skip(1));
    for id in ids {
        let id = id.split('"').next().unwrap();
        assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{id}");
    }
}

#[test]
fn json_gives_every_text_back() {
    for text in HOSTILE {
        let (case, run) = (sample::hostile_case(text), sample::hostile_run(text));
        let files = files(&case, &run);
        let parse = |name: &str| serde_json::from_str::<serde_json::Value>(&files[name]).unwrap();
        assert_eq!(parse("case.json")["evidence"][0]["paths"][0], *text);
        assert_eq!(parse("answers.json")[0]["text"], *text);
        assert_eq!(parse("coverage.json")["items"][0]["problems"][0]["found"], *text);
        assert_eq!(parse("run.json")["rules_not_met"][0]["reason"], *text);
        assert_eq!(parse("run.json")["indicators_not_loaded"][0]["reason"], *text);
        assert_eq!(parse("case.json")["indicators"][0]["file"], *text);
        assert_eq!(parse("case.json")["indicators"][0]["left_out"][0]["reason"], *text);
        let line = files["findings.jsonl"].lines().next().unwrap();
        let finding: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(finding["rule_title"], *text);
        assert_eq!(finding["fields"]["plain"], *text);
        assert_eq!(finding["fields"][*text], *text);
        assert_eq!(files["findings.jsonl"].lines().count(), case.findings.len());
    }
}

/// Reads CSV as RFC 4180 says.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        let row = rows.last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                row.last_mut().unwrap().push(chars.next().unwrap())
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\r' if !quoted => {}
            '\n' if !quoted => rows.push(vec![String::new()]),
            c => row.last_mut().unwrap().push(c),
        }
    }
    assert_eq!(rows.pop(), Some(vec![String::new()]));
    rows
}

#[test]
fn csv_holds_no_formula() {
    for text in HOSTILE {
        let files = files(&sample::hostile_case(text), &sample::run());
        let rows = csv_rows(&files["timeline.csv"]);
        assert_eq!(rows.len(), 4, "the header, and findings with a time");
        for row in &rows {
            assert_eq!(row.len(), rows[0].len(), "{row:?}");
            for part in row.iter().flat_map(|cell| cell.split(';')) {
                let start = part.trim_start_matches([' ', '"']);
                assert!(!start.starts_with(['=', '+', '-', '@', '\t', '\r']), "{part:?}");
            }
        }
    }
}

#[test]
fn timeline_times_have_one_form() {
    let files = files(&sample::case(), &sample::run());
    let rows = csv_rows(&files["timeline.csv"]);
    assert_eq!(rows[0][..3], ["message", "datetime", "timestamp_desc"]);
    let times: Vec<_> = rows[1..].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(
        times,
        [
            "2021-03-04T11:20:05.123000+00:00",
            "2021-03-06T02:14:50.000000+00:00",
            "2021-03-07T19:05:12.123456+00:00"
        ]
    );
}

#[test]
fn the_same_case_gives_the_same_bytes() {
    let first = files(&sample::case(), &sample::run());
    let later = Run { started: sample::time("2027-01-01T00:00:00Z"), seconds: 1.0, ..sample::run() };
    for (name, text) in files(&sample::case(), &later) {
        assert_eq!(text == first[&name], name != "run.json", "{name}");
    }
}

#[test]
fn nothing_read_is_said() {
    let (case, run) = (Case::default(), Run::default());
    let shown = render_terminal(&case, &run, &Style { colour: false, width: 80 }, None);
    check_golden("terminal-empty.txt", &shown);
    let files = files(&case, &run);
    assert_eq!(files["answers.json"], "[]\n");
    assert_eq!(files["findings.jsonl"], "");
    assert_eq!(files["timeline.csv"].lines().count(), 1);
    assert!(files["report.html"].contains("No host, no verdict"));
}

#[test]
fn findings_without_a_casebook_are_shown_by_rule() {
    let mut case = sample::case();
    case.answers.clear();
    case.verdicts.clear();
    case.hosts.clear();
    case.intrusions.clear();
    case.findings.iter_mut().for_each(|finding| finding.host = None);
    check_golden("terminal-no-host.txt", &terminal(&case, &sample::run(), false, 100));
}

#[test]
fn many_hosts_are_summarised() {
    let mut case = sample::case();
    let (host, verdict, answer) = (case.hosts[1].clone(), case.verdicts[1].clone(), case.answers[8].clone());
    for number in 10..60 {
        let name: model::HostName = format!("MXS{number}").into();
        case.hosts.push(model::Host { name: name.clone(), ..host.clone() });
        case.verdicts.push(model::Verdict { host: Some(name.clone()), ..verdict.clone() });
        case.answers.push(model::Answer { host: Some(name), ..answer.clone() });
    }
    let shown = terminal(&case, &sample::run(), false, 100);
    assert!(shown.find("MXS01").unwrap() < shown.find("MXS02").unwrap());
    assert!(shown.contains("and 32 more hosts: 32 no trace (case/report.html)"), "{shown}");
    assert!(shown.lines().count() < 90, "{shown}");
}

#[test]
fn two_hundred_thousand_findings_are_capped_where_people_read() {
    let mut case = sample::case();
    let rule = sample::rule("r", "Noise", Level::Low, "T1000");
    let mut template = sample::finding(9, &rule, "2021-03-04T00:00:00Z", &[]);
    (template.spilled, template.record) = (place(), place());
    case.spill = model::Spill(Some(Arc::new(Kept)));
    for number in 0..200_000u64 {
        let mut finding = template.clone();
        finding.id = FindingId(number.to_be_bytes());
        case.findings.push(finding);
    }
    let files = files(&case, &sample::run());
    // For a look at it: how fast it opens is measured by hand (docs/report.md).
    if let Some(folder) = std::env::var_os("KEEP_PAGES") {
        for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
            std::fs::write(PathBuf::from(&folder).join(name), text).unwrap();
        }
    }
    assert_eq!(files["findings.jsonl"].lines().count(), 200_004);
    assert_eq!(files["timeline.csv"].lines().count(), 200_004);
    let page = &files["report.html"];
    assert!(page.len() < 30 << 20, "{} bytes", page.len());
    assert_eq!(page.matches("<tbody id=\"f-").count(), 2_000);
    assert!(
        page.contains(
            "198,004 more findings, less severe or later: <a rel=\"next\" href=\"findings-2.html\">"
        )
    );
    assert!(page.contains("<tbody id=\"f-01000000000000f0\" "), "a ground is never cut");
    let pages: Vec<_> = (2..10).map(|number| &files[&format!("findings-{number}.html")]).collect();
    assert!(!files.contains_key("findings-10.html"), "there is an end to pages");
    let mut ids = std::collections::BTreeSet::new();
    for page in pages.iter().copied().chain([page]) {
        assert!(page.contains("default-src 'none'") && page.contains("TLP:AMBER+STRICT"));
        ids.extend(page.split("<tbody id=\"f-").skip(1).map(|row| row[..16].to_owned()));
    }
    assert_eq!(ids.len(), 2_000 + 8 * 2_500, "no finding stands twice");
    assert!(
        pages[1].contains("href=\"findings-2.html#findings\"")
            && pages[1].contains("href=\"findings-4.html\"")
    );
    assert!(pages[7].contains("178,004 more findings, all of them in <code>findings.jsonl</code>"));
    assert!(!pages[7].contains("href=\"findings-10.html\""));
}

fn markdown(case: &Case, run: &Run, reveal: bool) -> String {
    let mut out = Vec::new();
    write_markdown(case, run, &Options { reveal, ..Options::default() }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn table(case: &Case, reveal: bool) -> String {
    let mut out = Vec::new();
    write_findings_csv(case, &Options { reveal, ..Options::default() }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn golden_exports() {
    check_golden("report.md", &markdown(&sample::case(), &sample::run(), true));
    check_golden("findings.csv", &table(&sample::case(), true));
    let empty = markdown(&Case::default(), &Run::default(), false);
    for sentence in
        ["No findings.", "No log was read.", "Nothing was read.", "Nothing that was read names a host"]
    {
        assert!(empty.contains(sentence), "{sentence}: {empty}");
    }
}

/// Markup stands in constant text only: outside of code spans nothing of a hostile text is left that Markdown knows.
#[test]
fn markdown_holds_no_markup_from_evidence() {
    let more = [
        "`` ` ```",
        "a|b\\|c",
        "![x](http://evil.example)",
        "[a]: http://b",
        "@everyone #1",
        "* _x_ ~~y~~",
        "$x$ {code}",
    ];
    let plain_lines =
        markdown(&sample::hostile_case("plain"), &sample::hostile_run("plain"), true).lines().count();
    for text in HOSTILE.iter().copied().chain(more) {
        let shown = markdown(&sample::hostile_case(text), &sample::hostile_run(text), true);
        assert_eq!(shown.lines().count(), plain_lines, "{text:?}: {shown}");
        assert_eq!(shown.chars().find(|c| is_raw_danger(*c)), None, "{text:?}");
        for line in shown.lines() {
            let parts: Vec<&str> = line.split('`').collect();
            assert_eq!(parts.len() % 2, 1, "a code span that does not end: {line}");
            let outside: String = parts.iter().step_by(2).copied().collect();
            let ours = outside.trim_start_matches(['#', '-', ' ']).replace("**", "").replace('|', "");
            assert!(
                !ours.contains(['<', '>', '[', ']', '*', '_', '@', '&', '\\', '{', '~', '$']),
                "{text:?}: {line}"
            );
            assert!(!ours.contains("://"), "{text:?}: {line}");
            if line.starts_with('|') {
                let cells = |line: &str| line.matches('|').count();
                assert!([4, 6, 7, 8, 9].contains(&cells(line)), "{text:?}: {line}");
            }
        }
    }
}

#[test]
fn exports_are_masked_and_marked() {
    let mut case = sample::case();
    let fields = [("cs-username", "EXAMPLE\\jdoe"), ("cs-uri-stem", "/owa/Secret1.aspx"), ("note", "=1+1")];
    let mut rule = Arc::unwrap_or_clone(sample::rule("r", "Request for a script", Level::High, "T1505.003"));
    rule.tags.push("assay.shell-request".to_owned());
    case.findings.push(sample::finding(9, &Arc::new(rule), "", &fields));
    case.answers[0].text = "/owa/Secret1.aspx by jdoe".to_owned();
    for (masked, whole) in [
        (table(&case, false), table(&case, true)),
        (markdown(&case, &sample::run(), false), markdown(&case, &sample::run(), true)),
    ] {
        for secret in ["jdoe", "Secret1"] {
            assert!(!masked.contains(secret) && whole.contains(secret), "{secret}: {masked}");
        }
        assert!(masked.contains("TLP:AMBER+STRICT"));
    }
    let rows = csv_rows(&table(&case, false));
    assert_eq!((rows.len(), rows[5][1].as_str(), rows[5][15].as_str()), (6, "", "TLP:AMBER+STRICT"));
    for text in HOSTILE {
        let rows = csv_rows(&table(&sample::hostile_case(text), true));
        assert_eq!(rows.len(), 5);
        for cell in rows.iter().flatten().flat_map(|cell| cell.split(';')) {
            assert!(
                !cell.trim_start_matches([' ', '"']).starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell:?}"
            );
        }
    }
}

#[test]
fn what_format_prints_is_what_the_files_hold() {
    let (case, run) = (sample::case(), sample::run());
    let files = files(&case, &run);
    let (mut answers, mut findings) = (Vec::new(), Vec::new());
    write_answers_json(&case, &mut answers).unwrap();
    write_findings_jsonl(&case, &mut findings).unwrap();
    assert_eq!(String::from_utf8(answers).unwrap(), files["answers.json"]);
    assert_eq!(String::from_utf8(findings).unwrap(), files["findings.jsonl"]);
}

#[test]
fn an_error_of_a_file_ends_the_writing() {
    let mut opened = 0;
    let mut open = |_: &str| -> io::Result<Box<dyn Write>> {
        opened += 1;
        Err(io::Error::other("full"))
    };
    assert!(write_case(&sample::case(), &sample::run(), &Options::default(), &mut open).is_err());
    assert_eq!(opened, 1);
}

/// A casebook on `MXS01`, with one answer.
fn add_book(case: &mut model::Case, id: &str, general: bool, word: AnswerWord) {
    let mut answer = sample::answer("exploited", word, Default::default(), "By a book.");
    answer.casebook = id.to_owned();
    case.answers.push(answer);
    case.books.push(model::BookAnswer {
        casebook: id.to_owned(),
        title: format!("The {id} book"),
        general,
        host: Some("MXS01".into()),
        answer: word,
        text: format!("what {id} says"),
    });
}

/// A book that found nothing is one line, and so is a general one beside others; one about other hosts is named only.
#[test]
fn a_casebook_without_a_sign_is_one_line() {
    let mut case = sample::case();
    add_book(&mut case, "grave", false, AnswerWord::Likely);
    add_book(&mut case, "quiet", false, AnswerWord::NoTrace);
    add_book(&mut case, "other", false, AnswerWord::NotApplicable);
    add_book(&mut case, "general", true, AnswerWord::Yes);
    let shown = terminal(&case, &sample::run(), false, 100);
    assert_eq!(shown.matches("By a book.").count(), 1, "{shown}");
    assert!(shown.contains("   The grave book\n"), "{shown}");
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("The quiet book no trace what quiet says The general book yes what general says"),
        "{shown}"
    );
    assert!(words.contains("not asked: The other book"), "{shown}");
    let page = &files(&case, &sample::run())["report.html"];
    assert!(page.contains(
        "<summary>The quiet book: <span class=\"badge no-trace\">no trace</span> what quiet says</summary>"
    ));
    assert_eq!(page.matches("By a book.").count(), 3, "tables can be opened, but of those asked only");
}

#[test]
fn two_casebooks_are_told_apart() {
    let mut case = sample::case();
    let mut other = sample::answer("exploited", AnswerWord::Yes, Default::default(), "Something else.");
    other.casebook = "other".to_owned();
    case.answers.insert(7, other);
    let shown = terminal(&case, &sample::run(), false, 100);
    let place = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    assert!(place("   exchange-2021\n") < place("   other\n"));
}

/// What the store of a scan holds, in memory.
#[derive(Debug)]
struct Kept;

impl model::FieldStore for Kept {
    fn read(&self, _: model::Spilled, into: &mut model::Details) -> Result<(), String> {
        into.push("cs-uri-stem", "/aspnet_client/example.aspx", true);
        into.push("sc-status", "200", false);
        Ok(())
    }

    /// As long as a record of a web server or of Sysmon is.
    fn read_record(&self, _: model::Spilled, into: &mut model::Details) -> Result<(), String> {
        into.push("cs-uri-stem", "/aspnet_client/example.aspx", false);
        into.push("c-ip", "192.0.2.77", false);
        for number in 0..24 {
            let text = r"C:\Windows\System32\inetsrv\w3wp.exe -ap MSExchangeOWAAppPool -v v4.0";
            into.push(&format!("FieldNumber{number}"), text, false);
        }
        Ok(())
    }
}

fn place() -> Option<model::Spilled> {
    model::Spilled::new(0, 1)
}

#[test]
fn a_finding_opens_its_record_with_what_matched_and_its_rule() {
    let mut case = sample::case();
    case.spill = model::Spill(Some(Arc::new(Kept)));
    (case.findings[1].spilled, case.findings[1].record) = (place(), place());
    let page = &files(&case, &sample::run())["report.html"];
    let row = page.split("<tbody id=\"f-02").nth(1).unwrap().split("</tbody>").next().unwrap();
    let marked = "<span class=\"unseen\">matched: </span><mark>/aspnet_client/example.aspx</mark>";
    assert!(row.contains(&format!("<dt>cs-uri-stem</dt><dd>{marked}</dd>")), "{row}");
    assert!(row.contains(&format!(">cs-uri-stem    {marked}\nc-ip           192.0.2.77\n")), "{row}");
    assert!(row.contains(
        "Line 6, byte 4711 of <code>triage/HttpProxy/Ecp/HttpProxy_2021030411-1.LOG</code>, SHA-256 <code>"
    ));
    let number =
        case.looked_for.rules.iter().position(|rule| rule.facts.title == "Request for a web shell").unwrap();
    assert!(row.contains(&format!("<a href=\"#rule-{number}\">Request for a web shell</a>")), "{row}");
    assert_eq!(page.matches(&format!("id=\"rule-{number}\"")).count(), 1);
    assert_eq!(page.matches("title: Request for a web shell\n").count(), 1, "a rule's text stands once");
    let other = page.split("<tbody id=\"f-01").nth(1).unwrap().split("</tbody>").next().unwrap();
    assert!(other.contains("The whole record was not kept"), "{other}");
}

#[test]
fn the_layer_is_what_the_navigator_reads() {
    let case = sample::case();
    let layer: serde_json::Value = serde_json::from_str(&files(&case, &sample::run())["layer.json"]).unwrap();
    assert_eq!(layer["versions"], serde_json::json!({"attack": "18", "navigator": "4.9.0", "layer": "4.5"}));
    assert_eq!((&layer["domain"], &layer["gradient"]["maxValue"]), (&"enterprise-attack".into(), &2.into()));
    let scores: Vec<_> = layer["techniques"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["techniqueID"].as_str().unwrap(), one["score"].as_u64().unwrap()))
        .collect();
    assert_eq!(scores, [("T1021", 2), ("T1059", 1), ("T1190", 2), ("T1505.003", 2), ("T1558.003", 0)]);
    let colours: std::collections::BTreeSet<_> =
        layer["legendItems"].as_array().unwrap().iter().map(|one| one["color"].as_str().unwrap()).collect();
    assert_eq!(colours.len(), 3);
    assert_eq!(
        layer["techniques"][3]["metadata"][0],
        serde_json::json!({"name": "seen on", "value": "MXS01"})
    );
}
