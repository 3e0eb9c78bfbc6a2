//! Log sources: which records a rule is about, and what its fields are called
//! there.
//!
//! The facts are those that SigmaHQ publishes for scanners that read logs
//! themselves (its `thor.yml` mapping), the documentation of Sysmon and of
//! Windows' own channels. A rule without product is taken for any product.
//!
//! # Process starts
//! `process_creation` is Sysmon 1 and Security 4688. In 4688 `Image` is
//! `NewProcessName`, `ParentImage` is `ParentProcessName`, `ProcessId` is
//! `NewProcessId` and `ParentProcessId` is `ProcessId`; `CommandLine` has its
//! own name, and what 4688 does not hold (`OriginalFileName`, `Hashes`,
//! `User` as one text) is absent.
//!
//! # Web servers
//! Rules of `category: webserver` are matched against W3C and NCSA logs, those
//! for one server against its own format. Many of them write a path into
//! `cs-uri-query`, which these logs keep apart: a value that begins with a path
//! is matched against stem, `?` and query; any other value against the query
//! alone. `+` and blanks in user agents: see the readers of these logs.
//!
//! # Microsoft's cloud
//! `product: m365` and `product: azure`, by service: see `cloud`.
//!
//! # Ours
//! `product: exchange` are Exchange's own text logs, `product: artifact` what
//! stands on a disk and is no log; `service` is the slug of [`model::Shape::log`].
//!
//! # Not here
//! Reading a record; matching.

mod cloud;
mod linux;

use crate::detection::{Detection, Field, Leaf, Node, Part, Test};
use model::LogFamily;

/// The log source of a rule, as written, in lower case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogSource {
    /// `category`
    pub category: Option<String>,
    /// `product`
    pub product: Option<String>,
    /// `service`
    pub service: Option<String>,
}

