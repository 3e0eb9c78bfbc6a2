//! The findings that the report has no room for, on pages beside it: `findings-2.html` and so on.
//!
//! A page is like the report: whole in itself, with the same policy, script and masks. There is an end to them, too:
//! beyond it `findings.jsonl` has what is left.

use super::findings::write_table;
use super::page::Page;
use crate::mask::Mask;
use crate::{Open, Options, words};
use model::{Case, Finding, Run};
use rayon::prelude::*;
use std::io::{self, Write as _};

/// Findings of one page, and pages beside the report: who has more reads them with other tools, and a
/// scan must not take longer to write them down than to find them.
const ROWS_MAX: usize = 2_500;
const PAGES_MAX: usize = 8;
/// The report is the first page.
const FIRST: usize = 2;

/// Says at the end of a page where the next findings are.
pub(super) fn write_rest(page: &mut Page<'_>, left: &[&Finding]) -> io::Result<()> {
    write_next(page, left, FIRST)
}

fn write_next(page: &mut Page<'_>, left: &[&Finding], number: usize) -> io::Result<()> {
    if left.is_empty() {
        return Ok(());
    }
    page.element("<p class=\"rest\">", &words::count(left.len() as u64, "more finding"), "")?;
    if number < FIRST + PAGES_MAX {
        page.element(
            ", less severe or later: <a rel=\"next\" href=\"",
            &file_name(number),
            "\">next page</a>; ",
        )?;
    } else {
        page.raw(", ")?;
    }
    page.raw("all of them in <code>findings.jsonl</code>.</p>\n")
}

fn file_name(number: usize) -> String {
    format!("findings-{number}.html")
}

/// Writes the pages for `left`, which is sorted; `open` gives each by its name.
pub(super) fn write_pages(
    case: &Case,
    run: &Run,
    options: &Options,
    mask: &Mask,
    report: &str,
    mut left: &[&Finding],
    open: &mut Open<'_>,
) -> io::Result<()> {
    let mut number = FIRST;
    while number < FIRST + PAGES_MAX && !left.is_empty() {
        // A page of findings mostly takes all that it may, so that it is known where the next begins.
        let wave = rayon::current_num_threads().min(FIRST + PAGES_MAX - number);
        let pages = left.chunks(ROWS_MAX).take(wave).enumerate().collect::<Vec<_>>();
        let render = |(index, _): (usize, &[&Finding])| {
            let mut out = Vec::new();
            let mut page = Page::new(&mut out, mask, report);
            let left = &left[index * ROWS_MAX..];
            let shown = write_page(&mut page, case, run, options, left, number + index)?;
            Ok((out, shown))
        };
        let rendered: io::Result<Vec<(Vec<u8>, usize)>> = pages.into_par_iter().map(render).collect();
        for (bytes, shown) in rendered? {
            let mut out = open(&file_name(number))?;
            out.write_all(&bytes)?;
            out.flush()?;
            number += 1;
            left = &left[shown..];
            if shown < ROWS_MAX {
                // It was full before: those behind it begin elsewhere.
                break;
            }
        }
    }
    Ok(())
}

fn write_page(
    page: &mut Page<'_>,
    case: &Case,
    run: &Run,
    options: &Options,
    left: &[&Finding],
    number: usize,
) -> io::Result<usize> {
    let title = format!("Findings, page {number}");
    super::head(page, &title, "")?;
    page.raw("<header>\n")?;
    super::marking(page, case, options)?;
    page.element("<h1>", &title, "</h1>\n<nav aria-label=\"Pages\"><a href=\"report.html\">The report</a> ")?;
    let before = if number == FIRST { "report.html".to_owned() } else { file_name(number - 1) };
    page.element("<a rel=\"prev\" href=\"", &before, "#findings\">Page before</a> ")?;
    if left.len() > ROWS_MAX && number + 1 < FIRST + PAGES_MAX {
        page.element("<a rel=\"next\" href=\"", &file_name(number + 1), "\">Next page</a>")?;
    }
    page.raw("</nav>\n</header>\n<main>\n<section id=\"findings\">\n<h2>Findings</h2>\n")?;
    let first = case.findings.len() - left.len() + 1;
    let rows = &left[..left.len().min(ROWS_MAX)];
    let caption = format!(
        "Findings from the {} on, of {}, the most severe first, then by time",
        words::thousands(first as u64),
        words::thousands(case.findings.len() as u64)
    );
    let shown = write_table(page, case, &caption, rows)?;
    write_next(page, &left[shown..], number + 1)?;
    page.raw("</section>\n</main>\n")?;
    super::foot(page, run, options)?;
    Ok(shown)
}
