//! Findings that belong together.
//!
//! Notable findings (level medium or above, or with a step) are joined when
//! they share a name: a source address, an ECP session or its canary, a
//! request, a shell's page or parameter, a process. Then findings that name
//! nobody (a file event, an error of Unified Messaging) are linked to the
//! nearest finding in time that they can follow from. What is joined is an
//! intrusion if it supports more than `probed` by a book that is about the
//! host; the rest stays unassigned.
//!
//! # What must not join
//! - A visit to a shell follows the shell, not the visitor: lists of shell
//!   names were public, and scanners asked for everybody's. An address joins
//!   what it visited only where this brings no two intruders together, that
//!   is, no two groups whose own acts came from different addresses.
//! - A private address may be a proxy that speaks for everybody: it joins
//!   findings no further apart than ten minutes.
//! - Programs that work for everybody (w3wp, services) join as children only.
//! - What has no time (a file of a copy, the configuration of IIS) brings nobody together, and is an intrusion of its
//!   own only where it proves a breach alone: a web shell.
//! - An address that was only refused or ignored on a host brings nothing into
//!   an intrusion there.

use crate::about::About;
use crate::book::{Casebook, Link, Question};
use crate::key::{Key, Kinds, is_private};
use crate::lying;
use crate::support::{Grade, Members, Reach, RuleGrades, View, nearest_of};
use crate::trace::{Trace, Traces, answers};
use model::{Finding, FindingId, HostName, Intrusion, IntrusionId, Level, Span, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A private address joins findings that are no further apart.
const PRIVATE_NANOS_MAX: u64 = 10 * 60 * 1_000_000_000;
/// A process number is given anew after some time; within so long, it is the same.
const PROCESS_NANOS_MAX: u64 = 12 * 3_600 * 1_000_000_000;
/// Intrusions told apart in one case, at most: beyond, findings stay unassigned
/// (and still answer for their host). Nobody reads a thousand of them, and
/// somebody who writes the logs could make a million.
const INTRUSIONS_MAX: usize = 1_000;
/// An address that touches the groups of more than so many is a scanner's.
const TOUCHED_MAX: usize = 64;
/// Joins named for a reader, at most.
const JOINS_NAMED_MAX: usize = 12;

/// Whom each finding is joined with.
pub struct Partition {
    pub intrusions: Vec<Intrusion>,
    /// For each trace: its group, whether that is an intrusion or not.
    pub components: Vec<usize>,
    /// For each finding of the case: its intrusion.
    pub assigned: Vec<Option<IntrusionId>>,
}

/// Partitions the findings.
pub fn partition(traces: &Traces<'_>, books: &[Casebook], about: &About) -> Partition {
    let mut groups = Groups::new(traces.list.len());
    let visits: BTreeSet<&str> =
        books.iter().flat_map(|book| &book.joins.visits).map(String::as_str).collect();
    let is_visit = |trace: &Trace<'_>| trace.steps.iter().any(|step| visits.contains(step));
    join_by_name(traces, &mut groups, &is_visit);
    join_by_process(traces, &mut groups);
    for link in books.iter().flat_map(|book| &book.joins.links) {
        join_by_time(traces, &mut groups, link);
    }
    join_visits(traces, &mut groups, &is_visit);
    lying::join(traces, &mut groups);

    let components: Vec<usize> = (0..traces.list.len()).map(|index| groups.find(index)).collect();
    let mut members = intruders(traces, books, &components, about);
    members.sort_by_key(|members| order(traces, members));
    members.truncate(INTRUSIONS_MAX);
    let mut assigned = vec![None; traces.findings.len()];
    let mut intrusions = Vec::with_capacity(members.len());
    for (index, members) in members.iter().enumerate() {
        let id = IntrusionId(index as u32);
        members.iter().for_each(|member| assigned[traces.list[*member].index] = Some(id));
        intrusions.push(describe(traces, id, members));
    }
    follow_records(traces, &mut assigned, &mut intrusions);
    follow_grounds(traces, &mut assigned, &mut intrusions);
    Partition { intrusions, components, assigned }
}

/// Findings that answer nothing themselves follow the findings of their record.
fn follow_records(traces: &Traces<'_>, assigned: &mut [Option<IntrusionId>], intrusions: &mut [Intrusion]) {
    let place = |finding: &Finding| (finding.evidence, finding.position.offset);
    let known = traces.list.iter().filter_map(|trace| Some((place(trace.finding), assigned[trace.index]?)));
    let known: BTreeMap<_, IntrusionId> = known.collect();
    let mut followers: BTreeMap<IntrusionId, Vec<FindingId>> = BTreeMap::new();
    for (index, finding) in traces.findings.iter().enumerate() {
        if finding.rule.level < Level::Medium || answers(finding) {
            continue;
        }
        if let Some(id) = known.get(&place(finding)) {
            assigned[index] = Some(*id);
            followers.entry(*id).or_default().push(finding.id);
        }
    }
    add_followers(traces, assigned, intrusions, followers);
}

/// A correlation belongs where all of its grounds that belong anywhere do.
fn follow_grounds(traces: &Traces<'_>, assigned: &mut [Option<IntrusionId>], intrusions: &mut [Intrusion]) {
    let is_left = |index: &usize| traces.findings[*index].is_correlation() && assigned[*index].is_none();
    let left: Vec<usize> = (0..traces.findings.len()).filter(is_left).collect();
    if left.is_empty() {
        return;
    }
    let pairs = traces.findings.iter().zip(assigned.iter());
    let known: BTreeMap<FindingId, IntrusionId> =
        pairs.filter_map(|(finding, id)| Some((finding.id, (*id)?))).collect();
    let mut followers: BTreeMap<IntrusionId, Vec<FindingId>> = BTreeMap::new();
    for index in left {
        let finding = &traces.findings[index];
        let mut of_grounds = finding.grounds.iter().filter_map(|ground| known.get(ground));
        if let Some(first) = of_grounds.next()
            && of_grounds.all(|other| other == first)
        {
            assigned[index] = Some(*first);
            followers.entry(*first).or_default().push(finding.id);
        }
    }
    add_followers(traces, assigned, intrusions, followers);
}

fn add_followers(
    traces: &Traces<'_>,
    assigned: &[Option<IntrusionId>],
    intrusions: &mut [Intrusion],
    followers: BTreeMap<IntrusionId, Vec<FindingId>>,
) {
    if followers.is_empty() {
        return;
    }
    let times: BTreeMap<FindingId, (bool, Option<Timestamp>)> = traces
        .findings
        .iter()
        .zip(assigned.iter())
        .filter(|(_, intrusion)| intrusion.is_some())
        .map(|(finding, _)| (finding.id, (finding.time.is_none(), finding.time)))
        .collect();
    for (id, more) in followers {
        let findings = &mut intrusions[id.0 as usize].findings;
        findings.extend(more);
        findings.sort_by_key(|id| (times.get(id), *id));
    }
}

/// Intrusions come by first time, then host, then finding.
fn order<'a>(
    traces: &'a Traces<'_>,
    members: &[usize],
) -> (bool, Option<Timestamp>, Option<&'a HostName>, [u8; 8]) {
    let Some(first) = members.first().map(|first| &traces.list[*first]) else {
        return (true, None, None, [0; 8]);
    };
    (first.time().is_none(), first.time(), traces.hosts[first.host].as_ref(), first.finding.id.0)
}

