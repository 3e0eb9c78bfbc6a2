//! A casebook as it is written in YAML, and the one place that checks it.

use super::{
    ANY_OF, Act, Asked, Beyond, BookError, Casebook, Hole, JoinRules, Kind, Link, Note, Plain, Question,
    Stay, Texts, VerdictRule, WindowRule,
};
use crate::build::BuildTable;
use crate::collect::CollectList;
use crate::needs::{Need, Source};
use crate::sentence::Sentence;
use crate::support::{Explained, Grade, Partner, Raise, Support, When};
use crate::tactics;
use model::{Level, Timestamp};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Tables and lists that a casebook names; they come with the program.
const BUILD_TABLES: &[(&str, &str, &str)] =
    &[("exchange", "casebook/exchange-builds.yml", include_str!("../../../../casebook/exchange-builds.yml"))];
const COLLECT_LISTS: &[(&str, &str, &str)] = &[
    ("exchange", "casebook/collect/exchange.yml", include_str!("../../../../casebook/collect/exchange.yml")),
    ("windows", "casebook/collect/windows.yml", include_str!("../../../../casebook/collect/windows.yml")),
    ("linux", "casebook/collect/linux.yml", include_str!("../../../../casebook/collect/linux.yml")),
    ("identity", "casebook/collect/identity.yml", include_str!("../../../../casebook/collect/identity.yml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBook {
    id: String,
    title: String,
    #[serde(default)]
    general: bool,
    builds: Option<String>,
    collect: String,
    window: RawWindow,
    signs: Vec<String>,
    #[serde(default)]
    sign_steps: Vec<String>,
    groups: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    joins: RawJoins,
    #[serde(default)]
    cves: BTreeMap<String, Vec<String>>,
    acts: Vec<RawAct>,
    needs: Vec<Need>,
    questions: Vec<RawQuestion>,
    verdict: RawVerdict,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAct {
    step: Vec<String>,
    text: String,
    #[serde(default)]
    covers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWindow {
    from: Option<String>,
    logs: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawJoins {
    links: Vec<RawLink>,
    visits: Vec<String>,
    shells: Vec<String>,
    shared_processes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLink {
    of: Vec<String>,
    to: Vec<String>,
    minutes: u32,
    #[serde(default)]
    follows: bool,
    #[serde(default)]
    alone: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuestion {
    id: String,
    title: String,
    #[serde(default)]
    kind: RawKind,
    about: RawAbout,
    #[serde(default)]
    steps: Vec<RawSupport>,
    /// A question whose supports count here too.
    like: Option<String>,
    #[serde(default)]
    techniques: Vec<String>,
    #[serde(default)]
    needs: RawNeeds,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    act: Vec<String>,
    #[serde(default)]
    next: Vec<String>,
    #[serde(default)]
    lasting: Vec<String>,
    #[serde(default)]
    ended_by: Vec<String>,
    hole: Option<RawHole>,
    text: RawTexts,
}

/// A list, or one with what stands beside it.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawNeeds {
    List(Vec<String>),
    More(RawBeyond),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBeyond {
    all: Vec<String>,
    /// What does instead of all needs.
    #[serde(default)]
    instead: Vec<String>,
    /// Questions whose needs are this one's, too, where they are asked.
    #[serde(default)]
    rests_on: Vec<String>,
}

impl RawNeeds {
    /// All, what does instead, and what it rests on.
    fn parts(&self) -> (&[String], &[String], &[String]) {
        match self {
            RawNeeds::List(all) => (all, &[], &[]),
            RawNeeds::More(more) => (&more.all, &more.instead, &more.rests_on),
        }
    }
}

impl Default for RawNeeds {
    fn default() -> Self {
        RawNeeds::List(Vec::new())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHole {
    called: String,
    known: String,
    public: Option<String>,
    from: Option<String>,
    builds: Option<String>,
    immune: Option<String>,
    #[serde(default)]
    unsettled: Vec<String>,
    #[serde(default)]
    notes: Vec<Note>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum RawKind {
    #[default]
    Steps,
    Builds,
    StillIn,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum RawAbout {
    Server,
    Tenant,
    AnyHost,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSupport {
    step: Vec<String>,
    grade: RawGrade,
    #[serde(default)]
    level: RawLevel,
    #[serde(default)]
    raise: Vec<RawRaise>,
    explained: Option<RawExplained>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExplained {
    by: Vec<String>,
    minutes: u32,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum RawGrade {
    None,
    Likely,
    Yes,
}

/// The least level of a rule that counts.
#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "kebab-case")]
enum RawLevel {
    #[default]
    Any,
    High,
    Critical,
}

impl RawLevel {
    fn least(self) -> Level {
        match self {
            RawLevel::Any => Level::Informational,
            RawLevel::High => Level::High,
            RawLevel::Critical => Level::Critical,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRaise {
    to: RawGrade,
    with: Vec<String>,
    #[serde(default)]
    level: RawLevel,
    when: RawWhen,
    minutes: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawWhen {
    Within,
    OtherWithin,
    Near,
    Later,
    ShellBefore,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawTexts {
    plain: Option<Plain>,
    yes: String,
    likely: String,
    no_trace: String,
    no_trace_instead: Option<String>,
    cannot_tell: String,
    not_applicable: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVerdict {
    #[serde(default)]
    only_own: bool,
    breach: Vec<String>,
    probable: Vec<String>,
    suspect: Vec<String>,
    #[serde(default)]
    named: Vec<String>,
    decisive: Vec<String>,
    #[serde(default)]
    probed: Vec<String>,
}

/// Resolves every name; the first that leads nowhere is the error.
pub(super) fn check(file: &str, raw: RawBook) -> Result<Casebook, BookError> {
    let groups = Groups { file, groups: &raw.groups };
    let from = match &raw.window.from {
        Some(day) => Some(parse_day(file, day)?),
        None => None,
    };
    let list = named(file, &raw.collect, COLLECT_LISTS, CollectList::parse)?;
    let table = match &raw.builds {
        Some(name) => named(file, name, BUILD_TABLES, BuildTable::parse)?,
        None => BuildTable::default(),
    };
    let needs = check_needs(file, raw.needs, &list)?;
    let mut questions: Vec<Question> = Vec::new();
    for question in raw.questions {
        let question = check_question(&groups, question, &needs, &questions)?;
        check_next(file, &question.next, &list)?;
        if let Some(builds) = question.hole.as_ref().and_then(|hole| hole.builds.as_ref())
            && !table.has_hole(builds)
        {
            return Err(BookError::new(file, format!("the table {:?} has no hole {builds:?}", table.id)));
        }
        if questions.iter().any(|other| other.id == question.id) {
            return Err(BookError::new(file, format!("the question {:?} stands twice", question.id)));
        }
        questions.push(question);
    }
    let mut cves = BTreeMap::new();
    for (cve, steps) in raw.cves {
        for step in groups.steps(&steps)? {
            cves.insert(step, cve.clone());
        }
    }
    Ok(Casebook {
        acts: raw.acts.into_iter().map(|act| check_act(&groups, act)).collect::<Result<_, _>>()?,
        sign_steps: groups.steps(&raw.sign_steps)?,
        verdict: check_verdict(file, raw.verdict, &questions)?,
        joins: check_joins(&groups, raw.joins)?,
        builds: table,
        window: WindowRule { from, logs: raw.window.logs },
        signs: raw.signs,
        id: raw.id,
        title: raw.title,
        general: raw.general,
        list,
        cves,
        needs,
        questions,
    })
}

/// Names of groups stand for their steps.
struct Groups<'a> {
    file: &'a str,
    groups: &'a BTreeMap<String, Vec<String>>,
}

impl Groups<'_> {
    /// `any-NAME` is a group; everything else is a step.
    fn steps(&self, names: &[String]) -> Result<Vec<String>, BookError> {
        let mut steps = Vec::new();
        for name in names {
            match name.strip_prefix(ANY_OF) {
                None => steps.push(name.clone()),
                Some(group) => match self.groups.get(group) {
                    Some(members) => steps.extend(members.iter().cloned()),
                    None => return Err(BookError::new(self.file, format!("there is no group {group:?}"))),
                },
            }
        }
        Ok(steps)
    }

    /// A partner may have to show several steps: `one+other`.
    fn partners(&self, names: &[String], level_min: Level) -> Result<Vec<Partner>, BookError> {
        let steps = self.steps(names)?;
        let parts = |step: &String| step.split('+').map(str::to_owned).collect();
        Ok(steps.iter().map(|step| Partner { steps: parts(step), level_min }).collect())
    }
}

fn parse_day(file: &str, day: &str) -> Result<Timestamp, BookError> {
    let time = Timestamp::parse(&format!("{day}T00:00:00Z"));
    time.ok_or_else(|| BookError::new(file, format!("wanted a day like 2020-12-01, found {day:?}")))
}

fn named<T>(
    file: &str,
    name: &str,
    table: &[(&str, &str, &str)],
    parse: fn(&str, &str) -> Result<T, BookError>,
) -> Result<T, BookError> {
    let known = table.iter().find(|(own, ..)| *own == name);
    let (_, path, text) = known.ok_or_else(|| BookError::new(file, format!("nothing is called {name:?}")))?;
    parse(path, text)
}

fn check_act(groups: &Groups<'_>, raw: RawAct) -> Result<Act, BookError> {
    let text = Sentence::parse(&raw.text).map_err(|reason| BookError::new(groups.file, reason))?;
    Ok(Act { steps: groups.steps(&raw.step)?, text, covers: groups.steps(&raw.covers)? })
}

fn check_needs(file: &str, needs: Vec<Need>, list: &CollectList) -> Result<Vec<Need>, BookError> {
    let mut ids = BTreeSet::new();
    for need in &needs {
        if !ids.insert(need.id.clone()) {
            return Err(BookError::new(file, format!("the need {:?} stands twice", need.id)));
        }
        check_next(file, &need.next, list)?;
        let lower = |source: &Source| source.log.chars().all(|c| !c.is_uppercase());
        if need.any.is_empty() || !need.any.iter().all(lower) {
            return Err(BookError::new(
                file,
                format!("the need {:?} must name logs, in lower case", need.id),
            ));
        }
    }
    Ok(needs)
}

fn check_next(file: &str, next: &[String], list: &CollectList) -> Result<(), BookError> {
    match next.iter().find(|id| list.entry(id).is_none()) {
        Some(id) => Err(BookError::new(file, format!("the list {:?} has no entry {id:?}", list.id))),
        None => Ok(()),
    }
}

fn check_question(
    groups: &Groups<'_>,
    raw: RawQuestion,
    needs: &[Need],
    before: &[Question],
) -> Result<Question, BookError> {
    let fail = |reason: String| BookError::new(groups.file, format!("question {:?}: {reason}", raw.id));
    let mut supports = Vec::new();
    for support in &raw.steps {
        supports.extend(check_support(groups, support)?);
    }
    let own = supports.len();
    if let Some(like) = &raw.like {
        let other = before.iter().find(|question| question.id == *like);
        let other = other.ok_or_else(|| fail(format!("no question {like:?} stands before it")))?;
        supports.extend(other.supports.iter().cloned());
    }
    if let Some(id) = raw.lasting.iter().find(|id| !before.iter().any(|question| question.id == **id)) {
        return Err(fail(format!("no question {id:?} stands before it")));
    }
    let find = |ids: &[String]| -> Result<Vec<usize>, BookError> {
        let index = |id: &String| needs.iter().position(|need| need.id == *id);
        ids.iter().map(|id| index(id).ok_or_else(|| fail(format!("there is no need {id:?}")))).collect()
    };
    let tactics = raw.techniques.iter().filter_map(|own| own.strip_prefix(ANY_OF));
    if let Some(tactic) = tactics.into_iter().find(|own| !tactics::is_known(own)) {
        return Err(fail(format!("ATT&CK has no tactic {tactic:?}")));
    }
    let sentence = |text: &String| Sentence::parse(text).map_err(&fail);
    let question = |id: &String| {
        let index = before.iter().position(|question| question.id == *id);
        index.ok_or_else(|| fail(format!("no question {id:?} stands before it")))
    };
    let (all, instead, rests_on) = raw.needs.parts();
    let rests_on = rests_on.iter().map(question).collect::<Result<_, _>>()?;
    let beyond = Beyond { instead: find(instead)?, rests_on };
    Ok(Question {
        needs: find(all)?,
        beyond,
        also: find(&raw.also)?,
        text: check_texts(raw.text, sentence)?,
        kind: match raw.kind {
            RawKind::Steps => Kind::Steps,
            RawKind::Builds => Kind::Builds,
            RawKind::StillIn => Kind::StillIn,
        },
        asked: Asked {
            server_only: raw.about != RawAbout::AnyHost,
            is_of_tenant: raw.about == RawAbout::Tenant,
        },
        supports,
        own,
        techniques: raw.techniques,
        act: raw.act,
        stay: Stay { lasting: raw.lasting, ended_by: groups.steps(&raw.ended_by)? },
        hole: match raw.hole {
            Some(hole) => Some(check_hole(groups, hole)?),
            None => None,
        },
        next: raw.next,
        title: raw.title,
        id: raw.id,
    })
}

fn check_texts(
    raw: RawTexts,
    sentence: impl Fn(&String) -> Result<Sentence, BookError>,
) -> Result<Texts, BookError> {
    Ok(Texts {
        yes: sentence(&raw.yes)?,
        likely: sentence(&raw.likely)?,
        no_trace: sentence(&raw.no_trace)?,
        no_trace_instead: raw.no_trace_instead.as_ref().map(&sentence).transpose()?,
        cannot_tell: sentence(&raw.cannot_tell)?,
        not_applicable: sentence(&raw.not_applicable)?,
        plain: raw.plain,
    })
}

fn check_hole(groups: &Groups<'_>, raw: RawHole) -> Result<Hole, BookError> {
    let day = |day: Option<String>| day.map(|day| parse_day(groups.file, &day)).transpose();
    let immune = raw.immune.map(|text| Sentence::parse(&text)).transpose();
    Ok(Hole {
        called: raw.called,
        from: day(raw.from)?,
        public: day(raw.public)?,
        builds: raw.builds,
        immune: immune.map_err(|reason| BookError::new(groups.file, reason))?,
        known: raw.known,
        unsettled: groups.steps(&raw.unsettled)?,
        notes: raw.notes,
    })
}

fn check_support(groups: &Groups<'_>, raw: &RawSupport) -> Result<Vec<Support>, BookError> {
    let mut raises = Vec::new();
    for raise in &raw.raise {
        let minutes = raise.minutes.unwrap_or(10);
        raises.push(Raise {
            to: grade(raise.to),
            with: groups.partners(&raise.with, raise.level.least())?,
            when: match raise.when {
                RawWhen::Within => When::Within { minutes, other: false },
                RawWhen::OtherWithin => When::Within { minutes, other: true },
                RawWhen::Near => When::Near { minutes },
                RawWhen::Later => When::Later,
                RawWhen::ShellBefore => When::ShellBefore,
            },
        });
    }
    let explained = match &raw.explained {
        Some(raw) => {
            Some(Explained { by: groups.partners(&raw.by, Level::Informational)?, minutes: raw.minutes })
        }
        None => None,
    };
    let steps = groups.steps(&raw.step)?;
    Ok(steps
        .into_iter()
        .map(|step| Support {
            step,
            grade: grade(raw.grade),
            level_min: raw.level.least(),
            raises: raises.clone(),
            explained: explained.clone(),
        })
        .collect())
}

fn grade(raw: RawGrade) -> Grade {
    match raw {
        RawGrade::None => Grade::None,
        RawGrade::Likely => Grade::Likely,
        RawGrade::Yes => Grade::Yes,
    }
}

fn check_joins(groups: &Groups<'_>, raw: RawJoins) -> Result<JoinRules, BookError> {
    let mut links = Vec::new();
    for link in raw.links {
        let RawLink { of, to, minutes, follows, alone } = link;
        links.push(Link { of: groups.steps(&of)?, to: groups.steps(&to)?, minutes, follows, alone });
    }
    Ok(JoinRules {
        links,
        visits: groups.steps(&raw.visits)?,
        shells: groups.steps(&raw.shells)?,
        shared_processes: raw.shared_processes,
    })
}

fn check_verdict(file: &str, raw: RawVerdict, questions: &[Question]) -> Result<VerdictRule, BookError> {
    let all = [&raw.breach, &raw.probable, &raw.suspect, &raw.named, &raw.decisive, &raw.probed];
    for id in all.into_iter().flatten() {
        if !questions.iter().any(|question| question.id == *id) {
            return Err(BookError::new(file, format!("verdict: there is no question {id:?}")));
        }
    }
    Ok(VerdictRule {
        only_own: raw.only_own,
        breach: raw.breach,
        probable: raw.probable,
        suspect: raw.suspect,
        named: raw.named,
        decisive: raw.decisive,
        probed: raw.probed,
    })
}
