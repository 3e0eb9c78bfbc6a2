//! The headers of a file and of a chunk. Parsed and checked by the `evtx`
//! library; what they say is only ever a hint for us, as they lag behind in
//! logs that were copied while open.

use evtx::{ChunkFlags, EvtxChunkHeader, EvtxFileHeader, HeaderFlags, checksum_ieee};
use model::Problem;

/// Size of the block at the start of a file, before its first chunk.
pub const FILE_HEADER_BYTES: usize = 4_096;
/// Size of a chunk.
pub const CHUNK_BYTES: usize = 65_536;
/// Size of a chunk's header, before its first record.
pub(crate) const CHUNK_HEADER_BYTES: usize = 512;
/// No more records fit in a chunk: each has 28 bytes around it.
const CHUNK_RECORDS_MAX: u64 = (CHUNK_BYTES / 28) as u64;

/// Whether `bytes` begin as a chunk does.
pub fn is_chunk(bytes: &[u8]) -> bool {
    bytes.starts_with(b"ElfChnk\0")
}

/// What the header of a file says about the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileHeader {
    /// Chunks in the file. Counted in 16 bits: a log of 4 GiB wraps around.
    pub chunks: u16,
    /// The oldest chunk.
    pub first_chunk: u64,
    /// The chunk written last.
    pub last_chunk: u64,
    /// The number that the next record was to get.
    pub next_record: u64,
    /// The log was open when it was copied: the header may lag behind.
    pub is_dirty: bool,
    /// The log was full: a record may have been refused or overwritten.
    pub is_full: bool,
    /// Whether the header's checksum holds.
    pub checksum_ok: bool,
}

impl FileHeader {
    /// Reads the header from the first bytes of a file (128 are enough).
    ///
    /// # Errors
    /// A [`Problem`] when the bytes are too few or begin otherwise. The chunks
    /// may be whole all the same: they are found by [`is_chunk`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let header = EvtxFileHeader::from_bytes(bytes).map_err(|_| {
            let found = match bytes.len() {
                size @ ..128 => format!("{size} bytes"),
                _ => format!("{:02X?}", &bytes[..8]),
            };
            Problem::new("bad-file-header", 0, "an EVTX file header (ElfFile)", found)
        })?;
        Ok(Self {
            chunks: header.chunk_count,
            first_chunk: header.first_chunk_number,
            last_chunk: header.last_chunk_number,
            next_record: header.next_record_id,
            is_dirty: header.flags.contains(HeaderFlags::DIRTY),
            is_full: header.flags.contains(HeaderFlags::FULL),
            checksum_ok: header.validate_checksum(),
        })
    }
}

/// What the header of a chunk says about its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ChunkHeader {
    /// First and last record number; `None` when the chunk holds none, or
    /// more than fit.
    pub records: Option<(u64, u64)>,
    /// Where the records end.
    pub end: usize,
    /// Which of the checksums do not hold; empty when both do. That of the
    /// records cannot be known of a chunk that is cut.
    pub bad_checksums: &'static str,
    /// Whether the header's own checksum holds.
    pub holds: bool,
}

impl ChunkHeader {
    /// What is known of a chunk whose header is destroyed: nothing.
    pub(crate) const LOST: Self = Self { records: None, end: CHUNK_BYTES, bad_checksums: "", holds: false };

    /// Reads the header of `chunk`, which may be cut.
    pub(crate) fn parse(chunk: &[u8]) -> Option<Self> {
        let header = EvtxChunkHeader::from_bytes(chunk).ok()?;
        let (first, last) = (header.first_event_record_id, header.last_event_record_id);
        let is_range = first <= last && last - first < CHUNK_RECORDS_MAX;
        let end = header.free_space_offset as usize;
        let is_end = (CHUNK_HEADER_BYTES..=CHUNK_BYTES).contains(&end);
        let (head_ok, records_ok) = checksums(chunk, &header);
        Some(Self {
            // A header that does not hold may say anything.
            records: (is_range && head_ok).then_some((first, last)),
            end: if is_end { end } else { CHUNK_BYTES },
            holds: head_ok,
            bad_checksums: match (head_ok, records_ok) {
                (true, true) => "",
                (false, true) => "the header's does not hold",
                (true, false) => "the records' does not hold",
                (false, false) => "neither holds",
            },
        })
    }
}

/// Whether the checksums of header and records hold.
fn checksums(chunk: &[u8], header: &EvtxChunkHeader) -> (bool, bool) {
    if header.flags.contains(ChunkFlags::NO_CRC32) {
        return (true, true);
    }
    // The header's own leaves out flags and itself.
    let head = [&chunk[..120], &chunk[128..CHUNK_HEADER_BYTES]].concat();
    let head_ok = checksum_ieee(&head) == header.header_chunk_checksum;
    let end = header.free_space_offset as usize;
    let records_ok = match chunk.get(CHUNK_HEADER_BYTES..end) {
        Some(records) => checksum_ieee(records) == header.events_checksum,
        None => chunk.len() < CHUNK_BYTES && end <= CHUNK_BYTES,
    };
    (head_ok, records_ok)
}
