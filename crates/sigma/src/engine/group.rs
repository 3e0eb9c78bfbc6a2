//! A group: the rules that records of one kind can meet, with equal leaves
//! made one, and the leaves that wake them.
//!
//! # Waking
//! A rule must be looked at only when one of a set of leaves holds without
//! which its condition cannot hold. The set is looked for in the condition,
//! never through `not`, among leaves that scanning alone decides; where there
//! are several, the one with the longest literals is taken. Rules without
//! such a set are looked at always.

use super::expression;
use super::field::{FieldKey, FieldMatcher, Literal, WholeTest, is_short, scan_of, whole_of};
use crate::detection::{Detection, Field, Leaf, Node, Part, Reference, Test};
use crate::logsource::Source;
use crate::rule::Rule;
use regex::Regex;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Rules over shared leaves.
#[derive(Default)]
pub(super) struct Group {
    pub(super) plans: Vec<Plan>,
    pub(super) leaves: Vec<GroupLeaf>,
    pub(super) fields: Vec<GroupField>,
    /// Plans that no leaf wakes.
    pub(super) always: Vec<u32>,
}

/// One rule as its records name their fields.
pub(super) struct Plan {
    pub(super) rule: u32,
    /// The condition over the group's leaves.
    pub(super) condition: Node,
    /// What its log source asks beside.
    pub(super) only: Option<usize>,
}

/// A leaf of one or many rules.
pub(super) struct GroupLeaf {
    pub(super) field: u32,
    /// All its tests.
    tests: Vec<Test>,
    /// Tests that scanning the field does not decide.
    pub(super) rest: Vec<Rest>,
    /// Plans that it wakes.
    pub(super) wakes: Vec<u32>,
}

/// A test that is computed when a condition asks for it.
pub(super) enum Rest {
    Test(Test),
    /// A pattern whose literals are too short to be worth looking for.
    Short(WholeTest),
    /// A regular expression whose literals are too short to be worth looking for in every value,
    /// not in those for which it is asked.
    Regex(Vec<Vec<u8>>, Regex),
    /// A reference, and the field that it names.
    Reference(Reference, u32),
}

/// A field of the group.
pub(super) struct GroupField {
    pub(super) key: FieldKey,
    /// The leaves on it.
    leaves: Vec<u32>,
    /// Whether a leaf on it wakes a plan.
    pub(super) wakes: bool,
    matcher: OnceLock<FieldMatcher>,
}

/// A set of leaves of which one must hold, and how seldom that may be.
struct Necessary {
    leaves: Vec<usize>,
    score: u32,
}

impl GroupLeaf {
    /// All its tests, whoever decides them.
    pub(super) fn tests(&self) -> &[Test] {
        &self.tests
    }
}

impl Group {
    /// The group of the given rules and sources.
    pub(super) fn new(members: &[(u32, u32)], rules: &[Rule]) -> Self {
        let mut builder = Builder::default();
        for &(rule, source) in members {
            let own = &rules[rule as usize];
            let source = &own.sources[source as usize];
            let condition = builder.compile(&own.detection, source);
            let only = builder.only(source);
            builder.group.plans.push(Plan { rule, condition, only });
        }
        builder.finish()
    }

    /// What scans `field`; built when first needed.
    pub(super) fn matcher(&self, field: u32) -> &FieldMatcher {
        let field = &self.fields[field as usize];
        field.matcher.get_or_init(|| {
            let leaves = field.leaves.iter().map(|leaf| (*leaf, &self.leaves[*leaf as usize]));
            let tests = leaves.flat_map(|(index, leaf)| {
                let scanned = leaf.tests.iter().filter(|test| !leaf.wakes.is_empty() || !is_short(test));
                scanned.map(move |test| (index, test))
            });
            FieldMatcher::new(tests)
        })
    }
}

#[derive(Default)]
struct Builder {
    group: Group,
    fields: HashMap<FieldKey, u32>,
    leaves: HashMap<(u32, Vec<u8>), usize>,
}

impl Builder {
    fn compile(&mut self, detection: &Detection, source: &Source) -> Node {
        let leaves: Vec<usize> = detection.leaves.iter().map(|leaf| self.leaf(leaf, source)).collect();
        placed(&detection.condition, &leaves)
    }

    fn only(&mut self, source: &Source) -> Option<usize> {
        let (field, texts) = source.only?;
        let literal = |text: &&str| Test::Text(Literal::pattern(text));
        let only =
            Leaf { field: Field::Named(vec![field.to_owned()]), tests: texts.iter().map(literal).collect() };
        Some(self.leaf(&only, source))
    }

    fn leaf(&mut self, leaf: &Leaf, source: &Source) -> usize {
        let (key, tests) = match &leaf.field {
            Field::Named(names) => {
                let names = source.names_of(names).into_iter().map(str::to_owned).collect();
                (FieldKey::Named(names), leaf.tests.iter().map(|test| renamed(test, source)).collect())
            }
            Field::StemAndQuery => (FieldKey::StemAndQuery, leaf.tests.clone()),
            Field::Keywords { at_start, at_end } => (
                FieldKey::Keywords,
                leaf.tests.iter().filter_map(|test| keyword(test, *at_start, *at_end)).collect(),
            ),
        };
        let field = self.field(key);
        self.add(field, tests)
    }

    fn field(&mut self, key: FieldKey) -> u32 {
        let fields = &mut self.group.fields;
        *self.fields.entry(key.clone()).or_insert_with(|| {
            fields.push(GroupField { key, leaves: Vec::new(), wakes: false, matcher: OnceLock::new() });
            (fields.len() - 1) as u32
        })
    }

