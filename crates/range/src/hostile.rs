//! Inputs that are damaged or made to hurt whoever reads them: cut, flipped,
//! zeroed, lying, oddly named, without an end, far larger than they look.
//!
//! The same program makes the same bytes. Nothing here harms by itself: the
//! worst is a reader that takes more than its share of time or memory.
//!
//! [`LOSSES`] says which of them cost something that a reader must tell.
//!
//! # Not here
//! The scan: `crates/assay/tests/hostile.rs`, and `cargo xtask hostile` for the
//! large ones.

mod archives;
mod damage;
mod event_logs;
mod losses;
mod pack;
mod text_logs;
mod tree;

pub use losses::LOSSES;
pub use tree::{Size, write};

use crate::bulk;
use std::fmt::Write as _;
use std::io::{self, Cursor};

/// One input that is a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// Its file name, without a folder.
    pub name: String,
    /// What is wrong with it.
    pub about: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Input {
    fn new(name: &str, about: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), about: about.into(), bytes: bytes.into() }
    }
}

/// All inputs that are files of some megabytes at most.
///
/// # Errors
/// None that can be named: what is written, is written to memory.
pub fn inputs() -> io::Result<Vec<Input>> {
    let sound = Sound::new()?;
    let mut inputs = damage::inputs(&sound);
    inputs.extend(event_logs::inputs(&sound));
    inputs.extend(text_logs::inputs());
    inputs.extend(archives::inputs(&sound));
    Ok(inputs)
}

/// What is damaged: one sound file of each kind.
struct Sound {
    evtx: Vec<u8>,
    /// File name and bytes of each kind, EVTX among them.
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Sound {
    fn new() -> io::Result<Self> {
        let mut evtx = Cursor::new(Vec::new());
        bulk::write_evtx(&mut evtx, 200_000, bulk::ATTACK_PERCENT, 7)?;
        let evtx = evtx.into_inner();
        let mut proxy = Vec::new();
        bulk::write_http_proxy(&mut proxy, 40, 7)?;
        let logs = [("u_ex.log", web_log()), ("HttpProxy.LOG", proxy), ("events.jsonl", json_lines())];
        let members: Vec<pack::Member> =
            logs.iter().map(|(name, bytes)| pack::Member::new(name, bytes)).collect();
        let zip = pack::zip(&members);
        let tar = pack::tar(&logs);
        let gzip = pack::gzip(&logs[0].1);
        let mut files = vec![("Security.evtx", evtx.clone()), ("triage.zip", zip), ("triage.tar", tar)];
        files.push(("u_ex.log.gz", gzip));
        files.extend(logs);
        Ok(Self { evtx, files })
    }
}

fn web_log() -> Vec<u8> {
    let mut log = String::from(
        "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2021-03-04 00:00:00\n\
         #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status\n",
    );
    for minute in 0..60 {
        // Writing into a `String` cannot fail.
        let _ = writeln!(
            log,
            "2021-03-04 11:{minute:02}:07 192.0.2.10 GET /owa/auth/logon.aspx id={minute} 443 - 203.0.113.7 \
             assay-range+synthetic 200"
        );
    }
    log.into_bytes()
}

fn json_lines() -> Vec<u8> {
    let mut log = String::new();
    for index in 0..60 {
        let _ = writeln!(
            log,
            r#"{{"@timestamp":"2021-03-04T11:{index:02}:07Z","Channel":"Security","EventID":4688,"SourceName":"Microsoft-Windows-Security-Auditing","Hostname":"mxs01.example.test","RecordNumber":{index},"NewProcessName":"C:\\Windows\\System32\\{index}.exe","Message":"assay-range synthetic"}}"#
        );
    }
    log.into_bytes()
}
