//! Lines of a given width, wrapped and inked; the only place that writes terminal escapes.

use super::Style;
use crate::digest::Severity;
use crate::escape::visible;
use model::{AnswerWord, Level};
use unicode_width::UnicodeWidthChar;

/// Lines that one text may take before it is shortened.
const LINES_MAX: usize = 4;
/// Fewer columns than these beside a table make a text go below it.
const BESIDE_MIN: usize = 28;

/// How a piece of text is inked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ink {
    Plain,
    Strong,
    Faint,
    Red,
    Yellow,
    Green,
    Cyan,
}

impl Ink {
    pub(super) const fn of_answer(word: AnswerWord) -> Self {
        match word {
            AnswerWord::Yes => Self::Red,
            AnswerWord::Likely => Self::Yellow,
            AnswerWord::NoTrace => Self::Green,
            AnswerWord::CannotTell => Self::Cyan,
            AnswerWord::NotApplicable => Self::Faint,
        }
    }

    pub(super) const fn of_severity(severity: Severity) -> Self {
        match severity {
            Severity::Breached => Self::Red,
            Severity::ProbablyBreached | Severity::Suspicious | Severity::Probed => Self::Yellow,
            Severity::CannotTell => Self::Cyan,
            Severity::NoTrace => Self::Green,
            Severity::Unjudged => Self::Plain,
        }
    }

    pub(super) const fn of_level(level: Level) -> Self {
        match level {
            Level::Critical | Level::High => Self::Red,
            Level::Medium => Self::Yellow,
            Level::Low | Level::Informational => Self::Plain,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Red => "1;31",
            Self::Yellow => "33",
            Self::Green => "32",
            Self::Cyan => "36",
        }
    }
}

/// How much room a verdict gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Brief {
    Whole,
    OneLine,
}

/// Columns of a text. A character without a width counts as one, so that a heap of combining marks is shortened
/// like any other text.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    c.width().unwrap_or(1).max(1)
}

/// What was drawn so far. Every method takes raw text and makes it visible first.
pub(super) struct Screen {
    out: String,
    width: usize,
    colour: bool,
}

impl Screen {
    pub(super) fn new(style: &Style) -> Self {
        Self { out: String::new(), width: style.width.clamp(60, 160), colour: style.colour }
    }

    pub(super) fn into_text(self) -> String {
        self.out
    }

