//! Identifiers: `type--uuid`, and where their UUIDs come from (RFC 9562, version 5).

use sha1::{Digest as _, Sha1};
use std::fmt;

/// A UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Uuid(pub [u8; 16]);

/// A namespace of UUIDs of version 5.
///
/// One that is kept secret makes ids that say nothing of their content: without it nobody can try contents out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Namespace(pub Uuid);

impl Namespace {
    /// That of cyber-observable objects (STIX 2.1, section 2.9).
    pub const OBSERVABLES: Self = Self(Uuid(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7_u128.to_be_bytes()));
    /// Ours, for objects that are the same everywhere.
    pub const ASSAY: Self = Self(Uuid(0x6a5d_8e1d_417a_41d4_b72f_e9ab_62eb_e66c_u128.to_be_bytes()));

    /// The UUID of `name` in it, of version 5.
    pub fn uuid(&self, name: &[u8]) -> Uuid {
        self.with_version(name, 5)
    }

    /// The same with the form of version 4, for objects whose id must have it (a process, STIX 2.1, section 6.13): random to
    /// whoever does not know the namespace.
    pub fn uuid_like_random(&self, name: &[u8]) -> Uuid {
        self.with_version(name, 4)
    }

    fn with_version(&self, name: &[u8], version: u8) -> Uuid {
        let mut hash = Sha1::new();
        hash.update(self.0.0);
        hash.update(name);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        bytes[6] = bytes[6] & 0x0f | version << 4;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Uuid(bytes)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// Whether `text` is an identifier: a type's name, two hyphens, a UUID.
pub fn is_id(text: &str) -> bool {
    let Some((kind, uuid)) = text.split_once("--") else { return false };
    let is_kind = !kind.is_empty()
        && kind.len() <= 250
        && kind.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let is_uuid = uuid.len() == 36
        && uuid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_kind && is_uuid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_5_as_rfc_9562_has_it() {
        // RFC 9562, appendix A.4: www.example.com in the namespace of names of hosts.
        let dns = Namespace(Uuid(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8_u128.to_be_bytes()));
        assert_eq!(dns.uuid(b"www.example.com").to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }

    #[test]
    fn what_is_an_id() {
        assert!(is_id("ipv4-addr--2ed6657d-e927-568b-95e1-2665a8aea6a2"));
        for no in [
            "",
            "--2ed6657d-e927-568b-95e1-2665a8aea6a2",
            "A--2ed6657d-e927-568b-95e1-2665a8aea6a2",
            "file--7",
        ] {
            assert!(!is_id(no), "{no}");
        }
    }
}
