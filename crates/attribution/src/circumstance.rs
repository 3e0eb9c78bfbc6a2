//! Circumstances: hosts that a source ties to an actor, hours of work, whom it
//! hit, in which script somebody wrote.
//!
//! There are no dated cases with these on which a weight could be fitted. So each
//! is a likelihood ratio by judgement, bounded, one vote a report, and all of them
//! together may do less than the fitted numbers: they move actors up and down in
//! the list, they can take a name away, and they never give one or make one surer.
//! `docs/attribution.md` says where each number comes from.
//!
//! # Not here
//! Where they were seen in a case: the program. Facts about actors: `knowledge`.

use crate::assess::{Assessment, NAMED_FROM};
use crate::matrix::Forgeability;
use knowledge::{Day, Dossier, Dossiers, Infrastructure, Script};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Ratios for one item: how much more often it is seen when it was the actor than when it was another one.
const DOMAIN: f64 = 8.0;
const ADDRESS: f64 = 3.0;
const SECTOR: f64 = 1.5;
const COUNTRY: f64 = 1.3;
const SCRIPT: f64 = 1.3;
/// And at most, up and down, for all of a kind, and for everything.
const INFRASTRUCTURE_MAX: f64 = 10.0;
const HOURS_MAX: f64 = 1.5;
const VICTIM_MAX: f64 = 2.0;
const LANGUAGE_MAX: f64 = 1.3;
const ALL_MAX: f64 = 20.0;
/// Share of an actor's work that falls into its hours.
const WITHIN_HOURS: f64 = 0.8;
/// Hours with a deed that are needed to say anything, and hours of the day from which on no person keeps them.
const HOURS_MIN: usize = 8;
const HOURS_OF_DAY_MAX: usize = 16;
/// Days for which a host counts before it was first and after it was last seen in use.
const ADDRESS_DAYS: (i32, i32) = (30, 90);
const DOMAIN_DAYS: (i32, i32) = (180, 365);

/// What kind of circumstance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CircumstanceKind {
    /// A host that a dated source ties to an actor.
    Infrastructure,
    /// The hours of the deeds.
    Hours,
    /// Sector and country of the victim.
    Victim,
    /// A script in which somebody wrote.
    Language,
}

impl CircumstanceKind {
    /// The word, which begins an item's id.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Infrastructure => "infrastructure",
            Self::Hours => "hours",
            Self::Victim => "victim",
            Self::Language => "language",
        }
    }

    const fn most(self) -> f64 {
        match self {
            Self::Infrastructure => INFRASTRUCTURE_MAX,
            Self::Hours => HOURS_MAX,
            Self::Victim => VICTIM_MAX,
            Self::Language => LANGUAGE_MAX,
        }
    }
}

/// What was seen of an intrusion beside techniques and software.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// First and last day of the intrusion.
    pub days: Option<(Day, Day)>,
    /// Names and addresses of hosts, in lower case.
    pub hosts: BTreeSet<String>,
    /// Hours with a deed, since 1970-01-01T00Z.
    pub hours: BTreeSet<i64>,
    /// Sectors of the victim ([`knowledge::SECTORS`]), as the user says.
    pub sectors: BTreeSet<String>,
    /// Its countries (ISO 3166-1 alpha-2), as the user says.
    pub countries: BTreeSet<String>,
    /// Scripts in which commands, scripts or names of files are written.
    pub scripts: BTreeSet<Script>,
}

/// One circumstance against the actors.
#[derive(Clone, PartialEq, Debug)]
pub struct Circumstance {
    /// `infrastructure:fireeye-sunburst`, `hours`, `victim`, `language:han`.
    pub id: String,
    /// What kind.
    pub kind: CircumstanceKind,
    /// What was seen, in words.
    pub name: String,
    /// How hard it is to lay into somebody's evidence.
    pub forgeability: Forgeability,
    /// Source and credibility (Admiralty).
    pub admiralty: &'static str,
    /// Actors (ids) with the natural logarithm of the ratio; others have 0.
    pub adds: BTreeMap<String, f64>,
    /// What was seen that the sources name: hosts.
    pub seen: Vec<String>,
    /// The sources: short names in the dossiers.
    pub sources: BTreeSet<String>,
    /// Whether a source came out after the intrusion began, and may be about it.
    pub may_be_circular: bool,
}

/// What the dossiers say on `day` of what was `seen`.
pub fn circumstances(dossiers: &Dossiers, day: Day, seen: &Seen) -> Vec<Circumstance> {
    let mut found = infrastructure(dossiers, day, seen);
    found.extend(hours(dossiers, day, seen));
    found.extend(victim(dossiers, day, seen));
    found.extend(languages(dossiers, day, seen));
    found
}

