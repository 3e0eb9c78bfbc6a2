//! Raw text looked through before it is split: a line in which nothing stands
//! without which no rule can match is never made a record of.
//!
//! For each rule of a shape's group a set of literals is chosen of which one must
//! stand in each record that it matches, as the conditions of the group ask for
//! it, `not` left aside. Where values stand in a line as they are, so does the
//! literal; one that begins or ends its value stands beside what parts values
//! there. All sets are looked for at once in many lines.
//!
//! A gate may open for a line that no rule matches, never the other way round.
//! Where one rule has no such set, a shape has no gate.
//!
//! # Not here
//! Lines beyond ASCII (their folding is not that of bytes), values that are
//! not written as they are: whoever reads lines shows those to the rules.

mod sieve;

use super::field::{FieldKey, Scan, scan_of};
use super::group::Group;
use super::slots::Slots;
use crate::detection::{Node, Test};
use aho_corasick::packed::{self, Searcher};
use model::Shape;
use sieve::Sieve;
use std::collections::BTreeMap;

/// What stands in a great part of all lines that web servers and Exchange write, folded.
const COMMON: &[&str] = &[
    "get",
    "post",
    "head",
    "options",
    "true",
    "false",
    "200",
    "/owa/",
    "/ews/",
    "/rpc/",
    "/mapi/",
    "/autodiscover/",
    "/microsoft-server-activesync/",
    "mozilla/5.0",
    "http://",
    "https://",
];
/// Shorter literals stand everywhere.
const BYTES_MIN: usize = 2;
/// Literals too short for a [`Sieve`] that vectors look for at once.
const SHORT_MAX: usize = 64;

/// What must stand in a line of one shape.
pub(super) struct Gate {
    long: Sieve,
    /// Where the long ones stand, in their order.
    places: Vec<Beside>,
    short: Option<Searcher>,
    short_texts: Vec<(Vec<u8>, Beside)>,
}

/// On which sides a literal is the edge of its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Beside {
    before: bool,
    after: bool,
}

/// Literals of which one must stand in a line, and how seldom that may be.
struct Sought {
    literals: Vec<(Vec<u8>, Beside)>,
    score: usize,
}

impl Gate {
    /// The gate of a group's rules in `shape`, whose slots are `slots`; `None` when there is none.
    pub(super) fn new(group: &Group, slots: &Slots, shape: &Shape) -> Option<Self> {
        let mut all: BTreeMap<Vec<u8>, Beside> = BTreeMap::new();
        let choice = Choice { group, slots, shape };
        for plan in &group.plans {
            let asked = plan.only.map(Node::Leaf);
            let nodes = [Some(&plan.condition), asked.as_ref()];
            let sets = nodes.into_iter().flatten().filter_map(|node| choice.sought(node));
            for (text, beside) in sets.max_by_key(|sought| sought.score)?.literals {
                let known = all.entry(text).or_insert(beside);
                known.before &= beside.before;
                known.after &= beside.after;
            }
        }
        let (long, short): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(text, _)| text.len() >= sieve::BYTES_MIN);
        if short.len() > SHORT_MAX || short.iter().any(|(text, _)| text.len() < BYTES_MIN) {
            return None;
        }
        let places = long.iter().map(|(_, beside)| *beside).collect();
        let long = Sieve::new(long.into_iter().map(|(text, _)| text).collect());
        let searcher = || packed::Config::new().builder().extend(short.iter().map(|(text, _)| text)).build();
        let vectors = if short.is_empty() { None } else { Some(searcher()?) };
        Some(Self { long, places, short: vectors, short_texts: short })
    }

    /// Adds to `marks` a place in each line of `text` in which something stands that was sought;
    /// `folded` is room.
    pub(super) fn mark(&self, text: &[u8], folded: &mut Vec<u8>, marks: &mut Vec<u32>) {
        folded.clear();
        folded.extend(text.iter().map(u8::to_ascii_lowercase));
        let is_edge = |byte: Option<&u8>| byte.is_none_or(|byte| matches!(byte, b'"' | b',' | ..=b' '));
        let stands = |beside: Beside, from: usize, to: usize| {
            let before = from.checked_sub(1).and_then(|before| folded.get(before));
            (!beside.before || is_edge(before)) && (!beside.after || is_edge(folded.get(to)))
        };
        self.long.find(folded, &mut |literal, from, to| {
            if stands(self.places[literal as usize], from, to) {
                marks.push(from as u32);
            }
        });
        let Some(short) = &self.short else { return };
        // Of those that overlap the vectors tell one.
        for seen in short.find_iter(folded.as_slice()) {
            let stands_at = |from: usize| {
                let mut here = self.short_texts.iter().filter(|(text, _)| folded[from..].starts_with(text));
                here.any(|(text, beside)| stands(*beside, from, from + text.len()))
            };
            if (seen.start()..seen.end()).any(stands_at) {
                marks.push(seen.start() as u32);
            }
        }
    }
}

