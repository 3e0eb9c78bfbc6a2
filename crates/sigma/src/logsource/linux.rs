//! Log sources of Linux: services by the program that writes, categories by
//! what auditd's events show.
//!
//! # Categories
//! Events of Sysmon for Linux by their numbers, as on Windows. Of auditd's,
//! `process_creation` is an event with `EXECVE`, `file_event` one that creates
//! a name, `network_connection` a `connect`; `Image` is `exe` there, `User` the
//! name that an enriched log gives (`UID`), and the parent's image is missing.
//!
//! # Not here
//! Reading a record; matching.

use super::{LogSource, Source, any};
use model::LogFamily;

/// Logs that any program may write to.
const TEXT_LOGS: [&str; 4] = ["syslog", "auth", "journal", "ecs"];

const SSHD: &[&str] = &["sshd", "sshd-session", "sshd-auth"];
const AUTH: &[&str] = &[
    "sshd",
    "sshd-session",
    "sshd-auth",
    "sudo",
    "su",
    "login",
    "passwd",
    "chpasswd",
    "useradd",
    "usermod",
    "userdel",
    "groupadd",
    "gpasswd",
    "pkexec",
    "polkitd",
    "systemd-logind",
];
const CRON: &[&str] = &["cron", "crond", "crontab", "anacron"];

/// Services of rules and the programs that they stand for.
const SERVICES: &[(&str, &[&str])] = &[
    ("sshd", SSHD),
    ("sysmon", &["sysmon"]),
    ("sudo", &["sudo"]),
    ("cron", CRON),
    ("clamav", &["clamd", "clamav", "clamscan", "clamdscan", "freshclam"]),
    ("vsftpd", &["vsftpd"]),
    ("guacamole", &["guacd", "guacamole"]),
];

/// Web servers whose error logs may go to the system's log.
const WEB_SERVERS: &[(&str, &[&str])] = &[("apache", &["apache2", "httpd", "apache"]), ("nginx", &["nginx"])];

const NAMES: &[(&str, &str)] = &[
    ("Image", "exe"),
    ("ProcessId", "pid"),
    ("ParentProcessId", "ppid"),
    ("CurrentDirectory", "cwd"),
    ("User", "UID"),
];

/// Categories of rules, and what an event of auditd must hold for them.
const CATEGORIES: &[(&str, (&str, &[&str]))] = &[
    ("process_creation", ("type", &["EXECVE"])),
    ("file_event", ("nametype", &["CREATE"])),
    ("network_connection", ("Initiated", &["true"])),
];

/// Categories of rules, and the numbers of Sysmon's events.
const SYSMON: &[(&str, &[&str])] = &[
    ("process_creation", &["1"]),
    ("network_connection", &["3"]),
    ("sysmon_status", &["4", "16"]),
    ("process_termination", &["5"]),
    ("raw_access_read", &["9"]),
    ("file_event", &["11"]),
    ("file_delete", &["23"]),
];

/// The logs of Linux that a rule applies to.
pub(super) fn sources(logsource: &LogSource) -> Vec<Source> {
    let product = logsource.product.as_deref();
    let is_web = |name: &str| WEB_SERVERS.iter().find(|(own, _)| *own == name).map(|(_, programs)| *programs);
    match (logsource.category.as_deref(), logsource.service.as_deref()) {
        _ if !matches!(product, None | Some("linux")) => Vec::new(),
        (None, None) if product.is_some() => vec![any(LogFamily::Linux)],
        (Some(category), service @ (None | Some("auditd" | "sysmon"))) => {
            let own = CATEGORIES.iter().filter(|(own, _)| *own == category && service != Some("sysmon"));
            let of_auditd =
                own.map(|(_, only)| Source { only: Some(*only), names: NAMES, ..of_log("auditd") });
            let own = SYSMON.iter().filter(|(own, _)| *own == category && service != Some("auditd"));
            let of_sysmon = own.flat_map(|(_, numbers)| {
                TEXT_LOGS.map(|log| Source { only: Some(("EventID", *numbers)), ..of_log(log) })
            });
            of_auditd.chain(of_sysmon).collect()
        }
        (None, Some("auditd")) => vec![of_log("auditd")],
        (None, Some("syslog")) => TEXT_LOGS.map(of_log).into(),
        (None, Some("auth")) => vec![of_log("auth"), of_programs("journal", AUTH)],
        (None, Some(service)) => {
            let own = SERVICES.iter().find(|(own, _)| *own == service).map(|(_, programs)| *programs);
            let programs = own.or_else(|| is_web(service));
            programs
                .into_iter()
                .flat_map(|programs| TEXT_LOGS.map(|log| of_programs(log, programs)))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn of_log(log: &str) -> Source {
    Source { log: log.into(), ..any(LogFamily::Linux) }
}

fn of_programs(log: &str, programs: &'static [&'static str]) -> Source {
    Source { only: Some(("program", programs)), ..of_log(log) }
}
