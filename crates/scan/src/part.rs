//! The accumulators of one batch, and what remains of them.

use crate::carved::{Carved, Settled};
use crate::indicators::{FINDINGS_PER_ITEM_MAX, Hits};
use crate::keep::Keeper;
use crate::logs::{self, LogStats};
use crate::sessions::{Fields, Logons, ProcessLog};
use crate::tally::{Tallies, Tally};
use casebook::Watched;
use model::{
    Field, HostName, LogFamily, LogKey, PerShape, Position, Record, Role, RuleFacts, Span, Spilled,
    Timestamp, Value,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Host changes kept per item; a log that has more is a forwarded one, not
/// that of a renamed computer.
const HOST_RUNS_MAX: usize = 64;
/// Shapes whose watched slots are remembered in one part.
const SHAPES_MAX: usize = 512;
/// Logs that are told by what stands in a record, without their names being made.
const RECENT_MAX: usize = 8;

/// A match, before its item's hash and host are known.
pub struct RawFinding {
    pub rule: Arc<RuleFacts>,
    pub position: Position,
    pub time: Option<Timestamp>,
    pub host: Option<HostName>,
    pub fields: Vec<Field>,
    pub spilled: Option<Spilled>,
    /// Where all of its record lies, when that was kept.
    pub record: Option<Spilled>,
    /// Of the file as a whole, and not of a record in it.
    pub is_of_file: bool,
}

/// Records of one channel by one host with no other host's between them, their
/// numbers ascending; some may be missing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HostRun {
    pub channel: String,
    pub first: u64,
    pub last: u64,
    pub host: HostName,
}

/// What one part of an item (in the end: the item) gave.
#[derive(Default)]
pub struct Gathered {
    /// Per batch, in order: one growing list would hold its findings twice
    /// each time it grows.
    pub findings: Vec<Vec<RawFinding>>,
    pub logs: BTreeMap<(Option<HostName>, LogKey), LogStats>,
    pub builds: BTreeMap<Option<HostName>, BTreeMap<String, Span>>,
    pub host_runs: Vec<HostRun>,
    /// How often its records show an indicator, by its number, with the rule
    /// of its findings.
    pub hits: BTreeMap<u32, (Arc<RuleFacts>, Hits)>,
    /// Hosts that its records name.
    pub hosts: BTreeSet<HostName>,
    /// Those of them that are Exchange servers by their own logs.
    pub exchange_hosts: BTreeSet<HostName>,
    /// Logons over the network.
    pub logons: Logons,
    /// Kinds of record, as the rules tell them apart (numbers of the engine).
    pub sources: BTreeSet<usize>,
    /// Those of them that are tenants of a cloud: no computers.
    pub tenants: BTreeSet<HostName>,
    /// Whether it is a log of a tenant.
    pub is_of_tenant: bool,
    /// Records carved from free space, as they are met …
    pub carved: Carved,
    /// … and what remains of them when all of the item was read.
    pub settled: Settled,
}

impl Gathered {
    fn merge(&mut self, mut other: Gathered) {
        self.merge_hits(&mut other);
        self.findings.extend(other.findings);
        for (name, stats) in other.logs {
            self.logs.entry(name).or_default().merge(stats);
        }
        for (host, builds) in other.builds {
            let known = self.builds.entry(host).or_default();
            builds.into_iter().for_each(|(build, span)| known.entry(build).or_default().join(span));
        }
        other.host_runs.into_iter().for_each(|run| self.add_host_run(run));
        self.hosts.extend(other.hosts);
        self.exchange_hosts.extend(other.exchange_hosts);
        self.logons.merge(other.logons);
        self.sources.extend(other.sources);
        self.tenants.extend(other.tenants);
        self.is_of_tenant |= other.is_of_tenant;
        self.carved.merge(other.carved);
    }

    /// Decides which carved records count, when the whole item was read.
    pub fn settle(&mut self) {
        self.settled = std::mem::take(&mut self.carved).settle(&self.logs);
        let findings = std::mem::take(&mut self.settled.findings);
        if !findings.is_empty() {
            self.findings.push(findings);
        }
        logs::bridge(self.logs.values_mut());
    }

