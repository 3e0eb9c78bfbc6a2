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
    if !page.is_vb {
        // Where a line ends means nothing.
        tokens.retain(|token| token.kind != Kind::Line);
    }
    let tokens = fold::fold(tokens);
    let tokens = nested(tokens, &page);
    let statements = statement::split(tokens, page.is_vb);
    let flow = flow::follow(&statements, &page);
    Some(render::render(&statements, &flow))
}

/// Adds what scripts in strings say, where a string is run: `eval("…")`.
fn nested(mut tokens: Vec<Token>, page: &region::Page) -> Vec<Token> {
    let mut left = UNITS_MAX;
    let mut from = 0;
    for _ in 0..NESTING_MAX {
        let mut inner: Vec<Token> = Vec::new();
        for pair in tokens[from..].windows(3) {
            let [function, open, text] = pair else { continue };
            let runs = EVALUATIONS.iter().any(|word| function.is_word(word));
            let text = if text.kind == Kind::Text && open.is("(") { text } else { open };
            if !runs || text.kind != Kind::Text || text.text.len() > left {
                continue;
            }
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
            own.retain(|token| page.is_vb || token.kind != Kind::Line);
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
