//! The whole case in five sentences at most, for those who decide.
//!
//! What happened and when, what was taken or done, whether they may still be
//! in, what cannot be told, what must be decided now. The phrases are the
//! books' (`plain` of a question); here they are only put together, over all
//! hosts.

use crate::answer::ByBook;
use crate::book::{Part, Plain};
use crate::verdict::{Judgement, Rank};
use model::{Answer, AnswerWord, Span, Timestamp};

/// Hosts named, phrases in one sentence, decisions.
const HOSTS_MAX: usize = 3;
const PHRASES_MAX: usize = 4;
/// What is only probable, beside what is sure.
const DOUBTS_MAX: usize = 2;
const CLAUSES_MAX: usize = 3;
const DECISIONS_MAX: usize = 3;
const FETCH: &str = "who gets the missing records before they are overwritten";

/// The sentences; empty without a host.
pub fn sentences(judged: &[Judgement<'_>], by_book: &ByBook<'_>) -> Vec<String> {
    let Some(worst) = judged.iter().map(|one| one.rank).min() else { return Vec::new() };
    let is_in = worst <= Rank::Suspicious;
    let told =
        judged.iter().filter(|one| if is_in { one.rank <= Rank::Suspicious } else { one.rank == worst });
    let facts = Facts::of(told, by_book);
    let mut sentences = vec![what_happened(judged, worst, &facts)];
    if is_in {
        sentences.push(what_was_done(&facts));
        sentences.extend(still_in(&facts));
    }
    sentences.push(what_is_open(&facts));
    sentences.push(what_to_decide(&facts));
    sentences
}

/// The answers that are told, with the phrases of their questions.
struct Facts<'a>(Vec<(&'a Plain, &'a Answer, bool)>);

impl<'a> Facts<'a> {
    fn of<'j>(judged: impl Iterator<Item = &'j Judgement<'a>>, by_book: &ByBook<'a>) -> Self
    where
        'a: 'j,
    {
        let mut facts = Vec::new();
        for one in judged {
            for book in &one.books {
                let answers = by_book.get(&(&one.verdict.host, book.id())).into_iter().flatten();
                facts.extend(answers.filter_map(|answer| {
                    let question = book.question(&answer.question_id)?;
                    let is_grave = book.verdict.is_grave(&question.id);
                    Some((question.text.plain.as_ref()?, *answer, is_grave))
                }));
            }
        }
        // The sort is stable: within a part, the order of hosts and books stays.
        facts.sort_by_key(|(plain, ..)| plain.part);
        Self(facts)
    }

    fn with(&self, words: &[AnswerWord]) -> Vec<&'a Plain> {
        let own = self.0.iter().filter(|(_, answer, _)| words.contains(&answer.answer));
        own.map(|(plain, ..)| *plain).collect()
    }

    /// What was done, each phrase once; surely, and only probably.
    fn done(&self, parts: &[Part]) -> [Vec<&'a str>; 2] {
        let of = |word: AnswerWord| {
            let own = self.with(&[word]).into_iter().filter(|plain| parts.contains(&plain.part));
            unique(own.filter_map(|plain| plain.did.as_deref()))
        };
        let sure = of(AnswerWord::Yes);
        let mut likely = of(AnswerWord::Likely);
        likely.retain(|phrase| !sure.contains(phrase));
        [sure, likely]
    }

    fn words(&self, part: Part) -> Vec<AnswerWord> {
        self.0.iter().filter(|(plain, ..)| plain.part == part).map(|(_, answer, _)| answer.answer).collect()
    }

    /// From the first to the last sign of what is grave, or of what was tried.
    fn span(&self) -> Span {
        let happened = |answer: &Answer| matches!(answer.answer, AnswerWord::Yes | AnswerWord::Likely);
        let mut grave = Span::default();
        let mut tried = Span::default();
        for (plain, answer, is_grave) in self.0.iter().filter(|(_, answer, _)| happened(answer)) {
            if *is_grave {
                grave.join(answer.span);
            } else if plain.part == Part::Tried {
                tried.join(answer.span);
            }
        }
        if grave.first.is_some() { grave } else { tried }
    }
}

fn unique<'a>(phrases: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut unique = Vec::new();
    for phrase in phrases {
        if !unique.contains(&phrase) {
            unique.push(phrase);
        }
    }
    unique
}

