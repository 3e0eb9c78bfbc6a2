//! A server-side script as it reads when what hides it is undone, with a mark
//! wherever what the requester sent reaches.
//!
//! Rules look for behaviour, and behaviour hides: in UTF-16, in escapes
//! (`\u0065val`), in strings cut to pieces, in character codes, in base64, in
//! a variable that is set here and used there. [`read`] undoes that and writes
//! the script anew, one statement a line, so that a rule needs no more than
//!
//! ```yara
//! $a = /\beval\([^\n]{0,200}@(input|checked)@/
//! ```
//!
//! - `x@input@`: holds what the requester sent as text (a parameter, a header, the body);
//! - `x@file@`: a file that the requester sent, or its name;
//! - `"…"@packed@`: a string that had to be unpacked;
//! - `x@checked@`: input that the script compares with a pattern or a list somewhere.
//!
//! In strings a blank is written `_` and `(` as `{`: what a string says is not
//! what the script does.
//!
//! # What it is not
//! No interpreter and no compiler: languages are read by what they have in
//! common, and what is not understood is passed on as it stands. It errs on
//! both sides, by little; no code is ever run.
//!
//! # Not here
//! What makes a script a web shell: rules say that.

mod around;
mod assign;
mod decode;
mod flow;
mod fold;
mod region;
mod render;
mod source;
mod statement;
#[cfg(test)]
mod tests;
mod token;
mod words;

pub use around::Standing;
use token::{Kind, Token};

/// Code units of a script that are read; real pages are far smaller.
const UNITS_MAX: usize = 1 << 20;

/// Scripts in strings within scripts in strings.
const NESTING_MAX: usize = 4;
/// Other names of types in one script.
const NAMES_MAX: usize = 64;
/// Tokens between what runs a string and the string, where something unpacks it first.
const BETWEEN_MAX: usize = 12;
/// What runs a string.
const EVALUATIONS: &[&str] =
    &["eval", "assert", "execute", "executeglobal", "create_function", "evaluate", "function", "execscript"];

/// A script, written anew.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Script {
    /// One statement a line.
    pub text: String,
    /// Where lines begin: in `text`, and in the bytes it was read from; ascending.
    lines: Vec<(usize, u64)>,
}

impl Script {
    /// Where the statement at `at` of the text begins in the file.
    pub fn offset(&self, at: u64) -> u64 {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let line = self.lines.partition_point(|(start, _)| *start <= at);
        line.checked_sub(1).and_then(|line| self.lines.get(line)).map_or(0, |(_, offset)| *offset)
    }
}

/// Whether something in the file runs on a server, or would, were it a page.
pub fn has_script(content: &[u8], standing: Standing) -> bool {
    region::page(&decode::decode(content, UNITS_MAX), standing).is_some()
}

/// Reads a script; `None` when nothing in the file runs on a server, or would,
/// were it a page.
pub fn read(content: &[u8], standing: Standing) -> Option<Script> {
    let units = decode::decode(content, UNITS_MAX);
    let page = region::page(&units, standing)?;
    let mut tokens = Vec::new();
    for region in &page.regions {
        token::tokenize(&units, region.clone(), &page, &mut tokens);
        tokens.push(Token::edge(units.offset(region.end)));
    }
    if !page.is_vb && !page.is_python {
        // Where a line ends means nothing.
        tokens.retain(|token| token.kind != Kind::Line);
    }
    spell_out(&mut tokens);
    if page.is_php && !page.is_python {
        lower_functions(&mut tokens);
        slurp(&mut tokens);
    }
    let mut tokens = fold::fold(tokens);
    if page.is_python {
        spell_modules(&mut tokens);
    }
    let mut tokens = nested(tokens, &page);
    tokens.extend(names_includes(&tokens, &page));
    let lines = match (page.is_vb, page.is_python) {
        (true, _) => statement::Lines::Basic,
        (_, true) => statement::Lines::Python,
        _ => statement::Lines::None,
    };
    let statements = statement::split(tokens, lines);
    let flow = flow::follow(&statements, &page);
    Some(render::render(&statements, &flow))
}

/// `using P = System.Diagnostics.Process`: the type's own name wherever the other stands.
fn spell_out(tokens: &mut [Token]) {
    let mut names: Vec<(String, String)> = Vec::new();
    for (at, pair) in tokens.windows(3).enumerate() {
        let begins = pair[0].is_word("using") || pair[0].is_word("imports");
        if !begins || pair[1].kind != Kind::Word || !pair[2].is("=") || names.len() >= NAMES_MAX {
            continue;
        }
        let chain = tokens[at + 3..].iter().take_while(|token| token.kind == Kind::Word || token.is("."));
        if let Some(last) = chain.filter(|token| token.kind == Kind::Word).last() {
            names.push((pair[1].text.clone(), last.text.clone()));
        }
    }
    if names.is_empty() {
        return;
    }
    for token in tokens.iter_mut().filter(|token| token.kind == Kind::Word) {
        if let Some((_, name)) = names.iter().find(|(own, _)| *own == token.text) {
            token.text.clone_from(name);
        }
    }
}

