//! ATT&CK's own bundle, STIX 2.0 or 2.1, read into [`Attack`].
//!
//! Revoked and deprecated objects are left out; what replaced a revoked one is
//! kept. A report's date is the one printed in ATT&CK's citation ("(2021, March
//! 2)"), never the one of its retrieval; where ATT&CK cites an address more
//! than once, the earliest date it prints for it.

mod described;

use crate::{Attack, Date, Day, Entry, OtherName, Report, ReportId, Use};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Reads a bundle of ATT&CK for enterprises, which is of `version`: the bundle does not say.
///
/// # Errors
/// When it is no bundle, or holds no group.
pub fn read(bundle: &Value, version: &str) -> Result<Attack, String> {
    let objects = bundle["objects"].as_array().ok_or("no STIX bundle: it has no \"objects\"")?;
    let cited = Cited::read(objects);
    let mut attack =
        Attack { version: version.to_owned(), reports: cited.reports.clone(), ..Attack::default() };
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    for object in objects {
        if let (Some(stix), Some(id)) = (object["id"].as_str(), attack_id(object)) {
            ids.insert(stix, id.to_owned());
            if is_live(object) {
                add_entry(&mut attack, object, id, &cited);
            }
        }
    }
    for relation in objects.iter().filter(|object| object["type"] == "relationship") {
        add_relation(&mut attack, relation, &ids, &cited);
    }
    described::add(&mut attack, objects, &ids, &cited);
    if attack.groups.is_empty() {
        return Err("the bundle holds no group (intrusion-set) with an ATT&CK id".to_owned());
    }
    for entries in [&mut attack.groups, &mut attack.campaigns, &mut attack.software] {
        for entry in entries.values_mut() {
            entry.uses.sort();
            entry.attributed_to.sort();
        }
    }
    Ok(attack.with_used_reports_only())
}

fn is_live(object: &Value) -> bool {
    object["revoked"] != true && object["x_mitre_deprecated"] != true
}

fn attack_id(object: &Value) -> Option<&str> {
    let references = object["external_references"].as_array()?;
    let own = references.iter().find(|reference| reference["source_name"] == "mitre-attack")?;
    own["external_id"].as_str()
}

fn add_entry(attack: &mut Attack, object: &Value, id: &str, cited: &Cited) {
    let name = object["name"].as_str().unwrap_or_default();
    let entries = match object["type"].as_str() {
        Some("intrusion-set") => &mut attack.groups,
        Some("campaign") => &mut attack.campaigns,
        Some("malware" | "tool") => &mut attack.software,
        Some("attack-pattern") => {
            attack.techniques.insert(id.to_owned(), name.to_owned());
            return;
        }
        _ => return,
    };
    let aliases = object["aliases"].as_array().or_else(|| object["x_mitre_aliases"].as_array());
    let other_names = aliases.into_iter().flatten().filter_map(Value::as_str).filter(|alias| *alias != name);
    let other_names =
        other_names.map(|alias| OtherName { name: alias.to_owned(), reports: cited.of_alias(object, alias) });
    let entry = Entry {
        name: name.to_owned(),
        other_names: other_names.collect(),
        is_malware: object["type"] == "malware",
        ..Entry::default()
    };
    entries.insert(id.to_owned(), entry);
}

fn add_relation(attack: &mut Attack, relation: &Value, ids: &BTreeMap<&str, String>, cited: &Cited) {
    let end = |key: &str| relation[key].as_str().and_then(|stix| ids.get(stix));
    let (Some(source), Some(target)) = (end("source_ref"), end("target_ref")) else { return };
    let kind = relation["relationship_type"].as_str().unwrap_or_default();
    if kind == "revoked-by" {
        attack.replaced.insert(source.clone(), target.clone());
        return;
    }
    if !is_live(relation) || attack.name(target).is_none() {
        return;
    }
    let entries = match source.as_bytes().first() {
        Some(b'G') => &mut attack.groups,
        Some(b'C') => &mut attack.campaigns,
        Some(b'S') => &mut attack.software,
        _ => return,
    };
    let Some(entry) = entries.get_mut(source) else { return };
    let reports = cited.of(relation);
    match kind {
        "uses" => entry.uses.push(Use { target: target.clone(), reports }),
        "attributed-to" => entry.attributed_to.push((target.clone(), reports)),
        _ => {}
    }
}

/// The reports that the bundle cites anywhere.
struct Cited {
    reports: Vec<Report>,
    by_key: BTreeMap<(String, String), ReportId>,
}

