//! Windows artifacts in their binary forms, written from plain text, for tests:
//! registry hives, prefetch files, shell links.
//!
//! All values are inert; names and addresses are those of the text.

mod hive;
mod lnk;
mod prefetch;

pub use hive::{Data, Key, hive, shimcache};
pub use lnk::lnk;
pub use prefetch::prefetch;

use anyhow::{Context as _, Result, bail};
use model::Timestamp;

/// 100 ns ticks since 1601.
fn filetime(time: Timestamp) -> u64 {
    (time.nanos() / 100 + 116_444_736_000_000_000).max(0).unsigned_abs()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Lines `name = value`, in order.
fn fields(text: &str) -> Result<Vec<(&str, &str)>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| line.split_once(" = ").with_context(|| format!("no ` = ` in {line:?}"))).collect()
}

fn time(text: &str) -> Result<Timestamp> {
    Timestamp::parse(text).with_context(|| format!("no time: {text:?}"))
}

/// A hive by its text: a key as `[path] time`, or `[-path] time` for one that
/// was deleted; below it its values as `name = kind:data` with the kinds
/// `text`, `expand`, `dword`, `qword`, `multi` (parted by `|`), `hex`, and
/// `shimcache` (paths parted by `|`); `@` is the default value.
///
/// # Errors
/// When a line is none of these.
pub fn hive_of_text(text: &str) -> Result<Vec<u8>> {
    let mut keys: Vec<Key> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix('[') {
            let (path, written) = rest.split_once(']').with_context(|| format!("no `]` in {line:?}"))?;
            let last_write = Some(written.trim()).filter(|text| !text.is_empty()).map(time).transpose()?;
            let (path, deleted) = path.strip_prefix('-').map_or((path, false), |path| (path, true));
            keys.push(Key { path: path.into(), last_write, deleted, values: Vec::new() });
            continue;
        }
        let (name, value) = line.split_once(" = ").with_context(|| format!("no ` = ` in {line:?}"))?;
        let (kind, value) = value.split_once(':').with_context(|| format!("no kind in {line:?}"))?;
        let data = match kind {
            "text" => Data::Text(value.into()),
            "expand" => Data::Expand(value.into()),
            "dword" => Data::Dword(value.parse()?),
            "qword" => Data::Qword(value.parse()?),
            "multi" => Data::Multi(value.split('|').map(str::to_owned).collect()),
            "hex" => Data::Binary(bytes(value)?),
            "shimcache" => {
                let paths: Vec<&str> = value.split('|').collect();
                Data::Binary(shimcache(&paths))
            }
            _ => bail!("no kind of data: {kind:?}"),
        };
        let key = keys.last_mut().with_context(|| format!("no key before {line:?}"))?;
        key.values.push((if name == "@" { "" } else { name }.to_owned(), data));
    }
    Ok(hive(&keys))
}

fn bytes(hex: &str) -> Result<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}
