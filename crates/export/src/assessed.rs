//! `attribution.json`, read back: which actor an intrusion is consistent with, and the table behind it.
//!
//! A case folder can come from anybody, so that lists have limits, and what is not a number between 0 and 1 is no probability.

use serde::Deserialize;

/// Hypotheses, items and notes of one intrusion, at most.
const LIST_MAX: usize = 10_000;
const SCHEMA: &str = "assay-attribution/1";

/// The file.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub struct Attribution {
    schema: String,
    /// The day whose knowledge was used.
    #[serde(default)]
    pub as_of: String,
    /// The version of ATT&CK.
    #[serde(default)]
    pub attack_version: String,
    /// One for each intrusion.
    #[serde(default)]
    pub intrusions: Vec<Assessed>,
}

/// What is said of one intrusion.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Assessed {
    /// The intrusion's id in the case.
    pub intrusion: String,
    /// The actor that is named, by its ATT&CK id.
    pub named: Option<String>,
    /// Its probability, where it is named.
    pub confidence: Option<f64>,
    /// `low`, `moderate` or `high`, where somebody is named.
    pub strength: Option<String>,
    /// Actors with their probabilities, *unknown* last.
    pub hypotheses: Vec<Hypothesis>,
    /// Techniques and software.
    pub items: Vec<Item>,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// Items against hypotheses; empty in files of older versions.
    pub matrix: Matrix,
}

/// One actor.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hypothesis {
    /// Its ATT&CK id, or `unknown`.
    pub actor: String,
    /// Its probability.
    pub probability: f64,
}

/// One technique or software.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Item {
    /// Its ATT&CK id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// `technique` or `software`.
    pub kind: String,
    /// `easy` or `hard`.
    pub forgeability: String,
}

/// The table of the analysis of competing hypotheses.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Matrix {
    /// Actors, the most probable first: the columns.
    pub actors: Vec<String>,
    /// Items, the most telling first.
    pub rows: Vec<Row>,
}

/// An item against every hypothesis.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Row {
    /// The technique or software.
    pub item: String,
    /// What it adds to each actor's total (natural logarithms).
    pub cells: Vec<f64>,
}

impl Attribution {
    /// Reads the file.
    ///
    /// # Errors
    /// In one line: no JSON, another schema, too long a list, a probability that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.schema != SCHEMA {
            return Err(format!("schema: wanted {SCHEMA:?}, found {:?}", read.schema));
        }
        for (index, of) in read.intrusions.iter().enumerate() {
            let longest = [of.hypotheses.len(), of.items.len(), of.notes.len(), of.matrix.rows.len()];
            if longest.iter().any(|length| *length > LIST_MAX) || of.matrix.actors.len() > LIST_MAX {
                return Err(format!("intrusions[{index}]: wanted lists of {LIST_MAX} at most"));
            }
            let given = of.hypotheses.iter().map(|hypothesis| hypothesis.probability).chain(of.confidence);
            if let Some(bad) = given.into_iter().find(|value| !(0.0..=1.000_001).contains(value)) {
                return Err(format!("intrusions[{index}]: wanted a probability, found {bad}"));
            }
            if of.matrix.rows.iter().any(|row| row.cells.len() != of.matrix.actors.len()) {
                return Err(format!("intrusions[{index}].matrix: wanted a cell for each actor in each row"));
            }
        }
        Ok(read)
    }

    /// What is said of an intrusion.
    pub fn of(&self, intrusion: &str) -> Option<&Assessed> {
        self.intrusions.iter().find(|of| of.intrusion == intrusion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_attribution() {
        let check = |text: &str, wanted: &str| {
            let error = Attribution::parse(text).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        };
        check("{", "line 1");
        check(r#"{"schema":"x"}"#, "wanted \"assay-attribution/1\", found \"x\"");
        check(
            r#"{"schema":"assay-attribution/1","intrusions":[{"hypotheses":[{"actor":"G1","probability":7}]}]}"#,
            "intrusions[0]: wanted a probability, found 7",
        );
        check(
            r#"{"schema":"assay-attribution/1","intrusions":[{"matrix":{"actors":["a"],"rows":[{"item":"x"}]}}]}"#,
            "a cell for each actor",
        );
        let good = Attribution::parse(
            r#"{"schema":"assay-attribution/1","intrusions":[{"intrusion":"intrusion-1"}]}"#,
        );
        assert!(good.unwrap().of("intrusion-1").is_some());
    }
}