/// Disjoint sets; the smallest index names its set.
pub struct Groups {
    parent: Vec<usize>,
}

impl Groups {
    fn new(count: usize) -> Self {
        Self { parent: (0..count).collect() }
    }

    /// The set of `index`.
    pub fn find(&mut self, mut index: usize) -> usize {
        while self.parent[index] != index {
            self.parent[index] = self.parent[self.parent[index]];
            index = self.parent[index];
        }
        index
    }

    /// Makes their sets one.
    pub fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.find(one), self.find(other));
        self.parent[one.max(other)] = one.min(other);
    }
}

fn join_by_name(traces: &Traces<'_>, groups: &mut Groups, is_visit: &impl Fn(&Trace<'_>) -> bool) {
    let mut last: BTreeMap<&Key, usize> = BTreeMap::new();
    for (index, trace) in traces.list.iter().enumerate().filter(|(_, trace)| trace.is_notable()) {
        for key in trace.keys() {
            if matches!(key, Key::Source(_)) && is_visit(trace) {
                continue;
            }
            let before = last.insert(key, index);
            let near = |before: &usize| match key {
                Key::Source(address) if is_private(*address) => {
                    is_near(&traces.list[*before], trace, PRIVATE_NANOS_MAX)
                }
                _ => true,
            };
            if let Some(before) = before.filter(near) {
                groups.join(before, index);
            }
        }
    }
}

fn is_near(one: &Trace<'_>, other: &Trace<'_>, nanos_max: u64) -> bool {
    let times = one.time().zip(other.time());
    times.is_some_and(|(one, other)| one.nanos().abs_diff(other.nanos()) <= nanos_max)
}

/// Where processes have numbers only: a child belongs to the latest finding
/// about its parent.
fn join_by_process(traces: &Traces<'_>, groups: &mut Groups) {
    let mut latest: BTreeMap<(usize, u64), usize> = BTreeMap::new();
    for (index, trace) in traces.list.iter().enumerate().filter(|(_, trace)| trace.is_notable()) {
        let known = |process: u64| latest.get(&(trace.host, process)).copied();
        for before in
            [trace.names.parent_process, trace.names.process].into_iter().flatten().filter_map(known)
        {
            if is_near(&traces.list[before], trace, PROCESS_NANOS_MAX) {
                groups.join(before, index);
            }
        }
        if let Some(process) = trace.names.process {
            latest.insert((trace.host, process), index);
        }
    }
}

