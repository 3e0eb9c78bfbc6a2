//! Functions of the script's own that only unpack: `function d(s) { return atob(s); }`, called with constants.

use super::reduce_all;
use crate::statement::{parts, within};
use crate::token::{Kind, Token};
use std::collections::HashMap;

/// Such functions in one script.
const FUNCTIONS_MAX: usize = 64;
/// Tokens of what one gives back.
const EXPRESSION_TOKENS_MAX: usize = 64;
/// Tokens of a body that is looked through for a key.
const BODY_TOKENS_MAX: usize = 160;
/// Arguments of one call.
const ARGUMENTS_MAX: usize = 4_096;

/// What a function makes of its argument.
enum Own {
    /// One expression of one parameter.
    Expression(String, Vec<Token>),
    /// Each number with this one, by exclusive or; with the last argument where there is none.
    Xor(Option<u32>),
}

/// Puts what they come to in the place of their calls, while `left` bytes are.
pub(super) fn inline(tokens: Vec<Token>, left: &mut usize) -> Vec<Token> {
    let functions = functions(&tokens);
    if functions.is_empty() {
        return tokens;
    }
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_call = token.kind == Kind::Word && tokens.get(at + 1).is_some_and(|open| open.is("("));
        let own = functions.get(&token.text.to_ascii_lowercase()).filter(|_| is_call);
        let inside = own.map(|_| within(&tokens[at + 1..])).filter(|inside| inside.len() <= ARGUMENTS_MAX);
        match own.zip(inside).and_then(|(own, inside)| Some((comes_to(own, inside, left)?, inside.len()))) {
            Some((mut text, length)) => {
                text.at = token.at;
                while out.len() >= 2 && out[out.len() - 1].is(".") && out[out.len() - 2].kind == Kind::Word {
                    out.truncate(out.len() - 2);
                }
                out.push(text);
                at += length + 3;
            }
            None => {
                out.push(token.clone());
                at += 1;
            }
        }
    }
    out
}

fn comes_to(own: &Own, inside: &[Token], left: &mut usize) -> Option<Token> {
    match own {
        Own::Expression(parameter, expression) => {
            let [text] = inside else { return None };
            if text.kind != Kind::Text {
                return None;
            }
            let uses = expression.iter().filter(|token| token.text == *parameter).count();
            // What it unpacks to is bounded by the room for unpacked text (`unpack`).
            *left = left.checked_sub(text.text.len().saturating_mul(uses))?;
            let mut put = expression.clone();
            for token in put.iter_mut().filter(|token| token.kind == Kind::Word && token.text == *parameter) {
                *token = text.clone();
            }
            let mut left = reduce_all(put);
            let first = left.pop()?;
            (left.is_empty() && first.kind == Kind::Text).then_some(first)
        }
        Own::Xor(key) => {
            let (inside, key) = match key {
                Some(key) => (inside, *key),
                None => {
                    let list = parts(inside);
                    let [numbers, [key]] = list[..] else { return None };
                    (numbers, key.text.parse().ok()?)
                }
            };
            let numbers = inside.iter().filter(|token| token.kind == Kind::Number);
            let others = inside.iter().filter(|token| token.kind != Kind::Number);
            let is_list = |token: &Token| {
                token.kind == Kind::Line
                    || [",", "{", "}", "(", ")", "[", "]"].iter().any(|sign| token.is(sign))
                    || ["new", "byte", "int", "array"].iter().any(|word| token.is_word(word))
            };
            let letters: Option<String> = numbers
                .map(|number| {
                    let code = number.text.parse::<u32>().ok()? ^ key;
                    u8::try_from(code).ok().filter(|byte| (b' '..=b'~').contains(byte)).map(char::from)
                })
                .collect();
            let text = letters.filter(|letters| letters.len() >= 2 && others.into_iter().all(is_list))?;
            Some(Token { is_packed: true, ..Token::new(Kind::Text, text, 0) })
        }
    }
}

/// By name, in lower case.
fn functions(tokens: &[Token]) -> HashMap<String, Own> {
    let mut found = HashMap::new();
    for (at, token) in tokens.iter().enumerate() {
        if found.len() >= FUNCTIONS_MAX {
            break;
        }
        let own = if token.is("(") && at > 0 && tokens[at - 1].kind == Kind::Word {
            with_body(tokens, at).map(|own| (tokens[at - 1].text.to_ascii_lowercase(), own))
        } else if token.is("=>") || token.is("->") || token.is_word("lambda") {
            arrow(tokens, at)
        } else {
            None
        };
        found.extend(own);
    }
    found
}

