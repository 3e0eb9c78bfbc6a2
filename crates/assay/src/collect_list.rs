//! `assay collect-list`: what to copy from a server, and how.

use crate::arguments::{CollectArguments, Server};
use crate::{Exit, Output, builtin};
use anyhow::{Context as _, Result};

/// Prints the list.
pub fn run(arguments: &CollectArguments, output: &mut Output<'_>) -> Result<Exit> {
    let file = match arguments.server {
        Server::Exchange => "casebook/collect/exchange.yml",
        Server::Windows => "casebook/collect/windows.yml",
        Server::Linux => "casebook/collect/linux.yml",
        Server::Identity => "casebook/collect/identity.yml",
    };
    let known = builtin::CASEBOOK.iter().find(|(name, _)| *name == file);
    let (_, text) = known.with_context(|| format!("{file} is not built in"))?;
    let list = casebook::CollectList::parse(file, text)?;
    output.stdout.write_all(list.render_text().as_bytes())?;
    Ok(Exit::Done)
}
