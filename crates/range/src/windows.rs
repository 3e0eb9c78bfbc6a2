//! The Windows events that an Exchange server writes, as [`Event`]s.
//!
//! # Unvalidated
//! The error of Unified Messaging: only its provider, its level and the name of
//! the exception are known; its number and its other data are ours.
//!
//! # Not here
//! When they happen, and what they mean.

use crate::dice::Dice;
use crate::evtx::{Body, Event, Field, Kind, MARK, Provider, Sid};
use crate::host::Host;
use model::Timestamp;

pub(crate) const SYSMON: Provider = Provider::new(
    "Microsoft-Windows-Sysmon",
    "5770385f-c22a-43e0-bf4c-06f5698ffbd9",
    "Microsoft-Windows-Sysmon/Operational",
);
pub(crate) const SECURITY: Provider =
    Provider::new("Microsoft-Windows-Security-Auditing", "54849625-5478-4994-a5ba-3e3b0328c30d", "Security");
const EVENTLOG: &str = "fca7f839-8066-4c10-a10d-9b1cc55ef488";
const SERVICE_CONTROL: &str = "555908d1-a6d7-4695-8e1e-26931d2012f4";
pub(crate) const CMDLETS: Provider = Provider::classic("MSExchange CmdletLogs", "MSExchange Management");
/// The logon of the system itself.
const SYSTEM_LOGON: u64 = 0x3e7;
pub(crate) const AUDIT_SUCCESS: u64 = 0x8020_0000_0000_0000;
const AUDIT_FAILURE: u64 = 0x8010_0000_0000_0000;
pub(crate) const CLASSIC: u64 = 0x0080_0000_0000_0000;
pub(crate) const OPERATIONAL: u64 = 0x8000_0000_0000_0000;

pub(crate) const fn kind(provider: Provider, id: u16, version: u8, task: u16, keywords: u64) -> Kind {
    Kind { provider, id, qualifiers: None, version, level: 4, task, opcode: 0, keywords }
}

pub(crate) fn event(time: Timestamp, kind: Kind, body: Body) -> Event {
    Event { time, kind, process_id: 2_416, thread_id: 3_388, user: None, body }
}

pub(crate) fn sysmon(time: Timestamp, id: u16, version: u8, fields: Vec<(&'static str, Field)>) -> Event {
    let event = event(time, kind(SYSMON, id, version, id, OPERATIONAL), Body::Named(fields));
    Event { user: Some(Sid::system()), ..event }
}

/// The same, of what `process` does: what each such event begins with, and its own fields.
pub(crate) fn sysmon_act(
    time: Timestamp,
    (id, version): (u16, u8),
    process: &Process,
    event_type: Option<&str>,
    own: impl IntoIterator<Item = (&'static str, Field)>,
) -> Event {
    let mut fields = vec![("RuleName", Field::text("-"))];
    fields.extend(event_type.map(|name| ("EventType", Field::text(name))));
    fields.extend([
        ("UtcTime", sysmon_time(time)),
        ("ProcessGuid", Field::Guid(process.guid)),
        ("ProcessId", Field::U32(process.id)),
    ]);
    fields.extend(own);
    sysmon(time, id, version, fields)
}

/// Who did it, as most events of Security begin.
pub(crate) fn subject(sid: Sid, user: &str, logon: u64) -> Vec<(&'static str, Field)> {
    vec![
        ("SubjectUserSid", Field::Sid(sid)),
        ("SubjectUserName", Field::text(user)),
        ("SubjectDomainName", Field::text("EXAMPLE")),
        ("SubjectLogonId", Field::Hex64(logon)),
    ]
}

pub(crate) fn security(
    time: Timestamp,
    id: u16,
    version: u8,
    task: u16,
    fields: Vec<(&'static str, Field)>,
) -> Event {
    let kind = Kind { level: 0, ..kind(SECURITY, id, version, task, AUDIT_SUCCESS) };
    Event { process_id: 668, thread_id: 712, ..event(time, kind, Body::Named(fields)) }
}

/// The first record of a log that is not there for its content.
pub(crate) fn mark(time: Timestamp, channel: &'static str) -> Event {
    let provider = Provider::classic("assay-range", channel);
    let kind = Kind { qualifiers: Some(0), ..kind(provider, 9_999, 0, 0, CLASSIC) };
    event(time, kind, Body::Unnamed(vec![MARK.into()]))
}

/// `2021-03-03 05:11:02.123`, as Sysmon writes it.
pub(crate) fn sysmon_time(time: Timestamp) -> Field {
    let (year, month, day, hour, minute, second, nanos) = time.civil();
    Field::text(format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:03}",
        nanos / 1_000_000
    ))
}

/// A process, as its own start and all that it does later name it.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) image: String,
    pub(crate) command: String,
    pub(crate) user: &'static str,
    pub(crate) guid: [u8; 16],
    pub(crate) hashes: String,
}

