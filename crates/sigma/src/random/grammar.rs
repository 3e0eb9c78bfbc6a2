//! The grammar: rules as trees that shrink, and how they are written.
//!
//! A chain of modifiers and its values are made together, so that nearly all
//! rules load; what does not is a fault of its own and is counted.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value as Json, json};

/// Rules of one engine, and a filter that may narrow them.
#[derive(Clone, Debug)]
pub(super) struct RuleSet {
    pub(super) rules: Vec<Draft>,
    pub(super) filter: Option<Vec<Item>>,
}

/// A rule.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    source: &'static str,
    /// One for each of [`NAMES`], in order.
    detections: Vec<Detection>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
enum Detection {
    /// A mapping: all of its items.
    All(Vec<Item>),
    /// A list of mappings and keywords: any of them.
    Any(Vec<Detection>),
    Keywords(Vec<Scalar>),
}

/// `field|modifiers: values`; without a field they are keywords.
#[derive(Clone, Debug)]
pub(super) struct Item {
    field: &'static str,
    modifiers: Vec<&'static str>,
    values: Vec<Scalar>,
    /// A single value is written as a list.
    is_list: bool,
}

#[derive(Clone, Debug)]
enum Scalar {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Null,
}

#[derive(Clone, Debug)]
enum Condition {
    Name(&'static str),
    Of(&'static str, &'static str),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

/// Names of detections.
const NAMES: &[&str] = &["s1", "s2", "t", "_s"];
const PATTERNS: &[&str] = &["s*", "*", "_*", "*s*", "t", "them"];
/// Names of fields: plain, mapped by log sources, nested, with blanks, beyond ASCII.
pub(super) const FIELDS: &[&str] = &[
    "A",
    "B",
    "TwoWords",
    "Event.Data.C",
    "Ärger",
    "EventID",
    "EventType",
    "Image",
    "ProcessId",
    "User",
    "type",
    "program",
    "cs-uri-query",
    "cs-uri-stem",
    "c-uri",
    "cs-user-agent",
];
const SOURCES: &[&str] = &[
    "{product: windows}",
    "{product: windows, service: security}",
    "{product: windows, category: process_creation}",
    "{product: windows, category: registry_delete}",
    "{product: windows, category: registry_event}",
    "{category: webserver}",
    "{service: nginx}",
    "{product: exchange, service: httpproxy}",
    "{product: exchange}",
    "{product: linux, category: process_creation}",
    "{product: linux, service: sshd}",
    "{product: m365, service: audit}",
    "{product: artifact, service: registry}",
];
/// Pieces of texts; few and alike, so that values and patterns overlap.
pub(super) const PIECES: &[&str] = &[
    "a",
    "A",
    "b",
    "ab",
    "aB",
    " ",
    "-",
    "/",
    "-a",
    " /b",
    "ä",
    "Ä",
    "\u{130}",
    "\u{212a}",
    "k",
    "ß",
    "\u{1e9e}",
    "\u{17f}",
    "s",
    "日",
    "\u{1d49c}",
    "1",
    "12",
    "0x1",
    "x=",
    ".",
    "\n",
    "\t",
    "\u{feff}",
    "=",
    "%",
    "aaaa",
];
/// What only rules write: wildcards and escapes.
const SPECIAL: &[&str] = &["*", "?", r"\*", r"\?", r"\\", r"\", r"\\*", "**", "*?"];
const ASCII: &[&str] = &["a", "A", "b", "aB", " ", "-a", "/b", "1", "abc"];
const PLACEHOLDERS: &[&str] = &["%p%", "%q%", "a%p%", "%p%%q%", "%p", "100%"];
const NETWORKS: &[&str] = &[
    "10.0.0.0/8",
    "10.1.2.3",
    "0.0.0.0/0",
    "192.0.2.128/25",
    "2001:db8::/32",
    "::/0",
    "2001:db8::1",
    "::ffff:10.0.0.0/104",
    "::ffff:0.0.0.0/96",
];

/// Values of `%p%` and `%q%`.
pub(super) const PLACEHOLDER_VALUES: [(&str, &[&str]); 2] = [("p", &["a", "*b"]), ("q", &["", r"x\*", "Ä"])];

pub(super) fn rule_sets() -> impl Strategy<Value = RuleSet> {
    let filter = option::weighted(0.1, vec(item(), 1..3));
    (vec(draft(), 1..4), filter).prop_map(|(rules, filter)| RuleSet { rules, filter })
}

fn draft() -> impl Strategy<Value = Draft> {
    let detections = vec(detection(), NAMES.len());
    let conditions = prop_oneof![6 => vec(condition(), 1), 1 => vec(condition(), 2)];
    (select(SOURCES), detections, conditions).prop_map(|(source, detections, conditions)| Draft {
        source,
        detections,
        conditions,
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        3 => select(NAMES).prop_map(Condition::Name),
        2 => (select(vec!["1 of", "any of", "all of"]), select(PATTERNS)).prop_map(|(all, of)| Condition::Of(all, of)),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| Condition::Not(Box::new(part))),
            vec(inner.clone(), 2..4).prop_map(Condition::And),
            vec(inner, 2..4).prop_map(Condition::Or),
        ]
    })
}

fn detection() -> impl Strategy<Value = Detection> {
    let all = || vec(item(), 1..4).prop_map(Detection::All);
    let keywords = || vec(keyword(), 1..3).prop_map(Detection::Keywords);
    let nested = prop_oneof![3 => all(), 1 => keywords(), 1 => vec(all(), 1..3).prop_map(Detection::Any)];
    prop_oneof![
        6 => all(),
        1 => keywords(),
        2 => vec(nested, 1..4).prop_map(Detection::Any),
    ]
}

fn keyword() -> impl Strategy<Value = Scalar> {
    prop_oneof![5 => text(false), 1 => number(), 1 => any::<bool>().prop_map(Scalar::Bool)]
}

/// An item: one kind of chain, and values that it takes.
fn item() -> impl Strategy<Value = Item> {
    let of = |field: BoxedStrategy<&'static str>, chain: BoxedStrategy<Chain>| {
        (field, chain, any::<bool>()).prop_map(|(field, (modifiers, values), is_list)| Item {
            field,
            modifiers,
            values,
            is_list,
        })
    };
    let field = || select(FIELDS).boxed();
    let nowhere = Just("").boxed();
    prop_oneof![
        8 => of(field(), any_chain()),
        1 => of(nowhere, prop_oneof![4 => texts(), 1 => encoded(), 1 => expressions()].boxed()),
    ]
}

