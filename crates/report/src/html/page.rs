//! Writes HTML in which only constant text can be markup.

use crate::mask::Mask;
use crate::{escape, words};
use std::io::{self, Write};

/// Characters of one value that a page shows.
const VALUE_CHARS_MAX: usize = 300;

/// A page that is being written.
pub(super) struct Page<'w> {
    out: &'w mut dyn Write,
    mask: &'w Mask,
}

impl<'w> Page<'w> {
    pub(super) fn new(out: &'w mut dyn Write, mask: &'w Mask) -> Self {
        Self { out, mask }
    }

    /// Markup of our own.
    pub(super) fn raw(&mut self, markup: &'static str) -> io::Result<()> {
        self.out.write_all(markup.as_bytes())
    }

    /// Anything else, masked, then escaped for content and for quoted attributes.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(escape::html(&self.mask.apply(text)).as_bytes())
    }

    /// Text, cut with `…` where it is very long.
    pub(super) fn value(&mut self, text: &str) -> io::Result<()> {
        // What is cut cannot be told from something else, so masking comes first.
        let text = self.mask.apply(text);
        let (shown, rest) = match text.char_indices().nth(VALUE_CHARS_MAX) {
            None => (&*text, ""),
            Some((end, _)) => (&text[..end], "…"),
        };
        self.out.write_all(escape::html(shown).as_bytes())?;
        self.out.write_all(rest.as_bytes())
    }

    pub(super) fn element(&mut self, open: &'static str, text: &str, close: &'static str) -> io::Result<()> {
        self.raw(open)?;
        self.text(text)?;
        self.raw(close)
    }

    /// Begins a table; rows follow, then [`Page::end_table`]. A `#` before a column's name says that it holds numbers.
    pub(super) fn table(&mut self, caption: &str, columns: &[&'static str]) -> io::Result<()> {
        self.raw("<div class=\"scroll\"><table>\n")?;
        self.element("<caption>", caption, "</caption>\n<thead><tr>")?;
        for column in columns {
            match column.strip_prefix('#') {
                Some(number) => self.element("<th scope=\"col\" class=\"number\">", number, "</th>")?,
                None => self.element("<th scope=\"col\">", column, "</th>")?,
            }
        }
        self.raw("</tr></thead>\n<tbody>\n")
    }

    pub(super) fn end_table(&mut self) -> io::Result<()> {
        self.raw("</tbody></table></div>\n")
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
