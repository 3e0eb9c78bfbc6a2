//! Writes HTML in which only constant text can be markup.

use crate::mask::Mask;
use crate::{escape, words};
use std::collections::HashMap;
use std::io::{self, Write};

/// Characters of one value that a page shows.
const VALUE_CHARS_MAX: usize = 300;

/// Bytes of a text, masked or not, up to which it is remembered as it is written; no text so short is cut.
const REMEMBERED_BYTES_MAX: usize = 128;
/// Texts that are remembered at one time.
const REMEMBERED_MAX: usize = 8_192;

/// A page that is being written.
pub(super) struct Page<'w> {
    out: &'w mut dyn Write,
    mask: &'w Mask,
    /// Values as they are written: most come again and again in thousands of rows.
    remembered: HashMap<Box<str>, Box<str>>,
    /// Where links lead: nothing for this page itself, else the file that holds the report.
    home: &'w str,
    written: u64,
}

impl<'w> Page<'w> {
    pub(super) fn new(out: &'w mut dyn Write, mask: &'w Mask, home: &'w str) -> Self {
        Self { out, mask, remembered: HashMap::new(), home, written: 0 }
    }

    /// Bytes written so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.written += text.len() as u64;
        self.out.write_all(text.as_bytes())
    }

    /// Markup of our own.
    pub(super) fn raw(&mut self, markup: &'static str) -> io::Result<()> {
        self.write(markup)
    }

    /// Anything else, masked, then escaped for content and for quoted attributes.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        let mask = self.mask;
        self.write(&escape::html(&mask.apply(text)))
    }

    /// Begins a link with `open`, which ends at the address, to `id` on the report; the caller ends it.
    pub(super) fn link(&mut self, id: &str, open: &'static str) -> io::Result<()> {
        self.raw(open)?;
        self.text(self.home)?;
        self.element("#", id, "\">")
    }

    /// Text of several lines, in a `<pre>`: line breaks are kept, all else is escaped.
    pub(super) fn lines(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines() {
            self.text(&line.trim_end().replace('\t', "    "))?;
            self.raw("\n")?;
        }
        Ok(())
    }

    /// Text, cut with `…` where it is very long.
    pub(super) fn value(&mut self, text: &str) -> io::Result<()> {
        self.short(text, VALUE_CHARS_MAX)
    }

    /// Text, cut with `…` behind so many letters.
    pub(super) fn short(&mut self, text: &str, chars_max: usize) -> io::Result<()> {
        let is_known = text.len() <= REMEMBERED_BYTES_MAX && chars_max >= REMEMBERED_BYTES_MAX;
        if let Some(known) = self.remembered.get(text).filter(|_| is_known) {
            self.written += known.len() as u64;
            return self.out.write_all(known.as_bytes());
        }
        // What is cut cannot be told from something else, so masking comes first.
        let mask = self.mask;
        let masked = mask.apply(text);
        let (shown, rest) = cut(&masked, chars_max);
        let shown = escape::html(shown);
        self.write(&shown)?;
        self.write(rest)?;
        if is_known && masked.len() <= REMEMBERED_BYTES_MAX {
            self.remember(text, &shown);
        }
        Ok(())
    }

    fn remember(&mut self, text: &str, shown: &str) {
        if self.remembered.len() >= REMEMBERED_MAX {
            self.remembered.clear();
        }
        self.remembered.insert(text.into(), shown.into());
    }

    /// Text that is written in full, and comes again in other rows.
    pub(super) fn again(&mut self, text: &str) -> io::Result<()> {
        if text.len() > REMEMBERED_BYTES_MAX { self.text(text) } else { self.short(text, usize::MAX) }
    }

    /// Text between markup.
    pub(super) fn element(&mut self, open: &'static str, text: &str, close: &'static str) -> io::Result<()> {
        self.raw(open)?;
        self.text(text)?;
        self.raw(close)
    }

    /// Begins a table; rows follow, then [`Page::end_table`]. A `#` before a column's name says that it holds numbers.
    pub(super) fn table(&mut self, caption: &str, columns: &[&'static str]) -> io::Result<()> {
        self.bare_table(caption, columns)?;
        self.raw("<tbody>\n")
    }

    pub(super) fn end_table(&mut self) -> io::Result<()> {
        self.raw("</tbody>")?;
        self.end_bare_table()
    }

    /// The same without a body: each row brings its own.
    pub(super) fn bare_table(&mut self, caption: &str, columns: &[&'static str]) -> io::Result<()> {
        self.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"")?;
        self.element("", caption, "\"><table>\n")?;
        self.element("<caption>", caption, "</caption>\n<thead><tr>")?;
        for column in columns {
            match column.strip_prefix('#') {
                Some(number) => self.element("<th scope=\"col\" class=\"number\">", number, "</th>")?,
                None => self.element("<th scope=\"col\">", column, "</th>")?,
            }
        }
        self.raw("</tr></thead>\n")
    }

    pub(super) fn end_bare_table(&mut self) -> io::Result<()> {
        self.raw("</table></div>\n")
    }

    pub(super) fn cell(&mut self, text: &str) -> io::Result<()> {
        self.raw("<td>")?;
        self.value(text)?;
        self.raw("</td>")
    }

    /// A cell that names its row.
    pub(super) fn row_head(&mut self, text: &str) -> io::Result<()> {
        self.raw("<th scope=\"row\">")?;
        self.value(text)?;
        self.raw("</th>")
    }

    pub(super) fn number(&mut self, text: &str) -> io::Result<()> {
        self.element("<td class=\"number\">", text, "</td>")
    }

    pub(super) fn time(&mut self, text: &str) -> io::Result<()> {
        self.element("<td class=\"time\">", text, "</td>")
    }

    /// Says how many of `total` are not on the page, if any.
    pub(super) fn rest(
        &mut self,
        total: usize,
        shown: usize,
        noun: &str,
        file: &'static str,
    ) -> io::Result<()> {
        if total <= shown {
            return Ok(());
        }
        let count = words::count((total - shown) as u64, &format!("more {noun}"));
        self.element("<p class=\"rest\">", &count, ", all of them in <code>")?;
        self.element("", file, "</code>.</p>\n")
    }
}

