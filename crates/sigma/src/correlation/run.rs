//! Correlations, run: events in the order of their times, hits out.
//!
//! # Not here
//! What the events of a timespan amount to ([`super::measure`]).

use super::Correlation;
use super::measure::{Held, Tally, is_sliding, number, percentile, shares};
use super::read::Kind;
use super::watch::{Seen, Watch};
use crate::text::fold;
use model::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// Grounds that one hit keeps; the others are counted.
const GROUNDS_MAX: usize = 10_000;
/// Events between two looks for groups that are over.
const SWEEP_EVENTS: u32 = 4_096;

/// A match of one of the correlation's rules.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// Which of [`Correlation::inputs`] it is a match of.
    pub input: usize,
    /// The values of `group-by`, in its order.
    pub group: Vec<String>,
    /// The values of the condition's `field`, in its order.
    pub values: Vec<String>,
    /// The caller's number of it.
    pub ground: u64,
}

/// A timespan, or several that overlap, in which the correlation holds.
#[derive(Clone, PartialEq, Debug)]
pub struct Hit {
    /// When it first held.
    pub time: Timestamp,
    /// Its first event.
    pub first: Timestamp,
    /// Its last event.
    pub last: Timestamp,
    /// The values of `group-by`, as its first event has them.
    pub group: Vec<String>,
    /// What the condition compared when it first held.
    pub measure: f64,
    /// The value that it is about (`value_percentile`).
    pub value: Option<String>,
    /// Numbers of its events, by time; 10,000 at most.
    pub grounds: Vec<u64>,
    /// How many of them there were when it first held.
    pub grounds_at_first: usize,
    /// How many events it has.
    pub events: u64,
    /// Each event with which it held.
    pub marks: Vec<Mark>,
}

/// That a correlation held at an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// When.
    pub time: Timestamp,
    /// The event's number.
    pub ground: u64,
}

/// Runs one correlation.
#[derive(Debug)]
pub struct Runner<'c> {
    correlation: &'c Correlation,
    is_sliding: bool,
    with_marks: bool,
    pub(super) groups: BTreeMap<Vec<String>, Group>,
    /// Events of one time, until the next comes.
    pending: Vec<Event>,
    since_sweep: u32,
    hits: Vec<Hit>,
    /// What was seen of each group, where that was asked.
    watch: Option<Watch>,
}

/// The events of one group.
#[derive(Debug, Default)]
pub(super) struct Group {
    display: Vec<String>,
    window: VecDeque<Held>,
    tally: Tally,
    /// `temporal_ordered`: by input and length, the latest begin of a chain of that many rules that ends with it.
    chains: Vec<Vec<Option<i64>>>,
    open: Option<Hit>,
}

impl<'c> Runner<'c> {
    /// A runner; `with_marks`: hits keep each event with which they held.
    pub fn new(correlation: &'c Correlation, with_marks: bool) -> Self {
        Self {
            correlation,
            is_sliding: is_sliding(correlation),
            with_marks,
            groups: BTreeMap::new(),
            pending: Vec::new(),
            since_sweep: 0,
            hits: Vec::new(),
            watch: None,
        }
    }

    /// Keeps what it sees of each group, for [`Runner::finish_watched`].
    #[must_use]
    pub fn watching(mut self) -> Self {
        self.watch = Some(Watch::default());
        self
    }

    /// Takes the next event; times ascend.
    pub fn push(&mut self, event: Event) {
        if self.pending.first().is_some_and(|first| first.time != event.time) {
            self.flush();
        }
        self.pending.push(event);
    }

    /// The hits, by time and group.
    pub fn finish(self) -> Vec<Hit> {
        self.finish_watched().0
    }

    /// The hits, by time and group; of each group, those nearest to a hit first, what came nearest (none
    /// unless [`Runner::watching`]); and how often a group was met beyond the 10,000 that are watched.
    pub fn finish_watched(mut self) -> (Vec<Hit>, Vec<Seen>, u64) {
        self.flush();
        for (key, mut group) in std::mem::take(&mut self.groups) {
            self.close(&key, &mut group);
        }
        self.hits.sort_by(|a, b| (a.time, &a.group, &a.value).cmp(&(b.time, &b.group, &b.value)));
        let (seen, beyond) = self.watch.map(Watch::finish).unwrap_or_default();
        (self.hits, seen, beyond)
    }

