//! Who stands behind what: by clause, each party's own voice, and nothing computed from them.

use crate::audience::{Labels, marking_text, stricter};
use crate::position::{ClausePosition, Position, Word, stance_verb};
use crate::record::{Record, RecordedStance};
use crate::statement::{Clause, Statement};
use std::collections::BTreeMap;
use stix::{Marking, Stance};

/// What one party says of one clause.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Voice {
    /// Its id.
    pub party: String,
    /// `concurs`, `dissents` …
    pub verb: String,
    /// What that comes to; absent where it comes to none of them.
    pub stance: Option<Stance>,
    /// Its own word for how likely the claim is.
    pub likelihood: Option<Word>,
    /// Its own word for the strength of the grounds.
    pub strength: Option<Word>,
    /// Its words for how sure it is: what each is about, and the word with its scale.
    pub words: Vec<(&'static str, String)>,
    /// The claim in its own words.
    pub wording: String,
    /// What it said, in the words of who recorded it.
    pub summary: String,
    /// Why it says so.
    pub explanation: Explanation,
    /// When.
    pub date: String,
    /// Number of the position, where it is a signed one.
    pub number: Option<u32>,
    /// What it said of the clause in positions that this one supersedes, the last first.
    pub earlier: Vec<Earlier>,
    /// Sources, by id, where it is recorded.
    pub sources: Vec<String>,
    /// What a reader has to know.
    pub notes: Vec<String>,
    /// Who may see it.
    pub labels: Labels,
}

/// What stands behind a stance, in the party's words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// Why.
    pub reason: String,
    /// What it holds instead.
    pub alternative: String,
    /// Whether there is one, and it is not shown here.
    pub is_withheld: bool,
}

impl Explanation {
    /// Whether there is one to show.
    pub fn is_there(&self) -> bool {
        !self.reason.is_empty() || !self.alternative.is_empty()
    }
}

/// What a party said of a clause before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Number of the position.
    pub number: u32,
    /// What.
    pub said: String,
    /// Who may see it.
    pub marking: Marking,
}

impl Voice {
    /// What it says, part by part: a label and the text; parts that are not there are left out.
    pub fn parts(&self) -> Vec<(&'static str, &str)> {
        let mut parts: Vec<(&'static str, &str)> =
            self.words.iter().map(|(what, word)| (*what, word.as_str())).collect();
        parts.push(("in its words", &self.wording));
        parts.push(("said, in our words", &self.summary));
        parts.push(("reason", &self.explanation.reason));
        parts.push(("instead", &self.explanation.alternative));
        if self.explanation.is_withheld {
            parts.push(("reason", "not shown here: its label does not allow it"));
        }
        parts.extend(self.notes.iter().map(|note| ("note", note.as_str())));
        parts.retain(|(_, text)| !text.is_empty());
        parts
    }
}

/// That a party no longer says what it said of a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Its id.
    pub party: String,
    /// Number of the position that withdrew it.
    pub number: u32,
    /// What it had said.
    pub said: String,
    /// Why.
    pub reason: String,
    /// Who may see it.
    pub marking: Marking,
}

impl Withdrawal {
    /// It in a sentence; `name` is the party's.
    pub fn sentence(&self, name: &str) -> String {
        let reason = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        format!("{name} has withdrawn what it said ({}) by its position {}{reason}", self.said, self.number)
    }
}

/// The voices on one clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseStanding<'s> {
    /// The clause.
    pub clause: &'s Clause,
    /// What was said, in the order of the parties.
    pub voices: Vec<Voice>,
    /// Parties that were asked and say nothing of it; not assent.
    pub silent: Vec<String>,
    /// Those who once said something of it and have withdrawn it.
    pub withdrawn: Vec<Withdrawal>,
    /// How many stances and withdrawals are not shown here; their parties stand among the silent ones.
    pub withheld: usize,
}

impl<'s> ClauseStanding<'s> {
    /// One on which nobody has said anything.
    fn new(clause: &'s Clause) -> Self {
        let (voices, silent, withdrawn) = (Vec::new(), Vec::new(), Vec::new());
        Self { clause, voices, silent, withdrawn, withheld: 0 }
    }

    /// Parties that hold the whole claim, each once. The clause is joint for these, where they are two or more, and for
    /// nobody else.
    pub fn holders(&self) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        for voice in self.voices.iter().filter(|voice| voice.stance == Some(Stance::Concur)) {
            if !out.contains(&voice.party.as_str()) {
                out.push(&voice.party);
            }
        }
        out
    }
}

/// Who stands behind what by positions whose signatures the caller has checked; the last of each party counts.
pub fn standing<'s>(statement: &'s Statement, positions: &[Position]) -> Vec<ClauseStanding<'s>> {
    let mut by_party: BTreeMap<&str, Vec<&Position>> = BTreeMap::new();
    for position in positions {
        by_party.entry(&position.party).or_default().push(position);
    }
    by_party.values_mut().for_each(|own| own.sort_by_key(|position| position.number));
    statement.clauses.iter().map(|clause| clause_standing(statement, clause, &by_party)).collect()
}