/// `name(parameter) { return expression; }`, and how Visual Basic and Python write it; `at` is its bracket.
fn with_body(tokens: &[Token], at: usize) -> Option<Own> {
    let list = within(&tokens[at..]);
    let name = &tokens[at - 1];
    let rest = tokens.get(at + list.len() + 2..)?;
    let body = rest.get(..rest.len().min(BODY_TOKENS_MAX))?;
    let before = at.checked_sub(2).map(|before| &tokens[before])?;
    let is_vb = before.is_word("function");
    let is_definition = body.first().is_some_and(|first| first.is("{"))
        || (is_vb && body.first().is_some_and(|first| first.is_word("as") || first.kind == Kind::Line))
        || (before.is_word("def") && body.first().is_some_and(|first| first.is(":")));
    if !is_definition || list.len() > 12 {
        return None;
    }
    let end = body.iter().position(|token| token.is_word("function") && is_vb).unwrap_or(body.len());
    let body = if body[0].is("{") { within(body) } else { &body[..end] };
    let parameter = parts(list).first().and_then(|part| parameter(part))?;
    let single = parts(list).len() == 1;
    let given = body.iter().position(|token| token.is_word("return")).map(|at| at + 1).or_else(|| {
        let set = |pair: &[Token]| pair[0].text.eq_ignore_ascii_case(&name.text) && pair[1].is("=");
        body.windows(2).position(set).map(|at| at + 2)
    });
    let given = given.unwrap_or(body.len());
    let expression = expression(body.get(given..)?);
    // Nothing stands before what it gives back but the type.
    let is_plain =
        body[..given].iter().all(|token| token.kind != Kind::Sign || ["{", ":", "="].contains(&&*token.text));
    if single && is_plain && expression.iter().any(|token| token.text == parameter) {
        return Some(Own::Expression(parameter, expression.to_vec()));
    }
    let key = body.windows(2).find_map(|pair| {
        let is_xor = pair[0].is("^") || pair[0].is("^=") || pair[0].is_word("xor");
        pair[1].text.parse().ok().filter(|_| is_xor && pair[1].kind == Kind::Number)
    });
    // ColdFusion's `bitXor(a[i], 9)`.
    let called = || {
        let at = body.iter().position(|token| token.is_word("bitxor"))?;
        let last = parts(within(body.get(at + 1..)?)).last().copied()?;
        last.first()?.text.parse().ok().filter(|_| last.len() == 1)
    };
    let second = parts(list).get(1).and_then(|part| self::parameter(part));
    let by_argument = second.filter(|second| {
        body.windows(2).any(|pair| (pair[0].is("^") || pair[0].is_word("xor")) && pair[1].text == *second)
    });
    key.or_else(called).map(|key| Own::Xor(Some(key))).or(by_argument.map(|_| Own::Xor(None)))
}

/// `d = x => expression`, `$d = fn($x) => expression`, `d = lambda x: expression`.
fn arrow(tokens: &[Token], at: usize) -> Option<(String, Own)> {
    let (assigned, parameter, from) = if tokens[at].is_word("lambda") {
        (at.checked_sub(1)?, tokens.get(at + 1)?, at + 3)
    } else {
        let window = &tokens[at.saturating_sub(8)..at];
        let assigned = at - window.len() + window.iter().rposition(|token| token.is("="))?;
        (assigned, tokens[assigned + 1..at].iter().rfind(|token| token.kind == Kind::Word)?, at + 1)
    };
    let name = tokens.get(assigned.checked_sub(1)?).filter(|name| name.kind == Kind::Word)?;
    if !tokens[assigned].is("=") || parameter.kind != Kind::Word {
        return None;
    }
    let expression = expression(tokens.get(from..)?);
    let uses = expression.iter().any(|token| token.text == parameter.text);
    uses.then(|| {
        (name.text.to_ascii_lowercase(), Own::Expression(parameter.text.clone(), expression.to_vec()))
    })
}

fn parameter(part: &[Token]) -> Option<String> {
    let end = part.iter().position(|token| token.is("=") || token.is(":") || token.is_word("as"));
    let part = &part[..end.unwrap_or(part.len())];
    part.iter().rfind(|token| token.kind == Kind::Word).map(|name| name.text.clone())
}

/// Up to where a statement ends.
fn expression(tokens: &[Token]) -> &[Token] {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().take(EXPRESSION_TOKENS_MAX) {
        match token.text.as_str() {
            "(" | "[" | "{" if token.kind == Kind::Sign => depth += 1,
            ")" | "]" | "}" if token.kind == Kind::Sign && depth == 0 => return &tokens[..index],
            ")" | "]" | "}" if token.kind == Kind::Sign => depth -= 1,
            ";" | "," if token.kind == Kind::Sign && depth == 0 => return &tokens[..index],
            _ if matches!(token.kind, Kind::Line | Kind::Edge) && depth == 0 => return &tokens[..index],
            _ => {}
        }
    }
    &[]
}
