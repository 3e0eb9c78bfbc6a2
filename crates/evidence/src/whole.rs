//! Items that are read all at once: binary files whose parts point to each
//! other.

use crate::Limits;
use crate::batch::{BATCH_BYTES, Batch, Cutter};
use crate::input::Input;
use model::Problem;

/// Hands an item on as one batch; what lies beyond the limit is left out, and
/// told.
pub(crate) struct WholeCutter {
    bytes_max: usize,
    done: bool,
}

impl WholeCutter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { bytes_max: limits.whole_bytes_max, done: false }
    }
}

impl Cutter for WholeCutter {
    type State = ();

    fn next(&mut self, input: &mut Input<'_>) -> Option<Batch<()>> {
        if std::mem::replace(&mut self.done, true) {
            return None;
        }
        let mut bytes = Vec::new();
        while bytes.len() <= self.bytes_max && input.read(&mut bytes, BATCH_BYTES) {}
        let mut problems = Vec::new();
        if bytes.len() > self.bytes_max {
            let wanted = format!("at most {} bytes", self.bytes_max);
            problems.push(Problem::new("limit", self.bytes_max as u64, wanted, "more; the rest is not read"));
            bytes.truncate(self.bytes_max);
        }
        Some(Batch { bytes, offset: 0, line: 1, state: (), problems })
    }
}
