//! What the user can say.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// From the evidence on a breached system to an answer with its grounds.
///
/// Reads evidence, never writes to it; defensive only.
#[derive(Parser, Debug)]
#[command(name = "assay", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    Scan(Box<ScanArguments>),
    CollectList(CollectArguments),
}

/// Read evidence and answer: breached or not, since when, what was done, and
/// what the evidence cannot tell.
///
/// Takes files, folders, collections (.zip, .7z, .tar, .gz, .xz) and disk
/// images (raw, E01, VHD, VHDX with NTFS) in any mix and layout, and
/// recognises by content: Windows event logs and artifacts, web server,
/// Exchange and Linux logs, tables, scripts. Nothing is written without --out.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct ScanArguments {
    /// Files, folders or collections to read
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write the case here: case.json, findings.jsonl, coverage.json,
    /// answers.json, timeline.csv, report.html, run.json
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// More Sigma rules: a file, or a folder with all below it (repeatable)
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// YARA rules for the content of files: a file, or a folder with all below it (repeatable)
    #[arg(long, value_name = "PATH")]
    pub yara: Vec<PathBuf>,
    /// List of files that Microsoft delivered (CSV, may be .gz; repeatable): path, sha256,
    /// first_build, last_build
    #[arg(long, value_name = "FILE")]
    pub known_good: Vec<PathBuf>,
    /// Leave the built-in rules out
    #[arg(long)]
    pub no_builtin_rules: bool,
    /// YAML file of placeholder values for Sigma's `expand` (name: [values])
    #[arg(long, value_name = "FILE")]
    pub placeholders: Option<PathBuf>,
    /// Look for indicators of a plain list, CSV, STIX 2.1 bundle or MISP
    /// event: addresses, domains, URLs, hashes, paths, file names, user agents,
    /// query parameters (repeatable)
    #[arg(long, value_name = "FILE")]
    pub indicators: Vec<PathBuf>,
    /// Host of logs that name none and stand in no collection of one host
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// What to print on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// End with exit code 3 when a finding has this level or a higher one
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
    #[command(flatten)]
    pub report: ReportArguments,
    /// Threads (default: one per core)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// How the report is to look.
#[derive(Args, Clone, Copy, Debug)]
pub struct ReportArguments {
    /// Let names of people and of web shells stand in the report, which masks them otherwise
    #[arg(long)]
    pub reveal: bool,
    /// The report's marking (TLP 2.0)
    #[arg(long, value_enum, value_name = "LABEL", default_value_t = TlpLabel::AmberStrict)]
    pub tlp: TlpLabel,
}

impl ReportArguments {
    /// The same, as the report takes it.
    pub fn options(self) -> report::Options {
        let tlp = match self.tlp {
            TlpLabel::Clear => report::Tlp::Clear,
            TlpLabel::Green => report::Tlp::Green,
            TlpLabel::Amber => report::Tlp::Amber,
            TlpLabel::AmberStrict => report::Tlp::AmberStrict,
            TlpLabel::Red => report::Tlp::Red,
        };
        report::Options { reveal: self.reveal, tlp }
    }
}

/// Labels of the Traffic Light Protocol.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum TlpLabel {
    /// No limit
    Clear,
    /// The community
    Green,
    /// The organisation and its clients
    Amber,
    /// The organisation only
    #[value(name = "amber+strict")]
    AmberStrict,
    /// Named recipients only
    Red,
}

const EXIT_CODES: &str = "\
Exit codes: 0 scanned whole; 1 nothing could be read; 2 usage; 3 --fail-on was hit;
4 scanned with losses (see coverage.json; a file of unknown format is no loss).
If several apply: 2, 1, 3, 4.";

/// What `scan` prints on standard output.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// The verdict, for people
    Text,
    /// The answers, as JSON
    Json,
    /// The findings, one JSON object per line
    Jsonl,
}

/// Sigma's levels.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailOn {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl From<FailOn> for model::Level {
    fn from(level: FailOn) -> Self {
        match level {
            FailOn::Informational => Self::Informational,
            FailOn::Low => Self::Low,
            FailOn::Medium => Self::Medium,
            FailOn::High => Self::High,
            FailOn::Critical => Self::Critical,
        }
    }
}

/// Print what to copy from a server and how, in the order in which it disappears.
#[derive(Args, Debug)]
pub struct CollectArguments {
    /// Which kind of server
    #[arg(value_enum)]
    pub server: Server,
}

/// The kinds of server that a list exists for.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Server {
    /// Microsoft Exchange Server
    Exchange,
    /// Any Windows host
    Windows,
    /// Any Linux host
    Linux,
    /// AD FS, the directory and the cloud tenant behind them
    Identity,
}
