//! The steps of the attack of March 2021, as the records that each one leaves.
//!
//! Everything here is the *trace* of an act in a log, in the form in which
//! public checks look for it. The body of every web shell is a comment; there
//! is no request body, no payload and no working script anywhere.
//!
//! Each step plants its records in all logs that show it, and says which
//! questions they support. Records of one act stay within one second, so that
//! it does not matter which log a rule reads.
//!
//! # Unvalidated
//! [`oab_write`] and [`unified_messaging`] rest on one known sentence each.

use crate::dice::Dice;
use crate::exchange::{EcpRow, ProxyRow};
use crate::host::{later, within_second};
use crate::iis::{Site, WebRow};
use crate::noise::log_request;
use crate::server::Server;
use crate::truth::Grade::{Likely, Yes};
use crate::truth::Question::*;
use crate::truth::Supports;
use crate::windows::{self, Process};
use model::Timestamp;

/// What stands in place of a web shell's code.
const INERT_SCRIPT: &str =
    "<script language=\"JScript\" runat=\"server\">/* inert sample, assay-range synthetic */</script>";
pub(crate) const SYSTEM: &str = "NT AUTHORITY\\SYSTEM";
const FRONT_END: &str = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\FrontEnd\\HttpProxy";

/// Where a web shell lies: on disk, and as IIS names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ShellFolder {
    OwaAuth,
    AspnetClient,
}

/// One intruder on one host.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// Where the entry came from.
    pub(crate) source: &'static str,
    pub(crate) agent: &'static str,
    /// The shell's file name without its ending.
    pub(crate) shell: String,
    pub(crate) folder: ShellFolder,
    canary: String,
    session: String,
    web_process: Process,
}

impl Visit {
    pub(crate) fn new(
        source: &'static str,
        agent: &'static str,
        folder: ShellFolder,
        dice: &mut Dice,
    ) -> Self {
        let (pool, config) = match folder {
            ShellFolder::OwaAuth => ("MSExchangeOWAAppPool", "OWA"),
            ShellFolder::AspnetClient => ("DefaultAppPool", "Default"),
        };
        let command = worker_command(pool, config, dice);
        Self {
            source,
            agent,
            shell: dice.letters(8),
            folder,
            canary: format!("{}.{}", dice.letters(22), dice.letters(24)),
            session: dice.guid_text(),
            web_process: Process::new(dice, "C:\\Windows\\System32\\inetsrv\\w3wp.exe", &command, SYSTEM),
        }
    }

    pub(crate) fn shell_file(&self) -> String {
        format!("{}.aspx", self.shell)
    }

    pub(crate) fn shell_path(&self) -> String {
        match self.folder {
            ShellFolder::OwaAuth => format!("{FRONT_END}\\owa\\auth\\{}.aspx", self.shell),
            ShellFolder::AspnetClient => format!("C:\\inetpub\\wwwroot\\aspnet_client\\{}.aspx", self.shell),
        }
    }

    pub(crate) fn shell_stem(&self) -> String {
        match self.folder {
            ShellFolder::OwaAuth => format!("/owa/auth/{}.aspx", self.shell),
            ShellFolder::AspnetClient => format!("/aspnet_client/{}.aspx", self.shell),
        }
    }
}

/// How a worker process of IIS is started.
fn worker_command(pool: &str, config: &str, dice: &mut Dice) -> String {
    format!(
        "c:\\windows\\system32\\inetsrv\\w3wp.exe -ap \"{pool}\" -v \"v4.0\" -c \"C:\\Program \
         Files\\Microsoft\\Exchange Server\\V15\\bin\\{config}_CLRConfig.config\" -a \
         \\\\.\\pipe\\iisipm{} -h \"C:\\inetpub\\temp\\apppools\\{pool}\\{pool}.config\" -w \"\" -m 0",
        dice.guid_text()
    )
}