/// Actors of ATT&CK: only they are hypotheses.
fn actors(dossiers: &Dossiers) -> impl Iterator<Item = (&str, &Dossier)> {
    dossiers.actors.iter().filter_map(|dossier| Some((dossier.attack.as_deref()?, dossier)))
}

fn is_public(dossiers: &Dossiers, source: &str, day: Day) -> bool {
    dossiers.day_of(source).is_some_and(|published| published < day)
}

/// A fact a report is one vote, and a host that two reports name is one, too: the earlier one has it.
fn infrastructure(dossiers: &Dossiers, day: Day, seen: &Seen) -> Vec<Circumstance> {
    let mut found = Vec::new();
    for (actor, dossier) in actors(dossiers) {
        let mut facts: Vec<&Infrastructure> =
            dossier.infrastructure.iter().filter(|of| is_public(dossiers, &of.source, day)).collect();
        facts.sort_by_key(|of| dossiers.day_of(&of.source));
        let mut counted: BTreeSet<&str> = BTreeSet::new();
        for fact in facts {
            let (mut hosts, ratio) = matched(fact, seen);
            hosts.retain(|host| counted.insert(host));
            if hosts.is_empty() {
                continue;
            }
            let published = dossiers.day_of(&fact.source);
            let is_domain = ratio >= DOMAIN;
            found.push(Circumstance {
                id: format!("infrastructure:{}:{actor}", fact.source),
                kind: CircumstanceKind::Infrastructure,
                name: format!(
                    "{} of {}",
                    if is_domain { "domain" } else { "address" },
                    publisher(dossiers, &fact.source)
                ),
                // Another one can rent an address, but not answer for a domain that is not its own.
                forgeability: if is_domain { Forgeability::Hard } else { Forgeability::Easy },
                admiralty: if is_domain { "A2" } else { "A4" },
                adds: BTreeMap::from([(actor.to_owned(), ratio.ln())]),
                seen: hosts.into_iter().map(str::to_owned).collect(),
                sources: BTreeSet::from([fact.source.clone()]),
                may_be_circular: seen.days.is_some_and(|(first, _)| published.is_some_and(|of| of >= first)),
            });
        }
    }
    found
}

fn publisher(dossiers: &Dossiers, source: &str) -> String {
    let source = dossiers.sources.get(source);
    source.map_or_else(String::new, |source| format!("{}'s report of {}", source.publisher, source.date))
}

/// The hosts of `fact` that were seen in its time, and the ratio of the most telling one.
fn matched<'s>(fact: &Infrastructure, seen: &'s Seen) -> (Vec<&'s str>, f64) {
    let (Some(from), Some(until)) = (Day::parse(&fact.from), Day::parse(&fact.until)) else {
        return (Vec::new(), 1.0);
    };
    // What nobody dated cannot be said to be of that time.
    let within = |(before, after): (i32, i32)| {
        seen.days.is_some_and(|(first, last)| last.0 >= from.0 - before && first.0 <= until.0 + after)
    };
    let addresses: Vec<IpAddr> = fact.addresses.iter().filter_map(|text| text.parse().ok()).collect();
    let is_address = |host: &str| host.parse::<IpAddr>().is_ok_and(|address| addresses.contains(&address));
    let is_domain = |host: &str| {
        fact.domains.iter().any(|domain| {
            host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    };
    let mut hosts = Vec::new();
    let mut ratio: f64 = 1.0;
    for host in &seen.hosts {
        if within(DOMAIN_DAYS) && is_domain(host) {
            ratio = ratio.max(DOMAIN);
            hosts.push(host.as_str());
        } else if within(ADDRESS_DAYS) && is_address(host) {
            ratio = ratio.max(ADDRESS);
            hosts.push(host.as_str());
        }
    }
    (hosts, ratio)
}

/// Deeds by hour against the hours of actors: the reference is somebody who works at any hour.
fn hours(dossiers: &Dossiers, day: Day, seen: &Seen) -> Option<Circumstance> {
    let of_day: BTreeSet<i64> = seen.hours.iter().map(|hour| hour.rem_euclid(24)).collect();
    let days: BTreeSet<i64> = seen.hours.iter().map(|hour| hour.div_euclid(24)).collect();
    // A program keeps no hours, and one day is no habit.
    if seen.hours.len() < HOURS_MIN || days.len() < 2 || of_day.len() > HOURS_OF_DAY_MAX {
        return None;
    }
    let mut adds = BTreeMap::new();
    let mut sources = BTreeSet::new();
    for (actor, dossier) in actors(dossiers) {
        let public = dossier.hours.iter().filter(|of| is_public(dossiers, &of.source, day));
        let Some(fact) = public.max_by_key(|of| dossiers.day_of(&of.source)) else { continue };
        let (from, until) = (i64::from(fact.utc.0), i64::from(fact.utc.1));
        let is_within = |hour: i64| {
            if from < until { (from..until).contains(&hour) } else { hour >= from || hour < until }
        };
        let share = (until - from).rem_euclid(24) as f64 / 24.0;
        let within = seen.hours.iter().filter(|hour| is_within(hour.rem_euclid(24))).count() as f64;
        let outside = seen.hours.len() as f64 - within;
        let sum =
            within * (WITHIN_HOURS / share).ln() + outside * ((1.0 - WITHIN_HOURS) / (1.0 - share)).ln();
        adds.insert(actor.to_owned(), sum.clamp(-HOURS_MAX.ln(), HOURS_MAX.ln()));
        sources.insert(fact.source.clone());
    }
    (!adds.is_empty()).then(|| Circumstance {
        id: CircumstanceKind::Hours.as_str().to_owned(),
        kind: CircumstanceKind::Hours,
        name: format!("{} hours with a deed, UTC: {}", seen.hours.len(), ranges(&of_day)),
        forgeability: Forgeability::Easy,
        admiralty: "A3",
        adds,
        seen: Vec::new(),
        sources,
        may_be_circular: false,
    })
}

/// `1-3, 7`.
fn ranges(hours: &BTreeSet<i64>) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for hour in hours {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *hour => *last = *hour,
            _ => runs.push((*hour, *hour)),
        }
    }
    let run = |(first, last): &(i64, i64)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    runs.iter().map(run).collect::<Vec<_>>().join(", ")
}

