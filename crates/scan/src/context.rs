//! What a finding keeps of its record: what matched, and what a reader (and
//! the casebook's joins) need beside it.

use model::{Level, LogFamily, PerShape, Record, Slot};
use std::collections::HashMap;
use std::sync::Arc;

/// Text kept of one field, in bytes. The record itself is a position away.
const TEXT_BYTES_MAX: usize = 32 * 1024;
/// Shapes remembered in one part.
const SHAPES_MAX: usize = 512;

/// Fields that say who did what with what, by family of log.
const WINDOWS: &[&str] = &[
    "Carved",
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

const CLOUD: &[&str] = &[
    "Operation",
    "activityDisplayName",
    "operationName",
    "UserId",
    "userPrincipalName",
    "initiatedBy.user.userPrincipalName",
    "initiatedBy.app.displayName",
    "ClientIP",
    "ClientIPAddress",
    "ipAddress",
    "appDisplayName",
    "AppId",
    "ClientAppId",
    "ObjectId",
    "targetResources.displayName",
    "ResultStatus",
    "result",
    "Parameters",
    "ModifiedProperties",
    "targetResources.modifiedProperties",
];

const LINUX: &[&str] = &[
    "host",
    "program",
    "pid",
    "message",
    "type",
    "auid",
    "uid",
    "exe",
    "comm",
    "key",
    "CommandLine",
    "Image",
    "User",
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

/// Whether the field `name` joins findings; text logs write it in any case.
pub fn joins(name: &str) -> bool {
    JOINING.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// Which slots of a shape a rule's findings keep as context, remembered:
/// names are compared once per shape and rule, not once per finding.
pub struct ContextSlots {
    known: PerShape<HashMap<usize, Vec<usize>>>,
}

impl Default for ContextSlots {
    fn default() -> Self {
        Self { known: PerShape::new(SHAPES_MAX) }
    }
}

impl ContextSlots {
    /// Slots of `record` to keep for `rule` (an index), whose `fields:` are
    /// `wanted`, in their order.
    fn of(&mut self, record: &Record<'_>, rule: usize, wanted: &[String]) -> &[usize] {
        let shape = record.shape;
        self.known.get(shape, |_| HashMap::new()).entry(rule).or_insert_with(|| {
            let family = family(shape.family);
            let keeps = |slot: &Slot| {
                // An artifact's slots are few and short, and a reader needs them all.
                shape.family == LogFamily::Artifacts
                    || wanted.iter().any(|name| slot.answers(name, shape.fold_case))
                    || family.iter().any(|name| slot.answers(name, shape.fold_case))
            };
            let slots = shape.slots.iter().enumerate().filter(|(_, slot)| keeps(slot));
            slots.map(|(index, _)| index).collect()
        })
    }

    /// The slots to keep, in order: `matched` (what the rule matched), `wanted`
    /// (its `fields:`), and the family's. Blank ones are left out.
    pub fn keep(
        &mut self,
        record: &Record<'_>,
        matched: &[u32],
        rule: usize,
        wanted: &[String],
        kept: &mut Vec<usize>,
    ) {
        let (all, fold) = (&record.shape.slots, record.shape.fold_case);
        kept.clear();
        kept.extend_from_slice(self.of(record, rule, wanted));
        let context = kept.len();
        for slot in matched.iter().map(|slot| *slot as usize) {
            // Slots of one name belong together; the context has them all.
            if kept[..context].binary_search(&slot).is_err() {
                let same = |(_, other): &(usize, &Slot)| other.answers(&all[slot].name, fold);
                kept.extend(all.iter().enumerate().filter(same).map(|(index, _)| index));
            }
        }
        if kept.len() > context {
            kept.sort_unstable();
            kept.dedup();
        }
        kept.retain(|slot| !record.value(*slot).is_blank());
    }
}

/// The texts of one record's slots, each made at most once however many
/// findings keep it.
#[derive(Default)]
pub struct Texts {
    all: String,
    places: Vec<Option<(usize, usize)>>,
    shared: Vec<Option<Arc<str>>>,
}

impl Texts {
    /// Forgets the record before.
    pub fn begin(&mut self, record: &Record<'_>) {
        self.all.clear();
        self.places.clear();
        self.places.resize(record.values.len(), None);
        self.shared.clear();
        self.shared.resize(record.values.len(), None);
    }

    /// The text of a slot.
    pub fn of(&mut self, record: &Record<'_>, slot: usize) -> &str {
        let (from, to) = *self.places[slot].get_or_insert_with(|| {
            let from = self.all.len();
            record.value(slot).write_text(&mut self.all);
            shorten(&mut self.all, from);
            (from, self.all.len())
        });
        &self.all[from..to]
    }

    /// The same, as findings hold it in memory.
    pub fn shared(
        &mut self,
        record: &Record<'_>,
        slot: usize,
        share: impl FnOnce(&str) -> Arc<str>,
    ) -> Arc<str> {
        if let Some(text) = &self.shared[slot] {
            return Arc::clone(text);
        }
        let text = share(self.of(record, slot));
        Arc::clone(self.shared[slot].insert(text))
    }
}

/// Fields of a family of logs that say who did what with what.
fn family(family: LogFamily) -> &'static [&'static str] {
    match family {
        LogFamily::WindowsEvents => WINDOWS,
        LogFamily::WebServer => WEB,
        LogFamily::Exchange => EXCHANGE,
        LogFamily::Linux => LINUX,
        LogFamily::Cloud => CLOUD,
        LogFamily::Artifacts | LogFamily::Other => &[],
    }
}

/// Cuts the text that begins at `from`.
fn shorten(all: &mut String, from: usize) {
    let bytes = all.len() - from;
    if bytes > TEXT_BYTES_MAX {
        let end = all.floor_char_boundary(from + TEXT_BYTES_MAX);
        all.truncate(end);
        all.push_str(&format!("… [cut; {bytes} bytes in the record]"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Position, Shape, Value};

    #[test]
    fn keeps_what_matched_and_its_context() {
        let slots = ["c-ip", "cs-uri-stem", "cs-uri-query", "time-taken", "x", "y", "X"].map(Slot::new);
        let shape = Arc::new(Shape::new(LogFamily::WebServer, "iis", slots.to_vec(), true));
        let text = Value::Utf8;
        let values =
            [text("192.0.2.1"), text("/x.aspx"), Value::Empty, text("12"), text("a"), text("b"), text("c")];
        let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
        let mut kept = Vec::new();
        ContextSlots::default().keep(&record, &[1, 4], 0, &["time-taken".into()], &mut kept);
        assert_eq!(kept, [0, 1, 3, 4, 6]);
    }

    #[test]
    fn texts_are_made_once() {
        let shape = Arc::new(Shape::new(LogFamily::Other, "", ["a", "b"].map(Slot::new).to_vec(), true));
        let values = [Value::Int(1), Value::Utf8("x")];
        let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
        let mut texts = Texts::default();
        texts.begin(&record);
        assert_eq!(texts.of(&record, 1), "x");
        assert_eq!(texts.shared(&record, 0, |text| text.into()), "1".into());
        assert_eq!(texts.shared(&record, 0, |_| "again".into()), "1".into());
        assert_eq!(texts.all, "x1");
    }

    #[test]
    fn long_text_says_that_it_was_cut() {
        let mut text = format!("before{}", "ä".repeat(TEXT_BYTES_MAX));
        shorten(&mut text, 6);
        assert!(text.starts_with("beforeä"));
        assert!(text.ends_with(&format!("… [cut; {} bytes in the record]", 2 * TEXT_BYTES_MAX)));
    }
}
