//! The scenarios: which acts, when, on which server, and what its logs keep.
//!
//! They take place in a made-up organisation, those here in March 2021, the other
//! chains (`other_chains`) in their own time. Times are the same
//! for every seed; names, numbers and the noise are the seed's.

use crate::Scenario;
use crate::chain::{self, ShellFolder, Visit};
use crate::dice::Dice;
use crate::host::{Build, Host, later, march};
use crate::noise::{self, Volume};
use crate::server::Server;
use crate::truth::Grade::Likely;
use crate::truth::Question::{self, *};
use crate::truth::{HostFacts, Truth, TruthIntrusion, answers};
use crate::windows::ProcessAudit;
use std::io;

mod other_chains;

/// A scenario while it is made: its servers, each with what is known of it.
struct Stage {
    about: &'static str,
    servers: Vec<(Server, bool, &'static [Question])>,
    intrusions: Vec<TruthIntrusion>,
}

type Make = fn(&mut Dice) -> Stage;

/// Name and maker of each scenario.
const SCENARIOS: [(&str, Make); 17] = [
    ("exchange-2021", exchange_2021),
    ("probed-only", probed_only),
    ("clean", clean),
    ("cleaned-up", cleaned_up),
    ("logs-cleared", logs_cleared),
    ("two-intruders", two_intruders),
    ("no-sysmon", no_sysmon),
    ("patched", patched),
    ("proxyshell", other_chains::proxyshell),
    ("proxyshell-open", other_chains::proxyshell_open),
    ("proxytoken", other_chains::proxytoken),
    ("proxynotshell", other_chains::proxynotshell),
    ("owassrf", other_chains::owassrf),
    ("viewstate", other_chains::viewstate),
    ("app-deserialisation", other_chains::app_deserialisation),
    ("chains-refused", other_chains::chains_refused),
    ("two-chains", other_chains::two_chains),
];

const NAMES: [&str; SCENARIOS.len()] = {
    let mut names = [""; SCENARIOS.len()];
    let mut index = 0;
    while index < SCENARIOS.len() {
        names[index] = SCENARIOS[index].0;
        index += 1;
    }
    names
};

/// The names that [`make`] knows.
pub(crate) fn names() -> &'static [&'static str] {
    &NAMES
}

/// Makes the scenario `name`; `None` when there is none of that name.
pub(crate) fn make(name: &str, seed: u64) -> Option<io::Result<Scenario>> {
    let (name, maker) = SCENARIOS.into_iter().find(|(known, _)| *known == name)?;
    Some(finish(name, maker(&mut Dice::new(seed, name))))
}

fn finish(name: &'static str, stage: Stage) -> io::Result<Scenario> {
    let mut truth = Truth { answers: Vec::new(), intrusions: stage.intrusions, who: Vec::new() };
    let mut files = Vec::new();
    for (server, shell_removed, blind) in stage.servers {
        let facts = HostFacts {
            host: server.host.name,
            vulnerable: if server.host.build.vulnerable { server.build_span() } else { None },
            last_record: server.last_record(),
            shell_removed,
            closed: server.host.build.closed,
            blind,
        };
        truth.answers.extend(answers(&facts, &server.planted));
        files.extend(server.into_files()?);
    }
    files.sort();
    Ok(Scenario { name, about: stage.about.into(), files, truth })
}

/// Enough for tests; the example, which is kept in the repository, has less.
const USUAL: Volume = Volume { probes: 2, events: 2, work_hour_step: 1 };
const SMALL: Volume = Volume { probes: 2, events: 1, work_hour_step: 3 };
const SCRIPTED: &str = "python-requests/2.25.1";
const SCANNER: &str = "ExchangeServicesClient/0.0.0.0";

fn host(name: &'static str, address: &'static str, build: Build) -> Host {
    Host { name, address, build, in_own_folder: false }
}

fn intrusion(number: u32, visit: &Visit, sources: &[&str]) -> TruthIntrusion {
    let mut sources: Vec<String> = sources.iter().map(|source| (*source).into()).collect();
    sources.push(visit.source.into());
    sources.sort();
    sources.dedup();
    TruthIntrusion { number, hosts: vec!["MXS01".into()], sources, web_shells: vec![visit.shell_file()] }
}

