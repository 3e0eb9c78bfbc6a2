//! Logons over the network, counted by host, source, account and kind.

use super::event_id;
use super::fields::Fields;
use crate::part::host_name;
use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use model::{Case, HostName, LogFamily, Logon, Record, Role, Span};
use std::collections::BTreeSet;

/// Kinds of logon of one item.
const PER_ITEM_MAX: usize = 20_000;
/// Kinds of logon of a case.
const PER_CASE_MAX: usize = 20_000;
/// Letters of a name.
const NAME_CHARS_MAX: usize = 256;

/// What is counted together.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LogonKey {
    /// The host that was logged on to.
    pub host: Option<HostName>,
    pub source: String,
    pub source_host: Option<HostName>,
    pub user: String,
    pub kind: &'static str,
}

/// Fields that logons are told by.
pub const LOGON_FIELDS: &[&str] = &[
    "LogonType",
    "WorkstationName",
    "IpAddress",
    "TargetDomainName",
    "TargetUserName",
    "TargetServerName",
    "Address",
    "User",
    "Param1",
    "Param2",
    "Param3",
];

/// Logons, as they are counted.
#[derive(Default)]
pub struct Logons {
    /// In the order in which they were met, so that it does not depend on hashes which ones are kept.
    counted: IndexMap<LogonKey, (u64, Span), DefaultHashBuilder>,
    /// Records of kinds beyond the limit.
    more: u64,
}

impl Logons {
    /// Counts the logon that `record` tells of, if it tells of one over the network; `fields` are
    /// [`LOGON_FIELDS`].
    pub fn note(&mut self, record: &Record<'_>, fields: &mut Fields, host: Option<&HostName>) {
        if let Some(key) = key(record, fields, host) {
            self.add(key, 1, Span { first: record.time, last: record.time }, PER_ITEM_MAX);
        }
    }

    fn add(&mut self, key: LogonKey, count: u64, span: Span, max: usize) {
        if let Some((known, times)) = self.counted.get_mut(&key) {
            *known += count;
            times.join(span);
        } else if self.counted.len() < max {
            self.counted.insert(key, (count, span));
        } else {
            self.more += 1;
        }
    }

    /// Adds what the next part counted.
    pub fn merge(&mut self, next: Logons) {
        self.more += next.more;
        for (key, (count, span)) in next.counted {
            self.add(key, count, span, PER_ITEM_MAX);
        }
    }

    /// Adds the logons of an item; `resolve` gives a host's latest name, and
    /// that of records without one.
    pub fn add_item(&mut self, item: Logons, resolve: impl Fn(Option<HostName>) -> Option<HostName>) {
        self.more += item.more;
        for (key, (count, span)) in item.counted {
            let key = LogonKey { host: resolve(key.host.clone()), ..key };
            self.add(key, count, span, usize::MAX);
        }
    }

    /// The logons of the case, and how many kinds were left out: those of
    /// sources that an intrusion came from stay, then those between its hosts.
    pub fn settle(self, case: &Case) -> (Vec<Logon>, u64) {
        let bad = sources_of_intrusions(case);
        let known: BTreeSet<&HostName> =
            case.hosts.iter().flat_map(|host| host.also.iter().chain([&host.name])).collect();
        let logon = |(key, (count, span)): (LogonKey, (u64, Span))| {
            let named = key.source_host.filter(|name| known.contains(name)).map(|name| latest(case, name));
            let source_host = named.filter(|name| Some(name) != key.host.as_ref());
            let suspicious = bad.contains(&key.source.to_lowercase());
            Logon {
                host: key.host,
                source: key.source,
                source_host,
                user: key.user,
                kind: key.kind.to_owned(),
                count,
                span,
                suspicious,
            }
        };
        let mut counted: Vec<(LogonKey, (u64, Span))> = self.counted.into_iter().collect();
        counted.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut logons: Vec<Logon> = counted.into_iter().map(logon).collect();
        let rank = |logon: &Logon| (!logon.suspicious, logon.source_host.is_none());
        // Stable: by key within.
        logons.sort_by_key(rank);
        let more = self.more + logons.len().saturating_sub(PER_CASE_MAX) as u64;
        logons.truncate(PER_CASE_MAX);
        logons.sort_by(|a, b| {
            (&a.host, &a.source, &a.user, &a.kind, &a.source_host).cmp(&(
                &b.host,
                &b.source,
                &b.user,
                &b.kind,
                &b.source_host,
            ))
        });
        (logons, more)
    }
}

/// The latest name of a host that may have had others.
pub fn latest(case: &Case, name: HostName) -> HostName {
    let renamed = case.hosts.iter().find(|host| host.also.contains(&name));
    renamed.map_or(name, |host| host.name.clone())
}

