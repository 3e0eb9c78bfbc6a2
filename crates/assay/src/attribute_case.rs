//! `assay attribute CASE`: each intrusion of a case folder by itself.
//!
//! Evidence items are techniques and software, not findings: a hundred findings
//! of one web shell are one item. A finding's techniques are its rule's; a
//! software is one that the rule's title names as ATT&CK writes it.

use crate::arguments::{AttributeArguments, Format};
use crate::attribute_list::{Bench, day, render_json};
use crate::attribute_text;
use crate::case_folder;
use crate::knowledge_file::read_text;
use crate::{Exit, Output};
use anyhow::{Context as _, Result, bail};
use attribution::{Assessment, Forgeability, Snapshot, Sourcing, assess};
use knowledge::{Attack, Day};
use report::escape_terminal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const SCHEMA: &str = "assay-attribution/1";
const CASE_SCHEMA: &str = "assay-case/1";
/// A line of `findings.jsonl`, at most.
const LINE_BYTES_MAX: u64 = 16 << 20;
/// Findings named for an item.
const FINDINGS_NAMED: usize = 5;
/// A name of a software has up to so many words, and at least so many letters.
const NAME_WORDS_MAX: usize = 3;
const NAME_LETTERS_MIN: usize = 4;

/// One technique or software in one intrusion.
#[derive(Default)]
struct Item {
    findings: usize,
    named: Vec<String>,
    hosts: BTreeSet<String>,
    evidence: BTreeSet<String>,
}

/// One intrusion, as far as it bears on who.
struct Intrusion {
    id: String,
    first: Option<String>,
    hosts: Vec<String>,
    items: BTreeMap<String, Item>,
    notes: Vec<String>,
}

/// Weighs every intrusion, writes `attribution.json` into the case, and prints.
pub fn run(
    bench: &Bench,
    folder: &Path,
    arguments: &AttributeArguments,
    output: &mut Output<'_>,
) -> Result<Exit> {
    let as_of = match &arguments.as_of {
        Some(text) => day(text)?,
        None => today(),
    };
    let intrusions = read(bench, folder, as_of)?;
    let snapshot = Snapshot::new(&bench.history, as_of);
    let mut text = String::new();
    let mut objects = Vec::new();
    for intrusion in &intrusions {
        let ids: Vec<String> = intrusion.items.keys().cloned().collect();
        let hosts: BTreeSet<&String> = intrusion.items.values().flat_map(|item| &item.hosts).collect();
        let weigh = |circular: bool| {
            let sourcing = Sourcing { independent_groups: hosts.len(), circular };
            assess(&bench.model, &snapshot, ids.iter().map(String::as_str), sourcing)
        };
        // Reports that came out after the intrusion began, and all there is: they may be about it.
        let first = intrusion.first.as_deref().and_then(|time| Day::parse(time.get(..10)?));
        let wave = attribute_text::wave(bench, &ids, &weigh(false));
        let assessment = weigh(wave.is_some_and(|(_, end, _)| first.is_some_and(|first| first <= end)));
        let _ = writeln!(
            text,
            "{} on {}",
            escape_terminal(&intrusion.id),
            escape_terminal(&intrusion.hosts.join(", "))
        );
        text.push_str(&attribute_text::render(bench, &snapshot, &ids, &assessment, arguments.explain));
        intrusion.notes.iter().for_each(|note| {
            let _ = writeln!(text, "  {}", escape_terminal(note));
        });
        text.push('\n');
        objects.push(render(bench, &snapshot, intrusion, &ids, &assessment));
    }
    if intrusions.is_empty() {
        text.push_str("The case has no intrusion: there is nobody to name.\n");
    }
    let document = json!({
        "schema": SCHEMA,
        "as_of": as_of.to_string(),
        "attack_version": bench.knowledge.attack.version,
        "knowledge_sha256": bench.knowledge.sha256,
        "intrusions": objects,
    });
    let document = serde_json::to_string_pretty(&document)? + "\n";
    let about = || format!("writing attribution.json into {}", folder.display());
    let mut file = case_folder::create(folder, "attribution.json").with_context(about)?;
    file.write_all(document.as_bytes()).and_then(|()| file.flush()).with_context(about)?;
    let printed = if arguments.format == Format::Text { text } else { document };
    output.stdout.write_all(printed.as_bytes())?;
    Ok(Exit::Done)
}

fn today() -> Day {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Day(i32::try_from(seconds / 86_400).unwrap_or(i32::MAX))
}

fn read(bench: &Bench, folder: &Path, as_of: Day) -> Result<Vec<Intrusion>> {
    let parse = |name: &str| -> Result<Value> {
        let path = folder.join(name);
        serde_json::from_str(&read_text(&path)?).with_context(|| format!("{} is no JSON", path.display()))
    };
    let case = parse("case.json")?;
    if case["schema"] != CASE_SCHEMA {
        bail!("{}: case.json is no {CASE_SCHEMA}", folder.display());
    }
    let answers = parse("answers.json")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut intrusions: Vec<Intrusion> = Vec::new();
    for intrusion in case["intrusions"].as_array().into_iter().flatten() {
        let id = text(&intrusion["id"]);
        intrusions.push(Intrusion {
            notes: events(bench, &answers, &id, as_of),
            first: intrusion["first"].as_str().map(str::to_owned),
            hosts: intrusion["hosts"].as_array().into_iter().flatten().map(text).collect(),
            items: BTreeMap::new(),
            id,
        });
    }
    read_findings(&bench.knowledge.attack, &folder.join("findings.jsonl"), &mut intrusions)?;
    Ok(intrusions)
}