/// `product windows, category process_creation`; what is not said is left out.
impl std::fmt::Display for LogSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [("product", &self.product), ("category", &self.category), ("service", &self.service)];
        let said = parts.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        for (index, (name, value)) in said.enumerate() {
            write!(f, "{}{name} {value}", if index > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl LogSource {
    /// From a mapping that has some of its three parts.
    pub(crate) fn read(mapping: &yaml_serde::Mapping) -> Self {
        let lower = |key| crate::rule::text(mapping, key).map(|text| text.to_lowercase());
        Self { category: lower("category"), product: lower("product"), service: lower("service") }
    }

    /// Whether `other` is this log source or a part of it.
    pub(crate) fn covers(&self, other: &LogSource) -> bool {
        let fits = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        fits(&self.category, &other.category)
            && fits(&self.product, &other.product)
            && fits(&self.service, &other.service)
    }
}

/// One kind of record that a rule applies to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Source {
    pub(crate) family: LogFamily,
    /// The log's slug; empty for any.
    pub(crate) log: String,
    /// Windows channels (ASCII case folded); none for any.
    pub(crate) channels: &'static [&'static str],
    /// EventIDs; none for any.
    pub(crate) event_ids: &'static [i64],
    /// A field that must hold one of these texts.
    pub(crate) only: Option<(&'static str, &'static [&'static str])>,
    /// What fields of rules are called in these records.
    pub(crate) names: &'static [(&'static str, &'static str)],
}

const SYSMON: &[&str] = &["Microsoft-Windows-Sysmon/Operational"];
const SECURITY: &[&str] = &["Security"];
const POWERSHELL: &[&str] = &["Microsoft-Windows-PowerShell/Operational", "PowerShellCore/Operational"];
const POWERSHELL_CLASSIC: &[&str] = &["Windows PowerShell"];
const DEFENDER: &[&str] = &["Microsoft-Windows-Windows Defender/Operational"];

/// Windows services of rules and the channels they stand for.
const SERVICES: &[(&str, &[&str])] = &[
    ("application", &["Application"]),
    (
        "application-experience",
        &[
            "Microsoft-Windows-Application-Experience/Program-Telemetry",
            "Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant",
        ],
    ),
    (
        "applocker",
        &[
            "Microsoft-Windows-AppLocker/MSI and Script",
            "Microsoft-Windows-AppLocker/EXE and DLL",
            "Microsoft-Windows-AppLocker/Packaged app-Deployment",
            "Microsoft-Windows-AppLocker/Packaged app-Execution",
        ],
    ),
    ("appmodel-runtime", &["Microsoft-Windows-AppModel-Runtime/Admin"]),
    ("appxdeployment-server", &["Microsoft-Windows-AppXDeploymentServer/Operational"]),
    ("appxpackaging-om", &["Microsoft-Windows-AppxPackaging/Operational"]),
    ("bitlocker", &["Microsoft-Windows-BitLocker/BitLocker Management"]),
    ("bits-client", &["Microsoft-Windows-Bits-Client/Operational"]),
    ("capi2", &["Microsoft-Windows-CAPI2/Operational"]),
    (
        "certificateservicesclient-lifecycle-system",
        &["Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational"],
    ),
    ("codeintegrity-operational", &["Microsoft-Windows-CodeIntegrity/Operational"]),
    ("dhcp", &["Microsoft-Windows-DHCP-Server/Operational"]),
    ("diagnosis-scripted", &["Microsoft-Windows-Diagnosis-Scripted/Operational"]),
    (
        "dns-client",
        &["Microsoft-Windows-DNS Client Events/Operational", "Microsoft-Windows-DNS-Client/Operational"],
    ),
    ("dns-server", &["DNS Server"]),
    ("dns-server-analytic", &["Microsoft-Windows-DNS-Server/Analytical"]),
    ("driver-framework", &["Microsoft-Windows-DriverFrameworks-UserMode/Operational"]),
    ("firewall-as", &["Microsoft-Windows-Windows Firewall With Advanced Security/Firewall"]),
    ("hyper-v-worker", &["Microsoft-Windows-Hyper-V-Worker", "Microsoft-Windows-Hyper-V-Worker-Admin"]),
    ("iis-configuration", &["Microsoft-IIS-Configuration/Operational"]),
    (
        "kernel-event-tracing",
        &["Microsoft-Windows-Kernel-EventTracing", "Microsoft-Windows-Kernel-EventTracing/Admin"],
    ),
    (
        "kernel-shimengine",
        &[
            "Microsoft-Windows-Kernel-ShimEngine/Operational",
            "Microsoft-Windows-Kernel-ShimEngine/Diagnostic",
        ],
    ),
    ("ldap", &["Microsoft-Windows-LDAP-Client/Debug"]),
    ("ldap_debug", &["Microsoft-Windows-LDAP-Client/Debug"]),
    ("lsa-server", &["Microsoft-Windows-LSA/Operational"]),
    ("microsoft-servicebus-client", SERVICE_BUS),
    ("msexchange-management", &["MSExchange Management"]),
    ("ntfs", &["Microsoft-Windows-Ntfs/Operational"]),
    ("ntlm", &["Microsoft-Windows-NTLM/Operational"]),
    ("openssh", &["OpenSSH/Operational"]),
    ("powershell", POWERSHELL),
    ("powershell-classic", POWERSHELL_CLASSIC),
    ("printservice-admin", &["Microsoft-Windows-PrintService/Admin"]),
    ("printservice-operational", &["Microsoft-Windows-PrintService/Operational"]),
    ("security", SECURITY),
    (
        "security-mitigations",
        &[
            "Microsoft-Windows-Security-Mitigations/KernelMode",
            "Microsoft-Windows-Security-Mitigations/UserMode",
            "Microsoft-Windows-Security-Mitigations/Kernel Mode",
            "Microsoft-Windows-Security-Mitigations/User Mode",
        ],
    ),
    ("sense", &["Microsoft-Windows-SENSE/Operational"]),
    ("servicebus-client", SERVICE_BUS),
    ("shell-core", &["Microsoft-Windows-Shell-Core/Operational"]),
    ("smbclient-connectivity", &["Microsoft-Windows-SmbClient/Connectivity"]),
    ("smbclient-security", &["Microsoft-Windows-SmbClient/Security"]),
    ("smbserver-connectivity", &["Microsoft-Windows-SMBServer/Connectivity"]),
    ("sysmon", SYSMON),
    ("system", &["System"]),
    ("taskscheduler", &["Microsoft-Windows-TaskScheduler/Operational"]),
    (
        "terminalservices-localsessionmanager",
        &["Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"],
    ),
    ("vhdmp", &["Microsoft-Windows-VHDMP/Operational"]),
    ("windefend", DEFENDER),
    ("wmi", &["Microsoft-Windows-WMI-Activity/Operational"]),
];
const SERVICE_BUS: &[&str] =
    &["Microsoft-ServiceBus-Client/Admin", "Microsoft-ServiceBus-Client/Operational"];

/// One category of Windows rules: channels and EventIDs.
struct Category {
    name: &'static str,
    channels: &'static [&'static str],
    event_ids: &'static [i64],
    only: Option<(&'static str, &'static [&'static str])>,
    names: &'static [(&'static str, &'static str)],
}

const fn sysmon(name: &'static str, event_ids: &'static [i64]) -> Category {
    Category { name, channels: SYSMON, event_ids, only: None, names: &[] }
}

const fn powershell(
    name: &'static str,
    channels: &'static [&'static str],
    event_ids: &'static [i64],
) -> Category {
    Category { name, channels, event_ids, only: None, names: &[] }
}

const CATEGORIES: &[Category] = &[
    sysmon("process_creation", &[1]),
    Category {
        name: "process_creation",
        channels: SECURITY,
        event_ids: &[4688],
        only: None,
        names: &[
            ("Image", "NewProcessName"),
            ("ParentImage", "ParentProcessName"),
            ("ProcessId", "NewProcessId"),
            ("ParentProcessId", "ProcessId"),
        ],
    },
    sysmon("file_change", &[2]),
    sysmon("network_connection", &[3]),
    sysmon("sysmon_status", &[4, 16]),
    sysmon("process_termination", &[5]),
    sysmon("driver_load", &[6]),
    sysmon("image_load", &[7]),
    sysmon("create_remote_thread", &[8]),
    sysmon("raw_access_thread", &[9]),
    sysmon("process_access", &[10]),
    sysmon("file_event", &[11]),
    sysmon("registry_event", &[12, 13, 14]),
    Category { only: Some(("EventType", &["CreateKey"])), ..sysmon("registry_add", &[12]) },
    Category { only: Some(("EventType", &["DeleteKey", "DeleteValue"])), ..sysmon("registry_delete", &[12]) },
    sysmon("registry_set", &[13]),
    sysmon("registry_rename", &[14]),
    sysmon("create_stream_hash", &[15]),
    sysmon("pipe_created", &[17, 18]),
    sysmon("wmi_event", &[19, 20, 21]),
    sysmon("dns_query", &[22]),
    sysmon("file_delete", &[23]),
    sysmon("clipboard_change", &[24]),
    sysmon("process_tampering", &[25]),
    sysmon("file_delete_detected", &[26]),
    sysmon("file_block_executable", &[27]),
    sysmon("file_block_shredding", &[28]),
    sysmon("file_executable_detected", &[29]),
    sysmon("sysmon_error", &[255]),
    powershell("ps_module", POWERSHELL, &[4103]),
    powershell("ps_script", POWERSHELL, &[4104]),
    powershell("ps_classic_start", POWERSHELL_CLASSIC, &[400]),
    powershell("ps_classic_provider_start", POWERSHELL_CLASSIC, &[600]),
    powershell("ps_classic_script", POWERSHELL_CLASSIC, &[800]),
    // The numbers of Defender's events that name a threat or a path.
    Category {
        name: "antivirus",
        channels: DEFENDER,
        event_ids: &[1006, 1007, 1008, 1009, 1010, 1011, 1012, 1017, 1018, 1019, 1115, 1116],
        only: None,
        names: &[("Signature", "ThreatName"), ("Filename", "Path")],
    },
];

/// Fields of web rules and their columns in W3C logs.
const WEB_NAMES: &[(&str, &str)] = &[
    ("c-useragent", "cs(User-Agent)"),
    ("cs-user-agent", "cs(User-Agent)"),
    ("cs-useragent", "cs(User-Agent)"),
    ("cs-referer", "cs(Referer)"),
    ("cs-referrer", "cs(Referer)"),
    ("cs-cookie", "cs(Cookie)"),
    ("cs-cookie-vars", "cs(Cookie)"),
    ("cs-host", "cs-host"),
    ("r-dns", "cs-host"),
    ("cs-uri-stem", "cs-uri-stem"),
    ("c-uri-stem", "cs-uri-stem"),
    ("c-uri-query", "cs-uri-query"),
    ("src_ip", "c-ip"),
    ("dst_ip", "s-ip"),
    ("dst_port", "s-port"),
];
/// Fields of web rules that hold path and query in one.
const WHOLE_URI: &[&str] = &["c-uri", "cs-uri"];
const QUERY: &str = "cs-uri-query";

/// The logs that a rule applies to; empty when none of them is known here.
pub(crate) fn sources(logsource: &LogSource) -> Vec<Source> {
    let product = logsource.product.as_deref();
    let (category, service) = (logsource.category.as_deref(), logsource.service.as_deref());
    if product == Some("exchange") {
        let log = service.unwrap_or_default().to_owned();
        let source = Source { log, ..any(LogFamily::Exchange) };
        return if category.is_none() { vec![source] } else { Vec::new() };
    }
    if product == Some("artifact") {
        let log = service.unwrap_or_default().to_owned();
        let source = Source { log, ..any(LogFamily::Artifacts) };
        return if category.is_none() { vec![source] } else { Vec::new() };
    }
    let cloud = cloud::sources(logsource);
    if !cloud.is_empty() {
        return cloud;
    }
    let mut found = linux::sources(logsource);
    let web = web_logs(logsource).iter();
    found.extend(web.map(|log| Source { log: (*log).into(), names: WEB_NAMES, ..any(LogFamily::WebServer) }));
    if !is_web(logsource) && matches!(product, None | Some("windows")) {
        found.extend(of_windows(category, service, product.is_none()));
    }
    found
}

fn of_windows(category: Option<&str>, service: Option<&str>, any_product: bool) -> Vec<Source> {
    let channels =
        service.map(|service| SERVICES.iter().find(|(name, _)| *name == service).map(|(_, found)| *found));
    match (category, channels) {
        (_, Some(None)) => Vec::new(),
        (None, None) if any_product => Vec::new(),
        (None, channels) => {
            vec![Source { channels: channels.flatten().unwrap_or_default(), ..any(LogFamily::WindowsEvents) }]
        }
        (Some(category), channels) => {
            let wanted = |own: &Category| own.name == category && meets(own.channels, channels.flatten());
            CATEGORIES.iter().filter(|own| wanted(own)).map(of_category).collect()
        }
    }
}

/// The logs of web servers that a rule applies to; the empty name is any.
fn web_logs(logsource: &LogSource) -> &'static [&'static str] {
    const ANY: &[&str] = &[""];
    const IIS: &[&str] = &["iis", "httperr"];
    const NCSA: &[&str] = &["ncsa"];
    let of_server = |name: &str| match name {
        "iis" => IIS,
        "apache" | "nginx" => NCSA,
        _ => &[],
    };
    let of_product = |name: &str| match name {
        "windows" => IIS,
        "linux" => NCSA,
        server => of_server(server),
    };
    let product = logsource.product.as_deref();
    let own = (product.map(of_product), logsource.service.as_deref().map(of_server));
    match (logsource.category.as_deref(), own) {
        (Some("webserver"), (None, None)) => ANY,
        // A system alone does not say that it is about its web server.
        (None, (_, None)) if product.is_none_or(|name| of_server(name).is_empty()) => &[],
        (None | Some("webserver"), (Some(logs), None) | (None, Some(logs))) => logs,
        (None | Some("webserver"), (Some(product), Some(service))) if product == service => service,
        _ => &[],
    }
}

fn is_web(logsource: &LogSource) -> bool {
    !web_logs(logsource).is_empty()
}

fn any(family: LogFamily) -> Source {
    Source { family, log: String::new(), channels: &[], event_ids: &[], only: None, names: &[] }
}

fn of_category(category: &Category) -> Source {
    Source {
        channels: category.channels,
        event_ids: category.event_ids,
        only: category.only,
        names: category.names,
        ..any(LogFamily::WindowsEvents)
    }
}

fn meets(own: &[&str], wanted: Option<&[&str]>) -> bool {
    wanted.is_none_or(|wanted| own.iter().any(|channel| wanted.contains(channel)))
}

impl Default for Source {
    /// Any record of no known kind, its fields by their own names.
    fn default() -> Self {
        any(LogFamily::Other)
    }
}

impl Source {
    /// What the fields of a rule are called in these records.
    pub(crate) fn names_of<'a>(&'a self, names: &'a [String]) -> Vec<&'a str> {
        names.iter().flat_map(|name| self.name_of(name)).collect()
    }

    /// What a field of a rule is called in these records: one name or two.
    pub(crate) fn name_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        let fold = self.family == LogFamily::WebServer;
        let same = |own: &str| if fold { own.eq_ignore_ascii_case(name) } else { own == name };
        let other = self.names.iter().find(|(own, _)| same(own)).map(|(_, other)| *other);
        // Web logs of other makers may use the rule's own word.
        let both = other.filter(|other| fold && *other != name).map(|_| name);
        both.into_iter().chain([other.unwrap_or(name)])
    }
}