/// The worker process of an application pool of Exchange.
pub(crate) fn worker(pool: &str, config: &str, dice: &mut Dice) -> Process {
    let command = worker_command(pool, config, dice);
    Process::new(dice, "C:\\Windows\\System32\\inetsrv\\w3wp.exe", &command, SYSTEM)
}

/// How the server answers a request that tries the hole.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// The back end was reached and answered so.
    Reached(u16),
    /// It was not.
    Refused(u16),
}

/// One request over (or against) CVE-2021-26855, in the HttpProxy log and in
/// IIS; `target` is what the back end was asked for.
pub(crate) fn ssrf(
    server: &mut Server,
    visit: &Visit,
    time: Timestamp,
    target: &str,
    answer: Answer,
    dice: &mut Dice,
) -> Timestamp {
    let time = within_second(time, dice);
    let name = server.host.full_name();
    let asked = target;
    let (status, back_end_status) = match answer {
        Answer::Reached(status) => (status, Some(status)),
        Answer::Refused(status) => (status, None),
    };
    let row = ProxyRow {
        time,
        protocol: "Ecp",
        request_id: dice.guid_text(),
        url_host: "mail.example.com".into(),
        url_stem: format!("/ecp/{}.js", dice.hex(4)),
        url_query: String::new(),
        method: "POST",
        user: None,
        anchor_mailbox: format!("ServerInfo~{}]@{name}:444{target}?#", dice.hex(6)),
        agent: visit.agent.into(),
        client: visit.source.into(),
        status,
        back_end_status,
        error: if back_end_status.is_some() { "" } else { "CafeErrorCode" },
        millis_taken: dice.between(15, 100) as u32,
    };
    if back_end_status.is_some() {
        server.log_web(WebRow {
            time,
            site: Site::Back,
            method: "POST",
            stem: asked.split('?').next().unwrap_or(asked).into(),
            query: asked.split_once('?').map_or(String::new(), |(_, query)| query.into()),
            user: format!("EXAMPLE\\{}$", server.host.name),
            client: server.host.address.into(),
            agent: visit.agent.into(),
            status,
            millis_taken: row.millis_taken,
        });
    }
    log_request(server, row, "");
    time
}

/// Attempts that the server refuses: it was probed.
pub(crate) fn refused(server: &mut Server, visit: &Visit, time: Timestamp, status: u16, dice: &mut Dice) {
    let planted = ssrf(server, visit, time, "/autodiscover/autodiscover.xml", Answer::Refused(status), dice);
    server.plant(planted, &[(Probed, Yes)]);
}

/// A request for a public hole's shell that is not there: 404.
pub(crate) fn shell_not_there(
    server: &mut Server,
    source: &str,
    time: Timestamp,
    stem: &str,
    agent: &str,
    dice: &mut Dice,
) {
    let time = within_second(time, dice);
    web(server, time, "GET", stem, source, agent, 404);
    server.plant(time, &[(Probed, Yes)]);
}

fn web(
    server: &mut Server,
    time: Timestamp,
    method: &'static str,
    stem: &str,
    source: &str,
    agent: &str,
    status: u16,
) {
    server.log_web(WebRow {
        time,
        site: Site::Front,
        method,
        stem: stem.into(),
        query: String::new(),
        user: String::new(),
        client: source.into(),
        agent: agent.into(),
        status,
        millis_taken: 31,
    });
}

const ENTRY: Supports = &[(Probed, Yes), (Exploited, Yes)];
const WRITE: Supports = &[(Exploited, Yes), (WebShellWritten, Yes), (Persistence, Yes)];

/// The entry: autodiscover, mapi, an ECP session; some seven seconds apart.
pub(crate) fn entry(server: &mut Server, visit: &Visit, start: Timestamp, dice: &mut Dice) {
    let requests = [
        (0, "/autodiscover/autodiscover.xml", 200),
        (7, "/mapi/emsmdb/", 200),
        (13, "/ecp/proxyLogon.ecp", 241),
    ];
    for (second, target, status) in requests {
        let time = later(start, second * 1_000);
        let planted = ssrf(server, visit, time, target, Answer::Reached(status), dice);
        server.plant(planted, ENTRY);
    }
    let list = format!(
        "/ecp/DDI/DDIService.svc/GetObject?schema=OABVirtualDirectory&msExchEcpCanary={}",
        visit.canary
    );
    let planted = ssrf(server, visit, later(start, 20_000), &list, Answer::Reached(200), dice);
    server.plant(planted, ENTRY);
}

