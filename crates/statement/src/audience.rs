//! Who may see what of a statement: the label of the whole, and what is shown to an audience.
//!
//! A position may be marked more strictly than the statement, and the reason of a stance more strictly than the stance.
//! [`View`] is what every exit writes: it asks [`stix::visibility`] of each part, leaves out what may not go to the
//! audience, and counts it. A party whose stance is left out is named nowhere but among those that are silent *or not
//! shown*, so that a hidden dissent neither shows nor passes for silence.

use crate::error::Refusal;
use crate::position::{ClausePosition, Position};
use crate::record::Record;
use crate::standing::{ClauseStanding, Explanation};
use crate::statement::Statement;
use std::collections::{BTreeMap, BTreeSet};
use stix::{Aggregate, Audience, Marking, Owner, Tlp, Visibility, strictest, visibility};

/// Who may see a stance, and what explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Of the stance, its words, and the remark.
    pub stance: Marking,
    /// Of the reason and the alternative; never wider.
    pub reason: Marking,
}

impl Default for Labels {
    fn default() -> Self {
        Self::from(Marking::from(Tlp::default()))
    }
}

impl From<Marking> for Labels {
    /// One label for all of it.
    fn from(marking: Marking) -> Self {
        Self { stance: marking.clone(), reason: marking }
    }
}

impl Labels {
    /// Those of a stance in a signed position: never wider than the statement's.
    pub(crate) fn of(statement: &Statement, position: &Position, own: &ClausePosition) -> Self {
        let label = |text: &Option<String>| text.as_deref().map(|text| marking(text, &position.recipients));
        let stance = with(&statement.marking(), label(&position.tlp));
        let reason = with(&stance, label(&own.reason_tlp));
        Self { stance, reason }
    }

    /// Those of the remark of a position.
    pub(crate) fn of_remark(statement: &Statement, position: &Position) -> Marking {
        with(&statement.marking(), position.tlp.as_deref().map(|text| marking(text, &position.recipients)))
    }
}

impl Statement {
    /// Its own label.
    pub fn marking(&self) -> Marking {
        marking(&self.tlp, &self.recipients)
    }
}

/// What is no label was refused when it was read; here it would close.
fn marking(label: &str, recipients: &[String]) -> Marking {
    match Tlp::parse(label) {
        Some(Tlp::Red) => Marking::Tlp(Tlp::Red, recipients.iter().cloned().collect()),
        Some(tlp) => tlp.into(),
        None => Marking::Unknown(label.to_owned()),
    }
}

fn with(one: &Marking, other: Option<Marking>) -> Marking {
    other.map_or_else(|| one.clone(), |other| stricter(one, &other))
}

/// The stricter of two; of two RED ones, for whoever may have both.
pub(crate) fn stricter(one: &Marking, other: &Marking) -> Marking {
    match (one, other) {
        (Marking::Unknown(_), _) => one.clone(),
        (_, Marking::Unknown(_)) => other.clone(),
        (Marking::Tlp(Tlp::Red, own), Marking::Tlp(Tlp::Red, others)) => {
            Marking::Tlp(Tlp::Red, own.intersection(others).cloned().collect())
        }
        (Marking::Tlp(own, _), Marking::Tlp(others, _)) => if own >= others { one } else { other }.clone(),
    }
}

/// A label in words; of RED with those who may have it.
pub fn label_text(tlp: Tlp, recipients: &BTreeSet<String>) -> String {
    let names: Vec<&str> = recipients.iter().map(String::as_str).collect();
    match tlp {
        Tlp::Red => format!("{}, only for {}", tlp.as_str(), names.join(", ")),
        tlp => tlp.as_str().to_owned(),
    }
}

/// A marking in words.
pub(crate) fn marking_text(marking: &Marking) -> String {
    match marking {
        Marking::Tlp(Tlp::Red, recipients) if recipients.is_empty() => "TLP:RED, for nobody".to_owned(),
        Marking::Tlp(tlp, recipients) => label_text(*tlp, recipients),
        Marking::Unknown(text) => format!("marked {text}, which is not known here"),
    }
}

