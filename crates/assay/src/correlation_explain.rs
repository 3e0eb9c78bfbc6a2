//! `assay rules explain` of correlations: what their rules found, in which
//! groups it fell, and how near each came to the condition.
//!
//! # Not here
//! When a correlation holds: `sigma` says it, over what `scan` found.

use crate::arguments::{RulesExplainArguments, TextOrJson};
use crate::rules_explain::{line, mark};
use crate::{Exit, Output, rule_files};
use anyhow::{Context as _, Result, bail};
use model::{Case, Finding};
use scan::Explained;
use serde_json::json;
use sigma::{Correlation, Loaded, RuleText, Seen};
use std::path::Path;

/// Groups of one correlation that are shown.
const GROUPS_SHOWN: usize = 20;
/// Events of one group that are shown in text.
const GROUNDS_SHOWN: usize = 5;

/// Explains each correlation of the file, and prints.
pub fn run(arguments: &RulesExplainArguments, output: &mut Output<'_>) -> Result<Exit> {
    let path = Path::new(&arguments.rule);
    let loaded = load(path, arguments)?;
    let Loaded { rules, correlations, .. } = loaded;
    let engine = sigma::Engine::new(rules);
    let case = findings(arguments, &engine)?;
    if case.coverage.items.iter().all(|item| item.records + item.carved == 0) {
        writeln!(output.stderr, "error: no record was read")?;
        return Ok(Exit::NothingRead);
    }
    let mut explained = Vec::new();
    for index in 0..correlations.len() {
        let own = scan::explain_correlation(&case, engine.rules(), &correlations, index);
        explained.push(own.map_err(anyhow::Error::msg).context("reading findings back")?);
    }
    let met = engine.met();
    let view = View { case: &case, rules: engine.rules(), met: &met, correlations: &correlations };
    let both = || correlations.iter().zip(&explained);
    let text = match arguments.format {
        TextOrJson::Text => both().map(|(correlation, own)| view.draw(correlation, own)).collect(),
        TextOrJson::Json => {
            let shapes: Vec<_> = both().map(|(correlation, own)| view.shape(correlation, own)).collect();
            serde_json::to_string_pretty(&shapes)? + "\n"
        }
    };
    output.stdout.write_all(text.as_bytes())?;
    // The last one rests on the others.
    let holds = explained.last().is_some_and(|own| own.hits > 0);
    Ok(if holds { Exit::Done } else { Exit::FailOn })
}

fn load(path: &Path, arguments: &RulesExplainArguments) -> Result<Loaded> {
    if !path.is_file() {
        bail!(
            "{}: name the record (--record) or the line (--line); built-in rules are no correlations",
            arguments.rule
        );
    }
    let reading = &arguments.reading;
    let options = rule_files::load_options(&reading.pipeline, reading.placeholders.as_deref())?;
    let files = rule_files::read(&rule_files::NAMED, &[path.to_path_buf()])?;
    let texts = files.texts.iter().map(|(file, text)| RuleText { file, text });
    let loaded = sigma::load(texts, &options);
    if loaded.correlations.is_empty() {
        match loaded.diagnostics.first() {
            Some(fault) => bail!("{}: {}: {}", path.display(), fault.id, fault.message),
            None => bail!(
                "{} holds no correlation: name the record (--record) or the line (--line)",
                path.display()
            ),
        }
    }
    Ok(loaded)
}

/// All matches of the rules, those without a word of their own, too.
fn findings(arguments: &RulesExplainArguments, engine: &sigma::Engine) -> Result<Case> {
    let limits = evidence::Limits::default();
    let opened = evidence::open(&arguments.evidence, &limits);
    let input = scan::Input {
        sources: &opened.sources,
        unread: opened.problems,
        limits: &limits,
        engine,
        correlations: &[],
        indicators: None,
        yara: &yara::load([]).rules,
        known_good: &scan::KnownGood::default(),
        rules_sha256: [0; 32],
        watched: &[],
        host: None,
        progress: &|_, _| {},
    };
    Ok(scan::scan(input).context("putting findings aside in a temporary file")?.0)
}

struct View<'a> {
    case: &'a Case,
    rules: &'a [sigma::Rule],
    /// By rule, whether its log was there.
    met: &'a [bool],
    correlations: &'a [Correlation],
}

