//! How a value leaves: as it is, with people and shells masked, or without anything that tells of the organisation.
//!
//! Every text that an exit writes goes through [`Redactor::text`], even one made of our own words: a rule's title or a
//! list's name may hold anything. Where a pseudonym stands for a name, it is the same in every export under one key.

use crate::facts::{Facts, host_names};
use crate::key::{Key, Kind};
use crate::own::parse_address;
use model::Case;
use report::mask::{Mask, Secrets, ending, person};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Detail {
    /// Nothing of the organisation: hosts, people, domains, inner addresses have pseudonyms, and no free text of evidence is told.
    Redacted,
    /// People have pseudonyms, names of web shells and what was sent to them are masked: as in the report.
    Masked,
    /// Everything.
    Whole,
}

/// Puts pseudonyms for names.
pub struct Redactor<'k> {
    key: &'k Key,
    detail: Detail,
    mask: Mask,
    attackers: BTreeSet<IpAddr>,
}

impl<'k> Redactor<'k> {
    /// One for the names of a case.
    ///
    /// # Errors
    /// When fields that were put aside cannot be read back.
    pub fn of(case: &Case, facts: &Facts, key: &'k Key, detail: Detail) -> io::Result<Self> {
        let mut aliases: BTreeMap<String, String> = BTreeMap::new();
        if detail < Detail::Whole {
            let secrets = Secrets::of(case)?;
            let shell = |name: &String| format!("{}{}", key.pseudonym(Kind::Shell, name), ending(name));
            aliases.extend(secrets.queries.iter().map(|query| (query.clone(), "(masked)".to_owned())));
            aliases.extend(secrets.shells.iter().map(|name| (name.clone(), shell(name))));
            aliases
                .extend(secrets.people.iter().map(|name| (name.clone(), key.pseudonym(Kind::Account, name))));
        }
        if detail == Detail::Redacted {
            aliases
                .extend(facts.domains.iter().map(|name| (name.clone(), key.pseudonym(Kind::Domain, name))));
            aliases.extend(host_names(case).into_iter().map(|name| {
                let pseudonym = key.pseudonym(Kind::Host, &name);
                (name, pseudonym)
            }));
        }
        let mask = if detail == Detail::Whole { Mask::default() } else { Mask::new(aliases) };
        Ok(Self { key, detail, mask, attackers: facts.attackers() })
    }

    /// Lets an address be told, which a list of indicators names that may leave.
    pub fn allow(&mut self, address: IpAddr) {
        self.attackers.insert(address);
    }

    /// How much it tells.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// Any text.
    pub fn text(&self, text: &str) -> String {
        let masked = self.mask.apply(text);
        match self.detail {
            Detail::Redacted | Detail::Masked => self.without_addresses(&masked),
            Detail::Whole => masked.into_owned(),
        }
    }

    /// A host's name.
    pub fn host(&self, name: &str) -> String {
        match self.detail {
            Detail::Redacted => self.key.pseudonym(Kind::Host, name),
            Detail::Masked | Detail::Whole => name.to_owned(),
        }
    }

    /// A person's account.
    pub fn account(&self, name: &str) -> String {
        match self.detail {
            Detail::Redacted | Detail::Masked => self.key.pseudonym(Kind::Account, name),
            Detail::Whole => name.to_owned(),
        }
    }

    /// Whether an address may be told: one that an intrusion came from, and at home every one.
    pub fn tells_address(&self, address: IpAddr) -> bool {
        self.detail > Detail::Redacted || self.attackers.contains(&address)
    }