/// That an actor is not known to be after somebody says nothing: reports name those who were found.
fn victim(dossiers: &Dossiers, day: Day, seen: &Seen) -> Option<Circumstance> {
    if seen.sectors.is_empty() && seen.countries.is_empty() {
        return None;
    }
    let mut adds: BTreeMap<String, f64> = BTreeMap::new();
    let mut sources = BTreeSet::new();
    for (actor, dossier) in actors(dossiers) {
        for fact in dossier.victims.iter().filter(|of| is_public(dossiers, &of.source, day)) {
            // `government-national` is `government`, too.
            let is_sector = |sector: &String| {
                seen.sectors.iter().any(|of| {
                    of == sector || of.strip_prefix(sector.as_str()).is_some_and(|rest| rest.starts_with('-'))
                })
            };
            let sector = if fact.sectors.iter().any(is_sector) { SECTOR } else { 1.0 };
            let country =
                if fact.countries.iter().any(|of| seen.countries.contains(of)) { COUNTRY } else { 1.0 };
            let ratio: f64 = sector * country;
            if ratio > 1.0 {
                let adds = adds.entry(actor.to_owned()).or_default();
                *adds = adds.max(ratio.min(VICTIM_MAX).ln());
                sources.insert(fact.source.clone());
            }
        }
    }
    let words: Vec<&str> = seen.sectors.iter().chain(&seen.countries).map(String::as_str).collect();
    Some(Circumstance {
        id: CircumstanceKind::Victim.as_str().to_owned(),
        kind: CircumstanceKind::Victim,
        name: format!("victim as stated: {}", words.join(", ")),
        // Whoever wants to look like another one chooses a victim of the other one's.
        forgeability: Forgeability::Easy,
        admiralty: "A2",
        adds,
        seen: Vec::new(),
        sources,
        may_be_circular: false,
    })
}

fn languages(dossiers: &Dossiers, day: Day, seen: &Seen) -> Vec<Circumstance> {
    // Where everybody writes so, it says nothing.
    let is_foreign =
        |script: &&Script| !script.at_home_in().iter().any(|code| seen.countries.contains(*code));
    let mut found = Vec::new();
    for script in seen.scripts.iter().filter(is_foreign) {
        let mut adds = BTreeMap::new();
        let mut sources = BTreeSet::new();
        for (actor, dossier) in actors(dossiers) {
            let says = |of: &&knowledge::Language| {
                of.scripts.contains(script) && is_public(dossiers, &of.source, day)
            };
            for fact in dossier.languages.iter().filter(says) {
                adds.insert(actor.to_owned(), SCRIPT.ln());
                sources.insert(fact.source.clone());
            }
        }
        found.push(Circumstance {
            id: format!("language:{}", script.as_str().to_lowercase()),
            kind: CircumstanceKind::Language,
            name: format!("{} letters in commands, scripts or file names", script.as_str()),
            forgeability: Forgeability::Easy,
            admiralty: "A3",
            adds,
            seen: Vec::new(),
            sources,
            may_be_circular: false,
        });
    }
    found
}

