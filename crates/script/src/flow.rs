//! Which names hold what the requester sent: from where it comes in, through
//! assignments, calls and objects, until nothing changes.
//!
//! Without regard to order: a name that holds input anywhere in its function
//! holds it everywhere.

mod holds;
mod languages;

use crate::assign::{assignments, each, targets};
use crate::region::Page;
use crate::source::{Bits, INPUT, Requests};
use crate::statement::{Statement, Statements, parts, within};
use crate::token::{Kind, Token};
use crate::words::{APPLIES, ASKS, CHECK_WORDS, CHECKS, FILLS, SHARED, STORES};
use std::collections::{BTreeMap, BTreeSet};

/// `((HttpApplication)sender).Context.Request` and the like.
const REQUEST_TOKENS_MAX: usize = 16;
/// Rounds until nothing changes; chains are short.
const ROUNDS_MAX: usize = 8;

type Key = (Option<u32>, String);

/// What every name of a script holds.
pub(crate) struct Flow<'a> {
    page: &'a Page,
    statements: &'a Statements,
    requests: Requests,
    holds: BTreeMap<Key, Bits>,
    checked: BTreeSet<Key>,
    /// Names declared within a function.
    local: BTreeSet<Key>,
    /// Names that are variables at all.
    known: BTreeSet<String>,
    /// What functions give back.
    given: BTreeMap<String, Bits>,
    /// Parameters of functions that are one expression, by the name that each is given to: `$f = fn($a) => …`.
    lambdas: Vec<(String, Option<u32>, Vec<String>)>,
    /// Other names of functions, and beginnings of the names that they may have: `go = GetRef("Keep")`.
    aliases: Vec<(String, String)>,
    /// PHP's `extract`: every name that nobody sets is the requester's.
    is_extracted: bool,
}

/// Follows what was sent through all statements.
pub(crate) fn follow<'a>(statements: &'a Statements, page: &'a Page) -> Flow<'a> {
    let mut flow = Flow {
        page,
        statements,
        requests: Requests::default(),
        holds: BTreeMap::new(),
        checked: BTreeSet::new(),
        local: BTreeSet::new(),
        known: BTreeSet::new(),
        given: BTreeMap::new(),
        lambdas: Vec::new(),
        aliases: Vec::new(),
        is_extracted: false,
    };
    flow.declare();
    for _ in 0..ROUNDS_MAX {
        let before = (flow.holds.clone(), flow.given.clone(), flow.checked.len());
        for statement in &statements.list {
            flow.statement(statement);
        }
        flow.magic();
        if before == (flow.holds.clone(), flow.given.clone(), flow.checked.len()) {
            break;
        }
    }
    flow
}