    /// Events of one time count in the order of their rules.
    fn flush(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_by_key(|event| (event.input, event.ground));
        let now = pending.last().map(|event| event.time.nanos());
        pending.drain(..).for_each(|event| self.take(event));
        self.pending = pending;
        if let Some(now) = now
            && self.since_sweep >= SWEEP_EVENTS
        {
            self.since_sweep = 0;
            self.sweep(now);
        }
    }

    fn take(&mut self, event: Event) {
        let Some(held) = self.held(&event) else { return };
        self.since_sweep += 1;
        let key: Vec<String> = event.group.iter().map(|text| fold(text)).collect();
        let mut group = self.groups.remove(&key).unwrap_or_default();
        if group.display.is_empty() {
            group.display = event.group;
        }
        if self.is_sliding {
            self.slide(&key, &mut group, held);
        } else {
            let over = group.window.front().is_some_and(|first| self.is_beyond(first.time, held.time));
            if over {
                self.close(&key, &mut group);
            }
            group.tally.add(self.correlation, &held);
            group.follow(self.correlation, &held);
            group.window.push_back(held);
        }
        self.groups.insert(key, group);
    }

    /// The event as it is kept; `None`: it lacks what the condition asks for.
    fn held(&self, event: &Event) -> Option<Held> {
        let Correlation { kind, condition, group_by, inputs, .. } = self.correlation;
        if event.group.len() != group_by.len()
            || event.values.len() != condition.fields.len()
            || event.input >= inputs.len()
        {
            return None;
        }
        let value = event.values.iter().map(|text| fold(text)).collect::<Vec<_>>().join("\0");
        let needs_number = match kind {
            Kind::ValueSum | Kind::ValueAvg => true,
            Kind::ValuePercentile => condition.percentile.is_some(),
            _ => false,
        };
        let number = if needs_number { number(&event.values[0])? } else { 0 };
        let value =
            if matches!(kind, Kind::ValueCount | Kind::ValuePercentile) { value } else { String::new() };
        Some(Held { time: event.time.nanos(), input: event.input, ground: event.ground, value, number })
    }

    fn is_beyond(&self, first: i64, now: i64) -> bool {
        now.saturating_sub(first) > self.correlation.timespan
    }

    fn slide(&mut self, key: &[String], group: &mut Group, held: Held) {
        while let Some(first) = group.window.front()
            && self.is_beyond(first.time, held.time)
        {
            group.tally.remove(first);
            group.window.pop_front();
        }
        group.tally.add(self.correlation, &held);
        group.follow(self.correlation, &held);
        let measure = group.tally.measure(self.correlation.kind, group.chain(self.correlation, held.time));
        let holds = group.tally.holds(self.correlation, measure);
        group.window.push_back(held.clone());
        if let Some(watch) = &mut self.watch {
            watch.note(self.correlation, (key, &group.display), group.window.iter(), (measure, None, holds));
        }
        if !holds {
            self.hits.extend(group.open.take());
            return;
        }
        let mark = self.with_marks.then(|| Mark { time: timestamp(held.time), ground: held.ground });
        match &mut group.open {
            Some(hit) => {
                hit.last = timestamp(held.time);
                hit.events += 1;
                if hit.grounds.len() < GROUNDS_MAX {
                    hit.grounds.push(held.ground);
                }
                hit.marks.extend(mark);
            }
            None => {
                let events = group.window.make_contiguous();
                let mut hit = hit(events.iter(), events.len() as u64, &group.display, measure);
                hit.marks.extend(mark);
                group.open = Some(hit);
            }
        }
    }

