//! `assay rules explain`: why a rule matches a record, or does not.
//!
//! # Not here
//! What holds: `sigma` says it.

use crate::arguments::{RulesExplainArguments, TextOrJson};
use crate::{Exit, Output, builtin, correlation_explain, rule_files};
use anyhow::{Context as _, Result, bail};
use evidence::{ItemHead, ReadItem, Visitor};
use model::Record;
use serde_json::json;
use sigma::{Explanation, Loaded, Rule, RuleText, Step};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Records of one number that are explained: several logs may have it.
const RECORDS_MAX: usize = 20;
/// A value is shown up to this many characters.
const VALUE_CHARS_MAX: usize = 300;

/// Explains and prints.
pub fn run(arguments: &RulesExplainArguments, output: &mut Output<'_>) -> Result<Exit> {
    if arguments.record.is_none() && arguments.line.is_none() {
        return correlation_explain::run(arguments, output);
    }
    let rules = rules(arguments)?;
    let limits = evidence::Limits::default();
    let opened = evidence::open(&arguments.evidence, &limits);
    for (path, problem) in &opened.problems {
        let text = format!("warning: {path}: {problem:?}");
        writeln!(output.stderr, "{}", report::escape_terminal(&text))?;
    }
    let finder =
        Finder { rules: &rules, record: arguments.record, line: arguments.line, found: Mutex::default() };
    evidence::read(&opened.sources, &limits, &finder);
    let mut found = finder.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by(|a, b| (&a.path, a.offset, a.rule).cmp(&(&b.path, b.offset, b.rule)));
    if found.is_empty() {
        writeln!(output.stderr, "error: no record of this number or line was read")?;
        return Ok(Exit::NothingRead);
    }
    let beyond = found.len().saturating_sub(RECORDS_MAX);
    found.truncate(RECORDS_MAX);
    let text = match arguments.format {
        TextOrJson::Text => draw(&rules, &found),
        TextOrJson::Json => {
            let list: Vec<_> = found.iter().map(|own| shape(&rules[own.rule], own)).collect();
            let mut text = serde_json::to_string_pretty(&list)?;
            text.push('\n');
            text
        }
    };
    output.stdout.write_all(text.as_bytes())?;
    if beyond > 0 {
        writeln!(output.stderr, "warning: {beyond} more are not shown")?;
    }
    Ok(if found.iter().any(|own| own.explanation.matches) { Exit::Done } else { Exit::FailOn })
}

/// The rules of the file, or the built-in rule of that id or title.
fn rules(arguments: &RulesExplainArguments) -> Result<Vec<Rule>> {
    let reading = &arguments.reading;
    let options = rule_files::load_options(&reading.pipeline, reading.placeholders.as_deref())?;
    let path = Path::new(&arguments.rule);
    let refused = |loaded: &Loaded| match loaded.diagnostics.first() {
        Some(first) => format!(": {}: {}", first.id, first.message),
        None => String::new(),
    };
    if path.is_file() {
        let files = rule_files::read(&rule_files::NAMED, &[path.to_path_buf()])?;
        let texts = files.texts.iter().map(|(file, text)| RuleText { file, text });
        let loaded = sigma::load(texts, &options);
        if loaded.rules.is_empty() {
            bail!("{} holds no rule that loads{}", path.display(), refused(&loaded));
        }
        return Ok(loaded.rules);
    }
    let texts = builtin::RULES.iter().map(|(file, text)| RuleText { file, text });
    let mut loaded = sigma::load(texts, &options);
    loaded.rules.retain(|rule| rule.id == arguments.rule || rule.title == arguments.rule);
    Some(loaded.rules).filter(|rules| !rules.is_empty()).with_context(|| {
        format!("{}: neither a rule file nor the id or title of a built-in rule", arguments.rule)
    })
}

/// One rule on one record.
struct Found {
    path: String,
    offset: u64,
    rule: usize,
    explanation: Explanation,
}

/// Looks for the record in everything that is read.
struct Finder<'r> {
    rules: &'r [Rule],
    record: Option<u64>,
    line: Option<u64>,
    found: Mutex<Vec<Found>>,
}

