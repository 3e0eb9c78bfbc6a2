//! What the fields of cloud logs are called.
//!
//! A field's name is its keys, joined by `.`, without regard to case. It also
//! answers without a leading `properties.` (Azure Monitor), and to the words that
//! public rules use for it ([`ALIASES`]). Three things are made of several
//! fields:
//!
//! - lists of names and values (`Parameters`, `ModifiedProperties`,
//!   `ExtendedProperties`, `additionalDetails`): each pair is a text `Name: value`
//!   under the list's own name;
//! - `Status` of a sign-in: `Success` where the error code is 0, else `Failure`;
//! - `status` of an audit record of Microsoft 365: `success` or `failure`.

use crate::json::{KEY_END, PATH_END};
use crate::shapes::Shapes;
use crate::windows_json::names::has_zone;
use model::{LogFamily, Role, Shape, Slot, Timestamp, Value};
use std::sync::Arc;

/// The logs of the cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Log {
    /// Unified audit log of Microsoft 365.
    Audit365,
    /// Sign-ins of Entra ID.
    SignIns,
    /// Audit log of Entra ID.
    Directory,
    /// Activity log of Azure.
    Activity,
}

impl Log {
    /// Its slug.
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Log::Audit365 => "m365-audit",
            Log::SignIns => "entra-sign-ins",
            Log::Directory => "entra-audit",
            Log::Activity => "azure-activity",
        }
    }

    /// The log whose record has these paths.
    pub(crate) fn of(paths: &[u8]) -> Option<Self> {
        let all = split(paths);
        let has = |name: &str| all.iter().any(|path| path.eq_ignore_ascii_case(name));
        let below = |name: &str| all.iter().any(|path| path.len() > name.len() && path.starts_with(name));
        let is_monitor = has("time") && has("operationName") && (has("resourceId") || has("tenantId"));
        match () {
            () if has("Operation") && has("CreationTime") && has("Workload") => Some(Log::Audit365),
            () if has("createdDateTime") && below("status.") && has("appDisplayName") => Some(Log::SignIns),
            () if has("activityDateTime") && has("activityDisplayName") => Some(Log::Directory),
            () if is_monitor && has("properties.createdDateTime") => Some(Log::SignIns),
            () if is_monitor && has("properties.activityDateTime") => Some(Log::Directory),
            () if is_monitor && has("category") => Some(Log::Activity),
            () if has("eventTimestamp") && has("operationName.value") => Some(Log::Activity),
            () => None,
        }
    }
}

/// The number of the leaf that holds a record of the unified audit log as text.
pub(crate) fn wrapper(paths: &[u8]) -> Option<usize> {
    split(paths).iter().position(|path| path.eq_ignore_ascii_case(WRAPPER))
}

/// What that is called, in tables, too.
pub(crate) const WRAPPER: &str = "AuditData";

/// Fields by name, and the other words for them.
const ALIASES: [(Log, &str, &[&str]); 34] = [
    (Log::Audit365, "Operation", &["eventName"]),
    (Log::Audit365, "Workload", &["eventSource"]),
    (Log::SignIns, "status.errorCode", &["ResultType"]),
    (Log::SignIns, "status.failureReason", &["ResultDescription"]),
    (Log::SignIns, "clientAppUsed", &["ClientApp"]),
    (Log::SignIns, "userPrincipalName", &["Username", "UserId"]),
    (Log::SignIns, "location.countryOrRegion", &["Location"]),
    (Log::SignIns, "appDisplayName", &["Application"]),
    (Log::SignIns, "callerIpAddress", &["ipAddress"]),
    (Log::SignIns, "Date (UTC)", &["createdDateTime"]),
    (Log::SignIns, "IP address", &["ipAddress"]),
    (Log::SignIns, "User agent", &["userAgent"]),
    (Log::SignIns, "Username", &["userPrincipalName"]),
    (Log::SignIns, "User", &["userDisplayName"]),
    (Log::SignIns, "Application", &["appDisplayName"]),
    (Log::SignIns, "Application ID", &["appId"]),
    (Log::SignIns, "Resource", &["resourceDisplayName"]),
    (Log::SignIns, "Resource ID", &["resourceId"]),
    (Log::SignIns, "Sign-in error code", &["ResultType", "status.errorCode"]),
    (Log::SignIns, "Failure reason", &["ResultDescription", "status.failureReason"]),
    (Log::SignIns, "Client app", &["ClientApp", "clientAppUsed"]),
    (Log::SignIns, "Authentication requirement", &["authenticationRequirement"]),
    (Log::SignIns, "Conditional Access", &["conditionalAccessStatus"]),
    (Log::Directory, "activityDisplayName", &["OperationName", "properties.message", "ActivityType"]),
    (Log::Directory, "result", &["Status"]),
    (Log::Directory, "initiatedBy.user.userPrincipalName", &["InitiatedBy"]),
    (Log::Directory, "initiatedBy.user.ipAddress", &["ipAddress"]),
    (
        Log::Directory,
        "Activity",
        &["activityDisplayName", "OperationName", "properties.message", "ActivityType"],
    ),
    (Log::Directory, "ActorUserPrincipalName", &["initiatedBy.user.userPrincipalName", "InitiatedBy"]),
    (Log::Directory, "Target1DisplayName", &["targetResources.displayName"]),
    (Log::Activity, "operationName", &["OperationNameValue"]),
    (Log::Activity, "operationName.value", &["operationName", "OperationNameValue"]),
    (Log::Activity, "category.value", &["category", "CategoryValue"]),
    (Log::Activity, "resourceProviderName.value", &["ResourceProviderValue"]),
];

