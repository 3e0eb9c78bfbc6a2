//! Logs of any size, for measurements of speed and memory.
use std::io::{self, Seek, Write};

/// Writes.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_evtx<W: Write + Seek>(_out: W, _bytes: u64, _seed: u64) -> io::Result<()> {
    Ok(())
}
/// Writes.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_http_proxy<W: Write>(_out: W, _lines: u64, _seed: u64) -> io::Result<()> {
    Ok(())
}
