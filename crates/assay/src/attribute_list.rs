//! `assay attribute` on lists of ids: one object for a list, or one line for
//! each of many.

use crate::arguments::{AttributeArguments, Format};
use crate::attribute_text::Weighed;
use crate::knowledge_file::{open, read_text};
use crate::{Exit, Output};
use anyhow::{Context as _, Result, bail};
use attribution::{
    Assessment, History, Model, Snapshot, Sourcing, Strength, assess, circumstances, weigh_in,
};
use knowledge::{Attack, Date, Day, Knowledge};
use serde_json::{Value, json};
use std::path::Path;

/// How many ids a list may have.
const OBSERVED_MAX: usize = 10_000;

/// What every list is weighed with.
pub struct Bench {
    pub knowledge: Knowledge,
    pub history: History,
    pub model: Model,
}

impl Bench {
    /// The knowledge that the arguments ask for.
    pub fn new(arguments: &AttributeArguments) -> Result<Self> {
        let knowledge = open(arguments.knowledge.as_ref())?;
        let history = History::new(&knowledge.attack);
        let model = Model::built_in().map_err(anyhow::Error::msg)?;
        Ok(Self { knowledge, history, model })
    }
}

/// A list of ids to weigh.
struct List {
    ids: Vec<String>,
    /// Entries that are no id of a technique or software, nor the name of one.
    not_known: Vec<String>,
    /// The day on which the intrusion began, where the list says so.
    began: Option<Day>,
}

/// Weighs a case, `--observed` or `--cases`.
pub fn run(arguments: &AttributeArguments, output: &mut Output<'_>) -> Result<Exit> {
    let bench = Bench::new(arguments)?;
    match (&arguments.case, &arguments.observed, &arguments.cases) {
        (Some(folder), _, _) => crate::attribute_case::run(&bench, folder, arguments, output),
        (None, Some(file), _) => run_observed(&bench, file, arguments, output),
        (None, None, Some(_)) if !arguments.victim.is_empty() => {
            bail!("--victim is said of one case or list; --cases has many")
        }
        (None, None, Some(file)) => run_cases(&bench, file, arguments, output),
        (None, None, None) => bail!("name a case folder, --observed or --cases"),
    }
}

/// The day in `--as-of`.
pub fn day(text: &str) -> Result<Day> {
    Day::parse(text).with_context(|| format!("{text:?} is no day (YYYY-MM-DD)"))
}

fn run_observed(
    bench: &Bench,
    file: &Path,
    arguments: &AttributeArguments,
    output: &mut Output<'_>,
) -> Result<Exit> {
    let as_of = day(arguments.as_of.as_deref().unwrap_or_default())?;
    let about = || file.display().to_string();
    let value: Value = serde_json::from_str(&read_text(file)?).with_context(about)?;
    let list = list(&bench.knowledge.attack, &value).with_context(about)?;
    let snapshot = Snapshot::new(&bench.history, as_of);
    let seen = crate::attribute_seen::victim(&arguments.victim)?;
    let circumstances = circumstances(&bench.knowledge.dossiers, as_of, &seen);
    let mut assessment = weigh(bench, &snapshot, &list);
    let sum = weigh_in(&mut assessment, &circumstances);
    match arguments.format {
        Format::Text => {
            let weighed =
                Weighed { ids: &list.ids, assessment: &assessment, circumstances: &circumstances, sum };
            let text = crate::attribute_text::render(bench, &snapshot, &weighed, arguments.explain);
            output.stdout.write_all(text.as_bytes())?;
        }
        Format::Json | Format::Jsonl => {
            let mut object = render_json(&assessment);
            let mut notes = notes(bench, &list, &assessment);
            notes.extend(crate::attribute_circumstances::notes(bench, &circumstances));
            object["notes"] = json!(notes);
            object["knowledge_sha256"] = json!(bench.knowledge.sha256);
            writeln!(output.stdout, "{object}")?;
        }
    }
    Ok(Exit::Done)
}

fn run_cases(
    bench: &Bench,
    file: &Path,
    arguments: &AttributeArguments,
    output: &mut Output<'_>,
) -> Result<Exit> {
    let text = read_text(file)?;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let about = || format!("{} line {}", file.display(), index + 1);
        let case: Value = serde_json::from_str(line).with_context(about)?;
        let list = list(&bench.knowledge.attack, &case).with_context(about)?;
        let date =
            ["as_of", "date"].iter().find_map(|key| case[*key].as_str()).or(arguments.as_of.as_deref());
        let as_of = date.and_then(Date::parse).map(Date::day);
        let as_of = as_of.with_context(|| format!("{}: neither as_of nor date is a date", about()))?;
        let snapshot = Snapshot::new(&bench.history, as_of);
        let mut object = render_json(&weigh(bench, &snapshot, &list));
        object["case_id"] = case["case_id"].clone();
        writeln!(output.stdout, "{object}")?;
    }
    Ok(Exit::Done)
}

