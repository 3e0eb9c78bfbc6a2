//! All tests on one field of a group, decided by one look over a value.
//!
//! A value is folded once and its literals are found once ([`Literals`]); each
//! says which leaves hold, at once (the literal is the whole test) or after a
//! look at the rest of the pattern.
//!
//! # Not here
//! Tests without literals: they are computed when a condition asks for them.

use super::expression;
use super::literals::{LONG_BYTES, Literals};
use crate::detection::{Number, Part, Pattern, Test};
use crate::naive::number_of;
use crate::text::{Piece, fits, fold, fold_value};
use model::Value;
use regex::Regex;
// Its quick hash is enough: what is in these tables the rules say, not the evidence.
use hashbrown::HashMap;

/// A field as the records of a group name it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum FieldKey {
    Named(Vec<String>),
    StemAndQuery,
    Keywords,
}

impl FieldKey {
    /// What a literal in this field is worth at most: fields that hold the
    /// same in most records wake badly, and programs are seen more often than
    /// what they are told.
    pub(super) fn score_max(&self) -> u32 {
        const COMMON: &[&str] = &[
            "EventID",
            "Provider_Name",
            "Channel",
            "Initiated",
            "Protocol",
            "IntegrityLevel",
            "TokenElevationType",
            "MandatoryLabel",
            "LogonType",
            "AuthenticationPackageName",
            "EventType",
            "Signed",
            "SignatureStatus",
            "Status",
            "Level",
        ];
        const PROGRAMS: &[&str] = &[
            "Image",
            "OriginalFileName",
            "ParentImage",
            "NewProcessName",
            "ParentProcessName",
            "SourceImage",
            "TargetImage",
            "User",
        ];
        let has = |known: &[&str]| matches!(self, FieldKey::Named(names) if names.iter().any(|name| known.contains(&name.as_str())));
        match () {
            () if has(COMMON) => 0,
            () if has(PROGRAMS) => 5,
            () => u32::MAX,
        }
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
    /// One of these literals anywhere, then the whole test.
    Verify { literals: Vec<Vec<u8>>, whole: WholeTest },
}

/// What is left to be asked once a literal was seen.
pub(super) enum WholeTest {
    Folded(Vec<Piece>),
    Cased(Vec<Piece>),
    Regex(Regex),
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

    /// The text, and whether its value begins and ends with it.
    pub(super) fn edges(&self) -> (&[u8], bool, bool) {
        let [begins, ends] =
            [Place::Start, Place::End].map(|place| self.place == place || self.place == Place::Whole);
        (&self.text, begins, ends)
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
            Scan::Verify { literals, .. } => {
                literals.iter().map(|literal| length(literal)).min().unwrap_or(0)
            }
        }
    }
}

/// Whether the literals of `test` are so short that most values hold their windows. They are only
/// looked for where they must wake a rule: else a condition seldom asks.
pub(super) fn is_short(test: &Test) -> bool {
    let is_short = |text: &[u8]| text.len() < LONG_BYTES;
    match (test, scan_of(test)) {
        (_, Some(Scan::Literal(literal))) => literal.place != Place::Whole && is_short(&literal.text),
        (Test::Text(_), Some(Scan::Verify { literals, .. })) => literals.iter().any(|text| is_short(text)),
        _ => false,
    }
}

/// A pattern as a test on a whole value.
pub(super) fn whole_of(test: &Test) -> Option<WholeTest> {
    let Test::Text(pattern) = test else { return None };
    Some(whole_of_pattern(pattern))
}

fn whole_of_pattern(pattern: &Pattern) -> WholeTest {
    let pieces = pieces_of(pattern);
    if pattern.cased { WholeTest::Cased(pieces) } else { WholeTest::Folded(pieces) }
}