/// Links each finding of `link.of` that is not yet joined with one of
/// `link.to` to the nearest of them that it could belong to.
fn join_by_time(traces: &Traces<'_>, groups: &mut Groups, link: &Link) {
    let shows = |steps: &[String], trace: &Trace<'_>| trace.is_notable() && trace.shows_any(steps);
    if !traces.list.iter().any(|trace| shows(&link.of, trace)) {
        return;
    }
    let mut kinds: BTreeMap<usize, Kinds> = BTreeMap::new();
    if link.follows {
        for (index, trace) in traces.list.iter().enumerate() {
            let known = kinds.entry(groups.find(index)).or_default();
            *known = known.union(trace.kinds());
        }
    }
    let mut targets: BTreeMap<(usize, Kinds), Vec<(Timestamp, usize)>> = BTreeMap::new();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, trace) in traces.list.iter().enumerate().filter(|(_, trace)| shows(&link.to, trace)) {
        let group = groups.find(index);
        *counts.entry(group).or_default() += 1;
        if let Some(time) = trace.time() {
            let kinds = kinds.get(&group).copied().unwrap_or(trace.kinds());
            targets.entry((trace.host, kinds)).or_default().push((time, index));
        }
    }
    let mut target_groups: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (_, index) in targets.values().flatten() {
        target_groups.entry(traces.list[*index].host).or_default().insert(groups.find(*index));
    }
    let is_alone = |host: usize| target_groups.get(&host).is_none_or(|groups| groups.len() == 1);
    let reach = if link.follows { Reach::before(link.minutes) } else { Reach::around(link.minutes) };
    let mut found = Vec::new();
    for (index, trace) in traces.list.iter().enumerate().filter(|(_, trace)| shows(&link.of, trace)) {
        let itself = usize::from(trace.shows_any(&link.to));
        let joined = counts.get(&groups.find(index)).is_some_and(|count| *count > itself);
        let Some(time) = trace.time().filter(|_| !joined && (!link.alone || is_alone(trace.host))) else {
            continue;
        };
        // What it could be told apart by would join the two if they belonged together.
        let host = (trace.host, Kinds::default())..(trace.host + 1, Kinds::default());
        let fitting = targets.range(host).filter(|((_, kinds), _)| !kinds.comparable(trace.kinds()));
        let nearest = fitting.filter_map(|(_, times)| nearest_of(times, time, index, reach)).min();
        found.extend(nearest.map(|(_, target)| (index, target)));
    }
    found.into_iter().for_each(|(index, target)| groups.join(index, target));
}

/// See the rule about visits above.
fn join_visits(traces: &Traces<'_>, groups: &mut Groups, is_visit: &impl Fn(&Trace<'_>) -> bool) {
    // Whose own acts: the addresses of a group's findings that are no visits.
    let mut actors: BTreeMap<usize, BTreeSet<IpAddr>> = BTreeMap::new();
    let mut by_source: BTreeMap<IpAddr, BTreeSet<usize>> = BTreeMap::new();
    for (index, trace) in traces.list.iter().enumerate().filter(|(_, trace)| trace.is_notable()) {
        let Some(source) = trace.names.source() else { continue };
        let group = groups.find(index);
        if is_visit(trace) {
            by_source.entry(source).or_default().insert(group);
        } else {
            actors.entry(group).or_default().insert(source);
            by_source.entry(source).or_default().insert(group);
        }
    }
    by_source.retain(|source, _| !is_private(*source));
    for touched in by_source.into_values() {
        let touched: BTreeSet<usize> = touched.into_iter().map(|group| groups.find(group)).collect();
        let owned: Vec<&BTreeSet<IpAddr>> = touched.iter().filter_map(|group| actors.get(group)).collect();
        let apart = owned.len() > TOUCHED_MAX
            || owned
                .iter()
                .enumerate()
                .any(|(at, one)| owned[..at].iter().any(|other| one.is_disjoint(other)));
        if apart {
            continue;
        }
        let mut all: BTreeSet<IpAddr> = BTreeSet::new();
        for group in &touched {
            all.extend(actors.remove(group).unwrap_or_default());
        }
        let mut touched = touched.into_iter();
        let Some(first) = touched.next() else { continue };
        touched.for_each(|group| groups.join(first, group));
        if !all.is_empty() {
            actors.insert(groups.find(first), all);
        }
    }
}