fn sources_of_intrusions(case: &Case) -> BTreeSet<String> {
    let joined = case.intrusions.iter().flat_map(|intrusion| &intrusion.joined_by);
    let mut sources: BTreeSet<String> =
        joined.filter_map(|text| text.strip_prefix("source ")).map(str::to_lowercase).collect();
    for finding in case.findings.iter().filter(|finding| finding.intrusion.is_some()) {
        // Those of logons; the server's own address stands in its web logs, too.
        let fields = ["IpAddress", "SourceIp"];
        let remote = |text: &&str| !is_local(text);
        sources.extend(
            fields.iter().filter_map(|name| finding.field(name)).filter(remote).map(str::to_lowercase),
        );
    }
    sources
}

fn key(record: &Record<'_>, fields: &mut Fields, host: Option<&HostName>) -> Option<LogonKey> {
    match record.shape.family {
        LogFamily::WindowsEvents => windows(record, fields, host),
        LogFamily::Linux if matches!(&*record.shape.log, "auth" | "syslog" | "journal") => ssh(record, host),
        _ => None,
    }
}

fn windows(record: &Record<'_>, fields: &mut Fields, host: Option<&HostName>) -> Option<LogonKey> {
    let id = event_id(record)?;
    if !matches!(id, 21 | 25 | 1149 | 4624 | 4625 | 4648) {
        return None;
    }
    let channel = record.role(Role::Channel).to_text().to_ascii_lowercase();
    let fields = fields.of(record);
    let text = |field: &str| short(fields.value(field).to_text());
    match (channel.as_str(), id) {
        ("security", 4624 | 4625) => {
            let kind = match (id, fields.value("LogonType").to_integer()?) {
                (4625, 3 | 8 | 10) => "failed",
                (_, 3) => "network",
                (_, 8) => "network, clear text",
                (_, 9) => "new credentials",
                (_, 10) => "remote desktop",
                _ => return None,
            };
            let computer = host_name(&text("WorkstationName"));
            let address = text("IpAddress");
            let source =
                if is_local(&address) { computer.as_deref()?.to_owned() } else { plain_address(&address) };
            let is_own = computer == host.cloned() && is_local(&address);
            (!is_own).then(|| LogonKey {
                host: host.cloned(),
                source,
                source_host: computer,
                user: account(&text("TargetDomainName"), &text("TargetUserName")),
                kind,
            })
        }
        ("security", 4648) => {
            let target = host_name(&text("TargetServerName")).filter(|name| **name != *"LOCALHOST")?;
            (Some(&target) != host).then(|| LogonKey {
                source: host.map_or_else(|| "not known".to_owned(), |host| host.to_string()),
                source_host: host.cloned(),
                host: Some(target),
                user: account(&text("TargetDomainName"), &text("TargetUserName")),
                kind: "explicit credentials",
            })
        }
        ("microsoft-windows-terminalservices-localsessionmanager/operational", 21 | 25) => {
            let address = text("Address");
            (!is_local(&address)).then(|| LogonKey {
                host: host.cloned(),
                source: plain_address(&address),
                source_host: None,
                user: text("User"),
                kind: "remote desktop session",
            })
        }
        // Accepted before the account has logged on: user, domain, address.
        ("microsoft-windows-terminalservices-remoteconnectionmanager/operational", 1149) => {
            let address = text("Param3");
            (!is_local(&address)).then(|| LogonKey {
                host: host.cloned(),
                source: plain_address(&address),
                source_host: None,
                user: account(&text("Param2"), &text("Param1")),
                kind: "remote desktop, connected",
            })
        }
        _ => None,
    }
}

fn ssh(record: &Record<'_>, host: Option<&HostName>) -> Option<LogonKey> {
    // Few lines of a system log are of a logon; only those have a shape with this slot.
    record.shape.slot("Method")?;
    let message = record.field("message").to_text();
    let kind = match message.split(' ').next()? {
        "Accepted" => "ssh",
        "Failed" => "failed",
        _ => return None,
    };
    let address = short(record.field("SourceIp").to_text());
    (!is_local(&address)).then(|| LogonKey {
        host: host.cloned(),
        source: plain_address(&address),
        source_host: None,
        user: short(record.field("User").to_text()),
        kind,
    })
}

fn account(domain: &str, user: &str) -> String {
    let is_none = |text: &str| text.is_empty() || text == "-";
    if is_none(domain) { user.to_owned() } else { format!("{domain}\\{user}") }
}

/// `::ffff:192.0.2.1` is `192.0.2.1`.
fn plain_address(text: &str) -> String {
    match text.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => text.to_owned(),
    }
}

/// No address, or the host's own.
fn is_local(address: &str) -> bool {
    let is_loopback = |address: std::net::IpAddr| address.to_canonical().is_loopback();
    matches!(address, "" | "-" | "LOCAL") || address.parse().is_ok_and(is_loopback)
}

fn short(text: String) -> String {
    match text.char_indices().nth(NAME_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(plain_address("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(plain_address("fe80::1%4"), "fe80::1%4");
        assert!(is_local("127.0.0.1") && is_local("::1") && is_local("-") && is_local("LOCAL"));
        assert!(!is_local("192.0.2.1"));
    }

    #[test]
    fn accounts() {
        assert_eq!(account("EXAMPLE", "jane"), "EXAMPLE\\jane");
        assert_eq!(account("-", "jane"), "jane");
    }
}