    /// Adds hits; drops those findings of `other`, which comes after, that are
    /// beyond what one item may have.
    fn merge_hits(&mut self, other: &mut Gathered) {
        for (id, (rule, hits)) in std::mem::take(&mut other.hits) {
            let (_, known) = self.hits.entry(id).or_insert_with(|| (Arc::clone(&rule), Hits::default()));
            let room = FINDINGS_PER_ITEM_MAX - known.findings();
            let mut first_beyond = hits.first_beyond;
            if hits.findings() > room {
                let mut seen = 0;
                let mut stays = |finding: &RawFinding| {
                    seen += u64::from(Arc::ptr_eq(&finding.rule, &rule));
                    let fits = seen <= room || !Arc::ptr_eq(&finding.rule, &rule);
                    if !fits && seen == room + 1 {
                        first_beyond = Some(finding.position.offset);
                    }
                    fits
                };
                other.findings.iter_mut().for_each(|findings| findings.retain(&mut stays));
            }
            known.records += hits.records;
            known.first_beyond = known.first_beyond.or(first_beyond);
        }
    }

    fn add_host_run(&mut self, run: HostRun) {
        let room = self.host_runs.len() < HOST_RUNS_MAX;
        let same_channel = self.host_runs.iter_mut().rev().find(|known| known.channel == run.channel);
        match same_channel {
            Some(known) if known.host == run.host && known.last < run.first => known.last = run.last,
            _ if room => self.host_runs.push(run),
            _ => {}
        }
    }

    /// Whether it changed hosts too often to tell a rename from forwarding.
    pub fn is_forwarded(&self) -> bool {
        self.host_runs.len() >= HOST_RUNS_MAX
    }
}

/// The logs and parts whose filled fields are counted, found by log.
pub struct WatchList {
    by_log: HashMap<String, Vec<usize>>,
    entries: Vec<WatchEntry>,
}

struct WatchEntry {
    key: LogKey,
    event_id: Option<i64>,
    fields: Vec<String>,
}

impl WatchList {
    pub fn new(watched: &[Watched]) -> Self {
        let mut fields: BTreeMap<LogKey, BTreeSet<String>> = BTreeMap::new();
        for one in watched {
            fields.entry(one.log.clone()).or_default().extend(one.fields.iter().cloned());
        }
        let mut by_log: HashMap<String, Vec<usize>> = HashMap::new();
        let mut entries = Vec::new();
        for (key, fields) in fields {
            by_log.entry(key.log.clone()).or_default().push(entries.len());
            let event_id = key.part.parse().ok();
            entries.push(WatchEntry { key, event_id, fields: fields.into_iter().collect() });
        }
        Self { by_log, entries }
    }
}

impl WatchList {
    /// Shows, for each entry of a log (its name in lower case), whether it is of a part of it, and its fields.
    pub fn each_of(&self, log: &str, show: &mut dyn FnMut(bool, &[String])) {
        let entries = self.by_log.get(log).into_iter().flatten().map(|entry| &self.entries[*entry]);
        entries.for_each(|entry| show(!entry.key.part.is_empty(), &entry.fields));
    }
}

impl WatchEntry {
    /// Whether `record`, which is of this log, is of this part of it.
    fn takes(&self, record: &Record<'_>) -> bool {
        if self.key.part.is_empty() {
            return true;
        }
        match self.event_id {
            Some(wanted) => record.role(Role::EventId).to_integer() == Some(wanted),
            None => record.field("Protocol").to_text().eq_ignore_ascii_case(&self.key.part),
        }
    }
}

/// One log of one host, being counted.
struct OpenLog {
    host: Option<HostName>,
    key: LogKey,
    stats: LogStats,
    /// Watched entries of this log.
    entries: Vec<usize>,
    /// Counts of the entries that are a part of it.
    parts: Vec<(LogKey, LogStats)>,
}

/// Of one shape: for each watch entry that was asked for, the slots of each of its fields.
type KnownSlots = PerShape<HashMap<usize, Vec<Vec<usize>>>>;

/// What of a record says to which log it belongs, as it stands there.
struct Written {
    log: Box<str>,
    host: (u8, Vec<u8>),
    channel: (u8, Vec<u8>),
}

impl Written {
    /// `None` when it is not text.
    fn of(record: &Record<'_>) -> Option<Self> {
        let owned = |value: Value<'_>| value.as_written().map(|(kind, bytes)| (kind, bytes.to_vec()));
        let (host, channel) = (owned(record.role(Role::Host))?, owned(record.role(Role::Channel))?);
        Some(Self { log: record.shape.log.clone(), host, channel })
    }

    fn is_of(&self, record: &Record<'_>) -> bool {
        let same = |own: &(u8, Vec<u8>), value: Value<'_>| value.as_written() == Some((own.0, &own.1));
        self.log == record.shape.log
            && same(&self.host, record.role(Role::Host))
            && same(&self.channel, record.role(Role::Channel))
    }
}