/// The directory's address is set to script, in the ECP log and the cmdlet log;
/// the request itself only where `over_ssrf` is kept by the proxy's log.
pub(crate) fn directory_set(
    server: &mut Server,
    visit: &Visit,
    time: Timestamp,
    supports: Supports,
    dice: &mut Dice,
) {
    let set = format!(
        "/ecp/DDI/DDIService.svc/SetObject?schema=OABVirtualDirectory&msExchEcpCanary={}",
        visit.canary
    );
    ssrf(server, visit, later(time, 1_000), &set, Answer::Reached(200), dice);
    let time = within_second(time, dice);
    let identity = dice.guid();
    server.log_ecp(EcpRow {
        time,
        session: visit.session.clone(),
        activity: dice.guid_text(),
        command: format!(
            "Set-OabVirtualDirectory.ExternalUrl='http://f/{INERT_SCRIPT}'.Identity='{}'",
            crate::dice::guid_text(&identity)
        ),
        url: format!(
            "/ecp/DDI/DDIService.svc/SetObject?schema=OABVirtualDirectory&msExchEcpCanary={}",
            visit.canary
        ),
    });
    let parameters = format!(
        "-ExternalUrl \"http://f/{INERT_SCRIPT}\" -Identity \"{}\"",
        crate::dice::guid_text(&identity)
    );
    server.log_event(windows::cmdlet(
        later(time, 40),
        "Set-OabVirtualDirectory",
        &parameters,
        "Administrator",
        true,
    ));
    server.plant(time, supports);
}

/// The whole write: the address set, the directory reset, the file on disk.
pub(crate) fn write_shell(server: &mut Server, visit: &Visit, start: Timestamp, dice: &mut Dice) {
    directory_set(server, visit, start, WRITE, dice);
    // The request that set it: one more over the hole.
    server.plant(later(start, 1_000), ENTRY);
    let file_time = within_second(later(start, 6_000), dice);
    let reset = format!(
        "/ecp/DDI/DDIService.svc/SetObject?schema=ResetOABVirtualDirectory&msExchEcpCanary={}",
        visit.canary
    );
    server.log_event(windows::sysmon_file(file_time, &visit.web_process, &visit.shell_path()));
    if server.channels.contains_key(windows::SYSMON.channel) {
        server.plant(file_time, WRITE);
    }
    let planted = ssrf(server, visit, later(start, 8_000), &reset, Answer::Reached(200), dice);
    server.plant(planted, WRITE);
    server.plant(planted, ENTRY);
}

/// Mail read over the hole itself, by `count` requests.
pub(crate) fn mail_over_ssrf(
    server: &mut Server,
    visit: &Visit,
    start: Timestamp,
    count: i64,
    dice: &mut Dice,
) {
    for index in 0..count {
        let time = later(start, index * 47_000);
        let planted = ssrf(server, visit, time, "/EWS/Exchange.asmx", Answer::Reached(200), dice);
        server.plant(planted, &[(Probed, Yes), (Exploited, Yes), (MailTaken, Yes)]);
    }
}

