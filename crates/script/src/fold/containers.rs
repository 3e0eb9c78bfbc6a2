//! Names in containers: `$tools["go"]`, `parts(2)`, where each element is a constant that is set once.

use crate::token::{Kind, Token};
use std::collections::HashMap;

/// Elements that are remembered.
const ELEMENTS_MAX: usize = 4_096;
/// Tokens of a container that is written at once.
const LITERAL_TOKENS_MAX: usize = 1_024;

/// What makes a container of what stands in its brackets.
const CONTAINERS: &[&str] = &["array", "list", "dict", "of", "aslist", "hash", "tuple"];

/// The constant of each element, by container and key; `None` where it has two, or something else.
type Elements = HashMap<(String, String), Option<Token>>;

/// Puts the elements in the place of where they are asked for, while `left` bytes are.
pub(super) fn replace(tokens: Vec<Token>, left: &mut usize) -> Vec<Token> {
    let elements = elements(&tokens);
    if elements.is_empty() {
        return tokens;
    }
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let element = asked(&tokens, at).and_then(|(key, end)| {
            let is_set = tokens.get(end).is_some_and(is_assignment);
            let value = elements.get(&(token.text.clone(), key))?.as_ref().filter(|_| !is_set)?;
            *left = left.checked_sub(value.text.len())?;
            Some((Token { at: token.at, ..value.clone() }, end))
        });
        match element {
            Some((value, end)) => {
                out.push(value);
                at = end;
            }
            None => {
                out.push(token.clone());
                at += 1;
            }
        }
    }
    out
}

/// `name["key"]`, `name(2)`, `$name{key}`: the key, and where it ends.
fn asked(tokens: &[Token], at: usize) -> Option<(String, usize)> {
    let [name, open, key, close, ..] = tokens.get(at..)? else { return None };
    let pairs = [("[", "]"), ("(", ")"), ("{", "}")];
    let is_pair = pairs.iter().any(|(opens, closes)| open.is(opens) && close.is(closes));
    let is_member =
        at.checked_sub(1).is_some_and(|before| tokens[before].is(".") && !name.text.starts_with('$'));
    let is_key = matches!(key.kind, Kind::Text | Kind::Number) || (key.kind == Kind::Word && open.is("{"));
    (name.kind == Kind::Word && is_pair && is_key && !is_member).then(|| (key.text.clone(), at + 4))
}

fn is_assignment(token: &Token) -> bool {
    ["=", "+=", ".=", "&=", ":="].iter().any(|sign| token.is(sign))
}

fn elements(tokens: &[Token]) -> Elements {
    let mut elements = Elements::new();
    let mut note = |name: &str, key: String, value: Option<Token>| {
        if elements.len() < ELEMENTS_MAX {
            let own = elements.entry((name.to_owned(), key));
            own.and_modify(|known| *known = None).or_insert(value);
        }
    };
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word) {
        if let Some((key, end)) = asked(tokens, at)
            && tokens.get(end).is_some_and(is_assignment)
        {
            let value = tokens.get(end + 1).filter(|value| value.kind == Kind::Text);
            let ends = tokens.get(end + 2).is_none_or(is_end) && tokens[end].text != "+=";
            note(&token.text, key, value.filter(|_| ends).cloned());
        } else if tokens.get(at + 1).is_some_and(is_assignment) {
            for (key, value) in literal(&tokens[at + 2..]) {
                note(&token.text, key, Some(value));
            }
        }
    }
    elements
}

fn is_end(token: &Token) -> bool {
    matches!(token.kind, Kind::Line | Kind::Edge)
        || [";", ",", ":", "}", ")"].iter().any(|sign| token.is(sign))
}

/// The elements of a container that is written at once: `array("a" => "b")`, `{ "a": "b" }`,
/// `new Dictionary { { "a", "b" } }`, `["a", "b"]`.
fn literal(value: &[Token]) -> Vec<(String, Token)> {
    let opens = |token: &Token| ["(", "[", "{"].iter().any(|sign| token.is(sign));
    let closes = |token: &Token| [")", "]", "}"].iter().any(|sign| token.is(sign));
    let Some(begin) = value.iter().take(16).position(opens) else { return Vec::new() };
    let is_type =
        |token: &Token| token.kind == Kind::Word || [".", "<", ">", ",", "[", "]"].contains(&&*token.text);
    // `array(…)` is a container, `explode(…)` is none.
    let is_made = |word: &Token| CONTAINERS.iter().any(|own| word.is_word(own));
    let before = begin.checked_sub(1).map(|before| &value[before]);
    let is_container =
        !value[begin].is("(") || before.is_none_or(|before| before.kind != Kind::Word || is_made(before));
    if !value[..begin].iter().all(is_type) || !is_container {
        return Vec::new();
    }
    let (mut depth, mut index, mut found) = (0usize, 0u32, Vec::new());
    for (at, token) in value.iter().enumerate().skip(begin).take(LITERAL_TOKENS_MAX) {
        if opens(token) {
            depth += 1;
        } else if closes(token) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                break;
            }
        }
        let begins = at > 0 && (opens(&value[at - 1]) || value[at - 1].is(","));
        if !begins || !matches!(token.kind, Kind::Text | Kind::Number | Kind::Word) {
            continue;
        }
        let ends = |at: usize| value.get(at).is_some_and(|end| closes(end) || end.is(","));
        match value.get(at + 1..) {
            Some([sign, text, ..])
                if text.kind == Kind::Text
                    && ends(at + 3)
                    && (sign.is("=>")
                        || sign.is(":")
                        || (sign.is(",") && depth > 1 && value[at - 1].is("{"))) =>
            {
                found.push((token.text.clone(), text.clone()));
            }
            _ if token.kind == Kind::Text && ends(at + 1) && depth <= 2 => {
                found.push((index.to_string(), token.clone()));
            }
            _ => {}
        }
        index += 1;
    }
    found
}
