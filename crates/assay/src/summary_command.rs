//! `assay summary`: a case in a line for each host, and many of them merged.

use crate::arguments::SummaryArguments;
use crate::export_command::{check, check_new, write_file};
use crate::{Exit, Output, case_folder, key_file};
use anyhow::{Context as _, Result, bail};
use export::{Export, Options, Summary, merge, summaries};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use stix::Audience;

/// A line of a summary, at most.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Writes summaries, or what many say together.
pub fn run(arguments: &SummaryArguments, output: &mut Output<'_>) -> Result<Exit> {
    let text = match &arguments.case {
        Some(folder) => of_case(folder, arguments, output)?,
        None => merged(&arguments.merge)?,
    };
    match &arguments.out {
        Some(file) => {
            check_new(file, &arguments.writing)?;
            write_file(file, &arguments.writing, &mut |out| Ok(out.write_all(&text)?))?;
        }
        None => output.stdout.write_all(&text)?,
    }
    Ok(Exit::Done)
}

fn of_case(folder: &Path, arguments: &SummaryArguments, output: &mut Output<'_>) -> Result<Vec<u8>> {
    let about = || format!("case {}", folder.display());
    let (case, run) = report::read_case(&mut |name| case_folder::open(folder, name)).with_context(about)?;
    if let Some(file) = &arguments.out {
        check(file, folder, &case, &arguments.writing)?;
    }
    let key = key_file::open(arguments.writing.key.as_ref(), output)?;
    let audience = Audience::of(arguments.tlp.into(), BTreeSet::new());
    let options = Options { audience, reveal: false, organisation: None, finished: false };
    let export = Export::prepare(&case, &run, None, &key, options).with_context(about)?;
    let mut text = Vec::new();
    for summary in summaries(&export).map_err(anyhow::Error::msg)? {
        report::json::write_compact(&summary, &mut text)?;
        text.push(b'\n');
    }
    Ok(text)
}

fn merged(files: &[PathBuf]) -> Result<Vec<u8>> {
    let mut all: Vec<Summary> = Vec::new();
    for file in files {
        let opened = File::open(file).with_context(|| format!("reading {}", file.display()))?;
        let mut reader = BufReader::new(opened);
        for number in 1usize.. {
            let mut line = String::new();
            let about = || format!("{} line {number}", file.display());
            let read = reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut line).with_context(about)?;
            if read == 0 {
                break;
            }
            if read as u64 == LINE_BYTES_MAX {
                bail!("{}: more than {LINE_BYTES_MAX} bytes", about());
            }
            if !line.trim().is_empty() {
                let summary = Summary::parse(&line);
                all.push(
                    summary.map_err(|error| {
                        anyhow::anyhow!("{}: {}", about(), report::escape_terminal(&error))
                    })?,
                );
            }
        }
    }
    let mut text = Vec::new();
    report::json::write_pretty(&merge(all), &mut text)?;
    Ok(text)
}
