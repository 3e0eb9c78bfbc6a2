//! What terminal and HTML both show of a case: totals, hosts by severity, findings by rule, what was not read.

use crate::words;
use model::{
    Answer, AnswerWord, BookAnswer, Case, EvidenceId, Finding, HostName, IntrusionId, ItemCoverage, Level,
    Problem, RuleFacts, Span, Verdict,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The leading path of an item; `None` for an item that the case does not have.
pub(crate) fn lead_path(case: &Case, item: EvidenceId) -> Option<&str> {
    case.items.get(item.0 as usize)?.paths.first().map(String::as_str)
}

/// The figures above everything else.
pub(crate) struct Totals {
    pub(crate) items: u64,
    pub(crate) size_bytes: u64,
    pub(crate) records: u64,
    pub(crate) hosts: u64,
    pub(crate) rules: u64,
    /// Values of files of indicators.
    pub(crate) indicators: u64,
    /// Items that are no log of a known format: hashed.
    pub(crate) unknown: u64,
    /// Those of them whose content rules have looked at.
    pub(crate) looked_at: u64,
}

impl Totals {
    pub(crate) fn of(case: &Case) -> Self {
        Self {
            items: case.items.len() as u64,
            size_bytes: case.items.iter().fold(0, |sum, item| sum.saturating_add(item.size_bytes)),
            records: case.coverage.items.iter().fold(0, |sum, item| sum.saturating_add(item.records)),
            hosts: case.hosts.len() as u64,
            rules: case.looked_for.rules_loaded as u64,
            indicators: case.looked_for.indicators.iter().map(|file| file.loaded).sum(),
            unknown: case.items.iter().filter(|item| item.format.is_none()).count() as u64,
            looked_at: looked_at(case),
        }
    }
}

fn looked_at(case: &Case) -> u64 {
    let unknown = |item: &&ItemCoverage| {
        case.items.get(item.evidence.0 as usize).is_some_and(|own| own.format.is_none())
    };
    case.coverage.items.iter().filter(unknown).filter(|item| item.is_looked_at).count() as u64
}

impl Totals {
    /// `3 items of unknown format: hashed, not read`; `None` without any.
    pub(crate) fn unknown_text(&self) -> Option<String> {
        let count = words::count(self.unknown, "item");
        let looked_at = match self.looked_at.min(self.unknown) {
            0 => "not read".to_owned(),
            all if all == self.unknown => "their content looked at by rules".to_owned(),
            some => {
                format!("not read, but for the content of {}, which rules looked at", words::thousands(some))
            }
        };
        (self.unknown > 0).then(|| format!("{count} of unknown format: hashed, {looked_at}"))
    }
}

/// How many findings of each level, lowest first as in [`Level::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct LevelCounts(pub(crate) [u64; 5]);

impl LevelCounts {
    pub(crate) fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        findings.into_iter().for_each(|finding| counts.add(finding.rule.level));
        counts
    }

    fn add(&mut self, level: Level) {
        self.0[level as usize] += 1;
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Level and count, the highest first, without levels that do not occur.
    pub(crate) fn highest_first(&self) -> impl Iterator<Item = (Level, u64)> + '_ {
        let counts = Level::ALL.into_iter().zip(self.0).rev();
        counts.filter(|(_, count)| *count > 0)
    }
}

/// All that is said of one host.
pub(crate) struct HostView<'a> {
    /// `None`: what no host is known for.
    pub(crate) name: Option<&'a str>,
    pub(crate) also: &'a [HostName],
    pub(crate) verdict: Option<&'a Verdict>,
    /// Answers over all intrusions, in the order of the case.
    pub(crate) answers: Vec<&'a Answer>,
    /// What each casebook says as a whole.
    books: Vec<&'a BookAnswer>,
    pub(crate) levels: LevelCounts,
}

/// What one casebook says of one host.
pub(crate) struct BookView<'a> {
    pub(crate) casebook: &'a str,
    /// `None`: nobody summed it up.
    pub(crate) book: Option<&'a BookAnswer>,
    pub(crate) answers: Vec<&'a Answer>,
    /// Whether a reader should see its questions; else one line says it all.
    pub(crate) whole: bool,
}

impl<'a> BookView<'a> {
    pub(crate) fn title(&self) -> &'a str {
        self.book.map_or(self.casebook, |book| &book.title)
    }

    /// Whether the book is about such a host.
    pub(crate) fn is_asked(&self) -> bool {
        self.book.is_none_or(|book| book.answer != AnswerWord::NotApplicable)
    }

    fn has_sign(&self) -> bool {
        self.book.is_none_or(|book| matches!(book.answer, AnswerWord::Yes | AnswerWord::Likely))
    }

    fn is_general(&self) -> bool {
        self.book.is_some_and(|book| book.general)
    }
}

