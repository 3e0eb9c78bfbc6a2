//! The reference implementation's answers: strings, modifiers, conditions and
//! detections mean the same tree here, or are an error there and here.
//!
//! Trees are compared as logic: nested `or`s and `and`s are flattened, order
//! and repetition do not count, and a value that stands for several is an `or`.

use crate::detection::{Detection, Field, Leaf, Node, Number, Operator, Part, Pattern, Test};
use crate::{LoadOptions, RuleText, load, modifier};
use rsigma_parser::SigmaString;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Cases in which the specification decides otherwise, with its sentence.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn reference_answers() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/sigma-golden/golden.jsonl");
    let Ok(text) = std::fs::read_to_string(path) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "../shared/data is missing");
        eprintln!("skipped: ../shared/data is missing");
        return;
    };
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| !EXCEPTIONS.iter().any(|(case, _)| case == line)) {
        let case: Json = serde_json::from_str(line).unwrap();
        let (own, theirs) = match case["kind"].as_str().unwrap() {
            "string_parse" => {
                let pattern = modifier::pattern(&SigmaString::new(case["input"].as_str().unwrap()));
                (json!(parts(&pattern)), case["parts"].clone())
            }
            _ => (
                meaning(&case["detection"]),
                case.get("tree").map_or(json!("error"), |tree| normal(tree.clone())),
            ),
        };
        if own != theirs {
            wrong.push(format!("{line}\n  here: {own}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), text.lines().count(), wrong.join("\n"));
}

fn meaning(detection: &Json) -> Json {
    let rule = json!({"title": "t", "logsource": {"category": "c"}, "detection": detection});
    let text = rule.to_string();
    let mut names: Vec<&str> = text.split('%').collect();
    names.retain(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    let placeholders = names.iter().map(|name| (name.to_string(), vec![format!("\u{1}{name}\u{2}")]));
    let placeholders = placeholders.collect::<BTreeMap<_, _>>();
    let options = LoadOptions { placeholders, ..LoadOptions::default() };
    let loaded = load([RuleText { file: "f", text: &text }], &options);
    match loaded.rules.first() {
        Some(rule) => normal(tree(&rule.detection, &rule.detection.condition)),
        None => json!("error"),
    }
}

fn tree(detection: &Detection, node: &Node) -> Json {
    let all = |parts: &[Node]| -> Vec<Json> { parts.iter().map(|part| tree(detection, part)).collect() };
    match node {
        Node::And(parts) => json!({"and": all(parts)}),
        Node::Or(parts) => json!({"or": all(parts)}),
        Node::Not(part) => json!({"not": tree(detection, part)}),
        Node::Leaf(leaf) => leaf_tree(&detection.leaves[*leaf]),
    }
}

fn leaf_tree(leaf: &Leaf) -> Json {
    let one = |test: &Test| match &leaf.field {
        Field::Named(names) => json!({"field": names[0], "value": value(test)}),
        _ => json!({"keyword": value(test)}),
    };
    json!({"or": leaf.tests.iter().map(one).collect::<Vec<_>>()})
}

fn value(test: &Test) -> Json {
    match test {
        Test::Text(pattern) if pattern.cased => json!({"type": "SigmaCasedString", "parts": parts(pattern)}),
        Test::Text(pattern) => json!({"type": "SigmaString", "parts": parts(pattern)}),
        Test::Number(number) => json!({"type": "SigmaNumber", "number": number_json(*number)}),
        Test::Bool(truth) => json!({"type": "SigmaBool", "bool": truth}),
        Test::Null => json!({"type": "SigmaNull"}),
        Test::Exists(truth) => json!({"type": "SigmaExists", "exists": truth}),
        Test::Regex(expression) => {
            let word = |flag: char| match flag {
                'i' => "IGNORECASE",
                'm' => "MULTILINE",
                _ => "DOTALL",
            };
            let mut flags: Vec<&str> = expression.flags.chars().map(word).collect();
            flags.sort();
            flags.dedup();
            json!({"type": "SigmaRegularExpression", "regex": expression.source, "flags": flags})
        }
        Test::Cidr(cidr) => {
            json!({"type": "SigmaCIDRExpression", "cidr": format!("{}/{}", cidr.network, cidr.bits)})
        }
        Test::Compare(compare) => {
            let operator = match compare.operator {
                Operator::Equal => "EQ",
                Operator::Less => "LT",
                Operator::LessOrEqual => "LTE",
                Operator::Greater => "GT",
                Operator::GreaterOrEqual => "GTE",
            };
            json!({"type": "SigmaCompareExpression", "op": operator, "number": number_json(compare.number)})
        }
        Test::Reference(reference) => json!({"type": "SigmaFieldReference", "field": reference.names[0]}),
    }
}

fn number_json(number: Number) -> Json {
    match number {
        Number::Int(number) => json!(number),
        Number::Float(number) => json!(number),
    }
}

fn parts(pattern: &Pattern) -> Vec<Json> {
    let mut out = Vec::new();
    for part in &pattern.parts {
        match part {
            Part::Any => out.push(json!({"w": "*"})),
            Part::One => out.push(json!({"w": "?"})),
            Part::Text(text) => {
                for (index, piece) in
                    text.split(['\u{1}', '\u{2}']).enumerate().filter(|(_, piece)| !piece.is_empty())
                {
                    out.push(if index % 2 == 1 { json!({"p": piece}) } else { json!(piece) });
                }
            }
        }
    }
    out
}

/// The tree with everything that is not logic taken away.
fn normal(tree: Json) -> Json {
    for word in ["and", "or"] {
        if let Some(parts) = tree.get(word) {
            let mut flat = Vec::new();
            for part in parts.as_array().unwrap() {
                match normal(part.clone()) {
                    nested if nested.get(word).is_some() => {
                        flat.extend(nested[word].as_array().unwrap().clone())
                    }
                    part => flat.push(part),
                }
            }
            flat.sort_by_key(Json::to_string);
            flat.dedup();
            return if flat.len() == 1 { flat.remove(0) } else { json!({word: flat}) };
        }
    }
    if let Some(part) = tree.get("not") {
        return json!({"not": normal(part.clone())});
    }
    let key = if tree.get("field").is_some() { "value" } else { "keyword" };
    if tree[key]["type"] == "SigmaExpansion" {
        let each = tree[key]["values"].as_array().unwrap().iter().map(|value| {
            let mut one = tree.clone();
            one[key] = value.clone();
            one
        });
        return normal(json!({"or": each.collect::<Vec<_>>()}));
    }
    tree
}
