//! From what was gathered, in any order, to the case, in one order.

use crate::files::SeenFile;
use crate::gather::GatheredItem;
use crate::hosts::Hosts;
use crate::known_good::KnownGood;
use crate::logs::LogStats;
use crate::part::{Gathered, RawFinding};
use crate::rule_use::Met;
use crate::sessions::Logons;
use crate::web_files::{self, Counted, WebFile};
use evidence::ReadItem;
use model::{
    Case, Coverage, EvidenceId, EvidenceItem, Finding, FindingId, Gap, GapKind, Host, HostBasis, HostName,
    ItemCoverage, LogKey, Problem, Span, Timestamp,
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Whole records kept of each rule.
const RECORDS_PER_RULE_MAX: usize = 100;

type LogName = (Option<HostName>, LogKey);
type Logs = BTreeMap<LogName, (LogStats, BTreeSet<EvidenceId>)>;

/// Puts everything in its place and order. Files that `known_good` knows show nothing.
pub fn case(
    mut gathered: Vec<GatheredItem>,
    argument: Option<HostName>,
    known_good: &KnownGood,
    met: &mut Met,
    logons: &mut Logons,
) -> Case {
    gathered.sort_by(|a, b| a.item.path.cmp(&b.item.path));
    let synthetic = gathered.iter().any(|item| item.item.synthetic);
    let hosts = Hosts::learn(&gathered, argument);

    let mut case = Case { synthetic, ..Case::default() };
    case.looked_for.files_scanned = gathered.iter().filter(|item| item.file.is_evidence()).count();
    let lists = gathered.iter().filter_map(|item| item.gathered.as_ref()).flat_map(|one| &one.findings);
    case.findings.reserve_exact(lists.map(Vec::len).sum());
    let mut logs = Logs::new();
    let mut web_files: Vec<WebFile> = Vec::new();
    for (item, mut copies) in without_copies(gathered, &mut case.unread) {
        let id = EvidenceId(case.items.len() as u32);
        let is_known = known_good.has(&item.item.sha256);
        for copy in &mut copies {
            let host = hosts.of_path(&copy.path, &copy.root).map(|(host, _)| host);
            web_files.extend(copy.web_file(id, host, item.item.sha256));
        }
        let ReadItem { path, root, sha256, size_bytes, format, records, mut problems, facts, .. } = item.item;
        let mut gathered = item.gathered.unwrap_or_default();
        let elsewhere = hosts.of_silent(&path, &root, gathered.is_of_tenant);
        add_problems(&mut problems, &gathered);
        let is_looked_at = copies.iter().any(|copy| copy.is_scanned);
        let coverage = item_coverage(id, records, problems, &gathered);
        case.coverage.items.push(ItemCoverage { is_looked_at, ..coverage });
        let (item_hosts, host_basis) =
            hosts_of_item(&gathered, |host| hosts.latest(host, &path), elsewhere.as_ref());
        met.note(&gathered.sources, is_looked_at, &item_hosts, elsewhere.as_ref().map(|(host, _)| host));
        case.items.push(EvidenceItem {
            paths: copies.iter().map(|copy| copy.path.clone()).collect(),
            root,
            sha256,
            size_bytes,
            format,
            hosts: item_hosts,
            host_basis,
            facts,
        });

        let resolve = |host: Option<HostName>| match host {
            Some(host) => Some(hosts.latest(&host, &path)),
            None => elsewhere.as_ref().map(|(host, _)| host.clone()),
        };
        let from = case.findings.len();
        let raws = std::mem::take(&mut gathered.findings).into_iter().flatten();
        let raws = raws.filter(|raw| !(is_known && raw.is_of_file));
        let item = (id, hex(&sha256));
        case.findings.extend(raws.map(|raw| finding(raw, &item, resolve)));
        if !is_known {
            let of_copy = |raw, host: Option<HostName>| finding(raw, &item, |_| host.clone());
            add_copies(&mut case.findings, from, copies, of_copy, &hosts);
        }
        count(gathered, id, resolve, &mut logs, logons, &mut case.coverage);
    }
    judge_web_files(&mut case, &mut logs, web_files, known_good);
    finish_logs(&mut case.coverage, logs, met);
    case.hosts = all_hosts(&case, &hosts);
    // Not stably, which takes half as much memory again: no two are equal.
    case.findings.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
    settle_records(&mut case.findings);
    case
}

/// Adds what was not looked at for its number.
fn add_problems(problems: &mut Vec<Problem>, gathered: &Gathered) {
    problems.extend(gathered.hits.values().filter_map(|(rule, hits)| hits.problem(&rule.id)));
    problems.extend(gathered.settled.problem());
    problems.sort_by(|a, b| (a.offset, a).cmp(&(b.offset, b)));
}

/// Adds what an item's records count up to.
fn count(
    gathered: Gathered,
    id: EvidenceId,
    resolve: impl Fn(Option<HostName>) -> Option<HostName>,
    logs: &mut Logs,
    logons: &mut Logons,
    coverage: &mut Coverage,
) {
    for ((host, key), stats) in gathered.logs {
        let (known, items) = logs.entry((resolve(host), key)).or_default();
        known.merge(stats);
        items.insert(id);
    }
    for (host, builds) in gathered.builds {
        let known = coverage.builds.entry(resolve(host)).or_default();
        builds.into_iter().for_each(|(build, span)| known.entry(build).or_default().join(span));
    }
    logons.add_item(gathered.logons, resolve);
}

/// Whole records stay with the first findings of each rule, in the order of the case.
fn settle_records(findings: &mut [Finding]) {
    let mut of_rule: BTreeMap<&str, usize> = BTreeMap::new();
    let mut too_many = Vec::new();
    for (index, finding) in findings.iter().enumerate().filter(|(_, finding)| finding.record.is_some()) {
        let count = of_rule.entry(&finding.rule.id).or_default();
        *count += 1;
        if *count > RECORDS_PER_RULE_MAX {
            too_many.push(index);
        }
    }
    too_many.into_iter().for_each(|index| findings[index].record = None);
}

pub type Order<'a> = (bool, Option<Timestamp>, EvidenceId, u64, &'a str, &'a Option<HostName>);

pub fn order(finding: &Finding) -> Order<'_> {
    let Finding { time, evidence, position, rule, host, .. } = finding;
    (time.is_none(), *time, *evidence, position.offset, &rule.id, host)
}

