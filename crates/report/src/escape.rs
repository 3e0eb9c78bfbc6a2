//! Makes text from evidence harmless to look at.
//!
//! [`visible`] is the common ground of terminal, HTML and CSV: characters that steer a terminal, reorder or
//! hide text are written out as `\xNN` (below U+0100) or `\u{N}`. A backslash itself stays as it is, since
//! doubling it would spoil every Windows path; where a reader doubts, the JSON files hold the text as it was.

use model::is_dangerous;
pub(crate) use model::{is_plain, push_visible, visible};
use std::borrow::Cow;

/// The text as a terminal may show it, on one line: for messages outside of the report.
pub fn escape_terminal(text: &str) -> Cow<'_, str> {
    visible(text)
}

/// The text for HTML content and quoted attributes: visible, and without a character that is markup.
pub(crate) fn html(text: &str) -> Cow<'_, str> {
    let is_markup = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'' | '`');
    if !text.contains(is_markup) && (is_plain(text) || !text.chars().any(is_dangerous)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            c => push_visible(c, &mut out),
        }
    }
    Cow::Owned(out)
}

/// The text as one CSV cell (RFC 4180): visible, always quoted, and no spreadsheet takes any of it for a formula.
///
/// A `'` goes before `=`, `+`, `-`, `@` (and their full-width forms) at the cell's beginning, also after blanks
/// and quotes. The same after `;`, because a spreadsheet that separates by `;` ignores our quotes and begins a
/// cell there. TAB and CR, which also begin formulas, are never written raw.
pub fn csv_cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_csv_cell(&mut out, text);
    out
}

/// Appends [`csv_cell`].
pub(crate) fn push_csv_cell(out: &mut String, text: &str) {
    let mut cell = CsvCell::begin(out);
    cell.push(out, text);
    CsvCell::end(out);
}

/// A cell of CSV that is written piece by piece, as [`csv_cell`] writes it in one.
pub(crate) struct CsvCell {
    at_beginning: bool,
}

impl CsvCell {
    /// Begins the cell.
    pub(crate) fn begin(out: &mut String) -> Self {
        out.push('"');
        Self { at_beginning: true }
    }

    /// Ends it.
    pub(crate) fn end(out: &mut String) {
        out.push('"');
    }

    /// Adds a piece.
    pub(crate) fn push(&mut self, out: &mut String, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            if !self.at_beginning {
                // Most text is of such letters, which change nothing here.
                let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'"' && *byte != b';';
                let plain = rest.bytes().take_while(|byte| is_plain(byte)).count();
                out.push_str(&rest[..plain]);
                rest = &rest[plain..];
            }
            let mut chars = rest.chars();
            if let Some(c) = chars.next() {
                self.push_char(out, c);
            }
            rest = chars.as_str();
        }
    }

    fn push_char(&mut self, out: &mut String, c: char) {
        match c {
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' if self.at_beginning => {
                out.push('\'');
                self.at_beginning = false;
            }
            ';' => self.at_beginning = true,
            '"' | '\'' | '`' => {}
            c if self.at_beginning && (c.is_whitespace() || is_dangerous(c)) => {}
            _ => self.at_beginning = false,
        }
        match c {
            '"' => out.push_str("\"\""),
            ' '..='~' => out.push(c),
            c => push_visible(c, out),
        }
    }
}

/// The text as a code span of Markdown, in which nothing is markup, link or mention: for values from evidence.
///
/// What could end the span, or the cell of a table, is written as [`visible`] writes controls: a backtick is `\x60`,
/// a bar `\x7c`.
pub(crate) fn markdown_code(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('`');
    for c in text.chars() {
        match c {
            '`' => out.push_str("\\x60"),
            '|' => out.push_str("\\x7c"),
            c => push_visible(c, &mut out),
        }
    }
    // An empty span is none.
    if out.len() == 1 {
        return String::new();
    }
    out.push('`');
    out
}

/// A sentence of ours with words from evidence in it, for Markdown: a word that could be more than a word there
/// becomes a code span, without the punctuation around it.
pub(crate) fn markdown_prose(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 16);
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        if is_plain_word(word) && !(index == 0 && begins_list(word)) {
            out.push_str(word);
            continue;
        }
        let inner = word.trim_start_matches(['(', '"', '“']);
        let (before, inner) = word.split_at(word.len() - inner.len());
        let core = inner.trim_end_matches(['.', ',', ';', ':', ')', '?', '"', '”']);
        let (core, after) = inner.split_at(core.len());
        match core {
            "" => out.push_str(&markdown_code(word)),
            core => [before, &markdown_code(core), after].iter().for_each(|part| out.push_str(part)),
        }
    }
    out
}

