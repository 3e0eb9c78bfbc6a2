//! Trees of processes around what was found: from each start with a finding
//! up to its first known ancestor, and down to all that it started.
//!
//! The starts lie on disk. They are read through once for each generation that
//! a tree grows, up and down at once; real trees have few.

use super::processes::{Entry, Starts, guid_key, item_hash};
// Its quick hash: each start of the logs is looked up in these tables, in each generation.
use hashbrown::{HashMap, HashSet};
use model::{Case, Details, EvidenceId, Finding, FindingId, HostName, Level, Position, Process, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Starts with findings from which trees grow.
const SEEDS_MAX: usize = 2_000;
/// Processes of all trees.
const PROCESSES_MAX: usize = 5_000;
/// Children looked at in one reading.
const CHILDREN_MAX: usize = 100_000;
/// Generations up and down.
const GENERATIONS_MAX: usize = 64;
/// Two logs tell of one start when they do so within this time.
const SAME_START_NANOS: i64 = 2_000_000_000;

/// Where a start is recorded: item and offset.
type Place = (EvidenceId, u64);

/// A start with findings: outside of an intrusion, how grave, when, where.
type Seed = (bool, Reverse<Level>, Option<Timestamp>, Place, Entry);

/// A process being put into its tree.
struct Node {
    entry: Entry,
    /// Whether what it started belongs to the tree.
    goes_down: bool,
    /// Known, or looked for in vain.
    parent: Option<Option<Place>>,
}

/// The processes, parents first, and how many were left out.
pub fn around_findings(starts: &Starts, case: &Case) -> io::Result<(Vec<Process>, u64)> {
    let paths =
        case.items.iter().zip(0..).flat_map(|(item, id)| item.paths.iter().map(move |path| (path, id)));
    let items: HashMap<u64, EvidenceId> = paths.map(|(path, id)| (item_hash(path), EvidenceId(id))).collect();
    let place = |entry: &Entry| items.get(&entry.item).map(|item| (*item, entry.position.offset));
    let mut trees = Trees { nodes: BTreeMap::new(), left_out: BTreeSet::new() };
    trees.plant(starts, case, &place)?;
    for _ in 0..GENERATIONS_MAX {
        if !trees.grow(starts, &place)? {
            break;
        }
    }
    let left_out = trees.left_out.len() as u64;
    Ok((trees.into_processes(case)?, left_out))
}

/// Whether its start, or its process, is worth a tree.
fn is_seed(finding: &Finding) -> bool {
    finding.rule.level >= Level::Medium && (finding.intrusion.is_some() || finding.rule.level >= Level::High)
}

struct Trees {
    nodes: BTreeMap<Place, Node>,
    left_out: BTreeSet<Place>,
}

impl Trees {
    /// Takes the starts with findings, the gravest first.
    fn plant(
        &mut self,
        starts: &Starts,
        case: &Case,
        place: &dyn Fn(&Entry) -> Option<Place>,
    ) -> io::Result<()> {
        let mut ranks: HashMap<Place, (bool, Reverse<Level>)> = HashMap::new();
        // Processes that did something that was found, and whose start was not.
        let mut actors: HashSet<u64> = HashSet::new();
        for finding in case.findings.iter().filter(|finding| is_seed(finding)) {
            let rank = (finding.intrusion.is_none(), Reverse(finding.rule.level));
            let at = (finding.evidence, finding.position.offset);
            ranks.entry(at).and_modify(|known| *known = (*known).min(rank)).or_insert(rank);
            let guids = ["ProcessGuid", "SourceProcessGUID"].iter().filter_map(|name| finding.field(name));
            actors.extend(guids.map(|guid| guid_key(finding.host.as_deref(), guid)));
        }
        let mut seeds: Vec<Seed> = Vec::new();
        let mut others = Vec::new();
        starts.each(&mut |entry| {
            let Some(at) = place(&entry) else { return };
            match ranks.get(&at) {
                Some((unassigned, level)) => seeds.push((*unassigned, *level, entry.time, at, entry)),
                None if actors.contains(&entry.key) && others.len() < SEEDS_MAX => others.push((at, entry)),
                None => {}
            }
        })?;
        seeds.sort_by_key(|(unassigned, level, time, at, _)| (*unassigned, *level, *time, *at));
        self.left_out.extend(seeds.iter().skip(SEEDS_MAX).map(|(.., at, _)| *at));
        for (.., at, entry) in seeds.into_iter().take(SEEDS_MAX) {
            self.add(at, entry, true);
        }
        others.sort_by_key(|(at, _)| *at);
        others.into_iter().for_each(|(at, entry)| self.add(at, entry, false));
        Ok(())
    }

    fn add(&mut self, at: Place, entry: Entry, goes_down: bool) {
        if self.nodes.len() >= PROCESSES_MAX && !self.nodes.contains_key(&at) {
            self.left_out.insert(at);
            return;
        }
        let node = self.nodes.entry(at).or_insert(Node { entry, goes_down, parent: None });
        node.goes_down |= goes_down;
    }

    /// One generation up and down; false when there is nothing more.
    fn grow(&mut self, starts: &Starts, place: &dyn Fn(&Entry) -> Option<Place>) -> io::Result<bool> {
        // Who looks for a parent, by the parent's key; and whose children are looked for.
        let mut wanted: HashMap<u64, Vec<(Place, Option<Timestamp>)>> = HashMap::new();
        for (at, node) in self.nodes.iter().filter(|(_, node)| node.parent.is_none()) {
            wanted.entry(node.entry.parent).or_default().push((*at, node.entry.time));
        }
        let keys: HashSet<u64> =
            self.nodes.values().filter(|node| node.goes_down).map(|node| node.entry.key).collect();
        if wanted.is_empty() && keys.is_empty() {
            return Ok(false);
        }
        let mut parents: HashMap<Place, (Place, Entry)> = HashMap::new();
        // All processes that had one of those numbers, with their times.
        let mut namesakes: HashMap<u64, BTreeSet<(Option<Timestamp>, Place)>> = HashMap::new();
        let mut children: BTreeMap<Place, Entry> = BTreeMap::new();
        starts.each(&mut |entry| {
            let children_of = wanted.get(&entry.key);
            let (is_namesake, is_child) = (keys.contains(&entry.key), keys.contains(&entry.parent));
            if children_of.is_none() && !is_namesake && !is_child {
                return;
            }
            let Some(at) = place(&entry) else { return };
            for (child, time) in children_of.into_iter().flatten() {
                let is_later = |known: &(Place, Entry)| (known.1.time, known.0) < (entry.time, at);
                if *child != at
                    && (!Entry::is_number(entry.key) || entry.time <= *time)
                    && parents.get(child).is_none_or(is_later)
                {
                    parents.insert(*child, (at, entry));
                }
            }
            if is_namesake {
                namesakes.entry(entry.key).or_default().insert((entry.time, at));
            }
            if is_child && children.len() < CHILDREN_MAX && !self.nodes.contains_key(&at) {
                children.insert(at, entry);
            }
        })?;
        let before = self.nodes.len();
        for child in wanted.into_values().flatten().map(|(child, _)| child) {
            let parent = parents.remove(&child);
            if let Some((at, entry)) = parent {
                self.add(at, entry, false);
            }
            let known = parent.map(|(at, _)| at).filter(|at| self.nodes.contains_key(at));
            if let Some(node) = self.nodes.get_mut(&child) {
                node.parent = Some(known);
            }
        }
        for (at, entry) in children {
            let parent = namesakes.get(&entry.parent).and_then(|all| {
                let before = |(time, _): &&(Option<Timestamp>, Place)| {
                    !Entry::is_number(entry.parent) || *time <= entry.time
                };
                all.iter().rfind(before).map(|(_, place)| *place)
            });
            let Some(parent) = parent.filter(|parent| *parent != at) else { continue };
            if self.nodes.get(&parent).is_some_and(|node| node.goes_down) {
                self.add(at, entry, true);
                if let Some(node) = self.nodes.get_mut(&at) {
                    node.parent = Some(Some(parent));
                }
            }
        }
        Ok(self.nodes.len() > before || self.nodes.values().any(|node| node.parent.is_none()))
    }

    fn into_processes(self, case: &Case) -> io::Result<Vec<Process>> {
        let mut texts: BTreeMap<Place, Texts> = BTreeMap::new();
        let mut fields = Details::default();
        for (at, node) in &self.nodes {
            let store = case.spill.0.as_ref().ok_or(io::ErrorKind::NotFound)?;
            fields.clear();
            store.read_record(node.entry.place, &mut fields).map_err(io::Error::other)?;
            texts.insert(*at, Texts::of(&fields, case));
        }
        let twins = twins(&self.nodes, &texts);
        let mut findings: BTreeMap<Place, Vec<FindingId>> = BTreeMap::new();
        for finding in &case.findings {
            let at = (finding.evidence, finding.position.offset);
            let at = twins.get(&at).copied().unwrap_or(at);
            if self.nodes.contains_key(&at) {
                findings.entry(at).or_default().push(finding.id);
            }
        }
        let mut below: BTreeMap<Above, Vec<Place>> = BTreeMap::new();
        for (at, node) in self.nodes.iter().filter(|(at, _)| !twins.contains_key(at)) {
            let above = match node.parent.flatten() {
                Some(parent) => Above::Known(twins.get(&parent).copied().unwrap_or(parent)),
                None => {
                    Above::Told(texts[at].host.clone(), node.entry.parent, texts[at].parent_image.clone())
                }
            };
            below.entry(above).or_default().push(*at);
        }
        let mut builder =
            Builder { nodes: &self.nodes, texts: &texts, findings, below, processes: Vec::new() };
        builder.roots();
        Ok(builder.processes)
    }
}

/// What stands above a process.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Above {
    Known(Place),
    /// Its start is not in the evidence: host, key, and what its child calls it.
    Told(Option<HostName>, u64, String),
}

