//! Files: YARA rules over their content, known-good lists, and times that an
//! archive keeps.
//!
//! The shells here are put together in memory and lie in archives only.

use crate::logs::{httpproxy, put};
use crate::{Ran, json, json_lines, scan, shared_data};
use assay::Exit;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// 2021-03-04 11:31:47 UTC.
const WRITTEN: u32 = 1_614_857_507;

/// A page that evaluates what is sent; in pieces, so that this file is none.
fn shell() -> String {
    ["<%@ Page Language=\"Jscript\"%>\r\n<%", "ev", "al(Requ", "est[\"x\"],\"unsafe\");%>"].concat()
}

/// A zip archive, stored, each member with its time in UTC (0x5455) where one is given.
fn zip(members: &[(&str, &[u8], Option<u32>)]) -> Vec<u8> {
    let (mut data, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes, time) in members {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let extra: Vec<u8> = match time {
            Some(time) => [&[0x55, 0x54, 5, 0, 1][..], &time.to_le_bytes()].concat(),
            None => Vec::new(),
        };
        let size = (bytes.len() as u32).to_le_bytes();
        let common = [
            // Version, flags, method, time of DOS (2030-01-01), sizes, lengths.
            &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x64][..],
            &crc.sum().to_le_bytes(),
            &size,
            &size,
            &(name.len() as u16).to_le_bytes(),
            &(extra.len() as u16).to_le_bytes(),
        ]
        .concat();
        let offset = (data.len() as u32).to_le_bytes();
        data.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &extra, bytes].concat());
        directory.extend(
            [b"PK\x01\x02", &[20, 0][..], &common, &[0; 10], &offset, name.as_bytes(), &extra].concat(),
        );
    }
    let count = (members.len() as u16).to_le_bytes();
    let (size, start) = ((directory.len() as u32).to_le_bytes(), (data.len() as u32).to_le_bytes());
    [&data[..], &directory, b"PK\x05\x06", &[0; 4], &count, &count, &size, &start, &[0; 2]].concat()
}

/// Scans files in one folder.
fn scan_files(files: &[(&str, &[u8])], more: &[&str]) -> (Ran, tempfile::TempDir) {
    let scratch = tempfile::tempdir().unwrap();
    let evidence = scratch.path().join("evidence");
    files.iter().for_each(|(path, bytes)| put(&evidence, path, bytes));
    let (ran, _) = scan(&[&evidence], scratch.path(), more);
    (ran, scratch)
}

fn findings(scratch: &Path) -> Vec<Value> {
    json_lines(&scratch.join("case/findings.jsonl"))
}

/// `level title path` of each finding of a file.
fn of_files(scratch: &Path) -> Vec<String> {
    let own = findings(scratch).into_iter().filter(|finding| finding["fields"]["Path"].is_string());
    own.map(|finding| {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let fields = &finding["fields"];
        [text(&finding["level"]), text(&finding["rule_title"]), text(&fields["Path"])].join(" ")
    })
    .collect()
}

fn answer(scratch: &Path, question: &str) -> String {
    let answers = json(&scratch.join("case/answers.json"));
    let mut list = answers.as_array().unwrap().iter();
    let own = list.find(|answer| answer["question_id"] == question).unwrap_or_else(|| panic!("{question}"));
    format!("{}: {}", own["answer"].as_str().unwrap(), own["text"].as_str().unwrap())
}

const PAGE: &str = "C/Program Files/Microsoft/Exchange Server/V15/FrontEnd/HttpProxy/owa/auth/x.aspx";

