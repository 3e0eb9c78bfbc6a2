//! What the user can say.

use crate::statement_arguments::StatementCommand;
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
    Report(RenderArguments),
    Export(ExportArguments),
    Summary(SummaryArguments),
    #[command(subcommand)]
    Rules(RulesCommand),
    CollectList(CollectArguments),
    Attribute(AttributeArguments),
    Actor(ActorArguments),
    Knowledge(KnowledgeArguments),
    #[command(subcommand)]
    Statement(StatementCommand),
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
    /// Write the case here: report.html, timeline.csv, and as JSON case,
    /// answers, findings, records, coverage, rules, sessions, layer, run
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
    /// Processing pipeline for Sigma rules (pySigma's YAML), or a built-in one by its name:
    /// ecs-windows, ecs-linux, ecs-web (repeatable)
    #[arg(long, value_name = "FILE")]
    pub pipeline: Vec<PathBuf>,
    /// YAML file of placeholder values for Sigma's `expand` (name: [values])
    #[arg(long, value_name = "FILE")]
    pub placeholders: Option<PathBuf>,
    /// Say what each Sigma rule cost: records for which it was tried, matches, time. Times are measured,
    /// and differ from run to run; with --out also in rules-profile.json
    #[arg(long)]
    pub profile_rules: bool,
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

/// Make the report again from a case folder, or an export of it.
///
/// --html (also without a choice) writes CASE/report.html anew; --md prints
/// Markdown for a ticket or a wiki; --csv prints one row for each finding. Names
/// of people and of web shells are masked in all of them unless --reveal.
#[derive(Args, Debug)]
#[command(after_help = REPORT_EXIT_CODES)]
pub struct RenderArguments {
    /// The case folder that `assay scan --out` wrote
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// The report as one HTML file, to CASE/report.html or --out
    #[arg(long, group = "what")]
    pub html: bool,
    /// The report as Markdown, to standard output or --out
    #[arg(long, group = "what")]
    pub md: bool,
    /// All findings as CSV, to standard output or --out
    #[arg(long, group = "what")]
    pub csv: bool,
    /// The report's language; there is English (en) only
    #[arg(long, value_name = "LANG", default_value = "en", value_parser = language)]
    pub lang: String,
    /// Write to this file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub report: ReportArguments,
}

const REPORT_EXIT_CODES: &str = "\
Exit codes: 0 written; 2 usage: CASE is no case folder or a damaged one, or the result
could not be written.";

fn language(text: &str) -> Result<String, String> {
    match text {
        "en" => Ok(text.to_owned()),
        _ => Err("the report speaks English (en) only".to_owned()),
    }
}

/// Hand a case on: STIX 2.1, MISP, ATT&CK Navigator, Timesketch, a list of indicators.
///
/// --tlp says for whom. Within the organisation (amber+strict) people and web shells have
/// pseudonyms unless --reveal. Beyond it (amber, green, clear) hosts, accounts, domains and inner
/// addresses have them too, and no free text of the evidence leaves. What a list of indicators marks more
/// strictly is left out, and how much is said. Evidence that was made is marked as such in every file.
#[derive(Args, Debug)]
#[command(after_help = EXPORT_EXIT_CODES)]
#[command(group = clap::ArgGroup::new("exit").required(true).multiple(true).args(["stix", "misp", "navigator", "timesketch", "ioc"]))]
pub struct ExportArguments {
    /// The case folder that `assay scan --out` wrote
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Write a STIX 2.1 bundle
    #[arg(long, value_name = "FILE")]
    pub stix: Option<PathBuf>,
    /// Write a MISP event (JSON)
    #[arg(long, value_name = "FILE")]
    pub misp: Option<PathBuf>,
    /// Write a layer of the ATT&CK Navigator (4.5)
    #[arg(long, value_name = "FILE")]
    pub navigator: Option<PathBuf>,
    /// Write findings as Timesketch imports them (CSV)
    #[arg(long, value_name = "FILE")]
    pub timesketch: Option<PathBuf>,
    /// Print indicators, or write them to --out
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub ioc: Option<IndicatorFormat>,
    /// Write what --ioc prints to this file
    #[arg(long, value_name = "FILE", requires = "ioc")]
    pub out: Option<PathBuf>,
    /// For whom (TLP 2.0); red needs --to
    #[arg(long, value_enum, value_name = "LABEL", default_value_t = TlpLabel::AmberStrict)]
    pub tlp: TlpLabel,
    /// A person that a red export is given to (repeatable)
    #[arg(long, value_name = "NAME")]
    pub to: Vec<String>,
    /// Let names of people and of web shells stand; not beyond the organisation
    #[arg(long)]
    pub reveal: bool,
    /// The organisation that stands behind it
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// The work is finished: STIX has a report, no grouping
    #[arg(long = "final")]
    pub finished: bool,
    #[command(flatten)]
    pub writing: WritingArguments,
}

