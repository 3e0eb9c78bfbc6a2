//! Event logs whose headers, sizes and offsets lie.

use super::{Input, Sound};

const HEADER: usize = 4_096;
const CHUNK: usize = 65_536;
/// The first chunk's first record.
const RECORD: usize = HEADER + 512;
/// Its first template instance: the offset of its definition, and the definition.
const INSTANCE: usize = RECORD + 24 + 4;
const DEFINITION: usize = INSTANCE + 10;

/// Name, what is wrong, and how it is done.
type Lie = (&'static str, &'static str, fn(&mut Vec<u8>));

/// Lies of the file's header; its checksum is renewed.
const OF_FILE: [Lie; 7] = [
    ("no-chunks", "the header counts no chunk", |log| put(log, 42, &0u16.to_le_bytes())),
    ("one-chunk", "the header counts one chunk", |log| put(log, 42, &1u16.to_le_bytes())),
    ("65535-chunks", "the header counts 65,535 chunks", |log| put(log, 42, &[0xff; 2])),
    ("next-0", "the next record is number 0", |log| put(log, 24, &[0; 8])),
    ("next-max", "the next record is the last number there is", |log| put(log, 24, &[0xff; 8])),
    ("first-chunk", "the oldest chunk lies behind the newest", |log| put(log, 8, &[0xff; 8])),
    ("header-size", "the header's block has no size", |log| put(log, 40, &[0; 2])),
];

/// Lies of the first chunk's header; its checksum is renewed.
const OF_CHUNK: [Lie; 8] = [
    ("free-0", "the chunk's records end before they begin", |log| put(log, HEADER + 48, &[0; 4])),
    ("free-max", "the chunk's records end far behind it", |log| put(log, HEADER + 48, &[0xff; 4])),
    ("free-header", "the chunk's records end in its header", |log| put(log, HEADER + 48, &[8, 0, 0, 0])),
    ("last-record", "the last record lies far behind the chunk", |log| put(log, HEADER + 44, &[0xff; 4])),
    ("numbers-swapped", "the first number is above the last", |log| put(log, HEADER + 24, &[0xff; 8])),
    ("numbers-max", "all numbers there are lie in the chunk", |log| {
        put(log, HEADER + 24, &[0; 8]);
        put(log, HEADER + 32, &[0xff; 8]);
    }),
    ("names-self", "each name's place is the chunk's beginning", |log| {
        put(log, HEADER + 128, &[0; 256]);
    }),
    ("templates-self", "each template's place is its own table", |log| {
        put(log, HEADER + 384, &[0x80, 1, 0, 0].repeat(32));
    }),
];

/// Lies of the first record; no checksum is renewed.
const OF_RECORD: [Lie; 12] = [
    ("record-0", "a record of no size", |log| put(log, RECORD + 4, &[0; 4])),
    ("record-27", "a record smaller than its frame", |log| put(log, RECORD + 4, &[27, 0, 0, 0])),
    ("record-max", "a record of 4 GiB", |log| put(log, RECORD + 4, &[0xff; 4])),
    ("record-chunk", "a record as large as its chunk", |log| put(log, RECORD + 4, &[0, 0, 1, 0])),
    ("template-self", "a definition that is its own instance", |log| {
        put(log, INSTANCE + 6, &(INSTANCE as u32 - HEADER as u32).to_le_bytes());
    }),
    ("template-next", "a definition whose next one is itself", |log| {
        put(log, DEFINITION, &(DEFINITION as u32 - HEADER as u32).to_le_bytes());
    }),
    ("template-far", "a definition far behind the chunk", |log| put(log, INSTANCE + 6, &[0xff; 4])),
    ("template-size", "a definition of 4 GiB", |log| put(log, DEFINITION + 20, &[0xff; 4])),
    ("name-far", "a name far behind the chunk", |log| put(log, DEFINITION + 24 + 4 + 7, &[0xff; 4])),
    ("name-self", "a name that begins where it is referred to", |log| {
        put(log, DEFINITION + 24 + 4 + 7, &(DEFINITION as u32 + 35 - HEADER as u32).to_le_bytes());
    }),
    ("no-end", "elements that never end", |log| {
        let all = log[DEFINITION + 24..RECORD + 2_000].to_vec();
        let endless = all.iter().map(|byte| if matches!(byte, 3 | 4) { 2 } else { *byte });
        log.splice(DEFINITION + 24..RECORD + 2_000, endless);
    }),
    ("sizes-max", "each size and offset of 4 KiB is the largest", |log| {
        (RECORD + 64..RECORD + 4_096).step_by(16).for_each(|at| put(log, at, &[0xff; 4]));
    }),
];