/// A finding of a case that a ground names, as whoever has the case looked it up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroundFinding {
    /// Title of the rule that found it, and its level.
    pub shows: String,
    /// RFC 3339, UTC; empty where the record has no time.
    pub time: String,
    /// Host, where one is known.
    pub host: String,
    /// The file in the evidence, and where in it.
    pub place: String,
}

/// A statement as it may be shown.
#[derive(Debug, Clone)]
pub struct View<'s> {
    /// The statement.
    pub statement: &'s Statement,
    /// Who stands behind what, by clause, as far as it may be shown.
    pub standings: Vec<ClauseStanding<'s>>,
    /// The record, when positions were not signed but said in public.
    pub record: Option<&'s Record>,
    /// Where the positions are from, in sentences.
    pub foreword: Vec<String>,
    /// The label of what is shown: the strictest of its parts, with the reason.
    pub label: Aggregate,
    /// What was left out (stances, reasons …), why, and how many.
    pub left_out: BTreeMap<(&'static str, String), usize>,
    /// Findings that grounds name, by their ids, where their cases were at hand.
    pub findings: BTreeMap<String, GroundFinding>,
}

impl<'s> View<'s> {
    /// What `audience` may see; all of it where nobody is named, for whoever holds it.
    ///
    /// # Errors
    /// The audience may not see the statement itself; or its parts are RED and nobody may have all of them.
    pub fn new(
        statement: &'s Statement,
        standings: Vec<ClauseStanding<'s>>,
        audience: Option<&Audience>,
    ) -> Result<Self, Refusal> {
        let label = Aggregate { tlp: Tlp::default(), recipients: BTreeSet::new(), reason: String::new() };
        let (record, foreword, left_out, findings) = Default::default();
        let mut view = Self { statement, standings, record, foreword, label, left_out, findings };
        if let Some(audience) = audience {
            if let Visibility::Refused(refusal) = shown(&statement.marking(), audience) {
                return Err(Refusal::new(format!("the statement is {}", refusal.as_text())));
            }
            let mut standings = std::mem::take(&mut view.standings);
            standings.iter_mut().for_each(|standing| view.restrict(standing, audience));
            view.standings = standings;
        }
        view.mark()?;
        Ok(view)
    }

    /// The label of what is shown.
    fn mark(&mut self) -> Result<(), Refusal> {
        let parts = self.parts();
        let parts = parts.iter().map(|(name, marking)| (name.as_str(), marking));
        self.label = strictest(parts).map_err(|error| Refusal::new(error.to_string()))?;
        Ok(())
    }

    /// With findings of cases, where `audience` may see them: nobody marked what a case says, so it is AMBER+STRICT.
    ///
    /// # Errors
    /// As [`View::new`].
    pub fn with_findings(
        mut self,
        findings: BTreeMap<String, GroundFinding>,
        audience: Option<&Audience>,
    ) -> Result<Self, Refusal> {
        let marking = Marking::from(Tlp::default());
        match audience.map(|audience| shown(&marking, audience)) {
            Some(Visibility::Refused(refusal)) if !findings.is_empty() => {
                self.left_out.insert(("findings of cases", refusal.as_text()), findings.len());
            }
            _ => self.findings = findings,
        }
        self.mark()?;
        Ok(self)
    }

    /// With the record that it was made of.
    #[must_use]
    pub fn of_record(self, record: Option<&'s Record>) -> Self {
        Self { record, ..self }
    }

    /// With sentences on where the positions are from.
    #[must_use]
    pub fn with_foreword(self, foreword: Vec<String>) -> Self {
        Self { foreword, ..self }
    }

    /// What was left out, in a sentence each.
    pub fn left_out_text(&self) -> Vec<String> {
        let of = |((what, reason), count): (&(&str, String), &usize)| format!("{what}: {count}, {reason}");
        self.left_out.iter().map(of).collect()
    }