/// The other names of the field `name`.
pub(crate) fn aliases(log: Log, name: &str) -> Vec<Box<str>> {
    let bare = bare(name);
    let mut out: Vec<Box<str>> = Vec::new();
    if bare != name {
        out.push(bare.into());
    }
    let own = ALIASES.iter().filter(|(of, field, _)| *of == log && field.eq_ignore_ascii_case(bare));
    out.extend(own.flat_map(|(_, _, others)| others.iter().map(|other| (*other).into())));
    out
}

fn bare(name: &str) -> &str {
    name.strip_prefix("properties.").unwrap_or(name)
}

/// Keys of lists whose members are a name and a value.
const PAIRED: [&str; 5] =
    ["parameters", "extendedproperties", "modifiedproperties", "operationproperties", "additionaldetails"];
const PAIR_NAMES: [&str; 3] = ["name", "displayname", "key"];
const PAIR_VALUES: [&str; 2] = ["newvalue", "value"];
/// So many leaves belong to one pair.
const PAIR_LEAVES: usize = 3;

/// Fields that hold the record's time, best first; those of the first half are
/// UTC whatever they say.
const TIMES: [(&str, bool); 6] = [
    ("CreationTime", true),
    ("Date (UTC)", true),
    ("createdDateTime", false),
    ("activityDateTime", false),
    ("eventTimestamp", false),
    ("time", false),
];

/// Fields that name the tenant, best first.
const TENANTS: [&str; 6] = [
    "OrganizationId",
    "resourceTenantId",
    "Resource tenant ID",
    "tenantId",
    "homeTenantId",
    "Home tenant ID",
];

/// What is known of records of one set of paths.
pub(crate) struct Names {
    pub(crate) shape: Arc<Shape>,
    /// Leaves of names and of their values.
    pairs: Vec<(usize, Option<usize>)>,
    /// The leaf that says how it ended.
    outcome: Option<(usize, Log)>,
    times: Vec<(usize, bool)>,
}

impl Names {
    /// The names of the fields with these paths.
    pub(crate) fn of(paths: &[u8], shapes: &Shapes) -> Self {
        let all = split(paths);
        let log = Log::of(paths);
        let pairs = pairs(&all);
        let outcome = log.and_then(|log| Some((outcome(log, &all)?, log)));
        let key = [b"cloud ", paths].concat();
        let shape = shapes.get(&key, || shape(log, &all, &pairs, outcome));
        Self { shape, pairs, outcome, times: times(&all) }
    }

