//! Event logs that are cut, damaged or without their header: what is there is
//! read, what is lost is counted.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gather;

use evidence::Limits;
use gather::Gathered;

const HEADER: usize = 4_096;
const CHUNK: usize = 65_536;

/// A clean log of several chunks, and how many records it has.
fn sample() -> Option<(Vec<u8>, u64)> {
    let folder = gather::data("evtx-parser-samples")?;
    let bytes = std::fs::read(folder.join("pyevtx/issue_39.evtx")).unwrap();
    let records = read(&bytes).items[0].item.records;
    Some((bytes, records))
}

fn read(bytes: &[u8]) -> Gathered {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x"), bytes).unwrap();
    gather::all(&[folder.path().to_path_buf()], &Limits::default())
}

/// Records of the chunks that begin in `bytes`, by the chunk headers.
fn counted(bytes: &[u8]) -> u64 {
    let number = |chunk: &[u8], at: usize| u64::from_le_bytes(chunk[at..at + 8].try_into().unwrap());
    let chunks = bytes[HEADER..].chunks(CHUNK).filter(|chunk| chunk.starts_with(b"ElfChnk"));
    chunks.map(|chunk| number(chunk, 32) - number(chunk, 24) + 1).sum()
}

/// Records read, and records lost over all problems.
#[track_caller]
fn check(bytes: &[u8], records: u64, lost: u64, kinds: &[&str]) {
    let gathered = read(bytes);
    let item = &gathered.items[0].item;
    assert_eq!(item.format, Some("evtx"));
    let kinds_of = item.problems.iter().map(|problem| problem.kind);
    // What earlier uses left in free space is no matter of these tests.
    let found_kinds: Vec<&str> = kinds_of.filter(|kind| *kind != "overwritten").collect();
    let found_lost: u64 = item.problems.iter().filter_map(|problem| problem.records_lost).sum();
    assert_eq!(
        (item.records, found_lost, found_kinds.as_slice()),
        (records, lost, kinds),
        "{:?}",
        item.problems
    );
}

#[test]
fn whole_logs_have_no_problems() {
    let Some((bytes, records)) = sample() else { return };
    assert_eq!(records, counted(&bytes));
    check(&bytes, records, 0, &[]);
}

#[test]
fn a_log_cut_between_chunks_counts_what_is_lost() {
    let Some((bytes, records)) = sample() else { return };
    let cut = &bytes[..HEADER + CHUNK];
    let left = counted(cut);
    assert!(left < records);
    check(cut, left, records - left, &["truncated"]);
}

#[test]
fn a_log_cut_in_mid_chunk_counts_what_is_lost() {
    let Some((bytes, records)) = sample() else { return };
    let cut = &bytes[..HEADER + 2 * CHUNK - 40_000];
    let gathered = read(cut);
    let left = gathered.items[0].item.records;
    assert!(left < counted(cut) && left > counted(&cut[..HEADER + CHUNK]));
    let problems = &gathered.items[0].item.problems;
    assert_eq!(
        problems.iter().filter_map(|problem| problem.records_lost).sum::<u64>(),
        records - left,
        "{problems:?}"
    );
}

#[test]
fn a_log_without_its_header_gives_its_chunks() {
    let Some((mut bytes, records)) = sample() else { return };
    check(&bytes[HEADER..], records, 0, &["bad-file-header"]);
    check(&bytes[HEADER - 512..], records, 0, &["bad-file-header"]);
    bytes[..HEADER].fill(0);
    check(&bytes, records, 0, &["bad-file-header"]);
}

#[test]
fn a_chunk_without_its_header_is_lost_and_counted() {
    let Some((mut bytes, records)) = sample() else { return };
    let before = counted(&bytes);
    bytes[HEADER + CHUNK..HEADER + CHUNK + 8].fill(b'?');
    let left = counted(&bytes);
    assert_eq!(before, records);
    let gathered = read(&bytes);
    let item = &gathered.items[0].item;
    assert_eq!(item.records, left);
    let lost: u64 = item.problems.iter().filter_map(|problem| problem.records_lost).sum();
    assert_eq!(lost, records - left, "{:?}", item.problems);
    // Its records are carved: what they refer to is all there.
    let place = (HEADER + CHUNK) as u64..(HEADER + 2 * CHUNK) as u64;
    let offset = |shown: &String| -> u64 { shown[1..].split(' ').next().unwrap().parse().unwrap() };
    let carved = gathered.items[0].carved.iter().filter(|shown| place.contains(&offset(shown)));
    assert_eq!(carved.count() as u64, records - left);
}

/// The file header for `chunks` chunks, its checksum renewed.
fn counting(bytes: &[u8], chunks: u16, next_record: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[42..44].copy_from_slice(&chunks.to_le_bytes());
    bytes[24..32].copy_from_slice(&next_record.to_le_bytes());
    let mut sum = flate2::Crc::new();
    sum.update(&bytes[..120]);
    bytes[124..128].copy_from_slice(&sum.sum().to_le_bytes());
    bytes
}

#[test]
fn chunks_that_the_header_does_not_count_are_carved() {
    let Some((bytes, records)) = sample() else { return };
    // Cleared: the newest chunk is the only one that counts, older ones are left behind it.
    let chunks: Vec<&[u8]> =
        bytes[HEADER..].chunks(CHUNK).filter(|chunk| chunk.starts_with(b"ElfChnk")).collect();
    let (newest, older) = chunks.split_last().unwrap();
    let log = [&bytes[..HEADER], newest, &older.concat()].concat();
    let log = counting(&log, 1, records + 1);
    let item = &read(&log).items[0];
    let live = counted(&[&bytes[..HEADER], newest].concat());
    assert_eq!((item.item.records, item.item.format), (live, Some("evtx")));
    assert_eq!(item.item.problems.iter().filter_map(|problem| problem.records_lost).sum::<u64>(), 0);
    assert!(item.carved.len() as u64 >= records - live, "{}", item.carved.len());
    // The chunk that follows on is one that the header lags behind, whatever it says.
    let lagging = counting(&bytes, 1, records + 1);
    assert_eq!(read(&lagging).items[0].item.records, records);
}

#[test]
fn bytes_missing_in_the_middle_lose_one_chunk() {
    let Some((bytes, records)) = sample() else { return };
    let hole = HEADER + CHUNK / 2;
    let holed = [&bytes[..hole], &bytes[hole + 1_024..]].concat();
    let gathered = read(&holed);
    let item = &gathered.items[0].item;
    let first_chunk = counted(&bytes[..HEADER + CHUNK]);
    assert!(item.records >= records - first_chunk, "{}: {:?}", item.records, item.problems);
    assert!(!item.problems.is_empty());
}
