//! What a quiet server logs all day: health probes for the most part, then
//! people at work, then the background of any open port.
//!
//! Some 86 of 100 HttpProxy rows are probes, as on real servers; the volume is
//! scaled down, so that an example can be kept in a repository.
//!
//! # Not here
//! Anything that a casebook would count: what asks for a known hole or for
//! somebody's web shell is planted, not noise.

use crate::dice::Dice;
use crate::exchange::{EcpRow, ProxyRow};
use crate::host::{HEALTH_MAILBOXES, HOME_ADDRESSES, OFFICE_ADDRESSES, PEOPLE, later};
use crate::iis::{Site, WebRow};
use crate::server::{ALL_CHANNELS, Server};
use crate::windows::{self, Process};
use model::Timestamp;

const HOUR_MILLIS: i64 = 3_600_000;
const SYSTEM: &str = "NT AUTHORITY\\SYSTEM";
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/88.0.4324.190 Safari/537.36";

/// How much noise there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Volume {
    /// Health probes in each hour of each protocol that is always probed.
    pub(crate) probes: u64,
    /// Windows events in each hour of the busy channels.
    pub(crate) events: u64,
    /// People work in every so-many-th hour of the working day.
    pub(crate) work_hour_step: u32,
}

/// Protocols that have rows in every hour: the two entries of the chain.
const PROBED_ALWAYS: [&str; 2] = ["Ecp", "Owa"];
/// Protocols with rows in working hours only.
const PROBED_AT_WORK: [&str; 4] = ["Autodiscover", "Eas", "Ews", "Mapi"];
/// The working day: begin, end.
const WORK: (u32, u32) = (7, 18);

impl Volume {
    fn is_at_work(self, hour: u32) -> bool {
        (WORK.0..WORK.1).contains(&hour) && (hour - WORK.0).is_multiple_of(self.work_hour_step)
    }

    /// Rows of people in a working hour, so that 86 of 100 are probes.
    fn people(self) -> u64 {
        let work_hours = (WORK.0..WORK.1).filter(|hour| self.is_at_work(*hour)).count() as u64;
        let probes = 24 * self.probes * PROBED_ALWAYS.len() as u64 + work_hours * PROBED_AT_WORK.len() as u64;
        (probes * 14 / 86).div_ceil(work_hours.max(1))
    }
}

/// Fills the server's span with noise.
pub(crate) fn fill(server: &mut Server, volume: Volume, dice: &mut Dice) {
    let (from, to) = server.span;
    ALL_CHANNELS.iter().for_each(|channel| server.log_event(windows::mark(later(from, 1_000), channel)));
    let hours = (to.nanos() - from.nanos()) / (HOUR_MILLIS * 1_000_000);
    for hour in 0..hours {
        let start = later(from, hour * HOUR_MILLIS);
        let of_day = start.civil().3;
        let at_work = volume.is_at_work(of_day);
        for protocol in PROBED_ALWAYS {
            (0..volume.probes).for_each(|_| probe(server, some_time(start, dice), protocol, dice));
        }
        if at_work {
            for protocol in PROBED_AT_WORK {
                probe(server, some_time(start, dice), protocol, dice);
            }
            (0..volume.people()).for_each(|_| person(server, some_time(start, dice), dice));
        }
        if of_day % 12 == 2 {
            probe(server, some_time(start, dice), "PowerShell", dice);
            probe(server, some_time(start, dice), "Oab", dice);
        }
        if of_day % 6 == 2 {
            passer_by(server, some_time(start, dice), dice);
        }
        housekeeping(server, start, at_work, volume, dice);
    }
}

fn some_time(start: Timestamp, dice: &mut Dice) -> Timestamp {
    later(start, dice.between(20_000, HOUR_MILLIS as u64 - 20_000) as i64)
}