/// The page is compiled when it is first asked for.
pub(crate) fn compiled(server: &mut Server, visit: &Visit, time: Timestamp, dice: &mut Dice) {
    let time = within_second(time, dice);
    let application = match visit.folder {
        ShellFolder::OwaAuth => "owa",
        ShellFolder::AspnetClient => "root",
    };
    let folder = format!(
        "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\Temporary ASP.NET Files\\{application}\\{}\\{}",
        dice.hex(8),
        dice.hex(8)
    );
    let trace = format!("{folder}\\{}.{}.compiled", visit.shell_file().to_lowercase(), dice.hex(8));
    server.log_event(windows::sysmon_file(time, &visit.web_process, &trace));
    let library = format!("{folder}\\App_Web_{}.dll", dice.letters(8).to_lowercase());
    server.log_event(windows::sysmon_file(later(time, 60), &visit.web_process, &library));
    let compiler_image = "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\csc.exe";
    let command = format!("\"{compiler_image}\" /t:library /utf8output @\"{folder}\\App_Web.cmdline\"");
    let compiler = Process::new(dice, compiler_image, &command, SYSTEM);
    server.log_start(later(time, 20), &compiler, &visit.web_process);
    server.plant(time, &[(WebShellWritten, Likely), (Persistence, Likely), (WebShellUsed, Likely)]);
}

/// One request to the shell that runs `command`; `supports` is what a reader of
/// all logs can say of it. Gives the command interpreter, and when its child
/// starts, in the same second.
pub(crate) fn shell_command(
    server: &mut Server,
    visit: &Visit,
    time: Timestamp,
    source: &str,
    command: &str,
    dice: &mut Dice,
) -> (Process, Timestamp) {
    let shell_time = within_second(time, dice);
    let line = format!("\"c:\\windows\\system32\\cmd.exe\" /c {command}");
    let interpreter = Process::new(dice, "C:\\Windows\\System32\\cmd.exe", &line, SYSTEM);
    server.log_start(shell_time, &interpreter, &visit.web_process);
    let answered = later(shell_time, 400);
    web(server, answered, "POST", &visit.shell_stem(), source, "Mozilla/5.0 (Windows NT 6.1; WOW64)", 200);
    server.plant(shell_time, &[(WebShellUsed, Yes)]);
    (interpreter, later(shell_time, 390))
}

/// One request to the shell of which only IIS tells.
pub(crate) fn shell_request(
    server: &mut Server,
    visit: &Visit,
    time: Timestamp,
    source: &str,
    dice: &mut Dice,
) {
    let time = within_second(time, dice);
    web(server, time, "POST", &visit.shell_stem(), source, "Mozilla/5.0 (Windows NT 6.1; WOW64)", 200);
    server.plant(time, &[(WebShellUsed, Likely)]);
}

/// Security and System say themselves that they were cleared; System and
/// Application by a tool whose start the cleared Security log shows.
pub(crate) fn clear_logs(server: &mut Server, time: Timestamp, dice: &mut Dice) {
    const CLEARED: Supports = &[(LogsTampered, Yes)];
    let security = within_second(time, dice);
    server.log_event(windows::security_cleared(security, "MXS01$"));
    server.plant(security, CLEARED);
    let interpreter = Process::new(dice, "C:\\Windows\\System32\\cmd.exe", "cmd.exe", SYSTEM);
    for (seconds, channel) in [(2, "System"), (5, "Application")] {
        let started = within_second(later(time, seconds * 1_000), dice);
        let command = format!("wevtutil.exe cl {channel}");
        child(server, started, &interpreter, "C:\\Windows\\System32\\wevtutil.exe", &command, dice);
        let cleared = later(started, 90);
        server.log_event(windows::system_cleared(cleared, "MXS01$", channel));
        server.plant(started, CLEARED);
        server.plant(cleared, CLEARED);
    }
}

/// A child of an interpreter, in the same second.
pub(crate) fn child(
    server: &mut Server,
    time: Timestamp,
    parent: &Process,
    image: &str,
    command: &str,
    dice: &mut Dice,
) -> Process {
    let process = Process::new(dice, image, command, SYSTEM);
    server.log_start(time, &process, parent);
    process
}

