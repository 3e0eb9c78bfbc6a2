//! What sources say of an actor beyond what it uses: hosts it works from, its
//! hours, whom it is after, in which script it writes (`knowledge/actors.yml`).
//!
//! Each fact has a source and counts from the day after that. An actor without
//! such a fact is not one of whom the opposite is known.

use crate::{Date, Day, Dossiers};
use serde::Deserialize;
use std::net::IpAddr;

/// Sectors, by the open vocabulary of STIX 2.1 (`industry-sector-ov`).
pub const SECTORS: [&str; 33] = [
    "aerospace",
    "agriculture",
    "automotive",
    "chemical",
    "commercial",
    "communications",
    "construction",
    "defense",
    "education",
    "emergency-services",
    "energy",
    "entertainment",
    "financial-services",
    "government",
    "government-local",
    "government-national",
    "government-public-services",
    "government-regional",
    "healthcare",
    "hospitality-leisure",
    "infrastructure",
    "insurance",
    "manufacturing",
    "mining",
    "non-profit",
    "nuclear",
    "pharmaceuticals",
    "retail",
    "technology",
    "telecommunications",
    "transportation",
    "utilities",
    "water",
];

/// Hosts that a source ties to an actor.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Infrastructure {
    /// Domains, in lower case; what lies below them counts, too.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Addresses.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// When they were first seen in use, `YYYY-MM-DD`.
    pub from: String,
    /// When they were last seen in use.
    pub until: String,
    /// Which source says so.
    pub source: String,
}

/// The hours of a day in which an actor is said to work.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The first hour and the first one after, UTC; the first may be the higher one.
    pub utc: (u8, u8),
    /// What the source says, in our words.
    pub says: String,
    /// Which source.
    pub source: String,
}

/// Whom an actor is said to be after.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Victims {
    /// Sectors, of [`SECTORS`].
    #[serde(default)]
    pub sectors: Vec<String>,
    /// Countries, ISO 3166-1 alpha-2.
    #[serde(default)]
    pub countries: Vec<String>,
    /// Which source says so.
    pub source: String,
}

/// Scripts in which an actor is said to write.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// Scripts.
    pub scripts: Vec<Script>,
    /// What the source says, in our words.
    pub says: String,
    /// Which source.
    pub source: String,
}

/// A script other than Latin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Script {
    /// Arabic, Persian and others.
    Arabic,
    /// Russian and others.
    Cyrillic,
    /// Chinese; Japanese without kana, too.
    Han,
    /// Korean.
    Hangul,
    /// Hebrew.
    Hebrew,
    /// Japanese.
    Kana,
}

impl Script {
    /// The script that a letter is of; `None` for Latin and for those that are not told apart.
    pub fn of(letter: char) -> Option<Self> {
        match u32::from(letter) {
            0x0600..=0x06ff | 0x0750..=0x077f => Some(Self::Arabic),
            0x0400..=0x052f => Some(Self::Cyrillic),
            0x3400..=0x4dbf | 0x4e00..=0x9fff | 0x2_0000..=0x2_a6df => Some(Self::Han),
            0x1100..=0x11ff | 0xac00..=0xd7a3 => Some(Self::Hangul),
            0x0590..=0x05ff => Some(Self::Hebrew),
            0x3040..=0x30ff => Some(Self::Kana),
            _ => None,
        }
    }

    /// What it is called.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arabic => "Arabic",
            Self::Cyrillic => "Cyrillic",
            Self::Han => "Han",
            Self::Hangul => "Hangul",
            Self::Hebrew => "Hebrew",
            Self::Kana => "Kana",
        }
    }

    /// Countries (ISO 3166-1 alpha-2) where everybody writes so: there it says nothing of who was in the house.
    pub const fn at_home_in(self) -> &'static [&'static str] {
        match self {
            Self::Arabic => &[
                "AE", "AF", "BH", "DZ", "EG", "IQ", "IR", "JO", "KW", "LB", "LY", "MA", "OM", "PK", "PS",
                "QA", "SA", "SD", "SY", "TN", "YE",
            ],
            Self::Cyrillic => &["BA", "BG", "BY", "KG", "KZ", "ME", "MK", "MN", "RS", "RU", "TJ", "UA"],
            Self::Han => &["CN", "HK", "JP", "MO", "MY", "SG", "TW"],
            Self::Hangul => &["KP", "KR"],
            Self::Hebrew => &["IL"],
            Self::Kana => &["JP"],
        }
    }
}