/// How scanning decides `test`; `None` when it does not.
pub(super) fn scan_of(test: &Test) -> Option<Scan> {
    match test {
        Test::Bool(truth) => {
            Some(Scan::Literal(Literal { text: truth.to_string().into_bytes(), place: Place::Whole }))
        }
        Test::Number(Number::Int(number)) => Some(Scan::Number(*number)),
        Test::Text(pattern) => scan_of_pattern(pattern),
        Test::Regex(expression) => {
            let literals = expression::literals(expression)?.into_iter().map(String::into_bytes).collect();
            Some(Scan::Verify { literals, whole: WholeTest::Regex(expression.regex.clone()) })
        }
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
    Some(Scan::Verify { literals: vec![literal.into_bytes()], whole: whole_of_pattern(pattern) })
}

/// The pattern over bytes, folded unless it is cased.
fn pieces_of(pattern: &Pattern) -> Vec<Piece> {
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
    /// A bit for each length that such a text has, from 63 on one for all.
    whole_lengths: u64,
    literals: Literals,
    /// What each literal says, …
    hits: Vec<Hit>,
    /// … by where its own begin; one more at the end.
    hit_starts: Vec<u32>,
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
    whole: WholeTest,
}

/// Buffers of a scan, kept from record to record.
#[derive(Default)]
pub(super) struct Buffers {
    pub(super) folded: Vec<u8>,
    pub(super) spare: String,
    /// A second value, to be compared with the first.
    pub(super) other: Vec<u8>,
    /// The scan in which a test was last verified: once for each value is
    /// enough, however often its literal stands in it.
    verified: Vec<u64>,
    scans: u64,
}

impl Buffers {
    /// Whether a whole test holds for a value.
    pub(super) fn whole(&mut self, whole: &WholeTest, value: &Value<'_>) -> bool {
        let Buffers { folded, spare, .. } = self;
        folded.clear();
        fold_value(value, folded, spare);
        whole.holds(folded, &mut Raw::new(value, spare))
    }
}

impl FieldMatcher {
    pub(super) fn new<'a>(tests: impl Iterator<Item = (u32, &'a Test)>) -> Self {
        let mut matcher = Self::default();
        let mut literals: HashMap<Vec<u8>, Vec<Hit>> = HashMap::new();
        for (leaf, test) in tests {
            match scan_of(test) {
                None => {}
                Some(Scan::Blank) => matcher.blank.push(leaf),
                Some(Scan::Any) => matcher.any.push(leaf),
                Some(Scan::Number(number)) => matcher.numbers.entry(number).or_default().push(leaf),
                Some(Scan::Literal(Literal { text, place: Place::Whole })) => {
                    matcher.whole_lengths |= 1 << text.len().min(63);
                    matcher.whole.entry(text).or_default().push(leaf);
                }
                Some(Scan::Literal(Literal { text, place })) => {
                    literals.entry(text).or_default().push(Hit { place, target: leaf, verify: false });
                }
                Some(Scan::Verify { literals: texts, whole }) => {
                    let target = matcher.verify.len() as u32;
                    matcher.verify.push(Verify { leaf, whole });
                    for text in texts {
                        let hit = Hit { place: Place::Anywhere, target, verify: true };
                        literals.entry(text).or_default().push(hit);
                    }
                }
            }
        }
        let mut literals: Vec<(Vec<u8>, Vec<Hit>)> = literals.into_iter().collect();
        // Any order would do, but a run should be like the one before.
        literals.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        matcher.hit_starts.push(0);
        let mut texts = Vec::with_capacity(literals.len());
        for (text, hits) in literals {
            texts.push(text);
            matcher.hits.extend(hits);
            matcher.hit_starts.push(matcher.hits.len() as u32);
        }
        matcher.literals = Literals::new(texts);
        matcher
    }

    /// Shows the leaves that hold for `value` (present, no list) to `hold`;
    /// a leaf may be shown more than once.
    pub(super) fn scan(&self, value: &Value<'_>, buffers: &mut Buffers, hold: &mut impl FnMut(u32)) {
        self.any.iter().for_each(|leaf| hold(*leaf));
        if !self.numbers.is_empty() {
            self.scan_number(value, hold);
        }
        if self.literals.is_empty() && self.whole.is_empty() && self.blank.is_empty() {
            return;
        }
        let Buffers { folded, spare, verified, scans, .. } = buffers;
        folded.clear();
        fold_value(value, folded, spare);
        if folded.is_empty() {
            self.blank.iter().for_each(|leaf| hold(*leaf));
            return;
        }
        if self.whole_lengths >> folded.len().min(63) & 1 == 1
            && let Some(leaves) = self.whole.get(folded.as_slice())
        {
            leaves.iter().for_each(|leaf| hold(*leaf));
        }
        if self.literals.is_empty() {
            return;
        }
        *scans += 1;
        if verified.len() < self.verify.len() {
            verified.resize(self.verify.len(), 0);
        }
        let mut raw = Raw::new(value, spare);
        self.literals.find(folded, &mut |literal, from, to| {
            let [first, end] = [0, 1].map(|next| self.hit_starts[literal as usize + next] as usize);
            for hit in &self.hits[first..end] {
                let placed = match hit.place {
                    Place::Anywhere => true,
                    Place::Start => from == 0,
                    Place::End => to == folded.len(),
                    Place::Whole => from == 0 && to == folded.len(),
                };
                if placed && !hit.verify {
                    hold(hit.target);
                } else if placed && std::mem::replace(&mut verified[hit.target as usize], *scans) != *scans {
                    let verify = &self.verify[hit.target as usize];
                    if verify.whole.holds(folded, &mut raw) {
                        hold(verify.leaf);
                    }
                }
            }
        });
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

/// A value's text as it is written, rendered when first asked for.
struct Raw<'a> {
    value: &'a Value<'a>,
    text: &'a mut String,
    rendered: bool,
}

impl<'a> Raw<'a> {
    fn new(value: &'a Value<'a>, text: &'a mut String) -> Self {
        Self { value, text, rendered: false }
    }

    fn text(&mut self) -> &str {
        if !self.rendered {
            self.text.clear();
            self.value.write_text(self.text);
            self.rendered = true;
        }
        self.text
    }
}

impl WholeTest {
    fn holds(&self, folded: &[u8], raw: &mut Raw<'_>) -> bool {
        match self {
            WholeTest::Folded(pieces) => fits(pieces, folded),
            WholeTest::Cased(pieces) => fits(pieces, raw.text().as_bytes()),
            WholeTest::Regex(regex) => regex.is_match(raw.text()),
        }
    }
}
