//! `assay statement`: drafts, packages, positions, signatures.

use crate::statement_arguments::{
    CloseArguments, DiffArguments, DraftArguments, KeyArguments, PositionArguments, SignArguments,
    StatementCommand, VerifyArguments, WithdrawArguments,
};
use crate::statement_case::{check_grounds, read_cases};
use crate::statement_folder as folder;
use crate::{Exit, Output, statement_show};
use anyhow::{Context as _, Result, bail};
use model::Timestamp;
use statement::{Package, RevokedKeys, Roster, Signer, Statement, View};
use std::fmt::Write as _;
use std::path::Path;

/// Does what was asked for.
pub fn run(command: &StatementCommand, output: &mut Output<'_>) -> Result<Exit> {
    match command {
        StatementCommand::Draft(draft) => run_draft(draft, output),
        StatementCommand::Show(show) => statement_show::run_show(show, output),
        StatementCommand::Render(render) => statement_show::run_render(render, output),
        StatementCommand::Diff(diff) => run_diff(diff, output),
        StatementCommand::Position(position) => run_position(position, output),
        StatementCommand::Sign(sign) => run_sign(sign, output),
        StatementCommand::Close(close) => run_close(close, output),
        StatementCommand::Withdraw(withdraw) => run_withdraw(withdraw, output),
        StatementCommand::Verify(verify) => run_verify(verify, output),
    }
}

/// A line on standard output; what is in it may come from anybody.
fn say(output: &mut Output<'_>, line: &str) -> Result<()> {
    writeln!(output.stdout, "{}", report::escape_terminal(line))?;
    Ok(())
}

fn run_draft(arguments: &DraftArguments, output: &mut Output<'_>) -> Result<Exit> {
    let path = &arguments.draft;
    let cases = read_cases(&arguments.case)?;
    if !path.exists() {
        if arguments.package.is_some() {
            bail!("{}: no such draft", path.display());
        }
        let mut clauses = String::new();
        let mut number = 0;
        cases.iter().for_each(|case| case.clauses(&mut number, &mut clauses));
        let text = new_draft(arguments, &clauses)?;
        folder::write_file(path, text.as_bytes()).with_context(|| path.display().to_string())?;
        say(output, &format!("{}: a draft to edit; `assay statement draft {0}` checks it", path.display()))?;
        return Ok(Exit::Done);
    }
    if arguments.title.is_some() || !arguments.party.is_empty() {
        bail!("{} is there already; --title and --party are for a new draft", path.display());
    }
    let mut statement = statement::parse_statement(&path.display().to_string(), &folder::read_text(path)?)?;
    let Some(package_path) = &arguments.package else {
        let (clauses, parties) = (statement.clauses.len(), statement.parties.len());
        say(output, &format!("{}: no fault; clauses: {clauses}, parties: {parties}", path.display()))?;
        return Ok(Exit::Done);
    };
    check_grounds(&mut statement, &cases).with_context(|| path.display().to_string())?;
    let roster = folder::read_bytes(arguments.roster.as_deref().context("--roster is needed")?)?;
    let package = Package::new(&statement, &roster)?;
    if package_path.exists() && std::fs::read_dir(package_path)?.next().is_some() {
        bail!("--package {}: wanted a new or empty folder", package_path.display());
    }
    let names: Vec<String> = package.files().keys().cloned().collect();
    folder::write_new(package_path, &package, &names)?;
    if statement.synthetic {
        say(output, "the statement rests on synthetic evidence: it can be shown, and cannot be signed")?;
    }
    let hash = package.files().get("statement.json").map(|bytes| statement::sha256_hex(bytes));
    say(
        output,
        &format!("{}: statement.json has SHA-256 {}", package_path.display(), hash.unwrap_or_default()),
    )?;
    Ok(Exit::Done)
}

