//! What files alone can answer, and what they cannot.

use super::sketch::{Sketch, answer, check_in};

/// A copy of the web folders that equals the list of its build.
const WHOLE: &[(&str, u64)] = &[("web", 90), ("web-exchange", 80), ("web-root", 8), ("web-compared", 75)];
const SHELL: &str =
    r"- shell-found Path=C:\Program Files\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\owa\auth\x.aspx";

fn with(part: &'static str) -> Sketch {
    Sketch::bare().files(WHOLE).files(&[(part, 3)]).listed("15.1.2106.2", true)
}

#[track_caller]
fn check_text(sketch: Sketch, question: &str, word: &str, parts: &[&str]) {
    let case = sketch.assess();
    let found = answer(&case, question);
    assert_eq!(found.answer.as_str(), word, "{}", found.text);
    for part in parts {
        assert!(found.text.contains(part), "{part:?} is not in: {}", found.text);
    }
}

#[test]
fn files_alone_show_that_no_page_was_written() {
    let sketch = || Sketch::bare().files(WHOLE).listed("15.1.2106.2", true);
    let text =
        ["no page lies in the web folders but those of Exchange", "list of their build: 75 files", "removed"];
    check_text(sketch(), "web-shell-written", "no-trace", &text);
    check_in(
        sketch(),
        &[
            "web-shell-used: cannot-tell",
            "exploited: cannot-tell",
            "persistence: cannot-tell",
            "still-in: cannot-tell",
        ],
    );
    // The page is the ground.
    check_in(
        sketch().findings(&[SHELL]),
        &["web-shell-written: yes - … - by 1", "persistence: yes", "still-in: likely"],
    );
}

#[test]
fn files_that_tell_nothing() {
    let written = "web-shell-written";
    let nothing = |sketch, parts: &[&str]| check_text(sketch, written, "cannot-tell", parts);
    let plain = Sketch::bare().files(&[("web", 90), ("web-exchange", 80), ("web-root", 8)]);
    nothing(plain, &["compared with no list (--known-good)", "get "]);
    let newer = Sketch::bare().files(WHOLE).files(&[("web-not-compared", 9)]).listed("15.2.1118.7", false);
    nothing(
        newer,
        &["9 cannot be compared, they are of build 15.2.1118.7, which no list has", "a list of the files"],
    );
    let unknown = Sketch::bare().files(WHOLE).files(&[("web-not-compared", 9)]);
    nothing(unknown, &["a build that is not known"]);
    nothing(with("web-foreign"), &["3 pages or programs are in folders that no list is about"]);
    nothing(with("web-differs"), &["3 pages or programs are not those of the build"]);
    nothing(with("web-missing"), &["3 pages of the front end"]);
    let no_root = Sketch::bare().files(&[("web", 80), ("web-exchange", 80), ("web-compared", 75)]);
    nothing(no_root.listed("15.1.2106.2", true), &["nothing of inetpub\\wwwroot is in the evidence"]);
    // A host whose web folders are not there is told nothing of lists.
    let case = Sketch::full().without("httpproxy").assess();
    let found = answer(&case, written);
    assert!(!found.text.contains("list of their build:"), "{}", found.text);
    assert!(found.next.iter().any(|line| line.contains("web server serves")), "{:?}", found.next);
}

#[test]
fn what_rests_on_a_shell_is_told_only_where_one_would_have_shown() {
    let rest = ["web-shell-written: no-trace", "persistence: no-trace", "still-in: no-trace"];
    let none = ["web-shell-written: cannot-tell", "persistence: cannot-tell", "still-in: cannot-tell"];
    check_in(Sketch::full(), &rest);
    check_in(Sketch::full().without("httpproxy"), &none);
    // The files do instead.
    let compared = || Sketch::full().without("httpproxy").files(WHOLE).listed("15.1.2106.2", true);
    check_in(compared(), &rest);
    check_in(compared().files(&[("web-not-compared", 1)]).listed("15.2.986.5", false), &none);
    check_text(
        compared().files(&[("web-not-compared", 1)]).listed("15.2.986.5", false),
        "still-in",
        "cannot-tell",
        &["build 15.2.986.5, which no list has"],
    );
    // Where the logs tell, files that cannot be compared take nothing away.
    let newer = Sketch::full().files(WHOLE).files(&[("web-not-compared", 1)]).listed("15.2.986.5", false);
    check_in(newer, &rest);
}
