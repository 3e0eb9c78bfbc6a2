//! Which host a record speaks of: by its own word, by its collection's, or by
//! the user's.

use crate::gather::GatheredItem;
use crate::part::{Gathered, HostRun};
use model::{HostBasis, HostName};
use std::collections::{BTreeMap, BTreeSet};

/// Hosts by name, and by folder.
pub struct Hosts {
    /// Of computers renamed in mid log, where it is the same in all logs:
    /// machines made from one image begin with one name.
    renamed: Renames,
    /// Of each item by itself, by path.
    renamed_in: BTreeMap<String, Renames>,
    /// Folder (or archive) → hosts of the logs below it.
    folders: BTreeMap<String, FolderHosts>,
    argument: Option<HostName>,
}

/// Earlier name → later name.
type Renames = BTreeMap<HostName, HostName>;

#[derive(Default)]
struct FolderHosts {
    exchange: BTreeSet<HostName>,
    any: BTreeSet<HostName>,
    tenants: BTreeSet<HostName>,
}

impl Hosts {
    /// Learns the hosts of all items; `argument` is what the user says.
    pub fn learn(items: &[GatheredItem], argument: Option<HostName>) -> Self {
        let gathered = || items.iter().filter_map(|item| Some((item, item.gathered.as_ref()?)));
        let renamed_in: BTreeMap<String, Renames> = gathered()
            .map(|(item, gathered)| (item.item.path.clone(), renames(gathered)))
            .filter(|(_, renames)| !renames.is_empty())
            .collect();
        let renamed = unanimous(renamed_in.values());
        let mut hosts = Self { renamed, renamed_in, folders: BTreeMap::new(), argument };
        for (item, gathered) in gathered() {
            let path = &item.item.path;
            let latest = |names: &BTreeSet<HostName>| -> Vec<HostName> {
                names.iter().map(|host| hosts.latest(host, path)).collect()
            };
            let (any, exchange) = (latest(&gathered.hosts), latest(&gathered.exchange_hosts));
            let tenants = &gathered.tenants;
            for folder in folders_of(path, &item.item.root) {
                let known = hosts.folders.entry(folder.to_owned()).or_default();
                // A tenant has no computer's files, and its logs lie on none.
                known.any.extend(any.iter().filter(|host| !tenants.contains(*host)).cloned());
                known.tenants.extend(tenants.iter().cloned());
                known.exchange.extend(exchange.iter().cloned());
            }
        }
        hosts
    }

    /// The name that a host named in the item at `path` has in the case.
    pub fn latest(&self, host: &HostName, path: &str) -> HostName {
        let own = self.renamed_in.get(path);
        let name = own.map_or_else(|| host.clone(), |own| latest(own, host));
        latest(&self.renamed, &name)
    }

