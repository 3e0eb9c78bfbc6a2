//! Writes Markdown in which only constant text can be markup.

use crate::mask::Mask;
use crate::{escape, words};
use std::io::{self, Write};

/// Characters of one value or sentence that a sheet shows.
const CHARS_MAX: usize = 1_000;

/// A sheet that is being written.
pub(super) struct Sheet<'w> {
    out: &'w mut dyn Write,
    mask: &'w Mask,
}

impl<'w> Sheet<'w> {
    pub(super) fn new(out: &'w mut dyn Write, mask: &'w Mask) -> Self {
        Self { out, mask }
    }

    /// Markup of our own.
    pub(super) fn ours(&mut self, markup: &'static str) -> io::Result<()> {
        self.out.write_all(markup.as_bytes())
    }

    /// A sentence: see [`escape::markdown_prose`].
    pub(super) fn prose(&mut self, text: &str) -> io::Result<()> {
        self.masked(text, escape::markdown_prose)
    }

    /// A value: see [`escape::markdown_code`].
    pub(super) fn code(&mut self, text: &str) -> io::Result<()> {
        self.masked(text, escape::markdown_code)
    }

    /// A sentence that is never cut: somebody's own words.
    pub(super) fn whole(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(escape::markdown_prose(&self.mask.apply(text)).as_bytes())
    }

    /// What is cut cannot be told from something else, so masking comes first.
    fn masked(&mut self, text: &str, escape: fn(&str) -> String) -> io::Result<()> {
        let text = self.mask.apply(text);
        match text.char_indices().nth(CHARS_MAX) {
            None => self.out.write_all(escape(&text).as_bytes()),
            Some((end, _)) => write!(self.out, "{}…", escape(&text[..end])),
        }
    }

    /// One item of a list.
    pub(super) fn item(&mut self, text: &str) -> io::Result<()> {
        self.ours("- ")?;
        self.prose(text)?;
        self.ours("\n")
    }

    /// Begins a table; cells follow, then [`Sheet::end_row`].
    pub(super) fn table(&mut self, columns: &[&'static str]) -> io::Result<()> {
        for column in columns {
            write!(self.out, "| {column} ")?;
        }
        self.ours("|\n")?;
        columns.iter().try_for_each(|_| self.ours("|---"))?;
        self.ours("|\n")
    }

    pub(super) fn cell(&mut self, text: &str) -> io::Result<()> {
        self.ours("| ")?;
        self.prose(text)?;
        self.ours(" ")
    }

    pub(super) fn cell_code(&mut self, text: &str) -> io::Result<()> {
        self.ours("| ")?;
        self.code(text)?;
        self.ours(" ")
    }

    pub(super) fn end_row(&mut self) -> io::Result<()> {
        self.ours("|\n")
    }

    /// Says how many of `total` are not here, if any.
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
        write!(self.out, "\n{count}, all of them in {file}.\n")
    }
}
