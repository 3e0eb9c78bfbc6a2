//! The steps of the other chains on Exchange, as the records that each one leaves.
//!
//! Like `chain`: traces only. There is no token, no serialised object and no
//! export payload anywhere; what would hold one is a short word.
//!
//! # Unvalidated
//! Which rows of the front end carry a user for ProxyShell, and the exact texts
//! of the errors over serialised objects: public checks look for the words that
//! stand here.

use crate::chain::{self, SYSTEM, Visit};
use crate::dice::Dice;
use crate::exchange::{EcpRow, ProxyRow};
use crate::host::{later, within_second};
use crate::noise::log_request;
use crate::server::Server;
use crate::truth::Grade::{Unsettled, Yes};
use crate::truth::Question::*;
use crate::truth::Supports;
use crate::windows::{self, Process};
use model::Timestamp;

const AUTODISCOVER: &str = "/autodiscover/autodiscover.json";
/// The mailbox that is looked at.
const OWNER: &str = "c.lind@example.com";
/// The account whose password was known.
const USER: &str = "EXAMPLE\\f.silva";

/// One request at the front end, as it is tried and answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) protocol: &'static str,
    pub(crate) stem: &'a str,
    pub(crate) query: &'a str,
    pub(crate) method: &'static str,
    pub(crate) user: Option<&'static str>,
    pub(crate) status: u16,
}

/// The request in the HttpProxy log and in IIS; passed on where it was answered.
pub(crate) fn request(
    server: &mut Server,
    source: &str,
    agent: &str,
    time: Timestamp,
    asked: &Request<'_>,
    dice: &mut Dice,
) -> Timestamp {
    let time = within_second(time, dice);
    let passed_on = matches!(asked.status, 200..300 | 500);
    let row = ProxyRow {
        time,
        protocol: asked.protocol,
        request_id: dice.guid_text(),
        url_host: "mail.example.com".into(),
        url_stem: asked.stem.into(),
        url_query: asked.query.into(),
        method: asked.method,
        user: asked.user.map(|name| ("Basic", name.into())),
        anchor_mailbox: String::new(),
        agent: agent.into(),
        client: source.into(),
        status: asked.status,
        back_end_status: passed_on.then_some(asked.status),
        error: "",
        millis_taken: dice.between(15, 400) as u32,
    };
    log_request(server, row, asked.user.unwrap_or_default());
    time
}

/// `autodiscover.json` with another service's path: what ProxyShell and
/// ProxyNotShell share.
pub(crate) fn confused(path: &str) -> String {
    format!("?@example.net/{path}&Email=autodiscover/autodiscover.json%3f@example.net")
}

/// A scanner asks whether the hole is open.
pub(crate) fn proxyshell_asked(
    server: &mut Server,
    source: &str,
    time: Timestamp,
    status: u16,
    dice: &mut Dice,
) {
    let query = confused("mapi/nspi/?");
    let asked = Request {
        protocol: "Autodiscover",
        stem: AUTODISCOVER,
        query: &query,
        method: "GET",
        user: None,
        status,
    };
    let planted = request(server, source, "Mozilla/5.0", time, &asked, dice);
    const OPEN: Supports = &[(Probed, Yes), (ProxyShell, Unsettled)];
    server.plant(planted, if status == 200 { OPEN } else { &[(Probed, Yes)] });
}

/// The entry of ProxyShell and the page that is exported over it.
pub(crate) fn proxyshell(server: &mut Server, visit: &Visit, start: Timestamp, dice: &mut Dice) {
    const ENTRY: Supports = &[(Probed, Yes), (ProxyShell, Yes)];
    let paths = [
        (0, "autodiscover/autodiscover.xml?"),
        (6, "mapi/emsmdb?"),
        (11, "powershell/?X-Rps-CAT=SAMPLE"),
        (13, "powershell/?X-Rps-CAT=SAMPLE"),
        (19, "powershell/?X-Rps-CAT=SAMPLE"),
    ];
    for (second, path) in paths {
        let query = confused(path);
        let asked = Request {
            protocol: "Autodiscover",
            stem: AUTODISCOVER,
            query: &query,
            method: "POST",
            user: None,
            status: 200,
        };
        let planted = request(server, visit.source, visit.agent, later(start, second * 1_000), &asked, dice);
        server.plant(planted, ENTRY);
    }
    let share = visit.shell_path().replacen("C:", "\\\\127.0.0.1\\c$", 1);
    let role = "-Role \"Mailbox Import Export\" -User \"Administrator\"";
    let granted = within_second(later(start, 14_000), dice);
    server.log_event(windows::cmdlet(granted, "New-ManagementRoleAssignment", role, "Administrator", false));
    let exported = within_second(later(start, 21_000), dice);
    let parameters = format!("-Mailbox \"Administrator\" -IncludeFolders \"#Drafts#\" -FilePath \"{share}\"");
    server.log_event(windows::cmdlet(
        exported,
        "New-MailboxExportRequest",
        &parameters,
        "Administrator",
        false,
    ));
    server.plant(exported, &[(ProxyShell, Yes), (WebShellWritten, Yes), (Persistence, Yes)]);
    let written = within_second(later(start, 27_000), dice);
    let image = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Bin\\MSExchangeMailboxReplication.exe";
    let replication = Process::new(dice, image, &format!("\"{image}\""), SYSTEM);
    server.log_event(windows::sysmon_file(written, &replication, &visit.shell_path()));
    server.plant(written, &[(WebShellWritten, Yes), (Persistence, Yes)]);
    let cleared = within_second(later(start, 45_000), dice);
    let request = "-Identity \"Administrator\\MailboxExport\" -Confirm \"False\"";
    server.log_event(windows::cmdlet(
        cleared,
        "Remove-MailboxExportRequest",
        request,
        "Administrator",
        false,
    ));
}

