//! What the tests of this crate are made of: a draft, and keys that exist for tests only.

use crate::key::KeySigner;
use crate::package::Package;
use crate::read::parse_statement;
use crate::statement::Statement;
use ssh_key::PrivateKey;
use ssh_key::private::{Ed25519Keypair, KeypairData};

pub(crate) const DRAFT: &str = "\
schema: assay-statement/1
title: Who attacked the mail servers
tlp: clear
parties:
  - {id: us, name: United States}
  - {id: uk, name: United Kingdom}
  - {id: jp, name: Japan}
  - {id: se, name: Sweden}
clauses:
  - id: C1
    level: act
    text: The mail servers were entered through four holes.
    grounds:
      - external:
          {author: Microsoft, date: 2021-03-02, claim: Four holes are in use., source: blog}
  - id: C2
    level: cluster
    names: HAFNIUM
    builds_on: [C1]
    text: The activity of March is that of HAFNIUM.
  - id: C3
    level: state
    text: The state is responsible.
";

pub(crate) const PARTIES: [&str; 4] = ["us", "uk", "jp", "se"];

pub(crate) fn statement() -> Statement {
    parse_statement("draft.yml", DRAFT).unwrap()
}

/// A key of the test's own, the same for the same number.
pub(crate) fn key(number: u8) -> KeySigner {
    let pair = Ed25519Keypair::from_seed(&[number; 32]);
    KeySigner::new(PrivateKey::new(KeypairData::Ed25519(pair), "test").unwrap())
}

pub(crate) fn signer(party: &str) -> KeySigner {
    key(u8::try_from(PARTIES.iter().position(|own| *own == party).unwrap()).unwrap() + 1)
}

pub(crate) fn roster() -> String {
    PARTIES.map(|party| format!("{party} {}\n", signer(party).public_line())).concat()
}

pub(crate) fn package() -> Package {
    Package::new(&statement(), roster().as_bytes()).unwrap()
}
