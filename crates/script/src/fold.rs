//! Constants put together: strings in pieces, character codes, packed text,
//! names that are set once and used later.
//!
//! Nothing is run: each reduction is a fixed table of well-known functions
//! over literals.

use crate::token::{Kind, Token};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

mod containers;
mod own;
mod unpack;

pub(crate) use unpack::second_stage;

/// Times that constants are put in the place of names.
const ROUNDS_MAX: usize = 4;
/// A constant longer than this is not copied to where its name stands.
const COPIED_BYTES_MAX: usize = 4_096;
/// Bytes that are copied so altogether.
const COPIES_BYTES_MAX: usize = 4 << 20;
/// A list of constants is at most so long.
const LIST_TOKENS_MAX: usize = 512;
/// Arguments of a call that are looked back over.
const ARGUMENTS_MAX: usize = 4_096;

/// Folds all constants of a script.
pub(crate) fn fold(tokens: Vec<Token>) -> Vec<Token> {
    let mut left = COPIES_BYTES_MAX;
    let tokens = reduce_all(reduce_lists(reduce_all(containers::replace(tokens, &mut left))));
    let mut tokens = reduce_all(own::inline(tokens, &mut left));
    for _ in 0..ROUNDS_MAX {
        let constants = constants(&tokens);
        if constants.is_empty() || !replace(&mut tokens, &constants, &mut left) {
            break;
        }
        tokens = reduce_all(own::inline(containers::replace(tokens, &mut left), &mut left));
    }
    tokens
}

fn reduce_all(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(mut token) = tokens.next() {
        // `"a" . "name"(…)`: the name is called, not joined.
        let joins = |last: &Token| [".", "+", "&"].iter().any(|sign| last.is(sign));
        if is_name(&token) && tokens.peek().is_some_and(|next| next.is("(")) && out.last().is_some_and(joins)
        {
            token.kind = Kind::Word;
        }
        // `"a" . "bcd"[1]`: the index binds closer.
        let is_indexed = token.kind == Kind::Text && tokens.peek().is_some_and(|next| next.is("["));
        out.push(token);
        while !is_indexed && reduce(&mut out) {}
    }
    out
}

/// `implode("", $list)`: the list in the place of its name, where it is set once.
fn reduce_lists(tokens: Vec<Token>) -> Vec<Token> {
    let joins = |token: &Token| ["implode", "join", "concat"].iter().any(|word| token.is_word(word));
    if !tokens.iter().any(joins) {
        return tokens;
    }
    let lists = lists(&tokens);
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let near = &out[out.len().saturating_sub(4)..];
        let list = lists.get(&token.text).filter(|_| token.kind == Kind::Word && near.iter().any(joins));
        match list {
            Some(Some(list)) => out.extend(list.iter().cloned()),
            _ => out.push(token),
        }
    }
    out
}

/// Lists of constants by the names they are given to; `None` where a name is given two.
fn lists(tokens: &[Token]) -> HashMap<String, Option<Vec<Token>>> {
    let mut lists = HashMap::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        if pair[0].kind != Kind::Word || !pair[1].is("=") {
            continue;
        }
        let opens = |token: &Token| ["(", "[", "{"].iter().any(|sign| token.is(sign));
        let value = &tokens[at + 2..];
        let begin = value.iter().take(5).position(opens).unwrap_or(0);
        // `new string[] { … }` opens twice.
        let end =
            value.iter().take(LIST_TOKENS_MAX).position(|token| token.is(";") || token.kind == Kind::Edge);
        let value = &value[..end.unwrap_or(0)];
        let is_constant = |token: &Token| {
            matches!(token.kind, Kind::Text | Kind::Number | Kind::Sign)
                || ["new", "string", "char", "array", "object"].iter().any(|word| token.is_word(word))
        };
        let list = (begin < value.len() && value.iter().all(is_constant)).then(|| value.to_vec());
        lists.entry(pair[0].text.clone()).and_modify(|known| *known = None).or_insert(list);
    }
    // `a(0) = "ev"`, `a(1) = "al"`.
    let mut elements: BTreeMap<&str, Vec<Token>> = BTreeMap::new();
    for part in tokens.windows(6) {
        let [name, open, index, close, sign, value] = part else { continue };
        let is_indexed = (open.is("(") && close.is(")")) || (open.is("[") && close.is("]"));
        if name.kind == Kind::Word
            && is_indexed
            && index.kind == Kind::Number
            && sign.is("=")
            && value.kind == Kind::Text
        {
            let list = elements.entry(&name.text).or_default();
            if list.len() < LIST_TOKENS_MAX {
                list.extend([
                    Token::new(Kind::Sign, if list.is_empty() { "(" } else { "," }, value.at),
                    value.clone(),
                ]);
            }
        }
    }
    for (name, mut list) in elements {
        list.push(Token::new(Kind::Sign, ")", 0));
        lists.entry(name.to_owned()).or_insert(Some(list));
    }
    lists
}