/// One of the paths of an item.
struct Copy {
    path: String,
    root: String,
    file: SeenFile,
    is_scanned: bool,
    /// What the file as a whole showed at this path, where it is not the first.
    findings: Vec<RawFinding>,
}

impl Copy {
    fn web_file(
        &mut self,
        evidence: EvidenceId,
        host: Option<HostName>,
        sha256: [u8; 32],
    ) -> Option<WebFile> {
        let SeenFile { path, time, is_scanned, .. } = std::mem::take(&mut self.file);
        web_files::is_web(&path).then_some(WebFile { evidence, host, path, sha256, time, is_scanned })
    }
}

/// Identical files are one item with several paths; the first path leads. What
/// was wrong with a copy (its archive is cut right behind it) goes to `unread`.
fn without_copies(
    gathered: Vec<GatheredItem>,
    unread: &mut Vec<(String, Problem)>,
) -> Vec<(GatheredItem, Vec<Copy>)> {
    let mut firsts: BTreeMap<[u8; 32], usize> = BTreeMap::new();
    let mut items: Vec<(GatheredItem, Vec<Copy>)> = Vec::new();
    for mut item in gathered {
        let (path, root) = (item.item.path.clone(), item.item.root.clone());
        let file = std::mem::take(&mut item.file);
        let mut copy = Copy { path, root, is_scanned: file.is_scanned, file, findings: Vec::new() };
        match firsts.get(&item.item.sha256) {
            Some(first) => {
                let (leader, copies) = &mut items[*first];
                let own = item.item.problems.into_iter().filter(|own| !leader.item.problems.contains(own));
                unread.extend(own.map(|problem| (item.item.path.clone(), problem)));
                // What depends on the path, or on whose host it is, the first one does not show.
                let findings = item.gathered.into_iter().flat_map(|gathered| gathered.findings).flatten();
                copy.findings = findings.filter(|raw| raw.is_of_file).collect();
                copies.push(copy);
            }
            None => {
                firsts.insert(item.item.sha256, items.len());
                items.push((item, vec![copy]));
            }
        }
    }
    items
}

