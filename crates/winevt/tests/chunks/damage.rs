//! What damage costs: the record it hits, and a problem that says so; never the
//! rest, never a panic.

use crate::builder::{Chunk, Shown, Stream, Wire, read, sign, string};
use std::path::Path;
use winevt::{CHUNK_BYTES, ChunkReader, ChunkSummary, FILE_HEADER_BYTES, FileHeader, fuzz, is_chunk};

/// Records `10`, `11`, … with one field each, `v`, their index.
fn chunk_of(count: usize) -> Chunk {
    let mut chunk = Chunk::new(10);
    for index in 0..count {
        chunk.record(|stream| {
            stream.header().element("Event").content().element("EventData").content();
            stream.element("Data").attribute("Name").text("v").content().text(&index.to_string()).end();
            stream.end().end().raw(&[0]);
        });
    }
    chunk
}

/// `kind@offset-in-chunk lost`, of each problem.
fn problems(shown: &Shown) -> Vec<String> {
    let problem = |problem: &model::Problem| {
        let lost = problem.records_lost.map_or("?".to_owned(), |lost| lost.to_string());
        format!("{}@{} {lost}", problem.kind, problem.offset.unwrap() - 4_096)
    };
    shown.problems.iter().map(problem).collect()
}

#[test]
fn a_whole_chunk() {
    let shown = read(&chunk_of(3).finish());
    assert_eq!(shown.records, ["v=0", "v=1", "v=2"]);
    assert_eq!(problems(&shown), [""; 0]);
    let summary = ChunkSummary {
        records: 3,
        range: Some((10, 12)),
        checksum_ok: true,
        records_lost: 0,
        end: chunk_of(3).bytes.len(),
    };
    assert_eq!(shown.summary, summary);
    assert_eq!(shown.positions[2].record, Some(12));
    assert_eq!(shown.times, [None, None, None]);
}

#[test]
fn an_empty_chunk() {
    let shown = read(&Chunk::new(1).finish());
    assert_eq!((shown.records.len(), problems(&shown).len()), (0, 0));
    assert_eq!(shown.summary.range, None);
    assert!(shown.summary.checksum_ok);
}

#[test]
fn the_records_own_time_when_it_has_no_other() {
    let mut chunk = chunk_of(0);
    chunk.filetime = 132_592_332_051_234_567;
    chunk.record(|stream| {
        stream.element("Event").content().leaf("Data", "x").end();
    });
    assert_eq!(read(&chunk.finish()).times, [Some("2021-03-03T08:20:05.1234567Z".to_owned())]);
}

#[test]
fn a_bad_checksum_costs_nothing() {
    let mut bytes = chunk_of(2).finish();
    // In a slack byte of the header that no reader looks at.
    bytes[60] ^= 1;
    let shown = read(&bytes);
    assert_eq!(shown.records, ["v=0", "v=1"]);
    assert_eq!(problems(&shown), ["bad-checksum@0 0"]);
    assert!(!shown.summary.checksum_ok);
}

#[test]
fn a_broken_size_costs_one_record() {
    let chunk = chunk_of(4);
    let mut bytes = chunk.finish();
    bytes[chunk.records[1] + 4] = 0;
    let shown = read(&bytes);
    assert_eq!(shown.records, ["v=0", "v=2", "v=3"]);
    let broken = format!("bad-record@{} 1", chunk.records[1] + 4);
    assert_eq!(problems(&shown), ["bad-checksum@0 0".to_owned(), broken]);
    assert_eq!((shown.summary.records, shown.summary.records_lost), (3, 1));
}

#[test]
fn a_hole_costs_the_records_in_it() {
    let chunk = chunk_of(6);
    let mut bytes = chunk.finish();
    bytes[chunk.records[1]..chunk.records[4]].fill(0);
    let shown = read(&bytes);
    assert_eq!(shown.records, ["v=0", "v=4", "v=5"]);
    let broken = format!("bad-record@{} 3", chunk.records[1]);
    assert_eq!(problems(&shown)[1..], [broken]);
}

#[test]
fn a_broken_stream_costs_one_record() {
    let chunk = chunk_of(3);
    let mut bytes = chunk.finish();
    // After the record's header and the fragment's: the first element.
    bytes[chunk.records[1] + 28] = 0x7f;
    let shown = read(&bytes);
    assert_eq!(shown.records, ["v=0", "v=2"]);
    let broken = format!("bad-record@{} 1", chunk.records[1] + 28);
    assert_eq!(problems(&shown)[1..], [broken]);
}

