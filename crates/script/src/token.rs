//! Words, strings, numbers and signs of the languages that servers run.

use crate::decode::Units;
use crate::region::Page;
use std::ops::Range;

/// A string is at most so long; what is longer is cut.
const STRING_UNITS_MAX: usize = 256 * 1024;
/// What Perl runs in `qx{…}` is at most so long.
const RUN_UNITS_MAX: usize = 8_192;

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A name or keyword.
    Word,
    /// A string, its escapes undone; [`Token::text`] is what it holds.
    Text,
    Number,
    Sign,
    /// The end of a line.
    Line,
    /// The end of a part of the page.
    Edge,
}

/// One token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    /// Where it begins in the file.
    pub(crate) at: u32,
    /// A string that was packed (base64, deflate, reversed): somebody hid it.
    pub(crate) is_packed: bool,
}

impl Token {
    pub(crate) fn new(kind: Kind, text: impl Into<String>, at: u32) -> Self {
        Self { kind, text: text.into(), at, is_packed: false }
    }

    pub(crate) fn edge(at: u32) -> Self {
        Self::new(Kind::Edge, "", at)
    }

    pub(crate) fn is(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// Whether it is the word (lower case), without regard to case.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// Signs of several letters, longest first.
const SIGNS: &[&str] = &[
    "===", "!==", "<<<", "...", "?->", "==", "!=", "<=", ">=", "<>", "=>", "->", "::", "+=", "-=", ".=",
    "&=", "|=", "*=", "&&", "||", "??", ":=",
];

/// Adds the tokens of a part of the page.
pub(crate) fn tokenize(units: &Units, region: Range<usize>, page: &Page, into: &mut Vec<Token>) {
    let end = region.end.min(units.bytes.len());
    let mut reader = Reader { units, page, end, at: region.start };
    while reader.at < reader.end {
        // PHP and Perl run what stands between backquotes.
        let is_start = into.last().is_none_or(|last| !last.is("->") && !last.is("::"));
        let quoted = if page.is_php && is_start { reader.perl_run() } else { None };
        let runs = quoted.is_some() || (page.is_php && reader.byte(0) == Some(b'`'));
        let Some(token) = quoted.or_else(|| reader.next()) else { continue };
        if runs {
            let around = |kind, text: &str| Token::new(kind, text, token.at);
            into.extend([around(Kind::Word, "shell_exec"), around(Kind::Sign, "("), token.clone()]);
            into.push(around(Kind::Sign, ")"));
        } else {
            into.push(token);
        }
    }
}

struct Reader<'a> {
    units: &'a Units,
    page: &'a Page,
    end: usize,
    at: usize,
}

impl Reader<'_> {
    fn byte(&self, ahead: usize) -> Option<u8> {
        let at = self.at + ahead;
        if at < self.end { self.units.bytes.get(at).copied() } else { None }
    }

    fn token(&self, kind: Kind, text: String, from: usize) -> Option<Token> {
        Some(Token::new(kind, text, self.units.offset(from)))
    }

    /// Takes what stands next; `None` for blanks and comments.
    fn next(&mut self) -> Option<Token> {
        let from = self.at;
        let byte = self.byte(0)?;
        match byte {
            b'\n' => {
                self.at += 1;
                self.token(Kind::Line, String::new(), from)
            }
            _ if byte.is_ascii_whitespace() => {
                self.at += 1;
                None
            }
            b'/' if self.byte(1) == Some(b'*') => {
                self.at = self.units.find("*/", from + 2, self.end).map_or(self.end, |at| at + 2);
                None
            }
            b'/' if self.byte(1) == Some(b'/') && !self.page.is_vb => self.skip_line(),
            b'#' if self.page.is_php && self.byte(1) != Some(b'[') => self.skip_line(),
            b'\'' if self.page.is_vb => self.skip_line(),
            b'<' if self.units.starts_with(from, "<![cdata[") => {
                self.at += 9;
                None
            }
            b']' if self.units.starts_with(from, "]]>") => {
                self.at += 3;
                None
            }
            b'<' if self.page.is_php && self.units.starts_with(from, "<<<") => {
                self.heredoc().or_else(|| self.sign())
            }
            b'"' | b'\'' | b'`' => self.string(byte, false),
            b'@' if self.byte(1) == Some(b'"') => {
                self.at += 1;
                self.string(b'"', true)
            }
            b'$' if self.byte(1) == Some(b'"') => {
                self.at += 1;
                self.string(b'"', false)
            }
            b'0'..=b'9' => self.number(),
            _ if is_name(byte) || byte == b'\\' || byte == b'&' => self.word(),
            _ => self.sign(),
        }
    }

