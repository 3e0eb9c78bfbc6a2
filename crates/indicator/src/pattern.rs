//! STIX patterns, as far as one record can answer them.
//!
//! What is taken: equality, `IN` and `ISSUBSET` on addresses, domains, URLs,
//! hashes, names, paths and user agents, joined by `AND` and `OR` within one
//! observation, and observations joined by `OR`. Everything else is refused
//! with its reason: a pattern is never widened to fit.

use crate::kind::{Kind, Said, plain_name};
use crate::value::{self, Normal};

/// Brackets within each other.
const DEPTH_MAX: usize = 32;
/// Ways in which a pattern may hold.
const CHOICES_MAX: usize = 1_000;

/// Values that one record must show together, or why this way of holding
/// cannot be taken.
pub(crate) type Choice = Result<Vec<Normal>, String>;

/// The ways in which a pattern holds.
///
/// # Errors
/// When it is no pattern, or needs several records at once.
pub(crate) fn parse(text: &str) -> Result<Vec<Choice>, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, depth: 0 };
    let choices = parser.observations()?;
    if let Some(token) = parser.tokens.first() {
        return Err(format!("not taken: `{}` in a pattern needs more than one record", token.show()));
    }
    Ok(choices.into_iter().flat_map(simplify).collect())
}

/// Hashes of one file name the same content, so that each of them will do.
fn simplify(choice: Choice) -> Vec<Choice> {
    let is_hash = |value: &Normal| matches!(value.kind, Kind::Md5 | Kind::Sha1 | Kind::Sha256);
    match choice {
        Ok(values) if values.len() > 1 && values.iter().all(is_hash) => {
            values.into_iter().map(|value| Ok(vec![value])).collect()
        }
        other => vec![other],
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    /// `[ ] ( ) , = != < > <= >=`
    Sign(&'static str),
    Word(String),
    Text(String),
}

impl Token {
    fn show(&self) -> &str {
        match self {
            Token::Sign(sign) => sign,
            Token::Word(text) | Token::Text(text) => text,
        }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own.eq_ignore_ascii_case(word))
    }
}

const SIGNS: [&str; 11] = ["!=", "<=", ">=", "[", "]", "(", ")", ",", "=", "<", ">"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == '\'' {
            let (text, behind) = quoted(&rest[1..])?;
            tokens.push(Token::Text(text));
            rest = behind;
        } else {
            let (word, behind) = word(rest)?;
            tokens.push(Token::Word(word));
            rest = behind;
        }
        rest = rest.trim_start();
    }
    if tokens.is_empty() { Err("an indicator without a pattern".to_owned()) } else { Ok(tokens) }
}

/// The text up to the closing quote, `\` undone, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut own = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\'' => return Ok((own, &text[at + 1..])),
            '\\' => own.extend(letters.next().map(|(_, letter)| letter)),
            letter => own.push(letter),
        }
    }
    Err("no pattern: a quote is not closed".to_owned())
}

