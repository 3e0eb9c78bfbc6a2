//! Trees of processes: who started what, with the findings on it, and the same as a table.

use super::page::Page;
use super::row::write_badge;
use crate::words;
use model::{Case, Finding, FindingId, Process};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Processes on the page.
const PROCESSES_MAX: usize = 1_000;
/// Lists within each other; what lies deeper stands beside its parent.
const DEPTH_MAX: usize = 24;
/// A larger tree is folded.
const OPEN_MAX: usize = 15;
/// Findings of one process that are named.
const FINDINGS_MAX: usize = 5;

/// A process in the order of its tree, and how deep.
type Node = (usize, usize);

pub(super) fn write_processes(page: &mut Page<'_>, case: &Case) -> io::Result<()> {
    if case.sessions.processes.is_empty() {
        return Ok(());
    }
    page.raw("<section id=\"processes\" class=\"technical\">\n<h2>Processes</h2>\n<p>Who started what, where something was found on one of them. ")?;
    page.raw("A broken border: no record of its own start, a child’s record names it.</p>\n")?;
    let findings = findings(case);
    let mut shown = 0;
    let mut host = None;
    for tree in trees(&case.sessions.processes) {
        if shown + tree.len() > PROCESSES_MAX && shown > 0 {
            break;
        }
        let own = &case.sessions.processes[tree[0].0].host;
        if host != Some(own) {
            page.element("<h3>", own.as_deref().unwrap_or("(no host known)"), "</h3>\n")?;
            host = Some(own);
        }
        let tree = &tree[..tree.len().min(PROCESSES_MAX)];
        write_tree(page, case, &findings, tree)?;
        shown += tree.len();
    }
    page.rest(case.sessions.processes.len(), shown, "program start", "sessions.json")?;
    if case.sessions.left_out.processes > 0 {
        let count = words::count(case.sessions.left_out.processes, "more program start");
        page.element("<p class=\"rest\">", &count, " in such trees: beyond the limit of a case.</p>\n")?;
    }
    write_twin(page, case, &findings)?;
    page.raw("</section>\n")
}

/// The trees, each in the order in which it is read; parents stand before their children in a case.
fn trees(processes: &[Process]) -> Vec<Vec<Node>> {
    let parent =
        |index: usize| processes[index].parent.map(|parent| parent as usize).filter(|parent| *parent < index);
    let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut roots = Vec::new();
    for index in 0..processes.len() {
        match parent(index) {
            Some(parent) => children.entry(parent).or_default().push(index),
            None => roots.push(index),
        }
    }
    let tree = |root: usize| {
        let mut order = Vec::new();
        let mut pending = vec![(root, 0)];
        while let Some((index, depth)) = pending.pop() {
            order.push((index, depth));
            let own = children.get(&index).into_iter().flatten().rev();
            pending.extend(own.map(|child| (*child, depth + 1)));
        }
        order
    };
    roots.into_iter().map(tree).collect()
}

/// The findings that a process names.
fn findings(case: &Case) -> BTreeMap<FindingId, &Finding> {
    let named: BTreeSet<FindingId> =
        case.sessions.processes.iter().flat_map(|process| process.findings.iter().copied()).collect();
    case.findings
        .iter()
        .filter(|finding| named.contains(&finding.id))
        .map(|finding| (finding.id, finding))
        .collect()
}

fn write_tree(
    page: &mut Page<'_>,
    case: &Case,
    findings: &BTreeMap<FindingId, &Finding>,
    tree: &[Node],
) -> io::Result<()> {
    let root = &case.sessions.processes[tree[0].0];
    let grave = tree.iter().filter(|(index, _)| !case.sessions.processes[*index].findings.is_empty()).count();
    page.raw(if tree.len() > OPEN_MAX {
        "<details class=\"tree\"><summary>"
    } else {
        "<details class=\"tree\" open><summary>"
    })?;
    page.value(file_name(&root.image))?;
    page.element(": ", &words::count(tree.len() as u64, "program start"), "")?;
    page.element(", findings on ", &words::thousands(grave as u64), "</summary>\n")?;
    let mut open = 0;
    for (index, depth) in tree {
        let depth = (*depth).min(DEPTH_MAX) + 1;
        if depth > open {
            page.raw("<ul>")?;
            open += 1;
        } else {
            while open > depth {
                page.raw("</li></ul>")?;
                open -= 1;
            }
            page.raw("</li>\n")?;
        }
        write_node(page, findings, &case.sessions.processes[*index])?;
    }
    for _ in 0..open {
        page.raw("</li></ul>")?;
    }
    page.raw("\n</details>\n")
}