/// Whether `text` is a code of a country by its form (ISO 3166-1 alpha-2).
pub fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The country that a code of another custom means: `UK` is `GB`.
pub fn country(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let code = if upper == "UK" { "GB" } else { upper.as_str() };
    is_country(code).then(|| code.to_owned())
}

impl Dossiers {
    /// The day of a source.
    pub fn day_of(&self, source: &str) -> Option<Day> {
        self.sources.get(source).and_then(|source| Date::parse(&source.date)).map(Date::day)
    }

    /// What [`Dossiers::parse`] checks of these facts.
    pub(crate) fn check_habits(&self) -> Result<(), String> {
        for actor in &self.actors {
            let wrong = |what: &str, text: &str| Err(format!("{}: {what} {text:?}", actor.id));
            let sources = actor
                .infrastructure
                .iter()
                .map(|of| &of.source)
                .chain(actor.hours.iter().map(|of| &of.source))
                .chain(actor.victims.iter().map(|of| &of.source))
                .chain(actor.languages.iter().map(|of| &of.source));
            for source in sources {
                self.day_of(source).ok_or_else(|| format!("{}: no source {source:?}", actor.id))?;
            }
            for of in &actor.infrastructure {
                let days = (Day::parse(&of.from), Day::parse(&of.until));
                if !matches!(days, (Some(from), Some(until)) if from <= until) {
                    return wrong("infrastructure from", &format!("{} until {}", of.from, of.until));
                }
                if let Some(address) = of.addresses.iter().find(|text| text.parse::<IpAddr>().is_err()) {
                    return wrong("address", address);
                }
                let is_domain = |text: &String| {
                    text.contains('.') && *text == text.to_ascii_lowercase() && !text.contains('/')
                };
                if let Some(domain) = of.domains.iter().find(|text| !is_domain(text)) {
                    return wrong("domain", domain);
                }
            }
            if let Some(of) =
                actor.hours.iter().find(|of| of.utc.0 > 23 || of.utc.1 > 24 || of.utc.0 == of.utc.1)
            {
                return wrong("hours", &format!("{:?}", of.utc));
            }
            for of in &actor.victims {
                if let Some(sector) = of.sectors.iter().find(|sector| !SECTORS.contains(&sector.as_str())) {
                    return wrong("sector", sector);
                }
                if let Some(country) = of.countries.iter().find(|country| !is_country(country)) {
                    return wrong("country", country);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_in_the_facts_are_told() {
        for (from, to, wanted) in [
            ("sectors: [government, technology", "sectors: [governments, technology", "sector"),
            ("countries: [US]", "countries: [usa]", "country"),
            ("utc: [1, 10]", "utc: [1, 25]", "hours"),
            ("addresses: [103.77.192.219", "addresses: [103.77.192.300", "address"),
            ("domains: [avsvmcloud.com", "domains: [https://avsvmcloud.com/", "domain"),
            ("from: 2020-02-27", "from: 2022-02-27", "infrastructure from"),
        ] {
            let text = crate::DOSSIERS.replacen(from, to, 1);
            assert_ne!(text, crate::DOSSIERS, "{from}");
            let error = Dossiers::parse(&text).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn scripts_of_letters() {
        for (letter, script) in [
            ('a', None),
            ('é', None),
            ('я', Some(Script::Cyrillic)),
            ('中', Some(Script::Han)),
            ('か', Some(Script::Kana)),
            ('한', Some(Script::Hangul)),
            ('ש', Some(Script::Hebrew)),
            ('ع', Some(Script::Arabic)),
        ] {
            assert_eq!(Script::of(letter), script, "{letter}");
        }
        assert_eq!(country("uk").as_deref(), Some("GB"));
        assert_eq!(country("Germany"), None);
    }
}
