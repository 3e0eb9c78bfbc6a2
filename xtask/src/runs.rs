//! Long runs: the speed of the whole program, the compiled matcher against
//! the naive one, fuzzing, hostile inputs of full size.
//!
//! CPU seconds and memory are the kernel's own count (`/proc`), so `bench`
//! runs on Linux only.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// Size of the generated log.
const GENERATED_BYTES: &str = "300000000";
/// Clock ticks per second in `/proc/PID/stat`, the same on all Linux machines.
const TICKS: f64 = 100.0;
/// Rules of the speed floor.
const WINDOWS_RULES: &str = "../shared/data/sigma-rules/rules/windows";
/// Rules and evidence of the long comparison.
const ALL_RULES: [&str; 4] = [
    "../shared/data/sigma-rules/rules",
    "../shared/data/sigma-rules/rules-emerging-threats",
    "../shared/data/sigma-rules/rules-threat-hunting",
    "rules",
];
const ALL_EVIDENCE: [&str; 4] = [
    "../shared/data/otrf-security-datasets",
    "../shared/data/evtx-attack-samples",
    "../shared/data/evtx-parser-samples",
    "../shared/data/sigma-regression",
];
/// Where the third opinion may differ, and why.
const EXPECTED_DISAGREEMENTS: &str = "evaluation/third-opinion.tsv";

/// `scan` of a generated log, and of `given` ones, on one thread.
pub fn bench(root: &Path, given: &[&str]) -> Result<bool> {
    run(cargo(root).args(["build", "--release", "-p", "assay", "-p", "range"]))?;
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder)?;
    let generated = folder.join("bulk.evtx");
    let range = root.join("target/release/range");
    run(Command::new(range).args(["bulk-evtx", "--bytes", GENERATED_BYTES, "--out"]).arg(&generated))?;
    println!("evidence: {} by `range bulk-evtx --bytes {GENERATED_BYTES}` (seed 1)", generated.display());
    measure(root, &generated)?;
    for path in given.iter().map(PathBuf::from) {
        println!("evidence: {} as given", path.display());
        measure(root, &path)?;
    }
    Ok(true)
}

fn measure(root: &Path, evidence: &Path) -> Result<()> {
    let mut command = Command::new(root.join("target/release/assay"));
    command.current_dir(root).arg("scan").arg(evidence.canonicalize()?).args(["--threads", "1"]);
    if root.join(WINDOWS_RULES).is_dir() {
        println!("rules: {WINDOWS_RULES}");
        command.args(["--no-builtin-rules", "--rules", WINDOWS_RULES]);
    } else {
        println!("rules: the built-in ones ({WINDOWS_RULES} is missing)");
    }
    let cost = run_measured(&mut command)?;
    let records = records(&cost.text).context("the scan says how many records it read")?;
    let seconds = cost.seconds;
    println!(
        "  {records} records, {seconds:.2} CPU seconds, {:.0} records per CPU second",
        records / seconds
    );
    println!("  peak memory {} MiB", cost.peak_kib / 1024);
    Ok(())
}

/// What a program printed and took.
pub(crate) struct Cost {
    pub(crate) text: String,
    exit: i32,
    pub(crate) seconds: f64,
    pub(crate) peak_kib: u64,
}

pub(crate) fn run_measured(command: &mut Command) -> Result<Cost> {
    let before = children_seconds()?;
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let peak_kib = peak_memory(&mut child)?;
    let output = child.wait_with_output()?;
    let exit = output.status.code().context("the scan was killed")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Cost { text, exit, seconds: children_seconds()? - before, peak_kib })
}

/// A scan of the hostile folder at full size, made in `folder`.
pub fn hostile(root: &Path, folder: &Path) -> Result<bool> {
    run(cargo(root).args(["build", "--release", "-p", "assay", "-p", "range"]))?;
    fs::create_dir_all(folder)?;
    let (evidence, case) = (folder.join("evidence"), folder.join("case"));
    let range = root.join("target/release/range");
    run(Command::new(range).args(["hostile", "--whole", "--out"]).arg(&evidence))?;
    let mut command = Command::new(root.join("target/release/assay"));
    let cost = run_measured(command.arg("scan").arg(&evidence).arg("--out").arg(&case))?;
    println!("{}", cost.text.lines().next().unwrap_or_default());
    println!(
        "exit code {}, {:.2} CPU seconds, peak memory {} MiB",
        cost.exit,
        cost.seconds,
        cost.peak_kib / 1024
    );
    // Losses, and nothing worse, within the budget of any scan.
    Ok(cost.exit == 4 && cost.peak_kib <= 300 << 10)
}

/// The number before the word `records` in the first line.
pub(crate) fn records(text: &str) -> Option<f64> {
    let words: Vec<&str> = text.lines().next()?.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "records")?;
    words.get(at.checked_sub(1)?)?.replace(',', "").parse().ok()
}

/// CPU seconds, user and system, of all children that ended.
pub(crate) fn children_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // Fields 16 and 17 of proc(5); the first behind the name is field 3.
    let ticks =
        [fields.get(13), fields.get(14)].map(|ticks| ticks.and_then(|ticks| ticks.parse::<f64>().ok()));
    Ok(ticks.into_iter().flatten().sum::<f64>() / TICKS)
}

/// The child's peak memory in KiB, looked at until it ends.
pub(crate) fn peak_memory(child: &mut Child) -> Result<u64> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        thread::sleep(Duration::from_millis(20));
    }
    Ok(peak)
}

/// The compiled matcher against the naive one, and both against a third, over all shared evidence.
pub fn differential(root: &Path) -> Result<bool> {
    let mut command = cargo(root);
    command.args(["run", "--release", "-p", "scan", "--example", "differential", "--"]);
    for rules in ALL_RULES {
        command.args(["--rules", rules]);
    }
    command.args(["--expected", EXPECTED_DISAGREEMENTS]);
    Ok(command.args(ALL_EVIDENCE).status()?.success())
}

/// Long fuzzing; `words` are the target, minutes and seed.
pub fn fuzz(root: &Path, words: &[&str]) -> Result<bool> {
    Ok(cargo(root).args(["run", "--release", "-p", "fuzz", "--"]).args(words).status()?.success())
}

pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    command
}

pub(crate) fn run(command: &mut Command) -> Result<()> {
    ensure!(command.status()?.success(), "{command:?} failed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_the_first_line() {
        let text = " 1 item · 286.2 MiB · 307,296 records · 1 host\n 5 records\n";
        assert_eq!(records(text), Some(307_296.0));
        assert_eq!(records("records"), None);
    }
}