impl Process {
    pub(crate) fn new(dice: &mut Dice, image: &str, command: &str, user: &'static str) -> Self {
        // By the image alone, so that one program has one hash in all logs.
        let mut own = Dice::new(0, image);
        let hashes = format!("MD5={},SHA256={}", own.hex(32).to_uppercase(), own.hex(64).to_uppercase());
        let id = 4 * dice.between(250, 4_000) as u32;
        Self { id, image: image.into(), command: command.into(), user, guid: dice.guid(), hashes }
    }

    fn file_name(&self) -> &str {
        self.image.rsplit('\\').next().unwrap_or(&self.image)
    }
}

/// Sysmon 1: a process starts.
pub(crate) fn sysmon_start(time: Timestamp, process: &Process, parent: &Process) -> Event {
    let text = Field::text;
    let fields = [
        ("Image", text(process.image.as_str())),
        ("FileVersion", text("10.0.14393.4169")),
        ("Description", text("-")),
        ("Product", text("Microsoft® Windows® Operating System")),
        ("Company", text("Microsoft Corporation")),
        ("OriginalFileName", text(process.file_name())),
        ("CommandLine", text(process.command.as_str())),
        ("CurrentDirectory", text("C:\\Windows\\system32\\")),
        ("User", text(process.user)),
        ("LogonGuid", Field::Guid([0; 16])),
        ("LogonId", Field::Hex64(SYSTEM_LOGON)),
        ("TerminalSessionId", Field::U32(0)),
        ("IntegrityLevel", text("System")),
        ("Hashes", text(process.hashes.as_str())),
        ("ParentProcessGuid", Field::Guid(parent.guid)),
        ("ParentProcessId", Field::U32(parent.id)),
        ("ParentImage", text(parent.image.as_str())),
        ("ParentCommandLine", text(parent.command.as_str())),
    ];
    sysmon_act(time, (1, 5), process, None, fields)
}

/// Sysmon 3: a process talks to `to` on `port`.
pub(crate) fn sysmon_connection(
    time: Timestamp,
    process: &Process,
    host: &Host,
    to: &str,
    port: u16,
) -> Event {
    let text = Field::text;
    let source_port = 49_152 + (time.nanos() / 1_000_000 % 16_000) as u16;
    let fields = [
        ("Image", text(process.image.as_str())),
        ("User", text(process.user)),
        ("Protocol", text("tcp")),
        ("Initiated", Field::Bool(true)),
        ("SourceIsIpv6", Field::Bool(false)),
        ("SourceIp", text(host.address)),
        ("SourceHostname", Field::Text(host.full_name())),
        ("SourcePort", Field::U16(source_port)),
        ("SourcePortName", text("-")),
        ("DestinationIsIpv6", Field::Bool(false)),
        ("DestinationIp", text(to)),
        ("DestinationHostname", text("-")),
        ("DestinationPort", Field::U16(port)),
        ("DestinationPortName", text("-")),
    ];
    sysmon_act(time, (3, 5), process, None, fields)
}