#[test]
fn a_shell_lying_there_answers() {
    let log = httpproxy("MXS01");
    let archive = zip(&[
        (PAGE, shell().as_bytes(), Some(WRITTEN)),
        ("C/Logging/HttpProxy/Owa/a.log", log.as_bytes(), None),
        ("C/notes.txt", b"nothing", None),
    ]);
    let (ran, scratch) = scan_files(&[("kape.zip", &archive)], &[]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let found = findings(scratch.path());
    let own: Vec<&Value> = found
        .iter()
        .filter(|one| one["rule_title"] == "Script that evaluates what the requester sends")
        .collect();
    let [own] = own[..] else { panic!("{found:?}") };
    assert_eq!((&own["time"], &own["host"]), (&"2021-03-04T11:31:47Z".into(), &"MXS01".into()));
    // The statement, not the beginning of the file.
    assert_eq!(own["position"]["offset"], shell().find("eval").unwrap());
    let title = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\FrontEnd\\HttpProxy\\owa\\auth\\x.aspx";
    assert_eq!(own["fields"]["Path"], title);
    let written = answer(scratch.path(), "web-shell-written");
    assert!(written.starts_with("yes: ") && written.contains("x.aspx"), "{written}");
    // It was written after the last record.
    assert!(answer(scratch.path(), "still-in").starts_with("yes: a web shell lying there"));
    let case = json(&scratch.path().join("case/case.json"));
    let facts: Vec<&Value> = case["evidence"].as_array().unwrap().iter().map(|item| &item["facts"]).collect();
    let expect =
        serde_json::json!({"modified": "2021-03-04T11:31:47Z", "deleted": false, "basis": "archive"});
    assert!(facts.contains(&&expect), "{facts:?}");
    assert_eq!(facts.iter().filter(|facts| facts.is_null()).count(), 2, "DOS times are no facts");
}

#[test]
fn wide_text_has_its_offset_in_bytes() {
    let page: Vec<u8> = shell().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (_, scratch) = scan_files(&[("a.zip", &zip(&[("x.txt", &page, None)]))], &[]);
    let found = findings(scratch.path());
    assert_eq!(found[0]["position"]["offset"], 2 * shell().find("eval").unwrap(), "{found:?}");
    assert_eq!(found[0]["time"], Value::Null);
}

#[test]
fn a_folder_of_pages_alone_is_evidence() {
    let page = b"<%@ Page Language=\"C#\" %><% Response.Write(DateTime.Now); %>";
    let (ran, scratch) = scan_files(&[("wwwroot/a.aspx", page)], &[]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    assert_eq!(findings(scratch.path()), Vec::<Value>::new());
    let (ran, _) = scan_files(&[("wwwroot/a.aspx", page)], &["--no-builtin-rules"]);
    assert_eq!(ran.exit, Exit::NothingRead, "nothing looked at it");
}

#[test]
fn rules_of_the_user() {
    let scratch = tempfile::tempdir().unwrap();
    let rules = scratch.path().join("rules");
    put(
        &rules,
        "deep/a.yar",
        b"rule broken {\n condition: nothing\n}\nrule word : note {\n meta: score = 80\n strings: $a = \"plover\"\n condition: $a and extension == \".log1\"\n}\n",
    );
    put(&rules, "b.txt", b"no rule");
    let files: &[(&str, &[u8])] = &[("a/x.log0", b"say plover"), ("b/x.log1", b"say plover")];
    let (ran, scratch) = scan_files(files, &["--no-builtin-rules", "--yara", rules.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    // Both files are one item, and only the second path matches.
    assert_eq!(of_files(scratch.path()), ["high word b\\x.log1"]);
    assert_eq!(findings(scratch.path())[0]["position"]["offset"], 4);
    let run = json(&scratch.path().join("case/run.json"));
    let notes = run["rules_not_loaded"].as_array().unwrap();
    assert_eq!(
        (notes.len(), &notes[0]["line"], &notes[0]["rule"]),
        (1, &2.into(), &"broken".into()),
        "{run}"
    );
}

#[test]
fn one_shell_on_two_hosts_is_found_on_both() {
    let (one, two) = (httpproxy("MXS01"), httpproxy("MXS02"));
    let of = |log: &str| zip(&[("C/a.log", log.as_bytes(), None), (PAGE, shell().as_bytes(), None)]);
    let (_, scratch) = scan_files(&[("1.zip", &of(&one)), ("2.zip", &of(&two))], &[]);
    let found = findings(scratch.path());
    let own =
        found.iter().filter(|one| one["rule_title"] == "Script that evaluates what the requester sends");
    let mut hosts: Vec<&str> = own.map(|one| one["host"].as_str().unwrap()).collect();
    hosts.sort_unstable();
    assert_eq!(hosts, ["MXS01", "MXS02"]);
}

/// A list in which the shell's page is Exchange's own, by a hash or without.
fn list(scratch: &Path, hash: &str, build: &str) -> String {
    let file = scratch.join("list.csv");
    let row = format!("FrontEnd\\HttpProxy\\owa\\auth\\logon.aspx,{hash},{build},{build},1");
    fs::write(&file, format!("path,sha256,first_build,last_build,builds\n{row}\n")).unwrap();
    file.to_str().unwrap().to_owned()
}

#[track_caller]
fn check_known(hash: &str, build: &str, name: &str, bytes: &[u8], expect: &[&str], part: &str) {
    let scratch = tempfile::tempdir().unwrap();
    let list = list(scratch.path(), hash, build);
    let log = httpproxy("MXS01").replace("#Log-type", "#Version: 15.01.2106.002\r\n#Log-type");
    let page = PAGE.replace("x.aspx", name);
    let archive = zip(&[(&page, bytes, None), ("C/a.log", log.as_bytes(), None)]);
    let (ran, scratch) = scan_files(&[("kape.zip", &archive)], &["--known-good", &list]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let found: Vec<String> =
        of_files(scratch.path()).iter().map(|one| one.split(" C:").next().unwrap().to_owned()).collect();
    assert_eq!(found, expect);
    let coverage = json(&scratch.path().join("case/coverage.json"));
    let logs = coverage["logs"].as_array().unwrap().iter();
    let parts: Vec<&str> =
        logs.filter(|log| log["log"] == "file").map(|log| log["part"].as_str().unwrap()).collect();
    let parts: Vec<&str> = parts.into_iter().filter(|own| own.ends_with("compared")).collect();
    assert_eq!(parts, [part]);
}

#[test]
fn known_good_files_and_others() {
    let plain = b"<%@ Page Language=\"C#\" %><% Response.Write(1); %>";
    let (other, build) = ("00".repeat(32), "15.1.2106.2");
    let evaluates = "critical Script that evaluates what the requester sends";
    let altered = "high Page of Exchange that is not the one of its build";
    let unknown = "high Page in a web folder that Exchange of this build does not have";
    check_known(&other, build, "logon.aspx", plain, &[altered], "web-compared");
    check_known(&other, build, "new.aspx", plain, &[unknown], "web-compared");
    // A build that is not in the list: cannot tell.
    check_known(&other, "15.2.792.3", "new.aspx", plain, &[], "web-not-compared");
    check_known(&other, "15.2.792.3", "new.aspx", shell().as_bytes(), &[evaluates], "web-not-compared");
    // What is known good is quiet, even where a rule matches it.
    let own = scanned_hash(shell().as_bytes());
    check_known(&own, build, "logon.aspx", shell().as_bytes(), &[], "web-compared");
}

/// A copy of web folders alone, without any log.
struct WebFolders {
    files: Vec<(String, Vec<u8>)>,
}

impl WebFolders {
    /// Ten program files of the build, two pages of the front end, the page of IIS.
    fn new() -> Self {
        let front = "C/Program Files/Microsoft/Exchange Server/V15/FrontEnd/HttpProxy";
        let programs = (0..10).map(|n| (format!("{front}/bin/{n}.dll"), format!("MZ{n}").into_bytes()));
        let page =
            |name: &str| (format!("{front}/owa/auth/{name}"), format!("<%-- {name} --%>").into_bytes());
        let css = (format!("{front}/owa/auth/15.2.1118/themes/a.css"), b"a {}".to_vec());
        let root = ("C/inetpub/wwwroot/iisstart.htm".to_owned(), b"<p>IIS</p>".to_vec());
        let pages = ["logon.aspx", "errorFE.aspx"].map(page);
        Self { files: programs.chain(pages).chain([css, root]).collect() }
    }

    fn with(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.retain(|(own, _)| own != path);
        self.files.push((path.to_owned(), bytes.to_vec()));
        self
    }

    /// The list in which they are the files of one build.
    fn list(&self) -> String {
        let own = self.files.iter().filter(|(path, _)| path.contains("FrontEnd"));
        let rows = own.map(|(path, bytes)| {
            let path = path.split("V15/").nth(1).unwrap().replace("15.2.1118", "version").replace('/', "\\");
            format!("{path},{},15.1.2106.2,15.1.2106.2\n", scanned_hash(bytes))
        });
        format!("path,sha256,first_build,last_build\n{}", rows.collect::<String>())
    }

    #[track_caller]
    fn check(&self, listed: &str, expect: &str) -> String {
        let scratch = tempfile::tempdir().unwrap();
        let list = scratch.path().join("list.csv");
        fs::write(&list, listed).unwrap();
        let members: Vec<(&str, &[u8], Option<u32>)> =
            self.files.iter().map(|(path, bytes)| (path.as_str(), &bytes[..], None)).collect();
        let known_good = ["--known-good", list.to_str().unwrap()];
        let (ran, scratch) = scan_files(&[("MXS01.zip", &zip(&members))], &known_good);
        assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
        let written = answer(scratch.path(), "web-shell-written");
        assert!(written.starts_with(expect), "{written}");
        fs::read_to_string(scratch.path().join("case/coverage.json")).unwrap()
    }
}

#[test]
fn web_folders_alone_answer() {
    let own = WebFolders::new().list();
    let coverage =
        WebFolders::new().check(&own, "no-trace: no page lies in the web folders but those of Exchange (Files of the web folders compared with the list of their build: 13 files)");
    // The build is told by its program files.
    assert!(coverage.contains("\"build\": \"15.1.2106.2\""), "{coverage}");
    WebFolders::new().with(PAGE, shell().as_bytes()).check(&own, "yes: ");
    let page = b"<%-- nothing --%>";
    WebFolders::new().with(PAGE, page).check(&own, "likely: ");
    let foreign = WebFolders::new().with("C/inetpub/wwwroot/x.aspx", page);
    foreign.check(&own, "cannot-tell: ");
    let client = WebFolders::new().with("C/inetpub/wwwroot/aspnet_client/x.aspx", page);
    client.check(&own, "likely: ");
    // Other program files: another build, which its folders name.
    let newer = (0..10).fold(WebFolders::new(), |folders, n| {
        let path = format!("C/Program Files/Microsoft/Exchange Server/V15/FrontEnd/HttpProxy/bin/{n}.dll");
        folders.with(&path, format!("MZ newer {n}").as_bytes())
    });
    let coverage = newer.check(&own, "cannot-tell: ");
    assert!(coverage.contains("build 15.2.1118, which no list has"), "{coverage}");
    // A copy of a part of the folders is no whole one.
    let mut part = WebFolders::new();
    part.files.retain(|(path, _)| !path.ends_with(".aspx"));
    let coverage = part.check(&own, "cannot-tell: ");
    assert!(coverage.contains("2 pages of the front end that the build has"), "{coverage}");
}

/// The hash that the program gives to a file.
fn scanned_hash(bytes: &[u8]) -> String {
    let (_, scratch) = scan_files(&[("a.zip", &zip(&[("x", bytes, None)]))], &[]);
    json(&scratch.path().join("case/case.json"))["evidence"][0]["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn lists_that_are_none_are_usage() {
    let (ran, _) = scan_files(&[("a", b"b")], &["--known-good", "/nowhere/list.csv"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.stderr.contains("--known-good /nowhere/list.csv"), "{}", ran.stderr);
}

/// Public rules and Microsoft's list, with a page of each kind.
#[test]
fn public_rules_and_lists() {
    let Some(data) = shared_data() else { return };
    let path = |name: &str| data.join(name).to_str().unwrap().to_owned();
    let archive = zip(&[(PAGE, shell().as_bytes(), None)]);
    let (ran, scratch) = scan_files(
        &[("kape.zip", &archive)],
        &[
            "--yara",
            &path("yara-rules"),
            "--known-good",
            &path("exchange-known-good-hashes/exchange-all-files.csv.gz"),
        ],
    );
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let run = json(&scratch.path().join("case/run.json"));
    assert_eq!(run["rules_not_loaded"], serde_json::json!([]));
    assert!(of_files(scratch.path()).len() > 1, "public rules know it, too: {:?}", of_files(scratch.path()));
}