    fn restrict(&mut self, standing: &mut ClauseStanding<'_>, audience: &Audience) {
        let left_out = &mut self.left_out;
        let mut refused = |what, marking: &Marking| match shown(marking, audience) {
            Visibility::Refused(refusal) => {
                *left_out.entry((what, refusal.as_text())).or_default() += 1;
                true
            }
            _ => false,
        };
        let mut hidden: BTreeSet<String> = BTreeSet::new();
        let mut count = 0;
        standing.voices.retain_mut(|voice| {
            if refused("stances", &voice.labels.stance) {
                hidden.insert(voice.party.clone());
                count += 1;
                return false;
            }
            voice.earlier.retain(|earlier| !refused("earlier stances", &earlier.marking));
            if voice.explanation.is_there() && refused("reasons", &voice.labels.reason) {
                voice.explanation = Explanation { is_withheld: true, ..Explanation::default() };
            }
            true
        });
        standing.withdrawn.retain(|gone| {
            let is_hidden = refused("withdrawals", &gone.marking);
            if is_hidden {
                hidden.insert(gone.party.clone());
                count += 1;
            }
            !is_hidden
        });
        standing.withheld = count;
        let order = |party: &String| {
            let place = self.statement.parties.iter().position(|own| own.id == *party);
            (place.unwrap_or(usize::MAX), party.clone())
        };
        standing.silent.extend(hidden);
        standing.silent.sort_by_key(order);
        standing.silent.dedup();
    }

    /// What is shown, part by part, with the marking of each.
    fn parts(&self) -> Vec<(String, Marking)> {
        let mut parts = vec![("the statement".to_owned(), self.statement.marking())];
        if !self.findings.is_empty() {
            parts.push(("what cases hold, which nobody marked,".to_owned(), Tlp::default().into()));
        }
        let name = |party: &str| self.statement.party_name(party).to_owned();
        for standing in &self.standings {
            let clause = &standing.clause.id;
            for voice in &standing.voices {
                let about = format!("what {} says of {clause}", name(&voice.party));
                parts.push((about, voice.labels.stance.clone()));
                if voice.explanation.is_there() {
                    let about = format!("why {} says so of {clause}", name(&voice.party));
                    parts.push((about, voice.labels.reason.clone()));
                }
                for earlier in &voice.earlier {
                    let about = format!("position {} of {} on {clause}", earlier.number, name(&voice.party));
                    parts.push((about, earlier.marking.clone()));
                }
            }
            for gone in &standing.withdrawn {
                parts
                    .push((format!("what {} withdrew of {clause}", name(&gone.party)), gone.marking.clone()));
            }
        }
        parts
    }
}

