//! A glance at a text: whether it is worth cutting into words.
//!
//! Nearly all texts show nothing. A glance looks only around dots and colons
//! and for long runs of hex digits, and asks the set for what stands there; it
//! may say yes in vain, never no.

use crate::gates::Gates;
use crate::kind::Kind;
use crate::slots::Use;
use crate::text::Search;
use crate::words::{CLASS, COLON, DOT, HEX, PERCENT, is_word};
use memchr::{memchr3, memchr3_iter};

/// Digits of the shortest hash.
const HASH_DIGITS_MIN: usize = 32;
/// Colons of an IPv6 address that is written out.
const IPV6_COLONS: usize = 7;
const SHORT_BYTES: usize = 32;
/// Longer words are cut in full.
const WORD_BYTES_MAX: usize = 80;

/// Whether a raw value, in UTF-8 or UTF-16, has any sign that an indicator has.
pub(crate) fn has_signs(gates: &Gates, bytes: &[u8], is_utf16: bool, slot: Use) -> bool {
    is_asked(gates, slot)
        || gates.plain_words
        || has_mark(bytes)
        || has_hash(bytes, 1 + usize::from(is_utf16))
}

fn has_mark(bytes: &[u8]) -> bool {
    // Most values are a few digits; for them a search by vectors only costs.
    if bytes.len() < SHORT_BYTES {
        return bytes.iter().any(|byte| CLASS[usize::from(*byte)] & (DOT | COLON | PERCENT) != 0);
    }
    memchr3(b'.', b':', b'%', bytes).is_some()
}

/// Whether the slot itself is one that is looked at whole.
fn is_asked(gates: &Gates, slot: Use) -> bool {
    match slot {
        Use::Agent => gates.has(Kind::UserAgent),
        Use::Query => gates.has(Kind::Parameter),
        Use::Plain | Use::Imphash | Use::Time => false,
    }
}

/// Whether there is a run of hex digits as long as a hash. Each such run
/// covers one of every 32 places.
fn has_hash(bytes: &[u8], width: usize) -> bool {
    let is_hex = |at: &usize| CLASS[usize::from(bytes[*at * width])] & HEX != 0;
    let count = bytes.len() / width;
    (HASH_DIGITS_MIN - 1..count).step_by(HASH_DIGITS_MIN).filter(is_hex).any(|at| {
        let before = (0..at).rev().take_while(is_hex).count();
        let behind = (at..count).take_while(is_hex).count();
        before + behind >= HASH_DIGITS_MIN
    })
}

/// Whether a text may show an indicator; `hits` is room for what is looked up.
/// What only its slot makes an indicator does not count.
pub(crate) fn may_show(search: &mut Search<'_>, text: &str) -> bool {
    search.gates.plain_words
        || !text.is_ascii()
        || has_hash(text.as_bytes(), 1)
        || marks_may_show(search, text.as_bytes())
}

/// Looks at a dot's word, at `::`, at many colons, at `://`; an escape may hide
/// anything.
fn marks_may_show(search: &mut Search<'_>, bytes: &[u8]) -> bool {
    let (urls, addresses) = (search.gates.has(Kind::Url), search.gates.has_addresses());
    let (mut colons, mut word_end) = (0, 0);
    memchr3_iter(b'.', b':', b'%', bytes).any(|at| match bytes[at] {
        b'.' if at < word_end => false,
        b'.' => {
            let before = bytes[..at].iter().rev().take_while(|byte| is_word(**byte)).count();
            word_end = at + bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
            word_may_show(search, &bytes[at - before..word_end])
        }
        b':' => {
            colons += 1;
            match bytes[at + 1..] {
                [b':', ..] => addresses,
                [b'/', b'/', ..] => urls,
                _ => addresses && colons >= IPV6_COLONS,
            }
        }
        _ => true,
    })
}

/// Whether a word with a dot is anything listed, or the last of a path.
fn word_may_show(search: &mut Search<'_>, word: &[u8]) -> bool {
    let mut room = [0; WORD_BYTES_MAX];
    let Some(lower) = room.get_mut(..word.len()) else { return true };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    search.dotted(lower, 0, word.len(), Use::Plain);
    let dots = lower.iter().rev().take_while(|byte| **byte == b'.').count();
    !search.hits.is_empty() || search.gates.path_counts(&lower[..word.len() - dots]) != 0
}