/// So many letters of a text, and the sign that there are more.
fn cut(text: &str, chars_max: usize) -> (&str, &'static str) {
    if text.len() <= chars_max {
        return (text, "");
    }
    match text.char_indices().nth(chars_max) {
        None => (text, ""),
        Some((end, _)) => (&text[..end], "…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_remembered_is_written_as_before() {
        let aliases = BTreeMap::from([("jo".to_owned(), "person-1".to_owned())]);
        let mask = Mask::new(aliases);
        let long = "x".repeat(REMEMBERED_BYTES_MAX + 50);
        // Masked, it is longer than what may be remembered.
        let grows = "jo ".repeat(40);
        let mut out = Vec::new();
        let mut page = Page::new(&mut out, &mask, "");
        let mut written = Vec::new();
        for _ in 0..3 {
            for text in ["<b>", "by jo", &long, &grows, ""] {
                let before = page.written();
                page.value(text).unwrap();
                page.raw("|").unwrap();
                page.short(text, 140).unwrap();
                page.raw("|").unwrap();
                page.again(text).unwrap();
                page.raw("\n").unwrap();
                written.push(page.written() - before);
            }
        }
        assert_eq!(written[..5], written[5..10]);
        assert_eq!(written.iter().sum::<u64>(), out.len() as u64);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..5], lines[5..10]);
        assert_eq!(lines[..5], lines[10..]);
        assert_eq!(lines[..2], ["&lt;b&gt;|&lt;b&gt;|&lt;b&gt;", "by person-1|by person-1|by person-1"]);
        assert!(lines[2].contains(&format!("|{}…|", &long[..140])));
        assert!(lines[3].starts_with(&"person-1 ".repeat(33)) && lines[3].ends_with(&"person-1 ".repeat(40)));
    }
}
