//! What the messages of Linux programs say of users, addresses and commands:
//! forms of messages, and the names of what stands in their gaps. The same
//! for syslog and for the journal.
//!
//! # Whose words these are
//! A user name is chosen by whoever logs on: gaps for names reach to the last
//! place where the form goes on, so that a name with ` from 192.0.2.1 port 22`
//! in it does not become an address.
//!
//! # Not here
//! The frame around a message; what it means.

use model::Slot;

/// A form: program names, and the message's beginning. `{Name}` stands for
/// text up to what follows first, `{*Name}` up to where that follows last,
/// `{#Name}` for digits; a gap at the end takes all that is left.
struct Form {
    programs: &'static [&'static str],
    form: &'static str,
}

const SSHD: &[&str] = &["sshd", "sshd-session", "sshd-auth"];
const ANY: &[&str] = &[];

const fn form(programs: &'static [&'static str], form: &'static str) -> Form {
    Form { programs, form }
}

/// More special forms come before those that hold for them, too.
static FORMS: &[Form] = &[
    form(SSHD, "Accepted {Method} for {*User} from {SourceIp} port {#SourcePort} ssh2: {KeyFingerprint}"),
    form(SSHD, "Accepted {Method} for {*User} from {SourceIp} port {#SourcePort}"),
    form(SSHD, "Failed {Method} for invalid user {*User} from {SourceIp} port {#SourcePort}"),
    form(SSHD, "Failed {Method} for {*User} from {SourceIp} port {#SourcePort}"),
    form(SSHD, "Invalid user {*User} from {SourceIp} port {#SourcePort}"),
    form(SSHD, "Disconnected from {Kind} user {*User} {SourceIp} port {#SourcePort}"),
    form(SSHD, "Disconnected from user {*User} {SourceIp} port {#SourcePort}"),
    form(SSHD, "Connection closed by {Kind} user {*User} {SourceIp} port {#SourcePort}"),
    form(SSHD, "Received disconnect from {SourceIp} port {#SourcePort}"),
    form(SSHD, "Connection from {SourceIp} port {#SourcePort}"),
    form(
        SSHD,
        "error: maximum authentication attempts exceeded for {*User} from {SourceIp} port {#SourcePort}",
    ),
    form(
        &["sudo"],
        "{User} : {Refusal} ; TTY={Tty} ; PWD={CurrentDirectory} ; USER={TargetUser} ; COMMAND={Command}",
    ),
    form(
        &["sudo"],
        "{User} : TTY={Tty} ; PWD={CurrentDirectory} ; USER={TargetUser} ; ENV={Environment} ; COMMAND={Command}",
    ),
    form(
        &["sudo"],
        "{User} : TTY={Tty} ; PWD={CurrentDirectory} ; USER={TargetUser} ; GROUP={Group} ; COMMAND={Command}",
    ),
    form(&["sudo"], "{User} : TTY={Tty} ; PWD={CurrentDirectory} ; USER={TargetUser} ; COMMAND={Command}"),
    form(&["sudo"], "{User} : PWD={CurrentDirectory} ; USER={TargetUser} ; COMMAND={Command}"),
    form(&["su"], "(to {TargetUser}) {User} on {Tty}"),
    form(&["su"], "FAILED SU (to {TargetUser}) {User} on {Tty}"),
    form(&["su"], "Successful su for {TargetUser} by {User}"),
    form(&["su"], "FAILED su for {TargetUser} by {User}"),
    form(
        &["useradd"],
        "new user: name={TargetUser}, UID={#TargetUid}, GID={#TargetGid}, home={Home}, shell={Shell}, from={Tty}",
    ),
    form(
        &["useradd"],
        "new user: name={TargetUser}, UID={#TargetUid}, GID={#TargetGid}, home={Home}, shell={Shell}",
    ),
    form(&["useradd", "usermod"], "add '{TargetUser}' to group '{Group}'"),
    form(&["useradd", "usermod"], "add '{TargetUser}' to shadow group '{Group}'"),
    form(&["usermod"], "change user '{TargetUser}' UID from '{#OldUid}' to '{#TargetUid}'"),
    form(&["usermod"], "change user '{TargetUser}' shell from '{OldShell}' to '{Shell}'"),
    form(&["userdel"], "delete user '{TargetUser}'"),
    form(&["gpasswd"], "user {TargetUser} added by {User} to group {Group}"),
    form(&["groupadd"], "new group: name={Group}, GID={#TargetGid}"),
    form(&["passwd", "chpasswd"], "pam_unix({Service}): password changed for {TargetUser}"),
    form(&["CRON", "cron", "crond", "anacron"], "({User}) CMD ({*Command})"),
    form(&["crontab"], "({User}) {Action} ({TargetUser})"),
    form(&["systemd-logind"], "New session {Session} of user {*User}."),
    form(
        ANY,
        "pam_unix({Service}): session {Action} for user {TargetUser}(uid={#TargetUid}) by {User}(uid={#Uid})",
    ),
    form(ANY, "pam_unix({Service}): session {Action} for user {*TargetUser} by {User}(uid={#Uid})"),
    form(ANY, "pam_unix({Service}): session {Action} for user {TargetUser}"),
    form(
        ANY,
        "pam_unix({Service}): authentication failure; logname={LogonName} uid={#Uid} euid={#EffectiveUid} tty={Tty} ruser={RemoteUser} rhost={SourceIp} user={User}",
    ),
    form(
        ANY,
        "pam_unix({Service}): authentication failure; logname={LogonName} uid={#Uid} euid={#EffectiveUid} tty={Tty} ruser={RemoteUser} rhost={SourceIp}",
    ),
];

