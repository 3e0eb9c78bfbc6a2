//! `cargo xtask bench-sigma`: what matching costs, against the marks that the
//! project has set itself. Its output is what `benches/results/sigma.md` holds.
//!
//! Ratios within one run tell more than figures of two runs: the machine may do
//! other work, too.

use crate::runs::{Cost, cargo, records, run, run_measured};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const WINDOWS_RULES: &str = "../shared/data/sigma-rules/rules/windows";
const ALL_RULES: &str = "../shared/data/sigma-rules";
const WEB_RULES: &str = "../shared/data/sigma-rules/rules/web";
/// Percent of attacks in the generated logs (of `range bulk-evtx --attack`).
const DENSE: &str = "45";
const SPARSE: &str = "1";

/// Runs all of it; some six minutes on an idle machine.
pub fn bench(root: &Path) -> Result<bool> {
    run(cargo(root).args(["build", "--release", "-p", "assay", "-p", "range"]))?;
    run(cargo(root).args(["build", "--release", "-p", "scan", "--example", "speed"]))?;
    let bench = Bench { root, folder: root.join("target/bench") };
    fs::create_dir_all(&bench.folder)?;
    let (sparse, dense) =
        (bench.evtx("sparse", "300000000", SPARSE)?, bench.evtx("dense", "300000000", DENSE)?);

    for evidence in [&sparse, &dense] {
        println!("\nreading and matching alone, {}", evidence.display());
        run(Command::new(root.join("target/release/examples/speed"))
            .arg(evidence)
            .arg(root.join(WINDOWS_RULES)))?;
    }
    println!("\nthe whole program, one thread");
    for evidence in [&sparse, &dense] {
        bench.scan(evidence, "1", WINDOWS_RULES)?;
    }
    let big = bench.evtx("big", "2147483648", "9")?;
    println!("\nthe whole program, 2 GiB, one thread and two");
    let (one, two) = (bench.scan(&big, "1", WINDOWS_RULES)?, bench.scan(&big, "2", WINDOWS_RULES)?);
    println!("  two threads are {:.2} times as fast by the clock", one / two);
    fs::remove_file(&big)?;

    println!("\nall rules of SigmaHQ and ours over an empty log: what it takes to read and compile them");
    let empty = bench.folder.join("empty.log");
    fs::write(&empty, "")?;
    bench.scan(&empty, "1", ALL_RULES)?;

    println!("\ntext logs against `rg -c -F 'ServerInfo~'`");
    for (name, kind, lines) in [
        ("u_ex210301.log", "bulk-iis", "4500000"),
        ("HttpProxy_2021030100-1.LOG", "bulk-httpproxy", "1740000"),
    ] {
        let log = bench.folder.join(name);
        bench.range(&[kind, "--lines", lines], &log)?;
        println!("  {name}: {} bytes", fs::metadata(&log)?.len());
        let (ours, grep) = (bench.cost(&log, "1", WEB_RULES)?, grep(&log));
        println!("  assay {:.2} CPU seconds, {} MiB", ours.seconds, ours.peak_kib / 1024);
        match grep {
            Ok(grep) => println!(
                "  rg {:.2} CPU seconds: {:.1} times its time",
                grep.seconds,
                ours.seconds / grep.seconds
            ),
            Err(error) => println!("  no comparison: {error:#}"),
        }
        fs::remove_file(&log)?;
    }
    Ok(true)
}

/// Twice, since the first time also brings the file into memory.
fn grep(log: &Path) -> Result<Cost> {
    let once = || run_measured(Command::new("rg").args(["-c", "-F", "ServerInfo~"]).arg(log)).context("rg");
    once()?;
    once()
}

struct Bench<'a> {
    root: &'a Path,
    folder: PathBuf,
}

impl Bench<'_> {
    fn range(&self, words: &[&str], out: &Path) -> Result<()> {
        println!("`range {}`", words.join(" "));
        run(Command::new(self.root.join("target/release/range")).args(words).arg("--out").arg(out))
    }

    fn evtx(&self, name: &str, bytes: &str, attack: &str) -> Result<PathBuf> {
        let path = self.folder.join(format!("{name}.evtx"));
        self.range(&["bulk-evtx", "--bytes", bytes, "--attack", attack], &path)?;
        Ok(path)
    }

    fn cost(&self, evidence: &Path, threads: &str, rules: &str) -> Result<Cost> {
        let case = self.folder.join("case");
        if case.exists() {
            fs::remove_dir_all(&case)?;
        }
        let mut command = Command::new(self.root.join("target/release/assay"));
        command.current_dir(self.root).arg("scan").arg(evidence.canonicalize()?).args(["--threads", threads]);
        command.args(["--no-builtin-rules", "--rules", rules, "--out"]).arg(&case);
        run_measured(&mut command)
    }

    /// Prints what a scan cost; seconds by the clock.
    fn scan(&self, evidence: &Path, threads: &str, rules: &str) -> Result<f64> {
        let began = Instant::now();
        let cost = self.cost(evidence, threads, rules)?;
        let clock = began.elapsed().as_secs_f64();
        let records = records(&cost.text).unwrap_or(0.0);
        let findings = fs::read_to_string(self.folder.join("case/findings.jsonl"))
            .map_or(0, |text| text.lines().count());
        println!(
            "  {}, {threads} thread(s): {records} records, {findings} findings, {:.2} CPU seconds, {:.0} records per CPU second, \
             {clock:.2} s by the clock, peak {} MiB",
            evidence.file_name().unwrap_or_default().display(),
            cost.seconds,
            records / cost.seconds,
            cost.peak_kib / 1024
        );
        Ok(clock)
    }
}