/// What all `circumstances` together add for `actor`, bounded by kind and as a whole; natural logarithm.
pub fn added(circumstances: &[Circumstance], actor: &str) -> f64 {
    let mut by_kind: BTreeMap<CircumstanceKind, f64> = BTreeMap::new();
    for circumstance in circumstances {
        *by_kind.entry(circumstance.kind).or_default() +=
            circumstance.adds.get(actor).copied().unwrap_or(0.0);
    }
    let bounded = |(kind, sum): (CircumstanceKind, f64)| sum.clamp(-kind.most().ln(), kind.most().ln());
    by_kind.into_iter().map(bounded).sum::<f64>().clamp(-ALL_MAX.ln(), ALL_MAX.ln())
}

/// Moves the hypotheses by the circumstances. A name is taken away when they leave its actor too little, and never
/// given; the probability of a named actor never rises, as it says how often such names were right without them.
///
/// Gives what the moved probabilities were divided by, `None` when all stayed as it was.
pub fn weigh_in(assessment: &mut Assessment, circumstances: &[Circumstance]) -> Option<f64> {
    let moved: Vec<f64> = assessment
        .hypotheses
        .iter()
        .map(|of| of.probability * added(circumstances, &of.actor).exp())
        .collect();
    let sum = moved.iter().sum::<f64>() + assessment.unknown;
    let stated = assessment.hypotheses.first().map_or(0.0, |first| first.probability);
    if circumstances.is_empty() || sum <= 0.0 || (assessment.named.is_some() && moved[0] / sum >= stated) {
        return None;
    }
    for (hypothesis, moved) in assessment.hypotheses.iter_mut().zip(moved) {
        hypothesis.probability = moved / sum;
    }
    assessment.unknown /= sum;
    let before = assessment.hypotheses.first().map(|first| first.actor.clone());
    assessment.hypotheses.sort_by(|a, b| {
        b.probability
            .total_cmp(&a.probability)
            .then(b.total.total_cmp(&a.total))
            .then_with(|| a.actor.cmp(&b.actor))
    });
    let shares: Vec<f64> = assessment.hypotheses.iter().take(2).map(|of| of.probability).collect();
    assessment.tie = matches!(shares.as_slice(), [a, b] if *a > 0.0 && (a - b).abs() < 1e-9);
    let first = assessment.hypotheses.first();
    let is_enough = first.is_some_and(|of| of.probability >= NAMED_FROM);
    let is_same = first.map(|of| &of.actor) == before.as_ref();
    if assessment.named.is_some() && !(is_enough && is_same) {
        (assessment.named, assessment.strength, assessment.support) = (None, None, None);
        assessment.withheld =
            Some("the circumstances speak against the actor that techniques and tools alone would name");
    } else if assessment.named.is_none() && is_enough {
        assessment.withheld =
            Some("only the circumstances lift the first actor so far, and they never give a name");
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{History, Model, Snapshot, Sourcing, assess};

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    fn found(as_of: &str, seen: &Seen) -> Vec<Circumstance> {
        circumstances(&knowledge::dossiers().unwrap(), day(as_of), seen)
    }

    fn hosts(hosts: &[&str], first: &str) -> Seen {
        let days = Some((day(first), day(first)));
        Seen { days, hosts: hosts.iter().map(|host| (*host).to_owned()).collect(), ..Seen::default() }
    }

    #[test]
    fn a_host_counts_once_a_report_in_its_time_and_after_its_report() {
        let two = hosts(&["x1.appsync-api.eu-west-1.avsvmcloud.com", "freescanonline.com"], "2020-06-01");
        let all = found("2021-01-01", &two);
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].adds, BTreeMap::from([("G0016".to_owned(), DOMAIN.ln())]));
        assert_eq!((all[0].seen.len(), all[0].admiralty, all[0].forgeability), (2, "A2", Forgeability::Hard));
        assert!(all[0].may_be_circular);
        // Not yet public; long after; another name that ends alike.
        assert_eq!(found("2020-12-13", &two), []);
        assert_eq!(found("2025-01-01", &hosts(&["avsvmcloud.com"], "2024-06-01")), []);
        assert_eq!(found("2021-01-01", &hosts(&["notavsvmcloud.com"], "2020-06-01")), []);
        let address = found("2021-07-19", &hosts(&["103.77.192.219", "203.0.113.7"], "2021-02-28"));
        assert_eq!((address[0].adds["G0125"], address[0].admiralty), (ADDRESS.ln(), "A4"));
        assert_eq!(found("2021-07-19", &hosts(&["103.77.192.219"], "2022-02-28")), []);
    }

    #[test]
    fn hours_are_weak_and_a_program_keeps_none() {
        let at = |hours: &[i64]| {
            let hours = (0..4).flat_map(|day| hours.iter().map(move |hour| (18_600 + day) * 24 + hour));
            Seen { hours: hours.collect(), ..Seen::default() }
        };
        let all = found("2021-01-01", &at(&[2, 3, 5]));
        assert_eq!(all.len(), 1);
        assert!((all[0].adds["G0065"] - HOURS_MAX.ln()).abs() < 1e-12);
        assert!((found("2021-01-01", &at(&[18, 19, 20]))[0].adds["G0065"] + HOURS_MAX.ln()).abs() < 1e-12);
        assert!(all[0].name.ends_with("UTC: 2-3, 5"), "{}", all[0].name);
        assert_eq!(found("2021-01-01", &at(&(0..24).collect::<Vec<_>>())), []);
        assert_eq!(found("2021-01-01", &at(&[2])), []);
    }

    #[test]
    fn victims_and_languages() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let seen = Seen {
            sectors: words(&["government-national"]),
            countries: words(&["IN"]),
            scripts: BTreeSet::from([Script::Han]),
            ..Seen::default()
        };
        let all = found("2021-01-01", &seen);
        assert_eq!(all.len(), 2);
        assert!((all[0].adds["G0013"] - (SECTOR * COUNTRY).ln()).abs() < 1e-12);
        assert!((all[0].adds["G0016"] - SECTOR.ln()).abs() < 1e-12);
        assert!((all[1].adds["G0006"] - SCRIPT.ln()).abs() < 1e-12);
        let at_home = Seen { countries: words(&["TW"]), ..seen };
        assert!(found("2021-01-01", &at_home).iter().all(|of| of.kind != CircumstanceKind::Language));
        // Kinds are bounded, and so is the whole.
        let most = vec![all[0].clone(); 9];
        assert!((added(&most, "G0013") - VICTIM_MAX.ln()).abs() < 1e-12);
    }

    #[test]
    fn they_move_and_take_away_and_never_name() {
        let history = History::new(knowledge::attack());
        let snapshot = Snapshot::new(&history, day("2021-07-19"));
        let model = Model::built_in().unwrap();
        let ask =
            |observed: &[&str]| assess(&model, &snapshot, observed.iter().copied(), Sourcing::default());
        let sum = |of: &Assessment| of.hypotheses.iter().map(|of| of.probability).sum::<f64>() + of.unknown;
        let place =
            |of: &Assessment, actor: &str| of.hypotheses.iter().position(|of| of.actor == actor).unwrap();
        let of = |adds: f64, actor: &str| Circumstance {
            adds: BTreeMap::from([(actor.to_owned(), adds)]),
            ..found("2021-01-01", &hosts(&["avsvmcloud.com"], "2020-06-01"))[0].clone()
        };
        // Nothing is known of what was observed: nothing comes of a host alone.
        let mut alone = ask(&[]);
        weigh_in(&mut alone, &[of(DOMAIN.ln(), "G0016")]);
        assert_eq!((alone.named.as_deref(), alone.unknown), (None, 1.0));
        // A common technique and a host: the actor rises, and is not named.
        let before = ask(&["T1190", "T1505.003", "S0020"]);
        let mut after = before.clone();
        weigh_in(&mut after, &[of(1e3, "G0065")]);
        assert!(place(&after, "G0065") <= place(&before, "G0065"));
        assert!((sum(&after) - 1.0).abs() < 1e-9 && after.named.is_none());
        // A named actor does not become surer, and falls when much speaks for another one.
        let mut certain = before.clone();
        certain.hypotheses[0].probability = 0.95;
        let rest: f64 = certain.hypotheses[1..].iter().map(|of| of.probability).sum();
        certain.hypotheses[1..].iter_mut().for_each(|of| of.probability *= 0.04 / rest);
        (certain.unknown, certain.named) = (0.01, Some(certain.hypotheses[0].actor.clone()));
        let mut surer = certain.clone();
        weigh_in(&mut surer, &[of(1.0, &certain.hypotheses[0].actor)]);
        assert_eq!(surer, certain);
        let mut less = certain.clone();
        weigh_in(&mut less, &[of(-9.0, &certain.hypotheses[0].actor)]);
        assert_eq!(less.named, None);
        assert!(less.withheld.is_some_and(|why| why.contains("speak against")));
    }
}