fn read_findings(attack: &Attack, path: &Path, intrusions: &mut [Intrusion]) -> Result<()> {
    let mut reader = BufReader::new(File::open(path).with_context(|| format!("reading {}", path.display()))?);
    let mut line = String::new();
    for number in 1usize.. {
        line.clear();
        let about = || format!("{} line {number}", path.display());
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut line).with_context(about)?;
        if read == 0 {
            break;
        }
        if read as u64 == LINE_BYTES_MAX {
            bail!("{}: more than {LINE_BYTES_MAX} bytes", about());
        }
        let finding: Value = serde_json::from_str(&line).with_context(about)?;
        let Some(intrusion) = intrusions.iter_mut().find(|of| finding["intrusion"] == of.id.as_str()) else {
            continue;
        };
        for id in items_of(attack, &finding) {
            let item = intrusion.items.entry(id).or_default();
            item.findings += 1;
            item.hosts.extend(finding["host"].as_str().map(str::to_owned));
            item.evidence.extend(finding["evidence"].as_str().map(str::to_owned));
            if item.named.len() < FINDINGS_NAMED {
                item.named.extend(finding["id"].as_str().map(str::to_owned));
            }
        }
    }
    Ok(())
}

/// The techniques of a finding's rule, and the software that its title names.
fn items_of(attack: &Attack, finding: &Value) -> BTreeSet<String> {
    let techniques = finding["techniques"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut items: BTreeSet<String> = techniques
        .map(|id| attack.current_id(id).to_owned())
        .filter(|id| attack.techniques.contains_key(id))
        .collect();
    let title = finding["rule_title"].as_str().unwrap_or_default();
    let words: Vec<&str> = title
        .split(|c: char| !c.is_alphanumeric() && c != '.' && c != '-')
        .filter(|w| !w.is_empty())
        .collect();
    for length in 1..=NAME_WORDS_MAX.min(words.len()) {
        for run in words.windows(length) {
            items.extend(software_named(attack, &run.join(" ")));
        }
    }
    items
}

/// The software of exactly this name, written as ATT&CK writes it.
fn software_named(attack: &Attack, name: &str) -> Option<String> {
    if name.chars().count() < NAME_LETTERS_MIN || !name.starts_with(char::is_uppercase) {
        return None;
    }
    let named = |(_, entry): &(&String, &knowledge::Entry)| {
        entry.name == name || entry.other_names.iter().any(|other| other.name == name)
    };
    let mut found = attack.software.iter().filter(named).map(|(id, _)| id.clone());
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Attacks of many actors that the casebook's answers are about.
fn events(bench: &Bench, answers: &Value, intrusion: &str, as_of: Day) -> Vec<String> {
    let dossiers = &bench.knowledge.dossiers;
    let is_about = |casebook: &str| {
        answers.as_array().into_iter().flatten().any(|answer| {
            answer["casebook"] == casebook
                && answer["intrusion"] == intrusion
                && (answer["answer"] == "yes" || answer["answer"] == "likely")
        })
    };
    let mut notes = Vec::new();
    for event in dossiers.events.iter().filter(|event| is_about(&event.casebook)) {
        let Some(source) = dossiers.sources.get(&event.source) else { continue };
        let public = knowledge::Date::parse(&source.date).is_some_and(|date| date.day() < as_of);
        if public {
            notes.push(format!(
                "{}: {} actors are known to have used it ({}, {}); the hole, and what all of them left, name nobody.",
                event.title,
                event.used_by.len(),
                source.publisher,
                source.date
            ));
        }
    }
    notes
}

fn render(
    bench: &Bench,
    snapshot: &Snapshot<'_>,
    intrusion: &Intrusion,
    ids: &[String],
    assessment: &Assessment,
) -> Value {
    let item = |(id, item): (&String, &Item)| {
        json!({
            "id": id,
            "name": bench.knowledge.attack.name(id),
            "kind": if id.starts_with('T') { "technique" } else { "software" },
            "findings": item.findings,
            "finding_ids": item.named,
            "hosts": item.hosts,
            // Own telemetry is reliable; what two items of evidence show is confirmed.
            "admiralty": if item.evidence.len() >= 2 { "A1" } else { "A2" },
            "forgeability": if Forgeability::of(id) == Forgeability::Easy { "easy" } else { "hard" },
            "known_for": snapshot.holders_of(id),
        })
    };
    let mut object = render_json(assessment);
    let mut notes = intrusion.notes.clone();
    notes.extend(assessment.withheld.map(str::to_owned));
    notes.extend(attribute_text::circularity(bench, ids, assessment));
    notes.extend(attribute_text::not_yet_public(bench, ids, assessment));
    object["intrusion"] = json!(intrusion.id);
    object["first"] = json!(intrusion.first);
    object["hosts"] = json!(intrusion.hosts);
    object["items"] = intrusion.items.iter().map(item).collect();
    object["notes"] = json!(notes);
    object["matrix"] = attribute_text::matrix_json(bench, snapshot, ids, assessment);
    object["smallest_set"] = json!(assessment.support.as_ref().map(|support| &support.smallest_set));
    object
}
