//! `assay export`: a case for others.

use crate::arguments::{ExportArguments, WritingArguments};
use crate::{Exit, Output, case_folder, key_file};
use anyhow::{Context as _, Result, bail};
use export::{Attribution, Export, Options};
use model::Case;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::Path;
use stix::Audience;

const ATTRIBUTION: &str = "attribution.json";
/// `attribution.json` is shorter.
const ATTRIBUTION_BYTES_MAX: u64 = 256 << 20;

type WriteExit = fn(&Export<'_>, &mut dyn Write) -> Result<()>;

/// For whom something is that is told under a label.
pub fn audience(tlp: stix::Tlp, to: &[String]) -> Result<Audience> {
    let audience = Audience::of(tlp, to.iter().cloned().collect());
    match &audience {
        Audience::Persons(persons) if persons.is_empty() => {
            bail!("--tlp red: wanted --to NAME, found nobody")
        }
        Audience::Persons(_) => {}
        _ if !to.is_empty() => bail!("--to: only --tlp red is for named persons"),
        _ => {}
    }
    Ok(audience)
}

/// Reads the case, asks what may be told, and writes what was asked for.
pub fn run(arguments: &ExportArguments, output: &mut Output<'_>) -> Result<Exit> {
    let folder = &arguments.case;
    let about = || format!("case {}", folder.display());
    let audience = audience(arguments.tlp.into(), &arguments.to)?;
    let (case, run) = report::read_case(&mut |name| case_folder::open(folder, name)).with_context(about)?;
    let attribution = read_attribution(folder).with_context(about)?;
    let exits: [(Option<&Path>, WriteExit); 4] = [
        (arguments.stix.as_deref(), |export, out| Ok(export.write_stix(out)?)),
        (arguments.misp.as_deref(), |export, out| Ok(export.write_misp(out)?)),
        (arguments.navigator.as_deref(), |export, out| Ok(export.write_navigator(out)?)),
        (arguments.timesketch.as_deref(), |export, out| Ok(export.write_timesketch(out)?)),
    ];
    let files = exits.iter().filter_map(|(file, _)| *file).chain(arguments.out.as_deref());
    // Before the key: nothing is made where nothing can be written.
    let mut named = BTreeSet::new();
    for file in files {
        check(file, folder, &case, &arguments.writing)?;
        if !named.insert(file) {
            bail!("{}: wanted a file of its own for each export", file.display());
        }
    }
    let key = key_file::open(arguments.writing.key.as_ref(), output)?;
    let options = Options {
        audience,
        reveal: arguments.reveal,
        organisation: arguments.by.clone(),
        finished: arguments.finished,
    };
    let export = Export::prepare(&case, &run, attribution.as_ref(), &key, options).with_context(about)?;
    for left_out in export.left_out() {
        let (count, what, reason) =
            (left_out.count, left_out.what, report::escape_terminal(&left_out.reason).into_owned());
        writeln!(output.stderr, "left out: {count} {what}: {reason}")?;
    }
    for (file, write) in exits {
        if let Some(file) = file {
            write_file(file, &arguments.writing, &mut |out| write(&export, out))?;
            writeln!(
                output.stderr,
                "wrote {} ({})",
                report::escape_terminal(&file.display().to_string()),
                export.tlp().as_str()
            )?;
        }
    }
    match (&arguments.ioc, &arguments.out) {
        (Some(_), Some(file)) => {
            write_file(file, &arguments.writing, &mut |out| Ok(export.write_indicators(out)?))?
        }
        (Some(_), None) => export.write_indicators(output.stdout)?,
        (None, _) => {}
    }
    Ok(Exit::Done)
}

/// `None` where `assay attribute` was not run.
fn read_attribution(folder: &Path) -> Result<Option<Attribution>> {
    let source = match case_folder::open(folder, ATTRIBUTION) {
        Ok(source) => source,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context(ATTRIBUTION),
    };
    let mut text = String::new();
    source.take(ATTRIBUTION_BYTES_MAX + 1).read_to_string(&mut text).context(ATTRIBUTION)?;
    if text.len() as u64 > ATTRIBUTION_BYTES_MAX {
        bail!("{ATTRIBUTION}: wanted {ATTRIBUTION_BYTES_MAX} bytes at most");
    }
    let parsed = Attribution::parse(&text)
        .map_err(|error| anyhow::anyhow!("{ATTRIBUTION}: {}", report::escape_terminal(&error)));
    parsed.map(Some)
}

/// Whether a file may be written.
pub fn check(file: &Path, folder: &Path, case: &Case, writing: &WritingArguments) -> Result<()> {
    case_folder::check_export(file, folder, case)?;
    check_new(file, writing)
}

/// Whether a file is not there, or may be written over.
pub fn check_new(file: &Path, writing: &WritingArguments) -> Result<()> {
    if !writing.force && fs::symlink_metadata(file).is_ok() {
        bail!("{}: there is a file already; --force writes over it", file.display());
    }
    Ok(())
}

/// Writes a file; without `--force` only where there is none.
pub fn write_file(
    file: &Path,
    writing: &WritingArguments,
    write: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let about = || format!("writing {}", file.display());
    let opened = match writing.force {
        true => File::create(file),
        false => OpenOptions::new().write(true).create_new(true).open(file),
    };
    let mut out = BufWriter::new(opened.with_context(about)?);
    write(&mut out).and_then(|()| Ok(out.flush()?)).with_context(about)
}
