//! Writes synthetic evidence: a scenario into a folder, or a big log.

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes synthetic Exchange evidence, with the truth beside it.
#[derive(Parser)]
#[command(name = "range", args_conflicts_with_subcommands = true)]
struct Arguments {
    /// The scenario.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(range::names()))]
    scenario: Option<String>,
    /// The seed: the same one gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder to write; the truth goes to its name and `.truth.json`.
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(Subcommand)]
enum Other {
    /// A big, well-filled event log.
    BulkEvtx {
        /// Size in bytes, rounded up to whole chunks of 64 KiB.
        #[arg(long)]
        bytes: u64,
        /// Percent of what happens that rules are written for.
        #[arg(long, default_value_t = range::bulk::ATTACK_PERCENT, value_parser = clap::value_parser!(u64).range(..=100))]
        attack: u64,
        /// The seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// A long list of indicators, as CSV.
    BulkIndicators {
        /// Number of indicators.
        #[arg(long)]
        count: u64,
        /// The seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// A folder of damaged and hostile inputs.
    Hostile {
        /// 4 GiB sparse, 100,000 files, a line of 300 MB: else all are smaller.
        #[arg(long)]
        whole: bool,
        /// The folder to write; it must not exist.
        #[arg(long)]
        out: PathBuf,
    },
    /// A big IIS log.
    BulkIis {
        /// Number of rows.
        #[arg(long)]
        lines: u64,
        /// The seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// A big HttpProxy log.
    BulkHttpproxy {
        /// Number of rows.
        #[arg(long)]
        lines: u64,
        /// The seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.other {
        Some(Other::BulkEvtx { bytes, attack, seed, out }) => {
            let mut file = fs::File::create(&out).with_context(|| format!("create {}", out.display()))?;
            range::bulk::write_evtx(&mut file, bytes, attack, seed)?;
        }
        Some(Other::BulkHttpproxy { lines, seed, out }) => {
            let file = fs::File::create(&out).with_context(|| format!("create {}", out.display()))?;
            range::bulk::write_http_proxy(std::io::BufWriter::new(file), lines, seed)?;
        }
        Some(Other::BulkIis { lines, seed, out }) => {
            let file = fs::File::create(&out).with_context(|| format!("create {}", out.display()))?;
            range::bulk::write_iis(std::io::BufWriter::new(file), lines, seed)?;
        }
        Some(Other::BulkIndicators { count, seed, out }) => {
            let file = fs::File::create(&out).with_context(|| format!("create {}", out.display()))?;
            range::indicators::write_csv(std::io::BufWriter::new(file), count, seed)?;
        }
        Some(Other::Hostile { whole, out }) => {
            let size = if whole { range::hostile::Size::WHOLE } else { range::hostile::Size::SMALL };
            let made =
                range::hostile::write(&out, size).with_context(|| format!("fill {}", out.display()))?;
            let list: String = made.iter().map(|(name, about)| format!("{name}\t{about}\n")).collect();
            let beside = PathBuf::from(format!("{}.list.tsv", out.display()));
            fs::write(&beside, list).with_context(|| format!("write {}", beside.display()))?;
        }
        None => match (arguments.scenario, arguments.out) {
            (Some(name), Some(out)) => write_scenario(&name, arguments.seed, &out)?,
            _ => bail!("which scenario, and where to? One of {}; --out DIR", range::names().join(", ")),
        },
    }
    Ok(())
}

fn write_scenario(name: &str, seed: u64, out: &Path) -> anyhow::Result<()> {
    let scenario = range::scenario(name, seed).with_context(|| format!("no scenario of the name {name}"))?;
    for (path, bytes) in &scenario.files {
        let path = out.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        }
        fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
    }
    let truth = scenario.truth.to_json(scenario.name, seed)?;
    let beside = PathBuf::from(format!("{}.truth.json", out.display()));
    fs::write(&beside, truth).with_context(|| format!("write {}", beside.display()))?;
    Ok(())
}
