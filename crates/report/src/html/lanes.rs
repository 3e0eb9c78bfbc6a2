//! The picture of each host's weeks: acts above, coverage of the logs below, and the same as a table.
//!
//! Places are percentages of the time that is shown; with a script they follow the zoom, without one the picture
//! stays as it was drawn.

use super::page::Page;
use crate::digest::HostView;
use crate::lanes::{self, Lane, Lanes, Mark, MarkKind, Times};
use crate::words;
use model::{AnswerWord, Case, GapKind, Span, Timestamp};
use std::io;

/// Hosts with a picture.
const HOSTS_MAX: usize = 50;
/// Marks of one lane that the table lists.
const ROWS_MAX: usize = 40;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Distances of the lines of the scale.
const SCALE: [i64; 11] =
    [HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];
const SCALE_LINES_MAX: i64 = 9;

pub(super) fn write_timeline(page: &mut Page<'_>, case: &Case, hosts: &[HostView<'_>]) -> io::Result<()> {
    page.raw("<section id=\"timeline\" class=\"technical\">\n<h2>Timeline</h2>\n")?;
    page.raw(LEGEND)?;
    let times = Times::of(case);
    let mut any = false;
    for host in hosts.iter().filter(|host| host.is_asked()).take(HOSTS_MAX) {
        if let Some(lanes) = lanes::lanes(case, &times, host.name, &host.answers) {
            any = true;
            write_host(page, host.name.unwrap_or("(no host known)"), &lanes)?;
        }
    }
    if !any {
        page.raw("<p>Nothing that was read has a time.</p>\n")?;
    }
    let asked = hosts.iter().filter(|host| host.is_asked()).count();
    page.rest(asked, HOSTS_MAX, "host", "coverage.json")?;
    page.raw("</section>\n")
}

fn write_host(page: &mut Page<'_>, host: &str, lanes: &Lanes) -> io::Result<()> {
    page.raw("<figure class=\"lanes\" data-from=\"")?;
    page.text(&lanes.whole.0.to_string())?;
    page.element("\" data-to=\"", &lanes.whole.1.to_string(), "\" data-shown-from=\"")?;
    page.text(&lanes.shown.0.to_string())?;
    page.element("\" data-shown-to=\"", &lanes.shown.1.to_string(), "\">\n<figcaption><h3>")?;
    page.element("", host, "</h3> <span class=\"range small\">")?;
    page.element("", &range_text(lanes), "</span></figcaption>\n")?;
    page.raw("<div class=\"picture\" role=\"img\" aria-label=\"")?;
    page.text(&label(host, lanes))?;
    page.raw("\">\n")?;
    write_scale(page, lanes.shown)?;
    write_group(page, "What was done", &lanes.acts, lanes.shown)?;
    write_group(page, "Logs", &lanes.logs, lanes.shown)?;
    page.raw("</div>\n")?;
    page.rest(lanes.logs.len() + lanes.logs_left_out, lanes.logs.len(), "log", "coverage.json")?;
    write_twin(page, host, lanes)?;
    page.raw("</figure>\n")
}

/// What the picture says, for somebody who does not see it.
fn label(host: &str, lanes: &Lanes) -> String {
    let acts: Vec<_> = lanes.acts.iter().map(|lane| lane.name.as_str()).collect();
    let acts = if acts.is_empty() { "nothing".to_owned() } else { acts.join(", ") };
    format!(
        "Timeline of {host}, {}. Done: {acts}. Logs: {}. The table below says the same.",
        range_text(lanes),
        lanes.logs.len()
    )
}

fn range_text(lanes: &Lanes) -> String {
    let shown = Span { first: at(lanes.shown.0), last: at(lanes.shown.1) };
    let text = words::span(shown);
    if lanes.shown == lanes.whole {
        text
    } else {
        format!("{text}, of {}", words::span(Span { first: at(lanes.whole.0), last: at(lanes.whole.1) }))
    }
}

fn at(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_seconds(seconds)
}

fn write_scale(page: &mut Page<'_>, shown: (i64, i64)) -> io::Result<()> {
    page.raw("<div class=\"lane scale\"><span class=\"name\">UTC</span><div class=\"track\">")?;
    let length = (shown.1 - shown.0).max(1);
    let step =
        SCALE.into_iter().find(|step| length / step < SCALE_LINES_MAX).unwrap_or(SCALE[SCALE.len() - 1]);
    let first = shown.0.div_euclid(step) * step + step;
    for line in (0..SCALE_LINES_MAX).map(|index| first + index * step).take_while(|line| *line <= shown.1) {
        let text = words::time(at(line));
        let text = if step < DAY { text.get(5..16) } else { text.get(..10) }.unwrap_or_default();
        page.element("<span class=\"tick\" style=\"left:", &percent(line, shown), "\">")?;
        page.element("", text, "</span>")?;
    }
    page.raw("</div></div>\n")
}

