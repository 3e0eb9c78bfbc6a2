//! Fields of a line: `name=value`, the value bare, quoted or in hex.
//!
//! # Not here
//! Which lines belong together.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The fields of one event, in the order of its lines.
#[derive(Default)]
pub(super) struct Fields {
    /// A value of `(null)` or `?` is none.
    all: Vec<(Box<str>, Option<String>)>,
    /// Arguments of `EXECVE`, by number; parts of a long one are joined.
    arguments: Vec<String>,
    title: Option<String>,
    created: Vec<String>,
    folder: Option<String>,
    address: Option<(String, u16)>,
    /// The call's name, where the log does not tell it.
    call: Option<&'static str>,
    connects: bool,
}

/// Calls by their numbers on x86-64 and on 64-bit ARM, which rules ask for by
/// name; the kernel's tables (`syscall_64.tbl`, `asm-generic/unistd.h`).
const CALLS: [(&str, &str, &str); 18] = [
    ("connect", "42", "203"),
    ("accept", "43", "202"),
    ("execve", "59", "221"),
    ("kill", "62", "129"),
    ("ptrace", "101", "117"),
    ("syslog", "103", "116"),
    ("sysinfo", "99", "179"),
    ("mknod", "133", ""),
    ("mount", "165", "40"),
    ("init_module", "175", "105"),
    ("delete_module", "176", "106"),
    ("mknodat", "259", "33"),
    ("unlinkat", "263", "35"),
    ("renameat", "264", "38"),
    ("finit_module", "313", "273"),
    ("memfd_create", "319", "279"),
    ("bpf", "321", "280"),
    ("execveat", "322", "281"),
];

/// The name of a call, where its machine and number tell it.
fn call(arch: &str, number: &str) -> Option<&'static str> {
    if number.is_empty() {
        return None;
    }
    let own = |(_, x86, arm): &&(&str, &str, &str)| match arch {
        "c000003e" => *x86 == number,
        "c00000b7" => *arm == number,
        _ => false,
    };
    CALLS.iter().find(own).map(|(name, ..)| *name)
}

/// Fields that hold what a user may choose, and so stand in quotes or in hex.
const ENCODED: [&str; 15] = [
    "proctitle",
    "name",
    "exe",
    "comm",
    "cwd",
    "cmd",
    "data",
    "acct",
    "path",
    "key",
    "dir",
    "ocomm",
    "file",
    "device",
    "vm",
];

