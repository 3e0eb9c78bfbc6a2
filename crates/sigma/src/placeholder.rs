//! Placeholders of `expand`: `%name%` stands for values that are given; `\%` is
//! a percent sign.
//!
//! # Not here
//! Who gives the values.

use crate::detection::{Part, Pattern};
use crate::diagnostic::Fault;
use crate::modifier::{EXPANSIONS_MAX, pattern, product, push};
use rsigma_parser::SigmaString;
use std::collections::BTreeMap;

/// Stands for an escaped percent sign until placeholders are replaced: a
/// noncharacter of Unicode (23.7), which no text holds.
const PLAIN_PERCENT: char = '\u{fdd0}';

/// `text` with its escaped percent signs out of the way. Behind an even number
/// of backslashes a percent sign is not escaped: they escape each other.
pub(crate) fn shield(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut backslashes = 0;
    for c in text.chars() {
        if c == '%' && backslashes % 2 == 1 {
            out.pop();
            out.push(PLAIN_PERCENT);
        } else {
            out.push(c);
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
    }
    out
}

/// The percent signs back, as `percent` writes them.
pub(crate) fn unshield(text: &str, percent: &str) -> String {
    text.replace(PLAIN_PERCENT, percent)
}

/// A written value in which placeholders are to be found.
pub(crate) fn shielded(text: &SigmaString) -> Pattern {
    pattern(&SigmaString::new(&shield(&text.original)))
}

/// `%name%` becomes each value that was given for the name.
///
/// # Errors
/// A name has no value, or the pattern stands for too many.
pub(crate) fn expand(
    pattern: &Pattern,
    placeholders: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Pattern>, Fault> {
    let mut variants: Vec<Vec<Part>> = vec![Vec::new()];
    for part in &pattern.parts {
        let Part::Text(text) = part else {
            variants = product(&variants, std::slice::from_ref(part))?;
            continue;
        };
        for piece in split(text) {
            variants = match piece {
                Ok(text) => product(&variants, &[Part::Text(unshield(text, "%"))])?,
                Err(name) => expand_one(&variants, name, placeholders)?,
            };
        }
    }
    Ok(variants.into_iter().map(|parts| Pattern { parts, cased: pattern.cased }).collect())
}

fn expand_one(
    variants: &[Vec<Part>],
    name: &str,
    placeholders: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Vec<Part>>, Fault> {
    let Some(values) = placeholders.get(name).filter(|values| !values.is_empty()) else {
        let message = format!("the placeholder `%{name}%` has no value");
        return Err(Fault::new("placeholder-unresolved", message)
            .near(format!("%{name}%"))
            .help("give its values to `expand`, one list for each name"));
    };
    if variants.len() * values.len() > EXPANSIONS_MAX {
        return Err(Fault::new("too-complex", format!("`%{name}%` stands for too many values")));
    }
    let values: Vec<Pattern> = values.iter().map(|value| pattern(&SigmaString::new(value))).collect();
    let joined = |variant: &Vec<Part>, value: &Pattern| {
        let mut parts = variant.clone();
        value.parts.iter().for_each(|part| push(&mut parts, part.clone()));
        parts
    };
    Ok(variants.iter().flat_map(|variant| values.iter().map(move |value| joined(variant, value))).collect())
}

/// Text pieces (`Ok`) and names of placeholders (`Err`), in order, of text that was [`shield`]ed.
pub(crate) fn split(text: &str) -> Vec<Result<&str, &str>> {
    // SigmaHQ writes `%DC-MACHINE-NAME%`, too.
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut pieces = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(open) = rest[from..].find('%').map(|at| at + from) {
        let behind = &rest[open + 1..];
        let name = &behind[..behind.find(|c| !in_name(c)).unwrap_or(behind.len())];
        let close = open + 1 + name.len();
        if !name.is_empty() && rest[close..].starts_with('%') {
            pieces.push(Ok(&rest[..open]));
            pieces.push(Err(name));
            rest = &rest[close + 1..];
            from = 0;
        } else {
            from = open + 1;
        }
    }
    pieces.push(Ok(rest));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_percent_signs() {
        let pieces = |text: &str| -> Vec<Result<String, String>> {
            let shielded = shield(text);
            let own = |text: &str| unshield(text, "%");
            split(&shielded).into_iter().map(|piece| piece.map(own).map_err(own)).collect()
        };
        let text = |text: &str| Ok(text.to_owned());
        let name = |name: &str| Err(name.to_owned());
        assert_eq!(pieces("a%b%c"), [text("a"), name("b"), text("c")]);
        assert_eq!(pieces("%a%%b-c%"), [text(""), name("a"), text(""), name("b-c"), text("")]);
        assert_eq!(pieces(r"\%plain%name%"), [text("%plain"), name("name"), text("")]);
        assert_eq!(pieces(r"\\%name%"), [text(r"\\"), name("name"), text("")]);
        assert_eq!(pieces("100% of %a b%"), [text("100% of %a b%")]);
    }
}