/// Reduces what stands at the end of `out`; false when nothing could be.
fn reduce(out: &mut Vec<Token>) -> bool {
    let Some(last) = out.last() else { return false };
    match last.kind {
        Kind::Text => join(out) || inverted(out),
        Kind::Number => cast(out),
        Kind::Sign if last.is(")") => call(out),
        Kind::Sign if last.is("(") => called_by_text(out),
        Kind::Sign if last.is("}") || last.is("]") => indexed(out) || variable(out) || global(out),
        _ => false,
    }
}

/// `"a" + "b"`, `"a" & "b"`, `'a' . 'b'`.
fn join(out: &mut Vec<Token>) -> bool {
    let [.., first, sign, second] = &out[..] else { return false };
    let joins = sign.is("+") || sign.is("&") || sign.is(".") || sign.is("||");
    if !joins || first.kind != Kind::Text {
        return false;
    }
    let is_packed = first.is_packed || second.is_packed;
    let token = Token { text: format!("{}{}", first.text, second.text), is_packed, ..first.clone() };
    out.truncate(out.len() - 3);
    out.push(token);
    true
}

/// PHP's `~"…"` and `"…" ^ "…"`, by which names are hidden in bytes.
fn inverted(out: &mut Vec<Token>) -> bool {
    let latin =
        |token: &Token| token.text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
    let text = |bytes: Vec<u8>| -> Option<String> {
        let is_plain = bytes.len() >= 2 && bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
        is_plain.then(|| bytes.into_iter().map(char::from).collect())
    };
    let (length, found) = match &out[..] {
        [.., sign, last] if sign.is("~") => {
            let bytes: Option<Vec<u8>> = latin(last);
            (2, bytes.and_then(|bytes| text(bytes.into_iter().map(|byte| !byte).collect())))
        }
        [.., first, sign, last] if sign.is("^") && first.kind == Kind::Text => {
            let bytes: Option<(Vec<u8>, Vec<u8>)> = latin(first).zip(latin(last));
            (3, bytes.and_then(|(one, other)| text(one.iter().zip(&other).map(|(a, b)| a ^ b).collect())))
        }
        _ => return false,
    };
    let (Some(text), Some(last)) = (found, out.last()) else { return false };
    let token = Token { text, is_packed: true, ..last.clone() };
    out.truncate(out.len() - length);
    out.push(token);
    true
}

/// `(char)101`.
fn cast(out: &mut Vec<Token>) -> bool {
    let [.., open, word, close, number] = &out[..] else { return false };
    if !(open.is("(") && word.is_word("char") && close.is(")")) {
        return false;
    }
    let Some(letter) = unpack::letter(&number.text) else { return false };
    let token = Token::new(Kind::Text, letter, number.at);
    out.truncate(out.len() - 4);
    out.push(token);
    true
}

/// A call, or a pair of brackets, with constants in it.
fn call(out: &mut Vec<Token>) -> bool {
    let Some(open) = opening(out) else { return false };
    let arguments = &out[open + 1..out.len() - 1];
    let before = open.checked_sub(1).map(|before| &out[before]);
    let function =
        before.filter(|before| before.kind == Kind::Word).map(|before| before.text.to_ascii_lowercase());
    let Some(function) = function else {
        // Brackets alone, around one string.
        let [text] = arguments else { return false };
        if text.kind != Kind::Text {
            return false;
        }
        let text = text.clone();
        out.truncate(open);
        out.push(text);
        return true;
    };
    let at = out[open - 1].at;
    // "…".Replace("a", "b"): the string before the dot is an argument, too.
    let receiver = match out.get(..open - 1) {
        Some([.., text, dot]) if dot.is(".") && text.kind == Kind::Text => Some(text.clone()),
        _ => None,
    };
    if function == "getattr" {
        return attribute(out, open);
    }
    if arguments.is_empty()
        && let Some(text) = &receiver
        && ["decode", "encode", "strip", "tostring", "trim"].contains(&&*function)
    {
        // Python's `b"…".decode()`.
        out.truncate(open - 3);
        out.push(text.clone());
        return true;
    }
    if receiver.is_none() && is_method_of_another(&function, &out[..open - 1]) {
        return false;
    }
    let Some(result) = unpack::call(&function, receiver.as_ref(), arguments) else { return false };
    out.truncate(open - 1);
    if receiver.is_some() {
        out.truncate(out.len() - 2);
    } else {
        drop_path(out);
    }
    out.push(Token { kind: Kind::Text, text: result.text, at, is_packed: result.is_packed });
    true
}