/// Adds what an item shows at its other paths, where that is another rule's, or
/// another host's; findings from `from` on are the item's.
fn add_copies(
    findings: &mut Vec<Finding>,
    from: usize,
    copies: Vec<Copy>,
    finding: impl Fn(RawFinding, Option<HostName>) -> Finding,
    hosts: &Hosts,
) {
    for copy in copies.into_iter().filter(|copy| !copy.findings.is_empty()) {
        let host = hosts.of_path(&copy.path, &copy.root).map(|(host, _)| host);
        for raw in copy.findings {
            let found = finding(raw, host.clone());
            let is_same = |other: &Finding| (other.id, &other.host) == (found.id, &found.host);
            if !findings[from..].iter().any(is_same) {
                findings.push(found);
            }
        }
    }
}

/// Counts the files of web folders, and adds the findings of those that are
/// not their build's.
fn judge_web_files(case: &mut Case, logs: &mut Logs, files: Vec<WebFile>, known_good: &KnownGood) {
    let mut count = |(host, key, id): Counted| {
        let (stats, items) = logs.entry((host, key)).or_default();
        // Without its time: files stand, they do not log.
        stats.add(None, None);
        items.insert(id);
    };
    let logged = |host: &Option<HostName>| {
        let builds = case.coverage.builds.get(host).into_iter().flatten();
        builds.map(|(build, _)| build.as_str()).collect()
    };
    let listed = match known_good.is_empty() {
        true => BTreeMap::new(),
        false => web_files::builds_by_host(&files, known_good, logged),
    };
    let none = web_files::Builds::new();
    for file in &files {
        web_files::seen(file).into_iter().for_each(&mut count);
        let builds = listed.get(&file.host).unwrap_or(&none);
        let (raw, compared) = web_files::judge(file, known_good, builds);
        compared.into_iter().for_each(&mut count);
        let item = (file.evidence, hex(&file.sha256));
        let found = raw.map(|raw| finding(raw, &item, |_| file.host.clone()));
        case.findings.extend(found);
    }
    for (host, builds) in &listed {
        let own = files.iter().filter(|file| file.host == *host);
        let missing = web_files::missing(own, known_good, builds);
        for _ in 0..missing {
            logs.entry((host.clone(), web_files::key("web-missing"))).or_default().0.add(None, None);
        }
    }
    case.coverage.listed_builds = listed;
}

/// `item` is the number of the item and its SHA-256 in hex.
fn finding(
    raw: RawFinding,
    item: &(EvidenceId, String),
    resolve: impl Fn(Option<HostName>) -> Option<HostName>,
) -> Finding {
    Finding {
        id: finding_id(&raw.rule.id, &item.1, raw.position.offset),
        rule: raw.rule,
        time: raw.time,
        host: resolve(raw.host),
        evidence: item.0,
        position: raw.position,
        intrusion: None,
        fields: raw.fields,
        spilled: raw.spilled,
        record: raw.record,
        grounds: Vec::new(),
    }
}

