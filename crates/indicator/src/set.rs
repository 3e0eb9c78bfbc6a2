//! The set: every value once, and with it everything that any list says of it.

use crate::gates::Gates;
use crate::keys::Keys;
use crate::kind::Kind;
use crate::value::{Normal, show};
use std::collections::HashMap;

/// No mention (the value only stands within an [`Kind::All`]); no text.
const NONE: u32 = u32::MAX;
/// Sorts of the keys that mentions are made of.
const TEXT: u8 = 0;
const LIST: u8 = 1;
/// Bytes kept of a note.
const NOTE_BYTES_MAX: usize = 200;

/// All indicators of a scan; shared by its threads.
#[derive(Default)]
pub struct IndicatorSet {
    pub(crate) keys: Keys,
    pub(crate) gates: Gates,
    /// For each value its last mention.
    last: Vec<u32>,
    mentions: Vec<Mention>,
    /// What mentions say: texts, and lists of texts.
    texts: Keys,
    /// For a value, the [`Kind::All`]s that it is a part of.
    wholes: HashMap<u32, Vec<u32>>,
    files: Vec<IndicatorFile>,
}

/// What one list says of one value, in numbers of texts.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mention {
    /// The mention of the same value before this one.
    before: u32,
    file: u32,
    title: u32,
    date: u32,
    first_seen: u32,
    valid_until: u32,
    note: u32,
    /// Lists of texts.
    actors: u32,
    labels: u32,
    tlp: u32,
    confidence: Option<u8>,
}

/// What a list says of a value, as it is written there; empty where it says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// The report, event or publisher.
    pub title: String,
    /// When it was published or put on the list.
    pub date: String,
    /// When the publisher first saw it.
    pub first_seen: String,
    /// Until when the publisher holds it to mean something.
    pub valid_until: String,
    /// The publisher's words.
    pub note: String,
    /// Actors that it is ascribed to.
    pub actors: Vec<String>,
    /// Malware, campaigns, tags.
    pub labels: Vec<String>,
    /// The marking for sharing.
    pub tlp: String,
    /// How sure the publisher is, from 0 to 100.
    pub confidence: Option<u8>,
}

/// One file of indicators, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndicatorFile {
    /// Its name, as it was given.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// `list`, `csv`, `stix`, `misp`, or `unknown`.
    pub format: &'static str,
    /// Values taken.
    pub loaded: u64,
    /// What was left out because the file itself says so, or because it is
    /// none of our kinds: why, and how often.
    pub left_out: Vec<(String, u64)>,
    /// What could not be taken: the first of them, each with its place.
    pub not_loaded: Vec<Note>,
    /// How many could not be taken in all.
    pub not_loaded_total: u64,
}

/// Something in a file of indicators that could not be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The line, from 1.
    pub line: Option<u32>,
    /// In JSON: the pointer (RFC 6901).
    pub pointer: Option<String>,
    /// Why, in one line.
    pub reason: String,
}

/// One indicator of a set.
#[derive(Clone, Copy)]
pub struct Indicator<'s> {
    set: &'s IndicatorSet,
    id: u32,
}

impl IndicatorSet {
    /// How many different indicators there are.
    pub fn len(&self) -> usize {
        self.last.iter().filter(|mention| **mention != NONE).count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.mentions.is_empty()
    }

    /// The files it was loaded from, in the order in which they were given.
    pub fn files(&self) -> &[IndicatorFile] {
        &self.files
    }

