//! Many literals looked for at once, by a window of each.
//!
//! Of each literal two windows of four bytes are chosen, one that begins at an
//! even and one that begins at an odd place, so that wherever the literal stands
//! in a value, one of them stands at an even place there. A value is then read
//! once, in steps of two bytes: each window asks one bit, which is seldom set;
//! where it is, the window is looked up, and only then is a literal compared.
//! The fewer values hold a window, the less is compared, so those are taken that
//! fewest literals have and that are in no [`COMMON`] text.
//!
//! Literals of less than [`LONG_BYTES`] have no two such windows: they are looked
//! for at every place, by up to three of their bytes.
//!
//! Unlike an automaton over all literals this follows no state from byte to byte.
//! What it costs: `benches/results/sigma.md`.

use std::collections::HashMap;

/// What a great part of all values holds, folded: windows of these say little.
const COMMON: &[&str] = &[
    "c:\\windows\\system32\\",
    "c:\\windows\\syswow64\\",
    "c:\\program files (x86)\\common files\\",
    "c:\\programdata\\microsoft\\windows defender\\",
    "c:\\users\\public\\",
    "\\appdata\\local\\temp\\",
    "\\appdata\\roaming\\microsoft\\windows\\start menu\\programs\\",
    "\\microsoft.net\\framework64\\v4.0.30319\\",
    "hklm\\software\\microsoft\\windows nt\\currentversion\\",
    "hklm\\system\\currentcontrolset\\services\\",
    "nt authority\\system",
    "system.management.automation",
    "microsoft exchange server",
    "http://www.",
    "https://",
    "powershell.exe",
    "svchost.exe -k ",
    ".dll\",",
    "00000000",
];
/// Bytes of a window, but for shorter literals.
const WINDOW_BYTES: usize = 4;
/// The same for literals that are not long, but for the shortest.
const SHORT_BYTES: usize = 3;
/// From so many bytes on a literal has a window at an even place, wherever it stands.
pub(super) const LONG_BYTES: usize = WINDOW_BYTES + 1;
/// At least so many bits are asked for each window that is looked for: one in so many is set.
const BITS_PER_WINDOW: usize = 32;
/// Windows asked before the literals of those whose bit was set are compared.
const BLOCK: usize = 256;

/// Literals, by number in the order of [`Literals::new`].
#[derive(Default)]
pub(super) struct Literals {
    texts: Vec<Box<[u8]>>,
    /// Windows of long literals.
    long: Option<Windows>,
    /// Those of short ones, by width from one to three bytes.
    short: [Option<Windows>; SHORT_BYTES],
}

/// Where in a block windows stand whose bit is set: room that need not be made anew for each value.
pub(super) struct Marked([u16; BLOCK]);

impl Default for Marked {
    fn default() -> Self {
        Self([0; BLOCK])
    }
}

/// Windows of one kind.
struct Windows {
    bits: Bits,
    /// Windows by the upper bits of their hash; the next free place where that is taken.
    table: Vec<Place>,
    entries: Vec<Entry>,
}

/// A bit for each hash of a window, set for those that are looked for; as small as may be, since
/// those of all fields share the cache. Lengths are known to the compiler, so that no access is checked.
enum Bits {
    Small(Box<[u64; 64]>),
    Medium(Box<[u64; 512]>),
    Large(Box<[u64; 4096]>),
}

/// A window, and where its entries stand. No entries: an empty place.
#[derive(Clone, Copy, Default)]
struct Place {
    window: u32,
    first: u32,
    count: u32,
}

/// A literal whose window, `before` bytes behind its beginning, this is.
#[derive(Clone, Copy)]
struct Entry {
    literal: u32,
    before: u32,
}

