//! What tells of the organisation in a value: addresses that are its own, domains of its accounts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Domains that every Windows has, and words that are none.
const NOBODYS: &[&str] = &[
    "nt authority",
    "builtin",
    "workgroup",
    "window manager",
    "font driver host",
    "iis apppool",
    "nt service",
    "smtp",
    "http",
    "https",
    "localhost",
    "local",
];

/// Whether an address is of the public network: an inner one says nothing to others, and tells of the organisation. Those
/// set aside for documentation count as public: evidence that was made has them.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => is_public_4(four),
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or_else(|| is_public_6(six), is_public_4),
    }
}

fn is_public_4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || is_shared
        || first == 0)
}

fn is_public_6(address: Ipv6Addr) -> bool {
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local())
}

/// An address as logs write it: with a port, in brackets, with a zone, mapped into IPv6.
pub fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(text);
    let bare = bare.split('%').next().unwrap_or(bare);
    let with_port =
        || bare.rsplit_once(':').filter(|(front, _)| !front.contains(':')).map(|(front, _)| front);
    let address: IpAddr = bare.parse().ok().or_else(|| with_port()?.parse().ok())?;
    Some(address.to_canonical())
}

/// The domain of an account (`DOMAIN\name`, `name@domain`), in lower case; `None` for those that every Windows has.
pub fn domain_of_account(account: &str) -> Option<String> {
    let account = account.trim();
    let domain = match account.split_once('\\') {
        Some((domain, _)) => domain,
        None => account.rsplit_once('@')?.1,
    };
    let domain = domain.rsplit([':', '~', '/']).next()?.trim().to_lowercase();
    let is_name = domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let is_long_enough = domain.chars().count() >= 3 && domain.chars().any(char::is_alphabetic);
    (is_name && is_long_enough && !NOBODYS.contains(&domain.as_str())).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_and_public_addresses() {
        for (text, wanted) in [
            ("203.0.113.7", true),
            ("10.1.2.3", false),
            ("192.168.0.1", false),
            ("100.64.0.1", false),
            ("172.32.0.1", true),
            ("169.254.1.1", false),
            ("::ffff:10.0.0.1", false),
            ("2001:db8::1", true),
            ("fd00::1", false),
            ("fe80::1", false),
            ("::1", false),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), wanted, "{text}");
        }
    }

    #[test]
    fn addresses_as_logs_write_them() {
        let check = |text: &str, wanted: Option<&str>| {
            assert_eq!(parse_address(text).map(|address| address.to_string()).as_deref(), wanted, "{text}");
        };
        check("203.0.113.7:443", Some("203.0.113.7"));
        check("[2001:db8::1]:443", Some("2001:db8::1"));
        check("fe80::1%12", Some("fe80::1"));
        check("::ffff:203.0.113.7", Some("203.0.113.7"));
        check("-", None);
        check("host:80", None);
    }

    #[test]
    fn domains_of_accounts() {
        let check = |account: &str, wanted: Option<&str>| {
            assert_eq!(domain_of_account(account).as_deref(), wanted, "{account}");
        };
        check(r"EXAMPLE\jane", Some("example"));
        check("SMTP:jane@mail.example.org", Some("mail.example.org"));
        check(r"NT AUTHORITY\SYSTEM", None);
        check("jane", None);
        check(r".\jane", None);
    }
}
