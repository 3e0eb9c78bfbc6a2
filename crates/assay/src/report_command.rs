//! `assay report`: the report of a case made again, and exports of it.

use crate::arguments::RenderArguments;
use crate::{Exit, Output, case_folder};
use anyhow::{Context as _, Result};
use model::{Case, Run};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

const REPORT: &str = "report.html";

/// Reads the case and writes what was asked for.
pub fn run(arguments: &RenderArguments, output: &mut Output<'_>) -> Result<Exit> {
    let folder = &arguments.case;
    let about = || format!("case {}", folder.display());
    let (case, run) = report::read_case(&mut |name| case_folder::open(folder, name)).with_context(about)?;
    let options = arguments.report.options();
    if !arguments.md && !arguments.csv {
        let file = write_html(arguments, &case, &run)?;
        writeln!(output.stdout, "{}", report::escape_terminal(&file.display().to_string()))?;
        return Ok(Exit::Done);
    }
    let write = |out: &mut dyn Write| match arguments.md {
        true => report::write_markdown(&case, &run, &options, out),
        false => report::write_findings_csv(&case, &options, out),
    };
    match &arguments.out {
        None => {
            let mut out = BufWriter::new(&mut *output.stdout);
            write(&mut out).and_then(|()| out.flush()).with_context(about)?;
        }
        Some(file) => {
            case_folder::check_export(file, folder, &case)?;
            let mut out =
                BufWriter::new(File::create(file).with_context(|| format!("--out {}", file.display()))?);
            let written = write(&mut out).and_then(|()| out.flush());
            written.with_context(|| format!("writing {}", file.display()))?;
            writeln!(output.stdout, "{}", report::escape_terminal(&file.display().to_string()))?;
        }
    }
    Ok(Exit::Done)
}

/// Writes the page into the case, or to `--out` with its further pages beside it; gives the page.
fn write_html(arguments: &RenderArguments, case: &Case, run: &Run) -> Result<PathBuf> {
    let (folder, options) = (&arguments.case, arguments.report.options());
    let own = folder.join(REPORT);
    let elsewhere = arguments.out.as_ref().filter(|file| **file != own);
    let Some(file) = elsewhere else {
        let mut open = |name: &str| case_folder::create(folder, name);
        report::write_html(case, run, &options, REPORT, &mut open)
            .with_context(|| format!("writing {}", own.display()))?;
        return Ok(own);
    };
    case_folder::check_export(file, folder, case)?;
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("--out {}: wanted the name of a file", file.display()))?;
    let mut open =
        |name: &str| -> io::Result<Box<dyn Write>> { Ok(Box::new(File::create(file.with_file_name(name))?)) };
    report::write_html(case, run, &options, name, &mut open)
        .with_context(|| format!("--out {}", file.display()))?;
    Ok(file.clone())
}