/// The members of each group that is an intrusion: a book's question other
/// than `probed` is supported by a step. Elsewhere, on hosts where the group
/// does not do so, it was only a visitor.
fn intruders(
    traces: &Traces<'_>,
    books: &[Casebook],
    components: &[usize],
    about: &About,
) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<usize, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
    for (index, trace) in traces.list.iter().enumerate().filter(|(_, trace)| trace.is_notable()) {
        groups.entry(components[index]).or_default().entry(trace.host).or_default().push(index);
    }
    let mut all = Vec::new();
    for by_host in groups.into_values() {
        let mut members: Vec<usize> = Vec::new();
        for (host, on_host) in by_host {
            let host = &traces.hosts[host];
            // A book about other hosts has a say in what only such hosts show.
            let asked = |index: usize| about.is(host, index) || !about.is_any(host);
            let mut books = books.iter().enumerate();
            let by_host = |(index, book)| is_intruder(book, asked(index), traces, &on_host, components);
            if books.any(by_host) {
                members.extend(on_host);
            }
        }
        members.sort_unstable();
        if !members.is_empty() {
            all.push(members);
        }
    }
    all
}

fn is_intruder(
    book: &Casebook,
    is_asked: bool,
    traces: &Traces<'_>,
    members: &[usize],
    components: &[usize],
) -> bool {
    if members.iter().all(|member| traces.list[*member].steps.is_empty()) {
        return false;
    }
    if book.verdict.only_own && !is_asked {
        return false;
    }
    let members_of_view = Members::of(traces, members);
    // Only steps make an intruder.
    let grades = RuleGrades::default();
    let view = View::new((book, &grades), traces, &members_of_view, components);
    let weighs =
        |question: &&Question| book.is_intrusion(question) && (is_asked || question.asked.server_only);
    // What lies there without a time, and nothing else, must speak for itself.
    let is_timed = members.iter().any(|member| traces.list[*member].time().is_some());
    let least = if is_timed { Grade::None } else { Grade::Yes };
    let counts = |question: &Question| is_timed || book.verdict.breach.contains(&question.id);
    let mut questions = book.questions.iter().filter(weighs).filter(|question| counts(question));
    questions.any(|question| {
        view.step_grounds(question).iter().any(|ground| ground.by_step && ground.grade >= least)
    })
}

fn describe(traces: &Traces<'_>, id: IntrusionId, members: &[usize]) -> Intrusion {
    let mut span = Span::default();
    let mut hosts: BTreeSet<HostName> = BTreeSet::new();
    let mut findings = Vec::with_capacity(members.len());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for member in members {
        let trace = &traces.list[*member];
        span.add(trace.time());
        hosts.extend(traces.hosts[trace.host].clone());
        findings.push(trace.finding.id);
        for key in trace.keys() {
            let words = key_words(key, traces);
            *counts.entry(words).or_default() += 1;
        }
    }
    counts.remove("");
    // A server's own address and a proxy's say nothing where the caller's is known.
    let sources: Vec<IpAddr> =
        members.iter().filter_map(|member| traces.list[*member].names.source()).collect();
    if sources.iter().any(|source| !is_private(*source)) {
        for source in sources.into_iter().filter(|source| is_private(*source)) {
            counts.remove(&format!("source {source}"));
        }
    }
    // What several findings share joins them; where nothing does, what the one names.
    let shared = counts.values().any(|count| *count > 1);
    let named = counts.into_iter().filter(|(_, count)| !shared || *count > 1).map(|(words, _)| words);
    // What tells a reader most comes first; on one host, its name is said already.
    let mut named: Vec<String> = named.collect();
    let order = ["source", "web shell", "ECP session", "shell parameter", "file", "process tree"];
    named.sort_by_key(|words| order.iter().position(|own| words.starts_with(own)).unwrap_or(order.len()));
    named.truncate(JOINS_NAMED_MAX);
    if let [host] = &hosts.iter().collect::<Vec<_>>()[..] {
        let ending = format!(" on {host}");
        named.iter_mut().for_each(|words| words.truncate(words.trim_end_matches(&ending).len()));
    }
    let joined_by = named;
    Intrusion { id, hosts: hosts.into_iter().collect(), span, findings, joined_by }
}

/// A key in plain words; nothing for those that tell a reader nothing.
fn key_words(key: &Key, traces: &Traces<'_>) -> String {
    let on =
        |host: &usize| traces.hosts[*host].as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
    match key {
        Key::Source(address) => format!("source {address}"),
        Key::Session(id) => format!("ECP session {id}"),
        Key::Canary(_) => "ECP canary".to_owned(),
        Key::Shell(host, page) => format!("web shell {page}{}", on(host)),
        Key::File(host, path) => format!("file {path}{}", on(host)),
        Key::Parameter(host, name) => format!("shell parameter {name}{}", on(host)),
        Key::Process(host, _) => format!("process tree{}", on(host)),
        Key::Request(_) | Key::Record(..) => String::new(),
    }
}