/// Sysmon 10: a process opens another one's memory.
pub(crate) fn sysmon_access(time: Timestamp, process: &Process, target: &Process) -> Event {
    let text = Field::text;
    let trace = "C:\\Windows\\SYSTEM32\\ntdll.dll+a6134|C:\\Windows\\System32\\KERNELBASE.dll+20edd|\
                 C:\\Windows\\SYSTEM32\\dbgcore.DLL+ba31|C:\\windows\\System32\\comsvcs.dll+3123d";
    sysmon(
        time,
        10,
        3,
        vec![
            ("RuleName", text("-")),
            ("UtcTime", sysmon_time(time)),
            ("SourceProcessGUID", Field::Guid(process.guid)),
            ("SourceProcessId", Field::U32(process.id)),
            ("SourceThreadId", Field::U32(process.id + 4)),
            ("SourceImage", text(process.image.as_str())),
            ("TargetProcessGUID", Field::Guid(target.guid)),
            ("TargetProcessId", Field::U32(target.id)),
            ("TargetImage", text(target.image.as_str())),
            ("GrantedAccess", Field::Hex32(0x1f_ffff)),
            ("CallTrace", text(trace)),
        ],
    )
}

/// Sysmon 11: a process writes a new file.
pub(crate) fn sysmon_file(time: Timestamp, process: &Process, target: &str) -> Event {
    let fields = [
        ("Image", Field::text(process.image.as_str())),
        ("TargetFilename", Field::text(target)),
        ("CreationUtcTime", sysmon_time(time)),
    ];
    sysmon_act(time, (11, 2), process, None, fields)
}

/// Sysmon 13: a process sets a value of the registry.
pub(crate) fn sysmon_registry(time: Timestamp, process: &Process, target: &str, details: &str) -> Event {
    let fields = [
        ("Image", Field::text(process.image.as_str())),
        ("TargetObject", Field::text(target)),
        ("Details", Field::text(details)),
    ];
    sysmon_act(time, (13, 2), process, Some("SetValue"), fields)
}

/// Sysmon 23: a process deletes a file, which Sysmon keeps.
pub(crate) fn sysmon_delete(time: Timestamp, process: &Process, target: &str) -> Event {
    let fields = [
        ("User", Field::text(process.user)),
        ("Image", Field::text(process.image.as_str())),
        ("TargetFilename", Field::text(target)),
        ("Hashes", Field::text(process.hashes.as_str())),
        ("IsExecutable", Field::Bool(false)),
        ("Archived", Field::text("true")),
    ];
    sysmon_act(time, (23, 5), process, None, fields)
}

/// How much of a process start Security 4688 tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ProcessAudit {
    /// With the command line and the parent's name (version 2).
    Whole,
    /// Neither: an old Windows, and command lines not audited (version 1).
    NameOnly,
}

/// Security 4688: a process starts.
pub(crate) fn security_start(
    time: Timestamp,
    process: &Process,
    parent: &Process,
    audit: ProcessAudit,
) -> Event {
    let text = Field::text;
    let mut fields = subject(Sid::system(), "MXS01$", SYSTEM_LOGON);
    fields.extend([
        ("NewProcessId", Field::Hex64(u64::from(process.id))),
        ("NewProcessName", text(process.image.as_str())),
        ("TokenElevationType", text("%%1936")),
        ("ProcessId", Field::Hex64(u64::from(parent.id))),
    ]);
    if audit == ProcessAudit::NameOnly {
        fields.push(("CommandLine", text("")));
        return security(time, 4_688, 1, 13_312, fields);
    }
    fields.extend([
        ("CommandLine", text(process.command.as_str())),
        ("TargetUserSid", Field::Sid(Sid::anonymous())),
        ("TargetUserName", text("-")),
        ("TargetDomainName", text("-")),
        ("TargetLogonId", Field::Hex64(0)),
        ("ParentProcessName", text(parent.image.as_str())),
        ("MandatoryLabel", text("S-1-16-16384")),
    ]);
    security(time, 4_688, 2, 13_312, fields)
}

