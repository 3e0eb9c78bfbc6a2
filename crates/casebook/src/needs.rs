//! What must have been logged before "no trace" may be said.
//!
//! A need is met when one of its sources (or several together) covers nine
//! tenths of the window with the fields it needs filled, and every hour in
//! which an intruder is known to have been at work: silence just then is no
//! accident. A log that was cleared in the window meets no need, however short
//! the time without records: what was cleared away is not known.

use crate::coverage::{HostLogs, Hours, Window, run_text};
use model::{GapKind, LogCoverage, LogKey};
use serde::Deserialize;

/// A field counts as filled when it is in at least this share (of ten) of the
/// records, and a window as covered when this share of its hours is.
const TENTHS_MIN: u64 = 9;
/// Parts of a log that must be there, too, may be silent for so long (hours).
const PART_QUIET_HOURS: i64 = 48;
/// The log as a whole may be silent for so long, where only a part is asked for.
const WHOLE_QUIET_HOURS: i64 = 3;
/// How a line ends about what is not there at all.
pub const NOT_THERE: &str = ": not in the evidence";
/// Missing times that are named, at most.
const MISSING_NAMED_MAX: usize = 3;

/// Something that a question needs; any of its sources will do.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    pub id: String,
    /// What it is, for readers.
    pub name: String,
    /// Needed only of a server of the book's kind.
    #[serde(default)]
    pub server_only: bool,
    /// What a tenant of a cloud keeps, which is a host of its own: looked for there where the host itself has none.
    #[serde(default)]
    pub of_tenant: bool,
    /// Worth a line only where it is there.
    #[serde(default)]
    pub optional: bool,
    pub any: Vec<Source>,
    /// Entries of the collect list that would meet it.
    #[serde(default)]
    pub next: Vec<String>,
}

/// A log, or a part of it, that can meet a need.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is, for readers.
    pub name: String,
    pub log: String,
    #[serde(default)]
    pub part: String,
    /// Fields that nearly every record must have filled.
    #[serde(default)]
    pub filled: Vec<String>,
    /// Fields that some record must have filled: rarely used columns, which an
    /// older log does not have at all.
    #[serde(default)]
    pub some: Vec<String>,
    /// Other parts of the log that must be there as well.
    #[serde(default)]
    pub with_parts: Vec<String>,
    /// A silence of so many hours is normal for it.
    #[serde(default)]
    pub quiet_hours: i64,
    /// Its records are numbered: one that begins late and did not roll over
    /// has lost nothing.
    #[serde(default)]
    pub numbered: bool,
    /// Jumps in its record numbers are what is asked for.
    #[serde(default)]
    pub unbroken: bool,
    /// No log, but what lies there (files): it has no hours, and what is there
    /// speaks for the whole window.
    #[serde(default)]
    pub standing: bool,
    /// Of what lies there: parts that must not be there.
    #[serde(default)]
    pub unless: Vec<Told>,
    /// Of what lies there: parts that must be there as well.
    #[serde(default)]
    pub with: Vec<Told>,
    /// Of what lies there: what to say where the part is not there, but this one is.
    #[serde(default)]
    pub else_there: Vec<Told>,
}

/// A part, and what its being there or not means for the source.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    pub part: String,
    /// `{count}` are its records, `{builds}` builds that no list of known-good files has.
    pub text: String,
}

/// How well a need is met.
pub struct Measure {
    /// Whether "no trace" may be said, as far as this need goes.
    pub met: bool,
    /// What there is, a line for each source.
    pub lines: Vec<String>,
    /// What is missing; empty when met.
    pub missing: String,
    /// What was used, in a few words.
    pub used: String,
    /// Days of the window, and how many of them what was used covers; of what
    /// lies there, nothing.
    pub days: Option<(i64, i64)>,
}

impl Source {
    pub fn key(&self) -> LogKey {
        self.part_key(&self.part)
    }

    pub fn part_key(&self, part: &str) -> LogKey {
        LogKey { log: self.log.clone(), part: part.to_owned() }
    }
}