/// Whether a method is asked of something that is no constant: `out.toString("UTF-8")` is not "UTF-8".
fn is_method_of_another(function: &str, before: &[Token]) -> bool {
    const METHODS: &[&str] =
        &["tostring", "trim", "replace", "substring", "tolower", "toupper", "tochararray", "concat"];
    let [.., object, dot] = before else { return false };
    dot.is(".") && METHODS.contains(&function) && !object.is_word("string") && !object.is_word("convert")
}

/// `getattr(os, "popen")`: the attribute itself.
fn attribute(out: &mut Vec<Token>, open: usize) -> bool {
    let [object @ .., comma, name, _] = &out[open + 1..] else { return false };
    let is_plain = object.iter().all(|token| token.kind == Kind::Word || token.is("."));
    if !comma.is(",") || !is_name(name) || object.is_empty() || !is_plain {
        return false;
    }
    let mut own = object.to_vec();
    own.push(Token::new(Kind::Sign, ".", name.at));
    own.push(Token { kind: Kind::Word, ..name.clone() });
    out.truncate(open - 1);
    out.extend(own);
    true
}

/// `System.Text.Encoding.UTF8.` before a function that is gone.
fn drop_path(out: &mut Vec<Token>) {
    while let [.., word, sign] = &out[..]
        && (sign.is(".") || sign.is("::"))
        && (word.kind == Kind::Word || word.is(")"))
        // PHP's dot joins.
        && !word.text.starts_with('$')
    {
        if word.is(")") {
            // `Base64.getDecoder().decode(…)`.
            let Some(open) = opening(&out[..out.len() - 1]) else { return };
            if out[open..].iter().any(|token| token.text.starts_with('$')) {
                return;
            }
            out.pop();
            out.truncate(open.saturating_sub(1));
        } else {
            out.truncate(out.len() - 2);
        }
    }
    if out.last().is_some_and(|last| last.is_word("new")) {
        out.pop();
    }
}

/// Where the bracket opens that the last token closes.
fn opening(out: &[Token]) -> Option<usize> {
    let mut depth = 0usize;
    let floor = out.len().saturating_sub(ARGUMENTS_MAX);
    for (index, token) in out.iter().enumerate().skip(floor).rev() {
        if token.is(")") {
            depth += 1;
        } else if token.is("(") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index);
            }
        } else if token.kind == Kind::Edge {
            return None;
        }
    }
    None
}

/// `"system"(`: a function called by its name in a string; `x["eval"](`.
fn called_by_text(out: &mut Vec<Token>) -> bool {
    match &out[..] {
        [.., before, text, _]
            if is_name(text) && (before.kind != Kind::Word || is_keyword(before)) && !before.is(")") =>
        {
            let at = out.len() - 2;
            out[at].kind = Kind::Word;
            true
        }
        [.., object, open, text, close, _]
            if open.is("[") && close.is("]") && is_name(text) && object.kind == Kind::Word =>
        {
            let at = out.len() - 4;
            out[at].text = ".".to_owned();
            out[at + 1].kind = Kind::Word;
            out.remove(at + 2);
            true
        }
        _ => false,
    }
}

/// `"abcdef"[3]`.
fn indexed(out: &mut Vec<Token>) -> bool {
    let [.., text, open, number, close] = &out[..] else { return false };
    let opens = (open.is("[") && close.is("]")) || (open.is("{") && close.is("}"));
    if text.kind != Kind::Text || !opens || number.kind != Kind::Number {
        return false;
    }
    let letter = number.text.parse().ok().and_then(|at: usize| text.text.chars().nth(at));
    let Some(letter) = letter else { return false };
    let token = Token { text: letter.to_string(), ..text.clone() };
    out.truncate(out.len() - 4);
    out.push(token);
    true
}

