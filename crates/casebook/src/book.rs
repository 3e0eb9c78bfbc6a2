//! Casebooks: read from YAML, checked once, never doubted again.
//!
//! The YAML types (`raw`) are what a person writes; the types here have their
//! groups of steps spelled out, their names resolved and their sentences
//! parsed, so that nothing below can meet a name that leads nowhere.

mod raw;

use crate::build::{Build, BuildTable};
use crate::collect::CollectList;
use crate::needs::Need;
use crate::sentence::Sentence;
use crate::support::{Grade, Support};
use crate::tactics;
use model::{AnswerWord, LogKey, RuleFacts, Span, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;

/// Before a name: all that belongs to it.
pub(crate) const ANY_OF: &str = "any-";

/// Why a casebook or a list could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct BookError {
    /// The file, as it was named to us.
    pub file: String,
    /// The line, from 1, where one is known.
    pub line: Option<u32>,
    /// What was wanted and what was there, in one line.
    pub reason: String,
}

impl BookError {
    pub(crate) fn new(file: &str, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, reason: reason.into() }
    }
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

/// Reads YAML into `T`; the error names the line.
pub(crate) fn read_yaml<T: DeserializeOwned>(file: &str, yaml: &str) -> Result<T, BookError> {
    yaml_serde::from_str(yaml).map_err(|error| BookError {
        file: file.to_owned(),
        line: error.location().and_then(|location| u32::try_from(location.line()).ok()),
        reason: error.to_string().replace('\n', " "),
    })
}

/// A log, or a part of it, whose filled fields the scan must count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Watched {
    /// The log or part.
    pub log: LogKey,
    /// Names of the fields, as the log writes them.
    pub fields: Vec<String>,
}

/// Questions, what answers them, and what is needed to answer them.
#[derive(Clone, PartialEq, Debug)]
pub struct Casebook {
    pub(crate) id: String,
    pub(crate) title: String,
    /// Whether it asks about everything, and so repeats what others say.
    pub(crate) general: bool,
    pub(crate) list: CollectList,
    pub(crate) builds: BuildTable,
    pub(crate) window: WindowRule,
    /// Logs that only such a server writes.
    pub(crate) signs: Vec<String>,
    /// Steps that only such a server can show.
    pub(crate) sign_steps: Vec<String>,
    pub(crate) joins: JoinRules,
    /// What a step says about the hole, in the order of the book.
    pub(crate) cves: BTreeMap<String, String>,
    /// How steps read in a sentence.
    pub(crate) acts: Vec<Act>,
    pub(crate) needs: Vec<Need>,
    pub(crate) questions: Vec<Question>,
    pub(crate) verdict: VerdictRule,
}

/// How steps read in a sentence: several rules may have seen one act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Act {
    pub steps: Vec<String>,
    pub text: Sentence,
    /// Steps that need not be told where this one is.
    pub covers: Vec<String>,
}

/// Over which time a host is asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WindowRule {
    /// Nothing before it is asked for.
    pub from: Option<Timestamp>,
    /// The logs whose span is the window.
    pub logs: Vec<String>,
}

/// How findings are joined into intrusions, besides by what they name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct JoinRules {
    pub links: Vec<Link>,
    /// Steps that visit somebody's shell: they follow the shell, not the visitor.
    pub visits: Vec<String>,
    /// Steps that speak of a shell's file.
    pub shells: Vec<String>,
    /// Programs that work for everybody: having one as parent joins nobody.
    pub shared_processes: Vec<String>,
}

/// Findings of one kind belong to the nearest finding of another kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    pub of: Vec<String>,
    pub to: Vec<String>,
    pub minutes: u32,
    /// Only to an earlier one, and only where nothing that is joined with it
    /// names what could tell the two apart.
    pub follows: bool,
    /// Only where no second group could be meant.
    pub alone: bool,
}

/// How a question is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// From the findings that support it.
    Steps,
    /// From build numbers.
    Builds,
    /// From how late the last activity was.
    StillIn,
}

