//! YAML documents of rule files, with their places.
//!
//! A file is cut at its document markers first, so that each document has its
//! own lines and one broken document does not take the others with it. The
//! actions `global`, `reset` and `repeat` are resolved here.
//!
//! # Not here
//! What stands in a document.

use crate::diagnostic::{Fault, Place};
use yaml_serde::{Mapping, Value};

/// Rule files beyond this size are not read.
pub(crate) const FILE_BYTES_MAX: usize = 8 << 20;

/// One document, merged with the documents that its actions name.
pub(crate) struct Document<'a> {
    /// The text of the document itself.
    pub(crate) text: &'a str,
    /// The line of the file on which `text` begins, from 1.
    pub(crate) first_line: u32,
    /// What it says, or why it cannot be read, and where.
    pub(crate) content: Result<Mapping, (Fault, Option<Place>)>,
    /// Whether its id is its own, not taken over by an action.
    pub(crate) own_id: bool,
}

impl Document<'_> {
    /// The text that makes two documents the same: without marker and white space around.
    pub(crate) fn body(&self) -> &str {
        let text = self.text.strip_prefix("---").unwrap_or(self.text);
        text.trim()
    }

    /// The place of the innermost of `near`: each is looked for behind the one around it, as a key, else anywhere.
    pub(crate) fn place_of(&self, near: &[String]) -> Option<Place> {
        let mut from = 0;
        let mut place = None;
        for (depth, text) in near.iter().enumerate().rev() {
            if let Some((at, column)) = self.find(text, from, depth > 0) {
                from = at;
                let line = self.first_line + u32::try_from(at).ok()?;
                place = Some(Place { line, column: Some(column), width: text.chars().count() as u32 });
            }
        }
        place
    }

    /// Line (from 0, not before `from`) and column (from 1) of `text`.
    fn find(&self, text: &str, from: usize, only_as_key: bool) -> Option<(usize, u32)> {
        let lines = || self.text.lines().enumerate().skip(from);
        let as_key = lines().find_map(|(at, line)| Some((at, key_at(line, text)?)));
        let (at, byte) = as_key.or_else(|| {
            if only_as_key || text.is_empty() {
                return None;
            }
            lines().find_map(|(at, line)| Some((at, line.find(text)?)))
        })?;
        let before = self.text.lines().nth(at)?.get(..byte)?;
        Some((at, before.chars().count() as u32 + 1))
    }
}

/// The byte at which `key` stands as a key of the line.
fn key_at(line: &str, key: &str) -> Option<usize> {
    let rest = line.trim_start().trim_start_matches("- ").trim_start_matches(['\'', '"', '{', ' ']);
    let behind = rest.strip_prefix(key)?;
    behind.trim_start_matches(['\'', '"']).starts_with(':').then_some(line.len() - rest.len())
}

/// The documents of a file; empty ones and mere actions are left out.
pub(crate) fn documents(text: &str) -> Vec<Document<'_>> {
    let mut global: Option<Mapping> = None;
    let mut previous: Option<Mapping> = None;
    let mut out = Vec::new();
    for (first_line, text) in split(text) {
        let content = match parse(text, first_line) {
            Ok(Value::Null) => continue,
            Ok(Value::Mapping(content)) => Ok(content),
            Ok(_) => Err((Fault::new("not-a-rule", "the document is no mapping"), None)),
            Err(fault) => Err(fault),
        };
        let own_id = content.as_ref().is_ok_and(|content| content.contains_key("id"));
        let content = match content {
            Ok(content) => match act(content, &mut global, &mut previous) {
                Some(content) => content.map_err(|fault| (fault, None)),
                None => continue,
            },
            Err(fault) => Err(fault),
        };
        out.push(Document { text, first_line, content, own_id });
    }
    out
}

/// Cuts at lines that begin with `---`: no other construct of YAML can hold
/// such a line.
fn split(text: &str) -> Vec<(u32, &str)> {
    let mut out = Vec::new();
    let (mut start, mut first_line, mut at) = (0, 1, 0);
    for (line, number) in text.split_inclusive('\n').zip(1u32..) {
        let marker = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if marker && at > start {
            out.push((first_line, &text[start..at]));
            (start, first_line) = (at, number);
        }
        at += line.len();
    }
    out.push((first_line, &text[start..]));
    out
}

fn parse(text: &str, first_line: u32) -> Result<Value, (Fault, Option<Place>)> {
    yaml_serde::from_str(text).map_err(|error| {
        let place = error.location().and_then(|location| {
            let line = first_line + u32::try_from(location.line()).ok()? - 1;
            let column = u32::try_from(location.column()).ok().filter(|column| *column > 0);
            Some(Place { line, column, width: 1 })
        });
        let why = error.to_string();
        // The place is told apart; the reader counts from the document's own first line.
        let why = why.split(" at line ").next().unwrap_or_default();
        (Fault::new("yaml-invalid", format!("the YAML cannot be read: {why}")), place)
    })
}

/// Applies the document's `action`; `None` when nothing is left to load.
fn act(
    mut content: Mapping,
    global: &mut Option<Mapping>,
    previous: &mut Option<Mapping>,
) -> Option<Result<Mapping, Fault>> {
    let action = content.remove("action");
    let merged = match action.as_ref().map(Value::as_str) {
        None => content,
        Some(Some("global")) => {
            *global = Some(content);
            return None;
        }
        Some(Some("reset")) => {
            *global = None;
            return None;
        }
        Some(Some("repeat")) => match previous.take() {
            Some(previous) => merge(previous, content),
            None => return Some(Err(action_fault("`action: repeat` has no document before it"))),
        },
        Some(_) => return Some(Err(action_fault("this `action` is not known"))),
    };
    let merged = match global {
        Some(global) => merge(global.clone(), merged),
        None => merged,
    };
    *previous = Some(merged.clone());
    Some(Ok(merged))
}

fn action_fault(message: &str) -> Fault {
    Fault::new("action-invalid", message).near("action").help("`global`, `reset` or `repeat`")
}

/// `above` with what `below` says instead; the YAML reader bounds the depth.
fn merge(mut above: Mapping, below: Mapping) -> Mapping {
    for (key, value) in below {
        let value = match (above.remove(&key), value) {
            (Some(Value::Mapping(above)), Value::Mapping(below)) => Value::Mapping(merge(above, below)),
            (_, value) => value,
        };
        above.insert(key, value);
    }
    above
}
