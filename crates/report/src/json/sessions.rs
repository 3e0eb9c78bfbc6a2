//! `sessions.json`: processes of trees in which something was found, and logons over the network.

use super::{Ids, Time, write_pretty};
use crate::digest::lead_path;
use model::{Case, Logon, Process};
use std::io::{self, Write};

#[derive(serde::Serialize)]
struct SessionsShape<'a> {
    schema: &'static str,
    processes: Vec<ProcessShape<'a>>,
    processes_left_out: u64,
    logons: Vec<LogonShape<'a>>,
    logons_left_out: u64,
}

#[derive(serde::Serialize)]
struct ProcessShape<'a> {
    host: Option<&'a str>,
    parent: Option<u32>,
    time: Time,
    image: &'a str,
    command_line: &'a str,
    user: &'a str,
    process_id: &'a str,
    evidence: Option<&'a str>,
    offset: Option<u64>,
    record: Option<u64>,
    line: Option<u64>,
    findings: Ids<'a>,
}

#[derive(serde::Serialize)]
struct LogonShape<'a> {
    host: Option<&'a str>,
    source: &'a str,
    source_host: Option<&'a str>,
    user: &'a str,
    kind: &'a str,
    count: u64,
    first: Time,
    last: Time,
    suspicious: bool,
}

pub(crate) fn write_sessions_json(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let shape = SessionsShape {
        schema: "assay-sessions/1",
        processes: case.sessions.processes.iter().map(|process| process_shape(case, process)).collect(),
        processes_left_out: case.sessions.left_out.processes,
        logons: case.sessions.logons.iter().map(logon_shape).collect(),
        logons_left_out: case.sessions.left_out.logons,
    };
    write_pretty(&shape, out)
}

fn process_shape<'a>(case: &'a Case, process: &'a Process) -> ProcessShape<'a> {
    let (evidence, position) = process.place.unzip();
    ProcessShape {
        host: process.host.as_deref(),
        parent: process.parent,
        time: Time(process.time),
        image: &process.image,
        command_line: &process.command_line,
        user: &process.user,
        process_id: &process.process_id,
        evidence: evidence.and_then(|evidence| lead_path(case, evidence)),
        offset: position.map(|position| position.offset),
        record: position.and_then(|position| position.record),
        line: position.and_then(|position| position.line),
        findings: Ids(&process.findings),
    }
}

fn logon_shape(logon: &Logon) -> LogonShape<'_> {
    LogonShape {
        host: logon.host.as_deref(),
        source: &logon.source,
        source_host: logon.source_host.as_deref(),
        user: &logon.user,
        kind: &logon.kind,
        count: logon.count,
        first: Time(logon.span.first),
        last: Time(logon.span.last),
        suspicious: logon.suspicious,
    }
}
