//! What one language alone does: PHP's methods for any name, calls without
//! brackets in Visual Basic, Perl's `$_`, functions that are one expression.

use super::Flow;
use crate::assign::{assignments, each, targets};
use crate::source::INPUT;
use crate::statement::parts;
use crate::token::{Kind, Token};
use crate::words::SHARED;

/// Tokens of the parameters of a function of one expression.
const PARAMETER_TOKENS_MAX: usize = 32;

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
        self.note_lambdas(target, value, function);
        let is_arrow = |token: &Token| token.is("=>") || (token.is("->") && !self.page.is_php);
        let Some(arrow) = value.iter().position(is_arrow) else { return };
        let list = &value[..arrow];
        // `fn(string $c): string =>`.
        let is_list = |token: &Token| {
            token.kind == Kind::Word || [",", "(", ")", ":", "?"].iter().any(|sign| token.is(sign))
        };
        if list.len() > 16 || !list.iter().all(is_list) {
            return;
        }
        let Some((name, _)) = targets(target).first().copied() else { return };
        let own = (name.to_owned(), function);
        if self.lambdas.iter().all(|known| (&known.0, known.1) != (&own.0, own.1)) && self.lambdas.len() < 256
        {
            let is_name = |token: &&Token| {
                let is_type = self.page.is_php && !token.text.starts_with('$');
                token.kind == Kind::Word && !token.is_word("fn") && !is_type
            };
            let words = list.iter().filter(is_name);
            self.lambdas.push((own.0, own.1, words.map(|token| token.text.clone()).collect()));
        }
    }

    /// Notes functions of one expression that are arguments, `ops.put("ls", (p, v) -> …)`: somebody may run them.
    pub(super) fn note_arguments(&mut self, tokens: &[Token], function: Option<u32>) {
        for at in 2..tokens.len() {
            let is_arrow = tokens[at].is("=>") || (tokens[at].is("->") && !self.page.is_php);
            let close = &tokens[at - 1];
            let from = at.saturating_sub(PARAMETER_TOKENS_MAX);
            let open = tokens[from..at].iter().rposition(|token| token.is("(")).map(|open| from + open);
            let Some(open) = open.filter(|open| is_arrow && close.is(")") && *open > 0) else { continue };
            let list = &tokens[open + 1..at - 1];
            let is_list = list.iter().all(|token| token.kind == Kind::Word || token.is(","));
            let is_argument = tokens[open - 1].is(",") || tokens[open - 1].is("(");
            if !is_list || !is_argument || list.is_empty() {
                continue;
            }
            let words = list.iter().filter(|token| token.kind == Kind::Word);
            let own = ("*".to_owned(), function, words.map(|token| token.text.clone()).collect());
            if self.lambdas.len() < 256 && !self.lambdas.contains(&own) {
                self.lambdas.push(own);
            }
        }
    }

    /// Notes the functions of `acts = { "a": lambda p: …, "b": lambda p: … }`, each by the container's name.
    fn note_lambdas(&mut self, target: &[Token], value: &[Token], function: Option<u32>) {
        if !value.first().is_some_and(|open| open.is("{") || open.is("[")) {
            return;
        }
        let Some((name, _)) = targets(target).first().copied() else { return };
        for at in 1..value.len().saturating_sub(1) {
            let parameter = &value[at];
            let is_arrow = value[at + 1].is("=>") && parameter.kind == Kind::Word;
            if !is_arrow && !value[at - 1].is_word("lambda") {
                continue;
            }
            let own = (name.to_owned(), function, vec![parameter.text.clone()]);
            if self.lambdas.len() < 256 && !self.lambdas.contains(&own) {
                self.lambdas.push(own);
            }
        }
    }

    /// Notes `go = GetRef("Keep")`, `var go = keep`, `$go = "keep"`.
    pub(super) fn note_alias(&mut self, target: &[Token], value: &[Token]) {
        let value =
            if value.first().is_some_and(|first| first.is_word("addressof")) { &value[1..] } else { value };
        let named = match value {
            [name] if matches!(name.kind, Kind::Word | Kind::Text) => &name.text,
            // `GetRef("do" & x)`: any that begins so.
            [get, open, name, ..] if get.is_word("getref") && open.is("(") && name.kind == Kind::Text => {
                &name.text
            }
            _ => return,
        };
        let begins = value.len() > 4;
        let is_own = |own: &str| own.eq_ignore_ascii_case(named) || (begins && starts_with(own, named));
        let functions = self.statements.functions.iter().map(|own| &own.name);
        let lambdas = self.lambdas.iter().map(|(own, ..)| own);
        let own: Vec<String> = functions.chain(lambdas).filter(|own| is_own(own)).cloned().collect();
        let Some((name, _)) = targets(target).first().copied() else { return };
        for function in own {
            let alias = (self.name(name), function);
            if alias.0 != alias.1 && self.aliases.len() < 256 && !self.aliases.contains(&alias) {
                self.aliases.push(alias);
            }
        }
    }

    /// The functions that a name stands for.
    pub(super) fn called(&self, name: &str) -> Vec<String> {
        let name = self.name(name);
        self.aliases.iter().filter(|(own, _)| *own == name).map(|(_, function)| function.clone()).collect()
    }

    /// `sent.map(go)`, `array_map("go", $_POST)`: a function that is an argument gets what the call is about.
    pub(super) fn pass_to_arguments(
        &mut self,
        tokens: &[Token],
        at: usize,
        inside: &[Token],
        function: Option<u32>,
    ) {
        let is_member = at.checked_sub(1).is_some_and(|before| tokens[before].is("."));
        for part in parts(inside) {
            let name = match part {
                [name] if matches!(name.kind, Kind::Word | Kind::Text) => &name.text,
                [.., sign, name] if sign.is("::") && name.kind == Kind::Word => &name.text,
                _ => continue,
            };
            let is_lambda = self.lambdas.iter().any(|(own, ..)| own == name);
            let is_function = self.statements.functions.iter().any(|own| own.name == *name);
            if !is_lambda && !is_function {
                continue;
            }
            let object = if is_member { self.bits(&tokens[..at], function) } else { 0 };
            let bits = self.bits(inside, function) | object;
            let lambdas: Vec<_> = self.lambdas.iter().filter(|(own, ..)| own == name).cloned().collect();
            for (_, place, parameters) in lambdas {
                parameters.iter().for_each(|parameter| self.hold(place, parameter, bits));
            }
            let statements = self.statements;
            for (index, own) in statements.functions.iter().enumerate().filter(|(_, own)| own.name == *name) {
                own.parameters.iter().for_each(|one| self.hold(Some(index as u32), &one.name, bits));
            }
        }
    }

    /// Visual Basic's `Keep bytes, path` and `object.Method argument`, without brackets.
    pub(super) fn bare_call(&mut self, tokens: &[Token], function: Option<u32>) {
        let from = tokens.iter().position(|token| token.is_word("then")).map_or(0, |then| then + 1);
        if let Some([name, argument, ..]) = tokens.get(from..)
            && name.kind == Kind::Word
            && (argument.kind == Kind::Word || argument.kind == Kind::Text)
            && !argument.is_word("as")
        {
            let name = name.text.clone();
            self.pass_arguments(&name, false, &tokens[from + 1..], function);
        }
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

fn starts_with(name: &str, beginning: &str) -> bool {
    name.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}
