//! The first screen's two voices: for those who decide, and for those who look into it.

use super::page::Page;
use model::Case;
use std::io;

/// Without a style both voices stand one after the other; which one is shown is the style's work, no script's.
const SWITCH: &str = "<p class=\"voices\" role=\"presentation\">Show:</p>\n\
<input type=\"radio\" name=\"voice\" id=\"voice-both\" checked><label for=\"voice-both\">everything</label>\n\
<input type=\"radio\" name=\"voice\" id=\"voice-plain\"><label for=\"voice-plain\">for management</label>\n\
<input type=\"radio\" name=\"voice\" id=\"voice-technical\"><label for=\"voice-technical\">for those who look into it</label>\n";

pub(super) fn write_plain(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    if case.plain.is_empty() {
        return Ok(());
    }
    page.raw(SWITCH)?;
    page.raw("<section id=\"plain\">\n<h2>For management</h2>\n")?;
    for sentence in &case.plain {
        page.element("<p>", sentence, "</p>\n")?;
    }
    page.raw("</section>\n")
}