impl View<'_> {
    fn draw(&self, correlation: &Correlation, own: &Explained) -> String {
        let mut out = String::new();
        line(&mut out, 0, &format!("{} ({})", correlation.title, correlation.id));
        line(&mut out, 0, &held(own.hits));
        line(&mut out, 0, &format!("wants {}", correlation.wants()));
        line(&mut out, 0, "matches of its rules");
        for (input, counts) in correlation.inputs.iter().zip(&own.inputs) {
            let mut text = format!("{}: {}", input.named, counts.matches);
            if !self.has_log(input) {
                text.push_str("; no record of its log source was read");
            }
            if counts.without_time > 0 {
                text.push_str(&format!("; {} without a time do not count", counts.without_time));
            }
            if counts.without_field > 0 {
                text.push_str(&format!(
                    "; {} without {} do not count",
                    counts.without_field,
                    wanted(correlation)
                ));
            }
            line(&mut out, 1, &text);
        }
        line(&mut out, 0, "groups, those nearest to the condition first");
        if own.groups.is_empty() {
            line(&mut out, 1, "none: no event counts");
        }
        for seen in own.groups.iter().take(GROUPS_SHOWN) {
            self.draw_group(correlation, own, seen, &mut out);
        }
        let more = (own.groups.len().saturating_sub(GROUPS_SHOWN)) as u64;
        if more + own.beyond > 0 {
            let least = if own.beyond > 0 { " or more" } else { "" };
            line(&mut out, 1, &format!("and {more}{least} others"));
        }
        out.push('\n');
        out
    }

    fn draw_group(&self, correlation: &Correlation, own: &Explained, seen: &Seen, out: &mut String) {
        let best = &seen.best;
        let about = best.value.as_ref().map(|value| format!(" of `{value}`")).unwrap_or_default();
        let text = format!(
            "{} {}: {}{about} in {} … {}",
            mark(best.holds),
            named_group(correlation, seen),
            best.measure,
            best.first,
            best.last
        );
        line(out, 1, &text);
        let events = correlation.inputs.iter().zip(&best.events);
        let events: Vec<String> = events.map(|(input, count)| format!("{} {count}", input.named)).collect();
        line(out, 2, &format!("events: {}", events.join(", ")));
        let places = self.places(own, seen);
        for place in places.iter().take(GROUNDS_SHOWN) {
            line(out, 2, place);
        }
        if places.len() > GROUNDS_SHOWN {
            line(out, 2, "…");
        }
    }

    fn shape(&self, correlation: &Correlation, own: &Explained) -> serde_json::Value {
        let inputs = correlation.inputs.iter().zip(&own.inputs).map(|(input, counts)| {
            json!({
                "rule": input.named, "log_source_read": self.has_log(input), "matches": counts.matches,
                "without_time": counts.without_time, "without_field": counts.without_field,
            })
        });
        let groups = own.groups.iter().map(|seen| {
            let best = &seen.best;
            json!({
                "group": seen.group, "timespans": seen.asked, "holds": best.holds, "measure": best.measure,
                "value": best.value, "first": best.first.to_string(), "last": best.last.to_string(),
                "events": best.events, "grounds": self.places(own, seen),
            })
        });
        json!({
            "rule_id": correlation.id, "rule_title": correlation.title, "type": correlation.kind(),
            "wants": correlation.wants(), "group_by": correlation.group_by, "hits": own.hits,
            "inputs": inputs.collect::<Vec<_>>(), "groups": groups.collect::<Vec<_>>(), "groups_beyond": own.beyond,
        })
    }

    /// Whether a record was read in which the input could have been found.
    fn has_log(&self, input: &sigma::Input) -> bool {
        match input.source {
            sigma::InputSource::Rule(rule) => self.met.get(rule).copied().unwrap_or_default(),
            sigma::InputSource::Correlation(index) => self
                .correlations
                .get(index)
                .is_some_and(|own| own.inputs.iter().any(|input| self.has_log(input))),
        }
    }

    /// Where the events of the nearest timespan stand, by time.
    fn places(&self, own: &Explained, seen: &Seen) -> Vec<String> {
        let numbers = seen.best.grounds.iter().filter_map(|number| own.grounds.get(number)).flatten();
        numbers
            .filter_map(|place| self.case.findings.get(*place))
            .map(|finding| self.place(finding))
            .collect()
    }

    fn place(&self, finding: &Finding) -> String {
        let path = self.case.items.get(finding.evidence.0 as usize).and_then(|item| item.paths.first());
        let position = finding.position;
        let at = match (position.record, position.line) {
            (Some(record), _) => format!("record {record}"),
            (None, Some(line)) => format!("line {line}"),
            (None, None) => format!("byte {}", position.offset),
        };
        let time = finding.time.map(|time| time.to_string()).unwrap_or_default();
        let is_named = self.rules.iter().find(|rule| rule.id == finding.rule.id);
        let rule = is_named.and_then(|rule| rule.name.as_deref()).unwrap_or(&finding.rule.title);
        format!("{time}  {rule}  {} {at}", path.map_or("", String::as_str))
    }
}

fn held(hits: usize) -> String {
    match hits {
        0 => "does not hold".to_owned(),
        1 => "holds once".to_owned(),
        hits => format!("holds {hits} times"),
    }
}

/// The fields that an event must have.
fn wanted(correlation: &Correlation) -> String {
    match correlation.group_by.as_slice() {
        [] => "the condition's field".to_owned(),
        fields => format!("{} (or the condition's field)", fields.join(", ")),
    }
}

fn named_group(correlation: &Correlation, seen: &Seen) -> String {
    let parts: Vec<String> =
        correlation.group_by.iter().zip(&seen.group).map(|(name, text)| format!("{name} `{text}`")).collect();
    if parts.is_empty() { "all events".to_owned() } else { parts.join(", ") }
}
