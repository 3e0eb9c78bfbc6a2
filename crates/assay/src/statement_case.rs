//! Cases as grounds of a statement: their files by hash, and whether their evidence was made.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use statement::{Ground, Statement};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// Bytes of a line of `findings.jsonl`, and of `case.json` and `attribution.json`.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;
const JSON_BYTES_MAX: u64 = 1 << 30;
/// Findings of an intrusion that a new draft names.
const NAMED_MAX: usize = 12;

/// A case folder.
pub struct CaseFolder {
    /// What drafts call it.
    pub name: String,
    synthetic: bool,
    findings_sha256: String,
    ids: BTreeSet<String>,
    attribution: Option<(String, Value)>,
    /// The gravest findings of each intrusion.
    gravest: BTreeMap<String, Vec<(u8, String)>>,
}

impl CaseFolder {
    /// Reads what a statement needs of a case.
    pub fn read(folder: &Path) -> Result<Self> {
        let about = || format!("case {}", folder.display());
        let (_, case) = read_json(&folder.join("case.json")).with_context(about)?;
        if case["schema"] != "assay-case/1" {
            bail!("{}: case.json: wanted schema assay-case/1, found {}", about(), case["schema"]);
        }
        let Some(synthetic) = case["synthetic"].as_bool() else {
            bail!("{}: case.json: wanted synthetic true or false, found {}", about(), case["synthetic"]);
        };
        let place = folder.canonicalize().with_context(about)?;
        let name =
            place.file_name().map_or_else(|| "case".to_owned(), |name| name.to_string_lossy().into_owned());
        let attribution = folder.join("attribution.json");
        let attribution =
            attribution.is_file().then(|| read_json(&attribution)).transpose().with_context(about)?;
        let mut out = Self {
            name,
            synthetic,
            findings_sha256: String::new(),
            ids: BTreeSet::new(),
            attribution,
            gravest: BTreeMap::new(),
        };
        out.read_findings(&folder.join("findings.jsonl")).with_context(about)?;
        Ok(out)
    }

    /// SHA-256 of its `findings.jsonl`.
    pub fn findings_sha256(&self) -> &str {
        &self.findings_sha256
    }

    fn read_findings(&mut self, path: &Path) -> Result<()> {
        let mut reader = BufReader::new(File::open(path).with_context(|| path.display().to_string())?);
        let mut hash = Sha256::new();
        let mut line = Vec::new();
        for number in 1usize.. {
            line.clear();
            let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? as u64;
            if read == 0 {
                break;
            }
            let about = || format!("findings.jsonl:{number}");
            if read == LINE_BYTES_MAX {
                bail!("{}: wanted at most {LINE_BYTES_MAX} bytes, found more", about());
            }
            hash.update(&line);
            let finding: Value = serde_json::from_slice(&line).with_context(about)?;
            let id =
                finding["id"].as_str().with_context(|| format!("{}: wanted an id, found none", about()))?;
            self.ids.insert(id.to_owned());
            if let Some(intrusion) = finding["intrusion"].as_str() {
                let levels = ["critical", "high", "medium", "low"];
                let level =
                    levels.iter().position(|level| finding["level"] == **level).unwrap_or(levels.len());
                let gravest = self.gravest.entry(intrusion.to_owned()).or_default();
                gravest.push((u8::try_from(level).unwrap_or(u8::MAX), id.to_owned()));
                if gravest.len() > 4 * NAMED_MAX {
                    gravest.sort();
                    gravest.truncate(NAMED_MAX);
                }
            }
        }
        self.findings_sha256 = hex(&hash.finalize());
        Ok(())
    }

