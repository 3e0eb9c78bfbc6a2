//! Packs the built-in table: as text it is for review, in the program it is small.

use flate2::{Compression, write::GzEncoder};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::{env, fs};

fn main() -> io::Result<()> {
    let table = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default())
        .join("../../knowledge/attack.tsv");
    println!("cargo::rerun-if-changed={}", table.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("attack.tsv.gz");
    let mut packed = GzEncoder::new(fs::File::create(out)?, Compression::best());
    packed.write_all(&fs::read(table)?)?;
    packed.finish()?;
    Ok(())
}