fn write_group(
    page: &mut Page<'_>,
    title: &'static str,
    lanes: &[Lane],
    shown: (i64, i64),
) -> io::Result<()> {
    if lanes.is_empty() {
        return Ok(());
    }
    page.element("<p class=\"group small\">", title, "</p>\n")?;
    for lane in lanes {
        page.element(
            "<div class=\"lane\"><span class=\"name\">",
            &lane.name,
            "</span><div class=\"track\">",
        )?;
        for mark in &lane.marks {
            write_mark(page, mark, shown)?;
        }
        page.raw("</div></div>\n")?;
    }
    Ok(())
}

fn write_mark(page: &mut Page<'_>, mark: &Mark, shown: (i64, i64)) -> io::Result<()> {
    page.raw("<i class=\"")?;
    page.raw(class(mark.kind))?;
    page.element("\" data-from=\"", &mark.from.to_string(), "\" data-to=\"")?;
    page.element("", &mark.to.to_string(), "\"")?;
    let outside = mark.to < shown.0 || mark.from > shown.1;
    let (from, to) = (mark.from.clamp(shown.0, shown.1), mark.to.clamp(shown.0, shown.1));
    page.element(" style=\"left:", &percent(from, shown), ";width:")?;
    page.text(&percent(shown.0 + to - from, shown))?;
    page.raw(if outside { ";display:none\" title=\"" } else { "\" title=\"" })?;
    page.element("", &mark_text(mark), "\"></i>")
}

/// Where `time` lies in what is shown, as CSS writes it.
fn percent(time: i64, shown: (i64, i64)) -> String {
    let length = (shown.1 - shown.0).max(1) as f64;
    format!("{:.3}%", (time - shown.0) as f64 * 100.0 / length)
}

fn mark_text(mark: &Mark) -> String {
    let times = words::span(Span { first: at(mark.from), last: at(mark.to) });
    match mark.kind {
        MarkKind::Act(word) => format!("{}: {}, {times}", word.as_str(), words::count(mark.count, "finding")),
        MarkKind::Covered => format!("{} with records, {times}", words::count(mark.count, "hour")),
        MarkKind::Gap(kind) => format!("{}, {times}", gap_text(kind)),
    }
}

const fn gap_text(kind: GapKind) -> &'static str {
    match kind {
        GapKind::SilentHours => "silent",
        GapKind::RecordJump => "record numbers missing",
        GapKind::Cleared => "log cleared",
        GapKind::Rollover => "older records overwritten",
    }
}

const fn class(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Act(AnswerWord::Yes) => "act yes",
        MarkKind::Act(_) => "act likely",
        MarkKind::Covered => "covered",
        MarkKind::Gap(GapKind::SilentHours) => "gap silent",
        MarkKind::Gap(GapKind::RecordJump) => "gap jump",
        MarkKind::Gap(GapKind::Cleared) => "gap cleared",
        MarkKind::Gap(GapKind::Rollover) => "gap rollover",
    }
}

/// The table that the picture stands for.
fn write_twin(page: &mut Page<'_>, host: &str, lanes: &Lanes) -> io::Result<()> {
    page.raw("<details><summary>The same as a table</summary>\n")?;
    page.table(&format!("What the picture of {host} shows"), &["Lane", "What", "From", "To"])?;
    for lane in lanes.acts.iter().chain(&lanes.logs) {
        for mark in lane.marks.iter().take(ROWS_MAX) {
            page.raw("<tr>")?;
            page.row_head(&lane.name)?;
            let text = mark_text(mark);
            page.cell(text.split_once(", ").map_or(text.as_str(), |(what, _)| what))?;
            page.time(&words::time(at(mark.from)))?;
            page.time(&words::time(at(mark.to)))?;
            page.raw("</tr>\n")?;
        }
        if lane.marks.len() > ROWS_MAX {
            let more = words::count((lane.marks.len() - ROWS_MAX) as u64, "more stretch");
            page.raw("<tr>")?;
            page.row_head(&lane.name)?;
            page.element("<td colspan=\"3\">", &more, " (coverage.json, findings.jsonl)</td></tr>\n")?;
        }
    }
    page.end_table()?;
    page.raw("</details>\n")
}

const LEGEND: &str = "<p class=\"legend small\"><span><i class=\"act yes\"></i> yes</span> <span><i class=\"act likely\"></i> likely</span> \
<span><i class=\"covered\"></i> the log has records</span> <span><i class=\"gap silent\"></i> silent</span> \
<span><i class=\"gap jump\"></i> record numbers missing</span> <span><i class=\"gap cleared\"></i> cleared</span> \
<span><i class=\"gap rollover\"></i> older records overwritten</span> <span>empty: nothing to be seen there</span></p>\n";
