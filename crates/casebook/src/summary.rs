//! What a book says of a host in one line.
//!
//! A reader of twenty hosts and five books looks at the questions of those
//! books only that found something; of each other one, a line says whether
//! that is because there was nothing, or because the logs could not tell.

use crate::answer::ByBook;
use crate::book::Casebook;
use crate::coverage::HostLogs;
use model::{Answer, AnswerWord, BookAnswer, Case, HostName};

/// Logs named in one line, at most.
const LOGS_NAMED_MAX: usize = 2;

/// One for each host and book.
pub fn summaries(case: &Case, books: &[Casebook], by_book: &ByBook<'_>) -> Vec<BookAnswer> {
    let mut summaries = Vec::new();
    for host in HostLogs::of_case(case).into_keys() {
        let asked = asked(books, &host, by_book);
        for book in books {
            let is_asked = asked.iter().any(|own| own.id == book.id);
            let answers = by_book.get(&(&host, book.id.as_str())).filter(|_| is_asked);
            let (answer, text) = match answers {
                Some(answers) => summary(book, answers),
                None => (AnswerWord::NotApplicable, String::new()),
            };
            summaries.push(BookAnswer {
                casebook: book.id.clone(),
                title: book.title.clone(),
                general: book.general,
                host: host.clone(),
                answer,
                text,
            });
        }
    }
    summaries
}

/// The books that are about such a host; where none is, all of them, since
/// most questions can be asked of any host.
pub fn asked<'a>(books: &'a [Casebook], host: &Option<HostName>, by_book: &ByBook<'_>) -> Vec<&'a Casebook> {
    let applies = |book: &&Casebook| {
        let own = by_book.get(&(host, book.id.as_str())).into_iter().flatten();
        let mut special = own.filter(|answer| {
            book.question(&answer.question_id).is_some_and(|question| question.asked.server_only)
        });
        special.any(|answer| answer.answer != AnswerWord::NotApplicable)
    };
    let own: Vec<&Casebook> = books.iter().filter(applies).collect();
    if own.is_empty() { books.iter().collect() } else { own }
}

fn summary(book: &Casebook, answers: &[&Answer]) -> (AnswerWord, String) {
    let titles = |word: AnswerWord| {
        let own = answers.iter().filter(|answer| answer.answer == word);
        let questions = own.filter_map(|answer| book.question(&answer.question_id));
        questions.map(|question| question.title.as_str()).collect::<Vec<_>>().join(", ")
    };
    let said = |word: AnswerWord| {
        let titles = titles(word);
        (!titles.is_empty()).then(|| format!("{}: {titles}", word.as_str().replace('-', " ")))
    };
    let (yes, likely, open) = (said(AnswerWord::Yes), said(AnswerWord::Likely), said(AnswerWord::CannotTell));
    if yes.is_some() || likely.is_some() {
        let word = if yes.is_some() { AnswerWord::Yes } else { AnswerWord::Likely };
        return (word, [yes, likely, open].into_iter().flatten().collect::<Vec<_>>().join("; "));
    }
    let decisive = book.verdict.decisive.iter();
    let decisive: Vec<&Answer> =
        decisive.filter_map(|id| answers.iter().copied().find(|answer| answer.question_id == *id)).collect();
    let of = |word: AnswerWord| decisive.iter().copied().find(move |answer| answer.answer == word);
    if let Some(unknown) = of(AnswerWord::CannotTell) {
        return (AnswerWord::CannotTell, unknown.text.clone());
    }
    if of(AnswerWord::NoTrace).is_none() {
        return (AnswerWord::NotApplicable, String::new());
    }
    let mut lines: Vec<&str> = Vec::new();
    for line in decisive.iter().flat_map(|answer| &answer.coverage) {
        if !lines.contains(&line.as_str()) && lines.len() < LOGS_NAMED_MAX {
            lines.push(line);
        }
    }
    let text = lines.into_iter().map(str::to_owned).chain(open).collect::<Vec<_>>().join("; ");
    (AnswerWord::NoTrace, text)
}
