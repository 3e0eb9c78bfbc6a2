//! Who started what, and who logged on from where: noted record by record,
//! put together when the intrusions are known.
//!
//! # Not here
//! Which of it is an attack: findings say so.

mod fields;
mod logons;
mod processes;
mod trees;

pub use fields::Fields;
pub use logons::{LOGON_FIELDS, Logons};
pub use processes::{PROCESS_FIELDS, ProcessLog, Starts, StartsWriter, item_hash};

use model::{Case, Record, Role};

/// Starts of processes and logons of one scan.
pub struct Sessions {
    pub(crate) starts: Starts,
    pub(crate) logons: Logons,
}

impl Sessions {
    /// Fills in the case's processes and logons; its findings, hosts and
    /// intrusions are known by now.
    ///
    /// # Errors
    /// When what was put aside in temporary files cannot be read back.
    pub fn fill(self, case: &mut Case) -> std::io::Result<()> {
        let (processes, left_out) = trees::around_findings(&self.starts, case)?;
        case.sessions.processes = processes;
        case.sessions.left_out.processes = left_out;
        let (logons, left_out) = self.logons.settle(case);
        case.sessions.logons = logons;
        case.sessions.left_out.logons = left_out;
        Ok(())
    }
}

/// The EventID of a record, where it has one.
fn event_id(record: &Record<'_>) -> Option<i64> {
    record.role(Role::EventId).to_integer()
}