/// Modifiers, and values that they take.
type Chain = (Vec<&'static str>, Vec<Scalar>);

fn any_chain() -> BoxedStrategy<Chain> {
    prop_oneof![
        3 => plain(),
        4 => texts(),
        2 => encoded(),
        3 => expressions(),
        1 => chain(Just(vec!["cidr"]).boxed(), select(NETWORKS).prop_map(text_of).boxed()),
        1 => (any::<bool>(), neq()).prop_map(|(truth, neq)| ([vec!["exists"], neq].concat(), vec![Scalar::Bool(truth)])),
        2 => references(),
        2 => comparisons(),
        1 => neq().prop_map(|neq| (neq, Vec::new())),
    ]
    .boxed()
}

/// The chain, with what joins values behind it.
fn chain(modifiers: BoxedStrategy<Vec<&'static str>>, value: BoxedStrategy<Scalar>) -> BoxedStrategy<Chain> {
    (modifiers, subsequence(vec!["all", "neq"], 0..=2), vec(value, 1..4), 0..4u8)
        .prop_map(|(modifiers, joined, values, rarely)| {
            let joined = if rarely == 0 { joined } else { Vec::new() };
            ([modifiers, joined].concat(), values)
        })
        .boxed()
}

fn neq() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(vec!["neq"], 0..=1)
}

fn one_of(modifiers: &'static [&'static str]) -> BoxedStrategy<Vec<&'static str>> {
    subsequence(modifiers, 0..=1).boxed()
}

fn plain() -> BoxedStrategy<Chain> {
    let null = Just(Scalar::Null);
    let empty = Just(text_of(""));
    let value = prop_oneof![3 => text(false), 2 => number(), 1 => any::<bool>().prop_map(Scalar::Bool), 1 => null, 1 => empty];
    chain(Just(Vec::new()).boxed(), value.boxed())
}

