//! `assay statement`: from a draft to a package that others check; and the record of July 2021.

use crate::{Ran, json, run, scan, shared_data, workspace};
use assay::Exit;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const DRAFT: &str = "\
schema: assay-statement/1
title: Who attacked the mail servers
tlp: green
parties: [{id: us, name: United States}, {id: se, name: Sweden}]
clauses:
  - {id: C1, level: act, text: The mail servers were entered through four holes.}
  - {id: C2, level: state, text: The state is responsible., builds_on: [C1]}
";

fn statement(words: &[&str]) -> Ran {
    run(&[&["statement"], words].concat())
}

fn record() -> String {
    workspace().join("examples/statement-2021/record.yml").to_str().unwrap().to_owned()
}

#[track_caller]
fn good(ran: Ran) -> String {
    assert_eq!(ran.exit, Exit::Done, "{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// Keys in `folder`, if `ssh-keygen` is there.
fn keys(folder: &Path, names: &[&str]) -> bool {
    for name in names {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(folder.join(name))
            .stdin(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            writeln!(std::io::stderr(), "skipped: ssh-keygen is needed").expect("standard error");
            return false;
        }
    }
    true
}

#[test]
fn two_parties_of_two_minds() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    if !keys(scratch.path(), &["us", "se", "thief"]) {
        return;
    }
    let public = |name: &str| fs::read_to_string(at(&format!("{name}.pub"))).unwrap();
    fs::write(at("roster"), format!("us {}se {}", public("us"), public("se"))).unwrap();
    fs::write(at("draft.yml"), DRAFT).unwrap();
    let (draft, package, roster) = (at("draft.yml"), at("package"), at("roster"));
    assert!(good(statement(&["draft", &draft])).contains("no fault; clauses: 2, parties: 2"));
    good(statement(&["draft", &draft, "--package", &package, "--roster", &roster]));
    let verify =
        |more: &[&str]| statement(&[&["verify", package.as_str(), "--roster", &roster], more].concat());
    assert!(verify(&[]).stdout.contains("REFUSED: nobody has closed the package: it is a draft"));

    for (party, stance) in [("us", "concur"), ("se", "dissent")] {
        let form = at(&format!("{party}.yml"));
        good(statement(&["position", &package, "--party", party, "--out", &form]));
        let unfilled = statement(&["sign", &package, &form, "--key", &at(party)]);
        assert_eq!(unfilled.exit, Exit::Usage);
        assert!(
            unfilled.stderr.contains(&format!("{form}:")) && unfilled.stderr.contains("found \"CHOOSE\""),
            "{}",
            unfilled.stderr
        );
        fs::write(&form, fs::read_to_string(&form).unwrap().replace("CHOOSE", stance)).unwrap();
        let stolen = statement(&["sign", &package, &form, "--key", &at("thief")]);
        assert!(stolen.stderr.contains("no line of the roster gives this key to"), "{}", stolen.stderr);
        good(statement(&["sign", &package, &form, "--key", &at(party)]));
    }
    for party in ["us", "se"] {
        good(statement(&["close", &package, "--party", party, "--key", &at(party)]));
    }
    let verified = good(verify(&[]));
    assert!(verified.contains("VERIFIED: closing 1 by se, us, for "), "{verified}");
    let shown = good(statement(&["show", &package]));
    assert!(
        shown.contains("Sweden dissents (position 1, ")
            && shown.contains("Not joint: only United States concurs."),
        "{shown}"
    );

    // A copy without the dissent: nobody who has seen it closes, and who verifies against both parties sees it.
    let hidden = scratch.path().join("hidden/positions/se");
    fs::create_dir_all(&hidden).unwrap();
    fs::rename(scratch.path().join("package/positions/se/1.json"), hidden.join("1.json")).unwrap();
    fs::rename(scratch.path().join("package/positions/se/1.json.sig"), hidden.join("1.json.sig")).unwrap();
    let refused = statement(&["close", &package, "--party", "us", "--key", &at("us")]);
    assert!(
        refused.stderr.contains("positions/se/1.json, which was seen before, is not in the package"),
        "{}",
        refused.stderr
    );
    assert_eq!(verify(&[]).exit, Exit::FailOn);
    fs::rename(hidden.join("1.json"), scratch.path().join("package/positions/se/1.json")).unwrap();
    fs::rename(hidden.join("1.json.sig"), scratch.path().join("package/positions/se/1.json.sig")).unwrap();

    // Withdrawing is saying something new; what was said stays.
    let before = good(statement(&["show", &package]));
    fs::create_dir(at("before")).unwrap();
    let copied = Command::new("cp").args(["-r", &package, &at("before")]).status().unwrap();
    assert!(copied.success());
    good(statement(&[
        "withdraw",
        &package,
        "--party",
        "se",
        "--clause",
        "C2",
        "--reason",
        "New evidence.",
        "--key",
        &at("se"),
    ]));
    let shown = good(statement(&["show", &package]));
    assert_ne!(before, shown);
    assert!(
        shown.contains("Sweden has withdrawn what it said (dissents) by its position 2: New evidence."),
        "{shown}"
    );
    let differs = statement(&["diff", &format!("{}/package", at("before")), &package]);
    assert_eq!(differs.exit, Exit::FailOn);
    assert!(
        differs.stdout.contains("- C2: se dissents\n")
            && differs.stdout.contains("+ C2: se has withdrawn by position 2\n"),
        "{}",
        differs.stdout
    );
    assert_eq!(verify(&[]).exit, Exit::FailOn);
    for party in ["us", "se"] {
        good(statement(&["close", &package, "--party", party, "--key", &at(party)]));
    }
    assert!(good(verify(&["--party", "us", "--party", "se"])).contains("VERIFIED: closing 2"));
    assert!(verify(&["--party", "fr"]).stdout.contains("REFUSED: fr has not closed list 2"));
    assert_eq!(statement(&["diff", &package, &package]).exit, Exit::Done);

    let bundle = at("bundle.json");
    good(statement(&["show", &package, "--stix", &bundle]));
    let kinds: Vec<String> = json(Path::new(&bundle))["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "relationship").count(), 2, "{kinds:?}");
}

#[test]
fn what_range_made_cannot_be_signed() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    if !keys(scratch.path(), &["us"]) {
        return;
    }
    let (_, case) = scan(&[&workspace().join("examples/exchange-2021")], scratch.path(), &[]);
    let case = case.to_str().unwrap();
    let draft = at("draft.yml");
    good(statement(&[
        "draft",
        &draft,
        "--title",
        "An exercise",
        "--party",
        "us=United States",
        "--case",
        case,
    ]));
    let text = fs::read_to_string(&draft).unwrap();
    assert!(text.contains("findings_sha256") && text.contains("level: act"), "{text}");
    good(statement(&["draft", &draft]));
    fs::write(at("roster"), format!("us {}", fs::read_to_string(at("us.pub")).unwrap())).unwrap();
    // A ground is looked up in the case that it is from.
    let without = statement(&["draft", &draft, "--package", &at("package"), "--roster", &at("roster")]);
    assert!(
        without.stderr.contains("no case of --case has a findings.jsonl with SHA-256"),
        "{}",
        without.stderr
    );
    good(statement(&[
        "draft",
        &draft,
        "--package",
        &at("package"),
        "--roster",
        &at("roster"),
        "--case",
        case,
    ]));
    let form = at("us.yml");
    good(statement(&["position", &at("package"), "--party", "us", "--out", &form]));
    fs::write(&form, fs::read_to_string(&form).unwrap().replace("CHOOSE", "concur")).unwrap();
    let refused = statement(&["sign", &at("package"), &form, "--key", &at("us")]);
    assert_eq!(refused.exit, Exit::Usage);
    assert!(refused.stderr.contains("synthetic evidence: it cannot be signed"), "{}", refused.stderr);
    assert!(good(statement(&["show", &at("package")])).starts_with("SYNTHETIC"));
    // A finding that the case does not have.
    let invented = at("invented.yml");
    let first = text.split_once("ids: [\"").unwrap().1.split_once('"').unwrap().0;
    fs::write(&invented, text.replacen(first, "0000000000000000", 1)).unwrap();
    let refused = statement(&[
        "draft",
        &invented,
        "--package",
        &at("other"),
        "--roster",
        &at("roster"),
        "--case",
        case,
    ]);
    assert!(refused.stderr.contains("has no finding 0000000000000000"), "{}", refused.stderr);
}

#[test]
fn the_record_of_july_2021_is_told_as_each_party_told_it() {
    let text = good(statement(&["show", &record()]));
    let clause = |id: &str| {
        let start = text.find(&format!("\n{id} (")).unwrap();
        text[start..start + text[start + 1..].find("\n\n").unwrap() + 1]
            .replace("\n     ", " ")
            .replace("\n         ", " ")
    };
    let state = clause("X5");
    assert!(
        state.contains("Stated by each of these in a text of its own: United Kingdom, New Zealand."),
        "{state}"
    );
    let silent = state.split_once("Nothing seen of (not assent): ").unwrap().1;
    assert!(silent.contains("European Union") && silent.contains("NATO"), "{state}");
    assert!(clause("X1").contains("Not joint: only European Union states it."), "{}", clause("X1"));
    assert!(clause("X9").contains("Not joint: only NATO states it."), "{}", clause("X9"));
    // Nobody named a scale; what a reader may suppose is said to be that.
    assert!(state.contains("“almost certain” (scale not stated), reported by others"), "{state}");
    assert!(state.contains("Scale not stated; our reading: PHIA."), "{state}");
    assert!(!text.contains("” (PHIA"), "a scale that no party named");
    for reading in [
        "“almost certain” that HAFNIUM is responsible",
        "“highly likely” that HAFNIUM, associated with the state",
        "“almost certain” for a state-backed actor",
    ] {
        assert!(text.contains(reading), "{reading}");
    }
    assert!(
        text.replace("\n  ", " ")
            .contains("where a text gives APT30 for the Finnish parliament, APT31 is meant"),
        "{text}"
    );
}

#[test]
fn the_record_holds_what_was_collected() {
    let Some(data) = shared_data() else { return };
    let collected = json(&data.join("attack/exchange-2021-statements.json"));
    let record: Value = yaml_serde::from_str(&fs::read_to_string(record()).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said: BTreeSet<[String; 3]> = record["positions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| [text(&own["party"]), text(&own["date"]), text(&own["word"]["word"])])
        .collect();
    let clauses = record["statement"]["clauses"].as_array().unwrap();
    for claim in collected["claims"].as_array().unwrap() {
        let party = text(&claim["signer"]).to_lowercase();
        let key = [party.clone(), text(&claim["date"]), text(&claim["word"])];
        assert!(said.contains(&key), "{}: {key:?}", claim["claim_id"]);
        // The party speaks at the level that was collected.
        let level = text(&claim["level"]);
        let speaks = record["positions"].as_array().unwrap().iter().any(|own| {
            own["party"] == *party
                && clauses.iter().any(|clause| clause["id"] == own["clause"] && clause["level"] == *level)
        });
        assert!(speaks, "{}: {party} at level {level}", claim["claim_id"]);
    }
    for source in collected["sources"].as_array().unwrap() {
        let own =
            record["statement"]["sources"].as_array().unwrap().iter().find(|own| own["id"] == source["id"]);
        let own = own.unwrap_or_else(|| panic!("source {}", source["id"]));
        assert_eq!(
            (text(&own["url"]), text(&own["date"])),
            (text(&source["url"]), text(&source["date"])),
            "{}",
            source["id"]
        );
    }
    assert_eq!(
        record["conflicts"].as_array().unwrap().len(),
        collected["conflicts"].as_array().unwrap().len()
    );
}

#[test]
fn the_page_escapes_and_needs_nothing_else() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let hostile = DRAFT.replace(
        "Who attacked the mail servers",
        "\"<script>window.ran=1</script><img/src=x/onerror=window.ran=2>\"",
    );
    fs::write(at("hostile.yml"), hostile).unwrap();
    good(statement(&["render", &at("hostile.yml"), "--html", "--out", &at("hostile.html")]));
    let page = fs::read_to_string(at("hostile.html")).unwrap();
    assert!(
        page.contains("&lt;script&gt;window.ran=1&lt;/script&gt;")
            && !page.contains("<script")
            && !page.contains("<img")
    );
    assert!(page.contains("default-src 'none'"));
    // What steers a terminal or hides letters is refused before anybody signs it.
    fs::write(at("hidden.yml"), DRAFT.replace("four holes", "four\u{202e} holes")).unwrap();
    let refused = statement(&["show", &at("hidden.yml")]);
    assert!(
        refused.stderr.contains("hidden.yml:6: wanted text on one line without hidden characters"),
        "{}",
        refused.stderr
    );
    good(statement(&["render", &record(), "--html", "--out", &at("record.html")]));
    let page = fs::read_to_string(at("record.html")).unwrap();
    assert!(
        !page.contains("href=\"http") && !page.contains("<script"),
        "a page without links from data, and without a script"
    );
    for id in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(page.contains(&format!("id=\"{id}\"")), "#{id} leads nowhere");
    }
}

#[test]
fn a_rendered_statement_leaves_out_what_labels_refuse_and_counts_it() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    if !keys(scratch.path(), &["us", "se"]) {
        return;
    }
    let public = |name: &str| fs::read_to_string(at(&format!("{name}.pub"))).unwrap();
    fs::write(at("roster"), format!("us {}se {}", public("us"), public("se"))).unwrap();
    fs::write(at("draft.yml"), DRAFT).unwrap();
    let package = at("package");
    good(statement(&["draft", &at("draft.yml"), "--package", &package, "--roster", &at("roster")]));
    for (party, form) in [
        (
            "us",
            "party: us\nclauses: [{clause: C2, stance: concur, wording: We hold it., reason: Secret., reason_tlp: amber}]\n",
        ),
        (
            "se",
            "party: se\ntlp: red\nrecipients: [Jane Doe]\nclauses: [{clause: C2, stance: dissent, reason: Hidden.}]\n",
        ),
    ] {
        fs::write(at("form.yml"), form).unwrap();
        good(statement(&["sign", &package, &at("form.yml"), "--key", &at(party)]));
    }
    let render = |more: &[&str]| statement(&[&["render", package.as_str()], more].concat());
    let whole = good(render(&["--md"]));
    assert!(whole.contains("**TLP:RED**") && whole.contains("only for Jane Doe"), "{whole}");
    for text in ["We hold it.", "Secret.", "Hidden.", "**dissents**", "**concurs**", "silent"] {
        assert!(whole.contains(text), "{text}: {whole}");
    }
    for form in ["--md", "--html"] {
        let green = render(&[form, "--tlp", "green"]);
        assert!(green.stderr.contains("left out: stances: 1, marked TLP:RED"), "{}", green.stderr);
        assert!(green.stderr.contains("left out: reasons: 1, marked TLP:AMBER"), "{}", green.stderr);
        let green = good(green);
        assert!(green.contains("We hold it.") && !green.contains("Secret") && !green.contains("Hidden"));
        assert!(
            green.contains("Not all of it is shown here") && green.contains("silent, or not shown"),
            "{green}"
        );
    }
    assert!(good(render(&["--md", "--tlp", "red", "--to", "Jane Doe"])).contains("Hidden."));
    assert!(!good(render(&["--md", "--tlp", "red", "--to", "Joe"])).contains("Hidden."));
    for (more, wanted) in [
        (&[][..], "--html"),
        (&["--md", "--html"], "cannot be used with"),
        (
            &["--md", "--tlp", "clear"],
            "the statement is marked TLP:GREEN, which is stricter than this export",
        ),
        (&["--md", "--tlp", "red"], "--tlp red: wanted --to NAME, found nobody"),
        (&["--md", "--tlp", "amber", "--to", "Joe"], "--to: only --tlp red is for named persons"),
        (&["--md", "--to", "Joe"], "--tlp"),
        (&["--md", "--out", &format!("{package}/page.md")], "is within the package"),
        (&["--md", "--out", &at("form.yml")], "there is a file already; --force writes over it"),
        (&["--md", "--case", &at("nothing")], "nothing"),
    ] {
        let ran = render(more);
        assert_eq!(ran.exit, Exit::Usage, "{more:?}: {}", ran.stdout);
        assert!(ran.stderr.contains(wanted), "{more:?}: {}", ran.stderr);
    }
    // A second RED that nobody may have besides: the whole is for nobody.
    fs::write(
        at("form.yml"),
        "party: us\ntlp: red\nrecipients: [Joe]\nclauses: [{clause: C1, stance: concur}]\n",
    )
    .unwrap();
    good(statement(&["sign", &package, &at("form.yml"), "--key", &at("us")]));
    let refused = render(&["--md"]);
    assert!(
        refused
            .stderr
            .contains("4 inputs are TLP:RED, and no recipient is common to them; --tlp LABEL leaves out"),
        "{}",
        refused.stderr
    );
    good(render(&["--md", "--tlp", "green"]));
    for (label, wanted) in [
        ("tlp: orange\n", "tlp: wanted one of clear, green"),
        ("tlp: red\n", "tlp red: wanted recipients"),
        ("recipients: [Joe]\n", "recipients: wanted a label red"),
    ] {
        fs::write(at("form.yml"), format!("party: us\n{label}clauses: [{{clause: C1, stance: concur}}]\n"))
            .unwrap();
        let refused = statement(&["sign", &package, &at("form.yml"), "--key", &at("us")]);
        assert!(refused.stderr.contains(&format!("form.yml:2: {wanted}")), "{}", refused.stderr);
    }
}

