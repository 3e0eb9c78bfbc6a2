//! Values of detection items, changed: texts, placeholders, regular expressions.
//!
//! # Not here
//! Which items.

use super::transform::VALUES_MAX;
use crate::diagnostic::Fault;
use crate::draft::Item;
use crate::placeholder::{shield, split, unshield};
use rsigma_parser::{Modifier, SigmaString, SpecialChar, StringPart};
use yaml_serde::Value;

/// Changes each value.
pub(super) fn each_value(item: &mut Item, change: &dyn Fn(Value) -> Value) {
    item.values = std::mem::take(&mut item.values).into_iter().map(change).collect();
}

/// Changes each text, to any number of texts.
pub(super) fn each_text(item: &mut Item, change: &dyn Fn(&str) -> Vec<String>) {
    let values = std::mem::take(&mut item.values);
    item.values = values
        .into_iter()
        .flat_map(|value| match value {
            Value::String(text) => change(&text).into_iter().map(Value::String).collect(),
            other => vec![other],
        })
        .collect();
}

/// Changes what stands between wildcards that are not escaped.
pub(super) fn between_wildcards(text: &str, change: &dyn Fn(&str) -> String) -> String {
    let (mut out, mut part) = (String::new(), String::new());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' | '?' => {
                out.push_str(&change(&std::mem::take(&mut part)));
                out.push(c);
            }
            '\\' => {
                part.push(c);
                part.extend(chars.next());
            }
            c => part.push(c),
        }
    }
    out.push_str(&change(&part));
    out
}

/// Puts `values` of a name for `%name%`, in items with `expand`; the modifier
/// stays while any placeholder does.
pub(super) fn fill_placeholders(
    item: &mut Item,
    values: &dyn Fn(&str) -> Option<Vec<String>>,
) -> Result<(), Fault> {
    if !item.has(Modifier::Expand) {
        return Ok(());
    }
    let mut is_left = false;
    let mut next = Vec::with_capacity(item.values.len());
    for value in std::mem::take(&mut item.values) {
        let Value::String(text) = &value else {
            next.push(value);
            continue;
        };
        let mut variants = vec![String::new()];
        for piece in split(&shield(text)) {
            let choices = match piece {
                Ok(text) => vec![text.to_owned()],
                Err(name) => values(name).unwrap_or_else(|| {
                    is_left = true;
                    vec![format!("%{name}%")]
                }),
            };
            if variants.len().saturating_mul(choices.len()) + next.len() > VALUES_MAX {
                return Err(Fault::new("too-complex", format!("`{text}` stands for too many values")));
            }
            let joined = |before: &String| -> Vec<String> {
                choices.iter().map(|choice| format!("{before}{choice}")).collect()
            };
            variants = variants.iter().flat_map(joined).collect();
        }
        next.extend(variants.into_iter().map(Value::String));
    }
    // While the modifier stays it will read the escapes itself.
    let percent = if is_left { r"\%" } else { "%" };
    item.values = next;
    each_text(item, &|text| vec![unshield(text, percent)]);
    if !is_left {
        item.modifiers.retain(|own| *own != Modifier::Expand);
    }
    Ok(())
}

/// Texts with wildcards become regular expressions over the whole value; items
/// with a modifier that makes something else of the text stay.
pub(super) fn to_regex(item: &mut Item, flag: Option<Modifier>) {
    use Modifier as M;
    let plain =
        |own: &M| matches!(own, M::Contains | M::StartsWith | M::EndsWith | M::All | M::Neq | M::Cased);
    let is_text = item.values.iter().all(|value| matches!(value, Value::String(_)));
    if !is_text || item.is_empty_list || item.fields.is_empty() || !item.modifiers.iter().all(plain) {
        return;
    }
    let open_start = item.has(M::Contains) || item.has(M::EndsWith);
    let open_end = item.has(M::Contains) || item.has(M::StartsWith);
    each_text(item, &|text| {
        let mut pattern = String::from(if open_start { "(?s)" } else { "(?s)^" });
        for part in &SigmaString::new(text).parts {
            match part {
                StringPart::Plain(text) => pattern.push_str(&regex::escape(text)),
                StringPart::Special(SpecialChar::WildcardMulti) => pattern.push_str(".*"),
                StringPart::Special(SpecialChar::WildcardSingle) => pattern.push('.'),
            }
        }
        pattern.push_str(if open_end { "" } else { "$" });
        vec![pattern]
    });
    let flag = flag.filter(|_| !item.has(M::Cased));
    item.modifiers.retain(|own| matches!(own, M::All | M::Neq));
    item.modifiers.push(M::Re);
    item.modifiers.extend(flag);
}