impl Finder<'_> {
    fn look(&self, path: &str, record: &Record<'_>) {
        let position = record.position;
        let is_wanted = (self.record.is_some() && position.record == self.record)
            || (self.line.is_some() && position.line == self.line);
        if !is_wanted {
            return;
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, rule) in self.rules.iter().enumerate() {
            let explanation = sigma::explain(rule, record);
            found.push(Found { path: path.to_owned(), offset: position.offset, rule: index, explanation });
        }
    }
}

impl Visitor for Finder<'_> {
    type Part = String;

    fn start(&self, head: &ItemHead<'_>) -> String {
        head.path.to_owned()
    }

    fn record(&self, part: &mut String, record: &Record<'_>) {
        self.look(part, record);
    }

    fn carved(&self, part: &mut String, record: &Record<'_>) {
        self.look(part, record);
    }

    fn merge(&self, _: &mut String, _: String) {}

    fn item(&self, _: ReadItem, _: Option<String>, _: Option<&[u8]>) {}
}

fn shape(rule: &Rule, found: &Found) -> serde_json::Value {
    let Explanation { matches, log_sources, detections, condition } = &found.explanation;
    let sources = log_sources.iter().map(|(what, holds)| json!({"what": what, "holds": holds}));
    json!({
        "rule_id": rule.id,
        "rule_title": rule.title,
        "evidence": found.path,
        "offset": found.offset,
        "matches": matches,
        "log_source": sources.collect::<Vec<_>>(),
        "detections": detections.iter().map(step_shape).collect::<Vec<_>>(),
        "condition": step_shape(condition),
    })
}

fn step_shape(step: &Step) -> serde_json::Value {
    let values = step.values.as_ref().map(|values| {
        let one = |(field, text, holds): &(String, String, bool)| {
            json!({"field": field, "text": text, "holds": holds})
        };
        values.iter().map(one).collect::<Vec<_>>()
    });
    json!({
        "what": step.what,
        "holds": step.holds,
        "values": values,
        "parts": step.parts.iter().map(step_shape).collect::<Vec<_>>(),
    })
}

fn draw(rules: &[Rule], found: &[Found]) -> String {
    let mut out = String::new();
    for own in found {
        let rule = &rules[own.rule];
        let verdict = if own.explanation.matches { "matches" } else { "does not match" };
        line(&mut out, 0, &format!("{} ({})", rule.title, rule.id));
        line(&mut out, 0, &format!("{verdict} {} at byte {}", own.path, own.offset));
        line(&mut out, 0, "log source");
        if own.explanation.log_sources.is_empty() {
            line(&mut out, 1, &format!("no  {}: no log that is read here", rule.logsource));
        }
        for (what, holds) in &own.explanation.log_sources {
            line(&mut out, 1, &format!("{} {what}", mark(*holds)));
        }
        line(&mut out, 0, "detection");
        own.explanation.detections.iter().for_each(|step| draw_step(step, 1, &mut out));
        line(&mut out, 0, "condition");
        draw_step(&own.explanation.condition, 1, &mut out);
        out.push('\n');
    }
    out
}

fn draw_step(step: &Step, depth: usize, out: &mut String) {
    line(out, depth, &format!("{} {}", mark(step.holds), step.what));
    match step.values.as_deref() {
        Some([]) => line(out, depth + 1, "-   the record has no such value"),
        Some(values) => {
            for (field, text, holds) in values {
                let shown: String = text.chars().take(VALUE_CHARS_MAX).collect();
                let more = if shown.len() < text.len() { " …" } else { "" };
                line(out, depth + 1, &format!("{} {field} is `{shown}`{more}", mark(*holds)));
            }
        }
        None => {}
    }
    step.parts.iter().for_each(|part| draw_step(part, depth + 1, out));
}

pub(crate) fn mark(holds: bool) -> &'static str {
    if holds { "yes" } else { "no " }
}

/// Evidence is hostile: nothing in it steers the terminal.
pub(crate) fn line(out: &mut String, depth: usize, text: &str) {
    // Writing into a `String` cannot fail.
    let _ = writeln!(out, "{:width$}{}", "", report::escape_terminal(text), width = depth * 4);
}