#[test]
fn a_clause_leads_to_findings_of_its_case() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let (_, case) = scan(&[&workspace().join("examples/exchange-2021")], scratch.path(), &[]);
    let case = case.to_str().unwrap();
    good(statement(&["draft", &at("draft.yml"), "--party", "us=US", "--case", case]));
    let text = good(statement(&["render", &at("draft.yml"), "--md"]));
    assert!(text.contains("findings.jsonl") && !text.contains("byte "), "{text}");
    let text = good(statement(&["render", &at("draft.yml"), "--md", "--case", case]));
    assert!(
        text.contains("**TLP:AMBER+STRICT**") && text.contains("MXS01") && text.contains("byte"),
        "{text}"
    );
    let page = good(statement(&["render", &at("draft.yml"), "--html", "--case", case]));
    assert!(page.contains("Findings of this ground") && page.contains("id=\"ground-C1-1\""), "{page}");
    fs::write(at("amber.yml"), fs::read_to_string(at("draft.yml")).unwrap().replace("amber+strict", "amber"))
        .unwrap();
    let away = statement(&["render", &at("amber.yml"), "--md", "--case", case, "--tlp", "amber"]);
    assert!(away.stderr.contains("left out: findings of cases: "), "{}", away.stderr);
    assert!(!away.stdout.contains("MXS01"), "{}", away.stdout);
    let other = at("other.yml");
    fs::write(&other, DRAFT).unwrap();
    let refused = statement(&["render", &other, "--md", "--case", case]);
    assert!(refused.stderr.contains("no ground rests on it"), "{}", refused.stderr);
}
