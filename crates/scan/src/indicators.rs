//! Findings of indicators: what a hit is called, how much it weighs, and what
//! it says of where the indicator came from.
//!
//! A hit says that a record names something that somebody has listed; it is no
//! step of an attack, so no answer rests on it alone.

use crate::context::Memory;
use indicator::{About, Indicator, IndicatorFile, IndicatorSet, Kind, actors};
use model::{Field, Level, RuleFacts};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Findings of one indicator in one item; further records with it are counted.
pub const FINDINGS_PER_ITEM_MAX: u64 = 10_000;
/// Mentions that a finding shows; the rest is counted.
const MENTIONS_MAX: usize = 8;
/// A longer value is cut in the rule's id, with its hash behind it.
const ID_BYTES_MAX: usize = 160;
/// Below this a publisher calls its confidence low (STIX 2.1, appendix A).
const LOW_CONFIDENCE_BELOW: u8 = 30;

/// What is seen of an indicator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Seen {
    /// A record names it.
    InRecord,
    /// A file of the evidence is it, or has its name.
    AsFile,
}

/// What all findings of one indicator have in common.
pub struct Known {
    pub rule: Arc<RuleFacts>,
    pub memory: Memory,
    /// Fields that stand before those of the record.
    pub fields: Vec<Field>,
}

/// The indicators of a scan, for all threads.
pub struct Indicators<'a> {
    pub set: &'a IndicatorSet,
    known: Mutex<HashMap<(u32, Seen), Arc<Known>>>,
}

impl<'a> Indicators<'a> {
    pub fn new(set: &'a IndicatorSet) -> Self {
        Self { set, known: Mutex::default() }
    }

    /// What findings of an indicator say, made with its first hit: of a million
    /// indicators few are ever seen.
    pub fn known(&self, id: u32, seen: Seen) -> Arc<Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entry =
            known.entry((id, seen)).or_insert_with(|| Arc::new(describe(&self.set.indicator(id), seen)));
        Arc::clone(entry)
    }
}

fn describe(indicator: &Indicator<'_>, seen: Seen) -> Known {
    let (kind, value, mentions) = (indicator.kind(), indicator.value(), indicator.mentions());
    let names = actors(&mentions);
    let level = level(indicator, &mentions, names.len());
    let of = match names.as_slice() {
        [] => String::new(),
        [name] => format!(" ({name})"),
        names => format!(" (shared by {})", names.join(", ")),
    };
    let (prefix, what) = match seen {
        Seen::InRecord => ("indicator", "Indicator"),
        Seen::AsFile => ("indicator-file", "File is an indicator:"),
    };
    let rule = RuleFacts {
        id: format!("{prefix}:{}:{}", kind.as_str(), short(&value)),
        title: format!("{what} {} {}{of}", kind.as_str(), short(&value)),
        level,
        tags: Vec::new(),
        techniques: Vec::new(),
    };
    let memory = if level >= Level::High { Memory::Joins } else { Memory::Nothing };
    Known { rule: Arc::new(rule), memory, fields: fields(kind, &value, &mentions, &names) }
}

/// The value, or as much of it as fits with a hash that tells it apart.
fn short(value: &str) -> String {
    if value.len() <= ID_BYTES_MAX {
        return value.to_owned();
    }
    let digest = <sha2::Sha256 as sha2::Digest>::digest(value.as_bytes());
    let hex: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}…{hex}", &value[..value.floor_char_boundary(ID_BYTES_MAX - 20)])
}

/// A hash names one content; a domain or a URL somebody's server. An address
/// changes hands, a path or a name may be anybody's, and what several actors
/// use tells less of each.
fn level(indicator: &Indicator<'_>, mentions: &[(&IndicatorFile, About)], actors: usize) -> Level {
    let is_local = |value: &str| value.as_bytes().get(1) == Some(&b':');
    let own = match indicator.kind() {
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Url | Kind::Domain => Level::High,
        Kind::Address | Kind::Imphash => Level::Medium,
        Kind::Path if is_local(&indicator.value()) => Level::Medium,
        Kind::Path | Kind::Network | Kind::FileName | Kind::UserAgent | Kind::Parameter => Level::Low,
        Kind::All => indicator.parts().map(|part| level(&part, &[], 0)).max().unwrap_or(Level::Medium),
    };
    let is_doubted = |(_, about): &(&IndicatorFile, About)| {
        about.confidence.is_some_and(|percent| percent < LOW_CONFIDENCE_BELOW)
    };
    match own {
        own if !mentions.is_empty() && mentions.iter().all(is_doubted) => own.min(Level::Low),
        own if actors > 1 => own.min(Level::Medium),
        own => own,
    }
}

fn fields(kind: Kind, value: &str, mentions: &[(&IndicatorFile, About)], actors: &[String]) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    let mut add = |name: &str, text: &str| {
        if !text.is_empty() {
            fields.push((name.into(), text.into()));
        }
    };
    add("Indicator", value);
    add("IndicatorKind", kind.as_str());
    for (file, about) in mentions.iter().take(MENTIONS_MAX) {
        add("IndicatorSource", &source(file, about));
    }
    if mentions.len() > MENTIONS_MAX {
        add("IndicatorSource", &format!("and {} more", mentions.len() - MENTIONS_MAX));
    }
    let dates = mentions.iter().map(|(_, about)| about.date.as_str()).filter(|date| !date.is_empty());
    add("IndicatorDate", dates.min().unwrap_or_default());
    actors.iter().for_each(|actor| add("IndicatorActor", actor));
    add(
        "IndicatorShared",
        &match actors.len() {
            0 => "not known: no source names an actor".to_owned(),
            1 => "no: one actor is named".to_owned(),
            count => format!("yes: {count} actors are named"),
        },
    );
    fields
}

