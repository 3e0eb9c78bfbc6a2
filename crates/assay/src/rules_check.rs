//! `assay rules check`: what is wrong with Sigma rules, drawn as a compiler draws it.
//!
//! # Not here
//! What is wrong: `sigma` says it.

use crate::arguments::{RulesCheckArguments, TextOrJson};
use crate::rule_files::{self, RuleFiles};
use crate::{Exit, Output};
use anyhow::Result;
use serde_json::json;
use sigma::{Diagnostic, Loaded, RuleText, Severity};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A line of a rule file is shown up to this many characters.
const LINE_CHARS_MAX: usize = 200;

/// Checks and prints.
pub fn run(arguments: &RulesCheckArguments, output: &mut Output<'_>) -> Result<Exit> {
    let reading = &arguments.reading;
    let options = rule_files::load_options(&reading.pipeline, reading.placeholders.as_deref())?;
    let files = rule_files::read(&rule_files::NAMED, &arguments.paths)?;
    let texts = files.texts.iter().map(|(file, text)| RuleText { file, text });
    let loaded = sigma::check(texts, &options);
    let count = |severity| loaded.diagnostics.iter().filter(|own| own.severity() == severity).count();
    let (errors, warnings) = (count(Severity::Error) + files.unread.len(), count(Severity::Warning));
    let text = match arguments.format {
        TextOrJson::Text => draw(&files, &loaded, errors, warnings),
        TextOrJson::Json => {
            let mut text = serde_json::to_string_pretty(&shape(&files, &loaded))?;
            text.push('\n');
            text
        }
    };
    output.stdout.write_all(text.as_bytes())?;
    Ok(if errors > 0 { Exit::NothingRead } else { Exit::Done })
}

fn shape(files: &RuleFiles, loaded: &Loaded) -> serde_json::Value {
    let unread = files.unread.iter().map(|note| {
        json!({"severity": "error", "id": "unreadable", "file": note.file, "line": null, "column": null,
               "width": 0, "rule": null, "message": note.reason, "help": null})
    });
    let found = loaded.diagnostics.iter().map(|own| {
        json!({"severity": own.severity().as_str(), "id": own.id, "file": own.file, "line": own.line,
               "column": own.column, "width": own.width, "rule": own.rule, "message": own.message,
               "help": own.help})
    });
    json!({
        "schema": "assay-rules-check/1",
        "files": files.texts.len() + files.unread.len(),
        "rules": loaded.rules.len(),
        "correlations": loaded.correlations.len(),
        "diagnostics": unread.chain(found).collect::<Vec<_>>(),
    })
}

fn draw(files: &RuleFiles, loaded: &Loaded, errors: usize, warnings: usize) -> String {
    let texts: BTreeMap<&str, &str> =
        files.texts.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let mut out = String::new();
    for note in &files.unread {
        line(&mut out, &format!("error[unreadable]: {}", note.reason));
        line(&mut out, &format!("  --> {}", note.file));
        out.push('\n');
    }
    for diagnostic in &loaded.diagnostics {
        draw_one(diagnostic, texts.get(diagnostic.file.as_str()).copied().unwrap_or_default(), &mut out);
    }
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let read = [
        count(files.texts.len() + files.unread.len(), "file"),
        count(loaded.rules.len(), "rule"),
        count(loaded.correlations.len(), "correlation"),
        count(errors, "error"),
        count(warnings, "warning"),
    ];
    line(&mut out, &read.join(", "));
    out
}

/// One diagnostic with its line, and what is meant on it.
fn draw_one(diagnostic: &Diagnostic, text: &str, out: &mut String) {
    let Diagnostic { id, file, rule, message, help, .. } = diagnostic;
    line(out, &format!("{}[{id}]: {message}", diagnostic.severity().as_str()));
    let Some(number) = diagnostic.line else {
        line(out, &format!("  --> {file}"));
        return finish(rule.as_deref(), help.as_deref(), 1, out);
    };
    let column = diagnostic.column.map(|column| format!(":{column}")).unwrap_or_default();
    let margin = number.to_string().len();
    line(out, &format!("{:margin$}--> {file}:{number}{column}", ""));
    let source = text.trim_start_matches('\u{feff}').lines().nth(number as usize - 1).unwrap_or_default();
    // One column for each character, whatever it is, so that the carets stand below theirs.
    let shown: String = source
        .chars()
        .take(LINE_CHARS_MAX)
        .map(|c| {
            if c == '\t' {
                ' '
            } else if report::escape_terminal(c.encode_utf8(&mut [0; 4])).chars().count() == 1 {
                c
            } else {
                '\u{fffd}'
            }
        })
        .collect();
    line(out, &format!("{:margin$} |", ""));
    line(out, &format!("{number} | {shown}"));
    let at = diagnostic.column.map(|column| column as usize).filter(|column| *column <= LINE_CHARS_MAX);
    match at {
        Some(column) => {
            let room = shown.chars().count().saturating_sub(column - 1).max(1);
            let carets = "^".repeat((diagnostic.width as usize).clamp(1, room));
            line(out, &format!("{:margin$} | {:before$}{carets}", "", "", before = column - 1));
        }
        None => line(out, &format!("{:margin$} |", "")),
    }
    finish(rule.as_deref(), help.as_deref(), margin, out);
}

fn finish(rule: Option<&str>, help: Option<&str>, margin: usize, out: &mut String) {
    for (what, text) in [("rule", rule), ("help", help)] {
        if let Some(text) = text {
            line(out, &format!("{:margin$} = {what}: {text}", ""));
        }
    }
    out.push('\n');
}

/// Rule files are others' text: nothing in them steers the terminal.
fn line(out: &mut String, text: &str) {
    // Writing into a `String` cannot fail.
    let _ = writeln!(out, "{}", report::escape_terminal(text));
}