/// A word; an object path may hold quoted parts (`file:hashes.'SHA-256'`).
fn word(text: &str) -> Result<(String, &str), String> {
    let mut own = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if letter == '\'' && own.ends_with(['.', ':']) {
            let (part, behind) = quoted(&rest[1..])?;
            own.push_str(&part.replace('.', "-"));
            rest = behind;
        } else if letter == '[' {
            // An index into a list: `sections[*]`.
            let end = rest.find(']').ok_or("no pattern: a bracket is not closed")?;
            own.push_str(&rest[..=end]);
            rest = &rest[end + 1..];
        } else if letter.is_whitespace() || letter == '\'' || SIGNS.iter().any(|sign| rest.starts_with(*sign))
        {
            break;
        } else {
            own.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    if own.is_empty() { Err("no pattern".to_owned()) } else { Ok((own, rest)) }
}

struct Parser<'t> {
    tokens: &'t [Token],
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<&Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn eat(&mut self, is: impl Fn(&Token) -> bool) -> bool {
        let fits = self.tokens.first().is_some_and(is);
        if fits {
            self.tokens = &self.tokens[1..];
        }
        fits
    }

    fn sign(&mut self, sign: &str) -> bool {
        self.eat(|token| {
            *token == Token::Sign(SIGNS.iter().find(|own| **own == sign).copied().unwrap_or_default())
        })
    }

    fn wanted<T>(&self, what: &str) -> Result<T, String> {
        let found = self.tokens.first().map_or("its end", Token::show);
        Err(format!("no pattern: wanted {what}, found `{found}`"))
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(format!("brackets more than {DEPTH_MAX} deep")) } else { Ok(()) }
    }

    fn observations(&mut self) -> Result<Vec<Choice>, String> {
        self.deeper()?;
        let mut choices = Vec::new();
        loop {
            if self.sign("[") {
                choices.extend(self.any()?);
                if !self.sign("]") {
                    return self.wanted("`]`");
                }
            } else if self.sign("(") {
                choices.extend(self.observations()?);
                if !self.sign(")") {
                    return self.wanted("`)`");
                }
            } else {
                return self.wanted("`[`");
            }
            if choices.len() > CHOICES_MAX {
                return Err(format!("more than {CHOICES_MAX} ways to hold"));
            }
            if !self.eat(|token| token.is_word("OR")) {
                break;
            }
        }
        self.depth -= 1;
        Ok(choices)
    }

    fn any(&mut self) -> Result<Vec<Choice>, String> {
        self.deeper()?;
        let mut choices = self.every()?;
        while self.eat(|token| token.is_word("OR")) {
            choices.extend(self.every()?);
            if choices.len() > CHOICES_MAX {
                return Err(format!("more than {CHOICES_MAX} ways to hold"));
            }
        }
        self.depth -= 1;
        Ok(choices)
    }

    fn every(&mut self) -> Result<Vec<Choice>, String> {
        let mut choices = self.comparison()?;
        while self.eat(|token| token.is_word("AND")) {
            let others = self.comparison()?;
            if choices.len() * others.len() > CHOICES_MAX {
                return Err(format!("more than {CHOICES_MAX} ways to hold"));
            }
            choices =
                choices.iter().flat_map(|own| others.iter().map(move |other| both(own, other))).collect();
        }
        Ok(choices)
    }

    fn comparison(&mut self) -> Result<Vec<Choice>, String> {
        if self.sign("(") {
            let choices = self.any()?;
            return if self.sign(")") { Ok(choices) } else { self.wanted("`)`") };
        }
        let Some(Token::Word(path)) = self.next().cloned() else { return self.wanted("an object path") };
        let is_negated = self.eat(|token| token.is_word("NOT"));
        let Some(operator) = self.next().cloned() else { return self.wanted("an operator") };
        let mut values = Vec::new();
        if self.sign("(") {
            while !self.sign(")") {
                values.push(self.literal()?);
                self.sign(",");
            }
        } else {
            values.push(self.literal()?);
        }
        let known = ["=", "IN", "ISSUBSET"].iter().any(|known| operator.show().eq_ignore_ascii_case(known));
        if is_negated || !known {
            let operator = operator.show();
            return Ok(vec![Err(format!(
                "not taken: only equality can be looked up, not `{operator}` on `{path}`"
            ))]);
        }
        Ok(values.iter().map(|value| term(&path, value)).collect())
    }

    fn literal(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Text(text) | Token::Word(text)) => Ok(text.clone()),
            _ => self.wanted("a value"),
        }
    }
}

fn both(own: &Choice, other: &Choice) -> Choice {
    let (own, other) = (own.as_ref().map_err(Clone::clone)?, other.as_ref().map_err(Clone::clone)?);
    Ok(own.iter().chain(other).cloned().collect())
}