struct Texts {
    host: Option<HostName>,
    image: String,
    command_line: String,
    user: String,
    process_id: String,
    parent_image: String,
    parent_command_line: String,
    parent_process_id: String,
}

impl Texts {
    fn of(fields: &Details, case: &Case) -> Self {
        let text = |name: &str| {
            let field = fields.iter().find(|field| field.name == name);
            field.map(|field| field.text.to_owned()).unwrap_or_default()
        };
        let host = Some(text("Host")).filter(|host| !host.is_empty()).map(HostName::from);
        Self {
            host: host.map(|host| super::logons::latest(case, host)),
            image: text("Image"),
            command_line: text("CommandLine"),
            user: text("User"),
            process_id: text("ProcessId"),
            parent_image: text("ParentImage"),
            parent_command_line: text("ParentCommandLine"),
            parent_process_id: text("ParentProcessId"),
        }
    }
}

/// Starts that Security and Sysmon both tell of: that of Security, and Sysmon's,
/// which says more.
fn twins(nodes: &BTreeMap<Place, Node>, texts: &BTreeMap<Place, Texts>) -> BTreeMap<Place, Place> {
    let mut by_process: HashMap<(Option<&str>, u64, String), Vec<Place>> = HashMap::new();
    let identity = |at: &Place| {
        let text = &texts[at];
        Some((text.host.as_deref(), number(&text.process_id)?, text.image.to_lowercase()))
    };
    for (at, _) in nodes.iter().filter(|(_, node)| !Entry::is_number(node.entry.key)) {
        identity(at).into_iter().for_each(|identity| by_process.entry(identity).or_default().push(*at));
    }
    let nanos = |at: &Place| nodes[at].entry.time.map_or(i64::MIN, Timestamp::nanos);
    let twin = |at: &Place| {
        let close = |other: &&Place| nanos(other).abs_diff(nanos(at)) <= SAME_START_NANOS as u64;
        by_process.get(&identity(at)?)?.iter().find(close).copied()
    };
    let numbered = nodes.iter().filter(|(_, node)| Entry::is_number(node.entry.key));
    numbered.filter_map(|(at, _)| Some((*at, twin(at)?))).collect()
}