impl<'a> HostView<'a> {
    fn new(name: Option<&'a str>) -> Self {
        Self {
            name,
            also: &[],
            verdict: None,
            answers: Vec::new(),
            books: Vec::new(),
            levels: LevelCounts::default(),
        }
    }

    pub(crate) fn severity(&self) -> Severity {
        self.verdict.map_or(Severity::Unjudged, |verdict| Severity::of(&verdict.headline))
    }

    /// Whether any question arises for the host.
    pub(crate) fn is_asked(&self) -> bool {
        self.answers.iter().any(|answer| answer.answer != AnswerWord::NotApplicable)
    }

    /// The casebooks, in the order of the case. Those that found something are shown whole, but a general one only
    /// where it alone did: it repeats the others. Where none did, the first that is about such a host is.
    pub(crate) fn books(&self) -> Vec<BookView<'a>> {
        let mut views: Vec<BookView<'a>> = Vec::new();
        for answer in &self.answers {
            match views.iter_mut().find(|view| view.casebook == answer.casebook) {
                Some(view) => view.answers.push(answer),
                None => views.push(BookView {
                    casebook: &answer.casebook,
                    book: self.books.iter().copied().find(|book| book.casebook == answer.casebook),
                    answers: vec![answer],
                    whole: false,
                }),
            }
        }
        let special = views.iter().any(|view| view.has_sign() && !view.is_general());
        for view in &mut views {
            view.whole = view.has_sign() && !(special && view.is_general());
        }
        if !views.iter().any(|view| view.whole)
            && let Some(first) = views.iter_mut().find(|view| view.is_asked())
        {
            first.whole = true;
        }
        views
    }

    /// What to do next, each step once, in the order of the answers; what findings ask for comes first.
    pub(crate) fn next_steps(&self) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let whole = self.books().into_iter().filter(|view| view.whole);
        let (found, other): (Vec<&'a Answer>, Vec<&'a Answer>) =
            whole.flat_map(|view| view.answers).partition(|answer| !answer.grounds.is_empty());
        let answers = found.into_iter().chain(other);
        let steps = answers.flat_map(|answer| answer.next.iter().map(String::as_str));
        steps.filter(|step| seen.insert(*step)).collect()
    }
}

/// The headlines of verdicts, the most severe first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Severity {
    Breached,
    ProbablyBreached,
    Suspicious,
    Probed,
    CannotTell,
    NoTrace,
    Unjudged,
}

impl Severity {
    fn of(headline: &str) -> Self {
        let headline = headline.to_ascii_lowercase();
        let starts = |word| headline.starts_with(word);
        match () {
            () if starts("breached") => Self::Breached,
            () if starts("probably breached") => Self::ProbablyBreached,
            () if starts("suspicious") => Self::Suspicious,
            () if starts("probed") => Self::Probed,
            () if starts("no trace") => Self::NoTrace,
            () => Self::CannotTell,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Breached => "breached",
            Self::ProbablyBreached => "probably breached",
            Self::Suspicious => "suspicious",
            Self::Probed => "probed",
            Self::CannotTell => "cannot tell",
            Self::NoTrace => "no trace",
            Self::Unjudged => "no casebook applies",
        }
    }
}

/// Answers about one intrusion, of the casebooks that are about its hosts.
pub(crate) fn intrusion_answers(case: &Case, intrusion: IntrusionId) -> impl Iterator<Item = &Answer> {
    let is_other = |answer: &Answer| {
        let of_it = |book: &&BookAnswer| book.casebook == answer.casebook && book.host == answer.host;
        case.books.iter().find(of_it).is_some_and(|book| book.answer == AnswerWord::NotApplicable)
    };
    case.answers.iter().filter(move |answer| answer.intrusion == Some(intrusion) && !is_other(answer))
}

/// Hosts, the most severe first, then by their findings (those of the highest level decide), then by name.
pub(crate) fn hosts(case: &Case) -> Vec<HostView<'_>> {
    let mut views: BTreeMap<Option<&str>, HostView<'_>> = BTreeMap::new();
    for host in &case.hosts {
        let view = view_of(&mut views, Some(&host.name));
        view.also = &host.also;
    }
    for verdict in &case.verdicts {
        view_of(&mut views, verdict.host.as_deref()).verdict = Some(verdict);
    }
    for answer in case.answers.iter().filter(|answer| answer.intrusion.is_none()) {
        view_of(&mut views, answer.host.as_deref()).answers.push(answer);
    }
    for book in &case.books {
        view_of(&mut views, book.host.as_deref()).books.push(book);
    }
    for finding in &case.findings {
        view_of(&mut views, finding.host.as_deref()).levels.add(finding.rule.level);
    }
    let mut views: Vec<_> = views.into_values().collect();
    let levels = |view: &HostView<'_>| {
        let [informational, low, medium, high, critical] = view.levels.0;
        Reverse([critical, high, medium, low, informational])
    };
    views.sort_by_key(|view| (view.severity(), levels(view), view.name));
    views
}

