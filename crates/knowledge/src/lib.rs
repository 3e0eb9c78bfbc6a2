//! What is known about actors, by whom, and since when.
//!
//! [`Attack`] holds ATT&CK's groups, campaigns and software with who uses what;
//! every relation carries the reports cited for it, and their dates, so that
//! the knowledge of a day can be had: a relation is known on a day when one of
//! its reports was published *before* it. [`NameBook`] holds names as claims.
//! [`Dossiers`] are our own facts about single actors, each with its source.
//!
//! ```
//! let attack = knowledge::attack();
//! assert_eq!(attack.name("G0125"), Some("HAFNIUM"));
//! assert_eq!(attack.group_known_from("G0125").unwrap().to_string(), "2021-03-02");
//! ```
//!
//! # Not here
//! What follows from it for an intrusion: `attribution`. Where files lie: the program.

mod attack;
mod check;
mod day;
mod dossier;
mod external;
mod habits;
mod names;
pub mod stix;
pub mod table;

pub use attack::{Attack, Entry, OtherName, Report, ReportId, Use};
pub use check::{Conflict, check};
pub use day::{Date, Day};
pub use dossier::{Dossier, Dossiers, Event, Sponsor};
pub use external::{Update, producers, update};
pub use habits::{Hours, Infrastructure, Language, SECTORS, Script, Victims, country, is_country};
pub use names::{Claim, NameBook, Relation, key, of_attack};

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use std::io::Read as _;
use std::sync::OnceLock;

static TABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/attack.tsv.gz"));
const DOSSIERS: &str = include_str!("../../../knowledge/actors.yml");

/// The built-in table as text, with MITRE's notice and licence.
pub fn built_in_table() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut text = String::new();
        // What the build packed unpacks; a test reads it.
        let _ = GzDecoder::new(TABLE).read_to_string(&mut text);
        text
    })
}

/// The built-in facts of ATT&CK.
pub fn attack() -> &'static Attack {
    static ATTACK: OnceLock<Attack> = OnceLock::new();
    ATTACK.get_or_init(|| table::parse(built_in_table()).map(|(attack, _)| attack).unwrap_or_default())
}

/// Our own facts about actors.
///
/// # Errors
/// Never for the committed file, which a test reads.
pub fn dossiers() -> Result<Dossiers, String> {
    Dossiers::parse(DOSSIERS)
}

/// All knowledge that a run works with.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// ATT&CK.
    pub attack: Attack,
    /// Names as claims, of all sources.
    pub names: NameBook,
    /// Our own facts.
    pub dossiers: Dossiers,
    /// SHA-256 over the texts it was read from: what a case is pinned to.
    pub sha256: String,
}

impl Knowledge {
    /// What is built in.
    ///
    /// # Errors
    /// Never for the committed files, which a test reads.
    pub fn built_in() -> Result<Self, String> {
        Self::from_table(built_in_table())
    }

    /// From a table, as `knowledge update` writes it; our own facts are always the built-in ones.
    ///
    /// # Errors
    /// When it is no table: the line, and what is wrong with it.
    pub fn from_table(text: &str) -> Result<Self, String> {
        let (attack, mut claims) = table::parse(text)?;
        let dossiers = dossiers()?;
        claims.extend(of_attack(&attack));
        claims.extend(dossiers.claims());
        let digest = Sha256::new().chain_update(text).chain_update([0]).chain_update(DOSSIERS).finalize();
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { attack, names: NameBook::new(claims), dossiers, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_whole_and_small() {
        assert!(TABLE.len() < 400 * 1024, "{} bytes", TABLE.len());
        let (attack, _) = table::parse(built_in_table()).unwrap();
        assert_eq!((attack.groups.len(), attack.software.len(), attack.campaigns.len()), (172, 784, 52));
        assert!(built_in_table().contains("MITRE Corporation"));
        let knowledge = Knowledge::built_in().unwrap();
        assert_eq!(knowledge.sha256.len(), 64);
    }
}