/// One row of monitoring, at the front and in IIS.
fn probe(server: &mut Server, time: Timestamp, protocol: &'static str, dice: &mut Dice) {
    let mailbox = dice.pick(&HEALTH_MAILBOXES);
    let (stem, method, agent) = match protocol {
        "Ecp" => ("/ecp/", "GET", "AMProbe/Local/ClientAccess"),
        "Ews" => ("/ews/", "GET", "AMProbe/Local/ClientAccess"),
        "Owa" => ("/owa/auth.owa", "POST", "AMProbe/Local/ClientAccess"),
        "Autodiscover" => ("/autodiscover/autodiscover.xml", "POST", "AMProbe/Local/ClientAccess"),
        "Eas" => ("/Microsoft-Server-ActiveSync/default.eas", "OPTIONS", "AMProbe/Local/ClientAccess"),
        "Mapi" => ("/mapi/emsmdb/", "POST", "MapiHttpClient"),
        "PowerShell" => ("/powershell", "POST", "Microsoft WinRM Client"),
        _ => ("/OAB/", "GET", "AMProbe/Local/ClientAccess"),
    };
    let local = dice.pick(&["127.0.0.1", "::1"]);
    let anchor = format!("Sid~S-1-5-21-1004336348-1177238915-682003330-{}", dice.between(1_140, 1_190));
    let row = ProxyRow {
        time,
        protocol,
        request_id: dice.guid_text(),
        url_host: "localhost".into(),
        url_stem: stem.into(),
        url_query: String::new(),
        method,
        user: Some(("Negotiate", format!("EXAMPLE\\{mailbox}"))),
        anchor_mailbox: anchor,
        agent: agent.into(),
        client: local.into(),
        status: 200,
        back_end_status: (protocol == "Mapi" || protocol == "PowerShell").then_some(200),
        error: "",
        millis_taken: dice.between(1, 60) as u32,
    };
    log_request(server, row, mailbox);
}

/// Logs a row of the proxy and, as IIS does, the same request there.
pub(crate) fn log_request(server: &mut Server, row: ProxyRow, user: &str) {
    server.log_web(WebRow {
        time: row.time,
        site: Site::Front,
        method: row.method,
        stem: row.url_stem.clone(),
        query: format!(
            "{}&CorrelationID=<empty>;&cafeReqId={};&encoding=;",
            row.url_query.trim_start_matches('?'),
            row.request_id
        ),
        user: user.into(),
        client: row.client.clone(),
        agent: row.agent.clone(),
        status: row.status,
        millis_taken: row.millis_taken,
    });
    server.log_proxy(row);
}

/// The same request where the front end passed it on to.
fn log_passed_on(server: &mut Server, row: &ProxyRow) {
    server.log_web(WebRow {
        time: row.time,
        site: Site::Back,
        method: row.method,
        stem: row.url_stem.clone(),
        query: row.url_query.trim_start_matches('?').into(),
        user: row.user.as_ref().map_or(String::new(), |(_, name)| name.clone()),
        client: server.host.address.into(),
        agent: row.agent.clone(),
        status: row.back_end_status.unwrap_or(row.status),
        millis_taken: row.millis_taken,
    });
}

