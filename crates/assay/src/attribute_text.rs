//! A verdict on an actor in words: hypotheses, what speaks for and against
//! them, what would change it, and every number on demand.

use crate::actor_command::accountability;
use crate::attribute_circumstances;
use crate::attribute_list::Bench;
use attribution::{
    Assessment, Circumstance, Forgeability, Hypothesis, MEASURE_NAMES, Row, SIGN_NAMES, Scale, Snapshot,
    Sourcing, Support, assess, grounds, matrix, reports_on,
};
use knowledge::Day;
use report::escape_terminal;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How many hypotheses are shown.
const HYPOTHESES_SHOWN: usize = 8;
/// How many stand in the matrix, and how many of its rows are shown.
const COLUMNS: usize = 4;
const ROWS_SHOWN: usize = 12;
/// Reports published within so many days are one wave.
const WAVE_DAYS: i32 = 60;
/// A tool that so many actors are known for names nobody.
const SHARED_FROM: usize = 3;

/// What was observed, and what came of it.
pub struct Weighed<'a> {
    /// Techniques and software.
    pub ids: &'a [String],
    pub assessment: &'a Assessment,
    pub circumstances: &'a [Circumstance],
    /// What [`attribution::weigh_in`] gave.
    pub sum: Option<f64>,
}

/// The whole text for a list of ids.
pub fn render(bench: &Bench, snapshot: &Snapshot<'_>, weighed: &Weighed<'_>, explain: bool) -> String {
    let Weighed { ids, assessment, circumstances, sum } = *weighed;
    let mut out = verdict(bench, snapshot, assessment);
    out.push_str(&hypotheses(bench, assessment));
    out.push_str(&ach(bench, snapshot, ids, assessment));
    out.push_str(&attribute_circumstances::table(bench, assessment, circumstances));
    out.push_str(&would_change(bench, ids, assessment));
    if explain {
        out.push_str(&explanation(bench, assessment));
        out.push_str(&attribute_circumstances::explanation(assessment, circumstances, sum));
    }
    out
}

/// Name and id.
pub fn label(bench: &Bench, id: &str) -> String {
    let name = bench.knowledge.attack.name(id).map(|name| escape_terminal(name).into_owned());
    name.map_or_else(|| escape_terminal(id).into_owned(), |name| format!("{name} ({id})"))
}

fn verdict(bench: &Bench, snapshot: &Snapshot<'_>, assessment: &Assessment) -> String {
    let mut out = match (&assessment.named, assessment.hypotheses.first()) {
        (Some(actor), Some(first)) => format!(
            "Consistent with {}: {}, strength {}.\n",
            label(bench, actor),
            likelihood(first.probability),
            assessment.strength.map_or("none", attribution::Strength::as_str),
        ),
        _ => "Insufficient evidence to name an actor.\n".to_owned(),
    };
    let _ = writeln!(
        out,
        "Knowledge of {} (ATT&CK v{}, {} actors known), numbers fitted on cases before {}.",
        assessment.as_of,
        bench.knowledge.attack.version,
        snapshot.actors(),
        assessment.vintage
    );
    if let Some(why) = assessment.withheld {
        let _ = writeln!(out, "Nobody is named: {why}.");
    }
    out
}

/// A probability as word, scale and interval; the scales that have no word for it are left out.
pub fn likelihood(probability: f64) -> String {
    let words: Vec<String> = [Scale::Icd203, Scale::Phia, Scale::Nato]
        .into_iter()
        .filter_map(|scale| scale.word(probability))
        .map(|likelihood| {
            let (from, until) = likelihood.percent;
            format!("{} ({}, {from}-{until} %)", likelihood.word, likelihood.scale.as_str())
        })
        .collect();
    let percent = match probability * 100.0 {
        percent if percent > 99.0 => "over 99".to_owned(),
        percent if percent < 1.0 => "under 1".to_owned(),
        percent => format!("{percent:.0}"),
    };
    format!("{percent} %, {}", words.join("; "))
}

