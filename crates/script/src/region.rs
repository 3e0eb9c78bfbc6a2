//! Which parts of a page run on the server, and what its markup declares.

use crate::around::{Around, Standing};
use crate::decode::Units;
use std::collections::BTreeSet;
use std::ops::Range;

/// Parts of one page.
const REGIONS_MAX: usize = 10_000;
/// Files that one page is put together with.
const INCLUDES_MAX: usize = 32;
/// A tag is at most so long.
const TAG_UNITS_MAX: usize = 8_192;
/// Server controls by which a requester sends something.
const CONTROLS: &[&str] = &[
    "<asp:textbox",
    "<asp:fileupload",
    "<asp:hiddenfield",
    "<asp:dropdownlist",
    "<input",
    "<textarea",
    "<select",
];
/// Directives after which all is code.
const CODE_DIRECTIVES: &[&str] = &["webhandler", "webservice", "servicehost"];
/// Words of code that stands without a page around it.
const CODE_WORDS: &[&str] = &[
    "ihttphandler",
    "ihttpmodule",
    "httpservlet",
    "[webmethod",
    "#!/usr/bin/perl",
    "#!/usr/bin/env p",
    "#!/usr/local/bin/p",
    "#!/bin/env p",
    "#!/usr/bin/python",
    "cgi.fieldstorage",
    "wsgi.input",
    "from flask import",
    "def application(",
    "javax.servlet",
    "jakarta.servlet",
    "system.web",
];

/// What a page holds.
#[derive(Default)]
pub(crate) struct Page {
    /// What runs, in order; tags with server-side meaning are among it.
    pub(crate) regions: Vec<Range<usize>>,
    /// Names of controls whose content the requester sends.
    pub(crate) controls: BTreeSet<String>,
    /// Visual Basic: a line is a statement, `'` begins a comment, case does not matter.
    pub(crate) is_vb: bool,
    /// ColdFusion: `form` and `url` are what was sent.
    pub(crate) is_cf: bool,
    /// Java's expression language: `${param.x}`.
    pub(crate) is_el: bool,
    /// Python: a line is a statement, where no bracket is open.
    pub(crate) is_python: bool,
    /// Files that the page is put together with.
    pub(crate) includes: Vec<String>,
    /// PHP or Perl, where `#` begins a comment and names begin with `$`.
    pub(crate) is_php: bool,
}

/// The parts of a page; `None` when nothing in it runs on a server.
pub(crate) fn page(units: &Units, standing: Standing) -> Option<Page> {
    let around = Around::new(units, standing);
    let end = units.bytes.len();
    let has = |word: &str| units.find(word, 0, end).is_some();
    let is_code = |word: &str| units.find(word, 0, end).is_some_and(|at| around.is_code(units, at));
    let mut page = Page { is_cf: has("<cf"), is_php: has("<?php") || has("<?="), ..Page::default() };
    let mut at = 0;
    let mut after_directive = None;
    while let Some(open) = units.bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'<')) {
        let open = at + open;
        if page.regions.len() >= REGIONS_MAX {
            break;
        }
        at = if around.is_quoted(units, open) {
            open + 1
        } else {
            page.tag(units, open, &mut after_directive)
        };
    }
    page.expressions(units, &around);
    if page.regions.is_empty() {
        page.razor(units);
    }
    if let Some(from) = after_directive {
        page.regions.push(from..end);
    } else if page.regions.is_empty() && CODE_WORDS.iter().any(|word| is_code(word)) {
        page.regions.push(0..end);
        page.is_python = ["python", "cgi.fieldstorage", "wsgi.input", "from flask", "def application("]
            .iter()
            .any(|word| has(word));
        page.is_php |= units.starts_with(0, "#!") || page.is_python;
    }
    page.included(units);
    page.is_vb |= page.looks_like_vb(units);
    (!page.regions.is_empty()).then_some(page)
}