#[test]
fn a_broken_fragment_leaves_the_rest_of_the_record() {
    let mut chunk = Chunk::new(1);
    chunk.record(|stream| {
        let definition = |stream: &mut Stream| {
            stream.element("Event").content().element("System").content();
            stream.element("EventID").content().normal(0).end().end().optional(1).end();
        };
        let values = [
            Wire::Value(0x06, vec![7, 0]),
            Wire::Fragment(|stream| {
                stream.header().raw(&[0x7f]);
            }),
        ];
        stream.header().instance(definition, &values);
    });
    let shown = read(&chunk.finish());
    assert_eq!(shown.records, ["EventID=7 Event=-absent-"]);
    assert_eq!(shown.problems.len(), 1);
    assert_eq!((shown.problems[0].kind, shown.problems[0].records_lost), ("bad-record", Some(0)));
}

#[test]
fn values_that_are_cut_off_are_absent() {
    let mut chunk = Chunk::new(1);
    chunk.record(|stream| {
        let definition = |stream: &mut Stream| {
            stream.element("Event").content();
            stream.element("A").content().normal(0).end().element("B").content().normal(1).end().end();
        };
        stream.header().instance(definition, &[string("a"), string("bbb")]);
        stream.bytes.truncate(stream.bytes.len() - 2);
    });
    let shown = read(&chunk.finish());
    assert_eq!(shown.records, ["A=a B=-absent-"]);
    assert_eq!((shown.problems[0].kind, shown.problems[0].records_lost), ("bad-record", Some(0)));
}

#[test]
fn a_cut_chunk_gives_the_whole_records() {
    let chunk = chunk_of(5);
    let bytes = chunk.finish();
    let shown = read(&bytes[..chunk.records[3] + 30]);
    assert_eq!(shown.records, ["v=0", "v=1", "v=2"]);
    assert_eq!(problems(&shown), ["truncated@0 2"]);
    assert_eq!((shown.summary.records, shown.summary.records_lost), (3, 2));
    // Between two records, and in the free space after the last.
    assert_eq!(problems(&read(&bytes[..chunk.records[3]])), ["truncated@0 2"]);
    assert_eq!(problems(&read(&bytes[..60_000])), ["truncated@0 0"]);
    // In the header itself.
    assert_eq!(problems(&read(&bytes[..300])), ["bad-chunk@0 ?", "truncated@0 ?"]);
}

#[test]
fn a_destroyed_header_costs_nothing() {
    let mut bytes = chunk_of(3).finish();
    bytes[..512].fill(0);
    let shown = read(&bytes);
    assert_eq!(shown.records, ["v=0", "v=1", "v=2"]);
    assert_eq!(problems(&shown), ["bad-chunk@0 ?"]);
}

#[test]
fn a_header_that_lags_behind_costs_nothing() {
    let chunk = chunk_of(4);
    let mut bytes = chunk.finish();
    bytes[32..40].copy_from_slice(&11u64.to_le_bytes());
    bytes[48..52].copy_from_slice(&(chunk.records[2] as u32).to_le_bytes());
    let sum = evtx::checksum_ieee(&bytes[512..chunk.records[2]]);
    bytes[52..56].copy_from_slice(&sum.to_le_bytes());
    sign(&mut bytes);
    let shown = read(&bytes);
    assert_eq!(shown.records, ["v=0", "v=1", "v=2", "v=3"]);
    assert_eq!(problems(&shown), [""; 0]);
}

#[test]
fn what_an_earlier_round_left_is_not_read() {
    let chunk = chunk_of(4);
    let mut bytes = chunk.finish();
    // The header ends the chunk after two; the third has an older number.
    bytes[32..40].copy_from_slice(&11u64.to_le_bytes());
    bytes[chunk.records[2] + 8..chunk.records[2] + 16].copy_from_slice(&5u64.to_le_bytes());
    bytes[48..52].copy_from_slice(&(chunk.records[2] as u32).to_le_bytes());
    sign(&mut bytes);
    assert_eq!(read(&bytes).records, ["v=0", "v=1"]);
}

