//! Signatures of OpenSSH over files (PROTOCOL.sshsig): armour, wire form, what is signed.
//!
//! Read as `ssh-keygen` 9.2 reads them: text behind the end mark is not looked at, blanks in the base64 do not count.
//!
//! # Where this is stricter
//! An Ed25519 signature whose `S` is not reduced (RFC 8032, 5.1.7) is refused here, and OpenSSH takes it.

use crate::certificate::Certificate;
use crate::error::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use ssh_key::public::KeyData;
use ssh_key::{PublicKey, Signature};

const BEGIN: &[u8] = b"-----BEGIN SSH SIGNATURE-----";
const END: &[u8] = b"\n-----END SSH SIGNATURE-----";
const PREAMBLE: &[u8] = b"SSHSIG";
/// Characters of a line of base64, as `ssh-keygen` writes them.
const LINE: usize = 70;
/// Bytes of a signature file; with certificates they are some 2 KiB.
const SIGNATURE_BYTES_MAX: usize = 256 * 1024;

/// Reads what the wire holds: a length in four bytes, then so many bytes.
pub(crate) struct Wire<'b>(pub(crate) &'b [u8]);

impl<'b> Wire<'b> {
    pub(crate) fn take(&mut self, count: usize) -> Result<&'b [u8], Refusal> {
        let Some((taken, rest)) = self.0.split_at_checked(count) else {
            return Err(Refusal::new(format!("cut short: wanted {count} bytes, found {}", self.0.len())));
        };
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn number(&mut self) -> Result<u32, Refusal> {
        Ok(self.take(4)?.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    pub(crate) fn long_number(&mut self) -> Result<u64, Refusal> {
        Ok(u64::from(self.number()?) << 32 | u64::from(self.number()?))
    }

    pub(crate) fn string(&mut self) -> Result<&'b [u8], Refusal> {
        let count = self.number()?;
        self.take(count as usize)
    }
}

/// Appends a string of the wire.
pub(crate) fn put_string(bytes: &[u8], out: &mut Vec<u8>) {
    // Nothing that is signed here comes near 4 GiB.
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// A key as it signs: plain, or within a certificate.
#[derive(Debug)]
pub(crate) struct SigningKey {
    /// Its bytes on the wire, the certificate's where it is one.
    pub(crate) blob: Vec<u8>,
    /// What verifies.
    pub(crate) key: KeyData,
    /// The certificate, whose own signature holds.
    pub(crate) certificate: Option<Certificate>,
}

impl SigningKey {
    /// Reads a key or a certificate. The certificate's signature is checked, its authority is not trusted yet.
    pub(crate) fn read(blob: &[u8]) -> Result<Self, Refusal> {
        let name = Wire(blob).string()?;
        if name.ends_with(b"-cert-v01@openssh.com") {
            let certificate = Certificate::read(blob)?;
            let key = certificate.key.clone();
            return Ok(Self { blob: blob.to_vec(), key, certificate: Some(certificate) });
        }
        Ok(Self { blob: blob.to_vec(), key: read_key(blob)?, certificate: None })
    }
}

/// Reads a plain key, whole.
pub(crate) fn read_key(blob: &[u8]) -> Result<KeyData, Refusal> {
    let key = PublicKey::from_bytes(blob).map_err(|error| Refusal::new(format!("not a key: {error}")))?;
    match key.key_data() {
        KeyData::Other(_) | KeyData::Dsa(_) => {
            Err(Refusal::new(format!("keys of type {} are not supported", key.algorithm())))
        }
        key => Ok(key.clone()),
    }
}

/// The bytes of a plain key on the wire.
pub(crate) fn key_blob(key: &KeyData) -> Vec<u8> {
    // A key that was read has a form on the wire.
    PublicKey::from(key.clone()).to_bytes().unwrap_or_default()
}

/// Checks one signature by `key` over `data`, as it stands on the wire.
pub(crate) fn verify_raw(key: &KeyData, data: &[u8], signature: &[u8]) -> Result<(), Refusal> {
    use signature::Verifier as _;
    let bad = |error: &dyn std::fmt::Display| Refusal::new(format!("signature does not hold: {error}"));
    let mut wire = Wire(signature);
    let (name, _) = (wire.string()?, wire.string()?);
    // Keys in devices sign flags and a counter, too.
    let trailer = if name.starts_with(b"sk-") { 5 } else { 0 };
    if wire.0.len() != trailer {
        return Err(bad(&"bytes behind it"));
    }
    let signature = Signature::try_from(signature).map_err(|error| bad(&error))?;
    key.verify(data, &signature).map_err(|error| bad(&error))
}

/// What is handed to a key to be signed.
pub(crate) fn signed_data(namespace: &str, hash: &str, message: &[u8]) -> Result<Vec<u8>, Refusal> {
    let digest = match hash {
        "sha256" => sha2::Sha256::digest(message).to_vec(),
        "sha512" => sha2::Sha512::digest(message).to_vec(),
        other => {
            return Err(Refusal::new(format!(
                "hash of the signature: wanted sha256 or sha512, found {other:?}"
            )));
        }
    };
    let mut out = PREAMBLE.to_vec();
    put_string(namespace.as_bytes(), &mut out);
    put_string(b"", &mut out);
    put_string(hash.as_bytes(), &mut out);
    put_string(&digest, &mut out);
    Ok(out)
}

/// A signature file for a signature that a key has made over [`signed_data`] with SHA-512.
pub(crate) fn armour(public: &[u8], namespace: &str, signature: &[u8]) -> Vec<u8> {
    let mut blob = PREAMBLE.to_vec();
    blob.extend_from_slice(&1u32.to_be_bytes());
    for part in [public, namespace.as_bytes(), b"", b"sha512", signature] {
        put_string(part, &mut blob);
    }
    let mut out = BEGIN.to_vec();
    out.push(b'\n');
    for line in STANDARD.encode(blob).as_bytes().chunks(LINE) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.extend_from_slice(&END[1..]);
    out.push(b'\n');
    out
}

fn dearmour(file: &[u8]) -> Result<Vec<u8>, Refusal> {
    let wrong = |what: &str| Refusal::new(format!("not a signature: {what}"));
    if file.len() > SIGNATURE_BYTES_MAX {
        return Err(wrong("too long"));
    }
    let body = file.strip_prefix(BEGIN).ok_or_else(|| wrong("no BEGIN line"))?;
    let body = body
        .strip_prefix(b"\r\n")
        .or_else(|| body.strip_prefix(b"\n"))
        .ok_or_else(|| wrong("no end of the BEGIN line"))?;
    let end = body.windows(END.len()).position(|window| window == END).ok_or_else(|| wrong("no END line"))?;
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let base64: Vec<u8> = body[..end].iter().copied().filter(|byte| !is_blank(byte)).collect();
    STANDARD.decode(base64).map_err(|error| wrong(&format!("base64: {error}")))
}

/// Checks a signature file over `message` in `namespace`; gives the key that made it, whom nobody vouches for yet.
pub(crate) fn verify_file(file: &[u8], message: &[u8], namespace: &str) -> Result<SigningKey, Refusal> {
    let blob = dearmour(file)?;
    let mut wire = Wire(&blob);
    if wire.take(PREAMBLE.len())? != PREAMBLE {
        return Err(Refusal::new("not a signature: no SSHSIG"));
    }
    match wire.number()? {
        0 | 1 => {}
        version => return Err(Refusal::new(format!("version of the signature: wanted 1, found {version}"))),
    }
    let public = wire.string()?;
    let (own, _reserved, hash, signature) = (wire.string()?, wire.string()?, wire.string()?, wire.string()?);
    if !wire.0.is_empty() {
        return Err(Refusal::new(format!("{} bytes behind the signature", wire.0.len())));
    }
    if own != namespace.as_bytes() {
        let found = String::from_utf8_lossy(own);
        return Err(Refusal::new(format!("namespace of the signature: wanted {namespace}, found {found:?}")));
    }
    let key = SigningKey::read(public)?;
    check_rsa(&key.key, signature)?;
    let data = signed_data(namespace, &String::from_utf8_lossy(hash), message)?;
    verify_raw(&key.key, &data, signature)?;
    Ok(key)
}

/// RSA signs with SHA-2, or not at all.
fn check_rsa(key: &KeyData, signature: &[u8]) -> Result<(), Refusal> {
    let algorithm = Wire(signature).string()?;
    let is_fit = !key.is_rsa() || matches!(algorithm, b"rsa-sha2-256" | b"rsa-sha2-512");
    is_fit.then_some(()).ok_or_else(|| {
        Refusal::new(format!(
            "RSA signature: wanted rsa-sha2-256 or -512, found {:?}",
            String::from_utf8_lossy(algorithm)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{key::Signer as _, sample};

    #[test]
    fn a_signature_holds_for_its_bytes_and_namespace_only() {
        let key = sample::key(9);
        let file = key.sign("position@assay", b"message").unwrap();
        assert_eq!(verify_file(&file, b"message", "position@assay").unwrap().blob, key.public_blob());
        assert!(verify_file(&file, b"massage", "position@assay").is_err());
        assert!(verify_file(&file, b"message", "closing@assay").is_err());
        for index in 0..file.len() {
            let mut changed = file.clone();
            changed[index] ^= 1;
            // A line feed becomes another blank, which does not count.
            if file[index] != b'\n' {
                assert!(verify_file(&changed, b"message", "position@assay").is_err(), "byte {index}");
            }
        }
    }

    #[test]
    fn what_ssh_keygen_does_not_look_at_is_not_looked_at() {
        let file = String::from_utf8(sample::key(9).sign("n@x", b"m").unwrap()).unwrap();
        for (text, holds) in [
            (format!("{file}more"), true),
            (file.replace('\n', "\r\n"), true),
            (file.replacen("U1NI", "U1 NI", 1), true),
            (format!(" {file}"), false),
            (file.replacen("U1NI", "U1!NI", 1), false),
            (file.replace("\n-----END", "-----END"), false),
        ] {
            assert_eq!(verify_file(text.as_bytes(), b"m", "n@x").is_ok(), holds, "{text}");
        }
    }
}
