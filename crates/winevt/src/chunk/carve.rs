//! Carving: records of an earlier use of a chunk's space, in what is free of
//! it now, or in what is left of a chunk whose header is gone.
//!
//! Windows does not wipe a chunk that it uses again, and an exported log is
//! full of what its source held. A record there refers to definitions and
//! names elsewhere in the chunk, which may be written over. So it is shown
//! only when it is whole and an event, each name has its hash, and each
//! definition is the one it was made of, by the id that both hold: where the
//! record points, or elsewhere in the same run of chunks. The rest is counted,
//! in one problem.
//!
//! # Not here
//! Whether the same record also stands among the live ones of the log: that
//! shows when all of the log was read (room `scan`).

use super::Walk;
use crate::record::RecordHeader;
use crate::stream::StreamReader;
use crate::wire::Broken;
use memchr::memmem;
use model::{Position, Problem, Record, Role};

/// Whether a record begins after `from`. Most chunks are full, or zeros there.
pub(super) fn may_hold_records(chunk: &[u8], from: usize) -> bool {
    chunk.get(from..).is_some_and(|free| memmem::find(free, &RecordHeader::MAGIC).is_some())
}

impl Walk<'_, '_> {
    /// Shows the records that lie whole from `from` to the chunk's end; returns
    /// how many.
    pub(super) fn carve(&mut self, from: usize) -> u64 {
        let free = self.chunk.get(from..).unwrap_or_default();
        let mut at = from;
        let mut carved = 0;
        let mut written_over: Option<(usize, Broken)> = None;
        let mut unread = 0u64;
        for hit in memmem::find_iter(free, &RecordHeader::MAGIC).map(|hit| from + hit) {
            // Within the one before, readable or not: reading each would take
            // the square of the chunk's size.
            if hit < at {
                continue;
            }
            let Ok(header) = RecordHeader::parse(self.chunk, hit) else { continue };
            if !header.size_again {
                continue;
            }
            at = hit + header.size;
            match self.carved_record(hit, &header) {
                Ok(()) => carved += 1,
                Err(broken) => {
                    unread += 1;
                    written_over.get_or_insert((hit, broken));
                }
            }
        }
        if let Some((hit, broken)) = written_over {
            let wanted = format!("records in free space that can still be read; here {}", broken.wanted);
            let found = format!("{}; {unread} such records in this chunk", broken.found);
            let problem = Problem::new("overwritten", self.offset + hit as u64, wanted, found);
            // No loss: the log itself let go of them.
            self.problems.tell(problem.losing(0));
        }
        carved
    }

    fn carved_record(&mut self, at: usize, header: &RecordHeader) -> Result<(), Broken> {
        let (start, end) = (at + RecordHeader::BYTES, at + header.size - 4);
        StreamReader::new(self.chunk, self.shapes.templates(), &self.decoder, &mut self.parts)
            .of_left()
            .read(start, end)?;
        if let Some(trouble) = self.parts.troubles.first() {
            return Err(*trouble);
        }
        let plan = self.shapes.carved_plan(self.parts.key.bytes(), &self.parts.values, &self.decoder);
        let plan = plan.ok_or(Broken::limit(at, "fewer shapes of records in a chunk", header.size))?;
        self.values.clear();
        let values = &self.parts.values;
        self.values.extend(plan.sources.iter().map(|source| source.value(values, &self.decoder)));
        // A value that finds no room is shown as it stands on the wire: of live
        // records a problem says so, of these there is no need to show any.
        if plan.cut || self.decoder.take_overdrawn() {
            return Err(Broken::limit(at, "at most 8 MiB of lists and joined text in a chunk", header.size));
        }
        let position = Position { offset: self.offset + at as u64, record: None, line: None };
        let record = Record { shape: &plan.shape, values: &self.values, position, time: None };
        if !record.role(Role::EventId).is_present() {
            return Err(Broken::new(at, "an event with an EventID", header.size as u64));
        }
        let (number, time) = super::number_and_time(plan, &record, header);
        let position = Position { record: Some(number), ..position };
        self.problems.sink.carved(&Record { position, time, ..record });
        Ok(())
    }
}
