//! The kinds of indicator, and the names that files give them.

/// What an indicator is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// An IPv4 or IPv6 address.
    Address,
    /// A block of addresses (CIDR).
    Network,
    /// A domain; its subdomains count as well.
    Domain,
    /// A URL, without its scheme.
    Url,
    /// MD5 of a file's content.
    Md5,
    /// SHA-1 of a file's content.
    Sha1,
    /// SHA-256 of a file's content.
    Sha256,
    /// MD5 of a program's import table.
    Imphash,
    /// A path: of Windows, of Unix, or of a web request.
    Path,
    /// A file name without a folder.
    FileName,
    /// A user agent, whole.
    UserAgent,
    /// The name of a parameter in the query of a request, such as a web shell's.
    Parameter,
    /// Several indicators that one record has to show together.
    All,
}

impl Kind {
    const EVERY: [Kind; 13] = [
        Kind::Address,
        Kind::Network,
        Kind::Domain,
        Kind::Url,
        Kind::Md5,
        Kind::Sha1,
        Kind::Sha256,
        Kind::Imphash,
        Kind::Path,
        Kind::FileName,
        Kind::UserAgent,
        Kind::Parameter,
        Kind::All,
    ];

    /// The slug in rule ids and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Address => "address",
            Kind::Network => "network",
            Kind::Domain => "domain",
            Kind::Url => "url",
            Kind::Md5 => "md5",
            Kind::Sha1 => "sha1",
            Kind::Sha256 => "sha256",
            Kind::Imphash => "imphash",
            Kind::Path => "path",
            Kind::FileName => "file-name",
            Kind::UserAgent => "user-agent",
            Kind::Parameter => "parameter",
            Kind::All => "all",
        }
    }

    /// The kind of a key's first byte.
    pub(crate) fn of_byte(byte: u8) -> Kind {
        Self::EVERY.get(usize::from(byte)).copied().unwrap_or(Kind::All)
    }
}

/// What a file says that a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    /// One kind.
    Kind(Kind),
    /// Something with the shape of one of our kinds: a hash, an observable.
    ByShape,
}

/// Names of kinds, of columns and of attribute types, without case and
/// without what is neither letter nor digit.
const NAMES: &[(Said, &[&str])] = &[
    (
        Said::Kind(Kind::Address),
        &[
            "address",
            "addr",
            "ip",
            "ipaddr",
            "ipaddress",
            "ips",
            "ipport",
            "ipv4",
            "ipv4addr",
            "ipv4address",
            "ipv4port",
            "ipv6",
            "ipv6addr",
            "ipv6address",
            "ipdst",
            "ipsrc",
            "ipdstport",
            "ipsrcport",
            "dstip",
            "srcip",
            "destip",
            "sourceip",
        ],
    ),
    (
        Said::Kind(Kind::Network),
        &["network", "cidr", "netblock", "subnet", "ipv4cidr", "ipv6cidr", "iprange"],
    ),
    (
        Said::Kind(Kind::Domain),
        &["domain", "domains", "domainname", "hostname", "host", "fqdn", "dns", "hostnameport"],
    ),
    (Said::Kind(Kind::Url), &["url", "urls", "uri", "link"]),
    (Said::Kind(Kind::Md5), &["md5", "md5hash", "filemd5", "filehashmd5", "hashmd5"]),
    (Said::Kind(Kind::Sha1), &["sha1", "sha1hash", "filesha1", "filehashsha1", "hashsha1"]),
    (Said::Kind(Kind::Sha256), &["sha256", "sha256hash", "filesha256", "filehashsha256", "hashsha256"]),
    (Said::Kind(Kind::Imphash), &["imphash", "importhash", "fileimphash"]),
    (Said::Kind(Kind::Path), &["path", "filepath", "fullpath", "directory", "folder", "uripath", "urlpath"]),
    (Said::Kind(Kind::FileName), &["filename", "filenames"]),
    (Said::Kind(Kind::UserAgent), &["useragent", "ua", "httpuseragent"]),
    (
        Said::Kind(Kind::Parameter),
        &["parameter", "param", "shellparameter", "queryparameter", "httpparameter", "urlparameter"],
    ),
    (
        Said::ByShape,
        &[
            "hash",
            "hashes",
            "filehash",
            "file",
            "files",
            "observable",
            "indicator",
            "ioc",
            "net",
            "networkioc",
        ],
    ),
];

impl Said {
    /// What the name of a type means; `None` when it is no kind of ours.
    pub(crate) fn parse(name: &str) -> Option<Said> {
        let plain = plain_name(name);
        NAMES.iter().find(|(_, names)| names.contains(&plain.as_str())).map(|(said, _)| *said)
    }
}

/// A name without case and without what is neither letter nor digit.
pub(crate) fn plain_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_kinds() {
        for kind in Kind::EVERY {
            assert_eq!(Kind::of_byte(kind as u8), kind);
        }
    }

    #[test]
    fn names_of_types() {
        assert_eq!(Said::parse("ip-dst|port"), Some(Said::Kind(Kind::Address)));
        assert_eq!(Said::parse("SHA-256"), Some(Said::Kind(Kind::Sha256)));
        assert_eq!(Said::parse("ioc"), Some(Said::ByShape));
        assert_eq!(Said::parse("regkey"), None);
    }
}
