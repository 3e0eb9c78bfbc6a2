//! Which host a record speaks of: by its own word, by its collection's, or by
//! the user's.

use crate::gather::GatheredItem;
use crate::part::{Gathered, HostRun};
use model::{HostBasis, HostName};
use std::collections::{BTreeMap, BTreeSet};

/// Hosts by name, and by folder.
pub struct Hosts {
    /// Earlier name → later name, of computers renamed in mid log.
    renamed: BTreeMap<HostName, HostName>,
    /// Folder (or archive) → hosts of the logs below it.
    folders: BTreeMap<String, FolderHosts>,
    argument: Option<HostName>,
}

#[derive(Default)]
struct FolderHosts {
    exchange: BTreeSet<HostName>,
    any: BTreeSet<HostName>,
}

impl Hosts {
    /// Learns the hosts of all items; `argument` is what the user says.
    pub fn learn(items: &[GatheredItem], argument: Option<HostName>) -> Self {
        let gathered = || items.iter().filter_map(|item| Some((item, item.gathered.as_ref()?)));
        let mut hosts = Self { renamed: BTreeMap::new(), folders: BTreeMap::new(), argument };
        for (_, gathered) in gathered() {
            hosts.learn_renames(gathered);
        }
        for (item, gathered) in gathered() {
            for folder in folders_of(&item.item.path, &item.item.root) {
                let known = hosts.folders.entry(folder.to_owned()).or_default();
                known.any.extend(gathered.hosts.iter().map(|host| latest(&hosts.renamed, host)));
                known
                    .exchange
                    .extend(gathered.exchange_hosts.iter().map(|host| latest(&hosts.renamed, host)));
            }
        }
        hosts
    }

    /// A log of one computer that was renamed runs on under the new name: each
    /// name has one run of record numbers, and the runs follow each other
    /// without a gap. Forwarded logs interleave, or jump.
    fn learn_renames(&mut self, gathered: &Gathered) {
        if gathered.is_forwarded() {
            return;
        }
        let mut by_channel: BTreeMap<&str, Vec<&HostRun>> = BTreeMap::new();
        gathered.host_runs.iter().for_each(|run| by_channel.entry(&run.channel).or_default().push(run));
        for runs in by_channel.values_mut() {
            runs.sort_by_key(|run| run.first);
            let names: BTreeSet<&HostName> = runs.iter().map(|run| &run.host).collect();
            let unbroken = runs.windows(2).all(|pair| pair[0].last.checked_add(1) == Some(pair[1].first));
            if names.len() < 2 || names.len() != runs.len() || !unbroken {
                continue;
            }
            for pair in runs.windows(2) {
                let (old, new) = (&pair[0].host, &pair[1].host);
                if latest(&self.renamed, new) != *old {
                    self.renamed.insert(old.clone(), new.clone());
                }
            }
        }
    }

    /// The name that a host has in the case.
    pub fn latest(&self, host: &HostName) -> HostName {
        latest(&self.renamed, host)
    }

    /// Earlier names of `host`, sorted.
    pub fn earlier(&self, host: &HostName) -> Vec<HostName> {
        self.renamed.keys().filter(|old| self.latest(old) == *host).cloned().collect()
    }

    /// The host of records at `path` that name none themselves.
    pub fn of_path(&self, path: &str, root: &str) -> Option<(HostName, HostBasis)> {
        self.of_collection(path, root, |folder| &folder.exchange)
            .or_else(|| self.of_collection(path, root, |folder| &folder.any))
            .map(|host| (host, HostBasis::Root))
            .or_else(|| self.argument.clone().map(|host| (host, HostBasis::Argument)))
    }

    /// The nearest folder around `path` that has a host decides; when it has
    /// several, nobody can say.
    fn of_collection(
        &self,
        path: &str,
        root: &str,
        kind: fn(&FolderHosts) -> &BTreeSet<HostName>,
    ) -> Option<HostName> {
        let around = folders_of(path, root).filter_map(|folder| self.folders.get(folder)).map(kind);
        let nearest = around.into_iter().find(|hosts| !hosts.is_empty())?;
        if nearest.len() == 1 { nearest.first().cloned() } else { None }
    }
}

