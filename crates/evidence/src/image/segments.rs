//! The files that an image is spread over: `x.E01`, `x.E02` …, and raw disks
//! that were cut: `x.001`, `x.002` … or `x.aa`, `x.ab` ….

use crate::bytes::Bytes;
use crate::input::Head;
use disk::image::{self, Kind};
use model::Problem;
use std::path::{Path, PathBuf};

/// All segments of an image are open at once; systems let a program have some
/// 1,024 files open.
const SEGMENTS_MAX: u16 = 800;
/// So many missing segments are looked over for one that is there.
const MISSING_MAX: u16 = 8;
/// Endings of cut disks are so long.
const ENDING_CHARS: std::ops::RangeInclusive<usize> = 2..=4;

/// An image's file and those that continue it. Beside a later segment of E01 the
/// first one is looked for.
pub(crate) fn segments<'a>(bytes: &Bytes<'a>, kind: Kind, head: &[u8], file: &Path) -> Vec<Bytes<'a>> {
    let mut segments = vec![bytes.clone()];
    if kind == Kind::Raw {
        let first = number_of(file).filter(|number| *number <= 1);
        let numbers = first.into_iter().flat_map(|first| first + 1..=SEGMENTS_MAX);
        let files = numbers.map_while(|number| cut_name(file, number));
        segments.extend(files.map_while(|name| bytes.beside(&name).ok()));
        return segments;
    }
    let numbers = match image::segment_number(head).filter(|_| kind == Kind::Ewf) {
        Some(1) => 2..=SEGMENTS_MAX,
        Some(_) => 1..=1,
        None => return segments,
    };
    let files = numbers.map_while(|number| ewf_name(file, number));
    segments.extend(files.map_while(|name| bytes.beside(&name).ok()));
    segments
}

/// The first segment of the cut disk that `file` continues.
pub(crate) fn first_segment<'a>(bytes: &Bytes<'a>, file: &Path) -> Option<Bytes<'a>> {
    let number = number_of(file).filter(|number| *number > 0)?;
    let first = (0..=1).filter(|first| *first < number).find_map(|first| {
        let first = bytes.beside(&cut_name(file, first)?).ok()?;
        let head = Head::read(&mut first.quiet().range(0, first.len()));
        (image::sniff(&head.bytes) == Some(Kind::Raw)).then_some(first)
    })?;
    // A number that begins anew is another disk's.
    let begins = cut_name(file, number - 1).is_some_and(|before| bytes.beside(&before).is_ok());
    begins.then_some(first)
}

/// What is missing, where segments stand behind it; `count` are there.
pub(crate) fn missing(bytes: &Bytes<'_>, kind: Kind, file: &Path, count: usize) -> Option<Problem> {
    let first = number_of(file).filter(|number| kind == Kind::Raw && *number <= 1)?;
    let next = first.checked_add(u16::try_from(count).ok()?)?;
    let is_there = |number: &u16| cut_name(file, *number).is_some_and(|name| bytes.beside(&name).is_ok());
    let behind = (next + 1..=next.saturating_add(MISSING_MAX)).find(is_there)?;
    let name = |number| {
        cut_name(file, number).and_then(|name| Some(name.file_name()?.to_string_lossy().into_owned()))
    };
    let (wanted, found) = (name(next)?, name(behind)?);
    let found = format!("none, though there is {found}; the disk is read as far as here");
    Some(Problem {
        kind: "truncated",
        offset: None,
        wanted: format!("the segment {wanted}"),
        found,
        records_lost: None,
    })
}

/// The number that a cut disk's ending is: `001` is 1, `aa` is 0.
fn number_of(file: &Path) -> Option<u16> {
    let ending = file.extension()?.to_str().filter(|ending| ENDING_CHARS.contains(&ending.len()))?;
    if ending.bytes().all(|byte| byte.is_ascii_digit()) {
        return ending.parse().ok();
    }
    let letters = ending.bytes().all(|byte| byte.is_ascii_lowercase());
    let add = |sum: u16, byte: u8| sum.checked_mul(26)?.checked_add(u16::from(byte - b'a'));
    // Three letters are a kind of file, unless they are the first ones.
    (letters && (ending.len() == 2 || ending.starts_with('a')))
        .then(|| ending.bytes().try_fold(0, add))
        .flatten()
}

/// The file of segment `number` of the cut disk that `file` is a segment of.
fn cut_name(file: &Path, number: u16) -> Option<PathBuf> {
    let ending = file.extension()?.to_str()?;
    let width = ending.len();
    let ending = if ending.starts_with(|letter: char| letter.is_ascii_digit()) {
        format!("{number:0width$}")
    } else {
        let mut rest = number;
        let mut letters = vec![b'a'; width];
        for letter in letters.iter_mut().rev() {
            *letter = b'a' + u8::try_from(rest % 26).ok()?;
            rest /= 26;
        }
        String::from_utf8(letters).ok().filter(|_| rest == 0)?
    };
    (ending.len() == width).then(|| file.with_extension(ending))
}

/// The file of segment `number` of the E01 image that `file` is a segment of.
fn ewf_name(file: &Path, number: u16) -> Option<PathBuf> {
    let ending = file.extension()?.to_str()?;
    let letter = ending.chars().next().filter(|_| ending.len() == 3)?;
    if number < 100 {
        return Some(file.with_extension(format!("{letter}{number:02}")));
    }
    // After 99 come `EAA` to `EZZ`, then `FAA`.
    let base = if letter.is_ascii_uppercase() { b'A' } else { b'a' };
    let index = u32::from(number - 100);
    let letters = [index / 676, index / 26 % 26, index % 26];
    let first_letter = u32::from(letter).checked_add(letters[0]).and_then(char::from_u32)?;
    let other = |step: u32| char::from(base + u8::try_from(step).unwrap_or(0));
    let ending = [first_letter, other(letters[1]), other(letters[2])];
    first_letter.is_ascii_alphabetic().then(|| file.with_extension(ending.iter().collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_of_cut_disks() {
        let check = |file: &str, number: Option<u16>, next: Option<&str>| {
            let file = Path::new(file);
            assert_eq!(number_of(file), number, "{file:?}");
            let own = number.and_then(|number| cut_name(file, number + 1));
            assert_eq!(own.as_deref(), next.map(Path::new), "{file:?}");
        };
        check("a/x.001", Some(1), Some("a/x.002"));
        check("x.dd.099", Some(99), Some("x.dd.100"));
        check("x.99", Some(99), None);
        check("x.az", Some(25), Some("x.ba"));
        check("x.aaa", Some(0), Some("x.aab"));
        check("x.img", None, None);
        check("x.1", None, None);
        check("x", None, None);
    }
}
