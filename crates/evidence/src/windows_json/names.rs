//! What a field of a JSON event is called in EVTX.
//!
//! The parts of an event (`System`, `EventData`, `UserData`) are recognised
//! with and without `Event` above them, under `winlog` (Winlogbeat 7 and
//! later) and as `event_data`; `#attributes` and `#text` leave no trace in the
//! name. Other nested keys are joined by `.`.

use crate::json::{KEY_END, PATH_END};
use model::{LogFamily, Role, Shape, Slot, Timestamp, Value};

/// Names of system fields in flat logs, and in EVTX.
const FLAT: [(&str, &str); 36] = [
    ("SourceName", "Provider_Name"),
    ("source_name", "Provider_Name"),
    ("ProviderName", "Provider_Name"),
    ("provider_name", "Provider_Name"),
    ("Provider", "Provider_Name"),
    ("ProviderGuid", "Provider_Guid"),
    ("provider_guid", "Provider_Guid"),
    ("EventId", "EventID"),
    ("event_id", "EventID"),
    ("Hostname", "Computer"),
    ("computer_name", "Computer"),
    ("log_name", "Channel"),
    ("channel", "Channel"),
    ("RecordNumber", "EventRecordID"),
    ("EventRecordId", "EventRecordID"),
    ("record_number", "EventRecordID"),
    ("record_id", "EventRecordID"),
    ("ExecutionProcessID", "Execution_ProcessID"),
    ("process_id", "Execution_ProcessID"),
    ("process.pid", "Execution_ProcessID"),
    ("ThreadID", "Execution_ThreadID"),
    ("thread_id", "Execution_ThreadID"),
    ("process.thread.id", "Execution_ThreadID"),
    ("ActivityID", "Correlation_ActivityID"),
    ("activity_id", "Correlation_ActivityID"),
    ("UserID", "Security_UserID"),
    ("user.identifier", "Security_UserID"),
    ("OpcodeValue", "Opcode"),
    ("opcode", "Opcode"),
    ("task", "Task"),
    ("level", "Level"),
    ("keywords", "Keywords"),
    ("version", "Version"),
    ("message", "Message"),
    ("time_created", "TimeCreated"),
    ("SystemTime", "TimeCreated"),
];

/// Below `System`, the elements whose attributes keep the element's name.
const WITH_ELEMENT: [&str; 3] = ["Correlation", "Execution", "Security"];

/// Splits [`crate::json::Object::paths`].
pub(crate) fn each_path(paths: &[u8]) -> impl Iterator<Item = Vec<&str>> {
    paths.split_inclusive(|byte| *byte == PATH_END).map(|path| {
        let keys = path[..path.len() - 1].split(|byte| *byte == KEY_END);
        keys.map(|key| std::str::from_utf8(key).unwrap_or("?")).collect()
    })
}

/// Whether an object with these paths is a Windows event.
pub(crate) fn is_event(paths: &[u8]) -> bool {
    let (mut number, mut frame) = (false, false);
    for path in each_path(paths) {
        match name(&path).as_str() {
            "EventID" => number = true,
            "Channel" | "Provider_Name" | "Computer" => frame = true,
            _ => {}
        }
    }
    number && frame
}

/// The shape of an object with these paths.
pub(crate) fn shape(paths: &[u8]) -> Shape {
    let family = if is_event(paths) { LogFamily::WindowsEvents } else { LogFamily::Other };
    let slots: Vec<Slot> = each_path(paths)
        .map(|path| {
            let mut slot = Slot::new(&name(&path));
            // A flat field answers to its own name too.
            if let [own] = path.as_slice()
                && **own != *slot.name
            {
                slot.aliases.push((*own).into());
            }
            slot
        })
        .collect();
    with_roles(Shape::new(family, "", slots, false))
}

/// Says which slots tell channel, provider, number and host.
pub(crate) fn with_roles(shape: Shape) -> Shape {
    let first = |wanted: &str| shape.slots.iter().position(|slot| *slot.name == *wanted);
    let roles = [
        (Role::Channel, first("Channel")),
        (Role::Provider, first("Provider_Name")),
        (Role::EventId, first("EventID")),
        (Role::Host, first("Computer")),
    ];
    roles.into_iter().fold(shape, |shape, (role, slot)| match slot {
        Some(slot) => shape.with_role(role, slot),
        None => shape,
    })
}

/// A field's name in EVTX.
pub(crate) fn name(path: &[&str]) -> String {
    let (path, is_below) = match path {
        ["Event" | "winlog", rest @ ..] if !rest.is_empty() => (rest, true),
        other => (other, false),
    };
    let keys = || path.iter().copied().filter(|key| !matches!(*key, "#attributes" | "#text"));
    let plain: Vec<&str> = keys().map(|key| key.strip_suffix("_attributes").unwrap_or(key)).collect();
    match plain.as_slice() {
        ["System", rest @ ..] if !rest.is_empty() => of_system(rest),
        ["EventData" | "event_data" | "UserData" | "user_data", rest @ ..] if !rest.is_empty() => {
            of_data(rest, path.iter().any(|key| key.ends_with("#attributes") || key.ends_with("_attributes")))
        }
        _ => {
            let joined = plain.join(".");
            // Elsewhere `process.pid` is that of the process that the event is about (ECS).
            let is_frame = is_below || !joined.contains('.');
            let known = FLAT.iter().find(|(own, _)| is_frame && *own == joined);
            known.map_or(joined, |(_, name)| (*name).into())
        }
    }
}

