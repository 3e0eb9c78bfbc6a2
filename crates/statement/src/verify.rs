//! What the steps of `VERIFY.md` say, said by us: step by step the same, up to the first that refuses.

use crate::closing::{list_name, newest, signature_name};
use crate::error::Refusal;
use crate::package::{Package, ROSTER, STATEMENT, TEXT};
use crate::roster::{RevokedKeys, Roster};
use crate::sshsig::{SigningKey, verify_file};
use crate::{CLOSING_NAMESPACE, VERIFY_MD, sha256_hex};
use std::collections::{BTreeMap, BTreeSet};

/// One step of `VERIFY.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number there.
    pub number: usize,
    /// Its heading there.
    pub title: &'static str,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Steps that passed.
    pub passed: Vec<Step>,
    /// The step that refused, and why; none: the package is verified.
    pub refused: Option<(Step, Refusal)>,
    /// The closing list looked at.
    pub closing: u32,
    /// SHA-256 of it: what the parties can tell a stranger.
    pub closing_sha256: String,
    /// Who closed it.
    pub closed_by: Vec<String>,
    /// What does not change the verdict and is worth knowing.
    pub notes: Vec<String>,
}

impl Verification {
    /// Whether every step passed.
    pub fn is_verified(&self) -> bool {
        self.refused.is_none()
    }
}

const TITLES: [&str; 7] = [
    "Only folders and regular files",
    "The newest closing list",
    "What every closing list names is there, unchanged",
    "Nothing else is there",
    "Everybody who must close has closed",
    "The files that a position speaks of",
    "Every position is signed by its party, and speaks of this statement, this text and this roster",
];

/// Checks a package against a roster and a list of parties that did not come with it, for the time `seconds` since 1970.
///
/// `parties` is who must have closed. `revoked` holds keys that are no longer good.
pub fn verify(
    package: &Package,
    roster: &Roster,
    parties: &[String],
    revoked: Option<&RevokedKeys>,
    seconds: u64,
) -> Verification {
    let closing = newest(package);
    let steps: [&dyn Fn() -> Result<(), Refusal>; 7] = [
        &|| check_regular(package),
        &|| {
            (closing > 0)
                .then_some(())
                .ok_or_else(|| Refusal::new("nobody has closed the package: it is a draft"))
        },
        &|| check_lists(package, closing),
        &|| check_set(package, closing),
        &|| check_closers(package, closing, roster, parties, revoked, seconds),
        &|| [STATEMENT, TEXT, ROSTER].into_iter().try_for_each(|name| package.must(name).map(|_| ())),
        &|| check_positions(package, roster, revoked, seconds),
    ];
    let mut passed = Vec::new();
    let mut refused = None;
    for (index, (check, title)) in steps.into_iter().zip(TITLES).enumerate() {
        let step = Step { number: index + 1, title };
        match check() {
            Ok(()) => passed.push(step),
            Err(refusal) => {
                refused = Some((step, refusal));
                break;
            }
        }
    }
    let closed_by = closers(package, closing).into_iter().map(str::to_owned).collect();
    let closing_sha256 = package.get(&list_name(closing)).map(sha256_hex).unwrap_or_default();
    Verification { passed, refused, closing, closing_sha256, closed_by, notes: notes(package, roster) }
}

fn notes(package: &Package, roster: &Roster) -> Vec<String> {
    let mut notes = Vec::new();
    if package.get("VERIFY.md").is_some_and(|bytes| bytes != VERIFY_MD.as_bytes()) {
        notes.push(
            "VERIFY.md of the package is not the one that this program brings: do not follow it".to_owned(),
        );
    }
    match package.statement() {
        Ok(statement) => {
            let text = crate::text::render_statement(&statement);
            if package.get(TEXT).is_some_and(|bytes| bytes != text.as_bytes()) {
                notes.push(
                    "statement.txt is not how this program writes statement.json as text: compare them"
                        .to_owned(),
                );
            }
            if statement.synthetic {
                notes.push("the statement rests on synthetic evidence".to_owned());
            }
        }
        Err(error) => notes.push(error.to_string()),
    }
    if !roster.bad_lines.is_empty() {
        let lines: Vec<String> = roster.bad_lines.iter().map(ToString::to_string).collect();
        notes.push(format!("lines of the roster that cannot be read and do not count: {}", lines.join(", ")));
    }
    notes
}

fn check_regular(package: &Package) -> Result<(), Refusal> {
    match package.strange().first() {
        None => Ok(()),
        Some(name) => Err(Refusal::new(format!("{name}: a link or a device is in the package"))),
    }
}

/// The entries of a list, of which every line has the form that the steps want.
fn entries(number: u32, bytes: &[u8]) -> Result<BTreeMap<&str, &str>, Refusal> {
    let wrong =
        |line: usize| Refusal::new(format!("{}:{line}: wanted HASH, two blanks, NAME", list_name(number)));
    let text = std::str::from_utf8(bytes).map_err(|error| {
        wrong(1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count())
    })?;
    let mut entries = BTreeMap::new();
    if text.is_empty() {
        return Err(wrong(1));
    }
    for (index, line) in text.strip_suffix('\n').unwrap_or(text).split('\n').enumerate() {
        let entry = line.split_at_checked(64).and_then(|(hash, rest)| Some((hash, rest.strip_prefix("  ")?)));
        let (hash, name) = entry.ok_or_else(|| wrong(index + 1))?;
        let is_hash = hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_name =
            name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-'))
                && name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !is_hash || !is_name {
            return Err(wrong(index + 1));
        }
        if entries.insert(name, hash).is_some() {
            return Err(Refusal::new(format!("{}:{}: {name} is named twice", list_name(number), index + 1)));
        }
    }
    Ok(entries)
}

