//! Which findings support a question, and how surely.

use crate::book::{Casebook, Question};
use crate::key::{Key, Kinds};
use crate::trace::{Trace, Traces};
use model::{Level, RuleFacts, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

const NANOS_PER_MINUTE: u64 = 60_000_000_000;

/// How surely a finding supports a question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Grade {
    /// Not alone.
    None,
    Likely,
    Yes,
}

/// A step, and what it says about a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Support {
    pub step: String,
    /// Its grade alone.
    pub grade: Grade,
    /// Rules of a lower level do not count: they match what administrators do, too.
    pub level_min: Level,
    pub raises: Vec<Raise>,
    /// What else may have brought it about: then it says nothing here.
    pub explained: Option<Explained>,
}

/// A record that stands nearby, joined, and explains another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// Any of these.
    pub by: Vec<Partner>,
    pub minutes: u32,
}

impl Support {
    fn explained_by(&self) -> impl Iterator<Item = &Partner> {
        self.explained.iter().flat_map(|explained| &explained.by)
    }
}

/// What makes a step weigh more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raise {
    pub to: Grade,
    /// Any of these.
    pub with: Vec<Partner>,
    pub when: When,
}

/// A record that shows all of these steps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Partner {
    pub steps: Vec<String>,
    /// Its rule must be of this level at least.
    pub level_min: Level,
}

/// Where the partner must stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Joined, so many minutes before or after; `other`: one that the record
    /// itself does not show.
    Within { minutes: u32, other: bool },
    /// The same as `other`, but only as a circumstance: the partner is no ground of the answer.
    Near { minutes: u32 },
    /// Joined, at any later time.
    Later,
    /// At any earlier time, with the same shell.
    ShellBefore,
}

/// What the techniques and the tactics of a rule say of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct RuleGrade {
    technique: Grade,
    tactic: Grade,
}

/// The same of all rules of a case ([`Traces::rules`]), by the ids of a book's questions; questions of which no rule says
/// anything are left out.
#[derive(Default)]
pub struct RuleGrades<'a>(BTreeMap<&'a str, Vec<RuleGrade>>);

impl<'a> RuleGrades<'a> {
    /// Asks each question of a book about each rule: many findings, few rules.
    pub fn of(book: &'a Casebook, traces: &Traces<'_>) -> Self {
        let grade = |question: &Question, rule: &RuleFacts| match rule.level {
            Level::High | Level::Critical => RuleGrade {
                technique: question.technique_grade(&rule.techniques),
                tactic: question.tactic_grade(rule),
            },
            _ => RuleGrade { technique: Grade::None, tactic: Grade::None },
        };
        let says = |grade: &RuleGrade| grade.technique.max(grade.tactic) > Grade::None;
        let of = |question: &'a Question| {
            let grades: Vec<RuleGrade> = traces.rules.iter().map(|rule| grade(question, rule)).collect();
            grades.iter().any(says).then_some((question.id.as_str(), grades))
        };
        Self(book.questions.iter().filter_map(of).collect())
    }
}

/// Findings that are looked at together: indexes into the list of traces, ascending, so by time.
#[derive(Default)]
pub struct Members {
    all: Vec<usize>,
    /// Those with a step.
    stepped: Vec<usize>,
    /// Those without one, of a level that its rule's techniques may speak at.
    plain: Vec<usize>,
}

impl Members {
    /// Adds one that stands behind the others.
    pub fn push(&mut self, traces: &Traces<'_>, member: usize) {
        let trace = &traces.list[member];
        self.all.push(member);
        if !trace.steps.is_empty() {
            self.stepped.push(member);
        } else if trace.finding.rule.level >= Level::High {
            self.plain.push(member);
        }
    }

    /// All of `members`, which are ascending.
    pub fn of(traces: &Traces<'_>, members: &[usize]) -> Self {
        let mut all = Self::default();
        members.iter().for_each(|member| all.push(traces, *member));
        all
    }
}

/// A finding that an answer rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ground {
    /// Index into [`Traces::list`].
    pub trace: usize,
    pub grade: Grade,
    /// Whether the rule says the step; else its technique spoke.
    pub by_step: bool,
}

/// Some findings of a case (a host's, or an intrusion's on a host), and who
/// of them stands near whom.
pub struct View<'a> {
    traces: &'a Traces<'a>,
    members: &'a Members,
    /// What rules without steps say.
    grades: &'a RuleGrades<'a>,
    /// For each trace of the case, whom it is joined with.
    components: &'a [usize],
    partners: BTreeMap<&'a Partner, Index>,
}

/// Where the records stand that can be somebody's partner.
#[derive(Default)]
struct Index {
    by_component: BTreeMap<(usize, usize), Vec<(Timestamp, usize)>>,
    by_kinds: BTreeMap<(usize, Kinds), Vec<(Timestamp, usize)>>,
    /// The earliest record with a shell.
    by_shell: BTreeMap<Key, (Timestamp, usize)>,
}

