//! The table of what is known about actors (`knowledge/attack.tsv`), made from
//! MITRE's bundle of ATT&CK for enterprises: ids, names, relations, and the cited
//! reports with their dates; no descriptions.

use crate::tactics;
use anyhow::{Result, anyhow};
use std::fs;
use std::path::Path;

const TABLE: &str = "knowledge/attack.tsv";

const ABOUT: &str = "\
# Who uses what, and which dated report says so: facts of MITRE ATT&CK (R) for enterprises. The columns are described in
# crates/knowledge/src/table.rs. Made by `cargo xtask attack-table`; do not edit.
";

/// Writes the table of `bundle` (JSON, or JSON packed with gzip), which is of
/// ATT&CK `version`.
pub fn write(root: &Path, bundle: &Path, version: &str) -> Result<bool> {
    fs::write(root.join(TABLE), table(bundle, version)?)?;
    println!("{TABLE}: written for v{version}");
    Ok(true)
}

fn table(bundle: &Path, version: &str) -> Result<String> {
    let attack =
        knowledge::stix::read(&tactics::read_json(bundle)?, version).map_err(|error| anyhow!(error))?;
    Ok(format!("{ABOUT}{}{}", tactics::NOTICE, knowledge::table::render(&attack, &[])))
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