impl Cited {
    fn read(objects: &[Value]) -> Self {
        let mut by_url: BTreeMap<String, Date> = BTreeMap::new();
        let mut dates: BTreeMap<(String, String), Option<Date>> = BTreeMap::new();
        for reference in
            objects.iter().filter_map(|object| object["external_references"].as_array()).flatten()
        {
            let Some(key) = key(reference) else { continue };
            let date = printed_date(reference["description"].as_str().unwrap_or_default());
            if let Some(date) = date.filter(|_| !key.1.is_empty()) {
                let known = by_url.entry(address(&key.1).to_owned()).or_insert(date);
                *known = earlier(*known, date);
            }
            let known = dates.entry(key).or_default();
            *known = known.map_or(date, |known| Some(date.map_or(known, |date| earlier(known, date))));
        }
        let mut by_key = BTreeMap::new();
        let mut reports = Vec::new();
        for ((name, url), date) in dates {
            let date = by_url.get(address(&url)).copied().or(date);
            by_key.insert((name.clone(), url.clone()), ReportId(reports.len() as u32));
            reports.push(Report { name, url, date });
        }
        Self { reports, by_key }
    }

    fn of(&self, object: &Value) -> Vec<ReportId> {
        let references = object["external_references"].as_array().into_iter().flatten();
        let ids = references.filter_map(|reference| self.by_key.get(&key(reference)?).copied());
        ids.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// ATT&CK lists each alias as a reference of its own, whose text names the reports.
    fn of_alias(&self, object: &Value, alias: &str) -> Vec<ReportId> {
        let references = || object["external_references"].as_array().into_iter().flatten();
        let own = references().find(|reference| reference["source_name"] == alias);
        let text = own.and_then(|own| own["description"].as_str()).unwrap_or_default();
        self.named(object, &cited_names(text)).into_iter().collect()
    }

    /// The references of `object` that go by one of `names`.
    fn named(&self, object: &Value, names: &BTreeSet<&str>) -> BTreeSet<ReportId> {
        let references = object["external_references"].as_array().into_iter().flatten();
        let of_names = references
            .filter(|reference| reference["source_name"].as_str().is_some_and(|name| names.contains(name)));
        of_names.filter_map(|reference| self.by_key.get(&key(reference)?).copied()).collect()
    }
}

/// The sentences of a description; citations that follow a full stop belong to the sentence before.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, _) in text.char_indices().filter(|(_, c)| c.is_whitespace()) {
        let before = text[start..at].trim_end();
        let cites = before.ends_with(')')
            && before.rfind('(').is_some_and(|open| before[open..].starts_with("(Citation: "));
        let begins = text[at..].trim_start().starts_with(|c: char| c.is_uppercase() || c == '[');
        if begins && (before.ends_with('.') || cites) {
            sentences.push(before);
            start = at;
        }
    }
    sentences.push(&text[start..]);
    sentences
}

/// The ids of one kind, a letter and four digits, that a text links to under `path`.
fn linked(text: &str, path: &str, kind: char) -> BTreeSet<String> {
    let id = |rest: &str| {
        rest.get(..5).filter(|id| id[1..].bytes().all(|b| b.is_ascii_digit())).map(str::to_owned)
    };
    text.split(path).skip(1).filter(|rest| rest.starts_with(kind)).filter_map(id).collect()
}

fn cited_names(text: &str) -> BTreeSet<&str> {
    text.split("(Citation: ").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).collect()
}

/// Name and address of a cited report; `None` for references that are none.
fn key(reference: &Value) -> Option<(String, String)> {
    let name = reference["source_name"].as_str().filter(|name| *name != "mitre-attack")?;
    let url = reference["url"].as_str()?;
    Some((one_line(name), one_line(url)))
}

/// Text without characters that would break a line of the table.
pub(crate) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// An address as it is compared: without scheme, `www.` and a closing slash.
fn address(url: &str) -> &str {
    let url = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    url.strip_prefix("www.").unwrap_or(url).trim_end_matches('/')
}

/// The earlier of two dates; where one says the same less exactly, the more exact one.
fn earlier(a: Date, b: Date) -> Date {
    let (a_text, b_text) = (a.to_string(), b.to_string());
    if a_text.starts_with(&b_text) {
        a
    } else if b_text.starts_with(&a_text) || b.day() < a.day() {
        b
    } else {
        a
    }
}

/// The date in "Author. (2021, March 2). Title. Retrieved …": the first year that is
/// followed by a month, or stands alone in parentheses, before "Retrieved".
fn printed_date(citation: &str) -> Option<Date> {
    let citation = citation.split("Retrieved").next().unwrap_or_default();
    let bytes = citation.as_bytes();
    for (at, _) in citation.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let before = at.checked_sub(1).and_then(|before| bytes.get(before)).copied().unwrap_or(b' ');
        if digits != 4 || before.is_ascii_alphanumeric() {
            continue;
        }
        let Ok(year) = citation[at..at + 4].parse::<i32>() else { continue };
        if !(1980..2100).contains(&year) {
            continue;
        }
        let rest = citation[at + 4..].trim_start_matches([',', ' ', '.']);
        if let Some(date) = month_and_day(year, rest) {
            return Some(date);
        }
        if before == b'(' && citation[at + 4..].trim_start().starts_with(')') {
            return Some(Date::Year(year));
        }
    }
    None
}