impl<'a> View<'a> {
    /// A view over `members` by a book, whose grades of rules are `grades`.
    pub fn new(
        (book, grades): (&'a Casebook, &'a RuleGrades<'a>),
        traces: &'a Traces<'a>,
        members: &'a Members,
        components: &'a [usize],
    ) -> Self {
        let supports = book.questions.iter().flat_map(|question| &question.supports);
        let wanted: BTreeSet<&Partner> = supports
            .flat_map(|one| one.raises.iter().flat_map(|one| &one.with).chain(one.explained_by()))
            .collect();
        let mut partners: BTreeMap<&Partner, Index> =
            wanted.into_iter().map(|one| (one, Index::default())).collect();
        for member in &members.stepped {
            let trace = &traces.list[*member];
            let Some(time) = trace.time() else {
                // A file that lies there was there before whatever uses it, or is no shell of it.
                for (partner, index) in &mut partners {
                    if trace.shows_any(&partner.steps) && traces.record_shows(trace, &partner.steps) {
                        index.add_shells(trace, Timestamp::from_nanos(i64::MIN), *member);
                    }
                }
                continue;
            };
            for (partner, index) in &mut partners {
                // One of them must be its own: else the record counts once for each rule that matched it.
                let weighs = trace.finding.rule.level >= partner.level_min;
                if weighs && trace.shows_any(&partner.steps) && traces.record_shows(trace, &partner.steps) {
                    index.add(trace, time, *member, components[*member]);
                }
            }
        }
        Self { traces, members, grades, components, partners }
    }

    /// Those of its findings whose rules say which step they show, by time.
    pub fn stepped(&self) -> &'a [usize] {
        &self.members.stepped
    }

    /// The group that the finding is joined into.
    pub fn component(&self, trace: usize) -> usize {
        self.components[trace]
    }

    /// All findings that support `question`, and those that raise them, by
    /// trace; each once, with its highest grade.
    pub fn grounds(&self, question: &Question) -> Vec<Ground> {
        let mut grounds = self.plain_grounds(question);
        let stepped = self.step_grounds(question);
        if !stepped.is_empty() {
            grounds.extend(stepped);
            grounds.sort_unstable_by_key(|ground| ground.trace);
        }
        grounds
    }

    /// Those that rules of somebody else's bring, which know no steps.
    fn plain_grounds(&self, question: &Question) -> Vec<Ground> {
        let Some(grades) = self.grades.0.get(question.id.as_str()) else { return Vec::new() };
        let ground = |member: &usize| {
            let trace = &self.traces.list[*member];
            let RuleGrade { technique, tactic } = grades[trace.rule];
            let technique = if self.traces.record_has_step(trace) { Grade::None } else { technique };
            let grade = technique.max(tactic);
            (grade > Grade::None).then_some(Ground { trace: *member, grade, by_step: false })
        };
        self.members.plain.iter().filter_map(ground).collect()
    }

    /// Those that steps bring.
    pub fn step_grounds(&self, question: &Question) -> Vec<Ground> {
        let mut grounds: BTreeMap<usize, Ground> = BTreeMap::new();
        let mut keep = |ground: Ground| {
            let known = grounds.entry(ground.trace).or_insert(ground);
            known.grade = known.grade.max(ground.grade);
            known.by_step |= ground.by_step;
        };
        if question.supports.is_empty() {
            return Vec::new();
        }
        for member in &self.members.stepped {
            let trace = &self.traces.list[*member];
            let level = trace.finding.rule.level;
            let counts = |support: &&Support| level >= support.level_min && trace.shows(&support.step);
            let shown = question.supports.iter().filter(counts);
            for support in shown.filter(|support| !self.is_explained(trace, *member, support)) {
                let mut grade = support.grade;
                for raise in &support.raises {
                    let Some(raisers) = self.raisers(trace, *member, raise) else { continue };
                    grade = grade.max(raise.to);
                    // What wrote the shell says which page it is; it is no use of it.
                    if !matches!(raise.when, When::ShellBefore | When::Near { .. }) {
                        let ground = |trace| Ground { trace, grade: raise.to, by_step: true };
                        raisers.into_iter().map(ground).for_each(&mut keep);
                    }
                }
                if grade > Grade::None {
                    keep(Ground { trace: *member, grade, by_step: true });
                }
            }
        }
        grounds.into_values().collect()
    }

    /// Whether something else brought about what `trace` shows.
    fn is_explained(&self, trace: &Trace<'_>, member: usize, support: &Support) -> bool {
        let Some(explained) = &support.explained else { return false };
        let reach = Reach::around(explained.minutes);
        let mut indexes = explained.by.iter().filter_map(|partner| self.partners.get(partner));
        indexes.any(|index| self.nearest_within(index, trace, member, reach).is_some())
    }