/// ProxyToken: an inbox rule for somebody, made without a logon.
pub(crate) fn proxytoken(server: &mut Server, source: &str, agent: &str, time: Timestamp, dice: &mut Dice) {
    let stem = format!("/ecp/{OWNER}/RulesEditor/InboxRules.svc/NewObject");
    let query = "?msExchEcpCanary=SAMPLECANARY.1";
    let asked = Request { protocol: "Ecp", stem: &stem, query, method: "POST", user: None, status: 200 };
    let planted = request(server, source, agent, time, &asked, dice);
    server.plant(planted, &[(Probed, Yes), (ProxyToken, Yes), (MailTaken, Yes)]);
    let made = later(planted, 210);
    let parameters = "-Name \".\" -RedirectTo \"collector@example.net\" -StopProcessingRules \"True\"";
    server.log_event(windows::cmdlet(made, "New-InboxRule", parameters, "c.lind", true));
    server.log_ecp(EcpRow {
        time: made,
        session: dice.guid_text(),
        activity: dice.guid_text(),
        command: "New-InboxRule.Name='.'.RedirectTo='collector@example.net'".into(),
        url: stem,
    });
    server.plant(made, &[(ProxyToken, Yes), (MailTaken, Yes)]);
}

/// A way to run code in the web server without a page: how it is asked for,
/// in which application pool it runs, and what it supports.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    ProxyNotShell,
    Owassrf,
    ViewState,
    App,
}

impl Way {
    fn pool(self) -> (&'static str, &'static str) {
        match self {
            Way::ProxyNotShell | Way::Owassrf => {
                ("MSExchangePowerShellAppPool", "GenericAppPoolConfigWithGCServerEnabledFalse")
            }
            Way::ViewState => ("MSExchangeECPAppPool", "MSExchangeECPAppPool"),
            Way::App => ("MSExchangeServicesAppPool", "MSExchangeServicesAppPool"),
        }
    }

    fn supports(self) -> (Supports, Supports) {
        match self {
            Way::ProxyNotShell => (&[(Probed, Yes), (ProxyNotShell, Yes)], &[(ProxyNotShell, Yes)]),
            Way::Owassrf => (&[(Probed, Yes), (Owassrf, Yes)], &[(Owassrf, Yes)]),
            Way::ViewState => (&[(Probed, Yes), (Cve20200688, Yes)], &[(Cve20200688, Yes)]),
            Way::App => (&[(Cve202142321, Yes)], &[(Cve202142321, Yes)]),
        }
    }
}

/// Asks over the hole; nothing comes of it but errors.
fn ask(server: &mut Server, way: Way, visit: &Visit, time: Timestamp, dice: &mut Dice) -> Timestamp {
    let confused = confused("powershell/?");
    let below_owa = format!("/owa/{OWNER}/powershell");
    let view_state = "?__VIEWSTATEGENERATOR=B97B4E27&__VIEWSTATE=SAMPLE";
    let (protocol, stem, query, method, status) = match way {
        Way::ProxyNotShell => ("Autodiscover", AUTODISCOVER, confused.as_str(), "POST", 200),
        Way::Owassrf => ("Owa", below_owa.as_str(), "", "POST", 200),
        Way::ViewState => ("Ecp", "/ecp/default.aspx", view_state, "GET", 500),
        Way::App => ("Ews", "/EWS/Exchange.asmx", "", "POST", 200),
    };
    let asked = Request { protocol, stem, query, method, user: Some(USER), status };
    let time = request(server, visit.source, visit.agent, time, &asked, dice);
    match way {
        Way::ProxyNotShell | Way::Owassrf => {}
        Way::ViewState => view_state_error(server, later(time, 30), query),
        Way::App => app_errors(server, later(time, 40)),
    }
    server.plant(time, way.supports().0);
    time
}