fn hex(sha256: &[u8; 32]) -> String {
    sha256.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 over the rule's id, the item's SHA-256 in hex, and the decimal
/// offset, joined by line feeds; the first eight bytes.
fn finding_id(rule_id: &str, sha256_hex: &str, offset: u64) -> FindingId {
    let mut text = String::with_capacity(rule_id.len() + sha256_hex.len() + 24);
    // Writing into a `String` cannot fail.
    let _ = write!(text, "{rule_id}\n{sha256_hex}\n{offset}");
    let digest = Sha256::digest(text.as_bytes());
    let mut id = [0; 8];
    id.copy_from_slice(&digest[..8]);
    FindingId(id)
}

fn hosts_of_item(
    gathered: &Gathered,
    latest: impl Fn(&HostName) -> HostName,
    elsewhere: Option<&(HostName, HostBasis)>,
) -> (Vec<HostName>, Option<HostBasis>) {
    let own: BTreeSet<HostName> = gathered.hosts.iter().chain(&gathered.settled.hosts).map(latest).collect();
    if !own.is_empty() {
        return (own.into_iter().collect(), Some(HostBasis::Log));
    }
    match elsewhere {
        Some((host, basis)) if !gathered.logs.is_empty() => (vec![host.clone()], Some(*basis)),
        _ => (Vec::new(), None),
    }
}

fn item_coverage(
    evidence: EvidenceId,
    records: u64,
    problems: Vec<Problem>,
    gathered: &Gathered,
) -> ItemCoverage {
    let mut span = Span::default();
    let mut gaps: Vec<Gap> = Vec::new();
    for ((_, key), stats) in &gathered.logs {
        span.join(stats.span);
        if key.part.is_empty() {
            gaps.extend(stats.gaps(None));
        }
    }
    gaps.sort_by_key(|gap| (gap.from.or(gap.to), gap.to, gap.kind));
    let carved = gathered.settled.records;
    ItemCoverage { evidence, records, carved, is_looked_at: false, span, problems, gaps }
}

/// Gives each log its gaps; a log's window begins where the first web or
/// Exchange log of its host does, or else its first log of any kind.
fn finish_logs(coverage: &mut Coverage, logs: Logs, met: &mut Met) {
    let mut begins: BTreeMap<Option<HostName>, (Option<Timestamp>, Option<Timestamp>)> = BTreeMap::new();
    for ((host, key), (stats, _)) in &logs {
        let Some(first) = stats.span.first else { continue };
        let (front, any) = begins.entry(host.clone()).or_default();
        *any = Some(any.map_or(first, |known| known.min(first)));
        if matches!(key.log.as_str(), "httpproxy" | "iis") {
            *front = Some(front.map_or(first, |known| known.min(first)));
        }
    }
    // That a log was cleared is no record of it: it need not be in the evidence.
    for ((host, key), (stats, items)) in logs.into_iter().filter(|(_, (stats, _))| stats.records > 0) {
        let window = begins.get(&host).and_then(|(front, any)| front.or(*any));
        let log = stats.coverage(items.into_iter().collect(), window);
        for gap in log.gaps.iter().filter(|gap| gap.kind == GapKind::Rollover && key.part.is_empty()) {
            let holds_first =
                |item: &&mut ItemCoverage| log.items.contains(&item.evidence) && item.span.first == gap.to;
            if let Some(item) = coverage.items.iter_mut().find(holds_first) {
                item.gaps.insert(0, *gap);
            }
        }
        if let Some(family) = stats.family {
            met.families.insert((host.clone(), key.clone()), family);
        }
        coverage.logs.insert((host, key), log);
    }
}

fn all_hosts(case: &Case, hosts: &Hosts) -> Vec<Host> {
    let mut named: BTreeMap<HostName, HostBasis> = BTreeMap::new();
    for item in &case.items {
        for host in &item.hosts {
            let basis = item.host_basis.unwrap_or(HostBasis::Log);
            let known = named.entry(host.clone()).or_insert(basis);
            *known = (*known).min(basis);
        }
    }
    let named = named.into_iter();
    named.map(|(name, basis)| Host { also: hosts.earlier(&name), name, basis }).collect()
}
