//! What a finding keeps of its record: what matched, and what a reader (and
//! the casebook's joins) need beside it.

use model::{Level, LogFamily, Record};
use std::collections::BTreeSet;

/// Text kept of one field, in bytes. The record itself is a position away.
const TEXT_BYTES_MAX: usize = 32 * 1024;

/// Fields that say who did what with what, by family of log.
const WINDOWS: &[&str] = &[
    "EventID",
    "Image",
    "CommandLine",
    "ParentImage",
    "ParentCommandLine",
    "ProcessGuid",
    "ParentProcessGuid",
    "ProcessId",
    "ParentProcessId",
    "NewProcessName",
    "NewProcessId",
    "ParentProcessName",
    "User",
    "TargetFilename",
    "TargetObject",
    "Details",
    "SourceImage",
    "TargetImage",
    "GrantedAccess",
    "DestinationIp",
    "DestinationHostname",
    "DestinationPort",
    "SourceIp",
    "SubjectUserName",
    "SubjectLogonId",
    "TargetUserName",
    "TargetLogonId",
    "LogonId",
    "LogonType",
    "IpAddress",
    "WorkstationName",
    "ServiceName",
    "ImagePath",
    "TaskName",
    "ScriptBlockText",
    "Hashes",
    "Data",
];
const WEB: &[&str] = &[
    "c-ip",
    "cs-method",
    "cs-uri-stem",
    "cs-uri-query",
    "cs-username",
    "cs(User-Agent)",
    "sc-status",
    "sc-bytes",
    "X-Forwarded-For",
];
const EXCHANGE: &[&str] = &[
    "RequestId",
    "Protocol",
    "UrlStem",
    "UrlQuery",
    "AuthenticatedUser",
    "AnchorMailbox",
    "UserAgent",
    "ClientIpAddress",
    "ServerHostName",
    "ServerName",
    "HttpStatus",
    "BackEndStatus",
    "ErrorCode",
    "Method",
    "TargetServer",
    "BackEndCookie",
    "EventId",
    "EventData",
    "GenericInfo",
    "Line",
    "Cmdlet",
    "Parameters",
    "SoapAction",
];

/// Fields by which findings are joined. Of findings that no casebook looks at
/// more closely, only these stay in memory.
const JOINING: &[&str] = &[
    "ClientIpAddress",
    "c-ip",
    "IpAddress",
    "client-ip",
    "RequestId",
    "ProcessGuid",
    "SourceProcessGUID",
    "ParentProcessGuid",
    "ProcessId",
    "ParentProcessId",
    "NewProcessId",
    "Image",
    "NewProcessName",
    "SourceImage",
    "ParentImage",
    "ParentProcessName",
    "TargetFilename",
    "CommandLine",
];

/// How much of a finding stays in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Memory {
    /// All fields: the casebook reads them.
    Whole,
    /// What joins it to others.
    Joins,
    /// Nothing but its name, place and time.
    Nothing,
}

/// Decided by the rule alone, so that it does not depend on threads.
pub fn memory(rule: &sigma::Rule) -> Memory {
    let is_step = rule.tags.iter().any(|tag| tag.starts_with("assay."));
    let is_shell = rule.techniques.iter().any(|technique| technique == "T1505.003");
    match rule.level {
        _ if is_step || is_shell => Memory::Whole,
        Level::High | Level::Critical => Memory::Joins,
        _ => Memory::Nothing,
    }
}

/// Whether the field `name` joins findings.
pub fn joins(name: &str) -> bool {
    JOINING.contains(&name)
}

/// Name and text of the fields to keep, in the order of the record's slots:
/// `matched` (what the rule matched), `wanted` (its `fields:`), and those above.
/// Blank ones are left out.
pub fn fields(
    record: &Record<'_>,
    matched: Vec<(String, String)>,
    wanted: &[String],
) -> Vec<(String, String)> {
    let family = match record.shape.family {
        LogFamily::WindowsEvents => WINDOWS,
        LogFamily::WebServer => WEB,
        LogFamily::Exchange => EXCHANGE,
        LogFamily::Other => &[],
    };
    let fold = record.shape.fold_case;
    let mut left: BTreeSet<&str> = matched.iter().map(|(name, _)| name.as_str()).collect();
    let mut kept = Vec::new();
    for (index, slot) in record.shape.slots.iter().enumerate() {
        let is_matched = left.iter().any(|name| slot.answers(name, fold));
        let is_context = || {
            wanted.iter().any(|name| slot.answers(name, fold))
                || family.iter().any(|name| slot.answers(name, fold))
        };
        if !is_matched && !is_context() {
            continue;
        }
        let value = record.value(index);
        if !value.is_blank() {
            kept.push((slot.name.to_string(), shorten(value.to_text())));
        }
    }
    // Fields that no slot has under this name: virtual ones, renamed ones.
    left.retain(|name| !record.shape.slots.iter().any(|slot| slot.answers(name, fold)));
    let left: BTreeSet<String> = left.into_iter().map(str::to_owned).collect();
    kept.extend(
        matched.into_iter().filter(|(name, _)| left.contains(name)).map(|(n, text)| (n, shorten(text))),
    );
    kept
}

fn shorten(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let bytes = text.len();
        let end = text.floor_char_boundary(TEXT_BYTES_MAX);
        text.truncate(end);
        text.push_str(&format!("… [cut; {bytes} bytes in the record]"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Position, Shape, Slot, Value};
    use std::sync::Arc;

    #[test]
    fn keeps_what_matched_and_its_context() {
        let slots = ["c-ip", "cs-uri-stem", "cs-uri-query", "time-taken"].map(Slot::new).to_vec();
        let shape = Arc::new(Shape::new(LogFamily::WebServer, "iis", slots, true));
        let values = [Value::Utf8("192.0.2.1"), Value::Utf8("/x.aspx"), Value::Empty, Value::Utf8("12")];
        let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
        let matched =
            vec![("CS-URI-Stem".to_owned(), "/x.aspx".to_owned()), ("virtual".into(), "/x.aspx?".into())];
        let kept = fields(&record, matched, &["time-taken".into()]);
        let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["c-ip", "cs-uri-stem", "time-taken", "virtual"]);
    }

    #[test]
    fn long_text_says_that_it_was_cut() {
        let text = shorten("ä".repeat(TEXT_BYTES_MAX));
        assert!(text.ends_with(&format!("… [cut; {} bytes in the record]", 2 * TEXT_BYTES_MAX)));
    }
}
