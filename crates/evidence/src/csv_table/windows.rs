//! Windows events in tables: what their columns are called in EVTX, and what
//! stands in cells of JSON.
//!
//! Known are the columns of EvtxECmd (`Payload` is the event's data as JSON),
//! of Velociraptor (`System`, `EventData`, `UserData`), and of PowerShell's
//! `Get-WinEvent | Export-Csv`, which has no event data but in its message.
//!
//! # Not here
//! Reading the table.

use crate::Limits;
use crate::json::{self, KEY_END, Object, PATH_END};
use crate::windows_json::names;
use model::Value;

/// Columns of which Windows' tables have one, and their names in EVTX.
const NAMES: [(&str, &str); 18] = [
    ("EventId", "EventID"),
    ("EventID", "EventID"),
    ("Id", "EventID"),
    ("Channel", "Channel"),
    ("LogName", "Channel"),
    ("Computer", "Computer"),
    ("MachineName", "Computer"),
    ("Provider", "Provider_Name"),
    ("ProviderName", "Provider_Name"),
    ("ProviderId", "Provider_Guid"),
    ("EventRecordId", "EventRecordID"),
    ("EventRecordID", "EventRecordID"),
    ("RecordId", "EventRecordID"),
    ("ProcessId", "Execution_ProcessID"),
    ("ThreadId", "Execution_ThreadID"),
    ("UserId", "Security_UserID"),
    ("ActivityId", "Correlation_ActivityID"),
    ("TimeCreated", "TimeCreated"),
];

/// Columns whose cells may be JSON.
const JSON_COLUMNS: [&str; 4] = ["Payload", "System", "EventData", "UserData"];

/// What the columns of a table are.
pub(super) struct Events {
    /// Their names in EVTX.
    pub(super) names: Vec<String>,
    /// Those whose cells may be JSON.
    pub(super) json: Vec<usize>,
    /// Whether their times are UTC without saying so, as EvtxECmd documents.
    pub(super) is_utc: bool,
}

impl Events {
    /// The columns of a table of Windows events; `None` for another one.
    pub(super) fn of(columns: &[String]) -> Option<Self> {
        let has = |name: &str| columns.iter().any(|column| column == name);
        let evtx_ecmd = has("EventId") && has("MapDescription") && has("Payload");
        let velociraptor = has("EventData") && (has("System") || has("EventID"));
        let powershell = has("Id") && has("LogName") && has("ProviderName");
        if !(evtx_ecmd || velociraptor || powershell) {
            return None;
        }
        let known =
            |column: &String| NAMES.iter().find(|(own, _)| own == column).map(|(_, name)| (*name).into());
        let is_json = |(_, column): &(usize, &String)| JSON_COLUMNS.contains(&column.as_str());
        Some(Self {
            names: columns.iter().map(|column| known(column).unwrap_or_else(|| column.clone())).collect(),
            json: columns.iter().enumerate().filter(is_json).map(|(index, _)| index).collect(),
            is_utc: evtx_ecmd,
        })
    }
}

/// Reads a cell of JSON in the column `column` into fields of an event; no
/// fields where it is none.
pub(super) fn fields<'a>(
    column: &str,
    cell: &'a str,
    limits: &Limits,
    object: &'a mut Object,
) -> Vec<(String, Value<'a>)> {
    let start = cell.len() - cell.trim_start().len();
    if !cell[start..].starts_with('{') || json::read(cell, start, limits, object).is_err() {
        return Vec::new();
    }
    let object = &*object;
    let mut fields: Vec<(String, Value<'a>)> = Vec::with_capacity(object.leaves.len());
    let mut named: Option<usize> = None;
    let paths = object.paths.split_inclusive(|byte| *byte == PATH_END);
    for (path, leaf) in paths.zip(&object.leaves) {
        // Lists have several values; none of these tables write one for a field.
        let value = object.value(leaf, cell, &[]);
        let keys = path[..path.len() - 1].split(|byte| *byte == KEY_END);
        let keys: Vec<&str> = keys.map(|key| std::str::from_utf8(key).unwrap_or("?")).collect();
        match (keys.as_slice(), value) {
            // `{"@Name": "Image", "#text": "…"}`; an empty value has no text.
            ([.., "Data", "@Name"], Value::Utf8(name)) => {
                fields.push((name.into(), Value::Empty));
                named = Some(fields.len() - 1);
            }
            ([.., "Data", "#text"], value) if named.is_some() => {
                if let Some(field) = named.take().and_then(|index| fields.get_mut(index)) {
                    field.1 = value;
                }
            }
            (keys, value) => {
                let whole: Vec<&str> =
                    if column == "Payload" { keys.to_vec() } else { [&[column], keys].concat() };
                fields.push((names::name(&whole), value));
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(column: &str, cell: &str, expect: &str) {
        let mut object = Object::default();
        let fields = fields(column, cell, &Limits::default(), &mut object);
        let shown: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", value.to_text())).collect();
        assert_eq!(shown.join(" "), expect);
    }

    #[test]
    fn cells_of_json_are_fields() {
        let payload =
            r##"{"EventData":{"Data":[{"@Name":"A","#text":"1"},{"@Name":"B"},{"@Name":"C","#text":"3"}]}}"##;
        check("Payload", payload, "A=1 B= C=3");
        check("Payload", r##"{"EventData":{"Data":{"@Name":"A","#text":"1"}}}"##, "A=1");
        check("Payload", r#"{"EventData":{"Data":"text"}}"#, "Data=text");
        check("Payload", r#"{"UserData":{"LogFileCleared":{"SubjectUserName":"x"}}}"#, "SubjectUserName=x");
        check("EventData", r#"{"Image":"x"}"#, "Image=x");
        check("System", r#"{"EventID":{"Value":1},"Provider":{"Name":"P"}}"#, "EventID=1 Provider_Name=P");
        check("Payload", "{broken", "");
        check("Payload", "text", "");
    }
}
