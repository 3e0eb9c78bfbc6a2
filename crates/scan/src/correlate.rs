//! Correlations over the findings of a case, in the order of their times,
//! across items and hosts.
//!
//! A correlation's events are the findings of its rules that have a time, and
//! the hits of correlations that it refers to. What it asks of their fields is
//! read back from where they were put aside, so that memory holds one timespan
//! of events and what was found.
//!
//! Findings of rules that do not stand for themselves stay only where a
//! correlation rests on them.
//!
//! # Not here
//! When a correlation holds ([`sigma::Runner`]).

use model::{Case, EvidenceId, Field, Finding, FindingId, HostName, Position, RuleFacts, Timestamp};
use sha2::{Digest as _, Sha256};
use sigma::{Correlation, Event, FieldNames, Hit, InputSource, Rule, Runner};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Fields that stand for the host of a record, where the record has none of that name.
const HOST_FIELDS: &[&str] = &["Computer", "ComputerName", "Hostname", "host", "host.name"];
/// Groups that one hit of another correlation counts for.
const GROUPS_PER_HIT_MAX: usize = 1_000;

/// Adds the findings of `correlations`, and takes out those that are only
/// grounds and of which none rests on.
///
/// # Errors
/// When fields that were put aside cannot be read back.
pub fn add(case: &mut Case, rules: &[Rule], correlations: &[Correlation]) -> Result<(), String> {
    if correlations.is_empty() {
        return Ok(());
    }
    let mut work = Work::new(case, rules, correlations);
    for index in 0..correlations.len() {
        work.run(index)?;
    }
    let (found, grounds) = work.findings();
    let is_hidden: BTreeSet<&str> =
        rules.iter().filter(|rule| !rule.stands_alone).map(|rule| rule.id.as_str()).collect();
    case.findings
        .retain(|finding| !is_hidden.contains(finding.rule.id.as_str()) || grounds.contains(&finding.id));
    case.findings.extend(found);
    case.findings.sort_unstable_by(|a, b| crate::assemble::order(a).cmp(&crate::assemble::order(b)));
    Ok(())
}

/// Why a correlation holds of a case, or does not.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Explained {
    /// By input: what came of its matches.
    pub inputs: Vec<InputCounts>,
    /// Groups, those nearest to holding first, each with its nearest timespan. Grounds of windows are
    /// in `grounds`.
    pub groups: Vec<sigma::Seen>,
    /// How often a group was met beyond those.
    pub beyond: u64,
    /// Places of findings in the case, by the numbers in windows.
    pub grounds: BTreeMap<u64, Vec<usize>>,
    /// How often it holds.
    pub hits: usize,
}

/// What came of the matches of one rule that a correlation refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InputCounts {
    /// All of them.
    pub matches: u64,
    /// Those without a time.
    pub without_time: u64,
    /// Those that lack a field of `group-by`, or the condition's.
    pub without_field: u64,
}

/// Runs `correlations` up to the one at `index` over the findings of `case`, made without
/// correlations, and tells why it holds or not.
///
/// # Errors
/// When fields that were put aside cannot be read back.
pub fn explain(
    case: &Case,
    rules: &[Rule],
    correlations: &[Correlation],
    index: usize,
) -> Result<Explained, String> {
    let mut work = Work::new(case, rules, correlations);
    for before in 0..index {
        work.run(before)?;
    }
    work.explained = Some(Explained::default());
    work.run(index)?;
    let hits = work.hits.get(index).map_or(0, Vec::len);
    let mut own = Explained { hits, ..work.explained.take().unwrap_or_default() };
    let numbers = own.groups.iter().flat_map(|seen| &seen.best.grounds);
    own.grounds = numbers.map(|number| (*number, work.bases(*number))).collect();
    for (counts, input) in own.inputs.iter_mut().zip(&correlations[index].inputs) {
        if let InputSource::Rule(rule) = input.source {
            let of_rule = case.findings.iter().filter(|finding| finding.rule.id == rules[rule].id);
            (counts.matches, counts.without_time) = of_rule.fold((0, 0), |(all, without), finding| {
                (all + 1, without + u64::from(finding.time.is_none()))
            });
        }
    }
    Ok(own)
}

