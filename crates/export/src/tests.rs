//! What leaves, and what does not.

use crate::sample::{Names, attribution, case, key, options, run};
use crate::{Export, LeftOut, Options, Refused, Summary, merge, summaries};
use model::Case;
use proptest::prelude::*;
use serde_json::Value;
use stix::{Audience, Marking, Owner, Tlp, Visibility, visibility};

/// Everything that every exit writes.
fn everything(case: &Case, options: &Options) -> Result<Vec<(&'static str, String)>, Refused> {
    let (run, key, attribution) = (run(), key(), attribution());
    let export = Export::prepare(case, &run, Some(&attribution), &key, options.clone())?;
    let mut all = Vec::new();
    let mut add = |name, write: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        write(&mut bytes);
        all.push((name, String::from_utf8(bytes).unwrap()));
    };
    add("stix", &|out| export.write_stix(out).unwrap());
    add("misp", &|out| export.write_misp(out).unwrap());
    add("navigator", &|out| export.write_navigator(out).unwrap());
    add("timesketch", &|out| export.write_timesketch(out).unwrap());
    add("indicators", &|out| export.write_indicators(out).unwrap());
    if let Ok(summaries) = summaries(&export) {
        add("summary", &|out| serde_json::to_writer(out, &summaries).unwrap());
    }
    Ok(all)
}

fn shows(text: &str, secret: &str) -> bool {
    text.to_lowercase().contains(&secret.to_lowercase())
}

/// What each exit says of evidence that was made.
fn synthetic_mark(exit: &str) -> &'static str {
    match exit {
        "stix" => "Synthetic evidence: it was made",
        "misp" => "SYNTHETIC evidence, no real incident",
        "navigator" => "\"value\": \"yes\"",
        "summary" => "\"synthetic\":true",
        _ => ",\"yes\"\r\n",
    }
}

fn labels() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "clear",
        "green",
        "amber",
        "amber+strict",
        "red",
        "white",
        "not known",
        "red, green",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_exit_shows_what_it_refuses(number in any::<u32>(), label in labels(), tlp in proptest::sample::select(Tlp::ALL.to_vec()), synthetic in any::<bool>()) {
        let names = Names::new(number, label);
        let case = Case { synthetic, ..case(&names) };
        let options = options(tlp);
        let written = everything(&case, &options).unwrap();
        let beyond_home = tlp < Tlp::AmberStrict;
        for (exit, text) in &written {
            for secret in names.secrets() {
                let is_masked_at_home = [names.account.as_str(), names.shell.as_str(), "orangepassword"].contains(&secret);
                if beyond_home || is_masked_at_home {
                    prop_assert!(!shows(text, secret), "{} shows {}: {}", exit, secret, text);
                }
            }
            let marking = label.split(", ").map(Tlp::parse).try_fold(Tlp::Clear, |all, one| Some(all.max(one?)));
            let marking = marking.map_or(Marking::Unknown(label.to_owned()), Marking::from);
            let is_told = visibility(&marking, Owner::Other, &options.audience) == Visibility::Whole;
            if !is_told {
                prop_assert!(!shows(text, &names.listed), "{} shows {} marked {}", exit, names.listed, label);
            } else if *exit == "stix" || *exit == "indicators" {
                prop_assert!(shows(text, &names.listed), "{} lacks {}", exit, names.listed);
            }
prop_assert_eq!(shows(text, synthetic_mark(exit)), synthetic, "{} says whether the evidence was made", exit);
        }
        prop_assert_eq!(&written, &everything(&case, &options).unwrap(), "the same bytes");
    }
}

#[test]
fn at_home_hosts_stand_and_people_when_asked_for() {
    let names = Names::new(77, "green");
    let case = case(&names);
    let masked = everything(&case, &options(Tlp::AmberStrict)).unwrap();
    assert!(shows(&masked[0].1, &names.host) && shows(&masked[0].1, &names.inner));
    let revealed = everything(&case, &Options { reveal: true, ..options(Tlp::AmberStrict) }).unwrap();
    for secret in names.secrets() {
        assert!(shows(&revealed[3].1, secret), "{secret}");
    }
    let refused = everything(&case, &Options { reveal: true, ..options(Tlp::Amber) });
    assert!(matches!(refused, Err(Refused::Reveal("TLP:AMBER"))));
    let nobody = Options { audience: Audience::of(Tlp::Red, [].into()), ..options(Tlp::Red) };
    assert!(matches!(everything(&case, &nobody), Err(Refused::Audience(_))));
}

#[test]
fn what_was_left_out_is_counted_and_told() {
    let names = Names::new(5, "red");
    let case = case(&names);
    let (run, key) = (run(), key());
    let export = Export::prepare(&case, &run, None, &key, options(Tlp::Green)).unwrap();
    let listed = LeftOut {
        what: "findings of listed indicators",
        reason: "marked TLP:RED, which is stricter than this export".to_owned(),
        count: 1,
    };
    assert!(export.left_out().contains(&listed), "{:?}", export.left_out());
    let bundle = export.stix().unwrap();
    let grouping = bundle.objects.iter().find(|object| object.kind() == "grouping").unwrap();
    let text = grouping.text("description").unwrap();
    assert!(text.contains("Left out: 1 findings of listed indicators (marked TLP:RED"), "{text}");
}

