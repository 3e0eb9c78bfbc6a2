//! The joint statement: who stands behind which claim, in its own words, checkable by a stranger.
//!
//! A [`Statement`] is clauses, each a claim at one [`Level`]. A party's [`Position`] says what it holds of each clause;
//! [`standing`] tells who stands behind what, and never computes a view of the coalition: a clause is joint only for
//! those who concur with it, silence is not assent, and nobody's word is translated to another scale.
//!
//! A [`Package`] is the statement, every position ever filed and the closing lists, as exact bytes under names; files
//! are added and never changed. [`verify()`] says of it what the steps of [`VERIFY_MD`] say with stock `sha256sum` and
//! `ssh-keygen`. A [`Record`] holds what parties said in public and signed nowhere.
//!
//! # Not here
//! The file system, the clock, sockets, who the parties are, and whether a claim is true: a signature shows who said what.

mod agent;
mod audience;
mod certificate;
mod closing;
mod diff;
mod error;
pub mod fuzz;
mod key;
mod package;
mod position;
mod read;
mod record;
mod roster;
mod seen;
mod sshsig;
mod standing;
mod statement;
mod stix_form;
mod text;
mod verify;
mod wire;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod sample;

pub use agent::AgentSigner;
pub use audience::{GroundFinding, Labels, View, label_text};
pub use closing::close;
pub use diff::{diff_standings, diff_statements};
pub use error::{ReadError, Refusal};
pub use key::{KeySigner, Signer, read_public};
pub use package::{FILE_BYTES_MAX, FILES_MAX, Package, is_party};
pub use position::{ClausePosition, Position, Stance, Word, position_form, stance_verb};
pub use read::{FilledForm, parse_position, parse_record, parse_statement};
pub use record::{Conflict, Record, Recorded, RecordedStance};
pub use roster::{RevokedKeys, Roster};
pub use seen::Seen;
pub use standing::{ClauseStanding, Earlier, Explanation, Voice, Withdrawal, record_standing, standing};
pub use statement::{
    AttributionGround, Clause, ExternalGround, FindingGround, Ground, Level, Note, Party, Scale, Source,
    Statement, Term,
};
pub use stix_form::stix_bundle;
pub use text::{clause_joint, ground_text, label_sentence, render_positions, render_statement, silence_text};
pub use verify::{Step, Verification, verify};

/// The steps by which anybody checks a package without this program; the same in every package.
pub const VERIFY_MD: &str = include_str!("../../../docs/VERIFY.md");
/// Namespace of a signature over a position.
pub const POSITION_NAMESPACE: &str = "position@assay";
/// Namespace of a signature over a closing list.
pub const CLOSING_NAMESPACE: &str = "closing@assay";

/// SHA-256 of bytes, as lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
