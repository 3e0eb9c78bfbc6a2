//! The same damage done to one sound file of each kind.

use super::{Input, Sound, pack};
use crate::dice::Dice;

pub fn inputs(sound: &Sound) -> Vec<Input> {
    let mut inputs: Vec<Input> = sound.files.iter().flat_map(|(name, bytes)| damaged(name, bytes)).collect();
    inputs.extend(misnamed(sound));
    inputs
}

fn damaged(name: &str, bytes: &[u8]) -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut add = |how: &str, about: &str, bytes: Vec<u8>| {
        inputs.push(Input::new(&format!("{how}-{name}"), about, bytes));
    };
    let size = bytes.len();
    for (how, about, keep) in [
        ("cut1", "cut after one eighth", size / 8),
        ("cut4", "cut in the middle", size / 2),
        ("cut7", "cut after seven eighths", size * 7 / 8),
        ("cutlast", "the last byte is missing", size - 1),
        ("behead", "only its first 20 bytes", 20),
    ] {
        add(how, about, bytes[..keep].to_vec());
    }
    for (how, count) in [("flip1", 1), ("flip30", 30), ("flip1000", 1_000)] {
        add(how, &format!("{count} bits flipped"), flipped(bytes, count, name));
    }
    let hole = |from: usize, to: usize| {
        let mut holed = bytes.to_vec();
        holed[from.min(size)..to.min(size)].fill(0);
        holed
    };
    add("zero-head", "its first 600 bytes are zeros", hole(0, 600));
    add("zero-middle", "4 KiB of zeros in the middle", hole(size / 2, size / 2 + 4_096));
    add("zero-tail", "its last quarter is zeros", hole(size * 3 / 4, size));
    add("lost-middle", "1,000 bytes are missing in the middle", {
        [&bytes[..size / 2], &bytes[(size / 2 + 1_000).min(size)..]].concat()
    });
    add("twice", "twice, one behind the other", bytes.repeat(2));
    add("shifted", "100 bytes of something else before it", [&[b'x'; 100], bytes].concat());
    add("tail", "10 KiB of noise behind it", [bytes, &noise(10_240, name)].concat());
    inputs
}

fn flipped(bytes: &[u8], count: usize, name: &str) -> Vec<u8> {
    let mut dice = Dice::new(count as u64, name);
    let mut flipped = bytes.to_vec();
    for _ in 0..count {
        let at = dice.below(flipped.len() as u64) as usize;
        flipped[at] ^= 1 << dice.below(8);
    }
    flipped
}

/// Bytes that are nothing.
pub fn noise(count: usize, seed: &str) -> Vec<u8> {
    let mut dice = Dice::new(3, seed);
    (0..count).map(|_| dice.below(256) as u8).collect()
}

/// Names say nothing: content does.
fn misnamed(sound: &Sound) -> Vec<Input> {
    let names =
        ["image.jpg", "Security.log", "logs.evtx", "u_ex.zip", "Archive.evtx", "notes.gz", "page.tar"];
    let files = sound.files.iter().zip(names);
    let mut inputs: Vec<Input> = files
        .map(|((true_name, bytes), name)| {
            Input::new(&format!("misnamed-{name}"), &format!("a {true_name} by another name"), bytes.clone())
        })
        .collect();
    inputs.push(Input::new("empty.evtx", "no byte at all", []));
    inputs.push(Input::new("one-byte.evtx", "one byte", *b"E"));
    inputs.push(Input::new("noise.evtx", "noise", noise(200_000, "noise")));
    inputs.push(Input::new("zeros.evtx", "zeros", vec![0; 200_000]));
    for (name, magic) in [
        ("cut.7z", &b"7z\xbc\xaf\x27\x1c"[..]),
        ("closed.rar", b"Rar!\x1a\x07\x01\0"),
        ("cut.xz", b"\xfd7zXZ\0"),
        ("closed.bz2", b"BZh91AY&SY"),
        ("closed.zst", b"\x28\xb5\x2f\xfd"),
    ] {
        inputs.push(Input::new(name, "a container that is cut right after its magic", magic));
    }
    let gzipped = pack::gzip(&pack::gzip(&pack::gzip(&sound.files[0].1)));
    inputs.push(Input::new("packed-thrice.gz", "gzip within gzip within gzip", gzipped));
    inputs
}
