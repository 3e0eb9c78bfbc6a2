//! Lists of indicators of any length, for measurements of speed and memory.
//!
//! Values have the shapes, the lengths and the endings of published ones, so
//! that a matcher must look as closely as it would at a real list; names and
//! addresses are reserved or private ones.

use crate::dice::Dice;
use std::io::{self, Write};

/// Of a hundred, up to which each kind comes.
const ADDRESSES: u64 = 30;
const DOMAINS: u64 = 55;
const URLS: u64 = 65;
const SHA256: u64 = 80;
const MD5: u64 = 88;
const SHA1: u64 = 92;
const PATHS: u64 = 98;
const AGENTS: u64 = 99;

const TLDS: [&str; 6] = ["example", "test", "invalid", "example.com", "example.net", "example.org"];
const FOLDERS: [&str; 6] = [
    "C:\\Windows\\Temp",
    "C:\\Windows\\System32",
    "C:\\inetpub\\wwwroot\\aspnet_client",
    "C:\\ProgramData",
    "C:\\Users\\Public",
    "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\FrontEnd\\HttpProxy\\owa\\auth",
];
const ENDINGS: [&str; 8] = ["exe", "dll", "aspx", "ps1", "tmp", "log", "dmp", "js"];

/// Writes a CSV of `count` indicators with date, source, actor and a note. The
/// same number and seed give the same bytes.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_csv<W: Write>(mut out: W, count: u64, seed: u64) -> io::Result<()> {
    let mut dice = Dice::new(seed, "bulk-indicators");
    writeln!(out, "indicator,type,date,source,actor,tlp,description")?;
    for number in 0..count {
        let (value, kind) = value(number, &mut dice);
        let (month, day) = (dice.between(1, 13), dice.between(1, 29));
        let (report, actor) = (dice.below(2_000), dice.below(150));
        writeln!(
            out,
            "\"{value}\",{kind},2021-{month:02}-{day:02},report {report},Actor {actor},green,seen by sensor {number}"
        )?;
    }
    out.flush()
}

fn value(number: u64, dice: &mut Dice) -> (String, &'static str) {
    // Of a million letters some words would come twice; numbers do not.
    let word = format!("{}{number:x}", dice.letters(5).to_lowercase());
    match dice.below(100) {
        below if below < ADDRESSES => match dice.below(6) {
            0 => (
                format!("2001:db8:{:x}:{:x}::{:x}", number >> 16, number & 0xffff, dice.below(0xffff)),
                "ipv6",
            ),
            1 if number.is_multiple_of(50) => {
                (format!("10.{}.{}.0/24", 128 + dice.below(128), dice.below(256)), "cidr")
            }
            _ => (format!("10.{}.{}.{}", 128 + dice.below(128), dice.below(256), dice.below(256)), "ipv4"),
        },
        below if below < DOMAINS => (format!("{word}.{}", dice.pick(&TLDS)), "domain"),
        below if below < URLS => {
            (format!("http://{word}.{}/{}/{}.php", dice.pick(&TLDS), dice.letters(6), dice.letters(4)), "url")
        }
        below if below < SHA256 => (dice.hex(64), "sha256"),
        below if below < MD5 => (dice.hex(32), "md5"),
        below if below < SHA1 => (dice.hex(40), "sha1"),
        below if below < PATHS => {
            (format!("{}\\{word}.{}", dice.pick(&FOLDERS), dice.pick(&ENDINGS)), "filepath")
        }
        below if below < AGENTS => (format!("Mozilla/5.0 ({word}; rv:{}.0)", dice.below(99)), "useragent"),
        _ => (word, "parameter"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_each_time_and_of_every_kind() {
        let make = |seed| {
            let mut out = Vec::new();
            write_csv(&mut out, 2_000, seed).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = make(1);
        assert_eq!(text, make(1));
        assert_ne!(text, make(2));
        assert_eq!(text.lines().count(), 2_001);
        for kind in [
            "ipv4",
            "ipv6",
            "cidr",
            "domain",
            "url",
            "sha256",
            "md5",
            "sha1",
            "filepath",
            "useragent",
            "parameter",
        ] {
            assert!(text.contains(&format!("\",{kind},2021-")), "{kind}");
        }
    }
}
