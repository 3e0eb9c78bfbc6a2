//! `assay scan --profile-rules`: what each Sigma rule cost.
//!
//! Times are measured, so they are in no file that the same input makes the same.
//!
//! # Not here
//! Measuring: the engine does it.

use crate::case_folder;
use anyhow::{Context as _, Result};
use serde_json::json;
use sigma::{Cost, Costs, Engine, Rule};
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

const FILE: &str = "rules-profile.json";
/// Rules in the table on the terminal.
const SHOWN: usize = 20;

/// Nanoseconds since it was asked first.
pub fn clock() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BEGAN.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Writes the profile into a case, where one was asked for; else takes that of an older scan out of it.
///
/// # Errors
/// When the folder cannot be changed.
pub fn write(folder: &Path, engine: &Engine) -> Result<()> {
    let Some(costs) = engine.costs() else {
        return match std::fs::remove_file(folder.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing the older {FILE}"))
            }
            _ => Ok(()),
        };
    };
    let rules: Vec<serde_json::Value> = ranked(engine, &costs)
        .into_iter()
        .map(|(rule, cost)| {
            json!({
                "id": rule.id, "title": rule.title, "file": rule.file,
                "tried": cost.tried, "matched": cost.matched, "seconds": seconds(cost.nanos),
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&json!({
        "schema": "assay-rules-profile/1",
        "times": "measured: they differ from run to run; summed over threads",
        "records": costs.records,
        "seconds": seconds(costs.nanos),
        "seconds_shared": seconds(shared(&costs)),
        "rules": rules,
    }))?;
    let mut out = case_folder::create(folder, FILE)?;
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush().with_context(|| format!("writing {FILE}"))
}

/// Prints the rules that cost most, where a profile was asked for.
///
/// # Errors
/// Those of writing.
pub fn print(engine: &Engine, out: &mut dyn Write) -> io::Result<()> {
    let Some(costs) = engine.costs() else { return Ok(()) };
    let ranked = ranked(engine, &costs);
    let own = costs.nanos.saturating_sub(shared(&costs));
    writeln!(out)?;
    writeln!(out, " What rules cost (measured: it differs from run to run; summed over threads)")?;
    writeln!(
        out,
        "   matching {:.3} s for {} records: {:.3} s shared by all rules, {:.3} s of single ones",
        seconds(costs.nanos),
        costs.records,
        seconds(shared(&costs)),
        seconds(own),
    )?;
    writeln!(out, "   {:>10} {:>10} {:>10}  rule", "tried", "matched", "seconds")?;
    for (rule, cost) in ranked.iter().take(SHOWN).filter(|(_, cost)| cost.tried > 0) {
        let title = report::escape_terminal(&rule.title);
        writeln!(out, "   {:>10} {:>10} {:>10.6}  {title}", cost.tried, cost.matched, seconds(cost.nanos))?;
    }
    let tried = ranked.iter().filter(|(_, cost)| cost.tried > 0).count();
    if tried > SHOWN {
        writeln!(out, "   and {} more that were tried", tried - SHOWN)?;
    }
    writeln!(out, "   {} of {} rules were never tried", ranked.len() - tried, ranked.len())
}

/// The rules with what they cost, the dearest first.
fn ranked<'e>(engine: &'e Engine, costs: &Costs) -> Vec<(&'e Rule, Cost)> {
    let mut ranked: Vec<(&Rule, Cost)> = engine.rules().iter().zip(costs.rules.iter().copied()).collect();
    ranked.sort_by(|(a, x), (b, y)| (y.nanos, y.tried, &a.id).cmp(&(x.nanos, x.tried, &b.id)));
    ranked
}

/// What no single rule can be charged with: finding the rules to be tried, and showing what was found.
fn shared(costs: &Costs) -> u64 {
    let own: u64 = costs.rules.iter().map(|cost| cost.nanos).sum();
    costs.nanos.saturating_sub(own)
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}