/// One mention in one line: where, when, whose, and in which words.
fn source(file: &IndicatorFile, about: &About) -> String {
    let mut parts = vec![file.name.clone()];
    let mut add = |name: &str, text: &str| {
        if !text.is_empty() {
            parts.push(format!("{name}{text}"));
        }
    };
    add("", &about.title);
    add("dated ", &about.date);
    add("first seen ", &about.first_seen);
    add("valid until ", &about.valid_until);
    add("actors ", &about.actors.join(", "));
    add("labels ", &about.labels.join(", "));
    add("confidence ", &about.confidence.map(|percent| percent.to_string()).unwrap_or_default());
    add("TLP ", &about.tlp);
    add("note: ", &about.note);
    parts.join("; ")
}

/// How often an indicator was seen in an item.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// Records that show it.
    pub records: u64,
    /// The first of them that became no finding.
    pub first_beyond: Option<u64>,
}

impl Hits {
    /// Counts a record; false when it is to become no finding.
    pub fn count(&mut self, offset: u64) -> bool {
        self.records += 1;
        let fits = self.records <= FINDINGS_PER_ITEM_MAX;
        if !fits && self.first_beyond.is_none() {
            self.first_beyond = Some(offset);
        }
        fits
    }

    /// How many findings there are of it.
    pub fn findings(&self) -> u64 {
        self.records.min(FINDINGS_PER_ITEM_MAX)
    }

    /// What became no finding, as a problem that loses nothing.
    pub fn problem(&self, rule_id: &str) -> Option<model::Problem> {
        let beyond = self.records.checked_sub(FINDINGS_PER_ITEM_MAX).filter(|beyond| *beyond > 0)?;
        Some(model::Problem {
            kind: "limit",
            offset: self.first_beyond,
            wanted: format!("at most {FINDINGS_PER_ITEM_MAX} findings of one indicator in an item"),
            found: format!("{beyond} more records with {rule_id}; counted only"),
            records_lost: Some(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(files: &[(&str, &str)], seen: Seen) -> Known {
        let mut set = IndicatorSet::default();
        files.iter().for_each(|(name, text)| set.load(name, text.as_bytes()));
        describe(&set.indicator(0), seen)
    }

    #[track_caller]
    fn check(list: &str, level: Level, id: &str) {
        let known = known(&[("list", list)], Seen::InRecord);
        assert_eq!((known.rule.level, known.rule.id.as_str()), (level, id));
    }

    #[test]
    fn levels_and_ids() {
        check("evil.example", Level::High, "indicator:domain:evil.example");
        check("192.0.2.7", Level::Medium, "indicator:address:192.0.2.7");
        check("192.0.2.0/24", Level::Low, "indicator:network:192.0.2.0/24");
        check("C:\\x\\y.aspx", Level::Medium, "indicator:path:c:\\x\\y.aspx");
        check("/x/y.aspx", Level::Low, "indicator:path:\\x\\y.aspx");
        let long = format!("http://evil.example/{}", "a".repeat(300));
        let id = known(&[("list", &long)], Seen::AsFile).rule.id.clone();
        assert!(id.starts_with("indicator-file:url:evil.example/aaaa") && id.len() < 200, "{id}");
    }

    #[test]
    fn shared_and_doubted() {
        let header = "indicator,actor,confidence,date,source";
        let one = format!("{header}\nevil.example,Actor One,80,2021-03-02,report\n");
        let two = format!("{header}\nevil.example,Actor Two,,2021-03-01,\n");
        let alone = known(&[("a.csv", &one)], Seen::InRecord);
        assert_eq!(
            (alone.rule.level, alone.rule.title.as_str()),
            (Level::High, "Indicator domain evil.example (Actor One)")
        );
        let shared = known(&[("a.csv", &one), ("b.csv", &two)], Seen::InRecord);
        assert_eq!(shared.rule.level, Level::Medium);
        assert_eq!(shared.rule.title, "Indicator domain evil.example (shared by Actor One, Actor Two)");
        let fields: Vec<String> = shared.fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
        assert_eq!(
            fields,
            [
                "Indicator=evil.example",
                "IndicatorKind=domain",
                "IndicatorSource=a.csv; report; dated 2021-03-02; actors Actor One; confidence 80",
                "IndicatorSource=b.csv; dated 2021-03-01; actors Actor Two",
                "IndicatorDate=2021-03-01",
                "IndicatorActor=Actor One",
                "IndicatorActor=Actor Two",
                "IndicatorShared=yes: 2 actors are named",
            ]
        );
        let doubted = known(&[("a.csv", &one.replace("80", "20"))], Seen::InRecord);
        assert_eq!(doubted.rule.level, Level::Low);
    }

    #[test]
    fn hits_beyond_the_cap_are_counted() {
        let mut hits = Hits::default();
        assert!((0..FINDINGS_PER_ITEM_MAX).all(|offset| hits.count(offset)));
        assert_eq!(hits.problem("x"), None);
        assert!(!hits.count(77) && !hits.count(78));
        let problem = hits.problem("indicator:x").unwrap();
        assert_eq!((problem.offset, problem.records_lost), (Some(77), Some(0)));
        assert_eq!(problem.found, "2 more records with indicator:x; counted only");
    }
}
