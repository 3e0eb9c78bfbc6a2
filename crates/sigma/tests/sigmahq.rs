//! All SigmaHQ rules load.

use sigma::{LoadOptions, RuleText, load};
use std::path::{Path, PathBuf};

fn data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "../shared/data is missing");
    eprintln!("skipped: ../shared/data is missing");
    None
}

fn collect(folder: &Path, out: &mut Vec<(String, String)>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "yml") {
            out.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn all_load() {
    let Some(data) = data() else { return };
    let mut files = Vec::new();
    for folder in ["rules", "rules-emerging-threats", "rules-threat-hunting"] {
        collect(&data.join("sigma-rules").join(folder), &mut files);
    }
    let start = std::time::Instant::now();
    let loaded = load(files.iter().map(|(file, text)| RuleText { file, text }), &LoadOptions::default());
    eprintln!(
        "{} rules, {} diagnostics, {:?}",
        loaded.rules.len(),
        loaded.diagnostics.len(),
        start.elapsed()
    );
    for d in &loaded.diagnostics {
        eprintln!("{d:?}");
    }
}
