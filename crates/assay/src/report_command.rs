//! `assay report`: the report of a case made again, and exports of it.

use crate::arguments::RenderArguments;
use crate::{Exit, Output, case_folder};
use anyhow::{Context as _, Result};
use model::Case;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// Reads the case and writes what was asked for.
pub fn run(arguments: &RenderArguments, output: &mut Output<'_>) -> Result<Exit> {
    let folder = &arguments.case;
    let about = || format!("case {}", folder.display());
    let (case, run) = report::read_case(&mut |name| case_folder::open(folder, name)).with_context(about)?;
    let options = arguments.report.options();
    let write = |out: &mut dyn Write| match () {
        () if arguments.md => report::write_markdown(&case, &run, &options, out),
        () if arguments.csv => report::write_findings_csv(&case, &options, out),
        () => report::write_report(&case, &run, &options, out),
    };
    match destination(arguments, &case)? {
        None => {
            let mut out = BufWriter::new(&mut *output.stdout);
            write(&mut out).and_then(|()| out.flush()).with_context(about)?;
        }
        Some((file, mut out)) => {
            write(&mut out)
                .and_then(|()| out.flush())
                .with_context(|| format!("writing {}", file.display()))?;
            writeln!(output.stdout, "{}", report::escape_terminal(&file.display().to_string()))?;
        }
    }
    Ok(Exit::Done)
}

/// The file to write to; `None` for standard output.
fn destination(arguments: &RenderArguments, case: &Case) -> Result<Option<(PathBuf, Box<dyn Write>)>> {
    let folder = &arguments.case;
    let is_page = !arguments.md && !arguments.csv;
    let own = folder.join("report.html");
    match &arguments.out {
        Some(file) if !(is_page && *file == own) => {
            case_folder::check_export(file, folder, case)?;
            let out = File::create(file).with_context(|| format!("--out {}", file.display()))?;
            Ok(Some((file.clone(), Box::new(BufWriter::new(out)))))
        }
        None if !is_page => Ok(None),
        _ => {
            let out = case_folder::create(folder, "report.html");
            Ok(Some((own.clone(), out.with_context(|| format!("writing {}", own.display()))?)))
        }
    }
}