    /// A text without whose mail addresses stand in it and, beyond the organisation, without any address but those that
    /// intrusions came from.
    fn without_addresses(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let is_break = |c: char| {
            c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | ',' | ';' | '(' | ')' | '|' | '=')
        };
        for piece in text.split_inclusive(is_break) {
            let word = piece.trim_end_matches(is_break);
            match word.split_once('@') {
                Some((name, domain)) if !name.is_empty() && !domain.is_empty() => {
                    self.push_mail(word, name, domain, &mut out);
                }
                _ if self.detail == Detail::Redacted => self.push_without_addresses(word, &mut out),
                _ => out.push_str(word),
            }
            out.push_str(&piece[word.len()..]);
        }
        out
    }

    /// `name@domain`, the name with the pseudonym that the account has elsewhere. What is written in another way (with
    /// a password before it, a host's address behind it) becomes one pseudonym, whole.
    fn push_mail(&self, word: &str, name: &str, domain: &str, out: &mut String) {
        let (prefix, name) = name.rsplit_once(':').unwrap_or(("", name));
        let is_scheme = prefix.len() <= 8 && prefix.bytes().all(|byte| byte.is_ascii_alphabetic());
        let end = domain.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-'));
        let (domain, rest) = domain.split_at(end.unwrap_or(domain.len()));
        let is_pseudonym = |text: &str, kind: &str| {
            text.strip_prefix(kind).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let account = match is_pseudonym(name, "account-") {
            true => Some(name.to_owned()),
            false => person(name).map(|name| self.key.pseudonym(Kind::Account, &name)),
        };
        let is_plain =
            is_scheme && !name.contains('/') && parse_address(domain).is_none() && !domain.is_empty();
        let account = match (account, is_plain) {
            (Some(account), true) => account,
            // A service's, or no mailbox at all (`ServerInfo~a]@host`, which tells of an intrusion).
            (None, _) if self.detail == Detail::Masked => return out.push_str(word),
            _ => return out.push_str(&self.key.pseudonym(Kind::Account, word)),
        };
        let domain = match self.detail == Detail::Redacted && !is_pseudonym(domain, "domain-") {
            true => self.key.pseudonym(Kind::Domain, domain),
            false => domain.to_owned(),
        };
        let colon = if prefix.is_empty() { "" } else { ":" };
        out.push_str(&format!("{prefix}{colon}{account}@{domain}"));
        match self.detail {
            Detail::Redacted => self.push_without_addresses(rest, out),
            _ => out.push_str(rest),
        }
    }

    fn push_without_addresses(&self, word: &str, out: &mut String) {
        let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
        let mut rest = word;
        while let Some(start) = rest.find(is_part) {
            out.push_str(&rest[..start]);
            let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |end| start + end);
            let run = &rest[start..end];
            let core = run.trim_end_matches(['.', ':']).trim_start_matches('.');
            match parse_address(core).filter(|address| core.len() > 2 && !self.attackers.contains(address)) {
                Some(address) => out.push_str(&self.key.pseudonym(Kind::Address, &address.to_string())),
                None => out.push_str(run),
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_text() {
        let key = Key::new([7; 32]);
        let facts = Facts {
            sources: [(model::IntrusionId(0), BTreeSet::from(["203.0.113.7".parse().unwrap()]))].into(),
            ..Facts::default()
        };
        let redactor = Redactor::of(&Case::default(), &facts, &key, Detail::Redacted).unwrap();
        let inner = key.pseudonym(Kind::Address, "10.0.0.5");
        let check = |text: &str, wanted: &str| assert_eq!(redactor.text(text), wanted);
        check("from 203.0.113.7 to 10.0.0.5.", &format!("from 203.0.113.7 to {inner}"));
        check("http://10.0.0.5:443/x", &format!("http://{inner}/x"));
        check("[::ffff:10.0.0.5]", &format!("[{inner}]"));
        check("T1505.003, version 15.1.2106.13", "T1505.003, version 15.1.2106.13");
        let (jane, org) = (key.pseudonym(Kind::Account, "jane"), key.pseudonym(Kind::Domain, "example.org"));
        check("to <Jane@example.org>, now", &format!("to <{jane}@{org}>, now"));
        check("SMTP:jane@Example.org/10.0.0.5", &format!("SMTP:{jane}@{org}/{inner}"));
        for whole in
            ["http://jane:secret@10.0.0.5", "jane@10.0.0.5", "a/b@example.org", "x:y:jane@example.org"]
        {
            check(whole, &key.pseudonym(Kind::Account, whole));
        }
        let at_home = Redactor::of(&Case::default(), &facts, &key, Detail::Masked).unwrap();
        assert_eq!(at_home.text("-To jane@example.org 10.0.0.5"), format!("-To {jane}@example.org 10.0.0.5"));
    }
}
