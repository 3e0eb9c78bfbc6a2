//! What bytes are, by their beginning; names do not count.

use crate::archive::tar;
use crate::{Limits, evtx, exchange, w3c, windows_json};

/// What an item is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    /// A zip archive.
    Zip,
    /// Something packed with gzip.
    Gzip,
    /// A tar archive.
    Tar,
    /// A container that we do not open.
    Closed(&'static str),
    /// A log that we read.
    Log(Format),
    /// Anything else.
    Unknown,
}

impl Content {
    /// Whether it holds members that we open.
    pub(crate) fn is_archive(self) -> bool {
        matches!(self, Content::Zip | Content::Gzip | Content::Tar)
    }
}

/// The formats of logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// Windows event log.
    Evtx,
    /// W3C extended log.
    W3c,
    /// Exchange's CSV logs.
    ExchangeCsv,
    /// Windows events as JSON lines.
    WindowsJsonl,
}

impl Format {
    /// The slug in reports.
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Format::Evtx => "evtx",
            Format::W3c => "w3c",
            Format::ExchangeCsv => "exchange-csv",
            Format::WindowsJsonl => "windows-jsonl",
        }
    }
}

/// Containers that may well hold evidence: saying nothing of them would read
/// as if there were none in them.
const CLOSED: [(&[u8], &str); 5] = [
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xfd7zXZ\0", "an xz stream"),
    (b"BZh", "a bzip2 stream"),
    (b"\x28\xb5\x2f\xfd", "a zstd stream"),
];

/// What begins with `head`.
pub(crate) fn sniff(head: &[u8], limits: &Limits) -> Content {
    if evtx::is(head) {
        return Content::Log(Format::Evtx);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Content::Zip;
    }
    if head.starts_with(b"\x1f\x8b\x08") {
        return Content::Gzip;
    }
    if tar::has_checksum(head) {
        return Content::Tar;
    }
    if let Some((_, name)) = CLOSED.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Content::Closed(name);
    }
    if w3c::is(head) {
        Content::Log(Format::W3c)
    } else if exchange::is(head) {
        Content::Log(Format::ExchangeCsv)
    } else if windows_json::is(head, limits) {
        Content::Log(Format::WindowsJsonl)
    } else {
        Content::Unknown
    }
}
