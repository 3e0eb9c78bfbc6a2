//! Certificates of OpenSSH (PROTOCOL.certkeys): an authority of a party vouches for an officer's key.
//!
//! Read here and not by `ssh-key`, since a certificate without an end (all bits set, what `ssh-keygen -s` writes without
//! `-V`) is outside of the times that it knows.

use crate::error::Refusal;
use crate::sshsig::{Wire, put_string, read_key, verify_raw};
use ssh_key::public::KeyData;

const SUFFIX: &[u8] = b"-cert-v01@openssh.com";
const USER: u32 = 1;
/// What OpenSSH reads at most.
const PRINCIPALS_MAX: usize = 256;

/// A certificate whose signature holds.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) key: KeyData,
    pub(crate) authority: Vec<u8>,
    kind: u32,
    principals: Vec<Vec<u8>>,
    valid_after: u64,
    valid_before: u64,
}

/// The key's type, and how many strings of the wire it is made of.
fn plain_type(name: &[u8]) -> Option<(&'static [u8], usize)> {
    Some(match name.strip_suffix(SUFFIX)? {
        b"ssh-ed25519" => (b"ssh-ed25519", 1),
        b"ssh-rsa" => (b"ssh-rsa", 2),
        b"ecdsa-sha2-nistp256" => (b"ecdsa-sha2-nistp256", 2),
        b"ecdsa-sha2-nistp384" => (b"ecdsa-sha2-nistp384", 2),
        b"ecdsa-sha2-nistp521" => (b"ecdsa-sha2-nistp521", 2),
        b"sk-ssh-ed25519" => (b"sk-ssh-ed25519@openssh.com", 2),
        b"sk-ecdsa-sha2-nistp256" => (b"sk-ecdsa-sha2-nistp256@openssh.com", 3),
        _ => return None,
    })
}

impl Certificate {
    /// Reads a certificate and checks the signature of the authority that it names.
    pub(crate) fn read(blob: &[u8]) -> Result<Self, Refusal> {
        let mut wire = Wire(blob);
        let name = wire.string()?;
        let (plain, parts) = plain_type(name).ok_or_else(|| {
            Refusal::new(format!(
                "certificates of type {:?} are not supported",
                String::from_utf8_lossy(name)
            ))
        })?;
        wire.string()?;
        let mut key = Vec::new();
        put_string(plain, &mut key);
        for _ in 0..parts {
            put_string(wire.string()?, &mut key);
        }
        wire.long_number()?;
        let kind = wire.number()?;
        wire.string()?;
        let mut principals = Vec::new();
        let mut list = Wire(wire.string()?);
        while !list.0.is_empty() {
            if principals.len() == PRINCIPALS_MAX {
                return Err(Refusal::new(format!(
                    "certificate: wanted at most {PRINCIPALS_MAX} principals, found more"
                )));
            }
            principals.push(list.string()?.to_vec());
        }
        let (valid_after, valid_before) = (wire.long_number()?, wire.long_number()?);
        for _ in ["critical options", "extensions", "reserved"] {
            wire.string()?;
        }
        let authority = wire.string()?.to_vec();
        let signed = &blob[..blob.len() - wire.0.len()];
        let signature = wire.string()?;
        if !wire.0.is_empty() {
            return Err(Refusal::new("bytes behind the certificate"));
        }
        verify_raw(&read_key(&authority)?, signed, signature)
            .map_err(|error| Refusal::new(format!("certificate: {error}")))?;
        Ok(Self { key: read_key(&key)?, authority, kind, principals, valid_after, valid_before })
    }

    /// Whether it speaks for `principal` at `seconds` since 1970.
    pub(crate) fn check(&self, principal: &str, seconds: u64) -> Result<(), Refusal> {
        if self.kind != USER {
            return Err(Refusal::new("certificate is not one of a user"));
        }
        if seconds < self.valid_after {
            return Err(Refusal::new("certificate is not yet valid"));
        }
        if seconds >= self.valid_before {
            return Err(Refusal::new("certificate has expired"));
        }
        if !self.principals.iter().any(|own| own == principal.as_bytes()) {
            return Err(Refusal::new(format!("certificate does not name {principal}")));
        }
        Ok(())
    }
}