impl Need {
    /// Measures the need where its logs lie: on the host, or in the case's tenants, of which the one that has least
    /// speaks, since nobody knows whose the host is.
    pub fn measure_in(
        &self,
        own: &HostLogs<'_>,
        tenants: &[&HostLogs<'_>],
        window: Option<Window>,
        active: &Hours,
    ) -> Measure {
        let is_own = !self.of_tenant || self.any.iter().any(|source| own.log(&source.key()).is_some());
        let others = tenants.iter().filter(|_| !is_own).map(|logs| self.measure(logs, window, active));
        others.min_by_key(|measure| measure.met).unwrap_or_else(|| self.measure(own, window, active))
    }

    /// Measures the need over `window`; `active` are the hours in which an
    /// intruder is known to have been at work.
    pub fn measure(&self, logs: &HostLogs<'_>, window: Option<Window>, active: &Hours) -> Measure {
        if self.any.iter().all(|source| source.standing) {
            return self.measure_standing(logs);
        }
        let Some(window) = window else {
            let missing = format!("{}: nothing with a time in the evidence", self.name);
            let (lines, used) = (vec![missing.clone()], self.name.clone());
            return Measure { met: false, lines, missing, used, days: Some((0, 0)) };
        };
        let found: Vec<Found> = self.any.iter().map(|source| find(source, logs, window)).collect();
        let usable = found.iter().filter(|found| found.usable);
        let covered = usable.fold(Hours::default(), |sum, found| sum.union(&found.covered));
        let silent = active.intersection(&window.hours()).without(&covered);
        let enough = enough(&covered, window);
        let met = enough && silent.count() == 0;
        let mut lines: Vec<String> =
            found.iter().filter(|found| found.there).map(|found| found.line.clone()).collect();
        if lines.is_empty() && !self.optional {
            lines.push(format!("{}{NOT_THERE}", self.name));
        }
        let missing = if met {
            String::new()
        } else if found.iter().all(|found| !found.there) {
            format!("{}{NOT_THERE}", self.name)
        } else {
            // The one that comes nearest: what the others lack stands in the lines.
            let there = found.iter().filter(|found| found.there).rev();
            let nearest = there.max_by_key(|found| found.covered.count());
            let mut missing = nearest.map(|found| found.brief.clone()).unwrap_or_default();
            if enough {
                missing.push_str(", just when an intruder was at work");
            }
            missing
        };
        let best = found.iter().zip(&self.any).rev().max_by_key(|(found, _)| found.covered.count());
        let used = best.map(|(_, source)| source.name.clone()).unwrap_or_default();
        Measure { met, lines, missing, used, days: Some((covered.days(), window.hours().days())) }
    }

    /// What lies there needs no hours: any source that is whole will do.
    fn measure_standing(&self, logs: &HostLogs<'_>) -> Measure {
        let found: Vec<Found> = self.any.iter().map(|source| find_standing(source, logs)).collect();
        let absent = || format!("{}{NOT_THERE}", self.name);
        let there = || found.iter().filter(|found| found.there);
        let mut lines: Vec<String> = there().map(|found| found.line.clone()).collect();
        if lines.is_empty() && !self.optional {
            lines.push(absent());
        }
        let whole = found.iter().find(|found| found.usable);
        let missing = match (whole, there().next()) {
            (Some(_), _) => String::new(),
            (None, Some(found)) => found.line.clone(),
            (None, None) => absent(),
        };
        let used = whole.map_or_else(|| self.name.clone(), |found| found.line.clone());
        Measure { met: whole.is_some(), lines, missing, used, days: None }
    }
}

fn find_standing(source: &Source, logs: &HostLogs<'_>) -> Found {
    let count = |part: &str| logs.log(&source.part_key(part)).map_or(0, |log| log.records);
    let found = |there, usable, what: &str| {
        let line = format!("{}: {what}", source.name);
        Found { there, usable, covered: Hours::default(), brief: line.clone(), line }
    };
    let told = |told: &Told| {
        let text = told.text.replace("{count}", &count(&told.part).to_string());
        text.replace("{builds}", &logs.unlisted_builds())
    };
    if let Some(unless) = source.unless.iter().find(|told| count(&told.part) > 0) {
        return found(true, false, &told(unless));
    }
    match count(&source.part) {
        0 => match source.else_there.iter().find(|told| count(&told.part) > 0) {
            Some(other) => found(true, false, &told(other)),
            None => found(false, false, "not in the evidence"),
        },
        files => match source.with.iter().find(|told| count(&told.part) == 0) {
            Some(with) => found(true, false, &told(with)),
            None => found(true, true, &format!("{files} {}", if files == 1 { "file" } else { "files" })),
        },
    }
}

fn enough(covered: &Hours, window: Window) -> bool {
    let wanted = window.hours().count();
    covered.count().saturating_mul(10) >= wanted.saturating_mul(TENTHS_MIN as i64)
}

/// What one source gives.
struct Found {
    there: bool,
    usable: bool,
    covered: Hours,
    /// What there is, whole, and in fewer words.
    line: String,
    brief: String,
}

fn find(source: &Source, logs: &HostLogs<'_>, window: Window) -> Found {
    let absent = |there: bool, what: &str| {
        let line = format!("{}: {what}", source.name);
        Found { there, usable: false, covered: Hours::default(), brief: line.clone(), line }
    };
    let Some(whole) = logs.log(&source.part_key("")).or_else(|| logs.log(&source.key())) else {
        return absent(false, "not in the evidence");
    };
    if whole.records == 0 {
        return absent(true, "there, but empty");
    }
    let part = match logs.log(&source.key()) {
        Some(part) if part.records > 0 => part,
        _ => return absent(true, "the log is there, and holds none (not recorded, or not audited)"),
    };
    if let Some(missing) = source
        .with_parts
        .iter()
        .find(|part| logs.log(&source.part_key(part)).is_none_or(|part| part.records == 0))
    {
        return absent(true, &format!("there, but nothing of {missing}"));
    }
    if let Some(unfilled) = unfilled(source, part) {
        return absent(true, &unfilled);
    }
    let mut covered = hours(source, part, whole, window);
    if !source.part.is_empty() {
        covered =
            covered.intersection(&Hours::new(own_hours(whole, window, WHOLE_QUIET_HOURS), WHOLE_QUIET_HOURS));
    }
    for name in &source.with_parts {
        if let Some(other) = logs.log(&source.part_key(name)) {
            covered = covered
                .intersection(&Hours::new(own_hours(other, window, PART_QUIET_HOURS), PART_QUIET_HOURS));
        }
    }
    describe(source, whole, covered, window, logs)
}

/// The reason why a field makes the source useless, if one does.
fn unfilled(source: &Source, part: &LogCoverage) -> Option<String> {
    let count = |field: &String| {
        let known = part.filled.iter().find(|(own, _)| own.eq_ignore_ascii_case(field));
        known.map_or(0, |(_, count)| *count)
    };
    if let Some(field) = source.some.iter().find(|field| count(field) == 0) {
        return Some(format!("{field} is never filled"));
    }
    let sparse = |field: &&String| count(field).saturating_mul(10) < part.records.saturating_mul(TENTHS_MIN);
    let field = source.filled.iter().find(sparse)?;
    Some(format!("{field} is filled in {} of {} records only", count(field), part.records))
}

/// The hours of the window in which the source would have shown something.
fn hours(source: &Source, part: &LogCoverage, whole: &LogCoverage, window: Window) -> Hours {
    let mut runs = own_hours(part, window, source.quiet_hours);
    let rolled_over = whole.gaps.iter().any(|gap| gap.kind == GapKind::Rollover);
    if source.numbered
        && source.part.is_empty()
        && !rolled_over
        && let Some((first, _)) = runs.first().copied()
    {
        // Its first record ever: before it, there was nothing to be logged.
        runs.push((window.first, first));
    }
    let covered = Hours::new(runs, source.quiet_hours).intersection(&window.hours());
    covered.without(&lost(source, whole, window))
}

/// Runs of hours with a record, stretched to the window's ends over a normal silence.
fn own_hours(log: &LogCoverage, window: Window, quiet: i64) -> Vec<(i64, i64)> {
    let mut runs = log.hours.clone();
    if runs.is_empty()
        && let Some((first, last)) = log.span.first.zip(log.span.last)
    {
        runs.push((first.hour_index(), last.hour_index()));
    }
    if let (Some((first, _)), Some((_, last))) = (runs.first().copied(), runs.last().copied()) {
        if first > window.first && first - window.first <= quiet {
            runs.push((window.first, first));
        }
        if last < window.last && window.last - last <= quiet {
            runs.push((last, window.last));
        }
    }
    runs
}

/// Hours of the window that gaps take away. Record numbers belong to the
/// whole log: those of a part always jump.
fn lost(source: &Source, whole: &LogCoverage, window: Window) -> Hours {
    let runs = whole.gaps.iter().filter_map(|gap| {
        // The hours in which the records around the gap stand are covered.
        let after = gap.from.map_or(window.first, |from| from.hour_index().saturating_add(1));
        let before = gap.to.map_or(window.last, |to| to.hour_index().saturating_sub(1));
        let starts_silent = gap.kind == GapKind::SilentHours || gap.kind == GapKind::Rollover;
        let first =
            if starts_silent { gap.from.map_or(window.first, |from| from.hour_index()) } else { after };
        let normal = gap.kind == GapKind::SilentHours && before.saturating_sub(first) < source.quiet_hours;
        (!normal).then_some((first, before))
    });
    Hours::new(runs, 0)
}

fn describe(
    source: &Source,
    whole: &LogCoverage,
    covered: Hours,
    window: Window,
    logs: &HostLogs<'_>,
) -> Found {
    let all = window.hours();
    let (name, days) = (&source.name, all.days());
    let mut line = format!("{name}: {} of {days} {} covered ({window})", covered.days(), day_word(days));
    let mut brief = format!("{name}: ");
    // Days with a record at all: where none is without one, only the hours tell.
    let is_whole = covered.days() == days && covered.count() < all.count();
    if !is_whole {
        brief.push_str(&format!("{} of {days} {}, ", covered.days(), day_word(days)));
    }
    let mut both = |text: &str| {
        for (own, between) in [(&mut line, ", "), (&mut brief, "")] {
            let between = if text.starts_with(';') { "" } else { between };
            if between.is_empty() && text.starts_with(';') {
                own.truncate(own.trim_end_matches([',', ' ']).len());
            }
            own.push_str(&format!("{between}{text}"));
        }
    };
    let missing = all.without(&covered);
    let named: Vec<String> =
        missing.runs().iter().take(MISSING_NAMED_MAX).map(|run| run_text(*run)).collect();
    if !named.is_empty() {
        let more = missing.runs().len().saturating_sub(named.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        both(&format!("without {}{more}", named.join(", ")));
    }
    let within = |gap: &&model::Gap| {
        gap.to.is_none_or(|to| to.hour_index() >= window.first)
            && gap.from.is_none_or(|from| from.hour_index() <= window.last)
    };
    let mut usable = true;
    let gaps = || whole.gaps.iter().filter(within);
    if let Some(gap) = gaps().find(|gap| gap.kind == GapKind::Cleared) {
        usable = false;
        let time = gap.to.map(|to| format!(" at {}", to.to_short())).unwrap_or_default();
        both(&format!("; cleared{time}"));
    }
    if gaps().any(|gap| gap.kind == GapKind::Rollover) {
        both("; older records were overwritten or deleted");
    }
    if gaps().any(|gap| gap.kind == GapKind::RecordJump) {
        usable &= !source.unbroken;
        both("; record numbers jump");
    }
    let (records, cut) = logs.losses(whole);
    if cut || records > 0 {
        usable &= !cut && records.saturating_mul(10) < whole.records.saturating_add(records);
        both("; not read whole (coverage.json)");
    }
    let brief = brief.trim_end_matches([',', ' ']).to_owned();
    Found { there: true, usable, covered, line, brief }
}

/// `day` or `days`.
pub fn day_word(count: i64) -> &'static str {
    if count == 1 { "day" } else { "days" }
}
