//! The table of the analysis of competing hypotheses, as the text of a note.

use crate::assessed::{Assessed, Attribution};
use knowledge::Attack;
use std::fmt::Write as _;

/// Hypotheses and items that are shown.
const HYPOTHESES_MAX: usize = 10;
const ROWS_MAX: usize = 100;

/// The table as Markdown: verdict, hypotheses, items against them, notes.
pub fn table(attack: &Attack, attribution: Option<&Attribution>, assessed: &Assessed) -> String {
    let mut text = String::new();
    let name = |id: &str| match attack.name(id) {
        Some(name) => format!("{name} ({id})"),
        None => id.to_owned(),
    };
    // Writing into a text cannot fail.
    let _ = match (&assessed.named, &assessed.strength) {
        (Some(named), Some(strength)) => writeln!(text, "Named: {}, strength {strength}.", name(named)),
        (Some(named), None) => writeln!(text, "Named: {}.", name(named)),
        (None, _) => writeln!(text, "Insufficient evidence: nobody is named."),
    };
    if let Some(of) = attribution {
        let _ = writeln!(text, "Knowledge of {}, ATT&CK {}.", of.as_of, of.attack_version);
    }
    let _ = writeln!(text, "\n| hypothesis | probability |\n|---|---|");
    for hypothesis in assessed.hypotheses.iter().take(HYPOTHESES_MAX) {
        let _ = writeln!(text, "| {} | {:.3} |", cell(&name(&hypothesis.actor)), hypothesis.probability);
    }
    let rest =
        assessed.hypotheses.iter().skip(HYPOTHESES_MAX).map(|hypothesis| hypothesis.probability).sum::<f64>();
    if assessed.hypotheses.len() > HYPOTHESES_MAX {
        let _ = writeln!(text, "| {} more | {rest:.3} |", assessed.hypotheses.len() - HYPOTHESES_MAX);
    }
    push_matrix(&mut text, assessed, &name);
    for note in &assessed.notes {
        let _ = writeln!(text, "\n{note}");
    }
    text
}

/// What each item adds to each actor's total; below zero it speaks against it.
fn push_matrix(text: &mut String, assessed: &Assessed, name: &dyn Fn(&str) -> String) {
    let matrix = &assessed.matrix;
    if matrix.actors.is_empty() {
        return;
    }
    let actors: Vec<String> = matrix.actors.iter().map(|actor| cell(&name(actor))).collect();
    let _ = writeln!(text, "\n| item | easy to forge | {} |", actors.join(" | "));
    let _ = writeln!(text, "|---|---|{}", "---|".repeat(actors.len()));
    for row in matrix.rows.iter().take(ROWS_MAX) {
        let item = assessed.items.iter().find(|item| item.id == row.item);
        let is_easy = item.is_some_and(|item| item.forgeability == "easy");
        let cells: Vec<String> = row.cells.iter().map(|value| format!("{value:+.2}")).collect();
        let easy = if is_easy { "yes" } else { "no" };
        let _ = writeln!(text, "| {} | {easy} | {} |", cell(&name(&row.item)), cells.join(" | "));
    }
    if matrix.rows.len() > ROWS_MAX {
        let _ = writeln!(text, "\nand {} more items", matrix.rows.len() - ROWS_MAX);
    }
}

/// A text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\x7c").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessed::{Hypothesis, Matrix, Row};

    #[test]
    fn a_table_tells_hypotheses_and_items() {
        let assessed = Assessed {
            hypotheses: vec![
                Hypothesis { actor: "G0125".to_owned(), probability: 0.5 },
                Hypothesis { actor: "unknown".to_owned(), probability: 0.5 },
            ],
            matrix: Matrix {
                actors: vec!["G0125".to_owned()],
                rows: vec![Row { item: "a|b".to_owned(), cells: vec![-0.25] }],
            },
            ..Assessed::default()
        };
        let text = table(knowledge::attack(), None, &assessed);
        assert!(text.starts_with("Insufficient evidence: nobody is named.\n"), "{text}");
        assert!(text.contains("| HAFNIUM (G0125) | 0.500 |\n| unknown | 0.500 |\n"), "{text}");
        assert!(text.contains("| a\\x7cb | no | -0.25 |\n"), "{text}");
    }
}
