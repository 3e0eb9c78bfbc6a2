//! The key that stays at home: pseudonyms and ids come from it.
//!
//! Names of hosts and accounts, and addresses, are few enough to be tried out, so a bare hash of one hides nothing. A keyed
//! hash (HMAC-SHA-256, RFC 2104) gives one pseudonym for one name in every export under the same key, and tells a
//! stranger nothing; who holds the key can find out what a pseudonym stands for, by trying.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;
use stix::{Namespace, Uuid};

/// How a key file begins.
const MARK: &str = "assay-export-key-1 ";
/// Hex digits of a pseudonym: 48 bits, so that two of a million names meet with a chance of two in a thousand.
const DIGITS: usize = 12;

/// What a pseudonym stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A host.
    Host,
    /// A domain of hosts, accounts or mail.
    Domain,
    /// A person's account.
    Account,
    /// An address of the organisation's own, or of nobody known.
    Address,
    /// A page that is a web shell.
    Shell,
}

impl Kind {
    /// What its pseudonyms begin with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Host => "host",
            Kind::Domain => "domain",
            Kind::Account => "account",
            Kind::Address => "address",
            Kind::Shell => "shell",
        }
    }
}

/// A secret of 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// The key of these bytes, which must be random.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the text of a key file; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.trim().strip_prefix(MARK)?;
        let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate().filter(|_| is_hex) {
            *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        is_hex.then_some(Self(bytes))
    }

    /// The text of a key file.
    pub fn render(&self) -> String {
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{MARK}{hex}\n")
    }

    /// What stands for `name`, without regard to case and blanks around it.
    pub fn pseudonym(&self, kind: Kind, name: &str) -> String {
        let digest = self.keyed_hash(kind.as_str(), &name.trim().to_lowercase());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}", kind.as_str(), &hex[..DIGITS])
    }

    /// The namespace of our ids: who has not the key cannot try out which content an id is of.
    pub fn namespace(&self) -> Namespace {
        let digest = self.keyed_hash("namespace", "");
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Namespace(Uuid(bytes))
    }

    fn keyed_hash(&self, purpose: &str, text: &str) -> [u8; 32] {
        // HMAC takes keys of any length, so that this cannot fail; without it, nothing could be told apart.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_as_rfc_4231_has_it() {
        // Test case 2 has a key of four bytes; the construction is the crate's, what is ours is what goes in.
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn one_name_one_pseudonym_under_one_key() {
        let (one, other) = (Key::new([7; 32]), Key::new([8; 32]));
        assert_eq!(one.pseudonym(Kind::Host, "MXS01"), one.pseudonym(Kind::Host, " mxs01"));
        assert_ne!(one.pseudonym(Kind::Host, "MXS01"), other.pseudonym(Kind::Host, "MXS01"));
        assert_ne!(one.pseudonym(Kind::Host, "MXS01")[5..], one.pseudonym(Kind::Domain, "MXS01")[7..]);
        assert_ne!(one.namespace(), other.namespace());
        assert!(one.pseudonym(Kind::Shell, "x.aspx").starts_with("shell-"));
    }

    #[test]
    fn key_files() {
        let key = Key::new([0xab; 32]);
        assert_eq!(Key::parse(&key.render()), Some(key.clone()));
        for bad in ["", "ab", &"ab".repeat(32), &format!("{MARK}{}", "x".repeat(64)), &format!("{MARK}abcd")]
        {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
        assert_eq!(format!("{key:?}"), "Key(…)");
    }
}
