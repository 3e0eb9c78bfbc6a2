//! What a case holds for others, as values of known kinds: read once, before anything is masked.
//!
//! Findings of one rule on one host in one intrusion are one [`Group`]; what they name becomes [`Observable`]s. No free text of
//! evidence is among them but at home (command lines, pages).

use crate::own::{domain_of_account, is_public, parse_address};
use model::{Case, Field, Finding, HostName, IntrusionId, Level, RuleFacts, Span};
use report::mask::{ACCOUNT_FIELDS, SHELL_STEPS, page, person};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use stix::{Marking, Tlp};

/// Observables kept of one group; the others are counted.
pub const OBSERVABLES_MAX: usize = 200;
/// Findings of one group whose ids are kept.
pub const FINDINGS_NAMED: usize = 20;
/// Longer command lines are cut.
const COMMAND_BYTES_MAX: usize = 4_096;
/// Fields that hold the address of who asked, or of where a program connected to.
const ADDRESS_FIELDS: &[&str] = &[
    "ClientIpAddress",
    "c-ip",
    "IpAddress",
    "client-ip",
    "ClientIPAddress",
    "ClientIP",
    "SourceIp",
    "DestinationIp",
];
/// What stands behind a host's name and is no domain.
const FILE_ENDINGS: &[&str] = &[
    "log", "txt", "csv", "evtx", "evt", "etl", "zip", "7z", "gz", "tar", "json", "jsonl", "xml", "dmp",
    "cab", "dat",
];
const METHOD_FIELDS: &[&str] = &["cs-method", "Method"];
const REQUEST_FIELDS: &[&str] = &["cs-uri-stem", "UrlStem"];
const IMAGE_FIELDS: &[&str] = &["NewProcessName", "Image", "ProcessName"];
const COMMAND_FIELDS: &[&str] = &["CommandLine", "ProcessCommandLine"];

/// Something that was observed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Observable {
    /// An address that asked, or was asked.
    Address(IpAddr),
    /// A file by its content; its name without folders.
    File {
        /// SHA-256, lower-case hex.
        sha256: String,
        /// Its name.
        name: String,
    },
    /// A person's account, without its domain.
    Account(String),
    /// A page that was asked for, and how.
    Request {
        /// Who asked.
        source: IpAddr,
        /// `GET`, `POST`, …
        method: String,
        /// The page.
        page: String,
    },
    /// A program that was run.
    Process {
        /// Its path.
        image: String,
        /// How it was called.
        command_line: String,
    },
}

/// Where a list of indicators says that a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The value, in the form in which values are compared.
    pub value: String,
    /// `address`, `domain`, `sha256`, …
    pub kind: String,
    /// Mentions, one line each.
    pub sources: Vec<String>,
    /// The strictest marking of all mentions.
    pub marking: Marking,
}

/// Findings of one rule on one host in one intrusion.
#[derive(Clone, Debug)]
pub struct Group {
    /// The rule.
    pub rule: Arc<RuleFacts>,
    /// The host.
    pub host: Option<HostName>,
    /// The intrusion.
    pub intrusion: Option<IntrusionId>,
    /// How many findings.
    pub findings: u64,
    /// How many of them have a time.
    pub timed: u64,
    /// The first and the last of these.
    pub span: Span,
    /// What they name.
    pub observables: BTreeSet<Observable>,
    /// Observables beyond the limit.
    pub not_kept: u64,
    /// Ids of the first findings.
    pub ids: Vec<String>,
    /// Whether it is about web shells.
    pub is_shell: bool,
    /// Of a list of indicators: what it says.
    pub listed: Option<Listed>,
}

/// What each intrusion came from: public addresses that join its findings.
pub type Sources = BTreeMap<IntrusionId, BTreeSet<IpAddr>>;

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// By intrusion (none last), first time, rule, host.
    pub groups: Vec<Group>,
    /// Addresses that intrusions came from.
    pub sources: Sources,
    /// Findings from those addresses, by intrusion, address, host.
    pub seen_from: BTreeMap<(IntrusionId, IpAddr, Option<HostName>), (u64, Span)>,
    /// Domains of the organisation: of its hosts, accounts, mail.
    pub domains: BTreeSet<String>,
}

type GroupKey = (Option<IntrusionId>, String, Option<HostName>);

