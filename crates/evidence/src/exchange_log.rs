//! Which of Exchange's logs a log is: by its own word, else by its columns.

use crate::csv;
use memchr::memmem;

/// The log that is read as lines.
pub(crate) const OAB_GENERATOR: &str = "oabgenerator";

/// What `#Log-type:` says, in lower case, and our slug.
const TYPES: [(&str, &str); 10] = [
    ("httpproxy logs", "httpproxy"),
    ("ecp server log", "ecp-server"),
    ("ecp activity context log", "ecp-activity"),
    ("ews logs", "ews"),
    ("message tracking log", "message-tracking"),
    ("agent log", "agent"),
    ("smtp receive protocol log", "smtp-receive"),
    ("smtp send protocol log", "smtp-send"),
    ("rps cmdlet logs", "rps-cmdlet"),
    ("audit", "audit"),
];

/// Columns that together belong to one log only. The two ECP logs have the
/// same ones, and so do the two SMTP logs: without `#Log-type:` the first
/// cannot be told from the second.
const COLUMNS: [(&[&str], &str); 8] = [
    (&["datetime", "anchormailbox", "urlstem"], "httpproxy"),
    (&["datetime", "soapaction", "impersonateduser"], "ews"),
    (&["date-time", "internal-message-id", "event-id"], "message-tracking"),
    (&["timestamp", "enteredorgfromip", "agent"], "agent"),
    (&["date-time", "session-id", "sequence-number", "remote-endpoint"], "smtp"),
    (&["datetime", "cmdlet", "parameters", "cmdletuniqueid"], "rps-cmdlet"),
    (&["timestamp", "recordtype", "userkey", "operation"], "audit"),
    (&["servername", "eventid", "eventdata"], "ecp"),
];

/// What a log's beginning tells beyond its frame and columns.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Hint {
    /// Nothing.
    #[default]
    None,
    /// It has a line that only the OAB generator writes.
    OabGenerator,
    /// It has events of ECP's server log.
    EcpServer,
}

/// What Microsoft's checks look for in the OAB generator's log.
const OAB_LINE: &[u8] = b"Download failed and temporary file";

/// Looks for the hint in a log's beginning.
pub(crate) fn hint(head: &[u8]) -> Hint {
    if memmem::find(head, OAB_LINE).is_some() {
        Hint::OabGenerator
    } else if memmem::find(head, b",ECP.").is_some() {
        Hint::EcpServer
    } else {
        Hint::None
    }
}

/// Whether a line is one of the OAB generator's without any frame around it: the
/// text that it is known for, after a time or a number. Documents and rules
/// quote the text too.
pub(crate) fn is_oab_line(line: &[u8]) -> bool {
    let begins = line.iter().find(|byte| !matches!(byte, b'"' | b'[')).is_some_and(u8::is_ascii_digit);
    begins && memmem::find(line, OAB_LINE).is_some()
}

/// The log's slug, by its own word first.
pub(crate) fn slug(log_type: Option<&str>, names: &[String], hint: Hint) -> String {
    let log_type = log_type.unwrap_or("").to_lowercase();
    if let Some((_, slug)) = TYPES.iter().find(|(name, _)| *name == log_type) {
        return (*slug).into();
    }
    if log_type.contains("oab") || hint == Hint::OabGenerator {
        return OAB_GENERATOR.into();
    }
    if !log_type.is_empty() {
        return plain(&log_type);
    }
    match by_columns(names) {
        Some("ecp") if hint == Hint::EcpServer => "ecp-server".into(),
        Some("ecp") => "ecp-activity".into(),
        Some(slug) => slug.into(),
        None => "exchange".into(),
    }
}

/// Whether a line without `#` is the header of a log that we know.
pub(crate) fn is_header(line: &[u8]) -> bool {
    is_like_header(line) && by_columns(&csv::names(line, 1_024)).is_some()
}

/// Whether a line could be a header: short, plain names. Most records fail
/// here, by their first byte.
pub(crate) fn is_like_header(line: &[u8]) -> bool {
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b',' | b'-' | b'_' | b'"' | b' ' | b'.');
    line.len() < 8_192
        && line.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'"')
        && line.contains(&b',')
        && line.iter().all(plain)
}

fn by_columns(names: &[String]) -> Option<&'static str> {
    let has = |wanted: &&str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    COLUMNS.iter().find(|(columns, _)| columns.iter().all(has)).map(|(_, slug)| *slug)
}

/// A log type of which we know nothing, as a slug.
fn plain(log_type: &str) -> String {
    const LENGTH_MAX: usize = 64;
    let words = log_type.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").chars().take(LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(log_type: &str, columns: &str, expect: &str) {
        let log_type = (!log_type.is_empty()).then_some(log_type);
        assert_eq!(slug(log_type, &csv::names(columns.as_bytes(), 100), Hint::None), expect);
    }

    #[test]
    fn logs_are_told_apart() {
        check("HttpProxy Logs", "", "httpproxy");
        check("ECP Server Log", "", "ecp-server");
        check("OABGenerator Log", "DateTime,Text", "oabgenerator");
        check("Some  New Log (v2)", "", "some-new-log-v2");
        check("", "DateTime,RequestId,UrlStem,AnchorMailbox", "httpproxy");
        check("", "TimeStamp,ServerName,EventId,EventData", "ecp-activity");
        check("", "a,b", "exchange");
    }

    #[test]
    fn headers_are_known() {
        assert!(is_header(b"date-time,client-ip,internal-message-id,event-id"));
        assert!(!is_header(b"name,age"));
        assert!(!is_header(b"2021-03-04T11:20:05Z,x"));
    }
}
