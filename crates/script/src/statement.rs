//! Statements, and the functions they stand in.

use crate::token::{Kind, Token};

/// Statements of one script.
const STATEMENTS_MAX: usize = 200_000;
/// Words before a bracket that are no function's name.
const CONTROL: &[&str] = &[
    "if",
    "for",
    "foreach",
    "while",
    "switch",
    "catch",
    "using",
    "lock",
    "elseif",
    "synchronized",
    "fixed",
    "return",
    "new",
    "with",
    "unless",
    "and",
    "or",
    "not",
    "array",
    "list",
    "isset",
    "empty",
];
/// Attributes that open a function to the net.
const REMOTE: &[&str] = &[
    "webmethod",
    "operationcontract",
    "scriptmethod",
    "webinvoke",
    "webget",
    "httppost",
    "httpget",
    "requestmapping",
    "postmapping",
    "getmapping",
    "frombody",
    "fromform",
    "fromquery",
];

/// One statement.
#[derive(Default)]
pub(crate) struct Statement {
    pub(crate) tokens: Vec<Token>,
    /// The function it stands in: an index into [`Statements::functions`].
    pub(crate) function: Option<u32>,
    /// The function without a name whose body ended just before: the statement goes on with what stands beside it.
    pub(crate) beside: Option<u32>,
}

/// A function of the script.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
    /// Whether its arguments come over the net.
    pub(crate) is_remote: bool,
}

/// One parameter: its type, where one stands there, and its name.
pub(crate) struct Parameter {
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// A script in statements.
#[derive(Default)]
pub(crate) struct Statements {
    pub(crate) list: Vec<Statement>,
    pub(crate) functions: Vec<Function>,
}

/// What the end of a line means.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lines {
    /// Nothing.
    #[default]
    None,
    /// The end of a statement, as in Visual Basic.
    Basic,
    /// The same, and functions have no braces.
    Python,
}

/// Cuts tokens into statements.
pub(crate) fn split(tokens: Vec<Token>, lines: Lines) -> Statements {
    // A `.soap` page is an object that is called from afar.
    let is_remote = tokens.iter().any(|token| token.is_word("marshalbyrefobject"));
    let mut cutter = Cutter { is_vb: lines == Lines::Basic, lines, is_remote, ..Cutter::default() };
    for token in tokens {
        cutter.take(token);
        if cutter.all.list.len() >= STATEMENTS_MAX {
            break;
        }
    }
    cutter.end();
    cutter.all
}

#[derive(Default)]
struct Cutter {
    is_vb: bool,
    /// All public functions are called over the net.
    is_remote: bool,
    lines: Lines,
    all: Statements,
    open: Vec<Token>,
    /// Brackets that are open in the statement.
    brackets: Vec<u8>,
    /// Whether `new` stands outside of them: a brace then begins its fields.
    makes: bool,
    depth: u32,
    /// The functions around, and the depth at which each ends.
    around: Vec<(u32, u32)>,
    /// The function that ended last, where nothing came after it yet.
    ended: Option<u32>,
}

impl Cutter {
    fn take(&mut self, token: Token) {
        match token.kind {
            Kind::Edge => self.end(),
            Kind::Line => {
                let goes_on = self.open.last().is_none_or(|last| {
                    last.text == "_" || ["(", ",", "+", "&", "=", "."].iter().any(|sign| last.is(sign))
                });
                if self.lines != Lines::None && self.brackets.is_empty() && !goes_on {
                    self.end();
                } else if self.open.last().is_some_and(|last| last.text == "_") {
                    self.open.pop();
                }
            }
            Kind::Sign => self.sign(token),
            _ => {
                if self.brackets.is_empty() && token.is_word("new") {
                    self.makes = true;
                }
                self.open.push(token);
            }
        }
    }