/// `98.6 %`; never 0 or 100, which would be a claim of certainty.
fn percent(probability: f64) -> String {
    match probability * 100.0 {
        percent if percent > 99.9 => "over 99.9 %".to_owned(),
        percent if percent < 0.1 => "under 0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

fn hypotheses(bench: &Bench, assessment: &Assessment) -> String {
    let mut out = String::from("\nHypotheses\n");
    let shown = assessment.hypotheses.iter().take(HYPOTHESES_SHOWN).filter(|of| of.probability > 0.0);
    for Hypothesis { actor, probability, .. } in shown {
        let _ = writeln!(out, "  {:>11}  {}", percent(*probability), label(bench, actor));
    }
    let rest: f64 = assessment.hypotheses.iter().skip(HYPOTHESES_SHOWN).map(|of| of.probability).sum();
    let others = assessment.hypotheses.len().saturating_sub(HYPOTHESES_SHOWN);
    if others > 0 {
        let _ = writeln!(out, "  {:>11}  {others} other known actors together", percent(rest));
    }
    let _ = writeln!(out, "  {:>11}  an actor that is not known, or deception", percent(assessment.unknown));
    if assessment.tie {
        out.push_str("  The first two stand level: neither comes before the other.\n");
    }
    out
}

/// The actors that stand in the matrix.
pub fn columns(assessment: &Assessment) -> Vec<&str> {
    let first = assessment.hypotheses.iter().take(COLUMNS).filter(|of| of.probability > 0.0);
    first.map(|of| of.actor.as_str()).collect()
}

fn ach(bench: &Bench, snapshot: &Snapshot<'_>, ids: &[String], assessment: &Assessment) -> String {
    let actors = columns(assessment);
    let rows = matrix(&bench.model, snapshot, ids.iter().map(String::as_str), &actors);
    if actors.is_empty() || rows.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "\nItems against hypotheses: the most telling first; what an item adds to a hypothesis, natural logarithms, below zero it speaks against it\n",
    );
    let _ = write!(out, "  {:<51} {:>6}", "", "actors");
    actors.iter().for_each(|actor| {
        let _ = write!(out, "{actor:>8}");
    });
    out.push_str("  planted?\n");
    for row in rows.iter().take(ROWS_SHOWN) {
        let _ = write!(out, "  {}", item_cell(bench, row));
        row.cells.iter().for_each(|cell| {
            let _ = write!(out, "{cell:>+8.2}");
        });
        let _ = writeln!(out, "  {}", attribute_circumstances::planting(row.forgeability));
    }
    if rows.len() > ROWS_SHOWN {
        let _ = writeln!(out, "  … and {} items that tell less", rows.len() - ROWS_SHOWN);
    }
    for note in shared(bench, snapshot, ids) {
        let _ = writeln!(out, "  {note}");
    }
    out
}

/// Which observed tools many actors are known for.
pub fn shared(bench: &Bench, snapshot: &Snapshot<'_>, ids: &[String]) -> Vec<String> {
    let tool = |id: &&String| Forgeability::of(id) == Forgeability::Easy;
    let note = |id: &String| {
        let holders = snapshot.holders_of(id).len();
        (holders >= SHARED_FROM)
            .then(|| format!("{} is shared: {holders} actors are known for it.", label(bench, id)))
    };
    ids.iter().filter(tool).filter_map(note).collect()
}

fn item_cell(bench: &Bench, row: &Row) -> String {
    let name = bench.knowledge.attack.name(&row.item).unwrap_or_default();
    let cut: String = escape_terminal(name).chars().take(40).collect();
    format!("{:<10} {cut:<40} {:>6}", row.item, row.holders)
}

fn would_change(bench: &Bench, ids: &[String], assessment: &Assessment) -> String {
    let mut out = String::from("\nWhat would change it\n");
    let notes = circularity(bench, ids, assessment).into_iter().chain(not_yet_public(bench, ids, assessment));
    for line in change(bench, assessment).into_iter().chain(notes) {
        let _ = writeln!(out, "  {line}");
    }
    let claims = claims(bench, assessment);
    if !claims.is_empty() {
        out.push_str("\nWhat others have said of who that is (claims of theirs; nothing of it follows from the evidence above)\n");
    }
    for claim in claims {
        let _ = writeln!(out, "  {}", accountability(&bench.knowledge, claim));
    }
    out
}

/// What others had said by the day of who stands behind the named actor, by date.
pub fn claims<'b>(bench: &'b Bench, assessment: &Assessment) -> Vec<&'b knowledge::Sponsor> {
    let named = assessment.named.as_deref();
    let dossier = named.and_then(|id| bench.knowledge.dossiers.of_attack(id));
    let until = assessment.as_of.to_string();
    let all = dossier.into_iter().flat_map(|dossier| &dossier.accountability);
    let mut public: Vec<_> = all.filter(|claim| claim.date < until).collect();
    public.sort_by(|a, b| a.date.cmp(&b.date));
    public
}

/// What would change the verdict, in sentences.
pub fn change(bench: &Bench, assessment: &Assessment) -> Vec<String> {
    match &assessment.support {
        Some(support) => losses(bench, support),
        None => vec![format!(
            "A name needs {:.0} % and more for one actor; tools that few actors have, and a second source, raise it.",
            attribution::NAMED_FROM * 100.0
        )],
    }
}

