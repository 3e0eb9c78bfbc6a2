//! What a Windows host logs on any day, and what its administrators do there
//! that looks like an intruder's work.

use super::Stage;
use super::events::{self, CERTIFICATES, DEFENDER, POWERSHELL};
use crate::dice::Dice;
use crate::evtx::Field;
use crate::host::{OFFICE_ADDRESSES, PEOPLE, later, march, within_second};
use crate::server::Server;
use crate::windows::{self, Process, SYSMON};
use model::Timestamp;

const HOUR_MILLIS: i64 = 3_600_000;
pub(crate) const SYSTEM: &str = "NT AUTHORITY\\SYSTEM";
pub(crate) const ADMIN: &str = "EXAMPLE\\adm.novak";
pub(crate) const CHANNELS: [&str; 7] = [
    "Application",
    CERTIFICATES.channel,
    POWERSHELL.channel,
    SYSMON.channel,
    DEFENDER.channel,
    "Security",
    "System",
];

/// A program of Windows.
pub(crate) fn system32(name: &str) -> String {
    format!("C:\\Windows\\System32\\{name}")
}

/// Fills the server's span: every channel in every hour.
pub(crate) fn fill(server: &mut Server, dice: &mut Dice) {
    let (from, to) = server.span;
    let channels: Vec<&'static str> = server.channels.keys().copied().collect();
    channels.iter().for_each(|channel| server.log_event(windows::mark(later(from, 1_000), channel)));
    let hours = (to.nanos() - from.nanos()) / (HOUR_MILLIS * 1_000_000);
    for hour in 0..hours {
        let start = later(from, hour * HOUR_MILLIS);
        an_hour(server, start, dice);
        if hour % 4 == 1 {
            let time = some_time(start, dice);
            server.log_event(events::script(time, "Get-Service | Where-Object Status -eq 'Running'"));
            let version = Field::text(format!("1.331.{}.0", 1_000 + hour));
            let update = vec![("Current security intelligence Version", version)];
            server.log_event(events::defender(some_time(start, dice), 2_000, update));
        }
    }
}

fn some_time(start: Timestamp, dice: &mut Dice) -> Timestamp {
    later(start, dice.between(20_000, HOUR_MILLIS as u64 - 20_000) as i64)
}

fn an_hour(server: &mut Server, start: Timestamp, dice: &mut Dice) {
    let services = Process::new(dice, &system32("services.exe"), "services.exe", SYSTEM);
    let command = "C:\\Windows\\system32\\svchost.exe -k netsvcs -p";
    let host_process = Process::new(dice, &system32("svchost.exe"), command, SYSTEM);
    server.log_start(some_time(start, dice), &host_process, &services);
    let log = "C:\\ProgramData\\Microsoft\\Windows\\WER\\Temp\\report.tmp";
    server.log_event(windows::sysmon_file(some_time(start, dice), &host_process, log));
    let value = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\LastOnline";
    server.log_event(windows::sysmon_registry(some_time(start, dice), &host_process, value, "Binary Data"));
    let time = some_time(start, dice);
    server.log_event(windows::sysmon_connection(time, &host_process, &server.host, "10.20.0.5", 389));
    let time = some_time(start, dice);
    server.log_event(events::name_asked_for(time, &host_process, "dc01.example.test", "10.20.0.5"));
    server.log_event(events::pipe_connected(some_time(start, dice), &host_process, "\\lsass"));
    let (person, address) = (dice.pick(&PEOPLE), dice.pick(&OFFICE_ADDRESSES));
    server.log_event(windows::security_logon(some_time(start, dice), person, 3, address, false));
    let state = dice.pick(&["running", "stopped"]);
    server.log_event(windows::service_state(some_time(start, dice), "Windows Update", state));
    let texts = vec!["Update of the catalogue finished.".to_owned()];
    server.log_event(windows::application(some_time(start, dice), "ESENT", 102, 4, texts));
}

/// A process with its parent, where the host logs both.
pub(crate) fn start(
    stage: &mut Stage,
    time: Timestamp,
    image: &str,
    command: &str,
    parent: &Process,
    dice: &mut Dice,
) -> Process {
    let process = Process::new(dice, image, command, parent.user);
    stage.server.log_start(time, &process, parent);
    process
}

/// A day of two administrators: deployment, backup, remote help, an update of
/// Defender, a new colleague.
pub(crate) fn administration(stage: &mut Stage, dice: &mut Dice) {
    let services = Process::new(dice, &system32("services.exe"), "services.exe", SYSTEM);
    let console = Process::new(dice, &system32("cmd.exe"), "cmd.exe", ADMIN);
    let deeds: [(&str, &str); 18] = [
        ("PsExec.exe", "PsExec.exe -accepteula \\\\ws07 -s cmd /c gpupdate /force"),
        (
            "schtasks.exe",
            "schtasks /create /tn \"Nightly backup\" /sc daily /st 02:00 /tr \"powershell.exe -File C:\\Scripts\\backup.ps1\"",
        ),
        ("vssadmin.exe", "vssadmin list shadows"),
        ("vssadmin.exe", "vssadmin delete shadows /for=D: /oldest /quiet"),
        ("wbadmin.exe", "wbadmin start systemstatebackup -backupTarget:E: -quiet"),
        ("bcdedit.exe", "bcdedit /enum"),
        ("wevtutil.exe", "wevtutil epl Security E:\\Archive\\security.evtx"),
        ("net.exe", "net use P: \\\\fs01\\projects"),
        ("net.exe", "net user n.berg * /add /domain"),
        ("nltest.exe", "nltest /sc_query:example.test"),
        ("netsh.exe", "netsh advfirewall firewall show rule name=all"),
        ("sc.exe", "sc query WinDefend"),
        ("whoami.exe", "whoami /groups"),
        ("reg.exe", "reg export HKLM\\SOFTWARE\\Example E:\\Archive\\example.reg /y"),
        ("robocopy.exe", "robocopy D:\\Projects E:\\Backup\\Projects /MIR"),
        ("certutil.exe", "certutil -hashfile C:\\Install\\setup.exe SHA256"),
        ("taskkill.exe", "taskkill /f /im excel.exe"),
        ("fsutil.exe", "fsutil usn queryjournal C:"),
    ];
    for (index, (program, command)) in deeds.into_iter().enumerate() {
        let time = within_second(later(march(4, 8, 5, 0), index as i64 * 611_000), dice);
        start(stage, time, &system32(program), command, &console, dice);
    }
    tools(stage, &console, dice);
    deployment(stage, &services, dice);
}

