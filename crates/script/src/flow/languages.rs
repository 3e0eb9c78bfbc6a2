//! What one language alone does: PHP's methods for any name, calls without
//! brackets in Visual Basic, Perl's `$_`, functions that are one expression.

use super::Flow;
use crate::assign::{assignments, each, targets};
use crate::source::INPUT;
use crate::token::{Kind, Token};
use crate::words::SHARED;

impl Flow<'_> {
    /// PHP calls methods of these names for whatever name the requester sent.
    pub(super) fn magic(&mut self) {
        const MAGIC: [&str; 5] = ["__get", "__set", "__call", "__callStatic", "__invoke"];
        if !self.page.is_php || !self.holds.values().any(|bits| bits & INPUT != 0) {
            return;
        }
        for (index, function) in self.statements.functions.iter().enumerate() {
            if MAGIC.contains(&function.name.as_str()) {
                for parameter in &function.parameters {
                    *self.holds.entry((Some(index as u32), parameter.name.clone())).or_default() |= INPUT;
                }
            }
        }
    }

    /// Notes `$f = fn($a) => …` and `Action<string> f = a => …`.
    pub(super) fn note_lambda(&mut self, target: &[Token], value: &[Token], function: Option<u32>) {
        let Some(arrow) = value.iter().position(|token| token.is("=>")) else { return };
        let list = &value[..arrow];
        let is_list =
            |token: &Token| token.kind == Kind::Word || [",", "(", ")"].iter().any(|sign| token.is(sign));
        if list.len() > 16 || !list.iter().all(is_list) {
            return;
        }
        let Some((name, _)) = targets(target).first().copied() else { return };
        let own = (name.to_owned(), function);
        if self.lambdas.iter().all(|known| (&known.0, known.1) != (&own.0, own.1)) && self.lambdas.len() < 256
        {
            let words = list.iter().filter(|token| token.kind == Kind::Word && !token.is_word("fn"));
            self.lambdas.push((own.0, own.1, words.map(|token| token.text.clone()).collect()));
        }
    }

    /// Visual Basic's `object.Method argument`, without brackets.
    pub(super) fn bare_call(&mut self, tokens: &[Token], function: Option<u32>) {
        let from = tokens.iter().position(|token| token.is_word("then")).map_or(0, |then| then + 1);
        let mut at = from;
        while let Some([word, dot, member]) = tokens.get(at..at + 3)
            && word.kind == Kind::Word
            && dot.is(".")
            && member.kind == Kind::Word
        {
            at += 2;
        }
        let is_argument = |token: &Token| token.kind == Kind::Word || token.kind == Kind::Text;
        if at > from
            && tokens.get(at + 1).is_some_and(is_argument)
            && !SHARED.iter().any(|shared| tokens[from].is_word(shared))
            && self.known.contains(&self.name(&tokens[from].text))
        {
            let bits = self.bits(&tokens[at + 1..], function);
            let object = tokens[from].text.clone();
            self.hold(function, &object, bits);
        }
    }

    /// Perl's `$_`: what a loop without a name goes over, and what `split` cuts where nothing is named.
    pub(super) fn perl_topic(&mut self, tokens: &[Token], function: Option<u32>) {
        if (tokens[0].is_word("for") || tokens[0].is_word("foreach")) && each(tokens).is_none() {
            let bits = self.bits(&tokens[1..], function);
            self.hold(None, "$_", bits);
        }
        for (target, value) in assignments(tokens, false) {
            let is_split = value.first().is_some_and(|first| first.is_word("split"));
            if is_split && !value.iter().any(|token| token.is(",")) {
                let bits = self.held(function, "$_").unwrap_or(0);
                targets(target).into_iter().for_each(|(name, _)| self.hold(function, name, bits));
            }
        }
    }
}