impl Page {
    /// Takes the tag at `open`; gives where to go on.
    fn tag(&mut self, units: &Units, open: usize, after_directive: &mut Option<usize>) -> usize {
        let end = units.bytes.len();
        let mut until = |from: usize, close: &str| {
            let close_at = units.find(close, from, end).unwrap_or(end);
            self.regions.push(from..close_at);
            (close_at + close.len()).min(end)
        };
        if units.starts_with(open, "<%--") {
            return units.find("--%>", open, end).map_or(end, |close| close + 4);
        }
        if units.starts_with(open, "<!--#exec") {
            // A server-side include that starts a program: all of it, for its rule names it whole.
            let close = units.find("-->", open, end).map_or(end, |close| close + 3);
            self.regions.push(open..close);
            return close;
        }
        if units.starts_with(open, "<%@") {
            let close = units.find("%>", open, end).unwrap_or(end);
            let names = |word: &&str| units.find(word, open, close).is_some();
            if CODE_DIRECTIVES.iter().any(names) && after_directive.is_none() {
                *after_directive = Some((close + 2).min(end));
            }
            let vb = ["\"vb\"", "'vb'", "=vb", "vbscript"].iter().any(names);
            self.is_vb |= vb;
            return (close + 2).min(end);
        }
        for mark in ["<?php", "<?="] {
            if units.starts_with(open, mark) {
                let close = php_end(units, open + mark.len());
                self.regions.push(open + mark.len()..close);
                return (close + 2).min(end);
            }
        }
        for (mark, close) in [
            ("<jsp:scriptlet>", "</jsp:scriptlet>"),
            ("<jsp:declaration>", "</jsp:declaration>"),
            ("<jsp:expression>", "</jsp:expression>"),
            ("<cfscript>", "</cfscript>"),
        ] {
            if units.starts_with(open, mark) {
                return until(open + mark.len(), close);
            }
        }
        if units.starts_with(open, "<?")
            && !units.starts_with(open, "<?xml")
            && !units.starts_with(open, "<?import")
        {
            self.is_php = true;
            let close = php_end(units, open + 2);
            self.regions.push(open + 2..close);
            return (close + 2).min(end);
        }
        if units.starts_with(open, "<%") {
            return until(open + 2, "%>");
        }
        let tag_end = self.tag_end(units, open);
        if let Some(close) = self.element(units, open, tag_end) {
            return close;
        }
        // Code blocks stand within tags, too.
        open + 1
    }

    /// An element that runs, or declares what the script uses; gives where to go on after it.
    fn element(&mut self, units: &Units, open: usize, tag_end: usize) -> Option<usize> {
        let end = units.bytes.len();
        let within = |word: &str| units.find(word, open, tag_end).is_some();
        if units.starts_with(open, "<script") && within("language") && within("php") {
            self.is_php = true;
            let close = units.find("</script", tag_end, end).unwrap_or(end);
            self.regions.push(tag_end..close);
            return Some(close);
        }
        if units.starts_with(open, "<script") && within("server") && within("runat") {
            self.is_vb |= within("vb");
            let close = units.find("</script", tag_end, end).unwrap_or(end);
            self.regions.push(tag_end..close);
            return Some(close);
        }
        if units.starts_with(open, "<object") && within("server") && within("runat") {
            // What it makes has a name that the script uses.
            self.regions.push(open + 1..tag_end.saturating_sub(1).max(open + 1));
        }
        let is_cf_tag = self.is_cf && units.starts_with(open, "<cf");
        if is_cf_tag {
            self.regions.push(open + 1..tag_end.saturating_sub(1).max(open + 1));
        }
        if CONTROLS.iter().any(|control| units.starts_with(open, control)) && within("runat") {
            self.controls.extend(identifier(units, open, tag_end));
        }
        None
    }

    /// Blocks of Razor pages: `@{ … }`, `@functions { … }`.
    fn razor(&mut self, units: &Units) {
        let end = units.bytes.len();
        for begin in ["@{", "@functions", "@code"] {
            let mut at = 0;
            while let Some(found) = units.find(begin, at, end).filter(|_| self.regions.len() < REGIONS_MAX) {
                let Some(open) = units.find("{", found, end.min(found + 32)) else { break };
                let mut depth = 0usize;
                let mut close = open;
                while let Some(byte) = units.bytes.get(close) {
                    match byte {
                        b'{' => depth += 1,
                        b'}' if depth == 1 => break,
                        b'}' => depth -= 1,
                        _ => {}
                    }
                    close += 1;
                }
                self.regions.push(open + 1..close);
                at = close.max(found + 1);
            }
        }
    }

