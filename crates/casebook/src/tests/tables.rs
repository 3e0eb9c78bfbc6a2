//! The built-in tables, lists and books, and the errors of broken ones.

use crate::build::{Build, BuildTable, Standing};
use crate::{BookError, Casebook, CollectList};

const BUILDS: &str = include_str!("../../../../casebook/exchange-builds.yml");
const LIST: &str = include_str!("../../../../casebook/collect/exchange.yml");
const BOOK: &str = include_str!("../../../../casebook/exchange-2021.yml");

fn standing(build: &str) -> &'static str {
    let table = BuildTable::parse("builds", BUILDS).expect("the built-in table");
    match Build::parse(build).map(|build| table.standing(build)) {
        Some(Standing::Vulnerable { .. }) => "vulnerable",
        Some(Standing::Fixed { .. }) => "fixed",
        Some(Standing::Unknown) => "unknown",
        None => "no build",
    }
}

#[test]
fn builds() {
    for (build, expect) in [
        ("15.1.2106.2", "vulnerable"),
        ("15.01.2106.002", "vulnerable"),
        ("15.1.2106.12", "vulnerable"),
        ("15.1.2106.13", "fixed"),
        ("15.1.2176.2", "vulnerable"),
        ("15.1.2176.9", "fixed"),
        ("15.1.2242.4", "fixed"),
        ("15.1.2375.7", "fixed"),
        ("15.2.792.10", "fixed"),
        ("15.2.858.2", "fixed"),
        ("15.2.1748.26", "fixed"),
        ("15.2.659.7", "vulnerable"),
        ("15.0.1104.2", "vulnerable"),
        ("15.0.1497.12", "fixed"),
        ("15.0.1497.2", "vulnerable"),
        ("15.1.1234.1", "unknown"),
        ("14.3.123.4", "unknown"),
        ("15.0.0.0", "no build"),
        ("15.00.0000.000", "no build"),
        ("15.1.2106", "no build"),
        ("15.1.2106.2.1", "no build"),
        ("99999999999.1.1.1", "no build"),
        ("", "no build"),
    ] {
        assert_eq!(standing(build), expect, "{build}");
    }
}

#[test]
fn builds_and_the_other_chains() {
    use crate::build::Immunity::{self, Fixed, Never, Open};
    let table = BuildTable::parse("builds", BUILDS).expect("the built-in table");
    let check = |hole: &str, build: &str, expect: Immunity| {
        let parsed = Build::parse(build).expect("a build");
        assert_eq!(table.immunity(hole, parsed), expect, "{hole} {build}");
    };
    // The last update of April 2021 closed the path, not the export.
    check("proxyshell", "15.1.2176.12", Open);
    check("proxyshell", "15.1.2176.14", Fixed);
    check("proxyshell", "15.1.2308.8", Fixed);
    check("proxyshell", "15.0.1497.18", Fixed);
    check("proxytoken", "15.1.2308.8", Open);
    check("proxytoken", "15.2.922.13", Fixed);
    check("november-2022", "15.1.2507.13", Open);
    check("november-2022", "15.1.2507.16", Fixed);
    check("november-2022", "15.2.1258.12", Fixed);
    // Updates of March 2021 for old cumulative updates hold nothing but the fixes of that month.
    check("cve-2020-0688", "15.1.1779.8", Open);
    check("cve-2020-0688", "15.1.1847.7", Fixed);
    check("cve-2020-0688", "15.2.792.3", Fixed);
    check("cve-2021-42321", "15.0.1497.2", Never);
    check("cve-2021-42321", "15.1.2375.12", Open);
    check("cve-2021-42321", "15.1.2375.17", Fixed);
    // What the table does not know, it does not clear.
    check("proxyshell", "14.3.123.4", Open);
    check("proxyshell", "15.1.1234.1", Open);
    assert!(!table.has_hole("proxy"));
}

/// Every build that Microsoft published files of is known, but the preview of 2018.
#[test]
fn published_builds_are_in_the_table() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/exchange-known-good-hashes/builds.txt");
    let Ok(text) = std::fs::read_to_string(path) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "../shared/data is missing");
        eprintln!("skipped: ../shared/data is missing");
        return;
    };
    let unknown: Vec<&str> = text.lines().filter(|build| standing(build) == "unknown").collect();
    assert_eq!(unknown, ["15.2.196.0"]);
    let fixed = text.lines().filter(|build| standing(build) == "fixed");
    assert_eq!(fixed.count(), 7);
}

