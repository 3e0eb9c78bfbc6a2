//! The chains on Exchange beside that of March 2021, each in its own time.

use super::{SCANNER, SCRIPTED, Stage, USUAL, host, intrusion, mass_scanner};
use crate::chain::{self, ShellFolder, Visit};
use crate::chain_others::{self, Way};
use crate::dice::Dice;
use crate::host::{Build, Host, Month};
use crate::noise;
use crate::server::Server;
use crate::truth::TruthIntrusion;

/// A server whose logs begin with a day of the month, two and a half days long.
fn server(build: Build, month: Month, day: u32, dice: &mut Dice) -> Server {
    named(host("MXS01", "10.20.0.11", build), month, day, dice)
}

fn named(host: Host, month: Month, day: u32, dice: &mut Dice) -> Server {
    let mut server = Server::new(host, (month.at(day, 0, 0, 0), month.at(day + 2, 12, 0, 0)));
    noise::fill(&mut server, USUAL, dice);
    noise::alike_to_other_chains(&mut server, month.at(day, 10, 4, 0), dice);
    server
}

fn alone(about: &'static str, server: Server, intrusions: Vec<TruthIntrusion>) -> Stage {
    Stage { about, servers: vec![(server, false, &[])], intrusions }
}

/// An intruder who leaves no page.
fn pageless(visit: &Visit) -> TruthIntrusion {
    TruthIntrusion { web_shells: Vec::new(), ..intrusion(1, visit, &[]) }
}

pub(super) fn proxyshell(dice: &mut Dice) -> Stage {
    let month = Month::AUGUST_2021;
    let mut server = server(Build::E2016_CU19_UPDATED, month, 11, dice);
    chain_others::proxyshell_asked(&mut server, "198.51.100.140", month.at(11, 3, 9, 12), 200, dice);
    let visit = Visit::new("203.0.113.7", SCRIPTED, ShellFolder::AspnetClient, dice);
    chain_others::proxyshell(&mut server, &visit, month.at(11, 14, 20, 3), dice);
    chain::compiled(&mut server, &visit, month.at(12, 2, 14, 48), dice);
    chain::discovery(&mut server, &visit, month.at(12, 2, 14, 50), "198.51.100.23", dice);
    chain::lsass_dump(&mut server, &visit, month.at(12, 2, 27, 9), "198.51.100.23", dice);
    let sources = [intrusion(1, &visit, &["198.51.100.23"])];
    alone(
        "A server with the fixes of March 2021 was entered over ProxyShell: a mailbox was exported to a page, and \
         the page used a day later from another address for an LSASS dump.",
        server,
        sources.into(),
    )
}

pub(super) fn proxyshell_open(dice: &mut Dice) -> Stage {
    let month = Month::AUGUST_2021;
    let mut server = server(Build::E2016_CU19_UPDATED, month, 9, dice);
    chain_others::proxyshell_asked(&mut server, "198.51.100.140", month.at(9, 21, 40, 2), 200, dice);
    chain_others::proxyshell_asked(&mut server, "198.51.100.141", month.at(10, 4, 2, 51), 200, dice);
    alone(
        "A server on which ProxyShell was open to scanners that only asked; nobody came in.",
        server,
        Vec::new(),
    )
}

pub(super) fn proxytoken(dice: &mut Dice) -> Stage {
    let month = Month::AUGUST_2021;
    let mut server = server(Build::E2016_CU19_UPDATED, month, 29, dice);
    let visit = Visit::new("203.0.113.29", SCRIPTED, ShellFolder::OwaAuth, dice);
    chain_others::proxytoken(&mut server, visit.source, visit.agent, month.at(29, 20, 11, 40), dice);
    let who = pageless(&visit);
    alone(
        "Somebody without a logon made an inbox rule that sends a user's mail elsewhere.",
        server,
        vec![who],
    )
}

