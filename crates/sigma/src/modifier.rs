//! Modifiers: from the values of a detection item, as written, to tests.
//!
//! Modifiers are applied from left to right, each to what the one before made
//! (`wide|base64offset|contains`). `all` and `neq` do not change values: they
//! say how the tests of an item are joined.
//!
//! # Not here
//! YAML (values come as [`SigmaValue`]), matching.

use crate::detection::{
    Cidr, Comparison, Expression, Number, Operator, Part, Pattern, Reference, Test, TimePart,
};
use crate::diagnostic::Fault;
use crate::placeholder;
use regex::RegexBuilder;
use rsigma_parser::{Modifier, SigmaString, SigmaValue, SpecialChar, StringPart};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Values that one written value may become (`windash`, `expand`).
pub(crate) const EXPANSIONS_MAX: usize = 20_000;
/// Compiled size of one regular expression.
const REGEX_BYTES_MAX: usize = 4 << 20;
const DASHES: [char; 5] = ['-', '/', '–', '—', '―'];

/// A value on its way through the modifiers.
#[derive(Clone)]
enum Draft {
    Text(Pattern),
    /// What `wide` and its kin made of text that is not plain ASCII.
    Bytes(Vec<u8>),
    Regex {
        source: String,
        flags: String,
        at_start: bool,
        at_end: bool,
    },
    TimePart(TimePart, Number),
    Test(Test),
}

/// Applies `modifiers` to one value.
///
/// # Errors
/// The value is of a kind that a modifier does not take, or its text is not
/// what the modifier wants (regular expression, network, placeholder).
pub(crate) fn apply(
    value: &SigmaValue,
    modifiers: &[Modifier],
    placeholders: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Test>, Fault> {
    let mut drafts = vec![start(value, modifiers)];
    for modifier in modifiers {
        let mut next = Vec::with_capacity(drafts.len());
        for draft in drafts {
            step(draft, *modifier, placeholders, &mut next)?;
            if next.len() > EXPANSIONS_MAX {
                return Err(Fault::new(
                    "too-complex",
                    format!("the value `{value}` stands for too many values"),
                ));
            }
        }
        drafts = next;
    }
    drafts.into_iter().map(finish).collect()
}

/// The value as written; the text of a regular expression has no wildcards.
fn start(value: &SigmaValue, modifiers: &[Modifier]) -> Draft {
    let (raw, expands) = (modifiers.contains(&Modifier::Re), modifiers.contains(&Modifier::Expand));
    match value {
        SigmaValue::String(text) if raw && expands => raw_text(&placeholder::shield(&text.original)),
        SigmaValue::String(text) if raw => raw_text(&text.original),
        SigmaValue::String(text) if expands => Draft::Text(placeholder::shielded(text)),
        SigmaValue::String(text) => Draft::Text(pattern(text)),
        SigmaValue::Integer(number) if raw => raw_text(&number.to_string()),
        SigmaValue::Float(number) if raw => raw_text(&number.to_string()),
        SigmaValue::Integer(number) => Draft::Test(Test::Number(Number::Int(*number))),
        SigmaValue::Float(number) => Draft::Test(Test::Number(Number::Float(*number).normal())),
        SigmaValue::Bool(truth) => Draft::Test(Test::Bool(*truth)),
        SigmaValue::Null => Draft::Test(Test::Null),
    }
}

fn raw_text(text: &str) -> Draft {
    Draft::Text(Pattern { parts: vec![Part::Text(text.to_owned())], cased: false })
}

pub(crate) fn pattern(text: &SigmaString) -> Pattern {
    let part = |part: &StringPart| match part {
        StringPart::Plain(text) => Part::Text(text.clone()),
        StringPart::Special(SpecialChar::WildcardMulti) => Part::Any,
        StringPart::Special(SpecialChar::WildcardSingle) => Part::One,
    };
    Pattern { parts: text.parts.iter().map(part).collect(), cased: false }
}

fn step(
    draft: Draft,
    modifier: Modifier,
    placeholders: &BTreeMap<String, Vec<String>>,
    out: &mut Vec<Draft>,
) -> Result<(), Fault> {
    use Modifier as M;
    let draft = match (modifier, draft) {
        (M::All | M::Neq, draft) => draft,
        (M::Contains | M::StartsWith | M::EndsWith, draft) => bound(draft, modifier)?,
        (M::WindAsh, Draft::Text(pattern)) => return windash(&pattern, out),
        (M::Expand, Draft::Text(pattern)) => {
            out.extend(placeholder::expand(&pattern, placeholders)?.into_iter().map(Draft::Text));
            return Ok(());
        }
        (M::Base64, draft) => plain(base64(&bytes_of(draft, modifier)?)),
        (M::Base64Offset, draft) => {
            out.extend(base64_offsets(&bytes_of(draft, modifier)?).map(plain));
            return Ok(());
        }
        (M::Wide | M::Utf16 | M::Utf16be, Draft::Text(pattern)) => utf16(pattern, modifier)?,
        (M::Cased, Draft::Text(pattern)) => Draft::Text(Pattern { cased: true, ..pattern }),
        (M::Cased, Draft::Test(Test::Reference(reference))) => {
            Draft::Test(Test::Reference(Reference { cased: true, ..reference }))
        }
        (M::Re, Draft::Text(pattern)) => Draft::Regex {
            source: pattern.parts.iter().map(part_source).collect(),
            flags: String::new(),
            at_start: false,
            at_end: false,
        },
        (M::IgnoreCase | M::Multiline | M::DotAll, Draft::Regex { source, mut flags, at_start, at_end }) => {
            flags.push(match modifier {
                M::IgnoreCase => 'i',
                M::Multiline => 'm',
                _ => 's',
            });
            Draft::Regex { source, flags, at_start, at_end }
        }
        (M::Cidr, Draft::Text(pattern)) => Draft::Test(Test::Cidr(cidr(&pattern)?)),
        (M::Exists, Draft::Test(Test::Bool(truth))) => Draft::Test(Test::Exists(truth)),
        (M::FieldRef, Draft::Text(pattern)) => Draft::Test(Test::Reference(reference(&pattern)?)),
        (M::Lt | M::Lte | M::Gt | M::Gte, draft) => compare(draft, modifier)?,
        (M::Minute | M::Hour | M::Day | M::Week | M::Month | M::Year, Draft::Test(Test::Number(number))) => {
            Draft::TimePart(time_part(modifier), number)
        }
        _ => return Err(misused(modifier)),
    };
    out.push(draft);
    Ok(())
}

/// What a draft is at the end of the chain.
fn finish(draft: Draft) -> Result<Test, Fault> {
    Ok(match draft {
        Draft::Test(test) => test,
        Draft::Text(pattern) => Test::Text(pattern),
        Draft::Bytes(bytes) => Test::Text(text_of(&bytes)?),
        Draft::TimePart(part, number) => {
            Test::Compare(Comparison { part: Some(part), operator: Operator::Equal, number })
        }
        Draft::Regex { source, flags, at_start, at_end } => {
            Test::Regex(expression(source, flags, at_start, at_end)?)
        }
    })
}

fn plain(text: String) -> Draft {
    let parts = if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] };
    Draft::Text(Pattern { parts, cased: false })
}

