//! Numbers and text of binary artifacts; what lies beyond the end is `None`.

use model::Timestamp;

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Little endian, as all of these formats are.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// A 32-bit number that counts bytes or things.
pub(crate) fn size_at(bytes: &[u8], at: usize) -> Option<usize> {
    u32_at(bytes, at).and_then(|size| usize::try_from(size).ok())
}

/// A FILETIME; zero and what is out of range are no time.
pub(crate) fn filetime_at(bytes: &[u8], at: usize) -> Option<Timestamp> {
    u64_at(bytes, at).and_then(Timestamp::from_filetime)
}

/// `len` bytes at `at`.
pub(crate) fn slice(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

/// UTF-16LE as text; lone surrogates become U+FFFD.
pub(crate) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The bytes of UTF-16LE before its terminator, if it has one.
pub(crate) fn before_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.chunks_exact(2).position(|pair| pair == [0, 0]);
    &bytes[..end.map_or(bytes.len() & !1, |end| 2 * end)]
}

/// One byte a character. Windows says "ANSI" and means the code page of the
/// system, which the artifact does not tell.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Windows text of `len` bytes that begins at `at` and ends at the first NUL.
pub(crate) fn utf16_at(bytes: &[u8], at: usize, len: usize) -> Option<String> {
    slice(bytes, at, len).map(|text| utf16(before_nul(text)))
}