/// Lies about the whole file.
const OF_ALL: [Lie; 9] = [
    ("only-header", "a header and nothing else", |log| log.truncate(HEADER)),
    ("only-chunk", "a chunk without a file", |log| drop(log.drain(..HEADER))),
    ("no-checksums", "all checksums are zeros", |log| {
        put(log, 124, &[0; 4]);
        chunk_offsets(log).for_each(|at| [52, 124].into_iter().for_each(|sum| put(log, at + sum, &[0; 4])));
    }),
    ("magic-everywhere", "every sector begins as a chunk does", |log| {
        let head = log[HEADER..HEADER + 512].to_vec();
        (HEADER + 512..log.len()).step_by(512).for_each(|at| {
            let end = (at + 64).min(log.len());
            put(log, at, &head[..end - at]);
        });
    }),
    ("one-chunk-fifty-times", "one chunk, fifty times", |log| {
        let chunk = log[HEADER..HEADER + CHUNK].to_vec();
        log.truncate(HEADER);
        log.extend(chunk.repeat(50));
    }),
    ("empty-records", "a chunk of the smallest records", |log| {
        let record = [&[0x2a, 0x2a, 0, 0, 28, 0, 0, 0][..], &[1; 16], &[28, 0, 0, 0]].concat();
        put(log, RECORD, &record.repeat((CHUNK - 512) / 28));
    }),
    ("overlapping-records", "records within records", |log| {
        for at in (RECORD..HEADER + CHUNK - 32).step_by(32) {
            put(log, at, &[0x2a, 0x2a, 0, 0, 0, 0x40, 0, 0]);
            put(log, at + 28, &[0, 0x40, 0, 0]);
        }
    }),
    ("chunks-reversed", "the newest chunk first", |log| {
        let chunks: Vec<Vec<u8>> = log[HEADER..].chunks(CHUNK).rev().map(<[u8]>::to_vec).collect();
        log.splice(HEADER.., chunks.concat());
    }),
    ("chunk-half-over", "a chunk half written over by another", |log| {
        let half = log[HEADER..HEADER + CHUNK / 2].to_vec();
        put(log, HEADER + CHUNK, &half);
    }),
];

pub fn inputs(sound: &Sound) -> Vec<Input> {
    let lie = |lies: &[Lie], after: fn(&mut [u8])| -> Vec<Input> {
        let told = lies.iter().map(|(name, about, tell)| {
            let mut log = sound.evtx.clone();
            tell(&mut log);
            after(&mut log);
            Input::new(&format!("evtx-{name}.evtx"), about, log)
        });
        told.collect()
    };
    let of_chunk = lie(&OF_CHUNK, |log| {
        let chunk = &log[HEADER..HEADER + 512];
        let sum = crc32fast::hash(&[&chunk[..120], &chunk[128..]].concat());
        log[HEADER + 124..HEADER + 128].copy_from_slice(&sum.to_le_bytes());
    });
    let of_file = lie(&OF_FILE, |log| {
        let sum = crc32fast::hash(&log[..120]);
        log[124..128].copy_from_slice(&sum.to_le_bytes());
    });
    [of_file, of_chunk, lie(&OF_RECORD, |_| {}), lie(&OF_ALL, |_| {})].concat()
}

fn put(log: &mut [u8], at: usize, bytes: &[u8]) {
    log[at..at + bytes.len()].copy_from_slice(bytes);
}

fn chunk_offsets(log: &[u8]) -> impl Iterator<Item = usize> + use<> {
    (HEADER..log.len()).step_by(CHUNK)
}
