//! What is said of lists as a responder brings them: crews of ransomware, coin miners, the
//! SolarWinds intruders; right candidates, and no name where only common tools are.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use attribution::{Assessment, History, Model, Snapshot, Sourcing, Strength, assess};
use knowledge::Day;

fn ask(day: &str, observed: &[&str]) -> Assessment {
    let history = History::new(knowledge::attack());
    let snapshot = Snapshot::new(&history, Day::parse(day).unwrap());
    assess(&Model::built_in().unwrap(), &snapshot, observed.iter().copied(), Sourcing::default())
}

fn first(assessment: &Assessment) -> &str {
    &assessment.hypotheses[0].actor
}

/// AdFind, PsExec, Mimikatz, rclone, and what every crew does.
const ANY_CREW: [&str; 11] = [
    "S0552",
    "S0029",
    "S0002",
    "S1040",
    "T1486",
    "T1490",
    "T1562.001",
    "T1021.001",
    "T1567.002",
    "T1003.001",
    "T1059.001",
];

#[test]
fn tools_that_every_ransomware_crew_has_name_nobody() {
    for day in ["2021-07-19", "2023-01-01", "2025-06-01"] {
        let assessment = ask(day, &ANY_CREW);
        assert_eq!(assessment.named, None, "{day}: {}", first(&assessment));
        assert!(assessment.hypotheses[0].probability < 0.7, "{day}");
    }
}

#[test]
fn a_crews_own_malware_brings_it_to_the_front() {
    // Ryuk, TrickBot, Emotet, Bazar beside the common tools.
    let observed: Vec<&str> = ANY_CREW.iter().copied().chain(["S0446", "S0266", "S0367", "S0534"]).collect();
    let assessment = ask("2021-07-19", &observed);
    assert_eq!(first(&assessment), "G0102", "Wizard Spider");
    // REvil alone is what many affiliates of one seller have.
    let assessment = ask("2021-07-19", &["S0496", "T1486", "T1490", "S0154"]);
    let places: Vec<&str> = assessment.hypotheses.iter().take(5).map(|of| of.actor.as_str()).collect();
    assert!(places.contains(&"G0115"), "GOLD SOUTHFIELD: {places:?}");
}

#[test]
fn coin_miners() {
    // What any miner does: hijacked resources, a timed job, a download, a stopped firewall.
    let assessment = ask("2022-01-01", &["T1496", "T1053.003", "T1105", "T1562.004", "T1059.004"]);
    assert_eq!(assessment.named, None);
    // Hildegard, Peirates and containers.
    let own = ["S0601", "S0683", "T1496", "T1610", "T1611", "T1552.005", "T1046", "T1059.004", "T1014"];
    assert_eq!(first(&ask("2022-01-01", &own)), "G0139", "TeamTNT");
}

#[test]
fn the_solarwinds_intruders() {
    // SUNBURST, TEARDROP, Cobalt Strike, AdFind.
    let observed =
        ["S0559", "S0560", "S0154", "S0552", "T1195.002", "T1550.001", "T1087.004", "T1568", "T1071.001"];
    let before = ask("2020-12-01", &observed);
    assert_eq!(before.named, None, "nothing of it was public");
    let after = ask("2021-06-01", &observed);
    assert_eq!(first(&after), "G0016");
    assert!(after.strength < Some(Strength::High), "a list has no sources");
}

#[test]
fn techniques_that_fit_no_profile_name_nobody() {
    let history = History::new(knowledge::attack());
    let day = Day::parse("2022-01-01").unwrap();
    let snapshot = Snapshot::new(&history, day);
    let nobodys: Vec<&str> = knowledge::attack()
        .techniques
        .keys()
        .map(String::as_str)
        .filter(|id| snapshot.holders_of(id).is_empty())
        .collect();
    assert!(nobodys.len() > 50);
    for chunk in [&nobodys[..5], &nobodys[5..25], &nobodys[..]] {
        let assessment = ask("2022-01-01", chunk);
        assert_eq!((assessment.named.as_deref(), assessment.strength), (None, None), "{chunk:?}");
    }
    // One common technique among them is no profile either.
    let assessment = ask("2022-01-01", &[&nobodys[..8], &["T1059.001"][..]].concat());
    assert_eq!(assessment.named, None);
}

#[test]
fn a_tool_alone_names_nobody_when_no_technique_agrees() {
    // SUNBURST, TEARDROP, Raindrop and SUNSPOT beside a coin miner's ways of working.
    let tools = ["S0559", "S0560", "S0565", "S0562"];
    let ask_with = |techniques: &[&str]| {
        let observed: Vec<&str> = tools.iter().chain(techniques).copied().collect();
        ask("2022-01-01", &observed)
    };
    let miner = ask_with(&["T1496", "T1610"]);
    assert_eq!((first(&miner), &miner.named), ("G0016", &None));
    assert_eq!(miner.withheld, Some("the actor is known for none of the observed techniques"));
    // One way of working of its own, and the name is given.
    let own = ask_with(&["T1496", "T1610", "T1195.002"]);
    assert_eq!((own.named.as_deref(), own.withheld), (Some("G0016"), None));
}