/// Somebody who tries every server and gets nowhere.
fn mass_scanner(dice: &mut Dice) -> Visit {
    Visit::new("198.51.100.140", SCANNER, ShellFolder::OwaAuth, dice)
}

fn exchange_2021(dice: &mut Dice) -> Stage {
    let span = (march(3, 0, 0, 0), march(6, 6, 0, 0));
    let first = Host { in_own_folder: true, ..host("MXS01", "10.20.0.11", Build::E2016_CU18) };
    let mut server = Server::new(first, span);
    noise::fill(&mut server, SMALL, dice);
    let scanner = mass_scanner(dice);
    chain::refused(&mut server, &scanner, march(3, 4, 41, 17), 400, dice);
    let visit = Visit::new("203.0.113.7", SCRIPTED, ShellFolder::OwaAuth, dice);
    chain::entry(&mut server, &visit, march(3, 5, 11, 2), dice);
    chain::write_shell(&mut server, &visit, march(3, 5, 11, 28), dice);
    chain::mail_over_ssrf(&mut server, &visit, march(3, 5, 20, 6), 4, dice);
    chain::compiled(&mut server, &visit, march(5, 2, 14, 48), dice);
    let (second, third) = ("198.51.100.23", "198.51.100.77");
    chain::discovery(&mut server, &visit, march(5, 2, 14, 50), second, dice);
    chain::lsass_dump(&mut server, &visit, march(5, 2, 27, 9), second, dice);
    chain::mailbox_export(&mut server, &visit, march(5, 2, 41, 33), third, dice);
    chain::stage_and_fetch(&mut server, &visit, march(5, 3, 2, 14), third, dice);

    let other = Host { in_own_folder: true, ..host("MXS02", "10.20.0.12", Build::E2016_CU18) };
    let mut spared = Server::new(other, (span.0, march(5, 0, 0, 0)));
    noise::fill(&mut spared, Volume { probes: 1, ..SMALL }, dice);
    chain::refused(&mut spared, &scanner, march(3, 4, 41, 52), 400, dice);
    chain::refused(&mut spared, &scanner, march(3, 4, 42, 1), 503, dice);
    chain::shell_not_there(
        &mut spared,
        scanner.source,
        march(4, 19, 7, 40),
        "/aspnet_client/discover.aspx",
        SCANNER,
        dice,
    );
    Stage {
        about: "Two servers. MXS01 was entered over CVE-2021-26855 and -27065; two days later the web shell was \
                used from two other addresses for an LSASS dump, a mailbox export and a fetched archive. MXS02 \
                was only probed.",
        servers: vec![(server, false, &[]), (spared, false, &[])],
        intrusions: vec![intrusion(1, &visit, &[second, third])],
    }
}

fn probed_only(dice: &mut Dice) -> Stage {
    let mut server =
        Server::new(host("MXS01", "10.20.0.11", Build::E2016_CU18), (march(3, 0, 0, 0), march(5, 0, 0, 0)));
    noise::fill(&mut server, USUAL, dice);
    let scanner = mass_scanner(dice);
    chain::refused(&mut server, &scanner, march(3, 9, 30, 11), 400, dice);
    chain::refused(&mut server, &scanner, march(3, 21, 5, 47), 503, dice);
    let stems = ["/owa/auth/shell.aspx", "/aspnet_client/supp0rt.aspx", "/aspnet_client/discover.aspx"];
    for (index, stem) in stems.into_iter().enumerate() {
        let time = later(march(4, 1, 12, 30), index as i64 * 2_000);
        chain::shell_not_there(&mut server, "203.0.113.180", time, stem, SCRIPTED, dice);
    }
    Stage {
        about: "A vulnerable server that was tried by scanners, for the hole and for other people's web shells; \
                everything was refused.",
        servers: vec![(server, false, &[])],
        intrusions: Vec::new(),
    }
}