#[test]
fn a_redacted_object_is_another_one_and_says_from_which() {
    let names = Names::new(9, "green");
    let case = case(&names);
    let (run, key) = (run(), key());
    let at_home =
        Export::prepare(&case, &run, None, &key, options(Tlp::AmberStrict)).unwrap().stix().unwrap();
    let away = Export::prepare(&case, &run, None, &key, options(Tlp::Green)).unwrap().stix().unwrap();
    let host = |bundle: &stix::Bundle| {
        let is_host = |object: &&stix::Object| {
            object.text("identity_class") == Some("system") && object.text("name") != Some("assay")
        };
        bundle.objects.iter().find(is_host).unwrap().clone()
    };
    assert_eq!(host(&at_home).text("name"), Some(names.host.as_str()));
    assert!(host(&away).text("name").unwrap().starts_with("host-"));
    let derived = away.objects.iter().find(|object| {
        object.text("relationship_type") == Some("derived-from")
            && object.text("source_ref") == Some(host(&away).id())
    });
    assert!(derived.is_some());
    let originals: Vec<&str> = away
        .objects
        .iter()
        .filter_map(|object| {
            object.text("target_ref").filter(|_| object.text("relationship_type") == Some("derived-from"))
        })
        .collect();
    // Ids of observables could be found by trying values out.
    assert!(
        originals
            .iter()
            .all(|id| !id.starts_with("ipv4") && !id.starts_with("user-account") && !id.starts_with("file"))
    );
}

/// Texts that do harm where an exit does not escape.
#[test]
fn hostile_text_is_harmless_in_every_exit() {
    let mut names = Names::new(3, "green");
    names.host = "H\u{202e}\u{1b}[2J\u{9b}31m\u{7f}".to_owned();
    names.account = "=cmd|'/c calc'!A1".to_owned();
    names.listed = "x' OR file:name = 'y\u{2028}.example".to_owned();
    for tlp in [Tlp::AmberStrict, Tlp::Green] {
        for (exit, text) in everything(&case(&names), &options(tlp)).unwrap() {
            let is_harmless = |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{202e}');
            assert!(text.chars().all(|c| is_harmless(c) || matches!(c, '\n' | '\r')), "{exit}");
            assert!(!text.contains("\"=cmd") || !exit.starts_with("timesketch"), "{exit}");
            if exit == "stix" {
                assert!(text.contains(r"[domain-name:value = 'x\\' OR file:name = \\'y"), "{text}");
            }
        }
    }
}

#[test]
fn claims_stand_apart_with_their_words_and_no_confidence() {
    let names = Names::new(11, "green");
    let case = case(&names);
    let (run, key, attribution) = (run(), key(), attribution());
    let export = Export::prepare(&case, &run, Some(&attribution), &key, options(Tlp::AmberStrict)).unwrap();
    let bundle = export.stix().unwrap();
    let claims: Vec<&Value> = bundle
        .objects
        .iter()
        .filter(|object| object.text("relationship_type") == Some("attributed-to"))
        .map(|object| &object.get("extensions").unwrap()[stix::claim_definition().id()])
        .collect();
    let told: Vec<(&str, &str, Option<&str>, Option<&str>)> = claims
        .iter()
        .map(|claim| {
            let text = |name: &str| claim.get(name).and_then(Value::as_str);
            (
                text("claimant").unwrap(),
                text("claim_level").unwrap(),
                text("likelihood_word"),
                text("likelihood_scale"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("organisation not named", "actor", Some("very likely"), Some("ICD 203")),
            ("Microsoft", "state", Some("assessed"), Some("scale not stated")),
            ("UK", "state", Some("highly likely"), Some("PHIA")),
        ]
    );
    assert!(bundle.objects.iter().all(|object| object.get("confidence").is_none()));
}

#[test]
fn a_thousand_summaries_merge_in_any_order() {
    let (run, key) = (run(), key());
    let mut all: Vec<Summary> = Vec::new();
    for number in 0..1_000 {
        let names = Names::new(number, "green");
        let case = Case { synthetic: number % 10 == 0, ..case(&names) };
        let export = Export::prepare(&case, &run, None, &key, options(Tlp::Amber)).unwrap();
        for summary in summaries(&export).unwrap() {
            let line = serde_json::to_string(&summary).unwrap();
            assert!(line.len() < 4_096, "small: {} bytes", line.len());
            all.push(Summary::parse(&line).unwrap());
        }
    }
    let merged = merge(all.clone());
    assert_eq!((merged.hosts, merged.synthetic, merged.tlp.as_str()), (1_000, 100, "TLP:AMBER"));
    assert_eq!(merged.verdicts["BREACHED"], 1_000);
    assert_eq!(merged.answers["exchange-2021/exploited"]["yes"], 1_000);
    assert_eq!(merged.sources["203.0.113.7"], 1_000);
    assert_eq!(merged.builds["15.1.2106.2"], 1_000);
    let mut twice: Vec<Summary> = all.iter().rev().cloned().chain(all.iter().cloned()).collect();
    twice.rotate_left(333);
    assert_eq!(merge(twice), merged);
}