/// What findings say of a correlation.
pub fn facts(correlation: &Correlation) -> RuleFacts {
    RuleFacts {
        id: correlation.id.clone(),
        title: correlation.title.clone(),
        level: correlation.level,
        tags: correlation.tags.clone(),
        techniques: correlation.techniques.clone(),
    }
}

/// What it looks at, in words.
pub fn looks_at(correlation: &Correlation) -> String {
    let names: Vec<&str> = correlation.inputs.iter().map(|input| input.named.as_str()).collect();
    format!("{} of {}", correlation.kind(), names.join(", "))
}

/// The values of `group-by`, and of the condition's fields.
type Values = (Vec<String>, Vec<String>);

struct Work<'c> {
    case: &'c Case,
    rules: &'c [Rule],
    correlations: &'c [Correlation],
    /// Findings that have a time and whose rule some correlation refers to, with the rule, by time.
    matches: Vec<(usize, usize)>,
    /// By correlation.
    hits: Vec<Vec<Found>>,
    /// Why the next one holds or not, where that is asked.
    explained: Option<Explained>,
}

/// A hit and what it rests on.
struct Found {
    hit: Hit,
    id: FindingId,
    /// Ids of its grounds, sorted, each once.
    grounds: Vec<FindingId>,
    /// The findings below it, by their place in the case.
    bases: Vec<usize>,
    /// Those of its first time only.
    first_bases: Vec<usize>,
}

/// A hit of another correlation as an event is numbered behind all findings.
const HITS_FROM: u64 = 1 << 48;
const HITS_PER_CORRELATION: u64 = 1 << 28;

impl<'c> Work<'c> {
    fn new(case: &'c Case, rules: &'c [Rule], correlations: &'c [Correlation]) -> Self {
        let inputs = correlations.iter().flat_map(|correlation| &correlation.inputs);
        let wanted: BTreeMap<&str, usize> = inputs
            .filter_map(|input| match input.source {
                InputSource::Rule(index) => Some((rules.get(index)?.id.as_str(), index)),
                InputSource::Correlation(_) => None,
            })
            .collect();
        let matches = case.findings.iter().enumerate().filter_map(|(place, finding)| {
            finding.time?;
            Some((place, *wanted.get(finding.rule.id.as_str())?))
        });
        Self { case, rules, correlations, matches: matches.collect(), hits: Vec::new(), explained: None }
    }

    /// Runs one correlation; those that it refers to were run.
    fn run(&mut self, index: usize) -> Result<(), String> {
        let correlation = &self.correlations[index];
        let is_chained = self.correlations.iter().any(|other| {
            other.is_temporal()
                && other.inputs.iter().any(|input| input.source == InputSource::Correlation(index))
        });
        let mut chained = self.chained_events(correlation)?;
        chained.sort_by_key(|event| (event.time, event.input, event.ground));
        let mut counts = vec![InputCounts::default(); correlation.inputs.len()];
        chained.iter().for_each(|event| counts[event.input].matches += 1);
        let mut chained = chained.into_iter().peekable();
        let inputs: BTreeMap<usize, usize> = correlation
            .inputs
            .iter()
            .enumerate()
            .filter_map(|(number, input)| match input.source {
                InputSource::Rule(rule) => Some((rule, number)),
                InputSource::Correlation(_) => None,
            })
            .collect();
        let names: BTreeMap<usize, FieldNames> = inputs
            .iter()
            .map(|(rule, number)| (*rule, correlation.field_names(*number, &self.rules[*rule])))
            .collect();
        let mut runner = Runner::new(correlation, is_chained);
        if self.explained.is_some() {
            runner = runner.watching();
        }
        for (place, rule) in &self.matches {
            let Some(input) = inputs.get(rule) else { continue };
            let finding = &self.case.findings[*place];
            let Some(time) = finding.time else { continue };
            while let Some(event) = chained.next_if(|event| event.time <= time) {
                runner.push(event);
            }
            match self.fields(finding, &names[rule])? {
                Some((group, values)) => {
                    runner.push(Event { time, input: *input, group, values, ground: *place as u64 });
                }
                None => counts[*input].without_field += 1,
            }
        }
        chained.for_each(|event| runner.push(event));
        let (hits, groups, beyond) = runner.finish_watched();
        if let Some(own) = &mut self.explained {
            (own.inputs, own.groups, own.beyond) = (counts, groups, beyond);
        }
        let found = hits.into_iter().map(|hit| self.found(correlation, hit)).collect();
        self.hits.push(found);
        Ok(())
    }

