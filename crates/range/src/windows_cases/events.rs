//! Events that only these scenarios write, beside those of `windows`.

use crate::evtx::{Body, Event, Field, Kind, Provider, Sid};
use crate::windows::{
    self, AUDIT_SUCCESS, CLASSIC, OPERATIONAL, Process, kind, security, subject, sysmon_act,
};
use model::Timestamp;

pub(crate) const POWERSHELL: Provider = Provider::new(
    "Microsoft-Windows-PowerShell",
    "a0c16a90-0748-4f8c-9a62-689d208a2ad3",
    "Microsoft-Windows-PowerShell/Operational",
);
pub(crate) const DEFENDER: Provider = Provider::new(
    "Microsoft-Windows-Windows Defender",
    "11cd6fba-8075-47a3-9f0a-4649a58fb780",
    "Microsoft-Windows-Windows Defender/Operational",
);
pub(crate) const CERTIFICATES: Provider = Provider::new(
    "Microsoft-Windows-CertificateServicesClient-Lifecycle-System",
    "bc06b186-4a66-434c-9e66-b64a5e0a568e",
    "Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational",
);
pub(crate) const ADFS: Provider =
    Provider::new("AD FS", "2ffb687a-1571-4ace-8550-47ab5ccae2bc", "AD FS/Admin");
const ADFS_AUDITING: Provider = Provider::classic("AD FS Auditing", "Security");

/// Sysmon 22: a program asks for a name.
pub(crate) fn name_asked_for(time: Timestamp, process: &Process, name: &str, answer: &str) -> Event {
    let text = Field::text;
    let fields = [
        ("QueryName", text(name)),
        ("QueryStatus", text("0")),
        ("QueryResults", Field::Text(format!("::ffff:{answer};"))),
        ("Image", text(process.image.as_str())),
        ("User", text(process.user)),
    ];
    sysmon_act(time, (22, 5), process, None, fields)
}

/// Sysmon 18: a program connects to a named pipe.
pub(crate) fn pipe_connected(time: Timestamp, process: &Process, pipe: &str) -> Event {
    let text = Field::text;
    let fields =
        [("PipeName", text(pipe)), ("Image", text(process.image.as_str())), ("User", text(process.user))];
    sysmon_act(time, (18, 1), process, Some("ConnectPipe"), fields)
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
    let mut fields = subject(Sid::account(1_107), user, 0x4_1c2a);
    fields.extend([("TaskName", Field::text(name)), ("TaskContent", Field::text(content))]);
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
