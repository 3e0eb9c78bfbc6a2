//! Doors for the fuzz targets: damaged input must come back, with whatever answer.

use crate::package::Package;
use crate::roster::{RevokedKeys, Roster};
use crate::{ClauseStanding, Record, Statement, View};
use std::collections::BTreeMap;
use stix::Audience;

/// Reads the bytes as a draft, a record, and a position of a package.
pub fn statement(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(statement) = crate::parse_statement("fuzz", &text) {
        let rendered = crate::render_statement(&statement);
        assert!(
            !rendered.chars().any(|c| c != '\n' && model::is_dangerous(c)),
            "a hidden character was rendered"
        );
        let _ = crate::parse_position("fuzz", &text, &statement);
    }
    if let Ok(record) = crate::parse_record("fuzz", &text) {
        render(&record.statement, crate::record_standing(&record), Some(&record));
    }
}

/// Renders for everybody, and for whoever holds it.
fn render(statement: &Statement, standings: Vec<ClauseStanding<'_>>, record: Option<&Record>) {
    for audience in [None, Some(Audience::Public)] {
        if let Ok(view) = View::new(statement, standings.clone(), audience.as_ref()) {
            let view = view.of_record(record);
            let _ = crate::render_positions(&view);
            let _ = crate::stix_bundle(&view, model::Timestamp::from_nanos(0));
        }
    }
}

/// Reads the bytes as a signature, a roster, a list of revoked keys, and a key.
pub fn signature(data: &[u8]) {
    let _ = crate::sshsig::verify_file(data, b"message", crate::POSITION_NAMESPACE);
    let _ = Roster::read(data);
    let _ = RevokedKeys::read(data);
    let _ = crate::sshsig::SigningKey::read(data);
    let _ = crate::read_public(&String::from_utf8_lossy(data));
}

/// Takes the bytes for a package: files one behind the other, each behind a line `NAME LENGTH`. The packaged roster
/// stands in for the one from elsewhere, so that damage gets past the signatures where there are none to check.
pub fn package(data: &[u8]) {
    let mut files = BTreeMap::new();
    let mut rest = data;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        let Some((name, length)) = line.rsplit_once(' ') else { break };
        let Some((bytes, behind)) = length.parse().ok().and_then(|length| rest.split_at_checked(length))
        else {
            break;
        };
        files.insert(name.to_owned(), bytes.to_vec());
        rest = behind;
    }
    let Ok(package) = Package::of_files(files, Vec::new()) else { return };
    let roster = package.own_roster().or_else(|_| Roster::read(b""));
    let Ok(roster) = roster else { return };
    let seconds = 1_626_696_000;
    let _ = crate::verify(&package, &roster, &roster.principals(), None, seconds);
    if let Ok(statement) = package.statement() {
        let (positions, _) = package.positions(&statement, &roster, None);
        render(&statement, crate::standing(&statement, &positions), None);
    }
}
