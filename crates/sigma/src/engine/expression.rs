//! Literals without which a regular expression cannot match.
//!
//! A set of folded texts of which each match holds at least one, so that the
//! expression is only run on values in which one of them was seen.

use crate::detection::Expression;
use crate::text::fold_char;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Shorter literals are seen too often to be worth waiting for in every value.
pub(super) const LITERAL_CHARS_MIN: usize = 3;
const LITERALS_MAX: usize = 16;

/// The literals; `None` when there are none, or one of less than `chars_min` characters.
pub(super) fn literals(expression: &Expression, chars_min: usize) -> Option<Vec<String>> {
    let hir = ParserBuilder::new()
        .case_insensitive(expression.flags.contains('i'))
        .multi_line(expression.flags.contains('m'))
        .dot_matches_new_line(expression.flags.contains('s'))
        .build()
        .parse(expression.regex.as_str())
        .ok()?;
    let literals = required(&hir)?;
    (shortest(&literals) >= chars_min).then_some(literals)
}

fn shortest(literals: &[String]) -> usize {
    literals.iter().map(|literal| literal.chars().count()).min().unwrap_or(0)
}

fn required(hir: &Hir) -> Option<Vec<String>> {
    if let Some(text) = exact(hir) {
        return Some(vec![text]);
    }
    match hir.kind() {
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => required_of_all(parts),
        HirKind::Alternation(parts) => {
            let sets: Option<Vec<Vec<String>>> = parts.iter().map(required).collect();
            let literals: Vec<String> = sets?.into_iter().flatten().collect();
            (literals.len() <= LITERALS_MAX).then_some(literals)
        }
        _ => None,
    }
}

/// The best set of any part; parts that are plain text and stand side by side are one text.
fn required_of_all(parts: &[Hir]) -> Option<Vec<String>> {
    let mut best: Option<Vec<String>> = None;
    let mut better = |next: Vec<String>| {
        if best.as_ref().is_none_or(|best| shortest(&next) > shortest(best)) {
            best = Some(next);
        }
    };
    let mut run = String::new();
    for part in parts {
        match exact(part) {
            Some(text) => run.push_str(&text),
            None => {
                better(vec![std::mem::take(&mut run)]);
                required(part).into_iter().for_each(&mut better);
            }
        }
    }
    better(vec![run]);
    best
}

/// The one folded text that the expression matches, if it matches only that.
fn exact(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(String::new()),
        HirKind::Literal(literal) => {
            Some(std::str::from_utf8(&literal.0).ok()?.chars().map(fold_char).collect())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let mut chars = class.iter().flat_map(|range| range.start()..=range.end()).take(5).map(fold_char);
            let first = chars.next()?;
            chars.all(|c| c == first).then(|| first.to_string())
        }
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(exact).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn check(source: &str, flags: &str, expect: &[&str]) {
        let (source, flags) = (source.to_owned(), flags.to_owned());
        let regex = Regex::new(&source).unwrap();
        let own = literals(&Expression { source, flags, regex }, LITERAL_CHARS_MIN).unwrap_or_default();
        assert_eq!(own, expect);
    }

    #[test]
    fn literals_of_expressions() {
        check("abc.*defg", "", &["defg"]);
        check("^(ABC|defg)+x?", "", &["abc", "defg"]);
        check("a.b", "", &[]);
        check("(abc)?", "", &[]);
        check("abc|x", "", &[]);
        check("Pa[tT]h\\b", "", &["path"]);
        check("invoke", "i", &["invoke"]);
        check("task1", "i", &[]);
    }
}