impl Facts {
    /// Reads the facts of a case.
    ///
    /// # Errors
    /// When fields that were put aside cannot be read back.
    pub fn of(case: &Case) -> io::Result<Self> {
        let mut facts = Self { sources: sources(case), ..Self::default() };
        let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
        let hosts = host_names(case);
        for finding in &case.findings {
            let fields = case.fields(finding).map_err(io::Error::other)?;
            facts.learn_domains(&hosts, &fields);
            facts.count_source(finding, &fields);
            let key = (finding.intrusion, finding.rule.id.clone(), finding.host.clone());
            let group = groups.entry(key).or_insert_with(|| Group::new(finding, &fields));
            group.add(case, finding, &fields);
        }
        for account in case.sessions.logons.iter().map(|logon| &logon.user) {
            facts.domains.extend(domain_of_account(account));
        }
        facts.groups = groups.into_values().collect();
        let place = |group: &Group| group.intrusion.map_or(u32::MAX, |id| id.0);
        facts.groups.sort_by(|a, b| {
            place(a)
                .cmp(&place(b))
                .then_with(|| a.span.first.is_none().cmp(&b.span.first.is_none()))
                .then_with(|| a.span.first.cmp(&b.span.first))
                .then_with(|| (&a.rule.id, &a.host).cmp(&(&b.rule.id, &b.host)))
        });
        Ok(facts)
    }

    /// Addresses that are no secret: intrusions came from them.
    pub fn attackers(&self) -> BTreeSet<IpAddr> {
        self.sources.values().flatten().copied().collect()
    }

    fn learn_domains(&mut self, hosts: &BTreeSet<String>, fields: &[Field]) {
        for (name, text) in fields.iter().filter(|(_, text)| text.len() < 256) {
            if let Some((first, rest)) = text.split_once('.')
                && hosts.contains(&first.to_lowercase())
                && !FILE_ENDINGS.contains(&rest.to_ascii_lowercase().as_str())
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            {
                self.domains.insert(rest.to_lowercase());
            }
            if is_one_of(ACCOUNT_FIELDS, name) {
                self.domains.extend(domain_of_account(text));
            }
        }
    }

    fn count_source(&mut self, finding: &Finding, fields: &[Field]) {
        let Some(intrusion) = finding.intrusion else { return };
        let Some(sources) = self.sources.get(&intrusion) else { return };
        let own: BTreeSet<IpAddr> = addresses(fields).filter(|address| sources.contains(address)).collect();
        for address in own {
            let key = (intrusion, address, finding.host.clone());
            let (count, span) = self.seen_from.entry(key).or_default();
            *count += 1;
            span.add(finding.time);
        }
    }
}

impl Group {
    fn new(finding: &Finding, fields: &[Field]) -> Self {
        Self {
            rule: Arc::clone(&finding.rule),
            host: finding.host.clone(),
            intrusion: finding.intrusion,
            findings: 0,
            timed: 0,
            span: Span::default(),
            observables: BTreeSet::new(),
            not_kept: 0,
            ids: Vec::new(),
            is_shell: finding.rule.tags.iter().any(|tag| SHELL_STEPS.contains(&tag.as_str())),
            listed: listed(&finding.rule, fields),
        }
    }

    fn add(&mut self, case: &Case, finding: &Finding, fields: &[Field]) {
        self.findings += 1;
        self.timed += u64::from(finding.time.is_some());
        self.span.add(finding.time);
        if self.ids.len() < FINDINGS_NAMED {
            self.ids.push(finding.id.to_string());
        }
        for observable in observables(case, finding, fields) {
            if self.observables.len() < OBSERVABLES_MAX || self.observables.contains(&observable) {
                self.observables.insert(observable);
            } else {
                self.not_kept += 1;
            }
        }
    }

    /// Whether its files are web shells.
    pub fn tells_of_shell(&self) -> bool {
        self.is_shell || self.rule.techniques.iter().any(|id| id == "T1505.003")
    }

    /// Whether it says anything to others: context alone does not.
    pub fn is_telling(&self) -> bool {
        self.intrusion.is_some() || self.rule.level > Level::Low
    }
}

fn sources(case: &Case) -> Sources {
    let mut sources = Sources::new();
    for intrusion in &case.intrusions {
        let named = intrusion.joined_by.iter().filter_map(|words| words.strip_prefix("source "));
        let public: BTreeSet<IpAddr> =
            named.filter_map(|text| text.parse().ok()).filter(|address| is_public(*address)).collect();
        sources.insert(intrusion.id, public);
    }
    sources
}

