//! Planted evidence: tools of somebody else laid into every case, by a seed.

use super::measures::Seeded;
use super::{Case, Outcome, Strength};
use attribution::{History, Model, Snapshot, Sourcing, assess};
use std::fmt::Write as _;

const SEED: u64 = 0x5eed_0001;
/// A decoy is an actor with so many things known of it.
const PROFILE_MIN: f64 = 15.0;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Software of the decoy that no other actor is known for.
    Exclusive,
    /// What of the decoy is rarest, of any kind.
    Rarest,
}

/// What comes of planting, as Markdown.
pub fn render(history: &History, model: &Model, cases: &[Case], clean: &[Outcome<'_>]) -> String {
    let mut out = String::from(
        "| planted | cases | decoy named | decoy named at moderate or above |\n|---|---|---|---|\n",
    );
    for (kind, count, name) in [
        (Kind::Exclusive, 2, "2 exclusive tools of a decoy"),
        (Kind::Exclusive, 4, "4 exclusive tools of a decoy"),
        (Kind::Rarest, 4, "the decoy's 4 rarest items of any kind"),
        (Kind::Rarest, 8, "the decoy's 8 rarest items of any kind"),
    ] {
        let mut seeded = Seeded(SEED);
        let (mut tried, mut named, mut moderate) = (0usize, 0usize, 0usize);
        for case in cases {
            let snapshot = Snapshot::new(history, case.day);
            let Some((decoy, planted)) = plant(&snapshot, case, kind, count, &mut seeded) else { continue };
            let observed = case.observed.iter().chain(&planted).map(String::as_str);
            let assessment = assess(model, &snapshot, observed, Sourcing::default());
            let of_decoy = assessment.named.as_deref() == Some(decoy.as_str());
            tried += 1;
            named += usize::from(of_decoy);
            moderate += usize::from(of_decoy && assessment.strength >= Some(Strength::Moderate));
        }
        let share = |count: usize| count as f64 / tried.max(1) as f64;
        let _ = writeln!(out, "| {name} | {tried} | {:.3} | {:.3} |", share(named), share(moderate));
    }
    let moderate = clean.iter().filter(|outcome| outcome.named_at(Strength::Moderate)).count();
    let _ = writeln!(
        out,
        "\nClean coverage at moderate or above: {:.3}.",
        moderate as f64 / clean.len().max(1) as f64
    );
    out
}

/// A decoy that is not the true actor, and `count` items of it that the case does not have.
fn plant(
    snapshot: &Snapshot<'_>,
    case: &Case,
    kind: Kind,
    count: usize,
    seeded: &mut Seeded,
) -> Option<(String, Vec<String>)> {
    let items = |actor: &str| -> Vec<String> {
        let mut items: Vec<(usize, String)> = snapshot
            .profile_of(actor)
            .map(|id| (snapshot.holders_of(id).len(), id.to_owned()))
            .filter(|(holders, id)| match kind {
                Kind::Exclusive => id.starts_with('S') && *holders == 1,
                Kind::Rarest => true,
            })
            .filter(|(_, id)| !case.observed.contains(id))
            .collect();
        items.sort();
        items.into_iter().map(|(_, id)| id).take(count).collect()
    };
    let decoys: Vec<&str> = snapshot
        .profile_sizes()
        .filter(|(actor, size)| *size >= PROFILE_MIN && *actor != case.truth)
        .map(|(actor, _)| actor)
        .filter(|actor| items(actor).len() == count)
        .collect();
    if decoys.is_empty() {
        return None;
    }
    let decoy = decoys[seeded.below(decoys.len())];
    Some((decoy.to_owned(), items(decoy)))
}