    /// PHP's `<<<NAME`, up to a line that begins with the name; with names to be filled in, unless it is quoted.
    fn heredoc(&mut self) -> Option<Token> {
        let from = self.at;
        let rest = self.units.bytes.get(from + 3..self.end)?;
        let line = rest.iter().position(|byte| *byte == b'\n')?;
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b' ' | b'\r');
        let name: Vec<u8> = rest[..line].iter().copied().filter(|byte| !is_quote(byte)).collect();
        if name.is_empty() || !name.iter().all(|byte| is_name(*byte)) {
            return None;
        }
        let body = &rest[line + 1..];
        let mut at = 0;
        let end = loop {
            let blanks = body[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if body[at + blanks..].starts_with(&name) {
                self.at = from + 3 + line + 1 + at + blanks + name.len();
                break at;
            }
            match body[at..].iter().position(|byte| *byte == b'\n') {
                Some(next) => at += next + 1,
                None => {
                    self.at = self.end;
                    break body.len();
                }
            }
        };
        let text = body[..end.min(STRING_UNITS_MAX)].iter().map(|byte| char::from(*byte)).collect();
        self.token(Kind::Text, text, from)
    }

    /// What Perl runs by another name of its backquotes: `qx{…}`.
    fn perl_run(&mut self) -> Option<Token> {
        let is_qx = self.byte(0) == Some(b'q') && self.byte(1) == Some(b'x');
        let before = self.at.checked_sub(1).and_then(|at| self.units.bytes.get(at));
        if !is_qx || before.is_some_and(|byte| is_name(*byte)) {
            return None;
        }
        let blanks = (2..10).take_while(|ahead| self.byte(*ahead) == Some(b' ')).count();
        let close = match self.byte(2 + blanks)? {
            b'{' => b'}',
            b'(' => b')',
            b'[' => b']',
            b'<' => b'>',
            other @ (b'/' | b'|' | b'!' | b'\'' | b'"' | b'~') => other,
            _ => return None,
        };
        let from = self.at;
        let begin = from + 3 + blanks;
        let rest = self.units.bytes.get(begin..self.end)?;
        let length = rest.iter().take(RUN_UNITS_MAX).position(|byte| *byte == close)?;
        self.at = begin + length + 1;
        let text = self.units.bytes[begin..begin + length].iter().map(|byte| char::from(*byte)).collect();
        self.token(Kind::Text, text, from)
    }

    fn skip_line(&mut self) -> Option<Token> {
        while self.byte(0).is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
        None
    }

    fn number(&mut self) -> Option<Token> {
        let from = self.at;
        while self.byte(0).is_some_and(|byte| byte.is_ascii_alphanumeric()) {
            self.at += 1;
        }
        let text = String::from_utf8_lossy(&self.units.bytes[from..self.at]).into_owned();
        self.token(Kind::Number, text, from)
    }

    fn word(&mut self) -> Option<Token> {
        let from = self.at;
        let mut text = String::new();
        while let Some(byte) = self.byte(0) {
            if is_name(byte) {
                text.push(char::from(byte));
                self.at += 1;
            } else if let Some((letter, length)) = self.escape().filter(|(letter, _)| is_name(*letter)) {
                text.push(char::from(letter));
                self.at += length;
            } else {
                break;
            }
        }
        if text.is_empty() {
            return self.sign();
        }
        self.token(Kind::Word, text, from)
    }