/// Names of hosts in lower case, earlier ones too.
pub fn host_names(case: &Case) -> BTreeSet<String> {
    let of_host = case.hosts.iter().flat_map(|host| host.also.iter().chain([&host.name]));
    let of_finding = case.findings.iter().filter_map(|finding| finding.host.as_ref());
    let of_item = case.items.iter().flat_map(|item| &item.hosts);
    of_host
        .chain(of_finding)
        .chain(of_item)
        .map(|name| name.to_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

fn is_one_of(list: &[&str], name: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn first<'f>(fields: &'f [Field], list: &[&str]) -> Option<&'f str> {
    let found =
        fields.iter().find(|(name, text)| is_one_of(list, name) && !text.is_empty() && &**text != "-");
    found.map(|(_, text)| &**text)
}

fn addresses(fields: &[Field]) -> impl Iterator<Item = IpAddr> {
    let own = fields.iter().filter(|(name, _)| is_one_of(ADDRESS_FIELDS, name));
    own.filter_map(|(_, text)| parse_address(text))
        .filter(|address| !address.is_loopback() && !address.is_unspecified())
}

/// What a finding names.
pub fn observables(case: &Case, finding: &Finding, fields: &[Field]) -> Vec<Observable> {
    let mut found: Vec<Observable> = addresses(fields).map(Observable::Address).collect();
    let accounts = fields.iter().filter(|(name, _)| is_one_of(ACCOUNT_FIELDS, name));
    found.extend(accounts.filter_map(|(_, text)| person(text)).map(Observable::Account));
    if let (Some(source), Some(page)) = (addresses(fields).next(), first(fields, REQUEST_FIELDS)) {
        let method = first(fields, METHOD_FIELDS).unwrap_or("GET").to_ascii_uppercase();
        found.push(Observable::Request { source, method, page: page.to_owned() });
    }
    if let Some(command_line) = first(fields, COMMAND_FIELDS) {
        let image = first(fields, IMAGE_FIELDS).unwrap_or_default().to_owned();
        let end = command_line.floor_char_boundary(COMMAND_BYTES_MAX);
        found.push(Observable::Process { image, command_line: command_line[..end].to_owned() });
    }
    found.extend(file(case, finding));
    found
}

/// The file that a finding is in, where that is what was found and no log in which it was told.
fn file(case: &Case, finding: &Finding) -> Option<Observable> {
    let item = case.items.get(finding.evidence.0 as usize)?;
    let path = item.paths.first()?;
    let name = path.rsplit(['/', '\\', '!']).next()?.to_owned();
    let is_file =
        item.format.is_none() && (page(&name).is_some() || finding.rule.id.starts_with("indicator-file:"));
    let sha256 = item.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    is_file.then_some(Observable::File { sha256, name })
}

fn listed(rule: &RuleFacts, fields: &[Field]) -> Option<Listed> {
    if !rule.id.starts_with("indicator:") && !rule.id.starts_with("indicator-file:") {
        return None;
    }
    let all = |name: &'static str| {
        fields.iter().filter(move |(own, _)| &**own == name).map(|(_, text)| text.to_string())
    };
    let sources: Vec<String> = all("IndicatorSource").map(|source| without_folders(&source)).collect();
    Some(Listed {
        value: all("Indicator").next().unwrap_or_default(),
        kind: all("IndicatorKind").next().unwrap_or_default(),
        marking: marking(&sources),
        sources,
    })
}

/// A mention with the bare name of its file: where the list lies tells of whoever keeps it.
fn without_folders(source: &str) -> String {
    let (file, rest) = source.split_once("; ").unwrap_or((source, ""));
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    if rest.is_empty() { name.to_owned() } else { format!("{name}; {rest}") }
}

/// The strictest marking that mentions of an indicator name; a mention that names none is AMBER+STRICT, as is no mention at all.
/// One that is not shown (`and 3 more`) may be marked anyhow, and closes.
fn marking(sources: &[String]) -> Marking {
    let mut strictest = if sources.is_empty() { Tlp::default() } else { Tlp::Clear };
    for source in sources {
        if source.starts_with("and ") && source.ends_with(" more") {
            return Marking::Unknown("a mention that the case does not show".to_owned());
        }
        let labels = source.split("; ").filter_map(|part| part.strip_prefix("TLP "));
        let mut is_marked = false;
        for label in labels.flat_map(|labels| labels.split(", ")) {
            is_marked = true;
            match Tlp::parse(label) {
                Some(tlp) => strictest = strictest.max(tlp),
                None => return Marking::Unknown(label.to_owned()),
            }
        }
        if !is_marked {
            strictest = strictest.max(Tlp::default());
        }
    }
    strictest.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_named_without_its_folders() {
        assert_eq!(
            without_folders("/home/jane/list.csv; TLP green; note: a/b"),
            "list.csv; TLP green; note: a/b"
        );
        assert_eq!(without_folders(r"C:\x\list.csv"), "list.csv");
    }

    #[test]
    fn the_marking_of_a_listed_value() {
        let check = |sources: &[&str], wanted: Marking| {
            let sources: Vec<String> = sources.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(marking(&sources), wanted, "{sources:?}");
        };
        check(&[], Tlp::AmberStrict.into());
        check(&["a.csv; report; dated 2021-03-02"], Tlp::AmberStrict.into());
        check(&["a.csv; TLP green", "b.json; TLP amber; note: x"], Tlp::Amber.into());
        check(&["a.csv; TLP clear", "b.csv"], Tlp::AmberStrict.into());
        check(&["a.json; TLP red, green"], Tlp::Red.into());
        check(&["a.json; TLP green, not known"], Marking::Unknown("not known".to_owned()));
        assert!(matches!(
            marking(&["a; TLP clear".to_owned(), "and 3 more".to_owned()]),
            Marking::Unknown(_)
        ));
    }
}