/// `${"_GET"}` and `$GLOBALS["_GET"]`.
fn variable(out: &mut Vec<Token>) -> bool {
    let [.., name, open, text, _] = &out[..] else { return false };
    let is_variable = (name.text == "$" && open.is("{")) || (name.text == "$GLOBALS" && open.is("["));
    if !is_variable || !is_name(text) || name.kind != Kind::Word {
        return false;
    }
    let token = Token::new(Kind::Word, format!("${}", text.text), name.at);
    out.truncate(out.len() - 4);
    out.push(token);
    true
}

/// `this["eval"]`, `window["x"]`: a function by its name.
fn global(out: &mut Vec<Token>) -> bool {
    let [.., object, open, text, _] = &out[..] else { return false };
    let is_global = ["this", "window", "globalthis", "self"].iter().any(|own| object.is_word(own));
    if !is_global
        || !open.is("[")
        || !is_name(text)
        || !["eval", "execScript", "Function"].contains(&&*text.text)
    {
        return false;
    }
    let token = Token { kind: Kind::Word, ..text.clone() };
    out.truncate(out.len() - 4);
    out.push(token);
    true
}

fn is_name(token: &Token) -> bool {
    token.kind == Kind::Text
        && (2..64).contains(&token.text.len())
        && token.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !token.text.starts_with(|first: char| first.is_ascii_digit())
}

/// Names that hold one constant throughout: set once, then only added to.
fn constants(tokens: &[Token]) -> HashMap<String, Token> {
    let mut known: HashMap<&str, Option<Token>> = HashMap::new();
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word) {
        let Some(sign) = tokens.get(index + 1) else { break };
        let adds = sign.is("+=") || sign.is(".=") || sign.is("&=");
        let sets = sign.is("=") || adds || sign.is(":=");
        let is_member =
            index.checked_sub(1).is_some_and(|before| tokens[before].is(".") || tokens[before].is("->"));
        if !sets || is_member {
            continue;
        }
        let value = tokens.get(index + 2).filter(|value| value.kind == Kind::Text);
        let ends = tokens
            .get(index + 3)
            .is_none_or(|end| matches!(end.kind, Kind::Line | Kind::Edge) || end.is(";") || end.is(","));
        let value = value.filter(|_| ends).cloned();
        let entry = known.entry(&token.text);
        match (entry, value) {
            (Entry::Vacant(entry), value) => {
                entry.insert(value.filter(|_| !adds));
            }
            (Entry::Occupied(mut entry), Some(value)) if adds => {
                if let Some(all) = entry.get_mut() {
                    all.text.push_str(&value.text);
                    all.is_packed |= value.is_packed;
                }
            }
            (Entry::Occupied(mut entry), _) => {
                entry.insert(None);
            }
        }
    }
    let short = |value: Option<Token>| value.filter(|value| value.text.len() <= COPIED_BYTES_MAX);
    known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), short(value)?))).collect()
}

/// Puts constants in the place of their names; false when there was none.
fn replace(tokens: &mut [Token], constants: &HashMap<String, Token>, left: &mut usize) -> bool {
    let mut changed = false;
    for index in 0..tokens.len() {
        let token = &tokens[index];
        if token.kind != Kind::Word {
            continue;
        }
        let after = tokens.get(index + 1);
        let is_set =
            after.is_some_and(|after| ["=", "+=", ".=", "&=", ":="].iter().any(|sign| after.is(sign)));
        let before = index.checked_sub(1).map(|before| &tokens[before]);
        let is_member = before.is_some_and(|before| {
            before.is(".") && before.text == "." && !token.text.starts_with('$')
                || before.is("->")
                || before.kind == Kind::Word && !is_keyword(before)
        });
        if is_set || is_member {
            continue;
        }
        // `$$name`: the constant is itself a name.
        if let Some(value) = token
            .text
            .strip_prefix('$')
            .and_then(|name| constants.get(name))
            .filter(|_| token.text.starts_with("$$"))
        {
            tokens[index].text = format!("${}", value.text);
            changed = true;
            continue;
        }
        let Some(value) = constants.get(&token.text) else { continue };
        let Some(rest) = left.checked_sub(value.text.len()) else { return changed };
        *left = rest;
        tokens[index] = Token { at: token.at, ..value.clone() };
        changed = true;
    }
    changed
}

/// Words that a value may follow.
fn is_keyword(token: &Token) -> bool {
    [
        "return",
        "echo",
        "print",
        "eval",
        "execute",
        "executeglobal",
        "include",
        "require",
        "new",
        "in",
        "and",
        "or",
        "not",
        "then",
        "else",
        "case",
        "assert",
    ]
    .iter()
    .any(|word| token.is_word(word))
}
