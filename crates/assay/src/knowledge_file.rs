//! `assay knowledge`: what is built in, and newer knowledge made from files.

use crate::arguments::{KnowledgeArguments, KnowledgeCommand, UpdateArguments};
use crate::{Exit, Output, fetch};
use anyhow::{Context as _, Result, bail};
use flate2::read::GzDecoder;
use knowledge::{Attack, Claim, Knowledge, Update, table};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Unpacked size of a file, at most: ATT&CK's bundle is some 40 MB.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Of what is fetched, at most.
const FETCHED_BYTES_MAX: u64 = 1 << 28;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const WRITTEN: &str = "# Knowledge of assay, made by `assay knowledge update`. ATT&CK (R) (c) The MITRE Corporation, reproduced with its permission;\n\
                       # MISP galaxy: CC0; names of Microsoft: CC BY 4.0. Columns: docs/attribution.md.\n";

/// Shows what is built in, or updates.
pub fn run(arguments: &KnowledgeArguments, output: &mut Output<'_>) -> Result<Exit> {
    match &arguments.command {
        Some(KnowledgeCommand::Update(update)) => run_update(update, output),
        None => {
            let knowledge = open(None)?;
            writeln!(output.stdout, "{}", summary(&knowledge))?;
            Ok(Exit::Done)
        }
    }
}

/// The knowledge in `file`, or what is built in.
pub fn open(file: Option<&PathBuf>) -> Result<Knowledge> {
    let knowledge = match file {
        Some(file) => Knowledge::from_table(&read_text(file)?)
            .map_err(|error| anyhow::anyhow!("{}: {error}", file.display())),
        None => Knowledge::built_in().map_err(anyhow::Error::msg),
    };
    let knowledge = knowledge?;
    if knowledge.attack.groups.is_empty() {
        bail!("the knowledge holds no group of ATT&CK");
    }
    Ok(knowledge)
}

fn summary(knowledge: &Knowledge) -> String {
    let attack = &knowledge.attack;
    let newest = attack.reports.iter().filter_map(|report| report.date).map(knowledge::Date::day).max();
    format!(
        "ATT&CK v{}: {} groups, {} campaigns, {} software, {} cited reports, the newest of {}\n{} names as claims\n{} dossiers of our own\nSHA-256 {}",
        attack.version,
        attack.groups.len(),
        attack.campaigns.len(),
        attack.software.len(),
        attack.reports.len(),
        newest.map(|day| day.to_string()).unwrap_or_default(),
        knowledge.names.claims().len(),
        knowledge.dossiers.actors.len(),
        knowledge.sha256
    )
}

fn run_update(arguments: &UpdateArguments, output: &mut Output<'_>) -> Result<Exit> {
    let (mut attack, mut claims) = start(arguments.knowledge.as_ref())?;
    let files = arguments
        .from
        .iter()
        .map(|file| {
            let text = read_source(file, output)?;
            let json =
                serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?;
            Ok((file, json))
        })
        .collect::<Result<Vec<(&PathBuf, serde_json::Value)>>>()?;
    let mut producers = BTreeMap::new();
    files.iter().for_each(|(_, json)| producers.extend(knowledge::producers(json)));
    for (file, json) in &files {
        if !knowledge::producers(json).is_empty() {
            writeln!(output.stderr, "{}: producers of the MISP galaxy", file.display())?;
            continue;
        }
        let update = knowledge::update(json, arguments.attack_version.as_deref(), &producers);
        match update.map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))? {
            Update::Attack(new) => {
                writeln!(
                    output.stderr,
                    "{}: ATT&CK v{}, {} groups",
                    file.display(),
                    new.version,
                    new.groups.len()
                )?;
                attack = *new;
            }
            Update::Names { source, claims: new } => {
                writeln!(output.stderr, "{}: {} names of {source}", file.display(), new.len())?;
                claims.retain(|claim| claim.source != source);
                claims.extend(new);
            }
        }
    }
    claims.sort();
    claims.dedup();
    let text = format!("{WRITTEN}{}", table::render(&attack, &claims));
    let knowledge = Knowledge::from_table(&text)
        .map_err(anyhow::Error::msg)
        .context("what would be written does not read back")?;
    fs::write(&arguments.to, &text).with_context(|| format!("writing {}", arguments.to.display()))?;
    writeln!(output.stdout, "{}", summary(&knowledge))?;
    Ok(Exit::Done)
}

fn start(file: Option<&PathBuf>) -> Result<(Attack, Vec<Claim>)> {
    match file {
        Some(file) => {
            table::parse(&read_text(file)?).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))
        }
        None => table::parse(knowledge::built_in_table()).map_err(anyhow::Error::msg),
    }
}

/// The text of a file, or of what an address leads to; of that it says the digest, which alone tells whether it is
/// the file that was meant.
fn read_source(source: &Path, output: &mut Output<'_>) -> Result<String> {
    let Some(url) = source.to_str().filter(|text| fetch::is_url(text)) else { return read_text(source) };
    let bytes = fetch::fetch(url, FETCHED_BYTES_MAX).with_context(|| format!("fetching {url:?}"))?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(output.stderr, "{}: {} bytes, SHA-256 {digest}", report::escape_terminal(url), bytes.len())?;
    text_of(source, bytes)
}

/// The text of `file`, which may be packed with gzip.
pub fn read_text(file: &Path) -> Result<String> {
    let about = || format!("reading {}", file.display());
    let mut bytes = Vec::new();
    File::open(file)
        .with_context(about)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(about)?;
    text_of(file, bytes)
}

fn text_of(file: &Path, mut bytes: Vec<u8>) -> Result<String> {
    let about = || format!("reading {}", file.display());
    if bytes.starts_with(&GZIP) {
        let mut unpacked = Vec::new();
        GzDecoder::new(bytes.as_slice())
            .take(FILE_BYTES_MAX + 1)
            .read_to_end(&mut unpacked)
            .with_context(about)?;
        bytes = unpacked;
    }
    if bytes.len() as u64 > FILE_BYTES_MAX {
        bail!("{}: more than {FILE_BYTES_MAX} bytes", file.display());
    }
    let text = String::from_utf8(bytes).with_context(|| format!("{} is no UTF-8", file.display()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