/// For web rules: moves values that begin with a path to stem and query.
pub(crate) fn place_paths(logsource: &LogSource, detection: &mut Detection) {
    if !is_web(logsource) {
        return;
    }
    for index in 0..detection.leaves.len() {
        let leaf = &mut detection.leaves[index];
        let Field::Named(names) = &leaf.field else {
            continue;
        };
        let is = |name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name));
        if WHOLE_URI.iter().any(|name| is(name)) {
            leaf.field = Field::StemAndQuery;
        } else if is(QUERY) {
            let (paths, rest): (Vec<Test>, Vec<Test>) = leaf.tests.drain(..).partition(begins_with_path);
            match (paths.is_empty(), rest.is_empty()) {
                (false, true) => (leaf.field, leaf.tests) = (Field::StemAndQuery, paths),
                (false, false) => {
                    leaf.tests = rest;
                    detection.leaves.push(Leaf { field: Field::StemAndQuery, tests: paths });
                    let both = Node::Or(vec![Node::Leaf(index), Node::Leaf(detection.leaves.len() - 1)]);
                    replace(&mut detection.condition, index, &both);
                    detection.named.iter_mut().for_each(|(_, node)| replace(node, index, &both));
                }
                _ => leaf.tests = rest,
            }
        }
    }
}

fn replace(node: &mut Node, leaf: usize, by: &Node) {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter_mut().for_each(|part| replace(part, leaf, by)),
        Node::Not(part) => replace(part, leaf, by),
        Node::Leaf(own) if *own == leaf => *node = by.clone(),
        Node::Leaf(_) => {}
    }
}

/// Whether the value, after wildcards, begins with a path: characters of a
/// path up to the first `/` or `?`, so that `a=/b` is none.
fn begins_with_path(test: &Test) -> bool {
    let text = match test {
        Test::Text(pattern) => match pattern.parts.iter().find(|part| **part != Part::Any) {
            Some(Part::Text(text)) => text.as_str(),
            _ => return false,
        },
        Test::Regex(expression) => expression.source.trim_start_matches(['^', '\\']),
        _ => return false,
    };
    let path = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '+' | '%' | ';');
    let first = text.trim_start_matches(path);
    first.starts_with(['/', '?'])
}