/// Security 4624, or 4625 when `failed`.
pub(crate) fn security_logon(time: Timestamp, user: &str, kind: u32, address: &str, failed: bool) -> Event {
    let text = Field::text;
    let mut fields = vec![
        ("SubjectUserSid", Field::Sid(Sid::system())),
        ("SubjectUserName", text("-")),
        ("SubjectDomainName", text("-")),
        ("SubjectLogonId", Field::Hex64(0)),
        ("TargetUserSid", Field::Sid(Sid::account(1_100 + user.len() as u32))),
        ("TargetUserName", text(user)),
        ("TargetDomainName", text("EXAMPLE")),
    ];
    if failed {
        fields.extend([
            ("Status", Field::Hex32(0xc000_006d)),
            ("FailureReason", text("%%2313")),
            ("SubStatus", Field::Hex32(0xc000_006a)),
        ]);
    } else {
        fields
            .push(("TargetLogonId", Field::Hex64(0x10_0000 + (time.nanos() / 1_000_000 % 0xff_ffff) as u64)));
    }
    fields.extend([
        ("LogonType", Field::U32(kind)),
        ("LogonProcessName", text(if kind == 5 { "Advapi  " } else { "Kerberos" })),
        ("AuthenticationPackageName", text(if kind == 5 { "Negotiate" } else { "Kerberos" })),
        ("WorkstationName", text("-")),
    ]);
    if !failed {
        fields.push(("LogonGuid", Field::Guid([0; 16])));
    }
    fields.extend([
        ("TransmittedServices", text("-")),
        ("LmPackageName", text("-")),
        ("KeyLength", Field::U32(0)),
        ("ProcessId", Field::Hex64(0)),
        ("ProcessName", text("-")),
        ("IpAddress", text(address)),
        ("IpPort", text("0")),
    ]);
    let mut event =
        security(time, if failed { 4_625 } else { 4_624 }, if failed { 0 } else { 2 }, 12_544, fields);
    if failed {
        event.kind.keywords = AUDIT_FAILURE;
    }
    event
}

/// Security 4672: a logon with special privileges.
pub(crate) fn security_privileges(time: Timestamp, user: &str) -> Event {
    let privileges = "SeSecurityPrivilege\r\n\t\t\tSeBackupPrivilege\r\n\t\t\tSeRestorePrivilege";
    let mut fields = subject(Sid::system(), user, SYSTEM_LOGON);
    fields.push(("PrivilegeList", Field::text(privileges)));
    security(time, 4_672, 0, 12_548, fields)
}

/// Security 4720: an account is made.
pub(crate) fn security_account_created(time: Timestamp, account: &str) -> Event {
    let text = Field::text;
    let mut fields = vec![
        ("TargetUserName", text(account)),
        ("TargetDomainName", text("MXS01")),
        ("TargetSid", Field::Sid(Sid::account(1_612))),
    ];
    fields.extend(subject(Sid::system(), "MXS01$", SYSTEM_LOGON));
    fields.extend([
        ("PrivilegeList", text("-")),
        ("SamAccountName", text(account)),
        ("DisplayName", text("%%1793")),
        ("UserPrincipalName", text("-")),
    ]);
    security(time, 4_720, 0, 13_824, fields)
}

/// Security 1102: the log was cleared.
pub(crate) fn security_cleared(time: Timestamp, user: &str) -> Event {
    let provider = Provider::new("Microsoft-Windows-Eventlog", EVENTLOG, "Security");
    let fields = subject(Sid::system(), user, SYSTEM_LOGON);
    let kind = kind(provider, 1_102, 0, 104, 0x4020_0000_0000_0000);
    event(time, kind, Body::UserData("LogFileCleared", fields))
}

/// System 104: the log `channel` was cleared.
pub(crate) fn system_cleared(time: Timestamp, user: &str, channel: &str) -> Event {
    let provider = Provider::new("Microsoft-Windows-Eventlog", EVENTLOG, "System");
    let fields = vec![
        ("SubjectUserName", Field::text(user)),
        ("SubjectDomainName", Field::text("EXAMPLE")),
        ("Channel", Field::text(channel)),
        ("BackupPath", Field::text("")),
    ];
    let kind = kind(provider, 104, 0, 104, OPERATIONAL);
    Event { user: Some(Sid::system()), ..event(time, kind, Body::UserData("LogFileCleared", fields)) }
}