fn clean(dice: &mut Dice) -> Stage {
    let mut server = Server::new(
        host("MXS01", "10.20.0.11", Build::E2016_CU19_UPDATED),
        (march(8, 0, 0, 0), march(10, 0, 0, 0)),
    );
    noise::fill(&mut server, USUAL, dice);
    noise::microsoft_scanner(&mut server, march(9, 8, 15, 0), dice);
    noise::odd_probes(&mut server, march(9, 3, 0, 0), dice);
    Stage {
        about: "An updated server on which nothing happened; its administrator ran Microsoft's own scanner, and \
                some of its health probes look odd.",
        servers: vec![(server, false, &[])],
        intrusions: Vec::new(),
    }
}

fn patched(dice: &mut Dice) -> Stage {
    let mut server = Server::new(
        host("MXS01", "10.20.0.11", Build::E2016_CU18_UPDATED),
        (march(6, 0, 0, 0), march(8, 0, 0, 0)),
    );
    noise::fill(&mut server, USUAL, dice);
    let scanner = mass_scanner(dice);
    for hour in [3, 9, 16] {
        chain::refused(&mut server, &scanner, march(7, hour, 22, 5), 400, dice);
    }
    Stage {
        about: "A server that was updated before its logs begin; the attempts were refused.",
        servers: vec![(server, false, &[])],
        intrusions: Vec::new(),
    }
}

fn cleaned_up(dice: &mut Dice) -> Stage {
    let mut server =
        Server::new(host("MXS01", "10.20.0.11", Build::E2016_CU18), (march(2, 0, 0, 0), march(5, 6, 0, 0)));
    noise::fill(&mut server, USUAL, dice);
    let visit = Visit::new("203.0.113.54", SCRIPTED, ShellFolder::AspnetClient, dice);
    chain::entry(&mut server, &visit, march(2, 22, 3, 40), dice);
    chain::write_shell(&mut server, &visit, march(2, 22, 4, 6), dice);
    chain::compiled(&mut server, &visit, march(2, 22, 9, 12), dice);
    chain::discovery(&mut server, &visit, march(2, 22, 9, 14), visit.source, dice);
    chain::lsass_dump(&mut server, &visit, march(2, 22, 16, 3), visit.source, dice);
    chain::clean_up(&mut server, &visit, march(3, 1, 30, 20), visit.source, dice);
    let gone = visit.shell_stem();
    chain::shell_not_there(&mut server, "198.51.100.91", march(4, 14, 0, 9), &gone, SCRIPTED, dice);
    Stage {
        about: "A server that was entered and used for some hours; the intruder then deleted the web shell and \
                repaired the virtual directory. The logs are whole.",
        servers: vec![(server, true, &[])],
        intrusions: vec![intrusion(1, &visit, &[])],
    }
}

/// The log of what the intruder did is gone, but for the ECP log, the cmdlet
/// log and what IIS shows a day later; that it was removed shows.
fn logs_cleared(dice: &mut Dice) -> Stage {
    let mut server =
        Server::new(host("MXS01", "10.20.0.11", Build::E2016_CU18), (march(2, 0, 0, 0), march(5, 4, 0, 0)));
    let start = server.span.0;
    let cleared = march(4, 6, 10, 4);
    // Hours of two logs are gone without a trace of who took them …
    server.proxy_holes.push((march(3, 12, 0, 0), march(4, 6, 0, 0)));
    server.web_holes.push((march(4, 0, 0, 0), march(5, 0, 0, 0)));
    server.channels.insert("Microsoft-Windows-Sysmon/Operational", vec![(march(3, 12, 0, 0), cleared)]);
    // … and three were cleared as a whole.
    for channel in ["Application", "Security", "System"] {
        server.channels.insert(channel, vec![(start, cleared)]);
    }
    noise::fill(&mut server, USUAL, dice);
    let scanner = mass_scanner(dice);
    chain::refused(&mut server, &scanner, march(3, 4, 41, 17), 400, dice);
    let visit = Visit::new("203.0.113.99", SCRIPTED, ShellFolder::OwaAuth, dice);
    let supports = &[(Exploited, Likely), (WebShellWritten, Likely), (Persistence, Likely)];
    chain::directory_set(&mut server, &visit, march(4, 2, 40, 8), supports, dice);
    chain::clear_logs(&mut server, cleared, dice);
    for minute in [51, 58] {
        chain::shell_request(&mut server, &visit, march(5, 2, minute, 31), visit.source, dice);
    }
    Stage {
        about: "A server whose Security, System and Application logs were cleared, with hours of HttpProxy and \
                Sysmon and a day of IIS missing; what the ECP, cmdlet and IIS logs keep points to a web shell.",
        servers: vec![(
            server,
            false,
            // For six hours neither HttpProxy nor IIS keeps anything, and just then the intruder was at work.
            &[
                ProxyShell,
                ProxyToken,
                ProxyNotShell,
                Owassrf,
                CredentialsTaken,
                MailTaken,
                LateralMovement,
                Exfiltration,
            ],
        )],
        intrusions: vec![intrusion(1, &visit, &[])],
    }
}