    /// `<!--#include file="x"-->`, `<%@ include file="x" %>`.
    fn included(&mut self, units: &Units) {
        let end = units.bytes.len();
        let mut at = 0;
        while let Some(open) = units.find("include ", at, end).filter(|_| self.includes.len() < INCLUDES_MAX)
        {
            at = open + 8;
            let line = (open + 300).min(end);
            let Some(quote) = units.find("\"", open, line) else { continue };
            let close = units.find("\"", quote + 1, line).unwrap_or(quote + 1);
            let before = &units.bytes[open.saturating_sub(5)..open];
            if before.ends_with(b"#") || before.windows(2).any(|pair| pair == b"%@") {
                self.includes.push(String::from_utf8_lossy(&units.bytes[quote + 1..close]).into_owned());
            }
        }
    }

    /// `${…}` that calls something with what was sent.
    fn expressions(&mut self, units: &Units, around: &Around) {
        let end = units.bytes.len();
        let mut at = 0;
        while let Some(open) = units.find("${", at, end) {
            let close = units.find("}", open, end.min(open + TAG_UNITS_MAX)).unwrap_or(open + 2).min(end);
            let calls = units.find("(", open, close).is_some();
            let is_sent = calls && units.find("param", open, close).is_some();
            if is_sent && self.regions.len() < REGIONS_MAX && !around.is_quoted(units, open) {
                self.is_el = true;
                self.regions.push(open + 2..close);
            }
            at = close.max(open + 2);
        }
    }

    fn tag_end(&self, units: &Units, open: usize) -> usize {
        let end = units.bytes.len().min(open + TAG_UNITS_MAX);
        units.find(">", open, end).map_or(end, |close| close + 1)
    }

    fn looks_like_vb(&self, units: &Units) -> bool {
        const MARKS: &[&str] =
            &["end sub", "end function", "end if", "\nset ", "dim ", "end class", "loop until"];
        let in_region = |region: &Range<usize>| {
            MARKS.iter().any(|mark| units.find(mark, region.start, region.end).is_some())
        };
        let braces = |region: &Range<usize>| units.find("{", region.start, region.end).is_some();
        // Without a sign of the others it is what ASP takes it for.
        let has_sign =
            |region: &Range<usize>| braces(region) || units.find(";", region.start, region.end).is_some();
        let marked = self.regions.iter().any(|region| in_region(region) && !braces(region));
        !self.is_php && !self.is_cf && (marked || !self.regions.iter().any(has_sign))
    }
}

/// Where PHP ends: at `?>`, but not within a string.
fn php_end(units: &Units, from: usize) -> usize {
    let end = units.bytes.len();
    let mut at = from;
    while let Some(byte) = units.bytes.get(at) {
        let ends = |mark: &str| units.starts_with(at, mark);
        at = match byte {
            _ if ends("?>") => return at,
            b'#' => line_end(units, at),
            b'/' if ends("//") => line_end(units, at),
            b'/' if ends("/*") => units.find("*/", at + 2, end).map_or(end, |close| close + 2),
            b'"' | b'\'' => string_end(units, at, *byte),
            _ => at + 1,
        };
    }
    end
}

/// Where a line ends, or PHP within it: a comment does not hide that.
fn line_end(units: &Units, from: usize) -> usize {
    let rest = &units.bytes[from..];
    let line = rest.iter().position(|byte| *byte == b'\n').map_or(units.bytes.len(), |at| from + at);
    units.find("?>", from, line).unwrap_or(line)
}

fn string_end(units: &Units, from: usize, quote: u8) -> usize {
    let mut at = from + 1;
    while let Some(byte) = units.bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if *byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    units.bytes.len()
}

/// The `id` of a control.
fn identifier(units: &Units, open: usize, end: usize) -> Option<String> {
    let mut from = open;
    loop {
        let at = units.find("id", from, end)?;
        from = at + 2;
        let before = units.bytes.get(at.checked_sub(1)?)?;
        let mut rest = at + 2;
        let skip = |at: &mut usize| {
            while units.bytes.get(*at) == Some(&b' ') {
                *at += 1
            }
        };
        skip(&mut rest);
        if !before.is_ascii_whitespace() || units.bytes.get(rest) != Some(&b'=') {
            continue;
        }
        rest += 1;
        skip(&mut rest);
        if matches!(units.bytes.get(rest), Some(b'"' | b'\'')) {
            rest += 1;
        }
        let name = units.bytes.get(rest..end)?;
        let name: Vec<u8> =
            name.iter().copied().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').collect();
        return String::from_utf8(name).ok().filter(|name| !name.is_empty());
    }
}