impl Fields {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.all.iter().map(|(name, text)| (&**name, text.as_deref()))
    }

    /// Takes the fields of a line of type `kind`, as long as the event has at
    /// most `max`; false when it had more.
    pub(super) fn read(&mut self, kind: &str, text: &str, max: usize) -> bool {
        let from = self.all.len();
        // What the daemon adds in words stands behind a group separator.
        let (raw, words) = text.split_once('\x1d').unwrap_or((text, ""));
        let all = self.pairs(kind, raw, true, max) && self.pairs(kind, words, true, max);
        self.note(kind, from);
        all
    }

    fn pairs(&mut self, kind: &str, text: &str, is_outer: bool, max: usize) -> bool {
        let mut rest = text;
        while let Some((name, after)) = next_name(rest) {
            if self.all.len() >= max {
                return false;
            }
            let quote = after.as_bytes().first().copied().filter(|byte| matches!(byte, b'"' | b'\''));
            let (value, after) = match quote {
                Some(quote) => quoted(after, quote),
                None => after.split_once(' ').unwrap_or((after, "")),
            };
            rest = after;
            // Programs send their own fields as one message: msg='op=… acct=…'.
            if quote == Some(b'\'') && name == "msg" && is_outer && next_name(value).is_some() {
                if !self.pairs(kind, value, false, max) {
                    return false;
                }
                continue;
            }
            let text = if quote.is_some() { Some(value.into()) } else { bare(kind, name, value) };
            self.all.push((name.into(), text));
        }
        true
    }

    /// Keeps what [`Fields::made`] is made of.
    fn note(&mut self, kind: &str, from: usize) {
        let added = &self.all[from..];
        let of = |wanted: &str| {
            let found = added.iter().find(|(name, _)| **name == *wanted);
            found.and_then(|(_, text)| text.clone())
        };
        match kind {
            "EXECVE" => added.iter().for_each(|(name, text)| {
                let argument = text.as_deref().filter(|_| is_argument(name));
                // The parts of one long argument follow each other: a1[0], a1[1].
                let goes_on = name.ends_with(']') && !name.ends_with("[0]");
                match (argument, self.arguments.last_mut()) {
                    (Some(text), Some(last)) if goes_on => last.push_str(text),
                    (Some(text), _) => self.arguments.push(text.to_owned()),
                    (None, _) => {}
                }
            }),
            "PROCTITLE" => self.title = of("proctitle").or(self.title.take()),
            "CWD" => self.folder = of("cwd").or(self.folder.take()),
            "PATH" if of("nametype").as_deref() == Some("CREATE") => self.created.extend(of("name")),
            "SOCKADDR" => self.address = of("saddr").as_deref().and_then(address).or(self.address.take()),
            "SYSCALL" => {
                let told = of("SYSCALL");
                let (arch, number) = (of("arch").unwrap_or_default(), of("syscall").unwrap_or_default());
                self.call = told.is_none().then(|| call(&arch, &number)).flatten();
                self.connects |= told.as_deref().or(self.call) == Some("connect");
            }
            _ => {}
        }
    }

    /// Fields that are made of others.
    pub(super) fn made(&self) -> Vec<(&'static str, String)> {
        let mut made = Vec::new();
        made.extend(self.call.map(|call| ("SYSCALL", call.into())));
        let line =
            if self.arguments.is_empty() { self.title.clone() } else { Some(self.arguments.join(" ")) };
        made.extend(line.map(|line| ("CommandLine", line)));
        made.extend(self.created.iter().map(|name| {
            let folder = self.folder.as_deref().filter(|_| !name.starts_with('/'));
            let whole = folder.map(|folder| format!("{}/{name}", folder.trim_end_matches('/')));
            ("TargetFilename", whole.unwrap_or_else(|| name.clone()))
        }));
        if let Some((address, port)) = self.address.as_ref().filter(|_| self.connects) {
            made.push(("DestinationIp", address.clone()));
            made.push(("DestinationPort", port.to_string()));
            made.push(("Initiated", "true".into()));
        }
        made
    }
}

/// Whether a field of `EXECVE` is an argument, or a part of one.
fn is_argument(name: &str) -> bool {
    let number = name.strip_prefix('a').and_then(|rest| rest.split('[').next());
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}

