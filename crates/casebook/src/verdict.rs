//! The sentence above a host's answers.

use crate::answer::ByBook;
use crate::book::{Casebook, VerdictRule};
use crate::coverage::HostLogs;
use crate::summary;
use model::{Answer, AnswerWord, Case, HostName, Intrusion, Span, Verdict};

/// What all books together make of a host.
pub struct Judgement<'a> {
    pub rank: Rank,
    pub verdict: Verdict,
    /// The books whose answers say what happened; a general one only where it alone does.
    pub books: Vec<&'a Casebook>,
}

/// One verdict per host, by host; of several books the gravest, and of those
/// that found nothing the first that is about such a host.
pub fn judge<'a>(
    case: &Case,
    books: &'a [Casebook],
    intrusions: &[Intrusion],
    by_book: &ByBook<'_>,
) -> Vec<Judgement<'a>> {
    let mut verdicts = Vec::new();
    for host in HostLogs::of_case(case).into_keys() {
        let asked = summary::asked(books, &host, by_book);
        let judged = asked.into_iter().map(|book| {
            let answers = by_book.get(&(&host, book.id.as_str())).map(Vec::as_slice).unwrap_or_default();
            Judged::new(book, Own { answers, intrusions })
        });
        verdicts.extend(of_books(host.clone(), &judged.collect::<Vec<_>>()));
    }
    verdicts
}

/// How grave a verdict is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Breached,
    Probably,
    Suspicious,
    Probed,
    CannotTell,
    NoTrace,
}

/// Answers of one book on one host, as a whole.
struct Own<'a> {
    answers: &'a [&'a Answer],
    /// All of the case.
    intrusions: &'a [Intrusion],
}

impl Own<'_> {
    fn word(&self, id: &str) -> Option<AnswerWord> {
        self.answers.iter().find(|answer| answer.question_id == id).map(|answer| answer.answer)
    }

    fn count(&self, ids: &[String], word: AnswerWord) -> usize {
        ids.iter().filter(|id| self.word(id) == Some(word)).count()
    }

    fn any(&self, ids: &[String], words: &[AnswerWord]) -> bool {
        ids.iter().filter_map(|id| self.word(id)).any(|word| words.contains(&word))
    }
}

impl Own<'_> {
    /// Nothing speaks for a breach: whether the evidence would. On a host that
    /// the decisive questions do not apply to, all others decide.
    fn without_breach(&self, rule: &VerdictRule) -> Rank {
        let applies = |word: &AnswerWord| *word != AnswerWord::NotApplicable;
        let mut words: Vec<AnswerWord> =
            rule.decisive.iter().filter_map(|id| self.word(id)).filter(applies).collect();
        if words.is_empty() {
            words = self.answers.iter().map(|answer| answer.answer).filter(applies).collect();
        }
        let no_trace = !words.is_empty() && words.iter().all(|word| *word == AnswerWord::NoTrace);
        if no_trace { Rank::NoTrace } else { Rank::CannotTell }
    }
}

/// What one book makes of a host.
struct Judged<'a, 'o> {
    book: &'a Casebook,
    own: Own<'o>,
    rank: Rank,
}

impl<'a, 'o> Judged<'a, 'o> {
    fn new(book: &'a Casebook, own: Own<'o>) -> Self {
        let rule = &book.verdict;
        let (yes, likely) = (&[AnswerWord::Yes][..], &[AnswerWord::Likely][..]);
        let rank = if own.any(&rule.breach, yes) {
            Rank::Breached
        } else if own.any(&rule.probable, likely) || own.count(&rule.suspect, AnswerWord::Yes) > 1 {
            Rank::Probably
        } else if own.any(&rule.breach, likely) || own.any(&rule.suspect, yes) {
            Rank::Suspicious
        } else if own.any(&rule.probed, yes) {
            Rank::Probed
        } else {
            own.without_breach(rule)
        };
        Self { book, own, rank }
    }
}