    /// Each pair as text.
    pub(crate) fn pair_texts(&self, values: &[Value<'_>]) -> Vec<String> {
        let text = |leaf: usize| values.get(leaf).map(|value| value.to_text()).unwrap_or_default();
        let pair = |(name, value): &(usize, Option<usize>)| match value {
            Some(value) => format!("{}: {}", text(*name), text(*value)),
            None => text(*name),
        };
        self.pairs.iter().map(pair).collect()
    }

    /// How it ended, where the log says so by a number or several words.
    pub(crate) fn outcome(&self, values: &[Value<'_>]) -> Option<&'static str> {
        let (leaf, log) = self.outcome?;
        let text = values.get(leaf).map(|value| value.to_text()).unwrap_or_default();
        let is_any = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        Some(match log {
            Log::SignIns => {
                if text == "0" {
                    "Success"
                } else {
                    "Failure"
                }
            }
            _ if is_any(&["success", "succeeded", "true", "partiallysucceeded"]) => "success",
            _ => "failure",
        })
    }

    /// When it happened.
    pub(crate) fn time(&self, values: &[Value<'_>]) -> Option<Timestamp> {
        self.times.iter().find_map(|(leaf, is_utc)| match values.get(*leaf) {
            Some(Value::Utf8(text)) if *is_utc || has_zone(text) => Timestamp::parse(text),
            _ => None,
        })
    }
}

/// The leaves whose names are times.
pub(crate) fn times(all: &[String]) -> Vec<(usize, bool)> {
    let of_name = |(name, is_utc): &(&str, bool)| {
        Some((all.iter().position(|path| bare(path).eq_ignore_ascii_case(name))?, *is_utc))
    };
    TIMES.iter().filter_map(of_name).collect()
}

/// The field that names the tenant.
pub(crate) fn tenant(all: &[String]) -> Option<usize> {
    TENANTS.iter().find_map(|name| all.iter().position(|path| bare(path).eq_ignore_ascii_case(name)))
}

fn outcome(log: Log, all: &[String]) -> Option<usize> {
    let wanted: &[&str] = match log {
        Log::Audit365 => &["ResultStatus"],
        Log::SignIns => &["status.errorCode", "resultType"],
        Log::Directory | Log::Activity => &[],
    };
    all.iter().position(|path| wanted.iter().any(|name| bare(path).eq_ignore_ascii_case(name)))
}

fn pairs(all: &[String]) -> Vec<(usize, Option<usize>)> {
    let parts = |path: &str| {
        let (list, key) = path.rsplit_once('.')?;
        let last = list.rsplit('.').next().unwrap_or(list).to_ascii_lowercase();
        PAIRED.contains(&last.as_str()).then(|| (list.to_owned(), key.to_ascii_lowercase()))
    };
    let mut out = Vec::new();
    for (index, path) in all.iter().enumerate() {
        let Some((list, key)) = parts(path).filter(|(_, key)| PAIR_NAMES.contains(&key.as_str())) else {
            continue;
        };
        let near = all.iter().enumerate().skip(index + 1).take(PAIR_LEAVES - 1);
        let mut own = near.map_while(|(at, path)| {
            parts(path).filter(|(other, next)| *other == list && *next != key).map(|(_, key)| (at, key))
        });
        let value = own.find(|(_, key)| PAIR_VALUES.contains(&key.as_str())).map(|(at, _)| at);
        out.push((index, value));
    }
    out
}

fn shape(
    log: Option<Log>,
    all: &[String],
    pairs: &[(usize, Option<usize>)],
    outcome: Option<(usize, Log)>,
) -> Shape {
    let named = |name: &str| {
        let aliases = log.map(|log| aliases(log, name)).unwrap_or_default();
        Slot { aliases, ..Slot::new(name) }
    };
    let mut slots: Vec<Slot> = all.iter().map(|name| named(name)).collect();
    // The name of an alert is what happened.
    if all.iter().any(|path| path == "AlertId") {
        for slot in &mut slots {
            match &*slot.name {
                "Operation" => slot.aliases.clear(),
                "Name" => slot.aliases.push("eventName".into()),
                _ => {}
            }
        }
    }
    slots.extend(
        pairs.iter().map(|(leaf, _)| named(all[*leaf].rsplit_once('.').map_or("", |(list, _)| list))),
    );
    slots.extend(outcome.map(|(_, log)| Slot::new(if log == Log::SignIns { "Status" } else { "status" })));
    let slug = log.map_or("cloud", Log::slug);
    let shape = Shape::new(LogFamily::Cloud, slug, slots, true);
    match tenant(all) {
        Some(slot) => shape.with_role(Role::Host, slot),
        None => shape,
    }
}

/// Paths as names.
fn split(paths: &[u8]) -> Vec<String> {
    let name = |path: &[u8]| {
        let keys = path.split(|byte| *byte == KEY_END).map(String::from_utf8_lossy);
        keys.collect::<Vec<_>>().join(".")
    };
    let mut parts: Vec<&[u8]> = paths.split(|byte| *byte == PATH_END).collect();
    // Each path has its end.
    parts.pop();
    parts.into_iter().map(name).collect()
}
