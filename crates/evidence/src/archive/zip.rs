//! Zip archives: the directory at the end, or, where that is missing, the
//! headers before each member.
//!
//! Our own reading, because a library keys members by name: of two with one
//! name it shows one, and an archive that was cut it does not show at all.
//! (Format: APPNOTE.TXT 6.3.10, PKWARE.)

use super::times;
use super::{Checked, number_u16, number_u32, number_u64};
use crate::Limits;
use crate::bytes::Bytes;
use model::{FileFacts, Problem};
use std::io::{self, BufReader, Read};

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";
const LOCAL_BYTES: usize = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;
/// The end record and the longest comment after it.
const END_SEARCH_BYTES: usize = END_BYTES + 0xffff;
/// A directory is kept in memory, so it has an end: some 500,000 members.
const DIRECTORY_BYTES_MAX: u64 = 64 << 20;
/// Sizes and offsets of this value stand in the zip64 field instead.
const IN_ZIP64: u32 = u32::MAX;

/// How a member is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    Stored,
    Deflate,
    Deflate64,
    /// A method that we do not unpack, by its number.
    Other(u16),
}

/// A member, as the directory has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Member {
    /// Its name, in the bytes that stand there.
    pub(crate) name: Vec<u8>,
    pub(crate) method: Method,
    pub(crate) is_encrypted: bool,
    pub(crate) is_folder: bool,
    pub(crate) is_link: bool,
    pub(crate) packed_bytes: u64,
    pub(crate) size_bytes: u64,
    /// Its times, where the archive has them in UTC; the ones of DOS are local.
    pub(crate) facts: FileFacts,
    crc: u32,
    /// Where its local header stands.
    offset: u64,
}

/// The members of an archive, in the order of its directory, and what was
/// wrong with it.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) members: Vec<Member>,
    pub(crate) problems: Vec<Problem>,
}

/// Lists the members of the archive. `bytes_max` bounds what is unpacked to
/// find members where the directory is missing.
pub(crate) fn list(bytes: &Bytes<'_>, limits: &Limits, bytes_max: u64) -> Listing {
    let mut listing = Listing::default();
    match find_directory(bytes) {
        Ok(Some(directory)) => read_directory(bytes, &directory, limits, &mut listing),
        Ok(None) => {
            let wanted = "the directory at a zip archive's end";
            let problem = Problem::new("truncated", bytes.len(), wanted, "none; members are looked for");
            listing.problems.push(problem);
            walk(bytes, limits, bytes_max, &mut listing);
        }
        Err(error) => {
            listing.problems.push(Problem::new("unreadable", 0, "a zip archive", error.to_string()))
        }
    }
    listing
}

/// Where the directory stands.
struct Directory {
    start: u64,
    end: u64,
    /// What stands before the archive's first byte, which its offsets do not
    /// count.
    shift: u64,
}

fn find_directory(bytes: &Bytes<'_>) -> io::Result<Option<Directory>> {
    let tail_start = bytes.len().saturating_sub(END_SEARCH_BYTES as u64);
    let tail = bytes.read_at(tail_start, END_SEARCH_BYTES)?;
    for at in memchr::memmem::rfind_iter(&tail, END) {
        let record = &tail[at..];
        let (Some(size), Some(start)) = (number_u32(record, 12), number_u32(record, 16)) else {
            continue;
        };
        let end_at = tail_start + at as u64;
        let (mut size, mut start, mut end) = (u64::from(size), u64::from(start), end_at);
        if let Some(zip64) = find_zip64(bytes, end_at)? {
            (size, start, end) = zip64;
        }
        let Some(real_start) = end.checked_sub(size) else { continue };
        let Some(shift) = real_start.checked_sub(start) else { continue };
        if size == 0 || bytes.read_at(real_start, 4)? == CENTRAL {
            return Ok(Some(Directory { start: real_start, end, shift }));
        }
    }
    Ok(None)
}

/// Size, start and end of the directory by the zip64 records before the end
/// record at `end_at`.
fn find_zip64(bytes: &Bytes<'_>, end_at: u64) -> io::Result<Option<(u64, u64, u64)>> {
    let Some(locator_at) = end_at.checked_sub(20) else { return Ok(None) };
    let locator = bytes.read_at(locator_at, 20)?;
    if !locator.starts_with(LOCATOR_64) {
        return Ok(None);
    }
    // Where the locator says, or just before it when something was prepended.
    let said = number_u64(&locator, 8).unwrap_or(0);
    for at in [said, locator_at.saturating_sub(56)] {
        let record = bytes.read_at(at, 56)?;
        if record.starts_with(END_64) {
            return Ok(number_u64(&record, 40)
                .zip(number_u64(&record, 48))
                .map(|(size, start)| (size, start, at)));
        }
    }
    Ok(None)
}

