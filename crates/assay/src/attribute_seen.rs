//! What of the findings of an intrusion bears on who, beside techniques and
//! software: known hosts, hours, scripts; and what the user says of the victim.

use crate::attribute_items::Item;
use anyhow::{Result, bail};
use attribution::Seen;
use knowledge::{Attack, Day, Dossiers, SECTORS, Script, country};
use model::{Case, Finding, Intrusion, Level, RuleFacts};
use std::collections::{BTreeMap, BTreeSet};

/// Letters of a field that are looked at, and findings of a rule.
const VALUE_CHARS_MAX: usize = 4_096;
const FINDINGS_LOOKED_AT: usize = 1_000;
/// Letters of one script in a field that are no accident.
const LETTERS_MIN: usize = 3;
/// Fields in which somebody wrote; others hold what the house's Windows writes.
const WRITTEN: [&str; 5] =
    ["CommandLine", "ParentCommandLine", "ScriptBlockText", "TargetFilename", "command"];
const NANOS_PER_HOUR: i64 = 3_600_000_000_000;

/// What was seen in one intrusion, and by which findings: of a host by its name, of a script by
/// its word, of the hours under `hours`.
#[derive(Default)]
pub struct SeenIn {
    pub seen: Seen,
    pub by: BTreeMap<String, Item>,
}

/// Sectors and countries of `--victim`.
///
/// # Errors
/// When a word is neither, or not of the vocabulary.
pub fn victim(arguments: &[String]) -> Result<Seen> {
    let mut seen = Seen::default();
    for part in arguments.iter().flat_map(|argument| argument.split(',')).map(str::trim) {
        match part.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            Some(("sector", sector)) if SECTORS.contains(&sector.to_ascii_lowercase().as_str()) => {
                seen.sectors.insert(sector.to_ascii_lowercase());
            }
            Some(("sector", sector)) => {
                bail!("--victim: {sector:?} is no sector; wanted one of {}", SECTORS.join(", "))
            }
            Some(("country", text)) => match country(text) {
                Some(code) => {
                    seen.countries.insert(code);
                }
                None => bail!(
                    "--victim: {text:?} is no country; wanted two letters (ISO 3166-1), as in country=DE"
                ),
            },
            _ => {
                bail!("--victim: {part:?}; wanted sector=WORD or country=CODE, more of them parted by commas")
            }
        }
    }
    Ok(seen)
}

/// What was seen in each intrusion, in the case's order; `victim` is the same for all.
///
/// # Errors
/// When fields cannot be read back.
pub fn of_case(dossiers: &Dossiers, case: &Case, victim: &Seen) -> Result<Vec<SeenIn>, String> {
    let known = KnownHosts::new(dossiers);
    let of = |intrusion: &Intrusion| {
        let day = |time: Option<model::Timestamp>| Day::parse(time?.to_string().get(..10)?);
        let days = day(intrusion.span.first).zip(day(intrusion.span.last));
        SeenIn { seen: Seen { days, ..victim.clone() }, by: BTreeMap::new() }
    };
    let mut all: Vec<SeenIn> = case.intrusions.iter().map(of).collect();
    let mut of_rules: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &case.findings {
        let Some(of) = finding.intrusion.and_then(|id| all.get_mut(id.0 as usize)) else { continue };
        // What happens at whatever hour, and a correlation stands at the hour of its grounds.
        if let Some(time) =
            finding.time.filter(|_| finding.rule.level >= Level::Medium && finding.grounds.is_empty())
        {
            of.seen.hours.insert(time.nanos().div_euclid(NANOS_PER_HOUR));
            of.by.entry("hours".to_owned()).or_default().add(finding, true);
        }
        let seen = of_rules.entry(&finding.rule.id).or_default();
        *seen += 1;
        if *seen <= FINDINGS_LOOKED_AT {
            look_into(&known, case, finding, of)?;
        }
    }
    Ok(all)
}

fn look_into(known: &KnownHosts<'_>, case: &Case, finding: &Finding, of: &mut SeenIn) -> Result<(), String> {
    for (name, value) in case.fields(finding)?.iter() {
        let end = value.char_indices().nth(VALUE_CHARS_MAX).map_or(value.len(), |(at, _)| at);
        let value = &value[..end];
        for host in known.in_text(value) {
            of.by.entry(host.clone()).or_default().add(finding, true);
            of.seen.hosts.insert(host);
        }
        if WRITTEN.iter().any(|written| written.eq_ignore_ascii_case(name)) {
            for script in scripts(value) {
                of.by
                    .entry(format!("language:{}", script.as_str().to_lowercase()))
                    .or_default()
                    .add(finding, true);
                of.seen.scripts.insert(script);
            }
        }
    }
    Ok(())
}