fn month_and_day(year: i32, rest: &str) -> Option<Date> {
    let word: String =
        rest.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    let month = MONTHS.iter().position(|name| word.len() >= 3 && name.starts_with(&word[..3]))? as i32 + 1;
    let digits: String =
        rest[word.len()..].trim_start_matches(['.', ' ']).chars().take_while(char::is_ascii_digit).collect();
    let day = digits.parse().ok().and_then(|day| Day::from_civil(year, month, day));
    Some(day.map_or(Date::Month(year, month), Date::Day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_from_citations() {
        for (citation, wanted) in [
            (
                "Gruzweig, J. et al. (2021, March 2). Operation Exchange Marauder. Retrieved March 3, 2021.",
                "2021-03-02",
            ),
            ("MSTIC. (2021, March). HAFNIUM. Retrieved March 3, 2021.", "2021-03"),
            ("FireEye. (2015). APT30. Retrieved May 1, 2015.", "2015"),
            ("Mandiant. (n.d.). APT43. Retrieved October 14, 2024.", ""),
            ("SecureWorks 2019, August 27 LYCEUM Takes Center Stage Retrieved. 2019/11/19 ", "2019-08-27"),
            ("A. (2016, Sept. 24). CVE-2016-1234. Retrieved 2017.", "2016-09-24"),
            ("B. (2021, February 31). No such day.", "2021-02"),
            ("Ünïcode 2021", ""),
        ] {
            let date = printed_date(citation).map(|date| date.to_string()).unwrap_or_default();
            assert_eq!(date, wanted, "{citation}");
        }
    }

    #[test]
    fn a_sentence_keeps_its_citations() {
        let text = "[A](https://attack.mitre.org/software/S0001) is a tool. It was used by [One](https://attack.mitre.org/groups/G0001) \
                    Team. (Citation: X 1)(Citation: Y) [B](https://attack.mitre.org/groups/G0002)Ü has it, e.g. too.";
        let groups = |text| linked(text, "/groups/", 'G');
        let found: Vec<_> =
            sentences(text).into_iter().map(|part| (groups(part), cited_names(part))).collect();
        let set = |id: &str| BTreeSet::from([id.to_owned()]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[1], (set("G0001"), BTreeSet::from(["X 1", "Y"])));
        assert_eq!(found[2], (set("G0002"), BTreeSet::new()));
        assert!(groups("/groups/G00Ü /groups/G1").is_empty());
    }

    #[test]
    fn a_bundle_is_read_live_objects_only() {
        let reference = |id: &str| serde_json::json!([{"source_name": "mitre-attack", "external_id": id}]);
        let cited = serde_json::json!([{"source_name": "Vendor", "url": "https://v.example/a",
            "description": "V. (2021, March 2). A. Retrieved 2022."}]);
        let bundle = serde_json::json!({"objects": [
            {"type": "intrusion-set", "id": "intrusion-set--1", "name": "One", "aliases": ["One", "Uno"], "external_references":
                [{"source_name": "mitre-attack", "external_id": "G0001"}, {"source_name": "Uno", "description": "(Citation: Vendor)"},
                 cited[0]]},
            {"type": "attack-pattern", "id": "attack-pattern--1", "name": "Web Shell", "external_references": reference("T1505.003")},
            {"type": "attack-pattern", "id": "attack-pattern--2", "name": "Old", "revoked": true, "external_references": reference("T1100")},
            {"type": "relationship", "id": "relationship--1", "relationship_type": "uses", "source_ref": "intrusion-set--1",
             "target_ref": "attack-pattern--1", "external_references": cited},
            {"type": "relationship", "id": "relationship--2", "relationship_type": "uses", "source_ref": "intrusion-set--1",
             "target_ref": "attack-pattern--2", "external_references": cited},
            {"type": "relationship", "id": "relationship--3", "relationship_type": "revoked-by", "source_ref": "attack-pattern--2",
             "target_ref": "attack-pattern--1"}]});
        let attack = read(&bundle, "x").unwrap();
        let group = &attack.groups["G0001"];
        assert_eq!(group.uses, [Use { target: "T1505.003".to_owned(), reports: vec![ReportId(0)] }]);
        assert_eq!(group.other_names[0].reports, [ReportId(0)]);
        assert_eq!(attack.group_known_from("G0001").unwrap().to_string(), "2021-03-02");
        assert_eq!(attack.current_id("T1100"), "T1505.003");
        assert!(read(&serde_json::json!({"objects": []}), "x").is_err());
        assert!(read(&serde_json::json!([]), "x").is_err());
    }
}
