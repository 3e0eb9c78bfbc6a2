//! What the user can say to `assay statement`.

use crate::arguments::TlpLabel;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Write a joint statement: clauses, the position of each party in its own words, signatures that a
/// stranger checks with sha256sum and ssh-keygen.
///
/// draft, then draft --package, then for each party: position, sign, close; at any time: show, render,
/// diff, withdraw, verify. A clause is joint only for those who signed it; silence is not assent. See
/// docs/statement.md.
#[derive(Subcommand, Debug)]
pub enum StatementCommand {
    Draft(DraftArguments),
    Show(ShowArguments),
    Render(RenderArguments),
    Diff(DiffArguments),
    Position(PositionArguments),
    Sign(SignArguments),
    Close(CloseArguments),
    Withdraw(WithdrawArguments),
    Verify(VerifyArguments),
}

/// Write a draft to edit (DRAFT is new), check one (DRAFT is there), or make the package of it
/// (--package), after which its bytes stay.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 written, or no fault; 2 a fault, with file and line.")]
pub struct DraftArguments {
    /// The draft (YAML)
    #[arg(value_name = "DRAFT")]
    pub draft: PathBuf,
    /// Title of a new draft
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// A party of a new draft: its id in the roster, and its name (repeatable)
    #[arg(long, value_name = "ID=NAME")]
    pub party: Vec<String>,
    /// Case folders that grounds rest on; a package needs each of them (repeatable)
    #[arg(long, value_name = "DIR")]
    pub case: Vec<PathBuf>,
    /// Make this package of the draft
    #[arg(long, value_name = "DIR", requires = "roster")]
    pub package: Option<PathBuf>,
    /// Keys of the parties (allowed_signers of ssh-keygen)
    #[arg(long, value_name = "FILE")]
    pub roster: Option<PathBuf>,
}

/// Show who stands behind what: of a package, a record of public statements, or a draft.
#[derive(Args, Debug)]
pub struct ShowArguments {
    /// A package, a record or a draft
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// Write a STIX 2.1 bundle here instead of printing
    #[arg(long, value_name = "FILE")]
    pub stix: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub looking: LookingArguments,
}

/// Write who stands behind what as a document: clauses and parties side by side, each party's own
/// words, dissent as large as assent, silence as silence, each clause with its grounds.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 written; 2 usage, the audience may not see the statement, or a file is there already (--force)."
)]
pub struct RenderArguments {
    /// A package, a record or a draft
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    #[command(flatten)]
    pub form: RenderForm,
    /// Write it here instead of printing
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
    /// Case folders that grounds rest on: their findings are looked up and shown, within the organisation only (repeatable)
    #[arg(long, value_name = "DIR")]
    pub case: Vec<PathBuf>,
    #[command(flatten)]
    pub looking: LookingArguments,
}

/// As what.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct RenderForm {
    /// One HTML page, for screen and paper, without a script
    #[arg(long)]
    pub html: bool,
    /// Markdown
    #[arg(long)]
    pub md: bool,
}

/// For whom, and by which keys.
#[derive(Args, Debug)]
pub struct LookingArguments {
    /// For this audience only: what may not go to it is left out, and counted (default: all of it, for whoever holds it)
    #[arg(long, value_name = "LABEL")]
    pub tlp: Option<TlpLabel>,
    /// Of --tlp red: who gets it (repeatable)
    #[arg(long, value_name = "NAME", requires = "tlp")]
    pub to: Vec<String>,
    /// Check the signatures of a package by this roster, not by the one that came with it
    #[arg(long, value_name = "FILE")]
    pub roster: Option<PathBuf>,
}

/// Say what differs between two drafts, packages or records: clauses, and who holds what.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 the same; 3 they differ; 2 usage.")]
pub struct DiffArguments {
    /// The older
    #[arg(value_name = "A")]
    pub old: PathBuf,
    /// The newer
    #[arg(value_name = "B")]
    pub new: PathBuf,
}

/// Print the form on which a party says what it holds of each clause.
#[derive(Args, Debug)]
pub struct PositionArguments {
    /// The package
    #[arg(value_name = "PACKAGE")]
    pub package: PathBuf,
    /// Whose position
    #[arg(long, value_name = "ID")]
    pub party: String,
    /// Write the form here, which must be new
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// With what a party signs.
#[derive(Args, Debug)]
pub struct KeyArguments {
    /// A private key of OpenSSH; or its public key or certificate, when the agent (SSH_AUTH_SOCK)
    /// has the key, as it must for hardware keys and for keys with a passphrase
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The certificate for a private key (KEY-cert.pub)
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Positions that were seen, kept at home (default: beside the package, PACKAGE.seen)
    #[arg(long, value_name = "FILE")]
    pub seen: Option<PathBuf>,
}

/// File a position: check the form, make its bytes, sign them, add both to the package.
#[derive(Args, Debug)]
pub struct SignArguments {
    /// The package
    #[arg(value_name = "PACKAGE")]
    pub package: PathBuf,
    /// The form, filled in (YAML)
    #[arg(value_name = "FORM")]
    pub form: PathBuf,
    #[command(flatten)]
    pub key: KeyArguments,
}

/// Sign the list of all that is in the package, every position among it. Refused when a position that
/// was seen before is missing.
#[derive(Args, Debug)]
pub struct CloseArguments {
    /// The package
    #[arg(value_name = "PACKAGE")]
    pub package: PathBuf,
    /// Who closes
    #[arg(long, value_name = "ID")]
    pub party: String,
    #[command(flatten)]
    pub key: KeyArguments,
}

/// Withdraw a position, or what it says of some clauses: by a new position; the old one stays.
#[derive(Args, Debug)]
pub struct WithdrawArguments {
    /// The package
    #[arg(value_name = "PACKAGE")]
    pub package: PathBuf,
    /// Who withdraws
    #[arg(long, value_name = "ID")]
    pub party: String,
    /// Only this clause (repeatable)
    #[arg(long, value_name = "ID")]
    pub clause: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    #[command(flatten)]
    pub key: KeyArguments,
}

/// Check a package as the steps of its VERIFY.md do with sha256sum and ssh-keygen.
///
/// The roster and the list of those who must have closed must not come from the package: who forges
/// one forges the other.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 verified; 3 refused; 4 verified, but something in it cannot be read; 2 usage."
)]
pub struct VerifyArguments {
    /// The package
    #[arg(value_name = "PACKAGE")]
    pub package: PathBuf,
    /// Keys of the parties, got from themselves
    #[arg(long, value_name = "FILE")]
    pub roster: PathBuf,
    /// Who must have closed it (repeatable; default: every party that the roster names)
    #[arg(long, value_name = "ID")]
    pub party: Vec<String>,
    /// The time for which keys must be good: RFC 3339 (default: now)
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Public keys that are no longer good, one per line
    #[arg(long, value_name = "FILE")]
    pub revoked: Option<PathBuf>,
    /// Take note of the positions in this file, and refuse when one that was seen before is missing
    #[arg(long, value_name = "FILE")]
    pub seen: Option<PathBuf>,
}
