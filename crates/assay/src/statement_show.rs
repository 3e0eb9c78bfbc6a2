//! `assay statement show` and `render`: who stands behind what, as text, STIX, HTML or Markdown.

use crate::statement_arguments::{LookingArguments, RenderArguments, ShowArguments};
use crate::statement_case::CaseFolder;
use crate::statement_folder as folder;
use crate::{Exit, Output, case_folder};
use anyhow::{Context as _, Result, bail};
use statement::{ClauseStanding, GroundFinding, Position, Record, Roster, Statement, View};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use stix::Audience;

/// What can be shown.
pub enum Shown {
    /// A package's statement, its positions whose signatures hold, and what to say before them.
    Package(Box<Statement>, Vec<Position>, Vec<String>),
    /// What parties said in public.
    Record(Box<Record>),
    /// A draft, on which nobody has taken a position.
    Draft(Box<Statement>),
}

impl Shown {
    /// Its statement.
    pub fn statement(&self) -> &Statement {
        match self {
            Self::Package(statement, ..) | Self::Draft(statement) => statement,
            Self::Record(record) => &record.statement,
        }
    }

    /// Who stands behind what.
    pub fn standings(&self) -> Vec<ClauseStanding<'_>> {
        match self {
            Self::Package(statement, positions, _) => statement::standing(statement, positions),
            Self::Record(record) => statement::record_standing(record),
            Self::Draft(statement) => statement::standing(statement, &[]),
        }
    }

    fn record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            _ => None,
        }
    }

    /// Where the positions are from.
    fn foreword(&self) -> Vec<String> {
        match self {
            Self::Package(_, _, foreword) => foreword.clone(),
            Self::Draft(_) => vec!["A draft: nobody has taken a position on it.".to_owned()],
            Self::Record(_) => vec![
                "A record of public statements: nobody signed it. The clauses are in our words, quotations are the parties’ own; what is \
                 joint is what several stated, each for itself. That nothing was seen of a party is no proof that it said nothing."
                    .to_owned(),
            ],
        }
    }
}

/// Reads a package (a folder), a record or a draft. Without a roster, a package's signatures are checked by its own.
pub fn read(path: &Path, roster: Option<&Path>) -> Result<Shown> {
    if path.is_dir() {
        return read_package(path, roster);
    }
    let (name, text) = (path.display().to_string(), folder::read_text(path)?);
    // The first schema in the file is that of the whole.
    let is_record = text
        .lines()
        .find_map(|line| line.trim_start_matches(['{', ' ', '"']).strip_prefix("schema"))
        .is_some_and(|rest| rest.contains("assay-record/"));
    Ok(match is_record {
        true => Shown::Record(Box::new(statement::parse_record(&name, &text)?)),
        false => Shown::Draft(Box::new(statement::parse_statement(&name, &text)?)),
    })
}

fn read_package(path: &Path, roster: Option<&Path>) -> Result<Shown> {
    let package = folder::read_package(path)?;
    let statement = package.statement()?;
    let (roster, first) = match roster {
        Some(roster) => (
            Roster::read(&folder::read_bytes(roster)?)?,
            "Signatures of positions were checked by the roster given. Whether the package is whole and closed: assay statement verify.",
        ),
        None => (
            package.own_roster()?,
            "Signatures of positions were checked by the roster in the package itself, which whoever forges a package replaces: assay statement verify takes one from elsewhere.",
        ),
    };
    let (positions, bad) = package.positions(&statement, &roster, None);
    let mut foreword = vec![first.to_owned()];
    foreword.extend(
        bad.iter().map(|why| format!("Not shown, since it does not count: {}", report::escape_terminal(why))),
    );
    Ok(Shown::Package(Box::new(statement), positions, foreword))
}

/// For whom it is.
fn audience(arguments: &LookingArguments) -> Result<Option<Audience>> {
    arguments.tlp.map(|tlp| crate::export_command::audience(tlp.into(), &arguments.to)).transpose()
}

/// What may be shown of it.
fn view<'s>(shown: &'s Shown, audience: Option<&Audience>) -> Result<View<'s>> {
    let view = View::new(shown.statement(), shown.standings(), audience);
    let view = match (view, audience) {
        (Err(refusal), None) => {
            bail!("{refusal}; --tlp LABEL leaves out what may not go to an audience")
        }
        (view, _) => view?,
    };
    Ok(view.of_record(shown.record()).with_foreword(shown.foreword()))
}