impl Flow<'_> {
    /// Learns which names are local, and which are the request.
    fn declare(&mut self) {
        // An interface says it, a class does it.
        let functions = &self.statements.functions;
        let remote: BTreeSet<&str> = functions
            .iter()
            .filter(|function| function.is_remote)
            .map(|function| function.name.as_str())
            .collect();
        for (index, function) in self.statements.functions.iter().enumerate() {
            for parameter in &function.parameters {
                let key = (Some(index as u32), self.name(&parameter.name));
                self.known.insert(key.1.clone());
                if Requests::is_type(&parameter.kind) {
                    self.requests.add(&parameter.name);
                } else if remote.contains(function.name.as_str()) {
                    self.holds.insert(key.clone(), INPUT);
                }
                self.local.insert(key);
            }
        }
        for statement in &self.statements.list {
            for (target, _) in assignments(&statement.tokens, self.page.is_vb) {
                for (name, is_declared) in targets(target) {
                    let name = self.name(name);
                    self.known.insert(name.clone());
                    if statement.function.is_some() && (is_declared || name.starts_with('$')) {
                        self.local.insert((statement.function, name));
                    }
                }
            }
            let is_dim = statement.tokens.first().is_some_and(|first| first.is_word("dim"));
            for pair in statement.tokens.windows(2).filter(|_| is_dim) {
                if pair[1].kind == Kind::Word && (pair[0].is_word("dim") || pair[0].is(",")) {
                    let name = self.name(&pair[1].text);
                    self.known.insert(name.clone());
                    self.local.insert((statement.function, name));
                }
            }
        }
    }

    fn name(&self, text: &str) -> String {
        if self.page.is_vb || self.page.is_cf { text.to_lowercase() } else { text.to_owned() }
    }

    fn key(&self, function: Option<u32>, text: &str) -> Key {
        let name = self.name(text);
        let local = (function, name);
        if self.local.contains(&local) { local } else { (None, local.1) }
    }

    fn hold(&mut self, function: Option<u32>, name: &str, bits: Bits) {
        if bits == 0 || name.is_empty() {
            return;
        }
        let key = self.key(function, name);
        *self.holds.entry(key).or_default() |= bits;
    }

    fn statement(&mut self, statement: &Statement) {
        let tokens = &statement.tokens[..];
        let function = statement.function;
        self.note_arguments(tokens, function);
        let is_tag = self.page.is_cf && is_cold_tag(tokens);
        for (target, value) in assignments(&statement.tokens, self.page.is_vb) {
            // An attribute's value is one string.
            let value = if is_tag { value.get(..1).unwrap_or_default() } else { value };
            self.note_request(target, value);
            self.note_lambda(target, value, function);
            self.note_alias(target, value);
            let bits = self.bits(value, function);
            if let [.., arrow, member] = target
                && arrow.is("->")
            {
                // What another object is given, it calls its own: `$this->x`.
                self.hold(None, &format!("->{}", member.text), bits);
            }
            for (name, _) in targets(target) {
                self.hold(function, name, bits);
                if bits != 0 && self.is_vb_result(function, name) {
                    *self.given.entry(self.name(name)).or_default() |= bits;
                }
            }
            if let Some(store) = (0..target.len()).rev().find_map(|at| store(&target[at..])) {
                self.hold(None, &store, bits);
            }
        }
        // `if (…) for (…)` is one statement.
        let loops =
            tokens.iter().enumerate().filter(|(_, word)| word.is_word("for") || word.is_word("foreach"));
        for (names, list) in loops.filter_map(|(at, _)| each(&tokens[at..])) {
            let bits = self.bits(list, function);
            names.iter().for_each(|name| self.hold(function, &name.text, bits));
        }
        for at in 0..tokens.len().saturating_sub(1) {
            if tokens[at].kind != Kind::Word {
                continue;
            }
            if tokens[at + 1].is("(") {
                self.call(tokens, at, function);
            } else if tokens[at + 1].is("[")
                && let end = at + within(&tokens[at + 1..]).len() + 3
                && tokens.get(end).is_some_and(|open| open.is("("))
            {
                // `acts[x](y)`: any of them.
                let name = tokens[at].text.clone();
                self.pass_arguments(&name, false, within(&tokens[end..]), function);
            }
        }
        if let Some(own) = function
            && self.statements.functions[own as usize].name.is_empty()
            && let Some(head) = nameless_head(tokens)
        {
            // `each($_POST, function ($one) {`: what stands before it.
            let bits = self.bits(&tokens[..head], function);
            let statements = self.statements;
            for parameter in &statements.functions[own as usize].parameters {
                self.hold(Some(own), &parameter.name, bits);
            }
        }
        if let Some(beside) = statement.beside {
            let bits = self.bits(tokens, function);
            let statements = self.statements;
            for parameter in &statements.functions[beside as usize].parameters {
                self.hold(Some(beside), &parameter.name, bits);
            }
        }
        if self.page.is_vb {
            self.bare_call(tokens, function);
        }
        if self.page.is_php {
            self.perl_topic(tokens, function);
        }
        if tokens[0].is_word("return")
            && let Some(own) = function
        {
            let bits = self.bits(&tokens[1..], function);
            if bits != 0 {
                let name = self.name(&self.statements.functions[own as usize].name);
                *self.given.entry(name).or_default() |= bits;
            }
        }
    }

    fn is_vb_result(&self, function: Option<u32>, name: &str) -> bool {
        self.page.is_vb
            && function
                .is_some_and(|own| self.statements.functions[own as usize].name.eq_ignore_ascii_case(name))
    }

    /// `var r = context.Request`: another name of the request.
    fn note_request(&mut self, target: &[Token], value: &[Token]) {
        if value.last().is_some_and(|last| self.requests.is_request(last))
            && value.len() <= REQUEST_TOKENS_MAX
            && let Some((name, _)) = targets(target).first()
        {
            let name = (*name).to_owned();
            self.requests.add(&name);
        }
    }

    /// What a call does to its object, its arguments, and the function's parameters.
    fn call(&mut self, tokens: &[Token], at: usize, function: Option<u32>) {
        let inside = within(&tokens[at + 1..]);
        let name = tokens[at].text.to_ascii_lowercase();
        let base = base_of(tokens, at);
        if (name == "extract" || name == "parse_str" || name == "import_request_variables")
            && self.page.is_php
        {
            self.is_extracted |=
                name == "import_request_variables" || self.bits(inside, function) & INPUT != 0;
        }
        if name == "getref"
            && self.page.is_vb
            && let [named] = inside
            && tokens.get(at + 4).is_some_and(|open| open.is("("))
        {
            // `GetRef("Name")(x)`.
            self.pass_arguments(&named.text, false, within(&tokens[at + 4..]), function);
        }
        if name == "define"
            && self.page.is_php
            && let Some(constant) = inside.first().filter(|first| first.kind == Kind::Text)
        {
            let bits = self.bits(&inside[1..], function);
            self.hold(None, &constant.text, bits);
        }
        if CHECKS.contains(&name.as_str()) || CHECK_WORDS.iter().any(|word| name.contains(word)) {
            self.check(tokens, at, inside, function);
        }
        if matches!(name.as_str(), "read" | "sysread")
            && inside.first().is_some_and(|first| first.is_word("stdin"))
        {
            // Perl's `read(STDIN, $body, $length)`.
            for word in inside.iter().skip(1).filter(|token| token.kind == Kind::Word) {
                self.hold(function, &word.text, INPUT);
            }
        }
        if FILLS.contains(&name.as_str())
            && let Some(base) = base
            && let bits @ 1.. = self.bits(&tokens[base..at - 1], function)
        {
            for word in inside.iter().filter(|token| token.kind == Kind::Word) {
                self.hold(function, &word.text, bits);
            }
        }
        if let Some(base) = base
            && !SHARED.iter().any(|shared| tokens[base].is_word(shared))
            && !ASKS.contains(&name.as_str())
            && self.known.contains(&self.name(&tokens[base].text))
        {
            let bits = self.bits(inside, function);
            let object = tokens[base].text.clone();
            self.hold(function, &object, bits);
        }
        if APPLIES.contains(&name.as_str())
            && base.is_none_or(|base| at > base + 2 || tokens[base].kind == Kind::Word)
        {
            self.pass("*", false, inside, function);
        }
        self.pass_to_arguments(tokens, at, inside, function);
        let is_made = at.checked_sub(1).is_some_and(|before| tokens[before].is_word("new"));
        self.pass_arguments(&tokens[at].text, is_made, inside, function);
    }

    fn pass_arguments(&mut self, name: &str, is_made: bool, inside: &[Token], function: Option<u32>) {
        for alias in self.called(name) {
            self.pass(&alias, is_made, inside, function);
        }
        self.pass(name, is_made, inside, function);
    }

    fn pass(&mut self, name: &str, is_made: bool, inside: &[Token], function: Option<u32>) {
        let fold = self.page.is_vb || self.page.is_php || self.page.is_cf;
        let lambdas: Vec<_> = self.lambdas.iter().filter(|(own, ..)| own == name).cloned().collect();
        for (_, place, parameters) in lambdas {
            for (argument, parameter) in parts(inside).into_iter().zip(&parameters) {
                let bits = self.bits(argument, function);
                self.hold(place, parameter, bits);
            }
        }
        for (index, own) in self.statements.functions.iter().enumerate() {
            let makes = is_made && (own.name == "__construct" || own.name.eq_ignore_ascii_case("new"));
            let is_called = makes
                || own.name == name
                || (name == "*" && own.name.is_empty())
                || (fold && own.name.eq_ignore_ascii_case(name));
            if !is_called {
                continue;
            }
            if self.page.is_php
                && let bits @ 1.. = self.bits(inside, function)
            {
                *self.holds.entry((Some(index as u32), "func_get_args".to_owned())).or_default() |= bits;
            }
            for (argument, parameter) in parts(inside).into_iter().zip(&own.parameters) {
                if argument.last().is_some_and(|last| self.requests.is_request(last)) && argument.len() <= 5 {
                    self.requests.add(&parameter.name);
                }
                // What a closure takes along is not what it is.
                let is_closure = argument.first().is_some_and(|first| first.is_word("function"));
                let bits = if is_closure { 0 } else { self.bits(argument, function) };
                let name = parameter.name.clone();
                self.hold(Some(index as u32), &name, bits);
            }
        }
    }

    /// Names that stand in a comparison with a pattern or a list.
    fn check(&mut self, tokens: &[Token], at: usize, inside: &[Token], function: Option<u32>) {
        let is_literal = inside.iter().all(|token| token.kind != Kind::Word);
        // A path that begins with a folder; not a command that begins with a word.
        let is_prefix = ["strpos", "strncmp", "str_starts_with"].iter().any(|word| tokens[at].is_word(word));
        let names = |part: &&[Token]| part.iter().any(|token| token.kind == Kind::Word);
        if is_prefix && !parts(inside).get(1).is_some_and(names) {
            return;
        }
        let compared = if is_literal && tokens[at].is_word("matches") {
            base_of(tokens, at).map(|base| &tokens[base..at])
        } else if tokens[at].is_word("startswith") {
            base_of(tokens, at).filter(|_| !is_literal).map(|base| &tokens[base..at])
        } else {
            Some(inside)
        };
        for word in compared.into_iter().flatten().filter(|token| token.kind == Kind::Word) {
            let key = self.key(function, &word.text);
            if self.holds.contains_key(&key) {
                self.checked.insert(key);
            }
        }
    }
}