/// Names of programs whose messages are about logging on and rights.
pub(crate) const AUTH_PROGRAMS: &[&str] = &[
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
    "groupmod",
    "groupdel",
    "gpasswd",
    "chage",
    "chsh",
    "chfn",
    "pkexec",
    "polkitd",
    "systemd-logind",
    "newgrp",
    "vsftpd.auth",
];

/// The form that a message has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Known(usize);

impl Known {
    /// Its number, which names its shape.
    pub(crate) fn number(self) -> usize {
        self.0
    }

    /// The names of its gaps, in order.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        FORMS[self.0].form.split('{').skip(1).filter_map(|gap| {
            let (name, _) = gap.split_once('}')?;
            Some(name.trim_start_matches(['*', '#']))
        })
    }
}

/// The slot of a gap, which answers to the program's own word, too.
pub(crate) fn slot(name: &str) -> Slot {
    let own = match name {
        "TargetUser" => "USER",
        "Command" => "COMMAND",
        "CurrentDirectory" => "PWD",
        "Tty" => "TTY",
        _ => return Slot::new(name),
    };
    Slot { aliases: vec![own.into()], ..Slot::new(name) }
}

/// What was repeated, where a message says that another one was.
fn repeated(message: &str) -> &str {
    let inner = message.strip_prefix("message repeated ").and_then(|rest| rest.split_once(" times: ["));
    inner.and_then(|(_, inner)| inner.strip_suffix(']')).unwrap_or(message)
}

/// The form of `message`, written by `program`; what stands in its gaps goes
/// to `values`.
pub(crate) fn read<'a>(program: &str, message: &'a str, values: &mut Vec<&'a str>) -> Option<Known> {
    let message = repeated(message.trim()).trim();
    let index = FORMS.iter().position(|form| {
        values.clear();
        (form.programs.is_empty() || form.programs.contains(&program))
            && gaps(form.form, message, values).is_some()
    });
    if index.is_none() {
        values.clear();
    }
    index.map(Known)
}

fn gaps<'a>(mut form: &'static str, mut message: &'a str, values: &mut Vec<&'a str>) -> Option<()> {
    loop {
        let (literal, rest) = form.split_once('{').unwrap_or((form, ""));
        message = message.strip_prefix(literal)?;
        if rest.is_empty() {
            return Some(());
        }
        let (name, after) = rest.split_once('}')?;
        let next = after.split('{').next().unwrap_or("");
        let end = match name.as_bytes().first() {
            Some(b'#') => message.bytes().take_while(u8::is_ascii_digit).count(),
            _ if next.is_empty() => message.len(),
            Some(b'*') => message.rfind(next)?,
            _ => message.find(next)?,
        };
        if end == 0 && name.starts_with('#') {
            return None;
        }
        values.push(message[..end].trim());
        message = &message[end..];
        form = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(program: &str, message: &str, expect: &str) {
        let mut values = Vec::new();
        let known = read(program, message, &mut values);
        let names = known.into_iter().flat_map(Known::names);
        let shown: Vec<_> = names.zip(&values).map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown.join(" | "), expect);
        assert_eq!(known.map_or(0, |known| known.names().count()), values.len());
    }

    #[test]
    fn gaps_have_names() {
        check(
            "sshd",
            "Accepted password for root from 203.0.113.7 port 50022 ssh2",
            "Method=password | User=root | SourceIp=203.0.113.7 | SourcePort=50022",
        );
        check(
            "sshd",
            "Failed password for invalid user x from 192.0.2.1 port 22 from 203.0.113.7 port 50022 ssh2",
            "Method=password | User=x from 192.0.2.1 port 22 | SourceIp=203.0.113.7 | SourcePort=50022",
        );
        check(
            "sudo",
            "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/sh -c a ; b",
            "User=alice | Tty=pts/0 | CurrentDirectory=/home/alice | TargetUser=root | Command=/bin/sh -c a ; b",
        );
        check(
            "useradd",
            "new user: name=mallory, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/1",
            "TargetUser=mallory | TargetUid=0 | TargetGid=0 | Home=/root | Shell=/bin/bash | Tty=/dev/pts/1",
        );
        check("CRON", "(root) CMD (run (a))", "User=root | Command=run (a)");
        check("other", "Accepted password for root from 203.0.113.7 port 50022 ssh2", "");
        check("sshd", "", "");
    }
}
