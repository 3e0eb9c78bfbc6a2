//! Fields read back from where they were put aside, in buffers that are used again.

use crate::Field;
use std::collections::BTreeMap;

/// Of so many fields, names are compared with each other; of more, they are looked up.
const COMPARED_MAX: usize = 32;

/// The fields of one finding or record: names and texts stand behind each other in one buffer, because a scan reads
/// those of every finding.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Details {
    texts: String,
    fields: Vec<Place>,
    /// The fields in an order in which those of one name stand together; empty where they do so anyway.
    order: Vec<usize>,
}

/// Where a field stands in the buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    name: usize,
    text: usize,
    end: usize,
    matched: bool,
}

/// A field as it stands in [`Details`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Detail<'d> {
    /// Its name.
    pub name: &'d str,
    /// Its text.
    pub text: &'d str,
    /// Whether the rule's own words met it; false where that was not kept.
    pub matched: bool,
}

impl Details {
    /// Forgets all fields, and keeps the room.
    pub fn clear(&mut self) {
        self.texts.clear();
        self.fields.clear();
        self.order.clear();
    }

    /// Adds a field behind the others.
    pub fn push(&mut self, name: &str, text: &str, matched: bool) {
        let from = self.texts.len();
        self.texts.push_str(name);
        self.texts.push_str(text);
        self.fields.push(Place { name: from, text: from + name.len(), end: self.texts.len(), matched });
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields in the order of the record.
    pub fn iter(&self) -> impl Iterator<Item = Detail<'_>> {
        self.fields.iter().map(|place| self.at(place))
    }

    /// The fields; those of one name stand together, where the first of them stood.
    pub fn together(&self) -> impl Iterator<Item = Detail<'_>> {
        let count = if self.order.is_empty() { self.fields.len() } else { 0 };
        let plain = self.fields[..count].iter();
        let moved = self.order.iter().map(|index| &self.fields[*index]);
        plain.chain(moved).map(|place| self.at(place))
    }

    /// Names of the fields that the rule's own words met, each once, in the order of the record.
    pub fn matched(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for field in self.iter().filter(|field| field.matched) {
            if !names.contains(&field.name) {
                names.push(field.name);
            }
        }
        names
    }

    fn at(&self, place: &Place) -> Detail<'_> {
        Detail {
            name: &self.texts[place.name..place.text],
            text: &self.texts[place.text..place.end],
            matched: place.matched,
        }
    }

    /// Finds the order of [`Details::together`], once all fields are there.
    pub(crate) fn settle(&mut self) {
        self.order.clear();
        let firsts = self.firsts();
        if !firsts.is_sorted() {
            self.order.extend(0..firsts.len());
            self.order.sort_by_key(|index| firsts[*index]);
        }
    }

    /// For each field, the first of its name; none where no name stands apart from itself.
    fn firsts(&self) -> Vec<usize> {
        let name = |place: &Place| &self.texts[place.name..place.text];
        if self.fields.len() <= COMPARED_MAX {
            let is_apart = |(index, own): (usize, &Place)| {
                let before = &self.fields[..index.saturating_sub(1)];
                before.iter().any(|other| name(other) == name(own))
            };
            if !self.fields.iter().enumerate().any(is_apart) {
                return Vec::new();
            }
        }
        let mut first_of: BTreeMap<&str, usize> = BTreeMap::new();
        let places = self.fields.iter().enumerate();
        places.map(|(index, own)| *first_of.entry(name(own)).or_insert(index)).collect()
    }

    pub(crate) fn push_fields(&mut self, fields: &[Field]) {
        fields.iter().for_each(|(name, text)| self.push(name, text, false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expect: &[(&str, &str)]) {
        let mut details = Details::default();
        for _ in 0..2 {
            details.clear();
            names.iter().zip(1..).for_each(|(name, text)| details.push(name, &text.to_string(), false));
            details.settle();
            let found: Vec<_> = details.together().map(|field| (field.name, field.text)).collect();
            assert_eq!(found, expect);
            assert!(details.iter().map(|field| field.name).eq(names.iter().copied()));
        }
    }

    #[test]
    fn fields_of_one_name_stand_together() {
        check(
            &["Data", "EventID", "Data", "Data"],
            &[("Data", "1"), ("Data", "3"), ("Data", "4"), ("EventID", "2")],
        );
        check(&["Data", "Data", "EventID"], &[("Data", "1"), ("Data", "2"), ("EventID", "3")]);
        check(&[], &[]);
    }

    #[test]
    fn of_many_fields_too() {
        let mut names = vec!["a", "b", "a"];
        let more: Vec<String> = (0..COMPARED_MAX).map(|number| format!("n{number}")).collect();
        names.extend(more.iter().map(String::as_str));
        let mut details = Details::default();
        names.iter().for_each(|name| details.push(name, "", false));
        details.settle();
        let found: Vec<_> = details.together().map(|field| field.name).take(4).collect();
        assert_eq!(found, ["a", "a", "b", "n0"]);
    }

    #[test]
    fn names_that_matched_are_told_once() {
        let mut details = Details::default();
        for (name, matched) in [("a", false), ("b", true), ("a", true), ("b", true)] {
            details.push(name, "", matched);
        }
        assert_eq!(details.matched(), ["b", "a"]);
    }
}