/// Text that stays readable, in any order of its modifiers.
fn texts() -> BoxedStrategy<Chain> {
    const ANY: &[&str] = &["expand", "windash", "contains", "startswith", "endswith", "cased"];
    let modifiers = subsequence(ANY, 1..=4).prop_shuffle();
    chain(modifiers.boxed(), text(true).boxed())
}

/// Text that is encoded: UTF-16, base64, one behind the other, then bound.
fn encoded() -> BoxedStrategy<Chain> {
    const UTF16: &[&str] = &["wide", "utf16le", "utf16be", "utf16"];
    const BOUND: &[&str] = &["contains", "startswith", "endswith"];
    let before = || one_of(&["windash", "expand", "cased"]);
    let first =
        (before(), one_of(UTF16), one_of(&["base64", "base64offset"]), one_of(BOUND), one_of(&["cased"]));
    let based = first.prop_map(|(before, utf16, based, bound, mut cased)| {
        // UTF-16 with its mark is bytes until something makes text of it.
        if utf16 == ["utf16"] && based.is_empty() && bound.is_empty() {
            cased.clear();
        }
        [before, utf16, based, bound, cased].concat()
    });
    let ascii = vec(select(ASCII), 0..4).prop_map(|pieces| text_of(&pieces.concat()));
    // Beyond ASCII only bytes that become base64 are text again.
    let beyond = (before(), one_of(UTF16), select(vec!["base64", "base64offset"]), one_of(BOUND));
    let beyond =
        beyond.prop_map(|(before, utf16, based, bound)| [before, utf16, vec![based], bound].concat());
    let unspecial = vec(select(PIECES), 0..4).prop_map(|pieces| text_of(&pieces.concat()));
    prop_oneof![chain(based.boxed(), ascii.boxed()), chain(beyond.boxed(), unspecial.boxed())].boxed()
}

fn expressions() -> BoxedStrategy<Chain> {
    let flags = subsequence(vec!["i", "m", "s"], 0..=3).prop_shuffle();
    let modifiers = (flags, one_of(&["contains", "startswith", "endswith"]));
    let modifiers = modifiers.prop_map(|(flags, bound)| [vec!["re"], flags, bound].concat());
    chain(modifiers.boxed(), expression().prop_map(Scalar::Text).boxed())
}

fn expression() -> impl Strategy<Value = String> {
    const ATOMS: &[&str] = &[
        "a", "b", "A", "ab", "aBa", "abc", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", r"\.", "^", "$", r"\b",
        "ä", "Ä", "k", "1", "(?i)b", "", r"\<", "-",
    ];
    select(ATOMS).prop_map(str::to_owned).prop_recursive(3, 10, 3, |inner| {
        let quantifier = select(vec!["*", "+", "?", "{2}", "{0,3}", "*?"]);
        prop_oneof![
            3 => vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            1 => vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            1 => (inner, quantifier).prop_map(|(part, quantifier)| format!("({part}){quantifier}")),
        ]
    })
}

fn references() -> BoxedStrategy<Chain> {
    let bound = one_of(&["contains", "startswith", "endswith"]);
    let modifiers = (bound, one_of(&["cased"]));
    let modifiers = modifiers.prop_map(|(bound, cased)| [vec!["fieldref"], bound, cased].concat());
    chain(modifiers.boxed(), select(FIELDS).prop_map(text_of).boxed())
}

fn comparisons() -> BoxedStrategy<Chain> {
    const PARTS: &[&str] = &["minute", "hour", "day", "week", "month", "year"];
    let operator = select(vec!["lt", "lte", "gt", "gte"]);
    let of_numbers = operator.clone().prop_map(|operator| vec![operator]);
    let of_times = (select(PARTS), option::of(operator));
    let of_times = of_times.prop_map(|(part, operator)| std::iter::once(part).chain(operator).collect());
    let time_number = select(vec![3, 4, 9, 20, 2021, 0]).prop_map(Scalar::Int);
    prop_oneof![chain(of_numbers.boxed(), number().boxed()), chain(of_times.boxed(), time_number.boxed())]
        .boxed()
}