fn is_plain_word(word: &str) -> bool {
    const HARMLESS: &str = ".,;:()'\"/%?-–—…’‘“”×·≥≤°";
    let lower = word.to_ascii_lowercase();
    let is_link = lower.contains("://") || lower.contains("www.") || word.starts_with(':');
    !is_link && word.chars().all(|c| c.is_alphanumeric() || HARMLESS.contains(c))
}

/// `-`, `1.`, `2)` at the beginning of an item would be a list in it.
fn begins_list(word: &str) -> bool {
    let number =
        word.strip_suffix(['.', ')']).is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()));
    number || (!word.is_empty() && word.chars().all(|c| c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_written_out() {
        assert_eq!(visible("plain C:\\inetpub\\ümläut"), "plain C:\\inetpub\\ümläut");
        assert_eq!(visible("a\x1b[31mb\r\n\tc\x7f\u{9b}"), r"a\x1b[31mb\x0d\x0a\x09c\x7f\x9b");
        assert_eq!(visible("gnp\u{202e}exe\u{2028}\u{e0041}"), r"gnp\u{202e}exe\u{2028}\u{e0041}");
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(html("<a href='x\"&`\u{202e}"), "&lt;a href=&#39;x&quot;&amp;&#96;\\u{202e}");
        assert_eq!(html("plain"), "plain");
    }

    #[track_caller]
    fn check_csv(text: &str, expect: &str) {
        assert_eq!(csv_cell(text), expect, "{text:?}");
        let mut pieces = String::new();
        let mut cell = CsvCell::begin(&mut pieces);
        text.split_inclusive(|c| c != 'x').for_each(|piece| cell.push(&mut pieces, piece));
        CsvCell::end(&mut pieces);
        assert_eq!(pieces, expect, "{text:?} in pieces");
    }

    #[test]
    fn formulas_are_disarmed() {
        check_csv("plain, \"quoted\"", r#""plain, ""quoted""""#);
        check_csv("=1+1", r#""'=1+1""#);
        check_csv(" \"@SUM(A1)", r#"" ""'@SUM(A1)""#);
        check_csv("\t=1", r#""\x09'=1""#);
        check_csv("\r\n-1", r#""\x0d\x0a'-1""#);
        check_csv("x;=cmd|'/c calc'!A1", r#""x;'=cmd|'/c calc'!A1""#);
        check_csv("＝1", r#""'＝1""#);
        check_csv("/owa/auth/x.aspx?a=b-c", r#""/owa/auth/x.aspx?a=b-c""#);
    }

    #[test]
    fn values_are_code() {
        assert_eq!(markdown_code(r"C:\inetpub\x_y.aspx"), r"`C:\inetpub\x_y.aspx`");
        assert_eq!(markdown_code("a`b|c<b>\u{202e}"), r"`a\x60b\x7cc<b>\u{202e}`");
        assert_eq!(markdown_code(""), "");
    }

    #[track_caller]
    fn check_prose(text: &str, expect: &str) {
        assert_eq!(markdown_prose(text), expect, "{text:?}");
    }

    #[test]
    fn words_that_could_be_markup_are_code() {
        check_prose(
            "CVE-2021-26855, then more (2 of 3), at 05:11:02Z.",
            "CVE-2021-26855, then more (2 of 3), at 05:11:02Z.",
        );
        check_prose(r"page …\owa\a_b.aspx, from 192.0.2.7", r"page `…\owa\a_b.aspx`, from 192.0.2.7");
        check_prose("see (http://evil.example/x).", "see (`http://evil.example/x`).");
        check_prose(
            "www.evil.example @all #12 <b> *x* [a](b) &amp; :cat:",
            "`www.evil.example` `@all` `#12` `<b>` `*x*` `[a](b` ) `&amp`; `:cat`:"
                .replace("b` )", "b`)")
                .as_str(),
        );
        check_prose("- no list", "`-` no list");
        check_prose("17 of 31", "17 of 31");
        check_prose("1. no list", "`1`. no list");
        check_prose("a\u{202e}b\nc", r"`a\u{202e}b\x0ac`");
        check_prose("``` |", r"`\x60\x60\x60` `\x7c`");
    }
}
