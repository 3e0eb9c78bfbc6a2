//! The package: exact bytes under names. Files are added, and never changed or taken away.

use crate::error::{ReadError, Refusal};
use crate::key::Signer;
use crate::position::{self, ClausePosition, Position};
use crate::read::{FilledForm, read_position, read_statement};
use crate::roster::Roster;
use crate::sshsig::{SigningKey, verify_file};
use crate::statement::Statement;
use crate::{POSITION_NAMESPACE, VERIFY_MD, sha256_hex, text, wire};
use model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Files of a package.
pub const FILES_MAX: usize = 20_000;
/// Bytes of one file of a package.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(crate) const STATEMENT: &str = "statement.json";
pub(crate) const TEXT: &str = "statement.txt";
pub(crate) const ROSTER: &str = "roster.allowed_signers";
const EVIDENCE: &str = "evidence.sha256";
const VERIFY: &str = "VERIFY.md";

/// A package as it was read, whole or not: [`crate::verify()`] says what it is worth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    files: BTreeMap<String, Vec<u8>>,
    /// What is in the folder and is no regular file, or has a name that is no UTF-8.
    strange: Vec<String>,
}

/// Whether a text can be a party: its name in files, and its principal.
pub fn is_party(text: &str) -> bool {
    let fits = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    fits && (1..=40).contains(&text.len()) && !text.starts_with('-')
}

impl Package {
    /// A package of a statement that nobody has taken a position on.
    ///
    /// # Errors
    /// The roster is too long, or gives no key to a party.
    pub fn new(statement: &Statement, roster: &[u8]) -> Result<Self, Refusal> {
        let principals = Roster::read(roster)?;
        for party in &statement.parties {
            if !principals.knows(&party.id) {
                return Err(Refusal::new(format!("the roster has no line for {}", party.id)));
            }
        }
        let mut package = Self::default();
        for (name, bytes) in [
            (STATEMENT, wire::canonical(statement)),
            (TEXT, text::render_statement(statement).into_bytes()),
            (EVIDENCE, evidence_list(statement).into_bytes()),
            (ROSTER, roster.to_vec()),
            (VERIFY, VERIFY_MD.as_bytes().to_vec()),
        ] {
            package.files.insert(name.to_owned(), bytes);
        }
        Ok(package)
    }

    /// A package as it was found: its files by their `/`-relative names, and names of what is no regular file.
    ///
    /// # Errors
    /// More or longer files than a package may have.
    pub fn of_files(files: BTreeMap<String, Vec<u8>>, strange: Vec<String>) -> Result<Self, Refusal> {
        if files.len() > FILES_MAX {
            return Err(Refusal::new(format!("wanted at most {FILES_MAX} files, found {}", files.len())));
        }
        if let Some((name, bytes)) = files.iter().find(|(_, bytes)| bytes.len() > FILE_BYTES_MAX) {
            let found = bytes.len();
            return Err(Refusal::new(format!(
                "{name}: wanted at most {FILE_BYTES_MAX} bytes, found {found}"
            )));
        }
        Ok(Self { files, strange })
    }

