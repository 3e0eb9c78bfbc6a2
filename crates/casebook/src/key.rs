//! What a finding names that another may name, too.

use crate::book::Casebook;
use crate::shell::{self, Page};
use model::{EvidenceId, Finding};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Bytes looked at in one field.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Names kept of one finding.
const KEYS_MAX: usize = 64;
/// Shorter parameters (`a`, `cmd`, `code`) are everybody's.
const PARAMETER_CHARS_MIN: usize = 6;

/// Fields that hold the address of who asked.
const SOURCES: [&str; 9] = [
    "ClientIpAddress",
    "c-ip",
    "IpAddress",
    "client-ip",
    // Of a tenant's logs.
    "ClientIPAddress",
    "ClientIP",
    "ipAddress",
    "initiatedBy.user.ipAddress",
    "properties.initiatedBy.user.ipAddress",
];

/// A name that joins the findings that share it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// Who asked, over a network.
    Source(IpAddr),
    /// A session of the Exchange Control Panel.
    Session(Box<str>),
    /// The canary of such a session.
    Canary(Box<str>),
    /// One request, as several logs name it.
    Request(Box<str>),
    /// A shell's page on a host.
    Shell(usize, Box<str>),
    /// A file on a host that is carried away: an archive, a dump.
    File(usize, Box<str>),
    /// The parameter by which a shell is used.
    Parameter(usize, Box<str>),
    /// A process by its GUID.
    Process(usize, Guid),
    /// The record itself.
    Record(EvidenceId, u64),
}

/// A GUID as it is compared: there is one for every start of a process, so it takes as little room as may be.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Guid {
    /// One in the usual form.
    Number([u8; 16]),
    /// Anything else, in lower case.
    Text(Box<str>),
}

impl Guid {
    /// Reads a GUID, with or without braces; `None` for what is too short to be one.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| "{} ".contains(c));
        if text.len() < 32 {
            return None;
        }
        Some(number(text).map_or_else(|| Guid::Text(text.to_ascii_lowercase().into()), Guid::Number))
    }
}

/// The number of a GUID of the form `01234567-89ab-cdef-0123-456789abcdef`.
fn number(text: &str) -> Option<[u8; 16]> {
    let mut digits = [0; 32];
    let mut count = 0;
    for (at, byte) in text.bytes().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        *digits.get_mut(count)? = char::from(byte).to_digit(16)? as u8;
        count += 1;
    }
    let mut number = [0; 16];
    number.iter_mut().zip(digits.chunks_exact(2)).for_each(|(byte, pair)| *byte = pair[0] << 4 | pair[1]);
    (count == 32).then_some(number)
}

/// Kinds of keys by which two findings can be told apart; as a set of bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Kinds(u8);

impl Kinds {
    /// Whether both have a name of the same kind, so that they would share it
    /// if they belonged together.
    pub fn comparable(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    pub fn union(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }
}

/// All that one finding names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    pub keys: Vec<Key>,
    /// The process that the record is about, and who started it; not where
    /// that is a program that works for everybody.
    pub process: Option<u64>,
    pub parent_process: Option<u64>,
    /// What few findings have.
    web: Option<Box<Web>>,
}

/// Pages, files and parameters that a finding names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Web {
    /// Pages and files as the evidence writes them, for readers.
    texts: Vec<(Key, String)>,
    pages: Vec<(Page, String)>,
    written_parameters: Vec<String>,
    queried: Vec<String>,
}

impl Names {
    /// Reads the names from a finding's fields.
    pub fn read(finding: &Finding, steps: &[&str], host: usize, books: &[Casebook]) -> Self {
        let mut names =
            Names { keys: vec![Key::Record(finding.evidence, finding.position.offset)], ..Names::default() };
        let any = |list: fn(&Casebook) -> &Vec<String>| {
            books.iter().any(|book| steps.iter().any(|step| list(book).iter().any(|own| own == step)))
        };
        names.read_source(finding);
        names.read_requests(finding);
        names.read_processes(finding, host, books);
        let visits = any(|book| &book.joins.visits);
        let shells = any(|book| &book.joins.shells);
        let webshell = finding.rule.techniques.iter().any(|own| own == "T1505.003");
        if visits {
            names.read_visit(finding);
        }
        if shells || webshell {
            names.read_files(finding);
        }
        if shells && !visits {
            names.read_texts(finding);
        }
        names.keys.truncate(KEYS_MAX);
        names.keys.shrink_to_fit();
        names
    }