/// The name at the beginning, and what follows its `=`; words that are no
/// field are skipped.
fn next_name(text: &str) -> Option<(&str, &str)> {
    let is_name = |name: &str| {
        (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-[]".contains(&byte))
    };
    let mut rest = text;
    loop {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        match word.find('=') {
            Some(equals) if is_name(&word[..equals]) => return Some((&word[..equals], &rest[equals + 1..])),
            _ if after.is_empty() => return None,
            _ => rest = after,
        }
    }
}

/// The value in quotes, and what follows; an open quote reaches to the end.
fn quoted(text: &str, quote: u8) -> (&str, &str) {
    let inner = &text[1..];
    match inner.find(char::from(quote)) {
        Some(end) => (&inner[..end], &inner[end + 1..]),
        None => (inner, ""),
    }
}

/// A value without quotes.
fn bare(kind: &str, name: &str, value: &str) -> Option<String> {
    // A comma or bracket ends some values of programs.
    let value = value.trim_end_matches([',', ')']).trim_start_matches('(');
    if matches!(value, "null" | "none" | "?" | "") {
        return None;
    }
    if kind == "EXECVE" && is_argument(name) || ENCODED.contains(&name) {
        return Some(unhex(value).unwrap_or_else(|| value.into()));
    }
    Some(value.into())
}

/// Text that is written in hex; NULs, which part a title's words, are blanks.
fn unhex(digits: &str) -> Option<String> {
    let bytes = bytes(digits)?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.trim_end_matches('\0').replace('\0', " "))
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    if digits.len() < 2 || !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Address and port of a `sockaddr` in hex: family (in the machine's order),
/// port, address.
fn address(hex: &str) -> Option<(String, u16)> {
    let bytes = bytes(hex)?;
    let family = u16::from_le_bytes([*bytes.first()?, *bytes.get(1)?]);
    let port = u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]);
    let text = match family {
        2 => Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?).to_string(),
        10 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?).to_string(),
        _ => return None,
    };
    Some((text, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, line: &str, expect: &str) {
        let mut fields = Fields::default();
        assert!(fields.read(kind, line, 100));
        let made = fields.made();
        let all = fields.iter().chain(made.iter().map(|(name, text)| (*name, Some(text.as_str()))));
        let shown: Vec<_> = all.map(|(name, text)| format!("{name}={}", text.unwrap_or("-"))).collect();
        assert_eq!(shown.join(" | "), expect);
    }

    #[test]
    fn values_are_text_again() {
        check("SYSCALL", r#" a0=55 exe="/usr/bin/id" key=(null)"#, "a0=55 | exe=/usr/bin/id | key=-");
        check("PROCTITLE", " proctitle=6964002D75", "proctitle=id -u | CommandLine=id -u");
        check(
            "EXECVE",
            r#" argc=2 a0="sh" a1=2D63206122"#,
            "argc=2 | a0=sh | a1=-c a\" | CommandLine=sh -c a\"",
        );
        check(
            "EXECVE",
            r#" argc=1 a0_len=6 a0[0]=616263 a0[1]=646566"#,
            "argc=1 | a0_len=6 | a0[0]=abc | a0[1]=def | CommandLine=abcdef",
        );
        check(
            "USER_LOGIN",
            " msg='op=login acct=\"root\" addr=? res=failed'",
            "op=login | acct=root | addr=- | res=failed",
        );
        check("SYSCALL", " uid=0\u{1d}UID=\"root\"", "uid=0 | UID=root");
        check("CWD", " cwd=\"open", "cwd=open");
        check("X", " words without meaning a=b", "a=b");
        check("X", "", "");
    }

    #[test]
    fn calls_have_names_by_their_machine() {
        check("SYSCALL", " arch=c000003e syscall=59", "arch=c000003e | syscall=59 | SYSCALL=execve");
        check("SYSCALL", " arch=c00000b7 syscall=221", "arch=c00000b7 | syscall=221 | SYSCALL=execve");
        check("SYSCALL", " arch=40000003 syscall=11", "arch=40000003 | syscall=11");
        check("SYSCALL", " arch=c00000b7 syscall=", "arch=c00000b7 | syscall=-");
        let enriched = " arch=c000003e syscall=59\u{1d}SYSCALL=execve";
        check("SYSCALL", enriched, "arch=c000003e | syscall=59 | SYSCALL=execve");
    }

    #[test]
    fn fields_end_at_the_limit() {
        let mut fields = Fields::default();
        assert!(!fields.read("SYSCALL", "a=1 b=2 msg='c=3 d=4'", 3));
        assert_eq!(fields.iter().count(), 3);
    }

    #[test]
    fn addresses() {
        assert_eq!(address("02000050C0000201"), Some(("192.0.2.1".into(), 80)));
        let six = "0A0001BB0000000020010DB8000000000000000000000007";
        assert_eq!(address(six), Some(("2001:db8::7".into(), 443)));
        assert_eq!(address("0100"), None);
    }
}