/// The verdict on a list. Where it says when the intrusion began, reports that came out later may be about it, as in a case.
fn weigh(bench: &Bench, snapshot: &Snapshot<'_>, list: &List) -> Assessment {
    let ids = || list.ids.iter().map(String::as_str);
    let assessment = assess(&bench.model, snapshot, ids(), Sourcing::default());
    let Some(began) = list.began else { return assessment };
    match crate::attribute_text::wave(bench, &list.ids, &assessment) {
        Some((_, end, _)) if began <= end => {
            assess(&bench.model, snapshot, ids(), Sourcing { circular: true, ..Sourcing::default() })
        }
        _ => assessment,
    }
}

/// The ids under `observed`, replaced ones by what replaced them, names of software by its id.
fn list(attack: &Attack, value: &Value) -> Result<List> {
    let entries = value["observed"].as_array().context("\"observed\" is no list")?;
    if entries.len() > OBSERVED_MAX {
        bail!("\"observed\" has {} entries; {OBSERVED_MAX} are read at most", entries.len());
    }
    let began = match &value["began"] {
        Value::Null => None,
        text => Some(
            text.as_str()
                .and_then(Date::parse)
                .with_context(|| format!("\"began\" is {text}, which is no date"))?
                .day(),
        ),
    };
    let mut list = List { ids: Vec::new(), not_known: Vec::new(), began };
    for entry in entries {
        let text = entry.as_str().with_context(|| format!("\"observed\" holds {entry}, which is no text"))?;
        match resolve(attack, text.trim()) {
            Some(id) => list.ids.push(id),
            None => list.not_known.push(text.to_owned()),
        }
    }
    list.ids.sort();
    list.ids.dedup();
    Ok(list)
}

/// The id of a technique or software that `text` is, or is the name of.
pub fn resolve(attack: &Attack, text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let id = attack.current_id(&upper);
    if attack.techniques.contains_key(id) || attack.software.contains_key(id) {
        return Some(id.to_owned());
    }
    // An id of the right form that is in no version known here was observed all the same.
    let is_id = |letter: char| {
        let digits = upper.strip_prefix(letter).unwrap_or_default();
        digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    if is_id('T') || is_id('S') {
        return Some(upper);
    }
    let wanted = knowledge::key(text);
    let named = |name: &str| knowledge::key(name) == wanted;
    let is_named = |(_, software): &(&String, &knowledge::Entry)| {
        named(&software.name) || software.other_names.iter().any(|other| named(&other.name))
    };
    let mut found = attack.software.iter().filter(is_named).map(|(id, _)| id.clone());
    let first = found.next().filter(|_| !wanted.is_empty())?;
    // A name of two programs is the name of none.
    found.next().is_none().then_some(first)
}

/// The verdict as JSON. Actors come first, the most probable one leading, and *unknown* last.
pub fn render_json(assessment: &Assessment) -> Value {
    let mut hypotheses: Vec<Value> = assessment
        .hypotheses
        .iter()
        .map(|hypothesis| json!({"actor": hypothesis.actor, "probability": hypothesis.probability}))
        .collect();
    hypotheses.push(json!({"actor": "unknown", "probability": assessment.unknown}));
    let first = assessment.hypotheses.first().map(|first| first.probability);
    json!({
        "verdict": if assessment.named.is_some() { "named" } else { "insufficient" },
        "named": assessment.named,
        "confidence": first.filter(|_| assessment.named.is_some()),
        "strength": assessment.strength.map(Strength::as_str),
        "as_of": assessment.as_of.to_string(),
        "hypotheses": hypotheses,
    })
}

fn notes(bench: &Bench, list: &List, assessment: &Assessment) -> Vec<String> {
    let mut notes = Vec::new();
    if !list.not_known.is_empty() {
        notes.push(format!("neither id nor name of a technique or software: {}", list.not_known.join(", ")));
    }
    notes.extend(assessment.withheld.map(|why| format!("nobody is named: {why}")));
    notes.extend(crate::attribute_text::not_yet_public(bench, &list.ids, assessment));
    notes.extend(crate::attribute_text::circularity(bench, &list.ids, assessment));
    notes
}