/// Every list up to `newest` holds.
pub(crate) fn check_lists(package: &Package, newest: u32) -> Result<(), Refusal> {
    for number in 1..=newest {
        for (name, hash) in entries(number, package.must(&list_name(number))?)? {
            let found = package.get(name).map(sha256_hex);
            match found {
                Some(found) if found == hash => {}
                Some(found) => {
                    return Err(Refusal::new(format!(
                        "{name}: list {number} wants SHA-256 {hash}, found {found}"
                    )));
                }
                None => {
                    return Err(Refusal::new(format!("{name}: list {number} names it, and it is missing")));
                }
            }
        }
    }
    Ok(())
}

/// Who has signed a closing list, by the names of the files.
fn closers(package: &Package, number: u32) -> Vec<&str> {
    let folder = format!("closing/{number}/");
    let names = package.files().range(folder.clone()..).map(|(name, _)| name);
    let inside = names.map_while(|name| name.strip_prefix(&folder));
    inside
        .filter_map(|name| name.strip_suffix(".sig"))
        .filter(|party| !party.contains('/') && !party.starts_with('.') && !party.is_empty())
        .collect()
}

fn check_set(package: &Package, closing: u32) -> Result<(), Refusal> {
    let list = list_name(closing);
    let mut listed: BTreeSet<String> =
        entries(closing, package.must(&list)?)?.into_keys().map(str::to_owned).collect();
    let own: Vec<String> =
        closers(package, closing).into_iter().map(|party| signature_name(closing, party)).collect();
    if own.is_empty() {
        return Err(Refusal::new(format!("nobody has signed list {closing}")));
    }
    for name in own.into_iter().chain([list]) {
        if !listed.insert(name.clone()) {
            return Err(Refusal::new(format!("list {closing} names {name}, a file of the closing itself")));
        }
    }
    match package.files().keys().find(|name| !listed.contains(*name)) {
        None => Ok(()),
        Some(name) => Err(Refusal::new(format!("{name}: the list does not name it"))),
    }
}

fn check_revoked(key: &SigningKey, revoked: Option<&RevokedKeys>) -> Result<(), Refusal> {
    match revoked.is_some_and(|revoked| revoked.holds(key)) {
        true => Err(Refusal::new("the key is revoked")),
        false => Ok(()),
    }
}

fn check_closers(
    package: &Package,
    closing: u32,
    roster: &Roster,
    parties: &[String],
    revoked: Option<&RevokedKeys>,
    seconds: u64,
) -> Result<(), Refusal> {
    if parties.is_empty() {
        return Err(Refusal::new("nobody was named who must close"));
    }
    for party in parties {
        if package.get(&signature_name(closing, party)).is_none() {
            return Err(Refusal::new(format!("{party} has not closed list {closing}")));
        }
    }
    let list = package.must(&list_name(closing))?;
    for party in closers(package, closing) {
        let check = || {
            let key = verify_file(package.must(&signature_name(closing, party))?, list, CLOSING_NAMESPACE)?;
            check_revoked(&key, revoked)?;
            roster.check(&key, party, CLOSING_NAMESPACE, seconds)
        };
        check()
            .map_err(|why| Refusal::new(format!("the closing signature of {party} does not hold: {why}")))?;
    }
    Ok(())
}

pub(crate) fn check_positions(
    package: &Package,
    roster: &Roster,
    revoked: Option<&RevokedKeys>,
    seconds: u64,
) -> Result<(), Refusal> {
    let hash = |name| package.must(name).map(sha256_hex);
    let (statement, text, own_roster) = (hash(STATEMENT)?, hash(TEXT)?, hash(ROSTER)?);
    let mut seen = BTreeSet::new();
    for party in package.filers() {
        let mut before = "null".to_owned();
        for (number, name, bytes) in package.filed(party) {
            let key = package.check_signature(party, &name, bytes, roster, seconds);
            let key = key.and_then(|key| check_revoked(&key, revoked).map(|()| key));
            key.map_err(|why| Refusal::new(format!("the signature of {name} does not hold: {why}")))?;
            let holds = |wanted: &str, what: &str| match contains(bytes, wanted.as_bytes()) {
                true => Ok(()),
                false => Err(Refusal::new(format!("{name}: {what}: wanted {wanted}"))),
            };
            holds(&format!("\"number\":{number},\"party\":\"{party}\","), "another position")?;
            holds(&format!("\"roster_sha256\":\"{own_roster}\","), "another roster")?;
            holds(
                &format!(
                    "\"statement_sha256\":\"{statement}\",\"supersedes\":{before},\"text_sha256\":\"{text}\""
                ),
                "another statement, or another position before it",
            )?;
            before = format!("\"{}\"", sha256_hex(bytes));
            seen.insert(format!("{name}.sig"));
            seen.insert(name);
        }
    }
    if seen.is_empty() {
        return Err(Refusal::new("nobody has filed a position"));
    }
    match package.files().keys().find(|name| name.starts_with("positions/") && !seen.contains(*name)) {
        None => Ok(()),
        Some(name) => Err(Refusal::new(format!("{name}: no position in order"))),
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