/// What one thread needs to look at records.
pub struct Workers<'e> {
    pub rules: sigma::Worker<'e>,
    pub indicators: Option<indicator::Worker<'e>>,
    /// Where starts of processes and logons have their fields.
    pub process_fields: Fields,
    pub logon_fields: Fields,
}

/// The accumulators of one batch of one item.
pub struct Part<'e> {
    pub workers: Option<Workers<'e>>,
    pub keeper: Keeper,
    pub found: Vec<RawFinding>,
    pub gathered: Gathered,
    /// Starts of processes.
    pub starts: ProcessLog,
    /// Hash of the item's path.
    pub item: u64,
    open: Vec<OpenLog>,
    open_by_key: HashMap<String, usize>,
    /// Logs of the records before: most records follow their own kind.
    recent: Vec<(Written, usize)>,
    key: String,
    slots: KnownSlots,
    build: String,
    /// Records that no rule can match and that are not counted yet.
    pub tallies: Tallies,
}

/// How many records are counted as one.
#[derive(Clone, Copy)]
enum Times<'a> {
    /// The record itself.
    Once,
    /// All of a tally.
    All(&'a LogStats),
}

impl Times<'_> {
    fn records(self) -> u64 {
        match self {
            Times::Once => 1,
            Times::All(stats) => stats.records,
        }
    }

    fn add_to(self, counts: &mut LogStats, time: Option<Timestamp>, number: Option<u64>) {
        match self {
            Times::Once => counts.add(time, number),
            Times::All(stats) => counts.merge(stats.clone()),
        }
    }

    fn span(self, time: Option<Timestamp>) -> Span {
        match self {
            Times::Once => Span { first: time, last: time },
            Times::All(stats) => stats.span,
        }
    }
}

impl<'e> Part<'e> {
    pub fn new(workers: Workers<'e>, item: u64) -> Self {
        Self {
            workers: Some(workers),
            keeper: Keeper::default(),
            found: Vec::new(),
            gathered: Gathered::default(),
            starts: ProcessLog::default(),
            item,
            open: Vec::new(),
            open_by_key: HashMap::new(),
            recent: Vec::new(),
            key: String::new(),
            slots: PerShape::new(SHAPES_MAX),
            build: String::new(),
            tallies: Tallies::default(),
        }
    }

    /// Counts `record` in its log; returns the host it names.
    pub fn count(&mut self, record: &Record<'_>, watched: &WatchList) -> Option<HostName> {
        let index = self.enter_log(record, watched);
        let is_event = record.shape.family == LogFamily::WindowsEvents;
        let number = record.position.record.filter(|_| is_event);
        // What lies on a disk covers no hours: a key that was written in 2009 does not make the
        // host's logs begin there.
        let time = record.time.filter(|_| record.shape.family != LogFamily::Artifacts);
        self.open[index].stats.add(time, number);
        self.count_watched(index, record, watched, Times::Once);
        let host = self.open[index].host.clone();
        if is_event {
            self.note_host_run(index, record);
            self.note_clearing(record, host.as_ref());
        } else if record.shape.family == LogFamily::Exchange {
            self.note_build(record, host.as_ref(), Times::Once);
        }
        host
    }

    /// Counts a record that no rule can match, sooner or later.
    pub fn tally(&mut self, record: &Record<'_>, watched: &WatchList) {
        let full = self.tallies.add(record);
        self.count_all(full, watched);
    }

    fn count_all(&mut self, tallies: Vec<Tally>, watched: &WatchList) {
        for tally in tallies {
            self.gathered.sources.insert(tally.source);
            let times = Times::All(&tally.stats);
            tally.show(|record| {
                let index = self.enter_log(record, watched);
                times.add_to(&mut self.open[index].stats, None, None);
                self.count_watched(index, record, watched, times);
                if record.shape.family == LogFamily::Exchange {
                    let host = self.open[index].host.clone();
                    self.note_build(record, host.as_ref(), times);
                }
            });
        }
    }

    /// Adds what the next part gave; returns its workers and how many records it had.
    pub fn merge(&mut self, mut next: Part<'e>, watched: &WatchList) -> (Option<Workers<'e>>, u64) {
        self.close(watched);
        self.starts.merge(std::mem::take(&mut next.starts));
        let (workers, gathered) = next.into_gathered(watched);
        let whole_logs = gathered.logs.iter().filter(|((_, key), _)| key.part.is_empty());
        let records = whole_logs.map(|(_, stats)| stats.records).sum();
        self.gathered.merge(gathered);
        (workers, records)
    }