fn read_directory(bytes: &Bytes<'_>, directory: &Directory, limits: &Limits, listing: &mut Listing) {
    let end = directory.end.min(directory.start.saturating_add(DIRECTORY_BYTES_MAX));
    let mut reader = BufReader::new(bytes.range(directory.start, end));
    let mut at = directory.start;
    while at < end {
        if listing.members.len() >= limits.items_max {
            let wanted = format!("at most {} members", limits.items_max);
            listing.problems.push(Problem::new("limit", at, wanted, "more; they are not read"));
            return;
        }
        match read_central(&mut reader, directory.shift) {
            Ok((member, length)) => {
                listing.members.push(member);
                at += length;
            }
            Err(error) => {
                let wanted = "an entry of the archive's directory";
                listing.problems.push(Problem::new("bad-archive", at, wanted, error.to_string()));
                return;
            }
        }
    }
    if end < directory.end {
        let wanted = format!("a directory of at most {DIRECTORY_BYTES_MAX} bytes");
        listing.problems.push(Problem::new("limit", at, wanted, "a longer one; the rest is not read"));
    }
}

/// One entry of the directory, and its length.
fn read_central(reader: &mut impl Read, shift: u64) -> io::Result<(Member, u64)> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "something else");
    let mut head = [0u8; CENTRAL_BYTES];
    reader.read_exact(&mut head)?;
    if !head.starts_with(CENTRAL) {
        return Err(damaged());
    }
    let length = |at: usize| number_u16(&head, at).map_or(0, usize::from);
    let (name_len, extra_len, comment_len) = (length(28), length(30), length(32));
    let mut name = vec![0u8; name_len];
    reader.read_exact(&mut name)?;
    let mut extra = vec![0u8; extra_len + comment_len];
    reader.read_exact(&mut extra)?;
    extra.truncate(extra_len);
    let mut member = member(&head[6..], name).ok_or_else(damaged)?;
    member.facts = times::of_zip(&extra);
    let offset = number_u32(&head, 42).ok_or_else(damaged)?;
    member.offset = u64::from(offset);
    let rest = widen(&mut member, &extra);
    if offset == IN_ZIP64
        && let Some(wide) = rest.and_then(|rest| number_u64(&rest, 0))
    {
        member.offset = wide;
    }
    member.offset = member.offset.saturating_add(shift);
    let made_by_unix = head[5] == 3;
    let mode = number_u32(&head, 38).unwrap_or(0) >> 16;
    member.is_link = made_by_unix && mode & 0o170_000 == 0o120_000;
    Ok((member, (CENTRAL_BYTES + name_len + extra_len + comment_len) as u64))
}

/// What local and central headers have in common: from "version needed" on.
fn member(fields: &[u8], name: Vec<u8>) -> Option<Member> {
    let flags = number_u16(fields, 2)?;
    let method = match number_u16(fields, 4)? {
        0 => Method::Stored,
        8 => Method::Deflate,
        9 => Method::Deflate64,
        other => Method::Other(other),
    };
    Some(Member {
        is_folder: name.ends_with(b"/") || name.ends_with(b"\\"),
        name,
        method,
        is_encrypted: flags & 1 != 0,
        is_link: false,
        crc: number_u32(fields, 10)?,
        packed_bytes: u64::from(number_u32(fields, 14)?),
        size_bytes: u64::from(number_u32(fields, 18)?),
        facts: FileFacts::default(),
        offset: 0,
    })
}

/// Takes the sizes from the zip64 field where they stand there; gives what
/// follows them in it.
fn widen(member: &mut Member, extra: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    while let (Some(id), Some(length)) = (number_u16(extra, at), number_u16(extra, at + 2)) {
        let start = at + 4;
        at = start + usize::from(length);
        if id != 1 {
            continue;
        }
        let mut field = extra.get(start..at)?;
        for size in [&mut member.size_bytes, &mut member.packed_bytes] {
            if *size == u64::from(IN_ZIP64) {
                *size = number_u64(field, 0)?;
                field = &field[8..];
            }
        }
        return Some(field.to_vec());
    }
    None
}

/// Finds members by the headers before them, from the archive's start on.
fn walk(bytes: &Bytes<'_>, limits: &Limits, bytes_max: u64, listing: &mut Listing) {
    let mut at = 0;
    let mut bytes_left = bytes_max;
    while let Ok(Some((mut member, data, has_descriptor))) = read_local(bytes, at) {
        if listing.members.len() >= limits.items_max {
            return;
        }
        if has_descriptor && member.packed_bytes == 0 && !measure(bytes, data, &mut member, &mut bytes_left) {
            let name = String::from_utf8_lossy(&member.name).into_owned();
            let problem = Problem::new("truncated", data, "the end of a member", name);
            listing.problems.push(problem);
            return;
        }
        let end = data.saturating_add(member.packed_bytes);
        listing.members.push(member);
        at = if has_descriptor { after_descriptor(bytes, end) } else { end };
    }
}