    fn add(&mut self, field: u32, tests: Vec<Test>) -> usize {
        let key = (field, same_tests(&tests));
        if let Some(leaf) = self.leaves.get(&key) {
            return *leaf;
        }
        let mut rest = Vec::new();
        for test in tests.iter().filter(|test| scan_of(test).is_none()) {
            rest.push(match test {
                Test::Reference(reference) => {
                    Rest::Reference(reference.clone(), self.field(FieldKey::Named(reference.names.clone())))
                }
                Test::Regex(expression) => match expression::literals(expression, 1) {
                    Some(literals) => Rest::Regex(
                        literals.into_iter().map(String::into_bytes).collect(),
                        expression.regex.clone(),
                    ),
                    None => Rest::Test(test.clone()),
                },
                test => Rest::Test(test.clone()),
            });
        }
        let leaf = self.group.leaves.len();
        self.group.fields[field as usize].leaves.push(leaf as u32);
        self.group.leaves.push(GroupLeaf { field, tests, rest, wakes: Vec::new() });
        self.leaves.insert(key, leaf);
        leaf
    }

    fn finish(mut self) -> Group {
        for index in 0..self.group.plans.len() {
            let Plan { condition, only, .. } = &self.group.plans[index];
            let asked = only.map(Node::Leaf);
            let sets = [Some(condition), asked.as_ref()].into_iter().flatten();
            match sets.filter_map(|node| self.necessary(node)).fold(None, better) {
                Some(necessary) => {
                    for leaf in necessary.leaves {
                        let leaf = &mut self.group.leaves[leaf];
                        if leaf.wakes.last() != Some(&(index as u32)) {
                            leaf.wakes.push(index as u32);
                        }
                        self.group.fields[leaf.field as usize].wakes = true;
                    }
                }
                None => self.group.always.push(index as u32),
            }
        }
        for leaf in self.group.leaves.iter_mut().filter(|leaf| leaf.wakes.is_empty()) {
            leaf.rest.extend(
                leaf.tests.iter().filter(|test| is_short(test)).filter_map(whole_of).map(Rest::Short),
            );
        }
        self.group
    }

    fn necessary(&self, node: &Node) -> Option<Necessary> {
        match node {
            Node::Not(_) => None,
            Node::And(parts) => parts.iter().filter_map(|part| self.necessary(part)).fold(None, better),
            Node::Or(parts) => {
                let mut all = Necessary { leaves: Vec::new(), score: u32::MAX };
                for part in parts {
                    let next = self.necessary(part)?;
                    all.leaves.extend(next.leaves);
                    all.score = all.score.min(next.score);
                }
                Some(all)
            }
            Node::Leaf(leaf) => {
                let own = &self.group.leaves[*leaf];
                let scores = own.tests.iter().map(|test| scan_of(test).map(|scan| scan.score()));
                let score: Option<u32> = scores.min().unwrap_or(Some(u32::MAX));
                let most = self.group.fields[own.field as usize].key.score_max();
                score.map(|score| Necessary { leaves: vec![*leaf], score: score.min(most) })
            }
        }
    }
}

/// The one that is seen more seldom.
fn better(best: Option<Necessary>, next: Necessary) -> Option<Necessary> {
    Some(best.filter(|best| best.score >= next.score).unwrap_or(next))
}

/// Bytes that are equal where the tests are.
fn same_tests(tests: &[Test]) -> Vec<u8> {
    let mut key = Vec::with_capacity(tests.len() * 32);
    for test in tests {
        match test {
            // Nearly all of them; what a part is ends with a byte that no UTF-8 has.
            Test::Text(pattern) => {
                key.push(if pattern.cased { 0xf8 } else { 0xf9 });
                for part in &pattern.parts {
                    match part {
                        Part::Text(text) => key.extend_from_slice(text.as_bytes()),
                        Part::Any => key.push(0xfa),
                        Part::One => key.push(0xfb),
                    }
                }
            }
            other => key.extend(format!("\u{1}{other:?}").bytes().chain([0xfc])),
        }
        key.push(0xff);
    }
    key
}

fn placed(node: &Node, leaves: &[usize]) -> Node {
    let all = |parts: &[Node]| parts.iter().map(|part| placed(part, leaves)).collect();
    match node {
        Node::And(parts) => Node::And(all(parts)),
        Node::Or(parts) => Node::Or(all(parts)),
        Node::Not(part) => Node::Not(Box::new(placed(part, leaves))),
        Node::Leaf(leaf) => Node::Leaf(leaves[*leaf]),
    }
}

/// References name another field: it has the records' name too.
fn renamed(test: &Test, source: &Source) -> Test {
    let mut test = test.clone();
    if let Test::Reference(reference) = &mut test {
        reference.names = source.names_of(&reference.names).into_iter().map(str::to_owned).collect();
    }
    test
}

/// A keyword's test as a test on each string slot; `None` when it asks what no
/// text answers.
fn keyword(test: &Test, at_start: bool, at_end: bool) -> Option<Test> {
    let mut pattern = match test {
        Test::Text(pattern) => pattern.clone(),
        Test::Number(number) => Literal::pattern(&number.to_string()),
        Test::Bool(truth) => Literal::pattern(&truth.to_string()),
        Test::Regex(_) | Test::Cidr(_) => return Some(test.clone()),
        Test::Null | Test::Exists(_) | Test::Compare(_) | Test::Reference(_) => return None,
    };
    if !at_start {
        pattern.parts.insert(0, Part::Any);
    }
    if !at_end {
        pattern.parts.push(Part::Any);
    }
    Some(Test::Text(pattern))
}