fn service_control(time: Timestamp, id: u16, fields: Vec<(&'static str, Field)>) -> Event {
    let provider = Provider::new("Service Control Manager", SERVICE_CONTROL, "System");
    let kind = Kind { qualifiers: Some(16_384), ..kind(provider, id, 0, 0, 0x8080_0000_0000_0000) };
    Event { process_id: 660, ..event(time, kind, Body::Named(fields)) }
}

/// System 7036: a service changes its state.
pub(crate) fn service_state(time: Timestamp, service: &str, state: &str) -> Event {
    service_control(time, 7_036, vec![("param1", Field::text(service)), ("param2", Field::text(state))])
}

/// System 7045: a service is installed.
pub(crate) fn service_installed(time: Timestamp, service: &str, path: &str) -> Event {
    let fields = vec![
        ("ServiceName", Field::text(service)),
        ("ImagePath", Field::text(path)),
        ("ServiceType", Field::text("user mode service")),
        ("StartType", Field::text("auto start")),
        ("AccountName", Field::text("LocalSystem")),
    ];
    Event { user: Some(Sid::system()), ..service_control(time, 7_045, fields) }
}

/// An event of the Application log by a provider without a manifest.
pub(crate) fn application(
    time: Timestamp,
    provider: &'static str,
    id: u16,
    level: u8,
    texts: Vec<String>,
) -> Event {
    let provider = Provider::classic(provider, "Application");
    let qualifiers = Some(if level == 2 { 49_152 } else { 16_384 });
    let kind = Kind { qualifiers, level, ..kind(provider, id, 0, 1, CLASSIC) };
    Event { process_id: 0, thread_id: 0, ..event(time, kind, Body::Unnamed(texts)) }
}

/// Unvalidated: how Unified Messaging reports what CVE-2021-26857 leaves.
pub(crate) fn unified_messaging_error(time: Timestamp) -> Event {
    let message = "The Unified Messaging server encountered an error: System.InvalidCastException: Unable to cast \
                   object of type 'Sample.Inert' to type 'Sample.Header'.";
    application(time, "MSExchange Unified Messaging", 1_400, 2, vec![message.into()])
}

/// MSExchange Management 1: a cmdlet that succeeded, with its 27 values.
pub(crate) fn cmdlet(time: Timestamp, name: &str, parameters: &str, caller: &str, remote: bool) -> Event {
    let host_application =
        if remote { "Remote-PowerShell-Unknown" } else { "Remote-ManagementShell-Unknown" };
    let pool =
        if remote { "7120 w3wp#MSExchangeECPAppPool" } else { "5516 w3wp#MSExchangePowerShellAppPool" };
    let mut texts = vec![String::new(); 27];
    texts[0] = name.into();
    texts[1] = parameters.into();
    texts[2] = format!("example.test/Users/{caller}");
    texts[3] = Sid::account(1_107).to_text();
    texts[4] = Sid::account(1_107).to_text();
    texts[5] = host_application.into();
    texts[6] = pool.into();
    texts[8] = "61".into();
    texts[9] = "00:00:00.4531107".into();
    texts[10] =
        "View Entire Forest: 'False', Default Scope: 'example.test', Configuration Domain Controller: \
                 'DC01.example.test', "
            .into();
    texts[26] = "en-US".into();
    let kind = Kind { qualifiers: Some(16_384), ..kind(CMDLETS, 1, 0, 1, CLASSIC) };
    Event { process_id: 0, thread_id: 0, ..event(time, kind, Body::Unnamed(texts)) }
}

/// MSExchange Management 6: a cmdlet that failed, and over what.
pub(crate) fn cmdlet_failed(
    time: Timestamp,
    name: &str,
    parameters: &str,
    caller: &str,
    error: &str,
) -> Event {
    let mut failed = cmdlet(time, name, parameters, caller, true);
    failed.kind = Kind { id: 6, level: 2, qualifiers: Some(49_152), ..failed.kind };
    if let Body::Unnamed(texts) = &mut failed.body {
        texts[11] = error.into();
    }
    failed
}