fn view_of<'a, 'v>(
    views: &'v mut BTreeMap<Option<&'a str>, HostView<'a>>,
    name: Option<&'a str>,
) -> &'v mut HostView<'a> {
    views.entry(name).or_insert_with(|| HostView::new(name))
}

/// What one rule found.
pub(crate) struct RuleView<'a> {
    pub(crate) rule: &'a RuleFacts,
    pub(crate) count: u64,
    pub(crate) span: Span,
    pub(crate) hosts: BTreeSet<Option<&'a str>>,
}

/// Findings by rule: the highest level first, then the most findings, then the title.
pub(crate) fn rules(case: &Case) -> Vec<RuleView<'_>> {
    let mut views: BTreeMap<(&str, &str), RuleView<'_>> = BTreeMap::new();
    for finding in &case.findings {
        let rule = &*finding.rule;
        let view = views.entry((&rule.id, &rule.title)).or_insert_with(|| RuleView {
            rule,
            count: 0,
            span: Span::default(),
            hosts: BTreeSet::new(),
        });
        view.count += 1;
        view.span.add(finding.time);
        view.hosts.insert(finding.host.as_deref());
    }
    let mut views: Vec<_> = views.into_values().collect();
    // The sort is stable: what is equal here stays in the order of rule ids.
    views.sort_by(|a, b| {
        let key = |view: &RuleView<'_>| (Reverse(view.rule.level), Reverse(view.count));
        key(a).cmp(&key(b)).then_with(|| a.rule.title.cmp(&b.rule.title))
    });
    views
}

/// Something that could not be read as wanted.
pub(crate) struct Trouble<'a> {
    pub(crate) path: &'a str,
    /// At least one.
    pub(crate) problems: Vec<&'a Problem>,
}

impl<'a> Trouble<'a> {
    /// The first problem that cost something; `None` when all was read nevertheless.
    pub(crate) fn first_loss(&self) -> Option<&'a Problem> {
        self.problems.iter().copied().find(|problem| problem.records_lost != Some(0))
    }

    /// How many records it cost, and whether there may be more.
    pub(crate) fn records_lost(&self) -> (u64, bool) {
        let known = self.problems.iter().filter_map(|problem| problem.records_lost);
        let lost = known.fold(0u64, u64::saturating_add);
        (lost, self.problems.iter().any(|problem| problem.records_lost.is_none()))
    }
}

/// What could not be opened, then items with problems, each by path.
pub(crate) fn troubles(case: &Case) -> Vec<Trouble<'_>> {
    let unread = case.unread.iter().map(|(path, problem)| Trouble { path, problems: vec![problem] });
    let items = case.coverage.items.iter().filter(|item| !item.problems.is_empty()).filter_map(|item| {
        let path = lead_path(case, item.evidence)?;
        Some(Trouble { path, problems: item.problems.iter().collect() })
    });
    unread.chain(items).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[track_caller]
    fn check(headline: &str, expect: Severity) {
        assert_eq!(Severity::of(headline), expect, "{headline}");
    }

    #[test]
    fn headlines_have_a_severity() {
        check("BREACHED: Exchange, chain of March 2021", Severity::Breached);
        check("probably breached: web shell used", Severity::ProbablyBreached);
        check("suspicious: logs tampered", Severity::Suspicious);
        check("probed, not breached by what can be seen", Severity::Probed);
        check("no trace of a breach", Severity::NoTrace);
        check("cannot tell", Severity::CannotTell);
    }

    #[test]
    fn what_was_looked_at_is_not_called_unread() {
        let text = |unknown, looked_at| {
            Totals { unknown, looked_at, ..Totals::of(&sample::case()) }.unknown_text().unwrap_or_default()
        };
        assert_eq!(text(0, 0), "");
        assert_eq!(text(2, 0), "2 items of unknown format: hashed, not read");
        assert_eq!(text(2, 2), "2 items of unknown format: hashed, their content looked at by rules");
        assert!(text(3, 1).ends_with("not read, but for the content of 1, which rules looked at"));
    }

    #[test]
    fn a_problem_without_a_cost_is_no_loss() {
        let mut case = sample::case();
        case.coverage.items[1].problems[0].records_lost = Some(0);
        let losses = troubles(&case).iter().filter(|trouble| trouble.first_loss().is_some()).count();
        assert_eq!((troubles(&case).len(), losses), (3, 2));
    }

    #[test]
    fn next_steps_are_said_once() {
        let case = sample::case();
        assert_eq!(hosts(&case)[0].next_steps().len(), 3);
    }
}
