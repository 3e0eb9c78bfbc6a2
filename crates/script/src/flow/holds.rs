//! What an expression holds: what was sent, by any of its names, and what is left of it.

use super::{Flow, store};
use crate::source::{self, Bits, CHECKED, FILE, INPUT, NAME};
use crate::statement::within;
use crate::token::{Kind, Token};
use crate::words::{ASPECTS, BASE, CLEAN, LOOKUPS, MATCHES, PARSED};

impl Flow<'_> {
    /// What an expression holds.
    pub(crate) fn bits(&self, tokens: &[Token], function: Option<u32>) -> Bits {
        let mut all = 0;
        self.walk(tokens, function, &mut |_, bits| all |= bits);
        all
    }

    /// Calls `mark` behind each part of an expression that holds something,
    /// and behind arguments within calls that leave nothing of them.
    pub(crate) fn marks(&self, tokens: &[Token], function: Option<u32>, mark: &mut dyn FnMut(usize, Bits)) {
        self.walk(tokens, function, mark);
        let mut at = 0;
        while at < tokens.len() {
            let Some(end) = self.cleaned(tokens, at).map(|end| end.min(tokens.len())) else {
                at += 1;
                continue;
            };
            // `HtmlEncode(File.ReadAllText(x))`: the outer call cleans, the inner one acts.
            let first =
                (at + 2..end).find(|inner| tokens[*inner].is("(") && tokens[inner - 1].kind == Kind::Word);
            if let Some(from) = first.filter(|from| from + 1 < end) {
                self.walk(&tokens[from + 1..end], function, &mut |place, bits| mark(from + 1 + place, bits));
            }
            at = end.max(at + 1);
        }
    }

    fn walk(&self, tokens: &[Token], function: Option<u32>, mark: &mut dyn FnMut(usize, Bits)) {
        let mut at = 0;
        while at < tokens.len() {
            let token = &tokens[at];
            if let Some(end) = self.cleaned(tokens, at) {
                at = end;
                continue;
            }
            let opens = tokens.get(at + 1).is_some_and(|next| next.is("("));
            if token.kind == Kind::Word && opens && BASE.iter().any(|word| token.is_word(word)) {
                let inside = within(&tokens[at + 1..]);
                if self.bits(inside, function) != 0 {
                    mark(at + inside.len() + 2, NAME);
                }
                at += inside.len() + 3;
                continue;
            }
            if self.is_lookup(tokens, at) {
                // `allowed[x]` is one of the allowed, whatever x is.
                at += within(&tokens[at..]).len() + 2;
                continue;
            }
            let found = source::source(tokens, at, self.page, &self.requests)
                .or_else(|| self.named(tokens, at, function));
            let Some((end, bits)) = found else {
                at += 1;
                continue;
            };
            if !is_compared(tokens, at, end) {
                mark(end, bits);
            }
            at = end.max(at + 1);
        }
    }

    /// The end of a call that leaves nothing of what was sent.
    fn cleaned(&self, tokens: &[Token], at: usize) -> Option<usize> {
        let token = &tokens[at];
        if token.is("(")
            && tokens
                .get(at + 1)
                .is_some_and(|cast| cast.is_word("int") || cast.is_word("float") || cast.is_word("bool"))
            && tokens.get(at + 2).is_some_and(|close| close.is(")"))
        {
            // `(int)$_GET["id"]`, `(int)($_GET["n"] ?? 10)`.
            let end = match tokens.get(at + 3) {
                Some(open) if open.is("(") => at + within(&tokens[at + 3..]).len() + 5,
                _ => source::source(tokens, at + 3, self.page, &self.requests).map_or(at + 4, |(end, _)| end),
            };
            return (at + 3 < tokens.len()).then_some(end);
        }
        if token.kind != Kind::Word || !tokens.get(at + 1)?.is("(") {
            return None;
        }
        let lower = token.text.to_ascii_lowercase();
        let is_parse = lower == "parse" && at >= 2 && PARSED.iter().any(|kind| tokens[at - 2].is_word(kind));
        (is_parse || CLEAN.contains(&lower.as_str())).then(|| at + within(&tokens[at + 1..]).len() + 3)
    }

    fn is_lookup(&self, tokens: &[Token], at: usize) -> bool {
        // `formulas.get(x)` is one of the formulas.
        if let Some([object, dot, get]) = at.checked_sub(3).and_then(|from| tokens.get(from..at))
            && tokens[at].is("(")
            && dot.is("->")
            && MATCHES.iter().any(|word| get.is_word(word))
        {
            return self.held(None, &object.text).is_none();
        }
        if let Some([object, dot, get]) = at.checked_sub(3).and_then(|from| tokens.get(from..at))
            && tokens[at].is("(")
            && dot.is(".")
            && LOOKUPS.iter().any(|word| get.is_word(word))
        {
            return self.known.contains(&self.name(&object.text)) && !self.requests.is_request(object);
        }
        let Some(before) = at.checked_sub(1).map(|before| &tokens[before]) else { return false };
        let is_perl = self.page.is_php && tokens[at].is("{") && before.text.starts_with('$');
        (tokens[at].is("[") || is_perl)
            && before.kind == Kind::Word
            && !before.is_word("return")
            && !self.requests.is_request(before)
    }

    /// A name that holds something, at `at`; and where it ends.
    fn named(&self, tokens: &[Token], at: usize, function: Option<u32>) -> Option<(usize, Bits)> {
        let token = &tokens[at];
        if token.kind == Kind::Text {
            let bits = self.interpolated(&token.text, function);
            return (bits != 0).then_some((at + 1, bits));
        }
        if token.kind != Kind::Word {
            return None;
        }
        if let Some(name) = store(&tokens[at..]) {
            let any = name.split_once(':').map(|(store, _)| format!("{store}:*")).unwrap_or_default();
            let held = |name: &str| self.holds.get(&(None, self.name(name))).copied();
            let bits = held(&name).or_else(|| held(&any))?;
            return Some((at + within(&tokens[at + 1..]).len() + 3, bits));
        }
        // In PHP and Perl a dot joins strings, and a name begins with `$`.
        let joins = token.text.starts_with('$');
        let is_member = at >= 2
            && ((tokens[at - 1].is(".") && !joins) || tokens[at - 1].is("->") || tokens[at - 1].is("::"));
        let opens = tokens.get(at + 1).is_some_and(|next| next.is("("));
        if is_member
            && opens
            && let Some(bits) = self.given.get(&self.name(&token.text))
        {
            // A method of the page's own, whatever it is called on.
            return Some((at + 1, *bits));
        }
        let is_own =
            is_member && ["this", "me", "self", "$this"].iter().any(|own| tokens[at - 2].is_word(own));
        if is_member && !is_own {
            return None;
        }
        if is_own && let Some(bits) = self.held(None, &format!("->{}", token.text)) {
            return Some((at + 1, bits));
        }
        if opens && token.is_word("func_get_args") {
            let bits = self.holds.get(&(function, "func_get_args".to_owned()))?;
            return Some((at + 3, *bits));
        }
        let given = opens.then(|| self.given.get(&self.name(&token.text)).copied()).flatten();
        let bits = given.or_else(|| self.held(function, &token.text))?;
        Some((at + 1, bits))
    }

    pub(super) fn held(&self, function: Option<u32>, text: &str) -> Option<Bits> {
        let key = self.key(function, text);
        // Perl's `%c` is `$c{…}` where it is asked.
        let whole =
            || text.strip_prefix('$').filter(|_| self.page.is_php).map(|name| self.key(function, name));
        let bits = match self.holds.get(&key).or_else(|| self.holds.get(&whole()?)) {
            Some(bits) => *bits,
            None if self.is_extracted
                && text.starts_with('$')
                && !self.known.contains(text)
                && text != "$this" =>
            {
                INPUT
            }
            None => return None,
        };
        let is_checked = bits & INPUT != 0 && self.checked.contains(&key);
        Some(if is_checked { bits & !INPUT | CHECKED } else { bits })
    }

    /// What a word of a ColdFusion expression holds.
    fn cold(&self, word: &str, function: Option<u32>) -> Bits {
        let (scope, member) = word.split_once('.').unwrap_or((word, ""));
        match scope.to_ascii_lowercase().as_str() {
            // `form[x]` lost its brackets (`without_keys`).
            "form" | "url" | "cookie" if !member.is_empty() => INPUT,
            "" => 0,
            _ => self.held(function, scope).unwrap_or(0),
        }
    }

    /// Names within a string: `"$cmd"`, `$"{cmd}"`, `"#form.cmd#"`.
    fn interpolated(&self, text: &str, function: Option<u32>) -> Bits {
        let mut all = 0;
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.');
        for (at, letter) in
            text.char_indices().filter(|(_, letter)| matches!(letter, '$' | '{' | '#')).take(256)
        {
            let rest = &text[at + 1..];
            let word: String = rest.chars().take_while(|letter| is_name(*letter)).take(64).collect();
            let first = word.split('.').next().unwrap_or_default();
            if first.is_empty() {
                continue;
            }
            all |= match letter {
                '$' if self.page.is_php && rest.starts_with("this->") => {
                    let member = rest[6..].split(|letter: char| !is_name(letter) || letter == '.').next();
                    self.held(None, &format!("->{}", member.unwrap_or_default())).unwrap_or(0)
                }
                '$' if self.page.is_php => {
                    let name = format!("${first}");
                    let is_sent = source::source(
                        &[Token::new(Kind::Word, name.as_str(), 0)],
                        0,
                        self.page,
                        &self.requests,
                    );
                    is_sent.map(|(_, bits)| bits).or_else(|| self.held(function, &name)).unwrap_or(0)
                }
                '{' => self.held(function, first).unwrap_or(0),
                '#' if self.page.is_cf => {
                    // `#expandPath(form.p)#`: any word of the expression.
                    let expression = rest.split('#').next().unwrap_or_default();
                    let expression = without_keys(expression);
                    let words = expression.split(|letter: char| !is_name(letter)).take(32);
                    words.map(|word| self.cold(word, function)).fold(0, |all, bits| all | bits)
                }
                _ => 0,
            };
        }
        all & (INPUT | FILE | CHECKED)
    }
}

