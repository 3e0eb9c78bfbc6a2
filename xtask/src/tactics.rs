//! The table of tactics (`casebook/attack-tactics.tsv`), made from MITRE's
//! bundle of ATT&CK for enterprises: live techniques, their tactics and their
//! names, and nothing of what MITRE writes about them.

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::Path;

const TABLE: &str = "casebook/attack-tactics.tsv";
const GZIP: [u8; 2] = [0x1f, 0x8b];

const ABOUT: &str = "\
# Tactics and name by technique: MITRE ATT&CK (R) for enterprises. Made by `cargo xtask attack-tactics`; do not edit.
";

/// MITRE's condition is that each copy carries its notice and its licence.
pub const NOTICE: &str = "\
#
# (c) 2025 The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation.
#
# The MITRE Corporation (MITRE) hereby grants you a non-exclusive, royalty-free license to use ATT&CK(R) for research,
# development, and commercial purposes. Any copy you make for such purposes is authorized provided that you reproduce
# MITRE's copyright designation and this license in any such copy.
#
# MITRE does not claim ATT&CK enumerates all possibilities for the types of actions and behaviors documented as part
# of its adversary model and framework of techniques. Using the information contained within ATT&CK to address or
# cover full categories of techniques will not guarantee full defensive coverage as there may be undisclosed techniques
# or variations on existing techniques not documented by ATT&CK.
#
# ALL DOCUMENTS AND THE INFORMATION CONTAINED THEREIN ARE PROVIDED ON AN \"AS IS\" BASIS AND THE CONTRIBUTOR, THE
# ORGANIZATION HE/SHE REPRESENTS OR IS SPONSORED BY (IF ANY), THE MITRE CORPORATION, ITS BOARD OF TRUSTEES, OFFICERS,
# AGENTS, AND EMPLOYEES, DISCLAIM ALL WARRANTIES, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO ANY WARRANTY THAT THE
# USE OF THE INFORMATION THEREIN WILL NOT INFRINGE ANY RIGHTS OR ANY IMPLIED WARRANTIES OF MERCHANTABILITY OR FITNESS
# FOR A PARTICULAR PURPOSE.
#
";

/// Writes the table of `bundle` (JSON, or JSON packed with gzip), which is of
/// ATT&CK `version`: the bundle itself does not say.
pub fn write(root: &Path, bundle: &Path, version: &str) -> Result<bool> {
    fs::write(root.join(TABLE), table(bundle, version)?)?;
    println!("{TABLE}: written for v{version}");
    Ok(true)
}

/// The JSON of `file`, which may be packed with gzip.
pub fn read_json(file: &Path) -> Result<Value> {
    let mut bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    if bytes.starts_with(&GZIP) {
        let mut unpacked = Vec::new();
        GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).context("unpacking")?;
        bytes = unpacked;
    }
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", file.display()))
}

fn table(bundle: &Path, version: &str) -> Result<String> {
    let rows = rows(&read_json(bundle)?)?;
    let mut table = format!("{ABOUT}{NOTICE}# ATT&CK v{version}\n");
    for (technique, (tactics, name)) in &rows {
        writeln!(table, "{technique}\t{}\t{name}", tactics.join(" "))?;
    }
    Ok(table)
}

/// Tactics and name by technique.
type Rows = BTreeMap<String, (Vec<String>, String)>;

fn rows(bundle: &Value) -> Result<Rows> {
    let objects = bundle["objects"].as_array().context("the bundle has no objects")?;
    let is_live = |object: &&Value| {
        object["type"] == "attack-pattern"
            && object["revoked"] != true
            && object["x_mitre_deprecated"] != true
    };
    let mut rows = BTreeMap::new();
    for technique in objects.iter().filter(is_live) {
        let references = technique["external_references"].as_array().context("a technique without an id")?;
        let own = references.iter().find(|reference| reference["source_name"] == "mitre-attack");
        let id = own.and_then(|own| own["external_id"].as_str()).context("a technique without an id")?;
        let phases = technique["kill_chain_phases"].as_array().with_context(|| format!("{id}: no tactic"))?;
        let mut tactics: Vec<String> =
            phases.iter().filter_map(|phase| phase["phase_name"].as_str()).map(str::to_owned).collect();
        tactics.sort();
        let name = technique["name"].as_str().with_context(|| format!("{id}: no name"))?;
        rows.insert(id.to_owned(), (tactics, name.replace(char::is_whitespace, " ")));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_table_is_what_the_bundle_gives() -> Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let bundle = root.join("../shared/data/attack/enterprise-attack-18.1.json.gz");
        if !bundle.is_file() {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "../shared/data is missing in CI");
            eprintln!("skipped: ../shared/data is missing");
            return Ok(());
        }
        assert_eq!(table(&bundle, "18.1")?, fs::read_to_string(root.join(TABLE))?);
        Ok(())
    }
}
