//! The fitted numbers (`knowledge/attribution-model.json`): for each day the
//! latest vintage that was fitted on cases before it.

use crate::calibrate::{SIGN_NAMES, SIGNS, Signs};
use crate::score::{MEASURE_NAMES, MEASURES, Measures};
use knowledge::Day;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const SCHEMA: &str = "assay-attribution-model/2";
const BUILT_IN: &str = include_str!("../../../knowledge/attribution-model.json");

/// All vintages, by the day from which they may be used.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// Sorted by [`Vintage::from`].
    pub vintages: Vec<Vintage>,
}

/// Numbers fitted on cases before one day.
#[derive(Clone, PartialEq, Debug)]
pub struct Vintage {
    /// Every case it was fitted on is dated before this day.
    pub from: Day,
    /// How many dated reports it was fitted on.
    pub cases: usize,
    /// Weights of the first stage.
    pub weights: Weights,
    /// Weights of the second stage.
    pub signs: Signs,
    /// Of the cases whose first actor was wrong, the share whose actor was not known before.
    pub unknown_share: f64,
    /// Stated against found, on the cases of the years before.
    pub reliability: Vec<Bin>,
}

/// Weights of the first stage: what ways of working say counts for more where nothing else speaks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Weights {
    /// For what holds software that an actor of the day has to do with.
    pub with_software: Measures,
    /// For what holds none.
    pub without_software: Measures,
}

impl Weights {
    /// Those for what was observed.
    pub(crate) fn of(&self, software_is_known: bool) -> &Measures {
        if software_is_known { &self.with_software } else { &self.without_software }
    }
}

/// One line of a reliability table.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bin {
    /// How many cases.
    pub cases: usize,
    /// The mean probability that was stated.
    pub stated: f64,
    /// The share that was right.
    pub right: f64,
}

#[derive(Serialize, Deserialize)]
struct File {
    schema: String,
    about: String,
    vintages: Vec<FileVintage>,
}

#[derive(Serialize, Deserialize)]
struct FileVintage {
    from: String,
    cases: usize,
    weights: BTreeMap<String, f64>,
    weights_without_software: BTreeMap<String, f64>,
    signs: BTreeMap<String, f64>,
    unknown_share: f64,
    reliability: Vec<Bin>,
}

impl Model {
    /// What is built in.
    ///
    /// # Errors
    /// Never for the committed file, which a test reads.
    pub fn built_in() -> Result<Self, String> {
        Self::parse(BUILT_IN)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it is not JSON of this form, or a weight is missing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.schema != SCHEMA {
            return Err(format!("schema is {:?}, not {SCHEMA}", file.schema));
        }
        let vintage = |vintage: FileVintage| -> Result<Vintage, String> {
            Ok(Vintage {
                from: Day::parse(&vintage.from).ok_or_else(|| format!("{:?} is no day", vintage.from))?,
                cases: vintage.cases,
                weights: Weights {
                    with_software: named::<MEASURES>(&vintage.weights, &MEASURE_NAMES)?,
                    without_software: named::<MEASURES>(&vintage.weights_without_software, &MEASURE_NAMES)?,
                },
                signs: named::<SIGNS>(&vintage.signs, &SIGN_NAMES)?,
                unknown_share: vintage.unknown_share,
                reliability: vintage.reliability,
            })
        };
        let mut vintages = file.vintages.into_iter().map(vintage).collect::<Result<Vec<_>, _>>()?;
        vintages.sort_by_key(|vintage| vintage.from);
        if vintages.is_empty() {
            return Err("there is no vintage".to_owned());
        }
        Ok(Self { vintages })
    }

    /// The file's text; numbers have six digits after the point.
    pub fn render(&self) -> String {
        let round = |number: f64| (number * 1e6).round() / 1e6;
        let named = |names: &[&str], numbers: &[f64]| -> BTreeMap<String, f64> {
            names.iter().zip(numbers).map(|(name, number)| ((*name).to_owned(), round(*number))).collect()
        };
        let vintage = |vintage: &Vintage| FileVintage {
            from: vintage.from.to_string(),
            cases: vintage.cases,
            weights: named(&MEASURE_NAMES, &vintage.weights.with_software),
            weights_without_software: named(&MEASURE_NAMES, &vintage.weights.without_software),
            signs: named(&SIGN_NAMES, &vintage.signs),
            unknown_share: round(vintage.unknown_share),
            reliability: vintage
                .reliability
                .iter()
                .map(|bin| Bin { stated: round(bin.stated), right: round(bin.right), ..*bin })
                .collect(),
        };
        let file = File {
            schema: SCHEMA.to_owned(),
            about: "Made by `cargo xtask fit-attribution`; see docs/attribution.md. Each vintage was fitted on reports \
                    dated before its day."
                .to_owned(),
            vintages: self.vintages.iter().map(vintage).collect(),
        };
        // Maps with text as keys and finite numbers always become JSON.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// The vintage for `day`, and whether it was fitted on the past only: for days before the
    /// first vintage it was not, and nobody may be named.
    pub fn vintage(&self, day: Day) -> (&Vintage, bool) {
        let fitted_before = self.vintages.iter().rev().find(|vintage| vintage.from <= day);
        (fitted_before.unwrap_or(&self.vintages[0]), fitted_before.is_some())
    }
}

fn named<const N: usize>(numbers: &BTreeMap<String, f64>, names: &[&str; N]) -> Result<[f64; N], String> {
    let mut out = [0.0; N];
    for (slot, name) in out.iter_mut().zip(names) {
        let number = numbers.get(*name).filter(|number| number.is_finite());
        *slot = *number.ok_or_else(|| format!("there is no number for {name:?}"))?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_model_reads_and_is_of_the_past() {
        let model = Model::built_in().unwrap();
        assert_eq!(model.render(), BUILT_IN);
        let day = |text| Day::parse(text).unwrap();
        let (vintage, past) = model.vintage(day("2021-07-19"));
        assert_eq!((vintage.from, past), (day("2020-01-01"), true));
        assert!(!model.vintage(day("2015-01-01")).1);
        assert!(Model::parse("{}").is_err());
        assert!(Model::parse(&BUILT_IN.replace("\"malware\"", "\"other\"")).unwrap_err().contains("malware"));
    }
}
