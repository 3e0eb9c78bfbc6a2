//! What a finding keeps of its record: what matched, and what a reader (and
//! the casebook's joins) need beside it.

use model::{Level, LogFamily, Record, Shape, Slot};
use std::collections::HashMap;
use std::sync::Arc;

/// Text kept of one field, in bytes. The record itself is a position away.
const TEXT_BYTES_MAX: usize = 32 * 1024;
/// Pairs of shape and rule remembered in one part.
const REMEMBERED_MAX: usize = 4_096;

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

/// Which slots of a shape a rule's findings keep as context, remembered:
/// names are compared once per shape and rule, not once per finding.
#[derive(Default)]
pub struct ContextSlots {
    // The shape is held, so that its address cannot come to mean another one.
    known: HashMap<(usize, usize), (Arc<Shape>, Vec<usize>)>,
}

impl ContextSlots {
    /// Slots of `record` to keep for `rule` (an index), whose `fields:` are
    /// `wanted`, in their order.
    fn of(&mut self, record: &Record<'_>, rule: usize, wanted: &[String]) -> &[usize] {
        if self.known.len() >= REMEMBERED_MAX {
            self.known.clear();
        }
        let key = (Arc::as_ptr(record.shape) as usize, rule);
        let (_, slots) = self.known.entry(key).or_insert_with(|| {
            let shape = Arc::clone(record.shape);
            let family = family(shape.family);
            let keeps = |slot: &Slot| {
                wanted.iter().any(|name| slot.answers(name, shape.fold_case))
                    || family.iter().any(|name| slot.answers(name, shape.fold_case))
            };
            let slots = shape.slots.iter().enumerate().filter(|(_, slot)| keeps(slot));
            let slots = slots.map(|(index, _)| index).collect();
            (shape, slots)
        });
        slots
    }
}

/// Fields of a family of logs that say who did what with what.
fn family(family: LogFamily) -> &'static [&'static str] {
    match family {
        LogFamily::WindowsEvents => WINDOWS,
        LogFamily::WebServer => WEB,
        LogFamily::Exchange => EXCHANGE,
        LogFamily::Other => &[],
    }
}

/// Name and text of the fields to keep, in the order of the record's slots:
/// `matched` (what the rule matched), `wanted` (its `fields:`), and the
/// family's. Blank ones are left out.
pub fn fields(
    record: &Record<'_>,
    matched: Vec<(String, String)>,
    rule: usize,
    wanted: &[String],
    context: &mut ContextSlots,
) -> Vec<(String, String)> {
    let (all, fold) = (&record.shape.slots, record.shape.fold_case);
    let mut slots = context.of(record, rule, wanted).to_vec();
    // Fields that no slot has under this name stay: virtual ones, renamed ones.
    let mut unplaced = Vec::new();
    for (name, text) in matched {
        if slots.iter().any(|slot| *all[*slot].name == *name) {
            continue;
        }
        let answering = |(_, slot): &(usize, &Slot)| slot.answers(&name, fold);
        let before = slots.len();
        slots.extend(all.iter().enumerate().filter(answering).map(|(index, _)| index));
        if slots.len() == before {
            unplaced.push((name, shorten(text)));
        }
    }
    slots.sort_unstable();
    slots.dedup();
    let placed =
        slots.into_iter().map(|slot| (slot, record.value(slot))).filter(|(_, value)| !value.is_blank());
    let mut kept: Vec<_> =
        placed.map(|(slot, value)| (all[slot].name.to_string(), shorten(value.to_text()))).collect();
    kept.extend(unplaced);
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
    use model::{Position, Value};

    #[test]
    fn keeps_what_matched_and_its_context() {
        let slots = ["c-ip", "cs-uri-stem", "cs-uri-query", "time-taken"].map(Slot::new).to_vec();
        let shape = Arc::new(Shape::new(LogFamily::WebServer, "iis", slots, true));
        let values = [Value::Utf8("192.0.2.1"), Value::Utf8("/x.aspx"), Value::Empty, Value::Utf8("12")];
        let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
        let matched =
            vec![("CS-URI-Stem".to_owned(), "/x.aspx".to_owned()), ("virtual".into(), "/x.aspx?".into())];
        let kept = fields(&record, matched, 0, &["time-taken".into()], &mut ContextSlots::default());
        let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["c-ip", "cs-uri-stem", "time-taken", "virtual"]);
    }

    #[test]
    fn long_text_says_that_it_was_cut() {
        let text = shorten("ä".repeat(TEXT_BYTES_MAX));
        assert!(text.ends_with(&format!("… [cut; {} bytes in the record]", 2 * TEXT_BYTES_MAX)));
    }
}
