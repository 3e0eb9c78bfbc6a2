//! What indicators cost: loading a million, and scanning with them.

use crate::runs::{cargo, children_seconds, peak_memory, run};
use anyhow::{Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Sizes of the generated logs.
const EVTX_BYTES: &str = "100000000";
const PROXY_LINES: &str = "300000";
/// How many indicators there are.
const COUNTS: [&str; 2] = ["1000", "1000000"];
/// Runs of each scan; the quickest counts, as others disturb it least.
const RUNS: usize = 3;

/// Scans with the built-in rules, on one thread, without and with indicators.
pub fn bench(root: &Path) -> Result<bool> {
    run(cargo(root).args(["build", "--release", "-p", "assay", "-p", "range"]))?;
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder)?;
    let range = root.join("target/release/range");
    let make = |name: &str, arguments: &[&str]| -> Result<PathBuf> {
        let path = folder.join(name);
        run(Command::new(&range).args(arguments).arg("--out").arg(&path))?;
        Ok(path)
    };
    let nothing = folder.join("nothing.log");
    fs::write(&nothing, "#Fields: date time c-ip\n")?;
    let evidence = [
        nothing,
        make("bulk-100.evtx", &["bulk-evtx", "--bytes", EVTX_BYTES])?,
        make("HttpProxy.log", &["bulk-httpproxy", "--lines", PROXY_LINES])?,
    ];
    let mut lists: Vec<Option<PathBuf>> = vec![None];
    for count in COUNTS {
        lists.push(Some(make(&format!("indicators-{count}.csv"), &["bulk-indicators", "--count", count])?));
    }
    for evidence in &evidence {
        println!("{}", evidence.display());
        for list in &lists {
            let shown = list.as_ref().map_or("no indicators".to_owned(), |list| list.display().to_string());
            let (seconds, kib) = quickest(root, evidence, list.as_deref())?;
            println!("  {seconds:.2} CPU seconds, peak {} MiB: {shown}", kib / 1024);
        }
    }
    Ok(true)
}

fn quickest(root: &Path, evidence: &Path, list: Option<&Path>) -> Result<(f64, u64)> {
    let mut least = (f64::INFINITY, u64::MAX);
    for _ in 0..RUNS {
        let (seconds, kib) = scan(root, evidence, list)?;
        least = (least.0.min(seconds), least.1.min(kib));
    }
    Ok(least)
}

/// CPU seconds and peak memory (KiB) of one scan.
fn scan(root: &Path, evidence: &Path, list: Option<&Path>) -> Result<(f64, u64)> {
    let mut command = Command::new(root.join("target/release/assay"));
    command.arg("scan").arg(evidence).args(["--threads", "1"]);
    if let Some(list) = list {
        command.arg("--indicators").arg(list);
    }
    let before = children_seconds()?;
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let peak = peak_memory(&mut child)?;
    ensure!(child.wait()?.code().is_some(), "the scan was killed");
    Ok((children_seconds()? - before, peak))
}