/// A ColdFusion expression without the keys by which its structures are asked: `tasks[form.task]` is one of the
/// tasks; `form[name]` is what was sent.
fn without_keys(expression: &str) -> String {
    let (mut out, mut depth) = (String::new(), 0usize);
    for letter in expression.chars() {
        match letter {
            '[' => {
                let scope =
                    out.rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
                if depth == 0 && ["form", "url", "cookie"].iter().any(|own| scope.eq_ignore_ascii_case(own)) {
                    out.push_str(".x");
                }
                depth += 1;
            }
            ']' => depth = depth.saturating_sub(1),
            other if depth == 0 => out.push(other),
            _ => {}
        }
    }
    out
}

/// Whether what stands from `at` to `end` is only compared, or asked about.
fn is_compared(tokens: &[Token], at: usize, end: usize) -> bool {
    let compares = |token: &Token| {
        ["==", "!=", "===", "!==", "<>", "<", ">", "<=", ">="].iter().any(|sign| token.is(sign))
            || token.is_word("is")
    };
    let after = tokens.get(end);
    let asks = after.is_some_and(|dot| dot.is("."))
        && tokens.get(end + 1).is_some_and(|aspect| ASPECTS.iter().any(|own| aspect.is_word(own)));
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    asks || after.is_some_and(compares)
        || before.is_some_and(|before| compares(before) && !before.is("<") && !before.is(">"))
}