    pub fn into_gathered(mut self, watched: &WatchList) -> (Option<Workers<'e>>, Gathered) {
        self.close(watched);
        (self.workers, self.gathered)
    }

    fn enter_log(&mut self, record: &Record<'_>, watched: &WatchList) -> usize {
        if let Some((_, index)) = self.recent.iter().find(|(written, _)| written.is_of(record)) {
            return *index;
        }
        self.key.clear();
        record.role(Role::Host).write_text(&mut self.key);
        let host_bytes = self.key.len();
        self.key.push('\0');
        self.key.push_str(&record.shape.log);
        record.role(Role::Channel).write_text(&mut self.key);
        let index = match self.open_by_key.get(&self.key) {
            Some(index) => *index,
            None => self.open_log(record, host_bytes, watched),
        };
        if let Some(written) = Written::of(record) {
            if self.recent.len() >= RECENT_MAX {
                self.recent.clear();
            }
            self.recent.push((written, index));
        }
        index
    }

    fn open_log(&mut self, record: &Record<'_>, host_bytes: usize, watched: &WatchList) -> usize {
        let host = host_name(&self.key[..host_bytes]);
        let log = self.key[host_bytes + 1..].to_lowercase();
        let is_of_tenant = record.shape.family == LogFamily::Cloud;
        self.gathered.is_of_tenant |= is_of_tenant;
        if let Some(host) = &host {
            self.gathered.hosts.insert(Arc::clone(host));
            if record.shape.family == LogFamily::Exchange || log == "msexchange management" {
                self.gathered.exchange_hosts.insert(Arc::clone(host));
            } else if is_of_tenant {
                self.gathered.tenants.insert(Arc::clone(host));
            }
        }
        let entries = watched.by_log.get(log.as_str()).cloned().unwrap_or_default();
        let parts = entries.iter().map(|entry| (watched.entries[*entry].key.clone(), LogStats::default()));
        let parts = parts.collect();
        let key = LogKey { log, part: String::new() };
        let stats = LogStats::of(record.shape.family);
        self.open.push(OpenLog { host, key, stats, entries, parts });
        self.open_by_key.insert(self.key.clone(), self.open.len() - 1);
        self.open.len() - 1
    }

    fn count_watched(&mut self, index: usize, record: &Record<'_>, watched: &WatchList, times: Times<'_>) {
        let Self { open, slots, .. } = self;
        let OpenLog { entries, parts, stats, .. } = &mut open[index];
        for (entry_index, (key, part)) in entries.iter().zip(parts) {
            let entry = &watched.entries[*entry_index];
            if !entry.takes(record) {
                continue;
            }
            let counts = if key.part.is_empty() { &mut *stats } else { part };
            if !key.part.is_empty() {
                times.add_to(counts, record.time, None);
            }
            for (field, slots) in
                entry.fields.iter().zip(slots_of(slots, record, *entry_index, &entry.fields))
            {
                if slots.iter().any(|slot| !record.value(*slot).is_blank()) {
                    match counts.filled.get_mut(field) {
                        Some(count) => *count += times.records(),
                        None => drop(counts.filled.insert(field.clone(), times.records())),
                    }
                }
            }
        }
    }

    fn note_host_run(&mut self, index: usize, record: &Record<'_>) {
        let log = &self.open[index];
        let (Some(number), Some(host)) = (record.position.record, &log.host) else { return };
        if let Some(last) = self.gathered.host_runs.last_mut()
            && last.host == *host
            && last.channel == log.key.log
            && last.last < number
        {
            last.last = number;
            return;
        }
        let run =
            HostRun { channel: log.key.log.clone(), first: number, last: number, host: Arc::clone(host) };
        self.gathered.add_host_run(run);
    }

    /// Security 1102 says that its own log was cleared, System 104 which one
    /// was (`UserData/LogFileCleared/Channel`).
    fn note_clearing(&mut self, record: &Record<'_>, host: Option<&HostName>) {
        let event = match record.role(Role::EventId) {
            Value::UInt(number) => number as i64,
            other => other.to_integer().unwrap_or(0),
        };
        if event != 1102 && event != 104 {
            return;
        }
        if !record.role(Role::Provider).to_text().eq_ignore_ascii_case("Microsoft-Windows-Eventlog") {
            return;
        }
        let own = record.role(Role::Channel).to_text();
        let names = record.shape.slots.iter().enumerate().filter(|(_, slot)| slot.answers("Channel", false));
        let named = names.map(|(index, _)| record.value(index).to_text()).rfind(|name| *name != own);
        let log = if event == 104 { named.unwrap_or(own) } else { own }.to_lowercase();
        if let Some(time) = record.time {
            let name = (host.cloned(), LogKey { log, part: String::new() });
            self.gathered.logs.entry(name).or_default().cleared.insert(time);
        }
    }