/// Programs that the house brought itself.
fn tools(stage: &mut Stage, console: &Process, dice: &mut Dice) {
    let powershell = system32("WindowsPowerShell\\v1.0\\powershell.exe");
    let deeds: [(&str, &str); 5] = [
        ("C:\\Program Files\\7-Zip\\7z.exe", "7z.exe a E:\\Backup\\projects.7z D:\\Projects -mx=5"),
        (
            &powershell,
            "powershell.exe -NoProfile -ExecutionPolicy Bypass -Command \"iex ((New-Object System.Net.WebClient).\
             DownloadString('https://packages.example.org/install.ps1'))\"",
        ),
        // "Get-Service -Name Spooler | Out", by a management program.
        (
            &powershell,
            "powershell.exe -EncodedCommand RwBlAHQALQBTAGUAcgB2AGkAYwBlACAALQBOAGEAbQBlACAAUwBwAG8AbwBsAGUAcgAgAHwAIABPAHUAdAA=",
        ),
        ("C:\\Program Files\\PuTTY\\plink.exe", "plink.exe -batch admin@switch01.example.org show version"),
        ("C:\\Program Files\\rclone\\rclone.exe", "rclone.exe sync E:\\Backup backup:server --transfers 4"),
    ];
    for (index, (image, command)) in deeds.into_iter().enumerate() {
        let time = within_second(later(march(4, 12, 10, 0), index as i64 * 733_000), dice);
        let process = start(stage, time, image, command, console, dice);
        if index == 0 {
            stage.server.log_event(windows::sysmon_file(
                later(time, 90),
                &process,
                "E:\\Backup\\projects.7z",
            ));
        }
    }
    for (minute, block) in [
        (40, "Get-ADUser -Filter * | Export-Csv C:\\Scripts\\people.csv"),
        (44, "Get-CimInstance Win32_ShadowCopy | Select-Object InstallDate"),
        (49, "Get-MpComputerStatus; Get-MpPreference"),
    ] {
        stage.server.log_event(events::script(within_second(march(4, 13, minute, 7), dice), block));
    }
}

/// Setups, and what Windows says of them.
fn deployment(stage: &mut Stage, services: &Process, dice: &mut Dice) {
    let setup = start(
        stage,
        within_second(march(4, 15, 2, 10), dice),
        &system32("msiexec.exe"),
        "C:\\Windows\\system32\\msiexec.exe /V",
        services,
        dice,
    );
    let server = &mut stage.server;
    let target = "C:\\Program Files\\Example Agent\\agent.exe";
    server.log_event(windows::sysmon_file(within_second(march(4, 15, 2, 31), dice), &setup, target));
    for (second, name, path) in [
        (40, "Example Agent", "\"C:\\Program Files\\Example Agent\\agent.exe\" --service"),
        (51, "Example Backup", "C:\\Program Files\\Example Backup\\backup.exe"),
        (55, "PSEXESVC", "%SystemRoot%\\PSEXESVC.exe"),
        (58, "TeamViewer", "\"C:\\Program Files\\TeamViewer\\TeamViewer_Service.exe\""),
    ] {
        let time = within_second(march(4, 15, 2, second), dice);
        server.log_event(windows::service_installed(time, name, path));
    }
    let run = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\ExampleAgent";
    let time = within_second(march(4, 15, 3, 2), dice);
    server.log_event(windows::sysmon_registry(
        time,
        &setup,
        run,
        "\"C:\\Program Files\\Example Agent\\tray.exe\"",
    ));
    let time = within_second(march(4, 15, 9, 12), dice);
    server.log_event(events::task_made(
        time,
        "adm.novak",
        "\\Example\\Update",
        "C:\\Program Files\\Example Agent\\update.exe",
    ));
    let changed = |value: &str| vec![("Old Value", Field::text("")), ("New Value", Field::text(value))];
    let updates =
        "HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\Signature Updates\\SignaturesLastUpdated = 0x0";
    let excluded = "HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\Exclusions\\Paths\\D:\\Database = 0x0";
    for (minute, value) in [(20, updates), (26, excluded)] {
        let time = within_second(march(4, 15, minute, 33), dice);
        server.log_event(events::defender(time, 5_007, changed(value)));
    }
    server.log_event(windows::security_account_created(within_second(march(4, 15, 40, 1), dice), "n.berg"));
    let time = within_second(march(4, 16, 1, 9), dice);
    server.log_event(windows::security_logon(time, "adm.novak", 10, "10.20.4.17", false));
}