fn latest(renamed: &BTreeMap<HostName, HostName>, host: &HostName) -> HostName {
    let mut name = host;
    // A chain of renames is short; the bound guards against a ring.
    for _ in 0..16 {
        match renamed.get(name) {
            Some(newer) => name = newer,
            None => break,
        }
    }
    name.clone()
}

/// `path` and what it stands in, nearest first, up to its collection: the
/// outermost archive, or the folder that the user named or took files from.
fn folders_of<'p>(path: &'p str, root: &'p str) -> impl Iterator<Item = &'p str> {
    let collection = path.find('!').map_or(root, |end| &path[..end]);
    let ends = path.bytes().enumerate().rev().filter(|(_, byte)| matches!(byte, b'/' | b'!'));
    let between = ends.map(|(end, _)| &path[..end]).take_while(move |folder| folder.len() > collection.len());
    let path = (path != collection).then_some(path);
    path.into_iter().chain(between).chain(std::iter::once(collection))
}

#[cfg(test)]
mod tests {
    use super::*;
    use evidence::ReadItem;

    fn item(path: &str, root: &str, exchange: &[&str], runs: &[(&str, u64, u64)]) -> GatheredItem {
        let mut gathered = Gathered::default();
        gathered.exchange_hosts = exchange.iter().map(|host| (*host).into()).collect();
        gathered.hosts = gathered.exchange_hosts.clone();
        for (host, first, last) in runs {
            gathered.hosts.insert((*host).into());
            let (first, last) = (*first, *last);
            gathered.host_runs.push(HostRun {
                channel: "security".into(),
                first,
                last,
                host: (*host).into(),
            });
        }
        let item = ReadItem {
            path: path.into(),
            root: root.into(),
            sha256: [0; 32],
            size_bytes: 0,
            format: None,
            records: 0,
            problems: Vec::new(),
            synthetic: false,
        };
        GatheredItem { item, gathered: Some(gathered) }
    }

    #[track_caller]
    fn check(items: &[GatheredItem], path: &str, root: &str, expect: Option<&str>) {
        let hosts = Hosts::learn(items, None);
        assert_eq!(hosts.of_path(path, root).map(|(host, _)| host).as_deref(), expect);
    }

    #[test]
    fn the_nearest_folder_with_a_host_decides() {
        let items = [
            item("kape/MXS01/C/Logging/a.log", "kape", &["MXS01"], &[]),
            item("kape/MXS02/C/Logging/a.log", "kape", &["MXS02"], &[]),
            item("two.zip!b.log", "two.zip", &["MXS03"], &[]),
        ];
        check(&items, "kape/MXS01/C/inetpub/u_ex.log", "kape", Some("MXS01"));
        check(&items, "kape/MXS02/C/inetpub/u_ex.log", "kape", Some("MXS02"));
        check(&items, "kape/u_ex.log", "kape", None);
        check(&items, "two.zip!inetpub/u_ex.log", "two.zip", Some("MXS03"));
        check(&items, "two.zip!inetpub.zip!u_ex.log", "two.zip!inetpub.zip", Some("MXS03"));
        check(&items, "elsewhere/u_ex.log", "elsewhere", None);
        let named = [item("HttpProxy.log", ".", &["MXS04"], &[])];
        check(&named, "u_ex.log", ".", Some("MXS04"));
    }

    #[test]
    fn a_renamed_computer_is_one_host() {
        let renamed = [item("a.evtx", "a.evtx", &[], &[("OLD", 1, 40), ("NEW", 41, 90)])];
        let hosts = Hosts::learn(&renamed, None);
        assert_eq!(&*hosts.latest(&"OLD".into()), "NEW");
        assert_eq!(hosts.earlier(&"NEW".into()), ["OLD".into()]);

        let forwarded = [item("f.evtx", "f.evtx", &[], &[("A", 1, 4), ("B", 900, 905), ("A", 5, 9)])];
        assert_eq!(&*Hosts::learn(&forwarded, None).latest(&"A".into()), "A");
    }

    #[test]
    fn the_argument_comes_last() {
        let hosts = Hosts::learn(&[], Some("ASKED".into()));
        assert_eq!(hosts.of_path("x/u_ex.log", "x"), Some(("ASKED".into(), HostBasis::Argument)));
    }
}