/// Somebody reads mail, at home or at the office.
fn person(server: &mut Server, time: Timestamp, dice: &mut Dice) {
    let name = dice.pick(&PEOPLE);
    let from_home = dice.chance(50);
    let client = if from_home { dice.pick(&HOME_ADDRESSES) } else { dice.pick(&OFFICE_ADDRESSES) };
    let device = dice.hex(32);
    let (protocol, stem, query, method, agent) = match dice.below(4) {
        0 => ("Owa", "/owa/service.svc", "?action=FindItem&EP=1&ID=-31&AC=1".into(), "POST", BROWSER),
        1 => (
            "Eas",
            "/Microsoft-Server-ActiveSync/default.eas",
            format!("?Cmd=Ping&User={name}&DeviceId={device}&DeviceType=iPhone"),
            "POST",
            "Apple-iPhone12C1/1804.52",
        ),
        2 => ("Autodiscover", "/autodiscover/autodiscover.xml", String::new(), "POST", OUTLOOK),
        _ => (
            "Mapi",
            "/mapi/emsmdb/",
            format!("?MailboxId={}@example.test", dice.guid_text()),
            "POST",
            OUTLOOK,
        ),
    };
    let anchor = format!("Sid~S-1-5-21-1004336348-1177238915-682003330-{}", dice.between(1_110, 1_130));
    let row = ProxyRow {
        time,
        protocol,
        request_id: dice.guid_text(),
        url_host: "mail.example.com".into(),
        url_stem: stem.into(),
        url_query: query,
        method,
        user: Some(("NTLM", format!("EXAMPLE\\{name}"))),
        anchor_mailbox: anchor,
        agent: agent.into(),
        client: client.into(),
        status: 200,
        back_end_status: Some(200),
        error: "",
        millis_taken: dice.between(9, 400) as u32,
    };
    log_passed_on(server, &row);
    log_request(server, row, &format!("EXAMPLE\\{name}"));
}

const OUTLOOK: &str = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.13628; Pro)";

/// Somebody's crawler looks at the front page; no hole, no shell.
fn passer_by(server: &mut Server, time: Timestamp, dice: &mut Dice) {
    let client = format!("192.0.2.{}", dice.between(210, 250));
    let (stem, status) = match dice.below(3) {
        0 => ("/robots.txt", 404),
        1 => ("/favicon.ico", 404),
        _ => ("/", 302),
    };
    server.log_web(WebRow {
        time,
        site: Site::Front,
        method: "GET",
        stem: stem.into(),
        query: String::new(),
        user: String::new(),
        client,
        agent: "Mozilla/5.0 (compatible; ExampleCrawler/1.0; +https://crawler.example.com/)".into(),
        status,
        millis_taken: dice.between(1, 40) as u32,
    });
}

/// Windows and Exchange about themselves.
fn housekeeping(server: &mut Server, start: Timestamp, at_work: bool, volume: Volume, dice: &mut Dice) {
    for _ in 0..volume.events {
        let time = some_time(start, dice);
        let user = dice.pick(&HEALTH_MAILBOXES);
        match dice.below(4) {
            0 => server.log_event(windows::security_logon(time, user, 3, "10.20.0.11", false)),
            1 => {
                server.log_event(windows::security_logon(time, "SYSTEM", 5, "-", false));
                server.log_event(windows::security_privileges(later(time, 1), "SYSTEM"));
            }
            2 => server.log_event(windows::security_logon(time, dice.pick(&PEOPLE), 3, "10.20.4.17", true)),
            _ => {}
        }
        ordinary_deed(server, some_time(start, dice), dice);
    }
    ordinary_start(server, some_time(start, dice), dice);
    let time = some_time(start, dice);
    server.log_event(windows::service_state(
        time,
        dice.pick(&[
            "Windows Modules Installer",
            "WinHTTP Web Proxy Auto-Discovery Service",
            "Windows Update",
        ]),
        dice.pick(&["running", "stopped"]),
    ));
    let text = format!(
        "Process Microsoft.Exchange.Directory.TopologyService.exe (PID={}).",
        dice.between(2_000, 9_000)
    );
    server.log_event(windows::application(
        some_time(start, dice),
        "MSExchange ADAccess",
        2_080,
        4,
        vec![text],
    ));
    if at_work {
        let mailbox = dice.pick(&HEALTH_MAILBOXES);
        let parameters = format!("-Identity \"{mailbox}\" -AccountDisabled \"False\"");
        server.log_event(windows::cmdlet(
            some_time(start, dice),
            "Set-Mailbox",
            &parameters,
            "SYSTEM",
            false,
        ));
        server.log_ecp(EcpRow {
            time: some_time(start, dice),
            session: dice.guid_text(),
            activity: dice.guid_text(),
            command: "Get-InboxRule".into(),
            url: "/ecp/RulesEditor/InboxRules.svc/GetList?msExchEcpCanary=CANARY".into(),
        });
        server.log_oab(some_time(start, dice), "OAB generation finished; files written: 3");
    }
}