    /// The hits of correlations that `correlation` refers to, as its events: one for each group among
    /// the findings below a hit.
    fn chained_events(&self, correlation: &Correlation) -> Result<Vec<Event>, String> {
        let mut events = Vec::new();
        for (input, source) in correlation.inputs.iter().enumerate() {
            let InputSource::Correlation(index) = source.source else { continue };
            for (number, found) in self.hits[index].iter().enumerate() {
                let ground = HITS_FROM + index as u64 * HITS_PER_CORRELATION + number as u64;
                let marks: Vec<(Timestamp, Vec<usize>)> = if correlation.is_temporal() {
                    let mut marks = found.hit.marks.iter();
                    let first = marks.next().map(|mark| (mark.time, found.first_bases.clone()));
                    let rest = marks.map(|mark| (mark.time, self.bases(mark.ground)));
                    first.into_iter().chain(rest).collect()
                } else {
                    vec![(found.hit.time, found.bases.clone())]
                };
                for (time, bases) in marks {
                    for (group, values) in self.groups(correlation, input, &bases)? {
                        events.push(Event { time, input, group, values, ground });
                    }
                }
            }
        }
        Ok(events)
    }

    /// The groups (and values) that the findings `bases` have.
    fn groups(
        &self,
        correlation: &Correlation,
        input: usize,
        bases: &[usize],
    ) -> Result<BTreeSet<Values>, String> {
        let mut groups = BTreeSet::new();
        for place in bases {
            let at = self.matches.binary_search_by_key(place, |(place, _)| *place);
            let Ok(at) = at else { continue };
            let names = correlation.field_names(input, &self.rules[self.matches[at].1]);
            groups.extend(self.fields(&self.case.findings[*place], &names)?);
            if groups.len() >= GROUPS_PER_HIT_MAX {
                break;
            }
        }
        Ok(groups)
    }

    /// The values of `group-by` and of the condition's fields; `None` when one is missing.
    fn fields(&self, finding: &Finding, names: &FieldNames) -> Result<Option<Values>, String> {
        let fields = if names.group.is_empty() && names.values.is_empty() {
            Vec::new()
        } else {
            self.case.fields(finding)?
        };
        let all = |names: &[Vec<String>]| -> Option<Vec<String>> {
            names.iter().map(|names| value(&fields, names, finding.host.as_ref())).collect()
        };
        Ok(all(&names.group).zip(all(&names.values)))
    }

    /// The findings below an event.
    fn bases(&self, ground: u64) -> Vec<usize> {
        match self.hit_of(ground) {
            Some(found) => found.bases.clone(),
            None => vec![ground as usize],
        }
    }

    fn hit_of(&self, ground: u64) -> Option<&Found> {
        let number = ground.checked_sub(HITS_FROM)?;
        let hits = self.hits.get((number / HITS_PER_CORRELATION) as usize)?;
        hits.get((number % HITS_PER_CORRELATION) as usize)
    }

    fn found(&self, correlation: &Correlation, hit: Hit) -> Found {
        let id = |ground: &u64| match self.hit_of(*ground) {
            Some(found) => found.id,
            None => self.case.findings[*ground as usize].id,
        };
        let bases = |grounds: &[u64]| -> Vec<usize> {
            let all: BTreeSet<usize> = grounds.iter().flat_map(|ground| self.bases(*ground)).collect();
            all.into_iter().collect()
        };
        let mut grounds: Vec<FindingId> = hit.grounds.iter().map(id).collect();
        grounds.sort_unstable();
        grounds.dedup();
        Found {
            id: finding_id(&correlation.id, &grounds),
            bases: bases(&hit.grounds),
            first_bases: bases(&hit.grounds[..hit.grounds_at_first]),
            grounds,
            hit,
        }
    }