#[test]
fn problems_are_told_up_to_a_number() {
    let chunk = chunk_of(300);
    let mut bytes = chunk.finish();
    for record in chunk.records.iter().skip(1).step_by(2) {
        bytes[record + 28] = 0x7f;
    }
    let shown = read(&bytes);
    assert_eq!(shown.records.len(), 150);
    assert_eq!(shown.summary.records_lost, 150);
    let lost: u64 = shown.problems.iter().filter_map(|problem| problem.records_lost).sum();
    assert_eq!((shown.problems.len(), lost), (65, 150));
}

#[test]
fn nesting_ends() {
    let mut chunk = Chunk::new(1);
    chunk.record(|stream| {
        for _ in 0..100 {
            stream.element("A").content();
        }
    });
    let shown = read(&chunk.finish());
    assert_eq!(shown.records, [""; 0]);
    assert_eq!(shown.problems[0].kind, "limit");
}

#[test]
fn a_file_header() {
    let mut bytes = [0; 128];
    bytes[..8].copy_from_slice(b"ElfFile\0");
    bytes[16] = 3;
    bytes[24] = 77;
    bytes[42] = 4;
    bytes[120] = 3;
    let sum = evtx::checksum_ieee(&bytes[..120]);
    bytes[124..].copy_from_slice(&sum.to_le_bytes());
    let header = FileHeader::parse(&bytes).unwrap();
    assert_eq!((header.chunks, header.first_chunk, header.last_chunk, header.next_record), (4, 0, 3, 77));
    assert!(header.is_dirty && header.is_full && header.checksum_ok);
    bytes[16] = 4;
    assert!(!FileHeader::parse(&bytes).unwrap().checksum_ok);
    assert_eq!(FileHeader::parse(&bytes[..100]).unwrap_err().kind, "bad-file-header");
    assert_eq!(FileHeader::parse(&[0; 4_096]).unwrap_err().kind, "bad-file-header");
}

/// A small generator, so that each run does the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// `chunk` with some bytes changed, or cut.
fn mutated(chunk: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = chunk.to_vec();
    for _ in 0..1 + random.below(12) {
        // Most of a chunk is free space; most damage should not be there.
        let at = random.below(bytes.len().min(24_000));
        match random.below(4) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.below(256) as u8,
            2 => bytes[at] = [0, 0x01, 0x0c, 0x0d, 0x0e, 0x0f, 0x21, 0x41, 0x81, 0xff][random.below(10)],
            _ => {
                let (from, size) = (random.below(bytes.len()), random.below(64));
                let piece = bytes[from..(from + size).min(bytes.len())].to_vec();
                let end = (at + piece.len()).min(bytes.len());
                bytes[at..end].copy_from_slice(&piece[..end - at]);
            }
        }
    }
    match random.below(8) {
        0 => bytes.truncate(random.below(bytes.len())),
        1..5 if bytes.len() == CHUNK_BYTES => sign(&mut bytes),
        _ => {}
    }
    bytes
}

/// Nothing panics, and what is read depends on the chunk alone, not on what the
/// reader met before.
fn mutate(chunks: &[Vec<u8>], rounds: usize) {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut reader = ChunkReader::new();
    for _ in 0..rounds {
        let bytes = mutated(&chunks[random.below(chunks.len())], &mut random);
        fuzz(&bytes);
        let mut warm = Shown::default();
        reader.begin_run();
        warm.summary = reader.read(&bytes, 4_096, &mut warm);
        reader.carve(&bytes, warm.summary.end, 4_096, &mut warm);
        let cold = read(&bytes);
        assert_eq!((warm.records, warm.carved), (cold.records, cold.carved));
        assert_eq!((warm.problems, warm.summary), (cold.problems, cold.summary));
    }
}

#[test]
fn mutated_hand_made_chunks() {
    mutate(&[chunk_of(40).finish(), chunk_of(3).finish()], 1_000);
}

#[test]
fn mutated_real_chunks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/evtx-parser-samples/omer");
    if !folder.is_dir() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "../shared/data is missing");
        eprintln!("skipped: ../shared/data is missing");
        return;
    }
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "evtx"));
    let first_chunk = |path| {
        let file = std::fs::read(path).unwrap();
        file[FILE_HEADER_BYTES..FILE_HEADER_BYTES + CHUNK_BYTES].to_vec()
    };
    let chunks: Vec<_> = paths.iter().map(first_chunk).filter(|chunk| is_chunk(chunk)).collect();
    mutate(&chunks, 3_000);
}
