//! `testdata/diagnostics/NAME.in` is a rule file, `NAME.out` what is said of
//! it. `UPDATE=1` writes the `.out` files anew; review reads the difference.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code")]

use sigma::{DIAGNOSTIC_IDS, Diagnostic, LoadOptions, RuleText, check, load, load_pipelines};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The rule that pipelines of this folder are tried on.
const PIPED: &str = "title: t\nlogsource: {product: windows}\ndetection: {s: {Image: a}, condition: s}\n";

#[test]
fn diagnostics_are_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/diagnostics");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "in"));
    paths.sort();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let file = path.file_name().unwrap().to_str().unwrap();
        let mut own = String::new();
        // `pipeline-NAME.in` is a pipeline, tried on one rule.
        let loaded = if file.starts_with("pipeline-") {
            let (pipelines, diagnostics) = load_pipelines([RuleText { file, text: &text }]);
            for diagnostic in &diagnostics {
                seen.insert(diagnostic.id);
                draw(diagnostic, &mut own);
            }
            check(
                [RuleText { file: "rule", text: PIPED }],
                &LoadOptions { pipelines, ..LoadOptions::default() },
            )
        } else {
            check([RuleText { file, text: &text }], &LoadOptions::default())
        };
        let _ = writeln!(own, "rules loaded: {}", loaded.rules.len() + loaded.correlations.len());
        for diagnostic in &loaded.diagnostics {
            seen.insert(diagnostic.id);
            draw(diagnostic, &mut own);
        }
        let expected = path.with_extension("out");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected, &own).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != own {
            wrong.push(format!("{file}:\n{own}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A file beyond the limit is too large to be kept as a case.
    let large = " ".repeat(9 << 20);
    seen.extend(
        load([RuleText { file: "f", text: &large }], &LoadOptions::default())
            .diagnostics
            .iter()
            .map(|own| own.id),
    );
    let listed: BTreeSet<&str> = DIAGNOSTIC_IDS.iter().copied().collect();
    assert_eq!(listed, seen, "each id has a case");
}

fn draw(diagnostic: &Diagnostic, out: &mut String) {
    let Diagnostic { id, file, line, column, width, rule, message, help } = diagnostic;
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    let column = column.map(|column| format!(":{column}+{width}")).unwrap_or_default();
    let severity = diagnostic.severity().as_str();
    let _ = writeln!(out, "{file}{line}{column}: {severity}: {id}: {message}");
    if let Some(rule) = rule {
        let _ = writeln!(out, "  rule: {rule}");
    }
    if let Some(help) = help {
        let _ = writeln!(out, "  help: {help}");
    }
}