/// One question.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Question {
    pub id: String,
    pub title: String,
    pub kind: Kind,
    pub asked: Asked,
    pub supports: Vec<Support>,
    /// How many of them are its own, and not those of a question it is like.
    pub own: usize,
    /// ATT&CK techniques (and, by prefix, their sub-techniques) that make it
    /// likely, from rules without a step; `any-NAME` are all of a tactic.
    pub techniques: Vec<String>,
    /// Indexes of what must be covered before "no trace" may be said.
    pub needs: Vec<usize>,
    pub beyond: Beyond,
    /// Indexes of what is named in the coverage, and not needed.
    pub also: Vec<usize>,
    /// What to do where the answer is yes or likely.
    pub act: Vec<String>,
    /// Entries of the collect list that would answer it, whatever was needed.
    pub next: Vec<String>,
    pub stay: Stay,
    /// Set where the question is about one hole, or one chain of them.
    pub hole: Option<Hole>,
    pub text: Texts,
}

/// Of whom a question is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    /// Whether it makes sense for servers (or tenants) of the book's kind only.
    pub server_only: bool,
    /// Whether it is asked of tenants, and not of servers.
    pub is_of_tenant: bool,
}

/// A question in the words of those who decide; no jargon.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plain {
    pub part: Part,
    /// What somebody did, after "they": `read mail`.
    pub did: Option<String>,
    /// What is not known where it cannot be told, after "whether".
    pub whether: Option<String>,
    /// What must be decided where it happened, after "to decide now:".
    pub decide: Option<String>,
}

/// What a question is about, to those who decide.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// How somebody came in.
    Entry,
    /// What was taken.
    Taken,
    /// What else was done.
    Done,
    /// What was done to hide it.
    Hidden,
    /// What was tried without success.
    Tried,
    /// What let them, or would let others, come in.
    Weakness,
    /// Whether they are still in.
    StillIn,
}

/// What makes "no trace" possible beside the needs of a question, or keeps it from being said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Beyond {
    /// Indexes of needs that do instead of all others.
    pub instead: Vec<usize>,
    /// Indexes of questions that must be answerable, too.
    pub rests_on: Vec<usize>,
}

/// What lasts beyond the records of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stay {
    /// Questions whose grounds last until something ends them: a shell stays
    /// where it was written.
    pub lasting: Vec<String>,
    /// Steps that end them.
    pub ended_by: Vec<String>,
}

/// What is known of a hole, or of a chain of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Hole {
    /// How a verdict names a breach over it.
    pub called: String,
    /// Nothing before it is asked for, whatever the book's window says.
    pub from: Option<Timestamp>,
    /// Its name in the table of builds.
    pub builds: Option<String>,
    /// What to say where every build seen has the fix.
    pub immune: Option<Sentence>,
    /// When it was fixed, described and used, by whose word.
    pub known: String,
    /// The first that is known of it, a use or a description; what is older needs a second look.
    pub public: Option<Timestamp>,
    /// Steps that keep "no trace" from being said: a request whose outcome
    /// nobody logged.
    pub unsettled: Vec<String>,
    /// What is true of some products only.
    pub notes: Vec<Note>,
}

/// A remark on a question's coverage for one product.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    major: u32,
    minor: u32,
    pub text: String,
}

impl Note {
    /// Whether all builds seen are of the product that the note is about.
    pub fn holds<T>(&self, builds: &[(Build, Span, T)]) -> bool {
        !builds.is_empty() && builds.iter().all(|(build, ..)| build.branch() == (self.major, self.minor))
    }
}

/// The sentences of a question, by answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Texts {
    pub yes: Sentence,
    pub likely: Sentence,
    pub no_trace: Sentence,
    /// Of "no trace" by what does instead.
    pub no_trace_instead: Option<Sentence>,
    pub cannot_tell: Sentence,
    pub not_applicable: Sentence,
    /// How the answer is told to those who decide.
    pub plain: Option<Plain>,
}

impl Texts {
    pub fn of(&self, word: AnswerWord) -> &Sentence {
        match word {
            AnswerWord::Yes => &self.yes,
            AnswerWord::Likely => &self.likely,
            AnswerWord::NoTrace => &self.no_trace,
            AnswerWord::CannotTell => &self.cannot_tell,
            AnswerWord::NotApplicable => &self.not_applicable,
        }
    }
}