    /// Ends a whole timespan, or an open hit.
    fn close(&mut self, key: &[String], group: &mut Group) {
        self.hits.extend(group.open.take());
        if self.is_sliding || group.window.is_empty() {
            return;
        }
        let events = Vec::from(std::mem::take(&mut group.window));
        let tally = std::mem::take(&mut group.tally);
        let chain = events.last().map_or(0, |last| group.chain(self.correlation, last.time));
        group.chains.clear();
        let Correlation { kind, condition, .. } = self.correlation;
        let mut found = Vec::new();
        // What all events together amount to, and whether that is enough.
        let mut whole = None;
        match (kind, condition.percentile) {
            (Kind::ValuePercentile, None) => {
                for (value, share) in shares(&events) {
                    let of_value = || events.iter().filter(|held| held.value == value);
                    let holds = condition.holds(share);
                    if let Some(watch) = &mut self.watch {
                        let measured = (share, Some(value), holds);
                        watch.note(self.correlation, (key, &group.display), of_value(), measured);
                    }
                    if !holds {
                        continue;
                    }
                    let mut hit = hit(of_value(), of_value().count() as u64, &group.display, share);
                    hit.value = Some(value.to_owned());
                    found.push(hit);
                }
            }
            (Kind::ValuePercentile, Some(percent)) => {
                let measure = percentile(&events, percent);
                whole = measure.map(|measure| (measure, condition.holds(measure)));
            }
            _ => {
                let measure = tally.measure(*kind, chain);
                whole = Some((measure, tally.holds(self.correlation, measure)));
            }
        }
        if let (Some(watch), Some((measure, holds))) = (&mut self.watch, whole) {
            watch.note(self.correlation, (key, &group.display), events.iter(), (measure, None, holds));
        }
        if let Some((measure, true)) = whole {
            found.push(hit(events.iter(), events.len() as u64, &group.display, measure));
        }
        for mut hit in found {
            if self.with_marks {
                let ground = hit.grounds.last().copied().unwrap_or_default();
                hit.marks.push(Mark { time: hit.time, ground });
            }
            self.hits.push(hit);
        }
    }

    /// Lets go of groups whose timespan is over.
    fn sweep(&mut self, now: i64) {
        let timespan = self.correlation.timespan;
        let is_over =
            |group: &Group| group.window.back().is_none_or(|last| now.saturating_sub(last.time) > timespan);
        let over: Vec<Vec<String>> =
            self.groups.iter().filter(|(_, group)| is_over(group)).map(|(key, _)| key.clone()).collect();
        for key in over {
            if let Some(mut group) = self.groups.remove(&key) {
                self.close(&key, &mut group);
            }
        }
    }
}

impl Group {
    /// Lengthens chains of rules in order by an event.
    fn follow(&mut self, correlation: &Correlation, held: &Held) {
        if correlation.kind != Kind::TemporalOrdered {
            return;
        }
        let inputs = correlation.inputs.len();
        self.chains.resize(inputs, vec![None; inputs]);
        for length in 0..=held.input {
            let begin = match length {
                0 => Some(held.time),
                _ => self.chains[..held.input].iter().filter_map(|chains| chains[length - 1]).max(),
            };
            let known = &mut self.chains[held.input][length];
            *known = (*known).max(begin);
        }
    }

    /// The longest chain of rules in order within the timespan that ends at `now`.
    fn chain(&self, correlation: &Correlation, now: i64) -> usize {
        let within = |begin: i64| now.saturating_sub(begin) <= correlation.timespan;
        let lengths = self.chains.iter().flat_map(|chains| {
            let fits = |begin: &Option<i64>| begin.is_some_and(within);
            chains.iter().rposition(fits).map(|length| length + 1)
        });
        lengths.max().unwrap_or(0)
    }
}

fn timestamp(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn hit<'h>(
    events: impl Iterator<Item = &'h Held> + Clone,
    count: u64,
    group: &[String],
    measure: f64,
) -> Hit {
    let grounds: Vec<u64> = events.clone().take(GROUNDS_MAX).map(|held| held.ground).collect();
    let first = events.clone().next().map_or(0, |held| held.time);
    let last = events.last().map_or(first, |held| held.time);
    Hit {
        time: timestamp(last),
        first: timestamp(first),
        last: timestamp(last),
        group: group.to_vec(),
        measure,
        value: None,
        grounds_at_first: grounds.len(),
        grounds,
        events: count,
        marks: Vec::new(),
    }
}