/// Looks around; context, and no answer by itself.
pub(crate) fn discovery(server: &mut Server, visit: &Visit, time: Timestamp, source: &str, dice: &mut Dice) {
    let commands = [
        ("whoami /all", "C:\\Windows\\System32\\whoami.exe"),
        ("net group \"Domain Admins\" /domain", "C:\\Windows\\System32\\net.exe"),
        ("tasklist /v", "C:\\Windows\\System32\\tasklist.exe"),
    ];
    for (index, (command, image)) in commands.into_iter().enumerate() {
        let time = later(time, index as i64 * 31_000);
        let (interpreter, started) = shell_command(server, visit, time, source, command, dice);
        child(server, started, &interpreter, image, command, dice);
    }
}

/// LSASS is dumped with what Windows brings along.
pub(crate) fn lsass_dump(server: &mut Server, visit: &Visit, time: Timestamp, source: &str, dice: &mut Dice) {
    let command = "rundll32.exe C:\\windows\\System32\\comsvcs.dll MiniDump 668 C:\\root\\lsass.dmp full";
    let (interpreter, started) = shell_command(server, visit, time, source, command, dice);
    let dumper = child(server, started, &interpreter, "C:\\Windows\\System32\\rundll32.exe", command, dice);
    let written = within_second(later(time, 2_000), dice);
    let lsass =
        Process { id: 668, ..Process::new(dice, "C:\\Windows\\System32\\lsass.exe", "lsass.exe", SYSTEM) };
    server.log_event(windows::sysmon_access(written, &dumper, &lsass));
    server.log_event(windows::sysmon_file(later(written, 15), &dumper, "C:\\root\\lsass.dmp"));
    server.plant(started, &[(CredentialsTaken, Yes)]);
    server.plant(written, &[(CredentialsTaken, Yes)]);
}

/// A mailbox is exported by a cmdlet and lands in a file.
pub(crate) fn mailbox_export(
    server: &mut Server,
    visit: &Visit,
    time: Timestamp,
    source: &str,
    dice: &mut Dice,
) {
    let command = "powershell.exe -NonInteractive -File C:\\ProgramData\\mx\\run.ps1";
    let (interpreter, started) = shell_command(server, visit, time, source, command, dice);
    let image = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe";
    child(server, started, &interpreter, image, command, dice);
    let asked = within_second(later(time, 9_000), dice);
    let parameters =
        "-Mailbox \"c.lind\" -FilePath \"\\\\MXS01\\C$\\ProgramData\\mx\\c.lind.pst\" -Name \"c.lind\"";
    server.log_event(windows::cmdlet(asked, "New-MailboxExportRequest", parameters, "Administrator", true));
    server.plant(asked, &[(MailTaken, Yes)]);
    let written = within_second(later(time, 95_000), dice);
    let replication = Process::new(
        dice,
        "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Bin\\MSExchangeMailboxReplication.exe",
        "\"C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Bin\\MSExchangeMailboxReplication.exe\"",
        SYSTEM,
    );
    server.log_event(windows::sysmon_file(written, &replication, "C:\\ProgramData\\mx\\c.lind.pst"));
    server.plant(written, &[(MailTaken, Yes)]);
}

/// What was gathered is packed into a web folder, and fetched from there.
pub(crate) fn stage_and_fetch(
    server: &mut Server,
    visit: &Visit,
    time: Timestamp,
    source: &str,
    dice: &mut Dice,
) {
    let target = "C:\\inetpub\\wwwroot\\aspnet_client\\system_web\\fonts.7z";
    let command = format!("C:\\ProgramData\\mx\\7z.exe a -psample {target} C:\\ProgramData\\mx\\*");
    let (interpreter, started) = shell_command(server, visit, time, source, &command, dice);
    let packer = child(server, started, &interpreter, "C:\\ProgramData\\mx\\7z.exe", &command, dice);
    server.plant(started, &[(Exfiltration, Yes)]);
    let written = later(started, 110);
    server.log_event(windows::sysmon_file(written, &packer, target));
    let fetched = within_second(later(time, 312_000), dice);
    web(
        server,
        fetched,
        "GET",
        "/aspnet_client/system_web/fonts.7z",
        source,
        "Mozilla/5.0 (Windows NT 6.1; WOW64)",
        200,
    );
    server.plant(fetched, &[(Exfiltration, Yes)]);
}

