//! Many literals looked for in long texts.
//!
//! As [`Literals`](super::super::literals::Literals) does it for values: windows of each literal are
//! chosen, a text is read once, and where the bit of a window is set that literal is compared. Here a
//! window has three bytes and the text is read in steps of four, so a literal has four windows, one for
//! each place modulo four, and [`BYTES_MIN`] bytes at least. Windows are chosen that few literals have
//! and that are in no [`ORDINARY`] line.

use hashbrown::HashMap;

/// So many bytes a literal has at least: then a window stands at each place modulo [`STEP`].
pub(super) const BYTES_MIN: usize = WINDOW_BYTES + STEP - 1;
const WINDOW_BYTES: usize = 3;
const STEP: usize = 4;
/// Bits are asked by so many bits of a window's hash: some hundred bits for each window.
const HASH_BITS: usize = 16;
/// Windows asked before the literals of those whose bit was set are compared.
const BLOCK: usize = 64;

/// What lines of web servers and Exchange hold every day, folded: windows of these say little.
const ORDINARY: &[&str] = &[
    " get / 443 - 127.0.0.1 200 0 0 ",
    " post /mapi/emsmdb/ mailboxid=&correlationid=",
    "/microsoft-server-activesync/default.eas cmd=ping&user=&deviceid=&devicetype=iphone",
    "/owa/service.svc action=getitem&ep=1&id=-&ac=1",
    "/owa/auth/logon.aspx url=https%3a%2f%2fmail.example.com%2fowa%2f&reason=0",
    "/owa/healthcheck.htm",
    "/ews/exchange.asmx",
    "/oab/",
    "/rpc/rpcproxy.dll",
    "/autodiscover/autodiscover.xml",
    "/powershell serializationlevel=full;exchclientver=15.1.",
    "/ecp/default.aspx",
    "amprobe/local/clientaccess",
    "mozilla/5.0+(windows+nt+10.0;+win64;+x64)+applewebkit/537.36+(khtml,+like+gecko)+chrome/+safari/537.36",
    "mozilla/4.0+(compatible;+msie+9.0;+windows+nt+6.1;+trident/5.0)",
    "microsoft+office/16.0+(windows+nt+10.0;+microsoft+outlook+16.0;+pro)",
    "apple-iphone12c1/1804.17",
    "healthmailbox",
    "http://www.example.com/ https://",
    ",negotiate,true,,,sid~s-1-5-21-,smtp~@example.com,",
    ",get,proxy,intraforest,windowsidentity,database~",
    "beginrequest=t:.z;correlationid=<empty>;proxystate-run=none;proxystate-complete=proxyresponsedata;",
    "sharedcacheguard=0;endrequest=",
    "activityid=;s:serviceinfo=;s:bld=15.1.;s:ts=;dt:",
];
/// What an ordinary line's window weighs against those of literals.
const ORDINARY_WEIGHT: u32 = 1_000;

/// Literals, by number in the order of [`Sieve::new`].
pub(super) struct Sieve {
    texts: Vec<Box<[u8]>>,
    bits: Box<[u64; (1 << HASH_BITS) / 64]>,
    /// For each window that is looked for the literals, and how far behind their beginning it stands.
    windows: HashMap<u32, Vec<(u32, u32)>>,
}