fn view_state_error(server: &mut Server, time: Timestamp, query: &str) {
    let text = format!(
        "Current user: '{USER}' Request for URL 'https://mail.example.com:444/ecp/default.aspx{query}' failed with the \
         following error: System.Web.HttpUnhandledException: The serialized data is invalid"
    );
    server.log_event(windows::application(time, "MSExchange Control Panel", 4, 2, vec![text]));
}

fn app_errors(server: &mut Server, time: Timestamp) {
    let cast = "Task Get-App throwing unhandled exception: System.InvalidCastException: Unable to cast object of type \
                'Sample.Inert' to type 'System.Collections.Hashtable'.";
    server.log_event(windows::cmdlet_failed(time, "Get-App", "-Mailbox \"f.silva\"", "f.silva", cast));
    let report = "Watson report: System.InvalidCastException at \
                  System.Runtime.Serialization.Formatters.Binary.BinaryFormatter.Deserialize";
    let report = vec![report.to_owned()];
    server.log_event(windows::application(later(time, 20), "MSExchange Common", 4_999, 2, report));
}

/// One command over the hole, all within one second; gives the interpreter.
fn command(
    server: &mut Server,
    way: Way,
    visit: &Visit,
    time: Timestamp,
    line: &str,
    dice: &mut Dice,
) -> (Process, Timestamp) {
    let asked = ask(server, way, visit, time, dice);
    let (pool, config) = way.pool();
    let worker = chain::worker(pool, config, dice);
    let started = later(asked, 120);
    let text = format!("\"c:\\windows\\system32\\cmd.exe\" /c {line}");
    let interpreter = Process::new(dice, "C:\\Windows\\System32\\cmd.exe", &text, SYSTEM);
    server.log_start(started, &interpreter, &worker);
    server.plant(started, way.supports().1);
    (interpreter, later(started, 90))
}

/// The hole is used: looked around, an account made.
pub(crate) fn run_over(server: &mut Server, way: Way, visit: &Visit, start: Timestamp, dice: &mut Dice) {
    let looks = [
        ("whoami /all", "C:\\Windows\\System32\\whoami.exe"),
        ("tasklist /v", "C:\\Windows\\System32\\tasklist.exe"),
    ];
    for (index, (line, image)) in looks.into_iter().enumerate() {
        let time = later(start, index as i64 * 140_000);
        let (interpreter, started) = command(server, way, visit, time, line, dice);
        chain::child(server, started, &interpreter, image, line, dice);
    }
    let line = "net user svc_sample P@ssw0rd-sample /add";
    let (interpreter, started) = command(server, way, visit, later(start, 290_000), line, dice);
    chain::child(server, started, &interpreter, "C:\\Windows\\System32\\net.exe", line, dice);
    server.log_event(windows::security_account_created(later(started, 70), "svc_sample"));
    server.plant(started, &[(Persistence, Yes)]);
}

/// Every form of the chains, tried and refused.
pub(crate) fn refused(server: &mut Server, source: &str, start: Timestamp, dice: &mut Dice) {
    let export = confused("powershell/?X-Rps-CAT=SAMPLE");
    let powershell = confused("powershell/?");
    let owa = format!("/owa/{OWNER}/powershell");
    let rules = format!("/ecp/{OWNER}/RulesEditor/InboxRules.svc/NewObject");
    let view_state = "?__VIEWSTATEGENERATOR=B97B4E27&__VIEWSTATE=SAMPLE";
    let tries = [
        Request {
            protocol: "Autodiscover",
            stem: AUTODISCOVER,
            query: &export,
            method: "POST",
            user: None,
            status: 401,
        },
        Request {
            protocol: "Autodiscover",
            stem: AUTODISCOVER,
            query: &powershell,
            method: "POST",
            user: Some(USER),
            status: 403,
        },
        Request { protocol: "Owa", stem: &owa, query: "", method: "POST", user: None, status: 401 },
        Request {
            protocol: "Ecp",
            stem: &rules,
            query: "?msExchEcpCanary=SAMPLECANARY.1",
            method: "POST",
            user: None,
            status: 302,
        },
        Request {
            protocol: "Ecp",
            stem: "/ecp/default.aspx",
            query: view_state,
            method: "GET",
            user: None,
            status: 302,
        },
    ];
    for (index, asked) in tries.iter().enumerate() {
        let time = later(start, index as i64 * 900_000);
        let planted = request(server, source, "Mozilla/5.0", time, asked, dice);
        server.plant(planted, &[(Probed, Yes)]);
    }
    let time = within_second(later(start, 5_000_000), dice);
    let blocked = "Microsoft.Exchange.Diagnostics.BlockedDeserializeTypeException: The type to be (de)serialized is \
                   not allowed: Sample.Inert";
    server.log_event(windows::cmdlet_failed(time, "Get-App", "-Mailbox \"f.silva\"", "f.silva", blocked));
    server.plant(time, &[(Probed, Yes)]);
}
