//! What a statement gives to which names.

use crate::token::{Kind, Token};

/// Targets and values of a statement.
pub(crate) fn assignments(tokens: &[Token], is_vb: bool) -> Vec<(&[Token], &[Token])> {
    let mut from = 0;
    if is_vb
        && tokens.first().is_some_and(|first| {
            ["if", "elseif", "while", "do", "until"].iter().any(|word| first.is_word(word))
        })
    {
        // `If a = b Then c = d`.
        match tokens.iter().position(|token| token.is_word("then")) {
            Some(then) => from = then + 1,
            None => return Vec::new(),
        }
    }
    if !is_vb {
        from = after_control(tokens);
    }
    let is_sign = |token: &Token| ["=", "+=", ".=", "&=", ":="].iter().any(|sign| token.is(sign));
    let mut all = Vec::new();
    let mut depth = 0usize;
    for at in from..tokens.len() {
        match tokens[at].text.as_str() {
            "(" | "[" | "{" if tokens[at].kind == Kind::Sign => depth += 1,
            ")" | "]" | "}" if tokens[at].kind == Kind::Sign => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !is_sign(&tokens[at]) {
            continue;
        }
        all.push((&tokens[from..at], value(&tokens[at + 1..])));
        if is_vb && depth == 0 {
            break;
        }
    }
    all
}

/// Where `if (…) foreach (…) x = y` begins to do something; loops that set names of their own begin at once.
fn after_control(tokens: &[Token]) -> usize {
    let mut from = 0;
    while let Some(word) = tokens.get(from) {
        let is_control = ["if", "elseif", "while", "foreach"].iter().any(|own| word.is_word(own));
        if word.is_word("else") {
            from += 1;
        } else if is_control && tokens.get(from + 1).is_some_and(|open| open.is("(")) {
            let end = from + crate::statement::within(&tokens[from + 1..]).len() + 3;
            // `while ((line = read()) != null)` is all there is of the statement, or sets a name in its head.
            let sets = tokens[from..end.min(tokens.len())].iter().any(|token| token.is("="));
            if end >= tokens.len() || sets {
                break;
            }
            from = end;
        } else {
            break;
        }
    }
    from
}

/// The expression that a value begins with.
fn value(tokens: &[Token]) -> &[Token] {
    // Perl's operators take the rest of the list, without brackets.
    let takes_list = ["split", "join", "map", "grep", "sort", "reverse", "unpack", "sprintf"];
    if let [first, second, ..] = tokens
        && takes_list.iter().any(|word| first.is_word(word))
        && !second.is("(")
    {
        return tokens;
    }
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Sign) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return &tokens[..index],
            },
            "," | ";" if depth == 0 => return &tokens[..index],
            // What a choice is made by is none of what is chosen.
            "?" if depth == 0 => return value(&tokens[index + 1..]),
            _ => {}
        }
    }
    tokens
}

/// The names that a value is given to, and whether they are declared so.
pub(crate) fn targets(target: &[Token]) -> Vec<(&str, bool)> {
    let mut at = target.len();
    let mut name = None;
    while let Some(last) = at.checked_sub(1).map(|last| &target[last]) {
        if last.is("]") || last.is(")") || last.is("}") {
            let open = opening(&target[..at]);
            let words = target[open..at].iter().filter(|token| token.kind == Kind::Word);
            let before = open.checked_sub(1).map(|before| &target[before]);
            if before.is_none_or(|before| before.kind != Kind::Word)
                || before.is_some_and(|before| {
                    ["list", "my", "our", "local"].iter().any(|word| before.is_word(word))
                })
            {
                // `[$a, $b] =`, `list($a, $b) =`.
                return words.map(|word| (word.text.as_str(), true)).collect();
            }
            at = open;
            continue;
        }
        if last.kind != Kind::Word {
            break;
        }
        let is_self = ["this", "me", "self", "$this"].iter().any(|own| last.is_word(own));
        if !is_self {
            name = Some(at - 1);
        }
        match at.checked_sub(2).map(|dot| &target[dot]) {
            Some(dot) if dot.is(".") || dot.is("->") || dot.is("::") => at -= 2,
            _ => break,
        }
    }
    // `Dim c As String = x` names what stands before `As`.
    if let Some(end) = target.iter().position(|token| token.is_word("as")) {
        // `Dim raw() As Byte`.
        let named = target[..end].iter().rfind(|token| token.kind == Kind::Word);
        return named.map(|name| (name.text.as_str(), true)).into_iter().collect();
    }
    // JScript's `var a : Object[] = x` names what stands before the colon.
    if let [var, name, colon, ..] = target
        && ["var", "let", "const"].iter().any(|word| var.is_word(word))
        && colon.is(":")
    {
        return vec![(name.text.as_str(), true)];
    }
    let Some(name) = name else { return Vec::new() };
    let before = name.checked_sub(1).map(|before| &target[before]);
    let is_declared = name + 1 == target.len()
        && before.is_some_and(|before| {
            (before.kind == Kind::Word
                && !before.is_word("set")
                && !before.is_word("let")
                && !before.is_word("then"))
                || before.is("]")
                || before.is(">")
        });
    vec![(target[name].text.as_str(), is_declared)]
}

fn opening(tokens: &[Token]) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().rev().filter(|(_, token)| token.kind == Kind::Sign) {
        match token.text.as_str() {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index;
                }
            }
            _ => {}
        }
    }
    0
}

/// Names and list of `foreach (x in list)`, `foreach (list as k => v)`, `for (T x : list)`.
pub(crate) fn each(tokens: &[Token]) -> Option<(Vec<&Token>, &[Token])> {
    let first = tokens.first()?;
    if !["foreach", "for"].iter().any(|word| first.is_word(word)) {
        return None;
    }
    if let Some(at) = tokens.iter().position(|token| token.is_word("as")) {
        let names = tokens[at + 1..].iter().take_while(|token| !token.is(")"));
        let names = names.filter(|token| token.kind == Kind::Word).collect();
        return Some((names, &tokens[1..at]));
    }
    let at = tokens.iter().position(|token| token.is_word("in") || token.is(":"))?;
    let name = tokens[..at].iter().rfind(|token| token.kind == Kind::Word)?;
    Some((vec![name], value(&tokens[at + 1..])))
}