/// Says what was left out, on standard error.
fn say_left_out(view: &View<'_>, output: &mut Output<'_>) -> Result<()> {
    for line in view.left_out_text() {
        writeln!(output.stderr, "left out: {}", report::escape_terminal(&line))?;
    }
    Ok(())
}

/// Prints it, or writes it as STIX.
pub fn run_show(arguments: &ShowArguments, output: &mut Output<'_>) -> Result<Exit> {
    let looking = &arguments.looking;
    let audience = audience(looking)?;
    let shown = read(&arguments.path, looking.roster.as_deref())?;
    let view = view(&shown, audience.as_ref())?;
    match &arguments.stix {
        None => output.stdout.write_all(statement::render_positions(&view).as_bytes())?,
        Some(path) => {
            let bundle = statement::stix_bundle(&view, folder::now()?);
            write(path, arguments.force, &arguments.path, &mut |out| {
                bundle.write_with(out, &mut |map, out| report::json::write_compact(map, out))
            })?;
            say_left_out(&view, output)?;
            writeln!(output.stdout, "{}", report::escape_terminal(&path.display().to_string()))?;
        }
    }
    Ok(Exit::Done)
}

/// Writes it as a page or as Markdown.
pub fn run_render(arguments: &RenderArguments, output: &mut Output<'_>) -> Result<Exit> {
    let looking = &arguments.looking;
    let audience = audience(looking)?;
    let shown = read(&arguments.path, looking.roster.as_deref())?;
    let mut view = view(&shown, audience.as_ref())?;
    if !arguments.case.is_empty() {
        let findings = look_up(shown.statement(), &arguments.case)?;
        view = view.with_findings(findings, audience.as_ref())?;
    }
    let version = env!("CARGO_PKG_VERSION");
    let render = |out: &mut dyn std::io::Write| match arguments.form.html {
        true => report::write_statement_html(&view, version, out),
        false => report::write_statement_markdown(&view, version, out),
    };
    say_left_out(&view, output)?;
    match &arguments.out {
        None => render(output.stdout)?,
        Some(path) => {
            write(path, arguments.force, &arguments.path, &mut |out| render(out))?;
            writeln!(output.stdout, "{}", report::escape_terminal(&path.display().to_string()))?;
        }
    }
    Ok(Exit::Done)
}

/// Looks up findings that grounds name, in cases that are those of the grounds by the hash of their files.
fn look_up(statement: &Statement, folders: &[PathBuf]) -> Result<BTreeMap<String, GroundFinding>> {
    let mut found = BTreeMap::new();
    for path in folders {
        let about = || format!("case {}", path.display());
        let hash = CaseFolder::read(path)?.findings_sha256().to_owned();
        let grounds = statement.grounds().filter_map(|(_, ground)| ground.finding.as_ref());
        let ids: BTreeSet<&str> = grounds
            .filter(|ground| ground.findings_sha256 == hash)
            .flat_map(|ground| ground.ids.iter().map(String::as_str))
            .collect();
        if ids.is_empty() {
            bail!("{}: no ground rests on it: its findings.jsonl has SHA-256 {hash}", about());
        }
        let (case, _) = report::read_case(&mut |name| case_folder::open(path, name)).with_context(about)?;
        found.extend(report::ground_findings(&case, &ids).with_context(about)?);
    }
    Ok(found)
}

type WriteText<'w> = dyn FnMut(&mut dyn std::io::Write) -> std::io::Result<()> + 'w;

/// Writes a file beside what is shown, never within a package: whatever is in there is signed.
fn write(path: &Path, force: bool, shown: &Path, text: &mut WriteText<'_>) -> Result<()> {
    let about = || format!("writing {}", path.display());
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (parent, whole) =
        (parent.canonicalize().with_context(about)?, shown.canonicalize().with_context(about)?);
    if shown.is_dir() && parent.starts_with(&whole) {
        bail!("{}: is within the package, which no further file may be in", path.display());
    }
    if path.canonicalize().is_ok_and(|path| path == whole) {
        bail!("{}: is what is to be shown", path.display());
    }
    if !force && std::fs::symlink_metadata(path).is_ok() {
        bail!("{}: there is a file already; --force writes over it", path.display());
    }
    let opened = match force {
        true => File::create(path),
        false => OpenOptions::new().write(true).create_new(true).open(path),
    };
    let mut out = BufWriter::new(opened.with_context(about)?);
    text(&mut out).and_then(|()| out.flush()).with_context(about)
}