    /// Earlier names of `host`, sorted.
    pub fn earlier(&self, host: &HostName) -> Vec<HostName> {
        let named = self.renamed_in.iter().flat_map(|(path, own)| own.keys().map(move |old| (old, path)));
        let earlier = named.filter(|(old, path)| self.latest(old, path) == *host).map(|(old, _)| old.clone());
        earlier.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The host of records at `path` that name none themselves.
    pub fn of_path(&self, path: &str, root: &str) -> Option<(HostName, HostBasis)> {
        self.of_collection(path, root, |folder| &folder.exchange)
            .or_else(|| self.of_collection(path, root, |folder| &folder.any))
            .map(|host| (host, HostBasis::Root))
            .or_else(|| self.argument.clone().map(|host| (host, HostBasis::Argument)))
    }

    /// The tenant of records at `path` that name none themselves.
    pub fn tenant_of_path(&self, path: &str, root: &str) -> Option<(HostName, HostBasis)> {
        self.of_collection(path, root, |folder| &folder.tenants)
            .map(|tenant| (tenant, HostBasis::Root))
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

/// A log of one computer that was renamed runs on under the new name: each name
/// has one stretch of record numbers, and the next begins where it ends.
/// Forwarded logs interleave, or jump from host to host.
fn renames(gathered: &Gathered) -> Renames {
    let mut renames = Renames::new();
    if gathered.is_forwarded() {
        return renames;
    }
    let mut by_channel: BTreeMap<&str, Vec<&HostRun>> = BTreeMap::new();
    gathered.host_runs.iter().for_each(|run| by_channel.entry(&run.channel).or_default().push(run));
    for mut runs in by_channel.into_values() {
        runs.sort_by_key(|run| run.first);
        let stretches: Vec<&[&HostRun]> = runs.chunk_by(|one, next| one.host == next.host).collect();
        let names: BTreeSet<&HostName> = runs.iter().map(|run| &run.host).collect();
        if names.len() != stretches.len() {
            continue;
        }
        for pair in runs.windows(2).filter(|pair| pair[0].host != pair[1].host) {
            let (old, new) = (&pair[0].host, &pair[1].host);
            let runs_on = pair[0].last.checked_add(1) == Some(pair[1].first);
            if runs_on && latest(&renames, new) != *old {
                renames.insert(old.clone(), new.clone());
            }
        }
    }
    renames
}

/// The renames that no other log contradicts.
fn unanimous<'a>(all: impl Iterator<Item = &'a Renames>) -> Renames {
    let mut names: BTreeMap<&HostName, BTreeSet<&HostName>> = BTreeMap::new();
    for (old, new) in all.flatten() {
        names.entry(old).or_default().insert(new);
    }
    let mut renames = Renames::new();
    for (old, news) in names {
        if let [new] = news.into_iter().collect::<Vec<_>>()[..]
            && latest(&renames, new) != *old
        {
            renames.insert(old.clone(), new.clone());
        }
    }
    renames
}

fn latest(renamed: &Renames, host: &HostName) -> HostName {
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
            older: evidence::OlderHashes::default(),
            size_bytes: 0,
            format: None,
            records: 0,
            problems: Vec::new(),
            synthetic: false,
            facts: model::FileFacts::default(),
        };
        GatheredItem { item, gathered: Some(gathered), file: Default::default() }
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
        assert_eq!(&*hosts.latest(&"OLD".into(), "a.evtx"), "NEW");
        assert_eq!(&*hosts.latest(&"OLD".into(), "b.evtx"), "NEW", "in logs that ended before, too");
        assert_eq!(hosts.earlier(&"NEW".into()), ["OLD".into()]);

        let forwarded = [item("f.evtx", "f.evtx", &[], &[("A", 1, 4), ("B", 900, 905), ("A", 5, 9)])];
        assert_eq!(&*Hosts::learn(&forwarded, None).latest(&"A".into(), "f.evtx"), "A");

        let damaged = [item("d.evtx", "d.evtx", &[], &[("OLD", 1, 20), ("OLD", 30, 40), ("NEW", 41, 90)])];
        assert_eq!(&*Hosts::learn(&damaged, None).latest(&"OLD".into(), "d.evtx"), "NEW");
    }

    #[test]
    fn machines_of_one_image_are_two_hosts() {
        let images = [
            item("a/Security.evtx", ".", &[], &[("IMAGE", 1, 40), ("MXS01", 41, 90)]),
            item("b/Security.evtx", ".", &[], &[("IMAGE", 1, 30), ("MXS02", 31, 50)]),
        ];
        let hosts = Hosts::learn(&images, None);
        assert_eq!(&*hosts.latest(&"IMAGE".into(), "a/Security.evtx"), "MXS01");
        assert_eq!(&*hosts.latest(&"IMAGE".into(), "b/Security.evtx"), "MXS02");
        assert_eq!(&*hosts.latest(&"IMAGE".into(), "b/Setup.evtx"), "IMAGE", "nobody can say");
        assert_eq!(hosts.earlier(&"MXS01".into()), ["IMAGE".into()]);
    }

    #[test]
    fn the_argument_comes_last() {
        let hosts = Hosts::learn(&[], Some("ASKED".into()));
        assert_eq!(hosts.of_path("x/u_ex.log", "x"), Some(("ASKED".into(), HostBasis::Argument)));
    }
}
