//! Signing by an agent (draft-miller-ssh-agent), which may keep the key in hardware.

use crate::error::Refusal;
use crate::key::Signer;
use crate::sshsig::{SigningKey, Wire, put_string};
use std::cell::RefCell;
use std::io::{Read, Write};

const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// RSA with SHA-512.
const RSA_SHA2_512: u32 = 4;
/// Bytes of an answer.
const ANSWER_BYTES_MAX: u32 = 256 * 1024;

/// A key that an agent keeps.
pub struct AgentSigner<S> {
    stream: RefCell<S>,
    public: Vec<u8>,
}

impl<S: Read + Write> AgentSigner<S> {
    /// Asks the agent behind `stream` for signatures by this public key or certificate, as [`crate::read_public`] gives it.
    pub fn new(stream: S, public: Vec<u8>) -> Self {
        Self { stream: RefCell::new(stream), public }
    }
}

impl<S: Read + Write> Signer for AgentSigner<S> {
    fn public_blob(&self) -> Vec<u8> {
        self.public.clone()
    }

    fn sign_raw(&self, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let broken = |error: std::io::Error| Refusal::new(format!("agent: {error}"));
        let is_rsa = SigningKey::read(&self.public)?.key.is_rsa();
        let mut body = vec![SIGN_REQUEST];
        put_string(&self.public, &mut body);
        put_string(data, &mut body);
        body.extend_from_slice(&(if is_rsa { RSA_SHA2_512 } else { 0 }).to_be_bytes());
        let mut request = Vec::new();
        put_string(&body, &mut request);

        let mut stream = self.stream.borrow_mut();
        stream.write_all(&request).and_then(|()| stream.flush()).map_err(broken)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length).map_err(broken)?;
        let length = u32::from_be_bytes(length);
        if length == 0 || length > ANSWER_BYTES_MAX {
            return Err(Refusal::new(format!(
                "agent: wanted an answer of 1 to {ANSWER_BYTES_MAX} bytes, found {length}"
            )));
        }
        let mut answer = vec![0; length as usize];
        stream.read_exact(&mut answer).map_err(broken)?;
        match answer.split_first() {
            Some((&SIGN_RESPONSE, rest)) => Ok(Wire(rest).string()?.to_vec()),
            _ => Err(Refusal::new(
                "agent: it does not sign with this key (ssh-add -L lists those that it has)",
            )),
        }
    }
}
