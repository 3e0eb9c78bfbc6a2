//! What stands around a script: whether it is there to run, or is told of.
//!
//! A server runs what lies in a page whatever stands around it. A file that no
//! server runs by its name may be a page, too, before somebody renames it; but
//! notes, rules, reports and logs *quote* scripts, and a quoted script is none.
//! A quotation shows by what stands around it: a fence or a mark of quotation
//! before it, text before it on its line, sentences before it, the request that
//! carried it.
//!
//! # Not here
//! Which names a server runs: who reads a file knows that, and says it by [`Standing`].

use crate::decode::Units;
use std::ops::Range;

/// What a server makes of a file, by its name and place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// It runs what is in it: a page by its name.
    Runs,
    /// It hands it out; a handler or a page that includes it may run it.
    Served,
    /// Nothing, as long as it lies there, and it reads as a log.
    Log,
    /// Nothing, as long as it lies there.
    Lies,
    /// Nothing, and where it lies others write down what was sent to them.
    Logged,
}

/// So far before a script a mark of quotation is looked for.
const MARK_UNITS_MAX: usize = 256;
/// So many words after each other are a sentence, which no code and no markup is.
const SENTENCE_WORDS: usize = 5;
/// Beginnings of code that stands without a page around it.
const CODE_BEGINNINGS: [&str; 13] = [
    "#!",
    "<",
    "using ",
    "import ",
    "imports ",
    "package ",
    "namespace ",
    "public ",
    "option ",
    "[",
    "//",
    "/*",
    "'",
];

/// One file's text, as far as it tells a quotation.
pub(crate) struct Around {
    standing: Standing,
    /// It begins with markup, code or no text at all: what is said in it is said within a page.
    is_page: bool,
    is_code: bool,
    /// Where lines begin, ascending.
    lines: Vec<u32>,
    /// Where fences of Markdown begin and end, ascending.
    fences: Vec<usize>,
    /// Parts of XML that are text by declaration.
    texts: Vec<Range<usize>>,
    /// Where the first sentence or the first recorded request begins.
    told: usize,
}

impl Around {
    /// Looks at a whole file.
    pub(crate) fn new(units: &Units, standing: Standing) -> Self {
        let mut around = Self {
            standing,
            is_page: true,
            is_code: true,
            lines: Vec::new(),
            fences: Vec::new(),
            texts: Vec::new(),
            told: usize::MAX,
        };
        if standing == Standing::Runs {
            return around;
        }
        let bytes = &units.bytes;
        let first = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(bytes.len());
        around.is_page = is_markup(bytes.get(first..).unwrap_or_default()) || is_binary(bytes);
        around.is_code = CODE_BEGINNINGS.iter().any(|word| units.starts_with(first, word));
        let mut at = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            around.lines.push(at as u32);
            let text = line.trim_ascii();
            if text.starts_with(b"```") || text.starts_with(b"~~~") {
                around.fences.push(at);
            } else if around.told == usize::MAX && (is_message(text) || has_sentence(text)) {
                around.told = at;
            }
            at += line.len();
        }
        around.texts = texts(units);
        around
    }

    /// Whether what begins at `open` is quoted.
    pub(crate) fn is_quoted(&self, units: &Units, open: usize) -> bool {
        if self.standing == Standing::Runs {
            return false;
        }
        let before = self.line_before(units, open);
        let near = &before[before.len().saturating_sub(MARK_UNITS_MAX)..];
        if self.is_fenced(open) || self.is_text(open) || near.trim_ascii_end().ends_with(b"`") {
            return true;
        }
        // A line that begins with markup may have script anywhere.
        let before = if before.starts_with(b"<") { b"" } else { before };
        match self.standing {
            // Within a page there is text before script, on its line and on others.
            _ if self.is_page => false,
            Standing::Runs => false,
            Standing::Logged => true,
            Standing::Served if before.is_empty() => false,
            Standing::Served => near.iter().any(is_quote),
            Standing::Log => !before.is_empty(),
            Standing::Lies => !before.is_empty() || self.told < open,
        }
    }

    /// Whether code without a page around it, by the word at `at`, is there to run.
    pub(crate) fn is_code(&self, units: &Units, at: usize) -> bool {
        match self.standing {
            Standing::Runs | Standing::Served => true,
            Standing::Log | Standing::Logged => false,
            Standing::Lies => {
                self.is_code && !self.is_fenced(at) && !self.line_before(units, at).iter().any(is_quote)
            }
        }
    }

    fn is_fenced(&self, at: usize) -> bool {
        self.fences.partition_point(|fence| *fence < at) % 2 == 1
    }

    fn is_text(&self, at: usize) -> bool {
        let next = self.texts.partition_point(|text| text.start <= at);
        next.checked_sub(1).and_then(|last| self.texts.get(last)).is_some_and(|text| at < text.end)
    }

    /// What stands on the line before `at`.
    fn line_before<'u>(&self, units: &'u Units, at: usize) -> &'u [u8] {
        let next = self.lines.partition_point(|line| *line as usize <= at);
        let line = next.checked_sub(1).and_then(|last| self.lines.get(last)).map_or(0, |line| *line as usize);
        units.bytes.get(line..at).unwrap_or_default()
    }
}

fn is_quote(byte: &u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

fn is_markup(text: &[u8]) -> bool {
    let tag = |second: &u8| second.is_ascii_alphabetic() || matches!(second, b'%' | b'?' | b'!');
    (text.first() == Some(&b'<') && text.get(1).is_some_and(tag)) || text.starts_with(b"#!")
}

/// A picture or another file that is no text, whatever was put into it.
fn is_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(512)];
    let control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    head.starts_with(b"GIF8") || head.starts_with(b"%PDF") || head.iter().any(control)
}

/// The first line of a recorded request or answer.
fn is_message(line: &[u8]) -> bool {
    let end = line.len().checked_sub(9).and_then(|from| line.get(from..)).unwrap_or_default();
    end.starts_with(b" HTTP/") || line.starts_with(b"HTTP/1.")
}

/// Whether a line says something in words.
fn has_sentence(line: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80 || matches!(byte, b'\'' | b'-');
    let is_word = |word: &[u8]| {
        let bare = word.strip_suffix(b",").or(word.strip_suffix(b":")).unwrap_or(word);
        !bare.is_empty() && bare.iter().all(letter) && bare.first() != Some(&b'-')
    };
    let mut words = 0;
    line.split(|byte| *byte == b' ').any(|word| {
        words = if is_word(word) { words + 1 } else { 0 };
        words >= SENTENCE_WORDS
    })
}

/// What XML declares to be text.
fn texts(units: &Units) -> Vec<Range<usize>> {
    let end = units.bytes.len();
    let mut texts = Vec::new();
    let mut at = 0;
    while let Some(open) = units.find("<![cdata[", at, end) {
        at = units.find("]]>", open, end).unwrap_or(end);
        texts.push(open + 1..at);
    }
    texts
}