/// The header of a member, where its data begins, and whether its sizes come
/// after it.
fn read_local(bytes: &Bytes<'_>, at: u64) -> io::Result<Option<(Member, u64, bool)>> {
    let head = bytes.read_at(at, LOCAL_BYTES)?;
    if head.len() < LOCAL_BYTES || !head.starts_with(LOCAL) {
        return Ok(None);
    }
    let length = |at: usize| number_u16(&head, at).map_or(0, usize::from);
    let (name_len, extra_len) = (length(26), length(28));
    let name_at = at + LOCAL_BYTES as u64;
    let name = bytes.read_at(name_at, name_len)?;
    let extra = bytes.read_at(name_at + name_len as u64, extra_len)?;
    let Some(mut member) = member(&head[4..], name) else { return Ok(None) };
    member.offset = at;
    member.facts = times::of_zip(&extra);
    widen(&mut member, &extra);
    let has_descriptor = number_u16(&head, 6).unwrap_or(0) & 8 != 0;
    Ok(Some((member, name_at + (name_len + extra_len) as u64, has_descriptor)))
}

/// Unpacks a member whose sizes are not known to learn them. A member that is
/// cut keeps what is there; false when even that cannot be told.
fn measure(bytes: &Bytes<'_>, data: u64, member: &mut Member, bytes_left: &mut u64) -> bool {
    if member.method != Method::Deflate || member.is_encrypted {
        return false;
    }
    let packed = BufReader::new(bytes.range(data, bytes.len()));
    let mut inflate = flate2::bufread::DeflateDecoder::new(packed);
    let mut crc = flate2::Crc::new();
    let mut block = vec![0u8; 64 * 1024];
    let is_damaged = loop {
        match inflate.read(&mut block) {
            Ok(0) => break false,
            Ok(read) => {
                crc.update(&block[..read]);
                *bytes_left = bytes_left.saturating_sub(read as u64);
                if *bytes_left == 0 {
                    return false;
                }
            }
            Err(_) => break true,
        }
    };
    member.packed_bytes = inflate.total_in();
    // Something always follows a whole member. One byte that is never found
    // makes the reader of the member say that it is not whole.
    let is_cut = is_damaged || data.saturating_add(member.packed_bytes) >= bytes.len();
    member.size_bytes = inflate.total_out().saturating_add(u64::from(is_cut));
    member.crc = crc.sum();
    true
}

/// Where the next header stands after a descriptor at `at`: with or without
/// its magic, with sizes of four or eight bytes.
fn after_descriptor(bytes: &Bytes<'_>, at: u64) -> u64 {
    let near = bytes.read_at(at, 32).unwrap_or_default();
    let lengths: &[usize] = if near.starts_with(DESCRIPTOR) { &[16, 24] } else { &[12, 20] };
    let is_header = |length: &&usize| near.get(**length..).is_some_and(|rest| rest.starts_with(b"PK"));
    at + *lengths.iter().find(is_header).unwrap_or(&lengths[0]) as u64
}

/// A reader of the member's unpacked bytes, which gives an error at their end
/// when they are not what the archive says.
///
/// # Errors
/// A [`Problem`] when the member cannot be unpacked at all.
pub(crate) fn open<'a>(bytes: &Bytes<'a>, member: &Member) -> Result<Box<dyn Read + Send + 'a>, Problem> {
    let problem = |kind, wanted: &str, found: String| Err(Problem::new(kind, member.offset, wanted, found));
    if member.is_encrypted {
        return problem("encrypted", "a member without password", "an encrypted one".into());
    }
    let data = match read_local(bytes, member.offset) {
        Ok(Some((_, data, _))) => data,
        Ok(None) => return problem("bad-archive", "a member's header (PK 3 4)", "something else".into()),
        Err(error) => return problem("unreadable", "a member's header", error.to_string()),
    };
    let packed = bytes.range(data, data.saturating_add(member.packed_bytes));
    let checked = |inner: Box<dyn Read + Send + 'a>| Checked {
        inner,
        crc: flate2::Crc::new(),
        size_bytes: 0,
        wanted_bytes: member.size_bytes,
        wanted_crc: member.crc,
    };
    match member.method {
        Method::Stored => Ok(Box::new(checked(Box::new(packed)))),
        Method::Deflate => {
            let inflate = flate2::bufread::DeflateDecoder::new(BufReader::new(packed));
            Ok(Box::new(checked(Box::new(inflate))))
        }
        Method::Deflate64 => {
            let inflate = deflate64::Deflate64Decoder::new(packed);
            Ok(Box::new(checked(Box::new(inflate))))
        }
        Method::Other(method) => {
            problem("unsupported-compression", "stored, deflate or deflate64", format!("method {method}"))
        }
    }
}
