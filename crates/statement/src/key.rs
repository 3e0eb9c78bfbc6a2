//! Keys that sign: a key file, or (see `agent`) an agent that keeps the key.

use crate::error::Refusal;
use crate::sshsig::{SigningKey, armour, signed_data};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh_key::PrivateKey;

/// Who signs.
pub trait Signer {
    /// The public key, or the certificate, as it stands in signatures.
    fn public_blob(&self) -> Vec<u8>;

    /// The signature over `data`, as it stands on the wire.
    ///
    /// # Errors
    /// The key does not sign.
    fn sign_raw(&self, data: &[u8]) -> Result<Vec<u8>, Refusal>;

    /// A signature file over `message`.
    ///
    /// # Errors
    /// The key does not sign.
    fn sign(&self, namespace: &str, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        let signature = self.sign_raw(&signed_data(namespace, "sha512", message)?)?;
        Ok(armour(&self.public_blob(), namespace, &signature))
    }
}

/// A private key from a file, and the certificate for it, if any.
pub struct KeySigner {
    key: PrivateKey,
    certificate: Option<Vec<u8>>,
}

impl KeySigner {
    pub(crate) fn new(key: PrivateKey) -> Self {
        Self { key, certificate: None }
    }

    /// Reads a key file of OpenSSH.
    ///
    /// # Errors
    /// Not such a file, a passphrase guards it (the agent opens those), or it needs a device.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let key = PrivateKey::from_openssh(text)
            .map_err(|error| Refusal::new(format!("not a private key of OpenSSH: {error}")))?;
        if key.is_encrypted() {
            return Err(Refusal::new(
                "a passphrase guards the key: add it to the agent (ssh-add), and give its .pub file instead",
            ));
        }
        if key.public_key().key_data().is_sk_ed25519() || key.public_key().key_data().is_sk_ecdsa_p256() {
            return Err(Refusal::new(
                "the key is in a device: add it to the agent (ssh-add), and give its .pub file instead",
            ));
        }
        // `ssh-key` 0.6 makes no RSA key of a file (it takes one prime twice), and `rsa` leaks time where it signs
        // (RUSTSEC-2023-0071).
        if key.public_key().key_data().is_rsa() {
            return Err(Refusal::new(
                "RSA keys sign by the agent only: add it (ssh-add), and give its .pub file instead",
            ));
        }
        Ok(Self::new(key))
    }

    /// Signs with this certificate, as [`read_public`] gives it.
    ///
    /// # Errors
    /// It is no certificate, or one of another key.
    pub fn with_certificate(mut self, blob: Vec<u8>) -> Result<Self, Refusal> {
        let read = SigningKey::read(&blob)?;
        if read.certificate.is_none() {
            return Err(Refusal::new("wanted a certificate, found a plain key"));
        }
        if read.key != *self.key.public_key().key_data() {
            return Err(Refusal::new("the certificate is for another key"));
        }
        self.certificate = Some(blob);
        Ok(self)
    }

    #[cfg(test)]
    pub(crate) fn public_line(&self) -> String {
        format!("{} {}", self.key.algorithm(), STANDARD.encode(self.public_blob()))
    }
}

impl Signer for KeySigner {
    fn public_blob(&self) -> Vec<u8> {
        match &self.certificate {
            Some(certificate) => certificate.clone(),
            // A key that was read has a form on the wire.
            None => self.key.public_key().to_bytes().unwrap_or_default(),
        }
    }

    fn sign_raw(&self, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        use signature::Signer as _;
        let signature = self
            .key
            .try_sign(data)
            .map_err(|error| Refusal::new(format!("the key does not sign: {error}")))?;
        Vec::try_from(signature).map_err(|error| Refusal::new(format!("the key does not sign: {error}")))
    }
}

/// Reads a public key or a certificate: `TYPE BASE64 COMMENT`.
///
/// # Errors
/// It is neither.
pub fn read_public(text: &str) -> Result<Vec<u8>, Refusal> {
    let mut words = text.split_whitespace();
    let (Some(_), Some(base64)) = (words.next(), words.next()) else {
        return Err(Refusal::new("wanted a public key (TYPE BASE64), found something else"));
    };
    let blob = STANDARD.decode(base64).map_err(|error| Refusal::new(format!("public key: {error}")))?;
    SigningKey::read(&blob)?;
    Ok(blob)
}
