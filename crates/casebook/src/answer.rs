//! From grounds and coverage to answers.

use crate::about::{About, Subject, is_tenant};
use crate::book::{Casebook, Kind, Question, WindowRule};
use crate::build::{Build, Immunity, Standing};
use crate::coverage::{HostLogs, Hours, Window};
use crate::intrusion::Partition;
use crate::key::Key;
use crate::needs::Measure;
use crate::support::{Grade, Ground, Members, RuleGrades, View};
use crate::trace::{Trace, Traces};
use model::{Answer, AnswerWord, Case, HostName, IntrusionId, Span, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

mod facts;
mod lacking;
use facts::Facts;

/// `still-in` looks back so far from the host's last record.
const LAST_DAY_NANOS: i64 = 24 * 3_600 * 1_000_000_000;
/// A fixed build seen so soon after the window begins was there when it began.
const BUILD_LATE_HOURS_MAX: i64 = 24;

/// All answers: by host, intrusion (none first), book, question.
pub fn answers(
    case: &Case,
    books: &[Casebook],
    traces: &Traces<'_>,
    partition: &Partition,
    about: &About,
) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut by_host = by_host(traces, partition);
    let all_logs = HostLogs::of_case(case);
    let tenants: Vec<&HostLogs<'_>> = all_logs.values().filter(|logs| is_tenant(logs)).collect();
    let grades: Vec<RuleGrades<'_>> = books.iter().map(|book| RuleGrades::of(book, traces)).collect();
    for (host, logs) in &all_logs {
        // A host without a finding is asked, too.
        let members = by_host.remove(host).unwrap_or_else(|| BTreeMap::from([(None, Members::default())]));
        let rooms: Vec<Room<'_>> = books
            .iter()
            .zip(&grades)
            .enumerate()
            .map(|(index, (book, grades))| {
                let views = members.iter();
                let views = views.map(|(id, members)| {
                    (*id, View::new((book, grades), traces, members, &partition.components))
                });
                let subject = about.subject(host, index);
                Room::new(case, (book, subject), host, (logs, &tenants), traces, views.collect())
            })
            .collect();
        for intrusion in members.keys() {
            for room in &rooms {
                let own = room.answers(*intrusion);
                // What an intruder did not do is said once, of the host.
                if intrusion.is_none() || own.iter().any(|answer| !answer.grounds.is_empty()) {
                    answers.extend(own);
                }
            }
        }
    }
    answers
}

/// The answers over all intrusions, by host and book.
pub type ByBook<'a> = BTreeMap<(&'a Option<HostName>, &'a str), Vec<&'a Answer>>;

pub fn by_book(answers: &[Answer]) -> ByBook<'_> {
    let mut by_book = ByBook::new();
    for answer in answers.iter().filter(|answer| answer.intrusion.is_none()) {
        by_book.entry((&answer.host, &answer.casebook)).or_default().push(answer);
    }
    by_book
}

/// The traces of each host: all, and by intrusion.
type ByHost = BTreeMap<Option<HostName>, BTreeMap<Option<IntrusionId>, Members>>;

fn by_host(traces: &Traces<'_>, partition: &Partition) -> ByHost {
    let mut by_host = ByHost::new();
    for (index, trace) in traces.list.iter().enumerate() {
        let own = by_host.entry(trace.finding.host.clone()).or_default();
        own.entry(None).or_default().push(traces, index);
        if let Some(intrusion) = partition.assigned[trace.index] {
            own.entry(Some(intrusion)).or_default().push(traces, index);
        }
    }
    by_host
}

/// One book on one host.
struct Room<'a> {
    book: &'a Casebook,
    host: &'a Option<HostName>,
    traces: &'a Traces<'a>,
    /// Whether the host is a server of the book's kind, as far as can be seen.
    is_server: bool,
    /// Whether it is a tenant that the book is about.
    is_tenant: bool,
    last_record: Option<Timestamp>,
    /// What is asked over one window; one for each first day that a question asks for.
    asked: BTreeMap<Option<Timestamp>, Asked>,
    /// By need, over the last day.
    last_day: Vec<Measure>,
    builds: Vec<(Build, Span, Standing)>,
    /// The host's findings: all, and by intrusion.
    views: BTreeMap<Option<IntrusionId>, View<'a>>,
    /// When each shell was last seen to be removed.
    removed: BTreeMap<&'a Key, Timestamp>,
}