fn new_draft(arguments: &DraftArguments, clauses: &str) -> Result<String> {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut out = String::from(
        "# Levels: act, cluster, actor, organisation, state; and territory, intent, acknowledgement, support, demand, denial.\n\
         # One claim at one level in each clause. Organisation and state never rest on technical findings alone.\n\
         # Texts stand on one line (a long one: `text: >-` and indented lines). Format: docs/statement.md.\n\
         schema: assay-statement/1\n",
    );
    // Writing into a `String` cannot fail.
    let _ = writeln!(out, "title: {}", quoted(arguments.title.as_deref().unwrap_or("TO DO: a title")));
    out.push_str("tlp: amber+strict\nparties:\n");
    for party in &arguments.party {
        let (id, name) = party.split_once('=').with_context(|| format!("--party {party}: wanted ID=NAME"))?;
        if !statement::is_party(id) {
            bail!("--party {party}: wanted an id of 1 to 40 of a-z, 0-9 and -, found {id:?}");
        }
        let _ = writeln!(out, "  - {{id: {}, name: {}}}", quoted(id), quoted(name));
    }
    if arguments.party.is_empty() {
        out.push_str("  - {id: party-1, name: \"TO DO: the party's name\"}\n");
    }
    out.push_str("clauses:\n");
    if clauses.is_empty() {
        out.push_str(
            "  - id: C1\n    level: act\n    text: \"TO DO: one claim\"\n    # grounds:\n    #   - external: {author: Somebody, date: 2021-03-02, claim: What it says., word: likely, scale: PHIA, source: where}\n",
        );
    }
    out.push_str(clauses);
    Ok(out)
}

fn run_diff(arguments: &DiffArguments, output: &mut Output<'_>) -> Result<Exit> {
    let (old, new) =
        (statement_show::read(&arguments.old, None)?, statement_show::read(&arguments.new, None)?);
    let mut lines = statement::diff_statements(old.statement(), new.statement());
    lines.extend(statement::diff_standings(&old.standings(), &new.standings()));
    for line in &lines {
        say(output, line)?;
    }
    Ok(if lines.is_empty() { Exit::Done } else { Exit::FailOn })
}

fn run_position(arguments: &PositionArguments, output: &mut Output<'_>) -> Result<Exit> {
    let statement = folder::read_package(&arguments.package)?.statement()?;
    if !statement.parties.iter().any(|party| party.id == arguments.party) {
        let ids: Vec<&str> = statement.parties.iter().map(|party| party.id.as_str()).collect();
        bail!("--party {}: wanted one of {}", arguments.party, ids.join(", "));
    }
    let form = statement::position_form(&statement, &arguments.party);
    match &arguments.out {
        None => output.stdout.write_all(form.as_bytes())?,
        Some(path) => {
            folder::write_file(path, form.as_bytes()).with_context(|| format!("--out {}", path.display()))?;
            say(output, &format!("{}: fill it in, then `assay statement sign`", path.display()))?;
        }
    }
    Ok(Exit::Done)
}

type Change<'c> = &'c dyn Fn(&mut Package, &statement::Seen, Timestamp, &dyn Signer) -> Result<Vec<String>>;

/// Reads a package, changes it, writes what is new, takes note of what was seen.
fn change(path: &Path, key: &KeyArguments, output: &mut Output<'_>, change: Change<'_>) -> Result<Exit> {
    let signer = folder::signer(key)?;
    let mut package = folder::read_package(path)?;
    let seen_path = folder::seen_path(key.seen.as_ref(), path)?;
    let seen = folder::read_seen(&seen_path)?;
    let names = change(&mut package, &seen, folder::now()?, &*signer)?;
    folder::write_new(path, &package, &names)?;
    folder::keep_seen(&seen_path, seen, &package)?;
    for name in names {
        say(output, &path.join(name).display().to_string())?;
    }
    say(output, &format!("label of the package: {}", label(&package, &package.own_roster()?)))?;
    Ok(Exit::Done)
}