    /// Its files, by name.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// What is no regular file.
    pub fn strange(&self) -> &[String] {
        &self.strange
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The bytes of a file that every package has.
    pub(crate) fn must(&self, name: &str) -> Result<&[u8], Refusal> {
        self.get(name).ok_or_else(|| Refusal::new(format!("{name} is missing")))
    }

    /// Adds a file; gives its name.
    pub(crate) fn add(&mut self, name: String, bytes: Vec<u8>) -> Result<String, Refusal> {
        if self.files.contains_key(&name) {
            return Err(Refusal::new(format!("{name} is there already; files of a package never change")));
        }
        self.files.insert(name.clone(), bytes);
        Ok(name)
    }

    /// Reads its statement.
    ///
    /// # Errors
    /// It is missing, or no statement.
    pub fn statement(&self) -> Result<Statement, ReadError> {
        let bytes = self.get(STATEMENT).ok_or_else(|| ReadError {
            file: STATEMENT.to_owned(),
            line: None,
            what: "wanted a statement, found no such file".to_owned(),
        })?;
        read_statement(bytes)
    }

    /// The roster that came with it, for signing and for a first look; [`crate::verify()`] takes another.
    ///
    /// # Errors
    /// It is missing or too long.
    pub fn own_roster(&self) -> Result<Roster, Refusal> {
        Roster::read(self.must(ROSTER)?)
    }

    /// Folders below `positions`, as `positions/*/` of a shell finds them.
    pub(crate) fn filers(&self) -> BTreeSet<&str> {
        let inside = self.files.keys().filter_map(|name| name.strip_prefix("positions/")?.split_once('/'));
        inside.map(|(party, _)| party).filter(|party| !party.starts_with('.')).collect()
    }

    /// The positions of one party in their order, up to the first number that is missing.
    pub(crate) fn filed(&self, party: &str) -> impl Iterator<Item = (u32, String, &[u8])> {
        let of = move |number: u32| {
            let name = position_name(party, number);
            self.get(&name).map(|bytes| (number, name, bytes))
        };
        (1..).map_while(of)
    }

    /// Reads every position whose signature holds by `roster`; and says of the others why they do not count.
    ///
    /// `at` is the time for which keys must be good, in seconds since 1970; without it, the time that each position gives.
    pub fn positions(
        &self,
        statement: &Statement,
        roster: &Roster,
        at: Option<u64>,
    ) -> (Vec<Position>, Vec<String>) {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for party in self.filers() {
            for (number, name, bytes) in self.filed(party) {
                let read = || {
                    let position = read_position(&name, bytes, statement).map_err(|error| error.what)?;
                    let filed = model::Timestamp::parse(&position.filed);
                    let at = at.or(filed.map(seconds)).ok_or("its time cannot be read")?;
                    self.check_signature(party, &name, bytes, roster, at).map_err(|refusal| refusal.0)?;
                    match position.party == party && position.number == number {
                        true => Ok(position),
                        false => Err("says that it is another position".to_owned()),
                    }
                };
                match read() {
                    Ok(position) => good.push(position),
                    Err(why) => bad.push(format!("{name}: {why}")),
                }
            }
        }
        (good, bad)
    }

    /// Whether the signature beside a position is its party's.
    pub(crate) fn check_signature(
        &self,
        party: &str,
        name: &str,
        bytes: &[u8],
        roster: &Roster,
        seconds: u64,
    ) -> Result<SigningKey, Refusal> {
        let signature = self.must(&format!("{name}.sig"))?;
        let key = verify_file(signature, bytes, POSITION_NAMESPACE)?;
        roster.check(&key, party, POSITION_NAMESPACE, seconds)?;
        Ok(key)
    }

    /// Files a position: makes it, signs it, adds both; gives the names of the new files.
    ///
    /// # Errors
    /// The statement rests on made evidence; the party is not asked, or its last position cannot be read; the key is not
    /// the party's by the roster in the package.
    pub fn file(
        &mut self,
        form: FilledForm,
        now: Timestamp,
        signer: &dyn Signer,
    ) -> Result<Vec<String>, Refusal> {
        let statement = self.statement().map_err(|error| Refusal::new(error.to_string()))?;
        refuse_synthetic(&statement)?;
        let party = form.party;
        if !is_party(&party) || !statement.parties.iter().any(|own| own.id == party) {
            return Err(Refusal::new(format!("{party} is not a party of this statement")));
        }
        let (number, supersedes) = match self.filed(&party).last() {
            Some((number, _, bytes)) => (number + 1, Some(sha256_hex(bytes))),
            None => (1, None),
        };
        let position = Position {
            schema: position::SCHEMA.to_owned(),
            party: party.clone(),
            number,
            filed: now.to_string(),
            statement_sha256: sha256_hex(self.must(STATEMENT)?),
            text_sha256: sha256_hex(self.must(TEXT)?),
            roster_sha256: sha256_hex(self.must(ROSTER)?),
            supersedes,
            remark: form.remark,
            clauses: form.clauses,
            tlp: form.tlp,
            recipients: form.recipients,
        };
        let bytes = wire::canonical(&position);
        // What we write, we read.
        let name = position_name(&party, number);
        read_position(&name, &bytes, &statement).map_err(|error| Refusal::new(error.to_string()))?;
        let signature = signer.sign(POSITION_NAMESPACE, &bytes)?;
        let mut grown = self.clone();
        let names =
            vec![grown.add(name.clone(), bytes.clone())?, grown.add(format!("{name}.sig"), signature)?];
        grown.check_signature(&party, &name, &bytes, &self.own_roster()?, seconds(now))?;
        *self = grown;
        Ok(names)
    }

    /// Withdraws what a party said, of the clauses named or of all: a new position, without them.
    ///
    /// # Errors
    /// The party has no position, or none on a clause named; and as [`Package::file`].
    pub fn withdraw(
        &mut self,
        party: &str,
        clauses: &[String],
        reason: &str,
        now: Timestamp,
        signer: &dyn Signer,
    ) -> Result<Vec<String>, Refusal> {
        let statement = self.statement().map_err(|error| Refusal::new(error.to_string()))?;
        let Some((_, name, bytes)) = self.filed(party).last() else {
            return Err(Refusal::new(format!("{party} has filed no position")));
        };
        let last =
            read_position(&name, bytes, &statement).map_err(|error| Refusal::new(error.to_string()))?;
        if let Some(clause) = clauses.iter().find(|id| !last.clauses.iter().any(|own| own.clause == **id)) {
            return Err(Refusal::new(format!("{party} has no position on {clause}")));
        }
        if last.clauses.is_empty() {
            return Err(Refusal::new(format!("{party} has withdrawn its position already")));
        }
        let stays = |own: &ClausePosition| !clauses.is_empty() && !clauses.contains(&own.clause);
        let clauses = last.clauses.into_iter().filter(stays).collect();
        let (party, remark) = (party.to_owned(), reason.to_owned());
        let form = FilledForm { party, remark, tlp: last.tlp, recipients: last.recipients, clauses };
        self.file(form, now, signer)
    }
}

/// Made evidence shows what the program does, and nothing about anybody.
pub(crate) fn refuse_synthetic(statement: &Statement) -> Result<(), Refusal> {
    match statement.synthetic {
        true => Err(Refusal::new("the statement rests on synthetic evidence: it cannot be signed")),
        false => Ok(()),
    }
}

pub(crate) fn position_name(party: &str, number: u32) -> String {
    format!("positions/{party}/{number}.json")
}

pub(crate) fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.nanos() / 1_000_000_000).unwrap_or(0)
}

/// Hashes of the case files that grounds rest on; the files stay with their owners.
fn evidence_list(statement: &Statement) -> String {
    let mut lines = BTreeSet::new();
    for (_, ground) in statement.grounds() {
        if let Some(finding) = &ground.finding {
            lines.insert(format!("{}  {}/findings.jsonl\n", finding.findings_sha256, visible(&finding.case)));
        }
        if let Some(attribution) = &ground.attribution {
            lines.insert(format!(
                "{}  {}/attribution.json\n",
                attribution.attribution_sha256,
                visible(&attribution.case)
            ));
        }
    }
    lines.into_iter().collect()
}

fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '/' | '\\') { '_' } else { c }).collect()
}
