//! Which software the texts of a bundle describe as a group's, with the reports
//! that the same sentence cites.
//!
//! A group's entry says "uses software" and cites reports, often late ones. Older
//! reports stand elsewhere: in the software's own entry, in the group's, and in the
//! text of what a group or a software does ("One has used Tool to dump
//! credentials", with the report that says so).

use super::{Cited, cited_names, is_live, linked, sentences};
use crate::{Attack, ReportId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A sentence that links to more groups compares them, and says of none what it used.
const GROUPS_MAX: usize = 3;

/// Software and group, with the reports.
type Described = BTreeMap<(String, String), BTreeSet<ReportId>>;

/// Puts what the texts of `objects` describe into the entries of the software of `attack`.
///
/// Reports that the group's own relation with the software cites are left out: they say nothing
/// new.
pub(super) fn add(attack: &mut Attack, objects: &[Value], ids: &BTreeMap<&str, String>, cited: &Cited) {
    let mut described = Described::new();
    for object in objects.iter().filter(|object| is_live(object)) {
        read(&mut described, object, &subjects(object, ids), cited);
    }
    for ((software, group), mut reports) in described {
        let Some(own) = attack.groups.get(&group) else { continue };
        for used in own.uses.iter().filter(|used| used.target == software) {
            used.reports.iter().for_each(|report| {
                reports.remove(report);
            });
        }
        if let Some(entry) = attack.software.get_mut(&software).filter(|_| !reports.is_empty()) {
            entry.described_with.push((group, reports.into_iter().collect()));
        }
    }
}

/// What a whole text is about: the object itself, or both ends of a relation.
fn subjects(object: &Value, ids: &BTreeMap<&str, String>) -> BTreeSet<String> {
    let keys: &[&str] = match object["type"].as_str() {
        Some("relationship") => &["source_ref", "target_ref"],
        Some("intrusion-set" | "campaign" | "malware" | "tool") => &["id"],
        _ => return BTreeSet::new(),
    };
    keys.iter().filter_map(|key| ids.get(object[*key].as_str()?).cloned()).collect()
}

/// Citations stand at the end of what they support: a sentence without any leans on those of the
/// next one of its paragraph that has some.
fn read(described: &mut Described, object: &Value, subjects: &BTreeSet<String>, cited: &Cited) {
    if subjects.is_empty() {
        return;
    }
    for paragraph in object["description"].as_str().unwrap_or_default().lines() {
        let mut reports = BTreeSet::new();
        for sentence in sentences(paragraph).into_iter().rev() {
            let own = cited.named(object, &cited_names(sentence));
            if !own.is_empty() {
                reports = own;
            }
            if !reports.is_empty() {
                read_sentence(described, sentence, subjects, &reports);
            }
        }
    }
}

fn read_sentence(
    described: &mut Described,
    sentence: &str,
    subjects: &BTreeSet<String>,
    reports: &BTreeSet<ReportId>,
) {
    let about = |kind: char, mut found: BTreeSet<String>| {
        found.extend(subjects.iter().filter(|id| id.starts_with(kind)).cloned());
        found
    };
    let groups = about('G', linked(sentence, "/groups/", 'G'));
    if groups.len() > GROUPS_MAX {
        return;
    }
    for software in about('S', linked(sentence, "/software/", 'S')) {
        for group in &groups {
            described.entry((software.clone(), group.clone())).or_default().extend(reports);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ReportId;
    use serde_json::{Value, json};

    fn object(kind: &str, id: &str, description: &str, sources: &[&str]) -> Value {
        let mut references = vec![json!({"source_name": "mitre-attack", "external_id": id})];
        references.extend(sources.iter().map(|source| {
            json!({"source_name": source, "url": format!("https://v.example/{source}"), "description": "V. (2019, May 2). A."})
        }));
        json!({"type": kind, "id": id, "name": id, "description": description, "external_references": references})
    }

    #[test]
    fn a_sentence_of_what_a_group_does_says_which_software_it_used() {
        let link = |id: &str| {
            let kind = if id.starts_with('G') { "groups" } else { "software" };
            format!("[{id}](https://attack.mitre.org/{kind}/{id})")
        };
        let does = format!(
            "{} used {} once.(Citation: Early) Later {} came.(Citation: Late) It also has {}.(Citation: Late) Then {} left.",
            link("G0001"),
            link("S0001"),
            link("S0002"),
            link("S0003"),
            link("S0004")
        );
        let many: String = ["G0001", "G0002", "G0003", "G0004"].map(link).concat();
        let mut relation = object("relationship", "", &does, &["Early", "Late"]);
        relation["relationship_type"] = json!("uses");
        (relation["source_ref"], relation["target_ref"]) = (json!("G0001"), json!("T1003"));
        let mut uses = object("relationship", "", "", &["Late"]);
        uses["relationship_type"] = json!("uses");
        (uses["source_ref"], uses["target_ref"]) = (json!("G0001"), json!("S0002"));
        let bundle = json!({"objects": [
            object("intrusion-set", "G0001", "", &[]),
            object("attack-pattern", "T1003", "", &[]),
            object("malware", "S0001", "", &[]),
            object("malware", "S0002", "", &[]),
            object("malware", "S0003", &format!("{many} have it.(Citation: Early)"), &["Early"]),
            object("malware", "S0004", &format!("{} has it. It is small.(Citation: Early)", link("G0002")), &["Early"]),
            object("intrusion-set", "G0002", "", &[]),
            relation, uses]});
        let attack = crate::stix::read(&bundle, "x").unwrap();
        let report = |name: &str| attack.reports.iter().position(|report| report.name == name).unwrap();
        let early = ReportId(report("Early") as u32);
        assert_eq!(attack.software["S0001"].described_with, [("G0001".to_owned(), vec![early])]);
        // The relation cites nothing after it; the software's entry does, a sentence later.
        assert_eq!(attack.software["S0004"].described_with, [("G0002".to_owned(), vec![early])]);
        // The group's own relation cites that report; too many groups.
        assert!(attack.software["S0002"].described_with.is_empty());
        let with: Vec<_> =
            attack.software["S0003"].described_with.iter().map(|(group, _)| group.as_str()).collect();
        assert_eq!(with, ["G0001"], "not the four");
    }
}