/// An account of the intruder's own.
pub(crate) fn account(server: &mut Server, visit: &Visit, time: Timestamp, source: &str, dice: &mut Dice) {
    let command = "net user svc_sample P@ssw0rd-sample /add";
    let (interpreter, started) = shell_command(server, visit, time, source, command, dice);
    child(server, started, &interpreter, "C:\\Windows\\System32\\net.exe", command, dice);
    server.log_event(windows::security_account_created(later(started, 70), "svc_sample"));
    server.plant(started, &[(Persistence, Yes)]);
}

/// A service of the intruder's own.
pub(crate) fn service(server: &mut Server, visit: &Visit, time: Timestamp, source: &str, dice: &mut Dice) {
    let path = "C:\\ProgramData\\sample\\updater.exe";
    let command = format!("sc.exe create SampleUpdater binPath= {path} start= auto");
    let (interpreter, started) = shell_command(server, visit, time, source, &command, dice);
    child(server, started, &interpreter, "C:\\Windows\\System32\\sc.exe", &command, dice);
    server.log_event(windows::service_installed(later(started, 50), "SampleUpdater", path));
    server.plant(started, &[(Persistence, Yes)]);
}

/// A command is run on another host.
pub(crate) fn remote_execution(
    server: &mut Server,
    visit: &Visit,
    time: Timestamp,
    source: &str,
    dice: &mut Dice,
) {
    let command = "wmic /node:10.20.0.31 process call create \"cmd.exe /c ipconfig /all\"";
    let (interpreter, started) = shell_command(server, visit, time, source, command, dice);
    child(server, started, &interpreter, "C:\\Windows\\System32\\wbem\\WMIC.exe", command, dice);
    server.plant(started, &[(LateralMovement, Yes)]);
}

/// The intruder takes the shell away and repairs the directory.
pub(crate) fn clean_up(server: &mut Server, visit: &Visit, time: Timestamp, source: &str, dice: &mut Dice) {
    let command = format!("del /f /q \"{}\"", visit.shell_path());
    let (interpreter, deleted) = shell_command(server, visit, time, source, &command, dice);
    server.log_event(windows::sysmon_delete(deleted, &interpreter, &visit.shell_path()));
    let repairs = [
        (60_000, "Remove-OabVirtualDirectory", "-Identity \"MXS01\\OAB (Default Web Site)\" -Force \"True\""),
        (
            64_000,
            "New-OabVirtualDirectory",
            "-Server \"MXS01\" -ExternalUrl \"https://mail.example.com/OAB\"",
        ),
    ];
    for (millis, name, parameters) in repairs {
        let done = later(within_second(time, dice), millis);
        server.log_event(windows::cmdlet(done, name, parameters, "Administrator", true));
        server.log_ecp(EcpRow {
            time: done,
            session: visit.session.clone(),
            activity: dice.guid_text(),
            command: name.into(),
            url: "/ecp/DDI/DDIService.svc/SetObject?schema=OABVirtualDirectory".into(),
        });
    }
}

/// Unvalidated: CVE-2021-26858 in the OAB generator's log.
pub(crate) fn oab_write(server: &mut Server, visit: &Visit, time: Timestamp, dice: &mut Dice) {
    let time = within_second(time, dice);
    let message = format!("Download failed and temporary file '{}' needs to be removed", visit.shell_path());
    server.log_oab(time, message);
    server.plant(time, &[(Exploited, Yes), (WebShellWritten, Likely), (Persistence, Likely)]);
}

/// Unvalidated: CVE-2021-26857 in the Application log.
pub(crate) fn unified_messaging(server: &mut Server, time: Timestamp, dice: &mut Dice) {
    let time = within_second(time, dice);
    server.log_event(windows::unified_messaging_error(time));
    server.plant(time, &[(Exploited, Likely)]);
}