/// Where the function without a name begins, whose body comes after these tokens.
fn nameless_head(tokens: &[Token]) -> Option<usize> {
    let last = tokens.last()?;
    if last.is("=>") || last.is("->") {
        let before = tokens.len().checked_sub(2)?;
        let open = || tokens.iter().rposition(|token| token.is("("));
        return if tokens[before].is(")") { open() } else { Some(before) };
    }
    let is_head =
        |pair: &[Token]| (pair[0].is_word("delegate") || pair[0].is_word("function")) && pair[1].is("(");
    tokens.windows(2).rposition(is_head).filter(|_| last.is(")"))
}

/// Whether a statement is a tag with attributes.
fn is_cold_tag(tokens: &[Token]) -> bool {
    let is_expression =
        |word: &Token| ["cfset", "cfif", "cfelseif", "cfreturn"].iter().any(|own| word.is_word(own));
    tokens.first().is_some_and(|first| {
        first.kind == Kind::Word
            && first.text.len() > 2
            && first.text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("cf"))
            && !is_expression(first)
    })
}

/// The word that a chain of members begins with, whose last is at `at`.
fn base_of(tokens: &[Token], at: usize) -> Option<usize> {
    let mut base = at;
    while let Some(before) = base.checked_sub(2)
        && (tokens[base - 1].is(".") || tokens[base - 1].is("->"))
        && tokens[before].kind == Kind::Word
    {
        base = before;
    }
    (base < at).then_some(base)
}

/// `Session["x"]` and its kin: a name of its own.
fn store(tokens: &[Token]) -> Option<String> {
    let [name, open, key, ..] = tokens else { return None };
    let is_store = STORES.iter().any(|store| name.is_word(store)) && (open.is("[") || open.is("("));
    let key = if key.kind == Kind::Text { key.text.as_str() } else { "*" };
    is_store.then(|| format!("{}:{key}", name.text.to_ascii_lowercase()))
}