    /// A clause for each intrusion, as YAML, for people to make claims of.
    pub fn clauses(&self, number: &mut usize, out: &mut String) {
        for (intrusion, gravest) in &self.gravest {
            let mut gravest = gravest.clone();
            gravest.sort();
            let ids: BTreeSet<&str> = gravest.iter().take(NAMED_MAX).map(|(_, id)| id.as_str()).collect();
            let ids: Vec<String> = ids.into_iter().map(quoted).collect();
            *number += 1;
            // Writing into a `String` cannot fail.
            let _ = write!(
                out,
                "  - id: C{number}\n    level: act\n    text: \"TO DO: what {intrusion} of this case was\"\n    grounds:\n      - finding:\n          case: {}\n          findings_sha256: {}\n          ids: [{}]\n",
                quoted(&self.name),
                self.findings_sha256,
                ids.join(", ")
            );
            if let Some((hash, text)) =
                self.attribution.as_ref().and_then(|(hash, all)| Some((hash, verdict(all, intrusion)?)))
            {
                let _ = write!(
                    out,
                    "      - attribution:\n          case: {}\n          attribution_sha256: {hash}\n          intrusion: {intrusion}\n          says: {}\n",
                    quoted(&self.name),
                    quoted(&text)
                );
            }
        }
    }
}

/// What `assay attribute` says of an intrusion, in a sentence.
fn verdict(attribution: &Value, intrusion: &str) -> Option<String> {
    let own = attribution["intrusions"].as_array()?.iter().find(|own| own["intrusion"] == intrusion)?;
    let as_of = own["as_of"].as_str().unwrap_or("an unknown day");
    Some(match (own["named"].as_str(), own["strength"].as_str()) {
        (Some(named), Some(strength)) => {
            format!("Consistent with {named}, strength {strength}, by the knowledge of {as_of}")
        }
        (Some(named), None) => format!("Consistent with {named}, by the knowledge of {as_of}"),
        (None, _) => format!("Insufficient evidence to name an actor, by the knowledge of {as_of}"),
    })
}

/// Text as a scalar of YAML: JSON's strings are.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Checks every ground that is a case's against the cases that were given, and marks the statement as synthetic where
/// one of them is.
pub fn check_grounds(statement: &mut Statement, cases: &[CaseFolder]) -> Result<()> {
    let mut synthetic = statement.synthetic;
    for (clause, ground) in statement.grounds() {
        let Some(case) = case_of(&clause.id, ground, cases)? else { continue };
        synthetic |= case.synthetic;
        let ids = ground.finding.iter().flat_map(|finding| &finding.ids);
        if let Some(id) = ids.into_iter().find(|id| !case.ids.contains(*id)) {
            bail!("{}: case {} has no finding {id}", clause.id, case.name);
        }
    }
    statement.synthetic = synthetic;
    Ok(())
}

/// The case that a ground rests on, by the hash of its file.
fn case_of<'c>(clause: &str, ground: &Ground, cases: &'c [CaseFolder]) -> Result<Option<&'c CaseFolder>> {
    let (file, hash) = match (&ground.finding, &ground.attribution) {
        (Some(finding), _) => ("findings.jsonl", &finding.findings_sha256),
        (_, Some(attribution)) => ("attribution.json", &attribution.attribution_sha256),
        _ => return Ok(None),
    };
    let holds = |case: &&CaseFolder| match file {
        "findings.jsonl" => case.findings_sha256 == *hash,
        _ => case.attribution.as_ref().is_some_and(|(own, _)| own == hash),
    };
    match cases.iter().find(holds) {
        Some(case) => Ok(Some(case)),
        None => bail!("{clause}: no case of --case has a {file} with SHA-256 {hash}"),
    }
}

/// Reads cases, each once.
pub fn read_cases(folders: &[PathBuf]) -> Result<Vec<CaseFolder>> {
    folders.iter().map(|folder| CaseFolder::read(folder)).collect()
}

fn read_json(path: &Path) -> Result<(String, Value)> {
    let about = || path.display().to_string();
    let mut bytes = Vec::new();
    File::open(path)
        .with_context(about)?
        .take(JSON_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(about)?;
    if bytes.len() as u64 > JSON_BYTES_MAX {
        bail!("{}: wanted at most {JSON_BYTES_MAX} bytes, found more", about());
    }
    let value = serde_json::from_slice(&bytes).with_context(about)?;
    Ok((hex(&Sha256::digest(&bytes)), value))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