    /// An indicator that a [`crate::Worker`] found.
    pub fn indicator(&self, id: u32) -> Indicator<'_> {
        Indicator { set: self, id }
    }

    /// Whether MD5 and SHA-1 of files are worth computing.
    pub fn wants_file_hashes(&self) -> (bool, bool) {
        (self.gates.has(Kind::Md5), self.gates.has(Kind::Sha1))
    }

    pub(crate) fn add_file(&mut self, file: IndicatorFile) {
        self.files.push(file);
    }

    pub(crate) fn file_mut(&mut self) -> Option<&mut IndicatorFile> {
        self.files.last_mut()
    }

    /// Takes a value with what the last file says of it; false when the set is full.
    pub(crate) fn take(&mut self, value: &Normal, about: &About) -> bool {
        let added = self.key(value).and_then(|id| self.mention(id, about));
        added.is_some()
    }

    /// Takes values that one record has to show together.
    pub(crate) fn take_all(&mut self, values: &[Normal], about: &About) -> bool {
        let Some(mut parts) = values.iter().map(|value| self.key(value)).collect::<Option<Vec<u32>>>() else {
            return false;
        };
        parts.sort_unstable();
        parts.dedup();
        if let [only] = parts[..] {
            return self.mention(only, about).is_some();
        }
        let bytes = number_bytes(&parts);
        let Some(whole) = self.key(&Normal { kind: Kind::All, bytes }) else { return false };
        for part in parts {
            let wholes = self.wholes.entry(part).or_default();
            if !wholes.contains(&whole) {
                wholes.push(whole);
            }
        }
        self.mention(whole, about).is_some()
    }

    fn key(&mut self, value: &Normal) -> Option<u32> {
        let (id, is_new) = self.keys.insert(value.kind as u8, &value.bytes)?;
        if is_new {
            self.last.push(NONE);
            self.gates.open(value)?;
        }
        Some(id)
    }

    fn mention(&mut self, id: u32, about: &About) -> Option<()> {
        let mut mention = Mention {
            before: self.last[id as usize],
            file: u32::try_from(self.files.len()).ok()?.checked_sub(1)?,
            title: self.text(&about.title)?,
            date: self.text(&about.date)?,
            first_seen: self.text(&about.first_seen)?,
            valid_until: self.text(&about.valid_until)?,
            note: self.note(&about.note[..about.note.floor_char_boundary(NOTE_BYTES_MAX)])?,
            actors: self.list(&about.actors)?,
            labels: self.list(&about.labels)?,
            tlp: self.text(&about.tlp)?,
            confidence: about.confidence,
        };
        // A row that stands there twice says nothing new.
        if let Some(known) = self.mentions.get(mention.before as usize) {
            let before = std::mem::replace(&mut mention.before, known.before);
            if mention == *known {
                return Some(());
            }
            mention.before = before;
        }
        self.last[id as usize] = u32::try_from(self.mentions.len()).ok().filter(|id| *id != NONE)?;
        self.mentions.push(mention);
        Some(())
    }

    fn text(&mut self, text: &str) -> Option<u32> {
        if text.is_empty() {
            return Some(NONE);
        }
        self.texts.insert(TEXT, text.as_bytes()).map(|(id, _)| id)
    }

    /// Notes are either all the same or all different: only the one before is
    /// compared.
    fn note(&mut self, note: &str) -> Option<u32> {
        let last = self.mentions.last().map_or(NONE, |mention| mention.note);
        match note {
            "" => Some(NONE),
            note if last != NONE && self.texts.get(last).1 == note.as_bytes() => Some(last),
            note => self.texts.append(TEXT, note.as_bytes()),
        }
    }

    fn list(&mut self, texts: &[String]) -> Option<u32> {
        if texts.is_empty() {
            return Some(NONE);
        }
        let ids: Option<Vec<u32>> = texts.iter().map(|text| self.text(text)).collect();
        self.texts.insert(LIST, &number_bytes(&ids?)).map(|(id, _)| id)
    }

    fn show_list(&self, id: u32) -> Vec<String> {
        let bytes = if id == NONE { &[] } else { self.texts.get(id).1 };
        numbers(bytes).map(|id| self.show_text(id)).collect()
    }

    fn show_text(&self, id: u32) -> String {
        let bytes = if id == NONE { &[] } else { self.texts.get(id).1 };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Whether a value is an indicator by itself.
    pub(crate) fn is_mentioned(&self, id: u32) -> bool {
        self.last[id as usize] != NONE
    }

    /// The [`Kind::All`]s that hold a value.
    pub(crate) fn wholes(&self, id: u32) -> &[u32] {
        self.wholes.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The values of an [`Kind::All`].
    pub(crate) fn parts(&self, whole: u32) -> impl Iterator<Item = u32> + '_ {
        let (sort, bytes) = self.keys.get(whole);
        let bytes = if Kind::of_byte(sort) == Kind::All { bytes } else { &[] };
        numbers(bytes)
    }
}

/// Numbers as the bytes of a key.
fn number_bytes(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
}

impl<'s> Indicator<'s> {
    /// What it is.
    pub fn kind(&self) -> Kind {
        Kind::of_byte(self.set.keys.get(self.id).0)
    }

    /// Its value in the form in which it is compared, for people.
    pub fn value(&self) -> String {
        let (_, bytes) = self.set.keys.get(self.id);
        match self.kind() {
            Kind::All => {
                let mut parts: Vec<String> =
                    self.parts().map(|part| format!("{} {}", part.kind().as_str(), part.value())).collect();
                parts.sort();
                parts.join(" and ")
            }
            kind => show(kind, bytes),
        }
    }

    /// Of a [`Kind::All`], what has to be seen together.
    pub fn parts(&self) -> impl Iterator<Item = Indicator<'s>> + use<'s> {
        let set = self.set;
        set.parts(self.id).map(|id| set.indicator(id))
    }

    /// What was said of it, in the order in which it was loaded: the file, and
    /// what stands there.
    pub fn mentions(&self) -> Vec<(&'s IndicatorFile, About)> {
        let mut at = self.set.last[self.id as usize];
        let mut all = Vec::new();
        while let Some(mention) = self.set.mentions.get(at as usize) {
            all.push((&self.set.files[mention.file as usize], self.about(mention)));
            at = mention.before;
        }
        all.reverse();
        all
    }

    fn about(&self, mention: &Mention) -> About {
        let set = self.set;
        About {
            title: set.show_text(mention.title),
            date: set.show_text(mention.date),
            first_seen: set.show_text(mention.first_seen),
            valid_until: set.show_text(mention.valid_until),
            note: set.show_text(mention.note),
            actors: set.show_list(mention.actors),
            labels: set.show_list(mention.labels),
            tlp: set.show_text(mention.tlp),
            confidence: mention.confidence,
        }
    }
}

/// The different actors that mentions name, sorted; names are compared
/// without case, and nothing is known here of other names of an actor.
pub fn actors(mentions: &[(&IndicatorFile, About)]) -> Vec<String> {
    let mut names: Vec<&String> = mentions.iter().flat_map(|(_, about)| &about.actors).collect();
    names.sort_by_key(|name| (name.to_lowercase(), *name));
    names.dedup_by_key(|name| name.to_lowercase());
    names.into_iter().cloned().collect()
}
