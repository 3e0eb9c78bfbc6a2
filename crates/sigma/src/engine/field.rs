//! All tests on one field of a group, as one automaton over its literals.
//!
//! A value is folded once and scanned once; each literal seen says which
//! leaves hold, at once (the literal is the whole test) or after a look at the
//! rest of the pattern.
//!
//! # Not here
//! Tests without literals: they are computed when a condition asks for them.

use crate::detection::{Number, Part, Pattern, Test};
use crate::naive::number_of;
use crate::text::{Piece, fits, fold, fold_value};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use model::Value;
use std::collections::HashMap;

/// Below this many bytes of literals the automaton is the faster, larger one.
const DFA_BYTES_MAX: usize = 8 << 10;

/// A field as the records of a group name it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum FieldKey {
    Named(Vec<String>),
    StemAndQuery,
    Keywords,
}

impl FieldKey {
    /// Fields that hold the same in most records of a group wake badly.
    pub(super) fn is_common(&self) -> bool {
        const COMMON: &[&str] = &["EventID", "Provider_Name", "Channel"];
        matches!(self, FieldKey::Named(names) if names.iter().any(|name| COMMON.contains(&name.as_str())))
    }
}

/// How scanning decides a test.
pub(super) enum Scan {
    /// An empty value.
    Blank,
    /// Any value.
    Any,
    /// This number.
    Number(i64),
    /// This literal, there.
    Literal(Literal),
    /// This literal anywhere, then the whole pattern.
    Verify { literal: Vec<u8>, pieces: Vec<Piece>, cased: bool },
}

/// A folded literal and where it must stand.
pub(super) struct Literal {
    text: Vec<u8>,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Anywhere,
    Start,
    End,
    Whole,
}

impl Literal {
    /// The pattern that is this text.
    pub(super) fn pattern(text: &str) -> Pattern {
        Pattern { parts: vec![Part::Text(text.to_owned())], cased: false }
    }
}

impl Scan {
    /// The longer the literal, the seldomer it is seen.
    pub(super) fn score(&self) -> u32 {
        let length = |literal: &[u8]| literal.len().min(32) as u32;
        match self {
            Scan::Blank | Scan::Any => 0,
            Scan::Number(_) => 3,
            Scan::Literal(literal) => length(&literal.text) + u32::from(literal.place == Place::Whole),
            Scan::Verify { literal, .. } => length(literal),
        }
    }
}

/// How scanning decides `test`; `None` when it does not.
pub(super) fn scan_of(test: &Test) -> Option<Scan> {
    match test {
        Test::Bool(truth) => {
            Some(Scan::Literal(Literal { text: truth.to_string().into_bytes(), place: Place::Whole }))
        }
        Test::Number(Number::Int(number)) => Some(Scan::Number(*number)),
        Test::Text(pattern) => scan_of_pattern(pattern),
        _ => None,
    }
}

fn scan_of_pattern(pattern: &Pattern) -> Option<Scan> {
    let parts = &pattern.parts;
    if parts.is_empty() {
        return Some(Scan::Blank);
    }
    if parts.iter().all(|part| *part == Part::Any) {
        return Some(Scan::Any);
    }
    let from = parts.iter().position(|part| *part != Part::Any).unwrap_or(0);
    let to = parts.iter().rposition(|part| *part != Part::Any).unwrap_or(0);
    if let ([Part::Text(text)], false) = (&parts[from..=to], pattern.cased) {
        let place = match (from > 0, to + 1 < parts.len()) {
            (true, true) => Place::Anywhere,
            (true, false) => Place::End,
            (false, true) => Place::Start,
            (false, false) => Place::Whole,
        };
        return Some(Scan::Literal(Literal { text: fold(text).into_bytes(), place }));
    }
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(fold(text)),
        _ => None,
    });
    let literal = texts.max_by_key(String::len).filter(|text| !text.is_empty())?;
    let pieces = pieces_of(pattern);
    Some(Scan::Verify { literal: literal.into_bytes(), pieces, cased: pattern.cased })
}

/// The pattern over bytes, folded unless it is cased.
pub(super) fn pieces_of(pattern: &Pattern) -> Vec<Piece> {
    let piece = |part: &Part| match part {
        Part::Text(text) if pattern.cased => Piece::Text(text.clone().into_bytes()),
        Part::Text(text) => Piece::Text(fold(text).into_bytes()),
        Part::Any => Piece::Any,
        Part::One => Piece::One,
    };
    pattern.parts.iter().map(piece).collect()
}

/// All literals of a field.
#[derive(Default)]
pub(super) struct FieldMatcher {
    blank: Vec<u32>,
    any: Vec<u32>,
    numbers: HashMap<i64, Vec<u32>>,
    whole: HashMap<Vec<u8>, Vec<u32>>,
    automaton: Option<AhoCorasick>,
    /// What each literal of the automaton says.
    hits: Vec<Vec<Hit>>,
    verify: Vec<Verify>,
}

#[derive(Clone, Copy)]
struct Hit {
    place: Place,
    /// A leaf, or an index into `verify`.
    target: u32,
    verify: bool,
}