fn two_intruders(dice: &mut Dice) -> Stage {
    let mut server =
        Server::new(host("MXS01", "10.20.0.11", Build::E2016_CU18), (march(3, 0, 0, 0), march(5, 12, 0, 0)));
    noise::fill(&mut server, USUAL, dice);
    let first = Visit::new("203.0.113.7", SCRIPTED, ShellFolder::OwaAuth, dice);
    let second = Visit::new("198.51.100.66", SCANNER, ShellFolder::AspnetClient, dice);
    chain::entry(&mut server, &first, march(3, 6, 2, 11), dice);
    chain::write_shell(&mut server, &first, march(3, 6, 2, 40), dice);
    chain::compiled(&mut server, &first, march(3, 23, 40, 1), dice);
    chain::lsass_dump(&mut server, &first, march(3, 23, 40, 4), first.source, dice);
    chain::entry(&mut server, &second, march(4, 13, 18, 30), dice);
    chain::write_shell(&mut server, &second, march(4, 13, 19, 1), dice);
    chain::unified_messaging(&mut server, march(4, 13, 25, 40), dice);
    chain::oab_write(&mut server, &second, march(4, 13, 26, 12), dice);
    chain::compiled(&mut server, &second, march(4, 13, 31, 20), dice);
    chain::account(&mut server, &second, march(4, 13, 31, 22), "198.51.100.67", dice);
    chain::service(&mut server, &second, march(4, 13, 40, 6), "198.51.100.67", dice);
    chain::discovery(&mut server, &first, march(4, 20, 11, 5), first.source, dice);
    chain::remote_execution(&mut server, &second, march(5, 8, 44, 19), "198.51.100.67", dice);
    Stage {
        about: "One server, two intruders who know nothing of each other: other addresses, other web shells, \
                overlapping days.",
        servers: vec![(server, false, &[])],
        intrusions: vec![intrusion(1, &first, &[]), intrusion(2, &second, &["198.51.100.67"])],
    }
}

/// The entry is older than the logs; only IIS shows that a shell is used.
fn no_sysmon(dice: &mut Dice) -> Stage {
    let mut server =
        Server::new(host("MXS01", "10.20.0.11", Build::E2013_CU23), (march(10, 0, 0, 0), march(14, 0, 0, 0)));
    server.channels.remove("Microsoft-Windows-Sysmon/Operational");
    server.process_audit = ProcessAudit::NameOnly;
    server.proxy_holes.push((march(10, 0, 0, 0), march(13, 0, 0, 0)));
    noise::fill(&mut server, USUAL, dice);
    let visit = Visit::new("203.0.113.54", SCRIPTED, ShellFolder::AspnetClient, dice);
    for (minute, second) in [(14, 3), (15, 40), (21, 12)] {
        chain::shell_request(&mut server, &visit, march(11, 3, minute, second), visit.source, dice);
    }
    Stage {
        about: "An old server without Sysmon, without command lines in Security 4688, and with HttpProxy logs \
                of the last day only; IIS shows requests to a web shell.",
        servers: vec![(
            server,
            false,
            &[
                Probed,
                Exploited,
                WebShellWritten,
                CredentialsTaken,
                MailTaken,
                Persistence,
                LateralMovement,
                Exfiltration,
                StillIn,
            ],
        )],
        intrusions: vec![intrusion(1, &visit, &[])],
    }
}
