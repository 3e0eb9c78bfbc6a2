//! Times of members that their archive keeps in UTC.
//!
//! A zip entry's own time is that of DOS, in the local time of whoever packed
//! it, so it is none here; two extra fields have better ones.
//! (Formats: APPNOTE.TXT 4.5.5; Info-ZIP's proginfo/extrafld.txt, 0x5455.)

use super::{number_u16, number_u32, number_u64};
use model::{FileBasis, FileFacts, Timestamp};
use std::collections::HashMap;

const EXTENDED: u16 = 0x5455;
const NTFS: u16 = 0x000a;

/// The times in a zip entry's extra field.
pub(crate) fn of_zip(extra: &[u8]) -> FileFacts {
    let mut facts = FileFacts::default();
    let mut at = 0;
    while let (Some(id), Some(length)) = (number_u16(extra, at), number_u16(extra, at + 2)) {
        let start = at + 4;
        at = start + usize::from(length);
        let Some(field) = extra.get(start..at) else { break };
        match id {
            EXTENDED => extended(field, &mut facts),
            NTFS => ntfs(field, &mut facts),
            _ => {}
        }
    }
    vouched(facts)
}

/// Seconds since 1970, as many as the flags say; the directory has the first only.
fn extended(field: &[u8], facts: &mut FileFacts) {
    let Some((flags, mut rest)) = field.split_first() else { return };
    for (bit, time) in [(1, &mut facts.modified), (2, &mut facts.accessed), (4, &mut facts.created)] {
        if flags & bit == 0 {
            continue;
        }
        let Some(seconds) = number_u32(rest, 0) else { return };
        // Signed: the field is older than 2038 is near.
        let seconds = i64::from(seconds as i32);
        if seconds != 0 && time.is_none() {
            *time = Timestamp::from_seconds(seconds);
        }
        rest = &rest[4..];
    }
}

/// Attribute 1: three times as Windows counts them. They are finer than seconds.
fn ntfs(field: &[u8], facts: &mut FileFacts) {
    let mut at = 4;
    while let (Some(tag), Some(length)) = (number_u16(field, at), number_u16(field, at + 2)) {
        let start = at + 4;
        at = start + usize::from(length);
        if tag != 1 {
            continue;
        }
        for (offset, time) in [(0, &mut facts.modified), (8, &mut facts.accessed), (16, &mut facts.created)] {
            let ticks = number_u64(field, start + offset).filter(|ticks| *ticks != 0);
            if let Some(known) = ticks.and_then(Timestamp::from_filetime) {
                *time = Some(known);
            }
        }
    }
}

/// The times of a tar member: `mtime` of its header, and what pax headers have.
pub(crate) fn of_tar(mtime: Option<u64>, pax: &HashMap<Vec<u8>, Vec<u8>>) -> FileFacts {
    // Zero is what writers put who do not know.
    let mtime = mtime.filter(|seconds| *seconds != 0).and_then(|seconds| i64::try_from(seconds).ok());
    let finer = |name: &str| pax.get(name.as_bytes()).and_then(|text| seconds(text));
    vouched(FileFacts {
        modified: finer("mtime").or_else(|| mtime.and_then(Timestamp::from_seconds)),
        accessed: finer("atime"),
        changed: finer("ctime"),
        created: finer("LIBARCHIVE.creationtime"),
        ..FileFacts::default()
    })
}

/// `1614859265.25`.
fn seconds(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok().filter(|whole| *whole > 0)?;
    let digits: String = part.chars().chain("000000000".chars()).take(9).collect();
    let nanos: i64 = digits.parse().ok()?;
    whole.checked_mul(1_000_000_000)?.checked_add(nanos).map(Timestamp::from_nanos)
}

fn vouched(mut facts: FileFacts) -> FileFacts {
    let times = [facts.created, facts.modified, facts.changed, facts.accessed];
    facts.basis = times.iter().any(Option::is_some).then_some(FileBasis::Archive);
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2021-03-04 12:01:05 UTC.
    const SECONDS: u32 = 1_614_859_265;

    #[test]
    fn extra_fields_of_zip() {
        let mut extra = vec![0x75, 0x70, 2, 0, 9, 9];
        extra.extend([0x55, 0x54, 5, 0, 0b101]);
        extra.extend(SECONDS.to_le_bytes());
        let facts = of_zip(&extra);
        assert_eq!(facts.modified, Timestamp::from_seconds(i64::from(SECONDS)));
        assert_eq!((facts.created, facts.accessed), (None, None), "only the first stands in the directory");
        assert_eq!(facts.basis, Some(FileBasis::Archive));

        let ticks = (u64::from(SECONDS) + 11_644_473_600) * 10_000_000 + 7;
        extra.extend([0x0a, 0, 32, 0, 0, 0, 0, 0, 1, 0, 24, 0]);
        extra.extend([ticks, 0, ticks + 10].into_iter().flat_map(u64::to_le_bytes));
        let facts = of_zip(&extra);
        assert_eq!(facts.modified, Timestamp::from_filetime(ticks));
        assert_eq!((facts.created, facts.accessed), (Timestamp::from_filetime(ticks + 10), None));
    }

    #[test]
    fn nothing_is_invented() {
        assert_eq!(of_zip(&[]), FileFacts::default());
        assert_eq!(of_zip(&[0x55, 0x54, 5, 0, 1, 1]), FileFacts::default());
        assert_eq!(of_zip(&[0x0a, 0, 255, 255, 1]), FileFacts::default());
        assert_eq!(of_tar(Some(0), &HashMap::new()), FileFacts::default());
        assert_eq!(of_tar(None, &HashMap::new()), FileFacts::default());
    }

    #[test]
    fn times_of_tar() {
        let pax = HashMap::from([
            (b"mtime".to_vec(), b"1614859265.25".to_vec()),
            (b"atime".to_vec(), b"x".to_vec()),
        ]);
        let facts = of_tar(Some(5), &pax);
        let expect = i64::from(SECONDS) * 1_000_000_000 + 250_000_000;
        assert_eq!(facts.modified.map(Timestamp::nanos), Some(expect));
        assert_eq!(facts.accessed, None);
        assert_eq!(of_tar(Some(5), &HashMap::new()).modified, Timestamp::from_seconds(5));
    }
}
