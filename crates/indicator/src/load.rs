//! Files into the set: what they are, and what becomes of each of their values.
//!
//! A file is a list, a table, a STIX bundle or a MISP event by its content. No
//! file fails as a whole: what cannot be taken is noted with its place, and
//! the rest goes on.

use crate::kind::Said;
use crate::set::{About, IndicatorFile, IndicatorSet, Note};
use crate::value::{Normal, Refusal, guess, parse};
use crate::{json, list, misp, stix, table};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Notes kept of one file; the rest is counted.
const NOTES_MAX: usize = 1_000;
/// Bytes of a value that a note shows.
const SHOWN_BYTES_MAX: usize = 80;
/// Different reasons for leaving out that are counted apart.
const REASONS_MAX: usize = 64;

/// Where something stands in its file.
#[derive(Clone, Copy)]
pub(crate) enum Place<'p> {
    File,
    Line(u64),
    Pointer(&'p str),
}

/// One file on its way into the set.
pub(crate) struct Loading<'s> {
    set: &'s mut IndicatorSet,
}

impl IndicatorSet {
    /// Adds the indicators of one file, whose name only serves to show it.
    pub fn load(&mut self, name: &str, bytes: &[u8]) {
        self.add_file(IndicatorFile {
            name: name.to_owned(),
            sha256: Sha256::digest(bytes).into(),
            format: "unknown",
            loaded: 0,
            left_out: Vec::new(),
            not_loaded: Vec::new(),
            not_loaded_total: 0,
        });
        let text = decode(bytes);
        let mut loading = Loading { set: self };
        let format = if text.trim_start().starts_with(['{', '[']) {
            let survey = json::survey(&text);
            match survey {
                json::Survey { stix: Some(facts), .. } => stix::load(&text, &facts, &mut loading),
                json::Survey { misp: Some(events), .. } => misp::load(&text, &events, &mut loading),
                json::Survey { error, .. } => {
                    let reason = error.unwrap_or_else(|| "neither a STIX bundle nor a MISP event".to_owned());
                    loading.note(Place::File, reason);
                    "unknown"
                }
            }
        } else if let Some(layout) = table::sniff(name, &text) {
            table::load(&text, &layout, &mut loading)
        } else {
            list::load(&text, &mut loading)
        };
        if let Some(file) = loading.set.file_mut() {
            file.format = format;
        }
    }
}

/// Text in UTF-8, or in UTF-16 with its mark, as spreadsheets write it.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
        char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(wide(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(wide(rest, u16::from_be_bytes)),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    }
}

impl Loading<'_> {
    /// Takes a value, or notes why not.
    pub(crate) fn value(&mut self, said: Said, text: &str, about: &About, place: Place<'_>) {
        let parsed = match said {
            Said::Kind(kind) => parse(kind, text),
            Said::ByShape => guess(text),
        };
        match parsed {
            Ok(value) => self.normal(&value, about, place),
            Err(reason) => self.refuse(reason, text, place),
        }
    }

    /// Takes a value that is in its form already.
    pub(crate) fn normal(&mut self, value: &Normal, about: &About, place: Place<'_>) {
        let taken = self.set.take(value, about);
        self.taken(taken, place);
    }

    /// Takes values that have to be seen together.
    pub(crate) fn together(&mut self, values: &[Normal], about: &About, place: Place<'_>) {
        let taken = self.set.take_all(values, about);
        self.taken(taken, place);
    }

    fn taken(&mut self, taken: bool, place: Place<'_>) {
        match self.set.file_mut() {
            Some(file) if taken => file.loaded += 1,
            _ => self.note(place, "the set is full (4 GiB of values)".to_owned()),
        }
    }

    /// Notes that a value cannot be taken.
    pub(crate) fn refuse(&mut self, reason: Refusal, text: &str, place: Place<'_>) {
        let text = text.trim();
        let shown = &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)];
        let dots = if shown.len() < text.len() { "…" } else { "" };
        self.note(place, format!("{reason}: {shown}{dots}"));
    }

    /// Notes that something cannot be taken.
    pub(crate) fn note(&mut self, place: Place<'_>, reason: String) {
        let Some(file) = self.set.file_mut() else { return };
        file.not_loaded_total += 1;
        if file.not_loaded.len() < NOTES_MAX {
            let (line, pointer) = match place {
                Place::File => (None, None),
                Place::Line(line) => (u32::try_from(line).ok(), None),
                Place::Pointer(pointer) => (None, Some(pointer.to_owned())),
            };
            file.not_loaded.push(Note { line, pointer, reason });
        }
    }

    /// Counts what is rightly left out.
    pub(crate) fn leave_out(&mut self, reason: &str) {
        let Some(file) = self.set.file_mut() else { return };
        let reason = if file.left_out.len() < REASONS_MAX { reason } else { "other" };
        match file.left_out.iter_mut().find(|(own, _)| own == reason) {
            Some((_, count)) => *count += 1,
            None => file.left_out.push((reason.to_owned(), 1)),
        }
    }
}