    fn sign(&mut self, token: Token) {
        match token.text.as_str() {
            ";" if self.brackets.last() != Some(&b'f') => self.end(),
            // Visual Basic has braces around values only.
            "{" if !self.is_vb && self.is_block() => {
                self.depth += 1;
                if let Some(mut function) = definition(&self.open) {
                    function.is_remote |= self.is_remote && self.open[0].is_word("public");
                    self.all.functions.push(function);
                    self.around.push((self.all.functions.len() as u32 - 1, self.depth));
                }
                self.end();
            }
            "}" if self.brackets.last() != Some(&b'{') => {
                self.end();
                self.ended = None;
                while let Some((function, _)) = self.around.pop_if(|(_, depth)| *depth >= self.depth) {
                    self.ended = Some(function);
                }
                self.depth = self.depth.saturating_sub(1);
            }
            text @ ("(" | "[" | "{") => {
                let is_for = text == "(" && self.open.last().is_some_and(|last| last.is_word("for"));
                self.brackets.push(if is_for { b'f' } else { text.as_bytes()[0] });
                self.open.push(token);
            }
            ")" | "]" | "}" => {
                self.brackets.pop();
                self.open.push(token);
            }
            ":" if self.is_vb || (self.lines == Lines::Python && self.brackets.is_empty()) => self.end(),
            _ => self.open.push(token),
        }
    }

    /// Whether a brace begins a block, and not the fields of something new.
    fn is_block(&self) -> bool {
        let Some(last) = self.open.last() else { return true };
        let is_value = ["=", "(", ",", "[", ":", "{", "?", "=>"].iter().any(|sign| last.is(sign))
            || last.is_word("return")
            || last.is_word("with");
        // Java's `line -> {` is no `$object->{name}`.
        let is_java = last.is("->") && !self.open.iter().any(|token| token.text.starts_with('$'));
        if last.is("=>") || is_java {
            return true;
        }
        // `$name{key}` in Perl, `A::{name}()` in PHP.
        let is_variable =
            (last.kind == Kind::Word && last.text.starts_with('$')) || last.is("::") || last.is("->");
        !(is_value || self.makes || is_variable) && (self.brackets.is_empty() || last.is(")"))
    }

    fn end(&mut self) {
        self.brackets.clear();
        self.makes = false;
        let tokens = std::mem::take(&mut self.open);
        if tokens.is_empty() {
            return;
        }
        if self.is_vb {
            self.vb_function(&tokens);
        } else if is_remote(&tokens)
            && let Some(function) = definition(&tokens)
            && self.all.functions.last().is_none_or(|last| last.name != function.name)
        {
            // Declared without a body, in an interface.
            self.all.functions.push(function);
        }
        let function = self.around.last().map(|(function, _)| *function);
        let beside = self.ended.take().filter(|_| tokens[0].is(","));
        self.all.list.push(Statement { tokens, function, beside });
    }

    fn vb_function(&mut self, tokens: &[Token]) {
        if tokens[0].is_word("end")
            && tokens.get(1).is_some_and(|what| what.is_word("sub") || what.is_word("function"))
        {
            self.around.pop();
            return;
        }
        let Some(at) = tokens.iter().position(|token| token.is_word("sub") || token.is_word("function"))
        else {
            return;
        };
        if at > 0 && (tokens[at - 1].is_word("exit") || tokens[at - 1].is_word("end")) {
            return;
        }
        let Some(name) = tokens.get(at + 1).filter(|name| name.kind == Kind::Word) else { return };
        let list = tokens
            .get(at + 2..)
            .filter(|rest| rest.first().is_some_and(|open| open.is("(")))
            .map_or(&[][..], within);
        self.all.functions.push(Function {
            name: name.text.clone(),
            parameters: parameters(list),
            is_remote: is_remote(&tokens[..at]),
        });
        // A function does not stand within another.
        self.around.clear();
        self.around.push((self.all.functions.len() as u32 - 1, u32::MAX));
    }
}

/// The function whose body begins after these tokens.
fn definition(tokens: &[Token]) -> Option<Function> {
    if let Some(own) = lambda(tokens).or_else(|| nameless(tokens)) {
        return Some(own);
    }
    let open = tokens.windows(2).position(|pair| {
        let is_name = pair[0].kind == Kind::Word && !CONTROL.iter().any(|word| pair[0].is_word(word));
        is_name && pair[1].is("(") && !REMOTE.iter().any(|word| pair[0].is_word(word))
    })?;
    let before = &tokens[..open];
    let assigned = assigned(before);
    let name = match assigned {
        // `var f = function (a)`.
        Some(at) if tokens[open].is_word("function") => &before[at.checked_sub(1)?],
        Some(_) => return None,
        None => &tokens[open],
    };
    let is_told = before
        .last()
        .is_some_and(|last| last.kind == Kind::Word || last.is("]") || last.is(">") || last.is("*"));
    if !is_told && assigned.is_none() {
        return None;
    }
    if tokens[0].is_word("new") || before.last().is_some_and(|last| last.is_word("new")) {
        return None;
    }
    Some(Function {
        name: name.text.clone(),
        parameters: parameters(within(&tokens[open + 1..])),
        is_remote: is_remote(before),
    })
}

