//! The sentence above a host's answers.

use crate::book::{Casebook, VerdictRule};
use crate::coverage::HostLogs;
use model::{Answer, AnswerWord, Case, HostName, Intrusion, Span, Verdict};
use std::collections::BTreeMap;

/// One verdict per host, by host; of several books the gravest.
pub fn verdicts(
    case: &Case,
    books: &[Casebook],
    intrusions: &[Intrusion],
    answers: &[Answer],
) -> Vec<Verdict> {
    let mut by_host: BTreeMap<(&Option<HostName>, &str), Vec<&Answer>> = BTreeMap::new();
    for answer in answers.iter().filter(|answer| answer.intrusion.is_none()) {
        by_host.entry((&answer.host, &answer.casebook)).or_default().push(answer);
    }
    let mut verdicts = Vec::new();
    for host in HostLogs::of_case(case).into_keys() {
        let judged = books.iter().map(|book| {
            let own = by_host.get(&(&host, book.id.as_str())).map(Vec::as_slice).unwrap_or_default();
            judge(book, &host, &Own { answers: own, intrusions })
        });
        if let Some((_, verdict)) = judged.min_by_key(|(rank, _)| *rank) {
            verdicts.push(verdict);
        }
    }
    verdicts
}

/// How grave a verdict is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
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

fn judge(book: &Casebook, host: &Option<HostName>, own: &Own<'_>) -> (Rank, Verdict) {
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
    let headline = match rank {
        Rank::Breached => format!("BREACHED: {}", name(book, own)),
        Rank::Probably => format!("probably breached: {}", name(book, own)),
        Rank::Suspicious => format!("suspicious: {}", name(book, own)),
        Rank::Probed => "probed, not breached by what can be seen".to_owned(),
        Rank::NoTrace => "no trace of a breach".to_owned(),
        Rank::CannotTell => "cannot tell".to_owned(),
    };
    let text = text(book, host, own, rank);
    (rank, Verdict { host: host.clone(), headline, text })
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

fn text(book: &Casebook, host: &Option<HostName>, own: &Own<'_>, rank: Rank) -> String {
    let mut sentences = Vec::new();
    if matches!(rank, Rank::Breached | Rank::Probably | Rank::Suspicious) {
        let grave: Vec<&String> = book.verdict.breach.iter().chain(&book.verdict.suspect).collect();
        let mut span = Span::default();
        own.answers
            .iter()
            .filter(|answer| grave.contains(&&answer.question_id))
            .for_each(|answer| span.join(answer.span));
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
