//! Whatever parties do, in whatever order: no position is lost, and no clause shows a party that did not sign it.

use crate::package::Package;
use crate::position::ClausePosition;
use crate::read::FilledForm;
use crate::seen::Seen;
use crate::{close, sample, standing};
use model::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stix::Stance;

#[derive(Debug, Clone)]
enum Command {
    File {
        party: usize,
        stances: Vec<(usize, usize)>,
    },
    Withdraw {
        party: usize,
        clause: Option<usize>,
    },
    Close {
        party: usize,
    },
    /// Somebody puts a position there that its party did not sign.
    Forge {
        party: usize,
        signer: usize,
    },
    /// Somebody hands on the package without a position.
    Hide {
        party: usize,
        number: u32,
    },
}

fn command() -> impl Strategy<Value = Command> {
    let party = 0..4usize;
    prop_oneof![
        4 => (party.clone(), prop::collection::vec((0..3usize, 0..4usize), 0..4)).prop_map(|(party, stances)| Command::File { party, stances }),
        2 => (party.clone(), prop::option::of(0..3usize)).prop_map(|(party, clause)| Command::Withdraw { party, clause }),
        3 => party.clone().prop_map(|party| Command::Close { party }),
        1 => (party.clone(), 0..5usize).prop_map(|(party, signer)| Command::Forge { party, signer }),
        1 => (party, 1..3u32).prop_map(|(party, number)| Command::Hide { party, number }),
    ]
}

fn now() -> Timestamp {
    Timestamp::parse("2021-07-19T12:00:00Z").unwrap()
}

fn form(party: &str, stances: &[(usize, usize)]) -> FilledForm {
    let mut clauses: Vec<ClausePosition> = Vec::new();
    for (clause, stance) in stances {
        let clause = format!("C{}", clause + 1);
        if clauses.iter().all(|own| own.clause != clause) {
            let stance = Stance::ALL[*stance];
            let (likelihood, strength) = (None, None);
            let reason = "a part".to_owned();
            let (wording, alternative) = (String::new(), String::new());
            clauses.push(ClausePosition {
                clause,
                stance,
                likelihood,
                strength,
                wording,
                reason,
                alternative,
                reason_tlp: None,
            });
        }
    }
    let (party, remark) = (party.to_owned(), String::new());
    FilledForm { party, remark, tlp: None, recipients: Vec::new(), clauses }
}