/// Python's `m = __import__("os")`, `import os as m`: the module's own name wherever the other stands.
fn spell_modules(tokens: &mut [Token]) {
    let mut names: Vec<(String, String)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let next = |ahead: usize| tokens.get(at + ahead);
        let made = ["__import__", "import_module"].iter().any(|word| token.is_word(word))
            && next(1).is_some_and(|open| open.is("("));
        let pair = if made {
            let sign = tokens[..at].iter().rposition(|token| token.is("=")).filter(|sign| at - sign <= 4);
            let name = sign.and_then(|sign| sign.checked_sub(1)).map(|name| &tokens[name]);
            name.zip(next(2).filter(|module| module.kind == Kind::Text))
        } else if token.is_word("as") && at >= 2 && tokens[at - 2].is_word("import") {
            next(1).zip(tokens.get(at - 1))
        } else {
            None
        };
        if let Some((name, module)) = pair
            && name.kind == Kind::Word
            && names.len() < NAMES_MAX
        {
            names.push((name.text.clone(), module.text.clone()));
        }
    }
    for at in 0..tokens.len().saturating_sub(1) {
        let is_used = tokens[at].kind == Kind::Word && tokens[at + 1].is(".");
        let module = names.iter().find(|(own, _)| is_used && *own == tokens[at].text);
        if let Some((_, module)) = module {
            tokens[at].text.clone_from(module);
        }
    }
}

/// Perl's `do { local $/; <STDIN> }`: all that was sent.
fn slurp(tokens: &mut Vec<Token>) {
    const TOKENS_MAX: usize = 12;
    let mut at = 0;
    while at + 1 < tokens.len() {
        let rest = &tokens[at + 1..tokens.len().min(at + 1 + TOKENS_MAX)];
        let close = rest.iter().position(|token| token.is("}"));
        if tokens[at].is_word("do")
            && rest[0].is("{")
            && let Some(close) = close
            && rest[..close].iter().any(|token| token.is_word("stdin"))
        {
            let word = Token::new(Kind::Word, "STDIN", tokens[at].at);
            tokens.splice(at..at + close + 2, [word]);
        }
        at += 1;
    }
}

/// PHP calls functions without regard to case.
fn lower_functions(tokens: &mut [Token]) {
    for at in 0..tokens.len().saturating_sub(1) {
        let is_call = tokens[at].kind == Kind::Word && tokens[at + 1].is("(");
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let is_own = before.is_some_and(|before| {
            before.is("->") || before.is("::") || before.is("?->") || before.is_word("new")
        });
        if is_call && !is_own && !tokens[at].text.starts_with(['$', '_']) {
            tokens[at].text.make_ascii_lowercase();
        }
    }
}

/// A statement for each file that the page is put together with and also names: what it writes there, it runs.
fn names_includes(tokens: &[Token], page: &region::Page) -> Vec<Token> {
    let base = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    let mut out = Vec::new();
    for name in page.includes.iter().map(|path| base(path)).filter(|name| !name.is_empty()) {
        let named = tokens.iter().find(|token| token.kind == Kind::Text && base(&token.text) == name);
        if let Some(token) = named {
            let word = Token::new(Kind::Word, "includes_what_it_names", token.at);
            out.extend([Token::edge(token.at), word, token.clone()]);
        }
    }
    out
}

/// The string that is run at the beginning of `tokens`: `eval("…")`; unpacked, where something else does that first:
/// `execute own("6576…")`.
fn run_text(tokens: &[Token]) -> Option<Token> {
    let (function, rest) = tokens.split_first()?;
    let is_page = ["<?php", "<?=", "<%"].iter().any(|start| function.text.trim_start().starts_with(start));
    if function.kind == Kind::Text && is_page {
        // A page in a string is there to be written, and asked for.
        return Some(function.clone());
    }
    EVALUATIONS.iter().find(|word| function.is_word(word))?;
    let is_between = |token: &&Token| {
        token.kind == Kind::Word || ["(", ".", "::", "->", "@"].iter().any(|sign| token.is(sign))
    };
    let between = rest.iter().take(BETWEEN_MAX).take_while(is_between).count();
    let text = rest.get(between).filter(|text| text.kind == Kind::Text)?;
    let is_direct = between == 0 || (between == 1 && rest[0].is("("));
    if is_direct {
        return Some(text.clone());
    }
    let unpacked = fold::second_stage(&text.text)?;
    Some(Token { text: unpacked, is_packed: true, ..text.clone() })
}

/// Adds what scripts in strings say, where a string is run: `eval("…")`.
fn nested(mut tokens: Vec<Token>, page: &region::Page) -> Vec<Token> {
    let mut left = UNITS_MAX;
    let mut from = 0;
    for _ in 0..NESTING_MAX {
        let mut inner: Vec<Token> = Vec::new();
        for at in 0..tokens.len() - from {
            let Some(text) = run_text(&tokens[from + at..]).filter(|text| text.text.len() <= left) else {
                continue;
            };
            left -= text.text.len();
            let units = decode::decode(text.text.as_bytes(), UNITS_MAX);
            let mut own = Vec::new();
            // What is packed often begins by leaving the language: `?>…<?php`.
            let regions = region::page(&units, Standing::Runs).map(|page| page.regions).unwrap_or_default();
            let whole = std::iter::once(0..units.bytes.len()).filter(|_| regions.is_empty());
            for region in regions.iter().cloned().chain(whole) {
                token::tokenize(&units, region, page, &mut own);
                own.push(Token::edge(text.at));
            }
            own.iter_mut().for_each(|token| token.at = text.at);
            own.retain(|token| page.is_vb || page.is_python || token.kind != Kind::Line);
            inner.extend(fold::fold(own));
        }
        if inner.is_empty() {
            break;
        }
        from = tokens.len();
        tokens.extend(inner);
    }
    tokens
}
