//! The knowledge as a text table: one fact a line, columns parted by tabs.
//!
//! | line | columns |
//! |---|---|
//! | `v` | version of ATT&CK |
//! | `r` | report: name, date as printed (or nothing), address; numbered from 0 in their order |
//! | `t` | technique: id, name |
//! | `g`, `c`, `s` | group, campaign, software: id, name; software also `malware` or `tool` |
//! | `n` | another name: id, name, numbers of the reports cited for it |
//! | `u` | uses: id, numbers of the reports, ids of what is used |
//! | `d` | described with: software, numbers of the reports, group |
//! | `b` | attributed by ATT&CK: campaign, numbers of the reports, group |
//! | `x` | an id, and the id that replaced it |
//! | `a` | a name as a claim: name, source, actor's id there, its label, relation, date, who uses the name |
//!
//! Lines that begin with `#` are comments. One form for what is built in and for
//! what `knowledge update` writes.

use crate::{Attack, Claim, Date, Entry, OtherName, Relation, Report, ReportId, Use};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Reads a table; claims stand beside the facts of ATT&CK.
///
/// # Errors
/// When a line is not as described above: its number, and what is wrong with it.
pub fn parse(text: &str) -> Result<(Attack, Vec<Claim>), String> {
    let mut attack = Attack::default();
    let mut claims = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let columns: Vec<&str> = line.split('\t').collect();
        parse_line(&mut attack, &mut claims, &columns)
            .map_err(|wrong| format!("line {}: {wrong}", index + 1))?;
    }
    for entries in [&mut attack.groups, &mut attack.campaigns, &mut attack.software] {
        entries.values_mut().for_each(|entry| entry.uses.sort());
    }
    Ok((attack, claims))
}

fn parse_line(attack: &mut Attack, claims: &mut Vec<Claim>, columns: &[&str]) -> Result<(), String> {
    match *columns {
        ["v", version] => attack.version = version.to_owned(),
        ["r", name, date, url] => {
            let date = match date {
                "" => None,
                text => Some(Date::parse(text).ok_or_else(|| format!("{text:?} is no date"))?),
            };
            attack.reports.push(Report { name: name.to_owned(), url: url.to_owned(), date });
        }
        ["t", id, name] => {
            attack.techniques.insert(id.to_owned(), name.to_owned());
        }
        ["g" | "c", id, name] => add(attack, id, Entry { name: name.to_owned(), ..Entry::default() })?,
        ["s", id, name, kind @ ("malware" | "tool")] => {
            add(
                attack,
                id,
                Entry { name: name.to_owned(), is_malware: kind == "malware", ..Entry::default() },
            )?;
        }
        ["n", id, name, reports] => {
            let reports = numbers(attack, reports)?;
            entry(attack, id)?.other_names.push(OtherName { name: name.to_owned(), reports });
        }
        ["u", id, reports, targets] => {
            let reports = numbers(attack, reports)?;
            let uses =
                targets.split(' ').map(|target| Use { target: target.to_owned(), reports: reports.clone() });
            entry(attack, id)?.uses.extend(uses);
        }
        ["b", id, reports, group] => {
            let reports = numbers(attack, reports)?;
            entry(attack, id)?.attributed_to.push((group.to_owned(), reports));
        }
        ["d", id, reports, group] => {
            let reports = numbers(attack, reports)?;
            entry(attack, id)?.described_with.push((group.to_owned(), reports));
        }
        ["x", id, by] => {
            attack.replaced.insert(id.to_owned(), by.to_owned());
        }
        ["a", name, source, id, label, relation, date, by] => {
            claims.push(Claim {
                name: name.to_owned(),
                source: source.to_owned(),
                actor_id: id.to_owned(),
                actor: label.to_owned(),
                relation: Relation::parse(relation).ok_or_else(|| format!("{relation:?} is no relation"))?,
                date: Date::parse(date),
                claimed_by: by.split('|').filter(|by| !by.is_empty()).map(str::to_owned).collect(),
            });
        }
        _ => return Err(format!("no line of the table: {:?}", columns.first().unwrap_or(&""))),
    }
    Ok(())
}

fn add(attack: &mut Attack, id: &str, new: Entry) -> Result<(), String> {
    entries(attack, id)?.insert(id.to_owned(), new);
    Ok(())
}

fn entry<'a>(attack: &'a mut Attack, id: &str) -> Result<&'a mut Entry, String> {
    entries(attack, id)?.get_mut(id).ok_or_else(|| format!("{id} was not named before"))
}

fn entries<'a>(attack: &'a mut Attack, id: &str) -> Result<&'a mut BTreeMap<String, Entry>, String> {
    match id.as_bytes().first() {
        Some(b'G') => Ok(&mut attack.groups),
        Some(b'C') => Ok(&mut attack.campaigns),
        Some(b'S') => Ok(&mut attack.software),
        _ => Err(format!("{id:?} is the id of no group, campaign or software")),
    }
}

fn numbers(attack: &Attack, text: &str) -> Result<Vec<ReportId>, String> {
    let mut reports = Vec::new();
    for number in text.split(',').filter(|number| !number.is_empty()) {
        let known = number.parse::<u32>().ok().filter(|number| (*number as usize) < attack.reports.len());
        reports.push(ReportId(known.ok_or_else(|| format!("there is no report {number:?}"))?));
    }
    Ok(reports)
}