fn what_happened(judged: &[Judgement<'_>], worst: Rank, facts: &Facts<'_>) -> String {
    let of = |ranks: &[Rank]| hosts(judged.iter().filter(|one| ranks.contains(&one.rank)));
    let own = of(&[worst]);
    let when = days(facts.span());
    let how = how_they_came_in(judged, facts);
    let said = match worst {
        Rank::Breached => format!("Somebody broke into {own}{when}{how}"),
        Rank::Probably => format!("Somebody probably broke into {own}{when}{how}"),
        Rank::Suspicious => {
            format!("On {own} somebody did what intruders do{when}, but nothing proves a break-in")
        }
        Rank::Probed => format!("Somebody tried to get into {own}{when}, and nothing shows that it worked"),
        Rank::CannotTell => format!("The records at hand do not tell whether somebody broke into {own}"),
        Rank::NoTrace => format!("Nothing shows that somebody broke into {own}"),
    };
    let mut said = vec![said];
    let later =
        |ranks: &[Rank]| -> Vec<Rank> { ranks.iter().copied().filter(|rank| *rank > worst).collect() };
    for (ranks, text) in [
        (&[Rank::Probably, Rank::Suspicious][..], "there are signs of it on"),
        (&[Rank::Probed][..], "somebody only tried it on"),
        (&[Rank::CannotTell][..], "it cannot be told of"),
        (&[Rank::NoTrace][..], "nothing shows it on"),
    ] {
        let names = of(&later(ranks));
        if !names.is_empty() {
            said.push(format!("{text} {names}"));
        }
    }
    format!("{}.", said.join("; "))
}

/// Of several computers, with the one where they did.
fn how_they_came_in(judged: &[Judgement<'_>], facts: &Facts<'_>) -> String {
    let [entry, maybe] = facts.done(&[Part::Entry]);
    let (word, they, phrases) = match entry.is_empty() {
        true => (AnswerWord::Likely, "they probably", maybe),
        false => (AnswerWord::Yes, "they", entry),
    };
    if phrases.is_empty() {
        return String::new();
    }
    let own = facts.0.iter().filter(|(plain, answer, _)| plain.part == Part::Entry && answer.answer == word);
    let names = unique(own.filter_map(|(_, answer, _)| answer.host.as_deref()));
    let place = if judged.len() > 1 && !names.is_empty() {
        format!(" ({})", list(&names, "and"))
    } else {
        String::new()
    };
    format!(": {they} {}{place}", list(&phrases, "and"))
}

fn what_was_done(facts: &Facts<'_>) -> String {
    let [sure, likely] = facts.done(&[Part::Taken, Part::Done, Part::Hidden]);
    let mut said = match (sure.as_slice(), likely.as_slice()) {
        ([], []) => "The records at hand do not show what they did there".to_owned(),
        ([], likely) => format!("They probably {}", list(likely, "and")),
        (sure, []) => format!("They {}", list(sure, "and")),
        (sure, likely) => {
            let fewer = &likely[..likely.len().min(DOUBTS_MAX)];
            format!("They {}; they probably also {}", list(sure, "and"), list(fewer, "and"))
        }
    };
    let taken = facts.words(Part::Taken);
    if taken.contains(&AnswerWord::NoTrace)
        && taken.iter().all(|word| matches!(word, AnswerWord::NoTrace | AnswerWord::NotApplicable))
    {
        said.push_str("; nothing shows that anything was taken");
    }
    said.push('.');
    said
}

fn still_in(facts: &Facts<'_>) -> Option<String> {
    let words = facts.words(Part::StillIn);
    let gravest = [AnswerWord::Yes, AnswerWord::Likely, AnswerWord::CannotTell, AnswerWord::NoTrace];
    let text = match gravest.into_iter().find(|word| words.contains(word))? {
        AnswerWord::Yes => "They were at work up to the end of the records: act as if they were still in.",
        AnswerWord::Likely => "They may still be in: nothing shows that their way back was closed.",
        AnswerWord::CannotTell => "Whether they are still in cannot be told.",
        _ => "The last day of the records shows nothing of them, which does not mean that they are gone.",
    };
    Some(text.to_owned())
}

fn what_is_open(facts: &Facts<'_>) -> String {
    let [sure, likely] = facts.done(&[Part::Entry, Part::Taken, Part::Done, Part::Hidden]);
    let known =
        |plain: &Plain| plain.did.as_deref().is_some_and(|did| sure.contains(&did) || likely.contains(&did));
    let mut open = facts.with(&[AnswerWord::CannotTell]);
    open.retain(|plain| !known(plain));
    // What was taken matters most to those who decide.
    open.sort_by_key(|plain| plain.part != Part::Taken);
    let clauses = unique(open.into_iter().filter_map(|plain| plain.whether.as_deref()));
    if clauses.is_empty() {
        return "The records at hand reach far enough to answer what was asked.".to_owned();
    }
    format!(
        "It cannot be told whether {}: the records that would show it are missing.",
        list(&clauses, "or whether")
    )
}

fn what_to_decide(facts: &Facts<'_>) -> String {
    let happened = facts.with(&[AnswerWord::Yes, AnswerWord::Likely]);
    let (entry, other): (Vec<_>, Vec<_>) = happened.into_iter().partition(|plain| plain.part == Part::Entry);
    // One decision about the way in, then those about what was done.
    let first = entry.first().copied();
    let all = first.into_iter().chain(other).chain(entry.iter().copied().skip(1));
    let mut decisions = unique(all.filter_map(|plain| plain.decide.as_deref()));
    let open = facts.with(&[AnswerWord::CannotTell]).iter().any(|plain| plain.whether.is_some());
    decisions.truncate(DECISIONS_MAX);
    if open {
        decisions.push(FETCH);
    }
    if decisions.is_empty() {
        return "Nothing has to be decided at once.".to_owned();
    }
    format!("To decide now: {}.", decisions.join("; "))
}

/// `a, b and c`; what is beyond the limit is `more`.
fn list(phrases: &[&str], last: &str) -> String {
    let (comma, most) = if last == "and" { (", ", PHRASES_MAX) } else { (", whether ", CLAUSES_MAX) };
    let mut shown: Vec<&str> = phrases.iter().copied().take(most).collect();
    if phrases.len() > most {
        return format!("{}, and more", shown.join(comma));
    }
    let Some(end) = shown.pop() else { return String::new() };
    if shown.is_empty() { end.to_owned() } else { format!("{} {last} {end}", shown.join(comma)) }
}

/// `MXS01, DC01 and 3 more computers`.
fn hosts<'j>(judged: impl Iterator<Item = &'j Judgement<'j>>) -> String {
    let names: Vec<&str> =
        judged.map(|one| one.verdict.host.as_deref().unwrap_or("a computer without a name")).collect();
    if names.len() <= HOSTS_MAX {
        return list(&names, "and");
    }
    format!("{} and {} more computers", names[..HOSTS_MAX - 1].join(", "), names.len() + 1 - HOSTS_MAX)
}

/// ` on 4 March 2021`, ` between 4 March and 7 April 2021`; empty where no time is known.
fn days(span: Span) -> String {
    let (first, last) = match (span.first, span.last) {
        (Some(first), Some(last)) => (day(first), day(last)),
        (first, last) => match first.or(last) {
            Some(time) => (day(time), day(time)),
            None => return String::new(),
        },
    };
    if first == last {
        return format!(" on {} {} {}", first.2, first.1, first.0);
    }
    let begin = match (first.0 == last.0, first.1 == last.1) {
        (true, true) => first.2,
        (true, false) => format!("{} {}", first.2, first.1),
        (false, _) => format!("{} {} {}", first.2, first.1, first.0),
    };
    format!(" between {begin} and {} {} {}", last.2, last.1, last.0)
}

/// Year, month and day, in words.
fn day(time: Timestamp) -> (String, &'static str, String) {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let text = time.to_short();
    let mut parts = text.split([' ', 'T']).next().unwrap_or_default().rsplit('-');
    let day = parts.next().unwrap_or_default().trim_start_matches('0').to_owned();
    let month = parts.next().and_then(|month| month.parse::<usize>().ok()).unwrap_or(0);
    let month = MONTHS.get(month.wrapping_sub(1)).copied().unwrap_or_default();
    (parts.next().unwrap_or_default().to_owned(), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        assert_eq!(list(&["a"], "and"), "a");
        assert_eq!(list(&["a", "b", "c"], "and"), "a, b and c");
        assert_eq!(list(&["a", "b", "c"], "or whether"), "a, whether b or whether c");
        assert_eq!(list(&["a", "b", "c", "d", "e"], "and"), "a, b, c, d, and more");
    }

    #[test]
    fn days_in_words() {
        let check = |first: &str, last: &str, expect: &str| {
            let span = Span { first: Timestamp::parse(first), last: Timestamp::parse(last) };
            assert_eq!(days(span), expect);
        };
        check("2021-03-04T11:20:05Z", "2021-03-04T23:00:00Z", " on 4 March 2021");
        check("2021-03-04T11:20:05Z", "2021-03-17T23:00:00Z", " between 4 and 17 March 2021");
        check("2021-02-28T11:20:05Z", "2021-03-07T23:00:00Z", " between 28 February and 7 March 2021");
        check("2020-12-31T11:20:05Z", "2021-01-01T23:00:00Z", " between 31 December 2020 and 1 January 2021");
        check("", "", "");
    }
}