fn shown(marking: &Marking, audience: &Audience) -> Visibility {
    // A joint statement is nobody's alone: its parts go whole or not at all.
    visibility(marking, Owner::Other, audience)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::Stance;
    use crate::{Package, parse_position, parse_statement, sample, standing};
    use proptest::prelude::*;

    const NAMES: [&str; 3] = ["Ana", "Bo", "Cy"];
    /// A label of its own, or none, with those of RED.
    type Label = (Option<Tlp>, Vec<&'static str>);

    fn label() -> impl Strategy<Value = Label> {
        let tlp = prop_oneof![Just(None), proptest::sample::select(Tlp::ALL.to_vec()).prop_map(Some)];
        (tlp, proptest::sample::subsequence(NAMES.to_vec(), 1..=3))
    }

    fn audience() -> impl Strategy<Value = Option<Audience>> {
        let tlp = prop_oneof![Just(None), proptest::sample::select(Tlp::ALL.to_vec()).prop_map(Some)];
        let names = proptest::sample::subsequence(NAMES.to_vec(), 1..=2);
        (tlp, names).prop_map(|(tlp, names)| {
            Some(Audience::of(tlp?, names.iter().map(|&name| name.into()).collect()))
        })
    }

    /// A position of `party`, each text of which is a word of its own.
    fn form(party: &str, round: usize, own: &Label, reason: Option<Tlp>) -> String {
        let mut out = format!("party: {party}\nremark: remark{party}{round}\n");
        if let Some(tlp) = own.0 {
            out.push_str(&format!("tlp: {}\n", tlp.word()));
        }
        if own.0 == Some(Tlp::Red) || reason == Some(Tlp::Red) {
            out.push_str(&format!("recipients: [{}]\n", own.1.join(", ")));
        }
        out.push_str(&format!(
            "clauses:\n  - {{clause: C1, stance: dissent, likelihood: {{word: word{party}{round}}}, wording: wording{party}{round}, reason: reason{party}{round}, alternative: instead{party}{round}"
        ));
        if let Some(tlp) = reason {
            out.push_str(&format!(", reason_tlp: {}", tlp.word()));
        }
        out.push_str("}\n");
        out
    }

    fn everything(view: &View<'_>) -> Vec<String> {
        let mut stix = Vec::new();
        crate::stix_bundle(view, model::Timestamp::from_nanos(0)).write(&mut stix).unwrap();
        vec![crate::render_positions(view), String::from_utf8(stix).unwrap()]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn nothing_is_shown_that_its_label_refuses_and_all_else_is(
            statement in label(),
            positions in prop::collection::vec((0..4usize, label(), label()), 1..7),
            audience in audience(),
        ) {
            let tlp = statement.0.unwrap_or(Tlp::Clear);
            let mut draft = sample::DRAFT.replace("tlp: clear", &format!("tlp: {}", tlp.word()));
            if tlp == Tlp::Red {
                draft.push_str(&format!("recipients: [{}]\n", statement.1.join(", ")));
            }
            let statement = parse_statement("draft.yml", &draft).unwrap();
            let mut package = Package::new(&statement, sample::roster().as_bytes()).unwrap();
            let mut filed: Vec<(usize, usize, Labels)> = Vec::new();
            for (round, (party, own, reason)) in positions.iter().enumerate() {
                let text = form(sample::PARTIES[*party], round, own, reason.0);
                let form = parse_position("form", &text, &statement).unwrap();
                package.file(form, model::Timestamp::from_nanos(0), &sample::signer(sample::PARTIES[*party])).unwrap();
                let mark = |tlp: Option<Tlp>| tlp.map(|tlp| marking(tlp.word(), &own.1.iter().map(|&name| name.into()).collect::<Vec<_>>()));
                let stance = with(&statement.marking(), mark(own.0));
                let labels = Labels { reason: with(&stance, mark(reason.0)), stance };
                filed.push((*party, round, labels));
            }
            let (read, bad) = package.positions(&statement, &package.own_roster().unwrap(), None);
            prop_assert!(bad.is_empty(), "{bad:?}");
            let view = View::new(&statement, standing(&statement, &read), audience.as_ref());
            let may = |marking: &Marking| audience.as_ref().is_none_or(|to| shown(marking, to) == Visibility::Whole);
            let Ok(view) = view else {
                // The statement may not go there; or, for its holder, nobody may have all of it.
                let all = filed.iter().flat_map(|(.., labels)| [&labels.stance, &labels.reason]);
                let own = statement.marking();
                let all: Vec<(&str, &Marking)> = all.chain([&own]).map(|marking| ("x", marking)).collect();
                prop_assert!(!may(&own) || (audience.is_none() && strictest(all).is_err()));
                return Ok(());
            };
            for text in everything(&view) {
                for (index, (party, round, labels)) in filed.iter().enumerate() {
                    let party = sample::PARTIES[*party];
                    let last = !filed[index + 1..].iter().any(|(later, ..)| sample::PARTIES[*later] == party);
                    for (word, marking) in [("remark", &labels.stance), ("word", &labels.stance), ("wording", &labels.stance), ("reason", &labels.reason), ("instead", &labels.reason)] {
                        let word = format!("{word}{party}{round}");
                        if !may(marking) {
                            prop_assert!(!text.contains(&word), "{word} is shown: {text}");
                        } else if last && may(&labels.stance) && word.starts_with("reason") {
                            prop_assert!(text.contains(&word), "{word} is not shown: {text}");
                        }
                    }
                }
            }
            let standing = &view.standings[0];
            let parties: BTreeSet<usize> = filed.iter().map(|(party, ..)| *party).collect();
            prop_assert_eq!(standing.voices.len() + standing.withheld, parties.len(), "each is shown or counted");
            for voice in &standing.voices {
                prop_assert!(!standing.silent.contains(&voice.party));
                prop_assert_eq!(voice.stance, Some(Stance::Dissent));
            }
            if let Some(audience) = &audience {
                prop_assert!(view.label.tlp <= audience.tlp());
                if let Audience::Persons(persons) = audience && view.label.tlp == Tlp::Red {
                    prop_assert!(persons.is_subset(&view.label.recipients));
                }
            }
        }
    }

    fn view_of(forms: &[&str], audience: Option<Audience>) -> Result<(String, Vec<String>), Refusal> {
        let mut package = sample::package();
        let statement = package.statement().unwrap();
        for form in forms {
            let form = parse_position("form", form, &statement).unwrap();
            let signer = sample::signer(&form.party);
            package.file(form, model::Timestamp::from_nanos(0), &signer).unwrap();
        }
        let (read, _) = package.positions(&statement, &package.own_roster().unwrap(), None);
        let view = View::new(&statement, standing(&statement, &read), audience.as_ref())?;
        Ok((crate::render_positions(&view), view.left_out_text()))
    }

    #[test]
    fn a_hidden_dissent_is_counted_and_does_not_pass_for_silence() {
        let forms = [
            "party: us\nclauses: [{clause: C1, stance: concur}]",
            "party: se\ntlp: amber\nclauses: [{clause: C1, stance: dissent, reason: Secret.}]",
            "party: jp\nclauses: [{clause: C1, stance: dissent, reason: Hidden., reason_tlp: amber}]",
        ];
        let (whole, left_out) = view_of(&forms, None).unwrap();
        assert!(whole.starts_with("TLP:AMBER (why Japan says so of C1 is TLP:AMBER)"), "{whole}");
        assert!(whole.contains("Secret.") && left_out.is_empty());
        let (green, left_out) = view_of(&forms, Some(Audience::Community)).unwrap();
        assert!(green.starts_with("TLP:CLEAR\n"), "{green}");
        assert!(
            green.contains("Of what is shown here: Not joint: only United States concurs. Not shown: 1."),
            "{green}"
        );
        assert!(
            green.contains("Silent (not assent), or not shown here (1 is not): United Kingdom, Sweden"),
            "{green}"
        );
        assert!(green.contains("reason: not shown here: its label does not allow it"), "{green}");
        assert!(!green.contains("Secret") && !green.contains("Hidden"));
        let why = "marked TLP:AMBER, which is stricter than this export";
        assert_eq!(left_out, [format!("reasons: 1, {why}"), format!("stances: 1, {why}")]);
    }

    #[test]
    fn two_reds_are_for_whoever_may_have_both() {
        let red = |party: &str, names: &str| {
            format!(
                "party: {party}\ntlp: red\nrecipients: [{names}]\nclauses: [{{clause: C1, stance: dissent}}]"
            )
        };
        let (us, se) = (red("us", "Ana, Bo"), red("se", "Bo, Cy"));
        let (whole, _) = view_of(&[&us, &se], None).unwrap();
        assert!(
            whole.starts_with("TLP:RED, only for Bo (what United States says of C1 is TLP:RED)"),
            "{whole}"
        );
        let bo = Audience::Persons(["Bo".to_owned()].into());
        assert!(view_of(&[&us, &se], Some(bo)).unwrap().1.is_empty());
        let jp = red("jp", "Ana");
        let refused = view_of(&[&us, &se, &jp], None).unwrap_err();
        assert_eq!(refused.to_string(), "3 inputs are TLP:RED, and no recipient is common to them");
    }
}
