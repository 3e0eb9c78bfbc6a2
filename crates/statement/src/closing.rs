//! Closing: a party signs the list of everything in the package, every position filed among it.

use crate::error::Refusal;
use crate::key::Signer;
use crate::package::{Package, refuse_synthetic, seconds};
use crate::seen::Seen;
use crate::sshsig::verify_file;
use crate::{CLOSING_NAMESPACE, sha256_hex};
use model::Timestamp;
use std::fmt::Write as _;

/// The number of the newest closing list, counted from 1 up to the first that is missing; 0: none.
pub(crate) fn newest(package: &Package) -> u32 {
    (1..).take_while(|number| package.get(&list_name(*number)).is_some()).last().unwrap_or(0)
}

pub(crate) fn list_name(number: u32) -> String {
    format!("closing/{number}/SHA256SUMS")
}

pub(crate) fn signature_name(number: u32, party: &str) -> String {
    format!("closing/{number}/{party}.sig")
}

/// The list over everything but the closing `number` itself, as `sha256sum` reads it.
pub(crate) fn list(package: &Package, number: u32) -> String {
    let own = format!("closing/{number}/");
    let mut out = String::new();
    for (name, bytes) in package.files().iter().filter(|(name, _)| !name.starts_with(&own)) {
        // Writing into a `String` cannot fail.
        let _ = writeln!(out, "{}  {name}", sha256_hex(bytes));
    }
    out
}

/// Closes the package for `party`: signs the newest list where it names all that is there, else a new list; gives the
/// names of the new files.
///
/// # Errors
/// The statement rests on made evidence; the party is not one of it, or has closed this list; no position is filed;
/// a position that was seen is not there, or one that is there does not hold; the key is not the party's by the roster in
/// the package.
pub fn close(
    package: &mut Package,
    party: &str,
    seen: &Seen,
    now: Timestamp,
    signer: &dyn Signer,
) -> Result<Vec<String>, Refusal> {
    let statement = package.statement().map_err(|error| Refusal::new(error.to_string()))?;
    refuse_synthetic(&statement)?;
    if !statement.parties.iter().any(|own| own.id == party) {
        return Err(Refusal::new(format!("{party} is not a party of this statement")));
    }
    seen.check(package)?;
    let roster = package.own_roster()?;
    crate::verify::check_positions(package, &roster, None, seconds(now))?;
    let last = newest(package);
    let mut grown = package.clone();
    let mut names = Vec::new();
    let stands = last > 0 && package.get(&list_name(last)) == Some(list(package, last).as_bytes());
    let number = if stands { last } else { last + 1 };
    if !stands {
        names.push(grown.add(list_name(number), list(package, number).into_bytes())?);
    }
    let text = grown.must(&list_name(number))?.to_vec();
    let signature = signer.sign(CLOSING_NAMESPACE, &text)?;
    let key = verify_file(&signature, &text, CLOSING_NAMESPACE)?;
    roster.check(&key, party, CLOSING_NAMESPACE, seconds(now))?;
    let name = signature_name(number, party);
    if grown.get(&name).is_some() {
        return Err(Refusal::new(format!("{party} has closed list {number} already")));
    }
    names.push(grown.add(name, signature)?);
    // Lists before this one must still hold, or a position that was closed once has gone.
    crate::verify::check_lists(&grown, number)?;
    *package = grown;
    Ok(names)
}