impl Literals {
    /// `texts` are folded, none is empty, none is there twice.
    pub(super) fn new(texts: Vec<Vec<u8>>) -> Self {
        let common = Common::new(&texts);
        let mut long = Vec::new();
        let mut short: [Vec<(u32, Entry)>; SHORT_BYTES] = Default::default();
        for (literal, text) in (0..).zip(&texts) {
            let add = |windows: &mut Vec<(u32, Entry)>, width: usize, from: usize, step: usize| {
                let all = text.windows(width).enumerate().skip(from).step_by(step);
                let best = all.min_by_key(|(_, window)| common.count(window));
                windows.extend(
                    best.map(|(before, window)| (number(window), Entry { literal, before: before as u32 })),
                );
            };
            if text.len() < LONG_BYTES {
                let width = text.len().min(SHORT_BYTES);
                add(&mut short[width - 1], width, 0, 1);
            } else {
                add(&mut long, WINDOW_BYTES, 0, 2);
                add(&mut long, WINDOW_BYTES, 1, 2);
            }
        }
        let texts = texts.into_iter().map(Vec::into_boxed_slice).collect();
        Self { texts, long: Windows::new(long), short: short.map(Windows::new) }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Shows each literal in `text`, which is folded, with where it begins and ends.
    pub(super) fn find(&self, text: &[u8], marked: &mut Marked, seen: &mut impl FnMut(u32, usize, usize)) {
        let [one, two, three] = &self.short;
        self.find_windows::<2, WINDOW_BYTES>(&self.long, text, marked, seen);
        self.find_windows::<1, 1>(one, text, marked, seen);
        self.find_windows::<1, 2>(two, text, marked, seen);
        self.find_windows::<1, 3>(three, text, marked, seen);
    }

    fn find_windows<const STEP: usize, const WIDTH: usize>(
        &self,
        windows: &Option<Windows>,
        text: &[u8],
        Marked(marked): &mut Marked,
        seen: &mut impl FnMut(u32, usize, usize),
    ) {
        let Some(windows) = windows.as_ref().filter(|_| text.len() >= WIDTH) else { return };
        for begin in (0..=text.len() - WIDTH).step_by(BLOCK) {
            let block = &text[begin..text.len().min(begin + BLOCK + WIDTH - 1)];
            let count = windows.bits.mark::<STEP, WIDTH>(block, marked);
            for at in &marked[..count] {
                self.compare::<WIDTH>(windows, text, begin + usize::from(*at), seen);
            }
        }
    }

    /// Compares the literals of the window at `at`.
    fn compare<const WIDTH: usize>(
        &self,
        windows: &Windows,
        text: &[u8],
        at: usize,
        seen: &mut impl FnMut(u32, usize, usize),
    ) {
        let window = number(&text[at..at + WIDTH]);
        for entry in windows.entries_of(window, hash(window)) {
            let literal = &self.texts[entry.literal as usize];
            let Some(from) = at.checked_sub(entry.before as usize) else { continue };
            if text[from..].starts_with(literal) {
                seen(entry.literal, from, from + literal.len());
            }
        }
    }
}

impl Bits {
    fn new(windows: usize) -> Self {
        match windows * BITS_PER_WINDOW {
            0..=4_096 => Bits::Small(Box::new([0; 64])),
            4_097..=32_768 => Bits::Medium(Box::new([0; 512])),
            _ => Bits::Large(Box::new([0; 4096])),
        }
    }

    fn set(&mut self, window: u32) {
        fn set<const WORDS: usize>(bits: &mut [u64; WORDS], window: u32) {
            let bit = bit_of::<WORDS>(window);
            bits[bit / 64] |= 1 << (bit % 64);
        }
        match self {
            Bits::Small(bits) => set(bits, window),
            Bits::Medium(bits) => set(bits, window),
            Bits::Large(bits) => set(bits, window),
        }
    }

    /// Writes where in `block` (of at most [`BLOCK`] windows) each window stands whose bit is set;
    /// returns how many. In steps of one byte, or of two with windows of four.
    fn mark<const STEP: usize, const WIDTH: usize>(&self, block: &[u8], marked: &mut [u16; BLOCK]) -> usize {
        // No branch on what is seen: a bit that is not set is written over by the next.
        fn mark<const WORDS: usize, const STEP: usize, const WIDTH: usize>(
            bits: &[u64; WORDS],
            block: &[u8],
            marked: &mut [u16; BLOCK],
        ) -> usize {
            let mut count = 0;
            let mut put = |at: usize, window: u32| {
                let bit = bit_of::<WORDS>(window);
                marked[count % BLOCK] = at as u16;
                count += (bits[bit / 64] >> (bit % 64) & 1) as usize;
            };
            if STEP == 2 {
                let (pairs, _) = block.as_chunks::<2>();
                for (step, [one, two]) in pairs.array_windows().enumerate() {
                    put(2 * step, u32::from_le_bytes([one[0], one[1], two[0], two[1]]));
                }
            } else {
                for (at, window) in block.array_windows::<WIDTH>().enumerate() {
                    put(at, number(window));
                }
            }
            count
        }
        match self {
            Bits::Small(bits) => mark::<64, STEP, WIDTH>(bits, block, marked),
            Bits::Medium(bits) => mark::<512, STEP, WIDTH>(bits, block, marked),
            Bits::Large(bits) => mark::<4096, STEP, WIDTH>(bits, block, marked),
        }
    }
}

fn bit_of<const WORDS: usize>(window: u32) -> usize {
    (hash(window) >> (32 - (WORDS * 64).ilog2())) as usize
}

impl Windows {
    fn new(mut all: Vec<(u32, Entry)>) -> Option<Self> {
        if all.is_empty() {
            return None;
        }
        all.sort_unstable_by_key(|(window, entry)| (*window, entry.literal));
        let mut own = Self {
            bits: Bits::new(all.len()),
            table: vec![Place::default(); (all.len() * 2).next_power_of_two()],
            entries: Vec::with_capacity(all.len()),
        };
        for same in all.chunk_by(|left, right| left.0 == right.0) {
            let (window, first) = (same[0].0, own.entries.len() as u32);
            own.bits.set(window);
            own.entries.extend(same.iter().map(|(_, entry)| *entry));
            let mut at = own.place_of(hash(window));
            while own.table[at].count > 0 {
                at = (at + 1) & (own.table.len() - 1);
            }
            own.table[at] = Place { window, first, count: same.len() as u32 };
        }
        Some(own)
    }