fn run_sign(arguments: &SignArguments, output: &mut Output<'_>) -> Result<Exit> {
    let form = folder::read_text(&arguments.form)?;
    let file = arguments.form.display().to_string();
    change(&arguments.package, &arguments.key, output, &|package, seen, now, signer| {
        seen.check(package)?;
        let form = statement::parse_position(&file, &form, &package.statement()?)?;
        Ok(package.file(form, now, signer)?)
    })
}

fn run_close(arguments: &CloseArguments, output: &mut Output<'_>) -> Result<Exit> {
    change(&arguments.package, &arguments.key, output, &|package, seen, now, signer| {
        Ok(statement::close(package, &arguments.party, seen, now, signer)?)
    })
}

fn run_withdraw(arguments: &WithdrawArguments, output: &mut Output<'_>) -> Result<Exit> {
    change(&arguments.package, &arguments.key, output, &|package, seen, now, signer| {
        seen.check(package)?;
        Ok(package.withdraw(&arguments.party, &arguments.clause, &arguments.reason, now, signer)?)
    })
}

fn run_verify(arguments: &VerifyArguments, output: &mut Output<'_>) -> Result<Exit> {
    let package = folder::read_package(&arguments.package)?;
    let roster = Roster::read(&folder::read_bytes(&arguments.roster)?)?;
    let revoked = arguments
        .revoked
        .as_ref()
        .map(|path| -> Result<RevokedKeys> { Ok(RevokedKeys::read(&folder::read_bytes(path)?)?) });
    let revoked = revoked.transpose()?;
    let at = match &arguments.at {
        Some(text) => Timestamp::parse(text)
            .with_context(|| format!("--at {text}: wanted RFC 3339, such as 2021-07-19T12:00:00Z"))?,
        None => folder::now()?,
    };
    let parties = if arguments.party.is_empty() { roster.principals() } else { arguments.party.clone() };
    if let Some(path) = &arguments.seen {
        let seen = folder::read_seen(path)?;
        seen.check(&package)?;
        folder::keep_seen(path, seen, &package)?;
    }
    let seconds = u64::try_from(at.nanos() / 1_000_000_000).unwrap_or(0);
    let verification = statement::verify(&package, &roster, &parties, revoked.as_ref(), seconds);
    for step in &verification.passed {
        say(output, &format!("  {}. {}: yes", step.number, step.title))?;
    }
    if let Some((step, why)) = &verification.refused {
        say(output, &format!("  {}. {}: NO", step.number, step.title))?;
        say(output, &format!("REFUSED: {why}"))?;
        return Ok(Exit::FailOn);
    }
    let closed_by = verification.closed_by.join(", ");
    say(output, &format!("VERIFIED: closing {} by {closed_by}, for {at}", verification.closing))?;
    say(output, &format!("  its list has SHA-256 {}", verification.closing_sha256))?;
    say(output, &format!("  label of all of it: {}", label(&package, &roster)))?;
    let unread = unread(&package, &roster, seconds);
    for line in verification.notes.iter().chain(&unread) {
        say(output, &format!("  note: {line}"))?;
    }
    say(
        output,
        "  What this does not show (that nobody was left out, that it is the newest, that it is true): VERIFY.md",
    )?;
    Ok(if unread.is_empty() { Exit::Done } else { Exit::Losses })
}

/// The label of a package, which goes whole or not at all, and what makes it so.
fn label(package: &Package, roster: &Roster) -> String {
    let Ok(statement) = package.statement() else {
        return "not known: the statement cannot be read".to_owned();
    };
    let positions = package.positions(&statement, roster, None).0;
    let view = View::new(&statement, statement::standing(&statement, &positions), None);
    view.map_or_else(|refusal| format!("for nobody: {refusal}"), |view| statement::label_sentence(&view))
}

/// What is signed as it should be, and says nothing that can be read.
fn unread(package: &Package, roster: &Roster, seconds: u64) -> Vec<String> {
    let read = |statement: Statement| package.positions(&statement, roster, Some(seconds)).1;
    package.statement().map_or_else(|error| vec![error.to_string()], read)
}
