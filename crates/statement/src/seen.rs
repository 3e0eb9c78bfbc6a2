//! What a party's own tool has seen, kept at home: positions that later copies of a package must still hold.

use crate::error::Refusal;
use crate::package::{Package, STATEMENT};
use crate::sha256_hex;
use std::collections::BTreeSet;

/// Lines of such a file.
const ENTRIES_MAX: usize = 1_000_000;

/// Positions that were seen: `SHA-256 of the statement`, `SHA-256 of the position`, `its name`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen(BTreeSet<(String, String, String)>);

impl Seen {
    /// Reads what [`Seen::text`] wrote.
    ///
    /// # Errors
    /// A line of another form, with its number: what was seen must not be forgotten by mistake.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let mut seen = BTreeSet::new();
        for (index, line) in text.lines().enumerate() {
            let mut words = line.split(' ');
            let (Some(statement), Some(position), Some(name), None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                return Err(Refusal::new(format!(
                    "line {}: wanted three words, found {:?}",
                    index + 1,
                    line
                )));
            };
            seen.insert((statement.to_owned(), position.to_owned(), name.to_owned()));
            if seen.len() > ENTRIES_MAX {
                return Err(Refusal::new(format!("wanted at most {ENTRIES_MAX} lines, found more")));
            }
        }
        Ok(Self(seen))
    }

    /// As it is kept.
    pub fn text(&self) -> String {
        self.0.iter().map(|(statement, position, name)| format!("{statement} {position} {name}\n")).collect()
    }

    /// Takes note of every position of a package.
    pub fn add(&mut self, package: &Package) {
        let Some(statement) = package.get(STATEMENT).map(sha256_hex) else { return };
        for party in package.filers() {
            for (_, name, bytes) in package.filed(party) {
                if !name.contains([' ', '\n', '\r']) {
                    self.0.insert((statement.clone(), sha256_hex(bytes), name));
                }
            }
        }
    }

    /// Whether a package still holds every position on its statement that was seen.
    ///
    /// # Errors
    /// Names the first that is missing or another one.
    pub fn check(&self, package: &Package) -> Result<(), Refusal> {
        let Some(own) = package.get(STATEMENT).map(sha256_hex) else { return Ok(()) };
        for (_, position, name) in self.0.iter().filter(|(statement, ..)| *statement == own) {
            match package.get(name) {
                Some(bytes) if sha256_hex(bytes) == *position => {}
                Some(_) => {
                    return Err(Refusal::new(format!(
                        "{name} is not the position that was seen before ({position})"
                    )));
                }
                None => {
                    return Err(Refusal::new(format!(
                        "{name}, which was seen before, is not in the package"
                    )));
                }
            }
        }
        Ok(())
    }
}