    fn entries_of(&self, window: u32, hash: u32) -> &[Entry] {
        let mut at = self.place_of(hash);
        loop {
            let Place { window: own, first, count } = self.table[at];
            // There are twice as many places as windows, so an empty one comes.
            if count == 0 {
                return &[];
            }
            if own == window {
                return &self.entries[first as usize..(first + count) as usize];
            }
            at = (at + 1) & (self.table.len() - 1);
        }
    }

    fn place_of(&self, hash: u32) -> usize {
        (hash ^ hash >> 15) as usize & (self.table.len() - 1)
    }
}

/// A window of at most four bytes as a number.
fn number(window: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    bytes[..window.len()].copy_from_slice(window);
    u32::from_le_bytes(bytes)
}

/// Its upper bits are spread well.
fn hash(window: u32) -> u32 {
    window.wrapping_mul(0x9e37_79b1)
}

/// How many literals have a window.
struct Common(HashMap<u32, u32>);

impl Common {
    fn new(texts: &[Vec<u8>]) -> Self {
        let mut counts: HashMap<u32, u32> = HashMap::new();
        for text in texts {
            text.windows(WINDOW_BYTES).for_each(|window| *counts.entry(number(window)).or_default() += 1);
        }
        for text in COMMON {
            let windows = text.as_bytes().windows(WINDOW_BYTES);
            windows.for_each(|window| *counts.entry(number(window)).or_default() += 1_000);
        }
        Self(counts)
    }

    fn count(&self, window: &[u8]) -> u32 {
        self.0.get(&number(window)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_any_length_are_seen_wherever_they_stand() {
        let texts = ["a", "ab", "bca", "cabc", "abcab", "c:\\windows\\system32\\cmd.exe"];
        let literals = Literals::new(texts.iter().map(|text| text.as_bytes().to_vec()).collect());
        for value in
            ["", "a", "ab", "abcabcab", "xc:\\windows\\system32\\cmd.exe", "c:\\windows\\system32\\cmd.ex"]
        {
            let mut found = Vec::new();
            literals.find(value.as_bytes(), &mut Marked::default(), &mut |literal, from, to| {
                found.push((literal, from, to))
            });
            found.sort_unstable();
            let places = texts.iter().zip(0..).flat_map(|(text, literal)| {
                let starts = (0..value.len()).filter(move |from| value[*from..].starts_with(text));
                starts.map(move |from| (literal, from, from + text.len()))
            });
            assert_eq!(found, places.collect::<Vec<_>>(), "{value}");
        }
        assert!(Literals::new(Vec::new()).is_empty());
    }

    /// Values are read in blocks; a literal may stand across their edges.
    #[test]
    fn literals_are_seen_across_blocks() {
        let texts = ["ab", "abcd", "abcde", "\\system32\\cmd.exe"];
        let literals = Literals::new(texts.iter().map(|text| text.as_bytes().to_vec()).collect());
        for before in 0..2 * BLOCK + 8 {
            for (literal, text) in (0..).zip(texts) {
                let value = format!("{}{text}", "x".repeat(before));
                let mut seen = Vec::new();
                literals.find(value.as_bytes(), &mut Marked::default(), &mut |literal, from, to| {
                    seen.push((literal, from, to))
                });
                assert!(seen.contains(&(literal, before, value.len())), "{before} {text}: {seen:?}");
            }
        }
    }

    #[test]
    fn a_window_that_few_have_is_chosen() {
        let texts = ["\\cmd.exe", "\\net.exe", "\\pwsh.exe"].map(|text| text.as_bytes().to_vec());
        let literals = Literals::new(texts.to_vec());
        let long = literals.long.as_ref().unwrap();
        assert!(long.entries_of(number(b".exe"), hash(number(b".exe"))).is_empty());
    }
}
