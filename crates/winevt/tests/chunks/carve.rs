//! What an earlier use of a chunk left in its free space: shown as carved where
//! it is whole, counted where what it refers to was written over.

use crate::builder::{Chunk, Shown, Stream, read, string};
use winevt::{CHUNK_BYTES, ChunkReader};

/// Where the first record's definition begins: after the chunk's header, the
/// record's, the fragment header and the beginning of the instance.
const DEFINITION: usize = 512 + 24 + 4 + 10;

fn definition(stream: &mut Stream) {
    stream.element("Event").content().element("System").content().leaf("EventID", "7").end();
    stream.element("EventData").content();
    stream.element("Data").attribute("Name").text("v").content().normal(0).end().end().end();
}

/// Records `first`, … of one template, each with one field, `v`: `text` and their index.
fn chunk_of(first: u64, count: usize, text: &str) -> Chunk {
    let mut chunk = Chunk::new(first);
    for index in 0..count {
        let values = [string(&format!("{text}{index}"))];
        chunk.record(|stream| {
            stream.header();
            match index {
                0 => stream.instance(definition, &values),
                _ => stream.instance_of(DEFINITION, &values),
            };
            stream.raw(&[0]);
        });
    }
    chunk
}

/// `newer`, written over `older`.
fn over(newer: &Chunk, older: &Chunk) -> Vec<u8> {
    let mut bytes = newer.finish();
    let end = newer.bytes.len();
    bytes[end..older.bytes.len()].copy_from_slice(&older.bytes[end..]);
    bytes
}

fn problems(shown: &Shown) -> Vec<String> {
    let problem = |problem: &model::Problem| {
        let offset = problem.offset.unwrap() - 4_096;
        format!("{}@{offset} {:?}: {}", problem.kind, problem.records_lost, problem.found)
    };
    shown.problems.iter().map(problem).collect()
}

#[test]
fn whole_records_of_an_earlier_use_are_carved() {
    let (newer, older) = (chunk_of(90, 2, "new"), chunk_of(10, 5, "old"));
    let shown = read(&over(&newer, &older));
    assert_eq!(shown.records, ["EventID=7 v=new0", "EventID=7 v=new1"]);
    let expect = [
        "#12 EventID=7 v=old2 Carved=true",
        "#13 EventID=7 v=old3 Carved=true",
        "#14 EventID=7 v=old4 Carved=true",
    ];
    assert_eq!(shown.carved, expect);
    assert_eq!(problems(&shown), [""; 0]);
}

#[test]
fn a_record_cut_by_the_newer_ones_is_not_guessed() {
    let (newer, older) = (chunk_of(90, 2, "newer"), chunk_of(10, 4, "old"));
    let shown = read(&over(&newer, &older));
    assert_eq!(shown.carved, ["#13 EventID=7 v=old3 Carved=true"]);
    assert_eq!(problems(&shown), [""; 0]);
}

#[test]
fn a_record_whose_definition_was_written_over_is_counted() {
    let (newer, older) = (chunk_of(90, 1, "new"), chunk_of(10, 4, "old"));
    let mut bytes = over(&newer, &older);
    // Another template stands there now, and reads as well as the first.
    bytes[DEFINITION + 4] = 8;
    let shown = read(&bytes);
    assert_eq!(shown.records, ["EventID=7 v=new0"]);
    assert_eq!(shown.carved, [""; 0]);
    let expect = format!("overwritten@{} Some(0): 0x7070708; 3 such records in this chunk", older.records[1]);
    assert_eq!(problems(&shown), ["bad-checksum@0 Some(0): the records' does not hold".to_owned(), expect]);
}

#[test]
fn a_definition_of_the_same_id_elsewhere_serves() {
    let older = chunk_of(10, 14, "old");
    let mut newer = Chunk::new(90);
    newer.record(|stream| {
        stream.header().element("Event").content().leaf("Data", "in the definition's place").end();
    });
    newer.record(|stream| {
        stream.header().instance(definition, &[string("new")]).raw(&[0]);
    });
    let shown = read(&over(&newer, &older));
    assert_eq!(shown.carved.last().unwrap(), "#23 EventID=7 v=old13 Carved=true");
    // Another one of this id: nobody can say which it was.
    newer.record(|stream| {
        let other = |stream: &mut Stream| {
            stream.leaf("Event", "x");
        };
        stream.header().instance(other, &[string("new")]).raw(&[0]);
    });
    let shown = read(&over(&newer, &older));
    assert_eq!((shown.carved.len(), shown.problems[0].kind), (0, "overwritten"));
}

#[test]
fn a_name_that_was_written_over_is_no_name() {
    let (newer, older) = (chunk_of(90, 1, "new"), chunk_of(10, 2, "old"));
    let mut bytes = over(&newer, &older);
    let name = bytes.windows(8).position(|window| window == b"D\0a\0t\0a\0").unwrap();
    bytes[name] = b'd';
    let shown = read(&bytes);
    // The live record takes the name as it stands there.
    assert_eq!((shown.records.len(), shown.carved.len()), (1, 0));
    assert_eq!(shown.problems[1].kind, "overwritten");
}

#[test]
fn a_chunk_that_the_log_does_not_count_is_carved_whole() {
    let mut bytes = chunk_of(10, 3, "old").finish();
    bytes[..512].fill(0);
    let mut shown = Shown::default();
    let carved = ChunkReader::new().carve(&bytes, 0, 4_096, &mut shown);
    assert_eq!((carved, shown.records.len()), (3, 0));
    assert_eq!(shown.carved[0], "#10 EventID=7 v=old0 Carved=true");
}

#[test]
fn records_within_each_other_are_read_once() {
    let mut bytes = chunk_of(10, 1, "x").finish();
    // Every 32 bytes a record of 16 KiB begins and another one ends.
    for at in (2_048..CHUNK_BYTES).step_by(32) {
        bytes[at..at + 8].copy_from_slice(&[0x2a, 0x2a, 0, 0, 0, 0x40, 0, 0]);
        bytes[at + 28..at + 32].copy_from_slice(&[0, 0x40, 0, 0]);
    }
    let shown = read(&bytes);
    assert_eq!((shown.records.len(), shown.carved.len()), (1, 0));
    assert!(problems(&shown)[0].ends_with("; 3 such records in this chunk"), "{:?}", problems(&shown));
}
