//! The leaves of a case's JSON: times, hashes, ids, words.

use model::{
    AnswerWord, FileBasis, FindingId, GapKind, HostBasis, IntrusionId, Level, Problem, Span, Timestamp,
};
use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Counts above this are no counts of anything that a scan can read; sums of them stay sums.
const COUNT_MAX: u64 = 1 << 43;
/// Words of a program that this one does not know (formats, kinds of problem), which live as long as the process.
const FOREIGN_SLUGS_MAX: usize = 256;
const SLUG_BYTES_MAX: usize = 48;

/// Reads a text that `parse` understands.
struct TextVisitor<T> {
    wanted: &'static str,
    parse: fn(&str) -> Option<T>,
}

impl<T> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wanted)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self.wanted))
    }
}

/// A value that is written as text of a form of its own.
pub(super) trait FromText: Sized {
    const WANTED: &'static str;
    fn from_text(text: &str) -> Option<Self>;
}

/// Reads a [`FromText`].
pub(super) struct Text<T>(pub(super) T);

impl<'de, T: FromText> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = TextVisitor { wanted: T::WANTED, parse: T::from_text };
        deserializer.deserialize_str(visitor).map(Text)
    }
}

/// A value that may be null, without its wrapping.
pub(super) fn inner<T>(text: Option<Text<T>>) -> Option<T> {
    text.map(|Text(value)| value)
}

pub(super) fn inner_all<T>(texts: Vec<Text<T>>) -> Vec<T> {
    texts.into_iter().map(|Text(value)| value).collect()
}

pub(super) fn span(first: Option<Text<Timestamp>>, last: Option<Text<Timestamp>>) -> Span {
    Span { first: inner(first), last: inner(last) }
}

impl FromText for Timestamp {
    const WANTED: &'static str = "a time (RFC 3339, UTC, 1678 to 2261)";

    fn from_text(text: &str) -> Option<Self> {
        Timestamp::parse(text)
    }
}

impl<const N: usize> FromText for [u8; N] {
    const WANTED: &'static str = "bytes in lower case hex, as many as such an id or hash has";

    fn from_text(text: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; N];
        if text.len() != 2 * N {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(bytes)
    }
}

impl FromText for FindingId {
    const WANTED: &'static str = "a finding's id (16 hex digits)";

    fn from_text(text: &str) -> Option<Self> {
        FromText::from_text(text).map(FindingId)
    }
}

impl FromText for IntrusionId {
    const WANTED: &'static str = "an intrusion (intrusion-1 …)";

    fn from_text(text: &str) -> Option<Self> {
        let number: u32 = text.strip_prefix("intrusion-")?.parse().ok()?;
        number.checked_sub(1).map(IntrusionId)
    }
}

impl FromText for Level {
    const WANTED: &'static str = "a level (informational, low, medium, high, critical)";

    fn from_text(text: &str) -> Option<Self> {
        Level::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

impl FromText for AnswerWord {
    const WANTED: &'static str = "an answer (yes, likely, no-trace, cannot-tell, not-applicable)";

    fn from_text(text: &str) -> Option<Self> {
        use AnswerWord::{CannotTell, Likely, NoTrace, NotApplicable, Yes};
        [Yes, Likely, NoTrace, CannotTell, NotApplicable].into_iter().find(|word| word.as_str() == text)
    }
}

impl FromText for HostBasis {
    const WANTED: &'static str = "how a host is known (log, collection-root, argument)";

    fn from_text(text: &str) -> Option<Self> {
        [HostBasis::Log, HostBasis::Root, HostBasis::Argument]
            .into_iter()
            .find(|basis| basis.as_str() == text)
    }
}

impl FromText for FileBasis {
    const WANTED: &'static str = "who tells a file's times (mft, listing, archive)";

    fn from_text(text: &str) -> Option<Self> {
        [FileBasis::Mft, FileBasis::Listing, FileBasis::Archive]
            .into_iter()
            .find(|basis| basis.as_str() == text)
    }
}

impl FromText for GapKind {
    const WANTED: &'static str = "a gap (silent-hours, record-jump, cleared, rollover)";

    fn from_text(text: &str) -> Option<Self> {
        let all = [GapKind::SilentHours, GapKind::RecordJump, GapKind::Cleared, GapKind::Rollover];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A word that the program's own code has as a constant: a format, a kind of problem.
pub(super) struct Slug(&'static str);

impl FromText for Slug {
    const WANTED: &'static str =
        "a word of lower case letters, digits and hyphens, 48 at most (and few of them)";

    fn from_text(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_slug = !text.is_empty() && text.len() <= SLUG_BYTES_MAX && text.bytes().all(allowed);
        is_slug.then(|| intern(text)).flatten().map(Slug)
    }
}

/// The same text with the life of the process. There are a few dozen such words; what a hostile case can add is bounded.
fn intern(text: &str) -> Option<&'static str> {
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(own) = known.get(text) {
        return Some(own);
    }
    if known.len() >= FOREIGN_SLUGS_MAX {
        return None;
    }
    let own: &'static str = Box::leak(text.to_owned().into_boxed_str());
    known.insert(own);
    Some(own)
}

pub(super) fn slug(Text(Slug(word)): Text<Slug>) -> &'static str {
    word
}

/// A number of things.
#[derive(Clone, Copy, Default)]
pub(super) struct Count(pub(super) u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        if number > COUNT_MAX {
            let wanted = &"a count (2^43 at most)";
            return Err(de::Error::invalid_value(Unexpected::Unsigned(number), wanted));
        }
        Ok(Self(number))
    }
}

#[derive(Deserialize)]
pub(super) struct ProblemPart {
    kind: Text<Slug>,
    offset: Option<u64>,
    wanted: String,
    found: String,
    records_lost: Option<Count>,
}

impl From<ProblemPart> for Problem {
    fn from(part: ProblemPart) -> Self {
        Self {
            kind: slug(part.kind),
            offset: part.offset,
            wanted: part.wanted,
            found: part.found,
            records_lost: part.records_lost.map(|Count(lost)| lost),
        }
    }
}