    fn read_source(&mut self, finding: &Finding) {
        // Of a connection to somewhere it is the host's own.
        let logon = || finding.field("SourceIp").filter(|_| finding.field("DestinationIp").is_none());
        let text = SOURCES.iter().find_map(|name| finding.field(name)).or_else(logon);
        if let Some(address) = text.and_then(parse_address) {
            self.keys.push(Key::Source(address));
        }
    }

    fn read_requests(&mut self, finding: &Finding) {
        let id = |text: &str| {
            let id = text.trim_matches(|c: char| "{}()\"' ".contains(c)).to_ascii_lowercase();
            let nothing = id.chars().all(|c| matches!(c, '0' | '-'));
            (!nothing && id.len() >= 8).then(|| id.into_boxed_str())
        };
        self.keys.extend(finding.field("RequestId").and_then(id).map(Key::Request));
        for (name, text) in texts(finding) {
            if name.eq_ignore_ascii_case("EventData") {
                self.keys.extend(after(text, "S:SID=").and_then(id).map(Key::Session));
                self.keys.extend(after(text, "S:REQID=").and_then(id).map(Key::Request));
                self.keys.extend(after(text, "S:ACTID=").and_then(id).map(Key::Request));
            }
            self.keys.extend(after(text, "cafeReqId=").and_then(id).map(Key::Request));
            if let Some(canary) = after(text, "msExchEcpCanary=").filter(|canary| canary.len() >= 8) {
                self.keys.push(Key::Canary(canary.into()));
            }
        }
    }

    /// Sysmon names a process by GUID and number; Security 4688 has numbers
    /// only, and calls the parent's `ProcessId`.
    fn read_processes(&mut self, finding: &Finding, host: usize, books: &[Casebook]) {
        let shared = |names: &[&str]| {
            let image = names.iter().find_map(|name| finding.field(name)).unwrap_or_default();
            let program = image.rsplit(['\\', '/']).next().unwrap_or_default();
            let mut all = books.iter().flat_map(|book| &book.joins.shared_processes);
            all.any(|own| own.eq_ignore_ascii_case(program))
        };
        let number = |name: &str| finding.field(name).and_then(parse_number).filter(|number| *number > 4);
        let guid = |name: &str| Some(Key::Process(host, Guid::read(finding.field(name)?)?));
        let created = number("NewProcessId");
        if !shared(&["NewProcessName", "Image", "SourceImage"]) {
            self.keys.extend(guid("ProcessGuid").or_else(|| guid("SourceProcessGUID")));
            self.process = created.or_else(|| number("ProcessId"));
        }
        if !shared(&["ParentProcessName", "ParentImage"]) {
            self.keys.extend(guid("ParentProcessGuid"));
            self.parent_process = match created {
                Some(_) => number("ProcessId"),
                None => number("ParentProcessId"),
            };
        }
    }

