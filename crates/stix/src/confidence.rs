//! `confidence` from the scales of STIX 2.1, appendix A, and from nothing else.

/// A value that a partner gave on a scale of appendix A.
///
/// The scales are of confidence. A word of likelihood is none, even where it is spelt like one: it belongs into a
/// [`crate::Claim`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AppendixA<'a> {
    /// None, Low, Med, High.
    NoneLowMedHigh(&'a str),
    /// 0 to 10.
    ZeroToTen(u8),
    /// Admiralty credibility, 1 (confirmed) to 5 (improbable).
    Admiralty(u8),
    /// Words of estimative probability.
    Wep(&'a str),
    /// The scale of the US Director of National Intelligence.
    Dni(&'a str),
}

const NONE_LOW_MED_HIGH: &[(&str, u8)] = &[("none", 0), ("low", 15), ("med", 50), ("high", 85)];
const WEP: &[(&str, u8)] = &[
    ("impossible", 0),
    ("highly unlikely/almost certainly not", 10),
    ("unlikely/probably not", 30),
    ("even chance", 50),
    ("likely/probable", 70),
    ("highly likely/almost certain", 90),
    ("certain", 100),
];
const DNI: &[(&str, u8)] = &[
    ("almost no chance / remote", 5),
    ("very unlikely / highly improbable", 15),
    ("unlikely / improbable", 30),
    ("roughly even chance / roughly even odds", 50),
    ("likely / probable", 70),
    ("very likely / highly probable", 85),
    ("almost certain / nearly certain", 95),
];

impl<'a> AppendixA<'a> {
    /// A word on the scale of this name, as appendix A names it (`None / Low / Med / High`, `0-10 Scale`,
    /// `Admiralty Credibility`, `WEP`, `DNI Scale`, without regard to case and blanks); `None` for other scales.
    pub fn named(scale: &str, word: &'a str) -> Option<Self> {
        let name: String = scale.to_lowercase().split_whitespace().collect();
        let number =
            || word.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
        match name.trim_end_matches("scale") {
            "none/low/med/high" => Some(Self::NoneLowMedHigh(word)),
            "0-10" => number().map(Self::ZeroToTen),
            "admiraltycredibility" => number().map(Self::Admiralty),
            "wep" => Some(Self::Wep(word)),
            "dni" => Some(Self::Dni(word)),
            _ => None,
        }
    }

    /// The value of `confidence`; `None` for a word that the scale has not, and for what cannot be judged.
    pub fn confidence(self) -> Option<u8> {
        let of = |table: &[(&str, u8)], word: &str| {
            let word = word.trim().to_lowercase();
            table.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
        };
        match self {
            Self::NoneLowMedHigh(word) => of(NONE_LOW_MED_HIGH, word),
            Self::ZeroToTen(value) => (value <= 10).then(|| value * 10),
            Self::Admiralty(value) => (1..=5).contains(&value).then(|| 110 - 20 * value),
            Self::Wep(word) => of(WEP, word),
            Self::Dni(word) => of(DNI, word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_appendix_a() {
        for (given, wanted) in [
            (AppendixA::NoneLowMedHigh("High"), Some(85)),
            (AppendixA::ZeroToTen(7), Some(70)),
            (AppendixA::ZeroToTen(11), None),
            (AppendixA::Admiralty(1), Some(90)),
            (AppendixA::Admiralty(5), Some(10)),
            (AppendixA::Admiralty(6), None),
            (AppendixA::Wep("Even Chance"), Some(50)),
            (AppendixA::Dni("Likely / Probable"), Some(70)),
            (AppendixA::Dni("confident"), None),
        ] {
            assert_eq!(given.confidence(), wanted, "{given:?}");
        }
    }

    #[test]
    fn scales_go_by_their_names() {
        let on = |scale, word| AppendixA::named(scale, word).and_then(AppendixA::confidence);
        assert_eq!(on("None / Low / Med / High", "med"), Some(50));
        assert_eq!(on("0-10 Scale", "7"), Some(70));
        assert_eq!(on("Admiralty Credibility", "2 - Probably True"), Some(70));
        assert_eq!(on("DNI scale", "almost certain / nearly certain"), Some(95));
        assert_eq!((on("PHIA", "high"), on("ICD 203", "high"), on("0-10", "high")), (None, None, None));
    }
}