/// An item that is left open.
fn write_node(
    page: &mut Page<'_>,
    findings: &BTreeMap<FindingId, &Finding>,
    process: &Process,
) -> io::Result<()> {
    page.raw(match (process.place.is_some(), process.findings.is_empty()) {
        (true, true) => "<li><div class=\"process\">",
        (true, false) => "<li><div class=\"process grave\">",
        (false, _) => "<li><div class=\"process told\">",
    })?;
    page.raw("<strong>")?;
    page.value(file_name(&process.image))?;
    page.raw("</strong> <span class=\"small\">")?;
    page.value(&process.image)?;
    page.raw("</span>")?;
    if process.place.is_none() {
        page.raw(" <span class=\"small\">(only a child’s record tells of it)</span>")?;
    }
    if !process.command_line.is_empty() {
        page.raw("<br><code>")?;
        page.value(&process.command_line)?;
        page.raw("</code>")?;
    }
    let id = (!process.process_id.is_empty()).then(|| format!("process {}", process.process_id));
    let parts = [words::time(process.time), process.user.clone(), id.unwrap_or_default()];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if !parts.is_empty() {
        page.raw("<br><span class=\"small\">")?;
        page.value(&parts.join(" · "))?;
        page.raw("</span>")?;
    }
    let by_rule = by_rule(findings, process);
    for (finding, count) in by_rule.iter().take(FINDINGS_MAX) {
        page.raw("<br>")?;
        write_badge(page, finding.rule.level)?;
        page.element(" <a href=\"#f-", &finding.id.to_string(), "\">")?;
        page.value(&finding.rule.title)?;
        page.raw("</a>")?;
        if *count > 1 {
            page.element(" <span class=\"small\">", &format!("({count} records)"), "</span>")?;
        }
    }
    page.rest(by_rule.len(), FINDINGS_MAX, "rule", "sessions.json")?;
    page.raw("</div>")
}

/// The first finding of each rule, and how many there are: two logs may tell of one start.
fn by_rule<'c>(findings: &BTreeMap<FindingId, &'c Finding>, process: &Process) -> Vec<(&'c Finding, usize)> {
    let mut by_rule: Vec<(&Finding, usize)> = Vec::new();
    for finding in process.findings.iter().filter_map(|id| findings.get(id)) {
        match by_rule.iter_mut().find(|(known, _)| known.rule.id == finding.rule.id) {
            Some((_, count)) => *count += 1,
            None => by_rule.push((finding, 1)),
        }
    }
    by_rule
}

/// The program's name, the last part of its path.
fn file_name(image: &str) -> &str {
    let name = image.rsplit(['\\', '/']).next().unwrap_or(image);
    if name.is_empty() { "(no name)" } else { name }
}

/// The table that the trees stand for.
fn write_twin(page: &mut Page<'_>, case: &Case, findings: &BTreeMap<FindingId, &Finding>) -> io::Result<()> {
    page.raw("<details><summary>The same as a table</summary>\n")?;
    page.table(
        "Processes of these trees",
        &["Host", "Time (UTC)", "Process", "Id", "Started by", "Command line", "User", "Findings"],
    )?;
    for process in case.sessions.processes.iter().take(PROCESSES_MAX) {
        let parent = process.parent.and_then(|parent| case.sessions.processes.get(parent as usize));
        page.raw("<tr>")?;
        page.cell(process.host.as_deref().unwrap_or("(no host known)"))?;
        page.time(&words::time(process.time))?;
        page.row_head(&process.image)?;
        page.cell(&process.process_id)?;
        page.cell(
            &parent
                .map(|parent| format!("{} {}", file_name(&parent.image), parent.process_id))
                .unwrap_or_default(),
        )?;
        page.cell(&process.command_line)?;
        page.cell(&process.user)?;
        let by_rule = by_rule(findings, process);
        let titles = by_rule.iter().map(|(finding, _)| finding.rule.title.as_str());
        page.cell(&titles.collect::<Vec<_>>().join("; "))?;
        page.raw("</tr>\n")?;
    }
    page.end_table()?;
    page.rest(case.sessions.processes.len(), PROCESSES_MAX, "program start", "sessions.json")?;
    page.raw("</details>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_tree_is_read_from_its_root_and_ends_where_parents_lie() {
        let mut processes = sample::case().sessions.processes;
        processes.push(Process { parent: Some(0), ..processes[1].clone() });
        processes.push(Process { parent: Some(99), ..processes[1].clone() });
        assert_eq!(trees(&processes), [vec![(0, 0), (1, 1), (2, 2), (3, 1)], vec![(4, 0)]]);
    }

    #[test]
    fn names_of_programs() {
        assert_eq!(file_name(r"C:\Windows\System32\cmd.exe"), "cmd.exe");
        assert_eq!(file_name(""), "(no name)");
    }
}
