//! Observed data, indicators, sightings.

use super::Builder;
use crate::facts::{Group, Observable};
use crate::redact::Detail;
use model::{HostName, Span};
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use stix::{Comparison, Object, pattern, timestamp};

/// The most that a count may be in STIX.
const COUNT_MAX: u64 = 999_999_999;

impl Builder<'_> {
    /// Hosts, as identities.
    pub(super) fn add_hosts(&mut self) {
        let hosts = self.export.case.hosts.iter().map(|host| host.name.clone());
        let of_groups = self.export.facts.groups.iter().filter_map(|group| group.host.clone());
        let mut names: Vec<HostName> = hosts.chain(of_groups).collect();
        names.sort();
        names.dedup();
        for name in names {
            let mut identity = self.begin("identity");
            identity.set("name", self.redactor.host(&name)).set("identity_class", "system");
            self.add(&host_key(Some(&name)), identity);
        }
    }

    /// What the groups of findings name, and where each was seen.
    pub(super) fn add_observed(&mut self) {
        let export = self.export;
        for (index, group) in export.facts.groups.iter().enumerate() {
            let observed = self.add_observed_data(index, group);
            for technique in group.rule.techniques.iter().filter(|_| group.listed.is_none()) {
                let technique = self.id(&format!("technique/{technique}"));
                self.add_sighting(&format!("{index}/{technique}"), &technique, group, &observed);
            }
            if let Some(indicator) = self.add_listed(index, group) {
                self.add_sighting(&format!("{index}/listed"), &indicator, group, &observed);
            }
        }
        self.add_sources();
        self.add_shell_files();
    }

    fn add_observed_data(&mut self, index: usize, group: &Group) -> String {
        let refs: Vec<String> =
            group.observables.iter().filter_map(|observable| self.add_observable(observable)).collect();
        let (Some(first), Some(last)) = (group.span.first, group.span.last) else { return String::new() };
        if refs.is_empty() || group.timed == 0 {
            return String::new();
        }
        let mut data = self.begin("observed-data");
        data.set("first_observed", timestamp(first)).set("last_observed", timestamp(last));
        data.set("number_observed", group.timed.min(COUNT_MAX)).set("object_refs", refs);
        if self.redactor.detail() > Detail::Redacted {
            let about = vec![
                json!({"source_name": "assay", "external_id": group.ids.first(), "description": "first finding in findings.jsonl"}),
            ];
            data.set("external_references", about);
        }
        self.add(&format!("observed/{index}"), data)
    }

    fn add_observable(&mut self, observable: &Observable) -> Option<String> {
        let is_home = self.redactor.detail() > Detail::Redacted;
        let object = match observable {
            Observable::Address(address) if self.redactor.tells_address(*address) => address_object(*address),
            Observable::File { sha256, name } => {
                let mut file = Object::new("file");
                file.set("hashes", json!({"SHA-256": sha256}));
                // A name may tell of the organisation; a hash tells of the file.
                file.set("name", if is_home { self.redactor.text(name) } else { String::new() });
                file
            }
            Observable::Account(name) => {
                let mut account = Object::new("user-account");
                account.set("account_login", self.redactor.account(name));
                account
            }
            Observable::Request { source, method, page } if is_home => {
                let source = self.add_observable(&Observable::Address(*source))?;
                request(&source, method, &self.redactor.text(page))
            }
            Observable::Process { image, command_line } if is_home => {
                let name = image.rsplit(['\\', '/']).next().unwrap_or_default();
                let mut program = Object::new("file");
                program.set("name", self.redactor.text(name));
                let program = (!name.is_empty()).then(|| self.add(&format!("program/{name}"), program));
                let mut process = Object::new("process");
                process.set("command_line", self.redactor.text(command_line)).set("image_ref", program);
                process
            }
            Observable::Address(_) | Observable::Request { .. } | Observable::Process { .. } => return None,
        };
        Some(self.add(&format!("observable/{observable:?}"), object))
    }

    fn add_sighting(&mut self, name: &str, of: &str, group: &Group, observed: &str) {
        let mut sighting = self.begin("sighting");
        sighting.set("sighting_of_ref", of).set("count", group.findings.min(COUNT_MAX));
        self.finish_sighting(sighting, name, group.span, observed, group.host.as_ref());
    }

    fn finish_sighting(
        &mut self,
        mut sighting: Object,
        name: &str,
        span: Span,
        observed: &str,
        host: Option<&HostName>,
    ) {
        if sighting.text("sighting_of_ref").is_none_or(str::is_empty) {
            return;
        }
        if let (Some(first), Some(last)) = (span.first, span.last) {
            sighting.set("first_seen", timestamp(first)).set("last_seen", timestamp(last));
        }
        let list = |id: String| if id.is_empty() { Vec::new() } else { vec![id] };
        sighting.set("observed_data_refs", list(observed.to_owned()));
        sighting.set("where_sighted_refs", list(self.id(&host_key(host))));
        self.add(&format!("sighting/{name}"), sighting);
    }

    /// A value that somebody listed, as an indicator of our own that says who; `None` where no pattern says the same.
    fn add_listed(&mut self, index: usize, group: &Group) -> Option<String> {
        let listed = group.listed.as_ref()?;
        let pattern = listed_pattern(&listed.kind, &listed.value)?;
        let mut indicator = self.begin("indicator");
        indicator.set("name", format!("Listed {} seen", listed.kind));
        indicator.set("description", format!("Listed by: {}", listed.sources.join(" | ")));
        indicator.set("indicator_types", json!(["unknown"]));
        self.set_pattern(&mut indicator, &pattern, group.span);
        Some(self.add(&format!("listed/{index}"), indicator))
    }

    fn set_pattern(&self, indicator: &mut Object, pattern: &str, span: Span) {
        indicator.set("pattern", pattern).set("pattern_type", "stix").set("pattern_version", "2.1");
        indicator.set("valid_from", span.first.map_or_else(|| self.created.clone(), timestamp));
    }

    /// Addresses that intrusions came from.
    fn add_sources(&mut self) {
        let export = self.export;
        for (intrusion, addresses) in &export.facts.sources {
            let campaign = self.id(&format!("campaign/{}", intrusion.0));
            for address in addresses {
                let of = |key: &&(model::IntrusionId, IpAddr, Option<HostName>)| {
                    key.0 == *intrusion && key.1 == *address
                };
                let mut span = Span::default();
                export
                    .facts
                    .seen_from
                    .iter()
                    .filter(|(key, _)| of(key))
                    .for_each(|(_, (_, own))| span.join(*own));
                let mut indicator = self.begin("indicator");
                indicator.set("name", format!("Source of {}", crate::intrusion_label(*intrusion)));
                indicator.set(
                    "description",
                    "The intrusion's findings came from this address; an address changes hands.",
                );
                indicator.set("indicator_types", json!(["malicious-activity"]));
                let value = address.to_string();
                let pattern = pattern(&[Comparison { path: address_path(*address), value: &value }]);
                self.set_pattern(&mut indicator, &pattern, span);
                let indicator = self.add(&format!("source/{}/{address}", intrusion.0), indicator);
                self.relate(&indicator, "indicates", &campaign);
                for ((_, _, host), (count, span)) in export.facts.seen_from.iter().filter(|(key, _)| of(key))
                {
                    let mut sighting = self.begin("sighting");
                    sighting.set("sighting_of_ref", indicator.as_str()).set("count", (*count).min(COUNT_MAX));
                    let name = format!("source/{}/{address}/{host:?}", intrusion.0);
                    self.finish_sighting(sighting, &name, *span, "", host.as_ref());
                }
            }
        }
    }

    /// Files that are web shells: malware by their hashes, and an indicator for each.
    fn add_shell_files(&mut self) {
        let export = self.export;
        for group in export.facts.groups.iter().filter(|group| group.listed.is_none()) {
            let files = group.observables.iter().filter_map(|observable| match observable {
                Observable::File { sha256, .. } => Some((observable, sha256)),
                _ => None,
            });
            for (observable, sha256) in files.filter(|_| group.tells_of_shell()) {
                let sample = self.add_observable(observable).unwrap_or_default();
                let mut malware = self.begin("malware");
                malware.set("name", format!("web shell {}", &sha256[..12])).set("is_family", false);
                malware.set("malware_types", json!(["webshell"])).set("sample_refs", vec![sample]);
                let malware = self.add(&format!("shell/{sha256}"), malware);
                let mut indicator = self.begin("indicator");
                indicator.set("name", "Web shell").set("indicator_types", json!(["malicious-activity"]));
                let pattern = pattern(&[Comparison { path: "file:hashes.'SHA-256'", value: sha256 }]);
                self.set_pattern(&mut indicator, &pattern, Span::default());
                let indicator = self.add(&format!("shell-indicator/{sha256}"), indicator);
                self.relate(&indicator, "indicates", &malware);
                if let Some(intrusion) = group.intrusion {
                    let campaign = self.id(&format!("campaign/{}", intrusion.0));
                    self.relate(&campaign, "uses", &malware);
                }
            }
        }
    }
}