fn number() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        3 => select(vec![0, 1, 12, 4688, -1, i64::MAX]).prop_map(Scalar::Int),
        1 => select(vec![1.5, 12.0, -0.5]).prop_map(Scalar::Float),
    ]
}

fn text(with_placeholders: bool) -> impl Strategy<Value = Scalar> {
    let often = if with_placeholders { 1 } else { 0 };
    let piece = prop_oneof![
        6 => select(PIECES),
        3 => select(SPECIAL),
        often => select(PLACEHOLDERS),
    ];
    vec(piece, 0..5).prop_map(|pieces| Scalar::Text(pieces.concat()))
}

fn text_of(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

impl RuleSet {
    /// The rules as a file. JSON is YAML, and escapes everything.
    pub(super) fn written(&self) -> String {
        let rules = self.rules.iter().enumerate().map(|(index, rule)| {
            format!(
                "---\ntitle: rule {index}\nid: r{index}\nlogsource: {}\ndetection: {}\n",
                rule.source,
                rule.detection()
            )
        });
        let filter = self.filter.iter().map(|items| {
            let section = json!({"rules": "any", "f": mapping(items), "condition": "not f"});
            format!("---\ntitle: filter\nlogsource: {{}}\nfilter: {section}\n")
        });
        rules.chain(filter).collect()
    }

    /// Modifiers that the rule at `index` writes.
    pub(super) fn modifiers(&self, index: usize) -> Vec<&'static str> {
        let mut out = Vec::new();
        self.rules[index].detections.iter().for_each(|detection| detection.modifiers(&mut out));
        out
    }
}

impl Draft {
    fn detection(&self) -> Json {
        let conditions: Vec<String> = self.conditions.iter().map(Condition::written).collect();
        let mut section = json!({"condition": if conditions.len() == 1 { json!(conditions[0]) } else { json!(conditions) }});
        for (name, detection) in NAMES.iter().zip(&self.detections) {
            section[*name] = detection.written();
        }
        section
    }
}

impl Detection {
    fn written(&self) -> Json {
        match self {
            Detection::All(items) => mapping(items),
            Detection::Any(parts) => parts.iter().map(Detection::written).collect(),
            Detection::Keywords(values) => values.iter().map(Scalar::written).collect(),
        }
    }

    fn modifiers(&self, out: &mut Vec<&'static str>) {
        match self {
            Detection::All(items) => out.extend(items.iter().flat_map(|item| item.modifiers.iter().copied())),
            Detection::Any(parts) => parts.iter().for_each(|part| part.modifiers(out)),
            Detection::Keywords(_) => {}
        }
    }
}

/// Items as a mapping; of those with one key the last is left.
fn mapping(items: &[Item]) -> Json {
    items.iter().map(|item| (item.key(), item.value())).collect()
}

impl Item {
    fn key(&self) -> String {
        std::iter::once(self.field).chain(self.modifiers.iter().copied()).collect::<Vec<_>>().join("|")
    }

    fn value(&self) -> Json {
        match self.values.as_slice() {
            [one] if !self.is_list => one.written(),
            values => values.iter().map(Scalar::written).collect(),
        }
    }
}

impl Scalar {
    fn written(&self) -> Json {
        match self {
            Scalar::Text(text) => json!(text),
            Scalar::Int(number) => json!(number),
            Scalar::Float(number) => json!(number),
            Scalar::Bool(truth) => json!(truth),
            Scalar::Null => Json::Null,
        }
    }
}

impl Condition {
    fn written(&self) -> String {
        let joined = |parts: &[Condition], word: &str| {
            format!("({})", parts.iter().map(Condition::written).collect::<Vec<_>>().join(word))
        };
        match self {
            Condition::Name(name) => (*name).to_owned(),
            Condition::Of(all, of) => format!("{all} {of}"),
            Condition::Not(part) => format!("not {}", part.written()),
            Condition::And(parts) => joined(parts, " and "),
            Condition::Or(parts) => joined(parts, " or "),
        }
    }
}