/// Where the key lies, and whether files may be written over.
#[derive(Args, Debug)]
pub struct WritingArguments {
    /// The key that pseudonyms come from; made when it is not there. It stays at home
    /// (default: assay/export.key in the user's configuration folder)
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long)]
    pub force: bool,
}

/// What `--ioc` prints.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum IndicatorFormat {
    /// A table
    Csv,
}

const EXPORT_EXIT_CODES: &str = "\
Exit codes: 0 written; 2 usage: CASE is no case folder or a damaged one, the audience may see nothing
of it, a file is there already (--force), or the result could not be written.";

/// Tell a case in one small JSON line for each host, without names, or merge many such files.
///
/// `assay summary CASE` for a CERT; `assay summary --merge FILE…` at the CERT.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 written; 2 usage, or a file that is no summary.")]
pub struct SummaryArguments {
    /// The case folder that `assay scan --out` wrote
    #[arg(value_name = "CASE", required_unless_present = "merge")]
    pub case: Option<PathBuf>,
    /// Merge these summaries (JSON lines) instead
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "case")]
    pub merge: Vec<PathBuf>,
    /// For whom (TLP 2.0): amber, green or clear
    #[arg(long, value_enum, value_name = "LABEL", default_value_t = TlpLabel::Amber)]
    pub tlp: TlpLabel,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub writing: WritingArguments,
}

/// Look at Sigma rules.
#[derive(Subcommand, Debug)]
pub enum RulesCommand {
    Check(RulesCheckArguments),
    Explain(RulesExplainArguments),
}

/// Say what is wrong with Sigma rules, and what is odd, with file, line and column.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 no errors (warnings there may be); 1 errors; 2 usage.")]
pub struct RulesCheckArguments {
    /// Rule files, or folders with all below them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub format: TextOrJson,
    #[command(flatten)]
    pub reading: RuleReadingArguments,
}

/// Say why a rule matches a record or does not, item by item; of a correlation, why it holds in the
/// evidence or does not, group by group.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 the rule matches; 3 it does not; 1 no such record, or nothing was read; 2 usage."
)]
#[command(group = clap::ArgGroup::new("place").args(["record", "line"]))]
pub struct RulesExplainArguments {
    /// A rule file, or the id or title of a built-in rule. A file that holds correlations is explained
    /// by them, unless a record or a line is named
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// Evidence that holds the record, or all that a correlation looks at
    #[arg(long, required = true, value_name = "PATH")]
    pub evidence: Vec<PathBuf>,
    /// The record's number (EventRecordID)
    #[arg(long, value_name = "N")]
    pub record: Option<u64>,
    /// The record's line, from 1
    #[arg(long, value_name = "N")]
    pub line: Option<u64>,
    /// What to print
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub format: TextOrJson,
    #[command(flatten)]
    pub reading: RuleReadingArguments,
}

/// What reading rules needs beside them.
#[derive(Args, Debug)]
pub struct RuleReadingArguments {
    /// Processing pipeline, or a built-in one by its name (repeatable)
    #[arg(long, value_name = "FILE")]
    pub pipeline: Vec<PathBuf>,
    /// YAML file of placeholder values for `expand` (name: [values])
    #[arg(long, value_name = "FILE")]
    pub placeholders: Option<PathBuf>,
}