/// Over which time is asked, and how well each need is met over it.
struct Asked {
    window: Option<Window>,
    measures: Vec<Measure>,
}

/// A word and what it rests on.
struct Found {
    word: AnswerWord,
    grounds: Vec<Ground>,
    span: Span,
}

impl<'a> Room<'a> {
    fn new(
        case: &'a Case,
        (book, subject): (&'a Casebook, Subject),
        host: &'a Option<HostName>,
        (logs, tenants): (&HostLogs<'_>, &[&HostLogs<'_>]),
        traces: &'a Traces<'a>,
        views: BTreeMap<Option<IntrusionId>, View<'a>>,
    ) -> Self {
        let all = views.get(&None);
        let active = all.map(|view| active_hours(book, traces, view)).unwrap_or_default();
        let breached = all.map(|view| breach_span(book, traces, view)).unwrap_or_default();
        let ask = |from: Option<Timestamp>| {
            let rule = WindowRule { from: from.or(book.window.from), logs: book.window.logs.clone() };
            let window = logs.window(&rule).map(|window| rule.stretch(window, breached));
            let needs = book.needs.iter();
            let measures = needs.map(|need| need.measure_in(logs, tenants, window, &active)).collect();
            (from, Asked { window, measures })
        };
        let last_day = logs.last_record.map(Window::last_day);
        let builds = case.coverage.builds.get(host).into_iter().flatten();
        let builds = builds.filter_map(|(text, span)| {
            let build = Build::parse(text)?;
            Some((build, *span, book.builds.standing(build)))
        });
        let builds: Vec<_> = builds.collect();
        Self {
            is_server: subject.is_server,
            is_tenant: subject.is_tenant,
            asked: book
                .questions
                .iter()
                .map(Question::from)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .map(ask)
                .collect(),
            last_day: book
                .needs
                .iter()
                .map(|need| need.measure_in(logs, tenants, last_day, &active))
                .collect(),
            last_record: logs.last_record,
            removed: views.get(&None).map(|view| removals(book, traces, view)).unwrap_or_default(),
            views,
            book,
            host,
            traces,
            builds,
        }
    }

    fn answers(&self, intrusion: Option<IntrusionId>) -> Vec<Answer> {
        let Some(view) = self.views.get(&intrusion) else { return Vec::new() };
        let mut by_question: BTreeMap<&str, Vec<Ground>> = BTreeMap::new();
        let is_silent = self.book.verdict.only_own && !self.is_server;
        let by_steps = |question: &&Question| question.kind == Kind::Steps && !is_silent;
        for question in self.book.questions.iter().filter(by_steps) {
            by_question.insert(&question.id, view.grounds(question));
        }
        // When an intruder last did something.
        let intrusive = self.book.questions.iter().filter(|question| self.book.is_intrusion(question));
        let signs = intrusive.filter_map(|question| by_question.get(&*question.id)).flatten();
        let last_sign = signs.filter_map(|ground| self.traces.list[ground.trace].time()).max();
        let questions = self.book.questions.iter();
        let asked = questions.filter(|question| intrusion.is_none() || question.kind != Kind::Builds);
        asked
            .map(|question| {
                let found = match question.kind {
                    Kind::Steps => {
                        let grounds = by_question.get(&*question.id).cloned().unwrap_or_default();
                        self.by_steps(question, view, grounds)
                    }
                    Kind::Builds => self.by_builds(),
                    Kind::StillIn => self.still_in(question, view, &by_question),
                };
                self.answer(question, intrusion, found, last_sign)
            })
            .collect()
    }

    fn by_steps(&self, question: &Question, view: &View<'_>, mut grounds: Vec<Ground>) -> Found {
        if grounds.is_empty() {
            grounds = self.unsettled(question, view);
        }
        let word = match grounds.iter().map(|ground| ground.grade).max() {
            Some(Grade::Yes) => AnswerWord::Yes,
            Some(Grade::Likely) => AnswerWord::Likely,
            // Something went on of which nobody knows how it ended.
            Some(Grade::None) => AnswerWord::CannotTell,
            None => self.without_grounds(question),
        };
        let span = self.span(&grounds);
        Found { word, grounds, span }
    }

    /// Findings that support nothing, and keep "no trace" from being said.
    fn unsettled(&self, question: &Question, view: &View<'_>) -> Vec<Ground> {
        let steps = question.unsettled();
        let open = view.stepped().iter().filter(|member| self.traces.list[**member].shows_any(steps));
        open.map(|member| Ground { trace: *member, grade: Grade::None, by_step: true }).collect()
    }