/// The local name of a host's identity.
pub(super) fn host_key(host: Option<&HostName>) -> String {
    format!("host/{}", host.map_or("", |name| name))
}

fn address_path(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ipv4-addr:value" } else { "ipv6-addr:value" }
}

fn address_object(address: IpAddr) -> Object {
    let mut object = Object::new(if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" });
    object.set("value", address.to_string());
    object
}

fn request(source: &str, method: &str, page: &str) -> Object {
    let mut traffic = Object::new("network-traffic");
    traffic.set("src_ref", source).set("protocols", json!(["tcp", "http"]));
    let mut extension = Map::new();
    // Methods are upper case in HTTP, lower case in the specification's examples.
    extension.insert("request_method".to_owned(), method.to_lowercase().into());
    extension.insert("request_value".to_owned(), Value::String(page.to_owned()));
    traffic.extend("http-request-ext", extension);
    traffic
}

/// A pattern that says what a list says; `None` for kinds that no pattern says as exactly.
fn listed_pattern(kind: &str, value: &str) -> Option<String> {
    let path = match kind {
        "address" => address_path(value.parse().ok()?),
        "domain" => "domain-name:value",
        "md5" => "file:hashes.MD5",
        "sha1" => "file:hashes.'SHA-1'",
        "sha256" => "file:hashes.'SHA-256'",
        "file-name" => "file:name",
        "user-agent" => "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
        _ => return None,
    };
    Some(pattern(&[Comparison { path, value }]))
}
