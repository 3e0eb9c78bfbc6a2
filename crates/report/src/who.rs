//! What is said of who, in the words people read; the HTML report and Markdown say the same.

use crate::words;
use model::{ActorClaim, AttributedIntrusion, Attribution, AttributionItem, Case, IntrusionId};

/// `Knowledge of 2021-07-19 (ATT&CK v18.1, 119 actors known), numbers fitted on cases before 2020-01-01.`
pub(crate) fn basis(attribution: &Attribution) -> String {
    let Attribution { as_of, actors, attack_version, fitted_before, .. } = attribution;
    let actors = words::count(*actors, "actor");
    let fitted = match fitted_before.as_str() {
        "" => String::new(),
        day => format!(", numbers fitted on cases before {day}"),
    };
    format!("Knowledge of {as_of} (ATT&CK v{attack_version}, {actors} known){fitted}.")
}

/// `intrusion-1 on MXS01`.
pub(crate) fn title(case: &Case, id: IntrusionId) -> String {
    let label = words::intrusion_label(id);
    let hosts = case.intrusions.iter().find(|intrusion| intrusion.id == id).map(|of| of.hosts.join(", "));
    match hosts.as_deref() {
        None | Some("") => label,
        Some(hosts) => format!("{label} on {hosts}"),
    }
}

/// The verdict in two words.
pub(crate) fn badge(of: &AttributedIntrusion) -> String {
    match (&of.named, &of.strength) {
        (None, _) => "insufficient evidence".to_owned(),
        (Some(_), Some(strength)) => format!("named, strength {strength}"),
        (Some(_), None) => "named".to_owned(),
    }
}

/// The verdict in a sentence: likelihood and strength are two axes, and are never multiplied.
pub(crate) fn verdict(of: &AttributedIntrusion) -> String {
    match (&of.named, of.hypotheses.first()) {
        (Some(_), Some(first)) => format!(
            "Consistent with {}: {}. What that rests on is of {} strength.",
            label(&first.name, &first.actor),
            of.likelihood,
            of.strength.as_deref().unwrap_or("no")
        ),
        _ => "Insufficient evidence to name an actor.".to_owned(),
    }
}

/// `HAFNIUM (G0125)`.
pub(crate) fn label(name: &str, id: &str) -> String {
    if name == id { id.to_owned() } else { format!("{name} ({id})") }
}

/// Circumstances, by the word with which their ids begin.
const CIRCUMSTANCES: [&str; 4] = ["infrastructure", "hours", "victim", "language"];

/// `technique` or `software`, by an id of ATT&CK, or what kind of circumstance.
pub(crate) fn item_kind(id: &str) -> &'static str {
    let begins =
        |word: &&&str| id.strip_prefix(**word).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
    match CIRCUMSTANCES.iter().find(begins) {
        Some(word) => word,
        None if id.starts_with('T') => "technique",
        None => "software",
    }
}

/// Name and id of what was observed; an id of a circumstance says nothing to a reader.
pub(crate) fn item_label(item: &AttributionItem) -> String {
    match item_kind(&item.id) {
        "technique" | "software" => label(&item.name, &item.id),
        _ => item.name.clone(),
    }
}

/// Source, planting and where from: `A2, hard to plant, 3 findings on MXS01`.
pub(crate) fn grade(item: &AttributionItem) -> String {
    // What the user says of the victim stands in no finding.
    if item.findings == 0 {
        return format!("{}, {} to plant", item.admiralty, item.forgeability);
    }
    let findings = words::count(item.findings, "finding");
    let hosts = if item.hosts.is_empty() { String::new() } else { format!(" on {}", item.hosts.join(", ")) };
    format!("{}, {} to plant, {findings}{hosts}", item.admiralty, item.forgeability)
}

/// `98.6 %`; never 0 or 100, which would be a claim of certainty.
pub(crate) fn percent(probability: f64) -> String {
    match probability * 100.0 {
        percent if percent > 99.9 => "over 99.9 %".to_owned(),
        percent if percent > 0.0 && percent < 0.1 => "under 0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// The word of a claim with its scale; scales are never translated into each other.
pub(crate) fn claim_word(claim: &ActorClaim) -> String {
    match (claim.word.as_str(), claim.scale.as_str()) {
        ("", _) => "no word seen".to_owned(),
        (word, "") => format!("“{word}”, no scale stated"),
        (word, scale) => format!("“{word}” ({scale})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_probability_is_shown_as_certain() {
        for (probability, wanted) in
            [(1.0, "over 99.9 %"), (0.9861, "98.6 %"), (0.0004, "under 0.1 %"), (0.0, "0.0 %")]
        {
            assert_eq!(percent(probability), wanted);
        }
    }

    #[test]
    fn an_id_says_its_kind() {
        for (id, wanted) in [
            ("T1190", "technique"),
            ("S0020", "software"),
            ("hours", "hours"),
            ("infrastructure:fireeye-sunburst:G0016", "infrastructure"),
            ("language:han", "language"),
            ("victimless", "software"),
        ] {
            assert_eq!(item_kind(id), wanted, "{id}");
        }
    }

    #[test]
    fn a_claim_keeps_its_scale() {
        let claim = |word: &str, scale: &str| {
            let text = String::new;
            let (word, scale) = (word.to_owned(), scale.to_owned());
            ActorClaim { date: text(), by: text(), level: text(), says: text(), word, scale, source: text() }
        };
        assert_eq!(claim_word(&claim("highly likely", "UK PHIA")), "“highly likely” (UK PHIA)");
        assert_eq!(claim_word(&claim("confident", "")), "“confident”, no scale stated");
        assert_eq!(claim_word(&claim("", "")), "no word seen");
    }
}