/// One comparison: a value of one of our kinds.
fn term(path: &str, text: &str) -> Choice {
    let not_taken = || format!("not taken: `{path}` is not looked at");
    let (object, property) = path.split_once(':').ok_or_else(not_taken)?;
    let last = property.rsplit('.').next().unwrap_or_default();
    let kind = match (object, property) {
        ("ipv4-addr" | "ipv6-addr", "value") => Kind::Address,
        ("domain-name", "value") => Kind::Domain,
        ("url", "value") => Kind::Url,
        ("directory", "path") | ("file", "parent_directory_ref.path") => Kind::Path,
        ("file" | "process", "name" | "image_ref.name" | "binary_ref.name") => Kind::FileName,
        ("network-traffic", "dst_ref.value" | "src_ref.value") => Kind::Domain,
        (_, property) if property.contains("hashes.") => match Said::parse(last) {
            Some(Said::Kind(kind @ (Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Imphash))) => kind,
            _ => return Err(not_taken()),
        },
        _ if plain_name(last) == "useragent" || (object == "user-agent" && property == "value") => {
            Kind::UserAgent
        }
        _ => return Err(not_taken()),
    };
    let value = value::parse(kind, text).map_err(|reason| format!("{reason}: {text}"))?;
    Ok(vec![value])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ways by `|`, values of a way by `&`, refusals by `!`.
    #[track_caller]
    fn check(pattern: &str, expect: &str) {
        let shown = match parse(pattern) {
            Err(reason) => format!("!! {reason}"),
            Ok(choices) => {
                let ways = choices.iter().map(|choice| match choice {
                    Err(_) => "!".to_owned(),
                    Ok(values) => {
                        let shown = values.iter().map(|own| value::show(own.kind, &own.bytes));
                        shown.collect::<Vec<_>>().join("&")
                    }
                });
                ways.collect::<Vec<_>>().join("|")
            }
        };
        assert!(
            shown.starts_with(expect) && (expect.starts_with("!!") || shown == expect),
            "{pattern}: {shown}"
        );
    }

    #[test]
    fn patterns() {
        check("[ipv4-addr:value = '192.0.2.1']", "192.0.2.1");
        check("[ipv4-addr:value ISSUBSET '192.0.2.0/24']", "192.0.2.0/24");
        check("[domain-name:value IN ('a.example', 'b.example')]", "a.example|b.example");
        check("[url:value='http://a.example/x\\'y'] OR [file:name = 'x.exe']", "!|x.exe");
        check(
            "[file:hashes.MD5 = '00000000000000000000000000000001' AND file:name = 'x.exe']",
            "00000000000000000000000000000001&x.exe",
        );
        check(
            "[file:hashes.'SHA-1' = '0000000000000000000000000000000000000001' AND file:hashes.MD5 = '00000000000000000000000000000001']",
            "0000000000000000000000000000000000000001|00000000000000000000000000000001",
        );
        check(
            "[(domain-name:value = 'a.example' OR domain-name:value = 'b.example') AND file:name = 'x.exe']",
            "a.example&x.exe|b.example&x.exe",
        );
        check("[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]", "!");
        check("[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'x/1']", "x/1");
        check("[file:size > 5]", "!");
        check(
            "[file:extensions.'windows-pebinary-ext'.sections[*].entropy = 7 OR file:name = 'x.exe']",
            "!|x.exe",
        );
        check("[domain-name:value NOT = 'a.example']", "!");
        check("[domain-name:value LIKE '%a.example']", "!");
        check("[ipv4-addr:value = '192.0.2.1'] AND [file:name = 'x.exe']", "!! not taken: `AND`");
        check(
            "[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [file:name = 'x.exe']",
            "!! not taken: `FOLLOWEDBY`",
        );
        check("[ipv4-addr:value = '192.0.2.1", "!! no pattern: a quote");
        check("[ipv4-addr:value]", "!! no pattern");
        check("", "!! an indicator without a pattern");
        check(&"(".repeat(10_000), "!! brackets more than");
        check(&"[(".repeat(10_000), "!! no pattern");
    }
}
