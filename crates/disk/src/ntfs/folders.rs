//! Where entries belong: folders by their number, and the way up to the root.
//!
//! Entries name their folder by number and sequence. When the folder's record
//! was used anew since, its present name says nothing of the entry: the entry
//! is an orphan, below [`ORPHANS`].

use super::ROOT;
use super::record::{Record, Reference, kind};
use crate::Limits;
use std::collections::HashMap;

/// Where entries stand whose folder is not known.
const ORPHANS: &str = "$Orphans";
/// Streams noted for an entry whose attributes spill over.
const SPILLED_STREAMS_MAX: usize = 64;

/// All folders of a volume, and what entries spilled over to further records.
#[derive(Debug)]
pub struct Folders {
    known: HashMap<u64, Folder>,
    spilled: HashMap<u64, Spilled>,
    /// The volume's letter, where there is ground for one.
    pub drive: Option<char>,
    max: usize,
    depth_max: usize,
    is_full: bool,
}

#[derive(Debug)]
struct Folder {
    sequence: u16,
    in_use: bool,
    /// In which folder, under which name; `None` when that stands elsewhere.
    name: Option<(Reference, Box<str>)>,
}

/// What records that continue an entry say of it.
#[derive(Debug, Default)]
pub struct Spilled {
    /// In which folder, under which name.
    pub name: Option<(Reference, Box<str>)>,
    /// Size of its own content.
    pub size_bytes: Option<u64>,
    /// Names of its further streams.
    pub streams: Vec<Box<str>>,
}

/// The way to an entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Folders, then the entry's own name.
    pub parts: Vec<&'a str>,
    /// Whether the way up ends before the root.
    pub is_orphan: bool,
}

impl Folders {
    /// None yet.
    pub fn new(limits: &Limits) -> Self {
        Self {
            known: HashMap::new(),
            spilled: HashMap::new(),
            drive: None,
            max: limits.folders_max,
            depth_max: limits.folder_depth_max,
            is_full: false,
        }
    }

    /// Takes record `number` into account, when it is a folder's or continues
    /// another.
    pub fn add(&mut self, number: u64, record: &Record<'_>) {
        if record.base.is_none() && !record.is_folder {
            return;
        }
        if self.known.len() + self.spilled.len() >= self.max {
            self.is_full = true;
            return;
        }
        let (attributes, _) = record.attributes();
        let names = attributes.iter().filter_map(|attribute| attribute.file_name());
        let name = names.into_iter().find(|name| !name.is_short).map(|name| (name.parent, name.text.into()));
        let Some(base) = record.base else {
            let folder = Folder { sequence: record.sequence, in_use: record.in_use, name };
            self.known.insert(number, folder);
            return;
        };
        let data: Vec<_> = attributes.iter().filter(|attribute| attribute.kind == kind::DATA).collect();
        if name.is_none() && data.iter().all(|data| data.size_bytes().is_none()) {
            return;
        }
        let spilled = self.spilled.entry(base.number).or_default();
        spilled.name = spilled.name.take().or(name);
        for data in data {
            match data.size_bytes() {
                Some(size) if data.is_unnamed() => spilled.size_bytes = Some(size),
                Some(_) if spilled.streams.len() < SPILLED_STREAMS_MAX => {
                    spilled.streams.push(data.name().into())
                }
                _ => {}
            }
        }
    }

    /// Whether there were more than are kept.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// What records that continue entry `number` say of it.
    pub fn spilled(&self, number: u64) -> Option<&Spilled> {
        self.spilled.get(&number)
    }

    /// Whether the root holds a folder of this name, in use.
    pub fn root_holds(&self, name: &str) -> bool {
        self.known.values().any(|folder| {
            let is_named = |(parent, text): &(Reference, Box<str>)| {
                parent.number == ROOT && text.eq_ignore_ascii_case(name)
            };
            folder.in_use && folder.name.as_ref().is_some_and(is_named)
        })
    }

    /// The way to what is called `name` in the folder `parent`.
    pub fn place<'a>(&'a self, parent: Reference, name: &'a str) -> Place<'a> {
        let mut parts = vec![name];
        let mut at = parent;
        let is_orphan = loop {
            if at.number == ROOT {
                break false;
            }
            let folder = self.known.get(&at.number).filter(|folder| folder.is(at.sequence));
            let spilled = || self.spilled.get(&at.number).and_then(|spilled| spilled.name.as_ref());
            let Some((parent, name)) = folder.and_then(|folder| folder.name.as_ref().or_else(spilled)) else {
                break true;
            };
            // Deeper than any path is a loop.
            if parts.len() > self.depth_max {
                parts.truncate(1);
                break true;
            }
            parts.push(name);
            at = *parent;
        };
        if is_orphan {
            parts.push(ORPHANS);
        }
        parts.reverse();
        Place { parts, is_orphan }
    }
}

impl Folder {
    /// Whether it is the folder that a reference with this sequence means. A
    /// record's sequence goes up when its file is deleted.
    fn is(&self, sequence: u16) -> bool {
        let after = sequence.wrapping_add(1).max(1);
        self.sequence == sequence || sequence == 0 || (!self.in_use && self.sequence == after)
    }
}