fn scripts(text: &str) -> BTreeSet<Script> {
    let mut letters: BTreeMap<Script, usize> = BTreeMap::new();
    text.chars().filter_map(Script::of).for_each(|script| *letters.entry(script).or_default() += 1);
    letters.into_iter().filter(|(_, count)| *count >= LETTERS_MIN).map(|(script, _)| script).collect()
}

/// The hosts that the dossiers speak of; only these are kept of what a case holds.
struct KnownHosts<'d> {
    domains: BTreeSet<&'d str>,
    addresses: BTreeSet<&'d str>,
}

impl<'d> KnownHosts<'d> {
    fn new(dossiers: &'d Dossiers) -> Self {
        let all = || dossiers.actors.iter().flat_map(|actor| &actor.infrastructure);
        Self {
            domains: all().flat_map(|of| &of.domains).map(String::as_str).collect(),
            addresses: all().flat_map(|of| &of.addresses).map(String::as_str).collect(),
        }
    }

    /// Those of them that stand in `text` as words, in lower case.
    fn in_text(&self, text: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        for word in text.split(|c| !is_part(c)).map(|word| word.trim_matches('.')) {
            let mut below = Some(word).filter(|word| word.contains('.'));
            if below.is_some_and(|word| self.addresses.contains(word)) {
                found.insert(word.to_owned());
                continue;
            }
            let word = word.to_ascii_lowercase();
            below = Some(word.as_str()).filter(|word| word.contains('.'));
            // The name, and every name above it.
            while let Some(name) = below {
                if self.domains.contains(name) {
                    found.insert(word.clone());
                    break;
                }
                below = name.split_once('.').map(|(_, above)| above);
            }
        }
        found
    }
}

/// Groups (ids) that tags of rules name, with the titles of these rules.
pub type TaggedGroups = BTreeMap<String, BTreeSet<String>>;

/// The groups that tags of each intrusion's rules name, in the case's order.
///
/// A tag says whom the rule's author saw do such a thing. Whoever else does it makes the rule match as well, so that it
/// is a claim about others' evidence and none of ours: it is told, and never weighed.
pub fn tagged_groups(attack: &Attack, case: &Case) -> Vec<TaggedGroups> {
    let groups_of = |rule: &RuleFacts| -> Vec<String> {
        let ids = rule.tags.iter().filter_map(|tag| tag.strip_prefix("attack.")).map(str::to_ascii_uppercase);
        let ids = ids.map(|id| attack.current_id(&id).to_owned());
        ids.filter(|id| attack.groups.contains_key(id)).collect()
    };
    let mut of_rules: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut all: Vec<TaggedGroups> = vec![BTreeMap::new(); case.intrusions.len()];
    for finding in &case.findings {
        let Some(of) = finding.intrusion.and_then(|id| all.get_mut(id.0 as usize)) else { continue };
        let groups = of_rules.entry(&finding.rule.id).or_insert_with(|| groups_of(&finding.rule));
        for group in groups.iter() {
            of.entry(group.clone()).or_default().insert(finding.rule.title.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hosts_stand_as_words() {
        let dossiers = knowledge::dossiers().unwrap();
        let known = KnownHosts::new(&dossiers);
        for (text, wanted) in [
            ("x1.AvsvmCloud.com", Some("x1.avsvmcloud.com")),
            ("https://avsvmcloud.com:443/a?b", Some("avsvmcloud.com")),
            ("::ffff:103.77.192.219;", Some("103.77.192.219")),
            ("103.77.192.2190", None),
            ("evilavsvmcloud.com", None),
            ("avsvmcloud.com.example.org", None),
            ("", None),
        ] {
            assert_eq!(known.in_text(text).into_iter().next().as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn victims_are_read_strictly() {
        let of = |text: &str| victim(&[text.to_owned()]);
        let seen = of("sector=Healthcare, country=uk").unwrap();
        assert!(seen.sectors.contains("healthcare") && seen.countries.contains("GB"));
        for (text, wanted) in [
            ("sector=cheese", "healthcare"),
            ("country=Germany", "two letters"),
            ("health", "sector=WORD"),
            ("", "sector=WORD"),
        ] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn three_letters_are_no_accident() {
        assert_eq!(scripts("cmd /c echo привет"), BTreeSet::from([Script::Cyrillic]));
        assert_eq!(scripts("10 µs, Ωж"), BTreeSet::new());
    }
}
