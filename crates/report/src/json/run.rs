//! `run.json`: what differs from run to run, and the rules and indicators that
//! were not looked for.

use super::{Time, write_pretty};
use model::{RuleNote, Run};
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct RunShape<'a> {
    schema: &'static str,
    program: &'static str,
    version: &'a str,
    started: Time,
    seconds: Option<f64>,
    rules_not_loaded: Vec<NoteShape<'a>>,
    rules_not_met: Vec<NoteShape<'a>>,
    indicators_not_loaded: Vec<NoteShape<'a>>,
}

#[derive(Serialize)]
struct NoteShape<'a> {
    file: &'a str,
    line: Option<u32>,
    rule: Option<&'a str>,
    reason: &'a str,
}

fn note_shapes(notes: &[RuleNote]) -> Vec<NoteShape<'_>> {
    notes.iter().map(note_shape).collect()
}

fn note_shape(note: &RuleNote) -> NoteShape<'_> {
    NoteShape { file: &note.file, line: note.line, rule: note.rule.as_deref(), reason: &note.reason }
}

pub(crate) fn write_run_json(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let shape = RunShape {
        schema: "assay-run/1",
        program: "assay",
        version: &run.version,
        started: Time(run.started),
        seconds: run.seconds.is_finite().then(|| (run.seconds * 1_000.0).round() / 1_000.0),
        rules_not_loaded: note_shapes(&run.rules_not_loaded),
        rules_not_met: note_shapes(&run.rules_not_met),
        indicators_not_loaded: note_shapes(&run.indicators_not_loaded),
    };
    write_pretty(&shape, out)
}