impl Sieve {
    /// `texts` are folded, none is shorter than [`BYTES_MIN`].
    pub(super) fn new(texts: Vec<Vec<u8>>) -> Self {
        let mut counts: HashMap<u32, u32> = HashMap::new();
        let ordinary = ORDINARY.iter().map(|text| (text.as_bytes(), ORDINARY_WEIGHT));
        for (text, weight) in texts.iter().map(|text| (text.as_slice(), 1)).chain(ordinary) {
            text.windows(WINDOW_BYTES)
                .for_each(|window| *counts.entry(number(window)).or_default() += weight);
        }
        let mut own =
            Self { texts: Vec::new(), bits: Box::new([0; (1 << HASH_BITS) / 64]), windows: HashMap::new() };
        for (literal, text) in (0..).zip(&texts) {
            for from in 0..STEP {
                let places = text.windows(WINDOW_BYTES).enumerate().skip(from).step_by(STEP);
                let best = places.min_by_key(|(_, window)| counts.get(&number(window)));
                let Some((before, window)) = best else { continue };
                let (window, bit) = (number(window), bit_of(number(window)));
                own.bits[bit / 64] |= 1 << (bit % 64);
                own.windows.entry(window).or_default().push((literal, before as u32));
            }
        }
        own.texts = texts.into_iter().map(Vec::into_boxed_slice).collect();
        own
    }

    /// Shows each literal in `text`, which is folded, with where it begins and ends.
    pub(super) fn find(&self, text: &[u8], seen: &mut impl FnMut(u32, usize, usize)) {
        if self.texts.is_empty() {
            return;
        }
        let (steps, rest) = text.as_chunks::<STEP>();
        let mut marked = [0u8; BLOCK];
        for (block, begin) in steps.chunks(BLOCK).zip((0..).step_by(BLOCK * STEP)) {
            // No branch on what is seen: a bit that is not set is written over by the next.
            let mut count = 0;
            for (at, step) in (0..).zip(block) {
                let bit = bit_of(number(&step[..WINDOW_BYTES]));
                marked[count % BLOCK] = at;
                count += (self.bits[bit / 64] >> (bit % 64) & 1) as usize;
            }
            for at in &marked[..count] {
                self.compare(text, begin + STEP * usize::from(*at), seen);
            }
        }
        if rest.len() >= WINDOW_BYTES {
            self.compare(text, text.len() - rest.len(), seen);
        }
    }

    /// Compares the literals of the window at `at`.
    fn compare(&self, text: &[u8], at: usize, seen: &mut impl FnMut(u32, usize, usize)) {
        let Some(entries) = self.windows.get(&number(&text[at..at + WINDOW_BYTES])) else { return };
        for (literal, before) in entries {
            let own = &self.texts[*literal as usize];
            let Some(from) = at.checked_sub(*before as usize) else { continue };
            if text[from..].starts_with(own) {
                seen(*literal, from, from + own.len());
            }
        }
    }
}

/// A window as a number.
fn number(window: &[u8]) -> u32 {
    window.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn bit_of(window: u32) -> usize {
    (window.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_seen_wherever_they_stand() {
        let texts = ["abcabc", "abcabd", "bcabcab", "/owa/auth/logon.aspx", "      ", "cabcabcabcabc"];
        let sieve = Sieve::new(texts.iter().map(|text| text.as_bytes().to_vec()).collect());
        for before in 0..2 * BLOCK * STEP + 8 {
            for text in texts {
                for after in 0..4 {
                    let value = format!("{}{text}{}", "x".repeat(before), "y".repeat(after));
                    let mut found = Vec::new();
                    sieve.find(value.as_bytes(), &mut |literal, from, to| found.push((literal, from, to)));
                    found.sort_unstable();
                    let places = texts.iter().zip(0..).flat_map(|(text, literal)| {
                        let starts = value.match_indices(text).map(|(from, _)| from);
                        // Those that overlap, too.
                        let all: Vec<usize> = starts.flat_map(|from| from..from + text.len()).collect();
                        let all = all.into_iter().filter(|from| value[*from..].starts_with(text));
                        all.map(move |from| (literal, from, from + text.len())).collect::<Vec<_>>()
                    });
                    let mut expect: Vec<_> = places.collect();
                    expect.sort_unstable();
                    expect.dedup();
                    assert_eq!(found, expect, "{value}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_seen_without_literals() {
        Sieve::new(Vec::new()).find(b"abcdefgh", &mut |_, _, _| panic!("a literal"));
    }
}