struct Verify {
    leaf: u32,
    pieces: Vec<Piece>,
    cased: bool,
}

/// Buffers of a scan, kept from record to record.
#[derive(Default)]
pub(super) struct Buffers {
    pub(super) folded: Vec<u8>,
    pub(super) spare: String,
}

impl FieldMatcher {
    pub(super) fn new<'a>(tests: impl Iterator<Item = (u32, &'a Test)>) -> Self {
        let mut matcher = Self::default();
        let mut literals: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut order: Vec<Vec<u8>> = Vec::new();
        for (leaf, test) in tests {
            let (text, hit) = match scan_of(test) {
                None => continue,
                Some(Scan::Blank) => {
                    matcher.blank.push(leaf);
                    continue;
                }
                Some(Scan::Any) => {
                    matcher.any.push(leaf);
                    continue;
                }
                Some(Scan::Number(number)) => {
                    matcher.numbers.entry(number).or_default().push(leaf);
                    continue;
                }
                Some(Scan::Literal(literal)) if literal.place == Place::Whole => {
                    matcher.whole.entry(literal.text).or_default().push(leaf);
                    continue;
                }
                Some(Scan::Literal(literal)) => {
                    (literal.text, Hit { place: literal.place, target: leaf, verify: false })
                }
                Some(Scan::Verify { literal, pieces, cased }) => {
                    matcher.verify.push(Verify { leaf, pieces, cased });
                    let target = (matcher.verify.len() - 1) as u32;
                    (literal, Hit { place: Place::Anywhere, target, verify: true })
                }
            };
            let index = *literals.entry(text).or_insert_with_key(|text| {
                order.push(text.clone());
                order.len() - 1
            });
            matcher.hits.resize_with(order.len(), Vec::new);
            matcher.hits[index].push(hit);
        }
        matcher.automaton = automaton(&order);
        matcher
    }

    /// Shows the leaves that hold for `value` (present, no list) to `hold`;
    /// a leaf may be shown more than once.
    pub(super) fn scan(&self, value: &Value<'_>, buffers: &mut Buffers, hold: &mut impl FnMut(u32)) {
        self.any.iter().for_each(|leaf| hold(*leaf));
        if !self.numbers.is_empty() {
            self.scan_number(value, hold);
        }
        if self.automaton.is_none() && self.whole.is_empty() && self.blank.is_empty() {
            return;
        }
        let Buffers { folded, spare } = buffers;
        folded.clear();
        fold_value(value, folded, spare);
        if folded.is_empty() {
            self.blank.iter().for_each(|leaf| hold(*leaf));
            return;
        }
        if let Some(leaves) = self.whole.get(folded.as_slice()) {
            leaves.iter().for_each(|leaf| hold(*leaf));
        }
        let Some(automaton) = &self.automaton else {
            return;
        };
        let mut rendered = false;
        for seen in automaton.find_overlapping_iter(folded.as_slice()) {
            for hit in &self.hits[seen.pattern().as_usize()] {
                let placed = match hit.place {
                    Place::Anywhere => true,
                    Place::Start => seen.start() == 0,
                    Place::End => seen.end() == folded.len(),
                    Place::Whole => seen.start() == 0 && seen.end() == folded.len(),
                };
                if placed && !hit.verify {
                    hold(hit.target);
                } else if placed && self.verified(hit.target, value, folded, spare, &mut rendered) {
                    hold(self.verify[hit.target as usize].leaf);
                }
            }
        }
    }

    fn verified(
        &self,
        target: u32,
        value: &Value<'_>,
        folded: &[u8],
        raw: &mut String,
        rendered: &mut bool,
    ) -> bool {
        let verify = &self.verify[target as usize];
        if !verify.cased {
            return fits(&verify.pieces, folded);
        }
        if !*rendered {
            raw.clear();
            value.write_text(raw);
            *rendered = true;
        }
        fits(&verify.pieces, raw.as_bytes())
    }

    fn scan_number(&self, value: &Value<'_>, hold: &mut impl FnMut(u32)) {
        match number_of(value) {
            Some(Number::Int(number)) => {
                self.numbers.get(&number).into_iter().flatten().for_each(|leaf| hold(*leaf));
            }
            // Beyond the whole numbers that a float tells apart.
            Some(Number::Float(number)) => {
                let same = self.numbers.iter().filter(|(own, _)| **own as f64 == number);
                same.flat_map(|(_, leaves)| leaves).for_each(|leaf| hold(*leaf));
            }
            None => {}
        }
    }
}

fn automaton(literals: &[Vec<u8>]) -> Option<AhoCorasick> {
    if literals.is_empty() {
        return None;
    }
    let bytes: usize = literals.iter().map(Vec::len).sum();
    let kind = if bytes <= DFA_BYTES_MAX { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
    let build = |kind| AhoCorasick::builder().match_kind(MatchKind::Standard).kind(kind).build(literals);
    build(Some(kind)).or_else(|_| build(Some(AhoCorasickKind::NoncontiguousNFA))).ok()
}
