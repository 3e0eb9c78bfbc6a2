//! The target of fuzzing: reads anything as a file header and as a chunk, and
//! looks at every value that comes out.

use crate::{ChunkReader, FileHeader};
use model::{Problem, Record, RecordSink};

/// Renders everything and forgets it.
#[derive(Default)]
struct Touch {
    bytes: usize,
}

impl RecordSink for Touch {
    fn record(&mut self, record: &Record<'_>) {
        for index in 0..record.shape.slots.len() {
            // Hostile records repeat one large value in thousands of slots.
            if self.bytes < 1 << 24 {
                self.bytes += record.value(index).to_text().len();
            }
        }
    }

    fn carved(&mut self, record: &Record<'_>) {
        self.record(record);
    }

    fn problem(&mut self, problem: Problem) {
        self.bytes += problem.found.len();
    }
}

/// Must return for any `data`, and soon.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let _ = FileHeader::parse(data);
    let mut touch = Touch::default();
    let mut reader = ChunkReader::new();
    let summary = reader.read(data, 0, &mut touch);
    reader.carve(data, summary.end, 0, &mut touch);
    reader.carve(data, 0, 0, &mut touch);
}
