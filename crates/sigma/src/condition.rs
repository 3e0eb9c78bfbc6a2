//! The condition of a rule: from its text to a [`Node`] over named detections.
//!
//! # What the specification says
//! `1`, `any` and `all` are the quantifiers; words are lower case; names that
//! begin with `_` are left out of `them` and of every pattern that does not
//! itself begin with `_`.
//!
//! # Not here
//! The grammar: it is `rsigma-parser`'s.

use crate::detection::{NODES_MAX, Node};
use crate::diagnostic::Fault;
use crate::draft::like;
use rsigma_parser::{ConditionExpr, Quantifier, SelectorPattern, parse_condition};

/// The grammar recurses; nothing deeper or longer is shown to it.
const DEPTH_MAX: usize = 40;
const LENGTH_MAX: usize = 16 << 10;

/// The node for `text` over the named detections.
///
/// # Errors
/// The text is no condition, or names a detection that is not there.
pub(crate) fn parse(text: &str, named: &[(String, Node)]) -> Result<Node, Fault> {
    check_depth(text)?;
    let expression = parse_condition(text).map_err(|error| invalid(text, &first_line(&error.to_string())))?;
    let mut room = NODES_MAX;
    node(&expression, text, named, &mut room)
}

/// Parentheses and `not`s nest the grammar; counts both, without a reset, so
/// that no way of writing them is missed.
pub(crate) fn check_depth(text: &str) -> Result<(), Fault> {
    let too_deep =
        || Fault::new("too-complex", "the condition is nested too deep or too long").near("condition");
    if text.len() > LENGTH_MAX {
        return Err(too_deep());
    }
    let (mut depth, mut negations) = (0usize, 0usize);
    for token in text.split_inclusive(|c: char| c.is_whitespace() || c == '(' || c == ')') {
        match token.trim_end_matches(|c: char| c.is_whitespace() || c == '(' || c == ')') {
            "" => {}
            "not" => negations += 1,
            _ => negations = 0,
        }
        depth = match token.chars().last() {
            Some('(') => depth + 1,
            Some(')') => depth.saturating_sub(1),
            _ => depth,
        };
        if depth > DEPTH_MAX || negations > DEPTH_MAX {
            return Err(too_deep());
        }
    }
    Ok(())
}

/// The reason in the parser's message, which draws a picture over many lines.
fn first_line(message: &str) -> String {
    let reason = message.lines().rev().find_map(|line| line.trim().strip_prefix("= "));
    reason.or_else(|| message.lines().next()).unwrap_or_default().to_owned()
}

fn invalid(text: &str, why: &str) -> Fault {
    Fault::new("condition-invalid", format!("the condition `{text}` cannot be read: {why}"))
        .help("`and`, `or`, `not`, parentheses, names, and `1 of`, `any of`, `all of` a pattern or `them`")
        .near("condition")
}

fn node(
    expression: &ConditionExpr,
    text: &str,
    named: &[(String, Node)],
    room: &mut usize,
) -> Result<Node, Fault> {
    let mut all = |parts: &[ConditionExpr]| -> Result<Vec<Node>, Fault> {
        parts.iter().map(|part| node(part, text, named, room)).collect()
    };
    match expression {
        ConditionExpr::And(parts) => Ok(Node::And(all(parts)?)),
        ConditionExpr::Or(parts) => Ok(Node::Or(all(parts)?)),
        ConditionExpr::Not(part) => Ok(Node::Not(Box::new(node(part, text, named, room)?))),
        ConditionExpr::Identifier(name) => match named.iter().find(|(own, _)| own == name) {
            Some((_, node)) => copy(node, room),
            None => {
                let message = format!("the condition names `{name}`, which is not defined");
                let fault = Fault::new("condition-unknown-name", message).near("condition");
                Err(match like(name, named.iter().map(|(own, _)| own.as_str())) {
                    Some(near) => fault.help(format!("`{near}` is like it")),
                    None => fault,
                })
            }
        },
        ConditionExpr::Selector { quantifier, pattern } => select(quantifier, pattern, text, named, room),
    }
}