    fn read_visit(&mut self, finding: &Finding) {
        let stem = finding.field("cs-uri-stem").or_else(|| finding.field("UrlStem"));
        if let Some(stem) = stem {
            self.add_page(shell::from_url(stem), stem);
        }
        let query = finding.field("cs-uri-query").or_else(|| finding.field("UrlQuery")).unwrap_or_default();
        let pairs = cut(query).split('&').take(KEYS_MAX);
        self.web()
            .queried
            .extend(pairs.filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.to_owned()));
    }

    fn read_files(&mut self, finding: &Finding) {
        // A file of the evidence itself has its path.
        if let Some(file) = finding.field("TargetFilename").or_else(|| finding.field("Path")) {
            self.add_page(shell::from_file(file), file);
        }
    }

    fn read_texts(&mut self, finding: &Finding) {
        for (_, text) in texts(finding) {
            for path in shell::paths_in(text) {
                self.add_page(shell::from_file(path), path);
            }
            let parameters = shell::parameters_in(text).into_iter().filter(|name| is_telling(name));
            self.web().written_parameters.extend(parameters);
        }
    }

    fn add_page(&mut self, page: Option<Page>, text: &str) {
        if let Some(page) = page {
            let pages = &mut self.web().pages;
            if pages.len() < KEYS_MAX {
                pages.push((page, text.to_owned()));
            }
        }
    }

    fn web(&mut self) -> &mut Web {
        self.web.get_or_insert_default()
    }

    /// Pages and files as the evidence writes them, for readers.
    pub fn texts(&self) -> &[(Key, String)] {
        self.web.as_ref().map_or(&[], |web| &web.texts)
    }

    /// Pages whose place is known, with what their compiled trace would be called.
    pub fn pages(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.web.iter().flat_map(|web| &web.pages).filter_map(|(page, _)| match page {
            Page::At(url) => Some((shell::compiled_name(url), url.clone())),
            Page::Compiled(_) => None,
        })
    }

    pub fn written_parameters(&self) -> impl Iterator<Item = &str> {
        self.web.iter().flat_map(|web| &web.written_parameters).map(String::as_str)
    }

    /// Turns pages and parameters into keys, with what all findings know.
    pub fn resolve(
        &mut self,
        host: usize,
        pages: &BTreeMap<(usize, String), String>,
        parameters: &BTreeSet<(usize, String)>,
    ) {
        if let Some(web) = &mut self.web {
            for (page, text) in std::mem::take(&mut web.pages) {
                let url = match page {
                    Page::At(url) => url,
                    Page::Compiled(name) => pages.get(&(host, name.clone())).cloned().unwrap_or(name),
                };
                let is_script = shell::is_script(&url);
                let url = url.into_boxed_str();
                let key = if is_script { Key::Shell(host, url) } else { Key::File(host, url) };
                self.keys.push(key.clone());
                web.texts.push((key, text));
            }
            let written = std::mem::take(&mut web.written_parameters).into_iter();
            let queried = std::mem::take(&mut web.queried).into_iter();
            let known = queried.filter(|name| is_telling(name) && parameters.contains(&(host, name.clone())));
            self.keys.extend(written.chain(known).map(|name| Key::Parameter(host, name.into())));
        }
        self.keys.sort_unstable();
        self.keys.dedup();
        self.keys.shrink_to_fit();
    }

    pub fn source(&self) -> Option<IpAddr> {
        self.keys.iter().find_map(|key| match key {
            Key::Source(address) => Some(*address),
            _ => None,
        })
    }

    pub fn kinds(&self) -> Kinds {
        let bit = |key: &Key| match key {
            Key::Source(_) => 1,
            Key::Session(_) => 2,
            Key::Canary(_) => 4,
            Key::Shell(..) => 8,
            Key::Request(_) | Key::File(..) | Key::Parameter(..) | Key::Process(..) | Key::Record(..) => 0,
        };
        Kinds(self.keys.iter().map(bit).fold(0, |all, one| all | one))
    }
}

fn is_telling(parameter: &str) -> bool {
    parameter.chars().count() >= PARAMETER_CHARS_MIN
}

fn texts(finding: &Finding) -> impl Iterator<Item = (&str, &str)> {
    finding.fields.iter().map(|(name, text)| (&**name, cut(text)))
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

/// What follows the first `mark` (without regard to case), up to the end of the value.
fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let at = shell::find_ascii(text, mark, 0)? + mark.len();
    let rest = text.get(at..)?;
    let end = rest.find(|c: char| c.is_whitespace() || ";&'\",#?".contains(c)).unwrap_or(rest.len());
    Some(&rest[..end]).filter(|value| !value.is_empty())
}

fn parse_number(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// An address that says who asked: not loopback, link-local or unspecified.
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches(['[', ']']);
    let text = text.split('%').next().unwrap_or_default();
    let address: IpAddr = text.parse().ok()?;
    let address = address.to_canonical();
    let nobody = match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_unspecified() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unicast_link_local(),
    };
    (!nobody).then_some(address)
}

/// Addresses that many may stand behind: those of private networks, where a
/// proxy or a load balancer speaks for everybody.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_compared_without_case_and_braces() {
        let guid = |text| Guid::read(text).unwrap();
        let usual = "{0AB1C2D3-89ab-cdef-0123-456789ABCDEF}";
        let bytes =
            [0x0a, 0xb1, 0xc2, 0xd3, 0x89, 0xab, 0xcd, 0xef, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        assert_eq!(guid(usual), Guid::Number(bytes));
        assert_eq!(guid(usual), guid("0ab1c2d3-89ab-cdef-0123-456789abcdef"));
        let odd = "0AB1C2D389abcdef0123456789abcdef";
        assert_eq!(guid(odd), Guid::Text(odd.to_lowercase().into()));
        assert_eq!(
            guid("0ab1c2d3-89ab-cdef-0123-456789abcdef0"),
            Guid::Text("0ab1c2d3-89ab-cdef-0123-456789abcdef0".into())
        );
        assert_eq!(Guid::read("0ab1c2d3-89ab"), None);
    }
}
