//! Events that only these scenarios write, beside those of `windows`.

use crate::evtx::{Body, Event, Field, Kind, Provider, Sid};
use crate::windows::{
    self, AUDIT_SUCCESS, CLASSIC, OPERATIONAL, Process, kind, security, sysmon, sysmon_time,
};
use model::Timestamp;

pub(crate) const POWERSHELL: Provider = Provider {
    name: "Microsoft-Windows-PowerShell",
    guid: Some([
        0x90, 0x6a, 0xc1, 0xa0, 0x48, 0x07, 0x8c, 0x4f, 0x9a, 0x62, 0x68, 0x9d, 0x20, 0x8a, 0x2a, 0xd3,
    ]),
    channel: "Microsoft-Windows-PowerShell/Operational",
};
pub(crate) const DEFENDER: Provider = Provider {
    name: "Microsoft-Windows-Windows Defender",
    guid: Some([
        0xba, 0x6f, 0xcd, 0x11, 0x75, 0x80, 0xa3, 0x47, 0x9f, 0x0a, 0x46, 0x49, 0xa5, 0x8f, 0xb7, 0x80,
    ]),
    channel: "Microsoft-Windows-Windows Defender/Operational",
};
pub(crate) const CERTIFICATES: Provider = Provider {
    name: "Microsoft-Windows-CertificateServicesClient-Lifecycle-System",
    guid: Some([
        0x86, 0xb1, 0x06, 0xbc, 0x66, 0x4a, 0x4c, 0x43, 0x9e, 0x66, 0xb6, 0x4a, 0x5e, 0x0a, 0x56, 0x8e,
    ]),
    channel: "Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational",
};
pub(crate) const ADFS: Provider = Provider {
    name: "AD FS",
    guid: Some([
        0x7a, 0x68, 0xfb, 0x2f, 0x71, 0x15, 0xce, 0x4a, 0x85, 0x50, 0x47, 0xab, 0x5c, 0xca, 0xe2, 0xbc,
    ]),
    channel: "AD FS/Admin",
};
const ADFS_AUDITING: Provider = Provider { name: "AD FS Auditing", guid: None, channel: "Security" };

/// Sysmon 22: a program asks for a name.
pub(crate) fn name_asked_for(time: Timestamp, process: &Process, name: &str, answer: &str) -> Event {
    let text = Field::text;
    let fields = vec![
        ("RuleName", text("-")),
        ("UtcTime", sysmon_time(time)),
        ("ProcessGuid", Field::Guid(process.guid)),
        ("ProcessId", Field::U32(process.id)),
        ("QueryName", text(name)),
        ("QueryStatus", text("0")),
        ("QueryResults", Field::Text(format!("::ffff:{answer};"))),
        ("Image", text(process.image.as_str())),
        ("User", text(process.user)),
    ];
    sysmon(time, 22, 5, fields)
}

/// Sysmon 18: a program connects to a named pipe.
pub(crate) fn pipe_connected(time: Timestamp, process: &Process, pipe: &str) -> Event {
    let text = Field::text;
    let fields = vec![
        ("RuleName", text("-")),
        ("EventType", text("ConnectPipe")),
        ("UtcTime", sysmon_time(time)),
        ("ProcessGuid", Field::Guid(process.guid)),
        ("ProcessId", Field::U32(process.id)),
        ("PipeName", text(pipe)),
        ("Image", text(process.image.as_str())),
        ("User", text(process.user)),
    ];
    sysmon(time, 18, 1, fields)
}

/// PowerShell 4104: a block of script is about to run.
pub(crate) fn script(time: Timestamp, block: &str) -> Event {
    let text = Field::text;
    let fields = vec![
        ("MessageNumber", Field::U32(1)),
        ("MessageTotal", Field::U32(1)),
        ("ScriptBlockText", text(block)),
        ("ScriptBlockId", text("7d93a601-0000-4000-8000-000000000001")),
        ("Path", text("")),
    ];
    let kind = Kind { level: 5, ..kind(POWERSHELL, 4_104, 1, 2, OPERATIONAL) };
    windows::event(time, kind, Body::Named(fields))
}

/// An event of Defender: its number and its own fields.
pub(crate) fn defender(time: Timestamp, id: u16, more: Vec<(&'static str, Field)>) -> Event {
    let mut fields = vec![
        ("Product Name", Field::text("Microsoft Defender Antivirus")),
        ("Product Version", Field::text("4.18.2101.9")),
    ];
    fields.extend(more);
    let event = windows::event(time, kind(DEFENDER, id, 0, 0, OPERATIONAL), Body::Named(fields));
    Event { user: Some(Sid::system()), ..event }
}

/// Security 4698: a task is made.
pub(crate) fn task_made(time: Timestamp, user: &str, name: &str, command: &str) -> Event {
    let content =
        format!("<Task version=\"1.2\"><Actions><Exec><Command>{command}</Command></Exec></Actions></Task>");
    let fields = vec![
        ("SubjectUserSid", Field::Sid(Sid::account(1_107))),
        ("SubjectUserName", Field::text(user)),
        ("SubjectDomainName", Field::text("EXAMPLE")),
        ("SubjectLogonId", Field::Hex64(0x4_1c2a)),
        ("TaskName", Field::text(name)),
        ("TaskContent", Field::text(content)),
    ];
    security(time, 4_698, 0, 12_804, fields)
}

/// 1007 of the log of certificates: one was exported.
pub(crate) fn certificate_exported(time: Timestamp, subject: &str) -> Event {
    let fields = vec![
        ("SubjectNames", Field::text(subject)),
        ("Thumbprint", Field::text("00112233445566778899AABBCCDDEEFF00112233")),
        ("Context", Field::text("Machine")),
    ];
    let kind = kind(CERTIFICATES, 1_007, 0, 1_007, OPERATIONAL);
    windows::event(time, kind, Body::UserData("CertNotificationData", fields))
}

/// An audit of AD FS in the Security log.
pub(crate) fn adfs_audit(time: Timestamp, id: u16, texts: &[&str]) -> Event {
    let kind = Kind { level: 0, ..kind(ADFS_AUDITING, id, 0, 3, AUDIT_SUCCESS | CLASSIC) };
    windows::event(time, kind, Body::Unnamed(texts.iter().map(|text| (*text).into()).collect()))
}

/// An event of the AD FS log itself.
pub(crate) fn adfs_admin(time: Timestamp, id: u16, message: &str) -> Event {
    let fields = vec![("Data", Field::text(message))];
    windows::event(time, kind(ADFS, id, 0, 0, OPERATIONAL), Body::UserData("Event", fields))
}
