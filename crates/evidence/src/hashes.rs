//! Hashes of an item's bytes: SHA-256 always, older ones where they are wanted.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Hashes besides SHA-256 that a visitor asks for: published lists may hold
/// nothing better, and each costs as much time as reading does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WantedHashes {
    /// MD5.
    pub md5: bool,
    /// SHA-1.
    pub sha1: bool,
}

/// The hashes that were asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OlderHashes {
    /// MD5 of the unpacked bytes.
    pub md5: Option<[u8; 16]>,
    /// SHA-1 of the unpacked bytes.
    pub sha1: Option<[u8; 20]>,
}

/// All hashes of one item, as its bytes go by.
pub(crate) struct Hashing {
    sha256: Sha256,
    md5: Option<Md5>,
    sha1: Option<Sha1>,
}

impl Hashing {
    pub(crate) fn new(wanted: WantedHashes) -> Self {
        Self { sha256: Sha256::new(), md5: wanted.md5.then(Md5::new), sha1: wanted.sha1.then(Sha1::new) }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.md5.iter_mut().for_each(|hasher| hasher.update(bytes));
        self.sha1.iter_mut().for_each(|hasher| hasher.update(bytes));
    }

    pub(crate) fn finish(self) -> ([u8; 32], OlderHashes) {
        let older = OlderHashes {
            md5: self.md5.map(|hasher| hasher.finalize().into()),
            sha1: self.sha1.map(|hasher| hasher.finalize().into()),
        };
        (self.sha256.finalize().into(), older)
    }
}