    /// An empty line, unless there is one.
    pub(super) fn gap(&mut self) {
        if !self.out.ends_with("\n\n") && !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    pub(super) fn line(&mut self, text: &str) {
        self.item("", Ink::Plain, text, 0);
    }

    pub(super) fn title(&mut self, text: &str) {
        let text = self.paint(&visible(text), Ink::Strong);
        self.push_line(" ", &text);
    }

    pub(super) fn warning(&mut self, text: &str) {
        self.item("! ", Ink::Yellow, text, 0);
    }

    /// One text at the left, one at the right end of the line.
    pub(super) fn ends(&mut self, left: &str, right: &str) {
        let (left, right) = (visible(left), visible(right));
        let used = 1 + width(&left) + width(&right);
        if used + 2 > self.width {
            return self.line(&format!("{left} · {right}"));
        }
        let blank = " ".repeat(self.width - used);
        let right = self.paint(&right, Ink::Faint);
        self.push_line(" ", &format!("{left}{blank}{right}"));
    }

    /// A lead, and a text that hangs beside it; each level of `depth` indents by two.
    pub(super) fn item(&mut self, lead: &str, ink: Ink, text: &str, depth: usize) {
        let indent = " ".repeat(1 + 2 * depth);
        let (lead, text) = (visible(lead), visible(text));
        let lead_ink = if lead.trim().is_empty() { Ink::Plain } else { ink };
        let text_ink = if lead.is_empty() { ink } else { Ink::Plain };
        let room = self.width.saturating_sub(indent.len());
        // A long lead must not squeeze its text: then the text hangs at a fixed place.
        let hanging = if room.saturating_sub(width(&lead)) < BESIDE_MIN { 4 } else { width(&lead) };
        let first_room = room.saturating_sub(width(&lead));
        let lines = wrap(&text, first_room, room.saturating_sub(hanging), LINES_MAX);
        let lead = self.paint(&lead, lead_ink);
        for (index, line) in lines.iter().enumerate() {
            let line = self.paint(line, text_ink);
            if index == 0 {
                self.push_line(&indent, &format!("{lead}{line}"));
            } else {
                self.push_line(&indent, &format!("{}{line}", " ".repeat(hanging)));
            }
        }
    }

    /// A place (the end of it says more than its beginning) and a text, on one line.
    pub(super) fn brief(&mut self, place: &str, text: &str) {
        let place = self.tail(place, self.width / 2);
        let room = self.width.saturating_sub(3 + width(&place) + 2);
        let text = self.cut(text, room);
        self.push_line("   ", &format!("{place}: {text}"));
    }

    /// A host's name and verdict, and more of it below; or, when `brief`, as much as fits on the line.
    pub(super) fn verdict(&mut self, name: &str, headline: &str, ink: Ink, text: &str, brief: Brief) {
        let name = self.cut(name, self.width / 2);
        let hanging = width(&name).max(8) + 2;
        let pad = " ".repeat(hanging - width(&name));
        let room = self.width - 1 - hanging;
        let start = format!("{}{pad}", self.paint(&name, Ink::Strong));
        let (mut headline, mut text) = (visible(headline).into_owned(), visible(text).into_owned());
        if headline.is_empty() {
            std::mem::swap(&mut headline, &mut text);
        }
        if brief == Brief::OneLine {
            let headline = self.cut(&headline, room);
            let left = room.saturating_sub(width(&headline) + 2);
            let text = if left < 12 { String::new() } else { self.cut(&text, left) };
            let headline = self.paint(&headline, ink);
            return self.push_line(" ", &format!("{start}{headline}  {text}"));
        }
        let mut before = start;
        for line in wrap(&headline, room, room, LINES_MAX) {
            let line = self.paint(&line, ink);
            self.push_line(" ", &format!("{before}{line}"));
            before = " ".repeat(hanging);
        }
        for line in wrap(&text, room, room, LINES_MAX).iter().filter(|line| !line.is_empty()) {
            self.push_line(" ", &format!("{before}{line}"));
        }
    }

    /// Columns of fixed width, and a text beside them, cut to what is left of the line.
    pub(super) fn short_row(&mut self, columns: &[(&str, usize, Ink)], text: &str) {
        let (row, used) = self.columns(columns);
        let text = self.cut(text, self.width.saturating_sub(used));
        self.push_line("   ", format!("{row}{text}").trim_end());
    }

    /// Columns of fixed width, and how much of the line is used with its indent.
    fn columns(&self, columns: &[(&str, usize, Ink)]) -> (String, usize) {
        let mut row = String::new();
        let mut used = 3;
        for (cell, columns, ink) in columns {
            let cell = self.cut(cell, *columns);
            let pad = " ".repeat(columns - width(&cell) + 2);
            row.push_str(&self.paint(&cell, *ink));
            row.push_str(&pad);
            used += columns + 2;
        }
        (row, used)
    }

    /// Columns of fixed width, and a text beside them, or below where there is no room.
    pub(super) fn row(&mut self, columns: &[(&str, usize, Ink)], text: &str) {
        let text = visible(text);
        let (row, used) = self.columns(columns);
        let room = self.width.saturating_sub(used);
        if room >= BESIDE_MIN {
            let lines = wrap(&text, room, room, LINES_MAX);
            for (index, line) in lines.iter().enumerate() {
                let before = if index == 0 { row.as_str() } else { &" ".repeat(used - 3) };
                self.push_line("   ", &format!("{before}{line}"));
            }
        } else {
            self.push_line("   ", row.trim_end());
            let room = self.width.saturating_sub(6);
            for line in wrap(&text, room, room, LINES_MAX).iter().filter(|line| !line.is_empty()) {
                self.push_line("      ", line);
            }
        }
    }

    /// The text made visible and cut to `columns`, with `…` for what is cut off.
    pub(super) fn cut(&self, text: &str, columns: usize) -> String {
        let text = visible(text);
        if width(&text) <= columns { text.into_owned() } else { format!("{}…", prefix(&text, columns - 1)) }
    }

    /// The same, keeping the end.
    fn tail(&self, text: &str, columns: usize) -> String {
        let text = visible(text);
        if width(&text) <= columns {
            return text.into_owned();
        }
        let mut room = columns - 1;
        let fits = |c: &char| {
            let fits = char_width(*c) <= room;
            room = room.saturating_sub(char_width(*c));
            fits
        };
        let mut end: Vec<_> = text.chars().rev().take_while(fits).collect();
        end.reverse();
        format!("…{}", end.into_iter().collect::<String>())
    }

    fn paint(&self, text: &str, ink: Ink) -> String {
        match ink.code() {
            code if self.colour && !code.is_empty() && !text.is_empty() => {
                format!("\x1b[{code}m{text}\x1b[0m")
            }
            _ => text.to_owned(),
        }
    }

    fn push_line(&mut self, indent: &str, text: &str) {
        self.out.push_str(format!("{indent}{text}").trim_end());
        self.out.push('\n');
    }
}

/// As many characters as fit into `columns`.
fn prefix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += char_width(*c);
        used > columns
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// Lines of at most `first` columns, then `rest`; at least one. A first line without room stays empty. A word longer than a line is broken. What does
/// not fit into `lines_max` is cut, and a `…` says so.
fn wrap(text: &str, first: usize, rest: usize, lines_max: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let room = |lines: &[String]| if lines.len() == 1 { first } else { rest.max(8) };
    for word in text.split_whitespace() {
        let mut word = word;
        loop {
            let room = room(&lines);
            let is_last = lines.len() == lines_max;
            let Some(line) = lines.last_mut() else { return lines };
            let used = width(line) + usize::from(!line.is_empty());
            if used + width(word) <= room {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
                break;
            }
            if is_last {
                let cut = prefix(line, room.saturating_sub(1)).trim_end().len();
                line.truncate(cut);
                line.push('…');
                return lines;
            }
            // A word that fits on no line begins where it stands.
            if width(word) > rest.max(8) && used + 8 <= room {
                let part = prefix(word, room - used);
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(part);
                word = &word[part.len()..];
            }
            lines.push(String::new());
        }
    }
    lines
}