/// Text for people, or JSON.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextOrJson {
    /// For people
    Text,
    /// For programs
    Json,
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
        report::Options { reveal: self.reveal, tlp: self.tlp.into() }
    }
}

impl From<TlpLabel> for stix::Tlp {
    fn from(label: TlpLabel) -> Self {
        match label {
            TlpLabel::Clear => Self::Clear,
            TlpLabel::Green => Self::Green,
            TlpLabel::Amber => Self::Amber,
            TlpLabel::AmberStrict => Self::AmberStrict,
            TlpLabel::Red => Self::Red,
        }
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

/// Weigh which known actor an intrusion is consistent with; most of the time
/// the answer is "insufficient evidence".
///
/// Works on the intrusions of a case folder, on a list of ATT&CK ids
/// (--observed), or on many lists (--cases). Only what was published before
/// the day --as-of counts as known.
#[derive(Args, Debug)]
pub struct AttributeArguments {
    /// Case folder that `assay scan --out` wrote; attribution.json is written into it, report.html anew
    #[arg(value_name = "CASE", required_unless_present_any = ["observed", "cases"], conflicts_with_all = ["observed", "cases"])]
    pub case: Option<PathBuf>,
    /// JSON: {"observed": ["T1505.003", "S0020", …]}
    #[arg(long, value_name = "FILE", requires = "as_of", conflicts_with = "cases")]
    pub observed: Option<PathBuf>,
    /// JSON lines: case_id, observed, and date or as_of
    #[arg(long, value_name = "FILE")]
    pub cases: Option<PathBuf>,
    /// Knowledge of this day (YYYY-MM-DD; a case: today)
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<String>,
    /// What to print: text, json, or jsonl (with --cases)
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print every number that the verdict is made of
    #[arg(long)]
    pub explain: bool,
    /// Who was hit, as sector=WORD (STIX 2.1) and country=CODE, parted by commas: weak evidence, which never names
    #[arg(long, value_name = "WHOM")]
    pub victim: Vec<String>,
    /// Knowledge that `assay knowledge update` wrote, instead of what is built in
    #[arg(long, value_name = "FILE")]
    pub knowledge: Option<PathBuf>,
    #[command(flatten)]
    pub report: ReportArguments,
}

/// Show who goes by a name and who says so, or check the names in a text.
///
/// Names are claims: a name is looked up one hop, and never makes two actors one.
/// `assay actor NAME`; `assay actor check FILE`.
#[derive(Args, Debug)]
pub struct ActorArguments {
    /// A name (several words are one name), or `check FILE`
    #[arg(required = true, value_name = "NAME")]
    pub words: Vec<String>,
    /// Knowledge that `assay knowledge update` wrote, instead of what is built in
    #[arg(long, value_name = "FILE")]
    pub knowledge: Option<PathBuf>,
}

/// Show which knowledge is built in, or make newer knowledge from files and addresses.
#[derive(Args, Debug)]
pub struct KnowledgeArguments {
    #[command(subcommand)]
    pub command: Option<KnowledgeCommand>,
}

#[derive(Subcommand, Debug)]
pub enum KnowledgeCommand {
    Update(UpdateArguments),
}

/// Make a knowledge file from ATT&CK's bundle (STIX 2.0 or 2.1), clusters of the
/// MISP galaxy, or Microsoft's map of names; what is not given stays as it is.
#[derive(Args, Debug)]
pub struct UpdateArguments {
    /// What to take over: a file, or an address (http, https) that the system's curl fetches (may be
    /// .gz; repeatable). Nothing else opens the network
    #[arg(long, required = true, value_name = "FILE|URL")]
    pub from: Vec<PathBuf>,
    /// The knowledge file to write
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// Start from this knowledge file, not from what is built in
    #[arg(long, value_name = "FILE")]
    pub knowledge: Option<PathBuf>,
    /// Version of ATT&CK, for a bundle that does not say it
    #[arg(long, value_name = "VERSION")]
    pub attack_version: Option<String>,
}