fn part_source(part: &Part) -> &str {
    match part {
        Part::Text(text) => text,
        Part::Any => "*",
        Part::One => "?",
    }
}

fn misused(modifier: Modifier) -> Fault {
    use Modifier as M;
    let wanted = match modifier {
        M::Exists => "true or false",
        M::Lt | M::Lte | M::Gt | M::Gte => "a number, or a time part of one",
        M::Minute | M::Hour | M::Day | M::Week | M::Month | M::Year => "a number",
        M::IgnoreCase | M::Multiline | M::DotAll => "a regular expression (`re` before it)",
        M::Base64 | M::Base64Offset | M::Wide | M::Utf16 | M::Utf16be => "text without wildcards",
        M::FieldRef => "the name of a field, without wildcards",
        _ => "text",
    };
    Fault::new("modifier-misused", format!("the modifier `{}` wants {wanted}", name(modifier)))
        .help("quote a value to make it text, or drop the modifier")
}

/// The modifier's name as rules write it.
fn name(modifier: Modifier) -> String {
    match modifier {
        Modifier::IgnoreCase => "i".into(),
        Modifier::Multiline => "m".into(),
        Modifier::DotAll => "s".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn bound(draft: Draft, modifier: Modifier) -> Result<Draft, Fault> {
    let start = matches!(modifier, Modifier::Contains | Modifier::EndsWith);
    let end = matches!(modifier, Modifier::Contains | Modifier::StartsWith);
    Ok(match draft {
        Draft::Text(pattern) => Draft::Text(open(pattern, start, end)),
        Draft::Bytes(bytes) => Draft::Text(open(text_of(&bytes)?, start, end)),
        Draft::Regex { source, flags, at_start, at_end } => {
            let before =
                if start && !source.starts_with(".*") && !source.starts_with('^') { ".*" } else { "" };
            let after = if end && !source.ends_with(".*") && !source.ends_with('$') { ".*" } else { "" };
            let (at_start, at_end) = (at_start || !start, at_end || !end);
            Draft::Regex { source: format!("{before}{source}{after}"), flags, at_start, at_end }
        }
        Draft::Test(Test::Reference(reference)) => Draft::Test(Test::Reference(Reference {
            start: reference.start || end,
            end: reference.end || start,
            ..reference
        })),
        _ => return Err(misused(modifier)),
    })
}

/// Lets anything stand before (`start`) or after (`end`) the pattern.
fn open(mut pattern: Pattern, start: bool, end: bool) -> Pattern {
    if start && pattern.parts.first() != Some(&Part::Any) {
        pattern.parts.insert(0, Part::Any);
    }
    if end && pattern.parts.last() != Some(&Part::Any) {
        pattern.parts.push(Part::Any);
    }
    pattern
}

/// Each dash that begins a word (an option) becomes each of the five dashes.
fn windash(pattern: &Pattern, out: &mut Vec<Draft>) -> Result<(), Fault> {
    let mut variants: Vec<Vec<Part>> = vec![Vec::new()];
    for part in &pattern.parts {
        let choices: Vec<Part> = match part {
            Part::Text(text) => dashed(text)?.into_iter().map(Part::Text).collect(),
            other => vec![other.clone()],
        };
        variants = product(&variants, &choices)?;
    }
    out.extend(variants.into_iter().map(|parts| Draft::Text(Pattern { parts, cased: pattern.cased })));
    Ok(())
}

fn dashed(text: &str) -> Result<Vec<String>, Fault> {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut variants = vec![String::new()];
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if matches!(c, '-' | '/') && !word(before) && word(rest.peek().copied()) {
            if variants.len() * DASHES.len() > EXPANSIONS_MAX {
                return Err(Fault::new("too-complex", format!("`{text}` has too many dashes for `windash`")));
            }
            variants =
                variants.iter().flat_map(|variant| DASHES.map(|dash| format!("{variant}{dash}"))).collect();
        } else {
            variants.iter_mut().for_each(|variant| variant.push(c));
        }
        before = Some(c);
    }
    Ok(variants)
}

pub(crate) fn product(variants: &[Vec<Part>], choices: &[Part]) -> Result<Vec<Vec<Part>>, Fault> {
    if variants.len() * choices.len() > EXPANSIONS_MAX {
        return Err(Fault::new("too-complex", "a value stands for too many values"));
    }
    let joined = |variant: &Vec<Part>, choice: &Part| {
        let mut parts = variant.clone();
        push(&mut parts, choice.clone());
        parts
    };
    Ok(variants
        .iter()
        .flat_map(|variant| choices.iter().map(move |choice| joined(variant, choice)))
        .collect())
}

/// Appends a part; texts that meet become one.
pub(crate) fn push(parts: &mut Vec<Part>, part: Part) {
    match (parts.last_mut(), part) {
        (_, Part::Text(text)) if text.is_empty() => {}
        (Some(Part::Text(last)), Part::Text(text)) => last.push_str(&text),
        (_, part) => parts.push(part),
    }
}

fn bytes_of(draft: Draft, modifier: Modifier) -> Result<Vec<u8>, Fault> {
    match draft {
        Draft::Bytes(bytes) => Ok(bytes),
        Draft::Text(pattern) => match pattern.parts.as_slice() {
            [] => Ok(Vec::new()),
            [Part::Text(text)] => Ok(text.clone().into_bytes()),
            _ => Err(misused(modifier)),
        },
        _ => Err(misused(modifier)),
    }
}

/// Encoded bytes as text again. Only ASCII survives that as what it was; the
/// byte order mark of `utf16` is kept as the character it is.
fn text_of(bytes: &[u8]) -> Result<Pattern, Fault> {
    let (mark, rest) = match bytes.strip_prefix(&[0xff, 0xfe]) {
        Some(rest) => ("\u{feff}", rest),
        None => ("", bytes),
    };
    let text = std::str::from_utf8(rest).map_err(|_| {
        Fault::new("value-invalid", "UTF-16 of text beyond ASCII is not text: encode it with base64")
    })?;
    let text = format!("{mark}{text}");
    Ok(Pattern { parts: if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] }, cased: false })
}