    fn without_grounds(&self, question: &Question) -> AnswerWord {
        let is_subject = if question.asked.is_of_tenant { self.is_tenant } else { self.is_server };
        if (question.asked.server_only && !is_subject) || self.is_immune(question) {
            return AnswerWord::NotApplicable;
        }
        let mut all = self.lacking(question);
        if all.next().is_none() { AnswerWord::NoTrace } else { AnswerWord::CannotTell }
    }

    /// Whether the host cannot have had the hole over all the time that is
    /// asked for: its product never had it, or was fixed when that time began.
    fn is_immune(&self, question: &Question) -> bool {
        let Some(hole) = question.hole.as_ref().and_then(|hole| hole.builds.as_ref()) else { return false };
        let Some(window) = self.asked(question).window else { return false };
        let stands = |build: &Build| self.book.builds.immunity(hole, *build);
        let never =
            !self.builds.is_empty() && self.builds.iter().all(|(build, ..)| stands(build) == Immunity::Never);
        let closed = self.builds.iter().all(|(build, ..)| stands(build) != Immunity::Open);
        let first = self.builds.iter().filter_map(|(_, span, _)| span.first).min();
        let from_begin = first
            .is_some_and(|first| first.hour_index() <= window.first.saturating_add(BUILD_LATE_HOURS_MAX));
        never || (closed && from_begin)
    }

    fn asked(&self, question: &Question) -> &Asked {
        // Every question's first day was asked for when the room was made.
        &self.asked[&question.from()]
    }

    fn span(&self, grounds: &[Ground]) -> Span {
        let mut span = Span::default();
        grounds.iter().for_each(|ground| span.add(self.traces.list[ground.trace].time()));
        span
    }

    fn by_builds(&self) -> Found {
        let mut span = Span::default();
        let mut word = if self.is_server { AnswerWord::CannotTell } else { AnswerWord::NotApplicable };
        for (_, seen, standing) in &self.builds {
            match standing {
                Standing::Vulnerable { .. } => {
                    word = AnswerWord::Yes;
                    span.join(*seen);
                }
                Standing::Fixed { .. } if word == AnswerWord::CannotTell => word = AnswerWord::NoTrace,
                Standing::Fixed { .. } | Standing::Unknown => {}
            }
        }
        Found { word, grounds: Vec::new(), span }
    }

    /// Activity in the last day of the host's records; or a shell that nothing
    /// shows to be gone.
    fn still_in(
        &self,
        question: &Question,
        view: &View<'_>,
        by_question: &BTreeMap<&str, Vec<Ground>>,
    ) -> Found {
        let intrusive = self.book.questions.iter().filter(|other| self.book.is_intrusion(other));
        let mut latest: BTreeMap<usize, Ground> = BTreeMap::new();
        for ground in intrusive.filter_map(|other| by_question.get(&*other.id)).flatten() {
            if self.is_of_last_day(ground) {
                let known = latest.entry(ground.trace).or_insert(*ground);
                known.by_step |= ground.by_step;
            }
        }
        let mut grounds: Vec<Ground> = latest.into_values().collect();
        for ground in &mut grounds {
            ground.grade = if ground.by_step { Grade::Yes } else { Grade::Likely };
        }
        if grounds.iter().all(|ground| ground.grade < Grade::Yes) {
            grounds.extend(self.standing_shells(question, view, by_question));
            grounds.sort_by_key(|ground| ground.trace);
            grounds.dedup_by_key(|ground| ground.trace);
        }
        self.by_steps(question, view, grounds)
    }

    fn is_of_last_day(&self, ground: &Ground) -> bool {
        let time = self.traces.list[ground.trace].time();
        time.zip(self.last_record)
            .is_some_and(|(time, last)| last.nanos().saturating_sub(time.nanos()) <= LAST_DAY_NANOS)
    }