/// Puts a position of `party` there, with a signature by somebody else over it.
fn forge(package: &Package, party: &str, signer: usize) -> Option<Package> {
    let mut elsewhere = sample::package();
    elsewhere.file(form(party, &[(0, 0), (1, 0), (2, 0)]), now(), &sample::signer(party)).unwrap();
    let bytes = elsewhere.files()[&format!("positions/{party}/1.json")].clone();
    let key = sample::key(u8::try_from(signer).unwrap() + 1);
    if sample::PARTIES.get(signer) == Some(&party) {
        return None;
    }
    let mut files = package.files().clone();
    let number = package.filed(party).count() + 1;
    let text = String::from_utf8(bytes).unwrap().replace("\"number\":1", &format!("\"number\":{number}"));
    let signature = crate::Signer::sign(&key, crate::POSITION_NAMESPACE, text.as_bytes()).unwrap();
    files.insert(format!("positions/{party}/{number}.json"), text.into_bytes());
    files.insert(format!("positions/{party}/{number}.json.sig"), signature);
    Some(Package::of_files(files, Vec::new()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_position_is_lost_and_nobody_is_shown_who_did_not_sign(commands in prop::collection::vec(command(), 1..25)) {
        let mut package = sample::package();
        let statement = package.statement().unwrap();
        let roster = package.own_roster().unwrap();
        let mut seen = Seen::default();
        // What each party signed last: clause to stance.
        let mut signed: BTreeMap<&str, BTreeMap<String, Stance>> = BTreeMap::new();
        for command in commands {
            let before = package.files().clone();
            match command {
                Command::File { party, stances } => {
                    let party = sample::PARTIES[party];
                    let form = form(party, &stances);
                    let own = form.clauses.iter().map(|own| (own.clause.clone(), own.stance)).collect();
                    package.file(form, now(), &sample::signer(party)).unwrap();
                    signed.insert(party, own);
                }
                Command::Withdraw { party, clause } => {
                    let party = sample::PARTIES[party];
                    let clauses: Vec<String> = clause.map(|clause| format!("C{}", clause + 1)).into_iter().collect();
                    let had = signed.get(party).is_some_and(|own| !own.is_empty() && clauses.iter().all(|id| own.contains_key(id)));
                    let done = package.withdraw(party, &clauses, "second thoughts", now(), &sample::signer(party));
                    prop_assert_eq!(done.is_ok(), had);
                    if had {
                        signed.entry(party).or_default().retain(|id, _| !clauses.is_empty() && !clauses.contains(id));
                    }
                }
                Command::Close { party } => {
                    let party = sample::PARTIES[party];
                    if close(&mut package, party, &seen, now(), &sample::signer(party)).is_ok() {
                        let newest = crate::closing::newest(&package);
                        let list = String::from_utf8(package.files()[&crate::closing::list_name(newest)].clone()).unwrap();
                        for name in package.files().keys().filter(|name| name.starts_with("positions/")) {
                            let ending = format!("  {name}\n");
                            prop_assert!(list.contains(&ending), "{} is not in the list", name);
                        }
                    }
                }
                Command::Forge { party, signer } => {
                    // A forgery is shown to nobody, and nobody closes over it; it is then taken out again.
                    let party = sample::PARTIES[party];
                    if let Some(mut forged) = forge(&package, party, signer) {
                        let shown = forged.positions(&statement, &roster, None).0;
                        prop_assert_eq!(shown, package.positions(&statement, &roster, None).0);
                        prop_assert!(close(&mut forged, "us", &seen, now(), &sample::signer("us")).is_err());
                    }
                }
                Command::Hide { party, number } => {
                    // Whoever has seen the position does not close without it.
                    let name = crate::package::position_name(sample::PARTIES[party], number);
                    if package.files().contains_key(&name) {
                        let hidden = package.files().iter().filter(|(own, _)| !own.starts_with(&name) && !own.starts_with("closing/"));
                        let hidden = hidden.map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
                        let mut hidden = Package::of_files(hidden, Vec::new()).unwrap();
                        prop_assert!(close(&mut hidden, "us", &seen, now(), &sample::signer("us")).is_err());
                    }
                }
            }
            for (name, bytes) in &before {
                prop_assert_eq!(package.files().get(name), Some(bytes), "{} was changed or lost", name);
            }
            seen.add(&package);
            let (positions, bad) = package.positions(&statement, &roster, None);
            prop_assert!(bad.is_empty(), "{bad:?}");
            for standing in standing(&statement, &positions) {
                let shown: BTreeMap<&str, &str> = standing.voices.iter().map(|voice| (voice.party.as_str(), voice.verb.as_str())).collect();
                let wanted: BTreeMap<&str, &str> = signed
                    .iter()
                    .filter_map(|(party, own)| Some((*party, crate::stance_verb(*own.get(&standing.clause.id)?))))
                    .collect();
                prop_assert_eq!(shown, wanted);
                let holders: BTreeSet<&str> = standing.holders().into_iter().collect();
                let concur: BTreeSet<&str> = signed
                    .iter()
                    .filter(|(_, own)| own.get(&standing.clause.id) == Some(&Stance::Concur))
                    .map(|(party, _)| *party)
                    .collect();
                prop_assert_eq!(holders, concur);
            }
        }
    }
}

#[test]
fn what_rests_on_made_evidence_is_not_signed() {
    let mut statement = sample::statement();
    statement.synthetic = true;
    let mut package = Package::new(&statement, sample::roster().as_bytes()).unwrap();
    let refused = package.file(form("us", &[(0, 0)]), now(), &sample::signer("us")).unwrap_err();
    assert_eq!(refused.to_string(), "the statement rests on synthetic evidence: it cannot be signed");
    assert!(close(&mut package, "us", &Seen::default(), now(), &sample::signer("us")).is_err());
}

#[test]
fn a_key_that_the_roster_does_not_give_to_the_party_files_nothing() {
    let mut package = sample::package();
    let before = package.clone();
    let refused = package.file(form("us", &[(0, 0)]), now(), &sample::signer("uk")).unwrap_err();
    assert_eq!(refused.to_string(), "no line of the roster gives this key to us");
    assert_eq!(package, before);
}