const HEALTH_WORKER: &str = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Bin\\MSExchangeHMWorker.exe";

fn health_worker(dice: &mut Dice) -> Process {
    let pipe = dice.between(600, 2_000);
    let command = format!("\"{HEALTH_WORKER}\" -pipe:{pipe} -stopkey:Global\\ExchangeStopKey");
    Process::new(dice, HEALTH_WORKER, &command, SYSTEM)
}

/// A process that every server starts now and then.
fn ordinary_start(server: &mut Server, time: Timestamp, dice: &mut Dice) {
    let image = "C:\\Windows\\System32\\services.exe";
    let services = Process::new(dice, image, image, SYSTEM);
    let process = if dice.chance(50) {
        let command = "C:\\Windows\\system32\\svchost.exe -k netsvcs -p";
        Process::new(dice, "C:\\Windows\\System32\\svchost.exe", command, SYSTEM)
    } else {
        health_worker(dice)
    };
    server.log_start(time, &process, &services);
}

/// A file, a registry value or a connection that every server has.
fn ordinary_deed(server: &mut Server, time: Timestamp, dice: &mut Dice) {
    let worker = health_worker(dice);
    let event = match dice.below(3) {
        0 => {
            let target =
                "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Logging\\Monitoring\\Monitoring.log";
            windows::sysmon_file(time, &worker, target)
        }
        1 => windows::sysmon_connection(time, &worker, &server.host, "10.20.0.5", 389),
        _ => {
            let value = "HKLM\\SOFTWARE\\Microsoft\\ExchangeServer\\v15\\ActiveMonitoring\\LastHeartbeat";
            windows::sysmon_registry(time, &worker, value, "Binary Data")
        }
    };
    server.log_event(event);
}

/// Microsoft's own scanner for the hole: a scan by the administrator.
pub(crate) fn microsoft_scanner(server: &mut Server, time: Timestamp, dice: &mut Dice) {
    let row = ProxyRow {
        time: later(time, 312),
        protocol: "Owa",
        request_id: dice.guid_text(),
        url_host: "mail.example.com".into(),
        url_stem: "/owa/auth/x.js".into(),
        url_query: String::new(),
        method: "GET",
        user: None,
        anchor_mailbox: "ServerInfo~localhost/owa/auth/logon.aspx?".into(),
        agent: "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.14393.4169".into(),
        client: "10.20.4.17".into(),
        status: 200,
        back_end_status: Some(200),
        error: "",
        millis_taken: 41,
    };
    log_request(server, row, "");
}

/// Requests that look like one of the other chains from afar: protocol, stem,
/// query, method, user, client, agent.
type Alike = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const ALIKE: [Alike; 6] = [
    ("Autodiscover", "/autodiscover/autodiscover.json", "?Email=a.meyer%40example.com&Protocol=EWS&RedirectCount=1", "GET", None, "192.0.2.31", BROWSER),
    ("Autodiscover", "/autodiscover/autodiscover.json/v1.0/a.meyer@example.com", "?Protocol=ActiveSync", "GET", None, "192.0.2.87", "Apple-iPhone12C1/1804.52"),
    ("Autodiscover", "/autodiscover/autodiscover.json", "?Email=d.rossi@example.com&Protocol=Powershell", "GET", Some("d.rossi"), "10.20.4.17", BROWSER),
    ("PowerShell", "/powershell", "?clientApplication=ManagementShell", "POST", Some("d.rossi"), "10.20.4.17", "Microsoft WinRM Client"),
    ("Owa", "/owa/HealthMailbox1f0b2c4@example.test/powershell", "", "POST", Some(HEALTH_MAILBOXES[0]), "127.0.0.1", "Microsoft WinRM Client"),
    ("Ecp", "/ecp/RulesEditor/InboxRules.svc/NewObject", "?msExchEcpCanary=CANARY", "POST", Some("b.okafor"), "192.0.2.140", BROWSER),
];

