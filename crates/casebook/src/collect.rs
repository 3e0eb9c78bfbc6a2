//! What to copy from a server, in the order in which it disappears.

use crate::book::{BookError, read_yaml};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A list of what to collect.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectList {
    /// The name that `assay collect-list` takes (`exchange`).
    pub id: String,
    /// What the list is for, in a few words.
    pub title: String,
    /// What to know before one begins; one paragraph each.
    pub before: Vec<String>,
    /// What to collect, the most fleeting first.
    pub entries: Vec<CollectEntry>,
}

/// One thing to collect.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectEntry {
    /// What a casebook's `next` names.
    pub id: String,
    /// What it is.
    pub what: String,
    /// Where it lies.
    #[serde(rename = "where")]
    pub place: String,
    /// Commands to type, or what to do.
    pub how: Vec<String>,
    /// Which question it answers.
    pub why: String,
    /// How long it lasts.
    pub lasts: String,
}

impl CollectList {
    /// Reads a list.
    ///
    /// # Errors
    /// When the YAML is not such a list, is empty, or names an id twice.
    pub fn parse(file: &str, yaml: &str) -> Result<Self, BookError> {
        let list: Self = read_yaml(file, yaml)?;
        let mut ids = BTreeSet::new();
        for entry in &list.entries {
            if !ids.insert(&entry.id) {
                return Err(BookError::new(file, format!("the id {:?} stands twice", entry.id)));
            }
        }
        if list.entries.is_empty() {
            return Err(BookError::new(file, "the list has no entries"));
        }
        Ok(list)
    }

    /// The entry `id`.
    pub fn entry(&self, id: &str) -> Option<&CollectEntry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// The whole list as plain text.
    pub fn render_text(&self) -> String {
        let mut out = format!("{}\n", self.title);
        for paragraph in &self.before {
            // Writing into a `String` cannot fail.
            let _ = write!(out, "\n{}\n", paragraph.trim());
        }
        for (index, entry) in self.entries.iter().enumerate() {
            let _ = write!(out, "\n{}. {}  [{}]\n", index + 1, entry.what.trim(), entry.id);
            let _ = writeln!(out, "   where  {}", entry.place.trim());
            let _ = writeln!(out, "   lasts  {}", entry.lasts.trim());
            let _ = writeln!(out, "   why    {}", entry.why.trim());
            for (step, command) in entry.how.iter().enumerate() {
                let label = if step == 0 { "how  " } else { "     " };
                let _ = writeln!(out, "   {label}  {}", command.trim());
            }
        }
        out
    }
}

impl CollectEntry {
    /// The entry in one line, for an answer's `next`.
    pub fn render_line(&self, list: &str) -> String {
        format!(
            "get {} from {} (assay collect-list {list}, entry {})",
            self.what.trim(),
            self.place.trim(),
            self.id
        )
    }
}
