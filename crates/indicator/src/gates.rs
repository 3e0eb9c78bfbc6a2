//! Gates: what a value of a record must have at least before the set is asked.
//!
//! Most words of a log can be no indicator for simple reasons (no listed domain
//! or path ends in `.dll`). Gates say so without a look into the big table.

use crate::keys::Keys;
use crate::kind::Kind;
use crate::value::{Normal, word_count};
use crate::words::is_word;
use hashbrown::HashSet;

/// What a value needs to be looked up.
#[derive(Default)]
pub(crate) struct Gates {
    /// A bit for each kind that there is.
    kinds: u16,
    /// Widths of the blocks of IPv4 and of IPv6 addresses, ascending.
    pub(crate) widths: [Vec<u8>; 2],
    /// Packed last parts of domains, and endings of paths.
    domain_endings: HashSet<u64>,
    path_endings: HashSet<u64>,
    /// Whether there are paths whose last word has no dot.
    pub(crate) plain_words: bool,
    /// Last words of paths.
    last_words: Keys,
    /// For each of them, a bit for each number of words that such a path has.
    counts: Vec<u64>,
}

impl Gates {
    /// Lets a new value in; `None` when there is no room.
    pub(crate) fn open(&mut self, value: &Normal) -> Option<()> {
        self.kinds |= 1 << value.kind as u8;
        match value.kind {
            Kind::Network => {
                let family = usize::from(value.bytes.len() != 5);
                let widths = &mut self.widths[family];
                if let Err(at) = widths.binary_search(&value.bytes[0]) {
                    widths.insert(at, value.bytes[0]);
                }
            }
            Kind::Domain => drop(self.domain_endings.insert(ending(&value.bytes))),
            Kind::Path | Kind::FileName => self.open_path(&value.bytes)?,
            _ => {}
        }
        Some(())
    }

    fn open_path(&mut self, path: &[u8]) -> Option<()> {
        let before = path.iter().rposition(|byte| !is_word(*byte)).map_or(0, |at| at + 1);
        let last = &path[before..];
        self.path_endings.insert(ending(last));
        self.plain_words |= !last.contains(&b'.');
        let (id, is_new) = self.last_words.insert(0, last)?;
        if is_new {
            self.counts.push(0);
        }
        self.counts[id as usize] |= 1 << (word_count(path) - 1);
        Some(())
    }

    /// Whether there is any indicator of a kind.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.kinds & (1 << kind as u8) != 0
    }

    /// Whether there is any address or block of them.
    pub(crate) fn has_addresses(&self) -> bool {
        self.has(Kind::Address) || self.has(Kind::Network)
    }

    /// Whether a listed domain ends like this word.
    pub(crate) fn may_be_domain(&self, word: &[u8]) -> bool {
        !self.domain_endings.is_empty() && self.domain_endings.contains(&ending(word))
    }

    /// The numbers of words of listed paths whose last word this is, as bits.
    pub(crate) fn path_counts(&self, word: &[u8]) -> u64 {
        if self.path_endings.is_empty() || !self.path_endings.contains(&ending(word)) {
            return 0;
        }
        self.last_words.find(0, word).map_or(0, |id| self.counts[id as usize])
    }
}

/// The last seven bytes behind the last dot (or of a word without one), and
/// how many there are, in one number.
fn ending(word: &[u8]) -> u64 {
    let behind = word.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let last = &behind[behind.len().saturating_sub(7)..];
    last.iter().fold(last.len() as u64, |sum, byte| sum << 8 | u64::from(*byte))
}
