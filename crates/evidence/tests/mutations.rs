//! Seeded damage to all formats: no panic, no endless loop, the same each time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gather;
mod packing;

use evidence::fuzz;
use packing::{ZipMember, gzip, tar, zip};
use std::path::Path;

/// A small generator (xorshift), seeded: the same damage on each run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }

    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        const BITS: [&[u8]; 12] = [
            b"\"",
            b"\n",
            b"\r\n#",
            b",",
            b"{",
            b"[",
            b"\\u",
            b"\0",
            b"\xff",
            b"#Fields: ",
            b"PK\x03\x04",
            b"ElfChnk\0",
        ];
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.next(6) {
            let at = self.next(bytes.len());
            match self.next(5) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.next(8),
                1 if !bytes.is_empty() => bytes[at] = 0xff,
                2 => bytes.truncate(at),
                3 => {
                    let end = (at + self.next(64)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    bytes.splice(at..at, BITS[self.next(BITS.len())].iter().copied());
                }
            }
        }
        bytes
    }
}

fn seeds(format: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(format);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "in"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn run(seeds: &[Vec<u8>], rounds: usize, target: fn(&[u8])) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for seed in seeds {
        target(seed);
        for _ in 0..rounds {
            target(&random.damage(seed));
        }
    }
}

#[test]
fn text_logs() {
    run(&seeds("w3c"), 3_000, |data| fuzz::read_as("w3c", data));
    run(&seeds("exchange-csv"), 3_000, |data| fuzz::read_as("exchange-csv", data));
    run(&seeds("windows-jsonl"), 3_000, |data| fuzz::read_as("windows-jsonl", data));
    for format in ["w3c", "exchange-csv", "windows-jsonl", "unknown"] {
        run(&seeds(format), 1_000, fuzz::sniff);
    }
}

#[test]
fn archives() {
    let log = seeds("w3c").concat();
    let inner = zip(&[ZipMember::new("a.log", &log), ZipMember { flags: 8, ..ZipMember::new("b", &log) }]);
    let packed = tar(&[("a.log", &log), ("b.zip", &inner)]);
    let outer = zip(&[ZipMember::new("b.zip", &inner), ZipMember { method: 9, ..ZipMember::new("c", &log) }]);
    run(&[inner, outer, gzip(&packed), packed], 2_000, fuzz::archive);
}

#[test]
fn disk_images() {
    use disk::sample;
    let disk = sample::intrusion();
    run(&[disk.clone(), sample::vhd(&disk), sample::ewf(&disk)], 1_000, fuzz::archive);
    run(&[sample::vhdx(&disk, true)], 100, fuzz::archive);
    run(&[disk[16 * 512..16 * 512 + 32 * 1024].to_vec()], 2_000, |data| fuzz::read_as("mft", data));
    let changes = (0..100).map(|index| sample::change(4_096 + 80 * index, 21, 20, 0x102, "page.aspx"));
    run(&[changes.collect::<Vec<_>>().concat()], 2_000, |data| fuzz::read_as("usn", data));
}

#[test]
fn event_logs() {
    let Some(folder) = gather::data("evtx-parser-samples") else { return };
    let bytes = std::fs::read(folder.join("velo-evtx/Security_1_record.evtx")).unwrap();
    run(&[bytes], 2_000, |data| fuzz::read_as("evtx", data));
}
