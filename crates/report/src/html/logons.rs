//! Logons over the network: a picture of arrows between hosts, and the same as a table.

use super::page::Page;
use crate::logon_graph::{self, Edge, Graph, Node, WIDTH};
use crate::words;
use model::Case;
use std::io;

/// Rows of the table.
const ROWS_MAX: usize = 500;
/// Letters of a name that find room in a box.
const LABEL_CHARS_MAX: usize = 28;

pub(super) fn write_logons(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    if case.sessions.logons.is_empty() {
        return Ok(());
    }
    page.raw("<section id=\"logons\" class=\"technical\">\n<h2>Logons between computers</h2>\n<p>Square boxes are hosts of this case, round ones other sources. ")?;
    page.raw("A thick broken arrow is suspicious: an intrusion came from that source, or a finding is on such a logon.</p>\n")?;
    let graph = logon_graph::graph(&case.sessions.logons);
    if !graph.edges.is_empty() {
        write_picture(page, &graph)?;
    }
    if graph.left_out > 0 {
        let count = words::count(graph.left_out as u64, "more pair");
        page.element("<p class=\"rest\">", &count, " of source and target not drawn: in the table.</p>\n")?;
    }
    write_table(page, case)?;
    page.raw("</section>\n")
}

fn write_picture(page: &mut Page<'_>, graph: &Graph<'_>) -> io::Result<()> {
    page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Picture of logons\"><svg class=\"graph\" role=\"img\" aria-label=\"")?;
    let suspicious = graph.edges.iter().filter(|edge| edge.suspicious).count();
    let label = format!(
        "Logons between {}: {}, {suspicious} of them suspicious. The table below says the same.",
        words::count(graph.nodes.len() as u64, "computer"),
        words::count(graph.edges.len() as u64, "arrow"),
    );
    page.element("", &label, "\" viewBox=\"0 0 ")?;
    page.element("", &WIDTH.to_string(), " ")?;
    page.element("", &graph.height.to_string(), "\">\n")?;
    // Words above lines: what is suspicious is drawn last.
    let (suspicious, other): (Vec<_>, Vec<_>) = graph.edges.iter().partition(|edge| edge.suspicious);
    for edge in other.iter().chain(&suspicious) {
        write_line(page, edge)?;
    }
    for node in &graph.nodes {
        write_node(page, node)?;
    }
    for edge in other.iter().chain(&suspicious) {
        page.raw("<text class=\"on-line\" text-anchor=\"middle\"")?;
        write_place(page, edge.label.0, edge.label.1 + 4)?;
        page.element(">", &edge_text(edge), "</text>\n")?;
    }
    page.raw("</svg></div>\n")
}

/// The arrow, and its head as a shape of its own, which is never broken.
fn write_line(page: &mut Page<'_>, edge: &Edge) -> io::Result<()> {
    page.raw(match (edge.suspicious, edge.count) {
        (true, _) => "<path class=\"suspicious\" d=\"",
        (false, 0) => "<path class=\"failed\" d=\"",
        (false, _) => "<path d=\"",
    })?;
    let [begin, one, two, end] = edge.curve;
    let path =
        format!("M{} {}C{} {} {} {} {} {}", begin.0, begin.1, one.0, one.1, two.0, two.1, end.0, end.1);
    page.element("", &path, "\"/>")?;
    page.raw(if edge.suspicious {
        "<path class=\"head suspicious\" d=\""
    } else {
        "<path class=\"head\" d=\""
    })?;
    // It points left where the curve swings around the right side.
    let back = if one.0 > end.0 { 10 } else { -10 };
    page.element("", &format!("M{} {}l{back} -5v10z", end.0, end.1), "\"/>\n")
}

fn write_node(page: &mut Page<'_>, node: &Node<'_>) -> io::Result<()> {
    page.raw(if node.is_host { "<rect rx=\"2\"" } else { "<rect rx=\"17\"" })?;
    write_place(page, node.x, node.y)?;
    page.element(" width=\"", &Node::WIDTH.to_string(), "\" height=\"")?;
    page.element("", &Node::HEIGHT.to_string(), "\"/><text text-anchor=\"middle\"")?;
    write_place(page, node.x + Node::WIDTH / 2, node.y + Node::HEIGHT / 2 + 5)?;
    page.raw(">")?;
    page.short(node.label, LABEL_CHARS_MAX)?;
    page.raw("</text>\n")
}

fn write_place(page: &mut Page<'_>, x: i32, y: i32) -> io::Result<()> {
    page.element(" x=\"", &x.to_string(), "\" y=\"")?;
    page.element("", &y.to_string(), "\"")
}

/// `12, 3 failed, suspicious`.
fn edge_text(edge: &Edge) -> String {
    let counted = (edge.count > 0).then(|| words::thousands(edge.count));
    let failed = (edge.failed > 0).then(|| format!("{} failed", words::thousands(edge.failed)));
    let word = edge.suspicious.then(|| "suspicious".to_owned());
    [counted, failed, word].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn write_table(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    page.raw("<details><summary>The same as a table, with accounts</summary>\n")?;
    page.table(
        "Logons by source, target, account and kind",
        &["From", "To", "Account", "Kind", "#Count", "First", "Last", "Suspicious"],
    )?;
    let (suspicious, other): (Vec<_>, Vec<_>) =
        case.sessions.logons.iter().partition(|logon| logon.suspicious);
    for logon in suspicious.iter().chain(&other).take(ROWS_MAX) {
        page.raw("<tr><th scope=\"row\">")?;
        page.value(&logon.source)?;
        if let Some(host) = &logon.source_host {
            page.element(" <span class=\"small\">", host, "</span>")?;
        }
        page.raw("</th>")?;
        page.cell(logon.host.as_deref().unwrap_or("(no host known)"))?;
        page.cell(&logon.user)?;
        page.cell(&logon.kind)?;
        page.number(&words::thousands(logon.count))?;
        page.time(&words::time(logon.span.first))?;
        page.time(&words::time(logon.span.last))?;
        page.raw(if logon.suspicious {
            "<td><span class=\"badge yes\">suspicious</span></td></tr>\n"
        } else {
            "<td></td></tr>\n"
        })?;
    }
    page.end_table()?;
    page.rest(case.sessions.logons.len(), ROWS_MAX, "row", "sessions.json")?;
    page.raw("</details>\n")?;
    if case.sessions.left_out.logons > 0 {
        let count = words::count(case.sessions.left_out.logons, "more kind");
        page.element("<p class=\"rest\">", &count, " of logon: beyond the limit of a case.</p>\n")?;
    }
    Ok(())
}
