//! Words of likelihood, each with its scale and interval. A word of one scale is
//! never turned into one of another.

/// A scale of likelihood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scale {
    /// US Intelligence Community Directive 203.
    Icd203,
    /// UK Professional Head of Intelligence Assessment; it has gaps.
    Phia,
    /// NATO, after FIRST's CTI SIG; only three terms are known here.
    Nato,
}

/// A word of likelihood.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Likelihood {
    /// The word.
    pub word: &'static str,
    /// Its scale.
    pub scale: Scale,
    /// Its interval in percent.
    pub percent: (u8, u8),
}

const ICD203: [(&str, u8, u8); 7] = [
    ("almost no chance", 1, 5),
    ("very unlikely", 5, 20),
    ("unlikely", 20, 45),
    ("roughly even chance", 45, 55),
    ("likely", 55, 80),
    ("very likely", 80, 95),
    ("almost certain", 95, 99),
];
const PHIA: [(&str, u8, u8); 7] = [
    ("remote chance", 0, 5),
    ("highly unlikely", 10, 20),
    ("unlikely", 25, 35),
    ("realistic possibility", 40, 50),
    ("likely", 55, 75),
    ("highly likely", 80, 90),
    ("almost certain", 95, 100),
];
const NATO: [(&str, u8, u8); 3] = [("unlikely", 10, 40), ("even", 40, 60), ("likely", 60, 90)];

impl Scale {
    /// What the scale is called.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Icd203 => "ICD 203",
            Self::Phia => "UK PHIA",
            Self::Nato => "NATO",
        }
    }

    /// The word for a probability; `None` where the scale has no word for it (a gap, or beyond
    /// its ends). ICD 203's outermost words are used beyond 1 and 99 %, as no claim is certain.
    /// On a border the word of the lower interval is taken.
    pub fn word(self, probability: f64) -> Option<Likelihood> {
        let terms: &[(&'static str, u8, u8)] = match self {
            Self::Icd203 => &ICD203,
            Self::Phia => &PHIA,
            Self::Nato => &NATO,
        };
        let mut percent = probability * 100.0;
        if self == Self::Icd203 {
            percent = percent.clamp(1.0, 99.0);
        }
        let within =
            |(_, from, until): &&(&str, u8, u8)| f64::from(*from) <= percent && percent <= f64::from(*until);
        let (word, from, until) = *terms.iter().find(within)?;
        Some(Likelihood { word, scale: self, percent: (from, until) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_scale_and_gaps() {
        for (scale, probability, wanted) in [
            (Scale::Icd203, 0.97, Some("almost certain")),
            (Scale::Icd203, 1.0, Some("almost certain")),
            (Scale::Icd203, 0.8, Some("likely")),
            (Scale::Icd203, 0.0, Some("almost no chance")),
            (Scale::Phia, 0.77, None),
            (Scale::Phia, 0.85, Some("highly likely")),
            (Scale::Nato, 0.95, None),
            (Scale::Nato, 0.5, Some("even")),
        ] {
            assert_eq!(
                scale.word(probability).map(|likelihood| likelihood.word),
                wanted,
                "{scale:?} {probability}"
            );
        }
    }
}