/// A process id as 4688 (`0x1a2c`) and Sysmon (`6700`) write it.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

struct Builder<'a> {
    nodes: &'a BTreeMap<Place, Node>,
    texts: &'a BTreeMap<Place, Texts>,
    findings: BTreeMap<Place, Vec<FindingId>>,
    below: BTreeMap<Above, Vec<Place>>,
    processes: Vec<Process>,
}

impl Builder<'_> {
    fn roots(&mut self) {
        let mut roots: Vec<(Option<HostName>, Option<Timestamp>, Place, Above)> = Vec::new();
        for (above, below) in &mut self.below {
            below.sort_by_key(|at| (self.nodes[at].entry.time, *at));
            if let (Above::Told(host, ..), Some(first)) = (above, below.first()) {
                roots.push((host.clone(), self.nodes[first].entry.time, *first, above.clone()));
            }
        }
        roots.sort();
        for (.., first, above) in roots {
            let Above::Told(host, _, image) = &above else { continue };
            let parent = (!image.is_empty()).then(|| {
                let told = &self.texts[&first];
                self.processes.push(Process {
                    host: host.clone(),
                    parent: None,
                    time: None,
                    image: image.clone(),
                    command_line: told.parent_command_line.clone(),
                    user: String::new(),
                    process_id: told.parent_process_id.clone(),
                    place: None,
                    findings: Vec::new(),
                });
                self.processes.len() as u32 - 1
            });
            let below = self.below.remove(&above).unwrap_or_default();
            below.into_iter().for_each(|at| self.tree(at, parent));
        }
        // Numbers that were used again at one time can make a ring: it begins anywhere.
        while let Some((above, mut below)) = self.below.pop_first() {
            let first = below.remove(0);
            if !below.is_empty() {
                self.below.insert(above, below);
            }
            self.tree(first, None);
        }
    }

    /// Not by recursion: evidence decides how deep a tree is.
    fn tree(&mut self, root: Place, parent: Option<u32>) {
        let mut open = vec![(root, parent)];
        while let Some((at, parent)) = open.pop() {
            let (node, text) = (&self.nodes[&at], &self.texts[&at]);
            let position: Position = node.entry.position;
            self.processes.push(Process {
                host: text.host.clone(),
                parent,
                time: node.entry.time,
                image: text.image.clone(),
                command_line: text.command_line.clone(),
                user: text.user.clone(),
                process_id: text.process_id.clone(),
                place: Some((at.0, position)),
                findings: self.findings.remove(&at).unwrap_or_default(),
            });
            let own = self.processes.len() as u32 - 1;
            let below = self.below.remove(&Above::Known(at)).unwrap_or_default();
            open.extend(below.into_iter().rev().map(|child| (child, Some(own))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_both_logs() {
        assert_eq!((number("0x1a2c"), number("6700")), (Some(6_700), Some(6_700)));
        assert_eq!((number(""), number("-")), (None, None));
    }
}
