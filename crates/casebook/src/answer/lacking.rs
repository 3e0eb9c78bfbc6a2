//! What there was to answer a question, what was not, and what to get.

use super::{Room, facts};
use crate::book::{Kind, Question};
use crate::build::Build;
use crate::needs::{Measure, NOT_THERE, day_word};
use model::Span;
use std::collections::BTreeSet;

impl Room<'_> {
    /// What the question lacks before "no trace" may be said, by its own needs
    /// and those of the questions that it rests on.
    pub(super) fn lacking<'s>(
        &'s self,
        question: &'s Question,
    ) -> impl Iterator<Item = (usize, &'s Measure)> {
        let others = question.beyond.rests_on.iter().map(|index| &self.book.questions[*index]);
        let others = others.filter(|other| self.is_server || !other.asked.server_only);
        let mut told = BTreeSet::new();
        std::iter::once(question)
            .chain(others)
            .filter(|asked| !self.is_met_instead(asked))
            .flat_map(|asked| self.needs(asked))
            .filter(move |(need, measure)| !measure.met && told.insert(*need))
    }

    /// What does instead of the needs, where these are not met.
    fn instead<'s>(&'s self, question: &'s Question) -> impl Iterator<Item = (usize, &'s Measure)> {
        let others = question.beyond.rests_on.iter().map(|index| &self.book.questions[*index]);
        let open = std::iter::once(question).chain(others).filter(|asked| {
            self.needs(asked).any(|(_, measure)| !measure.met) && (self.is_server || !asked.asked.server_only)
        });
        let needs = open.flat_map(|asked| asked.beyond.instead.iter().map(move |need| (asked, *need)));
        let mut told = BTreeSet::new();
        needs
            .filter(move |(_, need)| told.insert(*need))
            .map(|(asked, need)| (need, &self.asked(asked).measures[need]))
    }

    /// Whether the question is answered by what does instead of its needs.
    fn is_met_instead(&self, question: &Question) -> bool {
        let measures = &self.asked(question).measures;
        !question.beyond.instead.is_empty() && question.beyond.instead.iter().all(|need| measures[*need].met)
    }

    /// What the question needs on this host.
    pub(super) fn needs<'s>(&'s self, question: &'s Question) -> impl Iterator<Item = (usize, &'s Measure)> {
        let measures =
            if question.kind == Kind::StillIn { &self.last_day } else { &self.asked(question).measures };
        let asked =
            question.needs.iter().filter(|need| self.is_server || !self.book.needs[**need].server_only);
        asked.map(|need| (*need, &measures[*need]))
    }

    /// What there was to answer the question, a line for each log.
    pub(super) fn coverage(&self, question: &Question) -> Vec<String> {
        let asked = |need: &&usize| self.is_server || !self.book.needs[**need].server_only;
        let also = question.beyond.instead.iter().chain(&question.also).filter(asked);
        let also = also.map(|need| &self.asked(question).measures[*need]);
        let measures = self.needs(question).map(|(_, measure)| measure).chain(also);
        let mut lines: Vec<String> = measures.flat_map(|measure| measure.lines.iter().cloned()).collect();
        if question.kind == Kind::Builds {
            let builds = self.builds.iter();
            lines.extend(builds.map(|(build, span, standing)| facts::build_line(*build, *span, standing)));
        }
        lines
    }

    /// What is known of the hole, beside what the logs covered.
    pub(super) fn hole_lines(&self, question: &Question, span: Span) -> Vec<String> {
        let Some(hole) = &question.hole else { return Vec::new() };
        let mut lines = Vec::new();
        if let Some(name) = &hole.builds {
            let by = self.book.builds.closed_by(name);
            let stands = |build: Build| self.book.builds.immunity(name, build);
            let builds = self.builds.iter();
            lines.extend(builds.map(|(build, span, _)| facts::hole_line(*build, *span, stands(*build), by)));
        }
        lines.extend(hole.notes.iter().filter(|note| note.holds(&self.builds)).map(|note| note.text.clone()));
        lines.push(format!("{}: {}", hole.called, hole.known));
        if let Some((first, public)) = span.first.zip(hole.public)
            && first < public
        {
            let day = public.to_short();
            let day = day.get(..10).unwrap_or_default();
            lines.push(format!(
                "the first sign is older than anything that is known of it ({day}): look twice"
            ));
        }
        lines
    }

    /// What to get, in the order of the collect list.
    pub(super) fn next(&self, question: &Question) -> Vec<String> {
        let ids: BTreeSet<&String> = self.to_get(question).chain(&question.next).collect();
        let entries = self.book.list.entries.iter().filter(|entry| ids.contains(&entry.id));
        entries.map(|entry| entry.render_line(&self.book.list.id)).collect()
    }

    /// The same in a few words.
    pub(super) fn get(&self, question: &Question) -> String {
        let ids: BTreeSet<&String> = self.to_get(question).collect();
        let entries = self.book.list.entries.iter().filter(|entry| ids.contains(&entry.id));
        entries.map(|entry| entry.what.trim()).collect::<Vec<_>>().join(", ")
    }

    /// Entries of the collect list that would have told.
    fn to_get<'s>(&'s self, question: &'s Question) -> impl Iterator<Item = &'s String> {
        let unmet = self.instead(question).filter(|(_, measure)| !measure.met);
        self.lacking(question).chain(unmet).flat_map(|(need, _)| &self.book.needs[need].next)
    }

    /// What is missing, in words: of the logs, and of what would do instead of them, where any is there.
    pub(super) fn missing(&self, question: &Question) -> String {
        let own: Vec<&str> = self.lacking(question).map(|(_, measure)| measure.missing.as_str()).collect();
        let instead = self.instead(question).map(|(_, measure)| measure.missing.as_str());
        let instead = instead.filter(|text| !text.is_empty() && !text.ends_with(NOT_THERE));
        std::iter::once(missing_text(&own)).chain(instead.map(str::to_owned)).collect::<Vec<_>>().join("; ")
    }

    /// What was looked through where nothing was found.
    pub(super) fn covered(&self, question: &Question) -> String {
        if self.answers_instead(question) {
            let used = self.instead(question).map(|(_, measure)| measure.used.as_str());
            return used.collect::<Vec<_>>().join(", ");
        }
        let measures: Vec<&Measure> = self.needs(question).map(|(_, measure)| measure).collect();
        let mut names: Vec<&str> = measures.iter().map(|measure| measure.used.as_str()).collect();
        names.dedup();
        match measures.iter().filter_map(|measure| measure.days).min() {
            Some((covered, of)) => {
                format!("{}: {covered} of {of} {}", names.join(", "), day_word(of))
            }
            None => names.join(", "),
        }
    }

    /// Whether the question has no answer but by what does instead of its needs.
    pub(super) fn answers_instead(&self, question: &Question) -> bool {
        self.is_met_instead(question) && self.needs(question).any(|(_, measure)| !measure.met)
    }
}

/// What is missing, with what is not there at all in one list.
fn missing_text(missing: &[&str]) -> String {
    let (absent, other): (Vec<&str>, Vec<&str>) = missing.iter().partition(|text| text.ends_with(NOT_THERE));
    let names: Vec<&str> = absent.iter().map(|text| text.trim_end_matches(NOT_THERE)).collect();
    let absent = (!names.is_empty()).then(|| format!("not in the evidence: {}", names.join(", ")));
    let other = other.into_iter().map(str::to_owned);
    absent.into_iter().chain(other).collect::<Vec<_>>().join("; ")
}