fn utf16(pattern: Pattern, modifier: Modifier) -> Result<Draft, Fault> {
    let big = modifier == Modifier::Utf16be;
    let encode = |text: &str| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    };
    if modifier != Modifier::Utf16 && pattern.parts.iter().all(|part| part_source(part).is_ascii()) {
        let part = |part: Part| match part {
            Part::Text(text) => Part::Text(encode(&text).into_iter().map(char::from).collect()),
            other => other,
        };
        return Ok(Draft::Text(Pattern { parts: pattern.parts.into_iter().map(part).collect(), ..pattern }));
    }
    let text = match pattern.parts.as_slice() {
        [] => "",
        [Part::Text(text)] => text,
        _ => return Err(misused(modifier)),
    };
    let mark: &[u8] = if modifier == Modifier::Utf16 { &[0xff, 0xfe] } else { &[] };
    Ok(Draft::Bytes([mark, &encode(text)].concat()))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * index) & 63) as usize];
            out.push(if index > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

/// What base64 makes of `bytes` behind 0, 1 or 2 other bytes, without the
/// digits that depend on what stands before or after.
fn base64_offsets(bytes: &[u8]) -> impl Iterator<Item = String> {
    // Nothing is nothing wherever it stands.
    let offsets = if bytes.is_empty() { 0..1 } else { 0..3usize };
    offsets.map(|before| {
        let padded: Vec<u8> = std::iter::repeat_n(b' ', before).chain(bytes.iter().copied()).collect();
        let text = base64(&padded);
        let start = [0, 2, 3][before];
        let end = text.len() - [0, 3, 2][padded.len() % 3];
        text.get(start..end).unwrap_or("").to_owned()
    })
}

fn cidr(pattern: &Pattern) -> Result<Cidr, Fault> {
    let text: String = pattern.parts.iter().map(part_source).collect();
    let fault = |why: &str| Fault::new("cidr-invalid", format!("`{text}` is no network: {why}"));
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text.as_str(), None),
    };
    let network: IpAddr = address.parse().map_err(|_| fault("its address is not an IP address"))?;
    let width = if network.is_ipv4() { 32 } else { 128 };
    let bits: u8 = match bits {
        Some(bits) => {
            bits.parse().ok().filter(|bits| *bits <= width).ok_or_else(|| fault("its prefix length"))?
        }
        None => width,
    };
    let host_bits = match network {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    };
    if bits < 128 && host_bits << bits != 0 {
        return Err(fault("bits are set behind the prefix").help("write the first address of the network"));
    }
    Ok(match network.to_canonical() {
        mapped @ IpAddr::V4(_) if network.is_ipv6() && bits >= 96 => {
            Cidr { network: mapped, bits: bits - 96 }
        }
        _ => Cidr { network, bits },
    })
}

