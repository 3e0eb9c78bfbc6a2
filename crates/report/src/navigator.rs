//! `layer.json`: the techniques of a case as a layer of the ATT&CK Navigator, format 4.5 (MITRE, attack-navigator,
//! `layers/spec/v4.5/layerformat.md`).
//!
//! The score is 2 for what was seen, 1 for what could have been seen and was not, 0 for what could not have been. No
//! tactic is named, so that a technique looks alike wherever it stands.

use crate::attack::{self, Sight};
use crate::json::write_pretty;
use crate::words;
use model::{ATTACK_VERSION, Case, HostName, TechniqueCoverage};
use serde::Serialize;
use std::io::{self, Write};

/// The first version of the Navigator that reads the format.
const NAVIGATOR_VERSION: &str = "4.9.0";

#[derive(Serialize)]
struct Layer<'a> {
    name: String,
    versions: Versions<'a>,
    domain: &'static str,
    description: String,
    sorting: u8,
    layout: Layout,
    #[serde(rename = "hideDisabled")]
    hide_disabled: bool,
    techniques: Vec<Technique<'a>>,
    gradient: Gradient,
    #[serde(rename = "legendItems")]
    legend_items: [LegendItem; 3],
    metadata: Vec<Metadata>,
}

#[derive(Serialize)]
struct Versions<'a> {
    attack: &'a str,
    navigator: &'static str,
    layer: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Layout {
    layout: &'static str,
    #[serde(rename = "showID")]
    show_id: bool,
    show_name: bool,
    expanded_subtechniques: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Technique<'a> {
    #[serde(rename = "techniqueID")]
    technique_id: &'a str,
    score: u8,
    color: &'static str,
    comment: String,
    enabled: bool,
    metadata: Vec<Metadata>,
    show_subtechniques: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Gradient {
    colors: Vec<&'static str>,
    min_value: u8,
    max_value: u8,
}

#[derive(Serialize)]
struct LegendItem {
    label: &'static str,
    color: &'static str,
}

#[derive(Serialize)]
struct Metadata {
    name: &'static str,
    value: String,
}

/// Writes the layer.
///
/// # Errors
/// Those of `out`.
pub fn write_layer(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let hosts: Vec<_> = case.hosts.iter().map(|host| host.name.clone()).collect();
    let [seen, could_have, could_not] = attack::counts(case);
    let layer = Layer {
        name: if hosts.is_empty() { "assay".to_owned() } else { format!("assay: {}", names(&hosts)) },
        versions: Versions {
            // The Navigator knows whole versions only.
            attack: ATTACK_VERSION.split('.').next().unwrap_or(ATTACK_VERSION),
            navigator: NAVIGATOR_VERSION,
            layer: "4.5",
        },
        domain: "enterprise-attack",
        description: format!(
            "Of {} that the rules know, {seen} seen, {could_have} not seen that could have been, {could_not} that could \
             not have been seen: no rule that knows them met its log. What no rule knows is not marked.",
            words::count(case.techniques.len() as u64, "technique")
        ),
        sorting: 0,
        layout: Layout {
            layout: "side",
            show_id: true,
            show_name: true,
            expanded_subtechniques: "annotated",
        },
        hide_disabled: false,
        techniques: case
            .techniques
            .iter()
            .filter(|technique| attack::is_id(&technique.id))
            .map(technique)
            .collect(),
        gradient: Gradient {
            colors: [Sight::CouldNot, Sight::CouldHave, Sight::Seen].map(colour).to_vec(),
            min_value: 0,
            max_value: 2,
        },
        legend_items: Sight::ALL.map(|sight| LegendItem { label: sight.as_str(), color: colour(sight) }),
        metadata: vec![
            Metadata { name: "rules", value: words::thousands(case.looked_for.rules_loaded as u64) },
            Metadata {
                name: "synthetic evidence",
                value: if case.synthetic { "yes" } else { "no" }.to_owned(),
            },
        ],
    };
    write_pretty(&layer, out)
}

fn technique(technique: &TechniqueCoverage) -> Technique<'_> {
    let sight = Sight::of(technique);
    let metadata =
        |name, hosts: &[HostName]| (!hosts.is_empty()).then(|| Metadata { name, value: hosts.join(", ") });
    Technique {
        technique_id: &technique.id,
        score: match sight {
            Sight::Seen => 2,
            Sight::CouldHave => 1,
            Sight::CouldNot => 0,
        },
        color: colour(sight),
        comment: comment(technique, sight),
        enabled: true,
        metadata: [
            metadata("seen on", &technique.seen_on),
            metadata("could have been seen on", &technique.met_on),
        ]
        .into_iter()
        .flatten()
        .collect(),
        show_subtechniques: true,
    }
}

fn comment(technique: &TechniqueCoverage, sight: Sight) -> String {
    let (met, not_met) = (technique.rules_met, technique.rules_not_met);
    let rules = words::count(met + not_met, "rule");
    let found = match sight {
        Sight::Seen => format!(": {}", words::count(technique.findings, "finding")),
        Sight::CouldHave | Sight::CouldNot => String::new(),
    };
    format!("{}{found}. {met} of {rules} met the log they look at.", sight.as_str())
}

fn names(hosts: &[HostName]) -> String {
    match hosts {
        [] | [_] | [_, _] | [_, _, _] => hosts.join(", "),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more hosts", rest.len()),
    }
}

const fn colour(sight: Sight) -> &'static str {
    match sight {
        Sight::Seen => "#e5554f",
        Sight::CouldHave => "#8fc79f",
        Sight::CouldNot => "#c9cdd4",
    }
}