fn clause_standing<'s>(
    statement: &Statement,
    clause: &'s Clause,
    by_party: &BTreeMap<&str, Vec<&Position>>,
) -> ClauseStanding<'s> {
    let mut out = ClauseStanding::new(clause);
    // A position of somebody who was not asked is shown all the same: none is lost.
    let others =
        by_party.keys().copied().filter(|party| !statement.parties.iter().any(|own| own.id == **party));
    for party in statement.parties.iter().map(|party| party.id.as_str()).chain(others) {
        let filed: &[&Position] = by_party.get(party).map_or(&[], Vec::as_slice);
        let on = |position: &Position| position.clauses.iter().find(|own| own.clause == clause.id).cloned();
        let before = |position: &&Position| {
            let own = on(position)?;
            let marking = Labels::of(statement, position, &own).stance;
            Some(Earlier { number: position.number, said: said(&own), marking })
        };
        let earlier: Vec<Earlier> = filed.iter().rev().skip(1).filter_map(before).collect();
        match filed.last().map(|last| (last, on(last))) {
            Some((last, Some(own))) => out.voices.push(signed_voice(statement, last, own, earlier)),
            Some((last, None)) if !earlier.is_empty() => out.withdrawn.push(Withdrawal {
                party: party.to_owned(),
                number: last.number,
                said: earlier[0].said.clone(),
                reason: last.remark.clone(),
                marking: stricter(&Labels::of_remark(statement, last), &earlier[0].marking),
            }),
            _ => out.silent.push(party.to_owned()),
        }
    }
    out
}

fn words(own: &ClausePosition) -> Vec<(&'static str, String)> {
    let likelihood = own.likelihood.iter().map(|word| ("likelihood", word.shown()));
    let strength = own.strength.iter().map(|word| ("strength of grounds", word.shown()));
    likelihood.chain(strength).collect()
}

fn said(own: &ClausePosition) -> String {
    let mut out = stance_verb(own.stance).to_owned();
    for (what, word) in words(own) {
        out.push_str(&format!("; {what}: {word}"));
    }
    out
}

fn signed_voice(
    statement: &Statement,
    position: &Position,
    own: ClausePosition,
    earlier: Vec<Earlier>,
) -> Voice {
    let labels = Labels::of(statement, position, &own);
    let mut notes: Vec<String> =
        Some(position.remark.clone()).into_iter().filter(|remark| !remark.is_empty()).collect();
    if labels.stance != statement.marking() {
        notes.push(format!("This position is {}.", marking_text(&labels.stance)));
    }
    if labels.reason != labels.stance {
        notes.push(format!("Its reason is {}.", marking_text(&labels.reason)));
    }
    Voice {
        party: position.party.clone(),
        verb: stance_verb(own.stance).to_owned(),
        stance: Some(own.stance),
        words: words(&own),
        likelihood: own.likelihood,
        strength: own.strength,
        wording: own.wording,
        explanation: Explanation { reason: own.reason, alternative: own.alternative, is_withheld: false },
        date: position.filed.clone(),
        number: Some(position.number),
        earlier,
        notes,
        labels,
        ..Voice::default()
    }
}

/// Who said what in public.
pub fn record_standing(record: &Record) -> Vec<ClauseStanding<'_>> {
    let of = |clause| {
        let mut out = ClauseStanding::new(clause);
        let labels = Labels::from(record.statement.marking());
        for party in &record.statement.parties {
            let own: Vec<Voice> = record
                .positions
                .iter()
                .filter(|position| position.party == party.id && position.clause == out.clause.id)
                .map(|own| Voice { labels: labels.clone(), ..recorded_voice(own) })
                .collect();
            match own.is_empty() {
                true => out.silent.push(party.id.clone()),
                false => out.voices.extend(own),
            }
        }
        out
    };
    record.statement.clauses.iter().map(of).collect()
}

fn recorded_voice(own: &crate::record::Recorded) -> Voice {
    let seen = match own.word_seen.as_str() {
        "official" => "in the official text",
        "quoted" => "quoted by others",
        "reported" => "reported by others",
        _ => "",
    };
    let mut notes = Vec::new();
    if !own.scale_supposed.is_empty() {
        notes.push(format!("Scale not stated; our reading: {}.", own.scale_supposed));
    }
    if !own.note.is_empty() {
        notes.push(own.note.clone());
    }
    let shown = own.word.as_ref().map(|word| match seen {
        "" => word.shown(),
        seen => format!("{}, {seen}", word.shown()),
    });
    Voice {
        party: own.party.clone(),
        verb: own.stance.verb().to_owned(),
        stance: match own.stance {
            RecordedStance::States => Some(Stance::Concur),
            RecordedStance::StatesInPart => Some(Stance::ConcurInPart),
            RecordedStance::Contradicts => Some(Stance::Dissent),
            RecordedStance::Relays | RecordedStance::Unclear => None,
        },
        likelihood: own.word.clone(),
        words: vec![("its word", shown.unwrap_or_else(|| "no word for how sure was seen".to_owned()))],
        wording: own.wording.clone(),
        summary: own.summary.clone(),
        date: own.date.clone(),
        sources: own.sources.clone(),
        notes,
        ..Voice::default()
    }
}