fn reference(pattern: &Pattern) -> Result<Reference, Fault> {
    match pattern.parts.as_slice() {
        [Part::Text(name)] => {
            Ok(Reference { names: vec![name.clone()], start: false, end: false, cased: pattern.cased })
        }
        _ => Err(misused(Modifier::FieldRef)),
    }
}

fn compare(draft: Draft, modifier: Modifier) -> Result<Draft, Fault> {
    let (part, number) = match draft {
        Draft::Test(Test::Number(number)) => (None, number),
        Draft::TimePart(part, number) => (Some(part), number),
        _ => return Err(misused(modifier)),
    };
    let operator = match modifier {
        Modifier::Lt => Operator::Less,
        Modifier::Lte => Operator::LessOrEqual,
        Modifier::Gt => Operator::Greater,
        _ => Operator::GreaterOrEqual,
    };
    Ok(Draft::Test(Test::Compare(Comparison { part, operator, number })))
}

fn time_part(modifier: Modifier) -> TimePart {
    match modifier {
        Modifier::Minute => TimePart::Minute,
        Modifier::Hour => TimePart::Hour,
        Modifier::Day => TimePart::Day,
        Modifier::Week => TimePart::Week,
        Modifier::Month => TimePart::Month,
        _ => TimePart::Year,
    }
}

fn expression(source: String, flags: String, at_start: bool, at_end: bool) -> Result<Expression, Fault> {
    let (before, after) = (if at_start { "^(?:" } else { "(?:" }, if at_end { ")$" } else { ")" });
    let plain = !at_start && !at_end;
    let text = plain_escapes(&source);
    let text = if plain { text } else { format!("{before}{text}{after}") };
    let regex = RegexBuilder::new(&text)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .dot_matches_new_line(flags.contains('s'))
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build();
    match regex {
        Ok(regex) => Ok(Expression { source, flags, regex }),
        Err(regex::Error::CompiledTooBig(_)) => {
            Err(Fault::new("too-complex", format!("the regular expression `{source}` is too large")))
        }
        Err(error) => {
            let text = error.to_string();
            let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let message = format!("the regular expression `{source}` does not compile: {why}");
            Err(if why.contains("not supported") {
                Fault::new("regex-unsupported", message)
                    .help("look-around and back-references are no part of Sigma's regular expressions")
            } else {
                Fault::new("regex-invalid", message)
            })
        }
    }
}

/// `\<` and `\>` are the characters in the dialects that Sigma's common
/// subset is taken from, and word boundaries in ours.
fn plain_escapes(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some(angle @ ('<' | '>')) => out.push(angle),
            Some(other) => out.extend([c, other]),
            None => out.push(c),
        }
    }
    out
}
