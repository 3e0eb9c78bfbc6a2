//! What bytes are, by their beginning; names do not count.

use crate::archive::tar;
use crate::batch::Batch;
use crate::shapes::Shapes;
use crate::utf16::Encoding;
use crate::{
    Limits, artifacts, auditd, cloud, csv_table, ecs_json, evtx, exchange, journal, mft, ncsa, syslog, usn,
    w3c, windows_json,
};
use disk::image;
use model::RecordSink;
use std::fmt;

/// What an item is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    /// A zip archive.
    Zip,
    /// Something packed with gzip.
    Gzip,
    /// Something packed with xz.
    Xz,
    /// A tar archive.
    Tar,
    /// A 7z archive.
    SevenZip,
    /// A disk image.
    Image(image::Kind),
    /// A container that we do not open.
    Closed(&'static str),
    /// A log that we read.
    Log(&'static Format),
    /// Anything else.
    Unknown,
}

impl Content {
    /// Whether it holds members that we open.
    pub(crate) fn is_archive(self) -> bool {
        matches!(
            self,
            Content::Zip | Content::Gzip | Content::Xz | Content::Tar | Content::SevenZip | Content::Image(_)
        )
    }
}

/// A format that we read, told by its content.
pub(crate) struct Format {
    /// The slug in reports.
    pub(crate) slug: &'static str,
    /// Whether an item that begins so is of this format.
    pub(crate) is: fn(&[u8], &Limits) -> bool,
    /// How its bytes become records.
    pub(crate) reader: Reader,
}

/// How bytes become records.
#[derive(Clone, Copy)]
pub(crate) enum Reader {
    /// Windows event log, by chunks.
    Evtx,
    /// W3C extended log.
    W3c,
    /// Exchange's CSV logs.
    ExchangeCsv,
    /// Windows events as JSON lines.
    WindowsJsonl,
    /// Events in the names of the Elastic Common Schema, as JSON lines.
    EcsJson,
    /// Logs of Microsoft's cloud as JSON.
    CloudJson,
    /// System logs of Linux.
    Syslog,
    /// The log of Linux's audit daemon.
    Auditd,
    /// The journal's export format, by entries.
    JournalExport,
    /// Tables with a header.
    CsvTable,
    /// The `$MFT` of a volume.
    Mft,
    /// The change journal of a volume.
    Usn,
    /// Line by line, none of which needs those before it.
    Lines(fn(&Batch<()>, &Shapes, &Limits, &mut dyn RecordSink)),
    /// All at once, in memory, up to [`Limits::whole_bytes_max`].
    Whole(fn(&[u8], &Shapes, &Limits, &mut dyn RecordSink)),
}

impl Reader {
    /// Whether it reads text, line by line, which may be UTF-16 in the item.
    pub(crate) fn is_of_lines(self) -> bool {
        let own = matches!(self, Reader::Syslog | Reader::Auditd | Reader::CsvTable | Reader::Lines(_));
        own || matches!(
            self,
            Reader::W3c | Reader::ExchangeCsv | Reader::WindowsJsonl | Reader::EcsJson | Reader::CloudJson
        )
    }
}

/// All formats, in the order in which they are tried: those with a magic
/// number first, those that resemble others last.
pub(crate) static FORMATS: &[Format] = &[
    evtx::FORMAT,
    mft::FORMAT,
    usn::FORMAT,
    artifacts::REGISTRY,
    artifacts::PREFETCH,
    artifacts::LNK,
    artifacts::TASK,
    artifacts::IIS_CONFIG,
    w3c::FORMAT,
    exchange::FORMAT,
    ncsa::FORMAT,
    auditd::FORMAT,
    journal::export::FORMAT,
    journal::FORMAT,
    syslog::FORMAT,
    windows_json::FORMAT,
    ecs_json::FORMAT,
    cloud::FORMAT,
    csv_table::FORMAT,
];

/// A format is its slug.
impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.slug == other.slug
    }
}

impl Eq for Format {}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug)
    }
}

/// Containers that may well hold evidence: saying nothing of them would read
/// as if there were none in them.
const CLOSED: [(&[u8], &str); 7] = [
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 stream"),
    (b"\x28\xb5\x2f\xfd", "a zstd stream"),
    (b"EVF2\x0d\x0a\x81\0", "an Ex01 image"),
    (b"LVF\x09\x0d\x0a\xff\0", "an L01 image"),
    (b"KDMV", "a VMDK disk"),
    (b"QFI\xfb", "a QCOW disk"),
];

/// What begins with `head`.
pub(crate) fn sniff(head: &[u8], limits: &Limits) -> Content {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Content::Zip;
    }
    if head.starts_with(b"\x1f\x8b\x08") {
        return Content::Gzip;
    }
    if head.starts_with(b"\xfd7zXZ\0") {
        return Content::Xz;
    }
    if head.starts_with(b"7z\xbc\xaf\x27\x1c") {
        return Content::SevenZip;
    }
    if tar::has_checksum(head) {
        return Content::Tar;
    }
    if let Some(kind) = image::sniff(head) {
        return Content::Image(kind);
    }
    if let Some((_, name)) = CLOSED.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Content::Closed(name);
    }
    let known = FORMATS.iter().find(|format| (format.is)(head, limits));
    let of_decoded = || {
        let head = Encoding::of(head).decode(head)?;
        FORMATS.iter().find(|format| format.reader.is_of_lines() && (format.is)(&head, limits))
    };
    known.or_else(of_decoded).map_or(Content::Unknown, Content::Log)
}