/// The first `=` that stands in no bracket (of an attribute).
fn assigned(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Sign) {
        match token.text.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "=" if depth == 0 => return Some(index),
            _ => {}
        }
    }
    None
}

/// `Start(delegate (object a) {`, `each(function (a) {`, `each($list, function ($a) use ($b) {`, `each(list, a -> {`.
fn nameless(tokens: &[Token]) -> Option<Function> {
    let own =
        |list: &[Token]| Function { name: String::new(), parameters: parameters(list), is_remote: false };
    if let Some((arrow, before)) = tokens.split_last().filter(|(last, _)| last.is("=>") || last.is("->")) {
        let (list, at) = match before.last()? {
            close if close.is(")") => {
                let open = before.iter().rposition(|token| token.is("("))?;
                (&before[open + 1..before.len() - 1], open)
            }
            _ => (&before[before.len() - 1..], before.len() - 1),
        };
        let is_list = list.iter().all(|token| token.kind == Kind::Word || token.is(","));
        let is_argument =
            at.checked_sub(1).is_some_and(|before| tokens[before].is("(") || tokens[before].is(","));
        let is_own = arrow.is("=>") || !tokens.iter().any(|token| token.text.starts_with('$'));
        return (is_list && is_argument && is_own).then(|| own(list));
    }
    tokens.last().filter(|last| last.is(")"))?;
    let at = tokens
        .windows(2)
        .rposition(|pair| (pair[0].is_word("delegate") || pair[0].is_word("function")) && pair[1].is("("))?;
    let list = within(&tokens[at + 1..]);
    let is_argument =
        at.checked_sub(1).is_some_and(|before| tokens[before].is("(") || tokens[before].is(","));
    let end = at + list.len() + 3;
    let uses = tokens.get(end).is_some_and(|word| word.is_word("use"));
    let is_whole = if uses { end + within(&tokens[end + 1..]).len() + 3 } else { end } == tokens.len();
    (is_argument && is_whole).then(|| own(list))
}

/// `Action<string> run = (a, b) => {`.
fn lambda(tokens: &[Token]) -> Option<Function> {
    let (arrow, before) = tokens.split_last()?;
    let assigned =
        before.iter().position(|token| token.is("=")).filter(|_| arrow.is("=>") || arrow.is("->"))?;
    let name = before.get(assigned.checked_sub(1)?).filter(|name| name.kind == Kind::Word)?;
    let list = before.get(assigned + 1..)?;
    let list = if list.first().is_some_and(|first| first.is("(")) { within(list) } else { list };
    let is_list = list.iter().all(|token| token.kind == Kind::Word || token.is(","));
    is_list.then(|| Function { name: name.text.clone(), parameters: parameters(list), is_remote: false })
}

fn is_remote(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| REMOTE.iter().any(|word| token.is_word(word)))
}

/// What stands in the brackets that the first token opens.
pub(crate) fn within(tokens: &[Token]) -> &[Token] {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Sign {
            continue;
        }
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return &tokens[1..index];
                }
            }
            _ => {}
        }
    }
    tokens.get(1..).unwrap_or_default()
}

/// The parts of a list, cut at commas that stand in no brackets of their own.
pub(crate) fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0usize, 0);
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Sign) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                parts.push(&tokens[from..index]);
                from = index + 1;
            }
            _ => {}
        }
    }
    if from < tokens.len() {
        parts.push(&tokens[from..]);
    }
    parts
}

fn parameters(list: &[Token]) -> Vec<Parameter> {
    let one = |part: &[Token]| {
        // `ByVal a As String`, JScript's `a : String`.
        let ends = |token: &Token| token.is("=") || token.is(":") || token.is_word("as");
        let end = part.iter().position(ends).unwrap_or(part.len());
        let name = part[..end].iter().rfind(|token| token.kind == Kind::Word);
        let kind = part.iter().find(|token| token.kind == Kind::Word && Some(*token) != name);
        // `ByVal r As HttpRequest`.
        let kind = if end < part.len() && part[end].is_word("as") { part.get(end + 1) } else { kind };
        Parameter {
            kind: kind.map(|kind| kind.text.clone()).unwrap_or_default(),
            name: name.map(|name| name.text.clone()).unwrap_or_default(),
        }
    };
    parts(list).into_iter().map(one).collect()
}