    /// Exchange's build stands in `#Version`, in four columns, or in the ECP
    /// log's `BLD`.
    fn note_build(&mut self, record: &Record<'_>, host: Option<&HostName>, times: Times<'_>) {
        self.build.clear();
        record.field("#Version").write_text(&mut self.build);
        let mut build = normal_build(&self.build);
        if build.is_none() {
            let columns = ["MajorVersion", "MinorVersion", "BuildVersion", "RevisionVersion"];
            build = normal_build(&columns.map(|name| record.field(name).to_text()).join("."));
        }
        if build.is_none() && record.shape.log.starts_with("ecp-") {
            let data = record.field("EventData").to_text();
            let value = data.split(';').find_map(|part| {
                part.trim_start_matches("S:")
                    .split_once('=')
                    .filter(|(key, _)| key.eq_ignore_ascii_case("BLD"))
            });
            build = value.and_then(|(_, text)| normal_build(text));
        }
        if let Some(build) = build {
            let builds = self.gathered.builds.entry(host.cloned()).or_default();
            builds.entry(build).or_default().join(times.span(record.time));
        }
    }

    fn close(&mut self, watched: &WatchList) {
        let tallies = self.tallies.take();
        self.count_all(tallies, watched);
        if let Some(workers) = &mut self.workers {
            self.gathered.sources.extend(workers.rules.take_sources());
        }
        if !self.found.is_empty() {
            let mut found = std::mem::take(&mut self.found);
            found.shrink_to_fit();
            self.gathered.findings.push(found);
        }
        for OpenLog { host, key, stats, parts, .. } in self.open.drain(..) {
            let counted =
                parts.into_iter().filter(|(part_key, part)| !part_key.part.is_empty() && part.records > 0);
            for (part_key, part) in counted {
                self.gathered.logs.entry((host.clone(), part_key)).or_default().merge(part);
            }
            self.gathered.logs.entry((host, key)).or_default().merge(stats);
        }
        self.open_by_key.clear();
        self.recent.clear();
    }
}

/// For each of an entry's fields the slots that answer to it, remembered by shape.
fn slots_of<'s>(
    known: &'s mut KnownSlots,
    record: &Record<'_>,
    entry: usize,
    fields: &[String],
) -> &'s [Vec<usize>] {
    let shape = record.shape;
    known.get(shape, |_| HashMap::new()).entry(entry).or_insert_with(|| {
        let answering = |field: &String| {
            let slots = shape.slots.iter().enumerate();
            slots.filter(|(_, slot)| slot.answers(field, shape.fold_case)).map(|(index, _)| index).collect()
        };
        fields.iter().map(answering).collect()
    })
}

/// `15.01.2375.007` → `15.1.2375.7`. `None` for what is no build of Exchange's:
/// some logs carry `15.0.0.0`, a version of their own format.
pub fn normal_build(text: &str) -> Option<String> {
    let parts: Vec<u32> = text.trim().split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [major, minor, build, revision] = parts[..] else { return None };
    (major >= 8 && build > 0).then(|| format!("{major}.{minor}.{build}.{revision}"))
}

/// A host's name as we compare it: upper case, without its domain. Placeholders
/// for "none" are none.
pub fn host_name(text: &str) -> Option<HostName> {
    let text = text.trim();
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    let short = if is_address { text } else { text.split('.').next().unwrap_or(text) };
    (!short.is_empty() && short != "-").then(|| short.to_uppercase().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts() {
        assert_eq!(host_name("mxs01.example.test").as_deref(), Some("MXS01"));
        assert_eq!(host_name("192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(host_name(" - "), None);
        assert_eq!(host_name(""), None);
    }

    #[test]
    fn builds_are_normal() {
        assert_eq!(normal_build("15.01.2375.007").as_deref(), Some("15.1.2375.7"));
        assert_eq!(normal_build("15.0.0.0"), None);
        assert_eq!(normal_build("15.1.x.7"), None);
        assert_eq!(normal_build(""), None);
    }
}