fn of_system(path: &[&str]) -> String {
    match path {
        ["Provider", attribute @ ("Name" | "Guid")] => format!("Provider_{attribute}"),
        ["EventID", "Qualifiers"] => "Qualifiers".into(),
        ["EventID", ..] => "EventID".into(),
        ["TimeCreated", ..] => "TimeCreated".into(),
        [element, attribute] if WITH_ELEMENT.contains(element) => format!("{element}_{attribute}"),
        [element] => (*element).into(),
        _ => path.last().map_or(String::new(), |key| (*key).into()),
    }
}

/// The leaf element's name; an attribute has its element's before it.
fn of_data(path: &[&str], attribute: bool) -> String {
    match path {
        [.., element, attribute_name] if attribute => format!("{element}_{attribute_name}"),
        [.., element] => (*element).into(),
        [] => String::new(),
    }
}

/// Which slots hold the time, best first. Sysmon's `UtcTime` is part of the
/// event, and the only time with a zone in some collectors' output.
pub(crate) fn times(shape: &Shape) -> Vec<usize> {
    let all = |wanted: &'static str| {
        let slots = shape.slots.iter().enumerate();
        slots.filter(move |(_, slot)| *slot.name == *wanted).map(|(index, _)| index)
    };
    all("TimeCreated").chain(all("@timestamp")).chain(all("EventTime")).chain(all("UtcTime")).collect()
}

/// The time that a slot's value gives; none where the zone is missing, but
/// for the slot whose name is its zone.
pub(crate) fn time(slot: &Slot, value: &Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Utf8(text) if has_zone(text) || *slot.name == *"UtcTime" => Timestamp::parse(text),
        Value::Utf8(text) => epoch_seconds(text),
        Value::UInt(seconds) => i64::try_from(*seconds).ok().and_then(Timestamp::from_seconds),
        _ => None,
    }
}

/// Whether a zone follows date and time of day.
pub(crate) fn has_zone(text: &str) -> bool {
    let of_day = text.get(11..).unwrap_or("");
    of_day.ends_with(['Z', 'z']) || of_day.contains(['+', '-'])
}

/// `1614856805.1234567`, as Velociraptor writes `SystemTime`.
fn epoch_seconds(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let whole = Timestamp::from_seconds(seconds.parse().ok()?)?;
    whole.nanos().checked_add(nanos).map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expect: &str) {
        assert_eq!(name(&path.split('/').collect::<Vec<_>>()), expect);
    }

    #[test]
    fn names_are_those_of_evtx() {
        check("SourceName", "Provider_Name");
        check("Image", "Image");
        check("Event/System/Provider/#attributes/Name", "Provider_Name");
        check("Event/System/EventID/#text", "EventID");
        check("Event/System/EventID/#attributes/Qualifiers", "Qualifiers");
        check("Event/System/EventID_attributes/Qualifiers", "Qualifiers");
        check("Event/System/TimeCreated/#attributes/SystemTime", "TimeCreated");
        check("System/EventID/Value", "EventID");
        check("Event/System/Execution/#attributes/ProcessID", "Execution_ProcessID");
        check("Event/EventData/TargetUserName", "TargetUserName");
        check("Event/EventData/Data/#text", "Data");
        check("Event/UserData/LogFileCleared/SubjectUserName", "SubjectUserName");
        check("Event/UserData/LogFileCleared/#attributes/xmlns", "LogFileCleared_xmlns");
        check("winlog/event_data/Image", "Image");
        check("winlog/computer_name", "Computer");
        check("winlog/process/pid", "Execution_ProcessID");
        check("process/pid", "process.pid");
        check("event_data/Image", "Image");
        check("agent/type", "agent.type");
    }

    #[test]
    fn no_zone_is_invented() {
        let check = |name: &str, text: &str, expect: Option<&str>| {
            let time = time(&Slot::new(name), &Value::Utf8(text)).map(|time| time.to_string());
            assert_eq!(time.as_deref(), expect, "{name} {text}");
        };
        check("EventTime", "2021-03-04 11:20:05", None);
        check("EventTime", "2021-03-04 11:20:05+02:00", Some("2021-03-04T09:20:05Z"));
        check("TimeCreated", "2021-03-04 11:20:05.123", None);
        check("TimeCreated", "2021-03-04T11:20:05.123Z", Some("2021-03-04T11:20:05.123Z"));
        check("TimeCreated", "1614856805.25", Some("2021-03-04T11:20:05.250Z"));
        check("UtcTime", "2021-03-04 11:20:05.123", Some("2021-03-04T11:20:05.123Z"));
    }
}