    /// The findings of all hits that are shown, and the ids of all grounds.
    fn findings(self) -> (Vec<Finding>, BTreeSet<FindingId>) {
        let mut grounds: BTreeSet<FindingId> = BTreeSet::new();
        let mut shown: BTreeMap<FindingId, Finding> = BTreeMap::new();
        // From the outermost inwards: what something shown rests on is shown.
        for (correlation, found) in self.correlations.iter().zip(&self.hits).rev() {
            let rule = Arc::new(facts(correlation));
            for own in found {
                if !correlation.stands_alone && !grounds.contains(&own.id) {
                    continue;
                }
                grounds.extend(own.grounds.iter().copied());
                let fields = shown_fields(correlation, &own.hit);
                match shown.get_mut(&own.id) {
                    // The same grounds under another group.
                    Some(finding) => finding.fields.extend(fields),
                    None => drop(shown.insert(own.id, self.finding(&rule, own, fields))),
                }
            }
        }
        (shown.into_values().collect(), grounds)
    }

    fn finding(&self, rule: &Arc<RuleFacts>, own: &Found, fields: Vec<Field>) -> Finding {
        let mut hosts = own.bases.iter().map(|place| &self.case.findings[*place].host);
        let first = hosts.next().cloned().flatten();
        let host = first.filter(|first| hosts.all(|other| other.as_ref() == Some(first)));
        Finding {
            id: own.id,
            rule: Arc::clone(rule),
            time: Some(own.hit.time),
            host,
            evidence: EvidenceId::NONE,
            position: Position { offset: u64::from_be_bytes(own.id.0), ..Position::default() },
            intrusion: None,
            fields,
            spilled: None,
            record: None,
            grounds: own.grounds.clone(),
        }
    }
}

/// The text of the first field that goes by one of `names` and holds something.
fn value(fields: &[Field], names: &[String], host: Option<&HostName>) -> Option<String> {
    let is_named =
        |own: &str| names.iter().any(|name| own.eq_ignore_ascii_case(name) || own.replace(' ', "") == *name);
    let own = fields
        .iter()
        .find(|(name, text)| is_named(name) && !text.is_empty())
        .map(|(_, text)| text.to_string());
    own.or_else(|| {
        let is_host = names.iter().any(|name| HOST_FIELDS.contains(&name.as_str()));
        host.filter(|_| is_host).map(ToString::to_string)
    })
}

/// What a reader needs: the group, the span, the number of events, what was measured.
fn shown_fields(correlation: &Correlation, hit: &Hit) -> Vec<Field> {
    let field = |name: &str, text: String| -> Field { (name.into(), text.into()) };
    let mut fields: Vec<Field> =
        correlation.group_by.iter().zip(&hit.group).map(|(name, text)| field(name, text.clone())).collect();
    fields.extend(hit.value.clone().map(|value| field("Value", value)));
    fields.push(field("FirstEvent", hit.first.to_string()));
    fields.push(field("LastEvent", hit.last.to_string()));
    fields.push(field("Events", hit.events.to_string()));
    fields.push(field("Measure", format!("{} {}", correlation.kind(), hit.measure)));
    fields
}

/// SHA-256 over the rule's id and the ids of the grounds, sorted, joined by
/// line feeds; the first eight bytes.
fn finding_id(rule_id: &str, grounds: &[FindingId]) -> FindingId {
    let mut hasher = Sha256::new();
    hasher.update(rule_id.as_bytes());
    for ground in grounds {
        hasher.update(b"\n");
        hasher.update(ground.to_string().as_bytes());
    }
    let digest = hasher.finalize();
    let mut id = [0; 8];
    id.copy_from_slice(&digest[..8]);
    FindingId(id)
}
