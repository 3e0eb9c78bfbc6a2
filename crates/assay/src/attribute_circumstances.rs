//! Circumstances in words: what they are, what they add, what they are worth.

use crate::attribute_list::Bench;
use crate::attribute_text::{columns, label};
use attribution::{Assessment, Circumstance, Forgeability, added};
use report::escape_terminal;
use std::fmt::Write as _;

/// The table of circumstances, below that of items.
pub fn table(bench: &Bench, assessment: &Assessment, circumstances: &[Circumstance]) -> String {
    let actors = columns(assessment);
    if circumstances.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "\nCircumstances: weak, bounded, by judgement; they move the list, can take a name away, and never give one\n",
    );
    for circumstance in circumstances {
        let name: String = escape_terminal(&circumstance.name).chars().take(51).collect();
        let _ = write!(out, "  {name:<51} {:>6}", circumstance.adds.len());
        for actor in &actors {
            let _ = write!(out, "{:>+8.2}", circumstance.adds.get(*actor).copied().unwrap_or(0.0));
        }
        let _ = writeln!(out, "  {}  {}", planting(circumstance.forgeability), circumstance.admiralty);
    }
    for note in notes(bench, circumstances) {
        let _ = writeln!(out, "  {}", escape_terminal(&note));
    }
    out
}

/// `easy` or `hard`.
pub const fn planting(forgeability: Forgeability) -> &'static str {
    match forgeability {
        Forgeability::Easy => "easy",
        Forgeability::Hard => "hard",
    }
}

/// Who says what of whom, and what a reader must know.
pub fn notes(bench: &Bench, circumstances: &[Circumstance]) -> Vec<String> {
    let mut notes = Vec::new();
    for circumstance in circumstances {
        let source = |name: &String| {
            let source = bench.knowledge.dossiers.sources.get(name);
            source.map(|source| format!("{}, {}", source.publisher, source.date)).unwrap_or_default()
        };
        let sources: Vec<String> = circumstance.sources.iter().map(source).collect();
        let speaks = |wanted: fn(f64) -> bool| -> Vec<String> {
            let of = circumstance.adds.iter().filter(|(_, adds)| wanted(**adds));
            of.map(|(actor, _)| label(bench, actor)).collect()
        };
        let (fors, against) = (speaks(|adds| adds > 0.0), speaks(|adds| adds < 0.0));
        let seen = match circumstance.seen.as_slice() {
            [] => String::new(),
            seen => format!(" ({})", seen.iter().take(5).cloned().collect::<Vec<_>>().join(", ")),
        };
        let mut note = format!("{}{seen}: ", circumstance.name);
        match (fors.as_slice(), against.as_slice()) {
            ([], []) => note.push_str("no source here says that of an actor"),
            ([], against) => note.push_str(&format!("speaks against {}", against.join(", "))),
            (fors, []) => note.push_str(&format!("fits {}", fors.join(", "))),
            (fors, against) => {
                note.push_str(&format!("fits {}, speaks against {}", fors.join(", "), against.join(", ")));
            }
        }
        if !sources.is_empty() {
            note.push_str(&format!(" (by {})", sources.join("; ")));
        }
        note.push('.');
        if circumstance.may_be_circular {
            note.push_str(" The report came out after the intrusion began: it may be about this very one, and then confirms nothing.");
        }
        notes.push(note);
    }
    notes
}

/// How the probabilities came about, so that they can be recomputed: `sum` is what [`attribution::weigh_in`] gave.
pub fn explanation(assessment: &Assessment, circumstances: &[Circumstance], sum: Option<f64>) -> String {
    if circumstances.is_empty() {
        return String::new();
    }
    let Some(sum) = sum else {
        return "  circumstances: not applied, as they would only make the named actor surer\n".to_owned();
    };
    let mut out = format!(
        "  circumstances: probability = probability before * factor / {sum:.6}; unknown has factor 1\n  actor, before, factor, after\n"
    );
    for of in assessment.hypotheses.iter().take(columns(assessment).len()) {
        let factor = added(circumstances, &of.actor).exp();
        let before = of.probability * sum / factor;
        let _ = writeln!(out, "  {:<10}{before:>12.6}{factor:>12.6}{:>12.6}", of.actor, of.probability);
    }
    out
}