/// The sentence over all that the books say; `None` without a book.
fn of_books<'a>(host: Option<HostName>, judged: &[Judged<'a, '_>]) -> Option<Judgement<'a>> {
    let gravest = judged.iter().map(|one| one.rank).min()?;
    // "No trace" by the book of the host's kind is not undone by what a general one lacks.
    let rank = if gravest > Rank::Probed { judged.first()?.rank } else { gravest };
    let leading = special(judged.iter().filter(|one| one.rank == rank));
    let telling = special(judged.iter().filter(|one| one.rank <= Rank::Suspicious));
    // Where nobody was in, the book of the host's kind speaks for all.
    let telling = if telling.is_empty() { leading.first().copied().into_iter().collect() } else { telling };
    let books = telling.iter().map(|one| one.book).collect();
    let names: Vec<String> = leading.iter().map(|one| name(one.book, &one.own)).collect();
    let names = names.join("; ");
    let headline = match rank {
        Rank::Breached => format!("BREACHED: {names}"),
        Rank::Probably => format!("probably breached: {names}"),
        Rank::Suspicious => format!("suspicious: {names}"),
        Rank::Probed => "probed, not breached by what can be seen".to_owned(),
        Rank::NoTrace => "no trace of a breach".to_owned(),
        Rank::CannotTell => "cannot tell".to_owned(),
    };
    let text = text(&host, &leading, rank);
    Some(Judgement { rank, verdict: Verdict { host, headline, text }, books })
}

/// A book about everything adds nothing where one about an attack speaks.
fn special<'j, 'a, 'o>(judged: impl Iterator<Item = &'j Judged<'a, 'o>>) -> Vec<&'j Judged<'a, 'o>> {
    let mut all: Vec<_> = judged.collect();
    if all.iter().any(|one| !one.book.general) {
        all.retain(|one| !one.book.general);
    }
    all
}

/// The book's title and the holes that were used; else what was done.
fn name(book: &Casebook, own: &Own<'_>) -> String {
    for word in [AnswerWord::Yes, AnswerWord::Likely] {
        let used = book.verdict.named.iter().filter(|id| own.word(id) == Some(word));
        let used: Vec<&str> =
            used.filter_map(|id| book.question(id)?.hole.as_ref()).map(|hole| hole.called.as_str()).collect();
        if !used.is_empty() {
            return format!("{}, {}", book.title, used.join(" and "));
        }
        if own.any(&book.verdict.named, &[word]) {
            return book.title.clone();
        }
    }
    let grave = book.verdict.breach.iter().chain(&book.verdict.suspect);
    let of = |word: AnswerWord| {
        let ids = grave.clone().filter(move |id| own.word(id) == Some(word));
        let titles = ids.filter_map(|id| book.question(id)).map(|question| question.title.as_str());
        titles.take(3).collect::<Vec<_>>().join(", ")
    };
    let sure = of(AnswerWord::Yes);
    if sure.is_empty() { of(AnswerWord::Likely) } else { sure }
}

fn text(host: &Option<HostName>, leading: &[&Judged<'_, '_>], rank: Rank) -> String {
    let mut sentences = Vec::new();
    let Some(Judged { book, own, .. }) = leading.first() else { return String::new() };
    if matches!(rank, Rank::Breached | Rank::Probably | Rank::Suspicious) {
        let mut span = Span::default();
        for Judged { book, own, .. } in leading {
            let is_grave = |answer: &&&Answer| book.verdict.is_grave(&answer.question_id);
            own.answers.iter().filter(is_grave).for_each(|answer| span.join(answer.span));
        }
        if let (Some(first), Some(last)) = (span.first, span.last) {
            sentences.push(format!("First sign {}, last {}.", first.to_short(), last.to_short()));
        }
        let touches = |other: &&Intrusion| host.as_ref().is_some_and(|host| other.hosts.contains(host));
        let count = own.intrusions.iter().filter(touches).count();
        if count > 1 {
            sentences.push(format!("{count} intrusions that nothing joins."));
        }
    }
    let asked = |answer: &&&Answer| answer.answer != AnswerWord::NotApplicable;
    let decisive = book.verdict.decisive.iter();
    let decisive = decisive.filter_map(|id| own.answers.iter().find(|answer| answer.question_id == *id));
    let line = decisive.filter(asked).find_map(|answer| answer.coverage.first());
    sentences.extend(line.map(|line| format!("{line}.")));
    let open: Vec<&str> = own
        .answers
        .iter()
        .filter(|answer| answer.answer == AnswerWord::CannotTell)
        .filter_map(|answer| book.question(&answer.question_id))
        .map(|question| question.title.as_str())
        .collect();
    if !open.is_empty() {
        sentences.push(format!("What the evidence cannot tell: {}.", open.join(", ")));
    }
    sentences.join(" ")
}