fn losses(bench: &Bench, support: &Support) -> Vec<String> {
    let names = |items: &[String]| items.iter().map(|item| label(bench, item)).collect::<Vec<_>>().join(", ");
    let mut out = vec![match support.smallest_set.as_slice() {
        [] => "No loss of up to eight of its strongest items ends the verdict.".to_owned(),
        set => format!("The verdict ends without: {}.", names(set)),
    }];
    for (what, loss) in [
        ("its two strongest items", &support.without_two),
        ("all tools that no other actor is known for", &support.without_exclusive),
    ] {
        out.push(format!(
            "Without {what} ({}) the actor has place {}{}.",
            if loss.items.is_empty() { "none".to_owned() } else { names(&loss.items) },
            loss.place,
            if loss.names_another { ", and another one would be named" } else { "" }
        ));
    }
    let (known, observed) = support.techniques;
    out.push(format!("The actor is known for {known} of the {observed} techniques."));
    if !support.has_software {
        out.push("Techniques alone never reach more than low strength.".to_owned());
    }
    out
}

fn explanation(bench: &Bench, assessment: &Assessment) -> String {
    let mut out = String::from(
        "\nEvery number (docs/attribution.md says how each is made)\n  measure, weight; then value by actor\n",
    );
    let weights = assessment.weights;
    let shown: Vec<&Hypothesis> = assessment.hypotheses.iter().take(COLUMNS).collect();
    let _ = write!(out, "  {:<38}{:>10}", "", "weight");
    shown.iter().for_each(|of| {
        let _ = write!(out, "{:>12}", of.actor);
    });
    out.push('\n');
    for (at, name) in MEASURE_NAMES.iter().enumerate() {
        let _ = write!(out, "  {name:<38}{:>10.6}", weights[at]);
        shown.iter().for_each(|of| {
            let _ = write!(out, "{:>12.6}", of.measures[at]);
        });
        out.push('\n');
    }
    let _ = write!(out, "  {:<48}", "total");
    shown.iter().for_each(|of| {
        let _ = write!(out, "{:>12.6}", of.total);
    });
    let (vintage, _) = bench.model.vintage(assessment.as_of);
    out.push_str("\n  signs of the first actor: sign, weight, value\n");
    for (at, name) in SIGN_NAMES.iter().enumerate() {
        let _ = writeln!(out, "  {name:<38}{:>10.6}{:>12.6}", vintage.signs[at], assessment.signs[at]);
    }
    let _ = writeln!(out, "  share of unknown actors among wrong first ones: {:.6}", vintage.unknown_share);
    out.push_str("  how often such a probability was right before: cases, stated, right\n");
    for bin in &vintage.reliability {
        let _ = writeln!(out, "  {:>6}{:>10.3}{:>10.3}", bin.cases, bin.stated, bin.right);
    }
    out
}

/// The reports on which a match of the first actor rests, when they are one wave and nothing was
/// known of it before: begin, end, names. The profile may then describe the very intrusion.
pub fn wave(bench: &Bench, ids: &[String], assessment: &Assessment) -> Option<(Day, Day, String)> {
    let first = assessment.hypotheses.first().filter(|first| first.probability > 0.0)?;
    let snapshot = Snapshot::new(&bench.history, assessment.as_of);
    let all = reports_on(&snapshot, &first.actor);
    let matched: BTreeSet<_> = grounds(&snapshot, ids.iter().map(String::as_str), &first.actor)
        .into_iter()
        .flat_map(|(_, reports)| reports)
        .collect();
    let (begin, end) = (matched.first()?.0, matched.last()?.0);
    let wave = end.0 - begin.0 <= WAVE_DAYS;
    let earlier = all.iter().any(|(day, _)| day.0 < begin.0 - WAVE_DAYS);
    let names: Vec<&str> = matched
        .iter()
        .filter_map(|(_, report)| bench.knowledge.attack.report(*report))
        .map(|report| report.name.as_str())
        .collect();
    (wave && !earlier).then(|| (begin, end, escape_terminal(&names.join("; ")).into_owned()))
}

/// The same in words.
pub fn circularity(bench: &Bench, ids: &[String], assessment: &Assessment) -> Option<String> {
    let (begin, end, names) = wave(bench, ids, assessment)?;
    let first = label(bench, &assessment.hypotheses.first()?.actor);
    Some(format!(
        "Circular if the intrusion is one of those described there: all that is known of {first} on that day and \
         matches comes from one wave of reports, {begin} to {end} ({names})."
    ))
}

/// The actor that today's knowledge would put first, when nobody knew it on the day.
pub fn not_yet_public(bench: &Bench, ids: &[String], assessment: &Assessment) -> Option<String> {
    let attack = &bench.knowledge.attack;
    let newest = attack.reports.iter().filter_map(|report| report.date).map(knowledge::Date::day).max()?;
    let today = Snapshot::new(&bench.history, Day(newest.0 + 1));
    let later = assess(&bench.model, &today, ids.iter().map(String::as_str), Sourcing::default());
    let first = later.hypotheses.first().filter(|first| first.probability > 0.0)?;
    let known_from = attack.group_known_from(&first.actor).filter(|day| *day >= assessment.as_of)?;
    Some(format!(
        "{} is not in the list: it became public on {known_from}. Knowledge of {} would put it first; it was not weighed.",
        label(bench, &first.actor),
        today.day
    ))
}
