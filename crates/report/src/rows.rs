//! The files with a line for each finding, or for each record: written side by side, so that what findings hold is read
//! back once, and names that the report must mask are learnt on the way.
//!
//! Findings are rendered in batches by all threads of the pool that this runs in, and written in the order of the case.

use crate::json::{self, RuleText};
use crate::mask::Secrets;
use crate::timeline::{self, RuleCells};
use crate::{Open, open_buffered};
use model::{Case, Details, Finding, Spilled};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::sync::Arc;

/// Findings that one thread renders at a time.
const BATCH: usize = 256;
/// Batches of each thread that are rendered before they are written.
const BATCHES_PER_THREAD: usize = 2;

/// The files that this writes, in the order in which they are opened.
pub(crate) const FILES: [&str; 3] = ["findings.jsonl", "records.jsonl", "timeline.csv"];

/// What is made of each finding.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// Its line of `findings.jsonl`.
    Lines,
    /// That, and what the other files hold.
    Files,
    /// That, and what the report must mask.
    FilesAndSecrets,
}

/// Writes [`FILES`]; gives what the findings, their records and the sessions name that must be masked, where somebody
/// wants to know (`with_secrets`).
pub(crate) fn write_files(case: &Case, with_secrets: bool, open: &mut Open<'_>) -> io::Result<Secrets> {
    let [mut findings, mut records, mut timeline] =
        [open_buffered(FILES[0], open)?, open_buffered(FILES[1], open)?, open_buffered(FILES[2], open)?];
    let mut secrets = Secrets::default();
    timeline.write_all(timeline::HEADER.as_bytes())?;
    let wish = if with_secrets { Wish::FilesAndSecrets } else { Wish::Files };
    each_batch(case, wish, &mut |rows| {
        findings.write_all(rows.findings.as_bytes())?;
        records.write_all(rows.records.as_bytes())?;
        timeline.write_all(rows.timeline.as_bytes())?;
        secrets.add(rows.secrets);
        Ok(())
    })?;
    if with_secrets {
        secrets.learn_sessions(case);
    }
    [findings, records, timeline].iter_mut().try_for_each(Write::flush)?;
    Ok(secrets)
}

/// Writes the findings as JSON lines, in the order of the case.
///
/// # Errors
/// Those of `out`, and of fields that cannot be read back.
pub fn write_findings_jsonl(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    each_batch(case, Wish::Lines, &mut |rows| out.write_all(rows.findings.as_bytes()))
}

/// What became of one batch.
#[derive(Default)]
struct Rows {
    findings: String,
    records: String,
    timeline: String,
    secrets: Secrets,
}

/// Renders all findings and shows them, batch by batch.
fn each_batch(case: &Case, wish: Wish, show: &mut dyn FnMut(Rows) -> io::Result<()>) -> io::Result<()> {
    let shared = Shared { case, wish, rules: rules(case), records: records(case) };
    let wave = BATCH * BATCHES_PER_THREAD * rayon::current_num_threads();
    for (from, findings) in (0..).step_by(wave).zip(case.findings.chunks(wave)) {
        let batches = findings.par_chunks(BATCH).enumerate();
        let rendered = batches.map(|(batch, findings)| shared.render(from + batch * BATCH, findings));
        rendered.collect::<io::Result<Vec<Rows>>>()?.into_iter().try_for_each(&mut *show)?;
    }
    Ok(())
}

/// What all batches need.
struct Shared<'c> {
    case: &'c Case,
    wish: Wish,
    rules: HashMap<usize, Rule>,
    records: BTreeMap<Spilled, Place>,
}

/// What a rule's findings have in common, as it is written.
struct Rule {
    text: RuleText,
    cells: RuleCells,
}

/// Where a whole record is written: its line, from 1, and the first finding that stands in it.
struct Place {
    line: u64,
    first: usize,
}

/// Tells rules apart, whose findings share their facts.
fn rule_key(finding: &Finding) -> usize {
    Arc::as_ptr(&finding.rule).addr()
}

fn rules(case: &Case) -> HashMap<usize, Rule> {
    let mut rules = HashMap::new();
    for finding in &case.findings {
        let rule = || Rule { text: RuleText::of(&finding.rule), cells: RuleCells::of(&finding.rule) };
        rules.entry(rule_key(finding)).or_insert_with(rule);
    }
    rules
}

/// Numbers whole records in the order of the findings that have them.
fn records(case: &Case) -> BTreeMap<Spilled, Place> {
    let mut records = BTreeMap::new();
    for (first, finding) in case.findings.iter().enumerate() {
        let Some(place) = finding.record else { continue };
        let line = records.len() as u64 + 1;
        records.entry(place).or_insert(Place { line, first });
    }
    records
}

impl Shared<'_> {
    /// Renders findings, of which the first is that of index `from`.
    fn render(&self, from: usize, findings: &[Finding]) -> io::Result<Rows> {
        let mut rows = Rows::default();
        let mut details = Details::default();
        for (index, finding) in (from..).zip(findings) {
            self.case.read(finding, &mut details).map_err(io::Error::other)?;
            let Rule { text, cells } = &self.rules[&rule_key(finding)];
            let record = finding.record.and_then(|place| self.records.get(&place));
            let line = record.map(|record| record.line);
            json::push_finding(&mut rows.findings, self.case, (finding, text), &details, line);
            if self.wish == Wish::Lines {
                continue;
            }
            if let Some(time) = finding.time {
                timeline::push_row(&mut rows.timeline, self.case, (finding, time), cells, &details);
            }
            let with_secrets = self.wish == Wish::FilesAndSecrets;
            if with_secrets {
                rows.secrets.learn_finding(self.case, finding, &details);
            }
            if record.is_some_and(|record| record.first == index) {
                self.case.read_record(finding, &mut details).map_err(io::Error::other)?;
                json::push_record(&mut rows.records, self.case, finding, &details);
                if with_secrets {
                    rows.secrets.learn_record(&details);
                }
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use crate::tests::files_with;

    /// More findings than a wave of batches holds, and more than the report has room for.
    fn many() -> Case {
        let mut case = sample::case();
        let own = case.findings.clone();
        for (number, finding) in own.iter().cycle().take(9_000).enumerate() {
            let mut finding = finding.clone();
            finding.id.0[..4].copy_from_slice(&(number as u32).to_be_bytes());
            finding.fields.push(("User".into(), format!("EXAMPLE\\user{number}").into()));
            case.findings.push(finding);
        }
        case
    }

    #[test]
    fn any_number_of_threads_writes_the_same_files() {
        let case = many();
        let with_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| files_with(&case, &sample::run(), Default::default()))
        };
        let one = with_threads(1);
        assert!(one.contains_key("findings-4.html"));
        assert_eq!(one["findings.jsonl"].lines().count(), case.findings.len());
        let ids = one["findings.jsonl"].lines().map(|line| line[7..23].to_owned());
        assert!(ids.eq(case.findings.iter().map(|finding| finding.id.to_string())));
        for threads in [2, 3] {
            assert!(one == with_threads(threads), "{threads} threads");
        }
    }

    #[test]
    fn secrets_are_those_of_all_findings() {
        let case = many();
        let mut open = |_: &str| -> io::Result<Box<dyn Write>> { Ok(Box::new(io::sink())) };
        let secrets = write_files(&case, true, &mut open).unwrap();
        assert!(secrets.people.contains("user8999"));
        assert_eq!(secrets, Secrets::of(&case).unwrap());
        assert_eq!(write_files(&case, false, &mut open).unwrap(), Secrets::default());
    }
}
