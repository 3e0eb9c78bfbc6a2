//! What a server makes of a file: by its name, by the folder that it lies in,
//! and by what it reads as. Also, which files are shown to the rules over content.
//!
//! # Not here
//! What a quotation is (`script`); whether a page belongs where it lies (`web_files`).

use crate::web_files;
use evidence::{Beginning, Kind};
use script::Standing;

/// Endings of what a server runs: pages, and code that it compiles as they are asked for.
const PAGES: [&str; 40] = [
    "asp", "aspx", "ashx", "asmx", "ascx", "asax", "asa", "cer", "cdx", "svc", "soap", "rem", "master",
    "cshtml", "vbhtml", "php", "php2", "php3", "php4", "php5", "php7", "php8", "phtml", "pht", "phar",
    "shtml", "shtm", "stm", "jsp", "jspx", "jspf", "jspa", "jsw", "jsv", "jhtml", "cfm", "cfml", "cfc",
    "cgi", "fcgi",
];
/// Configuration that may be a page itself: a handler for its own name makes it one.
const CONFIGURATION: [&str; 1] = ["web.config"];
/// Folders in which servers and services write down what was sent to them.
const LOG_FOLDERS: [&str; 4] = ["log", "logs", "logging", "logfiles"];

/// What a server makes of the file at `path`, as Windows writes it.
pub fn standing(path: &str, kind: Kind) -> Standing {
    let path = path.to_ascii_lowercase();
    let name = path.rsplit('\\').next().unwrap_or_default();
    // Any part of a name counts: `x.aspx.bak` is renamed at once, `x.asp;.jpg` needs no more.
    let mut parts = name.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).skip(1);
    let is_config = CONFIGURATION.contains(&name) || kind == Kind::Log("iis-config");
    if is_config || parts.any(|part| PAGES.contains(&part)) {
        return Standing::Runs;
    }
    let mut folders = path.split('\\').rev().skip(1);
    if folders.any(is_log_folder) {
        Standing::Logged
    } else if matches!(kind, Kind::Log(_)) {
        Standing::Log
    } else if web_files::is_web(&path) {
        Standing::Served
    } else {
        Standing::Lies
    }
}

fn is_log_folder(name: &str) -> bool {
    let last = name.rsplit(['_', '-', ' ']).next().unwrap_or_default();
    LOG_FOLDERS.contains(&name) || (last.len() < name.len() && LOG_FOLDERS.contains(&last))
}

/// Whether rules look at a file although it is a log, an archive, or large.
pub fn is_shown(path: &str, beginning: &Beginning<'_>) -> bool {
    let standing = standing(path, beginning.kind);
    match beginning.kind {
        Kind::Unknown => matches!(standing, Standing::Runs | Standing::Served),
        // Members of an archive are looked at by themselves; only a name makes it a page.
        Kind::Archive => standing == Standing::Runs && is_page(path),
        Kind::Log(_) if standing == Standing::Runs || web_files::is_web(path) => true,
        // The beginning tells: what runs must begin somewhere, and a log is long.
        Kind::Log(_) => is_text(beginning.bytes) && script::has_script(beginning.bytes, standing),
    }
}

/// Whether the name ends as a page's does.
fn is_page(path: &str) -> bool {
    let name = path.rsplit('\\').next().unwrap_or_default().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    PAGES.contains(&ending) || CONFIGURATION.contains(&name.as_str())
}

/// Whether it has a place where script may begin, at the cost of a glance.
fn is_text(bytes: &[u8]) -> bool {
    let is_wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    (is_wide || !bytes.iter().take(64).any(|byte| *byte == 0)) && bytes.contains(&b'<')
}

#[cfg(test)]
mod tests {
    use super::{Beginning, Kind, Standing, is_shown, standing};
    use Kind::{Archive, Log, Unknown};
    use Standing::{Lies, Logged, Runs, Served};

    #[track_caller]
    fn check(path: &str, kind: Kind, expect: Standing) {
        assert_eq!(standing(path, kind), expect, "{path}");
    }

    #[test]
    fn by_name_then_by_place() {
        check("C:\\x\\a.ASPX", Unknown, Runs);
        check("C:\\x\\a.asp;.jpg", Log("w3c"), Runs);
        check("C:\\x\\a.php.bak", Unknown, Runs);
        check("C:\\x\\Web.config", Unknown, Runs);
        check("x", Log("iis-config"), Runs);
        check("C:\\php\\notes.txt", Unknown, Lies);
        check("C:\\inetpub\\wwwroot\\a.jpg", Unknown, Served);
        check("C:\\inetpub\\wwwroot\\logs\\a.txt", Unknown, Logged);
        check(
            "C:\\Exchange\\TransportRoles\\Logs\\FrontEnd\\ProtocolLog\\a.log",
            Log("exchange-csv"),
            Logged,
        );
        check("x\\ECP_Proxy_Logs\\a.log", Unknown, Logged);
        check("x\\blog\\logs", Unknown, Lies);
        check("x\\a.log", Log("w3c"), Standing::Log);
    }

    #[track_caller]
    fn check_shown(path: &str, kind: Kind, bytes: &[u8], expect: bool) {
        assert_eq!(is_shown(path, &Beginning { path, root: "", kind, bytes }), expect, "{path}");
    }

    #[test]
    fn what_is_shown() {
        check_shown("a", Unknown, b"", false);
        check_shown("wwwroot\\a", Unknown, b"", true);
        check_shown("a.zip", Archive, b"PK", false);
        check_shown("a.aspx.zip", Archive, b"PK", false);
        check_shown("a.aspx", Archive, b"PK", true);
        check_shown("x\\web.config", Archive, b"PK", true);
        check_shown("a.aspx", Log("registry"), b"regf\0", true);
        check_shown("wwwroot\\a.txt", Log("registry"), b"regf\0", true);
        check_shown("a.log", Log("w3c"), b"#Fields: date\n<% f(1) %>", true);
        check_shown("a.log", Log("w3c"), b"#Fields: date\n2021-03-04 <% f(1) %>", false);
        check_shown("logs\\a.log", Log("w3c"), b"#Fields: date\n<% f(1) %>", false);
        check_shown("a.log", Log("w3c"), b"#Fields: date\n", false);
    }
}