    /// The findings that show a shell written, unless later ones show that all
    /// shells of their group are gone: the finding that sets the directory's
    /// address does not name the file that the reset writes.
    fn standing_shells(
        &self,
        question: &Question,
        view: &View<'_>,
        by_question: &BTreeMap<&str, Vec<Ground>>,
    ) -> Vec<Ground> {
        let lasting = question.stay.lasting.iter().filter_map(|id| by_question.get(id.as_str())).flatten();
        let mut groups: BTreeMap<usize, (Vec<Ground>, Vec<bool>)> = BTreeMap::new();
        for ground in lasting {
            let trace = &self.traces.list[ground.trace];
            let (grounds, gone) = groups.entry(view.component(ground.trace)).or_default();
            grounds.push(Ground { grade: Grade::Likely, ..*ground });
            let shells = trace.keys().iter().filter(|key| matches!(key, Key::Shell(..)));
            let is_gone =
                |key: &Key| self.removed.get(key).zip(trace.time()).is_some_and(|(gone, time)| *gone >= time);
            gone.extend(shells.map(is_gone));
        }
        let standing = groups.into_values().filter(|(_, gone)| gone.is_empty() || gone.contains(&false));
        standing.flat_map(|(grounds, _)| grounds).collect()
    }

    fn answer(
        &self,
        question: &Question,
        intrusion: Option<IntrusionId>,
        found: Found,
        last_sign: Option<Timestamp>,
    ) -> Answer {
        let mut coverage = self.coverage(question);
        coverage.extend(self.hole_lines(question, found.span));
        let next = match found.word {
            AnswerWord::Yes | AnswerWord::Likely => question.act.clone(),
            AnswerWord::CannotTell => self.next(question),
            AnswerWord::NoTrace | AnswerWord::NotApplicable => Vec::new(),
        };
        let facts = Facts {
            book: self.book,
            question,
            traces: self.traces,
            grounds: &found.grounds,
            builds: &self.builds,
            span: found.span,
            missing: self.missing(question),
            covered: self.covered(question),
            get: self.get(question),
            last_sign,
            window: self.asked(question).window.map(|window| window.to_string()).unwrap_or_default(),
            last_record: self.last_record,
        };
        let immune = question.hole.as_ref().and_then(|hole| hole.immune.as_ref());
        let sentence = match (found.word, immune) {
            (AnswerWord::NotApplicable, Some(immune)) if self.is_immune(question) => immune,
            (AnswerWord::NoTrace, _) if self.answers_instead(question) => {
                question.text.no_trace_instead.as_ref().unwrap_or(&question.text.no_trace)
            }
            (word, _) => question.text.of(word),
        };
        let mut text = sentence.render(|name| facts.get(name));
        if text.is_empty() {
            text = facts.get("what");
        }
        Answer {
            casebook: self.book.id.clone(),
            host: self.host.clone(),
            intrusion,
            question_id: question.id.clone(),
            answer: found.word,
            span: found.span,
            grounds: found.grounds.iter().map(|ground| self.traces.list[ground.trace].finding.id).collect(),
            text,
            coverage,
            next,
        }
    }
}

fn removals<'a>(book: &Casebook, traces: &'a Traces<'a>, view: &View<'_>) -> BTreeMap<&'a Key, Timestamp> {
    let mut removed = BTreeMap::new();
    let ends =
        |trace: &Trace<'_>| book.questions.iter().any(|question| trace.shows_any(&question.stay.ended_by));
    for trace in view.stepped().iter().map(|member| &traces.list[*member]).filter(|trace| ends(trace)) {
        let Some(time) = trace.time() else { continue };
        for key in trace.keys().iter().filter(|key| matches!(key, Key::Shell(..))) {
            removed.insert(key, time);
        }
    }
    removed
}

/// The hours in which an intruder is known to have been at work.
fn active_hours(book: &Casebook, traces: &Traces<'_>, view: &View<'_>) -> Hours {
    let intrusive = book.questions.iter().filter(|question| book.is_intrusion(question));
    let grounds = intrusive.flat_map(|question| view.step_grounds(question)).filter(|ground| ground.by_step);
    let hours = grounds.filter_map(|ground| traces.list[ground.trace].time()).map(Timestamp::hour_index);
    Hours::new(hours.map(|hour| (hour, hour)), 0)
}

/// From the first to the last sign of what decides about a breach.
fn breach_span(book: &Casebook, traces: &Traces<'_>, view: &View<'_>) -> Span {
    let mut span = Span::default();
    let decisive = book.verdict.decisive.iter().filter_map(|id| book.question(id));
    let grounds = decisive.flat_map(|question| view.step_grounds(question)).filter(|ground| ground.by_step);
    grounds.for_each(|ground| span.add(traces.list[ground.trace].time()));
    span
}