/// Which answers make which headline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct VerdictRule {
    /// Whether the book says nothing of hosts that it is not about, whatever their findings show.
    pub only_own: bool,
    /// `yes` here is a breach.
    pub breach: Vec<String>,
    /// `likely` here is a probable breach; `likely` elsewhere is only suspicious.
    pub probable: Vec<String>,
    /// `yes` here alone is suspicious: it happens without a breach, too. Two of them are a probable breach.
    pub suspect: Vec<String>,
    /// `yes` or `likely` here names the breach by the book's title.
    pub named: Vec<String>,
    /// No trace of these is no trace of a breach.
    pub decisive: Vec<String>,
    /// `yes` here without a breach: probed.
    pub probed: Vec<String>,
}

impl Casebook {
    /// Reads a casebook.
    ///
    /// # Errors
    /// When the YAML is not a casebook, or a name in it (of a group, a need, a
    /// question, an entry of the list, a word in a sentence) leads nowhere.
    pub fn parse(file: &str, yaml: &str) -> Result<Self, BookError> {
        raw::check(file, read_yaml(file, yaml)?)
    }

    /// The casebook for the attack of 2021 on Exchange, as built in.
    ///
    /// # Errors
    /// Never, unless the program was built with a broken casebook.
    pub fn exchange_2021() -> Result<Self, BookError> {
        Self::parse("casebook/exchange-2021.yml", include_str!("../../../casebook/exchange-2021.yml"))
    }

    /// The casebook's name (`exchange-2021`).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The logs and parts whose fields the scan must count, sorted.
    pub fn watched(&self) -> Vec<Watched> {
        let mut fields: BTreeMap<LogKey, Vec<String>> = BTreeMap::new();
        // What lies there has no fields that anybody fills.
        for source in self.needs.iter().flat_map(|need| &need.any).filter(|source| !source.standing) {
            let own = fields.entry(source.key()).or_default();
            own.extend(source.filled.iter().chain(&source.some).cloned());
            for part in &source.with_parts {
                fields.entry(source.part_key(part)).or_default();
            }
        }
        let sorted = |mut fields: Vec<String>| {
            fields.sort_unstable();
            fields.dedup();
            fields
        };
        fields.into_iter().map(|(log, fields)| Watched { log, fields: sorted(fields) }).collect()
    }

    /// Whether build numbers tell it something.
    pub(crate) fn has_builds(&self) -> bool {
        self.builds != BuildTable::default()
    }

    pub(crate) fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// Whether yes to the question means that somebody got in, not only that
    /// somebody tried, looked around, or could have.
    pub(crate) fn is_intrusion(&self, question: &Question) -> bool {
        question.kind == Kind::Steps && self.verdict.is_grave(&question.id)
    }
}

impl VerdictRule {
    /// Whether yes to the question says that somebody was in.
    pub fn is_grave(&self, id: &str) -> bool {
        self.breach.iter().chain(&self.suspect).any(|own| own == id)
    }
}

impl Question {
    /// The first day it asks for, where that is not the book's.
    pub fn from(&self) -> Option<Timestamp> {
        self.hole.as_ref().and_then(|hole| hole.from)
    }

    /// Steps that keep "no trace" from being said.
    pub fn unsettled(&self) -> &[String] {
        self.hole.as_ref().map_or(&[], |hole| &hole.unsettled)
    }

    /// The grade that a rule's technique gives, without a step.
    pub fn technique_grade(&self, techniques: &[String]) -> Grade {
        let covers = |wanted: &String, own: &String| {
            own.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let any = self.techniques.iter().any(|wanted| techniques.iter().any(|own| covers(wanted, own)));
        if any { Grade::Likely } else { Grade::None }
    }

    /// The grade that the tactics of a rule without a step give.
    pub fn tactic_grade(&self, rule: &RuleFacts) -> Grade {
        let mut wanted = self.techniques.iter().filter_map(|own| own.strip_prefix(ANY_OF)).peekable();
        if wanted.peek().is_none() {
            return Grade::None;
        }
        let tactics = tactics::of_rule(rule);
        if wanted.any(|tactic| tactics.contains(&tactic)) { Grade::Likely } else { Grade::None }
    }
}
