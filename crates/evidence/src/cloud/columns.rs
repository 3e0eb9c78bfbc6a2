//! Tables of cloud logs: the portal's downloads, and what
//! `Search-UnifiedAuditLog` exports.

use super::names::{self, Log, WRAPPER};
use model::{LogFamily, Role, Shape, Slot};

/// What a table of the cloud holds.
pub(crate) enum Table {
    /// Records as text, in this column.
    Wrapped(usize),
    /// A record's fields as columns.
    Columns(Log),
}

/// The column by which the portal's tables are known.
const TIME: &str = "Date (UTC)";
/// Columns of the portal's tables, and their log.
const KNOWN: [(&str, Log); 4] = [
    ("Sign-in error code", Log::SignIns),
    ("Authentication requirement", Log::SignIns),
    ("ActorType", Log::Directory),
    ("Target1DisplayName", Log::Directory),
];

impl Table {
    /// What a table of these columns holds.
    pub(crate) fn of(columns: &[String]) -> Option<Self> {
        let find = |wanted: &str| columns.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        if let Some(column) = find(WRAPPER) {
            return Some(Table::Wrapped(column));
        }
        find(TIME)?;
        KNOWN.iter().find(|(name, _)| find(name).is_some()).map(|(_, log)| Table::Columns(*log))
    }
}

/// Whether columns are those of a portal's table, in which names come twice and with blanks around them.
pub(crate) fn is_portal(columns: &[String]) -> bool {
    columns.first().is_some_and(|name| name == TIME) && matches!(Table::of(columns), Some(Table::Columns(_)))
}

/// The shape of a table's records.
pub(crate) fn shape(log: Log, columns: &[String]) -> Shape {
    let slot = |name: &String| {
        let name = name.trim();
        let mut slot = Slot { aliases: names::aliases(log, name), ..Slot::new(name) };
        // `Target1ModifiedProperty2NewValue` is one of many.
        let (begins, ends) =
            (name.starts_with("Target"), name.ends_with("Name") || name.ends_with("NewValue"));
        if begins && ends && name.contains("ModifiedProperty") {
            slot.aliases.push("targetResources.modifiedProperties".into());
        }
        slot
    };
    let shape = Shape::new(LogFamily::Cloud, log.slug(), columns.iter().map(slot).collect(), true);
    match names::tenant(columns) {
        Some(slot) => shape.with_role(Role::Host, slot),
        None => shape,
    }
}