/// Choosing what to look for.
struct Choice<'a> {
    group: &'a Group,
    slots: &'a Slots,
    shape: &'a Shape,
}

impl Choice<'_> {
    /// What must stand in a line where `node` holds; `None` when nothing need, or it is not known.
    fn sought(&self, node: &Node) -> Option<Sought> {
        match node {
            Node::Not(_) => None,
            Node::And(parts) => {
                parts.iter().filter_map(|part| self.sought(part)).max_by_key(|sought| sought.score)
            }
            Node::Or(parts) => {
                let mut all = Sought { literals: Vec::new(), score: usize::MAX };
                for part in parts {
                    all.add(self.sought(part)?);
                }
                Some(all)
            }
            Node::Leaf(leaf) => self.leaf(*leaf),
        }
    }

    fn leaf(&self, leaf: usize) -> Option<Sought> {
        let leaf = &self.group.leaves[leaf];
        let key = &self.group.fields[leaf.field as usize].key;
        let mut all = Sought { literals: Vec::new(), score: usize::MAX };
        for test in leaf.tests() {
            all.add(self.test(test, key, self.slots.of(leaf.field))?);
        }
        Some(all)
    }

    fn test(&self, test: &Test, key: &FieldKey, slots: &[u32]) -> Option<Sought> {
        // What the shape itself says stands in no line.
        let is_written = |slot: &u32| self.shape.slots[*slot as usize].literal.is_none();
        if !slots.iter().all(is_written) {
            return None;
        }
        let is_apart = *key == FieldKey::StemAndQuery;
        let mut all = Sought { literals: Vec::new(), score: usize::MAX };
        match scan_of(test)? {
            Scan::Blank | Scan::Any | Scan::Number(_) => return None,
            // A field that no line has is in no line what it should be.
            _ if slots.is_empty() => {}
            Scan::Literal(literal) if !is_apart => {
                let (text, before, after) = literal.edges();
                all.add_text(text.to_vec(), Beside { before, after });
            }
            Scan::Literal(literal) => all.add_text(apart(literal.edges().0).to_vec(), Beside::NOTHING),
            Scan::Verify { literals, .. } => {
                for text in literals {
                    let text = if is_apart { apart(&text).to_vec() } else { text };
                    all.add_text(text, Beside::NOTHING);
                }
            }
        }
        Some(all)
    }
}

impl Beside {
    const NOTHING: Self = Self { before: false, after: false };
}

impl Sought {
    fn add(&mut self, other: Sought) {
        self.literals.extend(other.literals);
        self.score = self.score.min(other.score);
    }

    fn add_text(&mut self, text: Vec<u8>, beside: Beside) {
        let is_common = COMMON.iter().any(|common| common.as_bytes() == text);
        let edges = usize::from(beside.before) + usize::from(beside.after);
        let score = match text.len() {
            0..BYTES_MIN => 0,
            _ if is_common => 1,
            length => length + edges,
        };
        self.score = self.score.min(score);
        self.literals.push((text, beside));
    }
}

/// Stem and query stand apart in a line: the longest piece that is in one of them.
fn apart(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b'?').max_by_key(|piece| piece.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