#[test]
fn the_collect_list_prints() {
    let list = CollectList::parse("list", LIST).expect("the built-in list");
    let text = list.render_text();
    for entry in &list.entries {
        assert!(text.contains(&format!("[{}]", entry.id)), "{}", entry.id);
    }
    assert_eq!(list.entries[0].id, "memory");
    assert!(text.lines().all(|line| !line.ends_with(' ')));
}

#[test]
fn the_book_watches_what_it_needs() {
    let book = Casebook::exchange_2021().expect("the built-in book");
    assert_eq!(book.id(), "exchange-2021");
    let watched = book.watched();
    let find = |log: &str, part: &str| {
        let found = watched.iter().find(|one| one.log.log == log && one.log.part == part);
        found.map(|one| one.fields.join(" ")).unwrap_or_else(|| panic!("{log} {part} is not watched"))
    };
    assert_eq!(find("security", "4688"), "CommandLine NewProcessName ParentProcessName");
    assert_eq!(find("httpproxy", ""), "AnchorMailbox HttpStatus UrlQuery UrlStem");
    assert_eq!(find("httpproxy", "ecp"), "");
    assert_eq!(find("microsoft-windows-sysmon/operational", "1"), "CommandLine Image ParentImage");
    assert!(watched.windows(2).all(|pair| pair[0].log < pair[1].log));
}

/// A step that STEPS.md does not explain would never be found by a rule's author.
#[test]
fn the_book_speaks_the_words_of_the_steps() {
    let text = include_str!("../../../../casebook/STEPS.md");
    let book = Casebook::exchange_2021().expect("the built-in book");
    let supports = book.questions.iter().flat_map(|question| &question.supports);
    let partners = supports.clone().flat_map(|support| &support.raises).flat_map(|raise| &raise.with);
    let steps = supports.map(|support| &support.step).chain(partners.flat_map(|partner| &partner.steps));
    let links = book.joins.links.iter().flat_map(|link| link.of.iter().chain(&link.to));
    let joins = book.joins.visits.iter().chain(&book.joins.shells).chain(links);
    let ends = book.questions.iter().flat_map(|question| &question.stay.ended_by);
    let explained = book.questions.iter().flat_map(|question| &question.supports);
    let explained = explained.filter_map(|support| support.explained.as_ref()).flat_map(|one| &one.by);
    let unsettled = book.questions.iter().flat_map(|question| question.unsettled());
    let others = explained.flat_map(|partner| &partner.steps).chain(unsettled);
    for step in steps.chain(joins).chain(others).chain(ends).chain(book.cves.keys()) {
        let short = step.strip_prefix("ssrf-target").unwrap_or(step);
        assert!(
            text.contains(&format!("`{step}`")) || text.contains(&format!("`{short}`")),
            "{step} is not in STEPS.md"
        );
    }
}

#[track_caller]
fn check_error(from: &str, to: &str, expect: &str) {
    assert!(BOOK.contains(from), "{from}");
    let error: BookError = Casebook::parse("book.yml", &BOOK.replacen(from, to, 1)).expect_err(to);
    assert!(error.to_string().contains(expect), "{error}");
}

#[test]
fn broken_books_say_where() {
    check_error("id: exchange-2021", "name: exchange-2021", "book.yml:");
    check_error("with: [any-effect]", "with: [any-efect]", "there is no group \"efect\"");
    check_error(
        "needs: [httpproxy]",
        "needs: [httproxy]",
        "question \"probed\": there is no need \"httproxy\"",
    );
    check_error("next: [httpproxy]", "next: [httproxy]", "has no entry \"httproxy\"");
    check_error("like: web-shell-written", "like: web-shel", "no question \"web-shel\" stands before it");
    check_error("{count}[ from", "{number}[ from", "there is no fact \"number\"");
    check_error("builds: proxytoken", "builds: proxytokens", "has no hole \"proxytokens\"");
    check_error("public: 2021-08-05", "public: August", "wanted a day");
    check_error("techniques: [T1003]", "techniques: [any-stealth]", "ATT&CK has no tactic \"stealth\"");
    check_error("builds: exchange", "builds: exchang", "nothing is called \"exchang\"");
    check_error("from: 2020-12-01", "from: soon", "wanted a day");
    check_error("probed: [probed]", "probed: [prodded]", "verdict: there is no question \"prodded\"");
    check_error("log: httpproxy", "log: HttpProxy", "in lower case");
    let twice = LIST.replacen("id: volatile", "id: memory", 1);
    let error = CollectList::parse("list.yml", &twice).expect_err("an id twice");
    assert_eq!(error.to_string(), "list.yml: the id \"memory\" stands twice");
}