pub(super) fn proxynotshell(dice: &mut Dice) -> Stage {
    let month = Month::SEPTEMBER_2022;
    over(
        Way::ProxyNotShell,
        Build::E2016_CU23_AUGUST,
        month,
        20,
        "ProxyNotShell, with a user's password",
        dice,
    )
}

pub(super) fn owassrf(dice: &mut Dice) -> Stage {
    let month = Month::DECEMBER_2022;
    over(Way::Owassrf, Build::E2016_CU23_AUGUST, month, 5, "OWASSRF, with a user's password", dice)
}

pub(super) fn viewstate(dice: &mut Dice) -> Stage {
    let month = Month::MARCH_2020;
    over(Way::ViewState, Build::E2016_CU15, month, 3, "a view state in ECP (CVE-2020-0688)", dice)
}

pub(super) fn app_deserialisation(dice: &mut Dice) -> Stage {
    let month = Month::NOVEMBER_2021;
    over(Way::App, Build::E2016_CU22_OCTOBER, month, 4, "an object in Get-App (CVE-2021-42321)", dice)
}

/// Code run in the web server without a page, a day before the records end.
fn over(way: Way, build: Build, month: Month, day: u32, about: &'static str, dice: &mut Dice) -> Stage {
    let mut server = server(build, month, day, dice);
    let visit = Visit::new("203.0.113.99", SCRIPTED, ShellFolder::OwaAuth, dice);
    chain_others::run_over(&mut server, way, &visit, month.at(day + 1, 3, 17, 22), dice);
    let who = pageless(&visit);
    alone(about, server, vec![who])
}

pub(super) fn chains_refused(dice: &mut Dice) -> Stage {
    let month = Month::DECEMBER_2022;
    let own = |name, address, build| Host { in_own_folder: true, ..host(name, address, build) };
    let mut open = named(own("MXS01", "10.20.0.11", Build::E2016_CU18_UPDATED), month, 12, dice);
    let mut closed = named(own("MXS02", "10.20.0.12", Build::E2016_CU23_NOVEMBER), month, 12, dice);
    for server in [&mut open, &mut closed] {
        chain_others::proxyshell_asked(server, "198.51.100.140", month.at(12, 1, 9, 12), 401, dice);
        chain_others::refused(server, "203.0.113.180", month.at(13, 5, 30, 0), dice);
    }
    Stage {
        about: "Two servers on which every chain was tried and refused; one of them could have had them.",
        servers: vec![(open, false, &[]), (closed, false, &[])],
        intrusions: Vec::new(),
    }
}

pub(super) fn two_chains(dice: &mut Dice) -> Stage {
    let month = Month::AUGUST_2021;
    let mut server = server(Build::E2016_CU18, month, 16, dice);
    let scanner = mass_scanner(dice);
    chain::refused(&mut server, &scanner, month.at(16, 2, 2, 2), 400, dice);
    let first = Visit::new("203.0.113.7", SCRIPTED, ShellFolder::OwaAuth, dice);
    chain::entry(&mut server, &first, month.at(16, 6, 2, 11), dice);
    chain::write_shell(&mut server, &first, month.at(16, 6, 2, 40), dice);
    let second = Visit::new("198.51.100.66", SCANNER, ShellFolder::AspnetClient, dice);
    chain_others::proxyshell(&mut server, &second, month.at(16, 19, 30, 1), dice);
    chain::compiled(&mut server, &first, month.at(16, 23, 40, 1), dice);
    chain::lsass_dump(&mut server, &first, month.at(16, 23, 40, 4), first.source, dice);
    chain::compiled(&mut server, &second, month.at(17, 1, 12, 20), dice);
    chain::service(&mut server, &second, month.at(17, 1, 12, 22), "198.51.100.67", dice);
    Stage {
        about: "One server, two intruders: one over the chain of March 2021, one over ProxyShell.",
        servers: vec![(server, false, &[])],
        intrusions: vec![intrusion(1, &first, &[]), intrusion(2, &second, &["198.51.100.67"])],
    }
}