    /// The nearest partners of each kind; `None` when there is none at all.
    /// An empty list: the record raises itself.
    fn raisers(&self, trace: &Trace<'_>, member: usize, raise: &Raise) -> Option<Vec<usize>> {
        let mut found = None;
        for partner in &raise.with {
            // A record of too low a level to be the partner may have one of the same step.
            let is_lesser = trace.finding.rule.level < partner.level_min && trace.shows_any(&partner.steps);
            let own = self.traces.record_shows(trace, &partner.steps) && !is_lesser;
            let raiser = match raise.when {
                When::Within { other: true, .. } | When::Near { .. } if own => None,
                When::Within { other: false, .. } if own => {
                    found.get_or_insert_with(Vec::new);
                    None
                }
                _ => self
                    .partners
                    .get(partner)
                    .and_then(|index| self.nearest(index, trace, member, raise.when)),
            };
            if let Some(raiser) = raiser {
                found.get_or_insert_with(Vec::new).push(raiser);
            }
        }
        found
    }

    fn nearest(&self, index: &Index, trace: &Trace<'_>, member: usize, when: When) -> Option<usize> {
        if when == When::ShellBefore {
            let time = trace.time()?;
            let shells = trace.keys().iter().filter_map(|key| index.by_shell.get(key));
            return shells.filter(|(before, _)| *before <= time).min().map(|(_, other)| *other);
        }
        let reach = match when {
            When::Within { minutes, .. } | When::Near { minutes } => Reach::around(minutes),
            When::Later | When::ShellBefore => Reach { before: None, after: Some(u64::MAX) },
        };
        self.nearest_within(index, trace, member, reach)
    }

    fn nearest_within(&self, index: &Index, trace: &Trace<'_>, member: usize, reach: Reach) -> Option<usize> {
        let time = trace.time()?;
        let mut best: Option<(u64, usize)> = None;
        let mut look = |times: &[(Timestamp, usize)]| {
            if let Some(candidate) = nearest_of(times, time, member, reach) {
                best = Some(best.map_or(candidate, |best| best.min(candidate)));
            }
        };
        if let Some(times) = index.by_component.get(&(trace.host, self.components[member])) {
            look(times);
        }
        let host = (trace.host, Kinds::default())..(trace.host + 1, Kinds::default());
        for ((_, kinds), times) in index.by_kinds.range(host) {
            if !kinds.comparable(trace.kinds()) {
                look(times);
            }
        }
        best.map(|(_, other)| other)
    }
}

impl Index {
    fn add(&mut self, trace: &Trace<'_>, time: Timestamp, member: usize, component: usize) {
        self.by_component.entry((trace.host, component)).or_default().push((time, member));
        self.by_kinds.entry((trace.host, trace.kinds())).or_default().push((time, member));
        self.add_shells(trace, time, member);
    }

    fn add_shells(&mut self, trace: &Trace<'_>, time: Timestamp, member: usize) {
        for key in trace.keys().iter().filter(|key| matches!(key, Key::Shell(..))) {
            // Members come by time: the first is the earliest.
            self.by_shell.entry(key.clone()).or_insert((time, member));
        }
    }
}

/// How far before and after a time one looks, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reach {
    pub before: Option<u64>,
    pub after: Option<u64>,
}

impl Reach {
    /// So many minutes before and after.
    pub fn around(minutes: u32) -> Self {
        let nanos = u64::from(minutes) * NANOS_PER_MINUTE;
        Self { before: Some(nanos), after: Some(nanos) }
    }

    /// So many minutes before.
    pub fn before(minutes: u32) -> Self {
        Self { after: None, ..Self::around(minutes) }
    }
}

/// The nearest in time of `times` (ascending) that is not `member` itself,
/// with its distance; of two as near, the one with the lower index.
pub fn nearest_of(
    times: &[(Timestamp, usize)],
    time: Timestamp,
    member: usize,
    reach: Reach,
) -> Option<(u64, usize)> {
    let at = times.partition_point(|(other, _)| *other < time);
    // At the same time is both before and after: it stands behind `at`.
    let same = times[at..].iter().take_while(|(other, _)| *other == time).find(|(_, other)| *other != member);
    let after = times[at..].iter().find(|(_, other)| *other != member);
    let before = times[..at].last();
    let within = |found: Option<&(Timestamp, usize)>, limit: Option<u64>| {
        let (other, index) = *found?;
        let distance = other.nanos().abs_diff(time.nanos());
        limit.is_some_and(|limit| distance <= limit).then_some((distance, index))
    };
    let found = [within(before, reach.before), within(same, reach.before), within(after, reach.after)];
    found.into_iter().flatten().min()
}