fn select(
    quantifier: &Quantifier,
    pattern: &SelectorPattern,
    text: &str,
    named: &[(String, Node)],
    room: &mut usize,
) -> Result<Node, Fault> {
    let pattern = pattern_text(pattern);
    let mut nodes = Vec::new();
    for (_, node) in named.iter().filter(|(name, _)| selects(pattern, name)) {
        nodes.push(copy(node, room)?);
    }
    if nodes.is_empty() {
        let message = format!("the condition asks for `{pattern}`, which fits no name");
        return Err(Fault::new("condition-unknown-name", message).near("condition"));
    }
    match quantifier {
        Quantifier::Any => Ok(Node::Or(nodes)),
        Quantifier::All => Ok(Node::And(nodes)),
        Quantifier::Count(count) => Err(invalid(text, &format!("`{count} of` is no quantifier"))),
    }
}

/// The names among `names` that the condition uses; `None` when it cannot be read.
pub(crate) fn used<'n>(text: &str, names: &[&'n str]) -> Option<Vec<&'n str>> {
    check_depth(text).ok()?;
    let mut used = Vec::new();
    collect(&parse_condition(text).ok()?, names, &mut used);
    Some(used)
}

fn collect<'n>(expression: &ConditionExpr, names: &[&'n str], used: &mut Vec<&'n str>) {
    match expression {
        ConditionExpr::And(parts) | ConditionExpr::Or(parts) => {
            parts.iter().for_each(|part| collect(part, names, used));
        }
        ConditionExpr::Not(part) => collect(part, names, used),
        ConditionExpr::Identifier(name) => used.extend(names.iter().filter(|own| *own == name)),
        ConditionExpr::Selector { pattern, .. } => {
            let pattern = pattern_text(pattern);
            used.extend(names.iter().filter(|name| selects(pattern, name)));
        }
    }
}

fn pattern_text(pattern: &SelectorPattern) -> &str {
    match pattern {
        SelectorPattern::Them => "*",
        SelectorPattern::Pattern(pattern) => pattern,
    }
}

fn selects(pattern: &str, name: &str) -> bool {
    let hidden = name.starts_with('_') && !pattern.starts_with('_');
    !hidden && name_fits(pattern, name)
}

/// Copies a named detection into the condition, as long as there is room.
fn copy(node: &Node, room: &mut usize) -> Result<Node, Fault> {
    match room.checked_sub(size(node)) {
        Some(left) => *room = left,
        None => return Err(Fault::new("too-complex", "the condition becomes too large").near("condition")),
    }
    Ok(node.clone())
}

fn size(node: &Node) -> usize {
    match node {
        Node::And(parts) | Node::Or(parts) => 1 + parts.iter().map(size).sum::<usize>(),
        Node::Not(part) => 1 + size(part),
        Node::Leaf(_) => 1,
    }
}

/// Whether `name` fits `pattern`, in which `*` is any text.
fn name_fits(pattern: &str, name: &str) -> bool {
    let mut runs = pattern.split('*');
    let Some(mut rest) = runs.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut runs: Vec<&str> = runs.collect();
    let Some(last) = runs.pop() else {
        return rest.is_empty();
    };
    for run in runs {
        match rest.find(run) {
            Some(at) => rest = &rest[at + run.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_patterns() {
        for (pattern, name) in
            [("*", "x"), ("sel*", "sel"), ("s*l*x", "sel_x"), ("*_a", "b_a"), ("sel", "sel")]
        {
            assert!(name_fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("sel", "selx"), ("*_a", "_b"), ("a*a", "a")] {
            assert!(!name_fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn deep_conditions_are_refused() {
        let deep = format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000));
        assert_eq!(parse(&deep, &[]).unwrap_err().id, "too-complex");
        let negated = format!("{}a", "not ".repeat(3_000));
        assert_eq!(parse(&negated, &[]).unwrap_err().id, "too-complex");
    }
}