    /// `\u0065`, `\U00000065`, `\u{65}`, `\x65`, `&#x65;`, `&#101;`.
    fn escape(&self) -> Option<(u8, usize)> {
        let digits = |from: usize, max: usize, radix: u32| {
            let length = (0..max)
                .take_while(|index| {
                    self.byte(from + index).is_some_and(|byte| char::from(byte).is_digit(radix))
                })
                .count();
            let text = self.units.bytes.get(self.at + from..self.at + from + length)?;
            let code = u32::from_str_radix(std::str::from_utf8(text).ok()?, radix).ok()?;
            Some((u8::try_from(code).ok()?, length))
        };
        match (self.byte(0)?, self.byte(1)?) {
            (b'\\', b'u') => {
                // Java lets the letter stand as often as one likes.
                let more = (1..8).take_while(|index| self.byte(*index) == Some(b'u')).count();
                if self.byte(1 + more) == Some(b'{') {
                    let (code, length) = digits(2 + more, 6, 16)?;
                    return Some((code, 3 + more + length));
                }
                digits(1 + more, 4, 16)
                    .filter(|(_, length)| *length == 4)
                    .map(|(code, length)| (code, 1 + more + length))
            }
            (b'\\', b'U') => {
                digits(2, 8, 16).filter(|(_, length)| *length == 8).map(|(code, length)| (code, 2 + length))
            }
            (b'\\', b'x') => {
                digits(2, 2, 16).filter(|(_, length)| *length == 2).map(|(code, length)| (code, 2 + length))
            }
            (b'&', b'#') => {
                let is_hex = matches!(self.byte(2), Some(b'x' | b'X'));
                let from = if is_hex { 3 } else { 2 };
                let (code, length) = digits(from, 8, if is_hex { 16 } else { 10 })?;
                (self.byte(from + length) == Some(b';')).then_some((code, from + length + 1))
            }
            _ => None,
        }
    }

    /// A string; `verbatim` knows no escape but a doubled quote.
    fn string(&mut self, quote: u8, verbatim: bool) -> Option<Token> {
        let from = self.at;
        self.at += 1;
        let mut text = Vec::new();
        let spans_lines = verbatim || quote == b'`' || self.page.is_php;
        while let Some(byte) = self.byte(0) {
            if text.len() >= STRING_UNITS_MAX || (byte == b'\n' && !spans_lines) {
                break;
            }
            let next = self.byte(1);
            if byte == quote {
                let is_doubled = next == Some(quote) && (verbatim || self.page.is_vb);
                self.at += 1 + usize::from(is_doubled);
                if !is_doubled {
                    break;
                }
                text.push(quote);
            } else if byte == b'\\' && !verbatim && !self.page.is_vb {
                self.escaped(&mut text);
            } else if byte == b'&'
                && let Some((letter, length)) = self.escape()
            {
                text.push(letter);
                self.at += length;
            } else {
                text.push(byte);
                self.at += 1;
            }
        }
        let text = text.into_iter().map(char::from).collect();
        self.token(Kind::Text, text, from)
    }

    fn escaped(&mut self, text: &mut Vec<u8>) {
        if let Some((letter, length)) = self.escape() {
            text.push(letter);
            self.at += length;
            return;
        }
        let octal: Vec<u8> = (1..4)
            .filter_map(|ahead| self.byte(ahead))
            .take_while(|byte| matches!(byte, b'0'..=b'7'))
            .collect();
        if octal.len() >= 2
            && let Some(code) =
                std::str::from_utf8(&octal).ok().and_then(|text| u8::from_str_radix(text, 8).ok())
        {
            text.push(code);
            self.at += 1 + octal.len();
            return;
        }
        match self.byte(1) {
            Some(b'n') => text.push(b'\n'),
            Some(b'r') => text.push(b'\r'),
            Some(b't') => text.push(b'\t'),
            Some(b'0') => text.push(0),
            Some(other @ (b'\\' | b'"' | b'\'' | b'`' | b'/' | b'$')) => text.push(other),
            Some(other) => text.extend([b'\\', other]),
            None => text.push(b'\\'),
        }
        self.at = (self.at + 2).min(self.end);
    }

    fn sign(&mut self) -> Option<Token> {
        let from = self.at;
        let length =
            SIGNS.iter().find(|sign| self.units.starts_with(from, sign) && from + sign.len() <= self.end);
        self.at += length.map_or(1, |sign| sign.len());
        let text = self.units.bytes[from..self.at].iter().map(|byte| char::from(*byte)).collect();
        self.token(Kind::Sign, text, from)
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}