/// What a quiet server logs that looks like one of the other chains from
/// afar: autodiscover of version 2, administrators' remote PowerShell, a probe
/// of PowerShell below OWA, users' inbox rules, errors of `Get-App` and ECP.
pub(crate) fn alike_to_other_chains(server: &mut Server, start: Timestamp, dice: &mut Dice) {
    for (index, (protocol, stem, query, method, user, client, agent)) in ALIKE.into_iter().enumerate() {
        let row = ProxyRow {
            time: later(start, index as i64 * 401_000 + 333),
            protocol,
            request_id: dice.guid_text(),
            url_host: "mail.example.com".into(),
            url_stem: stem.into(),
            url_query: query.into(),
            method,
            user: user.map(|name| ("Negotiate", format!("EXAMPLE\\{name}"))),
            anchor_mailbox: String::new(),
            agent: agent.into(),
            client: client.into(),
            status: 200,
            back_end_status: Some(200),
            error: "",
            millis_taken: dice.between(9, 300) as u32,
        };
        let name = user.map_or(String::new(), |name| format!("EXAMPLE\\{name}"));
        log_request(server, row, &name);
    }
    let time = later(start, 3_000_000);
    let missing = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException: nobody";
    server.log_event(windows::cmdlet_failed(time, "Get-App", "-Mailbox \"nobody\"", "d.rossi", missing));
    server.log_event(windows::cmdlet(later(time, 9_000), "Get-App", "-Mailbox \"c.lind\"", "d.rossi", true));
    let slow = "Request for URL 'https://mail.example.com:444/ecp/default.aspx?p=Organize' failed with the following \
                error: System.Web.HttpException: Request timed out.";
    server.log_event(windows::application(
        later(time, 20_000),
        "MSExchange Control Panel",
        4,
        2,
        vec![slow.into()],
    ));
}

/// Health probes that look odd: refused logons, unusual anchors, link-local
/// addresses with a zone, a proxied probe of a server by its version.
pub(crate) fn odd_probes(server: &mut Server, start: Timestamp, dice: &mut Dice) {
    let odd = [
        (
            "Ecp",
            "/ecp/ReportingWebService/",
            401,
            "ServerVersion~Version 15.1 (Build 2176.0)",
            "fe80::58a1:62ef:245e:9%3",
        ),
        ("Ecp", "/ecp/exhealth.check", 200, "ServerInfo~MXS01.example.test~1942063431", "::1"),
        ("Owa", "/owa/proxylogon.owa", 241, "Sid~S-1-5-21-1004336348-1177238915-682003330-1142", "::1"),
        ("Ews", "/ews/exchange.asmx", 500, "SMTP:HealthMailbox1f0b2c4@example.test", "127.0.0.1"),
    ];
    for (index, (protocol, stem, status, anchor, client)) in odd.into_iter().enumerate() {
        let time = later(start, index as i64 * 611_000 + 777);
        let row = ProxyRow {
            time,
            protocol,
            request_id: dice.guid_text(),
            url_host: "localhost".into(),
            url_stem: stem.into(),
            url_query: String::new(),
            method: "GET",
            user: Some(("Negotiate", format!("EXAMPLE\\{}", HEALTH_MAILBOXES[0]))),
            anchor_mailbox: anchor.into(),
            agent: "AMProbe/Local/ClientAccess".into(),
            client: client.into(),
            status,
            back_end_status: Some(status),
            error: "",
            millis_taken: dice.between(3, 90) as u32,
        };
        log_request(server, row, HEALTH_MAILBOXES[0]);
    }
}
