//! The program, run as a user runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, with words"
)]

mod attribute;
mod cli;
mod determinism;
mod evidence;
mod export;
mod files;
mod hosts;
mod images;
mod indicators;
mod logs;
mod pages;
mod real_logs;
mod rerender;
mod rules;
mod scenarios;
mod sessions;
mod statement;
mod who;

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What one run printed and how it ended.
struct Ran {
    exit: assay::Exit,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str]) -> Ran {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut output = assay::Output {
        stdout: &mut stdout,
        stderr: &mut stderr,
        terminal_columns: None,
        colour: false,
        show_progress: false,
    };
    let words = std::iter::once("assay").chain(arguments.iter().copied()).map(Into::into);
    let exit = assay::run(words, &mut output);
    Ran {
        exit,
        stdout: String::from_utf8(stdout).expect("output is UTF-8"),
        stderr: String::from_utf8(stderr).expect("output is UTF-8"),
    }
}

/// Scans `paths` into a case folder below `scratch`; `more` are further arguments.
fn scan(paths: &[&Path], scratch: &Path, more: &[&str]) -> (Ran, PathBuf) {
    let out = scratch.join("case");
    let mut arguments = vec!["scan"];
    arguments.extend(paths.iter().map(|path| path.to_str().expect("UTF-8 path")));
    arguments.extend(["--out", out.to_str().expect("UTF-8 path")]);
    arguments.extend(more);
    (run(&arguments), out)
}

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// The shared data, or `None` after saying so. In CI it must be there.
fn shared_data() -> Option<PathBuf> {
    let data = workspace().join("../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "../shared/data is missing in CI");
    // Not `eprintln!`: the test harness would swallow it.
    writeln!(std::io::stderr(), "skipped: ../shared/data is missing").expect("standard error");
    None
}