/// The table of `attack` and `claims`, without a notice; [`parse`] reads it back.
pub fn render(attack: &Attack, claims: &[Claim]) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "v\t{}", attack.version);
    for report in &attack.reports {
        let date = report.date.map(|date| date.to_string()).unwrap_or_default();
        let _ = writeln!(out, "r\t{}\t{date}\t{}", report.name, report.url);
    }
    for (id, name) in &attack.techniques {
        let _ = writeln!(out, "t\t{id}\t{name}");
    }
    for (letter, entries) in [("s", &attack.software), ("g", &attack.groups), ("c", &attack.campaigns)] {
        for (id, entry) in entries {
            let _ = write!(out, "{letter}\t{id}\t{}", entry.name);
            let kind = if entry.is_malware { "\tmalware" } else { "\ttool" };
            let _ = writeln!(out, "{}", if letter == "s" { kind } else { "" });
            render_entry(&mut out, id, entry);
        }
    }
    for (id, by) in &attack.replaced {
        let _ = writeln!(out, "x\t{id}\t{by}");
    }
    for claim in claims {
        let date = claim.date.map(|date| date.to_string()).unwrap_or_default();
        let _ = writeln!(
            out,
            "a\t{}\t{}\t{}\t{}\t{}\t{date}\t{}",
            claim.name,
            claim.source,
            claim.actor_id,
            claim.actor,
            claim.relation.as_str(),
            claim.claimed_by.join("|")
        );
    }
    out
}

fn render_entry(out: &mut String, id: &str, entry: &Entry) {
    for other in &entry.other_names {
        let _ = writeln!(out, "n\t{id}\t{}\t{}", other.name, list(&other.reports));
    }
    for (group, reports) in &entry.attributed_to {
        let _ = writeln!(out, "b\t{id}\t{}\t{group}", list(reports));
    }
    for (group, reports) in &entry.described_with {
        let _ = writeln!(out, "d\t{id}\t{}\t{group}", list(reports));
    }
    let mut by_reports: BTreeMap<&[ReportId], Vec<&str>> = BTreeMap::new();
    for used in &entry.uses {
        by_reports.entry(&used.reports).or_default().push(&used.target);
    }
    for (reports, targets) in by_reports {
        let _ = writeln!(out, "u\t{id}\t{}\t{}", list(reports), targets.join(" "));
    }
}

fn list(reports: &[ReportId]) -> String {
    reports.iter().map(|report| report.0.to_string()).collect::<Vec<_>>().join(",")
}

impl Attack {
    /// Without reports that nothing cites; the others are numbered anew.
    pub(crate) fn with_used_reports_only(mut self) -> Self {
        let mut used = BTreeSet::new();
        for_each_list(&mut self, |reports| used.extend(reports.iter().copied()));
        let new: BTreeMap<ReportId, ReportId> =
            used.into_iter().enumerate().map(|(index, old)| (old, ReportId(index as u32))).collect();
        for_each_list(&mut self, |reports| {
            reports.iter_mut().for_each(|report| *report = new.get(report).copied().unwrap_or(*report));
        });
        let old = std::mem::take(&mut self.reports);
        self.reports = new.keys().filter_map(|id| old.get(id.0 as usize).cloned()).collect();
        self
    }
}

fn for_each_list(attack: &mut Attack, mut visit: impl FnMut(&mut Vec<ReportId>)) {
    for entries in [&mut attack.groups, &mut attack.campaigns, &mut attack.software] {
        for entry in entries.values_mut() {
            entry.other_names.iter_mut().for_each(|other| visit(&mut other.reports));
            entry.uses.iter_mut().for_each(|used| visit(&mut used.reports));
            entry.attributed_to.iter_mut().for_each(|(_, reports)| visit(reports));
            entry.described_with.iter_mut().for_each(|(_, reports)| visit(reports));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_back() {
        let text = "v\t1\nr\tVendor A\t2021-03-02\thttps://a.example\nr\tB\t\t\nt\tT1001\tX\ns\tS0001\tTool\ttool\nd\tS0001\t0\tG0001\n\
                    u\tS0001\t1\tT1001\ng\tG0001\tOne\nn\tG0001\tUno\t0\nu\tG0001\t0,1\tS0001 T1001\nc\tC0001\tC\n\
                    b\tC0001\t0\tG0001\nx\tT1002\tT1001\na\tUno\tmisp\tu-1\tOne\toverlaps\t2020\tV|W\n";
        let (attack, claims) = parse(text).unwrap();
        assert_eq!(render(&attack, &claims), text);
        assert_eq!(attack.groups["G0001"].uses.len(), 2);
        assert_eq!(attack.software["S0001"].described_with, [("G0001".to_owned(), vec![ReportId(0)])]);
        assert_eq!(claims[0].claimed_by, ["V", "W"]);
    }

    #[test]
    fn bad_lines_are_told() {
        for (text, wanted) in [
            ("q\t1", "line 1: no line of the table"),
            ("v\t1\nu\tG0001\t0\tT1", "line 2: there is no report"),
            ("u\tG0001\t\tT1", "G0001 was not named before"),
            ("r\tA\t2021-13\t", "is no date"),
            ("g\tX1\tName", "the id of no group"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }
}
