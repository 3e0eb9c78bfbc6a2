//! `assay statement show`: who stands behind what, as text, HTML or STIX.

use crate::statement_arguments::ShowArguments;
use crate::statement_folder as folder;
use crate::{Exit, Output};
use anyhow::{Context as _, Result};
use report::StatementPage;
use statement::{ClauseStanding, Position, Record, Roster, Statement};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

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

/// Prints or writes it.
pub fn run(arguments: &ShowArguments, output: &mut Output<'_>) -> Result<Exit> {
    let shown = read(&arguments.path, arguments.roster.as_deref())?;
    let (statement, standings, foreword) = (shown.statement(), shown.standings(), shown.foreword());
    let write = |path: &Path, write: &dyn Fn(&mut dyn std::io::Write) -> std::io::Result<()>| -> Result<()> {
        let about = || format!("writing {}", path.display());
        let mut out = BufWriter::new(File::create(path).with_context(about)?);
        write(&mut out).and_then(|()| out.flush()).with_context(about)
    };
    let written = if let Some(path) = &arguments.html {
        let page = StatementPage {
            statement,
            standings: &standings,
            record: shown.record(),
            foreword: &foreword,
            version: env!("CARGO_PKG_VERSION"),
        };
        write(path, &|out| report::write_statement_html(&page, out))?;
        path
    } else if let Some(path) = &arguments.stix {
        let bundle = statement::stix_bundle(statement, &standings, folder::now()?);
        write(path, &|out| bundle.write(out))?;
        path
    } else {
        let text = statement::render_positions(statement, &standings, shown.record(), &foreword);
        output.stdout.write_all(text.as_bytes())?;
        return Ok(Exit::Done);
    };
    writeln!(output.stdout, "{}", report::escape_terminal(&written.display().to_string()))?;
    Ok(Exit::Done)
}
